"""The published files of the log (C2SP tlog-tiles): hash tiles and entry bundles, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Final

from registry.log.tree import TILE_HEIGHT, TILE_WIDTH, Edge, Tile, merge
from verifier.tiles import Node, grouped

TILE: Final = "tile"
ENTRIES: Final = "entries"
_HASH: Final = 32
_LENGTH: Final = _HASH.to_bytes(2)
_BATCH: Final = 512
_FEW: Final = 8
_WRITERS: Final = 8


class Damaged(Exception):
    """What is published is not what we published: nothing may be built on it."""


class Disk:
    """The file operations of the publisher, one by one, so that a test can stop it between any two."""

    def make(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, old: Path, new: Path) -> None:
        old.replace(new)

    def sync(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: Path) -> None:
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


class Files:
    """Files under one folder that readers see whole: written aside, flushed, renamed, the folders flushed last."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.root = root
        self._disk = disk or Disk()
        self._waiting: dict[Path, bytes] = {}
        self._unsettled: set[Path] = set()

    def put(self, name: str, data: bytes) -> None:
        """Hand in a file. It is there when `settle` returns, whatever happens then."""
        self._waiting[self.root / name] = data
        if len(self._waiting) >= _BATCH:
            self._write()

    def settle(self) -> None:
        self._write()
        for folder in sorted(self._unsettled, key=lambda folder: -len(folder.parts)):
            self._disk.sync(folder)
        self._unsettled.clear()

    def remove(self, name: str) -> None:
        """Remove a folder and the files in it."""
        path = self.root / name
        if path.is_dir():
            for file in path.iterdir():
                self._disk.remove(file)
            self._disk.remove(path)

    def _write(self) -> None:
        aside: dict[Path, Path] = {}
        for path, data in self._waiting.items():
            for folder in reversed(path.relative_to(self.root).parents):
                self._unsettled.add(self.root / folder)
                if not (self.root / folder).is_dir():
                    self._disk.make(self.root / folder)
            if path.is_file() and path.read_bytes() == data:
                continue  # a publisher that was killed here wrote it
            aside[path] = path.with_name(f".{path.name}.new")
        writes = (aside.values(), [self._waiting[path] for path in aside])
        if len(aside) <= _FEW:
            list(map(self._disk.write, *writes))
        else:
            with ThreadPoolExecutor(_WRITERS) as pool:  # many wait together for the disk
                list(pool.map(self._disk.write, *writes))
        for path, written in aside.items():
            self._disk.rename(written, path)
        self._waiting.clear()


def tile_name(level: int | str, number: int, width: int = TILE_WIDTH) -> str:
    """Where a tile is: `tile/0/x001/x234/067`, and `.p/8` after it while it has 8 hashes of 256."""
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"{TILE}/{level}/{grouped(number)}{partial}"


class Tiles:
    """Reads and writes the tiles of one log; `size` is always that of a tree whose checkpoint was read."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._pyramid = lru_cache(maxsize=128)(self._read_pyramid)

    def put(self, tile: Tile) -> None:
        self._put(tile_name(tile.level, tile.number, len(tile.hashes)), b"".join(tile.hashes), len(tile.hashes))

    def put_entries(self, number: int, entries: Sequence[bytes]) -> None:
        data = b"".join([_LENGTH + entry for entry in entries])
        self._put(tile_name(ENTRIES, number, len(entries)), data, len(entries))

    def _put(self, name: str, data: bytes, width: int) -> None:
        """A full one is for ever: readers keep it without asking again."""
        path = self._files.root / name
        if width == TILE_WIDTH and path.is_file() and path.read_bytes() != data:
            raise Damaged(f"{name} is published and says something else than the database")
        self._files.put(name, data)

    def hashes(self, level: int, number: int, width: int) -> list[bytes]:
        data = self._read(level, number, width)
        if len(data) < width * _HASH:
            raise Damaged(f"{tile_name(level, number, width)} is too short")
        return [data[at : at + _HASH] for at in range(0, width * _HASH, _HASH)]

    def entries(self, number: int, width: int) -> list[bytes]:
        data = self._read(ENTRIES, number, width)[: width * (2 + _HASH)]
        entries = [data[at + 2 : at + 2 + _HASH] for at in range(0, len(data), 2 + _HASH)]
        if b"".join([_LENGTH + entry for entry in entries]) != data or len(entries) != width:
            raise Damaged(f"{tile_name(ENTRIES, number, width)} is no bundle of {width} entries")
        return entries

    def edge(self, size: int) -> Edge:
        """The right edge of the tree of that size."""
        levels: list[list[bytes]] = []
        while size >> (at := TILE_HEIGHT * len(levels)):
            number, width = divmod(size >> at, TILE_WIDTH)
            levels.append(self.hashes(len(levels), number, width) if width else [])
        return Edge(levels or ((),))

    def nodes(self, size: int) -> Node:
        """The nodes of the tree of that size."""

        def node(height: int, index: int) -> bytes:
            level, above = divmod(height, TILE_HEIGHT)
            number, place = divmod(index << above, TILE_WIDTH)
            width = min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - number * TILE_WIDTH)
            return self._pyramid(level, number, width)[above][place >> above]

        return node

    def _read_pyramid(self, level: int, number: int, width: int) -> list[list[bytes]]:
        rows = [self.hashes(level, number, width)]
        while len(rows[-1]) > 1:
            rows.append(merge(rows[-1][: len(rows[-1]) & ~1]))
        return rows

    def _read(self, level: int | str, number: int, width: int) -> bytes:
        # A partial tile goes once the full one is there; the full one begins with it.
        for name in (tile_name(level, number, width), tile_name(level, number)):
            try:
                return (self._files.root / name).read_bytes()
            except FileNotFoundError:
                continue
        raise Damaged(f"{tile_name(level, number, width)} is missing")

    def drop_partial(self, level: int | str, number: int) -> None:
        self._files.remove(f"{tile_name(level, number)}.p")
