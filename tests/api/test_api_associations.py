"""Associations over the API: one that no row knows is admitted, named, worked for; the Alliance's desk of transfers."""

GEORGIA = {"jurisdiction": "Georgia", "name": "Georgia Association for Infant Mental Health",
           "abbreviation": "GA-AIMH", "zone": "America/New_York"}  # fmt: skip


def test_an_association_no_row_knows_is_admitted_and_works(client, life, views):
    alliance = client("alliance")
    refused = life.va.post("/associations/GA/admissions", GEORGIA)
    assert refused.status_code == 403
    refused = alliance.post("/associations/GA/admissions", {})
    assert (refused.status_code, refused.json()["field"]) == (422, "jurisdiction")
    alliance.do("/associations/GA/admissions", GEORGIA)
    views.catch_up()
    georgia = client("coordinator", association="GA")
    assert georgia.get("/associations/GA/queue").json()["association"]["name"] == GEORGIA["name"]
    answer = georgia.do("/people", {"name": "Ola Nordmann", "residence": "GA"})
    assert answer["events"][0]["topic"] == "person.registered"
    assert life.va.post("/people", {"name": "Eva Nordmann", "residence": "GA"}).status_code == 403


def test_a_dispute_is_on_the_alliances_desk_alone(client, life, views):
    number = life.endorsed()
    asked = life.holder.do(f"/people/{life.person}/transfers", {"to": "CT", "endorsements": [number]})
    case = asked["events"][0]["stream"].partition("/")[2]
    life.va.do(f"/transfers/{case}/disputes", {"reason": "record_differs"})
    views.catch_up()
    alliance = client("alliance")
    assert [one["id"] for one in alliance.get("/associations/ALLIANCE/queue").json()["to_decide"]] == [case]
    assert life.va.get("/associations/VA/queue").json()["to_decide"] == []
    alliance.do(f"/transfers/{case}/decisions", {"good_standing": True})
    shown = alliance.get(f"/transfers/{case}").json()
    assert (shown["state"], shown["held"], shown["refused"]) == ("confirmed", {}, {})
