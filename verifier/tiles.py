"""A log's tree of hashes by its published tiles (C2SP tlog-tiles), and the consistency proof that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from verifier import proof
from verifier.verdict import Unverified

_WIDTH: Final = 256  # hashes in a tile
_LEVELS: Final = 8  # of the tree in one tile
LARGEST: Final = _WIDTH * 32

Read = Callable[[Sequence[str], int], bytes]
"""The first of these files that is there and has so many bytes."""


Node = Callable[[int, int], bytes]
"""The hash over the leaves from `index * 2**height` up to the next such place: `node(height, index)`."""


def consistency(size1: int, size2: int, node: Node) -> list[bytes]:
    """The proof that the tree of `size2` begins with the tree of `size1`, which is no larger (RFC 9162, 2.1.4.1)."""
    if size1 == 0:
        return []
    path: list[bytes] = []
    start, end = 0, size2
    while end != size1:
        middle = start + split(end - start)
        if size1 <= middle:
            path.append(subtree(middle, end, node))
            end = middle
        else:
            path.append(subtree(start, middle, node))
            start = middle
    if start:  # otherwise it is the old root, which the verifier has
        path.append(subtree(start, end, node))
    return path[::-1]


class Edge(NamedTuple):
    """The partial tile of a level: the last one, where the size ends within it."""

    name: str
    level: int
    first: int
    """The tile of the level below, counted from 0, whose root is its first hash."""
    hashes: bytes


def edges(size: int, root: bytes, read: Read) -> list[Edge]:
    """The partial tile of each level. Raises Unverified, unless every hash in them has its part in this root."""
    found: dict[str, Edge] = {}
    for level in range((size.bit_length() + _LEVELS - 1) // _LEVELS):
        count = size >> _LEVELS * level
        if width := count % _WIDTH:
            names = _names(level, count // _WIDTH, width)
            hashes = read(names, width * 32)[: width * 32]
            found[names[0]] = Edge(names[0], level, count - width, hashes)
    held = subtree(0, size, nodes(size, lambda names, _: found[names[0]].hashes)) if size else proof.root(())
    if held != root:
        raise Unverified("tampered", "the log's tiles do not make the root of its checkpoint")
    return list(found.values())


def below(level: int, first: int, hashes: bytes) -> list[tuple[str, bytes]]:
    """The full tiles of a level, from `first` on, whose roots these hashes are: the name and root of each."""
    return [(_name(level, first + at // 32), hashes[at : at + 32]) for at in range(0, len(hashes), 32)]


def holds(content: bytes, tile_root: bytes) -> bool:
    """This is the full tile of that root."""
    return len(content) == LARGEST and _root([content[at : at + 32] for at in range(0, LARGEST, 32)]) == tile_root


def subtree(start: int, end: int, node: Node) -> bytes:
    """The hash over [start, end), where start is where such a subtree may begin."""
    width = end - start
    if width & (width - 1) == 0:
        height = width.bit_length() - 1
        return node(height, start >> height)
    middle = start + split(width)
    return proof.node_hash(subtree(start, middle, node), subtree(middle, end, node))


def split(width: int) -> int:
    """The largest power of two smaller than the width."""
    return 1 << ((width - 1).bit_length() - 1)


def grouped(number: int) -> str:
    """C2SP tlog-tiles: groups of three digits, all but the last after an `x`."""
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03d}")
    return "/".join(reversed(parts))


def _name(level: int, number: int) -> str:
    return f"tile/{level}/{grouped(number)}"


def _names(level: int, number: int, width: int) -> list[str]:
    """Where a tile may be: a partial one goes once the full one is there."""
    name = _name(level, number)
    return [f"{name}.p/{width}", name] if width < _WIDTH else [name]


def nodes(size: int, read: Read) -> Node:
    """Those of a tree of this size."""

    @lru_cache(maxsize=512)
    def tile(level: int, number: int) -> bytes:
        width = min(_WIDTH, (size >> _LEVELS * level) - number * _WIDTH)
        return read(_names(level, number, width), width * 32)

    def node(height: int, index: int) -> bytes:
        level, above = divmod(height, _LEVELS)
        number, place = divmod(index << above, _WIDTH)
        hashes = tile(level, number)
        return _root([hashes[at : at + 32] for at in range(place * 32, (place + (1 << above)) * 32, 32)])

    return node


def _root(row: list[bytes]) -> bytes:
    """Of a power of two of hashes."""
    while len(row) > 1:
        row = [proof.node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]
