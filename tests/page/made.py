"""One made certificate, and one badge in its forms, for each verdict of the table, which every face is asked about."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image
from static_plane import (
    CERTIFICATES,
    DAY,
    ISSUER,
    OTHERS,
    REVOKED,
    STRANGER,
    SUPERSEDED,
    SUSPENDED,
    WITHDRAWN,
    Plane,
    Signer,
    keys_json,
)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "verifier"))

from papers import badge, badge_jwt, bits, compressed, document, p256

from registry.certificates.badge import bake_png, bake_svg
from verifier import certificate as qr
from verifier import cose, keys


def forged(plane: Plane) -> str:
    """Another name under the signature of the first."""
    return qr.text("registry.example", plane.message().replace(b"Marisol", b"Marisel"))


MADE: Final[dict[str, Callable[[Plane], str]]] = {
    "malformed": lambda _: "https://registry.example/v1#123",
    "wrong_domain": lambda plane: plane.text(host="reg1stry.example"),
    "cannot_check": lambda plane: plane.text(),  # the face lacks what it needs
    "unknown_key": lambda plane: plane.text(by=STRANGER),
    "tampered": forged,
    "issuer_mismatch": lambda plane: plane.text(by=OTHERS),
    "key_revoked": lambda plane: plane.text(by=WITHDRAWN),
    "not_yet_valid": lambda plane: plane.text(valid_from=plane.now + DAY),
    "revoked": lambda plane: plane.text(status_index=REVOKED),
    "suspended": lambda plane: plane.text(status_index=SUSPENDED),
    "superseded": lambda plane: plane.text(status_index=SUPERSEDED),
    "expired": lambda plane: plane.text(expires_at=plane.now - DAY),
    "status_unknown": lambda plane: plane.text(status_uri="https://registry.example/s/2"),
    "not_an_endorsement": lambda plane: plane.text(CERTIFICATES, typ=qr.LETTER_TYP),
    "valid": lambda plane: plane.text(),
}


# --- badges ---


class Badge(NamedTuple):
    """One badge, as JSON with two proofs and as JWT, in no picture and baked into two that show no code."""

    json: bytes
    jwt: bytes
    png: bytes
    svg: bytes


class Pair(NamedTuple):
    """The key that signs JSON, and the one that signs JWTs."""

    signer: Signer
    owner: str

    @property
    def jwt(self) -> Any:
        return p256(self.signer.kid.hex())

    def named(self) -> str:
        return f"{self.owner}#{self.signer.kid.hex()}"

    def jwt_row(self, withdrawn: str | None = None) -> dict[str, Any]:
        kid = cose.point_thumbprint(*keys.point(compressed(self.jwt))).hex()
        row = {"kid": kid, "use": "jwt", "controller": self.owner, "id": f"{self.owner}#{kid}"}
        return row | {"publicKeyMultibase": keys.multikey(compressed(self.jwt)), "withdrawn": withdrawn}


OURS, GONE, UNKNOWN = Pair(CERTIFICATES, ISSUER), Pair(WITHDRAWN, ISSUER), Pair(STRANGER, ISSUER)
FOREIGN: Final = Pair(OTHERS, "did:web:other.example")
DRAWN: Final = b'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"><path d="M0 0"/></svg>'
POINTS: Final = io.BytesIO()
Image.new("L", (60, 60), 255).save(POINTS, "PNG")


def published_for_badges(plane: Plane) -> None:
    """The keys of JWTs, and the list of revoked badges."""
    page = json.loads(keys_json())
    page["keys"] += [OURS.jwt_row(), GONE.jwt_row("2026-05-01T00:00:00Z"), FOREIGN.jwt_row()]
    plane.write("keys.json", json.dumps(page).encode())
    listed = bits((REVOKED, SUPERSEDED), by=CERTIFICATES.private, key=OURS.named(), iat=plane.now - 3600)
    plane.write("status/revocation/1", listed)


def forms(as_json: bytes, as_jwt: bytes) -> Badge:
    return Badge(as_json, as_jwt, bake_png(POINTS.getvalue(), as_json), bake_svg(DRAWN, as_json))


def made_badge(plane: Plane, by: Pair = OURS, *, with_: dict[str, Any] | None = None, **changes: Any) -> Badge:
    whole = document(plane.certificate(**changes)) | (with_ or {})
    row = by.jwt_row()
    return forms(
        badge(whole, by=by.signer.private, key=by.named()),
        badge_jwt(whole, by=by.jwt, key=row["id"]),
    )


def forged_badge(plane: Plane) -> Badge:
    """Another name under the signatures of the first."""
    first, other = made_badge(plane), made_badge(plane, name="Marisel Fernández-Okafor, LMSW")
    parts = [*other.jwt.split(b".")[:2], first.jwt.split(b".")[2]]
    return forms(first.json.replace(b"Marisol", b"Marisel"), b".".join(parts))


def listed_elsewhere(plane: Plane) -> Badge:
    status = document(plane.certificate())["credentialStatus"]
    return made_badge(
        plane, with_={"credentialStatus": json.loads(json.dumps(status).replace("revocation/1", "revocation/2"))}
    )


# No letter is a badge, so there is none for `not_an_endorsement`.
BADGES: Final[dict[str, Callable[[Plane], Badge]]] = {
    "malformed": lambda _: forms(b'{"@context": []}', b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln"),
    "wrong_domain": lambda plane: made_badge(plane, issuer="did:web:reg1stry.example"),
    "cannot_check": made_badge,  # the face lacks what it needs
    "unknown_key": lambda plane: made_badge(plane, UNKNOWN),
    "tampered": forged_badge,
    "issuer_mismatch": lambda plane: made_badge(plane, FOREIGN),
    "key_revoked": lambda plane: made_badge(plane, GONE),
    "not_yet_valid": lambda plane: made_badge(plane, valid_from=plane.now + DAY),
    "revoked": lambda plane: made_badge(plane, status_index=REVOKED),
    "suspended": lambda plane: made_badge(plane, status_index=SUSPENDED),
    "superseded": lambda plane: made_badge(plane, status_index=SUPERSEDED),
    "expired": lambda plane: made_badge(plane, expires_at=plane.now - DAY),
    "status_unknown": listed_elsewhere,
    "valid": made_badge,
}
