"""The deeds on associations, as rows."""

from registry.api.deeds.rows import Deed

DEEDS: tuple[Deed, ...] = (
    Deed("admit", "/associations/{code}/admissions", "Admit an association", rule="admit_association"),
)  # fmt: skip
