"""Which events concern a case, so that its history is read from the events themselves.

A case is a number, a person, an application or a transfer (an association or a key has its own stream only).
What concerns it is whole streams, so the table says which; `case_events(case, position)` is a view over it
and the events, found through their primary key.
"""

from typing import ClassVar, Final

from domain.application import Application
from domain.association import Association
from domain.endorsement import Endorsement
from domain.event import Event
from domain.key import Key
from domain.person import Person
from domain.transfer import Transfer
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class CaseStream(Row):
    """`since`: the position from which on the stream belongs to the case, earlier events included."""

    table: ClassVar[str] = "case_streams"
    key: ClassVar[tuple[str, ...]] = ("case", "stream")
    found_by: ClassVar[tuple[str, ...]] = ()

    case: str
    stream: str
    since: int


def change(rows: Rows, event: Event, position: int) -> None:
    stream = event.originator_id
    cases: tuple[str, ...]
    match event:
        case Application.Started():
            cases = (name_of(event), event.person)
        case Application.Approved():
            cases = (event.number,)
        case Endorsement.Awarded() | Endorsement.Imported():
            cases = (event.number, event.person)
        case Transfer.Requested():
            cases = (name_of(event), event.person, *event.endorsements)
        case _:
            cases = (name_of(event),)
    table = rows[CaseStream]
    for case in cases:
        table.add(CaseStream(case, stream, position))


VIEW: Final = View(
    "history",
    tables=(CaseStream,),
    takes=(
        Association.Admitted, Key.Published, Person.Registered, Application.Started, Application.Approved,
        Endorsement.Awarded, Endorsement.Imported, Transfer.Requested,
    ),
    change=change,
    extra="""CREATE VIEW {schema}.case_events AS
SELECT c."case", e.notification_id AS position, c.since
FROM {schema}.case_streams AS c JOIN registry.events AS e ON e.originator_id = c.stream
""",
)  # fmt: skip

_POSITIONS: Final = (
    'SELECT position FROM views.case_events WHERE "case" = %(case)s'
    " AND position <= coalesce(%(known)s::int8, 9223372036854775807)"
    " AND since <= coalesce(%(known)s::int8, 9223372036854775807)"
    " AND position > %(after)s ORDER BY position LIMIT %(limit)s"
)


def positions(case: str, *, known: int | None = None, after: int = 0, limit: int = 1000) -> Query:
    """Positions of every event that concerns a case, in order, as known at a position."""
    return Query(_POSITIONS, {"case": case, "known": known, "after": after, "limit": limit})
