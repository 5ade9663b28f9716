"""`registry erase` and `registry rsc-provider`: what an operator does about people by hand."""

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Annotated

import typer

from domain.access import OPERATOR, Actor
from domain.endorsement import Endorsement, read_number
from domain.errors import Forbidden, Invalid, NotFound
from domain.person import ERASURE_DAYS, Person
from registry import database
from registry.api.actors import Desk
from registry.cli import past
from registry.commands import Act, Registry
from registry.opening import open_registry
from registry.settings import Settings
from registry.store import Recorded

KEY = "REGISTRY_API_KEY"
_OVER = ("archived", "removed", "erased")

erase = typer.Typer(no_args_is_help=True, help="Forget a person: on the word of two people, seven days later.")

Who = Annotated[str, typer.Argument(metavar="PERSON", help="Their id, or the number of an endorsement of theirs.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def join(app: typer.Typer) -> None:
    app.add_typer(erase, name="erase")
    app.command("rsc-provider")(rsc_provider)


@erase.callback()
def _group() -> None:
    """Whoever's API key is in REGISTRY_API_KEY acts; without one it is the operator. Two have to be two."""


@erase.command()
def request(person: Who, as_json: Json = False) -> None:
    """Ask for the erasure, as the person did. Somebody else confirms it."""
    with _open() as (registry, actor):
        _say(registry, registry.request_erasure(Act(actor), _person(registry, person)), as_json=as_json)


@erase.command()
def confirm(person: Who, as_json: Json = False) -> None:
    """Confirm what somebody else asked for: seven days later everything personal is gone for good."""
    with _open() as (registry, actor):
        _say(registry, registry.confirm_erasure(Act(actor), _person(registry, person)), as_json=as_json)


@erase.command()
def cancel(person: Who, as_json: Json = False) -> None:
    """Cancel it, until the day it is carried out."""
    with _open() as (registry, actor):
        _say(registry, registry.cancel_erasure(Act(actor), _person(registry, person)), as_json=as_json)


def rsc_provider(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The provider's endorsement.")],
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day of the hour.")],
    association: Annotated[str, typer.Option(metavar="CODE", help="Whose rule; the holder's own by default.")] = "",
    known: past.Known = "",
    as_json: Json = False,
) -> None:
    """Say whether an hour of RSC with this person on that day counts, for which categories, under which row."""
    with _open() as (registry, _):
        position = past.position(Settings.from_environment(), known)
        answer = registry.rsc_provider(number, on.date(), association.upper(), known=position)
    if as_json:
        print(json.dumps(answer, default=str))
    else:
        print(answer["words"])


@contextmanager
def _open() -> Iterator[tuple[Registry, Actor]]:
    settings = Settings.from_environment()
    database.ready(settings)
    registry = open_registry(settings)
    with closing(registry.store.vault), closing(registry.store):
        yield registry, acting(registry, settings)


def acting(registry: Registry, settings: Settings) -> Actor:
    secret = os.environ.get(KEY, "")
    if not secret:
        return OPERATOR
    with closing(Desk(settings)) as desk:
        actor = desk.by_key(secret.strip())
    if actor is None:
        raise Forbidden(f"The key in {KEY} is mistyped, expired or withdrawn.")
    return registry.acting(actor)


def _person(registry: Registry, named: str) -> str:
    try:
        found = registry.store.find(Endorsement, read_number(named))
        name = found.person if found else ""
    except Invalid:
        name = named
    if not name or registry.store.find(Person, name) is None:
        raise NotFound("person")
    return registry.identity(name)[0]


def _say(registry: Registry, recorded: Recorded, *, as_json: bool) -> None:
    person = registry.store.get(Person, recorded.events[0].originator_id.partition("/")[2])
    due = person.erasure_due.isoformat() if person.erasure == "confirmed" else None
    ending = [held.number for held in registry.endorsements_of(person.name) if held.state not in _OVER]
    if as_json:
        print(json.dumps({"person": person.name, "erasure": person.erasure or None, "due": due,
                          "ends": ending if person.erasure else [], "position": recorded.position}))  # fmt: skip
        return
    if not person.erasure:
        print("Cancelled. Nothing is erased.")
        return
    if due:
        print(f"Confirmed. On {due} `registry work` carries it out; `registry erase cancel` stops it until then.")
    else:
        print(f"Asked for. A second person confirms it; {ERASURE_DAYS} days after that it is carried out.")
    print(f"These endorsements end, and their certificates with them: {', '.join(ending) or 'none'}.")
    print("What is open of theirs is closed, nobody comes in as them any more, and the keys of their names, address,")
    print("demographics, notes and references are destroyed for good. The history of codes and days stays.")
