"""`registry standing`: how an endorsement stands on a day, as known now or at a position, by its events alone."""

import json
from contextlib import closing
from typing import Annotated

import typer

from domain.association import today as today_at
from domain.endorsement import Endorsement, read_number
from domain.errors import Invalid, NotFound
from projections.past import standing_on
from registry import database
from registry.cli import past
from registry.opening import open_registry
from registry.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def standing(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The endorsement's.")],
    on: past.On = "",
    known: past.Known = "",
    as_json: Json = False,
) -> None:
    """Say how an endorsement stands on a day (today where it is held), as known now or then."""
    settings = Settings.from_environment()
    database.ready(settings)
    day, asked = past.day(on), read_number(number)
    then = past.then(settings, known)
    registry = open_registry(settings)
    with closing(registry.store.vault), closing(registry.store):
        rows = registry.store.events(f"{Endorsement.kind}/{asked}")
        if not rows:
            raise NotFound("endorsement of this number")
        until = then[0] if then else registry.store.position()
        rows = [row for row in rows if row[0] <= until]
        state = Endorsement.fold(event for _, event in rows)
        if state is None:
            raise Invalid(f"Nothing of it was recorded by position {until}.", field="known")
        place = registry.association(state.custodian).row
    about = day or today_at(place, then[1] if then else registry.clock())
    span = standing_on(rows, about)
    if span is None:
        raise Invalid(f"It was endorsed on {state.awarded_on}: ask about that day or a later one.", field="on")
    said = {
        "number": span.number, "on": about.isoformat(), "position": until, "standing": span.standing,
        "category": span.category, "association": span.custodian, "through": span.through.isoformat(),
        "reported": span.reported, "edition": span.edition or None,
    }  # fmt: skip
    if as_json:
        print(json.dumps(said))
        return
    print(f"{span.number} on {about}, as known at position {until}: {span.standing}, {span.category}, "
          f"held by {span.custodian}, good through {span.through}.")  # fmt: skip


def join(app: typer.Typer) -> None:
    app.command()(standing)
