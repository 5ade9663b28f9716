"""`registry migrate` and `registry database`: the server and its schema."""

from typing import Annotated

import typer

from registry import database
from registry.settings import ROLES, Role, Settings

app = typer.Typer(no_args_is_help=True, help="Where the database is.")


@app.command()
def url(role: Annotated[str, typer.Option(help=" | ".join(ROLES))] = "reader") -> None:
    """Print the address to connect to as a role, starting the embedded server if need be."""
    if role not in ROLES:
        raise typer.BadParameter(f"one of {', '.join(ROLES)}", param_hint="--role")
    known: Role = role
    print(database.url(Settings.from_environment(), known))


@app.command()
def stop() -> None:
    """Stop the embedded server."""
    settings = Settings.from_environment()
    if not settings.embedded:
        print("The database is not ours to stop: REGISTRY_DATABASE_URL names it.")
        raise typer.Exit(1)
    print("Stopped." if database.stop(settings) else "It was not running.")


def migrate() -> None:
    """Make or change the tables; safe to repeat."""
    applied = database.migrate(Settings.from_environment())
    print(f"Applied: {', '.join(applied)}." if applied else "Nothing to do.")


def join(registry: typer.Typer) -> None:
    registry.add_typer(app, name="database")
    registry.command()(migrate)
