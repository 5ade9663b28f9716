"""Publishes the static plane: files that any web server can hand out, from which everything can be verified."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from psycopg import Connection

import verifier.page
from domain.key import KeyUse
from registry.certificates import achievements, badge, bitstring, documents, profiles, status
from registry.certificates.documents import KnownKeys, log_origin
from registry.certificates.keys import KeyFolder, KeysUnusable, Signer, controller, trusted
from registry.certificates.status import Statuses, read
from registry.log.publish import Behind, Cosigned, Overtaken, Pending, Publisher
from registry.log.published import KEYS, WITNESSES
from registry.log.tiles import Disk, Files
from registry.log.witnesses import Witnesses
from registry.settings import WitnessAddress
from verifier import cose
from verifier.keys import KeyRing, read_keys_json
from verifier.proof import vkey
from verifier.status import LIST_TYP, NOTES_TYP, TTL, notes, pack, read_list, read_notes, token_list
from verifier.verdict import Notice, Unverified

PAGE: Final = Path(cose.__file__).parent / "page" / "index.html"
"""The verify page."""

WORKER: Final = PAGE.with_name("worker.js")
"""Its service worker, with which it works without a connection."""

_BADGES: Final = "status/revocation"

_TOPICS: Final = (*status.TOPICS, *documents.TOPICS, *profiles.TOPICS)


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
        self._profiles = profiles.Profiles()
        self._stale: set[str] = set()
        self._signed: dict[str, tuple[str, int]] = {}  # file -> kid and time of its signature
        self._in_kit = b""  # the keys it was made with
        self._achievements = achievements.files(host)

    @property
    def known(self) -> KnownKeys:
        """Our keys, as the log has them up to what was published last."""
        return self._known

    def publish(self, connection: Connection[Any], now: datetime) -> Published:
        """Tiles, lists, keys, and the checkpoint last: a reader who sees it finds all it covers.

        The witnesses are asked before anything but tiles goes out: where one has seen another history, nothing does.
        Raises KeysUnusable, RolledBack, Damaged; Overtaken while another publisher is at work: try again.
        """
        begun = time.monotonic()
        self._static.mkdir(parents=True, exist_ok=True)
        self._advance(connection, _last_position(connection))
        self._take_up_keys()
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
            written = self._put_lists(status_signer, now) + self._put_badge_lists(now)
            self._put_documents(log_signer)
            self._files.settle()
            self._put_kit(lists_changed=bool(written))
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
        self._profiles.advance(row for row in rows if row[2] in profiles.TOPICS)
        self._statuses.advance((row for row in rows if row[2] in status.TOPICS), last)
        lists, all_notes, badges = self._statuses.take_stale()
        self._stale |= {f"s/{number}" for number in lists} | {f"s/{number}.notes" for number in all_notes}
        self._stale |= {f"{_BADGES}/{number}{end}" for number in badges for end in ("", ".jwt")}

    def _take_up_keys(self) -> None:
        """Keys that the log knows and that a killed rotation could not take up."""
        for facts in self._keys.prepared():
            if self._known.get(facts.kid):
                self._keys.take_up(facts.kid)

    def _signer(self, use: KeyUse, now: datetime) -> Signer:
        signer = self._known.signer(self._keys, use, now)
        if signer.controller != controller(use, self._host):
            raise KeysUnusable(f"the {use} key {signer.kid} is of {signer.controller}; this host is {self._host}")
        return signer

    def _publisher(self, signer: Signer) -> Publisher:
        origin = log_origin(self._host)
        ring = read_keys_json(self._known.keys_json(self._host, self._qr_host, signer.public))
        former = [vkey(origin, key.public) for key in ring if key.use == "log" and key.public != signer.public]
        return Publisher(self._static, origin, signer, former=former, disk=self._disk, witnesses=self._witnesses)

    def _put_lists(self, signer: Signer, now: datetime) -> list[str]:
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

    def _put_badge_lists(self, now: datetime) -> list[str]:
        """The same for badges. Without a key that may sign, what is there stays: the token lists do not wait for it."""
        at = int(now.timestamp())
        written: list[str] = []
        issuer = controller("certificate", self._host)
        ways: tuple[tuple[KeyUse, str], ...] = (("certificate", ""), ("jwt", ".jwt"))
        for use, end in ways:
            try:
                signer = self._signer(use, now)
            except KeysUnusable:
                continue
            ring = KeyRing([trusted(signer, use)])
            for number in range(1, self._statuses.lists + 1):
                name = f"{_BADGES}/{number}{end}"
                if self._is_due(name, signer, at):
                    address = f"https://{self._host}/{_BADGES}/{number}"
                    sheet = _Badges(address, issuer, self._statuses.badges_revoked(number))
                    written += self._put(name, sheet, signer, ring, at)
        return written

    def _is_due(self, name: str, signer: Signer, at: int) -> bool:
        kid, signed_at = self._signed.get(name, ("", 0))
        return name in self._stale or kid != signer.kid or at - signed_at >= TTL

    def _put(self, name: str, sheet: "_Sheet", signer: Signer, ring: KeyRing, at: int) -> list[str]:
        signed_at = None if name in self._signed else self._signed_before(name, sheet, ring, at)
        if signed_at is None:
            content = sheet.sign(signer, at)
            if sheet.made_at(content, ring) != at:
                raise AssertionError("a list reads back as something else than was written")
            self._files.put(name, content)
        self._signed[name] = signer.kid, signed_at or at
        self._stale.discard(name)
        return [name] if signed_at is None else []

    def _signed_before(self, name: str, sheet: "_Sheet", ring: KeyRing, at: int) -> int | None:
        """When this very list was signed by an earlier run of this program; None if it was not, or long ago."""
        try:
            made = sheet.made_at((self._static / name).read_bytes(), ring)
        except (OSError, Unverified):
            return None
        return made if made is not None and at - TTL < made <= at else None

    def _put_documents(self, log_signer: Signer) -> None:
        self._files.put(".well-known/did.json", self._known.did("certificate", self._host))
        self._files.put("status/did.json", self._known.did("status", self._host))
        vkeys = self._witnesses.vkeys or self._published_witnesses()
        self._files.put(KEYS, self._known.keys_json(self._host, self._qr_host, log_signer.public, vkeys))
        self._files.put(WITNESSES, "".join(f"{vkey}\n" for vkey in vkeys).encode())
        for name, content in (self._achievements | self._profiles.take_stale(self._host)).items():
            self._files.put(name, content)
        if PAGE.is_file():  # made at set-up
            page = PAGE.read_bytes()
            for name in ("v1", "v1.html"):
                self._files.put(name, page)
            self._files.put("v1-worker.js", WORKER.read_bytes())

    def _published_witnesses(self) -> tuple[str, ...]:
        """Whoever publishes by hand may know of no witness; what those saw is still what outlives a stolen key."""
        file = self._static / WITNESSES
        return tuple(file.read_text().splitlines()) if file.is_file() else ()

    def _put_kit(self, *, lists_changed: bool) -> None:
        """The page with the keys and all lists in one file, for where there is no connection."""
        keys = (self._static / KEYS).read_bytes()
        if not PAGE.is_file() or (keys == self._in_kit and not lists_changed):
            return
        signed = {name: at for name, (_, at) in self._signed.items() if name.startswith("s/")}
        lists = {f"/{name}": (self._static / name).read_bytes() for name in sorted(signed)}
        self._files.put("kit.html", verifier.page.kit(keys, lists, max(signed.values())))
        self._files.settle()
        self._in_kit = keys


class _Sheet(Protocol):
    """What is signed again while it stays the same."""

    def sign(self, signer: Signer, at: int, /) -> bytes: ...

    def made_at(self, content: bytes, ring: KeyRing, /) -> int | None:
        """When this very sheet was made; None if the content is another. Raises Unverified."""


class _List(NamedTuple):
    uri: str
    statuses: dict[int, int]

    def sign(self, signer: Signer, at: int) -> bytes:
        return cose.seal(token_list(self.statuses, self.uri, at), LIST_TYP, bytes.fromhex(signer.kid), signer.sign)

    def made_at(self, content: bytes, ring: KeyRing) -> int | None:
        found = read_list(content, ring)
        return found.issued_at if (found.uri, found.packed) == (self.uri, pack(self.statuses)) else None


class _Notes(NamedTuple):
    uri: str
    entries: dict[int, Notice]

    def sign(self, signer: Signer, at: int) -> bytes:
        return cose.seal(notes(self.entries, self.uri, at), NOTES_TYP, bytes.fromhex(signer.kid), signer.sign)

    def made_at(self, content: bytes, ring: KeyRing) -> int | None:
        found = read_notes(content, ring)
        same = found.uri == self.uri and found.entries.keys() == self.entries.keys()
        same = same and all(found.get(index) == note for index, note in self.entries.items())
        return found.issued_at if same else None


class _Badges(NamedTuple):
    """Signed by a certificate key it is JSON with proofs, by a key for JWTs a JWT."""

    address: str
    issuer: str
    revoked: set[int]

    def sign(self, signer: Signer, at: int) -> bytes:
        unsigned = bitstring.document(self.revoked, self.address, self.issuer, at)
        return badge.jwt(unsigned, signer) if signer.use == "jwt" else bitstring.sign(unsigned, signer)

    def made_at(self, content: bytes, ring: KeyRing) -> int | None:
        (key,) = ring
        return bitstring.made_at(content, self.revoked, self.address, key)


def _last_position(connection: Connection[Any]) -> int:
    row = connection.execute("SELECT coalesce(max(notification_id), 0) FROM registry.events").fetchone()
    return int(row[0]) if row else 0
