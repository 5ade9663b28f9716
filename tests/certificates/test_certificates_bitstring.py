"""The list of badges: revoked is for good, whatever became of the certificate; JSON and JWT say the same."""

import gzip
import json
from base64 import urlsafe_b64decode
from collections import Counter
from datetime import date, timedelta

import pytest
from certificate_facts import HOST, NOON, SLOT_KEY, Story, rows

from registry.certificates import bitstring
from registry.certificates.slots import slot
from registry.certificates.status import REVOKED, SUPERSEDED, SUSPENDED, VALID, Statuses
from registry.log.fsck_lists import SPENT, Listed
from registry.log.tiles import Disk
from verifier import integrity
from verifier.keys import read_did

LATER = date(2026, 9, 1)
ADDRESS = f"https://{HOST}/status/revocation/1"


@pytest.fixture
def story():
    return Story()


def told(*events):
    """Of each certificate in order: its token status, and whether its badge is revoked; fsck counts the same."""
    statuses, found = Statuses(SLOT_KEY), rows(*events)
    statuses.advance(found, found[-1][0])
    at = [slot(position - 1, SLOT_KEY) for position, _, topic, _ in found if topic == "certificate.issued"]
    told = [(statuses.of_list(one.list).get(one.place, VALID), one.place in statuses.badges_revoked(1)) for one in at]
    listed = Listed()
    for row in found:
        listed.take(*row)
    counted = Counter(status for status, _ in told) + Counter(SPENT + status for status, spent in told if spent)
    assert listed.count()[1] == counted
    return told


def test_a_renewed_badge_is_left_to_its_own_end(story):
    begun = [story.awarded(), story.issued()]

    assert told(*begun) == [(VALID, False)]
    renewed = [*begun, story.renewed(), story.issued(2, replaces=1, why="renewed", on=LATER)]
    assert told(*renewed) == [(SUPERSEDED, False), (VALID, False)]


@pytest.mark.parametrize("why", ["transferred", "renamed", "add_on", "converted", "corrected"])
def test_one_that_was_replaced_for_another_reason_is_revoked(story, why):
    events = [story.awarded(), story.issued(), story.issued(2, replaces=1, why=why, on=LATER)]

    assert told(*events) == [(SUPERSEDED, True), (VALID, False)]


@pytest.mark.parametrize(
    ("pause", "end"),
    [("suspended", "lifted"), ("made_inactive", "reactivated"), ("emeritus", "reinstated"), ("transferred", None)],
)
def test_after_a_pause_the_paper_is_good_again_and_the_badge_is_not_until_there_is_a_new_one(story, pause, end):
    events = [
        story.awarded(),
        story.issued(),
        getattr(story, pause)(**({"to": "CT"} if pause == "transferred" else {})),
    ]
    (now,) = told(*events)
    assert now[0] != VALID
    assert now[1]

    events.append(getattr(story, end)() if end else story.transferred("VA"))
    assert told(*events) == [(VALID, True)]

    events.append(story.issued(1, why="new_badge", badge="ab" * 16, on=LATER))
    assert told(*events) == [(VALID, True), (VALID, False)]


@pytest.mark.parametrize(
    ("deed", "status", "reason", "standing"),
    [
        ("suspended", SUSPENDED, "suspended", "suspended"),
        ("made_inactive", SUSPENDED, "inactive", "inactive"),
        ("emeritus", SUSPENDED, "emeritus", "emeritus"),
        ("removed", REVOKED, "removed", "removed"),
        ("archived", REVOKED, "erased", "erased"),
        ("died", REVOKED, "erased", "erased"),
        ("erased", REVOKED, "erased", "erased"),
    ],
)
def test_a_change_of_standing_reaches_every_unexpired_certificate_replaced_ones_included(
    story, deed, status, reason, standing
):
    events = [story.awarded(), story.issued(), story.renewed(), story.issued(2, replaces=1, why="renewed", on=LATER)]
    events.append(getattr(story, deed)(on=LATER))

    assert told(*events) == [(status, True), (status, True)]
    statuses, found = Statuses(SLOT_KEY), rows(*events)
    statuses.advance(found, found[-1][0])
    notes = statuses.notes(1, NOON)
    assert {(note.reason, note.standing) for note in notes.values()} == {(reason, standing)}
    assert len(notes) == 2


def test_what_is_lifted_goes_back_to_what_it_was_for_the_replaced_one_too(story):
    events = [story.awarded(), story.issued(), story.renewed(), story.issued(2, replaces=1, why="renewed", on=LATER)]
    lifted = [*events, story.suspended(on=LATER), story.lifted(on=LATER)]

    assert told(*lifted) == [(SUPERSEDED, True), (VALID, True)]


def test_a_superseded_one_tells_the_present_standing(story):
    events = [story.awarded(), story.issued(), story.renewed(), story.issued(2, replaces=1, why="renewed", on=LATER)]
    lapsed = [*events, story.lapsed(on=date(2032, 1, 1))]
    statuses, found = Statuses(SLOT_KEY), rows(*lapsed)
    statuses.advance(found, found[-1][0])
    first = slot(1, SLOT_KEY)

    assert statuses.of_list(1)[first.place] == SUPERSEDED
    note = statuses.notes(1, NOON)[first.place]
    assert (note.reason, note.standing) == ("renewed", "lapsed")


def test_place_0_is_the_left_most_bit():
    assert bitstring.bits([0, 9])[:3] == b"\x80\x40\x00"
    assert len(bitstring.bits([])) == 16_384
    assert bitstring.decode(bitstring.encode(bitstring.bits([131_071]))) == bitstring.bits([131_071])
    assert bitstring.decode("u!") == bitstring.decode("uAAAA") == b""


# --- on the plane


@pytest.fixture
def begun(store, history, keys, story):
    history(story.registered(), story.awarded(), story.issued())
    return slot(6, keys.slot_key).place


def revoked(content):
    """By hand, as software of others reads it."""
    packed = json.loads(content)["credentialSubject"]["encodedList"]
    assert packed[0] == "u"
    octets = gzip.decompress(urlsafe_b64decode(packed[1:] + "=" * (-len(packed[1:]) % 4)))
    assert len(octets) == 16_384
    return {place for place in range(131_072) if octets[place // 8] >> (7 - place % 8) & 1}


def payload(token):
    return urlsafe_b64decode(token.split(b".")[1] + b"==")


def test_json_and_jwt_are_there_signed_under_the_issuers_own_did(plane, database_connection, static, begun):
    written = plane.publish(database_connection, NOON).written

    assert {"status/revocation/1", "status/revocation/1.jwt"} <= set(written)
    content = (static / "status/revocation/1").read_bytes()
    token = (static / "status/revocation/1.jwt").read_bytes()
    ring = read_did((static / ".well-known/did.json").read_bytes())
    received = integrity.unseal(content)
    received.check(ring.named(received.key, "certificate"))
    assert [proof["cryptosuite"] for proof in json.loads(content)["proof"]] == ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
    head = json.loads(urlsafe_b64decode(token.split(b".")[0] + b"=="))
    signed, _, signature = token.rpartition(b".")
    ring.named(head["kid"], "jwt").holds(urlsafe_b64decode(signature + b"=="), signed)
    document = dict(received.document)
    claims = {"iss", "jti", "nbf", "exp", "sub"}
    assert {name: one for name, one in json.loads(payload(token)).items() if name not in claims} == document
    assert document["id"] == ADDRESS
    assert document["issuer"] == f"did:web:{HOST}"
    assert document["credentialSubject"]["statusPurpose"] == "revocation"
    assert revoked(content) == set()


def test_a_revocation_is_in_both_lists_with_the_next_publication_and_stays(
    plane, database_connection, static, begun, history, story
):
    plane.publish(database_connection, NOON)
    history(story.suspended())
    plane.publish(database_connection, NOON)

    for content in (
        (static / "status/revocation/1").read_bytes(),
        payload((static / "status/revocation/1.jwt").read_bytes()),
    ):
        assert revoked(content) == {begun}
    history(story.lifted())
    assert plane.publish(database_connection, NOON).written == ["s/1.notes", "s/1"]
    assert revoked((static / "status/revocation/1").read_bytes()) == {begun}


def test_they_are_signed_again_before_they_are_old_and_not_before(new_plane, database_connection, static, begun):
    new_plane().publish(database_connection, NOON)
    before = (static / "status/revocation/1").read_bytes()

    assert new_plane().publish(database_connection, NOON + timedelta(hours=11)).written == []
    assert (static / "status/revocation/1").read_bytes() == before
    again = new_plane().publish(database_connection, NOON + timedelta(hours=12)).written
    assert {"status/revocation/1", "status/revocation/1.jwt"} <= set(again)


def test_a_registry_without_a_key_for_jwts_publishes_the_rest(new_plane, database_connection, static, begun, keys):
    next(keys.folder.glob("jwt-*")).unlink()

    new_plane().publish(database_connection, NOON)

    assert (static / "status/revocation/1").is_file()
    assert not (static / "status/revocation/1.jwt").exists()


def test_token_lists_go_out_before_the_lists_of_badges(new_plane, database_connection, static, begun, history, story):
    new_plane().publish(database_connection, NOON)
    history(story.removed())
    written = []

    class Noting(Disk):
        def write(self, path, data):
            written.append(str(path.relative_to(static)))
            super().write(path, data)

    new_plane(disk=Noting()).publish(database_connection, NOON)

    order = [
        next(at for at, name in enumerate(written) if part in name) for part in ("s/.1.new", ".1.jwt", "checkpoint")
    ]
    assert order == sorted(order)


def test_every_category_has_an_achievement_of_the_official_shape_and_a_page_in_both_languages(
    plane, database_connection, static, begun
):
    plane.publish(database_connection, NOON)
    from domain.category import CATEGORIES
    from registry.certificates import badge

    schema = badge.asset(badge.SCHEMA.rpartition("/")[2])
    achievement = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": "#/$defs/Achievement"}
    import jsonschema_rs

    official = jsonschema_rs.Draft201909Validator(achievement)
    for code, category in CATEGORIES.items():
        told_of = json.loads((static / "achievements" / code).read_bytes())
        official.validate(told_of)
        assert (told_of["humanCode"], told_of["name"]) == (code, category.title)
        page = (static / "achievements" / f"{code}.html").read_text()
        assert '<section id="es" lang="es">' in page
        assert "Source: " in page
        assert "Fuente: " in page
        assert told_of["criteria"]["id"] == f"https://{HOST}/achievements/{code}.html"
