"""Somebody has died: what they held and what was open of theirs ends with it, in one transaction, without a letter."""

from datetime import date, timedelta

import pytest
from humans import ALLIANCE, CT, VA, person

from domain.access import OPERATOR, Actor
from domain.application import Application
from domain.endorsement import Endorsement
from domain.errors import Forbidden, Invalid, OutOfTurn
from domain.exam import Exam
from domain.reference import Reference
from domain.transfer import Transfer
from projections import register
from registry.api.actors import Desk
from registry.commands import Act
from registry.importing import import_roster
from registry.roster import read_roster

DIED = date(2026, 5, 20)
ROSTER = """\
Record ID,Association,First Name,Last Name,Credentials,Email,Category,Date Earned,Valid Through,Status,Residence
V-1,VA,Ana,Núñez,LMSW,ana@example.org,IFS,2020-05-01,2024-12-31,Active,VA
"""


def mentor_with_a_booked_exam(registry, who, on, exam_state="booked"):
    application = Application("a1")
    application.record(Application.Started, person=who, association="VA", category="IMHM-C", on=on, by="x")
    window = on + timedelta(days=24)
    application.record(Application.ExamBooked, exam="x1", window=window, on=on, by="x")
    exam = Exam("x1")
    exam.record(
        Exam.Booked, candidate="C1", window=window, multiple_choice="IMH", designation="MHM-C", on=on, by="alliance"
    )
    if exam_state == "sat":
        exam.record(Exam.Sat, on=on, by="alliance")
    registry.store.save(application, exam)


@pytest.mark.parametrize("exam_state", ["booked", "sat"])
def test_a_death_ends_what_they_held_and_closes_what_is_open(registry, somebody, endorsed, clock, exam_state, settings):
    ana, duplicate = somebody("Ana Núñez"), somebody("Ana N. Pérez")
    numbers = [endorsed(ana, "IFS"), endorsed(duplicate, "ECFS")]
    registry.merge_persons(Act(VA), duplicate, into=ana)
    mentor_with_a_booked_exam(registry, ana, clock.today, exam_state)
    reference = Reference("r1")
    reference.record(
        Reference.Nominated, person=ana, association="VA", relationship="colleague", waiver=True, name="Rita Rater",
        email="rita@example.org", on=clock.today, by="x",
    )  # fmt: skip
    transfer = Transfer("t1")
    transfer.record(
        Transfer.Requested, person=ana, from_="VA", to="CT", endorsements=(numbers[0],), on=clock.today, by="x"
    )
    registry.store.save(reference, transfer)
    desk = Desk(settings, clock=clock)
    _, secret = desk.add("holder", person=duplicate)
    before = registry.store.position()

    recorded = registry.report_death(Act(VA), ana, died_on=DIED)

    assert recorded.position == registry.store.position() == before + 8
    states = {
        kind.kind: registry.store.get(kind, name).state
        for kind, name in ((Application, "a1"), (Exam, "x1"), (Reference, "r1"), (Transfer, "t1"))
    }
    assert states == {
        "application": "withdrawn",
        "exam": "cancelled",
        "reference": "withdrawn",
        "transfer": "cancelled",
    }
    held = [registry.store.get(Endorsement, number) for number in numbers]
    assert [(e.standing(DIED - timedelta(days=1)), e.standing(DIED)) for e in held] == [("active", "archived")] * 2
    assert (person(registry, ana).state, person(registry, ana).died_on) == ("died", DIED)
    assert registry.store.holder(f"open_application/{ana}") is None
    assert desk.by_key(secret) is None
    desk.close()


def test_nothing_is_begun_or_reported_twice_for_the_dead_and_they_may_be_forgotten(registry, somebody, endorsed, clock):
    ana = somebody()
    number = endorsed(ana)
    registry.report_death(Act(ALLIANCE), ana, died_on=DIED)
    for deed in (
        lambda: registry.report_death(Act(VA), ana, died_on=DIED),
        lambda: registry.move_person(Act(VA), ana, residence="CT"),
        lambda: registry.suspend(Act(VA), number, reason="under_investigation"),
    ):
        with pytest.raises(OutOfTurn):
            deed()
    registry.request_erasure(Act(VA), ana)
    registry.confirm_erasure(Act(ALLIANCE), ana)
    clock.move(days=7)
    assert registry.carry_out_erasure(ana)
    assert person(registry, ana).state == "erased"


def test_a_death_is_the_association_s_word_and_never_of_a_day_to_come(registry, somebody, endorsed, clock):
    ana = somebody()
    endorsed(ana)
    for actor in (CT, Actor("holder", person=ana), Actor("reviewer", person="p1")):
        with pytest.raises(Forbidden):
            registry.report_death(Act(actor), ana, died_on=DIED)
    with pytest.raises(Invalid) as refused:
        registry.report_death(Act(VA), ana, died_on=clock.today + timedelta(days=1))
    assert refused.value.field == "died_on"


def test_what_had_ended_before_stays_as_it_ended(registry, somebody, endorsed, clock):
    ana = somebody()
    numbers = [endorsed(ana, "IFS"), endorsed(ana, "ECFS")]
    registry.archive(Act(Actor("holder", person=ana)), numbers[0])
    before = registry.store.get(Endorsement, numbers[0]).version
    registry.report_death(Act(VA), ana, died_on=DIED)
    assert registry.store.get(Endorsement, numbers[0]).version == before
    assert registry.store.get(Endorsement, numbers[1]).standing(clock.today) == "archived"


def test_r26_the_register_no_longer_lists_the_dead(registry, somebody, endorsed, views, connect):
    ana = somebody()
    number = endorsed(ana)
    found = register.search(on=date(2026, 6, 1), number=number)
    views()
    assert len(connect("reader").execute(*found).fetchall()) == 1
    registry.report_death(Act(VA), ana, died_on=DIED)
    views()
    assert connect("reader").execute(*found).fetchall() == []


def test_what_a_file_still_says_of_the_dead_is_left_out(registry, somebody):
    ana = somebody("Ana Núñez", "ana@example.org")
    roster = read_roster(ROSTER.encode(), registry.clock())
    import_roster(registry, OPERATOR, roster)
    registry.report_death(Act(VA), ana, died_on=DIED)
    again = read_roster(ROSTER.replace("2024-12-31", "2027-12-31").replace("LMSW", "LCSW").encode(), registry.clock())
    before = registry.store.position()
    assert import_roster(registry, OPERATOR, again).erased == 1
    assert registry.store.position() == before
