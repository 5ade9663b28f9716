"""A person: who they are (sealed), what they volunteered, their memberships and their portfolio."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, ClassVar, Literal

import msgspec

from domain.aggregate import Aggregate
from domain.errors import Invalid, OutOfTurn
from domain.event import Claims, Contact, Demographic, Event, Identity
from domain.portfolio import Entry

Audience = Literal["applicant", "staff"]
"""Whom a note is for: the applicant too, or only those who work on the case."""
LONGEST_NOTE = 4000


RaceEthnicity = Literal[
    "american_indian_or_alaska_native", "asian", "black_or_african_american", "hispanic_or_latino",
    "middle_eastern_or_north_african", "native_hawaiian_or_pacific_islander", "white", "another",
]  # fmt: skip
"""No source lists which demographics there are (`domain.md` 9.3): a short list and one's own words (ours)."""

ERASURE_DAYS = 7
"""From the second person's word to the erasure (design section 5)."""


class Membership(msgspec.Struct, frozen=True, omit_defaults=True):
    """A membership of an association, from a day through a day, on its coordinator's word.

    `body`: it is a membership of another body, which this association accepts on written verification (AZ-FAQ).
    """

    association: str
    from_: date
    through: date
    body: str = ""


class Demographics(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody volunteers of themselves; all of it optional, all of it sealed."""

    race_ethnicity: tuple[RaceEthnicity, ...] = ()
    languages: tuple[str, ...] = ()
    gender: str = ""
    own_words: str = ""


class ProviderListing(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a provider of RSC lets the public list say: languages by code (`en`, `es`), and whether from afar."""

    listed: bool
    languages: tuple[str, ...] = ()
    remote: bool = False


ShareDetail = Literal["history", "other_endorsements", "rsc_provider"]
"""What a holder may show beyond the certificate: its awards, renewals and associations; what else they hold; whether
they are a qualified provider of RSC."""
LONGEST_SHARE_DAYS = 366
MOST_SHARES = 50
"""Links of one person that are open at a time (*ours*, as is their longest time)."""


class Share(msgspec.Struct, frozen=True):
    """A link to an endorsement of theirs, good through a day. `link`: SHA-256 (base64url) of its code."""

    number: str
    details: tuple[ShareDetail, ...]
    shared_on: date
    until: date
    link: str
    ended: bool = False


class Likeness(msgspec.Struct, frozen=True):
    """A question whether two are one person, for an association's coordinator; None while it is open."""

    association: str
    same: bool | None = None


class Person(Aggregate):
    """One human being. Names, contact and free text are sealed and never decided on."""

    kind: ClassVar[str] = "person"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.state = "unknown"
        self.residence = ""
        self.listed = True
        self.named_by = 0
        self.entries: dict[str, Entry] = {}
        self.memberships: list[Membership] = []
        self.likenesses: dict[str, Likeness] = {}
        self.merged_into = ""
        self.merged: set[str] = set()
        self.trained_on: date | None = None
        self.erasure: Literal["", "requested", "confirmed"] = ""
        self.erasure_requested_by = self.erasure_requester = ""
        self.erasure_due = date.max
        # Keys that are to be destroyed, and are not yet: the worker tries until they are.
        self.to_destroy: set[str] = set()
        self.demographics = ""
        self.listing = ProviderListing(listed=False)
        self.died_on: date | None = None
        self.shares: dict[str, Share] = {}

    class Registered(Event, frozen=True):
        topic: ClassVar[str] = "person.registered"
        residence: str
        name: Identity
        credentials: Identity = ""
        email: Contact = ""
        # A keyed hash of name and address: the same both, the same person. Sealed, so it goes with the key.
        match: Identity = ""
        # A keyed hash of the address alone: another name there is a question.
        address_match: Contact = ""

        def apply(self, person: Person) -> None:
            person.state = "known"
            person.residence = self.residence
            person.named_by = self.originator_version

        def claims(self) -> Claims:
            return Claims(take=_matches(self.match) + _at_address(self, self.address_match))

    class Renamed(Event, frozen=True):
        """A new name or new credentials; the certificates of before keep what they printed."""

        topic: ClassVar[str] = "person.renamed"
        name: Identity
        credentials: Identity = ""
        match: Identity = ""
        formerly: Identity = ""

        def apply(self, person: Person) -> None:
            person.named_by = self.originator_version

        def claims(self) -> Claims:
            return Claims(take=_matches(self.match), release=_matches(self.formerly))

    class ContactChanged(Event, frozen=True):
        topic: ClassVar[str] = "person.contact_changed"
        email: Contact
        match: Identity = ""
        formerly: Identity = ""
        address_match: Contact = ""
        address_formerly: Contact = ""

        def claims(self) -> Claims:
            return Claims(
                take=_matches(self.match) + _at_address(self, self.address_match),
                release=_matches(self.formerly) + _at_address(self, self.address_formerly),
            )

    class ResidenceChanged(Event, frozen=True):
        topic: ClassVar[str] = "person.residence_changed"
        residence: str

        def apply(self, person: Person) -> None:
            person.residence = self.residence

    class PublicationChosen(Event, frozen=True):
        """Whether the public register may show the name (design section 10)."""

        topic: ClassVar[str] = "person.publication_chosen"
        listed: bool

        def apply(self, person: Person) -> None:
            person.listed = self.listed

    class MembershipRecorded(Event, frozen=True):
        topic: ClassVar[str] = "person.membership_recorded"
        association: str
        from_: date = msgspec.field(name="from")
        through: date
        # Of an import: a keyed hash of the association's own record id.
        record: str = ""

        def apply(self, person: Person) -> None:
            person.memberships.append(Membership(self.association, self.from_, self.through))

        def claims(self) -> Claims:
            return Claims(take=(member_claim(self.association, self.record),)) if self.record else Claims()

    class MembershipVerified(Event, frozen=True):
        """A membership of another body that the association accepts, seen in writing (AZ-FAQ, MI-POL, PA-REN)."""

        topic: ClassVar[str] = "person.membership_verified"
        association: str
        body: str
        from_: date = msgspec.field(name="from")
        through: date

        def apply(self, person: Person) -> None:
            person.memberships.append(Membership(self.association, self.from_, self.through, self.body))

    class MembershipEnded(Event, frozen=True):
        """Earlier than recorded: `through` is the last day of any membership of this association."""

        topic: ClassVar[str] = "person.membership_ended"
        association: str
        through: date

        def apply(self, person: Person) -> None:
            person.memberships = [
                m if m.association != self.association or m.through <= self.through
                else msgspec.structs.replace(m, through=self.through)
                for m in person.memberships
                if m.association != self.association or m.from_ <= self.through
            ]  # fmt: skip

    class EntryRecorded(Event, frozen=True):
        topic: ClassVar[str] = "portfolio.entry_recorded"
        entry: str
        fact: Entry
        title: Identity = ""
        provider_name: Identity = ""

        def apply(self, person: Person) -> None:
            person.entries[self.entry] = self.fact

    class EntryCorrected(Event, frozen=True):
        """Entries are corrected by superseding, never edited."""

        topic: ClassVar[str] = "portfolio.entry_corrected"
        entry: str
        supersedes: str
        fact: Entry
        title: Identity = ""
        provider_name: Identity = ""

        def apply(self, person: Person) -> None:
            person.entries.pop(self.supersedes, None)
            person.entries[self.entry] = self.fact

    class EntryWithdrawn(Event, frozen=True):
        topic: ClassVar[str] = "portfolio.entry_withdrawn"
        entry: str

        def apply(self, person: Person) -> None:
            person.entries.pop(self.entry, None)

    class ProviderVetted(Event, frozen=True):
        """A coordinator's word on a provider of RSC who is not endorsed (R13, to the end of 2025)."""

        topic: ClassVar[str] = "portfolio.provider_vetted"
        entry: str
        qualified: bool

        def apply(self, person: Person) -> None:
            if entry := person.entries.get(self.entry):
                person.entries[self.entry] = msgspec.structs.replace(entry, vetted=self.qualified)

    class TrainedAsReviewer(Event, frozen=True):
        """An association's word that somebody was trained to review (R14; AZ-FAQ, TX-REV)."""

        topic: ClassVar[str] = "person.trained_as_reviewer"
        association: str

        def apply(self, person: Person) -> None:
            person.trained_on = min(person.trained_on or self.on, self.on)

    class LikenessNoted(Event, frozen=True):
        """Same address, another name: two people for now, and a question for a coordinator."""

        topic: ClassVar[str] = "person.likeness_noted"
        other: str
        association: str

        def apply(self, person: Person) -> None:
            person.likenesses[self.other] = Likeness(self.association)

    class LikenessSettled(Event, frozen=True):
        topic: ClassVar[str] = "person.likeness_settled"
        other: str
        same: bool

        def apply(self, person: Person) -> None:
            asked = person.likenesses.get(self.other, Likeness(""))
            person.likenesses[self.other] = msgspec.structs.replace(asked, same=self.same)

    class NoteWritten(Event, frozen=True):
        """Free text about one of the person's cases; `about` is its stream. Nothing is decided on it."""

        topic: ClassVar[str] = "person.note_written"
        about: str
        audience: Audience
        note: Identity

    class MergedInto(Event, frozen=True):
        """This record and `into` are of one human: from now on that one acts. Its facts stay where they are."""

        topic: ClassVar[str] = "person.merged_into"
        into: str

        def apply(self, person: Person) -> None:
            person.state = "merged"
            person.merged_into = self.into

        def claims(self) -> Claims:
            return Claims(take=(_into(self, self.into),))

    class Merged(Event, frozen=True):
        """The survivor's side of it: `other` is the duplicate."""

        topic: ClassVar[str] = "person.merged"
        other: str

        def apply(self, person: Person) -> None:
            person.merged.add(self.other)

        def claims(self) -> Claims:
            return Claims(take=(_duplicate(self, self.other),))

    class Split(Event, frozen=True):
        """They are two humans after all: in both streams, each naming the other; all is as before the merger."""

        topic: ClassVar[str] = "person.split"
        other: str

        def apply(self, person: Person) -> None:
            person.merged.discard(self.other)
            if person.merged_into == self.other:
                person.merged_into = ""
                person.state = "known"

        def claims(self) -> Claims:
            return Claims(release=(_into(self, self.other), _duplicate(self, self.other)))

    class DemographicsVolunteered(Event, frozen=True):
        """Sealed under a key of their own, `keyring`: taking them back destroys it, and new ones may be given."""

        topic: ClassVar[str] = "person.demographics_volunteered"
        keyring: str
        race_ethnicity: Demographic = ""
        languages: Demographic = ""
        gender: Demographic = ""
        own_words: Demographic = ""

        def apply(self, person: Person) -> None:
            if person.demographics:
                person.to_destroy.add(person.demographics)
            person.demographics = self.keyring

    class DemographicsWithdrawn(Event, frozen=True):
        topic: ClassVar[str] = "person.demographics_withdrawn"

        def apply(self, person: Person) -> None:
            person.to_destroy.add(person.demographics)
            person.demographics = ""

    class ProviderListingChosen(Event, frozen=True):
        """Whether the public list of qualified providers of RSC shows them, and what it says (NM-STEPS)."""

        topic: ClassVar[str] = "person.provider_listing_chosen"
        listing: ProviderListing

        def apply(self, person: Person) -> None:
            person.listing = self.listing

    class Shared(Event, frozen=True):
        """A link that shows an endorsement to whoever has it. Its code is in no event and shown to the holder once."""

        topic: ClassVar[str] = "person.shared"
        share: str
        number: str
        details: tuple[ShareDetail, ...]
        until: date
        link: str

        def apply(self, person: Person) -> None:
            person.shares[self.share] = Share(self.number, self.details, self.on, self.until, self.link)

        def claims(self) -> Claims:
            # Never given back: what it opened once, nothing else ever opens.
            return Claims(take=(share_claim(self.link),))

    class ShareEnded(Event, frozen=True):
        topic: ClassVar[str] = "person.share_ended"
        share: str

        def apply(self, person: Person) -> None:
            if share := person.shares.get(self.share):
                person.shares[self.share] = msgspec.structs.replace(share, ended=True)

    class Died(Event, frozen=True):
        topic: ClassVar[str] = "person.died"
        died_on: date

        def apply(self, person: Person) -> None:
            person.state = "died"
            person.died_on = self.died_on

    class ErasureRequested(Event, frozen=True):
        """`person`: who asks for it, where the actor is known as a person."""

        topic: ClassVar[str] = "person.erasure_requested"
        person: str = ""

        def apply(self, person: Person) -> None:
            person.erasure = "requested"
            person.erasure_requested_by = self.by
            person.erasure_requester = self.person

    class ErasureConfirmed(Event, frozen=True):
        """By a second person; the worker carries it out on `due`, unless it is cancelled before."""

        topic: ClassVar[str] = "person.erasure_confirmed"
        due: date

        def apply(self, person: Person) -> None:
            person.erasure = "confirmed"
            person.erasure_due = self.due

    class ErasureCancelled(Event, frozen=True):
        topic: ClassVar[str] = "person.erasure_cancelled"

        def apply(self, person: Person) -> None:
            person.erasure = ""
            person.erasure_requested_by = person.erasure_requester = ""
            person.erasure_due = date.max

    class Erased(Event, frozen=True):
        """The person is forgotten: appended first, then the vault destroys the keys (design section 5)."""

        topic: ClassVar[str] = "person.erased"
        match: Identity = ""
        address_match: Contact = ""

        def apply(self, person: Person) -> None:
            person.state = "erased"
            person.to_destroy |= {person.name, person.demographics} - {""}

        def claims(self) -> Claims:
            return Claims(release=_matches(self.match) + _at_address(self, self.address_match))

    class KeysDestroyed(Event, frozen=True):
        """What an erasure or a withdrawal left to be destroyed is."""

        topic: ClassVar[str] = "person.keys_destroyed"

        def apply(self, person: Person) -> None:
            person.to_destroy = set()

    # -- deeds ------------------------------------------------------------------------------------------------------

    def register(self, *, residence: str, name: str, on: date, by: str, **sealed: str) -> None:
        """`sealed`: credentials, email, match, address_match."""
        self.record(self.Registered, residence=place(residence), name=printable_name(name), on=on, by=by, **sealed)

    def rename(self, *, name: str, credentials: str, match: str, formerly: str, on: date, by: str) -> None:
        self._must_be_known()
        self.record(
            self.Renamed,
            name=printable_name(name),
            credentials=credentials,
            match=match if match != formerly else "",
            formerly=formerly if match != formerly else "",
            on=on,
            by=by,
        )

    def move(self, residence: str, *, on: date, by: str) -> None:
        self._must_be_known()
        self.record(self.ResidenceChanged, residence=place(residence), on=on, by=by)

    def choose_publication(self, *, listed: bool, on: date, by: str) -> None:
        self._must_be_known()
        if listed != self.listed:
            self.record(self.PublicationChosen, listed=listed, on=on, by=by)

    def record_membership(
        self, association: str, from_: date, through: date, *, record: str = "", on: date, by: str
    ) -> None:
        """`record`: a keyed hash of the association's own record id."""
        self._must_be_known()
        if through < from_:
            raise Invalid("The membership ends before it begins; correct one of the days.", field="through")
        self.record(
            self.MembershipRecorded, association=association, from_=from_, through=through, record=record, on=on, by=by
        )

    def verify_membership(self, association: str, body: str, from_: date, through: date, *, on: date, by: str) -> None:
        """A membership of another body, seen in writing. `body` by its abbreviation: free text is never in the open."""
        self._must_be_known()
        if not _BODY.fullmatch(body):
            raise Invalid("Name the body by its abbreviation, such as WAIMH.", field="body")
        if through < from_:
            raise Invalid("The membership ends before it begins; correct one of the days.", field="through")
        self.record(
            self.MembershipVerified, association=association, body=body, from_=from_, through=through, on=on, by=by
        )

    def end_membership(self, association: str, through: date, *, on: date, by: str) -> None:
        """`through`: the last day; what was recorded beyond it no longer counts."""
        self._must_be_known()
        if not any(m.association == association and m.through > through for m in self.memberships):
            raise Invalid("No membership of this association goes beyond that day.", field="through")
        self.record(self.MembershipEnded, association=association, through=through, on=on, by=by)

    def member_of(self, association: str, on: date) -> bool:
        """Whether a membership covers the day, the first and the last included (R2)."""
        return any(m.association == association and m.from_ <= on <= m.through for m in self.memberships)

    def member_through(self, association: str, on: date) -> date | None:
        """The last day of the unbroken membership of a day; overlapping and adjacent ones go on as one."""
        last = None
        for m in sorted((m for m in self.memberships if m.association == association), key=lambda m: m.from_):
            if m.from_ <= (last + timedelta(days=1) if last and last < date.max else last or on) and m.through >= on:
                last = max(last or m.through, m.through)
        return last

    def add(self, fact: Entry, *, on: date, by: str, supersedes: str = "", **sealed: str) -> str:
        """Record or correct a portfolio entry and return its name. `sealed`: title, provider_name."""
        self._must_be_known()
        self._check(fact, on)
        entry = f"E{self.version + 1}"
        if not supersedes:
            self.record(self.EntryRecorded, entry=entry, fact=fact, on=on, by=by, **sealed)
        else:
            self._must_hold(supersedes)
            self.record(self.EntryCorrected, entry=entry, supersedes=supersedes, fact=fact, on=on, by=by, **sealed)
        return entry

    def withdraw(self, entry: str, *, on: date, by: str) -> None:
        self._must_hold(entry)
        self.record(self.EntryWithdrawn, entry=entry, on=on, by=by)

    def vet_provider(self, entry: str, *, qualified: bool, on: date, by: str) -> None:
        self._must_hold(entry)
        if self.entries[entry].kind != "rsc" or self.entries[entry].provider:
            raise Invalid("Only a provider of RSC who is not endorsed is vetted.", field="entry")
        self.record(self.ProviderVetted, entry=entry, qualified=qualified, on=on, by=by)

    def record_reviewer_training(self, association: str, *, on: date, by: str) -> None:
        self._must_be_known()
        if self.trained(on):
            raise Invalid("The training as a reviewer is on record already.", field="on")
        self.record(self.TrainedAsReviewer, association=association, on=on, by=by)

    def trained(self, on: date) -> bool:
        """Whether they had been trained as a reviewer by that day (R14)."""
        return self.trained_on is not None and self.trained_on <= on

    def note_likeness(self, other: str, association: str, *, on: date, by: str) -> None:
        if other not in self.likenesses:
            self.record(self.LikenessNoted, other=other, association=association, on=on, by=by)

    def settle_likeness(self, other: str, *, same: bool, on: date, by: str) -> None:
        if other not in self.likenesses:
            raise Invalid("No such question is open about these two people.", field="other")
        self.record(self.LikenessSettled, other=other, same=same, on=on, by=by)

    def write_note(self, about: str, audience: Audience, note: str, *, on: date, by: str) -> None:
        """`about`: the stream of one of the person's cases."""
        self._must_be_known()
        clean = "".join(sign for sign in note if sign.isprintable() or sign in "\n\t").strip()
        if not clean:
            raise Invalid("Write the note.", field="note")
        if len(clean) > LONGEST_NOTE:
            raise Invalid(f"The note is longer than {LONGEST_NOTE} signs; shorten it.", field="note")
        self.record(self.NoteWritten, about=about, audience=audience, note=clean, on=on, by=by)

    def merge(self, other: Person, *, on: date, by: str) -> None:
        """`other` is the duplicate, and remembers it too."""
        self._must_be_known()
        other._must_be_known()
        if other.name == self.name:
            raise Invalid("This is the same record; name another one.", field="into")
        if self.erasure or other.erasure:
            raise OutOfTurn(self.stream, state="to_be_erased", needs=["known"], can=["cancel the erasure"])
        if other.merged:
            raise OutOfTurn(other.stream, state="merged_with_others", needs=["single"],
                            can=["split them first", "merge the other way round"])  # fmt: skip
        other.record(other.MergedInto, into=self.name, on=on, by=by)
        self.record(self.Merged, other=other.name, on=on, by=by)

    def split(self, other: Person, *, on: date, by: str) -> None:
        """Undo the merger of `other` into this."""
        if self.erasure or self.state == "erased":
            raise OutOfTurn(self.stream, state="to_be_erased", needs=["known"], can=["cancel the erasure"])
        if other.name not in self.merged:
            raise Invalid("These two are not merged; look at the person's record.", field="other")
        other.record(other.Split, other=self.name, on=on, by=by)
        self.record(self.Split, other=other.name, on=on, by=by)

    def volunteer(self, told: Demographics, *, on: date, by: str) -> None:
        """Those of before are destroyed: only what somebody says of themselves today is kept."""
        self._must_be_known()
        if wrong := [code for code in told.languages if not _LANGUAGE.fullmatch(code)]:
            raise Invalid(f"Give languages by their codes, such as en or es, not {wrong[0][:20]!r}.", field="languages")
        for field, longest in (("gender", 60), ("own_words", 500)):
            if len(getattr(told, field)) > longest:
                raise Invalid(f"This is longer than {longest} signs; shorten it.", field=field)
        if told == Demographics():
            raise Invalid("Nothing is filled in. To take back what you gave, withdraw it.", field="race_ethnicity")
        self.record(
            self.DemographicsVolunteered,
            keyring=f"{self.name}/demographics/{self.version + 1}",
            race_ethnicity=" ".join(dict.fromkeys(told.race_ethnicity)),
            languages=" ".join(dict.fromkeys(told.languages)),
            gender=" ".join(told.gender.split()),
            own_words=told.own_words.strip(),
            on=on,
            by=by,
        )

    def withdraw_demographics(self, *, on: date, by: str) -> None:
        self._must_be_known()
        if not self.demographics:
            raise OutOfTurn(self.stream, state="without_demographics", needs=["volunteered"], can=["volunteer them"])
        self.record(self.DemographicsWithdrawn, on=on, by=by)

    def choose_listing(self, listing: ProviderListing, *, on: date, by: str) -> None:
        self._must_be_known()
        if wrong := [code for code in listing.languages if not _LANGUAGE.fullmatch(code)]:
            raise Invalid(f"Give languages by their codes, such as en or es, not {wrong[0][:20]!r}.", field="languages")
        listing = msgspec.structs.replace(listing, languages=tuple(dict.fromkeys(listing.languages)))
        if listing != self.listing:
            self.record(self.ProviderListingChosen, listing=listing, on=on, by=by)

    def share(self, number: str, details: Collection[ShareDetail], until: date, link: str, *, on: date, by: str) -> str:
        """The name of a new share. `number`: an endorsement of theirs; `link`: the hash of its code."""
        self._must_be_known()
        if not on <= until <= on + timedelta(days=LONGEST_SHARE_DAYS):
            raise Invalid(f"Name a day from today to {LONGEST_SHARE_DAYS} days from now.", field="until")
        if sum(not share.ended and share.until >= on for share in self.shares.values()) >= MOST_SHARES:
            raise Invalid(f"You have {MOST_SHARES} open links; end one first.", field="number")
        share = f"S{self.version + 1}"
        chosen = tuple(dict.fromkeys(details))
        self.record(self.Shared, share=share, number=number, details=chosen, until=until, link=link, on=on, by=by)
        return share

    def end_share(self, share: str, *, on: date, by: str) -> None:
        self._must_be_known()
        if share not in self.shares or self.shares[share].ended:
            raise Invalid("There is no such link, or it has ended already.", field="share")
        self.record(self.ShareEnded, share=share, on=on, by=by)

    def report_death(self, died_on: date, *, on: date, by: str) -> None:
        self._must_be_known()
        if died_on > on:
            raise Invalid("This day has not come.", field="died_on")
        self.record(self.Died, died_on=died_on, on=on, by=by)

    def request_erasure(self, *, person: str = "", on: date, by: str) -> None:
        """`person`: who asks for it, where that is known."""
        self._must_be_there()
        self._refuse_erasure_unless("")
        self.record(self.ErasureRequested, person=person, on=on, by=by)

    def confirm_erasure(self, *, people: Collection[str] = (), on: date, by: str) -> None:
        """The second person's word; it is carried out seven days later (design section 5).

        `people`: every record of the second person, where they are known; it is another human than who asked.
        """
        self._must_be_there()
        self._refuse_erasure_unless("requested")
        if self.erasure_requested_by == by or self.erasure_requester in people:
            raise Invalid("A second person has to confirm an erasure.", field="by")
        self.record(self.ErasureConfirmed, due=on + timedelta(days=ERASURE_DAYS), on=on, by=by)

    def cancel_erasure(self, *, on: date, by: str) -> None:
        self._must_be_there()
        self._refuse_erasure_unless("requested", "confirmed")
        self.record(self.ErasureCancelled, on=on, by=by)

    def erase(self, *, match: str, address_match: str = "", on: date, by: str) -> None:
        """`match` and `address_match`: the present ones, given back with this."""
        if self.state == "erased":
            self._must_be_known()
        self.record(self.Erased, match=match, address_match=address_match, on=on, by=by)

    def remember_destruction(self, *, on: date, by: str) -> None:
        """After the keys are gone."""
        if self.to_destroy:
            self.record(self.KeysDestroyed, on=on, by=by)

    def erasure_is_due(self, on: date) -> bool:
        return self.state in ("known", "died") and self.erasure == "confirmed" and on >= self.erasure_due

    def _must_be_there(self) -> None:
        """The dead may be forgotten too."""
        if self.state != "died":
            self._must_be_known()

    def _refuse_erasure_unless(self, *states: str) -> None:
        can = {"": ["request an erasure"], "requested": ["confirm it", "cancel it"], "confirmed": ["cancel it"]}
        self.refuse_unless(
            f"erasure_{self.erasure}" if self.erasure else "not_to_be_erased",
            *(f"erasure_{state}" if state else "not_to_be_erased" for state in states),
            can=can[self.erasure],
        )

    def _must_be_known(self) -> None:
        if self.state != "known":
            can = ["act as the record it was merged into", "split"] if self.state == "merged" else []
            raise OutOfTurn(self.stream, state=self.state, needs=["known"], can=can)

    def _must_hold(self, entry: str) -> None:
        self._must_be_known()
        if entry not in self.entries:
            raise Invalid("There is no such entry in the portfolio, or it was withdrawn.", field="entry")

    def _check(self, fact: Entry, on: date) -> None:
        if wrong := fact.wrong():
            raise Invalid(wrong[1], field=wrong[0])
        if fact.through > on:
            raise Invalid("Evidence can't lie in the future; record it when it has happened.", field="through")


def merged_claims(person: str) -> str:
    """The folder of claims of one record: the duplicates merged into it, or `into:` and its survivor."""
    return f"merged/{person}"


INTO = "into:"


def _into(event: Event, survivor: str) -> str:
    return f"{merged_claims(event.originator_id.partition('/')[2])}/{INTO}{survivor}"


def _duplicate(event: Event, other: str) -> str:
    return f"{merged_claims(event.originator_id.partition('/')[2])}/{other}"


_BODY = re.compile(r"[A-Z][A-Za-z0-9-]{1,15}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")


def share_claim(link: str) -> str:
    """The claim of a shared link, by its hash: held by the person who shares."""
    return f"share/{link}"


def member_claim(association: str, record: str) -> str:
    """The claim of a membership record, by its keyed hash: held by the person it is of."""
    return f"member_record/{association}/{record}"


_PLACE = re.compile(r"[A-Z]{2,8}(-[A-Z0-9]{1,3})?|X[1-9]")  # X1 to X9 are made-up places


def place(residence: str) -> str:
    """A residence as its code (`VA`, `IE`, `CA-ON`), never an address: it is not sealed. Raises Invalid."""
    if not _PLACE.fullmatch(residence):
        raise Invalid("Give the state or country by its code, such as VA, IE or CA-ON.", field="residence")
    return residence


def at_address(address_match: str) -> str:
    """The folder of claims that says who has an address; many people may share one."""
    return f"address/{address_match}"


def _at_address(event: Event, address_match: Any) -> tuple[str, ...]:
    if not isinstance(address_match, str) or not address_match:
        return ()
    return (f"{at_address(address_match)}/{event.originator_id.partition('/')[2]}",)


def _matches(match: Any) -> tuple[str, ...]:
    return (f"identity/{match}",) if isinstance(match, str) and match else ()


_SIGNS = set("=()[]{}<>|\\@#$%^*_+~?!;:&\u115f\u1160\u3164\uffa0")  # the last four are letters that show nothing
_JOINERS = {"\u200c", "\u200d"}  # Persian and Indic names need them
_VIRAMA = 9  # the combining class of signs that join letters in Indic scripts
_NEVER = {"Cc", "Cf", "Cn", "Co", "Cs", "So", "Zl", "Zp"}  # controls and marks of direction, unassigned, pictures
LONGEST_NAME = 120


def printable_name(name: str) -> str:
    """A name as given, in NFC with single blanks. Raises Invalid for no name or characters no name has."""
    clean = " ".join(unicodedata.normalize("NFC", name).split())
    if clean.isascii() and clean.replace(" ", "").isalpha() and len(clean) <= LONGEST_NAME:
        return clean
    if not clean:
        raise Invalid("Give the name.", field="name")
    for sign in clean:
        if sign in _SIGNS or (unicodedata.category(sign) in _NEVER and sign not in _JOINERS):
            raise _no_name(sign)
    for word in clean.split():
        _refuse_loose_signs(word)
    if not any(unicodedata.category(sign)[0] == "L" for sign in clean):
        raise Invalid("A name has at least one letter; type the name again.", field="name")
    if len(clean) > LONGEST_NAME:
        raise Invalid(f"The name is longer than {LONGEST_NAME} letters; shorten it as the person wishes.", field="name")
    return clean


def _refuse_loose_signs(word: str) -> None:
    if unicodedata.category(word[0])[0] == "M":
        raise _no_name(word[0])
    for at, sign in enumerate(word):
        if sign in _JOINERS and not _joins(word, at):
            raise _no_name(sign)


def _joins(word: str, at: int) -> bool:
    """Whether a joiner does: between two letters, or shaping the last one, as Malayalam writes it."""
    before, after = word[at - 1 : at], word[at + 1 : at + 2]
    if not before or unicodedata.category(before)[0] not in "LM":
        return False
    return unicodedata.category(after)[0] in "LM" if after else unicodedata.combining(before) == _VIRAMA


def _no_name(sign: str) -> Invalid:
    return Invalid(f"No name has the character U+{ord(sign):04X} there; type the name again.", field="name")
