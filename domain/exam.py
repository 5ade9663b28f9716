"""An exam: two parts, scored blind, for the categories whose edition asks for it."""

from __future__ import annotations

from typing import ClassVar

from domain.aggregate import Aggregate


class Exam(Aggregate):
    """An exam: two parts, scored blind, for the categories whose edition asks for it."""

    kind: ClassVar[str] = "exam"
