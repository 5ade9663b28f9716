"""Every refusal is one document of RFC 9457 that says what to do and holds nothing of anybody."""

import json
import logging
import re
import time
import uuid
from importlib.resources import files

import httpx
import msgspec
import pytest
from grounds import PATIENCE

from registry.api.openapi import document
from registry.api.problems import KINDS
from registry.api.questions import QUESTIONS

SECRET = "Guadalupe"  # stands in no answer and no log
DEEP = "[" * 20000

# Path, body as sent, status, code, field.
BAD = [
    ("/people", "", 422, "invalid", "name"),
    ("/people", "{", 400, "malformed", None),
    ("/people", "nonsense", 400, "malformed", None),
    ("/people", "\xff\xfe", 400, "malformed", None),
    ("/people", '{"name": NaN}', 400, "malformed", None),
    ("/people", '{"name": "A", "name": "B", "residence": "VA"}', 400, "malformed", None),
    ("/people", DEEP, 400, "malformed", None),
    ("/people", '{"name": ' + DEEP, 400, "malformed", None),
    ("/people", "[]", 422, "invalid", None),
    ("/people", "null", 422, "invalid", None),
    ("/people", '"text"', 422, "invalid", None),
    ("/people", '{"name": 7, "residence": "VA"}', 422, "invalid", "name"),
    ("/people", '{"name": "Ada"}', 422, "invalid", "residence"),
    ("/people", f'{{"name": "{SECRET}", "residence": "VA", "ssn": "123"}}', 422, "invalid", "ssn"),
    ("/people", f'{{"name": "{SECRET}=1", "residence": "VA"}}', 422, "invalid", "name"),
    ("/people", f'{{"name": "{SECRET}\\u202e", "residence": "VA"}}', 422, "invalid", "name"),
    ("/people", '{"name": "", "residence": "VA"}', 422, "invalid", "name"),
    ("/people", '{"name": "Ada", "residence": "VA", "on": "yesterday"}', 422, "invalid", "on"),
    ("/people", '{"name": "Ada", "residence": "VA", "on": "2099-01-01"}', 422, "invalid", "on"),
    ("/people", '{"name": "Ada", "residence": "VA", "on": "2026-05-01"}', 422, "invalid", "late"),
    ("/people", '{"name": "Ada", "residence": "VA", "on": "2026-05-01", "late": "because"}', 422, "invalid", "late"),
    ("/people", '{"name": "Ada", "residence": "VA", "late": "correction"}', 422, "invalid", "late"),
    ("/people/{person}/entries", "{}", 422, "invalid", "kind"),
    ("/people/{person}/entries", '{"kind": "juggling", "from": "2026-01-01", "through": "2026-01-01"}',
     422, "invalid", "kind"),
    ("/people/{person}/entries", '{"kind": "training", "from": "2026-01-02", "through": "2026-01-01", "hours": 1}',
     422, "invalid", "through"),
    ("/people/{person}/entries", '{"kind": "training", "from": "2026-01-01", "through": "2026-01-01", "hours": "many"}',
     422, "invalid", "hours"),
    ("/people/{person}/entries", '{"kind": "training", "from": "2026-01-01", "through": "2026-01-01", "hours": 25}',
     422, "invalid", "hours"),
    ("/people/{person}/entries",
     '{"kind": "rsc", "from": "2026-01-01", "through": "2026-01-01", "hours": 2, "vetted": true}',
     422, "invalid", "vetted"),
    ("/people/{person}/memberships", '{"association": "VA", "from": "2026-02-30", "through": "2026-03-01"}',
     422, "invalid", "from"),
    ("/people/{person}/applications", '{"association": "VA", "category": "XYZ"}', 422, "invalid", "category"),
    ("/people/{person}/applications", '{"association": "VA", "category": "IFRS"}', 422, "not_in_force", None),
    ("/endorsements/IFS-7K3MQ9TX/suspensions", '{"reason": "fraud_being_established"}', 422, "invalid", "number"),
    ("/endorsements/IFS-7K3MQ9TD/suspensions", '{"reason": "gossip"}', 422, "invalid", "reason"),
]  # fmt: skip


def test_a_bad_body_is_told_what_to_do(one_person):
    """All of one server: none of them leaves anything behind."""
    va, person = one_person
    for path, body, status, code, field in BAD:
        answer = va.http.post(
            "/api" + path.format(person=person),
            content=body.encode("latin-1"),
            headers={"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"},
        )
        problem, sent = answer.json(), body[:100]
        assert (sent, answer.status_code, problem["code"], problem.get("field")) == (sent, status, code, field)
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["type"] == f"https://registry.example/problems/{code}"
        assert problem["status"] == status
        assert problem["detail"].endswith((".", ")"))
        assert SECRET not in answer.text


@pytest.fixture
def one_person(client):
    va = client("coordinator", association="VA")
    answer = va.do("/people", {"name": "Ada Example", "residence": "VA"})
    return va, answer["events"][0]["stream"].partition("/")[2]


def test_other_ways_to_say_it_wrong(one_person, address):
    va, person = one_person
    big = va.post("/people", {"name": "A" * 70_000, "residence": "VA"})
    assert (big.status_code, big.json()["code"]) == (413, "too_large")
    form = va.http.post("/api/people", data={"name": "Ada"}, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert (form.status_code, form.json()["code"]) == (415, "media_type")
    gone = va.get("/nowhere")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    wrong = va.http.delete(f"/api/people/{person}")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    for query in ("on=soon", "known=never", "position=x"):
        asked = va.get(f"/endorsements/IFS-7K3MQ9TD?{query}")
        assert (asked.status_code, asked.json()["field"]) == (422, query.partition("=")[0])
    for query in ("limit=0", "limit=1000", "cursor=!!", "category=X", "association=X", "number=1"):
        asked = va.get(f"/register?{query}")
        assert (asked.status_code, asked.json()["field"]) == (422, query.partition("=")[0])


def test_a_defect_of_ours_tells_a_trace_and_nothing_else(one_person, store, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError(f"inside {SECRET}")

    va, _ = one_person
    monkeypatch.setattr(store, "find", fail)
    with caplog.at_level(logging.INFO):
        answer = va.post("/people", {"name": "Ada", "residence": "VA"})
        monkeypatch.setattr(store, "get", fail)
        answer = va.post("/people", {"name": "Ada", "residence": "VA"})
    problem = answer.json()
    assert (answer.status_code, set(problem)) == (500, {"type", "title", "status", "detail", "code", "trace"})
    assert problem["trace"] in caplog.text
    assert SECRET not in answer.text + caplog.text


def test_every_problem_has_its_page(address):
    for code in KINDS:
        assert httpx.get(f"{address}/problems/{code}", timeout=PATIENCE).status_code == 200
    assert httpx.get(f"{address}/problems/other", timeout=PATIENCE).status_code == 404


def test_no_name_gets_into_a_log_or_an_address(one_person, address, caplog, views):
    va, _ = one_person
    with caplog.at_level(logging.DEBUG):
        answer = va.do("/people", {"name": f"{SECRET} Inés", "residence": "VA", "email": "gi@example.org"})
        person = answer["events"][0]["stream"].partition("/")[2]
        va.get(f"/people/{person}")
        va.get(f"/register?name={SECRET}")
        httpx.get(f"{address}/register?name={SECRET}", timeout=PATIENCE)
        httpx.post(f"{address}/v1/check", data={"text": f"https://x/{SECRET}"}, timeout=PATIENCE)
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore")))
    assert "POST /api/people 201" in ours
    for hidden in (SECRET, "example.org", person):
        assert hidden not in ours
    links = re.findall(r'"/[^"]*"', json.dumps(answer))
    assert links
    assert not any(SECRET in link for link in links)


def test_the_openapi_document_describes_every_operation(address):
    """The examples are what the operations take."""
    given = httpx.get(f"{address}/api/openapi.json", timeout=PATIENCE).json()
    assert given == json.loads(
        msgspec.json.encode(document("registry.example", [question.asked for question in QUESTIONS]))
    )
    assert given["openapi"] == "3.1.0"
    served = {(method.lower(), path) for path, methods in given["paths"].items() for method in methods}
    assert len(served) == len({operation["operationId"] for methods in given["paths"].values()
                               for operation in methods.values()})  # fmt: skip
    for methods in given["paths"].values():
        for operation in methods.values():
            if operation["operationId"] not in ("check", "check_roster") and "requestBody" in operation:
                content = operation["requestBody"]["content"]["application/json"]
                name = content["schema"]["$ref"].rpartition("/")[2]
                assert given["components"]["schemas"][name]["additionalProperties"] is False
                assert isinstance(content["example"], dict)
    references = set(re.findall(r'"#/components/([^"]+)"', json.dumps(given)))
    for reference in references:
        kind, _, name = reference.partition("/")
        assert name in given["components"][kind], reference


def test_every_answer_has_the_security_headers(address, one_person):
    va, person = one_person
    paths = ["/", "/register", "/endorsements/IFS-7K3MQ9TD", "/today", f"/people/{person}", "/v1/check", "/api",
             "/api/openapi.json", "/api/register", f"/api/people/{person}", "/api/nowhere", "/nowhere", "/health",
             "/ready", "/keys.json", "/assets/style.css", "/assets/htmx.min.js", "/enter/x", "/problems",
             "/log/1.tlog-proof"]  # fmt: skip
    for path in paths:
        headers = va.http.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Cache-Control" in headers
        if "people" in path or "today" in path:
            assert headers["Cache-Control"] == "no-store"


def test_ready_says_why_nothing_is_published(one_person, settings):
    va, _ = one_person
    settings.alarm.write_text('{"since": "2026-06-01T12:00:00+00:00", "why": "the witness w has seen 7 events"}')

    answer = va.http.get("/ready")
    assert answer.status_code == 503
    assert {"what": "publication", "why": "Nothing is published since 2026-06-01T12:00:00+00:00:"
            " the witness w has seen 7 events."} in answer.json()["reasons"]  # fmt: skip


def test_no_template_steps_around_escaping():
    for template in (files("registry.pages") / "templates").iterdir():
        text = template.read_text("utf-8")
        assert "|safe" not in text.replace(" ", "")
        assert not re.search(r"<script(?! src)|<style|\son\w+=|style=", text), template.name


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, False),
        ({"Origin": "https://elsewhere.example"}, True),
        ({"Origin": "null"}, True),
        ({}, False),
    ],
)
def test_a_form_from_another_site_is_refused(address, desk, headers, refused):
    answer = httpx.post(address + desk.make_entry("coordinator", association="VA"), headers=headers, timeout=PATIENCE)
    assert answer.status_code == (403 if refused else 303)


def test_unknown_and_known_numbers_take_the_same_time(life, client, views):
    number = life.endorsed()
    life.holder.do(f"/people/{life.person}/publications", {"listed": False})
    views.catch_up()
    public, took = client(), {}
    for _ in range(150):
        for asked in (number, "IFS-7K3MQ9TD"):
            begun = time.perf_counter()
            public.get(f"/endorsements/{asked}")
            took.setdefault(asked, []).append(time.perf_counter() - begun)
    medians = [sorted(times)[len(times) // 2] for times in took.values()]
    assert abs(medians[0] - medians[1]) < max(0.005, min(medians) / 2)
