"""The nightly rules: judged in each association's zone, done once however often and by how many, one failure alone."""

import json
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
import typer
from lives import FIRST, event
from typer.testing import CliRunner

from domain.association import ROWS, Association
from domain.audit import Audit, draw_sample
from domain.endorsement import Endorsement, new_number
from domain.person import Person
from projections.engine import Engine
from registry import nightly
from registry.certificates.keys import KeyFolder, announce
from registry.cli import audit, convert
from registry.cli import nightly as cli
from registry.commands import Registry
from registry.opening import open_registry
from registry.vault import read_master_key

LAST = date(2026, 12, 31)
LAPSE = (next(rule for rule in nightly.RULES if rule.name == "lapse"),)


def person(name="p1"):
    return event(Person.Registered, f"person/{name}", 1, on=FIRST, residence="VA", name=f"Person {name}")


def admitted(code):
    row = ROWS[code]
    facts = {name: getattr(row, name) for name in row.__struct_fields__}
    return event(Association.Admitted, f"association/{code}", 1, on=FIRST, licence="endorsement", **facts)


def awarded(number, association="VA", through=LAST, category="IFS"):
    return event(
        Endorsement.Awarded, f"endorsement/{number}", 1, number=number, person="p1", category=category,
        association=association, application="a1", edition="FS-2023", on=date(2024, 1, 10), through=through,
    )  # fmt: skip


@pytest.fixture
def registry(settings, store, clock, randomness):
    folder = KeyFolder(settings.keys, read_master_key(settings))
    folder.init(settings.public_host, datetime(2023, 1, 1, tzinfo=UTC), specimen=True)
    announce(store, folder, on=clock.today, by="operator")
    return Registry(store, clock=clock, draw=randomness, kid=lambda: folder.signer("certificate", clock()).kid)


@pytest.fixture
def views(connect, store, vault):
    """Brings the views up to date."""
    engine, connection = Engine(store.mapper.load, vault.open_all), connect("projector")
    engine.prepare(connection)

    def follow():
        while engine.advance(connection, 1000) < store.position():
            pass

    return follow


@pytest.fixture
def night(registry, connect, views):
    """One whole round of these rules."""
    reader = connect("reader")

    def night(rules=LAPSE, **facts):
        views()
        return list(nightly.go_round(registry, reader, rules=rules, **facts))

    return night


def topics(store, number):
    return [fact.topic.partition(".")[2] for _, fact in store.events(f"endorsement/{number}")]


def test_r21_a_lapse_at_midnight_in_alaska_and_in_ireland(store, history, clock, night):
    history(person(), admitted("AK"), admitted("IE"), awarded("IFS-AK", "AK"), awarded("IFS-IE", "IE"))

    for hour, lapsed in (
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), []),
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), ["IFS-IE"]),
        (datetime(2027, 1, 1, 8, 59, 59, tzinfo=UTC), ["IFS-IE"]),
        (datetime(2027, 1, 1, 9, 0, tzinfo=UTC), ["IFS-AK", "IFS-IE"]),
    ):
        clock.set(hour)
        night()
        assert [number for number in ("IFS-AK", "IFS-IE") if "lapsed" in topics(store, number)] == lapsed
    ((_, fact),) = store.events("endorsement/IFS-AK")[1:]
    assert (fact.on, fact.through, fact.by) == (date(2027, 1, 1), LAST, "operator")


def test_a_second_night_finds_nothing_and_a_clock_set_back_undoes_nothing(store, history, clock, night):
    history(person(), admitted("VA"), awarded("IFS-1"))
    clock.set(datetime(2027, 2, 3, tzinfo=UTC))
    (first,) = night()
    assert (first.rule, first.named, first.recorded, first.failed) == ("lapse", 1, 1, [])
    at = store.position()
    for again in (datetime(2027, 2, 3, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=UTC), datetime(2040, 2, 3, tzinfo=UTC)):
        clock.set(again)
        assert sum(batch.recorded for batch in night()) == 0
    assert store.position() == at


def test_views_that_are_behind_name_somebody_twice_and_it_is_done_once(store, history, clock, registry, connect, views):
    history(person(), admitted("VA"), awarded("IFS-1"))
    views()
    clock.set(datetime(2027, 2, 3, tzinfo=UTC))
    reader = connect("reader")
    assert [[b.recorded for b in nightly.go_round(registry, reader, rules=LAPSE)] for _ in range(2)] == [[1], [0]]


def test_two_at_work_at_once_do_it_once(store, history, clock, registry, connect, views):
    numbers = [f"IFS-{n:03}" for n in range(30)]
    history(person(), admitted("VA"), *(awarded(number) for number in numbers))
    views()
    clock.set(datetime(2027, 2, 3, tzinfo=UTC))
    readers = [connect("reader"), connect("reader")]
    together = threading.Barrier(2)

    def one(reader):
        together.wait()
        return sum(batch.recorded for batch in nightly.go_round(registry, reader, rules=LAPSE))

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(one, readers))
    assert sum(done) == 30
    assert all(topics(store, number) == ["awarded", "lapsed"] for number in numbers)


def test_what_fails_for_one_stops_nobody_and_is_tried_again(store, history, clock, night, monkeypatch):
    monkeypatch.setattr(nightly, "BATCH", 2)
    numbers = [f"IFS-{n}" for n in range(5)]
    history(person(), admitted("VA"), *(awarded(number) for number in numbers))
    clock.set(datetime(2027, 2, 3, tzinfo=UTC))
    broken = ["IFS-1", "IFS-2"]

    def lapse(registry, number):
        if number in broken:
            raise ValueError("Person p1 quoted")  # must not be said
        return registry.record_lapse(number)

    rule = LAPSE[0]._replace(do=lapse)
    batches = night(rules=(rule,))
    assert [(batch.named, batch.recorded) for batch in batches] == [(2, 1), (2, 1), (1, 1)]
    assert [failed for batch in batches for failed in batch.failed] == [
        nightly.Failed("IFS-1", "ValueError"),
        nightly.Failed("IFS-2", "ValueError"),
    ]
    broken.clear()
    assert sum(batch.recorded for batch in night(rules=(rule,))) == 2


def test_every_rule_has_a_name_of_its_own_and_a_source():
    assert len({rule.name for rule in nightly.RULES}) == len(nightly.RULES)
    assert all(rule.says and rule.source for rule in nightly.RULES)


def test_a_rule_whose_deed_does_more_than_save_is_only_counted_in_a_dry_run(history, clock, night):
    history(person(), admitted("VA"), awarded("IFS-1"))
    clock.set(datetime(2027, 2, 3, tzinfo=UTC))
    more = LAPSE[0]._replace(saves_only=False)
    assert [(batch.named, batch.recorded) for batch in night(rules=(more,), rehearse=True)] == [(1, 0)]


@pytest.fixture
def command(settings, monkeypatch, registry):
    monkeypatch.setenv("REGISTRY_HOME", str(settings.home))
    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGISTRY_MASTER_KEY", b64encode(settings.master_key).decode())
    app = typer.Typer()
    cli.join(app)
    return lambda *words: CliRunner().invoke(app, list(words))


def test_the_command_rehearses_any_day_and_records_only_days_that_have_come(store, history, views, command):
    history(person(), admitted("VA"), awarded("IFS-1", through=date(2024, 12, 31)), awarded("IFS-2", through=LAST))
    views()
    at = store.position()

    rehearsed = command("--on", "2999-01-01", "--dry-run", "--json")
    refused = command("--on", "2999-01-01")
    told = json.loads(rehearsed.stdout)
    assert (told["on"], told["dry_run"], told["position"], told["failed"]) == ("2999-01-01", True, at, [])
    assert told["rules"]["lapse"] == {"named": 2, "recorded": 2}
    assert (rehearsed.exit_code, refused.exit_code, store.position()) == (0, 2, at)

    done = command("--on", "2025-06-01")
    assert "1 recorded (R21, NE-POL)" in done.stdout
    assert (topics(store, "IFS-1"), topics(store, "IFS-2")) == (["awarded", "lapsed"], ["awarded"])


def test_a_rehearsal_writes_nothing(settings, store, history, clock, registry, connect, views):
    history(person(), admitted("VA"), awarded("IFS-1"))
    views()
    clock.set(datetime(2027, 2, 3, tzinfo=UTC))
    rehearsing = open_registry(settings, clock=clock, rehearse=True)
    at = store.position()
    assert [
        batch.recorded for batch in nightly.go_round(rehearsing, connect("reader"), rules=LAPSE, rehearse=True)
    ] == [1]
    assert store.position() == at
    rehearsing.store.close()
    rehearsing.store.vault.close()


def test_r17_r28_conversion_is_rehearsed_and_a_recorded_sample_is_drawn_again(store, history, views, command, settings):
    history(person(), admitted("VA"), awarded(new_number("IFRS"), category="IFRS", through=date(2030, 12, 31)))
    sample = draw_sample(("IFS-1", "IFS-2"), "sixteen characters", 0.5)
    history(event(Audit.SampleDrawn, "audit/a1", 1, on=FIRST, association="VA", cycle=2027, seed="sixteen characters",
                  share=0.5, population=("IFS-1", "IFS-2"), always=(), sample=sample))  # fmt: skip
    views()
    app = typer.Typer()
    convert.join(app)
    audit.join(app)
    at = store.position()
    rehearsed = CliRunner().invoke(app, ["convert", "--category", "IFRS", "--dry-run", "--json"])
    told = json.loads(rehearsed.stdout)
    assert (told["converted"], told["refused"], told["dry_run"], store.position()) == (1, [], True, at)
    drawn = CliRunner().invoke(app, ["audit", "redraw", "a1", "--json"])
    assert (drawn.exit_code, json.loads(drawn.stdout)["same"]) == (0, True)
