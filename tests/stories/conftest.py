"""The world a story begins in: the Alliance and its associations admitted long ago, keys, views, and a clock."""

from datetime import UTC, datetime

import pytest
from telling import Story

from domain.association import ROWS, Association
from projections.engine import Engine
from registry.certificates.keys import announce
from registry.commands import Registry
from registry.opening import open_keys


@pytest.fixture
def story(settings, store, vault, clock, randomness, connect) -> Story:
    clock.set(datetime(2002, 1, 1, 17, tzinfo=UTC))
    keys = open_keys(settings)
    keys.init(settings.public_host, clock(), specimen=True, random=randomness)
    registry = Registry(store, clock=clock, draw=randomness, kid=lambda: keys.signer("certificate", clock()).kid)
    announce(store, keys, on=clock.today, by="operator")
    admitted = [Association(code) for code in ROWS]
    for association in admitted:
        association.admit(ROWS[association.name], "endorsement", on=clock.today, by="operator")
    store.save(*admitted)
    engine = Engine(store.mapper.load, vault.open_all)
    return Story(registry, clock, engine, connect("projector"), connect("reader"), keys)
