"""Deeds on transfers: both sides, and the Alliance over a dispute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from domain import access
from domain.access import Thing
from domain.endorsement import (
    Endorsement,
    read_number,
)
from domain.errors import Invalid
from domain.transfer import DeclineReason, DisputeReason, Transfer
from registry.commands.shared import Act, Shared, once
from registry.store import Recorded


class Transfers(Shared):
    """Deeds on transfers: both sides, and the Alliance over a dispute."""

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
        standings = {e.number: (e.custodian, e.moving(on)) for e in found}
        transfer.request(person, from_, to, standings, on=on, by=act.actor.by)
        return self.store.save(transfer, request=act.request)

    @once
    def confirm_standing(self, act: Act, transfer: str) -> Recorded:
        found, on = self._transfer(act, "confirm_standing", transfer)
        standings = {number: self.store.get(Endorsement, number).moving(on) for number in found.numbers}
        found.confirm_standing(standings, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def dispute_standing(self, act: Act, transfer: str, *, reason: DisputeReason) -> Recorded:
        found, on = self._transfer(act, "dispute_standing", transfer)
        found.dispute_standing(reason, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def decide_dispute(self, act: Act, transfer: str, *, good_standing: bool) -> Recorded:
        found, on = self._transfer(act, "decide_dispute", transfer)
        found.decide_dispute(good_standing=good_standing, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def verify_membership(self, act: Act, transfer: str, *, through: date) -> Recorded:
        found, on = self._transfer(act, "verify_membership", transfer)
        found.verify_membership(through, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def accept_transfer(
        self, act: Act, transfer: str, *, refuse: Mapping[str, DeclineReason] | None = None
    ) -> Recorded:
        """Accept, change custody and issue new certificates: one transaction over the case and its endorsements."""
        found, on = self._transfer(act, "accept_transfer", transfer)
        moving = {number: self.store.get(Endorsement, number) for number in found.numbers}
        now = {number: (endorsement.category, endorsement.moving(on)) for number, endorsement in moving.items()}
        found.accept(self.association(found.to).row, now, refuse, on=on, by=act.actor.by)
        for number in found.accepted:
            endorsement = moving[number]
            endorsement.late = act.late
            endorsement.transfer_custody(found.to, transfer, on=on, by=act.actor.by)
            self._certify(endorsement, "transferred", by=act.actor.by)
        return self.store.save(found, *(moving[number] for number in found.accepted), request=act.request)

    @once
    def decline_transfer(self, act: Act, transfer: str, *, reason: DeclineReason) -> Recorded:
        found, on = self._transfer(act, "decline_transfer", transfer)
        found.decline(reason, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def cancel_transfer(self, act: Act, transfer: str) -> Recorded:
        found, on = self._transfer(act, "cancel_transfer", transfer)
        found.cancel(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)
