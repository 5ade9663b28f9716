"""Deeds on quality reviews: draw, judge again, raise and resolve findings."""

from registry.commands.shared import Shared


class Quality(Shared):
    """Deeds on quality reviews: draw, judge again, raise and resolve findings."""
