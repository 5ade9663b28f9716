"""The code on a certificate or a letter: a pure function of the event, its position, the printed name and the key.

Signed again from the same facts it is the same text, byte for byte.
"""

import unicodedata
from io import BytesIO
from typing import Final

import segno
from segno import consts

from domain.application import Application
from domain.endorsement import Endorsement
from registry.certificates.keys import KeysUnusable, Signer, trusted
from registry.certificates.slots import slot
from verifier import certificate as qr

LONGEST_NAME: Final = 120
"""Bytes of UTF-8 (the `.size` of the format)."""

_ELLIPSIS: Final = "…"
_MODULES_PER_PIXEL_SIDE: Final = 8
_QUIET_ZONE: Final = 4


class Unprintable(ValueError):
    """This can't be put on paper as it is; the message never repeats it."""


def printed(name: str) -> str:
    """The name as paper and code both state it: NFC, single spaces, at most 120 bytes.

    A longer one is cut, openly: whole words while that keeps most of it, else whole letters with their marks,
    and an ellipsis. Paper and code show the same text, so nobody's name stands there unsigned.
    """
    words = unicodedata.normalize("NFC", " ".join(name.split()))
    if not words or any(_hidden(letter) for letter in words):
        raise Unprintable("the name is empty or has control or direction characters: correct it first")
    if len(words.encode()) <= LONGEST_NAME:
        return words
    room = LONGEST_NAME - len(_ELLIPSIS.encode())
    end = len(words.encode()[:room].decode(errors="ignore"))
    while end and _belongs_to_the_letter_before(words, end):
        end -= 1
    cut = words[:end]
    space = cut.rfind(" ")
    if words[end] != " " and space > 2 * end // 3:
        cut = cut[:space]
    cut = cut.rstrip(" ,;-–")
    if not cut:
        raise Unprintable("the name is one letter with more marks than the code has room for")
    return cut + _ELLIPSIS


def _hidden(letter: str) -> bool:
    # Zero-width joiners shape letters in Persian, Hindi and others; other format characters only hide.
    return unicodedata.category(letter) in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"} and letter not in "\u200c\u200d"


def _belongs_to_the_letter_before(words: str, at: int) -> bool:
    joined = "\u200c\u200d"
    return unicodedata.category(words[at]).startswith("M") or words[at] in joined or words[at - 1] in joined


def text(
    issued: Endorsement.CertificateIssued | Application.LetterIssued,
    position: int,
    name: str,
    signer: Signer,
    *,
    host: str,
    qr_host: str,
    slot_key: bytes,
) -> str:
    """What the code of a certificate or a letter says; `name` as `printed` gives it. Read back with the verifier
    before it leaves here.
    """
    leaf = position - 1
    at = slot(leaf, slot_key)
    if isinstance(issued, Application.LetterIssued):
        number, replaces, typ = issued.originator_id.partition("/")[2], "", qr.LETTER_TYP
    else:
        number, replaces, typ = issued.number, issued.replaces, qr.TYP
    stated = qr.Certificate(
        issuer=f"did:web:{host}",
        number=number,
        name=name,
        category=issued.category,
        association=issued.association,
        valid_from=int(issued.valid_from.timestamp()),
        expires_at=int(issued.expires_at.timestamp()),
        cti=bytes.fromhex(issued.cti),
        status_uri=f"https://{host}/s/{at.list}",
        status_index=at.place,
        log_index=leaf,
        replaces=bytes.fromhex(replaces) if replaces else None,
    )
    return sealed(stated, signer, qr_host, typ)


def sealed(certificate: qr.Certificate, signer: Signer, qr_host: str, typ: str = qr.TYP) -> str:
    """The text of what is stated, signed."""
    if certificate.issuer != signer.controller:
        raise KeysUnusable(f"the certificate key is of {signer.controller}, not of {certificate.issuer}")
    words = qr.text(qr_host, qr.seal(certificate, bytes.fromhex(signer.kid), signer.sign, typ))
    received = qr.unseal(words)
    trusted(signer, "certificate").check(received.envelope)
    if (received.certificate, received.prefix, received.envelope.typ) != (certificate, qr.prefix(qr_host), typ):
        raise AssertionError("a certificate reads back as something else than was written")
    return words


def symbol(words: str) -> segno.QRCode:
    """Two segments (bytes, then digits), level M: 69 modules where one segment would take 105."""
    address, mark, digits = words.partition("#")
    return segno.make(
        [(address + mark, consts.MODE_BYTE), (digits, consts.MODE_NUMERIC)],  # type: ignore[arg-type]  # segments, says its manual
        error="m",
        boost_error=False,
        micro=False,
    )


def png(code: segno.QRCode) -> bytes:
    out = BytesIO()
    code.save(out, kind="png", scale=_MODULES_PER_PIXEL_SIDE, border=_QUIET_ZONE)
    return out.getvalue()


def svg(code: segno.QRCode) -> bytes:
    out = BytesIO()
    code.save(out, kind="svg", border=_QUIET_ZONE, light="#fff", unit="mm", scale=0.5, xmldecl=False)
    return out.getvalue()


def with_text(svg: bytes, words: str, title: str) -> bytes:
    """The drawing with what its code says as data, which `verify` reads, and a title for who can't see it."""
    head, mark, rest = svg.partition(b">")
    if not head.startswith(b"<svg ") or not words.isascii() or set("<>&") & set(words + title):
        raise AssertionError("a drawing or a text of another shape than we write")
    said = f"<title>{title}</title><metadata>{words}</metadata>".encode()
    return head.replace(b"<svg ", b'<svg role="img" ', 1) + mark + said + rest
