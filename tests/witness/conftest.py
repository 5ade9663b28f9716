"""A witness in a folder of its own, which trusts one log."""

import pytest
from witnesses import NAME, TestLog, listening

from registry.witness.witness import Witness


@pytest.fixture
def log():
    return TestLog()


@pytest.fixture
def folder(tmp_path, log):
    Witness.make(tmp_path / "witness", NAME).trust(log.vkey)
    return tmp_path / "witness"


@pytest.fixture
def witness(folder):
    return Witness.open(folder, clock=lambda: 1780315200.7)


@pytest.fixture
def address(witness):
    with listening(witness) as address:
        yield address
