"""The pages: what a visitor sees, and the forms that post to the same deeds as the API."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, get_args
from urllib.parse import urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from domain.access import PUBLIC, SCOPES, Actor, Role, Thing, allowed, check, rows_of
from domain.application import Application
from domain.category import CATEGORIES, SLOT_TITLES
from domain.editions import next_due, renewal_window
from domain.endorsement import Endorsement, read_number
from domain.errors import Forbidden, Invalid, NotFound, NotInForce, Refused
from domain.event import Request
from domain.exam import Exam
from domain.person import Person
from domain.reference import Reference
from domain.rules import CODES, Section, in_force
from domain.transfer import Transfer
from registry.api import cases, openapi, past, reconsidering, views
from registry.api import reciprocity as reciprocal
from registry.api import renewals as aftercare
from registry.api.asking import canonical, day
from registry.api.associations import known_rows
from registry.api.bundles import see_association_bundle, see_number_bundle, see_person_bundle
from registry.api.check import LONGEST_UPLOAD, Checker, NotServed, unserved
from registry.api.deeds import BY_NAME, DEEDS, Deed
from registry.api.house import House
from registry.api.past import Takes, when_of
from registry.api.problems import KINDS, Problem, problem_of
from registry.api.questions import (
    QUESTIONS,
    certificate_file,
    certificates_shown,
    endorsements_of,
    letters_shown,
    provider_search,
    register_search,
    see_letter,
)
from registry.api.shown import (
    application_shown,
    endorsement_shown,
    event_shown,
    exam_shown,
    person_shown,
    shown_once,
    transfer_shown,
)
from registry.api.standings import endorsement_then, endorsements_then
from registry.commands import Act, thing_of
from registry.pages import employers, forms, rating, rosters, sharing
from registry.pages.forms import Typed
from registry.pages.render import asset, language_of, page
from registry.reconsider.groups import lines
from registry.reconsider.reconsideration import Report, TooLong
from registry.reconsider.rules import EDITION_NAMES, SLOTS
from registry.settings import Settings

log = logging.getLogger("registry.requests")

Show = Callable[[House, HttpRequest, Actor], Awaitable[Response]]
_LONGEST_FORM = 64 << 10
_COOKIE = "registry"
_MOST_SHOWN = 200


async def visitor(house: House, request: HttpRequest) -> Actor:
    """Whose session it is; the public without one."""
    secret = request.cookies.get(_cookie(request), "")
    actor = await house.enter(house.desk.by_session, secret) if secret else None
    return actor or PUBLIC


def _cookie(request: HttpRequest) -> str:
    return f"__Host-{_COOKIE}" if request.url.scheme == "https" else _COOKIE


OWN_DAY = Takes(known=False, on=True, instead=past.DAY.instead)
"""Of pages with a field of their own for the day, which say beside it what is wrong with it."""


def pages(settings: Settings, checker: Checker) -> list[Route]:
    """Where each page and each form is; the first that fits an address answers."""
    routes: list[Route] = []

    def route(path: str, show: Show, method: str = "GET", *, public: bool = False, takes: Takes = past.PRESENT) -> None:
        """`takes`: which past the page shows; it refuses what it does not."""
        shown = _page(settings, show, public=public, takes=takes)
        routes.append(Route(path, shown, methods=[method], name=show.__name__))

    route("/", home, public=True)
    route("/register", register, public=True, takes=past.BOTH)
    route("/rsc-providers", providers, public=True, takes=OWN_DAY)
    route("/endorsements/{number}", endorsement, takes=past.BOTH)
    route("/endorsements/{number}/certificates/{cti}/{file}", certificate)
    route("/endorsements/{number}/bundle", see_number_bundle)
    route("/people/{person}", person, takes=past.BOTH)
    route("/people/{person}/bundle", see_person_bundle)
    route("/applications/{application}", application, takes=past.KNOWN)
    route("/applications/{application}/letters/{cti}/{file}", see_letter)
    route("/transfers/{transfer}", transfer, takes=past.KNOWN)
    route("/audits/{audit}", audit, takes=past.BOTH)
    route("/associations/{code}/audits", audits, takes=past.BOTH)
    route("/associations/{code}/renewals", renewals, takes=past.BOTH)
    route("/associations/{code}/reciprocity", reciprocity, takes=past.BOTH)
    route("/reciprocity", matrix, takes=past.KNOWN)
    route("/associations/{code}/bundle", see_association_bundle)
    route("/today", today, takes=past.BOTH)
    route("/reconsider", reconsider)
    route("/reconsider.csv", reconsider_list)
    route("/find", find, "POST")
    route("/reviews", reviews, takes=past.REPLAYED)
    route("/exams", exams, takes=past.REPLAYED)
    route("/exams/{exam}", exam, takes=past.KNOWN)
    route("/enter/{token}", see_entry)
    route("/enter/{token}", enter, "POST")
    route("/leave", leave, "POST")
    route("/v1/check", see_check, public=True)
    routes.append(Route("/v1/check", partial(check_certificate, checker), methods=["POST"], name="check_page"))
    for path, show in (
        ("/employers", employers.see_employers),
        ("/employers/{employer}", employers.employer),
        ("/people/{person}/shares", sharing.see_shares),
        ("/shared/{code}", sharing.see_shared),
    ):
        route(path, show, public=show is sharing.see_shared)
    for method, path, show in rosters.ROUTES:
        route(path, show, method, public=True)
    route("/references/{reference}", reference, takes=past.KNOWN)
    for path, show, method in (
        ("/rate", rating.see_rate, "GET"),
        ("/rate", rating.open_rating, "POST"),
        ("/rate/answers", rating.give_rating, "POST"),
        ("/rate/declined", rating.decline, "POST"),
        ("/rate/given", rating.see_thanks, "GET"),
        ("/rate/declined", rating.see_thanks, "GET"),
    ):
        route(path, show, method, public=True)
    route("/api", api_page, public=True)
    route("/access", access_page, public=True)
    route("/rules", rules_page, public=True, takes=OWN_DAY)
    route("/problems", problems_page, public=True)
    route("/problems/{code}", problem_page, public=True)
    routes += [
        # Not a partial: the name shows in logs.
        Route(deed.path, _page(settings, _doing(deed)), methods=["POST"], name=f"page_{deed.name}")
        for deed in DEEDS
    ]
    return [*routes, Route("/assets/{file}", asset, name="asset")]


def _page(
    settings: Settings, show: Show, *, public: bool = False, takes: Takes = past.PRESENT
) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def answer(request: HttpRequest) -> Response:
        house: House = request.app.state.house
        actor = PUBLIC
        try:
            if not public or _cookie(request) in request.cookies:
                actor = await visitor(house, request)
                request.state.actor = actor
                await house.know_associations()
            if takes is OWN_DAY:
                past.refuse(request, takes)
            else:
                await past.ask(house, request, takes, show.__name__)
                request.state.takes = takes
            return await show(house, request, actor)
        except TimeoutError:
            raise
        except Exception as error:
            problem = problem_of(error, anonymous=actor is PUBLIC)
            if problem.kind.code == "internal":
                raise
            return page_of_problem(settings, request.scope, problem)

    return answer


def page_of_problem(settings: Settings, scope: Scope, problem: Problem) -> Response:
    """A refusal as a page that says what to do next; it needs no database."""
    request = HttpRequest(scope)
    answer = page(settings, request, "problem.html", problem=problem, status=problem.kind.status)
    answer.headers.update({name: value for name, value in problem.headers.items() if name != "WWW-Authenticate"})
    return answer


# --- for everybody


async def home(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    return page(house.settings, request, "home.html")


async def register(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    await house.know_associations()
    asked = {name: request.query_params.get(name, "") for name in ("name", "number", "category", "association")}
    wrong: Invalid | None = None
    rows: list[dict[str, Any]] | None = None
    cursor = ""
    try:
        search = register_search(asked)
        after = request.query_params.get("cursor", "")
        rows, cursor, _ = await views.register(house, search, 20, after, when_of(request))
    except Invalid as refused:
        wrong = refused
    kept = {name: value for name in ("known", "on") if (value := request.query_params.get(name))}
    following = urlencode({**{k: v for k, v in asked.items() if v}, **kept, **_lang(request), "cursor": cursor})
    return page(
        house.settings, request, "register.html", asked=asked, rows=rows, wrong=wrong,
        following=f"/register?{following}" if cursor else "", searched=any(asked.values()),
        paged="cursor" in request.query_params, status=422 if wrong else 200,
    )  # fmt: skip


async def providers(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    """The list, and whether an hour with one of them, or with anybody whose number is known, counts."""
    await house.know_associations()
    asked = {name: request.query_params.get(name, "") for name in ("association", "language", "remote", "number", "on")}
    wrong: Refused | None = None
    rows: list[dict[str, Any]] = []
    judged: dict[str, Any] | None = None
    cursor = ""
    try:
        search = provider_search(asked)
        rows, cursor, _ = await views.rsc_providers(house, search, 20, request.query_params.get("cursor", ""))
        if asked["number"]:
            on = day(request) or cases.today(house, search["association"] or "ALLIANCE")
            asked["on"] = on.isoformat()
            judged = await house.wait_for(house.registry.rsc_provider, asked["number"], on, search["association"])
    except (Invalid, NotFound) as refused:
        wrong = refused
    looked = {k: v for k, v in asked.items() if v and k in ("association", "language", "remote")}
    following = urlencode({**looked, **_lang(request), "cursor": cursor})
    return page(
        house.settings, request, "providers.html", asked=asked, rows=rows, wrong=wrong, judged=judged,
        following=f"/rsc-providers?{following}" if cursor else "", searched=any(asked.values()),
        paged="cursor" in request.query_params,
        status=200 if wrong is None else 404 if isinstance(wrong, NotFound) else 422,
    )  # fmt: skip


def _lang(request: HttpRequest) -> dict[str, str]:
    return {"lang": request.query_params["lang"]} if "lang" in request.query_params else {}


async def see_check(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    return page(house.settings, request, "check.html", report=None, wrong="", text="")


async def check_certificate(checker: Checker, request: HttpRequest) -> Response:
    """Answered from the plane's files alone; what was sent is forgotten with the answer."""
    house: House = request.app.state.house
    if int(request.headers.get("content-length") or 0) > LONGEST_UPLOAD:
        raise Problem("too_large", f"Choose a file of at most {LONGEST_UPLOAD >> 20} MB.")
    try:
        async with request.form(max_files=1, max_fields=4, max_part_size=_LONGEST_FORM) as form:
            file, text = form.get("file"), form.get("text")
            content = b""
            if isinstance(file, UploadFile):
                content = await file.read(LONGEST_UPLOAD + 1)
            if not content and isinstance(text, str):
                content = text.strip().encode()
    except MultiPartException:
        raise Problem("malformed", "The form could not be read. Send it again.") from None
    if len(content) > LONGEST_UPLOAD:
        raise Problem("too_large", f"Choose a file of at most {LONGEST_UPLOAD >> 20} MB.")
    lang = language_of(request)
    if not content:
        return page(house.settings, request, "check.html", report=None, wrong="check_none", text="", status=422)
    try:
        report = await house.check(checker, content)
    except NotServed:
        report = unserved(house.clock())
    shown = report | {"sentence": report["sentences"][lang]}
    served = report["verdict"] != "cannot_check"
    answer = page(house.settings, request, "check.html", report=shown, wrong="", text="", status=200 if served else 503)
    if not served:
        answer.headers["Retry-After"] = "30"
    return answer


async def api_page(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    document = openapi.document(house.settings.public_host, [question.asked for question in QUESTIONS])
    return page(house.settings, request, "api.html", document=document)


async def access_page(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    asked, wrong = request.query_params.get("role", ""), None
    try:
        rules = rows_of(asked)
    except Invalid as refused:
        rules, wrong = [], refused
    return page(
        house.settings, request, "access.html", rules=rules, asked=asked, wrong=wrong, roles=get_args(Role),
        scopes=SCOPES, status=422 if wrong else 200,
    )  # fmt: skip


async def rules_page(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    asked = {name: request.query_params.get(name, "") for name in ("category", "association", "on")}
    wrong: Refused | None = None
    sections: list[Section] = []
    try:
        on = day(request) or cases.today(house, "ALLIANCE")
        asked["on"] = on.isoformat()
        sections = in_force(asked["category"], on, asked["association"], known_rows())
    except (Invalid, NotInForce) as refused:
        wrong = refused
    return page(
        house.settings, request, "rules.html", sections=sections, asked=asked, wrong=wrong, codes=CODES,
        status=422 if wrong else 200,
    )  # fmt: skip


async def problems_page(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    return page(house.settings, request, "problems.html", kinds=list(KINDS.values()))


async def problem_page(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    kind = KINDS.get(request.path_params["code"])
    if kind is None:
        raise NotFound("problem of this name")
    return page(house.settings, request, "problems.html", kinds=[kind])


# --- coming and going


async def see_entry(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    """Only a button: programs that open every link of a mail don't use it up."""
    invited = await house.wait_for(house.desk.entry, request.path_params["token"])
    status = 200 if invited else 410
    return page(house.settings, request, "enter.html", invited=invited, status=status)


async def enter(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    secret = await house.wait_for(house.desk.enter, request.path_params["token"])
    if secret is None:
        return page(house.settings, request, "enter.html", invited=None, status=410)
    answer = RedirectResponse("/today", 303)
    answer.set_cookie(
        _cookie(request), secret, path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return answer


async def leave(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    await house.wait_for(house.desk.leave, request.cookies.get(_cookie(request), ""))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(
        _cookie(request), path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return answer


# --- cases


async def endorsement(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    number, when = read_number(request.path_params["number"]), when_of(request)
    found = None
    if actor is not PUBLIC:
        found = await cases.case_or_none(cases.endorsement(house, actor, number, known=when.known))
    if found is None:
        shown, _ = await views.public_endorsement(house, number, when)
        return page(
            house.settings, request, "endorsement_public.html", number=number, shown=shown,
            status=200 if shown else 404,
        )  # fmt: skip
    state: Endorsement = found.state
    on = when.today(house, state.custodian)
    history = []
    if seen := await cases.case_or_none(cases.endorsement(house, actor, number, deed="see_history", known=when.known)):
        await cases.confidential(house, actor, "see_history", state.stream, state.person)
        history = history_of(await cases.whole_history(house, seen, when.known))
    audited = await aftercare.open_audit(house, number, when)
    shown_forms: list[forms.Form] = []
    if not when.asked:
        thing = thing_of(state)
        shown_forms = forms.for_endorsement(actor, thing, state, on, typed)
        if audited and audited["state"] in ("noticed", "submitted", "failed"):
            shown_forms = [*forms.evidence(actor, thing, audited["audit"], number, typed), *shown_forms]
    issued = await cases.case_or_none(cases.endorsement(house, actor, number, deed="see_certificate", known=when.known))
    names = await cases.names(house, [state.person])
    return page(
        house.settings, request, "endorsement.html",
        shown=endorsement_then(house, state, found.rows, when), name=names.get(state.person, ""), history=history,
        certificates=certificates_shown(issued) if issued else [], forms=shown_forms, audited=audited,
        imported=state.imported, window=None if when.asked else _window(state, on),
        may_see_person=_may_see(actor, state.person, state.custodian),
        status=422 if typed else 200,
    )  # fmt: skip


def _window(state: Endorsement, on: date) -> tuple[date, date] | None:
    """When an active one can be renewed, if that is not now."""
    opens, last = renewal_window(on, state.custodian)
    if state.through > last and opens <= on:
        opens, last = renewal_window(next_due(last, state.custodian), state.custodian)
    return (opens, last) if state.standing(on) == "active" and on < opens else None


def _may_see(actor: Actor, person_: str, association: str) -> bool:
    return allowed(actor, "see_person", Thing(person=person_, association=association)) is not None


def history_of(found: cases.Case) -> list[dict[str, Any]]:
    """Newest first, as the history table shows it."""
    rows = []
    own = getattr(found.state, "stream", "")
    first = min((position for position, event in found.rows if event.originator_id == own), default=0)
    for position, event in reversed(found.rows):
        shown = event_shown(position, event, found.rule.sees)
        shown["there"] = position >= first > 0
        facts = dict(shown["facts"])
        source = facts.pop("source", None)
        shown["source"] = source
        shown["reported_by"] = (facts.get("association") or getattr(found.state, "custodian", "")) if source else ""
        shown["edition"] = facts.pop("edition", "")
        shown["draft"] = facts.pop("draft", False)
        shown["facts"] = flat(facts)
        rows.append(shown)
    return rows


# Ids, and what other columns say, tell a reader nothing.
_HIDDEN = frozenset({
    "person", "number", "cti", "replaces", "person_version", "tally", "entries", "application", "transfer", "kid",
    "valid_from", "expires_at", "providers", "proposed_by",
})  # fmt: skip


def flat(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Facts as pairs for a table; ids say nothing to a reader."""
    found: list[tuple[str, Any]] = []
    for name, value in facts.items():
        if name in _HIDDEN or value in ("", None, [], (), {}):
            continue
        if isinstance(value, dict):
            found += flat(value)
        else:
            found.append((name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else value))
    return found


async def certificate(house: House, request: HttpRequest, actor: Actor) -> Response:
    number, cti, file = (request.path_params[name] for name in ("number", "cti", "file"))
    found = await cases.endorsement(house, actor, number, deed="see_certificate")
    return await certificate_file(house, actor, found, cti, file)


async def person(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    when = when_of(request)
    found = await cases.person(house, actor, request.path_params["person"], known=when.known)
    if when.asked:
        return await _person_then(house, request, actor, found)
    state: Person = found.state
    thing = Thing(person=state.name, association=await cases.association_of(house, state, actor))
    on = cases.today(house, state.residence)
    endorsements = await endorsements_of(house, state.name)
    open_application = await house.wait_for(house.store.holder, f"open_application/{state.name}")
    applied: Application | None = None
    if open_application:
        applied, _ = await cases.load(house, Application, open_application.partition("/")[2])
    category = request.query_params.get("category") or (applied.category if applied else "")
    missing, wrong = None, ""
    if category in CATEGORIES:
        try:
            missing = await cases.missing(house, state, category, on)
        except NotInForce as refused:
            wrong = refused.message
    others = [row for row in await views.applications_of(house, state.name) if not applied or row["id"] != applied.name]
    transfers = [
        name for e in endorsements if (name := await house.wait_for(house.store.holder, f"open_transfer/{e.number}"))
    ]
    return page(
        house.settings, request, "person.html",
        shown=person_shown(state, found.events, found.rule.sees),
        endorsements=[endorsement_shown(e, cases.today(house, e.custodian)) for e in endorsements],
        application=application_shown(applied, actor) if applied else None, applications=others,
        transfers=sorted({name.partition("/")[2] for name in transfers}),
        category=category, missing=missing, missing_wrong=wrong, references=await _references(house, actor, state.name),
        forms=forms.for_person(actor, thing, state, endorsements, on, typed),
        entry_forms={name: forms.for_entry(actor, thing, state, name, typed) for name in state.entries},
        own=state.name in actor.people, on=on, status=422 if typed else 200,
    )  # fmt: skip


async def _person_then(house: House, request: HttpRequest, actor: Actor, found: cases.Case) -> Response:
    """A record as it was: what was open then, and what was missing, is on the pages of the cases."""
    when, state = when_of(request), found.state
    return page(
        house.settings, request, "person.html",
        shown=person_shown(state, found.events, found.rule.sees),
        endorsements=await endorsements_then(house, state.name, when), application=None, applications=[], transfers=[],
        category="", missing=None, missing_wrong="", references=await _references(house, actor, state.name, when.known),
        forms=[], entry_forms=dict.fromkeys(state.entries, ()), own=state.name in actor.people,
        on=when.today(house, state.residence),
    )  # fmt: skip


async def application(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    when = when_of(request)
    found = await cases.application(house, actor, request.path_params["application"], known=when.known)
    state: Application = found.state
    row = known_rows()[state.association]
    on = when.today(house, state.association)
    names = await cases.names(house, [state.person])
    missing = None if when.past else await cases.missing_for(house, state, on)
    applicant = (await cases.load(house, Person, state.person))[0] if missing else None
    shows = await cases.covered(house, applicant, state.category, on) if applicant else None
    catalogue = await house.wait_for(house.registry.catalogue, state.association)
    return page(
        house.settings, request, "application.html",
        shown=application_shown(state, actor, found.hidden, row.reviewers), name=names.get(state.person, ""),
        needed=row.reviewers, handed_in=await cases.handed_in(house, found, when.known),
        history=history_of(found), forms=[] if when.past else forms.for_application(
            actor, thing_of(state), state, row.reviewers, typed, on,
            catalogue.areas_for(CATEGORIES[state.category].slot),
        ),
        shows=shows, labels={area.code: area.label for area in catalogue.areas},
        texts={area.code: area.text for area in catalogue.areas if area.text},
        may_see_person=_may_see(actor, state.person, state.association), missing=missing,
        letters=letters_shown(state) if allowed(actor, "see_letter", thing_of(state)) else [],
        status=422 if typed else 200,
    )  # fmt: skip


async def reference(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    known = when_of(request).known
    found, shown = await cases.reference(house, actor, request.path_params["reference"], known=known)
    state: Reference = found.state
    names = await cases.names(house, [state.person])
    return page(
        house.settings, request, "reference.html", shown=shown, own=actor.person == state.person,
        applicant=names.get(state.person, ""),
        forms=[] if known else forms.for_reference(actor, thing_of(state), state, typed),
        status=422 if typed else 200,
    )  # fmt: skip


async def _references(
    house: House, actor: Actor, person_: str, known: int | None = None
) -> list[dict[str, Any]] | None:
    """What the visitor may see of a person's references; None where there is nothing for them."""
    try:
        found = await cases.references(house, actor, person_, known=known)
    except Forbidden:
        return None
    return [(await cases.reference(house, actor, one.name, known=known))[1] for one in found]


async def transfer(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    known = when_of(request).known
    found = await cases.transfer(house, actor, request.path_params["transfer"], known=known)
    state: Transfer = found.state
    names = await cases.names(house, [state.person])
    return page(
        house.settings, request, "transfer.html",
        shown=transfer_shown(state), name=names.get(state.person, ""), history=history_of(found),
        forms=[] if known else forms.for_transfer(actor, thing_of(state), state, typed), status=422 if typed else 200,
    )  # fmt: skip


async def audit(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    when = when_of(request)
    state, shown, _ = await aftercare.audit_shown(house, actor, request.path_params["audit"], when)
    ours = [item["number"] for item in shown["endorsements"] if item["waits_for"] == "coordinator"]
    chosen = request.path_params.get("number") or request.query_params.get("number") or next(iter(ours), "")
    if chosen not in state.items:
        chosen = ""
    on = cases.today(house, state.association)
    return page(
        house.settings, request, "audit.html", shown=shown, chosen=chosen,
        forms=[] if when.asked else forms.for_audit(
            actor, Thing(association=state.association), state, chosen, on, typed
        ),
        status=422 if typed else 200,
    )  # fmt: skip


async def audits(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    code, when = request.path_params["code"], when_of(request)
    cases.check_association(actor, "see_audit", code)
    await views.reach(house, when.known)
    form, draw = None, BY_NAME["draw_audit"]
    if not when.asked and allowed(actor, draw.access, Thing(association=code)):
        form = forms.make(actor, draw, {"code": code}, typed=typed)
    waiting = await aftercare.audits_waiting(house, code, when)
    return page(
        house.settings, request, "audits.html", row=known_rows()[code],
        rows=await aftercare.audits_of(house, code, when=when), waiting=waiting, form=form,
        names=await cases.names(house, [row["person"] for row in waiting]),
        status=422 if typed else 200,
    )  # fmt: skip


async def renewals(house: House, request: HttpRequest, actor: Actor) -> Response:
    answer = await aftercare.see_renewals(house, request, actor)
    return page(
        house.settings, request, "renewals.html", row=known_rows()[request.path_params["code"]], shown=answer.value,
        following=urlencode({"cursor": answer.cursor}) if answer.cursor else "",
    )  # fmt: skip


async def reconsider(house: House, request: HttpRequest, actor: Actor) -> Response:
    """The form, and once something is asked what comes of it; what can't be is said beside the form."""
    asked = {name: request.query_params.get(name, "") for name in reconsidering.NAMES}
    own = actor.association if actor.role == "coordinator" else ""
    if own:
        cases.check_association(actor, "reconsider", own)
    else:
        check(actor, "reconsider", Thing())
    report: Report | None = None
    wrong: Refused | None = None
    if "association" in request.query_params:
        try:
            report = await reconsidering.reconsidered(house, asked, actor, request)
        except (Invalid, TooLong) as refused:
            wrong = refused
    return page(
        house.settings, request, "reconsider.html", asked=asked, own=own, report=report, wrong=wrong,
        values=reconsidering.GIVEN, slots=SLOTS, titles=SLOT_TITLES, editions=EDITION_NAMES,
        groups=dict(lines(report.groups)) if report else {}, shown=_MOST_SHOWN,
        query=urlencode({name: value for name, value in asked.items() if value}),
        status=422 if wrong else 200,
    )  # fmt: skip


async def reconsider_list(house: House, request: HttpRequest, actor: Actor) -> Response:
    report = await reconsidering.reconsidered(house, request.query_params, actor, request)
    return reconsidering.as_csv(report)


async def reciprocity(house: House, request: HttpRequest, actor: Actor) -> Response:
    """Who came and who left, on whose word, under which rules."""
    found = await reciprocal.report_of(house, request, actor)
    return page(
        house.settings, request, "reciprocity.html", row=known_rows()[found.association], found=found,
        known=request.query_params.get("known", ""), query=_same(request, found.from_, found.through),
    )  # fmt: skip


async def matrix(house: House, request: HttpRequest, actor: Actor) -> Response:
    found = await reciprocal.matrix_of(house, request, actor)
    return page(
        house.settings, request, "matrix.html", found=found, total=found.total(),
        receiving=sorted({code for row in found.moves.values() for code in row}),
        known=request.query_params.get("known", ""), query=_same(request, found.from_, found.through),
    )  # fmt: skip


def _same(request: HttpRequest, from_: date, through: date) -> str:
    """The same question in another form."""
    asked = {name: value for name in ("known", "on") if (value := request.query_params.get(name))}
    return urlencode({"from": from_.isoformat(), "through": through.isoformat()} | asked)


async def find(house: House, request: HttpRequest, actor: Actor) -> Response:
    """People of an association by name, or a record by number. Posted: a name does not belong into an address."""
    async with request.form(max_files=0, max_fields=4, max_part_size=_LONGEST_FORM) as form:
        wanted = str(form.get("wanted", "")).strip()
    try:
        return RedirectResponse(f"/endorsements/{read_number(wanted)}", 303)
    except Invalid:
        return await today(house, request, actor, None, wanted)


async def today(
    house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None, wanted: str = ""
) -> Response:
    if actor.role == "holder":
        return RedirectResponse(f"/people/{actor.person}", 303)
    if actor.role in ("reviewer", "advisor"):
        return RedirectResponse("/reviews", 303)
    if actor.role == "exam_scorer":
        return RedirectResponse("/exams", 303)
    if actor.role == "employer":
        return RedirectResponse(f"/employers/{actor.person}", 303)
    code = request.query_params.get("association") or actor.association or "ALLIANCE"
    cases.check_association(actor, "see_queue", code)
    when = when_of(request)
    queue, _ = await views.queue(house, code, when)
    waiting = await aftercare.audits_waiting(house, code, when)
    names = await cases.names(house, [row["person"] for rows in queue.values() for row in rows])
    create = BY_NAME["register_person"]
    form = None
    if not when.asked and allowed(actor, create.access, Thing(association=code)):
        form = forms.make(actor, create, {}, typed=typed, values={"residence": code})
    return page(
        house.settings, request, "today.html", row=known_rows()[code], queue=queue, names=names, form=form,
        wanted=wanted, found=await views.people(house, wanted, code) if wanted else None,
        audits=waiting, renewals=await aftercare.countdown(house, code, when),
        everywhere=actor.role in ("alliance", "operator"), on=when.today(house, code), status=422 if typed else 200,
    )  # fmt: skip


async def reviews(house: House, request: HttpRequest, actor: Actor) -> Response:
    check(actor, "see_reviews", Thing(person=actor.person))
    rows, _ = await views.reviews(house, actor.person)
    advised = await views.advised(house, actor.person) if actor.role == "advisor" else []
    names = await cases.names(house, [row["person"] for row in (*rows, *advised)])
    return page(house.settings, request, "reviews.html", rows=rows, advised=advised, names=names)


async def exams(house: House, request: HttpRequest, actor: Actor) -> Response:
    check(actor, "see_exams", Thing(person=actor.person))
    rows, _ = await views.exams(house, actor.person if actor.role == "exam_scorer" else None)
    return page(house.settings, request, "exams.html", rows=rows, scores=actor.role == "exam_scorer")


async def exam(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    """For a scorer a candidate number and their own score; the history is the Alliance's."""
    known = when_of(request).known
    found = await cases.exam(house, actor, request.path_params["exam"], known=known)
    state: Exam = found.state
    scores = found.rule.role == "exam_scorer"
    return page(
        house.settings, request, "exam.html",
        shown=exam_shown(state, actor.person if scores else ""), scores=scores,
        history=[] if scores else history_of(found),
        forms=[] if known else forms.for_exam(actor, thing_of(state), state, typed), status=422 if typed else 200,
    )  # fmt: skip


# --- deeds


def _doing(deed: Deed) -> Show:
    async def do(house: House, request: HttpRequest, actor: Actor) -> Response:
        if actor is PUBLIC:
            raise Forbidden("Come in first: ask your association for a link.", deed=deed.name)
        if int(request.headers.get("content-length") or 0) > _LONGEST_FORM:
            raise Problem("too_large", "The form is larger than any of ours.")
        async with request.form(max_files=0, max_fields=60, max_part_size=_LONGEST_FORM) as form:
            return await _submitted(house, request, actor, deed, form)

    return do


async def _submitted(house: House, request: HttpRequest, actor: Actor, deed: Deed, form: FormData) -> Response:
    typed = forms.typed_of(deed, form)
    key = str(form.get(forms.KEY, ""))
    version = str(form.get(forms.VERSION, ""))
    arguments = [value.rstrip() for value in request.path_params.values()]
    try:
        body, _ = forms.read(deed, form)
        request_ = Request(key, house.vault.fingerprint("request", canonical(request.url.path, body)))
        act = Act(
            actor, on=body.on, late=body.late, request=request_ if _is_key(key) else None,
            version=int(version) if version.isdecimal() else None,
        )  # fmt: skip
        recorded = await house.wait_for(house.perform, deed, act, arguments, body)
    except Refused as refused:
        if refused.code in ("forbidden", "not_found", "erased"):
            raise
        said = Typed(request.url.path, typed, key, refused.message, refused.field, refused.facts.get("missing", ()))
        return await _again(house, request, actor, deed, said)
    streams = [event.originator_id for event in recorded.events]
    following = _next_page(deed, request, streams, recorded.position)
    if recorded.secret:
        # Not kept for the next page: it is said here, once.
        made = shown_once(deed.name, recorded.secret, house.settings.public_host)
        path = f"/shared/{recorded.secret}" if deed.name == "share" else ""
        return page(house.settings, request, "secret.html", made=made, path=path, back=following)
    return RedirectResponse(following, 303)


def _is_key(text: str) -> bool:
    return len(text) == 36  # noqa: PLR2004 # a UUID as the form had it


async def _again(house: House, request: HttpRequest, actor: Actor, deed: Deed, typed: Typed) -> Response:
    """The page that the form stands on, with what was typed and what is wrong."""
    if deed.name == "register_person":
        return await today(house, request, actor, typed)
    if deed.name == "admit_employer":
        return await employers.see_employers(house, request, actor, typed)
    if deed.name in ("share", "end_share"):
        return await sharing.see_shares(house, request, actor, typed)
    shows: dict[str, Callable[..., Awaitable[Response]]] = {
        "people": person, "references": reference, "applications": application,
        "endorsements": endorsement, "transfers": transfer,
        "exams": exam, "audits": audit, "associations": audits, "employers": employers.employer,
    }  # fmt: skip
    if deed.name == "submit_audit_evidence":
        return await endorsement(house, request, actor, typed)
    if deed.case == "associations" and deed.name != "draw_audit":
        raise Problem("invalid", typed.error, field=typed.field)
    if deed.case not in shows:
        raise Problem("invalid", typed.error, field=typed.field)
    return await shows[deed.case](house, request, actor, typed)


_PAGES = {
    "person": "people",
    "reference": "references",
    "exam": "exams",
    "application": "applications",
    "endorsement": "endorsements",
    "transfer": "transfers",
    "audit": "audits",
    "employer": "employers",
}


def _next_page(deed: Deed, request: HttpRequest, streams: list[str], position: int) -> str:
    """Where the deed's own case can be seen: the new one if there is one."""
    if deed.name == "submit_audit_evidence":
        return f"/endorsements/{request.path_params['number']}?done={deed.name}&position={position}"
    if deed.name in ("share", "end_share"):
        return f"/people/{request.path_params['person']}/shares?done={deed.name}&position={position}"
    kind, _, name = streams[-1 if deed.name == "approve_application" else 0].partition("/") if streams else ("", "", "")
    if kind not in _PAGES:
        kind = {plural: single for single, plural in _PAGES.items()}.get(deed.case, "person")
        name = next(iter(request.path_params.values()), "")
    return f"/{_PAGES[kind]}/{name}?done={deed.name}&position={position}"
