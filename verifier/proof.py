"""What the log proves: RFC 9162 hashes and proofs, signed and cosigned checkpoints, proof files (C2SP)."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verifier import strictjson
from verifier.verdict import Unverified

_HASH: Final = 32
_ED25519: Final = b"\x01"  # C2SP signed-note, signature type identifier
_COSIGNATURE: Final = b"\x04"  # the same: timestamped Ed25519, C2SP tlog-cosignature
_TIMESTAMP: Final = 8
_ID: Final = 4
_MOST_HASHES: Final = 63  # a size is below 2^63
_MOST_SIGNATURES: Final = 64  # a verifier must take 16
_MOST_CHARACTERS: Final = 1 << 20
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_MAGIC: Final = "c2sp.org/tlog-proof@v1"


class Checkpoint(NamedTuple):
    """The head of a log whose own key signed it: so many events, this root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    signed_by: tuple[str, ...] = ()
    """The vkeys, of those we know, that signed; the log's own is among them."""


class Cosignature(NamedTuple):
    """A witness's word: at `time`, in unix seconds, this was the largest tree of the log that it had seen."""

    witness: str
    time: int


class Submission(NamedTuple):
    """What a log hands to a witness, as it was read: nothing of it is verified."""

    old: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    @property
    def origin(self) -> str:
        return self.checkpoint.partition("\n")[0]


class LogProof(NamedTuple):
    """A proof file as it was read: nothing of it is verified."""

    extra: bytes
    """The preimage of the entry: the first line of the file's extra data."""
    index: int  # type: ignore[assignment] # nobody looks for a member of it, as `tuple.index` does
    hashes: tuple[bytes, ...]
    checkpoint: str
    more: bytes = b""
    """The other lines of the extra data: of a certificate's proof what binds its name."""


# --- RFC 9162, section 2.1 ---


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    peaks: list[bytes] = []  # of the full subtrees, largest first
    for index, leaf in enumerate(leaves):
        node = _hash_of_a_tree(leaf)
        merged = index
        while merged & 1:
            node = node_hash(peaks.pop(), node)
            merged >>= 1
        peaks.append(node)
    if not peaks:
        return sha256().digest()
    node = peaks.pop()
    while peaks:
        node = node_hash(peaks.pop(), node)
    return node


def check_inclusion(size: int, index: int, leaf: bytes, hashes: Sequence[bytes], root: bytes) -> None:
    """The leaf with this hash is number `index` of the `size` leaves under `root` (2.1.3.2)."""
    if not 0 <= index < size:
        raise Unverified("malformed", f"the log has {size} entries, none with index {index}")
    node = _hash_of_a_tree(leaf)
    for is_left, sibling in _climb(index, size - 1, hashes):
        node = node_hash(sibling, node) if is_left else node_hash(node, sibling)
    if node != root:
        raise Unverified("tampered", "the inclusion proof does not lead to the root of the log")


def check_inclusions(size: int, leaves: Sequence[tuple[int, bytes]], hashes: Iterable[bytes], root: bytes) -> None:
    """Each of these leaves (index and hash, in order of index) is among the `size` leaves under `root`.

    `hashes` are the nodes that can't be worked out from the leaves, level by level from the leaves up, in each from
    left to right: a path that many leaves share is there once.
    """
    if not leaves or leaves[0][0] < 0 or leaves[-1][0] >= size:
        raise Unverified("malformed", f"the log has {size} entries, none with such an index")
    if any(one[0] >= other[0] for one, other in pairwise(leaves)):
        raise Unverified("malformed", "the leaves of a proof stand in order, each once")
    given = iter(hashes)
    row, width = [(index, _hash_of_a_tree(leaf)) for index, leaf in leaves], size
    while width > 1:
        row = list(_level_above(row, width, given))
        width = (width + 1) >> 1
    if next(given, None) is not None:
        raise Unverified("malformed", "the proof is too long")
    if row[0][1] != root:
        raise Unverified("tampered", "the inclusion proof does not lead to the root of the log")


def _level_above(row: Sequence[tuple[int, bytes]], width: int, given: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """The nodes above these; the last node of an odd level has no sibling and goes up as it is."""
    at, end = 0, len(row)
    while at < end:
        index, node = row[at]
        at += 1
        if index & 1:
            node = node_hash(_given(given), node)
        elif at < end and row[at][0] == index + 1:
            node = node_hash(node, row[at][1])
            at += 1
        elif index + 1 < width:
            node = node_hash(node, _given(given))
        yield index >> 1, node


def _given(hashes: Iterator[bytes]) -> bytes:
    node = next(hashes, None)
    if node is None:
        raise Unverified("malformed", "the proof is too short")
    return _hash_of_a_tree(node)


def check_consistency(size1: int, root1: bytes, size2: int, root2: bytes, hashes: Sequence[bytes]) -> None:
    """The log of `size2` begins with the log of `size1` (2.1.4.2)."""
    if size1 < 0 or size2 < 0:
        raise Unverified("malformed", "a log has no negative size")
    if size2 < size1:
        raise Unverified("tampered", f"the log had {size1} entries and now has {size2}")
    if size1 in (0, size2):
        if hashes:
            raise Unverified("malformed", "the consistency proof is too long")
        if root1 != (root2 if size1 == size2 else root(())):
            raise Unverified("tampered", f"two roots were signed for the size {size1}")
        return
    path = [root1, *hashes] if size1 & (size1 - 1) == 0 else list(hashes)
    if not path:
        raise Unverified("malformed", "the consistency proof is too short")
    shared = _trailing_ones(size1 - 1)  # levels below the largest subtree that both logs share
    old = new = _hash_of_a_tree(path[0])
    for is_left, sibling in _climb((size1 - 1) >> shared, (size2 - 1) >> shared, path[1:]):
        if is_left:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    if (old, new) != (root1, root2):
        raise Unverified("tampered", "the log does not begin with what it was before")


def _climb(fn: int, sn: int, hashes: Iterable[bytes]) -> Iterator[tuple[bool, bytes]]:
    """The siblings on the way up from node `fn` of a level whose last node is `sn`: is it on the left?"""
    for sibling in hashes:
        if sn == 0:
            raise Unverified("malformed", "the proof is too long")
        is_left = bool(fn & 1) or fn == sn
        yield is_left, _hash_of_a_tree(sibling)
        while is_left and fn and not fn & 1:  # the last node of a level may have no sibling there
            fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Unverified("malformed", "the proof is too short")


def _trailing_ones(number: int) -> int:
    return (~number & (number + 1)).bit_length() - 1


def _hash_of_a_tree(node: bytes) -> bytes:
    if len(node) != _HASH:
        raise Unverified("malformed", "a hash of the log has 32 bytes")
    return node


# --- C2SP signed-note and tlog-checkpoint ---


def key_id(name: str, public: bytes) -> bytes:
    return _key_id(name, _ED25519 + public)


def vkey(name: str, public: bytes) -> str:
    """The verifier key of a note: `name+hash+base64(0x01 || key)`."""
    return _vkey(name, _ED25519 + public)


def _key_id(name: str, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + key).digest()[:_ID]


def _vkey(name: str, key: bytes) -> str:
    return f"{name}+{_key_id(name, key).hex()}+{b64encode(key).decode()}"


def read_checkpoint(text: str | bytes, vkeys: Iterable[str]) -> Checkpoint:
    """The checkpoint, once the key of its own log, one of `vkeys`, has signed it.

    Signatures of keys we don't know are ignored; a bad one of a key we know refuses the note.
    """
    note, signatures = _open(_characters(text))
    lines = note.split("\n")[:-1]
    if len(lines) < 3 or not all(lines):  # noqa: PLR2004 - tlog-checkpoint: origin, size, root
        raise Unverified("malformed", "a checkpoint has at least three lines, none empty")
    origin, size, encoded, *extensions = lines
    signed_by = _check_signatures(note, signatures, vkeys)
    if origin not in (key.partition("+")[0] for key in signed_by):
        raise Unverified("unknown_key", "no key we know of this log signed the checkpoint")
    return Checkpoint(origin, _number(size), _hash(encoded), tuple(extensions), signed_by)


def _open(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text that was signed, and (key name, key id and signature) of each signature line."""
    if _CONTROL.search(text):
        raise Unverified("malformed", "a signed note has no control characters")
    body, gap, tail = text.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise Unverified("malformed", "a signed note ends with signatures")
    signatures: list[tuple[str, bytes]] = []
    for line in tail[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "—" or not name or "+" in name or any(map(str.isspace, name)):
            raise Unverified("malformed", "a signature line is a dash, a name and a signature")
        signature = _base64(encoded)
        if len(signature) <= _ID:
            raise Unverified("malformed", "a signature line has a key id and a signature")
        signatures.append((name, signature))
    if len(signatures) > _MOST_SIGNATURES:
        raise Unverified("malformed", "a signed note has too many signatures")
    return body + "\n", signatures


def _check_signatures(note: str, signatures: Iterable[tuple[str, bytes]], vkeys: Iterable[str]) -> tuple[str, ...]:
    known = _known(vkeys, _ED25519)
    signed_by: dict[str, None] = {}
    for name, signature in signatures:
        match = known.get((name, signature[:_ID]))
        if match is None:
            continue
        line, public = match
        if not _holds(public, signature[_ID:], note.encode()):
            raise Unverified("tampered", "the signature of the checkpoint fails")
        signed_by[line] = None
    if not signed_by:
        raise Unverified("unknown_key", "no key we know signed the checkpoint")
    return tuple(signed_by)


def _known(vkeys: Iterable[str], kind: bytes) -> dict[tuple[str, bytes], tuple[str, bytes]]:
    """(vkey, public key) by key name and key id."""
    known: dict[tuple[str, bytes], tuple[str, bytes]] = {}
    for line in vkeys:
        name, identifier, public = _read_vkey(line, kind)
        known[name, identifier] = line, public
    return known


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read_vkey(line: str, kind: bytes) -> tuple[str, bytes, bytes]:
    name, _, rest = line.partition("+")
    identifier, _, encoded = rest.partition("+")
    key = _base64(encoded)
    if (
        not name
        or any(map(str.isspace, name))
        or not _KEY_ID.fullmatch(identifier)
        or len(key) != 1 + _HASH
        or key[:1] != kind
    ):
        raise Unverified("malformed", "a verifier key is a name, a key id and an Ed25519 key")
    _characters(name)
    if _key_id(name, key).hex() != identifier:
        raise Unverified("malformed", "the id of a verifier key is not of that key")
    return name, bytes.fromhex(identifier), key[1:]


# --- C2SP tlog-cosignature and tlog-witness ---


def witness_vkey(name: str, public: bytes) -> str:
    """The verifier key of a witness: `name+hash+base64(0x04 || key)`."""
    return _vkey(name, _COSIGNATURE + public)


def cosigned(note: str, time: int) -> bytes:
    """What a witness signs of a note's text: cosignature/v1."""
    return f"cosignature/v1\ntime {time}\n{note}".encode()


def cosignature_line(name: str, public: bytes, time: int, signature: bytes) -> str:
    """The signature line of a witness, whose `signature` is over `cosigned`."""
    stamped = _key_id(name, _COSIGNATURE + public) + time.to_bytes(_TIMESTAMP) + signature
    return f"— {name} {b64encode(stamped).decode()}\n"


def signed_text(text: str) -> str:
    """The text of a signed note, without its signatures."""
    return _open(_characters(text))[0]


def cosignatures(text: str | bytes, witness_vkeys: Iterable[str]) -> tuple[Cosignature, ...]:
    """The witnesses, of those we know, who cosigned this checkpoint, each with its latest time.

    Others are ignored; a bad line of a witness we know refuses the note. The log's own signature is not looked at.
    """
    note, signatures = _open(_characters(text))
    known = _known(witness_vkeys, _COSIGNATURE)
    latest: dict[str, int] = {}
    for name, signature in signatures:
        match = known.get((name, signature[:_ID]))
        if match is None:
            continue
        time = int.from_bytes(signature[_ID : _ID + _TIMESTAMP])
        if time >= 1 << 63 or not _holds(match[1], signature[_ID + _TIMESTAMP :], cosigned(note, time)):
            raise Unverified("tampered", "the cosignature of a witness fails")
        latest[name] = max(time, latest.get(name, 0))
    return tuple(Cosignature(name, time) for name, time in latest.items())


def submission(old: int, hashes: Iterable[bytes], checkpoint: str) -> bytes:
    """The body of `add-checkpoint`."""
    return "\n".join([f"old {old}", *(b64encode(node).decode() for node in hashes), "", checkpoint]).encode()


def read_submission(body: bytes) -> Submission:
    """The parts of the body of `add-checkpoint`, none of them verified."""
    head, gap, checkpoint = _characters(body).partition("\n\n")
    lines = head.split("\n")
    old = lines.pop(0)
    if not gap or not old.startswith("old "):
        raise Unverified("malformed", "a submission is the old size, a consistency proof, an empty line, a checkpoint")
    if len(lines) > _MOST_HASHES:
        raise Unverified("malformed", "the consistency proof is too long")
    return Submission(_number(old.removeprefix("old ")), tuple(map(_hash, lines)), checkpoint)


# --- C2SP tlog-proof ---


def read_proof(text: str | bytes) -> LogProof:
    """The parts of a proof file, none of them verified."""
    head, gap, checkpoint = _characters(text).partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != _MAGIC:
        raise Unverified("malformed", "this is no proof of a transparency log")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = _base64(lines.pop(0).removeprefix("extra "))
        if not extra:
            raise Unverified("malformed", "a proof without extra data has no such line")
    if not lines or not lines[0].startswith("index "):
        raise Unverified("malformed", "a proof says the index of its entry")
    index = _number(lines.pop(0).removeprefix("index "))
    if len(lines) > _MOST_HASHES:
        raise Unverified("malformed", "the inclusion proof is too long")
    preimage, _, more = extra.partition(b"\n")
    return LogProof(preimage, index, tuple(map(_hash, lines)), checkpoint, more)


def check_proof(proof: LogProof, vkeys: Iterable[str]) -> Checkpoint:
    """The signed checkpoint under which the event in `extra` stands at `index`.

    In our log an entry is the SHA-256 of the event's preimage, and `extra` is that preimage.
    """
    checkpoint = read_checkpoint(proof.checkpoint, vkeys)
    check_held(proof, checkpoint)
    return checkpoint


def check_held(proof: LogProof, checkpoint: Checkpoint) -> None:
    """The event in `extra` stands at `index` under this checkpoint."""
    check_event(proof.extra, proof.index, proof.hashes, checkpoint)


def check_event(preimage: bytes, index: int, hashes: Sequence[bytes], checkpoint: Checkpoint) -> None:
    """The event with this preimage stands at `index` under this checkpoint."""
    leaf = leaf_hash(sha256(preimage).digest())
    check_inclusion(checkpoint.size, index, leaf, hashes, checkpoint.root)


class Recorded(NamedTuple):
    """An event as the log holds it: `[position, stream, version, topic, state as text]`, and its state."""

    entry: list[Any]
    state: dict[str, Any]


def event_in(extra: bytes) -> Recorded:
    """The preimage of the event's entry in the log; the proof already binds its every byte."""
    try:
        match strictjson.loads(extra):
            case [int(), str(), int(), str(), str(state)] as entry:
                event = strictjson.loads(urlsafe_b64decode(state + "=" * (-len(state) % 4)))
                if type(event) is dict:
                    return Recorded(entry, event)
    except (strictjson.NotStrict, binascii.Error, ValueError):
        pass
    raise Unverified("malformed", "the proof does not carry an event of ours")


# --- strict shapes ---


def _characters(text: str | bytes) -> str:
    if len(text) > _MOST_CHARACTERS:
        raise Unverified("malformed", "the text is too long")
    try:
        if isinstance(text, bytes):
            return text.decode()
        text.encode()
    except UnicodeError:
        raise Unverified("malformed", "the text is not UTF-8") from None
    return text


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or (number := int(text)) >= 1 << 63:
        raise Unverified("malformed", "a size or index is a decimal number")
    return number


def _base64(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unverified("malformed", "this is not base64") from None
    if b64encode(data).decode() != text:  # one value, one spelling
        raise Unverified("malformed", "this is not canonical base64")
    return data


def _hash(text: str) -> bytes:
    return _hash_of_a_tree(_base64(text))
