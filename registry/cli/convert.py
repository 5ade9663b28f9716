"""`registry convert`: the holders of a retired category into its successor, each by an event of its own."""

import json
from contextlib import closing
from typing import Annotated

import typer
from psycopg.rows import scalar_row

from domain.access import OPERATOR
from domain.endorsement import CONVERSIONS
from domain.errors import Conflict, Refused
from projections import standing
from registry import database, worker
from registry.cli.roster import must_be_known
from registry.commands import Act
from registry.opening import open_registry
from registry.settings import Settings

_BATCH = 500
_SOME_FAILED = 1


def convert(
    category: Annotated[str, typer.Option(metavar="CODE", help=" or ".join(CONVERSIONS))],
    association: Annotated[str, typer.Option(metavar="CODE", help="Only what this association holds.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge all, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Convert everybody of a retired category: IFRS becomes IFS with ERS. Numbers stay, certificates are issued anew.

    Repeat it as often as you like. Who holds it is read from the views. Exit 1 if some were refused.
    """
    if category not in CONVERSIONS:
        raise typer.BadParameter(f"one of {', '.join(CONVERSIONS)}", param_hint="--category")
    settings = Settings.from_environment()
    database.ready(settings)
    registry = open_registry(settings, rehearse=dry_run)
    converted = 0
    refused: list[dict[str, str]] = []
    after = ""
    with closing(registry.store.vault), closing(registry.store), worker.connect(settings, "reader") as connection:
        must_be_known(association, registry.associations())
        while True:
            with connection.cursor(row_factory=scalar_row) as cursor:
                query = standing.of_category(category, association, after, _BATCH)
                numbers: list[str] = cursor.execute(*query).fetchall()
            if not numbers:
                break
            after = numbers[-1]
            for number in numbers:
                try:
                    registry.convert(Act(OPERATOR), number)
                    converted += 1
                except (Conflict, Refused) as error:
                    refused.append({"number": number, "why": error.code})
    to = "+".join(CONVERSIONS[category])
    if as_json:
        print(json.dumps({"category": category, "to": to, "dry_run": dry_run, "converted": converted,
                          "refused": refused}))  # fmt: skip
    else:
        print(f"{converted} {'would be' if dry_run else 'were'} converted from {category} to {to}.")
        for one in refused:
            print(f"{one['number']}: {one['why']}")
    raise typer.Exit(_SOME_FAILED if refused else 0)


def join(registry: typer.Typer) -> None:
    registry.command()(convert)
