"""Takes and checks a bundle of the largest association's years in a made-up world, and one of a single case.

`python -m bench.bundle [--people 3000] [--json]`, on the embedded server in a folder of its own. Checking is measured
in this process, and once in one of its own for its peak memory.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from statistics import median

import psycopg

from bench.home import at_home, tell
from domain.access import OPERATOR
from projections.engine import Engine
from registry import bundle, database
from registry.log.published import Published
from registry.opening import open_keys, open_plane, open_registry
from registry.settings import Settings
from registry.world.writing import write_world
from verifier.bundle import Pins, check
from verifier.proof import check_proof, read_proof

UNTIL = date(2026, 11, 1)
_LARGEST = "SELECT custodian FROM views.standing GROUP BY custodian ORDER BY count(*) DESC LIMIT 1"
_A_NUMBER = "SELECT number FROM views.standing WHERE custodian = %s ORDER BY number LIMIT 1"
_PEAK = """
import resource, sys
from pathlib import Path
from verifier.bundle import check
check(Path(sys.argv[1]).read_bytes())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


def published(settings: Settings, people: int) -> int:
    """A world in a published log, with its views; its events."""
    database.migrate(settings)
    written = write_world(settings, people=people, seed=1, until=UNTIL, told=lambda *_: None)
    keys, registry = open_keys(settings), open_registry(settings)
    with psycopg.connect(database.url(settings, "projector"), autocommit=True) as connection:
        Engine(registry.store.mapper.load, registry.store.vault.open_all).rebuild(connection)
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as connection:
        open_plane(settings, keys).publish(connection, datetime.now(UTC))
    registry.store.close()
    return written.events


def taken(settings: Settings) -> tuple[dict[str, bundle.Bundle], float]:
    registry = open_registry(settings)
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as connection:
        ((largest,),) = connection.execute(_LARGEST).fetchall()
        ((number,),) = connection.execute(_A_NUMBER, [largest]).fetchall()
        years = bundle.Asked(association=largest, first=date(2019, 1, 1), last=UNTIL)
        made, seconds = {}, 0.0
        for name, asked in (("case", bundle.Asked(number=number)), ("years", years)):
            begun = time.perf_counter()
            made[name] = bundle.take(
                registry, open_keys(settings), Published.of(settings.static), connection, OPERATOR, asked
            )
            seconds = time.perf_counter() - begun
    registry.store.close()
    return made, seconds


def proofs(settings: Settings, events: int, times: int = 200) -> dict[str, float]:
    """Milliseconds to make and to check the proof of one event, at positions all over the log."""
    published = Published.of(settings.static)
    making, checking = [], []
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as connection:
        for n in range(times):
            begun = time.perf_counter()
            proof = published.prove_position(connection, 1 + n * (events - 1) // (times - 1))
            making.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            check_proof(read_proof(proof), published.vkeys)
            checking.append(time.perf_counter() - begun)
    return {"proof_make_ms": round(median(making) * 1000, 3), "proof_check_ms": round(median(checking) * 1000, 3)}


def measured(content: bytes, pins: Pins, rounds: int, clock: Callable[[], float] = time.perf_counter) -> float:
    times = []
    for _ in range(rounds):
        begun = clock()
        check(content, pins)
        times.append(clock() - begun)
    return median(times)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=3000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    with at_home() as settings:
        events = published(settings, asked.people)
        made, taking = taken(settings)
        proved = proofs(settings, events)
        pins = Pins(logs=Published.of(settings.static).vkeys)
        database.stop(settings)  # it takes no time from what follows
        years, case = made["years"], made["case"]
        seconds = measured(years.content, pins, asked.rounds)
        at_work = measured(years.content, pins, asked.rounds, time.process_time)
        file = settings.home / "years.json"
        file.write_bytes(years.content)
        peak = subprocess.run([sys.executable, "-c", _PEAK, file], capture_output=True, text=True, check=True)
    found = {
        "log_events": events,
        "events": years.events,
        "bytes": len(years.content),
        "take_seconds": round(taking, 3),
        "check_seconds": round(seconds, 3),
        "check_events_per_second": round(years.events / seconds),
        "check_events_per_processor_second": round(years.events / at_work),
        "check_peak_mib": int(peak.stdout),
        **proved,
        "case_events": case.events,
        "case_bytes": len(case.content),
        "case_check_ms": round(measured(case.content, pins, 21) * 1000, 2),
    }
    tell(found, asked)


if __name__ == "__main__":
    main()
