"""Any day, as known at any position: what a past answer says, what it keeps to itself, and what is refused."""

import pytest

from domain.access import OPERATOR, Actor
from registry.api.openapi import document
from registry.api.past import Takes
from registry.api.questions import QUESTIONS
from registry.commands import Act

STAFF = Actor("coordinator", association="VA", id="k8")


def last(life) -> int:
    return life.registry.store.position()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_question_says_which_past_it_answers(question):
    assert isinstance(question.takes, Takes), "say takes=: see registry/api/past.py"
    assert question.takes == (True, True, "") or question.takes.instead
    asked = document("registry.example", [question.asked])["paths"][f"/api{question.path}"]["get"]["parameters"]
    said = {one["name"] for one in asked if one["in"] == "query"}
    assert ("known" in said, "on" in said) == (question.takes.known, question.takes.on)


def test_what_a_question_does_not_take_is_refused_and_never_answered_of_the_present(client):
    anybody = client("operator")
    for question in QUESTIONS:
        path = question.path.format(
            number="IFS-7K3MQ9TD", person="p", application="a", transfer="t", reference="r", exam="x", audit="u",
            review="q", item="i-1", code="VA", cti="0" * 32, file="qr.png", employer="e",
        )  # fmt: skip
        for field, value in (("known", "1"), ("on", "2026-06-01")):
            answer = anybody.get(f"{path}?{field}={value}")
            if not getattr(question.takes, field):
                assert (answer.status_code, answer.json()["code"]) == (422, "past_not_held"), question.name
                assert answer.json()["field"] == field
    refused = anybody.get("/exams?known=1").json()
    assert refused["commands"][0] == "registry replay --known 1 --name then"
    assert all(command in refused["detail"] for command in refused["commands"])


def test_a_position_a_time_and_a_day_that_are_not_of_this_history_are_told_apart(life, client, clock):
    number, _ = life.reviewers[0]
    end = last(life)
    va = life.va
    for known, said in {
        "0": f"positions 1 to {end}", str(end + 1): f"no position {end + 1}", "9" * 18: "positions 1 to",
        "2030-01-01T00:00:00Z": "in the future", "2027-01-01": "in the future",
        "1999-12-31": "first event was recorded",
        "2019-05-01T00:00:00Z": "Nothing was recorded by", "soon": "Give a position", "2026-13-01": "Give a position",
        "0001-01-01T00:00:00+23:00": "Give a time",
    }.items():  # fmt: skip
        for path in (f"/endorsements/{number}", "/register", "/associations/VA/queue"):
            answer = va.http.get(f"/api{path}", params={"known": known})
            assert (answer.status_code, answer.json()["field"]) == (422, "known"), (path, known)
            assert said in answer.json()["detail"], answer.json()
    for on in ("2026-02-30", "yesterday", "20260601x"):
        assert va.get(f"/endorsements/{number}?on={on}").json()["field"] == "on"
    early = va.get(f"/endorsements/{number}?on=1990-01-01")
    assert (early.status_code, early.json()["field"]) == (422, "on")
    assert "endorsed on 2020-03-02" in early.json()["detail"]


def test_a_time_is_the_last_position_recorded_by_then(life, client, clock):
    number, _ = life.reviewers[0]
    before = last(life)
    clock.move(days=1)
    life.va.do(f"/endorsements/{number}/suspensions", {"reason": "fraud_being_established"})
    clock.move(days=1)
    va = client("coordinator", association="VA")
    for known in (str(before), "2026-06-01", "2026-06-01T23:59:59Z", "2026-06-02T08:00:00+05:00"):
        answer = va.http.get(f"/api/endorsements/{number}", params={"known": known})
        said = answer.json()
        assert (said["standing"], said["position"]) == ("active", before)
        assert answer.headers["X-Registry-Position"] == str(before)
        assert "can" not in said
    assert said["known"].startswith("2026-06-02T03:00:00")
    assert va.get(f"/endorsements/{number}?known={before}").json()["known"] == before
    # Today's day, as far as it has come; a later day, as known then: the belief of then about it.
    assert va.get(f"/endorsements/{number}?known=2026-06-03").json()["standing"] == "suspended"
    assert va.get(f"/endorsements/{number}?known={before}&on=2028-01-01").json()["standing"] == "lapsed"
    both = va.get(f"/endorsements/{number}?known={before}&on=2026-06-02").json()
    assert (both["standing"], both["on"], both["known"], both["position"]) == ("active", "2026-06-02", before, before)


def test_cases_are_answered_as_they_were_known(life, client, views):
    application = life.submitted()
    submitted = last(life)
    first = life.reviewers[0][0]
    life.va.do(f"/applications/{application}/reviewers", {"reviewer": first})
    views.catch_up()
    then = life.va.get(f"/applications/{application}?known={submitted}").json()
    assert (then["state"], then["reviewers"], then["position"]) == ("submitted", [], submitted)
    assert "missing" not in then
    assert life.va.get(f"/applications/{application}").json()["state"] == "in_review"
    history = life.va.get(f"/applications/{application}/history?known={submitted}").json()["events"]
    assert history[-1]["topic"] == "application.submitted"
    early = life.va.get(f"/applications/{application}?known=1")
    assert (early.status_code, early.json()["field"]) == (422, "known")
    person = life.va.get(f"/people/{life.person}?known={submitted}").json()
    assert (person["name"], len(person["entries"])) == ("Marisol Okafor", 2)
    stranger = client("coordinator", association="CT")
    assert stranger.get(f"/applications/{application}?known={submitted}").status_code == 403


def test_a_queue_of_then_is_the_queue_that_was_shown_then(life, client, views, clock):
    application = life.submitted()
    life.endorse("CT")
    shown = []
    va = client("coordinator", association="VA")
    deeds = [
        lambda: life.va.do(f"/applications/{application}/reviewers", {"reviewer": life.reviewers[0][0]}),
        lambda: life.va.do(f"/applications/{application}/reviewers", {"reviewer": life.reviewers[1][0]}),
        lambda: client("reviewer", person=life.reviewers[0][1]).do(
            f"/applications/{application}/recommendations", {"reviewer": life.reviewers[0][0], "outcome": "approve"}
        ),
        lambda: client("holder", person=life.reviewers[0][1]).do(
            f"/people/{life.reviewers[0][1]}/transfers", {"to": "CT", "endorsements": [life.reviewers[0][0]]}
        ),
        lambda: client("holder", person=life.person).do(f"/applications/{application}/withdrawals"),
    ]
    for deed in deeds:
        views.catch_up()
        shown.append((last(life), va.get("/associations/VA/queue").json()))
        deed()
        clock.move(days=1)
        va = client("coordinator", association="VA")
    views.catch_up()
    assert va.get("/associations/VA/queue").json()["applications"] == []
    for known, then in shown:
        answer = va.get(f"/associations/VA/queue?known={known}&on={then['today']}").json()
        assert {name: answer[name] for name in then} == then
        assert answer["position"] == answer["known"] == known


def test_held_and_beliefs_of_an_association(life, client, views, clock):
    (first, _), (second, _) = life.reviewers
    before = last(life)
    clock.move(days=9)
    va = client("coordinator", association="VA")
    said = {"reason": "fraud_being_established", "on": "2026-06-03", "late": "decided_at_a_meeting"}
    va.do(f"/endorsements/{first}/suspensions", said)
    views.catch_up()

    def standing(query):
        rows = va.get(f"/associations/VA/endorsements?{query}").json()["endorsements"]
        return {row["number"]: row["standing"] for row in rows}

    assert standing("on=2026-06-02") == {first: "active", second: "active"}
    assert standing("on=2026-06-03") == {first: "suspended", second: "active"}
    assert standing(f"on=2026-06-03&known={before}") == {first: "active", second: "active"}
    assert standing("standing=suspended") == {first: "suspended"}
    early = va.get("/associations/VA/endorsements?on=1990-01-01")
    assert (early.status_code, early.json()["field"]) == (422, "on")
    told = va.get(f"/endorsements/{first}/standing?on=2026-06-03").json()
    assert [one["standing"] for one in told["believed"]] == ["active", "suspended"]
    assert [one["standing"] for one in told["spans"]] == ["active", "suspended"]
    told = va.get(f"/endorsements/{first}/standing?on=2026-06-03&known={before}").json()
    assert [one["standing"] for one in told["believed"]] == ["active"]
    assert client("coordinator", association="CT").get("/associations/VA/endorsements").status_code == 403


def test_r26_of_the_past_too_the_public_sees_only_who_is_active_and_listed_now(life, client, views, clock):
    (shown, _), (hidden, hider) = life.reviewers
    (forgotten, gone), (suspended, _), (late, _) = (life.endorse() for _ in range(3))
    before = last(life)
    registry = life.registry
    registry.choose_publication(Act(Actor("holder", person=hider)), hider, listed=False)
    registry.suspend(Act(STAFF), suspended, reason="fraud_being_established")
    registry.request_erasure(Act(STAFF), gone)
    registry.confirm_erasure(Act(OPERATOR), gone)
    clock.move(days=7)
    assert registry.carry_out_erasure(gone)
    views.catch_up()
    public = client()
    rows = public.get(f"/register?known={before}").json()
    assert {row["number"] for row in rows["endorsements"]} == {shown, late}
    assert (rows["known"], rows["position"]) == (before, before)
    for number in (hidden, forgotten, suspended):
        for query in (f"known={before}", f"known={before}&on=2026-05-01", "on=2026-05-01"):
            assert public.get(f"/endorsements/{number}?{query}").status_code == 404
            assert public.get(f"/register?number={number}&{query}").json()["endorsements"] == []
            assert public.http.get(f"/endorsements/{number}?{query}").status_code == 404
    assert public.get(f"/endorsements/{shown}?known={before}").json()["standing"] == "active"
    va = client("coordinator", association="VA")
    told = va.get(f"/people/{gone}?known={before}").json()
    assert told["name"] is None
    assert "Ada" not in va.get(f"/people/{gone}/history?known={before}").text


def test_a_name_is_the_present_one_in_every_public_answer(life, client, views):
    number = life.endorsed()
    before = last(life)
    life.va.do(f"/people/{life.person}/names", {"name": "Mar Oliveira"})
    views.catch_up()
    public = client()
    assert public.get(f"/endorsements/{number}?known={before}").json()["name"].startswith("Mar Oliveira")
    assert "Okafor" not in public.get(f"/register?known={before}").text
    assert public.get(f"/register?known={before}&name=okafor").json()["endorsements"] == []
    assert "Okafor" not in life.va.get(f"/endorsements/{number}?known={before}").text


def test_renewals_and_providers_are_counted_as_known_then(life, client, views, clock):
    (number, person), _ = life.reviewers
    client("holder", person=person).do(f"/people/{person}/provider-listings", {"listed": True, "languages": ["es"]})
    before = last(life)
    views.catch_up()
    then = life.va.get("/associations/VA/renewals").json()
    clock.move(days=1)
    life.registry.suspend(Act(STAFF), number, reason="fraud_being_established")
    views.catch_up()
    va = client("coordinator", association="VA")
    assert va.get("/associations/VA/renewals").json()["active"] == then["active"] - 1
    answer = va.get(f"/associations/VA/renewals?known={before}").json()
    assert {name: answer[name] for name in then} == then
    public = client()
    assert public.get(f"/rsc-providers/{number}?on=2026-06-02").json()["counts"] is False
    assert public.get(f"/rsc-providers/{number}?on=2026-06-02&known={before}").json()["counts"] is True
    # Who is not active now is not listed, of the past neither.
    assert public.get(f"/rsc-providers?known={before}").json()["providers"] == []
