"""Consistency proofs from the tiles that a log publishes."""

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
