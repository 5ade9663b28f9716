"""An exam: two parts, scored blind, for the categories whose edition asks for it (R10, R11, R16)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import ClassVar, Literal

from domain.aggregate import Aggregate
from domain.application import EXAM_WINDOW_DAYS
from domain.errors import Forbidden, Invalid, OutOfTurn
from domain.event import Claims, Event

MultipleChoice = Literal["IMH", "ECMH"]
"""Part 1 differs by age range: 0 to 3, or 0 to 6 (ALL-EXAM, RI-EXAM)."""

SCORERS = 2
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_HIGHEST = 100


class Exam(Aggregate):
    """What scorers may know: a candidate number, never who sits it, for which association, or in which application.

    The application knows its exam and finds it by id; the exam's stream names nobody but its scorers.
    """

    kind: ClassVar[str] = "exam"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.state = "unknown"
        self.candidate = ""
        self.multiple_choice: MultipleChoice = "IMH"
        self.designation = ""
        self.window: date | None = None
        self.sat_on: date | None = None
        self.part_1: bool | None = None
        self.wrong: int | None = None
        self.scorers: dict[str, float | None] = {}
        self.passes: dict[str, bool] = {}
        self.recused: set[str] = set()
        self.last_on = date.min

    def remember(self, event: Event) -> None:
        super().remember(event)
        self.last_on = max(self.last_on, event.on)

    class Booked(Event, frozen=True):
        """`designation`: the slot, since prompts differ by it (MI-EXAM2, AK-EXAM). `by` is a role alone."""

        topic: ClassVar[str] = "exam.booked"
        candidate: str
        window: date
        multiple_choice: MultipleChoice
        designation: str

        def apply(self, exam: Exam) -> None:
            exam.state = "booked"
            exam.candidate = self.candidate
            exam.window = self.window
            exam.multiple_choice = self.multiple_choice
            exam.designation = self.designation

        def claims(self) -> Claims:
            return Claims(take=(f"candidate/{self.candidate}",))

    class Cancelled(Event, frozen=True):
        topic: ClassVar[str] = "exam.cancelled"

        def apply(self, exam: Exam) -> None:
            exam.state = "cancelled"

    class Sat(Event, frozen=True):
        topic: ClassVar[str] = "exam.sat"

        def apply(self, exam: Exam) -> None:
            exam.state = "sat"
            exam.sat_on = self.on

    class Part1Scored(Event, frozen=True):
        """Multiple choice: passed iff at most `most_wrong` of `items` are wrong (R16, ALL-EXAM)."""

        topic: ClassVar[str] = "exam.part_1_scored"
        wrong: int
        items: int
        most_wrong: int
        passed: bool

        def apply(self, exam: Exam) -> None:
            exam.wrong = self.wrong
            exam.part_1 = self.passed

    class ScorerAssigned(Event, frozen=True):
        """`scorer` is a person, who is not told whose exam it is."""

        topic: ClassVar[str] = "exam.scorer_assigned"
        scorer: str

        def apply(self, exam: Exam) -> None:
            exam.scorers[self.scorer] = None

    class ScorerRecused(Event, frozen=True):
        topic: ClassVar[str] = "exam.scorer_recused"
        scorer: str

        def apply(self, exam: Exam) -> None:
            exam.scorers.pop(self.scorer, None)
            exam.passes.pop(self.scorer, None)
            exam.recused.add(self.scorer)

    class Part2Scored(Event, frozen=True):
        """Vignettes, in per cent; a scorer's word is whether `pass_mark` was reached (AK-EXAM)."""

        topic: ClassVar[str] = "exam.part_2_scored"
        scorer: str
        score: float
        pass_mark: float
        passed: bool

        def apply(self, exam: Exam) -> None:
            exam.scorers[self.scorer] = self.score
            exam.passes[self.scorer] = self.passed

    class Decided(Event, frozen=True):
        topic: ClassVar[str] = "exam.decided"
        passed: bool
        part_1: bool
        part_2: bool

        def apply(self, exam: Exam) -> None:
            exam.state = "passed" if self.passed else "failed"

    # -- deeds ------------------------------------------------------------------------------------------------------

    def book(
        self, candidate: str, window: date, multiple_choice: MultipleChoice, designation: str, *, on: date, by: str
    ) -> None:
        """`by`: the role of whoever books, without their id, since scorers read this stream."""
        self.record(
            self.Booked,
            candidate=candidate,
            window=window,
            multiple_choice=multiple_choice,
            designation=designation,
            on=on,
            by=by,
        )

    def cancel(self, *, on: date, by: str) -> None:
        self._must_be(on, "booked")
        self.record(self.Cancelled, on=on, by=by)

    def close(self, *, on: date, by: str) -> None:
        """Its examinee died or was forgotten: nobody sits it, or scores it, any more."""
        self._must_be(on, "booked", "sat")
        self.record(self.Cancelled, on=on, by=by)

    def sit(self, *, on: date, by: str) -> None:
        self._must_be(on, "booked")
        first = self.window or on
        last = first + timedelta(days=EXAM_WINDOW_DAYS - 1)
        if not first <= on <= last:
            raise Invalid(
                f"This one is booked for {first.isoformat()} to {last.isoformat()}; cancel and book again.", field="on"
            )
        self.record(self.Sat, on=on, by=by)

    def score_part_1(self, wrong: int, *, items: int, most_wrong: int, on: date, by: str) -> None:
        self._must_be(on, "sat")
        if self.part_1 is not None:
            raise OutOfTurn(self.stream, state="part_1_scored", needs=["sat"], can=self.can())
        if not 0 <= wrong <= items:
            raise Invalid(f"Part 1 has {items} questions; give how many were wrong, 0 to {items}.", field="wrong")
        passed = wrong <= most_wrong
        self.record(self.Part1Scored, wrong=wrong, items=items, most_wrong=most_wrong, passed=passed, on=on, by=by)

    def assign(self, scorer: str, close: Collection[str], *, on: date, by: str) -> None:
        """`close`: the examinee and whoever reviewed, rated, supervised or advised them; none of them scores (ours)."""
        self._must_be(on, "booked", "sat")
        if scorer in self.scorers:
            raise Invalid("This scorer is assigned already.", field="scorer")
        if scorer in self.recused:
            raise Invalid("This scorer stepped back from this exam; assign another one.", field="scorer")
        if scorer in close:
            raise Invalid("This scorer is too close to the examinee; assign another one.", field="scorer")
        if len(self.scorers) >= SCORERS and not (len(self.scorers) == SCORERS and self.disagreed):
            raise OutOfTurn(self.stream, state="fully_assigned", needs=["sat"], can=self.can())
        self.record(self.ScorerAssigned, scorer=scorer, on=on, by=by)

    def recuse(self, scorer: str, *, on: date, by: str) -> None:
        self._must_be(on, "booked", "sat")
        self._must_score(scorer)
        self.record(self.ScorerRecused, scorer=scorer, on=on, by=by)

    def score_part_2(self, scorer: str, score: float, *, pass_mark: float, on: date, by: str) -> None:
        """`score` in per cent. Scorers are never averaged, as reviewers are not (ours)."""
        self._must_be(on, "sat")
        self._must_score(scorer)
        if not 0 <= score <= _HIGHEST:
            raise Invalid("Give the score of Part 2 in per cent, 0 to 100.", field="score")
        passed = score >= pass_mark
        self.record(self.Part2Scored, scorer=scorer, score=score, pass_mark=pass_mark, passed=passed, on=on, by=by)

    def decide(self, *, on: date, by: str) -> None:
        """Both parts must be passed (AK-EXAM); see `part_2` for two scorers and a third."""
        self._must_be(on, "sat")
        if self.part_1 is None or self.part_2 is None:
            raise OutOfTurn(self.stream, state=self.waits_for, needs=["scored"], can=self.can())
        self.record(
            self.Decided,
            passed=self.part_1 and self.part_2,
            part_1=self.part_1,
            part_2=self.part_2,
            on=on,
            by=by,
        )

    def can(self) -> list[str]:
        return {
            "booked": ["record the sitting", "assign a scorer", "cancel"],
            "sat": ["score part 1", "score part 2", "assign a scorer", "decide"],
        }.get(self.state, [])

    @property
    def part_2(self) -> bool | None:
        return agreed(list(self.passes.values()))

    @property
    def disagreed(self) -> bool:
        """Two scorers, one for and one against: a third decides (ours, as with reviewers)."""
        return len(self.passes) == SCORERS and self.part_2 is None

    @property
    def waits_for(self) -> str:
        return waits_for(self.state, self.part_1, [self.passes.get(scorer) for scorer in self.scorers])

    def _must_be(self, on: date, *states: str) -> None:
        self.refuse_unless(self.state, *states, can=self.can())
        self.refuse_before(self.last_on, on)

    def _must_score(self, scorer: str) -> None:
        if scorer not in self.scorers:
            raise Forbidden("This exam is not assigned to that scorer.", field="scorer")
        if self.scorers[scorer] is not None:
            raise OutOfTurn(self.stream, state="scored", needs=["sat"], can=self.can())


def agreed(words: Collection[bool | None]) -> bool | None:
    """Part 2 is passed or not as two scorers say alike, or two of three; None while that is open."""
    for passed in (True, False):
        if list(words).count(passed) >= SCORERS:
            return passed
    return None


def waits_for(state: str, part_1: bool | None, words: Collection[bool | None]) -> str:
    """What an exam waits for. `words`: of each scorer whether Part 2 is passed, None until scored."""
    if state != "sat":
        return "waiting_for_the_sitting" if state == "booked" else state
    if part_1 is None:
        return "waiting_for_part_1"
    if agreed(words) is not None:
        return "waiting_for_the_decision"
    needed = SCORERS + (len(words) >= SCORERS and None not in words)
    return "waiting_for_a_scorer" if len(words) < needed else "waiting_for_part_2"


def new_candidate(draw: Callable[[int], bytes]) -> str:
    """A candidate number: 7 random letters and digits (`C-7K3MQ9T`), telling nothing of the person."""
    bits = int.from_bytes(draw(5), "big")
    return "C-" + "".join(_ALPHABET[bits >> (5 * i) & 31] for i in range(7))
