"""Histories of plain events, what someone with all rights can do to them, and how they are published."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.log.entry import COLUMNS, preimage
from verifier import cose
from verifier.keys import multikey
from verifier.proof import vkey

ORIGIN = "registry.example/log"


class LogKey:
    def __init__(self, seed=1):
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, message, /):
        return self._private.sign(message)


@dataclass
class History:
    """Events as the store would have written them; and what someone with all rights can do to them."""

    connection: psycopg.Connection[Any]
    size: int = 0
    _versions: dict[str, int] = field(default_factory=dict)

    def grow(self, count):
        rows = []
        for position in range(self.size + 1, self.size + count + 1):
            stream = f"person/{position % 7}" if position % 3 else f"endorsement/IFS-{position // 10:04d}"
            version = self._versions[stream] = self._versions.get(stream, 0) + 1
            rows.append((stream, version, "person.moved", state(position), position))
        with self.connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO registry.events ({INSERT}) VALUES (%s, %s, %s, %s, %s)", rows)
        self.size += count
        return self

    def forget_after(self, position):
        """Continue as if nothing had come after this position."""
        self.size = position
        found = self.connection.execute(
            "SELECT originator_id, max(originator_version) FROM registry.events GROUP BY 1"
        ).fetchall()
        self._versions = dict(found)

    def tamper(self, statement, *parameters):
        self.connection.execute("ALTER TABLE registry.events DISABLE TRIGGER ALL")
        self.connection.execute(statement, parameters)

    def event(self, position):
        return self.connection.execute(
            f"SELECT {COLUMNS} FROM registry.events WHERE notification_id = %s", [position]
        ).fetchone()

    def preimage(self, position):
        return preimage(*self.event(position))


INSERT = "originator_id, originator_version, topic, state, notification_id"


def state(number):
    return msgspec.json.encode(
        {"on": "2026-06-01", "by": "va-coordinator", "recorded_at": "2026-06-01T12:00:00Z", "salt": f"salt{number}"}
    )


def publish(publisher, connection, **options):
    return publisher.seal(publisher.advance(connection, **options))


def write_keys(static, key, others=(), withdrawn=None):
    """keys.json, as far as the log is concerned: its key, and others that it had before."""
    rows = [
        {
            "kid": cose.thumbprint(one.public).hex(),
            "use": "log",
            "controller": "did:web:registry.example",
            "id": "did:web:registry.example#log",
            "publicKeyMultibase": multikey(one.public),
            "from": "2026-01-01T00:00:00Z",
            "until": None,
            "withdrawn": withdrawn if one in others else None,
        }
        for one in (key, *others)
    ]
    document = {
        "issuer": "did:web:registry.example",
        "specimen": True,
        "prefixes": ["https://registry.example/v1#"],
        "log": {"origin": ORIGIN, "vkey": vkey(ORIGIN, key.public)},
        "keys": rows,
    }
    (static / "keys.json").write_bytes(msgspec.json.encode(document))
