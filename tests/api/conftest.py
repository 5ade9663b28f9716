"""The real server on loopback, over the test's own database; actors with keys; the life of one endorsement."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from domain.access import OPERATOR
from registry.api import create_app
from registry.api.actors import Desk
from registry.certificates.keys import announce
from registry.commands import Act, Registry
from registry.opening import open_keys

TRAINING = {"kind": "training", "from": "2025-03-01", "through": "2025-03-05", "hours": 34}
WORK = {"kind": "work", "from": "2022-01-03", "through": "2025-12-31", "sector": "home_visiting"}


@contextmanager
def serving(app: Any) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=15)


class Client:
    """One actor over real HTTP. A POST gets a new Idempotency-Key unless one is given."""

    def __init__(self, address: str, key: str = "") -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=address, headers=headers, timeout=20)

    def post(self, path: str, body: Any = None, *, key: str = "", **headers: str) -> httpx.Response:
        given = {"Idempotency-Key": key or str(uuid.uuid4())} | headers
        return self.http.post(f"/api{path}", json={} if body is None else body, headers=given)

    def do(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """A deed that has to succeed."""
        answer = self.post(path, body, **headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(f"/api{path}", headers=headers)


@pytest.fixture
def registry(settings, store, clock, randomness) -> Registry:
    keys = open_keys(settings)
    keys.init(settings.public_host, clock().replace(year=2020), specimen=True, random=randomness)
    made = Registry(store, clock=clock, draw=randomness, kid=lambda: keys.signer("certificate", clock()).kid)
    announce(store, keys, on=clock.today, by="operator")
    made.admit_all(Act(OPERATOR))
    return made


@pytest.fixture
def address(settings, registry, clock) -> Iterator[str]:
    with serving(create_app(settings, registry=registry, clock=clock)) as where:
        yield where


@pytest.fixture
def desk(settings, clock, randomness) -> Iterator[Desk]:
    desk = Desk(settings, clock=clock, random=randomness)
    yield desk
    desk.close()


@pytest.fixture
def client(address, desk) -> Iterator[Callable[..., Client]]:
    """`client("coordinator", association="VA")`; `client()` is the public."""
    made: list[Client] = []

    def make(role: str = "", **whose: str) -> Client:
        made.append(Client(address, desk.add(role, **whose)[1] if role else ""))
        return made[-1]

    yield make
    for one in made:
        one.http.close()


def created(answer: dict[str, Any], kind: str) -> str:
    """The id of a new case in an answer."""
    return next(
        event["stream"].partition("/")[2] for event in answer["events"] if event["stream"].startswith(f"{kind}/")
    )
