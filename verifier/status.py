"""Status lists (IETF Token Status List, as CWT) and the signed notes that explain them; reading and writing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from verifier import cbor, cose
from verifier.keys import KeyRing
from verifier.verdict import Condition, Notice, Unverified, iso

LIST_TYP: Final = "application/statuslist+cwt"
NOTES_TYP: Final = "iecmh-notes+cwt"
TTL: Final = 12 * 3600
LIFE: Final = 48 * 3600
CLOCKS_DIFFER: Final = 600
"""So far ahead of the reader's clock a list may be made; one made later shows that the clock is behind."""
SIZE: Final = 131_072
"""The entries of one list: enough for one certificate to hide in."""

CONDITION_OF: Final[dict[int, Condition]] = {
    0: "listed_good",
    1: "listed_revoked",
    2: "listed_suspended",
    3: "listed_superseded",
}

_LONGEST_LIST: Final = 1 << 18
_LONGEST_NOTES: Final = 1 << 23
_MOST_INFLATED: Final = 1 << 17  # SIZE entries of 8 bits
_SUB, _EXP, _IAT, _LIST, _TTL, _NOTES = 2, 4, 6, 65533, 65534, -65538
_LIST_CLAIMS: Final = {_SUB, _EXP, _IAT, _LIST, _TTL}
_NOTES_CLAIMS: Final = {_SUB, _EXP, _IAT, _TTL, _NOTES}
_WIDTHS: Final = (1, 2, 4, 8)
_NOTE: Final = 4  # reason, day, standing, association


class Signed:
    """What lists and notes have in common; `controller` says whose key signed it."""

    __slots__ = ("controller", "expires_at", "issued_at", "uri")

    def __init__(self, uri: str, issued_at: int, expires_at: int, controller: str) -> None:
        self.uri, self.issued_at, self.expires_at, self.controller = uri, issued_at, expires_at, controller

    def untimely(self, now: int) -> str:
        """Why it says nothing at this time, or nothing."""
        if now > self.expires_at:
            return f"the list is too old, its time ended {iso(self.expires_at)}"
        if self.issued_at > now + CLOCKS_DIFFER:
            return f"this device's clock is behind the list, which was made {iso(self.issued_at)}"
        return ""


class StatusList(Signed):
    __slots__ = ("bits", "packed")

    def __init__(self, signed: tuple[str, int, int, str], bits: int, packed: bytes) -> None:
        super().__init__(*signed)
        self.bits, self.packed = bits, packed

    def __getitem__(self, index: int) -> int:
        octet, place = divmod(index * self.bits, 8)
        if octet >= len(self.packed):
            raise _unknown("the list has no such entry")
        return self.packed[octet] >> place & ((1 << self.bits) - 1)


class Notes(Signed):
    __slots__ = ("entries",)

    def __init__(self, signed: tuple[str, int, int, str], entries: Mapping[int, Any]) -> None:
        super().__init__(*signed)
        self.entries = entries

    def get(self, index: int) -> Notice | None:
        match self.entries.get(index):
            case [str(reason), str(on), str(standing), str(association)]:
                return Notice(reason, on, standing, association)
        return None


def pack(statuses: Mapping[int, int], size: int = SIZE, bits: int = 2) -> bytes:
    """The bits of a list: every entry 0 but those named."""
    packed = bytearray(size * bits // 8)
    for index, status in statuses.items():
        octet, place = divmod(index * bits, 8)
        if not (0 <= index < size and 0 <= status < 1 << bits):
            raise ValueError("a status or an index that the list has no place for")
        packed[octet] |= status << place
    return bytes(packed)


def token_list(
    statuses: Mapping[int, int],
    uri: str,
    iat: int,
    *,
    exp: int | None = None,
    ttl: int = TTL,
    size: int = SIZE,
    bits: int = 2,
) -> bytes:
    """The payload of a status list; seal it with `cose.seal(payload, LIST_TYP, kid, sign)`."""
    return cbor.encode(
        {
            _SUB: uri,
            _EXP: iat + LIFE if exp is None else exp,
            _IAT: iat,
            _LIST: {"bits": bits, "lst": zlib.compress(pack(statuses, size, bits), 9)},
            _TTL: ttl,
        }
    )


def notes(entries: Mapping[int, Notice], uri: str, iat: int, *, exp: int | None = None, ttl: int = TTL) -> bytes:
    """The payload of a list's notes (`uri` ends in `.notes`); seal it with `NOTES_TYP`."""
    return cbor.encode(
        {
            _SUB: uri,
            _EXP: iat + LIFE if exp is None else exp,
            _IAT: iat,
            _TTL: ttl,
            _NOTES: {index: [note.reason, note.on, note.standing, note.association] for index, note in entries.items()},
        }
    )


def read_list(token: bytes, keys: KeyRing) -> StatusList:
    signed, claims = _open(token, keys, LIST_TYP, _LIST_CLAIMS, _LONGEST_LIST)
    match claims[_LIST]:
        case {"bits": int(bits), "lst": bytes(compressed), **rest} if not rest and bits in _WIDTHS:
            return StatusList(signed, bits, _inflate(compressed))
    raise _unknown("the list is not one of ours")


def read_notes(token: bytes, keys: KeyRing) -> Notes:
    signed, claims = _open(token, keys, NOTES_TYP, _NOTES_CLAIMS, _LONGEST_NOTES)
    if type(claims[_NOTES]) is not dict:
        raise _unknown("the notes are not ours")
    return Notes(signed, claims[_NOTES])


def _open(
    token: bytes, keys: KeyRing, typ: str, names: set[int], longest: int
) -> tuple[tuple[str, int, int, str], dict[int, Any]]:
    if len(token) > longest:
        raise _unknown("the list is longer than any of ours")
    try:
        envelope = cose.unseal(token, typ)
        key = keys.for_status(envelope.kid)
        key.check(envelope)
        claims = cose.decoded(envelope.payload)
    except Unverified as refused:
        raise _unknown(f"the list cannot be believed: {refused.why}") from None
    if key.withdrawn:
        raise _unknown("the key of the list was withdrawn")
    if type(claims) is not dict or claims.keys() != names or type(claims[_SUB]) is not str:
        raise _unknown("the list does not have the claims of ours")
    if any(type(claims[name]) is not int or claims[name] < 0 for name in (_EXP, _IAT, _TTL)):
        raise _unknown("the list does not have the claims of ours")
    return (claims[_SUB], claims[_IAT], claims[_EXP], key.controller), claims


def _inflate(compressed: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        packed = inflater.decompress(compressed, _MOST_INFLATED + 1)
    except zlib.error:
        raise _unknown("the list cannot be inflated") from None
    if not inflater.eof or inflater.unused_data or len(packed) > _MOST_INFLATED:
        raise _unknown("the list is cut short, too long or followed by something")
    return packed


def _unknown(why: str) -> Unverified:
    return Unverified("status_unknown", why)


_AnyList = TypeVar("_AnyList", bound=Signed)
Source = Callable[[str], Sequence[bytes]]
"""Gives the lists or the notes at an address, if any; the same objects as long as they are the same."""


class Statuses:
    """Current status: lists and notes by their address, the newest of those that can be believed.

    Each is checked once, and again when its bytes or the keys change.
    """

    def __init__(self, *sources: Source) -> None:
        self._sources = sources
        self._read: dict[str, tuple[list[Sequence[bytes]], KeyRing, Signed]] = {}

    def list_at(self, uri: str, keys: KeyRing) -> StatusList:
        return self.get(uri, keys, read_list)

    def notes_of(self, uri: str, keys: KeyRing) -> Notes | None:
        """The notes of the list at `uri`, or None: they explain, they decide nothing."""
        try:
            return self.get(f"{uri}.notes", keys, read_notes)
        except Unverified:
            return None

    def get(self, uri: str, keys: KeyRing, read: Callable[[bytes, KeyRing], _AnyList]) -> _AnyList:
        """The newest list at this address that `read` believes. Raises Unverified if there is none."""
        found = [source(uri) for source in self._sources]
        known = self._read.get(uri)
        if known is not None and known[1] is keys and known[0] == found:
            return cast("_AnyList", known[2])  # an address has lists of one kind
        newest: _AnyList | None = None
        refused = _unknown("there is no list to look it up in")
        for token in chain.from_iterable(found):
            try:
                signed = read(token, keys)
            except Unverified as why:
                refused = why
                continue
            if signed.uri != uri:
                refused = _unknown("the list is another one than the certificate names")
            elif newest is None or signed.issued_at > newest.issued_at:
                newest = signed
        if newest is None:
            raise refused
        self._read[uri] = found, keys, newest
        return newest


def tokens(at_hand: Iterable[bytes]) -> Source:
    """Lists and notes at hand, each found by the address it states."""
    by_uri: dict[str, list[bytes]] = {}
    for token in at_hand:
        by_uri.setdefault(_stated_uri(token), []).append(token)
    return lambda uri: by_uri.get(uri, ())


def _stated_uri(token: bytes) -> str:
    """What a list says it is; only a way to find it, it is checked when it is read."""
    if token[:1] != cose.TAG:
        from verifier import bitstring  # noqa: PLC0415 - it is built on this module, and few give such a file

        return bitstring.stated_uri(token)
    try:
        match cose.decoded(token[1:]):
            case [bytes(), dict(), bytes(payload), bytes()]:
                match cose.decoded(payload):
                    case {2: str(uri)}:
                        return uri
    except Unverified:
        pass
    return ""


_PATH: Final = re.compile(
    r"https://[^/?#]+/(s/[1-9][0-9]{0,8}(?:\.notes)?|status/revocation/[1-9][0-9]{0,8})", re.ASCII
)


def folder(static: Path) -> Source:
    """A registry's static plane: the file `s/N` for `https://HOST/s/N`, read again when it changes.

    A Bitstring list is there twice: the JWT is read where there is no JSON.
    """
    held: dict[str, tuple[tuple[int, int, int], bytes]] = {}

    def load(name: str) -> Sequence[bytes]:
        path = static / name
        try:
            stat = path.stat()
            stamp = stat.st_mtime_ns, stat.st_size, stat.st_ino
            if name not in held or held[name][0] != stamp:
                if stat.st_size > _LONGEST_NOTES:
                    return ()
                held[name] = stamp, path.read_bytes()
        except OSError:
            return ()
        return (held[name][1],)

    def at(uri: str) -> Sequence[bytes]:
        place = _PATH.fullmatch(uri)
        if place is None:
            return ()
        name = place[1]
        return load(name) or (load(f"{name}.jwt") if name.startswith("status/") else ())

    return at
