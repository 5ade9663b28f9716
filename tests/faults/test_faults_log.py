"""Rows R14, R16, R17, R18 of the fault matrix: what a killed publisher leaves, and what is done to the history itself.

The stores are made-up worlds: real events with sealed fields and certificates, decided by the deeds of the service.
`make test` takes a sample: 5 steps of R14, 8 untouched stores of R16, 12 races of R18. REGISTRY_TEST_FAULTS=full takes
every step, 100 stores of ten worlds, and 50 races.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime
from random import Random

import msgspec
import psycopg
import pytest
from disks import Killed, KilledAt
from grounds import PATIENCE, TEMPLATE, address
from histories import ORIGIN, History, LogKey, state

from registry import database as databases
from registry.certificates.plane import Plane
from registry.log.fsck import examine
from registry.log.publish import Publisher, RolledBack
from registry.log.witnesses import Witnesses
from registry.opening import open_keys
from registry.settings import Settings, WitnessAddress
from registry.witness.witness import Witness
from registry.world.writing import write_world
from verifier.proof import cosignatures, read_checkpoint, vkey

FULL = os.environ.get("REGISTRY_TEST_FAULTS") == "full"
SEEDS = range(1, 11) if FULL else range(1, 2)
MOMENTS = 10 if FULL else 8
RACES = 50 if FULL else 12

SOMEBODY = "witness.example/w1+e5d93b69+BJ3aUVvjqkEOGxpKS0k4eNhfp416mEAZCA7eKRtLlsVr"
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
COLUMNS = "notification_id, originator_id, originator_version, topic, state"


class Store:
    """A world in a database of its own, and a superuser with the triggers off who can undo what he does."""

    def __init__(self, settings, superuser):
        self.settings = settings
        self.superuser = superuser
        self.keys = open_keys(settings)
        superuser.execute("CREATE TABLE public.saved AS TABLE registry.events")
        superuser.execute("ALTER TABLE registry.events DISABLE TRIGGER ALL")
        (self.size,) = superuser.execute("SELECT max(notification_id) FROM registry.events").fetchone()

    def restore(self, position=None):
        """As it was once, whole or up to a position."""
        with self.superuser.transaction():
            self.superuser.execute("TRUNCATE registry.events")
            self.superuser.execute(
                "INSERT INTO registry.events SELECT * FROM public.saved WHERE notification_id <= %s",
                [position or self.size],
            )

    def do(self, statement, *parameters):
        self.superuser.execute(statement, parameters)

    def event(self, position):
        return self.superuser.execute(
            f"SELECT {COLUMNS} FROM public.saved WHERE notification_id = %s", [position]
        ).fetchone()

    def events(self, where):
        return self.superuser.execute(f"SELECT {COLUMNS} FROM public.saved WHERE {where} ORDER BY 1").fetchall()

    def publish(self, static=None, witnesses=(), disk=None, at=NOW):
        return self.plane(static, witnesses, disk).publish(self.superuser, at)

    def plane(self, static=None, witnesses=(), disk=None):
        return Plane(
            static or self.settings.static,
            self.keys,
            host=self.settings.public_host,
            qr_host=self.settings.qr_host,
            witnesses=witnesses,
            disk=disk,
        )

    def fsck(self, static=None, **options):
        return examine(self.superuser, static or self.settings.static, **options)


@contextmanager
def world(server, home, seed):
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        settings = Settings(home=home, database_url=address(server, name))
        write_world(settings, people=5, seed=seed, until=date(2026, 11, 1), told=lambda *_: None)
        with psycopg.connect(databases.address(settings), autocommit=True) as superuser:
            yield Store(settings, superuser)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def lasting(server, tmp_path_factory):
    with world(server, tmp_path_factory.mktemp("world"), seed=9) as store:
        store.publish()
        yield store


@pytest.fixture
def store(lasting):
    """The world, published; whatever a test does to its events is undone."""
    yield lasting
    lasting.restore()


@contextmanager
def witnessing(folder, *vkeys):
    """A witness as a process of its own; gives its address."""
    witness = Witness.open(folder) if folder.exists() else Witness.make(folder, "witness.example/w1")
    for one in vkeys:
        witness.trust(one)
    command = [sys.executable, "-m", "registry.witness", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield WitnessAddress(witness.vkey, process.stdout.readline().strip())
        process.communicate()


@pytest.fixture
def witness(store, tmp_path):
    log_key = vkey(f"{store.settings.public_host}/log", store.keys.signer("log", NOW).public)
    with witnessing(tmp_path / "witness", log_key) as found:
        yield found


def files(static):
    return {str(path.relative_to(static)): path.read_bytes() for path in static.rglob("*") if path.is_file()}


# --- R14: the publisher killed at every step ---


def test_fault_r14_a_publisher_killed_at_any_step_leaves_an_old_or_a_new_set_and_its_witness_agrees(
    store, witness, tmp_path, figures
):
    old, new = store.size - 300, store.size
    seed = 14
    static = tmp_path / "static"
    store.restore(old)
    # In its own time: by a key that later retired.
    store.publish(static, [witness], at=datetime.fromisoformat(msgspec.json.decode(store.event(old)[4])["recorded_at"]))
    before = tmp_path / "before"
    shutil.copytree(static, before)
    store.restore()
    disk = KilledAt(-1)
    store.publish(static, [witness], disk)
    steps = len(disk.done)
    chosen = sorted(Random(seed).sample(range(1, steps + 1), steps if FULL else 5))
    figures.update(steps=steps, kills=len(chosen), mixed=0)
    for step in chosen:
        shutil.rmtree(static)
        shutil.copytree(before, static)
        with pytest.raises(Killed):
            store.publish(static, [witness], KilledAt(step))
        found = store.fsck(static)
        assert found.sound, (seed, step, found.findings)
        assert found.checkpoint["size"] in (old, new)
        assert store.publish(static, [witness]).silent in ({}, None), (seed, step)
        assert store.fsck(static).not_checked == [], (seed, step)


def test_fault_r14_a_silent_witness_delays_a_revocation_by_its_deadline_once(store, tmp_path, sized, figures):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = WitnessAddress(SOMEBODY, f"http://127.0.0.1:{silent.getsockname()[1]}")
        plane = store.plane(tmp_path / "static", [address])
        plane._witnesses = Witnesses([address], deadline=0.5)
        store.restore(store.size - 100)
        first = plane.publish(store.superuser, NOW)
        store.restore()
        second = plane.publish(store.superuser, NOW)
    figures.update(delay_first=round(first.seconds, 2), delay_second=round(second.seconds, 2), deadline=0.5)
    assert set(first.silent) == set(second.silent) == {"witness.example/w1"}
    assert 0.5 <= first.seconds < sized(PATIENCE, 5)
    assert second.seconds < first.seconds + sized(PATIENCE, 1)
    assert store.fsck(tmp_path / "static").sound


# --- R16: tampering, as superuser with the triggers off ---


def edited(store):
    event = store.events("topic = 'endorsement.awarded' OR topic = 'endorsement.imported'")[3]
    store.do("UPDATE registry.events SET state = replace(convert_from(state, 'UTF8'), '\"salt\":\"', '\"salt\":\"x')"
             "::bytea WHERE notification_id = %s", event[0])  # fmt: skip
    return event


def deleted_head(store):
    """The first event of a stream that went on."""
    (event,) = store.events(
        "notification_id = (SELECT min(notification_id) FROM public.saved AS s WHERE originator_version = 1 AND EXISTS"
        " (SELECT FROM public.saved WHERE originator_id = s.originator_id AND originator_version = 2))"
    )
    store.do("DELETE FROM registry.events WHERE notification_id = %s", event[0])
    return event


def deleted_middle(store):
    """One in the middle of its stream."""
    (event,) = store.events(
        "notification_id = (SELECT max(notification_id) FROM public.saved AS s WHERE originator_version = 2 AND EXISTS"
        " (SELECT FROM public.saved WHERE originator_id = s.originator_id AND originator_version = 3))"
    )
    store.do("DELETE FROM registry.events WHERE notification_id = %s", event[0])
    return event


def deleted_tail(store):
    """The newest of its stream, which no later one names: the claim of the command that made it does."""
    (event,) = store.events(
        "notification_id = (SELECT max(notification_id) FROM public.saved AS s JOIN registry.claims"
        " ON position = notification_id AND stream = originator_id WHERE NOT EXISTS (SELECT FROM public.saved"
        " WHERE originator_id = s.originator_id AND originator_version > s.originator_version)"
        " AND notification_id < (SELECT max(notification_id) - 20 FROM public.saved))"
    )
    store.do("DELETE FROM registry.events WHERE notification_id = %s", event[0])
    return event


def inserted(store):
    store.do("UPDATE registry.events SET notification_id = notification_id + 1000000 WHERE notification_id >= 300")
    store.do("UPDATE registry.events SET notification_id = notification_id - 999999 WHERE notification_id > 900000")
    store.do(f"INSERT INTO registry.events ({COLUMNS}) SELECT 300, 'person/intruder', 1, topic, state"
             " FROM public.saved WHERE notification_id = 300")  # fmt: skip
    return 300, "person/intruder", 1


def swapped_ciphertexts(store):
    """Two persons' sealed names, each otherwise untouched: every event is well-formed, only the owner differs."""
    one, other = store.events("topic = 'person.registered'")[:2]
    first, second = (msgspec.json.decode(event[4]) for event in (one, other))
    first["name"], second["name"] = second["name"], first["name"]
    for event, fields in ((one, first), (other, second)):
        store.do("UPDATE registry.events SET state = %s WHERE notification_id = %s",
                 msgspec.json.encode(fields), event[0])  # fmt: skip
    return one


def renumbered_positions(store):
    """Two neighbours of different streams change places."""
    at = next(at for at in range(250, 300) if store.event(at)[1] != store.event(at + 1)[1])
    for position, to in ((at, 1_000_000), (at + 1, at), (1_000_000, at + 1)):
        store.do("UPDATE registry.events SET notification_id = %s WHERE notification_id = %s", to, position)
    return at, *store.event(at + 1)[1:3]


def renumbered_versions(store):
    stream, last = store.superuser.execute(
        "SELECT originator_id, max(originator_version) FROM public.saved GROUP BY 1 HAVING count(*) > 4 LIMIT 1"
    ).fetchone()
    (event,) = store.events(f"originator_id = '{stream}' AND originator_version = {last}")
    store.do("UPDATE registry.events SET originator_version = %s WHERE originator_id = %s AND originator_version = %s",
             last + 7, stream, last)  # fmt: skip
    return event[0], stream, last + 7


KINDS = (
    edited, deleted_head, deleted_middle, deleted_tail, inserted, swapped_ciphertexts, renumbered_positions,
    renumbered_versions,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_fault_r16_every_kind_of_tampering_is_found_and_named(store, kind, figures):
    figures.update(kinds=1, found=1)
    position, stream, version, *_ = kind(store)

    report = store.fsck()

    first = report.findings[0]
    assert not report.sound
    assert (first.position, first.stream, first.version) == (position, stream, version)


def test_fault_r16_the_end_of_the_log_cut_off_is_found_and_what_left_a_trace_is_named(store):
    lost = store.events(f"notification_id > {store.size} - 30")
    store.do("DELETE FROM registry.events WHERE notification_id > %s", store.size - 30)
    last = store.event(store.size - 30)

    first, *others = store.fsck().findings
    assert first.position == store.size - 29
    assert f"are missing at the end, after {last[1]} version {last[2]}" in first.what
    named = {(finding.position, finding.stream, finding.version) for finding in others}
    assert named
    assert named <= {event[:3] for event in lost}


def test_fault_r16_without_any_trace_the_position_is_named(store):
    event = deleted_tail(store)
    claims = store.superuser.execute("DELETE FROM registry.claims RETURNING *").fetchall()

    (finding,) = store.fsck().findings
    with store.superuser.cursor() as cursor:
        cursor.executemany("INSERT INTO registry.claims VALUES (%s, %s, %s, %s, %s)", claims)
    assert (finding.position, finding.stream) == (event[0], None)
    assert finding.what.startswith("the newest event of a stream is missing")


@pytest.mark.parametrize("seed", SEEDS)
def test_fault_r16_an_untouched_store_raises_no_alarm(server, tmp_path, seed, figures):
    figures.update(stores=MOMENTS, false_alarms=0)
    with world(server, tmp_path / "var", seed) as untouched:
        for number, size in enumerate(Random(seed).sample(range(1, untouched.size + 1), MOMENTS)):
            # What the store was when it had so many events, published at once or after an earlier moment.
            untouched.restore(max(6, size))
            static = tmp_path / f"static-{number}"
            if number % 2:
                untouched.restore(max(6, size // 2))
                untouched.publish(static)
                untouched.restore(max(6, size))
            untouched.publish(static)
            report = untouched.fsck(static)
            assert (report.findings, report.not_checked) == ([], []), (seed, size)


# --- R17: an older copy of everything is put back ---


def test_fault_r17_a_database_that_was_rolled_back_is_refused_at_the_first_publication(store):
    before = files(store.settings.static)
    store.restore(store.size - 40)

    with pytest.raises(RolledBack, match=f"{store.size} events are published, the database has {store.size - 40}"):
        store.publish()
    assert files(store.settings.static) == before
    report = store.fsck()
    assert report.findings[0].position == store.size - 39


@pytest.mark.parametrize("goes_on", [False, True])
def test_fault_r17_with_the_files_rolled_back_as_well_only_the_witness_knows_and_nothing_goes_out(
    store, witness, tmp_path, goes_on
):
    static = tmp_path / "static"
    old = store.size - 40
    store.restore(old)
    store.publish(static, [witness])
    backup = tmp_path / "backup"
    shutil.copytree(static, backup)
    store.restore()
    store.publish(static, [witness])
    outside = Witness.open(tmp_path / "witness").ledger.latest(f"{store.settings.public_host}/log").note

    # Last week's backup of everything.
    shutil.rmtree(static)
    shutil.copytree(backup, static)
    store.restore(old)
    if goes_on:
        store.do(f"INSERT INTO registry.events ({COLUMNS}) SELECT %s + n, 'person/later', n, 'person.moved', %s"
                 " FROM generate_series(1, 60) AS n", old, state("later"))  # fmt: skip
    before = {name: data for name, data in files(static).items() if not name.startswith("tile/")}
    with pytest.raises(RolledBack, match=r"the witness witness\.example/w1 has seen"):
        store.publish(static, [witness])
    assert {name: data for name, data in files(static).items() if not name.startswith("tile/")} == before
    assert store.fsck(static).sound  # in itself it is
    found = [finding.what for finding in store.fsck(static, kept=[outside]).findings]
    assert f"the first {store.size} events are not those of the checkpoint kept elsewhere" in found

    # The true copy comes back and goes on.
    store.restore()
    shutil.rmtree(static)
    shutil.copytree(backup, static)
    assert store.publish(static, [witness]).position == store.size
    assert store.fsck(static, kept=[outside]).sound


# --- R18: two copies of the store both go on, and both sign ---


def test_fault_r18_of_two_copies_that_both_sign_one_is_cosigned_and_the_other_refused(new_database, tmp_path, figures):
    figures.update(races=RACES, forks=0)
    key = LogKey()
    copies = [psycopg.connect(new_database(), autocommit=True) for _ in range(2)]
    histories = [History(copy).grow(20) for copy in copies]
    homes = [tmp_path / "one", tmp_path / "other"]
    won = Counter()
    signed = {}
    with witnessing(tmp_path / "witness", vkey(ORIGIN, key.public)) as witness:
        for history in histories:
            history.tamper("SELECT")  # the triggers go off
        for race in range(RACES):
            size = histories[0].size
            for number, history in enumerate(histories):
                # Every other time the copies differ in size as well.
                history.grow(1 + (race % 2) * number)
                history.tamper("UPDATE registry.events SET state = %s WHERE notification_id = %s",
                               state(f"{race} {number}"), size + 1)  # fmt: skip
            first = _race(key, homes, histories, witness)
            won[first] += 1
            note = (homes[first] / "checkpoint").read_text()
            assert len(cosignatures(note, [witness.vkey])) == 1
            checkpoint = read_checkpoint(note, [vkey(ORIGIN, key.public)])
            assert signed.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root
            _adopt(histories[1 - first], histories[first], homes[1 - first], homes[first])
        ledger = Witness.open(tmp_path / "witness").ledger
        assert ledger.latest(ORIGIN).size == histories[0].size
    assert len(signed) == RACES  # as many heads as races: no fork
    for copy in copies:
        copy.close()
    print(f"R18: won {dict(won)}")


def _race(key, homes, histories, witness):
    """Both publish at once; who was first. The other one was refused."""
    gate = threading.Barrier(2)
    answers = {}

    def publish(number):
        publisher = Publisher(homes[number], ORIGIN, key, witnesses=Witnesses([witness]))
        pending = publisher.advance(histories[number].connection)
        gate.wait()
        try:
            publisher.seal(pending)
            answers[number] = None
        except RolledBack as refused:
            answers[number] = refused

    threads = [threading.Thread(target=publish, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(answers.values()).count(None) == 1, answers
    return next(number for number, refused in answers.items() if refused is None)


def _adopt(loser, winner, its_home, other_home):
    """The copy that lost becomes a copy of the other again."""
    rows = winner.connection.execute(f"SELECT {COLUMNS} FROM registry.events ORDER BY 1").fetchall()
    loser.tamper("TRUNCATE registry.events")
    with loser.connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO registry.events ({COLUMNS}) VALUES (%s, %s, %s, %s, %s)", rows)
    loser.forget_after(winner.size)
    shutil.rmtree(its_home)
    shutil.copytree(other_home, its_home)
