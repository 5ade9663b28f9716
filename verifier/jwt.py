"""A JSON Web Token in compact form, signed ES256 by a key that we know: nothing in its header brings a key along."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from verifier import integrity
from verifier.keys import Key
from verifier.verdict import Unverified

ALGORITHM: Final = "ES256"
_HEADER: Final = {"alg", "kid"}
_TYPES: Final = {"JWT", "vc+jwt"}  # of those who write one: Open Badges 3.0 and VC-JOSE-COSE differ, so we write none
_SIGNATURE: Final = 64
_PARTS: Final = 3


class Token(NamedTuple):
    """As received: in our shape, and nothing more until its key has checked it."""

    claims: Mapping[str, Any]
    key: str
    """The DID URL of the key that its header names."""
    signature: bytes
    to_be_signed: bytes

    def check(self, key: Key) -> None:
        key.holds(self.signature, self.to_be_signed)


def unseal(text: str) -> Token:
    """Refuses as malformed any header but `alg`, `kid` and a `typ`; so `crit`, `jwk`, `jku`, `x5c` and the rest too."""
    parts = text.split(".")
    if len(parts) != _PARTS or not text.isascii():
        raise Unverified("malformed", "not the three parts of a JWT")
    header, claims, signature = map(_bytes, parts)
    stated = integrity.read(header)
    if stated.get("alg") != ALGORITHM:
        raise Unverified("malformed", f"a JWT of another algorithm than {ALGORITHM}")
    if stated.keys() - {"typ"} != _HEADER or stated.get("typ", "JWT") not in _TYPES or type(stated["kid"]) is not str:
        raise Unverified("malformed", "a JWT with another header than ours")
    if len(signature) != _SIGNATURE:
        raise Unverified("malformed", "a JWT with a signature of another size")
    return Token(integrity.read(claims), stated["kid"], signature, f"{parts[0]}.{parts[1]}".encode())


def seal(claims: Mapping[str, Any], key: str, sign: Callable[[bytes], bytes]) -> str:
    """The token of these claims; `sign` gives r and s of ES256, 32 bytes each."""
    parts = [_text(integrity.canonical(part)) for part in ({"alg": ALGORITHM, "kid": key}, claims)]
    return ".".join([*parts, _text(sign(".".join(parts).encode()))])


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        data = b""
    if _text(data) != text:  # one value, one spelling
        raise Unverified("malformed", "a part of a JWT that is not base64url in its one spelling")
    return data
