"""The deeds on erasures, mergers and splits of people., as rows."""

from registry.api.deeds.rows import Deed

DEEDS: tuple[Deed, ...] = ()
