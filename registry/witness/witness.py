"""Cosigns a checkpoint if it holds all that was cosigned before, and remembers it before it answers."""

import os
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from registry.witness.ledger import Ledger, Seen
from verifier.keys import read_vkey
from verifier.proof import (
    Checkpoint,
    Submission,
    check_consistency,
    cosignature_line,
    cosigned,
    read_checkpoint,
    read_submission,
    signed_text,
    witness_vkey,
)
from verifier.verdict import Unverified

SIZE_MEDIA: Final = "text/x.tlog.size"
TEXT_MEDIA: Final = "text/plain; charset=utf-8"

_KEY: Final = "key.pem"
_LEDGER: Final = "witness.sqlite"
_PASSPHRASE: Final = "REGISTRY_WITNESS_PASSPHRASE"  # noqa: S105 # its name, not what it holds


class NoWitness(Exception):
    """A witness can't be made or opened here; the text says what to do."""


class Refused(Exception):
    """The answer that is no cosignature: a status of C2SP tlog-witness."""

    def __init__(self, status: HTTPStatus, text: str, media: str = TEXT_MEDIA) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.media = media


class Facts(NamedTuple):
    """What may be written down of a submission; of one that can't be read nothing is known."""

    origin: str = "-"
    size: int | None = None


class Witness:
    """One name and one key. May be used by several threads, and processes, at once."""

    def __init__(
        self, name: str, key: Ed25519PrivateKey, ledger: Ledger, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.name = name
        self.ledger = ledger
        self._key = key
        self._public = key.public_key().public_bytes_raw()
        self._clock = clock
        self.vkey = witness_vkey(name, self._public)

    @classmethod
    def make(cls, folder: Path, name: str) -> "Witness":
        """A key and an empty ledger in a new folder. Never overwrites."""
        key = Ed25519PrivateKey.generate()
        vkey = witness_vkey(name, key.public_key().public_bytes_raw())
        if "+" in name or not name or any(map(str.isspace, name)) or not name.isprintable():
            raise NoWitness(
                f"{name!r} is no name of a witness: give one like witness.example.org/w1, without spaces or +"
            )
        if (folder / _KEY).exists() or (folder / _LEDGER).exists():
            raise NoWitness(f"there is a witness in {folder} already; it is never overwritten")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        Ledger(folder / _LEDGER).make(name, vkey)
        passphrase = os.environ.get(_PASSPHRASE, "").encode()
        sealing = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        _write_new(folder / _KEY, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing))
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, *, clock: Callable[[], float] = time.time) -> "Witness":
        """The witness that was made in this folder."""
        for name in (_KEY, _LEDGER):
            if not (folder / name).is_file():
                raise NoWitness(
                    f"{folder / name} is missing. `registry witness init` makes a witness once. One that lost its"
                    " ledger must not go on under its key: it no longer knows what it cosigned"
                )
        passphrase = os.environ.get(_PASSPHRASE, "").encode() or None
        try:
            key = load_pem_private_key((folder / _KEY).read_bytes(), passphrase)
        except (TypeError, ValueError, OSError):
            raise NoWitness(f"{folder / _KEY} can't be opened: is {_PASSPHRASE} the one it was made with?") from None
        ledger = Ledger(folder / _LEDGER)
        name, vkey = ledger.owner()
        if not isinstance(key, Ed25519PrivateKey) or (witness := cls(name, key, ledger, clock=clock)).vkey != vkey:
            raise NoWitness(f"{folder / _KEY} and {folder / _LEDGER} are of different witnesses")
        return witness

    def trust(self, vkey: str) -> str:
        """Watch the log with this key; its origin. Another key of the same log may be added. Raises NoWitness."""
        try:
            origin = read_vkey(vkey).partition("+")[0]
        except Unverified as refused:
            raise NoWitness(refused.why) from None
        self.ledger.trust(origin, vkey)
        return origin

    def add_checkpoint(self, body: bytes, facts: Callable[[Facts], None] = lambda _: None) -> str:
        """The line that cosigns the submitted checkpoint, once it is remembered. Raises Refused.

        The order of the checks and the statuses are those of C2SP tlog-witness, `add-checkpoint`.
        """
        try:
            submitted = read_submission(body)
        except Unverified as refused:
            raise Refused(HTTPStatus.BAD_REQUEST, f"{refused.why}\n") from None
        facts(Facts(submitted.origin))
        checkpoint = self._read(submitted)
        facts(Facts(submitted.origin, checkpoint.size))
        if submitted.old > checkpoint.size:
            raise Refused(HTTPStatus.BAD_REQUEST, "the old size is greater than that of the checkpoint\n")
        seen = self.ledger.latest(checkpoint.origin)
        are_two = checkpoint.size == seen.size and checkpoint.root != seen.root
        if are_two:
            self._keep(submitted, "two roots for one size")
        if are_two or submitted.old != seen.size:
            _refuse_size(seen)
        try:
            check_consistency(seen.size, seen.root, checkpoint.size, checkpoint.root, submitted.hashes)
        except Unverified as refused:
            self._keep(submitted, "the consistency proof fails")
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"{refused.why}\n") from None
        return self._cosign(submitted, checkpoint, seen)

    def _read(self, submitted: Submission) -> Checkpoint:
        trusted = self.ledger.vkeys(submitted.origin)
        if not trusted:
            raise Refused(HTTPStatus.NOT_FOUND, "this witness does not know the log\n")
        try:
            return read_checkpoint(submitted.checkpoint, trusted)
        except Unverified as refused:
            status = HTTPStatus.BAD_REQUEST if refused.verdict == "malformed" else HTTPStatus.FORBIDDEN
            raise Refused(status, f"{refused.why}\n") from None

    def _cosign(self, submitted: Submission, checkpoint: Checkpoint, seen: Seen) -> str:
        at = int(self._clock())
        signature = self._key.sign(cosigned(signed_text(submitted.checkpoint), at))
        line = cosignature_line(self.name, self._public, at, signature)
        new = Seen(checkpoint.size, checkpoint.root, submitted.checkpoint + line, at)
        if not self.ledger.replace(checkpoint.origin, seen, new):  # somebody was faster
            _refuse_size(self.ledger.latest(checkpoint.origin))
        return line

    def _keep(self, submitted: Submission, why: str) -> None:
        self.ledger.keep_refused(submitted.origin, submitted.checkpoint, why, int(self._clock()))


def _refuse_size(seen: Seen) -> NoReturn:
    raise Refused(HTTPStatus.CONFLICT, f"{seen.size}\n", SIZE_MEDIA)


def _write_new(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
