"""After a key was withdrawn: everything unexpired that it signed is signed anew, once, whatever is killed."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta

import pytest
from certificate_facts import HOST, NOON, Story, cti
from disks import Killed
from typer.testing import CliRunner

from domain.endorsement import Endorsement
from registry.__main__ import app
from registry.certificates import reissue as reissuing
from registry.certificates.batch import write_files
from registry.certificates.keys import KeysUnusable
from registry.certificates.reissue import Reissue, bury, gone
from registry.opening import open_issuer, open_printer
from verifier.certificate import unseal

LATER = NOON + timedelta(days=30)
EXPIRED = datetime(2026, 6, 15, tzinfo=UTC)


@pytest.fixture
def old(keys):
    return keys.signer("certificate", NOON).kid


@pytest.fixture
def many(history, old):
    """Seven endorsements with a certificate each; the last one's has expired; the first has a replaced one too."""
    stories = [Story(person=f"p{n}", number=f"IFS-{n:07d}A") for n in range(7)]
    history(stories[0].admitted())
    for n, story in enumerate(stories):
        expires = {"expires_at": EXPIRED} if n == 6 else {}
        history(story.registered(), story.awarded(), story.issued(n + 1, **expires), story.signed(old, n + 1))
    history(stories[0].renewed(), stories[0].issued(100, replaces=1, why="renewed"), stories[0].signed(old, 100))
    return stories


def signed_again(store, after):
    events = [store.at(at)[1] for at in range(after + 1, store.position() + 1)]
    return [(event.cti, event.kid) for event in events if isinstance(event, Endorsement.CertificateSigned)]


def again(store, keys, read, kids=None, now=LATER):
    signatures = read()
    kids = kids or {key.kid for key in gone(signatures.keys, keys, now)}
    progress = []
    due = signatures.by(kids, now)
    signed = Reissue(store, keys, signatures.keys, by="operator", now=now).sign(
        due, kids, lambda *at: progress.append(at)
    )
    return signed, progress


def test_all_unexpired_ones_are_signed_by_the_new_key_replaced_ones_too(succession, many, store, keys, read, old):
    new = succession.withdraw(old, "compromised", since=NOON, now=LATER).made
    after = store.position()

    signed, progress = again(store, keys, read)

    assert signed == 7
    assert sorted(signed_again(store, after)) == sorted((cti(n), new) for n in (1, 2, 3, 4, 5, 6, 100))
    assert progress == [(7, 7)]
    assert again(store, keys, read) == (0, [])


def test_killed_anywhere_it_goes_on_and_signs_nothing_twice(succession, many, store, keys, read, old, monkeypatch):
    succession.withdraw(old, "compromised", since=NOON, now=LATER)
    after = store.position()
    monkeypatch.setattr(reissuing, "BATCH", 3)
    save, calls = store.save, []

    def killed(*aggregates, **options):
        if len(calls) == 1:
            raise Killed
        calls.append(aggregates)
        return save(*aggregates, **options)

    with monkeypatch.context() as patch:
        patch.setattr(store, "save", killed)
        with pytest.raises(Killed):
            again(store, keys, read)
    assert len(signed_again(store, after)) == 3

    again(store, keys, read)

    signed = signed_again(store, after)
    assert len(signed) == len(set(signed)) == 7


def test_two_at_once_sign_nothing_twice(succession, many, store, keys, read, old):
    succession.withdraw(old, "compromised", since=NOON, now=LATER)
    after, seen = store.position(), read()
    due = seen.by({old}, LATER)

    one, other = (Reissue(store, keys, seen.keys, by="operator", now=LATER) for _ in range(2))
    assert one.sign(due, {old}, lambda *_: None) == 7
    assert other.sign(due, {old}, lambda *_: None) == 0
    assert len(signed_again(store, after)) == 7


def test_a_key_that_is_not_in_the_log_takes_nothing_over(succession, many, store, keys, read, old, randomness):
    new = succession.withdraw(old, "compromised", since=NOON, now=LATER).made
    after, soon = store.position(), LATER + timedelta(minutes=1)
    keys.add("certificate", HOST, soon, specimen=True, random=randomness)

    assert again(store, keys, read, now=soon)[0] == 7
    assert {kid for _, kid in signed_again(store, after)} == {new}
    keys.destroy(new)
    with pytest.raises(KeysUnusable, match="registry keys publish"):
        Reissue(store, keys, read().keys, by="operator", now=soon)


def test_a_key_for_jwts_that_was_withdrawn_changes_the_key_of_the_jwt_alone(succession, many, store, keys, read, old):
    new = succession.withdraw(keys.signer("jwt", NOON).kid, "compromised", since=NOON, now=LATER).made
    after = store.position()

    assert again(store, keys, read)[0] == 7
    events = [store.at(at)[1] for at in range(after + 1, store.position() + 1)]
    assert {(event.kid, event.jwt) for event in events} == {(old, new)}


def test_a_folder_from_before_gets_the_jwt_of_the_new_key(
    succession, many, store, keys, read, settings, plane, database_connection, tmp_path
):
    number, now = many[1].number, LATER

    def write():
        plane.publish(database_connection, now)
        issuer = open_issuer(settings, store, keys, open_printer(settings))
        return dict(write_files(issuer, [number], lambda number, file: tmp_path / number / file))[number]

    assert [write(), write()] == ["written", "kept"]
    pages = {path.name: path.read_bytes() for path in (tmp_path / number).iterdir()}
    new = succession.withdraw(keys.signer("jwt", NOON).kid, "compromised", since=NOON, now=LATER).made
    again(store, keys, read)

    assert [write(), write()] == ["written", "kept"]

    head = (tmp_path / number / "credential.jwt").read_bytes().partition(b".")[0]
    assert json.loads(urlsafe_b64decode(head + b"=="))["kid"].endswith(new)
    assert (tmp_path / number / "qr.txt").read_bytes() == pages["qr.txt"]


def test_a_retired_key_is_destroyed_when_nothing_needs_it_and_its_paper_stays_good(
    succession, many, store, keys, read, old
):
    new = succession.rotate("certificate", start=None, now=NOON).made
    after, now = store.position(), LATER

    assert bury(store, keys, read(), by="worker", now=NOON + timedelta(seconds=30)) == []
    assert bury(store, keys, read(), by="worker", now=now) == [old]

    assert not keys.has(old)
    assert {kid for _, kid in signed_again(store, after)} == {new}
    assert read().keys.get(old).withdrawn is None
    assert bury(store, keys, read(), by="worker", now=now) == []


def test_the_files_are_those_of_the_new_key(succession, many, store, keys, old, settings, monkeypatch, tmp_path):
    """The whole command, killed before the files and repeated: what is due is told first, then done once."""
    monkeypatch.setenv("REGISTRY_HOME", str(settings.home))
    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGISTRY_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    run = lambda *words: CliRunner().invoke(app, words)  # noqa: E731

    refused = run("certificates", "reissue", "--key", old)
    assert refused.exit_code == 1
    assert "signs still" in str(refused.exception)
    told = json.loads(run("keys", "compromise", old, "--since", "2026-06-01T12:00:00Z", "--yes", "--json").stdout)
    assert told["next"] == ["Sign its 7 unexpired certificates anew: `registry certificates reissue`."]
    new = told["made"]
    assert json.loads(run("certificates", "reissue", "--dry-run", "--json").stdout) == {
        "keys": [old], "due": 7, "signed": 0,
    }  # fmt: skip

    assert json.loads(run("certificates", "reissue", "--json").stdout)["signed"] == 7
    out = tmp_path / "out"
    made = json.loads(run("certificates", "reissue", "--out", str(out), "--json").stdout)

    assert (made["due"], made["written"]) == (0, 6)
    text = (out / "IFS-0000000A" / "qr.txt").read_text()
    assert unseal(text).envelope.kid.hex() == new
    assert json.loads(run("certificates", "reissue", "--out", str(out), "--json").stdout)["kept"] == 6
