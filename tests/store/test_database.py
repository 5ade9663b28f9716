"""Who may do what in the database, how its schema comes to be, and where the embedded server lives."""

import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import psycopg
import pytest
from facts import Case

from registry import database
from registry.settings import ROLES, BadSetting, Settings

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
ALL = set(PRIVILEGES)
RUNNING = ("writer", "projector", "reader", "keeper")

# Every grant there is; what is not here is refused.
GRANTED = {
    "registry.events": {"owner": ALL, "writer": {"SELECT"}, "projector": {"SELECT"}, "reader": {"SELECT"}},
    "registry.claims": {"owner": ALL, "writer": {"SELECT"}},
    "registry.migrations": {"owner": ALL, "writer": {"SELECT"}, "projector": {"SELECT"}, "reader": {"SELECT"}},
    "service.api_keys": {"owner": ALL, "writer": {"SELECT", "INSERT", "UPDATE", "DELETE"}},
    "service.entries": {"owner": ALL, "writer": {"SELECT", "INSERT", "UPDATE", "DELETE"}},
    "service.sessions": {"owner": ALL, "writer": {"SELECT", "INSERT", "UPDATE", "DELETE"}},
    "service.access": {"owner": ALL, "writer": {"SELECT", "INSERT"}, "reader": {"SELECT"}},
    "service.deliveries": {"owner": ALL, "writer": {"SELECT", "INSERT", "UPDATE", "DELETE"}},
    "service.openings": {"owner": ALL, "writer": {"SELECT", "INSERT", "UPDATE"}},
    "vault.person_keys": {"keeper": ALL},
}


def test_every_table_and_every_grant(connect):
    look = connect()
    tables = look.execute(
        "SELECT schemaname || '.' || tablename FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    assert {name for (name,) in tables} == GRANTED.keys()
    for table, role, privilege in product(GRANTED, ROLES, PRIVILEGES):
        may = look.execute(
            "SELECT has_schema_privilege(%(role)s, split_part(%(table)s, '.', 1), 'USAGE')"
            " AND has_table_privilege(%(role)s, %(table)s, %(privilege)s)",
            {"role": f"registry_{role}", "table": table, "privilege": privilege},
        ).fetchone()
        assert may == (privilege in GRANTED[table].get(role, set()),), (table, role, privilege)


@pytest.mark.parametrize("role", RUNNING)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO registry.events VALUES ('case/1', 9, 'test.case_counted', '{}', 9)",
        "UPDATE registry.events SET state = '{}'",
        "DELETE FROM registry.events",
        "TRUNCATE registry.events",
        "DELETE FROM registry.claims",
        "INSERT INTO registry.claims VALUES ('a', 'b', 1)",
        "DROP TABLE registry.events",
        "ALTER TABLE registry.events DISABLE TRIGGER ALL",
        "CREATE TABLE registry.mine ()",
        "SET ROLE registry_owner",
        "SET session_replication_role = replica",
    ],
)
def test_who_runs_the_service_only_adds_to_history(store, connect, role, statement):
    store.save(Case("1").open("ann"))

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(role).execute(statement)


@pytest.mark.parametrize("role", ["projector", "reader", "keeper"])
def test_only_the_writer_appends(connect, role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(role).execute("SELECT registry.append('{}','{}','{}','{}','{}','{}','{}',NULL,NULL,NULL)")


@pytest.mark.parametrize("role", ["owner", None])
@pytest.mark.parametrize("table", ["registry.events", "service.access"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET {} = 'x'", "DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE"]
)
def test_not_even_the_owner_changes_history_by_accident(store, connect, role, table, statement):
    store.save(Case("1").open("ann"))
    connect("writer").execute("INSERT INTO service.access VALUES ('amy', 'case/1', '2026-06-01', 'review')")
    connection = connect(role)
    if role is None:
        connection.execute("SET session_replication_role = replica")

    with pytest.raises(psycopg.DatabaseError) as refused:
        connection.execute(statement.format(table, "topic" if "events" in table else "reason"))

    assert refused.value.sqlstate == "ER003"
    assert store.position() == 1


def test_the_owner_does_not_read_personal_keys_without_becoming_the_keeper(connect):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect("owner").execute("SELECT * FROM vault.person_keys")


def test_append_trusts_no_search_path(store, connect):
    writer = connect("writer")
    writer.execute("CREATE TEMPORARY TABLE events (notification_id bigint)")
    writer.execute("SET search_path = pg_temp, public")

    writer.execute(
        "SELECT registry.append('{case/1}', '{1}', '{test.case_counted}', ARRAY['{}'::bytea], '{}', '{}', '{}',"
        " NULL, NULL, NULL)"
    )

    assert store.position() == 1


def test_what_the_projector_makes_may_be_read(connect):
    projector = connect("projector")
    projector.execute("CREATE TABLE views.standing (number text)")
    projector.execute("CREATE SCHEMA scratch")
    projector.execute("CREATE TABLE scratch.standing (number text)")

    for role, table in product(("reader", "writer"), ("views.standing", "scratch.standing")):
        connect(role).execute(f"SELECT * FROM {table}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(role).execute(f"DELETE FROM {table}")


def test_only_events_have_a_notification_id(connect):
    found = (
        connect()
        .execute(
            "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name = 'notification_id'"
        )
        .fetchall()
    )

    assert found == [("registry", "events")]


# --- migrations

MIGRATE = (
    "import sys; from pathlib import Path; from registry import database; from registry.settings import Settings\n"
)
MIGRATE += "print(database.migrate(Settings(home=Path(sys.argv[1]), database_url=sys.argv[2])))"


def test_eight_processes_migrate_two_new_databases_of_a_new_server_at_once(tmp_path, folder):
    settings = Settings(home=folder)
    sockets = database.start(settings, lasting=False)
    addresses = [database._embedded_url(sockets, name) for name in ("one", "two")]
    with psycopg.connect(database._embedded_url(sockets, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE one")
        connection.execute("CREATE DATABASE two")

    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, tmp_path, address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for address in addresses * 4
    ]
    answers = [process.communicate(timeout=60) for process in processes]

    every = str([name for _, name, _ in database.migrations()])
    assert [error for _, error in answers] == [""] * 8
    assert sorted(out.strip() for out, _ in answers) == sorted([every] * 2 + ["[]"] * 6)
    assert all(database.is_migrated(Settings(home=folder, database_url=address)) for address in addresses)


def test_migrating_again_changes_nothing(settings):
    assert database.migrate(settings) == []
    database.ready(settings)


def test_a_service_does_not_make_tables(new_database, tmp_path):
    settings = Settings(home=tmp_path, database_url=new_database(empty=True))

    assert not database.is_migrated(settings)
    with pytest.raises(database.NotMigrated, match="registry migrate"):
        database.ready(settings)


def test_an_applied_file_is_never_edited(settings, connect):
    connect("owner").execute("UPDATE registry.migrations SET sha256 = 'other' WHERE number = 2")

    with pytest.raises(database.NotMigrated, match=r"002_vault\.sql"):
        database.migrate(settings)


def test_a_role_that_may_make_roles_is_enough(new_database, tmp_path, connect):
    address = new_database(empty=True)
    name = address.partition("?")[0].rpartition("/")[2]
    connect().execute(f"CREATE ROLE {name} LOGIN CREATEROLE")
    connect().execute(f"GRANT ALL ON DATABASE {name} TO {name} WITH GRANT OPTION")
    for role in ROLES:
        connect().execute(f"GRANT registry_{role} TO {name} WITH ADMIN OPTION")
    settings = Settings(home=tmp_path, database_url=address.replace("postgres@", f"{name}@"))
    try:
        database.migrate(settings)
        assert database.is_migrated(settings)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {name} CASCADE")
            connection.execute(f"ALTER DATABASE {name} OWNER TO postgres")
            connection.execute(f"REVOKE ALL ON DATABASE {name} FROM {name} CASCADE")
            connection.execute(f"DROP ROLE {name}")


def test_passwords_are_set_from_the_settings(folder):
    home = Settings(home=folder)
    sockets = database.start(home, lasting=False)
    passwords = {role: f"{role}'s s3cret/@" for role in ROLES}
    settings = Settings(home=folder, database_url=database._embedded_url(sockets), passwords=passwords)

    database.migrate(settings)
    hba = Path(home.home / "postgres" / "data" / "pg_hba.conf")
    hba.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    with psycopg.connect(database.address(settings), autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")

    for role in ROLES:
        with database.connect(database.url(settings, role)) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (f"registry_{role}",)
    assert database.migrate(settings) == []
    with pytest.raises(database.Unavailable):
        database.connect(database.url(Settings(home=folder, database_url=settings.database_url), "writer"))


def test_the_address_of_a_role_keeps_everything_but_the_user(tmp_path):
    settings = Settings(
        home=tmp_path,
        database_url="postgresql://amy:secret@db1:5432,db2:5433/reg?sslmode=verify-full&user=bob&host=%2Frun%2Fmy%20db",
        passwords={"writer": "a/b@c"},
    )

    assert database.url(settings, "writer") == (
        "postgresql://registry_writer:a%2Fb%40c@db1:5432,db2:5433/reg?sslmode=verify-full&host=%2Frun%2Fmy%20db"
    )
    assert database.url(settings, "reader").startswith("postgresql://registry_reader@db1")


# --- the embedded server


@pytest.fixture
def folder():
    """A short path that the server's user can reach, whose server is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="registry-test-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        for left in path.rglob("postmaster.pid"):
            os.kill(int(left.read_text().split()[0]), signal.SIGINT)
            while left.exists():
                time.sleep(0.02)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_embedded_server_starts_and_stops(folder, capsys):
    settings = Settings(home=folder / "my 'own' \"home\", $HOME", temporary=folder)

    database.ready(settings)

    assert database.is_migrated(settings)
    with database.connect(database.url(settings, "writer")) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("registry_writer",)
    assert (settings.home / "postgres" / "data" / "PG_VERSION").exists()
    assert database.stop(settings)
    assert not database.stop(settings)
    assert capsys.readouterr().err == ""


def test_after_a_crash_it_starts_again(folder):
    settings = Settings(home=folder, temporary=folder)
    database.migrate(settings)
    file = folder / "postgres" / "data" / "postmaster.pid"
    os.kill(int(file.read_text().split()[0]), signal.SIGKILL)
    while database._Place(settings).runs():
        time.sleep(0.01)

    assert database.migrate(settings) == []
    assert database.stop(settings)


def test_eight_processes_start_it_at_once(folder):
    code = (
        "import sys; from pathlib import Path; from registry import database; from registry.settings import Settings\n"
        "s = Settings(home=Path(sys.argv[1]), temporary=Path(sys.argv[1]))\n"
        "database.ready(s); print(database.is_migrated(s))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]

    assert [process.communicate(timeout=60) for process in processes] == [("True\n", "")] * 8
    assert database.stop(Settings(home=folder, temporary=folder))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as somebody else")
def test_a_link_does_not_open_a_closed_folder(folder):
    (folder / "closed" / "home").mkdir(parents=True)
    (folder / "closed").chmod(0o700)
    (folder / "link").symlink_to(folder / "closed" / "home")
    settings = Settings(home=folder / "link", temporary=folder)

    database.ready(settings)

    assert mode(folder / "closed") == 0o700
    assert database.stop(settings)


def test_a_long_path_gets_its_socket_elsewhere(folder):
    home = folder / ("long" * 30)
    settings = Settings(home=home, temporary=folder)

    sockets = database.start(settings)

    assert (home / "postgres" / "data" / "PG_VERSION").exists()
    assert len(str(sockets)) < 90
    assert mode(sockets) == 0o700
    assert database.stop(settings)


def test_what_was_there_is_there_after_a_restart(folder):
    settings = Settings(home=folder / "home", temporary=folder)
    database.migrate(settings)
    database.stop(settings)

    assert database.migrate(settings) == []
    assert database.stop(settings)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as somebody else")
def test_under_a_closed_folder_root_keeps_the_cluster_elsewhere_and_says_so(folder, capsys):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings(home=closed / "home", temporary=folder)

    database.ready(settings)

    assert mode(closed) == 0o700
    assert not (settings.home / "postgres").exists()
    said = capsys.readouterr().err
    assert str(settings.home) in said
    assert str(folder / "registry-") in said
    assert database.is_migrated(settings)
    assert database.stop(settings)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as somebody else")
def test_a_cluster_whose_folder_was_closed_is_not_replaced_by_an_empty_one(folder):
    settings = Settings(home=folder / "home", temporary=folder)
    database.migrate(settings)
    database.stop(settings)
    settings.home.chmod(0o700)

    with pytest.raises(BadSetting, match="REGISTRY_HOME"):
        database.url(settings, "reader")


def test_a_folder_that_somebody_put_there_is_not_used(folder):
    settings = Settings(home=folder / "home", temporary=folder)
    settings.home.mkdir()
    (folder / "theirs").mkdir()
    (settings.home / "postgres").symlink_to(folder / "theirs")

    with pytest.raises(BadSetting, match="somebody else"):
        database.start(settings)

    assert list((folder / "theirs").iterdir()) == []


def test_programs_that_the_server_can_not_reach_are_copied(folder, monkeypatch):
    settings = Settings(home=folder / "home", temporary=folder)
    monkeypatch.setattr(database, "_reaches", lambda *_: False)

    database.ready(settings)

    running = next((folder / "home" / "postgres" / "data").glob("postmaster.opts")).read_text()
    assert database.stop(settings)
    if os.geteuid() == 0:
        assert running.startswith(str(folder / "registry-"))


@pytest.mark.skipif(os.geteuid() != 0, reason="a user's own server is what all the tests here use")
def test_it_runs_for_a_user_too(folder):
    folder.chmod(0o777)
    code = (
        "import sys; from pathlib import Path; from registry import database; from registry.settings import Settings\n"
        "s = Settings(home=Path(sys.argv[1]), temporary=Path(sys.argv[1]))\n"
        "database.ready(s); print(database.is_migrated(s), database.stop(s))"
    )
    here = Path(database.__file__).parents[1]
    # The tests' own interpreter may lie where that user can't reach it.
    python = next((p for p in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}") if reached(p)), None)
    if python is None:
        pytest.skip("no Python that another user can run")
    done = subprocess.run(
        [python, "-c", code, str(folder / "home")], user="nobody", group=pwd.getpwnam("nobody").pw_gid,
        extra_groups=[], env={"PYTHONPATH": os.pathsep.join([str(here), *sys.path])}, cwd="/", capture_output=True,
        text=True, check=False,
    )  # fmt: skip

    assert (done.stdout.strip(), done.stderr) == ("True True", "")


def reached(python):
    try:
        done = subprocess.run([python, "--version"], user="nobody", extra_groups=[], check=False, capture_output=True)
    except OSError:
        return False
    return done.returncode == 0
