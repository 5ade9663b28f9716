"""As-of equals replay: whatever happened, any position and day is answered as by the history up to there alone."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from lives import days, endorsement_events, histories
from test_standing import asked, fold, telling_days

from domain.endorsement import Endorsement
from projections import past, standing
from projections.engine import Engine
from registry.api import views
from registry.api.house import House
from registry.api.past import When
from registry.commands import Registry

tags = count(1)
QUIET = [HealthCheck.function_scoped_fixture]


@trying(max_examples=60)
@given(endorsement_events(), st.data())
def test_a_correction_that_is_recorded_later_changes_only_answers_that_know_of_it(events, data):
    cut = data.draw(st.integers(1, len(events)))
    whole, then = fold(events), fold(events[:cut])
    for on in telling_days(events):
        late, early = asked(whole, on, cut), asked(then, on, cut)
        assert (late is None) == (early is None)
        if late is not None:
            assert told(late) == told(early)
        # What a later event changed about a day, it changed from its own position on.
        if told(asked(whole, on, len(events))) != told(late):
            assert any(max(row.known_from, row.known_to or 0) > cut for row in whole if covers(row, on))


def told(row):
    return row and (row.category, row.custodian, row.standing, row.through, row.awarded_on, row.reported, row.edition)


def covers(row, on):
    return row.valid_from <= on and (row.valid_to is None or on < row.valid_to)


@pytest.fixture
def projector(connect):
    return connect("projector")


@pytest.fixture
def reader(connect):
    return connect("reader")


@pytest.fixture
def engine(store, vault):
    return Engine(store.mapper.load, vault.open_all)


@trying(max_examples=12, suppress_health_check=QUIET)
@given(st.data())
def test_the_view_answers_of_any_position_as_a_replay_to_there(engine, projector, reader, history, store, data):
    """In SQL, of every endorsement and day, against aggregates folded from the stored events up to the position."""
    engine.prepare(projector)
    events = data.draw(histories(tag=next(tags)))
    before = store.position()
    history(*events)
    engine.catch_up(projector)
    numbers = {event.number for event in events if isinstance(event, Endorsement.Awarded | Endorsement.Imported)}
    for known in {before + data.draw(st.integers(1, len(events))) for _ in range(3)} | {before + len(events)}:
        for number in numbers:
            stream = [row for row in store.events(f"endorsement/{number}") if row[0] <= known]
            aggregate = Endorsement.fold(event for _, event in stream)
            some = sorted(telling_days([event for _, event in stream]))[::3]
            for on in (data.draw(days), *some):
                found = reader.execute(*standing.of(number, on=on, known=known)).fetchall()
                if aggregate is None or on < aggregate.awarded_on:
                    assert found == []
                    continue
                ((_, _, category, _, stood, _, awarded_on, *_),) = found
                assert (category, stood) == (aggregate.held_as(on), aggregate.standing(on))
                assert awarded_on == aggregate.awarded_on
                folded = past.standing_on(stream, on)
                assert (folded.category, folded.custodian, folded.standing) == (category, found[0][3], stood)


@trying(max_examples=8, suppress_health_check=QUIET)
@given(st.data())
def test_a_queue_of_then_is_what_the_views_said_then(engine, projector, history, store, settings, clock, data):
    """The live views are stopped at a position and asked; later, with all recorded, they are asked of that position."""
    registry = Registry(store, clock=clock, draw=lambda n: b"\x07" * n, kid=lambda: "")
    engine.prepare(projector)
    history(*data.draw(histories(tag=next(tags))))
    first = engine.catch_up(projector)
    later = data.draw(histories(tag=next(tags)))
    history(*later)
    positions = sorted({first + data.draw(st.integers(0, len(later))) for _ in range(3)})

    async def answers():
        house = House.of(settings, registry, clock)
        try:
            on = clock.today
            said = {}
            for known in positions:
                while (at := engine.position(projector)) < known:
                    engine.advance(projector, known - at)
                said[known] = [(await views.queue(house, code, When(on=on)))[0] for code in ("VA", "CT", "ALLIANCE")]
            engine.catch_up(projector)
            for known, then in said.items():
                when = When(known, clock(), on)
                assert [(await views.queue(house, code, when))[0] for code in ("VA", "CT", "ALLIANCE")] == then
        finally:
            await house.close()

    # In a thread of its own: tests of pages in this process keep a loop.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, answers()).result()
