"""What is lost between the service and its server, the same request more than once, and many at once."""

import multiprocessing
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import quote, urlsplit

import pytest
from faces import Client, serving
from judging import judge
from load import BEFORE, registered, through_the_store

from domain.errors import Conflict
from domain.event import Request
from domain.person import Person
from registry.api import create_app
from registry.opening import open_registry
from registry.settings import Settings
from registry.store import KeyReused, Store, Unavailable


@pytest.fixture
def distant(settings, proxy, registry, vault, clock):
    """The registry with a store whose connection goes through the proxy."""
    name = urlsplit(settings.database_url).path.strip("/")
    url = f"postgresql://postgres@/{name}?host={quote(proxy.folder, safe='')}"
    registry.store = Store(
        Settings(home=settings.home, database_url=url, master_key=settings.master_key), vault, clock=clock
    )
    yield registry
    registry.store.close()


@pytest.mark.parametrize("lost", ["the question", "the answer"])
def test_fault_r09_connection_cut_before_and_after_the_commit(
    settings, distant, proxy, answers, lost, chance, sized, figures
):
    cuts, send = sized(15, 200), through_the_store(distant, answers)
    send(str(uuid.UUID(int=chance.getrandbits(128), version=4)))  # prepares it: from here on it is one round trip
    for n in range(cuts):
        key = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        proxy.lose = lost
        send(key)
        assert proxy.lose is None
        first = dict(answers.counts)
        send(key)
        with pytest.raises(KeyReused):
            distant.store.save(registered(distant), request=Request(key=key, body="another"))
        # The truth at once where there was one; else nobody knows, and to ask again does it.
        assert first.get("unknown", 0) == (n + 1 if lost == "the question" else 0)
    tally = judge(settings, answers)

    assert (tally.ok, tally.failed, tally.unknown) == (cuts + 1, 0, 0)
    figures |= {"lost": lost, "cuts": cuts, "acknowledged": tally.ok, "wrong": 0}


def test_fault_r10_the_same_request_again(settings, registry, client, answers, clock, desk, chance, sized, figures):
    """Each key: eight at once, then one after the other, then with another body; at last all again after a restart."""
    keys = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(sized(10, 1000))]
    secret = desk.add("coordinator", association="VA")[1]
    body = {"name": "Ada Okafor", "residence": "VA"}
    first: dict[str, object] = {}
    unavailable: list[str] = []

    def post(http, key, body=body):
        while (answer := http.post("/people", body, key=key)).status_code == 503:  # which says: ask again
            unavailable.append(key)
            assert unavailable.count(key) < 80, answer.text
        return answer

    with serving(create_app(settings, clock=clock)) as where, ThreadPoolExecutor(8) as pool:
        http = Client(where, secret)
        for key in keys:
            together = list(pool.map(lambda _, key=key: post(http, key), range(8)))
            assert {answer.status_code for answer in together} == {201}, [answer.text for answer in together]
            (first[key],) = {answer.text for answer in together}
            done = sum("Idempotency-Replayed" not in answer.headers for answer in together)
            assert done == 1 or (done == 0 and key in unavailable), "a 503 may have been done"
            again, other = post(http, key), post(http, key, body | {"name": "Eve"})
            assert (again.status_code, again.text, again.headers["Idempotency-Replayed"]) == (201, first[key], "true")
            assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
            answers.note(key, "ok", 1, [event["position"] for event in again.json()["events"]])
        http.http.close()
    with serving(create_app(settings, clock=clock)) as where:
        http = Client(where, secret)
        assert [post(http, key).text for key in keys] == [first[key] for key in keys]
        http.http.close()
    tally = judge(settings, answers)

    assert tally == (len(keys), 0, 0, 0)
    figures |= {"keys": len(keys), "requests": 11 * len(keys), "done": tally.ok}


def write(settings, seed, saves, clock):
    """A process that saves many persons, and a stream for which all processes compete."""
    chance = random.Random(seed)
    registry = open_registry(settings, clock=clock)
    for _ in range(saves):  # some of them are in vain
        with suppress(Conflict, Unavailable):
            registry.store.save(*[registered(registry) for _ in range(chance.randrange(1, 40))])
            shared = registry.store.find(Person, "shared") or registered(registry, "shared")
            shared.rename(name="Another", credentials="", match="", formerly="", on=BEFORE, by="operator")
            registry.store.save(shared)
    registry.store.close()
    registry.store.vault.close()


def test_fault_r11_writers_and_a_reader_who_misses_nothing(
    settings, registry, clock, connect, answers, seed, sized, figures
):
    context, processes = multiprocessing.get_context("forkserver"), 4
    writers = [
        context.Process(target=write, args=(settings, f"{seed}/{n}", sized(10, 1250), clock)) for n in range(processes)
    ]
    reader = connect("reader")
    seen: list[int] = []
    for writer in writers:
        writer.start()
    while True:
        running = any(writer.is_alive() for writer in writers)
        rows = reader.execute(
            "SELECT notification_id FROM registry.events WHERE notification_id > %s ORDER BY notification_id LIMIT 50",
            [seen[-1] if seen else 0],
        ).fetchall()
        seen += [position for (position,) in rows]
        if not rows and not running:
            break
        time.sleep(0 if rows else 0.005)

    assert [writer.exitcode for writer in writers] == [0] * processes
    assert len(seen) > sized(200, 10_000)
    assert seen == list(range(1, len(seen) + 1))
    assert reader.execute("SELECT count(*) FROM registry.events").fetchone() == (len(seen),)
    judge(settings, answers)
    figures |= {"processes": processes, "events": len(seen), "missed": 0}
