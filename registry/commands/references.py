"""Deeds on references: nominate a rater, vet, remind, rate."""

from registry.commands.shared import Shared


class References(Shared):
    """Deeds on references: nominate a rater, vet, remind, rate."""
