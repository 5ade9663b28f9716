"""What is slow to make of a certificate, made once and kept: its RDF form's hash, the pictures of its code, its page.

Each is sealed under a key made of the commitment to the holder's name: when the person's keys are destroyed nobody
opens it any more, in no copy. So the folder may be lost at any time, and need not be in a backup.
"""

import hmac
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE: Final = 12
_VERSION: Final = b"1"
"""To be changed with whatever changes what is made of the same facts: the page's template, a library's drawing."""


class Kept:
    """One of each kind for a certificate: made of other facts than before it takes the old one's place.

    Without a folder nothing is kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def find(self, secret: bytes, cti: str, kind: str, facts: bytes) -> bytes | None:
        """What was made of these facts; `secret` is the holder's."""
        if self._folder is None:
            return None
        key, name = _named(secret, cti, kind)
        try:
            sealed = self._path(self._folder, name).read_bytes()
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _about(name, facts))
        except (OSError, InvalidTag, ValueError):
            return None

    def put(self, secret: bytes, cti: str, kind: str, facts: bytes, made: bytes) -> None:
        if self._folder is None:
            return
        key, name = _named(secret, cti, kind)
        nonce = os.urandom(_NONCE)
        _put(self._path(self._folder, name), nonce + AESGCM(key).encrypt(nonce, made, _about(name, facts)))

    def _path(self, folder: Path, name: bytes) -> Path:
        return folder / name.hex()[:2] / name.hex()[2:]


def _named(secret: bytes, cti: str, kind: str) -> tuple[bytes, bytes]:
    key = sha256(b"kept" + secret).digest()
    return key, hmac.digest(key, f"{cti}/{kind}".encode(), "sha256")


def _about(name: bytes, facts: bytes) -> bytes:
    return name + sha256(_VERSION + facts).digest()


def _put(path: Path, content: bytes) -> None:
    """Whole or not at all; a disk that is full or read-only costs time, never a certificate."""
    aside = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside.write_bytes(content)
        aside.replace(path)
    except OSError:
        with suppress(OSError):
            aside.unlink()
