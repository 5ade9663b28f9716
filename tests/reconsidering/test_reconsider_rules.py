"""The rules to reconsider under: what a file may say, and what it says when it may not."""

import json
from datetime import date

import pytest

from domain.category import CATEGORIES
from domain.editions import EDITIONS, RENEWALS
from domain.errors import Invalid
from registry.reconsider.rules import SLOTS, VALUES, Changed, named, read_rules

TODAY = date(2026, 6, 1)


def code_of(edition):
    return next((c for c, row in CATEGORIES.items() if row.slot == edition.slot), edition.slot)


def amounts(edition, what):
    rows = [row for asked in edition.requirements for row in (asked, *asked.any_of)]
    return [row.amount for row in rows if row.what == what]


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.name)
@pytest.mark.parametrize("name", VALUES)
def test_a_value_for_all_changes_a_row_wherever_it_is_asked_and_nothing_else(edition, name):
    what = VALUES[name].what
    other = Changed({name: 7}).edition(code_of(edition), edition, "VA")
    if not amounts(edition, what):
        assert other is None
        return
    assert amounts(other, what) == [7.0] * len(amounts(edition, what))
    for own, row in zip(edition.requirements, other.requirements, strict=True):
        assert own.source == row.source
        assert own == row or what in {one.what for one in (own, *own.any_of)}


@pytest.mark.parametrize("slot", SLOTS)
def test_a_value_for_a_slot_is_asked_there_and_nowhere_else(slot):
    rules = Changed({slot: {"dei_hours": 4}})
    for edition in EDITIONS:
        other = rules.edition(code_of(edition), edition, "")
        assert (other is not None and amounts(other, "dei") == [4.0]) == (edition.slot == slot)


def test_nothing_is_asked_any_more_where_the_value_is_zero():
    edition = next(row for row in EDITIONS if row.name == "FA-2022")
    other = Changed({"work_days": 0, "training_hours": 0}).edition("IFA", edition, "")
    # Education or work, so that no work is enough for either.
    assert {row.what for row in other.requirements} == {"references", "reference"}


def test_a_renewal_asks_what_it_asked_with_the_new_hours_and_what_is_added():
    own = next(row for row in RENEWALS if row.name == "renewal-2024")
    other = Changed({"renewal": {"training_hours": 20, "dei_hours": 1}}).renewal(own, "VA")
    assert {(hours.what, hours.a_year) for hours in other.hours} == {
        ("training_hours", 20), ("rsc_hours", 12), ("dei_hours", 1),
    }  # fmt: skip
    assert Changed({"rsc_hours": 60}).renewal(own, "VA") is None


def test_a_file_may_be_json_or_toml_and_start_from_an_edition():
    one = read_rules('{"edition": "MHS-2025", "rsc_hours": 60}', TODAY)
    other = read_rules('edition = "MHS-2025"\nrsc_hours = 60\n', TODAY)
    own = next(row for row in EDITIONS if row.name == "MHS-2002")
    assert one.edition("IMHS", own, "VA") == other.edition("IMHS", own, "VA")
    assert one.name == "MHS-2025 with rsc_hours=60"
    assert one.edition("IMHS", own, "VA").exam is None
    assert read_rules('{"edition": "today"}', TODAY).name == "as in force on 2026-06-01"


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({}, "rules", "Say what is to change"),
        ({"rsc": 60}, "rsc", "no value rsc; known are training_hours"),
        ({"rsc_hours": "sixty"}, "rsc_hours", r"as a number \(clock hours\) from 0 to 10000"),
        ({"rsc_hours": True}, "rsc_hours", "as a number"),
        ({"rsc_hours": -1}, "rsc_hours", "from 0"),
        ({"MHS": 60}, "MHS", "Give the values for MHS as an object"),
        ({"MHS": {"hours": 60}}, "MHS.hours", "There is no value MHS.hours"),
        ({"degree": "doctorate"}, "degree", "one of any, cda, bachelor, master"),
        ({"renewal": {"work_days": 1}}, "renewal.work_days", "known are training_hours, rsc_hours"),
        ({"edition": "MHS-1999"}, "edition", "There is no edition MHS-1999; use `today`, a day, or one of FA-2002"),
        ({"edition": 7}, "edition", "Name the edition"),
    ],
)
def test_what_a_file_can_not_say_is_named_with_the_fix(given, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        read_rules(json.dumps(given), TODAY)
    assert refused.value.field == field


@pytest.mark.parametrize("text", ["{", "[1]", "rsc_hours: 60", '{"a": 1, "a": 2}', "x" * 70_000])
def test_what_is_no_file_of_rules_is_said(text):
    with pytest.raises(Invalid) as refused:
        read_rules(text, TODAY)
    assert refused.value.field == "rules"


def test_there_is_no_such_day():
    with pytest.raises(Invalid, match="no such day"):
        named("2026-02-30", TODAY)
