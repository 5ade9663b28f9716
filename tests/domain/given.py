"""Given facts, one deed, then exactly these facts: history is built from events, never from commands."""

from datetime import date

from domain.aggregate import Aggregate
from domain.event import Event

DAY = date(2026, 6, 1)


def fact(event: type[Event], on: date = DAY, by: str = "coordinator:VA:k1", **facts) -> Event:
    """An event that is not yet numbered or placed in a stream."""
    return event(originator_id="", originator_version=0, on=on, by=by, **facts)


def given(aggregate, *facts: Event):
    """The aggregate after these facts."""
    for known in facts:
        placed = {name: getattr(known, name) for name in known.__struct_fields__}
        placed |= {"originator_id": aggregate.stream, "originator_version": aggregate.version + 1}
        aggregate.remember(type(known)(**placed))
    return aggregate


def then(aggregate: Aggregate) -> list[Event]:
    """The new facts, without their place in the stream, to compare with `fact(...)`."""
    return [
        fact(type(event), **{n: getattr(event, n) for n in event.__struct_fields__ if not n.startswith("originator")})
        for event in aggregate.collect_events()
    ]
