"""The shape of a question's row, and the whole way of a question: who asks, what answers it, how it is said."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import PUBLIC, Actor
from registry.api import past, views
from registry.api.asking import actor_of, number
from registry.api.house import House
from registry.api.openapi import KNOWN, ON, Asked, Parameter
from registry.api.past import Takes, When

_encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """`position`: where in the history it stands; `version`: of the record, for If-Match; `cursor`: where to go on."""

    value: Any
    position: int = 0
    version: int | None = None
    cursor: str = ""
    public: bool = False


Ask = Callable[[House, HttpRequest, Actor], Awaitable[Answer | Response]]


class Question(NamedTuple):
    """`takes`: which past it answers; every question says it, and what it does not take is refused."""

    name: str
    path: str
    says: str
    ask: Ask
    rule: str = ""
    parameters: tuple[Parameter, ...] = ()
    example: Any = None
    media: str = "application/json"
    takes: Takes | None = None

    @property
    def asked(self) -> Asked:
        takes = self.takes or past.PRESENT
        own = [one for one in self.parameters if one.name not in ("known", "on")]
        on = next((one for one in self.parameters if one.name == "on"), ON)
        parameters = (*own, *([on] if takes.on else []), *([KNOWN] if takes.known else []))
        return Asked(self.path, self.says, self.name, self.rule, parameters, self.example, self.media)


async def answered(house: House, question: Question, request: HttpRequest) -> Response:
    """The whole way of a question: who asks, wait for the position, ask, say where the answer stands."""
    actor = await actor_of(house, request) if question.rule else PUBLIC
    await house.know_associations()
    if request.query_params.get("position"):
        await views.wait_for_position(house, number(request, "position", 0, most=1 << 62))
    when = await past.ask(house, request, question.takes or past.PRESENT, question.name)
    answer = await question.ask(house, request, actor)
    if isinstance(answer, Response):
        return answer
    position = answer.position if when.known is None else when.known
    headers = {"X-Registry-Position": str(position)}
    if answer.version is not None:
        headers["ETag"] = f'"{answer.version}"'
    if answer.public and actor is PUBLIC:
        headers["Cache-Control"] = "no-cache"
    if answer.cursor:
        query = urlencode({**request.query_params, "cursor": answer.cursor})
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    if answer.version is not None and request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    value = _dated(answer.value, position, when) if when.asked else answer.value
    return Response(_encode(value), media_type="application/json", headers=headers)


def _dated(value: dict[str, Any], position: int, when: When) -> dict[str, Any]:
    """With what was read up to, and the past that was asked; of the past, nothing of what can be done now."""
    if when.past:
        value = {name: fact for name, fact in value.items() if name != "can"}
    return value | {"position": position} | when.said()
