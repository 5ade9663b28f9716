"""What the store promises of events, requests and claims."""

import json
from datetime import date

import msgspec
import psycopg
import pytest
from facts import ON, Case, Named, named
from grounds import PATIENCE

from domain import event as events
from domain.errors import Conflict, NotFound, Taken
from domain.event import Request, Sealed
from registry.store import KeyReused

REQUEST = Request(key="6e1f2a9c-0000-4000-8000-000000000001", body="hmac-of-the-body")


def test_what_was_saved_is_loaded(store, clock):
    recorded = store.save(Case("1").open("ann").count(3))

    assert recorded.positions == [1, 2]
    assert recorded.position == store.position() == 2
    assert [event.recorded_at for event in recorded.events] == [clock.now, clock.now]
    assert store.events("case/1") == list(zip(recorded.positions, recorded.events, strict=True))
    assert store.at(2) == (2, recorded.events[1])
    assert store.get(Case, "1").hours == 3


def test_every_event_has_a_salt_of_its_own(store):
    recorded = store.save(Case("1").open("ann").count())

    assert len({event.salt for event in recorded.events}) == 2
    assert all(len(event.salt) == 22 for event in recorded.events)


def test_the_stored_state_is_the_event_as_json_without_its_ids(store, connect):
    store.save(Case("1").open('a "quoted" ñame').count(3), request=REQUEST)

    stream, version, topic, state = connect("reader").execute("SELECT * FROM registry.events").fetchone()[:4]

    assert (stream, version, topic) == ("case/1", 1, "test.case_opened")
    assert json.loads(state).keys() == {"person", "on", "by", "recorded_at", "request", "salt"}
    assert json.loads(state)["person"] == 'a "quoted" ñame'
    assert json.loads(state)["recorded_at"] == "2026-06-01T12:00:00Z"


def test_the_bytes_stored_are_the_bytes_encoded_again(store):
    recorded = store.save(Case("1").open("ann"), request=REQUEST)

    stored = store.mapper.to_stored_event(recorded.events[0])

    assert store.mapper.to_stored_event(store.mapper.to_domain_event(stored)) == stored


def test_what_is_not_there_is_not_found(store):
    assert store.find(Case, "1") is None
    assert store.position() == 0
    with pytest.raises(NotFound):
        store.get(Case, "1")
    with pytest.raises(NotFound):
        store.at(1)


def test_saving_nothing_records_nothing(store):
    assert store.save(Case("1"), request=REQUEST) == ([], [], False, "")
    assert store.earlier(REQUEST, "amy") is None


def test_several_aggregates_are_saved_together_or_not_at_all(store):
    store.save(Case("1").open("ann"))

    with pytest.raises(Conflict):
        store.save(Case("2").open("bea"), Case("1").count())

    assert store.find(Case, "2") is None
    assert store.save(Case("2").open("bea"), Case("3").open("eve")).positions == [2, 3]


def test_who_decided_on_an_old_version_is_refused(store):
    store.save(Case("1").open("ann"))
    mine, theirs = store.get(Case, "1"), store.get(Case, "1")
    store.save(theirs.count(5))

    with pytest.raises(Conflict):
        store.save(mine.count(1))

    assert store.get(Case, "1").hours == 5


def test_a_stream_has_no_holes(store):
    late = Case("1")
    late.version = 4

    with pytest.raises(Conflict):
        store.save(late.count())


def test_refusals_leave_no_gap_in_the_positions(store):
    store.save(Case("1").open("ann"))
    for _ in range(3):
        with pytest.raises(Conflict):
            store.save(Case("1").open("bea"))
        with pytest.raises(Taken):
            store.save(Case("2").open("ann"))

    assert store.save(Case("3").open("eve")).positions == [2]


# --- requests


def test_a_repeated_request_records_nothing_and_gives_the_first_answer(store, clock):
    first = store.save(Case("1").open("ann").count(3), request=REQUEST)
    clock.move(minutes=5)

    again = store.save(Case("2").open("bea"), request=REQUEST)

    assert again.repeated
    assert (again.positions, again.events) == (first.positions, first.events)
    assert store.position() == 2
    assert store.earlier(REQUEST, "amy") == again


def test_a_key_with_another_body_is_refused(store):
    store.save(Case("1").open("ann"), request=REQUEST)
    other = Request(key=REQUEST.key, body="another")

    with pytest.raises(KeyReused) as refused:
        store.save(Case("2").open("bea"), request=other)
    with pytest.raises(KeyReused):
        store.earlier(other, "amy")

    assert refused.value.code == "idempotency_key_reused"
    assert store.position() == 1


def test_a_key_is_the_actors_own(store):
    store.save(Case("1").open("ann", by="amy"), request=REQUEST)

    assert store.earlier(REQUEST, "bob") is None
    assert not store.save(Case("2").open("bea", by="bob"), request=REQUEST).repeated


def test_a_refused_request_may_be_repeated(store):
    store.save(Case("1").open("ann"))
    with pytest.raises(Taken):
        store.save(Case("2").open("ann"), request=REQUEST)

    assert not store.save(Case("2").open("bea"), request=REQUEST).repeated


# --- claims


def test_a_name_is_held_by_one_stream_until_it_is_given_back(store):
    store.save(Case("1").open("ann"))
    assert store.holder("open_case/ann") == "case/1"
    with pytest.raises(Taken) as refused:
        store.save(Case("2").open("ann"))

    store.save(store.get(Case, "1").close())

    assert store.holder("open_case/ann") is None
    store.save(Case("2").open("ann"))
    assert store.holder("open_case/ann") == "case/2"
    assert "ann" not in str(refused.value)
    assert refused.value.facts == {"claim": "open_case"}


def test_claims_happen_in_the_order_of_the_events(store):
    store.save(Case("1").open("ann"))

    store.save(store.get(Case, "1").close(), Case("2").open("ann"))
    store.save(Case("3").open("bea").close())

    assert store.holder("open_case/ann") == "case/2"
    assert store.holder("open_case/bea") is None
    with pytest.raises(Taken):
        store.save(Case("4").open("ann"), store.get(Case, "2").close())


def test_a_stream_may_take_what_it_holds_but_not_give_back_what_it_does_not(store):
    case = Case("1").open("ann")
    case.open("ann")
    store.save(case)
    stranger = Case("2")
    stranger.person = "ann"

    store.save(stranger.close())

    assert store.holder("open_case/ann") == "case/1"


def test_what_is_claimed_below_a_folder(store):
    store.save(*(Case(name).open(name) for name in ("ann", "ann/2", "annex", "Bea")))

    assert store.claimed("open_case") == ["Bea", "ann", "ann/2", "annex"]
    assert store.claimed("open_case/ann") == ["2"]


def test_claims_are_rebuilt_from_the_events(store, connect):
    store.save(Case("1").open("ann"), Case("2").open("bea"), request=REQUEST)
    store.save(store.get(Case, "1").close(), request=Request(key="second", body="b"))
    store.save(Case("3").open("eve", by="bob").count(by="bob"), request=REQUEST)
    store.record([named()])
    look = "SELECT * FROM registry.claims ORDER BY name"
    kept = connect().execute(look).fetchall()
    connect("owner").execute("DELETE FROM registry.claims")

    assert store.rebuild_claims() == len(kept) == 5

    assert connect().execute(look).fetchall() == kept


# --- old events


def test_an_old_shape_loads_for_ever(store, connect, monkeypatch):
    def hours_from_minutes(facts):
        return {name: value for name, value in facts.items() if name != "minutes"} | {"hours": facts["minutes"] // 60}

    def counted_is_noted(facts):
        return facts | {"minutes": facts.pop("m")}

    monkeypatch.setitem(events.UPCASTERS, "test.case_counted.v0", ("test.case_counted.v1", counted_is_noted))
    monkeypatch.setitem(events.UPCASTERS, "test.case_counted.v1", ("test.case_counted", hours_from_minutes))
    state = b'{"on":"2019-03-02","by":"amy","recorded_at":"2019-03-02T10:00:00Z","salt":"s","m":120}'
    connect("owner").execute("INSERT INTO registry.events VALUES ('case/1', 1, 'test.case_counted.v0', %s, 1)", [state])

    assert store.get(Case, "1").hours == 2
    (_, event) = store.at(1)
    assert (event.topic, event.on) == ("test.case_counted", date(2019, 3, 2))


def test_an_unknown_topic_is_named(store, connect):
    connect("owner").execute("INSERT INTO registry.events VALUES ('case/1', 1, 'test.nobody', '{}', 1)")

    with pytest.raises(LookupError, match=r"test\.nobody"):
        store.events("case/1")


# --- personal fields


def test_personal_fields_are_stored_sealed(store, connect):
    recorded = store.record([named()])

    stored = connect().execute("SELECT string_agg(convert_from(state, 'UTF8'), '') FROM registry.events").fetchone()[0]
    assert "Núñez" not in stored
    assert "ana@example.org" not in stored
    assert isinstance(store.at(1)[1].name, Sealed)
    assert store.opened(recorded.events[0]).name == "Ana Núñez"
    assert store.opened(store.at(1)[1]) == msgspec.structs.replace(
        recorded.events[0], name="Ana Núñez", email="ana@example.org"
    )


def test_history_is_built_from_events(history, store):
    history(named(), named("Ana Lee", version=2))

    assert [store.opened(event).name for _, event in store.events("person/p1")] == ["Ana Núñez", "Ana Lee"]


def test_personal_fields_need_a_person(store):
    with pytest.raises(TypeError):
        store.record([Named(originator_id="case/1", originator_version=1, on=ON, by="amy", name="Ana")])


# --- the library


def test_the_library_reads_what_we_wrote(store):
    store.save(Case("1").open("ann").count(3))

    assert [event.topic for event in store.event_store.get("case/1")] == ["test.case_opened", "test.case_counted"]
    assert [n.id for n in store.recorder.select_notifications(1, 10)] == [1, 2]
    assert store.recorder.max_notification_id() == 2


def test_the_library_writes_through_append(store):
    case = Case("1").open("ann").count(3)

    assert [recording.notification.id for recording in store.event_store.put(case.collect_events())] == [1, 2]


def test_a_notice_follows_every_append(store, connect):
    listener: psycopg.Connection = connect("projector")
    listener.execute("LISTEN events")

    store.save(Case("1").open("ann"))

    assert [notice.payload for notice in listener.notifies(timeout=PATIENCE, stop_after=1)] == [""]
