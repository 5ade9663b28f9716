"""References by state: which wait for vetting or a reminder, which get too old; nothing personal is in it."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

from domain.editions import RATING_REMINDER_DAYS
from domain.event import Event
from domain.reference import Reference, counts_through
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class ReferenceRow(Row):
    """`asked_on`: when the present link was sent; `good_through`: the last day on which a rating given may count."""

    table: ClassVar[str] = "rater_references"
    key: ClassVar[tuple[str, ...]] = ("reference",)
    found_by: ClassVar[tuple[str, ...]] = ("reference",)
    indexes: ClassVar[tuple[str, ...]] = (
        "(association, state, nominated_on, reference)",
        "(person)",
        "(asked_on) WHERE state = 'requested'",
    )

    reference: str
    person: str
    association: str
    application: str
    relationship: str
    waiver: bool
    endorsed: bool
    state: str
    nominated_on: date
    reason: str = ""
    vetted: bool | None = None
    asked_on: date | None = None
    link_until: date | None = None
    reminders: int = 0
    completed_on: date | None = None
    good_through: date | None = None
    relayed: bool = False


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001, C901 # every view's shape; one case for each event
    name = name_of(event)
    if isinstance(event, Reference.Nominated):
        rows[ReferenceRow].put(
            ReferenceRow(
                name, event.person, event.association, event.application, event.relationship, event.waiver,
                event.confirmed, "nominated", event.on,
            )
        )  # fmt: skip
        return
    row = rows[ReferenceRow].change(name)
    match event:
        case Reference.Requested():
            row.state = "requested"
            row.asked_on = event.on
            row.link_until = event.until
            row.reminders = 0
        case Reference.Reminded():
            row.reminders += 1
        case Reference.Vetted():
            row.vetted = event.qualified
        case Reference.Rated():
            row.state = "rated"
            row.completed_on = event.completed_on
            row.good_through = counts_through(event.completed_on, row.association, event.on)
        case Reference.Declined():
            row.state = "declined"
            row.reason = event.reason
        case Reference.Rejected():
            row.state = "rejected"
            row.reason = event.reason
        case Reference.ReasonsRelayed():
            row.relayed = True
        case Reference.Withdrawn():
            row.state = "withdrawn"
        case Reference.Erased():
            row.state = "erased"


VIEW: Final = View(
    "references",
    tables=(ReferenceRow,),
    takes=(
        Reference.Nominated, Reference.Requested, Reference.Reminded, Reference.Vetted, Reference.Rated,
        Reference.Declined, Reference.Rejected, Reference.ReasonsRelayed, Reference.Withdrawn, Reference.Erased,
    ),
    change=change,
)  # fmt: skip

EXPIRING_DAYS: Final = 30
"""So long before a rating gets too old its application is told (ours)."""

# A family associate's place for a rater who qualifies is the only one that vetting can fill (R6). What was given or
# sent for an application that is decided waits no more.
_WAITING: Final = """
SELECT r.reference, r.person, r.relationship, r.state, r.nominated_on, r.asked_on, r.good_through, r.waiting
FROM (
    SELECT r.*, CASE
        WHEN r.state IN ('requested', 'rated') AND r.vetted IS NULL AND NOT r.endorsed
            AND a.category IN ('IFA', 'ECFA') THEN 'vetting'
        WHEN r.state = 'requested' AND r.link_until < %(on)s::date THEN 'link_expired'
        WHEN r.state = 'requested' AND r.asked_on + %(overdue)s::int <= %(on)s::date THEN 'overdue'
        WHEN r.state = 'rated' AND r.good_through BETWEEN %(on)s::date AND %(on)s::date + %(expiring)s::int
            THEN 'expiring'
    END AS waiting
    FROM views.rater_references AS r JOIN views.applications AS a ON a.application = r.application
    WHERE r.state IN ('requested', 'rated') AND a.state IN ('started', 'registered', 'building', 'on_hold', 'deferred')
        AND (%(association)s::text IS NULL OR r.association = %(association)s)
) AS r
WHERE r.waiting IS NOT NULL
    AND (r.nominated_on, r.reference) > (coalesce(%(after_on)s::date, '-infinity'), %(after)s)
ORDER BY r.nominated_on, r.reference LIMIT %(limit)s
"""
_OF_APPLICATIONS: Final = (
    "SELECT reference FROM views.rater_references WHERE person = ANY(%(people)s)"
    " AND application = ANY(%(applications)s) LIMIT %(limit)s"
)
_DUE: Final = (
    "SELECT reference FROM views.rater_references WHERE state = 'requested' AND link_until >= %(on)s::date - 1"
    " AND asked_on + %(first)s::int <= %(on)s::date AND reminders < %(most)s"
    ' AND reference COLLATE "C" > %(after)s ORDER BY reference COLLATE "C" LIMIT %(limit)s'
)


def waiting(
    association: str | None, on: date, *, after: tuple[date | None, str] = (None, ""), limit: int = 50
) -> Query:
    """What waits of open applications, oldest first: `vetting`, `link_expired`, `overdue` (after the last reminder),
    `expiring`. The cursor is `nominated_on` and `reference` of the last row.
    """
    return Query(
        _WAITING,
        {
            "association": association,
            "on": on,
            "overdue": RATING_REMINDER_DAYS[-1],
            "expiring": EXPIRING_DAYS,
            "after_on": after[0],
            "after": after[1],
            "limit": limit,
        },
    )


def of_applications(people: Sequence[str], names: Sequence[str], *, limit: int) -> Query:
    """The references of these people for these applications."""
    return Query(_OF_APPLICATIONS, {"people": list(people), "applications": list(names), "limit": limit})


def reminders_due(on: date, after: str, limit: int) -> Query:
    """For the nightly rule: whom a reminder may be due, where the day begins first."""
    first, *_ = RATING_REMINDER_DAYS
    most = len(RATING_REMINDER_DAYS)
    return Query(_DUE, {"on": on, "first": first, "most": most, "after": after, "limit": limit})
