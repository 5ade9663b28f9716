"""The static plane: complete at every moment, written in order, signed again in time."""

import json
import shutil
from datetime import timedelta

import pytest
from certificate_facts import DAY, HOST, NOON, Story
from disks import Killed, KilledAt

from domain.key import Key
from registry.certificates.keys import KeyFolder, KeysUnusable, announce
from registry.certificates.plane import PAGE, Plane
from registry.certificates.slots import slot
from registry.log.publish import Overtaken
from registry.log.published import Published
from registry.log.tiles import Disk
from verifier import status
from verifier.keys import read_did, read_keys_json
from verifier.proof import read_checkpoint
from verifier.verdict import Notice


class Reader:
    """Somebody with the files and nothing else."""

    def __init__(self, static):
        self.static = static

    @property
    def ring(self):
        return read_keys_json((self.static / "keys.json").read_bytes())

    @property
    def statuses(self):
        return status.Statuses(status.folder(self.static))

    def listed(self, position, keys):
        at = slot(position - 1, keys.slot_key)
        return self.statuses.list_at(f"https://{HOST}/s/{at.list}", self.ring)[at.place]

    def notice(self, position, keys):
        at = slot(position - 1, keys.slot_key)
        return self.statuses.notes_of(f"https://{HOST}/s/{at.list}", self.ring).get(at.place)

    def size(self):
        return read_checkpoint((self.static / "checkpoint").read_bytes(), self.ring.logs).size


ALL = ["s/1.notes", "s/1", "status/revocation/1", "status/revocation/1.jwt"]
"""What is signed for the first 131,072 events, in the order of its writing."""


@pytest.fixture
def reader(static):
    return Reader(static)


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def begun(store, history, keys, story):
    """Positions 1 to 4 are keys, 5 the person, 6 the award, 7 the certificate."""
    history(story.registered(), story.awarded(), story.issued())
    return 7


def test_every_file_of_the_plane_is_there(plane, database_connection, static, begun, reader):
    published = plane.publish(database_connection, NOON)

    files = {str(file.relative_to(static)) for file in static.rglob("*") if file.is_file()}
    assert {".well-known/did.json", "status/did.json", "keys.json", "s/1", "s/1.notes", "checkpoint"} <= files
    assert {"v1", "v1-worker.js", "kit.html"} <= files
    assert any(file.startswith("tile/0/") for file in files)
    assert any(file.startswith("tile/entries/") for file in files)
    assert not [file for file in files if file.endswith(".new")]
    assert published.position == reader.size() == 7
    assert sorted(published.written) == sorted(ALL)


def test_the_page_is_there_under_both_names(plane, database_connection, static, begun):
    assert PAGE.is_file(), "set-up makes the page: make setup"
    plane.publish(database_connection, NOON)

    assert (static / "v1").read_bytes() == (static / "v1.html").read_bytes() == PAGE.read_bytes()


def test_a_list_says_valid_until_something_happens_and_then_what(
    plane, database_connection, begun, history, story, keys, reader
):
    plane.publish(database_connection, NOON)
    assert reader.listed(begun, keys) == 0

    history(story.suspended())
    plane.publish(database_connection, NOON)
    assert reader.listed(begun, keys) == 2
    assert reader.notice(begun, keys) == Notice("suspended", "2026-06-01", "suspended", "VA")

    history(story.lifted(), story.erased())
    plane.publish(database_connection, NOON)
    assert reader.listed(begun, keys) == 1
    assert reader.notice(begun, keys).reason == "erased"


def test_a_revocation_is_on_the_plane_with_the_next_publication(
    plane, database_connection, begun, history, story, keys, reader
):
    plane.publish(database_connection, NOON)
    history(story.removed())
    plane.publish(database_connection, NOON)

    assert reader.listed(begun, keys) == 1


def test_only_what_changed_is_written(new_plane, database_connection, static, begun, history, story):
    plane = new_plane()
    plane.publish(database_connection, NOON)
    before = {file: file.stat().st_mtime_ns for file in static.rglob("*") if file.is_file()}

    assert plane.publish(database_connection, NOON).written == []
    assert new_plane().publish(database_connection, NOON + timedelta(hours=11)).written == []
    assert {file: file.stat().st_mtime_ns for file in static.rglob("*") if file.is_file()} == before

    history(story.renewed())
    assert plane.publish(database_connection, NOON).written == []
    history(story.issued(2, replaces=1, why="renewed"))
    assert plane.publish(database_connection, NOON).written == ["s/1.notes", "s/1"]
    history(story.made_inactive())
    assert plane.publish(database_connection, NOON).written == ALL
    history(story.transferred("CT"))
    assert plane.publish(database_connection, NOON).written == ["s/1.notes"]


def test_lists_are_signed_again_after_twelve_hours_by_whoever_runs(new_plane, database_connection, begun, reader):
    plane = new_plane()
    plane.publish(database_connection, NOON)

    assert plane.publish(database_connection, NOON + timedelta(hours=12, seconds=-1)).written == []
    assert plane.publish(database_connection, NOON + timedelta(hours=12)).written == ALL
    later = NOON + timedelta(hours=24)
    assert new_plane().publish(database_connection, later).written == ALL
    listed = reader.statuses.list_at(f"https://{HOST}/s/1", reader.ring)
    assert listed.issued_at == later.timestamp()
    assert listed.expires_at == later.timestamp() + 48 * 3600


def test_a_list_that_somebody_changed_is_written_anew(new_plane, database_connection, static, begun, keys, reader):
    new_plane().publish(database_connection, NOON)
    for name in ("s/1", "s/1.notes"):
        (static / name).write_bytes(b"garbage")

    new_plane().publish(database_connection, NOON)

    assert reader.listed(begun, keys) == 0


def test_the_did_documents_and_the_key_list_name_the_same_keys_each_for_its_use(
    plane, database_connection, static, begun, keys
):
    plane.publish(database_connection, NOON)
    kid = {use: keys.signer(use, NOON).kid for use in ("certificate", "status", "log", "jwt")}

    issuer = json.loads((static / ".well-known/did.json").read_text())
    lists = json.loads((static / "status/did.json").read_text())
    page = json.loads((static / "keys.json").read_text())
    assert issuer["assertionMethod"] == [f"did:web:{HOST}#{kid['certificate']}", f"did:web:{HOST}#{kid['jwt']}"]
    assert [method["type"] for method in issuer["verificationMethod"]] == ["Multikey", "JsonWebKey"]
    assert issuer["verificationMethod"][1]["publicKeyJwk"].keys() == {"kty", "crv", "x", "y"}
    assert lists["id"] == f"did:web:{HOST}:status"
    assert lists["assertionMethod"] == [f"did:web:{HOST}:status#{kid['status']}"]
    assert page["specimen"] is True
    assert page["prefixes"] == ["https://registry.example/v1#"]
    assert page["log"]["origin"] == "registry.example/log"
    assert {key["kid"]: key["use"] for key in page["keys"]} == {kid[use]: use for use in kid}
    read_did((static / ".well-known/did.json").read_bytes()).for_certificates(bytes.fromhex(kid["certificate"]))
    read_did((static / ".well-known/did.json").read_bytes()).named(f"did:web:{HOST}#{kid['jwt']}", "jwt")
    read_did((static / "status/did.json").read_bytes()).for_status(bytes.fromhex(kid["status"]))


def test_the_shape_of_the_key_list_is_the_promised_one(plane, database_connection, static, begun):
    plane.publish(database_connection, NOON)

    page = json.loads((static / "keys.json").read_text())
    assert list(page) == ["issuer", "specimen", "prefixes", "log", "witnesses", "keys"]
    assert list(page["keys"][0]) == [
        "kid", "use", "controller", "id", "publicKeyMultibase", "from", "until", "withdrawn"
    ]  # fmt: skip
    assert page["keys"][0]["from"] == "2026-06-01T12:00:00Z"
    assert page["keys"][0]["until"] is None


def test_a_plane_that_knows_no_witness_keeps_those_that_were_published(new_plane, database_connection, static, begun):
    new_plane().publish(database_connection, NOON)
    vkey = "witness.example/demo+069c180d+BBJzyVAXBHT/Vnq2DVg/6Uzf17VFnQKhshBQZnDP/BQb"
    (static / "witnesses").write_text(f"{vkey}\n")

    new_plane().publish(database_connection, NOON)

    assert json.loads((static / "keys.json").read_bytes())["witnesses"] == [vkey]
    assert (static / "witnesses").read_text() == f"{vkey}\n"


def test_a_retired_key_stays_and_a_withdrawn_one_does_not(
    plane, database_connection, static, begun, keys, store, randomness
):
    old = keys.signer("certificate", NOON)
    new = keys.add("certificate", HOST, NOON + timedelta(days=7), specimen=True, random=randomness)
    announce(store, keys, on=DAY, by="operator")
    key = store.get(Key, old.kid)
    key.retire(until=NOON + timedelta(days=7), on=DAY, by="operator")
    store.save(key)
    plane.publish(database_connection, NOON)
    issuer = json.loads((static / ".well-known/did.json").read_text())
    jwt = keys.signer("jwt", NOON)
    assert issuer["assertionMethod"] == [f"did:web:{HOST}#{one.kid}" for one in (old, new, jwt)]
    assert issuer["verificationMethod"][0]["expires"] == "2026-06-08T12:00:00Z"

    key = store.get(Key, old.kid)
    key.withdraw("compromised", since=NOON, on=DAY, by="operator")
    store.save(key)
    plane.publish(database_connection, NOON)
    issuer = json.loads((static / ".well-known/did.json").read_text())
    assert issuer["assertionMethod"] == [f"did:web:{HOST}#{one.kid}" for one in (new, jwt)]
    assert [one["id"] for one in issuer["verificationMethod"]] == issuer["assertionMethod"]
    ring = read_keys_json((static / "keys.json").read_bytes())
    assert ring.for_certificates(bytes.fromhex(old.kid)).withdrawn == "2026-06-01T12:00:00Z"


def test_a_new_status_key_signs_all_lists_again(plane, database_connection, begun, keys, store, randomness, reader):
    plane.publish(database_connection, NOON)
    keys.add("status", HOST, NOON + timedelta(hours=1), specimen=True, random=randomness)
    announce(store, keys, on=DAY, by="operator")

    written = plane.publish(database_connection, NOON + timedelta(hours=1)).written

    assert written == ["s/1.notes", "s/1"]
    assert reader.listed(begun, keys) == 0


def test_a_new_log_key_signs_the_checkpoint_again_and_the_log_goes_on(
    plane, database_connection, begun, keys, store, randomness, reader, history, story
):
    plane.publish(database_connection, NOON)
    keys.add("log", HOST, NOON + timedelta(hours=1), specimen=True, random=randomness)
    announce(store, keys, on=DAY, by="operator")
    assert plane.publish(database_connection, NOON).position == reader.size() == 8

    assert plane.publish(database_connection, NOON + timedelta(hours=1)).position == reader.size() == 8
    history(story.suspended())
    assert plane.publish(database_connection, NOON + timedelta(hours=1)).position == reader.size() == 9


def test_keys_the_log_does_not_know_publish_nothing(settings, database_connection, static, randomness):
    folder = KeyFolder(settings.keys, bytes(range(32)))
    folder.init(HOST, NOON, specimen=True, random=randomness)

    with pytest.raises(KeysUnusable, match="registry keys publish"):
        Plane(static, folder, host=HOST, qr_host=HOST).publish(database_connection, NOON)
    assert not list(static.rglob("*"))


def test_a_retired_or_withdrawn_key_signs_no_list(plane, database_connection, keys, store):
    key = store.get(Key, keys.signer("status", NOON).kid)
    key.retire(until=NOON + timedelta(hours=1), on=DAY, by="operator")
    store.save(key)
    plane.publish(database_connection, NOON)

    with pytest.raises(KeysUnusable, match="retired"):
        plane.publish(database_connection, NOON + timedelta(hours=1))


def test_keys_of_another_host_publish_nothing(settings, keys, database_connection):
    with pytest.raises(KeysUnusable, match=r"other\.example"):
        Plane(settings.static, keys, host="other.example", qr_host=HOST).publish(database_connection, NOON)


def appeared(disk, static):
    renamed = [str(path.relative_to(static)) for what, path in disk.done if what == "rename"]
    kinds = ["tile" if name.startswith("tile") else name for name in renamed]
    return kinds, {name: kinds.index(name) for name in kinds}


def test_files_appear_in_order_the_checkpoint_last(
    new_plane, database_connection, static, begun, history, story, keys, store, randomness
):
    new_plane().publish(database_connection, NOON)
    history(story.suspended())
    keys.add("certificate", HOST, NOON, specimen=True, random=randomness)
    announce(store, keys, on=DAY, by="operator")
    disk = KilledAt(-1)
    new_plane(disk=disk).publish(database_connection, NOON)

    kinds, first = appeared(disk, static)
    assert max(n for n, kind in enumerate(kinds) if kind == "tile") < first["s/1.notes"] < first["s/1"]
    assert first["s/1"] < first[".well-known/did.json"] < first["keys.json"] < first["checkpoint"]
    assert kinds[-1] == "checkpoint"
    sealed = disk.done.index(("rename", static / "checkpoint"))
    assert ("sync", static / "s") in disk.done[:sealed]


def test_at_the_beginning_keys_and_the_checkpoint_of_no_events_come_first(
    new_plane, database_connection, static, begun
):
    disk = KilledAt(-1)
    new_plane(disk=disk).publish(database_connection, NOON)

    kinds, first = appeared(disk, static)
    assert first[".well-known/did.json"] < first["keys.json"] < first["checkpoint"] < first["tile"]
    assert max(n for n, kind in enumerate(kinds) if kind == "tile") < first["s/1.notes"] < first["s/1"]
    assert kinds.count("checkpoint") == 2
    assert kinds[-1] == "checkpoint"


def test_killed_at_any_step_of_the_beginning_the_next_run_finishes(
    new_plane, database_connection, static, begun, keys, reader
):
    step, finished = 0, False
    while not finished:
        step += 1
        shutil.rmtree(static, ignore_errors=True)
        try:
            new_plane(disk=KilledAt(step)).publish(database_connection, NOON)
            finished = True
        except Killed:
            assert Published.of(static).checkpoint() is None or reader.size() in {0, 7}
        new_plane().publish(database_connection, NOON)
        assert reader.size() == 7
        assert reader.listed(begun, keys) == 0


class Meanwhile(Disk):
    """A disk on whose first write of one file something else happens."""

    def __init__(self, name, happens):
        self.name = name
        self.happens = happens

    def write(self, path, data):
        if path.name == self.name and (happens := self.happens):
            self.happens = None
            happens()
        super().write(path, data)


@pytest.mark.parametrize("name", [".1.new", ".1.notes.new", ".checkpoint.new"])
def test_of_two_publishers_the_slower_does_not_undo_what_the_faster_listed(
    new_plane, connect, database_connection, begun, history, story, keys, reader, name
):
    """The lists, too, are written by one at a time: else a revocation may be gone for twelve hours (A2)."""
    new_plane().publish(database_connection, NOON)
    other, refused = new_plane(), []

    def publish_beside():
        history(story.removed())
        try:
            other.publish(connect("projector"), NOON + timedelta(hours=12))
        except Overtaken:
            refused.append(name)

    slow = new_plane(disk=Meanwhile(name, publish_beside))
    history(story.renewed())
    slow.publish(database_connection, NOON + timedelta(hours=12))

    assert refused
    other.publish(database_connection, NOON + timedelta(hours=12))
    assert reader.listed(begun, keys) == 1


def test_killed_at_any_step_readers_see_the_old_or_the_new_and_the_next_run_finishes(
    new_plane, database_connection, static, begun, history, story, keys, reader
):
    new_plane().publish(database_connection, NOON)
    old = 7
    step = 0
    for deed in (story.suspended, story.lifted, story.suspended, story.lifted, story.removed):
        history(deed())
        before = reader.listed(begun, keys)
        size = reader.size()
        finished = False
        while not finished:
            step += 1
            try:
                new_plane(disk=KilledAt(step)).publish(database_connection, NOON + timedelta(hours=12 * (step % 3)))
                finished = True
            except Killed:
                pass
            assert reader.listed(begun, keys) in {before, {"suspended": 2, "lifted": 0, "removed": 1}[deed.__name__]}
            assert reader.size() in {size, size + 1}
            if reader.size() == size + 1:
                assert reader.listed(begun, keys) == {"suspended": 2, "lifted": 0, "removed": 1}[deed.__name__]
            sound = Published(static, reader.ring.logs)
            sound.prove_position(database_connection, reader.size())
        step = 0
    assert reader.size() == old + 5
    new_plane().publish(database_connection, NOON + timedelta(days=3))
    assert reader.listed(begun, keys) == 1
    assert not list(static.rglob("*.new"))


def test_a_plane_that_failed_once_goes_on_with_the_next_call(
    new_plane, database_connection, begun, history, story, keys, reader
):
    plane = new_plane()
    plane.publish(database_connection, NOON)
    history(story.suspended())
    disk = KilledAt(3)
    plane._files._disk = disk
    with pytest.raises(Killed):
        plane.publish(database_connection, NOON)
    disk.left = -1

    plane.publish(database_connection, NOON)

    assert reader.listed(begun, keys) == 2
    assert reader.notice(begun, keys).reason == "suspended"
