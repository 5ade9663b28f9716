"""An endorsement: awarded once, renewed, moved, lapsed, lifted up again; its number and award never change."""

from __future__ import annotations

import functools
import re
import secrets
from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal, Self

import msgspec

from domain.aggregate import Aggregate
from domain.application import Fee as SettledFee
from domain.application import check_fee, code_of_ethics
from domain.category import CATEGORIES, SLOT_TITLES, AddOn, with_add_on
from domain.editions import (
    cycle_due,
    edition_for,
    fee,
    next_due,
    practice,
    reinstatement_edition,
    renewal_edition,
    renewal_term,
    renewal_window,
)
from domain.errors import Invalid, NotInForce, OutOfTurn, RequirementsNotMet
from domain.event import Claims, Event, Identity
from domain.policy import Attestation, Fee, MissingHours, Reinstatement, ReinstatementEdition, Term
from domain.reference import Counted

Standing = Literal["active", "lapsed", "inactive", "emeritus", "suspended", "removed", "archived", "erased"]
ReportedStanding = Literal["active", "lapsed", "inactive"]
LiftedStanding = Literal["active", "lapsed", "inactive", "emeritus"]
InactiveReason = Literal["illness", "job_change", "move", "family_leave", "retirement", "other"]
SuspendReason = Literal["sanction_being_established", "fraud_being_established"]
RemovalGround = Literal["licensing_board_sanction", "fraud"]
SanctionSource = Literal["board_notice", "board_website", "told_by_holder", "fraud_finding"]
SanctionOutcome = Literal["unfounded", "no_consequence"]
CorrectionReason = Literal["wrong_record", "wrong_day", "entered_twice", "decided_on_wrong_facts"]
Means = Literal["renewal", "lapse", "inactivity", "reactivation", "correction"]
LateFee = Literal["paid", "waived", "not_asked"]
CustodyReason = Literal["transfer", "licence_ended", "admitted", "not_offered"]
IssueReason = Literal[
    "awarded",
    "imported",
    "renewed",
    "transferred",
    "reinstated",
    "renamed",
    "add_on",
    "converted",
    "corrected",
    "new_badge",
]

# A retired category and what its holders are instead (AZ-REQ, IN-ERS), from the year ERS began; the day is ours.
CONVERSIONS: dict[str, tuple[str, AddOn]] = {"IFRS": ("IFS", "ERS"), "ECFRS": ("ECFS", "ERS")}
CONVERTED_FROM = date(2024, 1, 1)
EMERGING_YEARS = 2
"""R24 (IN-ERS)."""

REMINDED_BEFORE = (30, 7)
"""Days before the last good day on which a holder is reminded again after the opening of the window (ours)."""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 7


def check_character(prefix: str, random: str) -> str:
    """The last character of a number: a weighted sum over prefix and random part, so that a typing slip shows."""
    text = prefix.replace("-", "") + random
    values = [ALPHABET.index(c) if c in ALPHABET else 32 + ord(c) - ord("A") for c in text]
    # Weights 3, 5, 7 ... are odd, so one changed character always changes the sum modulo 32. The sum starts
    # at 4, so that the number every example shows, IFS-7K3MQ9TD, is a good one.
    return ALPHABET[sum(((2 * i + 3) * value for i, value in enumerate(values)), 4) % 32]


def new_number(category: str, draw: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A public number: category, 7 random Crockford base-32 characters and a check character (`IFS-7K3MQ9TD`)."""
    bits = int.from_bytes(draw(5), "big")
    random = "".join(ALPHABET[bits >> (5 * i) & 31] for i in range(NUMBER_LENGTH))
    return f"{category}-{random}{check_character(category, random)}"


@functools.lru_cache(maxsize=10_000)
def read_number(text: str) -> str:
    """A number as typed (any case, blanks, O for 0, I or L for 1) in its own form. Raises Invalid."""
    prefix, _, tail = "".join(text.split()).upper().replace("/", "").rpartition("-")
    tail = tail.translate(str.maketrans("OIL", "011"))
    if (
        prefix not in CATEGORIES
        or len(tail) != NUMBER_LENGTH + 1
        or any(c not in ALPHABET for c in tail)
        or check_character(prefix, tail[:-1]) != tail[-1]
    ):
        raise Invalid(
            "This is no endorsement number; check it against the certificate (such as IFS-7K3MQ9TD).", field="number"
        )
    return f"{prefix}-{tail}"


def held(person: str) -> str:
    """The folder of claims that says which numbers a person holds."""
    return f"held/{person}"


def record_claim(association: str, record: str) -> str:
    """The claim of an association's record, by its keyed hash."""
    return f"record/{association}/{record}"


def reported_moves(association: str) -> str:
    """The folder of claims that says which moves from or to an association were reported, and by which side."""
    return f"move/{association}"


class Source(msgspec.Struct, frozen=True):
    """Where an imported fact stands: SHA-256 of the file (hex), its row, and a keyed hash of the record.

    The record is the association's own id and may be anything, an address even. Its hash outlives an erasure,
    so that a later file brings nobody back.
    """

    file: str
    row: int
    record: str


class Certificate(msgspec.Struct, frozen=True):
    """One certificate of an endorsement, as the stream remembers it."""

    cti: str
    position_version: int
    category: str
    association: str
    through: date
    person_version: int
    replaces: str
    person: str = ""


class Turn(msgspec.Struct, frozen=True):
    """How an endorsement stands from a day on; `until`: the last day of an inactivity."""

    since: date
    standing: Standing
    through: date
    add_on: AddOn | None = None
    add_on_until: date | None = None
    until: date | None = None

    def standing_on(self, on: date) -> Standing:
        """Past its last good day an active one is lapsed, and so is one that was inactive for too long."""
        over = self.through if self.standing == "active" else self.until if self.standing == "inactive" else None
        return "lapsed" if over and on > over else self.standing

    def add_on_on(self, on: date) -> AddOn | None:
        """An Emerging ERS ends with its two years (R24)."""
        over = self.add_on == "EERS" and self.add_on_until and on > self.add_on_until
        return None if over else self.add_on


def _since(turn: Turn) -> date:
    return turn.since


class Stands(msgspec.Struct, frozen=True):
    """A standing, since when, and through which last good day."""

    standing: Standing
    since: date
    through: date


class Endorsement(Aggregate):
    """One person in one category. The custodian is the association that holds it now.

    `facts` are all that is known, in the order in which it was recorded, and `corrections` what was said later of
    some of them: then all is folded again, as if they had been right from the beginning.
    """

    kind: ClassVar[str] = "endorsement"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.number = name
        self.facts: list[Event] = []
        self.corrections: dict[int, Endorsement.Corrected] = {}
        self._forget()

    def _forget(self) -> None:
        """As it was before its first fact."""
        self.state: Literal["unknown"] | Standing = "unknown"
        self.person = ""
        self.category = ""
        self.converted_from = ""
        self.converted_on = date.min
        self.custodian = ""
        self.custody_since = date.min
        self.awarded_on = date.min
        self.through = date.min
        self.edition = ""
        self.imported: Source | None = None
        self.reported = False
        self.contradicted = False
        self.add_on: AddOn | None = None
        self.add_on_until: date | None = None
        self.emerged = False
        self.renewed_for = 0
        self.attested: Attestation | None = None
        self.inactive_until: date | None = None
        self.inactive_too_long = False
        self.before_suspension: Standing = "active"
        self.sanction: SanctionSource | None = None
        self.removal_proposed_by = ""
        self.removal_proposer = ""
        self.removal_ground: RemovalGround | None = None
        self.counted_from = date.min
        self.audit_due = False
        self.reminded = (date.min, 0)
        self.certificates: list[Certificate] = []
        self.badge_spent = False
        self.moves_reported: tuple[Endorsement.MoveReported, ...] = ()
        self.turns: list[Turn] = []
        self.last_on = date.min

    def remember(self, event: Event) -> None:
        self.facts.append(event)
        self._apply(event)
        self.version = event.originator_version

    def _apply(self, event: Event) -> None:
        correction = self.corrections.get(event.originator_version)
        if correction is None:
            event.apply(self)
        elif not correction.void:
            correction.righted(event).apply(self)
        # What was recorded was published: a correction does not take a badge's revocation back.
        if _pauses(event):
            self.badge_spent = True

    @classmethod
    def fold(cls, events: Iterable[Event]) -> Self | None:
        """The state after these events, or None when there are none; each counts as it was corrected last."""
        facts = list(events)
        if not facts:
            return None
        endorsement = cls(facts[0].originator_id.partition("/")[2])
        endorsement.corrections = {fact.corrects: fact for fact in facts if isinstance(fact, cls.Corrected)}
        for fact in facts:
            endorsement.remember(fact)
        return endorsement

    class Awarded(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.awarded"
        number: str
        person: str
        category: str
        association: str
        application: str
        edition: str
        through: date

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.person = self.person
            endorsement.category = self.category
            endorsement.custodian = self.association
            endorsement.custody_since = self.on
            endorsement.awarded_on = endorsement.counted_from = self.on
            endorsement.edition = self.edition
            endorsement._stand(self.on, "active", self.through)

        def claims(self) -> Claims:
            return Claims(take=(f"{held(self.person)}/{self.number}",))

    class Imported(Event, frozen=True):
        """An association's own record: its word, not a decision of this registry; under no edition.

        `record`: the id as the association gave it.
        """

        topic: ClassVar[str] = "endorsement.imported"
        number: str
        person: str
        category: str
        association: str
        awarded_on: date
        through: date
        standing: ReportedStanding
        source: Source
        record: Identity = ""

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.person = self.person
            endorsement.category = self.category
            endorsement.custodian = self.association
            endorsement.custody_since = self.on
            endorsement.awarded_on = endorsement.counted_from = self.awarded_on
            endorsement.imported = self.source
            endorsement.reported = True
            endorsement._stand(self.awarded_on, "active", self.through)
            if self.standing != "active":
                endorsement._stand(min(self.on, day_after(self.through)), self.standing, self.through)

        def claims(self) -> Claims:
            record = (record_claim(self.association, self.source.record),) if self.source.record else ()
            return Claims(take=(f"{held(self.person)}/{self.number}", *record))

    class Reported(Event, frozen=True):
        """A later file says otherwise: recorded as what it means, still the association's word."""

        topic: ClassVar[str] = "endorsement.reported"
        means: Means
        standing: ReportedStanding
        through: date
        source: Source
        awarded_on: date | None = None
        category: str = ""

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.imported = self.source
            endorsement.awarded_on = self.awarded_on or endorsement.awarded_on
            endorsement.category = self.category or endorsement.category
            endorsement.inactive_until = None
            endorsement.inactive_too_long = False
            endorsement._stand(self.since(endorsement.through), self.standing, self.through)

        def since(self, through: date) -> date:
            """A renewal reported late goes on from the last good day of before; all else stands from its day."""
            return min(self.on, day_after(through)) if self.means == "renewal" else self.on

    class ReportContradicted(Event, frozen=True):
        """A later file contradicts a decision made here: nothing changes, a coordinator is asked."""

        topic: ClassVar[str] = "endorsement.report_contradicted"
        field: str
        association: str
        source: Source

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.contradicted = True

    class ReportSettled(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.report_settled"
        association: str

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.contradicted = False

    class Renewed(Event, frozen=True):
        """`code_of_ethics`: the version that was signed again; `late_fee`: where the days of grace ask for one."""

        topic: ClassVar[str] = "endorsement.renewed"
        cycle: int
        edition: str
        through: date
        attested: Attestation
        draft: bool = False
        code_of_ethics: str = ""
        late_fee: LateFee | None = None

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.renewed_for = self.cycle
            endorsement.attested = self.attested
            # Renewed in the grace of a year's end, the next year counts in full.
            endorsement.counted_from = min(self.on, date(self.cycle + 1, 1, 1))
            endorsement.reported = False
            endorsement._stand(self.on, "active", self.through)

    class Lapsed(Event, frozen=True):
        """Records that the last good day has passed; the standing ended with that day already."""

        topic: ClassVar[str] = "endorsement.lapsed"
        through: date

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, "lapsed", self.through)

    class MadeInactive(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.made_inactive"
        reason: InactiveReason
        until: date

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.inactive_until = self.until
            endorsement._stand(self.on, "inactive", endorsement.through)

    class InactivityEnded(Event, frozen=True):
        """Nobody asked to be active again in time (R23); after that it takes another application (IAITMH)."""

        topic: ClassVar[str] = "endorsement.inactivity_ended"
        until: date

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.inactive_too_long = True
            endorsement._stand(self.on, "lapsed", endorsement.through)

    class Reactivated(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.reactivated"
        through: date

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, "active", self.through)

    class EmeritusGranted(Event, frozen=True):
        """Kept as an honour: renewed no more, not listed as active (CT-MENU names it; what it means is ours)."""

        topic: ClassVar[str] = "endorsement.emeritus_granted"

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, "emeritus", endorsement.through)

    class Reinstated(Event, frozen=True):
        """Back after a lapse (R22); the next audit is certain. `references`: the new ones, where they are asked for."""

        topic: ClassVar[str] = "endorsement.reinstated"
        edition: str
        through: date
        attested: Reinstatement
        audit_required: bool
        draft: bool = False
        code_of_ethics: str = ""
        fee: SettledFee | None = None
        references: tuple[str, ...] = ()

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.counted_from = self.on
            endorsement.audit_due = self.audit_required
            endorsement.reported = False
            endorsement._stand(self.on, "active", self.through)

    class AuditPassed(Event, frozen=True):
        """The audit that was certain after a reinstatement is passed."""

        topic: ClassVar[str] = "endorsement.audit_passed"
        audit: str

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.audit_due = False

    class RenewalReminded(Event, frozen=True):
        """That the holder is told when the window closes; by letter where there is an address."""

        topic: ClassVar[str] = "endorsement.renewal_reminded"
        through: date

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.reminded = (self.through, (self.through - self.on).days)

    class Suspended(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.suspended"
        reason: SuspendReason

        def apply(self, endorsement: Endorsement) -> None:
            if endorsement.state != "suspended":
                endorsement.before_suspension = endorsement.standing_state
            endorsement._stand(self.on, "suspended", endorsement.through)

    class SuspensionLifted(Event, frozen=True):
        """`standing`: what it goes back to."""

        topic: ClassVar[str] = "endorsement.suspension_lifted"
        standing: LiftedStanding = "active"

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, self.standing, endorsement.through)

    class SanctionReported(Event, frozen=True):
        """What an association learned, and where: of a licensing board (by its code) or of its own finding of fraud.

        There is no complaints process: this is the document that a removal rests on (PA-REG; the form is ours).
        """

        topic: ClassVar[str] = "endorsement.sanction_reported"
        source: SanctionSource
        decided_on: date
        board: str = ""

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.sanction = self.source

    class SanctionSettled(Event, frozen=True):
        """It was no sanction, or none that removes an endorsement."""

        topic: ClassVar[str] = "endorsement.sanction_settled"
        outcome: SanctionOutcome

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.sanction = None

    class RemovalProposed(Event, frozen=True):
        """`person`: who proposes it, where the actor is known as a person."""

        topic: ClassVar[str] = "endorsement.removal_proposed"
        ground: RemovalGround
        person: str = ""

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.removal_proposed_by = self.by
            endorsement.removal_proposer = self.person
            endorsement.removal_ground = self.ground

    class RemovalProposalWithdrawn(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.removal_proposal_withdrawn"

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.removal_proposed_by = endorsement.removal_proposer = ""
            endorsement.removal_ground = None

    class Removed(Event, frozen=True):
        """Only on a documented sanction or fraud, by two people (design section 10)."""

        topic: ClassVar[str] = "endorsement.removed"
        ground: RemovalGround
        proposed_by: str

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, "removed", endorsement.through)

    class Archived(Event, frozen=True):
        """The holder no longer wants it listed (MI-REN)."""

        topic: ClassVar[str] = "endorsement.archived"

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, "archived", endorsement.through)

    class EndedByDeath(Event, frozen=True):
        """The holder has died (`person.died`): off the register, no word to anybody about renewing (ours)."""

        topic: ClassVar[str] = "endorsement.ended_by_death"

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, "archived", endorsement.through)

    class EndedByErasure(Event, frozen=True):
        """Its holder was forgotten: nobody holds it any more. What they provided before still counts."""

        topic: ClassVar[str] = "endorsement.ended_by_erasure"

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, "erased", endorsement.through)

    class AddOnGranted(Event, frozen=True):
        """ERS, or Emerging ERS until a day two years on (IN-ERS)."""

        topic: ClassVar[str] = "endorsement.add_on_granted"
        add_on: AddOn
        until: date | None = None

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.add_on = self.add_on
            endorsement.add_on_until = self.until
            endorsement.emerged = endorsement.emerged or self.add_on == "EERS"
            endorsement._stand(self.on, endorsement.standing_state, endorsement.through)

    class AddOnEnded(Event, frozen=True):
        """Records that the two years of an Emerging ERS are over (R24); it ended with their last day already."""

        topic: ClassVar[str] = "endorsement.add_on_ended"
        add_on: AddOn
        until: date

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.add_on = endorsement.add_on_until = None
            endorsement._stand(self.on, endorsement.standing_state, endorsement.through)

    class Converted(Event, frozen=True):
        """A retired category becomes what its holders are instead, with the number it has (R17, AZ-REQ, IN-ERS)."""

        topic: ClassVar[str] = "endorsement.converted"
        from_: str = msgspec.field(name="from")
        to: str
        add_on: AddOn

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.converted_from = endorsement.category
            endorsement.converted_on = self.on
            endorsement.category = self.to
            endorsement.add_on = self.add_on
            endorsement.add_on_until = None
            endorsement._stand(self.on, endorsement.standing_state, endorsement.through)

    class Corrected(Event, frozen=True):
        """What was recorded as version `corrects` was wrong (R29): it never was (`void`), was of another `day`, or is
        good `through` another one. The old event stays; all is told from now on as if this had been known then.

        `newest` is how it stands by its newest day after this, `recorded` by what was recorded last: for readers that
        keep no history. Of several corrections of one version the last one counts.
        """

        topic: ClassVar[str] = "endorsement.corrected"
        corrects: int
        reason: CorrectionReason
        newest: Stands
        recorded: Stands
        void: bool = False
        day: date | None = None
        through: date | None = None

        def apply(self, endorsement: Endorsement) -> None:
            known = endorsement.corrections.get(self.corrects)
            if known is None or known.originator_version < self.originator_version:
                endorsement.corrections[self.corrects] = self
                endorsement._forget()
                for fact in endorsement.facts:
                    endorsement._apply(fact)

        def righted(self, event: Event) -> Event:
            """The event as it should have been."""
            facts: dict[str, Any] = {"on": self.day or event.on}
            if self.through:
                facts |= {name: self.through for name in ("through", "until") if name in event.__struct_fields__}
            return msgspec.structs.replace(event, **facts)

    class CustodyTransferred(Event, frozen=True):
        """Another association holds it from this day; number, award and `through` stay.

        `why`: by a transfer; the licence of the one before ended; one was admitted where the holder lives; the one
        asked for does not offer the category. `transfer` is the case, if there is one.
        """

        topic: ClassVar[str] = "endorsement.custody_transferred"
        from_: str = msgspec.field(name="from")
        to: str
        transfer: str
        why: CustodyReason = "transfer"

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.custodian = self.to
            endorsement.custody_since = self.on
            endorsement.last_on = max(endorsement.last_on, self.on)

    class MoveReported(Event, frozen=True):
        """One side's word on a move from before this registry: reported, never proved; custody is where it is."""

        topic: ClassVar[str] = "endorsement.move_reported"
        association: str
        from_: str = msgspec.field(name="from")
        to: str
        moved_on: date

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.moves_reported = (*endorsement.moves_reported, self)

        def claims(self) -> Claims:
            """So that the reports of either side are found."""
            said = f"{self.moved_on.isoformat()}/{self.association}"
            number = self.originator_id.partition("/")[2]
            return Claims(
                take=(
                    f"{reported_moves(self.from_)}/{number}/{self.from_}/{self.to}/{said}",
                    f"{reported_moves(self.to)}/{number}/{self.from_}/{self.to}/{said}",
                )
            )

    class CertificateIssued(Event, frozen=True):
        """No personal data, no digest: what is printed and where the printed name stands (design section 8).

        `badge`: of a certificate issued before, whose badge was revoked for good while the endorsement paused: the
        id of a new badge (16 bytes as hex digits) for the same paper. Else the badge's id is the cti.
        """

        topic: ClassVar[str] = "certificate.issued"
        cti: str
        number: str
        category: str
        association: str
        valid_from: datetime
        through: date
        expires_at: datetime
        person: str
        person_version: int
        why: IssueReason
        replaces: str = ""
        badge: str = ""

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.badge_spent = False
            if self.badge:
                return
            endorsement.certificates.append(
                Certificate(
                    cti=self.cti,
                    position_version=self.originator_version,
                    category=self.category,
                    association=self.association,
                    through=self.through,
                    person_version=self.person_version,
                    replaces=self.replaces,
                    person=self.person.partition("/")[2],
                )
            )

    class CertificateSigned(Event, frozen=True):
        """Which key signs a certificate; after a compromise another one is appended.

        `jwt`: the key of the badge's JWT; empty where there was none, then the oldest one signs it.
        """

        topic: ClassVar[str] = "certificate.signed"
        cti: str
        kid: str
        jwt: str = ""

    # -- deeds ------------------------------------------------------------------------------------------------------

    def award(
        self,
        person: str,
        category: str,
        association: str,
        application: str,
        edition: str,
        *,
        submitted_on: date | None = None,
        on: date,
        by: str,
    ) -> None:
        """Good through the next cycle's 31 December (R18). A retired category is never newly awarded."""
        if not CATEGORIES[category].in_force(on):
            raise NotInForce(f"The category {category}", on)
        self.record(
            self.Awarded,
            number=self.number,
            person=person,
            category=category,
            association=association,
            application=application,
            edition=edition,
            through=cycle_due(on, association, submitted_on),
            on=on,
            by=by,
        )

    def report(
        self, means: Means, standing: ReportedStanding, through: date, source: Source, *,
        awarded_on: date | None = None, category: str = "", on: date, by: str,
    ) -> None:  # fmt: skip
        self.record(
            self.Reported,
            means=means,
            standing=standing,
            through=through,
            awarded_on=awarded_on,
            category=category,
            source=source,
            on=on,
            by=by,
        )

    def renew(
        self,
        attested: Attestation,
        *,
        member: bool,
        late_fee: LateFee | None = None,
        used: Iterable[Attestation] = (),
        on: date,
        by: str,
    ) -> None:
        """Inside the window of a cycle year, once a cycle, by attestation (R18, R19). Raises RequirementsNotMet.

        `member`: a membership is on record for the day; `late_fee`: how it was settled, where one is asked.
        `used`: what was attested for the person's other categories, where hours may not serve several (R20).
        """
        self._must_stand(on, "active")
        year, opens, due, last, edition = self.term_on(on)
        through = next_due(last, self.custodian)
        if not opens <= on <= last:
            raise OutOfTurn(
                self.stream,
                state=f"outside_the_renewal_window_(it_opens_{opens.isoformat()}_and_closes_{last.isoformat()})",
                needs=["inside_the_window"],
                can=[],
            )
        if self.through >= through or self.renewed_for == year:
            raise OutOfTurn(self.stream, state="renewed_already", needs=["due"], can=[])
        missing = edition.missing(
            _left(attested, used),
            slot=CATEGORIES[self.category].slot,
            ers=self.add_on_on(on) is not None,
            since=self.counted_from,
            due=due,
            held_since=self.awarded_on,
        )
        missing = self._with_membership(missing, member=member, on=on, edition=edition.name, source=edition.source)
        asked = self.late_fee(on)
        if asked and late_fee is None:
            words = f"a word on the late fee of {asked.amount} {asked.currency}: paid, waived or not asked"
            missing.append(MissingHours("late_fee", words, have=0, need=1, source=asked.source, edition=asked.name))
        if missing:
            raise RequirementsNotMet(edition.name, missing)
        if late_fee and not asked:
            raise Invalid("No late fee is asked for this renewal; leave it out.", field="late_fee")
        self.record(
            self.Renewed,
            cycle=year,
            edition=edition.name,
            through=through,
            attested=attested,
            code_of_ethics=code_of_ethics(on),
            late_fee=late_fee,
            on=on,
            by=by,
        )

    def term_on(self, on: date) -> Term:
        """The renewal that is open on a day, or opens next, and its rules."""
        return renewal_term(on, self.custodian)

    def reinstatement_on(self, on: date) -> ReinstatementEdition | None:
        """The rules that a reinstatement on this day is judged under."""
        return reinstatement_edition(on, self.custodian)

    def remind_of_renewal(self, *, on: date, by: str) -> bool:
        """When the window opens, and again near its end; False when nothing is to be said that day."""
        if not self.renewal_reminder_due(on):
            return False
        self.record(self.RenewalReminded, through=self.through, on=on, by=by)
        return True

    def renewal_reminder_due(self, on: date) -> bool:
        term = renewal_term(on, self.custodian)
        if self.standing(on) != "active" or self.through != term.through or on < term.opens:
            return False
        of, before = self.reminded
        left = (self.through - on).days
        return of != self.through or any(left <= step < before for step in REMINDED_BEFORE)

    def late_fee(self, on: date) -> Fee | None:
        """What a renewal in the days of grace costs (`domain.md` 4.3); None where no row names it."""
        term = renewal_term(on, self.custodian)
        of_year = fee(self.custodian, "late_renewal", date(term.year, 12, 31), CATEGORIES[self.category].slot)
        return of_year if on > term.due else None

    def _with_membership(
        self, missing: list[MissingHours], *, member: bool, on: date, edition: str, source: str
    ) -> list[MissingHours]:
        """A membership is attested and on record, unless the association needs none (R19)."""
        others = [gap for gap in missing if gap.what != "membership"]
        if not practice(self.custodian, on).membership_needed:
            return others
        if member:
            return missing
        words = (
            f"a current membership on record: {self.custodian} records yours, or verifies in writing that of another "
            "infant mental health association"
        )
        return [*others, MissingHours("membership", words, have=0, need=1, source=source, edition=edition)]

    def pass_audit(self, audit: str, *, on: date, by: str) -> bool:
        """Whether this was the audit that was certain to come."""
        if self.audit_due:
            self.record(self.AuditPassed, audit=audit, on=on, by=by)
            return True
        return False

    def lapse(self, *, on: date, by: str) -> None:
        """Record the lapse once the last good day is over."""
        if self.state != "active" or on <= self.through:
            raise OutOfTurn(self.stream, state=self.standing(on), needs=["past its last good day"], can=self.can(on))
        self.refuse_before(self.last_on, on)
        self.record(self.Lapsed, through=self.through, on=on, by=by)

    def make_inactive(self, reason: InactiveReason, *, on: date, by: str) -> None:
        """For as many years as the association grants at once (R23)."""
        self._must_stand(on, "active")
        until = _years_later(on, practice(self.custodian, on).inactive_years)
        self.record(self.MadeInactive, reason=reason, until=until, on=on, by=by)

    def end_inactivity(self, *, on: date, by: str) -> None:
        """Record that the years of an inactivity are over (R23)."""
        if self.state != "inactive" or self.inactive_until is None or on <= self.inactive_until:
            raise OutOfTurn(self.stream, state=self.standing(on), needs=["inactive for too long"], can=self.can(on))
        self.refuse_before(self.last_on, on)
        self.record(self.InactivityEnded, until=self.inactive_until, on=on, by=by)

    def reactivate(self, *, member: bool, on: date, by: str) -> None:
        """`member`: membership was kept (IAITMH): one is on record for the day. Raises RequirementsNotMet."""
        self._must_not_be_inactive_for_too_long(on)
        self._must_stand(on, "inactive")
        if self.through < on:
            # "Ordinary renewal" (IAITMH) missed: then it takes what a lapsed one takes.
            raise OutOfTurn(self.stream, state="past_its_last_good_day", needs=["good"], can=["reinstate"])
        edition = renewal_edition(on, self.custodian).name
        if missing := self._with_membership([], member=member, on=on, edition=edition, source="IAITMH"):
            raise RequirementsNotMet(edition, missing)
        self.record(self.Reactivated, through=self.through, on=on, by=by)

    def reinstate(
        self,
        attested: Reinstatement,
        *,
        member: bool,
        settled: SettledFee | None = None,
        references: Counted | None = None,
        on: date,
        by: str,
    ) -> None:
        """After a lapse, or past the last good day while inactive; an audit follows (R22, NE-POL).

        `member`: a membership is on record for the day. `settled`: the fee, which is asked for where it is known.
        `references`: those given since the last good day, as they count today; the old rule asks for them, whoever
        gave them (ours: it names no places). Raises RequirementsNotMet.
        """
        self._must_not_be_inactive_for_too_long(on)
        if self.standing(on) == "inactive" and self.through < on:
            self.refuse_before(self.last_on, on)
        else:
            self._must_stand(on, "lapsed")
        edition = self.reinstatement_on(on)
        if edition is None:
            raise NotInForce("A reinstatement edition", on)
        slot = CATEGORIES[self.category].slot
        count = references.count if references else 0
        missing = edition.missing(attested, slot=slot, ers=self.add_on_on(on) is not None, references=count)
        missing = self._with_membership(missing, member=member, on=on, edition=edition.name, source=edition.source)
        asked = fee(self.custodian, edition.fee, on, slot)
        if asked and settled is None:
            words = f"the {edition.fee} fee of {asked.amount} {asked.currency} settled: paid, waived or sponsored"
            missing.append(MissingHours("fee", words, have=0, need=1, source=asked.source, edition=asked.name))
        if missing:
            void = references.void if references and edition.references else ()
            raise RequirementsNotMet(edition.name, missing, void)
        if settled:
            check_fee(settled, asked=asked is not None)
        self.record(
            self.Reinstated,
            edition=edition.name,
            through=renewal_window(on, self.custodian)[1],
            attested=attested,
            audit_required=edition.audit,
            code_of_ethics=code_of_ethics(on) if attested.ethics else "",
            fee=settled,
            references=references.good if references and edition.references else (),
            on=on,
            by=by,
        )

    def grant_emeritus(self, *, on: date, by: str) -> None:
        """On request of the holder, for good (ours)."""
        self._must_stand(on, "active", "inactive")
        self.record(self.EmeritusGranted, on=on, by=by)

    def suspend(self, reason: SuspendReason, *, on: date, by: str) -> None:
        self._must_stand(on, "active", "inactive", "lapsed", "emeritus")
        self.record(self.Suspended, reason=reason, on=on, by=by)

    def lift_suspension(self, *, on: date, by: str) -> None:
        self._must_stand(on, "suspended")
        before = self.before_suspension
        standing: LiftedStanding = before if before in ("lapsed", "inactive", "emeritus") else "active"
        self.record(self.SuspensionLifted, standing=standing, on=on, by=by)

    def report_sanction(self, source: SanctionSource, board: str, decided_on: date, *, on: date, by: str) -> None:
        """Document what a removal may rest on. `board`: the code of a licensing board, such as VA-LPC."""
        self._must_stand(on, *_MAY_BE_REMOVED)
        if (source == "fraud_finding") == bool(board) or (board and not _BOARD.fullmatch(board)):
            raise Invalid(
                "Name the licensing board by its code, such as VA-LPC; leave it out for a finding of fraud.",
                field="board",
            )
        if decided_on > on:
            raise Invalid("This can't have been decided later than it was learned of.", field="decided_on")
        self.record(self.SanctionReported, source=source, board=board, decided_on=decided_on, on=on, by=by)

    def settle_sanction(self, outcome: SanctionOutcome, *, on: date, by: str) -> None:
        self.refuse_before(self.last_on, on)
        if self.sanction is None or self.standing(on) == "removed":
            raise OutOfTurn(self.stream, state=self.standing(on), needs=["reported as sanctioned"], can=self.can(on))
        if self.removal_proposed_by:
            raise OutOfTurn(self.stream, state="proposed_for_removal", needs=["not proposed"], can=[
                "withdraw the proposal"])  # fmt: skip
        self.record(self.SanctionSettled, outcome=outcome, on=on, by=by)

    def propose_removal(self, ground: RemovalGround, *, person: str = "", on: date, by: str) -> None:
        """Only on what was documented before. `person`: who proposes it, where that is known."""
        self._must_stand(on, *_MAY_BE_REMOVED)
        if self.removal_proposed_by:
            raise OutOfTurn(self.stream, state="proposed_for_removal", needs=["not proposed"], can=["remove"])
        documented = "fraud" if self.sanction == "fraud_finding" else "licensing_board_sanction"
        if self.sanction is None or ground != documented:
            needs = "a finding of fraud on record" if ground == "fraud" else "a board's sanction on record"
            raise OutOfTurn(self.stream, state="not_documented", needs=[needs], can=["report a sanction"])
        self.record(self.RemovalProposed, ground=ground, person=person, on=on, by=by)

    def withdraw_removal_proposal(self, *, on: date, by: str) -> None:
        self._must_stand(on, *_MAY_BE_REMOVED)
        if not self.removal_proposed_by:
            raise OutOfTurn(self.stream, state=self.standing(on), needs=["proposed for removal"], can=self.can(on))
        self.record(self.RemovalProposalWithdrawn, on=on, by=by)

    def remove(self, *, people: Collection[str] = (), on: date, by: str) -> None:
        """The second person confirms what the first proposed, on the same ground.

        `people`: every record of the second human, where known.
        """
        self._must_stand(on, *_MAY_BE_REMOVED)
        if not self.removal_proposed_by or self.removal_ground is None:
            standing = self.standing(on)
            raise OutOfTurn(self.stream, state=standing, needs=["proposed for removal"], can=["propose removal"])
        if _hand(self.removal_proposed_by) == _hand(by) or self.removal_proposer in people:
            raise Invalid("A second person has to confirm the removal.", field="by")
        self.record(self.Removed, ground=self.removal_ground, proposed_by=self.removal_proposed_by, on=on, by=by)

    def archive(self, *, on: date, by: str) -> None:
        self._must_stand(on, "active", "inactive", "lapsed", "emeritus")
        self.record(self.Archived, on=on, by=by)

    def end_by_death(self, *, on: date, by: str) -> None:
        """Whatever it was, unless it had ended; a death of which later facts are on record counts from their day."""
        if self.state in ("removed", "archived"):
            raise OutOfTurn(self.stream, state=self.state, needs=["not ended"], can=[])
        self.record(self.EndedByDeath, on=max(on, self.last_on), by=by)

    def end_by_erasure(self, *, on: date, by: str) -> None:
        """With its holder; whatever it was. On the day of its last fact if that is later somewhere."""
        self.record(self.EndedByErasure, on=max(on, self.last_on), by=by)

    def grant_add_on(self, add_on: AddOn, *, on: date, by: str) -> None:
        """ERS attaches to what its edition says (IN-ERS, RI-APP); Emerging ends after two years."""
        self._must_stand(on, "active")
        edition = edition_for(add_on, on, self.custodian)
        if CATEGORIES[self.category].slot not in edition.attaches_to:
            attaches = " or ".join(SLOT_TITLES[slot] for slot in edition.attaches_to)
            raise Invalid(f"{add_on} attaches to {attaches}, under {edition.name}.", field="add_on")
        if self.add_on == "ERS" or (add_on == "EERS" and self.add_on_on(on)):
            raise OutOfTurn(self.stream, state=f"{self.add_on}_already", needs=["without it"], can=[])
        if add_on == "EERS" and self.emerged:
            # There are two years to meet ERS (IN-ERS), so not four.
            raise OutOfTurn(self.stream, state="EERS_before", needs=["emerging for the first time"], can=["grant ERS"])
        until = _years_later(on, EMERGING_YEARS) if add_on == "EERS" else None
        self.record(self.AddOnGranted, add_on=add_on, until=until, on=on, by=by)

    def end_add_on(self, *, on: date, by: str) -> None:
        """Record that the two years of an Emerging ERS are over."""
        if self.add_on is None or self.add_on_until is None or on <= self.add_on_until:
            raise OutOfTurn(self.stream, state="in_time", needs=["past the end of an Emerging ERS"], can=self.can(on))
        self.refuse_before(self.last_on, on)
        self.record(self.AddOnEnded, add_on=self.add_on, until=self.add_on_until, on=on, by=by)

    def convert(self, *, on: date, by: str) -> None:
        """A retired category into its successor with ERS, which has no end; number, award and last good day stay."""
        self._must_stand(on, "active", "inactive", "lapsed", "emeritus", "suspended")
        if self.category not in CONVERSIONS:
            known = ", ".join(CONVERSIONS)
            raise OutOfTurn(self.stream, state=self.category, needs=[f"of a retired category ({known})"], can=[])
        if on < CONVERTED_FROM:
            raise NotInForce("The conversion of retired categories", on)
        to, add_on = CONVERSIONS[self.category]
        self.record(self.Converted, from_=self.category, to=to, add_on=add_on, on=on, by=by)

    def correct(
        self,
        corrects: int,
        reason: CorrectionReason,
        *,
        void: bool = False,
        day: date | None = None,
        through: date | None = None,
        on: date,
        by: str,
    ) -> None:
        """Say what was wrong in the fact of version `corrects` (R29). `through`: its last day, whatever that is of."""
        fact = next((fact for fact in self.facts if fact.originator_version == corrects), None)
        may = next((may for kind, may in self._corrigible().items() if isinstance(fact, kind)), "")
        if fact is None or not may:
            raise Invalid(
                "An award, renewal, lapse, inactivity, reactivation, reinstatement, add-on or emeritus is corrected "
                "here, named by its version; a removal goes to appeal, a suspension is lifted.",
                field="corrects",
            )
        now = self.as_known(fact)
        if void:
            wrong = "" if now is not None else "it is void already"
            wrong = wrong if "v" in may else "it can't be void; correct its days"
        elif day is None and through is None:
            wrong = "say that it is void, or its right day or last day"
        else:
            wrong = self._wrong_days(fact, may, day, through, on)
        if wrong:
            raise Invalid(f"Version {corrects}: {wrong}.", field="void" if void else "through" if through else "day")
        asked: dict[str, Any] = {"corrects": corrects, "reason": reason, "void": void, "day": day, "through": through}
        after = self._if_corrected(asked, on, by)
        if after.turns == self.turns:
            raise Invalid(f"Version {corrects} says so already.", field="corrects")
        if isinstance(fact, self.Lapsed) and void and after.standing(on) == "lapsed":
            raise Invalid(
                f"It is past its last good day, {after.through.isoformat()}, all the same; correct that one.",
                field="void",
            )
        newest, recorded = after.outcome
        self.record(self.Corrected, newest=newest, recorded=recorded, on=on, by=by, **asked)

    def _if_corrected(self, asked: dict[str, Any], on: date, by: str) -> Endorsement:
        """As it would be after a correction, which says what it comes to."""
        after, unsaid = Endorsement(self.number), Stands("active", on, on)
        # What it knew is folded with the correction, once.
        after.facts, after.corrections, after.version = list(self.facts), dict(self.corrections), self.version
        after.record(self.Corrected, newest=unsaid, recorded=unsaid, on=on, by=by, **asked)
        return after

    @property
    def outcome(self) -> tuple[Stands, Stands]:
        """How it stands by its newest day, and by what was recorded last."""
        newest = self.turns[-1]
        return (
            Stands(newest.standing, newest.since, newest.through),
            Stands(self.standing_state, newest.since, self.through),
        )

    @classmethod
    def _corrigible(cls) -> dict[type[Event], str]:
        """What may be corrected: v void, d its day, t its last day."""
        return {
            cls.Awarded: "dt", cls.Renewed: "vdt", cls.Lapsed: "v", cls.MadeInactive: "vdt", cls.InactivityEnded: "v",
            cls.Reactivated: "vdt", cls.Reinstated: "vdt", cls.EmeritusGranted: "vd", cls.AddOnGranted: "vdt",
        }  # fmt: skip

    def as_known(self, fact: Event) -> Event | None:
        """The fact as it was corrected last, None where it is void."""
        correction = self.corrections.get(fact.originator_version)
        return fact if correction is None else None if correction.void else correction.righted(fact)

    def _wrong_days(self, fact: Event, may: str, day: date | None, through: date | None, on: date) -> str:
        """What is wrong with a corrected day: facts keep their order, and nothing has happened that lies ahead."""
        if (day and "d" not in may) or (through and "t" not in may):
            return "it has no such day; say that it is void"
        if through and isinstance(fact, self.AddOnGranted) and fact.until is None:
            return "this add-on has no end"
        if through and through < (day or fact.on):
            return "it can't end before it begins"
        if day is None:
            return ""
        others = [
            (known.originator_version, known.on)
            for other in self.facts
            if other is not fact and not isinstance(other, _NO_TURN) and (known := self.as_known(other))
        ]
        first = max((at for version, at in others if version < fact.originator_version), default=date.min)
        last = min((at for version, at in others if version > fact.originator_version), default=on)
        if not first <= day <= min(last, on):
            return f"its day would be between {first.isoformat()} and {min(last, on).isoformat()}"
        return ""

    def transfer_custody(self, to: str, transfer: str, why: CustodyReason = "transfer", *, on: date, by: str) -> None:
        self._must_stand(on, "active", "inactive")
        self.record(self.CustodyTransferred, from_=self.custodian, to=to, transfer=transfer, why=why, on=on, by=by)

    def pass_custody(self, to: str, why: CustodyReason, *, on: date, by: str) -> bool:
        """Without anybody's asking and whatever it stands at; whether it was held by another one until now (ours)."""
        if self.custodian == to:
            return False
        self.record(
            self.CustodyTransferred, from_=self.custodian, to=to, transfer="", why=why, on=max(on, self.last_on), by=by
        )
        return True

    def report_move(self, association: str, from_: str, to: str, moved_on: date, *, on: date, by: str) -> bool:
        """What one of the two sides says of a move that no registry saw; whether it had not said so before (ours)."""
        if association not in (from_, to):
            raise Invalid(f"{association} is neither side of this move; its own moves are its to report.", field="from")
        if from_ == to:
            raise Invalid("A move goes from one association to another; name two.", field="to")
        if moved_on > on:
            raise Invalid(f"{moved_on.isoformat()} is in the future.", field="moved_on")
        if moved_on < self.awarded_on:
            raise Invalid(f"It was awarded on {self.awarded_on.isoformat()}; no move lies before.", field="moved_on")
        said = (association, from_, to, moved_on)
        if said in ((move.association, move.from_, move.to, move.moved_on) for move in self.moves_reported):
            return False
        self.record(self.MoveReported, association=association, from_=from_, to=to, moved_on=moved_on, on=on, by=by)
        return True

    def issue_certificate(
        self,
        cti: str,
        *,
        valid_from: datetime,
        expires_at: datetime,
        through: date,
        person: str = "",
        person_version: int,
        why: IssueReason,
        badge: str = "",
        on: date,
        by: str,
    ) -> None:
        """Issue a new certificate; it replaces the present one. `expires_at`: the last valid second, UTC.

        `person`: the stream whose name is printed, of the record that acts for the holder; their own by default.
        `badge`: the id of a new badge, where `cti` is that of the present certificate.
        """
        self._must_stand(on, "active")
        self.record(
            self.CertificateIssued,
            cti=cti,
            number=self.number,
            category=with_add_on(self.category, self.add_on_on(on)),
            association=self.custodian,
            valid_from=valid_from,
            through=through,
            expires_at=expires_at,
            person=person or f"person/{self.person}",
            person_version=person_version,
            replaces=self._replaced_by(cti),
            why=why,
            badge=badge,
            on=on,
            by=by,
        )

    def _replaced_by(self, cti: str) -> str:
        present = self.certificate
        if present is None:
            return ""
        return present.replaces if present.cti == cti else present.cti

    def contradict_report(self, field: str, source: Source, *, on: date, by: str) -> None:
        """A later file differs in `field` from what was decided here; a coordinator is asked."""
        self.record(self.ReportContradicted, field=field, association=self.custodian, source=source, on=on, by=by)

    def settle_report(self, *, on: date, by: str) -> None:
        if not self.contradicted:
            raise OutOfTurn(self.stream, state="uncontradicted", needs=["contradicted"], can=self.can(on))
        self.record(self.ReportSettled, association=self.custodian, on=on, by=by)

    def sign_certificate(self, cti: str, kid: str, jwt: str = "", *, on: date, by: str) -> None:
        self.record(self.CertificateSigned, cti=cti, kid=kid, jwt=jwt, on=on, by=by)

    # -- what it is -------------------------------------------------------------------------------------------------

    def standing(self, on: date) -> Standing:
        """The standing on a day as known now; past its last good day an active one is lapsed, event or not."""
        turn = self._turn(on)
        return turn.standing_on(on) if turn else "lapsed"

    def moving(self, on: date) -> str:
        """The standing as a transfer judges it: an open sanction or proposal to remove holds it (design section 10)."""
        if self.removal_proposed_by:
            return "proposed for removal"
        standing = self.standing(on)
        return "reported as sanctioned" if self.sanction and standing in _MAY_BE_REMOVED else standing

    def printed_through(self, on: date) -> date:
        """The last good day a certificate states: never after the end of an Emerging ERS (`credentials.md` 9)."""
        if self.add_on_on(on) == "EERS" and self.add_on_until:
            return min(self.through, self.add_on_until)
        return self.through

    def held_on(self, on: date) -> str:
        """The category with add-on that was active on a day, or empty (R12 asks this of RSC providers)."""
        return self.held_as(on) if on >= self.awarded_on and self.standing(on) == "active" else ""

    def changes(self) -> Iterator[date]:
        """The days on which `held_on` may change."""
        yield self.awarded_on
        if self.converted_from:
            yield self.converted_on
        for turn in self.turns:
            yield turn.since
            yield from (day_after(last) for last in (turn.through, turn.until, turn.add_on_until) if last)

    def held_as(self, on: date) -> str:
        """The category with add-on on a day, whatever it stood as."""
        return with_add_on(self.category_on(on), self.add_on_on(on))

    def category_on(self, on: date) -> str:
        """The category on a day: before its conversion the old one."""
        return self.converted_from if self.converted_from and on < self.converted_on else self.category

    def add_on_on(self, on: date) -> AddOn | None:
        """The add-on held on a day; an Emerging ERS ends with its two years (R24)."""
        turn = self._turn(on)
        return turn.add_on_on(on) if turn else None

    @property
    def certificate(self) -> Certificate | None:
        """The present certificate."""
        return self.certificates[-1] if self.certificates else None

    @property
    def standing_state(self) -> Standing:
        return "active" if self.state == "unknown" else self.state

    def can(self, on: date) -> list[str]:
        """The deeds possible in the standing of a day."""
        if self.inactive_too_long or (self.state == "inactive" and self.standing(on) == "lapsed"):
            return ["apply again", "suspend", "archive"]
        return {
            "active": ["renew", "make inactive", "grant emeritus", "suspend", "archive", "request a transfer"],
            "inactive": ["reactivate", "grant emeritus", "suspend", "archive", "request a transfer"],
            "lapsed": ["reinstate", "suspend", "archive"],
            "emeritus": ["suspend", "archive"],
            "suspended": ["lift the suspension", "report a sanction", "propose removal"],
        }.get(self.standing(on), [])

    def _stand(self, on: date, standing: Standing, through: date) -> None:
        self.state = standing
        self.through = through
        self.last_on = max(self.last_on, on)
        if standing not in ("inactive", "suspended"):
            self.inactive_until = None
        until = self.inactive_until if standing == "inactive" else None
        # By day, of one day in the order of recording: facts recorded late stand where they belong.
        turn = Turn(on, standing, through, self.add_on, self.add_on_until, until)
        if not self.turns or self.turns[-1].since <= on:
            self.turns.append(turn)
        else:
            insort(self.turns, turn, key=_since)

    def _turn(self, on: date) -> Turn | None:
        """What was so on a day."""
        at = bisect_right(self.turns, on, key=_since)
        return self.turns[at - 1] if at else None

    def _must_not_be_inactive_for_too_long(self, on: date) -> None:
        if self.inactive_too_long or (self.state == "inactive" and self.standing(on) == "lapsed"):
            raise OutOfTurn(self.stream, state="inactive_for_too_long", needs=["inactive"], can=["apply again"])

    def _must_stand(self, on: date, *standings: Standing) -> None:
        self.refuse_before(self.last_on, on)
        self.refuse_unless(self.standing(on), *standings, can=self.can(on))


_MAY_BE_REMOVED: tuple[Standing, ...] = ("active", "inactive", "lapsed", "emeritus", "suspended")


def _pauses(event: Event) -> bool:
    """Whether the badge of the present certificate was revoked by this: it knows no word for a pause."""
    if isinstance(event, _PAUSING):
        return True
    said = event.newest if isinstance(event, Endorsement.Corrected) else event
    return isinstance(event, _MAYBE_PAUSING) and getattr(said, "standing", "active") != "active"


_PAUSING = (
    Endorsement.Suspended, Endorsement.MadeInactive, Endorsement.EmeritusGranted, Endorsement.InactivityEnded,
    Endorsement.Lapsed, Endorsement.CustodyTransferred, Endorsement.Converted,
)  # fmt: skip
_MAYBE_PAUSING = (Endorsement.Reported, Endorsement.Corrected)
# What says nothing about how an endorsement stands, and so has no place in the order of its days.
_NO_TURN = (
    Endorsement.Corrected, Endorsement.CertificateIssued, Endorsement.CertificateSigned, Endorsement.ReportContradicted,
    Endorsement.ReportSettled, Endorsement.AuditPassed, Endorsement.RenewalReminded,
)  # fmt: skip
_BOARD = re.compile(r"[A-Z]{2,8}(-[A-Z0-9]{1,12}){1,2}")


def _left(attested: Attestation, used: Iterable[Attestation]) -> Attestation:
    """What is left of the hours when those of other attestations are taken away."""
    spent = list(used)
    hours = ("training_hours", "rsc_hours", "rsc_provision_hours", "dei_hours")
    left = {what: getattr(attested, what) - sum(getattr(other, what) for other in spent) for what in hours}
    return msgspec.structs.replace(attested, **left)


def _hand(by: str) -> str:
    """What tells one human behind actors from another: the key or session they act with."""
    return by.rpartition(":")[2]


def day_after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
