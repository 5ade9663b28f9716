"""Two records of one human: merged, they act and hold as one; split, all is as it was before."""

from datetime import date

import pytest
from humans import ALLIANCE, CT, VA, person

from domain.access import Actor
from domain.application import Application
from domain.endorsement import Endorsement
from domain.errors import Forbidden, Invalid, OutOfTurn, Taken
from domain.person import Person
from domain.policy import Tally
from domain.portfolio import Entry
from projections import register
from registry.commands import Act
from registry.commands.applications import is_member


@pytest.fixture
def pair(somebody):
    """The record that was there first, and its duplicate."""
    return somebody("Ana Núñez"), somebody("Ana N. Pérez")


def test_both_records_are_one_human_until_they_are_split(registry, pair, endorsed):
    first, second = pair
    numbers = sorted([endorsed(first, "IFS"), endorsed(second, "ECFS")])
    before = {name: vars(person(registry, name)) for name in pair}
    registry.merge_persons(Act(VA), second, into=first)
    assert registry.identity(first) == registry.identity(second) == (first, second)
    assert registry.numbers_of(first) == registry.numbers_of(second) == numbers
    assert [registry.store.get(Endorsement, number).person for number in numbers].count(second) == 1
    with pytest.raises(OutOfTurn, match="act as the record it was merged into"):
        registry.move_person(Act(VA), second, residence="CT")
    registry.split_persons(Act(VA), first, other=second)
    assert (registry.identity(first), registry.identity(second)) == ((first,), (second,))
    for name in pair:
        after = vars(person(registry, name))
        assert {k: v for k, v in after.items() if k != "version"} == {
            k: v for k, v in before[name].items() if k != "version"
        }


def test_a_merged_record_s_key_acts_as_the_survivor(registry, pair, endorsed):
    first, second = pair
    number = endorsed(second, "ECFS")
    registry.merge_persons(Act(VA), second, into=first)
    acting = registry.acting(Actor("holder", person=second, id="k5"))
    assert (acting.person, acting.people) == (first, {first, second})
    registry.archive(Act(acting), number)
    assert registry.store.get(Endorsement, number).state == "archived"
    with pytest.raises(Forbidden):
        registry.archive(Act(Actor("holder", person="p0")), number)


def test_only_who_has_both_may_merge_and_the_alliance(registry, pair, somebody):
    elsewhere = somebody("Ana Núñez", residence="CT")
    for actor in (VA, CT):
        with pytest.raises(Forbidden):
            registry.merge_persons(Act(actor), elsewhere, into=pair[0])
    registry.merge_persons(Act(ALLIANCE), elsewhere, into=pair[0])
    assert registry.identity(elsewhere)[0] == pair[0]


def test_one_award_under_two_numbers_is_refused_by_both_numbers(registry, pair, endorsed):
    first, second = pair
    numbers = [endorsed(first, "IFS"), endorsed(second, "IFS")]
    with pytest.raises(Invalid) as refused:
        registry.merge_persons(Act(VA), second, into=first)
    assert all(number in refused.value.message for number in numbers)
    registry.archive(Act(Actor("holder", person=second)), numbers[1])
    registry.merge_persons(Act(VA), second, into=first)


def test_an_imported_second_record_of_an_award_is_no_hindrance(registry, pair, endorsed):
    first, second = pair
    endorsed(first, "IFS")
    endorsed(second, "IFS", imported=True)
    registry.merge_persons(Act(VA), second, into=first)


def test_two_open_applications_are_refused(registry, pair, clock):
    for name in pair:
        opened = Application(f"of-{name}")
        opened.record(Application.Started, person=name, association="VA", category="IFS", on=clock.today, by="x")
        registry.store.save(opened)
    with pytest.raises(Invalid, match="open application"):
        registry.merge_persons(Act(VA), pair[1], into=pair[0])


def test_a_likeness_settled_as_the_same_merges(registry, pair, clock):
    first, second = pair
    found = person(registry, second)
    found.note_likeness(first, "VA", on=clock.today, by="operator")
    registry.store.save(found)
    registry.settle_likeness(Act(VA), second, first, same=True)
    assert registry.identity(second) == (first, second)


def test_the_register_lists_under_the_survivor(registry, pair, endorsed, views, connect):
    first, second = pair
    number = endorsed(second, "ECFS")
    registry.merge_persons(Act(VA), second, into=first)
    views()
    names = "SELECT name FROM (" + register.search(on=date(2026, 6, 1), number=number).sql + ") AS found"
    parameters = register.search(on=date(2026, 6, 1), number=number).parameters
    assert connect("reader").execute(names, parameters).fetchall() == [("Ana Núñez",)]
    registry.split_persons(Act(VA), first, other=second)
    views()
    assert connect("reader").execute(names, parameters).fetchall() == [("Ana N. Pérez",)]


def test_erasing_one_record_forgets_the_human(registry, pair, endorsed, clock):
    first, second = pair
    endorsed(second, "ECFS")
    registry.merge_persons(Act(VA), second, into=first)
    registry.request_erasure(Act(Actor("holder", person=first)), first)
    registry.confirm_erasure(Act(VA), first)
    with pytest.raises(OutOfTurn, match="cancel the erasure"):
        registry.split_persons(Act(VA), first, other=second)
    clock.move(days=7)
    registry.carry_out_erasure(first)
    for name in pair:
        assert person(registry, name).state == "erased"
        assert registry.store.vault.is_erased(name)


def test_r14_a_reviewer_is_never_the_applicant_under_another_record(registry, pair, endorsed, clock):
    first, second = pair
    number = endorsed(first, "IMHM-C")
    registry.record_reviewer_training(Act(VA), first)
    opened = Application("a1")
    opened.record(Application.Started, person=second, association="VA", category="IFS", on=clock.today, by="x")
    opened.record(
        Application.Submitted, edition="FS-2023", person_version=1, entries=(), tally=Tally(), on=clock.today, by="x"
    )
    registry.store.save(opened)
    registry.merge_persons(Act(VA), second, into=first)
    with pytest.raises(Invalid, match="applicant"):
        registry.assign_reviewer(Act(VA), "a1", reviewer=number)


def test_a_note_is_about_one_of_the_person_s_own_cases(registry, pair, endorsed):
    first, second = pair
    number = endorsed(second, "ECFS")
    with pytest.raises(Forbidden):
        registry.write_note(Act(VA), first, about=f"endorsement/{number}", audience="staff", note="Seen.")
    registry.merge_persons(Act(VA), second, into=first)
    registry.write_note(Act(VA), first, about=f"endorsement/{number}", audience="staff", note="Seen.")
    written = registry.store.events(f"person/{first}")[-1][1]
    assert isinstance(written, Person.NoteWritten)
    assert registry.store.opened(written).note == "Seen."


def test_while_merged_the_portfolio_and_memberships_of_both_records_count(registry, pair, clock):
    first, second = pair
    for name, hours in ((first, 20), (second, 14)):
        fact = Entry(kind="training", from_=date(2026, 3, 2), through=date(2026, 3, 6), hours=hours)
        registry.record_entry(Act(Actor("holder", person=name)), name, fact)
    registry.record_membership(Act(VA), second, association="VA", from_=date(2026, 1, 1), through=date(2026, 12, 31))

    def counted(name):
        handed_in = registry.handed_in(person(registry, name), clock.today, "IFA")
        member = registry.whole(person(registry, name)).member_of("VA", clock.today)
        return handed_in.entries, handed_in.tally.training, member

    before = counted(first), counted(second)
    assert before == ((["E2"], 20, False), (["E2"], 14, True))
    registry.merge_persons(Act(VA), second, into=first)
    assert counted(first) == (["E2", f"{second}/E2"], 34, True)
    assert person(registry, first).member_of("VA", clock.today) is False
    registry.split_persons(Act(VA), first, other=second)
    assert (counted(first), counted(second)) == before


def test_r03_an_open_application_of_another_record_is_found(registry, pair, clock):
    first, second = pair
    opened = Application("a1")
    opened.record(Application.Started, person=second, association="VA", category="IFS", on=clock.today, by="x")
    registry.store.save(opened)
    registry.merge_persons(Act(VA), second, into=first)
    with pytest.raises(Taken):
        registry.start_application(Act(Actor("holder", person=first)), first, association="VA", category="IFA")


def test_r02_a_membership_covers_its_days_and_no_others():
    ana = Person("p1")
    ana.record(Person.Registered, residence="VA", name="Ana", on=date(2025, 1, 1), by="x")

    def recorded(association, from_, through):
        ana.record_membership(association, from_, through, on=date(2026, 6, 1), by="x")

    recorded("VA", date(2025, 1, 1), date(2025, 12, 31))
    recorded("VA", date(2026, 1, 1), date(2026, 6, 30))
    recorded("VA", date(2026, 6, 1), date(2026, 12, 31))
    ana.verify_membership("CT", "WAIMH", date(2026, 2, 1), date(2026, 3, 31), on=date(2026, 6, 1), by="x")
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31)]
    assert [ana.member_of("VA", day) for day in (*days, date(2027, 1, 1))] == [False, True, True, True, True, False]
    # Adjacent and overlapping ones go on as one; of another body only where it was verified.
    assert ana.member_through("VA", date(2025, 3, 1)) == date(2026, 12, 31)
    assert [ana.member_of("CT", day) for day in (date(2026, 1, 31), date(2026, 2, 1), date(2026, 4, 1))] == [
        False, True, False,
    ]  # fmt: skip
    assert not ana.member_of("ALLIANCE", date(2026, 2, 1))
    assert is_member(ana, "ALLIANCE", date(2026, 2, 1))
    ana.end_membership("VA", date(2026, 5, 31), on=date(2026, 6, 1), by="x")
    assert [ana.member_of("VA", day) for day in (date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 15))] == [
        True, False, False,
    ]  # fmt: skip
