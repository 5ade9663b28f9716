"""What a witness remembers: whose keys it trusts, and of each log the latest checkpoint it cosigned.

SQLite, for a witness runs on somebody else's machine, alone, with one row a log: a file is all it needs. Each change is
on the disk before it is answered: `synchronous=EXTRA` is FULL, and flushes the folder as well once the journal is gone.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from verifier.proof import root

_BUSY_SECONDS: Final = 5
_MOST_EVIDENCE: Final = 1000

_TABLES: Final = """
CREATE TABLE witness (name TEXT NOT NULL, vkey TEXT NOT NULL) STRICT;
CREATE TABLE trusted (origin TEXT NOT NULL, vkey TEXT NOT NULL, PRIMARY KEY (origin, vkey)) STRICT;
CREATE TABLE latest (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL CHECK (size >= 0), root BLOB NOT NULL, note TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE refused (
    origin TEXT NOT NULL, at INTEGER NOT NULL, why TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (origin, note)
) STRICT;
CREATE TRIGGER latest_never_goes_back BEFORE UPDATE ON latest
WHEN NEW.origin <> OLD.origin OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;
CREATE TRIGGER latest_stays BEFORE DELETE ON latest
BEGIN SELECT RAISE(ABORT, 'a witness never forgets a log'); END;
"""


class Seen(NamedTuple):
    """The latest checkpoint of a log that was cosigned; `note` is its whole text, `at` unix seconds."""

    size: int
    root: bytes
    note: str
    at: int


NOTHING: Final = Seen(0, root(()), "", 0)


class Log(NamedTuple):
    """One log as the witness knows it; `refused`: how many of its signed checkpoints contradicted what was seen."""

    origin: str
    vkeys: tuple[str, ...]
    seen: Seen
    refused: int


class Ledger:
    """One file; as many processes as like may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def make(self, name: str, vkey: str) -> None:
        """Raises FileExistsError."""
        self._path.touch(mode=0o600, exist_ok=False)
        with self._open() as ledger:
            ledger.executescript(f"BEGIN; {_TABLES} COMMIT;")
            ledger.execute("INSERT INTO witness VALUES (?, ?)", (name, vkey))

    def owner(self) -> tuple[str, str]:
        """Name and vkey of the witness whose ledger this is."""
        with self._open() as ledger:
            name, vkey = ledger.execute("SELECT name, vkey FROM witness").fetchone()
        return name, vkey

    def trust(self, origin: str, vkey: str) -> None:
        with self._open() as ledger:
            ledger.execute("INSERT INTO trusted VALUES (?, ?) ON CONFLICT DO NOTHING", (origin, vkey))

    def distrust(self, vkey: str) -> bool:
        """What was seen of its log stays."""
        with self._open() as ledger:
            return ledger.execute("DELETE FROM trusted WHERE vkey = ?", (vkey,)).rowcount > 0

    def vkeys(self, origin: str) -> tuple[str, ...]:
        with self._open() as ledger:
            rows = ledger.execute("SELECT vkey FROM trusted WHERE origin = ? ORDER BY vkey", (origin,)).fetchall()
        return tuple(vkey for (vkey,) in rows)

    def latest(self, origin: str) -> Seen:
        with self._open() as ledger:
            row = ledger.execute("SELECT size, root, note, at FROM latest WHERE origin = ?", (origin,)).fetchone()
        return Seen(*row) if row else NOTHING

    def note_of(self, digest: str) -> str | None:
        """The latest checkpoint of the log whose origin has this SHA-256, in hex."""
        with self._open() as ledger:
            notes = dict(ledger.execute("SELECT origin, note FROM latest").fetchall())
        return next((note for origin, note in notes.items() if sha256(origin.encode()).hexdigest() == digest), None)

    def replace(self, origin: str, old: Seen, new: Seen) -> bool:
        """Remember the new one, if the latest still has the size and root of the old one: compare and swap."""
        with self._open() as ledger:
            ledger.execute("BEGIN IMMEDIATE")
            row = ledger.execute("SELECT size, root FROM latest WHERE origin = ?", (origin,)).fetchone()
            is_the_old_one = (row or NOTHING[:2]) == old[:2]
            if is_the_old_one:
                ledger.execute(
                    "INSERT INTO latest VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE"
                    " SET size = excluded.size, root = excluded.root, note = excluded.note, at = excluded.at",
                    (origin, *new),
                )
            ledger.execute("COMMIT")
        return is_the_old_one

    def keep_refused(self, origin: str, note: str, why: str, at: int) -> None:
        """A checkpoint the log signed that contradicts what was seen may be the proof of a fork."""
        with self._open() as ledger:
            ledger.execute(
                "INSERT INTO refused SELECT ?, ?, ?, ? WHERE (SELECT count(*) FROM refused) < ? ON CONFLICT DO NOTHING",
                (origin, at, why, note, _MOST_EVIDENCE),
            )

    def refused(self, origin: str) -> list[tuple[int, str, str]]:
        """When, why, and the checkpoint."""
        with self._open() as ledger:
            return ledger.execute(
                "SELECT at, why, note FROM refused WHERE origin = ? ORDER BY at, note", (origin,)
            ).fetchall()

    def logs(self) -> list[Log]:
        with self._open() as ledger:
            origins = ledger.execute("SELECT origin FROM trusted UNION SELECT origin FROM latest ORDER BY 1").fetchall()
        return [
            Log(origin, self.vkeys(origin), self.latest(origin), len(self.refused(origin))) for (origin,) in origins
        ]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # Never made by opening it: a witness that lost its ledger must not begin anew in silence.
        where = f"{self._path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(where, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)) as ledger:
            ledger.execute("PRAGMA synchronous = EXTRA")
            yield ledger
