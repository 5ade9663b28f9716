"""The exams under way: what each waits for, and who scores it; never whose it is."""

from datetime import date
from typing import ClassVar, Final

import msgspec

from domain.event import Event
from domain.exam import Exam, waits_for
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class Word(msgspec.Struct):
    """A scorer of Part 2; `passed` None until scored."""

    person: str
    passed: bool | None = None


class ExamRow(Row):
    """`week`: the first day of the week in which it is sat."""

    table: ClassVar[str] = "exams"
    key: ClassVar[tuple[str, ...]] = ("exam",)
    found_by: ClassVar[tuple[str, ...]] = ("exam",)
    indexes: ClassVar[tuple[str, ...]] = ("(week, exam) WHERE state IN ('booked', 'sat')",)

    exam: str
    candidate: str
    multiple_choice: str
    designation: str
    week: date
    last_on: date
    state: str
    waits_for: str
    part_1: bool | None = None
    scorers: list[Word] = []


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001 # every view's shape
    name = name_of(event)
    if isinstance(event, Exam.Booked):
        rows[ExamRow].put(
            ExamRow(
                name,
                event.candidate,
                event.multiple_choice,
                event.designation,
                event.window,
                event.on,
                "booked",
                "waiting_for_the_sitting",
            )
        )
    row = rows[ExamRow].change(name)
    row.last_on = event.on
    match event:
        case Exam.Cancelled():
            row.state = "cancelled"
        case Exam.Sat():
            row.state = "sat"
        case Exam.Part1Scored():
            row.part_1 = event.passed
        case Exam.ScorerAssigned():
            row.scorers = [*row.scorers, Word(event.scorer)]
        case Exam.ScorerRecused():
            row.scorers = [word for word in row.scorers if word.person != event.scorer]
        case Exam.Part2Scored():
            row.scorers = [
                Word(word.person, event.passed) if word.person == event.scorer else word for word in row.scorers
            ]
        case Exam.Decided():
            row.state = "passed" if event.passed else "failed"
    row.waits_for = waits_for(row.state, row.part_1, [word.passed for word in row.scorers])


VIEW: Final = View(
    "exams",
    tables=(ExamRow,),
    takes=(
        Exam.Booked, Exam.Cancelled, Exam.Sat, Exam.Part1Scored, Exam.ScorerAssigned, Exam.ScorerRecused,
        Exam.Part2Scored, Exam.Decided,
    ),
    change=change,
)  # fmt: skip

_WAITING = (
    "SELECT exam, candidate, multiple_choice, designation, week, last_on, state, waits_for, part_1, scorers"
    " FROM views.exams WHERE state IN ('booked', 'sat')"
    " AND (%(scorer)s::text IS NULL OR scorers @> jsonb_build_array(jsonb_build_object('person', %(scorer)s::text,"
    " 'passed', NULL))) ORDER BY week, exam LIMIT %(limit)s"
)


def waiting(scorer: str | None = None, *, limit: int = 200) -> Query:
    """Exams under way, the earliest week first; of one scorer those they have not scored."""
    return Query(_WAITING, {"scorer": scorer, "limit": limit})
