"""Do the published lists of badges say what the events say? Part of fsck: own reading of JSON and JWT.

Of the two proofs of the JSON the one of eddsa-jcs-2022 is checked; the other needs software for RDF.
"""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from registry.log.fsck_keys import Keys, from_base58
from registry.log.fsck_lists import PLACES, SPENT, Counts, Unreadable

FOLDER: Final = "status/revocation"
JWT: Final = ".jwt"

_SIGNATURE: Final = 64
_WORDS: Final = ("good", "revoked", "suspended", "superseded")


def bits(data: bytes, end: str) -> bytes:
    """The bits of a list, as JSON or as JWT, whoever signed it; nothing if there are none."""
    try:
        return _bits(_payload(data)[0] if end else _object(data))
    except (ValueError, LookupError, TypeError, AttributeError, zlib.error, RecursionError):
        return b""


def read(data: bytes, number: int, end: str, host: str, keys: Keys) -> None:
    """Whether this is the registry's own list of this number. Raises Unreadable."""
    issuer, address = f"did:web:{host}", f"https://{host}/{FOLDER}/{number}"
    try:
        document = _opened_jwt(data, issuer, keys) if end else _opened(data, issuer, keys)
        subject = document["credentialSubject"]
        named = (document["id"], subject["id"], subject["type"], subject["statusPurpose"], document["issuer"])
        if named != (address, f"{address}#list", "BitstringStatusList", "revocation", issuer):
            raise Unreadable("it is another list")
        if len(_bits(document)) != PLACES // 8:
            raise Unreadable("it has not the size of our lists")
    except InvalidSignature:
        raise Unreadable("its signature fails") from None
    except (LookupError, TypeError, AttributeError, OverflowError, zlib.error, RecursionError):
        raise Unreadable("it is no list") from None
    except ValueError as error:
        raise error if isinstance(error, Unreadable) else Unreadable("it is no list") from None


def _bits(document: Any) -> bytes:
    encoded = document["credentialSubject"]["encodedList"]
    if not encoded.startswith("u"):
        raise ValueError("this is not base64url")
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(_base64url(encoded[1:]), PLACES // 8 + 1)


def _opened(data: bytes, issuer: str, keys: Keys) -> Any:
    document = _object(data)
    proofs = document.pop("proof")
    (proof,) = (one for one in proofs if one["cryptosuite"] == "eddsa-jcs-2022")
    value = proof.pop("proofValue")
    public = keys.find("certificate", proof["verificationMethod"], issuer, _made(document))
    if public is None or proof["proofPurpose"] != "assertionMethod":
        raise Unreadable("no certificate key of this registry signed it")
    signed = sha256(rfc8785.dumps(proof)).digest() + sha256(rfc8785.dumps(document)).digest()
    Ed25519PublicKey.from_public_bytes(public).verify(from_base58(value, _SIGNATURE), signed)
    return document


def _opened_jwt(data: bytes, issuer: str, keys: Keys) -> Any:
    payload, header, signed, two = _payload(data)
    public = keys.find("jwt", header["kid"], issuer, _made(payload))
    if public is None or header["alg"] != "ES256":
        raise Unreadable("no JWT key of this registry signed it")
    if len(two) != _SIGNATURE:
        raise InvalidSignature
    der = encode_dss_signature(int.from_bytes(two[:32]), int.from_bytes(two[32:]))
    EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public).verify(der, signed, ECDSA(SHA256()))
    if (payload["iss"], payload["jti"]) != (payload["issuer"], payload["id"]):
        raise Unreadable("its claims are not those of its document")
    return payload


def _payload(data: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """What the JWT says, its header, what was signed, and the signature."""
    signed, _, signature = data.rpartition(b".")
    header, payload = (_object(_base64url(part.decode())) for part in signed.split(b"."))
    return payload, header, signed, _base64url(signature.decode())


def _made(document: dict[str, Any]) -> datetime:
    made = datetime.fromisoformat(document["validFrom"])
    if made.tzinfo is None:
        raise ValueError("a time without its zone")
    return made


def _object(data: bytes) -> dict[str, Any]:
    """A JSON object, in which every reader sees the same members."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a member twice")
        return dict(pairs)

    document = json.loads(data, object_pairs_hook=members)
    if not isinstance(document, dict):
        raise TypeError("not an object")
    return document


def _base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --- what the bits say ---


def ones(octets: bytes) -> int:
    return int.from_bytes(octets).bit_count()


def spent(counts: Counts) -> int:
    return sum(times for status, times in counts.items() if status >= SPENT)


def agree(one: bytes, other: bytes) -> bool:
    """Whether they are the same list; one may be that of an earlier event, for nothing goes back."""
    both = int.from_bytes(one) & int.from_bytes(other)
    return both.bit_count() == min(ones(one), ones(other))


def apart(octets: bytes, packed: bytes, number: int, counts: Counts) -> str:
    """What of a list of badges doesn't fit the token list of the same number; both agree with the events by count."""
    found = list(_pairs(octets, packed))
    pairs = Counter((status, bit) for _, status, bit in found)
    wrong = []
    for status, bit in ((1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 1), (3, 1)):
        revoked = counts.get(SPENT + status, 0)
        expected = revoked if bit else counts.get(status, 0) - revoked
        if pairs[status, bit] > expected:
            where = ""
            if expected == 0:
                place = next(place for place, *pair in found if pair == [status, bit])
                where = f" (the first is {place})"
            said = "revoked" if bit else "not revoked"
            wrong.append(
                f"of its places {pairs[status, bit]} {_WORDS[status]} in s/{number} {said} here{where};"
                f" by the events {expected}"
            )
    return ", ".join(wrong)


def _pairs(octets: bytes, packed: bytes) -> Iterator[tuple[int, int, int]]:
    """Place, token status and bit, where one of them is not 0. The first place: the lowest bits there, the highest
    bit here.
    """
    for at, four in enumerate(packed):
        eight = octets[at >> 1] << 4 * (at & 1) & 0xF0
        if four or eight:
            for place in range(4):
                status, bit = four >> 2 * place & 3, eight >> 7 - place & 1
                if status or bit:
                    yield 4 * at + place, status, bit
