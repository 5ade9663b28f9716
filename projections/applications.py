"""The queue of applications: whose, for what, in which state since when, and what each reviewer said."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

import msgspec

from domain.application import APPLICANTS_TURN, OPEN, REMINDERS, Application
from domain.editions import PRACTICES
from domain.event import Event
from projections.rows import Row, Rows
from projections.view import Query, View, name_of

IN_WORK: Final = (*OPEN, "appealed")


class Review(msgspec.Struct):
    """`reviewer` is the reviewer's endorsement, `person` the human; `outcome` None until recommended."""

    reviewer: str
    person: str
    outcome: str | None = None


class ApplicationRow(Row):
    """`since`: the day it came into this state. `active_on`: when something was last done but reminding.

    `decided_as`: the state that an appeal is against. `opened_at` to `closed_at`: the positions between which it was
    open, and maybe closed and open again; `formerly`: the associations it was handed over from.
    """

    table: ClassVar[str] = "applications"
    key: ClassVar[tuple[str, ...]] = ("application",)
    found_by: ClassVar[tuple[str, ...]] = ("application",)
    indexes: ClassVar[tuple[str, ...]] = (
        "(association, state, last_on, application)",
        "(person)",
        "(state, active_on, application)",
        "USING gin (advisors)",
        "USING gin (formerly)",
    )

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
    add_on: str | None = None
    since: date | None = None
    active_on: date | None = None
    reminded: int = 0
    advisors: list[str] = []
    decided_as: str = ""
    opened_at: int = 0
    closed_at: int | None = None
    formerly: list[str] = []


def change(rows: Rows, event: Event, position: int) -> None:
    name = name_of(event)
    if isinstance(event, Application.Started):
        rows[ApplicationRow].put(
            ApplicationRow(
                name, event.person, event.association, event.category, event.kind, "started", event.on, event.on,
                add_on=event.add_on, since=event.on, active_on=event.on, opened_at=position,
            )
        )  # fmt: skip
        return
    row = rows[ApplicationRow].change(name)
    row.last_on = event.on
    if isinstance(event, Application.Reminded):
        row.reminded = event.months
        return
    row.active_on = max(row.active_on or event.on, event.on)
    row.reminded = 0
    before = row.state
    _change(row, event)
    if row.state != before:
        row.since = event.on
        row.closed_at = None if row.state in IN_WORK else position


def _change(row: ApplicationRow, event: Event) -> None:  # noqa: C901, PLR0912, PLR0915 # one case for each event
    match event:
        case Application.Registered():
            row.state = "building"
        case Application.RegistrationRefused():
            row.state = "refused"
        case Application.CategoryChanged():
            row.category = event.to
        case Application.AdvisorAssigned():
            row.advisors = [*row.advisors, event.person]
        case Application.Submitted():
            row.state = "submitted"
            row.submitted_on = event.on
            row.edition = event.edition
            row.draft = event.draft
            row.reviewers = []
            row.consensus = None
            row.exam_through = None
        case Application.Amended():
            row.state = "in_review"
            row.reviewers = [Review(review.reviewer, review.person) for review in row.reviewers]
            row.consensus = None
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
        case Application.PutOnHold():
            row.state = "on_hold"
        case Application.Declined():
            row.state = "declined"
        case Application.Withdrawn():
            row.state = "withdrawn"
        case Application.HandedOver():
            row.formerly = [*row.formerly, row.association]
            row.association = event.to
        case Application.Expired():
            row.state = "expired"
        case Application.Appealed():
            row.state = "appealed"
            row.decided_as = event.decision
        case Application.AppealDecided():
            row.state = "submitted" if event.verdict == "granted" else event.decision
            if event.verdict == "granted":
                row.reviewers = []
                row.consensus = None
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
        Application.FeeSettled, Application.Registered, Application.RegistrationRefused,
        Application.CategoryChanged, Application.AdvisorAssigned, Application.Amended, Application.PutOnHold,
        Application.Declined, Application.Reminded, Application.Expired, Application.Appealed,
        Application.AppealDecided,
    ),
    change=change,
)  # fmt: skip

_COLUMNS: Final = (
    "application, person, association, category, kind, state, started_on, last_on, submitted_on, edition, draft,"
    " reviewers, consensus, may_resubmit_from, number, add_on, since, active_on, reminded, advisors, exam_through"
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
    "SELECT application FROM views.applications WHERE state = 'exam_approved' AND exam_through < %(on)s"
    ' AND application COLLATE "C" > %(after)s ORDER BY application COLLATE "C" LIMIT %(limit)s'
)
_ADVISED = (
    "SELECT " + _COLUMNS + " FROM views.applications WHERE advisors @> to_jsonb(%(person)s::text)"
    " AND state = ANY(%(states)s) ORDER BY started_on, application"
)
_UNTOUCHED = (
    "SELECT application FROM views.applications WHERE state = ANY(%(states)s)"
    " AND active_on <= %(on)s::date - make_interval(months => %(months)s) AND reminded < %(reminded)s"
    ' AND application COLLATE "C" > %(after)s ORDER BY application COLLATE "C" LIMIT %(limit)s'
)
_APPEALS = (
    "SELECT " + _COLUMNS + " FROM views.applications WHERE state = 'appealed' ORDER BY since, application"
    " LIMIT %(limit)s"
)

_OPEN_AT = (
    "SELECT application, person FROM views.applications WHERE (association = %(association)s"
    " OR formerly @> ARRAY[%(association)s::text]) AND opened_at <= %(known)s"
    " AND (closed_at IS NULL OR closed_at > %(known)s) LIMIT %(limit)s"
)
_APPEALED = (
    "SELECT application FROM views.applications WHERE decided_as <> '' AND opened_at <= %(known)s LIMIT %(limit)s"
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


def open_at(association: str, known: int, *, limit: int) -> Query:
    """Those that may have been open at an association at a position: all that were, and some more."""
    return Query(_OPEN_AT, {"association": association, "known": known, "limit": limit})


def ever_appealed(known: int, *, limit: int) -> Query:
    """Those started by a position in which an appeal was ever made."""
    return Query(_APPEALED, {"known": known, "limit": limit})


def of(application: str) -> Query:
    return Query(_ONE, {"application": application})


def of_person(person: str) -> Query:
    return Query(_OF_PERSON, {"person": person})


def exam_approvals_over(on: date, after: str, limit: int) -> Query:
    """Applications whose approval for the exam ended before a day, with no exam booked (R16)."""
    return Query(_EXAMS_OVER, {"on": on, "after": after, "limit": limit})


def advised_by(person: str) -> Query:
    """The open ones that somebody advises."""
    return Query(_ADVISED, {"person": person, "states": list(OPEN)})


def to_remind(on: date, after: str = "", limit: int = 1000) -> Query:
    """Those that wait for the applicant, untouched for as long as the first reminder takes, but for the last one."""
    return _untouched(on, after, limit, months=REMINDERS[0], reminded=REMINDERS[-1])


def to_expire(on: date, after: str = "", limit: int = 1000) -> Query:
    """Those that wait for the applicant, untouched for as long as the shortest practice of any association."""
    months = min(row.value for row in PRACTICES if row.field == "open_application_months")
    return _untouched(on, after, limit, months=months, reminded=1 << 30)


def _untouched(on: date, after: str, limit: int, *, months: int, reminded: int) -> Query:
    """The portfolio may have been touched, or a day to wait for be set; the deeds ask."""
    return Query(
        _UNTOUCHED,
        {
            "states": list(APPLICANTS_TURN),
            "on": on,
            "months": months,
            "reminded": reminded,
            "after": after,
            "limit": limit,
        },
    )


def appeals(limit: int = 200) -> Query:
    """What the Alliance has to decide, longest waiting first."""
    return Query(_APPEALS, {"limit": limit})
