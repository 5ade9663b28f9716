"""The categories of the Endorsement as codes and titles (`domain.md` 1.2)."""

from datetime import date
from typing import Literal

import msgspec

Slot = Literal["FA", "FS", "FRS", "MHS", "MHM-C", "MHM-P", "MHM-RF"]
Credential = Literal["IMH-E", "ECMH-E"]
AddOn = Literal["ERS", "EERS"]

ADD_ONS: dict[AddOn, str] = {
    "ERS": "Endorsed Reflective Supervisor",
    "EERS": "Emerging Endorsed Reflective Supervisor",
}


class Category(msgspec.Struct, frozen=True):
    """One category: a slot of practice in one age range."""

    code: str
    title: str
    slot: Slot
    credential: Credential
    scope: str
    level: str
    retired: date | None = None


def _pair(slot: Slot, suffix: str, title: str, scope: str, level: str, retired: date | None = None) -> list[Category]:
    family = "F" in suffix[:1]
    infant, early = ("I", "EC") if family else ("IM", "ECM")
    return [
        Category(infant + suffix, f"Infant {title}", slot, "IMH-E", scope, level, retired),
        Category(early + suffix, f"Early Childhood {title}", slot, "ECMH-E", scope, level, retired),
    ]


_MENTOR = "Mental Health Mentor"
CATEGORIES: dict[str, Category] = {
    category.code: category
    for category in [
        *_pair("FA", "FA", "Family Associate", "promotion", "I"),
        *_pair("FS", "FS", "Family Specialist", "prevention and early intervention", "II"),
        # Retired in 2024 (AZ-REQ, IN-ERS); the day is ours, the sources give the year.
        *_pair(
            "FRS",
            "FRS",
            "Family Reflective Supervisor",
            "prevention and provision of RSC",
            "",
            date(2024, 12, 31),
        ),
        *_pair("MHS", "HS", "Mental Health Specialist", "clinical intervention and treatment", "III"),
        *_pair("MHM-C", "HM-C", f"{_MENTOR}, Clinical", "leadership", "IV-C"),
        *_pair("MHM-P", "HM-P", f"{_MENTOR}, Policy", "leadership", "IV-P"),
        *_pair("MHM-RF", "HM-RF", f"{_MENTOR}, Research/Faculty", "leadership", "IV-R/F"),
    ]
}
CURRENT = tuple(code for code, category in CATEGORIES.items() if category.retired is None)

# Australia names the same slots differently (AU-CAT, AU-GUIDE).
AUSTRALIAN_TITLES: dict[str, str] = {
    "IFA": "Infant Family Worker",
    "IFS": "Infant Family Practitioner",
    "IMHS": "Infant Mental Health Practitioner",
    "IMHM-C": "Infant Mental Health Mentor, Clinical",
    "IMHM-P": "Infant Mental Health Mentor, Policy",
    "IMHM-RF": "Infant Mental Health Mentor, Research/Academic",
}


def with_add_on(category: str, add_on: AddOn | None) -> str:
    """The category as a certificate states it: `IFS`, `IFS+ERS`, `IFS+EERS`."""
    return f"{category}+{add_on}" if add_on else category
