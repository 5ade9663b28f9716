"""The fixtures of both faces, an employer, and a receiver of its alerts: a real HTTP server."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from faces import Client, address, client, created, desk, registry, views

from domain.endorsement import Endorsement, Source, new_number
from domain.person import Person
from registry.commands import Registry

__all__ = ["address", "client", "desk", "registry", "views"]


class Receiving:
    """What came, and what to answer: each of `answers` once, then 204."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}/alerts"
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.dawdle = 0.0

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.came]


@pytest.fixture
def tls() -> ssl.SSLContext | None:
    """How the receiver shows who it is; by http it does not."""
    return None


@pytest.fixture
def receiving(tls: ssl.SSLContext | None) -> Iterator[Receiving]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            there.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(there.dawdle)
            self.send_response(there.answers.pop(0) if there.answers else 204)
            for name, value in there.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Who called may be killed meanwhile."""

    server = Server(("127.0.0.1", 0), Handler)
    there = Receiving(server)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        there.url = f"https://localhost:{server.server_port}/alerts"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield there
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


class Holding:
    """Somebody of long standing with a certificate, made by events; and what happens to it."""

    def __init__(self, registry: Registry, client: Callable[..., Client]) -> None:
        self.registry = registry
        self.va = client("coordinator", association="VA")
        self.person, self.number = self._hold("Marisol Okafor", certified=True)
        self.holder = client("holder", person=self.person)

    def another(self) -> str:
        """The number of somebody else's, of which no certificate was issued."""
        return self._hold("Ada Reviewer", certified=False)[1]

    def more(self) -> str:
        """The number of another one of the same person's."""
        return self._hold("", certified=True, person=self.person)[1]

    def _hold(self, name: str, *, certified: bool, person: str = "") -> tuple[str, str]:
        registry, on, by = self.registry, date(2020, 3, 2), "operator"
        known = registry.store.get(Person, person) if person else Person(registry.new_id())
        if name:
            known.register(residence="VA", name=name, credentials="MSW", email="", match="", on=on, by=by)
        number = new_number("IFS", registry.draw)
        held = Endorsement(number)
        held.record(
            Endorsement.Imported, number=number, person=known.name, category="IFS", association="VA", awarded_on=on,
            through=date(2027, 12, 31), standing="active", source=Source(file="0" * 64, row=1, record=number),
            on=registry.today("VA"), by=by,
        )  # fmt: skip
        if certified:
            registry._certify(held, "imported", by=by, person=known)
        registry.store.save(known, held)
        return known.name, number

    def suspend(self) -> None:
        self.va.do(f"/endorsements/{self.number}/suspensions", {"reason": "sanction_being_established"})

    def lift(self) -> None:
        self.va.do(f"/endorsements/{self.number}/liftings")


@pytest.fixture
def life(registry, client) -> Holding:
    return Holding(registry, client)


class Employing:
    """An employer with a key."""

    def __init__(self, client: Callable[..., Client]) -> None:
        va = client("coordinator", association="VA")
        answer = va.do("/employers", {"name": "Riverside Clinic", "email": "hr@riverside.example.org"})
        self.id = created(answer, "employer")
        self.key = client("employer", person=self.id)

    def do(self, deed: str, body: Any = None) -> dict[str, Any]:
        return self.key.do(f"/employers/{self.id}/{deed}", body)

    def feed(self, after: int = 0, limit: int = 100) -> dict[str, Any]:
        return self.key.get(f"/employers/feed?after={after}&limit={limit}").json()


@pytest.fixture
def employer(client, registry) -> Employing:
    registry.webhooks_local = True
    return Employing(client)
