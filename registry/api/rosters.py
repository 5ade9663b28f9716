"""What checks rosters for the faces of one process, prints receipts, and gives everybody a turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import anyio
import anyio.to_thread

from registry import database
from registry.api.problems import Problem
from registry.certificates.keys import KeyFolder
from registry.certificates.receipt_paper import TEMPLATE, print_receipt
from registry.certificates.sheet import Sheets
from registry.commands import Registry
from registry.roster_check import Answered, Progress, RosterChecker
from registry.settings import Settings
from verifier.roster import Row

_AT_ONCE: Final = 2
_FULL: Final = 25_000
"""Rows that one address may have checked in an hour: five full rosters (ours)."""
_LEAST: Final = 50
"""What the smallest roster takes of it."""
_HOUR: Final = 3600.0
_MOST_KNOWN: Final = 10_000


class Turns:
    """How much each address, or each key, may still have checked; kept in memory alone, and refilled by the hour."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # what is left, and when it was counted

    def take(self, whose: str, rows: int) -> None:
        """Raises Problem for what is too much."""
        now, cost = self._clock(), max(rows, _LEAST)
        left, since = self._left.get(whose, (float(_FULL), now))
        left = min(float(_FULL), left + (now - since) * _FULL / _HOUR)
        if left < cost:
            seconds = int((cost - left) * _HOUR / _FULL) + 1
            raise Problem(
                "too_many",
                f"{_FULL:,} rows an hour are checked for one address. Wait {seconds // 60 + 1} minutes.",
                headers={"Retry-After": str(seconds)},
            )
        if len(self._left) > _MOST_KNOWN:
            self._left = {one: had for one, had in self._left.items() if now - had[1] < _HOUR}
        self._left[whose] = left - cost, now


class Rosters:
    """What checks rosters for the faces of one process."""

    def __init__(self, settings: Settings, registry: Registry, keys: KeyFolder) -> None:
        self.checker = RosterChecker(
            settings, registry, keys, lambda: database.connection(database.url(settings, "reader"))
        )
        self.turns = Turns()
        self._fonts = settings.home / "fonts"
        self._sheets: Sheets | None = None
        self._checking = anyio.CapacityLimiter(_AT_ONCE)
        self._printing = anyio.CapacityLimiter(1)

    async def check(self, rows: Sequence[Row], at: datetime, progress: Progress) -> Answered:
        return await anyio.to_thread.run_sync(self.checker.check, rows, at, progress, limiter=self._checking)

    async def print(self, content: bytes) -> bytes:
        """The pages of a receipt of ours. Raises Invalid for any other."""
        return await anyio.to_thread.run_sync(self._print, content, limiter=self._printing)

    def _print(self, content: bytes) -> bytes:
        checked = self.checker.read_back(content)
        self._sheets = self._sheets or Sheets(TEMPLATE, self._fonts)
        return print_receipt(self._sheets, content, checked.receipt)
