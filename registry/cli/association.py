"""`registry association`: admit, rename, what they offer, their licence, and custody where a licence begins or ends."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer

from domain.access import OPERATOR
from domain.association import ALLIANCE, Association, Licence, LicenceReason
from domain.endorsement import Endorsement
from domain.event import LateReason
from domain.person import Person
from registry import database
from registry.cli.roster import bar
from registry.commands import Act, Registry
from registry.exporting import endorsements_of
from registry.opening import open_registry
from registry.settings import Settings
from registry.store import Recorded

association = typer.Typer(
    no_args_is_help=True,
    help=(
        "The member associations: who they are on a day, what they offer, their licence.\n\n"
        "A new one: `registry association admit --code GA --name ... --jurisdiction Georgia --zone America/New_York`, "
        "then `take-over GA` brings the people who live there over from the Alliance. One that leaves: `end-licence XX`"
        " passes everything it holds to the Alliance. Both may be interrupted and run again."
    ),
)

Code = Annotated[str, typer.Argument(metavar="CODE", help="Such as VA.", parser=str.upper)]
On = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day it happened, if not today; needs --late.")
]
Late = Annotated[LateReason | None, typer.Option(help="Why a past day is recorded only now.")]
From = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day, if it is still to come.")
]
Reason = Annotated[LicenceReason, typer.Option(help="Why.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def join(app: typer.Typer) -> None:
    app.add_typer(association, name="association")


@association.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every association that was admitted: code, licence, name."""
    with _open() as registry:
        shown = [_shown(found, found.today(registry.clock())) for found in registry.associations().values()]
    if as_json:
        print(json.dumps({"associations": shown}, ensure_ascii=False, default=str))
        return
    for one in shown:
        print(f"{one['code']:<9}{one['licence']:<12}{one['abbreviation']:<12}{one['name']}")


@association.command()
def show(code: Code, on: On = None, as_json: AsJson = False) -> None:
    """What an association is, or was on a day: name, licence, categories and its titles for them."""
    with _open() as registry:
        found = registry.association(code)
        shown = _shown(found, on.date() if on else found.today(registry.clock()))
    if as_json:
        print(json.dumps(shown, ensure_ascii=False, default=str))
        return
    for name, value in shown.items():
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "-")
        print(f"{name.replace('_', ' '):<14}{text}")


@association.command()
def admit(
    code: Annotated[str, typer.Option(metavar="CODE", help="That of its place, such as GA.", parser=str.upper)],
    name: Annotated[str, typer.Option(help="Needed for one this registry knows nothing of.")] = "",
    jurisdiction: Annotated[str, typer.Option(help="Its place, such as Georgia.")] = "",
    abbreviation: Annotated[str, typer.Option(help="Default: the code.")] = "",
    zone: Annotated[str, typer.Option(help="Its time zone, such as America/New_York.")] = "",
    licence: Annotated[Licence, typer.Option(help="Guidelines only, or Endorsement.")] = "endorsement",
    reviewers: Annotated[int, typer.Option(min=1, max=2, help="How many review an application.")] = 2,
    offer: Annotated[list[str] | None, typer.Option(help="A category it offers; repeat it. Default: all.")] = None,
) -> None:
    """Admit an association."""
    facts = {"name": name, "jurisdiction": jurisdiction, "abbreviation": abbreviation, "zone": zone,
             "offers": tuple(offer or ())} | ({"reviewers": reviewers} if name else {})  # fmt: skip
    _do(lambda registry, act: registry.admit(act, code, facts, licence=licence))


@association.command()
def rename(
    code: Code,
    name: Annotated[str, typer.Option()],
    abbreviation: Annotated[str, typer.Option()],
    on: On = None,
    late: Late = None,
) -> None:
    """Give it a new name from a day; certificates that were issued keep the old one."""
    _do(lambda registry, act: registry.rename_association(act, code, name=name, abbreviation=abbreviation), on, late)


@association.command()
def offer(
    code: Code,
    category: Annotated[str, typer.Argument(metavar="CATEGORY", help="Such as ECFS.")],
    title: Annotated[str, typer.Option(help="Its own title for it, as in Australia.")] = "",
    from_: From = None,
) -> None:
    """Offer a category, today or from a later day."""
    first = from_.date() if from_ else None
    _do(lambda registry, act: registry.offer_category(act, code, category=category, title=title, from_=first))


@association.command()
def withdraw(
    code: Code, category: Annotated[str, typer.Argument(metavar="CATEGORY", help="Such as ECFS.")], from_: From = None
) -> None:
    """Offer a category no longer; who holds it keeps it."""
    first = from_.date() if from_ else None
    _do(lambda registry, act: registry.withdraw_category(act, code, category=category, from_=first))


@association.command("licence")
def licence_(code: Code, licence: Annotated[Licence, typer.Argument(help="guidelines or endorsement")]) -> None:
    """Grant a licence, or let one that ended begin again."""
    _do(lambda registry, act: registry.grant_licence(act, code, licence=licence))


@association.command("suspend-licence")
def suspend_licence(code: Code, reason: Reason) -> None:
    """Nothing new is taken or awarded meanwhile; renewals go on."""
    _do(lambda registry, act: registry.suspend_licence(act, code, reason=reason))


@association.command("resume-licence")
def resume_licence(code: Code) -> None:
    """End a suspension."""
    _do(lambda registry, act: registry.resume_licence(act, code))


@association.command("end-licence")
def end_licence(code: Code, reason: Reason = "own_wish") -> None:
    """End the licence and pass everything it holds to the Alliance, an event per endorsement, certificates anew.

    Killed and run again it goes on where it was; when all has passed it does nothing.
    """
    with _open() as registry:
        if registry.association(code).licence != "ended":
            _say(registry.end_licence(Act(OPERATOR), code, reason=reason))
        held = [endorsement.number for endorsement, _ in endorsements_of(registry.store, code)]
        _pass(registry, held, code, ALLIANCE)


@association.command("take-over")
def take_over(code: Code) -> None:
    """Take over from the Alliance who lives there today and is held by it; certificates are issued anew.

    Killed and run again it goes on where it was, and takes those who have come since.
    """
    with _open() as registry:
        _say(registry.take_over_people(Act(OPERATOR), code))
        _pass(registry, sorted(_living(registry, code)), ALLIANCE, code)


def _living(registry: Registry, code: str) -> Iterator[str]:
    """What the Alliance holds of people who live there."""
    homes: dict[str, str] = {}
    for endorsement, _ in endorsements_of(registry.store, ALLIANCE):
        if endorsement.person not in homes:
            person = registry.store.find(Person, endorsement.person)
            homes[endorsement.person] = person.residence if person else ""
        if homes[endorsement.person] == code:
            yield endorsement.number


def _pass(registry: Registry, numbers: list[str], from_: str, to: str) -> None:
    with bar("Passing", len(numbers)) as progress:
        passed = registry.settle_custodies(numbers, progress)
    left = sum(registry.store.get(Endorsement, number).custodian == from_ for number in numbers)
    print(f"{passed} endorsements passed from {from_} to {to}" + (f"; {left} stay." if left else "."))


def _do(deed: Callable[[Registry, Act], Recorded], on: datetime | None = None, late: LateReason | None = None) -> None:
    with _open() as registry:
        _say(deed(registry, Act(OPERATOR, on=on.date() if on else None, late=late)))


def _say(recorded: Recorded) -> None:
    for position, event in zip(recorded.positions, recorded.events, strict=True):
        print(f"{event.originator_id} {event.topic} on {event.on}, position {position}")


def _shown(found: Association, on: Any) -> dict[str, Any]:
    row = found.row_on(on)
    return {
        "code": row.code, "name": row.name, "abbreviation": row.abbreviation, "jurisdiction": row.jurisdiction,
        "zone": row.zone, "licence": found.licence_on(on), "on": on, "reviewers": row.reviewers,
        "offers": row.offers, "titles": [f"{code}: {title}" for code, title in row.titles.items()],
        "coordinators": found.coordinators, "can": found.can(), "source": row.source,
    }  # fmt: skip


@contextmanager
def _open() -> Iterator[Registry]:
    settings = Settings.from_environment()
    database.ready(settings)
    registry = open_registry(settings)
    try:
        yield registry
    finally:
        registry.store.close()
        registry.store.vault.close()
