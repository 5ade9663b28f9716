"""The rows: every rule of this slice with its source, by effective date; drafts until all are carried.

Sources are the keys of `domain.md` section 13; *ours* marks a decision of this project.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import count
from typing import Protocol, TypeVar

from domain.category import CATEGORIES
from domain.errors import NotInForce
from domain.policy import (
    Edition,
    Practice,
    ProviderRule,
    ReferenceRule,
    ReferenceSlot,
    ReinstatementEdition,
    RenewalEdition,
    Requirement,
)

_TWO_YEARS = 730

EDITIONS: tuple[Edition, ...] = (
    # R7. Education or work, not both. The day is ours: the texts are of 2022 and later.
    Edition(
        "FA-2022",
        "FA",
        date(2022, 1, 1),
        (
            Requirement(
                "any_of",
                source="IN-CAT",
                any_of=(
                    Requirement("degree", level="any", source="CT-ECFA"),
                    Requirement("degree", level="cda", source="CT-ECFA"),
                    Requirement("work", amount=_TWO_YEARS, source="IN-CAT"),
                ),
            ),
            Requirement("training", amount=30, source="CT-ECFA"),
        ),
    ),
    # R8. No degree since 2023 ("by 2023-24", CT-IFS; the day is ours).
    Edition(
        "FS-2023",
        "FS",
        date(2023, 1, 1),
        (
            Requirement("work", amount=_TWO_YEARS, source="CT-IFS"),
            Requirement("training", amount=30, source="CT-IFS"),
            Requirement("rsc", amount=24, source="CT-IFS"),
        ),
    ),
    # R10. Before 2025 the exam was required; hours as MI-RSC and IN-CAT give them (the day is ours).
    Edition(
        "MHS-2023",
        "MHS",
        date(2023, 1, 1),
        (
            Requirement("work", amount=_TWO_YEARS, internship=365, source="CT-UPD25"),
            Requirement("degree", level="master", source="IN-CAT"),
            Requirement("training", amount=30, source="IN-CAT"),
            Requirement("rsc", amount=50, source="IN-CAT"),
            Requirement("exam", source="MI-EXAM"),
        ),
    ),
    # R9. No exam; a Master's or a licence; at most one year of internship. Counts on the day of submission (design 10).
    Edition(
        "MHS-2025",
        "MHS",
        date(2025, 1, 1),
        (
            Requirement("work", amount=_TWO_YEARS, internship=365, source="CT-UPD25"),
            Requirement(
                "any_of",
                source="CT-UPD25",
                any_of=(
                    Requirement("degree", level="master", source="CT-UPD25"),
                    Requirement("licence", source="CT-UPD25"),
                ),
            ),
            Requirement("training", amount=33, source="CT-UPD25"),
            Requirement("rsc", amount=50, source="IN-CAT"),
        ),
    ),
)

_RECEIVES = frozenset({"FS", "FRS", "MHS", "MHM-C"})

RENEWALS: tuple[RenewalEdition, ...] = (
    # R19: 15 h training and 12 h RSC a year, capped at three years. RSC provision 9 h (PA-REN2, TX-REN2),
    # 15 h in Rhode Island (RI-REN2); DEI 3 h in Rhode Island. No part is known elsewhere: none is asked (ours).
    RenewalEdition(
        name="renewal-2024",
        effective=date(2024, 1, 1),
        training_a_year=15,
        rsc_a_year=12,
        rsc_slots=_RECEIVES,
        source="NE-POL, TX-REN2, RI-REN2",
        rsc_provision={"PA": 9, "TX": 9, "RI": 15},
        dei={"RI": 3},
    ),
)

# R18: 2024, 2027, 2030 and every third year after (NE-POL, TX-REN2).
FIRST_CYCLE, CYCLE_EVERY = 2024, 3

# Rhode Island: submitted in a cycle year, due in the next one (RI-REN2).
LATER_FIRST_RENEWAL = frozenset({"RI"})

# R13 and `domain.md` 2.6. Days before 2025 are Connecticut's (CT-IFS) and Michigan's (MI-RSC).
PROVIDERS: tuple[ProviderRule, ...] = (
    # Before October 2010 meeting the criteria was enough: a vetted provider (MI-2010). From the first award on.
    ProviderRule(date(2002, 1, 1), frozenset({"MHS", "MHM-C"}), frozenset(), vetted=True, source="MI-2010"),
    ProviderRule(date(2010, 10, 1), frozenset({"MHS", "MHM-C"}), frozenset(), vetted=True, source="MI-2010, MI-RSC"),
    ProviderRule(
        date(2022, 1, 1),
        frozenset({"FRS", "MHS", "MHM-C"}),
        frozenset(),
        vetted=True,
        source="CT-IFS, MI-RSC",
    ),
    # To the end of 2024 an MHS may still provide (AZ-POL); Connecticut's earlier end is a row of the next issue.
    ProviderRule(
        date(2024, 1, 1),
        frozenset({"FRS", "MHS", "MHM-C"}),
        frozenset({"ERS", "EERS"}),
        vetted=True,
        source="AZ-POL, IN-ERS",
    ),
    ProviderRule(
        date(2025, 1, 1),
        frozenset({"MHM-C"}),
        frozenset({"ERS", "EERS"}),
        vetted=True,
        source="TX-REN2, AZ-POL",
    ),
    ProviderRule(date(2026, 1, 1), frozenset({"MHM-C"}), frozenset({"ERS", "EERS"}), vetted=False, source="TX-REN2"),
)

# `domain.md` 4.4: at most two years inactive for one grant (IAITMH).
INACTIVE_YEARS = 2
# R22, the new rule. The day is that of the three-year cycle (ours); the old rule with references is a later row.
REINSTATEMENTS: tuple[ReinstatementEdition, ...] = (
    ReinstatementEdition("reinstatement-2024", date(2024, 1, 1), training=15, rsc_slots=_RECEIVES, source="NE-POL"),
)
# R9: one year of internship counts if its supervisor is a Mental Health Specialist or a clinical mentor (CT-UPD25).
INTERNSHIP_SUPERVISORS, INTERNSHIP_SOURCE = frozenset({"MHS", "MHM-C"}), "CT-UPD25"
# Design section 10 (ours): a standing may be disputed within 14 days.
DISPUTE_DAYS = 14
# Ours: a rater's link is good for 90 days, and the rater is reminded 14 and 28 days after it was sent.
RATING_LINK_DAYS = 90
RATING_REMINDER_DAYS = (14, 28)

# R4, R5: the places of the references. "Every category: one from the current supervisor" (PA-REF) and what each
# category's pages name beside it; the rest in those lists is who may fill the other places. 2002: the days are ours.
_REFERENCES_SINCE = date(2002, 1, 1)
_SUPERVISOR = ReferenceSlot("supervisor", "the current supervisor", "PA-REF", frozenset({"supervisor"}))
_RSC_PROVIDER = ReferenceSlot(
    "rsc_provider", "the provider of reflective supervision/consultation", "IN-IMHS", frozenset({"rsc_provider"})
)
_RSC_RECEIVER = ReferenceSlot(
    "rsc_receiver", "somebody who receives reflective supervision/consultation from the applicant", "IN-IMHM",
    frozenset({"rsc_receiver"}),
)  # fmt: skip
_ALL_SLOTS = frozenset({"FA", "FS", "FRS", "MHS", "MHM-C", "MHM-P", "MHM-RF"})
_KNOWS_THE_WORK = ReferenceSlot(
    "knows_the_work", "a colleague, parent, teacher, CDA mentor or board member", "MI-ECFA",
    frozenset({"colleague", "parent", "teacher", "cda_mentor", "board_member"}),
)  # fmt: skip
_FAMILY_THIRD = ReferenceSlot(
    "knows_the_work", "a teacher, trainer, consultant or parent", "MI-IFSOLD",
    frozenset({"teacher", "trainer", "consultant", "parent"}),
)  # fmt: skip
_SPECIALIST_THIRD = ReferenceSlot(
    "knows_the_work", "another supervisor, teacher, trainer, consultant, provider of RSC, colleague or supervisee",
    "OK-L3",
    frozenset({"supervisor", "teacher", "trainer", "consultant", "rsc_provider", "colleague", "rsc_receiver"}),
)  # fmt: skip


def _qualified(endorsed_in: frozenset[str], source: str) -> ReferenceSlot:
    return ReferenceSlot(
        "qualified", "somebody endorsed, or vetted as familiar with the Guidelines", source,
        qualified=True, endorsed_in=endorsed_in,
    )  # fmt: skip


REFERENCES: tuple[ReferenceRule, ...] = (
    # Older: endorsed at level II, III or IV (MI-ECFA, MN); newer: in any category. The day is that of FA-2022 (ours).
    ReferenceRule("references-FA-2002", "FA", _REFERENCES_SINCE,
                  (_SUPERVISOR, _qualified(_ALL_SLOTS - {"FA"}, "MN"), _KNOWS_THE_WORK), "MN"),
    ReferenceRule("references-FA-2022", "FA", date(2022, 1, 1),
                  (_SUPERVISOR, _qualified(_ALL_SLOTS, "MI-ECFA"), _KNOWS_THE_WORK), "MI-ECFA"),
    ReferenceRule("references-FS", "FS", _REFERENCES_SINCE, (_SUPERVISOR, _RSC_PROVIDER, _FAMILY_THIRD), "MI-IFSOLD"),
    # Not seen for the Family Reflective Supervisor: as the Family Specialist (ours).
    ReferenceRule("references-FRS", "FRS", _REFERENCES_SINCE, (_SUPERVISOR, _RSC_PROVIDER, _FAMILY_THIRD), "ours"),
    ReferenceRule("references-MHS", "MHS", _REFERENCES_SINCE, (_SUPERVISOR, _RSC_PROVIDER, _SPECIALIST_THIRD), "OK-L3"),
    ReferenceRule("references-MHM-C", "MHM-C", _REFERENCES_SINCE, (_SUPERVISOR, _RSC_PROVIDER, _RSC_RECEIVER), "OK-L4"),
    # Three, but who was not seen (`domain.md` 2.4): the supervisor and two of anybody (ours).
    *(
        ReferenceRule(f"references-{slot}", slot, _REFERENCES_SINCE,
                      (_SUPERVISOR, *(ReferenceSlot(name, "anybody who knows the work", "ours")
                                      for name in ("second", "third"))), "ours")
        for slot in ("MHM-P", "MHM-RF")
    ),
    # Two: a reflective supervisor or consultant, and a supervisee or consultee.
    ReferenceRule("references-ERS", "ERS", date(2024, 1, 1), (_RSC_PROVIDER, _RSC_RECEIVER), "IN-ERS"),
)  # fmt: skip


class _Dated(Protocol):
    @property
    def effective(self) -> date: ...


_Row = TypeVar("_Row", bound=_Dated)


def _latest(rows: Iterable[_Row], on: date) -> _Row | None:
    return max((row for row in rows if row.effective <= on), key=lambda row: row.effective, default=None)


def practice(association: str, on: date) -> Practice:  # noqa: ARG001 # the rows come next
    """What an association practises on a day: its own rows over the defaults."""
    return Practice()


def edition_for(category: str, on: date) -> Edition:
    """The edition of a category's requirements in force on a day. Raises NotInForce."""
    retired = CATEGORIES[category].retired
    slot = CATEGORIES[category].slot
    found = _latest((e for e in EDITIONS if e.slot == slot), on)
    if found is None or (retired and on > retired):
        raise NotInForce(f"An edition of requirements for {category}", on)
    return found


def provider_rule(on: date) -> ProviderRule | None:
    """Who was a qualified provider of RSC on a day; None before any known rule."""
    return _latest(PROVIDERS, on)


def reference_rule(category: str, on: date) -> ReferenceRule | None:
    """The places of references for a category, or for the add-on it names last (`ERS`, `IFS+ERS`); None: no rule."""
    wanted = category.rpartition("+")[2]
    slot = CATEGORIES[wanted].slot if wanted in CATEGORIES else wanted
    return _latest((rule for rule in REFERENCES if rule.slot == slot), on)


def cycle_years() -> Iterator[int]:
    return count(FIRST_CYCLE, CYCLE_EVERY)


def renewal_edition(on: date) -> RenewalEdition | None:
    """The renewal rules of a day; None before the three-year cycle, which the next issue carries."""
    return _latest(RENEWALS, on)


def renewal_window(on: date) -> tuple[date, date]:
    """The window that is open on a day or opens next: 1 October to 31 December of a cycle year (R18)."""
    year = next(year for year in cycle_years() if year >= on.year)
    return date(year, 10, 1), date(year, 12, 31)


def reinstatement_edition(on: date) -> ReinstatementEdition | None:
    """The reinstatement rules of a day; None before the first row."""
    return _latest(REINSTATEMENTS, on)


def cycle_due(awarded_on: date, association: str, submitted_on: date | None = None) -> date:
    """The last good day of a new award: 31 December of the next cycle year (R18, RI-REN2)."""
    first = awarded_on.year
    if association in LATER_FIRST_RENEWAL and submitted_on:
        first = max(first, submitted_on.year + 1)
    return date(next(year for year in cycle_years() if year >= first), 12, 31)


def next_due(after: date) -> date:
    """31 December of the first cycle year after a day's year (R18)."""
    return date(next(year for year in cycle_years() if year > after.year), 12, 31)
