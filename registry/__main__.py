"""The registry command: everything an operator does by hand."""

import sys
from typing import Annotated

import typer

from domain.errors import Refused
from registry.certificates.keys import KeysExist, KeysUnusable
from registry.cli import (
    access,
    association,
    audit,
    bundle,
    competencies,
    convert,
    database,
    demo,
    doctor,
    employers,
    keys,
    log,
    nightly,
    outbox,
    people,
    reciprocity,
    reconsider,
    reissue,
    replays,
    roster,
    roster_check,
    rules,
    serve,
    standing,
    views,
    witness,
    world,
)
from registry.database import NotMigrated, Unavailable
from registry.log.publish import RolledBack
from registry.log.tiles import Damaged
from registry.settings import BadSetting

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=(
        "The Endorsement Registry: endorsements as a history that proves itself.\n\n"
        "Start with `registry demo`, or for a registry of your own: `registry migrate`, `registry keys init`, "
        "`registry import FILE.csv`, then `registry work` and `registry serve`. "
        "Data lives under REGISTRY_HOME (./var); PostgreSQL is the embedded one unless "
        "REGISTRY_DATABASE_URL names yours."
    ),
)

# Each module of registry/cli adds its own commands.
for group in (
    demo,
    serve,
    standing,
    reciprocity,
    roster,
    roster_check,
    reissue,
    views,
    replays,
    nightly,
    convert,
    audit,
    outbox,
    log,
    bundle,
    witness,
    keys,
    doctor,
    database,
    world,
    access,
    association,
    rules,
    reconsider,
    competencies,
    people,
    employers,
):
    group.join(app)


@app.callback(invoke_without_command=True)
def version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415 - only here

        print(installed("endorsement-registry"))
        raise typer.Exit


def main() -> None:
    """One plain line and exit status 2 for what the operator can mend; a traceback is a defect."""
    try:
        app()
    except (BadSetting, KeysExist, KeysUnusable, NotMigrated, Unavailable, Refused, RolledBack, Damaged) as refused:
        print(f"registry: {refused}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
