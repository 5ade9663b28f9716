"""People who came as whole applications: a third of the world, from the first membership to what came after."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from domain.access import Actor
from domain.application import Application, DeferReason, Outcome
from domain.category import CATEGORIES, AddOn
from domain.editions import edition_for, provider_rule, renewal_window
from domain.endorsement import Endorsement, InactiveReason
from domain.errors import NotInForce, RequirementsNotMet
from domain.person import Person
from domain.policy import Attestation, Degree, Missing, Reinstatement, Requirement, Tally
from domain.portfolio import Entry
from registry.world import names
from registry.world.life import Life, Thread, first_edition
from registry.world.memory import Keys
from registry.world.places import PLACES

if TYPE_CHECKING:
    from registry.world.world import World

MOST = 60
"""Events of a person who applied."""

_DAY = timedelta(days=1)
_RESTS: tuple[InactiveReason, ...] = ("illness", "job_change", "move", "family_leave")
_DEFERS: tuple[DeferReason, ...] = ("more_training", "competencies_not_shown", "more_experience")
_ADD_ONS: tuple[AddOn, ...] = ("EERS", "EERS", "ERS")
_SLOTS = {"FA": 20, "FS": 44, "MHS": 24, "MHM-C": 8, "MHM-P": 2, "MHM-RF": 2}
_CANNOT_YET = {"exam"}


class Applicant(Life):
    """Applies, is judged, is endorsed or not, renews, moves, rests, leaves."""

    def __init__(self, world: World, number: int, home: str, keys: Keys) -> None:
        super().__init__(world, number, home, keys)
        self.numbers: list[str] = []
        self.applications = 0
        self.sector = self.choose(names.SECTORS)
        self.resting = False

    # --- the frame

    def story(self) -> Thread:
        yield self.begins()
        self.register()
        self.start(self.memberships())
        yield self.later(3, 60)
        yield from self.apply_once()
        if not self.numbers:
            return
        self.start(self.renewals(self.numbers[0]))
        self.start(self.turns(self.numbers[0]))

    def begins(self) -> date:
        """Some day on which a category that can be applied for is offered; more and more people each year."""
        place = PLACES[self.home]
        first = max(place.since, min(first_edition(slot) for slot in _SLOTS))
        span = max(30, (self.world.last - first).days - 120)
        return first + timedelta(days=int(span * self.random.random() ** 0.5))

    @property
    def room(self) -> int:
        return MOST - self.recorded - 2

    def memberships(self) -> Thread:
        """A year each, as long as there is something to be a member for."""
        while not self.resting and self.room > 0:
            through = date(self.today.year, 12, 31)
            self.registry.record_membership(
                self.act(self.coordinator()), self.person, association=self.home, from_=self.today, through=through
            )
            yield self.between(through + timedelta(days=2), through + timedelta(days=25))
            if self.numbers and self.chance(0.4):
                return

    # --- an application

    def draw_category(self) -> str:
        """One that is offered, in force, not held and within reach of what can be done here; empty if none is."""
        held = {CATEGORIES[self.memory.get(Endorsement, number).category].slot for number in self.numbers}
        slots = [slot for slot in _SLOTS if slot not in held and self.world.has(slot)]
        offers = self.offers()
        while slots:
            slot = self.random.choices(slots, [_SLOTS[one] for one in slots])[0]
            codes = [c.code for c in CATEGORIES.values() if c.slot == slot and c.code in offers]
            early = self.chance(0.27)
            for code in sorted(codes, key=lambda code: code.startswith("EC") != early):
                if self.can_apply(code):
                    return code
            slots.remove(slot)
        return ""

    def can_apply(self, category: str) -> bool:
        try:
            edition = edition_for(category, self.today)
        except NotInForce:
            return False
        return not any(requirement.what in _CANNOT_YET for requirement in edition.requirements)

    def apply_once(self) -> Iterator[date]:
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
        self.accept(name)
        submitted = yield from self.hand_in(name, category)
        for last in (False, False, True):
            outcome = (yield from self.review(name, category)) if submitted else None
            if outcome == "approve":
                self.approve(name)
                return
            if not outcome or last:
                break
            yield self.defer(name)
            for entry in self.evidence([Missing(Requirement("training", "ours", amount=6), have=0, need=6)]):
                self.add(entry)
                yield self.later(10, 40)
            submitted = self.submits(name)
        self.registry.withdraw_application(self.act(self.holder), name)

    def accept(self, name: str) -> None:
        """By the coordinator; who let the membership run out pays it with this."""
        member = self.memory.get(Person, self.person).member_of(self.home, self.today)
        through = None if member else date(self.today.year, 12, 31)
        self.registry.accept_registration(self.act(self.coordinator()), name, member_through=through)

    def hand_in(self, name: str, category: str) -> Generator[date, None, bool]:
        """Gather what the edition asks for, and submit; whether it was enough in the end."""
        missing = edition_for(category, self.today).missing(Tally())
        for _ in range(3):
            for entry in self.evidence(missing):
                yield self.later(1, 14)
                self.add(entry)
            yield self.later(5, 40)
            if self.chance(0.02):
                return False
            if self.submits(name):
                return True
            missing = edition_for(category, self.today).missing(self.tally())
        return False

    def submits(self, name: str) -> bool:
        try:
            self.registry.submit_application(self.act(self.holder), name, signed=True)
        except RequirementsNotMet:  # raised before anything is remembered
            return False
        return True

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
        return until + self.random.randint(1, 20) * _DAY

    def tally(self) -> Tally:
        return self.registry.handed_in(self.memory.get(Person, self.person), self.today).tally

    # --- review

    def review(self, name: str, category: str) -> Generator[date, None, Outcome | None]:
        """Assigned, judged, brought together; gives the outcome, or None where nobody can judge."""
        needed = self.registry.association(self.home).row.reviewers
        application = self.memory.get(Application, name)
        tied = {self.person, *application.providers.values(), *application.recused}
        yield self.later(2, 15)
        while len(application.reviewers) < needed:
            if not self.assign(application, category, tied):
                return None
            if self.chance(0.02):
                yield self.later(1, 4)
                reviewer = list(application.reviewers)[-1]
                self.registry.recuse_reviewer(
                    self.act(self.coordinator()), name, reviewer=reviewer, tie=self.choose(("relative", "colleague"))
                )
        good = self.chance(0.9)
        for reviewer in list(application.reviewers):
            yield self.later(4, 25)
            self.recommend(application, reviewer, "approve" if good != self.chance(0.06) else "defer")
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
        reviewer = self.world.reviewer(self, category, self.today, self.today + timedelta(days=120), tied)
        if reviewer is None:
            return False
        self.registry.assign_reviewer(self.act(self.coordinator()), application.name, reviewer=reviewer.number)
        tied.add(reviewer.person)
        return True

    def recommend(self, application: Application, reviewer: str, outcome: Outcome) -> None:
        actor = Actor("reviewer", person=application.reviewing_people[reviewer], id="s1")
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
            case "rsc":
                title = "Reflective supervision"
        self.registry.record_entry(self.act(self.holder), self.person, entry, title=title, provider_name=provider)

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
            hours = self.choose((3, 4, 6, 6, 8, 12))
            day = self.today - self.random.randint(1, 900) * _DAY
            dei = hours if self.chance(0.12) else 0
            yield Entry(
                "training", day, day + (hours > 8) * _DAY, hours=hours, dei_hours=dei, codes=self.codes(),
                rsc_provision_hours=0 if dei or self.chance(0.9) else hours,
            )  # fmt: skip
            amount -= hours

    def supervision(self, amount: float) -> Iterator[Entry]:
        """A few months each with one provider, in the years before."""
        months = 0
        while amount > 0 and months < 36:
            months += 2
            through = self.today - (months * 30) * _DAY
            from_ = through - self.random.randint(10, 40) * _DAY
            provider = self.world.provider(self, from_, through)
            if provider is None or provider_rule(from_) is None:
                continue
            hours = min(8, max(3, round(amount / 5)))
            mode = self.choose(("individual", "group"))
            yield Entry("rsc", from_, through, hours=hours, provider=provider.number, mode=mode)  # type: ignore[arg-type]
            amount -= hours

    def work(self, days: float) -> Entry:
        through = self.today - self.random.randint(1, 60) * _DAY
        from_ = through - (int(days) + self.random.randint(5, 700)) * _DAY
        return Entry("work", from_, through, sector=self.sector, population="0-36 months")  # type: ignore[arg-type]

    def studied(self, **what: Any) -> Entry:
        day = self.today - self.random.randint(400, 5000) * _DAY
        return Entry("education", day, day, **what)

    def codes(self) -> tuple[str, ...]:
        return tuple(sorted({self.choose(names.CODES) for _ in range(self.random.randint(1, 4))}))

    # --- after the award

    def renewals(self, number: str) -> Thread:
        """Before each last good day: renewed, or lapsed and perhaps reinstated."""
        endorsement = self.memory.get(Endorsement, number)
        while True:
            through = endorsement.through
            opens, due = renewal_window(max(through, self.today))
            keeps = self.chance(0.88) and self.room > 4
            if keeps and through == due:
                yield self.between(max(self.today, opens), due)
                if endorsement.standing(self.today) == "active":
                    self.renew(number)
                    if endorsement.through != through:
                        continue
            yield self.night(endorsement.through + _DAY)
            if endorsement.standing(self.today) not in ("active", "lapsed"):
                return
            self.registry.record_lapse(number)
            if self.resting or self.room < 4 or self.chance(0.6):
                return
            yield self.later(30, 500)
            if endorsement.standing(self.today) != "lapsed" or not self.reinstate(number):
                return

    def renew(self, number: str) -> None:
        attested = Attestation(
            training_hours=45 + self.random.randint(0, 30), rsc_hours=36 + self.random.randint(0, 12),
            rsc_provision_hours=15, dei_hours=3, membership=True, ethics=True, no_sanction=True,
        )  # fmt: skip
        self.registry.renew(self.act(self.holder), number, attested)

    def reinstate(self, number: str) -> bool:
        provider = self.world.provider(self, self.today, self.today)
        if provider is None:
            return False
        attested = Reinstatement(
            training_hours=15 + self.random.randint(0, 20), rsc_provider=provider.number, membership=True, ethics=True,
            audit=True,
        )  # fmt: skip
        self.registry.reinstate(self.act(self.coordinator()), number, attested)
        return True

    def turns(self, number: str) -> Thread:
        """What else happens to a person: a handful of things, each seldom."""
        turns = (
            (0.07, self.renamed), (0.10, self.moves), (0.04, self.rests), (0.10, self.add_on),
            (0.10, self.applies_again), (0.012, self.suspended), (0.008, self.removed),
            (0.02, self.archives), (0.05, self.hides),
        )  # fmt: skip
        for share, turn in turns:
            if self.chance(share) and self.room > 10:
                yield self.later(40, 900)
                if self.standing(number) == "active":
                    yield from turn(number)

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
        to = self.world.elsewhere(self, self.today)
        if to is None:
            return
        from_ = self.home
        self.registry.move_person(self.act(self.holder), self.person, residence=PLACES[to].residence)
        yield self.later(5, 60)
        if self.standing(number) != "active":
            return
        requested = self.registry.request_transfer(self.act(self.holder), self.person, to=to, endorsements=[number])
        name = requested.events[0].originator_id.partition("/")[2]
        yield self.later(1, 9)
        if self.chance(0.05):
            self.registry.cancel_transfer(self.act(self.holder), name)
            return
        if self.chance(0.08):
            self.registry.dispute_standing(self.act(self.coordinator(from_)), name, reason="record_differs")
            yield self.later(5, 30)
            good = self.chance(0.8)
            self.registry.decide_dispute(self.act(self.coordinator("ALLIANCE")), name, good_standing=good)
            if not good:
                return
        elif self.standing(number) == "active":
            self.registry.confirm_standing(self.act(self.coordinator(from_)), name)
        else:
            return
        yield self.later(1, 12)
        actor = self.coordinator(to)
        category = self.memory.get(Endorsement, number).category
        if self.chance(0.05) or category not in self.registry.association(to).row.offers:
            self.registry.decline_transfer(self.act(actor), name, reason="not_resident")
            return
        through = self.today + 200 * _DAY
        self.registry.verify_membership(self.act(actor), name, through=through)
        yield self.later(1, 5)
        if self.standing(number) == "active":
            self.registry.accept_transfer(self.act(actor), name)
            self.home = to

    def rests(self, number: str) -> Iterator[date]:
        reason = self.choose(_RESTS)
        self.registry.make_inactive(self.act(self.coordinator()), number, reason=reason)
        yield self.later(60, 500)
        endorsement = self.memory.get(Endorsement, number)
        if self.standing(number) == "inactive" and endorsement.through >= self.today and self.chance(0.8):
            self.registry.reactivate(self.act(self.coordinator()), number)

    def add_on(self, number: str) -> Iterator[date]:
        if CATEGORIES[self.memory.get(Endorsement, number).category].slot not in ("FS", "MHS"):
            return
        if self.today < date(2024, 1, 1):
            return
        add_on = self.choose(_ADD_ONS)
        self.registry.grant_add_on(self.act(self.coordinator()), number, add_on=add_on)
        yield self.later(1, 2)

    def applies_again(self, _number: str) -> Iterator[date]:
        if self.room < 30:
            return
        before = len(self.numbers)
        yield from self.apply_once()
        if len(self.numbers) > before:
            self.start(self.renewals(self.numbers[-1]))

    def suspended(self, number: str) -> Iterator[date]:
        self.registry.suspend(self.act(self.coordinator()), number, reason="sanction_being_established")
        yield self.later(20, 120)
        if self.standing(number) == "suspended":
            self.registry.lift_suspension(self.act(self.coordinator()), number)

    def removed(self, number: str) -> Iterator[date]:
        self.registry.suspend(self.act(self.coordinator()), number, reason="sanction_being_established")
        yield self.later(10, 60)
        if self.standing(number) != "suspended":
            return
        self.registry.propose_removal(self.act(self.coordinator()), number, ground="licensing_board_sanction")
        yield self.later(1, 20)
        self.registry.remove(self.act(self.coordinator(second=50)), number)
        self.resting = True

    def archives(self, number: str) -> Iterator[date]:
        self.registry.archive(self.act(self.holder), number)
        yield self.later(1, 2)

    def hides(self, _number: str) -> Iterator[date]:
        self.registry.choose_publication(self.act(self.holder), self.person, listed=False)
        yield self.later(1, 2)
