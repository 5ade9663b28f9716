"""The private keys of this registry: one Ed25519 key for each use, sealed under the master key, and the slot key."""

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, Protocol, get_args

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain import key as public
from domain.key import KeyUse
from registry.store import Store
from verifier import cose
from verifier.keys import Key, multikey
from verifier.verdict import Unverified

USES: Final[tuple[KeyUse, ...]] = get_args(KeyUse)

Random = Callable[[int], bytes]

_SLOT: Final = "slot.json"
_NONCE: Final = 12
_SIZE: Final = 32


class KeysUnusable(Exception):
    """A key file is missing, changed, or of another master key. Says which file, never what is in it."""


class KeysExist(Exception):
    """There are keys already; nothing is ever overwritten."""


class Signer(Protocol):
    """What signs. Only structures that are built here go in, each use with a key of its own."""

    @property
    def kid(self) -> str:
        """16 hex digits."""

    @property
    def public(self) -> bytes: ...

    @property
    def controller(self) -> str: ...

    def sign(self, message: bytes, /) -> bytes: ...


class PublicFacts(msgspec.Struct, frozen=True):
    """What may be known of a key, beside its sealed half in the file."""

    kid: str
    use: KeyUse
    public: str = msgspec.field(name="publicKeyMultibase")
    controller: str
    start: datetime = msgspec.field(name="from")
    specimen: bool


class _SealedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    facts: PublicFacts
    sealed: bytes


class _SealedSlotKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sealed: bytes


class FileSigner:
    """A key out of its file, in memory."""

    def __init__(self, private: Ed25519PrivateKey, use: KeyUse, controller: str, *, specimen: bool = False) -> None:
        self._private = private
        self.use = use
        self.controller = controller
        self.specimen = specimen
        self.public = private.public_key().public_bytes_raw()
        self.kid = cose.thumbprint(self.public).hex()

    def sign(self, message: bytes, /) -> bytes:
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"<{self.use} key {self.kid}>"


def trusted(signer: Signer, use: KeyUse) -> Key:
    """The key as the verifier sees it, to read back what was signed."""
    return Key(use, signer.controller, f"{signer.controller}#{signer.kid}", signer.public)


def controller(use: KeyUse, host: str) -> str:
    """The list key has a DID of its own: a DID document doesn't say what a key may sign."""
    return f"did:web:{host}:status" if use == "status" else f"did:web:{host}"


class KeyFolder:
    """`HOME/keys`: what is in it opens with the master key and nothing else."""

    def __init__(self, folder: Path, master: bytes | None = None) -> None:
        """Without the master key, only what is public."""
        self.folder = folder
        self._aead = _sealing(master) if master else None
        self._signers: dict[str, FileSigner] = {}
        self._slot_key: bytes | None = None

    @property
    def slot_key(self) -> bytes:
        """The HMAC key of the status slots: never changed, in every backup."""
        if self._slot_key is None:
            stored = _read(self.folder / _SLOT, _SealedSlotKey)
            self._slot_key = self._open(stored.sealed, _SLOT.encode(), _SLOT)
        return self._slot_key

    def facts(self) -> list[PublicFacts]:
        """What is known of every key here, oldest first; needs no master key."""
        return sorted((stored.facts for stored in self._stored()), key=lambda facts: (facts.start, facts.kid))

    def signer(self, use: KeyUse, at: datetime) -> FileSigner:
        """The key that signs for this use at this time: the youngest that has begun."""
        begun = [facts for facts in self.facts() if facts.use == use and facts.start <= at]
        if not begun:
            raise KeysUnusable(f"there is no {use} key in {self.folder}; `registry keys init` makes one")
        return self.by_kid(begun[-1].kid)

    def by_kid(self, kid: str) -> FileSigner:
        if kid not in self._signers:
            for stored in self._stored():
                if stored.facts.kid == kid:
                    self._signers[kid] = self._signer(stored)
                    break
            else:
                raise KeysUnusable(f"the key {kid} is not in {self.folder}")
        return self._signers[kid]

    def init(self, host: str, start: datetime, *, specimen: bool, random: Random = secrets.token_bytes) -> None:
        """Make a key for each use and the slot key. Nothing is overwritten: with any there, nothing is made."""
        if self.folder.exists():
            raise KeysExist(f"{self.folder} is there already; keys are never overwritten")
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = Path(mkdtemp(prefix=".keys-", dir=self.folder.parent))  # mode 0700
        for use in USES:
            self._make(aside, use, host, start, specimen, random)
        sealed = self._seal(random(_SIZE), _SLOT.encode(), random)
        _write_new(aside / _SLOT, msgspec.json.encode(_SealedSlotKey(sealed)))
        aside.rename(self.folder)

    def add(
        self, use: KeyUse, host: str, start: datetime, *, specimen: bool, random: Random = secrets.token_bytes
    ) -> FileSigner:
        """One more key, to take over at `start`."""
        return self._make(self.folder, use, host, start, specimen, random)

    def _make(
        self, folder: Path, use: KeyUse, host: str, start: datetime, specimen: bool, random: Random
    ) -> FileSigner:
        seed = random(_SIZE)
        signer = FileSigner(Ed25519PrivateKey.from_private_bytes(seed), use, controller(use, host), specimen=specimen)
        facts = PublicFacts(signer.kid, use, multikey(signer.public), signer.controller, start, specimen)
        stored = _SealedKey(facts, self._seal(seed, msgspec.json.encode(facts), random))
        _write_new(folder / f"{use}-{signer.kid}.json", msgspec.json.encode(stored))
        return signer

    def _stored(self) -> Iterator[_SealedKey]:
        for path in sorted(self.folder.glob("*.json")):
            if path.name != _SLOT:
                yield _read(path, _SealedKey)

    def _signer(self, stored: _SealedKey) -> FileSigner:
        facts = stored.facts
        seed = self._open(stored.sealed, msgspec.json.encode(facts), facts.kid)
        signer = FileSigner(
            Ed25519PrivateKey.from_private_bytes(seed), facts.use, facts.controller, specimen=facts.specimen
        )
        try:
            trusted(signer, facts.use)
        except Unverified as refused:
            raise KeysUnusable(f"the key {facts.kid}: {refused.why}") from None
        return signer

    @property
    def _master(self) -> AESGCM:
        if self._aead is None:
            raise KeysUnusable("the master key is needed to open keys")
        return self._aead

    def _seal(self, secret: bytes, about: bytes, random: Random) -> bytes:
        nonce = random(_NONCE)
        return nonce + self._master.encrypt(nonce, secret, about)

    def _open(self, sealed: bytes, about: bytes, name: str) -> bytes:
        try:
            return self._master.decrypt(sealed[:_NONCE], sealed[_NONCE:], about)
        except InvalidTag:
            raise KeysUnusable(f"{name} was changed, or sealed under another master key") from None


def announce(store: Store, folder: KeyFolder, *, on: date, by: str) -> list[str]:
    """Record every key of the folder that the log does not know yet; their kids."""
    new = []
    for facts in folder.facts():
        if store.find(public.Key, facts.kid) is None:
            key = public.Key(facts.kid)
            key.publish(
                facts.use, facts.public, facts.controller, start=facts.start, specimen=facts.specimen, on=on, by=by
            )
            store.save(key)
            new.append(facts.kid)
    return new


def _sealing(master: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"registry/key-files").derive(master))


def _read(path: Path, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise KeysUnusable(f"{path} is missing; `registry keys init` makes it once") from None
    except (OSError, msgspec.DecodeError):
        raise KeysUnusable(f"{path} can't be read") from None


def _write_new(path: Path, data: bytes) -> None:
    """Mode 0600 from its first byte; refuses to replace anything; survives a power cut."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
