"""The published vectors: what we promised once, byte for byte."""

import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from papers import NOW, VECTORS, signed_vectors

from verifier import certificate as qr
from verifier import cose, keys, status
from verifier.__main__ import main
from verifier.verification import verify

DIDS = [VECTORS / "did.json", VECTORS / "did_status.json"]
TOKEN = (VECTORS / "status_tsl.cwt").read_bytes()
LIST = json.loads((VECTORS / "qr_v1.json").read_text("utf-8"))["status_list"]


@pytest.fixture(scope="module")
def ring():
    one, other = (keys.read_did(path.read_bytes()) for path in DIDS)
    return one | other


@pytest.fixture(params=signed_vectors(), ids=lambda vector: vector["name"])
def vector(request):
    return request.param


def test_the_claims_read_and_write_as_published(vector):
    sealed = qr.unseal(vector["url"])

    claims = vector["claims"]
    detail, listed = claims["-65537"], claims["65535"]["status_list"]
    assert sealed.certificate == qr.Certificate(
        issuer=claims["1"],
        number=claims["2"],
        expires_at=claims["4"],
        valid_from=claims["5"],
        cti=bytes.fromhex(claims["7"]),
        status_uri=listed["uri"],
        status_index=listed["idx"],
        name=detail["1"],
        category=detail["2"],
        association=detail["3"],
        log_index=detail["4"],
        replaces=bytes.fromhex(detail["5"]) if "5" in detail else None,
    )
    assert qr.claims(sealed.certificate).hex() == vector["payload_hex"]
    assert sealed.envelope.protected.hex() == vector["protected_hex"]
    assert sealed.prefix == "https://verify.aimh.example/v1#"


def test_signing_again_gives_the_same_text(vector):
    seed = sha256(vector["seed_label"].encode()).digest()
    private = Ed25519PrivateKey.from_private_bytes(seed)
    kid = cose.thumbprint(private.public_key().public_bytes_raw())

    message = qr.seal(qr.unseal(vector["url"]).certificate, kid, private.sign)

    assert (seed.hex(), kid.hex()) == (vector["seed_hex"], vector["kid_hex"])
    assert message.hex() == vector["cose_sign1_hex"]
    assert len(message) == vector["bytes"]
    assert qr.text("verify.aimh.example", message) == vector["url"]


VERDICTS = {"1-basic": "valid", "2-unicode-renewal": "valid", "3-old-key-expired": "expired"}


def test_with_the_list_of_that_week(vector, ring):
    statuses = status.Statuses(status.tokens([TOKEN]))

    verdict = verify(vector["url"], ring, statuses, at=NOW).verdict

    assert verdict == VERDICTS.get(vector["name"], "status_unknown")  # the fourth stands in list 2


def test_without_a_list_only_what_has_ended_is_known(vector, ring):
    verdict = verify(vector["url"], ring, at=NOW).verdict

    assert verdict == ("expired" if vector["name"] == "3-old-key-expired" else "status_unknown")


def test_the_published_list(ring):
    read = status.read_list(TOKEN, ring)

    assert (read.uri, read.bits, TOKEN.hex()) == (LIST["uri"], 2, LIST["cwt_hex"])
    assert sha256(read.packed).hexdigest() == LIST["sha256_of_inflated"]
    assert [read[index] for index in (0, 777, 888, 999, 48213, 131071)] == [0, 1, 2, 3, 0, 0]
    assert status.pack({777: 1, 888: 2, 999: 3}) == read.packed


@pytest.mark.parametrize(
    ("with_list", "verdicts", "exits"),
    [
        (True, ["valid", "valid", "expired"], [0, 0, 1]),
        (False, ["status_unknown", "status_unknown", "expired"], [3, 3, 1]),
    ],
)
def test_the_command_says_the_same(capsys, with_list, verdicts, exits):
    said = []
    for vector in signed_vectors()[:3]:
        words = ["--text", vector["url"], "--host", "verify.aimh.example", "--at", "2026-11-22T12:00:00Z", "--json"]
        words += [word for path in DIDS for word in ("--did", str(path))]
        words += ["--status", str(VECTORS / "status_tsl.cwt")] if with_list else []
        exit_code = main(words)
        said.append((json.loads(capsys.readouterr().out)["verdict"], exit_code))

    assert said == list(zip(verdicts, exits, strict=True))
