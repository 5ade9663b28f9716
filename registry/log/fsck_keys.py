"""The registry's keys as its events have them. Part of fsck: own reading, nothing shared."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

_ED25519: Final = b"\xed\x01"  # multicodec
_P256: Final = b"\x80\x24"
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class _Key(msgspec.Struct):
    kid: str
    use: str
    public: str
    controller: str
    start: datetime = msgspec.field(name="from")
    until: datetime | None = None
    withdrawn: bool = False
    signed: bool = False
    """Under the checkpoint."""

    def was_good(self, at: datetime) -> bool:
        """At this full second. A key may begin within one."""
        return self.start.replace(microsecond=0) <= at and not (self.until and at >= self.until)


class _Until(msgspec.Struct):
    until: datetime


@dataclass
class Keys:
    """All keys, as the events have them: `keys.json`, under no signature, is written after the lists."""

    _keys: dict[str, _Key] = field(default_factory=dict)

    def take(self, stream: str, topic: str, state: bytes, *, signed: bool) -> None:
        """`signed`: under the checkpoint. A later withdrawal may not be published yet."""
        if topic == "key.published":
            self._keys[stream] = msgspec.json.decode(state, type=_Key)
            self._keys[stream].signed = signed
        elif topic == "key.retired" and stream in self._keys:
            self._keys[stream].until = msgspec.json.decode(state, type=_Until).until
        elif topic == "key.withdrawn" and stream in self._keys and signed:
            self._keys[stream].withdrawn = True

    def should_have_signed(self, use: str) -> bool:
        """Whether there is a key for it under the checkpoint."""
        return any(key.use == use and key.signed and not key.withdrawn for key in self._keys.values())

    def find(self, use: str, name: str, issuer: str, at: datetime) -> bytes | None:
        """The public key, if it was good then."""
        for key in self._keys.values():
            if (key.use, key.controller, f"{issuer}#{key.kid}") == (use, issuer, name) and not key.withdrawn:
                start, size = (_P256, 35) if use == "jwt" else (_ED25519, 34)
                public = from_base58(key.public, size)
                return public[2:] if key.was_good(at) and public[:2] == start else None
        return None


def from_base58(text: str, size: int) -> bytes:
    """Multibase (z) of so many bytes; raises ValueError, OverflowError."""
    if not text.startswith("z"):
        raise ValueError("this is not base58")
    number = 0
    for digit in text[1:]:
        number = number * 58 + _BASE58.index(digit)
    return number.to_bytes(size)
