"""The queue of applications: whose, for what, in which state, and what each reviewer said."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

import msgspec

from domain.application import Application
from domain.event import Event
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class Review(msgspec.Struct):
    """`reviewer` is the reviewer's endorsement, `person` the human; `outcome` None until recommended."""

    reviewer: str
    person: str
    outcome: str | None = None


class ApplicationRow(Row):
    table: ClassVar[str] = "applications"
    key: ClassVar[tuple[str, ...]] = ("application",)
    found_by: ClassVar[tuple[str, ...]] = ("application",)
    indexes: ClassVar[tuple[str, ...]] = ("(association, state, last_on, application)", "(person)")

    application: str
    person: str
    association: str
    category: str
    kind: str
    state: str
    started_on: date
    last_on: date
    submitted_on: date | None = None
    edition: str = ""
    draft: bool = False
    reviewers: list[Review] = []
    consensus: str | None = None
    may_resubmit_from: date | None = None
    number: str | None = None
    exam_through: date | None = None


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001, C901, PLR0912 # every view's shape; one case for each event
    name = name_of(event)
    if isinstance(event, Application.Started):
        rows[ApplicationRow].put(
            ApplicationRow(
                name, event.person, event.association, event.category, event.kind, "building", event.on, event.on
            )
        )
        return
    row = rows[ApplicationRow].change(name)
    row.last_on = event.on
    match event:
        case Application.Submitted():
            row.state = "submitted"
            row.submitted_on = event.on
            row.edition = event.edition
            row.draft = event.draft
            row.reviewers = []
            row.consensus = None
            row.exam_through = None
        case Application.ReviewerAssigned():
            row.state = "in_review"
            others = [review for review in row.reviewers if review.reviewer != event.reviewer]
            row.reviewers = [*others, Review(event.reviewer, event.person)]
        case Application.ReviewerRecused():
            row.reviewers = [review for review in row.reviewers if review.reviewer != event.reviewer]
            row.consensus = None
            if not row.reviewers:
                row.state = "submitted"
        case Application.ReviewRecommended():
            row.consensus = None
            for review in row.reviewers:
                if review.reviewer == event.reviewer:
                    review.outcome = event.outcome
        case Application.ConsensusReached():
            row.consensus = event.outcome
        case Application.Approved():
            row.state = "approved"
            row.number = event.number
        case Application.Deferred():
            row.state = "deferred"
            row.may_resubmit_from = event.may_resubmit_from
        case Application.Withdrawn():
            row.state = "withdrawn"
        case Application.HandedOver():
            row.association = event.to
        case _:
            _exam(row, event)


def _exam(row: ApplicationRow, event: Event) -> None:
    match event:
        case Application.ApprovedForExam():
            row.state = "exam_approved"
            row.exam_through = event.through
        case Application.ExamBooked():
            row.state = "exam_booked"
        case Application.ExamCancelled():
            row.state = "exam_approved"
        case Application.ExamDecided():
            row.state = "exam_passed" if event.passed else "exam_approved" if event.may_sit_again else "deferred"
        case Application.ExamApprovalExpired():
            row.state = "deferred"


VIEW: Final = View(
    "applications",
    tables=(ApplicationRow,),
    takes=(
        Application.Started, Application.Submitted, Application.ReviewerAssigned, Application.ReviewerRecused,
        Application.ReviewRecommended, Application.ConsensusReached, Application.Approved, Application.Deferred,
        Application.Withdrawn, Application.HandedOver,
        Application.ApprovedForExam, Application.ExamBooked, Application.ExamCancelled,
        Application.ExamDecided, Application.ExamApprovalExpired,
    ),
    change=change,
)  # fmt: skip

_COLUMNS: Final = (
    "application, person, association, category, kind, state, started_on, last_on, submitted_on, edition, draft,"
    " reviewers, consensus, may_resubmit_from, number, exam_through"
)
_QUEUE = (
    "SELECT " + _COLUMNS + " FROM views.applications"
    " WHERE (%(association)s::text IS NULL OR association = %(association)s) AND state = ANY(%(states)s)"
    " AND (last_on, application) > (coalesce(%(after_on)s::date, '-infinity'), %(after)s)"
    " ORDER BY last_on, application LIMIT %(limit)s"
)
_ONE = "SELECT " + _COLUMNS + " FROM views.applications WHERE application = %(application)s"
_OF_PERSON = (
    "SELECT " + _COLUMNS + " FROM views.applications WHERE person = %(person)s ORDER BY started_on, application"
)

_EXAMS_OVER = (
    "SELECT application, association, exam_through FROM views.applications"
    " WHERE state = 'exam_approved' AND exam_through < %(on)s ORDER BY exam_through, application LIMIT %(limit)s"
)

WAITING: Final = ("submitted", "in_review")


def queue(
    association: str | None,
    *,
    states: Sequence[str] = WAITING,
    after: tuple[date | None, str] = (None, ""),
    limit: int = 50,
) -> Query:
    """Those in these states, longest untouched first; the cursor is `last_on` and `application` of the last row."""
    return Query(
        _QUEUE,
        {
            "association": association,
            "states": list(states),
            "after_on": after[0],
            "after": after[1],
            "limit": limit,
        },
    )


def of(application: str) -> Query:
    return Query(_ONE, {"application": application})


def of_person(person: str) -> Query:
    return Query(_OF_PERSON, {"person": person})


def exam_approvals_over(on: date, *, limit: int = 1000) -> Query:
    """Applications whose approval for the exam ended before a day with no exam booked (R16), oldest first."""
    return Query(_EXAMS_OVER, {"on": on, "limit": limit})
