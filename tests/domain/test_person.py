"""A person, their name and their portfolio, as rules."""

from datetime import date

import pytest
from given import DAY, fact, given, then
from hypothesis import given as every
from hypothesis import strategies

from domain.errors import Invalid, OutOfTurn
from domain.person import Likeness, Person, place, printable_name
from domain.portfolio import Entry

BY = "holder:p1"
REGISTERED = fact(Person.Registered, residence="VA", name="Ana", match="m1")
TRAINING_FACTS = {"kind": "training", "from_": date(2026, 5, 1), "through": date(2026, 5, 2), "hours": 12}
TRAINING = Entry(**TRAINING_FACTS)
RSC = Entry(kind="rsc", from_=date(2025, 5, 1), through=date(2025, 5, 1), hours=2)


def person(*facts):
    return given(Person("p1"), REGISTERED, *facts)


@pytest.mark.parametrize(
    "name",
    [
        "O'Brien",
        "D’Angelo",
        "Ó Briain",
        "Nguyễn Thị Ánh",
        "Ní Dhuinn",
        "X",
        "李 雪",
        "محمد",
        "Anne-Marie St. John",
        "Ana, LMSW",
        "Siti a/p Rahman",
        "O`Brien",
        "علی\u200cرضا",
        "ක්\u200dරිෂ්",  # Sinhala: a letter, the sign that joins, the joiner, a letter
        "രാജന്\u200d",  # Malayalam: the joiner shapes the last letter
        "김 민준",
        "ʻOkina",
        "Rev. 4th Ana",
        "д" * 120,
    ],
)
def test_names_are_kept_as_they_are_given(name):
    assert printable_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "a\x00b",
        "a\u202eb",
        "=1+1",
        "Ana (x)",
        "Ana <b>",
        "a\u2066b",
        "\ud800",
        "Ana\u200b",
        "\ufeffAna",
        "Ana 😀",
        "\u200d",
        "\u200c\u200d",
        "Ana\u200d",
        "\u200cAna",
        "Ana \u200d Luz",
        "Ana\u200c\u200dLuz",
        "4\u200d2 Ana",
        "\u3164",
        "Ana\u3164",
        "\u115f\u1160",
        "\uffa0",
        "\u0301Ana",
        "Ana \u0301Luz",
        "\u0301",
        "4",
        "-",
        "'’",
        "٣٤",
    ],
)
def test_characters_no_name_has_are_refused(name):
    with pytest.raises(Invalid) as refused:
        printable_name(name)
    assert refused.value.field == "name"
    assert name.strip() == "" or name not in str(refused.value)


@every(strategies.text())
def test_any_text_is_a_printable_name_or_refused(text):
    try:
        name = printable_name(text)
    except Invalid:
        return
    assert printable_name(name) == name
    assert 0 < len(name) <= 120


def test_a_name_claims_its_match_and_a_new_one_gives_the_old_back():
    assert REGISTERED.claims().take == ("identity/m1",)
    known = person()
    known.rename(name="Ana María", credentials="", match="m2", formerly="m1", on=DAY, by=BY)
    (renamed,) = then(known)
    assert (renamed.claims().take, renamed.claims().release) == (("identity/m2",), ("identity/m1",))
    assert known.named_by == 2


def test_evidence_never_lies_in_the_future():
    with pytest.raises(Invalid, match="future") as refused:
        person().add(TRAINING, on=date(2026, 5, 1), by=BY)
    assert refused.value.field == "through"


@pytest.mark.parametrize(("entry", "field"), [
    (Entry(kind="training", from_=DAY, through=date(2026, 5, 1), hours=1), "through"),
    (Entry(kind="training", from_=DAY, through=DAY), "hours"),
    (Entry(kind="training", from_=DAY, through=DAY, hours=25), "hours"),
    (Entry(kind="training", from_=DAY, through=DAY, hours=2, dei_hours=1.5, rsc_provision_hours=1), "dei_hours"),
    (Entry(kind="work", from_=DAY, through=DAY), "sector"),
    (Entry(kind="education", from_=DAY, through=DAY), "degree"),
    (Entry(kind="training", from_=DAY, through=DAY, hours=float("nan")), "hours"),
])  # fmt: skip
def test_an_entry_that_can_not_be_names_the_field(entry, field):
    with pytest.raises(Invalid) as refused:
        person().add(entry, on=DAY, by=BY)
    assert refused.value.field == field


def test_entries_are_corrected_by_superseding():
    known = person()
    first = known.add(TRAINING, on=DAY, by=BY)
    second = known.add(RSC, supersedes=first, on=DAY, by=BY)
    assert list(known.entries) == [second]
    with pytest.raises(Invalid, match="no such entry"):
        known.add(RSC, supersedes=first, on=DAY, by=BY)
    known.withdraw(second, on=DAY, by=BY)
    assert known.entries == {}
    assert [type(event) for event in then(known)] == [
        Person.EntryRecorded,
        Person.EntryCorrected,
        Person.EntryWithdrawn,
    ]


def test_only_a_provider_without_an_endorsement_is_vetted():
    known = person()
    vettable = known.add(RSC, on=DAY, by=BY)
    training = known.add(TRAINING, on=DAY, by=BY)
    known.vet_provider(vettable, qualified=True, on=DAY, by="coordinator:VA:k1")
    assert known.entries[vettable].vetted
    with pytest.raises(Invalid):
        known.vet_provider(training, qualified=True, on=DAY, by="coordinator:VA:k1")


def test_an_erased_person_does_nothing_more():
    gone = person(fact(Person.Erased, match="m1"))
    assert gone.state == "erased"
    for deed in (
        lambda: gone.add(TRAINING, on=DAY, by=BY),
        lambda: gone.move("CT", on=DAY, by=BY),
        lambda: gone.erase(match="", on=DAY, by=BY),
    ):
        with pytest.raises(OutOfTurn, match="erased"):
            deed()


def test_membership_counts_from_its_first_to_its_last_day():
    member = person(
        fact(Person.MembershipRecorded, association="VA", from_=date(2026, 1, 1), through=date(2026, 12, 31))
    )
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [member.member_of("VA", day) for day in days] == [False, True, True, False]
    assert not member.member_of("CT", DAY)


def test_a_likeness_is_asked_once_and_settled():
    asked = person()
    asked.note_likeness("p2", "VA", on=DAY, by="operator")
    asked.note_likeness("p2", "VA", on=DAY, by="operator")
    assert len(then(asked)) == 1
    asked.settle_likeness("p2", same=False, on=DAY, by="coordinator:VA:k1")
    assert asked.likenesses == {"p2": Likeness("VA", same=False)}
    with pytest.raises(Invalid):
        asked.settle_likeness("p3", same=True, on=DAY, by="coordinator:VA:k1")


@pytest.mark.parametrize("text", ["12 Main St, Richmond", "va", "", "VIRGINIA-BEACH", "V", "VA\n"])
def test_a_residence_is_a_code_and_never_an_address(text):
    with pytest.raises(Invalid) as refused:
        place(text)
    assert refused.value.field == "residence"
    assert [place(code) for code in ("VA", "ALLIANCE", "CA-ON")] == ["VA", "ALLIANCE", "CA-ON"]


def test_competencies_are_codes_and_never_words():
    with pytest.raises(Invalid) as refused:
        person().add(Entry(**{**TRAINING_FACTS, "codes": ("my child has autism",)}), on=DAY, by=BY)
    assert refused.value.field == "codes"
    person().add(Entry(**{**TRAINING_FACTS, "codes": ("TF-3", "DS.2")}), on=DAY, by=BY)


def test_a_note_says_something_and_is_not_endless():
    known = person()
    known.write_note("application/a1", "staff", "  Called\x00 the supervisor.\n", on=DAY, by=BY)
    assert then(known) == [
        fact(Person.NoteWritten, about="application/a1", audience="staff", note="Called the supervisor.", by=BY)
    ]
    for wrong in (" \u202e ", "x" * 4001):
        with pytest.raises(Invalid) as refused:
            known.write_note("application/a1", "staff", wrong, on=DAY, by=BY)
        assert refused.value.field == "note"


def test_a_merged_record_does_nothing_more_until_it_is_split():
    survivor, duplicate = given(Person("p1"), REGISTERED), given(Person("p2"), REGISTERED)
    survivor.merge(duplicate, on=DAY, by=BY)
    assert (duplicate.state, duplicate.merged_into, survivor.merged) == ("merged", "p1", {"p2"})
    with pytest.raises(OutOfTurn, match="merged"):
        duplicate.move("CT", on=DAY, by=BY)
    with pytest.raises(OutOfTurn, match="merged"):
        given(Person("p3"), REGISTERED).merge(duplicate, on=DAY, by=BY)
    with pytest.raises(OutOfTurn, match="split them first"):
        given(Person("p3"), REGISTERED).merge(survivor, on=DAY, by=BY)
    survivor.split(duplicate, on=DAY, by=BY)
    assert (duplicate.state, duplicate.merged_into, survivor.merged) == ("known", "", set())
    merged, split = duplicate.collect_events()
    assert merged.claims().take == ("merged/p2/into:p1",)
    assert set(merged.claims().take) <= set(split.claims().release)
    merged, split = survivor.collect_events()
    assert merged.claims().take == ("merged/p1/p2",)
    assert set(merged.claims().take) <= set(split.claims().release)
