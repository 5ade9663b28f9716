"""What a holder shows by a link: what they ticked, until the day they named, to nobody by guessing."""

import re
from datetime import timedelta

import httpx
import pytest
from grounds import PATIENCE, wait_for

from domain.endorsement import Endorsement
from domain.person import Person

DETAILS = ["history", "other_endorsements", "rsc_provider"]


def shared(life, clock, *, details=(), days=30):
    """The path of a new link, and the name of the share."""
    answer = life.holder.do(
        f"/people/{life.person}/shares",
        {"number": life.number, "until": (clock.today + timedelta(days=days)).isoformat(), "details": list(details)},
    )
    (event,) = answer["events"]
    link = answer["shown_once"]["link"]
    assert link.startswith("https://registry.example/shared/")
    return link.removeprefix("https://registry.example"), event["facts"]["share"]


@pytest.fixture
def look(address):
    with httpx.Client(base_url=address, timeout=PATIENCE) as there:
        yield there.get


def test_a_link_shows_who_shared_what_and_until_when(life, clock, look):
    path, _ = shared(life, clock)
    page = look(path)

    assert page.status_code == 200
    assert "Marisol Okafor" in page.text
    assert life.number in page.text
    assert (clock.today + timedelta(days=30)).isoformat() in page.text
    assert clock.today.isoformat() in page.text
    assert "What became of it" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]
    assert "noindex" in page.text


def test_it_shows_what_was_ticked_and_as_of_now(life, clock, look):
    other = life.more()
    path, _ = shared(life, clock, details=DETAILS)

    page = look(path)
    assert "2020-03-02" in page.text
    assert other in page.text
    assert "Hours with this person" in page.text
    assert "suspended" not in page.text
    life.suspend()
    assert "suspended" in look(path).text
    assert "Compartido por Marisol" in look(f"{path}?lang=es").text


def test_every_link_that_opens_nothing_gets_the_same_page(life, clock, look):
    ended, name = shared(life, clock)
    old, _ = shared(life, clock, days=1)
    life.holder.do(f"/people/{life.person}/shares/{name}/ends")
    clock.move(days=3)

    pages = [look(path) for path in (ended, old, "/shared/" + "a" * 52, "/shared/x", ended[:-1])]

    assert {page.status_code for page in pages} == {404}
    texts = {re.sub(r"/shared/\w+", "/shared/-", page.text) for page in pages}
    assert len(texts) == 1
    assert "Okafor" not in texts.pop()
    assert all(page.headers["cache-control"] == "no-store" for page in pages)


def test_forgetting_somebody_ends_their_links(life, clock, look, registry):
    path, _ = shared(life, clock)
    person = registry.store.get(Person, life.person)
    person.request_erasure(on=clock.today, by="holder:x:1")
    person.confirm_erasure(on=clock.today, by="coordinator:VA:2")
    registry.store.save(person)
    clock.move(days=8)
    assert registry.carry_out_erasure(life.person)

    assert look(path).status_code == 404


def test_the_code_is_shown_once_and_is_in_no_event(life, clock, registry):
    key = "5f0c7a52-9d0e-4b57-9c3e-6d2f0e6f7a11"
    body = {"number": life.number, "until": clock.today.isoformat()}
    first = life.holder.post(f"/people/{life.person}/shares", body, key=key)
    again = life.holder.post(f"/people/{life.person}/shares", body, key=key)

    code = first.json()["shown_once"]["link"].rpartition("/")[2]
    assert re.fullmatch("[a-z2-7]{52}", code)
    assert "shown_once" not in again.json()
    stored = registry.store._ask("SELECT convert_from(state, 'UTF8') FROM registry.events")
    assert not any(code in state.lower() for (state,) in stored)
    assert "link" not in first.json()["events"][0]["facts"]


def test_the_holder_sees_how_often_it_was_opened_and_nobody_else_does(life, clock, look, client, employer, connect):
    path, name = shared(life, clock, details=["history"])
    for _ in range(3):
        look(path)

    (row,) = life.holder.get(f"/people/{life.person}/shares").json()["shares"]
    assert (row["share"], row["open"], row["details"]) == (name, True, ["history"])
    assert row["opened"] == [{"day": clock.today.isoformat(), "times": 3}]
    for stranger in (life.va, employer.key, client("alliance"), client("operator"), client()):
        assert stranger.get(f"/people/{life.person}/shares").status_code in (401, 403)
        assert stranger.post(f"/people/{life.person}/shares/{name}/ends").status_code in (401, 403)
    columns = connect().execute("SELECT * FROM service.openings").description
    assert [column.name for column in columns] == ["link", "day", "times"]


def test_only_an_endorsement_of_ones_own_and_a_day_to_come(life, clock):
    path = f"/people/{life.person}/shares"
    tomorrow = (clock.today + timedelta(days=1)).isoformat()

    wrong = life.holder.post(path, {"number": life.another(), "until": tomorrow})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "number")
    for day in (clock.today - timedelta(days=1), clock.today + timedelta(days=400)):
        refused = life.holder.post(path, {"number": life.number, "until": day.isoformat()})
        assert (refused.status_code, refused.json()["field"]) == (422, "until")


def test_a_voided_fact_is_not_in_what_is_shown(life, clock, look, registry):
    held = registry.store.get(Endorsement, life.number)
    held.make_inactive("illness", on=clock.today, by="coordinator:VA:k1")
    registry.store.save(held)
    path, _ = shared(life, clock, details=["history"])
    assert "Made inactive" in look(path).text
    held = registry.store.get(Endorsement, life.number)
    held.correct(held.version, "wrong_record", void=True, on=clock.today, by="coordinator:VA:k1")
    registry.store.save(held)

    assert "Made inactive" not in look(path).text


def test_no_line_of_the_log_has_the_code(life, clock, look, caplog):
    path, _ = shared(life, clock)
    with caplog.at_level("INFO", "registry.requests"):
        look(path)
        # The line is written when the answer is out.
        wait_for(lambda: "/shared/{code}" in caplog.text, "the line of the request")

    assert path not in caplog.text
