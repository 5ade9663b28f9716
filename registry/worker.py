"""The one worker: advances the views, publishes the static plane, and does what the nightly rules make due.

The views move in this thread; a second one publishes and does the nightly rules, so that no reader waits for a disk.
Both go on after any failure of the database; an event that can't be read stops the worker, which names it.
"""

import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self

import psycopg
from psycopg import Connection

from domain.errors import Refused
from projections.engine import Busy, Engine, Outdated, Step, Stopped
from registry import database, nightly, notify
from registry.certificates.keys import KeysUnusable
from registry.certificates.reissue import Signatures, bury, to_bury
from registry.commands import Clock
from registry.database import Unavailable
from registry.log.publish import Overtaken, RolledBack
from registry.log.tiles import Damaged
from registry.opening import open_keys, open_plane, open_registry
from registry.settings import Role, Settings
from registry.store import EventMapper
from registry.vault import Vault, now
from registry.webhooks.sending import sending

_LOG: Final = logging.getLogger("registry.worker")
_BY: Final = "worker"
_LEADER_LOCK: Final = 71630004
_POLL: Final = 1.0
_BATCH: Final = 1000
_MOST_WAIT: Final = 15.0
# Lists are signed again in time, and it is asked whether a day is over somewhere, though nothing happens.
_ROUND: Final = 60.0
_NIGHTLY_ROUND: Final = timedelta(hours=1)

_TRANSIENT: Final = (psycopg.OperationalError, psycopg.InterfaceError, Unavailable, Outdated, Busy)


class Stopping(Exception):
    """Asked to stop in the middle of a rebuild."""


def run(settings: Settings, *, stop: threading.Event, clock: Clock = now, seconds: float = 1.0) -> None:
    """Work until `stop` is set. `seconds`: how long to wait after a first failure; later ones double it.

    A second worker idles until the first one is gone. Raises Stopped at an event that can't be read.
    """
    wait = seconds
    while not stop.is_set():
        begun = time.monotonic()
        try:
            with _Work(settings, clock, stop) as work:
                work.lead()
        except Stopping:
            break
        except Stopped as stopped:
            _say("stopped", level=logging.ERROR, position=stopped.position, stream=stopped.stream,
                 version=stopped.version, topic=stopped.topic, why=stopped.why)  # fmt: skip
            raise
        except _TRANSIENT as error:
            # The kind only: the database's own words may quote a row.
            wait = seconds if time.monotonic() - begun > _MOST_WAIT else min(2 * wait, _MOST_WAIT)
            _say("waiting", level=logging.WARNING, why=type(error).__name__, seconds=wait)
            stop.wait(wait)
    _say("ended")


class _Work:
    """One connection's time at work."""

    def __init__(self, settings: Settings, clock: Clock, stop: threading.Event) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._vault = Vault(settings, clock=clock)
        self._engine = Engine(EventMapper().load, self._vault.open_all)
        self._connection = connect(settings, "projector")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._vault.close()

    def lead(self) -> None:
        """Do the work, once nobody else does."""
        connection = self._connection
        connection.execute("SET synchronous_commit = off")
        if not self._wait_for_leadership():
            return
        # Listen, then pull: nothing is appended unseen in between.
        connection.execute(f"LISTEN {database.CHANNEL}")
        position = self._engine.prepare(connection, self._give_way)
        _say("leading", position=position)
        with (
            _chores(self._settings, self._clock) as chores,
            notify.delivering(self._settings, self._clock),
            sending(self._settings, self._clock),
        ):
            while not self._stop.is_set():
                if chores.failed:
                    raise chores.failed
                after = self._engine.advance(connection, _BATCH)
                if after > position:
                    position = after
                    chores.wake.set()
                else:
                    for _ in connection.notifies(timeout=_POLL, stop_after=1):
                        pass

    def _wait_for_leadership(self) -> bool:
        said = False
        while not self._stop.is_set():
            if self._connection.execute("SELECT pg_try_advisory_lock(%s)", [_LEADER_LOCK]).fetchone() == (True,):
                return True
            if not said:
                _say("idle", why="another worker leads")
                said = True
            self._stop.wait(_POLL)
        return False

    def _give_way(self, step: Step) -> None:  # noqa: ARG002 # what a rebuild reports
        if self._stop.is_set():
            raise Stopping


@contextmanager
def _chores(settings: Settings, clock: Clock) -> Iterator["_Chores"]:
    """What publishes and does the nightly rules, at work in a thread."""
    chores = _Chores(settings, clock)
    thread = threading.Thread(target=chores.run, name="chores", daemon=True)
    thread.start()
    try:
        yield chores
    finally:
        chores.end.set()
        chores.wake.set()
        thread.join(timeout=30)


class _Chores:
    """Goes on soon after `wake` is set, and once a minute, until `end`; `failed` is what it did not expect."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.wake = threading.Event()
        self.end = threading.Event()
        self.failed: Exception | None = None
        self._registry = open_registry(settings, clock=clock)
        self._keys = open_keys(settings)
        self._plane = open_plane(settings, self._keys)
        self._published = -1
        self._silent: Mapping[str, str] = {}
        self._alarmed: str | None = None
        self._went_round: datetime | None = None

    def run(self) -> None:
        try:
            while not self.end.is_set():
                try:
                    with connect(self._settings, "reader") as connection:
                        self._go_on(connection)
                except (*_TRANSIENT, psycopg.Error, OSError) as error:
                    _say("chores_wait", level=logging.WARNING, why=type(error).__name__)
                    self.end.wait(_POLL)
        except Exception as error:  # noqa: BLE001 # a defect: the other thread raises it
            self.failed = error
        finally:
            self._registry.store.close()
            self._registry.store.vault.close()

    def _go_on(self, connection: Connection[Any]) -> None:
        """Publish, and do what the nightly rules make due whenever it is time, on one connection, until the end."""
        while not self.end.is_set():
            self._publish(connection)
            self._bury(connection)
            if self._is_time():
                self._do_nightly(connection)
            self.wake.wait(_ROUND)
            self.wake.clear()

    def _is_time(self) -> bool:
        """Every hour, so that a day is over soon after it is, and whenever the clock was set back."""
        last, now = self._went_round, self._clock()
        return last is None or not last <= now < last + _NIGHTLY_ROUND

    def _do_nightly(self, connection: Connection[Any]) -> None:
        """One round of every rule. Between batches what was recorded is published: nobody waits for a long night."""
        begun = self._clock()
        for batch in nightly.go_round(self._registry, connection):
            if batch.recorded or batch.failed:
                _say("nightly", rule=batch.rule, named=batch.named, recorded=batch.recorded, failed=len(batch.failed))
            for failed in batch.failed:
                _say("nightly_failed", level=logging.ERROR, rule=batch.rule, subject=failed.subject, why=failed.why)
            if self.end.is_set():
                return
            if batch.recorded:
                self._publish(connection)
        self._went_round = begun

    def _publish(self, connection: Connection[Any]) -> None:
        try:
            published = self._plane.publish(connection, self._clock())
        except Overtaken:
            # Another publisher is at work, such as `registry certificates issue`; look again when it is done.
            _say("waits_for_another_publisher")
            self.end.wait(_POLL)
            self.wake.set()
            return
        except (KeysUnusable, RolledBack, Damaged) as error:
            _say("not_published", level=logging.ERROR, why=f"{type(error).__name__}: {error}")
            self._raise_alarm(str(error))
            return
        self._settings.alarm.unlink(missing_ok=True)
        self._alarmed = None
        if published.silent is not None and published.silent != self._silent:
            self._silent = published.silent
            for witness, why in published.silent.items():
                _say("not_cosigned", level=logging.WARNING, witness=witness, why=why)
        if published.position != self._published or published.written:
            self._published = published.position
            _say("published", position=published.position, lists=published.written,
                 seconds=round(published.seconds, 3))  # fmt: skip

    def _bury(self, connection: Connection[Any]) -> None:
        """The private halves of keys that have ended are destroyed; the log is read only where there is one."""
        now = self._clock()
        self._keys.finish_destroying()
        if not to_bury(self._plane.known, self._keys, now):
            return
        signatures = Signatures()
        signatures.advance(connection)
        try:
            buried = bury(self._registry.store, self._keys, signatures, by=_BY, now=now)
        except (KeysUnusable, Refused) as refused:
            _say("not_buried", level=logging.ERROR, why=f"{type(refused).__name__}: {refused}")
            return
        _say("destroyed", keys=buried)
        self._publish(connection)

    def _raise_alarm(self, why: str) -> None:
        """For `/ready`, which another process answers: since when nothing is published, and why."""
        self._alarmed = self._alarmed or datetime.now(UTC).isoformat(timespec="seconds")
        aside = self._settings.alarm.with_suffix(".new")
        aside.write_text(json.dumps({"since": self._alarmed, "why": why}))
        aside.replace(self._settings.alarm)


def connect(settings: Settings, role: Role) -> Connection[Any]:
    """A connection for work that takes its time."""
    return psycopg.connect(
        database.url(settings, role),
        autocommit=True,
        connect_timeout=database.CONNECT_SECONDS,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        application_name="registry-worker",
    )


def _say(what: str, *, level: int = logging.INFO, **facts: Any) -> None:
    """One line of JSON; ids, positions and kinds only."""
    if _LOG.isEnabledFor(level):
        _LOG.log(level, json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "what": what} | facts))


def to_stderr() -> None:
    """Let the worker's lines go to stderr, from information up."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    _LOG.handlers = [handler]
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False
