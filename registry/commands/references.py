"""Deeds on references: nominate a rater, ask by a link, remind, vet, rate, relay."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec

from domain import access
from domain.access import Actor, Thing
from domain.application import Application
from domain.editions import RATING_REMINDER_DAYS
from domain.endorsement import Endorsement, read_number
from domain.errors import Forbidden, Invalid
from domain.person import at_address
from domain.policy import Relationship
from domain.reference import (
    ASKED,
    DeclineReason,
    Recommendation,
    Reference,
    Score,
    link_claim,
    references_of,
)
from registry.commands.shared import Act, Shared, base_32, once, thing_of
from registry.store import Recorded

NIGHTLY = "operator:nightly"


def by_code(command: Callable[..., Recorded]) -> Callable[..., Recorded]:
    """The code of a link says who acts and on which reference; a code of nobody's is refused as a used one is."""

    @functools.wraps(command)
    def rated(self: References, act: Act, *, code: str, **facts: Any) -> Recorded:
        link = link_of(code)
        stream = self.store.holder(link_claim(link))
        if stream is None:
            raise refused_link()
        name = stream.partition("/")[2]
        rater = msgspec.structs.replace(act, actor=Actor("rater", person=name))
        return command(self, rater, name, link=link, **facts)

    return rated


class References(Shared):
    """Deeds on references: nominate a rater, ask by a link, remind, vet, rate, relay."""

    def references_of(self, person: str) -> list[Reference]:
        """Every reference one human ever nominated, whatever became of it; opened, so that one rater is recognised.

        `domain.reference.counted` judges them; each has `rater`, the person behind it where we know them: of several
        records of one rater the one that acts.
        """
        found = []
        for name in self.references_named(person):
            events = [event for _, event in self.store.events(f"{Reference.kind}/{name}")]
            reference = Reference.fold([self.store.opened(events[0]), *events[1:]])
            if reference:
                reference.rater = self.identity(reference.rater)[0] if reference.rater else ""
                found.append(reference)
        return found

    def references_named(self, person: str) -> list[str]:
        """The ids of the references of one human, whichever of their records nominated."""
        return [name for record in self.identity(person) for name in self.store.claimed(references_of(record))]

    def close_to(self, application: Application) -> set[str]:
        """Who must not judge it blind (ours): the applicant, reviewers, also who stepped back, advisors, providers and
        raters. Every record of each of these people counts.
        """
        people = {
            application.person,
            *application.reviewing_people.values(),
            *application.advisors.values(),
            *application.providers.values(),
            *(reference.rater for reference in self.references_of(application.person) if reference.rater),
        }
        return {record for person in people for record in self.identity(person)}

    def forget_references(self, person: str, *, on: date, by: str) -> list[Reference]:
        """Every reference of an applicant, told that it is erased, to be saved with the erasure of the person.

        Then the key of each is destroyed: `vault.erase(reference.name, ["reference"])`. Both may be repeated.
        """
        found = [self.store.get(Reference, name) for name in self.references_named(person)]
        for reference in found:
            reference.erase(on=on, by=by)
        return found

    def rating_code(self, reference: str, version: int) -> str:
        """The 256 bits of a link, as 52 letters and digits: made of the vault's key and the place of the request.

        Nothing keeps it: the event has its hash only, and the mail is written when it is sent.
        """
        made = self.store.vault.fingerprint("rating-link", f"{Reference.kind}/{reference}\n{version}")
        return base_32(base64.urlsafe_b64decode(made + "="))

    def asked(self, code: str) -> Reference:
        """The reference that a rater may answer with this code now. Raises Forbidden, the same for every other code."""
        link = link_of(code)
        stream = self.store.holder(link_claim(link))
        return self._answerable(stream.partition("/")[2] if stream else "", link)

    @once
    def nominate_rater(
        self,
        act: Act,
        person: str,
        *,
        relationship: Relationship,
        name: str,
        email: str,
        waiver: bool,
        endorsement: str = "",
        known_since: date | None = None,
    ) -> Recorded:
        """Nominate and ask at once: the rater gets a letter with a link that works once."""
        access.check(act.actor, "nominate_rater", Thing(person=person))
        applicant = self._known(person)
        stream = self.store.holder(f"open_application/{person}")
        application = self.store.get(Application, stream.partition("/")[2]) if stream else None
        association = application.association if application else self.home_of(applicant.residence)
        match = self.address_match(email)
        number, rater = self._rater(endorsement, match)
        if rater and self.one_human(person, rater):
            rater = person
        reference = Reference(self.new_id())
        on = self._begin(act, reference, self.association(association).row)
        reference.nominate(
            person,
            association,
            relationship,
            name=name,
            email=email,
            match=match,
            waiver=waiver,
            others=self.references_of(person),
            own_match=match if self._has_address(person, match) else "",
            application=application.name if application else "",
            endorsement=number,
            rater=self.identity(rater)[0] if rater else "",
            confirmed=bool(number) and self._has_address(rater, match),
            known_since=known_since,
            on=on,
            by=act.actor.by,
        )
        self._ask(reference, on, act)
        return self.store.save(reference, request=act.request)

    @once
    def request_rating(self, act: Act, reference: str) -> Recorded:
        """Send a new link; the one before is dead from then on."""
        found, on = self._reference(act, "request_rating", reference)
        self._ask(found, on, act)
        return self.store.save(found, request=act.request)

    @once
    def remind_rater(self, act: Act, reference: str) -> Recorded:
        found, on = self._reference(act, "remind_rater", reference)
        found.remind(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def vet_rater(self, act: Act, reference: str, *, qualified: bool, note: str) -> Recorded:
        found, on = self._reference(act, "vet_rater", reference)
        found.vet(qualified=qualified, note=note, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def relay_reasons(self, act: Act, reference: str, *, reasons: str) -> Recorded:
        found, on = self._reference(act, "relay_reasons", reference)
        found.relay_reasons(reasons, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def withdraw_nomination(self, act: Act, reference: str) -> Recorded:
        found, on = self._reference(act, "withdraw_nomination", reference)
        found.withdraw(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @by_code
    @once
    def record_rating(
        self,
        act: Act,
        reference: str,
        *,
        link: str,
        answers: Mapping[str, Score],
        recommendation: Recommendation,
        known_a_year: bool,
        comment: str = "",
    ) -> Recorded:
        access.check(act.actor, "record_rating", Thing(person=reference))
        found = self._answerable(reference, link)
        on = self._begin(act, found, self.association(found.association).row)
        found.rate(
            answers,
            asked=tuple(ASKED),
            recommendation=recommendation,
            known_a_year=known_a_year,
            comment=comment,
            held=self.held_on(found.endorsement, on) if found.endorsement else "",
            on=on,
            by=act.actor.by,
        )
        return self.store.save(found, request=act.request)

    @by_code
    @once
    def decline_rating(self, act: Act, reference: str, *, link: str, reason: DeclineReason) -> Recorded:
        access.check(act.actor, "decline_rating", Thing(person=reference))
        found = self._answerable(reference, link)
        on = self._begin(act, found, self.association(found.association).row)
        found.decline(reason, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    def remind_due(self, reference: str) -> bool:
        """The nightly rule: remind where a reminder is due today and was not sent yet."""
        found = self.store.get(Reference, reference)
        on = self.today(found.association)
        if not found.reminder_due(RATING_REMINDER_DAYS, on):
            return False
        found.remind(on=on, by=NIGHTLY)
        self.store.save(found)
        return True

    def _ask(self, reference: Reference, on: date, act: Act) -> None:
        code = self.rating_code(reference.name, reference.version + 1)
        reference.request(link_of(code), on=on, by=act.actor.by)

    def _rater(self, endorsement: str, match: str) -> tuple[str, str]:
        """Number and person of a rater: by the number given, else the one person we know at this address."""
        if endorsement.strip():
            number = read_number(endorsement)
            found = self.store.find(Endorsement, number)
            if found is None:
                raise Invalid("No endorsement has this number; ask the rater for theirs.", field="endorsement")
            return number, found.person
        people = self.store.claimed(at_address(match))
        return "", people[0] if len(people) == 1 else ""

    def _has_address(self, person: str, match: str) -> bool:
        return self.store.holder(f"{at_address(match)}/{person}") is not None

    def _reference(self, act: Act, deed: str, name: str) -> tuple[Reference, date]:
        found = self._or_forbidden(act, deed, Reference, name)
        access.check(act.actor, deed, thing_of(found))
        return found, self._begin(act, found, self.association(found.association).row)

    def _answerable(self, name: str, link: str) -> Reference:
        found = self.store.find(Reference, name) if name else None
        if (
            found is None
            or found.state != "requested"
            or not hmac.compare_digest(found.link, link)
            or self.today(found.association) > found.link_until
        ):
            raise refused_link()
        return found


def link_of(code: str) -> str:
    """What an event keeps of a code: SHA-256 of its letters and digits, base64url."""
    plain = code.upper() if code.isalnum() else "".join(sign for sign in code.upper() if sign.isalnum())
    return base64.urlsafe_b64encode(hashlib.sha256(plain.encode()).digest()).rstrip(b"=").decode()


def refused_link() -> Forbidden:
    """One answer to a code that is unknown, used, replaced or too old."""
    return Forbidden(
        "This code opens nothing: it was used or replaced, or it is too old. Ask whoever sent it for a new one.",
        field="code",
    )
