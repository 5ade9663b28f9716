"""Quality reviews: drawn reproducibly, judged blind by somebody else, measured, settled."""

import random
from datetime import date

import pytest

from domain.errors import Forbidden, Invalid, OutOfTurn
from domain.quality import QualityReview, agreement
from domain.sampling import sample

DAY = date(2026, 5, 4)
SEED = "0123456789abcdef"
HOW = {"on": DAY, "by": "alliance:ALLIANCE:k1"}
ITEMS = [f"app{i}-7" for i in range(20)]
AS = {"category": "IFS", "custodian": "CT", "tied": {"applicant", "first"}}


@pytest.fixture
def review():
    found = QualityReview("q1")
    found.draw("VA", date(2026, 1, 1), date(2026, 4, 30), population=ITEMS, size=2, seed=SEED, **HOW)
    return found


def judged(review, *outcomes):
    for item, outcome in zip(review.items, outcomes, strict=True):
        review.assign(item, "IMHS-1", "second", "IMHS", **AS, **HOW)
        review.review(item, "IMHS-1", outcome, "IMHS", () if outcome == "approve" else ("more_rsc",), **HOW)
    return review


def test_the_sample_can_be_drawn_again_from_what_is_recorded(review):
    drawn = review.pending[0]
    assert drawn.items == sample(drawn.seed, drawn.population, 2) == sample(SEED, reversed(ITEMS), 2)
    assert drawn.population == tuple(sorted(ITEMS))
    assert sample("another seed 0123", ITEMS, 2) != drawn.items


def test_a_sample_is_never_larger_than_its_population():
    assert set(sample(SEED, ITEMS, 99)) == set(ITEMS)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"size": 0}, "size"),
        ({"seed": "short"}, "seed"),
        ({"population": []}, "from"),
        ({"through": date(2025, 1, 1)}, "through"),
    ],
)
def test_a_draw_that_cannot_be_names_the_field(changed, field):
    facts = {"population": ITEMS, "size": 2, "seed": SEED, "through": date(2026, 4, 30)} | changed
    through = facts.pop("through")
    with pytest.raises(Invalid) as refused:
        QualityReview("q2").draw("VA", date(2026, 1, 1), through, **facts, **HOW)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "changed",
    [{"held": ""}, {"held": "IFA"}, {"custodian": "VA"}, {"person": "first"}, {"person": "applicant"}],
)
def test_the_second_reviewer_is_able_from_elsewhere_and_untied(review, changed):
    facts = {"person": "second", "held": "IMHS"} | AS | changed
    person, held = facts.pop("person"), facts.pop("held")
    with pytest.raises(Invalid) as refused:
        review.assign(review.items[0], "IMHS-1", person, held, **facts, **HOW)
    assert refused.value.field == "reviewer"


def test_only_who_is_assigned_reviews_and_only_once(review):
    item = review.items[0]
    with pytest.raises(Forbidden):
        review.review(item, "IMHS-1", "approve", "IMHS", **HOW)
    review.assign(item, "IMHS-1", "second", "IMHS", **AS, **HOW)
    with pytest.raises(Invalid):
        review.review(item, "IMHS-1", "defer", "IMHS", **HOW)
    review.review(item, "IMHS-1", "defer", "IMHS", ("more_rsc",), **HOW)
    with pytest.raises(OutOfTurn):
        review.review(item, "IMHS-1", "approve", "IMHS", **HOW)
    with pytest.raises(OutOfTurn):
        review.assign(item, "IMHS-2", "third", "IMHS", **AS, **HOW)


def test_the_agreement_waits_for_every_second_review(review):
    with pytest.raises(OutOfTurn) as refused:
        review.compute_agreement({}, **HOW)
    assert "2 second review" in refused.value.message


def test_a_review_closes_once_agreement_and_findings_are_settled(review):
    judged(review, "approve", "defer")
    with pytest.raises(OutOfTurn):
        review.close(**HOW)
    review.compute_agreement(dict.fromkeys(review.items, "approve"), **HOW)
    review.raise_finding("outcome_differs", review.items[1], **HOW)
    with pytest.raises(OutOfTurn) as refused:
        review.close(**HOW)
    assert "F1" in refused.value.message
    review.resolve_finding("F1", "reviewers_trained", **HOW)
    with pytest.raises(OutOfTurn):
        review.resolve_finding("F1", "explained", **HOW)
    review.close(**HOW)
    with pytest.raises(OutOfTurn):
        review.raise_finding("slow", **HOW)
    assert QualityReview.fold(review.pending).findings == {"F1": "reviewers_trained"}


def test_kappa_of_the_example_in_every_textbook():
    pairs = [("approve", "approve")] * 20 + [("approve", "defer")] * 5 + [("defer", "approve")] * 10
    found = agreement(pairs + [("defer", "defer")] * 15)
    assert (found.n, found.agreed, found.kappa) == (50, 35, 0.4)


def test_kappa_is_undefined_where_chance_alone_always_agrees():
    assert agreement([("approve", "approve")] * 9).kappa is None


def test_perfect_agreement_is_one_and_perfect_contradiction_is_not_above_zero():
    assert agreement([("approve", "approve"), ("defer", "defer")] * 5).kappa == 1.0
    assert agreement([("approve", "defer"), ("defer", "approve")] * 5).kappa == -1.0


def test_the_interval_agrees_with_the_delta_method_worked_out_numerically():
    """Another way to the same variance: the gradient of kappa over the cells, by differences."""
    draw = random.Random(7)
    labels = ("approve", "decline", "defer")
    for _ in range(20):
        counts = {(a, b): draw.randint(1, 30) + (40 if a == b else 0) for a in labels for b in labels}
        n = sum(counts.values())
        p = {pair: count / n for pair, count in counts.items()}
        slope = {}
        for pair in p:
            up, down = dict(p), dict(p)
            up[pair] += 1e-6
            down[pair] -= 1e-6
            slope[pair] = (_kappa(up, labels) - _kappa(down, labels)) / 2e-6
        mean = sum(p[pair] * slope[pair] for pair in p)
        variance = sum(p[pair] * (slope[pair] - mean) ** 2 for pair in p) / n
        found = agreement([pair for pair, count in counts.items() for _ in range(count)])
        assert found.kappa == pytest.approx(_kappa(p, labels), abs=1e-4)
        assert found.high - found.low == pytest.approx(2 * 1.959964 * variance**0.5, rel=2e-3)


def _kappa(p, labels):
    total = sum(p.values())
    q = {pair: value / total for pair, value in p.items()}
    observed = sum(q[a, a] for a in labels)
    chance = sum(sum(q[a, b] for b in labels) * sum(q[b, a] for b in labels) for a in labels)
    return (observed - chance) / (1 - chance)
