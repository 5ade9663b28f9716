"""What happens when many write at once, and when the connection or the server goes away."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

import msgspec
import psycopg
import pytest
from facts import Case
from grounds import HANGS, wait_for

from domain.errors import Conflict, Taken
from domain.event import Request
from registry.settings import Settings
from registry.store import KeyReused, Store, Unavailable


def request():
    return Request(key=str(uuid.uuid4()), body="hmac")


# --- many at once


@pytest.fixture
def meeting(store, connect):
    """Commands that all wait at one moment: what each was answered, in order, and how many commits they took."""

    def meet(*saves):
        holder = connect("writer")
        holder.execute("SELECT pg_advisory_lock(71630001)")
        with ThreadPoolExecutor(len(saves) + 1) as pool:
            answers = [pool.submit(store.save, Case("first").open("first"))]
            wait_for(lambda: waiting_for_the_lock(connect) == 1, "one waits for the lock")
            for number, save in enumerate(saves, start=1):
                answers.append(pool.submit(save))
                wait_for(lambda number=number: len(store.recorder._together._waiting) == number, "all wait")
            assert waiting_for_the_lock(connect) == 1
            holder.execute("SELECT pg_advisory_unlock(71630001)")
        return [answer.exception() or answer.result() for answer in answers[1:]]

    return meet


def waiting_for_the_lock(connect):
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
    ((number,),) = connect().execute(asked)
    return number


def test_commands_that_meet_share_a_commit_and_each_is_answered_for_itself(store, meeting, connect):
    store.save(Case("old").open("ann"), request=(asked := request()))
    stale, hole = store.get(Case, "old"), Case("hole").open("eve")
    store.save(store.get(Case, "old").count())
    hole.collect_events()

    answers = meeting(
        lambda: store.save(Case("1").open("bea").count()),
        lambda: store.save(stale.count()),  # another was faster
        lambda: store.save(Case("2").open("ann")),  # the open case of ann is claimed
        lambda: store.save(Case("3").open("ben"), request=asked),  # repeated
        lambda: store.save(Case("4").open("ben"), request=Request(key=asked.key, body="another")),
        lambda: store.save(hole.count()),
        lambda: store.save(Case("1b").open("bea")),  # claimed a moment ago, in this commit
        lambda: store.save(Case("5").open("cat").count().count()),
    )

    assert [getattr(answer, "positions", type(answer)) for answer in answers] == [
        [4, 5], Conflict, Taken, [1], KeyReused, Conflict, Taken, [6, 7, 8],
    ]  # fmt: skip
    assert [answers[0].repeated, answers[3].repeated] == [False, True]
    assert store.position() == 8
    assert store.holder("open_case/bea") == "case/1"
    assert connect().execute("SELECT count(*) FROM registry.claims WHERE name LIKE 'request/%'").fetchone() == (1,)


def test_commands_that_meet_and_clash_with_nobody_are_written_at_once(store, meeting):
    store.save(Case("old").open("ann"))
    old, asked = store.get(Case, "old"), [request(), request()]

    answers = meeting(
        lambda: store.save(Case("1").open("bea").count(), request=asked[0]),
        lambda: store.save(old.count().count()),
        lambda: store.save(Case("2").open("ben"), Case("3").open("cat"), request=asked[1]),
    )

    assert [answer.positions for answer in answers] == [[3, 4], [5, 6], [7, 8]]
    for position, event in zip((3, 4, 5, 6, 7, 8), (e for answer in answers for e in answer.events), strict=True):
        assert store.at(position) == (position, event)
    assert [store.holder(f"open_case/{who}") for who in ("bea", "ben", "cat")] == ["case/1", "case/2", "case/3"]
    again = [store.save(Case("x").open("x"), request=one) for one in asked]
    assert again == [answers[n]._replace(repeated=True) for n in (0, 2)]


def test_what_the_database_can_not_take_spoils_nobody_elses(store, meeting):
    bad, good = Case("bad").open("a\x00b"), [Case(str(n)).open(str(n)) for n in range(3)]
    bad.name = "never"

    answers = meeting(
        lambda: store.save(good[0]),
        lambda: store.record([msgspec.structs.replace(e, originator_id="case/\x00") for e in bad.collect_events()]),
        *(lambda case=case: store.save(case) for case in good[1:]),
    )

    assert isinstance(answers[1], psycopg.DataError)
    assert [answers[n].positions for n in (0, 2, 3)] == [[2], [3], [4]]


def test_a_command_that_waited_too_long_was_not_begun(store, connect, monkeypatch):
    monkeypatch.setattr("registry.together.CONNECT_SECONDS", 0.2)
    holder = connect("writer")
    holder.execute("SELECT pg_advisory_lock(71630001)")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.save, Case("1").open("ann"))
        wait_for(lambda: waiting_for_the_lock(connect) == 1, "one waits for the lock")
        second = pool.submit(store.save, Case("2").open("bea"))
        assert type(second.exception()) is Unavailable
        holder.execute("SELECT pg_advisory_unlock(71630001)")
    assert first.result().positions == [1]
    assert store.save(Case("3").open("eve")).positions == [2]


# --- the connection


@pytest.fixture
def distant(settings, proxy, vault, clock):
    """A store whose connection goes through the proxy."""
    name = urlsplit(settings.database_url).path.strip("/")
    through = Settings(
        home=settings.home,
        database_url=f"postgresql://postgres@/{name}?host={quote(proxy.folder, safe='')}",
        master_key=settings.master_key,
    )
    store = Store(through, vault, clock=clock)
    # The statement is prepared now: from here on an append is one round trip.
    store.save(Case("warm").open("warm"), request=request())
    yield store
    store.close()


def test_commands_that_shared_a_lost_answer_find_the_truth_each_for_itself(distant, store, proxy):
    for n in range(5):
        asked = [request() for _ in range(6)]
        proxy.lose = "the answer"
        with ThreadPoolExecutor(6) as pool:
            saves = [pool.submit(distant.save, Case(f"{n}-{i}").open(f"{n}-{i}"), request=asked[i]) for i in range(6)]
        for i, save in enumerate(saves):
            stored = [position for position, _ in store.events(f"case/{n}-{i}")]
            if isinstance(save.exception(), Unavailable):  # the question never came there
                assert stored == []
                stored = distant.save(Case(f"{n}-{i}").open(f"{n}-{i}"), request=asked[i]).positions
            else:
                assert save.result().positions == stored
            assert distant.save(Case("other").open("other"), request=asked[i]).positions == stored
    assert store.position() == 31


def test_without_a_key_the_lost_answer_is_said_to_be_unknown(distant, store, proxy):
    proxy.lose = "the answer"

    with pytest.raises(Unavailable):
        distant.save(Case("1").open("ann"))

    assert store.position() == 2


def test_a_silent_connection_is_given_up_in_time_and_the_answer_found(distant, store, proxy):
    proxy.lose = "the answer, silently"
    began = time.monotonic()

    answer = distant.save(Case("1").open("ann"), request=request())

    assert time.monotonic() - began < HANGS
    assert answer.positions == [2]
    assert not answer.repeated


def test_a_server_that_accepts_and_says_nothing_is_unavailable_soon(distant, proxy):
    asked = request()
    proxy.lose = "new connections"
    distant.close()
    began = time.monotonic()

    for ask in (lambda: distant.save(Case("1").open("ann"), request=asked), distant.position):
        with pytest.raises(Unavailable):
            ask()
    assert time.monotonic() - began < HANGS

    proxy.lose = None
    assert distant.save(Case("1").open("ann"), request=asked).positions == [2]


# --- the server


def test_while_an_append_waits_too_long_the_others_are_told_in_time(store, connect):
    holder = connect("writer")
    holder.execute("SELECT pg_advisory_lock(71630001)")
    asked = request()
    began = time.monotonic()

    with pytest.raises(Unavailable):
        store.save(Case("1").open("ann"), request=asked)

    assert time.monotonic() - began < HANGS
    holder.execute("SELECT pg_advisory_unlock(71630001)")
    assert store.save(Case("1").open("ann"), request=asked).positions == [1]


def test_every_place_in_the_pool_is_given_back(store):
    for _ in range(30):
        with pytest.raises(psycopg.errors.UndefinedTable), store._pool.connection() as connection:
            connection.execute("SELECT * FROM nowhere")

    assert store.position() == 0
