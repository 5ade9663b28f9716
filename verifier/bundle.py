"""A bundle: events with the proof that they are in the log, and what follows from them; read, checked, derived again.

The format is section 7 of docs/format.md. Whatever is wrong is `Unverified`; nothing of a bundle is believed before all
of it was checked.
"""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, Final

from verifier import fold, keys, proof, strictjson
from verifier.fold import Fact
from verifier.keys import Key, KeyRing
from verifier.proof import Checkpoint, Cosignature
from verifier.verdict import Check, Unverified, iso

FORMAT: Final = "endorsement-registry-bundle/1"
MEDIA: Final = "application/vnd.endorsement-registry.bundle+json"
SIGNED: Final = b"endorsement-registry bundle v1\n"
"""What the registry signs begins with this; the SHA-256 of the file without its signature follows."""

LARGEST: Final = 128 << 20
MOST_EVENTS: Final = 150_000
_MOST_GROUPS: Final = 1_000_000  # openings of arrays and objects, in texts too: few bytes there are much memory here
_MOST_ITEMS: Final = 4_000_000
_MOST_HASHES: Final = MOST_EVENTS * 63
_MOST_NAMED: Final = 64  # DID documents, log keys, witnesses
_MOST_KEYS: Final = 1_000
_WHOLE: Final = 1 << 53  # RFC 8785 knows no larger numbers
_BLIND: Final = 16
_LENGTH: Final = 4

_MEMBERS: Final = {
    "asked": dict,
    "checkpoint": str,
    "claims": dict,
    "events": list,
    "for": dict,
    "format": str,
    "keys": dict,
    "made_at": str,
    "openings": list,
    "policy": list,
    "proof": str,
    "signature": dict,
}
_WITHIN: Final = {
    "for": {"association", "role"},
    "claims": {"endorsements", "transfers"},
    "keys": {"did", "log", "witnesses"},
    "signature": {"kid", "value"},
}
_OPENING: Final = {"blind": str, "field": str, "stream": str, "value": str, "version": int}
_RULE: Final = {"name": str, "row": None, "sources": list}
_ASKED: Final = ({"number"}, {"person"}, {"association", "from", "to"})

encode: Final[Callable[[Any], str]] = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode
"""The RFC 8785 form of what a bundle may hold: text, whole numbers, member names of ASCII."""


@dataclass(frozen=True, slots=True)
class Pins:
    """What whoever checks trusts beforehand. `ring`: of a copy of the static plane; `checkpoint`: the one in it.

    One of `witnesses` must have countersigned; of those that the plane names it is only said whether one did.
    """

    logs: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    ring: KeyRing = field(default_factory=KeyRing)
    checkpoint: bytes | None = None


@dataclass(frozen=True, slots=True)
class Proved:
    """What a bundle says, all of it checked. `verdict`: proved, not_pinned, or not_witnessed."""

    verdict: str
    checks: tuple[Check, ...]
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]
    asked: Mapping[str, str]
    made_for: Mapping[str, str]
    made_at: str
    events: int
    opened: tuple[Mapping[str, Any], ...]
    claims: Mapping[str, Any]
    policy: tuple[Mapping[str, Any], ...]
    specimen: bool

    @property
    def exit(self) -> int:
        return 0 if self.verdict == "proved" else 3

    @property
    def sentence(self) -> str:
        count = f"{self.events} event{'s' if self.events != 1 else ''}"
        where = f"the log {self.checkpoint.origin} as of its checkpoint of {self.checkpoint.size} events"
        follows = "every opened field is what was recorded, and the claims follow from the events."
        if self.verdict == "not_pinned":
            return (
                f"This bundle is consistent in itself ({count}), but its keys are not pinned: anybody could have made "
                "it. Name keys you trust: --static DIR, or --log VKEY --witness VKEY."
            )
        if self.verdict == "not_witnessed":
            return (
                f"Proved by the log's key alone: {count} in {where}; {follows} No witness you trust has countersigned "
                "that checkpoint: ask for a bundle made since."
            )
        seen = [f"{one.witness} at {iso(one.time)}" for one in self.cosignatures]
        by = f"countersigned by {', '.join(seen)}" if seen else "countersigned by no witness you know"
        return f"Proved: {count} in {where}, signed by a key you trust and {by}; {follows}"


def sentence_of(refused: Unverified) -> str:
    return f"This bundle is not proved: {refused.why}. Do not rely on it; ask for it again."


def check(content: bytes, pins: Pins | None = None) -> Proved:
    """All of a bundle, in the order of `docs/format.md`. Raises Unverified, with the checks made until then."""
    return _Checking(pins or Pins()).of(content)


class _Checking:
    def __init__(self, pins: Pins) -> None:
        self._pins = pins
        self._checks: list[Check] = []

    def of(self, content: bytes) -> Proved:
        try:
            return self._of(content)
        except Unverified as refused:
            number = len(self._checks) + 1
            self._checks.append(Check(number, _CHECKS[number - 1], passed=False, found=refused.why))
            refused.checks = tuple(self._checks)
            raise

    def _passed(self, found: str, *, passed: bool | None = True) -> None:
        number = len(self._checks) + 1
        self._checks.append(Check(number, _CHECKS[number - 1], passed, found))

    def _of(self, content: bytes) -> Proved:
        bundle, preimages = _read(content)
        events = bundle["events"]
        self._passed(f"{len(content)} bytes, {len(events)} events")

        own = _own_keys(bundle["keys"])
        checkpoint = _checkpoint(bundle["checkpoint"], own.logs)
        self._passed(f"{checkpoint.origin}, {checkpoint.size} events")

        leaves = [
            (row[0] - 1, proof.leaf_hash(sha256(preimage).digest()))
            for row, preimage in zip(events, preimages, strict=True)
        ]
        if leaves:
            proof.check_inclusions(checkpoint.size, leaves, _hashes(bundle["proof"]), checkpoint.root)
        self._passed(f"{len(leaves)} of {checkpoint.size}")

        told = _Told(events, bundle["openings"], _period(bundle["asked"]))
        told.read()
        self._passed(f"{len(bundle['openings'])} fields opened")

        _keys_agree(told.keys, own, checkpoint)
        self._passed(f"{len(told.keys)} keys")

        signer = _signer(told.keys, bundle["signature"])
        _signed(content, bundle["signature"], signer)
        self._passed(f"key {signer.kid.hex()}")

        _same_claims(bundle["claims"], told)
        self._passed(f"{len(told.endorsements)} endorsements, {len(told.transfers)} transfers")

        _policy_is_whole(bundle["policy"], told.editions)
        self._passed(f"{len(bundle['policy'])} rows")

        pinned = self._pin(bundle["checkpoint"], checkpoint, own, signer)
        witnessed = self._witness(bundle["checkpoint"], own) if pinned else ()
        verdict = "not_pinned" if not pinned else "proved" if witnessed is not None else "not_witnessed"
        return Proved(
            verdict=verdict,
            checks=tuple(self._checks),
            checkpoint=checkpoint,
            cosignatures=witnessed or (),
            asked=bundle["asked"],
            made_for=bundle["for"],
            made_at=bundle["made_at"],
            events=len(events),
            opened=tuple(bundle["openings"]),
            claims=bundle["claims"],
            policy=tuple(bundle["policy"]),
            specimen=any(key.specimen for key in told.keys.values()),
        )

    def _pin(self, note: str, checkpoint: Checkpoint, own: _OwnKeys, signer: Key) -> bool:
        pins = self._pins
        if not pins.logs:
            self._passed("no key of a log was named", passed=None)
            return False
        try:
            proof.read_checkpoint(note, pins.logs)
        except Unverified as refused:
            if refused.verdict != "unknown_key":
                raise
            raise Unverified("unknown_key", "it is of another log: no key you trust signed its checkpoint") from None
        if known := [*pins.ring]:
            _ = pins.ring | KeyRing(own.ring)  # refuses what contradicts
            held = next((key for key in known if key.kid == signer.kid), None)
            if held is None or held.use != "status":
                raise Unverified("unknown_key", "the key that signed it is none of the registry's you trust")
            if held.withdrawn:
                raise Unverified("unknown_key", "the key that signed it was withdrawn")
        if pins.checkpoint is not None:
            published = proof.read_checkpoint(pins.checkpoint, pins.logs)
            same = published.origin == checkpoint.origin and published.size == checkpoint.size
            if same and published.root != checkpoint.root:
                raise Unverified("tampered", "the log you know has another root at this size: it was forked")
        self._passed("the keys are those you trust")
        return True

    def _witness(self, note: str, own: _OwnKeys) -> tuple[Cosignature, ...] | None:
        """Of the witnesses we know; None where witnesses were named and none of them signed."""
        proof.cosignatures(note, own.witnesses)
        named = self._pins.witnesses
        found = proof.cosignatures(note, dict.fromkeys([*named, *self._pins.ring.witnesses]))
        if named and not proof.cosignatures(note, named):
            self._passed("none of the witnesses you named", passed=None)
            return None
        self._passed(", ".join(one.witness for one in found) or "no witness we know", passed=bool(found) or None)
        return found


_CHECKS: Final = (
    "it is a bundle, in the one spelling of its bytes",
    "the log's key signed the checkpoint",
    "every event is in the log under that checkpoint",
    "no stream has a gap, and every opened field is what was recorded",
    "its keys are those that the log announces",
    "the registry signed the whole file",
    "standing, custody and transfers follow from the events",
    "the rules cited are there",
    "the keys are pinned",
    "a witness countersigned",
)


# --- reading ---


def _read(content: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The members, of the right kinds, and the preimage of each event: the bytes that stand for it in the file."""
    if len(content) > LARGEST:
        raise _malformed(f"it is larger than {LARGEST >> 20} MiB")
    if content.count(b"[") + content.count(b"{") > _MOST_GROUPS or content.count(b",") > _MOST_ITEMS:
        raise _malformed("it has more parts than a bundle can have")
    try:
        bundle = json.loads(content.decode(), parse_float=_no_float, parse_constant=_no_float, parse_int=_whole)
    except (ValueError, RecursionError):  # JSONDecodeError and UnicodeError are ValueErrors
        raise _malformed("it is not the JSON of a bundle, or was cut") from None
    if type(bundle) is not dict or bundle.keys() != _MEMBERS.keys():
        raise _malformed("it has not the members of a bundle")
    for name, kind in _MEMBERS.items():
        if type(bundle[name]) is not kind:
            raise _malformed(f"its {name} are of another kind")
    if bundle["format"] != FORMAT:
        raise _malformed("it is of a format we do not know")
    _shape(bundle)
    return bundle, _spelled(content, bundle)


def _shape(bundle: dict[str, Any]) -> None:
    """What is read below is of the kind it is read as."""
    _in_order(bundle["events"])
    asked, made_for = bundle["asked"], bundle["for"]
    if asked.keys() not in _ASKED or not all(type(value) is str for value in (*asked.values(), *made_for.values())):
        raise _malformed("it does not say what was asked, or for whom")
    for name, members in _WITHIN.items():
        if bundle[name].keys() != members:
            raise _malformed("it has not the members of a bundle")
    if not all(_has(opening, _OPENING) for opening in bundle["openings"]):
        raise _malformed("an opening is not of five parts")
    if not all(_has(row, _RULE) for row in bundle["policy"]):
        raise _malformed("a rule has a name, a row and its sources")


def _in_order(events: Sequence[Any]) -> None:
    if not 0 < len(events) <= MOST_EVENTS:
        raise _malformed(f"a bundle has from 1 to {MOST_EVENTS} events")
    last = 0
    for row in events:
        match row:
            case [int(position), str(), int(version), str(), str()] if position > last and version > 0:
                if position is True or version is True:
                    raise _malformed("true is no number of an event")
                last = position
            case _:
                raise _malformed("its events are not in order, or not of five parts")


def _has(value: Any, members: Mapping[str, type | None]) -> bool:
    """Whether it is an object of these members, each of its kind; None: of any."""
    return (
        type(value) is dict
        and value.keys() == members.keys()
        and all(kind is None or type(value[name]) is kind for name, kind in members.items())
    )


def _spelled(content: bytes, bundle: dict[str, Any]) -> list[bytes]:
    """The preimages of the events; refuses a file that is not what its value is spelled as. Piece by piece: no copy."""
    at = 0
    preimages = []

    def expect(piece: bytes) -> None:
        nonlocal at
        if not content.startswith(piece, at):
            raise _malformed("it is not in the one spelling of its bytes (RFC 8785)")
        at += len(piece)

    try:
        for place, name in enumerate(sorted(bundle)):
            expect(f'{"," if place else "{"}"{name}":'.encode())
            if name not in ("events", "openings"):
                expect(encode(bundle[name]).encode())
                continue
            expect(b"[")
            for number, one in enumerate(bundle[name]):
                piece = (_event_spelled(one) if name == "events" else encode(one)).encode()
                if number:
                    expect(b",")
                expect(piece)
                if name == "events":
                    preimages.append(piece)
            expect(b"]")
        expect(b"}")
    except (ValueError, RecursionError):  # halves of surrogate pairs, and what is nested too deep
        raise _malformed("it is not the JSON of a bundle, or was cut") from None
    if at != len(content):
        raise _malformed("something follows its end")
    return preimages


def _event_spelled(row: Sequence[Any]) -> str:
    """As `encode` would, and quicker."""
    position, stream, version, topic, state = row
    return f"[{position},{encode_basestring(stream)},{version},{encode_basestring(topic)},{encode_basestring(state)}]"


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:20]} is no whole number")


def _whole(text: str) -> int:
    if len(text) > len(str(_WHOLE)) or abs(number := int(text)) >= _WHOLE:
        raise ValueError("a number too large")
    return number


def _malformed(why: str) -> Unverified:
    return Unverified("malformed", why)


def _unpadded(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (NotBase64, ValueError):
        raise _malformed("this is not base64url") from None


def _base64url(text: str) -> bytes:
    data = _unpadded(text)
    if urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise _malformed("this is not canonical base64url")
    return data


def _hashes(text: str) -> Iterator[bytes]:
    data = _base64url(text)
    size = 32
    if len(data) % size or len(data) > size * _MOST_HASHES:
        raise _malformed("the inclusion proof is no list of hashes")
    return (data[at : at + size] for at in range(0, len(data), size))


def _period(asked: Mapping[str, str]) -> tuple[date | None, date | None]:
    if "association" not in asked:
        return None, None
    first, last = fold.day(asked, "from"), fold.day(asked, "to")
    if last < first:
        raise _malformed("its period ends before it begins")
    return first, last


# --- keys and signatures ---


@dataclass(frozen=True, slots=True)
class _OwnKeys:
    """As the file itself gives them: DID documents by id, the keys in them, log keys, witness keys."""

    did: Mapping[str, tuple[Key, ...]]
    ring: KeyRing
    logs: tuple[str, ...]
    witnesses: tuple[str, ...]


def _own_keys(members: dict[str, Any]) -> _OwnKeys:
    for name in ("log", "witnesses"):
        if type(members[name]) is not list or not all(type(one) is str for one in members[name]):
            raise _malformed(f"its {name} keys are no list of texts")
    if type(members["did"]) is not list or not all(type(one) is dict for one in members["did"]):
        raise _malformed("its DID documents are no list of objects")
    if any(len(listed) > _MOST_NAMED for listed in members.values()):
        raise _malformed(f"it names more than {_MOST_NAMED} keys of one kind")
    did: dict[str, tuple[Key, ...]] = {}
    ring = KeyRing()
    for document in members["did"]:
        read = keys.read_did(encode(document).encode())
        if len([*read]) > _MOST_KEYS:
            raise _malformed(f"a DID document with more than {_MOST_KEYS} keys")
        did[document["id"]] = tuple(read)
        ring |= read
    if len(did) != len(members["did"]):
        raise _malformed("a DID document stands there twice")
    return _OwnKeys(
        did, ring, tuple(map(keys.read_vkey, members["log"])), tuple(map(keys.read_witness_vkey, members["witnesses"]))
    )


def _checkpoint(note: str, logs: Sequence[str]) -> Checkpoint:
    if not logs:
        raise Unverified("unknown_key", "it names no key of the log")
    checkpoint = proof.read_checkpoint(note, logs)
    if any(line.partition("+")[0] != checkpoint.origin for line in logs):
        raise Unverified("unknown_key", "it names keys of another log")
    return checkpoint


def _keys_agree(known: Mapping[bytes, Key], own: _OwnKeys, checkpoint: Checkpoint) -> None:
    """The keys the file gives are those that the log itself announces."""
    publics = {key.public for key in known.values() if key.use == "log" and not key.withdrawn}
    named = {line: b64decode(line.split("+", 2)[2])[1:] for line in own.logs}
    if not publics.intersection(named[line] for line in checkpoint.signed_by):
        raise Unverified("unknown_key", "the log does not know the key that signed its checkpoint")
    specimen = any(key.specimen for key in known.values())
    for identifier, documented in own.did.items():
        listed = {key.kid for key in documented}
        # A withdrawn key may be left out; where it stands, it stands as withdrawn.
        announced = {
            (key.kid, key.use, key.public, bool(key.withdrawn), specimen)
            for key in known.values()
            if key.controller == identifier and key.use != "log" and (key.kid in listed or not key.withdrawn)
        }
        if {(key.kid, key.use, key.public, bool(key.withdrawn), key.specimen) for key in documented} != announced:
            raise Unverified("unknown_key", f"the keys of {identifier} are not those that the log announces")


def _signer(known: Mapping[bytes, Key], signature: Mapping[str, Any]) -> Key:
    try:
        key = known.get(bytes.fromhex(signature["kid"]))
    except (ValueError, TypeError):
        key = None
    if key is None or key.use != "status" or key.withdrawn or key.kid.hex() != signature["kid"]:
        raise Unverified("unknown_key", "the log knows no such key, of use status, that could have signed this file")
    owners = {one.controller for one in known.values() if one.use == "log"}
    if key.controller not in {f"{owner}:status" for owner in owners}:
        raise Unverified("unknown_key", "the key that signed this file is not of the registry that keeps the log")
    return key


def _signed(content: bytes, signature: Mapping[str, Any], signer: Key) -> None:
    if type(signature["value"]) is not str:
        raise _malformed("its signature is no text")
    try:
        signer.holds(_base64url(signature["value"]), signed_bytes(content, signature))
    except Unverified as refused:
        if refused.verdict != "tampered":
            raise
        why = "the registry's signature of the file fails: something in it was altered"
        raise Unverified("tampered", why) from None


def signed_bytes(content: bytes, signature: Mapping[str, Any] | None = None) -> bytes:
    """What the registry signs: of the file without the member `signature`, which is its last."""
    tail = f',"signature":{encode(signature)}}}'.encode() if signature is not None else b"}"
    digest = sha256(memoryview(content)[: len(content) - len(tail)])
    digest.update(b"}")
    return SIGNED + digest.digest()


# --- what the events say ---


class _Told:
    """The events by stream: each is read, folded and let go, as many may be there."""

    def __init__(
        self, events: Sequence[list[Any]], openings: Sequence[dict[str, Any]], period: tuple[date | None, date | None]
    ) -> None:
        self._period = period
        self._streams: dict[str, list[list[Any]]] = {}
        for row in events:
            self._streams.setdefault(row[1], []).append(row)
        self._openings: dict[tuple[str, int], list[dict[str, Any]]] = {}
        last: tuple[Any, ...] = ()
        for opening in openings:
            place = (opening["stream"], opening["version"], opening["field"])
            if place <= last:
                raise _malformed("its openings are not in order")
            last = place
            self._openings.setdefault(place[:2], []).append(opening)
        self.endorsements: list[dict[str, Any]] = []
        self.transfers: list[dict[str, Any]] = []
        self.keys: dict[bytes, Key] = {}
        self.editions: set[str] = set()

    def read(self) -> None:
        for stream in sorted(self._streams):
            rows = self._streams[stream]
            kind, _, name = stream.partition("/")
            _in_turn(stream, [row[2] for row in rows], whole=kind in _WHOLE_STREAMS)
            self._open(stream, rows)
            if kind not in _READ_STREAMS:
                continue
            facts = [Fact(row[0], row[2], row[3], _state(row[4])) for row in rows]
            match kind:
                case "endorsement":
                    self.endorsements.append(fold.endorsement(name, facts, *self._period))
                    self.editions |= fold.editions(facts)
                case "application":
                    self.editions |= fold.editions(facts)
                case "transfer":
                    self.transfers.append(fold.transfer(name, facts))
                case "key":
                    if len(self.keys) >= _MOST_KEYS:
                        raise _malformed(f"it announces more than {_MOST_KEYS} keys")
                    key = _key(name, facts)
                    self.keys[key.kid] = key
        if self._openings:
            raise _malformed("it opens a field of an event that is not there")

    def _open(self, stream: str, rows: Sequence[list[Any]]) -> None:
        for row in rows:
            openings = self._openings.pop((stream, row[2]), None)
            if openings:
                state = _state(row[4])
                for opening in openings:
                    _check_opening(opening, state)


_WHOLE_STREAMS: Final = ("endorsement", "transfer", "key")
_READ_STREAMS: Final = (*_WHOLE_STREAMS, "application")


def _in_turn(stream: str, versions: list[int], *, whole: bool) -> None:
    """Of what is folded every version must be there; of what is only shown, each in its turn."""
    if versions != (list(range(1, len(versions) + 1)) if whole else sorted(set(versions))):
        raise _malformed(f"events of {stream} are missing or out of order")


def _state(text: str) -> dict[str, Any]:
    try:
        # Which of its spellings this is the log says: it holds the hash of this very text.
        state = strictjson.loads(_unpadded(text))
    except strictjson.NotStrict:
        raise _malformed("an event that is not JSON") from None
    if type(state) is not dict:
        raise _malformed("an event that is no object")
    return state


def _check_opening(opening: Mapping[str, Any], state: fold.State) -> None:
    """The field with the `h` in the log held this value: SHA-256 of five parts, each after its length."""
    sealed = state.get(opening["field"])
    if type(sealed) is not dict or sealed.keys() != {"c", "h"}:
        raise _malformed(f"{opening['field']} of {opening['stream']} is not sealed, so that it can't be opened")
    blind = _base64url(opening["blind"])
    if len(blind) != _BLIND:
        raise _malformed("a blind has 16 bytes")
    if urlsafe_b64encode(commitment(blind, opening)).rstrip(b"=").decode() != sealed["h"]:
        raise Unverified(
            "tampered",
            f"{opening['field']} of {opening['stream']}, version {opening['version']}, is not what was recorded",
        )


def commitment(blind: bytes, opening: Mapping[str, Any]) -> bytes:
    parts = (
        blind,
        opening["stream"].encode(),
        str(opening["version"]).encode(),
        opening["field"].encode(),
        opening["value"].encode(),
    )
    return sha256(b"".join([len(part).to_bytes(_LENGTH) + part for part in parts])).digest()


def _key(name: str, facts: Sequence[Fact]) -> Key:
    """A key as the log announces it; `withdrawn` if it says so."""
    begin = facts[0]
    if begin.topic != "key.published":
        raise _malformed("the events of a key do not begin with its publication")
    state = begin.state
    use = fold.text(state, "use")
    withdrawn = any(fact.topic == "key.withdrawn" for fact in facts)
    key = Key(
        use=use,
        controller=fold.text(state, "controller"),
        id=f"{fold.text(state, 'controller')}#{name}",
        public=keys.read_public(use, fold.text(state, "public")),
        withdrawn="withdrawn" if withdrawn else None,
        specimen=state.get("specimen") is True,
    )
    if key.kid.hex() != name or fold.text(state, "kid") != name:
        raise Unverified("unknown_key", "a key that is not that of its name")
    return key


def _same_claims(claims: Mapping[str, Any], told: _Told) -> None:
    for name, key, derived in (
        ("endorsements", "number", told.endorsements),
        ("transfers", "transfer", told.transfers),
    ):
        if claims[name] == derived:
            continue
        given = claims[name] if type(claims[name]) is list else []
        of = next((one[key] for one, other in zip(derived, given, strict=False) if one != other), f"its {name}")
        raise Unverified("tampered", f"what it claims of {of} does not follow from the events")


def _policy_is_whole(policy: Sequence[Mapping[str, Any]], cited: Iterable[str]) -> None:
    if [row["name"] for row in policy] != sorted(cited):
        raise _malformed("the rules in it are not those its decisions cite")
