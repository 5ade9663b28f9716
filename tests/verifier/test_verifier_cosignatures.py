"""What witnesses say of a checkpoint (C2SP tlog-cosignature), and what the verifier makes of it."""

import json
from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from papers import HOST, ISSUING, LOGGING, NOW, VKEY, at_hand, keys_json, listed, log_proof, public, ring, spelled, text

from verifier import cose, keys, proof
from verifier.__main__ import main
from verifier.keys import Key
from verifier.proof import Cosignature, cosignatures
from verifier.verdict import Unverified
from verifier.verification import verify

WITNESS = "witness.example/w1"
SEED = sha256(b"iecmh-test-vector:witness-2026").digest()
COSIGNING = Ed25519PrivateKey.from_private_bytes(SEED)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TIME = 1795348800
KID = cose.thumbprint(public(ISSUING))
WITNESS_VKEY = proof.witness_vkey(WITNESS, public(COSIGNING))

# docs/format.md, section 6: changed, these are a changed promise.
VECTOR_VKEY = "witness.example/w1+e5d93b69+BJ3aUVvjqkEOGxpKS0k4eNhfp416mEAZCA7eKRtLlsVr"
VECTOR_NOTE = "registry.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
VECTOR_LINE = (
    "— witness.example/w1 5dk7aQAAAABrAtlA62ic2Pu1Fl8uhKhcronwCPMd54y2bL04sVfMWFKuOIGlZk69puK5Imfs70MLjBffuT1Cm+LG"
    "Qrpo4EToNc63Dg==\n"
)


def line(note, *, by=COSIGNING, name=WITNESS, time=TIME):
    return proof.cosignature_line(name, public(by), time, by.sign(proof.cosigned(note, time)))


def witnessed(*lines):
    """The proof of the certificate, under a checkpoint with these lines after the log's own."""
    given = log_proof()
    return given + "".join(lines or [line(note_of(given))])


def note_of(given):
    return proof.signed_text(proof.read_proof(given).checkpoint)


def check(given, witnesses=(WITNESS_VKEY,), *, more=(), **withdrawn):
    own = ring(**withdrawn)
    good = at_hand(listed())
    return verify(
        text(),
        keys.KeyRing([*own, *more], prefixes=own.prefixes, logs=[VKEY], witnesses=witnesses),
        good,
        at=NOW,
        log_proof=given,
    )


def refused(do, *arguments):
    with pytest.raises(Unverified) as refusal:
        do(*arguments)
    return refusal.value.verdict


def test_the_vector_is_as_published():
    assert WITNESS_VKEY == VECTOR_VKEY
    assert line(VECTOR_NOTE) == VECTOR_LINE
    assert cosignatures(f"{VECTOR_NOTE}\n{VECTOR_LINE}", [VECTOR_VKEY]) == (Cosignature(WITNESS, TIME),)


def test_a_certificates_proof_says_who_witnessed_and_when():
    found = check(witnessed())

    assert (found.verdict, found.cosignatures) == ("valid", (Cosignature(WITNESS, TIME),))
    assert found.checks[5].found == "at position 3, cosigned by witness.example/w1 at 2026-11-22T12:00:00Z"


def test_a_witness_we_do_not_know_says_nothing():
    assert check(witnessed(), witnesses=()).cosignatures == ()
    assert check(witnessed(line(note_of(log_proof()), by=OTHER))).cosignatures == ()


def test_without_a_cosignature_the_proof_is_a_proof():
    found = check(log_proof())

    assert (found.verdict, found.log_position, found.cosignatures) == ("valid", 3, ())


# --- a withdrawn key, and what survives it ---

AFTER, BEFORE = "2026-11-22T12:00:01Z", "2026-11-22T12:00:00Z"  # the theft was after the witness looked, or was not


def test_a_certificate_that_a_witness_saw_before_the_theft_is_believed_and_it_is_said_why():
    found = check(witnessed(), withdrawn=AFTER)

    assert found.verdict == "valid"
    assert found.checks[6].passed
    assert found.checks[6].found.startswith(f"withdrawn since {AFTER}, and believed of this one: {WITNESS} saw it")


@pytest.mark.parametrize(
    ("given", "witnesses", "since"),
    [
        (witnessed(), (WITNESS_VKEY,), BEFORE),
        (log_proof(), (WITNESS_VKEY,), AFTER),  # the log's own signature: who stole one key may have stolen both
        (witnessed(), (), AFTER),
        (witnessed(), (WITNESS_VKEY,), "some time in autumn"),
        (None, (WITNESS_VKEY,), AFTER),
    ],
)
def test_any_other_that_the_withdrawn_key_signed_is_not(given, witnesses, since):
    found = check(given, witnesses, withdrawn=since)

    assert (found.verdict, found.checks[6].passed) == ("key_revoked", False)
    assert "Ask the holder for a newly signed" in found.sentence()


def test_of_two_days_of_withdrawal_the_earlier_one_counts():
    for days in ((AFTER, BEFORE), (BEFORE, AFTER), (AFTER, "autumn")):
        one, other = (ring(withdrawn=day) for day in days)
        assert (one | other).for_certificates(KID).withdrawn != AFTER


def test_under_a_withdrawn_log_key_a_proof_counts_where_a_witness_saw_it_before_and_else_is_none():
    def stolen(since):
        return [Key("log", f"did:web:{HOST}", "#log", public(LOGGING), since)]

    assert check(witnessed(), more=stolen(AFTER)).log_position == 3
    for given, since in ((witnessed(), BEFORE), (log_proof(), AFTER)):
        found = check(given, more=stolen(since))
        assert (found.verdict, found.log_position, found.checks[5].passed) == ("valid", None, None)
        assert check(given, more=stolen(since), withdrawn=AFTER).verdict == "key_revoked"


def bad_lines():
    note = note_of(log_proof())
    key_id = bytes.fromhex(WITNESS_VKEY.split("+")[1])
    return {
        "of another note": line("another note\n"),
        "of another time": line(note).replace("\n", "").removesuffix("=")[:-1] + "A=\n",
        "too short": f"— {WITNESS} {b64encode(key_id + bytes(8)).decode()}\n",
        "no timestamp": f"— {WITNESS} {b64encode(key_id + COSIGNING.sign(note.encode())).decode()}\n",
    }


@pytest.mark.parametrize("kind", bad_lines())
def test_a_line_of_a_witness_we_know_that_is_bad_refuses_the_proof(kind):
    assert refused(check, witnessed(bad_lines()[kind])) in ("tampered", "malformed")


def test_the_latest_of_several_lines_of_one_witness_counts():
    note = note_of(log_proof())

    found = check(witnessed(line(note, time=5), line(note, time=TIME), line(note, time=7)))
    assert found.cosignatures == (Cosignature(WITNESS, TIME),)


def test_a_time_beyond_63_bits_is_refused():
    note = note_of(log_proof())

    assert refused(cosignatures, f"{note}\n{line(note, time=1 << 63)}", [WITNESS_VKEY]) == "tampered"
    assert cosignatures(f"{note}\n{line(note, time=(1 << 63) - 1)}", [WITNESS_VKEY])[0].time == (1 << 63) - 1


def test_a_signature_of_the_log_is_no_cosignature_even_under_the_same_name_and_key():
    note = f"{WITNESS}\n0\n{b64encode(proof.root(())).decode()}\n"
    own = b64encode(proof.key_id(WITNESS, public(COSIGNING)) + COSIGNING.sign(note.encode())).decode()
    signed = f"{note}\n— {WITNESS} {own}\n"

    assert proof.read_checkpoint(signed, [proof.vkey(WITNESS, public(COSIGNING))]).size == 0
    assert cosignatures(signed, [WITNESS_VKEY]) == ()
    assert refused(cosignatures, signed, [proof.vkey(WITNESS, public(COSIGNING))]) == "malformed"


def test_keys_json_names_the_witnesses_and_need_not():
    assert keys.read_keys_json(spelled(keys_json(witnesses=[WITNESS_VKEY]))).witnesses == (WITNESS_VKEY,)
    assert keys.read_keys_json(spelled(keys_json())).witnesses == ()
    for wrong in ("x", [1], [VKEY], [WITNESS_VKEY[:-1]], [WITNESS_VKEY.replace(WITNESS, "other")]):
        assert refused(keys.read_keys_json, spelled(keys_json(witnesses=wrong))) == "unknown_key"


@pytest.mark.parametrize("how", ["--static", "--witness"])
def test_the_command_reports_it(tmp_path, capsys, how):
    listed = keys_json(witnesses=[WITNESS_VKEY] if how == "--static" else [])
    (tmp_path / "keys.json").write_bytes(spelled(listed))
    (tmp_path / "proof").write_text(witnessed(), encoding="utf-8")
    words = ["--text", text(), "--static", str(tmp_path), "--proof", str(tmp_path / "proof"), "--json"]

    main([*words, "--witness", WITNESS_VKEY] if how == "--witness" else words)

    report = json.loads(capsys.readouterr().out)
    assert report["cosignatures"] == [{"witness": WITNESS, "at": "2026-11-22T12:00:00Z"}]
    assert report["log_position"] == 3


def test_a_witness_key_that_is_none_is_misuse(tmp_path, capsys):
    assert main(["--text", text(), "--witness", VKEY]) == 64
    assert "witness key" in capsys.readouterr().err
