"""Questions of employers: what they follow and how it stands now, and the feed of what changed."""

from datetime import date, datetime, timedelta
from typing import Any

from starlette.requests import Request as HttpRequest

from domain.access import Actor, Rule, Thing, check
from domain.alert import Alert, known
from domain.employer import Employer
from domain.endorsement import Endorsement
from domain.errors import Forbidden, Invalid, NotFound
from domain.event import Event
from projections import standing as standing_view
from registry.api import cases, past
from registry.api.asking import number
from registry.api.associations import known_rows
from registry.api.house import House
from registry.api.openapi import CURSOR, LIMIT, POSITION, Parameter
from registry.api.question import Answer, Question
from registry.api.shown import association_shown, category_title
from registry.commands.employers import streams, thing_of_employer
from registry.webhooks.message import alert_shown, known_shown
from registry.webhooks.sending import Delivery

STANDINGS = ("active", "lapsed", "inactive", "emeritus", "suspended", "removed", "withdrawn")
_AS_RECORDED = {"withdrawn": ("archived", "erased")}


async def employer_of(
    house: House, actor: Actor, name: str, deed: str = "see_employer"
) -> tuple[Employer, Rule, list[tuple[int, Event]]]:
    """An employer for whoever may see this of it. Raises Forbidden, NotFound."""
    found, rows = await cases.load(house, Employer, name)
    rule = check(actor, deed, Thing() if found is None else thing_of_employer(found))
    if found is None:
        raise NotFound("employer")
    if found.state == "ended" and actor.role == "employer":
        raise Forbidden("This employer has ended. Ask the association that admitted it.", deed=deed)
    return found, rule, rows


async def see_employer(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found, rule, rows = await employer_of(house, actor, request.path_params["employer"])
    return Answer(await employer_shown(house, found, rule), rows[-1][0], found.version)


async def employer_shown(house: House, found: Employer, rule: Rule) -> dict[str, Any]:
    name, email = await house.wait_for(house.registry.employer_contact, found.name)
    return {
        "employer": found.name,
        "state": found.state,
        "association": association_shown(found.association),
        "name": name if "identity" in rule.sees else None,
        "email": email if "contact" in rule.sees else None,
        "follows": len(found.follows),
        "mails": found.mails,
        "webhook": await webhook_shown(house, found, own=rule.role == "employer"),
        "version": found.version,
        "links": {
            "self": f"/api/employers/{found.name}",
            "follows": f"/api/employers/{found.name}/follows",
            "feed": "/api/employers/feed",
        },
    }


async def webhook_shown(house: House, found: Employer, *, own: bool = False) -> dict[str, Any]:
    """How it goes with the address; the address itself is the employer's own."""
    if not found.webhook:
        return {"state": "none"}
    kept = await house.wait_for(house.store.delivery, found.name)
    state = Delivery(*kept) if kept else Delivery(0, 0)
    is_old = state.handled < found.webhook
    return {
        "state": "disabled" if found.disabled else "failing" if state.failing_since and not is_old else "sending",
        "reason": found.disabled,
        "url": await house.wait_for(house.registry.webhook_url, found) if own else None,
        "answer": state.answer or None,
        "attempts": 0 if is_old else state.attempts,
        "next_at": None if is_old else state.next_at,
        "delivered_at": state.delivered_at,
        "cursor": state.cursor,
    }


async def see_employers(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    """Those an association admitted: a coordinator's own, for others all."""
    own = actor.association if actor.role == "coordinator" else ""
    rule = check(actor, "see_employer", Thing(association=own))
    shown = [
        {"employer": found.name, "state": found.state, "association": association_shown(found.association),
         "name": name if "identity" in rule.sees else None, "email": email if "contact" in rule.sees else None,
         "links": {"self": f"/api/employers/{found.name}"}}
        for found, name, email in await house.wait_for(house.registry.employers)
        if not own or found.association == own
    ]  # fmt: skip
    return Answer({"employers": shown})


async def see_followed(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found, _, rows = await employer_of(house, actor, request.path_params["employer"], "see_followed")
    standing = request.query_params.get("standing", "")
    limit, after = number(request, "limit", 50, most=200), request.query_params.get("cursor", "")
    shown, following = await followed(house, found, standing, after, limit)
    return Answer({"follows": len(found.follows), "endorsements": shown}, rows[-1][0], cursor=following)


async def followed(
    house: House, found: Employer, standing: str, after: str, limit: int
) -> tuple[list[dict[str, Any]], str]:
    """A page of what it follows, by number, as it stands now; the last number is where to go on."""
    if standing not in ("", *STANDINGS):
        raise Invalid(f"Give one of {', '.join(STANDINGS)}.", field="standing")
    numbers = sorted(one for one in found.follows if one > after)
    if standing:
        # Somewhere the next day has begun already.
        on = (house.clock() + timedelta(hours=14)).date()
        wanted = _AS_RECORDED.get(standing, (standing,))
        query = standing_view.standing_of(numbers, wanted, on=on, limit=limit + 1)
        numbers = [row["number"] for row in await house.readers.rows(*query)]
    page = numbers[:limit]
    histories = await _histories(house, page)
    shown = []
    for one in page:
        state = known(histories.get(one, []), cases.today(house, _custodian(histories.get(one, []))))
        if state:
            title = category_title(state.category, state.association)
            shown.append(known_shown(state, association_name) | {"title": title})
    return shown, page[-1] if len(numbers) > limit else ""


async def _histories(house: House, numbers: list[str]) -> dict[str, list[tuple[int, Event]]]:
    found: dict[str, list[tuple[int, Event]]] = {}
    for position, event in await house.events_of(streams(numbers), await house.last_position()):
        found.setdefault(event.originator_id.partition("/")[2], []).append((position, event))
    return found


def _custodian(history: list[tuple[int, Event]]) -> str:
    held = Endorsement.fold(event for _, event in history)
    return held.custodian if held else "ALLIANCE"


async def see_feed(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """What changed after a cursor, in the order of the history: asked again with the same cursor, the same again."""
    found, _, _ = await employer_of(house, actor, actor.person, "see_followed")
    after = request.query_params.get("after", "") or "0"
    if not after.isdecimal() or len(after) > 18:  # noqa: PLR2004 # digits of a bigint
        raise Invalid("Give the cursor of an earlier answer, or 0 to begin.", field="after")
    limit = number(request, "limit", 100, most=500)
    page = await house.wait_for(house.registry.feed, found.name, int(after), limit)
    shown = [alert_shown(alert, association_name) for alert in page.alerts]
    return Answer({"alerts": shown, "cursor": page.cursor, "more": page.more}, page.cursor)


async def newest(house: House, found: Employer, limit: int = 20) -> list[Alert]:
    return await house.wait_for(house.registry.newest_alerts, found.name, limit)


def association_name(code: str) -> str:
    row = known_rows().get(code)
    return row.name if row else code


_STANDS = {
    "number": "IFS-7K3MQ9TD", "category": "IFS",
    "association": {"code": "VA", "name": "Virginia Association for Infant Mental Health"}, "standing": "suspended",
    "since": date(2026, 11, 23), "through": date(2027, 12, 31), "reason": "suspended",
}  # fmt: skip
_ALERT = {"id": "alert-4711", "position": 4711, "change": "suspended", "on": date(2026, 11, 23),
          "recorded_at": datetime(2026, 11, 23, 15, 4, 5)} | _STANDS  # fmt: skip  # noqa: DTZ001 # an example
_STANDING = Parameter("standing", "Only those that stand so", "suspended", {"enum": list(STANDINGS)})
_AFTER = Parameter("after", "The cursor of an earlier answer; 0 to begin", 4711, {"type": "integer", "minimum": 0})

QUESTIONS: tuple[Question, ...] = (
    Question("feed", "/employers/feed", "What changed of what I follow, after a cursor", see_feed, "see_followed",
             (_AFTER, LIMIT._replace(schema={"type": "integer", "minimum": 1, "maximum": 500})),
             {"alerts": [_ALERT], "cursor": 4711, "more": False}, takes=past.PRESENT),
    Question("employers", "/employers", "The employers: a coordinator's own, or all", see_employers, "see_employer", (),
             {"employers": []}, takes=past.PRESENT),
    Question("employer", "/employers/{employer}", "An employer, and how it is told", see_employer, "see_employer", (),
             {"employer": "mvwxa3dppfsxe2ltnb2w4z3zme", "state": "admitted", "webhook": {"state": "none"}},
             takes=past.PRESENT),
    Question("follows", "/employers/{employer}/follows", "What an employer follows, by number, as it stands now",
             see_followed, "see_followed", (_STANDING, LIMIT, CURSOR, POSITION),
             {"follows": 1, "endorsements": [_STANDS]}, takes=past.PRESENT),
)  # fmt: skip
