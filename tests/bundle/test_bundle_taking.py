"""What a bundle holds, and for whom."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, date, datetime

import pytest
import rfc8785
from moved import ADDRESS, ALLIANCE, CT, NAME, NUMBER, VA

from domain.access import Actor
from domain.endorsement import new_number
from domain.errors import Forbidden, Invalid, NotFound
from registry.bundle import Behind
from registry.certificates.documents import KnownKeys, _method
from registry.certificates.succession import Succession
from registry.log.published import NotYetPublished
from registry.log.tiles import Damaged
from verifier import bundle as verifier


def read(taken):
    return json.loads(taken.content)


def kinds(value):
    return {event[1].partition("/")[0] for event in value["events"]}


def opened(value):
    return {(one["field"], one["value"]) for one in value["openings"]}


def test_a_number_is_its_whole_case_in_the_one_spelling_and_proved(lived):
    taken = lived.take(VA)

    value = read(taken)
    assert kinds(value) == {"endorsement", "application", "transfer", "person", "key"}
    assert rfc8785.dumps(value) == taken.content
    proved = verifier.check(taken.content, lived.pins())
    assert (proved.verdict, proved.exit, proved.events) == ("proved", 0, taken.events)
    assert proved.specimen
    (held,) = proved.claims["endorsements"]
    assert [(one["from"], one["standing"], one["category"], one["association"]) for one in held["standing"]] == [
        ("2023-03-01", "active", "IFS", "VA"),
        ("2023-05-01", "active", "IFS+EERS", "VA"),
        ("2024-10-15", "active", "IFS+EERS", "VA"),
        ("2025-05-02", "active", "IFS", "VA"),
        ("2025-05-31", "inactive", "IFS", "VA"),
        ("2025-06-01", "active", "IFS", "VA"),  # as it was corrected
        ("2026-03-02", "active", "IFS", "CT"),
        ("2028-01-01", "lapsed", "IFS", "CT"),
    ]
    (move,) = proved.claims["transfers"]
    assert (move["from"], move["to"], move["state"], move["moved"]) == ("VA", "CT", "completed", [NUMBER])
    assert move["words"] == [{"on": "2026-02-09", "said": "confirmed", "by": "coordinator:VA:k1"}]


def test_the_rules_its_decisions_cite_are_in_it_with_their_sources(lived):
    rules = {row["name"]: row for row in read(lived.take())["policy"]}

    assert set(rules) == {"FS-2023", "renewal-2023"}
    assert all(row["row"] and row["sources"] for row in rules.values())


def test_a_did_document_may_leave_out_a_withdrawn_key_or_say_revoked_and_no_more(lived, monkeypatch):
    now = datetime(2026, 6, 1, 11, tzinfo=UTC)
    stolen = lived.keys.newest("certificate", now)
    host = lived.settings.public_host
    Succession(lived.registry.store, lived.keys, host=host, by="operator").withdraw(stolen, "lost", since=now, now=now)
    lived.publish()
    assert stolen not in json.dumps(read(lived.take())["keys"]["did"])

    written = KnownKeys.did

    def with_it(marks, keep):
        def did(known, use, host):
            document = json.loads(written(known, use, host))
            if use == "certificate":
                del document["verificationMethod"][keep:]
                document["verificationMethod"].append(_method(known.get(stolen)) | marks)
                document["assertionMethod"] = [one["id"] for one in document["verificationMethod"]]
            return json.dumps(document).encode()

        monkeypatch.setattr(KnownKeys, "did", did)

    with_it({"revoked": "2026-06-01T11:00:00Z"}, keep=2)  # as bundles of before have it
    assert verifier.check(lived.take().content, lived.pins()).verdict == "proved"
    for marks, keep in (({}, 2), ({"revoked": "2026-06-01T11:00:00Z"}, 1)):
        with_it(marks, keep)
        with pytest.raises(Damaged, match="not those that the log announces"):
            lived.take()


def test_of_a_case_the_name_is_opened_for_who_may_see_it(lived):
    for actor in (VA, CT, ALLIANCE):
        taken = lived.take(actor)

        assert opened(read(taken)) == {("name", NAME)}
        assert NAME.encode() in taken.content
        assert ADDRESS.encode() not in taken.content


def test_the_operators_opens_nothing(lived):
    taken = lived.take()

    assert read(taken)["openings"] == []
    assert NAME.encode() not in taken.content


def test_of_ones_own_record_the_address_too_but_no_keyed_hash(lived):
    value = read(lived.take(Actor("holder", person=lived.person, id="k"), person=lived.person))

    assert opened(value) == {("name", NAME), ("email", ADDRESS)}


def test_who_may_not_see_it_gets_none(lived):
    for actor in (
        Actor("coordinator", association="MI"),
        Actor("holder", person="somebody-else"),
        Actor("reviewer", person="r1"),
    ):
        for asked in (
            {"number": NUMBER},
            {"person": lived.person},
            {"association": "VA", "first": date(2026, 1, 1), "last": date(2026, 6, 1)},
        ):
            with pytest.raises(Forbidden):
                lived.take(actor, **asked)


def test_an_applicants_own_does_not_tell_what_each_reviewer_found(lived):
    from domain.application import Application

    lived.record(
        f"application/a-{NUMBER}",
        (Application.CompetenciesAssessed, {"on": date(2023, 3, 1), "reviewer": "IMHS-1", "met": ("TF-1",),
                                            "not_met": (), "catalogue": "ours-1"}),
        after=5,
    )  # fmt: skip
    lived.publish()

    def topics(actor):
        return {event[3] for event in read(lived.take(actor))["events"]}

    assert "application.competencies_assessed" in topics(VA)
    assert "application.competencies_assessed" not in topics(Actor("holder", person=lived.person))


def test_who_left_is_told_to_the_association_until_the_day_they_left(lived):
    from domain.endorsement import Endorsement

    lived.record(
        f"endorsement/{NUMBER}",
        (Endorsement.Suspended, {"on": date(2026, 4, 1), "reason": "fraud_being_established"}),
        after=7,
    )
    lived.publish()
    period = {"association": "VA", "first": date(2026, 1, 1), "last": date(2026, 5, 1)}

    value = read(lived.take(VA, **period))

    assert "endorsement.suspended" not in {event[3] for event in value["events"]}
    (held,) = value["claims"]["endorsements"]
    assert [(one["from"], one["to"], one["association"]) for one in held["standing"]] == [
        ("2026-01-01", "2026-03-01", "VA"),
        ("2026-03-02", "2026-05-01", "CT"),
    ]
    assert "endorsement.suspended" in {
        event[3] for event in read(lived.take(CT, **period | {"association": "CT"}))["events"]
    }


def test_nobody_elses_number_is_told_by_an_audit(lived):
    from domain.audit import Audit

    sample = {"association": "CT", "cycle": 2024, "seed": "s" * 16, "share": 0.05, "population": (NUMBER, "IFS-0"),
              "always": (), "sample": (NUMBER, "IFS-0")}  # fmt: skip
    lived.record(
        "audit/u1",
        (Audit.SampleDrawn, {"on": date(2026, 4, 1), **sample}),
        (Audit.NoticeSent, {"on": date(2026, 4, 2), "number": "IFS-0", "why": "drawn", "answer_by": date(2026, 5, 1)}),
        (Audit.NoticeSent, {"on": date(2026, 4, 2), "number": NUMBER, "why": "drawn", "answer_by": date(2026, 5, 1)}),
    )
    lived.publish()

    def audited(actor):
        return [event[2] for event in read(lived.take(actor))["events"] if event[1] == "audit/u1"]

    assert audited(CT) == [3]
    assert audited(VA) == []


def test_an_erased_persons_bundle_still_proves(lived):
    from domain.person import Person

    person = lived.registry.store.get(Person, lived.person)
    person.erase(
        match=lived.registry.match(NAME, ADDRESS), address_match=lived.registry.address_match(ADDRESS),
        on=date(2026, 6, 1), by="operator",
    )  # fmt: skip
    lived.registry.store.save(person)
    lived.registry.store.vault.erase(lived.person)
    lived.publish()

    taken = lived.take(ALLIANCE)

    assert read(taken)["openings"] == []
    assert verifier.check(taken.content, lived.pins()).verdict == "proved"


def test_without_any_view_the_history_is_looked_through(lived, connect):
    period = {"association": "VA", "first": date(2026, 1, 1), "last": date(2026, 5, 1)}
    asked = ({"number": NUMBER}, {"person": lived.person}, period)
    before = [read(lived.take(VA, **one))["events"] for one in asked]
    connect().execute("DROP SCHEMA views CASCADE")

    assert [read(lived.take(VA, search=True, **one))["events"] for one in asked] == before


def test_a_state_is_the_stored_bytes(lived):
    (event,) = [event for event in read(lived.take())["events"] if event[3] == "endorsement.awarded"]

    state = json.loads(urlsafe_b64decode(event[4] + "=" * (-len(event[4]) % 4)))
    assert (state["number"], state["association"]) == (NUMBER, "VA")


class TestRefusals:
    def test_what_is_not_there_and_days_that_cannot_be(self, lived):
        with pytest.raises(NotFound):
            lived.take(number=new_number("IFS"))
        with pytest.raises(NotFound):
            lived.take(person="nobody")
        with pytest.raises(Invalid):
            lived.take(number="IFS-12")
        with pytest.raises(NotFound):
            lived.take(association="XX", first=date(2026, 1, 1), last=date(2026, 6, 1))
        with pytest.raises(Invalid) as empty:
            lived.take(association="VA", first=date(2001, 1, 1), last=date(2001, 6, 1))
        with pytest.raises(Invalid) as turned:
            lived.take(association="VA", first=date(2026, 6, 1), last=date(2026, 1, 1))
        assert (empty.value.field, turned.value.field) == ("from", "to")
        with pytest.raises(Invalid, match="shorter period"):
            lived.take(most=5)

    def test_what_is_not_published_yet_is_not_in_it(self, lived):
        before = lived.take()
        lived.award("IFS-8K3MQ9T9", lived.register("Bea Standing-Stone", "bea@example.org"))
        lived.views.catch_up()

        assert lived.take().events == before.events

    def test_views_that_have_not_come_as_far(self, lived):
        lived.award("IFS-8K3MQ9T9", lived.register("Bea Standing-Stone", "bea@example.org"))
        from datetime import UTC, datetime

        lived.plane.publish(lived.reader, datetime(2026, 6, 1, 12, tzinfo=UTC))

        with pytest.raises(Behind):
            lived.take()
        assert lived.take(VA, search=True).events == 22

    def test_before_the_first_checkpoint(self, lived):
        (lived.settings.static / "checkpoint").unlink()

        with pytest.raises(NotYetPublished):
            lived.take()

    def test_tiles_that_were_changed(self, lived):
        for tile in (lived.settings.static / "tile" / "0").rglob("*"):
            if tile.is_file():
                tile.write_bytes(bytes(len(tile.read_bytes())))

        with pytest.raises(Damaged):
            lived.take()
