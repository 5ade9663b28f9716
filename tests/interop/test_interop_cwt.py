"""What we sign is a CWT to a library that has never heard of us (python-cwt, in an environment of its own)."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-interop" / "bin" / "python"
VECTORS = ROOT / "tests" / "vectors"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="make test sets up .venv-interop")


def stranger(keys, tokens):
    asked = json.dumps({"keys": [{"kid": kid, "x": x} for kid, x in keys], "tokens": tokens})
    done = subprocess.run(
        [PYTHON, Path(__file__).parent / "stranger.py"], input=asked, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def published():
    return [json.loads((VECTORS / name).read_text("utf-8")) for name in ("qr_v1.json", "qr_v1_more.json")]


def vectors():
    return [vector for page in published() for vector in page["vectors"]]


def key(vector):
    return vector["kid_hex"], vector["pub_hex"]


def as_hex(claims):
    """The vectors spell keys as text and bytes as hex, as the stranger's script does."""
    return json.loads(json.dumps(claims))


def unexpired(vector):
    return vector["claims"]["4"] > 1_800_000_000  # the stranger reads the clock


def test_a_stranger_reads_our_claims():
    own = [vector for vector in vectors() if unexpired(vector)]

    read = stranger([key(vector) for vector in own[:1]], [vector["cose_sign1_hex"] for vector in own])

    assert len(own) == 3
    assert read == [as_hex(vector["claims"]) for vector in own]


def test_a_stranger_refuses_what_was_changed():
    vector = vectors()[0]
    token = bytes.fromhex(vector["cose_sign1_hex"])
    changed = [token[:-1] + bytes([token[-1] ^ 1]), token.replace(b"IFS-2026", b"IFS-2025")]

    assert stranger([key(vector)], [one.hex() for one in changed]) == [None, None]


def test_a_stranger_refuses_another_key():
    mine, other = vectors()[0], vectors()[2]

    assert stranger([(mine["kid_hex"], other["pub_hex"])], [mine["cose_sign1_hex"]]) == [None]


def test_a_stranger_reads_a_list_and_its_notes_as_we_write_them_today():
    from hashlib import sha256
    from time import time

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from verifier import cose, status
    from verifier.verdict import Notice

    private = Ed25519PrivateKey.from_private_bytes(sha256(b"interop").digest())
    public = private.public_key().public_bytes_raw()
    kid, now = cose.thumbprint(public), int(time())
    uri = "https://registry.example/s/1"
    token = cose.seal(status.token_list({777: 1}, uri, now), status.LIST_TYP, kid, private.sign)
    note = Notice("transferred", "2026-11-20", "active", "CT")
    notes = cose.seal(status.notes({777: note}, f"{uri}.notes", now), status.NOTES_TYP, kid, private.sign)

    listed, noted = stranger([(kid.hex(), public.hex())], [token.hex(), notes.hex()])

    assert (listed["2"], listed["65533"]["bits"]) == (uri, 2)
    assert noted["-65538"] == {"777": ["transferred", "2026-11-20", "active", "CT"]}
