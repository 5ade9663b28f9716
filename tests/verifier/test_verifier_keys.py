"""Which keys we take, from where, and for what."""

import json
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from papers import (
    HOST,
    ISSUER,
    ISSUING,
    LISTING,
    LOGGING,
    PREFIX,
    SIGNING,
    STRANGER,
    VKEY,
    compressed,
    did,
    es256,
    jwk,
    key,
    keys_json,
    p256,
    p256_row,
    public,
    spelled,
)

from verifier import cbor, cose, keys, multibase, proof, strictjson
from verifier.keys import Key, KeyRing
from verifier.verdict import Unverified

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"


def corpus(name):
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"{name} of the shared corpora is not here")
    return json.loads(path.read_text("utf-8"))


def refused(read, text):
    with pytest.raises(Unverified) as caught:
        read(text if isinstance(text, bytes) else spelled(text))
    assert caught.value.verdict == "unknown_key"
    return caught.value.why


def row(private):
    return {"kid": cose.thumbprint(public(private)).hex(), "publicKeyMultibase": keys.multikey(public(private))}


class TestKeysJson:
    def test_gives_keys_by_use_prefixes_and_the_log(self):
        ring = keys.read_keys_json(spelled(keys_json()))

        assert ring.for_certificates(cose.thumbprint(public(ISSUING))).controller == ISSUER
        assert ring.for_status(cose.thumbprint(public(LISTING))).controller == f"{ISSUER}:status"
        assert (ring.prefixes, ring.logs) == ({PREFIX}, (VKEY,))
        assert not any(key.specimen for key in ring)

    def test_a_key_is_for_its_use_alone(self):
        ring = keys.read_keys_json(spelled(keys_json()))

        for use, private in [
            (ring.for_certificates, LISTING),
            (ring.for_certificates, LOGGING),
            (ring.for_status, ISSUING),
        ]:
            with pytest.raises(Unverified) as caught:
                use(cose.thumbprint(public(private)))
            assert caught.value.verdict == "unknown_key"

    def test_says_when_it_is_a_specimen(self):
        assert all(key.specimen for key in keys.read_keys_json(spelled(keys_json(specimen=True))))

    def test_says_which_keys_were_withdrawn(self):
        page = keys_json()
        page["keys"][0]["withdrawn"] = "2026-11-01T00:00:00Z"

        ring = keys.read_keys_json(spelled(page))

        assert [key.withdrawn for key in ring] == ["2026-11-01T00:00:00Z", None, None, None]

    @pytest.mark.parametrize("name", ["prefixes", "log", "keys", "specimen"])
    @pytest.mark.parametrize("value", [None, 1, "x", [1], {"x": 1}])
    def test_of_another_shape(self, name, value):
        refused(keys.read_keys_json, keys_json(**{name: value}))

    @pytest.mark.parametrize(
        "change",
        [
            {"use": "badge"},
            {"use": None},
            {"use": ["certificate"]},
            {"kid": "0" * 16},
            {"kid": None},
            {"controller": None},
            {"id": 1},
            {"withdrawn": 1},
            {"publicKeyMultibase": ""},
            {"publicKeyMultibase": "z"},
            {"publicKeyMultibase": "z6Mk"},
            {"publicKeyMultibase": "z6Mk0OIl"},
            {"publicKeyMultibase": "é" * 50},
            {"publicKeyMultibase": keys.multikey(public(ISSUING)) + "1"},
            {"publicKeyMultibase": keys.multikey(public(ISSUING))[1:]},
            {"publicKeyMultibase": "z" + "z" * 100_000},
        ],
    )
    def test_with_a_key_that_is_none(self, change):
        page = keys_json()
        page["keys"][0] |= change

        refused(keys.read_keys_json, page)

    def test_with_one_key_for_two_uses(self):
        page = keys_json()
        page["keys"].append(page["keys"][0] | {"use": "status"})

        assert "twice" in refused(keys.read_keys_json, page)

    @pytest.mark.parametrize(
        "prefix",
        [
            "http://registry.example/v1#",
            "https://registry.example/v1",
            "https://registry.example/v2#",
            "https://REGISTRY.example/v1#",
            "https://a@b/v1#",
        ],
    )
    def test_with_a_prefix_that_is_none(self, prefix):
        refused(keys.read_keys_json, keys_json(prefixes=[prefix]))

    def test_without_a_prefix(self):
        assert "no prefix" in refused(keys.read_keys_json, keys_json(prefixes=[]))

    def test_with_the_key_of_another_log(self):
        refused(keys.read_keys_json, keys_json(log={"origin": "other.example/log", "vkey": VKEY}))
        refused(keys.read_keys_json, keys_json(log={"vkey": VKEY}))

    def test_every_key_of_the_log_counts_that_was_not_withdrawn(self):
        page = keys_json()
        page["keys"].append(page["keys"][2] | row(STRANGER))
        other = proof.vkey(f"{HOST}/log", public(STRANGER))
        assert keys.read_keys_json(spelled(page)).logs == (VKEY, other)

        page["keys"][2]["withdrawn"] = "2026-11-01T00:00:00Z"
        assert keys.read_keys_json(spelled(page)).logs == (other,)

    @pytest.mark.parametrize(
        "vkey",
        ["", "x", VKEY + "x", VKEY.replace("+", "-"), "other" + VKEY, proof.vkey(f"{HOST}/log", bytes(32)), "x+é+é"],
    )
    def test_with_a_log_key_that_is_none(self, vkey):
        refused(keys.read_keys_json, keys_json(log={"origin": f"{HOST}/log", "vkey": vkey}))


class TestDidDocument:
    def test_gives_certificate_keys_and_the_address(self):
        ring = keys.read_did(spelled(did()))

        assert ring.for_certificates(cose.thumbprint(public(ISSUING))).id == f"{ISSUER}#1"
        assert ring.prefixes == {PREFIX}

    def test_whose_id_ends_in_status_gives_list_keys_only(self):
        ring = keys.read_did(spelled(did(LISTING, f"{ISSUER}:status")))

        assert ring.for_status(cose.thumbprint(public(LISTING)))
        assert ring.prefixes == set()
        with pytest.raises(Unverified):
            ring.for_certificates(cose.thumbprint(public(LISTING)))

    def test_may_name_a_port(self):
        document = did(controller="did:web:localhost%3A8443")

        assert keys.read_did(spelled(document)).prefixes == {"https://localhost:8443/v1#"}

    def test_keys_may_be_jwks(self):
        document = did()
        x = urlsafe_b64encode(public(ISSUING)).rstrip(b"=").decode()
        document["verificationMethod"][0] |= {
            "type": "JsonWebKey",
            "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": x},
        }

        assert keys.read_did(spelled(document)).for_certificates(cose.thumbprint(public(ISSUING)))

    @pytest.mark.parametrize(
        "method",
        [
            {"type": "JsonWebKey", "publicKeyJwk": {"kty": "EC", "crv": "P-384", "x": "x", "y": "y"}},
            {"type": "Multikey", "publicKeyMultibase": "z82LkvCwHNreneWpsgPEbV3gu1C6NFJEBg4srfJ5gdxEsMGRJ"},
            {"type": "Ed25519VerificationKey2018", "publicKeyBase58": "x"},
        ],
    )
    def test_keys_of_other_kinds_are_left_alone(self, method):
        document = did()
        document["verificationMethod"].append({"id": f"{ISSUER}#2", "controller": ISSUER} | method)
        document["assertionMethod"].append(f"{ISSUER}#2")

        assert len(list(keys.read_did(spelled(document)))) == 1

    @pytest.mark.parametrize("spelling", [jwk(SIGNING), {"publicKeyMultibase": keys.multikey(compressed(SIGNING))}])
    def test_a_key_of_p256_is_for_jwts(self, spelling):
        kind = "JsonWebKey" if "publicKeyJwk" in spelling else "Multikey"
        for controller, found in ((ISSUER, 1), (f"{ISSUER}:status", 0)):
            document = did(controller=controller)
            name = f"{controller}#2"
            method = {"id": name, "controller": controller, "type": kind}
            document["verificationMethod"].append(method | spelling)
            document["assertionMethod"].append(name)

            assert [key.public for key in keys.read_did(spelled(document)) if key.use == "jwt"] == (
                [compressed(SIGNING)] * found
            )

    @pytest.mark.parametrize("change", [{"x": "A" * 43}, {"y": "A" * 43}, {"y": None}, {"x": "AAAA"}])
    def test_a_key_of_p256_that_is_no_point(self, change):
        document = did()
        spelling = {"publicKeyJwk": jwk(SIGNING)["publicKeyJwk"] | change}
        document["verificationMethod"][0] |= {"type": "JsonWebKey"} | spelling

        refused(keys.read_did, document)

    def test_a_key_outside_assertion_method_is_not_taken(self):
        assert list(keys.read_did(spelled(did() | {"assertionMethod": [{"id": f"{ISSUER}#1"}]}))) == []

    @pytest.mark.parametrize("asserted", [[f"{ISSUER}#1"], []])
    def test_a_key_may_be_revoked_and_need_not_be_asserted_then(self, asserted):
        document = did() | {"assertionMethod": asserted}
        document["verificationMethod"][0]["revoked"] = "2026-11-01T00:00:00Z"

        assert [key.withdrawn for key in keys.read_did(spelled(document))] == ["2026-11-01T00:00:00Z"]

    def test_says_when_it_is_a_specimen(self):
        assert [key.specimen for key in keys.read_did(spelled(did() | {"specimen": True}))] == [True]
        refused(keys.read_did, did() | {"specimen": "yes"})

    @pytest.mark.parametrize(
        "change",
        [
            {"id": None},
            {"assertionMethod": None},
            {"verificationMethod": None},
            {"verificationMethod": ["x"]},
            {"verificationMethod": [did()["verificationMethod"][0] | {"controller": "did:web:other.example"}]},
            {"verificationMethod": [did()["verificationMethod"][0] | {"publicKeyMultibase": None}]},
            {"verificationMethod": [did()["verificationMethod"][0] | {"type": "JsonWebKey", "publicKeyJwk": []}]},
            *(
                {
                    "verificationMethod": [
                        did()["verificationMethod"][0]
                        | {"type": "JsonWebKey", "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": x}}
                    ]
                }
                for x in (None, "", "AAAA", "é" * 43, "-" * 42 + "_", "A" * 42 + "B")
            ),
        ],
    )
    def test_of_another_shape(self, change):
        refused(keys.read_did, did() | change)

    @pytest.mark.parametrize(
        "name", ["did:key:z6Mk", "did:web:", "x did:web:registry.example", "did:web:REGISTRY.example", "did:web:a%3Ab"]
    )
    def test_of_something_else_than_a_host(self, name):
        assert "did:web" in refused(keys.read_did, did(controller=name))


class TestP256:
    def test_stands_in_keys_json_as_a_multikey(self):
        ring = keys.read_keys_json(spelled(keys_json()))

        key = ring.named(f"{ISSUER}#{p256_row(SIGNING)['kid']}", "jwt")

        assert (key.use, key.public) == ("jwt", compressed(SIGNING))
        assert keys.multikey(key.public).startswith("zDn")

    def test_kid_is_the_thumbprint_of_its_cose_key(self):
        x, y = keys.point(compressed(SIGNING))
        spelled_out = cbor.encode({1: 2, -1: 1, -2: x, -3: y})

        assert Key("jwt", ISSUER, "#2", compressed(SIGNING)).kid == sha256(spelled_out).digest()[:8]

    @pytest.mark.parametrize("use", ["certificate", "status", "log"])
    def test_signs_jwts_only(self, use):
        with pytest.raises(Unverified, match="another kind"):
            Key(use, ISSUER, "#2", compressed(SIGNING))
        with pytest.raises(Unverified, match="another kind"):
            Key("jwt", ISSUER, "#2", public(ISSUING))

    @pytest.mark.parametrize("change", [{"use": "certificate"}, {"kid": "0" * 16}, {"publicKeyMultibase": "zDnaer"}])
    def test_of_another_use_or_spelling(self, change):
        page = keys_json()
        page["keys"][-1] |= change

        refused(keys.read_keys_json, page)

    def test_is_one_of_a_name(self):
        page = keys_json()
        page["keys"].append(p256_row(p256("another")) | {"id": p256_row(SIGNING)["id"]})

        assert "two keys have the one name" in refused(keys.read_keys_json, page)

    @given(number=st.integers(1, 2**256 - 2**224))
    @settings(max_examples=30)
    def test_points_are_those_of_the_library(self, number):
        private = ec.derive_private_key(number, ec.SECP256R1())
        numbers = private.public_key().public_numbers()

        assert keys.point(compressed(private)) == (numbers.x.to_bytes(32), numbers.y.to_bytes(32))

    def test_checks_es256(self):
        key = Key("jwt", ISSUER, "#2", compressed(SIGNING))
        signature = es256(SIGNING, b"message")

        key.holds(signature, b"message")
        for other, message in ((signature, b"other"), (signature[:-1], b"message"), (bytes(64), b"message")):
            with pytest.raises(Unverified) as caught:
                key.holds(other, message)
            assert caught.value.verdict == "tampered"


class TestMultibase:
    @given(data=st.binary(max_size=80))
    def test_reads_what_it_writes(self, data):
        assert multibase.decode(multibase.encode(data), len(data)) == data

    @pytest.mark.parametrize("text", ["", "z", "x11", "z1", "z111", "z0I", "z" + "z" * 90])
    def test_has_one_spelling(self, text):
        assert multibase.decode(text, 2) is None


class TestRing:
    def test_one_source_that_knows_of_a_withdrawal_is_enough(self):
        good = Key("certificate", ISSUER, "#1", public(ISSUING))
        withdrawn = Key("certificate", ISSUER, "#1", public(ISSUING), "2026-11-01")

        for ring in (KeyRing([good, withdrawn]), KeyRing([withdrawn, good]), KeyRing([good]) | KeyRing([withdrawn])):
            assert ring.for_certificates(good.kid).withdrawn == "2026-11-01"

    def test_one_source_that_says_specimen_is_enough(self):
        good = Key("certificate", ISSUER, "#1", public(ISSUING), "2026-11-01")
        demo = Key("certificate", ISSUER, "#1", public(ISSUING), specimen=True)

        for ring in (KeyRing([good, demo]), KeyRing([demo]) | KeyRing([good])):
            assert ring.for_certificates(good.kid).specimen
            assert ring.for_certificates(good.kid).withdrawn

    def test_a_key_has_one_owner(self):
        with pytest.raises(Unverified, match="twice"):
            KeyRing([Key("certificate", one, "#1", public(STRANGER)) for one in (ISSUER, "did:web:other.example")])


P = 2**255 - 19
WEAK = {
    "neutral": 1,
    "order 2": P - 1,
    "order 4": 0,
    "order 4, odd": 1 << 255,
    "order 8": int("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", 16),
    "not in its one spelling": P + 3,
    "neutral, spelled otherwise": P + 1,
    "neutral with a sign": 1 | 1 << 255,
    "order 2 with a sign": (P - 1) | 1 << 255,
    "no point": 2,
}


class TestWeakKeys:
    @pytest.mark.parametrize("name", WEAK)
    def test_are_refused(self, name):
        number = WEAK[name]
        encoded = number.to_bytes(32, "big") if name == "order 8" else number.to_bytes(32, "little")

        with pytest.raises(Unverified):
            Key("certificate", ISSUER, "#1", encoded)

    def test_as_are_those_of_another_size(self):
        with pytest.raises(Unverified):
            Key("certificate", ISSUER, "#1", bytes(31))

    def test_a_point_that_is_no_key_of_ours_but_sound_is_taken(self):
        base = (4 * pow(5, -1, P) % P).to_bytes(32, "little")

        assert Key("certificate", ISSUER, "#1", base)


def test_signatures_are_judged_as_wycheproof_does():
    groups = corpus("wycheproof_ed25519.json")["testGroups"]
    judged = 0
    for group in groups:
        key = Key("certificate", ISSUER, "#1", bytes.fromhex(group["publicKey"]["pk"]))
        for case in group["tests"]:
            assert holds(key, case) == (case["result"] == "valid"), case
            judged += 1
    assert judged > 100


def holds(key, case):
    try:
        key.holds(bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
    except Unverified as refusal:
        return refusal.verdict != "tampered"
    return True


class TestStrictJson:
    def test_is_judged_as_the_json_test_suite_does(self):
        for name, encoded in corpus("json_test_suite.json").items():
            try:
                strictjson.loads(b64decode(encoded))
                accepted = True
            except strictjson.NotStrict:
                accepted = False
            if name in {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}:
                assert not accepted, name  # we are stricter here
            elif name[0] in "yn":
                assert accepted == (name[0] == "y"), name

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b'{"a":1,"a":1}',
            b"NaN",
            b"[Infinity]",
            b"-Infinity",
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'"\\ud800"',
            b"\xff",
            b"\xef\xbb\xbf{}",
            b"1" * 5000,
            b" " * (strictjson.LONGEST + 1),
        ],
    )
    def test_refuses(self, text):
        with pytest.raises(strictjson.NotStrict):
            strictjson.loads(text)
        for read in (keys.read_did, keys.read_keys_json):
            refused(read, text)

    @pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"x"', b"{}"])
    def test_what_is_no_object_is_no_key_file(self, text):
        for read in (keys.read_did, keys.read_keys_json):
            refused(read, text)


def test_a_log_key_whose_base64_has_a_plus_is_read():
    """About half of all keys have one; `name+hash+key` is split at the first two only."""
    origin = "registry.example/log"
    for stated in [proof.vkey(origin, public(key(f"log {n}"))) for n in range(50)]:
        text = keys_json() | {"log": {"origin": origin, "vkey": stated}}
        assert stated in keys.read_keys_json(spelled(text)).logs
