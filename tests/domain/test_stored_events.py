"""An event type, once stored, loads for ever: one stored example of every topic, byte for byte."""

import json
from pathlib import Path

import pytest

from domain import event as events
from domain.events import AGGREGATES, TOPICS
from registry.store import EventMapper

VECTORS = Path(__file__).parents[1] / "vectors" / "events"
MAPPER = EventMapper()


def stored(topic):
    return json.loads((VECTORS / f"{topic}.json").read_text())


def test_every_topic_has_its_vector_and_every_vector_its_topic():
    assert {path.stem for path in VECTORS.glob("*.json")} == set(TOPICS) | set(events.UPCASTERS)


@pytest.mark.parametrize("topic", sorted(path.stem for path in VECTORS.glob("*.json")))
def test_a_stored_event_loads_and_is_written_the_same(topic):
    vector = stored(topic)
    state = vector["state"].encode()
    event = MAPPER.load(vector["stream"], vector["version"], topic, state)
    if topic not in events.UPCASTERS:
        again = MAPPER.to_stored_event(event)
        assert (again.topic, again.originator_id, again.originator_version) == (
            topic,
            vector["stream"],
            vector["version"],
        )
        assert again.state == state


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_stored_event_is_remembered_without_a_question(topic):
    """`apply` never refuses, reads no clock, asks no policy: it takes any fact at any time."""
    vector = stored(topic)
    event = MAPPER.load(vector["stream"], vector["version"], topic, vector["state"].encode())
    kind = next(a for a in AGGREGATES if a.kind == vector["stream"].partition("/")[0])
    kind.fold([event])


def test_personal_fields_stand_only_in_a_persons_a_references_and_an_employers_stream_but_for_an_imported_record():
    """Endorsement, Application, Transfer, Association and key events hold no personal data (design section 5).

    The record id of an import is the one exception, sealed under its person's key.
    """
    sealed = {topic: set(fields) for topic, kind in TOPICS.items() if (fields := events.personal_fields(kind))}
    others = {
        topic: fields
        for topic, fields in sealed.items()
        if topic.partition(".")[0] not in ("person", "portfolio", "reference", "employer")
    }
    assert others == {"endorsement.imported": {"record"}}
    assert "person" in TOPICS["endorsement.imported"].__struct_fields__


def test_every_sealed_field_of_a_vector_is_sealed():
    for topic, kind in TOPICS.items():
        state = json.loads(stored(topic)["state"])
        for field in events.personal_fields(kind):
            assert set(state.get(field, {"c": 0, "h": 0})) == {"c", "h"}
