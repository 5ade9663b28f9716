"""An application, from start to decision, as rules."""

from datetime import date

import pytest
from given import DAY, fact, given, then

from domain.application import Application, may_review
from domain.association import ROWS
from domain.category import CATEGORIES, CURRENT
from domain.errors import Forbidden, Invalid, NotInForce, OutOfTurn, RequirementsNotMet
from domain.policy import Tally

BY = "coordinator:VA:k1"
ENOUGH = Tally(training=30, rsc=24, work_days=730)


def application(*facts):
    return given(Application("a1"), *facts)


STARTED = fact(Application.Started, person="p1", association="VA", category="IFS")
SUBMITTED = fact(
    Application.Submitted,
    edition="FS-2023",
    person_version=4,
    entries=("E2",),
    tally=ENOUGH,
    providers={"IMHM-C-1": "m1"},
    code_of_ethics="signed",
)


def assigned(reviewer="IFS-1", person="r1"):
    return fact(Application.ReviewerAssigned, reviewer=reviewer, person=person, held="IFS+ERS")


def recommended(outcome, reviewer="IFS-1"):
    return fact(Application.ReviewRecommended, reviewer=reviewer, outcome=outcome, held="IFS")


def start(category="IFS", association="VA", residence="VA", held=()):
    new = Application("a1")
    new.start("p1", category, ROWS[association], residence=residence, held=held, on=DAY, by=BY)
    return new


def test_R1_one_applies_where_one_lives():
    assert then(start()) == [STARTED]
    with pytest.raises(Invalid, match="Apply where you live") as refused:
        start(residence="CT")
    assert refused.value.field == "association"


def test_a_category_the_association_does_not_offer_is_refused():
    with pytest.raises(Invalid, match="does not offer ECFS"):
        start("ECFS", association="TX", residence="TX")


def test_a_retired_category_is_refused():
    with pytest.raises(NotInForce):
        start("IFRS")


def test_one_open_application_is_claimed_and_given_back_with_the_decision():
    assert STARTED.claims().take == ("open_application/p1",)
    for done in (
        fact(Application.Approved, edition="FS-2023", number="IFS-1", person="p1"),
        fact(Application.Withdrawn, person="p1"),
    ):
        assert done.claims().release == ("open_application/p1",)


def test_R4_submission_needs_the_signatures():
    with pytest.raises(Invalid, match="code of ethics"):
        application(STARTED).submit(ENOUGH, ["E2"], {}, person_version=4, signed=False, on=DAY, by=BY)


def test_a_submission_carries_the_edition_of_the_day_and_what_it_added_up_to():
    built = application(STARTED)
    built.submit(ENOUGH, ["E2"], {"IMHM-C-1": "m1"}, person_version=4, signed=True, on=DAY, by=BY)
    (submitted,) = then(built)
    assert (submitted.edition, submitted.tally) == ("FS-2023", ENOUGH)
    assert built.state == "submitted"


def test_a_submission_that_lacks_something_says_how_much_and_records_nothing():
    built = application(STARTED)
    with pytest.raises(RequirementsNotMet) as refused:
        built.submit(Tally(training=12, work_days=800, rsc=24), [], {}, person_version=4, signed=True, on=DAY, by=BY)
    assert refused.value.facts["missing"] == [
        {
            "requirement": "training", "have": 12, "need": 30, "missing": 18, "edition": "FS-2023", "source": "CT-IFS",
            "words": "30 hours of training (there are 12, 18 to go)",
        }
    ]  # fmt: skip
    assert then(built) == []


def test_a_deferred_application_may_be_submitted_again_and_is_reviewed_anew():
    again = application(
        STARTED, SUBMITTED, assigned(), recommended("defer"), fact(Application.Deferred, reasons=("more_training",))
    )
    again.submit(ENOUGH, ["E2"], {}, person_version=4, signed=True, on=DAY, by=BY)
    assert again.state == "submitted"
    assert again.reviewers == {}


def test_R14_a_reviewer_is_active_in_a_category_that_may_review():
    ready = application(STARTED, SUBMITTED)
    for held in ("", "IFA"):
        with pytest.raises(Invalid, match="may not review IFS"):
            ready.assign("X-1", "r1", held, on=DAY, by=BY)
    ready.assign("IFS-1", "r1", "IFS+ERS", on=DAY, by=BY)
    assert then(ready) == [assigned()]


@pytest.mark.parametrize(("reviewer", "person"), [("IFS-1", "p1"), ("IMHS-9", "m1")])
def test_R14_nobody_reviews_themselves_or_who_they_supervised(reviewer, person):
    with pytest.raises(Invalid, match="never the applicant nor their provider"):
        application(STARTED, SUBMITTED).assign(reviewer, person, "IMHM-C", on=DAY, by=BY)


def test_who_may_review_what_is_a_row_per_category():
    assert [c for c in CURRENT if may_review(c, "IMHS")] == ["IMHS", "ECMHS", "IMHM-C", "ECMHM-C"]
    assert [c for c in CURRENT if may_review(c, "IMHM-P")] == ["IMHM-P", "ECMHM-P"]
    assert [c for c in CURRENT if may_review(c, "IFA")] == list(CURRENT)
    assert not any(
        may_review(own, category) for own in ("IFA", "ECFA") for category in CATEGORIES if "FA" not in category
    )


def test_only_the_assigned_reviewer_recommends_and_once():
    reviewing = application(STARTED, SUBMITTED, assigned())
    with pytest.raises(Forbidden):
        reviewing.recommend("IFS-2", "approve", "IFS", on=DAY, by=BY)
    reviewing.recommend("IFS-1", "approve", "IFS", on=DAY, by=BY)
    with pytest.raises(OutOfTurn):
        reviewing.recommend("IFS-1", "defer", "IFS", ["references"], on=DAY, by=BY)


def test_who_does_not_approve_says_why():
    with pytest.raises(Invalid, match="what to do next"):
        application(STARTED, SUBMITTED, assigned()).recommend("IFS-1", "defer", "IFS", on=DAY, by=BY)


def test_as_many_judgements_as_the_association_asks_for():
    one = application(STARTED, SUBMITTED, assigned(), recommended("approve"))
    with pytest.raises(OutOfTurn, match="waiting for 1 more review"):
        one.approve("IFS-9", 2, on=DAY, by=BY)
    one.approve("IFS-9", 1, on=DAY, by=BY)
    assert then(one) == [fact(Application.Approved, edition="FS-2023", number="IFS-9", person="p1")]


def test_every_assigned_reviewer_is_heard_even_where_one_would_do():
    with pytest.raises(OutOfTurn, match="waiting for 1 more"):
        application(STARTED, SUBMITTED, assigned(), assigned("IMHS-2", "r2"), recommended("approve")).approve(
            "IFS-9", 1, on=DAY, by=BY
        )


DISAGREED = (
    STARTED, SUBMITTED, assigned(), assigned("IMHS-2", "r2"), recommended("approve"), recommended("defer", "IMHS-2"),
)  # fmt: skip


def test_R15_reviewers_who_disagree_are_never_averaged():
    apart = application(*DISAGREED)
    for decide in (
        lambda: apart.approve("IFS-9", 2, on=DAY, by=BY),
        lambda: apart.defer(["references"], None, reviewers=2, on=DAY, by=BY),
    ):
        with pytest.raises(OutOfTurn, match="reach consensus"):
            decide()
    apart.reach_consensus("approve", on=DAY, by=BY)
    apart.approve("IFS-9", 2, on=DAY, by=BY)
    assert [type(event) for event in then(apart)] == [Application.ConsensusReached, Application.Approved]


def test_R15_all_judgements_stay_on_record_after_a_consensus():
    together = application(*DISAGREED, fact(Application.ConsensusReached, outcome="defer"))
    assert together.reviewers == {"IFS-1": "approve", "IMHS-2": "defer"}
    together.defer(["more_training"], date(2026, 12, 1), reviewers=2, on=DAY, by=BY)
    assert together.state == "deferred"


def test_consensus_is_for_disagreement_only():
    agreed = application(STARTED, SUBMITTED, assigned(), recommended("approve"))
    with pytest.raises(OutOfTurn):
        agreed.reach_consensus("approve", on=DAY, by=BY)


def test_a_recused_reviewer_is_gone_and_another_may_come():
    alone = application(STARTED, SUBMITTED, assigned())
    alone.recuse("IFS-1", "colleague", on=DAY, by=BY)
    assert alone.state == "submitted"
    alone.assign("IMHS-2", "r2", "IMHS", on=DAY, by=BY)
    assert list(alone.reviewers) == ["IMHS-2"]


DEEDS = {
    "submit": lambda a: a.submit(ENOUGH, [], {}, person_version=4, signed=True, on=DAY, by=BY),
    "assign": lambda a: a.assign("IMHS-9", "r9", "IMHS", on=DAY, by=BY),
    "recommend": lambda a: a.recommend("IFS-1", "approve", "IFS", on=DAY, by=BY),
    "approve": lambda a: a.approve("IFS-9", 1, on=DAY, by=BY),
    "defer": lambda a: a.defer(["references"], None, reviewers=1, on=DAY, by=BY),
    "withdraw": lambda a: a.withdraw(on=DAY, by=BY),
}
STATES = {
    "building": (STARTED,),
    "submitted": (STARTED, SUBMITTED),
    "in_review": (STARTED, SUBMITTED, assigned(), assigned("IFS-3", "r3"), recommended("approve", "IFS-3")),
    "approved": (STARTED, SUBMITTED, fact(Application.Approved, edition="FS-2023", number="IFS-9", person="p1")),
    "deferred": (STARTED, SUBMITTED, fact(Application.Deferred, reasons=("references",))),
    "withdrawn": (STARTED, fact(Application.Withdrawn, person="p1")),
}
POSSIBLE = {
    "building": {"submit", "withdraw"},
    "submitted": {"assign", "withdraw"},
    "in_review": {"assign", "recommend", "withdraw"},
    "approved": set(),
    "deferred": {"submit", "withdraw"},
    "withdrawn": set(),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_out_of_turn_names_the_state_and_records_nothing(state, deed):
    case = application(*STATES[state])
    if deed in POSSIBLE[state]:
        DEEDS[deed](case)
        assert case.pending
    else:
        with pytest.raises(OutOfTurn) as refused:
            DEEDS[deed](case)
        assert refused.value.facts["state"]
        assert not case.pending


def test_R14_one_human_judges_once_whatever_numbers_they_hold():
    with pytest.raises(Invalid, match="assigned already"):
        application(STARTED, SUBMITTED, assigned("IFS-1", "r1")).assign("IMHS-7", "r1", "IMHS", on=DAY, by=BY)


def test_R14_a_reviewer_is_active_also_on_the_day_they_recommend():
    with pytest.raises(Invalid, match="not active that day"):
        application(STARTED, SUBMITTED, assigned()).recommend("IFS-1", "approve", "", on=DAY, by=BY)


def test_who_stepped_back_does_not_return_and_a_consensus_with_them_is_void():
    stepped = application(*DISAGREED, fact(Application.ConsensusReached, outcome="approve"))
    stepped.recuse("IFS-1", "relative", on=DAY, by=BY)
    assert stepped.judgement == "defer"
    with pytest.raises(Invalid, match="stepped back"):
        stepped.assign("IMHS-8", "r1", "IMHS", on=DAY, by=BY)


def test_a_third_reviewer_decides_and_all_three_stay_on_record():
    third = application(*DISAGREED, assigned("IFS-3", "r3"), recommended("approve", "IFS-3"))
    third.approve("IFS-9", 2, on=DAY, by=BY)
    assert third.reviewers == {"IFS-1": "approve", "IMHS-2": "defer", "IFS-3": "approve"}


def test_what_is_held_is_renewed_not_applied_for():
    with pytest.raises(Invalid, match="held already"):
        start(held=["IFS"])
    assert then(start(held=["IFA"]))[0].kind == "additional"


def test_a_deferral_until_a_day_is_kept():
    deferred = application(
        STARTED, SUBMITTED, fact(Application.Deferred, reasons=("more_training",), may_resubmit_from=date(2026, 12, 1))
    )
    with pytest.raises(OutOfTurn, match="deferred until 2026-12-01"):
        deferred.submit(ENOUGH, [], {}, person_version=4, signed=True, on=date(2026, 11, 30), by=BY)
    deferred.submit(ENOUGH, [], {}, person_version=4, signed=True, on=date(2026, 12, 1), by=BY)


def test_nothing_is_decided_on_a_day_before_what_it_rests_on():
    with pytest.raises(Invalid, match="on record for 2026-06-01") as refused:
        application(STARTED, SUBMITTED, assigned(), recommended("approve")).approve(
            "IFS-9", 1, on=date(2026, 5, 31), by=BY
        )
    assert refused.value.field == "on"
