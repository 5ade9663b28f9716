"""Consistency proofs from the tiles that a log publishes."""

import functools
from base64 import b64encode

import pytest
from papers import HOST, LOGGING, VKEY, public, ring

from verifier import proof, receipt, tiles
from verifier.verdict import Unverified

LEAVES = [proof.leaf_hash(b"%d" % number) for number in range(600)]


def published(size):
    """The tiles of a log, full and partial, by name."""
    full = [proof.root(LEAVES[at : at + 256]) for at in range(0, size - size % 256, 256)]
    found = {}
    for level, row in enumerate([LEAVES[:size], full]):
        for number in range(0, len(row), 256):
            tile = row[number : number + 256]
            end = "" if len(tile) == 256 else f".p/{len(tile)}"
            found[f"tile/{level}/{number // 256:03d}{end}"] = b"".join(tile)
    return found


def reading(files):
    def read(names, least):
        return next(files[name] for name in names if name in files and len(files[name]) >= least)

    return read


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 256), (255, 257), (256, 600), (257, 512), (511, 600), (0, 7)])
def test_a_log_that_has_grown_shows_it(old, new):
    roots = [proof.root(LEAVES[:size]) for size in (old, new)]

    hashes = tiles.consistency(old, new, tiles.nodes(new, reading(published(new))))

    proof.check_consistency(old, roots[0], new, roots[1], hashes)
    if old:
        with pytest.raises(Unverified):
            proof.check_consistency(old, bytes(32), new, roots[1], hashes)


def checkpoint(size, root=None):
    note = f"{HOST}/log\n{size}\n{b64encode(root or proof.root(LEAVES[:size])).decode()}\n"
    signed = b64encode(proof.key_id(f"{HOST}/log", public(LOGGING)) + LOGGING.sign(note.encode())).decode()
    return f"{note}\n— {HOST}/log {signed}\n"


def of_a_receipt(size, root=None):
    return proof.read_checkpoint(checkpoint(size, root), [VKEY])


def test_a_receipt_is_of_a_log_that_still_holds_what_it_held():
    now = checkpoint(600).encode()

    told = receipt._same_log(of_a_receipt(300), now, ring(), reading(published(600)))

    assert told == ("it has grown to 600 events since, and holds all that it held", True)
    with pytest.raises(Unverified) as refused:
        receipt._same_log(of_a_receipt(300, bytes(32)), now, ring(), reading(published(600)))
    assert refused.value.verdict == "tampered"


def test_without_tiles_that_is_left_open_not_denied():
    def nothing(*_):
        raise FileNotFoundError

    for tiles_there in (None, nothing):
        assert receipt._same_log(of_a_receipt(300), checkpoint(600).encode(), ring(), tiles_there)[1] is None


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_535, 65_536, 65_793])
def test_from_the_root_down_every_tile_is_known_before_it_is_read(size):
    """Of a log whose entries are all the same."""
    of_level = [LEAVES[0]]
    for _ in range(2):
        of_level.append(proof.root(of_level[-1:] * 256))
    counts = [size >> 8 * level for level in range(3)]
    peaks = [
        proof.root([of_level[level]] * (1 << bit))
        for level, count in enumerate(counts)
        for bit in range(8)
        if count >> bit & 1
    ]
    root = functools.reduce(lambda right, left: proof.node_hash(left, right), peaks)

    def read(names, least):
        return of_level[int(names[0].split("/")[1])] * (least // 32)

    found = []
    waiting = [(edge.level, edge.first, edge.hashes) for edge in tiles.edges(size, root, read)]
    while waiting:
        level, first, hashes = waiting.pop()
        if level:
            below = tiles.below(level - 1, first, hashes)
            assert {tile_root for _, tile_root in below} == {of_level[level]}
            found += [name for name, _ in below]
            waiting += [(level - 1, (first + at) * 256, of_level[level - 1] * 256) for at in range(len(below))]

    full = [tiles._name(level, number) for level, count in enumerate(counts) for number in range(count // 256)]
    assert sorted(found) == sorted(full)
    with pytest.raises(Unverified):
        tiles.edges(size, bytes(32), read)


def test_a_tile_of_another_root_or_length_is_told():
    tile = b"".join(LEAVES[:256])

    assert tiles.holds(tile, proof.root(LEAVES[:256]))
    assert not tiles.holds(tile, bytes(32))
    assert not tiles.holds(tile[:-32], proof.root(LEAVES[:256]))
    assert not tiles.holds(b"", proof.root(LEAVES[:256]))
