"""Who read confidential data: the rows of a day become one digest in the history, and fsck compares them."""

from datetime import date, timedelta

import pytest

from domain.access import Actor
from domain.readings import Readings, digest_of
from registry.api.actors import Desk
from registry.commands import Registry
from registry.log.fsck import examine

CLERK = Actor("coordinator", association="VA", id="k1")


@pytest.fixture
def registry(store, clock, randomness):
    return Registry(store, clock=clock, draw=randomness, kid=lambda: "k")


@pytest.fixture
def read(settings, clock):
    desk = Desk(settings, clock=clock)
    desk.note_access(CLERK, "person/p1", "see_person")
    desk.note_access(CLERK, "person/p2", "see_person")
    yield str(clock().date())
    desk.close()


def test_a_day_is_digested_once_and_only_when_it_is_over(registry, store, clock, read):
    assert not registry.digest_readings(read)
    clock.move(days=1)
    assert registry.digest_readings(read)
    assert not registry.digest_readings(read)
    ((_, event),) = store.events(f"readings/{read}")
    assert (event.rows, event.digest) == (2, digest_of(store.readings_of(clock().date() - timedelta(days=1))))


def test_the_digest_does_not_depend_on_the_order_of_the_rows():
    rows = [("a", "person/p1", "see_person"), ("b", "person/p1", "see_person")]
    assert digest_of(rows) == digest_of(reversed(rows)) != digest_of(rows[:1])


def test_a_day_takes_one_digest():
    day = Readings("2026-01-01")
    day.digest([], on=date(2026, 1, 2), by="operator")
    with pytest.raises(Exception, match="digested"):
        day.digest([], on=date(2026, 1, 2), by="operator")


def test_fsck_names_the_day_whose_rows_were_changed(registry, clock, read, settings, connect):
    clock.move(days=1)
    registry.digest_readings(read)
    owner = connect("owner")
    assert examine(owner, settings.static).findings == []
    owner.execute("ALTER TABLE service.access DISABLE TRIGGER immutable")
    owner.execute("DELETE FROM service.access WHERE record = 'person/p2'")
    (finding,) = examine(owner, settings.static).findings
    assert (finding.stream, finding.version) == (f"readings/{read}", 1)
