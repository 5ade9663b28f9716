"""Deeds on audits: draw, ask for evidence, decide."""

from registry.commands.shared import Shared


class Audits(Shared):
    """Deeds on audits: draw, ask for evidence, decide."""
