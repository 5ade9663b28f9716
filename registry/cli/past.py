"""`--on` and `--known`: the day that a command is about, and up to where in the history it is answered."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from domain.errors import Invalid
from projections import replays
from projections.replays import Unknowable
from registry import database
from registry.known import read_known
from registry.settings import Settings

On = Annotated[str, typer.Option(metavar="DAY", help="As it stood on this day, such as 2026-06-01.")]
Known = Annotated[
    str,
    typer.Option(metavar="T", help="As it was known then: a position, a time such as 2026-06-30T12:00Z, or a day."),
]


def day(text: str) -> date | None:
    """Raises Invalid."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("Give --on as a day such as 2026-06-01.", field="on") from None


def position(settings: Settings, text: str) -> int | None:
    """The last position that counts; None: all. Raises Invalid for what is before, beyond or no moment."""
    found = then(settings, text)
    return found[0] if found else None


def then(settings: Settings, text: str) -> tuple[int, datetime] | None:
    """The last position that counts, and the moment it stands for; None: all. Raises Invalid."""
    if not text:
        return None
    try:
        with database.connect(database.url(settings, "reader")) as connection:
            return replays.moment(connection, read_known(text, datetime.now(UTC)))
    except Unknowable as refused:
        raise Invalid(str(refused), field="known") from None
