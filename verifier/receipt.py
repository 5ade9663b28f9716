"""A receipt of a roster check: what was checked, what was found, when and against what; signed by a status key.

The format is in docs/format.md. It says how things were when it was made, never how they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from verifier import integrity, multibase, proof, strictjson, tiles
from verifier.keys import Key, KeyRing
from verifier.proof import Checkpoint, Cosignature
from verifier.roster import MOST_ROWS, ROW_VERDICTS, counts
from verifier.tiles import Read
from verifier.verdict import Check, Unverified, iso

TYPE: Final = "iecmh-receipt"
VERSION: Final = 1
MEDIA: Final = "application/vnd.endorsement-registry.receipt+json"
FILE: Final = "receipt.json"
"""Its name in a PDF."""
LARGEST: Final = 24 << 20

_WHOLE: Final = 1 << 53  # RFC 8785 knows no larger numbers
_MOST_LISTS: Final = 10_000
_MOST_GROUPS: Final = 2_000_000  # openings of arrays and objects, in names too: few bytes there are much memory here
_SIGNATURE: Final = 64
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)

_MEMBERS: Final[Mapping[str, type]] = {
    "type": str,
    "version": int,
    "issuer": str,
    "specimen": bool,
    "checked_at": str,
    "position": int,
    "checkpoint": str,
    "compared": str,
    "lists": list,
    "counts": dict,
    "rows": list,
    "proof": dict,
}
_ROW: Final[Mapping[str, type]] = {
    "row": int,
    "text": str,
    "name": str,
    "verdict": str,
    "number": str,
    "category": str,
    "association": str,
    "through": str,
    "as_of": str,
    "why": str,
    "same_as": int,
}
_LIST: Final[Mapping[str, type]] = {"uri": str, "as_of": str, "sha256": str}
_PROOF: Final[Mapping[str, type]] = {
    "type": str,
    "cryptosuite": str,
    "created": str,
    "verificationMethod": str,
    "proofPurpose": str,
    "proofValue": str,
}

CHECKS: Final = (
    "it has the shape of a receipt",
    "it names a key we trust to sign receipts",
    "that key signed every word of it",
    "the key was not withdrawn",
    "the log's key signed the checkpoint it names",
    "a witness countersigned that checkpoint",
    "the log is the one we know",
    "its counts are those of its rows",
)

_EXITS: Final = {"authentic": 0, "key_revoked": 1, "not_pinned": 3}
_SENTENCES: Final = {
    "en": {
        "authentic": "This receipt is authentic: the registry answered this at {at}, about {rows} rows. It says how "
        "they stood then, not how they stand today: to know that, check the roster again.",
        "key_revoked": "The key that signed this receipt was withdrawn. Do not rely on it; check the roster again.",
        "not_pinned": "The signature of this receipt holds, but no key of the log was named, so its checkpoint was "
        "not checked. It says how {rows} rows stood at {at}, not how they stand today.",
        "refused": "This receipt is not authentic. Do not rely on it; check the roster again.",
    },
    "es": {
        "authentic": "Este recibo es auténtico: el registro respondió esto el {at}, sobre {rows} filas. Dice cómo "
        "estaban entonces, no cómo están hoy: para saberlo, compruebe la lista otra vez.",
        "key_revoked": "La clave que firmó este recibo fue retirada. No se fíe de él; compruebe la lista otra vez.",
        "not_pinned": "La firma de este recibo es válida, pero no se dio la clave del registro público y no se "
        "comprobó su punto de control. Dice cómo estaban {rows} filas el {at}, no cómo están hoy.",
        "refused": "Este recibo no es auténtico. No se fíe de él; compruebe la lista otra vez.",
    },
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a receipt says, all of it checked. `verdict`: authentic, key_revoked or not_pinned."""

    verdict: str
    checks: tuple[Check, ...]
    key: Key
    receipt: Mapping[str, Any]
    checkpoint: Checkpoint | None
    cosignatures: tuple[Cosignature, ...]

    @property
    def exit(self) -> int:
        return _EXITS[self.verdict]

    def sentence(self, lang: str = "en") -> str:
        said = _SENTENCES[lang][self.verdict]
        return said.format(at=self.receipt["checked_at"], rows=self.receipt["counts"]["rows"])


def refusal(lang: str = "en") -> str:
    return _SENTENCES[lang]["refused"]


# --- making ---


def seal(
    rows: Sequence[Mapping[str, Any]],
    *,
    at: datetime,
    issuer: str,
    method: str,
    checkpoint: str,
    position: int,
    lists: Sequence[Mapping[str, str]],
    compared: str,
    specimen: bool,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """The signed receipt; `method` is the id of the key, `sign` its own signing function."""
    time = iso(int(at.timestamp()))
    value: dict[str, Any] = {
        "type": TYPE,
        "version": VERSION,
        "issuer": issuer,
        "specimen": specimen,
        "checked_at": time,
        "position": position,
        "checkpoint": checkpoint,
        "compared": compared,
        "lists": list(lists),
        "counts": counts(rows),
        "rows": list(rows),
    }
    value["proof"] = integrity.prove(value, method, int(at.timestamp()), sign)
    return integrity.canonical(value)


# --- checking ---


def check(content: bytes, keys: KeyRing, *, checkpoint: bytes | None = None, read_tile: Read | None = None) -> Checked:
    """All of a receipt, in the order of `CHECKS`. Raises Unverified, with the checks made until then.

    `checkpoint`: the one that the log publishes now, if it is at hand; `read_tile`: its tiles, which show that it has
    grown from the receipt's. It raises OSError for what is not there.
    """
    made: list[Check] = []

    def note(found: str, passed: bool | None = True) -> None:
        made.append(Check(len(made) + 1, CHECKS[len(made)], passed, found))

    try:
        receipt, options = _read(content)
        note(f"{len(receipt['rows'])} rows, {receipt['checked_at']}")
        key = _key(receipt, options, keys)
        note(key.id)
        unsigned = {name: value for name, value in receipt.items() if name != "proof"}
        key.holds(_signature(receipt["proof"]), integrity.to_be_signed(unsigned, options))
        note(f"Ed25519, {integrity.JCS}")
        note(f"withdrawn since {key.withdrawn}" if key.withdrawn else "", not key.withdrawn)
        found = proof.read_checkpoint(receipt["checkpoint"], keys.logs) if keys.logs else None
        note(f"{found.origin}, {found.size} events" if found else "no key of a log was named", bool(found) or None)
        seen = proof.cosignatures(receipt["checkpoint"], keys.witnesses) if found else ()
        note(", ".join(f"{one.witness} at {iso(one.time)}" for one in seen) or "no witness we know", bool(seen) or None)
        note(*_same_log(found, checkpoint, keys, read_tile))
        note(_counted(receipt))
    except Unverified as refused:
        note(refused.why, passed=False)
        refused.checks = tuple(made)
        raise
    verdict = "key_revoked" if key.withdrawn else "authentic" if found else "not_pinned"
    return Checked(verdict, tuple(made), key, receipt, found, seen)


def _read(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members, of the right kinds, and the proof without its value."""
    if len(content) > LARGEST:
        raise _malformed(f"it is larger than {LARGEST >> 20} MiB")
    if content.count(b"[") + content.count(b"{") > _MOST_GROUPS:
        raise _malformed("it has more parts than a receipt can have")
    try:
        receipt = strictjson.loads(content, most=LARGEST)
        integrity.canonical(receipt)  # refuses halves of surrogate pairs
    except (ValueError, RecursionError) as refused:  # NotStrict is a ValueError
        raise _malformed(f"not the JSON of a receipt ({type(refused).__name__})") from None
    if not _has(receipt, _MEMBERS):
        raise _malformed("it has not the members of a receipt")
    if receipt["type"] != TYPE or receipt["version"] != VERSION:
        raise _malformed("it is of a type or a version we do not know")
    if not _TIME.fullmatch(receipt["checked_at"]) or not 0 <= receipt["position"] < _WHOLE:
        raise _malformed("a time or a position that is none")
    if len(receipt["lists"]) > _MOST_LISTS or not all(_has(one, _LIST) for one in receipt["lists"]):
        raise _malformed("its lists are of another kind")
    if not all(type(count) is int for count in receipt["counts"].values()):
        raise _malformed("its counts are of another kind")
    _rows(receipt["rows"])
    return receipt, _options(receipt)


def _options(receipt: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(receipt["proof"])
    if not _has(options, _PROOF):
        raise _malformed("it has no proof of the kind we know")
    del options["proofValue"]
    known = {"type": "DataIntegrityProof", "cryptosuite": integrity.JCS, "proofPurpose": "assertionMethod"}
    if any(options[name] != value for name, value in known.items()) or options["created"] != receipt["checked_at"]:
        raise _malformed("its proof is of another kind, or of another time")
    return options


def _rows(rows: Sequence[Any]) -> None:
    if not 0 < len(rows) <= MOST_ROWS:
        raise _malformed(f"a receipt has from 1 to {MOST_ROWS} rows")
    last = 0
    for one in rows:
        if not _has(one, _ROW) or one["verdict"] not in ROW_VERDICTS:
            raise _malformed(f"the row after {last} is not of the kind we know")
        if not last < one["row"] < _WHOLE or not 0 <= one["same_as"] < one["row"]:
            raise _malformed(f"the row after {last} is out of order")
        last = one["row"]


def _has(value: Any, members: Mapping[str, type]) -> bool:
    return (
        type(value) is dict
        and value.keys() == members.keys()
        and all(type(value[name]) is kind for name, kind in members.items())
    )


def _key(receipt: Mapping[str, Any], options: Mapping[str, Any], keys: KeyRing) -> Key:
    key = keys.named(options["verificationMethod"], "status")
    if key.controller not in (receipt["issuer"], f"{receipt['issuer']}:status"):
        raise Unverified("issuer_mismatch", f"it names {receipt['issuer']}, its key belongs to {key.controller}")
    return key


def _signature(given: Mapping[str, str]) -> bytes:
    signature = multibase.decode(given["proofValue"], _SIGNATURE)
    if signature is None:
        raise _malformed("its proof is no signature")
    return signature


def _counted(receipt: Mapping[str, Any]) -> str:
    if receipt["counts"] != counts(receipt["rows"]):
        raise Unverified("tampered", "the counts are not those of the rows")
    return f"{receipt['counts']['rows']} rows"


def _same_log(
    found: Checkpoint | None, published: bytes | None, keys: KeyRing, read_tile: Read | None
) -> tuple[str, bool | None]:
    """Of two checkpoints of one size that differ, one is of a log that was forked; a larger one holds the smaller."""
    if found is None or published is None:
        return "no checkpoint to compare it with", None
    known = proof.read_checkpoint(published, keys.logs)
    if known.origin != found.origin or known.size < found.size:
        return "the checkpoint at hand is an earlier one, or another log's", None
    if known.size > found.size:
        grown = f"it has grown to {known.size} events since"
        if read_tile is None:
            return f"{grown}; the tiles that show that it still holds these are not here: verify sync --tiles", None
        try:
            hashes = tiles.consistency(found.size, known.size, tiles.nodes(known.size, read_tile))
        except OSError:
            return f"{grown}, and there are not the tiles to show that it still holds these", None
        proof.check_consistency(found.size, found.root, known.size, known.root, hashes)
        return f"{grown}, and holds all that it held", True
    if known.root != found.root:
        raise Unverified("tampered", "the log you know has another root at this size: it was forked")
    return "the checkpoint is the one published", True


def _malformed(why: str) -> Unverified:
    return Unverified("malformed", why)
