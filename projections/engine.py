"""Reads the log in order and advances all views in one transaction with one position; rebuilds and compares them.

Live, a batch loads the rows its events name, changes them in memory and writes each table with one COPY and one
merge. A rebuild is the same with nothing to load, beside the live views, which it replaces at its end.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Composable, Composed, Identifier

import domain.event as events_module
from domain.event import Event, personal_fields
from domain.events import TOPICS
from projections import rows as tables
from projections.catalogue import VIEWS
from projections.rows import Held, Row, Rows
from projections.view import Change, View

LIVE: Final = "views"
NEXT: Final = "views_next"
_OLD: Final = "views_old"
_REBUILD_LOCK: Final = 71630003
_PAGE: Final = 5_000
_WRITE: Final = 20_000
"""So many finished rows are written at once in a rebuild."""
_HOLD: Final = 600_000
"""So many rows a rebuild holds (about 0.5 GB) before it goes on as live batches do, with what they need."""
_BATCH: Final = 20_000
_SWAP_SECONDS: Final = 60
_DIFFERENCES: Final = 20
_CONCERNED: Final = 20

# Which fields of events name rows: ids of people, cases and numbers. All ids are random, so they share one set.
_IDS: Final = frozenset({"person", "number", "application", "transfer", "endorsements", "other"})

Load = Callable[[str, int, str, bytes], Event]
Open = Callable[[Sequence[Event]], Sequence[Event]]
Progress = Callable[[int, float], None]
"""Events so far, seconds so far."""
StoredRow = tuple[int, str, int, str, bytes]
Decoded = tuple[int, Event, tuple[Change, ...]]


class Stopped(Exception):
    """An event can't be decoded or does not fit what came before: the views stay as they are before it."""

    def __init__(self, position: int, stream: str, version: int, topic: str, why: str) -> None:
        super().__init__(f"position {position} ({stream}, version {version}, {topic}): {why}")
        self.position = position
        self.stream = stream
        self.version = version
        self.topic = topic
        self.why = why


class Outdated(Exception):
    """The tables are missing or of another version of the program: rebuild."""


class Busy(Exception):
    """Another rebuild or comparison is at work, or readers hold the views for too long."""


class Rebuilt(NamedTuple):
    position: int
    events: int
    seconds: float


class Difference(NamedTuple):
    """A row that is not as rebuilt; `columns` is empty where the whole row is `missing` or `superfluous`."""

    table: str
    key: dict[str, Any]
    kind: str
    columns: list[str]
    events: list[int]


class Compared(NamedTuple):
    position: int
    events: int
    seconds: float
    differences: list[Difference]


class Engine:
    """`load` decodes a stored event (stream, version, topic, state); `open` opens personal fields of many.

    Every method takes a connection of the projector's role in autocommit mode.
    """

    def __init__(self, load: Load, open: Open, *, views: Sequence[View] = VIEWS, hold: int = _HOLD) -> None:  # noqa: A002 # the vault's own word
        self._load = load
        self._open = open
        self._hold = hold
        self._views = views
        self._tables = [table for view in views for table in view.tables]
        self._changes: dict[str, tuple[Change, ...] | None] = {}
        # Of events with personal fields that a view wants, those that none wants: they stay closed.
        self._opens: dict[type[Event], dict[str, None]] = {}
        self._ids: dict[type[Event], tuple[str, ...]] = {}
        self.shape: Final = _shape(views)

    # -- live -------------------------------------------------------------------------------------------------------

    def prepare(self, connection: Connection[Any], progress: Progress | None = None) -> int:
        """See that there are views of this version, rebuilding if need be; their position."""
        try:
            return self.position(connection)
        except Outdated:
            return self.rebuild(connection, progress).position

    def position(self, connection: Connection[Any], *, schema: str = LIVE, lock: bool = False) -> int:
        """Up to where the views have come. Raises Outdated."""
        statement = SQL("SELECT position, shape FROM {}" + (" FOR UPDATE" if lock else "")).format(
            Identifier(schema, "position")
        )
        try:
            row = connection.execute(statement).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise Outdated("There are no views yet. Run `registry rebuild`.") from error
        if row is None or row[1] != self.shape:
            raise Outdated("The views are of another version. Run `registry rebuild`.")
        return int(row[0])

    def advance(self, connection: Connection[Any], limit: int = 1000) -> int:
        """Bring the views up by at most so many events, in one transaction; the new position.

        Raises Stopped, with the views at the event before the one that can't be read.
        """
        try:
            with connection.transaction():
                return self._advance(connection, LIVE, limit)
        except Stopped as stopped:
            with connection.transaction():
                self._advance(connection, LIVE, limit, stopped.position - 1)
            raise

    def catch_up(self, connection: Connection[Any]) -> int:
        position = self.position(connection)
        while (after := self.advance(connection)) > position:
            position = after
        return position

    def _advance(self, connection: Connection[Any], schema: str, limit: int, until: int | None = None) -> int:
        position = self.position(connection, schema=schema, lock=True)
        page = _read(connection, position, limit, until)
        if not page:
            return position
        held = Rows(self._tables, everything=False)
        events = self._decode(page)
        self._load_rows(connection, schema, held, events)
        self._fold(held, events)
        for table in held.values():
            _merge(connection, schema, table)
        connection.execute(
            SQL("UPDATE {} SET position = %s").format(Identifier(schema, "position")), [last := page[-1][0]]
        )
        return last

    def _load_rows(self, connection: Connection[Any], schema: str, held: Rows, events: list[Decoded]) -> None:
        ids: set[str] = set()
        for _, event, _ in events:
            ids.add(event.originator_id.partition("/")[2])
            for field in self._ids_of(type(event)):
                value = getattr(event, field)
                ids.update((value,) if isinstance(value, str) else value)
        wanted = list(ids)
        with connection.cursor(binary=True) as cursor:
            for table in held.values():
                if table.table.found_by:
                    cursor.execute(_select(schema, table.table), {"ids": wanted})
                    table.load(map(tables.loader(table.table), cursor))

    def _ids_of(self, kind: type[Event]) -> tuple[str, ...]:
        found = self._ids.get(kind)
        if found is None:
            found = self._ids[kind] = tuple(name for name in kind.__struct_fields__ if name in _IDS)
        return found

    # -- folding ----------------------------------------------------------------------------------------------------

    def _decode(self, page: Sequence[StoredRow]) -> list[Decoded]:
        """The events of a page that a view takes; of their personal fields those that a view wants, opened."""
        found: list[Decoded] = []
        sealed: list[tuple[int, Event]] = []
        load, known = self._load, self._changes
        for position, stream, version, topic, state in page:
            changes = known.get(topic)
            if changes is None:
                changes = self._learn(topic)
                if changes is None:
                    raise Stopped(position, stream, version, topic, "no such topic")
            if not changes:
                continue
            try:
                event = load(stream, version, topic, state)
            except Exception as error:  # noqa: BLE001 # whatever it is, we stop and say where
                # The kind of error only: its text may quote what stands in the event.
                raise Stopped(position, stream, version, topic, type(error).__name__) from None
            if (unwanted := self._opens.get(type(event))) is not None:
                sealed.append((len(found), msgspec.structs.replace(event, **unwanted)))
            found.append((position, event, changes))
        if sealed:
            opened = self._open([event for _, event in sealed])
            for (i, _), event in zip(sealed, opened, strict=True):
                found[i] = (found[i][0], event, found[i][2])
        return found

    def _learn(self, topic: str) -> tuple[Change, ...] | None:
        """Which views take events of this topic; None of an unknown one."""
        present = topic
        while step := events_module.UPCASTERS.get(present):
            present = step[0]
        kind = TOPICS.get(present)
        if kind is None:
            return None
        takers = [view for view in self._views if kind in view.takes]
        self._changes[topic] = tuple(view.change for view in takers)
        personal = personal_fields(kind)
        if wanted := {field for view in takers for field in view.opens if field in personal}:
            self._opens[kind] = dict.fromkeys(field for field in personal if field not in wanted)
        return self._changes[topic]

    @staticmethod
    def _fold(held: Rows, events: list[Decoded]) -> None:
        for position, event, changes in events:
            try:
                for change in changes:
                    change(held, event, position)
            except Exception as error:
                raise Stopped(
                    position, event.originator_id, event.originator_version, event.topic, type(error).__name__
                ) from error

    # -- rebuild ----------------------------------------------------------------------------------------------------

    def rebuild(self, connection: Connection[Any], progress: Progress | None = None) -> Rebuilt:
        """Fold the whole history into new tables beside the live ones and put them in their place.

        All in one transaction: killed at any moment it leaves nothing behind. Raises Busy, Stopped.
        """
        begun = time.monotonic()
        with self._alone(connection), _without_collecting(), connection.transaction():
            self._build(connection, None, progress)
            self._lock_live(connection)
            events = self._advance_all(connection, self.position(connection, schema=NEXT))
            self._swap(connection)
        return Rebuilt(events, events, time.monotonic() - begun)

    def _build(self, connection: Connection[Any], until: int | None, progress: Progress | None) -> int:
        """Make and fill the shadow schema up to a position (None: the end); gives how many events there were."""
        begun = time.monotonic()
        _settle_in(connection)
        connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(NEXT)))
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(NEXT)))
        for table in self._tables:
            connection.execute(_create(NEXT, table))
        connection.execute(
            SQL("CREATE TABLE {} (position int8 NOT NULL, shape text NOT NULL)").format(Identifier(NEXT, "position"))
        )
        connection.execute(SQL("INSERT INTO {} VALUES (0, %s)").format(Identifier(NEXT, "position")), [self.shape])
        held = Rows(self._tables, everything=True)
        position = 0
        while page := _read(connection, position, _PAGE, until):
            self._fold(held, self._decode(page))
            position = page[-1][0]
            for each in held.values():
                if len(each.finished) >= _WRITE:
                    _copy(connection, NEXT, each.table, each.take_finished())
            if progress:
                progress(position, time.monotonic() - begun)
            if sum(map(len, held.values())) > self._hold:
                break
        for each in held.values():
            _copy(connection, NEXT, each.table, each.changed())
        connection.execute(SQL("UPDATE {} SET position = %s").format(Identifier(NEXT, "position")), [position])
        del held
        self._index(connection)
        return self._advance_all(connection, position, until)

    def _advance_all(self, connection: Connection[Any], position: int, until: int | None = None) -> int:
        while (after := self._advance(connection, NEXT, _BATCH, until)) > position:
            position = after
        return position

    def _index(self, connection: Connection[Any]) -> None:
        for table in self._tables:
            connection.execute(
                SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(Identifier(NEXT, table.table), _names(table.key))
            )
            for index in table.indexes:
                connection.execute(SQL("CREATE INDEX ON {} ").format(Identifier(NEXT, table.table)) + SQL(index))
            connection.execute(SQL("ANALYZE {}").format(Identifier(NEXT, table.table)))
        for view in self._views:
            if view.extra:
                connection.execute(SQL(view.extra).format(schema=Identifier(NEXT)))

    def _lock_live(self, connection: Connection[Any]) -> None:
        """Have the live tables for ourselves, so that no reader sees one of them old and another new.

        Waits shorter than PostgreSQL's search for deadlocks, so that no reader is ever the one to give way.
        """
        connection.execute("SET LOCAL lock_timeout = '200ms'")
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r' ORDER BY relname",
            [LIVE],
        ).fetchall()
        if not found:
            return
        names = SQL(", ").join(Identifier(LIVE, name) for (name,) in found)
        deadline = time.monotonic() + _SWAP_SECONDS
        while True:
            try:
                with connection.transaction():
                    connection.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))
            except psycopg.errors.LockNotAvailable:
                if time.monotonic() > deadline:
                    raise Busy("Somebody reads the views for too long; the old ones stay. Try again.") from None
                time.sleep(0.05)
            else:
                return

    @staticmethod
    def _swap(connection: Connection[Any]) -> None:
        old, live, shadow = Identifier(_OLD), Identifier(LIVE), Identifier(NEXT)
        if connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", [LIVE]).fetchone() == (True,):
            connection.execute(SQL("ALTER SCHEMA {} RENAME TO {}").format(live, old))
        connection.execute(SQL("ALTER SCHEMA {} RENAME TO {}").format(shadow, live))
        connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(old))

    @contextmanager
    def _alone(self, connection: Connection[Any]) -> Iterator[None]:
        if connection.execute("SELECT pg_try_advisory_lock(%s)", [_REBUILD_LOCK]).fetchone() != (True,):
            raise Busy("Another rebuild or comparison is at work.")
        try:
            yield
        finally:
            if not connection.closed:
                connection.execute("SELECT pg_advisory_unlock(%s)", [_REBUILD_LOCK])

    # -- comparison -------------------------------------------------------------------------------------------------

    def compare(self, connection: Connection[Any], progress: Progress | None = None) -> Compared:
        """Catch the live views up, rebuild beside them to the same position, and find every difference.

        One snapshot serves both sides, so the worker goes on; nothing of it stays.
        """
        begun = time.monotonic()
        with self._alone(connection):
            self.catch_up(connection)
            with _without_collecting(), connection.transaction(force_rollback=True):
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                position = self.position(connection)
                events = self._build(connection, position, progress)
                found = [difference for table in self._tables for difference in _differences(connection, table)]
        return Compared(position, events, time.monotonic() - begun, found)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """A fold makes a great many objects and no cycles; the search for cycles would take a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _differences(connection: Connection[Any], table: type[Row]) -> list[Difference]:
    rows = connection.execute(
        SQL(
            "SELECT to_jsonb(live), to_jsonb(rebuilt) FROM {} AS live FULL JOIN {} AS rebuilt USING ({key})"
            " WHERE live IS DISTINCT FROM rebuilt ORDER BY {key} LIMIT %s"
        ).format(Identifier(LIVE, table.table), Identifier(NEXT, table.table), key=_names(table.key)),
        [_DIFFERENCES],
    ).fetchall()
    found = []
    for live, rebuilt in rows:
        row = live or rebuilt
        kind = "superfluous" if rebuilt is None else "missing" if live is None else "different"
        columns = sorted(name for name in row if live and rebuilt and live[name] != rebuilt[name])
        ids = [str(value) for name in (*table.found_by, "case") for value in [row.get(name)] if value]
        concerned = connection.execute(
            SQL('SELECT position FROM {} WHERE "case" = ANY(%s) ORDER BY position DESC LIMIT %s').format(
                Identifier(NEXT, "case_events")
            ),
            [ids, _CONCERNED],
        ).fetchall()
        key = {name: row[name] for name in table.key}
        found.append(Difference(table.table, key, kind, columns, sorted(position for (position,) in concerned)))
    return found


# -- SQL -----------------------------------------------------------------------------------------------------


def _read(connection: Connection[Any], after: int, limit: int, until: int | None) -> list[StoredRow]:
    with connection.cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT notification_id, originator_id, originator_version, topic, state FROM registry.events"
            " WHERE notification_id > %s AND notification_id <= %s ORDER BY notification_id LIMIT %s",
            [after, 2**62 if until is None else until, limit],
            prepare=True,
        )
        return cursor.fetchall()


def _settle_in(connection: Connection[Any]) -> None:
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    connection.execute("SET LOCAL synchronous_commit = off")
    connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
    # The new tables are counted before they are served; a small sample will do until the server counts itself.
    connection.execute("SET LOCAL default_statistics_target = 20")
    connection.execute("SET LOCAL client_min_messages = warning")


def _names(names: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def _create(schema: str, table: type[Row]) -> Composed:
    lines: list[Composable] = [
        SQL("{} {}{}{}").format(
            Identifier(column.name),
            SQL(column.type),
            SQL(' COLLATE "C"' if column.name in table.collate_c else ""),
            SQL("" if column.nullable else " NOT NULL"),
        )
        for column in tables.columns(table)
    ]
    return SQL("CREATE TABLE {} ({})").format(Identifier(schema, table.table), SQL(", ").join(lines))


def _select(schema: str, table: type[Row]) -> Composed:
    wanted = SQL(", ").join(
        SQL("{}::text").format(Identifier(column.name)) if column.is_json else Identifier(column.name)
        for column in tables.columns(table)
    )
    found_by = SQL(" OR ").join(SQL("{} = ANY(%(ids)s)").format(Identifier(name)) for name in table.found_by)
    return SQL("SELECT {} FROM {} WHERE ({}) AND {}").format(
        wanted,
        Identifier(schema, table.table),
        found_by,
        SQL(table.alive),
    )


def _copy(connection: Connection[Any], schema: str, table: type[Row], rows: Sequence[Row]) -> None:
    if not rows:
        return
    cells = tables.cells(table)
    with (
        connection.cursor() as cursor,
        cursor.copy(SQL("COPY {} FROM STDIN (FORMAT binary)").format(Identifier(schema, table.table))) as copy,
    ):
        copy.set_types(tables.copy_types(table))
        for row in rows:
            copy.write_row(cells(row))


def _merge(connection: Connection[Any], schema: str, held: Held[Row]) -> None:
    """Write the changed rows: COPY into a temporary table, then one merge."""
    rows = held.changed()
    if not rows:
        return
    table = held.table
    target, scratch = Identifier(schema, table.table), Identifier("pg_temp", table.table)
    connection.execute(
        SQL("CREATE TEMP TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DELETE ROWS").format(
            Identifier(table.table), target
        )
    )
    _copy(connection, "pg_temp", table, rows)
    others = [column.name for column in tables.columns(table) if column.name not in table.key]
    connection.execute(
        SQL("INSERT INTO {} SELECT * FROM {} ON CONFLICT ({}) DO UPDATE SET {}").format(
            target,
            scratch,
            _names(table.key),
            SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(name)) for name in others),
        )
    )
    if schema == NEXT:
        # A rebuild merges several times in one transaction.
        connection.execute(SQL("TRUNCATE {}").format(scratch))


def _shape(views: Sequence[View]) -> str:
    """Names the tables of this version of the program."""
    parts = [view.extra for view in views]
    for table in (table for view in views for table in view.tables):
        parts += [table.table, repr(table.key), repr(table.indexes), repr(table.collate_c)]
        parts += [f"{column.name} {column.type} {column.nullable}" for column in tables.columns(table)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
