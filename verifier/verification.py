"""The numbered checks of a certificate, in their order, and what they established."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from verifier import proof, strictjson
from verifier.certificate import Certificate, Sealed, unseal
from verifier.keys import Key, KeyRing
from verifier.proof import Cosignature
from verifier.status import CONDITION_OF, SIZE, Statuses, StatusList
from verifier.verdict import (
    PROOF_REFUSED,
    VERDICTS,
    Check,
    Condition,
    Kind,
    Notice,
    Unverified,
    Words,
    decide,
    instant,
    iso,
    sentence,
)

__all__ = ["CHECKS", "LOG_CHECK", "STATUS_CHECK", "Verified", "iso", "prove", "refusal", "verify"]

CHECKS: Final = (
    "it has the shape of a certificate",
    "it leads to the registry's own address",
    "it names a key we trust to sign certificates",
    "that key signed these claims",
    "the key belongs to the issuer they name",
    "the registry's log holds it",
    "the key was not withdrawn",
    "its time has begun",
    "it was not revoked, suspended or replaced",
    "it has not expired",
)
_NOTED: Final = {"listed_revoked", "listed_suspended", "listed_superseded"}
LOG_CHECK: Final = 6
STATUS_CHECK: Final = 9


@dataclass(frozen=True, slots=True)
class Verified:
    """An authentic certificate and how it stands: only the verdict `valid` is good."""

    verdict: str
    certificate: Certificate
    key: Key
    checks: tuple[Check, ...]
    as_of: datetime | None = None
    """When the issuer made the status list that was read."""
    notice: Notice | None = None
    log_position: int | None = None
    cosignatures: tuple[Cosignature, ...] = ()
    """The witnesses we know that cosigned the checkpoint of the log proof."""
    kind: Kind = "certificate"

    @property
    def exit(self) -> int:
        return VERDICTS[self.verdict].exit

    def sentence(self, lang: str = "en") -> str:
        return sentence(self.verdict, lang, self.notice, self.kind)

    def words(self, lang: str = "en") -> Words:
        return VERDICTS[self.verdict].words(lang, self.kind)


class _Log:
    """The checks made so far, and the conditions of the table that they found."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.conditions: set[Condition] = set()

    def note(self, found: str, *, passed: bool | None = True) -> None:
        number = len(self.checks)
        self.checks.append(Check(number + 1, CHECKS[number], passed, found))

    def found(self, condition: Condition, found: str, *, passed: bool | None = False) -> None:
        self.conditions.add(condition)
        self.note(found, passed=passed)


def verify(
    text: str,
    keys: KeyRing,
    statuses: Statuses | None = None,
    *,
    at: datetime,
    prefixes: Collection[str] | None = None,
    log_proof: str | bytes | None = None,
) -> Verified:
    """What the text of a QR code shows to be true at that time; raises Unverified if that is nothing.

    `prefixes` are the addresses it may lead to: None for those of the key ring, an empty one for any.
    `log_proof` is a proof file: it must be this certificate's, from a log whose key is in the key ring.
    """
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    log = _Log()
    try:
        sealed, key, proved = _authentic(text, keys, keys.prefixes if prefixes is None else prefixes, log_proof, log)
    except Unverified as refused:
        log.note(refused.why, passed=False)
        refused.checks = tuple(log.checks)
        raise
    certificate = sealed.certificate
    if sealed.kind == "letter":
        log.conditions.add("letter")
    now = int(at.timestamp() // 1)  # the last good second is good to its end
    _look_at_key(key, proved.cosignatures if proved else (), log)
    listed = _standing(certificate, keys, statuses, now, log)
    row = decide(log.conditions)
    notice = None
    if listed is not None and statuses is not None and row.condition in _NOTED:
        notes = statuses.notes_of(certificate.status_uri, keys)
        if notes is not None and not notes.untimely(now) and notes.controller == listed.controller:
            notice = notes.get(certificate.status_index)
    return Verified(
        row.name,
        certificate,
        key,
        tuple(log.checks),
        instant(listed.issued_at) if listed else None,
        notice,
        proved.position if proved else None,
        proved.cosignatures if proved else (),
        sealed.kind,
    )


def _authentic(
    text: str, keys: KeyRing, prefixes: Collection[str], log_proof: str | bytes | None, log: _Log
) -> tuple[Sealed, Key, Proved | None]:
    sealed = unseal(text)
    certificate, envelope = sealed.certificate, sealed.envelope
    log.note(f"key {envelope.kid.hex()}")
    if prefixes and sealed.prefix not in prefixes:
        raise Unverified("wrong_domain", f"it leads to {sealed.prefix}")
    log.note(sealed.prefix, passed=True if prefixes else None)
    key = keys.for_certificates(envelope.kid)
    log.note(key.id)
    key.check(envelope)
    log.note("Ed25519")
    if certificate.issuer != key.controller:
        raise Unverified("issuer_mismatch", f"they name {certificate.issuer}, it belongs to {key.controller}")
    log.note(key.controller)
    if log_proof is None:
        log.note("no proof was given", passed=None)
        return sealed, key, None
    proved = prove(certificate, log_proof, keys)
    if proved is None:
        log.note("a withdrawn key of the log signed the proof, and no witness we know saw it before", passed=None)
        return sealed, key, None
    words = [f"at position {proved.position}"]
    words += [f"cosigned by {one.witness} at {iso(one.time)}" for one in proved.cosignatures]
    log.note(", ".join(words))
    return sealed, key, proved


def _look_at_key(key: Key, cosignatures: Collection[Cosignature], log: _Log) -> None:
    """What a withdrawn key signed is believed where a witness saw its issue in the log before the key was another's.

    The log's own signature is no witness: who steals one key may have stolen both.
    """
    seen = [one for one in cosignatures if key.was_good_at(one.time)]
    if key.withdrawn is None:
        log.note("")
    elif seen:
        first = min(seen, key=lambda one: one.time)
        log.note(
            f"withdrawn since {key.withdrawn}, and believed of this one: {first.witness} saw it in the log before, at"
            f" {iso(first.time)}"
        )
    else:
        log.found("key_withdrawn", f"withdrawn since {key.withdrawn}, and no witness we know saw it in the log before")


def _standing(
    certificate: Certificate, keys: KeyRing, statuses: Statuses | None, now: int, log: _Log
) -> StatusList | None:
    """Finds all that is to be said of its time and status; gives the status list if one had its say."""
    if now < certificate.valid_from:
        log.found("early", f"begins {iso(certificate.valid_from)}")
    else:
        log.note(f"since {iso(certificate.valid_from)}")
    listed = None
    try:
        listed, status = _listed(certificate, keys, statuses, now)
    except Unverified as unknown:
        log.found("unlisted", unknown.why, passed=None)
    else:
        condition = CONDITION_OF[status]
        good = condition == "listed_good"
        log.found(condition, f"{decide({condition}).name} as of {iso(listed.issued_at)}", passed=good)
    if now > certificate.expires_at:
        log.found("late", f"expired {iso(certificate.expires_at)}")
    else:
        log.note(f"good through {iso(certificate.expires_at)}")
    return listed


def _listed(certificate: Certificate, keys: KeyRing, statuses: Statuses | None, now: int) -> tuple[StatusList, int]:
    if statuses is None:
        raise Unverified("status_unknown", "no status list was given")
    listed = statuses.list_at(certificate.status_uri, keys)
    if listed.controller not in {certificate.issuer, f"{certificate.issuer}:status"}:
        raise Unverified("status_unknown", "the list was signed by another issuer")
    if why := listed.untimely(now):
        raise Unverified("status_unknown", why)
    status = listed[certificate.status_index]
    if status not in CONDITION_OF:
        raise Unverified("status_unknown", f"the list has a status {status} that we do not know")
    return listed, status


@dataclass(frozen=True, slots=True)
class Proved:
    """The position in the log of the event that issued a certificate, and who witnessed the checkpoint."""

    position: int
    cosignatures: tuple[Cosignature, ...]


def prove(certificate: Certificate, log_proof: str | bytes, keys: KeyRing) -> Proved | None:
    """What `log_proof` proves of this certificate; the bad line of a witness we know refuses it.

    None, which is as good as no proof: only a withdrawn key of the log signed it, and no witness saw it before.
    """
    read = proof.read_proof(log_proof)
    signed_by = proof.check_proof(read, (*keys.logs, *keys.withdrawn_logs)).signed_by
    cosignatures = proof.cosignatures(read.checkpoint, keys.witnesses)
    issued = _issued(read.extra)
    position, stream, _, topic, _ = issued.entry
    state = issued.state
    if topic != "certificate.issued" or state.get("cti") != certificate.cti.hex():
        raise Unverified("tampered", "the proof is of another event than this certificate's issue")
    if position != read.index + 1 or read.index != certificate.log_index:
        raise Unverified("tampered", "the proof is of another position than the certificate states")
    if not certificate.status_uri.endswith(f"/s/{read.index // SIZE + 1}"):
        raise Unverified("tampered", "the certificate names another status list than its place in the log has")
    if stream != f"endorsement/{certificate.number}" or _stated(state) != _claimed(certificate):
        raise Unverified("tampered", "the log has other facts of this certificate than it states")
    logs = [keys.withdrawn_logs.get(line) for line in signed_by]
    if not any(key is None or any(key.was_good_at(one.time) for one in cosignatures) for key in logs):
        return None
    return Proved(int(position), cosignatures)


@dataclass(frozen=True, slots=True)
class _Issued:
    entry: list[Any]
    state: dict[str, Any]


def _issued(extra: bytes) -> _Issued:
    """The preimage of the event's entry in the log; the proof already binds its every byte."""
    try:
        match strictjson.loads(extra):
            case [int(), str(), int(), str(), str(state)] as entry:
                event = strictjson.loads(urlsafe_b64decode(state + "=" * (-len(state) % 4)))
                if type(event) is dict:
                    return _Issued(entry, event)
    except (strictjson.NotStrict, binascii.Error, ValueError):
        pass
    raise Unverified("malformed", "the proof does not carry an event of ours")


def _stated(state: dict[str, Any]) -> tuple[Any, ...]:
    return (
        state.get("number"),
        state.get("category"),
        state.get("association"),
        _seconds(state.get("valid_from")),
        _seconds(state.get("expires_at")),
        state.get("replaces", ""),
    )


def _claimed(certificate: Certificate) -> tuple[Any, ...]:
    return (
        certificate.number,
        certificate.category,
        certificate.association,
        certificate.valid_from,
        certificate.expires_at,
        certificate.replaces.hex() if certificate.replaces else "",
    )


def _seconds(time: Any) -> int | None:
    try:
        return int(datetime.fromisoformat(time).timestamp() // 1)
    except (TypeError, ValueError, OverflowError):
        return None


def refused_words(refused: Unverified, lang: str = "en") -> Words:
    """What to say of what is not authentic; a log proof that was refused has words of its own."""
    return PROOF_REFUSED[lang] if len(refused.checks) == LOG_CHECK else VERDICTS[refused.verdict].words(lang)


def refusal(refused: Unverified, lang: str = "en") -> str:
    return refused_words(refused, lang).sentence
