"""Bytes as Multibase base58btc writes them: `z` and base-58 digits; each has one spelling."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}


def encode(data: bytes) -> str:
    number = int.from_bytes(data)
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_DIGITS[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + _DIGITS[0] * zeros + "".join(reversed(digits))


def decode(text: str, size: int) -> bytes | None:
    """The bytes, if these are `size` of them in their one spelling."""
    if text[:1] != "z" or len(text) > 2 * size + 1:
        return None
    number = 0
    try:
        for digit in text[1:]:
            number = number * 58 + _VALUES[digit]
        data = number.to_bytes(size)
    except (KeyError, OverflowError):
        return None
    digits = text[1:]
    zeros = len(digits) - len(digits.lstrip(_DIGITS[0]))
    return data if zeros == size - len(data.lstrip(b"\0")) else None
