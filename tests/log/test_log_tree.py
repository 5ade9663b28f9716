"""The tree the registry builds is the one the verifier checks, and its tiles are what C2SP says they are."""

import json
import random
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from naive_tree import NaiveTree

from registry.log import entry as entries
from registry.log import tree
from registry.log.tiles import ENTRIES, Damaged, Files, Tiles, tile_name
from verifier import proof
from verifier.proof import check_inclusions
from verifier.verdict import Unverified

PUBLISHED = [sha256(number.to_bytes(4)).digest() for number in range(70_000)]
LEAVES = [entries.leaf(one) for one in PUBLISHED]
TREE = NaiveTree(PUBLISHED)


class TestEntry:
    def test_an_entry_is_the_hash_of_the_canonical_form_of_the_event(self):
        preimage = entries.preimage(7, "person/é", 2, "person.moved", b'{"on":"2026-06-01"}\xff')

        assert preimage == '[7,"person/é",2,"person.moved","eyJvbiI6IjIwMjYtMDYtMDEiff8"]'.encode()
        assert entries.entry(preimage).hex() == sha256(preimage).hexdigest()
        assert entries.leaf(entries.entry(preimage)) == proof.leaf_hash(sha256(preimage).digest())

    @given(st.integers(1, 2**53 - 1), st.text(), st.integers(1, 2**31), st.text(), st.binary())
    def test_it_is_what_rfc_8785_says(self, position, stream, version, topic, state):
        text = json.loads(entries.preimage(position, stream, version, topic, state))

        assert entries.preimage(position, stream, version, topic, state) == rfc8785.dumps(text)
        assert text[:4] == [position, stream, version, topic]


class TestTree:
    @given(st.lists(st.integers(0, 700), max_size=12))
    def test_it_grows_in_any_steps_to_the_same_root(self, steps):
        edge, size = tree.Edge(), 0
        for step in steps:
            edge.extend(LEAVES[size : size + step])
            size += step
            assert (edge.size, edge.root()) == (size, TREE.root(size))

    def test_every_inclusion_proof_up_to_300_is_the_one_of_the_definition(self):
        for size in range(1, 301):
            node = tree.nodes_over(LEAVES[:size])
            assert tree.root(size, node) == TREE.root(size)
            for index in range(size):
                assert tree.inclusion(size, index, node) == TREE.inclusion(size, index)

    def test_every_consistency_proof_up_to_130_is_the_one_of_the_definition(self):
        for size2 in range(1, 131):
            node = tree.nodes_over(LEAVES[:size2])
            for size1 in range(1, size2 + 1):
                assert tree.consistency(size1, size2, node) == TREE.consistency(size1, size2)

    def test_the_empty_tree(self):
        assert tree.Edge().root() == tree.root(0, tree.nodes_over([])) == TREE.root(0)
        assert tree.Edge().partial_tiles() == []
        assert tree.consistency(0, 5, tree.nodes_over(LEAVES[:5])) == []

    def test_there_is_no_proof_of_what_is_not_there(self):
        node = tree.nodes_over(LEAVES[:5])
        for call in (lambda: tree.inclusion(5, 5, node), lambda: tree.consistency(6, 5, node)):
            with pytest.raises(ValueError, match="a tree of 5"):
                call()


class TestTiles:
    @pytest.mark.parametrize(
        ("number", "width", "name"),
        [
            (0, 256, "tile/0/000"),
            (67, 8, "tile/0/067.p/8"),
            (1234067, 256, "tile/0/x001/x234/067"),
            (273_000, 1, "tile/0/x273/000.p/1"),
        ],
    )
    def test_the_name_of_a_tile_is_that_of_the_specification(self, number, width, name):
        assert tile_name(0, number, width) == name

    def test_a_log_of_70000_has_the_tiles_the_specification_counts(self, tmp_path):
        write(tmp_path, 70_000)

        assert len(list(tmp_path.glob("tile/0/[0-9][0-9][0-9]"))) == 273
        assert (tmp_path / "tile/0/273.p/112").stat().st_size == 112 * 32
        assert (tmp_path / "tile/1/000").stat().st_size == 8192
        assert (tmp_path / "tile/1/001.p/17").stat().st_size == 17 * 32
        assert (tmp_path / "tile/2/000.p/1").read_bytes() == TREE.root(65_536)
        assert {path.name for path in (tmp_path / "tile").iterdir()} == {"0", "1", "2", "entries"}

    @pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 65_535, 65_536, 65_537, 70_000])
    def test_a_naive_reader_of_the_bundles_finds_the_same_root(self, tmp_path, size):
        tiles = write(tmp_path, size)

        assert NaiveTree(naively_read(tmp_path, size)).root(size) == TREE.root(size)
        assert tiles.edge(size).root() == TREE.root(size)
        assert tiles.edge(size).size == size
        for index in {0, size // 3, size // 2, size - 1}:
            assert tree.inclusion(size, index, tiles.nodes(size)) == TREE.inclusion(size, index)
            assert tree.consistency(index + 1, size, tiles.nodes(size)) == TREE.consistency(index + 1, size)

    def test_a_full_tile_serves_where_the_partial_one_is_gone(self, tmp_path):
        tiles = write(tmp_path, 300)

        assert tiles.hashes(0, 0, 17) == LEAVES[:17]
        assert tiles.entries(0, 17) == PUBLISHED[:17]

    def test_missing_or_torn_files_are_damage(self, tmp_path):
        tiles = write(tmp_path, 10)
        (tmp_path / "tile/entries/000.p/10").write_bytes(b"\x00\x20torn")

        for call in (lambda: tiles.entries(0, 10), lambda: tiles.entries(1, 10), lambda: tiles.hashes(0, 1, 1)):
            with pytest.raises(Damaged, match="tile/"):
                call()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 31, 255, 256, 257, 700])
def test_many_leaves_are_proved_at_once_and_only_they(size):
    chance = random.Random(size)
    node = tree.nodes_over(LEAVES[:size])
    root = tree.root(size, node)
    for count in {1, min(2, size), min(9, size), size}:
        indices = sorted(chance.sample(range(size), count))
        leaves = [(index, LEAVES[index]) for index in indices]
        hashes = tree.inclusions(size, indices, node)

        check_inclusions(size, leaves, hashes, root)

        assert len(hashes) <= sum(len(tree.inclusion(size, index, node)) for index in indices)
        others = [(leaves, [*hashes, bytes(32)]), ([*leaves[:-1], (leaves[-1][0], bytes(32))], hashes)]
        others += [(leaves, hashes[:-1]), (leaves, [bytes(32), *hashes[1:]])] if hashes else []
        others += [(leaves[::-1], hashes), (leaves[:1] * 2, hashes), ([], hashes), ([(size, bytes(32))], hashes)]
        for some, nodes in others:
            if (some, nodes) != (leaves, hashes):
                with pytest.raises(Unverified):
                    check_inclusions(size, some, nodes, root)


def write(folder, size):
    files = Files(folder)
    tiles = Tiles(files)
    edge = tree.Edge()
    for tile in [*edge.extend(LEAVES[:size]), *edge.partial_tiles()]:
        tiles.put(tile)
    for number in range(0, size, 256):
        tiles.put_entries(number // 256, PUBLISHED[number : min(size, number + 256)])
    files.settle()
    return tiles


def naively_read(folder, size):
    """Every published entry, by a reader that knows only the specification."""
    found = []
    for number in range(-(-size // 256)):
        digits = f"{number:03d}"
        assert len(digits) == 3
        width = min(256, size - number * 256)
        path = folder / "tile" / ENTRIES / (digits if width == 256 else f"{digits}.p/{width}")
        data = path.read_bytes()
        while data:
            length = int.from_bytes(data[:2])
            found.append(data[2 : 2 + length])
            data = data[2 + length :]
    return found
