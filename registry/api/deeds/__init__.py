"""Every deed as one row: its address, its body and the one method of the Registry that does it."""

from registry.api.deeds import (
    applications,
    associations,
    audits,
    employers,
    endorsements,
    erasing,
    exams,
    people,
    quality,
    references,
    transfers,
)
from registry.api.deeds.rows import NOBODYS, Body, Deed

__all__ = ["BY_NAME", "DEEDS", "NOBODYS", "Body", "Deed"]

DEEDS: tuple[Deed, ...] = (
    *associations.DEEDS,
    *people.DEEDS,
    *erasing.DEEDS,
    *references.DEEDS,
    *applications.DEEDS,
    *exams.DEEDS,
    *endorsements.DEEDS,
    *audits.DEEDS,
    *transfers.DEEDS,
    *quality.DEEDS,
    *employers.DEEDS,
)

BY_NAME = {deed.name: deed for deed in DEEDS}
