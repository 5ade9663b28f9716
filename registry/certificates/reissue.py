"""Signs certificates and letters anew whose key has ended: another `certificate.signed` or `application.letter_signed`
for each, claims and slots stay.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg import Connection

from domain.application import Application
from domain.endorsement import Endorsement
from domain.errors import Conflict
from registry.certificates import documents
from registry.certificates.documents import KnownKey, KnownKeys
from registry.certificates.keys import KeyFolder
from registry.certificates.status import Row, read
from registry.store import Store

BATCH: Final = 500
"""Certificates signed anew in one commit."""

_ISSUED: Final = Endorsement.CertificateIssued.topic
_SIGNED: Final = Endorsement.CertificateSigned.topic
_LETTER: Final = Application.LetterIssued.topic
_LETTER_SIGNED: Final = Application.LetterSigned.topic
_ATTEMPTS: Final = 5

Progress = Callable[[int, int], None]


class Signature(msgspec.Struct):
    """By which keys a certificate, or a letter, is signed now: the newest `certificate.signed` of its cti says, or
    `application.letter_signed`.
    """

    stream: str
    cti: str
    position: int
    """Of the certificate's issue: leaf index + 1."""
    expires_at: datetime
    kid: str = ""
    jwt: str = ""
    former: frozenset[str] = frozenset()
    """The keys that signed it before."""

    @property
    def is_letter(self) -> bool:
        """It has no badge, and so no JWT."""
        return self.stream.startswith(f"{Application.kind}/")

    @property
    def number(self) -> str:
        return self.stream.partition("/")[2]


class _Fact(msgspec.Struct):
    cti: str
    expires_at: datetime = datetime.max.replace(tzinfo=UTC)
    kid: str = ""
    jwt: str = ""


class Signatures:
    """Of every certificate and letter there is, in the order in which they were issued; grows with the log."""

    def __init__(self) -> None:
        self.position = 0
        self.keys = KnownKeys()
        self._of: dict[tuple[str, str], Signature] = {}
        self._decode = msgspec.json.Decoder(_Fact).decode

    def advance(self, connection: Connection[Any]) -> None:
        row = connection.execute("SELECT coalesce(max(notification_id), 0) FROM registry.events").fetchone()
        last = int(row[0]) if row else 0
        for one in read(
            connection, (_ISSUED, _SIGNED, _LETTER, _LETTER_SIGNED, *documents.TOPICS), self.position, last
        ):
            self._take(one)
        self.position = last

    def by(self, kids: Collection[str], now: datetime) -> list[Signature]:
        """The unexpired ones that one of these keys signs, as COSE and JSON or as JWT."""
        return [one for one, names in self._unexpired(now) if names & set(kids)]

    def to_hand_out(self, kids: Collection[str], now: datetime) -> list[str]:
        """The endorsements whose newest certificate has not expired, and one of these keys signs or signed it."""
        newest = {one.stream: one.cti for one in self._of.values() if not one.is_letter}
        touched = ((one, names | one.former) for one, names in self._unexpired(now))
        return [one.number for one, names in touched if names & set(kids) and newest.get(one.stream) == one.cti]

    def counts(self, now: datetime) -> Mapping[str, int]:
        """Of each key, how many unexpired certificates and letters it signs."""
        return Counter(kid for _, names in self._unexpired(now) for kid in names)

    def _unexpired(self, now: datetime) -> Iterator[tuple[Signature, set[str]]]:
        oldest = oldest_jwt(self.keys)
        for one in self._of.values():
            if one.expires_at >= now:
                yield one, {one.kid, "" if one.is_letter else one.jwt or oldest} - {""}

    def _take(self, row: Row) -> None:
        position, stream, topic, state = row
        if topic in documents.TOPICS:
            self.keys.advance([row])
            return
        fact = self._decode(state)
        found = self._of.setdefault((stream, fact.cti), Signature(stream, fact.cti, position, fact.expires_at))
        if topic in (_ISSUED, _LETTER):
            found.expires_at = fact.expires_at
        if topic != _ISSUED:
            found.former |= {found.kid, found.jwt}
            found.kid, found.jwt = fact.kid, fact.jwt


def oldest_jwt(keys: KnownKeys) -> str:
    """The key of the JWT of a certificate that names none; empty while there is none."""
    return min(((key.start, key.kid) for key in keys.of("jwt")), default=(None, ""))[1]


def gone(keys: KnownKeys, folder: KeyFolder, now: datetime) -> list[KnownKey]:
    """The keys of certificates that sign no more: withdrawn, or retired and destroyed."""
    return [
        key
        for use in ("certificate", "jwt")
        for key in keys.of(use)
        if key.withdrawn or (key.ended(now) and not folder.has(key.kid))
    ]


class Reissue:
    """May be killed anywhere and run again, also twice at once: no certificate is signed anew twice."""

    def __init__(self, store: Store, folder: KeyFolder, keys: KnownKeys, *, by: str, now: datetime) -> None:
        """Raises KeysUnusable where there is no key to sign with now."""
        self._store = store
        self._by = by
        self._on = now.date()
        self._oldest = oldest_jwt(keys)
        self._kid = keys.signer(folder, "certificate", now).kid
        self._jwt = keys.signer(folder, "jwt", now).kid if folder.newest("jwt", now) else ""

    def sign(self, due: Sequence[Signature], kids: Collection[str], progress: Progress) -> int:
        """Record who signs each of these from now on, where one of `kids` does; how many were recorded."""
        recorded = 0
        for at in range(0, len(due), BATCH):
            recorded += self._batch(due[at : at + BATCH], frozenset(kids))
            progress(min(at + BATCH, len(due)), len(due))
        return recorded

    def _batch(self, due: Sequence[Signature], kids: frozenset[str]) -> int:
        for _ in range(_ATTEMPTS):
            changed = self._decided(due, kids)
            # One of them may be renewed meanwhile, or somebody else does this too: then look again.
            with suppress(Conflict):
                return len(self._store.save(*changed).events)
        return len(self._store.save(*self._decided(due, kids)).events)

    def _decided(self, due: Sequence[Signature], kids: frozenset[str]) -> list[Endorsement | Application]:
        """The endorsements and applications with what is new, by what is recorded of each at this moment."""
        cases: dict[str, Endorsement | Application] = {}
        signed: dict[tuple[str, str], tuple[str, str]] = {}
        for _, event in self._store.events_of(sorted({one.stream for one in due})):
            stream = event.originator_id
            if stream not in cases:
                kind, _, name = stream.partition("/")
                cases[stream] = Application(name) if kind == Application.kind else Endorsement(name)
            cases[stream].remember(event)
            match event:
                case Endorsement.CertificateSigned():
                    signed[stream, event.cti] = event.kid, event.jwt
                case Application.LetterIssued() | Application.LetterSigned():
                    signed[stream, event.cti] = event.kid, ""
        for one in due:
            kid, jwt = signed.get((one.stream, one.cti), ("", ""))
            ours, badges = kid in kids, (jwt or self._oldest) in kids
            case = cases[one.stream]
            if isinstance(case, Application):
                if ours:
                    case.sign_letter(one.cti, self._kid, on=self._on, by=self._by)
            elif ours or badges:
                jwt = self._jwt if badges else jwt
                case.sign_certificate(one.cti, self._kid if ours else kid, jwt, on=self._on, by=self._by)
        return list(cases.values())


GRACE: Final = timedelta(minutes=2)
"""After a key's end, for what was decided a moment before and is recorded a moment after."""


def to_bury(keys: KnownKeys, folder: KeyFolder, now: datetime) -> list[KnownKey]:
    """The keys whose private half is here and has no use any more: withdrawn, or retired a while ago."""
    found = [key for facts in folder.facts() if (key := keys.get(facts.kid))]
    return [key for key in found if key.withdrawn or (key.until and key.until + GRACE <= now)]


def bury(store: Store, folder: KeyFolder, signatures: Signatures, *, by: str, now: datetime) -> list[str]:
    """Destroy those private halves; their kids.

    What a retired key signed stays good on paper, but its files could not be made again: so these certificates are
    signed by the present key first. Those of a withdrawn one wait for `registry certificates reissue`.
    """
    buried = []
    for key in to_bury(signatures.keys, folder, now):
        due = [] if key.withdrawn else signatures.by([key.kid], now)
        if due:
            Reissue(store, folder, signatures.keys, by=by, now=now).sign(due, [key.kid], _quietly)
        if folder.destroy(key.kid):
            buried.append(key.kid)
    return buried


def _quietly(_done: int, _of: int) -> None:
    """Nobody waits for it."""
