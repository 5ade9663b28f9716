"""Questions about standing: of an endorsement, a person, an association; on any day, as known at any position."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request as HttpRequest

from domain.access import Actor
from domain.endorsement import Endorsement
from domain.errors import Invalid
from projections import standing as standing_view
from projections.past import standing_on
from projections.standing import Standing
from registry.api import cases, views
from registry.api.asking import number
from registry.api.house import House
from registry.api.openapi import CURSOR, LIMIT, POSITION
from registry.api.past import BOTH, When, when_of
from registry.api.question import Answer, Question
from registry.api.shown import association_shown, category_title, endorsement_shown


def endorsement_then(house: House, state: Endorsement, rows: Sequence[cases.Row], when: When) -> dict[str, Any]:
    """An endorsement, folded from these rows, on the day asked about. Raises Invalid for a day before its award."""
    on = when.today(house, state.custodian)
    if not when.asked:
        return endorsement_shown(state, on)
    span = standing_on(rows, on)
    if span is None:
        raise Invalid(f"It was endorsed on {state.awarded_on}: ask about that day or a later one.", field="on")
    return endorsement_shown(state, on) | _span(span)


def _span(span: Standing) -> dict[str, Any]:
    return {
        "category": span.category, "title": category_title(span.category, span.custodian),
        "association": association_shown(span.custodian), "standing": span.standing, "through": span.through,
        "awarded_on": span.awarded_on, "reported": span.reported, "edition": span.edition or None,
    }  # fmt: skip


async def endorsements_then(house: House, person: str, when: When) -> list[dict[str, Any]]:
    """What a person holds; of the past, what was known then, and awarded by the day asked about."""
    shown = []
    for number_ in await views.numbers_of(house, person):
        rows = cases.until(await house.events(f"{Endorsement.kind}/{number_}"), when.known)
        state = Endorsement.fold(event for _, event in rows)
        if state and (not when.asked or standing_on(rows, when.today(house, state.custodian))):
            shown.append(endorsement_then(house, state, rows, when))
    return shown


async def see_standing(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """Every span of days as known then, and with `on` everything that was ever believed of that day."""
    asked, when = request.path_params["number"], when_of(request)
    found = await cases.endorsement(house, actor, asked, deed="see_history", known=when.known)
    state: Endorsement = found.state
    at = await views.reach(house, max(found.position, when.known or 0))
    spans = await house.readers.rows(*standing_view.spans_of(state.number, known=when.known))
    answer: dict[str, Any] = {"number": state.number, "spans": [_dated(row) for row in spans]}
    if when.on is not None:
        beliefs = await house.readers.rows(*standing_view.beliefs_about(state.number, on=when.on))
        answer["believed"] = [
            _dated(row) for row in beliefs if when.known is None or row["known_from"] <= when.known
        ]  # fmt: skip
    return Answer(answer, at, state.version)


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    """A span with its days and the positions between which it was believed; both ends exclusive."""
    return {
        "standing": row["standing"], "category": row["category"], "association": association_shown(row["custodian"]),
        "through": row["through"], "reported": row["reported"], "edition": row["edition"] or None,
        "from": row["valid_from"], "to": row["valid_to"], "known_from": row["known_from"], "known_to": row["known_to"],
    }  # fmt: skip


async def see_held(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """What an association holds on a day, by number."""
    code, when = request.path_params["code"], when_of(request)
    cases.check_association(actor, "see_held", code)
    standing = request.query_params.get("standing", "")
    if standing not in ("", *STANDINGS):
        raise Invalid(f"Give one of {', '.join(STANDINGS)}.", field="standing")
    at = await views.reach(house, when.known)
    on, limit = when.today(house, code), number(request, "limit", 50, most=200)
    after = request.query_params.get("cursor", "")
    query = standing_view.held_at(
        code, on=on, standing=standing or None, known=when.known, after=after, limit=limit + 1
    )
    rows = await house.readers.rows(*query)
    following = rows[limit - 1]["number"] if len(rows) > limit else ""
    await views.refuse_too_early(house, when, rows)
    names = await cases.names(house, [row["person"] for row in rows[:limit]])
    shown = [
        {"number": row["number"], "name": names.get(row["person"]) or None, "category": row["category"],
         "title": category_title(row["category"], code), "standing": row["standing"], "through": row["through"],
         "awarded_on": row["awarded_on"], "reported": row["reported"], "edition": row["edition"] or None,
         "links": {"self": f"/api/endorsements/{row['number']}"}}
        for row in rows[:limit]
    ]  # fmt: skip
    return Answer({"association": association_shown(code), "on": on, "endorsements": shown}, at, cursor=following)


STANDINGS = ("active", "lapsed", "inactive", "emeritus", "suspended", "removed", "archived", "erased")
_SPAN = {
    "standing": "active", "category": "IFS", "association": {"code": "VA", "name": "Virginia"}, "through": "2027-12-31",
    "reported": False, "edition": "FS-2023", "from": "2026-06-01", "to": "2028-01-01", "known_from": 4711,
    "known_to": None,
}  # fmt: skip

QUESTIONS: tuple[Question, ...] = (
    Question("standing", "/endorsements/{number}/standing",
             "Its standing by days, as known then; with a day, everything ever believed of it", see_standing,
             "see_history", (POSITION,), {"number": "IFS-7K3MQ9TD", "spans": [_SPAN]}, takes=BOTH),
    Question("held", "/associations/{code}/endorsements", "What an association holds on a day, by number", see_held,
             "see_held", (LIMIT, CURSOR, POSITION), {"on": "2026-06-01", "endorsements": []}, takes=BOTH),
)  # fmt: skip
