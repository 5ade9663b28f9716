"""Deeds on endorsements: renew, lapse, make inactive, reinstate, suspend, remove, certify."""

from __future__ import annotations

from datetime import date

import msgspec

from domain import access
from domain.application import Fee, Settled
from domain.category import CATEGORIES, AddOn
from domain.editions import fee as fee_asked
from domain.editions import practice, reinstatement_edition, renewal_term
from domain.endorsement import (
    CorrectionReason,
    Endorsement,
    InactiveReason,
    LateFee,
    RemovalGround,
    SanctionOutcome,
    SanctionSource,
    SuspendReason,
    day_after,
    read_number,
)
from domain.errors import Invalid
from domain.person import Person
from domain.policy import Attestation, Reinstatement
from domain.reference import Counted, counted
from registry.commands.applications import is_member
from registry.commands.references import References
from registry.commands.shared import Act, once
from registry.store import Recorded


class Endorsements(References):
    """Deeds on endorsements: renew, lapse, make inactive, reinstate, suspend, remove, certify."""

    @once
    def renew(self, act: Act, number: str, attested: Attestation, *, late_fee: LateFee | None = None) -> Recorded:
        """`late_fee`: how it was settled, as the holder says (ours), where the days of grace ask for one."""
        endorsement, on = self._endorsement(act, "renew", number)
        used = []
        if not practice(endorsement.custodian, on).hours_shared:
            year = renewal_term(on, endorsement.custodian).year
            others = [one for one in self.endorsements_of(endorsement.person) if one.number != endorsement.number]
            used = [one.attested for one in others if one.attested and one.renewed_for == year]
        member = self._is_member(endorsement, on)
        endorsement.renew(attested, member=member, late_fee=late_fee, used=used, on=on, by=act.actor.by)
        self._certify(endorsement, "renewed", by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    def remind_of_renewal(self, number: str) -> bool:
        """Tell the holder that the window is open, or closes soon; nobody who is not there any more."""
        endorsement = self.store.get(Endorsement, number)
        on = self.today(endorsement.custodian)
        if not endorsement.renewal_reminder_due(on) or self.store.get(Person, endorsement.person).state not in (
            "known",
            "merged",
        ):
            return False
        endorsement.remind_of_renewal(on=on, by=access.OPERATOR.by)
        self.store.save(endorsement)
        return True

    def record_lapse(self, number: str) -> bool:
        """Write down that its last good day is over where its custodian is; False when it is not, or was written."""
        endorsement = self.store.get(Endorsement, number)
        if endorsement.state != "active" or endorsement.through >= self.today(endorsement.custodian):
            return False
        endorsement.lapse(on=max(day_after(endorsement.through), endorsement.last_on), by=access.OPERATOR.by)
        self.store.save(endorsement)
        return True

    @once
    def make_inactive(self, act: Act, number: str, *, reason: InactiveReason) -> Recorded:
        endorsement, on = self._endorsement(act, "make_inactive", number)
        endorsement.make_inactive(reason, on=on, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    def end_inactivity(self, number: str) -> bool:
        """Write down that its years of inactivity are over where its custodian is; False when they are not."""
        endorsement = self.store.get(Endorsement, number)
        until = endorsement.inactive_until
        if endorsement.state != "inactive" or until is None or until >= self.today(endorsement.custodian):
            return False
        endorsement.end_inactivity(on=max(day_after(until), endorsement.last_on), by=access.OPERATOR.by)
        self.store.save(endorsement)
        return True

    def end_add_on(self, number: str) -> bool:
        """Write down that the two years of its Emerging ERS are over (R24); a certificate without it is issued."""
        endorsement = self.store.get(Endorsement, number)
        until = endorsement.add_on_until
        if endorsement.add_on is None or until is None or until >= self.today(endorsement.custodian):
            return False
        endorsement.end_add_on(on=max(day_after(until), endorsement.last_on), by=access.OPERATOR.by)
        if endorsement.certificate and (why := self.certificate_due(endorsement)):
            self._certify(endorsement, why, by=access.OPERATOR.by)
        self.store.save(endorsement)
        return True

    @once
    def grant_emeritus(self, act: Act, number: str) -> Recorded:
        endorsement, on = self._endorsement(act, "grant_emeritus", number)
        if not practice(endorsement.custodian, on).emeritus_offered:
            raise Invalid("This association grants no emeritus status.", field="number")
        endorsement.grant_emeritus(on=on, by=act.actor.by)
        return self.store.save(endorsement, *self._follow(endorsement, on=on, by=act.actor.by), request=act.request)

    @once
    def reactivate(self, act: Act, number: str) -> Recorded:
        endorsement, on = self._endorsement(act, "reactivate", number)
        endorsement.reactivate(member=self._is_member(endorsement, on), on=on, by=act.actor.by)
        if why := self.certificate_due(endorsement):
            self._certify(endorsement, why, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def reinstate(
        self,
        act: Act,
        number: str,
        attested: Reinstatement,
        *,
        fee: Settled | None = None,
        amount: int = 0,
        currency: str = "",
        sponsor: str = "",
    ) -> Recorded:
        """`amount` of the fee in minor units; without one the association's own, where it is known."""
        endorsement, on = self._endorsement(act, "reinstate", number)
        if attested.rsc_provider:
            provider = read_number(attested.rsc_provider)
            if not self.held_on(provider, on):
                raise Invalid("This provider of RSC holds no active endorsement; name another.", field="rsc_provider")
            attested = msgspec.structs.replace(attested, rsc_provider=provider)
        endorsement.reinstate(
            attested,
            member=self._is_member(endorsement, on),
            settled=self._settled(endorsement, Fee(fee, amount, currency, sponsor), on) if fee else None,
            references=self._new_references(endorsement, on),
            on=on,
            by=act.actor.by,
        )
        self._certify(endorsement, "reinstated", by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def suspend(self, act: Act, number: str, *, reason: SuspendReason) -> Recorded:
        endorsement, on = self._endorsement(act, "suspend", number)
        endorsement.suspend(reason, on=on, by=act.actor.by)
        return self.store.save(endorsement, *self._follow(endorsement, on=on, by=act.actor.by), request=act.request)

    @once
    def lift_suspension(self, act: Act, number: str) -> Recorded:
        endorsement, on = self._endorsement(act, "lift_suspension", number)
        endorsement.lift_suspension(on=on, by=act.actor.by)
        if endorsement.certificate and (why := self.certificate_due(endorsement)):
            self._certify(endorsement, why, by=act.actor.by)
        return self.store.save(endorsement, *self._follow(endorsement, on=on, by=act.actor.by), request=act.request)

    @once
    def report_sanction(
        self, act: Act, number: str, *, source: SanctionSource, decided_on: date, board: str = ""
    ) -> Recorded:
        endorsement, on = self._endorsement(act, "report_sanction", number)
        endorsement.report_sanction(source, board, decided_on, on=on, by=act.actor.by)
        return self.store.save(endorsement, *self._follow(endorsement, on=on, by=act.actor.by), request=act.request)

    @once
    def settle_sanction(self, act: Act, number: str, *, outcome: SanctionOutcome) -> Recorded:
        endorsement, on = self._endorsement(act, "settle_sanction", number)
        endorsement.settle_sanction(outcome, on=on, by=act.actor.by)
        return self.store.save(endorsement, *self._follow(endorsement, on=on, by=act.actor.by), request=act.request)

    @once
    def propose_removal(self, act: Act, number: str, *, ground: RemovalGround) -> Recorded:
        endorsement, on = self._endorsement(act, "propose_removal", number)
        endorsement.propose_removal(ground, person=act.actor.person, on=on, by=act.actor.by)
        return self.store.save(endorsement, *self._follow(endorsement, on=on, by=act.actor.by), request=act.request)

    @once
    def withdraw_removal_proposal(self, act: Act, number: str) -> Recorded:
        endorsement, on = self._endorsement(act, "withdraw_removal_proposal", number)
        endorsement.withdraw_removal_proposal(on=on, by=act.actor.by)
        return self.store.save(endorsement, *self._follow(endorsement, on=on, by=act.actor.by), request=act.request)

    @once
    def remove(self, act: Act, number: str) -> Recorded:
        """The second person's word on a proposed removal."""
        endorsement, on = self._endorsement(act, "remove", number)
        endorsement.remove(people=act.actor.people, on=on, by=act.actor.by)
        return self.store.save(endorsement, *self._follow(endorsement, on=on, by=act.actor.by), request=act.request)

    @once
    def archive(self, act: Act, number: str) -> Recorded:
        endorsement, on = self._endorsement(act, "archive", number)
        endorsement.archive(on=on, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def grant_add_on(self, act: Act, number: str, *, add_on: AddOn) -> Recorded:
        endorsement, on = self._endorsement(act, "grant_add_on", number)
        endorsement.grant_add_on(add_on, on=on, by=act.actor.by)
        self._certify(endorsement, "add_on", by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def convert(self, act: Act, number: str) -> Recorded:
        """A retired category into its successor with ERS, and the certificate with it."""
        endorsement, on = self._endorsement(act, "convert", number)
        endorsement.convert(on=on, by=act.actor.by)
        if endorsement.certificate:
            self._certify(endorsement, "converted", by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def correct(
        self, act: Act, number: str, *, corrects: int, reason: CorrectionReason, void: bool = False,
        day: date | None = None, through: date | None = None,
    ) -> Recorded:  # fmt: skip
        """Say what was recorded wrongly; a certificate that now says something else is issued anew."""
        endorsement, on = self._endorsement(act, "correct", number)
        endorsement.correct(corrects, reason, void=void, day=day, through=through, on=on, by=act.actor.by)
        if endorsement.certificate and self.certificate_due(endorsement):
            self._certify(endorsement, "corrected", by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def settle_report(self, act: Act, number: str) -> Recorded:
        endorsement, on = self._endorsement(act, "settle_report", number)
        endorsement.settle_report(on=on, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def issue_certificate(self, act: Act, number: str) -> Recorded:
        """Issue where there is none, or where the printed name, the custodian or the last day has changed."""
        endorsement, _ = self._endorsement(act, "issue_certificates", number)
        if why := self.certificate_due(endorsement):
            self._certify(endorsement, why, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    def _settled(self, endorsement: Endorsement, settled: Fee, on: date) -> Fee:
        edition = reinstatement_edition(on, endorsement.custodian)
        slot = CATEGORIES[endorsement.category].slot
        asked = fee_asked(endorsement.custodian, edition.fee, on, slot) if edition else None
        if asked and settled.how in ("paid", "sponsored") and not settled.amount:
            return msgspec.structs.replace(settled, amount=asked.amount * 100, currency=asked.currency)
        return settled

    def _new_references(self, endorsement: Endorsement, on: date) -> Counted:
        """Those asked for or given after its last good day (R22)."""
        own = self.references_of(endorsement.person)
        new = [reference for reference in own if (reference.completed_on or on) > endorsement.through]
        return counted(new, endorsement.category, endorsement.custodian, on)

    def _is_member(self, endorsement: Endorsement, on: date) -> bool:
        """A membership of the custodian on record, or of another body that it verified in writing (AZ-FAQ)."""
        return is_member(self.whole(self.store.get(Person, endorsement.person)), endorsement.custodian, on)
