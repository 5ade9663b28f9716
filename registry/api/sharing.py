"""What a holder shows by a link beyond the certificate, as of now; and their own list of such links."""

from typing import Any

from starlette.requests import Request as HttpRequest

from domain.access import Actor, Thing, check
from domain.alert import alerts, known
from domain.endorsement import Endorsement
from domain.errors import NotFound
from domain.event import Event
from domain.person import Person
from registry.api import cases, past
from registry.api.employers import association_name
from registry.api.house import House
from registry.api.question import Answer, Question
from registry.api.shown import association_shown, category_title
from registry.commands.sharing import Opened
from registry.webhooks.message import known_shown

_SHOWN = (
    Endorsement.Awarded, Endorsement.Imported, Endorsement.Reported, Endorsement.Renewed, Endorsement.Lapsed,
    Endorsement.MadeInactive, Endorsement.InactivityEnded, Endorsement.Reactivated, Endorsement.Reinstated,
    Endorsement.EmeritusGranted, Endorsement.AddOnGranted, Endorsement.AddOnEnded, Endorsement.Converted,
    Endorsement.CustodyTransferred,
)  # fmt: skip


class NoSuchLink(NotFound):
    """One answer to a link that never was, was ended, or is too old."""

    def __init__(self) -> None:
        super().__init__("shared page")


async def see_shares(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found, rows = await cases.load(house, Person, request.path_params["person"])
    check(actor, "see_shares", Thing() if found is None else Thing(person=found.name))
    if found is None:
        raise NotFound("person")
    return Answer({"shares": await shares_shown(house, found)}, rows[-1][0], found.version)


async def shares_shown(house: House, person: Person) -> list[dict[str, Any]]:
    """Newest first, each with how often it was opened on which day."""
    counted = await house.wait_for(house.store.openings, [share.link for share in person.shares.values()])
    on = cases.today(house, person.residence)
    return [
        {"share": name, "number": share.number, "details": list(share.details), "shared_on": share.shared_on,
         "until": share.until, "open": not share.ended and on <= share.until,
         "opened": [{"day": day, "times": times} for link, day, times in counted if link == share.link]}
        for name, share in reversed(person.shares.items())
    ]  # fmt: skip


async def shared(house: House, code: str) -> dict[str, Any]:
    """What the link shows now; that it was opened is counted. Raises NoSuchLink."""
    opened = await house.wait_for(house.registry.opened_by, code)
    name = (await cases.names(house, [opened.person.name])).get(opened.person.name) if opened else None
    if opened is None or not name:
        raise NoSuchLink
    await house.wait_for(house.store.note_opening, opened.share.link)
    return {"name": name, "until": opened.share.until, "on": opened.on} | await _shown(house, opened)


async def _shown(house: House, opened: Opened) -> dict[str, Any]:
    details, number = opened.share.details, opened.share.number
    history = await house.events(f"{Endorsement.kind}/{number}")
    shown: dict[str, Any] = {"endorsement": _stands(house, history), "details": details}
    if "history" in details:
        shown["history"] = history_shown(history)
    if "other_endorsements" in details:
        numbers = await house.wait_for(house.registry.numbers_of, opened.person.name)
        others = [await house.events(f"{Endorsement.kind}/{other}") for other in numbers if other != number]
        shown["others"] = [_stands(house, other) for other in others]
    if "rsc_provider" in details:
        shown["provider"] = await house.wait_for(house.registry.rsc_provider, number, opened.on)
    return shown


def _stands(house: House, history: list[tuple[int, Event]]) -> dict[str, Any]:
    held = Endorsement.fold(event for _, event in history)
    found = known(history, cases.today(house, held.custodian)) if held else None
    if found is None:
        raise NoSuchLink
    return known_shown(found, association_name) | {"title": category_title(found.category, found.association)}


def history_shown(history: list[tuple[int, Event]]) -> list[dict[str, Any]]:
    """Awards, renewals, lapses and associations, oldest first, each as it was corrected last."""
    held = Endorsement.fold(event for _, event in history)
    changes = {alert.position: alert for alert in alerts(history)}
    rows = []
    for position, event in history:
        fact = held.as_known(event) if held and isinstance(event, _SHOWN) else None
        if fact is None or position not in changes:
            continue
        told = changes[position]
        rows.append(
            {"on": fact.on, "change": told.change, "association": association_shown(told.known.association),
             "through": getattr(fact, "through", None)}
        )  # fmt: skip
    return rows


QUESTIONS: tuple[Question, ...] = (
    Question("shares", "/people/{person}/shares", "The links by which I show more than my certificate", see_shares,
             "see_shares", (), {"shares": [{"share": "S9", "number": "IFS-7K3MQ9TD", "details": ["history"],
                                            "until": "2026-12-31", "open": True, "opened": []}]}, takes=past.PRESENT),
)  # fmt: skip
