"""The deeds on quality reviews, as rows."""

from registry.api.deeds.rows import Deed

DEEDS: tuple[Deed, ...] = ()
