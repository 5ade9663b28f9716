"""A registry with every association admitted, and what it takes to import small rosters into it."""

from random import Random

import pytest
from rosters import NOW, file

from domain.access import OPERATOR
from registry.commands import Act, Registry
from registry.importing import import_roster, stream_of_record
from registry.roster import read_roster


@pytest.fixture
def registry(store, clock) -> Registry:
    clock.set(NOW)
    registry = Registry(store, clock=clock, draw=Random(7).randbytes, kid=lambda: "0" * 16)
    registry.admit_all(Act(OPERATOR))
    return registry


@pytest.fixture
def take(registry):
    """Imports rows as one file: `take(row(), row(...))`; gives the tally."""

    def take(*rows, actor=OPERATOR):
        return import_roster(registry, actor, read_roster(file(*rows), registry.clock()))

    return take


@pytest.fixture
def held_by(registry):
    """The endorsement that holds a record."""

    def held_by(record, association="VA"):
        from domain.endorsement import Endorsement

        holder = stream_of_record(registry.store, association, record)
        return registry.store.get(Endorsement, holder.partition("/")[2])

    return held_by


@pytest.fixture
def recorded(registry):
    """The events after a position, opened."""

    def recorded(after=0):
        positions = range(after + 1, registry.store.position() + 1)
        return [registry.store.opened(registry.store.at(position)[1]) for position in positions]

    return recorded
