"""Every question as one row: its address, who may ask it, and what answers it."""

from collections.abc import Mapping
from typing import Any, get_args

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import PUBLIC, Actor, Role, Thing, allowed, check, rows_of
from domain.application import Application
from domain.association import ROWS
from domain.audit import Audit
from domain.category import ADD_ONS, CATEGORIES
from domain.competency import DOMAINS
from domain.endorsement import Endorsement, read_number
from domain.errors import Invalid, NotFound
from domain.person import Person
from domain.quality import QualityReview
from domain.reference import ASKED, Recommendation, Score
from domain.rules import as_dict
from registry.api import (
    bundles,
    cases,
    employers,
    openapi,
    past,
    quality,
    reciprocity,
    reconsidering,
    renewals,
    sharing,
    standings,
    views,
)
from registry.api.asking import number
from registry.api.associations import known_rows
from registry.api.house import House
from registry.api.openapi import CURSOR, LIMIT, ON, POSITION, Parameter
from registry.api.past import BOTH, DAY, KNOWN, TIMELESS, when_of
from registry.api.problems import Problem
from registry.api.question import Answer, Question
from registry.api.shown import (
    application_shown,
    association_shown,
    event_shown,
    exam_shown,
    person_shown,
    transfer_shown,
)
from registry.certificates.issue import FILES
from registry.certificates.letter import FILES as LETTER_FILES
from registry.commands.quality import thing_of_item

_encode = msgspec.json.Encoder().encode
_MEDIA = {".pdf": "application/pdf", ".png": "image/png", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
          ".tlog-proof": "text/plain; charset=utf-8", ".json": "application/vc",
          ".jwt": "application/vc+jwt"}  # fmt: skip


# --- endorsements


async def see_endorsement(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """What the actor may see; the public, and every stranger, only while it is active and listed."""
    asked = read_number(request.path_params["number"])
    when = when_of(request)
    if actor is not PUBLIC:
        found = await cases.case_or_none(cases.endorsement(house, actor, asked, known=when.known))
        if found is not None:
            state: Endorsement = found.state
            shown = standings.endorsement_then(house, state, found.rows, when)
            shown["name"] = (await cases.names(house, [state.person])).get(state.person)
            return Answer(shown, found.position, state.version)
    listed, position = await views.public_endorsement(house, asked, when)
    if listed is None:
        raise NotFound("active and listed endorsement of this number")
    return Answer(listed, position, public=True)


async def see_history(house: House, request: HttpRequest, actor: Actor) -> Answer:
    known = when_of(request).known
    found = await cases.endorsement(house, actor, request.path_params["number"], deed="see_history", known=known)
    state: Endorsement = found.state
    await cases.confidential(house, actor, "see_history", state.stream, state.person)
    return _history(await cases.whole_history(house, found, known))


def _history(found: cases.Case) -> Answer:
    shown = [event_shown(position, event, found.rule.sees) for position, event in found.rows]
    for event in shown:
        event["links"] = {"proof": f"/log/{event['position']}.tlog-proof"}
    return Answer({"events": shown}, found.position, found.state.version)


async def see_certificates(house: House, request: HttpRequest, actor: Actor) -> Answer:
    number_, known = request.path_params["number"], when_of(request).known
    found = await cases.endorsement(house, actor, number_, deed="see_certificate", known=known)
    return Answer({"certificates": certificates_shown(found)}, found.position, found.state.version)


def certificates_shown(found: cases.Case) -> list[dict[str, Any]]:
    """Newest first."""
    number_ = found.state.number
    return [
        {
            "cti": event.cti,
            "category": event.category,
            "association": association_shown(event.association),
            "valid_from": event.valid_from,
            "through": event.through,
            "why": event.why,
            "replaces": event.replaces or None,
            "position": position,
            "present": event.cti == found.state.certificate.cti,
            "files": {
                name: f"/api/endorsements/{number_}/certificates/{event.cti}/{name}" for name in CERTIFICATE_FILES
            },
            "what_for": FILES,
        }
        for position, event in reversed(found.rows)
        if isinstance(event, Endorsement.CertificateIssued) and not event.badge
    ]


CERTIFICATE_FILES = tuple(FILES)


async def see_certificate(house: House, request: HttpRequest, actor: Actor) -> Response:
    found = await cases.endorsement(house, actor, request.path_params["number"], deed="see_certificate")
    return await certificate_file(house, actor, found, request.path_params["cti"], request.path_params["file"])


async def certificate_file(house: House, actor: Actor, found: cases.Case, cti: str, file: str) -> Response:
    state: Endorsement = found.state
    if cti not in {certificate.cti for certificate in state.certificates} or file not in CERTIFICATE_FILES:
        raise NotFound("certificate")
    await cases.confidential(house, actor, "see_certificate", state.stream, state.person)
    files = await house.certificate(state.number, cti)
    if file not in files:
        raise NotFound("certificate")  # no key for JWTs, no JWT
    suffix = file[file.index(".") :]
    # The name of a file says the number, never the holder.
    name = f"{state.number}{suffix}" if suffix == ".pdf" else f"{state.number}-{file}"
    return Response(
        files[file], media_type=_MEDIA[suffix], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


# --- people


async def see_person(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found = await cases.person(house, actor, request.path_params["person"], known=when_of(request).known)
    return Answer(person_shown(found.state, found.events, found.rule.sees), found.position, found.state.version)


async def see_person_history(house: House, request: HttpRequest, actor: Actor) -> Answer:
    return _history(await cases.person(house, actor, request.path_params["person"], known=when_of(request).known))


async def see_persons_endorsements(house: House, request: HttpRequest, actor: Actor) -> Answer:
    when = when_of(request)
    found = await cases.person(house, actor, request.path_params["person"], known=when.known)
    return Answer({"endorsements": await standings.endorsements_then(house, found.state.name, when)}, found.position)


async def endorsements_of(house: House, person: str) -> list[Endorsement]:
    numbers = await views.numbers_of(house, person)
    loaded = [(await cases.load(house, Endorsement, number_))[0] for number_ in numbers]
    return [endorsement for endorsement in loaded if endorsement]


async def see_missing(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found = await cases.person(house, actor, request.path_params["person"])
    category = request.query_params.get("category", "")
    if category not in (*CATEGORIES, *ADD_ONS):
        raise Invalid(f"Give a category or an add-on: {', '.join((*CATEGORIES, *ADD_ONS))}.", field="category")
    person: Person = found.state
    on = when_of(request).on or cases.today(house, person.residence)
    return Answer(await cases.missing(house, person, category, on), found.position, person.version)


# --- applications, transfers, queues


async def see_application(house: House, request: HttpRequest, actor: Actor) -> Answer:
    known = when_of(request).known
    found = await cases.application(house, actor, request.path_params["application"], known=known)
    shown = application_shown(found.state, actor, found.hidden, known_rows()[found.state.association].reviewers)
    shown["handed_in"] = await cases.handed_in(house, found, known)
    shown["notes"] = await cases.notes(house, found, known)
    if known is None:  # which is judged from what is on record now
        shown["missing"] = await cases.missing_for(house, found.state, cases.today(house, found.state.association))
    shown["name"] = (await cases.names(house, [found.state.person])).get(found.state.person)
    return Answer(shown, found.position, found.state.version)


async def see_application_history(house: House, request: HttpRequest, actor: Actor) -> Answer:
    name, known = request.path_params["application"], when_of(request).known
    return _history(await cases.application(house, actor, name, known=known))


async def see_letters(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found = await cases.letters(house, actor, request.path_params["application"])
    return Answer({"letters": letters_shown(found.state)}, found.position, found.state.version)


def letters_shown(application: Application) -> list[dict[str, Any]]:
    """Newest first; that the application has ended ends them all."""
    where = f"/api/applications/{application.name}/letters"
    return [
        {"cti": letter.cti, "on": letter.on, "through": letter.through,
         "files": {name: f"{where}/{letter.cti}/{name}" for name in LETTER_FILES}}
        for letter in reversed(application.letters)
    ]  # fmt: skip


async def see_letter(house: House, request: HttpRequest, actor: Actor) -> Response:
    found = await cases.letters(house, actor, request.path_params["application"])
    cti, file = request.path_params["cti"], request.path_params["file"]
    if file not in LETTER_FILES or cti not in {letter.cti for letter in found.state.letters}:
        raise NotFound("letter")
    await cases.confidential(house, actor, "see_letter", found.state.stream, found.state.person)
    files = await house.letter(found.state.name, cti)
    headers = {"Content-Disposition": f'attachment; filename="letter-{cti[:8]}{file[file.index(".") :]}"'}
    return Response(files[file], media_type=_MEDIA[file[file.index(".") :]], headers=headers)


async def see_transfer(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found = await cases.transfer(house, actor, request.path_params["transfer"], known=when_of(request).known)
    shown = transfer_shown(found.state)
    shown["name"] = (await cases.names(house, [found.state.person])).get(found.state.person)
    return Answer(shown, found.position, found.state.version)


async def see_transfer_history(house: House, request: HttpRequest, actor: Actor) -> Answer:
    return _history(await cases.transfer(house, actor, request.path_params["transfer"], known=when_of(request).known))


async def see_reference(house: House, request: HttpRequest, actor: Actor) -> Answer:
    known = when_of(request).known
    found, shown = await cases.reference(house, actor, request.path_params["reference"], known=known)
    names = await cases.names(house, [found.state.person])
    return Answer(shown | {"applicant": names.get(found.state.person)}, found.position, found.state.version)


async def see_references(house: House, request: HttpRequest, actor: Actor) -> Answer:
    known = when_of(request).known
    found = await cases.references(house, actor, request.path_params["person"], known=known)
    rows = [(await cases.reference(house, actor, one.name, known=known))[1] for one in found]
    return Answer({"references": rows})


async def see_rating_form(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    return Answer(
        {
            "asked": [{"code": code, "label": label} for code, label in ASKED.items()],
            "scores": list(get_args(Score)),
            "recommendations": list(get_args(Recommendation)),
        },
        public=True,
    )


async def see_queue(house: House, request: HttpRequest, actor: Actor) -> Answer:
    code, when = request.path_params["code"], when_of(request)
    cases.check_association(actor, "see_queue", code)
    queue, position = await views.queue(house, code, when)
    people = [row["person"] for rows in queue.values() for row in rows]
    names = await cases.names(house, people)
    for rows in queue.values():
        for row in rows:
            row["name"] = names.get(row["person"])
    return Answer({"association": association_shown(code), "today": when.today(house, code), **queue}, position)


async def see_reviews(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    check(actor, "see_reviews", Thing(person=actor.person))
    rows, position = await views.reviews(house, actor.person)
    names = await cases.names(house, [row["person"] for row in rows])
    return Answer({"reviews": [row | {"name": names.get(row["person"])} for row in rows]}, position)


async def see_exams(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    check(actor, "see_exams", Thing(person=actor.person))
    rows, position = await views.exams(house, actor.person if actor.role == "exam_scorer" else None)
    return Answer({"exams": rows}, position)


async def see_exam(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found = await cases.exam(house, actor, request.path_params["exam"], known=when_of(request).known)
    scorer = actor.person if found.rule.role == "exam_scorer" else ""
    return Answer(exam_shown(found.state, scorer), found.position, found.state.version)


async def see_exam_history(house: House, request: HttpRequest, actor: Actor) -> Answer:
    name, known = request.path_params["exam"], when_of(request).known
    return _history(await cases.exam(house, actor, name, deed="see_exam_history", known=known))


async def see_coverage(house: House, request: HttpRequest, actor: Actor) -> Answer:
    found = await cases.person(house, actor, request.path_params["person"])
    category = request.query_params.get("category", "")
    if category not in CATEGORIES:
        raise Invalid(f"Give a category: {', '.join(CATEGORIES)}.", field="category")
    person: Person = found.state
    on = when_of(request).on or cases.today(house, person.residence)
    return Answer(await cases.covered(house, person, category, on), found.position, person.version)


# --- open to everybody


async def see_competencies(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    """Codes and labels; a licensee's text is for its own people."""
    association = request.query_params.get("association", "") or "ALLIANCE"
    if association not in known_rows():
        raise Invalid("No association has this code; use a code such as VA.", field="association")
    catalogue = await house.wait_for(house.registry.catalogue, association)
    shown = [
        {"code": area.code, "label": area.label, "domain": DOMAINS[area.domain], "slots": area.slots,
         "source": area.source}
        for area in catalogue.areas
    ]  # fmt: skip
    return Answer({"catalogue": catalogue.name, "competencies": shown}, public=True)


async def search_register(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    search = register_search(request.query_params)
    limit = number(request, "limit", 20, most=100)
    cursor, when = request.query_params.get("cursor", ""), when_of(request)
    rows, cursor, position = await views.register(house, search, limit, cursor, when)
    return Answer({"endorsements": rows}, position, cursor=cursor, public=True)


def register_search(asked: Mapping[str, str]) -> dict[str, str]:
    """What is looked for. Raises Invalid for what can't be found."""
    search = {name: " ".join(asked.get(name, "").split()) for name in ("name", "number", "category", "association")}
    if len(search["name"]) > 120:  # noqa: PLR2004 # as long as a name may be
        raise Invalid("Give a name of at most 120 characters.", field="name")
    if search["number"]:
        search["number"] = read_number(search["number"])
    if search["category"] and search["category"] not in CATEGORIES:
        raise Invalid("No category has this code; use a code such as IFS.", field="category")
    if search["association"] and search["association"] not in known_rows():
        raise Invalid("No association has this code; use a code such as VA.", field="association")
    return search


async def search_providers(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    search = provider_search(request.query_params)
    limit = number(request, "limit", 20, most=100)
    cursor, when = request.query_params.get("cursor", ""), when_of(request)
    rows, cursor, position = await views.rsc_providers(house, search, limit, cursor, when)
    return Answer({"providers": rows}, position, cursor=cursor, public=True)


def provider_search(asked: Mapping[str, str]) -> dict[str, str]:
    """What is looked for. Raises Invalid for what can't be found."""
    search = {name: asked.get(name, "").strip() for name in ("association", "language", "remote")}
    if search["association"] and search["association"] not in known_rows():
        raise Invalid("No association has this code; use a code such as VA.", field="association")
    if len(search["language"]) > 6:  # noqa: PLR2004 # the longest code
        raise Invalid("Give a language by its code, such as es.", field="language")
    if search["remote"] not in ("", "true", "false", "on"):
        raise Invalid("Say true or false.", field="remote")
    return search


async def see_provider(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    on, known = when_of(request).on, when_of(request).known
    if on is None:
        raise Invalid("Give the day of the hour, like 2026-06-01.", field="on")
    association = request.query_params.get("association", "")
    asked = request.path_params["number"]
    return Answer(await house.wait_for(house.registry.rsc_provider, asked, on, association, known=known), public=True)


async def see_associations(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    return Answer(
        {
            "associations": [
                {"code": row.code, "name": row.name, "jurisdiction": row.jurisdiction, "zone": row.zone,
                 "offers": row.offers, "reviewers": row.reviewers, "source": row.source}
                for row in known_rows().values()
            ]
        },
        public=True,
    )  # fmt: skip


async def see_categories(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    return Answer({"categories": [msgspec.to_builtins(category) for category in CATEGORIES.values()]}, public=True)


async def see_rules(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    asked = request.query_params
    on = when_of(request).on or cases.today(house, "ALLIANCE")
    return Answer(as_dict(asked.get("category", ""), on, asked.get("association", ""), known_rows()), public=True)


async def see_access(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    rows = rows_of(request.query_params.get("role", ""), request.query_params.get("deed", ""))
    return Answer({"rows": msgspec.to_builtins(rows, order="deterministic")}, public=True)


async def openapi_document(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a question
    content = _encode(openapi.document(house.settings.public_host, [question.asked for question in QUESTIONS]))
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-cache"})


async def proof_of(house: House, actor: Actor, position: int) -> Response:  # noqa: C901, PLR0912 # one case for each kind
    """The proof that an event is in the log, for whoever may see its history: its `extra` holds the event."""
    row = await house.readers.one("SELECT originator_id FROM registry.events WHERE notification_id = %s", [position])
    kind, _, name = (row["originator_id"] if row else "").partition("/")
    match kind:
        case "endorsement":
            await cases.endorsement(house, actor, name, deed="see_history")
        case "person":
            await cases.person(house, actor, name)
        case "application":
            (await cases.application(house, actor, name)).must_tell(position)
        case "exam":
            await cases.exam(house, actor, name, deed="see_exam_history")
        case "transfer":
            await cases.transfer(house, actor, name)
        case "reference":
            # The stored form holds what the applicant is not shown.
            found, _ = await cases.reference(house, actor, name)
            if "reference" not in found.rule.sees:
                check(actor, "see_history", Thing())
        case "audit":
            audit, _ = await cases.load(house, Audit, name)
            check(actor, "see_audit", Thing() if audit is None else Thing(association=audit.association))
        case "quality_review":
            review, _ = await cases.load(house, QualityReview, name)
            check(actor, "see_quality", Thing() if review is None else thing_of_item(review))
        case "employer":
            await employers.employer_of(house, actor, name, "see_followed")
        case "association" | "key" | "readings":
            pass
        case _:
            if not allowed(actor, "see_history", Thing()):
                check(actor, "see_history", Thing())
            raise NotFound("event")
    proof = await house.proof(position)
    headers = {"Content-Disposition": f'attachment; filename="{position}.tlog-proof"'}
    return Response(proof, media_type="text/plain; charset=utf-8", headers=headers)


def problem_for_unknown_path() -> Problem:
    return Problem("not_found", "There is nothing at this address. The documentation is at /api.")


_WHERE = Parameter("association", "An association's code", "VA", {"type": "string"})
_NUMBER = Parameter("number", "A number", "IFS-7K3MQ9TD", {"type": "string"})
_SEARCH = (
    Parameter("name", "Words of a name, in any case, with or without accents", "fernandez", {"type": "string"}),
    _NUMBER,
    Parameter("category", "A category's code", "IFS", {"enum": list(CATEGORIES)}),
    _WHERE,
)
_RULED = Parameter("category", "A category's or an add-on's code", "IFS", {"enum": [*CATEGORIES, *ADD_ONS]})
_CATEGORY = Parameter("category", "A category's code", "IFS", {"enum": list(CATEGORIES)}, required=True)
_ENDORSEMENT = {
    "number": "IFS-7K3MQ9TD", "category": "IFS+ERS",
    "title": "Infant Family Specialist, Endorsed Reflective Supervisor",
    "association": {"code": "VA", "name": ROWS["VA"].name}, "standing": "active", "on": "2026-06-01",
    "through": "2027-12-31",
}  # fmt: skip
_EVENT = {
    "position": 4711, "stream": "endorsement/IFS-7K3MQ9TD", "version": 1, "topic": "endorsement.awarded",
    "on": "2026-06-01", "by": "coordinator:VA:k1f09c2aa", "recorded_at": "2026-06-01T12:00:00Z", "late": None,
    "facts": {"category": "IFS", "association": "VA", "edition": "FS-2023", "through": "2027-12-31"},
    "links": {"proof": "/log/4711.tlog-proof"},
}  # fmt: skip
_QUEUE: dict[str, list[Any]] = {"applications": [], "references": [], "transfers_in": [], "transfers_out": []}

_PROVIDERS = (
    Parameter("association", "An association's code", "VA", {"enum": list(ROWS)}),
    Parameter("language", "A language by its code", "es", {"type": "string"}),
    Parameter("remote", "Only those who provide from afar", "true", {"type": "boolean"}),
)
_HOUR = {
    "number": "IMHM-C-7K3MQ9TJ", "on": "2026-03-02", "association": "VA", "held": "IMHM-C", "counts": True,
    "counts_for": ["FS", "MHS", "MHM-C"], "reason": "qualified",
    "words": "It counts for FS, MHS, MHM-C: IMHM-C was held on that day. Rule provider-2025-01-01 (AZ-POL).",
    "rule": {"name": "provider-2025-01-01", "effective": "2025-01-01", "source": "AZ-POL"},
}  # fmt: skip
_PROVIDER = {
    "number": "IMHM-C-7K3MQ9TJ", "name": "Ada Reviewer", "category": "IMHM-C",
    "association": {"code": "VA", "name": ROWS["VA"].name}, "languages": ["en", "es"], "remote": True,
}  # fmt: skip

_P, _A, _E, _T = "/people/{person}", "/applications/{application}", "/endorsements/{number}", "/transfers/{transfer}"

QUESTIONS: tuple[Question, ...] = (
    Question("register", "/register", "Search the public register", search_register, "",
             (*_SEARCH, LIMIT, CURSOR, POSITION), {"endorsements": [_ENDORSEMENT]}, takes=BOTH),
    Question("endorsement", _E, "An endorsement: for the public while active and listed", see_endorsement,
             "see_endorsement", (POSITION,), _ENDORSEMENT, takes=BOTH),
    Question("endorsement_history", f"{_E}/history", "Everything that happened to it", see_history, "see_history",
             (), {"events": [_EVENT]}, takes=KNOWN),
    Question("certificates", f"{_E}/certificates", "Its certificates, newest first", see_certificates,
             "see_certificate", (), {"certificates": []}, takes=KNOWN),
    Question("certificate", f"{_E}/certificates/{{cti}}/{{file}}", "One file of a certificate", see_certificate,
             "see_certificate", (), "(the file)", "application/octet-stream", takes=past.PRESENT),
    Question("person", _P, "A person and their portfolio", see_person, "see_person", (),
             {"person": "mfrggzdfmztwq2lknnwg23tpoa", "residence": "VA", "entries": []}, takes=KNOWN),
    Question("person_history", f"{_P}/history", "Everything recorded of a person", see_person_history, "see_person",
             (), {"events": []}, takes=KNOWN),
    Question("person_endorsements", f"{_P}/endorsements", "The endorsements of a person", see_persons_endorsements,
             "see_person", (POSITION,), {"endorsements": [_ENDORSEMENT]}, takes=BOTH),
    Question("missing", f"{_P}/missing", "What is missing before they can submit", see_missing, "see_person",
             (_RULED._replace(required=True),), {"edition": "FS-2023", "missing": [], "references": []}, takes=DAY),
    Question("coverage", f"{_P}/coverage", "Which competencies of a category the portfolio shows", see_coverage,
             "see_person", (_CATEGORY,), {"catalogue": "ours-1", "covered": [], "missing": [], "by_reference": []},
             takes=DAY),
    Question("application", _A, "An application", see_application, "see_application", (),
             {"application": "nbswy3dpeb3w64tmmqqho2lumq", "state": "in_review"}, takes=KNOWN),
    Question("application_history", f"{_A}/history", "Everything that happened to it", see_application_history,
             "see_application", (), {"events": []}, takes=KNOWN),
    Question("letters", f"{_A}/letters", "The letters of registration made of it", see_letters, "see_letter", (),
             {"letters": [{"cti": "07a70d15daff38e691f5a06828ebee8a", "on": "2026-06-01", "through": "2026-08-30"}]},
             takes=past.PRESENT),
    Question("letter", f"{_A}/letters/{{cti}}/{{file}}", "One file of a letter of registration", see_letter,
             "see_letter", (), "(the file)", "application/octet-stream", takes=past.PRESENT),
    Question("transfer", _T, "A transfer", see_transfer, "see_transfer", (),
             {"transfer": "orugs4zanfzsa5dimuqgk3tffy", "state": "requested"}, takes=KNOWN),
    Question("transfer_history", f"{_T}/history", "Everything that happened to it", see_transfer_history,
             "see_transfer", (), {"events": []}, takes=KNOWN),
    Question("reference", "/references/{reference}", "A reference: the content as waiver and role allow", see_reference,
             "see_reference", (), {"reference": "pfxxk4tbmfrggzdfmztwq2lknm", "state": "requested"}, takes=KNOWN),
    Question("person_references", f"{_P}/references", "The references a person asked for, newest first",
             see_references, "see_reference", (), {"references": []}, takes=KNOWN),
    Question("rating_form", "/ratings/form", "What a rater is asked", see_rating_form, "", (),
             {"asked": [{"code": "RF", "label": "Reflection"}], "scores": [1, 2, 3, 4, "unknown"]}, takes=TIMELESS),
    Question("queue", "/associations/{code}/queue", "What waits for an association", see_queue, "see_queue",
             (POSITION,), _QUEUE, takes=BOTH),
    Question("reviews", "/reviews", "What waits for me as a reviewer", see_reviews, "see_reviews", (POSITION,),
             {"reviews": []}, takes=past.REPLAYED),
    Question("exams", "/exams", "Exams under way: a scorer's own, or all", see_exams, "see_exams", (POSITION,),
             {"exams": []}, takes=past.REPLAYED),
    Question("exam", "/exams/{exam}", "An exam, by its candidate number", see_exam, "see_exam", (),
             {"exam": "mv4gc3lfpbqw24dmmuqgk6dbnu", "candidate": "C-7K3MQ9T", "state": "sat"}, takes=KNOWN),
    Question("exam_history", "/exams/{exam}/history", "Everything that happened to it", see_exam_history,
             "see_exam_history", (), {"events": []}, takes=KNOWN),
    Question("competencies", "/competencies", "The competencies by code, as in force at an association",
             see_competencies, "", (_WHERE,),
             {"catalogue": "ours-1", "competencies": []}, takes=past.PRESENT),
    Question("rsc_providers", "/rsc-providers", "Providers of RSC who let themselves be listed, while qualified",
             search_providers, "", (*_PROVIDERS, LIMIT, CURSOR, POSITION), {"providers": [_PROVIDER]}, takes=BOTH),
    Question("rsc_provider", "/rsc-providers/{number}", "Whether an hour with this person on a day counts",
             see_provider, "", (_PROVIDERS[0], ON._replace(required=True)), _HOUR, takes=BOTH),
    Question("associations", "/associations", "The associations", see_associations, "", (), {"associations": []},
             takes=past.PRESENT),
    Question("categories", "/categories", "The categories", see_categories, "", (), {"categories": []}, takes=TIMELESS),
    Question("rules", "/rules", "The rules in force on a day, each line with its source", see_rules, "",
             (_RULED, _WHERE), {"category": "IFS", "association": "VA", "on": "2026-06-01", "rules": []}, takes=DAY),
    *standings.QUESTIONS,
    *renewals.QUESTIONS,
    *quality.QUESTIONS,
    *reciprocity.QUESTIONS,
    *bundles.QUESTIONS,
    *reconsidering.QUESTIONS,
    *employers.QUESTIONS,
    *sharing.QUESTIONS,
    Question("access", "/access", "Who may do what: the table that decides it", see_access, "",
             (Parameter("role", "Only what this role may do", "coordinator", {"enum": list(get_args(Role))}),
              Parameter("deed", "Only who may do this", "remove", {"type": "string"})),
             {"rows": [{"deed": "remove", "role": "coordinator", "scope": "association", "sees": [], "second": True,
                        "fresh": True, "basis": "PA-REG"}]}, takes=TIMELESS),
    Question("openapi", "/openapi.json", "This document", openapi_document, "", (), {"openapi": "3.1.0"},
             takes=TIMELESS),
)  # fmt: skip
