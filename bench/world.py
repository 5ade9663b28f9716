"""Writes a made-up world, and the same rows with a bare COPY: events a second, and the ratio.

`python -m bench.world [--people 3000] [--json]`, on the embedded server in a folder of its own.
"""

import argparse
import time
from datetime import date

import psycopg

from bench.home import at_home, tell
from registry import database
from registry.settings import Settings
from registry.world.writing import write_world

UNTIL = date(2026, 11, 1)
COLUMNS = "originator_id, originator_version, topic, state, notification_id"


def copied(settings: Settings) -> float:
    """Seconds to write the same rows, ready as they are, into a table with the same indexes."""
    with psycopg.connect(database.address(settings)) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY (SELECT {COLUMNS} FROM registry.events ORDER BY 5) TO STDOUT (FORMAT binary)") as copy:
            blocks = list(copy)
        cursor.execute("CREATE TABLE public.bare (LIKE registry.events INCLUDING INDEXES)")
        begun = time.perf_counter()
        with cursor.copy(f"COPY public.bare ({COLUMNS}) FROM STDIN (FORMAT binary)") as copy:
            for block in blocks:
                copy.write(block)
        connection.commit()
        return time.perf_counter() - begun


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=3000)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    with at_home() as settings:
        database.migrate(settings)
        begun = time.perf_counter()
        written = write_world(settings, people=asked.people, seed=1, until=UNTIL, told=lambda *_: None)
        seconds, copy = time.perf_counter() - begun, copied(settings)
    found = {
        "people": written.people,
        "events": written.events,
        "world_seconds": round(seconds, 3),
        "world_events_per_second": round(written.events / seconds),
        "copy_seconds": round(copy, 3),
        "copy_events_per_second": round(written.events / copy),
        "ratio": round(seconds / copy, 2),
    }
    tell(found, asked)


if __name__ == "__main__":
    main()
