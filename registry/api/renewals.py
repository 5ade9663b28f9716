"""Questions after the award: which renewals are due at an association and by when, and how far its audits have come."""

from datetime import date
from typing import Any

from starlette.requests import Request as HttpRequest

from domain.access import Actor, Thing, check
from domain.audit import Audit
from domain.editions import renewal_term
from domain.endorsement import Endorsement, read_number
from domain.errors import NotFound
from projections import audits, renewals
from registry.api import cases, views
from registry.api.asking import number
from registry.api.house import House
from registry.api.openapi import CURSOR, LIMIT, POSITION
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
    at = await views.position(house)
    limit = number(request, "limit", 50, most=200)
    shown = await countdown(house, code)
    last = shown["cycle"]["last_day"]
    query = renewals.due(code, shown["on"], last, after=request.query_params.get("cursor", ""), limit=limit + 1)
    rows = await house.readers.rows(*query)
    following = rows[limit - 1]["number"] if len(rows) > limit else ""
    names = await cases.names(house, [row["person"] for row in rows[:limit]])
    shown["endorsements"] = [
        {"number": row["number"], "category": row["category"], "title": category_title(row["category"], code),
         "name": names.get(row["person"]) or None, "through": row["through"], "reminded_on": row["reminded_on"]}
        for row in rows[:limit]
    ]  # fmt: skip
    return Answer(shown, at, cursor=following)


async def countdown(house: House, code: str) -> dict[str, Any]:
    """How many an association holds as active, how many attested for this cycle, and how many lapse on which day.

    `attested`: good beyond this cycle by a renewal here; `later`: good beyond it for another reason, such as an award.
    """
    on = cases.today(house, code)
    term = renewal_term(on, code)
    rows = await house.readers.rows(*renewals.counted(code, on))
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
    code = request.path_params["code"]
    cases.check_association(actor, "see_audit", code)
    at = await views.position(house)
    cursor = request.query_params.get("cursor", "")
    on, before = views.cursor_read(cursor) if cursor else ("", "~")
    limit = number(request, "limit", 20, most=100)
    rows = await audits_of(house, code, date.fromisoformat(on) if on else None, before, limit + 1)
    rows, following = views.cut(rows, limit, lambda last: (last["drawn_on"].isoformat(), last["audit"]))
    return Answer({"audits": rows, "waiting": await audits_waiting(house, code)}, at, cursor=following)


async def audits_of(
    house: House, code: str, before_on: date | None = None, before: str = "~", limit: int = 20
) -> list[dict[str, Any]]:
    query = audits.of_association(code, cases.today(house, code), before=(before_on, before), limit=limit)
    rows = await house.readers.rows(*query)
    return [row | {"links": {"self": f"/api/audits/{row['audit']}"}} for row in rows]


async def audits_waiting(house: House, code: str) -> list[dict[str, Any]]:
    """What waits for the coordinator; a day that is over is the holder's last one."""
    rows = await house.readers.rows(*audits.waiting(code, cases.today(house, code)))
    return [
        {"audit": row["audit"], "number": row["number"], "person": row["person"], "state": row["state"],
         "what": _OURS[row["state"]], "since": row["due"] or row["since"],
         "links": {"self": f"/api/audits/{row['audit']}"}}
        for row in rows
    ]  # fmt: skip


_OURS = {
    "drawn": "send the notice", "noticed": "no answer in time", "submitted": "decide on the evidence",
    "failed": "no remedy in time",
}  # fmt: skip


async def see_audit(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """All of an audit: seed and population too, so that anybody who may see it draws the sample again."""
    audit, shown, position = await audit_shown(house, actor, request.path_params["audit"])
    return Answer(shown, position, audit.version)


async def audit_shown(house: House, actor: Actor, name: str) -> tuple[Audit, dict[str, Any], int]:
    audit, rows = await cases.load(house, Audit, name)
    check(actor, "see_audit", Thing() if audit is None else Thing(association=audit.association))
    if audit is None:
        raise NotFound("audit")
    on = cases.today(house, audit.association)
    drawn = next(event for _, event in rows if isinstance(event, Audit.SampleDrawn))
    shown = {
        "audit": audit.name, "association": association_shown(audit.association), "state": audit.state,
        "cycle": drawn.cycle, "drawn_on": drawn.on, "seed": drawn.seed, "share": drawn.share,
        "population": drawn.population, "always": drawn.always, "redrawn": audit.redrawn(drawn),
        "endorsements": [item_shown(audit, number_, on) for number_ in audit.items],
        "version": audit.version,
    }  # fmt: skip
    return audit, shown, rows[-1][0]


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
    found = await cases.endorsement(house, actor, read_number(request.path_params["number"]))
    state: Endorsement = found.state
    return Answer({"audit": await open_audit(house, state.number)}, found.position)


async def open_audit(house: House, number_: str) -> dict[str, Any] | None:
    """None while it is in no audit, or the holder was not told yet."""
    stream = await house.wait_for(house.store.holder, f"open_audit/{number_}")
    audit, rows = await cases.load(house, Audit, stream.partition("/")[2]) if stream else (None, [])
    if audit is None or audit.items.get(number_) in (None, "drawn"):
        return None
    drawn = next(event for _, event in rows if isinstance(event, Audit.SampleDrawn))
    shown = item_shown(audit, number_, cases.today(house, audit.association))
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
              "ends": [{"through": "2027-12-31", "endorsements": 170}], "endorsements": []}),
    Question("audits", "/associations/{code}/audits", "The audits of an association, and what waits for it in them",
             see_audits, "see_audit", (LIMIT, CURSOR, POSITION),
             {"audits": [{"audit": _AUDIT, "cycle": 2027, "state": "open", "population": 230, "sample": 12}],
              "waiting": []}),
    Question("audit", "/audits/{audit}", "An audit, with seed and population", see_audit, "see_audit", (),
             {"audit": _AUDIT, "state": "open"}),
    Question("endorsement_audit", "/endorsements/{number}/audit", "The audit it is in now, and why it was drawn",
             see_endorsement_audit, "see_endorsement", (),
             {"audit": {"audit": _AUDIT, "state": "noticed", "why": "drawn", "answer_by": "2028-03-31"}}),
)  # fmt: skip
