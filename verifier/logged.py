"""A proof file by itself: what it shows of the log, and that it is no certificate."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from verifier import proof
from verifier.keys import KeyRing
from verifier.proof import Cosignature, LogProof
from verifier.verdict import VERDICTS, Check, Kind, Unverified, Words, decide, iso
from verifier.verification import believed

PROOF_CHECKS: Final = (
    "it has the shape of a log proof",
    "a key of the log signed its checkpoint",
    "the log of that checkpoint holds the entry",
    "that key was not withdrawn",
    "witnesses saw that checkpoint",
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Entry(NamedTuple):
    """What a proof file says of the entry it proves. `on`: the day, empty where the event has none."""

    topic: str
    stream: str
    position: int
    on: str

    def __str__(self) -> str:
        day = f" of {self.on}" if self.on else ""
        return f"{self.topic}{day} in {self.stream}, at position {self.position}"


class Logged(NamedTuple):
    """An entry that is in the log: never good by itself, for it says nothing of how an endorsement stands."""

    verdict: str
    entry: Entry
    checks: tuple[Check, ...]
    cosignatures: tuple[Cosignature, ...]
    specimen: bool
    kind: Kind = "proof"

    @property
    def exit(self) -> int:
        return VERDICTS[self.verdict].exit

    def sentence(self, lang: str = "en") -> str:
        return self.words(lang).sentence

    def words(self, lang: str = "en") -> Words:
        return VERDICTS[self.verdict].words(lang, self.kind)


def verify_proof(log_proof: str | bytes, keys: KeyRing) -> Logged:
    """What a proof file shows, with no certificate beside it; raises Unverified if that is nothing."""
    checks: list[Check] = []

    def note(found: str, *, passed: bool | None = True) -> None:
        checks.append(Check(len(checks) + 1, PROOF_CHECKS[len(checks)], passed, found))

    try:
        read = proof.read_proof(log_proof)
        recorded = proof.event_in(read.extra)
        note("")
        checkpoint = proof.read_checkpoint(read.checkpoint, _log_keys(keys))
        note(f"{checkpoint.origin}, {checkpoint.size} entries")
        proof.check_held(read, checkpoint)
        entry = _entry(read, recorded)
        note(str(entry))
        cosignatures = proof.cosignatures(read.checkpoint, keys.witnesses)
    except Unverified as refused:
        note(refused.why, passed=None if refused.verdict == "cannot_check" else False)
        refused.checks, refused.kind = tuple(checks), "proof"
        raise
    good = believed(checkpoint.signed_by, cosignatures, keys)
    note("" if good else "withdrawn, and no witness we know saw it before", passed=good)
    seen = ", ".join(f"{one.witness} at {iso(one.time)}" for one in cosignatures)
    note(seen or "none that we know", passed=bool(cosignatures) or None)
    row = decide({"letter", "listed_good"} if good else {"key_withdrawn"})
    return Logged(row.name, entry, tuple(checks), cosignatures, any(key.specimen for key in keys))


def _log_keys(keys: KeyRing) -> tuple[str, ...]:
    if not keys.logs and not keys.withdrawn_logs:
        raise Unverified("cannot_check", "no key of the log is at hand: --log VKEY, or --static DIR")
    return *keys.logs, *keys.withdrawn_logs


def _entry(read: LogProof, recorded: proof.Recorded) -> Entry:
    position, stream, _, topic, _ = recorded.entry
    if position != read.index + 1:
        raise Unverified("tampered", "the entry names another position than the proof")
    on = recorded.state.get("on")
    return Entry(topic, stream, position, on if type(on) is str and _DAY.fullmatch(on) else "")
