"""All views, in the order in which they see an event."""

from typing import Final

from projections import (
    applications,
    associations,
    audits,
    certificates,
    exams,
    history,
    people,
    quality,
    references,
    renewals,
    standing,
    tasks,
    transfers,
)
from projections.view import View

VIEWS: Final[tuple[View, ...]] = (
    associations.VIEW,
    people.VIEW,
    standing.VIEW,
    exams.VIEW,
    applications.VIEW,  # before tasks, which asks it for the association
    references.VIEW,
    transfers.VIEW,
    certificates.VIEW,
    tasks.VIEW,
    quality.VIEW,
    audits.VIEW,
    renewals.VIEW,
    history.VIEW,
)

HALF: Final = frozenset({"standing", "certificates", "exams", "transfers", "audits", "quality", "renewals"})
"""Views that are about half of the work of folding all: two processes share it so. None opens personal fields, and
none needs, or is needed by, a view of the other half."""
