"""What the faces stand on: the registry, the readers of its views, the desk, the static plane; opened once."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, ParamSpec, Self, TypeVar

import anyio
import anyio.to_thread
import psycopg
from psycopg import waiting
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from domain import access
from domain.access import Actor, Thing
from domain.association import ROWS, Association, Row
from domain.errors import NotFound, Refused
from domain.event import Event
from registry import database
from registry.api.actors import Desk
from registry.api.associations import remember
from registry.api.check import Checker
from registry.api.deeds import Deed
from registry.api.rosters import Rosters
from registry.certificates.keys import KeyFolder
from registry.certificates.letter import Letters
from registry.certificates.paper import Printer
from registry.commands import Act, Registry
from registry.database import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    STATEMENT_MILLISECONDS,
    NotMigrated,
    Unanswered,
    Unavailable,
)
from registry.log.published import Published
from registry.opening import open_issuer, open_keys, open_letters, open_printer
from registry.settings import Settings
from registry.store import Recorded, Store
from registry.vault import Clock, Vault, now

T = TypeVar("T")
P = ParamSpec("P")

_READERS = 8
_WRITERS = 8
_PRINTERS = 1
_ASSOCIATIONS_SECONDS = 5.0
_ASSOCIATIONS_PATIENCE = 1.0
_EVENTS = "SELECT notification_id, originator_id, originator_version, topic, state FROM registry.events"


class _Reading(psycopg.AsyncConnection[Any]):
    """A connection that never waits longer than a request may take, and is dropped when it is waited for in vain."""

    async def wait(
        self,
        gen: PQGen[T],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109 # as in psycopg
    ) -> T:
        try:
            return await waiting.wait_async(
                gen, self.pgconn.socket, interval=interval, timeout=ANSWER_SECONDS if timeout is None else timeout
            )
        except asyncio.CancelledError:
            # Asking the server to stop could take as long again.
            self.pgconn.finish()
            raise


class Readers:
    """A few connections of the reader's role for questions. As `database.Pool`, for coroutines."""

    def __init__(self, address: Callable[[], str], size: int = _READERS) -> None:
        self._address = address
        self._free: list[_Reading] = []
        self._places = asyncio.BoundedSemaphore(size)

    async def rows(self, sql: str, parameters: Sequence[object] | dict[str, Any] = ()) -> list[DictRow]:
        """One question. A connection that broke while idle is replaced and asked again: reading may be repeated."""
        try:
            return await self._rows(sql, parameters)
        except Unanswered:
            return await self._rows(sql, parameters)

    async def one(self, sql: str, parameters: Sequence[object] | dict[str, Any] = ()) -> DictRow | None:
        rows = await self.rows(sql, parameters)
        return rows[0] if rows else None

    async def _rows(self, sql: str, parameters: Sequence[object] | dict[str, Any]) -> list[DictRow]:
        async with self._connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(sql.encode(), parameters or None, prepare=True)
            return await cursor.fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Reading]:
        async with self._places:
            connection = self._free.pop() if self._free else await self._connect()
            try:
                yield connection
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
                raise NotMigrated("Tables are missing. Run `registry migrate` and `registry work`.") from error
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                broken = connection.closed or connection.broken
                await connection.close()
                raise (Unanswered if broken else Unavailable)("The database did not answer.") from error
            finally:
                if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
                    with suppress(psycopg.Error):
                        await connection.close()
                else:
                    self._free.append(connection)

    async def _connect(self) -> _Reading:
        try:
            # The address may have to start the embedded server, which takes a while.
            address = await anyio.to_thread.run_sync(self._address, abandon_on_cancel=True)
            return await _Reading.connect(
                address,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                options=f"-c statement_timeout={STATEMENT_MILLISECONDS}",
            )
        except psycopg.OperationalError as error:
            raise Unavailable("The database does not answer.") from error

    async def close(self) -> None:
        while self._free:
            await self._free.pop().close()


class House:
    """Everything that a request may need. Nothing here connects before it is used."""

    def __init__(self, settings: Settings, registry: Registry, *, clock: Clock) -> None:
        self.settings = settings
        self.registry = registry
        self.clock = clock
        self.store: Store = registry.store
        self.vault: Vault = registry.store.vault
        self.keys: KeyFolder = open_keys(settings)
        self.desk = Desk(settings, clock=clock)
        self.readers = Readers(lambda: database.url(settings, "reader"))
        self.rosters = Rosters(settings, registry, self.keys)
        self._printer: Printer | None = None
        self._letters: Letters | None = None
        self._associations: dict[str, Row] = ROWS
        self._associations_until = 0.0
        self._writing = anyio.CapacityLimiter(_WRITERS)
        self._printing = anyio.CapacityLimiter(_PRINTERS)
        self.checking = anyio.CapacityLimiter(os.cpu_count() or 1)
        # One at a time, and in none of the places of those who write: it takes a whole processor.
        self.reconsidering = anyio.CapacityLimiter(1)

    @classmethod
    def of(cls, settings: Settings, registry: Registry, clock: Clock = now) -> Self:
        return cls(settings, registry, clock=clock)

    async def close(self) -> None:
        await self.readers.close()
        self.desk.close()

    # --- threads for what waits

    async def wait_for(self, call: Callable[P, T], *args: P.args, **facts: P.kwargs) -> T:
        """In a thread of the few that write; a request whose time is up leaves it behind."""
        return await anyio.to_thread.run_sync(
            partial(call, *args, **facts), abandon_on_cancel=True, limiter=self._writing
        )

    async def enter(self, known: Callable[[str], Actor | None], secret: str) -> Actor | None:
        """Who comes in with this secret; the key of a merged record acts as the survivor."""
        return await self.wait_for(self._enter, known, secret)

    def _enter(self, known: Callable[[str], Actor | None], secret: str) -> Actor | None:
        actor = known(secret)
        return self.registry.acting(actor) if actor else None

    # --- deeds

    def perform(self, deed: Deed, act: Act, arguments: Sequence[str], body: Any) -> Recorded:
        """Do it. Of two equal requests at once, the one that comes too late gets the other's answer."""
        try:
            return deed.do(self.registry, act, arguments, body)
        except Refused as refused:
            if refused.message == NotFound("person").message:
                # Who may not do it to everybody learns nothing from who is not there.
                access.check(act.actor, deed.access, Thing())
            if act.request and (earlier := self.store.earlier(act.request, act.actor.by)):
                return earlier
            raise

    # --- questions

    async def events(self, stream: str) -> list[tuple[int, Event]]:
        """Position and event of a stream, in order, still sealed."""
        return await self._events("originator_id = %s ORDER BY originator_version", stream)

    async def events_of(self, streams: Sequence[str], known: int) -> list[tuple[int, Event]]:
        """Position and event of many streams, up to a position, in the order of the history."""
        return await self._events(
            "originator_id = ANY(%s) AND notification_id <= %s ORDER BY notification_id", list(streams), known
        )

    async def last_position(self) -> int:
        row = await self.readers.one("SELECT coalesce(max(notification_id), 0) AS last FROM registry.events")
        return row["last"] if row else 0

    async def recorded_at(self, position: int) -> datetime:
        """When the event at a position was recorded. Raises NotFound."""
        for _, event in await self.events_at([position]):
            return event.recorded_at
        raise NotFound("event at this position")

    async def events_at(self, positions: Sequence[int]) -> list[tuple[int, Event]]:
        return await self._events("notification_id = ANY(%s) ORDER BY notification_id", list(positions))

    async def _events(self, which: str, *parameters: object) -> list[tuple[int, Event]]:
        return [
            (
                row["notification_id"],
                self.store.mapper.load(
                    row["originator_id"], row["originator_version"], row["topic"], bytes(row["state"])
                ),
            )
            for row in await self.readers.rows(f"{_EVENTS} WHERE {which}", parameters)
        ]

    async def opened(self, events: Sequence[Event]) -> list[Event]:
        return await self.wait_for(self.vault.open_all, events) if events else []

    async def note_access(self, actor: Actor, record: str, reason: str) -> None:
        await self.wait_for(self.desk.note_access, actor, record, reason)

    async def know_associations(self) -> None:
        """Let this request name the associations as they are on record; a slow database is not waited for."""
        if time.monotonic() > self._associations_until:
            self._associations_until = time.monotonic() + _ASSOCIATIONS_SECONDS
            with suppress(Unavailable, NotMigrated, TimeoutError, psycopg.Error):
                async with asyncio.timeout(_ASSOCIATIONS_PATIENCE):
                    self._associations = ROWS | await self._read_associations()
        remember(self._associations)

    async def _read_associations(self) -> dict[str, Row]:
        found: dict[str, Association] = {}
        # In the order of bytes "0" follows "/".
        for _, event in await self._events(
            "originator_id > %s AND originator_id < 'association0' ORDER BY originator_id, originator_version",
            "association/",
        ):
            code = event.originator_id.partition("/")[2]
            found.setdefault(code, Association(code)).remember(event)
        return {code: one.row_on(one.today(self.clock())) for code, one in found.items()}

    # --- certificates and the log

    def published(self) -> Published:
        return Published.of(self.settings.static)

    async def certificate(self, number: str, cti: str) -> dict[str, bytes]:
        """The files of a certificate by name."""
        return await anyio.to_thread.run_sync(self._render, number, cti, limiter=self._printing)

    def _render(self, number: str, cti: str) -> dict[str, bytes]:
        self._printer = self._printer or open_printer(self.settings)
        return open_issuer(self.settings, self.store, self.keys, self._printer).render(number, cti)

    async def letter(self, application: str, cti: str) -> dict[str, bytes]:
        """The files of a letter of registration by name."""
        return await anyio.to_thread.run_sync(self._render_letter, application, cti, limiter=self._printing)

    def _render_letter(self, application: str, cti: str) -> dict[str, bytes]:
        self._letters = self._letters or open_letters(self.settings, self.store, self.keys)
        return self._letters.render(application, cti)

    async def proof(self, position: int) -> str:
        return await self.wait_for(self._prove, position)

    def _prove(self, position: int) -> str:
        with database.connect(database.url(self.settings, "reader")) as connection:
            return self.published().prove_position(connection, position)

    def specimen(self) -> bool:
        """Whether what these keys sign is nobody's endorsement."""
        with suppress(OSError, Exception):
            return any(facts.specimen for facts in self.keys.facts())
        return False

    async def check(self, checker: Checker, content: bytes) -> dict[str, Any]:
        """What a certificate is worth now; in a thread of those that touch no database."""
        return await anyio.to_thread.run_sync(checker.check, content, self.clock(), limiter=self.checking)
