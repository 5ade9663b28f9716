"""What every test may ask for: a migrated database of its own, the store and the vault on it, a clock that moves.

One PostgreSQL per test run, shared by the workers of pytest-xdist, in a folder named for the run: in memory where
there is room, as nearly every test makes a database, else under the temporary root. It is stopped and removed at the
end; what a killed run left is removed by the next one.
Another server is used when REGISTRY_TEST_DATABASE_URL names one (as superuser): 15 and 18 are supported.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TextIO

import psycopg
import pytest
from grounds import MASTER_KEY, PATIENCE, TEMPLATE, MovingClock, address, lacking
from hypothesis import settings as hypotheses
from playwright.sync_api import Browser, expect, sync_playwright
from psycopg.sql import SQL, Identifier

from domain.event import Event
from registry import database as databases
from registry.settings import Role, Settings
from registry.store import Recorded, Store
from registry.vault import Vault

ROOT = Path(__file__).parents[1]
RUN = "REGISTRY_TEST_RUN"
MEMORY = Path("/dev/shm")
ENOUGH = 8 * 2**30
HELD = pytest.StashKey[TextIO]()


hypotheses.register_profile("unhurried", hypotheses.default, deadline=None)  # a busy machine is no failure
hypotheses.load_profile("unhurried")
expect.set_options(timeout=1000 * PATIENCE)


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return
    if not (ROOT / "registry/certificates/assets/credentials-v2.json").is_file():
        # A tree that was set up before badges were: take what `make setup` takes.
        subprocess.run([sys.executable, str(ROOT / "tools/badges.py")], check=True)
    for left in [left for root in (MEMORY, Path(tempfile.gettempdir())) for left in root.glob("registry-tests-*")]:
        with suppress(OSError), _hold(left):
            _remove(left)
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    run = Path(tempfile.mkdtemp(prefix="registry-tests-", dir=MEMORY if roomy else None))
    run.chmod(0o755)
    config.stash[HELD] = _hold(run)
    os.environ[RUN] = str(run)


def pytest_unconfigure(config):
    if HELD in config.stash:
        _remove(Path(os.environ[RUN]))
        config.stash[HELD].close()


def _hold(run: Path) -> TextIO:
    """Holds the run's folder while this process lives; fails while another one does."""
    file = (run / "alive").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _remove(run: Path) -> None:
    databases.stop(Settings(home=run))
    shutil.rmtree(run, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> str:
    """The address, as superuser, of this run's PostgreSQL, with a migrated database to copy from."""
    run = Path(os.environ[RUN])
    with (run / "template").open("a+") as ready:
        fcntl.flock(ready, fcntl.LOCK_EX)
        server = os.environ.get("REGISTRY_TEST_DATABASE_URL") or databases.address(embedded(run))
        ready.seek(0)
        if not ready.read():
            template = address(server, TEMPLATE)
            with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
                connection.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(TEMPLATE)))
                connection.execute(SQL("CREATE DATABASE {}").format(Identifier(TEMPLATE)))
            databases.migrate(Settings(home=run, database_url=template))
            ready.write("migrated")
    return server


def embedded(run: Path) -> Settings:
    settings = Settings(home=run)
    databases.start(settings, lasting=False)
    return settings


@pytest.fixture
def new_database(server) -> Iterator[Callable[..., str]]:
    """Makes databases that live as long as the test: `new_database()` migrated, `new_database(empty=True)` not."""
    made: list[str] = []

    def make(*, empty: bool = False) -> str:
        name = f"test_{uuid.uuid4().hex}"
        template = "template1" if empty else TEMPLATE
        with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
            connection.execute(
                SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(Identifier(name), Identifier(template))
            )
            made.append(name)
            if not empty:
                # Rights on a database are not copied with it.
                connection.execute(
                    SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO registry_projector").format(Identifier(name))
                )
        return address(server, name)

    yield make
    if made:
        with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
            for name in made:
                connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def database(new_database) -> str:
    """The address, as superuser, of a migrated empty database of this test's own."""
    return new_database()


@pytest.fixture
def settings(database, tmp_path) -> Settings:
    home = tmp_path / "var"
    home.mkdir()
    return Settings(home=home, database_url=database, master_key=MASTER_KEY)


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock(datetime(2026, 6, 1, 12, 0, tzinfo=UTC))


@pytest.fixture
def randomness() -> Callable[[int], bytes]:
    return Random(20260601).randbytes


@pytest.fixture
def vault(settings, clock, randomness) -> Iterator[Vault]:
    vault = Vault(settings, random=randomness, clock=clock)
    yield vault
    vault.close()


@pytest.fixture
def store(settings, vault, clock, randomness) -> Iterator[Store]:
    store = Store(settings, vault, random=randomness, clock=clock)
    yield store
    store.close()


@pytest.fixture
def history(store) -> Callable[..., Recorded]:
    """Records given events as they are, as if commands of the past had: `history(registered(...), awarded(...))`."""

    def record(*events: Event) -> Recorded:
        return store.record(events)

    return record


@pytest.fixture
def connect(settings) -> Iterator[Callable[..., psycopg.Connection]]:
    """Connects as a role (`connect("reader")`), or as the superuser (`connect()`); autocommit."""
    with ExitStack() as open_connections:

        def connect(role: Role | None = None) -> psycopg.Connection:
            where = databases.url(settings, role) if role else databases.address(settings)
            return open_connections.enter_context(psycopg.connect(where, autocommit=True))

        yield connect


# --- parts that set-up brings: outside CI a test without them is skipped and says so, in CI it fails


@pytest.fixture(scope="session")
def zbar() -> Callable[[Path], str]:
    """Reads the code in a picture with zbar, a reader of others."""
    if not shutil.which("zbarimg"):
        lacking("no zbar on this machine; install it (Debian: apt-get install zbar-tools)")

    def read(picture: Path) -> str:
        done = subprocess.run(["zbarimg", "--quiet", "--raw", picture], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return read


# --- a real browser: one for all tests of a worker, as its driver can't be started twice

QUIETLY = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Starts Debian's Chromium; without one these tests are skipped, in CI they fail."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        lacking("no Chromium on this machine; install it (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=program, args=[*QUIETLY, *more])


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    started = launch()
    yield started
    started.close()
