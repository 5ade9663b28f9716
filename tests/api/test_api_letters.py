"""A letter of registration over HTTP: asked for, printed, checked like a certificate, and never an endorsement."""

import io
from datetime import UTC, datetime

import psycopg
import pytest
from pypdf import PdfReader

from registry import database
from registry.certificates.reissue import Reissue, Signatures
from registry.certificates.succession import Succession
from registry.opening import open_keys, open_plane
from verifier import status
from verifier.certificate import unseal
from verifier.keys import read_keys_json
from verifier.status import Statuses
from verifier.verification import verify


@pytest.fixture
def publish(settings, clock):
    plane = open_plane(settings, open_keys(settings))

    def published():
        with psycopg.connect(database.url(settings, "reader"), autocommit=True) as connection:
            plane.publish(connection, clock())

    return published


@pytest.fixture
def checked(settings, clock, publish):
    def check(text):
        publish()
        ring = read_keys_json((settings.static / "keys.json").read_bytes())
        return verify(text, ring, Statuses(status.folder(settings.static)), at=clock())

    return check


def test_a_letter_says_that_an_application_is_open_until_it_is_not(life, client, views, checked, clock):
    application = life.begin()
    early = life.holder.post(f"/applications/{application}/letters")
    assert (early.status_code, early.json()["code"]) == (409, "out_of_turn")
    life.va.do(f"/applications/{application}/registrations", life.membership())

    (event,) = life.holder.do(f"/applications/{application}/letters")["events"]

    assert event["topic"] == "application.letter_issued"
    assert "Marisol" not in str(event)
    (letter,) = life.holder.get(f"/applications/{application}/letters").json()["letters"]
    files = {name: life.holder.http.get(path) for name, path in letter["files"].items()}
    assert {name: answer.status_code for name, answer in files.items()} == dict.fromkeys(files, 200)
    reader = PdfReader(io.BytesIO(files["letter.pdf"].content))
    said = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert "This is not an endorsement." in said
    assert "Marisol Okafor" in said
    text = files["qr.txt"].text
    assert reader.attachments["qr.txt"] == [text.encode()]

    found = checked(text)
    assert (found.kind, found.verdict, found.exit) == ("letter", "not_an_endorsement", 1)
    assert (found.certificate.number, found.certificate.name) == (application, "Marisol Okafor")
    assert found.certificate.expires_at == int(datetime(2026, 8, 31, 3, 59, 59, tzinfo=UTC).timestamp())

    assert client("coordinator", association="TX").get(f"/applications/{application}/letters").status_code == 403
    assert life.va.get(f"/applications/{application}/letters/{letter['cti']}/qr.txt").status_code == 200
    assert life.holder.get(f"/applications/{application}/letters/{'0' * 32}/qr.txt").status_code == 404

    life.holder.do(f"/applications/{application}/withdrawals")
    ended = checked(text)
    assert (ended.kind, ended.verdict) == ("letter", "revoked")
    assert life.holder.post(f"/applications/{application}/letters").status_code == 409
    clock.move(days=1)


def test_after_a_compromise_the_letter_is_signed_anew_and_the_old_file_reads_key_revoked(
    life, checked, clock, settings, store, connect
):
    application = life.begin()
    life.va.do(f"/applications/{application}/registrations", life.membership())
    life.holder.do(f"/applications/{application}/letters")
    (letter,) = life.holder.get(f"/applications/{application}/letters").json()["letters"]
    download = lambda: life.holder.http.get(letter["files"]["qr.txt"]).text  # noqa: E731
    old = download()
    assert checked(old).verdict == "not_an_endorsement"

    keys, now, signatures = open_keys(settings), clock(), Signatures()
    stolen = keys.signer("certificate", now).kid
    Succession(store, keys, host=settings.public_host, by="operator").withdraw(
        stolen, "compromised", since=now, now=now
    )
    signatures.advance(connect("reader"))
    due = signatures.by([stolen], now)
    sign = lambda: Reissue(store, keys, signatures.keys, by="operator", now=now).sign(due, [stolen], lambda *_: None)  # noqa: E731
    assert ([one.is_letter for one in due], signatures.to_hand_out([stolen], now)) == ([True], [])
    assert (sign(), sign()) == (1, 0)

    new = download()
    found = checked(new)
    assert (found.verdict, checked(old).verdict) == ("not_an_endorsement", "key_revoked")
    assert (found.certificate, unseal(new).envelope.kid.hex()) == (
        unseal(old).certificate,
        keys.signer("certificate", now).kid,
    )
