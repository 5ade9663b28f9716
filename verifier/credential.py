"""A W3C credential as we issue it: JSON with a proof of its own, or a JWT; the same document in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from verifier import integrity, jwt
from verifier.integrity import Signed
from verifier.jwt import Token
from verifier.keys import Key, KeyRing
from verifier.verdict import Unverified

VC_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
_CLAIMS: Final = ("iss", "jti", "sub", "nbf", "exp")
_BRACE: Final = b"{"


class Credential(NamedTuple):
    """As received: nothing in it is true before its key has checked it. Times in seconds."""

    document: Mapping[str, Any]
    """Without its proofs, or without the claims of the JWT."""
    issuer: str
    valid_from: int
    valid_until: int
    """The last good second."""
    signed: Signed | Token

    @property
    def begins(self) -> int:
        """Its `validFrom`, or when its proof was made, if that is later."""
        return max(self.valid_from, self.signed.created) if isinstance(self.signed, Signed) else self.valid_from

    @property
    def ends(self) -> int:
        """Its `validUntil`, or the end of its proof, if that is earlier."""
        expires = self.signed.expires if isinstance(self.signed, Signed) else None
        return self.valid_until if expires is None else min(self.valid_until, expires)

    @property
    def algorithm(self) -> str:
        return jwt.ALGORITHM if isinstance(self.signed, Token) else f"Ed25519, {integrity.JCS}"

    def key(self, keys: KeyRing) -> Key:
        """The key that it names, if that may sign such a credential."""
        return keys.named(self.signed.key, "jwt" if isinstance(self.signed, Token) else "certificate")


def is_json(content: bytes) -> bool:
    return content[:1] == _BRACE


def unseal(content: bytes) -> Credential:
    """Refuses as malformed what is neither of the two, and a JWT whose claims say something else than its document."""
    signed: Signed | Token
    if is_json(content):
        signed = integrity.unseal(content)
        document = signed.document
    else:
        signed, document = _token(content)
    valid_from, valid_until = (
        integrity.seconds(document.get("validFrom")),
        integrity.seconds(document.get("validUntil")),
    )
    if isinstance(signed, Signed) and signed.created > valid_until:
        raise Unverified("malformed", "a proof that was made after the end")
    return Credential(document, issuer_of(document), valid_from, valid_until, signed)


def _token(content: bytes) -> tuple[Token, dict[str, Any]]:
    if len(content) > integrity.LONGEST:
        raise Unverified("malformed", "longer than any credential")
    token = jwt.unseal(content.decode("latin-1"))
    document = dict(token.claims)
    stated = {name: document.pop(name, None) for name in _CLAIMS}
    subject = document.get("credentialSubject")
    said = {
        "iss": issuer_of(document),
        "jti": document.get("id"),
        "sub": subject.get("id") if type(subject) is dict else None,
        "nbf": integrity.seconds(document.get("validFrom")),
        "exp": integrity.seconds(document.get("validUntil")),
    }
    if None in said.values() or any(type(stated[name]) is not type(said[name]) for name in _CLAIMS) or stated != said:
        raise Unverified("malformed", "the claims of the JWT are not those of the credential in it")
    if "proof" in document:
        raise Unverified("malformed", "a JWT with a proof in it")
    return token, document


def issuer_of(document: Mapping[str, Any]) -> str:
    """The issuer's DID, which stands there alone or as the id of a profile."""
    issuer = document.get("issuer")
    identifier = issuer.get("id") if type(issuer) is dict else issuer
    if type(identifier) is not str:
        raise Unverified("malformed", "it names no issuer")
    return identifier
