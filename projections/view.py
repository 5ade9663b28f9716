"""What a view is: tables, and a `match` on events that changes their rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

from domain.event import Event
from projections.rows import Row, Rows

Change = Callable[[Rows, Event, int], None]


@dataclass(frozen=True)
class View:
    """`change(rows, event, position)` is called for the events it takes, in order.

    `opens`: the personal fields it wants as text. `extra`: SQL after its tables, with `{schema}`. `needs`: views that
    come before it, whose rows it looks at.
    """

    name: str
    tables: tuple[type[Row], ...]
    takes: tuple[type[Event], ...]
    change: Change
    opens: tuple[str, ...] = ()
    extra: str = ""
    needs: "tuple[View, ...]" = ()


class Query(NamedTuple):
    """For `connection.execute(*query)`, with or without `await`; any row factory."""

    sql: LiteralString
    parameters: dict[str, Any]


def name_of(event: Event) -> str:
    """The name of the event's stream without its kind: the number, person or case id."""
    return event.originator_id.partition("/")[2]
