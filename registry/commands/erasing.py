"""Deeds on deaths, erasures, mergers and splits of people."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from datetime import date

import msgspec

from domain import access
from domain.access import OPERATOR, Actor, Thing
from domain.aggregate import Aggregate
from domain.application import Application, open_applications
from domain.association import ALLIANCE
from domain.endorsement import Endorsement
from domain.errors import Invalid, Refused
from domain.exam import Exam
from domain.person import Demographics, Person
from domain.reference import Reference, references_of
from domain.transfer import Transfer
from registry.commands.references import References
from registry.commands.shared import Act, once
from registry.store import Recorded

_OVER = ("archived", "removed", "erased", "died")


class Erasing(References):
    """Deeds on deaths, erasures, mergers and splits of people."""

    @once
    def merge_persons(self, act: Act, person: str, *, into: str) -> Recorded:
        """Two records of one human become one: `into` acts, `person` is its duplicate. Undone by `split_persons`."""
        duplicate, survivor = self._both(act, "merge_persons", person, into)
        self._merge(act, duplicate, survivor)
        return self.store.save(duplicate, survivor, request=act.request)

    @once
    def split_persons(self, act: Act, person: str, *, other: str) -> Recorded:
        """Undo a merger: `person` survived it, `other` was the duplicate. Both are as they were before."""
        duplicate, survivor = self._both(act, "split_persons", other, person)
        association = self.association(self.association_of(survivor, act.actor)).row
        on = self._begin(act, survivor, association)
        duplicate.late = act.late
        survivor.split(duplicate, on=on, by=act.actor.by)
        return self.store.save(duplicate, survivor, request=act.request)

    # -- erasure: requested, confirmed by a second person, carried out seven days later ------------------------------

    @once
    def request_erasure(self, act: Act, person: str) -> Recorded:
        found, on = self._person(act, "request_erasure", person)
        found.request_erasure(person=act.actor.person, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def confirm_erasure(self, act: Act, person: str) -> Recorded:
        """The second person's word. Until the day it names it can be cancelled; after it nothing brings them back."""
        found, on = self._person(act, "confirm_erasure", person)
        found.confirm_erasure(people=act.actor.people, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def cancel_erasure(self, act: Act, person: str) -> Recorded:
        found, on = self._person(act, "cancel_erasure", person)
        found.cancel_erasure(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    def carry_out_erasure(self, person: str) -> bool:
        """Forget them, if it is due: the events first, all at once, then the keys. Repeated until both are done.

        What they said of others as a rater stays with those others' references and goes with these (ours): it is
        evidence of another's award, sealed under that reference's own key.
        """
        found = self.store.find(Person, person)
        if found is None:
            return False
        on = self.today(self.home_of(found.residence))
        if found.erasure_is_due(on):
            self._forget(found, on)
        elif not found.to_destroy:
            return False
        self._destroy_keys(person, on)
        return True

    def _forget(self, survivor: Person, on: date) -> None:
        """Every record of the human, what they hold and what is open of theirs, in one transaction."""
        closed, endorsements = self._close_cases(survivor, on, by=OPERATOR)
        records = self.identity(survivor.name)
        for record in records:
            closed += self.forget_references(record, on=on, by=OPERATOR.by)
        for endorsement in endorsements:
            endorsement.end_by_erasure(on=on, by=OPERATOR.by)
        people = [survivor, *(self.store.get(Person, record) for record in records[1:])]
        for person in people:
            match, address_match = self._matches(person)
            person.erase(match=match, address_match=address_match, on=on, by=OPERATOR.by)
        self.store.save(*people, *endorsements, *closed)

    # -- death --------------------------------------------------------------------------------------------------------

    @once
    def report_death(self, act: Act, person: str, *, died_on: date) -> Recorded:
        """What they held ends with that day, what is open of theirs is closed, and nobody comes in as them any more.

        Nobody is written to about any of it (ours). Raters who have not answered are not waited for.
        """
        found, on = self._person(act, "report_death", person)
        found.report_death(died_on, on=on, by=act.actor.by)
        closed, endorsements = self._close_cases(found, on, by=act.actor)
        records = self.identity(found.name)
        asked = [name for record in records for name in self.store.claimed(references_of(record))]
        for reference in (self.store.get(Reference, name) for name in asked):
            if reference.state in ("nominated", "requested"):
                reference.withdraw(on=max(on, reference.last_on), by=act.actor.by)
                closed.append(reference)
        ended = [held for held in endorsements if held.state not in _OVER]
        for endorsement in ended:
            endorsement.end_by_death(on=died_on, by=act.actor.by)
        recorded = self.store.save(found, *ended, *closed, request=act.request)
        for record in records:
            self.store.end_access(record)
        return recorded

    # -- what both close ----------------------------------------------------------------------------------------------

    def _close_cases(self, person: Person, on: date, *, by: Actor) -> tuple[list[Aggregate], list[Endorsement]]:
        """What is open of a human, whichever record it stands with, closed but not saved; and what they hold.

        What is claimed as open can be closed in every state; if one could not, nothing at all would be recorded.
        """
        endorsements = self.endorsements_of(person.name)
        streams = [self.store.holder(f"open_transfer/{endorsement.number}") for endorsement in endorsements]
        for claim, beside in map(open_applications, self.identity(person.name)):
            streams += [
                self.store.holder(claim),
                *(f"{Application.kind}/{name}" for name in self.store.claimed(beside)),
            ]
        closed: list[Aggregate] = []
        for stream in dict.fromkeys(filter(None, streams)):
            kind, _, name = stream.partition("/")
            if kind == Transfer.kind:
                transfer = self.store.get(Transfer, name)
                transfer.cancel(on=max(on, transfer.last_on), by=by.by)
                closed.append(transfer)
            else:
                closed += self._close_application(self.store.get(Application, name), on, by)
        return closed, endorsements

    def _close_application(self, application: Application, on: date, by: Actor) -> list[Aggregate]:
        """Withdrawn, and the exam booked for it given back: its scorers, who don't know whose it is, see no more."""
        on, exam = max(on, application.last_on), None
        if application.state == "exam_booked":
            exam = self.store.get(Exam, application.exam)
            exam.close(on=max(self.today(ALLIANCE), exam.last_on), by=by.role)
            application.cancel_exam(on=on, by=by.by)
        application.withdraw(on=on, by=by.by)
        return [application, exam] if exam else [application]

    def _matches(self, person: Person) -> tuple[str, str]:
        """The present keyed hashes of name and address, which others may take again."""
        match = address_match = ""
        for _, event in self.store.events(person.stream):
            opened = self.store.opened(event)
            match = getattr(opened, "match", match) or match
            address_match = getattr(opened, "address_match", address_match) or address_match
        return match, address_match

    def _destroy_keys(self, person: str, on: date) -> None:
        """The keys, then the word that they are gone: whoever is killed in between does it again."""
        for record in self.identity(person):
            found = self.store.get(Person, record)
            if not found.to_destroy:
                continue
            if found.state == "erased":
                for reference in self.store.claimed(references_of(record)):
                    self.store.vault.erase(reference, ["reference"])
                self.store.end_access(record)
            for keyring in found.to_destroy - {record}:
                self.store.vault.erase(keyring, ["demographic"])
            if record in found.to_destroy:
                self.store.vault.erase(record)
            found.remember_destruction(on=on, by=OPERATOR.by)
            self.store.save(found)

    # -- demographics: volunteered, withdrawn at will -----------------------------------------------------------------

    @once
    def volunteer_demographics(self, act: Act, person: str, told: Demographics) -> Recorded:
        """What was said before is destroyed at once."""
        found, on = self._person(act, "volunteer_demographics", person)
        found.volunteer(told, on=on, by=act.actor.by)
        return self._without_the_old(found, act, on)

    @once
    def withdraw_demographics(self, act: Act, person: str) -> Recorded:
        found, on = self._person(act, "withdraw_demographics", person)
        found.withdraw_demographics(on=on, by=act.actor.by)
        return self._without_the_old(found, act, on)

    def _without_the_old(self, person: Person, act: Act, on: date) -> Recorded:
        recorded = self.store.save(person, request=act.request)
        if person.to_destroy:
            # If this is not done, a nightly rule does it.
            with suppress(Refused):
                self._destroy_keys(person.name, on)
        return recorded

    # -- likenesses and mergers --------------------------------------------------------------------------------------

    @once
    def settle_likeness(self, act: Act, person: str, other: str, *, same: bool) -> Recorded:
        """Two records are of one human, or not. If so they are merged at once, by who may see both.

        The record that was there first goes on (ours). Others leave the merger to the Alliance, which is asked.
        """
        found = self._or_forbidden(act, "settle_likeness", Person, person)
        asked = found.likenesses.get(other)
        association = asked.association if asked else ""
        access.check(act.actor, "settle_likeness", Thing(association=association))
        on = self._begin(act, found, self.association(association or "ALLIANCE").row)
        found.settle_likeness(other, same=same, on=on, by=act.actor.by)
        if not same or not (survivor := self._merging(act, found, other)):
            return self.store.save(found, request=act.request)
        self._merge(msgspec.structs.replace(act, version=None), found, survivor)
        return self.store.save(found, survivor, request=act.request)

    def _merging(self, act: Act, found: Person, other: str) -> Person | None:
        """The record to go on, if the actor may merge them: nothing stands in the way but what `_merge` says."""
        survivor = self.store.find(Person, self.identity(other)[0])
        if survivor is None or survivor.state != "known" or survivor.name == found.name or found.state != "known":
            return None
        things = [Thing(association=self.association_of(one, act.actor)) for one in (found, survivor)]
        return survivor if all(access.allowed(act.actor, "merge_persons", thing) for thing in things) else None

    def _both(self, act: Act, deed: str, duplicate: str, survivor: str) -> tuple[Person, Person]:
        """Both have to be the actor's: a merger shows each association the other's record."""
        found = [self._or_forbidden(act, deed, Person, name) for name in (duplicate, survivor)]
        for one in found:
            access.check(act.actor, deed, Thing(association=self.association_of(one, act.actor)))
        return found[0], found[1]

    def _merge(self, act: Act, duplicate: Person, survivor: Person) -> None:
        """Let both remember it. Raises Invalid where they could not be one human as they stand (ours)."""
        on = self._begin(act, survivor, self.association(self.association_of(survivor, act.actor)).row)
        duplicate.late = act.late
        self._refuse_twice_held(duplicate, survivor)
        applying = [p.name for p in (duplicate, survivor) if self.store.holder(f"open_application/{p.name}")]
        if len(applying) > 1:
            raise Invalid("Both have an open application; withdraw or decide one of them first (R3).", field="into")
        survivor.merge(duplicate, on=on, by=act.actor.by)

    def _refuse_twice_held(self, duplicate: Person, survivor: Person) -> None:
        """One award under two numbers is cleared up first; an imported one may be an association's second record."""
        categories = defaultdict(list)
        for person in (duplicate, survivor):
            for endorsement in self.endorsements_of(person.name):
                if endorsement.imported is None and endorsement.state not in _OVER:
                    categories[endorsement.category].append(endorsement.number)
        for category, numbers in categories.items():
            if len(numbers) > 1:
                raise Invalid(
                    f"Both hold {category}: {' and '.join(numbers)}. Archive one of them first.", field="into"
                )
