"""A disk that is full, and one that fails."""

import shutil
import subprocess
import time
from contextlib import suppress

import pytest
from grounds import lacking, wait_for
from judging import judge
from load import Load, ask_again, registered, through_the_store
from postgres import NAME, PostgreSQL, at, user


@pytest.fixture
def small(folders):
    """A folder on a disk of its own of so many MB; needs root and a kernel that lets it mount."""
    mounted = []

    def mount(megabytes):
        folder = folders()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder], capture_output=True
        )
        if done.returncode:
            pytest.skip("a disk of its own can be mounted by root only; the limited file size stands for it")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        PostgreSQL(folder / "pg").end()
        subprocess.run(["umount", folder], check=True)


def on_its_own(server, tmp_path, opened):
    server.initialise("--wal-segsize=1").start()
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
    settings = at(tmp_path / "var", server)
    return settings, opened(settings)


def comes_back(server):
    """Whether it had to be started; a log without room stops the server."""
    if server.runs():
        return False
    server.kill()
    (server.data / "postmaster.pid").unlink(missing_ok=True)
    server.start()
    return True


LITTLE_LOG = {"min_wal_size": "2MB", "max_wal_size": "4MB"}


@pytest.mark.whole
def test_fault_r04_disk_full_and_then_space_again(small, tmp_path, opened, answers, seed, sized, figures):
    disk = small(120)
    server = PostgreSQL(disk / "pg", **LITTLE_LOG)
    settings, registry = on_its_own(server, tmp_path, opened)
    sends = [through_the_store(registry, answers)] * 3
    restarts, rounds = 0, sized(1, 4)
    with Load(sends, answers, seed).at_work() as load:
        for _ in range(rounds):
            load.wait_for(acknowledged=20, seconds=60)
            ballast = disk / "ballast"
            with suppress(OSError):  # it may be full before
                ballast.write_bytes(bytes(shutil.disk_usage(disk).free - (1 << 19)))
            load.wait_for(refused=20, seconds=120)
            ballast.unlink()
            restarts += comes_back(server)
        load.wait_for(acknowledged=20, seconds=60)
    tally = judge(settings, answers)
    ask_again(answers, sends)

    assert judge(settings, answers).unknown == 0
    assert tally.failed + tally.unknown >= 20
    told(figures, tally, times_full=rounds, restarts=restarts)


def told(figures, tally, **more):
    figures |= {"acknowledged": tally.ok, "failed": tally.failed, "unknown": tally.unknown, "of them done": tally.found}
    figures |= more


def limit(server, most):
    """No file of the server's grows beyond so many bytes: the soft limit, which its owner may lift again."""
    for process in server.processes():
        subprocess.run(["prlimit", "--pid", str(process.pid), f"--fsize={most}:"], check=False, **user())


def test_fault_r04_files_that_can_not_grow_and_then_can(folders, tmp_path, opened, answers, seed, sized, figures):
    """What a user may do without root: the limit refuses the table its next page, in the middle of a command."""
    if not shutil.which("prlimit"):
        lacking("no prlimit on this machine; install it (Debian: apt-get install util-linux)")
    server = PostgreSQL(folders(), **LITTLE_LOG)
    settings, registry = on_its_own(server, tmp_path, opened)
    sends = [through_the_store(registry, answers)] * 3
    most = 0
    with server.connect(NAME) as connection:
        # Until the table is larger than a file of the write-ahead log, which must go on.
        while most < 1 << 20:
            registry.store.save(*[registered(registry) for _ in range(200)])
            (most,) = connection.execute("SELECT pg_relation_size('registry.events')").fetchone()
    with Load(sends, answers, seed).at_work() as load:
        load.wait_for(acknowledged=5, seconds=60)
        limit(server, most)
        load.wait_for(refused=20, seconds=120)
        limit(server, "unlimited")
        restarts = comes_back(server)
        load.wait_for(acknowledged=20, seconds=60)
    tally = judge(settings, answers)
    ask_again(answers, sends)

    assert judge(settings, answers).unknown == 0
    told(figures, tally, restarts=restarts)


@pytest.mark.whole
def test_fault_r05_reads_writes_and_flushes_that_fail(folders, tmp_path, opened, answers, chance, seed, sized, figures):
    """By strace, at the system calls of the server: a failed flush of the log stops it, as it must."""
    if not shutil.which("strace"):
        pytest.skip("no strace on this machine")
    server = PostgreSQL(folders(), restart_after_crash="on")
    settings, registry = on_its_own(server, tmp_path, opened)
    sends, rounds, restarts, faults = [through_the_store(registry, answers)] * 3, sized(1, 8), 0, 0
    with Load(sends, answers, seed).at_work() as load:
        for _ in range(rounds):
            load.wait_for(acknowledged=sized(20, 120), seconds=120)
            call = chance.choice(["fdatasync", "pwrite64", "fdatasync,pwrite64,pwritev,fsync"])
            said = tmp_path / "strace"
            said.write_text("")
            strace = subprocess.Popen(
                ["strace", "-f", "-q", "-o", said, "-e", f"trace={call}", "-e",
                 f"inject={call}:error=EIO:when={chance.randrange(3, 30)}+{chance.randrange(5, 40)}",
                 *[word for process in server.processes() for word in ("-p", str(process.pid))]],
                stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            with suppress(AssertionError):
                wait_for(lambda said=said: "(INJECTED)" in said.read_text(), "something fails")
            time.sleep(sized(0.2, 2))
            strace.terminate()
            _, why = strace.communicate(timeout=30)
            if "Operation not permitted" in why:
                pytest.skip("strace may not watch another process here")
            faults += said.read_text().count("(INJECTED)")
            time.sleep(0.5)
            restarts += comes_back(server)
        load.wait_for(acknowledged=20, seconds=60)
    tally = judge(settings, answers)
    ask_again(answers, sends)

    assert judge(settings, answers).unknown == 0
    assert faults > 0
    told(figures, tally, faults=faults, restarts=restarts)
