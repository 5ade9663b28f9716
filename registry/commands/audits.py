"""Deeds on audits: draw, ask for evidence, decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain import access
from domain.access import Thing
from domain.audit import Audit, Remedy, open_audit
from domain.editions import practice
from domain.endorsement import Endorsement, read_number
from domain.errors import Invalid
from domain.person import Person
from domain.transfer import Transfer
from registry.commands.shared import Act, Shared, once
from registry.store import Recorded


class Audits(Shared):
    """Deeds on audits: draw, ask for evidence, decide."""

    @once
    def draw_audit(self, act: Act, association: str, *, cycle: int, seed: str = "") -> Recorded:
        """Of everything the association holds as active that was renewed for the cycle, found in the history itself."""
        access.check(act.actor, "draw_audit", Thing(association=association))
        audit = Audit(self.new_id())
        on = self._begin(act, audit, self.association(association).row)
        found = self.renewed_for(association, cycle, on)
        audit.draw(
            association,
            cycle,
            list(found),
            seed or self.draw(16).hex(),
            practice(association, on).audit_share,
            [number for number, always in found.items() if always],
            on=on,
            by=act.actor.by,
        )
        held = [case for number in audit.items for case in self._held_up(number, on=on, by=act.actor.by)]
        return self.store.save(audit, *held, request=act.request)

    def renewed_for(self, association: str, cycle: int, on: date) -> dict[str, bool]:
        """The numbers an audit is drawn from, and whether each is audited in any case."""
        return {
            endorsement.number: endorsement.audit_due
            for stream in self.store.streams_of("endorsement.renewed", "cycle", str(cycle))
            if (endorsement := self.store.get(Endorsement, stream.partition("/")[2])).custodian == association
            and endorsement.renewed_for == cycle
            and endorsement.standing(on) == "active"
            and not self.store.holder(open_audit(endorsement.number))
        }

    def _held_up(self, number: str, *, on: date, by: str) -> list[Transfer]:
        """The open transfer that waits from now on until its audit is over."""
        stream = self.store.holder(f"open_transfer/{number}")
        case = self.store.get(Transfer, stream.partition("/")[2]) if stream else None
        return [case] if case and self._weigh(case, {number: "in an open audit"}, on=on, by=by) else []

    @once
    def send_audit_notice(self, act: Act, audit: str, number: str, *, answer_by: date) -> Recorded:
        found, on = self._audit(act, "send_audit_notice", audit)
        found.send_notice(read_number(number), answer_by, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def submit_audit_evidence(self, act: Act, audit: str, number: str, *, entries: Sequence[str]) -> Recorded:
        endorsement = self._or_forbidden(act, "submit_audit_evidence", Endorsement, read_number(number))
        access.check(act.actor, "submit_audit_evidence", Thing(person=endorsement.person))
        found = self.store.get(Audit, audit)
        on = self._begin(act, found, self.association(found.association).row)
        known = self.whole(self.store.get(Person, self.identity(endorsement.person)[0])).entries
        if any(entry not in known for entry in entries):
            raise Invalid("These are not all entries of your portfolio.", field="entries")
        found.submit_evidence(endorsement.number, entries, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def pass_audit(self, act: Act, audit: str, number: str) -> Recorded:
        found, on = self._audit(act, "pass_audit", audit)
        number, by = read_number(number), act.actor.by
        found.pass_audit(number, on=on, by=by)
        endorsement = self.store.get(Endorsement, number)
        passed = [endorsement] if endorsement.pass_audit(found.name, on=on, by=by) else []
        return self.store.save(found, *passed, *self._let_go(endorsement, on=on, by=by), request=act.request)

    @once
    def fail_audit(self, act: Act, audit: str, number: str, *, remedy: Remedy, remedy_by: date) -> Recorded:
        found, on = self._audit(act, "fail_audit", audit)
        found.fail(read_number(number), remedy, remedy_by, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def leave_unremedied(self, act: Act, audit: str, number: str) -> Recorded:
        found, on = self._audit(act, "leave_unremedied", audit)
        endorsement = self.store.get(Endorsement, read_number(number))
        found.leave_unremedied(endorsement.number, on=on, by=act.actor.by)
        return self.store.save(found, *self._let_go(endorsement, on=on, by=act.actor.by), request=act.request)

    @once
    def drop_from_audit(self, act: Act, audit: str, number: str) -> Recorded:
        """Where the endorsement has ended meanwhile."""
        found, on = self._audit(act, "drop_from_audit", audit)
        endorsement = self.store.get(Endorsement, read_number(number))
        person = self.store.get(Person, endorsement.person)
        standing = "erased" if person.state == "erased" else endorsement.standing(on)
        found.drop(endorsement.number, standing, on=on, by=act.actor.by)
        return self.store.save(found, *self._let_go(endorsement, on=on, by=act.actor.by), request=act.request)

    def note_audit_days(self, audit: str) -> bool:
        """Write down whose last day to answer or for a remedy is over, for the coordinator to go on."""
        found = self.store.get(Audit, audit)
        if found.state != "open" or not found.note_days(on=self.today(found.association), by=access.OPERATOR.by):
            return False
        self.store.save(found)
        return True

    @once
    def close_audit(self, act: Act, audit: str) -> Recorded:
        found, on = self._audit(act, "close_audit", audit)
        found.close(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    def _let_go(self, endorsement: Endorsement, *, on: date, by: str) -> list[Transfer]:
        """The open transfer that its audit held, as the endorsement stands without it."""
        stream = self.store.holder(f"open_transfer/{endorsement.number}")
        case = self.store.get(Transfer, stream.partition("/")[2]) if stream else None
        standings = {endorsement.number: endorsement.moving(on)}
        return [case] if case and self._weigh(case, standings, on=on, by=by) else []

    def _audit(self, act: Act, deed: str, name: str) -> tuple[Audit, date]:
        found = self._or_forbidden(act, deed, Audit, name)
        access.check(act.actor, deed, Thing(association=found.association))
        return found, self._begin(act, found, self.association(found.association).row)
