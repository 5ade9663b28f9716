"""Applications over HTTP, from the registration to the appeal: lives as a coordinator sees them."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from faces import TRAINING, WORK, created
from grounds import PATIENCE
from references import give_references

NO = {"outcome": "decline", "reasons": ["competencies_not_shown"]}


@pytest.fixture
def ct(client):
    return client("coordinator", association="CT")


def applying(ct, client, name, email):
    """Somebody in Connecticut, where a fee is asked, who has begun an application: person, holder, application."""
    person = created(ct.do("/people", {"name": name, "residence": "CT", "email": email}), "person")
    holder = client("holder", person=person)
    started = holder.do(f"/people/{person}/applications", {"association": "CT", "category": "IFA"})
    return person, holder, created(started, "application")


def test_from_a_sponsored_registration_to_the_reviewers(ct, client, life, registry):
    person, holder, application = applying(ct, client, "Imani Castellanos", "imani@example.org")
    path = f"/applications/{application}"
    assert holder.get(path).json()["can"] == ["change_category", "withdraw_application"]
    refused = ct.post(f"{path}/registrations").json()
    assert [gap["requirement"] for gap in refused["missing"]] == ["membership", "registration_fee"]
    assert refused["missing"][1]["source"] == "TX-APP, NE-APP"
    # Fee and membership with the same deed; the amount is the association's own.
    body = {"fee": "sponsored", "sponsor": "DBHDS", "member_through": "2026-12-31"}
    key = str(uuid.uuid4())
    done = ct.do(f"{path}/registrations", body, **{"Idempotency-Key": key})
    assert len(done["events"]) == 3
    again = ct.post(f"{path}/registrations", body, key=key)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (done, "true")
    assert holder.get(path).json()["fees"]["registration"] == {
        "how": "sponsored", "amount": 1500, "currency": "USD", "sponsor": "DBHDS",
    }  # fmt: skip

    # Out of turn: the state, and what the one who asks may do.
    early = ct.post(f"{path}/reviewers", {"reviewer": life.reviewers[0][0]})
    assert (early.status_code, early.json()["code"], early.json()["state"]) == (409, "out_of_turn", "building")
    assert "settle_fee" in early.json()["can"]
    assert "submit_application" not in early.json()["can"]

    for entry in (WORK, TRAINING):
        holder.do(f"/people/{person}/entries", entry)
    give_references(registry, person, "IFA", association="CT", relationships=["supervisor", "colleague"])
    refused = holder.post(f"{path}/submissions", {"signed": True}).json()
    assert [(gap["requirement"], gap["have"]) for gap in refused["missing"]] == [("references", 2), ("reference", 0)]
    assert refused["missing"][1]["words"].startswith("a reference from somebody endorsed, or vetted")
    live = holder.get(path).json()["missing"]
    assert live["missing"] == refused["missing"]
    assert [judged["counts"] for judged in live["references"]] == [True, True]
    give_references(registry, person, "IFA", association="CT", relationships=["colleague"])
    refused = holder.post(f"{path}/submissions", {"signed": True}).json()
    assert [(one["reason"], one["source"]) for one in refused["references"]] == [("not_vetted", "CT-ECFA")]
    assert holder.get(f"/people/{person}/missing?category=IFA").json()["missing"] == refused["missing"]
    unvetted = refused["references"][0]["reference"]
    ct.do(f"/references/{unvetted}/vettings", {"qualified": True, "note": "Phoned."})
    submitted = holder.do(f"{path}/submissions", {"signed": True})
    assert len(submitted["events"][0]["facts"]["references"]) == 3

    # No reviewer before the processing fee is settled.
    unpaid = ct.post(f"{path}/reviewers", {"reviewer": life.reviewers[0][0]}).json()
    assert (unpaid["state"], unpaid["can"]) == ("processing_fee_due", ["settle_fee"])
    ct.do(f"{path}/fees", {"what": "processing", "how": "waived"})
    ct.do(f"{path}/reviewers", {"reviewer": life.reviewers[0][0]})


def test_a_refused_registration_leaves_the_way_open_for_another(ct, client):
    person, holder, application = applying(ct, client, "Jelena Achterberg", "jelena@example.org")
    second = holder.post(f"/people/{person}/applications", {"association": "CT", "category": "IFS"})
    assert (second.status_code, second.json()["code"]) == (409, "taken")
    ct.do(f"/applications/{application}/refusals", {"reason": "wrong_category"})
    assert holder.get(f"/applications/{application}").json()["state"] == "refused"
    holder.do(f"/people/{person}/applications", {"association": "CT", "category": "IFS"})


def judge(life, application, number, person, **body):
    life.va.do(f"/applications/{application}/reviewers", {"reviewer": number})
    their = life.client("reviewer", person=person)
    their.do(f"/applications/{application}/recommendations", {"reviewer": number} | body)
    return their


def test_a_hold_an_amendment_a_final_no_and_an_appeal_that_others_review(life, client):
    application = life.submitted()
    path = f"/applications/{application}"
    held = {"outcome": "hold", "reasons": ["more_training"]}
    reviewers = [judge(life, application, number, person, **held) for number, person in life.reviewers]
    life.va.do(f"{path}/holds", {"reasons": ["more_training"]})
    life.holder.do(f"/people/{life.person}/entries", TRAINING | {"hours": 8})
    assert life.holder.get(path).json()["missing"]["missing"] == []
    life.holder.do(f"{path}/amendments")
    # The same reviewers judge anew.
    assert {one["outcome"] for one in life.va.get(path).json()["reviewers"]} == {None}
    for (number, _), their in zip(life.reviewers, reviewers, strict=True):
        their.do(f"{path}/recommendations", {"reviewer": number} | NO)
    life.va.do(f"{path}/declines", {"reasons": NO["reasons"]})

    # The applicant appeals, once; who decided does not decide the appeal.
    life.holder.do(f"{path}/appeals")
    assert life.va.post(f"{path}/appeal-decisions", {"verdict": "granted"}).status_code == 403
    client("alliance").do(f"{path}/appeal-decisions", {"verdict": "granted"})
    before = life.va.post(f"{path}/reviewers", {"reviewer": life.reviewers[0][0]})
    assert "judged it before the appeal" in before.json()["detail"]

    # Other reviewers; they learn nothing of the first ones' judgements nor of each other's before both have judged.
    (first, one), (second, two) = [life.endorse() for _ in range(2)]
    history = life.va.get(f"{path}/history").json()["events"]
    judged = [event["position"] for event in history if event["topic"] == "application.review_recommended"]
    life.va.do(f"{path}/reviewers", {"reviewer": second})
    earlier = judge(life, application, first, one, outcome="approve")
    waiting = client("reviewer", person=two)
    assert "recommended" not in waiting.get(f"{path}/history").text
    assert {review["outcome"] for review in waiting.get(path).json()["reviewers"]} == {None}
    for position in judged:
        assert waiting.http.get(f"/log/{position}.tlog-proof").status_code == 404
    assert earlier.get(f"{path}/history").text.count("application.review_recommended") == 1
    waiting.do(f"{path}/recommendations", {"reviewer": second, "outcome": "approve"})
    assert waiting.get(f"{path}/history").text.count("application.review_recommended") == 6
    life.va.do(f"{path}/approvals")


def test_two_coordinators_decide_at_once_one_wins_the_other_is_told_what_changed(life, client, store, monkeypatch):
    path = f"/applications/{life.judged()}/approvals"
    seen = life.va.get(path.removesuffix("/approvals")).headers["ETag"]
    both = [client("coordinator", association="VA") for _ in range(2)]
    barrier, whole = threading.Barrier(2), store.recorder.append

    def together(*events, **facts):
        barrier.wait(timeout=PATIENCE)  # both have decided, neither has written
        return whole(*events, **facts)

    monkeypatch.setattr(store.recorder, "append", together)
    with ThreadPoolExecutor(2) as two:
        answers = sorted(two.map(lambda va: va.post(path), both), key=lambda answer: answer.status_code)
    monkeypatch.undo()
    assert [answer.status_code for answer in answers] == [201, 409]
    lost = answers[1].json()
    assert lost["code"] == "conflict"
    assert [fact["topic"] for fact in lost["changed"]] == ["application.approved"]
    assert "Since then: approved (2026-06-01)" in lost["detail"]
    # Whoever names the version they saw is told the same; who comes later, the state.
    stale = both[0].post(path, **{"If-Match": seen})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed")
    assert [fact["topic"] for fact in stale.json()["changed"]] == ["application.approved"]
    later = both[0].post(path).json()
    assert (later["code"], later["state"], later["can"]) == ("out_of_turn", "approved", [])


def test_an_add_on_has_one_open_application_and_says_what_is_missing(life):
    number, who = life.endorse(category="IFS")
    holder = life.client("holder", person=who)
    asked = {"add_on": "ERS", "add_on_to": number}
    application = created(holder.do(f"/people/{who}/applications", asked), "application")
    second = holder.post(f"/people/{who}/applications", asked)
    assert (second.status_code, second.json()["code"]) == (409, "taken")
    missing = holder.get(f"/applications/{application}").json()["missing"]
    assert (missing["edition"], missing["category"]) == ("ERS-2024", "IFS+ERS")
    assert [(one["what"], one["met"]) for one in missing["requirements"] if one["what"] == "endorsed"] == [
        ("endorsed", True)
    ]
    assert [gap["requirement"] for gap in missing["missing"]] == [
        "rsc_given", "rsc_about_given", "rsc_provision", "references", "reference", "reference", "membership",
    ]  # fmt: skip
    ahead = holder.get(f"/people/{who}/missing?category=ERS").json()
    assert ahead["missing"] == missing["missing"][:-1]
    holder.do(f"/applications/{application}/withdrawals")
    holder.do(f"/people/{who}/applications", asked)
