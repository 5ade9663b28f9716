"""Quality reviews as they stand: what was drawn, who looks again, how far both agree, what was found."""

from collections.abc import Collection
from datetime import date
from typing import Any, ClassVar, Final

import msgspec

from domain.event import Event
from domain.quality import QualityReview
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class QualityReviewRow(Row):
    table: ClassVar[str] = "quality_reviews"
    key: ClassVar[tuple[str, ...]] = ("review",)
    found_by: ClassVar[tuple[str, ...]] = ("review",)
    indexes: ClassVar[tuple[str, ...]] = ("(association, drawn_on, review)",)

    review: str
    association: str
    from_day: date
    through: date
    drawn_on: date
    last_on: date
    population: int
    state: str = "open"
    agreement: dict[str, Any] = {}
    items: dict[str, Any] = {}
    findings: dict[str, Any] = {}


class SecondReviewRow(Row):
    """A second look that somebody was asked for; `done_on` None while it waits."""

    table: ClassVar[str] = "second_reviews"
    key: ClassVar[tuple[str, ...]] = ("review", "item")
    found_by: ClassVar[tuple[str, ...]] = ("review",)
    indexes: ClassVar[tuple[str, ...]] = ("(person) WHERE done_on IS NULL",)

    review: str
    item: str
    person: str
    reviewer: str
    asked_on: date
    done_on: date | None = None


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001 # every view's shape
    table = rows[QualityReviewRow]
    review = name_of(event)
    if isinstance(event, QualityReview.SampleDrawn):
        table.put(
            QualityReviewRow(
                review, event.association, event.from_, event.through, event.on, event.on, len(event.population),
                items=dict.fromkeys(event.items),
            )
        )  # fmt: skip
        return
    row = table.change(review)
    row.last_on = event.on
    match event:
        case QualityReview.SecondReviewerAssigned():
            row.items = row.items | {event.item: {"reviewer": event.reviewer, "outcome": None}}
            rows[SecondReviewRow].put(SecondReviewRow(review, event.item, event.person, event.reviewer, event.on))
        case QualityReview.SecondReviewRecorded():
            row.items = row.items | {event.item: {"reviewer": event.reviewer, "outcome": event.outcome}}
            rows[SecondReviewRow].change((review, event.item)).done_on = event.on
        case QualityReview.AgreementComputed():
            row.agreement = msgspec.to_builtins(event.agreement)
        case QualityReview.FindingRaised():
            row.findings = row.findings | {event.finding: {"kind": event.kind, "item": event.item, "resolution": None}}
        case QualityReview.FindingResolved():
            raised = row.findings.get(event.finding) or {}
            row.findings = row.findings | {event.finding: raised | {"resolution": event.resolution}}
        case QualityReview.Closed():
            row.state = "closed"


VIEW: Final = View(
    "quality",
    tables=(QualityReviewRow, SecondReviewRow),
    takes=(
        QualityReview.SampleDrawn, QualityReview.SecondReviewerAssigned, QualityReview.SecondReviewRecorded,
        QualityReview.AgreementComputed, QualityReview.FindingRaised, QualityReview.FindingResolved,
        QualityReview.Closed,
    ),
    change=change,
)  # fmt: skip

_COLUMNS: Final = (
    "review, association, from_day, through, drawn_on, last_on, population, state, agreement, items, findings"
)
_OF = (
    "SELECT " + _COLUMNS + " FROM views.quality_reviews WHERE association = %(association)s"
    " AND (drawn_on, review) < (coalesce(%(before_on)s::date, 'infinity'), %(before)s)"
    " ORDER BY drawn_on DESC, review DESC LIMIT %(limit)s"
)
_ALL = "SELECT review FROM views.quality_reviews WHERE association = %(association)s LIMIT %(limit)s"
_REVIEWED = (
    "SELECT DISTINCT subject FROM views.tasks WHERE kind = 'review' AND asked_at <= %(known)s"
    " AND (association = %(association)s OR formerly @> ARRAY[%(association)s::text])"
    " AND asked_on >= %(since)s LIMIT %(limit)s"
)
_WAITING = (
    "SELECT review, item, reviewer, asked_on FROM views.second_reviews"
    " WHERE person = ANY(%(people)s) AND done_on IS NULL ORDER BY asked_on, review, item"
)
_LOAD = (
    "SELECT reviewer, count(*) FILTER (WHERE settled_on IS NULL) AS open,"
    " count(*) FILTER (WHERE settled_on IS NOT NULL) AS done,"
    " percentile_disc(0.5) WITHIN GROUP (ORDER BY settled_on - asked_on) AS median_days,"
    " max(%(today)s::date - asked_on) FILTER (WHERE settled_on IS NULL) AS oldest_days"
    " FROM views.tasks WHERE kind = 'review' AND association = %(association)s AND asked_on >= %(since)s"
    " GROUP BY reviewer ORDER BY open DESC, done DESC, reviewer LIMIT %(limit)s"
)


def of_association(association: str, *, before: tuple[date | None, str] = (None, "~"), limit: int = 20) -> Query:
    """Newest first; the cursor is `drawn_on` and `review` of the last row."""
    return Query(_OF, {"association": association, "before_on": before[0], "before": before[1], "limit": limit})


def all_of(association: str, *, limit: int) -> Query:
    """Every quality review of an association."""
    return Query(_ALL, {"association": association, "limit": limit})


def reviewed(association: str, known: int, *, since: date, limit: int) -> Query:
    """The applications of which a review may have been asked between a day and a position."""
    return Query(_REVIEWED, {"association": association, "known": known, "since": since, "limit": limit})


def waiting_for(people: Collection[str]) -> Query:
    """Second looks that wait for one human, by every record of theirs, oldest first."""
    return Query(_WAITING, {"people": list(people)})


def reviewer_load(association: str, *, since: date, today: date, limit: int = 200) -> Query:
    """Reviews asked for since a day: per reviewer how many wait, how many are done, in how many days (median)."""
    return Query(_LOAD, {"association": association, "since": since, "today": today, "limit": limit})
