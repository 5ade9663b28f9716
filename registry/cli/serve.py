"""`registry serve`, `registry enter` and `registry actor`: the web server, and who may come in."""

import logging
from typing import Annotated

import typer

from registry import database
from registry.api.actors import Desk
from registry.settings import BadSetting, Settings

actor = typer.Typer(no_args_is_help=True, help="API keys for programs: who may do what through the API.")

Role = Annotated[
    str, typer.Option(help="coordinator | reviewer | exam_scorer | holder | employer | alliance | operator")
]
Code = Annotated[str, typer.Option(help="The association's code, such as VA.")]
Person = Annotated[str, typer.Option(help="The person's id, or the employer's.")]
Number = Annotated[str, typer.Option(help="Instead of the person's id: the number of an endorsement of theirs.")]


def join(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(enter)
    app.add_typer(actor, name="actor")


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    certfile: Annotated[str | None, typer.Option(help="The TLS certificate, with its chain (PEM).")] = None,
    keyfile: Annotated[str | None, typer.Option(help="The TLS key (PEM).")] = None,
) -> None:
    """Serve the pages, the API and the static plane until stopped; requests under way are finished first."""
    import uvicorn  # noqa: PLC0415 # slow to import, and only here

    settings = Settings.from_environment()
    if bool(certfile) != bool(keyfile):
        raise BadSetting("--certfile", "goes with --keyfile. Give both.")
    # Embedded: started and migrated once, before several processes need it.
    database.ready(settings)
    uvicorn.run(
        "registry.cli.serve:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        ssl_certfile=certfile,
        ssl_keyfile=keyfile,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        log_level="info",
    )


def application() -> object:
    from registry.api import create_app  # noqa: PLC0415 # of the process that serves

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    return create_app(Settings.from_environment())


def enter(role: Role, association: Code = "", person: Person = "", number: Number = "") -> None:
    """Print a link that lets one person in, once, within ten minutes."""
    settings = Settings.from_environment()
    print(make_entry(settings, role, association=association, person=person, number=number))
    typer.echo("Put the address of your server in front of it. It works once, for ten minutes.", err=True)


def make_entry(settings: Settings, role: str, *, association: str = "", person: str = "", number: str = "") -> str:
    """The path of a new entry link."""
    desk = Desk(settings)
    try:
        return desk.make_entry(role, association=association, person=person or _person_of(settings, number))
    finally:
        desk.close()


def _person_of(settings: Settings, number: str) -> str:
    if not number:
        return ""
    from domain.endorsement import Endorsement, read_number  # noqa: PLC0415 # rarely needed
    from registry.opening import open_registry  # noqa: PLC0415 # as above

    registry = open_registry(settings)
    try:
        return registry.store.get(Endorsement, read_number(number)).person
    finally:
        registry.store.close()
        registry.store.vault.close()


@actor.command()
def add(
    role: Role,
    association: Code = "",
    person: Person = "",
    number: Number = "",
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it lasts.")] = 365,
) -> None:
    """Make an API key and print it, this once."""
    settings = Settings.from_environment()
    desk = Desk(settings)
    try:
        whose = person or _person_of(settings, number)
        name, secret = desk.add(role, association=association, person=whose, days=days)
    finally:
        desk.close()
    print(secret)
    typer.echo(f"This is the key {name}. It is not shown again: `registry actor withdraw {name}` ends it.", err=True)


@actor.command("list")
def list_() -> None:
    """The keys, without their secrets."""
    desk = Desk(Settings.from_environment())
    try:
        for key in desk.known_keys():
            state = "withdrawn" if key.withdrawn_at else f"until {key.expires_at:%Y-%m-%d}"
            used = f"last used {key.last_used_on}" if key.last_used_on else "never used"
            print(f"{key.id}  {key.role:<11} {key.association or key.person or '-':<26}  {state}, {used}")
    finally:
        desk.close()


@actor.command()
def withdraw(key: Annotated[str, typer.Argument(help="The key's name, as `registry actor list` gives it.")]) -> None:
    """End a key at once."""
    desk = Desk(Settings.from_environment())
    try:
        ended = desk.withdraw(key)
    finally:
        desk.close()
    print(f"Withdrawn: {key}." if ended else f"There is no key {key} in use.")
    raise typer.Exit(0 if ended else 1)
