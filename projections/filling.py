"""Folds a share of the history into new tables: in memory as long as it fits, then in batches as live views do."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections import rows as tables
from projections import stored
from projections.folding import Decoded, Folder
from projections.rows import Rows

_PAGE: Final = 5_000
_BATCH: Final = 20_000
_WRITE: Final = 20_000
"""So many finished rows are written at once."""
_KEPT: Final = 20_000
HOLD: Final = 600_000
"""So many rows are held (about 0.5 GB) before it goes on as live batches do, with what they need."""


def advance(
    connection: Connection[Any], schema: str, folder: Folder, page: list[stored.StoredRow], *, again: bool = False
) -> list[Decoded]:
    """Change the stored rows as a page says; gives its events. `again`: other pages follow in this transaction."""
    events = folder.decode(page)
    touched, ids = folder.touched(events)
    held = Rows(touched, everything=False)
    stored.load(connection, schema, held.values(), ids)
    folder.fold(held, events)
    for each in held.values():
        stored.merge(connection, schema, each, again=again)
    return events


class Filling:
    """The tables of a folder's views, being filled in a schema from position 0 (or where it came) to the goal."""

    def __init__(self, connection: Connection[Any], folder: Folder, schema: str, goal: int, hold: int = HOLD) -> None:
        self._connection = connection
        self._folder = folder
        self._schema = schema
        self._goal = goal
        self._hold = hold
        self._but = folder.unwanted()
        self._held = Rows(folder.tables, everything=True)
        self.position = 0
        self.batches = False

    def page(self) -> bool:
        """Go on by a page; whether there is more to do."""
        if self.position >= self._goal:
            return False
        last = min(self.position + (_BATCH if self.batches else _PAGE), self._goal)
        page = stored.read(self._connection, self.position, last, self._but)
        if self.batches:
            advance(self._connection, self._schema, self._folder, page, again=True)
        else:
            self._folder.fold(self._held, self._folder.decode(page))
            self._write(_WRITE)
        self.position = last
        if last >= self._goal and not self.batches:
            self._write_all()
        elif sum(map(len, self._held.values())) > self._hold:
            self._let_go()
        return last < self._goal

    def _write(self, least: int) -> None:
        for each in self._held.values():
            if len(each.finished) >= least:
                stored.copy(self._connection, Identifier(self._schema, each.table.table), each.table,
                            each.take_finished())  # fmt: skip

    def _write_all(self) -> None:
        for each in self._held.values():
            stored.copy(self._connection, Identifier(self._schema, each.table.table), each.table, each.changed())
        self._held = Rows(self._folder.tables, everything=True)

    def _let_go(self) -> None:
        """There are too many rows: from here on what a batch needs is read and merged."""
        self._write_all()
        for table in self._folder.tables:
            stored.index(self._connection, self._schema, table)
        self.batches = True

    # -- kept, so that a build that is killed goes on -----------------------------------------------------------------

    def keep(self, part: str) -> None:
        """Write what is in memory beside the tables, in the transaction that wrote what was finished."""
        kept = Identifier(self._schema, "kept")
        self._write(1)
        self._connection.execute(SQL("DELETE FROM {} WHERE part = %s").format(kept), [part])
        for each in self._held.values():
            keep, _ = tables.keeper(each.table)
            rows = each.rows()
            for few in (rows[i : i + _KEPT] for i in range(0, len(rows), _KEPT)):
                self._connection.execute(
                    SQL("INSERT INTO {} VALUES (%s, %s, %b)").format(kept), [part, each.table.table, keep(few)]
                )

    def go_on(self, part: str, position: int, *, batches: bool) -> None:
        """Begin where a killed build was kept."""
        self.position, self.batches = position, batches
        named = {table.table: table for table in self._folder.tables}
        kept = self._connection.execute(
            SQL('SELECT "table", rows FROM {} WHERE part = %s').format(Identifier(self._schema, "kept")), [part],
            binary=True,
        )  # fmt: skip
        for name, rows in kept:
            _, give_back = tables.keeper(named[name])
            for row in give_back(rows):
                self._held[named[name]].put(row)


@contextmanager
def without_collecting() -> Iterator[None]:
    """A fold makes a great many objects and no cycles; the search for cycles would take a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
