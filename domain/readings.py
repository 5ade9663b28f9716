"""Who read confidential data on a day: the rows stay outside the log, their digest is an event (design section 5)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from typing import ClassVar

from domain.aggregate import Aggregate
from domain.event import Event


class Readings(Aggregate):
    """One day, in UTC; its stream is named by it."""

    kind: ClassVar[str] = "readings"

    class Digested(Event, frozen=True):
        """`digest`: see `digest_of`; `rows`: how many there were."""

        topic: ClassVar[str] = "readings.digested"
        rows: int
        digest: str

    def digest(self, rows: Iterable[tuple[str, str, str]], *, on: date, by: str) -> None:
        """Actor, record and reason of each reading of the day that this stream is named by. Once, after its end."""
        self.refuse_unless("digested" if self.version else "open", "open")
        counted = list(rows)
        self.record(self.Digested, rows=len(counted), digest=digest_of(counted), on=on, by=by)


def digest_of(rows: Iterable[tuple[str, str, str]]) -> str:
    """SHA-256, hex, over one JSON array of actor, record and reason a line, in ascending order of the lines."""
    lines = sorted(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
