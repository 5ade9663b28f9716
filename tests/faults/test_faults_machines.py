"""More than one server: a standby that takes over, backups that come back, a new machine after everything is gone."""

import hashlib
import json
import shutil
import time
from urllib.parse import quote

import httpx
import pytest
from faces import Client, serving
from grounds import MASTER_KEY, PATIENCE, wait_for
from history import History
from judging import at_work, judge
from load import Load, ask_again, through_the_store
from postgres import NAME, PostgreSQL, at, clients

from registry.api import create_app
from registry.api.actors import Desk
from registry.certificates.issue import Issuer
from registry.certificates.paper import Printer
from registry.log.published import Published
from registry.opening import open_keys
from registry.settings import Settings


@pytest.mark.whole
def test_fault_r12_primary_killed_and_standby_promoted(folders, tmp_path, clock, opened, answers, seed, sized, figures):
    first = PostgreSQL(folders()).initialise().start()
    with first.connect() as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
    both = [first.folder, folders()]
    hosts = quote(",".join(str(folder) for folder in both), safe="")
    address = f"postgresql://postgres@/{NAME}?host={hosts}&port=5432,5432&target_session_attrs=read-write"
    (tmp_path / "var").mkdir()
    settings = Settings(home=tmp_path / "var", database_url=address, master_key=MASTER_KEY)
    registry = opened(settings)
    sends, primary, slowest, failovers = [through_the_store(registry, answers)] * 3, first, 0.0, sized(1, 10)
    load = Load(sends, answers, seed)
    with at_work(settings, clock) as checkpoints, load.at_work():
        for number in range(1, failovers + 1):
            standby = primary.standby(both[number % 2]).start()
            with primary.connect() as connection:
                connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                connection.execute("SELECT pg_reload_conf()")
                asked = "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'"
                wait_for(lambda c=connection, asked=asked: c.execute(asked).fetchall(), "a standby in step")
            load.wait_for(acknowledged=sized(30, 150), seconds=60)
            primary.kill()
            standby.promote()
            slowest = max(slowest, load.wait_for(acknowledged=1, seconds=60))
            primary = standby
        load.wait_for(acknowledged=10, seconds=60)
    tally = judge(settings, answers, kept=checkpoints)
    ask_again(answers, sends)

    assert judge(settings, answers, kept=checkpoints).unknown == 0
    assert slowest < 15
    figures |= {"failovers": failovers, "acknowledged": tally.ok, "failed": tally.failed, "unknown": tally.unknown,
                "of them done": tally.found, "slowest return s": round(slowest, 1)}  # fmt: skip


def is_as_taken(data):
    """Every file of a backup is the one its manifest names; as pg_verifybackup does, which the wheel's crashes at."""
    for file in json.loads((data / "backup_manifest").read_text())["Files"]:
        content = (data / file["Path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["Size"], file["Checksum"]), file["Path"]


def restored(backup, folder, archive, **target):
    """A server from a backup and the archived log; up to a moment, or all there is."""
    server = PostgreSQL(folder, restore_command=f'cp "{archive}/%f" "%p"', recovery_target_action="promote", **target)
    shutil.copytree(backup, server.data)
    is_as_taken(server.data)
    (server.data / "recovery.signal").touch()
    server.give()
    server.start()

    def is_up():
        with server.connect() as connection:
            return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)

    wait_for(is_up, "the restored server takes writes", seconds=120)
    return server


@pytest.mark.whole
def test_fault_r15_backup_under_load_restored_to_a_moment_and_to_the_end(
    folders, tmp_path, clock, opened, answers, seed, sized, figures
):
    archive, backup = folders(), folders()
    server = PostgreSQL(folders(), archive_mode="on", archive_command=f'cp "%p" "{archive}/%f"')
    archive.chmod(0o777)
    backup.chmod(0o777)
    server.initialise().start()
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
    settings = at(tmp_path / "var", server)
    registry = opened(settings)
    before = registry.store.position()
    load = Load([through_the_store(registry, answers)] * 3, answers, seed)
    with at_work(settings, clock) as checkpoints, load.at_work():
        load.wait_for(acknowledged=sized(20, 500), seconds=120)
        server.run(clients(server.folder) / "pg_basebackup", "-D", backup / "data", "-d", server.address(),
                   "--checkpoint=fast", "--manifest-checksums=SHA256")  # fmt: skip
        load.wait_for(acknowledged=sized(20, 500), seconds=120)
    wait_for(lambda: len(checkpoints) > 0, "a checkpoint")
    shutil.copytree(settings.home, tmp_path / "then")
    time.sleep(1)
    with server.connect() as connection:
        (moment,) = connection.execute("SELECT now()::text").fetchone()
    time.sleep(1)
    later = History(tmp_path / "later.jsonl")
    with Load([through_the_store(registry, later)], later, seed + 1).at_work() as load:
        load.wait_for(acknowledged=sized(10, 200), seconds=60)
    with server.connect() as connection:
        (last,) = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        wait_for((archive / last).exists, "the last of the log in the archive")
    server.kill()

    begun = time.monotonic()
    old = restored(backup / "data", folders(), archive, recovery_target_time=moment)
    tally = judge(at(tmp_path / "then", old), answers, kept=checkpoints)
    seconds = time.monotonic() - begun
    with old.connect(NAME) as connection:
        (there,) = connection.execute("SELECT count(*) FROM registry.events").fetchone()
    assert there == before + 3 * tally.ok
    gone = History(tmp_path / "gone.jsonl")
    for line in later.file.read_text().splitlines():
        gone.note(line[9:45], "failed", 3)
    judge(at(tmp_path / "then", old), gone)
    old.kill()
    new = restored(backup / "data", folders(), archive)
    assert judge(at(tmp_path / "var", new), later, kept=checkpoints).ok == later.counts["ok"]
    assert judge(at(tmp_path / "var", new), answers, kept=checkpoints).ok == tally.ok
    figures |= {"acknowledged before the moment": tally.ok, "after it": later.counts["ok"], "lost": 0,
                "restored and judged s": round(seconds, 1)}  # fmt: skip


def test_fault_r20_a_new_machine_from_backup_and_keys(
    cluster, folders, tmp_path, settings, registry, life, clock, figures
):
    number = life.endorsed()
    keys, backup = open_keys(settings), folders()
    backup.chmod(0o777)
    with at_work(settings, clock):
        wait_for((settings.static / "s" / "1").exists, "the plane")
    issuer = Issuer(registry.store, keys, Published.of(settings.static), host=settings.public_host,
                    qr_host=settings.qr_host, printer=Printer())  # fmt: skip
    old = issuer.render(number)
    cluster.run(clients(cluster.folder) / "pg_basebackup", "-D", backup / "data", "-d", cluster.address(),
                "--checkpoint=fast", "--manifest-checksums=SHA256")  # fmt: skip
    shutil.copytree(settings.keys, escrow := tmp_path / "escrow")

    begun = time.monotonic()
    server = restored(backup / "data", folders(), backup)
    name = settings.database_url.partition("?")[0].rpartition("/")[2]
    home = tmp_path / "new"
    home.mkdir()
    shutil.copytree(escrow, home / "keys")
    there = Settings(home=home, database_url=server.address(name), master_key=MASTER_KEY)
    with at_work(there, clock), serving(create_app(there, clock=clock)) as where:
        wait_for(lambda: httpx.get(f"{where}/ready", timeout=PATIENCE).status_code == 200, "ready")
        for name in ("qr.txt", "certificate.pdf"):
            checked = httpx.post(f"{where}/api/check", content=old[name], timeout=PATIENCE).json()
            assert (checked["verdict"], checked["certificate"]["number"]) == ("valid", number)
        seconds = time.monotonic() - begun
        desk = Desk(there, clock=clock)
        one = Client(where, desk.add("coordinator", association="VA")[1])
        one.do("/people", {"name": "Ada Okafor", "residence": "VA"})
        one.http.close()
        desk.close()
    judge(there, History(tmp_path / "none.jsonl"))

    assert (home / "static" / "s" / "1").exists()
    assert seconds < 300
    figures |= {"seconds from nothing to a verified code": round(seconds, 1)}
