"""From a deed to a stranger's verifier, and what forgetting a person leaves standing."""

import base64
import json
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import psycopg
import pytest

from domain.access import OPERATOR, Actor
from domain.endorsement import Endorsement, Source, held, new_number
from domain.event import Sealed
from domain.person import Person, at_address
from projections.engine import Engine
from registry.certificates import bitstring
from registry.certificates.issue import Issuer
from registry.certificates.keys import KeyFolder, announce
from registry.certificates.paper import Printer
from registry.certificates.plane import Plane
from registry.certificates.printed import Forgotten
from registry.commands import Act, Registry
from registry.importing import record_hash
from registry.log.fsck import examine
from registry.log.published import Published
from registry.vault import check_opening
from verifier.files import find
from verifier.keys import read_keys_json
from verifier.proof import check_consistency, check_proof, read_checkpoint, read_proof
from verifier.status import Statuses, folder
from verifier.sync import Pins, sync
from verifier.verification import verify, verify_found

HOST = "registry.example"
OPERATOR_ACT = Act(OPERATOR)
ADA, BEA = "Ada Canary-Quillfeather", "Bea Standing-Stone"


class House:
    """A registry with keys, a plane and views, all real."""

    def __init__(self, settings, store, vault, clock, randomness, connect):
        self.settings, self.store, self.vault, self.clock = settings, store, vault, clock
        self.keys = KeyFolder(settings.keys, settings.master_key)
        self.keys.init(HOST, clock(), specimen=False, random=randomness)
        announce(store, self.keys, on=clock.today, by=OPERATOR.by)
        self.registry = Registry(
            store, clock=clock, draw=randomness, kid=lambda: self.keys.signer("certificate", clock()).kid
        )
        self.registry.admit_all(OPERATOR_ACT)
        self.plane = Plane(settings.static, self.keys, host=HOST, qr_host=HOST)
        self.views = connect("projector")
        self.reader = connect("reader")
        self.engine = Engine(store.mapper.load, vault.open_all)
        self.engine.prepare(self.views)
        self.draw = randomness

    def publish(self):
        self.engine.catch_up(self.views)
        self.plane.publish(self.reader, self.clock())
        self.ring = read_keys_json((self.settings.static / "keys.json").read_bytes())
        return read_checkpoint((self.settings.static / "checkpoint").read_text(), self.ring.logs)

    def revoked(self, badge):
        status = badge["credentialStatus"]
        path = status["statusListCredential"].removeprefix(f"https://{HOST}/")
        listed = json.loads((self.settings.static / path).read_bytes())["credentialSubject"]["encodedList"]
        place = int(status["statusListIndex"])
        return bool(bitstring.decode(listed)[place >> 3] & 0x80 >> (place & 7))

    def endorsed(self, name, record):
        """Somebody endorsed as VA reported, with a certificate; their number and person id. Records are addresses."""
        email = f"{record}@example.org"
        registered = self.registry.register_person(OPERATOR_ACT, name=name, residence="VA", email=email)
        person = registered.events[0].originator_id.partition("/")[2]
        endorsement = Endorsement(new_number("IFS", self.draw))
        endorsement.record(
            Endorsement.Imported, number=endorsement.number, person=person, category="IFS", association="VA",
            awarded_on=date(2023, 3, 1), through=date(2027, 12, 31), standing="active", record=email,
            source=Source("ab" * 32, 1, record_hash(self.store, "VA", email)), on=self.clock.today, by=OPERATOR.by,
        )  # fmt: skip
        self.store.save(endorsement)
        self.registry.issue_certificate(OPERATOR_ACT, endorsement.number)
        return endorsement.number, person

    def issuer(self):
        return Issuer(
            self.store, self.keys, Published.of(self.settings.static), host=HOST, qr_host=HOST, printer=Printer()
        )

    def verdict(self, text):
        return verify(text, self.ring, Statuses(folder(self.settings.static)), at=self.clock())

    def verdicts(self, paper, static=None):
        """What the command would say of each of these files, by name."""
        statuses = Statuses(folder(static or self.settings.static))
        return {
            name: verify_found(
                held := find(content), self.ring, statuses, at=self.clock(), log_proof=held.log_proof
            ).verdict
            for name, content in paper.items()
            if not name.endswith(".tlog-proof")
        }


@pytest.fixture
def house(settings, store, vault, clock, randomness, connect):
    return House(settings, store, vault, clock, randomness, connect)


def names(house):
    rows = house.reader.execute("SELECT person, name FROM views.people").fetchall()
    return dict(rows)


def test_a_person_is_forgotten_everything_is_rebuilt_and_every_proof_still_holds(house):
    ada_number, ada = house.endorsed(ADA, "A-1")
    bea_number, bea = house.endorsed(BEA, "B-1")
    before = house.publish()
    papers = {number: house.issuer().render(number) for number in (ada_number, bea_number)}
    assert {house.verdict(files["qr.txt"].decode()).verdict for files in papers.values()} == {"valid"}
    said = house.verdicts(papers[bea_number])
    assert said == dict.fromkeys(said, "valid")
    assert said.keys() >= {"certificate.pdf", "credential.json", "credential.jwt", "badge.png", "badge.svg", "qr.txt"}
    assert names(house) == {ada: ADA, bea: BEA}

    person = house.store.get(Person, ada)
    person.erase(
        match=house.registry.match(ADA, "A-1@example.org"),
        address_match=house.registry.address_match("A-1@example.org"),
        on=house.clock.today,
        by=OPERATOR.by,
    )
    house.store.save(person)
    house.vault.erase(ada)
    after = house.publish()

    # Every event of before is under the new checkpoint, and the new log goes on where the old one ended.
    published = Published.of(house.settings.static)
    for position in range(1, after.size + 1):
        proof = published.prove_position(house.reader, position)
        assert check_proof(read_proof(proof), house.ring.logs).size == after.size
    steps = published.consistency(before.size, after.size)
    check_consistency(before.size, before.root, after.size, after.root, steps)
    for files in papers.values():
        check_proof(read_proof(files["proof.tlog-proof"].decode()), house.ring.logs)
    assert examine(house.reader, house.settings.static, progress=lambda *_: None).sound

    # Her name is nowhere: not in the views, live or rebuilt, not in any table, file or claim.
    assert names(house) == {ada: None, bea: BEA}
    assert not house.engine.compare(house.views).differences
    house.engine.rebuild(house.views)
    assert names(house) == {ada: None, bea: BEA}
    assert house.store.holder(f"identity/{house.registry.match(ADA, 'A-1@example.org')}") is None
    assert not house.store.claimed(at_address(house.registry.address_match("A-1@example.org")))
    assert ADA not in dump(house)
    assert "A-1@example" not in dump(house)
    assert BEA in dump(house)  # the search would find it
    for path in house.settings.static.rglob("*"):
        assert not path.is_file() or b"Canary" not in path.read_bytes()

    # Her paper says so; the other's is as good as it was; hers is never printed again.
    forgotten = house.verdict(papers[ada_number]["qr.txt"].decode())
    assert forgotten.verdict == "revoked"
    assert "withdrawn by the holder" in forgotten.sentence("en")
    said = house.verdicts(papers[ada_number])
    assert said == dict.fromkeys(said, "revoked")
    assert house.verdict(papers[bea_number]["qr.txt"].decode()).verdict == "valid"
    with pytest.raises(Forgotten):
        house.issuer().render(ada_number)

    # The claims are derived: made again from the events, they are the same.
    before = claims(house)
    house.store.rebuild_claims()
    assert claims(house) == before
    assert house.store.claimed(held(bea)) == [bea_number]


def claims(house):
    with psycopg.connect(house.settings.database_url) as superuser:
        return superuser.execute("SELECT name, stream, position FROM registry.claims ORDER BY name").fetchall()


def dump(house):
    """Every column of every table the superuser sees, as text; stored states as the JSON they are."""
    with psycopg.connect(house.settings.database_url) as superuser:
        columns = superuser.execute(
            "SELECT format('%I.%I', table_schema, table_name), quote_ident(column_name), data_type"
            " FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        found = [
            text
            for table, column, kind in columns
            for (text,) in superuser.execute(f"SELECT {_as_text(column, kind)} FROM {table}").fetchall()
        ]
    return "\n".join(filter(None, found))


def _as_text(column, kind):
    return f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"


def test_what_sync_downloads_checks_every_file_with_no_registry(house, tmp_path):
    number, _ = house.endorsed(BEA, "B-1")
    house.publish()
    pins, copy = Pins(), tmp_path / "copy"
    serve = partial(SimpleHTTPRequestHandler, directory=str(house.settings.static))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        first = sync(url, copy, pins, at=house.clock(), tell=lambda *_: None)
        paper = house.issuer().render(number)
        house.endorsed(ADA, "A-1")
        house.publish()
        again = sync(url, copy, pins, at=house.clock(), tell=lambda *_: None)
        server.shutdown()

    assert (first.trust, again.trust, again.fresh) == ("first_use", "continued", True)
    assert again.checkpoint.size > first.checkpoint.size
    light = {name: content for name, content in paper.items() if name.startswith("credential") or name == "qr.txt"}
    assert house.verdicts(light, copy) == dict.fromkeys(light, "valid")


def test_one_sealed_field_is_opened_to_a_stranger_by_its_commitment(house):
    _, bea = house.endorsed(BEA, "B-1")
    house.publish()
    position, registered = house.store.events(f"person/{bea}")[0]
    assert isinstance(registered.name, Sealed)
    opening = house.vault.opening(registered, "name")

    # All the stranger has: a proof file with the event's preimage, and what the holder shows.
    proof = read_proof(Published.of(house.settings.static).prove_position(house.reader, position))
    check_proof(proof, house.ring.logs)
    _, stream, version, _, state = json.loads(proof.extra)
    stored = json.loads(base64.urlsafe_b64decode(state + "=" * (-len(state) % 4)))
    commitment = stored["name"]["h"]
    assert check_opening(commitment, opening.blind, stream, version, "name", BEA)
    for wrong in (ADA, BEA + " ", ""):
        assert not check_opening(commitment, opening.blind, stream, version, "name", wrong)
    assert not check_opening(stored["email"]["h"], opening.blind, stream, version, "email", "B-1@example.org")


def test_a_revocation_is_on_the_plane_with_the_next_publication_and_comes_back(house):
    number, _ = house.endorsed(BEA, "B-1")
    house.publish()
    text = house.issuer().text(number)
    virginia = Act(Actor("coordinator", association="VA", id="k1"))
    second = Act(Actor("coordinator", association="VA", id="k2"))

    house.registry.suspend(virginia, number, reason="fraud_being_established")
    house.publish()
    assert house.verdict(text).verdict == "suspended"

    old = house.issuer().unsigned(number)
    house.clock.move(seconds=1)
    house.registry.lift_suspension(virginia, number)
    house.publish()
    assert house.verdict(text).verdict == "valid"

    # The badge knows only "revoked for good": the same paper has a new one.
    new = house.issuer().unsigned(number)
    assert house.issuer().text(number) == text
    assert new["id"] != old["id"]
    assert new["credentialSubject"] == old["credentialSubject"]
    assert (house.revoked(old), house.revoked(new)) == (True, False)
    assert not house.registry.issue_certificate(virginia, number).events
    held_now = house.store.get(Endorsement, number)
    assert len(held_now.certificates) == 1

    found = house.registry.today("VA")
    house.registry.report_sanction(virginia, number, source="fraud_finding", decided_on=found)
    house.registry.propose_removal(virginia, number, ground="fraud")
    house.registry.remove(second, number)
    house.publish()
    assert house.verdict(text).verdict == "revoked"
    assert house.revoked(new)


def test_a_list_that_is_two_days_old_says_nothing(house):
    number, _ = house.endorsed(BEA, "B-1")
    house.publish()
    text = house.issuer().text(number)
    house.clock.move(hours=49)
    assert house.verdict(text).verdict == "status_unknown"
    house.publish()
    assert house.verdict(text).verdict == "valid"
