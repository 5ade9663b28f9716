"""Views: the same live as rebuilt, whole at every moment, and exactly once whatever is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from itertools import count

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lives import FIRST, event, histories

from domain.application import Application
from domain.endorsement import Endorsement
from domain.person import Person
from domain.transfer import Transfer
from projections import applications, certificates, filling, people, register, standing, tasks, transfers
from projections import history as cases
from projections.catalogue import VIEWS
from projections.engine import Busy, Engine, Outdated, Stopped, UnknownView
from registry import database as databases

NUMBER = "IFS-7K3MQ9TD"
TODAY = date(2026, 6, 1)


@pytest.fixture
def engine(store, vault):
    return Engine(store.mapper.load, vault.open_all)


@pytest.fixture
def projector(connect, engine):
    connection = connect("projector")
    engine.prepare(connection)
    return connection


@pytest.fixture
def ask(connect):
    reader = connect("reader")

    def ask(query):
        cursor = reader.execute(*query)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    return ask


def person(name="p1", printed="Ána O’Neill-Gómez", **more):
    return event(Person.Registered, f"person/{name}", 1, on=FIRST, residence="VA", name=printed, **more)


def awarded(number=NUMBER, holder="p1", application="a1", category="IFS", association="VA"):
    return event(
        Endorsement.Awarded, f"endorsement/{number}", 1, number=number, person=holder, category=category,
        association=association, application=application, edition="FS-2023", on=date(2026, 1, 10),
        through=date(2027, 12, 31),
    )  # fmt: skip


# -- live and rebuilt -------------------------------------------------------------------------------

tags = count(1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_live_views_are_those_that_a_rebuild_makes(engine, projector, history, data):
    events = data.draw(histories(tag=next(tags)))
    cut = data.draw(st.integers(0, len(events)))
    history(*events[:cut])
    limit = data.draw(st.integers(1, 20))
    while engine.advance(projector, limit) < last_position(projector):
        pass
    history(*events[cut:])

    compared = engine.compare(projector)

    assert compared.differences == []
    assert compared.position == compared.events == last_position(projector)


def last_position(connection):
    (last,) = connection.execute("SELECT coalesce(max(notification_id), 0) FROM registry.events").fetchone()
    return last


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_rebuild_that_may_hold_few_rows_makes_the_same(store, vault, engine, projector, history, data):
    history(*data.draw(histories(tag=next(tags))))

    Engine(store.mapper.load, vault.open_all, hold=3).rebuild(projector)

    assert engine.compare(projector).differences == []


@settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_two_processes_build_what_one_does(store, vault, engine, projector, history, data):
    history(*data.draw(histories(tag=next(tags))))
    two = Engine(store.mapper.load, vault.open_all, shared=True)

    two.rebuild(projector)

    assert engine.compare(projector).differences == []
    assert two.compare(projector).differences == []


class Killed(Exception):
    pass


@pytest.mark.parametrize("hold", [1000, 3])
def test_a_killed_rebuild_goes_on_where_it_was_kept(store, vault, engine, projector, history, monkeypatch, hold):
    monkeypatch.setattr(filling, "_PAGE", 10)
    monkeypatch.setattr(filling, "_BATCH", 10)
    history(*[one for n in range(40) for one in (person(f"p{n}", f"Person {n}"), awarded(f"IFS-{n:08d}", f"p{n}"))])
    keeping = Engine(store.mapper.load, vault.open_all, keep_seconds=0, hold=hold)

    def killed(step):
        if step.done == 50 or step.what == "tables":
            raise Killed

    seen = []
    with pytest.raises(Killed):
        keeping.rebuild(projector, killed)
    history(person("p40", "Person 40"))
    with pytest.raises(Killed):
        keeping.rebuild(projector, lambda step: killed(step._replace(done=0)))
    assert projector.execute("SELECT position, goal FROM views_next.parts").fetchone() == (80, 80)
    keeping.rebuild(projector, seen.append)

    assert [step.done for step in seen if step.what == "events"] == [80, 81], "only what was recorded meanwhile"
    assert projector.execute("SELECT count(*) FROM views.people").fetchone() == (41,)
    assert engine.compare(projector).differences == []


def test_what_was_left_of_another_version_is_not_gone_on_with(store, vault, engine, projector, history):
    history(person(), awarded())
    for what in ("events", "swap"):

        def killed(step, what=what):
            if step.what == what:
                raise Killed

        with pytest.raises(Killed):
            engine.rebuild(projector, killed)
        projector.execute("UPDATE views_next.position SET shape = 'other'")

    assert engine.rebuild(projector).position == 2
    assert engine.compare(projector).differences == []


@pytest.mark.parametrize("name", ["standing", "tasks", "history"])
def test_one_view_alone_is_rebuilt_and_compared(engine, projector, history, connect, name):
    history(person(), awarded())
    engine.catch_up(projector)
    table = next(view for view in VIEWS if view.name == name).tables[0].table
    connect().execute(f"DELETE FROM views.{table}")
    connect().execute("UPDATE views.people SET residence = 'CT'")
    history(person("p2", "Second"))

    wrong = engine.compare(projector, view=name).differences
    engine.rebuild(projector, view=name)

    assert {one.table for one in wrong} <= {table}
    assert engine.compare(projector, view=name).differences == []
    assert [one.table for one in engine.compare(projector).differences] == ["people"]
    history(person("p3", "Third"))
    assert engine.catch_up(projector) == 4


def test_a_view_that_is_none_is_named_with_those_there_are(engine, projector):
    with pytest.raises(UnknownView, match=r"There is no view stands\. There are: associations, people, standing"):
        engine.rebuild(projector, view="stands")


def test_a_changed_row_is_named_with_its_column_and_events(engine, projector, history, connect):
    history(person(), awarded())
    engine.catch_up(projector)
    connect().execute("UPDATE views.standing SET custodian = 'CT' WHERE standing = 'active'")

    (found,) = engine.compare(projector).differences

    assert (found.table, found.kind, found.columns) == ("standing", "different", ["custodian"])
    assert found.key["number"] == NUMBER
    assert found.events == [(2, f"endorsement/{NUMBER}", "endorsement.awarded")]


def test_a_missing_and_a_superfluous_row_are_found(engine, projector, history, connect):
    history(person(), person("p2", "Second"))
    engine.catch_up(projector)
    connect().execute("UPDATE views.people SET person = 'p3' WHERE person = 'p2'")

    found = engine.compare(projector).differences

    assert [(one.key, one.kind) for one in found] == [({"person": "p2"}, "missing"), ({"person": "p3"}, "superfluous")]
    assert [one.events for one in found] == [[(2, "person/p2", "person.registered")], []]


def test_a_comparison_leaves_nothing_behind(engine, projector, history, connect):
    history(person())
    engine.compare(projector)

    assert connect().execute("SELECT to_regnamespace('views_next')").fetchone() == (None,)


# -- while others work ------------------------------------------------------------------------------


def test_readers_see_whole_views_while_they_are_rebuilt_and_appends_go_on(  # noqa: C901 # four who work at once
    engine, projector, store, vault, settings
):
    def round_(n):
        return [person(f"p{n}", f"Person {n}"), awarded(f"IFS-{n:08d}", f"p{n}")]

    for n in range(50):
        store.record(round_(n))
    engine.catch_up(projector)
    end, failed, seen = threading.Event(), [], []

    def read():
        with psycopg.connect(databases.url(settings, "reader"), autocommit=True, prepare_threshold=0) as reader:
            last = 0
            while not end.is_set():
                try:
                    position, listed, known = reader.execute(
                        "SELECT position, (SELECT count(*) FROM views.standing WHERE standing = 'active'),"
                        " (SELECT count(*) FROM views.people) FROM views.position"
                    ).fetchone()
                    seen.append((position, listed, known, position >= last))
                    last = position
                    reader.execute(*register.search(on=TODAY, name="person", limit=5)).fetchall()
                except Exception as error:  # noqa: BLE001 # whatever a reader meets
                    failed.append(repr(error))

    def write():
        for n in range(50, 200):
            store.record(round_(n))

    def follow():
        with psycopg.connect(databases.url(settings, "projector"), autocommit=True) as connection:
            live = Engine(store.mapper.load, vault.open_all)
            while not end.is_set():
                live.advance(connection, 7)

    threads = [threading.Thread(target=work) for work in (read, read, write, follow)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        engine.rebuild(projector)
    threads[2].join()
    end.set()
    for thread in threads:
        thread.join()

    assert failed == []
    assert all(known == (position + 1) // 2 and listed == position // 2 for position, listed, known, _ in seen)
    assert all(onward for *_, onward in seen), "no reader goes back in time"
    assert engine.compare(projector).differences == []


def test_two_that_advance_at_once_do_it_once(engine, projector, store, vault, settings, history):
    history(*[person(f"p{n}", f"Person {n}") for n in range(200)])

    def follow():
        with psycopg.connect(databases.url(settings, "projector"), autocommit=True) as connection:
            Engine(store.mapper.load, vault.open_all).catch_up(connection)

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert engine.position(projector) == 200
    assert engine.compare(projector).differences == []


def test_a_second_rebuild_is_refused(engine, projector, connect):
    other = connect("projector")
    with engine._alone(other), pytest.raises(Busy):
        engine.rebuild(projector)


FOLLOW = """
import sys
import psycopg
from projections.engine import Engine
from registry.store import EventMapper

engine = Engine(EventMapper().load, lambda events: list(events))
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    print("ready", flush=True)
    while True:
        engine.rebuild(connection) if sys.argv[2] == "rebuild" else engine.advance(connection, 40)
"""


@pytest.mark.parametrize("doing", ["advance", "rebuild"])
def test_killed_anywhere_every_event_counts_once(engine, projector, store, settings, doing):
    where = databases.url(settings, "projector")
    kills = 12
    for n in range(kills):
        numbers = [f"IFS-{n:04d}{i:04d}" for i in range(60)]
        store.record([awarded(number) for number in numbers])
        with subprocess.Popen([sys.executable, "-c", FOLLOW, where, doing], stdout=subprocess.PIPE) as worker:
            worker.stdout.readline()
            time.sleep(0.004 * (n + 1))
            os.kill(worker.pid, signal.SIGKILL)
    engine.catch_up(projector)

    compared = engine.compare(projector)

    assert compared.differences == []
    assert compared.position == 60 * kills
    assert projector.execute("SELECT count(*) FROM views.endorsements").fetchone() == (60 * kills,)


# -- what can't be read -----------------------------------------------------------------------------


def test_an_event_that_can_t_be_read_stops_the_views_before_it_and_is_named(engine, projector, history, connect):
    history(person(), person("p2", "Second"))
    connect().execute(
        "INSERT INTO registry.events VALUES ('person/p1', 2, 'person.renamed', '{\"name\": 7}', 3),"
        " ('person/p1', 3, 'person.vanished', '{}', 4)"
    )

    with pytest.raises(Stopped, match=r"position 3 \(person/p1, version 2, person.renamed\): ValidationError"):
        engine.catch_up(projector)

    assert engine.position(projector) == 2


def test_an_unknown_topic_stops_too(engine, projector, connect):
    connect().execute("INSERT INTO registry.events VALUES ('person/p1', 1, 'person.vanished', '{}', 1)")

    with pytest.raises(Stopped, match=r"person.vanished\): no such topic"):
        engine.advance(projector)


def test_tables_of_another_version_are_rebuilt(engine, projector, history, connect):
    history(person())
    connect().execute("UPDATE views.position SET shape = 'other'")

    with pytest.raises(Outdated):
        engine.advance(projector)
    assert engine.prepare(projector) == 1


def test_no_column_of_ours_has_the_library_s_name(projector, connect):
    found = connect().execute("SELECT FROM information_schema.columns WHERE table_schema = 'views'"
                              " AND column_name = 'notification_id'").fetchall()  # fmt: skip
    assert found == []


# -- personal data ----------------------------------------------------------------------------------


def test_of_an_erased_person_every_view_is_rebuilt_without_a_name(engine, projector, history, vault, clock, ask):
    history(person(credentials="LMSW", email="a@example.org", match="m1"), awarded())
    engine.catch_up(projector)
    (row,) = ask(people.names(["p1"]))
    assert (row["name"], row["credentials"]) == ("Ána O’Neill-Gómez", "LMSW")

    history(event(Person.Erased, "person/p1", 2, on=TODAY))
    vault.erase("p1")
    clock.move(minutes=1)

    assert engine.compare(projector).differences == []
    engine.rebuild(projector)
    (row,) = ask(people.names(["p1"]))
    assert (row["name"], row["credentials"], row["erased"]) == (None, None, True)
    assert ask(register.search(on=TODAY)) == []
    assert ask(standing.of(NUMBER, on=TODAY))[0]["standing"] == "active"


def test_no_view_but_people_holds_a_name(engine, projector, history, connect):
    history(person(email="a@example.org", match="m1"), awarded())
    engine.catch_up(projector)
    tables = connect().execute("SELECT relname FROM pg_class WHERE relnamespace = 'views'::regnamespace"
                               " AND relkind = 'r' AND relname <> 'people'").fetchall()  # fmt: skip

    for (table,) in tables:
        assert connect().execute(f"SELECT FROM views.{table} AS t WHERE t::text ILIKE '%neill%'").fetchall() == []
    assert connect().execute("SELECT FROM views.people AS t WHERE t::text ILIKE '%example%'").fetchall() == []


# -- questions --------------------------------------------------------------------------------------


def test_standing_is_asked_by_day_and_by_what_was_known(engine, projector, history, ask, clock):
    clock.set(datetime(2026, 6, 30, 12, tzinfo=UTC))
    history(awarded())
    clock.set(datetime(2026, 7, 5, 12, tzinfo=UTC))
    history(event(Endorsement.Suspended, f"endorsement/{NUMBER}", 2, on=date(2026, 5, 20),
                  reason="fraud_being_established", late="correction"))  # fmt: skip
    engine.catch_up(projector)

    (then,) = ask(standing.position_at(datetime(2026, 7, 1, tzinfo=UTC)))
    (believed,) = ask(standing.of(NUMBER, on=date(2026, 6, 1), known=then["position"]))
    (now,) = ask(standing.of(NUMBER, on=date(2026, 6, 1)))

    assert (then["position"], believed["standing"], now["standing"]) == (1, "active", "suspended")
    assert [row["standing"] for row in ask(standing.beliefs_about(NUMBER, on=date(2026, 6, 1)))] == [
        "active", "suspended",
    ]  # fmt: skip
    assert [row["standing"] for row in ask(standing.spans_of(NUMBER))] == ["active", "suspended"]
    assert ask(standing.of_person("p1", on=TODAY))[0]["number"] == NUMBER
    assert [r["number"] for r in ask(standing.held_at("VA", on=TODAY, standing="suspended"))] == [NUMBER]


def test_the_position_of_a_time_is_that_of_the_last_event_written_by_then(engine, history, ask, clock):
    begun = clock()
    for n in range(9):
        history(person(f"p{n}", "Somebody"))
        clock.move(hours=1)

    assert ask(standing.position_at(begun - timedelta(seconds=1))) == [{"position": 0}]
    for n in range(9):
        assert ask(standing.position_at(begun + timedelta(hours=n, minutes=30))) == [{"position": n + 1}]


def test_the_register_is_searched_without_accents_by_any_word_and_page_by_page(engine, projector, history, ask):
    history(
        person("p1", "Ána O’Neill-Gómez"), person("p2", "Anabel Gomez"), person("p3", "Hidden Gomez"),
        event(Person.PublicationChosen, "person/p3", 2, on=TODAY, listed=False),
        awarded("IFS-1", "p1"), awarded("IMHS-2", "p2", category="IMHS", association="CT"), awarded("IFS-3", "p3"),
    )  # fmt: skip
    engine.catch_up(projector)

    def numbers(**asked):
        return [row["number"] for row in ask(register.search(on=TODAY, **asked))]

    assert numbers(name="gomez ANA") == ["IFS-1", "IMHS-2"]
    assert numbers(name="oneill") == numbers(name="O'Neill") == ["IFS-1"]
    assert numbers(name="eill") == []
    assert numbers(association="CT") == numbers(category="IMHS") == numbers(number="IMHS-2") == ["IMHS-2"]
    assert numbers(number="IFS-3") == [], "the person does not want to be listed"
    first = ask(register.search(on=TODAY, limit=1))
    assert [row["number"] for row in first] == ["IFS-1"]
    assert numbers(after=(first[0]["folded"], first[0]["number"])) == ["IMHS-2"]
    assert numbers(name="'); --") == numbers()
    assert ask(register.search(on=date(2028, 1, 1))) == [], "past their last good day"
    assert [row["person"] for row in ask(people.find("gomez"))] == ["p1", "p2", "p3"]


def test_an_application_s_queue_tasks_and_history(engine, projector, history, ask):
    def on_application(version, kind, **facts):
        return event(kind, "application/a1", version, on=TODAY, **facts)

    from domain.policy import Tally

    history(
        person(),
        on_application(1, Application.Started, person="p1", association="VA", category="IFS"),
        on_application(2, Application.Submitted, edition="FS-2023", entries=("E1",), tally=Tally(), person_version=1),
        on_application(3, Application.ReviewerAssigned, reviewer="IMHS-1", person="r1", held="IMHS"),
    )
    engine.catch_up(projector)
    (row,) = ask(applications.queue("VA"))
    assert (row["state"], row["reviewers"]) == (
        "in_review", [{"person": "r1", "outcome": None, "reviewer": "IMHS-1"}],
    )  # fmt: skip
    assert [task["subject"] for task in ask(tasks.reviews_of("r1"))] == ["a1"]

    history(
        on_application(4, Application.ReviewRecommended, reviewer="IMHS-1", outcome="approve", held="IMHS"),
        on_application(5, Application.Approved, edition="FS-2023", number=NUMBER, person="p1"),
        awarded(),
    )
    engine.catch_up(projector)
    assert ask(applications.queue("VA")) == ask(tasks.waiting("VA")) == []
    for case, positions in {NUMBER: [2, 3, 4, 5, 6, 7], "p1": [1, 2, 3, 4, 5, 6, 7], "a1": [2, 3, 4, 5, 6]}.items():
        assert [row["position"] for row in ask(events_of(case))] == positions
    assert ask(events_of(NUMBER, known=5)) == []


def events_of(case, **more):
    return cases.positions(case, **more)


def test_a_transfer_and_the_certificate_it_replaces(engine, projector, history, ask):
    def certificate(version, cti, replaces=""):
        return event(
            Endorsement.CertificateIssued, f"endorsement/{NUMBER}", version, on=TODAY, cti=cti, number=NUMBER,
            category="IFS", association="VA", valid_from="2026-01-01T00:00:00Z", through=TODAY, person_version=1,
            expires_at="2028-01-01T00:00:00Z", person="person/p1", why="awarded", replaces=replaces,
        )  # fmt: skip

    history(
        awarded(), certificate(2, "aa" * 16),
        event(Transfer.Requested, "transfer/t1", 1, on=TODAY, person="p1", from_="VA", to="CT", endorsements=(NUMBER,)),
        event(Transfer.StandingConfirmed, "transfer/t1", 2, on=TODAY, standings={NUMBER: "active"}),
        certificate(3, "bb" * 16, "aa" * 16),
    )  # fmt: skip
    engine.catch_up(projector)

    assert [row["transfer"] for row in ask(transfers.inbox("CT"))] == ["t1"]
    assert ask(transfers.of_number(NUMBER))[0]["standings"] == {NUMBER: "active"}
    assert [(row["position"], row["superseded_by"]) for row in ask(certificates.of_number(NUMBER))] == [
        (5, None), (2, "bb" * 16),
    ]  # fmt: skip
    assert [row["position"] for row in ask(events_of(NUMBER))] == [1, 2, 3, 4, 5]
