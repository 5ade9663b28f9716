"""An audit of renewals: a sample drawn reproducibly, evidence, an outcome."""

from __future__ import annotations

from typing import ClassVar

from domain.aggregate import Aggregate


class Audit(Aggregate):
    """An audit of renewals: a sample drawn reproducibly, evidence, an outcome."""

    kind: ClassVar[str] = "audit"
