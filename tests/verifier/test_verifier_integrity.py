"""Documents with a proof of eddsa-jcs-2022: which shape they have, and what the proof covers."""

import json
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from papers import ISSUER, ISSUING, STRANGER, public, seconds, spelled

from verifier import integrity, multibase
from verifier.keys import Key
from verifier.verdict import Unverified

KEY = Key("certificate", ISSUER, f"{ISSUER}#1", public(ISSUING))
DOCUMENT = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "urn:x",
    "names": ["Núñez", {"of": 1}],
    "no": None,
}
CREATED = seconds("2026-11-22T12:00:00Z")


def proved(document=None, by=ISSUING, **changes):
    """A document with its proof, which says `changes` and was signed so."""
    document = DOCUMENT if document is None else document
    options = integrity.prove(document, KEY.id, CREATED, by.sign) | changes
    options = {name: value for name, value in options.items() if value is not ...}
    if "proofValue" not in changes:
        options.pop("proofValue")
        options["proofValue"] = multibase.encode(by.sign(integrity.to_be_signed(document, options)))
    return {**document, "proof": options}


def unseal(document):
    return integrity.unseal(document if isinstance(document, bytes) else spelled(document))


def refused(document):
    with pytest.raises(Unverified) as caught:
        unseal(document)
    assert caught.value.verdict == "malformed"
    return caught.value.why


def test_what_was_signed_reads_back():
    signed = unseal(proved())

    signed.check(KEY)
    assert (signed.document, signed.key, signed.created, signed.expires) == (DOCUMENT, KEY.id, CREATED, None)


def test_the_hash_data_are_those_of_the_suite():
    signed = unseal(proved())
    options = {
        "@context": DOCUMENT["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2026-11-22T12:00:00Z",
        "verificationMethod": KEY.id,
        "proofPurpose": "assertionMethod",
    }

    assert signed.to_be_signed == b"".join(sha256(rfc8785.dumps(part)).digest() for part in (options, DOCUMENT))


def test_a_proof_may_leave_the_context_to_the_document():
    unseal(proved(**{"@context": ...})).check(KEY)


def test_the_order_of_members_and_white_space_do_not_matter():
    turned = dict(reversed(proved().items()))

    unseal(json.dumps(turned, indent=3).encode()).check(KEY)


def test_a_proof_of_rdfc_is_not_looked_at():
    document = proved()
    other = document["proof"] | {"cryptosuite": integrity.RDFC, "proofValue": "zzz"}
    del other["@context"]

    for proofs in ([other, document["proof"]], [document["proof"], other]):
        unseal(document | {"proof": proofs}).check(KEY)


@pytest.mark.parametrize(
    "change", [{"id": "urn:y"}, {"names": ["Nunez", {"of": 1}]}, {"more": "x"}, {"no": ...}, {"no": False}]
)
def test_every_byte_of_the_document_is_covered(change):
    document = {name: value for name, value in (proved() | change).items() if value is not ...}

    with pytest.raises(Unverified) as caught:
        unseal(document).check(KEY)
    assert caught.value.verdict == "tampered"


def test_every_option_of_the_proof_is_covered():
    document = proved()
    document["proof"]["created"] = "2026-11-22T12:00:01Z"

    with pytest.raises(Unverified, match="tampered"):
        unseal(document).check(KEY)


def test_another_key_is_none():
    with pytest.raises(Unverified, match="tampered"):
        unseal(proved(by=STRANGER)).check(KEY)


@pytest.mark.parametrize(
    "name",
    [
        "https://www.w3.org/2018/credentials#validUntil",
        "cred:validUntil",
        ":",
        "@id",
        "@type",
        "@graph",
        "@included",
        "@",
        "validUntıl",
    ],
)
@pytest.mark.parametrize("deep", [0, 1, 2, 3])
def test_names_that_are_not_compacted_are_refused_everywhere(name, deep):
    value = "2030-01-01T00:00:00Z"
    member = {name: value}
    inside = [member, {"a": member}, {"a": {"b": [member]}}, {"proof": proved()["proof"] | member}][deep]

    assert "compacted" in refused(proved() | inside)


def test_a_context_stands_at_the_top_and_nowhere_else():
    assert "compacted" in refused(proved() | {"subject": {"@context": ["https://other.example/"]}})
    assert "@context" in refused(proved(**{"@context": ["https://other.example/"]}))
    assert "@context" in refused(proved() | {"@context": DOCUMENT["@context"] + ["https://other.example/"]})
    assert "addresses" in refused(proved() | {"@context": [{"validUntil": "https://example.org/never"}]})
    assert "addresses" in refused(proved() | {"@context": "https://www.w3.org/ns/credentials/v2"})


def proofs(*more):
    return {**DOCUMENT, "proof": [proved()["proof"], *more]}


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT,
        {**DOCUMENT, "proof": []},
        {**DOCUMENT, "proof": None},
        {**DOCUMENT, "proof": "x"},
        {**DOCUMENT, "proof": {"cryptosuite": "eddsa-rdfc-2022"}},
        proofs(proved()["proof"]),
        proofs({"cryptosuite": "ecdsa-rdfc-2019"}),
        proofs({}),
        proofs("x"),
        proofs({"cryptosuite": "eddsa-rdfc-2022"}, {"cryptosuite": "eddsa-rdfc-2022"}),
    ],
)
def test_has_exactly_one_proof_of_ours(document):
    assert "proof" in refused(document)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Ed25519Signature2020"},
        {"proofPurpose": "authentication"},
        {"proofPurpose": ...},
        {"verificationMethod": {"id": KEY.id}},
        {"verificationMethod": None},
        {"challenge": "x"},
        {"previousProof": "urn:x"},
        {"proofValue": ...},
        {"proofValue": "z"},
        {"proofValue": "u" + "A" * 86},
        {"proofValue": "z" + "1" * 65},
        {"proofValue": 7},
        {"created": ...},
        {"created": None},
        {"created": "2026-11-22"},
        {"created": "2026-11-22T12:00:00"},
        {"created": "2026-11-22T12:00:00+00:00"},
        {"created": "2026-11-22T12:00:00.0Z"},
        {"created": "2026-02-30T12:00:00Z"},
        {"created": 1795348800},
        {"expires": "never"},
        {"expires": "2026-11-22T11:59:59Z"},
    ],
)
def test_a_proof_of_another_shape(change):
    assert refused(proved(**change))


def nested(deep):
    value = 1
    for _ in range(deep):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'"x"',
        b"\xff",
        b'{"a": NaN}',
        b'{"a": 1.5}',
        b'{"a": 1e3}',
        b'{"a": 9007199254740992}',
        b'{"a": 1, "a": 1}',
        b'{"a": "\\ud800"}',
        b'{"proof": [[]]}',
        spelled(nested(20)),
        b'{"a":' * 100_000,
        b"[" * 1_000_000,
        b" " * (1 << 20) + b"{}",
        spelled(proved()) + b"x",
    ],
)
def test_what_not_every_reader_reads_the_same_way(content):
    assert refused(content)


names = st.text(st.characters(max_codepoint=126, exclude_characters=":@"), max_size=5)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


@given(document=st.dictionaries(names, values, max_size=5))
def test_the_canonical_form_is_that_of_rfc_8785(document):
    document.pop("proof", None)
    try:
        integrity.well_formed(document)
    except Unverified:
        return
    assert integrity.canonical(document) == rfc8785.dumps(document)
