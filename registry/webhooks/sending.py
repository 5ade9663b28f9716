"""Sends what each employer is still to be told, in order, until its address takes it; how far it got is all it keeps.

What is to be told is read from the log by `Registry.feed`, from the position that the address took last: whoever is
killed in between says the last message again, under the same id. A thread beside the worker's others.
"""

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import Connection

from domain.alert import TOPICS
from domain.employer import DISABLED_AFTER_DAYS, Employer
from registry import database
from registry.commands import Clock, Registry
from registry.opening import open_registry
from registry.settings import Settings
from registry.webhooks.message import Message, of_alert, of_trial
from registry.webhooks.receiver import Answered, Receiver

_LOG: Final = logging.getLogger("registry.worker")
_POLL: Final = 1.0
_AT_ONCE: Final = 100
_LINES: Final = 8
# So far behind may the kept position of somebody be who had nothing to be told.
_BEHIND: Final = 1000
_PATIENCE: Final = timedelta(days=DISABLED_AFTER_DAYS)
DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200)
)
"""From one attempt to the next; the last goes on until three days are over (*ours*, near Standard Webhooks')."""


class Delivery(NamedTuple):
    """How far an employer's address has got. `handled`: the version of the newest wish that `cursor` heeds."""

    cursor: int
    handled: int
    attempts: int = 0
    failing_since: datetime | None = None
    next_at: datetime | None = None
    answer: str = ""
    delivered_at: datetime | None = None


def delivery_of(registry: Registry, employer: Employer) -> Delivery:
    """Where to go on: as kept, unless its stream has a newer wish."""
    kept = registry.store.delivery(employer.name)
    state = Delivery(*kept) if kept else Delivery(0, 0)
    again, after = employer.replay
    newest = max(employer.webhook, again, employer.tested)
    if state.handled >= newest:
        return state
    if employer.webhook_since > state.handled:
        state = state._replace(cursor=_position(registry, employer, employer.webhook_since))
    if again > max(state.handled, employer.webhook_since):
        state = state._replace(cursor=after)
    if employer.webhook > state.handled:
        state = state._replace(attempts=0, failing_since=None)
    return state._replace(handled=newest, next_at=None)


def _position(registry: Registry, employer: Employer, version: int) -> int:
    events = registry.store.events(employer.stream)
    return next(position for position, event in events if event.originator_version == version)


class Waiting(NamedTuple):
    """What is to be said, in order; all up to `cursor` is said with it. `more`: there may be more after that."""

    messages: list[Message]
    cursor: int
    more: bool


def waiting(registry: Registry, employer: Employer, after: int, limit: int = _AT_ONCE) -> Waiting:
    """What is to be said after a position; a trial has its place among the alerts."""
    page = registry.feed(employer.name, after, limit)
    names: dict[str, str] = {}

    def name_of(code: str) -> str:
        if code not in names:
            names[code] = registry.association(code).row.name
        return names[code]

    said = [of_alert(alert, name_of) for alert in page.alerts]
    asked = max(employer.webhook_since, employer.replay[0])
    for position, event in registry.store.events(employer.stream) if employer.tested > asked else ():
        is_trial = isinstance(event, Employer.WebhookTested) and event.originator_version > asked
        if is_trial and after < position <= page.cursor:
            said.append(of_trial(position, event.recorded_at))
    return Waiting(sorted(said, key=lambda message: message.position), page.cursor, page.more)


def send(registry: Registry, name: str, end: threading.Event, *, local: bool = False) -> datetime | None:
    """Say everything that waits; when to try again, None if all was taken or nothing is to be sent."""
    employer = registry.employer(name)
    url = registry.webhook_url(employer) if employer.sends else None
    if url is None:
        return None
    state = delivery_of(registry, employer)
    if state.next_at and state.next_at > registry.clock():
        return state.next_at
    secret = registry.webhook_secret(employer)
    with Receiver(url, local=local) as receiver:
        more = True
        while more:
            page = waiting(registry, employer, state.cursor)
            for message in page.messages:
                if end.is_set():
                    return None
                answer = receiver.post(message.body, message.headers(secret, registry.clock()))
                if not answer.taken:
                    return _failed(registry, employer, state, answer)
                state = Delivery(message.position, state.handled, answer=answer.word, delivered_at=registry.clock())
                _keep(registry, name, state)
            more = page.more
            if page.cursor - state.cursor > _BEHIND:
                state = state._replace(cursor=page.cursor)
                _keep(registry, name, state)
            elif more:
                state = state._replace(cursor=page.cursor)
    return None


def _failed(registry: Registry, employer: Employer, state: Delivery, answer: Answered) -> datetime | None:
    now = registry.clock()
    since = state.failing_since or now
    _say("not_delivered", employer=employer.name, answer=answer.word, attempts=state.attempts + 1)
    if answer.gone or now - since >= _PATIENCE:
        registry.disable_webhook(employer.name, "gone" if answer.gone else "unanswered", employer.webhook)
        _keep(registry, employer.name, Delivery(state.cursor, state.handled, answer=answer.word))
        _say("webhook_disabled", employer=employer.name)
        return None
    delay = DELAYS[min(state.attempts, len(DELAYS) - 1)]
    following = min(now + delay, since + _PATIENCE)
    _keep(registry, employer.name, state._replace(
        attempts=state.attempts + 1, failing_since=since, next_at=following, answer=answer.word
    ))  # fmt: skip
    return following


def _keep(registry: Registry, name: str, state: Delivery) -> None:
    registry.store.note_delivery(name, *state)


# --- beside the worker


@contextmanager
def sending(settings: Settings, clock: Clock) -> Iterator[None]:
    """At work in a thread, with a few more for those who answer slowly."""
    end = threading.Event()
    thread = threading.Thread(target=_go_on, args=(settings, clock, end), name="webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(timeout=30)


def _go_on(settings: Settings, clock: Clock, end: threading.Event) -> None:
    registry = open_registry(settings, clock=clock)
    try:
        while not end.is_set():
            try:
                with (
                    psycopg.connect(
                        database.url(settings, "reader"), autocommit=True, connect_timeout=database.CONNECT_SECONDS
                    ) as connection,
                    ThreadPoolExecutor(_LINES, thread_name_prefix="webhook") as lines,
                ):
                    Watch(registry, connection, lines, end, local=settings.webhooks_local).run()
            except Exception as error:  # noqa: BLE001 # what can't be sent now stops nothing else
                # The kind only: the words may quote an address.
                _say("webhooks_wait", why=type(error).__name__)
                end.wait(_POLL)
    finally:
        registry.store.close()
        registry.store.vault.close()


class Watch:
    """Knows who follows what, and so whom a new event concerns."""

    def __init__(
        self,
        registry: Registry,
        connection: Connection[Any],
        lines: ThreadPoolExecutor,
        end: threading.Event,
        *,
        local: bool,
    ) -> None:
        self._registry = registry
        self._connection = connection
        self._lines = lines
        self._end = end
        self._local = local
        self._seen = 0
        self._followed: dict[str, set[str]] = {}
        self._follows: dict[str, set[str]] = {}
        self._due: set[str] = set()
        self._again: dict[str, datetime] = {}
        self._busy: dict[str, Future[datetime | None]] = {}

    def run(self) -> None:
        self._connection.execute(f"LISTEN {database.CHANNEL}")
        self._seen = self._registry.store.position()
        for employer, _, _ in self._registry.employers():
            self._know(employer)
        while not self._end.is_set():
            self._look()
            self._collect()
            self._start()
            for _ in self._connection.notifies(timeout=0.05 if self._busy else _POLL, stop_after=1):
                pass

    def _look(self) -> None:
        """Whom the events since the last look concern."""
        last = self._registry.store.position()
        if last == self._seen:
            return
        rows = self._connection.execute(
            "SELECT DISTINCT originator_id FROM registry.events WHERE notification_id > %s AND notification_id <= %s"
            " AND (topic = ANY(%s) OR originator_id LIKE 'employer/%%')",
            [self._seen, last, list(TOPICS)],
        ).fetchall()
        for (stream,) in rows:
            kind, _, name = stream.partition("/")
            if kind == Employer.kind:
                self._know(self._registry.employer(name))
            else:
                self._due |= self._followed.get(name, set())
        self._seen = last

    def _know(self, employer: Employer) -> None:
        before, after = self._follows.get(employer.name, set()), set(employer.follows) if employer.sends else set()
        for number in before - after:
            self._followed[number].discard(employer.name)
        for number in after - before:
            self._followed.setdefault(number, set()).add(employer.name)
        self._follows[employer.name] = after
        if employer.sends:
            # A new address, or a wish to try, does not wait for the next attempt at the old one.
            self._due.add(employer.name)
        else:
            self._again.pop(employer.name, None)

    def _collect(self) -> None:
        for name in [name for name, line in self._busy.items() if line.done()]:
            try:
                following = self._busy.pop(name).result()
            except Exception as error:  # noqa: BLE001 # one that can't be sent to must not stop the others
                _say("webhook_failed", employer=name, why=type(error).__name__)
                following = self._registry.clock() + DELAYS[1]
            if following:
                self._again[name] = following

    def _start(self) -> None:
        now = self._registry.clock()
        for name in [name for name, at in self._again.items() if at <= now]:
            del self._again[name]
            self._due.add(name)
        for name in [name for name in self._due if name not in self._busy]:
            self._due.discard(name)
            self._busy[name] = self._lines.submit(send, self._registry, name, self._end, local=self._local)


def _say(what: str, **facts: Any) -> None:
    """One line of JSON; ids and kinds only."""
    with suppress(TypeError):
        _LOG.warning(json.dumps({"what": what} | facts))
