"""The witness over HTTP: `POST /add-checkpoint`, `GET /SHA256-OF-ORIGIN/checkpoint` for monitors, `GET /health`."""

import asyncio
import json
import logging
import re
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import uvicorn

from registry.witness.witness import TEXT_MEDIA, Facts, Refused, Witness

LONGEST: Final = 256 << 10
"""Bytes of a submission: 63 hashes, and a checkpoint with 16 signatures of the longest kind."""

_SECONDS: Final = 10.0
_MONITORED: Final = re.compile(r"/([0-9a-f]{64})/checkpoint")
_LOG: Final = logging.getLogger("registry.witness")

Answer = tuple[HTTPStatus, str, str]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class _Gone(Exception):
    """Nobody waits for an answer any more."""


def application(witness: Witness) -> Callable[[dict[str, Any], Receive, Send], Awaitable[None]]:
    """The witness as an ASGI application."""

    async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        begun = time.monotonic()
        facts = [Facts()]
        try:
            status, text, media = await _answer(witness, scope, receive, facts.append)
        except _Gone:
            return
        headers = [
            (b"content-type", media.encode()),
            (b"content-length", str(len(text.encode())).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append((b"allow", b"POST" if scope["path"] == "/add-checkpoint" else b"GET, HEAD"))
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append((b"retry-after", b"2"))
        await send({"type": "http.response.start", "status": status.value, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text.encode()})
        if scope["path"] == "/add-checkpoint":
            _say(facts[-1], status, round(time.monotonic() - begun, 3))

    return answer


async def _answer(witness: Witness, scope: dict[str, Any], receive: Receive, facts: Callable[[Facts], None]) -> Answer:
    path, method = scope["path"], scope["method"]
    monitored = _MONITORED.fullmatch(path)
    if not monitored and path not in ("/add-checkpoint", "/health"):
        return HTTPStatus.NOT_FOUND, "there is nothing here; a log posts to /add-checkpoint\n", TEXT_MEDIA
    if method not in (("POST",) if path == "/add-checkpoint" else ("GET", "HEAD")):
        return HTTPStatus.METHOD_NOT_ALLOWED, "this address takes another method\n", TEXT_MEDIA
    try:
        if path == "/health":
            await asyncio.to_thread(witness.ledger.owner)
            return HTTPStatus.OK, "ok\n", TEXT_MEDIA
        if monitored:
            note = await asyncio.to_thread(witness.ledger.note_of, monitored[1])
            return (HTTPStatus.OK if note else HTTPStatus.NOT_FOUND), note or "nothing was cosigned\n", TEXT_MEDIA
        body = await _body(receive)
        return HTTPStatus.OK, await asyncio.to_thread(witness.add_checkpoint, body, facts), TEXT_MEDIA
    except Refused as refused:
        return refused.status, refused.text, refused.media
    except sqlite3.Error as error:
        _LOG.error(json.dumps({"what": "ledger", "why": type(error).__name__}))
        return HTTPStatus.SERVICE_UNAVAILABLE, "the witness can't reach its ledger\n", TEXT_MEDIA


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                parts.append(message.get("body", b""))
                if sum(map(len, parts)) > LONGEST:
                    raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the submission is too long\n")
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, "the submission did not come\n") from None


def _say(facts: Facts, status: HTTPStatus, seconds: float) -> None:
    """One line for each submission: no address, no header, nothing of who asked."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"at": at, "origin": facts.origin[:200], "size": facts.size, "status": status.value, "seconds": seconds}
    _LOG.info(json.dumps(line))


def serve(witness: Witness, *, host: str, port: int, started: Callable[[str], None]) -> None:
    """Until a signal ends it; `started` is told the address."""
    server(witness, host=host, port=port, started=started).run()


def server(witness: Witness, *, host: str, port: int, started: Callable[[str], None]) -> uvicorn.Server:
    """Not yet running; `port` 0 takes a free one."""
    config = uvicorn.Config(
        application(witness),
        host=host,
        port=port,
        lifespan="off",
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
    return _Server(config, partial(_tell, host, started))


def _tell(host: str, started: Callable[[str], None], port: int) -> None:
    started(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")


class _Server(uvicorn.Server):
    """Says when and where it listens."""

    def __init__(self, config: uvicorn.Config, started: Callable[[int], None]) -> None:
        super().__init__(config)
        self._say_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._say_started(int(self.servers[0].sockets[0].getsockname()[1]))


def to_stderr() -> None:
    """Let the lines of the witness go to stderr, from information up."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    _LOG.handlers = [handler]
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False
