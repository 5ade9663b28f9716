"""The rows: every rule of the Endorsement, everywhere and at single associations, by effective date.

`source` names keys of `domain.md` section 13, *ours* a decision of this project; `day` says the same of the day a row
begins, where `source` does not say it. Where only a later text is known, its row is carried back to 2002 (day: ours).
A row that has decided anything is frozen (`tests/vectors/editions.json`): a changed rule is a new row.

A row of one association stands over the rows for all, until a row `for_all` ends it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import count
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from domain.category import ADD_ONS, CATEGORIES
from domain.errors import NotInForce
from domain.policy import (
    Edition,
    Fee,
    FeeKind,
    Hours,
    Parameter,
    Practice,
    ProviderRule,
    ReferenceRule,
    ReferenceSlot,
    ReinstatementEdition,
    RenewalEdition,
    Requirement,
    Term,
)

FIRST_DAY = date(2002, 1, 1)
"""Michigan launches the Endorsement in 2002 (NM-OVR, CT-END2); the day is ours."""

_TWO_YEARS, _THREE_YEARS = 730, 1095
_CURRENT_SLOTS = ("FA", "FS", "MHS", "MHM-C", "MHM-P", "MHM-RF")
_ENDORSED = frozenset({*_CURRENT_SLOTS, "FRS"})

# --- references -------------------------------------------------------------------------------------------------------

# R4, R5: the places of the references. "Every category: one from the current supervisor" (PA-REF) and what each
# category's pages name beside it; the rest in those lists is who may fill the other places. 2002: the days are ours.
_SUPERVISOR = ReferenceSlot("supervisor", "the current supervisor", "PA-REF", frozenset({"supervisor"}))
_GUIDE = ReferenceSlot(
    "guide", "a supervisor, teacher, trainer or consultant", "OK-L3",
    frozenset({"supervisor", "teacher", "trainer", "consultant"}),
)  # fmt: skip
_MENTOR_GUIDE = ReferenceSlot(
    "guide", "a supervisor, teacher, trainer, consultant or colleague", "OK-L4",
    frozenset({"supervisor", "teacher", "trainer", "consultant", "colleague"}),
)  # fmt: skip
_RSC_PROVIDER = ReferenceSlot(
    "rsc_provider", "the provider of reflective supervision/consultation", "IN-IMHS", frozenset({"rsc_provider"})
)
_RSC_RECEIVER = ReferenceSlot(
    "rsc_receiver", "somebody who receives reflective supervision/consultation from the applicant", "IN-IMHM",
    frozenset({"rsc_receiver"}),
)  # fmt: skip
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
    ReferenceRule("references-FA-2002", "FA", FIRST_DAY,
                  (_SUPERVISOR, _qualified(_ENDORSED - {"FA"}, "MN"), _KNOWS_THE_WORK), "MN"),
    ReferenceRule("references-FA-2022", "FA", date(2022, 1, 1),
                  (_SUPERVISOR, _qualified(_ENDORSED, "MI-ECFA"), _KNOWS_THE_WORK), "MI-ECFA"),
    ReferenceRule("references-FS", "FS", FIRST_DAY, (_SUPERVISOR, _RSC_PROVIDER, _FAMILY_THIRD), "MI-IFSOLD"),
    # Not seen for the Family Reflective Supervisor: as the Family Specialist (ours).
    ReferenceRule("references-FRS", "FRS", FIRST_DAY, (_SUPERVISOR, _RSC_PROVIDER, _FAMILY_THIRD), "ours"),
    ReferenceRule("references-MHS", "MHS", FIRST_DAY, (_SUPERVISOR, _RSC_PROVIDER, _SPECIALIST_THIRD), "OK-L3"),
    ReferenceRule("references-MHM-C", "MHM-C", FIRST_DAY, (_SUPERVISOR, _RSC_PROVIDER, _RSC_RECEIVER), "OK-L4"),
    # Oklahoma and Indiana: the first one may be a teacher, trainer or consultant too.
    *(
        ReferenceRule(f"references-MHS-{association}", "MHS", FIRST_DAY,
                      (replace(_GUIDE, source=source), _RSC_PROVIDER, _SPECIALIST_THIRD), source,
                      association=association)
        for association, source in (("IN", "IN-IMHS"), ("OK", "OK-L3"))
    ),
    # For a clinical Mentor a colleague too.
    *(
        ReferenceRule(f"references-MHM-C-{association}", "MHM-C", FIRST_DAY,
                      (replace(_MENTOR_GUIDE, source=source), _RSC_PROVIDER, _RSC_RECEIVER), source,
                      association=association)
        for association, source in (("IN", "IN-IMHM"), ("OK", "OK-L4"))
    ),
    # Three, but who was not seen (`domain.md` 2.4): the supervisor and two of anybody (ours).
    *(
        ReferenceRule(f"references-{slot}", slot, FIRST_DAY,
                      (_SUPERVISOR, *(ReferenceSlot(name, "anybody who knows the work", "ours")
                                      for name in ("second", "third"))), "ours")
        for slot in ("MHM-P", "MHM-RF")
    ),
    # Two: a reflective supervisor or consultant, and a supervisee or consultee.
    ReferenceRule("references-ERS", "ERS", date(2024, 1, 1), (_RSC_PROVIDER, _RSC_RECEIVER), "IN-ERS"),
)  # fmt: skip

# --- requirements of each category ------------------------------------------------------------------------------------


def _references(name: str) -> tuple[Requirement, ...]:
    """As many references as a rule has places, and each place filled (R4, R5)."""
    rule = next(rule for rule in REFERENCES if rule.name == name)
    places = (Requirement("reference", level=p.name, label=p.words, source=p.source) for p in rule.slots)
    return Requirement("references", amount=len(rule.slots), source=rule.source), *places


_FA = (
    # Education or work, not both (R7).
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
)
_FS = (
    Requirement("work", amount=_TWO_YEARS, source="CT-IFS"),
    Requirement("training", amount=30, source="CT-IFS"),
    Requirement("rsc", amount=24, source="CT-IFS"),
)
_GIVES = (
    Requirement("rsc_given", amount=365, source="IN-ERS"),
    Requirement("rsc_about_given", amount=12, source="IN-ERS"),
    Requirement("rsc_provision", amount=15, source="IN-ERS"),
)
_ERS = (*_GIVES, *_references("references-ERS"))
_MHS_WORK = Requirement("work", amount=_TWO_YEARS, internship=365, source="CT-UPD25")
_MASTER = Requirement("degree", level="master", source="IN-CAT")
_MENTOR_MASTER = Requirement("degree", level="master", source="CT-IMHM")
_MENTOR_EXAM = Requirement("exam", source="ALL-EXAM, CT-UPD25")
_CLINICAL = (
    _MENTOR_MASTER,
    replace(_MHS_WORK, source="CT-IMHM, CT-UPD25"),
    Requirement("rsc_given", amount=_THREE_YEARS, source="CT-IMHM"),
    Requirement("leadership", amount=_THREE_YEARS, source="IN-IMHM"),
    Requirement("rsc", amount=50, source="IN-IMHM, MI-RSC"),
    Requirement("rsc_about_given", amount=25, source="IN-IMHM"),
    *_references("references-MHM-C"),
    _MENTOR_EXAM,
)
_LEADING = (
    _MENTOR_MASTER,
    Requirement("leadership", amount=_THREE_YEARS, source="CT-IMHM, IN-IMHM"),
    *_references("references-MHM-P"),
    _MENTOR_EXAM,
)
_MENTOR_NOTE = (
    "Before 2024 no floor of training for Mentors is in the sources: 30 hours as for the other categories (ours)."
)


def _attached(*slots: str, source: str) -> Requirement:
    return Requirement("endorsed", of=slots, source=source)


_ROWS: tuple[Edition, ...] = (
    Edition(
        "FA-2002",
        "FA",
        FIRST_DAY,
        (*_FA, *_references("references-FA-2002")),
        note="Text of 2022 and before: the qualified rater is endorsed in category II, III or IV, or vetted.",
    ),
    Edition(
        "FA-2022",
        "FA",
        date(2022, 1, 1),
        (*_FA, *_references("references-FA-2022")),
        note="The qualified rater is endorsed in any category, or vetted.",
    ),
    Edition(
        "FS-2002",
        "FS",
        FIRST_DAY,
        (Requirement("degree", level="bachelor", source="AL, KS, HI"), *_FS, *_references("references-FS")),
        note="Text of before 2023, with a degree.",
    ),
    Edition(
        "FS-2023",
        "FS",
        date(2023, 1, 1),
        (*_FS, *_references("references-FS")),
        note="No degree required by 2023-24 (CT-IFS); Australia speaks of changes of 2022 (AU-STEPS).",
    ),
    Edition(
        "FRS-2022",
        "FRS",
        date(2022, 1, 1),
        (*_FS, *_GIVES, *_references("references-FRS")),
        note="No text of its own requirements was seen: those of FS and ERS, which it became in 2024 (ours).",
    ),
    Edition(
        "MHS-2002",
        "MHS",
        FIRST_DAY,
        (
            _MHS_WORK,
            _MASTER,
            Requirement("training", amount=30, source="IN-CAT"),
            Requirement("rsc", amount=50, source="IN-CAT, MI-RSC"),
            *_references("references-MHS"),
            Requirement("exam", source="MI-EXAM, CT-UPD25"),
        ),
        note="The exam is required before 2025-01-01 (R10).",
    ),
    Edition(
        "MHS-2025",
        "MHS",
        date(2025, 1, 1),
        (
            _MHS_WORK,
            Requirement(
                "any_of",
                source="CT-UPD25",
                any_of=(
                    Requirement("degree", level="master", source="CT-UPD25"),
                    Requirement("licence", source="CT-UPD25"),
                ),
            ),
            Requirement("training", amount=33, source="CT-UPD25"),
            Requirement("rsc", amount=50, source="IN-CAT, MI-RSC"),
            *_references("references-MHS"),
        ),
        day="CT-UPD25",
        note="No exam (R9). What counts is the day of submission (design section 10, ours).",
    ),
    Edition(
        "MHM-C-2002",
        "MHM-C",
        FIRST_DAY,
        (*_CLINICAL, Requirement("training", amount=30, source="ours")),
        note=_MENTOR_NOTE,
    ),
    Edition(
        "MHM-C-2024",
        "MHM-C",
        date(2024, 1, 1),
        (
            *_CLINICAL,
            Requirement("training", amount=48, source="CT-CHG, CT-IMHM"),
            Requirement("rsc_provision", amount=15, source="CT-CHG, CT-IMHM"),
            Requirement("dei", amount=3, source="CT-CHG, CT-IMHM"),
        ),
        day="CT-CHG",
    ),
    *(
        edition
        for slot in ("MHM-P", "MHM-RF")
        for edition in (
            Edition(
                f"{slot}-2002",
                slot,
                FIRST_DAY,
                (*_LEADING, Requirement("training", amount=30, source="ours")),
                note=_MENTOR_NOTE,
            ),
            Edition(
                f"{slot}-2024",
                slot,
                date(2024, 1, 1),
                (
                    *_LEADING,
                    Requirement("training", amount=33, source="CT-CHG, CT-IMHM"),
                    Requirement("dei", amount=3, source="CT-CHG, CT-IMHM"),
                ),
                day="CT-CHG",
            ),
        )
    ),
    # Add-ons (`domain.md` 2.5). The year is in the sources, the day is ours.
    Edition("ERS-2024", "ERS", date(2024, 1, 1), (_attached("FS", "MHS", source="IN-ERS, AZ-REQ"), *_ERS)),
    Edition("EERS-2024", "EERS", date(2024, 1, 1), (_attached("FS", "MHS", source="IN-ERS, AZ-REQ"),)),
    # Rhode Island words it as an add-on to any category (RI-APP); a clinical Mentor provides without.
    Edition(
        "ERS-2025-RI", "ERS", date(2025, 1, 1), (_attached(*_CURRENT_SLOTS, source="RI-APP"), *_ERS), association="RI"
    ),
    Edition("EERS-2025-RI", "EERS", date(2025, 1, 1), (_attached(*_CURRENT_SLOTS, source="RI-APP"),), association="RI"),
)


def _guided(association: str, *names: str) -> Iterator[Edition]:
    """Oklahoma and Indiana: another first place among the references of a Specialist and of a clinical Mentor."""
    for row in _ROWS:
        if row.name in names:
            kept = (requirement for requirement in row.requirements if not requirement.what.startswith("reference"))
            asked = (*kept, *_references(f"references-{row.slot}-{association}"))
            yield replace(row, name=f"{row.name}-{association}", association=association, requirements=asked)


EDITIONS: tuple[Edition, ...] = (
    *_ROWS,
    *_guided("IN", "MHS-2002", "MHS-2025", "MHM-C-2002", "MHM-C-2024"),
    *_guided("OK", "MHS-2002", "MHS-2025", "MHM-C-2002", "MHM-C-2024"),
)

# --- renewal ----------------------------------------------------------------------------------------------------------

_RECEIVES = ("FS", "FRS", "MHS", "MHM-C")


def _training(source: str) -> Hours:
    return Hours("training_hours", 15, source)


def _rsc(source: str, *slots: str, ers: bool = False) -> Hours:
    return Hours("rsc_hours", 12, source, slots=slots or _RECEIVES, ers=ers)


def _seasoned(source: str) -> Hours:
    """A clinical Mentor of three years and more needs ten; peers count for it."""
    return Hours("rsc_hours", 10, source, slots=("MHM-C",), after_years=3)


def _provision(a_year: float, source: str, *slots: str) -> Hours:
    return Hours("rsc_provision_hours", a_year, source, slots=slots or ("MHM-C",), ers=True)


def _dei(source: str) -> Hours:
    return Hours("dei_hours", 1, source)


_YEARLY = RenewalEdition(
    name="renewal-2002",
    effective=FIRST_DAY,
    model="yearly",
    hours=(_training("MI-POL, TN-POL"),),
    source="MI-POL, TN-POL",
    due_source="TX-OLDREN, TN-POL",
    first_renewal="year_after_award",
    first_source="MI-REN, TX-OLDREN",
    note="Before each association's own year no RSC is asked; before 2023 no part of the hours (ours).",
)
# 2023: an hour of DEI (CT-CHG, PA-REN, MI-REN), RSC and its provision as the pages of the last yearly years have them.
# RSC began between 2019 and 2024, by association; where its year is not known it is asked from 2023 (ours).
_PAGES = "MI-POL, TN-POL, PA-REN"
_YEARLY_2023 = replace(
    _YEARLY,
    name="renewal-2023",
    effective=date(2023, 1, 1),
    hours=(
        _training(_PAGES),
        _provision(3, "MI-POL, PA-REN", "FRS", "MHM-C"),
        _dei("CT-CHG, PA-REN, MI-REN"),
        _rsc(_PAGES),
        _seasoned(_PAGES),
    ),
    day="CT-CHG",
    note="RSC where an association's own year is not known: the day is ours.",
)


def _at(row: RenewalEdition, association: str, year: int = 0, **changed: Any) -> RenewalEdition:
    effective = date(year, 1, 1) if year else row.effective
    return replace(
        row,
        name=f"renewal-{effective.year}-{association}",
        association=association,
        effective=effective,
        note=changed.pop("note", ""),
        **changed,
    )


_AZ: dict[str, Any] = {"due": (12, 15), "grace": (1, 31), "due_source": "AZ-REN, AZ-POL"}
_MI: dict[str, Any] = {"due": (1, 31), "grace": (2, 28), "due_source": "MI-POLOLD"}
_NM: dict[str, Any] = {"grace": (3, 31), "due_source": "NM-REN"}
_SC: dict[str, Any] = {"due": (1, 31), "grace": (2, 28), "due_source": "SC-REN"}
_PA: dict[str, Any] = {"due": (1, 31), "due_source": "PA-REN"}
_CYCLE = RenewalEdition(
    name="renewal-2024",
    effective=date(2024, 1, 1),
    model="cycle",
    hours=(_training("NE-POL, TX-REN2, PA-REN2, RI-REN2"), _rsc("TX-REN2, RI-REN2, NE-POL", ers=True)),
    source="NE-POL, TX-REN2",
    due_source="NE-POL, TX-REN2",
    day="NE-POL",
    first_renewal="next_cycle",
    first_source="NE-POL",
    note="Where no part of the hours is known, none is asked (ours).",
    for_all=True,
)
RENEWALS: tuple[RenewalEdition, ...] = (
    _YEARLY,
    _YEARLY_2023,
    _at(_YEARLY, "AZ", **_AZ, note="A late fee from the due day on."),
    _at(_YEARLY_2023, "AZ", **_AZ, hours=(
        _training("AZ-REN"), _provision(3, "MI-POL, PA-REN", "FRS", "MHM-C"), _dei("CT-CHG, PA-REN, MI-REN"),
        _rsc("AZ-REN"), _seasoned(_PAGES),
    ), note="RSC for renewals for 2023."),
    _at(_YEARLY, "CT", 2019, hours=(_training(_PAGES), _rsc("CT-RS", "FS", "MHS", "MHM-C")), day="CT-RS"),
    _at(_YEARLY_2023, "CT", hours=(
        _training(_PAGES), _provision(3, "MI-POL, PA-REN", "FRS", "MHM-C"), _dei("CT-CHG"),
        _rsc("CT-RS"), _seasoned(_PAGES),
    )),
    _at(_YEARLY, "MA", 2020, hours=(_training(_PAGES), _rsc("MA-RS", "FS", "MHS", "MHM-C")), day="MA-RS"),
    _at(_YEARLY_2023, "MA", hours=(
        _training(_PAGES), _provision(3, "MI-POL, PA-REN", "FRS", "MHM-C"), _dei("CT-CHG, PA-REN, MI-REN"),
        _rsc("MA-RS"), _seasoned(_PAGES),
    )),
    _at(_YEARLY, "MI", **_MI, note="E-mails in February."),
    _at(_YEARLY_2023, "MI", due_source="MI-REN", note="The late fee after 1 January is for reinstatement."),
    _at(_YEARLY, "NM", **_NM, note="Later the due day was 30 January; the last good day is the same."),
    _at(_YEARLY, "NM", 2019, **_NM, hours=(_training("NM-REN"), _rsc("NM-REN", "MHS", "MHM-C")), day="NM-REN"),
    _at(_YEARLY_2023, "NM", **_NM),
    _at(_YEARLY, "PA", **_PA, note="No grace was seen."),
    _at(_YEARLY_2023, "PA", **_PA),
    _at(_YEARLY, "SC", **_SC, note="A reviewer's or advisor's service counts for up to 7 of the 15 hours."),
    _at(_YEARLY_2023, "SC", **_SC, note="A reviewer's or advisor's service counts for up to 7 of the 15 hours."),
    _at(_YEARLY_2023, "TN", hours=(
        _training("TN-POL"), _provision(3, "MI-POL, PA-REN", "FRS", "MHM-C"), _rsc("TN-POL"), _seasoned("TN-POL"),
    ), note="An hour of DEI only from 2024 on."),
    _at(_YEARLY_2023, "VA", hours=(
        _training("VA-REN"), _provision(3, "MI-POL, PA-REN", "FRS", "MHM-C"), _dei("CT-CHG, PA-REN, MI-REN"),
    ), note="RSC only from December 2024 on."),
    _CYCLE,
    _at(_CYCLE, "PA", for_all=False, hours=(
        _training("PA-REN2"), _rsc("PA-REN2", ers=True), _seasoned("PA-REN2"), _provision(3, "PA-REN2"),
    )),
    _at(_CYCLE, "TX", for_all=False, hours=(
        _training("TX-REN2"), _rsc("TX-REN2", ers=True), _provision(3, "TX-REN2"),
    )),
    _at(_CYCLE, "RI", for_all=False, hours=(
        _training("RI-REN2"), _rsc("RI-REN2", ers=True), _provision(5, "RI-REN2"), _dei("RI-REN2"),
    ), first_renewal="cycle_after_submission", first_source="RI-REN2"),
)  # fmt: skip

# R18: 2024, 2027, 2030 and every third year after (NE-POL, TX-REN2).
FIRST_CYCLE, CYCLE_EVERY = 2024, 3

# --- providers of RSC -------------------------------------------------------------------------------------------------

# R12, R13 and `domain.md` 2.6. A Bachelor's-prepared IFS may use a Master's-prepared one before 2024 (MI-RSC): the
# association vets that provider.
_SPECIALISTS, _MENTORS = ("MHS", "MHM-C"), ("MHM-C",)
PROVIDERS: tuple[ProviderRule, ...] = (
    ProviderRule(
        FIRST_DAY,
        _SPECIALISTS,
        (),
        vetted=True,
        source="MI-2010",
        note="Meeting the criteria was enough: a vetted one.",
    ),
    ProviderRule(
        date(2010, 10, 1), _SPECIALISTS, (), vetted=True, source="MI-2010, MI-RSC", day="MI-2010", mentors=_MENTORS
    ),
    ProviderRule(date(2022, 1, 1), ("FRS", *_SPECIALISTS), (), vetted=True, source="CT-IFS, MI-RSC", mentors=_MENTORS),
    ProviderRule(
        date(2024, 1, 1),
        ("FRS", *_SPECIALISTS),
        ("ERS", "EERS"),
        vetted=True,
        source="AZ-POL, IN-ERS",
        note="A Specialist without ERS provides to the end of 2024.",
    ),
    ProviderRule(
        date(2024, 4, 1),
        ("FRS", "MHM-C"),
        ("ERS", "EERS"),
        vetted=True,
        source="CT-IFS",
        association="CT",
        note="A Specialist had until April 2024 to be followed by a Reflective Supervisor or a clinical Mentor.",
    ),
    ProviderRule(
        date(2025, 1, 1),
        ("MHM-C",),
        ("ERS", "EERS"),
        vetted=True,
        source="TX-REN2, AZ-POL, IN-ERS",
        day="AZ-POL",
        for_all=True,
    ),
)
# R9: one year of internship counts if its supervisor is a Mental Health Specialist or a clinical mentor (CT-UPD25).
INTERNSHIP_SUPERVISORS, INTERNSHIP_SOURCE = frozenset({"MHS", "MHM-C"}), "CT-UPD25"

# --- reinstatement ----------------------------------------------------------------------------------------------------

# R22: the new rule is Nebraska's, for all from the three-year cycle on (ours); the old one with references before.
REINSTATEMENTS: tuple[ReinstatementEdition, ...] = (
    ReinstatementEdition(
        name="reinstatement-2002",
        effective=FIRST_DAY,
        source="MI-POL, TN-POL, NM-REN, SC-REN2, IAITMH",
        references=3,
        statements=("membership",),
        fee="processing",
        audit=False,
        note="What was learned since is added to the portfolio; no exam, no formal review (TN-POL, SC-REN2).",
    ),
    ReinstatementEdition(
        name="reinstatement-2024",
        effective=date(2024, 1, 1),
        source="NE-POL",
        training=15,
        rsc_slots=_RECEIVES,
        statements=("membership", "ethics", "audit"),
        fee="reinstatement",
        audit=True,
    ),
)

# --- fees -------------------------------------------------------------------------------------------------------------

# `domain.md` 3.3 and 4.3. The pages do not say since when: 2024, or the yearly years for what belongs to them (ours).
# What is not here is not known, and is never guessed (New Mexico's 35/50 is of two kinds that were not named).
_SINCE, _BEFORE = date(2024, 1, 1), date(2023, 12, 31)


def _application_fees(
    association: str, source: str, amounts: dict[str, tuple[int, int | None]], currency: str = "USD"
) -> Iterator[Fee]:
    for slot, (registration, processing) in amounts.items():
        for one in ("MHM-C", "MHM-P", "MHM-RF") if slot == "MHM" else (slot,):
            yield Fee(association, "registration", registration, source, _SINCE, slot=one, currency=currency)
            if processing is not None:
                yield Fee(association, "processing", processing, source, _SINCE, slot=one, currency=currency)


FEES: tuple[Fee, ...] = (
    Fee("AZ", "membership", 60, "AZ-FAQ", _SINCE),
    Fee("WA", "membership", 80, "WA-PROC", _SINCE),
    Fee("VA", "membership", 60, "VA-REN", _SINCE),
    *_application_fees("AZ", "AZ-FAQ", {"FA": (15, 25), "FS": (20, 100), "MHS": (25, 200), "MHM": (25, 300)}),
    *_application_fees(
        "CT", "CT-FAQ", {"FA": (15, 25), "FS": (15, 100), "MHS": (25, 300), "MHM": (25, 400), "ERS": (20, 150)}
    ),
    *_application_fees("NY", "NY-STEPS", {"FA": (15, 25), "FS": (15, 100), "MHS": (25, 300), "MHM": (25, 400)}),
    Fee("RI", "registration", 25, "RI-APP24", _SINCE),
    Fee("WA", "registration", 25, "WA-PROC", _SINCE),
    Fee("AU", "registration", 50, "AU-STEPS", _SINCE, currency="AUD"),
    # The exam is the Alliance's, everywhere the same (VA-EXAM).
    Fee("", "exam", 200, "VA-EXAM", _SINCE),
    Fee("VA", "renewal", 40, "VA-REN", FIRST_DAY, until=_BEFORE),
    Fee("AZ", "renewal", 25, "AZ-REN", FIRST_DAY, until=_BEFORE),
    Fee("AZ", "late_renewal", 35, "AZ-REN", FIRST_DAY, until=_BEFORE),
    Fee("MI", "renewal", 30, "MI-REN", date(2023, 1, 1), until=_BEFORE),
    Fee("MI", "late_renewal", 25, "MI-REN", date(2023, 1, 1), until=_BEFORE),
    Fee("NM", "late_renewal", 20, "NM-REN", FIRST_DAY, until=_BEFORE),
    Fee("SC", "late_renewal", 25, "SC-REN", FIRST_DAY, until=_BEFORE),
    Fee("RI", "renewal", 0, "RI-REN2", _SINCE),
    Fee("PA", "renewal", 0, "PA-REN", _SINCE),
    Fee("NE", "reinstatement", 25, "NE-POL", _SINCE),
    Fee("IN", "reactivation", 25, "IAITMH", FIRST_DAY),
)

# --- what rests on one page, or on us ---------------------------------------------------------------------------------

PRACTICES: tuple[Parameter, ...] = (
    Parameter("one_at_a_time", True, "AZ-POL", "R3"),
    Parameter("membership_needed", True, "CT-PORT, MI-POLOLD", "R2"),
    Parameter("reference_valid_days", 365, "PA-REF", "R5"),
    Parameter("reference_most_unknown", 5, "MI-REF, OR-REF, NC-REF", "R5"),
    Parameter("ratings_shown", "relayed_reasons", "WA-FAQ", "R27"),
    Parameter("ratings_shown", "content", "OR-REF", "R27", association="OR"),
    Parameter("ratings_shown", "content", "MI-REF", "R27", association="MI"),
    Parameter("all_reviewers_agree", True, "TX-REV", "R15"),
    Parameter("exam_most_wrong", 12, "ALL-EXAM, RI-EXAM", "R16"),
    Parameter("exam_items", 60, "ALL-EXAM, RI-EXAM", "R16"),
    Parameter("exam_part_2_pass", 80, "AK-EXAM", "R16"),
    Parameter("exam_approval_years", 1, "VA-EXAM", "R16"),
    Parameter("exam_retakes", 1, "ours", "R16"),
    Parameter("exam_months", tuple(range(2, 12)), "VA-EXAM", "R16"),
    Parameter("competencies_block", False, "ours"),
    Parameter("hours_shared", True, "MI-REN", "R20"),
    Parameter("inactive_years", 2, "IAITMH", "R23"),
    Parameter("emeritus_offered", True, "ours"),
    Parameter("open_application_months", 24, "ours"),
    Parameter("appeal_days", 60, "ours"),
    Parameter("audit_share", 0.05, "ours", "R28"),
    Parameter("vetted_providers_until", date(2025, 12, 31), "TX-REN2", "R13", day="TX-REN2"),
)
# Design section 10 (ours): a standing may be disputed within 14 days.
DISPUTE_DAYS = 14
# Ours: a rater's link is good for 90 days, and the rater is reminded 14 and 28 days after it was sent.
RATING_LINK_DAYS = 90
RATING_REMINDER_DAYS = (14, 28)


def all_rows() -> dict[str, Any]:
    """Every row of every table by its name."""
    tables: tuple[tuple[Any, ...], ...] = (EDITIONS, REFERENCES, RENEWALS, PROVIDERS, REINSTATEMENTS, FEES, PRACTICES)
    return {row.name: row for table in tables for row in table}


# --- finding the row of a day -----------------------------------------------------------------------------------------


class _Dated(Protocol):
    @property
    def effective(self) -> date: ...
    @property
    def association(self) -> str: ...
    @property
    def for_all(self) -> bool: ...


_Row = TypeVar("_Row", bound=_Dated)


def _of(rows: Iterable[_Row], association: str) -> tuple[_Row, ...]:
    """The rows an association goes by, in order: those for all, until its own begin, until one for all ends those."""
    found: list[_Row] = []
    own = False
    # On one day a row for all comes before an association's own, so that its own stands.
    for row in sorted(rows, key=lambda row: (row.effective, bool(row.association))):
        if row.association not in ("", association) or (own and not row.association and not row.for_all):
            continue
        own = bool(row.association)
        found.append(row)
    return tuple(found)


def _on(rows: Sequence[_Row], on: date) -> _Row | None:
    found = bisect_right(rows, on, key=lambda row: row.effective)
    return rows[found - 1] if found else None


@cache
def _editions_of(slot: str, association: str) -> tuple[Edition, ...]:
    return _of((row for row in EDITIONS if row.slot == slot), association)


def edition_for(category: str, on: date, association: str = "") -> Edition:
    """The edition of a category's (or an add-on's) requirements in force on a day at an association.

    Raises NotInForce before the first edition, and for a category not yet or no longer there.
    """
    found = None
    if category in ADD_ONS:
        found = _on(_editions_of(category, association), on)
    elif CATEGORIES[category].in_force(on):
        found = _on(_editions_of(CATEGORIES[category].slot, association), on)
    if found is None:
        raise NotInForce(f"An edition of requirements for {category}", on)
    return found


def attaches(add_on: str, category: str, on: date, association: str = "") -> bool:
    """Whether an add-on may be attached to a category on a day."""
    found = _on(_editions_of(add_on, association), on)
    return found is not None and CATEGORIES[category].slot in found.attaches_to


@cache
def provider_rules(association: str = "") -> tuple[ProviderRule, ...]:
    """Every provider rule an association goes by, in order, each until the next."""
    rules: list[ProviderRule] = []
    rows = _of(PROVIDERS, association)
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        rules.append(row)
        end = _row_of("vetted_providers_until", row.effective, association)
        vetted_until: date = end.value
        if row.vetted and vetted_until < row.effective:
            rules[-1] = replace(row, vetted=False)
        elif row.vetted and (following is None or vetted_until + timedelta(days=1) < following.effective):
            later = replace(
                row, effective=vetted_until + timedelta(days=1), vetted=False, source=end.source, day=end.day,
                association=end.association or row.association,
            )  # fmt: skip
            rules.append(later)
    return tuple(rules)


def provider_rule(on: date, association: str = "") -> ProviderRule | None:
    """Who was a qualified provider of RSC on a day, for applicants of an association; None before any known rule."""
    return _on(provider_rules(association), on)


@cache
def _reinstatements(association: str) -> tuple[ReinstatementEdition, ...]:
    return _of(REINSTATEMENTS, association)


def reinstatement_edition(on: date, association: str = "") -> ReinstatementEdition | None:
    """The reinstatement rules of a day; None before the first row."""
    return _on(_reinstatements(association), on)


@cache
def _reference_rules(slot: str, association: str) -> tuple[ReferenceRule, ...]:
    return _of((row for row in REFERENCES if row.slot == slot), association)


def reference_rule(category: str, on: date, association: str = "") -> ReferenceRule | None:
    """The places of references for a category, or for the add-on it names last (`ERS`, `IFS+ERS`); None: no rule."""
    wanted = category.rpartition("+")[2]
    return _on(_reference_rules(CATEGORIES[wanted].slot if wanted in CATEGORIES else wanted, association), on)


@cache
def _fees(association: str, what: FeeKind, slot: str) -> tuple[Fee, ...]:
    return tuple(
        row for row in FEES if row.association in ("", association) and row.what == what and row.slot in ("", slot)
    )


def fee(association: str, what: FeeKind, on: date, slot: str = "") -> Fee | None:
    """What something costs on a day; None where it is not known."""
    found = [
        row for row in _fees(association, what, slot) if row.effective <= on and (row.until is None or on <= row.until)
    ]
    return max(found, key=lambda row: (bool(row.association), bool(row.slot), row.effective), default=None)


# --- practice ---------------------------------------------------------------------------------------------------------

_PRACTICE_DAYS = sorted({row.effective for row in PRACTICES})


def practice(association: str, on: date) -> Practice:
    """What an association practises on a day: its own rows over the defaults."""
    return _practice(association, max(bisect_right(_PRACTICE_DAYS, on), 1))


@cache
def _practice(association: str, days: int) -> Practice:
    on = _PRACTICE_DAYS[days - 1]
    rows = (_row_of(name, on, association) for name in Practice.__struct_fields__)
    return Practice(**{row.field: row.value for row in rows})


def practice_rows(association: str, on: date) -> list[Parameter]:
    """The row behind each field of an association's practice on a day."""
    return [_row_of(name, on, association) for name in Practice.__struct_fields__]


def _row_of(field: str, on: date, association: str) -> Parameter:
    rows = [
        row
        for row in PRACTICES
        if row.field == field and row.association in ("", association) and row.effective <= max(on, FIRST_DAY)
    ]
    return max(rows, key=lambda row: (bool(row.association), row.effective))


# --- when renewals are due --------------------------------------------------------------------------------------------


@cache
def _renewals(association: str) -> tuple[RenewalEdition, ...]:
    return _of(RENEWALS, association)


def cycle_years() -> Iterator[int]:
    return count(FIRST_CYCLE, CYCLE_EVERY)


@cache
def _term(year: int, association: str) -> Term | None:
    """The renewal for a year, if there is one: each year under the yearly model, cycle years under the other."""
    edition = _on(_renewals(association), date(year, 12, 31))
    if edition is None or (edition.model == "cycle" and (year - FIRST_CYCLE) % CYCLE_EVERY):
        return None
    opens = date(year, *edition.opens)
    due = _day_of(edition.due, opens)
    return Term(year, opens, due, _day_of(edition.grace, due) if edition.grace else due, edition)


def _day_of(month_and_day: tuple[int, int], after: date) -> date:
    """The first such day on or after another; the end of February is its last day in a leap year too."""
    for year in (after.year, after.year + 1):
        day = date(year, 3, 1) - timedelta(days=1) if month_and_day == (2, 28) else date(year, *month_and_day)
        if day >= after:
            return day
    raise AssertionError(month_and_day)


def _terms(year: int, association: str) -> Iterator[Term]:
    return (term for each in count(max(year, FIRST_DAY.year)) if (term := _term(each, association)))


def renewal_term(on: date, association: str = "") -> Term:
    """The renewal whose window is open on a day, or opens next."""
    return next(term for term in _terms(on.year - 1, association) if term.through >= on)


def renewal_edition(on: date, association: str = "") -> RenewalEdition:
    """The renewal rules that count on a day: those of the renewal that is open then, or opens next."""
    return renewal_term(on, association).edition


def renewal_window(on: date, association: str = "") -> tuple[date, date]:
    """The window that is open on a day or opens next: its first day, and the last good day with grace (R18)."""
    term = renewal_term(on, association)
    return term.opens, term.through


def cycle_due(awarded_on: date, association: str, submitted_on: date | None = None) -> date:
    """The last good day of a new award, grace included (R18; RI-REN2; yearly: the end of the next year, MI-REN)."""
    for term in _terms(awarded_on.year, association):
        year = awarded_on.year
        match term.edition.first_renewal:
            case "year_after_award":
                year += 1
            case "cycle_after_submission" if submitted_on:
                year = max(year, submitted_on.year + 1)
        if term.year >= year:
            return term.through
    raise AssertionError


def next_due(after: date, association: str = "") -> date:
    """The last good day of the renewal after one that ends on a day, grace included (R18)."""
    return next(term.through for term in _terms(after.year - 1, association) if term.through > after)
