"""What is done about many people at once: an association audits its renewals, the Alliance looks at its decisions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from domain.access import Actor
from domain.application import Application
from domain.association import today
from domain.audit import Ended, Remedy, draw_sample
from domain.editions import practice
from domain.endorsement import Endorsement
from domain.person import Person
from domain.quality import FindingKind, QualityReview
from domain.transfer import Transfer
from registry.commands.quality import DECIDED, decisions
from registry.world.life import Kind, Life, Thread
from registry.world.memory import Deeds, Keys
from registry.world.places import CIRCLE, PLACES

if TYPE_CHECKING:
    from registry.store import Recorded
    from registry.world.world import World

CYCLE: Final = 2024
"""The first that is renewed by attestation, and audited (NE-POL)."""
DRAWN: Final = {code: datetime(2025, 3, 3 + n % 25, 17, tzinfo=UTC) for n, code in enumerate(PLACES) if code != CIRCLE}
"""When each association draws; that of the circle is its own."""
_YEARS: Final = (2021, 2024)
"""Whose decisions the Alliance has reviewed again."""
_SIZE: Final = 5  # decisions of a sample
_LENDING: Final = ("MI", "TX")
"""Big enough to lend reviewers."""
_TRIES: Final = 9
_LAST: Final = timedelta(days=80)  # until all of a sample is decided
_DAY: Final = timedelta(days=1)
_FINDINGS: tuple[FindingKind, ...] = ("slow", "outcome_differs")


class Renewed(NamedTuple):
    """An endorsement as its custodian's audit finds it. `life`: whose it is; `always`: whether it is audited anyway."""

    association: str
    number: str
    always: bool
    life: int


class Decided(NamedTuple):
    association: str
    item: str
    on: date
    life: int


class Seen(NamedTuple):
    """What desks look at, of some lives."""

    renewed: list[Renewed]
    decided: list[Decided]


def see(life: Life, seen: Seen) -> None:
    """Add what this life has for the desks."""
    custodians: dict[str, set[str]] = {}
    judges: dict[str, set[str]] = {}
    renewed: set[str] = set()
    for event in life.memory.history:
        match event:
            case Endorsement.Awarded() | Endorsement.Imported():
                custodians[event.originator_id] = {event.association}
            case Endorsement.CustodyTransferred():
                custodians.setdefault(event.originator_id, set()).add(event.to)
            case Endorsement.Renewed() if event.cycle == CYCLE:
                renewed.add(event.originator_id)
            case Application.Started():
                judges[event.originator_id] = {event.association}
            case Application.HandedOver():
                judges[event.originator_id].add(event.to)
    for stream in sorted(renewed & custodians.keys()):
        seen.renewed.extend(_renewed(life, stream, custodians[stream]))
    for stream, codes in judges.items():
        seen.decided.extend(_decided(life, stream, codes))


def _renewed(life: Life, stream: str, custodians: set[str]) -> Iterator[Renewed]:
    events = [event for _, event in life.memory.events(stream)]
    for code in sorted(custodians & DRAWN.keys()):
        found = Endorsement.fold(event for event in events if event.recorded_at <= DRAWN[code])
        if found and (found.custodian, found.renewed_for) == (code, CYCLE):
            on = today(PLACES[code].row, DRAWN[code])
            if found.standing(on) == "active":
                yield Renewed(code, found.number, found.audit_due, life.number)


def _decided(life: Life, stream: str, judges: set[str]) -> Iterator[Decided]:
    history = [event for _, event in life.memory.events(stream)]
    if any(type(event) in DECIDED and event.on.year in _YEARS for event in history):
        name = stream.partition("/")[2]
        for code in sorted(judges & DRAWN.keys()):
            for event in decisions(history, code):
                if event.on.year in _YEARS:
                    yield Decided(code, f"{name}-{event.originator_version}", event.on, life.number)


class DeskDeeds(Deeds):
    """The deeds of a desk, which finds what it draws from in what was seen of all lives."""

    seen: Seen

    def renewed_for(self, association: str, cycle: int, on: date) -> dict[str, bool]:  # noqa: ARG002 - as asked
        return {one.number: one.always for one in self.seen.renewed}

    def decided_by(self, association: str) -> list[tuple[str, date]]:  # noqa: ARG002 - as asked
        return [(one.item, one.on) for one in self.seen.decided]


class Desk(Life):
    """One association's: nobody's life. It comes last, and writes into nobody's streams that go on after it."""

    people = 0

    def __init__(self, world: World, number: int, kind: Kind, keys: Keys) -> None:
        super().__init__(world, number, kind, keys)
        self.memory.past = world.past.beside()
        self.registry = self.deeds = DeskDeeds(
            self.memory, clock=self.clock, draw=self.random.randbytes, kid=lambda: world.kid(self.now)
        )
        self._met: dict[int, dict[str, datetime]] = {}

    def learn(self, seen: Seen, keys: Keys) -> None:
        """What there is to draw from; `keys`: of those who are met again, thrown away."""
        self.deeds.seen = seen
        self._keys = keys

    def story(self) -> Thread:
        self.start(self.audit())
        for year in _YEARS:
            self.start(self.reviewed_again(year))
        yield from ()

    def meet(self, number: int) -> None:
        """Have somebody's streams at hand, as they are known at each moment."""
        if number not in self._met:
            memory = self.world.again(number, self._keys).memory
            self.memory.past.add(memory)
            self._met[number] = {event.originator_id: event.recorded_at for event in memory.history}

    # --- an audit

    def audit(self) -> Thread:
        """Of a sample in which nobody is about to move: a draw that holds somebody up is not made."""
        yield DRAWN[self.home]
        lives = {one.number: one.life for one in self.deeds.seen.renewed}
        if not lives:
            return
        share = practice(self.home, self.today).audit_share
        always = [one.number for one in self.deeds.seen.renewed if one.always]
        for _ in range(_TRIES):
            seed = self.random.randbytes(16).hex()
            sample = draw_sample(list(lives), seed, share, always)
            for number in sample:
                self.meet(lives[number])
            if not any(self.moves(number, lives[number]) for number in sample):
                break
        else:
            return
        drawn = self.registry.draw_audit(self.act(self.coordinator()), self.home, cycle=CYCLE, seed=seed)
        audit = _name(drawn)
        for number in sample:
            self.start(self.audited(audit, number, lives[number]))
        yield self.later(100, 110)
        self.registry.close_audit(self.act(self.coordinator()), audit)

    def moves(self, number: str, life: int) -> bool:
        """Whether a transfer of it is open on some day of the audit."""
        for stream, last in self._met[life].items():
            if stream.startswith(f"{Transfer.kind}/") and last >= self.now:
                begun = self.memory.past.events(stream, self.now + _LAST)
                if begun and number in getattr(begun[0], "endorsements", ()):
                    return True
        return False

    def audited(self, audit: str, number: str, life: int) -> Iterator[date | datetime]:
        yield self.later(1, 8)
        desk = self.act(self.coordinator())
        self.registry.send_audit_notice(desk, audit, number, answer_by=self.today + 30 * _DAY)
        yield self.later(3, 25)
        if self.ended(number):
            self.registry.drop_from_audit(desk, audit, number)
            return
        endorsement = self.memory.get(Endorsement, number)
        # A pass is written down there too if it was certain to come; then nothing else may follow.
        passes = not endorsement.audit_due or self._met[life][endorsement.stream] <= self.now
        entries = list(self.memory.get(Person, endorsement.person).entries)
        if entries:
            holder = self.act(Actor("holder", person=endorsement.person, id=f"s{life}"))
            self.registry.submit_audit_evidence(holder, audit, number, entries=entries[-3:])
            yield self.later(2, 12)
            if passes and self.chance(0.85):
                self.registry.pass_audit(desk, audit, number)
                return
        remedy: Remedy = "training_hours" if entries else "documents"
        self.registry.fail_audit(desk, audit, number, remedy=remedy, remedy_by=self.today + 25 * _DAY)
        if passes and self.chance(0.8):
            yield self.later(3, 15)
            self.registry.pass_audit(desk, audit, number)
            return
        yield self.night(self.today + 27 * _DAY)
        self.registry.note_audit_days(audit)
        self.registry.leave_unremedied(desk, audit, number)

    def ended(self, number: str) -> bool:
        endorsement = self.memory.get(Endorsement, number)
        erased = self.memory.get(Person, endorsement.person).state == "erased"
        return erased or endorsement.standing(self.today) in get_args(Ended)

    # --- a quality review

    def reviewed_again(self, year: int) -> Thread:
        """A few decisions of a year, judged blind by reviewers from elsewhere; what comes of it is settled."""
        yield date(year + 1, 2, 3) + self.below(20) * _DAY
        lives = {one.item: one.life for one in self.deeds.seen.decided if one.on.year == year}
        if not lives:
            return
        alliance = self.act(self.coordinator("ALLIANCE"))
        drawn = self.registry.draw_quality_sample(
            alliance, self.home, from_=date(year, 1, 1), through=date(year, 12, 31), size=_SIZE
        )
        review = self.memory.get(QualityReview, _name(drawn))
        for item in review.items:
            self.meet(lives[item])
            self.start(self.second(review.name, item))
        yield self.later(60, 70)
        if any(item not in review.seconds for item in review.items):
            return  # nobody from elsewhere may judge one of them
        self.registry.compute_agreement(alliance, review.name)
        if self.chance(0.4):
            raised = self.registry.raise_finding(alliance, review.name, kind=self.choose(_FINDINGS))
            yield self.later(10, 40)
            finding = raised.events[0].finding  # type: ignore[attr-defined]  # of QualityReview.FindingRaised
            self.registry.resolve_finding(alliance, review.name, finding, resolution="explained")
        self.registry.close_quality_review(alliance, review.name)

    def second(self, review: str, item: str) -> Iterator[date]:
        yield self.later(1, 10)
        case = self.memory.get(Application, item.rpartition("-")[0])
        elsewhere = [code for code in _LENDING if code != self.home]
        found = self.world.reviewer(self, case.category, self.registry.close_to(case), among=elsewhere)
        if found is None:
            return
        act = self.act(self.coordinator("ALLIANCE"))
        self.registry.assign_second_reviewer(act, review, item, reviewer=found.number)
        yield self.later(3, 30)
        agrees = self.chance(0.8)
        self.registry.record_second_review(
            self.act(Actor("reviewer", person=found.person, id="s1")), review, item, reviewer=found.number,
            outcome="approve" if agrees else "defer", reasons=() if agrees else ("more_training",),
        )  # fmt: skip


def _name(recorded: Recorded) -> str:
    return recorded.events[0].originator_id.partition("/")[2]
