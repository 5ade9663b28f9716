"""A quality review: a blind second look at a sample of an association's decisions."""

from __future__ import annotations

from typing import ClassVar

from domain.aggregate import Aggregate


class QualityReview(Aggregate):
    """A quality review: a blind second look at a sample of an association's decisions."""

    kind: ClassVar[str] = "quality_review"
