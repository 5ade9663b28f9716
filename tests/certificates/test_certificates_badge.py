"""The badge: its shape is the official one, both proofs and the JWT hold, and it is the same each time."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from itertools import product
from xml.etree import ElementTree as ET
from zlib import crc32

import pytest
import rfc8785
import zxingcpp
from certificate_facts import HOST, NOON, NUMBER, seeded
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from PIL import Image

from domain.category import ADD_ONS, CATEGORIES, with_add_on
from registry.certificates import badge, qr, rdf
from registry.certificates.badge import Badge
from registry.certificates.keys import FileSigner

SIGNER = seeded("badge")
P256 = derive_private_key(int.from_bytes(sha256(b"badge/jwt").digest()), SECP256R1())
JWT_SIGNER = FileSigner(P256, "jwt", f"did:web:{HOST}")
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def of(**changes):
    known = {
        "badge": bytes(range(16)),
        "cti": bytes(range(16)),
        "number": NUMBER,
        "name": "Marisol Fernández-Okafor",
        "category": "IFS+ERS",
        "title": "Infant Family Specialist with Endorsed Reflective Supervisor",
        "achievement": "Infant Family Specialist with Endorsed Reflective Supervisor",
        "description": "Endorsed.",
        "association": "VA",
        "association_name": "Virginia Association for Infant Mental Health",
        "valid_from": NOON,
        "expires_at": datetime(2029, 1, 1, 4, 59, 59, tzinfo=UTC),
        "status_list": 1,
        "status_index": 105068,
    }
    return badge.document(Badge(**known | changes), HOST)


@pytest.fixture(scope="module")
def signed():
    return badge.sign(of(), SIGNER, rdf.digest)


def multibase(text):
    """By hand, not with the code that wrote it."""
    number = 0
    for letter in text[1:]:
        number = number * 58 + ALPHABET.index(letter)
    return number.to_bytes(64)


@pytest.mark.parametrize("category", [with_add_on(*one) for one in product(CATEGORIES, (None, *ADD_ONS))])
def test_every_category_and_add_on_is_of_the_official_schema(category):
    badge.check(of(category=category))


def test_the_signed_badge_is_of_the_official_schema_too_and_the_payload_of_its_jwt(signed):
    badge.check(json.loads(signed))
    badge.check(payload(badge.jwt(of(), JWT_SIGNER)))


@pytest.mark.parametrize(
    "change",
    [
        {"credentialStatus": [of()["credentialStatus"]] * 2},
        {"validFrom": "yesterday"},
        {"credentialSubject": of()["credentialSubject"] | {"achievement": {"id": "x"}}},
        {"issuer": None},
    ],
)
def test_what_the_schema_refuses_does_not_go_out(change):
    with pytest.raises(AssertionError, match="JSON Schema") as refused:
        badge.check(of() | change)
    assert "Marisol" not in str(refused.value)


def test_the_jcs_proof_holds_over_canonical_forms_made_by_another_library(signed):
    document = json.loads(signed)
    _, ours = document.pop("proof")
    value = ours.pop("proofValue")

    assert ours["@context"] == document["@context"]
    assert ours["created"] == document["validFrom"] == "2026-06-01T12:00:00Z"
    data = sha256(rfc8785.dumps(ours)).digest() + sha256(rfc8785.dumps(document)).digest()
    Ed25519PublicKey.from_public_bytes(SIGNER.public).verify(multibase(value), data)


def test_the_rdfc_proof_holds_over_the_statements_of_document_and_options(signed):
    document = json.loads(signed)
    others, _ = document.pop("proof")
    value = others.pop("proofValue")

    options = rdf.statements({"@context": document["@context"], **others})
    data = sha256(options).digest() + sha256(rdf.statements(document)).digest()
    Ed25519PublicKey.from_public_bytes(SIGNER.public).verify(multibase(value), data)


def test_nothing_in_a_badge_is_left_out_of_its_rdf():
    """The library drops what it has no word for, and what is dropped is not signed."""

    def changed(value, path=()):
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(one, dict | list):
                for of_path, inner in changed(one, (*path, name)):
                    copy = dict(value) if isinstance(value, dict) else list(value)
                    copy[name] = inner
                    yield of_path, copy
            elif path[:1] != ("@context",) and name != "type" and path[-1:] != ("type",):
                copy = dict(value) if isinstance(value, dict) else list(value)
                copy[name] = (not one) if isinstance(one, bool) else f"{one}1"
                yield (*path, name), copy

    whole = rdf.statements(of())
    seen = {path for path, other in changed(of()) if rdf.statements(other) != whole}
    assert seen == {path for path, _ in changed(of())}
    assert len(seen) > 20


def test_a_badge_is_the_same_bytes_each_time(signed):
    assert badge.sign(of(), SIGNER, rdf.digest) == signed
    assert badge.jwt(of(), JWT_SIGNER) == badge.jwt(of(), JWT_SIGNER)


def payload(token):
    return json.loads(urlsafe_b64decode(token.split(b".")[1] + b"=="))


def test_the_jwt_is_the_badge_with_registered_claims_signed_es256():
    token = badge.jwt(of(), JWT_SIGNER)
    head, body, signature = token.split(b".")
    raw = urlsafe_b64decode(signature + b"==")
    numbers = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])

    P256.public_key().verify(encode_dss_signature(*numbers), head + b"." + body, ECDSA(SHA256()))
    assert json.loads(urlsafe_b64decode(head + b"==")) == {
        "alg": "ES256",
        "kid": f"did:web:{HOST}#{JWT_SIGNER.kid}",
    }
    assert payload(token) == of() | {
        "iss": f"did:web:{HOST}",
        "jti": "urn:uuid:00010203-0405-0607-0809-0a0b0c0d0e0f",
        "nbf": int(NOON.timestamp()),
        "exp": int(datetime(2029, 1, 1, 4, 59, 59, tzinfo=UTC).timestamp()),
        "sub": of()["credentialSubject"]["id"],
    }


def test_the_id_of_the_subject_is_made_of_the_certificate_and_says_nothing():
    first, again, other = of(), of(badge=bytes(16)), of(cti=bytes(16))

    assert first["credentialSubject"]["id"] == again["credentialSubject"]["id"]
    assert first["credentialSubject"]["id"] != other["credentialSubject"]["id"]
    assert first["id"] != again["id"]


def test_the_baked_png_is_badge_and_code_at_once(signed):
    picture = qr.png(qr.symbol(f"https://{HOST}/v1#{'123' * 230}"))
    baked = badge.bake_png(picture, signed)

    assert zxingcpp.read_barcode(Image.open(BytesIO(baked))).text == f"https://{HOST}/v1#{'123' * 230}"
    assert Image.open(BytesIO(baked)).text["openbadgecredential"].encode() == signed
    chunk = baked[33:]
    size = int.from_bytes(chunk[:4])
    assert chunk[4:8] == b"iTXt"
    assert int.from_bytes(chunk[8 + size : 12 + size]) == crc32(chunk[4 : 8 + size])


@pytest.mark.parametrize("name", ["Marisol Fernández-Okafor", "李 雪", "]]><script>", "a & b < c"])
def test_the_baked_svg_is_xml_and_has_the_badge(name):
    content = badge.sign(of(name=name), SIGNER, lambda _: bytes(32))
    baked = badge.bake_svg(qr.svg(qr.symbol(f"https://{HOST}/v1#123")), content)

    found = ET.fromstring(baked).find("{https://purl.imsglobal.org/ob/v3p0}credential")
    assert json.loads(found.text) == json.loads(content)


def test_a_w3c_vector_of_the_suite_comes_out_the_same():
    """The proof options of vc-di-eddsa, B.1 (eddsa-rdfc-2022): the hash that stands there."""
    key = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    statements = badge._rdf_of_proof(f"did:key:{key}#{key}", "2023-02-24T23:36:38Z")

    assert sha256(statements).hexdigest() == "bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0"


def test_a_key_of_another_issuer_signs_no_badge():
    with pytest.raises(Exception, match="not of the issuer"):
        badge.sign(of(), seeded("badge", host="other.example"), rdf.digest)


def test_the_text_of_a_badge_is_the_promised_one(signed):
    """A golden vector: what stands in issued badges stays so."""
    assert sha256(signed).hexdigest() == GOLDEN


GOLDEN = "7ebe46a1a2eaf22a82f86dddba46cb4f6323ab2cd951f9621abe3f18026d5b36"
