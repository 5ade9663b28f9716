"""Loads and decides one deed on aggregates of 10, 100 and 500 events, without any database: milliseconds.

`python -m bench.decide [--json]`
"""

import argparse
import json
import time
from datetime import date, timedelta
from statistics import median

from domain.person import Person
from domain.portfolio import Entry, tally
from registry.store import EventMapper

ON = date(2026, 6, 1)
MAPPER = EventMapper()
SIZES = (10, 100, 500)


def portfolio(events: int) -> Person:
    """A person with so many events: trainings and months of RSC from one provider."""
    person = Person("p")
    person.register(residence="VA", name="Amy Aronson", on=ON, by="bench")
    for n in range(events - 1):
        day = ON - timedelta(days=30 + 3 * n)
        if n % 3:
            fact = Entry("training", day, day, hours=3, codes=("TF-1", "TF-2"))
        else:
            fact = Entry("rsc", day, day + timedelta(days=29), hours=4, provider="IMHM-C-0000000")
        person.add(fact, on=ON, by="bench")
    return person


def held_on(_number: str, _day: date) -> str:
    return "IMHM-C"


def measured(do, rounds: int = 30) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        do()
        times.append((time.perf_counter() - begun) * 1000)
    return median(times)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    sizes = {}
    for size in SIZES:
        person = portfolio(size)
        events, entries = person.collect_events(), list(person.entries.items())
        stored = [MAPPER.to_stored_event(event) for event in events]
        fold = measured(lambda stored=stored: Person.fold(map(MAPPER.to_domain_event, stored)))
        judge = measured(lambda entries=entries: tally(entries, held_on, changes=lambda _number: ()))
        sizes[str(size)] = {"load_ms": round(fold, 3), "judge_ms": round(judge, 3), "decide_ms": round(fold + judge, 3)}
    found = {"sizes": sizes}
    print(json.dumps(found) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
