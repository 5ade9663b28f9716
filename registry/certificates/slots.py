"""Where a certificate stands in the status lists: a pure function of its leaf index and the slot key.

A list has 131,072 places. Every event of the log has one; those of events that are no certificate are decoys.
"""

from functools import lru_cache
from hmac import digest
from typing import Final, NamedTuple

SLOTS: Final = 1 << 17
"""Places in a list (W3C and IETF lists of this size hide who is asked about)."""

_LOW: Final = 9
_LOW_MASK: Final = (1 << _LOW) - 1


class Slot(NamedTuple):
    """`list` as it is published, from 1: the N of `/s/N`; `place` is the index in it."""

    list: int
    place: int


def slot(leaf: int, key: bytes) -> Slot:
    block, rest = divmod(leaf, SLOTS)
    return Slot(block + 1, shuffle(rest, block + 1, key))


def shuffle(rest: int, number: int, key: bytes) -> int:
    """A permutation of the places of list `number`: four Feistel rounds over halves of 8 and 9 bits.

    Round r: HMAC-SHA-256 of `number` (8 bytes), r (1 byte) and the other half (2 bytes), all big-endian;
    the first two bytes of it, cut to the half's width, are added without carry.
    """
    high, low = rest >> _LOW, rest & _LOW_MASK
    rounds = _rounds(number, key)
    for low_of, high_of in (rounds[:2], rounds[2:]):
        high ^= low_of[low]
        low ^= high_of[high]
    return high << _LOW | low


@lru_cache(maxsize=256)
def _rounds(number: int, key: bytes) -> tuple[tuple[int, ...], ...]:
    """Rounds 0 to 3 as tables: there are only 512 or 256 different halves."""
    return tuple(
        tuple(_round(half, number, r, key) & mask for half in range(halves))
        for r, halves, mask in ((0, 512, 255), (1, 256, 511), (2, 512, 255), (3, 256, 511))
    )


def _round(half: int, number: int, r: int, key: bytes) -> int:
    message = number.to_bytes(8) + r.to_bytes(1) + half.to_bytes(2)
    return int.from_bytes(digest(key, message, "sha256")[:2])
