"""Questions whether other rules would have decided the same: every decision again, within what a request may take."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import anyio
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import Actor, Thing, check
from domain.errors import Invalid
from registry.api import cases
from registry.api.asking import day
from registry.api.house import House
from registry.api.openapi import Parameter
from registry.api.past import PRESENT
from registry.api.problems import Problem
from registry.api.question import Answer, Question
from registry.reconsider.listing import HEADER, rows
from registry.reconsider.reconsideration import Asked, Report, reconsider
from registry.reconsider.rules import SLOTS, VALUES, Changed, Rules, named, read_rules

SECONDS = 4.0
"""Less than a request may take: who asks for more than that is told what to do, and nothing is cut off."""
GIVEN = (*VALUES, "internship_days")
"""Values that a form or an address gives by their own names."""


async def see_reconsideration(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """Findings, whom other rules would have refused, what was corrected since; counts; small groups hidden."""
    report = await reconsidered(house, request.query_params, actor, request)
    return Answer(report.as_dict(), report.position)


async def see_reconsideration_list(house: House, request: HttpRequest, actor: Actor) -> Response:
    """The lists alone, one line for each missing requirement."""
    return as_csv(await reconsidered(house, request.query_params, actor, request))


def as_csv(report: Report) -> Response:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(rows(report))
    return Response(
        out.getvalue(), media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="reconsideration.csv"',
                 "X-Registry-Position": str(report.position)},
    )  # fmt: skip


async def reconsidered(house: House, given: Mapping[str, str], actor: Actor, request: HttpRequest) -> Report:
    """An association asks of its own, the Alliance of all. Raises TooLong, Invalid, Problem."""
    code = given.get("association", "") or actor.association * (actor.role == "coordinator")
    if code:
        cases.check_association(actor, "reconsider", code)
    else:
        check(actor, "reconsider", Thing())
    rules = rules_of(house, given)
    asked = Asked(association=code, since=day(request, "since"), rules=rules)
    if house.reconsidering.borrowed_tokens:
        raise Problem("unavailable", "Decisions are done again for somebody else just now. Ask again in a moment.")
    return await anyio.to_thread.run_sync(_run, house, asked, abandon_on_cancel=True, limiter=house.reconsidering)


def _run(house: House, asked: Asked) -> Report:
    return reconsider(house.settings, house.vault, asked, deadline=SECONDS)


def rules_of(house: House, given: Mapping[str, str]) -> Rules | None:
    """Other rules as an address gives them: an edition, values, or a file's text. Raises Invalid."""
    today = cases.today(house, "ALLIANCE")
    values: dict[str, Any] = {name: _number(name, given[name]) for name in GIVEN if given.get(name)}
    if given.get("degree"):
        values["degree"] = given["degree"]
    if text := given.get("rules", ""):
        if values or given.get("edition"):
            raise Invalid("Give `rules`, or an edition and values by name; not both.", field="rules")
        return read_rules(text, today)
    base = named(given["edition"], today) if given.get("edition") else None
    if not values:
        return base
    slot = given.get("slot", "")
    if slot and slot not in (*SLOTS, "renewal", "reinstatement"):
        raise Invalid(f"Give one of {', '.join(SLOTS)}, renewal or reinstatement, or none for all.", field="slot")
    return Changed({slot: values} if slot else values, base)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Invalid(
            f"Give {name} as a number ({VALUES[name].unit if name in VALUES else 'days'}).", field=name
        ) from (None)


_ASKED = (
    Parameter("association", "Only what this association decided; a coordinator's own", "VA", {"type": "string"}),
    Parameter("since", "Only decisions of this day and later", "2024-01-01", {"type": "string", "format": "date"}),
    Parameter("edition", "Other rules: an edition by name, `today` or a day", "MHS-2025", {"type": "string"}),
    Parameter("slot", "The values below for this slot alone, or of `renewal`, `reinstatement`", "MHS",
              {"enum": [*SLOTS, "renewal", "reinstatement"]}),
    *(Parameter(name, f"Another value: {VALUES[name].unit if name in VALUES else 'days'}", 60, {"type": "number"})
      for name in GIVEN),
    Parameter("degree", "Another level of degree", "master", {"enum": ["any", "cda", "bachelor", "master"]}),
    Parameter("rules", "All of it as one JSON object, as `registry reconsider --rules` reads it", '{"rsc_hours": 60}',
              {"type": "string"}),
)  # fmt: skip
NAMES = tuple(parameter.name for parameter in _ASKED)
_FOUND = {
    "stream": "application/nbswy3dpeb3w64tmmqqho2lumq", "version": 8, "position": 4711, "decision": "award",
    "number": "IMHS-7K3MQ9TB", "on": "2025-03-03", "year": 2025, "association": "VA", "category": "IMHS",
    "edition": "MHS-2025", "differs": {}, "because": [],
    "refusal": {
        "code": "requirements_not_met", "detail": "Still missing under edition MHS-2025, changed: 60 hours of ...",
        "edition": "MHS-2025, changed",
        "missing": [{"requirement": "rsc", "have": 52.0, "need": 60.0, "missing": 8.0, "edition": "MHS-2025, changed",
                     "source": "IN-CAT, MI-RSC", "words": "60 hours of ..."}],
    },
}  # fmt: skip
QUESTIONS: tuple[Question, ...] = (
    Question("reconsideration", "/reconsideration", "Every decision again: by its own rules, and by others",
             see_reconsideration, "reconsider", _ASKED,
             {"position": 4711, "rules": "rsc_hours=60", "decisions": 2, "by_decision": {"submission": 1, "award": 1},
              "imported_left_out": 3, "findings": [], "concerned": 1, "changed": [_FOUND],
              "counts": {"association": {"VA": {"considered": 1, "changed": 1}}}, "groups": {}, "corrected": [],
              "seconds": 0.2}, takes=PRESENT),
    Question("reconsideration_list", "/reconsideration.csv", "The same as a list: a line for each missing requirement",
             see_reconsideration_list, "reconsider", _ASKED, "(the file)", "text/csv", takes=PRESENT),
)  # fmt: skip
