"""COSE_Sign1 (RFC 9052) with Ed25519, in the one shape that certificates, status lists and notes share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from verifier import cbor
from verifier.verdict import Unverified

TAG: Final = b"\xd2"  # 18, COSE_Sign1
KID_SIZE: Final = 8
SIGNATURE_SIZE: Final = 64
_HEADER: Final = {1, 4, 16}
_ALGORITHMS: Final = (-8, -19)  # EdDSA, which we write, and the Ed25519 of RFC 9864


class Envelope(NamedTuple):
    """The parts of one COSE_Sign1; nothing in it is true before its key has checked it."""

    kid: bytes
    typ: str
    protected: bytes
    payload: bytes
    signature: bytes

    @property
    def to_be_signed(self) -> bytes:
        return to_be_signed(self.protected, self.payload)


def thumbprint(public: bytes) -> bytes:
    """The kid: 8 bytes of the key's COSE thumbprint (RFC 9679)."""
    return hashlib.sha256(b"\xa3\x01\x01\x20\x06\x21\x58\x20" + public).digest()[:KID_SIZE]


def point_thumbprint(x: bytes, y: bytes) -> bytes:
    """The kid of a P-256 key, of its COSE key {1: 2, -1: 1, -2: x, -3: y}."""
    return hashlib.sha256(b"\xa4\x01\x02\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y).digest()[:KID_SIZE]


def header(kid: bytes, typ: str) -> bytes:
    return cbor.encode({1: -8, 4: kid, 16: typ})


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """The CBOR of ["Signature1", protected, h'', payload] (RFC 9052, 4.4); the first item and the third never vary."""
    return b"\x84\x6aSignature1" + cbor.encode(protected) + b"\x40" + cbor.encode(payload)


def enclose(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    return TAG + cbor.encode([protected, {}, payload, signature])


def seal(payload: bytes, typ: str, kid: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The whole COSE_Sign1 over this payload; `sign` is the key's own signing function."""
    protected = header(kid, typ)
    return enclose(protected, payload, sign(to_be_signed(protected, payload)))


def unseal(message: bytes, *types: str) -> Envelope:
    if message[:1] != TAG:
        raise Unverified("malformed", "not a COSE_Sign1 message")
    match decoded(message[1:]):
        case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]:
            pass
        case _:
            raise Unverified("malformed", "not the four parts of a COSE_Sign1 message")
    if unprotected or len(signature) != SIGNATURE_SIZE:
        raise Unverified("malformed", "an unprotected header or a signature of another size")
    stated = decoded(protected)
    if type(stated) is not dict or stated.keys() != _HEADER:
        raise Unverified("malformed", "not the three header fields of ours")
    kid = stated[4]
    if stated[1] not in _ALGORITHMS or type(kid) is not bytes or len(kid) != KID_SIZE:
        raise Unverified("malformed", "another algorithm, or a key id of another size")
    if stated[16] not in types:
        raise Unverified("malformed", f"not of the type {' or '.join(types)}")
    return Envelope(kid, stated[16], protected, payload, signature)


def decoded(data: bytes) -> Any:
    try:
        return cbor.decode(data)
    except cbor.NotDeterministic as refused:
        raise Unverified("malformed", f"CBOR: {refused}") from None
