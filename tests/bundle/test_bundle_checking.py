"""Whoever has a bundle finds out what of it is true; whatever was changed, cut, moved or forged shows."""

import json
import random
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moved import ALLIANCE

from registry.log import tree
from registry.log.entry import entry, leaf, preimage
from verifier import bundle, cose, proof
from verifier.keys import Key, KeyRing, multikey, point, read_keys_json
from verifier.verdict import Unverified

TIME = 1_780_000_000
VECTORS = Path(__file__).parents[1] / "vectors"


def refusal(content, pins=None):
    with pytest.raises(Unverified) as refused:
        bundle.check(content, pins)
    return refused.value


def test_any_one_byte_changed_cut_doubled_or_put_in_shows(pins, taken):
    chance = random.Random(20260601)
    for at in chance.sample(range(len(taken)), 120):
        other = bytes([taken[at] ^ (1 << chance.randrange(8))])
        for changed in (
            taken[:at] + other + taken[at + 1 :],
            taken[:at] + taken[at + 1 :],
            taken[:at] + taken[at : at + 1] + taken[at:],
        ):
            if changed != taken:
                refusal(changed, pins)
    for at in chance.sample(range(len(taken)), 40):
        refusal(taken[:at], pins)
        refusal(taken[:at] + b" " + taken[at:], pins)


def rewritten(content, change):
    """The value with a change, spelled as it should be; the signature stays."""
    value = json.loads(content)
    change(value)
    return bundle.encode(value).encode()


CHANGES = {
    "two events in another order": lambda v: v["events"].insert(0, v["events"].pop()),
    "an event twice": lambda v: v["events"].insert(1, v["events"][0]),
    "an event less": lambda v: v["events"].pop(3),
    "the last event of the case less": lambda v: v["events"].pop(),
    "another value in an opened field": lambda v: v["openings"][0].update(value="Somebody Else"),
    "another blind": lambda v: v["openings"][0].update(blind="A" * 22),
    "the opening of another field": lambda v: v["openings"][0].update(field="credentials"),
    "an opening less": lambda v: v["openings"].pop(),
    "a claim of another day": lambda v: v["claims"]["endorsements"][0]["standing"][0].update({"from": "2020-01-01"}),
    "a claim less": lambda v: v["claims"]["transfers"].pop(),
    "another rule": lambda v: v["policy"][0]["row"].update(name="easier"),
    "a rule less": lambda v: v["policy"].pop(),
    "another asker": lambda v: v["for"].update(association="VA"),
    "another day of making": lambda v: v.update(made_at="2020-01-01T00:00:00Z"),
    "another question": lambda v: v.update(asked={"person": "p"}),
    "a key of another": lambda v: v["keys"]["did"].pop(),
    "a witness of nobody": lambda v: v["keys"]["witnesses"].append("x"),
    "a node of the proof less": lambda v: v.update(proof=v["proof"][:-43]),
    "a signature line less": lambda v: v.update(checkpoint=v["checkpoint"].rpartition("— ")[0]),
    "another size of the log": lambda v: v.update(checkpoint=v["checkpoint"].replace("\n", "\n1", 1)),
    "a member more": lambda v: v.update(more=1),
    "a number that is not whole": lambda v: v["policy"][0]["row"].update(hours=1.5),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_with_care_shows_too(pins, taken, what):
    changed = rewritten(taken, CHANGES[what])

    refused = refusal(changed, pins)

    assert changed != taken
    assert refused.checks[-1].passed is False
    assert refused.why == refused.checks[-1].found
    refusal(changed)  # without pins too


def test_the_error_says_which(taken):
    for changed, why in (
        (taken[:-1], "was cut"),
        (rewritten(taken, lambda v: v["events"].reverse()), "not in order"),
        (taken.replace("Nguyễn".encode(), b"Nguyen"), "is not what was recorded"),
        (rewritten(taken, lambda v: v["claims"]["endorsements"][0].update(person="x")), "signature of the file fails"),
    ):
        assert why in refusal(changed).why


def test_one_spelling_alone_is_read(taken):
    value = json.loads(taken)
    for other in (json.dumps(value).encode(), taken + b"\n", b"\xef\xbb\xbf" + taken, taken.replace(b"/", b"\\/", 1)):
        assert refusal(other).verdict == "malformed"


@pytest.mark.parametrize(
    "bomb",
    [
        b"",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" + b"[]," * 1_100_000 + b"[]]",
        b"[" + b"1," * 4_100_000 + b"1]",
        b"9" * 100_000,
        b'"\\ud800"',
        b"\xff\xfe",
        b'{"events":[],"events":[]}',
        b"null",
        b"NaN",
    ],
    ids=range(11),
)
def test_what_is_no_bundle_is_refused_in_words_and_at_once(bomb):
    assert refusal(bomb).verdict == "malformed"


def test_a_bundle_too_large_is_not_read(monkeypatch, taken):
    monkeypatch.setattr(bundle, "LARGEST", len(taken) - 1)

    assert "larger" in refusal(taken).why


def places(of, path=()):
    """Every place in a value; of a list the first two."""
    yield path
    inner = of.items() if isinstance(of, dict) else enumerate(of[:2]) if isinstance(of, list) else ()
    for name, one in inner:
        yield from places(one, (*path, name))


def put(value, path, other):
    if not path:
        return other
    of = value
    for step in path[:-1]:
        of = of[step]
    of[path[-1]] = other
    return value


def test_every_kind_of_value_in_every_place_is_refused_in_words(pins, taken):
    chance = random.Random(20260601)
    for path in places(json.loads(taken)):
        for other in chance.sample((None, True, -1, "", [], {}, "x", 10**15), 2):
            changed = bundle.encode(put(json.loads(taken), path, other)).encode()
            if changed != taken:
                refusal(changed, pins)


class TestPins:
    def test_without_keys_of_ones_own_it_is_only_consistent(self, taken):
        proved = bundle.check(taken)

        assert (proved.verdict, proved.exit) == ("not_pinned", 3)
        assert "anybody could have made it" in proved.sentence

    def test_the_key_of_the_log_is_enough_and_says_that_no_witness_was_named(self, pins, taken):
        proved = bundle.check(taken, bundle.Pins(logs=pins.logs))

        assert proved.exit == 0
        assert "countersigned by no witness you know" in proved.sentence

    def test_another_log(self, taken):
        stranger = proof.vkey("registry.example/log", Ed25519PrivateKey.generate().public_key().public_bytes_raw())

        refused = refusal(taken, bundle.Pins(logs=(stranger,)))

        assert refused.verdict == "unknown_key"
        assert "of another log" in refused.why

    def test_a_withdrawn_key_of_the_plane(self, pins, taken):
        ring = KeyRing(
            (
                Key(key.use, key.controller, key.id, key.public, "2026-05-01" if key.use == "status" else None)
                for key in pins.ring
            ),
            logs=pins.logs,
        )

        assert "withdrawn" in refusal(taken, replace(pins, ring=ring)).why

    def test_a_fork_of_the_log_that_is_known(self, lived):
        taken, note = lived.take(ALLIANCE).content, (lived.settings.static / "checkpoint").read_text()
        signer = lived.keys.signer("log", datetime(2026, 6, 1, tzinfo=UTC))
        origin, size, *_ = note.split("\n")
        body = f"{origin}\n{size}\n{'A' * 43}=\n"
        signature = b64encode(proof.key_id(origin, signer.public) + signer.sign(body.encode())).decode()

        pins = replace(lived.pins(), checkpoint=f"{body}\n— {origin} {signature}\n".encode())

        assert "forked" in refusal(taken, pins).why


class TestWitness:
    @pytest.fixture
    def witness(self):
        return Ed25519PrivateKey.from_private_bytes(b"w" * 32)

    @pytest.fixture
    def vkey(self, witness):
        return proof.witness_vkey("witness.example", witness.public_key().public_bytes_raw())

    @pytest.fixture
    def cosigned(self, lived, witness):
        """A bundle under the checkpoint with a witness's line, as the registry would have made it."""
        path = lived.settings.static / "checkpoint"
        note = path.read_text()
        signature = witness.sign(proof.cosigned(proof.signed_text(note), TIME))
        line = proof.cosignature_line("witness.example", witness.public_key().public_bytes_raw(), TIME, signature)
        path.write_text(note + line)
        return lived.take(ALLIANCE).content

    def test_it_is_named_with_its_time(self, lived, cosigned, vkey):
        proved = bundle.check(cosigned, lived.pins(witnesses=(vkey,)))

        assert (proved.verdict, proved.exit) == ("proved", 0)
        assert [(one.witness, one.time) for one in proved.cosignatures] == [("witness.example", TIME)]
        assert "countersigned by witness.example at 2026-05-28T20:26:40Z" in proved.sentence

    def test_without_its_word_nothing_is_proved_to_who_asks_for_it(self, pins, taken, vkey):
        proved = bundle.check(taken, replace(pins, witnesses=(vkey,)))

        assert (proved.verdict, proved.exit) == ("not_witnessed", 3)

    def test_of_one_that_only_the_plane_names_it_is_said_whether_it_signed(self, pins, taken, vkey):
        ring = KeyRing(pins.ring, logs=pins.logs, witnesses=[vkey])

        assert bundle.check(taken, replace(pins, ring=ring)).exit == 0

    def test_a_line_that_was_taken_out_shows(self, lived, cosigned, vkey):
        cut = rewritten(cosigned, lambda v: v.update(checkpoint=v["checkpoint"].rpartition("— ")[0]))

        assert refusal(cut, lived.pins(witnesses=(vkey,))).verdict == "tampered"


def test_one_forged_with_keys_of_its_own_is_consistent_and_not_proved(pins, taken):
    """All of it made again by somebody with keys of the same names: another name, another log, other signatures."""
    forged = forge(json.loads(taken))

    assert bundle.check(forged).exit == 3
    assert refusal(forged, pins).verdict == "unknown_key"


def forge(value):
    fresh = {use: Ed25519PrivateKey.generate() for use in ("certificate", "status", "log")}
    publics = {use: key.public_key().public_bytes_raw() for use, key in fresh.items()}
    kids = {use: cose.thumbprint(public).hex() for use, public in publics.items()}
    p256 = generate_private_key(SECP256R1()).public_key()
    publics["jwt"] = p256.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    kids["jwt"] = cose.point_thumbprint(*point(publics["jwt"])).hex()
    events, positions = [], {}
    for position, (old, was, version, topic, text) in enumerate(value["events"], start=1):
        positions[old], stream = position, was
        state = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if was.startswith("key/"):
            state |= {"kid": kids[state["use"]], "public": multikey(publics[state["use"]])}
            stream = f"key/{state['kid']}"
        events.append([position, stream, version, topic, json.dumps(state).encode()])
    leaves = [leaf(entry(preimage(*event))) for event in events]
    origin = value["checkpoint"].partition("\n")[0]
    root = b64encode(tree.root(len(leaves), tree.nodes_over(leaves))).decode()
    note = f"{origin}\n{len(leaves)}\n{root}\n"
    line = b64encode(proof.key_id(origin, publics["log"]) + fresh["log"].sign(note.encode())).decode()
    value |= {"checkpoint": f"{note}\n— {origin} {line}\n", "proof": ""}
    value["events"] = [[*event[:4], b64url(event[4])] for event in events]
    value["keys"]["log"] = [proof.vkey(origin, publics["log"])]
    for document, use in zip(value["keys"]["did"], ("certificate", "status"), strict=True):
        method, *others = document["verificationMethod"]
        method |= {"id": f"{document['id']}#{kids[use]}", "publicKeyMultibase": multikey(publics[use])}
        for other in others:
            x, y = map(b64url, point(publics["jwt"]))
            other |= {"id": f"{document['id']}#{kids['jwt']}"}
            other["publicKeyJwk"] |= {"x": x, "y": y}
        document["assertionMethod"] = [one["id"] for one in (method, *others)]
    for held in value["claims"]["endorsements"]:
        for told in (*held["custody"], *held["decisions"]):
            told["position"] = positions[told["position"]]
    del value["signature"]
    signature = fresh["status"].sign(bundle.signed_bytes(bundle.encode(value).encode()))
    value["signature"] = {"kid": kids["status"], "value": b64url(signature)}
    return bundle.encode(value).encode()


def b64url(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_stored_example_is_proved_for_ever():
    ring = read_keys_json((VECTORS / "bundle_keys.json").read_bytes())
    content = (VECTORS / "bundle.json").read_bytes()

    proved = bundle.check(content, bundle.Pins(logs=ring.logs, witnesses=ring.witnesses, ring=ring))

    assert (proved.verdict, proved.events, proved.checkpoint.size) == ("proved", 21, 54)
    assert [one.time for one in proved.cosignatures] == [1_780_315_200]
    assert json.loads(content)["claims"] == proved.claims
