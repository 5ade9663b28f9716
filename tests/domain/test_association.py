"""An association over time: names, categories, reviewers and its licence, each from a day."""

from datetime import date

import pytest
from given import DAY, fact, given, then

from domain.association import ROWS, Association, Row
from domain.errors import Invalid, NotInForce, OutOfTurn

BY = "alliance:ALLIANCE:k9"
AFTER = date(2027, 1, 1)
GEORGIA = Row("GA", "Georgia", "Georgia Association for Infant Mental Health", "GA-AIMH", "America/New_York", "ours")


def association(code="VA", licence="endorsement"):
    made = Association(code)
    made.admit(ROWS.get(code, GEORGIA), licence, on=DAY, by=BY)
    made.collect_events()
    return made


@pytest.mark.parametrize(("code", "before", "now"), [
    ("AZ", "ITMHCA", "AzAIMH"), ("IN", "IAITMH", "IO"), ("TX", "TAIMH", "F3Y"), ("WA", "WA-AIMH", "CERH"),
])  # fmt: skip
def test_the_place_is_stable_and_the_name_is_not(code, before, now):
    found = association(code)
    assert found.name_on(date(2010, 1, 1))[1] == before
    assert found.name_on(DAY)[1] == now


def test_a_new_name_counts_from_its_day():
    found = association()
    found.rename("Virginia Center", "VC", on=date(2026, 9, 1), by=BY)
    assert [found.name_on(day)[1] for day in (DAY, date(2026, 8, 31), date(2026, 9, 1))] == ["VAIMH", "VAIMH", "VC"]
    with pytest.raises(Invalid, match="its name already"):
        found.rename("Virginia Center", "VC", on=AFTER, by=BY)


def test_a_category_is_offered_from_a_day_to_come_under_a_title_of_its_own():
    found = association("AU")
    found.offer("ECFS", "Early Childhood Practitioner", from_=AFTER, on=DAY, by=BY)
    assert "ECFS" not in found.offers(date(2026, 12, 31))
    assert "ECFS" in found.offers(AFTER)
    assert found.row_on(AFTER).titles["ECFS"] == "Early Childhood Practitioner"
    assert "ECFS" not in found.row_on(DAY).titles
    assert found.row_on(AFTER).titles["IFS"] == "Infant Family Practitioner"
    with pytest.raises(Invalid, match="2027-01-01 or a later day"):
        found.withdraw("ECFS", on=date(2026, 7, 1), by=BY)


def test_what_is_withdrawn_is_not_offered_from_that_day():
    found = association()
    found.withdraw("ECFA", on=DAY, by=BY)
    assert then(found) == [fact(Association.CategoryWithdrawn, by=BY, category="ECFA")]
    assert "ECFA" not in found.offers(DAY)
    with pytest.raises(Invalid, match="not offered"):
        found.withdraw("ECFA", on=DAY, by=BY)
    with pytest.raises(NotInForce):
        found.offer("IFRS", on=DAY, by=BY)


def test_the_number_of_reviewers_is_that_of_the_day():
    found = association()
    found.change_reviewers(2, on=AFTER, by=BY)
    assert (found.row_on(DAY).reviewers, found.row_on(AFTER).reviewers) == (1, 2)


@pytest.mark.parametrize(("state", "possible"), [
    ("guidelines", {"grant", "end"}), ("endorsement", {"suspend", "end", "take"}), ("suspended", {"resume", "end"}),
    ("ended", {"grant"}),
])  # fmt: skip
def test_a_licence_takes_only_these_turns(state, possible):
    turns = {
        "guidelines": [], "endorsement": [], "suspended": [fact(Association.LicenceSuspended, reason="fidelity")],
        "ended": [fact(Association.LicenceEnded, reason="own_wish")],
    }[state]  # fmt: skip
    deeds = {
        "grant": lambda one: one.grant_licence("endorsement", on=DAY, by=BY),
        "suspend": lambda one: one.suspend_licence("fees_unpaid", on=DAY, by=BY),
        "resume": lambda one: one.resume_licence(on=DAY, by=BY),
        "end": lambda one: one.end_licence("merged", on=DAY, by=BY),
        "take": lambda one: one.take_over(on=DAY, by=BY),
    }
    for name, deed in deeds.items():
        one = given(association(licence="guidelines" if state == "guidelines" else "endorsement"), *turns)
        assert one.licence == state
        if name in possible:
            deed(one)
        else:
            with pytest.raises(OutOfTurn):
                deed(one)


def test_only_a_full_licence_endorses():
    assert not association(licence="guidelines").endorses(DAY)
    found = association()
    found.suspend_licence("fidelity", on=date(2026, 9, 1), by=BY)
    assert [found.endorses(day) for day in (DAY, date(2026, 9, 1))] == [True, False]
    with pytest.raises(Invalid, match="needs none"):
        association("ALLIANCE").end_licence("merged", on=DAY, by=BY)


@pytest.mark.parametrize(("field", "value"), [
    ("code", "Georgia"), ("name", ""), ("name", "a\nb"), ("zone", "Georgia/Atlanta"), ("zone", "../etc/passwd"),
    ("offers", ("IFRS",)), ("reviewers", 3),
])  # fmt: skip
def test_an_admission_names_the_field_that_is_wrong(field, value):
    facts = {name: getattr(GEORGIA, name) for name in GEORGIA.__struct_fields__} | {field: value}
    with pytest.raises(Invalid) as refused:
        Association("GA").admit(Row(**facts), on=DAY, by=BY)
    assert refused.value.field == field


def test_coordinators_come_and_go_by_the_id_of_their_key():
    found = association()
    found.appoint("k3f9", on=DAY, by=BY)
    assert found.coordinators == ("k3f9",)
    found.stand_down("k3f9", on=DAY, by=BY)
    assert found.coordinators == ()
    with pytest.raises(Invalid, match="Nobody with this id"):
        found.stand_down("k3f9", on=DAY, by=BY)
