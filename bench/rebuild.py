"""Rebuilds and compares every view of a made-up world, beside a bare COPY of its rows and the library's own runner.

`python -m bench.rebuild [--sizes 10k,100k,1M] [--rounds 3] [--json]`, each size on an embedded server in a folder of
its own. Ratios are of seconds in turns on one machine: COPY / rebuild, compare / rebuild, rebuild / the library's
`ProjectionRunner` (events a second, on a sample, with one view of one row a stream). Memory is the peak of the
processes of a rebuild together; the server's is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL

from bench.append import library_environment
from projections.engine import Engine
from registry import database
from registry.settings import Settings
from registry.store import EventMapper
from registry.vault import Vault
from registry.world.writing import write_world

UNTIL = date(2026, 11, 1)
SAMPLE = 2_000
PEOPLE = {"10k": 600, "100k": 6_000, "1M": 60_000}
COLUMNS = "originator_id, originator_version, topic, state, notification_id"


def copied(connection: psycopg.Connection) -> float:
    """Seconds to read every event with COPY, row by row, and nothing else."""
    begun = time.perf_counter()
    with connection.cursor().copy(
        "COPY (SELECT * FROM registry.events ORDER BY notification_id) TO STDOUT (FORMAT binary)"
    ) as copy:
        copy.set_types(["text", "int8", "text", "bytea", "int8"])
        for _ in copy.rows():
            pass
    return time.perf_counter() - begun


# --- the library's own way


class Bare(Application[str]):
    """Our events with our mapper: only the recorder and the runner are the library's."""

    def construct_mapper(self) -> Mapper[str]:
        return EventMapper()


class Streams(PostgresTrackingRecorder):
    """A row a stream: how many events it has, and the last one's topic."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS streams (stream text PRIMARY KEY, events int8, topic text)")
        )

    def count(self, stream: str, topic: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO streams VALUES (%s, 1, %s)"
                " ON CONFLICT (stream) DO UPDATE SET events = streams.events + 1, topic = excluded.topic",
                [stream, topic],
            )


class StreamsProjection(Projection[Streams]):
    name = "streams"

    def process_event(self, event: Any, tracking: Tracking) -> None:
        self.view.count(event.originator_id, event.topic, tracking)


def by_the_library(settings: Settings, sample: int) -> float:
    """Events a second of the library's runner over the first events."""
    environment = library_environment(database.address(settings)) | {"ORIGINATOR_ID_TYPE": "text"}
    Bare(env=environment).close()
    with psycopg.connect(database.address(settings), autocommit=True) as connection:
        connection.execute("TRUNCATE bare_events")
        sample = connection.execute(
            f"INSERT INTO bare_events ({COLUMNS}) SELECT {COLUMNS} FROM registry.events WHERE notification_id <= %s",
            [sample],
        ).rowcount
    begun = time.perf_counter()
    with ProjectionRunner(
        application_class=Bare, projection_class=StreamsProjection, view_class=Streams, env=environment
    ) as runner:
        runner.wait(sample, timeout=600)
        return sample / (time.perf_counter() - begun)


# --- ours


def done(settings: Settings, what: str) -> dict[str, float]:
    """Rebuild or compare in a process of its own: seconds, and the peak of its and its helper's memory in MiB."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench.rebuild", "--once", what, "--home", str(settings.home)],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return json.loads(ran.stdout)


def once(settings: Settings, what: str) -> None:
    vault = Vault(settings)
    engine = Engine(EventMapper().load, vault.open_all)
    with psycopg.connect(database.url(settings, "projector"), autocommit=True) as connection:
        seconds = (engine.rebuild(connection) if what == "rebuild" else engine.compare(connection)).seconds
    vault.close()
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"seconds": seconds, "mib": sum(peaks) / 1024}))


def measure(people: int, rounds: int, home: Path) -> dict[str, Any]:
    settings = Settings(home=home)
    database.migrate(settings)
    try:
        if not settings.keys.exists():
            write_world(settings, people=people, seed=1, until=UNTIL, told=lambda *_: None)
        with psycopg.connect(database.url(settings, "projector"), autocommit=True) as connection:
            (events,) = connection.execute("SELECT count(*) FROM registry.events").fetchone()
            found: dict[str, list[float]] = {"copy": [], "rebuild": [], "compare": [], "mib": []}
            for _ in range(rounds):
                found["copy"].append(copied(connection))
                rebuilt = done(settings, "rebuild")
                found["rebuild"].append(rebuilt["seconds"])
                found["mib"].append(rebuilt["mib"])
                found["compare"].append(done(settings, "compare")["seconds"])
        library = by_the_library(settings, min(SAMPLE, events))
    finally:
        database.stop(settings)
    copy, rebuild, compare = (median(found[name]) for name in ("copy", "rebuild", "compare"))
    return {
        "events": events,
        "rebuild_seconds": round(rebuild, 3),
        "rebuild_spread": [round(min(found["rebuild"]), 3), round(max(found["rebuild"]), 3)],
        "rebuild_events_per_second": round(events / rebuild),
        "copy_seconds": round(copy, 3),
        "copy_events_per_second": round(events / copy),
        "compare_seconds": round(compare, 3),
        "library_events_per_second": round(library),
        "of_copy": round(copy / rebuild, 3),
        "compare_of_rebuild": round(compare / rebuild, 2),
        "times_the_library": round(events / rebuild / library),
        "peak_mib": round(max(found["mib"])),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", default="10k,100k", help="of 10k, 100k, 1M, or numbers of people")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--home", type=Path, help="a registry that is there already, or will stay")
    options.add_argument("--once", choices=["rebuild", "compare"], help=argparse.SUPPRESS)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    if asked.once:
        once(Settings(home=asked.home), asked.once)
        return
    sizes = {}
    for size in asked.sizes.split(","):
        print(f"bench.rebuild: {size} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="bench-rebuild-") as folder:
            Path(folder).chmod(0o755)
            people = PEOPLE.get(size) or int(size)
            sizes[size] = measure(people, asked.rounds, asked.home or Path(folder))
    if asked.json:
        print(json.dumps({"sizes": sizes}))
    for size, found in {} if asked.json else sizes.items():
        print(f"{size}: " + ", ".join(f"{name} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
