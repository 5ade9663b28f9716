"""Replays: the views as they were at a position, asked as the API is, read only, dropped by name or age."""

import json
from base64 import b64encode
from datetime import UTC, date, datetime
from itertools import count

import psycopg
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lives import FIRST, event, histories
from typer.testing import CliRunner

from domain.access import Actor
from domain.endorsement import Endorsement
from domain.errors import Forbidden, Invalid
from domain.person import Person
from projections import replays
from projections.catalogue import VIEWS
from projections.engine import Engine
from projections.replays import BadReplay, Unknowable
from registry import replaying
from registry.cli.replays import join
from registry.database import Unavailable

NUMBER = "IFS-7K3MQ9TD"
ALLIANCE = Actor("alliance", association="ALLIANCE", id="k1")
TABLES = [table.table for view in VIEWS for table in view.tables]
tags = count(1)


@pytest.fixture
def engine(store, vault):
    return Engine(store.mapper.load, vault.open_all)


@pytest.fixture
def projector(connect, engine):
    connection = connect("projector")
    engine.prepare(connection)
    return connection


@pytest.fixture
def replay(engine, projector, vault):
    def replay(name, known):
        return engine.replay(
            projector, name, known, more=lambda schema, at: replaying.add_claims(projector, vault, schema, at)
        )

    return replay


def person(name="p1", printed="Ána O’Neill-Gómez"):
    return event(Person.Registered, f"person/{name}", 1, on=FIRST, residence="VA", name=printed)


def awarded(number=NUMBER, holder="p1"):
    return event(
        Endorsement.Awarded, f"endorsement/{number}", 1, number=number, person=holder, category="IFS",
        association="VA", application="a1", edition="FS-2023", on=date(2026, 1, 10), through=date(2027, 12, 31),
    )  # fmt: skip


def suspended(on=date(2026, 6, 2)):
    return event(Endorsement.Suspended, f"endorsement/{NUMBER}", 2, on=on, reason="fraud_being_established")


def content(connection, schema, but=()):
    return {
        table: sorted(
            connection.execute(f"SELECT (to_jsonb(t) - %s::text[])::text FROM {schema}.{table} AS t", [list(but)])
        )
        for table in TABLES
    }


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_replay_is_what_the_views_were_at_that_position(engine, projector, history, replay, data):
    events = data.draw(histories(tag=next(tags)))
    cut = data.draw(st.integers(1, len(events)))
    history(*events[:cut])
    position = engine.catch_up(projector)
    was = content(projector, "views")
    history(*events[cut:])
    engine.catch_up(projector)

    made = replay(f"r{position}", position)

    assert made.position == position
    # Keys of erased people are destroyed at no position: names are as they are now.
    assert content(projector, made.schema, ["name", "credentials", "folded"]) == {
        table: sorted((json.dumps(_without(json.loads(row)), ensure_ascii=False, separators=(", ", ": ")),)
                      for (row,) in rows)
        for table, rows in was.items()
    }  # fmt: skip
    replays.drop(projector, [made.name])


def _without(row):
    return {name: value for name, value in row.items() if name not in ("name", "credentials", "folded")}


def test_it_answers_as_the_api_did(settings, projector, history, replay, clock, engine):
    clock.set(datetime(2026, 6, 1, 12, tzinfo=UTC))
    history(person(), awarded())
    clock.set(datetime(2026, 6, 5, 12, tzinfo=UTC))
    history(suspended(), person("p2", "Second"), awarded("IFS-0000000Z", "p2"))
    engine.catch_up(projector)

    june = replay("june", datetime(2026, 6, 3, tzinfo=UTC))
    now = replay("later", 5)

    def ask(there, question, **given):
        return replaying.ask(settings, there, replaying.question_named(question), given, ALLIANCE)

    assert june.position == 2
    assert ask(june, "endorsement", number=NUMBER, on="2026-06-10").value["standing"] == "active"
    assert ask(now, "endorsement", number=NUMBER, on="2026-06-10").value["standing"] == "suspended"
    assert [row["number"] for row in ask(june, "register", name="gomez").value["endorsements"]] == [NUMBER]
    assert ask(now, "register", name="gomez").value["endorsements"] == []
    assert [row["position"] for row in ask(june, "endorsement_history", number=NUMBER).value["events"]] == [2]
    assert [row["position"] for row in ask(now, "endorsement_history", number=NUMBER).value["events"]] == [2, 3]
    queue = ask(june, "queue", code="VA")
    assert (queue.value["today"], queue.value["applications"], queue.position) == (date(2026, 6, 2), [], 2)
    assert ask(june, "person_endorsements", person="p1").value["endorsements"][0]["number"] == NUMBER
    with pytest.raises(Forbidden):
        replaying.ask(settings, june, replaying.question_named("queue"), {"code": "VA"}, Actor("holder", person="p1"))
    with pytest.raises(Invalid, match="There is no question stand"):
        replaying.question_named("stand")
    with pytest.raises(Invalid, match=r"Give number=\.\.\., which endorsement is about"):
        ask(june, "endorsement")
    with pytest.raises(Invalid, match=r"endorsement does not take day; it takes .*number"):
        ask(june, "endorsement", number=NUMBER, day="2026-06-10")


def test_whoever_asks_a_replay_can_write_nothing(settings, vault, projector, history, replay):
    history(person(), awarded())
    there = replay("june", 2)
    store = replaying._Store(settings, vault, there)

    assert store.record([suspended()]).positions == []
    with pytest.raises(Unavailable) as refused:
        store._ask("UPDATE views.people SET name = 'x' RETURNING 1")
    assert isinstance(refused.value.__cause__, psycopg.errors.ReadOnlySqlTransaction)
    assert store.position() == 2
    assert store.holder(f"held/p1/{NUMBER}") == f"endorsement/{NUMBER}"
    store.close()


def test_a_moment_that_can_t_be_known_is_said_and_nothing_stays(projector, history, replay, clock):
    with pytest.raises(Unknowable, match="There are no events yet"):
        replay("june", 1)
    history(person(), awarded())
    for known, words in (
        (0, "Position 0 is not there: the history has positions 1 to 2"),
        (3, "Position 3 is not there"),
        (datetime(2001, 1, 1, tzinfo=UTC), "Nothing was known then: the first event was recorded on 2026-06-01 12:00"),
        (datetime(2999, 1, 1, tzinfo=UTC), "has not come yet"),
    ):
        with pytest.raises(Unknowable, match=words):
            replay("june", known)
    with pytest.raises(BadReplay, match="up to 40 small letters"):
        replay("june; drop", 2)
    assert replays.found(projector) == []
    assert projector.execute("SELECT FROM pg_namespace WHERE starts_with(nspname, 'replay_')").rowcount == 0


def test_of_an_erased_person_no_replay_keeps_the_name(engine, projector, history, replay, vault, clock):
    history(person(), person("p2", "Second"))
    engine.catch_up(projector)
    replay("june", 2)

    history(event(Person.Erased, "person/p1", 2, on=date(2026, 6, 1)))
    engine.catch_up(projector)
    replay("july", 2)  # made in the moment before the key is destroyed

    for schema in ("replay_june", "replay_july"):
        rows = projector.execute(f"SELECT person, name, folded FROM {schema}.people ORDER BY person").fetchall()
        assert rows == [("p1", None, None), ("p2", "Second", "second")]


def test_a_schema_that_is_gone_is_said(settings, projector, history, replay):
    history(person(), awarded())
    june = replay("june", 2)
    projector.execute("DROP SCHEMA replay_june CASCADE")

    with pytest.raises(BadReplay, match=r"There is no replay june \(any more\)\. There are: none"):
        replays.named(projector, "june")
    with pytest.raises(BadReplay, match="There is no replay june"):
        replaying.ask(settings, june, replaying.question_named("register"), {}, ALLIANCE)
    assert replay("june", 1).position == 1


def test_a_replay_that_was_not_finished_is_removed_by_the_next(projector, history, replay, engine):
    history(person())
    projector.execute("CREATE SCHEMA replay_broken")
    with pytest.raises(ZeroDivisionError):
        engine.replay(projector, "half", 1, more=lambda schema, at: 1 // 0)
    replay("whole", 1)

    schemas = projector.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'replay_')").fetchall()
    assert schemas == [("replay_whole",)]


def test_replay_and_ask_as_commands(settings, projector, history, monkeypatch, clock, engine):
    monkeypatch.setenv("REGISTRY_HOME", str(settings.home))
    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGISTRY_MASTER_KEY", b64encode(settings.master_key).decode())
    monkeypatch.delenv("REGISTRY_API_KEY", raising=False)
    app = typer.Typer()
    join(app)

    def run(*words):
        return CliRunner().invoke(app, list(words))

    history(person(), awarded(), suspended())
    engine.catch_up(projector)

    made = run("replay", "--known", "2", "--name", "june", "--json")
    again = run("replay", "--known", "2", "--name", "june")
    told = run("ask", "--replay", "june", "endorsement", f"number={NUMBER}", "on=2026-06-10", "--json")
    listed = run("replay", "--list", "--json")
    early = run("replay", "--known", "2001-01-01", "--name", "early")
    gone = run("ask", "--replay", "may", "register")
    dropped = run("replay", "--drop-older-than", "0", "--json")
    after = run("ask", "--replay", "june", "register")

    assert json.loads(made.stdout)["position"] == 2
    assert (again.exit_code, again.stdout) == (2, "")
    assert "There is a replay june already" in again.stderr
    answer = json.loads(told.stdout)
    assert (answer["position"], answer["answer"]["standing"], answer["replay"]) == (2, "active", "june")
    assert [one["name"] for one in json.loads(listed.stdout)["replays"]] == ["june"]
    assert (early.exit_code, early.stdout) == (2, "")
    assert "Nothing was known then" in early.stderr
    assert "There is no replay may (any more). There are: june." in gone.stderr
    assert json.loads(dropped.stdout) == {"dropped": ["june"]}
    assert (after.exit_code, after.stdout) == (2, "")
    assert "There is no replay june (any more). There are: none." in after.stderr
