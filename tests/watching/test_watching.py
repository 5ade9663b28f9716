"""What an employer follows, the feed of what changed, and who may see any of it."""

import json
from datetime import date

import pytest
from faces import created

from domain.alert import known
from domain.endorsement import Endorsement
from domain.event import Sealed
from domain.person import Person
from registry.certificates.qr import text as qr_text
from registry.opening import open_keys


def code_of(registry, settings, number, at=-1):
    """The text of a certificate's code, as the issuer writes it."""
    found = [(p, e) for p, e in registry.store.events(f"endorsement/{number}")
             if isinstance(e, Endorsement.CertificateIssued)]  # fmt: skip
    position, issued = found[at]
    named = next(e for _, e in registry.store.events(issued.person) if e.originator_version == issued.person_version)
    keys = open_keys(settings)
    return qr_text(
        issued, position, registry.store.opened(named).name, keys.signer("certificate", registry.clock()),
        host=settings.public_host, qr_host=settings.qr_host, slot_key=keys.slot_key,
    )  # fmt: skip


@pytest.fixture
def number(life):
    return life.number


def follow(employer, number, name="Marisol Okafor"):
    return employer.do("follows", {"number": number, "name": name})


def test_it_follows_by_the_code_of_a_certificate(employer, number, registry, settings):
    answer = employer.do("follows", {"qr": code_of(registry, settings, number)})

    assert answer["events"][0]["facts"] == {"numbers": [number]}


@pytest.mark.parametrize("name", ["Marisol Okafor", "marisol  OKAFOR", "Mārisol Okafor"])
def test_it_follows_by_number_and_name_as_printed(employer, number, name):
    assert follow(employer, number.lower(), name)["events"][0]["facts"] == {"numbers": [number]}


def test_unknown_and_unmatched_get_the_same_answer(employer, number, life, clock, registry, settings, client):
    elsewhere = life.another()  # no certificate was ever issued for it
    code = code_of(registry, settings, number)
    path = f"/employers/{employer.id}/follows"

    answers = [
        employer.key.post(path, {"number": asked, "name": name})
        for asked, name in [("IFS-7K3MQ9TD", "Marisol Okafor"), (number, "Ada Reviewer"), (elsewhere, "Ada Reviewer"),
                            ("nonsense", "Marisol Okafor"), (number, "")]
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {422}
    assert len({(a.json()["detail"], a.json()["field"]) for a in answers}) == 1
    forged = employer.key.post(path, {"qr": code[:-17] + "00000000000000001"})
    assert forged.status_code == 422
    clock.set(clock().replace(year=2029))
    later = client("employer", person=employer.id)
    assert later.post(path, {"number": number, "name": "Marisol Okafor"}).status_code == 422, "it has expired"
    assert later.post(path, {"qr": code}).status_code == 422


def test_of_many_those_that_hold_are_followed(employer, number, life):
    answer = employer.do(
        "follows",
        {"endorsements": [{"number": number, "name": "Marisol Okafor"}, {"number": "IFS-7K3MQ9TD", "name": "Nobody"}]},
    )

    assert answer["events"][0]["facts"] == {"numbers": [number]}


def test_the_list_says_how_each_stands_and_no_name(employer, number, life, views):
    path = f"/employers/{employer.id}/follows"
    assert employer.key.get(path).json() == {"follows": 0, "endorsements": []}
    follow(employer, number)
    life.suspend()
    views.catch_up()

    shown = employer.key.get(path).json()

    assert shown["follows"] == 1
    (row,) = shown["endorsements"]
    assert (row["number"], row["standing"], row["reason"]) == (number, "suspended", "suspended")
    assert "Okafor" not in json.dumps(shown)
    assert employer.key.get(f"{path}?standing=suspended").json()["endorsements"] == [row]
    assert employer.key.get(f"{path}?standing=active").json()["endorsements"] == []
    assert employer.key.get(f"{path}?standing=sleepy").status_code == 422


def test_the_list_comes_in_pages(employer, life, registry, views):
    numbers = sorted(life.another() for _ in range(3))
    found = registry.employer(employer.id)
    found.follow(numbers, on=registry.today("VA"), by="operator")
    registry.store.save(found)
    views.catch_up()

    first = employer.key.get(f"/employers/{employer.id}/follows?limit=2")

    assert [row["number"] for row in first.json()["endorsements"]] == numbers[:2]
    following = first.links["next"]["url"].removeprefix("/api")
    assert [row["number"] for row in employer.key.get(following).json()["endorsements"]] == numbers[2:]


def test_the_feed_tells_what_changed_since_it_follows_and_again_from_any_cursor(employer, number, life, clock):
    follow(employer, number)
    assert employer.feed()["alerts"] == []
    life.suspend()
    clock.move(days=1)
    life.lift()

    page = employer.feed()

    assert [alert["change"] for alert in page["alerts"]] == ["suspended", "suspension_lifted"]
    assert [alert["standing"] for alert in page["alerts"]] == ["suspended", "active"]
    assert employer.feed() == page, "the same cursor, the same again"
    first = page["alerts"][0]
    assert employer.feed(first["position"])["alerts"] == page["alerts"][1:]
    assert employer.feed(page["cursor"])["alerts"] == []
    part = employer.feed(limit=1)
    assert (part["alerts"], part["more"]) == ([first], True)
    assert employer.feed(part["cursor"])["alerts"] == page["alerts"][1:]


def test_what_happened_while_it_did_not_follow_is_not_told(employer, number, life):
    life.suspend()
    follow(employer, number)
    life.lift()
    employer.do("unfollows", {"numbers": [number]})
    life.suspend()

    assert [alert["change"] for alert in employer.feed()["alerts"]] == ["suspension_lifted"]


def test_a_lapse_is_told_when_the_nightly_rule_records_it(employer, number, registry, clock):
    follow(employer, number)
    through = registry.store.get(Endorsement, number).through
    clock.set(clock().replace(year=through.year + 1, month=1, day=2))
    assert registry.record_lapse(number)

    alert = employer.key and registry.feed(employer.id, 0, 10).alerts[0]

    assert (alert.change, alert.known.standing, alert.known.since) == ("lapsed", "lapsed", date(through.year + 1, 1, 1))


def test_a_forgotten_holder_is_told_as_withdrawn(employer, number, life, registry, clock):
    follow(employer, number)
    person = registry.store.get(Person, life.person)
    person.request_erasure(on=clock.today, by="holder:x:1")
    person.confirm_erasure(on=clock.today, by="coordinator:VA:2")
    registry.store.save(person)
    clock.move(days=8)
    assert registry.carry_out_erasure(life.person)

    (alert,) = employer.feed()["alerts"]

    assert (alert["change"], alert["standing"]) == ("withdrawn", "withdrawn")
    assert set(alert) == {"id", "position", "change", "on", "recorded_at", "number", "category", "association",
                          "standing", "since", "through", "reason"}  # fmt: skip


def test_how_it_stands_agrees_with_the_certificates_notice(employer, number, life, registry):
    follow(employer, number)
    life.suspend()

    stands = known(registry.store.events(f"endorsement/{number}"), registry.today("VA"))

    assert stands.standing == registry.store.get(Endorsement, number).standing(registry.today("VA"))


def test_nobody_else_sees_what_an_employer_follows(employer, number, life, client, registry):
    follow(employer, number)
    answer = client("coordinator", association="VA").do("/employers", {"name": "Other", "email": "o@example.org"})
    strangers = [
        client("employer", person=created(answer, "employer")), life.va, life.holder, client("alliance"),
        client("operator"), client(),
    ]  # fmt: skip
    position = registry.store.events(f"employer/{employer.id}")[-1][0]
    for stranger in strangers:
        assert stranger.get(f"/employers/{employer.id}/follows").status_code in (401, 403), stranger
        refused = stranger.post(f"/employers/{employer.id}/follows", {"number": number, "name": "Marisol Okafor"})
        assert refused.status_code in (401, 403)
        assert stranger.http.get(f"/log/{position}.tlog-proof").status_code in (401, 403)
    assert strangers[0].get("/employers/feed").json()["alerts"] == []
    assert {stranger.get("/employers/feed").status_code for stranger in strangers[1:]} <= {401, 403}
    held = life.holder.get(f"/endorsements/{number}/history").text + life.holder.get(f"/people/{life.person}").text
    assert employer.id not in held


def test_a_coordinator_sees_the_employers_of_the_association_and_no_others(employer, client):
    ours, theirs = client("coordinator", association="VA"), client("coordinator", association="CT")

    assert [row["name"] for row in ours.get("/employers").json()["employers"]] == ["Riverside Clinic"]
    assert theirs.get("/employers").json()["employers"] == []
    assert ours.get(f"/employers/{employer.id}").json()["email"] == "hr@riverside.example.org"
    assert theirs.get(f"/employers/{employer.id}").status_code == 403
    assert theirs.post(f"/employers/{employer.id}/ends").status_code == 403


def test_ending_an_employer_ends_its_keys_and_destroys_its_name(employer, number, client, registry, desk):
    follow(employer, number)
    life_link = desk.make_entry("employer", person=employer.id)
    client("coordinator", association="VA").do(f"/employers/{employer.id}/ends")

    assert employer.key.get(f"/employers/{employer.id}").status_code == 401
    assert desk.entry(life_link.rpartition("/")[2]) is None
    assert registry.employer_contact(employer.id) == (None, None)
    for _, event in registry.store.events(f"employer/{employer.id}")[:1]:
        assert isinstance(event.name, Sealed)
    assert not registry.forget_employer(employer.id), "it is done"
    with pytest.raises(Exception, match="Name the employer"):
        desk.add("employer", person=employer.id)


def test_a_letter_a_day_tells_what_changed_without_a_name(employer, number, life, registry, settings, clock):
    from registry import notify

    follow(employer, number)
    assert not registry.tell_employer(employer.id)
    life.suspend()
    life.lift()
    assert registry.tell_employer(employer.id)
    assert not registry.tell_employer(employer.id), "once a day"
    notify.go_round(settings, registry)
    letters = [notify.Outbox(settings).read(one) for one in notify.Outbox(settings).letters()]
    (letter,) = [one for one in letters if one["To"] == "hr@riverside.example.org"]

    assert letter["Subject"] == "Endorsements you follow have changed"
    text = letter.get_content()
    assert f"{number} is suspended" in text
    assert f"{number} is suspended no more" in text
    assert "Okafor" not in letter.as_string()
    clock.move(days=1)
    employer.do("mails", {"mails": False})
    life.suspend()
    assert not registry.tell_employer(employer.id)


def test_the_nightly_rules_name_whom_to_tell_and_whom_to_forget(employer, number, life, registry, connect):
    from projections import employers

    reader = connect("reader")

    def named(query):
        return [row[0] for row in reader.execute(*query(registry.today("VA"), "", 10)).fetchall()]

    follow(employer, number)
    assert named(employers.to_tell) == []
    life.suspend()
    assert named(employers.to_tell) == [employer.id]
    assert registry.tell_employer(employer.id)
    assert named(employers.to_tell) == []
    found = registry.employer(employer.id)
    found.end(on=registry.today("VA"), by="operator")
    registry.store.save(found)  # killed before the key was destroyed
    assert named(employers.to_forget) == [employer.id]
    assert registry.forget_employer(employer.id)
    assert named(employers.to_forget) == []


def test_the_feed_is_the_same_from_near_and_from_afar(employer, number, life, registry, monkeypatch):
    from registry.commands import employers

    follow(employer, number)
    life.suspend()
    life.lift()
    near = registry.feed(employer.id, 0, 10)
    monkeypatch.setattr(employers, "_NEAR", 0)

    assert registry.feed(employer.id, 0, 10) == near
    assert len(near.alerts) == 2
