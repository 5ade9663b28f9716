"""Reciprocity as the API tells it: who came to an association and who left it, and the matrix of all."""

from typing import Any

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import Actor, Thing, check
from registry import reciprocity
from registry.api import cases
from registry.api.house import House
from registry.api.openapi import Parameter
from registry.api.past import BOTH, KNOWN, when_of
from registry.api.question import Answer, Question
from registry.exporting import write_rows
from registry.reciprocity import EVER, Matrix, Report


async def report_of(house: House, request: HttpRequest, actor: Actor) -> Report:
    """For the period asked for; the past that counts is the one asked for."""
    code = request.path_params["code"]
    cases.check_association(actor, "see_reciprocity", code)
    when, asked = when_of(request), request.query_params
    on = when.today(house, code)
    from_, through = reciprocity.period(asked.get("from", ""), asked.get("through", ""), on)
    known = EVER if when.known is None else when.known
    return await house.wait_for(reciprocity.report, house.store, code, from_, through, on=on, known=known)


async def see_reciprocity(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found = await report_of(house, request, actor)
    shown: dict[str, Any] = msgspec.to_builtins(found)
    for move in (*shown["came"], *shown["left"]):
        move["links"] = {"proof": f"/log/{move['position']}.tlog-proof",
                         "endorsement": f"/api/endorsements/{move['number']}"}  # fmt: skip
        if move["transfer"]:
            move["links"]["transfer"] = f"/api/transfers/{move['transfer']}"
    return Answer(shown, found.position)


async def see_reciprocity_table(house: House, request: HttpRequest, actor: Actor) -> Response:
    found = await report_of(house, request, actor)
    name = f"reciprocity-{found.association}-{found.from_}-{found.through}.csv"
    return Response(
        write_rows(reciprocity.table(found)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Registry-Position": str(found.position)},
    )


async def matrix_of(house: House, request: HttpRequest, actor: Actor) -> Matrix:
    check(actor, "see_reciprocity", Thing())
    when, asked = when_of(request), request.query_params
    from_, through = reciprocity.period(asked.get("from", ""), asked.get("through", ""), when.today(house, "ALLIANCE"))
    known = EVER if when.known is None else when.known
    return await house.wait_for(reciprocity.matrix, house.store, from_, through, known=known)


async def see_matrix(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found = await matrix_of(house, request, actor)
    return Answer(msgspec.to_builtins(found) | {"total": found.total()}, found.position)


_DAY = {"type": "string", "format": "date"}
_PERIOD = (
    Parameter("from", "First day of the period; a year before the last one by default", "2019-01-01", _DAY),
    Parameter("through", "Last day of the period; today by default", "2026-06-30", _DAY),
)
_MOVE = {
    "number": "IFS-7K3MQ9TD", "category": "IFS", "from": "TX", "to": "CT", "moved_on": "2024-03-20", "position": 4711,
    "by": "coordinator:CT:k1f09c2aa", "why": "transfer", "reported": False, "edition": "FS-2023",
    "edition_there": "FS-2023", "transfer": "orugs4zanfzsa5dimuqgk3tffy", "requested_on": "2024-03-04", "days": 16,
    "word": "confirmed", "lapsed_on": None,
}  # fmt: skip
_PLACE = "/associations/{code}/reciprocity"

QUESTIONS: tuple[Question, ...] = (
    Question("reciprocity", _PLACE, "Who came to an association and who left it, on whose word, under which rules",
             see_reciprocity, "see_reciprocity", _PERIOD, {"came": [_MOVE], "left": [], "open": []}, takes=BOTH),
    Question("reciprocity_table", f"{_PLACE}.csv", "The same as a table", see_reciprocity_table, "see_reciprocity",
             _PERIOD, "(a table)", "text/csv", takes=BOTH),
    Question("reciprocity_matrix", "/reciprocity", "How many moved from which association to which", see_matrix,
             "see_reciprocity", _PERIOD, {"moves": {"TX": {"CT": 3}}, "total": 3}, takes=KNOWN),
)  # fmt: skip
