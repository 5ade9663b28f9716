"""People at work: threads that send one command after the other and note what each was answered."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date

import httpx
import psycopg
from history import History

from domain.endorsement import Endorsement, Source, new_number
from domain.errors import Refused
from domain.event import Request
from domain.person import Person
from registry.commands import Registry
from registry.database import Unanswered, Unavailable

Send = Callable[[str], None]
"""Send one command under this key and note the answer."""

BEFORE = date(2020, 3, 2)


class Wrong(AssertionError):
    """An answer that no fault excuses."""


def registered(registry, name=""):
    person = Person(name or registry.new_id())
    person.register(residence="VA", name="Ada", credentials="", email="", match="", on=BEFORE, by="operator")
    return person


def over_http(client: httpx.Client, history: History) -> Send:
    """Register a person through the API: one event. A 503 leaves it open whether that was done, as the API says."""

    def send(key: str) -> None:
        try:
            answer = client.post(
                "/api/people", json={"name": "Ada Okafor", "residence": "VA"}, headers={"Idempotency-Key": key}
            )
        except httpx.HTTPError:
            history.note(key, "unknown", 1)
            return
        if answer.is_success:
            history.note(key, "ok", 1, [event["position"] for event in answer.json()["events"]])
        elif answer.status_code == 503 and answer.headers.get("Retry-After"):
            history.note(key, "unknown", 1)
        elif 400 <= answer.status_code < 500:
            history.note(key, "failed", 1)
        else:
            raise Wrong(f"{answer.status_code}: {answer.text}")

    return send


def through_the_store(registry: Registry, history: History) -> Send:
    """Somebody with an endorsement from before: three events in two streams, all or nothing."""

    def send(key: str) -> None:
        person, number = registry.new_id(), new_number("IFS", registry.draw)
        known, held = Person(person), Endorsement(number)
        known.register(
            residence="VA", name="Ada Reviewer", credentials="", email="", match="", on=BEFORE, by="operator"
        )
        known.record_reviewer_training("VA", on=BEFORE, by="operator")
        held.record(
            Endorsement.Imported, number=number, person=person, category="IFS", association="VA", awarded_on=BEFORE,
            through=date(2027, 12, 31), standing="active", on=registry.clock().date(), by="operator",
            source=Source(file="0" * 64, row=1, record=number),
        )  # fmt: skip
        try:
            recorded = registry.store.save(known, held, request=Request(key=key, body="the same"))
        except Unanswered:
            history.note(key, "unknown", 3)
        except (Unavailable, Refused, psycopg.InternalError):  # the last: the server says why it can't, such as EFBIG
            history.note(key, "failed", 3)
        else:
            history.note(key, "ok", 3, recorded.positions)

    return send


class Load:
    """Each `send` at work in a thread of its own. `seed` draws the keys."""

    def __init__(self, sends: Sequence[Send], history: History, seed: int) -> None:
        self.history = history
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(send, random.Random(f"{seed}/{number}")))
            for number, send in enumerate(sends)
        ]

    def _work(self, send: Send, chance: random.Random) -> None:
        try:
            while not self._stop.is_set():
                done = self.history.counts["ok"]
                send(str(uuid.UUID(int=chance.getrandbits(128), version=4)))
                if self.history.counts["ok"] == done:
                    time.sleep(0.05)  # nobody knocks a thousand times a second at a closed door
        except BaseException as error:  # noqa: BLE001 # raised where the load was asked for
            self._failed.append(error)

    def wait_for(self, acknowledged: int = 0, *, refused: int = 0, seconds: float) -> float:
        """Until so many more are acknowledged, or not; how long that took."""
        begun, answers = time.monotonic(), ("ok",) if acknowledged else ("failed", "unknown")
        until = sum(self.history.counts[answer] for answer in answers) + (acknowledged or refused)
        while sum(self.history.counts[answer] for answer in answers) < until:
            if self._failed:
                raise self._failed[0]
            assert time.monotonic() - begun < seconds, f"not {until} {answers} in {seconds} s: {self.history.counts}"
            time.sleep(0.01)
        return time.monotonic() - begun

    @contextmanager
    def at_work(self) -> Iterator["Load"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in self._threads), "a command hangs"
        if self._failed:
            raise self._failed[0]


def ask_again(history: History, sends: Sequence[Send]) -> None:
    """Send every command that was left open again, under its key, until nothing is open; each `send` its own kind."""
    import json

    last: dict[str, dict] = {}
    for line in history.file.read_text().splitlines():
        last[json.loads(line)["key"]] = json.loads(line)
    by_events = {1: sends[0], 3: sends[-1]}
    for key, line in last.items():
        if line["answer"] == "unknown":
            with suppress(KeyError):
                by_events[line["events"]](key)
