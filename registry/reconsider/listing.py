"""The list of what comes out otherwise as rows of a table: numbers and codes, no names."""

from __future__ import annotations

from collections.abc import Iterator

from registry.reconsider.reconsideration import Found, Report

HEADER = (
    "list", "number", "stream", "version", "position", "decision", "on", "association", "category", "edition",
    "under", "requirement", "have", "need", "missing", "source", "words",
)  # fmt: skip


def rows(report: Report) -> Iterator[tuple[object, ...]]:
    """One row for each requirement that is missing; one for a decision that differs in another way."""
    for name in ("findings", "changed", "corrected"):
        for found in getattr(report, name):
            yield from _rows(name, found)


def _rows(name: str, found: Found) -> Iterator[tuple[object, ...]]:
    base = (
        name, found.number, found.stream, found.version, found.position, found.decision, found.on.isoformat(),
        found.association, found.category, found.edition,
    )  # fmt: skip
    missing = found.refusal.missing if found.refusal else []
    for gap in missing:
        yield (*base, *(gap[key] for key in ("edition", "requirement", "have", "need", "missing", "source", "words")))
    if not missing:
        yield (*base, "", "", "", "", "", "", found.words())
