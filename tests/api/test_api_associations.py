"""Associations over the API: one that no row knows is admitted, named, worked for; the Alliance's desk of transfers."""

from faces import created

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


def test_R30_what_the_alliance_reads_of_an_associations_cases_is_noted(client, life, connect):
    application = life.judged()
    answer = life.va.do(f"/applications/{application}/approvals")
    number = created(answer, "endorsement")
    asked = life.holder.do(f"/people/{life.person}/transfers", {"to": "CT", "endorsements": [number]})
    case = asked["events"][0]["stream"].partition("/")[2]
    alliance = client("alliance")
    paths = (f"/endorsements/{number}", f"/applications/{application}", f"/transfers/{case}", f"/people/{life.person}")
    for path in paths:
        assert alliance.get(path).status_code == 200
        assert life.holder.get(path).status_code == 200
    noted = connect().execute("SELECT record FROM service.access WHERE actor LIKE 'alliance%'").fetchall()
    streams = {f"endorsement/{number}", f"application/{application}", f"transfer/{case}", f"person/{life.person}"}
    assert {record for (record,) in noted} == streams
