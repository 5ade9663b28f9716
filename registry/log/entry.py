"""What of an event is in the log: the preimage that names it exactly, and the 32 bytes that are published."""

from binascii import b2a_base64
from hashlib import sha256
from typing import Any, Final, TypeAlias

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

Row: TypeAlias = tuple[int, str, int, str, bytes]
"""Position, stream, version, topic, state: the columns of an event in the order of its preimage."""

COLUMNS: Final = "notification_id, originator_id, originator_version, topic, state"

# Of whole numbers and text, compact JSON as msgspec writes it is the RFC 8785 form: the tests hold it to that.
_encode: Final = msgspec.json.Encoder().encode


def preimage(position: int, stream: str, version: int, topic: str, state: bytes) -> bytes:
    """The RFC 8785 form of `[position, stream, version, topic, base64url(state)]`."""
    text = b2a_base64(state, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()
    return _encode((position, stream, version, topic, text))


def entry(preimage: bytes) -> bytes:
    return sha256(preimage).digest()


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def preimage_at(connection: Connection[Any], position: int) -> bytes | None:
    """The preimage of the event at a position, None if there is none."""
    with connection.transaction(), connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM registry.events WHERE notification_id = %s", (position,))
        row = cursor.fetchone()
    return None if row is None else preimage(*row)


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
