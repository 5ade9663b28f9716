"""An audit of renewals: a sample anybody can draw again, a notice that says why, evidence, an outcome (R28)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import date
from typing import ClassVar, Literal, get_args

from domain.aggregate import Aggregate
from domain.errors import Invalid, OutOfTurn
from domain.event import Claims, Event
from domain.sampling import sample

Why = Literal["drawn", "reinstated"]
Remedy = Literal["documents", "training_hours", "rsc_hours", "membership"]
ItemState = Literal["drawn", "noticed", "submitted", "failed", "passed", "unremedied", "dropped"]
Asked = Literal["answer", "remedy"]
Ended = Literal["lapsed", "emeritus", "removed", "archived", "erased"]

SHORTEST_SEED = 16
DONE = ("passed", "unremedied", "dropped")


def open_audit(number: str) -> str:
    """The claim of a number that is being audited; a transfer waits for it (design section 10)."""
    return f"open_audit/{number}"


def draw_sample(population: Collection[str], seed: str, share: float, always: Collection[str] = ()) -> tuple[str, ...]:
    """The numbers to audit, sorted: those of `always`, and a sample of ceil(share x population), see `sampling`."""
    # Decimal shares have no exact float: a hair below a whole number is that number.
    size = math.ceil(round(share * len(population), 9))
    return tuple(sorted({*sample(seed, population, size), *always}))


class Audit(Aggregate):
    """One audit of an association's renewals of one cycle. `items`: how far it has come with each number."""

    kind: ClassVar[str] = "audit"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.association = ""
        self.cycle = 0
        self.state: Literal["new", "open", "closed"] = "new"
        self.items: dict[str, ItemState] = {}
        self.why: dict[str, Why] = {}
        self.answer_by: dict[str, date] = {}
        self.remedy: dict[str, Remedy] = {}
        self.remedy_by: dict[str, date] = {}
        self.told: dict[str, date] = {}
        self.always: tuple[str, ...] = ()
        self.last_on = date.min

    class SampleDrawn(Event, frozen=True):
        """Seed and population stand here before anybody is told; who was reinstated is always among them (NE-POL)."""

        topic: ClassVar[str] = "audit.sample_drawn"
        association: str
        cycle: int
        seed: str
        share: float
        population: tuple[str, ...]
        always: tuple[str, ...]
        sample: tuple[str, ...]

        def apply(self, audit: Audit) -> None:
            audit.association = self.association
            audit.cycle = self.cycle
            audit.state = "open"
            audit.always = self.always
            audit.items = dict.fromkeys(self.sample, "drawn")
            audit.last_on = self.on

        def claims(self) -> Claims:
            return Claims(take=tuple(open_audit(number) for number in self.sample))

    class NoticeSent(Event, frozen=True):
        """The holder is told, and why it is them."""

        topic: ClassVar[str] = "audit.notice_sent"
        number: str
        why: Why
        answer_by: date

        def apply(self, audit: Audit) -> None:
            audit.why[self.number] = self.why
            audit.answer_by[self.number] = self.answer_by
            audit._go_on(self, self.number, "noticed")

    class EvidenceSubmitted(Event, frozen=True):
        """`entries`: of the holder's portfolio."""

        topic: ClassVar[str] = "audit.evidence_submitted"
        number: str
        entries: tuple[str, ...]

        def apply(self, audit: Audit) -> None:
            audit._go_on(self, self.number, "submitted")

    class Passed(Event, frozen=True):
        topic: ClassVar[str] = "audit.passed"
        number: str

        def apply(self, audit: Audit) -> None:
            audit._go_on(self, self.number, "passed")

        def claims(self) -> Claims:
            return Claims(release=(open_audit(self.number),))

    class Failed(Event, frozen=True):
        """What is asked for, and by when."""

        topic: ClassVar[str] = "audit.failed"
        number: str
        remedy: Remedy
        remedy_by: date

        def apply(self, audit: Audit) -> None:
            audit.remedy[self.number] = self.remedy
            audit.remedy_by[self.number] = self.remedy_by
            audit._go_on(self, self.number, "failed")

    class LeftUnremedied(Event, frozen=True):
        """The day came and nothing was shown; what follows for the endorsement is decided there (ours)."""

        topic: ClassVar[str] = "audit.left_unremedied"
        number: str

        def apply(self, audit: Audit) -> None:
            audit._go_on(self, self.number, "unremedied")

        def claims(self) -> Claims:
            return Claims(release=(open_audit(self.number),))

    class DayPassed(Event, frozen=True):
        """The holder's last day to answer, or for a remedy, is over: it waits for the coordinator now (ours)."""

        topic: ClassVar[str] = "audit.day_passed"
        number: str
        asked: Asked
        day: date

        def apply(self, audit: Audit) -> None:
            audit.told[self.number] = self.day
            audit.last_on = max(audit.last_on, self.on)

    class Dropped(Event, frozen=True):
        """It has ended meanwhile, so that nothing is left to audit (ours)."""

        topic: ClassVar[str] = "audit.dropped"
        number: str
        standing: Ended

        def apply(self, audit: Audit) -> None:
            audit._go_on(self, self.number, "dropped")

        def claims(self) -> Claims:
            return Claims(release=(open_audit(self.number),))

    class Closed(Event, frozen=True):
        topic: ClassVar[str] = "audit.closed"

        def apply(self, audit: Audit) -> None:
            audit.state = "closed"
            audit.last_on = max(audit.last_on, self.on)

    # -- deeds ------------------------------------------------------------------------------------------------------

    def draw(
        self, association: str, cycle: int, population: Collection[str], seed: str, share: float,
        always: Collection[str] = (), *, on: date, by: str,
    ) -> None:  # fmt: skip
        """`population`: the numbers renewed by attestation for the cycle; `always`: those of them once reinstated."""
        self.refuse_unless(self.state, "new")
        if len(seed) < SHORTEST_SEED:
            raise Invalid(
                f"Give a seed of at least {SHORTEST_SEED} characters, or none for a random one.", field="seed"
            )
        if not population:
            raise Invalid(f"Nothing was renewed for {cycle} that is not in an audit already.", field="cycle")
        among = tuple(sorted(population))
        sure = tuple(sorted(set(always) & set(among)))
        self.record(
            self.SampleDrawn, association=association, cycle=cycle, seed=seed, share=share, population=among,
            always=sure, sample=draw_sample(among, seed, share, sure), on=on, by=by,
        )  # fmt: skip

    def send_notice(self, number: str, answer_by: date, *, on: date, by: str) -> None:
        self._must_be(number, "drawn", on=on)
        if answer_by <= on:
            raise Invalid("Give the holder a day in the future to answer by.", field="answer_by")
        why: Why = "reinstated" if number in self.always else "drawn"
        self.record(self.NoticeSent, number=number, why=why, answer_by=answer_by, on=on, by=by)

    def submit_evidence(self, number: str, entries: Sequence[str], *, on: date, by: str) -> None:
        """May be repeated until it is decided."""
        self._must_be(number, "noticed", "submitted", "failed", on=on)
        if not entries:
            raise Invalid("Name the entries of your portfolio that show it, such as E4.", field="entries")
        self.record(self.EvidenceSubmitted, number=number, entries=tuple(entries), on=on, by=by)

    def pass_audit(self, number: str, *, on: date, by: str) -> None:
        self._must_be(number, "submitted", "failed", on=on)
        self.record(self.Passed, number=number, on=on, by=by)

    def fail(self, number: str, remedy: Remedy, remedy_by: date, *, on: date, by: str) -> None:
        """With evidence or without an answer to the notice."""
        self._must_be(number, "noticed", "submitted", on=on)
        if remedy_by <= on:
            raise Invalid("Give a day in the future for the remedy.", field="remedy_by")
        self.record(self.Failed, number=number, remedy=remedy, remedy_by=remedy_by, on=on, by=by)

    def leave_unremedied(self, number: str, *, on: date, by: str) -> None:
        self._must_be(number, "failed", "submitted", on=on)
        due = self.remedy_by.get(number)
        if due is None or on <= due:
            raise OutOfTurn(self.stream, state="in_time_for_the_remedy", needs=["past it"], can=["pass"])
        self.record(self.LeftUnremedied, number=number, on=on, by=by)

    def drop(self, number: str, standing: str, *, on: date, by: str) -> None:
        """`standing`: of the endorsement that day; what may be active again is not dropped."""
        self._must_be(number, "drawn", "noticed", "submitted", "failed", on=on)
        ended: Ended | None = next((one for one in get_args(Ended) if one == standing), None)
        if ended is None:
            raise OutOfTurn(self.stream, state=standing, needs=["ended"], can=["pass", "fail"])
        self.record(self.Dropped, number=number, standing=ended, on=on, by=by)

    def note_days(self, *, on: date, by: str) -> bool:
        """Record whose last day is over, once for each day; whether there was any."""
        late = [
            (number, asked, day)
            for number, state in self.items.items()
            if (due := self.due(number)) and (asked := due[0]) and (day := due[1]) < on
            if state in ("noticed", "failed") and self.told.get(number) != day
        ]
        for number, asked, day in late:
            self.record(self.DayPassed, number=number, asked=asked, day=day, on=max(on, self.last_on), by=by)
        return bool(late)

    def due(self, number: str) -> tuple[Asked, date] | None:
        """What the holder is asked for now, and by when."""
        if self.items[number] == "noticed":
            return "answer", self.answer_by[number]
        return ("remedy", self.remedy_by[number]) if self.items[number] == "failed" else None

    def waits(self, number: str) -> bool:
        """Whether something is left to do in it."""
        return self.state == "open" and self.items[number] not in DONE

    def close(self, *, on: date, by: str) -> None:
        self.refuse_unless(self.state, "open")
        if left := [number for number, state in self.items.items() if state not in DONE]:
            raise OutOfTurn(self.stream, state=f"undecided_for_{len(left)}", needs=["decided"], can=[])
        self.record(self.Closed, on=on, by=by)

    def redrawn(self, drawn: Audit.SampleDrawn) -> bool:
        """Whether the sample is what seed and population give."""
        return drawn.sample == draw_sample(drawn.population, drawn.seed, drawn.share, drawn.always)

    def _must_be(self, number: str, *states: ItemState, on: date) -> None:
        self.refuse_unless(self.state, "open")
        if number not in self.items:
            raise Invalid("This endorsement is not in the sample.", field="number")
        self.refuse_before(self.last_on, on)
        self.refuse_unless(self.items[number], *states)

    def _go_on(self, event: Event, number: str, state: ItemState) -> None:
        self.items[number] = state
        self.last_on = max(self.last_on, event.on)
