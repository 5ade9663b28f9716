"""A server of the asked version for these tests alone, a seed that is printed, and a line of figures for the report."""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from grounds import TEMPLATE
from grounds import address as address_of
from psycopg.sql import SQL, Identifier

sys.path.insert(0, str(Path(__file__).parent))

from faces import address, client, desk, life, registry, views
from history import History
from postgres import FULL, VERSION, PostgreSQL
from proxy import proxy

from domain.access import OPERATOR
from registry import database
from registry.certificates.keys import announce
from registry.commands import Act
from registry.opening import open_keys, open_registry
from registry.settings import Settings

__all__ = ["address", "client", "desk", "life", "proxy", "registry", "views"]

DRAWN = pytest.StashKey[int]()
WHEN_CALLED = pytest.StashKey[pytest.TestReport]()


@pytest.fixture(scope="session")
def sized() -> Callable[..., Any]:
    """`sized(2, 20)`: 2 in the sample that runs with every change, 20 when all of it is asked for."""
    return lambda sample, full: full if FULL else sample


@pytest.fixture
def folders() -> Iterator[Callable[[], Path]]:
    """Makes short folders that the server's user can reach; what runs in them is ended with the test."""
    made: list[tempfile.TemporaryDirectory] = []

    def make() -> Path:
        made.append(tempfile.TemporaryDirectory(prefix="registry-faults-", ignore_cleanup_errors=True))
        Path(made[-1].name).chmod(0o755)
        return Path(made[-1].name)

    yield make
    for folder in made:
        for data in Path(folder.name).glob("**/postmaster.pid"):
            PostgreSQL(data.parents[1]).end()
        folder.cleanup()


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgreSQL]:
    """The server that these tests kill: theirs alone, with everything on that keeps what was acknowledged."""
    with tempfile.TemporaryDirectory(prefix="registry-faults-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = PostgreSQL(folder).initialise().start()
        try:
            yield made
        finally:
            made.end()


@pytest.fixture(scope="session")
def server(cluster) -> str:
    """As the other tests' `server`, on `cluster`: so every fixture that makes a database makes it there."""
    return prepared(cluster)


def prepared(made: PostgreSQL) -> str:
    with made.connect() as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(TEMPLATE)))
    database.migrate(Settings(home=made.folder, database_url=address_of(made.address(), TEMPLATE)))
    return made.address()


@pytest.fixture
def seed(request) -> int:
    """Drawn anew each time; REGISTRY_TEST_SEED repeats a run."""
    drawn = int(os.environ.get("REGISTRY_TEST_SEED") or random.SystemRandom().randrange(10**9))
    print(f"REGISTRY_TEST_SEED={drawn}")
    request.node.stash[DRAWN] = drawn
    return drawn


@pytest.fixture
def chance(seed) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def answers(tmp_path) -> History:
    return History(tmp_path / "history.jsonl")


@pytest.fixture
def opened(clock):
    """A registry with keys and associations, in a new database at that address."""
    made = []

    def open_(settings):
        database.migrate(settings)
        keys = open_keys(settings)
        keys.init(settings.public_host, clock().replace(year=2020), specimen=True)
        house = open_registry(settings, clock=clock)
        made.append(house)
        announce(house.store, keys, on=clock.today, by="operator")
        house.admit_all(Act(OPERATOR))
        return house

    yield open_
    for house in made:
        house.store.close()
        house.store.vault.close()


@pytest.fixture(autouse=True)
def figures(request) -> Iterator[dict[str, Any]]:
    """What a test of a row found, for docs/faults.md: written if REGISTRY_TEST_FAULTS_REPORT names a file."""
    found: dict[str, Any] = {}
    begun = time.monotonic()
    yield found
    report = os.environ.get("REGISTRY_TEST_FAULTS_REPORT")
    outcome = request.node.stash.get(WHEN_CALLED, None)
    name = request.node.name
    if not (report and outcome and name.startswith("test_fault_r")):
        return
    line = {
        "row": f"R{int(name.split('_')[2][1:])}", "test": name, "outcome": outcome.outcome, "postgresql": VERSION,
        "seconds": round(time.monotonic() - begun, 1), "full": FULL, "figures": found,
    }  # fmt: skip
    if outcome.skipped:
        line["why"] = outcome.longrepr[2].removeprefix("Skipped: ")
    if DRAWN in request.node.stash:
        line["seed"] = request.node.stash[DRAWN]
    with Path(report).open("a") as file:
        file.write(json.dumps(line) + "\n")


def pytest_collection_modifyitems(config, items):
    """What belongs to the whole alone is no part of the sample: it is left out there, not skipped."""
    left_out = [item for item in items if not FULL and item.get_closest_marker("whole")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call" or outcome.get_result().skipped:
        item.stash[WHEN_CALLED] = outcome.get_result()
