"""An exam, from the reviewers' word to the decision: two parts, scored blind (R10, R11, R16)."""

from datetime import date

import pytest
from given import fact, given, then

from domain.application import Application, windows, years_on
from domain.editions import EDITIONS
from domain.errors import Forbidden, Invalid, OutOfTurn
from domain.event import personal_fields
from domain.exam import Exam
from domain.policy import Tally

BY = "alliance:ALLIANCE:k1"
SUBMITTED, APPROVED, BOOKED, SAT = date(2024, 12, 31), date(2025, 1, 20), date(2025, 2, 3), date(2025, 2, 24)
WINDOW = date(2025, 2, 22)
MONTHS = range(2, 12)


def submitted(category="IMHS", on=SUBMITTED, edition="MHS-2002"):
    return (
        fact(Application.Started, person="p1", association="VA", category=category, on=on),
        fact(Application.Submitted, edition=edition, person_version=4, entries=("E2",), tally=Tally(), on=on),
        fact(Application.ReviewerAssigned, reviewer="IMHS-1", person="r1", held="IMHM-C", on=on),
        fact(Application.ReviewRecommended, reviewer="IMHS-1", outcome="approve", held="IMHM-C", on=on),
    )


FOR_EXAM = fact(Application.ApprovedForExam, edition="MHS-2002", through=date(2026, 1, 20), on=APPROVED)
BOOKING = fact(Application.ExamBooked, exam="x1", window=WINDOW, on=BOOKED)


def application(*facts):
    return given(Application("a1"), *facts)


def exam(*facts):
    booked = fact(
        Exam.Booked, candidate="C-1", window=WINDOW, multiple_choice="IMH", designation="MHS", on=BOOKED, by="holder"
    )
    return given(Exam("x1"), booked, *facts)


def sat(*facts):
    return exam(fact(Exam.Sat, on=SAT), *facts)


def assigned(scorer):
    return fact(Exam.ScorerAssigned, scorer=scorer, on=SAT)


def scored(scorer, score):
    return fact(Exam.Part2Scored, scorer=scorer, score=score, pass_mark=80, passed=score >= 80, on=SAT)  # AK-EXAM


def part_1(wrong):
    return fact(Exam.Part1Scored, wrong=wrong, items=60, most_wrong=12, passed=wrong <= 12, on=SAT)  # ALL-EXAM


def test_R10_a_specialist_who_submitted_on_the_last_day_of_2024_is_not_approved_without_the_exam():
    judged = application(*submitted())
    with pytest.raises(OutOfTurn, match=r"in review.*exam passed, as MHS-2002 asks \(MI-EXAM, CT-UPD25\)") as refused:
        judged.approve("IMHS-9", 1, on=APPROVED, by=BY)
    assert refused.value.facts["can"][0] == "approve_for_exam"
    judged.approve_for_exam(1, 1, on=APPROVED, by=BY)
    assert then(judged) == [fact(Application.ApprovedForExam, edition="MHS-2002", through=date(2026, 1, 20),
                                 on=APPROVED, by=BY)]  # fmt: skip


def test_R10_a_specialist_who_submitted_on_the_first_day_of_2025_is_approved_without_an_exam():
    judged = application(*submitted(on=date(2025, 1, 1), edition="MHS-2025"))
    with pytest.raises(Invalid, match="asks for no exam"):
        judged.approve_for_exam(1, 1, on=APPROVED, by=BY)
    judged.approve("IMHS-9", 1, on=APPROVED, by=BY)
    assert judged.state == "approved"


def test_R10_R11_the_exam_is_asked_of_mentors_always_and_of_specialists_until_2025():
    for edition in EDITIONS:
        asks = edition.slot.startswith("MHM") or (edition.slot == "MHS" and edition.effective < date(2025, 1, 1))
        assert (edition.exam is not None) == asks, edition.name


def test_R16_the_reviewers_word_comes_first():
    waiting = application(*submitted()[:3])
    with pytest.raises(OutOfTurn, match="waiting for 1 more review"):
        waiting.approve_for_exam(1, 1, on=APPROVED, by=BY)


def test_R16_approval_to_sit_lasts_one_year_and_then_expires_once():
    allowed = application(*submitted(), FOR_EXAM)
    with pytest.raises(OutOfTurn):
        allowed.expire_exam_approval(on=date(2026, 1, 20), by="operator")
    with pytest.raises(OutOfTurn, match="exam approval expired"):
        allowed.book_exam("x1", date(2026, 2, 22), MONTHS, on=date(2026, 1, 21), by=BY)
    allowed.expire_exam_approval(on=date(2026, 1, 21), by="operator")
    assert allowed.state == "deferred"
    with pytest.raises(OutOfTurn):
        allowed.expire_exam_approval(on=date(2026, 1, 21), by="operator")


def test_R16_exams_are_sat_in_the_last_week_of_february_to_november():
    year = windows(date(2025, 1, 20), date(2026, 1, 20), MONTHS)
    assert (year[0], year[-1], len(year)) == (WINDOW, date(2025, 11, 24), 10)
    assert windows(date(2025, 2, 23), date(2025, 3, 30), MONTHS) == []
    assert years_on(date(2024, 2, 29), 1) == date(2025, 2, 28)
    allowed = application(*submitted(), FOR_EXAM)
    with pytest.raises(Invalid, match="2025-02-22, 2025-03-25") as refused:
        allowed.book_exam("x1", date(2025, 2, 21), MONTHS, on=BOOKED, by=BY)
    assert refused.value.field == "window"
    allowed.book_exam("x1", WINDOW, MONTHS, on=BOOKED, by=BY)
    assert then(allowed) == [fact(Application.ExamBooked, exam="x1", window=WINDOW, on=BOOKED, by=BY)]


def test_R16_an_exam_is_sat_in_its_week():
    with pytest.raises(Invalid, match="2025-02-22 to 2025-02-28"):
        exam().sit(on=date(2025, 3, 1), by=BY)
    for day in (WINDOW, date(2025, 2, 28)):
        exam().sit(on=day, by=BY)


@pytest.mark.parametrize(("wrong", "passed"), [(0, True), (12, True), (13, False), (60, False)])
def test_R16_part_1_passes_with_at_most_12_of_60_wrong(wrong, passed):
    sitting = sat()
    sitting.score_part_1(wrong, items=60, most_wrong=12, on=SAT, by=BY)
    assert then(sitting) == [fact(Exam.Part1Scored, wrong=wrong, items=60, most_wrong=12, passed=passed, on=SAT, by=BY)]


def test_R16_part_1_is_scored_once_and_of_60():
    with pytest.raises(Invalid, match="0 to 60"):
        sat().score_part_1(61, items=60, most_wrong=12, on=SAT, by=BY)
    with pytest.raises(OutOfTurn, match="part 1 scored"):
        sat(part_1(3)).score_part_1(3, items=60, most_wrong=12, on=SAT, by=BY)


def test_R16_part_2_takes_two_scorers_who_both_find_80_per_cent():
    one = sat(part_1(12), assigned("s1"), assigned("s2"), scored("s1", 80))
    with pytest.raises(OutOfTurn, match="waiting for part 2"):
        one.decide(on=SAT, by=BY)
    one.score_part_2("s2", 95, pass_mark=80, on=SAT, by=BY)
    one.decide(on=SAT, by=BY)
    assert then(one)[-1] == fact(Exam.Decided, passed=True, part_1=True, part_2=True, on=SAT, by=BY)


def test_R16_scorers_who_disagree_are_not_averaged_and_a_third_decides():
    apart = sat(part_1(12), assigned("s1"), assigned("s2"), scored("s1", 79.9), scored("s2", 100))
    with pytest.raises(OutOfTurn, match="waiting for a scorer"):
        apart.decide(on=SAT, by=BY)
    apart.assign("s3", (), on=SAT, by=BY)
    apart.score_part_2("s3", 60, pass_mark=80, on=SAT, by=BY)
    apart.decide(on=SAT, by=BY)
    assert apart.state == "failed"


def test_R16_two_scorers_are_enough_where_they_agree():
    with pytest.raises(OutOfTurn, match="fully assigned"):
        sat(assigned("s1"), assigned("s2"), scored("s1", 90)).assign("s3", (), on=SAT, by=BY)


def test_R16_both_parts_must_be_passed():
    half = sat(part_1(13), assigned("s1"), assigned("s2"), scored("s1", 90), scored("s2", 90))
    half.decide(on=SAT, by=BY)
    assert then(half) == [fact(Exam.Decided, passed=False, part_1=False, part_2=True, on=SAT, by=BY)]


def test_who_is_close_to_the_examinee_or_stepped_back_does_not_score():
    with pytest.raises(Invalid, match="too close"):
        sat().assign("r1", {"p1", "r1"}, on=SAT, by=BY)
    stepped_back = sat(assigned("s1"), fact(Exam.ScorerRecused, scorer="s1", on=SAT))
    with pytest.raises(Invalid, match="stepped back"):
        stepped_back.assign("s1", (), on=SAT, by=BY)


def test_only_an_assigned_scorer_scores_and_once():
    with pytest.raises(Forbidden):
        sat(assigned("s1")).score_part_2("s2", 90, pass_mark=80, on=SAT, by=BY)
    with pytest.raises(OutOfTurn):
        sat(assigned("s1"), scored("s1", 90)).score_part_2("s1", 70, pass_mark=80, on=SAT, by=BY)
    with pytest.raises(Invalid, match="0 to 100"):
        sat(assigned("s1")).score_part_2("s1", 101, pass_mark=80, on=SAT, by=BY)


def test_R16_an_exams_stream_has_no_place_for_a_person_an_application_or_an_association():
    events = [Exam.Booked, Exam.Cancelled, Exam.Sat, Exam.Part1Scored, Exam.Part2Scored, Exam.Decided]
    for kind in (*events, Exam.ScorerAssigned, Exam.ScorerRecused):
        assert not {"person", "application", "association", "category", "number"} & set(kind.__struct_fields__)
        assert not personal_fields(kind)


def test_passed_it_is_approved_and_failed_it_may_be_sat_once_more_within_the_year():
    passed = application(*submitted(), FOR_EXAM, BOOKING)
    with pytest.raises(OutOfTurn, match=r"exam booked.*decide exam"):
        passed.approve("IMHS-9", 1, on=SAT, by=BY)
    passed.decide_exam(part_1=True, part_2=True, retakes=1, on=SAT, by=BY)
    passed.approve("IMHS-9", 1, on=SAT, by=BY)
    assert passed.state == "approved"

    failed = application(*submitted(), FOR_EXAM, BOOKING)
    failed.decide_exam(part_1=True, part_2=False, retakes=1, on=SAT, by=BY)
    assert failed.state == "exam_approved"
    failed.book_exam("x2", date(2025, 3, 25), MONTHS, on=SAT, by=BY)
    failed.decide_exam(part_1=False, part_2=True, retakes=1, on=date(2025, 3, 31), by=BY)
    assert failed.state == "deferred"
    assert [(result.exam, result.passed) for result in failed.exams] == [("x1", False), ("x2", False)]


def test_on_the_last_day_of_the_approval_there_is_no_second_chance():
    last = application(*submitted(), FOR_EXAM, BOOKING)
    last.decide_exam(part_1=False, part_2=False, retakes=1, on=date(2026, 1, 20), by=BY)
    assert last.state == "deferred"


def test_a_place_given_back_leaves_the_approval():
    back = application(*submitted(), FOR_EXAM, BOOKING)
    with pytest.raises(OutOfTurn):
        back.withdraw(on=BOOKED, by=BY)
    back.cancel_exam(on=BOOKED, by=BY)
    assert (back.state, back.exam_through, back.exam) == ("exam_approved", date(2026, 1, 20), "")


def test_after_a_deferral_the_exam_is_asked_under_the_edition_of_the_new_submission():
    again = application(
        *submitted(),
        FOR_EXAM,
        fact(Application.ExamApprovalExpired, on=date(2026, 1, 21)),
        *submitted(on=date(2026, 3, 1), edition="MHS-2025")[1:],
    )
    assert again.exam_asked is None
    again.approve("IMHS-9", 1, on=date(2026, 3, 2), by=BY)
    assert again.state == "approved"
