"""The shape of a deed's row: its address, its body and the one method of the Registry that does it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from domain.access import Thing
from domain.event import LateReason
from registry.commands import Act, Registry
from registry.store import Recorded


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What every body may say: `on`, a past day the deed speaks of, and `late`, why it is recorded only now."""

    on: date | None = None
    late: LateReason | None = None


Facts = Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]]


def as_named(body: Body) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The body's fields are the method's facts, by the same names."""
    return (), {name: getattr(body, name) for name in body.__struct_fields__ if name not in ("on", "late")}


class Deed(NamedTuple):
    """`name` is the method of Registry; the names in braces in `path` are its arguments, in order."""

    name: str
    path: str
    says: str
    body: type[Any] = Body
    example: dict[str, Any] = {}
    facts: Facts = as_named
    rule: str = ""

    @property
    def access(self) -> str:
        """The row of the access table."""
        return self.rule or self.name

    @property
    def case(self) -> str:
        """What kind of thing it is done to: `people`, `endorsements`, ..."""
        return self.path.split("/")[1]

    def do(self, registry: Registry, act: Act, arguments: Sequence[str], body: Any) -> Recorded:
        positional, named = self.facts(body)
        recorded: Recorded = getattr(registry, self.name)(act, *arguments, *positional, **named)
        return recorded


P, A, E, T = "/people/{person}", "/applications/{application}", "/endorsements/{number}", "/transfers/{transfer}"
C = "/associations/{code}"
R = "/references/{reference}"

NOBODYS = Thing()
