"""Renewals: which are due and by when, how many have renewed, and who was reminded of which last day."""

from datetime import date
from typing import ClassVar, Final

from domain.association import ROWS
from domain.editions import renewal_term
from domain.endorsement import REMINDED_BEFORE, Endorsement
from domain.event import Event
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class RenewalReminderRow(Row):
    """The last reminder: of which last good day, and how many days before it."""

    table: ClassVar[str] = "renewal_reminders"
    key: ClassVar[tuple[str, ...]] = ("number",)
    found_by: ClassVar[tuple[str, ...]] = ("number",)

    number: str
    through: date
    days: int
    reminded_on: date


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001 # every view's shape
    if isinstance(event, Endorsement.RenewalReminded):
        number = name_of(event)
        rows[RenewalReminderRow].put(
            RenewalReminderRow(number, event.through, (event.through - event.on).days, event.on)
        )


VIEW: Final = View("renewals", tables=(RenewalReminderRow,), takes=(Endorsement.RenewalReminded,), change=change)

_NOW: Final = (
    " s.custodian = %(association)s AND s.standing = 'active'"
    " AND s.known_from <= coalesce(%(known)s::int8, 9223372036854775807)"
    " AND (s.known_to IS NULL OR s.known_to > coalesce(%(known)s::int8, 9223372036854775807))"
    " AND s.valid_from <= %(on)s AND (s.valid_to IS NULL OR s.valid_to > %(on)s)"
)
_COUNTED = (
    "SELECT s.through, count(*) AS active, count(*) FILTER (WHERE s.edition LIKE 'renewal-%%' AND NOT s.reported)"
    " AS attested FROM views.standing AS s WHERE" + _NOW + " GROUP BY s.through ORDER BY s.through"
)
_DUE = (
    "SELECT s.number, s.person, s.category, s.through, r.reminded_on FROM views.standing AS s"
    " LEFT JOIN views.renewal_reminders AS r ON r.number = s.number AND r.through = s.through WHERE" + _NOW
    + " AND s.through <= %(last)s AND s.number > %(after)s ORDER BY s.number LIMIT %(limit)s"
)  # fmt: skip
_TO_REMIND = (
    "SELECT e.number FROM views.endorsements AS e LEFT JOIN views.renewal_reminders AS r"
    " ON r.number = e.number AND r.through = e.through WHERE e.standing = 'active' AND e.through = ANY(%(lasts)s)"
    " AND (r.days IS NULL OR EXISTS (SELECT FROM unnest(%(before)s::int[]) AS step"
    " WHERE r.days > step AND e.through - %(on)s <= step))"
    ' AND e.number COLLATE "C" > %(after)s ORDER BY e.number COLLATE "C" LIMIT %(limit)s'
)


def counted(association: str, on: date, *, known: int | None = None) -> Query:
    """What an association holds as active on a day, by last good day; `attested`: by renewal under our rules."""
    return Query(_COUNTED, {"association": association, "on": on, "known": known})


def due(association: str, on: date, last: date, *, known: int | None = None, after: str = "", limit: int = 50) -> Query:
    """The active ones that end by `last`, by number; the last number is the cursor `after`.

    `known`: as believed at a position, but for `reminded_on`, which is of the present.
    """
    facts = {"association": association, "on": on, "last": last, "known": known, "after": after, "limit": limit}
    return Query(_DUE, facts)


def to_remind(on: date, after: str, limit: int) -> Query:
    """Numbers in an open window, of which the holder was not told, or not again near its end."""
    terms = [renewal_term(on, code) for code in ROWS]
    lasts = sorted({term.through for term in terms if term.opens <= on})
    facts = {"on": on, "lasts": lasts, "before": list(REMINDED_BEFORE), "after": after, "limit": limit}
    return Query(_TO_REMIND, facts)
