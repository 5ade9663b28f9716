"""The database's processes are killed, stopped, paused and ended under load."""

import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from grounds import PATIENCE, wait_for
from judging import at_work, judge
from load import Load, ask_again, over_http, through_the_store


@pytest.fixture
def working(settings, registry, clock, client, answers, seed):
    """Load through the API and through the store, with a worker that publishes; gives the load and the checkpoints."""
    http = client("coordinator", association="VA").http
    sends = [over_http(http, answers), over_http(http, answers), *[through_the_store(registry, answers)] * 2]
    load = Load(sends, answers, seed)
    load.sends = sends
    return load


def told(figures, tally, **more):
    figures |= {"acknowledged": tally.ok, "failed": tally.failed, "unknown": tally.unknown, "of them done": tally.found}
    figures |= more


def test_fault_r06_server_and_all_backends_killed_under_load(
    cluster, settings, clock, working, answers, chance, sized, figures
):
    crashes, slowest = sized(2, 20), 0.0
    with at_work(settings, clock) as checkpoints:
        with working.at_work() as load:
            for _ in range(crashes):
                load.wait_for(acknowledged=sized(20, 250), seconds=120)
                time.sleep(chance.uniform(0, 0.05))
                cluster.kill()
                cluster.start()
                slowest = max(slowest, load.wait_for(acknowledged=1, seconds=60))
            load.wait_for(acknowledged=20, seconds=60)
        wait_for(lambda: len(checkpoints) > 1, "two checkpoints published")
    tally = judge(settings, answers, kept=checkpoints)
    ask_again(answers, working.sends)
    again = judge(settings, answers, kept=checkpoints)

    assert again.unknown == 0
    assert again.ok == tally.ok + tally.unknown
    assert slowest < sized(PATIENCE, 10)
    told(figures, tally, crashes=crashes, checkpoints=len(checkpoints), slowest_return_s=round(slowest, 1))


@contextmanager
def asked_all_the_time(address, paths):
    """Asks each path again and again; gives when each answer came, how long it took, and its status."""
    stop, seen = threading.Event(), {path: [] for path in paths}

    def ask(path):
        with httpx.Client(base_url=address, timeout=PATIENCE) as http:
            while not stop.wait(0.1):
                begun = time.monotonic()
                answer = http.get(path)
                assert answer.status_code == 200 or int(answer.headers["Retry-After"]) > 0
                seen[path].append((time.monotonic(), time.monotonic() - begun, answer.status_code))

    threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)


@pytest.mark.parametrize("how", ["stopped", "paused"])
def test_fault_r07_database_down_or_silent(cluster, settings, clock, working, answers, address, how, sized, figures):
    seconds = sized(4, 30)
    away, back = (cluster.kill, cluster.start) if how == "stopped" else (cluster.pause, cluster.resume)
    with at_work(settings, clock) as checkpoints:
        wait_for(lambda: checkpoints and httpx.get(f"{address}/ready", timeout=PATIENCE).status_code == 200, "ready")
        with working.at_work() as load, asked_all_the_time(address, ["/ready", "/api/register", "/health"]) as seen:
            load.wait_for(acknowledged=5, seconds=60)
            went = time.monotonic()
            away()
            time.sleep(seconds)
            back()
            came = time.monotonic()
            load.wait_for(acknowledged=5, seconds=60)
            wait_for(lambda: seen["/ready"][-1][2] == 200 and seen["/ready"][-1][0] > came, "ready again")
    red = next(at for at, _, status in seen["/ready"] if at > went and status == 503) - went
    green = next(at for at, _, status in seen["/ready"] if at > came and status == 200) - came
    longest = max(took for answered in seen.values() for _, took, _ in answered)
    tally = judge(settings, answers, kept=checkpoints)

    assert {status for _, _, status in seen["/health"]} == {200}
    assert 503 in {status for _, _, status in seen["/api/register"]}
    # Beside the sample other tests are at work: there the figures are only told.
    assert longest < sized(30, 6)
    assert red < sized(30, 2 if how == "stopped" else 5)  # of a silent server one knows when the time is over
    assert green < sized(30, 5)
    told(figures, tally, how=how, away_s=seconds, red_s=round(red, 1), green_s=round(green, 1),
         longest_answer_s=round(longest, 1))  # fmt: skip


def test_fault_r08_backends_ended_at_random(settings, clock, working, answers, connect, chance, sized, figures):
    ended = 0
    with at_work(settings, clock) as checkpoints:
        superuser = connect()
        with working.at_work() as load:
            while ended < sized(15, 200):
                load.wait_for(acknowledged=1, seconds=60)
                time.sleep(chance.uniform(0, 0.02))
                ended += superuser.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
                ).rowcount
            load.wait_for(acknowledged=5, seconds=60)
    tally = judge(settings, answers, kept=checkpoints)
    ask_again(answers, working.sends)

    assert judge(settings, answers, kept=checkpoints).unknown == 0
    told(figures, tally, terminated=ended, checkpoints=len(checkpoints))
