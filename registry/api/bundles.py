"""Bundles over HTTP: what `registry bundle` writes, for whoever asks and as far as they may see it."""

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import Actor
from domain.endorsement import read_number
from registry import bundle, database
from registry.api.asking import day
from registry.api.house import House
from registry.api.openapi import Parameter
from registry.api.past import PRESENT
from registry.api.question import Question
from registry.bundle import DEED, MEDIA, Asked, Bundle

_MOST = 5_000
"""Events of one answer: what is larger takes longer than a request may, and `registry bundle` writes it."""


async def see_number_bundle(house: House, request: HttpRequest, actor: Actor) -> Response:
    return await _bundle(house, actor, Asked(number=read_number(request.path_params["number"])))


async def see_person_bundle(house: House, request: HttpRequest, actor: Actor) -> Response:
    return await _bundle(house, actor, Asked(person=request.path_params["person"]))


async def see_association_bundle(house: House, request: HttpRequest, actor: Actor) -> Response:
    asked = Asked(association=request.path_params["code"].upper(), first=day(request, "from"), last=day(request, "to"))
    return await _bundle(house, actor, asked)


async def _bundle(house: House, actor: Actor, asked: Asked) -> Response:
    made = await house.wait_for(_take, house, actor, asked)
    of = asked.number or asked.person or f"{asked.association}-{asked.first}-{asked.last}"
    if made.opened and actor.role != "holder":  # who takes their own
        # What can't be noted is not shown.
        await house.note_access(actor, asked.record, DEED)
    headers = {"Content-Disposition": f'attachment; filename="{of}.bundle.json"', "X-Registry-Position": str(made.size)}
    return Response(made.content, media_type=MEDIA, headers=headers)


def _take(house: House, actor: Actor, asked: Asked) -> Bundle:
    with database.connection(database.url(house.settings, "reader")) as connection:
        return bundle.take(
            house.registry, house.keys, house.published(), connection, actor, asked, most=_MOST, search=False
        )


_DAYS = tuple(
    Parameter(name, f"The {words} day of the period", day, {"type": "string", "format": "date"}, required=True)
    for name, words, day in (("from", "first", "2026-01-01"), ("to", "last", "2026-06-30"))
)
QUESTIONS: tuple[Question, ...] = (
    Question("endorsement_bundle", "/endorsements/{number}/bundle", "Its whole case as a file that proves itself",
             see_number_bundle, DEED, (), "(the bundle)", MEDIA, takes=PRESENT),
    Question("person_bundle", "/people/{person}/bundle", "Their whole history as a file that proves itself",
             see_person_bundle, DEED, (), "(the bundle)", MEDIA, takes=PRESENT),
    Question("association_bundle", "/associations/{code}/bundle",
             "Its cases with something in a period, as a file that proves itself", see_association_bundle, DEED, _DAYS,
             "(the bundle)", MEDIA, takes=PRESENT),
)  # fmt: skip
