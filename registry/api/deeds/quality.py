"""The deeds on quality reviews, as rows."""

from datetime import date

import msgspec

from domain.application import DeferReason
from domain.quality import FindingKind, Resolution, SecondOutcome
from registry.api.deeds.rows import Body, Deed


class QualitySample(Body, frozen=True):
    """`seed`: at least 16 characters of your own, or none for a random one; either way it is recorded."""

    from_: date = msgspec.field(name="from")
    through: date
    size: int
    seed: str = ""


class SecondReviewer(Body, frozen=True):
    reviewer: str


class SecondReview(Body, frozen=True):
    reviewer: str
    outcome: SecondOutcome
    reasons: tuple[DeferReason, ...] = ()


class Finding(Body, frozen=True):
    """`item`: the decision it is about, or none for all of them."""

    kind: FindingKind
    item: str = ""


class FindingResolved(Body, frozen=True):
    resolution: Resolution


_Q = "/quality-reviews/{review}"

DEEDS: tuple[Deed, ...] = (
    Deed("draw_quality_sample", "/associations/{code}/quality-reviews",
         "Draw a sample of an association's decisions for a blind second look", QualitySample,
         {"from": "2026-01-01", "through": "2026-06-30", "size": 10}),
    Deed("assign_second_reviewer", f"{_Q}/items/{{item}}/reviewers", "Assign who looks again, from elsewhere",
         SecondReviewer, {"reviewer": "IMHS-7K3MQ9T5"}),
    Deed("record_second_review", f"{_Q}/items/{{item}}/reviews", "Judge again, as the second reviewer", SecondReview,
         {"reviewer": "IMHS-7K3MQ9T5", "outcome": "approve"}),
    Deed("compute_agreement", f"{_Q}/agreements", "Compare first and second outcomes (Cohen's kappa)"),
    Deed("raise_finding", f"{_Q}/findings", "Raise a finding", Finding, {"kind": "reasons_missing"}),
    Deed("resolve_finding", f"{_Q}/findings/{{finding}}/resolutions", "Say how a finding was resolved",
         FindingResolved, {"resolution": "reviewers_trained"}),
    Deed("close_quality_review", f"{_Q}/closings", "Close it, once every finding is resolved"),
)  # fmt: skip
