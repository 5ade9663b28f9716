"""A command sent twice with one Idempotency-Key happens once and is answered truly; If-Match holds what was seen."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from domain.errors import OutOfTurn
from registry.database import Unanswered

MARISOL = {"name": "Marisol Okafor", "residence": "VA"}


@pytest.fixture
def va(client):
    return client("coordinator", association="VA")


def test_a_repeated_request_gets_its_earlier_answer(va, store):
    key = str(uuid.uuid4())
    first = va.post("/people", MARISOL, key=key)
    at = store.position()
    again = va.post("/people", MARISOL, key=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert store.position() == at


def test_another_body_under_the_same_key_is_refused(va):
    key = str(uuid.uuid4())
    va.do("/people", MARISOL, **{"Idempotency-Key": key})
    other = va.post("/people", MARISOL | {"name": "Somebody Else"}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert "Marisol" not in other.text


def test_the_same_values_in_another_spelling_are_the_same_body(va):
    key = str(uuid.uuid4())
    va.do("/people", MARISOL, **{"Idempotency-Key": key})
    spelled = '{ "residence": "VA",\n "name": "Marisol\\u0020Okafor" }'
    again = va.http.post(
        "/api/people", content=spelled, headers={"Idempotency-Key": key, "Content-Type": "application/json"}
    )
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", [None, "", "7", "not-a-uuid", "x" * 300])
def test_a_post_without_a_uuid_is_told_which_header(va, store, key):
    before = store.position()
    headers = {} if key is None else {"Idempotency-Key": key}
    refused = va.http.post("/api/people", json=MARISOL, headers=headers)
    assert (refused.status_code, refused.json()["field"]) == (400, "Idempotency-Key")
    assert store.position() == before


def test_eight_at_once_are_done_once(client, life, store):
    """Whoever comes too late gets the answer of the first, also where the case is no longer in that state."""
    application = life.submitted()
    key, barrier = str(uuid.uuid4()), threading.Barrier(8)
    secret = life.holder.http.headers["Authorization"]

    def withdraw(_):
        one = client()
        one.http.headers["Authorization"] = secret
        barrier.wait()
        return one.post(f"/applications/{application}/withdrawals", key=key)

    before = store.position()
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(withdraw, range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert store.position() == before + 1


def test_an_answer_that_was_lost_is_given_again(va, store, monkeypatch):
    """The database did it, and the connection broke before it said so."""
    key, whole = str(uuid.uuid4()), store.recorder.append

    def lose(*args, **facts):
        whole(*args, **facts)
        raise Unanswered("lost")

    monkeypatch.setattr(store.recorder, "append", lose)
    answer = va.post("/people", MARISOL, key=key)
    monkeypatch.undo()
    again = va.post("/people", MARISOL, key=key)
    assert (answer.status_code, again.status_code) == (201, 201)
    assert answer.json() == again.json()


def test_what_was_not_done_says_so_and_can_be_sent_again(va, store, monkeypatch):
    def lose(*_, **__):
        raise Unanswered("lost")

    key = str(uuid.uuid4())
    monkeypatch.setattr(store.recorder, "append", lose)
    answer = va.post("/people", MARISOL, key=key)
    monkeypatch.undo()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert va.post("/people", MARISOL, key=key).status_code == 201


def test_if_match_holds_what_was_seen(life):
    number = life.endorsed()
    seen = life.va.get(f"/endorsements/{number}").headers["ETag"]
    suspend = {"reason": "fraud_being_established"}
    assert life.va.post(f"/endorsements/{number}/suspensions", suspend, **{"If-Match": '"1"'}).status_code == 412
    done = life.va.post(f"/endorsements/{number}/suspensions", suspend, **{"If-Match": seen})
    assert done.status_code == 201
    stale = life.va.post(f"/endorsements/{number}/liftings", **{"If-Match": seen})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed")
    lifted = life.va.post(f"/endorsements/{number}/liftings", **{"If-Match": done.headers["ETag"]})
    assert lifted.status_code == 201
    assert life.va.post(f"/endorsements/{number}/liftings", **{"If-Match": "seven"}).json()["code"] == "if_match"


def test_a_record_that_has_not_changed_is_not_sent_again(life):
    number = life.endorsed()
    seen = life.va.get(f"/endorsements/{number}").headers["ETag"]
    assert life.va.get(f"/endorsements/{number}", **{"If-None-Match": seen}).status_code == 304


def test_a_state_says_what_is_possible(life):
    number = life.endorsed()
    refused = life.va.post(f"/endorsements/{number}/liftings")
    assert refused.status_code == 409
    problem = refused.json()
    assert (problem["code"], problem["state"]) == (OutOfTurn.code, "active")
    assert "suspend" in problem["can"]


def test_an_answer_waits_for_the_views(life, views):
    done = life.va.do("/people", {"name": "Zoë Quispe", "residence": "VA"})
    late = life.client().get(f"/register?position={done['position']}")
    assert (late.status_code, late.json()["code"]) == (503, "behind")
    threading.Timer(0.2, views.catch_up).start()
    in_time = life.client().get(f"/register?position={done['position']}")
    assert in_time.status_code == 200
    assert int(in_time.headers["X-Registry-Position"]) >= done["position"]


def test_nobody_is_asked_twice_who_has_no_key(client):
    assert psycopg is not None
    answer = client().post("/people", MARISOL)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
