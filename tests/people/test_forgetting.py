"""Somebody is forgotten: on the word of two people, seven days later, and nothing of them is left anywhere."""

from datetime import date

import msgspec
import pytest
from humans import BOSS, VA, person

from domain.access import OPERATOR, Actor
from domain.application import Application
from domain.endorsement import Endorsement
from domain.errors import Forbidden, Invalid, OutOfTurn
from domain.exam import Exam
from domain.person import Demographics, Person
from domain.policy import Tally
from domain.reference import Reference
from domain.transfer import Transfer
from projections import people
from registry import nightly, notify
from registry.api.actors import Desk
from registry.commands import Act
from registry.vault import Erased

ERASURE = tuple(rule for rule in nightly.RULES if rule.name == "erasure")


@pytest.fixture
def ana(somebody):
    return somebody("Ximena Quetzalcóatl", "ximena@example.org")


def both(registry, ana):
    registry.request_erasure(Act(Actor("holder", person=ana, id="k9")), ana)
    registry.confirm_erasure(Act(VA), ana)


def traces(connect, home, *needles):
    """The tables and files in which one of these texts stands."""
    found = []
    with connect() as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            for row in connection.execute(f'SELECT * FROM "{schema}"."{table}"'):
                text = " ".join(
                    bytes(cell).decode(errors="replace") if isinstance(cell, bytes | memoryview) else str(cell)
                    for cell in row
                ).casefold()
                found += [f"{schema}.{table}" for needle in needles if needle.casefold() in text]
    for file in home.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            found += [file.name for needle in needles if needle.encode() in data]
    return set(found)


def test_an_erasure_takes_two_people_and_seven_days(registry, ana, clock):
    holder = Actor("holder", person=ana, id="k9")
    with pytest.raises(OutOfTurn, match="not to be erased"):
        registry.confirm_erasure(Act(VA), ana)
    registry.request_erasure(Act(VA), ana)
    with pytest.raises(Invalid, match="second person"):
        registry.confirm_erasure(Act(VA), ana)
    with pytest.raises(Forbidden):
        registry.confirm_erasure(Act(holder), ana)
    registry.confirm_erasure(Act(BOSS), ana)
    assert person(registry, ana).erasure_due == date(2026, 6, 8)
    clock.move(days=6, hours=12)
    assert not registry.carry_out_erasure(ana)
    registry.cancel_erasure(Act(holder), ana)
    clock.move(days=9)
    assert not registry.carry_out_erasure(ana)
    assert registry.store.vault.is_erased(ana) is False


def test_r29_an_erasure_is_an_event_and_nothing_of_the_history_goes(registry, ana, endorsed, clock):
    number = endorsed(ana)
    before = registry.store.position()
    kept = [registry.store.at(position) for position in range(1, before + 1)]
    both(registry, ana)
    clock.move(days=7)
    assert registry.carry_out_erasure(ana)
    assert [registry.store.at(position) for position in range(1, before + 1)] == kept
    held = registry.store.get(Endorsement, number)
    assert (held.standing(clock.today), held.held_on(date(2026, 5, 1))) == ("erased", "IFS")


def test_nothing_personal_is_left_in_any_table_or_file(registry, ana, endorsed, clock, views, connect, settings):
    endorsed(ana)
    registry.volunteer_demographics(
        Act(Actor("holder", person=ana)), ana, Demographics(own_words="Otomí, de Querétaro")
    )
    registry.write_note(Act(VA), ana, about="", audience="staff", note="Ximena rang up")
    views()
    assert "views.people" in traces(connect, settings.home, "Quetzalcóatl", "Otomí", "rang up", "ximena@")
    both(registry, ana)
    clock.move(days=7)
    for batch in nightly.go_round(registry, connect("reader"), rules=ERASURE):
        pytest.fail(f"the views had not come so far: {batch}")
    views()
    assert [batch.recorded for batch in nightly.go_round(registry, connect("reader"), rules=ERASURE)] == [1]
    views()
    assert list(nightly.go_round(registry, connect("reader"), rules=ERASURE)) == []
    assert traces(connect, settings.home, "Quetzalc", "ximena", "Otom", "rang up") == set()
    events = registry.store.vault.open_all([event for _, event in registry.store.events(f"person/{ana}")])
    assert [getattr(event, "name", None) or getattr(event, "own_words", None) for event in events] == [None] * 7
    with pytest.raises((OutOfTurn, Erased)):
        registry.rename_person(Act(VA), ana, name="Ximena Q")


def test_killed_between_event_and_key_it_is_done_the_next_time(registry, ana, clock, monkeypatch, views, connect):
    both(registry, ana)
    clock.move(days=7)
    with monkeypatch.context() as killed:
        killed.setattr(registry.store.vault, "erase", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            registry.carry_out_erasure(ana)
    assert person(registry, ana).state == "erased"
    assert not registry.store.vault.is_erased(ana)
    views()
    assert [batch.recorded for batch in nightly.go_round(registry, connect("reader"), rules=ERASURE)] == [1]
    assert registry.store.vault.is_erased(ana)
    assert not registry.carry_out_erasure(ana)


def test_what_is_open_is_closed_and_what_others_said_of_them_goes(registry, ana, endorsed, clock, settings):
    number = endorsed(ana)
    holder = Actor("holder", person=ana, id="k9")
    application = Application("a1")
    application.record(Application.Started, person=ana, association="VA", category="IMHS", on=clock.today, by="x")
    reference = Reference("r1")
    reference.record(
        Reference.Nominated, person=ana, association="VA", relationship="colleague", waiver=True, name="Rita Rater",
        email="rita@example.org", on=clock.today, by="x",
    )  # fmt: skip
    transfer = Transfer("t1")
    transfer.record(Transfer.Requested, person=ana, from_="VA", to="CT", endorsements=(number,), on=clock.today, by="x")
    registry.store.save(application, reference, transfer)
    desk = Desk(settings, clock=clock)
    _, secret = desk.add("holder", person=ana)
    both(registry, ana)
    clock.move(days=7)
    assert desk.by_key(secret)
    registry.carry_out_erasure(ana)
    store = registry.store
    states = [store.get(kind, name).state for kind, name in ((Application, "a1"), (Reference, "r1"), (Transfer, "t1"))]
    assert states == ["withdrawn", "erased", "cancelled"]
    assert store.vault.is_erased("r1", "reference")
    assert desk.by_key(secret) is None
    assert store.holder(f"open_application/{ana}") is None
    with pytest.raises(OutOfTurn):
        registry.request_erasure(Act(OPERATOR), ana)
    desk.close()
    assert holder.people == {ana}


def test_their_name_and_address_are_free_again(registry, ana, somebody, clock):
    both(registry, ana)
    clock.move(days=7)
    registry.carry_out_erasure(ana)
    assert somebody("Ximena Quetzalcóatl", "ximena@example.org") != ana


def test_demographics_are_withdrawn_at_will_and_may_be_given_again(registry, ana):
    holder = Act(Actor("holder", person=ana))
    with pytest.raises(Forbidden):
        registry.volunteer_demographics(Act(VA), ana, Demographics(gender="mujer"))
    for told in ("mujer", "no binaria"):
        registry.volunteer_demographics(holder, ana, Demographics(gender=told))
    assert genders(registry, ana) == [None, "no binaria"]
    registry.withdraw_demographics(holder, ana)
    assert genders(registry, ana) == [None, None]
    with pytest.raises(OutOfTurn, match="volunteer them"):
        registry.withdraw_demographics(holder, ana)
    registry.volunteer_demographics(holder, ana, Demographics(race_ethnicity=("asian",), languages=("es",)))
    assert genders(registry, ana) == [None, None, ""]
    with pytest.raises(Invalid) as refused:
        registry.volunteer_demographics(holder, ana, Demographics(languages=("Spanish",)))
    assert refused.value.field == "languages"


def genders(registry, name):
    events = [event for _, event in registry.store.events(f"person/{name}")]
    return [
        event.gender
        for event in registry.store.vault.open_all(events)
        if isinstance(event, Person.DemographicsVolunteered)
    ]


def test_whoever_is_to_be_forgotten_is_named_by_the_view(registry, ana, views, connect, clock):
    both(registry, ana)
    views()
    reader = connect("reader")
    assert reader.execute(*people.to_forget(date(2026, 6, 7))).fetchall() == []
    assert reader.execute(*people.to_forget(date(2026, 6, 8))).fetchall() == [(ana,)]
    registry.cancel_erasure(Act(VA), ana)
    views()
    assert reader.execute(*people.to_forget(date(2026, 6, 9))).fetchall() == []


def test_a_letter_that_waits_goes_with_whom_it_is_about(registry, ana, clock, settings):
    holder = Act(Actor("holder", person=ana, id="k9"))
    registry.nominate_rater(
        holder, ana, relationship="colleague", name="Rita Rater", email="rita@example.org", waiver=True
    )
    assert notify.go_round(settings, registry).waiting == 1
    both(registry, ana)
    clock.move(days=7)
    registry.carry_out_erasure(ana)
    assert notify.go_round(settings, registry).waiting == 0
    assert notify.Outbox(settings).letters() == []


def test_a_booked_exam_and_what_is_open_beside_are_closed_too(registry, ana, clock):
    application, beside, exam = Application("a1"), Application("a2"), Exam("x1")
    application.record(Application.Started, person=ana, association="VA", category="IMHM-C", on=clock.today, by="x")
    application.record(Application.ExamBooked, exam="x1", window=date(2026, 7, 25), on=clock.today, by="x")
    beside.record(
        Application.Started, person=ana, association="VA", category="IFS", alone=False, on=clock.today, by="x"
    )
    exam.record(
        Exam.Booked, candidate="C1", window=date(2026, 7, 25), multiple_choice="IMH", designation="MHM-C",
        on=clock.today, by="alliance",
    )  # fmt: skip
    registry.store.save(application, beside, exam)
    both(registry, ana)
    clock.move(days=7)
    registry.carry_out_erasure(ana)
    found = [registry.store.get(Application, name).state for name in ("a1", "a2")]
    assert [*found, registry.store.get(Exam, "x1").state] == ["withdrawn", "withdrawn", "cancelled"]


def test_one_human_with_two_keys_is_not_two_people(registry, ana):
    """Where the registry knows the person behind a key, a second key of theirs does not make a second person."""
    one = Actor("coordinator", association="VA", person="p-coordinator", id="k1")
    other = msgspec.structs.replace(one, id="k2")
    registry.request_erasure(Act(one), ana)
    with pytest.raises(Invalid, match="second person"):
        registry.confirm_erasure(Act(other), ana)
    with pytest.raises(Invalid, match="second person"):
        registry.confirm_erasure(Act(msgspec.structs.replace(other, person="p-new", also=(one.person,))), ana)
    registry.confirm_erasure(Act(BOSS), ana)


def test_what_is_appealed_is_closed_with_whoever_is_forgotten(registry, ana, clock):
    on = {"on": date(2026, 6, 1), "by": "operator"}
    case = Application(registry.new_id())
    case.record(Application.Started, person=ana, association="VA", category="IFA", **on)
    case.record(Application.Submitted, edition="FA-2022", person_version=1, entries=(), tally=Tally(), **on)
    case.record(Application.Deferred, reasons=("more_training",), **on)
    case.record(Application.Appealed, decision="deferred", **on)
    registry.store.save(case)
    registry.request_erasure(Act(VA), ana)
    registry.confirm_erasure(Act(BOSS), ana)
    clock.move(days=9)
    assert registry.carry_out_erasure(ana)
    assert registry.store.get(Application, case.name).state == "withdrawn"
    assert registry.store.holder(f"open_application/{ana}") is None
