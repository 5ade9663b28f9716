"""fsck holds the published status lists against the events: an undone revocation is found (A2)."""

from datetime import timedelta

import pytest
from certificate_facts import HOST, NOON, Story, seeded

from registry.log.fsck import examine
from verifier import cose
from verifier.status import LIST_TYP, token_list


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
