"""Compares live views with what the history makes of them, and explains each difference by the events that make it."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.sql import SQL, Identifier

import domain.events  # noqa: F401 # so that there are all kinds
from domain.aggregate import Aggregate
from projections import stored
from projections.building import Job, Step, Told
from projections.filling import Filling
from projections.folding import Folder, Stopped
from projections.history import CaseStream
from projections.rows import Row, Rows
from projections.view import View

LIVE: Final = "views"
_LISTED: Final = 100
_CONCERNED: Final = 20
_LONGEST_ID: Final = 64
_KINDS: Final = tuple(sorted({kind.kind for kind in Aggregate.__subclasses__()}))


class Made(NamedTuple):
    """An event that made a row, or what differs of it."""

    position: int
    stream: str
    topic: str


class Difference(NamedTuple):
    """A row that is not as rebuilt; `columns` is empty where the whole row is `missing` or `superfluous`.

    `events`: those that make what differs, the latest ones if they are many; none where no event makes such a row.
    """

    table: str
    key: dict[str, Any]
    kind: str
    columns: list[str]
    events: list[Made]


class Found(NamedTuple):
    """The first differences of a table, each with all the texts of its rows, and how many there are."""

    table: str
    differences: list[tuple[Difference, list[str]]]
    total: int


def differ(connection: Connection[Any], folder: Folder, job: Job, told: Told) -> list[Found]:
    """Fold a part in a transaction of its own, of which nothing stays, and find what differs. Raises Stopped."""
    with connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute(SQL("SET TRANSACTION SNAPSHOT {}").format(job.snapshot))
        return differ_within(connection, folder, job, told)


def differ_within(connection: Connection[Any], folder: Folder, job: Job, told: Told) -> list[Found]:
    """As `differ`, in the caller's transaction."""
    stored.take_time(connection)
    connection.execute("SET LOCAL work_mem = '64MB'")
    for table in folder.tables:
        stored.create(connection, stored.TEMPORARY, table)
    filling = Filling(connection, folder, stored.TEMPORARY, job.goal, job.hold)
    while filling.page():
        told(Step("events", filling.position, job.goal, 0))
    found = []
    for n, table in enumerate(folder.tables):
        told(Step("tables", n, len(folder.tables), 0))
        connection.execute(SQL("ANALYZE {}").format(Identifier(stored.TEMPORARY, table.table)))
        found.append(_differences(connection, table))
    return found


def _differences(connection: Connection[Any], table: type[Row]) -> Found:
    rows = connection.execute(
        SQL(
            "SELECT to_jsonb(live), to_jsonb(rebuilt), count(*) OVER () FROM {} AS live FULL JOIN {} AS rebuilt"
            " USING ({key}) WHERE live IS DISTINCT FROM rebuilt ORDER BY {key} LIMIT %s"
        ).format(Identifier(LIVE, table.table), Identifier(stored.TEMPORARY, table.table), key=stored.names(table.key)),
        [_LISTED],
    ).fetchall()
    found = []
    for live, rebuilt, _ in rows:
        row = live or rebuilt
        kind = "superfluous" if rebuilt is None else "missing" if live is None else "different"
        columns = sorted(name for name in row if live and rebuilt and live[name] != rebuilt[name])
        key = {name: row[name] for name in table.key}
        texts = [value for each in (live, rebuilt) if each for value in each.values() if isinstance(value, str)]
        found.append((Difference(table.table, key, kind, columns, []), texts))
    return Found(table.table, found, rows[0][2] if rows else 0)


def explain(connection: Connection[Any], folder: Folder, found: Iterable[Found], until: int) -> list[Difference]:
    """Each difference with the events that make it: those of its streams, folded again one by one."""
    views = {table.table: view for view in folder.views for table in view.tables}
    return [
        difference._replace(events=_makers(connection, folder, views[each.table], difference, texts, until))
        for each in found
        for difference, texts in each.differences
    ]


def _makers(  # what was found, and where
    connection: Connection[Any], folder: Folder, view: View, difference: Difference, texts: list[str], until: int
) -> list[Made]:
    alone = folder.only([*_needed(view), view])
    (table,) = (table for table in view.tables if table.table == difference.table)
    held = Rows(alone.tables, everything=True)
    before: dict[str, Any] | None = None
    made: list[Made] = []
    telling: list[Made] = []
    for page in _streams_of(connection, texts, until):
        try:
            events = alone.decode([page])
            alone.fold(held, events)
        except Stopped:
            continue  # of another case, whose beginning is not among these
        after = _row(held, table, difference.key)
        if after == before:
            continue
        event = Made(page[0], page[1], page[3])
        made.append(event)
        if before is None or after is None or any(before[name] != after[name] for name in difference.columns):
            telling.append(event)
        before = after
    last = telling[-1:] if difference.columns else made
    return (last or made)[-_CONCERNED:]


def _needed(view: View) -> list[View]:
    return [each for needed in view.needs for each in (*_needed(needed), needed)]


def _row(held: Rows, table: type[Row], key: dict[str, Any]) -> dict[str, Any] | None:
    rows = [*held[table].finished, *held[table].rows()]
    for row in reversed(rows):
        if all(msgspec.to_builtins(getattr(row, name)) == value for name, value in key.items()):
            return {name: msgspec.to_builtins(getattr(row, name)) for name in table.__struct_fields__}
    return None


def _streams_of(connection: Connection[Any], texts: list[str], until: int) -> list[stored.StoredRow]:
    """The events of every stream that is named for one of these texts, or belongs to its case, in order."""
    ids = sorted({part for text in texts if len(text) <= _LONGEST_ID for part in text.split("/")})
    with connection.cursor(binary=True) as cursor:
        cursor.execute(
            SQL(
                "SELECT notification_id, originator_id, originator_version, topic, state FROM registry.events"
                " WHERE notification_id <= %s AND originator_id IN ("
                'SELECT stream FROM {} WHERE "case" = ANY(%s)'
                " UNION SELECT kind || '/' || id FROM unnest(%s::text[]) AS kind, unnest(%s::text[]) AS id"
                ") ORDER BY notification_id"
            ).format(Identifier(LIVE, CaseStream.table)),
            [until, ids, list(_KINDS), ids],
        )
        return cursor.fetchall()
