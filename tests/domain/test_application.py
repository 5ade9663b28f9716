"""An application, from start to decision, as rules."""

from datetime import date

import pytest
from given import DAY, fact, given, then
from msgspec.structs import replace

from domain.application import Application, Fee, Snapshot, may_review, open_applications
from domain.association import ROWS
from domain.category import CATEGORIES, CURRENT
from domain.errors import Forbidden, Invalid, NotInForce, OutOfTurn, RequirementsNotMet
from domain.policy import Practice, Tally
from domain.reference import Reference, counted

BY = "coordinator:VA:k1"
# The places of a Family Specialist's references, and of a Mental Health Specialist's.
REFERRED = {"references": 3, "reference_slots": ("supervisor", "rsc_provider", "knows_the_work")}
ENOUGH = Tally(training=30, rsc=24, work_days=730, **REFERRED)
USUAL = Practice()
HANDED_IN = Snapshot(4, ENOUGH, ("E2",), {"IMHM-C-1": "m1"})


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


REGISTERED = fact(Application.Registered, member=True)
BUILDING = (STARTED, REGISTERED)


def submit(case, snapshot=HANDED_IN, *, signed=True, member=True, practice=USUAL, on=DAY):
    case.submit(snapshot, signed=signed, member=member, practice=practice, on=on, by=BY)


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
        assert "open_application/p1" in done.claims().release


def test_R4_submission_needs_the_signatures():
    with pytest.raises(Invalid, match="code of ethics"):
        submit(application(*BUILDING), signed=False)


def test_a_submission_carries_the_edition_of_the_day_and_what_it_added_up_to():
    built = application(*BUILDING)
    submit(built)
    (submitted,) = then(built)
    assert (submitted.edition, submitted.tally) == ("FS-2023", ENOUGH)
    assert (submitted.code_of_ethics, submitted.agreement) == ("ethics-2022", "agreement-2025")
    assert built.state == "submitted"


def test_a_submission_that_lacks_something_says_how_much_and_records_nothing():
    built = application(*BUILDING)
    with pytest.raises(RequirementsNotMet) as refused:
        submit(built, Snapshot(4, Tally(training=12, work_days=800, rsc=24, **REFERRED)))
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
    submit(again)
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
    with pytest.raises(Invalid, match="never the applicant nor their rater"):
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


IN_REVIEW = (STARTED, REGISTERED, SUBMITTED, assigned(), assigned("IFS-3", "r3"), recommended("approve", "IFS-3"))


def decided(outcome):
    return (STARTED, REGISTERED, SUBMITTED, assigned(), recommended(outcome))


DEEDS = {
    "accept": lambda a: a.register(member=True, fee_asked=False, practice=USUAL, on=DAY, by=BY),
    "refuse": lambda a: a.refuse_registration("not_a_member", on=DAY, by=BY),
    "settle": lambda a: a.settle_fee(
        "registration" if a.state == "started" else "processing", Fee("waived"), asked=True, on=DAY, by=BY
    ),
    "change": lambda a: a.change_category("IFA", ROWS["VA"], [], on=DAY, by=BY),
    "advise": lambda a: a.assign_advisor("IMHS-5", "r5", "IMHS", on=DAY, by=BY),
    "submit": submit,
    "amend": lambda a: a.amend(HANDED_IN, on=DAY, by=BY),
    "assign": lambda a: a.assign("IMHS-9", "r9", "IMHS", on=DAY, by=BY),
    "recommend": lambda a: a.recommend("IFS-1", "approve", "IFS", on=DAY, by=BY),
    "approve": lambda a: a.approve("IFS-9", 1, on=DAY, by=BY),
    "hold": lambda a: a.put_on_hold(["references"], reviewers=1, on=DAY, by=BY),
    "defer": lambda a: a.defer(["references"], None, reviewers=1, on=DAY, by=BY),
    "decline": lambda a: a.decline(["references"], reviewers=1, on=DAY, by=BY),
    "withdraw": lambda a: a.withdraw(on=DAY, by=BY),
    "appeal": lambda a: a.appeal(USUAL, on=DAY, by=BY),
    "decide appeal": lambda a: a.decide_appeal("granted", on=DAY, by="alliance:ALLIANCE:k7"),
}
DEFERRED = fact(Application.Deferred, reasons=("references",))
DECLINED = fact(Application.Declined, person="p1", reasons=("references",))
STATES = {
    "started": (STARTED,),
    "refused": (STARTED, fact(Application.RegistrationRefused, person="p1", reason="not_a_member")),
    "building": BUILDING,
    "submitted": (*BUILDING, SUBMITTED),
    "in_review": IN_REVIEW,
    "on_hold": (*decided("hold"), fact(Application.PutOnHold, reasons=("references",))),
    "approved": (*BUILDING, SUBMITTED, fact(Application.Approved, edition="FS-2023", number="IFS-9", person="p1")),
    "deferred": (*decided("defer"), DEFERRED),
    "declined": (*decided("decline"), DECLINED),
    "appealed": (*decided("decline"), DECLINED, fact(Application.Appealed, decision="declined")),
    "withdrawn": (STARTED, fact(Application.Withdrawn, person="p1")),
    "expired": (STARTED, fact(Application.Expired, person="p1", since=DAY)),
}
POSSIBLE = {
    "started": {"accept", "refuse", "settle", "change", "advise", "withdraw"},
    "building": {"settle", "change", "advise", "submit", "withdraw"},
    "submitted": {"settle", "assign", "withdraw"},
    "in_review": {"settle", "assign", "recommend", "withdraw"},
    "on_hold": {"settle", "advise", "amend", "withdraw"},
    "deferred": {"submit", "advise", "appeal", "withdraw"},
    "declined": {"appeal"},
    "appealed": {"decide appeal", "withdraw"},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_out_of_turn_names_the_state_and_records_nothing(state, deed):
    case = application(*STATES[state])
    if deed in POSSIBLE.get(state, ()):
        DEEDS[deed](case)
        assert case.pending
    else:
        with pytest.raises(OutOfTurn) as refused:
            DEEDS[deed](case)
        assert refused.value.facts["state"]
        assert refused.value.facts["can"] or state in ("refused", "approved", "withdrawn", "expired")
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
        submit(deferred, on=date(2026, 11, 30))
    submit(deferred, on=date(2026, 12, 1))


def test_nothing_is_decided_on_a_day_before_what_it_rests_on():
    with pytest.raises(Invalid, match="on record for 2026-06-01") as refused:
        application(STARTED, SUBMITTED, assigned(), recommended("approve")).approve(
            "IFS-9", 1, on=date(2026, 5, 31), by=BY
        )
    assert refused.value.field == "on"


# -- registration


def test_R2_registration_and_submission_each_need_a_current_membership():
    for refused, deed in (
        (application(STARTED), lambda a: a.register(member=False, fee_asked=False, practice=USUAL, on=DAY, by=BY)),
        (application(*BUILDING), lambda a: submit(a, member=False)),
    ):
        with pytest.raises(RequirementsNotMet) as missing:
            deed(refused)
        assert [gap["requirement"] for gap in missing.value.facts["missing"]] == ["membership"]
        assert then(refused) == []


def test_R2_where_no_membership_is_practised_none_is_asked():
    elsewhere = Practice(membership_needed=False)
    accepted = application(STARTED)
    accepted.register(member=False, fee_asked=False, practice=elsewhere, on=DAY, by=BY)
    assert then(accepted) == [fact(Application.Registered, member=False)]
    submit(accepted, member=False, practice=elsewhere)
    assert accepted.state == "submitted"


def test_a_fee_that_is_asked_is_settled_before_the_registration_is_accepted():
    waiting = application(STARTED)
    with pytest.raises(RequirementsNotMet, match="registration fee"):
        waiting.register(member=True, fee_asked=True, practice=USUAL, on=DAY, by=BY)
    waiting.settle_fee("registration", Fee("paid", 2500, "USD"), asked=True, on=DAY, by=BY)
    waiting.register(member=True, fee_asked=True, practice=USUAL, on=DAY, by=BY)
    assert then(waiting) == [
        fact(Application.FeeSettled, what="registration", fee=Fee("paid", 2500, "USD")),
        REGISTERED,
    ]


@pytest.mark.parametrize(
    ("fee", "field"),
    [
        (Fee("paid"), "amount"),
        (Fee("paid", 2500), "amount"),
        (Fee("waived", 2500, "USD"), "amount"),
        (Fee("sponsored", 2500, "USD"), "sponsor"),
        (Fee("sponsored", 2500, "USD", "Jane Doe"), "sponsor"),
        (Fee("paid", 2500, "USD", "DBHDS"), "sponsor"),
        (Fee("not_asked"), "how"),
    ],
)
def test_how_a_fee_was_settled_is_said_in_full_and_without_a_name(fee, field):
    with pytest.raises(Invalid) as refused:
        application(STARTED).settle_fee("registration", fee, asked=True, on=DAY, by=BY)
    assert refused.value.field == field


def test_a_fee_is_settled_once():
    paid = application(STARTED, fact(Application.FeeSettled, what="registration", fee=Fee("not_asked")))
    with pytest.raises(Invalid, match="settled already: not asked"):
        paid.settle_fee("registration", Fee("waived"), asked=False, on=DAY, by=BY)


def test_a_processing_fee_that_is_due_comes_before_the_reviewers():
    due = application(*BUILDING, SUBMITTED)
    with pytest.raises(OutOfTurn, match="processing fee due"):
        due.assign("IFS-1", "r1", "IFS", fee_due=True, on=DAY, by=BY)
    due.settle_fee("processing", Fee("sponsored", 10000, "USD", "DBHDS"), asked=True, on=DAY, by=BY)
    due.assign("IFS-1", "r1", "IFS", fee_due=True, on=DAY, by=BY)
    assert due.state == "in_review"


def test_the_category_may_change_until_it_is_submitted():
    changing = application(*BUILDING)
    changing.change_category("IFA", ROWS["VA"], [], on=DAY, by=BY)
    assert then(changing) == [fact(Application.CategoryChanged, from_="IFS", to="IFA")]
    assert changing.category == "IFA"
    for to, words in (("IFA", "already"), ("IMHS", "held already"), ("ECXX", "There is no category")):
        with pytest.raises(Invalid, match=words) as refused:
            changing.change_category(to, ROWS["VA"], ["IMHS"], on=DAY, by=BY)
        assert refused.value.field == "to"


def test_R3_an_additional_category_waits_for_the_open_one_where_one_is_earned_at_a_time():
    assert STARTED.claims().take == ("open_application/p1",)
    free = Application("a2")
    free.start("p1", "IFS", ROWS["VA"], residence="VA", held=[], practice=Practice(one_at_a_time=False), on=DAY, by=BY)
    assert free.pending[0].claims().take == ("open_beside/p1/a2",)


def test_R3_an_add_on_is_no_category_and_stands_beside_an_open_application():
    added = Application("a3")
    added.start_add_on(
        "p1", "IFS", "ERS", ROWS["VA"], endorsement="IFS-7", standing="active", has="EERS", on=DAY, by=BY
    )
    (started,) = added.pending
    assert (started.kind, started.add_on, started.endorsement) == ("add_on", "ERS", "IFS-7")
    assert started.claims().take == ("open_beside/p1/a3", "open_add_on/IFS-7/ERS")
    added.withdraw(on=DAY, by=BY)
    assert added.pending[1].claims().release[1:] == ("open_beside/p1/a3", "open_add_on/IFS-7/ERS")
    for facts in ({"category": "IFA"}, {"standing": "lapsed"}, {"has": "ERS"}):
        known = {"category": "IFS", "standing": "active", "has": None} | facts
        with pytest.raises(Invalid):
            Application("a4").start_add_on(
                "p1", known["category"], "ERS", ROWS["VA"], endorsement="IFS-7", standing=known["standing"],
                has=known["has"], on=DAY, by=BY,
            )  # fmt: skip


@pytest.mark.parametrize(
    "closing", [
        fact(Application.RegistrationRefused, person="p1", reason="other"), DECLINED,
        fact(Application.Expired, person="p1", since=DAY), fact(Application.Withdrawn, person="p1"),
        fact(Application.Approved, edition="FS-2023", number="IFS-1", person="p1"),
    ],
)  # fmt: skip
def test_R3_every_end_gives_the_claim_back(closing):
    assert "open_application/p1" in closing.claims().release


def test_R17_an_award_names_the_edition_of_the_submission_also_years_later():
    held = application(*BUILDING, SUBMITTED, assigned(), recommended("approve"))
    held.approve("IFS-9", 1, on=date(2028, 1, 3), by=BY)
    assert then(held) == [
        fact(Application.Approved, edition="FS-2023", number="IFS-9", person="p1", on=date(2028, 1, 3))
    ]


# -- references


def rated(name, relationship, on=DAY, *more, **facts):
    return given(
        Reference(name),
        fact(Reference.Nominated, person="p1", association="VA", relationship=relationship, waiver=True,
             name="x", email="x", match=name, on=on),
        fact(Reference.Requested, link=name, until=on, on=on),
        fact(Reference.Rated, answers="{}", unknown=0, recommendation="recommend", completed_on=on, known_a_year=True,
             on=on),
        *more,
    )  # fmt: skip


def handed_in(references, on=DAY, *, submitted_on=None):
    found = counted(references, "IFS", "VA", on, submitted_on=submitted_on)
    tally = replace(ENOUGH, references=found.count, reference_slots=found.slots)
    return Snapshot(4, tally, ("E2",), references=found.filling), found.refused


SUPERVISOR, PROVIDER = rated("s", "supervisor"), rated("r", "rsc_provider")


def test_r4_r5_a_submission_names_each_reference_that_lacks_and_why_one_does_not_count():
    late = rated("t", "teacher", date(2025, 5, 31))
    snapshot, refused_ = handed_in([SUPERVISOR, PROVIDER, late])
    with pytest.raises(RequirementsNotMet, match="a reference from a teacher") as refused:
        application(*BUILDING).submit(
            snapshot, refused=refused_, signed=True, member=True, practice=USUAL, on=DAY, by=BY
        )
    asked = [(gap["requirement"], gap["have"], gap["need"], gap["source"]) for gap in refused.value.facts["missing"]]
    assert asked == [("references", 2, 3, "MI-IFSOLD"), ("reference", 0, 1, "MI-IFSOLD")]
    (why,) = refused.value.facts["references"]
    assert (why["reference"], why["reason"], why["source"], why["through"]) == ("t", "expired", "PA-REF", "2026-05-31")


def test_r5_three_references_of_which_none_is_the_supervisors_are_not_enough():
    snapshot, _ = handed_in([PROVIDER, rated("t", "teacher"), rated("u", "trainer")])
    with pytest.raises(RequirementsNotMet) as refused:
        submit(application(*BUILDING), snapshot)
    (gap,) = refused.value.facts["missing"]
    assert (gap["words"], gap["source"]) == ("a reference from the current supervisor", "PA-REF")


def test_r4_a_submission_keeps_the_references_that_counted():
    built = application(*BUILDING)
    submit(built, handed_in([SUPERVISOR, PROVIDER, rated("t", "teacher"), rated("u", "colleague")])[0])
    assert built.pending[0].references == ("r", "s", "t")


def test_r5_an_amendment_keeps_what_counted_at_the_submission_and_takes_what_came_later():
    later = date(2027, 5, 1)
    old = [SUPERVISOR, PROVIDER, rated("t", "teacher", date(2025, 6, 2))]
    assert handed_in(old, later, submitted_on=DAY)[0].tally.references == 3
    assert handed_in(old, later)[0].tally.references == 2
    instead = [SUPERVISOR, PROVIDER, rated("v", "parent", date(2026, 6, 20))]
    held = application(*STATES["on_hold"])
    with pytest.raises(RequirementsNotMet):
        held.amend(handed_in(instead[:2], later, submitted_on=DAY)[0], on=later, by=BY)
    held.amend(handed_in(instead, later, submitted_on=DAY)[0], on=later, by=BY)
    assert held.pending[0].snapshot.references == ("r", "s", "v")


def test_r4_an_add_on_asks_its_own_two_references_and_the_endorsement_it_is_for():
    added = application(
        fact(Application.Started, person="p1", association="VA", category="IFS", kind="add_on", add_on="ERS",
             endorsement="IFS-7", alone=False),
        REGISTERED,
    )  # fmt: skip
    gives = Tally(rsc_given_days=365, rsc_about_given=12, rsc_provision=15, references=2,
                  reference_slots=("rsc_provider", "rsc_receiver"))  # fmt: skip
    with pytest.raises(RequirementsNotMet, match="an active endorsement as") as refused:
        submit(added, Snapshot(4, gives))
    assert [gap["source"] for gap in refused.value.facts["missing"]] == ["IN-ERS, AZ-REQ"]
    submit(added, Snapshot(4, replace(gives, endorsed_slots=("FS",))))
    assert added.pending[0].edition == "ERS-2024"


# -- the day of submission

SPECIALIST = Snapshot(9, Tally(training=33, dei=3, rsc=50, work_days=730, degree="master", **REFERRED))
MHS = (fact(Application.Started, person="p1", association="VA", category="IMHS", on=date(2024, 11, 4)),
       fact(Application.Registered, member=True, on=date(2024, 11, 5)))  # fmt: skip


def reviewed_mhs(on):
    case = application(*MHS)
    submit(case, SPECIALIST, on=on)
    case.assign("IMHS-1", "r1", "IMHS", on=on, by=BY)
    case.recommend("IMHS-1", "approve", "IMHS", on=on, by=BY)
    return case


def test_R10_an_mhs_who_submitted_on_2024_12_31_sits_the_exam_however_late_it_is_decided():
    eve = reviewed_mhs(date(2024, 12, 31))
    assert eve.exam_asked
    assert "approve_for_exam" in eve.can()
    with pytest.raises(OutOfTurn, match="exam passed, as MHS-2002 asks"):
        eve.approve("IMHS-9", 1, on=date(2025, 2, 3), by=BY)


def test_R9_an_mhs_who_submitted_on_2025_01_01_sits_none():
    new_year = reviewed_mhs(date(2025, 1, 1))
    assert not new_year.exam_asked
    new_year.approve("IMHS-9", 1, on=date(2025, 2, 3), by=BY)
    assert new_year.state == "approved"


# -- review


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"trained": False}, "not trained"),
        ({"raters": ["r1"]}, "a rater"),
        ({"also": ["p1"]}, "the applicant"),
        ({"also": ["m1"]}, "a provider of RSC"),
        ({"person": "v1"}, "the advisor"),
    ],
)
def test_R14_a_reviewer_is_trained_and_has_no_tie_also_not_in_another_record_of_theirs(facts, words):
    advised = application(
        STARTED, fact(Application.AdvisorAssigned, advisor="IMHS-5", person="v1"), REGISTERED, SUBMITTED
    )
    with pytest.raises(Invalid, match=words):
        advised.assign("IFS-1", facts.pop("person", "r1"), "IFS", on=DAY, by=BY, **facts)


def test_R14_who_reviews_does_not_advise():
    reviewed = application(*decided("hold"), fact(Application.PutOnHold, reasons=("references",)))
    with pytest.raises(Invalid, match="does not advise"):
        reviewed.assign_advisor("IFS-1", "r1", "IFS", on=DAY, by=BY)


def test_a_hold_says_what_to_change_and_an_amendment_is_judged_anew_by_the_same_reviewers():
    held = application(*decided("hold"))
    with pytest.raises(Invalid, match="at least one reason"):
        held.put_on_hold([], reviewers=1, on=DAY, by=BY)
    held.put_on_hold(["more_training"], reviewers=1, on=DAY, by=BY)
    more = Snapshot(6, Tally(training=40, rsc=24, work_days=730, **REFERRED), ("E2", "E5"), {"IMHM-C-1": "m1"})
    held.amend(more, on=DAY, by=BY)
    assert then(held) == [
        fact(Application.PutOnHold, reasons=("more_training",)),
        fact(Application.Amended, edition="FS-2023", snapshot=more),
    ]
    assert (held.state, held.reviewers) == ("in_review", {"IFS-1": None})


def test_an_amendment_is_judged_under_the_edition_of_the_day_of_submission():
    case = reviewed_mhs(date(2024, 12, 31))
    case = application(*MHS, *then(case)[:2], fact(Application.PutOnHold, reasons=("references",)))
    less = Snapshot(9, Tally(training=30, rsc=50, work_days=730, degree="master", **REFERRED))
    case.amend(less, on=DAY, by=BY)
    assert case.pending[0].edition == "MHS-2002"


def test_a_final_no_takes_all_reviewers_or_their_consensus_never_two_of_three():
    third = application(*BUILDING, SUBMITTED, assigned(), assigned("IMHS-2", "r2"), assigned("IFS-3", "r3"),
                        recommended("decline"), recommended("decline", "IMHS-2"),
                        recommended("defer", "IFS-3"))  # fmt: skip
    with pytest.raises(OutOfTurn, match="disagreed"):
        third.decline(["competencies_not_shown"], reviewers=2, on=DAY, by=BY)
    third.reach_consensus("decline", on=DAY, by=BY)
    third.decline(["competencies_not_shown"], reviewers=2, on=DAY, by=BY)
    assert third.state == "declined"


# -- after the decision


def test_an_appeal_goes_to_the_alliance_once_within_sixty_days():
    late = application(*decided("decline"), DECLINED)
    with pytest.raises(OutOfTurn, match="past appeal since 2026-07-31"):
        late.appeal(USUAL, on=date(2026, 8, 1), by=BY)
    late.appeal(USUAL, on=date(2026, 7, 31), by=BY)
    assert then(late)[-1] == fact(Application.Appealed, decision="declined", person=late.person, on=date(2026, 7, 31))


def test_what_was_declined_is_the_persons_again_while_the_appeal_is_open():
    case = application(*decided("decline"), DECLINED)
    case.appeal(USUAL, on=DAY, by=BY)
    (appealed,) = case.pending
    (taken,) = appealed.claims().take
    assert taken.startswith(f"{open_applications(case.person)[1]}/")
    for verdict in ("upheld", "granted"):
        again = application(*STATES["appealed"])
        again.decide_appeal(verdict, on=DAY, by="alliance:ALLIANCE:k7")
        assert taken.rpartition("/")[0] in {name.rpartition("/")[0] for name in again.pending[0].claims().release}


def test_an_appeal_that_is_upheld_leaves_the_decision_and_no_second_one():
    upheld = application(*STATES["appealed"])
    with pytest.raises(Forbidden):
        upheld.decide_appeal("upheld", on=DAY, by=BY)
    upheld.decide_appeal("upheld", on=DAY, by="alliance:ALLIANCE:k7")
    assert upheld.state == "declined"
    with pytest.raises(OutOfTurn, match="appealed already"):
        upheld.appeal(USUAL, on=DAY, by=BY)


def test_an_appeal_that_is_granted_is_reviewed_by_others():
    granted = application(*STATES["appealed"])
    granted.decide_appeal("granted", on=DAY, by="alliance:ALLIANCE:k7")
    assert granted.state == "submitted"
    assert granted.pending[0].claims().take == ("open_application/p1",)
    with pytest.raises(Invalid, match="before the appeal"):
        granted.assign("IFS-1", "r1", "IFS", on=DAY, by=BY)
    granted.assign("IMHS-4", "r4", "IMHS", on=DAY, by=BY)


def test_an_add_on_that_is_reviewed_again_after_an_appeal_takes_its_own_place():
    declined = fact(Application.Declined, person="p1", reasons=("references",), beside="IFS-7/ERS")
    assert "open_add_on/IFS-7/ERS" in declined.claims().release
    added = application(
        fact(Application.Started, person="p1", association="VA", category="IFS", kind="add_on", add_on="ERS",
             endorsement="IFS-7", alone=False), *decided("decline")[1:], declined,
        fact(Application.Appealed, decision="declined"),
    )  # fmt: skip
    added.decide_appeal("granted", on=DAY, by="alliance:ALLIANCE:k7")
    assert added.pending[0].claims().take == ("open_beside/p1/a1", "open_add_on/IFS-7/ERS")


@pytest.mark.parametrize("end", ["failed", "expired"])
def test_sixty_days_for_an_appeal_count_from_the_exam_too(end):
    passed = date(2026, 9, 1)
    exam = (
        fact(Application.ApprovedForExam, edition="MHS-2002", through=date(2026, 8, 1)),
        fact(Application.ExamBooked, exam="x1", window=DAY),
        fact(Application.ExamDecided, exam="x1", passed=False, part_1=True, part_2=False, on=passed, by="alliance:k9"),
    )
    gone = (exam[0], fact(Application.ExamApprovalExpired, on=passed, by="operator"))
    earlier = fact(Application.Deferred, reasons=("references",), on=date(2026, 1, 5))
    case = application(*BUILDING, earlier, SUBMITTED, *(exam if end == "failed" else gone))
    assert (case.state, case.decided_on) == ("deferred", passed)
    with pytest.raises(OutOfTurn, match="past appeal since 2026-10-31"):
        case.appeal(USUAL, on=date(2026, 11, 1), by=BY)
    case.appeal(USUAL, on=date(2026, 10, 31), by=BY)


# -- untouched


def test_an_untouched_application_is_said_to_expire_twice_and_then_does():
    resting = application(*BUILDING)  # on 2026-06-01
    never = date.min
    assert resting.reminder_due(USUAL, never, date(2027, 11, 30)) == 0
    assert resting.reminder_due(USUAL, never, date(2027, 12, 1)) == 18
    resting.remind(USUAL, never, on=date(2027, 12, 1), by="operator")
    assert resting.reminder_due(USUAL, never, date(2027, 12, 2)) == 0
    resting.remind(USUAL, never, on=date(2028, 5, 1), by="operator")
    with pytest.raises(OutOfTurn, match="open until 2028-06-01"):
        resting.expire(USUAL, never, on=date(2028, 5, 31), by="operator")
    resting.expire(USUAL, never, on=date(2028, 6, 1), by="operator")
    assert [type(event) for event in then(resting)] == [
        Application.Reminded, Application.Reminded, Application.Expired,
    ]  # fmt: skip


def test_work_on_the_portfolio_or_a_day_to_wait_for_keeps_it_open():
    resting = application(*BUILDING)
    assert resting.expires_on(24, date(2027, 8, 31)) == date(2029, 8, 31)
    waiting = application(
        *BUILDING, SUBMITTED, fact(Application.Deferred, reasons=("more_rsc",), may_resubmit_from=date(2027, 6, 1))
    )
    assert waiting.expires_on(24) == date(2029, 6, 1)
    # No such day in that month: the first of the next one.
    assert resting.expires_on(18, date(2027, 8, 31)) == date(2029, 3, 1)


def test_what_waits_for_the_association_never_expires():
    for state in ("submitted", "in_review", "appealed"):
        with pytest.raises(OutOfTurn):
            application(*STATES[state]).expire(USUAL, date.min, on=date(2036, 1, 1), by="operator")


# -- old histories, long histories


def test_a_history_of_the_previous_issue_still_loads():
    """Started, then submitted: there was no registration."""
    old = application(STARTED, SUBMITTED, assigned(), recommended("approve"))
    old.approve("IFS-9", 1, on=DAY, by=BY)
    assert old.state == "approved"
    assert application(STARTED).can()[0] == "accept_registration"


def test_after_500_events_it_still_decides():
    facts = [STARTED, REGISTERED, SUBMITTED]
    for turn in range(100):
        facts += [
            assigned(f"IFS-{turn}", f"r{turn}"),
            recommended("hold", f"IFS-{turn}"),
            fact(Application.PutOnHold, reasons=("references",)),
            fact(Application.Amended, edition="FS-2023", snapshot=HANDED_IN),
            fact(Application.ReviewerRecused, reviewer=f"IFS-{turn}", tie="colleague"),
        ]
    long = application(*facts)
    long.assign("IMHS-9", "new", "IMHS", on=DAY, by=BY)
    assert [type(event) for event in then(long)] == [Application.ReviewerAssigned]  # how soon: bench/decide.py
