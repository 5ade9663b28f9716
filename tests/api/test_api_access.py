"""Role x deed x {own, other, none} over HTTP, for every operation; strangers learn nothing from the difference."""

import inspect
import itertools
import re
import uuid
from datetime import date

import pytest

from domain.access import DEEDS as ROWS_OF_ACCESS
from domain.access import Actor, Thing, allowed
from domain.audit import Audit
from domain.employer import Employer
from domain.endorsement import new_number
from domain.exam import Exam
from registry.api.deeds import DEEDS
from registry.api.questions import QUESTIONS
from registry.commands import Act, Registry

ROLES = ("public", "holder", "reviewer", "exam_scorer", "employer", "coordinator", "alliance", "operator")
REFUSED = (401, 403)


def test_every_deed_of_the_registry_has_a_route_and_a_row():
    deeds = {name for name, method in inspect.getmembers(Registry) if hasattr(method, "__wrapped__")}
    assert deeds == {deed.name for deed in DEEDS}
    assert {deed.access for deed in DEEDS} <= ROWS_OF_ACCESS
    assert {question.rule for question in QUESTIONS if question.rule} <= ROWS_OF_ACCESS


def test_only_these_questions_are_open_to_everybody():
    assert {question.name for question in QUESTIONS if not question.rule} == {
        "register", "associations", "categories", "rules", "rating_form", "openapi", "access", "competencies",
        "rsc_provider", "rsc_providers",
    }  # fmt: skip


@pytest.fixture
def world(life, client, registry):
    """One case of each kind in Virginia, its people, and their like elsewhere."""
    number = life.endorsed()
    life.holder.do(f"/people/{life.person}/entries", {"kind": "rsc", "from": "2026-01-05", "through": "2026-01-06",
                                                      "hours": 2, "provider_name": "N. N."})  # fmt: skip
    asked = life.holder.do(f"/people/{life.person}/transfers", {"to": "CT", "endorsements": [number]})
    transfer = asked["events"][0]["stream"].partition("/")[2]
    started = life.holder.do(f"/people/{life.person}/applications", {"association": "VA", "category": "IFS"})
    application = started["events"][0]["stream"].partition("/")[2]
    nominated = life.holder.do(
        f"/people/{life.person}/references",
        {"relationship": "supervisor", "name": "Ada Rater", "email": "ada@example.org", "waiver": False},
    )
    reference = nominated["events"][0]["stream"].partition("/")[2]
    stranger = life.endorse("TX")[1]
    exam = Exam("x" * 26)
    exam.book("C-1", date(2026, 8, 25), "IMH", "MHM-C", on=date(2026, 6, 1), by="holder")
    exam.assign(life.person, (), on=date(2026, 6, 1), by="alliance:ALLIANCE")
    registry.store.save(exam)
    drawn = registry.draw_quality_sample(
        Act(Actor("alliance", association="ALLIANCE")), "VA", from_=date(2020, 1, 1), through=date(2026, 12, 31), size=1
    ).events[0]
    audit = Audit("y" * 26)
    audit.draw("VA", 2027, [number], "sixteen characters", 0.05, on=date(2026, 6, 1), by="alliance:ALLIANCE")
    registry.store.save(audit)
    employers = [Employer(registry.new_id()), Employer(registry.new_id())]
    for employer in employers:
        employer.admit("VA", name="Riverside Clinic", email="hr@example.org", on=date(2026, 6, 1), by="operator")
    registry.store.save(*employers)
    return {
        "names": {
            "audit": audit.name,
            "code": "VA", "person": life.person, "number": number, "application": application, "transfer": transfer,
            "reference": reference,
            "entry": "E4", "other": stranger, "category": "IFS", "cti": "0" * 32, "file": "qr.txt",
            "exam": exam.name, "review": drawn.originator_id.partition("/")[2], "item": drawn.items[0], "finding": "F1",
            "employer": employers[0].name, "share": "S1",
        },
        "unknown": {
            "audit": "f" * 26,
            "code": "XX", "person": "a" * 26, "number": new_number("IFS", lambda n: b"\7" * n), "application": "b" * 26,
            "transfer": "c" * 26, "reference": "d" * 26,
            "entry": "E4", "other": stranger, "category": "IFS", "cti": "0" * 32,
            "file": "qr.txt", "exam": "e" * 26, "review": "d" * 26, "item": f"{'b' * 26}-7", "finding": "F1",
            "employer": "a" * 26, "share": "S1",
        },
        "own": {
            "public": ("", {}), "holder": ("holder", {"person": life.person}),
            "reviewer": ("reviewer", {"person": life.person}),
            "exam_scorer": ("exam_scorer", {"person": life.person}),
            "employer": ("employer", {"person": employers[0].name}),
            "coordinator": ("coordinator", {"association": "VA"}),
            "alliance": ("alliance", {}), "operator": ("operator", {}),
        },
        "other": {
            "public": ("", {}), "holder": ("holder", {"person": stranger}),
            "reviewer": ("reviewer", {"person": stranger}),
            "exam_scorer": ("exam_scorer", {"person": stranger}),
            "employer": ("employer", {"person": employers[1].name}),
            "coordinator": ("coordinator", {"association": "TX"}),
            "alliance": ("alliance", {}), "operator": ("operator", {}),
        },
        "person": life.person,
        "employer": employers[0].name,
    }  # fmt: skip


def thing_of_path(path, world):
    """What the access table is asked about, for a case in Virginia with a transfer to Connecticut."""
    kind = path.split("/")[1]
    if "likenesses" in path or kind == "ratings":
        return Thing()  # no such question is open
    if kind == "reciprocity":
        return Thing()  # of all associations
    if kind == "transfers":
        return Thing(person=world["person"], releasing="VA", receiving="CT")
    if kind == "people" and "{person}" not in path:
        return Thing(association="VA")
    if kind == "employers":
        return Thing(person=world["employer"] if "{" in path else "", association="VA")
    if kind == "exams":
        return Thing(reviewers=frozenset({world["person"]}))
    if kind == "quality-reviews":
        return Thing(association="VA")
    return Thing(person="" if kind == "associations" else world["person"], association="VA")


def actor(role, whose):
    association = "ALLIANCE" if role == "alliance" else whose.get("association", "")
    return Actor(role, association=association, person=whose.get("person", ""))


@pytest.mark.parametrize("whose", ["own", "other"])
def test_deeds_are_refused_exactly_where_the_table_has_no_row(world, client, whose):
    wrong = []
    clients = {role: client(*_call(world, whose, role)) if role == "public" else client(
        world[whose][role][0], **world[whose][role][1]) for role in ROLES}  # fmt: skip
    for deed, role in itertools.product(DEEDS, ROLES):
        path = deed.path.format(**world["names"])
        example = dict(deed.example)
        if deed.name == "register_person":
            example["residence"] = "VA"
        if deed.name == "admit_employer":
            example["association"] = "VA"
        if deed.name in ("merge_persons", "split_persons"):
            example = dict.fromkeys(example, world["person"])  # both records are looked at
        who = actor(role, world[whose][role][1])
        may = allowed(who, deed.access, thing_of_path(deed.path, world)) is not None
        # With a version that nothing has, no deed that is allowed goes further than the version.
        headers = {"If-Match": '"999999"'} if may else {}
        if deed.name in ("admit", "admit_employer", "register_person"):
            example |= {"on": "2099-01-01"}
        answer = clients[role].post(path, example, **headers)
        refused = answer.status_code in REFUSED
        if refused == may or answer.status_code >= 500:
            wrong.append((deed.name, role, may, answer.status_code, answer.text[:120]))
    assert wrong == []


def _call(world, whose, role):
    return (world[whose][role][0],)


@pytest.mark.parametrize("whose", ["own", "other"])
def test_questions_are_refused_exactly_where_the_table_has_no_row(world, client, whose, views):
    wrong = []
    for role in ROLES:
        name, rights = world[whose][role]
        one = client(name, **rights)
        for question in QUESTIONS:
            if not question.rule or question.name == "endorsement":
                continue
            path = question.path.format(**world["names"])
            thing = thing_of_path(question.path, world)
            if question.name == "employers":
                thing = Thing(association=rights.get("association", ""))  # a coordinator's own, or all
            if question.rule in ("see_reviews", "see_exams") or question.name == "feed":
                thing = Thing(person=rights.get("person", ""))
            if question.rule == "reconsider":
                thing = Thing(association=rights.get("association", ""))  # where none is named, one's own
            may = allowed(actor(role, rights), question.rule, thing) is not None
            answer = one.get(path + ("?category=IFS" if question.name in ("missing", "coverage") else ""))
            # No log is published here: of who may take a bundle that is all that is said.
            fault = answer.status_code >= 500 and "/problems/not_published" not in answer.text
            if (answer.status_code in REFUSED) == may or fault or (not may and answer.status_code >= 500):
                wrong.append((question.name, role, may, answer.status_code, answer.text[:120]))
    assert wrong == []


def test_unknown_and_forbidden_look_the_same(world, client, views):
    views.catch_up()
    for name, rights in (world["other"]["public"], world["other"]["coordinator"], world["other"]["holder"]):
        one = client(name, **rights)
        for question in QUESTIONS:
            if question.rule and "{" in question.path and question.name != "endorsement":
                query = "?category=IFS" if question.name in ("missing", "coverage") else ""
                there = one.get(question.path.format(**world["names"]) + query)
                nowhere = one.get(question.path.format(**world["unknown"]) + query)
                assert same(there) == same(nowhere), question.name
        for deed in DEEDS:
            if not re.search(r"{(person|number|application|transfer|exam|reference|employer)}", deed.path):
                continue
            key = str(uuid.uuid4())
            there = one.post(deed.path.format(**world["names"]), deed.example, key=key)
            nowhere = one.post(deed.path.format(**world["unknown"]), deed.example, key=key)
            if there.status_code in REFUSED:
                assert same(there) == same(nowhere), deed.name


def same(answer):
    quiet = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.text, quiet


def test_the_public_sees_the_same_for_unknown_lapsed_and_hidden(life, client, views, clock):
    number = life.endorsed()
    views.catch_up()
    public = client()
    shown = public.get(f"/endorsements/{number}").json()
    assert set(shown) == {
        "number", "name", "category", "title", "association", "standing", "on", "through", "reported", "links",
    }  # fmt: skip
    unknown = public.get(f"/endorsements/{new_number('IFS', bytes)}")
    life.holder.do(f"/people/{life.person}/publications", {"listed": False})
    views.catch_up()
    hidden = public.get(f"/endorsements/{number}")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text == unknown.text
    life.holder.do(f"/people/{life.person}/publications", {"listed": True})
    views.catch_up()
    assert public.get(f"/endorsements/{number}").status_code == 200
    clock.move(days=800)
    assert public.get(f"/endorsements/{number}").text == unknown.text
    assert public.get(f"/endorsements/{number}?on=2026-06-02").text == unknown.text


def test_an_association_does_not_see_names_of_another(life, client):
    number = life.endorsed()
    texas = client("coordinator", association="TX")
    for path in (f"/people/{life.person}", f"/endorsements/{number}/history", f"/people/{life.person}/history"):
        answer = texas.get(path)
        assert answer.status_code == 403
        assert "Marisol" not in answer.text


def test_who_looked_is_noted_once_a_day(life, connect):
    number = life.endorsed()
    for _ in range(3):
        life.va.get(f"/endorsements/{number}/history")
        life.va.get(f"/people/{life.person}")
        life.holder.get(f"/people/{life.person}")
    rows = connect().execute("SELECT actor, record, reason FROM service.access ORDER BY record").fetchall()
    assert [(actor_.rpartition(":")[0], record, reason) for actor_, record, reason in rows] == [
        ("coordinator:VA", f"endorsement/{number}", "see_history"),
        ("coordinator:VA", f"person/{life.person}", "see_person"),
    ]


def test_keys_end(client, desk, clock):
    def asks(secret):
        return client().get("/associations/TX/queue", Authorization=f"Bearer {secret}").status_code

    name, secret = desk.add("coordinator", association="VA", days=30)
    assert asks(secret) == 403
    desk.withdraw(name)
    assert asks(secret) == 401
    _, other = desk.add("coordinator", association="VA", days=30)
    clock.move(days=31)
    assert asks(other) == 401
    for wrong in ("erk_" + "0" * 64, "erk_short", "-"):
        assert asks(wrong) == 401


def test_only_the_hash_of_a_key_is_kept(desk, connect):
    _, secret = desk.add("operator")
    stored = connect().execute("SELECT k::text FROM service.api_keys AS k").fetchall()
    assert secret not in str(stored)
    assert secret[4:] not in str(stored)
