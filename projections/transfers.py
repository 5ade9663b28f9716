"""Transfer cases: from where to where, on whose word, and how far each has come."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

from domain.event import Event
from domain.transfer import OPEN, Transfer
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class TransferRow(Row):
    """`standings`: the releasing association's word on each number; `refused`: which were not taken, and why.

    `held`: what is on hold, and why; `taken`: by the Alliance, as not offered where they were to go. `opened_at` to
    `closed_at`: the positions between which it was open; `formerly`: the associations it passed on from.
    """

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
    held: dict[str, str] = {}
    taken: list[str] = []
    opened_at: int = 0
    closed_at: int | None = None
    formerly: list[str] = []


def change(rows: Rows, event: Event, position: int) -> None:
    name = name_of(event)
    if isinstance(event, Transfer.Requested):
        rows[TransferRow].put(
            TransferRow(
                name,
                event.person,
                event.from_,
                event.to,
                list(event.endorsements),
                "requested",
                event.on,
                event.on,
                opened_at=position,
            )
        )
        return
    row = rows[TransferRow].change(name)
    row.last_on = event.on
    before = row.state
    _step(row, event)
    if row.state != before:
        row.closed_at = None if row.state in OPEN else position
    _details(row, event)


def _step(row: TransferRow, event: Event) -> None:
    """How far the case has come."""
    match event:
        case Transfer.StandingConfirmed():
            row.state, row.confirmed_on = "confirmed", event.on
        case Transfer.StandingDisputed():
            row.state = "disputed"
        case Transfer.LeftUnanswered():
            row.state = "unanswered"
        case Transfer.DisputeDecided():
            row.state = "confirmed" if event.good_standing else "refused"
            row.confirmed_on = event.on if event.good_standing else None
        case Transfer.Accepted():
            row.state = "accepted"
        case Transfer.Declined():
            row.state = "declined"
        case Transfer.Completed():
            row.state, row.completed_on = "completed", event.on
        case Transfer.Cancelled():
            row.state = "cancelled"


def _details(row: TransferRow, event: Event) -> None:  # noqa: C901 # one case for each event
    match event:
        case Transfer.StandingConfirmed():
            row.standings = dict(event.standings)
        case Transfer.StandingDisputed():
            row.dispute = event.reason
        case Transfer.MembershipVerified():
            row.membership_through = event.through
        case Transfer.Accepted():
            row.accepted, row.refused = list(event.endorsements), dict(event.refused)
        case Transfer.Declined():
            row.declined, row.refused = event.reason, dict.fromkeys(event.endorsements, event.reason)
        case Transfer.Held():
            row.held = row.held | dict.fromkeys(event.endorsements, event.reason)
        case Transfer.Released():
            row.held = {number: why for number, why in row.held.items() if number not in event.endorsements}
        case Transfer.CustodyTaken():
            row.taken = [*row.taken, *event.endorsements]
        case Transfer.SidePassed(side="releasing"):
            row.formerly = [*row.formerly, row.releasing]
            row.releasing = event.to
        case Transfer.SidePassed():
            row.formerly = [*row.formerly, row.receiving]
            row.receiving = event.to


VIEW: Final = View(
    "transfers",
    tables=(TransferRow,),
    takes=(
        Transfer.Requested, Transfer.StandingConfirmed, Transfer.StandingDisputed, Transfer.DisputeDecided,
        Transfer.MembershipVerified, Transfer.Accepted, Transfer.Declined, Transfer.Completed, Transfer.Cancelled,
        Transfer.LeftUnanswered, Transfer.Held, Transfer.Released, Transfer.CustodyTaken, Transfer.SidePassed,
    ),
    change=change,
)  # fmt: skip

_COLUMNS: Final = (
    "transfer, person, releasing, receiving, numbers, state, requested_on, last_on, standings, confirmed_on, dispute,"
    " membership_through, accepted, refused, declined, completed_on, held, taken"
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

_DESK = (
    "SELECT " + _COLUMNS + " FROM views.transfers WHERE state IN ('disputed', 'unanswered')"
    " ORDER BY requested_on, transfer LIMIT %(limit)s"
)
_OPEN_AT = (
    "SELECT transfer FROM views.transfers WHERE (%(association)s::text IS NULL OR releasing = %(association)s"
    " OR receiving = %(association)s OR formerly @> ARRAY[%(association)s::text]) AND opened_at <= %(known)s"
    " AND (closed_at IS NULL OR closed_at > %(known)s) LIMIT %(limit)s"
)
_WITHOUT_WORD = (
    "SELECT transfer FROM views.transfers WHERE state = 'requested' AND requested_on <= %(on)s::date - 7"
    ' AND transfer COLLATE "C" > %(after)s ORDER BY transfer COLLATE "C" LIMIT %(limit)s'
)
_OPEN_CASES = (
    "SELECT transfer FROM views.transfers WHERE state = ANY(%(states)s)"
    ' AND transfer COLLATE "C" > %(after)s ORDER BY transfer COLLATE "C" LIMIT %(limit)s'
)


def desk(limit: int = 50) -> Query:
    """What the Alliance has to decide, of all associations, oldest first: disputes, and silences of 14 days."""
    return Query(_DESK, {"limit": limit})


def without_word(on: date, after: str = "", limit: int = 100) -> Query:
    """Cases of a week and more in which the releasing association has said nothing yet."""
    return Query(_WITHOUT_WORD, {"on": on, "after": after, "limit": limit})


def open_cases(on: date, after: str = "", limit: int = 100) -> Query:  # noqa: ARG001 # as nightly rules ask
    """Every case that is still open."""
    return Query(_OPEN_CASES, {"states": list(OPEN), "after": after, "limit": limit})


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


def open_at(association: str | None, known: int, *, limit: int) -> Query:
    """Those that may have been open at a position, on either side: all that were, and some more."""
    return Query(_OPEN_AT, {"association": association, "known": known, "limit": limit})


def of(transfer: str) -> Query:
    return Query(_ONE, {"transfer": transfer})


def of_person(person: str) -> Query:
    return Query(_OF_PERSON, {"person": person})


def of_number(number: str) -> Query:
    return Query(_OF_NUMBER, {"number": number})
