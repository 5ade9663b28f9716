"""Custody that changes without a transfer, and transfers on a real store: licences, people taken over, two at once."""

from datetime import UTC, date, datetime

import pytest
from lives import FIRST, event

from domain.access import Actor
from domain.application import Application
from domain.association import ROWS, Association, Row
from domain.endorsement import Endorsement, new_number
from domain.errors import Conflict, Forbidden, Invalid, NotFound, OutOfTurn
from domain.person import Person
from domain.policy import Attestation
from domain.portfolio import Entry
from domain.transfer import Transfer
from projections import associations, transfers
from projections.engine import Engine
from registry.certificates.keys import KeyFolder, announce
from registry.commands import Act, Registry
from registry.commands.associations import BATCH
from registry.notify import LETTERS
from registry.vault import read_master_key

THROUGH = date(2027, 12, 31)
OPERATOR, ALLIANCE = Act(Actor("operator")), Act(Actor("alliance", association="ALLIANCE", id="k9"))
GEORGIA = {"jurisdiction": "Georgia", "name": "Georgia Association for Infant Mental Health",
           "abbreviation": "GA-AIMH", "zone": "America/New_York"}  # fmt: skip


def coordinator(code):
    return Act(Actor("coordinator", association=code, id="k1"))


def holder(person):
    return Act(Actor("holder", person=person, id="h1"))


def admitted(code):
    row = ROWS[code]
    facts = {name: getattr(row, name) for name in row.__struct_fields__}
    return event(Association.Admitted, f"association/{code}", 1, on=FIRST, licence="endorsement", **facts)


def person(name, residence):
    return event(Person.Registered, f"person/{name}", 1, on=FIRST, residence=residence, name=f"Person {name}")


def awarded(number, whose, association, through=THROUGH):
    return event(
        Endorsement.Awarded, f"endorsement/{number}", 1, number=number, person=whose,
        category=number.rpartition("-")[0], association=association, application="a1", edition="FS-2023",
        on=date(2024, 1, 10), through=through,
    )  # fmt: skip


def number(n, category="IFS"):
    return new_number(category, lambda size: n.to_bytes(size, "big"))


@pytest.fixture
def registry(settings, store, clock, randomness):
    folder = KeyFolder(settings.keys, read_master_key(settings))
    folder.init(settings.public_host, datetime(2023, 1, 1, tzinfo=UTC), specimen=True)
    announce(store, folder, on=clock.today, by="operator")
    return Registry(store, clock=clock, draw=randomness, kid=lambda: folder.signer("certificate", clock()).kid)


@pytest.fixture
def named(connect, store, vault):
    """Whom the nightly rule on custody names, and all there is of transfers."""
    engine, connection, reader = Engine(store.mapper.load, vault.open_all), connect("projector"), connect("reader")
    engine.prepare(connection)

    def named(query):
        while engine.advance(connection, 1000) < store.position():
            pass
        return reader.execute(*query).fetchall()

    return named


def custody(store, name):
    found = store.get(Endorsement, name)
    return found.custodian, found.certificate.association if found.certificate else None


def test_a_licence_that_ends_passes_all_30_endorsements_though_interrupted(registry, store, history, named):
    numbers = [number(n) for n in range(30)]
    history(admitted("KS"), admitted("CT"), admitted("ALLIANCE"), person("p1", "KS"),
            *(awarded(n, "p1", "KS", THROUGH if i else date(2024, 12, 31)) for i, n in enumerate(numbers)))  # fmt: skip
    registry.end_licence(OPERATOR, "KS", reason="own_wish")
    assert [row[0] for row in named(associations.custody_due(FIRST))] == sorted(numbers)

    class Killed(Exception):
        pass

    def killed(done, of):
        raise Killed

    with pytest.raises(Killed):
        registry.settle_custodies(numbers, killed)
    assert sum(custody(store, n)[0] == "ALLIANCE" for n in numbers) == BATCH
    assert registry.settle_custodies(numbers, lambda done, of: None) == 30 - BATCH
    before = store.position()
    assert registry.settle_custodies(numbers, lambda done, of: None) == 0
    assert store.position() == before

    lapsed, *active = (custody(store, n) for n in numbers)
    assert lapsed == ("ALLIANCE", None)
    assert set(active) == {("ALLIANCE", "ALLIANCE")}
    moved = next(
        e for _, e in store.events(f"endorsement/{numbers[1]}") if isinstance(e, Endorsement.CustodyTransferred)
    )
    assert (moved.from_, moved.to, moved.transfer, moved.why) == ("KS", "ALLIANCE", "", "licence_ended")
    assert store.get(Endorsement, numbers[1]).through == THROUGH
    assert named(associations.custody_due(FIRST)) == []
    assert registry.home_of("KS") == "ALLIANCE"


def test_an_open_transfer_goes_on_with_the_alliance_when_the_licence_ends(registry, store, history, named):
    one, two = number(1), number(2, "IFA")
    history(admitted("KS"), admitted("CT"), admitted("ALLIANCE"), person("p1", "CT"),
            awarded(one, "p1", "KS"), awarded(two, "p1", "KS"))  # fmt: skip
    recorded = registry.request_transfer(holder("p1"), "p1", to="CT", endorsements=[one, two])
    case = recorded.events[0].originator_id.partition("/")[2]
    registry.end_licence(OPERATOR, "KS", reason="merged")
    assert registry.settle_custody(one) == 2
    assert store.get(Transfer, case).from_ == "ALLIANCE"
    registry.confirm_standing(ALLIANCE, case)
    registry.record_membership(coordinator("CT"), "p1", association="CT", from_=FIRST, through=THROUGH)
    registry.accept_transfer(coordinator("CT"), case)
    assert (custody(store, one), custody(store, two)) == (("CT", "CT"), ("CT", "CT"))
    assert store.get(Transfer, case).membership_source == "record"
    (row,) = named(transfers.of(case))
    assert (row[2], row[3], row[5]) == ("ALLIANCE", "CT", "completed")


def test_a_new_association_takes_its_people_over_from_the_alliance(registry, store, history, clock, named):
    history(admitted("ALLIANCE"), admitted("VA"), person("p1", "GA"), person("p2", "GA"), person("p3", "UT"),
            awarded(number(1), "p1", "ALLIANCE"), awarded(number(2), "p2", "ALLIANCE"),
            awarded(number(3), "p3", "ALLIANCE"), awarded(number(4), "p1", "VA"),
            awarded(number(5, "ECFS"), "p2", "ALLIANCE"))  # fmt: skip
    with pytest.raises(Invalid, match="jurisdiction"):
        registry.admit(OPERATOR, "GA")
    assert registry.home_of("GA") == "ALLIANCE"
    registry.admit(OPERATOR, "GA", GEORGIA | {"offers": ("IFA", "IFS")}, licence="guidelines")
    assert registry.home_of("GA") == "ALLIANCE"
    with pytest.raises(OutOfTurn):
        registry.take_over_people(OPERATOR, "GA")
    registry.grant_licence(OPERATOR, "GA", licence="endorsement")
    assert registry.home_of("GA") == "GA"
    assert named(associations.custody_due(FIRST)) == []
    registry.take_over_people(OPERATOR, "GA")
    due = [row[0] for row in named(associations.custody_due(FIRST))]
    assert set(due) == {number(1), number(2), number(5, "ECFS")}
    assert registry.settle_custodies(due, lambda done, of: None) == 2
    assert [custody(store, number(n))[0] for n in (1, 2, 3, 4)] == ["GA", "GA", "ALLIANCE", "VA"]
    assert custody(store, number(5, "ECFS"))[0] == "ALLIANCE"  # not offered there
    # Who moves there later asks for a transfer.
    clock.move(days=3)
    registry.move_person(holder("p3"), "p3", residence="GA")
    assert registry.settle_custody(number(3)) == 0


def moving(registry, history, to, category="IFS", residence="CT", through=date(2026, 12, 31)):
    name = number(7, category)
    history(admitted("TX"), admitted("CT"), admitted("VA"), admitted("ALLIANCE"), person("p1", residence),
            awarded(name, "p1", "TX" if category == "IFS" else "VA", through))  # fmt: skip
    recorded = registry.request_transfer(holder("p1"), "p1", to=to, endorsements=[name])
    return name, recorded.events[0].originator_id.partition("/")[2]


def test_R25_a_move_from_texas_to_connecticut_keeps_number_award_due_date_and_history(registry, store, history, clock):
    name, case = moving(registry, history, "CT")
    before = store.get(Endorsement, name)
    registry.confirm_standing(coordinator("TX"), case)
    with pytest.raises(OutOfTurn, match="membership"):
        registry.accept_transfer(coordinator("CT"), case)
    registry.verify_membership(coordinator("CT"), case, through=THROUGH)
    registry.accept_transfer(coordinator("CT"), case)
    after = store.get(Endorsement, name)
    assert after.custodian == "CT"
    for kept in ("number", "awarded_on", "through", "edition", "person"):
        assert getattr(after, kept) == getattr(before, kept)
    assert [event for _, event in store.events(after.stream)][: before.version] == [
        event for _, event in store.events(before.stream)
    ][: before.version]


def test_a_move_from_texas_to_connecticut_during_the_window_renews_there_for_the_same_day(
    registry, store, history, clock
):
    name, case = moving(registry, history, "CT", through=THROUGH)
    registry.confirm_standing(coordinator("TX"), case)
    clock.set(datetime(2027, 11, 15, 12, tzinfo=UTC))
    registry.verify_membership(coordinator("CT"), case, through=THROUGH)
    registry.accept_transfer(coordinator("CT"), case)
    assert store.get(Endorsement, name).through == THROUGH
    hours = Attestation(60, 60, 15, 9, membership=True, ethics=True, no_sanction=True)
    registry.record_membership(coordinator("CT"), "p1", association="CT", from_=FIRST, through=THROUGH)
    registry.renew(holder("p1"), name, hours)
    renewed = store.get(Endorsement, name)
    assert (renewed.through, custody(store, name)) == (date(2030, 12, 31), ("CT", "CT"))


def test_a_sanction_found_during_a_transfer_puts_the_case_on_hold_with_the_same_deed(registry, store, history):
    name, case = moving(registry, history, "CT")
    registry.confirm_standing(coordinator("TX"), case)
    recorded = registry.suspend(coordinator("TX"), name, reason="sanction_being_established")
    assert [event.topic for event in recorded.events] == ["endorsement.suspended", "transfer.held"]
    registry.verify_membership(coordinator("CT"), case, through=THROUGH)
    with pytest.raises(OutOfTurn, match="on hold"):
        registry.accept_transfer(coordinator("CT"), case)
    with pytest.raises(Invalid, match="is suspended"):
        registry.release_transfer(coordinator("TX"), case)
    recorded = registry.lift_suspension(coordinator("TX"), name)
    assert "transfer.released" in [event.topic for event in recorded.events]
    registry.accept_transfer(coordinator("CT"), case)
    assert custody(store, name)[0] == "CT"


def test_the_alliance_takes_an_ecmhs_that_is_not_offered(registry, store, history):
    name, case = moving(registry, history, "TX", "ECMHS", "TX")
    registry.confirm_standing(coordinator("VA"), case)
    with pytest.raises(Invalid, match="lives in Texas"):
        registry.decline_transfer(coordinator("TX"), case, reason="not_resident")
    registry.decline_transfer(coordinator("TX"), case, reason="category_not_offered")
    with pytest.raises(Forbidden):
        registry.take_custody(coordinator("TX"), case)
    registry.take_custody(ALLIANCE, case)
    assert custody(store, name) == ("ALLIANCE", "ALLIANCE")


def test_two_coordinators_decide_at_once_and_one_is_told(registry, store, history):
    _, case = moving(registry, history, "CT")
    one, other = store.get(Transfer, case), store.get(Transfer, case)
    one.confirm_standing({one.numbers[0]: "active"}, on=date(2026, 6, 1), by="coordinator:TX:k1")
    other.dispute_standing("record_differs", on=date(2026, 6, 1), by="coordinator:TX:k2")
    store.save(one)
    with pytest.raises(Conflict, match="changed this first"):
        store.save(other)
    assert store.get(Transfer, case).state == "confirmed"


def test_R30_a_coordinator_acts_only_inside_their_association(registry, history):
    name, case = moving(registry, history, "CT")
    for act in (coordinator("VA"), coordinator("CT")):
        with pytest.raises(Forbidden):
            registry.confirm_standing(act, case)
        with pytest.raises(Forbidden):
            registry.suspend(act, name, reason="fraud_being_established")
    for act in (coordinator("VA"), coordinator("TX")):
        with pytest.raises(Forbidden):
            registry.accept_transfer(act, case)
    with pytest.raises(Forbidden):
        registry.rename_association(coordinator("VA"), "CT", name="Ours", abbreviation="O")


def test_R1_an_application_is_taken_where_one_lives_and_only_with_a_licence(registry, history):
    history(admitted("VA"), admitted("CT"), admitted("ALLIANCE"), person("p1", "VA"), person("p2", "GA"))
    with pytest.raises(Invalid):
        registry.start_application(holder("p1"), "p1", association="CT", category="IFS")
    with pytest.raises(NotFound):
        registry.start_application(holder("p2"), "p2", association="GA", category="IFS")
    registry.suspend_licence(ALLIANCE, "VA", reason="fees_unpaid")
    with pytest.raises(OutOfTurn, match="suspended"):
        registry.start_application(holder("p1"), "p1", association="VA", category="IFS")


def test_without_a_licence_nobody_is_taken_in_but_renewals_go_on(registry, store, history, clock):
    name, case = moving(registry, history, "CT")
    registry.confirm_standing(coordinator("TX"), case)
    registry.suspend_licence(ALLIANCE, "CT", reason="fidelity")
    with pytest.raises(OutOfTurn, match="suspended"):
        registry.accept_transfer(coordinator("CT"), case)
    with pytest.raises(Invalid, match="take nobody in"):
        registry.request_transfer(holder("p1"), "p1", to="CT", endorsements=[name])


def test_an_association_is_admitted_once(registry):
    registry.admit(OPERATOR, "GA", GEORGIA)
    with pytest.raises(OutOfTurn):
        registry.admit(OPERATOR, "GA", GEORGIA)
    assert isinstance(registry.association("GA").row, Row)


def test_an_open_application_goes_on_at_the_alliance_when_the_licence_ends(registry, store, history, named):
    history(admitted("VA"), admitted("ALLIANCE"), person("p1", "VA"))
    recorded = registry.start_application(holder("p1"), "p1", association="VA", category="IFS")
    name = recorded.events[0].originator_id.partition("/")[2]
    assert named(associations.left_applications(FIRST)) == []
    registry.end_licence(OPERATOR, "VA", reason="merged")
    assert named(associations.left_applications(FIRST)) == [(name,)]
    assert [registry.hand_over_application(name) for _ in range(2)] == [True, False]
    assert store.get(Application, name).association == "ALLIANCE"
    assert named(associations.left_applications(FIRST)) == []


def test_r25_r28_an_open_audit_holds_a_transfer_and_a_passed_one_lets_it_go_on(registry, store, history, clock):
    name, case = moving(registry, history, "CT", through=date(2030, 12, 31))
    hours = Attestation(60, 60, 15, 9, membership=True, ethics=True, no_sanction=True)
    history(event(
        Endorsement.Renewed, f"endorsement/{name}", 2, on=date(2026, 5, 1), cycle=2024, edition="renewal-2024",
        through=date(2030, 12, 31), attested=hours,
    ))  # fmt: skip
    drawn = registry.draw_audit(coordinator("TX"), "TX", cycle=2024)
    audit = drawn.events[0].originator_id.partition("/")[2]
    assert store.get(Transfer, case).held == {name: "open_audit"}
    noticed = registry.send_audit_notice(coordinator("TX"), audit, name, answer_by=date(2026, 8, 1))
    letter = LETTERS["audit.notice_sent"](registry, "registry.example", noticed.events[0])
    assert letter is None  # no address
    entry = registry.record_entry(holder("p1"), "p1", Entry("training", FIRST, FIRST, hours=6)).events[0].entry
    registry.submit_audit_evidence(holder("p1"), audit, name, entries=[entry])
    registry.pass_audit(coordinator("TX"), audit, name)
    assert store.get(Transfer, case).held == {}


def test_letters_after_the_award_say_why_and_by_when_and_go_to_nobody_who_is_not_there(registry, store, history, clock):
    one = number(1)
    history(admitted("VA"), event(Person.Registered, "person/p1", 1, on=FIRST, residence="VA", name="Amy Aronson",
                                  email="amy@example.org"), awarded(one, "p1", "VA"))  # fmt: skip
    clock.set(datetime(2027, 10, 2, 12, tzinfo=UTC))
    assert registry.remind_of_renewal(one)
    reminded = [fact for _, fact in store.events(f"endorsement/{one}")][-1]
    write = LETTERS["endorsement.renewal_reminded"]
    letter = write(registry, "registry.example", reminded)
    assert letter["To"] == "amy@example.org"
    assert "good through 2027-12-31" in letter.get_content()
    registry.report_death(coordinator("VA"), "p1", died_on=date(2027, 9, 1))
    assert write(registry, "registry.example", reminded) is None
    assert not registry.remind_of_renewal(one)
