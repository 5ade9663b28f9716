"""A reference: one rater's word on one applicant, under its own key, shown as its waiver says.

Everything personal in a stream `reference/<id>` is sealed under the key of class `reference` whose subject is
`<id>`, so that a reference can be erased without touching the award it led to. To erase one: append `erase`, then
let the vault destroy that key (`vault.erase(id, ["reference"])`). Nominating takes the claim
`reference_of/<applicant>/<id>`, so that whoever erases an applicant finds all of theirs
(`store.claimed(references_of(person))`) and does the same to each, before the applicant's own keys go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar, Literal

import msgspec

from domain.aggregate import Aggregate
from domain.category import CATEGORIES
from domain.competency import DOMAINS
from domain.editions import RATING_LINK_DAYS, practice, reference_rule
from domain.errors import Invalid, OutOfTurn
from domain.event import Claims, Event, Rating
from domain.person import printable_name
from domain.policy import ReferenceSlot, Relationship

State = Literal["unknown", "nominated", "requested", "rated", "declined", "rejected", "withdrawn", "erased"]
Score = Literal[1, 2, 3, 4, "unknown"]
"""How often the rater sees it, from 1 (not yet) to 4 (always); or not enough information to say. The scale is ours."""
Recommendation = Literal["recommend", "recommend_with_reservations", "do_not_recommend"]
DeclineReason = Literal["not_known_well_enough", "no_time", "conflict_of_interest", "not_waived", "other"]
RejectReason = Literal["too_many_unknown", "expired", "not_qualified"]

ASKED: Mapping[str, str] = {code: DOMAINS[code] for code in ("TF", "LR", "SE", "DS", "WO", "CO", "TH", "RF")}
"""What a rater is asked about, by code: the eight domains of everybody (ALL-COMP, MACMH)."""
LONGEST_TEXT = 5000
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,180}\.[^\s@.<>()\[\]\\,;:\"]{2,63}")


class Reference(Aggregate):
    """Nominated by the applicant, asked by a link that works once, given or declined by the rater."""

    kind: ClassVar[str] = "reference"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.state: State = "unknown"
        self.person = ""
        self.application = ""
        self.association = ""
        self.relationship: Relationship = "other"
        self.waiver = False
        self.endorsement = ""
        self.rater = ""
        self.confirmed = False
        self.known_since: date | None = None
        # A keyed hash of the rater's address: empty unless the event was opened.
        self.match = ""
        self.link = ""
        self.link_until = date.min
        self.link_version = 0
        self.nominated_on = date.min
        self.requested_on = date.min
        self.reminded_on: list[date] = []
        self.vetted: bool | None = None
        self.held = ""
        self.unknown = 0
        self.recommendation: Recommendation | None = None
        self.completed_on: date | None = None
        self.known_a_year = False
        self.reason = ""
        self.relayed = False
        self.last_on = date.min

    def remember(self, event: Event) -> None:
        super().remember(event)
        self.last_on = max(self.last_on, event.on)

    class Nominated(Event, frozen=True):
        """`endorsement` is the rater's own, `rater` the person who holds it, so that they never review.

        `confirmed`: the address is the one we have of that person. `match`: a keyed hash of the address.
        `waiver`: the applicant gave up the right to see the content.
        """

        topic: ClassVar[str] = "reference.nominated"
        person: str
        association: str
        relationship: Relationship
        waiver: bool
        name: Rating
        email: Rating
        match: Rating = ""
        application: str = ""
        endorsement: str = ""
        rater: str = ""
        confirmed: bool = False
        known_since: date | None = None

        def apply(self, reference: Reference) -> None:
            reference.state = "nominated"
            reference.nominated_on = self.on
            for name in ("person", "association", "relationship", "waiver", "application", "endorsement", "rater",
                         "confirmed", "known_since"):  # fmt: skip
                setattr(reference, name, getattr(self, name))
            reference.match = self.match if isinstance(self.match, str) else ""

        def claims(self) -> Claims:
            return Claims(take=(f"{references_of(self.person)}/{self.originator_id.partition('/')[2]}",))

    class Requested(Event, frozen=True):
        """A new link; the one before is dead. `link`: SHA-256 (base64url) of its code, which is nowhere."""

        topic: ClassVar[str] = "reference.requested"
        link: str
        until: date

        def apply(self, reference: Reference) -> None:
            reference.state = "requested"
            reference.link = self.link
            reference.link_until = self.until
            reference.link_version = self.originator_version
            reference.requested_on = self.on
            reference.reminded_on = []

        def claims(self) -> Claims:
            # Never given back: a link of before is recognised, and refused.
            return Claims(take=(link_claim(self.link),))

    class Reminded(Event, frozen=True):
        topic: ClassVar[str] = "reference.reminded"

        def apply(self, reference: Reference) -> None:
            reference.reminded_on.append(self.on)

    class Vetted(Event, frozen=True):
        """A coordinator's word on a rater who is not endorsed: familiar with the Guidelines, or not (R6)."""

        topic: ClassVar[str] = "reference.vetted"
        qualified: bool
        note: Rating

        def apply(self, reference: Reference) -> None:
            reference.vetted = self.qualified

    class Rated(Event, frozen=True):
        """`answers`: a JSON text of code and score. `held`: what the rater's endorsement was active in that day."""

        topic: ClassVar[str] = "reference.rated"
        answers: Rating
        unknown: int
        recommendation: Recommendation
        completed_on: date
        known_a_year: bool
        comment: Rating = ""
        held: str = ""

        def apply(self, reference: Reference) -> None:
            reference.state = "rated"
            reference.link = ""
            reference.unknown = self.unknown
            reference.recommendation = self.recommendation
            reference.completed_on = self.completed_on
            reference.known_a_year = self.known_a_year
            reference.held = self.held

    class Declined(Event, frozen=True):
        topic: ClassVar[str] = "reference.declined"
        reason: DeclineReason

        def apply(self, reference: Reference) -> None:
            reference.state = "declined"
            reference.link = ""
            reference.reason = self.reason

    class Rejected(Event, frozen=True):
        """It can't be counted; the applicant nominates another rater."""

        topic: ClassVar[str] = "reference.rejected"
        reason: RejectReason

        def apply(self, reference: Reference) -> None:
            reference.state = "rejected"
            reference.link = ""
            reference.reason = self.reason

    class ReasonsRelayed(Event, frozen=True):
        """What the coordinator tells the applicant of a rating whose content was not waived (R27)."""

        topic: ClassVar[str] = "reference.reasons_relayed"
        reasons: Rating

        def apply(self, reference: Reference) -> None:
            reference.relayed = True

    class Withdrawn(Event, frozen=True):
        topic: ClassVar[str] = "reference.withdrawn"

        def apply(self, reference: Reference) -> None:
            reference.state = "withdrawn"
            reference.link = ""

    class Erased(Event, frozen=True):
        """Forgotten: appended first, then the vault destroys the key."""

        topic: ClassVar[str] = "reference.erased"

        def apply(self, reference: Reference) -> None:
            reference.state = "erased"
            reference.link = ""

    # -- deeds ------------------------------------------------------------------------------------------------------

    def nominate(
        self,
        person: str,
        association: str,
        relationship: Relationship,
        *,
        name: str,
        email: str,
        match: str,
        waiver: bool,
        others: Iterable[Reference] = (),
        own_match: str = "",
        application: str = "",
        endorsement: str = "",
        rater: str = "",
        confirmed: bool = False,
        known_since: date | None = None,
        on: date,
        by: str,
    ) -> None:
        """`others`: the applicant's other references, opened; `own_match`: the keyed hash of their own address."""
        if (rater and rater == person) or (match and match == own_match):
            raise Invalid("Nobody rates themselves; name somebody else.", field="email")
        if known_since and known_since > on:
            raise Invalid("That day is in the future; give the year you met.", field="known_since")
        for other in others:
            if other.asks(match, rater) and (other.is_open or other.is_good(on)):
                raise Invalid(
                    "This rater was asked already, and one rater gives one reference; name another one.", field="email"
                )
        self.record(
            self.Nominated,
            person=person,
            association=association,
            relationship=relationship,
            waiver=waiver,
            name=printable_name(name),
            email=an_address(email),
            match=match,
            application=application,
            endorsement=endorsement,
            rater=rater,
            confirmed=confirmed,
            known_since=known_since,
            on=on,
            by=by,
        )

    def request(self, link: str, *, on: date, by: str) -> None:
        """Ask, or ask again by a new link; the old one is dead from now on."""
        self._must_be(on, "nominated", "requested")
        self.record(self.Requested, link=link, until=on + timedelta(days=RATING_LINK_DAYS), on=on, by=by)

    def remind(self, *, on: date, by: str) -> None:
        """Once a day at most, while the link is good."""
        self._must_be(on, "requested")
        if on > self.link_until:
            raise OutOfTurn(self.stream, state="link_expired", needs=["requested"], can=["request"])
        if on in self.reminded_on:
            raise OutOfTurn(self.stream, state="reminded_today", needs=["requested"], can=["remind tomorrow"])
        self.record(self.Reminded, on=on, by=by)

    def vet(self, *, qualified: bool, note: str, on: date, by: str) -> None:
        """The decision and what it rests on (CT-ECFA: a phone call, documented)."""
        self._must_be(on, "nominated", "requested", "rated")
        self.record(self.Vetted, qualified=qualified, note=_text(note, "note"), on=on, by=by)

    def rate(
        self,
        answers: Mapping[str, Score],
        *,
        asked: Sequence[str],
        recommendation: Recommendation,
        known_a_year: bool,
        comment: str = "",
        held: str = "",
        on: date,
        by: str,
    ) -> None:
        """The rater's word; with too many answers unknown it is void at once (R5). `asked`: the codes to answer."""
        self._must_be(on, "requested")
        if open_codes := [code for code in asked if code not in answers]:
            raise Invalid(
                "Answer every line; choose “not enough information” where you can’t say.", field=open_codes[0]
            )
        if strange := [code for code in answers if code not in asked]:
            raise Invalid("This was not asked; leave it out.", field=strange[0])
        unknown = sum(score == "unknown" for score in answers.values())
        self.record(
            self.Rated,
            answers=msgspec.json.encode({code: answers[code] for code in asked}).decode(),
            comment=_text(comment, "comment") if comment.strip() else "",
            unknown=unknown,
            recommendation=recommendation,
            completed_on=on,
            known_a_year=known_a_year,
            held=held if self.confirmed else "",
            on=on,
            by=by,
        )
        if unknown > practice(self.association, on).reference_most_unknown:
            self.record(self.Rejected, reason="too_many_unknown", on=on, by=by)

    def decline(self, reason: DeclineReason, *, on: date, by: str) -> None:
        self._must_be(on, "requested")
        self.record(self.Declined, reason=reason, on=on, by=by)

    def relay_reasons(self, reasons: str, *, on: date, by: str) -> None:
        self._must_be(on, "rated", "rejected")
        if self.waiver:
            raise Invalid(
                "The applicant waived the right to the content of this rating, so nothing of it is relayed (R27).",
                field="reasons",
            )
        self.record(self.ReasonsRelayed, reasons=_text(reasons, "reasons"), on=on, by=by)

    def withdraw(self, *, on: date, by: str) -> None:
        """Before it is given; a rating that was given is not the applicant's to take back (ours)."""
        self._must_be(on, "nominated", "requested")
        self.record(self.Withdrawn, on=on, by=by)

    def erase(self, *, on: date, by: str) -> None:
        """Before its key is destroyed. Nothing happens to one that is erased already."""
        if self.state != "erased":
            self.record(self.Erased, on=max(on, self.last_on), by=by)

    def can(self) -> list[str]:
        """The deeds possible in this state, for messages and pages."""
        return {
            "nominated": ["request", "vet", "withdraw"],
            "requested": ["request again", "remind", "vet", "rate", "decline", "withdraw"],
            "rated": ["vet", "relay reasons"],
            "rejected": ["relay reasons", "nominate another rater"],
            "declined": ["nominate another rater"],
        }.get(self.state, [])

    # -- what it is worth -------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether it may still be given."""
        return self.state in ("nominated", "requested")

    @property
    def good_through(self) -> date | None:
        """The last day on which a rating that was given may count, as its association practised then."""
        return counts_through(self.completed_on, self.association, self.completed_on) if self.completed_on else None

    def reminder_due(self, after: Sequence[int], on: date) -> bool:
        """Whether the rater is to be reminded today: so many days after the link was sent, each once."""
        if self.state != "requested" or on > self.link_until or on in self.reminded_on:
            return False
        return len(self.reminded_on) < sum(on >= self.requested_on + timedelta(days=days) for days in after)

    def is_good(self, on: date) -> bool:
        return self.state == "rated" and self.good_through is not None and on <= self.good_through

    def asks(self, match: str, rater: str) -> bool:
        """Whether its rater is the one with this keyed hash of an address, or this person."""
        return bool((match and match == self.match) or (rater and rater == self.rater))

    def fits(self, slot: ReferenceSlot) -> bool:
        """Whether relationship and qualification are what the slot asks for (R6)."""
        if slot.relationships and self.relationship not in slot.relationships:
            return False
        return not slot.qualified or self.vetted is True or self._endorsed_in(slot)

    def _endorsed_in(self, slot: ReferenceSlot) -> bool:
        category = self.held.partition("+")[0]
        return category in CATEGORIES and CATEGORIES[category].slot in slot.endorsed_in

    def _must_be(self, on: date, *states: State) -> None:
        self.refuse_unless(self.state, *states, can=self.can())
        self.refuse_before(self.last_on, on)


def counts_through(completed_on: date, association: str, on: date) -> date:
    """The last day on which a rating of this day may count (R5, PA-REF), as the association practises on `on`."""
    return completed_on + timedelta(days=practice(association, on).reference_valid_days)


def references_of(person: str) -> str:
    """The folder of claims that says which references a person nominated."""
    return f"reference_of/{person}"


def link_claim(link: str) -> str:
    """The claim of a link by the hash of its code; it says whose it is, whether it is good or not."""
    return f"rating_link/{link}"


def an_address(email: str) -> str:
    """An e-mail address as typed, without blanks around it. Raises Invalid."""
    email = email.strip()
    if not _ADDRESS.fullmatch(email) or not email.isprintable():
        raise Invalid("Give one e-mail address, such as name@example.org; a personal one works best.", field="email")
    return email


def _text(text: str, field: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid("Write a sentence here; it is kept sealed.", field=field)
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"Write at most {LONGEST_TEXT} characters.", field=field)
    return text


# --- which references count ------------------------------------------------------------------


Verdict = Literal[
    "counts", "waiting", "declined", "withdrawn", "erased", "not_yet", "expired", "too_many_unknown", "not_qualified",
    "same_rater", "not_vetted", "no_slot",
]  # fmt: skip

_WHY: Mapping[str, str] = {
    "counts": "It counts.",
    "waiting": "The rater has not answered yet.",
    "declined": "The rater declined; nominate another one.",
    "withdrawn": "It was taken back.",
    "erased": "It was erased.",
    "not_yet": "It was given after that day.",
    "expired": "It is too old; nominate a rater again.",
    "too_many_unknown": "Too many answers are “not enough information”; nominate another rater.",
    "not_qualified": "The rater does not qualify; nominate another one.",
    "same_rater": "This rater gave another reference; one rater fills one place.",
    "not_vetted": "The rater is neither known as endorsed nor vetted by a coordinator yet.",
    "no_slot": "Its place is filled, or this category asks for no rater of this relationship.",
}


_NO_PLACE: tuple[Verdict, ...] = ("not_vetted", "no_slot")


class JudgedReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one reference was judged; `through` is the last day on which it may count."""

    reference: str
    counts: bool
    reason: Verdict
    source: str
    slot: str = ""
    through: date | None = None

    @property
    def why(self) -> str:
        """The reason in words."""
        return _WHY[self.reason]

    def as_dict(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "counts": self.counts,
            "slot": self.slot or None,
            "reason": self.reason,
            "why": self.why,
            "source": self.source,
            "through": self.through and self.through.isoformat(),
        }


class Counted(msgspec.Struct, frozen=True):
    """`count`: raters whose ratings may count that day; `slots`: the places they fill, `open`: those still empty."""

    count: int
    slots: tuple[str, ...]
    judged: tuple[JudgedReference, ...]
    open: tuple[str, ...] = ()

    @property
    def good(self) -> tuple[str, ...]:
        """Those of `count`, whether they fill a place or not."""
        return tuple(judged.reference for judged in self.judged if judged.counts or judged.reason in _NO_PLACE)

    @property
    def void(self) -> tuple[JudgedReference, ...]:
        """Those that do not count wherever no place is asked for."""
        return tuple(judged for judged in self.refused if judged.reason not in _NO_PLACE)

    @property
    def filling(self) -> tuple[str, ...]:
        """The references that fill a place."""
        return tuple(judged.reference for judged in self.judged if judged.counts)

    @property
    def refused(self) -> tuple[JudgedReference, ...]:
        """Those that do not count, or fill no place; what was taken back or erased needs no reason."""
        return tuple(j for j in self.judged if not j.counts and j.reason not in ("withdrawn", "erased"))


def counted(
    references: Iterable[Reference], category: str, association: str, on: date, *, submitted_on: date | None = None
) -> Counted:
    """Which references count on a day for a category (or `ERS`), and which place of its rule each one fills (R5, R6).

    `count` is R5's own: unknown answers few enough, given at most a year ago, one per rater; a rater who fills no
    place is in it, and the places that stay empty are `open`. Pass references whose events were opened, so that
    one rater is recognised; the limits are those the association practises on that day.

    `submitted_on`: of an application that is amended on the day; it stays under the rule of its submission, and what
    was good then is still good (R5 is measured to submission; for what came later to the amendment, ours).
    """
    rule = reference_rule(category, submitted_on or on, association)
    slots = rule.slots if rule else ()
    judged: dict[str, JudgedReference] = {}
    good: dict[str, Reference] = {}
    for reference in sorted(references, key=lambda r: (r.completed_on or date.min, r.name), reverse=True):
        handed_in = submitted_on if submitted_on and (reference.completed_on or on) <= submitted_on else on
        reason, source = _judge(reference, association, handed_in)
        if reason == "counts" and any(other.asks(reference.match, reference.rater) for other in good.values()):
            reason, source = "same_rater", "ours"
        if reason == "counts":
            good[reference.name] = reference
        else:
            judged[reference.name] = JudgedReference(
                reference.name, counts=False, reason=reason, source=source, through=reference.good_through
            )
    placed = _assign(slots, list(reversed(good.values())))
    for name, reference in good.items():
        slot = placed.get(name)
        if slot:
            verdict: Verdict = "counts"
            source = slot.source
        else:
            verdict = "not_vetted" if _lacks_vetting(reference, slots) else "no_slot"
            source = "CT-ECFA" if verdict == "not_vetted" else rule.source if rule else "ours"
        judged[name] = JudgedReference(
            name, counts=slot is not None, reason=verdict, source=source, slot=slot.name if slot else "",
            through=counts_through(reference.completed_on or on, association, on),
        )  # fmt: skip
    filled = {slot.name for slot in placed.values()}
    return Counted(
        count=len(good),
        slots=tuple(slot.name for slot in slots if slot.name in filled),
        judged=tuple(judged[name] for name in sorted(judged)),
        open=tuple(slot.name for slot in slots if slot.name not in filled),
    )


def _judge(reference: Reference, association: str, on: date) -> tuple[Verdict, str]:
    limits = practice(association, on)
    match reference.state:
        case "rated":
            pass
        case "declined" | "withdrawn" | "erased":
            return reference.state, "ours"
        case "rejected":
            return reference.reason, "MI-REF"  # type: ignore[return-value]  # a reason of Rejected is one of ours
        case _:
            return "waiting", "MI-REF"
    if reference.completed_on is None or reference.completed_on > on:
        return "not_yet", "ours"
    if reference.unknown > limits.reference_most_unknown:
        return "too_many_unknown", "MI-REF"
    if on > counts_through(reference.completed_on, association, on):
        return "expired", "PA-REF"
    return "counts", "MI-REF"


def _lacks_vetting(reference: Reference, slots: Sequence[ReferenceSlot]) -> bool:
    """Whether only the missing word of a coordinator keeps it from a place."""
    return any(
        slot.qualified and (not slot.relationships or reference.relationship in slot.relationships)
        and reference.vetted is None
        for slot in slots
    )  # fmt: skip


def _assign(slots: Sequence[ReferenceSlot], references: Sequence[Reference]) -> dict[str, ReferenceSlot]:
    """As many places filled as can be, by augmenting paths; a handful of each."""
    by_slot: dict[str, Reference] = {}

    def place(slot: ReferenceSlot, tried: set[str]) -> bool:
        for reference in references:
            if reference.name in tried or not reference.fits(slot):
                continue
            tried.add(reference.name)
            taken = next((name for name, other in by_slot.items() if other is reference), None)
            if taken is None or place(next(s for s in slots if s.name == taken), tried):
                by_slot[slot.name] = reference
                return True
        return False

    for slot in slots:
        place(slot, set())
    return {reference.name: slot for slot in slots if (reference := by_slot.get(slot.name))}


def shown_answers(text: Any) -> dict[str, Score] | None:
    """The answers of an opened rating; None when they were erased."""
    return msgspec.json.decode(text, type=dict[str, Score]) if isinstance(text, str) else None
