"""The deeds on references, as rows."""

from registry.api.deeds.rows import Deed

DEEDS: tuple[Deed, ...] = ()
