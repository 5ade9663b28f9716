"""A static plane as a registry publishes it, of keys and lists signed here, and a plain file server for it."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import verifier.page
from verifier import certificate as qr
from verifier import cose, keys, proof, status
from verifier.verdict import Notice

HOST = "registry.example"
ISSUER = f"did:web:{HOST}"
LIST = f"https://{HOST}/s/1"
DAY = 86400
REVOKED, SUSPENDED, SUPERSEDED, GOOD = 777, 888, 999, 10


class Signer:
    """An Ed25519 key of the tests, the same every time."""

    def __init__(self, label: str) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label.encode()).digest())
        self.public = self.private.public_key().public_bytes_raw()
        self.kid = cose.thumbprint(self.public)

    def row(self, use: str, controller: str, withdrawn: str | None = None) -> dict[str, Any]:
        multikey = keys.multikey(self.public)
        return {
            "kid": self.kid.hex(),
            "use": use,
            "controller": controller,
            "id": f"{controller}#{self.kid.hex()}",
            "publicKeyMultibase": multikey,
            "from": "2026-01-01T00:00:00Z",
            "until": None,
            "withdrawn": withdrawn,
        }


CERTIFICATES, LISTS, LOG = Signer("page/certificates"), Signer("page/lists"), Signer("page/log")
WITHDRAWN, STRANGER, OTHERS = Signer("page/withdrawn"), Signer("page/stranger"), Signer("page/other issuer")


def keys_json(*, specimen: bool = False) -> bytes:
    return json.dumps(
        {
            "issuer": ISSUER,
            "specimen": specimen,
            "prefixes": [qr.prefix(HOST)],
            "log": {"origin": f"{HOST}/log", "vkey": proof.vkey(f"{HOST}/log", LOG.public)},
            "keys": [
                CERTIFICATES.row("certificate", ISSUER),
                WITHDRAWN.row("certificate", ISSUER, withdrawn="2026-05-01T00:00:00Z"),
                OTHERS.row("certificate", "did:web:other.example"),
                LISTS.row("status", f"{ISSUER}:status"),
            ],
        }
    ).encode()


class Plane:
    """What a registry publishes: files in a folder, which a test may change or take away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0
        self.now = int(time.time())
        self.write("keys.json", keys_json())
        self.publish_page()
        self.list({REVOKED: 1, SUSPENDED: 2, SUPERSEDED: 3})
        self.note({SUPERSEDED: Notice("transferred", "2026-11-02", "active", "CT")})

    def write(self, path: str, content: bytes) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        # A plain file server tells two versions apart by whole seconds: each is a second later than the one before.
        self.written += 1
        os.utime(place, (self.now - 10_000 + self.written,) * 2)

    def remove(self, path: str) -> None:
        (self.folder / path).unlink()

    def publish_page(self, ring: bytes | None = None) -> None:
        self.write("v1", verifier.page.page(ring))
        hasty, patient = "const POOR = 4000;", "const POOR = 60000;"  # no connection here is poor
        worker = (verifier.page.SOURCES / "worker.js").read_text("utf-8")
        assert hasty in worker
        self.write("v1-worker.js", worker.replace(hasty, patient).encode())

    def kit(self) -> bytes:
        lists = {f"/s/{name}": (self.folder / "s" / name).read_bytes() for name in ("1", "1.notes")}
        return verifier.page.kit((self.folder / "keys.json").read_bytes(), lists, self.now - 3600)

    def list(self, statuses: dict[int, int], *, uri: str = LIST, by: Signer = LISTS, age: int = 3600) -> None:
        payload = status.token_list(statuses, uri, self.now - age)
        self.write("s/1", cose.seal(payload, status.LIST_TYP, by.kid, by.private.sign))

    def note(self, notices: dict[int, Notice], *, by: Signer = LISTS) -> None:
        payload = status.notes(notices, f"{LIST}.notes", self.now - 3600)
        self.write("s/1.notes", cose.seal(payload, status.NOTES_TYP, by.kid, by.private.sign))

    def certificate(self, **changes: Any) -> qr.Certificate:
        plain = qr.Certificate(
            issuer=ISSUER,
            number="IFS-7K3MQ9TD",
            name="Marisol Fernández-Okafor, LMSW",
            category="IFS+ERS",
            association="VA",
            valid_from=self.now - 30 * DAY,
            expires_at=self.now + 300 * DAY,
            cti=bytes(range(16)),
            status_uri=LIST,
            status_index=GOOD,
            log_index=48212,
        )
        return plain._replace(**changes)

    def message(self, by: Signer = CERTIFICATES, typ: str = qr.TYP, **changes: Any) -> bytes:
        return qr.seal(self.certificate(**changes), by.kid, by.private.sign, typ)

    def text(self, by: Signer = CERTIFICATES, host: str = HOST, typ: str = qr.TYP, **changes: Any) -> str:
        return qr.text(host, self.message(by, typ, **changes))


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {"": "text/html; charset=utf-8", ".json": "application/json", ".js": "text/javascript"}
    seen: list[str]

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", verifier.page.policy())
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        self.seen.append(self.requestline)


class Served:
    """The plane behind a plain file server; `seen` has every request line."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self.seen: list[str] = []
        handler = type("Handler", (_Handler,), {"seen": self.seen})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(plane.folder)))
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
