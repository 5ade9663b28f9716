"""What a roster records: the association's word, once, and never against a decision made here."""

import hashlib
from datetime import date

import msgspec
import pytest
from rosters import NOW, TODAY, file, row

from domain.access import OPERATOR, Actor
from domain.endorsement import Endorsement, Source, new_number
from domain.errors import Forbidden
from domain.person import Person, at_address
from domain.policy import Attestation
from registry.commands import Act
from registry.importing import classify, record_hash, stream_of_record
from registry.roster import read_roster

VA = Actor("coordinator", association="VA", id="k1")
CT = Actor("coordinator", association="CT", id="k2")
ATTESTED = Attestation(training_hours=99, rsc_hours=99, ethics=True, membership=True)


def counts(tally):
    return {name: count for name in tally.__struct_fields__ if (count := getattr(tally, name))}


def kinds(events):
    return [event.topic for event in events]


# --- new -----------------------------------------------------------------------------------------------------------


def test_a_row_is_a_person_and_an_endorsement_as_the_association_reports_it(take, registry, store, recorded):
    before = store.position()

    assert counts(take(row())) == {"new": 1}

    person, endorsement = recorded(before)
    assert (person.name, person.credentials, person.email) == ("Rosa Marchetti", "LMSW", "rosa@example.org")
    assert isinstance(endorsement, Endorsement.Imported)
    assert endorsement.source == Source(hashlib.sha256(file(row())).hexdigest(), 2, record_hash(store, "VA", "V-1"))
    assert endorsement.record == "V-1"
    assert endorsement.person == person.originator_id.removeprefix("person/")
    assert (endorsement.awarded_on, endorsement.through) == (date(2020, 5, 1), date(2027, 12, 31))
    assert endorsement.on == TODAY
    assert endorsement.number.startswith("IFS-")


def test_rows_of_one_person_make_one_person(take, recorded, registry):
    before = registry.store.position()

    take(row(), row(record_id="V-2", category="IMHS", last_name="MARCHETTI"))

    assert kinds(recorded(before)) == ["person.registered", "endorsement.imported", "endorsement.imported"]


def test_a_retired_category_is_importable(take, held_by):
    take(row(category="Infant Family Reflective Supervisor"))

    assert held_by("V-1").category == "IFRS"


def test_another_name_at_the_same_address_is_one_question_for_a_coordinator(take, registry, recorded):
    before = registry.store.position()

    assert counts(take(row(), row(record_id="V-2", first_name="Ana"))) == {"new": 2, "tasks": 1}

    rosa, _, _, likeness, _ = recorded(before)
    assert isinstance(likeness, Person.LikenessNoted)
    assert likeness.other == rosa.originator_id.removeprefix("person/")


ANA = {"record_id": "V-2", "first_name": "Ana"}


@pytest.mark.parametrize("cells", [ANA, ANA | {"association": "CT"}, ANA | {"email": "ROSA@example.org"}])
def test_another_name_at_the_same_address_in_a_later_file_is_the_same_question(take, registry, recorded, cells):
    take(row())
    before = registry.store.position()

    assert counts(take(row(**cells))) == {"new": 1, "tasks": 1}

    _, likeness, _ = recorded(before)
    assert likeness.other == registry.store.get(Endorsement, held_number(registry, "V-1")).person
    assert likeness.association == cells.get("association", "VA")


def held_number(registry, record):
    return stream_of_record(registry.store, "VA", record).partition("/")[2]


def test_whoever_moves_to_an_address_of_another_name_is_the_same_question(take, registry, recorded):
    take(row(), row(**ANA | {"email": "ana@example.org"}))
    before = registry.store.position()

    assert counts(take(row(**ANA))) == {"changed": 1, "tasks": 1}
    assert kinds(recorded(before)) == ["person.likeness_noted", "person.contact_changed"]

    take(row(**ANA | {"record_id": "V-3", "first_name": "Eva", "email": "ana@example.org"}))
    assert "person.likeness_noted" not in kinds(recorded(before)[2:]), "nobody has that address now"


def test_a_person_registered_here_is_asked_about_too_and_an_office_is_one_question_for_each(take, registry):
    registry.register_person(Act(VA), name="Eva Poe", residence="VA", email="rosa@example.org")

    assert counts(take(row())) == {"new": 1, "tasks": 1}
    assert counts(take(row(**ANA))) == {"new": 1, "tasks": 1}


@pytest.mark.parametrize(("status", "standing"), [("Active", "active"), ("Lapsed", "lapsed"), ("Inactive", "inactive")])
def test_the_standing_is_the_reported_one(take, held_by, status, standing):
    take(row(status=status))

    assert held_by("V-1").standing(TODAY) == standing


def test_a_coordinator_imports_only_their_own_rows(take, registry):
    before = registry.store.position()

    with pytest.raises(Forbidden):
        take(row(), row(record_id="C-1", association="CT"), actor=VA)

    assert registry.store.position() == before
    assert counts(take(row(), actor=VA)) == {"new": 1}


# --- the same again ------------------------------------------------------------------------------------------------


def test_the_same_file_again_records_nothing(take, registry):
    first = take(row(), row(record_id="V-2", category="IMHS"))
    position = registry.store.position()

    again = take(row(), row(record_id="V-2", category="IMHS"))

    assert registry.store.position() == position
    assert (again.new, again.earlier) == (first.new, 2)


def test_a_later_file_with_the_same_facts_written_otherwise_is_unchanged(take, registry):
    take(row(), row(record_id="V-2", category="IMHS", credentials=""), row(record_id="V-3", email="", last_name="Roe"))
    position = registry.store.position()

    tally = take(
        row(category="Level II", date_earned="5/1/2020", valid_through="12/31/2027"),
        row(record_id="V-2", category="Infant Mental Health Specialist", credentials="", email="ROSA@example.org"),
        row(record_id="V-3", email="no-address", last_name="Roe"),
        row(record_id="V-4", last_name="Poe", email="poe@example.org"),
    )

    assert counts(tally) == {"unchanged": 3, "new": 1}
    assert registry.store.position() == position + 2


def test_an_active_row_past_its_last_day_is_what_is_known_here_already(take):
    take(row(valid_through="2023-12-31"))

    assert counts(take(row(valid_through="2023-12-31", status="Lapsed"))) == {"unchanged": 1}


def test_an_older_file_imported_again_undoes_nothing(take, registry, held_by):
    take(row(valid_through="2024-12-31"))
    take(row())
    position = registry.store.position()

    take(row(valid_through="2024-12-31"))

    assert registry.store.position() == position
    assert held_by("V-1").through == date(2027, 12, 31)


def test_a_row_without_record_id_is_known_by_its_person_category_and_day(take):
    take(row(record_id=""))

    assert counts(take(row(record_id="", valid_through="2029-12-31"))) == {"changed": 1}


# --- changed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "means"),
    [
        ({"valid_through": "2024-12-31", "status": "Lapsed"}, {}, "renewal"),
        ({}, {"valid_through": "2029-12-31"}, "renewal"),
        ({"valid_through": "2024-12-31"}, {}, "renewal"),
        ({}, {"status": "Lapsed"}, "lapse"),
        ({}, {"status": "Inactive"}, "inactivity"),
        ({"status": "Inactive"}, {}, "reactivation"),
        ({"status": "Inactive"}, {"valid_through": "2029-12-31"}, "reactivation"),
        ({}, {"valid_through": "2026-12-31"}, "correction"),
        ({}, {"date_earned": "2020-06-01"}, "correction"),
        ({}, {"category": "ECFS"}, "correction"),
    ],
)
def test_a_changed_row_is_recorded_as_what_it_means(take, registry, recorded, held_by, before, after, means):
    take(row(**before))
    position = registry.store.position()

    assert counts(take(row(**after))) == {"changed": 1}

    (reported,) = recorded(position)
    assert isinstance(reported, Endorsement.Reported)
    assert reported.means == means
    now = held_by("V-1")
    told = row(**after)
    assert (now.awarded_on.isoformat(), now.through.isoformat()) == (told["Date Earned"], told["Valid Through"])
    assert (now.category, now.standing(TODAY)) == (told["Category"], told["Status"].lower())
    record = record_hash(registry.store, "VA", "V-1")
    assert now.imported == Source(hashlib.sha256(file(told)).hexdigest(), 2, record)
    assert now.reported


def test_a_new_name_is_a_rename_and_the_person_is_found_by_it_from_then_on(take, registry, recorded):
    take(row(), row(record_id="V-2", category="IMHS"))
    position = registry.store.position()
    married = [row(last_name="Silva"), row(record_id="V-2", category="IMHS", last_name="Silva")]

    assert counts(take(*married)) == {"changed": 1, "unchanged": 1}
    assert kinds(recorded(position)) == ["person.renamed"]
    assert counts(take(*married, row(record_id="V-3", category="ECFS", last_name="Silva"))) == {
        "unchanged": 2,
        "new": 1,
    }
    assert len(registry.store.claimed("held/" + recorded(position)[0].originator_id.removeprefix("person/"))) == 3


def test_a_new_address_and_a_move_are_recorded_and_an_empty_cell_says_nothing(take, registry, recorded):
    take(row())
    position = registry.store.position()

    take(row(email="new@example.org", residence="CT"))
    assert kinds(recorded(position)) == ["person.contact_changed", "person.residence_changed"]
    assert counts(take(row(email="", credentials="", residence="CT"))) == {"unchanged": 1}


def test_a_name_and_an_address_can_change_at_once(take, registry):
    take(row())

    assert counts(take(row(last_name="Silva", email="new@example.org"))) == {"changed": 1}
    assert registry.store.holder(f"identity/{registry.match('Rosa Silva', 'new@example.org')}")
    for old in (("Rosa Marchetti", "rosa@example.org"), ("Rosa Marchetti", "new@example.org")):
        assert registry.store.holder(f"identity/{registry.match(*old)}") is None


def test_active_through_a_day_that_is_over_is_a_lapse_and_nothing_is_left_to_record(take, registry, recorded, held_by):
    take(row())
    position = registry.store.position()

    take(row(valid_through="2025-12-31"))

    (reported,) = recorded(position)
    assert (reported.means, reported.standing) == ("lapse", "lapsed")
    assert not registry.record_lapse(held_by("V-1").number)
    assert counts(take(row(valid_through="2025-12-31", status="Lapsed"))) == {"unchanged": 1}


# --- contradictions ------------------------------------------------------------------------------------------------


def asked(recorded, position):
    return [event.field for event in recorded(position) if isinstance(event, Endorsement.ReportContradicted)]


def award(registry, history, **facts):
    """An endorsement of Rosa's that was awarded here."""
    registry.register_person(Act(VA), name="Rosa Marchetti", residence="VA", email="rosa@example.org")
    person = registry.store.holder(f"identity/{registry.match('Rosa Marchetti', 'rosa@example.org')}")
    number = new_number("IFS", lambda size: bytes(range(size)))
    awarded = {
        "number": number,
        "person": person.removeprefix("person/"),
        "category": "IFS",
        "association": "VA",
        "application": "a1",
        "edition": "2025",
        "through": date(2027, 12, 31),
    } | facts
    history(
        Endorsement.Awarded(
            originator_id=f"endorsement/{number}", originator_version=1, on=date(2025, 5, 1), by=VA.by, **awarded
        )
    )
    return number


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"status": "Lapsed"}, "standing"),
        ({"valid_through": "2029-12-31"}, "through"),
        ({"category": "IMHS"}, "category"),
        ({"date_earned": "2024-05-01"}, "awarded_on"),
    ],
)
def test_a_row_against_an_award_made_here_is_a_question_and_changes_nothing(
    take, registry, history, recorded, cells, field
):
    number = award(registry, history)
    position = registry.store.position()
    told = {"record_id": number, "date_earned": "2025-05-01", "credentials": ""} | cells

    assert counts(take(row(**told))) == {"contradicted": 1, "tasks": 1}
    assert asked(recorded, position) == [field]
    assert len(recorded(position)) == 1


def test_the_same_contradiction_is_asked_once_until_it_is_settled(take, registry, history, recorded):
    number = award(registry, history)
    told = {"record_id": number, "date_earned": "2025-05-01", "credentials": "", "status": "Lapsed"}
    position = registry.store.position()

    take(row(**told))
    assert counts(take(row(**told), row(record_id="V-9", category="IMHS", credentials=""))) == {
        "contradicted": 1,
        "new": 1,
    }
    assert asked(recorded, position) == ["standing"]

    registry.settle_report(Act(VA), number)
    take(row(**told), row(record_id="V-9", category="IMHS", credentials="", status="Lapsed"))
    assert asked(recorded, position) == ["standing", "standing"]


def test_what_was_awarded_here_is_known_by_its_number_or_by_holder_category_and_day(take, registry, history):
    number = award(registry, history)
    told = row(record_id=number, date_earned="2025-05-01", credentials="")

    assert counts(take(told)) == {"unchanged": 1}
    assert counts(take(told | {"Record ID": "their-own-17"})) == {"unchanged": 1}


def decided(event, **facts):
    def decide(registry, endorsement):
        return event(
            originator_id=endorsement.stream,
            originator_version=endorsement.version + 1,
            on=TODAY,
            by=VA.by,
            **facts,
        )

    return decide


RENEWED = decided(Endorsement.Renewed, cycle=2027, edition="2024", through=date(2029, 12, 31), attested=ATTESTED)
SUSPENDED = decided(Endorsement.Suspended, reason="fraud_being_established")
REMOVED = decided(Endorsement.Removed, ground="fraud", proposed_by=CT.by)
INACTIVE = decided(Endorsement.MadeInactive, reason="illness", until=date(2028, 1, 1))
ARCHIVED = decided(Endorsement.Archived)
MOVED = decided(Endorsement.CustodyTransferred, from_="VA", to="CT", transfer="t1")


@pytest.mark.parametrize(
    ("decision", "field"),
    [
        (RENEWED, "through"),
        (SUSPENDED, "standing"),
        (REMOVED, "standing"),
        (INACTIVE, "standing"),
        (ARCHIVED, "standing"),
        (MOVED, "association"),
    ],
)
def test_a_later_file_does_not_undo_what_was_decided_here(take, registry, history, recorded, held_by, decision, field):
    take(row())
    history(decision(registry, held_by("V-1")))
    position = registry.store.position()

    tally = take(row(), row(record_id="V-2", category="IMHS"))

    assert counts(tally) == {"contradicted": 1, "tasks": 1, "new": 1}
    assert asked(recorded, position) == [field]


def test_after_a_lifted_suspension_the_association_is_heard_again(take, registry, history, held_by):
    take(row())
    history(SUSPENDED(registry, held_by("V-1")))
    history(decided(Endorsement.SuspensionLifted, standing="active")(registry, held_by("V-1")))

    assert counts(take(row(valid_through="2029-12-31"))) == {"changed": 1}


def test_the_receiving_association_reports_on_what_moved_to_it(take, registry, history, held_by):
    take(row())
    history(MOVED(registry, held_by("V-1")))
    number = held_by("V-1").number

    by_number = row(record_id=number, association="CT", valid_through="2029-12-31")
    assert counts(take(by_number)) == {"changed": 1}
    assert counts(take(by_number | {"Record ID": "C-55"})) == {"unchanged": 1}


def test_a_name_corrected_here_is_not_written_back(take, registry, recorded, held_by):
    take(row())
    registry.rename_person(Act(VA), held_by("V-1").person, name="Rosa Silva", credentials="LMSW")
    position = registry.store.position()

    assert counts(take(row(), row(record_id="V-2", email="x@example.org", last_name="Poe"))) == {
        "contradicted": 1,
        "tasks": 1,
        "new": 1,
    }
    assert asked(recorded, position) == ["name"]


def test_what_was_left_empty_here_is_not_decided(take, registry, history, recorded):
    number = award(registry, history)

    assert counts(take(row(record_id=number, date_earned="2025-05-01", credentials="LMSW"))) == {"changed": 1}


def test_a_question_about_the_name_does_not_hold_up_a_renewal(take, registry, recorded, held_by):
    take(row())
    registry.rename_person(Act(VA), held_by("V-1").person, name="Rosa Silva", credentials="LMSW")
    position = registry.store.position()

    assert counts(take(row(valid_through="2029-12-31"))) == {"changed": 1, "tasks": 1}
    assert kinds(recorded(position)) == ["endorsement.reported", "endorsement.report_contradicted"]


def test_two_associations_that_know_a_person_differently_do_not_take_turns(take, registry, recorded):
    take(row(), row(record_id="C-1", association="CT", category="IMHS"))
    position = registry.store.position()

    take(row(record_id="C-1", association="CT", category="IMHS", last_name="Silva"))
    take(row())

    assert kinds(recorded(position)) == ["endorsement.report_contradicted"]


def test_one_file_that_tells_two_names_of_one_person_changes_the_name_once_at_most(take, registry, recorded):
    take(row(), row(record_id="V-2", category="IMHS"))
    position = registry.store.position()
    both = [row(last_name="Silva"), row(record_id="V-2", category="IMHS")]

    take(*both)
    take(*both, row(record_id="V-3", category="ECFS", last_name="Silva"))

    assert kinds(recorded(position)).count("person.renamed") == 1


def test_a_name_that_somebody_else_has_is_a_question(take, registry, recorded):
    take(row(), row(record_id="V-2", last_name="Silva", email="silva@example.org"))
    position = registry.store.position()

    take(row(last_name="Silva", email="silva@example.org"))

    assert asked(recorded, position) == ["name"]


def test_somebody_whose_data_was_erased_is_not_brought_back(take, registry, history, held_by):
    take(row())
    person = held_by("V-1").person
    history(
        Person.Erased(
            originator_id=f"person/{person}",
            originator_version=registry.store.get(Person, person).version + 1,
            on=TODAY,
            by="operator",
        )
    )
    registry.store.vault.erase(person)
    position = registry.store.position()

    assert counts(take(row(status="Lapsed"), row(record_id="V-2", category="IMHS"))) == {"erased": 2}
    assert registry.store.position() == position


def forget(registry, person, name, email):
    gone = registry.store.get(Person, person)
    gone.erase(match=registry.match(name, email), address_match=registry.address_match(email), on=TODAY, by=OPERATOR.by)
    registry.store.save(gone)
    registry.store.vault.erase(person)


@pytest.mark.parametrize("rebuilt", [False, True])
def test_a_record_that_is_an_address_is_sealed_and_still_keeps_the_forgotten_out(
    take, registry, store, held_by, recorded, rebuilt
):
    told = row(record_id="rosa@example.org", email="rosa@example.org")
    take(told, row(record_id="V-2", email="", last_name="Poe"))
    held = held_by("rosa@example.org")
    forget(registry, held.person, "Rosa Marchetti", "rosa@example.org")
    if rebuilt:
        store.rebuild_claims()
    position = store.position()

    assert counts(take(told | {"Status": "Lapsed"})) == {"erased": 1}
    assert counts(take(told | {"Last Name": "Silva", "Email": "new@example.org"})) == {"erased": 1}
    assert store.position() == position
    imported = next(event for _, event in store.events(held.stream) if isinstance(event, Endorsement.Imported))
    assert b"rosa" not in msgspec.json.encode(imported)
    assert store.opened(imported).record is None
    assert not store.claimed(at_address(registry.address_match("rosa@example.org")))
    assert counts(take(row(**ANA | {"record_id": "V-3"}))) == {"new": 1}, "no question about the forgotten"


def test_an_address_that_was_not_given_back_asks_nothing_about_the_forgotten(take, registry, history, held_by):
    take(row())
    person = held_by("V-1").person
    history(Person.Erased(originator_id=f"person/{person}", originator_version=2, on=TODAY, by="operator"))
    registry.store.vault.erase(person)

    assert counts(take(row(**ANA))) == {"new": 1}


# --- looking only --------------------------------------------------------------------------------------------------


def test_classifying_records_nothing(take, registry):
    take(row(), row(record_id="V-2", category="IMHS"))
    position = registry.store.position()
    rows = [row(status="Lapsed"), row(record_id="V-2", category="IMHS"), row(record_id="V-3", category="ECFS")]

    tally = classify(registry, OPERATOR, read_roster(file(*rows), NOW))

    assert counts(tally) == {"changed": 1, "unchanged": 1, "new": 1}
    assert registry.store.position() == position


def test_a_row_that_was_refused_on_one_day_is_taken_on_another(take, clock):
    rows = [row(record_id="V-0", category="ECFA", date_earned="2026-11-23"), row()]

    assert counts(take(*rows)) == {"new": 1}
    clock.move(days=2)
    assert counts(take(*rows)) == {"new": 2, "earlier": 1}
