"""JSON as we accept it from a file: no duplicate names, no NaN, nothing huge or bottomless."""

from __future__ import annotations

import json
from typing import Any, Final

LONGEST: Final = 1 << 20


class NotStrict(ValueError):
    """This is not JSON that every reader would read the same way."""


def loads(text: bytes, most: int = LONGEST) -> Any:
    if len(text) > most:
        raise NotStrict(f"longer than {most >> 20} MiB")
    try:
        value = _decode(text.decode("utf-8", "strict"))
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # refuses halves of surrogate pairs
    except NotStrict:
        raise
    except (ValueError, RecursionError) as refused:  # JSONDecodeError and UnicodeError are ValueErrors
        raise NotStrict(f"not JSON ({type(refused).__name__})") from None
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrict("the same name twice in one object")
    return members


def _no_constant(name: str) -> Any:
    raise NotStrict(f"{name} is not JSON")


_decode: Final = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_constant).decode
