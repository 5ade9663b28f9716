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
    that differs. review: `other` the reviewing person, `reviewer` their endorsement. `asked_at` to `settled_at`: the
    positions between which it waited, and maybe was settled and asked again; `formerly`: of whom it was asked before.
    """

    table: ClassVar[str] = "tasks"
    key: ClassVar[tuple[str, ...]] = ("task",)
    found_by: ClassVar[tuple[str, ...]] = ("subject",)
    grouped_by: ClassVar[str] = "subject"
    indexes: ClassVar[tuple[str, ...]] = (
        "(association, asked_on, task) WHERE settled_on IS NULL",
        "(other)",
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
    asked_at: int = 0
    settled_at: int | None = None
    formerly: list[str] = []


def change(rows: Rows, event: Event, position: int) -> None:
    subject = name_of(event)
    match event:
        case Person.LikenessNoted():
            task = f"likeness/{subject}/{event.other}"
            _ask(rows, position, Task(task, "likeness", subject, event.association, event.on, event.other))
        case Person.LikenessSettled():
            _settle(rows, subject, event.on, position, f"likeness/{subject}/{event.other}")
            if event.same:
                task = f"merger/{subject}/{event.other}"
                _ask(rows, position, Task(task, "merger", subject, "ALLIANCE", event.on, event.other))
        case Endorsement.ReportContradicted():
            task = f"report/{subject}/{event.field}"
            _ask(rows, position, Task(task, "report", subject, event.association, event.on, field=event.field))
        case Application.ReviewerAssigned():
            association = rows[ApplicationRow].change(subject).association
            task = f"review/{subject}/{event.reviewer}"
            asked = Task(task, "review", subject, association, event.on, event.person, event.reviewer)
            _ask(rows, position, asked)
        case Application.Amended():
            # The same reviewers judge it anew.
            for row in rows[Task].group(subject):
                if row.kind == "review" and not _gone(rows, subject, row):
                    again = rows[Task].change(row.task)
                    again.settled_on, again.settled_at, again.asked_on = None, None, event.on
        case Application.ReviewerRecused() | Application.ReviewRecommended():
            _settle(rows, subject, event.on, position, f"review/{subject}/{event.reviewer}")
        case _:
            # The report is settled; the records are merged; the application is decided, withdrawn or submitted anew;
            # the person is erased.
            _settle(rows, subject, event.on, position)


def _ask(rows: Rows, position: int, task: Task) -> None:
    """As new; where it was asked before it goes on waiting since then, as far as positions go."""
    before = rows[Task].get(task.task)
    task.asked_at = before.asked_at if before else position
    if before:
        task.formerly = sorted({*before.formerly, before.association})
    rows[Task].put(task)


def _gone(rows: Rows, application: str, task: Task) -> bool:
    """Whether the reviewer stepped back, or reviewed an earlier submission."""
    row = rows[ApplicationRow].change(application)
    return task.reviewer not in {review.reviewer for review in row.reviewers}


def _settle(rows: Rows, subject: str, on: date, position: int, task: str | None = None) -> None:
    table = rows[Task]
    for row in table.group(subject):
        if row.settled_on is None and task in (None, row.task):
            settled = table.change(row.task)
            settled.settled_on, settled.settled_at = on, position


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
_OPEN_AT = (
    "SELECT task, kind, subject FROM views.tasks WHERE (association = %(association)s"
    " OR formerly @> ARRAY[%(association)s::text] OR other = %(person)s)"
    " AND asked_at <= %(known)s AND (settled_at IS NULL OR settled_at > %(known)s) LIMIT %(limit)s"
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


def open_at(known: int, *, association: str = "", person: str = "", limit: int) -> Query:
    """Those of an association, or of a reviewing person, that may have waited at a position, and some more."""
    return Query(_OPEN_AT, {"association": association, "person": person, "known": known, "limit": limit})


def reviews_of(person: str) -> Query:
    """Reviews that wait for this person."""
    return Query(_REVIEWS_OF, {"person": person})


def load(association: str) -> Query:
    """How many reviews of an association's applications wait for each reviewer, and since when the oldest does."""
    return Query(_LOAD, {"association": association})
