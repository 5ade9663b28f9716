"""The badge: the full certificate as an Open Badges 3.0 credential, which its holder carries to other places."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from verifier import credential
from verifier.certificate import Badge
from verifier.credential import VC_CONTEXT, Credential
from verifier.verdict import Unverified

LONGEST: Final = 1 << 16
OB_CONTEXT: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OB_EXTENSIONS: Final = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
_CONTEXTS: Final = ([VC_CONTEXT, OB_CONTEXT, OB_EXTENSIONS], [VC_CONTEXT, OB_CONTEXT])
_TYPES: Final = (["VerifiableCredential", "OpenBadgeCredential"], ["VerifiableCredential", "AchievementCredential"])
_MEMBERS: Final = {"@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject"}
_MORE: Final = {"name", "description", "image", "awardedDate", "inLanguage", "credentialStatus", "credentialSchema"}
_STATUS: Final = "BitstringStatusListEntry"
_PURPOSE: Final = "revocation"
_ID: Final = re.compile(r"urn:uuid:([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})", re.ASCII)
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_LIST: Final = re.compile(r"(https://[^/?#]+)/status/revocation/([1-9][0-9]{0,8})", re.ASCII)
_ASSOCIATION: Final = re.compile(r"https://[^/?#]+/associations/([A-Z0-9-]{1,20})", re.ASCII)
_LONGEST_NAME: Final = 120
_LONGEST_NUMBER: Final = 40


class Sealed(NamedTuple):
    """A badge as received: well-formed, and nothing more until its key has checked it."""

    badge: Badge
    credential: Credential


def unseal(content: bytes) -> Sealed:
    """Refuses what does not have the shape of a badge; says nothing about whether it is true."""
    if len(content) > LONGEST:
        raise Unverified("malformed", "longer than any badge")
    received = credential.unseal(content)
    return Sealed(_read(received), received)


def subject_of(cti: bytes) -> str:
    """The id of the subject in every badge of a certificate: it says nothing of the person."""
    digits = sha256(b"subject" + cti).hexdigest()[:32]
    return "urn:uuid:" + "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _read(received: Credential) -> Badge:
    document = received.document
    if document.get("@context") not in _CONTEXTS:
        raise Unverified("malformed", "a badge in other contexts than ours")
    if not _MEMBERS <= document.keys() <= _MEMBERS | _MORE or document["type"] not in _TYPES:
        raise Unverified("malformed", "not the members of a badge")
    subject = _object(document, "credentialSubject")
    achievement, source = _object(subject, "achievement"), _object(subject, "source")
    association = _ASSOCIATION.fullmatch(_text(source, "id"))
    if association is None:
        raise Unverified("malformed", "a badge of no association")
    name = _name(subject)
    if len(name.encode()) > _LONGEST_NAME or not unicodedata.is_normalized("NFC", name):
        raise Unverified("malformed", "a name that is too long, or not in Unicode NFC")
    bits_uri, status_uri, index = _status(document)
    return Badge(
        issuer=received.issuer,
        number=_text(subject, "licenseNumber", _LONGEST_NUMBER),
        name=name,
        category=_text(achievement, "humanCode"),
        association=association[1],
        valid_from=received.valid_from,
        expires_at=received.valid_until,
        id=_id(_text(document, "id")),
        subject=_text(subject, "id"),
        bits_uri=bits_uri,
        status_uri=status_uri,
        status_index=index,
    )


def _status(document: Mapping[str, Any]) -> tuple[str | None, str | None, int]:
    """The addresses of its two status lists, and its entry in both."""
    if "credentialStatus" not in document:
        return None, None, 0
    status = _object(document, "credentialStatus")
    index, uri = _text(status, "statusListIndex"), _text(status, "statusListCredential")
    place = _LIST.fullmatch(uri)
    if (status.get("type"), status.get("statusPurpose")) != (_STATUS, _PURPOSE) or not _INDEX.fullmatch(index):
        raise Unverified("malformed", "a status that is not an entry of a revocation list")
    if place is None:
        raise Unverified("malformed", "a status list at another address than ours have")
    return uri, f"{place[1]}/s/{place[2]}", int(index)


def _name(subject: Mapping[str, Any]) -> str:
    """The name as printed; one, and not hashed."""
    names = subject.get("identifier")
    match names:
        case [{"type": "IdentityObject", "hashed": False, "identityType": "name", "identityHash": str(name), **more}]:
            if name and not more:
                return name
    raise Unverified("malformed", "a badge that does not say one name")


def _id(text: str) -> bytes:
    parts = _ID.fullmatch(text)
    if parts is None:
        raise Unverified("malformed", "an id that is not a urn:uuid")
    return bytes.fromhex("".join(parts.groups()))


def _object(of: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = of.get(name)
    if type(value) is not dict:
        raise Unverified("malformed", f"no {name}, or one that is not an object")
    return value


def _text(of: Mapping[str, Any], name: str, most: int = 2048) -> str:
    value = of.get(name)
    if type(value) is not str or not 1 <= len(value.encode()) <= most:
        raise Unverified("malformed", f"no {name}, or one that is not a text of the right size")
    return value
