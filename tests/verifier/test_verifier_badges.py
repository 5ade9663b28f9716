"""Badges: JSON by its jcs proof, or JWT; every verdict, and the ways in which one is no badge of ours."""

import json

import pytest
from papers import (
    BADGE_KEY,
    BITS,
    CERTIFICATE,
    ISSUER,
    ISSUING,
    JWT_KEY,
    LISTED,
    LISTING,
    LOGGING,
    NOW,
    SIGNING,
    STRANGER,
    TRANSFERRED,
    at_hand,
    b64,
    badge,
    badge_jwt,
    bit_list,
    bits,
    bits_jwt,
    claims_of,
    compact,
    compressed,
    document,
    es256,
    event,
    listed,
    log_proof,
    noted,
    p256,
    preimage,
    proved,
    public,
    ring,
    seconds,
    spelled,
    urn,
    when,
)

from verifier import bitstring, status
from verifier.keys import Key, KeyRing
from verifier.verdict import Unverified
from verifier.verification import verify_badge

HERE = CERTIFICATE.status_index
FORMS = pytest.mark.parametrize("form", [badge, badge_jwt], ids=["json", "jwt"])


def check(content, *lists, keys=None, at=NOW, **more):
    return verify_badge(content, keys or ring(), at_hand(*lists), at=at, **more)


def refused(content, *lists, **more):
    with pytest.raises(Unverified) as caught:
        check(content, *lists or [bits()], **more)
    return caught.value


def malformed(content):
    found = refused(content)
    assert found.verdict == "malformed"
    return found.why


class TestVerdicts:
    @FORMS
    @pytest.mark.parametrize("lists", [bits, bits_jwt])
    def test_valid(self, form, lists):
        found = check(form(), lists())

        assert (found.verdict, found.exit, found.kind) == ("valid", 0, "badge")
        assert found.certificate.name == CERTIFICATE.name
        assert found.certificate.category == "IFS+ERS"
        assert found.certificate.association == "VA"
        assert (found.as_of, found.log_position) == (when("2026-11-22T06:00:00Z"), None)
        assert [one.number for one in found.checks] == list(range(1, 11))

    @FORMS
    def test_wrong_domain(self, form):
        assert refused(form(), prefixes=["https://other.example/v1#"]).verdict == "wrong_domain"
        assert refused(form(document() | {"issuer": {"id": "did:web:other.example"}})).verdict == "wrong_domain"

    def test_unknown_key(self):
        assert refused(badge(), keys=KeyRing()).verdict == "unknown_key"
        assert refused(badge(key=f"{ISSUER}#2")).verdict == "unknown_key"
        assert refused(badge_jwt(key=f"{ISSUER}#2")).verdict == "unknown_key"

    def test_a_key_of_another_use_signs_no_badge(self):
        keys = KeyRing([*ring(), Key("log", ISSUER, f"{ISSUER}#log", public(LOGGING))])

        for name, by in ((f"{ISSUER}:status#1", LISTING), (f"{ISSUER}#log", LOGGING), (JWT_KEY, ISSUING)):
            found = refused(badge(by=by, key=name), keys=keys)
            assert (found.verdict, "not for certificate" in found.why) == ("unknown_key", True)
        assert refused(badge_jwt(key=BADGE_KEY)).verdict == "unknown_key"

    @FORMS
    def test_tampered(self, form):
        by = STRANGER if form is badge else p256("stranger")

        assert refused(form(by=by)).verdict == "tampered"

    def test_tampered_with_another_name(self):
        whole = json.loads(badge())
        whole["credentialSubject"]["identifier"][0]["identityHash"] = "Eve"
        parts = badge_jwt().split(b".")
        other = badge_jwt(document(CERTIFICATE._replace(name="Eve"))).split(b".")

        assert refused(spelled(whole)).verdict == "tampered"
        assert refused(b".".join([parts[0], other[1], parts[2]])).verdict == "tampered"

    @FORMS
    def test_issuer_mismatch(self, form):
        whole = document() | {"issuer": {"id": "did:web:other.example"}}

        assert refused(form(whole), prefixes=[]).verdict == "issuer_mismatch"

    @FORMS
    def test_key_revoked(self, form):
        assert check(form(), bits(), keys=ring(withdrawn="2026-11-01T00:00:00Z")).verdict == "key_revoked"

    @FORMS
    def test_not_yet_valid(self, form):
        assert check(form(), bits(), at=when("2026-11-02T03:14:14Z")).verdict == "not_yet_valid"
        assert check(form(), at=when("2026-11-02T03:14:15Z")).verdict == "status_unknown"

    @FORMS
    def test_revoked(self, form):
        assert check(form(), bits({HERE})).verdict == "revoked"
        assert check(form(), bits({HERE - 1, HERE + 1})).verdict == "valid"

    @FORMS
    def test_expired(self, form):
        late = when("2028-01-01T00:00:00Z")

        assert check(form(), bits(iat=int(late.timestamp())), at=late).verdict == "expired"
        assert check(form(), at=late).verdict == "expired"

    @FORMS
    def test_revoked_wins_over_expired(self, form):
        late = when("2028-01-01T00:00:00Z")

        assert check(form(), bits({HERE}, iat=int(late.timestamp())), at=late).verdict == "revoked"

    @FORMS
    def test_the_last_second_is_good_to_its_end(self, form):
        last = when("2027-12-31T23:59:59.999Z")

        assert check(form(), bits(iat=int(last.timestamp())), at=last).verdict == "valid"

    @FORMS
    def test_status_unknown(self, form):
        found = check(form())

        assert (found.verdict, found.exit, found.as_of) == ("status_unknown", 3, None)

    @FORMS
    def test_without_a_status_it_is_unknown_whatever_lists_are_at_hand(self, form):
        found = check(form(document(credentialStatus=...)), bits(), listed())

        assert (found.verdict, found.checks[8].found) == ("status_unknown", "the badge names no status")

    def test_a_specimen_is_one(self):
        assert check(badge(), bits(), keys=ring(specimen=True)).key.specimen


class TestTheTwoLists:
    """The Bitstring list says whether it was revoked, the token list why, and knows first."""

    @FORMS
    @pytest.mark.parametrize(
        ("bit", "token", "verdict"),
        [
            (0, None, "valid"),
            (0, 0, "valid"),
            (0, 1, "revoked"),
            (0, 2, "suspended"),
            (0, 3, "superseded"),
            (1, None, "revoked"),
            (1, 0, "superseded"),
            (1, 1, "revoked"),
            (1, 2, "suspended"),
            (1, 3, "superseded"),
            (None, None, "status_unknown"),
            (None, 0, "status_unknown"),
            (None, 1, "revoked"),
            (None, 2, "suspended"),
            (None, 3, "superseded"),
        ],
    )
    def test_together(self, form, bit, token, verdict):
        lists = [] if bit is None else [bits({HERE} if bit else ())]
        lists += [] if token is None else [listed({HERE: token})]

        assert check(form(), *lists).verdict == verdict

    def test_notes_explain_it(self):
        notes = noted({HERE: TRANSFERRED})

        assert check(badge(), bits({HERE}), listed({HERE: 3}), notes).notice == TRANSFERRED
        assert check(badge(), bits(), listed({HERE: 3}), notes).notice == TRANSFERRED
        assert check(badge(), bits(), notes).notice is None

    def test_a_token_list_that_cannot_be_believed_says_nothing(self):
        for bad in (
            listed({HERE: 1}, by=STRANGER),
            listed({HERE: 1}, iat=LISTED - 90 * 3600),
        ):
            assert check(badge(), bits(), bad).verdict == "valid"

    def test_as_of_is_the_time_of_the_list_that_said_it(self):
        earlier = LISTED - 3600

        assert check(badge(), bits(iat=earlier), listed()).as_of == when("2026-11-22T05:00:00Z")
        assert check(badge(), bits(iat=earlier), listed({HERE: 2})).as_of == when("2026-11-22T06:00:00Z")


class TestBitstringLists:
    @pytest.mark.parametrize("form", [bits, bits_jwt])
    def test_past_its_time_says_nothing_not_even_revoked(self, form):
        assert check(badge(), form({HERE}, iat=LISTED - 90 * 3600)).verdict == "status_unknown"
        assert check(badge(), form({HERE}, iat=LISTED + 7 * 3600)).verdict == "status_unknown"

    @pytest.mark.parametrize(
        "bad",
        [
            lambda: bits(uri=BITS + "1"),
            lambda: bits(by=STRANGER),
            lambda: bits(key=JWT_KEY),
            lambda: bits(by=LISTING, key=f"{ISSUER}:status#1"),
            lambda: bits(issuer="did:web:other.example"),
            lambda: bits_jwt(by=p256("stranger")),
            lambda: bits_jwt(key=BADGE_KEY),
            lambda: bits(size=status.SIZE // 8 - 1),
            lambda: bits(size=(1 << 17) + 1),
            lambda: bits(statusPurpose="suspension"),
            lambda: bits(statusPurpose=["revocation"]),
            lambda: bits(type="StatusList2021"),
            lambda: bits(encodedList=None),
            lambda: bits(encodedList="u"),
            lambda: bits(encodedList="uAAAA"),
            lambda: bits(encodedList=bitstring.encoded(bytes(status.SIZE // 8))[1:]),
            lambda: bits(encodedList=bitstring.encoded(bytes(status.SIZE // 8))[:-8]),
            lambda: bits(encodedList="u" + b64(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + bytes(50))),
            lambda: bits(encodedList="é"),
            lambda: bits(statusSize=1),
            lambda: spelled(proved(bit_list() | {"type": ["VerifiableCredential"]})),
            lambda: spelled(proved(bit_list() | {"@context": ["https://other.example/"]})),
            lambda: spelled(proved({name: value for name, value in bit_list().items() if name != "validUntil"})),
            lambda: spelled(proved(bit_list() | {"credentialSubject": []})),
            lambda: b"{}",
            lambda: b"",
            lambda: b"{" * (1 << 18) + b"{",
        ],
    )
    def test_that_cannot_be_believed(self, bad):
        assert check(badge(), bad()).verdict == "status_unknown"

    def test_a_withdrawn_key_makes_none(self):
        keys = KeyRing([*ring(), Key("jwt", ISSUER, f"{ISSUER}#2", compressed(p256("old")), "2026-11-01")])

        assert check(badge(), bits_jwt(by=p256("old"), key=f"{ISSUER}#2"), keys=keys).verdict == "status_unknown"

    def test_an_entry_beyond_its_end(self):
        assert check(badge(document(CERTIFICATE._replace(status_index=131_072))), bits()).verdict == "status_unknown"

    def test_of_several_the_newest_counts(self):
        assert check(badge(), bits({HERE}), bits(iat=LISTED - 60)).verdict == "revoked"
        assert check(badge(), bits(iat=LISTED - 60), bits_jwt({HERE})).verdict == "revoked"
        assert check(badge(), bits({HERE}, iat=LISTED - 60), bits_jwt()).verdict == "valid"

    def test_in_a_folder_the_json_is_read_and_else_the_jwt(self, tmp_path):
        place = tmp_path / "status" / "revocation"
        place.mkdir(parents=True)
        statuses = status.Statuses(status.folder(tmp_path))
        (place / "1.jwt").write_bytes(bits_jwt({HERE}))
        assert verify_badge(badge(), ring(), statuses, at=NOW).verdict == "revoked"

        (place / "1").write_bytes(bits())
        assert verify_badge(badge(), ring(), statuses, at=NOW).verdict == "valid"

    def test_reads_the_first_entry_from_the_highest_bit(self):
        packed = bytes([0b1000_0001]) + bytes(status.SIZE // 8 - 1)
        read = bitstring.read(bits(encodedList=bitstring.encoded(packed)), ring())

        assert [read[index] for index in range(9)] == [True, *[False] * 6, True, False]


class TestRespelled:
    """RDF-signed JSON can be spelled in other words that some readers do not see (credentials.md 4.4)."""

    LATE = when("2028-01-01T00:00:00Z")

    @pytest.mark.parametrize(
        ("member", "as_term"),
        [
            ("validUntil", "https://www.w3.org/2018/credentials#validUntil"),
            ("validUntil", "cred:validUntil"),
            ("credentialStatus", "https://www.w3.org/2018/credentials#credentialStatus"),
            ("credentialStatus", "cred:credentialStatus"),
        ],
    )
    @pytest.mark.parametrize("proofs", ["both", "rdfc alone"])
    def test_an_expired_or_revoked_badge_is_refused(self, member, as_term, proofs):
        whole = json.loads(badge())
        whole = {as_term if name == member else name: value for name, value in whole.items()}
        if proofs == "rdfc alone":
            whole["proof"] = whole["proof"][:1]

        for at in (NOW, self.LATE):
            assert refused(spelled(whole), bits({HERE}), at=at).verdict == "malformed"

    @pytest.mark.parametrize("member", ["validUntil", "credentialStatus"])
    def test_a_member_that_is_gone_or_renamed_without_a_colon_fails_the_signature(self, member):
        whole = json.loads(badge())
        whole[f"{member}2"] = whole.pop(member)

        assert refused(spelled(whole)).verdict in {"malformed", "tampered"}
        del whole[f"{member}2"]
        assert refused(spelled(whole)).verdict in {"malformed", "tampered"}

    def test_the_jcs_proof_may_not_be_taken_away(self):
        whole = json.loads(badge())
        whole["proof"] = whole["proof"][0]

        assert "eddsa-jcs-2022" in malformed(spelled(whole))

    def test_a_context_of_ones_own_is_refused(self):
        whole = json.loads(badge())
        for context in ([*whole["@context"], "https://evil.example/"], whole["@context"][:1], {"validUntil": None}, []):
            assert "ontext" in malformed(spelled(whole | {"@context": context}))

    def test_the_same_in_a_jwt(self):
        whole = document(**{"https://www.w3.org/2018/credentials#validUntil": "2030-01-01T00:00:00Z"})

        assert "compacted" in malformed(badge_jwt(whole))


SUBJECT = document()["credentialSubject"]
STATUS = document()["credentialStatus"]


class TestShape:
    @FORMS
    @pytest.mark.parametrize(
        "change",
        [
            {"id": "urn:x"},
            {"id": urn(CERTIFICATE.cti).upper()},
            {"id": ...},
            {"type": ["VerifiableCredential"]},
            {"type": "OpenBadgeCredential"},
            {"issuer": {"name": "x"}},
            {"issuer": 7},
            {"validFrom": "2026-11-02"},
            {"validUntil": ...},
            {"termsOfUse": []},
            {"evidence": []},
            {"@context": ["https://www.w3.org/ns/credentials/v2"]},
            {"credentialSubject": [SUBJECT]},
            {"credentialSubject": SUBJECT | {"achievement": None}},
            {"credentialSubject": SUBJECT | {"achievement": {}}},
            {"credentialSubject": SUBJECT | {"source": {"id": "https://registry.example/"}}},
            {"credentialSubject": SUBJECT | {"licenseNumber": ""}},
            {"credentialSubject": SUBJECT | {"licenseNumber": "X" * 41}},
            {"credentialSubject": SUBJECT | {"identifier": []}},
            {"credentialSubject": SUBJECT | {"identifier": SUBJECT["identifier"] * 2}},
            {"credentialSubject": SUBJECT | {"identifier": [SUBJECT["identifier"][0] | {"hashed": True}]}},
            {"credentialSubject": SUBJECT | {"identifier": [SUBJECT["identifier"][0] | {"salt": "x"}]}},
            {"credentialSubject": SUBJECT | {"identifier": [SUBJECT["identifier"][0] | {"identityHash": "e\u0301"}]}},
            {"credentialSubject": SUBJECT | {"identifier": [SUBJECT["identifier"][0] | {"identityHash": "é" * 61}]}},
            {"credentialStatus": [STATUS]},
            {"credentialStatus": STATUS | {"type": "StatusList2021Entry"}},
            {"credentialStatus": STATUS | {"statusPurpose": "suspension"}},
            {"credentialStatus": STATUS | {"statusListIndex": 4711}},
            {"credentialStatus": STATUS | {"statusListIndex": "04711"}},
            {"credentialStatus": STATUS | {"statusListIndex": "-1"}},
            {"credentialStatus": STATUS | {"statusListCredential": "https://registry.example/s/1"}},
            {"credentialStatus": STATUS | {"statusListCredential": "http://registry.example/status/revocation/1"}},
        ],
        ids=lambda change: str(change)[-60:],
    )
    def test_that_is_not_ours(self, form, change):
        whole = document(**change)
        if form is badge:
            content = badge(whole, created=CERTIFICATE.valid_from)
        else:
            try:
                content = badge_jwt(whole)
            except (KeyError, TypeError):
                return
        assert malformed(content)

    def test_has_a_length(self):
        assert "longer" in malformed(badge(document(description="x" * (1 << 16))))

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[]", b"{}", b"null", b"\xff", b"{" * 60_000, badge()[:-1], badge() + b"x", b"ey", b"ey.ey.ey"],
    )
    def test_that_is_no_badge_at_all(self, content):
        assert malformed(content)

    def test_a_member_twice(self):
        assert "twice" in malformed(badge().replace(b'{"@context"', b'{"name": "x", "@context"', 1))


class TestTheProof:
    def test_begins_when_it_was_made_if_that_is_later(self):
        content = badge(created=seconds("2026-11-22T12:00:01Z"))

        assert check(content, bits()).verdict == "not_yet_valid"
        assert check(content, bits(), at=when("2026-11-22T12:00:01Z")).verdict == "valid"

    def test_ends_when_it_says_so(self):
        content = badge(expires="2026-11-22T11:59:59Z")

        assert check(content, bits()).verdict == "expired"
        assert check(content, bits(), at=when("2026-11-22T11:59:59Z")).verdict == "valid"

    def test_made_after_the_end_makes_no_sense(self):
        assert "after the end" in malformed(badge(created=CERTIFICATE.expires_at + 1))

    def test_of_another_purpose(self):
        assert "purpose" in malformed(badge(proofPurpose="authentication"))


def jwt_with(header=None, **claims):
    return badge_jwt(header=header, **claims)


class TestJwt:
    @pytest.mark.parametrize(
        "header",
        [
            {"alg": "none"},
            {"alg": "HS256"},
            {"alg": "EdDSA"},
            {"alg": "ES384"},
            {"alg": "RS256"},
            {"alg": "es256"},
            {"alg": None},
            {"crit": ["exp"]},
            {"crit": []},
            {"jwk": {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}},
            {"jku": "https://evil.example/jwks.json"},
            {"x5c": ["MII"]},
            {"x5u": "https://evil.example/"},
            {"b64": False},
            {"zip": "DEF"},
            {"typ": "at+jwt"},
            {"typ": 7},
            {"cty": "vc"},
            {"kid": None},
            {"kid": 7},
        ],
        ids=str,
    )
    def test_the_header_brings_nothing_along(self, header):
        assert malformed(jwt_with(header))

    @pytest.mark.parametrize("typ", ["JWT", "vc+jwt"])
    def test_may_say_its_type(self, typ):
        assert check(jwt_with({"typ": typ}), bits()).verdict == "valid"

    def test_a_signature_by_the_public_key_as_a_secret_is_none(self):
        from hmac import digest

        token = compact(
            {"alg": "HS256", "kid": JWT_KEY},
            claims_of(document()),
            lambda message: digest(compressed(SIGNING), message, "sha256") * 2,
        )

        assert malformed(token)

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "did:web:other.example"},
            {"jti": "urn:uuid:x"},
            {"sub": "someone"},
            {"nbf": CERTIFICATE.valid_from - 1},
            {"exp": CERTIFICATE.expires_at + 1},
            {"exp": float(CERTIFICATE.expires_at)},
            {"exp": str(CERTIFICATE.expires_at)},
            {"nbf": True},
            *({name: ...} for name in ("iss", "jti", "sub", "nbf", "exp")),
            {"aud": "x"},
            {"vc": {}},
            {"proof": []},
        ],
        ids=str,
    )
    def test_the_claims_are_those_of_the_credential_in_it(self, claims):
        assert malformed(jwt_with(**claims))

    def test_has_one_spelling(self):
        head, claims, signature = badge_jwt().split(b".")
        last = signature[:-1] + bytes([signature[-1] + 1])  # the same bytes, other left-over bits
        assert signature[-1:] in b"AQgw"
        for other in (
            b".".join([head, claims, signature + b"=="]),
            b".".join([head, claims, last]),
            b".".join([head, claims]),
            b".".join([head, claims, signature, b""]),
            b".".join([head, claims + b"\n", signature]),
            b".".join([head + b"!", claims, signature]),
            b".".join([head, claims, b""]),
        ):
            assert malformed(other)

    def test_a_signature_in_der_is_none(self):
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.hashes import SHA256

        token = compact(
            {"alg": "ES256", "kid": JWT_KEY},
            claims_of(document()),
            lambda message: SIGNING.sign(message, ec.ECDSA(SHA256())),
        )
        assert "size" in malformed(token)

    def test_verifies_whatever_order_and_white_space_its_parts_have(self):
        claims = dict(reversed(claims_of(document()).items()))

        token = compact({"kid": JWT_KEY, "alg": "ES256"}, claims, lambda message: es256(SIGNING, message))

        assert check(token, bits()).verdict == "valid"


class TestTheLog:
    @FORMS
    def test_a_proof_gives_the_position(self, form):
        assert check(form(), bits(), log_proof=log_proof()).log_position == CERTIFICATE.log_index + 1

    def test_a_badge_issued_again_has_an_event_of_its_own(self):
        again = bytes(range(16, 32))
        whole = document() | {"id": urn(again)}
        own = log_proof(preimage(event(badge=again.hex())))

        assert check(badge(whole), bits(), log_proof=own).log_position == CERTIFICATE.log_index + 1
        assert refused(badge(whole), log_proof=log_proof()).verdict == "tampered"
        assert refused(badge(), log_proof=own).verdict == "tampered"

    @pytest.mark.parametrize(
        ("bad", "verdict"),
        [
            (log_proof(preimage(event(cti="f" * 32))), "tampered"),
            (log_proof(preimage(event(number="IFS-2026-000513"))), "tampered"),
            (log_proof(preimage(event(category="IFS"))), "tampered"),
            (log_proof(preimage(event(association="CT"))), "tampered"),
            (log_proof(preimage(event(expires_at="2028-12-31T23:59:59Z"))), "tampered"),
            (log_proof(preimage(position=2)), "tampered"),
            (log_proof(by=STRANGER), "unknown_key"),
            ("", "malformed"),
        ],
    )
    def test_another_ones_is_refused(self, bad, verdict):
        found = refused(badge(), log_proof=bad)

        assert (found.verdict, found.checks[-1].check) == (verdict, "the registry's log holds it")

    def test_names_the_list_of_its_place_in_the_log(self):
        other = STATUS | {"statusListCredential": "https://registry.example/status/revocation/2"}

        assert refused(badge(document(credentialStatus=other)), log_proof=log_proof()).verdict == "tampered"
