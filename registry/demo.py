"""The demo: a registry of made-up people and one person's life, played through the API on past days."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
import psycopg
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from domain.access import OPERATOR
from domain.editions import FIRST_CYCLE, cycle_years
from domain.endorsement import Certificate, Endorsement
from domain.reference import ASKED
from registry import database, sample, worker
from registry.api import create_app
from registry.api.actors import Desk
from registry.certificates.batch import write_certificate
from registry.certificates.documents import log_origin
from registry.certificates.issue import FILES
from registry.certificates.keys import KeysUnusable, announce
from registry.commands import Act, Registry
from registry.importing import import_roster, stream_of_record
from registry.opening import open_issuer, open_keys, open_plane, open_printer, open_registry
from registry.roster import read_roster
from registry.settings import Settings, WitnessAddress
from registry.vault import Vault
from registry.witness.witness import Witness
from verifier.certificate import unseal
from verifier.proof import vkey

SEED: Final = 2002
PEOPLE: Final = 120
WITNESS: Final = "witness.example/demo"
_RENEWAL_DAY = (10, 15)
# The last steps of the move need a few days after the renewal.
_ROOM = timedelta(days=7)
_NOON = clock_time(15, 0, tzinfo=UTC)  # the same day from Hawaii to Western Australia

Say = Callable[[str], None]


class NotADemo(Exception):
    """There is something in REGISTRY_HOME that this demo didn't make."""


class Made(msgspec.Struct, frozen=True):
    """What the demo made, as `registry demo --no-serve --json` prints it: paths are folders.

    `files`: the names of those in `certificates` and in `superseded`.
    """

    number: str
    certificates: str
    superseded: str
    static: str
    home: str
    files: tuple[str, ...] = tuple(FILES)


class People(msgspec.Struct, frozen=True):
    """Who may come in by a link: the holder's person id, a reviewer's, and an employer's id."""

    made: Made
    holder: str
    reviewer: str
    employer: str = ""


class DemoClock:
    """Stands on the day it is set to, a second further at each look, until it is let go into the present."""

    def __init__(self) -> None:
        self._at: datetime | None = None

    def __call__(self) -> datetime:
        if self._at is None:
            return datetime.now(UTC)
        self._at += timedelta(seconds=1)
        return self._at

    def stand(self, day: date) -> None:
        self._at = max(datetime.combine(day, _NOON), self._at or datetime.min.replace(tzinfo=UTC))

    def let_go(self) -> None:
        self._at = None


class Story(msgspec.Struct, frozen=True):
    """The days of the life: counted back from today, so that the certificate is valid now, in any year."""

    founded: date
    started: date
    submitted: date
    approved: date
    renewed: date
    moved: date

    @classmethod
    def until(cls, today: date) -> Story:
        """The renewal is in the last window that began a week or more ago; the move is after it."""
        year = FIRST_CYCLE
        for cycle in cycle_years():
            if date(cycle, *_RENEWAL_DAY) + _ROOM > today:
                break
            year = cycle
        renewed = date(year, *_RENEWAL_DAY)
        return cls(
            founded=date(year - 1, 1, 10),
            started=date(year - 1, 1, 20),
            submitted=date(year - 1, 2, 3),
            approved=date(year - 1, 2, 20),
            renewed=renewed,
            moved=min(date(year + 1, 3, 3), today - timedelta(days=4)),
        )


class Refused(Exception):
    """The API said no to a step of the demo: a defect of ours."""


class Client:
    """One actor's API key at one address; a rater needs none."""

    def __init__(self, address: str, key: str = "") -> None:
        self._address = address
        self._key = key

    def post(self, path: str, body: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Do a deed; the events it recorded."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self._address}/api{path}",
            data=json.dumps(body or {}).encode(),
            headers={
                **({"Authorization": f"Bearer {self._key}"} if self._key else {}),
                "Content-Type": "application/json",
                "Idempotency-Key": str(uuid.uuid4()),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                events: list[dict[str, Any]] = json.load(answer)["events"]
                return events
        except urllib.error.HTTPError as error:
            raise Refused(f"{path}: {error.read().decode()}") from None


def prepare(settings: Settings, say: Say) -> People:
    """Everything but serving; at once when it was done before. Raises NotADemo."""
    done = _done(settings)
    if done.is_file():
        say("The demo was made before; its data is used again.")
        return msgspec.json.decode(done.read_bytes(), type=People)
    _refuse_what_is_not_ours(settings)
    people = _make(settings, say)
    aside = done.with_suffix(".new")
    aside.write_bytes(msgspec.json.encode(people))
    aside.replace(done)
    return people


def _done(settings: Settings) -> Path:
    return settings.home / "demo.json"


def _refuse_what_is_not_ours(settings: Settings) -> None:
    if not _done(settings).is_file() and (settings.keys.exists() or not settings.embedded):
        raise NotADemo(
            f"{settings.home} has keys already, or REGISTRY_DATABASE_URL is set: the demo makes a registry of its own. "
            "Set REGISTRY_HOME to an empty folder, or remove what an interrupted demo left."
        )


@contextmanager
def witnessing(settings: Settings) -> Iterator[Callable[[], Settings]]:
    """A witness beside the demo, in a process of its own that ends with this one, however it ends.

    Gives what waits for it and says the settings that name it; only once there are keys. Raises NotADemo.
    """
    _refuse_what_is_not_ours(settings)
    folder = settings.home / "witness"
    witness = Witness.open(folder) if folder.exists() else Witness.make(folder, WITNESS)
    process = subprocess.Popen(  # noqa: S603 # our own program
        [sys.executable, "-m", "registry.witness", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us: we end first, it last
    )

    def witnessed() -> Settings:
        address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise Refused("the witness did not start")
        log_key = open_keys(settings).signer("log", datetime.now(UTC))
        witness.trust(vkey(log_origin(settings.public_host), log_key.public))
        return dataclasses.replace(settings, witnesses=(WitnessAddress(witness.vkey, address),))

    try:
        yield witnessed
    finally:
        process.communicate()  # closes its input: then it ends


def _make(settings: Settings, say: Say) -> People:
    clock = DemoClock()
    story = Story.until(datetime.now(UTC).date())
    clock.stand(story.founded)

    say("Starting PostgreSQL and making the tables ...")
    database.migrate(settings)
    say("Making keys (SPECIMEN: for trials only) ...")
    Vault.make_master_key(settings)
    keys = open_keys(settings)
    keys.init(settings.public_host, clock(), specimen=True)
    registry = open_registry(settings, clock=clock)
    announce(registry.store, keys, on=story.founded, by=OPERATOR.by)
    registry.admit_all(Act(OPERATOR))

    say("Importing a roster of made-up people ...")
    rows = sample.people(SEED, PEOPLE, story.founded)
    _import(registry, settings, sample.export(rows, slips=True), say)
    reviewers = [_number_of(registry, row) for row in rows[:4]]

    with serving(settings, registry, clock) as address, closing(Desk(settings, clock=clock)) as desk:
        counter = Counter(address, desk)
        number, holder, employer = _life(registry, counter, clock, story, reviewers, say)

        clock.let_go()
        say("Importing the same association's next file: renewals, lapses, a new name ...")
        sample.later(SEED, rows, date(story.renewed.year + 3, 12, 31))
        _import(registry, settings, sample.export(rows), say)
        _waiting(registry, counter, story, reviewers, say)

    folders = [_folder(settings, number, count) for count in range(1, len(certificates_of(registry, number)) + 1)]
    made = Made(number, str(folders[-1]), str(folders[-2]), str(settings.static), str(settings.home))
    reviewer = stream_of_record(registry.store, "VA", rows[1].record) or ""
    return People(made, holder, _person_of(registry, reviewer.partition("/")[2]), employer)


class Counter:
    """Hands out clients: an API key for each who acts."""

    def __init__(self, address: str, desk: Desk) -> None:
        self._address = address
        self._desk = desk

    def client(self, role: str, association: str = "", person: str = "") -> Client:
        return Client(self._address, self._desk.add(role, association=association, person=person)[1])

    def rater(self) -> Client:
        return Client(self._address)


def _life(
    registry: Registry, counter: Counter, clock: DemoClock, story: Story, reviewers: list[str], say: Say
) -> tuple[str, str, str]:
    """Apply, be reviewed by two, endorsed, renewed in a window, moved from VA to CT with the word of both."""
    mentor, first, second, _ = reviewers

    say("Marisol Okafor applies in Virginia ...")
    virginia = counter.client("coordinator", association="VA")
    person = _register(counter, "Marisol Okafor", "marisol.okafor@example.org", story, mentor)
    holder = counter.client("holder", person=person)
    for reviewer in (first, second):
        virginia.post(f"/people/{_person_of(registry, reviewer)}/trainings")
    clock.stand(story.started)
    application = _name(holder.post(f"/people/{person}/applications", {"association": "VA", "category": "IFS"}))
    _accept(virginia, application, story.started)
    _refer(registry, counter, holder, person)
    clock.stand(story.submitted)
    holder.post(f"/applications/{application}/submissions", {"signed": True})

    say("Two reviewers judge, the coordinator approves ...")
    for days, reviewer in ((2, first), (3, second)):
        clock.stand(story.submitted + timedelta(days=days))
        virginia.post(f"/applications/{application}/reviewers", {"reviewer": reviewer})
    for days, reviewer in ((9, first), (12, second)):
        clock.stand(story.submitted + timedelta(days=days))
        their = counter.client("reviewer", person=_person_of(registry, reviewer))
        their.post(f"/applications/{application}/recommendations", {"reviewer": reviewer, "outcome": "approve"})
    clock.stand(story.approved)
    approved = virginia.post(f"/applications/{application}/approvals")
    awarded = next(event for event in approved if event["topic"] == "endorsement.awarded")
    number: str = awarded["stream"].partition("/")[2]

    say("A clinic is shown the certificate, and follows it ...")
    employer = _name(virginia.post("/employers", {"name": "Riverside Clinic", "email": "hr@riverside.example.org"}))
    counter.client("employer", person=employer).post(
        f"/employers/{employer}/follows", {"number": number, "name": "Marisol Okafor"}
    )

    say("The window opens, Marisol renews by attestation ...")
    clock.stand(story.renewed)
    year = {"from": date(story.renewed.year, 1, 1).isoformat(), "through": date(story.renewed.year, 12, 31).isoformat()}
    virginia = counter.client("coordinator", association="VA")
    virginia.post(f"/people/{person}/memberships", {"association": "VA"} | year)
    holder = counter.client("holder", person=person)
    holder.post(
        f"/endorsements/{number}/renewals",
        {"training_hours": 16, "rsc_hours": 12, "membership": True, "ethics": True, "no_sanction": True},
    )

    say("Marisol moves to Connecticut; both associations give their word ...")
    clock.stand(story.moved)
    holder = counter.client("holder", person=person)
    holder.post(f"/people/{person}/residences", {"residence": "CT"})
    transfer = _name(holder.post(f"/people/{person}/transfers", {"to": "CT", "endorsements": [number]}))
    clock.stand(story.moved + timedelta(days=1))
    counter.client("coordinator", association="VA").post(f"/transfers/{transfer}/confirmations")
    connecticut = counter.client("coordinator", association="CT")
    clock.stand(story.moved + timedelta(days=2))
    connecticut.post(f"/transfers/{transfer}/memberships", {"through": date(story.moved.year, 12, 31).isoformat()})
    clock.stand(story.moved + timedelta(days=3))
    connecticut.post(f"/transfers/{transfer}/acceptances")
    return number, person, employer


def _waiting(registry: Registry, counter: Counter, story: Story, reviewers: list[str], say: Say) -> None:
    """What waits today: applications in every state that waits for somebody, and a wish to move to Connecticut."""
    mentor, first, _, moving = reviewers
    virginia = counter.client("coordinator", association="VA")
    reviewer = counter.client("reviewer", person=_person_of(registry, first))
    today = registry.today("VA")

    def applying(name: str) -> tuple[str, Client, str]:
        person = _register(counter, name, f"{name.partition(' ')[0].lower()}@example.org", story, mentor)
        holder = counter.client("holder", person=person)
        started = holder.post(f"/people/{person}/applications", {"association": "VA", "category": "IFS"})
        return person, holder, _name(started)

    def in_review(name: str) -> tuple[Client, str]:
        person, holder, application = applying(name)
        _accept(virginia, application, today)
        _refer(registry, counter, holder, person)
        holder.post(f"/applications/{application}/submissions", {"signed": True})
        virginia.post(f"/applications/{application}/reviewers", {"reviewer": first})
        return holder, application

    def judged(name: str, outcome: str, reason: str) -> tuple[Client, str]:
        holder, application = in_review(name)
        judgement = {"reviewer": first, "outcome": outcome, "reasons": [reason]}
        reviewer.post(f"/applications/{application}/recommendations", judgement)
        return holder, application

    say("Imani, Jelena, Kanoa and Rashida apply, a colleague asks to move to Connecticut ...")
    in_review("Imani Castellanos")
    applying("Jelena Achterberg")
    _, held = judged("Kanoa Lindqvist", "hold", "more_experience")
    virginia.post(f"/applications/{held}/holds", {"reasons": ["more_experience"]})
    appealing, declined = judged("Rashida Valdivia", "decline", "competencies_not_shown")
    virginia.post(f"/applications/{declined}/declines", {"reasons": ["competencies_not_shown"]})
    appealing.post(f"/applications/{declined}/appeals")
    mover = _person_of(registry, moving)
    counter.client("holder", person=mover).post(f"/people/{mover}/transfers", {"to": "CT", "endorsements": [moving]})


def _refer(registry: Registry, counter: Counter, holder: Client, person: str) -> None:
    """Three raters are asked, and answer by the code of their letter, without an account."""
    for number, (relationship, name) in enumerate(sample.RATERS):
        email = f"rater-{number}-{person[:6]}@example.org"
        asked = holder.post(
            f"/people/{person}/references",
            {"relationship": relationship, "name": name, "email": email, "waiver": True},
        )
        reference = _name(asked)
        rating: dict[str, Any] = {
            "code": registry.rating_code(reference, asked[-1]["version"]),
            "answers": dict.fromkeys(ASKED, 3),
            "recommendation": "recommend",
            "known_a_year": True,
        }
        counter.rater().post("/ratings", rating)


def _accept(coordinator: Client, application: str, on: date) -> None:
    """Accept a registration: no fee asked, a member for the year."""
    year_end = date(on.year, 12, 31).isoformat()
    coordinator.post(
        f"/applications/{application}/registrations",
        {"fee": "not_asked", "member_from": on.isoformat(), "member_through": year_end},
    )


def _register(counter: Counter, name: str, email: str, story: Story, mentor: str) -> str:
    """Somebody new in Virginia, with a portfolio that is enough for a Family Specialist; their person id."""
    registered = counter.client("coordinator", association="VA").post(
        "/people", {"name": name, "credentials": "MSW", "email": email, "residence": "VA"}
    )
    person = _name(registered)
    year = story.founded.year
    for entry in (
        {"kind": "work", "from": f"{year - 3}-01-04", "through": f"{year - 1}-12-31", "sector": "home_visiting"},
        {"kind": "training", "from": f"{year - 1}-03-01", "through": f"{year - 1}-03-05", "hours": 34, "dei_hours": 3},
        {"kind": "rsc", "from": f"{year - 1}-02-01", "through": f"{year - 1}-11-30", "hours": 26, "provider": mentor},
    ):
        counter.client("holder", person=person).post(f"/people/{person}/entries", entry)
    return person


@contextmanager
def serving(settings: Settings, registry: Registry, clock: Callable[[], datetime]) -> Iterator[str]:
    """The real server on a free port of this machine, for as long as the life lasts."""
    config = uvicorn.Config(
        create_app(settings, registry=registry, clock=clock),
        host="127.0.0.1",
        port=0,
        log_level="error",
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="demo-server", daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise Refused("the server did not start")
        time.sleep(0.02)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def _import(registry: Registry, settings: Settings, data: bytes, say: Say) -> None:
    now = registry.clock()
    (settings.home / f"roster-{now:%Y-%m-%d}.csv").write_bytes(data)
    roster = read_roster(data, now)
    import_roster(registry, OPERATOR, roster)
    report = roster.report()
    say(f"  {report['rows']} rows: {report['endorsements']} endorsements, {report['errors']} refused with a reason")


def certificates_of(registry: Registry, number: str) -> list[Certificate]:
    """Oldest first."""
    return registry.store.get(Endorsement, number).certificates


def _folder(settings: Settings, number: str, count: int) -> Path:
    return settings.home / "certificates" / f"{number}-{count}"


def refresh(settings: Settings, made: Made, say: Say) -> None:
    """Publish the static plane, as the worker does after every batch, and write the certificates of the life.

    Both name the QR's host, which `--lan` changes. After a key was compromised and its certificates reissued, those
    that had expired by then can't be made again.
    """
    registry, keys = open_registry(settings), open_keys(settings)
    plane = open_plane(settings, keys)
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as connection:
        plane.publish(connection, datetime.now(UTC))
    issuer = open_issuer(settings, registry.store, keys, open_printer(settings))
    for count, certificate in enumerate(certificates_of(registry, made.number), 1):
        folder = _folder(settings, made.number, count)
        try:
            write_certificate(folder, issuer.render(made.number, certificate.cti))
        except KeysUnusable as gone:
            if not folder.is_dir():
                raise
            say(f"The files in {folder} stay as they were: {gone}.")


def entries(settings: Settings, people: People) -> list[tuple[str, str]]:
    """Whom a link lets in, and its path."""
    desk = Desk(settings)
    try:
        return [
            ("the coordinator of Virginia", desk.make_entry("coordinator", association="VA")),
            ("the coordinator of Connecticut", desk.make_entry("coordinator", association="CT")),
            ("the Alliance", desk.make_entry("alliance", association="ALLIANCE")),
            ("Marisol Okafor, who was endorsed", desk.make_entry("holder", person=people.holder)),
            ("a reviewer", desk.make_entry("reviewer", person=people.reviewer)),
            *(
                [("a clinic that follows this endorsement", desk.make_entry("employer", person=people.employer))]
                if people.employer
                else []
            ),
        ]
    finally:
        desk.close()


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._say_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await asyncio.to_thread(self._say_started)


def serve(settings: Settings, *, port: int, lan: bool, started: Callable[[], None]) -> None:
    """The server and, in a thread of its own, the worker; until a signal ends both."""
    stop = threading.Event()
    work = threading.Thread(target=worker.run, args=(settings,), kwargs={"stop": stop}, name="worker")
    certificate, key = own_certificate(settings) if lan else (None, None)
    config = uvicorn.Config(
        create_app(settings),
        host="0.0.0.0" if lan else "127.0.0.1",  # noqa: S104 - that is what --lan asks for
        port=port,
        log_level="warning",
        access_log=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    work.start()
    try:
        _Server(config, started).run()
    finally:
        stop.set()
        work.join(timeout=15)


def put_roster(made: Made) -> Path:
    """A roster to try: the new certificate, its number, then what an employer should look at twice."""
    new, old = ((Path(folder) / "qr.txt").read_text().strip() for folder in (made.certificates, made.superseded))
    name = unseal(new).certificate.name
    rows = [
        ("number", "name"),
        (new, name),
        (made.number, name),
        (old, name),
        (made.number, "Somebody Else"),
        (new[:-17] + "0" * 17, name),
        ("IFS-7K3MQ9T", name),
    ]
    path = Path(made.home) / "roster.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def own_address() -> str:
    """This machine's own address on its network; the loopback where it has none."""
    for found in psutil.net_if_addrs().values():
        for address in found:
            if address.family == socket.AF_INET and not address.address.startswith(("127.", "169.254.")):
                return str(address.address)
    return "127.0.0.1"


def own_certificate(settings: Settings) -> tuple[Path, Path]:
    """A certificate for this machine's address, made here, good for 30 days: files of certificate and key."""
    folder = settings.home / "lan"
    folder.mkdir(mode=0o700, exist_ok=True)
    address = settings.qr_host.partition(":")[0]
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Endorsement Registry demo")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].touch(mode=0o600)
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _name(events: list[dict[str, Any]]) -> str:
    name: str = events[0]["stream"].partition("/")[2]
    return name


def _number_of(registry: Registry, row: sample.Row) -> str:
    holder = stream_of_record(registry.store, row.association, row.record)
    if holder is None:
        raise Refused(f"{row.record} was not imported")
    return holder.partition("/")[2]


def _person_of(registry: Registry, number: str) -> str:
    return registry.store.get(Endorsement, number).person
