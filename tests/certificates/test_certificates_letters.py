"""What the status lists say of letters of registration: nothing, until the application has ended."""

from datetime import UTC, date, datetime

import pytest
from certificate_facts import DAY, NOON, SLOT_KEY, Story, rows

from domain.application import Application
from domain.person import Person
from registry.certificates.slots import slot
from registry.certificates.status import REVOKED, VALID, Statuses
from registry.log.fsck_lists import SPENT, Listed

APPLICATION = "application/mzxw6ytboi2dgnrtgm4tkobzgq"
ENDS = {
    "withdrawn": lambda n: made(Application.Withdrawn, n, person="p1"),
    "declined": lambda n: made(Application.Declined, n, person="p1", reasons=("more_rsc",)),
    "approved": lambda n: made(Application.Approved, n, edition="FS-2023", number="IFS-7K3MQ9TD", person="p1"),
    "expired": lambda n: made(Application.Expired, n, person="p1", since=DAY),
    "erased": lambda n: Person.Erased(originator_id="person/p1", originator_version=n, on=DAY, by="operator"),
}


def made(kind, version, **facts):
    return kind(originator_id=APPLICATION, originator_version=version, on=DAY, by="holder:p1", **facts)


def letter(version=2, cti="07" * 16):
    return made(
        Application.LetterIssued, version, cti=cti, category="IFS", association="VA", valid_from=NOON,
        through=date(2026, 8, 30), expires_at=datetime(2026, 8, 31, 3, 59, 59, tzinfo=UTC), person="person/p1",
        person_version=1, kid="740fd0d29f891387",
    )  # fmt: skip


def told(*events):
    """By the publisher and by fsck: the status of each position, how many letters of each status."""
    statuses, listed = Statuses(SLOT_KEY), Listed()
    found = rows(*events)
    wanted = [row for row in found if row[2].startswith(("application.", "person.", "endorsement.", "certificate."))]
    statuses.advance(wanted, len(found))
    for row in found:
        listed.take(*row)
    places = {at: slot(at - 1, SLOT_KEY) for at in range(1, len(found) + 1)}
    return (
        {at: statuses.of_list(one.list).get(one.place, VALID) for at, one in places.items()},
        dict(+listed.count().get(1, {})),
        statuses,
    )


@pytest.mark.parametrize("end", ENDS)
def test_a_letter_is_good_until_the_application_ends(end):
    before, counted, _ = told(letter())
    assert (before[1], counted) == (VALID, {0: 1})

    after, counted, statuses = told(letter(), ENDS[end](3))

    assert (after[1], counted) == (REVOKED, {1: 1})
    assert statuses.notes(1, NOON) == {}


def test_after_a_granted_appeal_the_old_letter_stays_ended_and_a_new_one_is_good():
    found, counted, _ = told(letter(), ENDS["declined"](3), letter(4, "08" * 16))

    assert (found[1], found[3], counted) == (REVOKED, VALID, {0: 1, 1: 1})


def test_letters_and_certificates_share_a_list_and_do_not_disturb_each_other():
    story = Story()

    found, counted, _ = told(story.awarded(), story.issued(), letter(), story.removed(), ENDS["withdrawn"](3))

    assert (found[2], found[3], counted) == (REVOKED, REVOKED, {1: 2, SPENT + 1: 1})  # a letter has no badge
