"""Every deed of the registry: load from events, let the aggregate decide, save what it remembered."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar, get_args
from zoneinfo import ZoneInfo

import msgspec

from domain import access
from domain.access import LATE_ROLES, Actor, Thing
from domain.aggregate import Aggregate
from domain.application import Application, DeferReason, Outcome, Tie
from domain.association import ROWS, Association, Row
from domain.association import today as today_at
from domain.category import AddOn
from domain.endorsement import (
    Endorsement,
    InactiveReason,
    IssueReason,
    RemovalGround,
    SuspendReason,
    day_after,
    held,
    new_number,
    read_number,
)
from domain.errors import Conflict, Invalid, NotFound, OutOfTurn
from domain.event import LateReason, Request
from domain.person import Person, printable_name
from domain.policy import Attestation, Reinstatement, Tally
from domain.portfolio import Entry, tally
from domain.transfer import DeclineReason, DisputeReason, Transfer
from registry.store import Recorded, Store

Draw = Callable[[int], bytes]
Clock = Callable[[], datetime]


class Act(msgspec.Struct, frozen=True):
    """Who acts, for which day, with which Idempotency-Key, on which version they saw.

    `on` is a day in the association's zone, today when None; a past one needs `late`, why it is recorded now.
    `version` is the stream's version the actor has seen (If-Match); None: whatever it is.
    """

    actor: Actor
    on: date | None = None
    late: LateReason | None = None
    request: Request | None = None
    version: int | None = None


class HandedIn(NamedTuple):
    """The entries of a portfolio up to a day, number and person of its providers, and what it adds up to."""

    entries: list[str]
    providers: dict[str, str]
    tally: Tally


_Rest = ParamSpec("_Rest")
_A = TypeVar("_A", bound=Aggregate)
_Command = Callable[Concatenate["Registry", Act, _Rest], Recorded]


def once(command: _Command[_Rest]) -> _Command[_Rest]:
    """A repeated request gets its earlier answer, rebuilt from the events it recorded; nothing is decided twice."""

    @functools.wraps(command)
    def repeated(self: Registry, act: Act, /, *args: _Rest.args, **facts: _Rest.kwargs) -> Recorded:
        if act.request and (earlier := self.store.earlier(act.request, act.actor.by)):
            return earlier
        return command(self, act, *args, **facts)

    return repeated


class Registry:
    """The registry's deeds. Answers hold the positions and the events that were recorded."""

    def __init__(self, store: Store, *, clock: Clock, draw: Draw, kid: Callable[[], str]) -> None:
        """`kid` names the present certificate key; it raises a plain error while there is none."""
        self.store = store
        self.clock = clock
        self.draw = draw
        self.kid = kid

    # -- associations -----------------------------------------------------------------------------------------------

    @once
    def admit(self, act: Act, code: str) -> Recorded:
        access.check(act.actor, "admit_association", Thing(association=code))
        if code not in ROWS:
            raise NotFound(f"association {code}")
        association = self.store.find(Association, code) or Association(code)
        association.admit(ROWS[code], on=self._day(act, ROWS[code]), by=act.actor.by)
        return self.store.save(association, request=act.request)

    def admit_all(self, act: Act) -> int:
        """Admit every association that is not yet; how many were new. May be repeated."""
        missing = [code for code in ROWS if self.store.find(Association, code) is None]
        for code in missing:
            with suppress(Conflict, OutOfTurn):  # another process may be at it too
                self.admit(act, code)
        return len(missing)

    def association(self, code: str) -> Association:
        return self.store.get(Association, code)

    # -- people -----------------------------------------------------------------------------------------------------

    @once
    def register_person(
        self, act: Act, *, name: str, residence: str, credentials: str = "", email: str = ""
    ) -> Recorded:
        home = _home(residence)
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
        access.check(act.actor, "record_membership", Thing(association=association, person=person))
        found = self.store.get(Person, person)
        on = self._begin(act, found, self.association(association).row)
        found.record_membership(association, from_, through, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def record_entry(
        self, act: Act, person: str, fact: Entry, *, title: str = "", provider_name: str = "", supersedes: str = ""
    ) -> Recorded:
        found, on = self._person(act, "record_entry", person)
        if fact.provider:
            fact = msgspec.structs.replace(fact, provider=read_number(fact.provider))
            provider = self.store.find(Endorsement, fact.provider)
            if provider is None:
                raise Invalid("No endorsement has this number; ask the provider for theirs.", field="provider")
            if provider.person == person:
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
    def settle_likeness(self, act: Act, person: str, other: str, *, same: bool) -> Recorded:
        found = self._or_forbidden(act, "settle_likeness", Person, person)
        asked = found.likenesses.get(other)
        association = asked.association if asked else ""
        access.check(act.actor, "settle_likeness", Thing(association=association))
        on = self._begin(act, found, self.association(association or "ALLIANCE").row)
        found.settle_likeness(other, same=same, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    # -- applications -----------------------------------------------------------------------------------------------

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
            row,
            residence=_home(found.residence),
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
        handed_in = self.handed_in(person, on)
        found.submit(
            handed_in.tally,
            handed_in.entries,
            handed_in.providers,
            person_version=person.version,
            signed=signed,
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
        found.assign(own.number, own.person, own.held_on(on), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def recuse_reviewer(self, act: Act, application: str, *, reviewer: str, tie: Tie) -> Recorded:
        found, on = self._application(act, "recuse_reviewer", application)
        self._must_be_theirs(act, found, reviewer)
        found.recuse(reviewer, tie, on=on, by=act.actor.by)
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
        row = self.association(found.association).row
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

    # -- endorsements -----------------------------------------------------------------------------------------------

    @once
    def renew(self, act: Act, number: str, attested: Attestation) -> Recorded:
        endorsement, on = self._endorsement(act, "renew", number)
        endorsement.renew(attested, on=on, by=act.actor.by)
        self._certify(endorsement, "renewed", by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    def record_lapses(self, numbers: Sequence[str]) -> int:
        """Write down the lapses among these numbers; how many there were. Judged by date, so it may be repeated."""
        recorded = 0
        for number in numbers:
            endorsement = self.store.get(Endorsement, number)
            if endorsement.state != "active" or endorsement.through >= self.today(endorsement.custodian):
                continue
            endorsement.lapse(on=max(day_after(endorsement.through), endorsement.last_on), by=access.OPERATOR.by)
            try:
                self.store.save(endorsement)
            except Conflict:
                continue  # somebody did something with it in this moment; the next night looks again
            recorded += 1
        return recorded

    @once
    def make_inactive(self, act: Act, number: str, *, reason: InactiveReason) -> Recorded:
        endorsement, on = self._endorsement(act, "make_inactive", number)
        endorsement.make_inactive(reason, on=on, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def reactivate(self, act: Act, number: str) -> Recorded:
        endorsement, on = self._endorsement(act, "reactivate", number)
        endorsement.reactivate(on=on, by=act.actor.by)
        if why := self.certificate_due(endorsement):
            self._certify(endorsement, why, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def reinstate(self, act: Act, number: str, attested: Reinstatement) -> Recorded:
        endorsement, on = self._endorsement(act, "reinstate", number)
        if attested.rsc_provider:
            provider = read_number(attested.rsc_provider)
            if not self.held_on(provider, on):
                raise Invalid("This provider of RSC holds no active endorsement; name another.", field="rsc_provider")
            attested = msgspec.structs.replace(attested, rsc_provider=provider)
        endorsement.reinstate(attested, on=on, by=act.actor.by)
        self._certify(endorsement, "reinstated", by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def suspend(self, act: Act, number: str, *, reason: SuspendReason) -> Recorded:
        endorsement, on = self._endorsement(act, "suspend", number)
        endorsement.suspend(reason, on=on, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def lift_suspension(self, act: Act, number: str) -> Recorded:
        endorsement, on = self._endorsement(act, "lift_suspension", number)
        endorsement.lift_suspension(on=on, by=act.actor.by)
        if endorsement.certificate and (why := self.certificate_due(endorsement)):
            self._certify(endorsement, why, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def propose_removal(self, act: Act, number: str, *, ground: RemovalGround) -> Recorded:
        endorsement, on = self._endorsement(act, "propose_removal", number)
        endorsement.propose_removal(ground, on=on, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def withdraw_removal_proposal(self, act: Act, number: str) -> Recorded:
        endorsement, on = self._endorsement(act, "withdraw_removal_proposal", number)
        endorsement.withdraw_removal_proposal(on=on, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

    @once
    def remove(self, act: Act, number: str) -> Recorded:
        """The second person's word on a proposed removal."""
        endorsement, on = self._endorsement(act, "remove", number)
        endorsement.remove(on=on, by=act.actor.by)
        return self.store.save(endorsement, request=act.request)

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

    def certificate_due(self, endorsement: Endorsement) -> IssueReason | None:
        """Why an active endorsement needs a new certificate today, or None."""
        if not self._active_now(endorsement):
            return None
        on = self.today(endorsement.custodian)
        present = endorsement.certificate
        if present is None:
            return "imported" if endorsement.imported else "awarded"
        if present.person_version != self.store.get(Person, endorsement.person).named_by:
            return "renamed"
        if present.association != endorsement.custodian:
            return "transferred"
        if present.category != endorsement.held_on(on):
            return "add_on"
        return "renewed" if present.through != endorsement.printed_through(on) else None

    # -- transfers --------------------------------------------------------------------------------------------------

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

    # -- what the deeds share ---------------------------------------------------------------------------------------

    def today(self, association: str) -> date:
        """The day it is at an association."""
        return today_at(self.association(association).row, self.clock())

    def held_on(self, number: str, on: date) -> str:
        """The category with add-on that an endorsement held as active on a day, or empty."""
        endorsement = self.store.find(Endorsement, number)
        return endorsement.held_on(on) if endorsement else ""

    def handed_in(self, person: Person, on: date) -> HandedIn:
        """What a person's portfolio would be on a day; each provider is loaded once, however many days are judged."""
        entries = {name: entry for name, entry in person.entries.items() if entry.through <= on}
        numbers = sorted({entry.provider for entry in entries.values() if entry.provider})
        providers = {number: found for number in numbers if (found := self.store.find(Endorsement, number))}

        def held_on(number: str, day: date) -> str:
            return providers[number].held_on(day) if number in providers else ""

        return HandedIn(
            entries=list(entries),
            providers={number: provider.person for number, provider in providers.items()},
            tally=tally(entries.items(), held_on, own=self.store.claimed(held(person.name))),
        )

    def match(self, name: str, email: str) -> str:
        """A keyed hash of name and address (case folded); empty without an address."""
        if not email:
            return ""
        text = f"{printable_name(name).casefold()}\n{email.strip().casefold()}"
        return self.store.vault.fingerprint("identity", text.encode())

    def address_match(self, email: str) -> str:
        """A keyed hash of an address (case folded); empty without one."""
        return self.store.vault.fingerprint("address", email.strip().casefold()) if email else ""

    def new_id(self) -> str:
        """128 random bits, as 26 letters and digits."""
        return base64.b32encode(self.draw(16)).decode().rstrip("=").lower()

    def _day(self, act: Act, row: Row) -> date:
        """The day a deed speaks of: never in the future; a past one needs a role and a reason."""
        today = today_at(row, self.clock())
        on = act.on or today
        if on > today:
            raise Invalid(f"{on.isoformat()} is in the future at {row.abbreviation}; today is {today}.", field="on")
        if on < today and (act.late is None or act.actor.role not in LATE_ROLES):
            raise Invalid(
                "A past day is recorded by a coordinator, with the reason why only now: "
                f"{', '.join(get_args(LateReason))}.",
                field="late",
            )
        if on == today and act.late is not None:
            raise Invalid("A reason for a late record goes with a past day; leave it out.", field="late")
        return on

    def _begin(self, act: Act, aggregate: Aggregate, row: Row) -> date:
        if act.version is not None and act.version != aggregate.version:
            raise Conflict(
                "This has changed since you looked at it. Look again, then repeat.",
                seen=act.version,
                version=aggregate.version,
            )
        aggregate.late = act.late
        return self._day(act, row)

    def _person(self, act: Act, deed: str, name: str) -> tuple[Person, date]:
        person = self._or_forbidden(act, deed, Person, name)
        association = self.association_of(person, act.actor)
        access.check(act.actor, deed, Thing(person=name, association=association))
        return person, self._begin(act, person, self.association(association).row)

    def association_of(self, person: Person, actor: Actor) -> str:
        """Whose a person is: the actor's association if it holds an endorsement of theirs, else that of residence."""
        home, asking = _home(person.residence), actor.association
        if asking in ("", home):
            return home
        return asking if any(e.custodian == asking for e in self.endorsements_of(person.name)) else home

    def endorsements_of(self, person: str) -> list[Endorsement]:
        return [self.store.get(Endorsement, number) for number in self.store.claimed(held(person))]

    def _known(self, person: str) -> Person:
        found = self.store.get(Person, person)
        if found.state != "known":
            raise OutOfTurn(found.stream, state=found.state, needs=["known"], can=[])
        return found

    def _active_now(self, endorsement: Endorsement) -> bool:
        return endorsement.standing(self.today(endorsement.custodian)) == "active"

    def _application(self, act: Act, deed: str, name: str) -> tuple[Application, date]:
        application = self._or_forbidden(act, deed, Application, name)
        access.check(act.actor, deed, thing_of(application))
        return application, self._begin(act, application, self.association(application.association).row)

    def _endorsement(self, act: Act, deed: str, number: str) -> tuple[Endorsement, date]:
        endorsement = self._or_forbidden(act, deed, Endorsement, read_number(number))
        access.check(act.actor, deed, thing_of(endorsement))
        return endorsement, self._begin(act, endorsement, self.association(endorsement.custodian).row)

    def _transfer(self, act: Act, deed: str, name: str) -> tuple[Transfer, date]:
        transfer = self._or_forbidden(act, deed, Transfer, name)
        access.check(act.actor, deed, thing_of(transfer))
        # Each side counts days where it is; the holder where the endorsement still is.
        side = act.actor.association if act.actor.association in (transfer.from_, transfer.to) else transfer.from_
        return transfer, self._begin(act, transfer, self.association(side).row)

    def _or_forbidden(self, act: Act, deed: str, kind: type[_A], name: str) -> _A:
        """A stranger learns nothing from the difference between what is not there and what is not theirs."""
        found = self.store.find(kind, name)
        if found is None:
            access.check(act.actor, deed, Thing())
            raise NotFound(kind.kind)
        return found

    def _must_be_theirs(self, act: Act, application: Application, reviewer: str) -> None:
        if act.actor.role == "reviewer" and application.reviewing_people.get(reviewer) != act.actor.person:
            raise Invalid("This is another reviewer's; name your own endorsement.", field="reviewer")

    def _contact(self, person: Person) -> tuple[str, str]:
        """The present address and match of a person, opened."""
        email = match = ""
        for _, event in self.store.events(person.stream):
            opened = self.store.opened(event)
            email = getattr(opened, "email", email) or email
            match = getattr(opened, "match", match) or match
        return email, match

    def _certify(self, endorsement: Endorsement, why: IssueReason, *, by: str, person: Person | None = None) -> None:
        """Issue a certificate today, if it is active today; nothing is printed for somebody who was forgotten."""
        on = self.today(endorsement.custodian)
        if endorsement.standing(on) != "active":
            return
        person = person or self._known(endorsement.person)
        cti = self.draw(16).hex()
        through = endorsement.printed_through(on)
        zone = ZoneInfo(self.association(endorsement.custodian).row.zone)
        late, endorsement.late = endorsement.late, None
        endorsement.issue_certificate(
            cti,
            valid_from=self.clock().replace(microsecond=0),
            expires_at=datetime.combine(through, time(23, 59, 59), zone).astimezone(UTC),
            through=through,
            person_version=person.named_by,
            why=why,
            on=on,
            by=by,
        )
        endorsement.sign_certificate(cti, self.kid(), on=on, by=by)
        endorsement.late = late


def thing_of(aggregate: Application | Endorsement | Transfer) -> Thing:
    """What an aggregate is to the access table."""
    match aggregate:
        case Application():
            return Thing(
                person=aggregate.person,
                association=aggregate.association,
                reviewers=frozenset(aggregate.reviewing_people[number] for number in aggregate.reviewers),
            )
        case Endorsement():
            return Thing(person=aggregate.person, association=aggregate.custodian)
        case Transfer():
            return Thing(person=aggregate.person, releasing=aggregate.from_, receiving=aggregate.to)


def _home(residence: str) -> str:
    """The association of a residence; the Alliance where there is none (R1)."""
    return residence if residence in ROWS else "ALLIANCE"
