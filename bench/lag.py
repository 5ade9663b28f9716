"""From the answer to a command until the views show it, while a worker follows a steady stream of appends.

`python -m bench.lag [--appends 200] [--seconds 30] [--json]`, on the embedded server in a folder of its own, with
`registry work` as its own process. What is recorded are moves of people from one place to another.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections import deque
from datetime import UTC, date, datetime
from random import Random

import psycopg

from bench.home import at_home, tell
from domain.person import Person
from registry import database
from registry.certificates.keys import KeyFolder, announce
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault, read_master_key

PEOPLE = 500
CLIENTS = 4
PLACES = ("VA", "CT", "MI")
ON = date(2026, 6, 1)


def people(store: Store) -> list[str]:
    """Some who live somewhere; their streams."""
    names = [f"p{n}" for n in range(PEOPLE)]
    for begin in range(0, PEOPLE, 100):
        store.record(
            [
                Person.Registered(
                    originator_id=f"person/{name}", originator_version=1, on=ON, by="operator", residence="VA",
                    name=f"Person {name}",
                )
                for name in names[begin : begin + 100]
            ]
        )  # fmt: skip
    return names


class Seen:
    """When the views reached which position, by asking them again and again."""

    def __init__(self, settings: Settings) -> None:
        self.waiting: deque[tuple[int, float]] = deque()
        self.lags: list[float] = []
        self.end = threading.Event()
        self._reader = psycopg.connect(database.url(settings, "reader"), autocommit=True, prepare_threshold=0)
        self._lock = threading.Lock()

    def answered(self, position: int) -> None:
        with self._lock:
            self.waiting.append((position, time.perf_counter()))

    def run(self) -> None:
        while not self.end.is_set() or self.waiting:
            (at,) = self._reader.execute("SELECT position FROM views.position").fetchone() or (0,)
            now = time.perf_counter()
            with self._lock:
                waiting, self.waiting = self.waiting, deque()
                for position, since in waiting:
                    if position <= at:
                        self.lags.append(now - since)
                    else:
                        self.waiting.append((position, since))
            time.sleep(0.002)
        self._reader.close()


def measure(settings: Settings, appends: float, seconds: float) -> dict[str, float]:
    vault = Vault(settings)
    store = Store(settings, vault)
    keys = KeyFolder(settings.keys, read_master_key(settings))
    keys.init(settings.public_host, datetime(2023, 1, 1, tzinfo=UTC), specimen=True)
    announce(store, keys, on=ON, by="operator")
    names = people(store)
    environment = os.environ | {
        "REGISTRY_HOME": str(settings.home), "REGISTRY_MASTER_KEY": b64encode(settings.master_key or b"").decode(),
    }  # fmt: skip
    with subprocess.Popen([sys.executable, "-m", "registry", "work"], env=environment, stderr=subprocess.DEVNULL) as at:
        seen = Seen(settings)
        wait_for_views(settings, store.position())
        watch = threading.Thread(target=seen.run)
        watch.start()
        begun = time.perf_counter()
        clients = [
            threading.Thread(target=append, args=(store, names[n::CLIENTS], seen, appends / CLIENTS, seconds, n))
            for n in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        took = time.perf_counter() - begun
        seen.end.set()
        watch.join()
        at.terminate()
    store.close()
    vault.close()
    lags = sorted(seen.lags)
    return {
        "appends": len(lags),
        "appends_per_second": round(len(lags) / took),
        "p50_ms": round(1000 * lags[len(lags) // 2], 1),
        "p99_ms": round(1000 * lags[int(len(lags) * 0.99)], 1),
        "most_ms": round(1000 * lags[-1], 1),
    }


def wait_for_views(settings: Settings, position: int) -> None:
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as reader:
        while True:
            try:
                if reader.execute("SELECT position FROM views.position").fetchone() >= (position,):
                    return
            except psycopg.errors.UndefinedTable:
                pass
            time.sleep(0.05)


def append(store: Store, names: list[str], seen: Seen, rate: float, seconds: float, n: int) -> None:
    """So many commands a second, at even distances, or as fast as they are answered."""
    random = Random(n)
    versions = dict.fromkeys(names, 1)
    begun = time.perf_counter()
    for i in range(int(rate * seconds)):
        time.sleep(max(0, begun + i / rate - time.perf_counter()))
        name = random.choice(names)
        versions[name] += 1
        moved = Person.ResidenceChanged(
            originator_id=f"person/{name}", originator_version=versions[name], on=ON, by="operator",
            residence=random.choice(PLACES),
        )  # fmt: skip
        seen.answered(store.record([moved]).position)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--appends", type=float, default=200, help="a second")
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    with at_home(master_key=bytes(32)) as settings:
        database.migrate(settings)
        tell(measure(settings, asked.appends, asked.seconds), asked)


if __name__ == "__main__":
    main()
