"""Fetches files of one server: https, no other host, nothing larger or slower than was asked for."""

from __future__ import annotations

import http.client
import ipaddress
import time
import urllib.error
import urllib.request
from email.message import Message
from typing import IO, Final
from urllib.parse import urlsplit

_QUIET: Final = 15.0  # seconds without a byte
_DEADLINE: Final = 120.0  # seconds for one file
_PIECE: Final = 1 << 16
_TRIES: Final = 3
_PAUSE: Final = 0.5  # seconds, then twice that
_NOT_THERE: Final = {404, 410}
_SERVER_FAULT: Final = 500


class Unreached(Exception):
    """A file could not be had; that says nothing about what it would have said."""


class _SameServer(urllib.request.HTTPRedirectHandler):
    max_redirections = 3

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        if origin(newurl) != origin(req.full_url):
            fp.close()
            raise Unreached(f"{req.full_url} leads to another server, {urlsplit(newurl).netloc or newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]  # msg is headers


class Server:
    """The files below one address."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        scheme, host, _ = origin(self.url)
        # What is on this machine is never asked for through a proxy.
        proxies = [urllib.request.ProxyHandler({})] if _is_here(host) else []
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            *proxies,
            *([] if proxies else [urllib.request.ProxyHandler()]),
            urllib.request.HTTPSHandler() if scheme == "https" else urllib.request.HTTPHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _SameServer(),
        ):
            self._opener.add_handler(handler)

    def get(self, name: str, most: int) -> bytes | None:
        """A whole file of at most so many bytes; None if there is none. Raises Unreached after three tries."""
        last = ""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE * attempt)
            try:
                return self._read(name, most)
            except urllib.error.HTTPError as refused:
                refused.close()
                if refused.code in _NOT_THERE:
                    return None
                last = f"the server answers {refused.code}"
                if refused.code < _SERVER_FAULT:
                    break
            except (OSError, http.client.HTTPException) as failed:
                reason = getattr(failed, "reason", None) or failed
                last = str(reason) or type(failed).__name__
        raise Unreached(f"{self.url}/{name}: {last}")

    def _read(self, name: str, most: int) -> bytes:
        ends = time.monotonic() + _DEADLINE
        # The identity: what is packed here is unpacked by its own reader, which knows how large it may be.
        asked = urllib.request.Request(f"{self.url}/{name}", headers={"Accept-Encoding": "identity"})  # noqa: S310 - the scheme was looked at
        with self._opener.open(asked, timeout=_QUIET) as answer:
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise Unreached(f"{self.url}/{name} comes packed, and was not asked for so")
            stated = answer.headers.get("Content-Length")
            if stated is None and answer.headers.get("Transfer-Encoding", "").lower() != "chunked":
                raise Unreached(f"{self.url}/{name} comes without its length")
            pieces, size = [], 0
            while piece := answer.read1(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > most:
                    raise Unreached(f"{self.url}/{name} is larger than any such file of a registry")
                if time.monotonic() > ends:
                    raise Unreached(f"{self.url}/{name} comes too slowly")
            if stated is not None and stated != str(size):
                raise http.client.IncompleteRead(b"", int(stated) - size if stated.isdecimal() else None)
            return b"".join(pieces)


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port. Raises Unreached for what has none, or is no address to fetch from."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unreached(f"{url!r} is not an address") from None
    host = parts.hostname or ""
    if parts.username is not None or not host or parts.query or parts.fragment or not url.isprintable():
        raise Unreached(f"{url!r} is not an address to fetch files from: write https://HOST")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise Unreached(f"{url!r} is not https, which only an address of this machine may be")
    return parts.scheme, host, port


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
