"""Questions about the past beside the same about the present, in turns, at several sizes of a made-up world.

`python -m bench.asof [--sizes 10k,100k,1M] [--rounds 5] [--json]`: asked as the API asks them, without HTTP, of
numbers, names and associations drawn by a seed; `known` half-way through the history. The ratio is the greatest of
the questions of standing and register; a queue of then is folded from the events of its cases and stands beside.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import psycopg

from bench.rebuild import PEOPLE, UNTIL
from domain.access import OPERATOR
from projections import standing
from projections.engine import Engine
from registry import database
from registry.api import cases, views
from registry.api.house import House
from registry.api.past import NOW, When
from registry.api.problems import Problem
from registry.api.standings import endorsement_then
from registry.commands import Registry
from registry.settings import Settings
from registry.store import EventMapper, Store
from registry.vault import Vault
from registry.world.writing import write_world

CLOCK = datetime(UNTIL.year, UNTIL.month, UNTIL.day, 12, tzinfo=UTC)
ASKED = 60
QUEUES = 6

Ask = Callable[[When], Awaitable[object]]


def questions(house: House, numbers: list[str], codes: list[str], names: list[str]) -> dict[str, list[Ask]]:
    def of_number(number: str) -> Ask:
        return lambda when: views.public_endorsement(house, number, when)

    def case(number: str) -> Ask:
        async def ask(when: When) -> object:
            found = await cases.endorsement(house, OPERATOR, number, known=when.known)
            return endorsement_then(house, found.state, found.rows, when)

        return ask

    def search(name: str) -> Ask:
        return lambda when: views.register(house, {"name": name}, 20, "", when)

    def held(code: str) -> Ask:
        async def ask(when: When) -> object:
            on = when.today(house, code)
            return await house.readers.rows(*standing.held_at(code, on=on, known=when.known, limit=51))

        return ask

    def queue(code: str) -> Ask:
        return lambda when: views.queue(house, code, when)

    return {
        "public endorsement": [of_number(number) for number in numbers],
        "endorsement case": [case(number) for number in numbers],
        "register by name": [search(name) for name in names],
        "held by an association": [held(code) for code in codes],
        "queue": [queue(code) for code in codes[:QUEUES]],
    }


async def asked(asks: list[Ask], when: When) -> float:
    """Milliseconds of one, on average."""
    begun = time.perf_counter()
    for ask in asks:
        await ask(when)
    return (time.perf_counter() - begun) / len(asks) * 1000


async def measured(settings: Settings, vault: Vault, rounds: int) -> dict[str, Any]:
    store = Store(settings, vault, clock=lambda: CLOCK)
    house = House.of(settings, Registry(store, clock=lambda: CLOCK, draw=os.urandom, kid=lambda: ""), lambda: CLOCK)
    random, last = Random(7), store.position()
    try:
        held = await house.readers.rows("SELECT number FROM views.endorsements ORDER BY number")
        people = await house.readers.rows("SELECT folded FROM views.people WHERE listed AND folded IS NOT NULL")
        known = last // 2
        rows = await house.readers.rows("SELECT DISTINCT number FROM views.standing WHERE known_from <= %s", [known])
        numbers = random.sample(sorted({row["number"] for row in rows} & {row["number"] for row in held}), ASKED)
        names = [row["folded"] for row in random.sample(sorted(people, key=lambda row: row["folded"]), ASKED)]
        sizes = await house.readers.rows("SELECT custodian FROM views.standing GROUP BY 1 ORDER BY count(*) DESC, 1")
        codes = [row["custodian"] for row in sizes][:20]
        then = When(known, await house.recorded_at(known))
        asks = questions(house, numbers, codes, names)
        found: dict[str, dict[str, list[float]]] = {name: {"now": [], "then": []} for name in asks}
        too_much = ""
        for _ in range(rounds + 1):  # the first warms up
            for name, several in asks.items():
                found[name]["now"].append(await asked(several, NOW))
                try:
                    found[name]["then"].append(await asked(several, then))
                except Problem as refused:
                    too_much = refused.detail
                    found[name]["then"].append(float("nan"))
    finally:
        await house.close()
        store.close()
    shown = {
        name: {side: round(median(times[1:]), 2) for side, times in sides.items()} for name, sides in found.items()
    }
    ratios = {name: median(a / b for a, b in zip(sides["then"][1:], sides["now"][1:], strict=True))
              for name, sides in found.items()}  # fmt: skip
    return {
        "events": last,
        "milliseconds": shown,
        "ratios": {name: round(ratio, 2) for name, ratio in ratios.items()},
        "ratio": round(max(ratio for name, ratio in ratios.items() if name != "queue"), 2),
        **({"refused": too_much} if too_much else {}),
    }


def measure(people: int, rounds: int, home: Path, *, stays: bool) -> dict[str, Any]:
    settings = Settings(home=home)
    database.migrate(settings)
    try:
        if not settings.keys.exists():
            write_world(settings, people=people, seed=1, until=UNTIL, told=lambda *_: None)
        vault = Vault(settings)
        with psycopg.connect(database.url(settings, "projector"), autocommit=True) as connection:
            engine = Engine(EventMapper().load, vault.open_all)
            engine.prepare(connection)
            engine.catch_up(connection)
            connection.execute("ANALYZE")
        with closing(vault):
            return asyncio.run(measured(settings, vault, rounds))
    finally:
        if not stays:
            database.stop(settings)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", default="10k,100k", help="of 10k, 100k, 1M, or numbers of people")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--home", type=Path, help="a registry that is there already, or will stay")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    sizes = {}
    for size in given.sizes.split(","):
        print(f"bench.asof: {size} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="bench-asof-") as folder:
            Path(folder).chmod(0o755)
            people, home = PEOPLE.get(size) or int(size), given.home or Path(folder)
            sizes[size] = measure(people, given.rounds, home, stays=given.home is not None)
    if given.json:
        print(json.dumps({"sizes": sizes}))
    for size, found in {} if given.json else sizes.items():
        print(f"{size}: " + ", ".join(f"{name} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
