"""What binds the printed name to a log proof: the event that recorded it, in the log too, and its commitment opened."""

from __future__ import annotations

import binascii
import json
import unicodedata
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from verifier import proof, strictjson
from verifier.proof import Checkpoint
from verifier.verdict import Unverified

_BLIND: Final = 16
_HASH: Final = 32
_MOST_HASHES: Final = 63
_TOPICS: Final = ("person.registered", "person.renamed")


def lines(preimage: bytes, hashes: Sequence[bytes], blind: str, value: str) -> bytes:
    """The lines of the extra data that bind a name; `value`: as it was recorded, `blind` as the vault gives it."""
    said = {"blind": blind, "hashes": [_b64(node) for node in hashes], "value": value}
    return preimage + b"\n" + json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def as_printed(value: str) -> str:
    """A recorded name as paper states it where it has the room."""
    return unicodedata.normalize("NFC", " ".join(value.split()))


def check(more: bytes, name: str, issued: Mapping[str, Any], checkpoint: Checkpoint) -> None:
    """The event that `issued` (the state of `certificate.issued`) says the name is of recorded this very name.

    Raises Unverified.
    """
    preimage, _, last = more.partition(b"\n")
    event = proof.event_in(preimage)
    position, stream, version, topic, _ = event.entry
    blind, hashes, value = _opening(last)
    sealed = event.state.get("name")
    if type(sealed) is not dict or type(sealed.get("h")) is not str:
        raise Unverified("malformed", "the event that recorded the name has no sealed name")
    if topic not in _TOPICS or (stream, version) != (issued.get("person"), issued.get("person_version")):
        raise Unverified("tampered", "the proof of the name is of another event than the certificate's names")
    proof.check_event(preimage, position - 1, hashes, checkpoint)
    if _b64url(commitment(blind, stream, version, "name", value)) != sealed["h"] or as_printed(value) != name:
        raise Unverified("tampered", "the log has another name for this certificate than it states")


def commitment(blind: bytes, stream: str, version: int, field: str, value: str) -> bytes:
    """Of a sealed field: SHA-256 over five parts, each after its length (section 7 of the format)."""
    parts = (blind, stream.encode(), str(version).encode(), field.encode(), value.encode())
    return sha256(b"".join(len(part).to_bytes(4) + part for part in parts)).digest()


def _opening(line: bytes) -> tuple[bytes, list[bytes], str]:
    try:
        match strictjson.loads(line):
            case {"blind": str(blind), "hashes": list(hashes), "value": str(value), **more} if not more:
                opened = urlsafe_b64decode(blind + "=" * (-len(blind) % 4))
                nodes = [b64decode(node, validate=True) for node in hashes if type(node) is str]
                whole = len(nodes) == len(hashes) <= _MOST_HASHES and all(len(node) == _HASH for node in nodes)
                if len(opened) == _BLIND and whole:
                    return opened, nodes, value
    except (strictjson.NotStrict, binascii.Error, ValueError):
        pass
    raise Unverified("malformed", "the proof of the name cannot be read")


def _b64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _b64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
