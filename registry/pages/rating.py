"""The rater's page: opened by the code of a letter, without an account; the code is posted, never in an address."""

import uuid
from collections.abc import Mapping
from typing import Any, Final, get_args

from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response

from domain.access import PUBLIC, Actor
from domain.application import Application
from domain.errors import Forbidden, Invalid
from domain.event import Request
from domain.reference import ASKED, LONGEST_TEXT, DeclineReason, Recommendation, Reference, Score
from registry.api import cases
from registry.api.asking import canonical
from registry.api.deeds import BY_NAME
from registry.api.house import House
from registry.api.problems import Problem
from registry.commands import Act
from registry.pages.render import language_of, page

_LONGEST_FORM: Final = 64 << 10
_SCORES: Final = tuple(str(score) for score in get_args(Score))


async def see_rate(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    return _page(house, request, step="code")


async def open_rating(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    typed = await _form(request)
    return await _asked(house, request, typed, {})


async def give_rating(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    typed = await _form(request)
    wrong = {code: "answer" for code in ASKED if typed.get(code) not in _SCORES}
    if typed.get("recommendation") not in get_args(Recommendation):
        wrong["recommendation"] = "choose"
    if typed.get("known") not in ("yes", "no"):
        wrong["known"] = "choose"
    if len(typed.get("comment", "")) > LONGEST_TEXT:
        wrong["comment"] = "too_long"
    if wrong:
        return await _asked(house, request, typed, wrong)
    answers = {code: typed[code] if typed[code] == "unknown" else int(typed[code]) for code in ASKED}
    body = {
        "code": typed.get("code", ""), "answers": answers, "recommendation": typed["recommendation"],
        "known_a_year": typed["known"] == "yes", "comment": typed.get("comment", ""),
    }  # fmt: skip
    return await _done(house, request, "record_rating", typed, body, "given")


async def decline(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    typed = await _form(request)
    if typed.get("reason") not in get_args(DeclineReason):
        return await _asked(house, request, typed, {"reason": "choose"})
    body = {"code": typed.get("code", ""), "reason": typed["reason"]}
    return await _done(house, request, "decline_rating", typed, body, "declined")


async def see_thanks(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    return _page(house, request, step="declined" if request.url.path.endswith("declined") else "given")


async def _form(request: HttpRequest) -> dict[str, str]:
    if int(request.headers.get("content-length") or 0) > _LONGEST_FORM:
        raise Problem("too_large", "The form is larger than any of ours.")
    async with request.form(max_files=0, max_fields=60, max_part_size=_LONGEST_FORM) as form:
        return {name: value.strip() for name, value in form.items() if isinstance(value, str)}


async def _asked(house: House, request: HttpRequest, typed: Mapping[str, str], wrong: Mapping[str, str]) -> Response:
    """What this code asks, with what was typed; one page for every code that opens nothing."""
    try:
        reference: Reference = await house.wait_for(house.registry.asked, typed.get("code", ""))
    except Forbidden:
        return _page(house, request, step="code", refused=True, status=422)
    names = await cases.names(house, [reference.person])
    application = (await cases.load(house, Application, reference.application))[0] if reference.application else None
    return _page(
        house, request, step="form", typed=typed, wrong=wrong, code=typed["code"],
        key=typed.get("_key") or str(uuid.uuid4()), applicant=names.get(reference.person, ""),
        category=application.category if application else "", association=reference.association,
        waiver=reference.waiver, until=reference.link_until, status=422 if wrong else 200,
    )  # fmt: skip


async def _done(
    house: House, request: HttpRequest, name: str, typed: Mapping[str, str], body: dict[str, Any], thanks: str
) -> Response:
    """Do it once, however often the form is sent."""
    deed = BY_NAME[name]
    key = typed.get("_key", "")
    once = Request(key, house.vault.fingerprint("request", canonical(deed.path, body))) if len(key) == 36 else None  # noqa: PLR2004 # a UUID as the form had it
    try:
        await house.wait_for(getattr(house.registry, name), Act(PUBLIC, request=once), **body)
    except Forbidden:
        return _page(house, request, step="code", refused=True, status=422)
    except Invalid as refused:
        return await _asked(house, request, typed, {refused.field: "choose"})
    lang = f"?lang={request.query_params['lang']}" if "lang" in request.query_params else ""
    return RedirectResponse(f"/rate/{thanks}{lang}", 303)


def _page(house: House, request: HttpRequest, *, step: str, status: int = 200, **facts: Any) -> Response:
    known = {"refused": False} | facts
    # What was not typed, and what is not wrong, is empty.
    for name in ("typed", "wrong"):
        fields = (*ASKED, "recommendation", "known", "comment", "reason")
        known[name] = dict.fromkeys(fields, "") | dict(facts.get(name, {}))
    known["wrongs"] = [name for name, error in known["wrong"].items() if error and name != "reason"]
    return page(
        house.settings, request, "rate.html", status=status, step=step, r=TEXTS[language_of(request)],
        asked=tuple(ASKED), scores=_SCORES, recommendations=get_args(Recommendation),
        decline_reasons=get_args(DeclineReason), longest=LONGEST_TEXT, **known,
    )  # fmt: skip


# Spanish forms of address as on the other public pages: usted. The labels of the domains are ours (`domain.md` 2.8).
TEXTS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "Give a reference",
        "lead": "Open the link in the letter you got, or paste its code here. You need no account.",
        "code": "Code of the letter",
        "code_hint": "52 letters and digits; blanks don’t matter.",
        "go_on": "Go on",
        "refused": "This code opens nothing. It was used already or replaced by a newer one, it is too old, or a part "
        "is missing. Take the newest letter, or ask the applicant or their association to send it again.",
        "for": "Reference for {applicant}",
        "applies": "Applies for",
        "association": "Decided by",
        "until": "Open until",
        "waived": "The applicant has given up the right to see what you write. Only the association’s coordinator and "
        "the reviewers of the application read it.",
        "kept": "The applicant has not given up the right to know what you write. The coordinator and the reviewers "
        "read it; the applicant may be told the reasons, or the content where the association does so.",
        "who_reads": "Who reads this",
        "how": "How often do you see the applicant do this in their work with infants, young children and families?",
        "how_hint": "Answer every line. Six or more answers without enough information can’t be counted.",
        "1": "Not yet", "2": "Sometimes", "3": "Mostly", "4": "Consistently",
        "unknown": "I don’t have enough information",
        **ASKED,
        "recommendation": "Do you recommend the applicant for this endorsement?",
        "recommend": "Yes", "recommend_with_reservations": "Yes, with reservations", "do_not_recommend": "No",
        "known": "Have you known the applicant’s work for at least a year?",
        "yes": "Yes", "no": "No",
        "comment": "Anything to add",
        "optional": "optional",
        "send": "Send the reference",
        "once": "It can’t be changed after it is sent.",
        "wrong_title": "Please correct this",
        "answer": "Choose one answer.",
        "choose": "Choose one answer.",
        "too_long": "Write at most 5,000 characters.",
        "decline": "I’d rather not give a reference",
        "reason": "Why",
        "not_known_well_enough": "I don’t know the applicant’s work well enough",
        "no_time": "I have no time",
        "conflict_of_interest": "I have a conflict of interest",
        "not_waived": "The applicant may learn what I write",
        "other": "Another reason",
        "decline_hint": "The applicant is told that you declined, and asks somebody else.",
        "do_decline": "Decline",
        "given_title": "Thank you",
        "given": "Your reference is recorded and sealed. You can close this page.",
        "declined_title": "You declined",
        "declined": "Thank you for telling us. The applicant can ask somebody else. You can close this page.",
    },
    "es": {
        "title": "Dar una referencia",
        "lead": "Abra el enlace de la carta que recibió, o pegue aquí su código. No necesita una cuenta.",
        "code": "Código de la carta",
        "code_hint": "52 letras y cifras; los espacios no importan.",
        "go_on": "Continuar",
        "refused": "Este código no abre nada. Ya se usó o lo reemplazó uno más nuevo, es demasiado antiguo, o le falta "
        "una parte. Use la carta más reciente, o pida a la persona solicitante o a su asociación que la envíen otra "
        "vez.",
        "for": "Referencia para {applicant}",
        "applies": "Solicita",
        "association": "Decide",
        "until": "Abierto hasta",
        "waived": "La persona solicitante ha renunciado al derecho de ver lo que usted escriba. Solo lo leen la "
        "coordinación de la asociación y quienes revisan la solicitud.",
        "kept": "La persona solicitante no ha renunciado al derecho de saber lo que usted escriba. Lo leen la "
        "coordinación y quienes revisan la solicitud; a la persona solicitante se le pueden comunicar las razones, o "
        "el contenido donde la asociación lo hace así.",
        "who_reads": "Quién lee esto",
        "how": "¿Con qué frecuencia ve que la persona solicitante hace esto en su trabajo con bebés, niños pequeños y "
        "familias?",
        "how_hint": "Responda cada línea. Con seis o más respuestas sin información suficiente no se puede contar.",
        "1": "Todavía no", "2": "A veces", "3": "Casi siempre", "4": "Siempre",
        "unknown": "No tengo información suficiente",
        "TF": "Fundamentos teóricos", "LR": "Leyes, normas y políticas", "SE": "Conocimiento de los sistemas",
        "DS": "Servicio directo", "WO": "Trabajo con otras personas", "CO": "Comunicación", "TH": "Pensamiento",
        "RF": "Reflexión",
        "recommendation": "¿Recomienda a la persona solicitante para este aval?",
        "recommend": "Sí", "recommend_with_reservations": "Sí, con reservas", "do_not_recommend": "No",
        "known": "¿Conoce su trabajo desde hace al menos un año?",
        "yes": "Sí", "no": "No",
        "comment": "Algo más que añadir",
        "optional": "opcional",
        "send": "Enviar la referencia",
        "once": "No se puede cambiar después de enviarla.",
        "wrong_title": "Corrija esto, por favor",
        "answer": "Elija una respuesta.",
        "choose": "Elija una respuesta.",
        "too_long": "Escriba 5000 caracteres como máximo.",
        "decline": "Prefiero no dar una referencia",
        "reason": "Por qué",
        "not_known_well_enough": "No conozco su trabajo lo suficiente",
        "no_time": "No tengo tiempo",
        "conflict_of_interest": "Tengo un conflicto de intereses",
        "not_waived": "La persona solicitante podría saber lo que escribo",
        "other": "Otra razón",
        "decline_hint": "Se informa a la persona solicitante de que usted declinó, y pregunta a otra.",
        "do_decline": "Declinar",
        "given_title": "Gracias",
        "given": "Su referencia está guardada y sellada. Puede cerrar esta página.",
        "declined_title": "Usted declinó",
        "declined": "Gracias por decirlo. La persona solicitante puede preguntar a otra. Puede cerrar esta página.",
    },
}  # fmt: skip
