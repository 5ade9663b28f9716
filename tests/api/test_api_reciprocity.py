"""Reciprocity over HTTP: who came and left, as JSON and as a table, in a period and as known then."""

import csv

import pytest
from faces import created


@pytest.fixture
def moved(life, client):
    """Somebody of long standing, asked to go from Virginia to Connecticut, accepted there the same day."""
    number, person = life.endorse()
    holder, ct = client("holder", person=person), client("coordinator", association="CT")
    transfer = created(holder.do(f"/people/{person}/transfers", {"to": "CT", "endorsements": [number]}), "transfer")
    life.va.do(f"/transfers/{transfer}/confirmations")
    ct.do(f"/transfers/{transfer}/memberships", {"through": "2027-12-31"})
    life.before = life.registry.store.position()
    ct.do(f"/transfers/{transfer}/acceptances")
    life.number, life.transfer, life.ct = number, transfer, ct
    return life


def test_who_came_and_who_left_with_the_proof_of_each(moved, client):
    came = moved.ct.get("/associations/CT/reciprocity").json()
    (move,) = came["came"]
    assert (move["number"], move["from"], move["to"], move["days"]) == (moved.number, "VA", "CT", 0)
    assert move["links"] == {
        "proof": f"/log/{move['position']}.tlog-proof", "endorsement": f"/api/endorsements/{moved.number}",
        "transfer": f"/api/transfers/{moved.transfer}",
    }  # fmt: skip
    assert came["position"] == moved.registry.store.position()
    left = moved.va.get("/associations/VA/reciprocity").json()["left"]
    assert left == [move]
    matrix = client("alliance").get("/reciprocity").json()
    assert (matrix["moves"], matrix["total"]) == ({"VA": {"CT": 1}}, 1)


def test_in_a_period_and_as_known_then(moved):
    then = moved.ct.get(f"/associations/CT/reciprocity?known={moved.before}").json()
    assert (then["came"], then["position"], then["known"] is not None) == ([], moved.before, True)
    assert [one["transfer"] for one in then["open"]] == [moved.transfer]
    before = moved.ct.get("/associations/CT/reciprocity?from=2020-01-01&through=2020-12-31").json()
    assert (before["came"], before["from"], before["through"]) == ([], "2020-01-01", "2020-12-31")
    for asked, field in (
        ("from=May", "from"),
        ("from=2026-02-02&through=2026-02-01", "from"),
        ("known=99999", "known"),
    ):
        refused = moved.ct.get(f"/associations/CT/reciprocity?{asked}")
        assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text


def test_as_a_table(moved):
    answer = moved.ct.get("/associations/CT/reciprocity.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "reciprocity-CT-" in answer.headers["content-disposition"]
    (row,) = csv.DictReader(answer.content.decode("utf-8-sig").splitlines())
    assert (row["direction"], row["number"], row["from"], row["word"]) == ("came", moved.number, "VA", "confirmed")


def test_a_coordinator_asks_of_their_own_and_the_alliance_of_all(moved, client):
    assert moved.va.get("/associations/CT/reciprocity").status_code == 403
    assert moved.va.get("/reciprocity").status_code == 403
    assert moved.va.get("/associations/XX/reciprocity").status_code == 403
    assert client("alliance").get("/associations/XX/reciprocity").status_code == 404
    assert client("alliance").get("/associations/CT/reciprocity").status_code == 200
