"""The QR certificate, version 1: a URL whose digits carry signed claims; how to read and write it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from verifier import cbor, cose
from verifier.verdict import Kind, Unverified

TYP: Final = "iecmh+cwt"
LETTER_TYP: Final = "iecmh-letter+cwt"
"""Of a letter of registration: an application is open. It is no endorsement."""
LONGEST_TEXT: Final = 2048
LONGEST_MESSAGE: Final = 512
PATH: Final = "/v1#"
BLANKS: Final = " \t\r\n"
"""White space that may stand around a text: of Unicode's many kinds only these."""

_URL: Final = re.compile(r"(https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?/v1#)([0-9]+)", re.ASCII)
_GROUP: Final = 7  # bytes, written as 17 digits
_WIDTHS: Final = (0, 3, 5, 8, 10, 13, 15, 17)
_TAILS: Final = {width: size for size, width in enumerate(_WIDTHS)}

ISS, SUB, EXP, NBF, CTI, STATUS, DETAIL = 1, 2, 4, 5, 7, 65535, -65537
_CLAIMS: Final = {ISS, SUB, EXP, NBF, CTI, STATUS, DETAIL}
_DETAIL: Final = {0, 1, 2, 3, 4}
_DETAIL_REPLACING: Final = {0, 1, 2, 3, 4, 5}
_REFERENCE: Final = {"idx", "uri"}
_DETAIL_VERSION: Final = 1
_REPLACES: Final = 5
_ID_SIZE: Final = 16


class Certificate(NamedTuple):
    """What one certificate states. Times are whole seconds of UTC; `expires_at` is the last good one."""

    issuer: str
    number: str
    name: str
    category: str
    association: str
    valid_from: int
    expires_at: int
    cti: bytes
    status_uri: str
    status_index: int
    log_index: int
    replaces: bytes | None = None


class Badge(NamedTuple):
    """What the badge of a certificate states. Times are whole seconds of UTC; `expires_at` is the last good one."""

    issuer: str
    number: str
    name: str
    category: str
    association: str
    valid_from: int
    expires_at: int
    id: bytes
    """The certificate's own, or one of its own where the badge was issued again."""
    subject: str
    """Of all badges of one certificate the same."""
    bits_uri: str | None
    """Its Bitstring status list; None if it names no status."""
    status_uri: str | None
    """The token list of the same entries."""
    status_index: int


class Sealed(NamedTuple):
    """A certificate as received: well-formed, and nothing more until its key has checked the envelope."""

    prefix: str
    envelope: cose.Envelope
    certificate: Certificate

    @property
    def kind(self) -> Kind:
        return "letter" if self.envelope.typ == LETTER_TYP else "certificate"


def digits(message: bytes) -> str:
    """Seven bytes, read little-endian, are 17 digits (the QR coding of FIDO CTAP 2.2)."""
    groups = (message[at : at + _GROUP] for at in range(0, len(message), _GROUP))
    return "".join([f"{int.from_bytes(group, 'little'):0{_WIDTHS[len(group)]}d}" for group in groups])


def undigits(text: str) -> bytes:
    if not (text.isascii() and text.isdigit()):
        raise Unverified("malformed", "something other than digits")
    whole, rest = divmod(len(text), 17)
    if rest not in _TAILS:
        raise Unverified("malformed", "a number of digits that no message has")
    try:
        groups = [int(text[at : at + 17]).to_bytes(7, "little") for at in range(0, 17 * whole, 17)]
        if rest:
            groups.append(int(text[17 * whole :]).to_bytes(_TAILS[rest], "little"))
    except OverflowError:
        raise Unverified("malformed", "a group of digits that is no group of bytes") from None
    return b"".join(groups)


def prefix(host: str) -> str:
    """What every text of this host begins with; `host` may carry a port."""
    return f"https://{host}{PATH}"


def text(host: str, message: bytes) -> str:
    """The text of the QR code. Its prefix goes in a byte segment, its digits in a numeric one."""
    return prefix(host) + digits(message)


def claims(certificate: Certificate) -> bytes:
    """The payload: the CWT claims of a certificate, in their one spelling."""
    detail: dict[int, Any] = {
        0: _DETAIL_VERSION,
        1: certificate.name,
        2: certificate.category,
        3: certificate.association,
        4: certificate.log_index,
    }
    if certificate.replaces is not None:
        detail[_REPLACES] = certificate.replaces
    return cbor.encode(
        {
            ISS: certificate.issuer,
            SUB: certificate.number,
            EXP: certificate.expires_at,
            NBF: certificate.valid_from,
            CTI: certificate.cti,
            STATUS: {"status_list": {"idx": certificate.status_index, "uri": certificate.status_uri}},
            DETAIL: detail,
        }
    )


def seal(certificate: Certificate, kid: bytes, sign: Callable[[bytes], bytes], typ: str = TYP) -> bytes:
    """The signed message of a certificate, or of a letter; `sign` is the key's own signing function."""
    return cose.seal(claims(certificate), typ, kid, sign)


def unseal(received: str) -> Sealed:
    """Refuses what does not have the shape of a certificate; says nothing about whether it is true."""
    if len(received) > LONGEST_TEXT:
        raise Unverified("malformed", "longer than any certificate")
    parts = _URL.fullmatch(received.strip(BLANKS))
    if parts is None:
        raise Unverified("malformed", "not the address and digits of a certificate")
    message = undigits(parts[2])
    if len(message) > LONGEST_MESSAGE:
        raise Unverified("malformed", "longer than any certificate")
    envelope = cose.unseal(message, TYP, LETTER_TYP)
    return Sealed(parts[1], envelope, read_claims(envelope.payload))


def read_claims(payload: bytes) -> Certificate:
    stated = cose.decoded(payload)
    if type(stated) is not dict or stated.keys() != _CLAIMS:
        raise Unverified("malformed", "not the claims of version 1")
    status, detail = stated[STATUS], stated[DETAIL]
    reference = status.get("status_list") if type(status) is dict and len(status) == 1 else None
    if type(reference) is not dict or reference.keys() != _REFERENCE:
        raise Unverified("malformed", "not a reference to a status list")
    if type(detail) is not dict or detail.keys() not in (_DETAIL, _DETAIL_REPLACING):
        raise Unverified("malformed", "not the details of version 1")
    if detail[0] != _DETAIL_VERSION:
        raise Unverified("malformed", "details of another version")
    name = _text(detail[1], 120)
    if not unicodedata.is_normalized("NFC", name):
        raise Unverified("malformed", "a name that is not in Unicode NFC")
    return Certificate(
        issuer=_text(stated[ISS]),
        number=_text(stated[SUB], 40),
        name=name,
        category=_text(detail[2]),
        association=_text(detail[3]),
        valid_from=_whole(stated[NBF]),
        expires_at=_whole(stated[EXP]),
        cti=_id(stated[CTI]),
        status_uri=_text(reference["uri"]),
        status_index=_whole(reference["idx"]),
        log_index=_whole(detail[4]),
        replaces=_id(detail[_REPLACES]) if _REPLACES in detail else None,
    )


def _text(value: Any, most: int = 0) -> str:
    """A text; with `most`, of one to that many bytes of UTF-8 (the `.size` of CDDL)."""
    if type(value) is not str or (most and not 1 <= len(value.encode()) <= most):
        raise Unverified("malformed", "a claim that is not a text of the right size")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Unverified("malformed", "a claim that is not a whole number")
    return value


def _id(value: Any) -> bytes:
    if type(value) is not bytes or len(value) != _ID_SIZE:
        raise Unverified("malformed", "a claim that is not an id of 16 bytes")
    return value
