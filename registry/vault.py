"""Personal data under keys that can be destroyed: one key per person and class, wrapped by a master key."""

import base64
import binascii
import functools
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import Refused
from domain.event import Event, PersonalClass, Sealed, personal_fields, subject
from registry import database
from registry.database import Pool
from registry.settings import BadSetting, Settings, decode_master_key

Random = Callable[[int], bytes]
Clock = Callable[[], datetime]
E_ = TypeVar("E_", bound=Event)
_Pair = tuple[str, PersonalClass]  # a person and a class
_Field = tuple[str, PersonalClass]  # a field and its class
_Keys = dict[_Pair, AESGCM | None]

CLASSES: tuple[PersonalClass, ...] = get_args(PersonalClass)
NONCE = 12
BLIND = 16

# How long another process may still open what was erased a moment ago.
KEY_SECONDS = timedelta(seconds=5)
_MANY_KEYS = 50_000


class Erased(Refused):
    """The person's data of this class was erased; nothing is kept or shown under it again."""

    code = "erased"

    def __init__(self) -> None:
        super().__init__("This person's data was erased. Nothing more can be kept or shown about them here.")


class BrokenSeal(Exception):
    """A stored field does not open: it was changed, or moved from where it was sealed."""


class Opening(NamedTuple):
    """What opens one sealed field to a stranger: he hashes both and compares with the `h` in the log."""

    blind: str
    value: str


def now() -> datetime:
    return datetime.now(UTC)


class Vault:
    """Seals and opens the personal fields of events; the only holder of the keeper's connection.

    A field is sealed to its stream, version, name and class: no upcaster may rename it or change its class.
    """

    def __init__(self, settings: Settings, *, random: Random = os.urandom, clock: Clock = now) -> None:
        self._random = random
        self._clock = clock
        self._master = read_master_key(settings)
        self._wrapping = AESGCM(self._derive(b"registry/person-keys"))
        self._fingerprinting = self._derive(b"registry/fingerprints")
        self._pool = Pool(lambda: database.url(settings, "keeper"), size=4)
        # None: destroyed.
        self._keys: dict[_Pair, tuple[AESGCM | None, datetime]] = {}

    def _derive(self, info: bytes) -> bytes:
        return HKDF(SHA256(), length=32, salt=None, info=info).derive(self._master)

    @staticmethod
    def make_master_key(settings: Settings, random: Random = os.urandom) -> bool:
        """Write HOME/master.key (0600) unless it is there or set; says whether it did."""
        if settings.master_key is not None:
            return False
        settings.home.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(settings.master_key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return False
        with os.fdopen(file, "wb") as out:
            out.write(base64.b64encode(random(32)) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        return True

    # --- sealing and opening

    def seal(self, event: E_) -> E_:
        return self.seal_all([event])[0]

    def seal_all(self, events: Sequence[E_]) -> list[E_]:
        """Seal the personal text of these events, making keys where a person has none yet. Raises Erased."""
        plain = [text_fields(event) for event in events]
        keys = self._load(_pairs(events, plain), make=True)
        return [self._seal(e, fields, keys) if fields else e for e, fields in zip(events, plain, strict=True)]

    def _seal(self, event: E_, fields: list[_Field], keys: _Keys) -> E_:
        changes: dict[str, Any] = {}
        person = _subject(event)
        at = _place(event.originator_id, event.originator_version)
        drawn = self._random(len(fields) * (BLIND + NONCE))
        for n, (name, kind) in enumerate(fields):
            key = keys[person, kind]
            if key is None:
                raise Erased
            text = getattr(event, name).encode()
            begin = n * (BLIND + NONCE)
            blind, nonce = drawn[begin : begin + BLIND], drawn[begin + BLIND : begin + BLIND + NONCE]
            place = at + _joined_text(name)
            c = nonce + key.encrypt(nonce, blind + text, place + _joined_text(kind))
            # As `commitment`, with the place that is known already.
            h = hashlib.sha256(_BLIND_LENGTH + blind + place + len(text).to_bytes(_LENGTH, "big") + text).digest()
            changes[name] = Sealed(_b64(c), _b64(h))
        return msgspec.structs.replace(event, **changes)

    def open(self, event: E_) -> E_:
        return self.open_all([event])[0]

    def open_all(self, events: Sequence[E_]) -> list[E_]:
        """The events with their personal text; None where the key was destroyed. Raises BrokenSeal."""
        sealed = [(event, fields, _subject(event) if fields else "")
                  for event in events for fields in (_sealed_fields(event),)]  # fmt: skip
        keys = self._load({(person, kind) for _, fields, person in sealed for _, kind in fields}, make=False)
        return [self._open(event, fields, person, keys) if fields else event for event, fields, person in sealed]

    def _open(self, event: E_, fields: list[_Field], person: str, keys: _Keys) -> E_:
        place = _place(event.originator_id, event.originator_version)
        opened: dict[str, str | None] = {}
        for name, kind in fields:
            found = _opening(event, name, kind, keys[person, kind], place)
            opened[name] = found[1] if found else None
        return msgspec.structs.replace(event, **opened)

    def opening(self, event: Event, field: str) -> Opening:
        """What shows this one field to a stranger. Raises Erased, or ValueError if it isn't sealed."""
        kind = dict(_sealed_fields(event)).get(field)
        if kind is None:
            raise ValueError(f"{field} of {event.topic} is not sealed")
        pair = (_subject(event), kind)
        place = _place(event.originator_id, event.originator_version)
        found = _opening(event, field, kind, self._load({pair}, make=False)[pair], place)
        if found is None:
            raise Erased
        blind, value = found
        return Opening(_b64(blind), value)

    def openings(self, asked: Sequence[tuple[Event, str]]) -> list[Opening | None]:
        """As `opening`, of many fields with one question; None where the key is destroyed or nothing is sealed."""
        kinds = [dict(_sealed_fields(event)).get(field) for event, field in asked]
        pairs = [(_subject(event), kind) if kind else None for (event, _), kind in zip(asked, kinds, strict=True)]
        keys = self._load({pair for pair in pairs if pair}, make=False)
        found: list[Opening | None] = []
        for (event, field), pair in zip(asked, pairs, strict=True):
            place = _place(event.originator_id, event.originator_version)
            opened = _opening(event, field, pair[1], keys[pair], place) if pair else None
            found.append(Opening(_b64(opened[0]), opened[1]) if opened else None)
        return found

    def secret(self, person: str, kind: PersonalClass, purpose: str) -> bytes:
        """32 bytes that end with the person's key of this class, and are in no proof. Raises Erased."""
        key = self._load({(person, kind)}, make=False)[person, kind]
        if key is None:
            raise Erased
        # The key's stream at a place of this purpose: the random nonces of fields come nowhere near it.
        return key.encrypt(hashlib.sha256(purpose.encode()).digest()[:NONCE], bytes(32), None)[:32]

    # --- keys

    def _load(self, wanted: set[_Pair], *, make: bool) -> _Keys:
        """Every wanted key: known, made, or None where it is destroyed (or was never made)."""
        moment = self._clock()
        keys: _Keys = {}
        unknown = []
        for pair in wanted:
            known = self._keys.get(pair)
            if known is not None and timedelta(0) <= moment - known[1] < KEY_SECONDS:
                keys[pair] = known[0]
            else:
                unknown.append(pair)
        if unknown:
            if len(self._keys) > _MANY_KEYS:
                self._keys.clear()
            for (person, kind), wrapped in self._stored(sorted(unknown), moment, make=make).items():
                key = self._unwrap(person, kind, wrapped) if wrapped else None
                keys[person, kind] = key
                self._keys[person, kind] = key, moment
        return keys

    def _stored(self, pairs: list[_Pair], moment: datetime, *, make: bool) -> dict[_Pair, bytes | None]:
        with self._pool.connection() as connection:
            found = self._read(connection, pairs)
            if make and (missing := [pair for pair in pairs if pair not in found]):
                self._insert(connection, missing, moment)
                # Read again: of two processes that made one, the first counts.
                found |= self._read(connection, missing)
        return {pair: found.get(pair) for pair in pairs}

    def _read(self, connection: database.Connection, pairs: list[_Pair]) -> dict[_Pair, bytes | None]:
        rows = connection.execute(
            "SELECT person, kind, wrapped FROM vault.person_keys"
            " WHERE (person, kind) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
            [[person for person, _ in pairs], [kind for _, kind in pairs]],
            binary=True,
        ).fetchall()
        return {(person, kind): wrapped for person, kind, wrapped in rows}

    def _insert(self, connection: database.Connection, pairs: list[_Pair], moment: datetime) -> None:
        connection.execute(
            "INSERT INTO vault.person_keys (person, kind, wrapped, created_at)"
            " SELECT person, kind, wrapped, %s FROM unnest(%s::text[], %s::text[], %b::bytea[])"
            " AS new (person, kind, wrapped) ON CONFLICT (person, kind) DO NOTHING",
            [
                moment,
                [person for person, _ in pairs],
                [kind for _, kind in pairs],
                [self._wrap(person, kind, self._random(32)) for person, kind in pairs],
            ],
        )

    def _wrap(self, person: str, kind: str, key: bytes) -> bytes:
        nonce = self._random(NONCE)
        return nonce + self._wrapping.encrypt(nonce, key, _joined(person.encode(), kind.encode()))

    def _unwrap(self, person: str, kind: str, wrapped: bytes) -> AESGCM:
        try:
            key = self._wrapping.decrypt(wrapped[:NONCE], wrapped[NONCE:], _joined(person.encode(), kind.encode()))
        except InvalidTag:
            raise BrokenSeal("a person's key does not open: another master key made it, or it was changed") from None
        return AESGCM(key)

    def erase(self, person: str, kinds: Iterable[PersonalClass] = CLASSES) -> None:
        """Destroy the person's keys, and refuse new ones. Safe to repeat."""
        kinds = list(kinds)
        moment = self._clock()
        with self._pool.connection() as connection:
            connection.execute(
                "INSERT INTO vault.person_keys AS k (person, kind, wrapped, created_at, destroyed_at)"
                " SELECT %s, kind, NULL, %s, %s FROM unnest(%s::text[]) AS kind"
                " ON CONFLICT (person, kind) DO UPDATE SET wrapped = NULL, destroyed_at = excluded.destroyed_at"
                " WHERE k.destroyed_at IS NULL",
                [person, moment, moment, kinds],
            )
        for kind in kinds:
            self._keys[person, kind] = (None, moment)

    def is_erased(self, person: str, kind: PersonalClass = "identity") -> bool:
        with self._pool.connection() as connection:
            rows = connection.execute(
                "SELECT FROM vault.person_keys WHERE person = %s AND kind = %s AND destroyed_at IS NOT NULL",
                [person, kind],
            ).fetchall()
        return bool(rows)

    # --- fingerprints

    def fingerprint(self, purpose: str, data: bytes | str) -> str:
        """HMAC under a key of the vault: the same data twice is recognised, and can't be guessed from it."""
        data = data.encode() if isinstance(data, str) else data
        return _b64(hmac.digest(self._fingerprinting, _joined(purpose.encode(), data), "sha256"))

    def close(self) -> None:
        self._pool.close()


def read_master_key(settings: Settings) -> bytes:
    if settings.master_key is not None:
        return settings.master_key
    file = settings.master_key_file
    try:
        if file.stat().st_mode & 0o077:
            raise BadSetting("REGISTRY_HOME", f"{file} may be read by others. Run `chmod 600` on it.")
        return decode_master_key(str(file), file.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise BadSetting(
            "REGISTRY_MASTER_KEY", f"unset, and there is no {file}. Make it with `registry keys init`."
        ) from None


# --- pure ------------------------------------------------------------------------------------


def commitment(blind: bytes, stream: str, version: int, field: str, value: str) -> bytes:
    """`h` of a sealed field: SHA-256 of the five parts, each after its length in four bytes, big-endian."""
    return hashlib.sha256(_joined(blind) + _where(stream, version, field) + _joined(value.encode())).digest()


def check_opening(h: str, blind: str, stream: str, version: int, field: str, value: str) -> bool:
    """Whether the field with this `h` in the log held this value."""
    try:
        opened = commitment(_unb64(blind), stream, version, field, value)
        return hmac.compare_digest(_unb64(h), opened)
    except ValueError:
        return False


def _opening(
    event: Event, field: str, kind: PersonalClass, key: AESGCM | None, place: bytes
) -> tuple[bytes, str] | None:
    """Blind and value of one sealed field; None where the key is destroyed. A rebuild does this for every name."""
    if key is None:
        return None
    sealed: Sealed = getattr(event, field)
    where = place + _joined_text(field)
    try:
        c = binascii.a2b_base64(sealed.c.encode().translate(_STANDARD) + b"==")
        plain = key.decrypt(c[:NONCE], c[NONCE:], where + _joined_text(kind))
        text = plain[BLIND:]
        value = text.decode()
    except (InvalidTag, ValueError):
        raise BrokenSeal(f"{_named(event, field)}: not sealed here, or changed") from None
    # As `commitment`, with the place that is known already.
    said = _BLIND_LENGTH + plain[:BLIND] + where + len(text).to_bytes(_LENGTH, "big") + text
    if _b64(hashlib.sha256(said).digest()) != sealed.h:
        raise BrokenSeal(f"{_named(event, field)}: not what was committed to")
    return plain[:BLIND], value


_STANDARD = bytes.maketrans(b"-_", b"+/")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_LENGTH = 4  # bytes that say how long a part is
_BLIND_LENGTH = BLIND.to_bytes(_LENGTH, "big")


def _joined(*parts: bytes) -> bytes:
    return b"".join([piece for part in parts for piece in (len(part).to_bytes(_LENGTH, "big"), part)])


@functools.lru_cache(maxsize=256)
def _joined_text(text: str) -> bytes:
    """For the few names of fields and classes."""
    return _joined(text.encode())


@functools.lru_cache(maxsize=1024)
def _joined_number(number: int) -> bytes:
    """For versions, most of them small."""
    return _joined(b"%d" % number)


def _place(stream: str, version: int) -> bytes:
    name = stream.encode()
    return len(name).to_bytes(_LENGTH, "big") + name + _joined_number(version)


def _where(stream: str, version: int, field: str) -> bytes:
    return _place(stream, version) + _joined_text(field)


def _named(event: Event, field: str) -> str:
    return f"{event.originator_id}, version {event.originator_version}, {field}"


def _subject(event: Event) -> str:
    person = subject(event)
    if not person:
        raise TypeError(f"{event.topic} has personal fields and names no person")
    return person


def _pairs(events: Sequence[Event], fields: Sequence[list[_Field]]) -> set[_Pair]:
    return {(_subject(event), kind) for event, own in zip(events, fields, strict=True) for _, kind in own}


def text_fields(event: Event) -> list[_Field]:
    """The fields that are to be sealed, and under which class; None and "" are kept as they are."""
    fields = personal_fields(type(event))
    return (
        [(name, kind) for name, kind in fields.items() if isinstance(value := getattr(event, name), str) and value]
        if fields
        else []
    )


def _sealed_fields(event: Event) -> list[_Field]:
    return [
        (name, kind) for name, kind in personal_fields(type(event)).items() if isinstance(getattr(event, name), Sealed)
    ]


def _b64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
