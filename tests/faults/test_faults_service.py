"""The service as a process: asked to stop while it works, and given more than it should take."""

import io
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from base64 import b64encode
from contextlib import contextmanager

import httpx
import psutil
import psycopg
import pytest
from grounds import PATIENCE, wait_for
from judging import judge
from load import BEFORE, registered

from registry import database
from registry.opening import open_keys, open_plane

HEADERS = {"Content-Type": "application/json"}


class Service:
    """`registry serve` on a port of this machine."""

    def __init__(self, settings, log):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._settings = settings
        self._log = log
        self.process: subprocess.Popen | None = None

    def start(self):
        environment = os.environ | {
            "REGISTRY_HOME": str(self._settings.home),
            "REGISTRY_DATABASE_URL": self._settings.database_url,
            "REGISTRY_MASTER_KEY": b64encode(self._settings.master_key).decode(),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "registry", "serve", "--port", str(self.port)],
            env=environment, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        wait_for(self.answers, "the service answers")
        return self

    def answers(self):
        try:
            return httpx.get(f"{self.address}/health", timeout=PATIENCE).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self):
        """By SIGTERM; how long that took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) in (0, -signal.SIGTERM)
        return time.monotonic() - begun


@pytest.fixture
def service(settings, tmp_path):
    made = []
    with (tmp_path / "serve.log").open("w") as log:

        def make():
            made.append(Service(settings, log))
            return made[-1].start()

        yield make
        for one in made:
            one.process.kill()
            one.process.wait()


def test_fault_r22_one_server_after_the_other_is_stopped_under_load(  # noqa: C901, PLR0915 # one story
    settings, registry, desk, service, answers, seed, sized, figures
):
    """Two of them, as behind a proxy: who is refused a connection goes to the other one."""
    servers, secret, slowest = [service(), service()], desk.add("coordinator", association="VA")[1], 0.0
    stop, failed, refused = threading.Event(), [], []
    headers = {"Authorization": f"Bearer {secret}"}

    def send(http, turn, key):
        """One command; where to go next time."""
        for _ in range(100):
            try:
                answer = http.post(
                    f"{servers[turn % 2].address}/api/people", json={"name": "Ada Okafor", "residence": "VA"},
                    headers={"Idempotency-Key": key},
                )  # fmt: skip
            except (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError):
                # Refused, or hung up on while it waited to be taken: as a proxy does, to the other, under its key.
                turn += 1
                refused.append(key)
                time.sleep(0.01)
                continue
            except httpx.HTTPError as error:
                failed.append(repr(error))
                break
            if answer.status_code != 201:
                failed.append(answer.text)
                break
            if "Idempotency-Replayed" in answer.headers:  # who hung up had done it: that was no waiting
                failed.append(f"done, and its answer was lost: {key}")
            answers.note(key, "ok", 1, [event["position"] for event in answer.json()["events"]])
            return turn
        answers.note(key, "unknown", 1)
        return turn

    def work(turn):
        chance = random.Random(f"{seed}/{turn}")
        # As a proxy without kept connections: each request is one of its own.
        with httpx.Client(headers=headers, timeout=PATIENCE, limits=httpx.Limits(max_keepalive_connections=0)) as http:
            while not stop.is_set():
                turn = send(http, turn, str(uuid.UUID(int=chance.getrandbits(128), version=4)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()

    def wait_for_more(number):
        until = answers.counts["ok"] + number
        wait_for(lambda: answers.counts["ok"] >= until, f"{number} more", seconds=120)

    stops = 0
    try:
        wait_for_more(10)
        while stops < 2 or answers.counts["ok"] < sized(60, 10_000):
            for server in servers:
                slowest = max(slowest, server.stop())
                wait_for_more(sized(5, 400))
                server.start()
                wait_for_more(sized(5, 400))
                stops += 1
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
    tally = judge(settings, answers)

    assert failed == []
    assert slowest < sized(PATIENCE, 10)
    figures |= {"requests": tally.ok, "failed in flight": len(failed), "stops": stops,
                "sent to the other": len(refused), "slowest stop s": round(slowest, 1)}  # fmt: skip


@contextmanager
def timed(took, name):
    begun = time.monotonic()
    yield
    took[name] = min(time.monotonic() - begun, took.get(name, 60.0))


def test_fault_r23_more_than_it_should_take(settings, registry, desk, service, sized, figures):
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as reader:
        open_plane(settings, open_keys(settings)).publish(reader, registry.clock())
    one, secret = service(), desk.add("coordinator", association="VA")[1]
    memory = psutil.Process(one.process.pid).memory_info
    took: dict[str, float] = {}
    http = httpx.Client(base_url=one.address, timeout=PATIENCE)
    signed = HEADERS | {"Authorization": f"Bearer {secret}"}
    http.get("/api/associations")
    http.post("/api/check", content=b"https://registry.example/v1#123")
    http.post("/v1/check", data={"text": "x" * 1000})
    before = memory().rss

    def post(name, path, content, **headers):
        # The best of five: the machine has other things to do as well.
        for _ in range(5 if len(content) < 1 << 20 else 1):
            with timed(took, name):
                told = signed | {"Idempotency-Key": str(uuid.uuid4())} | headers
                answer = http.post(path, content=content, headers=told)
        return answer

    deep = b"[" * 30_000 + b"]" * 30_000
    nested = b'{"name":' * 7_000 + b"1" + b"}" * 7_000
    assert post("deep", "/api/people", deep).status_code in (400, 422)
    assert post("nested", "/api/people", nested).status_code in (400, 422)
    assert post("long", "/api/people", b'{"name": "' + b"x" * 60_000 + b'", "residence": "VA"}').status_code == 422
    assert post("large", "/api/people", b"x" * (10 << 20)).status_code == 413
    number = b'{"name": "Ada", "residence": "VA", "email": ' + b"9" * 60_000 + b"}"
    assert post("number", "/api/people", number).status_code in (400, 422)
    digits = b"https://registry.example/v1#" + b"1234567890" * (1 << 20)
    unreadable = post("10 MB of digits", "/api/check", digits)
    assert (unreadable.status_code, unreadable.json().get("verdict")) in ((413, None), (200, "malformed"))
    deep_code = b"https://registry.example/v1#" + str(int.from_bytes(b"\x81" * 1000 + b"\x01", "big")).encode()
    assert post("deep CBOR", "/api/check", deep_code).json()["verdict"] == "malformed"
    assert post("zeros", "/api/check", bytes(10 << 20)).json()["verdict"] == "malformed"
    rows = io.BytesIO(b"number\n" + b"IFS-7K3MQ9TD\n" * 100_000)
    assert post("100,000 rows", "/api/people", rows.getvalue()).status_code in (400, 413, 415)
    http.close()
    grown = memory().rss - before
    assert one.answers()

    slow = {name: round(1000 * seconds) for name, seconds in took.items() if seconds > sized(10, 0.1)}
    assert set(slow) <= {"10 MB of digits", "zeros", "large", "100,000 rows"}, slow  # what takes a time to be sent
    assert max(took.values()) < sized(30, 2)
    assert grown < 50 << 20
    figures |= {"bombs": len(took), "memory MB": round(grown / (1 << 20)),
                "slowest ms": round(1000 * max(took.values()))}  # fmt: skip


def test_fault_r23_a_stream_of_many_events_is_folded_in_time(registry, sized, figures):
    """A person with thousands of entries: loading stays in proportion."""
    person = registered(registry)
    many = sized(2_000, 50_000)
    name, saved = person.name, 0.0
    for number in range(1, many + 1):
        person.rename(name=f"Ada {number}", credentials="", match="", formerly="", on=BEFORE, by="operator")
        if number % 2_000 == 0:  # a transaction each, as no deed records more
            begun = time.monotonic()
            registry.store.save(person)
            saved += time.monotonic() - begun
    begun = time.monotonic()
    found = registry.store.get(type(person), name)
    seconds = time.monotonic() - begun

    assert found.version == many + 1
    assert seconds < sized(30, many / 2_000)
    figures |= {"events in one stream": many + 1, "saved s": round(saved, 2), "loaded s": round(seconds, 2)}
