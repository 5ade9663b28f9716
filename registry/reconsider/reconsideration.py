"""Every decision of the history again: by its own rules, by others, and with what was corrected since."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec
import psycopg

from domain.aggregate import Aggregate
from domain.application import Application
from domain.association import ALLIANCE, Association
from domain.audit import Audit, open_audit
from domain.category import with_add_on
from domain.endorsement import Endorsement
from domain.errors import Invalid, Refused, RequirementsNotMet
from domain.event import Event
from domain.exam import Exam
from domain.policy import EVERYTHING, SUBMISSION, Edition, ReinstatementEdition, Tally, Term, What
from domain.reference import Counted
from domain.transfer import Transfer
from registry.commands import Act
from registry.reconsider.corrections import read_corrections
from registry.reconsider.decisions import DECISIONS, Again, Decision, actor_of
from registry.reconsider.groups import by_demographics, by_sector
from registry.reconsider.past import Past
from registry.reconsider.rules import Rules
from registry.reconsider.suppression import Table
from registry.settings import Settings
from registry.vault import Vault

_PAGE = 400
# What one deed records stands close together.
_TOGETHER = 8
# Topics that say of which association a case is, for a run over one of them.
_SIDES: dict[type[Aggregate], tuple[str, ...]] = {
    Application: ("application.started", "application.handed_over"),
    Endorsement: ("endorsement.awarded", "endorsement.imported", "endorsement.custody_transferred"),
    Transfer: ("transfer.requested", "transfer.side_passed"),
    Audit: ("audit.sample_drawn",),
}
KINDS: tuple[type[Aggregate], ...] = (Application, Exam, Endorsement, Audit, Transfer)


class TooLong(Refused):
    """There is more to reconsider than a page may wait for."""

    code = "invalid"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This takes longer than {seconds:g} seconds, and nothing is shown of it. Name one association or a later "
            "day, or ask the operator for `registry reconsider`.",
            field="since",
        )


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be reconsidered: all, or the decisions of one association, or since a day; `rules`: other ones.

    `demographics`: also whom they keep out by what people volunteered of themselves; it is opened for that.
    """

    association: str = ""
    since: date | None = None
    rules: Rules | None = None
    demographics: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """Why it would be refused, as the API refuses it."""

    code: str
    message: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, refused: Refused) -> Refusal:
        facts = {name: value for name, value in refused.facts.items() if value}
        return cls(refused.code, refused.message, facts | ({"field": refused.field} if refused.field else {}))

    @property
    def missing(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.facts.get("missing", [])
        return found


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that comes out otherwise. `differs`: of each fact what is on record, and what comes out again.

    `because`: what was corrected since, each as stream, version and the version that it corrects.
    """

    stream: str
    version: int
    position: int
    decision: str
    on: date
    association: str
    category: str
    edition: str = ""
    number: str = ""
    refusal: Refusal | None = None
    differs: dict[str, tuple[Any, Any]] = {}
    because: tuple[tuple[str, int, int], ...] = ()

    @property
    def year(self) -> int:
        return self.on.year

    def words(self) -> str:
        """Without a name: a number, or the stream and version."""
        where = f"{self.stream} version {self.version}"
        what = self.number or where
        why = self.refusal.message if self.refusal else "; ".join(
            f"{name} is {recorded!s} on record, {again!s} again" for name, (recorded, again) in self.differs.items()
        )  # fmt: skip
        return f"{what}: {self.decision} of {self.on} at {self.association} ({self.category}). {why}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "stream": self.stream, "version": self.version, "position": self.position, "decision": self.decision,
            "number": self.number or None, "on": self.on.isoformat(), "year": self.year,
            "association": self.association, "category": self.category, "edition": self.edition or None,
            "refusal": None if self.refusal is None else {
                "code": self.refusal.code, "detail": self.refusal.message, **msgspec.to_builtins(self.refusal.facts),
            },
            "differs": {name: {"recorded": was, "again": now} for name, (was, now) in self.differs.items()},
            "because": [
                {"stream": stream, "version": version, "corrects": wrong} for stream, version, wrong in self.because
            ],
        }  # fmt: skip


class Line(msgspec.Struct):
    """One line of a count: how many decisions there were, and how many come out otherwise."""

    considered: int = 0
    changed: int = 0


class Report(msgspec.Struct, kw_only=True):
    """What came of it. `findings`: do not agree with their own rules; `changed`: under the others; `corrected`: with
    what was corrected since. `concerned`: decisions of which the other rules say something.
    `people`: by id, whether they keep somebody out; never shown. `groups`: the same as totals.
    """

    position: int
    rules: str = ""
    decisions: dict[str, int] = {}
    imported: int = 0
    findings: list[Found] = []
    changed: list[Found] = []
    corrected: list[Found] = []
    concerned: int = 0
    counts: dict[str, dict[str, Line]] = {}
    people: dict[str, bool] = {}
    groups: dict[str, Table] = {}
    seconds: float = 0

    @property
    def considered(self) -> int:
        return sum(self.decisions.values())

    def as_dict(self) -> dict[str, Any]:
        return {
            "position": self.position,
            "rules": self.rules or None,
            "decisions": self.considered,
            "by_decision": self.decisions,
            "imported_left_out": self.imported,
            "findings": [found.as_dict() for found in self.findings],
            "concerned": self.concerned,
            "changed": [found.as_dict() for found in self.changed],
            "counts": {
                by: {key: msgspec.to_builtins(line) for key, line in lines.items()} for by, lines in self.counts.items()
            },
            "groups": msgspec.to_builtins(self.groups),
            "corrected": [found.as_dict() for found in self.corrected],
            "seconds": round(self.seconds, 3),
        }


Progress = Callable[[int, float], None]


class _Under(Endorsement):
    """An endorsement that is renewed and reinstated by other rules; all else of it is as ever."""

    rules: Rules

    def term_on(self, on: date) -> Term:
        term = super().term_on(on)
        return term._replace(edition=self.rules.renewal(term.edition, self.custodian) or term.edition)

    def reinstatement_on(self, on: date) -> ReinstatementEdition | None:
        own = super().reinstatement_on(on)
        return own and (self.rules.reinstatement(own, self.custodian) or own)


class _Case(NamedTuple):
    """Of whom a decision is; `sides`: the associations it concerns, the first one decides it."""

    sides: tuple[str, ...]
    category: str = ""
    code: str = ""
    number: str = ""
    person: str = ""


_Because = tuple[tuple[str, int, int], ...]


class _Submission(NamedTuple):
    """What was handed in last, and what is missing of it under other rules and with what was corrected since."""

    wanted: bool
    decision: Decision
    position: int
    event: Event
    case: _Case
    tally: Tally
    references: Counted | None
    edition: Edition | Refused | None
    corrected: Found | None


class Reconsideration:
    """One run over the history up to now. Reads; writes nothing."""

    def __init__(self, past: Past, asked: Asked, *, deadline: float | None = None) -> None:
        """`deadline`: after how many seconds to give up, with TooLong."""
        self._past = past
        self._asked = asked
        self._again = Again(past)
        self._deadline = deadline
        self._begun = time.monotonic()
        self._decisions: Counter[str] = Counter()
        self._report = Report(position=past.until, rules=asked.rules.name if asked.rules else "")
        self._report.counts = {"association": {}, "category": {}, "year": {}, "requirement": {}}
        self._draws: dict[int, list[_Draw]] = {}
        self._under: type[Endorsement] | None = None
        if asked.rules:
            self._under = type("_UnderThese", (_Under,), {"rules": asked.rules})

    def run(self, progress: Progress | None = None) -> Report:
        for kind in KINDS:
            if kind is Exam and self._asked.association not in ("", ALLIANCE):
                continue
            if kind is Endorsement:
                self._learn_of_draws()
            having = f'"{self._asked.association}"' if self._asked.association and kind is not Exam else ""
            for page in self._past.names(kind, _PAGE, topics=_SIDES.get(kind, ()), having=having):
                self._read(kind, page)
                for stream in page:
                    self._stream(kind, stream)
                    self._watch(None)
                self._past.forget()
                self._watch(progress)
        for found in (self._report.findings, self._report.changed, self._report.corrected):
            found.sort(key=lambda one: (one.association, one.category, one.on, one.position))
        self._report.decisions = dict(sorted(self._decisions.items()))
        self._report.seconds = time.monotonic() - self._begun
        return self._report

    def _watch(self, progress: Progress | None) -> None:
        seconds = time.monotonic() - self._begun
        if self._deadline is not None and seconds > self._deadline:
            raise TooLong(self._deadline)
        if progress:
            progress(self._decisions.total(), seconds)

    # --- reading

    def _read(self, kind: type[Aggregate], page: Sequence[str]) -> None:
        past = self._past
        past.load(page)
        events = [event for stream in page for event in past.stream(stream).events]
        people: set[str] = set()
        more: set[str] = set()
        for event in events:
            match event:
                case Application.Started():
                    people.add(event.person)
                case Application.Approved():
                    more.add(f"{Endorsement.kind}/{event.number}")
                case Endorsement.Awarded():
                    people.add(event.person)
                    more.add(f"{Application.kind}/{event.application}")
                case Endorsement.Imported():
                    people.add(event.person)
                case Transfer.Requested():
                    people.add(event.person)
                    more.update(f"{Endorsement.kind}/{number}" for number in event.endorsements)
                case Audit.SampleDrawn():
                    more.update(f"{Endorsement.kind}/{number}" for number in event.sample)
        if kind is Application:
            past.load_people(sorted(people))
        else:
            past.load(f"person/{name}" for name in sorted(people))
        past.load(sorted(more))

    # --- one stream

    def _stream(self, kind: type[Aggregate], stream: str) -> None:
        found = self._past.stream(stream)
        since = self._asked.since
        if since and all(event.on < since for event in found.events):
            return
        last: _Submission | None = None
        for position, event in zip(found.positions, found.events, strict=True):
            decision = DECISIONS.get(type(event))
            if isinstance(event, Application.Submitted | Application.Amended):
                self._stays(last)
                last = self._submission(DECISIONS[type(event)], position, event)
            elif isinstance(event, Application.Approved):
                self._award(position, event, last)
                last = None
            elif isinstance(event, Endorsement.Imported | Endorsement.Reported):
                self._report.imported += self._is_asked_for(event, self._case(kind, position, event))
            elif isinstance(event, Endorsement.Awarded):
                self._behind(position, event)
            elif decision:
                case = self._case(kind, position, event)
                if self._is_asked_for(event, case):
                    self._decided(decision, position, event, case)
        self._stays(last)
        if kind is Endorsement:
            self._population(stream)

    def _case(self, kind: type[Aggregate], position: int, event: Event) -> _Case:
        """As it stood just before the event."""
        self._as_of(position)
        match self._past.find(kind, event.originator_id.partition("/")[2]):
            case Application() as one:
                category = with_add_on(one.category, one.add_on)
                return _Case((one.association,), category, one.add_on or one.category, one.endorsement, one.person)
            case Endorsement() as one:
                category = with_add_on(one.category, one.add_on_on(event.on))
                return _Case((one.custodian,), category, one.category, one.number, one.person)
            case Transfer() as one:
                sides = (one.to, one.from_) if isinstance(event, Transfer.Accepted) else (one.from_, one.to)
                return _Case(sides, person=one.person)
            case Exam() as one:
                return _Case((ALLIANCE,), one.designation)
            case Audit() as one:
                return _Case((one.association,), number=getattr(event, "number", ""))
            case _:
                association = str(getattr(event, "association", ""))
                category, number = str(getattr(event, "category", "")), str(getattr(event, "number", ""))
                return _Case((association,), category, category, number, str(getattr(event, "person", "")))

    def _is_asked_for(self, event: Event, case: _Case) -> bool:
        asked = self._asked
        return (asked.since is None or event.on >= asked.since) and (
            not asked.association or asked.association in case.sides
        )

    def _as_of(self, position: int, *, corrected: bool = False, under: type[Endorsement] | None = None) -> None:
        past = self._past
        past.before, past.corrected, past.under = position, corrected, under

    def _do(
        self, decision: Decision, position: int, event: Event, *, corrected: bool = False,
        under: type[Endorsement] | None = None,
    ) -> tuple[list[Event], Refused | None]:  # fmt: skip
        """Do the deed again: what it decides, or why it is refused."""
        self._as_of(position, corrected=corrected, under=under)
        past, again = self._past, self._again
        past.decided, past.touched = [], set()
        again.on, again.gathered_last = event.on, None
        found = past.find(decision.kind, event.originator_id.partition("/")[2])
        act = Act(actor_of(event.by), on=event.on, late=event.late)
        try:
            decision.again(again, act, found, event)
        except Refused as refused:
            return [], refused
        return past.decided, None

    def _own(self, decision: Decision, position: int, event: Event, case: _Case) -> list[Event] | None:
        """By its own rules, as things were known: it must come out again. None, and a finding, where it is refused."""
        self._decisions[decision.name] += 1
        decided, refused = self._do(decision, position, event)
        if refused:
            self._report.findings.append(_found(decision, position, event, case, refusal=Refusal.of(refused)))
            return None
        if differs := _differs(event, decided, decision.outcome):
            self._report.findings.append(_found(decision, position, event, case, differs=differs))
        return decided

    def _since_corrected(self, decision: Decision, position: int, event: Event, case: _Case) -> Found | None:
        """With what was corrected since in anything it was decided on; None where it comes out the same."""
        self._as_of(position)
        corrections = self._past.corrections_since(self._past.touched)
        if not corrections:
            return None
        because = tuple((stream, one.version, one.corrects) for stream, one in corrections)
        decided, refused = self._do(decision, position, event, corrected=True)
        if refused:
            return _found(decision, position, event, case, refusal=Refusal.of(refused), because=because)
        if differs := _differs(event, decided, decision.matters or decision.outcome):
            return _found(decision, position, event, case, differs=differs, because=because)
        return None

    def _decided(self, decision: Decision, position: int, event: Event, case: _Case) -> None:
        decided = self._own(decision, position, event, case)
        if decided is None:
            return
        if isinstance(event, Exam.Decided):
            self._told(position, decided)
        if found := self._since_corrected(decision, position, event, case):
            self._report.corrected.append(found)
        rules, under = self._asked.rules, self._under
        if rules is None or under is None:
            return
        self._as_of(position)
        state = self._past.find(decision.kind, event.originator_id.partition("/")[2])
        other: object = None
        match event, state:
            case Endorsement.Renewed(), Endorsement() as one:
                other = rules.renewal(one.term_on(event.on).edition, one.custodian)
            case Endorsement.Reinstated(), Endorsement() as one:
                own = one.reinstatement_on(event.on)
                other = own and rules.reinstatement(own, one.custodian)
        if other is not None:
            corrected = self._past.has_replaced
            _, refused = self._do(decision, position, event, corrected=corrected, under=under)
            self._count(_found(decision, position, event, case), refused, case)

    # --- applications: what was handed in, and the award that rests on it

    def _submission(self, decision: Decision, position: int, event: Event) -> _Submission:
        case = self._case(Application, position, event)
        wanted = self._is_asked_for(event, case)
        if wanted:
            self._own(decision, position, event, case)
        else:
            self._do(decision, position, event)
        gathered = self._again.gathered_last
        corrected = self._since_corrected(decision, position, event, case)
        if self._past.has_replaced and self._again.gathered_last:
            gathered = self._again.gathered_last
        recorded = event.snapshot.tally if isinstance(event, Application.Amended) else event.tally  # type: ignore[attr-defined]  # one of the two
        return _Submission(
            wanted, decision, position, event, case, gathered.tally if gathered else recorded,
            gathered.references if gathered else None, self._other_edition(position, event, case), corrected,
        )  # fmt: skip

    def _other_edition(self, position: int, event: Event, case: _Case) -> Edition | Refused | None:
        if self._asked.rules is None:
            return None
        self._as_of(position)
        found = self._past.get(Application, event.originator_id.partition("/")[2])
        try:
            on = found.submitted_on if isinstance(event, Application.Amended) and found.submitted_on else event.on
            return self._asked.rules.edition(case.code, found.edition_on(on), found.association)
        except Refused as refused:
            return refused

    def _stays(self, last: _Submission | None) -> None:
        """A submission on which no award rests is a decision of its own."""
        if last is None or not last.wanted:
            return
        if last.corrected:
            self._report.corrected.append(last.corrected)
        if last.edition is not None:
            found = _found(last.decision, last.position, last.event, last.case)
            self._count(found, _lacking(last, last.tally, SUBMISSION), last.case)

    def _award(self, position: int, event: Application.Approved, last: _Submission | None) -> None:
        decision = DECISIONS[Application.Approved]
        case = self._case(Application, position, event)._replace(number=event.number)
        if not self._is_asked_for(event, case):
            return
        decided = self._own(decision, position, event, case)
        if decided is not None:
            self._awarded(decision, position, event, case, decided)
        if last is None:
            return
        if last.corrected:
            because = last.corrected
            self._report.corrected.append(
                _found(decision, position, event, case, refusal=because.refusal, differs=because.differs,
                       because=because.because)
            )  # fmt: skip
        if last.edition is not None:
            self._as_of(position)
            passed = self._past.get(Application, event.originator_id.partition("/")[2]).state == "exam_passed"
            tally = msgspec.structs.replace(last.tally, exam=passed)
            self._count(_found(decision, position, event, case), _lacking(last, tally, EVERYTHING), case)

    def _awarded(
        self, decision: Decision, position: int, event: Application.Approved, case: _Case, decided: Sequence[Event]
    ) -> None:
        """What the approval did to the endorsement: an award, or an add-on to one."""
        found = self._past.stream(f"{Endorsement.kind}/{event.number}")
        recorded = [
            (at, one)
            for at, one in zip(found.positions, found.events, strict=True)
            if position < at <= position + _TOGETHER and isinstance(one, Endorsement.Awarded | Endorsement.AddOnGranted)
        ]
        again = [one for one in decided if isinstance(one, Endorsement.Awarded | Endorsement.AddOnGranted)]
        if [type(one) for _, one in recorded] != [type(one) for one in again]:
            what = {"endorsement": ([one.topic for _, one in recorded], [one.topic for one in again])}
            self._report.findings.append(_found(decision, position, event, case, differs=what))
            return
        for (at, one), other in zip(recorded, again, strict=True):
            facts = ("person", "category", "association", "application", "edition", "add_on", "until", "through", "on")
            wanted = tuple(name for name in facts if name in one.__struct_fields__)
            if differs := _facts_that_differ(one, other, wanted):
                self._report.findings.append(_found(decision, at, one, case, differs=differs))

    def _behind(self, position: int, event: Endorsement.Awarded) -> None:
        """Behind every award stands an approval that names it."""
        case = self._case(Endorsement, position, event)
        if not self._is_asked_for(event, case):
            return
        known = self._past.stream(f"{Application.kind}/{event.application}").events
        if not any(isinstance(one, Application.Approved) and one.number == event.number for one in known):
            differs = {"application": (event.application, "no approval of this number")}
            self._report.findings.append(
                _found(DECISIONS[Application.Approved], position, event, case, differs=differs)
            )

    def _told(self, position: int, decided: Sequence[Event]) -> None:
        """What the decision on an exam says to its application."""
        again = next((one for one in decided if isinstance(one, Application.ExamDecided)), None)
        if again is None:
            return
        found = self._past.stream(again.originator_id)
        for at, one in zip(found.positions, found.events, strict=True):
            if position < at <= position + _TOGETHER and isinstance(one, Application.ExamDecided):
                facts = ("passed", "part_1", "part_2", "may_sit_again")
                if differs := _facts_that_differ(one, again, facts):
                    case = self._case(Application, at, one)
                    self._report.findings.append(_found(DECISIONS[Exam.Decided], at, one, case, differs=differs))

    # --- audits: whether the population was the right one

    def _learn_of_draws(self) -> None:
        for page in self._past.names(Audit, _PAGE):
            self._past.load(page)
            for stream in page:
                found = self._past.stream(stream)
                for position, event in zip(found.positions, found.events, strict=True):
                    if isinstance(event, Audit.SampleDrawn) and self._is_asked_for(event, _Case((event.association,))):
                        draw = _Draw(position, event, frozenset(event.population), frozenset(event.always))
                        self._draws.setdefault(event.cycle, []).append(draw)

    def _population(self, stream: str) -> None:
        """Whether an endorsement is in every population it belonged to, and in no other."""
        events = self._past.stream(stream).events
        cycles = {event.cycle for event in events if isinstance(event, Endorsement.Renewed)} & self._draws.keys()
        held = {getattr(event, "association", "") or getattr(event, "to", "") for event in events} if cycles else set()
        number = stream.partition("/")[2]
        for draw in (draw for cycle in cycles for draw in self._draws[cycle] if draw.event.association in held):
            self._as_of(draw.position)
            one = self._past.find(Endorsement, number)
            belongs = (
                one is not None
                and one.custodian == draw.event.association
                and one.renewed_for == draw.event.cycle
                and one.standing(draw.event.on) == "active"
                and not self._past.holder(open_audit(number))
            )
            sure = belongs and one is not None and one.audit_due
            recorded = (number in draw.population, number in draw.always)
            if recorded != (belongs, sure):
                differs = {
                    name: (was, now)
                    for name, was, now in zip(("population", "always"), recorded, (belongs, sure), strict=True)
                    if was != now
                }
                case = _Case((draw.event.association,), number=number)
                self._report.findings.append(
                    _found(DECISIONS[Audit.SampleDrawn], draw.position, draw.event, case, differs=differs)
                )

    # --- counting

    def _count(self, found: Found, refused: Refused | None, case: _Case) -> None:
        """One decision that the other rules say something of; with the refusal, where they would refuse it."""
        report = self._report
        report.concerned += 1
        if refused:
            found = msgspec.structs.replace(found, refusal=Refusal.of(refused))
            report.changed.append(found)
        keys = {"association": found.association, "category": found.category, "year": str(found.year)}
        for by, key in keys.items():
            line = report.counts[by].setdefault(key, Line())
            line.considered += 1
            line.changed += refused is not None
        for gap in found.refusal.missing if found.refusal else []:
            report.counts["requirement"].setdefault(gap["requirement"], Line()).changed += 1
        if case.person:
            report.people[case.person] = report.people.get(case.person, False) or refused is not None


class _Draw(NamedTuple):
    position: int
    event: Audit.SampleDrawn
    population: frozenset[str]
    always: frozenset[str]


def _lacking(last: _Submission, tally: Tally, asks: Collection[What]) -> Refused | None:
    """What is missing under the other edition, as a submission is refused."""
    if last.edition is None or isinstance(last.edition, Refused):
        return last.edition
    missing = last.edition.missing(tally, asks)
    refused = last.references.refused if last.references else ()
    return RequirementsNotMet(last.edition.name, missing, refused) if missing else None


def _found(decision: Decision, position: int, event: Event, case: _Case, **facts: Any) -> Found:
    return Found(
        stream=event.originator_id,
        version=event.originator_version,
        position=position,
        decision=decision.name,
        on=event.on,
        association=case.sides[0],
        category=case.category,
        edition=str(getattr(event, "edition", "")),
        number=case.number,
        **facts,
    )


def _differs(event: Event, decided: Sequence[Event], facts: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """The facts in which an event and the same one decided again differ."""
    again = next(
        (one for one in decided if type(one) is type(event) and one.originator_id == event.originator_id), None
    )
    if again is None:
        return {"decided": (event.topic, [one.topic for one in decided])}
    return _facts_that_differ(event, again, facts)


def _facts_that_differ(event: Event, again: Event, facts: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    pairs = ((name, getattr(event, name), getattr(again, name)) for name in facts)
    return {name: _only_what_differs(was, now) for name, was, now in pairs if was != now}


def _only_what_differs(was: Any, now: Any) -> tuple[Any, Any]:
    """Plain values; of two structs only the fields that are not the same."""
    old, new = msgspec.to_builtins(was), msgspec.to_builtins(now)
    if isinstance(old, dict) and isinstance(new, dict):
        names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}
    return old, new


def reconsider(
    settings: Settings, vault: Vault, asked: Asked, *, correct: str = "", deadline: float | None = None,
    progress: Progress | None = None,
) -> Report:  # fmt: skip
    """One run. `correct`: the text of a file that says how events should have been. Raises Invalid, TooLong."""
    past = Past(settings, vault, seconds=deadline)
    try:
        return _reconsidered(past, asked, correct, deadline, progress)
    except psycopg.errors.QueryCanceled:
        if deadline is None:
            raise
        raise TooLong(deadline) from None
    finally:
        past.close()


def _reconsidered(
    past: Past, asked: Asked, correct: str, deadline: float | None, progress: Progress | None
) -> Report:  # fmt: skip
    if asked.association and past.find(Association, asked.association) is None:
        raise Invalid(
            f"No association has the code {asked.association}; `registry association list` prints them.",
            field="association",
        )
    if correct:
        past.replace(read_corrections(correct, past))
    report = Reconsideration(past, asked, deadline=deadline).run(progress)
    if asked.rules and report.people:
        report.groups["sector"] = by_sector(past, report.people)
        if asked.demographics:
            report.groups |= by_demographics(past, report.people)
    return report
