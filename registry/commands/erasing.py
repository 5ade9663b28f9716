"""Deeds on erasures, mergers and splits of people."""

from registry.commands.shared import Shared


class Erasing(Shared):
    """Deeds on erasures, mergers and splits of people."""
