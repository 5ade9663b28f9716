"""A sample that a stranger can draw again: from a seed and a population, both recorded before anybody is told."""

import hashlib
import hmac
from collections.abc import Iterable


def sample(seed: str, population: Iterable[str], size: int) -> tuple[str, ...]:
    """The `size` members of least rank, in its order; all when there are fewer.

    The rank of a member is HMAC-SHA-256 (hex) under the seed's UTF-8 bytes of the member's bytes: it needs no
    generator of any language, so that anybody draws the same again (R28, *ours*).
    """
    ranked = sorted(population, key=lambda member: hmac.new(seed.encode(), member.encode(), hashlib.sha256).hexdigest())
    return tuple(ranked[:size])
