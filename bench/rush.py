"""The rush before a deadline, and what the service needs when nothing happens: 12,000 attestations over the real API.

A registry of 12,000 endorsements, its server and its worker as processes of their own. Its clock goes on from 23:30 of
the cycle's last day in New York, so all must be in before midnight. First 9,000 attestations, eight holders at a time
without a pause; then 3,000 at random moments of one minute: sixty times as dense as the last hour of the day.

`python -m bench.rush [--people 12000] [--json]`
"""

import argparse
import http.client
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import psutil

from domain.association import ROWS, Association
from domain.endorsement import Endorsement, Source, new_number
from domain.person import Person
from registry import database, worker
from registry.api import create_app
from registry.api.actors import Desk
from registry.certificates.keys import announce
from registry.opening import open_keys, open_registry
from registry.settings import Settings
from registry.vault import Vault

ZONE = ZoneInfo("America/New_York")
LAST_DAY = date(2027, 12, 31)
BEGIN = datetime(2027, 12, 31, 23, 30, tzinfo=ZONE).astimezone(UTC)
AWARDED = date(2023, 3, 6)
ATTESTED = {
    "training_hours": 45,
    "dei_hours": 3,
    "rsc_hours": 36,
    "membership": True,
    "ethics": True,
    "no_sanction": True,
}
CLIENTS = 8
SHARE_AT_ONCE = 0.75
SPREAD_SECONDS = 60.0
CLOCK = "REGISTRY_BENCH_CLOCK"


def clock() -> datetime:
    """The real clock, moved so that the bench begins on the last evening."""
    return datetime.now(UTC) + timedelta(seconds=float(os.environ[CLOCK]))


def application() -> object:
    return create_app(Settings.from_environment(), clock=clock)


def work() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    worker.run(Settings.from_environment(), stop=stop, clock=clock)


# --- a registry of many holders ------------------------------------------------------------------------------------


def furnish(settings: Settings, people: int) -> list[tuple[str, str]]:
    """Number and key of every holder: members of Virginia, endorsed for years, each due on the last day."""
    chance = random.Random(1)
    database.migrate(settings)
    Vault.make_master_key(settings)
    keys = open_keys(settings)
    keys.init(settings.public_host, datetime(2022, 1, 3, tzinfo=UTC), specimen=True)
    registry = open_registry(settings, clock=clock)
    found: list[tuple[str, str]] = []
    with closing(registry.store.vault), closing(registry.store), closing(Desk(settings, clock=clock)) as desk:
        store = registry.store
        announce(store, keys, on=AWARDED, by="operator")
        admitted = [Association(code) for code in ROWS]
        for one in admitted:
            one.admit(ROWS[one.name], "endorsement", on=AWARDED, by="operator")
        store.save(*admitted)
        for first in range(0, people, 500):
            batch: list[Person | Endorsement] = []
            for n in range(first, min(first + 500, people)):
                person, number = Person(registry.new_id()), new_number("IFS", chance.randbytes)
                person.register(residence="VA", name=f"Pat Practitioner {n}", on=AWARDED, by="operator")
                person.record_membership("VA", AWARDED, date(2049, 12, 31), on=AWARDED, by="operator")
                held = Endorsement(number)
                held.record(
                    Endorsement.Imported, number=number, person=person.name, category="IFS", association="VA",
                    awarded_on=AWARDED, through=LAST_DAY, standing="active",
                    source=Source(file="0" * 64, row=n, record=number), on=AWARDED, by="operator",
                )  # fmt: skip
                batch += [person, held]
                found.append((number, desk.add("holder", person=person.name)[1]))
            store.save(*batch)
    return found


# --- what is asked of it -------------------------------------------------------------------------------------------


class Client:
    """One connection that attests for one holder after the other."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def renew(self, number: str, key: str) -> tuple[int, float]:
        """The status, and seconds. A connection that the server has closed meanwhile is opened again."""
        body = json.dumps(ATTESTED).encode()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json",
                   "Idempotency-Key": str(uuid.uuid4())}  # fmt: skip
        begun = time.perf_counter()
        for attempt in (1, 2):
            try:
                self._connection.request("POST", f"/api/endorsements/{number}/renewals", body, headers)
                answer = self._connection.getresponse()
                answer.read()
            except (http.client.HTTPException, OSError):
                self._connection.close()
                if attempt == 2:  # once more
                    raise
            else:
                break
        return answer.status, time.perf_counter() - begun


def at_once(port: int, holders: Sequence[tuple[str, str]]) -> list[tuple[int, float]]:
    return _threads(CLIENTS, lambda n, took: _each(port, holders[n::CLIENTS], took))


def _each(port: int, holders: Sequence[tuple[str, str]], took: list[tuple[int, float]]) -> None:
    client = Client(port)
    took += [client.renew(*holder) for holder in holders]


def spread(port: int, holders: Sequence[tuple[str, str]], seconds: float) -> list[tuple[int, float]]:
    """At moments drawn evenly; the time an answer takes counts from its moment, whoever was in the way."""
    chance = random.Random(2)
    moments = sorted(chance.random() * seconds for _ in holders)
    waiting = list(zip(moments, holders, strict=True))
    door, begun = threading.Lock(), time.perf_counter()

    def each(_: int, took: list[tuple[int, float]]) -> None:
        client = Client(port)
        while True:
            with door:
                if not waiting:
                    return
                moment, holder = waiting.pop(0)
            time.sleep(max(0.0, begun + moment - time.perf_counter()))
            status, _ = client.renew(*holder)
            took.append((status, time.perf_counter() - begun - moment))

    return _threads(4 * CLIENTS, each)


def _threads(many: int, do: Callable[[int, list[tuple[int, float]]], None]) -> list[tuple[int, float]]:
    took: list[list[tuple[int, float]]] = [[] for _ in range(many)]
    threads = [threading.Thread(target=do, args=(n, took[n])) for n in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for some in took for one in some]


def p99(took: Sequence[tuple[int, float]]) -> float:
    """Milliseconds."""
    seconds = sorted(second for _, second in took)
    return round(1000 * seconds[int(len(seconds) * 0.99)], 1)


# --- what it needs -------------------------------------------------------------------------------------------------


def memory(processes: Sequence[int], home: Path) -> int:
    """MiB of these processes, their children and the embedded server; what they share is counted once."""
    found = {
        pid for process in processes for pid in (process, *(c.pid for c in psutil.Process(process).children(True)))
    }
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "postgres" and any(str(home) in word for word in process.info["cmdline"] or ()):
            found |= {process.pid, *(child.pid for child in process.children(recursive=True))}
    return sum(psutil.Process(pid).memory_full_info().pss for pid in found) >> 20


def disk(home: Path) -> int:
    """MiB."""
    return sum(path.lstat().st_size for path in home.rglob("*") if path.is_file()) >> 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=12_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    port = 20_000 + secrets.randbelow(20_000)
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder, ExitStack() as at_end:
        home = Path(folder)
        home.chmod(0o755)
        os.environ |= {"REGISTRY_HOME": folder, CLOCK: "0"}
        os.environ[CLOCK] = str((BEGIN - timedelta(minutes=10) - datetime.now(UTC)).total_seconds())
        settings = Settings.from_environment()
        at_end.callback(database.stop, settings)
        holders = furnish(settings, options.people)
        os.environ[CLOCK] = str((BEGIN - datetime.now(UTC)).total_seconds())
        run = [sys.executable, "-c", "from bench import rush; rush.work()"]
        serve = [sys.executable, "-m", "uvicorn", "bench.rush:application", "--factory", "--port", str(port),
                 "--log-level", "warning", "--no-access-log"]  # fmt: skip
        processes = [subprocess.Popen(command) for command in (run, serve)]
        for process in processes:
            at_end.callback(process.wait)
            at_end.callback(process.terminate)
        _wait(port)
        pids = [process.pid for process in processes]
        idle = {"memory_mib": memory(pids, home), "disk_mib": disk(home)}
        first = round(len(holders) * SHARE_AT_ONCE)
        begun = time.perf_counter()
        fast = at_once(port, holders[:first])
        seconds = time.perf_counter() - begun
        calm = spread(port, holders[first:], SPREAD_SECONDS)
        registry = open_registry(settings, clock=clock)
        with closing(registry.store.vault), closing(registry.store):
            lost = late = 0
            for number, _ in holders:
                renewals = [e for _, e in registry.store.events(f"endorsement/{number}")
                            if isinstance(e, Endorsement.Renewed)]  # fmt: skip
                lost += len(renewals) != 1
                late += any(renewal.on > LAST_DAY for renewal in renewals)
        refused = sum(status != 201 for status, _ in (*fast, *calm))  # created
        results = {
            "attestations": len(holders), "refused": refused, "lost": lost, "late": late,
            "at_once_per_second": round(first / seconds), "at_once_p99_ms": p99(fast),
            "last_hour_median_ms": round(1000 * median(second for _, second in calm), 1),
            "last_hour_p99_ms": p99(calm), **idle,
        }  # fmt: skip
    print(json.dumps(results) if options.json else "\n".join(f"{name}: {value}" for name, value in results.items()))


def _wait(port: int) -> None:
    """Until it is ready: the views have come up to the last event."""
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:  # OK
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit("the server did not become ready in two minutes")


if __name__ == "__main__":
    main()
