"""Evidence is judged by spans in which nothing changes, as it would be day by day (R9, R12, R13)."""

from bisect import bisect_right
from datetime import date, timedelta

from hypothesis import given, strategies

from domain.policy import Tally
from domain.portfolio import Entry, tally

DAYS = strategies.dates(date(2001, 6, 1), date(2027, 6, 1))
HELD = strategies.sampled_from(["", "IMHS", "IMHM-C", "IFS", "IFS+ERS", "IFS+EERS", "IFRS", "IMHM-P"])


@given(
    strategies.lists(strategies.tuples(DAYS, HELD), max_size=6),
    strategies.lists(strategies.tuples(DAYS, strategies.integers(0, 500)), min_size=1, max_size=4),
    strategies.sampled_from(["rsc", "internship"]),
    strategies.sampled_from(["", "CT", "VA"]),
    strategies.sampled_from(["", "FS", "MHM-C"]),
)
def test_r12_judged_by_spans_is_judged_by_days(turns, spans, kind, association, slot):
    turns = sorted(turns, key=lambda turn: turn[0])

    def held_on(number, day):
        at = bisect_right(turns, day, key=lambda turn: turn[0])
        return turns[at - 1][1] if at else ""

    entries = [
        (f"E{n}", Entry(kind, from_, from_ + timedelta(days), hours=1, provider="M", sector="health"))
        for n, (from_, days) in enumerate(spans)
    ]
    rules = {"association": association, "slot": slot}
    by_span = tally(entries, held_on, changes=lambda number: [day for day, _ in turns], **rules)
    assert by_span == tally(entries, held_on, **rules)
    covered = {from_ + timedelta(n) for from_, days in spans for n in range(days + 1)}
    worked = [(name, Entry("work", e.from_, e.through, sector="health")) for name, e in entries]
    assert tally(worked, held_on).work_days == len(covered)


def test_an_entry_of_sixty_years_is_judged_as_any_other():
    entry = Entry("rsc", date(2003, 1, 1), date(2062, 12, 31), hours=100, provider="M")
    work = Entry("work", date(2003, 1, 1), date(2062, 12, 31), sector="health")
    turns = [date(2003 + n, 1, 1) for n in range(50)]
    added = tally([("E1", entry), ("E2", work)], lambda n, d: "IMHM-C", changes=lambda n: turns)
    assert (added.rsc, added.work_days) == (100, 21915)


def test_r12_in_connecticut_a_specialist_counts_before_april_2024_and_not_after():
    def counts(first, last, held, association="CT"):
        entry = Entry("rsc", first, last, hours=2, provider="M")
        return tally([("E1", entry)], lambda n, d: held, association=association).rsc == 2

    before, after = (date(2024, 3, 1), date(2024, 3, 31)), (date(2024, 5, 1), date(2024, 5, 31))
    assert counts(*before, "IMHS")
    assert not counts(*after, "IMHS")
    assert counts(*after, "IMHS", association="VA")
    assert counts(*after, "IFRS")
    assert counts(*after, "IFS+ERS")


def test_r12_hours_of_an_endorsed_provider_never_expire():
    entry = Entry("rsc", date(2005, 3, 1), date(2005, 3, 1), hours=2, provider="M")
    assert tally([("E1", entry)], lambda n, d: "IMHS").rsc == 2


def test_r11_hours_about_rsc_given_are_a_part_of_those_received():
    day = date(2025, 3, 1)
    plain, about = (Entry("rsc", day, day, hours=3, provider="M", about_given=given_) for given_ in (False, True))
    added = tally([("E1", plain), ("E2", about)], lambda n, d: "IMHM-C")
    assert (added.rsc, added.rsc_about_given) == (6, 3)


def test_r11_days_of_leading_and_of_giving_rsc_are_counted_once():
    first, last = date(2020, 1, 1), date(2020, 12, 31)
    entries = [(f"E{n}", Entry(kind, first, last)) for n, kind in enumerate(["leadership", "rsc_given", "rsc_given"])]
    added = tally(entries, lambda n, d: "")
    assert (added.leadership_days, added.rsc_given_days, added.work_days) == (366, 366, 0)


def test_specialised_experience_shows_competencies_and_adds_to_no_requirement():
    entry = Entry("specialised", date(2024, 1, 1), date(2024, 6, 30), codes=("TF-1",))
    assert entry.wrong() is None
    assert tally([("E1", entry)], lambda _number, _day: "") == Tally()
