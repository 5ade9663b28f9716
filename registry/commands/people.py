"""Deeds on people: who they are, their memberships, their portfolio."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import msgspec

from domain import access
from domain.access import Actor, Thing
from domain.application import Application
from domain.association import CODE, Association
from domain.editions import provider_rule
from domain.endorsement import (
    Endorsement,
    read_number,
)
from domain.errors import Conflict, Invalid, NotFound
from domain.person import Audience, Person, ProviderListing
from domain.portfolio import Entry
from domain.transfer import Transfer
from registry.commands.shared import Act, Shared, once, thing_of
from registry.store import Recorded

# The slots whose applicants have to have received RSC (R8, R9, R11).
_RECEIVE = ("FS", "MHS", "MHM-C")
# What notes may be about besides the person.
_CASES: dict[str, type[Application | Endorsement | Transfer]] = {
    kind.kind: kind for kind in (Application, Endorsement, Transfer)
}


class People(Shared):
    """Deeds on people: who they are, their memberships, their portfolio."""

    @once
    def register_person(
        self, act: Act, *, name: str, residence: str, credentials: str = "", email: str = ""
    ) -> Recorded:
        home = self.home_of(residence)
        access.check(act.actor, "register_person", Thing(association=home))
        match = self.match(name, email)
        if match and self.store.holder(f"identity/{match}"):
            raise Conflict("A person with this name and address is registered already.")
        person = Person(self.new_id())
        person.late = act.late
        person.register(
            residence=residence,
            name=name,
            credentials=" ".join(credentials.split()),
            email=email,
            match=match,
            address_match=self.address_match(email),
            on=self._day(act, self.association(home).row),
            by=act.actor.by,
        )
        return self.store.save(person, request=act.request)

    @once
    def rename_person(self, act: Act, person: str, *, name: str, credentials: str = "") -> Recorded:
        """A new name, and a new certificate for every active endorsement of theirs that has one."""
        found, on = self._person(act, "rename_person", person)
        email, formerly = self._contact(found)
        found.rename(
            name=name,
            credentials=" ".join(credentials.split()),
            match=self.match(name, email),
            formerly=formerly,
            on=on,
            by=act.actor.by,
        )
        printed = [e for e in self.endorsements_of(person) if e.certificate and self._active_now(e)]
        for endorsement in printed:
            self._certify(endorsement, "renamed", person=found, by=act.actor.by)
        return self.store.save(found, *printed, request=act.request)

    @once
    def move_person(self, act: Act, person: str, *, residence: str) -> Recorded:
        found, on = self._person(act, "move_person", person)
        found.move(residence, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def choose_publication(self, act: Act, person: str, *, listed: bool) -> Recorded:
        found, on = self._person(act, "choose_publication", person)
        found.choose_publication(listed=listed, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def record_membership(self, act: Act, person: str, *, association: str, from_: date, through: date) -> Recorded:
        found, on = self._member(act, "record_membership", person, association)
        found.record_membership(association, from_, through, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def verify_membership_elsewhere(
        self, act: Act, person: str, *, association: str, body: str, from_: date, through: date
    ) -> Recorded:
        """A membership of another body, seen in writing, that this association takes for its own (AZ-FAQ)."""
        found, on = self._member(act, "verify_membership_elsewhere", person, association)
        found.verify_membership(association, body, from_, through, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def end_membership(self, act: Act, person: str, *, association: str, through: date) -> Recorded:
        found, on = self._member(act, "end_membership", person, association)
        found.end_membership(association, through, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    def _member(self, act: Act, deed: str, person: str, association: str) -> tuple[Person, date]:
        """A membership is the association's to say, wherever the person lives."""
        access.check(act.actor, deed, Thing(association=association, person=person))
        found = self.store.get(Person, person)
        return found, self._begin(act, found, self.association(association).row)

    @once
    def choose_provider_listing(self, act: Act, person: str, listing: ProviderListing) -> Recorded:
        found, on = self._person(act, "choose_provider_listing", person)
        found.choose_listing(listing, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def record_entry(
        self, act: Act, person: str, fact: Entry, *, title: str = "", provider_name: str = "", supersedes: str = ""
    ) -> Recorded:
        found, on = self._person(act, "record_entry", person)
        if fact.codes:
            self.catalogue(self.home_of(found.residence)).check(fact.codes)
        if fact.provider:
            fact = msgspec.structs.replace(fact, provider=read_number(fact.provider))
            provider = self.store.find(Endorsement, fact.provider)
            if provider is None:
                raise Invalid("No endorsement has this number; ask the provider for theirs.", field="provider")
            if self.one_human(person, provider.person):
                raise Invalid("Nobody is their own provider or supervisor; give the other's number.", field="provider")
        fact = msgspec.structs.replace(fact, vetted=False)
        found.add(fact, supersedes=supersedes, title=title, provider_name=provider_name, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def withdraw_entry(self, act: Act, person: str, entry: str) -> Recorded:
        found, on = self._person(act, "withdraw_entry", person)
        found.withdraw(entry, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def vet_provider(self, act: Act, person: str, entry: str, *, qualified: bool) -> Recorded:
        found, on = self._person(act, "vet_provider", person)
        found.vet_provider(entry, qualified=qualified, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def record_reviewer_training(self, act: Act, person: str) -> Recorded:
        found, on = self._person(act, "record_reviewer_training", person)
        found.record_reviewer_training(act.actor.association or self.home_of(found.residence), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def write_note(self, act: Act, person: str, *, about: str, audience: Audience, note: str) -> Recorded:
        """`about`: the stream of one of the person's cases, such as `application/...`; empty: the person's own."""
        found = self._or_forbidden(act, "write_note", Person, person)
        about = about or found.stream
        access.check(act.actor, "write_note", self._thing_about(found, about, act.actor))
        on = self._begin(act, found, self.association(self.association_of(found, act.actor)).row)
        found.write_note(about, audience, note, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    def _thing_about(self, person: Person, about: str, actor: Actor) -> Thing:
        """A case of this person to the access table; nobody's when it is not one of theirs."""
        if about == person.stream:
            return Thing(person=person.name, association=self.association_of(person, actor))
        kind, _, name = about.partition("/")
        found = self.store.find(_CASES[kind], name) if kind in _CASES else None
        return thing_of(found) if found and self.one_human(person.name, found.person) else Thing()

    def rsc_provider(self, number: str, on: date, association: str = "", *, known: int | None = None) -> dict[str, Any]:
        """Whether an hour of RSC with this person on a day counts, for which slots, under which row (R12, R13).

        `association`: whose rule; of the holder's custodian by default. `known`: as known at a position, under the
        rules of now. Raises NotFound for a number nobody holds, or held then.
        Says nothing of why somebody was not active: that is not the public's (R26).
        """
        found = self.store.find(Endorsement, read_number(number))
        if found is None or self.store.get(Person, found.person).state == "erased":
            raise NotFound("endorsement of this number known")
        if known is not None:
            found = Endorsement.fold(event for at, event in self.store.events(found.stream) if at <= known)
            if found is None:
                raise NotFound(f"endorsement of this number known at position {known}")
        where = association or found.custodian
        if not re.fullmatch(CODE, where) or self.store.find(Association, where) is None:
            raise Invalid("No association has this code; use a code such as VA.", field="association")
        held, rule = found.held_on(on), provider_rule(on, where)
        counts_for = [slot for slot in _RECEIVE if rule and rule.accepts(held, slot)]
        reason = (
            "no_rule" if rule is None else "not_active" if not held else "qualified" if counts_for else "not_accepted"
        )
        words = {
            "no_rule": "No rule for providers is known on that day.",
            "not_active": "It does not count: the endorsement was not active on that day.",
            "qualified": f"It counts for {', '.join(counts_for)}: {held} was held on that day.",
            "not_accepted": f"It does not count: {held} was not accepted as a provider on that day.",
        }[reason]
        return {
            "number": found.number,
            "on": on,
            "association": where,
            "held": held or None,
            "counts": bool(counts_for),
            "counts_for": counts_for,
            "reason": reason,
            "words": f"{words} Rule {rule.name} ({rule.source})." if rule else words,
            "rule": {"name": rule.name, "effective": rule.effective, "source": rule.source} if rule else None,
        }
