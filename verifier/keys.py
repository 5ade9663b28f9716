"""The keys we trust and what each may sign, read from `keys.json` or from DID documents."""

from __future__ import annotations

import math
import re
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verifier import cose, multibase, proof, strictjson
from verifier.certificate import prefix
from verifier.verdict import Unverified

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

USES: Final = ("certificate", "status", "log", "jwt")
"""What a key may sign. `jwt` keys are of P-256 and sign ES256, all others are Ed25519."""
_NAMED: Final = {"certificate", "status", "jwt"}  # proofs and JWTs name them by their ids, not by their kids

_ED25519: Final = b"\xed\x01"  # multicodec
_P256: Final = b"\x80\x24"  # the same
_SIZE: Final = 32
_POINT: Final = 33  # bytes of a compressed point of P-256
_PREFIX: Final = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?/v1#", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9.-]+(%3[Aa][0-9]{1,5})?", re.ASCII)
_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_Q: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1  # the field of P-256
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


class Key:
    """One key, for one use. `withdrawn` says since when nothing it signed is to be believed.

    `public` is an Ed25519 key of 32 bytes, or for `jwt` a compressed point of P-256, of 33.
    """

    __slots__ = ("_ed25519", "controller", "id", "kid", "public", "specimen", "use", "withdrawn")

    def __init__(
        self,
        use: str,
        controller: str,
        id: str,  # noqa: A002 - as DID documents call it
        public: bytes,
        withdrawn: str | None = None,
        *,
        specimen: bool = False,
    ) -> None:
        if (use == "jwt") != (len(public) == _POINT):
            raise _refused("a key of another kind than its use has")
        self.use, self.controller, self.id, self.public = use, controller, id, public
        self.withdrawn, self.specimen = withdrawn, specimen
        self._ed25519: Ed25519PublicKey | None = None
        if use == "jwt":
            self.kid = cose.point_thumbprint(*point(public))
        else:
            refuse_weak(public)
            self.kid = cose.thumbprint(public)
            self._ed25519 = Ed25519PublicKey.from_public_bytes(public)

    def was_good_at(self, time: int) -> bool:
        """Whether it was no other's yet, in unix seconds; never, where it was withdrawn without a time we can read."""
        return self.withdrawn is None or time < _seconds(self.withdrawn)

    def check(self, envelope: cose.Envelope) -> None:
        self.holds(envelope.signature, envelope.to_be_signed)

    def holds(self, signature: bytes, message: bytes) -> None:
        """Raises Unverified unless this key signed the message, with the one algorithm it has."""
        if self._ed25519 is None:
            held = _holds_es256(self.public, signature, message)
        else:
            try:
                self._ed25519.verify(signature, message)
            except InvalidSignature:
                held = False
            else:
                return
        if not held:
            raise Unverified("tampered", f"the signature is not of the key {self.id}") from None


def _holds_es256(public: bytes, signature: bytes, message: bytes) -> bool:
    """ES256 (RFC 7518, 3.4): the signature is r and s, 32 bytes each."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - a QR code and a badge's JSON need none of this
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415 - the same

    if len(signature) != 2 * _SIZE:
        return False
    r, s = int.from_bytes(signature[:_SIZE]), int.from_bytes(signature[_SIZE:])
    try:
        _es256(public).verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=256)
def _es256(public: bytes) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above

    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)


class KeyRing:
    """What we trust: keys by use, the QR prefixes that are the registry's, the keys of its log and its witnesses."""

    def __init__(
        self,
        keys: Iterable[Key] = (),
        *,
        prefixes: Iterable[str] = (),
        logs: Iterable[str] = (),
        witnesses: Iterable[str] = (),
    ) -> None:
        self.prefixes = frozenset(prefixes)
        self.witnesses = tuple(dict.fromkeys(witnesses))
        self._keys: dict[bytes, Key] = {}
        self._kids: dict[tuple[str, str], bytes] = {}
        for key in keys:
            self._add(key)
        withdrawn = {key.public: key for key in self if key.use == "log" and key.withdrawn}
        lines = dict.fromkeys(logs)
        self.logs = tuple(line for line in lines if _logged_by(line) not in withdrawn)
        self.withdrawn_logs = {line: withdrawn[_logged_by(line)] for line in lines if _logged_by(line) in withdrawn}
        """The withdrawn keys of the log by their vkeys: what they signed counts where a witness saw it before."""

    def _add(self, key: Key) -> None:
        if key.use in _NAMED and self._kids.setdefault((key.use, key.id), key.kid) != key.kid:
            raise _refused(f"two keys have the one name {key.id}")
        known = self._keys.setdefault(key.kid, key)
        if (known.use, known.controller, known.public) != (key.use, key.controller, key.public):
            raise _refused(f"the key {key.kid.hex()} stands there twice, with different uses or owners")
        # one source that knows of a withdrawal, or that this is a demo, is enough
        withdrawn, specimen = _earlier(known, key), known.specimen or key.specimen
        if (withdrawn, specimen) != (known.withdrawn, known.specimen):
            self._keys[key.kid] = Key(known.use, known.controller, known.id, known.public, withdrawn, specimen=specimen)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    def __or__(self, other: KeyRing) -> KeyRing:
        return KeyRing(
            (*self, *other),
            prefixes=self.prefixes | other.prefixes,
            logs=(*self.logs, *self.withdrawn_logs, *other.logs, *other.withdrawn_logs),
            witnesses=(*self.witnesses, *other.witnesses),
        )

    def for_certificates(self, kid: bytes) -> Key:
        return self._for("certificate", kid)

    def for_status(self, kid: bytes) -> Key:
        return self._for("status", kid)

    def named(self, name: str, use: str) -> Key:
        """The key that a proof or a JWT names by its DID URL."""
        kid = self._kids.get((use, name))
        if kid is None:
            other = next((key.use for key in self if key.id == name), None)
            why = f"is for {other}, not for {use}" if other else "is not in the key ring"
            raise Unverified("unknown_key", f"the key {name} {why}")
        return self._keys[kid]

    def _for(self, use: str, kid: bytes) -> Key:
        key = self._keys.get(kid)
        if key is None:
            raise Unverified("unknown_key", f"no key {kid.hex()} in the key ring")
        if key.use != use:
            raise Unverified("unknown_key", f"the key {kid.hex()} is for {key.use}, not for {use}")
        return key


def read_keys_json(text: bytes) -> KeyRing:
    """The key ring a registry publishes as `/keys.json`."""
    page = _object(text)
    prefixes = _texts(page.get("prefixes"))
    if not prefixes or not all(map(_PREFIX.fullmatch, prefixes)):
        raise _refused("no prefix, or one that is not https://HOST/v1#")
    log = _member(page, "log", dict)
    origin = _member(log, "origin", str)
    logs = [read_vkey(_member(log, "vkey", str))]
    if not logs[0].startswith(f"{origin}+"):
        raise _refused("a log key of another log")
    specimen = _member(page, "specimen", bool)
    keys = []
    for row in _member(page, "keys", list):
        if type(row) is not dict or row.get("use") not in USES:
            raise _refused("a key without a use we know")
        key = Key(
            use=row["use"],
            controller=_member(row, "controller", str),
            id=_member(row, "id", str),
            public=read_public(row["use"], _member(row, "publicKeyMultibase", str)),
            withdrawn=_date(row.get("withdrawn")),
            specimen=specimen,
        )
        if key.kid.hex() != row.get("kid"):
            raise _refused("a kid that is not its key's")
        keys.append(key)
    logs += [proof.vkey(origin, key.public) for key in keys if key.use == "log"]
    witnesses = map(read_witness_vkey, _texts(page.get("witnesses", [])))
    return KeyRing(keys, prefixes=prefixes, logs=logs, witnesses=witnesses)


def read_did(text: bytes) -> KeyRing:
    """The keys under `assertionMethod` of a did:web document.

    A document whose id ends in `:status` supplies keys for lists only, any other for certificates (Ed25519) and JWTs
    (P-256) only. A key that is `revoked` counts without being asserted, so that what it signed is known to be worth
    nothing.
    """
    document = _object(text)
    did = _member(document, "id", str)
    use = "status" if did.endswith(":status") else "certificate"
    asserted = {entry for entry in _member(document, "assertionMethod", list) if type(entry) is str}
    specimen = "specimen" in document and _member(document, "specimen", bool)
    keys = []
    for method in _member(document, "verificationMethod", list):
        if type(method) is not dict:
            raise _refused("a verification method that is not an object")
        identifier, withdrawn = _member(method, "id", str), _date(method.get("revoked"))
        if not (identifier in asserted or withdrawn) or (public := _public(method)) is None:
            continue
        for_jwt = len(public) == _POINT
        if for_jwt and use == "status":
            continue
        if method.get("controller") != did:
            raise _refused("a key that another DID controls")
        keys.append(
            Key(
                use="jwt" if for_jwt else use,
                controller=did,
                id=identifier,
                public=public,
                withdrawn=withdrawn,
                specimen=specimen,
            )
        )
    return KeyRing(keys, prefixes=[] if use == "status" else [prefix(_host(did))])


def read_vkey(text: str) -> str:
    """The key of a log (`name+hash+key`), as it was given."""
    return _read_vkey(text, proof.vkey, "log")


def read_witness_vkey(text: str) -> str:
    """The key of a witness (`name+hash+key`), as it was given."""
    return _read_vkey(text, proof.witness_vkey, "witness")


def _read_vkey(text: str, write: Callable[[str, bytes], str], whose: str) -> str:
    name, _, rest = text.partition("+")
    try:
        public = b64decode(rest.partition("+")[2])[1:]
    except ValueError:
        public = b""
    refuse_weak(public)
    if not name or any(map(str.isspace, name)) or text != write(name, public):
        raise _refused(f"a {whose} key that is not name+hash+key")
    return text


def _logged_by(vkey: str) -> bytes:
    """The public key of a log key that was read."""
    return b64decode(vkey.split("+", 2)[2])[1:]  # base64 has a "+" of its own


def _public(method: Mapping[str, Any]) -> bytes | None:
    """The Ed25519 or P-256 key of a verification method; None for keys of other kinds."""
    if method.get("type") == "Multikey":
        encoded = _member(method, "publicKeyMultibase", str)
        if encoded.startswith("zDn"):
            return read_point(encoded)
        return read_multikey(encoded) if encoded.startswith("z6Mk") else None
    if method.get("type") == "JsonWebKey":
        jwk = _member(method, "publicKeyJwk", dict)
        match jwk.get("kty"), jwk.get("crv"):
            case "OKP", "Ed25519":
                return _base64url(_member(jwk, "x", str))
            case "EC", "P-256":
                x, y = _base64url(_member(jwk, "x", str)), _base64url(_member(jwk, "y", str))
                public = bytes((2 + (y[-1] & 1),)) + x
                if point(public)[1] != y:
                    raise _refused("an x and y that are no point of P-256")
                return public
    return None


def _host(did: str) -> str:
    method, _, rest = did.partition("did:web:")
    host = rest.partition(":")[0]
    if method or not _HOST.fullmatch(host):
        raise _refused("an id that is not a did:web")
    return re.sub("%3[Aa]", ":", host)


def multikey(public: bytes) -> str:
    """The publicKeyMultibase of a key: Ed25519, or a compressed point of P-256."""
    return multibase.encode((_P256 if len(public) == _POINT else _ED25519) + public)


def read_public(use: str, encoded: str) -> bytes:
    """The key of a publicKeyMultibase, of the kind that this use has. Raises Unverified."""
    return read_point(encoded) if use == "jwt" else read_multikey(encoded)


def read_multikey(encoded: str) -> bytes:
    """The Ed25519 key of a publicKeyMultibase. Raises Unverified for any other spelling."""
    return _read_multikey(encoded, _ED25519, _SIZE, "an Ed25519 key")


def read_point(encoded: str) -> bytes:
    """The P-256 key of a publicKeyMultibase, as a compressed point. Raises Unverified for any other spelling."""
    return _read_multikey(encoded, _P256, _POINT, "a P-256 key")


def _read_multikey(encoded: str, kind: bytes, size: int, whose: str) -> bytes:
    decoded = multibase.decode(encoded, len(kind) + size)
    if decoded is None or not decoded.startswith(kind):
        raise _refused(f"a publicKeyMultibase that is not {whose}")
    return decoded[len(kind) :]


@lru_cache(maxsize=256)
def point(public: bytes) -> tuple[bytes, bytes]:
    """X and y of a compressed point of P-256; the curve has no points of small order. Refuses what is none."""
    x = int.from_bytes(public[1:])
    square = (x * x * x - 3 * x + _B) % _Q
    y = pow(square, (_Q + 1) // 4, _Q)
    if len(public) != _POINT or public[0] not in {2, 3} or x >= _Q or y * y % _Q != square:
        raise _refused("a key that is no point of P-256, or not in its one spelling")
    if y & 1 != public[0] & 1:
        y = _Q - y
    return public[1:], y.to_bytes(_SIZE)


def _base64url(encoded: str) -> bytes:
    try:
        public = urlsafe_b64decode(encoded + "=")
    except ValueError:
        public = b""
    if len(public) != _SIZE or urlsafe_b64encode(public).rstrip(b"=").decode() != encoded:
        raise _refused("an x that is not an Ed25519 key")
    return public


@lru_cache(maxsize=256)
def refuse_weak(public: bytes) -> None:
    """Refuses what a key must not be: not a point, not in its one spelling, or of small order.

    OpenSSL accepts such keys, and with one of small order anybody can sign.
    """
    if len(public) != _SIZE:
        raise _refused("a key of another size")
    number = int.from_bytes(public, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or x * x % _P != square or (x == 0 and odd):
        raise _refused("a key that is no point of the curve, or not in its one spelling")
    for _ in range(3):  # eight times a point of small order is the neutral one
        product = _D * x * x * y * y % _P
        x, y = (
            2 * x * y * pow(1 + product, -1, _P) % _P,
            (y * y + x * x) * pow(1 - product, -1, _P) % _P,
        )
    if (x, y) == (0, 1):
        raise _refused("a key of small order")


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = strictjson.loads(text)
    except strictjson.NotStrict as refused:
        raise _refused(str(refused)) from None
    if type(value) is not dict:
        raise _refused("not a JSON object")
    return value


def _member(of: Mapping[str, Any], name: str, kind: type) -> Any:
    value = of.get(name)
    if type(value) is not kind:
        raise _refused(f"no {name}, or one of another kind")
    return value


def _texts(value: Any) -> list[str]:
    if type(value) is not list or not all(type(entry) is str for entry in value):
        raise _refused("a list of texts that is none")
    return value


def _date(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value or None
    raise _refused("a date that is not a text")


def _seconds(text: str) -> float:
    """Of a time that says its zone, or a day (UTC); anything else is before everything."""
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return -math.inf


def _earlier(*keys: Key) -> str | None:
    """When the first of them says that it was withdrawn; an unreadable time is the earliest."""
    return min((key.withdrawn for key in keys if key.withdrawn), key=_seconds, default=None)


def _refused(why: str) -> Unverified:
    return Unverified("unknown_key", f"these keys cannot be used: {why}")
