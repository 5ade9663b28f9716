"""Deeds on applications: from start to decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain import access
from domain.access import Thing
from domain.application import Application, DeferReason, Outcome, Tie
from domain.editions import practice
from domain.endorsement import (
    Endorsement,
    new_number,
    read_number,
)
from domain.errors import Invalid, NotFound
from domain.person import Person
from registry.commands.shared import Act, Shared, once
from registry.store import Recorded


class Applications(Shared):
    """Deeds on applications: from start to decision."""

    @once
    def start_application(self, act: Act, person: str, *, association: str, category: str) -> Recorded:
        access.check(act.actor, "start_application", Thing(person=person, association=association))
        found = self.store.get(Person, person)
        row = self.association(association).row
        if found.state != "known":
            raise NotFound("person")
        application = Application(self.new_id())
        on = self._begin(act, application, row)
        application.start(
            person,
            category,
            self._endorsing(association, on).row_on(on),
            residence=self.home_of(found.residence),
            held=[e.category for e in self.endorsements_of(person) if e.standing(on) in ("active", "inactive")],
            on=on,
            by=act.actor.by,
        )
        return self.store.save(application, request=act.request)

    @once
    def submit_application(self, act: Act, application: str, *, signed: bool) -> Recorded:
        """Judge the applicant's portfolio under the edition of the day. Raises RequirementsNotMet."""
        found, on = self._application(act, "submit_application", application)
        person = self._known(found.person)
        handed_in = self.handed_in(person, on, found.category)
        found.submit(
            handed_in.tally,
            handed_in.entries,
            handed_in.providers,
            person_version=person.version,
            signed=signed,
            shown=self.covered(person, found.category, on),
            block=practice(found.association, on).competencies_block,
            on=on,
            by=act.actor.by,
        )
        return self.store.save(found, request=act.request)

    @once
    def withdraw_application(self, act: Act, application: str) -> Recorded:
        found, on = self._application(act, "withdraw_application", application)
        found.withdraw(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def assign_reviewer(self, act: Act, application: str, *, reviewer: str) -> Recorded:
        """`reviewer` is the number of the reviewer's own endorsement; it may be of another association."""
        found, on = self._application(act, "assign_reviewer", application)
        own = self.store.get(Endorsement, read_number(reviewer))
        if self.one_human(own.person, found.person, *found.providers.values()):
            raise Invalid(
                "A reviewer is never the applicant nor their provider of RSC (design section 10).", field="reviewer"
            )
        found.assign(own.number, own.person, own.held_on(on), on=on, by=act.actor.by)
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
        """Approve, award and issue the certificate: one decision, one transaction."""
        found, on = self._application(act, "approve_application", application)
        row = self._endorsing(found.association, on).row_on(on)
        endorsement = Endorsement(new_number(found.category, self.draw))
        endorsement.late = act.late
        found.approve(endorsement.number, row.reviewers, on=on, by=act.actor.by)
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
    def defer_application(
        self, act: Act, application: str, *, reasons: Sequence[DeferReason], may_resubmit_from: date | None = None
    ) -> Recorded:
        found, on = self._application(act, "defer_application", application)
        reviewers = self.association(found.association).row.reviewers
        found.defer(reasons, may_resubmit_from, reviewers=reviewers, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)
