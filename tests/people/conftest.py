"""A registry with every association admitted, people in it, and its views."""

from collections.abc import Callable
from datetime import date

import pytest

from domain.access import OPERATOR
from domain.endorsement import Endorsement, Source, new_number
from projections.engine import Engine
from registry.commands import Act, Registry


@pytest.fixture
def registry(store, clock, randomness) -> Registry:
    made = Registry(store, clock=clock, draw=randomness, kid=lambda: "0" * 16)
    made.admit_all(Act(OPERATOR))
    return made


@pytest.fixture
def somebody(registry) -> Callable[..., str]:
    """Registers a person: `somebody("Ana Núñez", "ana@example.org")`."""

    def register(name: str = "Ana Núñez", email: str = "", residence: str = "VA") -> str:
        recorded = registry.register_person(Act(OPERATOR), name=name, email=email, residence=residence)
        return recorded.events[0].originator_id.partition("/")[2]

    return register


@pytest.fixture
def endorsed(registry) -> Callable[..., str]:
    """An endorsement of somebody, by events: `endorsed(person, "IFS")`."""

    def endorse(person: str, category: str = "IFS", association: str = "VA", *, imported: bool = False) -> str:
        held = Endorsement(new_number(category, registry.draw))
        on, through = date(2024, 3, 1), date(2027, 12, 31)
        if imported:
            held.record(
                Endorsement.Imported, number=held.number, person=person, category=category, association=association,
                awarded_on=on, through=through, standing="active", source=Source("0" * 64, 1, held.number),
                on=on, by="operator",
            )  # fmt: skip
        else:
            held.record(
                Endorsement.Awarded, number=held.number, person=person, category=category, association=association,
                application="a1", edition="FS-2023", through=through, on=on, by="operator",
            )  # fmt: skip
        registry.store.save(held)
        return held.number

    return endorse


@pytest.fixture
def views(store, vault, connect) -> Callable[[], None]:
    """Brings the views up to date."""
    engine, connection = Engine(store.mapper.load, vault.open_all), connect("projector")
    engine.prepare(connection)

    def follow() -> None:
        engine.catch_up(connection)

    return follow
