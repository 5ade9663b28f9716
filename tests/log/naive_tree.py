"""The Merkle tree as RFC 9162 section 2.1 defines it, word for word and slow: what tests compare with."""

from functools import lru_cache
from hashlib import sha256


class NaiveTree:
    def __init__(self, entries):
        self.entries = list(entries)
        self._root = lru_cache(None)(self._mth)

    def root(self, size):
        return self._root(0, size)

    def _mth(self, start, end):
        if start == end:
            return sha256(b"").digest()
        if end - start == 1:
            return sha256(b"\x00" + self.entries[start]).digest()
        k = split(end - start)
        return sha256(b"\x01" + self._root(start, start + k) + self._root(start + k, end)).digest()

    def inclusion(self, size, index):
        return self._path(index, 0, size)

    def _path(self, m, start, end):
        if end - start == 1:
            return []
        k = split(end - start)
        if m < k:
            return [*self._path(m, start, start + k), self._root(start + k, end)]
        return [*self._path(m - k, start + k, end), self._root(start, start + k)]

    def consistency(self, size1, size2):
        return self._subproof(size1, 0, size2, True)

    def _subproof(self, m, start, end, whole):
        if m == end - start:
            return [] if whole else [self._root(start, end)]
        k = split(end - start)
        if m <= k:
            return [*self._subproof(m, start, start + k, whole), self._root(start + k, end)]
        return [*self._subproof(m - k, start + k, end, False), self._root(start, start + k)]


def split(n):
    """The largest power of two smaller than n."""
    return 1 << ((n - 1).bit_length() - 1)
