"""The private keys of this registry: one for each use, sealed under the master key, and the slot key."""

import fcntl
import os
import re
import secrets
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, Literal, Protocol, get_args

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain import key as public
from domain.key import KeyUse
from registry.certificates.agent import Agent, AgentSigner, Unreachable
from registry.store import Store
from verifier import cose
from verifier.keys import Key, multikey, point, read_public
from verifier.verdict import Unverified

USES: Final[tuple[KeyUse, ...]] = get_args(KeyUse)

Random = Callable[[int], bytes]

_SLOT: Final = "slot.json"
_SUFFIX: Final = ".json"
_PREPARED: Final = ".prepared"
_ENDED: Final = ".ended"
_KID: Final = re.compile(r"[0-9a-f]{16}")
_NONCE: Final = 12
_SIZE: Final = 32
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


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
    def use(self) -> KeyUse: ...

    @property
    def public(self) -> bytes: ...

    @property
    def controller(self) -> str: ...

    @property
    def specimen(self) -> bool: ...

    def sign(self, message: bytes, /) -> bytes: ...


class PublicFacts(msgspec.Struct, frozen=True):
    """What may be known of a key, beside its sealed half in the file."""

    kid: str
    use: KeyUse
    public: str = msgspec.field(name="publicKeyMultibase")
    controller: str
    start: datetime = msgspec.field(name="from")
    specimen: bool


class _SealedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`held`: who has the private half, where it is not sealed here."""

    facts: PublicFacts
    sealed: bytes = b""
    held: Literal["", "agent"] = ""


class _SealedSlotKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sealed: bytes


class FileSigner:
    """A key out of its file, in memory. What it signs it signs the same each time, P-256 too (RFC 6979)."""

    def __init__(
        self,
        private: Ed25519PrivateKey | EllipticCurvePrivateKey,
        use: KeyUse,
        controller: str,
        *,
        specimen: bool = False,
    ) -> None:
        self._private = private
        self.use = use
        self.controller = controller
        self.specimen = specimen
        if isinstance(private, Ed25519PrivateKey):
            self.public = private.public_key().public_bytes_raw()
            self.kid = cose.thumbprint(self.public).hex()
        else:
            self.public = private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
            self.kid = cose.point_thumbprint(*point(self.public)).hex()

    def sign(self, message: bytes, /) -> bytes:
        """64 bytes: of Ed25519, or r and s of ES256."""
        if isinstance(self._private, Ed25519PrivateKey):
            return self._private.sign(message)
        der = self._private.sign(message, ECDSA(SHA256(), deterministic_signing=True))
        return b"".join(number.to_bytes(_SIZE) for number in decode_dss_signature(der))

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

    def __init__(self, folder: Path, master: bytes | None = None, *, agent: Agent | None = None) -> None:
        """Without the master key, only what is public. `agent` makes new keys, and signs with those that it made."""
        self.folder = folder
        self._agent = agent
        self._aead = _sealing(master) if master else None
        self._signers: dict[str, Signer] = {}
        self._slot_key: bytes | None = None

    @property
    def slot_key(self) -> bytes:
        """The HMAC key of the status slots: never changed, in every backup."""
        if self._slot_key is None:
            try:
                stored = _read(self.folder / _SLOT, _SealedSlotKey)
            except FileNotFoundError:
                raise KeysUnusable(f"{self.folder / _SLOT} is missing; `registry keys init` makes it once") from None
            self._slot_key = self._open(stored.sealed, _SLOT.encode(), _SLOT)
        return self._slot_key

    def facts(self) -> list[PublicFacts]:
        """What is known of every key here, oldest first; needs no master key."""
        return sorted((stored.facts for stored in self._stored()), key=lambda facts: (facts.start, facts.kid))

    def signer(self, use: KeyUse, at: datetime) -> Signer:
        """The key that signs for this use at this time: the youngest that has begun."""
        kid = self.newest(use, at)
        if not kid:
            raise KeysUnusable(f"there is no {use} key in {self.folder}; `registry keys init` makes one")
        return self.by_kid(kid)

    def newest(self, use: KeyUse, at: datetime, among: Container[str] | None = None) -> str:
        """The kid of that key, or of the youngest `among` these; empty without one: a registry from before has no key
        for JWTs.
        """
        begun = [facts.kid for facts in self.facts() if facts.use == use and facts.start <= at]
        return next((kid for kid in reversed(begun) if among is None or kid in among), "")

    def oldest(self, use: KeyUse) -> str:
        """The kid of the first key of this use; empty without one."""
        return next((facts.kid for facts in self.facts() if facts.use == use), "")

    def by_kid(self, kid: str) -> Signer:
        if kid in self._signers and not self.has(kid):  # another process destroyed it
            del self._signers[kid]
        if kid not in self._signers:
            for stored in self._stored():
                if stored.facts.kid == kid:
                    self._signers[kid] = self._signer(stored)
                    break
            else:
                raise KeysUnusable(
                    f"the key {kid} is not in {self.folder}; if it has ended, `registry certificates reissue` signs"
                    " anew what has not expired"
                )
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
    ) -> Signer:
        """One more key, to take over at `start`."""
        return self._signer(self._make(self.folder, use, host, start, specimen, random))

    # --- one after the other

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other deed away from these keys. Raises KeysUnusable where one is at work."""
        try:
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            raise KeysUnusable(f"there is no {self.folder}; `registry keys init` makes it once") from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise KeysUnusable(f"somebody else is changing the keys in {self.folder}; repeat in a moment") from None
        finally:
            os.close(folder)  # and with it the lock

    def prepare(
        self, use: KeyUse, host: str, start: datetime, *, specimen: bool, random: Random = secrets.token_bytes
    ) -> PublicFacts:
        """A key on disk that nothing signs with before `take_up`: first the log is to know it."""
        return self._make(self.folder, use, host, start, specimen, random, _PREPARED).facts

    def prepared(self) -> list[PublicFacts]:
        return [_read(path, _SealedKey).facts for path in sorted(self.folder.glob(f"*{_PREPARED}"))]

    def take_up(self, kid: str) -> None:
        """From its `start` on it signs. May be repeated."""
        for path in self.folder.glob(f"*-{_plain(kid)}{_PREPARED}"):
            with suppress(FileNotFoundError):  # another process was faster
                path.rename(path.with_suffix(_SUFFIX))
            _sync(self.folder)

    def has(self, kid: str) -> bool:
        """Whether its private half is here."""
        return any(self._paths(kid))

    def destroy(self, kid: str) -> bool:
        """The private half is overwritten and its file removed; whether it was there. Never the slot key.

        What a disk keeps of overwritten files, and what backups hold, has to age out: who has the master key too
        could still use it.
        """
        self._signers.pop(kid, None)
        found = self._paths(kid)
        for path in found:
            with suppress(FileNotFoundError):  # another process was faster
                path.rename(path.with_suffix(_ENDED))  # nobody reads half a key
        self.finish_destroying()
        return bool(found)

    def finish_destroying(self) -> None:
        """Also what a killed run left."""
        for path in self.folder.glob(f"*{_ENDED}"):
            with suppress(FileNotFoundError):
                self._destroy_at_its_agent(path)
                with path.open("r+b") as file:
                    file.write(bytes(path.stat().st_size))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()
            _sync(self.folder)

    def _destroy_at_its_agent(self, path: Path) -> None:
        with suppress(msgspec.DecodeError):  # overwritten already
            stored = msgspec.json.decode(path.read_bytes(), type=_SealedKey)
            if stored.held:
                with _reached():
                    self._its_agent(stored.facts.kid).destroy(stored.facts.kid)

    def _paths(self, kid: str) -> list[Path]:
        return [path for suffix in (_SUFFIX, _PREPARED) for path in self.folder.glob(f"*-{_plain(kid)}{suffix}")]

    def _make(
        self,
        folder: Path,
        use: KeyUse,
        host: str,
        start: datetime,
        specimen: bool,
        random: Random,
        suffix: str = _SUFFIX,
    ) -> _SealedKey:
        if self._agent:
            with _reached():
                made = self._agent.make(use, host, start, specimen=specimen)
            stored = _SealedKey(msgspec.convert(made, PublicFacts), held="agent")
            self._signer(stored)
        else:
            seed = _drawn(use, random)
            signer = FileSigner(_private(use, seed), use, controller(use, host), specimen=specimen)
            facts = PublicFacts(signer.kid, use, multikey(signer.public), signer.controller, start, specimen)
            stored = _SealedKey(facts, self._seal(seed, msgspec.json.encode(facts), random))
        _write_new(folder / f"{use}-{stored.facts.kid}{suffix}", msgspec.json.encode(stored))
        return stored

    def _stored(self) -> Iterator[_SealedKey]:
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            if path.name != _SLOT:
                with suppress(FileNotFoundError):  # it was destroyed since
                    yield _read(path, _SealedKey)

    def _signer(self, stored: _SealedKey) -> Signer:
        facts = stored.facts
        refuse_unfit(facts)
        signer: Signer
        if stored.held:
            signer = AgentSigner(self._its_agent(facts.kid), facts, read_public(facts.use, facts.public))
        else:
            seed = self._open(stored.sealed, msgspec.json.encode(facts), facts.kid)
            signer = FileSigner(_private(facts.use, seed), facts.use, facts.controller, specimen=facts.specimen)
        if multikey(signer.public) != facts.public:
            raise KeysUnusable(f"the key {facts.kid}: this is not its private half")
        return signer

    def _its_agent(self, kid: str) -> Agent:
        if self._agent is None:
            raise KeysUnusable(f"an agent holds the key {kid}; REGISTRY_SIGNER says where it listens")
        return self._agent

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
        refuse_unfit(facts)
        known = store.find(public.Key, facts.kid)
        if known and (known.use, known.controller) != (facts.use, facts.controller):
            raise KeysUnusable(f"the log knows the key {facts.kid} for {known.use}, of {known.controller}")
        if known is None:
            key = public.Key(facts.kid)
            key.publish(
                facts.use, facts.public, facts.controller, start=facts.start, specimen=facts.specimen, on=on, by=by
            )
            store.save(key)
            new.append(facts.kid)
    return new


def _drawn(use: KeyUse, random: Random) -> bytes:
    """32 bytes that make a key of this use: nearly all do for P-256, and all for Ed25519."""
    while True:
        seed = random(_SIZE)
        if use != "jwt" or 0 < int.from_bytes(seed) < _P256_ORDER:
            return seed


def _private(use: KeyUse, seed: bytes) -> Ed25519PrivateKey | EllipticCurvePrivateKey:
    if use == "jwt":
        return derive_private_key(int.from_bytes(seed), SECP256R1())
    return Ed25519PrivateKey.from_private_bytes(seed)


def refuse_unfit(facts: PublicFacts) -> None:
    """Before a key is announced: its kid is its own, and it is one point in its one spelling, not of small order."""
    try:
        key = Key(facts.use, facts.controller, facts.kid, read_public(facts.use, facts.public))
    except Unverified as refused:
        raise KeysUnusable(f"the key {facts.kid}: {refused.why}") from None
    if key.kid.hex() != facts.kid:
        raise KeysUnusable(f"the key {facts.kid}: this is not its kid")


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except Unreachable as error:
        raise KeysUnusable(str(error)) from None


def _plain(kid: str) -> str:
    if not _KID.fullmatch(kid):
        raise KeysUnusable("a kid has 16 hex digits; `registry keys show` lists them")
    return kid


def _sealing(master: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"registry/key-files").derive(master))


def _read(path: Path, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise
    except (OSError, msgspec.DecodeError):
        raise KeysUnusable(f"{path} can't be read") from None


def _write_new(path: Path, data: bytes) -> None:
    """Mode 0600 from its first byte; refuses to replace anything; survives a power cut."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)


def _sync(path: Path) -> None:
    """What was made, renamed or removed in this folder stays so after a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
