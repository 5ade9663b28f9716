"""Builds the tables of views beside the live ones: two processes share the work, and a killed build goes on.

What a build has done stands in the schema it fills: in `parts` up to where each process came, in `kept` the rows that
were in its memory there, and the tables themselves with what was finished. It is kept every few seconds.
"""

import hashlib
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Pipe
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from projections import rows as tables
from projections import stored
from projections.catalogue import HALF
from projections.filling import Filling, without_collecting
from projections.folding import Folder, Load, Stopped
from projections.replays import as_of
from projections.view import View

KEEP_SECONDS: Final = 15.0
"""So much work a killed build loses at most."""
_SHARED_FROM: Final = 200_000
"""So many events make a second process worth its start."""
_PROMPT: Final = 0.1


class Step(NamedTuple):
    """What is done now, how many events (or tables) of how many, and for how long it has been going on in seconds."""

    what: str
    done: int
    of: int
    seconds: float


Told = Callable[[Step], None]


class Job(NamedTuple):
    """A part of a build: these views up to `goal`. `snapshot`: as this other transaction sees the database."""

    part: str
    views: tuple[View, ...]
    schema: str
    goal: int
    hold: int
    keep_seconds: float
    snapshot: str = ""


def shape(views: Sequence[View]) -> str:
    """Names the tables of this version of the program."""
    parts = [view.extra for view in views]
    for table in (table for view in views for table in view.tables):
        parts += [table.table, repr(table.key), repr(table.indexes), repr(table.collate_c)]
        parts += [f"{column.name} {column.type} {column.nullable}" for column in tables.columns(table)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def parts(views: Sequence[View], load: Load, events: int, *, shared: bool | None) -> list[tuple[View, ...]]:
    """The views of each process: what opens personal fields is always in the first, which is this one."""
    first = tuple(view for view in views if view.name not in HALF)
    second = tuple(view for view in views if view.name in HALF)
    if shared is None:
        shared = events >= _SHARED_FROM and len(os.sched_getaffinity(0)) > 1
    return [first, second] if shared and first and second and _travels(load) else [tuple(views)]


def _travels(load: Load) -> bool:
    try:
        pickle.dumps(load)
    except (pickle.PicklingError, TypeError, AttributeError):
        return False
    return True


class Builder:
    """Makes a schema with the tables of a folder's views."""

    def __init__(
        self, folder: Folder, schema: str, *, hold: int, keep_seconds: float = KEEP_SECONDS, shared: bool | None = None
    ) -> None:
        self._folder = folder
        self._schema = schema
        self._hold = hold
        self._keep_seconds = keep_seconds
        self._shared = shared
        self.shape = shape(folder.views)

    def build(self, connection: Connection[Any], told: Told, until: int | None = None) -> int:
        """Fill and index all tables up to a position (None: the last one now); gives that position.

        With `until` it begins anew; without, it goes on where an earlier one was killed. Raises Stopped.
        """
        begun = time.monotonic()
        if until is None and (built := self._built(connection)):
            return built
        jobs = (self._find(connection) if until is None else None) or self._begin(connection, until)
        with without_collecting(), sharing(connection, self._folder, jobs[1:], "fill") as others:
            fill(connection, self._folder.only(jobs[0].views), jobs[0], Teller(told, begun, others))
            for other in others:
                other.finish()
        with connection.transaction():
            for view in self._folder.views:
                if view.extra:
                    connection.execute(self._extra(view, until))
            connection.execute(SQL("DROP TABLE {}, {}").format(self._table("parts"), self._table("kept")))
            connection.execute(SQL("UPDATE {} SET position = %s").format(self._table("position")), [jobs[0].goal])
        return jobs[0].goal

    def _extra(self, view: View, until: int | None) -> bytes:
        sql = SQL(view.extra).format(schema=Identifier(self._schema)).as_string()
        return (sql if until is None else as_of(sql, self._schema, until)).encode()

    def _table(self, name: str) -> Identifier:
        return Identifier(self._schema, name)

    def _built(self, connection: Connection[Any]) -> int:
        """The position of an earlier build of the same tables that has only to take their place; 0 without one."""
        try:
            found = connection.execute(SQL("SELECT position, shape FROM {}").format(self._table("position"))).fetchone()
        except psycopg.errors.UndefinedTable:
            return 0
        position, its_shape = found or (0, "")
        return int(position) if its_shape == self.shape and position <= stored.last_position(connection) else 0

    def _find(self, connection: Connection[Any]) -> list[Job] | None:
        """What an earlier build of the same tables has left to do."""
        try:
            was = connection.execute(SQL("SELECT shape FROM {}").format(self._table("position"))).fetchone()
            rows = connection.execute(
                SQL("SELECT part, goal FROM {} ORDER BY number").format(self._table("parts"))
            ).fetchall()
        except psycopg.errors.UndefinedTable:
            return None
        views = {view.name: view for view in self._folder.views}
        jobs = [self._job(tuple(views[name] for name in part.split() if name in views), goal) for part, goal in rows]
        if was != (self.shape,) or not jobs or jobs[0].goal > stored.last_position(connection):
            return None
        whole = sum(len(job.views) for job in jobs) == len(views)
        return jobs if whole and (len(jobs) == 1 or _travels(self._folder.load)) else None

    def _job(self, views: tuple[View, ...], goal: int) -> Job:
        part = " ".join(view.name for view in views)
        return Job(part, views, self._schema, goal, self._hold, self._keep_seconds)

    def _begin(self, connection: Connection[Any], until: int | None) -> list[Job]:
        with connection.transaction():
            stored.take_time(connection)
            goal = stored.last_position(connection) if until is None else until
            jobs = [
                self._job(views, goal)
                for views in parts(self._folder.views, self._folder.load, goal, shared=self._shared)
            ]
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(self._schema)))
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(self._schema)))
            for table in self._folder.tables:
                stored.create(connection, self._schema, table)
            connection.execute(
                SQL("CREATE TABLE {} (position int8 NOT NULL, shape text NOT NULL)").format(self._table("position"))
            )
            connection.execute(SQL("INSERT INTO {} VALUES (0, %s)").format(self._table("position")), [self.shape])
            connection.execute(
                SQL(
                    "CREATE TABLE {} (number int4, part text PRIMARY KEY, goal int8, position int8 DEFAULT 0,"
                    " batches bool DEFAULT false)"
                ).format(self._table("parts"))
            )
            connection.execute(SQL('CREATE TABLE {} (part text, "table" text, rows bytea)').format(self._table("kept")))
            for number, job in enumerate(jobs):
                connection.execute(
                    SQL("INSERT INTO {} (number, part, goal) VALUES (%s, %s, %s)").format(self._table("parts")),
                    [number, job.part, goal],
                )
        return jobs


def fill(connection: Connection[Any], folder: Folder, job: Job, told: Told) -> None:
    """Do a part of a build, keeping what is done every few seconds; then index its tables. Raises Stopped."""
    row = SQL("{} WHERE part = %s").format(Identifier(job.schema, "parts"))
    filling = Filling(connection, folder, job.schema, job.goal, job.hold)
    begins = more = True
    while more:
        with connection.transaction():
            stored.take_time(connection)
            # A killed build's other process may not have ended yet: this waits for its end.
            found = connection.execute(
                SQL("SELECT position, batches FROM ") + row + SQL(" FOR UPDATE"), [job.part]
            ).fetchone()
            position, batches = found or (0, False)
            if begins:
                filling.go_on(job.part, position, batches=batches)
                begins = False
            elif position != filling.position:
                raise psycopg.OperationalError("another build has gone on with these tables")
            until = time.monotonic() + job.keep_seconds
            while more := _went_on(filling, job, told):
                if time.monotonic() >= until:
                    break
            filling.keep(job.part)
            connection.execute(
                SQL("UPDATE {} SET position = %s, batches = %s WHERE part = %s").format(
                    Identifier(job.schema, "parts")
                ),
                [filling.position, filling.batches, job.part],
            )
    for n, table in enumerate(folder.tables):
        told(Step("tables", n, len(folder.tables), 0))
        if not stored.is_indexed(connection, job.schema, table):
            with connection.transaction():
                stored.take_time(connection)
                stored.index(connection, job.schema, table)


def _went_on(filling: Filling, job: Job, told: Told) -> bool:
    more = filling.page()
    told(Step("events", filling.position, job.goal, 0))
    return more


class Teller:
    """Says how far the build is, with what the other process has done."""

    def __init__(self, told: Told, begun: float, others: "Sequence[Other]") -> None:
        self._told = told
        self._begun = begun
        self._others = others

    def __call__(self, step: Step) -> None:
        if step.what == "events":
            done = [step.done, *(other.position() for other in self._others)]
            step = step._replace(done=sum(done) // len(done))
        self._told(step._replace(seconds=time.monotonic() - self._begun))


# -- the other process -----------------------------------------------------------------------------------------------


class Other:
    """A process that does a part of the work; what it says comes over a line."""

    def __init__(self, address: str, load: Load, job: Job, what: str) -> None:
        self._line, theirs = Pipe()
        self._position = 0
        self._answer: Any = None
        self._done = False
        # -P: only what is installed, or on PYTHONPATH, is ours.
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 # this interpreter, our own module
                [sys.executable, "-P", "-m", "projections.other", str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )
        self._line.send((address, load, job, what))

    def position(self) -> int:
        """Up to where it has come. Raises what it met."""
        while not self._done and self._line.poll():
            self._hear()
        return self._position

    def finish(self) -> Any:
        """Wait for its end and give its answer."""
        while not self._done:
            self._hear()
        self._process.wait()
        return self._answer

    def _hear(self) -> None:
        try:
            kind, said = self._line.recv()
        except (EOFError, OSError):
            raise psycopg.OperationalError("the other process of the build has ended") from None
        if kind == "position":
            self._position = said
        elif kind == "stopped":
            raise Stopped(*said)
        elif kind == "failed":
            raise psycopg.OperationalError(f"the other process of the build failed: {said}")
        else:
            self._answer, self._done = said, True

    def close(self) -> None:
        self._line.close()
        try:
            self._process.wait(_PROMPT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def sharing(connection: Connection[Any], folder: Folder, jobs: Sequence[Job], what: str) -> Iterator[list[Other]]:
    """Processes at work on these jobs, which end at the end of the block."""
    # `psycopg.ConnectionInfo` gives the password apart.
    facts = connection.info.get_parameters()
    if connection.info.password:
        facts["password"] = connection.info.password
    address = make_conninfo(**facts)
    others: list[Other] = []
    try:
        others += [Other(address, folder.load, job, what) for job in jobs]
        yield others
    finally:
        for other in others:
            other.close()
