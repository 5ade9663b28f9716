"""Questions after the award: which renewals are due at an association and by when, and how far its audits have come."""

from datetime import date
from typing import Any

from starlette.requests import Request as HttpRequest

from domain.access import Actor, Thing, check
from domain.audit import Audit
from domain.editions import renewal_term
from domain.endorsement import Endorsement, read_number
from domain.errors import NotFound
from projections import audits, past, renewals
from projections.view import Query
from registry.api import cases, views
from registry.api.asking import number
from registry.api.house import House
from registry.api.openapi import CURSOR, LIMIT, POSITION
from registry.api.past import BOTH, NOW, When, when_of
from registry.api.question import Answer, Question
from registry.api.shown import association_shown, category_title

WHY = {
    "drawn": "A share of all renewals of the cycle is drawn by a seed that was recorded before anybody was told. "
    "Anybody may draw it again from the seed and the population.",
    "reinstated": "It was reinstated after a lapse: then the audit of the next renewal is certain (NE-POL).",
}


# --- renewals


async def see_renewals(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """The countdown of an association, and whose renewal is still due, by number."""
    code = request.path_params["code"]
    cases.check_association(actor, "see_renewals", code)
    when = when_of(request)
    at = await views.reach(house, when.known)
    limit, after = number(request, "limit", 50, most=200), request.query_params.get("cursor", "")
    shown = await countdown(house, code, when)
    last = shown["cycle"]["last_day"]
    query = renewals.due(code, shown["on"], last, known=when.known, after=after, limit=limit + 1)
    rows = await house.readers.rows(*query)
    if when.known is not None:
        await _reminded(house, rows, when.known)
    following = rows[limit - 1]["number"] if len(rows) > limit else ""
    names = await cases.names(house, [row["person"] for row in rows[:limit]])
    shown["endorsements"] = [
        {"number": row["number"], "category": row["category"], "title": category_title(row["category"], code),
         "name": names.get(row["person"]) or None, "through": row["through"], "reminded_on": row["reminded_on"]}
        for row in rows[:limit]
    ]  # fmt: skip
    return Answer(shown, at, cursor=following)


async def _reminded(house: House, rows: list[dict[str, Any]], known: int) -> None:
    """On which day each was reminded of its last good day, as known then."""
    streams = [f"{Endorsement.kind}/{row['number']}" for row in rows]
    told = {
        (event.originator_id.partition("/")[2], event.through): event.on
        for _, event in await house.events_of(streams, known)
        if isinstance(event, Endorsement.RenewalReminded)
    }
    for row in rows:
        row["reminded_on"] = told.get((row["number"], row["through"]))


async def countdown(house: House, code: str, when: When = NOW) -> dict[str, Any]:
    """How many an association holds as active, how many attested for this cycle, and how many lapse on which day.

    `attested`: good beyond this cycle by a renewal here; `later`: good beyond it for another reason, such as an award.
    """
    on = when.today(house, code)
    term = renewal_term(on, code)
    rows = await house.readers.rows(*renewals.counted(code, on, known=when.known))
    await views.refuse_too_early(house, when, rows)
    beyond = [row for row in rows if row["through"] > term.through]
    attested = sum(row["attested"] for row in beyond)
    return {
        "association": association_shown(code),
        "on": on,
        "cycle": {"year": term.year, "opens": term.opens, "due": term.due, "last_day": term.through,
                  "edition": term.edition.name, "open": term.opens <= on,
                  "days_left": (term.through - on).days},
        "active": sum(row["active"] for row in rows),
        "attested": attested,
        "later": sum(row["active"] for row in beyond) - attested,
        "due": sum(row["active"] for row in rows if row["through"] <= term.through),
        "ends": [{"through": row["through"], "endorsements": row["active"]}
                 for row in rows if row["through"] <= term.through],
    }  # fmt: skip


# --- audits


async def see_audits(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """The audits of an association, newest first, and what waits for it in them."""
    code, when = request.path_params["code"], when_of(request)
    cases.check_association(actor, "see_audit", code)
    at = await views.reach(house, when.known)
    cursor = request.query_params.get("cursor", "")
    on, before = views.cursor_read(cursor) if cursor else ("", "~")
    limit = number(request, "limit", 20, most=100)
    rows = await audits_of(house, code, date.fromisoformat(on) if on else None, before, limit + 1, when)
    rows, following = views.cut(rows, limit, lambda last: (last["drawn_on"].isoformat(), last["audit"]))
    return Answer({"audits": rows, "waiting": await audits_waiting(house, code, when)}, at, cursor=following)


async def audits_of(
    house: House, code: str, before_on: date | None = None, before: str = "~", limit: int = 20, when: When = NOW
) -> list[dict[str, Any]]:
    query = audits.of_association(code, when.today(house, code), before=(before_on, before), limit=limit)
    rows = await house.readers.rows(*await _of_then(house, query, code, when))
    return [row | {"links": {"self": f"/api/audits/{row['audit']}"}} for row in rows]


async def _of_then(house: House, query: Query, code: str, when: When) -> Query:
    """The question to the audits of an association as they were then."""
    if when.known is None:
        return query
    drawn = await house.readers.rows(*audits.all_of(code, limit=views.MOST_STREAMS + 1))
    streams = [f"{Audit.kind}/{row['audit']}" for row in drawn]
    return past.asked_of(query, await views.folded(house, (audits.VIEW,), streams, when.known))


async def audits_waiting(house: House, code: str, when: When = NOW) -> list[dict[str, Any]]:
    """What waits for the coordinator; a day that is over is the holder's last one."""
    query = audits.waiting(code, when.today(house, code))
    rows = await house.readers.rows(*await _of_then(house, query, code, when))
    return [
        {"audit": row["audit"], "number": row["number"], "person": row["person"], "state": row["state"],
         "what": _OURS[row["state"]], "since": row["due"] or row["since"],
         "links": {"self": f"/api/audits/{row['audit']}"}}
        for row in rows
    ]  # fmt: skip


_DECIDED = ("passed", "unremedied", "dropped")
_OURS = {
    "drawn": "send the notice", "noticed": "no answer in time", "submitted": "decide on the evidence",
    "failed": "no remedy in time",
}  # fmt: skip


async def see_audit(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """All of an audit: seed and population too, so that anybody who may see it draws the sample again."""
    audit, shown, position = await audit_shown(house, actor, request.path_params["audit"], when_of(request))
    return Answer(shown, position, audit.version)


async def audit_shown(house: House, actor: Actor, name: str, when: When = NOW) -> tuple[Audit, dict[str, Any], int]:
    found, rows = await cases.load(house, Audit, name)
    rule = check(actor, "see_audit", Thing() if found is None else Thing(association=found.association))
    if found is None:
        raise NotFound("audit")
    case = cases.Case(found, rule, rows).as_known(when.known)
    audit: Audit = case.state
    on = when.today(house, audit.association)
    drawn = next(event for event in case.events if isinstance(event, Audit.SampleDrawn))
    shown = {
        "audit": audit.name, "association": association_shown(audit.association), "state": audit.state,
        "cycle": drawn.cycle, "drawn_on": drawn.on, "seed": drawn.seed, "share": drawn.share,
        "population": drawn.population, "always": drawn.always, "redrawn": audit.redrawn(drawn),
        "endorsements": [item_shown(audit, number_, on) for number_ in audit.items],
        "version": audit.version,
    }  # fmt: skip
    return audit, shown, case.position


def item_shown(audit: Audit, number_: str, on: date) -> dict[str, Any]:
    """How far an audit has come with one endorsement; `waits_for`: the holder, the coordinator, or nobody."""
    state = audit.items[number_]
    asked = audit.due(number_)
    waits_for = "holder" if asked and on <= asked[1] else "coordinator" if audit.waits(number_) else None
    return {
        "number": number_, "state": state, "why": audit.why.get(number_), "waits_for": waits_for,
        "answer_by": audit.answer_by.get(number_), "remedy": audit.remedy.get(number_),
        "remedy_by": audit.remedy_by.get(number_),
    }  # fmt: skip


async def see_endorsement_audit(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """The open audit of an endorsement, for its holder too: why it was drawn, what is asked, and by when."""
    number_, when = read_number(request.path_params["number"]), when_of(request)
    found = await cases.endorsement(house, actor, number_, known=when.known)
    return Answer({"audit": await open_audit(house, number_, when)}, found.position)


async def _audit_then(house: House, number_: str, known: int) -> str:
    """The audit that was open for an endorsement at a position; it is in one at a time."""
    await views.reach(house, known)
    for row in await house.readers.rows(*audits.of_number(number_)):
        audit = Audit.fold(event for _, event in await house.events_of([f"{Audit.kind}/{row['audit']}"], known))
        if audit and audit.items.get(number_) not in (None, *_DECIDED):
            return audit.name
    return ""


async def open_audit(house: House, number_: str, when: When = NOW) -> dict[str, Any] | None:
    """None while it is in no audit, or the holder was not told yet."""
    if when.known is None:
        name = (await house.wait_for(house.store.holder, f"open_audit/{number_}") or "").partition("/")[2]
    else:
        name = await _audit_then(house, number_, when.known)
    rows = cases.until(await house.events(f"{Audit.kind}/{name}"), when.known) if name else []
    audit = Audit.fold(event for _, event in rows)
    if audit is None or audit.items.get(number_) in (None, "drawn"):
        return None
    drawn = next(event for _, event in rows if isinstance(event, Audit.SampleDrawn))
    shown = item_shown(audit, number_, when.today(house, audit.association))
    return shown | {
        "audit": audit.name, "association": association_shown(audit.association), "cycle": drawn.cycle,
        "told": WHY[audit.why[number_]], "share": drawn.share, "seed": drawn.seed, "drawn_on": drawn.on,
        "population": len(drawn.population),
    }  # fmt: skip


_AUDIT = "mf2wi2lumf2wi2lumf2wi2lumf"
QUESTIONS: tuple[Question, ...] = (
    Question("renewals", "/associations/{code}/renewals", "Renewals due at an association: the countdown, and whose",
             see_renewals, "see_renewals", (LIMIT, CURSOR, POSITION),
             {"active": 412, "attested": 230, "later": 12, "due": 170,
              "ends": [{"through": "2027-12-31", "endorsements": 170}], "endorsements": []}, takes=BOTH),
    Question("audits", "/associations/{code}/audits", "The audits of an association, and what waits for it in them",
             see_audits, "see_audit", (LIMIT, CURSOR, POSITION),
             {"audits": [{"audit": _AUDIT, "cycle": 2027, "state": "open", "population": 230, "sample": 12}],
              "waiting": []}, takes=BOTH),
    Question("audit", "/audits/{audit}", "An audit, with seed and population", see_audit, "see_audit", (),
             {"audit": _AUDIT, "state": "open"}, takes=BOTH),
    Question("endorsement_audit", "/endorsements/{number}/audit", "The audit it is in now, and why it was drawn",
             see_endorsement_audit, "see_endorsement", (),
             {"audit": {"audit": _AUDIT, "state": "noticed", "why": "drawn", "answer_by": "2028-03-31"}}, takes=BOTH),
)  # fmt: skip
