"""An import killed at any moment and run again ends as if it had run in one go."""

import base64
import os
import subprocess
import sys
import time
from random import Random

import msgspec
import psycopg
import pytest
from rosters import DATA, TODAY

from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault

ROWS = 300
MASTER = bytes(range(32))
COMMAND = "import typer; from registry.cli import roster; app = typer.Typer(); roster.join(app); app()"


def run(settings, file, **options):
    environment = os.environ | {
        "REGISTRY_DATABASE_URL": settings.database_url,
        "REGISTRY_HOME": str(settings.home),
        "REGISTRY_MASTER_KEY": base64.b64encode(MASTER).decode(),
    }
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "import", str(file), "--json", "--today", TODAY.isoformat()],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def finish(settings, file):
    process = run(settings, file)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    return msgspec.json.decode(out)


def kill_after(settings, file, events):
    """Run until so many events are recorded, then `kill -9`; whether it was killed before its end."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:

        def position():
            return connection.execute("SELECT coalesce(max(notification_id), 0) FROM registry.events").fetchone()[0]

        enough = position() + events
        process = run(settings, file)
        while process.poll() is None and position() < enough:
            time.sleep(0.002)
        process.kill()
        process.communicate()
        return process.returncode == -9


def history(settings):
    """Every event, opened, with random ids replaced by the order in which they come."""
    vault = Vault(settings)
    store = Store(settings, vault)
    names: dict[str, str] = {}
    told = []
    for position in range(1, store.position() + 1):
        _, event = store.at(position)
        facts = msgspec.to_builtins(store.opened(event))
        for chance in ("salt", "recorded_at"):
            facts.pop(chance, None)
        kind, _, name = event.originator_id.partition("/")
        if kind in ("person", "endorsement"):
            names.setdefault(name, f"{kind} {len(names)}")
        facts |= {"originator_id": name, "topic": event.topic}
        told.append({key: names.get(fact, fact) if isinstance(fact, str) else fact for key, fact in facts.items()})
    store.close()
    vault.close()
    return told


@pytest.fixture
def two(new_database, tmp_path):
    made = []
    for name in ("killed", "whole"):
        (tmp_path / name).mkdir()
        made.append(Settings(home=tmp_path / name, database_url=new_database(), master_key=MASTER))
    return made


@pytest.fixture
def files(tmp_path):
    """A file, and a later one in which some have renewed, some have a new name, and some are new."""
    lines = (DATA / "roster.csv").read_text(encoding="utf-8-sig").splitlines()
    head, rows = lines[0], lines[1:]
    first, later = tmp_path / "first.csv", tmp_path / "later.csv"
    first.write_text("\r\n".join([head, *rows[:ROWS]]), encoding="utf-8-sig")
    turned = [
        row.replace("2027-12-31", "2029-12-31").replace("Elin,", "Ellen,", 1) if n % 3 else row
        for n, row in enumerate(rows[: ROWS + 60])
    ]
    later.write_text("\r\n".join([head, *turned]), encoding="utf-8-sig")
    return first, later


def test_killed_at_any_moment_and_run_again_it_ends_as_in_one_go(two, files):
    killed, whole = two
    random = Random(9)
    deaths = 0
    for file in files:
        for _ in range(3):
            deaths += kill_after(killed, file, random.randrange(1, 130))
        again = finish(killed, file)
        at_once = finish(whole, file)

        for report in (again, at_once):
            report["recorded"].pop("earlier")
        assert again == at_once

    assert deaths >= 2
    told = history(whole)
    assert {"endorsement.reported", "person.renamed"} <= {event["topic"] for event in told}
    assert history(killed) == told
    finish(killed, files[0])
    assert history(killed) == told, "the first file again undoes nothing"


def test_two_imports_at_once_record_nothing_twice(two, files):
    settings, whole = two
    first, later = files
    processes = [run(settings, file) for file in (first, first, later)]

    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()

    for file in files:
        finish(whole, file)
    assert counted(settings) == counted(whole)


def counted(settings):
    """How many endorsements and how many different records; who is who depends on which file came first."""
    with psycopg.connect(settings.database_url) as connection:
        return connection.execute(
            "SELECT (SELECT count(*) FROM registry.events WHERE topic = 'endorsement.imported'),"
            " (SELECT count(*) FROM registry.claims WHERE name LIKE 'record/%')"
        ).fetchone()
