"""What the tests of both faces share: the real server on loopback, actors with keys, one life."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import httpx
import pytest
import uvicorn
from grounds import PATIENCE
from references import give_references

from domain.access import OPERATOR
from domain.endorsement import Endorsement, Source, new_number
from domain.person import Person
from projections.engine import Engine
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
        thread.join(timeout=PATIENCE)


class Client:
    """One actor over real HTTP. A POST gets a new Idempotency-Key unless one is given."""

    def __init__(self, address: str, key: str = "") -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=address, headers=headers, timeout=PATIENCE)

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


class Views:
    """The views, brought up when told to, or all the time."""

    def __init__(self, store, vault, connection) -> None:
        self.engine = Engine(store.mapper.load, vault.open_all)
        self.connection = connection
        self.engine.rebuild(connection)

    def catch_up(self) -> int:
        return self.engine.catch_up(self.connection)


@pytest.fixture
def views(store, vault, connect, registry) -> Views:
    return Views(store, vault, connect("projector"))


class Life:
    """Somebody with what an IFA needs, and deeds on the way to an endorsement."""

    def __init__(self, client, registry) -> None:
        self.client = client
        self.registry = registry
        self.va = client("coordinator", association="VA")
        self.reviewers = [self.endorse() for _ in range(2)]
        answer = self.va.do("/people", {"name": "Marisol Okafor", "credentials": "MSW", "residence": "VA",
                                        "email": "marisol@example.org"})  # fmt: skip
        self.person = created(answer, "person")
        self.holder = client("holder", person=self.person)

    def endorse(self, association: str = "VA", category: str = "IMHM-C") -> tuple[str, str]:
        """Somebody of long standing, by events: their number and person."""
        person, number = self.registry.new_id(), new_number(category, self.registry.draw)
        today = self.registry.today(association)
        by, on = "operator", date(2020, 3, 2)
        registered = Person(person)
        registered.register(
            residence=association, name="Ada Reviewer", credentials="", email="", match="", on=on, by=by
        )
        registered.record_reviewer_training(association, on=on, by=by)
        held = Endorsement(number)
        held.record(
            Endorsement.Imported, number=number, person=person, category=category, association=association,
            awarded_on=on, through=date(2027, 12, 31), standing="active",
            source=Source(file="0" * 64, row=1, record=number), on=today, by=by,
        )  # fmt: skip
        self.registry.store.save(registered, held)
        return number, person

    def portfolio(self) -> None:
        for entry in (WORK, TRAINING):
            self.holder.do(f"/people/{self.person}/entries", entry)

    def start(self) -> str:
        """Started, and accepted: a member for the year, no fee asked."""
        application = self.begin()
        self.va.do(f"/applications/{application}/registrations", self.membership())
        return application

    def begin(self, category: str = "IFA") -> str:
        answer = self.holder.do(f"/people/{self.person}/applications", {"association": "VA", "category": category})
        return created(answer, "application")

    def membership(self) -> dict[str, Any]:
        today = self.registry.today("VA")
        return {"fee": "not_asked", "member_through": date(today.year, 12, 31).isoformat()}

    def submitted(self) -> str:
        self.portfolio()
        give_references(self.registry, self.person, "IFA")
        application = self.start()
        self.holder.do(f"/applications/{application}/submissions", {"signed": True})
        return application

    def judged(self) -> str:
        application = self.submitted()
        for number, person in self.reviewers:
            self.va.do(f"/applications/{application}/reviewers", {"reviewer": number})
            their = self.client("reviewer", person=person)
            their.do(f"/applications/{application}/recommendations", {"reviewer": number, "outcome": "approve"})
        return application

    def endorsed(self) -> str:
        return created(self.va.do(f"/applications/{self.judged()}/approvals"), "endorsement")


@pytest.fixture
def life(client, registry) -> Life:
    return Life(client, registry)
