"""A reference: one rater's word on one applicant, under its own key, shown as its waiver says."""

from __future__ import annotations

from typing import ClassVar

from domain.aggregate import Aggregate


class Reference(Aggregate):
    """A reference: one rater's word on one applicant, under its own key, shown as its waiver says."""

    kind: ClassVar[str] = "reference"
