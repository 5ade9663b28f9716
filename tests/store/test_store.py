"""What the store promises of events, requests and claims."""

from datetime import date

from domain.aggregate import Aggregate
from domain.event import Event

ON = date(2026, 6, 1)


class Counted(Event, frozen=True, kw_only=True):
    topic = "test.counted"
    by_how_many: int

    def apply(self, aggregate):
        aggregate.total += self.by_how_many


class Counter(Aggregate):
    kind = "counter"

    def __init__(self, name):
        super().__init__(name)
        self.total = 0

    def count(self, by_how_many, by="amy"):
        self.record(Counted, on=ON, by=by, by_how_many=by_how_many)


def counter(name="one", *counts):
    new = Counter(name)
    for count in counts:
        new.count(count)
    return new


def test_what_was_saved_is_loaded(store, clock):
    recorded = store.save(counter("one", 3, 4))

    assert recorded.positions == [1, 2]
    assert store.get(Counter, "one").total == 7
    assert [event.recorded_at for event in recorded.events] == [clock.now, clock.now]
    assert store.events("counter/one") == list(zip(recorded.positions, recorded.events, strict=True))
    assert store.at(2) == (2, recorded.events[1])
    assert store.position() == 2
