"""What holds for every request: a deadline, security headers, no posts from other sites, logs without people."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.api.problems import Problem, problem_of

log = logging.getLogger("registry.requests")

DEADLINE: Final = 4.8
# A phone sends its picture slowly; what answers it needs no database.
UPLOAD_DEADLINE: Final = 60.0
CHECK: Final = "/v1/check"
SLOW: Final = frozenset({CHECK, "/roster-check", "/roster-check/receipt", "/api/roster-checks"})

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # Whatever does not say that it is public is somebody's.
    "Cache-Control": "no-store",
}
HSTS: Final = "max-age=63072000; includeSubDomains; preload"


class Edge:
    """The outermost layer; `refuse` makes the answer to a refusal that nothing further in caught."""

    def __init__(self, app: ASGIApp, refuse: Callable[[Scope, Problem], ASGIApp]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(scope, MutableHeaders(raw=message["headers"]))
                deadline.reschedule(None)  # what is on its way may take its time
            await send(message)

        seconds = UPLOAD_DEADLINE if scope["path"] in SLOW else DEADLINE
        try:
            async with asyncio.timeout(seconds) as deadline:
                if from_elsewhere(scope):
                    said = "This was sent from another site. Open the page here and send it again."
                    await self._refuse(scope, Problem("cross_site", said))(scope, receive, answer)
                else:
                    await self._app(scope, receive, answer)
        except Exception as error:  # the last place that can answer
            problem = problem_of(error)
            if problem.kind.code == "internal":
                # The trace's line numbers, never its values.
                # Not log.exception: the text of an error may hold a name.
                log.error("%s %s", problem.facts["trace"], _places(error))  # noqa: TRY400 # as said
            if status:
                raise
            deadline = asyncio.timeout(None)
            async with deadline:
                await self._refuse(scope, problem)(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            milliseconds = (time.monotonic() - begun) * 1000
            log.info("%s %s %d %.0f ms", scope["method"], route, status, milliseconds)

    def _dress(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if scope["scheme"] == "https":
            headers.setdefault("Strict-Transport-Security", HSTS)


def from_elsewhere(scope: Scope) -> bool:
    """Whether a browser sends this from another site's page.

    Keys of the API come in a header that no other site can set, and a check needs no rights.
    """
    if scope["method"] in ("GET", "HEAD", "OPTIONS") or scope["path"] == CHECK or scope["path"].startswith("/api/"):
        return False
    headers = Headers(scope=scope)
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _places(error: BaseException) -> str:
    """Where it happened, innermost last: files, lines and the class of the error; its text may hold a name."""
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{step.tb_lineno}")
        step = step.tb_next
    return f"{type(error).__name__} at {' '.join(places[-8:])}"
