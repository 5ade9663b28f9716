"""Deeds of employers: what they follow, how they are told of a change, and what there is to tell."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from domain import access
from domain.access import OPERATOR, Thing
from domain.alert import TOPICS, Alert, alerts
from domain.association import ALLIANCE
from domain.employer import MOST_AT_ONCE, DisableReason, Employer, Wish, webhook_address
from domain.endorsement import Endorsement, read_number
from domain.errors import Forbidden, Invalid
from domain.event import Event
from domain.key import Key
from domain.person import Person
from projections.people import folded
from registry.certificates.qr import Unprintable, printed
from registry.commands.shared import Act, Shared, once
from registry.store import Recorded
from verifier import certificate
from verifier.keys import Key as PublicKey
from verifier.keys import read_multikey
from verifier.verdict import Unverified

_MOST_TOLD = 50_000
_NEAR = 5_000


class Page(NamedTuple):
    """Alerts in the order of the history. All up to `cursor` are told with these; `more`: there may be others after."""

    alerts: list[Alert]
    cursor: int
    more: bool


class _Following(NamedTuple):
    """What an employer ever followed. `positions`: of its events, by version; `first`: of the first it followed by."""

    employer: Employer
    positions: dict[int, int]
    first: int

    def at(self, position: int, number: str) -> bool:
        """Whether it followed this one then. Asked of few: it may have followed 20,000."""
        return any(
            self.positions[since] < position and (until is None or position < self.positions[until])
            for since, until in self.employer.spans(number)
        )


class Employers(Shared):
    """Deeds of employers: what they follow, how they are told of a change, and what there is to tell."""

    webhooks_local = False
    """Whether alerts may be sent to this machine, for trials."""

    @once
    def admit_employer(self, act: Act, *, name: str, email: str, association: str = "") -> Recorded:
        """On an association's word: the coordinator's own; else as the Alliance or the operator says."""
        association = association or act.actor.association or ALLIANCE
        access.check(act.actor, "admit_employer", Thing(association=association))
        employer = Employer(self.new_id())
        on = self._begin(act, employer, self.association(association).row)
        employer.admit(association, name=name, email=email, on=on, by=act.actor.by)
        return self.store.save(employer, request=act.request)

    @once
    def change_employer_contact(self, act: Act, employer: str, *, name: str, email: str) -> Recorded:
        found, on = self._employer(act, "change_employer_contact", employer)
        found.change_contact(name=name, email=email, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def end_employer(self, act: Act, employer: str) -> Recorded:
        """Its keys, links and sessions end at once, its name and address are destroyed."""
        found, on = self._employer(act, "end_employer", employer)
        found.end(on=on, by=act.actor.by)
        recorded = self.store.save(found, request=act.request)
        self.forget_employer(employer)
        return recorded

    def forget_employer(self, employer: str) -> bool:
        """What an ended employer leaves to be destroyed; done again by the nightly rule until it is done."""
        found = self.store.find(Employer, employer)
        if found is None or not found.to_destroy:
            return False
        self.store.end_access(employer)
        self.store.forget_deliveries(employer)
        self.store.vault.erase(employer)
        found.remember_destruction(on=max(self.today(found.association), found.last_on), by=OPERATOR.by)
        self.store.save(found)
        return True

    @once
    def follow(
        self,
        act: Act,
        employer: str,
        *,
        qr: str = "",
        number: str = "",
        name: str = "",
        endorsements: Sequence[Wish] = (),
    ) -> Recorded:
        """Those of which a certificate that has not expired was shown. What does not match is left out; the answer to
        it is the same whether there is no such endorsement or the name is another's.
        """
        found, on = self._employer(act, "follow", employer)
        wishes = [*endorsements, *([Wish(qr, number, name)] if qr or number or name else [])]
        if not wishes:
            raise Invalid("Give the text of a certificate's code, or number and name as printed.", field="qr")
        if len(wishes) > MOST_AT_ONCE:
            raise Invalid(f"Give at most {MOST_AT_ONCE} at a time.", field="endorsements")
        shown = [number for number in self._shown(wishes) if number]
        if not shown:
            raise Invalid(
                "No certificate that is still good shows this. Check number and name letter by letter against the "
                "paper, or scan its code again.",
                field="qr" if qr else "number" if number or name else "endorsements",
            )
        found.follow(shown, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def unfollow(self, act: Act, employer: str, *, numbers: Collection[str]) -> Recorded:
        found, on = self._employer(act, "unfollow", employer)
        found.unfollow([read_number(number) for number in numbers], on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def choose_mails(self, act: Act, employer: str, *, mails: bool) -> Recorded:
        found, on = self._employer(act, "choose_mails", employer)
        found.choose_mails(mails=mails, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def set_webhook(self, act: Act, employer: str, *, url: str) -> Recorded:
        """A new address and a new secret, shown this once."""
        found, on = self._employer(act, "set_webhook", employer)
        found.set_webhook(webhook_address(url, local=self.webhooks_local), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request).telling(self.webhook_secret(found))

    @once
    def end_webhook(self, act: Act, employer: str) -> Recorded:
        found, on = self._employer(act, "end_webhook", employer)
        found.end_webhook(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def test_webhook(self, act: Act, employer: str) -> Recorded:
        found, on = self._employer(act, "test_webhook", employer)
        found.test_webhook(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def replay_webhook(self, act: Act, employer: str, *, after: int) -> Recorded:
        found, on = self._employer(act, "replay_webhook", employer)
        found.replay_webhook(after, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    # -- what the worker does -----------------------------------------------------------------------------------------

    def disable_webhook(self, employer: str, reason: DisableReason, webhook: int) -> None:
        """`webhook`: the version that set the address that failed."""
        found = self.store.get(Employer, employer)
        on = max(self.today(found.association), found.last_on)
        found.disable_webhook(reason, webhook, on=on, by=OPERATOR.by)
        self.store.save(found)

    def tell_employer(self, employer: str) -> bool:
        """The nightly rule: one letter a day, at most, of what changed since the last one."""
        found = self.store.get(Employer, employer)
        on = self.today(found.association)
        if found.state != "admitted" or not found.mails or on <= found.told_on:
            return False
        page = self.feed(employer, found.told, _MOST_TOLD)
        if not page.alerts:
            return False
        found.tell(found.told, page.alerts[-1].position, on=max(on, found.last_on), by=OPERATOR.by)
        self.store.save(found)
        return True

    def webhook_secret(self, employer: Employer) -> str:
        """As Standard Webhooks writes it; made of the vault's key and the place of the event that set the address."""
        made = self.store.vault.fingerprint("webhook-secret", f"{employer.stream}\n{employer.webhook}")
        return f"whsec_{base64.b64encode(base64.urlsafe_b64decode(made + '=')).decode()}"

    # -- what there is to tell ----------------------------------------------------------------------------------------

    def feed(self, employer: str, after: int, limit: int, *, through: int | None = None) -> Page:
        """The changes of what an employer followed at that time, after a position; a function of the log alone."""
        last = self.store.position() if through is None else through
        theirs = self._following(employer)
        # Nothing counts that was before it followed anything.
        found = self._changed(theirs, max(after, theirs.first or last), last, limit + 1)
        told = [at for at, _ in found[:limit] if at <= last]
        more = len(found) > limit and found[limit][0] <= last
        return Page(self._alerts(found[:limit], theirs, last), told[-1] if more and told else max(after, last), more)

    def _changed(self, theirs: _Following, after: int, last: int, limit: int) -> list[tuple[int, str]]:
        """Who asks often is told from the few events since; who asks for long ago, from the streams themselves."""
        if last - after > _NEAR:
            return self.store.changed(streams(theirs.employer.ever_followed()), TOPICS, after, limit)
        found = self.store.changed_between(TOPICS, after, last)
        return [(at, stream) for at, stream in found if theirs.employer.has_followed(stream.partition("/")[2])][:limit]

    def newest_alerts(self, employer: str, limit: int) -> list[Alert]:
        """Newest first."""
        theirs = self._following(employer)
        found = self.store.changed(streams(theirs.employer.ever_followed()), TOPICS, 0, 2 * limit, newest=True)
        return self._alerts(found, theirs, self.store.position())[::-1][:limit]

    def _alerts(self, found: Sequence[tuple[int, str]], theirs: _Following, last: int) -> list[Alert]:
        wanted = {at for at, stream in found if at <= last and theirs.at(at, stream.partition("/")[2])}
        return [alert for alert in self.alerts_of({stream for at, stream in found if at in wanted})
                if alert.position in wanted]  # fmt: skip

    def alerts_of(self, of: Collection[str]) -> list[Alert]:
        """Every change of these endorsements (by stream), by position."""
        histories: dict[str, list[tuple[int, Event]]] = {}
        for position, event in self.store.events_of(sorted(of)):
            histories.setdefault(event.originator_id, []).append((position, event))
        found = [alert for history in histories.values() for alert in alerts(history)]
        return sorted(found, key=lambda alert: alert.position)

    def _following(self, employer: str) -> _Following:
        history = self.store.events(f"{Employer.kind}/{employer}")
        first = next((position for position, event in history if isinstance(event, Employer.Follows)), 0)
        positions = {event.originator_version: position for position, event in history}
        return _Following(Employer.fold(event for _, event in history) or Employer(employer), positions, first)

    # -- what they were shown -----------------------------------------------------------------------------------------

    def _shown(self, wishes: Sequence[Wish]) -> list[str]:
        """The number of each wish that holds; empty for any other. The same questions are asked for all."""
        codes = [self._read(wish.qr) for wish in wishes]
        numbers = [code.number if code else _number(wish.number) for code, wish in zip(codes, wishes, strict=True)]
        issued = self._good(numbers)
        names = self._printed([one for those in issued.values() for one in those])
        shown = []
        for wish, code, number in zip(wishes, codes, numbers, strict=True):
            if code:
                holds = any(one.cti == code.cti.hex() for one in issued.get(number, ()))
            else:
                given = folded(wish.name)
                holds = bool(given) and any(folded(names.get(one.cti, "")) == given for one in issued.get(number, ()))
            shown.append(number if holds else "")
        return shown

    def _read(self, text: str) -> certificate.Certificate | None:
        """What a code says, if a key of ours that was not withdrawn signed it."""
        if not text.strip():
            return None
        try:
            sealed = certificate.unseal(text)
            key = self.store.find(Key, sealed.envelope.kid.hex())
            if key is None or key.use != "certificate" or key.state == "withdrawn":
                return None
            PublicKey("certificate", key.controller, "", read_multikey(key.public)).check(sealed.envelope)
        except Unverified:
            return None
        return sealed.certificate

    def _good(self, numbers: Collection[str]) -> dict[str, list[Endorsement.CertificateIssued]]:
        """The certificates of these endorsements that have not expired, replaced ones included."""
        now = self.clock()
        found: dict[str, list[Endorsement.CertificateIssued]] = {}
        for _, event in self.store.events_of([f"{Endorsement.kind}/{number}" for number in set(numbers)]):
            if isinstance(event, Endorsement.CertificateIssued) and event.expires_at >= now:
                found.setdefault(event.number, []).append(event)
        return found

    def _printed(self, issued: Sequence[Endorsement.CertificateIssued]) -> dict[str, str]:
        """The name on each, by its cti; none where it was erased."""
        events = [event for _, event in self.store.events_of(sorted({one.person for one in issued}))]
        named = [event for event in events if isinstance(event, Person.Registered | Person.Renamed)]
        opened = {
            (event.originator_id, event.originator_version): event.name for event in self.store.vault.open_all(named)
        }
        names = {}
        for one in issued:
            name = opened.get((one.person, one.person_version))
            if isinstance(name, str):
                names[one.cti] = _as_printed(name)
        return names

    def employer(self, name: str) -> Employer:
        """Raises NotFound."""
        return self.store.get(Employer, name)

    def employers(self) -> list[tuple[Employer, str | None, str | None]]:
        """All there ever were, with name and address as they are now; None where they are destroyed."""
        histories: dict[str, list[Event]] = {}
        for _, event in self.store.events_of_kind(Employer):
            histories.setdefault(event.originator_id, []).append(event)
        return [
            (employer, *self._contact_of(history))
            for history in histories.values()
            if (employer := Employer.fold(history))
        ]

    def employer_contact(self, employer: str) -> tuple[str | None, str | None]:
        """Name and address, opened; None where they are destroyed."""
        return self._contact_of([event for _, event in self.store.events(f"{Employer.kind}/{employer}")])

    def webhook_url(self, employer: Employer) -> str | None:
        for _, event in self.store.events(employer.stream):
            if isinstance(event, Employer.WebhookSet) and event.originator_version == employer.webhook:
                url = self.store.opened(event).url
                return url if isinstance(url, str) else None
        return None

    def _contact_of(self, history: Sequence[Event]) -> tuple[str | None, str | None]:
        told = [event for event in history if isinstance(event, Employer.Admitted | Employer.ContactChanged)]
        last = self.store.opened(told[-1])
        return (
            last.name if isinstance(last.name, str) else None,
            last.email if isinstance(last.email, str) else None,
        )

    def _employer(self, act: Act, deed: str, name: str) -> tuple[Employer, date]:
        found = self._or_forbidden(act, deed, Employer, name)
        access.check(act.actor, deed, thing_of_employer(found))
        if found.state == "ended" and act.actor.role == "employer":
            raise Forbidden("This employer has ended. Ask the association that admitted it.", deed=deed)
        return found, self._begin(act, found, self.association(found.association).row)


def thing_of_employer(employer: Employer) -> Thing:
    """What it is to the access table."""
    return Thing(person=employer.name, association=employer.association)


def streams(numbers: Collection[str]) -> list[str]:
    return [f"{Endorsement.kind}/{number}" for number in numbers]


def _number(text: str) -> str:
    try:
        return read_number(text)
    except Invalid:
        return ""


def _as_printed(name: str) -> str:
    try:
        return printed(name)
    except Unprintable:
        return ""
