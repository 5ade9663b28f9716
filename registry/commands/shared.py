"""What all deeds share: who acts, on which day, and how an aggregate is loaded for it."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar, get_args
from zoneinfo import ZoneInfo

import msgspec

from domain import access
from domain.access import DEEDS, LATE_ROLES, Actor, Thing
from domain.aggregate import Aggregate
from domain.application import Application
from domain.association import ALLIANCE, CODE, Association, Row
from domain.association import today as today_at
from domain.category import CATEGORIES
from domain.competency import OURS, Catalogue, Competencies, Coverage, coverage
from domain.endorsement import (
    Endorsement,
    IssueReason,
    held,
    read_number,
)
from domain.errors import Invalid, NotFound, OutOfTurn
from domain.event import LateReason, Request
from domain.exam import Exam
from domain.person import INTO, Person, merged_claims, printable_name
from domain.policy import Tally
from domain.portfolio import tally
from domain.reference import Reference
from domain.transfer import HOLDS, Transfer
from registry.store import Recorded, Store

_CODE = re.compile(CODE)
_BASE_32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

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
_S = TypeVar("_S", bound="Shared")
_Command = Callable[Concatenate[_S, Act, _Rest], Recorded]


def once(command: _Command[_S, _Rest]) -> _Command[_S, _Rest]:
    """A repeated request gets its earlier answer, rebuilt from the events it recorded; nothing is decided twice."""

    @functools.wraps(command)
    def repeated(self: _S, act: Act, /, *args: _Rest.args, **facts: _Rest.kwargs) -> Recorded:
        if act.request and (earlier := self.store.earlier(act.request, act.actor.by)):
            return earlier
        try:
            return command(self, act, *args, **facts)
        except OutOfTurn as refused:
            raise self.as_possible_for(act.actor, refused) from None

    return repeated


class Shared:
    """The store, the clock, and how a deed begins: load, check access, find the day."""

    def __init__(
        self, store: Store, *, clock: Clock, draw: Draw, kid: Callable[[], str], jwt: Callable[[], str] = str
    ) -> None:
        """`kid` names the present certificate key and raises a plain error while there is none; `jwt` that of badges
        as JWT, or nothing.
        """
        self.store = store
        self.clock = clock
        self.draw = draw
        self.kid = kid
        self.jwt = jwt

    def association(self, code: str) -> Association:
        return self.store.get(Association, code)

    def associations(self) -> dict[str, Association]:
        """All that were ever admitted, by code."""
        found: dict[str, Association] = {}
        for _, event in self.store.events_of_kind(Association):
            code = event.originator_id.partition("/")[2]
            found.setdefault(code, Association(code)).remember(event)
        return found

    def rows(self) -> dict[str, Row]:
        """What the admitted associations are on their day of now, by code."""
        now = self.clock()
        return {code: one.row_on(one.today(now)) for code, one in self.associations().items()}

    def home_of(self, residence: str) -> str:
        """The association of a residence; the Alliance where none is licensed to endorse (R1).

        While a licence is suspended its place still has an association (ours).
        """
        found = self.store.find(Association, residence) if _CODE.fullmatch(residence) else None
        return residence if found and found.licence in ("endorsement", "suspended") else ALLIANCE

    def _endorsing(self, code: str, on: date) -> Association:
        """An association that may take and award new endorsements on a day. Raises OutOfTurn."""
        found = self.association(code)
        licence = found.licence_on(on)
        if licence != "endorsement":
            state = {"guidelines": "licensed_for_the_Guidelines_only"}.get(licence, f"with_a_licence_that_is_{licence}")
            can = ["renew, move away and correct what it holds"] if licence == "suspended" else ["ask the Alliance"]
            raise OutOfTurn(found.stream, state=state, needs=["licensed for the Endorsement"], can=can)
        return found

    def today(self, association: str) -> date:
        """The day it is at an association."""
        return today_at(self.association(association).row, self.clock())

    def identity(self, person: str) -> tuple[str, ...]:
        """All records of the human of whom this is one: the one that acts first, then those merged into it."""
        names = self.store.claimed(merged_claims(person))
        if names and names[0].startswith(INTO):
            person = names[0].removeprefix(INTO)
            names = self.store.claimed(merged_claims(person))
        return (person, *names)

    def one_human(self, person: str, *others: str) -> bool:
        """Whether one of the others is this human, whichever record names them."""
        return not set(others).isdisjoint(self.identity(person))

    def acting(self, actor: Actor) -> Actor:
        """The actor as one human: a merged record's key acts as the survivor."""
        if not actor.person:
            return actor
        person, *also = self.identity(actor.person)
        return msgspec.structs.replace(actor, person=person, also=tuple(also))

    def held_on(self, number: str, on: date) -> str:
        """The category with add-on that an endorsement held as active on a day, or empty."""
        endorsement = self.store.find(Endorsement, number)
        return endorsement.held_on(on) if endorsement else ""

    def whole(self, person: Person) -> Person:
        """A person with the memberships and the portfolio of all their records, to judge by; never to be saved.

        An entry of another record is named `<record>/<entry>`, since both may have an `E2`.
        """
        others = [self.store.get(Person, record) for record in self.identity(person.name) if record != person.name]
        if not others:
            return person
        one = copy.copy(person)
        one.memberships = [*person.memberships, *(m for other in others for m in other.memberships)]
        one.entries = person.entries | {
            f"{other.name}/{name}": entry for other in others for name, entry in other.entries.items()
        }
        return one

    def handed_in(self, person: Person, on: date, category: str = "") -> HandedIn:
        """What a person's portfolio would be on a day, for a category, by the rules where they live.

        Each provider is loaded once, and looked at once for each span in which nothing changes.
        """
        entries = {name: entry for name, entry in self.whole(person).entries.items() if entry.through <= on}
        numbers = sorted({entry.provider for entry in entries.values() if entry.provider})
        providers = {number: found for number in numbers if (found := self.store.find(Endorsement, number))}

        def held_on(number: str, day: date) -> str:
            return providers[number].held_on(day) if number in providers else ""

        return HandedIn(
            entries=list(entries),
            providers={number: provider.person for number, provider in providers.items()},
            tally=tally(
                entries.items(),
                held_on,
                own=self.numbers_of(person.name),
                association=self.home_of(person.residence),
                slot=CATEGORIES[category].slot if category in CATEGORIES else "",
                changes=lambda number: providers[number].changes() if number in providers else (),
            ),
        )

    def numbers_of(self, person: str) -> list[str]:
        """The endorsements of a human, whichever of their records they stand with."""
        return sorted(number for record in self.identity(person) for number in self.store.claimed(held(record)))

    def catalogue(self, association: str) -> Catalogue:
        """The competencies in force at an association: its own, else the Alliance's, else ours."""
        for licensee in (association, "ALLIANCE"):
            loaded = self.store.find(Competencies, licensee)
            if loaded and loaded.catalogue:
                return loaded.catalogue
        return OURS

    def covered(self, person: Person, category: str, on: date) -> Coverage:
        """Which competencies of a category the portfolio shows on a day."""
        codes = [entry.codes for entry in self.whole(person).entries.values() if entry.through <= on]
        return coverage(codes, CATEGORIES[category].slot, self.catalogue(self.home_of(person.residence)))

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
        return base_32(self.draw(16)).lower()

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
            raise self.store.changed_since({aggregate.stream: act.version}, seen=act.version, version=aggregate.version)
        aggregate.late = act.late
        return self._day(act, row)

    def as_possible_for(self, actor: Actor, refused: OutOfTurn) -> OutOfTurn:
        """The refusal with the deeds that this actor may do to the case, and by whom the others are done."""
        can = refused.facts["can"]
        kind, _, name = str(refused.facts["stream"]).partition("/")
        if not can or kind not in _CASES:
            return refused
        found = self.store.find(_CASES[kind], name)
        thing = thing_of(found) if found else Thing()
        theirs = [deed for deed in can if deed not in DEEDS or access.allowed(actor, deed, thing)]
        others = [f"{deed} ({access.rows_of(deed=deed)[0].role})" for deed in can if deed not in theirs]
        return OutOfTurn(
            refused.facts["stream"],
            state=refused.facts["state"],
            needs=refused.facts["needs"],
            can=theirs,
            others=others,
        )

    def _person(self, act: Act, deed: str, name: str) -> tuple[Person, date]:
        person = self._or_forbidden(act, deed, Person, name)
        association = self.association_of(person, act.actor)
        access.check(act.actor, deed, Thing(person=name, association=association))
        return person, self._begin(act, person, self.association(association).row)

    def association_of(self, person: Person, actor: Actor) -> str:
        """Whose a person is: the actor's association if it holds an endorsement of theirs, else that of residence."""
        home, asking = self.home_of(person.residence), actor.association
        if asking in ("", home):
            return home
        return asking if any(e.custodian == asking for e in self.endorsements_of(person.name)) else home

    def endorsements_of(self, person: str) -> list[Endorsement]:
        return [self.store.get(Endorsement, number) for number in self.numbers_of(person)]

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

    def _exam(self, act: Act, deed: str, name: str) -> tuple[Exam, date]:
        """Days of an exam count at the Alliance, which delivers it: the association's day would tell where it is."""
        exam = self._or_forbidden(act, deed, Exam, name)
        access.check(act.actor, deed, thing_of(exam))
        return exam, self._begin(act, exam, self.association("ALLIANCE").row)

    def moving(self, endorsement: Endorsement, on: date) -> str:
        """Its standing as a transfer judges it: an open audit holds it too (design section 10)."""
        if self.store.holder(f"open_audit/{endorsement.number}"):
            return "in an open audit"
        return endorsement.moving(on)

    def _follow(self, endorsement: Endorsement, *, on: date, by: str) -> list[Transfer]:
        """The open transfer of an endorsement, if what was just decided about it holds or releases the case."""
        stream = self.store.holder(f"open_transfer/{endorsement.number}")
        if stream is None:
            return []
        case = self.store.get(Transfer, stream.partition("/")[2])
        return [case] if self._weigh(case, {endorsement.number: self.moving(endorsement, on)}, on=on, by=by) else []

    def _weigh(self, case: Transfer, standings: Mapping[str, str], *, on: date, by: str) -> bool:
        """Hold what must not move now, release what nothing holds any more; whether anything changed."""
        found = {number: HOLDS[standing] for number, standing in standings.items() if standing in HOLDS}
        held = case.hold(found, on=on, by=by)
        return case.release(standings, on=on, by=by) or held

    def _or_forbidden(self, act: Act, deed: str, kind: type[_A], name: str) -> _A:
        """A stranger learns nothing from the difference between what is not there and what is not theirs."""
        found = self.store.find(kind, name)
        if found is None:
            access.check(act.actor, deed, Thing())
            raise NotFound(kind.kind)
        return found

    def _must_be_theirs(self, act: Act, application: Application, reviewer: str) -> None:
        if act.actor.role == "reviewer" and application.reviewing_people.get(reviewer) not in act.actor.people:
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
        # It may have come a moment ago from a place where the next day has begun already.
        on = max(self.today(endorsement.custodian), endorsement.last_on)
        if endorsement.standing(on) != "active":
            return
        person = person or self._known(self.identity(endorsement.person)[0])
        cti, badge = self.draw(16).hex(), ""
        if why == "new_badge" and endorsement.certificate:
            cti, badge = endorsement.certificate.cti, cti
        through = endorsement.printed_through(on)
        zone = ZoneInfo(self.association(endorsement.custodian).row.zone)
        late, endorsement.late = endorsement.late, None
        endorsement.issue_certificate(
            cti,
            valid_from=self.clock().replace(microsecond=0),
            expires_at=datetime.combine(through, time(23, 59, 59), zone).astimezone(UTC),
            through=through,
            person=person.stream,
            person_version=person.named_by,
            why=why,
            badge=badge,
            on=on,
            by=by,
        )
        endorsement.sign_certificate(cti, self.kid(), self.jwt(), on=on, by=by)
        endorsement.late = late

    def certificate_due(self, endorsement: Endorsement) -> IssueReason | None:
        """Why an active endorsement needs a new certificate today, or None."""
        if not self._active_now(endorsement):
            return None
        on = self.today(endorsement.custodian)
        present = endorsement.certificate
        if present is None:
            return "imported" if endorsement.imported else "awarded"
        holder = self.store.get(Person, self.identity(endorsement.person)[0])
        if (present.person or endorsement.person, present.person_version) != (holder.name, holder.named_by):
            return "renamed"
        if present.association != endorsement.custodian:
            return "transferred"
        if present.category != endorsement.held_on(on):
            return "add_on"
        if present.through != endorsement.printed_through(on):
            return "renewed"
        return "new_badge" if endorsement.badge_spent else None


_TEN_BITS = [one + two for one in _BASE_32 for two in _BASE_32]


def base_32(data: bytes) -> str:
    """RFC 4648 base 32 in capitals, without padding; several times faster than the library's."""
    pairs, bits = -(-len(data) // 5) * 4, len(data) * 8
    number = int.from_bytes(data, "big") << pairs * 10 - bits
    signs = [_TEN_BITS[number >> shift & 1023] for shift in range(pairs * 10 - 10, -1, -10)]
    return "".join(signs)[: -(-bits // 5)]


def in_motion(store: Store, found: Endorsement, thing: Thing) -> Thing:
    """As `thing`, with the sides of its open transfer, or of its last one."""
    if stream := store.holder(f"open_transfer/{found.number}"):
        transfer = store.get(Transfer, stream.partition("/")[2])
        return Thing(
            person=thing.person, association=thing.association, releasing=transfer.from_, receiving=transfer.to
        )
    for _, event in reversed(store.events(found.stream)):
        if isinstance(event, Endorsement.CustodyTransferred):
            return Thing(person=thing.person, association=thing.association, releasing=event.from_, receiving=event.to)
    return thing


def thing_of(aggregate: Application | Exam | Endorsement | Reference | Transfer) -> Thing:
    """What an aggregate is to the access table."""
    match aggregate:
        case Application():
            return Thing(
                person=aggregate.person,
                association=aggregate.association,
                reviewers=frozenset(aggregate.reviewing_people[number] for number in aggregate.reviewers),
                advisors=frozenset(aggregate.advisors.values()),
            )
        case Exam():
            return Thing(reviewers=frozenset(aggregate.scorers))
        case Endorsement():
            return Thing(person=aggregate.person, association=aggregate.custodian)
        case Reference():
            return Thing(person=aggregate.person, association=aggregate.association)
        case Transfer():
            return Thing(person=aggregate.person, releasing=aggregate.from_, receiving=aggregate.to)


_CASES: dict[str, type[Application | Endorsement | Reference | Transfer]] = {
    case.kind: case for case in (Application, Endorsement, Reference, Transfer)
}
