"""What can't be undone takes a new sign-in; the access table can be read by everybody."""

from datetime import timedelta

from registry.api.actors import FRESH


def test_a_session_older_than_a_quarter_of_an_hour_does_nothing_that_cannot_be_undone(life, desk, clock):
    secret = desk.enter(desk.make_entry("holder", person=life.person).rpartition("/")[2])
    assert desk.by_session(secret).fresh
    clock.now += FRESH + timedelta(seconds=1)
    assert not desk.by_session(secret).fresh
    assert desk.by_key(desk.add("holder", person=life.person)[1]).fresh


def test_anybody_reads_who_may_do_what(client):
    rows = client().get("/access?role=reviewer").json()["rows"]
    assert {row["role"] for row in rows} == {"reviewer"}
    answer = client().get("/access?role=cook")
    assert (answer.status_code, answer.json()["field"]) == (422, "role")
