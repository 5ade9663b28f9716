"""Transfer cases: from where to where, on whose word, and how far each has come."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

from domain.event import Event
from domain.transfer import Transfer
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class TransferRow(Row):
    """`standings`: the releasing association's word on each number; `refused`: which were not taken, and why."""

    table: ClassVar[str] = "transfers"
    key: ClassVar[tuple[str, ...]] = ("transfer",)
    found_by: ClassVar[tuple[str, ...]] = ("transfer",)
    indexes: ClassVar[tuple[str, ...]] = (
        "(releasing, state)",
        "(receiving, state)",
        "(person)",
        "USING gin (numbers)",
    )

    transfer: str
    person: str
    releasing: str
    receiving: str
    numbers: list[str]
    state: str
    requested_on: date
    last_on: date
    standings: dict[str, str] = {}
    confirmed_on: date | None = None
    dispute: str | None = None
    membership_through: date | None = None
    accepted: list[str] = []
    refused: dict[str, str] = {}
    declined: str | None = None
    completed_on: date | None = None


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001 # every view's shape
    name = name_of(event)
    if isinstance(event, Transfer.Requested):
        rows[TransferRow].put(
            TransferRow(
                name, event.person, event.from_, event.to, list(event.endorsements), "requested", event.on, event.on
            )
        )
        return
    row = rows[TransferRow].change(name)
    row.last_on = event.on
    match event:
        case Transfer.StandingConfirmed():
            row.state = "confirmed"
            row.standings = dict(event.standings)
            row.confirmed_on = event.on
        case Transfer.StandingDisputed():
            row.state = "disputed"
            row.dispute = event.reason
        case Transfer.DisputeDecided():
            row.state = "confirmed" if event.good_standing else "refused"
            row.confirmed_on = event.on if event.good_standing else None
        case Transfer.MembershipVerified():
            row.membership_through = event.through
        case Transfer.Accepted():
            row.state = "accepted"
            row.accepted = list(event.endorsements)
            row.refused = dict(event.refused)
        case Transfer.Declined():
            row.state = "declined"
            row.declined = event.reason
        case Transfer.Completed():
            row.state = "completed"
            row.completed_on = event.on
        case Transfer.Cancelled():
            row.state = "cancelled"


VIEW: Final = View(
    "transfers",
    tables=(TransferRow,),
    takes=(
        Transfer.Requested, Transfer.StandingConfirmed, Transfer.StandingDisputed, Transfer.DisputeDecided,
        Transfer.MembershipVerified, Transfer.Accepted, Transfer.Declined, Transfer.Completed, Transfer.Cancelled,
    ),
    change=change,
)  # fmt: skip

_COLUMNS: Final = (
    "transfer, person, releasing, receiving, numbers, state, requested_on, last_on, standings, confirmed_on, dispute,"
    " membership_through, accepted, refused, declined, completed_on"
)
_INBOX = (
    "SELECT " + _COLUMNS + " FROM views.transfers"
    " WHERE (%(association)s::text IS NULL OR releasing = %(association)s OR receiving = %(association)s)"
    " AND state = ANY(%(states)s) AND (requested_on, transfer) > (coalesce(%(after_on)s::date, '-infinity'), %(after)s)"
    " ORDER BY requested_on, transfer LIMIT %(limit)s"
)
_ONE = "SELECT " + _COLUMNS + " FROM views.transfers WHERE transfer = %(transfer)s"
_OF_PERSON = "SELECT " + _COLUMNS + " FROM views.transfers WHERE person = %(person)s ORDER BY requested_on, transfer"
_OF_NUMBER = (
    "SELECT " + _COLUMNS + " FROM views.transfers WHERE numbers @> ARRAY[%(number)s::text] ORDER BY requested_on"
)

OPEN: Final = ("requested", "confirmed", "disputed")


def inbox(
    association: str | None,
    *,
    states: Sequence[str] = OPEN,
    after: tuple[date | None, str] = (None, ""),
    limit: int = 50,
) -> Query:
    """Both sides, oldest first; the cursor is `requested_on` and `transfer` of the last row."""
    return Query(
        _INBOX,
        {
            "association": association,
            "states": list(states),
            "after_on": after[0],
            "after": after[1],
            "limit": limit,
        },
    )


def of(transfer: str) -> Query:
    return Query(_ONE, {"transfer": transfer})


def of_person(person: str) -> Query:
    return Query(_OF_PERSON, {"person": person})


def of_number(number: str) -> Query:
    return Query(_OF_NUMBER, {"number": number})
