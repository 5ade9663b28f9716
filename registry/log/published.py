"""The log as it is published: its checkpoint, and proofs under it from the tiles."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from psycopg import Connection

from registry.log import tree
from registry.log.entry import preimage_at
from registry.log.tiles import Damaged, Files, Tiles
from verifier import named
from verifier.keys import read_keys_json
from verifier.proof import Checkpoint, check_proof, event_in, read_checkpoint, read_proof, vkey
from verifier.verdict import Unverified

CHECKPOINT: Final = "checkpoint"
KEYS: Final = "keys.json"
WITNESSES: Final = "witnesses"


class NotYetPublished(Exception):
    """No checkpoint covers this position yet."""

    def __init__(self, position: int, size: int) -> None:
        super().__init__(f"position {position} is not under the published checkpoint of {size} events")
        self.position = position
        self.size = size


class Naming(NamedTuple):
    """What binds a name: the event that recorded it, and its blind, which opens that field of that event alone."""

    position: int
    preimage: bytes
    blind: str
    value: str


class Published:
    """What anyone can read; `vkeys` are the log's own keys, the present one and former ones."""

    def __init__(self, static: Path, vkeys: Iterable[str]) -> None:
        self.static = static
        self.vkeys = tuple(vkeys)
        self.tiles = Tiles(Files(static))
        self._checked: tuple[str, Checkpoint] | None = None

    @classmethod
    def of(cls, static: Path) -> Self:
        """With the keys that the published `keys.json` gives the log."""
        try:
            ring = read_keys_json((static / KEYS).read_bytes())
        except FileNotFoundError:
            return cls(static, ())
        except Unverified as error:
            raise Damaged(f"the published {KEYS} is not one we wrote ({error.why})") from error
        origin = ring.logs[0].partition("+")[0]
        others = [vkey(origin, key.public) for key in ring if key.use == "log" and not key.withdrawn]
        return cls(static, dict.fromkeys([*ring.logs, *others]))

    def checkpoint_text(self) -> str | None:
        """The signed note as it is published, None before the first publication."""
        try:
            return (self.static / CHECKPOINT).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise Damaged("the published checkpoint is not text") from error

    def checkpoint(self) -> Checkpoint | None:
        text = self.checkpoint_text()
        return None if text is None else self._check(text)

    def _check(self, text: str) -> Checkpoint:
        if self._checked and self._checked[0] == text:
            return self._checked[1]
        try:
            checkpoint = read_checkpoint(text, self.vkeys)
        except Unverified as error:
            raise Damaged(f"the published checkpoint is not one we signed ({error.why})") from error
        self._checked = text, checkpoint
        return checkpoint

    def prove(self, index: int, preimage: bytes, name: Naming | None = None) -> str:
        """The proof file (C2SP tlog-proof) of the event at a leaf index; it was verified before it is given.

        `name`: binds the name on a certificate too, whose `certificate.issued` this event is.
        """
        text = self.checkpoint_text()
        checkpoint = None if text is None else self._check(text)
        if text is None or checkpoint is None or not 0 <= index < checkpoint.size:
            raise NotYetPublished(index + 1, checkpoint.size if checkpoint else 0)
        nodes = self.tiles.nodes(checkpoint.size)
        hashes = tree.inclusion(checkpoint.size, index, nodes)
        extra = preimage
        if name:
            of_name = tree.inclusion(checkpoint.size, name.position - 1, nodes)
            extra += b"\n" + named.lines(name.preimage, of_name, name.blind, name.value)
        lines = [
            "c2sp.org/tlog-proof@v1",
            f"extra {b64encode(extra).decode()}",
            f"index {index}",
            *(b64encode(node).decode() for node in hashes),
            "",
            text,
        ]
        proof = "\n".join(lines)
        try:
            read = read_proof(proof)
            check_proof(read, self.vkeys)
            if name:
                named.check(read.more, named.as_printed(name.value), event_in(preimage).state, checkpoint)
        except Unverified as error:
            raise Damaged(f"the event at position {index + 1} is not the one published") from error
        return proof

    def prove_position(self, connection: Connection[Any], position: int) -> str:
        preimage = preimage_at(connection, position)
        if preimage is None:
            raise NotYetPublished(position, 0)
        return self.prove(position - 1, preimage)

    def consistency(self, size1: int, size2: int) -> list[bytes]:
        """That the log of `size2`, published, begins with the log of `size1`."""
        return tree.consistency(size1, size2, self.tiles.nodes(size2))
