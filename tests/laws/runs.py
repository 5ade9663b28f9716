"""Runs of random deeds, each from the same beginning: what `machine.py` does, on the days that `Deeds` lets go by."""

import gc
import os
from collections import Counter
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from random import Random

import psycopg
from basis import settle
from grounds import MASTER_KEY, TEMPLATE, MovingClock, address
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, get_state_machine_test, initialize, rule
from machine import Machine
from psycopg.sql import SQL, Identifier

from projections.engine import Engine
from registry import nightly
from registry.api.deeds import DEEDS
from registry.commands import Registry
from registry.reconsider.reconsideration import Asked, reconsider
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault

START = datetime(2027, 10, 4, 12, 0, tzinfo=UTC)
DEEP = int(os.environ.get("REGISTRY_TEST_DEEP", "0"))
"""How many times the usual number of runs, drawn anew each time; `make test-deep` says 50."""
RUNS, STEPS = 50, 50
"""Of each of the two test files, which run side by side."""
FAR = 800
_HAPPENS, _WEIGHTS = ("deed", "days", "a day", "forgotten"), (30, 8, 8, 1)
SEEDS = st.integers(0, 2**32)
AIMS = 12
"""So many steps, the first of each run, are for deeds that the file aims at: before the cases half-way grow old."""


@contextmanager
def database(server):
    """A migrated database, and the address at which it is."""
    name = f"machine_{os.getpid()}"
    with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(Identifier(name), Identifier(TEMPLATE))
        )
        connection.execute(SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO registry_projector").format(Identifier(name)))
        try:
            yield address(server, name)
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


class House:
    """A registry on one database, which begins each run anew: as it was settled."""

    def __init__(self, database, home):
        self.settings = Settings(home=home, database_url=database, master_key=MASTER_KEY)
        self.clock = MovingClock(START)
        self.vault = Vault(self.settings, clock=self.clock)
        self.store = Store(self.settings, self.vault, clock=self.clock)
        self.registry = Registry(self.store, clock=self.clock, draw=Random(0).randbytes, kid=lambda: "k1")
        self.engine = Engine(self.store.mapper.load, self._opened)
        self.views = self._connected("projector")
        # A comparison ends in a rollback, after which psycopg has every statement planned again.
        self.beside = self._connected("projector")
        self.reader = self._connected("reader")
        self.owner = self._connected()
        settle(self.registry)
        self.engine.prepare(self.views)
        self.settled = self.history()
        self.begun = 0
        self._keep()

    def _opened(self, events):
        return self.vault.open_all(events)

    def _connected(self, role=""):
        connection = psycopg.connect(self.settings.database_url, autocommit=True, prepare_threshold=0)
        connection.prepared_max = None
        if role:
            connection.execute(SQL("SET ROLE {}").format(Identifier(f"registry_{role}")))
        return connection

    def _keep(self):
        """What stands in the tables now, beside them."""
        tables = self.owner.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE tablename <> 'migrations'"
            " AND schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg_temp%'"
        ).fetchall()
        self.owner.execute("CREATE SCHEMA settled")
        again = [SQL("BEGIN")]
        for schema, table in tables:
            kept, there = Identifier("settled", f"{schema}_{table}"), Identifier(schema, table)
            self.owner.execute(SQL("CREATE TABLE {} AS TABLE {}").format(kept, there))
            again.append(SQL("DELETE FROM {}").format(there))
            again.append(SQL("INSERT INTO {} TABLE {}").format(there, kept))
        # Nobody who runs the registry can change what is recorded; to begin anew these guards must let one session by.
        self.owner.execute("ALTER TABLE registry.events ENABLE TRIGGER immutable")
        self.owner.execute("ALTER TABLE service.access ENABLE TRIGGER immutable")
        self.owner.execute("SET session_replication_role = replica")
        self._again = SQL("; ").join([*again, SQL("COMMIT")])

    def begin(self):
        """Everything is as it was settled; no key is remembered."""
        self.begun += 1
        self.owner.execute(self._again, prepare=False)
        self.clock.set(START)
        self.vault.close()
        self.vault = self.store.vault = Vault(self.settings, clock=self.clock)

    def history(self, after=0):
        """Every event after a position, in order, as it is stored."""
        rows = self.reader.execute(
            "SELECT originator_id, originator_version, topic, state FROM registry.events"
            " WHERE notification_id > %s ORDER BY notification_id",
            [after],
        )
        return [self.store.mapper.load(*row) for row in rows]

    def claims(self):
        return self.owner.execute("SELECT name, stream FROM registry.claims ORDER BY name").fetchall()

    def close(self):
        for connection in (self.views, self.beside, self.reader, self.owner):
            connection.close()
        self.store.close()
        self.vault.close()


class Deeds(RuleBasedStateMachine):
    """Random deeds on moving days. `done` and `refused` count over all runs."""

    def __init__(self, house, aims, done, refused):
        """`aims`: deeds that come first, as far as they may be done."""
        super().__init__()
        self.house, self.aims, self.all = house, aims, (done, refused)
        self.steps = 0
        house.begin()
        self.machine = Machine(house.registry, house.clock, house.history)
        for event in house.settled:
            self.machine.know(event)

    @initialize(seed=SEEDS)
    def a_run_begins(self, seed):
        """The ids of a run are its own, so that it can be had again; none is of what was there before."""
        self.house.registry.draw = Random(f"a run of {seed}").randbytes
        self.machine.aims = self.aims

    @rule(seed=SEEDS)
    def something_happens(self, seed):
        """What, is drawn here: Hypothesis repeats its rules, and leaves some out for many runs on end."""
        self.steps += 1
        random = self.machine.random
        # Of the step as well, so that the same seed again is something else.
        random.seed(f"{seed} {self.steps} {self.machine.recorded}")
        if self.steps <= AIMS:
            self.machine.do(self.machine.aimed_at() or DEEDS)
            return
        match random.choices(_HAPPENS, _WEIGHTS):
            case ["deed"]:
                self.machine.do(DEEDS)
            case ["days"]:
                self.house.clock.move(days=random.choice([1, 1, 1, 8, 31, 92, 366]))
                self._perhaps_night()
            case ["a day"]:
                self._a_day_comes()
                self._perhaps_night()
            case ["forgotten"]:
                self.machine.forget()
                self.house.clock.move(days=8)
                self._night()

    def _a_day_comes(self):
        """One of the next days that somebody spoke of, or the day after it."""
        today = self.machine.today()
        ahead = sorted(day for day in self.machine.days if 0 < (day - today).days < FAR)
        if ahead:
            day = self.machine.random.choice(ahead[:10])
            self.house.clock.move(days=(day - today).days + self.machine.random.randint(0, 1))

    def _perhaps_night(self):
        if self.machine.rarely(2):
            self._night()

    def _night(self):
        """The nightly rules run; whoever they fail for is a defect."""
        self.house.engine.catch_up(self.house.views)
        for batch in nightly.go_round(self.house.registry, self.house.reader):
            assert batch.failed == []
        self.machine.follow()

    def teardown(self):
        for counted, more in zip(self.all, (self.machine.done, self.machine.refused), strict=True):
            counted.update(more)
        compared = self.house.engine.compare(self.house.beside)
        assert compared.differences == []
        self.machine.nothing_is_lost(self.house.history())
        self._agrees()
        before = self.house.claims()
        self.house.store.rebuild_claims()
        assert self.house.claims() == before

    def _agrees(self):
        """Every decision comes out again under its own rules; that of each fifth run, for it takes a while."""
        if self.house.begun % 5 == 0:
            report = reconsider(self.house.settings, self.house.vault, Asked())
            # What every run begins with was written by nobody who may.
            wrong = [one for one in report.findings if one.position > len(self.house.settled)]
            assert not wrong, [found.words() for found in wrong]


def run(server, home, seeded, aims):
    """How often each deed was done, and what was refused."""
    done, refused = Counter(), Counter()
    with database(server) as own, closing(House(own, home)) as house:
        runs = get_state_machine_test(
            lambda: Deeds(house, aims, done, refused),
            settings=settings(
                max_examples=RUNS * max(DEEP, 1),
                stateful_step_count=STEPS,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
                print_blob=True,
                report_multiple_bugs=False,
            ),
        )
        # What is there by now stays; the search for cycles would go through it again and again.
        gc.freeze()
        (runs if DEEP else seed(seeded)(runs))()
        gc.unfreeze()
    return done, refused
