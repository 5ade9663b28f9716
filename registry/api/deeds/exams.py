"""The deeds on exams and competencies, as rows."""

from datetime import date

from registry.api.deeds.rows import A, Body, Deed


class Window(Body, frozen=True):
    window: date


class Part1(Body, frozen=True):
    wrong: int


class Part2(Body, frozen=True):
    score: float


class Scorer(Body, frozen=True):
    scorer: str


class ExamDecision(Body, frozen=True):
    """`feedback`: the letter to the examinee, kept sealed."""

    feedback: str = ""


class NewCompetencies(Body, frozen=True):
    """`slots`: for which categories each is (FA, FS, FRS, MHS, MHM-C, MHM-P, MHM-RF); all of them when left out."""

    labels: dict[str, str]
    texts: dict[str, str] = {}
    slots: dict[str, tuple[str, ...]] = {}


X = "/exams/{exam}"
_SCORER = "mfrggzdfmztwq2lknnwg23tpoa"

DEEDS: tuple[Deed, ...] = (
    Deed("approve_for_exam", f"{A}/exam_approvals", "Approve for the exam, for a year"),
    Deed("book_exam", f"{A}/exams", "Book the exam into a week of sittings", Window, {"window": "2026-09-24"}),
    Deed("cancel_exam", f"{A}/exam_cancellations", "Give the place in the exam back"),
    Deed("record_sitting", f"{X}/sittings", "Record that the exam was sat"),
    Deed("assign_scorer", f"{X}/scorers", "Assign a scorer of Part 2 by their id", Scorer, {"scorer": _SCORER}),
    Deed("recuse_scorer", f"{X}/recusals", "Recuse a scorer", Scorer, {"scorer": _SCORER}),
    Deed("score_part_1", f"{X}/part_1", "Record how many answers of Part 1 were wrong", Part1, {"wrong": 9}),
    Deed("score_part_2", f"{X}/part_2", "Score Part 2 in per cent, as the scorer", Part2, {"score": 84}),
    Deed("decide_exam", f"{X}/decisions", "Say whether the exam is passed, with a letter", ExamDecision,
         {"feedback": "Thank you for sitting it."}),
    Deed("load_competencies", "/associations/{code}/competencies", "Load competencies of your own", NewCompetencies,
         {"labels": {"TF-1": "Pregnancy and early parenthood", "RF-2": "Awareness of oneself"}}),
)  # fmt: skip
