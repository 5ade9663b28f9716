"""The static plane over HTTP: files as any web server would hand them out, with how long they may be kept."""

import os
import re
from email.utils import formatdate
from pathlib import Path
from typing import Final

import anyio.to_thread
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

import verifier.page
from domain.association import CODE
from domain.errors import NotFound

_PATHS: Final = re.compile(
    r"\.well-known/did\.json|status/did\.json|keys\.json|s/[1-9][0-9]{0,8}(\.notes)?|checkpoint|witnesses|v1(\.html)?"
    r"|status/revocation/[1-9][0-9]{0,8}(\.jwt)?|achievements/[A-Z]{2,6}(-[A-Z]{1,2})?(\.html)?"
    rf"|associations/({CODE})(\.html)?"
    r"|v1-worker\.js|kit\.html"
    r"|tile/[0-9]{1,2}/(x[0-9]{3}/)*[0-9]{3}(\.p/[0-9]{1,3})?|tile/entries/(x[0-9]{3}/)*[0-9]{3}(\.p/[0-9]{1,3})?"
)
_SPELLED_TWICE: Final = ("status/revocation/", "achievements/", "associations/")
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_SHORT: Final = "public, max-age=60, stale-if-error=86400"
_MEDIA: Final = {
    "json": "application/json",
    "checkpoint": "text/plain; charset=utf-8",
    "witnesses": "text/plain; charset=utf-8",
    "s": "application/statuslist+cwt",
    "notes": "application/cwt",
    "v1": "text/html; charset=utf-8",
    "status": "application/vc",
    "jwt": "application/vc+jwt",
    "achievements": "application/ld+json",
    "associations": "application/ld+json",
    "js": "text/javascript; charset=utf-8",
}


async def hand_out(static: Path, path: str, request: HttpRequest) -> Response:
    """One file. Raises NotFound for what is none of the plane's."""
    if not _PATHS.fullmatch(path):
        raise NotFound("file")
    twice = path.startswith(_SPELLED_TWICE)
    path = _preferred(path, request.headers.get("accept", "")) if twice else path
    content, stat = await anyio.to_thread.run_sync(_read, static / path)
    headers = {
        **({"Vary": "Accept"} if twice else {}),
        "Cache-Control": _FOR_EVER if path.startswith("tile/") and ".p/" not in path else _SHORT,
        "ETag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"',
        "Last-Modified": formatdate(stat.st_mtime, usegmt=True),
        # Anybody's page and program may read what is published.
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if path in ("v1", "v1.html", "kit.html"):
        headers["Content-Security-Policy"] = verifier.page.policy()
        headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
        headers["Cache-Control"] = _SHORT
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_media(path), headers=headers)


def _preferred(path: str, accept: str) -> str:
    """The other spelling of a file where that is asked for: a list of badges as JWT, what badges name as a page."""
    for media, ending in (("application/vc+jwt", ".jwt"), ("text/html", ".html")):
        if media in accept and _PATHS.fullmatch(path + ending):
            return path + ending
    return path


def _media(path: str) -> str:
    name = path.rpartition(".")[2] if "." in path.rpartition("/")[2] else path.partition("/")[0]
    return _MEDIA.get("v1" if name == "html" else name, "application/octet-stream")


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    try:
        with path.open("rb") as file:
            return file.read(), os.fstat(file.fileno())
    except OSError:
        raise NotFound("file") from None
