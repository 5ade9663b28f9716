"""A whole life over HTTP: apply, be judged by two, endorsed, renewed, moved on the word of both sides."""

from datetime import UTC, date, datetime

from faces import created

from domain.person import Person

ATTESTED = {"training_hours": 15, "membership": True, "ethics": True, "no_sanction": True}

MEMBER = {"association": "VA", "from": "2027-01-01", "through": "2027-12-31"}


def test_from_application_to_transfer(life, client, clock, views):
    number = life.endorsed()
    topics = [event["topic"] for event in life.holder.get(f"/endorsements/{number}/history").json()["events"]]
    assert topics == ["endorsement.awarded", "certificate.issued", "certificate.signed"]

    clock.set(datetime(2027, 10, 15, 12, tzinfo=UTC))
    life.holder = client("holder", person=life.person)
    refused = life.holder.post(f"/endorsements/{number}/renewals", ATTESTED).json()
    assert [gap["requirement"] for gap in refused["missing"]] == ["membership"]
    client("coordinator", association="VA").do(f"/people/{life.person}/memberships", MEMBER)
    renewed = life.holder.do(f"/endorsements/{number}/renewals", ATTESTED)
    assert [event["topic"] for event in renewed["events"]] == [
        "endorsement.renewed", "certificate.issued", "certificate.signed",
    ]  # fmt: skip
    assert renewed["events"][0]["facts"]["through"] == "2030-12-31"

    asked = life.holder.do(f"/people/{life.person}/transfers", {"to": "CT", "endorsements": [number]})
    transfer = created(asked, "transfer")
    va, ct = client("coordinator", association="VA"), client("coordinator", association="CT")
    va.do(f"/transfers/{transfer}/confirmations")
    ct.do(f"/transfers/{transfer}/memberships", {"through": "2027-12-31"})
    assert life.registry.store.get(Person, life.person).member_of("CT", date(2027, 12, 31))
    accepted = ct.do(f"/transfers/{transfer}/acceptances")
    assert accepted["links"] == {
        "transfer": f"/api/transfers/{transfer}", "endorsement": f"/api/endorsements/{number}",
    }  # fmt: skip

    seen = ct.get(f"/endorsements/{number}").json()
    assert (seen["association"]["code"], seen["standing"], seen["through"]) == ("CT", "active", "2030-12-31")
    assert seen["name"] == "Marisol Okafor, MSW"
    views.catch_up()
    whole = [event["topic"] for event in ct.get(f"/endorsements/{number}/history").json()["events"]]
    assert whole[0] == "application.started"
    assert whole[-1] == "certificate.signed"
    assert "transfer.standing_confirmed" in whole


def test_what_is_missing_is_named_with_its_source(life):
    application = life.start()
    refused = life.holder.post(f"/applications/{application}/submissions", {"signed": True})
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["code"] == "requirements_not_met"
    assert [(gap["requirement"], gap["source"]) for gap in problem["missing"]] == [
        ("any_of", "IN-CAT"), ("training", "CT-ECFA"), ("references", "MI-ECFA"),
        ("reference", "PA-REF"), ("reference", "MI-ECFA"), ("reference", "MI-ECFA"),
    ]  # fmt: skip
    live = life.holder.get(f"/people/{life.person}/missing?category=IFA").json()
    assert live["missing"] == problem["missing"]


def test_the_answer_about_a_day_and_about_what_was_known(life, clock, views):
    number = life.endorsed()
    before = life.va.get(f"/endorsements/{number}").headers["X-Registry-Position"]
    clock.move(days=3)
    va = life.client("coordinator", association="VA")
    va.do(
        f"/endorsements/{number}/suspensions",
        {"reason": "fraud_being_established", "on": "2026-06-02", "late": "decided_at_a_meeting"},
    )
    assert va.get(f"/endorsements/{number}?on=2026-06-01").json()["standing"] == "active"
    assert va.get(f"/endorsements/{number}?on=2026-06-03").json()["standing"] == "suspended"
    assert va.get(f"/endorsements/{number}?on=2026-06-03&known={before}").json()["standing"] == "active"
    assert va.get(f"/endorsements/{number}?on=2026-06-03&known=2026-06-01T23:00:00Z").json()["standing"] == "active"
    views.catch_up()
    assert life.client().get(f"/endorsements/{number}").status_code == 404
