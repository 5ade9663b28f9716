"""Tables of rows in PostgreSQL: made, filled, read, merged into and indexed."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from projections import rows as tables
from projections.rows import Held, Row

StoredRow = tuple[int, str, int, str, bytes]
"""Position, stream, version, topic and state of an event."""

TEMPORARY: Final = "pg_temp"
_MERGED: Final = "merge_"
_EVENTS: Final = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM registry.events"
    " WHERE notification_id > %s AND notification_id <= %s{} ORDER BY notification_id"
)


def read(connection: Connection[Any], after: int, last: int, but: Sequence[str] = ()) -> list[StoredRow]:
    """The events after one position and up to another, without those of these topics."""
    topics = SQL(" AND topic NOT IN ({})").format(SQL(", ").join(map(Literal, but))) if but else SQL("")
    with connection.cursor(binary=True) as cursor:
        cursor.execute(SQL(_EVENTS).format(topics), [after, last], prepare=True)
        return cursor.fetchall()


def last_position(connection: Connection[Any]) -> int:
    (last,) = connection.execute("SELECT coalesce(max(notification_id), 0) FROM registry.events").fetchone() or (0,)
    return int(last)


def take_time(connection: Connection[Any]) -> None:
    """Settings of a transaction that takes long and may be lost: whatever it makes can be made again."""
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    connection.execute("SET LOCAL synchronous_commit = off")
    connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
    # The new tables are counted before they are served; a small sample will do until the server counts itself.
    connection.execute("SET LOCAL default_statistics_target = 20")
    connection.execute("SET LOCAL client_min_messages = warning")


def names(columns: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, columns))


def create(connection: Connection[Any], schema: str, table: type[Row]) -> None:
    lines: list[Composable] = [
        SQL("{} {}{}{}").format(
            Identifier(column.name),
            SQL(column.type),
            SQL(' COLLATE "C"' if column.name in table.collate_c else ""),
            SQL("" if column.nullable else " NOT NULL"),
        )
        for column in tables.columns(table)
    ]
    connection.execute(SQL("CREATE TABLE {} ({})").format(Identifier(schema, table.table), SQL(", ").join(lines)))


def index(connection: Connection[Any], schema: str, table: type[Row]) -> None:
    """All of a table's indexes, or none."""
    target = Identifier(schema, table.table)
    with connection.transaction():
        connection.execute(SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(target, names(table.key)))
        for each in table.indexes:
            connection.execute(SQL("CREATE INDEX ON {} ").format(target) + SQL(each))
        connection.execute(SQL("ANALYZE {}").format(target))


def is_indexed(connection: Connection[Any], schema: str, table: type[Row]) -> bool:
    target = Identifier(schema, table.table).as_string()
    found = connection.execute("SELECT FROM pg_index WHERE indisprimary AND indrelid = to_regclass(%s)", [target])
    return found.rowcount > 0


def load(connection: Connection[Any], schema: str, held: Iterable[Held[Row]], ids: Sequence[str]) -> None:
    """Have the rows in memory that may change with what happens to these ids."""
    with connection.cursor(binary=True) as cursor:
        for each in held:
            if each.table.found_by:
                cursor.execute(_select(schema, each.table), {"ids": ids})
                each.load(map(tables.loader(each.table), cursor))


def _select(schema: str, table: type[Row]) -> Composed:
    wanted = SQL(", ").join(
        SQL("{}::text").format(Identifier(column.name)) if column.is_json else Identifier(column.name)
        for column in tables.columns(table)
    )
    found_by = SQL(" OR ").join(SQL("{} = ANY(%(ids)s)").format(Identifier(name)) for name in table.found_by)
    return SQL("SELECT {} FROM {} WHERE ({}) AND {}").format(
        wanted, Identifier(schema, table.table), found_by, SQL(table.alive)
    )


def copy(connection: Connection[Any], target: Identifier, table: type[Row], rows: Sequence[Row]) -> None:
    if not rows:
        return
    cells = tables.cells(table)
    statement = SQL("COPY {} FROM STDIN (FORMAT binary)").format(target)
    with connection.cursor() as cursor, cursor.copy(statement) as to:
        to.set_types(tables.copy_types(table))
        write = to.write_row
        for row in rows:
            write(cells(row))


def merge(connection: Connection[Any], schema: str, held: Held[Row], *, again: bool = False) -> None:
    """Write the changed rows: COPY into a temporary table, then one merge. `again`: more follow in this transaction."""
    rows = held.changed()
    if not rows:
        return
    table = held.table
    target, scratch = Identifier(schema, table.table), Identifier(TEMPORARY, _MERGED + table.table)
    connection.execute(
        SQL("CREATE TEMP TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DELETE ROWS").format(
            Identifier(_MERGED + table.table), target
        )
    )
    copy(connection, scratch, table, rows)
    others = [column.name for column in tables.columns(table) if column.name not in table.key]
    connection.execute(
        SQL("INSERT INTO {} SELECT * FROM {} ON CONFLICT ({}) DO UPDATE SET {}").format(
            target,
            scratch,
            names(table.key),
            SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(name)) for name in others),
        )
    )
    if again:
        connection.execute(SQL("TRUNCATE {}").format(scratch))
