"""Deeds on associations: admit, rename, what they offer, their licence; and custody where a licence begins or ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import msgspec

from domain import access
from domain.access import Thing
from domain.application import Application
from domain.association import ALLIANCE, ROWS, Association, Licence, LicenceReason, Row, check_row
from domain.endorsement import CustodyReason, Endorsement
from domain.errors import Conflict, Invalid, OutOfTurn
from domain.person import Person
from domain.transfer import Transfer
from registry.commands.shared import Act, Shared, once
from registry.store import Recorded

BATCH = 25
"""So many endorsements change custody in one transaction."""


class Associations(Shared):
    """Deeds on associations: admit, rename, what they offer, their licence."""

    @once
    def admit(
        self, act: Act, code: str, facts: Mapping[str, Any] | None = None, *, licence: Licence = "endorsement"
    ) -> Recorded:
        """With the facts of its row here, where it has one, and with `facts` (fields of `Row`) over them."""
        access.check(act.actor, "admit_association", Thing(association=code))
        given = {name: value for name, value in (facts or {}).items() if value}
        if code in ROWS:
            row = msgspec.structs.replace(ROWS[code], **given)
        elif missing := [name for name in ("jurisdiction", "name", "zone") if name not in given]:
            raise Invalid(f"Nothing is known of {code} here: give its {', '.join(missing)}.", field=missing[0])
        else:
            row = Row(**{"code": code, "abbreviation": code, "source": "admission"} | given)
        check_row(row)
        association = self.store.find(Association, code) or Association(code)
        association.admit(row, licence, on=self._begin(act, association, row), by=act.actor.by)
        return self.store.save(association, request=act.request)

    def admit_all(self, act: Act) -> int:
        """Admit every association that is not yet; how many were new. May be repeated."""
        missing = [code for code in ROWS if self.store.find(Association, code) is None]
        for code in missing:
            with suppress(Conflict, OutOfTurn):  # another process may be at it too
                self.admit(act, code)
        return len(missing)

    @once
    def rename_association(self, act: Act, code: str, *, name: str, abbreviation: str) -> Recorded:
        found, on = self._association(act, "rename_association", code)
        found.rename(" ".join(name.split()), " ".join(abbreviation.split()), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def offer_category(
        self, act: Act, code: str, *, category: str, title: str = "", from_: date | None = None
    ) -> Recorded:
        found, on = self._association(act, "offer_category", code)
        found.offer(category, title, from_=from_, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def withdraw_category(self, act: Act, code: str, *, category: str, from_: date | None = None) -> Recorded:
        found, on = self._association(act, "withdraw_category", code)
        found.withdraw(category, from_=from_, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def change_reviewers(self, act: Act, code: str, *, reviewers: int) -> Recorded:
        found, on = self._association(act, "change_reviewers", code)
        found.change_reviewers(reviewers, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def appoint_coordinator(self, act: Act, code: str, *, coordinator: str) -> Recorded:
        """`coordinator`: the id of their key, as the desk gave it."""
        found, on = self._association(act, "appoint_coordinator", code)
        found.appoint(_key_id(coordinator), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def stand_down_coordinator(self, act: Act, code: str, *, coordinator: str) -> Recorded:
        found, on = self._association(act, "stand_down_coordinator", code)
        found.stand_down(_key_id(coordinator), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def grant_licence(self, act: Act, code: str, *, licence: Licence) -> Recorded:
        found, on = self._association(act, "grant_licence", code)
        found.grant_licence(licence, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def suspend_licence(self, act: Act, code: str, *, reason: LicenceReason) -> Recorded:
        found, on = self._association(act, "suspend_licence", code)
        found.suspend_licence(reason, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def resume_licence(self, act: Act, code: str) -> Recorded:
        found, on = self._association(act, "resume_licence", code)
        found.resume_licence(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def end_licence(self, act: Act, code: str, *, reason: LicenceReason) -> Recorded:
        """What it holds passes to the Alliance by `settle_custody`, at once by hand or in the next nights."""
        found, on = self._association(act, "end_licence", code)
        found.end_licence(reason, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def take_over_people(self, act: Act, code: str) -> Recorded:
        """Who lives there and is held by the Alliance passes to it by `settle_custody`."""
        found, on = self._association(act, "take_over_people", code)
        found.take_over(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    # -- custody, an event per endorsement --------------------------------------------------------------------------

    def settle_custody(self, *numbers: str) -> int:
        """Pass these to whom they belong since a licence ended or people were taken over; how many passed.

        Judged from events, so it may be repeated; all of them in one transaction. New certificates are issued, and
        an open transfer goes on with the Alliance as its releasing side.
        """
        by = access.OPERATOR.by
        moved: dict[str, Endorsement] = {}
        cases: dict[str, Transfer] = {}
        waiting = list(dict.fromkeys(numbers))
        for number in waiting:  # it grows by what moves in the same case
            endorsement = self.store.get(Endorsement, number)
            due = self._belongs_to(endorsement)
            if due is None:
                continue
            to, why = due
            on = self.today(endorsement.custodian)
            stream = self.store.holder(f"open_transfer/{number}")
            if stream and stream not in cases:
                cases[stream] = case = self.store.get(Transfer, stream.partition("/")[2])
                waiting += [other for other in case.numbers if other not in waiting]
                if case.to == to:
                    case.cancel(on=max(on, case.last_on), by=by)
                else:
                    case.pass_side("releasing", to, on=on, by=by)
            endorsement.pass_custody(to, why, on=on, by=by)
            person = self.store.find(Person, endorsement.person)
            if person and person.state == "known":
                self._certify(endorsement, "transferred", person=person, by=by)
            moved[number] = endorsement
        self.store.save(*cases.values(), *moved.values())
        return len(moved)

    def settle_custody_of(self, number: str) -> bool:
        """As the nightly rules have it."""
        return self.settle_custody(number) > 0

    def settle_custodies(self, numbers: Sequence[str], progress: Callable[[int, int], None]) -> int:
        """All of these, batch by batch; how many passed. Interrupted and done again it goes on where it was."""
        passed = 0
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            try:
                passed += self.settle_custody(*batch)
            except Conflict:
                # Somebody did something with one of them in this moment; the others need not wait for it.
                for number in batch:
                    with suppress(Conflict):
                        passed += self.settle_custody(number)
            progress(min(start + BATCH, len(numbers)), len(numbers))
        return passed

    def hand_over_application(self, application: str) -> bool:
        """Give an open application to the Alliance, if the licence of its association ended; as nights have it."""
        found = self.store.get(Application, application)
        if self.association(found.association).licence != "ended":
            return False
        on = self.today(found.association)
        return found.hand_over(ALLIANCE, on=on, by=access.OPERATOR.by) and bool(self.store.save(found).events)

    def _belongs_to(self, endorsement: Endorsement) -> tuple[str, CustodyReason] | None:
        """Whose it ought to be, and why, where that is not who holds it."""
        if endorsement.custodian != ALLIANCE:
            ended = self.association(endorsement.custodian).licence == "ended"
            return (ALLIANCE, "licence_ended") if ended else None
        person = self.store.find(Person, endorsement.person)
        home = self.store.find(Association, person.residence) if person and person.residence else None
        if person is None or home is None or home.took_over_on is None or home.name == ALLIANCE:
            return None
        today = self.today(home.name)
        # Not those who came later, or whom the Alliance took since: they ask for a transfer.
        there = max(endorsement.custody_since, self._resident_since(person)) <= home.took_over_on
        free = not self.store.holder(f"open_transfer/{endorsement.number}")
        offered = home.endorses(today) and endorsement.category in home.offers(today)
        return (home.name, "admitted") if there and free and offered else None

    def _resident_since(self, person: Person) -> date:
        moves = [
            event.on
            for _, event in self.store.events(person.stream)
            if isinstance(event, Person.Registered | Person.ResidenceChanged)
        ]
        return moves[-1] if moves else date.min

    def _association(self, act: Act, deed: str, code: str) -> tuple[Association, date]:
        access.check(act.actor, deed, Thing(association=code))
        found = self.store.get(Association, code)
        return found, self._begin(act, found, found.row)


def _key_id(text: str) -> str:
    if not text.isalnum() or not text.isascii() or len(text) > 32:  # noqa: PLR2004 # as long as an id may be
        raise Invalid("Give the id of the coordinator's key, never a name.", field="coordinator")
    return text
