"""`registry erase` and `registry rsc-provider`: two hands, what will happen and when, and honest exit codes."""

import base64
import json
from contextlib import closing

import pytest
import typer
from humans import person
from typer.testing import CliRunner

from domain.errors import Invalid, NotFound, OutOfTurn
from registry.api.actors import Desk
from registry.cli import people

app = typer.Typer(pretty_exceptions_enable=False)
people.join(app)


@pytest.fixture
def type_in(settings, monkeypatch):
    monkeypatch.setenv("REGISTRY_HOME", str(settings.home))
    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGISTRY_MASTER_KEY", base64.b64encode(settings.master_key).decode())
    monkeypatch.delenv(people.KEY, raising=False)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_the_operator_asks_and_a_key_confirms(type_in, registry, somebody, endorsed, settings, monkeypatch):
    ana = somebody()
    number = endorsed(ana)
    with closing(Desk(settings)) as desk:
        _, secret = desk.add("coordinator", association="VA")
    asked = type_in("erase", "request", number)
    assert asked.exit_code == 0
    assert "second person" in asked.stdout
    assert number in asked.stdout
    assert isinstance(type_in("erase", "confirm", ana).exception, Invalid)
    monkeypatch.setenv(people.KEY, secret)
    confirmed = json.loads(type_in("erase", "confirm", ana, "--json").stdout)
    due = person(registry, ana).erasure_due.isoformat()
    assert (confirmed["erasure"], confirmed["due"], confirmed["ends"]) == ("confirmed", due, [number])
    monkeypatch.delenv(people.KEY)
    assert "Nothing is erased" in type_in("erase", "cancel", ana).stdout
    assert isinstance(type_in("erase", "cancel", ana).exception, OutOfTurn)
    assert isinstance(type_in("erase", "request", "nobody").exception, NotFound)


def test_the_provider_of_a_day_is_looked_up(type_in, somebody, endorsed):
    number = endorsed(somebody(), "IMHM-C")
    said = type_in("rsc-provider", number, "--on", "2026-03-02")
    assert said.exit_code == 0
    assert "It counts for FS, MHS, MHM-C" in said.stdout
    answer = json.loads(type_in("rsc-provider", number, "--on", "2020-03-02", "--json").stdout)
    assert (answer["counts"], answer["reason"]) == (False, "not_active")
    unknown = type_in("rsc-provider", "IFS-7K3MQ9TD", "--on", "2026-03-02")
    assert isinstance(unknown.exception, NotFound)
