"""`registry migrate` and `registry database` at the command line."""

import typer
from typer.testing import CliRunner

from registry.cli import database as commands

app = typer.Typer()
commands.join(app)


def run(settings, *arguments):
    environment = {"REGISTRY_HOME": str(settings.home), "REGISTRY_DATABASE_URL": settings.database_url or ""}
    return CliRunner().invoke(app, arguments, env=environment)


def test_migrate_says_what_it_did(new_database, settings, tmp_path):
    empty = type(settings)(home=tmp_path, database_url=new_database(empty=True))

    assert run(empty, "migrate").output.startswith("Applied: 001_event_store.sql, ")
    assert run(empty, "migrate").output == "Nothing to do.\n"


def test_the_address_of_a_role_is_printed(settings):
    assert run(settings, "database", "url", "--role", "writer").output == (
        settings.database_url.replace("postgres@", "registry_writer@") + "\n"
    )
    assert run(settings, "database", "url", "--role", "boss").exit_code == 2


def test_a_server_that_is_not_ours_is_not_stopped(settings):
    assert run(settings, "database", "stop").exit_code == 1
