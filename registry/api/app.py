"""The web application: the JSON API, the static plane, health, and the pages, under one edge."""

import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from domain.access import PUBLIC, Actor, Thing, allowed
from domain.employer import Employer
from domain.event import Event
from domain.person import Person
from registry import database
from registry.api import plane, views
from registry.api.asking import act_of, actor_of, body_of, read
from registry.api.check import LONGEST_UPLOAD, Checker, NotServed
from registry.api.deeds import DEEDS, Deed
from registry.api.edge import Edge
from registry.api.house import House
from registry.api.problems import KINDS, Problem, problem_of
from registry.api.question import Question, answered
from registry.api.questions import QUESTIONS, problem_for_unknown_path, proof_of
from registry.api.roster_checks import check_roster
from registry.api.shown import event_shown, links, shown_once
from registry.commands import Registry
from registry.log.published import CHECKPOINT
from registry.opening import open_registry
from registry.settings import Settings
from registry.store import Recorded
from registry.vault import Clock, now
from verifier.verdict import VERDICTS

log = logging.getLogger("registry.requests")

_encode = msgspec.json.Encoder().encode
Endpoint = Callable[[HttpRequest], Awaitable[Response]]

_PLANE: Final = (
    "/.well-known/did.json", "/status/did.json", "/keys.json", "/s/{file}", "/checkpoint", "/witnesses",
    "/tile/{file:path}", "/v1", "/v1.html", "/status/revocation/{file}", "/achievements/{file}",
    "/associations/{file}", "/v1-worker.js", "/kit.html",
)  # fmt: skip


def create_app(settings: Settings, *, registry: Registry | None = None, clock: Clock = now) -> Starlette:
    """The application of one process. Nothing connects before the first request needs it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        house = House(settings, registry or open_registry(settings, clock=clock), clock=clock)
        app.state.house = house
        try:
            yield
        finally:
            await house.close()
            if registry is None:
                house.store.close()
                house.vault.close()

    checker = Checker(settings.static)
    from registry.pages.app import page_of_problem, pages  # noqa: PLC0415 # the pages use the API's parts

    routes = [
        *(
            Route(f"/api{deed.path}", _api(settings, partial(_do, deed)), methods=["POST"], name=deed.name)
            for deed in DEEDS
        ),
        *(
            Route(f"/api{question.path}", _api(settings, partial(_ask, question)), name=question.name)
            for question in QUESTIONS
        ),
        Route("/api/check", _api(settings, partial(_check, checker)), methods=["POST"], name="check"),
        Route("/api/roster-checks", _api(settings, check_roster), methods=["POST"], name="check_roster"),
        Route("/log/{position}.tlog-proof", _api(settings, _proof), name="proof"),
        Route("/health", _health, name="health"),
        Route("/ready", _ready, name="ready"),
        *pages(settings, checker),
        *(Route(path, _file, name="plane") for path in _PLANE),
    ]

    async def unknown(request: HttpRequest, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        problem = (
            Problem("method_not_allowed", "This address takes another method.", headers=dict(error.headers or {}))
            if status == 405 and isinstance(error, HTTPException)  # noqa: PLR2004 # the status says it
            else problem_for_unknown_path()
        )
        return refuse_request(request.scope, problem)

    def refuse_request(scope: Scope, problem: Problem) -> Response:
        if scope["path"].startswith(("/api/", "/log/", "/health", "/ready")):
            return problem.response(settings.public_host)
        return page_of_problem(settings, scope, problem)

    def refuse(scope: Scope, problem: Problem) -> ASGIApp:
        return refuse_request(scope, problem)

    return Starlette(
        routes=routes,
        middleware=[Middleware(Edge, refuse=refuse)],
        exception_handlers={HTTPException: unknown},
        lifespan=lifespan,
    )


def _api(settings: Settings, endpoint: Endpoint) -> Endpoint:
    """Every refusal as a problem, told in the light of what the request said."""

    async def answer(request: HttpRequest) -> Response:
        try:
            return await endpoint(request)
        except TimeoutError:
            raise
        except Exception as error:
            problem = problem_of(
                error,
                if_match="if-match" in request.headers,
                anonymous="authorization" not in request.headers,
            )
            if problem.kind.code == "internal":
                raise  # the edge logs it
            return problem.response(settings.public_host)

    return answer


async def _do(deed: Deed, request: HttpRequest) -> Response:
    """A deed: who, what, once; then what it recorded."""
    house: House = request.app.state.house
    actor = await actor_of(house, request)
    body = await body_of(request, deed.body)
    act = act_of(house, request, actor, body)
    recorded = await house.wait_for(house.perform, deed, act, list(request.path_params.values()), body)
    value = await recorded_shown(house, actor, recorded)
    if recorded.secret:
        value["shown_once"] = shown_once(deed.name, recorded.secret, house.settings.public_host)
    headers = {"X-Registry-Position": str(recorded.position)}
    if recorded.events:
        main = recorded.events[0].originator_id
        version = max(event.originator_version for event in recorded.events if event.originator_id == main)
        headers |= {"ETag": f'"{version}"', "Location": next(iter(value["links"].values()), request.url.path)}
    if recorded.repeated:
        headers["Idempotency-Replayed"] = "true"
    status = 201 if recorded.events else 200
    return Response(_encode(value), status, media_type="application/json", headers=headers)


async def recorded_shown(house: House, actor: Actor, recorded: Recorded) -> dict[str, Any]:
    """The answer to a deed, rebuilt from its events: a repeated request gets the same."""
    events: list[Event] = await house.wait_for(house.vault.open_all, recorded.events) if recorded.events else []
    shown = []
    for position, event in zip(recorded.positions, events, strict=True):
        sees = await house.wait_for(_sight, house, actor, event) if event.originator_id.startswith("person/") else ()
        if event.originator_id.startswith(f"{Employer.kind}/") and actor.role == "employer":
            sees = ("identity", "contact")  # it acts on nothing but its own
        shown.append(event_shown(position, event, sees))
    return {"position": recorded.position, "events": shown, "links": links(events)}


def _sight(house: House, actor: Actor, event: Event) -> Any:
    person = house.store.get(Person, event.originator_id.partition("/")[2])
    whose = Thing(person=person.name, association=house.registry.association_of(person, actor))
    rule = allowed(actor, "see_person", whose)
    return rule.sees if rule else ()


async def _ask(question: Question, request: HttpRequest) -> Response:
    return await answered(request.app.state.house, question, request)


async def _check(checker: Checker, request: HttpRequest) -> Response:
    """A certificate's text, picture or PDF as the body."""
    content = await read(request, LONGEST_UPLOAD)
    house: House = request.app.state.house
    try:
        report = await house.check(checker, content)
    except NotServed:
        raise Problem("unavailable", VERDICTS["cannot_check"].en.sentence) from None
    return Response(_encode(report), media_type="application/json")


async def _proof(request: HttpRequest) -> Response:
    position = request.path_params["position"]
    if not position.isdecimal() or len(position) > 18:  # noqa: PLR2004 # digits of a bigint
        raise problem_for_unknown_path()
    house: House = request.app.state.house
    from registry.pages.app import visitor  # noqa: PLC0415 # a page links to it, with its session

    actor = await actor_of(house, request)
    if actor is PUBLIC:
        actor = await visitor(house, request)
    return await proof_of(house, actor, int(position))


async def _file(request: HttpRequest) -> Response:
    house: House = request.app.state.house
    return await plane.hand_out(house.settings.static, request.url.path.lstrip("/"), request)


async def _health(request: HttpRequest) -> Response:  # noqa: ARG001 # the process answers, that is all
    return Response(_encode({"status": "ok"}), media_type="application/json")


async def _ready(request: HttpRequest) -> Response:
    """Whether it can do its work, and if not, why."""
    house: House = request.app.state.house
    reasons = await readiness(house)
    status = 503 if reasons else 200
    headers = {"Retry-After": "2"} if reasons else {}
    value = {"status": "not ready" if reasons else "ready", "reasons": reasons}
    return Response(_encode(value), status, media_type="application/json", headers=headers)


_LAG = 1000
_PLANE_AGE = 13 * 3600


async def readiness(house: House) -> list[dict[str, str]]:
    reasons = []

    def not_ready(what: str, why: str) -> None:
        reasons.append({"what": what, "why": why})

    try:
        if not await house.wait_for(database.is_migrated, house.settings):
            not_ready("store", "The database is not of this version. Run `registry migrate`.")
        else:
            lag = await views.lag(house)
            if lag > _LAG:
                not_ready("views", f"They are {lag} events behind. Is `registry work` running?")
    except database.NotMigrated:
        not_ready("views", "There are none yet. Run `registry work`.")
    except (database.Unavailable, TimeoutError):
        not_ready("store", "The database does not answer.")
    try:
        house.keys.signer("certificate", house.clock())
    except Exception:  # noqa: BLE001 # whatever it is, it can't sign
        not_ready("keys", "No key can sign certificates. Run `registry keys init`.")
    static = house.settings.static
    if not _is_published(static / CHECKPOINT):
        not_ready("plane", "Nothing is published. Is `registry work` running?")
    with suppress(FileNotFoundError):  # no certificate yet, no list
        age = time.time() - (static / "s" / "1").stat().st_mtime
        if age > _PLANE_AGE:
            not_ready("plane", f"The status lists are {age / 3600:.0f} hours old. Is `registry work` running?")
    with suppress(OSError, ValueError, KeyError, TypeError):
        alarm = json.loads(house.settings.alarm.read_bytes())
        not_ready("publication", f"Nothing is published since {alarm['since']}: {alarm['why']}.")
    return reasons


def _is_published(checkpoint: Path) -> bool:
    """The checkpoint goes out last of all, but for the first of a log, of no events, which goes out before anything."""
    return checkpoint.is_file() and checkpoint.read_text().split("\n")[1:2] != ["0"]


def problem_kinds() -> dict[str, Any]:
    return dict(KINDS)
