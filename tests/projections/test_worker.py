"""The worker: leads alone, follows what is appended, records lapses, survives its database, names what stops it."""

import json
import os
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime

import psycopg
import pytest
import typer
from grounds import PATIENCE, wait_for
from lives import FIRST, event
from typer.testing import CliRunner

from domain.association import ROWS, Association
from domain.endorsement import Endorsement
from domain.person import Person
from projections.engine import Stopped
from registry import worker
from registry.certificates.keys import KeyFolder, announce
from registry.certificates.succession import Succession
from registry.cli import views
from registry.vault import read_master_key

NUMBER = "IFS-7K3MQ9TD"


def awarded(number=NUMBER, through=date(2025, 12, 31)):
    return event(
        Endorsement.Awarded, f"endorsement/{number}", 1, number=number, person="p1", category="IFS", association="VA",
        application="a1", edition="FS-2023", on=date(2024, 1, 10), through=through,
    )  # fmt: skip


def admitted(code="VA"):
    row = ROWS[code]
    facts = {name: getattr(row, name) for name in row.__struct_fields__}
    return event(Association.Admitted, f"association/{code}", 1, on=FIRST, licence="endorsement", **facts)


def person(name):
    return event(Person.Registered, f"person/{name}", 1, on=FIRST, residence="VA", name=f"Person {name}")


@pytest.fixture
def keys(settings, store, clock):
    folder = KeyFolder(settings.keys, read_master_key(settings))
    folder.init(settings.public_host, datetime(2023, 1, 1, tzinfo=UTC), specimen=True)
    announce(store, folder, on=clock.today, by="operator")
    return folder


@contextmanager
def at_work(settings, clock):
    stop = threading.Event()
    failed = []

    def run():
        try:
            worker.run(settings, stop=stop, clock=clock, seconds=0.05)
        except Exception as error:  # noqa: BLE001 # the test looks at it
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=PATIENCE)
        assert not thread.is_alive()
        if failed:
            raise failed[0]


@pytest.fixture
def soon(connect):
    """Waits until a statement gives this one value."""
    reader = connect("reader")

    def soon(value, statement):
        def is_so():
            with suppress(psycopg.Error):  # there are no views yet
                return reader.execute(statement).fetchone() == (value,)

        wait_for(is_so, f"{value} of {statement}")

    return soon


POSITION = "SELECT position FROM views.position"


def test_what_is_appended_is_in_the_views_and_on_the_plane_soon_after(settings, clock, keys, history, soon):
    first = len(keys.facts())
    with at_work(settings, clock):
        soon(4, POSITION)
        checkpoint = settings.static / "checkpoint"
        wait_for(checkpoint.exists, "a first checkpoint")
        recorded = history(admitted(), person("p1"), awarded())
        reached = f"SELECT position >= {recorded.position} FROM views.position"
        soon(True, reached)
        # Or more: the nightly rules may have seen the award already, and what follows from it.
        wait_for(lambda: int(checkpoint.read_text().split("\n")[1]) >= recorded.position, "published")
    assert first >= 3


def test_the_private_half_of_a_key_that_retired_is_destroyed(settings, store, clock, keys, soon):
    old = keys.signer("status", clock()).kid
    Succession(store, keys, host=settings.public_host, by="operator").rotate("status", start=None, now=clock())
    clock.move(minutes=3)
    with at_work(settings, clock):
        wait_for(lambda: not keys.has(old), "destroyed")
    assert keys.signer("status", clock()).kid != old


def test_what_stops_publication_is_told_to_the_server_until_it_is_mended(settings, clock, keys, history, soon):
    checkpoint = settings.static / "checkpoint"

    with at_work(settings, clock):
        soon(4, POSITION)
        wait_for(lambda: checkpoint.exists() and "\n4\n" in checkpoint.read_text(), "published")
        good = checkpoint.read_text()
        checkpoint.write_text(good.replace("\n4\n", "\n2\n"))
        history(person("p1"))
        wait_for(settings.alarm.exists, "the alarm")
        assert "not one we signed" in json.loads(settings.alarm.read_text())["why"]
        checkpoint.write_text(good)
        history(person("p2"))
        wait_for(lambda: not settings.alarm.exists(), "no alarm")


def test_lapses_are_recorded_when_the_day_is_over_where_the_custodian_is(settings, clock, keys, history, soon, store):
    clock.set(datetime(2026, 1, 1, 4, 30, tzinfo=UTC))  # still 31 December in Virginia
    history(admitted(), awarded(), awarded("IFS-22222222", through=date(2028, 12, 31)))
    with at_work(settings, clock):
        soon(7, POSITION)
        assert [fact.topic for _, fact in store.events(f"endorsement/{NUMBER}")] == ["endorsement.awarded"]
        clock.set(datetime(2026, 1, 1, 6, 0, tzinfo=UTC))
        history(person("p1"))
        soon(9, POSITION)
    assert [fact.topic for _, fact in store.events(f"endorsement/{NUMBER}")][1:] == ["endorsement.lapsed"]
    assert len(store.events("endorsement/IFS-22222222")) == 1


def test_a_second_worker_waits_until_the_first_is_gone(settings, clock, keys, history, soon, connect):
    leading = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 71630004 AND granted"
    with at_work(settings, clock):
        soon(4, POSITION)
        with at_work(settings, clock):
            history(person("p1"))
            soon(5, POSITION)
            soon(1, leading)


def test_the_worker_goes_on_after_its_connections_were_cut(settings, clock, keys, history, soon, connect):
    with at_work(settings, clock):
        soon(4, POSITION)
        for n in range(5):
            connect().execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'registry-worker' AND datname = current_database()"
            )
            history(person(f"p{n}"))
            soon(5 + n, POSITION)


def test_an_event_that_can_t_be_read_stops_the_worker_and_is_named(settings, clock, keys, connect, caplog):
    connect().execute("INSERT INTO registry.events VALUES ('person/p1', 1, 'person.renamed', '{\"name\": 7}', 5)")

    with pytest.raises(Stopped):
        worker.run(settings, stop=threading.Event(), clock=clock)

    facts = json.loads(caplog.messages[-1])
    assert (facts["what"], facts["position"], facts["topic"]) == ("stopped", 5, "person.renamed")


def test_no_line_of_the_worker_holds_a_name(settings, clock, keys, history, soon, caplog):
    caplog.set_level("INFO", "registry.worker")
    with at_work(settings, clock):
        soon(4, POSITION)
        history(person("Secret-Name"))
        soon(5, POSITION)

    assert {json.loads(line)["what"] for line in caplog.messages} >= {"leading", "published", "ended"}
    assert "Person Secret" not in caplog.text


@pytest.fixture
def environment(settings, monkeypatch):
    monkeypatch.setenv("REGISTRY_HOME", str(settings.home))
    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGISTRY_MASTER_KEY", b64encode(settings.master_key).decode())


def command():
    app = typer.Typer()
    views.join(app)
    return app


def test_rebuild_and_compare_as_commands(environment, settings, history, connect):
    history(person("p1"), awarded())

    rebuilt = CliRunner().invoke(command(), ["rebuild", "--json"])
    same = CliRunner().invoke(command(), ["compare", "--json"])
    connect().execute("UPDATE views.standing SET standing = 'removed' WHERE standing = 'active'")
    other = CliRunner().invoke(command(), ["compare"])

    assert rebuilt.exit_code == same.exit_code == 0
    assert json.loads(rebuilt.stdout)["events"] == 2
    assert json.loads(same.stdout)["differences"] == []
    assert other.exit_code == 1
    assert f"standing (number {NUMBER}" in other.stdout
    assert f"standing differ; made by position 2, endorsement/{NUMBER}, endorsement.awarded" in other.stdout
    assert "1 difference in 2 events" in other.stdout
    none = CliRunner().invoke(command(), ["rebuild", "stand"])
    assert (none.exit_code, none.stdout) == (2, "")
    assert "There is no view stand. There are: associations" in none.stderr
    assert CliRunner().invoke(command(), ["rebuild", "standing"]).exit_code == 0
    assert CliRunner().invoke(command(), ["compare", "standing", "--json"]).exit_code == 0


def test_work_ends_on_sigterm(environment, settings, keys, soon):
    code = "import typer; from registry.cli import views; app = typer.Typer(); views.join(app); app(['work'])"
    with subprocess.Popen([sys.executable, "-c", code], env=os.environ, stderr=subprocess.PIPE, text=True) as work:
        soon(4, POSITION)
        work.send_signal(signal.SIGTERM)
        assert work.wait(timeout=PATIENCE) == 0
        lines = [json.loads(line)["what"] for line in work.stderr.read().splitlines()]
    assert lines[-1] == "ended"
