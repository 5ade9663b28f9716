"""What fixtures and random runs stand on: the template, its address, a key, a clock that is moved,
waiting for what will be so, what is lacking."""

import os
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

import pytest

TEMPLATE = "registry_template"
MASTER_KEY = bytes(range(32))
PATIENCE = 60.0
"""Seconds that a test waits for what comes soon: only what never comes takes so long, on however busy a machine."""
HANGS = 30.0
"""Seconds after which nothing was given up in time. How soon it is, the faults in full and the benchmarks say."""


def address(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


class MovingClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    @property
    def today(self) -> date:
        return self.now.date()

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)

    def set(self, now: datetime) -> None:
        self.now = now


def wait_for(so: Callable[[], object], what: str, *, seconds: float = PATIENCE) -> float:
    """How long it took until it was so."""
    begun = time.monotonic()
    while not so():
        assert time.monotonic() - begun < seconds, f"after {seconds:.0f} s still not: {what}"
        time.sleep(0.01)
    return time.monotonic() - begun


def lacking(what: str) -> NoReturn:
    """Outside CI a test without a part is skipped and says so; in CI it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
