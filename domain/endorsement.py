"""An endorsement: awarded once, renewed, moved, lapsed, lifted up again; its number and award never change."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import ClassVar, Literal

import msgspec

from domain.aggregate import Aggregate
from domain.category import CATEGORIES, SLOT_TITLES, AddOn, with_add_on
from domain.editions import (
    cycle_due,
    edition_for,
    next_due,
    practice,
    reinstatement_edition,
    renewal_term,
    renewal_window,
)
from domain.errors import Invalid, NotInForce, OutOfTurn, RequirementsNotMet
from domain.event import Claims, Event, Identity
from domain.policy import Attestation, Reinstatement

Standing = Literal["active", "lapsed", "inactive", "suspended", "removed", "archived", "erased"]
ReportedStanding = Literal["active", "lapsed", "inactive"]
InactiveReason = Literal["illness", "job_change", "move", "family_leave", "retirement", "other"]
SuspendReason = Literal["sanction_being_established", "fraud_being_established"]
RemovalGround = Literal["licensing_board_sanction", "fraud"]
Means = Literal["renewal", "lapse", "inactivity", "reactivation", "correction"]
CustodyReason = Literal["transfer", "licence_ended", "admitted", "not_offered"]
IssueReason = Literal["awarded", "imported", "renewed", "transferred", "reinstated", "renamed", "add_on"]

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


class Endorsement(Aggregate):
    """One person in one category. The custodian is the association that holds it now."""

    kind: ClassVar[str] = "endorsement"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.number = name
        self.state: Literal["unknown"] | Standing = "unknown"
        self.person = ""
        self.category = ""
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
        self.renewed_for = 0
        self.inactive_until: date | None = None
        self.removal_proposed_by = ""
        self.removal_ground: RemovalGround | None = None
        self.counted_from = date.min
        self.audit_due = False
        self.certificates: list[Certificate] = []
        self.history: list[tuple[date, Standing, date, AddOn | None]] = []
        self.last_on = date.min

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
        topic: ClassVar[str] = "endorsement.renewed"
        cycle: int
        edition: str
        through: date
        attested: Attestation
        draft: bool = False

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.renewed_for = self.cycle
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

    class Reactivated(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.reactivated"
        through: date

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.inactive_until = None
            endorsement._stand(self.on, "active", self.through)

    class Reinstated(Event, frozen=True):
        """Back after a lapse (R22); the next audit is certain."""

        topic: ClassVar[str] = "endorsement.reinstated"
        edition: str
        through: date
        attested: Reinstatement
        audit_required: bool
        draft: bool = False

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.counted_from = self.on
            endorsement.audit_due = self.audit_required
            endorsement.reported = False
            endorsement._stand(self.on, "active", self.through)

    class Suspended(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.suspended"
        reason: SuspendReason

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, "suspended", endorsement.through)

    class SuspensionLifted(Event, frozen=True):
        """`standing`: what it goes back to."""

        topic: ClassVar[str] = "endorsement.suspension_lifted"
        standing: ReportedStanding = "active"

        def apply(self, endorsement: Endorsement) -> None:
            endorsement._stand(self.on, self.standing, endorsement.through)

    class RemovalProposed(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.removal_proposed"
        ground: RemovalGround

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.removal_proposed_by = self.by
            endorsement.removal_ground = self.ground

    class RemovalProposalWithdrawn(Event, frozen=True):
        topic: ClassVar[str] = "endorsement.removal_proposal_withdrawn"

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.removal_proposed_by = ""
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

    class AddOnGranted(Event, frozen=True):
        """ERS, or Emerging ERS until a day two years on (IN-ERS)."""

        topic: ClassVar[str] = "endorsement.add_on_granted"
        add_on: AddOn
        until: date | None = None

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.add_on = self.add_on
            endorsement.add_on_until = self.until
            endorsement._stand(self.on, endorsement.standing_state, endorsement.through)

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

    class CertificateIssued(Event, frozen=True):
        """No personal data, no digest: what is printed and where the printed name stands (design section 8)."""

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

        def apply(self, endorsement: Endorsement) -> None:
            endorsement.certificates.append(
                Certificate(
                    cti=self.cti,
                    position_version=self.originator_version,
                    category=self.category,
                    association=self.association,
                    through=self.through,
                    person_version=self.person_version,
                    replaces=self.replaces,
                )
            )

    class CertificateSigned(Event, frozen=True):
        """Which key signs a certificate; after a compromise another one is appended."""

        topic: ClassVar[str] = "certificate.signed"
        cti: str
        kid: str

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

    def renew(self, attested: Attestation, *, on: date, by: str) -> None:
        """Inside the window of a cycle year, once a cycle, by attestation (R18, R19). Raises RequirementsNotMet."""
        self._must_stand(on, "active")
        year, opens, due, last, edition = renewal_term(on, self.custodian)
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
            attested,
            slot=CATEGORIES[self.category].slot,
            ers=self.add_on_on(on) is not None,
            since=self.counted_from,
            due=due,
            held_since=self.awarded_on,
        )
        if missing:
            raise RequirementsNotMet(edition.name, missing)
        self.record(
            self.Renewed,
            cycle=year,
            edition=edition.name,
            through=through,
            attested=attested,
            on=on,
            by=by,
        )

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

    def reactivate(self, *, on: date, by: str) -> None:
        self._must_stand(on, "inactive")
        if self.inactive_until and on > self.inactive_until:
            raise OutOfTurn(self.stream, state="inactive_for_too_long", needs=["inactive"], can=["apply again"])
        if self.through < on:
            # "Ordinary renewal" (IAITMH) missed: then it takes what a lapsed one takes.
            raise OutOfTurn(self.stream, state="past_its_last_good_day", needs=["good"], can=["reinstate"])
        self.record(self.Reactivated, through=self.through, on=on, by=by)

    def reinstate(self, attested: Reinstatement, *, on: date, by: str) -> None:
        """After a lapse, or past the last good day while inactive; an audit follows (R22, NE-POL)."""
        if self.standing(on) == "inactive" and self.through < on:
            self.refuse_before(self.last_on, on)
        else:
            self._must_stand(on, "lapsed")
        edition = reinstatement_edition(on, self.custodian)
        if edition is None:
            raise NotInForce("A reinstatement edition", on)
        slot = CATEGORIES[self.category].slot
        if missing := edition.missing(attested, slot=slot, ers=self.add_on_on(on) is not None):
            raise RequirementsNotMet(edition.name, missing)
        self.record(
            self.Reinstated,
            edition=edition.name,
            through=renewal_window(on, self.custodian)[1],
            attested=attested,
            audit_required=edition.audit,
            on=on,
            by=by,
        )

    def suspend(self, reason: SuspendReason, *, on: date, by: str) -> None:
        self._must_stand(on, "active", "inactive", "lapsed")
        self.record(self.Suspended, reason=reason, on=on, by=by)

    def lift_suspension(self, *, on: date, by: str) -> None:
        self._must_stand(on, "suspended")
        before = next(state for _, state, _, _ in reversed(self.history) if state != "suspended")
        standing: ReportedStanding = before if before in ("lapsed", "inactive") else "active"
        self.record(self.SuspensionLifted, standing=standing, on=on, by=by)

    def propose_removal(self, ground: RemovalGround, *, on: date, by: str) -> None:
        self._must_stand(on, "active", "inactive", "lapsed", "suspended")
        if self.removal_proposed_by:
            raise OutOfTurn(self.stream, state="proposed_for_removal", needs=["not proposed"], can=["remove"])
        self.record(self.RemovalProposed, ground=ground, on=on, by=by)

    def withdraw_removal_proposal(self, *, on: date, by: str) -> None:
        self._must_stand(on, "active", "inactive", "lapsed", "suspended")
        if not self.removal_proposed_by:
            raise OutOfTurn(self.stream, state=self.standing(on), needs=["proposed for removal"], can=self.can(on))
        self.record(self.RemovalProposalWithdrawn, on=on, by=by)

    def remove(self, *, on: date, by: str) -> None:
        """The second person confirms what the first proposed, on the same ground."""
        self._must_stand(on, "active", "inactive", "lapsed", "suspended")
        if not self.removal_proposed_by or self.removal_ground is None:
            standing = self.standing(on)
            raise OutOfTurn(self.stream, state=standing, needs=["proposed for removal"], can=["propose removal"])
        if self.removal_proposed_by == by:
            raise Invalid("A second person has to confirm the removal.", field="by")
        self.record(self.Removed, ground=self.removal_ground, proposed_by=self.removal_proposed_by, on=on, by=by)

    def archive(self, *, on: date, by: str) -> None:
        self._must_stand(on, "active", "inactive", "lapsed")
        self.record(self.Archived, on=on, by=by)

    def grant_add_on(self, add_on: AddOn, *, on: date, by: str) -> None:
        """ERS attaches to what its edition says (IN-ERS, RI-APP); Emerging ends after two years."""
        self._must_stand(on, "active")
        edition = edition_for(add_on, on, self.custodian)
        if CATEGORIES[self.category].slot not in edition.attaches_to:
            attaches = " or ".join(SLOT_TITLES[slot] for slot in edition.attaches_to)
            raise Invalid(f"{add_on} attaches to {attaches}, under {edition.name}.", field="add_on")
        if self.add_on == "ERS" or (add_on == "EERS" and self.add_on):
            raise OutOfTurn(self.stream, state=f"{self.add_on}_already", needs=["without it"], can=[])
        until = _years_later(on, 2) if add_on == "EERS" else None
        self.record(self.AddOnGranted, add_on=add_on, until=until, on=on, by=by)

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

    def issue_certificate(
        self,
        cti: str,
        *,
        valid_from: datetime,
        expires_at: datetime,
        through: date,
        person_version: int,
        why: IssueReason,
        on: date,
        by: str,
    ) -> None:
        """Issue a new certificate; it replaces the present one. `expires_at`: the last valid second, UTC."""
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
            person=f"person/{self.person}",
            person_version=person_version,
            replaces=self.certificates[-1].cti if self.certificates else "",
            why=why,
            on=on,
            by=by,
        )

    def contradict_report(self, field: str, source: Source, *, on: date, by: str) -> None:
        """A later file differs in `field` from what was decided here; a coordinator is asked."""
        self.record(self.ReportContradicted, field=field, association=self.custodian, source=source, on=on, by=by)

    def settle_report(self, *, on: date, by: str) -> None:
        if not self.contradicted:
            raise OutOfTurn(self.stream, state="uncontradicted", needs=["contradicted"], can=self.can(on))
        self.record(self.ReportSettled, association=self.custodian, on=on, by=by)

    def sign_certificate(self, cti: str, kid: str, *, on: date, by: str) -> None:
        self.record(self.CertificateSigned, cti=cti, kid=kid, on=on, by=by)

    # -- what it is -------------------------------------------------------------------------------------------------

    def standing(self, on: date) -> Standing:
        """The standing on a day as known now; past its last good day an active one is lapsed, event or not."""
        found: Standing = "lapsed"
        for since, state, through, _ in self._by_day():
            if since <= on:
                found = "lapsed" if state == "active" and on > through else state
        return found

    def moving(self, on: date) -> str:
        """The standing as a transfer judges it: an open proposal to remove holds it (design section 10)."""
        return "proposed for removal" if self.removal_proposed_by else self.standing(on)

    def printed_through(self, on: date) -> date:
        """The last good day a certificate states: never after the end of an Emerging ERS (`credentials.md` 9)."""
        if self.add_on_on(on) == "EERS" and self.add_on_until:
            return min(self.through, self.add_on_until)
        return self.through

    def held_on(self, on: date) -> str:
        """The category with add-on that was active on a day, or empty (R12 asks this of RSC providers)."""
        if on < self.awarded_on or self.standing(on) != "active":
            return ""
        return with_add_on(self.category, self.add_on_on(on))

    def add_on_on(self, on: date) -> AddOn | None:
        """The add-on held on a day; an Emerging ERS ends with its two years (R24)."""
        found: AddOn | None = None
        for since, _, _, add_on in self._by_day():
            if since <= on:
                found = add_on
        if found == "EERS" and self.add_on_until and on > self.add_on_until:
            return None
        return found

    @property
    def certificate(self) -> Certificate | None:
        """The present certificate."""
        return self.certificates[-1] if self.certificates else None

    @property
    def standing_state(self) -> Standing:
        return "active" if self.state == "unknown" else self.state

    def can(self, on: date) -> list[str]:
        """The deeds possible in the standing of a day."""
        return {
            "active": ["renew", "make inactive", "suspend", "archive", "request a transfer"],
            "inactive": ["reactivate", "suspend", "archive", "request a transfer"],
            "lapsed": ["reinstate", "suspend", "archive"],
            "suspended": ["lift the suspension", "propose removal"],
        }.get(self.standing(on), [])

    def _stand(self, on: date, standing: Standing, through: date) -> None:
        self.state = standing
        self.through = through
        self.last_on = max(self.last_on, on)
        self.history.append((on, standing, through, self.add_on))

    def _by_day(self) -> list[tuple[date, Standing, date, AddOn | None]]:
        """What was so since which day; facts recorded late stand where they belong."""
        return sorted(self.history, key=lambda turn: turn[0])

    def _must_stand(self, on: date, *standings: Standing) -> None:
        self.refuse_before(self.last_on, on)
        self.refuse_unless(self.standing(on), *standings, can=self.can(on))


def day_after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
