"""fsck holds the published status lists against the events: an undone revocation is found (A2)."""

import json
import shutil
from datetime import timedelta

import pytest
from certificate_facts import HOST, NOON, Story, seeded
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from registry.certificates import badge, bitstring
from registry.certificates.keys import USES, FileSigner
from registry.certificates.slots import slot
from registry.log.fsck import examine
from registry.log.published import Published
from verifier import cose
from verifier.keys import read_keys_json
from verifier.status import LIST_TYP, read_list, token_list


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def published(history, story, plane, database_connection, keys):
    """Tell the history more, and publish."""
    history(story.registered(), story.awarded(), story.issued())

    def publish(*events):
        history(*events)
        return plane.publish(database_connection, NOON)

    publish()
    return publish


@pytest.fixture
def findings(database_connection, static):
    def examined():
        report = examine(database_connection, static)
        assert report.not_checked == [] or "only their structure" in report.not_checked[0]
        return [(finding.file, finding.what) for finding in report.findings]

    return examined


def test_what_is_published_agrees_at_every_step_of_a_life(published, story, findings):
    assert findings() == []
    for deed in ("made_inactive", "reactivated", "renewed", "suspended", "lifted", "transferred", "archived"):
        published(getattr(story, deed)())
        assert findings() == [], deed
    published(story.erased())
    assert findings() == []


def test_a_revocation_that_was_undone_is_found(published, story, findings, static):
    old = (static / "s/1").read_bytes()
    published(story.removed())
    (static / "s/1").write_bytes(old)

    events, listed = "1 revoked, 0 suspended, 0 superseded", "0 revoked, 0 suspended, 0 superseded"
    assert findings() == [("s/1", f"of its certificates {listed}; by the events {events}")]


def test_a_list_may_be_ahead_of_the_checkpoint_for_it_goes_out_first(published, story, findings, static, history):
    checkpoint = (static / "checkpoint").read_bytes()
    history(story.suspended(), story.lifted(), story.made_inactive())
    assert findings() == []
    published(story.removed())
    (static / "checkpoint").write_bytes(checkpoint)
    history(story.renewed())
    assert findings() == []


def test_a_missing_list_is_found(published, findings, static):
    (static / "s/1").unlink()

    assert findings() == [("s/1", "the list is missing; by the events 0 revoked, 0 suspended, 0 superseded")]


def made(number=1, signer=None, typ=LIST_TYP):
    payload = token_list({}, f"https://{HOST}/s/{number}", int(NOON.timestamp()))
    return cose.seal(payload, typ, bytes.fromhex(signer.kid), signer.sign)


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (lambda _signer, _list: b"", "it is no list"),
        (lambda _signer, _list: b"\xd2\x84\x5b" + bytes([255] * 12), "it is no list"),
        (lambda _signer, _list: bytes([0x9B] * 40), "it is no list"),
        (lambda _signer, found: b"\xd1" + found[1:], "it is no signed list"),
        (lambda _signer, found: found[:-1] + bytes([found[-1] ^ 1]), "its signature fails"),
        (lambda _signer, _list: made(signer=seeded("x", "status")), "no list key of this registry signed it"),
        (lambda signer, _list: made(2, signer), "it is another list"),
        (lambda signer, _list: made(signer=signer, typ="iecmh-notes+cwt"), "it is another list"),
    ],
)
def test_what_is_no_list_of_ours_is_found(published, findings, static, keys, forge, why):
    found = (static / "s/1").read_bytes()
    (static / "s/1").write_bytes(forge(keys.signer("status", NOON), found))

    assert findings() == [("s/1", why)]


def test_a_list_that_was_signed_again_later_is_the_same(published, plane, findings, database_connection):
    plane.publish(database_connection, NOON + timedelta(hours=12))

    assert findings() == []


# --- the lists of badges

ISSUER = f"did:web:{HOST}"
JSON, JWT = "status/revocation/1", "status/revocation/1.jwt"


def badges(revoked, signer, number=1, at=NOON):
    address = f"https://{HOST}/status/revocation/{number}"
    unsigned = bitstring.document(revoked, address, ISSUER, int(at.timestamp()))
    return badge.jwt(unsigned, signer) if signer.use == "jwt" else bitstring.sign(unsigned, signer)


@pytest.fixture
def forge(static, keys):
    """Put there a list with these places, signed by the right key."""

    def forge(revoked, *uses, **options):
        for use, name in (("certificate", JSON), ("jwt", JWT)):
            if use in uses or not uses:
                (static / name).write_bytes(badges(revoked, keys.signer(use, NOON), **options))

    return forge


@pytest.fixture
def place(keys):
    return slot(6, keys.slot_key).place


def test_a_badge_revoked_or_not_against_the_events_is_found_by_their_number(published, story, findings, forge, place):
    forge({place})
    assert findings() == [(name, "1 badges revoked; by the events 0") for name in (JSON, JWT)]

    published(story.removed())
    forge(set(), "certificate")
    assert findings() == [(JSON, "0 badges revoked; by the events 1")]


def test_another_badge_revoked_in_its_place_is_found_by_the_token_list(published, story, findings, forge, place):
    published(story.suspended())
    other = 0 if place else 1
    forge({other})
    missing = f"of its places 1 suspended in s/1 not revoked here (the first is {place}); by the events 0"
    added = f"of its places 1 good in s/1 revoked here (the first is {other}); by the events 0"
    assert findings() == [(JSON, f"{missing}, {added}")]
    forge({place}, "certificate")
    assert findings() == [(JWT, f"it revokes other badges than {JSON}")]


def test_json_and_jwt_revoke_the_same(published, story, findings, static, keys, place):
    old = (static / JWT).read_bytes()
    published(story.removed())
    (static / JWT).write_bytes(old)

    assert findings() == [(JWT, "0 badges revoked; by the events 1")]


@pytest.mark.parametrize(("name", "why"), [(JSON, "no certificate key"), (JWT, "no JWT key")])
def test_a_list_of_badges_of_a_foreign_or_retired_key_is_found(published, findings, static, keys, name, why):
    use = "jwt" if name == JWT else "certificate"
    foreign = seeded("x") if use == "certificate" else FileSigner(derive_private_key(7, SECP256R1()), use, ISSUER)
    wrong = [(name, f"{why} of this registry signed it")]

    (static / name).write_bytes(badges(set(), foreign))
    assert findings() == wrong
    (static / name).write_bytes(badges(set(), keys.signer(use, NOON), at=NOON - timedelta(seconds=1)))
    assert findings() == wrong


@pytest.mark.parametrize("name", [JSON, JWT])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda _found: b"", "it is no list"),
        (lambda _found: b"[" * 100_000, "it is no list"),
        (lambda _found: b"{}", "it is no list"),
        (lambda _found: b"e30.e30.AA", "it is no list"),
    ],
)
def test_what_is_no_list_of_badges_is_found(published, findings, static, name, change, why):
    (static / name).write_bytes(change((static / name).read_bytes()))

    assert findings() == [(name, why)]


def test_a_list_of_badges_of_another_number_is_found(published, findings, forge):
    forge(set(), number=2)

    assert findings() == [(JSON, "it is another list"), (JWT, "it is another list")]


def test_a_changed_list_of_badges_is_found(published, findings, static):
    found = (static / JSON).read_bytes()
    (static / JSON).write_bytes(found.replace(b"2026-06-03", b"2026-06-04"))
    token = (static / JWT).read_bytes()
    (static / JWT).write_bytes(token[:-8] + (b"AAAAAAAA" if token[-8:] != b"AAAAAAAA" else b"BBBBBBBB"))

    assert findings() == [(JSON, "its signature fails"), (JWT, "its signature fails")]


def test_a_missing_list_of_badges_is_found(published, story, findings, static):
    for spent in (0, 1):
        (static / JSON).unlink()
        (static / JWT).unlink()
        assert findings() == [
            (name, f"the list is missing; by the events {spent} badges revoked") for name in (JSON, JWT)
        ]
        published(story.removed())


def test_lists_of_badges_may_be_ahead_of_the_checkpoint_and_of_each_other(published, story, findings, static, history):
    checkpoint, old = (static / "checkpoint").read_bytes(), (static / JWT).read_bytes()
    published(story.suspended())
    (static / "checkpoint").write_bytes(checkpoint)
    assert findings() == []
    (static / JWT).write_bytes(old)
    assert findings() == []


def test_lists_by_a_key_newer_than_the_checkpoint_and_the_published_keys_are_ours(
    published, findings, static, succession, plane, database_connection
):
    before = {name: (static / name).read_bytes() for name in ("checkpoint", "keys.json")}
    later = NOON + timedelta(days=1)
    for use in ("certificate", "jwt", "status"):
        succession.rotate(use, start=None, now=later)
    plane.publish(database_connection, later)
    assert findings() == []
    for name, content in before.items():  # the publisher was killed after the lists
        (static / name).write_bytes(content)
    assert findings() == []


def test_keys_that_a_restored_database_does_not_know_sign_nothing_and_those_before_them_do(
    published, findings, static, new_plane, database_connection, keys, randomness, story
):
    old = {use: keys.signer(use, NOON).kid for use in USES}
    for use in USES:  # in the key folder only: the events are those of before
        keys.add(use, HOST, NOON + timedelta(minutes=1), specimen=True, random=randomness)
    shutil.rmtree(static)
    now = NOON + timedelta(hours=1)
    new_plane().publish(database_connection, now)

    assert findings() == []
    ring = read_keys_json((static / "keys.json").read_bytes())
    assert sorted(key.kid.hex() for key in ring) == sorted(old.values())
    assert read_list((static / "s/1").read_bytes(), ring).issued_at == int(now.timestamp())
    (proof, _) = json.loads((static / JSON).read_bytes())["proof"]
    assert proof["verificationMethod"] == f"{ISSUER}#{old['certificate']}"
    assert Published.of(static).checkpoint().size == 7
