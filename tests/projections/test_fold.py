"""The verifier's own fold says of any history what the aggregate says, day by day."""

import json
from datetime import date, timedelta

from hypothesis import given, settings
from lives import STANDING, endorsement_events, transfer_events

from domain.endorsement import Endorsement
from registry.bundle import Asked, _endorsement_claim, _Stored, _transfer_claim
from registry.store import EventMapper
from verifier import fold

NUMBER = "IFS-7K3MQ9TD"


def facts_of(events):
    mapper = EventMapper()
    stored = [mapper.to_stored_event(event) for event in events]
    return [
        fold.Fact(position, row.originator_version, row.topic, json.loads(row.state))
        for position, row in enumerate(stored, start=1)
    ]


def rows_of(events):
    return [
        _Stored(position, event.originator_id, event.originator_version, event.topic, b"", event)
        for position, event in enumerate(events, start=1)
    ]


def on(claim, day):
    """The span of a day, None before the award."""
    found = [one for one in claim["standing"] if one["from"] <= day and (one["to"] is None or day <= one["to"])]
    assert len(found) <= 1
    return found[0] if found else None


@given(events=endorsement_events(NUMBER, "p1", STANDING, most=10))
@settings(max_examples=80)
def test_its_fold_is_the_aggregates_word_on_every_day(events):
    claim = fold.endorsement(NUMBER, facts_of(events))
    known = Endorsement.fold(events)

    days = {one["from"] for one in claim["standing"]} | {one["to"] for one in claim["standing"] if one["to"]}
    days |= {(turn.since + timedelta(days=n)).isoformat() for turn in known.turns for n in (-1, 0, 1)}
    for text in sorted(days):
        day = date.fromisoformat(text)
        span = on(claim, text)
        if day < known.awarded_on:
            assert span is None
        else:
            assert (span["standing"], span["category"]) == (known.standing(day), known.held_as(day))


@given(events=endorsement_events(NUMBER, "p1", STANDING, most=10))
@settings(max_examples=80)
def test_what_the_registry_claims_is_what_the_verifier_derives(events):
    rows = [
        _Stored(n, one.originator_id, one.originator_version, one.topic, b"", one) for n, one in enumerate(events, 1)
    ]
    period = date(2021, 1, 1), date(2023, 6, 30)

    for asked, days in ((Asked(), (None, None)), (Asked(first=period[0], last=period[1]), period)):
        assert _endorsement_claim(rows, asked) == fold.endorsement(NUMBER, facts_of(events), *days)


@given(events=transfer_events("t1", "p1", NUMBER))
@settings(max_examples=80)
def test_and_of_a_transfer(events):
    assert _transfer_claim(rows_of(events)) == fold.transfer("t1", facts_of(events))
