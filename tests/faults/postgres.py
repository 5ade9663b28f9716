"""PostgreSQL servers of the tests' own, version 15 or 18: killed, paused, filled up, copied and promoted at will."""

import os
import shlex
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import pytest
from grounds import MASTER_KEY

from registry import database
from registry.settings import Settings

NAME = "registry"
"""The database on a server of a test's own."""

FULL = os.environ.get("REGISTRY_TEST_FAULTS") == "full"
VERSION = int(os.environ.get("REGISTRY_TEST_POSTGRESQL") or 18)
# As `make build/postgresql-15` lays it out.
_FIFTEEN = Path(__file__).parents[2] / "build" / "postgresql-15" / "bin"


def user() -> dict[str, object]:
    """Whom the server runs as, in subprocess's words: it refuses to be root."""
    if os.geteuid():
        return {}
    entry = database._server_user()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def clients(folder: Path) -> Path:
    """The programs of 18; its pg_basebackup copies a 15 too."""
    return database._programs(folder, user())


def programs(folder: Path) -> Path:
    if VERSION == 18:
        return clients(folder)
    if not (_FIFTEEN / "postgres").exists():
        pytest.fail(f"no PostgreSQL {VERSION} here: make build/postgresql-15 takes it from npm")
    if not user() or database._reaches(_FIFTEEN, user()):
        return _FIFTEEN
    copy = folder / "fifteen"
    if not copy.exists():
        shutil.copytree(_FIFTEEN.parent, copy, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
    return copy / "bin"


class PostgreSQL:
    """One server: its data in `folder/data`, its socket in the folder, which must be short and open to others (755)."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.settings = {"listen_addresses": "", "unix_socket_permissions": "0700", "shared_buffers": "32MB"} | settings
        self._mine(folder)

    def _mine(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        if user():
            os.chown(folder, user()["user"], user()["group"])

    def give(self) -> None:
        """Let everything in `data` be the server's own."""
        for path in (self.data, *self.data.rglob("*")):
            if user():
                os.chown(path, user()["user"], user()["group"], follow_symlinks=False)
        self.data.chmod(0o700)

    def initialise(self, *more: str) -> "PostgreSQL":
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if VERSION >= 17 else ["--locale=C"]
        self.run(
            programs(self.folder) / "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", *locale,
            "--data-checksums", "--no-sync", *more, "-D", self.data,
        )  # fmt: skip
        return self

    def run(self, program: Path, *words: object) -> str:
        done = subprocess.run(
            [str(program), *map(str, words)], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, env={"PATH": os.defpath, "LC_ALL": "C"}, **user(),
        )  # fmt: skip
        assert done.returncode == 0, (program, words, done.stdout, done.stderr, self.log())
        return done.stdout

    def log(self) -> str:
        with suppress(FileNotFoundError):
            return (self.folder / "log").read_text()[-3000:]
        return ""

    def start(self) -> "PostgreSQL":
        options = self.settings | {"unix_socket_directories": str(self.folder)}
        said = shlex.join(word for name, value in options.items() for word in ("-c", f"{name}={value}"))
        self.run(
            programs(self.folder) / "pg_ctl", "start", "--wait", "--timeout=120", "--silent", "-D", self.data,
            "--log", "log", "--options", said,
        )  # fmt: skip
        return self

    def stop(self, mode: str = "fast") -> None:
        self.run(programs(self.folder) / "pg_ctl", "stop", "--wait", "--timeout=60", "-D", self.data, "--mode", mode)

    def address(self, name: str = "postgres") -> str:
        return f"postgresql://postgres@/{name}?host={quote(str(self.folder), safe='')}"

    def connect(self, name: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.address(name), autocommit=True, connect_timeout=30)

    def processes(self) -> list[psutil.Process]:
        """The postmaster first."""
        try:
            postmaster = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            found = [postmaster, *postmaster.children(recursive=True)]
        except (FileNotFoundError, psutil.NoSuchProcess, IndexError, ValueError):
            return []
        return [process for process in found if self._is_of_it(process)]

    def _is_of_it(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return process.name().startswith("postgres")
        return False

    def kill(self) -> None:
        """Postmaster and every backend, kill -9, and gone."""
        processes = self.processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=30)

    def pause(self) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)

    def runs(self) -> bool:
        try:
            with psycopg.connect(self.address(), connect_timeout=2) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False

    def end(self) -> None:
        """Whatever state it is in; the folder is removed by who made it."""
        self.resume()
        self.kill()

    def standby(self, folder: Path) -> "PostgreSQL":
        """A copy of the running server that follows it once started."""
        other = PostgreSQL(folder, **self.settings)
        shutil.rmtree(other.data, ignore_errors=True)
        other.run(
            clients(other.folder) / "pg_basebackup", "-D", other.data, "-d", self.address(), "--checkpoint=fast",
            "--no-sync",
        )  # fmt: skip
        # Not --write-recovery-conf: a newer client writes options that an older server does not know.
        with (other.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"primary_conninfo = 'host={self.folder} user=postgres'\n")
        (other.data / "standby.signal").touch()
        other.give()
        return other
        return other

    def promote(self) -> None:
        self.run(programs(self.folder) / "pg_ctl", "promote", "--wait", "--timeout=60", "-D", self.data)


def at(home: Path, server: PostgreSQL) -> Settings:
    home.mkdir(exist_ok=True)
    return Settings(home=home, database_url=server.address(NAME), master_key=MASTER_KEY)
