"""Appends a second through our store and through the bare library, side by side on one server.

Both record the same small event of a new stream per command. `ours` is `Store.save`: stamps, salt, seal,
claim of the request, one call of `registry.append`. `library` is `Application.save` with the library's default
mapper and PostgreSQL recorder; `library recorder` hands ready bytes to its recorder.
"""

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate as LibraryAggregate
from eventsourcing.persistence import StoredEvent

from domain.aggregate import Aggregate
from domain.event import Event, Identity, Request
from registry import database
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault

ON = date(2026, 6, 1)


class Noted(Event, frozen=True, kw_only=True):
    topic = "bench.noted"
    category: str
    through: date


class Named(Event, frozen=True, kw_only=True):
    topic = "bench.named"
    person: str
    name: Identity


class Case(Aggregate):
    kind = "case"


class LibraryCase(LibraryAggregate):
    def __init__(self, by: str, on: str, category: str, through: str):
        self.by, self.on, self.category, self.through = by, on, category, through


def library_environment(address: str) -> dict[str, str]:
    parts = urlsplit(address)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.strip("/"),
        "POSTGRES_HOST": dict(parse_qsl(parts.query)).get("host", parts.hostname or ""),
        "POSTGRES_PORT": str(parts.port or 5432),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": parts.password or "none",
        "POSTGRES_POOL_SIZE": "10",
    }


def library(address: str) -> Application[uuid.UUID]:
    return Application(env=library_environment(address))


def rate(do, threads: int, seconds: float) -> float:
    """Calls a second."""
    done = [0] * threads
    end = time.perf_counter() + seconds

    def loop(n: int) -> None:
        while time.perf_counter() < end:
            do()
            done[n] += 1

    start = time.perf_counter()
    workers = [threading.Thread(target=loop, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done) / (time.perf_counter() - start)


def ours(store: Store):
    def save() -> None:
        case = Case(uuid.uuid4().hex)
        case.record(Noted, on=ON, by="amy", category="IFS", through=ON)
        store.save(case, request=Request(key=uuid.uuid4().hex, body="b" * 43))

    return save


def ours_sealed(store: Store):
    def save() -> None:
        case = Case(uuid.uuid4().hex)
        case.record(Named, on=ON, by="amy", person=f"{uuid.uuid4().int % 200}", name="Amy Aronson")
        store.save(case, request=Request(key=uuid.uuid4().hex, body="b" * 43))

    return save


BULK = 1000


def bulk(store: Store):
    """One command of many events, of many streams, as a roster's import makes them."""

    def save() -> None:
        cases = [Case(uuid.uuid4().hex) for _ in range(BULK // 4)]
        for case in cases:
            for _ in range(4):
                case.record(Noted, on=ON, by="amy", category="IFS", through=ON)
        store.save(*cases)

    return save


def bare(app: Application[uuid.UUID]):
    return lambda: app.save(LibraryCase("amy", "2026-06-01", "IFS", "2026-06-01"))


def bare_recorder(app: Application[uuid.UUID]):
    state = b"x" * 150
    return lambda: app.recorder.insert_events([StoredEvent(uuid.uuid4(), 1, "bench.noted", state)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        Path(folder).chmod(0o755)
        settings = Settings(home=Path(folder), master_key=bytes(32))
        database.migrate(settings)
        clock = lambda: datetime.now(UTC)  # noqa: E731
        vault = Vault(settings, random=os.urandom, clock=clock)
        store = Store(settings, vault, random=os.urandom, clock=clock)
        app = library(database.address(settings))
        sides = {
            "ours": ours(store),
            "ours, one sealed field": ours_sealed(store),
            "library": bare(app),
            "library recorder": bare_recorder(app),
        }
        results: dict[str, dict[str, float]] = {}
        for threads in (1, 8):
            rates: dict[str, list[float]] = {name: [] for name in sides}
            for _ in range(options.rounds):
                for name, do in sides.items():
                    do()
                    rates[name].append(rate(do, threads, options.seconds))
            results[str(threads)] = {name: round(statistics.median(found)) for name, found in rates.items()}
        many = bulk(store)
        many()
        bulks = [rate(many, 1, options.seconds) * BULK for _ in range(options.rounds)]
        results["bulk"] = {"ours, events": round(statistics.median(bulks))}
        app.close()
        store.close()
        vault.close()
        database.stop(settings)
    if options.json:
        print(json.dumps(results))
    else:
        for threads, found in results.items():
            print(
                f"{threads if threads == 'bulk' else f'{threads} thread(s)'}:",
                ", ".join(f"{name} {value:,.0f}/s" for name, value in found.items()),
            )


if __name__ == "__main__":
    main()
