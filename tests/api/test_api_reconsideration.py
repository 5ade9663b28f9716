"""Every decision again over HTTP: an association its own, the Alliance all; in time, or with a plain word."""

import csv
import io
import json

import httpx
import pytest
from grounds import PATIENCE

from registry.api import reconsidering


@pytest.fixture
def endorsed(life, views):
    life.number = life.endorsed()
    views.catch_up()
    return life


def page_of(address, desk, path, role, **whose):
    with httpx.Client(base_url=address, follow_redirects=True, timeout=PATIENCE) as visitor:
        visitor.post(desk.make_entry(role, **whose))
        return visitor.get(path)


def test_other_rules_say_whom_they_would_have_refused(endorsed, client, store):
    alliance, va = client("alliance", association="ALLIANCE"), client("coordinator", association="VA")
    before = store.position()
    own = alliance.get("/reconsideration").json()
    assert own["findings"] == own["changed"] == []
    assert own["by_decision"] == {"award": 1, "submission": 1}

    answer = va.get("/reconsideration?training_hours=99")
    (found,) = answer.json()["changed"]
    (gap,) = found["refusal"]["missing"]
    assert (found["number"], found["decision"]) == (endorsed.number, "award")
    assert (gap["requirement"], gap["need"], gap["missing"]) == ("training", 99.0, 99.0 - gap["have"])
    assert answer.headers["X-Registry-Position"] == str(before)
    rules = json.dumps({"training_hours": 99})
    assert alliance.http.get("/api/reconsideration", params={"rules": rules}).json()["changed"] == [found]
    listed = list(csv.DictReader(io.StringIO(va.get("/reconsideration.csv?training_hours=99").text)))
    assert [(row["list"], row["number"], row["requirement"], row["source"]) for row in listed] == [
        ("changed", endorsed.number, "training", gap["source"])
    ]
    assert store.position() == before


def test_it_is_an_associations_own_and_wrong_values_are_named(endorsed, client):
    va = client("coordinator", association="VA")
    assert va.get("/reconsideration?association=CT").status_code == 403
    assert client("holder", person=endorsed.person).get("/reconsideration").status_code == 403
    assert client().get("/reconsideration").status_code == 401
    for asked, field in (
        ("rsc_hours=many", "rsc_hours"), ("edition=FS-1999", "edition"), ("since=soon", "since"),
        ("rsc_hours=1&slot=XX", "slot"), ("rules=%7B%7D", "rules"), ("rules=%7B%7D&edition=today", "rules"),
    ):  # fmt: skip
        refused = va.get(f"/reconsideration?{asked}")
        assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert client("alliance", association="ALLIANCE").get("/reconsideration?association=ZZ").status_code == 404


def test_what_takes_too_long_is_said_plainly(endorsed, client, address, desk, monkeypatch):
    monkeypatch.setattr(reconsidering, "SECONDS", 0.0)
    refused = client("coordinator", association="VA").get("/reconsideration")
    assert refused.status_code == 422
    assert "Name one association or a later day" in refused.json()["detail"]
    page = page_of(address, desk, "/reconsider?association=VA", "coordinator", association="VA")
    assert page.status_code == 422
    assert "takes longer than 0 seconds" in page.text


def test_the_page_has_the_form_the_lists_and_empty_states(endorsed, address, desk):
    def seen(query, role="coordinator", association="VA"):
        answer = page_of(address, desk, f"/reconsider{query}", role, association=association)
        assert answer.status_code == 200, answer.text
        return answer.text

    form = seen("")
    assert "Decide again" in form
    assert "Every decision agrees" not in form
    assert "Every decision agrees with the rules it was made under." in seen("?association=VA")
    changed = seen("?association=VA&training_hours=99&since=")
    assert f'<a href="/endorsements/{endorsed.number}" class="code">{endorsed.number}</a>' in changed
    assert "/reconsider.csv?association=VA&amp;training_hours=99" in changed
    assert "People by sector" in changed
    assert "These rules say nothing of any decision here." in seen("?association=VA&slot=MHS&rsc_hours=60")
    assert "Nothing was decided here since that day." in seen("?association=VA&since=2049-01-01")
    everywhere = seen("?association=&edition=today", "alliance", "ALLIANCE")
    assert "Nobody would have been refused." in everywhere
    csv_file = page_of(
        address, desk, "/reconsider.csv?association=VA&training_hours=99", "coordinator", association="VA"
    )
    assert csv_file.headers["Content-Disposition"] == 'attachment; filename="reconsideration.csv"'
    assert endorsed.number in csv_file.text
