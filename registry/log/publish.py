"""Publishes the log: new events become tiles, the witnesses are asked, the caller's lists and keys go out, and last
the checkpoint.

Its only state is the published files, so it may be killed anywhere and started again. A log begins with the checkpoint
of no events, before any tile: where tiles are and no checkpoint, somebody took it away.
"""

from __future__ import annotations

import fcntl
import os
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from psycopg import Connection
from psycopg.rows import scalar_row, tuple_row

from registry.log.entry import COLUMNS, Row, entry, leaf, preimage
from registry.log.published import CHECKPOINT, Published
from registry.log.tiles import ENTRIES, TILE, Damaged, Disk, Files, Tiles
from registry.log.tree import TILE_HEIGHT, TILE_WIDTH, Edge, consistency
from registry.log.witnesses import Answers, Contradicted, Prove, Witnesses
from verifier.proof import Checkpoint, key_id, read_checkpoint, vkey

PAGE: Final = 5_000


class Signer(Protocol):
    """The log's key: the raw 32 bytes of an Ed25519 key, and what it signs."""

    @property
    def public(self) -> bytes: ...

    def sign(self, data: bytes, /) -> bytes: ...


class RolledBack(Exception):
    """The database is not the history that was signed: nothing more may be published from it."""


class Behind(RolledBack):
    """A witness has cosigned more than there is; `seen` events."""

    def __init__(self, why: str, seen: int) -> None:
        super().__init__(why)
        self.seen = seen


class Overtaken(Exception):
    """Another publisher is at work on the same files."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Tiles that are on disk and under no checkpoint yet."""

    size: int
    root: bytes
    previous: Checkpoint

    @property
    def grown(self) -> bool:
        return self.size > self.previous.size


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that nobody has seen yet but its witnesses; `silent` says why others did not cosign it."""

    text: str
    pending: Pending
    silent: Mapping[str, str]


class Publisher:
    """`former` are the vkeys of keys that signed earlier checkpoints of this log."""

    def __init__(
        self,
        static: Path,
        origin: str,
        signer: Signer,
        *,
        former: Iterable[str] = (),
        disk: Disk | None = None,
        witnesses: Witnesses | None = None,
    ) -> None:
        self.origin = origin
        self.vkey = vkey(origin, signer.public)
        self.published = Published(static, (self.vkey, *former))
        self._static = static
        self._signer = signer
        self._disk = disk
        self._witnesses = witnesses or Witnesses()
        self._is_alone = False

    def advance(self, connection: Connection[Any], *, rederive: bool = False) -> Pending:
        """Write the tiles of all events there are. Always holds the last published event against the
        database; with `rederive` every one of them.
        """
        with self.alone():
            previous = self.published.checkpoint() or self._begin()
            size = previous.size
            last = _last_position(connection)
            if last < size:
                raise RolledBack(f"{size} events are published, the database has {last}")
            files = Files(self._static, self._disk)
            tiles = Tiles(files)
            edge = tiles.edge(size)
            if edge.root() != previous.root:
                raise Damaged(f"the tiles do not lead to the root of the checkpoint of {size} events")
            if size:
                _compare(connection, tiles, previous, everything=rederive)
            _append(connection, tiles, edge, last)
            files.settle()
        return Pending(edge.size, edge.root(), previous)

    def is_due(self, pending: Pending) -> bool:
        """Whether there is anything to sign or to ask a witness for."""
        if pending.grown or self.vkey not in pending.previous.signed_by:
            return True
        return self._witnesses.are_due(self.published.checkpoint_text() or "", pending.size)

    def sign(self, pending: Pending) -> Cosigned:
        """Sign the checkpoint and have it cosigned, so far as the witnesses answer in time.

        Raises RolledBack where one has seen another history: then nothing may be published.
        """
        size = pending.size
        text = signed_checkpoint(self.origin, size, pending.root, self._signer)
        nodes = Tiles(Files(self._static, self._disk)).nodes(size)
        try:
            answers = self._cosigned(text, pending, lambda old: consistency(old, size, nodes))
        except Contradicted as contradicted:
            why = f"{contradicted}: this is not the history that was witnessed, or not all of it"
            kind = Behind(why, contradicted.seen) if contradicted.seen > size else RolledBack(why)
            raise kind from contradicted
        return Cosigned(text + "".join(answers.lines), pending, answers.silent)

    def _cosigned(self, text: str, pending: Pending, prove: Prove) -> Answers:
        published = self.published.checkpoint_text() or ""
        answers = self._witnesses.cosign(text, pending.size, prove, previous=pending.previous.size, published=published)
        if pending.grown:
            return answers
        # What cosigns the very same checkpoint already stays, where nothing newer came.
        kept = self._witnesses.kept(published)
        new = {_name(line) for line in answers.lines}
        lines = (*(line for line in kept if _name(line) not in new), *answers.lines)
        return Answers(lines, {name: why for name, why in answers.silent.items() if name not in set(map(_name, kept))})

    def put(self, signed: Cosigned) -> Checkpoint:
        """Publish the checkpoint: from here on readers see the new tiles."""
        with self.alone():
            if self.published.checkpoint() != signed.pending.previous:
                raise Overtaken("another publisher has sealed a checkpoint since these tiles were written")
            checkpoint = self._put_checkpoint(signed.text)
            _drop_partials(Tiles(Files(self._static, self._disk)), signed.pending)
        return checkpoint

    def seal(self, pending: Pending) -> Checkpoint:
        """Sign and publish the checkpoint."""
        return self.put(self.sign(pending))

    def prove(self, index: int, preimage: bytes) -> str:
        return self.published.prove(index, preimage)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other publisher away from these files. Raises Overtaken where one is at work."""
        if self._is_alone:
            yield
            return
        self._static.mkdir(parents=True, exist_ok=True)
        folder = os.open(self._static, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Overtaken("another publisher is writing these files") from None
            self._is_alone = True
            yield
        finally:
            self._is_alone = False
            os.close(folder)  # and with it the lock

    def _begin(self) -> Checkpoint:
        if (self._static / TILE).exists():
            raise Damaged(
                "there are tiles, but their checkpoint is gone: put it back from a copy and run `registry fsck`."
                f" Only where nothing was ever relied on, move {TILE}/ away: then the log starts anew"
            )
        return self._put_checkpoint(signed_checkpoint(self.origin, 0, Edge().root(), self._signer))

    def _put_checkpoint(self, text: str) -> Checkpoint:
        checkpoint = read_checkpoint(text, [self.vkey])
        files = Files(self._static, self._disk)
        files.put(CHECKPOINT, text.encode())
        files.settle()
        return checkpoint


def _name(line: str) -> str:
    """Of a signature line: who signed."""
    return line.split(" ")[1]


def _compare(connection: Connection[Any], tiles: Tiles, previous: Checkpoint, *, everything: bool) -> None:
    size = previous.size
    if everything:
        whole = Edge()
        for rows in _pages(connection, 0, size):
            whole.extend([leaf(entry(preimage(*row))) for row in rows])
        if whole.root() != previous.root:
            raise RolledBack(f"the first {size} events are not those that were published")
    (row,) = next(_pages(connection, size - 1, size))
    if leaf(entry(preimage(*row))) != tiles.nodes(size)(0, size - 1):
        raise RolledBack(f"the event at position {size} is not the one that was published")


def _append(connection: Connection[Any], tiles: Tiles, edge: Edge, last: int) -> None:
    number, width = divmod(edge.size, TILE_WIDTH)
    bundle = tiles.entries(number, width) if width else []
    if [leaf(one) for one in bundle] != edge.levels[0]:
        raise Damaged(f"the entries from position {number * TILE_WIDTH + 1} are not those of the tile")
    for rows in _pages(connection, edge.size, last):
        entries = [entry(preimage(*row)) for row in rows]
        bundle += entries
        while len(bundle) >= TILE_WIDTH:
            tiles.put_entries(number, bundle[:TILE_WIDTH])
            del bundle[:TILE_WIDTH]
            number += 1
        for tile in edge.extend([leaf(one) for one in entries]):
            tiles.put(tile)
    if bundle:
        tiles.put_entries(number, bundle)
    for tile in edge.partial_tiles():
        tiles.put(tile)


def _drop_partials(tiles: Tiles, pending: Pending) -> None:
    """Partial tiles whose full tile is now there; readers fall back to that (tlog-tiles)."""
    before = pending.previous.size
    level = 0
    while pending.size >> TILE_HEIGHT * (level + 1):
        old = before >> TILE_HEIGHT * (level + 1)
        if pending.size >> TILE_HEIGHT * (level + 1) > old:
            for kind in (level, ENTRIES) if level == 0 else (level,):
                tiles.drop_partial(kind, old)
        level += 1


def signed_checkpoint(origin: str, size: int, root: bytes, signer: Signer) -> str:
    """A checkpoint (C2SP tlog-checkpoint) as a note signed by the log."""
    note = f"{origin}\n{size}\n{b64encode(root).decode()}\n"
    signature = key_id(origin, signer.public) + signer.sign(note.encode())
    return f"{note}\n— {origin} {b64encode(signature).decode()}\n"


def _last_position(connection: Connection[Any]) -> int:
    with connection.transaction(), connection.cursor(row_factory=scalar_row) as cursor:
        cursor.execute("SELECT coalesce(max(notification_id), 0) FROM registry.events")
        return int(cursor.fetchone() or 0)


def _pages(connection: Connection[Any], after: int, last: int) -> Iterator[list[Row]]:
    """The events after one position up to another, in order and none missing."""
    while after < last:
        # One transaction a page: between pages tiles are written, and none may stay open so long.
        with connection.transaction(), connection.cursor(binary=True, row_factory=tuple_row) as cursor:
            cursor.execute(
                f"SELECT {COLUMNS} FROM registry.events WHERE notification_id > %s AND notification_id <= %s"
                " ORDER BY notification_id LIMIT %s",
                (after, last, PAGE),
            )
            rows: list[Row] = cursor.fetchall()
        if not rows or [row[0] for row in rows] != list(range(after + 1, after + 1 + len(rows))):
            raise RolledBack(f"the positions after {after} have a gap")
        after += len(rows)
        yield rows
