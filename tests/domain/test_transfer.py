"""A transfer, on the word of both associations, as rules."""

from datetime import date

import pytest
from given import DAY, fact, given, then

from domain.association import ROWS
from domain.errors import Invalid, OutOfTurn
from domain.transfer import Transfer

VA, CT, HOLDER = "coordinator:VA:k1", "coordinator:CT:k2", "holder:p1"
NUMBERS = ("IFS-1", "ECFS-2")
NOW = {"IFS-1": ("IFS", "active"), "ECFS-2": ("ECFS", "inactive")}
GOOD = {"IFS-1": "active", "ECFS-2": "inactive"}

REQUESTED = fact(Transfer.Requested, person="p1", from_="VA", to="CT", endorsements=NUMBERS)
CONFIRMED = fact(Transfer.StandingConfirmed, by=VA, standings=GOOD)
DISPUTED = fact(Transfer.StandingDisputed, by=VA, reason="open_audit")
MEMBER = fact(Transfer.MembershipVerified, by=CT, association="CT", through=date(2026, 12, 31))


def transfer(*facts):
    return given(Transfer("t1"), *facts)


def test_a_transfer_needs_the_word_of_both_associations():
    case = transfer(REQUESTED, CONFIRMED, MEMBER)
    case.accept(ROWS["CT"], NOW, on=DAY, by=CT)
    assert then(case) == [
        fact(Transfer.Accepted, by=CT, endorsements=NUMBERS),
        fact(Transfer.Completed, by=CT, endorsements=NUMBERS),
    ]


@pytest.mark.parametrize("facts", [(REQUESTED,), (REQUESTED, MEMBER), (REQUESTED, DISPUTED, MEMBER)])
def test_without_the_releasing_word_nothing_is_accepted(facts):
    with pytest.raises(OutOfTurn):
        transfer(*facts).accept(ROWS["CT"], NOW, on=DAY, by=CT)


def test_without_a_verified_membership_nothing_is_accepted():
    with pytest.raises(OutOfTurn, match="verify membership"):
        transfer(REQUESTED, CONFIRMED).accept(ROWS["CT"], NOW, on=DAY, by=CT)


def test_a_membership_that_has_ended_does_not_count():
    with pytest.raises(OutOfTurn, match="membership"):
        transfer(REQUESTED, CONFIRMED, MEMBER).accept(ROWS["CT"], NOW, on=date(2027, 1, 1), by=CT)
    with pytest.raises(Invalid, match="has ended"):
        transfer(REQUESTED).verify_membership(date(2026, 5, 31), on=DAY, by=CT)


def test_refuse_a_category_the_receiver_does_not_offer():
    case = transfer(fact(Transfer.Requested, person="p1", from_="VA", to="TX", endorsements=NUMBERS), CONFIRMED, MEMBER)
    case.accept(ROWS["TX"], NOW, on=DAY, by="coordinator:TX:k3")
    accepted, completed = then(case)
    assert (accepted.endorsements, accepted.refused) == (("IFS-1",), {"ECFS-2": "category_not_offered"})
    assert (completed.endorsements, completed.refused) == (("IFS-1",), ("ECFS-2",))
    assert set(completed.claims().release) == {"open_transfer/IFS-1", "open_transfer/ECFS-2"}


def test_when_none_is_offered_it_is_declined_or_goes_to_the_alliance():
    case = transfer(fact(Transfer.Requested, person="p1", from_="VA", to="TX", endorsements=("ECFS-2",)),
                    fact(Transfer.StandingConfirmed, standings={"ECFS-2": "active"}), MEMBER)  # fmt: skip
    with pytest.raises(Invalid, match="can take none of these"):
        case.accept(ROWS["TX"], NOW, on=DAY, by="coordinator:TX:k3")
    case.decline("category_not_offered", on=DAY, by="coordinator:TX:k3")
    assert case.state == "declined"


def request(to="CT", **standings):
    case = Transfer("t1")
    case.request("p1", "VA", to, standings, on=DAY, by=HOLDER)
    return case


@pytest.mark.parametrize("standing", ["lapsed", "suspended", "removed", "archived"])
def test_R25_only_an_active_or_inactive_one_moves(standing):
    with pytest.raises(Invalid, match=f"is {standing}"):
        request(**{"IFS-1": ("VA", standing)})
    assert then(request(**{"IFS-1": ("VA", "inactive")}))


def test_a_transfer_goes_from_who_holds_it_to_somebody_else():
    with pytest.raises(Invalid, match="held by MI"):
        request(**{"IFS-1": ("MI", "active")})
    with pytest.raises(Invalid, match="holds it already"):
        request("VA", **{"IFS-1": ("VA", "active")})
    with pytest.raises(Invalid, match="at least one"):
        request()


def test_an_endorsement_is_in_one_open_case_at_a_time():
    assert REQUESTED.claims().take == ("open_transfer/IFS-1", "open_transfer/ECFS-2")
    for end in (
        fact(Transfer.Completed, endorsements=NUMBERS), fact(Transfer.Declined, endorsements=NUMBERS, reason="other"),
        fact(Transfer.Cancelled, endorsements=NUMBERS),
        fact(Transfer.DisputeDecided, endorsements=NUMBERS, good_standing=False),
    ):  # fmt: skip
        assert end.claims().release == REQUESTED.claims().take
    assert not fact(Transfer.DisputeDecided, endorsements=NUMBERS, good_standing=True).claims().release


def test_a_standing_is_disputed_within_14_days():
    transfer(REQUESTED).dispute_standing("open_audit", on=date(2026, 6, 15), by=VA)
    with pytest.raises(OutOfTurn, match="14 days"):
        transfer(REQUESTED).dispute_standing("open_audit", on=date(2026, 6, 16), by=VA)


def test_the_alliance_decides_a_dispute():
    for good, state in ((True, "confirmed"), (False, "refused")):
        case = transfer(REQUESTED, DISPUTED)
        case.decide_dispute(good_standing=good, on=DAY, by="alliance:ALLIANCE:k9")
        assert case.state == state


def test_a_standing_that_is_not_good_is_not_confirmed():
    with pytest.raises(Invalid, match="dispute the standing"):
        transfer(REQUESTED).confirm_standing(GOOD | {"IFS-1": "suspended"}, on=DAY, by=VA)


DONE = (
    fact(Transfer.Completed, endorsements=NUMBERS), fact(Transfer.Cancelled, endorsements=NUMBERS),
    fact(Transfer.Declined, endorsements=NUMBERS, reason="other"),
)  # fmt: skip


@pytest.mark.parametrize("end", DONE, ids=lambda e: e.topic)
@pytest.mark.parametrize("deed", ["confirm", "dispute", "decide", "verify", "accept", "decline", "cancel"])
def test_a_closed_case_stays_closed(end, deed):
    case = transfer(REQUESTED, CONFIRMED, MEMBER, end)
    with pytest.raises(OutOfTurn):
        {
            "confirm": lambda: case.confirm_standing(GOOD, on=DAY, by=VA),
            "dispute": lambda: case.dispute_standing("open_audit", on=DAY, by=VA),
            "decide": lambda: case.decide_dispute(good_standing=True, on=DAY, by=VA),
            "verify": lambda: case.verify_membership(date(2027, 1, 1), on=DAY, by=CT),
            "accept": lambda: case.accept(ROWS["CT"], NOW, on=DAY, by=CT),
            "decline": lambda: case.decline("other", on=DAY, by=CT),
            "cancel": lambda: case.cancel(on=DAY, by=HOLDER),
        }[deed]()
    assert not case.pending


@pytest.mark.parametrize("standing", ["archived", "lapsed", "removed"])
def test_what_no_longer_moves_stays_and_does_not_hold_the_rest(standing):
    case = transfer(REQUESTED, CONFIRMED, MEMBER)
    case.accept(ROWS["CT"], NOW | {"ECFS-2": ("ECFS", standing)}, on=DAY, by=CT)
    accepted, _ = then(case)
    assert (accepted.endorsements, accepted.refused) == (("IFS-1",), {"ECFS-2": "not_in_good_standing"})


def test_the_receiver_refuses_one_of_two_alone():
    case = transfer(REQUESTED, CONFIRMED, MEMBER)
    case.accept(ROWS["CT"], NOW, {"IFS-1": "not_resident"}, on=DAY, by=CT)
    assert then(case)[0].refused == {"IFS-1": "not_resident"}
    with pytest.raises(Invalid, match="not in this case"):
        transfer(REQUESTED, CONFIRMED, MEMBER).accept(ROWS["CT"], NOW, {"X-9": "other"}, on=DAY, by=CT)


def test_no_step_is_of_a_day_before_the_last_one_but_for_the_zones():
    transfer(REQUESTED, CONFIRMED, MEMBER).accept(ROWS["CT"], NOW, on=date(2026, 5, 31), by=CT)
    with pytest.raises(Invalid, match="on record for"):
        transfer(REQUESTED, CONFIRMED, MEMBER).accept(ROWS["CT"], NOW, on=date(2026, 5, 30), by=CT)


# --- silence, holds, reasons, the Alliance


def test_who_says_nothing_is_reminded_twice_and_then_the_alliance_decides():
    case = transfer(REQUESTED)
    done = {}
    for day in range(1, 20):
        on = date(2026, 6, day)
        case.leave_unanswered(on=on, by="operator") or case.remind(on=on, by="operator")
        done.update((day, event.topic) for event in case.collect_events())
    assert done == {
        8: "transfer.standing_reminded", 13: "transfer.standing_reminded", 16: "transfer.left_unanswered",
    }  # fmt: skip
    case.decide_dispute(good_standing=True, on=date(2026, 6, 20), by="alliance:ALLIANCE:k9")
    assert case.state == "confirmed"


def test_a_late_word_counts_until_the_alliance_has_decided():
    case = transfer(REQUESTED, fact(Transfer.LeftUnanswered, on=date(2026, 6, 16), association="VA"))
    case.confirm_standing(GOOD, on=date(2026, 6, 17), by=VA)
    assert case.state == "confirmed"


def test_a_sanction_found_during_a_transfer_holds_it_until_it_is_settled():
    case = transfer(REQUESTED, CONFIRMED, MEMBER)
    assert case.hold({"IFS-1": "open_sanction"}, on=DAY, by=VA)
    assert then(case) == [fact(Transfer.Held, by=VA, reason="open_sanction", endorsements=("IFS-1",))]
    assert not case.hold({"IFS-1": "open_sanction"}, on=DAY, by=VA)
    with pytest.raises(OutOfTurn, match="on hold: IFS-1"):
        case.accept(ROWS["CT"], NOW, on=DAY, by=CT)
    assert not case.release({"IFS-1": "suspended"}, on=DAY, by=VA)
    assert case.release({"IFS-1": "active"}, on=DAY, by=VA)
    case.accept(ROWS["CT"], NOW, on=DAY, by=CT)
    assert case.state == "completed"


def test_what_is_on_hold_is_refused_alone_and_the_rest_moves():
    case = transfer(REQUESTED, CONFIRMED, MEMBER, fact(Transfer.Held, reason="open_audit", endorsements=("IFS-1",)))
    case.accept(ROWS["CT"], NOW, {"IFS-1": "not_in_good_standing"}, on=DAY, by=CT)
    assert then(case)[0].endorsements == ("ECFS-2",)


@pytest.mark.parametrize("standing", ["suspended", "proposed for removal", "in an open audit"])
def test_R25_an_open_sanction_or_audit_holds_a_transfer_whether_or_not_it_was_said(standing):
    with pytest.raises(OutOfTurn, match="on hold"):
        transfer(REQUESTED, CONFIRMED, MEMBER).accept(ROWS["CT"], NOW | {"IFS-1": ("IFS", standing)}, on=DAY, by=CT)


def test_a_reason_that_the_record_contradicts_is_no_reason():
    with pytest.raises(Invalid, match="offers this"):
        transfer(REQUESTED, CONFIRMED, MEMBER).accept(ROWS["CT"], NOW, {"IFS-1": "category_not_offered"}, on=DAY, by=CT)
    with pytest.raises(Invalid, match="lives in Connecticut"):
        transfer(REQUESTED).decline("not_resident", ROWS["CT"], {}, residence="CT", on=DAY, by=CT)
    with pytest.raises(Invalid, match="membership is verified"):
        transfer(REQUESTED, MEMBER).decline("no_membership", ROWS["CT"], {}, on=DAY, by=CT)


def test_not_a_member_declines():
    case = transfer(REQUESTED, CONFIRMED)
    case.decline("no_membership", ROWS["CT"], {"IFS-1": "IFS", "ECFS-2": "ECFS"}, residence="CT", on=DAY, by=CT)
    assert (case.state, set(case.refused.values())) == ("declined", {"no_membership"})


ECMHS = {"ECMHS-3": ("ECMHS", "active")}


def test_a_move_of_an_ecmhs_to_an_association_that_offers_none_may_end_at_the_alliance():
    case = transfer(
        fact(Transfer.Requested, person="p1", from_="VA", to="TX", endorsements=("ECMHS-3",)),
        fact(Transfer.StandingConfirmed, standings={"ECMHS-3": "active"}), MEMBER,
    )  # fmt: skip
    with pytest.raises(Invalid, match="category_not_offered"):
        case.accept(ROWS["TX"], ECMHS, on=DAY, by="coordinator:TX:k3")
    case.decline("category_not_offered", ROWS["TX"], {"ECMHS-3": "ECMHS"}, on=DAY, by="coordinator:TX:k3")
    assert case.can() == ["take custody"]
    case.collect_events()
    assert case.take_custody({"ECMHS-3": "VA"}, on=DAY, by="alliance:ALLIANCE:k9") == ("ECMHS-3",)
    assert then(case) == [fact(Transfer.CustodyTaken, by="alliance:ALLIANCE:k9", endorsements=("ECMHS-3",))]
    with pytest.raises(OutOfTurn):
        case.take_custody({"ECMHS-3": "ALLIANCE"}, on=DAY, by="alliance:ALLIANCE:k9")


def test_the_alliance_takes_only_what_was_not_offered():
    case = transfer(REQUESTED, fact(Transfer.Declined, reason="other", endorsements=NUMBERS))
    with pytest.raises(OutOfTurn):
        case.take_custody({"IFS-1": "VA", "ECFS-2": "VA"}, on=DAY, by="alliance:ALLIANCE:k9")


def test_when_the_licence_of_a_side_ends_the_alliance_is_that_side():
    case = transfer(REQUESTED)
    case.pass_side("releasing", "ALLIANCE", on=DAY, by="operator")
    assert (case.from_, case.to) == ("ALLIANCE", "CT")
    case.confirm_standing(GOOD, on=DAY, by="alliance:ALLIANCE:k9")


def test_the_holder_cancels_at_any_time_before_completion():
    for facts in ((), (CONFIRMED,), (DISPUTED,), (CONFIRMED, MEMBER),
                  (fact(Transfer.LeftUnanswered, association="VA"),),
                  (CONFIRMED, fact(Transfer.Held, reason="open_audit", endorsements=("IFS-1",)))):  # fmt: skip
        case = transfer(REQUESTED, *facts)
        case.cancel(on=DAY, by=HOLDER)
        assert case.state == "cancelled"
