"""Signed JSON documents: W3C Data Integrity proofs of the suite eddsa-jcs-2022, read in one strict shape; and written.

The proof covers the RFC 8785 form of the whole document, so no reader can take it for another one. A document may also
carry a proof of eddsa-rdfc-2022: that one is for others and is not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

from verifier import multibase, strictjson
from verifier.keys import Key
from verifier.verdict import Unverified

JCS: Final = "eddsa-jcs-2022"
RDFC: Final = "eddsa-rdfc-2022"
_TYPE: Final = "DataIntegrityProof"
_PURPOSE: Final = "assertionMethod"
_SIGNATURE: Final = 64
_OPTIONS: Final = {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue"}
_MORE: Final = {"@context", "expires"}
LONGEST: Final = strictjson.LONGEST
_DEEPEST: Final = 16
_WHOLE: Final = 1 << 53  # RFC 8785 knows no larger numbers
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)

_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


class Signed(NamedTuple):
    """A document as received: in our shape, and nothing more until its key has checked it. Times in seconds."""

    document: Mapping[str, Any]
    """Without its proofs."""
    key: str
    """The DID URL of the key that its proof names."""
    created: int
    expires: int | None
    signature: bytes
    to_be_signed: bytes

    def check(self, key: Key) -> None:
        key.holds(self.signature, self.to_be_signed)


def canonical(value: Any) -> bytes:
    """The RFC 8785 form of what `well_formed` lets through."""
    return _encode(value).encode()


def unseal(content: bytes) -> Signed:
    """Refuses as malformed what is not a JSON object with exactly one proof of ours, and one of RDFC at most."""
    document = read(content)
    given = document.pop("proof", None)
    proofs = given if type(given) is list else [given]
    ours = [proof for proof in proofs if type(proof) is dict and proof.get("cryptosuite") == JCS]
    others = [proof for proof in proofs if type(proof) is dict and proof.get("cryptosuite") == RDFC]
    if len(ours) != 1 or len(others) > 1 or len(ours) + len(others) != len(proofs):
        raise Unverified("malformed", f"it must have one proof {JCS}, and none of a kind that we do not write")
    return _signed(document, ours[0])


def read(content: bytes) -> dict[str, Any]:
    """The JSON object, in which every reader sees the same members."""
    try:
        document = strictjson.loads(content)
    except strictjson.NotStrict as refused:
        raise Unverified("malformed", f"JSON: {refused}") from None
    if type(document) is not dict:
        raise Unverified("malformed", "not a JSON object")
    well_formed(document)
    return document


def well_formed(document: Mapping[str, Any]) -> None:
    """Refuses names that a reader of JSON-LD takes for other names, and what RFC 8785 could write in two ways.

    `"https://www.w3.org/2018/credentials#validUntil"` means `validUntil` to some readers and nothing to others.
    """
    for name, value in document.items():
        if name == "@context":
            if type(value) is not list or not all(type(one) is str for one in value):
                raise Unverified("malformed", "an @context that is not a list of addresses")
            continue
        if name != "proof":
            _plain({name: value}, _DEEPEST)
            continue
        for proof in value if type(value) is list else [value]:
            if type(proof) is not dict:
                raise Unverified("malformed", "a proof that is not an object")
            _plain({of: option for of, option in proof.items() if of != "@context"}, _DEEPEST)
            if proof.get("@context", document.get("@context")) != document.get("@context"):
                raise Unverified("malformed", "a proof of another @context than the document's")


def _plain(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if depth == 0:
        raise Unverified("malformed", "nested too deep")
    if kind is dict:
        for name, member in value.items():
            if ":" in name or name[:1] == "@" or not name.isascii():
                raise Unverified("malformed", f"a member that is not in compacted form: {name[:80]!r}")
            if type(member) is not str:
                _plain(member, depth - 1)
    elif kind is list:
        for member in value:
            _plain(member, depth - 1)
    elif kind is not int or not -_WHOLE < value < _WHOLE:
        raise Unverified("malformed", "a number that is not whole, or too large")


def _signed(document: dict[str, Any], proof: dict[str, Any]) -> Signed:
    if not _OPTIONS <= proof.keys() <= _OPTIONS | _MORE:
        raise Unverified("malformed", "a proof with other members than ours")
    options = dict(proof)
    value, name = options.pop("proofValue"), options["verificationMethod"]
    if options["type"] != _TYPE or options["proofPurpose"] != _PURPOSE:
        raise Unverified("malformed", f"a proof of another type, or of another purpose than {_PURPOSE}")
    signature = multibase.decode(value, _SIGNATURE) if type(value) is str else None
    if signature is None or type(name) is not str:
        raise Unverified("malformed", "a proof without a signature, or without the name of its key")
    created = seconds(options["created"])
    expires = seconds(options["expires"]) if "expires" in options else None
    if expires is not None and expires < created:
        raise Unverified("malformed", "a proof that ended before it was made")
    return Signed(document, name, created, expires, signature, to_be_signed(document, options))


def to_be_signed(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """The suite's hash data (vc-di-eddsa, 3.3.4): first of the proof without its value, then of the document."""
    return sha256(canonical(options)).digest() + sha256(canonical(document)).digest()


def prove(document: Mapping[str, Any], key: str, created: int, sign: Callable[[bytes], bytes]) -> dict[str, Any]:
    """The proof of a document that has none: a pure function of it, the key's DID URL and a time in seconds.

    The suite puts the document's @context into the proof as well, where there is one.
    """
    well_formed(document)
    options = {
        **({"@context": document["@context"]} if "@context" in document else {}),
        "type": _TYPE,
        "cryptosuite": JCS,
        "created": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": key,
        "proofPurpose": _PURPOSE,
    }
    return {**options, "proofValue": multibase.encode(sign(to_be_signed(document, options)))}


def seconds(time: Any) -> int:
    """An instant in its one spelling, `2026-11-22T12:00:00Z`, in seconds."""
    try:
        if type(time) is str and _TIME.fullmatch(time):
            return int(datetime.fromisoformat(time).timestamp())
    except ValueError:
        pass
    raise Unverified("malformed", "a time that is not written like 2026-11-22T12:00:00Z")
