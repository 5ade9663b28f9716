"""The deeds on exams, as rows."""

from registry.api.deeds.rows import Deed

DEEDS: tuple[Deed, ...] = ()
