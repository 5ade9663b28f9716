"""Reads the log in order and advances all views in one transaction with one position; rebuilds, compares, replays them.

Live, a batch loads the rows its events name, changes them in memory and writes each table with one COPY and one
merge. A rebuild is the same with nothing to load, beside the live views, which it replaces at its end.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from domain.person import Person
from projections import building, comparing, replays, stored
from projections.building import KEEP_SECONDS, Builder, Job, Step, Told, shape
from projections.catalogue import VIEWS
from projections.comparing import LIVE, Difference
from projections.filling import HOLD, advance, without_collecting
from projections.folding import Folder, Load, Open, Stopped
from projections.replays import Replay
from projections.view import View, name_of

__all__ = ["Busy", "Compared", "Difference", "Engine", "Outdated", "Rebuilt", "Step", "Stopped", "Told", "UnknownView"]

NEXT: Final = "views_next"
_OLD: Final = "views_old"
_REBUILD_LOCK: Final = 71630003
_BATCH: Final = 20_000
_SWAP_SECONDS: Final = 60


class Outdated(Exception):
    """The tables are missing or of another version of the program: rebuild."""


class Busy(Exception):
    """Another rebuild or comparison is at work, or readers hold the views for too long."""


class UnknownView(Exception):
    """No view has this name."""

    def __init__(self, name: str, views: Sequence[View]) -> None:
        super().__init__(f"There is no view {name}. There are: {', '.join(view.name for view in views)}.")


class Rebuilt(NamedTuple):
    position: int
    events: int
    seconds: float


class Compared(NamedTuple):
    """`differences`: the first hundred of each table; `total`: how many there are."""

    position: int
    events: int
    seconds: float
    differences: list[Difference]
    total: int


def untold(step: Step) -> None:
    """Nobody wants to know."""


class Engine:
    """`load` decodes a stored event (stream, version, topic, state); `open` opens personal fields of many.

    Every method takes a connection of the projector's role in autocommit mode. `hold`: so many rows may be in memory.
    `shared`: whether a second process helps to build; None: where it pays.
    """

    def __init__(
        self,
        load: Load,
        open: Open,  # noqa: A002 # the vault's own word
        *,
        views: Sequence[View] = VIEWS,
        hold: int = HOLD,
        keep_seconds: float = KEEP_SECONDS,
        shared: bool | None = None,
    ) -> None:
        self._views = views
        self._folder = Folder(views, load, open)
        self._hold = hold
        self._keep_seconds = keep_seconds
        self._shared = shared
        self.shape: Final = shape(views)

    # -- live -------------------------------------------------------------------------------------------------------

    def prepare(self, connection: Connection[Any], told: Told = untold) -> int:
        """See that there are views of this version, rebuilding if need be; their position."""
        try:
            return self.position(connection)
        except Outdated:
            return self.rebuild(connection, told).position

    def position(self, connection: Connection[Any], *, lock: bool = False) -> int:
        """Up to where the views have come. Raises Outdated."""
        statement = SQL("SELECT position, shape FROM {}" + (" FOR UPDATE" if lock else ""))
        try:
            row = connection.execute(statement.format(Identifier(LIVE, "position"))).fetchone()
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
                return self._advance(connection, limit)
        except Stopped as stopped:
            with connection.transaction():
                self._advance(connection, limit, stopped.position - 1)
            raise

    def catch_up(self, connection: Connection[Any]) -> int:
        position = self.position(connection)
        while (after := self.advance(connection)) > position:
            position = after
        return position

    def _advance(self, connection: Connection[Any], limit: int, until: int | None = None) -> int:
        position = self.position(connection, lock=True)
        page = stored.read(connection, position, position + limit if until is None else min(position + limit, until))
        if page:
            events = advance(connection, LIVE, self._folder, page)
            if erased := [name_of(event) for _, event, _ in events if isinstance(event, Person.Erased)]:
                self._forget(connection, erased)
            position = _moved(connection, LIVE, page[-1][0])
        return position

    def _forget(self, connection: Connection[Any], people: Sequence[str]) -> None:
        """Names go from the scratch schemas too, and with what is left of a rebuild that nobody goes on with."""
        replays.forget(connection, people)
        if connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [_REBUILD_LOCK]).fetchone() == (True,):
            connection.execute("SET LOCAL client_min_messages = warning")
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(NEXT)))

    # -- rebuild ----------------------------------------------------------------------------------------------------

    def rebuild(self, connection: Connection[Any], told: Told = untold, *, view: str = "") -> Rebuilt:
        """Fold the whole history into new tables beside the live ones and put them in their place; of one view or all.

        Killed at any moment, it leaves the live views as they are and goes on from where it was kept when it is called
        again. Raises Busy, Stopped, UnknownView; of one view also Outdated.
        """
        begun = time.monotonic()
        with self._alone(connection):
            if view:
                self.position(connection)
            folder = self._folder.only(self._with_needed(view)) if view else self._folder
            builder = Builder(folder, NEXT, hold=self._hold, keep_seconds=self._keep_seconds, shared=self._shared)
            position = builder.build(connection, told)
            last = stored.last_position(connection)
            while position < last:
                with connection.transaction():
                    position = _bring(connection, folder, position, min(position + _BATCH, last))
                told(Step("events", position, last, time.monotonic() - begun))
            told(Step("swap", 0, 0, time.monotonic() - begun))
            with connection.transaction():
                position = self._swap(connection, folder, position, view)
        return Rebuilt(position, position, time.monotonic() - begun)

    def _with_needed(self, view: str) -> list[View]:
        """A view after those it needs. Raises UnknownView."""
        wanted = [each for each in self._views if each.name == view]
        if not wanted:
            raise UnknownView(view, self._views)
        for each in wanted:
            wanted += [needed for needed in each.needs if needed not in wanted]
        return [each for each in self._views if each in wanted]

    def _swap(self, connection: Connection[Any], folder: Folder, position: int, view: str) -> int:
        """Have the live tables for ourselves, come to the end, and take their place."""
        stored.take_time(connection)
        self._lock_live(connection)
        end = self.position(connection) if view else stored.last_position(connection)
        while position < end:
            position = _bring(connection, folder, position, min(position + _BATCH, end), again=True)
        if view:
            (only,) = (each for each in self._views if each.name == view)
            for table in only.tables:
                live = Identifier(LIVE, table.table)
                connection.execute(SQL("DROP TABLE {} CASCADE").format(live))
                connection.execute(
                    SQL("ALTER TABLE {} SET SCHEMA {}").format(Identifier(NEXT, table.table), Identifier(LIVE))
                )
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(NEXT)))
            if only.extra:
                connection.execute(SQL(only.extra).format(schema=Identifier(LIVE)))
            return position
        if connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", [LIVE]).fetchone() == (True,):
            connection.execute(SQL("ALTER SCHEMA {} RENAME TO {}").format(Identifier(LIVE), Identifier(_OLD)))
        connection.execute(SQL("ALTER SCHEMA {} RENAME TO {}").format(Identifier(NEXT), Identifier(LIVE)))
        connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(_OLD)))
        return position

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

    @contextmanager
    def _alone(self, connection: Connection[Any]) -> Iterator[None]:
        if connection.execute("SELECT pg_try_advisory_lock(%s)", [_REBUILD_LOCK]).fetchone() != (True,):
            raise Busy("Another rebuild or comparison is at work.")
        try:
            yield
        finally:
            if not connection.closed:
                connection.execute("SELECT pg_advisory_unlock(%s)", [_REBUILD_LOCK])

    # -- replay -----------------------------------------------------------------------------------------------------

    def replay(
        self,
        connection: Connection[Any],
        name: str,
        known: int | datetime,
        told: Told = untold,
        *,
        more: Callable[[str, int], None] = lambda _schema, _position: None,
    ) -> Replay:
        """The views as they were at a position or time, in a schema of their own, beside the live ones.

        `more(schema, position)` adds to it. Raises Unknowable, BadReplay, Busy, Outdated, Stopped;
        then nothing is left of it.
        """
        self.position(connection)
        with self._alone(connection):
            position, at = replays.moment(connection, known)

            def build(schema: str) -> None:
                Builder(self._folder, schema, hold=self._hold, shared=self._shared).build(connection, told, position)
                more(schema, position)

            return replays.make(connection, (name, position, at, self.shape), build)

    # -- comparison -------------------------------------------------------------------------------------------------

    def compare(self, connection: Connection[Any], told: Told = untold, *, view: str = "") -> Compared:
        """Catch the live views up, rebuild beside them to the same position, and find every difference; of one or all.

        One snapshot serves both sides, so the worker goes on; nothing of it stays. Raises Busy, Stopped, Outdated,
        UnknownView.
        """
        begun = time.monotonic()
        folder = self._folder.only(self._with_needed(view)) if view else self._folder
        with self._alone(connection):
            self.catch_up(connection)
            with without_collecting(), connection.transaction(force_rollback=True):
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                position = self.position(connection)
                (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
                jobs = [
                    Job("", views, "", position, self._hold, 0, snapshot)
                    for views in building.parts(folder.views, folder.load, position, shared=self._shared)
                ]
                with building.sharing(connection, folder, jobs[1:], "compare") as others:
                    teller = building.Teller(told, begun, others)
                    found = comparing.differ_within(connection, folder.only(jobs[0].views), jobs[0], teller)
                    for other in others:
                        found += other.finish()
                wanted = {table.table for each in self._views if view in ("", each.name) for table in each.tables}
                found = [each for each in found if each.table in wanted]
                explained = comparing.explain(connection, folder, found, position)
        total = sum(each.total for each in found)
        return Compared(position, position, time.monotonic() - begun, explained, total)


def _bring(connection: Connection[Any], folder: Folder, position: int, last: int, *, again: bool = False) -> int:
    """Bring the new tables from a position to another."""
    page = stored.read(connection, position, last)
    if page:
        advance(connection, NEXT, folder, page, again=again)
    return _moved(connection, NEXT, last)


def _moved(connection: Connection[Any], schema: str, position: int) -> int:
    connection.execute(SQL("UPDATE {} SET position = %s").format(Identifier(schema, "position")), [position])
    return position
