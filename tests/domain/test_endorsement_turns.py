"""What can become of an endorsement after its award, turn by turn, and how a wrong fact is put right."""

from datetime import date, timedelta

import pytest
from given import DAY, fact, given, then

from domain.editions import practice
from domain.endorsement import Endorsement, Stands
from domain.errors import Invalid, NotInForce, OutOfTurn, RequirementsNotMet
from domain.policy import Attestation, Reinstatement

BY, OTHER = "coordinator:VA:k1", "coordinator:VA:k2"
ATTESTED = Attestation(training_hours=45, rsc_hours=36, membership=True, ethics=True, no_sanction=True)
LAST = date(2027, 12, 31)


def endorsement(*facts, category="IFS"):
    awarded = fact(
        Endorsement.Awarded, on=date(2025, 2, 1), number="IFS-1", person="p1", category=category, association="VA",
        application="a1", edition="FS-2023", through=LAST,
    )  # fmt: skip
    return given(Endorsement("IFS-1"), awarded, *facts)


def inactive(on=date(2025, 3, 1), until=date(2027, 3, 1)):
    return fact(Endorsement.MadeInactive, on=on, reason="move", until=until)


def renewed(on=date(2027, 10, 15), through=date(2030, 12, 31)):
    return fact(Endorsement.Renewed, on=on, cycle=2027, edition="renewal-2024", through=through, attested=ATTESTED)


SANCTIONED = fact(
    Endorsement.SanctionReported, source="board_notice", board="VA-LPC", decided_on=date(2026, 5, 4)
)  # fmt: skip
EMERGING = fact(Endorsement.AddOnGranted, on=date(2025, 3, 1), add_on="EERS", until=date(2027, 3, 1))


def test_r20_hours_serve_several_categories_where_the_association_lets_them():
    endorsement().renew(ATTESTED, member=True, on=date(2027, 10, 15), by="holder:p1")
    with pytest.raises(RequirementsNotMet, match="attested: 0"):
        endorsement().renew(ATTESTED, member=True, used=[ATTESTED], on=date(2027, 10, 15), by="holder:p1")
    assert practice("MI", DAY).hours_shared


# --- inactive and emeritus


def test_r23_after_two_years_of_inactivity_it_takes_another_application():
    away = endorsement(inactive())
    assert [away.standing(day) for day in (date(2027, 3, 1), date(2027, 3, 2))] == ["inactive", "lapsed"]
    with pytest.raises(OutOfTurn):
        away.end_inactivity(on=date(2027, 3, 1), by="operator")
    away.end_inactivity(on=date(2027, 3, 2), by="operator")
    assert then(away) == [fact(Endorsement.InactivityEnded, on=date(2027, 3, 2), by="operator", until=date(2027, 3, 1))]
    with pytest.raises(OutOfTurn, match="apply again"):
        away.reactivate(member=True, on=date(2027, 3, 3), by=BY)
    assert away.can(date(2027, 3, 3))[0] == "apply again"
    with pytest.raises(OutOfTurn):
        away.end_inactivity(on=date(2027, 3, 4), by="operator")


def test_r23_how_long_is_a_parameter_of_the_association():
    held = endorsement()
    held.make_inactive("illness", on=DAY, by=BY)
    assert held.inactive_until == date(2026 + practice("VA", DAY).inactive_years, 6, 1)


def test_r23_a_suspension_stops_no_clock_of_an_inactivity():
    held = endorsement(
        inactive(),
        fact(Endorsement.Suspended, on=date(2026, 1, 1), reason="fraud_being_established"),
        fact(Endorsement.SuspensionLifted, on=date(2026, 2, 1), standing="inactive"),
    )
    assert held.standing(date(2027, 3, 1)) == "inactive"
    assert held.standing(date(2027, 3, 2)) == "lapsed"


def test_emeritus_is_for_good_and_renewed_no_more():
    held = endorsement()
    held.grant_emeritus(on=DAY, by=BY)
    assert then(held) == [fact(Endorsement.EmeritusGranted)]
    assert (held.standing(date(2040, 1, 1)), held.held_on(DAY)) == ("emeritus", "")
    with pytest.raises(OutOfTurn):
        held.renew(ATTESTED, member=True, on=date(2027, 10, 15), by="holder:p1")
    with pytest.raises(OutOfTurn):
        held.lapse(on=date(2028, 1, 1), by="operator")
    held.suspend("fraud_being_established", on=DAY, by=BY)
    held.lift_suspension(on=DAY, by=BY)
    assert held.standing(DAY) == "emeritus"


def test_death_ends_it_whatever_it_was_but_not_twice():
    for before in ((), (inactive(),), (fact(Endorsement.EmeritusGranted),)):
        held = endorsement(*before)
        held.end_by_death(on=date(2026, 7, 1), by=BY)
        assert (then(held)[0].topic, held.standing(date(2026, 7, 1))) == ("endorsement.ended_by_death", "archived")
        with pytest.raises(OutOfTurn):
            held.end_by_death(on=date(2026, 7, 2), by=BY)


# --- sanctions and removal


@pytest.mark.parametrize(("source", "board"), [
    ("board_notice", ""), ("fraud_finding", "VA-LPC"), ("board_notice", "a board in Richmond"),
])  # fmt: skip
def test_a_sanction_names_its_board_by_code_and_a_finding_of_fraud_none(source, board):
    with pytest.raises(Invalid) as refused:
        endorsement().report_sanction(source, board, DAY, on=DAY, by=BY)
    assert refused.value.field == "board"


def test_a_removal_rests_on_what_was_documented_before():
    held = endorsement(SANCTIONED)
    with pytest.raises(OutOfTurn, match="finding of fraud"):
        held.propose_removal("fraud", on=DAY, by=BY)
    held.propose_removal("licensing_board_sanction", person="p7", on=DAY, by=BY)
    with pytest.raises(OutOfTurn, match="withdraw"):
        held.settle_sanction("unfounded", on=DAY, by=BY)
    for same in ({"by": BY}, {"by": "alliance:ALLIANCE:k1"}, {"by": OTHER, "people": {"p7", "p9"}}):
        with pytest.raises(Invalid, match="second person"):
            held.remove(on=DAY, **same)
    held.remove(people={"p8"}, on=DAY, by=OTHER)
    assert held.standing(DAY) == "removed"


def test_a_sanction_that_was_none_is_settled_and_holds_nothing_up():
    held = endorsement(SANCTIONED)
    assert held.moving(DAY) == "reported as sanctioned"
    held.settle_sanction("unfounded", on=DAY, by=BY)
    assert held.moving(DAY) == "active"
    with pytest.raises(OutOfTurn):
        held.settle_sanction("unfounded", on=DAY, by=BY)


# --- ERS and conversion


def test_r24_an_emerging_ers_ends_with_its_two_years_event_or_not_and_comes_once():
    held = endorsement(EMERGING)
    assert [held.held_on(day) for day in (date(2027, 3, 1), date(2027, 3, 2))] == ["IFS+EERS", "IFS"]
    with pytest.raises(OutOfTurn):
        held.end_add_on(on=date(2027, 3, 1), by="operator")
    held.end_add_on(on=date(2027, 3, 2), by="operator")
    assert then(held) == [
        fact(Endorsement.AddOnEnded, on=date(2027, 3, 2), by="operator", add_on="EERS", until=date(2027, 3, 1))
    ]
    with pytest.raises(OutOfTurn, match="EERS before"):
        held.grant_add_on("EERS", on=date(2027, 4, 1), by=BY)
    held.grant_add_on("ERS", on=date(2027, 4, 1), by=BY)
    assert [held.held_on(day) for day in (date(2027, 3, 1), date(2027, 3, 15), date(2027, 4, 1))] == [
        "IFS+EERS", "IFS", "IFS+ERS",
    ]  # fmt: skip


@pytest.mark.parametrize(("category", "to"), [("IFRS", "IFS"), ("ECFRS", "ECFS")])
def test_R17_a_retired_category_becomes_its_successor_with_ers_by_an_event_and_keeps_its_number(category, to):
    held = endorsement(category=category)
    held.convert(on=DAY, by="operator")
    assert then(held) == [fact(Endorsement.Converted, by="operator", from_=category, to=to, add_on="ERS")]
    assert (held.number, held.awarded_on, held.through) == ("IFS-1", date(2025, 2, 1), LAST)
    assert held.held_on(DAY - timedelta(days=1)) == category
    assert held.held_on(DAY) == held.held_on(LAST) == f"{to}+ERS"
    with pytest.raises(OutOfTurn):
        held.convert(on=DAY, by="operator")


def test_R17_no_other_category_is_converted_and_none_before_ers_began():
    with pytest.raises(OutOfTurn, match="IFRS"):
        endorsement().convert(on=DAY, by="operator")
    early = given(Endorsement("IFRS-1"), fact(
        Endorsement.Awarded, on=date(2023, 2, 1), number="IFRS-1", person="p1", category="IFRS", association="CT",
        application="a1", edition="FRS-2022", through=date(2024, 12, 31),
    ))  # fmt: skip
    with pytest.raises(NotInForce):
        early.convert(on=date(2023, 12, 31), by="operator")


def test_R17_a_lapsed_holder_is_converted_too_and_stays_lapsed():
    held = endorsement(fact(Endorsement.Lapsed, on=date(2028, 1, 1), through=LAST), category="IFRS")
    held.convert(on=date(2028, 2, 1), by="operator")
    assert (held.standing(date(2028, 2, 1)), held.category) == ("lapsed", "IFS")


# --- corrections


def test_r29_a_wrong_award_day_is_put_right_by_a_new_event_and_the_old_one_stays():
    held = endorsement()
    held.correct(1, "wrong_day", day=date(2025, 1, 15), on=DAY, by=BY)
    (corrected,) = then(held)
    assert (corrected.corrects, corrected.day, corrected.newest) == (
        1, date(2025, 1, 15), Stands("active", date(2025, 1, 15), LAST),
    )  # fmt: skip
    assert (held.awarded_on, held.counted_from) == (date(2025, 1, 15), date(2025, 1, 15))
    assert (held.facts[0].on, held.held_on(date(2025, 1, 20))) == (date(2025, 2, 1), "IFS")


def test_r29_a_void_renewal_never_was_and_it_may_be_renewed_in_truth():
    held = endorsement(renewed(), fact(Endorsement.Suspended, on=date(2027, 11, 1), reason="fraud_being_established"),
                       fact(Endorsement.SuspensionLifted, on=date(2027, 11, 20)))  # fmt: skip
    assert held.through == date(2030, 12, 31)
    held.correct(2, "wrong_record", void=True, on=date(2027, 12, 1), by=BY)
    assert (held.through, held.standing(date(2028, 1, 1)), held.renewed_for) == (LAST, "lapsed", 0)
    assert held.standing(date(2027, 11, 10)) == "suspended"
    held.renew(ATTESTED, member=True, on=date(2027, 12, 2), by="holder:p1")
    assert held.standing(date(2028, 1, 1)) == "active"


def test_r29_a_lapse_recorded_by_a_wrong_last_day_goes_with_the_day():
    held = endorsement(fact(Endorsement.Lapsed, on=date(2028, 1, 1), through=LAST))
    with pytest.raises(Invalid, match="all the same"):
        held.correct(2, "wrong_record", void=True, on=date(2028, 1, 5), by=BY)
    held.correct(1, "wrong_record", through=date(2030, 12, 31), on=date(2028, 1, 5), by=BY)
    held.correct(2, "wrong_record", void=True, on=date(2028, 1, 5), by=BY)
    assert held.standing(date(2028, 1, 3)) == held.standing(date(2028, 1, 5)) == "active"


def test_r29_of_several_corrections_of_one_fact_the_last_one_counts_however_it_is_folded():
    held = endorsement(inactive())
    held.correct(2, "wrong_day", through=date(2026, 3, 1), on=DAY, by=BY)
    held.correct(2, "wrong_record", void=True, on=DAY, by=BY)
    held.correct(2, "wrong_day", day=date(2025, 4, 1), on=DAY, by=BY)
    again = Endorsement.fold(held.facts)
    one_by_one = Endorsement("IFS-1")
    for event in held.facts:
        one_by_one.remember(event)
    assert held.turns == again.turns == one_by_one.turns
    assert (held.standing(date(2025, 3, 15)), held.standing(date(2025, 4, 1))) == ("active", "inactive")


@pytest.mark.parametrize(("version", "asked", "why"), [
    (9, {"void": True}, "An award, renewal"),
    (3, {"void": True}, "a suspension is lifted"),
    (1, {"void": True}, "can't be void"),
    (2, {}, "say that it is void"),
    (2, {"day": date(2025, 1, 1)}, "between 2025-02-01 and 2026-01-01"),
    (2, {"day": date(2026, 2, 1)}, "between 2025-02-01 and 2026-01-01"),
    (2, {"through": date(2025, 2, 1)}, "before it begins"),
    (2, {"through": date(2027, 3, 1)}, "says so already"),
])  # fmt: skip
def test_r29_what_can_t_be_corrected_is_refused_with_what_can(version, asked, why):
    held = endorsement(inactive(), fact(Endorsement.Suspended, on=date(2026, 1, 1), reason="fraud_being_established"))
    with pytest.raises(Invalid, match=why):
        held.correct(version, "wrong_record", on=DAY, by=BY, **asked)
    assert then(held) == []


def test_an_endorsement_of_500_events_still_decides():
    turns = []
    for n in range(250):
        on = date(2025, 3, 1) + timedelta(days=n)
        turns += [fact(Endorsement.Suspended, on=on, reason="fraud_being_established"),
                  fact(Endorsement.SuspensionLifted, on=on)]  # fmt: skip
    events = endorsement(*turns).facts
    held = Endorsement.fold(events)
    held.suspend("fraud_being_established", on=DAY, by=BY)
    assert [type(event) for event in then(held)] == [Endorsement.Suspended]  # how soon: bench/decide.py


def test_r22_a_passed_audit_ends_that_the_next_one_is_certain():
    back = endorsement(fact(
        Endorsement.Reinstated, on=date(2026, 6, 2), edition="reinstatement-2024", through=date(2027, 12, 31),
        attested=Reinstatement(15, "IMHM-C-1", membership=True, ethics=True, audit=True), audit_required=True,
    ))  # fmt: skip
    assert back.pass_audit("a1", on=date(2028, 2, 1), by=BY)
    assert not back.audit_due
    assert not back.pass_audit("a2", on=date(2028, 3, 1), by=BY)
    assert [event.topic for event in then(back)] == ["endorsement.audit_passed"]


def test_r18_a_holder_is_reminded_when_the_window_opens_and_30_and_7_days_before_its_end():
    held = endorsement()
    days = [date(2027, 9, 30), date(2027, 10, 1), date(2027, 11, 30), date(2027, 12, 1), date(2027, 12, 2),
            date(2027, 12, 24), date(2027, 12, 25), date(2027, 12, 31), date(2028, 1, 1)]  # fmt: skip
    told = [day for day in days if held.remind_of_renewal(on=day, by="operator")]
    assert told == [date(2027, 10, 1), date(2027, 12, 1), date(2027, 12, 24)]
    late = endorsement()
    assert [late.remind_of_renewal(on=date(2027, 12, 27), by="operator") for _ in range(2)] == [True, False]
    done = endorsement()
    done.renew(ATTESTED, member=True, on=date(2027, 10, 15), by="holder:p1")
    assert not done.remind_of_renewal(on=date(2027, 12, 1), by="operator")
