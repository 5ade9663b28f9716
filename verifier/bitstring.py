"""Bitstring status lists (W3C), for badges: one bit for each entry of the token list, 1 once it is revoked for good."""

from __future__ import annotations

import binascii
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from verifier import credential
from verifier.keys import KeyRing
from verifier.status import Signed
from verifier.verdict import Unverified

LONGEST: Final = 1 << 18
LEAST_INFLATED: Final = 1 << 14
"""131,072 entries, the least that the standard allows: enough to hide in."""
_MOST_INFLATED: Final = 1 << 17
_TYPES: Final = ["VerifiableCredential", "BitstringStatusListCredential"]
_MEMBERS: Final = {"@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject"}
_LIST: Final = {"id", "type", "statusPurpose", "encodedList"}
_GZIP: Final = 31  # of zlib: a gzip header and nothing else


class BitList(Signed):
    __slots__ = ("packed",)

    def __init__(self, signed: tuple[str, int, int, str], packed: bytes) -> None:
        super().__init__(*signed)
        self.packed = packed

    def __getitem__(self, index: int) -> bool:
        octet, place = divmod(index, 8)
        if octet >= len(self.packed):
            raise _unknown("the list has no such entry")
        return bool(self.packed[octet] >> (7 - place) & 1)  # the first entry is the highest bit


def read(token: bytes, keys: KeyRing) -> BitList:
    """A list as JSON or as JWT. Raises Unverified, with `status_unknown`, for what cannot be believed."""
    if len(token) > LONGEST:
        raise _unknown("the list is longer than any of ours")
    try:
        received = credential.unseal(token)
        key = received.key(keys)
        received.signed.check(key)
    except Unverified as refused:
        raise _unknown(f"the list cannot be believed: {refused.why}") from None
    if key.withdrawn:
        raise _unknown("the key of the list was withdrawn")
    if key.controller != received.issuer:
        raise _unknown("the list names another issuer than its key has")
    document = received.document
    if document.get("@context") != [credential.VC_CONTEXT] or document.get("type") != _TYPES:
        raise _unknown("the list is not one of ours")
    subject = document["credentialSubject"] if document.keys() == _MEMBERS else None
    if type(subject) is not dict or not _LIST <= subject.keys() <= _LIST | {"ttl"}:
        raise _unknown("the list is not one of ours")
    if (subject["type"], subject["statusPurpose"]) != ("BitstringStatusList", "revocation"):
        raise _unknown("the list is of another purpose")
    uri, packed = document["id"], _inflate(subject["encodedList"])
    if type(uri) is not str:
        raise _unknown("the list is not one of ours")
    return BitList((uri, received.begins, received.ends, key.controller), packed)


def stated_uri(token: bytes) -> str:
    """What a list says it is; only a way to find it, it is checked when it is read."""
    try:
        stated = credential.unseal(token).document.get("id") if len(token) <= LONGEST else None
    except Unverified:
        return ""
    return stated if type(stated) is str else ""


def encoded(packed: bytes) -> str:
    """The `encodedList` of these bits: gzip, in Multibase base64url."""
    packer = zlib.compressobj(9, wbits=_GZIP)
    return "u" + urlsafe_b64encode(packer.compress(packed) + packer.flush()).rstrip(b"=").decode()


def _inflate(encoded: Any) -> bytes:
    if type(encoded) is not str or encoded[:1] != "u":
        raise _unknown("the list is not in base64url")
    try:
        compressed = urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4))
    except (binascii.Error, ValueError):
        raise _unknown("the list is not in base64url") from None
    inflater = zlib.decompressobj(wbits=_GZIP)
    try:
        packed = inflater.decompress(compressed, _MOST_INFLATED + 1)
    except zlib.error:
        raise _unknown("the list cannot be inflated") from None
    if not inflater.eof or inflater.unused_data or not LEAST_INFLATED <= len(packed) <= _MOST_INFLATED:
        raise _unknown("the list is cut short, too short, too long or followed by something")
    return packed


def _unknown(why: str) -> Unverified:
    return Unverified("status_unknown", why)
