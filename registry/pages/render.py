"""Renders the templates: language, visitor, banner and the words that every page needs."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import PUBLIC, Actor
from domain.category import CATEGORIES, CURRENT
from domain.errors import NotFound
from registry.api.associations import known_rows
from registry.api.deeds import BY_NAME
from registry.api.past import PRESENT, when_of
from registry.api.shown import category_title
from registry.certificates.keys import KeyFolder
from registry.pages.words import HAPPENED, LABELS, LANGUAGES, STANDING_COLOURS, TEXTS, plain
from registry.settings import Settings

_ASSETS: Final = {
    "style.css": "text/css; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "rate.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@cache
def _content(name: str) -> tuple[bytes, str]:
    content = (files("registry.pages") / "assets" / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


async def asset(request: HttpRequest) -> Response:
    name = request.path_params["file"]
    if name not in _ASSETS:
        raise NotFound("file")
    try:
        content, digest = _content(name)
    except FileNotFoundError:
        raise NotFound("file") from None
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{digest}"'}
    return Response(content, media_type=_ASSETS[name], headers=headers)


def asset_address(name: str) -> str:
    """With its hash, so that it may be kept for ever; empty when set-up has not put it there."""
    try:
        return f"/assets/{name}?{_content(name)[1]}"
    except FileNotFoundError:
        return ""


def language_of(request: HttpRequest) -> str:
    """As asked for in the address, else the first of the browser's languages that we speak."""
    asked = request.query_params.get("lang", "")
    if asked in LANGUAGES:
        return asked
    for part in request.headers.get("accept-language", "").split(","):
        code = part.partition(";")[0].strip().partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    return "en"


def instant(value: datetime | str) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def last_day(certificate: Mapping[str, str]) -> str:
    """The last day of a certificate where its association is; in UTC it may be the next one already."""
    row = known_rows().get(certificate["association"])
    expires = datetime.fromisoformat(certificate["expires_at"])
    return (expires.astimezone(ZoneInfo(row.zone)) if row else expires).date().isoformat()


def who(by: str) -> str:
    """`coordinator:VA:k3f9` as words; a person's id says nothing to a reader."""
    role, _, rest = by.partition(":")
    place = rest.partition(":")[0]
    return f"{role}, {place}" if place in known_rows() else role


def value(given: Any) -> str:
    """A fact of an event for the table."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, date):
        return given.isoformat()
    return plain(f"{given:g}") if isinstance(given, float) else plain(str(given))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("registry.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"instant": instant, "who": who, "value": value, "plain": plain}
    environment.globals |= {
        "asset": asset_address,
        "category_title": category_title,
        "last_day": last_day,
        "CATEGORIES": CATEGORIES,
        "CURRENT": CURRENT,
        "DEEDS": BY_NAME,
        "HAPPENED": HAPPENED,
        "LABELS": LABELS,
        "STANDING_COLOURS": STANDING_COLOURS,
    }
    return environment


# What is left out of a link to another past of the same page.
_PAST_AND_PLACE: Final = frozenset({"known", "on", "position", "cursor", "done"})


def page(settings: Settings, request: HttpRequest, template: str, *, status: int = 200, **facts: Any) -> Response:
    lang = language_of(request)
    actor: Actor = getattr(request.state, "actor", PUBLIC)
    texts: Mapping[str, str] = TEXTS[lang]
    other = "es" if lang == "en" else "en"
    html = (
        _environment()
        .get_template(template)
        .render(
            t=texts,
            lang=lang,
            lang_query=f"?lang={lang}" if request.query_params.get("lang") else "",
            other_lang=str(request.url.include_query_params(lang=other).replace(scheme="", netloc="")),
            actor=actor,
            here=request.url.path,
            when=when_of(request),
            takes=getattr(request.state, "takes", PRESENT),
            asked_for={name: value for name, value in request.query_params.items() if name not in _PAST_AND_PLACE},
            done=BY_NAME.get(request.query_params.get("done", "")),
            specimen=_specimen(settings),
            ROWS=known_rows(),
            **facts,
        )
    )
    # Pages of nobody in particular may be kept, but are asked for again.
    headers = {"Vary": "Cookie, Accept-Language"}
    return Response(html, status, media_type="text/html; charset=utf-8", headers=headers)


def _specimen(settings: Settings) -> bool:
    try:
        return any(facts.specimen for facts in KeyFolder(settings.keys).facts())
    except Exception:  # noqa: BLE001 # no keys, or none that can be read: nothing was signed with them
        return False
