"""The numbered checks of a certificate, in their order, and what they established."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from verifier import named, proof
from verifier.certificate import Badge, Certificate, Sealed, prefix, unseal
from verifier.keys import Key, KeyRing
from verifier.proof import Cosignature
from verifier.status import CONDITION_OF, SIZE, Signed, Statuses, StatusList
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

if TYPE_CHECKING:
    from verifier import badge as badges
    from verifier.bitstring import BitList
    from verifier.files import Found

__all__ = [
    "CHECKS",
    "LOG_CHECK",
    "STATUS_CHECK",
    "Verified",
    "believed",
    "iso",
    "prove",
    "refusal",
    "verify",
    "verify_badge",
    "verify_found",
]

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
_NAMES: Final = {row.condition: row.name for row in VERDICTS.values()}
LOG_CHECK: Final = 6
STATUS_CHECK: Final = 9


class Verified(NamedTuple):
    """An authentic certificate and how it stands: only the verdict `valid` is good."""

    verdict: str
    certificate: Certificate | Badge
    key: Key
    checks: tuple[Check, ...]
    as_of: datetime | None = None
    """When the issuer made the status list that was read."""
    notice: Notice | None = None
    log_position: int | None = None
    cosignatures: tuple[Cosignature, ...] = ()
    """The witnesses we know that cosigned the checkpoint of the log proof."""
    kind: Kind = "certificate"
    conditions: frozenset[Condition] = frozenset()
    """What the checks found, of which the verdict is the first row."""

    @property
    def exit(self) -> int:
        return VERDICTS[self.verdict].exit

    def sentence(self, lang: str = "en") -> str:
        return sentence(self.verdict, lang, self.notice, self.kind)

    def words(self, lang: str = "en") -> Words:
        return VERDICTS[self.verdict].words(lang, self.kind)


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
    run = _Run(keys, statuses, at, prefixes)
    try:
        sealed, key = run.authentic(text)
        certificate = sealed.certificate
        proved = run.logged(certificate, log_proof)
    except Unverified as refused:
        raise run.refused(refused) from None
    if sealed.kind == "letter":
        run.conditions.add("letter")
    run.look_at_key(key, proved)
    run.begun(certificate.valid_from)
    listed = run.listed(certificate)
    run.not_expired(certificate.expires_at)
    return run.verdict(certificate, sealed.kind, key, listed, proved)


def verify_badge(
    content: bytes,
    keys: KeyRing,
    statuses: Statuses | None = None,
    *,
    at: datetime,
    prefixes: Collection[str] | None = None,
    log_proof: str | bytes | None = None,
) -> Verified:
    """The same of a badge, as JSON by its jcs proof or as JWT; its issuer must be at one of the `prefixes`."""
    run = _Run(keys, statuses, at, prefixes)
    try:
        sealed, key = run.authentic_badge(content)
        proved = run.logged(sealed.badge, log_proof)
    except Unverified as refused:
        raise run.refused(refused) from None
    run.look_at_key(key, proved)
    run.begun(sealed.credential.begins)
    listed = run.listed(sealed.badge)
    run.not_expired(sealed.credential.ends)
    return run.verdict(sealed.badge, "badge", key, listed, proved)


def verify_found(
    found: Found,
    keys: KeyRing,
    statuses: Statuses | None = None,
    *,
    at: datetime,
    prefixes: Collection[str] | None = None,
    log_proof: str | bytes | None = None,
) -> Verified:
    """The same of what a file holds; its own log proof is not looked at unless it is given.

    Where it holds a code and a badge both must be authentic and of one certificate, and what either of them is found to
    be counts. The log proof is that of the code; a badge that was issued again has another.
    """
    if found.badge is None:  # nothing but a proof is no certificate: see `logged`
        return verify(found.text or "", keys, statuses, at=at, prefixes=prefixes, log_proof=log_proof)
    if found.text is None:
        return verify_badge(found.badge, keys, statuses, at=at, prefixes=prefixes, log_proof=log_proof)
    refusals: list[Unverified] = []
    code = badge = None
    try:
        code = verify(found.text, keys, statuses, at=at, prefixes=prefixes, log_proof=log_proof)
    except Unverified as refused:
        refusals.append(refused)
    try:
        badge = _verify_badge_beside(found.badge, keys, statuses, at=at, prefixes=prefixes, log_proof=log_proof)
    except Unverified as refused:
        refusals.append(refused)
    if code is None or badge is None:
        order = list(VERDICTS)
        raise min(refusals, key=lambda refused: order.index(refused.verdict))
    if not _are_one(code.certificate, badge.certificate):
        raise _Run(keys, statuses, at, prefixes).refused(
            Unverified("malformed", "the code and the badge in it are of two certificates")
        )
    conditions = code.conditions | badge.conditions
    if "unlisted" not in code.conditions & badge.conditions:
        conditions -= {"unlisted"}  # one list is enough to know
    row = decide(conditions)
    telling = code if row.name == code.verdict else badge
    return telling._replace(
        verdict=row.name,
        conditions=conditions,
        log_position=code.log_position,
        cosignatures=code.cosignatures,
    )


def _verify_badge_beside(
    content: bytes,
    keys: KeyRing,
    statuses: Statuses | None,
    *,
    at: datetime,
    prefixes: Collection[str] | None,
    log_proof: str | bytes | None,
) -> Verified:
    """A badge beside a code, to whose event the log proof belongs: also this badge's, unless it was issued again."""
    try:
        return verify_badge(content, keys, statuses, at=at, prefixes=prefixes, log_proof=log_proof)
    except Unverified as refused:
        if log_proof is None or len(refused.checks) != LOG_CHECK:
            raise
    return verify_badge(content, keys, statuses, at=at, prefixes=prefixes)


def _are_one(code: Certificate | Badge, badge: Certificate | Badge) -> bool:
    """One certificate: badges that were issued again for it have other ids, but all the same subject."""
    from verifier.badge import subject_of  # noqa: PLC0415 - as authentic_badge

    if not isinstance(code, Certificate) or not isinstance(badge, Badge):
        return False
    stated = [(one.issuer, one.number, one.name, one.category, one.association) for one in (code, badge)]
    return stated[0] == stated[1] and badge.subject == subject_of(code.cti)


class _Run:
    """The checks of one certificate: those made so far, and the conditions of the table that they found."""

    def __init__(
        self, keys: KeyRing, statuses: Statuses | None, at: datetime, prefixes: Collection[str] | None
    ) -> None:
        if at.tzinfo is None:
            raise ValueError("a time without its zone")
        self._keys, self._statuses = keys, statuses
        self._now = int(at.timestamp() // 1)  # the last good second is good to its end
        self._prefixes = keys.prefixes if prefixes is None else prefixes
        self.checks: list[Check] = []
        self.conditions: set[Condition] = set()

    def note(self, found: str, *, passed: bool | None = True) -> None:
        number = len(self.checks)
        self.checks.append(Check(number + 1, CHECKS[number], passed, found))

    def found(self, condition: Condition, found: str, *, passed: bool | None = False) -> None:
        self.conditions.add(condition)
        self.note(found, passed=passed)

    def refused(self, refused: Unverified) -> Unverified:
        self.note(refused.why, passed=False)
        refused.checks = tuple(self.checks)
        return refused

    def authentic(self, text: str) -> tuple[Sealed, Key]:
        sealed = unseal(text)
        envelope = sealed.envelope
        self.note(f"key {envelope.kid.hex()}")
        self._leads(sealed.prefix, f"it leads to {sealed.prefix}", sealed.prefix)
        key = self._keys.for_certificates(envelope.kid)
        self.note(key.id)
        key.check(envelope)
        self.note("Ed25519")
        self._issued_by(sealed.certificate.issuer, key)
        return sealed, key

    def authentic_badge(self, content: bytes) -> tuple[badges.Sealed, Key]:
        from verifier import badge as badges  # noqa: PLC0415 - a code, the most frequent of all, needs none of it

        sealed = badges.unseal(content)
        received = sealed.credential
        self.note(f"key {received.signed.key}")
        host = received.issuer.removeprefix("did:web:").partition(":")[0].replace("%3A", ":")
        self._leads(prefix(host), f"its issuer is {received.issuer}", received.issuer)
        key = received.key(self._keys)
        self.note(key.id)
        received.signed.check(key)
        self.note(received.algorithm)
        self._issued_by(received.issuer, key)
        return sealed, key

    def _leads(self, address: str, why: str, found: str) -> None:
        if self._prefixes and address not in self._prefixes:
            raise Unverified("wrong_domain", why)
        self.note(found, passed=True if self._prefixes else None)

    def _issued_by(self, issuer: str, key: Key) -> None:
        if issuer != key.controller:
            raise Unverified("issuer_mismatch", f"they name {issuer}, it belongs to {key.controller}")
        self.note(key.controller)

    def logged(self, certificate: Certificate | Badge, log_proof: str | bytes | None) -> Proved | None:
        if log_proof is None:
            self.note("no proof was given", passed=None)
            return None
        proved = prove(certificate, log_proof, self._keys)
        if proved is None:
            why = "a withdrawn key of the log signed the proof, and no witness we know saw it before"
            self.note(why, passed=None)
            return None
        words = [f"at position {proved.position}" + ("" if proved.named else ", the name is not bound by this proof")]
        words += [f"cosigned by {one.witness} at {iso(one.time)}" for one in proved.cosignatures]
        self.note(", ".join(words))
        return proved

    def look_at_key(self, key: Key, proved: Proved | None) -> None:
        """What a withdrawn key signed is believed where a witness saw its issue in the log while the key was ours.

        The log's own signature is no witness: who steals one key may have stolen both. A proof that does not bind the
        name is not enough: whoever has the key can put another name on what is in the log.
        """
        seen = [one for one in proved.cosignatures if key.was_good_at(one.time)] if proved else []
        if key.withdrawn is None:
            self.note("")
        elif proved and seen and not proved.named:
            self.found("key_withdrawn", f"withdrawn since {key.withdrawn}, and the name is not bound by this proof")
        elif seen:
            first = min(seen, key=lambda one: one.time)
            self.note(
                f"withdrawn since {key.withdrawn}, and believed of this one: {first.witness} saw it in the log before,"
                f" at {iso(first.time)}"
            )
        else:
            why = f"withdrawn since {key.withdrawn}, and no witness we know saw it in the log before"
            self.found("key_withdrawn", why)

    def begun(self, valid_from: int) -> None:
        if self._now < valid_from:
            self.found("early", f"begins {iso(valid_from)}")
        else:
            self.note(f"since {iso(valid_from)}")

    def not_expired(self, expires_at: int) -> None:
        if self._now > expires_at:
            self.found("late", f"expired {iso(expires_at)}")
        else:
            self.note(f"good through {iso(expires_at)}")

    def listed(self, certificate: Certificate | Badge) -> Signed | None:
        """Finds its status; gives the status list if one had its say."""
        try:
            if isinstance(certificate, Certificate):
                listed, condition = self._of_code(certificate)
            else:
                listed, condition = self._of_badge(certificate)
        except Unverified as unknown:
            self.found("unlisted", unknown.why, passed=None)
            return None
        good = condition == "listed_good"
        self.found(condition, f"{_NAMES[condition]} as of {iso(listed.issued_at)}", passed=good)
        return listed

    def _token_list(self, uri: str, issuer: str) -> StatusList:
        if self._statuses is None:
            raise Unverified("status_unknown", "no status list was given")
        listed = self._statuses.list_at(uri, self._keys)
        self._may_say(listed, _listers(issuer))
        return listed

    def _of_code(self, certificate: Certificate) -> tuple[Signed, Condition]:
        listed = self._token_list(certificate.status_uri, certificate.issuer)
        return listed, _condition(listed, certificate.status_index)

    def _of_badge(self, badge: Badge) -> tuple[Signed, Condition]:
        """What its Bitstring list says; the token list, if it is at hand, says it more exactly, or knows worse.

        A bit stays 1 for ever: where the token list says 0 again, a newer badge was issued. A 0 of the token list alone
        does not show that this badge is still the one.
        """
        if badge.bits_uri is None or badge.status_uri is None:
            raise Unverified("status_unknown", "the badge names no status")
        tokens = exact = None
        with suppress(Unverified):
            tokens = self._token_list(badge.status_uri, badge.issuer)
        if tokens is not None:
            exact = _condition(tokens, badge.status_index)
        try:
            bits = self._bits(badge.bits_uri, badge.issuer)
            revoked = bits[badge.status_index]
        except Unverified:
            if tokens is None or exact is None or exact == "listed_good":
                raise
            return tokens, exact
        if tokens is None or exact is None or (not revoked and exact == "listed_good"):
            return bits, "listed_revoked" if revoked else "listed_good"
        return tokens, "listed_superseded" if exact == "listed_good" else exact

    def _bits(self, uri: str, issuer: str) -> BitList:
        from verifier import bitstring  # noqa: PLC0415 - as authentic_badge

        if self._statuses is None:
            raise Unverified("status_unknown", "no status list was given")
        bits = self._statuses.get(uri, self._keys, bitstring.read)
        self._may_say(bits, (issuer,))
        return bits

    def _may_say(self, listed: Signed, listers: Collection[str]) -> None:
        if listed.controller not in listers:
            raise Unverified("status_unknown", "the list was signed by another issuer")
        if why := listed.untimely(self._now):
            raise Unverified("status_unknown", why)

    def verdict(
        self, certificate: Certificate | Badge, kind: Kind, key: Key, listed: Signed | None, proved: Proved | None
    ) -> Verified:
        row = decide(self.conditions)
        return Verified(
            row.name,
            certificate,
            key,
            tuple(self.checks),
            instant(listed.issued_at) if listed else None,
            self._notice(certificate) if listed is not None and row.condition in _NOTED else None,
            proved.position if proved else None,
            proved.cosignatures if proved else (),
            kind,
            frozenset(self.conditions),
        )

    def _notice(self, certificate: Certificate | Badge) -> Notice | None:
        if self._statuses is None or certificate.status_uri is None:
            return None
        notes = self._statuses.notes_of(certificate.status_uri, self._keys)
        if notes is None or notes.untimely(self._now) or notes.controller not in _listers(certificate.issuer):
            return None
        return notes.get(certificate.status_index)


def _condition(listed: StatusList, index: int) -> Condition:
    status = listed[index]
    if status not in CONDITION_OF:
        raise Unverified("status_unknown", f"the list has a status {status} that we do not know")
    return CONDITION_OF[status]


def _listers(issuer: str) -> tuple[str, str]:
    """Whose token lists and notes count for what an issuer issued."""
    return issuer, f"{issuer}:status"


class Proved(NamedTuple):
    """The position in the log of the event that issued a certificate, and who witnessed the checkpoint.

    `named`: the proof also binds the printed name; one that does not leaves the name to the signature alone.
    """

    position: int
    cosignatures: tuple[Cosignature, ...]
    named: bool


def prove(certificate: Certificate | Badge, log_proof: str | bytes, keys: KeyRing) -> Proved | None:
    """What `log_proof` proves of this certificate; the bad line of a witness we know refuses it.

    None, which is as good as no proof: only a withdrawn key of the log signed it, and no witness saw it before.
    """
    read = proof.read_proof(log_proof)
    checkpoint = proof.check_proof(read, (*keys.logs, *keys.withdrawn_logs))
    cosignatures = proof.cosignatures(read.checkpoint, keys.witnesses)
    issued = proof.event_in(read.extra)
    position, stream, _, topic, _ = issued.entry
    state = issued.state
    if topic != "certificate.issued" or not _is_of(certificate, state):
        raise Unverified("tampered", "the proof is of another event than this certificate's issue")
    stated_index = certificate.log_index if isinstance(certificate, Certificate) else read.index
    if position != read.index + 1 or read.index != stated_index:
        raise Unverified("tampered", "the proof is of another position than the certificate states")
    if not (certificate.status_uri or "").endswith(f"/s/{read.index // SIZE + 1}"):
        raise Unverified("tampered", "the certificate names another status list than its place in the log has")
    if stream != f"endorsement/{certificate.number}" or _stated(state, certificate) != _claimed(certificate):
        raise Unverified("tampered", "the log has other facts of this certificate than it states")
    if read.more:
        named.check(read.more, certificate.name, state, checkpoint)
    if not believed(checkpoint.signed_by, cosignatures, keys):
        return None
    return Proved(int(position), cosignatures, bool(read.more))


def believed(signed_by: Collection[str], cosignatures: Collection[Cosignature], keys: KeyRing) -> bool:
    """Whether a checkpoint counts: a key of the log signed it that is not withdrawn, or a witness saw it before."""
    logs = [keys.withdrawn_logs.get(line) for line in signed_by]
    return any(key is None or any(key.was_good_at(one.time) for one in cosignatures) for key in logs)


def _is_of(certificate: Certificate | Badge, state: dict[str, Any]) -> bool:
    """A badge that was issued again has an id of its own, which is in its event."""
    if isinstance(certificate, Certificate):
        return bool(state.get("cti") == certificate.cti.hex())
    return bool((state.get("badge") or state.get("cti")) == certificate.id.hex())


def _stated(state: dict[str, Any], certificate: Certificate | Badge) -> tuple[Any, ...]:
    return (
        state.get("number"),
        state.get("category"),
        state.get("association"),
        _seconds(state.get("valid_from")),
        _seconds(state.get("expires_at")),
        state.get("replaces", "") if isinstance(certificate, Certificate) else "",
    )


def _claimed(certificate: Certificate | Badge) -> tuple[Any, ...]:
    replaces = certificate.replaces if isinstance(certificate, Certificate) else None
    return (
        certificate.number,
        certificate.category,
        certificate.association,
        certificate.valid_from,
        certificate.expires_at,
        replaces.hex() if replaces else "",
    )


def _seconds(time: Any) -> int | None:
    try:
        return int(datetime.fromisoformat(time).timestamp() // 1)
    except (TypeError, ValueError, OverflowError):
        return None


def refused_words(refused: Unverified, lang: str = "en") -> Words:
    """What to say of what is not authentic; a log proof that was refused has words of its own."""
    if refused.kind == "certificate" and len(refused.checks) == LOG_CHECK:
        return PROOF_REFUSED[lang]
    return VERDICTS[refused.verdict].words(lang, refused.kind)


def refusal(refused: Unverified, lang: str = "en") -> str:
    return refused_words(refused, lang).sentence
