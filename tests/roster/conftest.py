"""Five thousand people, once for all tests of a worker; a test that changes one changes it for all after it."""

import uuid
from contextlib import closing

import psycopg
import pytest
from crowd import Crowd
from grounds import TEMPLATE, address
from psycopg.sql import SQL, Identifier


@pytest.fixture(scope="session")
def crowd(server, tmp_path_factory):
    name = f"test_{uuid.uuid4().hex}"
    own, template = Identifier(name), Identifier(TEMPLATE)
    with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(own, template))
        connection.execute(SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO registry_projector").format(own))
        home = tmp_path_factory.mktemp("crowd") / "var"
        home.mkdir()
        with closing(Crowd(home, address(server, name))) as made:
            yield made
        connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(own))


@pytest.fixture(scope="session")
def published(crowd):
    """After what befell some of them, and a day's work of the views and the plane."""
    crowd.befall()
    crowd.publish()
    return crowd
