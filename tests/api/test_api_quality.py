"""A quality review over HTTP: drawn by the Alliance, looked at again by somebody from elsewhere who sees no outcome."""

import json
from datetime import date

from faces import created

from domain.access import Actor
from domain.application import Application
from domain.policy import Tally
from registry.commands import Act
from registry.commands.quality import decisions

SAMPLE = {"from": "2020-01-01", "through": "2026-12-31", "size": 5}


def test_a_quality_review_from_draw_to_close(life, client, registry, views):
    life.endorsed()
    alliance = client("alliance")
    review = created(alliance.do("/associations/VA/quality-reviews", SAMPLE), "quality_review")
    where = f"/quality-reviews/{review}"
    (item,) = [found["item"] for found in alliance.get(where).json()["items"]]

    second, person = life.endorse("CT")
    mine, from_va = life.reviewers[0][0], life.endorse()[0]
    for wrong in (mine, from_va):
        answer = alliance.post(f"{where}/items/{item}/reviewers", {"reviewer": wrong})
        assert (answer.status_code, answer.json()["field"]) == (422, "reviewer")
    alliance.do(f"{where}/items/{item}/reviewers", {"reviewer": second})
    views.catch_up()

    them = client("reviewer", person=person)
    (waiting,) = them.get("/second-reviews").json()["second_reviews"]
    seen = them.get(waiting["links"]["self"].removeprefix("/api"))
    assert len(seen.json()["handed_in"]["entries"]) == 2
    told = json.dumps(seen.json())
    for first in ("approve", *(number for number, _ in life.reviewers), "Marisol", life.person):
        assert first not in told
    assert them.get(f"/applications/{item.rpartition('-')[0]}").status_code == 403

    asked = {path: alliance.get(path).json() for path in (
        "/associations/VA/quality-reviews", "/associations/VA/reviewer-load", where)}  # fmt: skip
    then = life.registry.store.position()
    assert alliance.post(f"{where}/agreements").status_code == 409
    them.do(f"{where}/items/{item}/reviews", {"reviewer": second, "outcome": "defer", "reasons": ["more_training"]})
    alliance.do(f"{where}/agreements")
    alliance.do(f"{where}/findings", {"kind": "outcome_differs", "item": item})
    answer = alliance.post(f"{where}/closings")
    assert answer.status_code == 409
    assert "F1" in answer.json()["detail"]
    alliance.do(f"{where}/findings/F1/resolutions", {"resolution": "explained"})
    alliance.do(f"{where}/closings")
    views.catch_up()

    (shown,) = life.va.get("/associations/VA/quality-reviews").json()["quality_reviews"]
    assert shown["agreement"] == {"n": 1, "agreed": 0, "kappa": 0.0, "low": 0.0, "high": 0.0}
    assert shown["findings"] == [{"finding": "F1", "kind": "outcome_differs", "item": item, "resolution": "explained"}]
    load = life.va.get("/associations/VA/reviewer-load").json()["reviewers"]
    assert {(row["open"], row["done"]) for row in load} == {(0, 1)}
    for path, told in asked.items():
        again = alliance.get(f"{path}?known={then}").json()
        assert {name: again[name] for name in told if name != "can"} == {k: v for k, v in told.items() if k != "can"}


def test_reviews_are_listed_newest_first_page_by_page(life, client, views):
    life.endorsed()
    alliance = client("alliance")
    for _ in range(3):
        alliance.do("/associations/VA/quality-reviews", SAMPLE)
    views.catch_up()
    seen, path = [], "/associations/VA/quality-reviews?limit=2"
    while path:
        answer = alliance.get(path)
        seen += [row["review"] for row in answer.json()["quality_reviews"]]
        path = answer.links["next"]["url"].removeprefix("/api") if "next" in answer.links else ""
    assert len(seen) == len(set(seen)) == 3
    assert client("coordinator", association="TX").get("/associations/VA/quality-reviews").status_code == 403


def test_a_period_without_decisions_is_refused_with_the_fix(client, registry):
    answer = client("alliance").post("/associations/AK/quality-reviews", SAMPLE)
    assert answer.status_code == 422
    assert "choose another" in answer.json()["detail"]


def test_the_population_is_every_outcome_once_and_only_the_associations_own():
    on = {"on": date(2026, 5, 4), "by": "operator"}
    case = Application("a1")
    case.record(Application.Started, person="p1", association="VA", category="IMHM-C", **on)
    case.record(Application.Submitted, edition="MHM-C-2024", person_version=1, entries=(), tally=Tally(), **on)
    case.record(Application.Deferred, reasons=("more_rsc",), **on)
    case.record(Application.Submitted, edition="MHM-C-2024", person_version=2, entries=(), tally=Tally(), **on)
    case.record(Application.ApprovedForExam, edition="MHM-C-2024", through=date(2027, 5, 4), **on)
    case.record(Application.Approved, edition="MHM-C-2024", number="IMHM-C-7K3MQ9T5", person="p1", **on)
    assert [event.topic for event in decisions(case.pending, "VA")] == [
        "application.deferred", "application.approved_for_exam",
    ]  # fmt: skip
    assert decisions(case.pending, "CT") == []

    passed = Application("a2")
    passed.record(Application.Started, person="p2", association="VA", category="IFA", **on)
    passed.record(Application.HandedOver, from_="VA", to="ALLIANCE", **on)
    passed.record(Application.Declined, person="p2", reasons=("more_training",), **on)
    assert decisions(passed.pending, "VA") == []
    assert [event.topic for event in decisions(passed.pending, "ALLIANCE")] == ["application.declined"]


def test_who_advised_never_looks_again_whichever_record_names_them(life, client, registry):
    advisor, other = life.endorse("CT"), life.endorse("CT", "IMHS")
    registry.merge_persons(Act(Actor("alliance", association="ALLIANCE", id="k1")), other[1], into=advisor[1])
    on = {"on": date(2026, 5, 4), "by": "operator"}
    case = Application(registry.new_id())
    case.record(Application.Started, person=life.person, association="VA", category="IFA", **on)
    case.record(Application.AdvisorAssigned, advisor=advisor[0], person=advisor[1], **on)
    case.record(Application.Declined, person=life.person, reasons=("more_training",), **on)
    registry.store.save(case)

    alliance = client("alliance")
    review = created(alliance.do("/associations/VA/quality-reviews", SAMPLE), "quality_review")
    (found,) = alliance.get(f"/quality-reviews/{review}").json()["items"]
    for number in (advisor[0], other[0]):
        refused = alliance.post(f"/quality-reviews/{review}/items/{found['item']}/reviewers", {"reviewer": number})
        assert (refused.status_code, refused.json()["field"]) == (422, "reviewer")
        assert "a tie to it" in refused.json()["detail"]
    assert {advisor[1], other[1], life.person} <= registry.close_to(case)
