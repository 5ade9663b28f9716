"""Runs of random deeds, each on a database of its own: what `machine.py` does, on the days that `Deeds` lets go by."""

import itertools
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
from hypothesis.stateful import RuleBasedStateMachine, get_state_machine_test, precondition, rule
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
SEEDS = st.integers(0, 2**32)
_NAMES = itertools.count()


def made(server, template):
    """A database copied from another one, which nobody is connected to."""
    name = f"machine_{os.getpid()}_{next(_NAMES)}"
    with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(Identifier(name), Identifier(template))
        )
        connection.execute(SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO registry_projector").format(Identifier(name)))
    return name


def dropped(server, name):
    with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


class House:
    """A registry on one database."""

    def __init__(self, server, name, home):
        self.settings = Settings(home=home, database_url=address(server, name), master_key=MASTER_KEY)
        self.clock = MovingClock(START)
        self.vault = Vault(self.settings, clock=self.clock)
        self.store = Store(self.settings, self.vault, clock=self.clock)
        # The same ids in the same run, so that a run can be had again.
        draw = Random(name.rpartition("_")[2]).randbytes
        self.registry = Registry(self.store, clock=self.clock, draw=draw, kid=lambda: "k1")
        self.engine = Engine(self.store.mapper.load, self.vault.open_all)
        self.views = psycopg.connect(address(server, name), autocommit=True)
        self.views.execute("SET ROLE registry_projector")
        self.reader = psycopg.connect(address(server, name), autocommit=True)
        self.reader.execute("SET ROLE registry_reader")

    def history(self):
        """Every event, in order, as it is stored."""
        rows = self.reader.execute(
            "SELECT originator_id, originator_version, topic, state FROM registry.events ORDER BY notification_id"
        )
        return [self.store.mapper.load(*row) for row in rows]

    def close(self):
        self.views.close()
        self.reader.close()
        self.store.close()
        self.vault.close()


@contextmanager
def based(server, home):
    """The name of a database with what every run begins with."""
    name = made(server, TEMPLATE)
    try:
        with closing(House(server, name, home)) as house:
            settle(house.registry)
            house.engine.prepare(house.views)
        yield name
    finally:
        dropped(server, name)


class Deeds(RuleBasedStateMachine):
    """Random deeds on moving days."""

    def __init__(self, server, basis, home, done, refused):
        """`done` and `refused` count over all runs."""
        super().__init__()
        self.all = done, refused
        self.server, self.name = server, made(server, basis)
        self.house = House(server, self.name, home)
        self.machine = Machine(self.house.registry, self.house.clock)
        for event in self.house.history():
            self.machine.know(event)

    def _do(self, seed, *cases):
        # Of the step as well, so that Hypothesis's favourites (nothing but zeros) are not the same deed fifty times.
        self.machine.random.seed(f"{seed} {self.machine.recorded} {self.machine.requests}")
        self.machine.do([deed for deed in DEEDS if deed.case in cases])

    @rule(seed=SEEDS)
    def on_people(self, seed):
        self._do(seed, "people", "ratings")

    @rule(seed=SEEDS)
    def on_applications(self, seed):
        self._do(seed, "applications", "references", "ratings")

    @rule(seed=SEEDS)
    def on_exams_and_reviews(self, seed):
        self._do(seed, "exams", "quality-reviews", "audits", "applications")

    @rule(seed=SEEDS)
    def on_endorsements(self, seed):
        self._do(seed, "endorsements")

    @rule(seed=SEEDS)
    def on_transfers(self, seed):
        self._do(seed, "transfers", "people")

    @rule(seed=SEEDS)
    def on_anything(self, seed):
        self._do(seed, *{deed.case: 0 for deed in DEEDS})

    @rule(days=st.sampled_from([1, 1, 1, 8, 31, 92, 366]), night=st.booleans())
    def days_go_by(self, days, night):
        """At the end of some the nightly rules run; whoever they fail for is a defect."""
        self.house.clock.move(days=days)
        if night:
            self._night()

    @rule(which=st.integers(0, 9), after=st.booleans(), night=st.booleans())
    def a_day_comes(self, which, after, night):
        """One of the next days that somebody spoke of, or the day after it."""
        today = self.machine.today()
        ahead = sorted(day for day in self.machine.days if 0 < (day - today).days < FAR)
        if ahead:
            self.house.clock.move(days=(ahead[which % len(ahead)] - today).days + after)
        if night:
            self._night()

    def _night(self):
        self.house.engine.catch_up(self.house.views)
        for batch in nightly.go_round(self.house.registry, self.house.reader):
            assert batch.failed == []
        self.machine.follow()

    @precondition(lambda self: len(self.machine.cases["person"]) > 1)
    @rule(seed=SEEDS)
    def somebody_is_forgotten(self, seed):
        self.machine.random.seed(seed)
        self.machine.forget()
        self.house.clock.move(days=8)
        self._night()

    def teardown(self):
        for counted, more in zip(self.all, (self.machine.done, self.machine.refused), strict=True):
            counted.update(more)
        try:
            compared = self.house.engine.compare(self.house.views)
            assert compared.differences == []
            self.machine.nothing_is_lost(self.house.history())
            self._agrees()
            before = claims(self.server, self.name)
            self.house.store.rebuild_claims()
            assert claims(self.server, self.name) == before
        finally:
            self.house.close()
            dropped(self.server, self.name)

    def _agrees(self):
        """Every decision comes out again under its own rules; that of each fifth run, for it takes a while."""
        if DEEP or int(self.name.rpartition("_")[2]) % 5 == 0:
            report = reconsider(self.house.settings, self.house.vault, Asked())
            # What every run begins with was written by nobody who may.
            wrong = [one for one in report.findings if one.refusal is None or one.refusal.code != "forbidden"]
            assert [found.words() for found in wrong] == []


def claims(server, name):
    with psycopg.connect(address(server, name)) as connection:
        return connection.execute("SELECT name, stream FROM registry.claims ORDER BY name").fetchall()


def run(server, home, seeded):
    """How often each deed was done, and what was refused."""
    done, refused = Counter(), Counter()
    with based(server, home) as basis:
        runs = get_state_machine_test(
            lambda: Deeds(server, basis, home, done, refused),
            settings=settings(
                max_examples=RUNS * max(DEEP, 1),
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
                print_blob=True,
                report_multiple_bugs=False,
            ),
        )
        (runs if DEEP else seed(seeded)(runs))()
    return done, refused
