"""Lives on their way to the database: sealed, sorted into quarters, then numbered, hashed and packed for COPY."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import msgspec

from domain.event import Event
from registry.log.entry import entry, leaf, preimage
from registry.store import EventMapper
from registry.world.desk import Seen, see
from registry.world.life import Life
from registry.world.memory import KeyRow, Keys

FIRST_YEAR: Final = 2002
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)  # of PostgreSQL

Segment: TypeAlias = tuple[int, int, int]
"""Where a quarter's rows stand in a shard's file: offset, bytes, how many."""


class Row(msgspec.Struct, array_like=True):
    """An event as it will be stored, but for its position. `claims`: name, body, events of those it holds for good."""

    moment: int
    stream: str
    version: int
    topic: str
    state: bytes
    claims: list[tuple[str, str | None, int | None]] = []


class Shard(NamedTuple):
    """What a shard's file holds, by quarter."""

    path: Path
    people: int
    events: int
    quarters: dict[int, Segment]
    keys: bytes
    seen: Seen


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Row]).decode
_moment: Final = attrgetter("moment")


def write(path: Path, lives: Iterable[Life], keys: Keys, mapper: EventMapper) -> Shard:
    """Take over lives that have been lived, one after the other."""
    quarters: dict[int, list[Row]] = {}
    wrapped: list[bytes] = []
    people = events = 0
    seen = Seen([], [])
    for life in lives:
        see(life, seen)
        people += life.people
        rows = [_row(mapper, keys, event) for event in life.memory.history]
        events += len(rows)
        for name, held in life.memory.claims.items():
            rows[held.by].claims = [*rows[held.by].claims, (name, held.body, held.events)]
        for row, event in zip(rows, life.memory.history, strict=True):
            at = event.recorded_at
            quarters.setdefault((at.year - FIRST_YEAR) * 4 + (at.month - 1) // 3, []).append(row)
        wrapped += map(_key_row, keys.finished())
    segments: dict[int, Segment] = {}
    with path.open("wb") as file:
        for quarter, some in sorted(quarters.items()):
            data = _encode(some)
            segments[quarter] = (file.tell(), len(data), len(some))
            file.write(data)
    return Shard(path, people, events, segments, b"".join(wrapped), seen)


def _row(mapper: EventMapper, keys: Keys, event: Event) -> Row:
    stored = mapper.to_stored_event(keys.seal_at(event))
    return Row(
        microseconds(event.recorded_at), event.originator_id, event.originator_version, stored.topic, stored.state
    )


def read(pieces: Iterable[tuple[Path, Segment]]) -> list[Row]:
    """A quarter's rows of all shards in order of time; of one moment, in the order of shards and lives."""
    rows: list[Row] = []
    for path, (offset, size, _) in pieces:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            rows += _decode(file.read(size))
    rows.sort(key=_moment)
    return rows


class Block(NamedTuple):
    """A quarter as COPY takes it in binary, and the hashes of its leaves, 32 bytes each."""

    events: bytes
    claims: bytes
    leaves: bytes
    size: int


_HEAD: Final = struct.Struct(">hi").pack
_LENGTH: Final = struct.Struct(">i").pack
_NUMBER: Final = struct.Struct(">iq").pack
_NULL: Final = _LENGTH(-1)


def pack(rows: Sequence[Row], first: int) -> Block:
    """Number the rows from `first` on."""
    events: list[bytes] = []
    claims: list[bytes] = []
    leaves: list[bytes] = []
    for position, row in enumerate(rows, start=first):
        stream, topic, state = row.stream.encode(), row.topic.encode(), row.state
        events += (
            _HEAD(5, len(stream)), stream, _NUMBER(8, row.version), _LENGTH(len(topic)), topic, _LENGTH(len(state)),
            state, _NUMBER(8, position),
        )  # fmt: skip
        leaves.append(leaf(entry(preimage(position, row.stream, row.version, row.topic, state))))
        claims += [_claim_row(name, stream, position, body, count) for name, body, count in row.claims]
    return Block(b"".join(events), b"".join(claims), b"".join(leaves), len(rows))


def _claim_row(name: str, stream: bytes, position: int, body: str | None, events: int | None) -> bytes:
    return b"".join(
        (
            _LENGTH(5)[2:],
            _text(name.encode()),
            _text(stream),
            _NUMBER(8, position),
            _NULL if body is None else _text(body.encode()),
            _NULL if events is None else _LENGTH(4) + _LENGTH(events),
        )
    )


def _key_row(row: KeyRow) -> bytes:
    return b"".join(
        (
            _LENGTH(5)[2:],
            _text(row.person.encode()),
            _text(row.kind.encode()),
            _NULL if row.wrapped is None else _text(row.wrapped),
            _time(row.created_at),
            _NULL if row.destroyed_at is None else _time(row.destroyed_at),
        )
    )


def _text(data: bytes) -> bytes:
    return _LENGTH(len(data)) + data


def _time(moment: datetime) -> bytes:
    return _NUMBER(8, microseconds(moment))


def microseconds(moment: datetime) -> int:
    """Since PostgreSQL's epoch."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


COPY_BEGINS: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_ENDS: Final = b"\xff\xff"
