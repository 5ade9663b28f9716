"""What was so when, and what we believed about it when: the view answers as the aggregate does."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from lives import SOURCE, days, endorsement_events, event

from domain.endorsement import Endorsement
from projections import standing
from projections.rows import Rows
from projections.standing import Endorsed, Standing

NUMBER = "IFS-7K3MQ9TD"


def fold(events):
    """All rows after these events, at positions 1, 2, 3 ..."""
    rows = Rows([Endorsed, Standing], everything=True)
    for position, fact in enumerate(events, start=1):
        if type(fact) in standing.VIEW.takes:
            standing.change(rows, fact, position)
    return rows[Standing].changed()


def asked(rows, on, known):
    found = [
        row
        for row in rows
        if row.valid_from <= on and (row.valid_to is None or on < row.valid_to)
        and row.known_from <= known and (row.known_to is None or known < row.known_to)
    ]  # fmt: skip
    assert len(found) <= 1, "one belief about one day at a time"
    return found[0] if found else None


def telling_days(events):
    """Every day at which something could change, the one before and the one after."""
    named = {
        day
        for fact in events
        for name in ("on", "awarded_on", "through", "until", "day")
        if (day := getattr(fact, name, None)) is not None
    }
    return {day + timedelta(days=n) for day in named for n in (-1, 0, 1)}


@settings(max_examples=200)
@given(endorsement_events(), st.data())
def test_any_day_at_any_position_is_answered_as_the_aggregate_answers(events, data):
    rows = fold(events)
    known = data.draw(st.integers(1, len(events)))
    aggregate = Endorsement.fold(events[:known])

    for on in telling_days(events) | {data.draw(days)}:
        row = asked(rows, on, known)
        if on < aggregate.awarded_on:
            assert row is None
            continue
        assert row.standing == aggregate.standing(on)
        assert row.category == aggregate.held_as(on)
        assert (row.category if row.standing == "active" else "") == aggregate.held_on(on)
        assert row.awarded_on == aggregate.awarded_on
        moves = [e for e in events[:known] if isinstance(e, Endorsement.CustodyTransferred) and e.on <= on]
        later = sorted(moves, key=lambda move: move.on)
        assert row.custodian == (later[-1].to if later else events[0].association)


@settings(max_examples=100)
@given(endorsement_events())
def test_what_was_believed_is_never_written_over(events):
    before = {}
    for known in range(1, len(events) + 1):
        rows = fold(events[:known])
        for position in range(1, known + 1):
            believed = sorted(
                (row.valid_from, row.valid_to or date.max, row.standing, row.category, row.custodian)
                for row in rows
                if row.known_from <= position and (row.known_to is None or position < row.known_to)
            )
            assert before.setdefault(position, believed) == believed


def awarded(on=date(2026, 1, 10), through=date(2027, 12, 31)):
    return event(Endorsement.Awarded, f"endorsement/{NUMBER}", 1, number=NUMBER, person="p1", category="IFS",
                 association="VA", application="a1", edition="FS-2023", on=on, through=through)  # fmt: skip


def after(version, kind, **facts):
    return event(kind, f"endorsement/{NUMBER}", version, **facts)


def test_an_active_endorsement_ends_with_its_last_good_day_though_no_lapse_is_recorded():
    rows = fold([awarded()])

    assert asked(rows, date(2027, 12, 31), 1).standing == "active"
    assert asked(rows, date(2028, 1, 1), 1).standing == "lapsed"
    assert asked(rows, date(2026, 1, 9), 1) is None


def test_recording_the_lapse_changes_no_belief():
    lapsed = after(2, Endorsement.Lapsed, on=date(2028, 1, 1), through=date(2027, 12, 31))

    assert [row.known_to for row in fold([awarded(), lapsed])] == [None, None]


def test_what_did_we_believe_on_30_june_about_1_june():
    events = [
        awarded(),
        after(2, Endorsement.CertificateSigned, on=date(2026, 6, 30), cti="aa" * 16, kid="01" * 8),
        after(3, Endorsement.Suspended, on=date(2026, 5, 20), reason="fraud_being_established", late="correction"),
    ]
    rows = fold(events)

    assert asked(rows, date(2026, 6, 1), 2).standing == "active"
    assert asked(rows, date(2026, 6, 1), 3).standing == "suspended"
    assert asked(rows, date(2026, 5, 19), 3).standing == "active"


def test_custody_changes_on_its_day():
    moved = after(2, Endorsement.CustodyTransferred, on=date(2026, 6, 1), from_="VA", to="CT", transfer="t1")
    rows = fold([awarded(), moved])

    assert asked(rows, date(2026, 5, 31), 2).custodian == "VA"
    assert asked(rows, date(2026, 6, 1), 2).custodian == "CT"
    assert asked(rows, date(2026, 6, 1), 1).custodian == "VA"


def test_an_emerging_ers_ends_with_its_two_years():
    granted = after(2, Endorsement.AddOnGranted, on=date(2026, 2, 1), add_on="EERS", until=date(2027, 2, 1))
    rows = fold([awarded(), granted])

    assert asked(rows, date(2027, 2, 1), 2).category == "IFS+EERS"
    assert asked(rows, date(2027, 2, 2), 2).category == "IFS"


def test_an_association_s_word_is_marked_until_we_decide_ourselves():
    imported = event(Endorsement.Imported, f"endorsement/{NUMBER}", 1, number=NUMBER, person="p1", category="IFS",
                     association="VA", on=date(2026, 1, 1), awarded_on=date(2019, 1, 1), through=date(2026, 12, 31),
                     standing="active", source=SOURCE)  # fmt: skip
    renewed = after(2, Endorsement.Reactivated, on=date(2026, 11, 1), through=date(2029, 12, 31))
    rows = fold([imported, renewed])

    assert asked(rows, date(2026, 6, 1), 1).reported
    assert asked(rows, date(2026, 12, 1), 2).reported
    assert asked(rows, date(2026, 12, 1), 2).edition == ""
