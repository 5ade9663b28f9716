"""The Merkle tree of the log as a tile of 256 sees it: it grows at its right edge and is proved from its nodes."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from verifier import tiles
from verifier.tiles import Node, split, subtree

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT

EMPTY_ROOT: Final = sha256().digest()


class Tile(NamedTuple):
    level: int
    number: int
    hashes: Sequence[bytes]


def merge(hashes: Sequence[bytes]) -> list[bytes]:
    """The level above an even number of nodes."""
    pairs = zip(hashes[::2], hashes[1::2], strict=True)
    return [sha256(b"\x01" + left + right).digest() for left, right in pairs]


def top(hashes: Sequence[bytes]) -> bytes:
    """The one node above a power of two of nodes."""
    while len(hashes) > 1:
        hashes = merge(hashes)
    return hashes[0]


class Edge:
    """The right edge of a tree: the hashes of its partial tiles, lowest level first. All that growing needs."""

    def __init__(self, levels: Sequence[Sequence[bytes]] = ((),)) -> None:
        self.levels = [list(hashes) for hashes in levels]
        self.size = sum(len(hashes) << (TILE_HEIGHT * level) for level, hashes in enumerate(levels))

    def extend(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Append leaf hashes; the tiles that this filled, lower levels first."""
        filled: list[Tile] = []
        start = 0
        while start < len(leaves):
            some = leaves[start : start + TILE_WIDTH - len(self.levels[0])]
            start += len(some)
            self.size += len(some)
            self.levels[0].extend(some)
            level = 0
            while len(hashes := self.levels[level]) == TILE_WIDTH:
                filled.append(Tile(level, (self.size >> TILE_HEIGHT * (level + 1)) - 1, hashes))
                self.levels[level] = []
                level += 1
                if level == len(self.levels):
                    self.levels.append([])
                self.levels[level].append(top(hashes))
        return filled

    def partial_tiles(self) -> list[Tile]:
        return [
            Tile(level, self.size >> TILE_HEIGHT * (level + 1), hashes)
            for level, hashes in enumerate(self.levels)
            if hashes
        ]

    def root(self) -> bytes:
        peaks = [peak for hashes in self.levels for peak in _peaks(hashes)]
        if not peaks:
            return EMPTY_ROOT
        node, *larger = peaks
        for peak in larger:
            node = sha256(b"\x01" + peak + node).digest()
        return node


def _peaks(hashes: Sequence[bytes]) -> Iterator[bytes]:
    """The tops of the full subtrees over these nodes, smallest (the rightmost) first."""
    end = len(hashes)
    while end:
        width = end & -end
        yield top(hashes[end - width : end])
        end -= width


def nodes_over(leaves: Sequence[bytes]) -> Node:
    """The nodes of a tree whose leaf hashes are all at hand."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        levels.append(merge(levels[-1][: len(levels[-1]) & ~1]))
    return lambda height, index: levels[height][index]


def root(size: int, node: Node) -> bytes:
    return subtree(0, size, node) if size else EMPTY_ROOT


def inclusion(size: int, index: int, node: Node) -> list[bytes]:
    """The inclusion proof of leaf `index`, from its sibling up (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(subtree(middle, end, node))
            end = middle
        else:
            path.append(subtree(start, middle, node))
            start = middle
    return path[::-1]


def inclusions(size: int, indices: Sequence[int], node: Node) -> list[bytes]:
    """The proof of many leaves at once (indices in order): every node that can't be worked out from them, once.

    Level by level from the leaves up, in each from left to right: as `verifier.proof.check_inclusions` takes them.
    """
    if not indices or indices[0] < 0 or indices[-1] >= size:
        raise ValueError(f"a tree of {size} has no such leaf")
    wanted: list[tuple[int, int]] = []
    row, height = list(indices), 0
    while (size - 1) >> height:
        last = (size - 1) >> height
        known = set(row)
        for index in row:
            sibling = index ^ 1
            if sibling <= last and sibling not in known:
                wanted.append((sibling << height, min((sibling + 1) << height, size)))
        row = list(dict.fromkeys(index >> 1 for index in row))
        height += 1
    # Read from left to right: what lies in one tile is asked for together.
    found = {part: subtree(*part, node) for part in sorted(wanted)}
    return [found[part] for part in wanted]


def consistency(size1: int, size2: int, node: Node) -> list[bytes]:
    """The proof that the tree of `size2` begins with the tree of `size1` (RFC 9162, 2.1.4.1)."""
    if not 0 <= size1 <= size2:
        raise ValueError(f"a tree of {size2} does not begin with one of {size1}")
    return tiles.consistency(size1, size2, node)
