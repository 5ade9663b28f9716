"""Deeds on transfers: both sides, the Alliance over a dispute or a silence, and what the nights do to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from domain import access
from domain.access import Thing
from domain.association import ALLIANCE
from domain.endorsement import (
    Endorsement,
    read_number,
)
from domain.errors import Invalid
from domain.person import Person
from domain.transfer import OPEN, DeclineReason, DisputeReason, HoldReason, Transfer
from registry.commands.shared import Act, Shared, once
from registry.store import Recorded


class Transfers(Shared):
    """Deeds on transfers: both sides, the Alliance over a dispute or a silence."""

    @once
    def request_transfer(self, act: Act, person: str, *, to: str, endorsements: Sequence[str]) -> Recorded:
        access.check(act.actor, "request_transfer", Thing(person=person))
        receiving = self.association(to)
        self._known(person)
        theirs = {endorsement.number: endorsement for endorsement in self.endorsements_of(person)}
        numbers = list(dict.fromkeys(read_number(number) for number in endorsements))
        if any(number not in theirs for number in numbers):
            raise Invalid("These endorsements are not all yours.", field="endorsements")
        found = [theirs[number] for number in numbers]
        from_ = found[0].custodian if found else ""
        transfer = Transfer(self.new_id())
        on = self._begin(act, transfer, self.association(from_).row if from_ else receiving.row)
        if not receiving.endorses(on):
            raise Invalid(f"{receiving.row.name} can take nobody in now; ask the Alliance.", field="to")
        standings = {e.number: (e.custodian, self.moving(e, on)) for e in found}
        transfer.request(person, from_, to, standings, on=on, by=act.actor.by)
        return self.store.save(transfer, request=act.request)

    @once
    def confirm_standing(self, act: Act, transfer: str) -> Recorded:
        found, on = self._transfer(act, "confirm_standing", transfer)
        found.confirm_standing(self._standings(found, on), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def dispute_standing(self, act: Act, transfer: str, *, reason: DisputeReason) -> Recorded:
        found, on = self._transfer(act, "dispute_standing", transfer)
        found.dispute_standing(reason, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def decide_dispute(self, act: Act, transfer: str, *, good_standing: bool) -> Recorded:
        """The Alliance's word, where the releasing association disputes or said nothing in time."""
        found, on = self._transfer(act, "decide_dispute", transfer)
        found.decide_dispute(good_standing=good_standing, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def verify_membership(self, act: Act, transfer: str, *, through: date | None = None) -> Recorded:
        """By the coordinator's word through a day, which goes on record; without one, by what is on record here."""
        found, on = self._transfer(act, "verify_membership", transfer)
        if through:
            member = self._known(self.identity(found.person)[0])
            member.late = act.late
            found.verify_membership(through, on=on, by=act.actor.by)
            member.record_membership(found.to, on, through, on=on, by=act.actor.by)
            return self.store.save(found, member, request=act.request)
        recorded = self._membership(found, on)
        if recorded is None:
            raise Invalid(
                "No membership of today is on record; say through which day it goes, or decline for want of it.",
                field="through",
            )
        found.verify_membership(recorded, "record", on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def hold_transfer(self, act: Act, transfer: str, *, reason: HoldReason, endorsements: Sequence[str]) -> Recorded:
        """Something was found that has to be settled first; a suspension, a removal and an audit do this themselves."""
        found, on = self._transfer(act, "hold_transfer", transfer)
        numbers = [read_number(number) for number in endorsements]
        if not numbers or any(number not in found.numbers for number in numbers):
            raise Invalid("Name endorsements of this case.", field="endorsements")
        if not found.hold(dict.fromkeys(numbers, reason), on=on, by=act.actor.by):
            found.refuse_unless(found.state, *OPEN, can=found.can())
            raise Invalid("These are on hold for this already.", field="endorsements")
        return self.store.save(found, request=act.request)

    @once
    def release_transfer(self, act: Act, transfer: str) -> Recorded:
        """Let go on whatever is settled. Raises Invalid, with what still holds it, where nothing is."""
        found, on = self._transfer(act, "release_transfer", transfer)
        standings = {n: standing for n, standing in self._standings(found, on).items() if n in found.held}
        if not found.release(standings, on=on, by=act.actor.by):
            found.refuse_unless(found.state, *OPEN, can=found.can())
            still = ", ".join(f"{number} is {standing}" for number, standing in standings.items())
            raise Invalid(f"Nothing can be released: {still or 'nothing is on hold'}.", field="transfer")
        return self.store.save(found, request=act.request)

    @once
    def accept_transfer(
        self, act: Act, transfer: str, *, refuse: Mapping[str, DeclineReason] | None = None
    ) -> Recorded:
        """Accept, change custody and issue new certificates: one transaction over the case and its endorsements."""
        found, on = self._transfer(act, "accept_transfer", transfer)
        receiving = self._endorsing(found.to, on)
        moving = {number: self.store.get(Endorsement, number) for number in found.numbers}
        now = {
            number: (e.category, self.moving(e, on) if e.custodian == found.from_ else f"held by {e.custodian}")
            for number, e in moving.items()
        }
        if found.state == "confirmed" and (found.membership_through is None or found.membership_through < on):
            recorded = self._membership(found, on)
            if recorded:
                found.verify_membership(recorded, "record", on=on, by=act.actor.by)
        residence = self._residence(found)
        found.accept(receiving.row_on(on), now, refuse, residence=residence, on=on, by=act.actor.by)
        for number in found.accepted:
            endorsement = moving[number]
            endorsement.late = act.late
            endorsement.transfer_custody(found.to, transfer, on=on, by=act.actor.by)
            self._certify(endorsement, "transferred", by=act.actor.by)
        return self.store.save(found, *(moving[number] for number in found.accepted), request=act.request)

    @once
    def decline_transfer(self, act: Act, transfer: str, *, reason: DeclineReason) -> Recorded:
        found, on = self._transfer(act, "decline_transfer", transfer)
        categories = {number: self.store.get(Endorsement, number).category for number in found.numbers}
        receiver = self.association(found.to).row_on(on)
        residence = self._residence(found)
        found.decline(reason, receiver, categories, residence=residence, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def cancel_transfer(self, act: Act, transfer: str) -> Recorded:
        found, on = self._transfer(act, "cancel_transfer", transfer)
        found.cancel(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def take_custody(self, act: Act, transfer: str) -> Recorded:
        """The Alliance takes what the receiving association does not offer, while it stands where it stood."""
        found, on = self._transfer(act, "take_custody", transfer)
        free = {number: self.store.get(Endorsement, number) for number in found.not_offered}
        held_by = {
            number: e.custodian
            for number, e in free.items()
            if self.moving(e, on) in ("active", "inactive") and not self.store.holder(f"open_transfer/{number}")
        }
        taken = found.take_custody(held_by, on=on, by=act.actor.by)
        for number in taken:
            free[number].late = act.late
            free[number].transfer_custody(ALLIANCE, transfer, "not_offered", on=on, by=act.actor.by)
            self._certify(free[number], "transferred", by=act.actor.by)
        return self.store.save(found, *(free[number] for number in taken), request=act.request)

    # -- by night ---------------------------------------------------------------------------------------------------

    def chase_transfer(self, transfer: str) -> bool:
        """Remind the releasing association of its word, or give the case to the Alliance; whether one was due."""
        found = self.store.get(Transfer, transfer)
        on, by = self.today(found.from_), access.OPERATOR.by
        due = found.leave_unanswered(on=on, by=by) or found.remind(on=on, by=by)
        return due and bool(self.store.save(found).events)

    def weigh_transfer(self, transfer: str) -> bool:
        """Hold, release or hand on an open case as its endorsements and its sides stand today."""
        found = self.store.get(Transfer, transfer)
        if found.state not in OPEN:
            return False
        on, by = self.today(found.from_), access.OPERATOR.by
        changed = self._weigh(found, self._standings(found, on), on=on, by=by)
        if self.association(found.to).licence == "ended":
            # Who moved to where there is no association any more is the Alliance's (ours).
            if found.from_ == ALLIANCE:
                found.decline("licence_ended", on=max(on, found.last_on), by=by)
            else:
                found.pass_side("receiving", ALLIANCE, on=on, by=by)
            changed = True
        return changed and bool(self.store.save(found).events)

    # -- what it stands on ------------------------------------------------------------------------------------------

    def _standings(self, transfer: Transfer, on: date) -> dict[str, str]:
        return {number: self.moving(self.store.get(Endorsement, number), on) for number in transfer.numbers}

    def _residence(self, transfer: Transfer) -> str:
        found = self.store.find(Person, transfer.person)
        return found.residence if found else ""

    def _membership(self, transfer: Transfer, on: date) -> date | None:
        """The last day of the membership on record; for the Alliance that of any association counts (ALL-REG)."""
        ends = [
            membership.through
            for membership in self.whole(self.store.get(Person, transfer.person)).memberships
            if membership.from_ <= on <= membership.through and transfer.to in (membership.association, ALLIANCE)
        ]
        return max(ends, default=None)
