"""The deeds on audits, as rows."""

from registry.api.deeds.rows import Deed

DEEDS: tuple[Deed, ...] = ()
