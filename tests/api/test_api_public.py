"""What everybody is shown: the register, the providers of RSC, and never an earlier name."""

from datetime import date

import pytest

from domain.access import OPERATOR, Actor
from domain.endorsement import Endorsement
from registry.commands import Act

DAY = "2026-03-02"


def test_providers_are_listed_who_opted_in_and_any_number_can_be_looked_up(life, client, views, clock):
    (number, person), (other, _) = life.reviewers
    mentor = client("holder", person=person)
    mentor.do(f"/people/{person}/provider-listings", {"listed": True, "languages": ["es"], "remote": True})
    views.catch_up()
    public = client()
    answer = public.get("/rsc-providers?language=es&remote=true&association=VA")
    (row,) = answer.json()["providers"]
    assert (row["number"], row["name"], row["counts_for"]) == (number, "Ada Reviewer", ["FS", "MHS", "MHM-C"])
    assert public.get("/rsc-providers?language=fr").json()["providers"] == []
    assert public.get("/rsc-providers?association=QQ").json()["field"] == "association"
    hour = public.get(f"/rsc-providers/{other}?on={DAY}").json()
    assert (hour["counts"], hour["held"], hour["rule"]["effective"]) == (True, "IMHM-C", "2026-01-01")
    assert "name" not in hour
    assert public.get(f"/rsc-providers/IFS-7K3MQ9TD?on={DAY}").status_code == 404
    assert public.get(f"/rsc-providers/{other}").json()["field"] == "on"
    page = public.http.get("/rsc-providers")
    assert "Ada Reviewer" in page.text
    assert number not in page.text
    asked = public.http.get(f"/rsc-providers?lang=es&number={other}&on={DAY}")
    assert "provider-2026-01-01" in asked.text
    assert public.http.get("/rsc-providers?number=IFS-7K3MQ9TD").status_code == 404
    wrong = public.http.get("/rsc-providers?language=klingon")
    assert (wrong.status_code, "by its code" in wrong.text) == (422, True)


def test_r26_the_register_shows_only_who_is_active_and_only_what_is_public(life, client, views, registry, clock):
    coordinator = Actor("coordinator", association="VA", id="k8")
    (shown, _), (hidden, hider) = life.reviewers
    (dead, died), (forgotten, gone) = (life.endorse() for _ in range(2))
    (suspended, _), (archived, leaver), (lapsed, _) = (life.endorse() for _ in range(3))
    life.start()  # an applicant
    registry.choose_publication(Act(Actor("holder", person=hider)), hider, listed=False)
    registry.report_death(Act(coordinator), died, died_on=clock.today)
    registry.suspend(Act(coordinator), suspended, reason="fraud_being_established")
    registry.archive(Act(Actor("holder", person=leaver)), archived)
    over = registry.store.get(Endorsement, lapsed)
    over.record(Endorsement.Lapsed, through=date(2025, 12, 31), on=clock.today, by="operator")
    registry.store.save(over)
    registry.request_erasure(Act(coordinator), gone)
    registry.confirm_erasure(Act(OPERATOR), gone)
    clock.move(days=7)
    assert registry.carry_out_erasure(gone)
    views.catch_up()
    public = client()
    (row,) = public.get("/register").json()["endorsements"]
    assert row["number"] == shown
    assert set(row) <= {"number", "name", "category", "title", "association", "standing", "on", "through", "awarded_on",
                        "reported", "links"}  # fmt: skip
    for number in (hidden, dead, forgotten, suspended, archived, lapsed):
        assert public.get(f"/register?number={number}").json()["endorsements"] == []
        assert public.get(f"/endorsements/{number}").status_code == 404
        assert "Ada Reviewer" not in public.http.get(f"/endorsements/{number}").text


@pytest.mark.parametrize("face", ["api", "page"])
def test_an_earlier_name_is_only_for_the_holder_and_the_coordinator(life, client, desk, views, face):
    life.va.do(f"/people/{life.person}/names", {"name": "Mar Oliveira"})
    life.endorsed()
    views.catch_up()
    history = f"/people/{life.person}" + ("/history" if face == "api" else "")
    if face == "api":
        for allowed in (life.holder, life.va):
            assert "Marisol Okafor" in allowed.get(history).text
        for other in (
            client(),
            client("coordinator", association="CT"),
            client("reviewer", person=life.reviewers[0][1]),
        ):
            assert "Marisol Okafor" not in other.get(history).text
            assert "Marisol" not in other.get("/register?name=Marisol").text
        assert "Mar Oliveira" in client().get("/register?name=oliveira").text
    else:
        public = client().http
        assert all("Marisol" not in public.get(path).text for path in (history, "/register?name=okafor", "/register"))
