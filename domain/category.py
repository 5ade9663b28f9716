"""The categories of the Endorsement as codes and titles (`domain.md` 1.2)."""

from collections.abc import Iterable
from datetime import date
from typing import Literal, get_args

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
    introduced: date = date(2002, 1, 1)
    retired: date | None = None

    def in_force(self, on: date) -> bool:
        """Whether it could be earned on a day."""
        return self.introduced <= on and (self.retired is None or on <= self.retired)


# The first endorsements (NM-OVR, CT-END2); early childhood came between 2016 and 2019 (CT-ECMH; the days are ours).
_INFANT, _EARLY = date(2002, 1, 1), date(2016, 1, 1)


def _pair(
    slot: Slot, suffix: str, title: str, scope: str, level: str,
    introduced: date = date.min, retired: date | None = None,
) -> list[Category]:  # fmt: skip
    family = "F" in suffix[:1]
    infant, early = ("I", "EC") if family else ("IM", "ECM")
    return [
        Category(infant + suffix, f"Infant {title}", slot, "IMH-E", scope, level,
                 max(introduced, _INFANT), retired),
        Category(early + suffix, f"Early Childhood {title}", slot, "ECMH-E", scope, level,
                 max(introduced, _EARLY), retired),
    ]  # fmt: skip


_MENTOR = "Mental Health Mentor"
CATEGORIES: dict[str, Category] = {
    category.code: category
    for category in [
        *_pair("FA", "FA", "Family Associate", "promotion", "I"),
        *_pair("FS", "FS", "Family Specialist", "prevention and early intervention", "II"),
        # New in about 2022 (TX-OLD, NC-OVR), retired in 2024 (AZ-REQ, IN-ERS): the days are ours.
        *_pair(
            "FRS",
            "FRS",
            "Family Reflective Supervisor",
            "prevention and provision of RSC",
            "",
            introduced=date(2022, 1, 1),
            retired=date(2024, 12, 31),
        ),
        *_pair("MHS", "HS", "Mental Health Specialist", "clinical intervention and treatment", "III"),
        *_pair("MHM-C", "HM-C", f"{_MENTOR}, Clinical", "leadership", "IV-C"),
        *_pair("MHM-P", "HM-P", f"{_MENTOR}, Policy", "leadership", "IV-P"),
        *_pair("MHM-RF", "HM-RF", f"{_MENTOR}, Research/Faculty", "leadership", "IV-R/F"),
    ]
}
SLOT_TITLES: dict[str, str] = {
    **{c.slot: c.title.removeprefix("Infant ") for c in CATEGORIES.values() if c.credential == "IMH-E"},
    **{str(add_on): title for add_on, title in ADD_ONS.items()},
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


def credentials(held: Iterable[str]) -> Literal["", "IMH-E", "ECMH-E", "IECMH-E"]:
    """What may stand behind the name of who holds these categories as active: IECMH-E for both (MI-OVR)."""
    kinds = {CATEGORIES[category.partition("+")[0]].credential for category in held if category}
    if len(kinds) == len(get_args(Credential)):
        return "IECMH-E"
    return next(iter(kinds), "")


def with_add_on(category: str, add_on: AddOn | None) -> str:
    """The category as a certificate states it: `IFS`, `IFS+ERS`, `IFS+EERS`."""
    return f"{category}+{add_on}" if add_on else category
