"""Laws over every row of the editions, and the rules of this slice by their names."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given, strategies

from domain.category import CATEGORIES, CURRENT
from domain.editions import (
    EDITIONS,
    PROVIDERS,
    REINSTATEMENTS,
    RENEWALS,
    cycle_due,
    edition_for,
    next_due,
    renewal_edition,
    renewal_window,
)
from domain.errors import NotInForce
from domain.policy import EVERYTHING, Attestation, Requirement, Tally, whole_years
from domain.portfolio import Entry, tally

PLENTY = Tally(training=500, rsc=500, work_days=5000, degree="doctorate", licence=True)
BY_NAME = pytest.mark.parametrize("edition", EDITIONS, ids=lambda e: e.name)


def leaves(requirement: Requirement):
    return [leaf for option in requirement.any_of for leaf in leaves(option)] or [requirement]


@BY_NAME
def test_every_requirement_has_a_source_and_words(edition):
    assert edition.requirements
    for requirement in edition.requirements:
        for leaf in [requirement, *leaves(requirement)]:
            assert leaf.source
            assert leaf.words()


@BY_NAME
def test_an_empty_portfolio_misses_every_requirement(edition):
    assert [gap.requirement for gap in edition.missing(Tally(), EVERYTHING)] == list(edition.requirements)
    assert {gap.edition for gap in edition.missing(Tally(), EVERYTHING)} == {edition.name}


def exactly(edition):
    """What just meets every requirement of an edition, the first of any alternatives."""
    facts = {}
    for requirement in edition.requirements:
        match leaves(requirement)[0]:
            case Requirement(what="degree", level=level):
                facts["degree"] = {"any": "associate"}.get(level, level)
            case Requirement(what="work", amount=amount):
                facts["work_days"] = int(amount)
            case Requirement(what="leadership", amount=amount):
                facts["leadership_days"] = int(amount)
            case Requirement(what="rsc_given", amount=amount):
                facts["rsc_given_days"] = int(amount)
            case Requirement(what="reference", level=level):
                facts["reference_slots"] = (*facts.get("reference_slots", ()), level)
            case Requirement(what="endorsed", of=slots):
                facts["endorsed_slots"] = slots[:1]
            case Requirement(what="exam"):
                facts["exam"] = True
            case Requirement(what=what, amount=amount):
                facts[what] = amount
    return Tally(**facts)


@BY_NAME
def test_exactly_meeting_every_requirement_suffices(edition):
    assert edition.missing(exactly(edition), EVERYTHING) == []


@BY_NAME
def test_a_little_less_of_anything_is_missing_and_named(edition):
    enough = exactly(edition)
    for field, value in msgspec.structs.asdict(enough).items():
        less = {tuple: lambda v: v[1:], bool: lambda v: False, str: lambda v: "", int: lambda v: v - 1}
        if value and field != "judged":
            poorer = msgspec.structs.replace(enough, **{field: less.get(type(value), lambda v: v - 0.5)(value)})
            if gaps := edition.missing(poorer, EVERYTHING):
                assert all(gap.as_dict()["missing"] > 0 for gap in gaps)
            else:
                assert field == "degree"


@given(
    strategies.sampled_from(EDITIONS),
    strategies.builds(
        Tally, training=strategies.floats(0, 60), rsc=strategies.floats(0, 60), work_days=strategies.integers(0, 900),
        internship_days=strategies.integers(0, 500), degree=strategies.sampled_from(["", "cda", "bachelor", "master"]),
        licence=strategies.booleans(),
    ),
    strategies.floats(0, 50), strategies.integers(0, 400),
)  # fmt: skip
def test_more_evidence_never_hurts(edition, adds, hours, days):
    more = msgspec.structs.replace(
        adds, training=adds.training + hours, rsc=adds.rsc + hours, work_days=adds.work_days + days
    )
    missing = {gap.requirement for gap in edition.missing(adds)}
    assert {gap.requirement for gap in edition.missing(more)} <= missing


def test_editions_of_a_slot_follow_each_other():
    for slot, association in {(e.slot, e.association) for e in EDITIONS}:
        days = [e.effective for e in EDITIONS if (e.slot, e.association) == (slot, association)]
        assert days == sorted(set(days))
    for rows in (PROVIDERS, RENEWALS, REINSTATEMENTS):
        for association in {row.association for row in rows}:
            days = [row.effective for row in rows if row.association == association]
            assert len(days) == len(set(days))


def test_r7_family_associate_needs_education_or_work_and_30_hours():
    edition = edition_for("ECFA", date(2026, 1, 1))
    assert edition.missing(Tally(training=30, degree="cda")) == []
    assert edition.missing(Tally(training=30, degree="associate")) == []
    assert edition.missing(Tally(training=30, work_days=730)) == []
    assert [gap.requirement.what for gap in edition.missing(Tally(training=30, work_days=729))] == ["any_of"]
    assert [gap.have for gap in edition.missing(Tally(training=29.5, degree="cda"))] == [29.5]


def test_r8_family_specialist_needs_two_years_work_30_hours_and_24_of_rsc_and_no_degree():
    edition = edition_for("IFS", date(2024, 2, 1))
    assert edition.missing(Tally(training=30, work_days=730, rsc=24)) == []
    (gap,) = edition.missing(Tally(training=30, work_days=730, rsc=23))
    assert (gap.have, gap.need, gap.requirement.source) == (23, 24, "CT-IFS")


def test_r9_r10_a_mental_health_specialist_needs_the_exam_until_the_end_of_2024():
    enough = Tally(training=33, work_days=730, rsc=50, degree="master")
    before, after = edition_for("IMHS", date(2024, 12, 31)), edition_for("IMHS", date(2025, 1, 1))
    assert before.exam.source == "MI-EXAM, CT-UPD25"
    assert after.exam is None
    assert before.missing(enough) == after.missing(enough) == []  # it comes after the review (ALL-EXAM)


def test_r9_a_licence_stands_for_the_degree_and_an_internship_for_one_year_of_work():
    edition = edition_for("ECMHS", date(2025, 1, 1))
    assert edition.missing(Tally(training=33, work_days=365, internship_days=365, rsc=50, licence=True)) == []
    assert edition.missing(Tally(training=33, work_days=365, internship_days=700, rsc=50, licence=True)) == []
    assert [
        g.requirement.what
        for g in edition.missing(Tally(training=33, work_days=300, internship_days=700, rsc=50, licence=True))
    ] == ["work"]


def test_no_edition_before_the_first_and_none_for_a_category_that_is_not_there():
    for category, day in [
        ("IFS", date(2001, 12, 31)),
        ("ECFS", date(2015, 12, 31)),
        ("IFRS", date(2021, 12, 31)),
        ("IFRS", date(2025, 1, 1)),
        ("ERS", date(2023, 12, 31)),
    ]:
        with pytest.raises(NotInForce):
            edition_for(category, day)


@pytest.mark.parametrize("category", CURRENT)
def test_every_current_category_has_an_edition_from_its_first_day_on(category):
    for year in range(CATEGORIES[category].introduced.year, 2035):
        assert edition_for(category, date(year, 1, 1)).slot == CATEGORIES[category].slot


RSC_DAYS = [
    # day, what the provider held, counts
    (date(2022, 6, 1), "IMHS", True),
    (date(2022, 6, 1), "IFRS", True),
    (date(2022, 6, 1), "IFS", False),
    (date(2024, 12, 31), "IMHS", True),
    (date(2025, 1, 1), "IMHS", False),
    (date(2025, 1, 1), "IMHS+ERS", True),
    (date(2025, 1, 1), "IFS+EERS", True),
    (date(2026, 3, 1), "IMHM-C", True),
    (date(2026, 3, 1), "IMHM-P", False),
    (date(2026, 3, 1), "", False),
]


@pytest.mark.parametrize(("day", "held", "counts"), RSC_DAYS)
def test_r12_r13_an_hour_of_rsc_counts_by_what_the_provider_held_on_the_day(day, held, counts):
    entry = Entry(kind="rsc", from_=day, through=day, hours=2, provider="X-1")
    added = tally([("E1", entry)], lambda number, on: held)
    assert (added.rsc == 2) is counts
    (judged,) = added.judged
    assert judged.counts is counts
    assert judged.source


def test_r12_the_provider_must_be_qualified_on_the_first_and_on_the_last_day():
    entry = Entry(kind="rsc", from_=date(2024, 12, 1), through=date(2025, 2, 1), hours=12, provider="IMHS-1")
    assert tally([("E1", entry)], lambda number, on: "IMHS").rsc == 0


def test_r12_peer_supervision_never_counts_for_an_application():
    entry = Entry(kind="rsc", from_=date(2025, 6, 1), through=date(2025, 6, 1), hours=2, provider="M", peer=True)
    assert tally([("E1", entry)], lambda number, on: "IMHM-C").rsc == 0


def test_r13_vetted_providers_count_to_the_end_of_2025():
    last = Entry(kind="rsc", from_=date(2025, 12, 31), through=date(2025, 12, 31), hours=2, vetted=True)
    next_day = msgspec.structs.replace(last, from_=date(2026, 1, 1), through=date(2026, 1, 1))
    unvetted = msgspec.structs.replace(last, vetted=False)
    assert [tally([("E1", e)], lambda n, d: "").rsc for e in (last, next_day, unvetted)] == [2, 0, 0]


def test_days_of_work_are_counted_once_however_many_entries_hold_them():
    one = Entry(kind="work", from_=date(2023, 1, 1), through=date(2023, 12, 31), sector="health")
    two = Entry(kind="work", from_=date(2023, 7, 1), through=date(2024, 6, 30), sector="home_visiting")
    intern = Entry(
        kind="internship", from_=date(2023, 12, 1), through=date(2024, 7, 31), sector="health", provider="IMHS-1"
    )
    added = tally([("E1", one), ("E2", two), ("E3", intern)], lambda n, d: "IMHS")
    assert added.work_days == 547
    assert added.internship_days == 31


def test_r18_due_on_31_december_of_the_next_cycle_year():
    assert cycle_due(date(2023, 5, 1), "VA") == date(2024, 12, 31)
    assert cycle_due(date(2024, 12, 31), "VA") == date(2024, 12, 31)
    assert cycle_due(date(2025, 1, 1), "VA") == date(2027, 12, 31)
    assert cycle_due(date(2024, 3, 1), "RI", submitted_on=date(2024, 1, 5)) == date(2027, 12, 31)
    assert cycle_due(date(2024, 2, 1), "RI", submitted_on=date(2023, 12, 5)) == date(2024, 12, 31)
    assert next_due(date(2027, 12, 31)) == date(2030, 12, 31)
    assert renewal_window(date(2026, 6, 1)) == (date(2027, 10, 1), date(2027, 12, 31))
    assert renewal_window(date(2027, 12, 31)) == (date(2027, 10, 1), date(2027, 12, 31))
    assert renewal_edition(date(2023, 12, 31)).model == "yearly"
    assert renewal_edition(date(2024, 1, 1)).model == "cycle"


FULL = Attestation(
    training_hours=45, rsc_hours=36, rsc_provision_hours=15, dei_hours=3, membership=True, ethics=True, no_sanction=True
)
DUE = date(2027, 12, 31)


def missing(attested, *, slot="FS", ers=False, association="VA", since=date(2024, 12, 1)):
    gaps = renewal_edition(DUE, association).missing(attested, slot=slot, ers=ers, since=since, due=DUE)
    return {gap.what: gap.need for gap in gaps}


def test_r19_a_full_cycle_asks_45_hours_and_36_of_rsc():
    assert missing(FULL) == {}
    assert missing(msgspec.structs.replace(FULL, training_hours=44)) == {"training_hours": 45}
    assert missing(msgspec.structs.replace(FULL, rsc_hours=35)) == {"rsc_hours": 36}
    assert missing(FULL, since=date(2002, 1, 1)) == {}


def test_r19_part_of_a_cycle_asks_whole_years_rounded_down():
    nothing = Attestation(training_hours=0, membership=True, ethics=True, no_sanction=True)
    assert missing(nothing, since=date(2027, 1, 2)) == {}
    assert missing(nothing, since=date(2027, 1, 1)) == {"training_hours": 15, "rsc_hours": 12}
    assert missing(nothing, since=date(2025, 7, 1)) == {"training_hours": 30, "rsc_hours": 24}


def test_r19_an_associate_receives_no_rsc_and_who_provides_it_trains_for_it():
    none = Attestation(training_hours=45, membership=True, ethics=True, no_sanction=True)
    assert missing(none, slot="FA") == {}
    assert missing(none, slot="MHM-P") == {}
    assert missing(none, slot="MHM-C", association="TX") == {"rsc_hours": 36, "rsc_provision_hours": 9}
    assert missing(none, slot="MHM-C", association="PA") == {"rsc_hours": 30, "rsc_provision_hours": 9}
    assert missing(none, slot="FS", ers=True, association="RI") == {
        "rsc_hours": 36,
        "rsc_provision_hours": 15,
        "dei_hours": 3,
    }


def test_r19_three_statements_are_signed_every_time():
    unsigned = Attestation(training_hours=45, rsc_hours=36)
    assert set(missing(unsigned)) == {"membership", "ethics", "no_sanction"}


@given(strategies.dates(date(2000, 1, 1), date(2030, 12, 31)), strategies.integers(0, 4000))
def test_whole_years_never_count_a_day_too_many(since, days):
    until = since + timedelta(days=days)
    years = whole_years(since, until)
    assert 0 <= years <= days / 365
    if years:
        assert (since.replace(year=since.year + years) if (since.month, since.day) != (2, 29) else since) <= until


def test_r9_an_internship_counts_under_a_specialist_or_clinical_mentor_only():
    intern = Entry(
        kind="internship", from_=date(2024, 1, 1), through=date(2024, 12, 31), sector="behavioral_health", provider="X"
    )
    for held, days in (("IMHS", 366), ("ECMHM-C", 366), ("IFS", 0), ("", 0)):
        assert tally([("E1", intern)], lambda number, on, held=held: held).internship_days == days
    assert tally([("E1", msgspec.structs.replace(intern, provider=""))], lambda n, d: "IMHS").internship_days == 0


def test_r12_nobody_is_their_own_provider():
    entry = Entry(kind="rsc", from_=date(2025, 6, 1), through=date(2025, 6, 1), hours=2, provider="IMHS-ME")
    (judged,) = tally([("E1", entry)], lambda n, d: "IMHS+ERS", own=["IMHS-ME"]).judged
    assert (judged.counts, judged.reason) == (False, "own")


def test_r12_the_provider_is_qualified_on_every_day_between():
    entry = Entry(kind="rsc", from_=date(2025, 1, 1), through=date(2025, 12, 31), hours=50, provider="M")
    away = date(2025, 6, 1)
    (judged,) = tally([("E1", entry)], lambda n, day: "" if day == away else "IMHM-C").judged
    assert (judged.counts, judged.day) == (False, away)
    assert "2025-06-01" in judged.why


def test_r12_hours_of_before_2010_count_by_the_rule_of_then():
    entry = Entry(kind="rsc", from_=date(2009, 5, 1), through=date(2009, 5, 1), hours=2, provider="M")
    assert tally([("E1", entry)], lambda n, d: "IMHS").rsc == 2


def test_exactly_enough_hours_are_enough_however_they_are_split():
    entries = [
        (f"E{n}", Entry(kind="rsc", from_=date(2025, 5, n), through=date(2025, 5, n), hours=2.4, provider="M"))
        for n in range(1, 11)
    ]
    assert tally(entries, lambda n, d: "IMHM-C").rsc == 24
