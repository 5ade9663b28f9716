"""Certificates as the demo issues them, and static planes: made once for all strangers."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from grounds import MASTER_KEY, TEMPLATE, address
from issued import issue
from psycopg.sql import SQL, Identifier

from registry.settings import Settings


@pytest.fixture(scope="session")
def issued(server, tmp_path_factory) -> Iterator[Path]:
    """A folder of folders: a certificate's files by what became of it, and planes by what is wrong with them."""
    folder, name = tmp_path_factory.mktemp("issued"), f"test_{uuid.uuid4().hex}"
    (home := folder / "var").mkdir()
    with psycopg.connect(address(server, "postgres"), autocommit=True) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(Identifier(name), Identifier(TEMPLATE))
        )
        try:
            issue(Settings(home=home, database_url=address(server, name), master_key=MASTER_KEY), folder)
            yield folder
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
