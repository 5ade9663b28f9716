"""Laws over every row of the rules, and that no row that has decided is ever changed."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from domain import rules
from domain.association import ROWS
from domain.category import ADD_ONS, CATEGORIES, CURRENT
from domain.editions import (
    EDITIONS,
    FEES,
    FIRST_DAY,
    PRACTICES,
    PROVIDERS,
    REFERENCES,
    REINSTATEMENTS,
    RENEWALS,
    all_rows,
    cycle_due,
    edition_for,
    fee,
    next_due,
    practice,
    provider_rule,
    reference_rule,
    reinstatement_edition,
    renewal_term,
)
from domain.errors import Invalid, NotInForce
from domain.policy import Attestation, Practice, Reinstatement, Requirement, Tally
from domain.rules import as_dict, in_force

FROZEN = Path(__file__).parents[1] / "vectors" / "editions.json"
SLOTS = {category.slot for category in CATEGORIES.values()} | set(ADD_ONS)
# The keys of our list of sources that rows may name; *ours* marks a decision of this project.
KEYS = {"ours", *(Path(__file__).parents[1] / "vectors" / "sources.txt").read_text().split()}
EACH = pytest.mark.parametrize("row", all_rows().values(), ids=all_rows())


def digest(row):
    return hashlib.sha256(msgspec.json.encode(row, order="sorted")).hexdigest()


def test_a_row_that_has_decided_is_frozen_add_a_new_row_instead():
    frozen = json.loads(FROZEN.read_text())
    rows = {name: digest(row) for name, row in all_rows().items()}
    changed = [name for name, was in frozen.items() if rows.get(name) != was]
    assert changed == [], "these rows may have decided something: add a new row instead, with a day of its own"
    assert [name for name in rows if name not in frozen] == [], "freeze the new rows: python tools/rules.py --freeze"


def sources(row):
    """Every source a row names, of itself and of its parts."""
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if name in ("source", "day", "due_source", "first_source"):
            yield from value.split(", ")
        for part in value if isinstance(value, tuple) else ():
            if isinstance(part, msgspec.Struct):
                yield from sources(part)


@EACH
def test_every_row_and_every_part_of_it_names_its_source(row):
    named = list(sources(row))
    assert named
    assert [key for key in named if key not in KEYS] == []


@EACH
def test_no_row_names_what_does_not_exist(row):
    assert row.association in ("", *ROWS)
    assert row.effective >= FIRST_DAY
    assert {getattr(row, "slot", "")} <= SLOTS | {""}
    slots = [s for name in ("slots", "mentors", "rsc_slots") for s in getattr(row, name, ()) if isinstance(s, str)]
    assert set(slots) <= SLOTS
    assert set(getattr(row, "add_ons", ())) <= set(ADD_ONS)


def test_names_of_rows_are_told_apart():
    tables = (EDITIONS, RENEWALS, REFERENCES, PROVIDERS, REINSTATEMENTS, FEES, PRACTICES)
    assert len(all_rows()) == sum(len(table) for table in tables)


@pytest.mark.parametrize("association", ["", *ROWS])
def test_on_every_day_since_2002_exactly_one_row_of_each_kind_counts(association):
    day = FIRST_DAY
    while day < date(2032, 1, 1):
        for category in CURRENT:
            if CATEGORIES[category].in_force(day):
                assert edition_for(category, day, association).slot == CATEGORIES[category].slot
        assert provider_rule(day, association)
        assert reinstatement_edition(day, association)
        assert renewal_term(day, association).through >= day
        day += timedelta(days=97)


def leaves(requirement: Requirement):
    return [leaf for option in requirement.any_of for leaf in leaves(option)] or [requirement]


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.name)
def test_amounts_are_positive_and_parts_are_within_their_whole(edition):
    amounts = {leaf.what: leaf.amount for r in edition.requirements for leaf in leaves(r)}
    assert all(amount >= 0 for amount in amounts.values())
    if "training" in amounts:
        assert amounts.get("dei", 0) + amounts.get("rsc_provision", 0) <= amounts["training"]
    if "rsc" in amounts:
        assert amounts.get("rsc_about_given", 0) <= amounts["rsc"]
    assert len(edition.reference_slots) <= amounts.get("references", 0)


@pytest.mark.parametrize("renewal", RENEWALS, ids=lambda renewal: renewal.name)
def test_hours_of_a_renewal_are_positive_and_within_the_training_of_a_year(renewal):
    hours = {h.what: h.a_year for h in renewal.hours}
    assert min(hours.values()) > 0
    assert hours.get("dei_hours", 0) + hours.get("rsc_provision_hours", 0) <= hours["training_hours"]
    assert renewal.cap_years >= 1
    assert (renewal.effective.month, renewal.effective.day) == (1, 1)


@pytest.mark.parametrize("association", ["", *ROWS])
def test_r18_one_renewal_follows_the_other_and_each_is_open_before_it_is_due(association):
    before = date(2002, 1, 1)
    for _ in range(30):
        term = renewal_term(before, association)
        assert before <= term.through
        assert term.opens < term.due <= term.through
        assert next_due(term.through, association) > term.through
        before = term.through + timedelta(days=1)
    assert renewal_term(date(2027, 5, 1), association).through == date(2027, 12, 31)


@pytest.mark.parametrize(
    ("association", "due", "through"),
    [
        ("", date(2015, 12, 31), date(2015, 12, 31)),
        ("TX", date(2015, 12, 31), date(2015, 12, 31)),
        ("AZ", date(2015, 12, 15), date(2016, 1, 31)),
        ("MI", date(2016, 1, 31), date(2016, 2, 29)),
        ("NM", date(2015, 12, 31), date(2016, 3, 31)),
        ("SC", date(2016, 1, 31), date(2016, 2, 29)),
        ("PA", date(2016, 1, 31), date(2016, 1, 31)),
    ],
)
def test_r18_the_last_good_day_of_the_yearly_years_has_the_grace_of_the_association(association, due, through):
    term = renewal_term(date(2015, 11, 1), association)
    assert (term.year, term.due, term.through) == (2015, due, through)
    assert cycle_due(date(2014, 3, 1), association) == through


def test_r18_an_award_of_2020_is_first_renewed_at_the_end_of_2021():
    assert cycle_due(date(2020, 3, 1), "TX") == date(2021, 12, 31)


NOTHING = Attestation(training_hours=0, membership=True, ethics=True, no_sanction=True)


def yearly(on, association, slot="FS", held_since=date(2020, 1, 1)):
    term = renewal_term(on, association)
    gaps = term.edition.missing(NOTHING, slot=slot, ers=False, since=date(2022, 1, 1), due=term.due,
                                held_since=held_since)  # fmt: skip
    return {gap.what: (gap.need, gap.edition) for gap in gaps}


@pytest.mark.parametrize(
    ("association", "year", "asks_rsc"),
    [("CT", 2018, False), ("CT", 2019, True), ("MA", 2019, False), ("MA", 2020, True), ("NM", 2019, False),
     ("AZ", 2022, False), ("AZ", 2023, True), ("VA", 2023, False), ("TX", 2023, True)],
)  # fmt: skip
def test_r19_rsc_is_asked_from_each_associations_own_year_on(association, year, asks_rsc):
    assert ("rsc_hours" in yearly(date(year, 12, 1), association)) is asks_rsc


def test_r19_new_mexico_asked_specialists_and_clinical_mentors_first():
    assert yearly(date(2019, 12, 1), "NM", "MHS")["rsc_hours"] == (12, "renewal-2019-NM")


def test_r19_an_hour_of_dei_is_asked_in_2023_but_not_in_tennessee():
    assert yearly(date(2023, 12, 1), "MI")["dei_hours"][0] == 1
    assert "dei_hours" not in yearly(date(2023, 12, 1), "TN")
    assert "dei_hours" not in yearly(date(2022, 12, 1), "MI")


def test_r19_a_clinical_mentor_of_three_years_receives_ten_hours_a_year():
    assert yearly(date(2023, 12, 1), "TX", "MHM-C")["rsc_hours"][0] == 10
    assert yearly(date(2023, 12, 1), "TX", "MHM-C", held_since=date(2022, 6, 1))["rsc_hours"][0] == 12


def test_r11_a_clinical_mentor_needs_48_hours_from_2024_with_their_parts():
    before, after = edition_for("IMHM-C", date(2023, 12, 31)), edition_for("IMHM-C", date(2024, 1, 1))
    asks = {r.what: r.amount for r in after.requirements}
    assert (asks["training"], asks["rsc_provision"], asks["dei"]) == (48, 15, 3)
    assert (asks["rsc"], asks["rsc_about_given"], asks["leadership"]) == (50, 25, 1095)
    assert {r.what: r.amount for r in before.requirements}["training"] == 30
    assert before.exam
    assert after.exam


@pytest.mark.parametrize("category", ["IMHM-P", "ECMHM-P", "IMHM-RF", "ECMHM-RF"])
def test_r11_other_mentors_need_33_hours_no_rsc_and_the_exam(category):
    edition = edition_for(category, date(2024, 1, 1))
    asks = {r.what: r.amount for r in edition.requirements}
    assert (asks["training"], asks["dei"]) == (33, 3)
    assert "rsc" not in asks
    assert edition.exam


def test_r8_a_family_specialist_needed_a_degree_before_2023():
    enough = Tally(training=30, work_days=730, rsc=24)
    assert [gap.requirement.what for gap in edition_for("IFS", date(2022, 12, 31)).missing(enough)] == ["degree"]
    assert edition_for("IFS", date(2023, 1, 1)).missing(enough) == []


def test_r5_in_oklahoma_and_indiana_a_teacher_may_stand_for_the_supervisor_of_a_specialist():
    assert edition_for("IMHS", date(2026, 1, 1), "OK").reference_slots[0] == "guide"
    assert edition_for("IMHS", date(2026, 1, 1), "IN").reference_slots[0] == "guide"
    assert edition_for("IMHS", date(2026, 1, 1), "VA").reference_slots[0] == "supervisor"


def test_r5_in_oklahoma_and_indiana_a_colleague_may_stand_for_the_supervisor_of_a_clinical_mentor():
    for association, first in (("OK", "guide"), ("IN", "guide"), ("VA", "supervisor")):
        rule = reference_rule("IMHM-C", date(2026, 1, 1), association)
        assert rule.slots[0].name == first
        assert ("colleague" in rule.slots[0].relationships) is (first == "guide")
        assert edition_for("IMHM-C", date(2026, 1, 1), association).reference_slots[0] == first


@pytest.mark.parametrize(
    ("day", "association", "held", "counts"),
    [
        (date(2024, 3, 31), "CT", "IMHS", True),
        (date(2024, 4, 1), "CT", "IMHS", False),
        (date(2024, 4, 1), "VA", "IMHS", True),
        (date(2024, 4, 1), "CT", "IFRS", True),
        (date(2024, 6, 1), "CT", "IFS+ERS", True),
        (date(2025, 1, 1), "CT", "IFS+ERS", True),
        (date(2024, 12, 31), "VA", "IMHS", True),
        (date(2025, 1, 1), "VA", "IMHS", False),
    ],
)
def test_r12_r13_in_connecticut_a_specialist_provided_to_april_2024(day, association, held, counts):
    assert provider_rule(day, association).accepts(held) is counts


def test_r12_a_clinical_mentor_was_once_provided_for_by_another_only():
    rule = provider_rule(date(2015, 1, 1))
    assert (rule.accepts("IMHS", "MHS"), rule.accepts("IMHS", "MHM-C"), rule.accepts("IMHM-C", "MHM-C")) == (
        True, False, True,
    )  # fmt: skip


def test_r13_vetted_providers_end_with_2025():
    assert provider_rule(date(2025, 12, 31)).vetted
    assert not provider_rule(date(2026, 1, 1)).vetted


def test_r22_reinstatement_asks_three_new_references_before_2024_and_hours_after():
    nothing = Reinstatement(training_hours=0)
    old = reinstatement_edition(date(2023, 12, 31), "TN")
    new = reinstatement_edition(date(2024, 1, 1), "TN")
    assert [gap.what for gap in old.missing(nothing, slot="FS", ers=False)] == ["references", "membership"]
    assert old.missing(Reinstatement(training_hours=0, membership=True), slot="FS", ers=False, references=3) == []
    assert {gap.what: gap.need for gap in new.missing(nothing, slot="FS", ers=False)} == {
        "training_hours": 15, "rsc_provider": 1, "membership": 1, "ethics": 1, "audit": 1,
    }  # fmt: skip
    assert (old.audit, new.audit) == (False, True)


def test_r20_hours_serve_several_categories_by_the_practice_of_each():
    assert practice("VA", date(2026, 1, 1)).hours_shared is True


def test_every_field_of_practice_has_a_default_row_and_its_value():
    defaults = {row.field: row.value for row in PRACTICES if not row.association}
    assert set(defaults) == set(Practice.__struct_fields__)
    assert msgspec.structs.asdict(Practice()) == defaults
    assert practice("", date(2026, 1, 1)) == Practice()


def test_r27_an_association_may_show_what_others_relay():
    assert practice("OR", date(2026, 1, 1)).ratings_shown == "content"
    assert practice("VA", date(2026, 1, 1)).ratings_shown == "relayed_reasons"


def test_a_fee_is_known_with_its_currency_or_not_at_all():
    assert fee("CT", "processing", date(2025, 1, 1), "ERS").amount == 150
    assert fee("AU", "registration", date(2025, 1, 1)).currency == "AUD"
    assert fee("AK", "exam", date(2025, 1, 1)).amount == 200
    assert fee("AK", "registration", date(2025, 1, 1)) is None
    assert fee("CT", "processing", date(2015, 1, 1), "FS") is None


def test_ers_attaches_to_specialists_and_in_rhode_island_to_any():
    assert set(edition_for("ERS", date(2026, 1, 1), "VA").attaches_to) == {"FS", "MHS"}
    assert "FA" in edition_for("EERS", date(2026, 1, 1), "RI").attaches_to


def test_a_refusal_is_data():
    (gap,) = edition_for("IFS", date(2026, 1, 1)).missing(Tally(training=12, work_days=800, rsc=24))
    assert gap.as_dict() == {
        "requirement": "training", "have": 12, "need": 30, "missing": 18, "edition": "FS-2023", "source": "CT-IFS",
        "words": "30 hours of training (there are 12, 18 to go)",
    }  # fmt: skip


def test_r9_r10_the_printed_rules_of_a_specialist_change_with_2025():
    def printed(on):
        return {line.words: line.source for section in in_force("IMHS", on) for line in section.lines}

    before, after = printed(date(2024, 12, 31)), printed(date(2025, 1, 1))
    assert before["the exam passed"] == "MI-EXAM, CT-UPD25"
    assert "the exam passed" not in after
    assert after["no exam"] == "CT-UPD25"
    assert after["a Master’s or higher or a professional mental-health licence"] == "CT-UPD25"
    assert before["a Master’s or higher"] == "IN-CAT"
    assert ("30 hours of training" in before, "33 hours of training" in after) == (True, True)


def test_printed_rules_name_a_source_in_every_line_whatever_is_asked():
    for association in ("", "VA", "RI", "AZ", "CT"):
        for category in ("", "IFS", "ERS", "IMHM-C"):
            for section in as_dict(category, date(2024, 6, 1), association)["rules"]:
                assert all(line["words"] and line["source"] for line in section["lines"])


def test_a_code_that_does_not_exist_is_refused_with_those_that_do():
    for category, association in [("IXX", ""), ("IFS", "ZZ")]:
        with pytest.raises(Invalid, match="use one of"):
            in_force(category, date(2026, 1, 1), association)
    with pytest.raises(NotInForce):
        in_force("IFRS", date(2026, 1, 1))


def test_printed_rules_say_categories_and_practice_in_words_and_never_by_code():
    for association in ("VA", "AZ", "RI"):
        for category in ("", "IFS", "IMHM-C"):
            for section in in_force(category, date(2026, 6, 1), association):
                for line in section.lines:
                    assert not {"FA", "FS", "FRS", "MHS", "MHM-C", "MHM-P", "MHM-RF"} & set(line.words.split())
                    assert "_" not in line.words


def test_r19_who_asks_for_one_category_sees_what_holders_of_ers_are_asked_besides():
    (renewal,) = [s for s in in_force("IFS", date(2026, 6, 1), "PA") if s.title == "Renewal"]
    said = [line.words for line in renewal.lines]
    assert "12 hours of RSC received a year, at most 36" in said
    assert "3 hours of training about providing RSC a year, at most 9, asked of holders of ERS" in said


def test_the_rules_of_an_association_that_was_admitted_since_are_those_for_all():
    at = {section.title: section.row for section in in_force("IFS", date(2026, 6, 1), "NV", known=("NV",))}
    assert at["Renewal"] == "renewal-2024"


def test_every_practice_has_words():
    assert set(rules._PRACTICE) == set(Practice.__struct_fields__)
