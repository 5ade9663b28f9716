"""People who came as whole applications: a third of the world, from the first membership to what came after."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.access import Actor
from domain.application import REMINDERS, WITHDRAWABLE, Application, Charge, DeferReason, Outcome, Settled, windows
from domain.association import ALLIANCE
from domain.category import CATEGORIES, AddOn
from domain.competency import OURS
from domain.editions import edition_for, fee, practice, provider_rule, reference_rule, renewal_window
from domain.endorsement import CONVERSIONS, CONVERTED_FROM, Endorsement, InactiveReason
from domain.errors import NotInForce, RequirementsNotMet
from domain.exam import Exam
from domain.person import ERASURE_DAYS, Demographics, Person, ProviderListing
from domain.policy import Degree, Missing, ReferenceSlot, Reinstatement, Requirement, Tally
from domain.portfolio import Entry
from domain.reference import ASKED, Reference, Score
from domain.transfer import Transfer
from registry.commands.applications import is_member
from registry.importing import Importer
from registry.importing import Tally as Told
from registry.roster import Roster, Row
from registry.world import names
from registry.world.imported import Server, attestation, keep_membership, late_fee, window_open
from registry.world.life import Kind, Life, Thread, first_edition
from registry.world.memory import Keys
from registry.world.places import PLACES

if TYPE_CHECKING:
    from registry.world.world import World

LEAST, MOST = 15, 60
"""Events of a person who applied."""

_DAY = timedelta(days=1)
_CERTAIN = 4  # times each turn is met for certain, early, by the first who apply
_BENTS: dict[str, float] = {
    "advised": 0.06, "changes": 0.02, "refused": 0.02, "abandoned": 0.03, "held": 0.04, "declined": 0.015,
    "lets_it_pass": 0.01, "emerges": 0.01,
}  # fmt: skip
"""What becomes of somebody's application, and its share."""
Turn = Callable[[str], Iterator[date | datetime]]
_RESTS: tuple[InactiveReason, ...] = ("illness", "job_change", "move", "family_leave")
_DEFERS: tuple[DeferReason, ...] = ("more_training", "competencies_not_shown", "more_experience")
_ADD_ONS: tuple[AddOn, ...] = ("EERS", "EERS", "ERS")
_SLOTS = {"FA": 20, "FS": 44, "FRS": 4, "MHS": 24, "MHM-C": 8, "MHM-P": 2, "MHM-RF": 2}
_SITTING = 20  # events of another exam and what comes after
_SETTLED: tuple[Settled, ...] = ("paid", "waived", "sponsored")
_SPONSOR = "EMPLOYER"
_SCORES: tuple[Score, ...] = (2, 3, 3, 4, 4)
_CODES = [area.code for area in OURS.areas]


class Applicant(Life):
    """Applies, is judged, is endorsed or not, renews, moves, rests, leaves."""

    def __init__(self, world: World, number: int, kind: Kind, keys: Keys) -> None:
        super().__init__(world, number, kind, keys)
        self.numbers: list[str] = []
        self.applications = 0
        self.sector = self.choose(names.SECTORS)
        self.resting = False
        self.referring = 0
        self.raters: set[str] = set()
        rank = world.rank(number)
        turns = [turn for _, turn in self.shares()]
        self.early = rank < _CERTAIN * (len(_BENTS) + len(turns))
        self.bent = ""
        self.turning: list[Turn] = []
        if self.early:
            # In turn: something of the application, then something of what comes after.
            at = rank % (len(_BENTS) + len(turns))
            self.bent, self.turning = (list(_BENTS)[at], []) if at < len(_BENTS) else ("", [turns[at - len(_BENTS)]])
        elif self.chance(sum(_BENTS.values())):
            self.bent = self.random.choices(list(_BENTS), list(_BENTS.values()))[0]
        if self.bent == "emerges":
            self.turning = [self.add_on]
        elif not self.early:
            self.turning = [turn for share, turn in self.shares() if self.chance(share)]

    # --- the frame

    def story(self) -> Thread:
        yield self.begins()
        self.register()
        self.start(self.memberships())
        yield self.later(3, 60)
        yield from self.apply_once()
        while not self.numbers and self.recorded < LEAST:
            self.bent = ""  # refused, or left lying: once more
            yield self.later(30, 200)
            yield from self.apply_once()
        if not self.numbers:
            return
        self.start(self.renewals(self.numbers[0]))
        self.start(self.turns(self.numbers[0]))
        self.start(self.converted(self.numbers[0]))

    def begins(self) -> date:
        """Some day on which a category that can be applied for is offered; more and more people each year."""
        if self.kind.arrives:
            return self.kind.arrives
        if self.bent == "emerges" and self.early:
            return CONVERTED_FROM - self.many(600, 900) * _DAY
        place = PLACES[self.home]
        first = max(place.opens, min(first_edition(slot) for slot in _SLOTS))
        span = max(30, (self.world.last - first).days - 120)
        return first + timedelta(
            days=int(span * (0.4 * self.random.random() if self.early else self.random.random() ** 0.5))
        )

    @property
    def room(self) -> int:
        return MOST - self.recorded - 11

    def memberships(self) -> Thread:
        """A year each, renewed before it ends, as long as there is something to be a member for."""
        self.join(self.today)
        year = self.today.year
        while not self.resting and self.room > 0:
            yield self.between(max(self.today, date(year, 11, 20)), date(year, 12, 29))
            if self.numbers and self.chance(0.5):
                return
            year += 1
            self.join(date(year, 1, 1))

    def join(self, from_: date) -> None:
        self.registry.record_membership(
            self.act(self.coordinator()), self.person, association=self.home, from_=from_,
            through=date(from_.year, 12, 31),
        )  # fmt: skip

    # --- an application

    def draw_category(self) -> str:
        """One that is offered, in force, not held and within reach of what can be done here; empty if none is."""
        held = {CATEGORIES[self.memory.get(Endorsement, number).category].slot for number in self.numbers}
        slots = [slot for slot in _SLOTS if slot not in held]
        offers = self.offers()
        wanted = {"emerges": ("FS", "MHS"), "lets_it_pass": ("MHS",)}.get(self.bent, ())
        while slots:
            slot = self.random.choices(slots, [_SLOTS[one] for one in slots])[0]
            slot = next((one for one in wanted if one in slots), slot)
            codes = [c.code for c in CATEGORIES.values() if c.slot == slot and c.code in offers]
            early = self.chance(0.27)
            for code in sorted(codes, key=lambda code: code.startswith("EC") != early):
                if self.can_apply(code):
                    return code
            slots.remove(slot)
        return ""

    def can_apply(self, category: str) -> bool:
        try:
            edition = edition_for(category, self.today, self.home)
        except NotInForce:
            return False
        return edition.exam is None or self.world.examines()

    def apply_once(self) -> Iterator[date | datetime]:
        """One application: evidence, submission, review, decision; `numbers` grows if it ends well."""
        category = self.draw_category()
        if not category:
            return
        started = self.registry.start_application(
            self.act(self.holder), self.person, association=self.home, category=category
        )
        name = started.events[0].originator_id.partition("/")[2]
        self.applications += 1
        yield self.later(1, 8)
        if category := (yield from self.begin(name, category)):
            yield from self.decided(name, category)

    def decided(self, name: str, category: str) -> Iterator[date | datetime]:
        """Handed in, reviewed, and again when it is deferred, held or reopened; approved in the end, or withdrawn."""
        submitted = yield from self.hand_in(name, category)
        for last in (False, False, True):
            outcome = (yield from self.review(name, category)) if submitted else None
            if outcome in ("hold", "decline"):
                submitted = yield from (self.hold(name) if outcome == "hold" else self.decline(name))
                if submitted:
                    continue
                break
            if outcome == "approve":
                if (yield from self.sit(name)):
                    self.approve(name)
                    return
                break
            if not outcome or last:
                break
            yield self.defer(name)
            for entry in self.evidence([Missing(Requirement("training", "ours", amount=6), have=0, need=6)]):
                self.add(entry)
                yield self.later(10, 40)
            submitted = self.submits(name)
        if self.memory.get(Application, name).state in WITHDRAWABLE:
            self.registry.withdraw_application(self.act(self.holder), name)

    def begin(self, name: str, category: str) -> Generator[date | datetime, None, str]:
        """Accepted, or not, or left alone; the category it goes on with, or none."""
        if self.bent == "refused":
            self.registry.refuse_registration(self.act(self.coordinator()), name, reason="wrong_category")
            return ""
        self.accept(name, category)
        if self.bent == "abandoned":
            yield from self.abandon(name)
            return ""
        if self.bent == "changes":
            return self.change(name, category)
        if self.bent == "advised":
            yield self.later(1, 9)
            self.find_advisor(name)
        return category

    def change(self, name: str, category: str) -> str:
        """To another category, before anything is handed in."""
        others = [code for code in self.offers() if code != category and self.can_apply(code) and "MHM" not in code]
        if not others:
            return category
        to = self.choose(others)
        self.registry.change_category(self.act(self.holder), name, to=to)
        return to

    def find_advisor(self, name: str) -> None:
        if advisor := self.world.server(self, "advice", lambda _: True, self.today, self.raters):
            self.registry.assign_advisor(self.act(self.coordinator()), name, advisor=advisor.number)

    def abandon(self, name: str) -> Iterator[date | datetime]:
        """Nothing is done any more: reminded twice, then it expires; the nights look soon after each day."""
        since = self.today
        for months in (*REMINDERS, practice(self.home, self.today).open_application_months):
            yield self.night(since + (months * 31 + 5) * _DAY)
            if not self.registry.expire_application(name):
                self.registry.remind_applicant(name)

    def hold(self, name: str) -> Generator[date, None, bool]:
        """More is asked for while the day of submission stands."""
        yield self.later(1, 9)
        self.registry.put_on_hold(self.act(self.coordinator()), name, reasons=[self.choose(_DEFERS)])
        self.bent = ""
        yield self.later(10, 40)
        for entry in self.evidence([Missing(Requirement("training", "ours", amount=6), have=0, need=6)]):
            self.add(entry)
            yield self.later(1, 10)
        try:
            self.registry.amend_application(self.act(self.holder), name)
        except RequirementsNotMet:  # raised before anything is remembered
            return False
        return True

    def decline(self, name: str) -> Generator[date, None, bool]:
        """A final no, and an appeal to the Alliance; whether it is to be reviewed again."""
        self.bent = ""
        self.registry.decline_application(self.act(self.coordinator()), name, reasons=[self.choose(_DEFERS)])
        yield self.later(5, 50)
        self.registry.appeal(self.act(self.holder), name)
        yield self.later(10, 30)
        granted = self.room > 12 and self.chance(0.3)
        self.registry.decide_appeal(
            # Another than who declined, where the Alliance did.
            self.act(self.coordinator(ALLIANCE, second=50)),
            name,
            verdict="granted" if granted else "upheld",
        )
        return granted

    def accept(self, name: str, category: str) -> None:
        """By the coordinator; who let the membership run out pays it with this."""
        member = is_member(self.memory.get(Person, self.person), self.home, self.today)
        through = None if member else date(self.today.year, 12, 31)
        how = self.settled("registration", category)
        self.registry.accept_registration(
            self.act(self.coordinator()), name, fee=how, sponsor=_SPONSOR if how == "sponsored" else "",
            member_through=through,
        )  # fmt: skip

    def settled(self, what: Charge, category: str) -> Settled | None:
        """How a fee is settled; None where none is asked."""
        if fee(self.home, what, self.today, CATEGORIES[category].slot) is None:
            return None
        return self.random.choices(_SETTLED, (90, 4, 6))[0]

    def hand_in(self, name: str, category: str) -> Generator[date, None, bool]:
        """Gather what the edition asks for, and submit; whether it was enough in the end."""
        missing = edition_for(category, self.today, self.home).missing(Tally())
        self.start(self.references(category))
        for _ in range(3):
            for entry in self.evidence(missing):
                yield self.later(1, 14)
                self.add(entry)
            while self.referring:
                yield self.later(3, 15)
            yield self.later(5, 40)
            if self.chance(0.02) and not self.early:
                return False
            if self.submits(name):
                return True
            missing = edition_for(category, self.today, self.home).missing(self.tally())
        return False

    def submits(self, name: str) -> bool:
        try:
            self.registry.submit_application(self.act(self.holder), name, signed=True)
        except RequirementsNotMet:  # raised before anything is remembered
            return False
        return True

    def sit(self, name: str) -> Generator[date, None, bool]:
        """The exam, where the edition asks for one: booked, sat, scored blind by two, decided; seldom twice."""
        application = self.memory.get(Application, name)
        if application.exam_asked is None:
            return True
        alliance = self.coordinator("ALLIANCE")
        self.registry.approve_for_exam(self.act(self.coordinator()), name)
        if self.bent == "lets_it_pass":
            yield (application.exam_through or self.today) + 2 * _DAY
            self.registry.expire_exam_approval(name)
            return False
        while application.state == "exam_approved":
            open_windows = windows(
                self.later(5, 5), application.exam_through or self.today, practice(self.home, self.today).exam_months
            )
            if not open_windows:
                return False
            yield self.later(1, 3)
            window = self.choose(open_windows[:3])
            booked = self.registry.book_exam(self.act(self.holder), name, window=window)
            exam = next(event for event in booked.events if isinstance(event, Exam.Booked)).originator_id.partition(
                "/"
            )[2]
            if self.chance(0.04):
                yield self.later(1, 3)
                self.registry.cancel_exam(self.act(self.holder), name)
                continue
            yield window + self.many(2, 4) * _DAY
            self.registry.record_sitting(self.act(alliance), exam)
            yield self.later(2, 4)
            good = self.chance(0.9) or self.room < _SITTING
            self.registry.score_part_1(self.act(alliance), exam, wrong=self.many(0, 11) if good else self.many(13, 25))
            yield from self.score(exam, application)
            yield self.later(2, 9)
            self.registry.decide_exam(self.act(alliance), exam)
        return application.state == "exam_passed"

    def score(self, exam: str, application: Application) -> Iterator[date]:
        """Part 2 by two, and by a third where they disagree."""
        alliance = self.coordinator("ALLIANCE")
        found = self.memory.get(Exam, exam)
        close = self.registry.close_to(application)
        while found.part_2 is None:
            scorer = self.world.scorer(self, {*close, *found.scorers, *found.recused})
            self.registry.assign_scorer(self.act(alliance), exam, scorer=scorer)
            yield self.later(3, 12)
            if self.chance(0.03):
                self.registry.recuse_scorer(self.act(alliance), exam, scorer=scorer)
                continue
            score = self.many(80, 98) if self.chance(0.92) or self.room < _SITTING else self.many(50, 79)
            self.registry.score_part_2(self.act(Actor("exam_scorer", person=scorer, id="s1")), exam, score=score)

    def approve(self, name: str) -> None:
        recorded = self.registry.approve_application(self.act(self.coordinator()), name)
        awarded = next(event for event in recorded.events if isinstance(event, Endorsement.Awarded))
        self.numbers.append(awarded.number)

    def defer(self, name: str) -> date:
        until = self.later(20, 60)
        reasons = [self.choose(_DEFERS)]
        self.registry.defer_application(
            self.act(self.coordinator()),
            name,
            reasons=reasons,
            may_resubmit_from=until,
        )
        return until + self.many(1, 20) * _DAY

    def tally(self) -> Tally:
        return self.registry.handed_in(self.memory.get(Person, self.person), self.today).tally

    # --- references

    def references(self, category: str) -> Thread:
        """One for each place of the rule, side by side; whoever declines is followed by another."""
        rule = reference_rule(category, self.today, self.home)
        for slot in rule.slots if rule else ():
            self.referring += 1
            self.start(self.reference(slot))
            yield self.later(1, 9)

    def reference(self, slot: ReferenceSlot) -> Thread:
        for attempt in range(4):
            if (yield from self.refer(slot, attempt)):
                break
            yield self.later(1, 9)
        self.referring -= 1

    def refer(self, slot: ReferenceSlot, attempt: int) -> Generator[date | datetime, None, bool]:
        """Nominate, ask, remind, and perhaps be answered; whether the rating may count."""
        sure = attempt > 1
        relationship = self.choose(sorted(slot.relationships)) if slot.relationships else "colleague"
        endorsed = slot.qualified or relationship == "rsc_provider"
        known = self.world.rater(self, slot, self.raters) if endorsed and self.chance(0.7) else None
        name, email = (known.name, known.email) if known else (
            f"{self.choose(names.FIRST)} {self.choose(names.LAST)}", f"r{self.recorded}.{self.email}"
        )  # fmt: skip
        if known:
            self.raters.add(known.person)
        nominated = self.registry.nominate_rater(
            self.act(self.holder), self.person, relationship=relationship, name=name, email=email,
            waiver=self.chance(0.7), endorsement=known.number if known else "",
            known_since=self.today - self.many(400, 3000) * _DAY,
        )  # fmt: skip
        reference = self.memory.get(Reference, nominated.events[0].originator_id.partition("/")[2])
        desk = self.coordinator(reference.association)
        if slot.qualified and not known:
            yield self.later(2, 10)
            self.registry.vet_rater(self.act(desk), reference.name, qualified=True, note=self.choose(names.NOTES))
        fate = self.random.random()
        if fate < 0.15:
            for _ in range(self.many(1, 2)):
                yield self.night(self.today + self.many(14, 15) * _DAY)
                self.registry.remind_due(reference.name)
        elif fate < 0.18:
            yield self.later(10, 30)
            self.registry.request_rating(self.act(desk), reference.name)
        elif fate < 0.20 and not sure:
            yield self.later(3, 20)
            self.registry.withdraw_nomination(self.act(self.holder), reference.name)
            return False
        yield self.later(2, 25)
        code = self.registry.rating_code(reference.name, reference.link_version)
        rater = self.act(Actor("rater"))
        if self.chance(0.05) and not sure:
            self.registry.decline_rating(rater, code=code, reason="no_time")
            return False
        unknown = 0.8 if self.chance(0.03) and not sure else 0.04
        answers: dict[str, Score] = {
            asked: "unknown" if self.chance(unknown) else self.choose(_SCORES) for asked in ASKED
        }
        self.registry.record_rating(
            rater, code=code, answers=answers, recommendation="recommend", known_a_year=True,
            comment=self.choose(names.COMMENTS),
        )  # fmt: skip
        if not reference.waiver and self.chance(0.15):
            yield self.later(3, 20)
            self.registry.relay_reasons(self.act(desk), reference.name, reasons=self.choose(names.COMMENTS))
        return reference.state == "rated"

    # --- review

    def review(self, name: str, category: str) -> Generator[date, None, Outcome | None]:
        """Assigned, judged, brought together; gives the outcome, or None where nobody can judge."""
        needed = self.registry.association(self.home).row.reviewers
        application = self.memory.get(Application, name)
        tied = {
            self.person, *application.providers.values(), *application.recused, *self.raters,
            *application.advisors.values(), *application.judged_before,
            *(application.reviewing_people[number] for number in application.reviewers),
        }  # fmt: skip
        yield self.later(2, 15)
        how = self.settled("processing", category)
        if how and "processing" not in application.fees:
            self.registry.settle_fee(
                self.act(self.coordinator()), name, what="processing", how=how,
                sponsor=_SPONSOR if how == "sponsored" else "",
            )  # fmt: skip
        while len(application.reviewers) < needed:
            if not self.assign(application, category, tied):
                return None
            if self.chance(0.02):
                yield self.later(1, 4)
                reviewer = list(application.reviewers)[-1]
                self.registry.recuse_reviewer(
                    self.act(self.coordinator()), name, reviewer=reviewer, tie=self.choose(("relative", "colleague"))
                )
        good = self.early or self.chance(0.9) or self.room < (28 if application.exam_asked is not None else 12)
        for reviewer in list(application.reviewers):
            yield self.later(4, 25)
            if self.bent in ("held", "declined"):
                self.recommend(application, reviewer, "hold" if self.bent == "held" else "decline")
            else:
                self.recommend(
                    application, reviewer, "approve" if good != (self.chance(0.06) and not self.early) else "defer"
                )
        if application.judgement is None:
            yield self.later(2, 10)
            if self.chance(0.5) or not self.assign(application, category, tied):
                outcome: Outcome = "approve" if self.chance(0.6) else "defer"
                self.registry.reach_consensus(self.act(self.coordinator()), name, outcome=outcome)
            else:
                yield self.later(4, 25)
                self.recommend(application, list(application.reviewers)[-1], "approve" if good else "defer")
        yield self.later(1, 12)
        return application.judgement

    def assign(self, application: Application, category: str, tied: set[str]) -> bool:
        reviewer = self.world.reviewer(self, category, tied)
        if reviewer is None:
            return False
        self.registry.assign_reviewer(self.act(self.coordinator()), application.name, reviewer=reviewer.number)
        tied.add(reviewer.person)
        return True

    def recommend(self, application: Application, reviewer: str, outcome: Outcome) -> None:
        actor = Actor("reviewer", person=application.reviewing_people[reviewer], id="s1")
        if self.chance(0.5):
            asked = self.registry.catalogue(self.home).areas_for(CATEGORIES[application.category].slot)
            short = [area.code for area in asked if outcome != "approve" and self.chance(0.1)]
            met = [area.code for area in asked if area.code not in short]
            self.registry.assess_competencies(
                self.act(actor), application.name, reviewer=reviewer, met=met, not_met=short
            )
        reasons = () if outcome == "approve" else (self.choose(_DEFERS),)
        self.registry.recommend(
            self.act(actor),
            application.name,
            reviewer=reviewer,
            outcome=outcome,
            reasons=reasons,
        )

    # --- evidence

    def add(self, entry: Entry) -> None:
        title = provider = ""
        match entry.kind:
            case "training":
                special = names.PROVISION_TRAININGS if entry.rsc_provision_hours else names.TRAININGS
                title = self.choose(names.SHARED_TRAININGS if entry.dei_hours else special)
            case "work" | "internship" | "leadership":
                title = self.choose(names.WORK)
            case "education":
                title = self.choose(names.SCHOOLS)
            case "rsc" if not entry.provider:
                title, provider = "Reflective supervision", f"{self.choose(names.FIRST)} {self.choose(names.LAST)}"
            case "rsc":
                title = "Reflective supervision"
        recorded = self.registry.record_entry(
            self.act(self.holder), self.person, entry, title=title, provider_name=provider
        )
        name = f"E{recorded.events[0].originator_version}"
        if provider:
            self.registry.vet_provider(self.act(self.coordinator()), self.person, name, qualified=True)
        elif self.chance(0.02):
            self.registry.record_entry(self.act(self.holder), self.person, entry, title=title.upper(), supersedes=name)
        elif self.chance(0.01) and entry.kind == "training":
            self.registry.withdraw_entry(self.act(self.holder), self.person, name)

    def evidence(self, missing: list[Missing]) -> Iterator[Entry]:
        for gap in missing:
            yield from self.evidence_of(gap.requirement, gap.need - gap.have)

    def evidence_of(self, requirement: Requirement, amount: float) -> Iterator[Entry]:
        """Entries that meet one requirement, dated before today."""
        match requirement.what:
            case "any_of":
                option = self.choose(requirement.any_of)
                yield from self.evidence_of(option, option.amount)
            case "training":
                yield from self.trainings(amount)
            case "rsc":
                yield from self.supervision(amount)
            case "work":
                yield self.work(amount)
            case "degree":
                level: Degree = requirement.level if requirement.level in ("cda", "master") else "bachelor"  # type: ignore[assignment]
                yield self.studied(degree=level)
            case "licence":
                yield self.studied(licence=True)

    def trainings(self, amount: float) -> Iterator[Entry]:
        amount *= self.random.uniform(1.0, 1.4)
        while amount > 0:
            hours = self.choose((6, 8, 12, 16, 20) if self.room > MOST // 2 else (16, 20))
            days = 3 if hours > 8 else 1
            day = self.today - self.many(days, 900) * _DAY
            dei = hours if self.chance(0.12) else 0
            yield Entry(
                "training", day, day + (days - 1) * _DAY, hours=hours, dei_hours=dei, codes=self.codes(),
                rsc_provision_hours=0 if dei or self.chance(0.9) else hours,
            )  # fmt: skip
            amount -= hours

    def supervision(self, amount: float) -> Iterator[Entry]:
        """Every other month, in the years before: a long session, seldom one entry for many."""
        months = 0
        provider: Server | None = None
        while amount > 0 and months < 36:
            months += 2
            through = self.today - (months * 30 + self.many(0, 20)) * _DAY
            from_ = through - (20 * _DAY if self.chance(0.06) else 0 * _DAY)
            if provider is None or not provider.since <= from_ <= through <= provider.through:
                provider = self.world.provider(self, from_)
            if provider is None or provider_rule(from_, self.home) is None:
                continue
            hours = min(12, max(6, round(amount / 4)))
            mode = self.choose(("individual", "group"))
            rule = provider_rule(from_, self.home)
            number = "" if rule and rule.vetted and self.chance(0.05) else provider.number
            yield Entry("rsc", from_, through, hours=hours, provider=number, mode=mode)  # type: ignore[arg-type]
            amount -= hours

    def work(self, days: float) -> Entry:
        through = self.today - self.many(1, 60) * _DAY
        from_ = through - (int(days) + self.many(5, 700)) * _DAY
        return Entry("work", from_, through, sector=self.sector, population="0-36 months")  # type: ignore[arg-type]

    def studied(self, **what: Any) -> Entry:
        day = self.today - self.many(400, 5000) * _DAY
        return Entry("education", day, day, **what)

    def codes(self) -> tuple[str, ...]:
        return tuple(sorted({self.choose(_CODES) for _ in range(self.many(1, 4))}))

    # --- after the award

    def renewals(self, number: str) -> Thread:
        """Before each last good day: renewed, or lapsed and perhaps reinstated."""
        while True:
            # Loaded again each time: a file's word may have replaced it.
            endorsement = self.memory.get(Endorsement, number)
            through = endorsement.through
            opens, due = renewal_window(max(through, self.today), endorsement.custodian)
            keeps = (self.chance(0.85) or self.early or self.bent == "emerges") and self.room > 3
            if keeps and through == due:
                if self.chance(0.1):
                    yield self.night(max(self.today, opens) + _DAY)
                    self.registry.remind_of_renewal(number)
                yield self.between(max(self.today, opens), due)
                endorsement = self.memory.get(Endorsement, number)
                if endorsement.standing(self.today) == "active" and window_open(endorsement, self.today):
                    self.renew(number)
                    if endorsement.through != through:
                        continue
            yield self.night(endorsement.through + _DAY)
            endorsement = self.memory.get(Endorsement, number)
            if endorsement.standing(self.today) not in ("active", "lapsed"):
                return
            self.registry.record_lapse(number)
            if self.resting or self.room < 4 or self.chance(0.6):
                return
            yield self.later(30, 500)
            if self.standing(number) != "lapsed" or not self.reinstate(number):
                return

    def converted(self, number: str) -> Thread:
        """A reflective supervisor becomes a specialist with ERS (AZ-REQ, IN-ERS)."""
        if self.memory.get(Endorsement, number).category in CONVERSIONS:
            yield self.between(max(self.today, CONVERTED_FROM), CONVERTED_FROM + 200 * _DAY)
            if self.standing(number) not in ("removed", "archived"):
                self.registry.convert(self.act(self.desk(number)), number)

    def renew(self, number: str) -> None:
        endorsement = self.memory.get(Endorsement, number)
        if self.chance(0.95):
            keep_membership(self, endorsement)
        fee = late_fee(endorsement, self.today)
        try:
            self.registry.renew(self.act(self.holder), number, attestation(self), late_fee=fee)
        except RequirementsNotMet:  # raised before anything is remembered; then it lapses
            return

    def reinstate(self, number: str) -> bool:
        provider = self.world.provider(self, self.today)
        if provider is None:
            return False
        attested = Reinstatement(
            training_hours=15 + self.many(0, 20), rsc_provider=provider.number, membership=True, ethics=True,
            audit=True,
        )  # fmt: skip
        keep_membership(self, self.memory.get(Endorsement, number))
        try:
            self.registry.reinstate(self.act(self.desk(number)), number, attested, fee="waived")
        except RequirementsNotMet:
            return False
        return True

    def turns(self, number: str) -> Thread:
        """What else happens to a person: a handful of things, each seldom; the first who came meet all of them."""
        for turn in self.turning:
            if self.room > 10:
                yield self.later(20, 100 if self.early else 700)
                if self.standing(number) == "active":
                    yield from turn(number)

    def shares(self) -> list[tuple[float, Turn]]:
        return [
            (0.06, self.renamed), (0.08, self.moves), (0.03, self.rests), (0.10, self.add_on),
            (0.08, self.applies_again), (0.012, self.suspended), (0.008, self.removed), (0.05, self.noted),
            (0.02, self.merges), (0.02, self.archives), (0.04, self.hides),
            (0.006, self.is_disputed), (0.006, self.is_held), (0.006, self.is_declined), (0.006, self.is_left_waiting),
            (0.008, self.forgotten), (0.15, self.tells),
            (0.006, self.thinks_again), (0.01, self.back_soon), (0.015, self.retires), (0.01, self.corrected),
            (0.01, self.dies), (0.01, self.leaves_the_association), (0.02, self.member_elsewhere),
             (0.02, self.is_listed), (0.006, self.stays), (0.008, self.is_contradicted),
        ]  # fmt: skip

    def dies(self, _number: str) -> Iterator[date]:
        self.registry.report_death(self.act(self.coordinator()), self.person, died_on=self.today - _DAY)
        self.over = True
        yield from ()

    def leaves_the_association(self, _number: str) -> Iterator[date]:
        """The membership is given up in the middle of its year."""
        yield self.later(1, 2)
        person = self.memory.get(Person, self.person)
        if (person.member_through(self.home, self.today) or self.today) > self.today:
            self.registry.end_membership(
                self.act(self.coordinator()), self.person, association=self.home, through=self.today
            )

    def member_elsewhere(self, _number: str) -> Iterator[date]:
        self.registry.verify_membership_elsewhere(
            self.act(self.coordinator()), self.person, association=self.home, body="WAIMH",
            from_=date(self.today.year, 1, 1), through=date(self.today.year, 12, 31),
        )  # fmt: skip
        yield self.later(1, 2)

    def is_listed(self, _number: str) -> Iterator[date]:
        """On the public list of providers, where the category allows it; the choice is theirs in any case."""
        listing = ProviderListing(listed=True, languages=("en", self.choose(("es", "so"))), remote=self.chance(0.5))
        self.registry.choose_provider_listing(self.act(self.holder), self.person, listing)
        yield self.later(1, 2)

    def stays(self, _number: str) -> Iterator[date]:
        """Asks to be forgotten, and thinks again within the days there are."""
        self.registry.request_erasure(self.act(self.holder), self.person)
        yield self.later(1, 4)
        self.registry.cancel_erasure(self.act(self.holder), self.person)

    def is_contradicted(self, number: str) -> Iterator[date]:
        """The association's file says another last day than what was decided here; a coordinator settles it."""
        endorsement = self.memory.get(Endorsement, number)
        row = Row(
            number=self.number + 2, record=number, association=endorsement.custodian, name=self.name,
            credentials=self.credentials, email=self.email, category=endorsement.category,
            awarded_on=endorsement.awarded_on, through=endorsement.through + 365 * _DAY, standing="active",
            residence=PLACES[self.home].residence,
        )  # fmt: skip
        digest = hashlib.sha256(f"{self.world.seed}/{self.home}/{self.today}".encode()).hexdigest()
        roster = Roster(digest, self.today, count=1, duplicates=0, rows=[row], errors=[], warnings=[])
        Importer(self.registry, self.desk(number), roster).take(row, Told())
        yield self.later(3, 20)
        if self.standing(number) == "active":
            self.registry.settle_report(self.act(self.desk(number)), number)

    def desk(self, number: str, second: int = 0) -> Actor:
        """The coordinator of whoever holds an endorsement now."""
        return self.coordinator(self.memory.get(Endorsement, number).custodian, second)

    def standing(self, number: str) -> str:
        return self.memory.get(Endorsement, number).standing(self.today)

    def renamed(self, _number: str) -> Iterator[date]:
        self.last = f"{self.last}-{self.choose(names.LAST)}"
        self.registry.rename_person(
            self.act(self.coordinator()), self.person, name=self.name, credentials=self.credentials
        )
        yield self.later(1, 3)

    def moves(self, number: str) -> Iterator[date]:
        """To another association, on the word of both."""
        if (case := (yield from self.asks_to_move(number))) is None:
            return
        if self.chance(0.9):
            self.registry.confirm_standing(self.act(self.coordinator(case.from_)), case.name)
        else:
            yield from self.disputed(case)
        yield from self.taken(case)

    def asks_to_move(self, number: str) -> Generator[date, None, Transfer | None]:
        """A new residence, and the request some weeks later; None where nothing can move."""
        to = self.world.elsewhere(self, self.today)
        if to is None:
            return None
        self.registry.move_person(self.act(self.holder), self.person, residence=PLACES[to].residence)
        self.home = to
        self.join(self.today)
        yield self.later(5, 60)
        if self.standing(number) != "active" or self.memory.get(Endorsement, number).custodian == to:
            return None  # back where it still is
        requested = self.registry.request_transfer(self.act(self.holder), self.person, to=to, endorsements=[number])
        yield self.later(1, 9)
        case = self.memory.get(Transfer, requested.events[0].originator_id.partition("/")[2])
        return case if self.standing(number) == "active" else None

    def taken(self, case: Transfer) -> Iterator[date]:
        """The receiving side's part: accepted, or declined and perhaps taken by the Alliance."""
        yield self.later(1, 12)
        if case.state != "confirmed" or self.standing(case.numbers[0]) != "active":
            return
        act = self.act(self.coordinator(case.to))
        category = self.memory.get(Endorsement, case.numbers[0]).category
        if category not in self.registry.association(case.to).offers(self.today):
            self.registry.decline_transfer(act, case.name, reason="category_not_offered")
            if case.from_ != ALLIANCE and (self.early or self.chance(0.7)):
                yield self.later(2, 20)
                if self.standing(case.numbers[0]) == "active":
                    self.registry.take_custody(self.act(self.coordinator("ALLIANCE")), case.name)
            return
        self.registry.verify_membership(act, case.name, through=self.today + 200 * _DAY)
        yield self.later(1, 5)
        if self.standing(case.numbers[0]) == "active":
            self.registry.accept_transfer(self.act(self.coordinator(case.to)), case.name)

    def disputed(self, case: Transfer) -> Iterator[date]:
        self.registry.dispute_standing(self.act(self.coordinator(case.from_)), case.name, reason="record_differs")
        yield self.later(5, 30)
        self.registry.decide_dispute(self.act(self.coordinator("ALLIANCE")), case.name, good_standing=self.chance(0.8))

    def is_disputed(self, number: str) -> Iterator[date]:
        if case := (yield from self.asks_to_move(number)):
            yield from self.disputed(case)
            yield from self.taken(case)

    def is_held(self, number: str) -> Iterator[date]:
        """Something is found on the way, and turns out to be nothing."""
        if case := (yield from self.asks_to_move(number)):
            self.registry.confirm_standing(self.act(self.coordinator(case.from_)), case.name)
            alliance = self.coordinator("ALLIANCE")
            self.registry.hold_transfer(self.act(alliance), case.name, reason="open_audit", endorsements=[number])
            yield self.later(10, 40)
            if self.standing(number) == "active" and case.held:
                self.registry.release_transfer(self.act(alliance), case.name)
                yield from self.taken(case)

    def is_declined(self, number: str) -> Iterator[date]:
        if case := (yield from self.asks_to_move(number)):
            self.registry.confirm_standing(self.act(self.coordinator(case.from_)), case.name)
            yield self.later(2, 12)
            self.registry.decline_transfer(self.act(self.coordinator(case.to)), case.name, reason="other")

    def is_left_waiting(self, number: str) -> Iterator[date | datetime]:
        """The releasing association says nothing: reminded, then the Alliance is asked."""
        if case := (yield from self.asks_to_move(number)):
            for _ in range(45):
                yield self.night(self.today + _DAY)
                if self.registry.chase_transfer(case.name) and case.state != "requested":
                    break
            if case.state == "disputed":
                yield self.later(3, 12)
                alliance = self.coordinator("ALLIANCE")
                self.registry.decide_dispute(self.act(alliance), case.name, good_standing=True)
                yield from self.taken(case)

    def thinks_again(self, number: str) -> Iterator[date]:
        if case := (yield from self.asks_to_move(number)):
            self.registry.cancel_transfer(self.act(self.holder), case.name)

    def rests(self, number: str) -> Iterator[date | datetime]:
        """Inactive for a while: back in time, or not at all."""
        reason = self.choose(_RESTS)
        self.registry.make_inactive(self.act(self.desk(number)), number, reason=reason)
        endorsement = self.memory.get(Endorsement, number)
        if self.chance(0.6) and not self.early:
            yield self.later(60, 500)
            if self.standing(number) == "inactive" and endorsement.through >= self.today:
                keep_membership(self, endorsement)
                self.registry.reactivate(self.act(self.desk(number)), number)
        elif endorsement.inactive_until:
            yield self.night(endorsement.inactive_until + 2 * _DAY)
            self.registry.end_inactivity(number)

    def back_soon(self, number: str) -> Iterator[date]:
        self.registry.make_inactive(self.act(self.desk(number)), number, reason="illness")
        yield self.later(10, 30)
        endorsement = self.memory.get(Endorsement, number)
        if self.standing(number) == "inactive" and endorsement.through >= self.today:
            keep_membership(self, endorsement)
            self.registry.reactivate(self.act(self.desk(number)), number)

    def retires(self, number: str) -> Iterator[date]:
        if practice(self.memory.get(Endorsement, number).custodian, self.today).emeritus_offered:
            self.registry.grant_emeritus(self.act(self.desk(number)), number)
        yield self.later(1, 2)

    def corrected(self, number: str) -> Iterator[date]:
        """The award was entered under a wrong day."""
        endorsement = self.memory.get(Endorsement, number)
        day = endorsement.awarded_on - self.many(1, 5) * _DAY
        self.registry.correct(self.act(self.desk(number)), number, corrects=1, reason="wrong_day", day=day)
        yield self.later(1, 2)

    def add_on(self, number: str) -> Iterator[date | datetime]:
        """ERS, or Emerging for two years and then perhaps ERS."""
        endorsement = self.memory.get(Endorsement, number)
        if CATEGORIES[endorsement.category].slot not in ("FS", "MHS"):
            return
        if self.today < CONVERTED_FROM:
            yield CONVERTED_FROM + self.many(3, 60) * _DAY
            if self.standing(number) != "active":
                return
        add_on: AddOn = "EERS" if self.bent == "emerges" else self.choose(_ADD_ONS)
        self.registry.grant_add_on(self.act(self.desk(number)), number, add_on=add_on)
        if add_on == "EERS" and endorsement.add_on_until:
            yield self.night(endorsement.add_on_until + 2 * _DAY)
            self.registry.end_add_on(number)

    def applies_again(self, _number: str) -> Iterator[date | datetime]:
        if self.room < 38:
            return
        before = len(self.numbers)
        yield from self.apply_once()
        if len(self.numbers) > before:
            self.start(self.renewals(self.numbers[-1]))

    def suspended(self, number: str) -> Iterator[date]:
        """A sanction is heard of, and turns out to be none."""
        self.registry.suspend(self.act(self.desk(number)), number, reason="sanction_being_established")
        yield self.later(5, 30)
        if self.standing(number) != "suspended":
            return
        self.sanction(number)
        yield self.later(20, 60)
        self.registry.settle_sanction(self.act(self.desk(number)), number, outcome="unfounded")
        if self.standing(number) == "suspended":
            self.registry.lift_suspension(self.act(self.desk(number)), number)

    def sanction(self, number: str) -> None:
        self.registry.report_sanction(
            self.act(self.desk(number)), number, source="board_notice", decided_on=self.today - 9 * _DAY, board="ZZ-LPC"
        )

    def removed(self, number: str) -> Iterator[date]:
        """On a board's sanction, by two people; once in a while it is thought over in between."""
        self.registry.suspend(self.act(self.desk(number)), number, reason="sanction_being_established")
        yield self.later(10, 60)
        if self.standing(number) != "suspended":
            return
        self.sanction(number)
        if self.chance(0.4) or self.early:
            self.registry.propose_removal(self.act(self.desk(number)), number, ground="licensing_board_sanction")
            yield self.later(1, 9)
            self.registry.withdraw_removal_proposal(self.act(self.desk(number)), number)
        yield self.later(1, 9)
        self.registry.propose_removal(self.act(self.desk(number)), number, ground="licensing_board_sanction")
        yield self.later(1, 20)
        self.registry.remove(self.act(self.desk(number, second=50)), number)
        self.resting = True

    def archives(self, number: str) -> Iterator[date]:
        self.registry.archive(self.act(self.holder), number)
        yield self.later(1, 2)

    def hides(self, _number: str) -> Iterator[date]:
        self.registry.choose_publication(self.act(self.holder), self.person, listed=False)
        yield self.later(1, 2)

    def forgotten(self, _number: str) -> Iterator[date | datetime]:
        """Asked for, confirmed by a second person, carried out after the days in which it can be cancelled."""
        self.registry.request_erasure(self.act(self.holder), self.person)
        yield self.later(1, 5)
        if self.chance(0.15) and not self.early:
            self.registry.cancel_erasure(self.act(self.holder), self.person)
            return
        self.registry.confirm_erasure(self.act(self.coordinator()), self.person)
        yield self.night(self.today + (ERASURE_DAYS + 1) * _DAY)
        self.over = self.registry.carry_out_erasure(self.person)

    def tells(self, _number: str) -> Iterator[date]:
        """Volunteers something of themselves, and some take it back."""
        told = Demographics(languages=("en", self.choose(("es", "nv", "so", "vi"))))
        self.registry.volunteer_demographics(self.act(self.holder), self.person, told)
        if self.chance(0.1) or self.early:
            yield self.later(5, 60)
            self.registry.withdraw_demographics(self.act(self.holder), self.person)

    def noted(self, _number: str) -> Iterator[date]:
        note = self.choose(names.NOTES)
        self.registry.write_note(self.act(self.coordinator()), self.person, about="", audience="staff", note=note)
        yield self.later(1, 2)

    def merges(self, _number: str) -> Iterator[date]:
        """A second record of the same human is made by mistake, found, and joined; seldom that was the mistake."""
        recorded = self.registry.register_person(
            self.act(self.coordinator()), name=self.name, residence=PLACES[self.home].residence,
            email=f"other.{self.email}",
        )  # fmt: skip
        other = recorded.events[0].originator_id.partition("/")[2]
        yield self.later(3, 40)
        self.registry.merge_persons(self.act(self.coordinator()), other, into=self.person)
        if self.chance(0.15) or self.early:
            yield self.later(3, 40)
            self.registry.split_persons(self.act(self.coordinator()), self.person, other=other)
