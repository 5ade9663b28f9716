"""Reads what a request says: who asks, which version they saw, their key, their body; each strictly."""

import re
import types
from datetime import date
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from starlette.requests import Request as HttpRequest

from domain.access import PUBLIC, Actor
from domain.errors import Invalid
from domain.event import Request
from registry.api.house import House
from registry.api.problems import Problem
from registry.commands import Act
from verifier import strictjson

LONGEST_BODY = 64 << 10
_ETAG = re.compile(r'"(\d{1,18})"')
_AT = re.compile(r"at `\$\.?([^`]*)`")
_NAMED = re.compile(r"field `([^`]+)`")


async def actor_of(house: House, request: HttpRequest) -> Actor:
    """Whose key it is; the public without one. Raises Problem for a key that is none of ours."""
    header = request.headers.get("authorization")
    if header is None:
        return PUBLIC
    scheme, _, secret = header.partition(" ")
    actor = await house.enter(house.desk.by_key, secret.strip()) if scheme.lower() == "bearer" else None
    if actor is None:
        raise Problem(
            "unauthenticated",
            "This key is mistyped, expired or withdrawn. Ask the operator for a new one.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return actor


def idempotency_key(request: HttpRequest) -> str:
    given = request.headers.get("idempotency-key", "")
    try:
        return str(UUID(given))
    except ValueError:
        raise Problem(
            "idempotency_key",
            "Send a new UUID in the header Idempotency-Key." if not given else "Idempotency-Key is not a UUID.",
            field="Idempotency-Key",
        ) from None


def seen_version(request: HttpRequest) -> int | None:
    given = request.headers.get("if-match")
    if given is None or given == "*":
        return None
    found = _ETAG.fullmatch(given)
    if found is None:
        raise Problem("if_match", 'If-Match takes one ETag as it was given, such as "7".', field="If-Match")
    return int(found[1])


async def read(request: HttpRequest, most: int = LONGEST_BODY) -> bytes:
    """The body, given up as soon as it is larger than it may be."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise Problem("too_large", f"Send at most {most >> 10} KiB.", headers={"Connection": "close"})
    return bytes(body)


async def body_of(request: HttpRequest, kind: type[Any]) -> Any:
    """The body as this struct. Nothing at all is an empty object."""
    raw = await read(request)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if raw and media != "application/json":
        raise Problem("media_type", "Send JSON, with Content-Type: application/json.")
    try:
        value = strictjson.loads(raw) if raw.strip() else {}
    except strictjson.NotStrict as refused:
        raise Problem("malformed", f"Send one JSON object: this is {refused}.") from None
    return converted(value, kind)


def converted(value: Any, kind: type[Any], *, strict: bool = True) -> Any:
    """Plain values as a struct. Raises Invalid, which names the field and what it takes."""
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise _wrong(str(error), kind) from None


def _wrong(text: str, kind: type[Any]) -> Invalid:
    place, named = _AT.search(text), _NAMED.search(text)
    if "unknown field" in text and named:
        return Invalid(f"There is no field {named[1]}; leave it out. {_known(kind)}", field=named[1])
    if "missing required field" in text and named:
        return Invalid(f"Give {named[1]}: {_takes(kind, named[1])}.", field=named[1])
    field = re.split(r"[.\[]", place[1])[0] if place else ""
    if not field:
        return Invalid(f"Send one JSON object. {_known(kind)}")
    return Invalid(f"Give {field} as {_takes(kind, field)}.", field=field)


def _known(kind: type[Any]) -> str:
    names = ", ".join(field.encode_name for field in msgspec.structs.fields(kind))
    return f"Known are: {names}."


def _takes(kind: type[Any], name: str) -> str:
    hints = get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        if field.encode_name == name:
            return takes(hints[field.name])
    return "this takes"


def takes(hint: Any) -> str:
    """What a field of this type takes, in words."""
    if get_origin(hint) in (Union, types.UnionType):
        return takes(next(part for part in get_args(hint) if part is not type(None)))
    if get_origin(hint) is Literal:
        return f"one of {', '.join(str(word) for word in get_args(hint) if word)}"
    if get_origin(hint) is tuple:
        return f"a list, each item {takes(get_args(hint)[0])}"
    return {str: "text", bool: "true or false", float: "a number", int: "a whole number",
            date: "a day like 2026-06-01"}.get(hint, "the documentation says")  # fmt: skip


def act_of(house: House, request: HttpRequest, actor: Actor, body: Any) -> Act:
    """Who acts, for which day, under which key. The fingerprint covers the address and every value of the body."""
    fingerprint = house.vault.fingerprint("request", canonical(request.url.path, body))
    key = Request(idempotency_key(request), fingerprint)
    return Act(actor, on=body.on, late=body.late, request=key, version=seen_version(request))


def canonical(path: str, body: Any) -> bytes:
    """What an Idempotency-Key was used for: the address and every value of the body, in one spelling."""
    return msgspec.json.encode([path, body], order="sorted")


# --- of questions


def day(request: HttpRequest, name: str = "on") -> date | None:
    given = request.query_params.get(name)
    if given is None or given == "":
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise Invalid("Give a day like 2026-06-01.", field=name) from None


def number(request: HttpRequest, name: str, otherwise: int, *, most: int) -> int:
    given = request.query_params.get(name, "")
    if not given:
        return otherwise
    if not given.isdecimal() or not 1 <= int(given[:18]) <= most:
        raise Invalid(f"Give a whole number from 1 to {most}.", field=name)
    return int(given)
