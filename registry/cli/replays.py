"""`registry replay` and `registry ask`: the views as they were known at a moment, and questions to them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import typer
from psycopg import Connection

from domain.errors import Invalid
from projections import replays
from projections.engine import Engine, Outdated
from projections.replays import BadReplay, Replay, Unknowable
from registry.cli.people import acting
from registry.cli.views import Progress, opened, refusals
from registry.known import read_known
from registry.opening import open_registry
from registry.settings import Settings
from registry.store import EventMapper
from registry.vault import Vault

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def replay(  # one command, three deeds with scratch schemas
    known: Annotated[
        str,
        typer.Option(
            metavar="T",
            help="As it was known at this position, or time such as 2026-06-30T12:00Z, or at the end of a day.",
        ),
    ] = "",
    name: Annotated[str, typer.Option(metavar="NAME", help="What to call it, such as june.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Say which there are.")] = False,
    drop: Annotated[str, typer.Option(metavar="NAME", help="Remove this one.")] = "",
    drop_older_than: Annotated[
        int, typer.Option(metavar="DAYS", min=-1, help="Remove those that were made so many days ago or earlier.")
    ] = -1,
    as_json: Json = False,
) -> None:
    """Make the views as they were at a moment, beside the live ones, to be asked with `registry ask --replay NAME`."""
    if sum(map(bool, (known or name, listed, drop, drop_older_than >= 0))) != 1:
        raise typer.BadParameter("give --known T and --name NAME, or --list, or --drop NAME, or --drop-older-than DAYS")
    settings = Settings.from_environment()
    with refusals(), _plainly(), _open(settings) as (vault, connection):
        if listed:
            _say_all(replays.found(connection), as_json=as_json)
        elif drop:
            _drop(connection, [replays.named(connection, drop).name], as_json=as_json)
        elif drop_older_than >= 0:
            until = datetime.now(UTC) - timedelta(days=drop_older_than)
            old = [one.name for one in replays.found(connection) if one.made_at <= until]
            _drop(connection, old, as_json=as_json)
        else:
            _make(vault, connection, known, name, as_json=as_json)


def _make(vault: Vault, connection: Connection[Any], known: str, name: str, *, as_json: bool) -> None:
    from registry.replaying import add_claims  # noqa: PLC0415 - `--help` need not wait for the API

    replays.schema_of(name)
    engine = Engine(EventMapper().load, vault.open_all)
    made = engine.replay(
        connection,
        name,
        read_known(known, datetime.now(UTC)),
        Progress("replay"),
        more=lambda schema, position: add_claims(connection, vault, schema, position),
    )
    facts = _facts(made)
    if as_json:
        print(json.dumps(facts))
    else:
        print(f"Replayed to position {made.position:,}, known at {made.known:%Y-%m-%d %H:%M} UTC.")
        print(f"Ask it: registry ask --replay {made.name} register name=...")


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="As the API names it, such as endorsement.")],
    given: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="What it takes, such as number=IFS-7K3MQ9TD or on=2026-06-01."),
    ] = None,
    replay: Annotated[str, typer.Option(metavar="NAME", help="Which replay is asked.")] = "",
    as_json: Json = False,
) -> None:
    """Ask a replay what the API answers now. Nothing can be written; whose key is in REGISTRY_API_KEY asks, or else the
    operator, and that confidential data were read is noted.
    """
    from registry.replaying import ask as asked  # noqa: PLC0415 - `--help` need not wait for the API
    from registry.replaying import question_named  # noqa: PLC0415

    if not replay:
        raise typer.BadParameter("name one; `registry replay --list` says which there are", param_hint="--replay")
    settings = Settings.from_environment()
    with refusals(), _plainly():
        wanted, values = question_named(question), dict(_pair(each) for each in given or ())
        with _open(settings) as (vault, connection):
            there = replays.named(connection, replay)
            if there.shape != Engine(EventMapper().load, vault.open_all).shape:
                raise Outdated(f"The replay {replay} is of another version. Drop it and make it again.")
        registry = open_registry(settings)
        try:
            actor = acting(registry, settings)
        finally:
            registry.store.close()
            registry.store.vault.close()
        answer = asked(settings, there, wanted, values, actor)
    facts = {"replay": there.name, "known": there.known, "position": answer.position, "answer": answer.value}
    text = msgspec.json.encode(facts)
    print((text if as_json else msgspec.json.format(text)).decode())


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Invalid(f"Write {text} as NAME=VALUE.", field=text)
    return name, value


def _facts(one: Replay) -> dict[str, Any]:
    return {
        "name": one.name,
        "position": one.position,
        "known": one.known.astimezone(UTC).isoformat(),
        "made_at": one.made_at.astimezone(UTC).isoformat(),
    }


def _say_all(there: list[Replay], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"replays": [_facts(one) for one in there]}))
    for one in () if as_json else there:
        print(
            f"{one.name}: position {one.position:,}, known at {one.known:%Y-%m-%d %H:%M}, made {one.made_at:%Y-%m-%d}"
        )
    if not there and not as_json:
        print("No replays.")


def _drop(connection: Connection[Any], names: list[str], *, as_json: bool) -> None:
    replays.drop(connection, names)
    print(json.dumps({"dropped": names}) if as_json else f"Dropped: {', '.join(names) or 'none'}.")


@contextmanager
def _open(settings: Settings) -> Iterator[tuple[Vault, Connection[Any]]]:
    with opened(settings) as (vault, connection):
        connection.execute("SET timezone = 'UTC'")
        yield vault, connection


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except (Unknowable, BadReplay) as refused:
        typer.echo(f"registry: {refused}", err=True)
        raise typer.Exit(2) from None


def join(registry: typer.Typer) -> None:
    registry.command()(replay)
    registry.command()(ask)
