"""Deeds on applications: from registration to decision, and the appeal against it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from domain import access
from domain.access import Thing
from domain.application import (
    APPLICANTS_TURN,
    Application,
    Charge,
    DeferReason,
    Fee,
    Outcome,
    RefuseReason,
    Settled,
    Snapshot,
    Tie,
    Verdict,
    open_applications,
)
from domain.category import CATEGORIES, AddOn
from domain.editions import fee as fee_asked
from domain.editions import practice
from domain.endorsement import (
    Endorsement,
    new_number,
    read_number,
)
from domain.errors import Invalid, NotFound, Taken
from domain.event import Event
from domain.person import Person
from domain.policy import Fee as AskedFee
from domain.policy import Tally
from domain.reference import Counted, counted
from registry.commands.references import References
from registry.commands.shared import Act, HandedIn, once
from registry.store import Recorded


class Gathered(NamedTuple):
    """All that a submission is judged by on a day: the portfolio, the references, and what both add up to."""

    handed_in: HandedIn
    references: Counted
    tally: Tally


class Applications(References):
    """Deeds on applications: from registration to decision, and the appeal against it."""

    # -- registration

    @once
    def start_application(
        self,
        act: Act,
        person: str,
        *,
        association: str = "",
        category: str = "",
        add_on: AddOn | None = None,
        add_on_to: str = "",
    ) -> Recorded:
        """For a category at the association of residence, or for an add-on to an endorsement where that is held."""
        own = None
        if add_on:
            own = self.store.find(Endorsement, read_number(add_on_to)) if add_on_to else None
            association = own.custodian if own else association
        access.check(act.actor, "start_application", Thing(person=person, association=association))
        row = self.association(association).row
        found = self.store.get(Person, person)
        if found.state != "known":
            raise NotFound("person")
        application = Application(self.new_id())
        on = self._begin(act, application, row)
        if add_on:
            if own is None or not self.one_human(person, own.person):
                raise Invalid("Give the number of the applicant's own endorsement.", field="add_on_to")
            application.start_add_on(
                person,
                own.category,
                add_on,
                row,
                endorsement=own.number,
                standing=own.standing(on),
                has=own.add_on_on(on),
                on=on,
                by=act.actor.by,
            )
        else:
            application.start(
                person,
                category,
                self._endorsing(association, on).row_on(on),
                residence=self.home_of(found.residence),
                held=self._held(person, on),
                practice=practice(association, on),
                on=on,
                by=act.actor.by,
            )
        if not add_on and practice(association, on).one_at_a_time:
            # The claim finds another one of this record; here those of the human's other records are found (R3).
            others = [record for record in self.identity(person) if record != person]
            if any(self.store.holder(open_applications(record)[0]) for record in others):
                raise Taken("This open application is held by another case.", claim="open_application")
        return self.store.save(application, request=act.request)

    @once
    def settle_fee(
        self,
        act: Act,
        application: str,
        *,
        what: Charge,
        how: Settled,
        amount: int = 0,
        currency: str = "",
        sponsor: str = "",
    ) -> Recorded:
        """`amount` in minor units; without one the association's own fee, where it is known."""
        found, on = self._application(act, "settle_fee", application)
        self._settle(found, what, Fee(how, amount, currency, sponsor), on, act)
        return self.store.save(found, request=act.request)

    @once
    def accept_registration(
        self,
        act: Act,
        application: str,
        *,
        fee: Settled | None = None,
        amount: int = 0,
        currency: str = "",
        sponsor: str = "",
        member_from: date | None = None,
        member_through: date | None = None,
    ) -> Recorded:
        """Accept it; what is not on record yet, the fee and the membership, with the same deed."""
        found, on = self._application(act, "accept_registration", application)
        person = self._known(found.person)
        changed: list[Person | Application] = []
        if member_through:
            person.late = act.late
            person.record_membership(found.association, member_from or on, member_through, on=on, by=act.actor.by)
            changed.append(person)
        if fee:
            self._settle(found, "registration", Fee(fee, amount, currency, sponsor), on, act)
        found.register(
            member=is_member(self.whole(person), found.association, on),
            fee_asked=self._fee(found, "registration", on) is not None,
            practice=practice(found.association, on),
            on=on,
            by=act.actor.by,
        )
        return self.store.save(found, *changed, request=act.request)

    @once
    def refuse_registration(self, act: Act, application: str, *, reason: RefuseReason) -> Recorded:
        found, on = self._application(act, "refuse_registration", application)
        found.refuse_registration(reason, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def change_category(self, act: Act, application: str, *, to: str) -> Recorded:
        found, on = self._application(act, "change_category", application)
        row = self._endorsing(found.association, on).row_on(on)
        found.change_category(to, row, self._held(found.person, on), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def assign_advisor(self, act: Act, application: str, *, advisor: str) -> Recorded:
        """`advisor` is the number of the advisor's own endorsement; it may be of another association."""
        found, on = self._application(act, "assign_advisor", application)
        own = self.store.get(Endorsement, read_number(advisor))
        found.assign_advisor(own.number, own.person, own.held_on(on), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    # -- submission

    @once
    def submit_application(self, act: Act, application: str, *, signed: bool) -> Recorded:
        """Judge the applicant's portfolio under the edition of the day. Raises RequirementsNotMet."""
        found, on = self._application(act, "submit_application", application)
        person = self._known(found.person)
        gathered = self._gathered_for(found, person, on)
        found.submit(
            _snapshot(person, gathered),
            refused=gathered.references.refused,
            signed=signed,
            member=is_member(self.whole(person), found.association, on),
            practice=practice(found.association, on),
            shown=self.covered(person, found.category, on),
            on=on,
            by=act.actor.by,
        )
        return self.store.save(found, request=act.request)

    @once
    def amend_application(self, act: Act, application: str) -> Recorded:
        """Hand in the portfolio as it is now, while on hold; it goes back to review."""
        found, on = self._application(act, "amend_application", application)
        person = self._known(found.person)
        gathered = self._gathered_for(found, person, on)
        found.amend(_snapshot(person, gathered), refused=gathered.references.refused, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    # -- review

    @once
    def assign_reviewer(self, act: Act, application: str, *, reviewer: str) -> Recorded:
        """`reviewer` is the number of the reviewer's own endorsement; it may be of another association."""
        found, on = self._application(act, "assign_reviewer", application)
        own = self.store.get(Endorsement, read_number(reviewer))
        found.assign(
            own.number,
            own.person,
            own.held_on(on),
            trained=self.store.get(Person, own.person).trained(on),
            fee_due=self._fee(found, "processing", on) is not None,
            also=self.identity(own.person),
            raters=self._raters(found.person),
            on=on,
            by=act.actor.by,
        )
        return self.store.save(found, request=act.request)

    @once
    def recuse_reviewer(self, act: Act, application: str, *, reviewer: str, tie: Tie) -> Recorded:
        found, on = self._application(act, "recuse_reviewer", application)
        self._must_be_theirs(act, found, reviewer)
        found.recuse(reviewer, tie, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def assess_competencies(
        self, act: Act, application: str, *, reviewer: str, met: Sequence[str], not_met: Sequence[str] = ()
    ) -> Recorded:
        """The reviewer's own judgement of each competency, by code; the other reviewers don't see it yet."""
        found, on = self._application(act, "assess_competencies", application)
        self._must_be_theirs(act, found, reviewer)
        found.assess(reviewer, met, not_met, self.catalogue(found.association), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def recommend(
        self, act: Act, application: str, *, reviewer: str, outcome: Outcome, reasons: Sequence[DeferReason] = ()
    ) -> Recorded:
        found, on = self._application(act, "recommend", application)
        self._must_be_theirs(act, found, reviewer)
        found.recommend(reviewer, outcome, self.held_on(reviewer, on), reasons, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def reach_consensus(self, act: Act, application: str, *, outcome: Outcome) -> Recorded:
        found, on = self._application(act, "reach_consensus", application)
        found.reach_consensus(outcome, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def approve_application(self, act: Act, application: str) -> Recorded:
        """Approve, award or grant the add-on, and issue the certificate: one decision, one transaction."""
        found, on = self._application(act, "approve_application", application)
        reviewers = self._endorsing(found.association, on).row_on(on).reviewers
        if found.add_on:
            endorsement = self.store.get(Endorsement, found.endorsement)
            found.approve(endorsement.number, reviewers, on=on, by=act.actor.by)
            endorsement.late = act.late
            endorsement.grant_add_on(found.add_on, on=on, by=act.actor.by)
            self._certify(endorsement, "add_on", by=act.actor.by)
            return self.store.save(found, endorsement, request=act.request)
        endorsement = Endorsement(new_number(found.category, self.draw))
        endorsement.late = act.late
        found.approve(endorsement.number, reviewers, on=on, by=act.actor.by)
        endorsement.award(
            found.person,
            found.category,
            found.association,
            application,
            found.edition,
            submitted_on=found.submitted_on,
            on=on,
            by=act.actor.by,
        )
        self._certify(endorsement, "awarded", by=act.actor.by)
        return self.store.save(found, endorsement, request=act.request)

    @once
    def put_on_hold(self, act: Act, application: str, *, reasons: Sequence[DeferReason]) -> Recorded:
        found, on = self._application(act, "put_on_hold", application)
        found.put_on_hold(reasons, reviewers=self._reviewers(found, on), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def defer_application(
        self, act: Act, application: str, *, reasons: Sequence[DeferReason], may_resubmit_from: date | None = None
    ) -> Recorded:
        found, on = self._application(act, "defer_application", application)
        found.defer(reasons, may_resubmit_from, reviewers=self._reviewers(found, on), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def decline_application(self, act: Act, application: str, *, reasons: Sequence[DeferReason]) -> Recorded:
        """A final no, by the consensus of the reviewers; the applicant may appeal."""
        found, on = self._application(act, "decline_application", application)
        found.decline(reasons, reviewers=self._reviewers(found, on), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def issue_letter(self, act: Act, application: str) -> Recorded:
        """A signed letter that it is open, at the applicant's request: no endorsement, and good for 90 days (ours)."""
        found, on = self._application(act, "issue_letter", application)
        person = self._known(self.identity(found.person)[0])
        found.issue_letter(
            self.draw(16).hex(),
            ZoneInfo(self.association(found.association).row.zone),
            valid_from=self.clock().replace(microsecond=0),
            person=person.stream,
            person_version=person.named_by,
            kid=self.kid(),
            on=on,
            by=act.actor.by,
        )
        return self.store.save(found, request=act.request)

    # -- the end, and after it

    @once
    def withdraw_application(self, act: Act, application: str) -> Recorded:
        found, on = self._application(act, "withdraw_application", application)
        found.withdraw(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    def remind_applicant(self, application: str) -> bool:
        """Say that an untouched application will expire, when that is due; a nightly rule."""
        found = self.store.get(Application, application)
        on = self.today(found.association)
        practised, touched = practice(found.association, on), self._portfolio_touched(found.person)
        if not found.reminder_due(practised, touched, on):
            return False
        found.remind(practised, touched, on=on, by=access.OPERATOR.by)
        self.store.save(found)
        return True

    def expire_application(self, application: str) -> bool:
        """End an application that nobody touched for as long as is practised; a nightly rule."""
        found = self.store.get(Application, application)
        on = self.today(found.association)
        practised, touched = practice(found.association, on), self._portfolio_touched(found.person)
        if found.state not in APPLICANTS_TURN or on < found.expires_on(practised.open_application_months, touched):
            return False
        found.expire(practised, touched, on=on, by=access.OPERATOR.by)
        self.store.save(found)
        return True

    @once
    def appeal(self, act: Act, application: str) -> Recorded:
        found, on = self._application(act, "appeal", application)
        found.appeal(practice(found.association, on), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def decide_appeal(self, act: Act, application: str, *, verdict: Verdict) -> Recorded:
        found, on = self._application(act, "decide_appeal", application)
        found.decide_appeal(verdict, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    # -- what they are judged by

    def _held(self, person: str, on: date) -> list[str]:
        return [e.category for e in self.endorsements_of(person) if e.standing(on) in ("active", "inactive")]

    def _reviewers(self, found: Application, on: date) -> int:
        return self.association(found.association).row_on(on).reviewers

    def gathered(
        self,
        person: Person,
        category: str,
        association: str,
        on: date,
        *,
        add_on: AddOn | None = None,
        add_on_to: str = "",
        submitted_on: date | None = None,
    ) -> Gathered:
        """What somebody could hand in on a day for a category or an add-on (R4, R5).

        `add_on_to`: the endorsement it is for; without one any that is held. `submitted_on`: see `counted`.
        """
        handed_in = self.handed_in(person, on, category)
        references = counted(
            self.references_of(person.name), add_on or category, association, on, submitted_on=submitted_on
        )
        numbers = [add_on_to] if add_on_to else self.numbers_of(person.name) if add_on else []
        held = {self.held_on(number, on).partition("+")[0] for number in numbers} - {""}
        tally = msgspec.structs.replace(
            handed_in.tally,
            references=references.count,
            reference_slots=references.slots,
            endorsed_slots=tuple(sorted({CATEGORIES[category].slot for category in held})),
        )
        return Gathered(handed_in, references, tally)

    def _gathered_for(self, found: Application, person: Person, on: date) -> Gathered:
        return self.gathered(
            person, found.category, found.association, on, add_on=found.add_on, add_on_to=found.endorsement,
            submitted_on=found.submitted_on if found.state == "on_hold" else None,
        )  # fmt: skip

    def _fee(self, found: Application, what: Charge, on: date) -> AskedFee | None:
        """What the association asks for it; None where no fee is known."""
        return fee_asked(found.association, what, on, found.add_on or CATEGORIES[found.category].slot)

    def _settle(self, found: Application, what: Charge, settled: Fee, on: date, act: Act) -> None:
        asked = self._fee(found, what, on)
        if asked and settled.how in ("paid", "sponsored") and not settled.amount:
            settled = msgspec.structs.replace(settled, amount=asked.amount * 100, currency=asked.currency)
        found.settle_fee(what, settled, asked=asked is not None, on=on, by=act.actor.by)

    def _raters(self, person: str) -> Collection[str]:
        """The people who rated somebody, or were asked to, as far as they are known here."""
        return [reference.rater for reference in self.references_of(person) if reference.rater]

    def _portfolio_touched(self, person: str) -> date:
        """The last day something was done in the portfolio: that is work on the application, too (ours)."""
        days = (event.on for _, event in self.store.events(f"person/{person}") if _is_portfolio(event))
        return max(days, default=date.min)


def _snapshot(person: Person, gathered: Gathered) -> Snapshot:
    handed_in, references, tally = gathered
    return Snapshot(person.version, tally, tuple(handed_in.entries), dict(handed_in.providers), references.filling)


def is_member(person: Person, association: str, on: date) -> bool:
    """R2. At the Alliance a membership of any association counts (ALL-APPLY)."""
    if association != "ALLIANCE":
        return person.member_of(association, on)
    return any(person.member_of(membership.association, on) for membership in person.memberships)


def _is_portfolio(event: Event) -> bool:
    return event.topic.startswith("portfolio.")
