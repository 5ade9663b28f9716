"""A stranger's checker, written from docs/format.md section 7 alone, reads the stored example as we do."""

import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CONTENT = (Path(__file__).parents[1] / "vectors" / "bundle.json").read_bytes()
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def unb64(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check(content):
    value = json.loads(content)
    assert rfc8785.dumps(value) == content
    text, _, lines = value["checkpoint"].partition("\n\n")
    origin, size, root = text.split("\n")
    key = b64decode(value["keys"]["log"][0].split("+", 2)[2])[1:]
    signature = b64decode(lines.split("\n")[0].split(" ")[2])[4:]
    Ed25519PublicKey.from_public_bytes(key).verify(signature, f"{text}\n".encode())
    assert value["keys"]["log"][0].startswith(origin)
    assert climbed(value, int(size)) == b64decode(root)
    states = {(row[1], row[2]): json.loads(unb64(row[4])) for row in value["events"]}
    for one in value["openings"]:
        parts = [unb64(one["blind"]), *(str(one[name]).encode() for name in ("stream", "version", "field", "value"))]
        digest = sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
        h = states[one["stream"], one["version"]][one["field"]]["h"]
        assert urlsafe_b64encode(digest).rstrip(b"=").decode() == h
    announced = states[f"key/{value['signature']['kid']}", 1]
    assert announced["use"] == "status"
    number = 0
    for letter in announced["public"][1:]:
        number = number * 58 + BASE58.index(letter)
    public = (number & ((1 << 256) - 1)).to_bytes(32, "big")
    unsigned = content[: content.index(b',"signature":')] + b"}"
    signed = b"endorsement-registry bundle v1\n" + sha256(unsigned).digest()
    Ed25519PublicKey.from_public_bytes(public).verify(unb64(value["signature"]["value"]), signed)
    return value, states


def climbed(value, size):
    """The root, from the leaves of the events and the hashes of the proof."""
    proof = unb64(value["proof"])
    given = [proof[at : at + 32] for at in range(0, len(proof), 32)]
    known = {row[0] - 1: sha256(b"\0" + sha256(rfc8785.dumps(row)).digest()).digest() for row in value["events"]}
    last = size - 1
    while last:
        above = {}
        for index in sorted(known):
            if index % 2:
                if index - 1 in known:
                    continue  # it was joined with this one
                above[index // 2] = sha256(b"\1" + given.pop(0) + known[index]).digest()
            elif index == last:
                above[index // 2] = known[index]
            else:
                right = known[index + 1] if index + 1 in known else given.pop(0)
                above[index // 2] = sha256(b"\1" + known[index] + right).digest()
        known, last = above, last // 2
    assert not given
    return known[0]


def test_it_reads_the_example_as_we_do():
    value, states = check(CONTENT)

    (held,) = value["claims"]["endorsements"]
    corrected = states[f"endorsement/{held['number']}", 6]
    assert corrected["corrects"] == 5
    # By hand, from the events: reactivated on the corrected day, a day after it was made inactive.
    days = [(one["from"], one["standing"]) for one in held["standing"] if one["from"].startswith("2025")]
    made = states[f"endorsement/{held['number']}", 4]
    assert days[1:] == [(made["on"], "inactive"), (corrected["day"], "active")]
    assert date.fromisoformat(corrected["day"]) < date.fromisoformat(states[f"endorsement/{held['number']}", 5]["on"])


def test_it_finds_what_was_changed():
    for old, new in (("Nguyễn".encode(), b"Nguyen"), (b'"to":"CT"', b'"to":"MI"')):
        assert old in CONTENT
        with pytest.raises((AssertionError, InvalidSignature)):
            check(CONTENT.replace(old, new, 1))
