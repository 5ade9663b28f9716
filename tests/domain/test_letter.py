"""A letter of registration: an application is open, and nothing more is said."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from given import DAY, fact, given, then

from domain.application import LETTER_DAYS, Application
from domain.errors import OutOfTurn
from domain.policy import Practice

BY = "holder:p1"
STARTED = fact(Application.Started, person="p1", association="VA", category="IFS")
REGISTERED = fact(Application.Registered, member=True)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def application(*facts):
    return given(Application("a1"), *facts)


def issue(case, on=DAY):
    case.issue_letter(
        "07" * 16, ZoneInfo("America/New_York"), valid_from=NOON, person="person/p1", person_version=2,
        kid="740fd0d29f891387", on=on, by=BY,
    )  # fmt: skip


def test_a_letter_is_good_for_ninety_days_to_the_end_of_the_last_at_its_association():
    case = application(STARTED, REGISTERED)

    issue(case, on=date(2026, 6, 1))

    (letter,) = then(case)
    assert (letter.through, LETTER_DAYS) == (date(2026, 8, 30), 90)
    assert letter.expires_at == datetime(2026, 8, 31, 3, 59, 59, tzinfo=UTC)
    assert (letter.category, letter.association, letter.person_version) == ("IFS", "VA", 2)


def test_before_the_registration_is_accepted_and_after_the_end_there_is_no_letter():
    withdrawn = fact(Application.Withdrawn, person="p1")
    for facts in ((STARTED,), (STARTED, REGISTERED, withdrawn)):
        case = application(*facts)
        with pytest.raises(OutOfTurn):
            issue(case)
        assert "issue_letter" not in case.can()
    assert "issue_letter" in application(STARTED, REGISTERED).can()


def test_a_letter_keeps_no_application_alive():
    case = application(STARTED, REGISTERED)
    before = case.expires_on(Practice().open_application_months)

    issue(case, on=date(2027, 3, 1))

    assert case.expires_on(Practice().open_application_months) == before


def test_signed_anew_it_moves_no_day_of_the_application():
    case = application(STARTED, REGISTERED)
    issue(case)
    days = case.last_on, case.active_on

    case.sign_letter("07" * 16, "02c5d9a4e1f7b386", on=date(2026, 6, 9), by="operator")

    signed = fact(Application.LetterSigned, on=date(2026, 6, 9), by="operator", cti="07" * 16, kid="02c5d9a4e1f7b386")
    assert then(case)[-1] == signed
    assert (case.last_on, case.active_on) == days
