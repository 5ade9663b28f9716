"""What every row is judged by: fsck over the log, the history file, the views against a rebuild, the indexes."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from history import History, Tally, check

from projections.engine import Engine
from registry import database, worker
from registry.log.fsck import examine
from registry.settings import Settings
from registry.store import EventMapper
from registry.vault import Vault


def judge(settings: Settings, history: History, *, kept: Iterable[str] = ()) -> Tally:
    """I1 and I8 by the history file, I2 to I4 by fsck (`kept`: checkpoints seen), I5 by compare, I7 by the pages."""
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as reader:
        report = examine(reader, settings.static, kept=kept)
        assert report.sound, (report.findings, history.file)
        tally = check(history.file, reader)
    views_are_as_rebuilt(settings)
    pages_are_whole(settings)
    return tally


def views_are_as_rebuilt(settings: Settings) -> None:
    vault = Vault(settings)
    with psycopg.connect(database.url(settings, "projector"), autocommit=True) as connection:
        engine = Engine(EventMapper().load, vault.open_all)
        engine.prepare(connection)
        compared = engine.compare(connection)
    vault.close()
    assert not compared.total, compared.differences


def pages_are_whole(settings: Settings) -> None:
    """Every page of every table is read, with its checksum; and every index says what its table says."""
    with psycopg.connect(database.address(settings), autocommit=True) as superuser:
        amcheck = superuser.execute("SELECT FROM pg_available_extensions WHERE name = 'amcheck'").fetchone() is not None
        if amcheck:
            superuser.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            superuser.execute(
                "SELECT bt_index_check(i.indexrelid, true) FROM pg_index AS i"
                " JOIN pg_class AS c ON c.oid = i.indexrelid"
                " JOIN pg_am AS a ON a.oid = c.relam AND a.amname = 'btree' WHERE c.relpersistence = 'p'"
            )
        found = []
        for settle in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"), ("enable_seqscan",):
            superuser.execute("RESET ALL")
            for name in settle:
                superuser.execute(f"SET {name} = off")
            found += superuser.execute(
                "SELECT count(*), md5(string_agg(md5(state), '' ORDER BY originator_id, originator_version)),"
                " (SELECT count(*) FROM registry.claims WHERE name > '')"
                " FROM registry.events WHERE originator_id > ''"
            ).fetchall()
        assert found[0] == found[1]


@contextmanager
def at_work(settings: Settings, clock) -> Iterator[list[str]]:
    """A worker for as long; gives every checkpoint that it published."""
    stop, failed, seen = threading.Event(), [], []

    def work() -> None:
        try:
            worker.run(settings, stop=stop, clock=clock, seconds=0.1)
        except Exception as error:  # noqa: BLE001 # raised below
            failed.append(error)

    def watch() -> None:
        file: Path = settings.static / "checkpoint"
        while not stop.is_set():
            with suppress(FileNotFoundError):
                note = file.read_text()
                if note not in seen[-1:]:
                    seen.append(note)
            time.sleep(0.02)

    threads = [threading.Thread(target=work), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in threads), "the worker did not end"
        if failed:
            raise failed[0]
