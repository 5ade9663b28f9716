"""The past on pages: a form on every record, a banner that says when, nothing to act on, and the way back."""

import pytest
from barriers import barriers
from faces import created


@pytest.fixture
def moved(life, views, clock):
    """An endorsement that was asked to move, suspended a day later."""
    life.number = life.endorsed()
    life.before = life.registry.store.position()
    asked = life.holder.do(f"/people/{life.person}/transfers", {"to": "CT", "endorsements": [life.number]})
    life.transfer = created(asked, "transfer")
    life.asked = life.registry.store.position()
    life.va.do(f"/endorsements/{life.number}/suspensions", {"reason": "fraud_being_established"})
    views.catch_up()
    return life


def test_a_record_is_seen_as_it_was_and_nothing_can_be_done_to_it_there(visit, moved):
    page = visit("coordinator", association="VA", script=False)
    page.goto(f"/endorsements/{moved.number}")
    assert page.locator("h1 .badge").inner_text() == "suspended"
    assert page.get_by_role("heading", name="What can be done now").count() == 1
    page.locator("details.past summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.locator("#past-known").focus()
    page.keyboard.type(str(moved.before))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**known={moved.before}")
    assert page.locator("h1 .badge").inner_text() == "active"
    said = page.locator("p.past").inner_text()
    assert "As known on 2026-06-01" in said
    assert f"position {moved.before}" in said
    assert page.get_by_role("heading", name="What can be done now").count() == 0
    assert page.locator("main form[method=post]").count() == 0
    page.get_by_role("link", name="See the present").click()
    assert page.locator("h1 .badge").inner_text() == "suspended"
    page.get_by_role("link", name=f"as known then, at position {moved.before}", exact=True).click()
    assert page.locator("h1 .badge").inner_text() == "active"


def test_pages_of_the_past_are_whole_and_accessible(visit, moved):
    page = visit("coordinator", association="VA")
    known = f"known={moved.asked}"
    for path, told in {
        f"/people/{moved.person}?{known}&on=2026-06-01": "active",
        f"/transfers/{moved.transfer}?{known}": "requested",
        f"/today?{known}": "Transfers from us",
        f"/associations/VA/renewals?{known}": "Still due",
        f"/associations/VA/audits?{known}": "None yet",
    }.items():
        page.goto(path)
        assert told in page.locator("main").inner_text(), path
        assert page.locator("main form[method=post]:not([action^='/find'])").count() == 0, path
        assert page.locator("p.past").count() == 1, path
    for path in (f"/endorsements/{moved.number}?{known}", f"/people/{moved.person}?{known}", f"/today?{known}"):
        page.goto(path)
        assert barriers(page) == {}, path


def test_the_register_of_a_day_keeps_its_day_and_what_is_refused_says_why(client, moved, life):
    public = client().http
    shown = public.get(f"/register?known={moved.before}")
    assert life.reviewers[0][0] in shown.text
    assert moved.number not in shown.text  # suspended by now
    assert f'name="known" value="{moved.before}"' in shown.text
    assert "Según se sabía" in public.get(f"/register?known={moved.before}&lang=es").text
    for path, said in {
        "/register?known=99999": "no position 99999", "/register?known=soon": "Give a position",
        "/register?on=1990-01-01": "older than", "/rules?known=3": "judged from what is on record now",
        "/access?on=2026-06-01": "about the present",
    }.items():  # fmt: skip
        answer = public.get(path)
        assert (answer.status_code, said in answer.text) == (422, True), path
