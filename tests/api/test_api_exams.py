"""Exams and competencies over HTTP: scorers never learn whose exam it is, reviewers judge apart."""

import json
from datetime import date

import httpx
import pytest
from faces import created
from grounds import PATIENCE

from domain.access import OPERATOR
from domain.application import Application
from domain.policy import Tally
from registry.api.questions import QUESTIONS
from registry.cli.competencies import _read
from registry.commands import Act
from registry.nightly import RULES

NAME = "Marisol Okafor"
ON = {"on": date(2024, 12, 31), "by": "operator"}


@pytest.fixture
def case(life, registry) -> str:
    """A specialist of Virginia who submitted on the last day that asks for the exam (R10), in review by two."""
    found = Application(registry.new_id())
    found.record(Application.Started, person=life.person, association="VA", category="IMHS", **ON)
    found.record(Application.Submitted, edition="MHS-2023", person_version=1, entries=(), tally=Tally(), **ON)
    for number, person in life.reviewers:
        found.record(Application.ReviewerAssigned, reviewer=number, person=person, held="IMHM-C", **ON)
    registry.store.save(found)
    return found.name


@pytest.fixture
def reviewers(life, client):
    return [(number, client("reviewer", person=person)) for number, person in life.reviewers]


def recommend(case, reviewers):
    for number, reviewer in reviewers:
        reviewer.do(f"/applications/{case}/recommendations", {"reviewer": number, "outcome": "approve"})


def test_R10_R16_an_exam_from_approval_to_award_and_no_answer_tells_a_scorer_whose_it_is(
    life, client, case, reviewers, views, clock, desk, address
):
    alliance = client("alliance")
    recommend(case, reviewers)
    early = life.va.post(f"/applications/{case}/approvals")
    assert early.status_code == 409
    assert "exam passed, as MHS-2023 asks (MI-EXAM" in early.json()["detail"]
    life.va.do(f"/applications/{case}/exam_approvals")
    exam = created(life.holder.do(f"/applications/{case}/exams", {"window": "2026-06-24"}), "exam")
    for close in (life.person, life.reviewers[0][1]):
        refused = alliance.post(f"/exams/{exam}/scorers", {"scorer": close})
        assert refused.status_code == 422
        assert "too close" in refused.json()["detail"]
    scorers = [life.endorse("TX", "IMHS")[1] for _ in range(2)]
    for person in scorers:
        alliance.do(f"/exams/{exam}/scorers", {"scorer": person})
    clock.move(days=23)
    alliance.do(f"/exams/{exam}/sittings")
    alliance.do(f"/exams/{exam}/part_1", {"wrong": 12})
    views.catch_up()

    told = []
    for person in scorers:
        one = client("exam_scorer", person=person)
        assert [row["id"] for row in one.get("/exams").json()["exams"]] == [exam]
        assert one.get(f"/exams/{exam}").json()["can"] == ["score part 2", "recuse yourself"]
        names = {"exam": exam, "person": life.person, "application": case, "code": "VA",
                 "category": "IMHS", "cti": "0" * 32, "file": "qr.txt"}  # fmt: skip
        for question in QUESTIONS:
            if question.rule:
                answer = one.get(question.path.format_map(Any_(names)))
                told += [answer.text, *answer.headers.values()]
        told.append(one.post(f"/exams/{exam}/part_2", {"score": 101}).text)
        told.append(one.post(f"/exams/{exam}/scorers", {"scorer": life.person}).text)
        told.append(one.post(f"/exams/{exam}/decisions").text)
        told.append(json.dumps(one.do(f"/exams/{exam}/part_2", {"score": 80})))
        told.append(one.get(f"/exams/{exam}").text)
        with httpx.Client(base_url=address, follow_redirects=True, timeout=PATIENCE) as visitor:
            told.append(visitor.post(desk.make_entry("exam_scorer", person=person)).text)
            told.append(visitor.get(f"/exams/{exam}").text)
            assert "C-" in told[-1]
        views.catch_up()
    for text in told:
        for secret in (life.person, case, NAME, "Marisol", "Virginia", "VAIMH", "IMHS-", '"VA"', "VA:"):
            assert secret not in text, text

    letter = "You wrote well about parallel process."
    alliance.do(f"/exams/{exam}/decisions", {"feedback": letter})
    assert client("exam_scorer", person=scorers[0]).get(f"/exams/{exam}").json()["state"] == "decided"
    shown = life.holder.get(f"/applications/{case}").json()
    assert (shown["state"], shown["exam"]["results"]) == (
        "exam_passed", [{"exam": exam, "passed": True, "part_1": True, "part_2": True}],
    )  # fmt: skip
    assert letter in life.holder.get(f"/people/{life.person}/history").text
    assert created(life.va.do(f"/applications/{case}/approvals"), "endorsement").startswith("IMHS-")
    views.catch_up()
    assert alliance.get("/exams").json()["exams"] == []


class Any_(dict):  # noqa: N801 # a word of this file
    """Names of a path, and something for each that is not known."""

    def __missing__(self, key):
        return "a" * 26


def test_R16_an_approval_that_nobody_used_ends_in_the_night_after_a_year(
    life, registry, case, reviewers, views, clock, connect
):
    recommend(case, reviewers)
    life.va.do(f"/applications/{case}/exam_approvals")
    rule = next(rule for rule in RULES if rule.name == "exam_approval")

    def ended():
        views.catch_up()
        named = connect("reader").execute(*rule.named(registry.today("VA"), "", 10)).fetchall()
        return [rule.do(registry, row[0]) for row in named]

    clock.move(days=365)
    assert ended() == []
    clock.move(days=1)
    assert ended() == [True]
    assert ended() == []
    assert not rule.do(registry, case)
    assert registry.store.get(Application, case).state == "deferred"


def test_reviewers_judge_competencies_apart_until_all_have_recommended(life, client, case, reviewers, desk, address):
    (first, one), (second, two) = reviewers
    one.do(f"/applications/{case}/assessments", {"reviewer": first, "met": ["TF-7"], "not_met": ["DS-7"]})
    assessed = one.get(f"/applications/{case}").json()["competencies"]
    assert assessed == [{"reviewer": first, "met": ["TF-7"], "not_met": ["DS-7"]}]
    done = one.do(f"/applications/{case}/recommendations",
                  {"reviewer": first, "outcome": "defer", "reasons": ["more_rsc"]})  # fmt: skip
    others = two.post(f"/applications/{case}/assessments", {"reviewer": first, "met": ["TF-7"]})
    assert others.status_code == 422

    with httpx.Client(base_url=address, follow_redirects=True, timeout=PATIENCE) as visitor:
        visitor.post(desk.make_entry("reviewer", person=life.reviewers[1][1]))
        page = visitor.get(f"/applications/{case}").text
    for text in (two.get(f"/applications/{case}").text, two.get(f"/applications/{case}/history").text):
        for secret in ("TF-7", "DS-7", "more_rsc", '"outcome":"defer"', '"judgement":"defer"'):
            assert secret not in text
    for secret in ("Reviewer recommended", "Competencies judged", '">defer</span>'):
        assert secret not in page
    for event in done["events"]:
        assert two.http.get(f"/log/{event['position']}.tlog-proof").status_code == 404
    for staff in (life.va, life.holder):
        for path in ("", "/history"):
            assert "DS-7" not in staff.get(f"/applications/{case}{path}").text

    version = two.get(f"/applications/{case}").headers["ETag"]
    two.do(f"/applications/{case}/assessments", {"reviewer": second, "met": ["TF-7", "DS-7"]}, **{"If-Match": version})
    two.do(f"/applications/{case}/recommendations", {"reviewer": second, "outcome": "approve"})
    agreed = [{"code": "TF-7", "met": 2, "not_met": 0}, {"code": "DS-7", "met": 1, "not_met": 1}]
    for reader in (one, two, life.va):
        assert reader.get(f"/applications/{case}").json()["agreement"] == agreed
        assert "more_rsc" in reader.get(f"/applications/{case}/history").text
    assert "DS-7" not in life.holder.get(f"/applications/{case}/history").text


def test_entries_are_tagged_with_the_catalogue_in_force_and_coverage_says_what_is_missing(
    life, client, registry, tmp_path
):
    entry = {"kind": "training", "from": "2026-01-05", "through": "2026-01-06", "hours": 6}
    refused = life.holder.post(f"/people/{life.person}/entries", entry | {"codes": ["TF-99"]})
    assert refused.status_code == 422
    assert "TF-99" in refused.json()["detail"]
    life.holder.do(f"/people/{life.person}/entries", entry | {"codes": ["TF-1", "DS-2"]})
    shown = life.holder.get(f"/people/{life.person}/coverage?category=IFS").json()
    assert [area["code"] for area in shown["covered"]] == ["TF-1", "DS-2"]
    assert {"code": "CO-3", "label": "Writing"} in shown["missing"]
    assert "RF-1" in [area["code"] for area in shown["by_reference"]]
    assert shown["blocks"] is False

    own = tmp_path / "own.json"
    own.write_text(
        json.dumps({"TF-1": "Becoming a parent", "TF-99": {"label": "Sleep", "text": "Ours", "slots": ["FS"]}})
    )
    registry.load_competencies(Act(OPERATOR), "VA", **_read(own))
    assert client().get("/competencies?association=VA").json()["catalogue"] == "VA-1"
    assert "Ours" not in client().get("/competencies?association=VA").text
    assert client().get("/competencies").json()["catalogue"] == "ours-1"
    life.holder.do(f"/people/{life.person}/entries", entry | {"codes": ["TF-99"]})
    texas = client("coordinator", association="TX").post("/associations/VA/competencies", {"labels": {"TF-1": "x"}})
    assert texas.status_code == 403
    life.va.do("/associations/VA/competencies", {"labels": {"TF-1": "x"}})
    assert registry.catalogue("VA").name == "VA-2"
    assert registry.catalogue("CT").name == "ours-1"
