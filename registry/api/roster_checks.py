"""A roster over HTTP: what was sent, whose turn it is, and the signed receipt as JSON or as pages."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Final

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import PUBLIC, Actor
from registry.api.asking import actor_of, read
from registry.api.house import House
from registry.api.problems import Problem
from registry.roster_check import rows_given
from verifier import receipt, strictjson
from verifier.roster import LONGEST_FILE, MOST_ROWS, NotARoster, Row
from verifier.roster import read as rows_of

PDF: Final = "application/pdf"

_SHAPE: Final = '{"rows": [{"number": "...", "name": "..."}]}, both texts'


def whose_turn(request: HttpRequest, actor: Actor) -> str:
    """The key where there is one, else the address; of IPv6 the network that one household has."""
    if actor is not PUBLIC:
        return actor.by
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else str(address)


class _Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    name: str


class _Roster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`number` is an endorsement number, or the text of a certificate's code."""

    rows: list[_Given]


async def check_roster(request: HttpRequest) -> Response:
    """Rows as CSV or JSON; the receipt as JSON, or as PDF for who prefers that."""
    house: House = request.app.state.house
    actor = await actor_of(house, request)
    rows = _rows(request, await read(request, LONGEST_FILE))
    house.rosters.turns.take(whose_turn(request, actor), len(rows))
    answered = await house.rosters.check(rows, house.clock(), lambda _done, _of: None)
    wants_pdf = PDF in request.headers.get("accept", "")
    content = await house.rosters.print(answered.content) if wants_pdf else answered.content
    return receipt_file(content, answered.receipt["checked_at"], PDF if wants_pdf else receipt.MEDIA)


def receipt_file(content: bytes, checked_at: str, media: str) -> Response:
    name = f"roster-receipt-{checked_at.replace(':', '')}.{'pdf' if media == PDF else 'json'}"
    return Response(content, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _rows(request: HttpRequest, content: bytes) -> list[Row]:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in ("text/csv", "text/plain"):
        return roster_of(content)
    if media != "application/json":
        raise Problem("media_type", f"Send text/csv, or application/json as {_SHAPE}.")
    try:
        value = strictjson.loads(content, most=LONGEST_FILE)
    except strictjson.NotStrict as refused:
        raise Problem("malformed", f"Send one JSON object: this is {refused}.") from None
    try:
        given = msgspec.convert(value, _Roster)
    except msgspec.ValidationError:
        raise Problem("invalid", f"Send one JSON object: {_SHAPE}.", field="rows") from None
    if not 0 < len(given.rows) <= MOST_ROWS:
        raise Problem("invalid", f"Give from 1 to {MOST_ROWS:,} rows.", field="rows")
    return rows_given([(one.number, one.name) for one in given.rows])


def roster_of(content: bytes) -> list[Row]:
    """The rows of a file or a paste. Raises Problem, which names row, column and fix."""
    try:
        return rows_of(content)
    except NotARoster as refused:
        raise Problem("invalid", str(refused), field="rows") from None
