"""A sample that a stranger can draw again: from a seed and a population, both recorded before anybody is told."""

import hashlib
from collections.abc import Iterable


def sample(seed: str, population: Iterable[str], size: int) -> tuple[str, ...]:
    """The `size` members of lowest SHA-256 of `<seed> LF <member>` in UTF-8, in that order; all when there are fewer.

    It needs no generator of any language, so that anybody draws the same again (R28, *ours*).
    """
    ranked = sorted(population, key=lambda member: hashlib.sha256(f"{seed}\n{member}".encode()).digest())
    return tuple(ranked[:size])
