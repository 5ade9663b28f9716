"""The revocation list of badges (W3C Bitstring Status List): as a credential with both proofs, and as a JWT.

It knows one thing: revoked, and for good. What may come back is told apart by the token list (`s/N`), which has the
same places.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from gzip import BadGzipFile, compress
from typing import Any, Final
from zlib import MAX_WBITS, decompressobj, error

import msgspec

from registry.certificates import badge
from registry.certificates.badge import CREDENTIALS, instant
from registry.certificates.keys import Signer
from registry.certificates.slots import SLOTS
from verifier import integrity
from verifier.keys import Key
from verifier.status import LIFE, TTL
from verifier.verdict import Unverified

PURPOSE: Final = "revocation"

_BYTES: Final = SLOTS // 8


def document(revoked: Iterable[int], address: str, issuer: str, at: int) -> dict[str, Any]:
    """The list at a time in seconds; `issuer` is that of the badges, or software of others refuses it."""
    return {
        "@context": [CREDENTIALS],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": instant(datetime.fromtimestamp(at, UTC)),
        "validUntil": instant(datetime.fromtimestamp(at + LIFE, UTC)),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": PURPOSE,
            "ttl": TTL * 1000,
            "encodedList": encode(bits(revoked)),
        },
    }


def sign(unsigned: dict[str, Any], signer: Signer) -> bytes:
    from registry.certificates import rdf  # noqa: PLC0415 # its library takes long to load

    return badge.sign(unsigned, signer, rdf.digest)


def bits(revoked: Iterable[int]) -> bytes:
    """Place 0 is the left-most bit."""
    octets = bytearray(_BYTES)
    for place in revoked:
        octets[place >> 3] |= 0x80 >> (place & 7)
    return bytes(octets)


def encode(octets: bytes) -> str:
    return "u" + urlsafe_b64encode(compress(octets, mtime=0)).rstrip(b"=").decode()


def decode(encoded: str) -> bytes:
    """The bits of a list of ours; nothing for anything else."""
    try:
        packed = urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4))
        return decompressobj(16 + MAX_WBITS).decompress(packed, _BYTES + 1)
    except (ValueError, error, BadGzipFile):
        return b""


def made_at(content: bytes, revoked: Iterable[int], address: str, key: Key) -> int | None:
    """When this list was signed by this key, as JSON or as JWT, with these places; None if it was not."""
    try:
        unsigned, made = _opened_jwt(content, key) if key.use == "jwt" else _opened(content, key)
        subject = unsigned["credentialSubject"]
        same = unsigned["id"] == address and decode(subject["encodedList"]) == bits(revoked)
    except (Unverified, msgspec.DecodeError, ValueError, KeyError, TypeError):
        return None
    return made if same else None


def _opened(content: bytes, key: Key) -> tuple[Any, int]:
    received = integrity.unseal(content)
    received.check(key)
    return received.document, received.created


def _opened_jwt(content: bytes, key: Key) -> tuple[Any, int]:
    signed, _, signature = content.rpartition(b".")
    key.holds(urlsafe_b64decode(signature + b"=="), signed)
    payload = msgspec.json.decode(urlsafe_b64decode(signed.partition(b".")[2] + b"=="))
    return payload, payload["nbf"]
