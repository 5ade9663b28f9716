"""What makes the views is killed in the middle, and what starts with others starts at once."""

import multiprocessing
import threading

import psycopg
import pytest
from grounds import wait_for
from judging import judge, views_are_as_rebuilt
from load import registered

from projections.engine import Engine
from registry import database, worker
from registry.store import EventMapper
from registry.vault import Vault

FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["projections.engine", "registry.worker", "registry.opening"])


def project(settings, limit):
    """What the worker does with the views, in small batches, until killed."""
    vault = Vault(settings)
    engine = Engine(EventMapper().load, vault.open_all)
    with psycopg.connect(database.url(settings, "projector"), autocommit=True) as connection:
        engine.prepare(connection)
        while True:
            engine.advance(connection, limit)


def test_fault_r13_projectors_killed_in_the_middle(
    settings, registry, views, clock, connect, answers, chance, sized, figures
):
    """Two at once all the time; either is killed at any moment, and another takes its place."""
    reader, kills, hits = connect("reader"), sized(6, 100), 0
    position = "SELECT position FROM views.position"

    def more():
        registry.store.save(*[registered(registry) for _ in range(60)])

    def start():
        process = FORK.Process(target=project, args=(settings, chance.randrange(1, 9)))
        process.start()
        return process

    more()
    at_work = [start(), start()]
    for _ in range(kills):
        more()
        (before,) = reader.execute(position).fetchone()
        wait_for(lambda before=before: reader.execute(position).fetchone() > (before,), "the views move")
        at_work[0].join(timeout=chance.uniform(0, 0.03))
        at_work[0].kill()
        at_work[0].join()
        (now,) = reader.execute(position).fetchone()
        hits += now < registry.store.position()
        at_work = [at_work[1], start()]
    for process in at_work:
        process.kill()
        process.join()
    judge(settings, answers)
    figures |= {"kills": kills, "in the middle": hits, "events": registry.store.position(), "differences": 0}


def test_fault_r13_an_event_that_can_t_be_read_is_named(settings, registry, clock, connect, caplog, figures):
    """It stops the worker, which says where; what came before it is in the views, and nothing is skipped."""
    registry.store.save(registered(registry))
    at = registry.store.position() + 1
    connect().execute(
        "INSERT INTO registry.events VALUES ('person/p1', 1, 'person.renamed', '{\"name\": 7}', %s)", [at]
    )
    with pytest.raises(worker.Stopped):
        worker.run(settings, stop=threading.Event(), clock=clock)

    assert f'"position": {at}, "stream": "person/p1", "version": 1' in caplog.messages[-1]
    figures |= {"named": "position, stream, version"}


def begin(settings, queue):
    try:
        applied = database.migrate(settings)
        database.ready(settings)
        vault = Vault(settings)
        with psycopg.connect(database.url(settings, "projector"), autocommit=True) as connection:
            while True:
                try:
                    Engine(EventMapper().load, vault.open_all).prepare(connection)
                except worker.Busy:
                    continue
                break
        queue.put(applied)
    except BaseException as error:
        queue.put(repr(error))
        raise


def test_fault_r24_eight_processes_start_at_once(new_database, settings, sized, figures):
    rounds, every = sized(1, 20), [name for _, name, _ in database.migrations()]
    for _ in range(rounds):
        fresh = type(settings)(
            home=settings.home, database_url=new_database(empty=True), master_key=settings.master_key
        )
        queue = FORK.Queue()
        processes = [FORK.Process(target=begin, args=(fresh, queue)) for _ in range(8)]
        for process in processes:
            process.start()
        answers = [queue.get(timeout=120) for _ in processes]
        for process in processes:
            process.join(timeout=60)

        assert sorted(answers, key=str) == sorted([every] + [[]] * 7, key=str)
        assert [process.exitcode for process in processes] == [0] * 8
        views_are_as_rebuilt(fresh)
    figures |= {"rounds": rounds, "processes": 8, "migrated": rounds}
