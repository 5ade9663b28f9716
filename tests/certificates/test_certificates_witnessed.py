"""The static plane with a witness: its key and word are published; where it has seen another history, nothing is."""

import shutil
from datetime import timedelta

import psycopg
import pytest
from certificate_facts import DAY, HOST, NOON, Story
from witnesses import NAME, listening

from registry import database
from registry.certificates.documents import log_origin
from registry.certificates.keys import announce
from registry.log.fsck import examine
from registry.log.publish import Overtaken, RolledBack
from registry.settings import WitnessAddress
from registry.witness.witness import Witness
from verifier.keys import read_keys_json
from verifier.proof import cosignatures, vkey


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def begun(store, history, keys, story):
    history(story.registered(), story.awarded(), story.issued())
    return 6


@pytest.fixture
def witness(tmp_path, keys):
    witness = Witness.make(tmp_path / "witness", NAME)
    witness.trust(vkey(log_origin(HOST), keys.signer("log", NOON).public))
    return witness


@pytest.fixture
def address(witness):
    with listening(witness) as url:
        yield WitnessAddress(witness.vkey, url)


def test_key_and_cosignature_of_the_witness_are_on_the_plane(
    new_plane, address, witness, begun, database_connection, static
):
    published = new_plane(witnesses=[address]).publish(database_connection, NOON)

    assert (published.position, published.silent) == (7, {})
    assert (static / "witnesses").read_text() == f"{witness.vkey}\n"
    assert read_keys_json((static / "keys.json").read_bytes()).witnesses == (witness.vkey,)
    assert [one.witness for one in cosignatures((static / "checkpoint").read_bytes(), [witness.vkey])] == [NAME]
    assert examine(database_connection, static).not_checked == []


def test_a_witness_that_is_away_is_named_and_the_rest_goes_out(new_plane, begun, database_connection, static, witness):
    plane = new_plane(witnesses=[WitnessAddress(witness.vkey, "http://127.0.0.1:9")])

    published = plane.publish(database_connection, NOON)
    assert published.position == 7
    assert set(published.silent) == {NAME}
    assert sorted(published.written) == ["s/1", "s/1.notes", "status/revocation/1", "status/revocation/1.jwt"]
    assert plane.publish(database_connection, NOON).silent is None  # it rests
    assert examine(database_connection, static).not_checked == [f"the witness {NAME} has not cosigned the checkpoint"]


def test_a_key_change_is_cosigned_once_the_witness_trusts_the_new_key(
    new_plane, address, witness, begun, database_connection, keys, store, randomness
):
    plane = new_plane(witnesses=[address])
    plane.publish(database_connection, NOON)
    added = keys.add("log", HOST, NOON + timedelta(hours=1), specimen=True, random=randomness)
    announce(store, keys, on=DAY, by="operator")

    assert plane.publish(database_connection, NOON + timedelta(hours=1)).silent == {NAME: "answers 403"}
    witness.trust(vkey(log_origin(HOST), added.public))
    again = new_plane(witnesses=[address])
    assert again.publish(database_connection, NOON + timedelta(hours=1)).silent == {}


def test_a_store_that_was_rolled_back_publishes_nothing_not_even_a_list(
    new_plane, address, begun, database_connection, static, history, story, connect, tmp_path
):
    """R17: everything of ours is an older day's, so a revocation is gone; only the witness knows."""
    new_plane(witnesses=[address]).publish(database_connection, NOON)
    shutil.copytree(static, tmp_path / "backup")
    history(story.removed())
    new_plane(witnesses=[address]).publish(database_connection, NOON)
    superuser = connect()
    superuser.execute("ALTER TABLE registry.events DISABLE TRIGGER ALL")
    superuser.execute("DELETE FROM registry.events WHERE notification_id > 7")
    shutil.rmtree(static)
    shutil.copytree(tmp_path / "backup", static)
    before = {path: path.read_bytes() for path in static.rglob("*") if path.is_file()}

    with pytest.raises(RolledBack, match=f"the witness {NAME} has seen 8 events, here are 7"):
        new_plane(witnesses=[address]).publish(database_connection, NOON + timedelta(hours=13))
    assert {path: path.read_bytes() for path in static.rglob("*") if path.is_file()} == before


def test_another_machine_that_publishes_the_same_history_is_no_rollback(
    new_plane, address, begun, database_connection, static, history, story, monkeypatch, settings
):
    plane = new_plane(witnesses=[address])
    plane.publish(database_connection, NOON)
    shutil.copytree(static, static.with_name("other"))
    history(story.suspended())
    from registry.log.publish import Publisher

    advance = Publisher.advance

    def overtaken(publisher, connection, **options):
        """While this one wrote its tiles, the other one saw one more event and was faster."""
        pending = advance(publisher, connection, **options)
        if publisher._static == static:
            history(story.lifted())
            with psycopg.connect(database.url(settings, "reader"), autocommit=True) as there:
                other = new_plane(witnesses=[address])
                other._static = static.with_name("other")
                other._files.root = static.with_name("other")
                other.publish(there, NOON)
        return pending

    monkeypatch.setattr(Publisher, "advance", overtaken)
    with pytest.raises(Overtaken, match="another publisher"):
        plane.publish(database_connection, NOON)
    monkeypatch.undo()
    assert plane.publish(database_connection, NOON).position == 9
