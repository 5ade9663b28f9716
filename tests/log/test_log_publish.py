"""Publishing: tiles first, the checkpoint last, and nothing but the history that was signed."""

import shutil
from base64 import b64encode

import pytest
from histories import INSERT, ORIGIN, LogKey, publish, state, write_keys
from naive_tree import NaiveTree

from registry.log.entry import entry, leaf
from registry.log.publish import Overtaken, Publisher, RolledBack
from registry.log.published import NotYetPublished, Published
from registry.log.tiles import Damaged, Disk
from verifier import proof


def roots(events):
    return NaiveTree(entry(events.preimage(position)) for position in range(1, events.size + 1))


def test_the_checkpoint_says_size_and_root_of_all_events(events, publisher, static):
    events.grow(300)

    checkpoint = publish(publisher, events.connection)

    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 300)
    assert checkpoint.root == roots(events).root(300)
    assert proof.read_checkpoint((static / "checkpoint").read_bytes(), [publisher.vkey]) == checkpoint


def test_until_it_is_sealed_readers_see_the_old_checkpoint(events, publisher, static):
    publish(publisher, events.grow(10).connection)
    old = (static / "checkpoint").read_text()

    pending = publisher.advance(events.grow(300).connection)

    assert pending.grown
    assert (static / "checkpoint").read_text() == old
    assert publisher.seal(pending).size == 310


def test_an_empty_registry_publishes_an_empty_tree(events, publisher):
    pending = publisher.advance(events.connection)

    assert not pending.grown
    assert publisher.published.checkpoint().size == 0
    assert publisher.seal(pending).size == 0
    assert not publisher.advance(events.connection).grown
    assert publish(publisher, events.grow(3).connection).size == 3


def test_every_step_of_growth_is_consistent_with_the_one_before_and_every_event_is_proved(events, publisher, static):
    old = publish(publisher, events.grow(1).connection)
    for step in (1, 253, 1, 1, 255, 600):
        new = publish(publisher, events.grow(step).connection)
        hashes = publisher.published.consistency(old.size, new.size)
        proof.check_consistency(old.size, old.root, new.size, new.root, hashes)
        old = new

    for position in (1, 2, 256, 257, 512, 700, events.size):
        text = publisher.prove(position - 1, events.preimage(position))
        read = proof.read_proof(text)
        assert proof.check_proof(read, [publisher.vkey]) == old
        assert (read.index, read.extra) == (position - 1, events.preimage(position))
        assert publisher.published.prove_position(events.connection, position) == text


def test_growing_in_steps_and_at_once_leaves_the_same_tree(events, publisher, static, tmp_path, key):
    for step in (5, 251, 300, 44):
        publish(publisher, events.grow(step).connection)
    other = Publisher(tmp_path / "other", ORIGIN, key)
    publish(other, events.connection)

    def files(folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    at_once = files(tmp_path / "other")
    in_steps = files(static)
    left = {str(path) for path in in_steps.keys() - at_once.keys()}
    assert in_steps.items() >= at_once.items()
    assert left == {"tile/1/000.p/1", "tile/0/002.p/44", "tile/entries/002.p/44"}


def test_an_event_that_is_not_yet_under_a_checkpoint_has_no_proof(events, publisher):
    with pytest.raises(NotYetPublished):
        publisher.prove(0, b"[]")
    publish(publisher, events.grow(3).connection)
    with pytest.raises(NotYetPublished) as refusal:
        publisher.prove(3, b"[]")
    assert (refusal.value.position, refusal.value.size) == (4, 3)
    with pytest.raises(NotYetPublished):
        publisher.published.prove_position(events.connection, 99)


def test_another_event_than_the_published_one_is_not_proved(events, publisher):
    publish(publisher, events.grow(3).connection)

    with pytest.raises(Damaged, match="position 2 is not the one published"):
        publisher.prove(1, events.preimage(3))


class TestRollback:
    def test_a_database_with_fewer_events_than_were_signed_is_refused(self, events, publisher):
        publish(publisher, events.grow(20).connection)
        events.tamper("DELETE FROM registry.events WHERE notification_id > 17")

        with pytest.raises(RolledBack, match="20 events are published, the database has 17"):
            publisher.advance(events.connection)

    def test_a_database_that_was_restored_and_went_on_is_refused(self, events, publisher):
        publish(publisher, events.grow(20).connection)
        events.tamper("UPDATE registry.events SET state = %s WHERE notification_id > 17", state("other"))
        events.grow(5)

        with pytest.raises(RolledBack, match="position 20"):
            publisher.advance(events.connection)

    def test_an_older_change_is_found_when_everything_is_derived_again(self, events, publisher):
        publish(publisher, events.grow(20).connection)
        publisher.advance(events.connection, rederive=True)
        events.tamper("UPDATE registry.events SET state = %s WHERE notification_id = 2", state("other"))

        publisher.advance(events.connection)
        with pytest.raises(RolledBack, match="the first 20 events"):
            publisher.advance(events.connection, rederive=True)

    def test_a_gap_is_refused(self, events, publisher):
        events.grow(20)
        events.tamper("DELETE FROM registry.events WHERE notification_id = 7")

        with pytest.raises(RolledBack, match="gap"):
            publisher.advance(events.connection)


class TestDamage:
    def test_nothing_is_built_on_a_checkpoint_that_we_did_not_sign(self, events, publisher, static):
        publish(publisher, events.grow(20).connection)
        publish(Publisher(static.with_name("forged"), ORIGIN, LogKey(2)), events.connection)
        shutil.copy(static.with_name("forged") / "checkpoint", static / "checkpoint")

        with pytest.raises(Damaged, match="not one we signed"):
            publisher.advance(events.connection)

    @pytest.mark.parametrize("size", [20, 300])
    def test_where_tiles_are_and_no_checkpoint_nothing_is_signed(self, events, publisher, static, size):
        publish(publisher, events.grow(size).connection)
        (static / "checkpoint").unlink()
        events.tamper("UPDATE registry.events SET state = %s WHERE notification_id = 2", state("other"))

        with pytest.raises(Damaged, match="their checkpoint is gone"):
            publisher.advance(events.connection)
        assert not (static / "checkpoint").exists()

    def test_to_start_anew_the_tiles_are_moved_away(self, events, publisher, static):
        publish(publisher, events.grow(20).connection)
        (static / "checkpoint").unlink()
        (static / "tile").rename(static.with_name("away"))

        assert publish(publisher, events.connection).size == 20

    @pytest.mark.parametrize("name", ["tile/0/001.p/4", "tile/1/000.p/1", "tile/entries/001.p/4"])
    def test_nothing_is_built_on_tiles_that_changed(self, events, publisher, static, name):
        publish(publisher, events.grow(260).connection)
        data = (static / name).read_bytes()
        (static / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

        with pytest.raises(Damaged):
            publisher.advance(events.connection)

    def test_the_next_key_goes_on_where_the_former_one_stopped(self, events, publisher, static):
        old = publish(publisher, events.grow(20).connection)
        after = Publisher(static, ORIGIN, LogKey(2), former=[publisher.vkey])

        assert publish(after, events.connection).root == old.root
        assert publish(after, events.grow(1).connection).size == 21


class TestTwoPublishers:
    def test_the_second_to_seal_is_overtaken(self, events, publisher, static, key):
        publish(publisher, events.grow(5).connection)
        pending = publisher.advance(events.grow(5).connection)
        publish(Publisher(static, ORIGIN, key), events.grow(5).connection)

        with pytest.raises(Overtaken):
            publisher.seal(pending)
        assert publisher.published.checkpoint().size == 15

    def test_two_do_not_write_at_once(self, events, publisher, static, key):
        other = Publisher(static, ORIGIN, key)

        with publisher.alone(), pytest.raises(Overtaken):
            other.advance(events.connection)
        assert publish(other, events.connection).size == 0

    def test_who_is_alone_stays_so_to_the_seal(self, events, publisher, static, key):
        other = Publisher(static, ORIGIN, key)

        with publisher.alone():
            pending = publisher.advance(events.grow(5).connection)
            with pytest.raises(Overtaken):
                other.advance(events.connection)
            publisher.seal(pending)
            with pytest.raises(Overtaken):
                other.advance(events.connection)
        assert publish(other, events.grow(1).connection).size == 6


class Killed(Exception):
    pass


class DiskThatStops(Disk):
    """Carries out a number of operations and no more; may stop inside of a write."""

    def __init__(self, operations, torn=False):
        self.left = operations
        self.torn = torn
        self.log = []

    def _count(self, name, path, data=b""):
        if self.left == 0:
            if self.torn and name == "write":
                path.write_bytes(data[: len(data) // 2])
            raise Killed
        self.left -= 1
        self.log.append((name, path.name))

    def make(self, folder):
        self._count("make", folder)
        super().make(folder)

    def write(self, path, data):
        self._count("write", path, data)
        super().write(path, data)

    def rename(self, old, new):
        self._count("rename", new)
        super().rename(old, new)

    def sync(self, folder):
        self._count("sync", folder)
        super().sync(folder)

    def remove(self, path):
        self._count("remove", path)
        super().remove(path)


def complete(static, vkeys, tree):
    """What a reader sees: a signed checkpoint, and every tile and entry under it. Its size."""
    published = Published(static, vkeys)
    checkpoint = published.checkpoint()
    if checkpoint is None:
        return 0
    size = checkpoint.size
    assert checkpoint.root == tree.root(size)
    assert published.tiles.edge(size).root() == checkpoint.root
    for number in range(-(-size // 256)):
        width = min(256, size - number * 256)
        entries = published.tiles.entries(number, width)
        assert entries == tree.entries[number * 256 : number * 256 + width]
        assert published.tiles.hashes(0, number, width) == [leaf(one) for one in entries]
    return size


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize(("before", "after"), [(0, 3), (3, 300), (300, 520), (250, 256), (256, 257)])
def test_killed_between_any_two_steps_it_leaves_the_old_or_the_new_log_and_goes_on(
    events, static, key, tmp_path, before, after, torn
):
    """R14 of reliability.md."""
    old = tmp_path / "old"
    first = Publisher(old, ORIGIN, key)
    events.grow(before)
    if before:
        publish(first, events.connection)
    else:
        old.mkdir()
    events.grow(after - before)
    tree = roots(events)
    seen = []
    for step in range(1_000):
        shutil.rmtree(static, ignore_errors=True)
        shutil.copytree(old, static)
        disk = DiskThatStops(step, torn)
        try:
            publish(Publisher(static, ORIGIN, key, disk=disk), events.connection)
        except Killed:
            seen.append(complete(static, [first.vkey], tree))
            events.grow(1)
            tree = roots(events)
            assert publish(Publisher(static, ORIGIN, key), events.connection).size == events.size
            assert complete(static, [first.vkey], tree) == events.size
            events.tamper("DELETE FROM registry.events WHERE notification_id > %s", after)
            events.forget_after(after)
        else:
            break
    changed = [index for index, (name, path) in enumerate(disk.log) if (name, path) == ("rename", "checkpoint")]
    assert len(changed) == (1 if before else 2)  # a log begins with the checkpoint of no events
    assert seen == [before] * (changed[-1] + 1) + [after] * (len(disk.log) - changed[-1] - 1)
    assert next(name for name, _ in disk.log[changed[-1] + 1 :]) == "sync"
    assert all(name != "write" for name, _ in disk.log[changed[-1] :])


def test_partial_tiles_that_a_killed_publisher_left_of_another_history_are_overwritten(events, static, key, publisher):
    publish(publisher, events.grow(5).connection)
    publisher.advance(events.grow(200).connection)
    events.tamper("UPDATE registry.events SET state = %s WHERE notification_id > 5", state("other"))

    publish(publisher, events.connection)

    assert complete(static, [publisher.vkey], roots(events)) == 205


@pytest.mark.parametrize("lost", ["tile/0/000", "tile/entries/000"])
def test_a_full_tile_or_bundle_is_never_overwritten_with_another(events, static, key, publisher, lost):
    publish(publisher, events.grow(5).connection)
    publisher.advance(events.grow(300).connection)
    events.tamper("UPDATE registry.events SET state = %s WHERE notification_id > 5", state("other"))
    (static / lost).unlink()
    before = {path: path.read_bytes() for path in static.glob("tile/*/000")}

    with pytest.raises(Damaged, match="/000 is published and says something else than the database"):
        publish(publisher, events.connection)
    assert before.items() <= {path: path.read_bytes() for path in static.glob("tile/*/000")}.items()
    assert publisher.published.checkpoint().size == 5


def test_what_is_published_can_be_read_with_the_published_keys(events, static, key, publisher):
    publish(publisher, events.grow(5).connection)
    write_keys(static, key)

    assert Published.of(static).checkpoint().size == 5
    assert Published.of(static).prove_position(events.connection, 5).startswith("c2sp.org/tlog-proof@v1\n")


def test_the_checkpoint_is_byte_for_byte_what_c2sp_says(events, static, key, publisher):
    publish(publisher, events.grow(5).connection)

    root = b64encode(roots(events).root(5)).decode()
    note = f"registry.example/log\n5\n{root}\n"
    key_id = bytes.fromhex(publisher.vkey.split("+")[1])
    signature = b64encode(key_id + key.sign(note.encode())).decode()
    assert (static / "checkpoint").read_text() == f"{note}\n— registry.example/log {signature}\n"


PINNED_CHECKPOINT = """\
registry.example/log
3
LAfR2D9SQ2yncThSvq8rMLc642sIjyHlHqpVa8AL9BU=

— registry.example/log nC2r76or5qGvG2Lqmg/o06k5GesoiX0QViQlXtP5eTBIAUSlULXsI9KL0IFx3KH5bd1e7Q87VeC11ee5vvzd9bO8pgI=
"""


PINNED_PROOF = (
    "c2sp.org/tlog-proof@v1\nextra "
    "WzIsImVuZG9yc2VtZW50L0lGUy03SzNNUTlURCIsMiwiY2VydGlmaWNhdGUuaXNzdWVkIiwiZXlKdmJpSTZJakl3TW"
    "pZdE1EWXRNREVpTENKaWVTSTZJblpoTFdOdmIzSmthVzVoZEc5eUlpd2ljbVZqYjNKa1pXUmZZWFFpT2lJeU1ESTJM"
    "VEEyTFRBeFZERXlPakF3T2pBd1dpSXNJbk5oYkhRaU9pSnpZV3gwTWlKOSJd"
    "\nindex 1\n"
    "XzlRvOs3yyR6h9lrsiU4dUrbVm8iF8R1vzvsoEBxqoA=\n"
    "HYIQdGJGBhzzgbft+8+eJEIjY8xHhS6+4hebiK2FV24=\n"
    "\n"
)


def test_checkpoint_and_proof_file_of_a_known_history_are_for_ever_these_bytes(events, publisher, static):
    """A published format: changing these bytes breaks every proof that is out."""
    for position in (1, 2, 3):
        events.connection.execute(
            f"INSERT INTO registry.events ({INSERT}) VALUES (%s, %s, %s, %s, %s)",
            ["endorsement/IFS-7K3MQ9TD", position, "certificate.issued", state(position), position],
        )
    publish(publisher, events.connection)

    assert (static / "checkpoint").read_text() == PINNED_CHECKPOINT
    assert publisher.published.prove_position(events.connection, 2) == PINNED_PROOF + PINNED_CHECKPOINT
