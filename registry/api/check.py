"""The check of a certificate by the server, from the files of the static plane alone: no database, no log of it."""

from datetime import datetime
from pathlib import Path
from typing import Any

from verifier import files, status
from verifier.keys import KeyRing, read_keys_json
from verifier.logged import Logged, verify_proof
from verifier.status import Statuses
from verifier.verdict import LANGUAGES, VERDICTS, Unverified
from verifier.verification import Verified, iso, refusal, refused_words, verify_found

LONGEST_UPLOAD = 12 << 20


class NotServed(Exception):
    """The plane has no keys yet: nothing can be said, neither valid nor invalid."""


class Checker:
    """Holds the keys and lists it has read, until their files change."""

    def __init__(self, static: Path) -> None:
        self._static = static
        self._statuses = Statuses(status.folder(static))
        self._ring: tuple[bytes, KeyRing] | None = None

    def check(self, content: bytes, at: datetime) -> dict[str, Any]:
        """What a certificate's text, picture or PDF is worth at that time. Raises NotServed."""
        ring = self._keys()
        result: Verified | Logged | Unverified
        try:
            found = files.find(content)
            if found.is_proof:
                return _report(verify_proof(found.log_proof or b"", ring), at)
            proof = found.log_proof if ring.logs else None
            result = verify_found(found, ring, self._statuses, at=at, log_proof=proof)
        except Unverified as refused:
            result = refused
        return _report(result, at)

    def _keys(self) -> KeyRing:
        try:
            text = (self._static / "keys.json").read_bytes()
        except OSError:
            raise NotServed from None
        if self._ring is None or self._ring[0] != text:
            try:
                self._ring = text, read_keys_json(text)
            except Unverified:
                raise NotServed from None
        return self._ring[1]


def unserved(at: datetime) -> dict[str, Any]:
    """What is said where there are no keys."""
    return _report(Unverified("cannot_check", "the keys are not published yet"), at)


def _report(result: Verified | Logged | Unverified, at: datetime) -> dict[str, Any]:
    """Of a certificate that is not authentic no claim is repeated."""
    row = VERDICTS[result.verdict]
    report: dict[str, Any] = {
        "kind": result.kind,
        "verdict": result.verdict,
        "exit": row.exit,
        "look": row.look,
        "sentences": {},
        "words": {},
        "checked_at": iso(int(at.timestamp())),
        "as_of": None,
        "specimen": False,
        "certificate": None,
        "entry": None,
        "log_position": None,
        "checks": [check._asdict() for check in result.checks],
    }
    if isinstance(result, Unverified):
        return report | {
            "sentences": {lang: refusal(result, lang) for lang in LANGUAGES},
            "words": {lang: refused_words(result, lang)._asdict() for lang in LANGUAGES},
        }
    report |= {
        "sentences": {lang: result.sentence(lang) for lang in LANGUAGES},
        "words": {lang: result.words(lang)._asdict() for lang in LANGUAGES},
    }
    if not isinstance(result, Verified):
        return report | {
            "specimen": result.specimen,
            "log_position": result.entry.position,
            "entry": result.entry._asdict(),
        }
    certificate = result.certificate
    return report | {
        "as_of": iso(int(result.as_of.timestamp())) if result.as_of else None,
        "specimen": result.key.specimen,
        "log_position": result.log_position,
        "certificate": {
            "name": certificate.name,
            "number": certificate.number,
            "category": certificate.category,
            "association": certificate.association,
            "valid_from": iso(certificate.valid_from),
            "expires_at": iso(certificate.expires_at),
            "issuer": certificate.issuer,
        },
    }
