"""Decides one deed on an aggregate of 500 events, without any database: milliseconds, folding it and deciding.

`python -m bench.decide [--json]`
"""

import argparse
import json
import time
from datetime import date, timedelta
from statistics import median

from domain.endorsement import Endorsement
from domain.person import Person
from domain.portfolio import Entry, tally

ON = date(2026, 6, 1)
EVENTS = 500


def portfolio() -> Person:
    """A person with 500 events: trainings and months of RSC from one provider."""
    person = Person("p")
    person.register(residence="VA", name="Amy Aronson", on=ON, by="bench")
    for n in range(EVENTS - 1):
        day = ON - timedelta(days=30 + 3 * n)
        if n % 3:
            fact = Entry("training", day, day, hours=3, codes=("TF-1", "TF-2"))
        else:
            fact = Entry("rsc", day, day + timedelta(days=29), hours=4, provider="IMHM-C-0000000")
        person.add(fact, on=ON, by="bench")
    return person


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
    person = portfolio()
    events = person.collect_events()
    entries = list(person.entries.items())

    def held_on(_number: str, _day: date) -> str:
        return "IMHM-C"

    found = {
        "events": len(events),
        "fold_ms": round(measured(lambda: Person.fold(events)), 3),
        "judge_ms": round(measured(lambda: tally(entries, held_on, changes=lambda _number: ())), 3),
        "standing_ms": round(measured(lambda: Endorsement("IFS-00000000").standing(ON)), 4),
    }
    found["decide_ms"] = round(found["fold_ms"] + found["judge_ms"], 3)
    print(json.dumps(found) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
