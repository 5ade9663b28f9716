"""The past that a question asks for: the day it is about, and up to where in the history we knew it then."""

from datetime import date, datetime
from typing import Any, NamedTuple

from starlette.requests import Request as HttpRequest

from domain.association import today as today_at
from domain.errors import Invalid
from projections import standing
from registry.api.asking import day
from registry.api.associations import known_rows
from registry.api.house import House
from registry.api.problems import Problem
from registry.known import read_known


class Takes(NamedTuple):
    """Which past a question answers: `known`, as it was known then; `on`, as it was on a day.

    What it does not answer it refuses, saying `instead` where the answer is.
    """

    known: bool
    on: bool
    instead: str = ""


BOTH = Takes(known=True, on=True)
KNOWN = Takes(known=True, on=False, instead="It is what was recorded up to a position, not the state of a day")
DAY = Takes(known=False, on=True, instead="It is judged from what is on record now; ask for the record as known then")
TIMELESS = Takes(known=False, on=False, instead="It is part of the program, not of the history")
PRESENT = Takes(known=False, on=False, instead="It is about the present; ask for the case or its history as known then")
REPLAYED = Takes(known=False, on=False, instead="replay")
"""Of a view that holds the present only, and for which folding the events of then takes too long."""


class When(NamedTuple):
    """`known`: the last position that counts, and `at` the moment it stands for; None: all that is recorded.

    `on`: the day asked about, if any. `as_asked`: the position or the moment, whichever was named.
    """

    known: int | None = None
    at: datetime | None = None
    on: date | None = None
    as_asked: int | datetime | None = None

    @property
    def past(self) -> bool:
        return self.known is not None

    @property
    def asked(self) -> bool:
        return self.known is not None or self.on is not None

    def today(self, house: House, association: str) -> date:
        """The day asked about; else the day it was at the association when it was known so (ours); else today."""
        row = known_rows().get(association, known_rows()["ALLIANCE"])
        return self.on or today_at(row, self.at or house.clock())

    def said(self) -> dict[str, Any]:
        """What an answer says of it."""
        said = {"known": self.as_asked, "on": self.on}
        return {name: value for name, value in said.items() if value is not None}


NOW = When()


def when_of(request: HttpRequest) -> When:
    """What `ask` found for this request."""
    return getattr(request.state, "when", NOW)


async def ask(house: House, request: HttpRequest, takes: Takes, name: str = "") -> When:
    """Read `known` and `on` once, at the edge, and keep them with the request.

    Raises Invalid for what is no day or position of the history, Problem for what the question doesn't answer.
    `name`: the question's, for who replays it.
    """
    refuse(request, takes, name)
    given = request.query_params
    on = day(request) if takes.on else None
    known = given.get("known", "") if takes.known else ""
    request.state.when = When(on=on) if not known else (await _known(house, known))._replace(on=on)
    return when_of(request)


def refuse(request: HttpRequest, takes: Takes, name: str = "") -> None:
    """Raise Problem where the question is asked for a past that it doesn't answer."""
    for field in ("known", "on"):
        if request.query_params.get(field) and not getattr(takes, field):
            raise _refused(takes, field, request, name)


def _refused(takes: Takes, field: str, request: HttpRequest, name: str) -> Problem:
    if takes.instead != "replay":
        return Problem("past_not_held", f"This can't be asked with `{field}`. {takes.instead}.", field=field)
    given = {**request.path_params, **request.query_params}
    known = given.pop("known", "") or "POSITION"
    asked = " ".join([name, *(f"{part}={value}" for part, value in given.items())])
    return _replayed("This is answered from a view that holds the present only.", field, known, asked)


def too_much(known: int) -> Problem:
    """Of a past that would take too long to fold here."""
    said = "More was open then than is folded here in time."
    return _replayed(said, "known", str(known), "QUESTION NAME=VALUE")


def _replayed(said: str, field: str, known: str, asked: str) -> Problem:
    commands = [f"registry replay --known {known} --name then", f"registry ask --replay then {asked}"]
    how = f"The operator makes the views of then beside it, and asks them: `{commands[0]}`, then `{commands[1]}`."
    return Problem("past_not_held", f"{said} {how}", field=field, commands=commands)


async def _known(house: House, given: str) -> When:
    """A position, or a time as the last position recorded at or before it; a bare day counts to its end, in UTC."""
    last, asked = await house.last_position(), read_known(given, house.clock())
    if isinstance(asked, int):
        if not 1 <= asked <= last:
            known = f"The history has positions 1 to {last}" if last else "Nothing is recorded yet"
            raise Invalid(f"{known}: there is no position {asked}.", field="known")
        return When(asked, await house.recorded_at(asked), as_asked=asked)
    found = await house.readers.one(*standing.position_at(asked))
    if not found or not found["position"]:
        first = f"; the first event was recorded at {await house.recorded_at(1):%Y-%m-%dT%H:%M:%SZ}" if last else ""
        raise Invalid(f"Nothing was recorded by {given}{first}.", field="known")
    return When(int(found["position"]), asked, as_asked=asked)
