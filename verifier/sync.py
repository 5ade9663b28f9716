"""Downloads what a registry publishes, checks it as a verifier would, and puts it in place whole or not at all.

The folder that a reader sees is a link to the newest set; sets that are being made, and the last one, are beside it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from verifier import bitstring, keys, proof, status, tiles
from verifier.download import Server, Unreached
from verifier.keys import KeyRing
from verifier.proof import Checkpoint, Cosignature
from verifier.status import SIZE, Signed
from verifier.verdict import Check, Unverified, iso

CHECKS: Final = (
    "the keys can be read",
    "they are the keys that were trusted before",
    "a key of the log signed its checkpoint",
    "the log holds all that it held before",
    "its witnesses countersigned it",
    "the status lists are signed by these keys",
    "no list is older than the one that was here",
    "the lists are fresh",
    "the tiles are those of the log",
)
_MOST: Final = 1 << 20
_MOST_IN_LIST: Final = 1 << 18
_MOST_IN_NOTES: Final = 1 << 23
_KEYS, _CHECKPOINT = "keys.json", "checkpoint"
_DOCUMENTS: Final = (".well-known/did.json", "status/did.json")
_OTHERS: Final = ("witnesses", "v1")
_PAGE: Final = "v1"
_TILES: Final = "tile"
_AT_ONCE: Final = 8  # tiles
_MOST_ENTRIES: Final = 1 << 24  # of a log whose tiles are copied: 540 MB


class InUse(Exception):
    """The folder can't be written: another program is at it, or sync did not make it."""


@dataclass(frozen=True, slots=True)
class Pins:
    """What whoever downloads trusts beforehand: a `keys.json`, its fingerprint, the keys of the log and witnesses."""

    ring: KeyRing | None = None
    fingerprint: str | None = None
    logs: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()


@dataclass(slots=True)
class Synced:
    """What is in the folder now. `trust` is `pinned`, `continued` from what was there, or `first_use`."""

    trust: str
    fingerprint: str
    new_keys: list[str]
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]
    specimen: bool
    issuer: str
    lists: int = 0
    files: int = 0
    resumed: int = 0
    size: int = 0
    as_of: int = 0
    """When the oldest of the status lists was made."""
    good_until: int = 0
    """When the first of them ends."""
    fresh: bool = True
    checks: tuple[Check, ...] = ()


@dataclass(slots=True)
class _Before:
    """The set that is in place."""

    folder: Path | None
    ring: KeyRing = field(default_factory=KeyRing)
    checkpoint: Checkpoint | None = None


Tell = Callable[[str, int, int], None]
"""Told before each file: its name, how many are done, and the bytes so far."""


def fingerprint(ring: KeyRing) -> str:
    """Of the keys and addresses of a registry, for one person to read to another: SHA-256 in hex.

    Over lines `use controller publicKeyMultibase`, in order, then the prefixes, in order, each line ended by 0x0A. A
    withdrawal does not change it.
    """
    lines = sorted(f"{key.use} {key.controller} {keys.multikey(key.public)}" for key in ring)
    return sha256("".join(f"{line}\n" for line in [*lines, *sorted(ring.prefixes)]).encode()).hexdigest()


def sync(url: str, directory: Path, pins: Pins, *, at: datetime, tell: Tell, with_tiles: bool = False) -> Synced:
    """Brings `directory` to what the registry publishes now. Raises Unreached, InUse, or Unverified with its checks.

    Whatever is raised, the folder is as it was; what was fetched is kept aside and used by the next run. A folder that
    has the log's tiles keeps them and gets the new ones, `with_tiles` or not.
    """
    server = Server(url)
    place = _Place(directory)
    with place.alone():
        run = _Run(server, place, pins, int(at.timestamp()), tell, with_tiles=with_tiles)
        try:
            synced = run.all()
        except Unverified as refused:
            run.note(refused.why, passed=False)
            refused.checks = tuple(run.checks)
            raise
        synced.checks = tuple(run.checks)
        place.show()
    return synced


class _Place:
    """The folder, a link, and what is beside it: numbered sets, and the one being made."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._beside = directory.parent / f".{directory.name}.sync"
        self.making = self._beside / "partial"

    @contextmanager
    def alone(self) -> Iterator[None]:
        if not self.directory.is_symlink() and self.directory.exists():
            if not self.directory.is_dir() or any(self.directory.iterdir()):
                raise InUse(f"{self.directory} is there, and sync did not make it: name a folder that is not there yet")
        elif self.directory.is_symlink() and self._shown() is None:
            raise InUse(f"{self.directory} is a link that sync did not make")
        self.making.mkdir(parents=True, exist_ok=True)
        with (self._beside / "lock").open("w") as lock:
            try:
                import fcntl  # noqa: PLC0415 - not on Windows

                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except ImportError:
                pass
            except OSError:
                raise InUse(f"another sync is at work on {self.directory}") from None
            yield

    def _shown(self) -> Path | None:
        target = self.directory.parent / self.directory.readlink()
        return target if target.parent == self._beside and target.name.isdecimal() else None

    def before(self) -> Path | None:
        return self._shown() if self.directory.is_symlink() else None

    def read(self, name: str) -> bytes | None:
        """A file fetched by a run that did not come to its end."""
        try:
            return (self.making / name).read_bytes()
        except OSError:
            return None

    def put(self, name: str, content: bytes) -> None:
        path = self.making / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.new")
        aside.write_bytes(content)
        aside.replace(path)

    def take(self, name: str, before: Path) -> None:
        """A file of the set before, as it is: one file on the disk where that can be."""
        path = self.making / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(before / name, path)
        except OSError:
            self.put(name, (before / name).read_bytes())

    def keep_only(self, names: Collection[str]) -> None:
        self._remove(lambda name: name not in names)

    def forget(self) -> None:
        """What an earlier run left is of another moment; but a full tile is the same at every moment."""
        self._remove(lambda name: not name.startswith(f"{_TILES}/"))

    def _remove(self, unwanted: Callable[[str], bool]) -> None:
        for path in sorted(self.making.rglob("*"), reverse=True):  # a folder after what is in it
            if path.is_dir():
                with suppress(OSError):
                    path.rmdir()  # only if it is empty
            elif unwanted(path.relative_to(self.making).as_posix()):
                path.unlink()

    def show(self) -> None:
        """From here on a reader sees the new set: one rename of the link. The set before stays until the next time."""
        for path in [*self.making.rglob("*"), self.making]:
            _settle(path)
        shown = self.before()
        old = [path for path in self._beside.iterdir() if path.name.isdecimal()]
        number = max((int(path.name) for path in old), default=0) + 1
        self.making.rename(self._beside / str(number))
        link = self._beside / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(self._beside / str(number), self.directory.parent))
        _settle(self._beside)
        if self.directory.is_dir() and not self.directory.is_symlink():
            self.directory.rmdir()  # it is empty
        link.replace(self.directory)
        _settle(self.directory.parent)
        for path in old:
            if path != shown:
                shutil.rmtree(path, ignore_errors=True)


def _settle(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Run:
    """One download, check by check."""

    def __init__(self, server: Server, place: _Place, pins: Pins, now: int, tell: Tell, *, with_tiles: bool) -> None:
        self._server, self._place, self._pins, self._now, self._tell = server, place, pins, now, tell
        self._with_tiles = with_tiles
        self._names: list[str] = []
        self._size = self._resumed = 0
        self.checks: list[Check] = []

    def note(self, found: str, *, passed: bool | None = True) -> None:
        number = len(self.checks)
        self.checks.append(Check(number + 1, CHECKS[number], passed, found))

    def all(self) -> Synced:
        before = self._before()
        content, note = self._needed(_KEYS), self._needed(_CHECKPOINT)
        if (self._place.read(_KEYS), self._place.read(_CHECKPOINT)) != (content, note):
            self._place.forget()
        ring = self._keys(content)
        trust, new = self._trust(ring, before)
        checkpoint, cosignatures = self._log(ring, note, before, trust)
        issuer = _issuer(ring)
        synced = Synced(
            trust, fingerprint(ring), new, checkpoint, cosignatures, any(key.specimen for key in ring), issuer
        )
        self._place.put(_KEYS, content)
        self._place.put(_CHECKPOINT, note)
        self._lists(synced, ring, before)
        if self._with_tiles or (before.folder is not None and (before.folder / _TILES).is_dir()):
            self._tiles(checkpoint, before.folder)
        self._rest()
        self._place.keep_only({*self._names})
        synced.files, synced.size, synced.resumed = len(self._names), self._size, self._resumed
        return synced

    def _before(self) -> _Before:
        folder = self._place.before()
        if folder is None:
            return _Before(None)
        try:
            ring = keys.read_keys_json((folder / _KEYS).read_bytes())
            return _Before(folder, ring, proof.read_checkpoint((folder / _CHECKPOINT).read_bytes(), _all_logs(ring)))
        except (OSError, Unverified):
            why = f"{self._place.directory} is damaged: remove it, and it is downloaded as if for the first time"
            raise InUse(why) from None

    def _needed(self, name: str, most: int = _MOST) -> bytes:
        content = self._fetch(name, most)
        if content is None:
            raise Unreached(f"{self._server.url}/{name} is not there: is this the address of a registry?")
        return content

    def _fetch(self, name: str, most: int) -> bytes | None:
        self._tell(name, len(self._names), self._size)
        content = self._server.get(name, most)
        if content is not None:
            self._names.append(name)
            self._size += len(content)
        return content

    def _keys(self, content: bytes) -> KeyRing:
        ring = keys.read_keys_json(content)
        for name in _DOCUMENTS:
            document = self._needed(name)
            both = ring | keys.read_did(document)  # one that contradicts them is refused
            if {key.kid for key in both} != {key.kid for key in ring}:
                raise Unverified("unknown_key", f"{name} has keys that {_KEYS} does not have")
            self._place.put(name, document)
        self.note(f"{sum(1 for _ in ring)} keys, fingerprint {fingerprint(ring)}")
        return ring

    def _trust(self, ring: KeyRing, before: _Before) -> tuple[str, list[str]]:
        """How these keys are known, and the kids of those that are not."""
        pinned = self._pins.ring
        if self._pins.fingerprint is not None and self._pins.fingerprint != fingerprint(ring):
            raise Unverified("unknown_key", f"the keys have another fingerprint than was named: {fingerprint(ring)}")
        for known, where in ((before.ring, "that were here"), (pinned or KeyRing(), "that were named")):
            _continues(known, ring, where)
        held = {key.kid for key in pinned or before.ring}
        new = [key.kid.hex() for key in ring if key.kid not in held]
        if pinned is not None and new:
            raise Unverified("unknown_key", f"there are keys that are not among those named: {', '.join(new)}")
        if pinned is not None or self._pins.fingerprint is not None:
            self.note("they are those that were named")
            return "pinned", [] if before.folder is None else new
        if before.folder is None:
            self.note("first use: only the connection to this server vouches for them", passed=None)
            return "first_use", []
        words = f"new: {', '.join(new)}; the connection alone vouches for them" if new else ""
        self.note(words, passed=None if new else True)
        return "continued", new

    def _log(
        self, ring: KeyRing, note: bytes, before: _Before, trust: str
    ) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
        logs = self._pins.logs or ring.logs
        checkpoint = proof.read_checkpoint(note, logs)
        known = trust != "continued" or not set(checkpoint.signed_by).isdisjoint((*before.ring.logs, *self._pins.logs))
        self.note("" if known else "by a key that is new here", passed=True if known else None)
        self._extends(checkpoint, before.checkpoint)
        witnesses = dict.fromkeys([*self._pins.witnesses, *before.ring.witnesses, *ring.witnesses])
        cosignatures = proof.cosignatures(note, witnesses)
        seen = {one.witness for one in cosignatures}
        silent = [vkey.partition("+")[0] for vkey in self._pins.witnesses if vkey.partition("+")[0] not in seen]
        if silent:
            raise Unreached(f"the checkpoint is not countersigned by {', '.join(silent)}: try again later")
        words = ", ".join(f"{one.witness} at {iso(one.time)}" for one in cosignatures)
        self.note(words or "nobody has, that is known here", passed=True if cosignatures else None)
        return checkpoint, cosignatures

    def _extends(self, checkpoint: Checkpoint, before: Checkpoint | None) -> None:
        if before is None:
            self.note("nothing was here before", passed=None)
            return
        if checkpoint.origin != before.origin:
            raise Unverified("tampered", f"this is another log, {checkpoint.origin}, than was here, {before.origin}")
        hashes: Sequence[bytes] = ()
        if before.size < checkpoint.size:
            hashes = tiles.consistency(before.size, checkpoint.size, tiles.nodes(checkpoint.size, self._tile))
        proof.check_consistency(before.size, before.root, checkpoint.size, checkpoint.root, hashes)
        self.note(f"{before.size} entries, now {checkpoint.size}")

    def _tile(self, names: Sequence[str], least: int) -> bytes:
        for at in names:
            self._tell(at, len(self._names), self._size)
            content = self._server.get(at, tiles.LARGEST)
            if content is not None and len(content) >= least:
                return content
        raise self._no_tile(names[-1])

    def _no_tile(self, name: str) -> Unreached:
        return Unreached(f"{self._server.url}/{name} is not there, so the log can't show that it holds what it held")

    def _lists(self, synced: Synced, ring: KeyRing, before: _Before) -> None:
        synced.lists = max(synced.checkpoint.size - 1, 0) // SIZE + 1
        host = synced.issuer.removeprefix("did:web:").replace("%3A", ":")
        read: list[tuple[str, Signed]] = []
        for number in range(1, synced.lists + 1):
            uri = f"https://{host}/s/{number}"
            bits = f"https://{host}/status/revocation/{number}"
            for name, at, most, reader, needed in (
                (f"s/{number}", uri, _MOST_IN_LIST, status.read_list, True),
                (f"s/{number}.notes", f"{uri}.notes", _MOST_IN_NOTES, status.read_notes, False),
                (f"status/revocation/{number}", bits, _MOST_IN_LIST, bitstring.read, False),
                (f"status/revocation/{number}.jwt", bits, _MOST_IN_LIST, bitstring.read, False),
            ):
                found = self._list(name, at, most, reader, ring)
                if found is None and needed:
                    raise Unreached(f"{self._server.url}/{name} is not there")
                if found is not None:
                    read.append((name, found))
        self.note(f"{len(read)} files for {synced.lists} x {SIZE} entries")
        for name, found in read:
            earlier = self._earlier(before, name, found.uri)
            if earlier is not None and found.issued_at < earlier:
                why = f"{name} was made {iso(found.issued_at)}, before the one that is here, {iso(earlier)}"
                raise Unverified("tampered", why)
        self.note("" if before.folder else "nothing was here before", passed=True if before.folder else None)
        synced.as_of = min(found.issued_at for _, found in read)
        synced.good_until = min(found.expires_at for _, found in read)
        why = next(filter(None, (found.untimely(self._now) for _, found in read)), "")
        synced.fresh = not why
        self.note(why or f"they are good until {iso(synced.good_until)}", passed=None if why else True)

    def _list(
        self, name: str, uri: str, most: int, read: Callable[[bytes, KeyRing], Signed], ring: KeyRing
    ) -> Signed | None:
        """One list, as an earlier run fetched it or as it is now; None if there is none."""
        kept = self._place.read(name)
        with suppress(Unverified):
            if kept is not None and not (found := _believed(kept, uri, read, ring)).untimely(self._now):
                self._names.append(name)
                self._resumed += 1
                return found
        content = self._fetch(name, most)
        if content is None:
            return None
        found = _believed(content, uri, read, ring)
        self._place.put(name, content)
        return found

    def _earlier(self, before: _Before, name: str, uri: str) -> int | None:
        """When the list that is here was made."""
        if before.folder is None:
            return None
        reader: Callable[[bytes, KeyRing], Signed] = bitstring.read if name.startswith("status/") else status.read_list
        if name.endswith(".notes"):
            reader = status.read_notes
        try:
            return _believed((before.folder / name).read_bytes(), uri, reader, before.ring).issued_at
        except (OSError, Unverified):
            return None

    def _tiles(self, checkpoint: Checkpoint, before: Path | None) -> None:
        """All tiles of hashes: with them a checkpoint of any size shows that this one holds what it held.

        From the root down, so that each is known to be the log's when it is put in place; only those that are not here
        are fetched.
        """
        if checkpoint.size > _MOST_ENTRIES:
            self.note(f"not copied: the log has more than {_MOST_ENTRIES} entries", passed=None)
            return
        count = len(self._names)
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            for edge in tiles.edges(checkpoint.size, checkpoint.root, self._tile):
                self._place.put(edge.name, edge.hashes)
                self._names.append(edge.name)
                self._size += len(edge.hashes)
                self._below(edge.level - 1, edge.first, edge.hashes, before, pool)
        finally:
            pool.shutdown(cancel_futures=True)
        self.note(f"{len(self._names) - count} tiles")

    def _below(self, level: int, first: int, hashes: bytes, before: Path | None, pool: Executor) -> None:
        """The full tiles of which these hashes are the roots, and all that are below them."""
        if level < 0:
            return
        wanted = tiles.below(level, first, hashes)
        places = [self._place.making, *([before] if before else [])]
        found = pool.map(lambda one: self._full_tile(one, places), wanted)
        for number, ((name, _), (content, where)) in enumerate(zip(wanted, found, strict=True), first):
            self._tell(name, len(self._names), self._size)
            self._names.append(name)
            if where is None:
                self._place.put(name, content)
                self._size += len(content)
            else:
                self._resumed += 1
                if where == before:
                    self._place.take(name, where)
            self._below(level - 1, number * (tiles.LARGEST // 32), content, before, pool)

    def _full_tile(self, wanted: tuple[str, bytes], places: Sequence[Path]) -> tuple[bytes, Path | None]:
        """A tile of this name and root, and the place that has it already."""
        name, tile_root = wanted
        for where in places:
            with suppress(OSError):
                content = (where / name).read_bytes()
                if tiles.holds(content, tile_root):
                    return content, where
        fetched = self._server.get(name, tiles.LARGEST)
        if fetched is None:
            raise self._no_tile(name)
        if not tiles.holds(fetched, tile_root):
            raise Unverified("tampered", f"{name} is not the tile that the root of the checkpoint tells of")
        return fetched, None

    def _rest(self) -> None:
        """What helps people: the page, and the list of witnesses. Neither is trusted for anything."""
        for name in _OTHERS:
            content = self._fetch(name, _MOST)
            if content is not None:
                self._place.put(name, content)
                if name == _PAGE:
                    self._place.put(f"{name}.html", content)
                    self._names.append(f"{name}.html")


def _believed(content: bytes, uri: str, read: Callable[[bytes, KeyRing], Signed], ring: KeyRing) -> Signed:
    found = read(content, ring)
    if found.uri != uri:
        raise Unverified("tampered", f"a list of {found.uri} where that of {uri} should be")
    return found


def _continues(known: KeyRing, ring: KeyRing, where: str) -> None:
    """No key was lost or forgotten to be withdrawn."""
    now = {key.kid: key for key in ring}
    for key in known:
        found = now.get(key.kid)
        if found is None or (found.use, found.controller) != (key.use, key.controller):
            raise Unverified("unknown_key", f"of the keys {where} {key.kid.hex()} is gone, or is another's")
        if key.withdrawn and not found.withdrawn:
            raise Unverified("unknown_key", f"of the keys {where} {key.kid.hex()} was withdrawn, and now is not")


def _all_logs(ring: KeyRing) -> list[str]:
    """The log's keys, withdrawn ones too: they signed what is here already."""
    name = ring.logs[0].partition("+")[0] if ring.logs else ""
    return [*ring.logs, *(proof.vkey(name, key.public) for key in ring if key.use == "log")]


def _issuer(ring: KeyRing) -> str:
    controllers = {key.controller for key in ring if key.use == "certificate"}
    if len(controllers) != 1:
        raise Unverified("unknown_key", "the keys for certificates are not those of one issuer")
    return controllers.pop()
