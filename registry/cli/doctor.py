"""`registry doctor`: what is missing here, and what is due; each line with the command that mends it."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from registry.certificates.keys import KeyFolder
from registry.certificates.overview import due, missing
from registry.cli.keys import read_signatures, rows_of
from registry.settings import Settings


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Look at the keys as the log and REGISTRY_HOME have them. Changes nothing. Exit 1 where something is missing."""
    settings, now = Settings.from_environment(), datetime.now(UTC)
    signatures = read_signatures(settings)
    lacking, open_ = [], []
    if signatures is None:
        lacking.append("The log can't be read: `registry migrate`, or look at REGISTRY_DATABASE_URL.")
    elif not settings.keys.is_dir():
        lacking.append(f"There is no {settings.keys}: `registry keys init`, or put it back from its backup.")
    else:
        rows = rows_of(KeyFolder(settings.keys), signatures, now)
        lacking, open_ = [*missing(rows)], [*due(rows, now)]
    if as_json:
        print(json.dumps({"missing": lacking, "due": open_}))
    else:
        print("\n".join([*lacking, *open_]) or "Nothing is missing, nothing is due.")
    raise typer.Exit(1 if lacking else 0)


def join(registry: typer.Typer) -> None:
    registry.command()(doctor)
