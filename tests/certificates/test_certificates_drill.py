"""The drill of docs/operations.md: three keys are stolen; the verifying part needs the static files, nothing else."""

import functools
import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

import psycopg
import pytest
from certificate_facts import HOST, NOON, Story
from grounds import address
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier
from witnesses import NAME, listening

from registry.certificates import qr
from registry.certificates.documents import log_origin
from registry.certificates.issue import Issuer
from registry.certificates.paper import Printer
from registry.certificates.reissue import Reissue, Signatures, gone
from registry.certificates.succession import Succession
from registry.database import Unavailable
from registry.log.fsck import examine
from registry.log.published import Published
from registry.settings import WitnessAddress
from registry.witness.witness import Witness
from verifier.__main__ import main
from verifier.certificate import unseal
from verifier.proof import vkey

ISSUED = NOON + timedelta(minutes=1)
STOLEN = NOON + timedelta(days=1)
FOUND = NOON + timedelta(days=2)
HEALED = FOUND + timedelta(hours=1)
EARLY, LATE = "IFS-0000001A", "IFS-0000002A"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def stopped(server, settings):
    """The database as if its server were down: nobody is in, nobody gets in."""
    name = conninfo_to_dict(settings.database_url)["dbname"]

    @contextmanager
    def stop():
        with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
            allow = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
            connection.execute(allow.format(Identifier(name), False))
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            yield
            connection.execute(allow.format(Identifier(name), True))

    return stop


@pytest.fixture
def served(static):
    """The plane by a plain file server; downloads what somebody who verifies needs."""
    static.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=static))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def download(to):
        (to / "s").mkdir(parents=True, exist_ok=True)
        for name in ("keys.json", "witnesses", "checkpoint", "s/1", "s/1.notes"):
            with urlopen(f"http://127.0.0.1:{server.server_port}/{name}") as answer:
                (to / name).write_bytes(answer.read())
        return to

    yield download
    server.shutdown()
    server.server_close()


@pytest.fixture
def witness(tmp_path, keys):
    now = [ISSUED]
    witness = Witness.make(tmp_path / "witness", NAME)
    witness._clock = lambda: now[0].timestamp()  # noqa: PLW0108 - of what stands there then
    witness.trust(vkey(log_origin(HOST), keys.signer("log", NOON).public))
    witness.now = now
    return witness


def test_stolen_keys_are_survived(  # noqa: PLR0915 - one drill, in its order
    keys, store, history, randomness, new_plane, witness, static, served, stopped, connect, tmp_path, capsys
):
    def verified(text, *, proof=None, at, plane):
        given = ["--proof", str(proof)] if proof else []
        code = main(["--text", text, "--static", str(plane), "--at", at.isoformat(), "--json", *given])
        said = json.loads(capsys.readouterr().out)
        return code, said["verdict"], {check["number"]: check["found"] for check in said["checks"]}

    def issuer():
        return Issuer(store, keys, Published.of(static), host=HOST, qr_host=HOST, printer=Printer())

    def texts():
        return {number: issuer().text(number) for number in (EARLY, LATE)}

    old = {use: keys.signer(use, NOON).kid for use in ("certificate", "status", "log")}
    one, two = (Story(person=number.lower(), number=number) for number in (EARLY, LATE))
    history(one.admitted(), one.registered(), one.awarded(), one.issued(1), one.signed(old["certificate"], 1))
    at_issue = store.position() - 1
    with listening(witness) as url, connect("reader") as connection:
        plane = new_plane(witnesses=[WitnessAddress(witness.vkey, url)])
        plane.publish(connection, ISSUED)
        proof = tmp_path / "proof.tlog-proof"
        proof.write_text(issuer().proof(EARLY))
        nameless = tmp_path / "nameless.tlog-proof"
        nameless.write_text(Published.of(static).prove_position(connection, at_issue))

        # The thief is in; the registry goes on, and a witness sees what it does only now.
        witness.now[0] = STOLEN + timedelta(minutes=1)
        history(two.registered(), two.awarded(), two.issued(2), two.signed(old["certificate"], 2))
        plane.publish(connection, STOLEN + timedelta(minutes=1))
        late_proof = tmp_path / "late.tlog-proof"
        late_proof.write_text(issuer().proof(LATE))
        papers = texts()
        before = served(tmp_path / "before")
        # With the key the thief puts another name on what the log holds.
        early = unseal(papers[EARLY]).certificate._replace(name="Somebody Else")
        forged = qr.sealed(early, keys.by_kid(old["certificate"]), HOST)
        assert verified(papers[LATE], at=STOLEN + timedelta(hours=1), plane=before)[:2] == (0, "valid")

        # 1. withdraw; the witness is told of the log's new key; the plane follows by itself
        succession = Succession(store, keys, host=HOST, by="operator", random=randomness)
        for kid in old.values():
            succession.withdraw(kid, "compromised", since=STOLEN, now=FOUND)
        witness.trust(vkey(log_origin(HOST), keys.signer("log", FOUND).public))
        witness.now[0] = FOUND
        assert {"s/1", "s/1.notes", "status/revocation/1"} <= {*plane.publish(connection, FOUND).written}
        assert not {keys.has(kid) for kid in old.values()} - {False}

        # 2. what people with paper see, the database away
        with stopped():
            with pytest.raises(Unavailable):
                store.position()
            after = served(tmp_path / "after")
            code, verdict, checks = verified(papers[EARLY], proof=proof, at=FOUND, plane=after)
            assert (code, verdict) == (0, "valid")
            assert f"{NAME} saw it in the log before, at {ISSUED:%Y-%m-%dT%H:%M:%SZ}" in checks[7]
            code, verdict, checks = verified(papers[EARLY], proof=nameless, at=FOUND, plane=after)
            assert (code, verdict) == (1, "key_revoked")
            assert "the name is not bound by this proof" in checks[7]
            assert verified(forged, proof=proof, at=FOUND, plane=after)[:2] == (2, "tampered")
            assert verified(forged, proof=nameless, at=FOUND, plane=after)[:2] == (1, "key_revoked")
            assert verified(papers[EARLY], at=FOUND, plane=after)[:2] == (1, "key_revoked")
            assert verified(papers[LATE], proof=late_proof, at=FOUND, plane=after)[:2] == (1, "key_revoked")
            # the thief's lists: the old key says nothing any more
            (after / "s/1").write_bytes((before / "s/1").read_bytes())
            assert verified(papers[EARLY], proof=proof, at=FOUND, plane=after)[:2] == (3, "status_unknown")

    # 3. heal
    with listening(witness) as url, connect("reader") as connection:
        signatures = Signatures()
        signatures.advance(connection)
        kids = [key.kid for key in gone(signatures.keys, keys, HEALED)]
        assert kids == [old["certificate"]]
        due = signatures.by(kids, HEALED)
        assert Reissue(store, keys, signatures.keys, by="operator", now=HEALED).sign(due, kids, lambda *_: None) == 2
        witness.now[0] = HEALED
        new_plane(witnesses=[WitnessAddress(witness.vkey, url)]).publish(connection, HEALED)
        report = examine(connection, static, kept=[(before / "checkpoint").read_text()])
        assert (report.findings, report.not_checked) == ([], [])
        newly = texts()
    with stopped():
        healed = served(tmp_path / "healed")
        for number in (EARLY, LATE):
            assert verified(newly[number], at=HEALED, plane=healed)[:2] == (0, "valid")
            assert verified(papers[number], at=HEALED, plane=healed)[:2] == (1, "key_revoked")
