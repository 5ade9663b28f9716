"""`registry audit redraw`: is the sample of an audit the one that its recorded seed and population give (R28)?"""

import json
from contextlib import closing
from typing import Annotated

import typer

from domain.audit import Audit, draw_sample
from domain.errors import NotFound
from registry import database
from registry.opening import open_registry
from registry.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Audits of renewals.")

_DIFFERS = 1


@app.callback()
def audit() -> None:
    """Audits of renewals."""


@app.command()
def redraw(
    audit: Annotated[str, typer.Argument(metavar="AUDIT", help="Its id.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Draw the sample again from what was recorded before anybody was told. Exit 1 if it is another one."""
    settings = Settings.from_environment()
    database.ready(settings)
    registry = open_registry(settings)
    with closing(registry.store.vault), closing(registry.store):
        events = [event for _, event in registry.store.events(f"{Audit.kind}/{audit}")]
    drawn = next((event for event in events if isinstance(event, Audit.SampleDrawn)), None)
    if drawn is None:
        raise NotFound("audit")
    again = draw_sample(drawn.population, drawn.seed, drawn.share, drawn.always)
    same = again == drawn.sample
    if as_json:
        print(json.dumps({"audit": audit, "same": same, "seed": drawn.seed, "share": drawn.share,
                          "population": len(drawn.population), "sample": again}))  # fmt: skip
    else:
        print(f"{len(again)} of {len(drawn.population)}: {'the same sample' if same else 'ANOTHER sample'}.")
        for number in again:
            print(number)
    raise typer.Exit(0 if same else _DIFFERS)


def join(registry: typer.Typer) -> None:
    registry.add_typer(app, name="audit")
