"""Decide, then remember: what every aggregate shares."""

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, Self

from domain.errors import Invalid, OutOfTurn
from domain.event import Event, LateReason


class Aggregate:
    """A stream of facts and the state folded from them."""

    kind: ClassVar[str]

    def __init__(self, name: str) -> None:
        self.name = name
        self.stream = f"{self.kind}/{name}"
        self.version = 0
        self.late: LateReason | None = None
        self.pending: list[Event] = []

    def record(self, event: type[Event], *, on: date, by: str, **facts: Any) -> None:
        """Remember a new fact. Set `late` first when `on` is a past day recorded only now."""
        fact = event(
            originator_id=self.stream,
            originator_version=self.version + 1,
            on=on,
            by=by,
            late=self.late,
            **facts,
        )
        self.remember(fact)
        self.pending.append(fact)

    def remember(self, event: Event) -> None:
        event.apply(self)
        self.version = event.originator_version

    def collect_events(self) -> list[Event]:
        """Hand over the new facts (the library's name for it)."""
        pending, self.pending = self.pending, []
        return pending

    @classmethod
    def fold(cls, events: Iterable[Event]) -> Self | None:
        """The state after these events, or None when there are none."""
        aggregate: Self | None = None
        for event in events:
            if aggregate is None:
                aggregate = cls(event.originator_id.partition("/")[2])
            aggregate.remember(event)
        return aggregate

    def refuse_before(self, last: date, on: date) -> None:
        """Raise Invalid for a day before what this stream knows already: history is corrected, not cut into."""
        if on < last:
            raise Invalid(
                f"Something is on record for {last.isoformat()} already; a later fact can't be of {on.isoformat()}.",
                field="on",
            )

    def refuse_unless(self, state: str, *states: str, can: Iterable[str] = ()) -> None:
        """Raise OutOfTurn, naming the state and what is possible now, unless it is one of `states`."""
        if state not in states:
            raise OutOfTurn(self.stream, state=state, needs=states, can=tuple(can))
