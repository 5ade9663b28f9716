"""Valid certificates, badges, lists and files, changed a little by one who knows what they are made of."""

from __future__ import annotations

import json
import re
import sys
from base64 import urlsafe_b64decode
from collections.abc import Callable
from random import Random
from typing import Any, Final

import make
from make import AT, CERTIFICATE, HOST, ISSUING, LISTING, NOW, REVOKED, STRANGER, b64, es256
from papers import LIST, badge, badge_jwt, document, listed, noted, public, text

sys.path.insert(0, str(make.HERE.parent / "verifier"))

from test_verifier_fuzz import disturbed

from verifier import bitstring, cbor, cose, credential, files, integrity, status
from verifier import certificate as qr
from verifier.files import Found
from verifier.keys import read_keys_json
from verifier.status import Statuses
from verifier.verdict import VERDICTS, Unverified
from verifier.verification import verify_found

KEYS: Final = read_keys_json(make.static()["static/keys.json"])
STATUSES: Final = Statuses(status.folder(make.HERE / "static"))
OTHER: Final = CERTIFICATE._replace(status_index=REVOKED, name="Another", cti=bytes(15) + b"\1")

_TEXTS: Final = ("", "\0", "\ud800", "a" * 300, "é")
_ODD: Final = (*_TEXTS, "-0", "__proto__", -1, 0, 1 << 53, 1 << 64, True, None, [], {}, b"", 0.5)


def tree(random: Random, value: Any, depth: int = 0) -> Any:  # noqa: C901, PLR0912 - one branch for each way to change
    """The value with one thing in it changed: left out, doubled, renamed, wrapped, or something odd in its place."""
    if isinstance(value, dict) and value and (depth == 0 or random.random() < 0.8):
        name = random.choice(list(value))
        changed = dict(value)
        match random.randrange(8):
            case 0:
                del changed[name]
            case 1:
                changed[random.choice((*_TEXTS, "id", "@id", "https://x.example/#id", 2, 4))] = value[name]
            case 2:
                changed[name] = value[random.choice(list(value))]
            case _:
                changed[name] = tree(random, value[name], depth + 1)
        return changed
    if isinstance(value, list) and value and (depth == 0 or random.random() < 0.8):
        at, changed = random.randrange(len(value)), list(value)
        match random.randrange(5):
            case 0:
                del changed[at]
            case 1:
                changed.insert(at, value[at])
            case _:
                changed[at] = tree(random, value[at], depth + 1)
        return changed
    match random.randrange(5):
        case 0:
            return [value]
        case 1 if isinstance(value, str) and value:
            at = random.randrange(len(value))
            return value[:at] + random.choice(("", "x", "\u0301", "/", "Z", value[at:])) + value[at + 1 :]
        case 2 if type(value) is int:
            return value + random.choice((-1, 1, 1 << 32))
        case 3 if isinstance(value, bytes) and value:
            return disturbed(value, random, [value])
    return random.choice(_ODD)


# --- the forms: each makes one changed file ---


def message(random: Random) -> bytes:
    """The text of a code, taken apart as CBOR and put together again; by a key that did sign it, or did not."""
    seed = random.choice((CERTIFICATE, OTHER))
    claims, kid = cbor.decode(qr.claims(seed)), cose.thumbprint(public(ISSUING))
    header: Any = {1: -8, 4: kid, 16: random.choice((qr.TYP, qr.TYP, qr.LETTER_TYP))}
    if random.random() < 0.8:
        claims = tree(random, claims)
    if random.random() < 0.3:
        header = tree(random, header)
    protected, payload = encoded(header), encoded(claims)
    if random.random() < 0.1:
        payload = disturbed(payload, random, [protected])
    signature = random.choice((STRANGER, LISTING)).sign(cose.to_be_signed(protected, payload))
    if random.random() < 0.3:
        signature = ISSUING.sign(cose.to_be_signed(cose.header(kid, qr.TYP), qr.claims(seed)))
    whole = cose.enclose(protected, payload, signature)
    return qr.text(HOST, disturbed(whole, random, [whole]) if random.random() < 0.2 else whole).encode()


def encoded(value: Any) -> bytes:
    """CBOR, also of what our encoder refuses."""
    try:
        return cbor.encode(value)
    except (TypeError, OverflowError, UnicodeEncodeError):
        return b"\xf9\x7e\x00"


def spelled(random: Random, value: Any) -> bytes:
    """JSON in one of its spellings, at times a member twice."""
    try:
        written = json.dumps(
            value,
            indent=random.choice((None, None, 1)),
            sort_keys=random.random() < 0.2,
            ensure_ascii=random.random() < 0.5,
        ).encode()
    except (TypeError, UnicodeEncodeError):  # bytes in it, names of two kinds, or half a surrogate pair
        return b'{"half": "\\ud800"}'
    if random.random() < 0.1:
        members = re.findall(rb'"[^"\\]*": ?(?:"[^"\\]*"|true|false)', written)
        if members:
            written = written.replace(random.choice(members), random.choice(members) + b"," + random.choice(members), 1)
    return written


BADGES: Final = (badge(), badge(document(OTHER)))
JWTS: Final = (badge_jwt(), badge_jwt(document(OTHER)))


def json_badge(random: Random) -> bytes:
    seed = random.choice(BADGES)
    if random.random() < 0.3:
        return disturbed(seed, random, BADGES)
    whole = json.loads(seed)
    if random.random() < 0.2:
        whole["proof"][1] = tree(random, whole["proof"][1])
    elif random.random() < 0.9:
        whole = tree(random, whole)
    return spelled(random, whole)


def jwt_badge(random: Random) -> bytes:
    seed = random.choice(JWTS)
    if random.random() < 0.3:
        return disturbed(seed, random, JWTS)
    parts = [urlsafe_b64decode(part + b"=" * (-len(part) % 4)) for part in seed.split(b".")]
    at = random.choice((0, 0, 1, 1, 1, 2))
    if at == 2:
        parts[2] = disturbed(parts[2], random, [parts[2]])
    else:
        parts[at] = spelled(random, tree(random, json.loads(parts[at])))
    if random.random() < 0.1:
        parts[2] = es256(make.p256("stranger"), b".".join(b64(part).encode() for part in parts[:2]))
    return b".".join(b64(part).encode() for part in parts)


_DRAWN: Final = (make.svg(make.element(BADGES[0])), make.svg(f'<openbadges:credential verify="{JWTS[1].decode()}"/>'))
_TOKENS: Final = re.compile(rb"(<[^>]*>|&[a-z]+;)")
_ODD_TOKENS: Final = (b"<g>", b"</g>", b"<!-- -->", b"<![CDATA[", b"]]>", b"<?x?>", b"<!DOCTYPE svg>", b"&amp;", b"&x;")


def svg_badge(random: Random) -> bytes:
    seed = random.choice(_DRAWN)
    return (
        disturbed(seed, random, _DRAWN) if random.random() < 0.5 else pieces(random, _TOKENS.split(seed), _ODD_TOKENS)
    )


def pieces(random: Random, of: list[bytes], odd: tuple[bytes, ...]) -> bytes:
    """One to three pieces left out, doubled, moved, changed, or an odd one put between."""
    of = list(of)
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(of))
        match random.randrange(6):
            case 0:
                del of[at]
            case 1:
                of.insert(at, of[at])
            case 2:
                other = random.randrange(len(of))
                of[at], of[other] = of[other], of[at]
            case 3 if of[at]:
                of[at] = disturbed(of[at], random, of)
            case _:
                of.insert(at, random.choice(odd))
        of = of or [b""]
    return b"".join(of)


_PNG: Final = make.png(make.drawn(text()), make.itxt(BADGES[0]))
_ODD_CHUNKS: Final = (
    make.itxt(JWTS[0]),
    make.itxt(BADGES[1]),
    make.itxt(make.zlibbed(bytes(70_000)), flags=b"\1\0"),
    make.chunk(b"zTXt", b"Comment\0\0" + make.zlibbed(bytes(70_000))),
    make.chunk(b"tRNS", b"\0\0"),
    make.chunk(b"PLTE", bytes(9)),
    make.chunk(b"acTL", bytes(8)),
    make.chunk(b"fdAT", bytes(8)),
    make.chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0"),
)


def png_file(random: Random) -> bytes:
    if random.random() < 0.3:
        return _PNG[:8] + disturbed(_PNG[8:], random, [_PNG])
    chunks, at = [], 8
    while at < len(_PNG):
        size = 12 + int.from_bytes(_PNG[at : at + 4])
        chunks.append(_PNG[at : at + size])
        at += size
    if random.random() < 0.5:  # another content, and its sum is right
        at = random.randrange(len(chunks))
        if data := chunks[at][8:-4]:
            chunks[at] = make.chunk(chunks[at][4:8], disturbed(data, random, [data]))
    return _PNG[:8] + pieces(random, chunks, _ODD_CHUNKS)


_JPEG: Final = make.jpegs()["code"]
_ODD_SEGMENTS: Final = (
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xe1\0\0",
    b"\xff\xfe\0\x04ab",
    b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\2",
)


def jpeg_file(random: Random) -> bytes:
    segments, at = [_JPEG[:2]], 2
    while _JPEG[at + 1] != 0xDA:
        size = 2 + int.from_bytes(_JPEG[at + 2 : at + 4])
        segments.append(_JPEG[at : at + size])
        at += size
    return b"\xff\xd8\xff" + pieces(random, [*segments, _JPEG[at:]], _ODD_SEGMENTS)[3:]


_PDF: Final = make.paper(attached=[("qr.txt", make.file(text().encode())), ("credential.json", make.file(BADGES[0]))])
_PDF_TOKENS: Final = re.compile(rb"(<<|>>|\[|\]|/[A-Za-z0-9]+|(?<= )\d+(?= )|endobj|endstream|stream\n)")
_ODD_PDF: Final = (
    b"<<",
    b">>",
    b"[",
    b"]",
    b" 1 0 R ",
    b"/Filter/FlateDecode",
    b"/Length 0",
    b"/Kids[1 0 R]",
    b"(",
    b"%\n",
)


def pdf_file(random: Random) -> bytes:
    return b"%PDF-1.7\n" + pieces(random, _PDF_TOKENS.split(_PDF[9:]), _ODD_PDF)


LISTS: Final = (
    make.token_list(),
    make.spelled(make.proved(make.bit_document())),
    badge_jwt(make.bit_document()),
    listed({777: 1}, bits=1),
    noted({REVOKED: make.TRANSFERRED}),
)


_SIZES: Final = (0, 1, 100, 2_048, 1 << 14, 1 << 17, (1 << 17) + 1)
_STREAMS: Final = [[pack(bytes(size)) for size in _SIZES] for pack in (make.gzipped, make.zlibbed)]


def list_file(random: Random) -> bytes:
    """Also rightly signed over odd claims or an odd stream, so that all of its reading is reached."""
    if random.random() < 0.3:
        return disturbed(random.choice(LISTS), random, LISTS)
    tokens = random.random() < 0.5
    stream = random.choice(_STREAMS[tokens])
    if random.random() < 0.5:
        stream = disturbed(stream, random, [stream])
    if tokens:
        claims = {2: LIST, 4: AT + 1, 6: AT - 1, 65_533: {"bits": 2, "lst": stream}, 65_534: 1}
        return make.token(encoded(tree(random, claims) if random.random() < 0.7 else claims))
    whole = make.with_subject(make.bit_document(packed=b""), encodedList="u" + b64(stream))
    whole = tree(random, whole) if random.random() < 0.7 else whole
    try:
        return make.misshapen(whole)
    except (TypeError, AttributeError, ValueError):  # bytes in it, or names of two kinds
        return b"{}"


# --- what may come of them ---


def meaning(found: Found) -> set[tuple[str, bytes]]:
    """What was signed, however it was spelled."""
    meant = set()
    if found.text is not None:
        envelope = qr.unseal(found.text).envelope
        meant.add((envelope.typ, envelope.payload))
    if found.badge is not None:
        meant.add(("badge", integrity.canonical(credential.unseal(found.badge).document)))
    return meant


SIGNED: Final = {
    **dict.fromkeys(meaning(Found(text(), None, BADGES[0])), "valid"),
    **dict.fromkeys(meaning(Found(text(OTHER), None, BADGES[1])), "revoked"),
}


def verdict(content: bytes, find: Callable[[bytes], Found] = files.find) -> str:
    """What is found of it. What is believed means what was signed; anything but our own error passes through."""
    try:
        found = find(content)
        verified = verify_found(found, KEYS, STATUSES, at=NOW)
    except Unverified as refused:
        assert VERDICTS[refused.verdict].exit in {2, 3}  # noqa: PT017 - thousands of times, most do raise
        return refused.verdict
    assert {SIGNED[one] for one in meaning(found)} == {verified.verdict}
    return verified.verdict


def of_a_list(content: bytes) -> str:
    """What a list, which may be rightly signed, is read as: nothing, or entries that end where they end."""
    status.tokens([content])
    for read in (status.read_list, bitstring.read, status.read_notes):
        try:
            held = read(content, KEYS)
        except Unverified as refused:
            assert refused.verdict == "status_unknown"  # noqa: PT017 - as above
            continue
        if not isinstance(held, status.Notes):
            assert len(held.packed) <= 1 << 17
        return type(held).__name__
    return "status_unknown"


def attached(content: bytes) -> Found:
    """As in a PDF, but its pages are not drawn in this process."""
    held = files._attachments(content)
    code = held.get("qr.txt")
    return Found(files.plain(code) if code is not None else "", None, held.get("credential.json"))


FORMS: Final[dict[str, tuple[Callable[[Random], bytes], Callable[[bytes], str], int]]] = {
    # what makes one, what reads it, and its share of a thousand runs, the fewer the longer one takes
    "message": (message, verdict, 250),
    "json": (json_badge, verdict, 260),
    "jwt": (jwt_badge, verdict, 200),
    "lists": (list_file, of_a_list, 130),
    "svg": (svg_badge, verdict, 140),
    "png": (png_file, lambda content: verdict(content, files.look), 8),
    "jpeg": (jpeg_file, lambda content: verdict(content, files.look), 7),
    "pdf": (pdf_file, lambda content: verdict(content, attached), 5),
}
"""Pictures, as they stand in `FORMS`, are read in this process."""
