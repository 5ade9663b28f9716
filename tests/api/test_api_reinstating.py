"""Reinstatement over HTTP, under the old rule with new references and under the new one with an audit (R22)."""

from datetime import UTC, date, datetime

import pytest
from references import give_references

from domain.endorsement import Endorsement, Source, new_number
from domain.person import Person


def lapsed(registry, association, through):
    """Somebody whose last good day is over, a member on record: person and number."""
    person, number = registry.new_id(), new_number("IFS", registry.draw)
    on, by = date(2020, 3, 2), "operator"
    registered = Person(person)
    registered.register(residence=association, name="Kanoa Lindqvist", credentials="", email="", match="", on=on, by=by)
    today = registry.today(association)
    registered.record_membership(association, today, date(today.year, 12, 31), on=today, by=by)
    held = Endorsement(number)
    held.record(
        Endorsement.Imported, number=number, person=person, category="IFS", association=association, awarded_on=on,
        through=through, standing="active", source=Source(file="0" * 64, row=1, record=number), on=on, by=by,
    )  # fmt: skip
    registry.store.save(registered, held)
    return person, number


@pytest.fixture
def year():
    return 2022


@pytest.fixture
def clock(clock, year):
    clock.set(datetime(year, 6, 1, 12, tzinfo=UTC))
    return clock


@pytest.mark.parametrize("association", ["TN", "MI"])
def test_r22_the_old_rule_asks_three_references_given_since_the_lapse(registry, client, association):
    through = {"TN": date(2021, 12, 31), "MI": date(2022, 2, 28)}[association]
    person, number = lapsed(registry, association, through)
    coordinator = client("coordinator", association=association)
    path, attested = f"/endorsements/{number}/reinstatements", {"training_hours": 0, "membership": True}
    # Those of before the lapse, which led to the award, are not new.
    give_references(registry, person, "IFS", association=association, on=date(2021, 11, 1))
    void = give_references(registry, person, "IFS", association=association, relationships=["teacher"], unknown=6)
    give_references(registry, person, "IFS", association=association, relationships=["supervisor", "colleague"])
    refused = coordinator.post(path, attested).json()
    assert [(gap["requirement"], gap["have"], gap["need"]) for gap in refused["missing"]] == [("references", 2, 3)]
    assert [(one["reference"], one["reason"]) for one in refused["references"]] == [(void[0], "too_many_unknown")]
    # Whoever gave it: the old rule names no places.
    give_references(registry, person, "IFS", association=association, relationships=["board_member"])
    done = coordinator.do(path, attested | {"fee": "paid", "amount": 5000, "currency": "USD"})
    facts = done["events"][0]["facts"]
    assert (facts["edition"], facts["audit_required"], len(facts["references"])) == ("reinstatement-2002", False, 3)
    assert facts["fee"] == {"how": "paid", "amount": 5000, "currency": "USD", "sponsor": ""}
    assert coordinator.get(f"/endorsements/{number}").json()["standing"] == "active"


@pytest.mark.parametrize("year", [2025])
def test_r22_the_new_rule_asks_no_references_but_hours_the_fee_and_an_audit(registry, client, life):
    _, number = lapsed(registry, "NE", date(2024, 12, 31))
    coordinator = client("coordinator", association="NE")
    path = f"/endorsements/{number}/reinstatements"
    refused = coordinator.post(path, {"training_hours": 14, "membership": True}).json()
    assert [gap["requirement"] for gap in refused["missing"]] == [
        "training_hours", "rsc_provider", "ethics", "audit", "fee",
    ]  # fmt: skip
    assert refused["missing"][-1]["source"] == "NE-POL"
    body = {"training_hours": 15, "rsc_provider": life.reviewers[0][0], "membership": True, "ethics": True,
            "audit": True, "fee": "paid"}  # fmt: skip
    facts = coordinator.do(path, body)["events"][0]["facts"]
    assert (facts["edition"], facts["audit_required"], facts["fee"]["amount"]) == ("reinstatement-2024", True, 2500)
    assert registry.store.get(Endorsement, number).audit_due
