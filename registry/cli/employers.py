"""`registry employer` and `registry webhooks`: what an operator does about employers by hand."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import typer

from domain.employer import Employer
from registry import database
from registry.cli.people import acting
from registry.commands import Act, Registry
from registry.opening import open_registry
from registry.settings import Settings
from registry.webhooks.sending import Delivery

employer = typer.Typer(no_args_is_help=True, help="Employers: who may follow endorsements they were shown.")
webhooks = typer.Typer(no_args_is_help=True, help="Where employers' alerts are sent, and how that goes.")

Who = Annotated[str, typer.Argument(metavar="EMPLOYER", help="Its id, as `registry employer list` has it.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def join(app: typer.Typer) -> None:
    app.add_typer(employer, name="employer")
    app.add_typer(webhooks, name="webhooks")


@employer.callback()
def _employers() -> None:
    """Whoever's API key is in REGISTRY_API_KEY acts; without one it is the operator."""


@employer.command()
def add(
    name: Annotated[str, typer.Option(help="What it is called.")],
    email: Annotated[str, typer.Option(help="Whom to write to.")],
    association: Annotated[str, typer.Option(help="Whose word it is; the Alliance's by default.")] = "",
    as_json: Json = False,
) -> None:
    """Admit an employer and print its id; `registry actor add --role employer --person ID` makes its key."""
    with _open() as (registry, act):
        recorded = registry.admit_employer(act, name=name, email=email, association=association.upper())
        made = recorded.events[0].originator_id.partition("/")[2]
    print(json.dumps({"employer": made, "position": recorded.position}) if as_json else made)


@employer.command("list")
def list_(as_json: Json = False) -> None:
    """The employers by id, without what they follow."""
    with _open() as (registry, _):
        rows = [
            {"employer": found.name, "state": found.state, "association": found.association, "name": name,
             "follows": len(found.follows)}
            for found, name, _ in registry.employers()
        ]  # fmt: skip
    if as_json:
        print(json.dumps({"employers": rows}))
        return
    for row in rows:
        print(f"{row['employer']}  {row['state']:<8}  {row['association']:<8}  {row['name'] or '(erased)'}")


@employer.command()
def end(who: Who, as_json: Json = False) -> None:
    """End an employer: its keys end at once, its name and address are destroyed."""
    with _open() as (registry, act):
        recorded = registry.end_employer(act, who)
    said = f"Ended: {who}. Nobody comes in as it, and its name and address are destroyed."
    print(json.dumps({"employer": who, "position": recorded.position}) if as_json else said)


@webhooks.command("list")
def states(as_json: Json = False) -> None:
    """How far each address has got, and what it answered last; never the address itself."""
    rows = []
    with _open() as (registry, _):
        for found, _, _ in registry.employers():
            if found.webhook:
                rows.append(_state(registry, found))
    if as_json:
        print(json.dumps({"webhooks": rows}))
        return
    for row in rows:
        print(
            f"{row['employer']}  {row['state']:<8}  told up to {row['cursor']}, answered {row['answer'] or 'nothing'}"
        )


def _state(registry: Registry, found: Employer) -> dict[str, object]:
    kept = registry.store.delivery(found.name)
    state = Delivery(*kept) if kept else Delivery(0, 0)
    return {
        "employer": found.name,
        "state": "disabled" if found.disabled else "failing" if state.failing_since else "sending",
        "cursor": state.cursor,
        "answer": state.answer,
        "attempts": state.attempts,
        "next_at": state.next_at.isoformat() if state.next_at else None,
    }


@webhooks.command()
def replay(who: Who, after: Annotated[int, typer.Option(min=0, help="A position; 0 for all there ever was.")]) -> None:
    """Send an employer all its alerts after a position again; `registry work` does it."""
    with _open() as (registry, act):
        recorded = registry.replay_webhook(act, who, after=after)
    print(f"Recorded at {recorded.position}.")


@webhooks.command()
def test(who: Who) -> None:
    """Send an employer a trial message; `registry work` does it."""
    with _open() as (registry, act):
        recorded = registry.test_webhook(act, who)
    print(f"Recorded at {recorded.position}.")


@webhooks.command("end")
def end_(who: Who) -> None:
    """Send nothing to this employer's address any more."""
    with _open() as (registry, act):
        recorded = registry.end_webhook(act, who)
    print(f"Recorded at {recorded.position}.")


@contextmanager
def _open() -> Iterator[tuple[Registry, Act]]:
    settings = Settings.from_environment()
    database.ready(settings)
    registry = open_registry(settings)
    with closing(registry.store.vault), closing(registry.store):
        yield registry, Act(acting(registry, settings))
