"""One key after the other: rotated, retired, withdrawn, and what a kill between file and event leaves."""

import json
from datetime import timedelta

import pytest
from certificate_facts import DAY, HOST, NOON
from disks import Killed

from domain.errors import Invalid, NotFound
from domain.key import Key
from registry.certificates.keys import USES, KeyFolder, KeysExist, KeysUnusable, announce
from registry.certificates.overview import due, missing, overview
from registry.certificates.succession import AHEAD, Succession
from registry.opening import open_registry
from verifier.keys import multikey, read_did, read_keys_json

LATER = NOON + timedelta(days=30)


def kid_of(keys, use, at=NOON):
    return keys.signer(use, at).kid


def topics(store, after=4):
    return [store.at(at)[1].topic for at in range(after + 1, store.position() + 1)]


def test_the_next_key_is_in_the_log_before_it_signs_and_the_old_one_retires_when_it_begins(succession, keys, store):
    old = kid_of(keys, "certificate")

    done = succession.rotate("certificate", start=NOON + AHEAD, now=NOON)

    assert topics(store) == ["key.published", "key.retired"]
    assert done.retired == {old: NOON + AHEAD}
    assert kid_of(keys, "certificate") == old
    assert kid_of(keys, "certificate", NOON + AHEAD) == done.made
    assert store.get(Key, done.made).start == store.get(Key, old).until == NOON + AHEAD


def test_a_key_is_published_seven_days_ahead_or_said_to_be_an_emergency(succession, keys, store):
    with pytest.raises(Invalid, match="--now"):
        succession.rotate("status", start=NOON + AHEAD - timedelta(seconds=1), now=NOON)
    assert topics(store) == []

    done = succession.rotate("status", start=None, now=LATER)
    assert kid_of(keys, "status", LATER) == done.made


def test_one_successor_is_enough(succession):
    succession.rotate("log", start=NOON + AHEAD, now=NOON)

    with pytest.raises(KeysExist, match="takes over"):
        succession.rotate("log", start=NOON + 2 * AHEAD, now=NOON)


def test_in_an_emergency_a_key_signs_until_the_next_one_begins(succession, keys, store):
    old = kid_of(keys, "log")
    following = succession.rotate("log", start=NOON + AHEAD, now=NOON).made

    between = succession.rotate("log", start=None, now=NOON + timedelta(days=1)).made

    assert store.get(Key, old).until == store.get(Key, between).start == NOON + timedelta(days=1)
    assert store.get(Key, between).until == store.get(Key, following).start
    assert store.get(Key, following).until is None


def test_a_home_without_a_key_for_jwts_gets_its_first_one_at_once(settings, store, randomness):
    folder = KeyFolder(settings.keys, bytes(range(32)))
    folder.init(HOST, NOON, specimen=True, random=randomness)
    folder.destroy(kid_of(folder, "jwt"))
    announce(store, folder, on=DAY, by="operator")

    done = Succession(store, folder, host=HOST, by="operator").rotate("jwt", start=LATER + AHEAD, now=LATER)

    assert (done.start, done.retired) == (LATER, {})
    assert kid_of(folder, "jwt", LATER) == done.made


def test_killed_between_file_and_event_nothing_is_known_of_the_key(succession, keys, store, monkeypatch):
    before = {facts.kid for facts in keys.facts()}
    with monkeypatch.context() as patch:
        patch.setattr(store, "save", _killed)
        with pytest.raises(Killed):
            succession.rotate("certificate", start=NOON + AHEAD, now=NOON)
    assert (topics(store), {facts.kid for facts in keys.facts()}) == ([], before)

    done = succession.rotate("certificate", start=NOON + AHEAD, now=NOON)

    assert topics(store) == ["key.published", "key.retired"]
    assert {facts.kid for facts in keys.facts()} == before | {done.made}
    assert keys.prepared() == []


def test_killed_between_event_and_use_the_same_key_is_taken_up(succession, keys, store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(keys, "take_up", _killed)
        with pytest.raises(Killed):
            succession.rotate("certificate", start=None, now=LATER)
    (left,) = keys.prepared()
    assert topics(store) == ["key.published", "key.retired"]

    done = succession.rotate("certificate", start=None, now=LATER)

    assert (done.made, done.completed) == ("", [left.kid])
    assert topics(store) == ["key.published", "key.retired"]
    assert kid_of(keys, "certificate", LATER) == left.kid


def test_the_worker_takes_up_what_a_killed_run_announced(
    succession, keys, monkeypatch, plane, database_connection, static
):
    with monkeypatch.context() as patch:
        patch.setattr(keys, "take_up", _killed)
        with pytest.raises(Killed):
            succession.rotate("status", start=None, now=LATER)

    assert "s/1" in plane.publish(database_connection, LATER).written
    assert keys.prepared() == []


def test_a_withdrawn_key_is_destroyed_and_another_one_signs_at_once(succession, keys, store, read):
    stolen = kid_of(keys, "certificate")

    done = succession.withdraw(stolen, "compromised", since=NOON, now=LATER)

    assert topics(store) == ["key.published", "key.withdrawn"]
    assert done.destroyed == [stolen]
    assert not keys.has(stolen)
    assert kid_of(keys, "certificate", LATER) == done.made
    assert read().keys.get(stolen).withdrawn == NOON
    with pytest.raises(KeysUnusable):
        keys.by_kid(stolen)
    assert keys.slot_key


@pytest.mark.parametrize("where", ["save", "take_up", "destroy"])
def test_killed_anywhere_a_compromise_is_repeated_to_the_same_end(where, succession, keys, store, monkeypatch):
    stolen = kid_of(keys, "status")
    with monkeypatch.context() as patch:
        patch.setattr(store if where == "save" else keys, where, _killed)
        with pytest.raises(Killed):
            succession.withdraw(stolen, "compromised", since=NOON, now=LATER)

    succession.withdraw(stolen, "compromised", since=NOON, now=LATER)

    assert topics(store) == ["key.published", "key.withdrawn"]
    assert not keys.has(stolen)
    assert store.get(Key, kid_of(keys, "status", LATER)).state == "published"
    assert sum(facts.use == "status" for facts in keys.facts()) == 1
    assert sorted(file.suffix for file in keys.folder.iterdir()) == [".json"] * 5


def test_the_next_key_withdrawn_before_it_began_has_another_in_its_place(succession, keys, store):
    following = succession.rotate("certificate", start=NOON + AHEAD, now=NOON).made

    instead = succession.withdraw(following, "lost", since=NOON, now=NOON + timedelta(days=1)).made

    assert store.get(Key, instead).start == NOON + AHEAD
    assert kid_of(keys, "certificate", NOON + AHEAD) == instead


def test_a_theft_found_to_be_older_is_recorded_and_never_a_younger_one(succession, keys, store):
    stolen = kid_of(keys, "log")
    succession.withdraw(stolen, "compromised", since=LATER, now=LATER)

    succession.withdraw(stolen, "compromised", since=NOON, now=LATER)
    succession.withdraw(stolen, "compromised", since=LATER, now=LATER)

    assert store.get(Key, stolen).withdrawn == NOON
    assert topics(store) == ["key.published", "key.withdrawn", "key.withdrawn"]
    with pytest.raises(Invalid, match="future"):
        succession.withdraw(stolen, "compromised", since=LATER + timedelta(days=1), now=LATER)


def test_the_only_key_of_a_use_can_not_retire(succession, keys, store):
    with pytest.raises(Invalid, match="rotate log"):
        succession.retire(kid_of(keys, "log"), now=LATER)
    with pytest.raises(NotFound):
        succession.retire("00" * 8, now=LATER)
    assert topics(store) == []


def test_two_deeds_at_once_are_refused(succession, keys):
    with keys.alone(), pytest.raises(KeysUnusable, match="in a moment"):
        KeyFolder(keys.folder, bytes(range(32))).alone().__enter__()


def test_weak_keys_and_keys_of_another_use_do_not_enter_the_log(keys, store):
    file = next(keys.folder.glob("log-*"))
    stored = json.loads(file.read_bytes())
    known = stored["facts"]["publicKeyMultibase"]

    small_order = multikey(bytes(32))  # y = 0, of order four
    one_more = multikey((2**255 - 18).to_bytes(32, "little"))  # y = 1 in another spelling
    for public, why in ((small_order, "small order"), (one_more, "spelling"), (known[:-1], "not an Ed25519 key")):
        stored["facts"]["publicKeyMultibase"] = public
        file.write_text(json.dumps(stored))
        with pytest.raises(KeysUnusable, match=why):
            announce(store, keys, on=DAY, by="operator")

    stored["facts"]["publicKeyMultibase"], stored["facts"]["use"] = known, "status"
    file.write_text(json.dumps(stored))
    with pytest.raises(KeysUnusable, match="for log"):
        announce(store, keys, on=DAY, by="operator")


# --- the plane ---


def test_the_plane_follows_a_withdrawal_lists_by_the_new_key_and_no_document_has_the_old_one(
    succession, keys, plane, database_connection, static
):
    plane.publish(database_connection, NOON)
    certificate, status = kid_of(keys, "certificate"), kid_of(keys, "status")
    succession.withdraw(certificate, "compromised", since=NOON, now=LATER)
    new = succession.withdraw(status, "compromised", since=NOON, now=LATER).made

    assert len(plane.publish(database_connection, LATER).written) == 4

    ring = read_keys_json((static / "keys.json").read_bytes())
    assert {key.kid.hex(): bool(key.withdrawn) for key in ring}[certificate]
    for name, gone in ((".well-known/did.json", certificate), ("status/did.json", status)):
        document = (static / name).read_bytes()
        assert gone.encode() not in document
        assert [*read_did(document)]
    assert bytes.fromhex(new) in (static / "s/1").read_bytes()


def test_a_retired_key_stays_asserted(succession, keys, plane, database_connection, static):
    old = kid_of(keys, "certificate")
    succession.rotate("certificate", start=None, now=LATER)
    plane.publish(database_connection, LATER)

    document = json.loads((static / ".well-known/did.json").read_bytes())
    assert [one for one in document["assertionMethod"] if one.endswith(old)]


# --- what is to be known ---


def test_it_is_said_what_is_missing_and_what_is_due(succession, keys, read):
    def notes(at, certificates=None):
        rows = overview(read().keys, keys, at, certificates)
        return [*missing(rows), *due(rows, at)]

    assert notes(NOON) == []
    assert [line for line in notes(NOON + timedelta(days=400)) if "older than a year" in line and "rotate" in line]
    assert len(notes(NOON + timedelta(days=340))) == len(USES)
    stolen = kid_of(keys, "certificate")
    succession.withdraw(stolen, "compromised", since=NOON, now=LATER)
    assert notes(LATER, {stolen: 3}) == [
        f"The withdrawn certificate key {stolen} signs 3 unexpired: `registry certificates reissue`."
    ]
    assert [line for line in notes(LATER) if "No jwt key signs" in line] == []
    old = kid_of(keys, "log", LATER)
    succession.rotate("log", start=None, now=LATER)
    assert [line for line in notes(LATER) if old in line and "still here" in line]


def _killed(*_, **__):
    raise Killed


def test_what_is_issued_names_the_newest_key_that_the_log_knows(settings, keys, store, randomness):
    known = {use: kid_of(keys, use) for use in ("certificate", "jwt")}
    newer = {use: keys.add(use, HOST, LATER, specimen=True, random=randomness).kid for use in known}  # restored before
    registry = open_registry(settings, clock=lambda: LATER)

    assert {"certificate": registry.kid(), "jwt": registry.jwt()} == known
    announce(store, keys, on=DAY, by="operator")
    assert {"certificate": registry.kid(), "jwt": registry.jwt()} == newer
    registry.store.close()
    registry.store.vault.close()
