"""Posts to an address somebody else chose: by TLS to a public address only, looked up once and called as looked up."""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

SECONDS: Final = 10.0
"""For each of connecting, sending and the whole answer."""
_MOST_READ: Final = 64 << 10
_GOOD: Final = range(200, 300)
GONE: Final = 410

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Answered(NamedTuple):
    """What came of it, in a word that repeats nothing of theirs: `200`, `timeout`, `not_public`, `tls`, ..."""

    word: str
    status: int = 0

    @property
    def taken(self) -> bool:
        return self.status in _GOOD

    @property
    def gone(self) -> bool:
        return self.status == GONE


class NotPublic(Exception):
    """The name leads to an address that is not called."""


def is_public(text: str) -> bool:
    """Whether anybody on the internet could call this address; one that carries another one in it never is."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address.sixtofour or address.teredo or any(address in net for net in _CARRYING):
            return False
        if not address.is_global or address not in _UNICAST:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_CARRYING: Final = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


def resolve(host: str, port: int, *, local: bool) -> str:
    """The address to call. Raises NotPublic if any of those the name leads to is not public; OSError."""
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        loopback = ipaddress.ip_address(address.partition("%")[0]).is_loopback
        if not (is_public(address) or (local and loopback)):
            raise NotPublic
    if not found:
        raise OSError("the name leads nowhere")
    return found[0]


class Receiver:
    """One address for as long as there is something to send; the line is kept open between messages.

    No redirect is followed and no proxy asked: the answer's status is all that is heeded.
    """

    def __init__(self, url: str, *, local: bool = False, seconds: float = SECONDS) -> None:
        parts = urlsplit(url)
        self._host, self._path = parts.hostname or "", parts.path or "/"
        if parts.query:
            self._path += f"?{parts.query}"
        self._seconds = seconds
        self._local = local
        secure = parts.scheme != "http"
        self._port = parts.port or (443 if secure else 80)
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection: http.client.HTTPConnection = kind(self._host, self._port, timeout=seconds)
        self._tls = ssl.create_default_context() if secure else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def post(self, body: bytes, headers: dict[str, str]) -> Answered:
        """Never raises for what the other side does."""
        kept = self._connection.sock is not None
        answered = self._post(body, headers)
        # A line that was kept open may have been closed meanwhile: then once more, on a new one.
        return self._post(body, headers) if kept and answered.word == "closed" else answered

    def _post(self, body: bytes, headers: dict[str, str]) -> Answered:
        try:
            if self._connection.sock is None:
                self._connection.sock = self._connect()
            with _within(self._connection.sock, self._seconds):
                self._connection.request("POST", self._path, body, headers)
                answer = self._connection.getresponse()
                whole = len(answer.read(_MOST_READ + 1)) <= _MOST_READ
            if not whole or answer.will_close:
                self._connection.close()
            return Answered(str(answer.status), answer.status)
        except (OSError, NotPublic, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            return Answered(_word(error))

    def _connect(self) -> socket.socket:
        """To the very address that was looked at: a name that leads elsewhere a moment later changes nothing."""
        address = resolve(self._host, self._port, local=self._local)
        line = socket.create_connection((address, self._port), timeout=self._seconds)
        if self._tls is None:
            return line
        try:
            secured = self._tls.wrap_socket(line, server_hostname=self._host, do_handshake_on_connect=False)
        except BaseException:
            line.close()
            raise
        try:
            with _within(secured, self._seconds):
                secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return secured


@contextmanager
def _within(line: socket.socket, seconds: float) -> Iterator[None]:
    """Raises TimeoutError when it takes longer: a socket's own timeout starts again with every byte."""
    late = threading.Timer(seconds, _shut, [line])
    late.start()
    begun = time.monotonic()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if time.monotonic() - begun >= seconds:
            raise TimeoutError from None
        raise
    finally:
        late.cancel()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        # Not the TLS one's own, which forgets what another thread is reading with.
        socket.socket.shutdown(line, socket.SHUT_RDWR)


def _word(error: Exception) -> str:
    if isinstance(error, NotPublic):
        return "not_public"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, socket.gaierror):
        return "unknown_host"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "closed" if isinstance(error, ConnectionError | http.client.HTTPException) else "no_answer"
