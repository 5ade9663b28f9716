"""Rows of views: a table is a struct, and the rows that a batch of events changes are held in memory."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

R = TypeVar("R", bound="Row")


class Row(msgspec.Struct, gc=False):
    """One row of one table; the subclass is the table: its fields are the columns, in order."""

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    # A batch loads the rows of which one of these columns holds an id that its events name.
    found_by: ClassVar[tuple[str, ...]]
    # SQL: which rows may still change; the others are never loaded.
    alive: ClassVar[str] = "true"
    # Rows are also found together by this column, whose value never changes.
    grouped_by: ClassVar[str] = ""
    indexes: ClassVar[tuple[str, ...]] = ()
    # Text that is ordered by its bytes, whatever the database's own order is.
    collate_c: ClassVar[tuple[str, ...]] = ()


_TYPES: dict[Any, str] = {
    str: "text",
    int: "int8",
    bool: "bool",
    date: "date",
    datetime: "timestamptz",
    list[str]: "text[]",
}


class Column(NamedTuple):
    name: str
    type: str
    nullable: bool
    hint: Any

    @property
    def is_json(self) -> bool:
        return self.type == "jsonb"


@cache
def columns(table: type[Row]) -> tuple[Column, ...]:
    hints = get_type_hints(table)
    return tuple(_column(name, hints[name]) for name in table.__struct_fields__)


def _column(name: str, hint: Any) -> Column:
    nullable = False
    if get_origin(hint) in (types.UnionType, Union):
        (hint,) = (arm for arm in get_args(hint) if arm is not type(None))
        nullable = True
    if get_origin(hint) is Literal:
        hint = str
    return Column(name, _TYPES.get(hint, "jsonb"), nullable, hint)


@cache
def loader(table: type[R]) -> Callable[[Sequence[Any]], R]:
    """Makes a row of what `SELECT` gave, its JSON columns as text."""
    decoders = [
        (i, msgspec.json.Decoder(column.hint).decode) for i, column in enumerate(columns(table)) if column.is_json
    ]

    def load(values: Sequence[Any]) -> R:
        cells = list(values)
        for i, decode in decoders:
            if cells[i] is not None:
                cells[i] = decode(cells[i])
        return table(*cells)

    return load


@cache
def keeper(table: type[R]) -> tuple[Callable[[Iterable[R]], bytes], Callable[[bytes], list[R]]]:
    """Makes bytes of rows, exactly as they are, and rows of bytes."""
    hints = get_type_hints(table)
    cells = msgspec.msgpack.Decoder(list[tuple[tuple(hints[name] for name in table.__struct_fields__)]])  # type: ignore[misc] # made here
    encode = msgspec.msgpack.Encoder().encode

    def keep(rows: Iterable[R]) -> bytes:
        return encode([msgspec.structs.astuple(row) for row in rows])

    def give_back(kept: bytes) -> list[R]:
        return [table(*values) for values in cells.decode(kept)]

    return keep, give_back


@cache
def copy_types(table: type[Row]) -> list[str]:
    return ["bytea" if column.is_json else column.type for column in columns(table)]


@cache
def cells(table: type[Row]) -> Callable[[Row], Sequence[Any]]:
    """Makes what a binary `COPY` takes of a row, with `copy_types`."""
    in_json = [i for i, column in enumerate(columns(table)) if column.is_json]
    if not in_json:
        return msgspec.structs.astuple

    encode = msgspec.json.Encoder().encode

    def dump(row: Row) -> Sequence[Any]:
        # On the wire jsonb is a byte for its version and text: psycopg's own way there takes three times as long.
        values = list(msgspec.structs.astuple(row))
        for i in in_json:
            if values[i] is not None:
                values[i] = b"\x01" + encode(values[i])
        return values

    return dump


class Held(Generic[R]):
    """The rows of one table that are in memory; those that changed have to be written."""

    def __init__(self, table: type[R], *, everything: bool) -> None:
        """`everything`: nothing has been written yet, so that all rows there are are held, and changed."""
        self.table = table
        self._key: Callable[[R], Any] = attrgetter(*table.key)
        self._group: Callable[[R], Any] | None = attrgetter(table.grouped_by) if table.grouped_by else None
        self._rows: dict[Any, R] = {}
        self._changed: dict[Any, R] = self._rows if everything else {}
        self._groups: dict[Any, dict[Any, R]] = {}
        self.finished: list[R] = []

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Any) -> R | None:
        """A row to look at."""
        return self._rows.get(key)

    def change(self, key: Any) -> R:
        """A row to change. Raises KeyError when there is none."""
        row = self._rows[key]
        self._changed[key] = row
        return row

    def put(self, row: R) -> R:
        key = self._key(row)
        self._rows[key] = self._changed[key] = row
        if self._group is not None:
            self._into_group(key, row)
        return row

    def _into_group(self, key: Any, row: R) -> None:
        value = getattr(row, self.table.grouped_by)
        group = self._groups.get(value)
        if group is None:
            self._groups[value] = {key: row}
        else:
            group[key] = row

    def group(self, value: Any) -> list[R]:
        """The held rows of a group, to look at."""
        found = self._groups.get(value)
        return list(found.values()) if found else []

    def add(self, row: R) -> None:
        """A new row that never changes."""
        self.finished.append(row)

    def finish(self, row: R) -> None:
        """This row never changes again."""
        key = self._key(row)
        if self._rows.pop(key, None) is not None:
            self._changed.pop(key, None)
            if self._group is not None:
                self._groups[self._group(row)].pop(key, None)
        self.finished.append(row)

    def load(self, rows: Iterable[R]) -> None:
        for row in rows:
            key = self._key(row)
            self._rows[key] = row
            if self._group is not None:
                self._into_group(key, row)

    def take_finished(self) -> list[R]:
        done, self.finished = self.finished, []
        return done

    def rows(self) -> list[R]:
        """Those that may change again."""
        return list(self._rows.values())

    def changed(self) -> list[R]:
        """Every row to write."""
        return [*self.finished, *self._changed.values()]


class Rows(dict[type[Row], Held[Row]]):
    """The held rows of every table: `rows[Standing].put(...)`."""

    def __init__(self, tables: Iterable[type[Row]], *, everything: bool) -> None:
        super().__init__((table, Held(table, everything=everything)) for table in tables)

    if TYPE_CHECKING:  # the dictionary's own method, with a table's own rows

        def __getitem__(self, table: type[R]) -> Held[R]: ...
