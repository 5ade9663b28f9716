"""Who acts in the tests of people."""

from domain.access import Actor
from domain.person import Person
from registry.commands import Registry

VA = Actor("coordinator", association="VA", id="k1")
BOSS = Actor("coordinator", association="VA", id="k2")
CT = Actor("coordinator", association="CT", id="k4")
ALLIANCE = Actor("alliance", association="ALLIANCE", id="k3")


def person(registry: Registry, name: str) -> Person:
    return registry.store.get(Person, name)
