"""The deeds on people, their memberships and portfolio, as rows."""

from datetime import date
from typing import Any

import msgspec

from domain.errors import Invalid
from domain.event import LateReason
from domain.person import Audience, ProviderListing
from domain.portfolio import Entry
from registry.api.deeds.rows import Body, Deed, P


class NewPerson(Body, frozen=True):
    name: str
    residence: str
    credentials: str = ""
    email: str = ""


class NewName(Body, frozen=True):
    name: str
    credentials: str = ""


class Move(Body, frozen=True):
    residence: str


class Publication(Body, frozen=True):
    listed: bool


class NewMembership(Body, frozen=True):
    association: str
    from_: date = msgspec.field(name="from")
    through: date


class MembershipElsewhere(Body, frozen=True):
    """A membership of `body`, by its abbreviation, which the association takes for its own."""

    association: str
    body: str
    from_: date = msgspec.field(name="from")
    through: date


class MembershipEnd(Body, frozen=True):
    association: str
    through: date


class Listing(ProviderListing, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Whether the public list of providers of RSC shows you, your languages by code, and whether from afar."""

    on: date | None = None
    late: LateReason | None = None


def _listing(body: Listing) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (ProviderListing(**{name: getattr(body, name) for name in ProviderListing.__struct_fields__}),), {}


class NewEntry(Entry, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A portfolio entry; `title` and `provider_name` are kept sealed, `supersedes` names the entry it corrects."""

    title: str = ""
    provider_name: str = ""
    supersedes: str = ""
    on: date | None = None
    late: LateReason | None = None


class Vetting(Body, frozen=True):
    qualified: bool


class Settlement(Body, frozen=True):
    same: bool


class NewNote(Body, frozen=True):
    """`about` is the stream of one of the person's cases, such as `application/nbswy3dp...`; empty: the person."""

    audience: Audience
    note: str
    about: str = ""


def _entry(body: NewEntry) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if body.vetted:
        raise Invalid("A provider is vetted by a coordinator, in a step of its own; leave this out.", field="vetted")
    fact = Entry(**{name: getattr(body, name) for name in Entry.__struct_fields__})
    return (fact,), {"title": body.title, "provider_name": body.provider_name, "supersedes": body.supersedes}


_TRAINING = {"kind": "training", "from": "2026-03-02", "through": "2026-03-03", "hours": 12, "title": "Circle of care"}

DEEDS: tuple[Deed, ...] = (
    Deed("register_person", "/people", "Register a person", NewPerson,
         {"name": "Marisol Fernández-Okafor", "residence": "VA", "credentials": "LMSW", "email": "m@example.org"}),
    Deed("rename_person", f"{P}/names", "Record a new name or new credentials", NewName,
         {"name": "Marisol Okafor", "credentials": "LCSW"}),
    Deed("move_person", f"{P}/residences", "Record where the person lives now", Move, {"residence": "CT"}),
    Deed("choose_publication", f"{P}/publications", "Choose whether the public register shows the name", Publication,
         {"listed": False}),
    Deed("record_membership", f"{P}/memberships", "Record a membership of an association", NewMembership,
         {"association": "VA", "from": "2026-01-01", "through": "2026-12-31"}),
    Deed("verify_membership_elsewhere", f"{P}/memberships-elsewhere", "Verify a membership of another body",
         MembershipElsewhere, {"association": "VA", "body": "WAIMH", "from": "2026-01-01", "through": "2026-12-31"}),
    Deed("end_membership", f"{P}/membership-ends", "Record that a membership ended early", MembershipEnd,
         {"association": "VA", "through": "2026-03-31"}),
    Deed("choose_provider_listing", f"{P}/provider-listings", "Choose whether the public list of providers shows you",
         Listing, {"listed": True, "languages": ["en", "es"], "remote": True}, _listing),
    Deed("record_entry", f"{P}/entries", "Record or correct a portfolio entry", NewEntry, _TRAINING, _entry),
    Deed("withdraw_entry", f"{P}/entries/{{entry}}/withdrawals", "Take this entry back"),
    Deed("vet_provider", f"{P}/entries/{{entry}}/vettings", "Vet a provider of RSC who is not endorsed", Vetting,
         {"qualified": True}),
    Deed("record_reviewer_training", f"{P}/trainings", "Record that they were trained as a reviewer"),
    Deed("settle_likeness", f"{P}/likenesses/{{other}}/settlements", "Say whether two records are one person",
         Settlement, {"same": False}),
    Deed("write_note", f"{P}/notes", "Write a note about one of their cases, for them or for staff only", NewNote,
         {"audience": "staff", "note": "Asked by telephone to be written to in Spanish."}),
)  # fmt: skip
