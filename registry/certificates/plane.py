"""Publishes the static plane: files that any web server can hand out, from which everything can be verified."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from psycopg import Connection

from domain.key import KeyUse
from registry.certificates import documents, status
from registry.certificates.documents import KnownKeys, log_origin
from registry.certificates.keys import FileSigner, KeyFolder, KeysUnusable, controller, trusted
from registry.certificates.status import Statuses, read
from registry.log.publish import Behind, Cosigned, Overtaken, Pending, Publisher
from registry.log.published import KEYS, WITNESSES
from registry.log.tiles import Disk, Files
from registry.log.witnesses import Witnesses
from registry.settings import WitnessAddress
from verifier import cose
from verifier.keys import KeyRing, read_keys_json
from verifier.proof import vkey
from verifier.status import LIST_TYP, NOTES_TYP, TTL, Signed, notes, pack, read_list, read_notes, token_list
from verifier.verdict import Notice, Unverified

PAGE: Final = Path(cose.__file__).parent / "page" / "index.html"
"""The verify page."""

_TOPICS: Final = (*status.TOPICS, *documents.TOPICS)


class Published(NamedTuple):
    """`position`: that of the checkpoint; `written`: the lists and notes that are new, as `s/N`, `s/N.notes`.

    `silent`: the witnesses that did not cosign it when they were asked, and why; None if none was asked.
    """

    position: int
    written: list[str]
    seconds: float
    silent: Mapping[str, str] | None = None


class Plane:
    """Holds what it folded from the log; everything else is in the files, so it may be killed anywhere."""

    def __init__(
        self,
        static: Path,
        keys: KeyFolder,
        *,
        host: str,
        qr_host: str,
        witnesses: Iterable[WitnessAddress] = (),
        disk: Disk | None = None,
    ) -> None:
        self._static = static
        self._keys = keys
        self._host = host
        self._qr_host = qr_host
        self._disk = disk
        self._witnesses = Witnesses(witnesses)
        self._files = Files(static, disk)
        self._statuses = Statuses(keys.slot_key)
        self._known = KnownKeys()
        self._stale: set[str] = set()
        self._signed: dict[str, tuple[str, int]] = {}  # file -> kid and time of its signature

    def publish(self, connection: Connection[Any], now: datetime) -> Published:
        """Tiles, lists, keys, and the checkpoint last: a reader who sees it finds all it covers.

        The witnesses are asked before anything but tiles goes out: where one has seen another history, nothing does.
        Raises KeysUnusable, RolledBack, Damaged; Overtaken while another publisher is at work: try again.
        """
        begun = time.monotonic()
        self._static.mkdir(parents=True, exist_ok=True)
        self._advance(connection, _last_position(connection))
        status_signer, log_signer = self._signer("status", now), self._signer("log", now)
        publisher = self._publisher(log_signer)
        # Alone from here to the end: lists of an older position must not replace those of a newer one.
        with publisher.alone():
            if not (self._static / KEYS).exists():
                self._put_documents(log_signer)  # the log's first checkpoint is read with them
                self._files.settle()
            pending = publisher.advance(connection)
            self._advance(connection, pending.size)
            signed = self._sign(connection, publisher, pending) if publisher.is_due(pending) else None
            written = self._put_lists(status_signer, now)
            self._put_documents(log_signer)
            self._files.settle()
            if signed:
                publisher.put(signed)
        return Published(pending.size, written, time.monotonic() - begun, signed.silent if signed else None)

    def _sign(self, connection: Connection[Any], publisher: Publisher, pending: Pending) -> Cosigned:
        try:
            return publisher.sign(pending)
        except Behind as behind:
            if _last_position(connection) >= behind.seen:
                raise Overtaken("another publisher was faster, with files of its own") from behind
            raise

    def _advance(self, connection: Connection[Any], last: int) -> None:
        if last == self._statuses.position:
            return
        rows = list(read(connection, _TOPICS, self._statuses.position, last))
        self._known.advance(row for row in rows if row[2] in documents.TOPICS)
        self._statuses.advance((row for row in rows if row[2] not in documents.TOPICS), last)
        lists, all_notes = self._statuses.take_stale()
        self._stale |= {f"s/{number}" for number in lists} | {f"s/{number}.notes" for number in all_notes}

    def _signer(self, use: KeyUse, now: datetime) -> FileSigner:
        signer = self._keys.signer(use, now)
        known = self._known.get(signer.kid)
        if known is None:
            raise KeysUnusable(f"the {use} key {signer.kid} is not in the log; run `registry keys publish`")
        if known.withdrawn or (known.until and known.until <= now):
            raise KeysUnusable(f"the {use} key {signer.kid} is retired or withdrawn, and no younger one is here")
        if signer.controller != controller(use, self._host):
            raise KeysUnusable(f"the {use} key {signer.kid} is of {signer.controller}; this host is {self._host}")
        return signer

    def _publisher(self, signer: FileSigner) -> Publisher:
        origin = log_origin(self._host)
        ring = read_keys_json(self._known.keys_json(self._host, self._qr_host, signer.public))
        former = [vkey(origin, key.public) for key in ring if key.use == "log" and key.public != signer.public]
        return Publisher(self._static, origin, signer, former=former, disk=self._disk, witnesses=self._witnesses)

    def _put_lists(self, signer: FileSigner, now: datetime) -> list[str]:
        """What changed, and what is to be signed again."""
        at = int(now.timestamp())
        ring = KeyRing([trusted(signer, "status")])
        written = []
        # Changed statuses before changed words: a revocation does not wait for the notes of other lists.
        for number in sorted(range(1, self._statuses.lists + 1), key=lambda number: f"s/{number}" not in self._stale):
            uri = f"https://{self._host}/s/{number}"
            # The notes first: they say nothing until the list does, and a list without them explains nothing.
            name = f"s/{number}.notes"
            if self._is_due(name, signer, at):
                entries = self._statuses.notes(number, now)
                written += self._put(name, _Notes(f"{uri}.notes", entries), signer, ring, at)
            name = f"s/{number}"
            if self._is_due(name, signer, at):
                written += self._put(name, _List(uri, self._statuses.of_list(number)), signer, ring, at)
        return written

    def _is_due(self, name: str, signer: FileSigner, at: int) -> bool:
        kid, signed_at = self._signed.get(name, ("", 0))
        return name in self._stale or kid != signer.kid or at - signed_at >= TTL

    def _put(self, name: str, sheet: "_List | _Notes", signer: FileSigner, ring: KeyRing, at: int) -> list[str]:
        signed_at = None if name in self._signed else self._signed_before(name, sheet, ring, at)
        if signed_at is None:
            token = cose.seal(sheet.payload(at), sheet.typ, bytes.fromhex(signer.kid), signer.sign)
            if not sheet.is_in(token, ring):
                raise AssertionError("a list reads back as something else than was written")
            self._files.put(name, token)
        self._signed[name] = signer.kid, signed_at or at
        self._stale.discard(name)
        return [name] if signed_at is None else []

    def _signed_before(self, name: str, sheet: "_List | _Notes", ring: KeyRing, at: int) -> int | None:
        """When this very list was signed by an earlier run of this program; None if it was not, or long ago."""
        try:
            found = sheet.is_in((self._static / name).read_bytes(), ring)
        except (OSError, Unverified):
            return None
        return found.issued_at if found and at - TTL < found.issued_at <= at else None

    def _put_documents(self, log_signer: FileSigner) -> None:
        self._files.put(".well-known/did.json", self._known.did("certificate", self._host))
        self._files.put("status/did.json", self._known.did("status", self._host))
        vkeys = self._witnesses.vkeys
        self._files.put(KEYS, self._known.keys_json(self._host, self._qr_host, log_signer.public, vkeys))
        self._files.put(WITNESSES, "".join(f"{vkey}\n" for vkey in vkeys).encode())
        if PAGE.is_file():  # made at set-up
            page = PAGE.read_bytes()
            for name in ("v1", "v1.html"):
                self._files.put(name, page)


class _List(NamedTuple):
    uri: str
    statuses: dict[int, int]
    typ: str = LIST_TYP

    def payload(self, at: int) -> bytes:
        return token_list(self.statuses, self.uri, at)

    def is_in(self, token: bytes, ring: KeyRing) -> Signed | None:
        found = read_list(token, ring)
        return found if (found.uri, found.packed) == (self.uri, pack(self.statuses)) else None


class _Notes(NamedTuple):
    uri: str
    entries: dict[int, Notice]
    typ: str = NOTES_TYP

    def payload(self, at: int) -> bytes:
        return notes(self.entries, self.uri, at)

    def is_in(self, token: bytes, ring: KeyRing) -> Signed | None:
        found = read_notes(token, ring)
        same = found.uri == self.uri and found.entries.keys() == self.entries.keys()
        return found if same and all(found.get(index) == note for index, note in self.entries.items()) else None


def _last_position(connection: Connection[Any]) -> int:
    row = connection.execute("SELECT coalesce(max(notification_id), 0) FROM registry.events").fetchone()
    return int(row[0]) if row else 0
