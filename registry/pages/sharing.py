"""The pages of shared links: a holder's own list of them, and what each shows to whoever has it."""

from typing import Final

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import Actor, Thing, check
from domain.errors import NotFound
from domain.person import Person
from registry.api import cases
from registry.api.house import House
from registry.api.sharing import NoSuchLink, shared, shares_shown
from registry.pages import forms
from registry.pages.employers import CHANGES
from registry.pages.forms import Typed
from registry.pages.render import language_of, page


async def see_shares(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    found, _ = await cases.load(house, Person, request.path_params["person"])
    thing = Thing() if found is None else Thing(person=found.name)
    check(actor, "see_shares", thing)
    if found is None:
        raise NotFound("person")
    numbers = await house.wait_for(house.registry.numbers_of, found.name)
    return page(
        house.settings, request, "shares.html", shares=await shares_shown(house, found), person=found.name,
        forms=forms.for_shares(actor, thing, found, numbers, typed), status=422 if typed else 200,
        ends={name: forms.end_share(actor, thing, found, name, typed) for name in found.shares},
    )  # fmt: skip


async def see_shared(house: House, request: HttpRequest, actor: Actor) -> Response:  # noqa: ARG001 # a page
    """Nobody comes in; the page is kept nowhere and found by no search."""
    texts = TEXTS[language_of(request)]
    try:
        shown = await shared(house, request.path_params["code"])
    except NoSuchLink:
        return _unfindable(page(house.settings, request, "shared.html", s=texts, shown=None, changes={}, status=404))
    changes = CHANGES if language_of(request) == "en" else _CAMBIOS
    return _unfindable(page(house.settings, request, "shared.html", s=texts, shown=shown, changes=changes))


def _unfindable(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


TEXTS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "Shared by {name}",
        "lead": "{name} shows you this until {until}. It is how things stand on {on}.",
        "gone_title": "Nothing is shared here",
        "gone": "This link was mistyped, has ended, or is too old. Ask whoever gave it to you for a new one, or check "
        "the certificate itself.",
        "endorsement": "The endorsement",
        "number": "Number", "category": "Category", "association": "Held by", "standing": "Standing", "since": "Since",
        "through": "Through",
        "history": "What became of it",
        "history_hint": "Awards, renewals, lapses and associations.",
        "day": "Day", "what": "What",
        "others": "Other endorsements",
        "no_others": "There are none.",
        "provider": "Reflective supervision and consultation",
        "qualified": "Hours with this person count today for {slots}.",
        "not_qualified": "Hours with this person do not count today.",
        "unfindable": "The holder chose what you see here and may end it at any time. Do not pass the link on.",
    },
    "es": {
        "title": "Compartido por {name}",
        "lead": "{name} le muestra esto hasta el {until}. Es el estado del {on}.",
        "gone_title": "Aquí no se comparte nada",
        "gone": "Este enlace está mal escrito, terminó o es demasiado antiguo. Pida uno nuevo a quien se lo dio, o "
        "compruebe el certificado mismo.",
        "endorsement": "El aval",
        "number": "Número", "category": "Categoría", "association": "A cargo de", "standing": "Estado",
        "since": "Desde", "through": "Hasta",
        "history": "Su historia",
        "history_hint": "Otorgamientos, renovaciones, vencimientos y asociaciones.",
        "day": "Día", "what": "Qué",
        "others": "Otros avales",
        "no_others": "No hay otros.",
        "provider": "Supervisión y consulta reflexiva",
        "qualified": "Hoy las horas con esta persona cuentan para {slots}.",
        "not_qualified": "Hoy las horas con esta persona no cuentan.",
        "unfindable": "La persona titular eligió lo que usted ve aquí y puede terminarlo en cualquier momento. No "
        "comparta el enlace.",
    },
}  # fmt: skip
_CAMBIOS: Final[dict[str, str]] = {
    "awarded": "Otorgado", "recorded": "Anotado", "renewed": "Renovado", "lapsed": "Vencido",
    "inactive": "Pasó a inactivo", "reactivated": "Activo de nuevo", "emeritus": "Emérito",
    "reinstated": "Restablecido", "add_on_granted": "Complemento otorgado", "add_on_ended": "Complemento terminado",
    "converted": "Convertido de una categoría retirada", "corrected": "Corregido",
    "transferred": "Pasó a otra asociación",
}  # fmt: skip
