"""One made certificate for each verdict of the table, which every face is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from static_plane import CERTIFICATES, DAY, OTHERS, REVOKED, STRANGER, SUPERSEDED, SUSPENDED, WITHDRAWN, Plane

from verifier import certificate as qr


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
