"""After the award over HTTP: renewals that are due, an audit from draw to close, a correction and what was known."""

import hashlib
import hmac
import math
from datetime import UTC, datetime

import httpx
import pytest
from faces import created
from grounds import PATIENCE

from projections import audits, renewals

ATTESTED = {"training_hours": 15, "membership": True, "ethics": True, "no_sanction": True}
MEMBER = {"association": "VA", "from": "2027-01-01", "through": "2028-12-31"}


@pytest.fixture
def renewed(life, client, clock, views):
    """In the window of 2027, with the letters of the opening; then renewed."""
    life.number = life.endorsed()
    clock.set(datetime(2027, 10, 2, 12, tzinfo=UTC))
    life.va = client("coordinator", association="VA")
    life.holder = client("holder", person=life.person)
    views.catch_up()
    return life


def page_of(address, desk, path, role, **whose):
    with httpx.Client(base_url=address, follow_redirects=True, timeout=PATIENCE) as visitor:
        visitor.post(desk.make_entry(role, **whose))
        answer = visitor.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


def test_r18_r28_renewals_count_down_and_an_audit_goes_from_draw_to_close(
    renewed, registry, views, connect, clock, address, desk
):
    va, holder, number = renewed.va, renewed.holder, renewed.number
    reader = connect("reader")
    due = va.get("/associations/VA/renewals").json()
    assert (due["active"], due["due"], due["attested"], due["cycle"]["last_day"]) == (3, 3, 0, "2027-12-31")
    assert due["ends"] == [{"through": "2027-12-31", "endorsements": 3}]
    assert number in {one["number"] for one in due["endorsements"]}
    assert holder.get("/associations/VA/renewals").status_code == 403

    # Told once when the window opens, and again near its end.
    named = [row[0] for row in reader.execute(*renewals.to_remind(registry.today("VA"), "", 10)).fetchall()]
    assert number in named
    assert [registry.remind_of_renewal(number) for _ in range(2)] == [True, False]
    views.catch_up()
    assert number not in {
        row[0] for row in reader.execute(*renewals.to_remind(registry.today("VA"), "", 10)).fetchall()
    }

    va.do(f"/people/{renewed.person}/memberships", MEMBER)
    holder.do(f"/endorsements/{number}/renewals", ATTESTED)
    drawn = va.do("/associations/VA/audits", {"cycle": 2027, "seed": "sixteen characters"})
    audit = created(drawn, "audit")
    facts = drawn["events"][0]["facts"]
    by_rank = sorted(
        facts["population"], key=lambda n: hmac.new(facts["seed"].encode(), n.encode(), hashlib.sha256).digest()
    )
    assert facts["sample"] == sorted(by_rank[: math.ceil(facts["share"] * len(by_rank))]) == [number]
    assert holder.get(f"/endorsements/{number}/audit").json() == {"audit": None}

    item = f"/audits/{audit}/endorsements/{number}"
    va.do(f"{item}/notices", {"answer_by": "2027-10-20"})
    told = holder.get(f"/endorsements/{number}/audit").json()["audit"]
    assert (told["why"], told["answer_by"], told["waits_for"]) == ("drawn", "2027-10-20", "holder")
    assert "audited" in page_of(address, desk, f"/endorsements/{number}", "holder", person=renewed.person)
    clock.set(datetime(2027, 10, 22, 12, tzinfo=UTC))
    va, holder = renewed.client("coordinator", association="VA"), renewed.client("holder", person=renewed.person)
    views.catch_up()
    assert [r[0] for r in reader.execute(*audits.days_passed(registry.today("VA"), "", 9)).fetchall()] == [audit]
    assert [registry.note_audit_days(audit) for _ in range(2)] == [True, False]
    views.catch_up()
    assert reader.execute(*audits.days_passed(registry.today("VA"), "", 9)).fetchall() == []
    waiting = va.get("/associations/VA/audits").json()
    assert [(one["number"], one["what"]) for one in waiting["waiting"]] == [(number, "no answer in time")]
    assert "no answer in time" in page_of(address, desk, "/today", "coordinator", association="VA")
    assert number in page_of(address, desk, f"/audits/{audit}", "coordinator", association="VA")
    assert "waiting for us" in page_of(address, desk, "/associations/VA/audits", "coordinator", association="VA")
    assert "still due" in page_of(address, desk, "/associations/VA/renewals", "coordinator", association="VA")

    asked, then = answers(va, audit, number), registry.store.position()

    va.do(f"{item}/failures", {"remedy": "training_hours", "remedy_by": "2027-11-20"})
    entry = holder.get(f"/people/{renewed.person}").json()["entries"][0]["entry"]
    holder.do(f"{item}/evidence", {"entries": [entry]})
    va.do(f"{item}/passes")
    assert va.post(f"{item}/drops").status_code == 409
    va.do(f"/audits/{audit}/closings")
    shown = va.get(f"/audits/{audit}").json()
    assert (shown["state"], shown["redrawn"], shown["endorsements"][0]["state"]) == ("closed", True, "passed")
    assert holder.get(f"/endorsements/{number}/audit").json() == {"audit": None}
    views.catch_up()
    assert answers(va, audit, number, f"?known={then}&on=2027-10-22") == asked


def answers(va, audit, number, past=""):
    """What is said of audits and renewals, now or then, but for when that was."""
    lists = (f"/associations/VA/{what}" for what in ("audits", "renewals"))
    paths = (*lists, f"/audits/{audit}", f"/endorsements/{number}/audit")
    said = {path: va.get(path + past).json() for path in paths}
    when = ("known", "on", "position")
    return {path: {name: value for name, value in told.items() if name not in when} for path, told in said.items()}


def test_r29_a_correction_tells_the_day_anew_and_what_was_known_stays(renewed):
    va, number = renewed.va, renewed.number
    before = va.get(f"/endorsements/{number}").headers["X-Registry-Position"]
    va.do(f"/endorsements/{number}/corrections", {"corrects": 1, "reason": "wrong_record", "through": "2027-06-30"})
    assert va.get(f"/endorsements/{number}?on=2027-07-01").json()["standing"] == "lapsed"
    assert va.get(f"/endorsements/{number}?on=2027-07-01&known={before}").json()["standing"] == "active"
    assert va.get(f"/endorsements/{number}?on=2027-06-30").json()["standing"] == "active"
