"""The associations as the faces name them: as they are on record now; until that is read, as their rows say."""

from collections.abc import Mapping
from contextvars import ContextVar

from domain.association import ROWS, Row

_ROWS: ContextVar[Mapping[str, Row]] = ContextVar("associations", default=ROWS)


def known_rows() -> Mapping[str, Row]:
    """By code, for the request that is answered."""
    return _ROWS.get()


def remember(known: Mapping[str, Row]) -> None:
    """For the rest of this request; every house knows its own."""
    _ROWS.set(known)
