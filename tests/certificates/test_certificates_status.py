"""What a list says of a certificate, by what happened to its endorsement."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from certificate_facts import NOON, SLOT_KEY, Story, rows
from hypothesis import given
from hypothesis import strategies as st

from domain.endorsement import Endorsement
from registry.certificates.slots import slot
from registry.certificates.status import REVOKED, SUPERSEDED, SUSPENDED, TOPICS, VALID, Statuses
from registry.log import fsck_lists
from registry.log.fsck_lists import Listed, same
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
    again = date(2029, 2, 1)
    statuses = folded(
        *begun, story.lapsed(), story.reinstated(on=again), story.issued(2, replaces=1, why="reinstated", on=again)
    )

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


def test_a_notice_says_lapsed_once_the_last_good_day_is_over_everywhere(story):
    """By the endorsement, not by its newest certificate, which an Emerging ERS may have ended early (F20)."""
    statuses = folded(
        story.awarded(),
        story.issued(through=date(2030, 12, 31)),
        story.issued(2, replaces=1, through=date(2028, 6, 1)),
    )

    def standing(*at):
        return notice(statuses, 2, datetime(*at, tzinfo=UTC)).standing

    assert standing(2028, 9, 1) == "active"
    assert standing(2029, 1, 1, 11, 59) == "active"
    assert standing(2029, 1, 1, 12) == "lapsed"

    statuses = folded(story.awarded(), story.issued(), story.issued(2, replaces=1), story.renewed())
    assert notice(statuses, 2, datetime(2028, 12, 31, 23, tzinfo=UTC)).standing == "active"


class TestDays:
    """Facts are judged by their day, whenever they were recorded (A1)."""

    def test_a_fact_told_late_does_not_undo_what_came_after_its_day(self, story, begun):
        statuses = folded(*begun, story.suspended(on=LATER), story.reactivated(on=date(2026, 7, 1)))
        assert status(statuses, 2) == SUSPENDED

        story = Story()
        statuses = folded(
            story.awarded(), story.issued(), story.reactivated(on=LATER), story.made_inactive(on=date(2026, 7, 1))
        )
        assert status(statuses, 2) == VALID

    def test_of_two_facts_of_one_day_the_later_one_counts(self, story, begun):
        assert status(folded(*begun, story.suspended(), story.lifted()), 2) == VALID

    def test_an_end_is_an_end_whatever_day_it_is_of(self, story, begun):
        statuses = folded(*begun, story.renewed(on=LATER), story.removed(on=date(2026, 7, 1)))

        assert status(statuses, 2) == REVOKED
        assert notice(statuses, 2) == Notice("removed", "2026-07-01", "removed", "VA")


class TestReports:
    """What an association reports later may contradict a certificate that has not expired (A3)."""

    @pytest.fixture
    def begun(self, story):
        return [story.imported(), story.issued(why="imported")]

    def test_a_lapse_before_the_expiry_suspends(self, story, begun):
        statuses = folded(*begun, story.reported("lapsed", on=LATER))

        assert status(statuses, 2) == SUSPENDED
        assert notice(statuses, 2) == Notice("corrected", "2026-09-01", "lapsed", "VA")

    def test_a_lapse_with_the_expiry_does_not(self, story, begun):
        assert status(folded(*begun, story.reported("lapsed", on=date(2029, 1, 1))), 2) == VALID

    def test_a_last_good_day_that_moved_nearer_suspends_until_it_is_back_or_a_new_certificate_is_there(
        self, story, begun
    ):
        nearer = [*begun, story.reported("active", through=date(2027, 12, 31), on=LATER)]
        statuses = folded(*nearer)
        assert status(statuses, 2) == SUSPENDED
        assert notice(statuses, 2) == Notice("corrected", "2026-09-01", "active", "VA")
        assert notice(statuses, 2, datetime(2028, 2, 1, tzinfo=UTC)).standing == "lapsed"

        issued = story.issued(2, replaces=1, why="renewed", through=date(2027, 12, 31), on=LATER)
        statuses = folded(*nearer, issued)
        assert (status(statuses, 2), status(statuses, 4)) == (SUPERSEDED, VALID)
        assert status(folded(*nearer, story.reported("active", on=LATER)), 2) == VALID

    def test_a_last_good_day_that_moved_away_changes_nothing(self, story, begun):
        assert status(folded(*begun, story.reported("active", through=date(2031, 12, 31))), 2) == VALID

    def test_another_category_supersedes_until_it_is_the_old_one_again(self, story, begun):
        corrected = [*begun, story.reported("active", category="IFA", on=LATER)]
        statuses = folded(*corrected)
        assert status(statuses, 2) == SUPERSEDED
        assert notice(statuses, 2) == Notice("corrected", "2026-09-01", "active", "VA")

        assert status(folded(*corrected, story.reported("active", category="IFS", on=LATER)), 2) == VALID
        statuses = folded(*corrected, story.issued(2, replaces=1, category="IFA", why="add_on", on=LATER))
        assert (status(statuses, 2), status(statuses, 4)) == (SUPERSEDED, VALID)

    def test_an_add_on_is_no_other_category(self, story, begun):
        issued = story.issued(2, replaces=1, category="IFS+ERS", why="add_on")

        assert status(folded(*begun, story.add_on(), issued), 4) == VALID


class TestMoves:
    """A certificate names who holds the endorsement: after a transfer it is never good again (A4)."""

    def test_the_certificate_of_before_is_superseded_before_there_is_a_new_one(self, story, begun):
        statuses = folded(*begun, story.transferred("CT", on=LATER))

        assert status(statuses, 2) == SUPERSEDED
        assert notice(statuses, 2) == Notice("transferred", "2026-09-01", "active", "CT")

    def test_it_does_not_come_back_when_an_inactive_endorsement_moved_and_is_active_again(self, story, begun):
        moved = [*begun, story.made_inactive(), story.transferred("CT", on=LATER)]
        assert status(folded(*moved), 2) == SUSPENDED

        statuses = folded(*moved, story.reactivated(on=date(2026, 10, 1)))
        assert status(statuses, 2) == SUPERSEDED
        assert notice(statuses, 2) == Notice("transferred", "2026-09-01", "active", "CT")

    def test_only_back_where_it_was_issued_it_is_right_again(self, story, begun):
        back = [*begun, story.transferred("CT"), story.transferred("VA")]
        assert status(folded(*back), 2) == VALID


@pytest.mark.parametrize("kind", ["awarded", "imported"])
def test_an_endorsement_of_a_person_who_was_erased_before_stands_as_erased(story, kind):
    statuses = folded(story.erased(on=LATER), getattr(story, kind)(), story.issued(), story.renewed(on=LATER))

    assert status(statuses, 3) == REVOKED
    assert notice(statuses, 3) == Notice("erased", "2026-09-01", "erased", "VA")


def test_only_lists_that_changed_are_stale(story, begun):
    begun_rows = rows(*begun)
    statuses = Statuses(SLOT_KEY)
    statuses.advance(begun_rows, 2)
    assert statuses.take_stale() == (set(), set(), set())

    statuses.advance(rows(story.issued(2, replaces=1, why="renewed"), start=3), 3)
    assert statuses.take_stale() == ({1}, {1}, set())

    statuses.advance(rows(story.renewed(), start=4), 4)
    assert statuses.take_stale() == (set(), {1}, set())

    statuses.advance(rows(story.transferred("CT"), start=5), 5)
    assert statuses.take_stale() == ({1}, {1}, {1})


def test_certificates_far_apart_in_the_log_stand_in_different_lists(story):
    statuses = Statuses(SLOT_KEY)
    statuses.advance(rows(story.awarded(), story.issued()), 2)
    statuses.advance(rows(story.issued(2, replaces=1), start=131_073), 131_073)

    assert statuses.lists == 2
    assert list(statuses.of_list(1).values()) == [SUPERSEDED]
    assert statuses.of_list(2) == {}
    assert statuses.take_stale() == ({1}, {1}, {1})


def test_there_is_a_list_before_there_is_an_event():
    assert Statuses(SLOT_KEY).lists == 1


ENDS = ["removed", "archived", "died", "erased"]
DEEDS = ["renewed", "made_inactive", "reactivated", "suspended", "lifted", "add_on", "add_on_ended", "emeritus",
         "converted", "issue", *ENDS]  # fmt: skip
DAYS = [date(2026, month, 1) for month in range(6, 10)]
THROUGH = [date(2027, 12, 31), date(2028, 12, 31), date(2031, 12, 31)]

facts = st.one_of(
    st.tuples(
        st.just("corrected"),
        st.one_of(
            st.fixed_dictionaries({"void": st.just(True)}),
            st.fixed_dictionaries({"day": st.none() | st.sampled_from(DAYS), "through": st.sampled_from(THROUGH)}),
        ),
    ),
    st.tuples(st.sampled_from(DEEDS), st.fixed_dictionaries({"on": st.sampled_from(DAYS)})),
    st.tuples(
        st.just("reported"),
        st.fixed_dictionaries(
            {
                "standing": st.sampled_from(["active", "inactive", "lapsed"]),
                "means": st.sampled_from(["correction", "renewal"]),
                "through": st.sampled_from(THROUGH),
                "on": st.sampled_from(DAYS),
            }
        ),
    ),
)


@given(
    st.sampled_from(["awarded", "imported"]),
    st.sampled_from(["active", "inactive", "lapsed"]),
    st.lists(facts, max_size=12),
    st.data(),
)
def test_the_list_agrees_with_the_endorsement_and_it_does_not_matter_how_often_we_look(begin, standing, told, data):
    story, certificates = Story(), [2]
    events = [story.imported(standing) if begin == "imported" else story.awarded(), story.issued(1)]
    for deed, known in told:
        if deed == "issue":
            certificates.append(len(events) + 1)
            events.append(story.issued(len(certificates), replaces=len(certificates) - 1, why="renewed", **known))
        elif deed == "corrected":
            may = tuple(kind for kind, how in Endorsement._corrigible().items() if not known.get("void") or "v" in how)
            if versions := [event.originator_version for event in events if isinstance(event, may)]:
                events.append(story.corrected(events, data.draw(st.sampled_from(versions)), **known))
        else:
            events.append(getattr(story, deed)(**known))
    found = rows(*events)
    cut = data.draw(st.integers(0, len(found)))
    piecewise = Statuses(SLOT_KEY)
    piecewise.advance(found[:cut], cut)
    piecewise.advance(found[cut:], len(found))

    statuses = folded(*events)

    assert piecewise.of_list(1) == statuses.of_list(1)
    assert piecewise.notes(1, NOON) == statuses.notes(1, NOON)
    given_to = [status(statuses, position) for position in certificates]
    assert statuses.of_list(1) == {
        place(position): one for position, one in zip(certificates, given_to, strict=True) if one
    }
    again = Listed()
    for row in found:
        again.take(row[0], row[1], row[2], row[3])
    assert same(again.count().get(1, {}), Counter(given_to))
    endorsement = Endorsement.fold(event for event in events if event.originator_id.startswith("endorsement/"))
    now = endorsement.standing(date(2027, 1, 1))  # after all facts, before all last good days
    if any(deed in ENDS for deed, _ in told):
        assert set(given_to) == {REVOKED}
    elif now in ("inactive", "suspended", "emeritus"):
        assert set(given_to) == {SUSPENDED}
    else:
        good = now == "active" and endorsement.turns[-1].through >= date(2028, 12, 31)
        assert given_to == [SUPERSEDED] * (len(certificates) - 1) + [VALID if good else SUSPENDED]


def test_R17_a_conversion_replaces_the_certificates_of_the_category_of_before(story):
    began = [story.awarded("IFRS"), story.issued(category="IFRS")]
    statuses = folded(*began, story.converted(), story.issued(2, replaces=1, why="converted", category="IFS+ERS"))
    assert (status(statuses, 2), status(statuses, 4)) == (SUPERSEDED, VALID)
    waiting = folded(story.awarded("IFRS"), story.issued(category="IFRS"), story.converted())
    assert status(waiting, 2) == SUPERSEDED


def test_R23_a_notice_says_inactive_when_the_years_are_over_and_emeritus_by_its_name(story, begun):
    over = folded(*begun, story.made_inactive(), story.inactivity_ended(on=LATER))
    assert (status(over, 2), notice(over, 2).reason, notice(over, 2).standing) == (SUSPENDED, "inactive", "lapsed")
    other = Story()
    honoured = folded(other.awarded(), other.issued(), other.emeritus())
    assert (status(honoured, 2), notice(honoured, 2).reason) == (SUSPENDED, "emeritus")


def test_R29_a_void_renewal_takes_its_last_good_day_with_it(story, begun):
    events = [*begun, story.renewed(), story.issued(2, replaces=1, why="renewed", through=date(2031, 12, 31))]
    wrong = story.corrected(events, 3, void=True)
    assert status(folded(*events), 4) == VALID
    assert status(folded(*events, wrong), 4) == SUSPENDED
    assert notice(folded(*events, wrong), 4).reason == "corrected"


def test_fsck_judges_by_the_same_events():
    assert set(TOPICS) == fsck_lists._TOPICS
