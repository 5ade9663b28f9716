"""Deterministic CBOR (RFC 8949 section 4.2.1): what our formats use, and nothing we would not write.

Whole numbers, byte and text strings, arrays and maps of definite length. No tags, floats, booleans or null:
what decodes has exactly one spelling, so reading and writing again gives the same bytes.
"""

from __future__ import annotations

from typing import Any, Final

DEPTH: Final = 8

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
_INLINE: Final = 24  # a count below this stands in the first byte itself
_HEAD: Final = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}


class NotDeterministic(ValueError):
    """These bytes are not what a deterministic encoder of our subset writes."""


def encode(value: Any) -> bytes:
    if type(value) is bytes:
        return _head(_BYTES, len(value)) + value
    match value:
        case bool():
            pass
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case str():
            text = value.encode()
            return _head(_TEXT, len(text)) + text
        case list() | tuple():
            return _head(_ARRAY, len(value)) + b"".join(map(encode, value))
        case dict():
            pairs = sorted((encode(key), encode(item)) for key, item in value.items())
            return _head(_MAP, len(pairs)) + b"".join(key + item for key, item in pairs)
    raise TypeError(f"{type(value).__name__} has no place in our formats")


def _head(major: int, count: int) -> bytes:
    if count < _INLINE:
        return bytes((major << 5 | count,))
    for more, (size, _) in _HEAD.items():
        if count < 1 << 8 * size:
            return bytes((major << 5 | more,)) + count.to_bytes(size)
    raise OverflowError("a number of more than 64 bits has no place in our formats")


def decode(data: bytes) -> Any:
    value, end = _item(data, 0, DEPTH)
    if end != len(data):
        raise NotDeterministic("bytes follow the end")
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:  # noqa: C901, PLR0912 - one branch for each form of the RFC; calls would cost half its speed
    try:
        first = data[at]
    except IndexError:
        raise NotDeterministic("cut short") from None
    at += 1
    major = first >> 5
    count = first & 31
    if count >= _INLINE:
        try:
            size, least = _HEAD[count]
        except KeyError:
            raise NotDeterministic("an indefinite or reserved length") from None
        end = at + size
        count = int.from_bytes(data[at:end])
        if count < least or end > len(data):
            raise NotDeterministic("a number not in its shortest form")
        at = end
    if major == _UNSIGNED:
        return count, at
    if major == _NEGATIVE:
        return -1 - count, at
    if major in {_BYTES, _TEXT}:
        end = at + count
        if end > len(data):
            raise NotDeterministic("cut short")
        if major == _BYTES:
            return data[at:end], end
        try:
            return str(data[at:end], "utf-8"), end
        except UnicodeDecodeError:
            raise NotDeterministic("text that is not UTF-8") from None
    if depth == 0:
        raise NotDeterministic("nested too deep")
    if major == _ARRAY:
        if count > len(data) - at:
            raise NotDeterministic("cut short")
        items = []
        for _ in range(count):
            value, at = _item(data, at, depth - 1)
            items.append(value)
        return items, at
    if major == _MAP:
        if 2 * count > len(data) - at:
            raise NotDeterministic("cut short")
        pairs = {}
        last = b""
        for _ in range(count):
            start = at
            key, at = _item(data, at, 0)
            spelled = data[start:at]
            if spelled <= last:
                raise NotDeterministic("map keys out of order or twice")
            last = spelled
            pairs[key], at = _item(data, at, depth - 1)
        return pairs, at
    raise NotDeterministic("a tag, float or simple value")
