"""Writes a made-up world into an empty store: two processes or more live the lives, one transaction takes them all."""

from __future__ import annotations

import dataclasses
import gc
import multiprocessing
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple, TypeVar

import psycopg

from registry import database
from registry.certificates.keys import KeyFolder
from registry.log.tree import Edge
from registry.settings import BadSetting, Settings
from registry.store import APPEND_LOCK, EventMapper
from registry.vault import Vault, read_master_key
from registry.world import shard
from registry.world.desk import DRAWN, Desk, Seen
from registry.world.life import Kind, Life
from registry.world.memory import Keys
from registry.world.shard import Block, Segment, Shard
from registry.world.world import BEGIN, World, lived, lives

LIVES: Final = 200
"""Of one shard; fixed, so that the order of events does not depend on the machine."""

_KEY_YEARS: Final = (2009, 2016, 2023)
_LEAF: Final = 32

Job = TypeVar("Job")
Done = TypeVar("Done")
Told = Callable[[str, int, int], None]
"""Told what is done now, and how many of how many."""


class NotEmpty(Exception):
    """A world needs a registry in which nothing is yet; the text says what to do."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: a made-up world goes into an empty registry only. "
            "Set REGISTRY_HOME to a new folder (or REGISTRY_DATABASE_URL to a new database), and make no keys: "
            "the world makes its own."
        )


class Written(NamedTuple):
    """`root`: the log's root over all events, in hex."""

    people: int
    events: int
    root: str


def write_world(settings: Settings, *, people: int, seed: int, until: date, told: Told) -> Written:
    """Make the world of a seed. Raises NotEmpty, before anything is written."""
    database.ready(settings)
    if settings.keys.exists():
        raise NotEmpty(f"{settings.keys} is there already")
    with _owner(settings) as connection:
        _refuse_events(connection)
    random = Random(f"{seed}/keys")
    known = _with_master_key(settings, random)
    with tempfile.TemporaryDirectory(prefix=".world-", dir=settings.home) as folder:
        keys = _make_keys(Path(folder) / "keys", known, random)
        world = World(people, seed, until, keys.facts())
        with closing(_Workers(world, known, Path(folder))) as workers:
            shards = list(_live(world, known, Path(folder), workers, told))
            with _owner(settings) as connection:
                written = _take(connection, shards, workers, told)
                # The last step that may fail: with the keys there and no events, a second run would refuse.
                if settings.master_key is None:
                    Vault.make_master_key(settings, lambda _: read_master_key(known))
                keys.folder.rename(settings.keys)
    return Written(sum(one.people for one in shards), *written)


def _owner(settings: Settings) -> psycopg.Connection[Any]:
    return psycopg.connect(database.url(settings, "owner"), connect_timeout=10)


def _refuse_events(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [APPEND_LOCK])
    if connection.execute("SELECT 1 FROM registry.events LIMIT 1").fetchone():
        raise NotEmpty("There are events in the database")


# --- keys -----------------------------------------------------------------------------------------------------------


def _with_master_key(settings: Settings, random: Random) -> Settings:
    """The settings with a master key: the one there is, or one of the seed's."""
    drawn = random.randbytes(32)
    try:
        return dataclasses.replace(settings, master_key=read_master_key(settings))
    except BadSetting:
        if settings.master_key_file.exists():
            raise
        settings.home.mkdir(parents=True, exist_ok=True)
        return dataclasses.replace(settings, master_key=drawn)


def _make_keys(folder: Path, settings: Settings, random: Random) -> KeyFolder:
    """A key for each use from the beginning, and certificate keys that take over now and then; all SPECIMEN."""
    keys = KeyFolder(folder, read_master_key(settings))
    begin = datetime(BEGIN.year, BEGIN.month, BEGIN.day, tzinfo=UTC)
    keys.init(settings.public_host, begin, specimen=True, random=random.randbytes)
    for year in _KEY_YEARS:
        start = datetime(year, 1, 5, tzinfo=UTC)
        keys.add("certificate", settings.public_host, start, specimen=True, random=random.randbytes)
    return keys


# --- living, in many processes ---------------------------------------------------------------------------------------


class _Workers:
    """Processes that know the world; made before there is any connection, which a child must not inherit."""

    def __init__(self, world: World, settings: Settings, folder: Path) -> None:
        self.count = os.cpu_count() or 1
        self._world, self._settings, self._folder = world, settings, folder
        self._pool: ProcessPoolExecutor | None = None

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def begin(self) -> None:
        """Fork: whatever the world knows by now, the workers know."""
        gc.freeze()
        self._pool = ProcessPoolExecutor(
            self.count, multiprocessing.get_context("fork"), _know, (self._world, self._settings, self._folder)
        )

    def each(self, do: Callable[[Job], Done], jobs: Iterable[Job]) -> Iterator[Done]:
        """Results in the order of their jobs, a few ahead of whoever takes them."""
        if self._pool is None:
            raise RuntimeError("begin first")
        waiting: deque[Future[Done]] = deque()
        todo = iter(jobs)
        while True:
            for job in islice(todo, 2 * self.count - len(waiting)):
                waiting.append(self._pool.submit(do, job))
            if not waiting:
                return
            yield waiting.popleft().result()


class _Known(NamedTuple):
    world: World
    keys: Keys
    again: Keys
    mapper: EventMapper
    folder: Path


_known: list[_Known] = []


def _know(world: World, settings: Settings, folder: Path) -> None:
    _known[:] = [_Known(world, Keys(settings), Keys(settings), EventMapper(), folder)]
    # Lives are full of circles; they are collected after each shard.
    gc.disable()


def _live_some(job: tuple[int, list[Kind]]) -> Shard:
    first, kinds = job
    (known,) = _known
    return _written(first, lives(known.world, known.keys, first, kinds))


def _look_after(job: tuple[int, Kind, Seen]) -> Shard:
    number, kind, seen = job
    (known,) = _known
    desk = Desk(known.world, number, kind, known.keys)
    desk.learn(seen, known.again)
    return _written(number, [lived(desk)])


def _written(first: int, some: Iterable[Life]) -> Shard:
    (known,) = _known
    written = shard.write(known.folder / f"{first}", some, known.keys, known.mapper)
    gc.collect()
    return written


def _live(world: World, settings: Settings, folder: Path, workers: _Workers, told: Told) -> Iterator[Shard]:
    keys = Keys(settings)
    opened = shard.write(folder / "0", world.open(keys), keys, EventMapper())
    yield opened
    workers.begin()
    done, events = opened.people, opened.events
    seen = {code: Seen([], []) for code in DRAWN}
    for made in workers.each(_live_some, _jobs(world)):
        yield made
        for renewed in made.seen.renewed:
            seen[renewed.association].renewed.append(renewed)
        for decided in made.seen.decided:
            seen[decided.association].decided.append(decided)
        done, events = done + made.people, events + made.events
        told(f"{events:,} events of {done:,} people", done, world.people)
    yield from workers.each(_look_after, [(number, kind, seen[kind.home]) for number, kind in world.desks()])


def _jobs(world: World) -> Iterator[tuple[int, list[Kind]]]:
    for at in range(0, len(world.rest), LIVES):
        yield world.first + at, world.rest[at : at + LIVES]


# --- writing, in one transaction -------------------------------------------------------------------------------------

_Pieces = list[tuple[Path, Segment]]


def _pack(job: tuple[_Pieces, int]) -> Block:
    pieces, first = job
    return shard.pack(shard.read(pieces), first)


def _take(connection: psycopg.Connection[Any], shards: list[Shard], workers: _Workers, told: Told) -> tuple[int, str]:
    """COPY everything; how many events there are, and the root."""
    _refuse_events(connection)
    of = sum(one.events for one in shards)
    edge, done = Edge(), 0
    claims: list[bytes] = []
    with connection.cursor() as cursor:
        with cursor.copy("COPY registry.events FROM STDIN (FORMAT binary)") as copy:
            copy.write(shard.COPY_BEGINS)
            for block in workers.each(_pack, _quarters(shards)):
                copy.write(block.events)
                claims.append(block.claims)
                edge.extend([block.leaves[at : at + _LEAF] for at in range(0, len(block.leaves), _LEAF)])
                done += block.size
                told(f"{done:,} events written", done, of)
            copy.write(shard.COPY_ENDS)
        _copy(cursor, "registry.claims (name, stream, position, body, events)", claims)
        cursor.execute("SET LOCAL ROLE registry_keeper")
        _copy(
            cursor,
            "vault.person_keys (person, kind, wrapped, created_at, destroyed_at)",
            [one.keys for one in shards],
        )
        cursor.execute("RESET ROLE")
        cursor.execute("ANALYZE registry.events, registry.claims")
        cursor.execute("SELECT pg_notify(%s, '')", [database.CHANNEL])
    return done, edge.root().hex()


def _quarters(shards: list[Shard]) -> Iterator[tuple[_Pieces, int]]:
    first = 1
    for quarter in sorted({quarter for one in shards for quarter in one.quarters}):
        pieces = [(one.path, one.quarters[quarter]) for one in shards if quarter in one.quarters]
        yield pieces, first
        first += sum(count for _, (_, _, count) in pieces)


def _copy(cursor: psycopg.Cursor[Any], what: str, blocks: Iterable[bytes]) -> None:
    with cursor.copy(f"COPY {what} FROM STDIN (FORMAT binary)") as copy:
        copy.write(shard.COPY_BEGINS)
        for block in blocks:
            copy.write(block)
        copy.write(shard.COPY_ENDS)
