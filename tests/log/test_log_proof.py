"""What the verifier takes for proof: trees of RFC 9162, signed checkpoints, proof files."""

from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from naive_tree import NaiveTree

from verifier import proof
from verifier.verdict import Unverified

# The reference tree of RFC 6962 (certificate-transparency, merkle tree tests).
REFERENCE_ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
REFERENCE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
ENTRIES = [sha256(number.to_bytes(4)).digest() for number in range(300)]
TREE = NaiveTree(ENTRIES)
LEAVES = [proof.leaf_hash(entry) for entry in ENTRIES]

ORIGIN = "registry.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PREIMAGE = b'[42,"endorsement/IFS-7K3MQ9TD",3,"certificate.issued","e30"]'


def public(key):
    return key.public_key().public_bytes_raw()


VKEY = proof.vkey(ORIGIN, public(KEY))


def signed(note, *keys, name=ORIGIN):
    lines = [
        f"— {name} {b64encode(proof.key_id(name, public(key)) + key.sign(note.encode())).decode()}\n" for key in keys
    ]
    return note + "\n" + "".join(lines)


def note(size=300, root=None, origin=ORIGIN, extra=""):
    return f"{origin}\n{size}\n{b64encode(TREE.root(300) if root is None else root).decode()}\n{extra}"


def proof_file(index=41, size=100):
    entries = [*ENTRIES[:index], sha256(PREIMAGE).digest(), *ENTRIES[index + 1 : size]]
    tree = NaiveTree(entries)
    hashes = "".join(b64encode(node).decode() + "\n" for node in tree.inclusion(size, index))
    return f"c2sp.org/tlog-proof@v1\nextra {b64encode(PREIMAGE).decode()}\nindex {index}\n{hashes}\n" + signed(
        note(size, tree.root(size)), KEY
    )


def refused(call, *args):
    with pytest.raises(Unverified) as refusal:
        call(*args)
    return refusal.value.verdict


class TestTree:
    def test_the_reference_tree_has_its_published_roots(self):
        naive = NaiveTree(REFERENCE_ENTRIES)
        for size, expected in enumerate(REFERENCE_ROOTS):
            leaves = [proof.leaf_hash(entry) for entry in REFERENCE_ENTRIES[:size]]
            assert proof.root(leaves).hex() == expected
            assert naive.root(size).hex() == expected

    def test_the_root_is_the_one_of_the_definition(self):
        for size in range(301):
            assert proof.root(LEAVES[:size]) == TREE.root(size)

    def test_every_entry_of_every_tree_up_to_300_is_included(self):
        for size in range(1, 301):
            for index in range(size):
                proof.check_inclusion(size, index, LEAVES[index], TREE.inclusion(size, index), TREE.root(size))

    def test_every_tree_up_to_130_begins_with_every_smaller_one(self):
        for new in range(131):
            for old in range(new + 1):
                hashes = TREE.consistency(old, new) if old else []
                proof.check_consistency(old, TREE.root(old), new, TREE.root(new), hashes)

    @given(st.data())
    def test_a_changed_inclusion_proof_is_refused(self, data):
        size = data.draw(st.integers(1, 300))
        index = data.draw(st.integers(0, size - 1))
        good = (size, index, LEAVES[index], TREE.inclusion(size, index), TREE.root(size))
        bad = data.draw(st.one_of(
            st.integers(-1, 400).map(lambda other: (size, other, *good[2:])),
            st.binary(min_size=32, max_size=32).map(lambda leaf: (size, index, leaf, *good[3:])),
            st.binary(min_size=32, max_size=32).map(lambda root: (*good[:4], root)),
            changed_hashes(good[3]).map(lambda hashes: (*good[:3], hashes, good[4])),
        ))  # fmt: skip
        if bad != good:
            assert refused(proof.check_inclusion, *bad) in {"malformed", "tampered"}

    @given(st.data())
    def test_a_changed_consistency_proof_is_refused(self, data):
        new = data.draw(st.integers(2, 300))
        old = data.draw(st.integers(1, new - 1))
        good = (old, TREE.root(old), new, TREE.root(new), TREE.consistency(old, new))
        bad = data.draw(st.one_of(
            changed_hashes(good[4]).map(lambda hashes: (*good[:4], hashes)),
            st.binary(min_size=32, max_size=32).map(lambda root: (old, root, *good[2:])),
            st.binary(min_size=32, max_size=32).map(lambda root: (*good[:3], root, good[4])),
            st.just((new, TREE.root(new), old, TREE.root(old), good[4])),
        ))  # fmt: skip
        if bad != good:
            assert refused(proof.check_consistency, *bad) in {"malformed", "tampered"}

    @given(st.integers(1, 300), st.integers(1, 299), st.binary(max_size=40), st.lists(st.binary(max_size=40)))
    def test_nothing_but_the_one_error_comes_out(self, size, index, node, hashes):
        assert refused(proof.check_inclusion, size, index, node, hashes, node)
        if index != size:
            assert refused(proof.check_consistency, index, node, size, node, hashes)

    def test_a_log_that_shrank_or_has_two_roots_is_tampered(self):
        assert refused(proof.check_consistency, 9, TREE.root(9), 8, TREE.root(8), []) == "tampered"
        assert refused(proof.check_consistency, 9, TREE.root(9), 9, TREE.root(8), []) == "tampered"
        assert refused(proof.check_consistency, 0, TREE.root(1), 9, TREE.root(9), []) == "tampered"


class TestCheckpoint:
    def test_a_checkpoint_signed_by_the_log_says_its_size_and_root(self):
        checkpoint = proof.read_checkpoint(signed(note(), KEY), [VKEY])

        assert checkpoint == proof.Checkpoint(ORIGIN, 300, TREE.root(300), (), (VKEY,))

    def test_the_example_of_the_specification_is_read(self):
        text = (
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
            "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
            "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        )
        assert refused(proof.read_checkpoint, text, [VKEY]) == "unknown_key"

    def test_signatures_of_unknown_keys_are_ignored(self):
        text = signed(note(), OTHER, KEY)

        assert proof.read_checkpoint(text, [VKEY]).signed_by == (VKEY,)
        assert refused(proof.read_checkpoint, text, []) == "unknown_key"

    def test_a_bad_signature_of_a_known_key_refuses_the_note_even_beside_a_good_one(self):
        good = signed(note(), KEY)
        bad = signed(note(299), KEY).rpartition("\n\n")[2]

        assert refused(proof.read_checkpoint, good + bad, [VKEY]) == "tampered"

    def test_another_key_we_know_can_not_speak_for_the_log(self):
        witness = proof.vkey("witness.example", public(OTHER))
        text = signed(note(), OTHER, name="witness.example")

        assert refused(proof.read_checkpoint, text, [VKEY, witness]) == "unknown_key"

    def test_extension_lines_are_kept(self):
        assert proof.read_checkpoint(signed(note(extra="more\n"), KEY), [VKEY]).extensions == ("more",)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "\n",
            "\n\n",
            note(),
            note() + "\n",
            signed(note(), KEY)[:-1],
            signed(note(), KEY) + "\n",
            signed(note(), KEY).replace("\n", "\r\n"),
            signed(note("0300"), KEY),
            signed(note("+300"), KEY),
            signed(note("３００"), KEY),
            signed(note(1 << 63), KEY),
            signed(note(root=b"short"), KEY),
            signed(note()[:-2] + "\n", KEY),
            signed(f"{ORIGIN}\n300\n", KEY),
            signed(note(extra="\nmore\n"), KEY),
            signed("\n" + note(), KEY),
            signed(note(), KEY).replace("— ", "- "),
            signed(note(), KEY).replace("— ", "—"),
            signed(note(), KEY)[:-3] + "\n",
            signed(note(), KEY)[:-1] + " \n",
            signed(note(), *[KEY] * 65),
            "\ud800" + signed(note(), KEY),
            b"\xff" + signed(note(), KEY).encode(),
        ],
    )
    def test_what_the_log_would_not_have_written_is_malformed(self, text):
        assert refused(proof.read_checkpoint, text, [VKEY]) == "malformed"

    @pytest.mark.parametrize(
        "vkey",
        [
            "",
            "name",
            "name+00000000",
            VKEY.replace(ORIGIN, "registry.example/other"),
            VKEY.replace(ORIGIN, ""),
            VKEY[:-4],
            VKEY.upper(),
            ORIGIN + "+00000000+" + b64encode(b"\x02" + public(KEY)).decode(),
        ],
    )
    def test_a_verifier_key_that_is_none_is_malformed(self, vkey):
        assert refused(proof.read_checkpoint, signed(note(), KEY), [vkey]) == "malformed"


class TestProofFile:
    def test_a_proof_file_proves_its_event(self):
        read = proof.read_proof(proof_file())

        assert (read.extra, read.index, len(read.hashes)) == (PREIMAGE, 41, 7)
        assert proof.check_proof(read, [VKEY]).size == 100

    def test_the_only_event_of_a_log_needs_no_hashes(self):
        assert proof.check_proof(proof.read_proof(proof_file(0, 1)), [VKEY]).size == 1

    def test_it_may_come_as_bytes(self):
        assert proof.read_proof(proof_file().encode()) == proof.read_proof(proof_file())

    def test_another_event_index_or_path_is_not_proved(self):
        text = proof_file()
        event = text.replace(b64encode(PREIMAGE).decode(), b64encode(PREIMAGE + b" ").decode())
        lines = text.split("\n")
        swapped = "\n".join([*lines[:3], lines[4], lines[3], *lines[5:]])

        for changed in (event, text.replace("index 41", "index 40"), swapped):
            assert refused(proof.check_proof, proof.read_proof(changed), [VKEY]) == "tampered"
        assert refused(proof.check_proof, proof.read_proof(text), []) == "unknown_key"

    @pytest.mark.parametrize(
        "change",
        [
            ("tlog-proof@v1", "tlog-proof@v2"),
            ("extra ", "extra  "),
            ("extra ", "extra \nextra "),
            ("extra ", "more "),
            ("index 41", "index 041"),
            ("index 41", "index"),
            ("index 41\n", ""),
            ("index 41\n", "index 41\nAAAA\n"),
            ("index 41\n", "index 41\n" + ("A" * 43 + "=\n") * 64),
            ("index 41\n", "index 41\r\n"),
            ("c2sp", "\nc2sp"),
        ],
    )
    def test_a_proof_file_of_another_shape_is_malformed(self, change):
        assert refused(proof.read_proof, proof_file().replace(*change, 1)) == "malformed"

    @given(st.data())
    def test_no_changed_byte_goes_unnoticed(self, data):
        text = proof_file().encode()
        at = data.draw(st.integers(0, len(text) - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[at]))
        changed = text[:at] + bytes([byte]) + text[at + 1 :]

        with pytest.raises(Unverified):
            proof.check_proof(proof.read_proof(changed), [VKEY])

    @given(st.one_of(st.text(), st.binary()))
    def test_nothing_but_the_one_error_comes_out_of_rubbish(self, text):
        assert refused(proof.read_proof, text) == "malformed"
        assert refused(proof.read_checkpoint, text, [VKEY]) == "malformed"

    def test_the_base64_of_a_hash_has_one_spelling(self):
        text = proof_file()
        line = text.split("\n")[3]
        last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        other = line[:-2] + last[last.index(line[-2]) ^ 1] + "="

        assert b64decode(other) == b64decode(line)
        assert refused(proof.read_proof, text.replace(line, other)) == "malformed"


def changed_hashes(hashes):
    """Other lists of hashes made from this one: shorter, longer, swapped, one bit flipped."""
    spots = st.integers(0, max(0, len(hashes) - 1))
    return st.one_of(
        spots.map(lambda at: hashes[:at] + hashes[at + 1 :]),
        spots.map(lambda at: [*hashes[:at], sha256(b"").digest(), *hashes[at:]]),
        spots.map(lambda at: [*hashes[:at], *hashes[at : at + 2][::-1], *hashes[at + 2 :]]),
        st.tuples(spots, st.integers(0, 255)).map(lambda spot: flip(hashes, *spot)),
    )


def flip(hashes, at, bit):
    if not hashes:
        return hashes
    node = int.from_bytes(hashes[at]) ^ (1 << bit)
    return [*hashes[:at], node.to_bytes(32), *hashes[at + 1 :]]
