"""What waits for a human: likenesses to settle, contradicted reports, reviews that were assigned."""

from datetime import date
from typing import ClassVar, Final

from domain.application import Application
from domain.endorsement import Endorsement
from domain.event import Event
from domain.person import Person
from projections import applications
from projections.applications import ApplicationRow
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class Task(Row):
    """`subject`: the person, endorsement or application it is about; the rest as the kind has it.

    likeness: `other` person; merger: the same, settled as one human by who may not merge them. report: `field`
    that differs. review: `other` the reviewing person, `reviewer` their endorsement.
    """

    table: ClassVar[str] = "tasks"
    key: ClassVar[tuple[str, ...]] = ("task",)
    found_by: ClassVar[tuple[str, ...]] = ("subject",)
    grouped_by: ClassVar[str] = "subject"
    indexes: ClassVar[tuple[str, ...]] = (
        "(association, asked_on, task) WHERE settled_on IS NULL",
        "(other) WHERE settled_on IS NULL",
        "(subject)",
    )

    task: str
    kind: str
    subject: str
    association: str
    asked_on: date
    other: str | None = None
    reviewer: str | None = None
    field: str | None = None
    settled_on: date | None = None


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001 # every view's shape
    table = rows[Task]
    subject = name_of(event)
    match event:
        case Person.LikenessNoted():
            table.put(
                Task(f"likeness/{subject}/{event.other}", "likeness", subject, event.association, event.on, event.other)
            )
        case Person.LikenessSettled():
            _settle(rows, subject, event.on, f"likeness/{subject}/{event.other}")
            if event.same:
                table.put(Task(f"merger/{subject}/{event.other}", "merger", subject, "ALLIANCE", event.on, event.other))
        case Endorsement.ReportContradicted():
            table.put(
                Task(
                    f"report/{subject}/{event.field}", "report", subject, event.association, event.on, field=event.field
                )
            )
        case Application.ReviewerAssigned():
            association = rows[ApplicationRow].change(subject).association
            table.put(
                Task(
                    f"review/{subject}/{event.reviewer}",
                    "review",
                    subject,
                    association,
                    event.on,
                    event.person,
                    event.reviewer,
                )
            )
        case Application.Amended():
            # The same reviewers judge it anew.
            for row in table.group(subject):
                if row.kind == "review" and not _gone(rows, subject, row):
                    again = table.change(row.task)
                    again.settled_on, again.asked_on = None, event.on
        case Application.ReviewerRecused() | Application.ReviewRecommended():
            _settle(rows, subject, event.on, f"review/{subject}/{event.reviewer}")
        case _:
            # The report is settled; the records are merged; the application is decided, withdrawn or submitted anew;
            # the person is erased.
            _settle(rows, subject, event.on)


def _gone(rows: Rows, application: str, task: Task) -> bool:
    """Whether the reviewer stepped back, or reviewed an earlier submission."""
    row = rows[ApplicationRow].change(application)
    return task.reviewer not in {review.reviewer for review in row.reviewers}


def _settle(rows: Rows, subject: str, on: date, task: str | None = None) -> None:
    table = rows[Task]
    for row in table.group(subject):
        if row.settled_on is None and task in (None, row.task):
            table.change(row.task).settled_on = on


VIEW: Final = View(
    "tasks",
    tables=(Task,),
    takes=(
        Person.LikenessNoted, Person.LikenessSettled, Person.MergedInto, Person.Erased,
        Endorsement.ReportContradicted, Endorsement.ReportSettled,
        Application.ReviewerAssigned, Application.ReviewerRecused, Application.ReviewRecommended,
        Application.Submitted, Application.Approved, Application.Deferred, Application.Withdrawn,
        Application.ApprovedForExam,
        Application.Amended, Application.PutOnHold, Application.Declined,
    ),
    change=change,
    needs=(applications.VIEW,),
)  # fmt: skip

_COLUMNS: Final = "task, kind, subject, association, asked_on, other, reviewer, field, settled_on"
_OPEN = (
    "SELECT " + _COLUMNS + " FROM views.tasks WHERE settled_on IS NULL"
    " AND (%(association)s::text IS NULL OR association = %(association)s)"
    " AND (%(kind)s::text IS NULL OR kind = %(kind)s)"
    " AND (asked_on, task) > (coalesce(%(after_on)s::date, '-infinity'), %(after)s)"
    " ORDER BY asked_on, task LIMIT %(limit)s"
)
_LOAD = (
    "SELECT other AS person, reviewer, count(*) AS waiting, min(asked_on) AS oldest FROM views.tasks"
    " WHERE settled_on IS NULL AND kind = 'review' AND association = %(association)s"
    " GROUP BY other, reviewer ORDER BY count(*) DESC, reviewer LIMIT 200"
)
_REVIEWS_OF = (
    "SELECT " + _COLUMNS + " FROM views.tasks WHERE settled_on IS NULL AND kind = 'review' AND other = %(person)s"
    " ORDER BY asked_on, task"
)


def waiting(
    association: str | None,
    *,
    kind: str | None = None,
    after: tuple[date | None, str] = (None, ""),
    limit: int = 50,
) -> Query:
    """Open tasks, oldest first; kinds: likeness, merger, report, review. The cursor is `asked_on` and `task`."""
    return Query(
        _OPEN,
        {"association": association, "kind": kind, "after_on": after[0], "after": after[1], "limit": limit},
    )


def reviews_of(person: str) -> Query:
    """Reviews that wait for this person."""
    return Query(_REVIEWS_OF, {"person": person})


def load(association: str) -> Query:
    """How many reviews of an association's applications wait for each reviewer, and since when the oldest does."""
    return Query(_LOAD, {"association": association})
