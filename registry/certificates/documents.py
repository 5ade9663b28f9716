"""What the public may know of our keys, folded from their events: `keys.json` and the DID documents."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from domain.key import Key, KeyUse
from registry.certificates.keys import KeyFolder, KeysUnusable, Signer, controller
from registry.certificates.status import Row
from verifier.certificate import prefix
from verifier.keys import point, read_did, read_keys_json, read_point
from verifier.proof import vkey

TOPICS: Final = (Key.Published.topic, Key.Retired.topic, Key.Withdrawn.topic)


class KnownKey(msgspec.Struct):
    kid: str
    use: KeyUse
    public: str
    controller: str
    start: datetime = msgspec.field(name="from")
    specimen: bool = False
    until: datetime | None = None
    withdrawn: datetime | None = None

    @property
    def id(self) -> str:
        return f"{self.controller}#{self.kid}"

    def ended(self, at: datetime) -> bool:
        return bool(self.withdrawn or (self.until and self.until <= at))


class _Ended(msgspec.Struct):
    until: datetime | None = None
    since: datetime | None = None


class KnownKeys:
    """Every key there was, in the order of the log."""

    def __init__(self) -> None:
        self._keys: dict[str, KnownKey] = {}

    def advance(self, rows: Iterable[Row]) -> None:
        for _, stream, topic, state in rows:
            if topic == Key.Published.topic:
                self._keys[stream] = msgspec.json.decode(state, type=KnownKey)
            elif topic in TOPICS:
                ended = msgspec.json.decode(state, type=_Ended)
                key = self._keys[stream]
                key.until = ended.until or key.until
                key.withdrawn = ended.since or key.withdrawn

    def of(self, use: KeyUse) -> list[KnownKey]:
        return [key for key in self._keys.values() if key.use == use]

    def get(self, kid: str) -> KnownKey | None:
        return self._keys.get(f"key/{kid}")

    def signer(self, folder: KeyFolder, use: KeyUse, at: datetime) -> Signer:
        """The youngest key here that the log knows and that has not ended: what another one signs nobody can check.

        After the database was restored to before a rotation that is the key before it. Raises KeysUnusable.
        """
        usable = [key.kid for key in self.of(use) if not key.ended(at)]
        if kid := folder.newest(use, at, usable):
            return folder.by_kid(kid)
        signer = folder.signer(use, at)
        if self.get(signer.kid) is None:
            raise KeysUnusable(f"the {use} key {signer.kid} is not in the log; run `registry keys publish`")
        raise KeysUnusable(f"the {use} key {signer.kid} is retired or withdrawn, and no younger one is here")

    @property
    def specimen(self) -> bool:
        """One specimen among the keys is enough: nothing here is meant seriously."""
        return any(key.specimen for key in self._keys.values())

    def keys_json(self, host: str, qr_host: str, log_public: bytes, witnesses: Iterable[str] = ()) -> bytes:
        origin = log_origin(host)
        page = _page(
            {
                "issuer": controller("certificate", host),
                "specimen": self.specimen,
                "prefixes": list(dict.fromkeys([prefix(qr_host), prefix(host)])),
                "log": {"origin": origin, "vkey": vkey(origin, log_public)},
                "witnesses": list(witnesses),
                "keys": [
                    {
                        "kid": key.kid,
                        "use": key.use,
                        "controller": key.controller,
                        "id": key.id,
                        "publicKeyMultibase": key.public,
                        "from": _instant(key.start),
                        "until": _instant(key.until),
                        "withdrawn": _instant(key.withdrawn),
                    }
                    for key in self._keys.values()
                ],
            }
        )
        read_keys_json(page)
        return page

    def did(self, use: KeyUse, host: str) -> bytes:
        """A DID document. A retired key stays, a withdrawn one does not: not every library looks at `assertionMethod`.

        The P-256 keys of JWTs stand in the issuer's, as JsonWebKey: whoever reads JWTs expects them so.
        """
        name = controller(use, host)
        known = [*self.of(use), *(self.of("jwt") if use == "certificate" else ())]
        keys = [key for key in known if key.controller == name and not key.withdrawn]
        page = _page(
            {
                "@context": [
                    "https://www.w3.org/ns/did/v1",
                    "https://w3id.org/security/multikey/v1",
                    *(["https://w3id.org/security/jwk/v1"] if any(key.use == "jwt" for key in keys) else []),
                ],
                "id": name,
                **({"specimen": True} if self.specimen else {}),
                "verificationMethod": [_method(key) for key in keys],
                "assertionMethod": [key.id for key in keys],
            }
        )
        read_did(page)
        return page


def log_origin(host: str) -> str:
    return f"{host}/log"


def _method(key: KnownKey) -> dict[str, Any]:
    method = {
        "id": key.id,
        "type": "Multikey" if key.use != "jwt" else "JsonWebKey",
        "controller": key.controller,
        **({"publicKeyMultibase": key.public} if key.use != "jwt" else {"publicKeyJwk": _jwk(key)}),
        "expires": _instant(key.until),
    }
    return {name: value for name, value in method.items() if value is not None}


def _jwk(key: KnownKey) -> dict[str, str]:
    x, y = (urlsafe_b64encode(number).rstrip(b"=").decode() for number in point(read_point(key.public)))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _page(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
