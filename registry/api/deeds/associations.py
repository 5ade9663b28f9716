"""The deeds on associations, as rows."""

from datetime import date
from typing import Any, Literal

import msgspec

from domain.association import DateCustom, Licence, LicenceReason
from registry.api.deeds.rows import Body, C, Deed


class Admission(Body, frozen=True):
    """Of a member this registry knows, nothing need be said; of another one, at least place, name and zone."""

    licence: Licence = "endorsement"
    jurisdiction: str = ""
    name: str = ""
    abbreviation: str = ""
    zone: str = ""
    source: str = ""
    reviewers: Literal[0, 1, 2] = 0
    offers: tuple[str, ...] = ()
    titles: dict[str, str] = {}
    dates: DateCustom | None = None
    paper: Literal["us-letter", "a4"] | None = None


class Name(Body, frozen=True):
    name: str
    abbreviation: str


class Offer(Body, frozen=True):
    """`title`: its own name for the category; `from`: a first day that is still to come."""

    category: str
    title: str = ""
    from_: date | None = msgspec.field(name="from", default=None)


class Withdrawal(Body, frozen=True):
    category: str
    from_: date | None = msgspec.field(name="from", default=None)


class Reviewers(Body, frozen=True):
    reviewers: Literal[1, 2]


class Coordinator(Body, frozen=True):
    """`coordinator`: the id of their key, never a name."""

    coordinator: str


class NewLicence(Body, frozen=True):
    licence: Licence


class LicenceTurn(Body, frozen=True):
    reason: LicenceReason


def _admission(body: Admission) -> tuple[tuple[Any, ...], dict[str, Any]]:
    told = {name: getattr(body, name) for name in body.__struct_fields__ if name not in ("on", "late", "licence")}
    return (told,), {"licence": body.licence}


DEEDS: tuple[Deed, ...] = (
    Deed("admit", f"{C}/admissions", "Admit an association", Admission,
         {"jurisdiction": "Georgia", "name": "Georgia Association for Infant Mental Health", "abbreviation": "GA-AIMH",
          "zone": "America/New_York"}, _admission, rule="admit_association"),
    Deed("rename_association", f"{C}/names", "Give an association a new name", Name,
         {"name": "Virginia Association for Early Relational Health", "abbreviation": "VAERH"}),
    Deed("offer_category", f"{C}/offers", "Offer a category, under a title of its own if it has one", Offer,
         {"category": "ECFS", "from": "2027-01-01"}),
    Deed("withdraw_category", f"{C}/withdrawals", "Offer a category no longer", Withdrawal, {"category": "ECFS"}),
    Deed("change_reviewers", f"{C}/reviewers", "Say how many review an application", Reviewers, {"reviewers": 2}),
    Deed("appoint_coordinator", f"{C}/coordinators", "Appoint a coordinator", Coordinator, {"coordinator": "k3f9"}),
    Deed("stand_down_coordinator", f"{C}/stood-down", "A coordinator stands down", Coordinator,
         {"coordinator": "k3f9"}),
    Deed("grant_licence", f"{C}/licences", "Grant the licence: Guidelines only, or Endorsement", NewLicence,
         {"licence": "endorsement"}),
    Deed("suspend_licence", f"{C}/licence-suspensions", "Suspend the licence: nothing new, renewals go on",
         LicenceTurn, {"reason": "fees_unpaid"}),
    Deed("resume_licence", f"{C}/licence-resumptions", "Resume a suspended licence"),
    Deed("end_licence", f"{C}/licence-ends", "End the licence: what it holds passes to the Alliance", LicenceTurn,
         {"reason": "own_wish"}),
    Deed("take_over_people", f"{C}/take-overs", "Take over its people whom the Alliance holds"),
)  # fmt: skip
