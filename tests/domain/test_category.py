"""Categories, numbers and associations."""

from datetime import UTC, date, datetime

import pytest
from given import DAY
from hypothesis import given, strategies

from domain.association import ROWS, Association, today
from domain.category import AUSTRALIAN_TITLES, CATEGORIES, CURRENT, with_add_on
from domain.endorsement import ALPHABET, Endorsement, new_number, read_number
from domain.errors import Invalid, NotInForce


def test_twelve_categories_are_current_and_two_are_retired():
    assert CURRENT == (
        "IFA", "ECFA", "IFS", "ECFS", "IMHS", "ECMHS", "IMHM-C", "ECMHM-C", "IMHM-P", "ECMHM-P", "IMHM-RF", "ECMHM-RF",
    )  # fmt: skip
    assert set(CATEGORIES) - set(CURRENT) == {"IFRS", "ECFRS"}


def test_each_slot_has_one_category_for_each_age_range():
    for slot in {category.slot for category in CATEGORIES.values()}:
        pair = [category for category in CATEGORIES.values() if category.slot == slot]
        assert sorted(category.credential for category in pair) == ["ECMH-E", "IMH-E"]


def test_australia_has_other_titles_for_the_same_slots():
    assert ROWS["AU"].titles == AUSTRALIAN_TITLES
    assert CATEGORIES["IFS"].title == "Infant Family Specialist"
    assert AUSTRALIAN_TITLES["IFS"] == "Infant Family Practitioner"


def test_an_add_on_is_written_behind_the_category():
    assert with_add_on("IFS", "ERS") == "IFS+ERS"
    assert with_add_on("IFS", None) == "IFS"


def test_there_are_32_known_members_and_the_alliance():
    assert len(ROWS) == 33
    assert {code for code, row in ROWS.items() if row.dates == "day_first"} == {"IE", "AU"}
    assert {code for code, row in ROWS.items() if not any(c.startswith("EC") for c in row.offers)} == {
        "AZ", "TX", "WV", "HI", "AU",
    }  # fmt: skip


def test_every_association_counts_days_in_a_zone_that_exists():
    moment = datetime(2026, 1, 1, 5, 30, tzinfo=UTC)
    days = {code: today(row, moment) for code, row in ROWS.items()}
    assert days["VA"] == days["IE"] == days["AU"] == date(2026, 1, 1)
    assert days["AK"] == days["HI"] == days["WA"] == date(2025, 12, 31)


def test_an_association_is_admitted_once():
    association = Association("VA")
    association.admit(ROWS["VA"], on=DAY, by="operator")
    assert association.row == ROWS["VA"]
    with pytest.raises(Exception, match="admitted"):
        association.admit(ROWS["VA"], on=DAY, by="operator")


@given(strategies.sampled_from(CURRENT), strategies.binary(min_size=5, max_size=5))
def test_a_number_is_read_as_it_may_be_typed(category, random):
    number = new_number(category, lambda _: random)
    tail = number.rpartition("-")[2]
    assert len(tail) == 8
    assert set(tail) <= set(ALPHABET)
    assert read_number(f"  {number.lower()} ") == number
    assert (
        read_number(number.replace("0", "O").replace("1", "I")[: len(number)]) == number
        if "O" not in category
        else True
    )


@given(strategies.sampled_from(CURRENT), strategies.binary(min_size=5, max_size=5), strategies.data())
def test_one_wrong_character_shows(category, random, data):
    number = new_number(category, lambda _: random)
    at = data.draw(strategies.integers(len(category) + 1, len(number) - 1))
    other = data.draw(strategies.sampled_from([c for c in ALPHABET if c != number[at]]))
    with pytest.raises(Invalid):
        read_number(number[:at] + other + number[at + 1 :])


@pytest.mark.parametrize(
    "text", ["", "IFS", "IFS-", "XYZ-7K3MQ9TD", "IFS-7K3MQ9T", "IFS-7K3MQ9TDD", "../etc/passwd", "IFS-7K3MQ9T\u0660"]
)
def test_what_is_no_number_is_refused_with_an_example(text):
    with pytest.raises(Invalid, match="IFS-7K3MQ9TD"):
        read_number(text)


def test_a_retired_category_is_never_newly_awarded():
    with pytest.raises(NotInForce):
        Endorsement("IFRS-00000000").award("p1", "IFRS", "VA", "a1", "FS-2023", on=DAY, by="coordinator:VA:k1")


def test_the_check_character_is_a_promise():
    """Numbers are printed on paper: the rule never changes. IFS-7K3MQ9TD is the example of the design."""
    for number in ("IFS-7K3MQ9TD", "IMHS-7K3MQ9T5", "IMHM-C-7K3MQ9TJ", "ECMHM-RF-00000004"):
        assert read_number(number) == number
