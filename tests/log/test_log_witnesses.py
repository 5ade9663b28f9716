"""A checkpoint goes out with its cosignatures; what no witness can confirm goes out late, what one denies never."""

import re
import shutil
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from grounds import PATIENCE
from histories import ORIGIN, publish, state
from witnesses import NAME, listening

from registry.log.publish import Behind, Publisher, RolledBack
from registry.log.tiles import Damaged
from registry.log.witnesses import Witnesses
from registry.settings import WitnessAddress
from registry.witness.witness import Witness
from verifier.proof import cosignatures, read_checkpoint


@pytest.fixture
def witness(tmp_path, publisher):
    witness = Witness.make(tmp_path / "witness", NAME)
    witness.trust(publisher.vkey)
    return witness


@pytest.fixture
def address(witness):
    with listening(witness) as address:
        yield address


@pytest.fixture
def witnessed(static, key, witness, address):
    """The publisher of the log with its witness."""
    return new_publisher(static, key, WitnessAddress(witness.vkey, address))


def new_publisher(static, key, *addresses, deadline=3.0, rest=30.0):
    return Publisher(static, ORIGIN, key, witnesses=Witnesses(addresses, deadline=deadline, rest=rest))


def witnesses_of(static, *vkeys):
    return [one.witness for one in cosignatures((static / "checkpoint").read_bytes(), vkeys)]


@contextmanager
def answering(*answers):
    """A server that gives these answers, one for each request; then nothing more."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    held = []

    def run():
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            connection.recv(1 << 16)
            if answer is not None:
                connection.sendall(answer)
                connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        for connection in held:
            connection.close()
        thread.join(timeout=PATIENCE)


def http(status, body=b"", media="text/plain"):
    return (
        f"HTTP/1.1 {status} X\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body


class TestCosigned:
    def test_a_checkpoint_goes_out_with_its_cosignature(self, events, witnessed, witness, static):
        for size in (3, 300, 1):
            checkpoint = publish(witnessed, events.grow(size).connection)
            assert witnesses_of(static, witness.vkey) == [NAME]
            assert read_checkpoint((static / "checkpoint").read_bytes(), [witnessed.vkey]) == checkpoint
            assert witness.ledger.latest(ORIGIN).size == checkpoint.size

    def test_the_proof_of_an_event_carries_it(self, events, witnessed, witness):
        publish(witnessed, events.grow(9).connection)

        proof = witnessed.prove(4, events.preimage(5))
        assert [one.witness for one in cosignatures(proof.partition("\n\n")[2], [witness.vkey])] == [NAME]

    def test_a_new_publisher_asks_where_the_witness_is(self, events, witnessed, witness, address, static, key):
        publish(witnessed, events.grow(9).connection)
        signed = witnessed.sign(witnessed.advance(events.grow(9).connection))  # killed before the checkpoint is out
        again = new_publisher(static, key, WitnessAddress(witness.vkey, address))

        assert signed.pending.size == 18
        assert publish(again, events.grow(9).connection).size == 27
        assert witnesses_of(static, witness.vkey) == [NAME]

    def test_a_witness_that_comes_later_starts_from_nothing(self, events, publisher, witnessed, witness, static):
        publish(publisher, events.grow(300).connection)
        assert witnesses_of(static, witness.vkey) == []

        pending = witnessed.advance(events.connection)
        assert not pending.grown
        assert witnessed.is_due(pending)
        witnessed.seal(pending)
        assert witnesses_of(static, witness.vkey) == [NAME]
        assert not witnessed.is_due(witnessed.advance(events.connection))

    def test_several_witnesses_and_one_of_them_away(self, events, witnessed, witness, address, static, key, tmp_path):
        other = Witness.make(tmp_path / "other", "other.example/w")
        both = [WitnessAddress(witness.vkey, address), WitnessAddress(other.vkey, "http://127.0.0.1:9")]
        publisher = new_publisher(static, key, *both, rest=0)

        signed = publisher.sign(publisher.advance(events.grow(5).connection))
        publisher.put(signed)
        assert signed.silent == {"other.example/w": "can't be reached (ConnectionRefusedError)"}
        assert witnesses_of(static, witness.vkey, other.vkey) == [NAME]
        other.trust(publisher.vkey)
        with listening(other) as there:
            publisher = new_publisher(static, key, both[0], WitnessAddress(other.vkey, there))
            publisher.seal(publisher.advance(events.connection))
        assert sorted(witnesses_of(static, witness.vkey, other.vkey)) == sorted([NAME, "other.example/w"])


class TestAway:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (http(404), "answers 404"),
            (http(403), "answers 403"),
            (http(500), "answers 500"),
            (http(301), "answers 301"),
            (http(200, b"thanks\n"), "answers without a cosignature of its key"),
            (http(200, "— witness.example/w1 AAAA\n".encode()), "answers without a cosignature of its key"),
            (http(409, b"7\n"), "answers 409 without a size"),
            (http(409, b"seven\n", "text/x.tlog.size"), "answers 409 without a size"),
            (b"rubbish\r\n\r\n", "can't be reached (BadStatusLine)"),
            (b"", "can't be reached (hung up)"),
        ],
    )
    def test_a_witness_that_answers_anything_else_does_not_hold_up(self, events, static, key, witness, answer, why):
        with answering(answer) as address:
            publisher = new_publisher(static, key, WitnessAddress(witness.vkey, address))
            signed = publisher.sign(publisher.advance(events.grow(5).connection))

        # Before or after it had read the question, as it happens.
        said = re.sub("RemoteDisconnected|ConnectionResetError", "hung up", signed.silent[NAME])
        assert (signed.silent.keys(), said) == ({NAME}, why)
        assert publisher.put(signed).size == 5

    def test_a_witness_that_never_answers_is_left_behind_and_rests(self, events, static, key, witness):
        with answering(None) as address:
            publisher = new_publisher(static, key, WitnessAddress(witness.vkey, address), deadline=0.3)
            begun = time.monotonic()
            signed = publisher.sign(publisher.advance(events.grow(5).connection))
            assert time.monotonic() - begun > 0.2
            publisher.put(signed)

            assert publisher.sign(publisher.advance(events.grow(5).connection)).silent == {
                NAME: "did not answer a moment ago"
            }

    def test_once_it_is_back_the_published_checkpoint_gets_its_cosignature(
        self, events, static, key, witness, publisher
    ):
        free = socket.create_server(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        publisher = new_publisher(static, key, WitnessAddress(witness.vkey, f"http://127.0.0.1:{port}"), rest=0.1)
        publish(publisher, events.grow(5).connection)
        assert witnesses_of(static, witness.vkey) == []
        assert not publisher.is_due(publisher.advance(events.connection))
        time.sleep(0.1)
        with listening(witness, port):
            pending = publisher.advance(events.connection)
            assert publisher.is_due(pending)
            publisher.seal(pending)
        assert witnesses_of(static, witness.vkey) == [NAME]

    @pytest.mark.parametrize("restarted", [False, True])
    def test_a_witness_that_forgot_what_it_cosigned_is_not_believed_again(
        self, events, static, key, witness, address, tmp_path, restarted
    ):
        publisher = new_publisher(static, key, WitnessAddress(witness.vkey, address))
        publish(publisher, events.grow(5).connection)
        shutil.copy(tmp_path / "witness" / "witness.sqlite", tmp_path / "backup")
        publish(publisher, events.grow(5).connection)
        shutil.copy(tmp_path / "backup", tmp_path / "witness" / "witness.sqlite")
        if restarted:
            publisher = new_publisher(static, key, WitnessAddress(witness.vkey, address))

        signed = publisher.sign(publisher.advance(events.grow(5).connection))
        assert signed.silent == {NAME: "has forgotten what it cosigned: 10 events, now 5"}


class TestContradicted:
    def test_everything_rolled_back_is_refused_at_the_first_publication(
        self, events, witnessed, witness, static, key, tmp_path, address
    ):
        """R17: database and files of an older day; only the witness knows."""
        publish(witnessed, events.grow(20).connection)
        shutil.copytree(static, tmp_path / "backup")
        publish(witnessed, events.grow(20).connection)
        events.tamper("DELETE FROM registry.events WHERE notification_id > 20")
        events.forget_after(20)
        shutil.rmtree(static)
        shutil.copytree(tmp_path / "backup", static)
        restored = new_publisher(static, key, WitnessAddress(witness.vkey, address))
        before = (static / "checkpoint").read_bytes()

        with pytest.raises(Behind, match=r"witness.example/w1 has seen 40 events, here are 25") as refused:
            restored.sign(restored.advance(events.grow(5).connection))
        assert refused.value.seen == 40
        events.tamper("UPDATE registry.events SET state = %s WHERE notification_id > 20", state("other"))
        with pytest.raises(RolledBack, match="has seen other 40 events than the first 40 here"):
            restored.sign(restored.advance(events.grow(30).connection))
        assert (static / "checkpoint").read_bytes() == before

    def test_a_log_that_began_anew_is_refused(self, events, witnessed, witness, static, key, address):
        publish(witnessed, events.grow(20).connection)
        events.tamper("UPDATE registry.events SET state = %s WHERE notification_id = 2", state("other"))
        shutil.rmtree(static)
        again = new_publisher(static, key, WitnessAddress(witness.vkey, address))

        with pytest.raises(RolledBack, match="has seen other 20 events than these"):
            again.sign(again.advance(events.connection))
        assert len(witness.ledger.refused(ORIGIN)) == 1

    def test_damaged_tiles_are_said_to_be_damaged(self, events, witnessed, static):
        publish(witnessed, events.grow(300).connection)
        pending = witnessed.advance(events.grow(300).connection)
        (static / "tile" / "0" / "001").write_bytes(b"torn")

        with pytest.raises(Damaged, match="too short"):
            witnessed.sign(pending)
