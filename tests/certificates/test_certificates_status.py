"""What a list says of a certificate, by what happened to its endorsement."""

from datetime import UTC, date, datetime, timedelta

import pytest
from certificate_facts import NOON, SLOT_KEY, Story, rows
from hypothesis import given
from hypothesis import strategies as st

from registry.certificates.slots import slot
from registry.certificates.status import REVOKED, SUPERSEDED, SUSPENDED, VALID, Statuses
from verifier.verdict import Notice

LATER = date(2026, 9, 1)


def folded(*events, start=1):
    statuses = Statuses(SLOT_KEY)
    found = rows(*events, start=start)
    statuses.advance(found, found[-1][0])
    return statuses


def place(position):
    return slot(position - 1, SLOT_KEY).place


def status(statuses, position):
    at = slot(position - 1, SLOT_KEY)
    return statuses.of_list(at.list).get(at.place, VALID)


def notice(statuses, position, now=NOON):
    at = slot(position - 1, SLOT_KEY)
    return statuses.notes(at.list, now).get(at.place)


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def begun(story):
    """An award (position 1) and its certificate (2)."""
    return [story.awarded(), story.issued()]


def test_a_certificate_is_valid_as_long_as_nothing_happens(begun):
    statuses = folded(*begun)

    assert status(statuses, 2) == VALID
    assert statuses.of_list(1) == {}
    assert notice(statuses, 2) is None


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ("renewed", "renewed"),
        ("transferred", "transferred"),
        ("renamed", "corrected"),
        ("add_on", "corrected"),
        ("reinstated", "renewed"),
    ],
)
def test_the_newest_is_valid_and_the_one_it_replaced_is_superseded(story, begun, why, reason):
    statuses = folded(*begun, story.issued(2, replaces=1, why=why, on=LATER))

    assert (status(statuses, 2), status(statuses, 3)) == (SUPERSEDED, VALID)
    assert notice(statuses, 2) == Notice(reason, "2026-09-01", "active", "VA")


def test_after_a_transfer_the_notice_names_who_holds_it_now(story, begun):
    statuses = folded(*begun, story.transferred("CT"), story.issued(2, replaces=1, why="transferred", on=LATER))

    assert notice(statuses, 2) == Notice("transferred", "2026-09-01", "active", "CT")


@pytest.mark.parametrize(
    ("deed", "given", "found"),
    [
        ("suspended", SUSPENDED, Notice("suspended", "2026-09-01", "suspended", "VA")),
        ("made_inactive", SUSPENDED, Notice("inactive", "2026-09-01", "inactive", "VA")),
        ("removed", REVOKED, Notice("removed", "2026-09-01", "removed", "VA")),
        ("archived", REVOKED, Notice("erased", "2026-09-01", "erased", "VA")),
    ],
)
def test_a_change_of_standing_reaches_every_certificate_replaced_ones_included(story, begun, deed, given, found):
    statuses = folded(*begun, story.issued(2, replaces=1), getattr(story, deed)(on=LATER))

    assert (status(statuses, 2), status(statuses, 3)) == (given, given)
    assert notice(statuses, 2) == notice(statuses, 3) == found


def test_what_was_held_back_comes_back(story, begun):
    again = folded(*begun, story.issued(2, replaces=1), story.suspended(), story.lifted(on=LATER))
    assert (status(again, 2), status(again, 3)) == (SUPERSEDED, VALID)

    story = Story()
    again = folded(story.awarded(), story.issued(), story.made_inactive(), story.reactivated())
    assert status(again, 2) == VALID


def test_a_suspension_lifted_goes_back_to_what_was_before(story, begun):
    statuses = folded(*begun, story.made_inactive(), story.suspended(), story.lifted("inactive", on=LATER))

    assert status(statuses, 2) == SUSPENDED
    assert notice(statuses, 2) == Notice("inactive", "2026-09-01", "inactive", "VA")


def test_a_lapse_leaves_the_list_alone_the_expiry_says_it(story, begun):
    statuses = folded(*begun, story.lapsed())

    assert status(statuses, 2) == VALID


def test_a_reinstatement_makes_a_new_certificate_and_the_old_is_superseded(story, begun):
    statuses = folded(*begun, story.lapsed(), story.reinstated(), story.issued(2, replaces=1, why="reinstated"))

    assert (status(statuses, 2), status(statuses, 5)) == (SUPERSEDED, VALID)


def test_what_an_association_reports_counts(story):
    active = folded(story.imported(), story.issued(why="imported"))
    assert status(active, 2) == VALID

    inactive = folded(Story().imported("inactive"))
    assert inactive.of_list(1) == {}

    story = Story()
    inactive = folded(story.imported(), story.issued(why="imported"), story.reported("inactive"))
    assert status(inactive, 2) == SUSPENDED


@pytest.mark.parametrize("end", ["removed", "archived"])
def test_nothing_brings_an_ended_endorsement_back(story, begun, end):
    statuses = folded(
        *begun, getattr(story, end)(on=LATER), story.reported("active"), story.reactivated(), story.lifted()
    )

    assert status(statuses, 2) == REVOKED


def test_erasing_a_person_revokes_all_certificates_of_all_their_endorsements():
    one, other, stranger = Story(), Story("ECFS-4K3MQ9TD"), Story("IFA-2K3MQ9TD", person="p2")
    events = [one.awarded(), one.issued(1), other.imported(), other.issued(2), stranger.awarded(), stranger.issued(3)]

    statuses = folded(*events, one.erased(on=LATER))

    assert [status(statuses, position) for position in (2, 4, 6)] == [REVOKED, REVOKED, VALID]
    assert notice(statuses, 4) == Notice("erased", "2026-09-01", "erased", "VA")


def test_an_erased_person_stays_erased_after_a_removal_and_a_removal_stays_a_removal(story, begun):
    statuses = folded(*begun, story.removed(on=LATER), story.erased())

    assert notice(statuses, 2).reason == "removed"


def test_a_second_badge_of_the_same_certificate_replaces_nothing(story, begun):
    statuses = folded(*begun, story.suspended(), story.lifted(), story.issued(1, why="reinstated"))

    assert (status(statuses, 2), status(statuses, 5)) == (VALID, VALID)
    assert status(folded(*begun, story.suspended()), 2) == SUSPENDED


def test_notes_are_of_unexpired_certificates_only(story, begun):
    statuses = folded(*begun, story.issued(2, replaces=1, through=date(2031, 12, 31)))
    expiry = datetime(2029, 1, 1, 4, 59, 59, tzinfo=UTC)

    assert notice(statuses, 2, expiry) is not None
    assert notice(statuses, 2, expiry + timedelta(seconds=1)) is None
    assert status(statuses, 2) == SUPERSEDED


def test_a_superseded_certificate_says_lapsed_once_the_newest_has_expired(story):
    statuses = folded(
        story.awarded(),
        story.issued(through=date(2030, 12, 31)),
        story.issued(2, replaces=1, through=date(2028, 12, 31)),
    )

    assert notice(statuses, 2, datetime(2029, 6, 1, tzinfo=UTC)).standing == "lapsed"


def test_only_lists_that_changed_are_stale(story, begun):
    begun_rows = rows(*begun)
    statuses = Statuses(SLOT_KEY)
    statuses.advance(begun_rows, 2)
    assert statuses.take_stale() == (set(), set())

    statuses.advance(rows(story.issued(2, replaces=1), start=3), 3)
    assert statuses.take_stale() == ({1}, {1})

    statuses.advance(rows(story.transferred("CT"), start=4), 4)
    assert statuses.take_stale() == (set(), {1})


def test_certificates_far_apart_in_the_log_stand_in_different_lists(story):
    statuses = Statuses(SLOT_KEY)
    statuses.advance(rows(story.awarded(), story.issued()), 2)
    statuses.advance(rows(story.issued(2, replaces=1), start=131_073), 131_073)

    assert statuses.lists == 2
    assert list(statuses.of_list(1).values()) == [SUPERSEDED]
    assert statuses.of_list(2) == {}
    assert statuses.take_stale() == ({1}, {1})


def test_there_is_a_list_before_there_is_an_event():
    assert Statuses(SLOT_KEY).lists == 1


DEEDS = [
    "renewed",
    "lapsed",
    "made_inactive",
    "reactivated",
    "suspended",
    "lifted",
    "issue",
    "removed",
    "archived",
    "erased",
]


@given(st.lists(st.sampled_from(DEEDS), max_size=12), st.data())
def test_whatever_happens_the_laws_hold_and_it_does_not_matter_how_often_we_look(deeds, data):
    story, events, certificates = Story(), [], [2]
    events += [story.awarded(), story.issued(1)]
    for deed in deeds:
        if deed == "issue":
            certificates.append(len(events) + 1)
            events.append(story.issued(len(certificates), replaces=len(certificates) - 1, why="renewed"))
        else:
            events.append(getattr(story, deed)())
    found = rows(*events)
    cut = data.draw(st.integers(0, len(found)))
    piecewise = Statuses(SLOT_KEY)
    piecewise.advance(found[:cut], cut)
    piecewise.advance(found[cut:], len(found))

    statuses = folded(*events)

    assert piecewise.of_list(1) == statuses.of_list(1)
    assert piecewise.notes(1, NOON) == statuses.notes(1, NOON)
    given_to = [status(statuses, position) for position in certificates]
    ended = {"removed", "archived", "erased"} & set(deeds)
    if ended:
        assert set(given_to) == {REVOKED}
    elif SUSPENDED in given_to:
        assert set(given_to) == {SUSPENDED}
    else:
        assert given_to == [SUPERSEDED] * (len(certificates) - 1) + [VALID]
