"""An audit: drawn so that a stranger draws the same, told why, answered, decided."""

import hashlib
import hmac
from datetime import date

import pytest
from given import DAY, fact, given, then

from domain.audit import Audit, draw_sample
from domain.errors import Invalid, OutOfTurn

BY = "coordinator:VA:k1"
SEED = "sixteen characters or more"
POPULATION = tuple(f"IFS-{n:04}" for n in range(200))
LATER = date(2026, 9, 1)


def drawn(*facts, always=("IFS-0007",)):
    sample = draw_sample(POPULATION, SEED, 0.05, always)
    return given(Audit("a1"), fact(
        Audit.SampleDrawn, association="VA", cycle=2027, seed=SEED, share=0.05, population=POPULATION, always=always,
        sample=sample,
    ), *facts)  # fmt: skip


def notice(number="IFS-0007", why="reinstated"):
    return fact(Audit.NoticeSent, number=number, why=why, answer_by=LATER)


FAILED = fact(Audit.Failed, number="IFS-0007", remedy="training_hours", remedy_by=LATER)


def test_r28_seed_and_population_are_recorded_and_a_stranger_draws_the_same():
    audit = Audit("a1")
    audit.draw("VA", 2027, reversed(POPULATION), SEED, 0.05, ["IFS-0007", "IFS-9999"], on=DAY, by=BY)
    (event,) = then(audit)
    by_rank = sorted(POPULATION, key=lambda n: hmac.new(SEED.encode(), n.encode(), hashlib.sha256).digest())
    assert set(event.sample) == {*by_rank[:10], "IFS-0007"}
    assert (event.population, event.always) == (POPULATION, ("IFS-0007",))
    assert audit.redrawn(event)
    assert set(event.claims().take) == {f"open_audit/{number}" for number in event.sample}


def test_r28_another_seed_gives_another_sample_and_its_size_is_the_share_rounded_up():
    assert draw_sample(POPULATION, SEED, 0.05) != draw_sample(POPULATION, SEED + "!", 0.05)
    assert [len(draw_sample(POPULATION[:n], SEED, 0.05)) for n in (1, 20, 21, 100, 101)] == [1, 1, 2, 5, 6]


def test_r28_nobody_is_told_before_it_is_drawn_and_each_is_told_why():
    with pytest.raises(OutOfTurn):
        Audit("a1").send_notice("IFS-0007", LATER, on=DAY, by=BY)
    audit = drawn()
    other = next(number for number in audit.items if number != "IFS-0007")
    for number in ("IFS-0007", other):
        audit.send_notice(number, LATER, on=DAY, by=BY)
    assert then(audit) == [notice(), notice(other, "drawn")]
    with pytest.raises(Invalid, match="not in the sample"):
        audit.send_notice("IFS-9999", LATER, on=DAY, by=BY)


def test_an_audit_is_passed_on_evidence_and_then_holds_nothing_up():
    audit = drawn(notice())
    with pytest.raises(OutOfTurn):
        audit.pass_audit("IFS-0007", on=DAY, by=BY)
    audit.submit_evidence("IFS-0007", ["E4"], on=DAY, by="holder:p1")
    audit.pass_audit("IFS-0007", on=DAY, by=BY)
    submitted, passed = then(audit)
    assert (submitted.entries, passed.claims().release) == (("E4",), ("open_audit/IFS-0007",))


def test_what_is_missing_may_be_shown_until_its_day_and_after_it_a_coordinator_decides():
    audit = drawn(notice(), FAILED)
    with pytest.raises(OutOfTurn, match="in time"):
        audit.leave_unremedied("IFS-0007", on=LATER, by=BY)
    audit.leave_unremedied("IFS-0007", on=date(2026, 9, 2), by=BY)
    assert audit.items["IFS-0007"] == "unremedied"
    shown = drawn(notice(), FAILED)
    shown.submit_evidence("IFS-0007", ["E9"], on=LATER, by="holder:p1")
    shown.pass_audit("IFS-0007", on=LATER, by=BY)
    assert shown.items["IFS-0007"] == "passed"


def test_an_audit_closes_when_all_are_decided():
    audit = drawn(notice())
    with pytest.raises(OutOfTurn, match="undecided"):
        audit.close(on=DAY, by=BY)
    facts = [fact(Audit.Passed, number=number) for number in audit.items]
    done = drawn(*facts)
    done.close(on=DAY, by=BY)
    assert then(done) == [fact(Audit.Closed)]


@pytest.mark.parametrize(("population", "seed", "field"), [((), SEED, "cycle"), (POPULATION, "short", "seed")])
def test_a_draw_without_a_population_or_a_seed_is_refused(population, seed, field):
    with pytest.raises(Invalid) as refused:
        Audit("a1").draw("VA", 2027, population, seed, 0.05, on=DAY, by=BY)
    assert refused.value.field == field


def test_r28_a_holders_last_day_is_noted_once_and_then_waits_for_the_coordinator():
    audit = drawn(notice())
    assert not audit.note_days(on=LATER, by="operator")
    assert audit.note_days(on=date(2026, 9, 2), by="operator")
    assert not audit.note_days(on=date(2026, 9, 3), by="operator")
    assert then(audit) == [
        fact(Audit.DayPassed, on=date(2026, 9, 2), by="operator", number="IFS-0007", asked="answer", day=LATER)
    ]
    failed = drawn(notice(), FAILED)
    assert failed.note_days(on=date(2026, 9, 2), by="operator")
    assert then(failed)[0].asked == "remedy"


def test_what_has_ended_is_left_out_and_what_may_be_active_again_is_not():
    audit = drawn(notice())
    with pytest.raises(OutOfTurn):
        audit.drop("IFS-0007", "suspended", on=DAY, by=BY)
    audit.drop("IFS-0007", "archived", on=DAY, by=BY)
    (dropped,) = then(audit)
    assert dropped.claims().release == ("open_audit/IFS-0007",)
    assert not audit.waits("IFS-0007")
