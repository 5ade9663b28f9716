"""Scratch schemas that hold the views as they were at a position, with the questions turned to them.

`projection.replays` names those that are whole; a schema without its row there was never finished and is removed.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections import standing, stored
from projections.people import PersonRow

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PREFIX: Final = "replay_"
_EVENTS: Final = re.compile(r"\bregistry\.events\b(\s+AS\s+\w+)?")
_VIEWS: Final = re.compile(r"\bviews\.")
_CLAIMS: Final = re.compile(r"\bregistry\.claims\b")
_COLUMNS: Final = "name, position, known, made_at, shape"


class Unknowable(Exception):
    """Nothing was known then, or nothing yet: a moment before the first event, or a position beyond the last."""


class BadReplay(Exception):
    """There is no such replay, or there is one of this name already; says which there are."""


class Replay(NamedTuple):
    """`known`: the moment up to which things were known, as it was asked for or of the last event."""

    name: str
    position: int
    known: datetime
    made_at: datetime
    shape: str

    @property
    def schema(self) -> str:
        return _PREFIX + self.name

    def as_of(self, sql: str) -> str:
        """A question to the live views, the events or the claims as one to these."""
        return as_of(sql, self.schema, self.position)


def as_of(sql: str, schema: str, position: int) -> str:
    events = f"(SELECT * FROM registry.events WHERE notification_id <= {position})"
    sql = _EVENTS.sub(lambda found: f"{events}{found[1] or ' AS events'}", sql)
    return _CLAIMS.sub(f"{schema}.claims", _VIEWS.sub(f"{schema}.", sql))


def schema_of(name: str) -> str:
    """Raises BadReplay for a name that can't be one."""
    if not NAME.fullmatch(name):
        raise BadReplay("Name it with up to 40 small letters, digits and underscores, a letter first.")
    return _PREFIX + name


def moment(connection: Connection[Any], known: int | datetime) -> tuple[int, datetime]:
    """The position, and the moment, up to which a history is to be replayed. Raises Unknowable."""
    last = stored.last_position(connection)
    if not last:
        raise Unknowable("There are no events yet.")
    if isinstance(known, int):
        if not 1 <= known <= last:
            raise Unknowable(f"Position {known} is not there: the history has positions 1 to {last}.")
        return known, _written_at(connection, known)
    (now,) = connection.execute("SELECT now()").fetchone() or (known,)
    if known > now:
        raise Unknowable(f"{known:%Y-%m-%d %H:%M} UTC has not come yet.")
    query = standing.position_at(known)
    (position,) = connection.execute(query.sql.encode(), query.parameters).fetchone() or (0,)
    if not position:
        first = _written_at(connection, 1)
        raise Unknowable(f"Nothing was known then: the first event was recorded on {first:%Y-%m-%d %H:%M} UTC.")
    return position, known


def _written_at(connection: Connection[Any], position: int) -> datetime:
    (at,) = connection.execute(
        "SELECT (convert_from(state, 'UTF8')::json ->> 'recorded_at')::timestamptz FROM registry.events"
        " WHERE notification_id = %s",
        [position],
    ).fetchone() or (None,)
    if not isinstance(at, datetime):
        raise Unknowable(f"Position {position} does not say when it was recorded.")
    return at


def found(connection: Connection[Any]) -> list[Replay]:
    """All of them whose schema is there, by name."""
    try:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM projection.replays WHERE to_regnamespace(%s || name) IS NOT NULL ORDER BY name",
            [_PREFIX],
        ).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return []
    return [Replay(*row) for row in rows]


def named(connection: Connection[Any], name: str) -> Replay:
    """Raises BadReplay."""
    schema_of(name)
    there = found(connection)
    for replay in there:
        if replay.name == name:
            return replay
    raise gone(name, there)


def gone(name: str, there: Sequence[Replay]) -> BadReplay:
    names = ", ".join(replay.name for replay in there) or "none"
    return BadReplay(
        f"There is no replay {name} (any more). There are: {names}. Make it: registry replay --known T --name {name}."
    )


def make(connection: Connection[Any], replay: tuple[str, int, datetime, str], build: Callable[[str], None]) -> Replay:
    """Have the schema built, and write down that it is whole. Raises BadReplay; a failed one leaves nothing."""
    name, position, known, shape = replay
    schema = schema_of(name)
    _keep_house(connection)
    if name in {each.name for each in found(connection)}:
        raise BadReplay(f"There is a replay {name} already. Drop it first: registry replay --drop {name}.")
    try:
        build(schema)
        with connection.transaction():
            forget(connection, None)
            # A row whose schema somebody dropped by hand.
            connection.execute("DELETE FROM projection.replays WHERE name = %s", [name])
            row = connection.execute(
                f"INSERT INTO projection.replays ({_COLUMNS}) VALUES (%s, %s, %s, now(), %s) RETURNING {_COLUMNS}",
                [name, position, known, shape],
            ).fetchone()
    except BaseException:
        if not connection.closed:
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))
        raise
    return Replay(*row or ())


def _keep_house(connection: Connection[Any]) -> None:
    """Have the table of replays, and remove schemas that were never finished."""
    with connection.transaction():
        connection.execute("SET LOCAL client_min_messages = warning")
        connection.execute("CREATE SCHEMA IF NOT EXISTS projection")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS projection.replays (name text PRIMARY KEY, position int8 NOT NULL,"
            " known timestamptz NOT NULL, made_at timestamptz NOT NULL, shape text NOT NULL)"
        )
        whole = {replay.schema for replay in found(connection)}
        for schema in _schemas(connection):
            if schema not in whole:
                connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


def _schemas(connection: Connection[Any]) -> list[str]:
    rows = connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [_PREFIX]).fetchall()
    return [schema for (schema,) in rows]


def drop(connection: Connection[Any], names: Sequence[str]) -> None:
    with connection.transaction():
        connection.execute("SET LOCAL client_min_messages = warning")
        for name in names:
            connection.execute("DELETE FROM projection.replays WHERE name = %s", [name])
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema_of(name))))


def forget(connection: Connection[Any], people: Sequence[str] | None) -> None:
    """No scratch schema holds the names of these people any more; None: of all who are erased by now."""
    for schema in _schemas(connection):
        table = Identifier(schema, PersonRow.table)
        if connection.execute("SELECT to_regclass(%s)", [table.as_string()]).fetchone() == (None,):
            continue
        wiped = SQL("UPDATE {} SET name = NULL, credentials = NULL, folded = NULL WHERE person = ANY(%s)").format(table)
        if people is None:
            people = [person for (person,) in connection.execute("SELECT person FROM views.people WHERE erased")]
        connection.execute(wiped, [list(people)])
