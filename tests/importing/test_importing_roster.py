"""Reading and judging a roster: the report, the order of reasons, and what no file can do to us."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosters import DATA, GOOD, NOW, TODAY, file, read, row

from domain.category import CATEGORIES
from registry.roster import (
    COLUMNS,
    ERROR_KINDS,
    LONGEST_CELL,
    UnreadableFile,
    read_category,
    read_day,
    read_roster,
    usable_address,
)


def test_the_real_roster_gives_the_report_that_was_agreed():
    roster = read_roster((DATA / "roster.csv").read_bytes(), NOW, today=TODAY)

    assert roster.report() == json.loads((DATA / "roster.expected.json").read_text())


# Each cell that is wrong, in the order in which a row is judged.
WRONG = {
    "unknown_association": {"association": "ZZ"},
    "unknown_category": {"category": "IMHX"},
    "bad_date": {"valid_through": "soon"},
    "awarded_in_future": {"date_earned": "2027-01-01"},
    "before_endorsement_existed": {"date_earned": "2001-12-31"},
    "through_before_award": {"valid_through": "2020-04-30"},
    "bad_name": {"first_name": "=HYPERLINK(1)"},
    "unknown_status": {"status": "Valid"},
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_refused_row_has_one_error_with_row_column_value_and_what_to_do(kind):
    roster = read(row(record_id="V-0"), row(**WRONG[kind]))

    (error,) = roster.errors
    assert (error.kind, error.row) == (kind, 3)
    assert error.value == row(**WRONG[kind])[error.column]
    assert error.advice.endswith(".")
    assert len(roster.rows) == 1


@pytest.mark.parametrize("first", range(len(WRONG)))
def test_of_several_reasons_the_first_in_order_is_given(first):
    kinds = list(WRONG)[first:]
    cells = {}
    for kind in reversed(kinds):
        cells |= WRONG[kind]

    (error,) = read(row(**cells)).errors

    assert error.kind == kinds[0]


def test_the_same_record_with_other_content_is_the_last_reason_and_the_first_row_stays():
    roster = read(row(), row(last_name="Silva"), row(last_name="Silva", status="Valid"))

    assert [error.kind for error in roster.errors] == ["conflicting_record", "unknown_status"]
    assert [kept.name for kept in roster.rows] == ["Rosa Marchetti"]


def test_a_refused_row_does_not_hold_its_record_id():
    assert [kept.number for kept in read(row(status="?"), row()).rows] == [3]


def test_every_kind_has_its_place_in_the_order():
    assert [kind for kind in ERROR_KINDS if kind in WRONG] == list(WRONG)
    assert set(ERROR_KINDS) - set(WRONG) == {"other_association", "conflicting_record"}


def test_the_same_row_twice_is_a_duplicate_before_anything_else():
    roster = read(row(status="?"), row(status=" ? "), row(), row(email=" rosa@example.org "))

    assert (roster.duplicates, len(roster.errors), len(roster.rows)) == (2, 1, 1)


def test_same_name_and_address_is_one_person_whatever_the_case():
    roster = read(row(), row(record_id="V-2", category="IMHS", last_name="MARCHETTI", email="Rosa@Example.org"))

    assert roster.report()["people"] == 1


def test_a_person_has_one_residence_and_the_first_credentials_given():
    roster = read(row(credentials=""), row(record_id="V-2", credentials="PhD", residence="CT", category="IMHS"))

    assert [(kept.credentials, kept.residence) for kept in roster.rows] == [("PhD", "VA")] * 2


@pytest.mark.parametrize("email", ["", "not-an-address", "a@@b"])
def test_someone_without_a_usable_address_is_a_person_of_their_own(email):
    roster = read(row(email=email), row(email=email, record_id="V-2"))

    assert roster.report()["people"] == 2
    assert [kept.email for kept in roster.rows] == ["", ""]
    assert [warning.kind for warning in roster.warnings] == (["bad_email"] * 2 if email else [])


def test_another_name_at_an_address_is_another_person_and_a_question():
    roster = read(row(), row(record_id="V-2", first_name="Ana"))

    assert [warning.kind for warning in roster.warnings] == ["possible_same_person"]
    assert roster.report()["people"] == 2
    assert roster.rows[1].like == "Rosa Marchetti"


def test_without_a_day_given_the_award_is_judged_on_the_day_at_the_association():
    perth_is_a_day_ahead = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    rows = [row(date_earned="2026-11-22"), row(date_earned="2026-11-22", association="AU", record_id="A-1")]

    roster = read_roster(file(*rows), perth_is_a_day_ahead)

    assert [kept.association for kept in roster.rows] == ["AU"]
    assert roster.errors[0].kind == "awarded_in_future"


def test_a_coordinator_is_told_that_other_rows_are_not_theirs_and_may_ask_for_theirs_alone():
    rows = [row(), row(record_id="C-1", association="CT")]

    assert [error.kind for error in read(*rows, own="VA").errors] == ["other_association"]
    assert read(*rows, only="VA").report()["rows"] == 1


# --- cells ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CATEGORIES)
def test_a_category_is_known_by_code_title_and_both_in_any_case(code):
    title = CATEGORIES[code].title

    for text in (code, code.lower(), title, title.upper(), f"{title} ({code})", f"{title} {code.lower()}"):
        assert read_category(text) == code, text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Level I", "IFA"),
        ("Level II", "IFS"),
        ("IMH-E(R) II", "IFS"),
        ("IMH-E® Level I", "IFA"),
        ("level iii", "IMHS"),
        ("III", "IMHS"),
        ("Level IV-C", "IMHM-C"),
        ("Level IV - Clinical", "IMHM-C"),
        ("IV-P", "IMHM-P"),
        ("Level IV-R/F", "IMHM-RF"),
        ("IV-RF", "IMHM-RF"),
        ("ECMH-E(R) II", "ECFS"),
        ("ECMH-E® Level IV-C", "ECMHM-C"),
        ("IMHM-RF", "IMHM-RF"),
        ("IMHM-R/F", "IMHM-RF"),
        ("imhm-r/f", "IMHM-RF"),
        ("IMHM-Clinical", "IMHM-C"),
        ("IMHM-Policy", "IMHM-P"),
        ("Infant Mental Health Mentor - Clinical", "IMHM-C"),
        ("Infant Mental Health Mentor – Research/Faculty (IMHM-R/F)", "IMHM-RF"),
        ("Early Childhood Mental Health Mentor (Policy)", "ECMHM-P"),
        ("Infant Family Worker", "IFA"),
        ("Infant Family Practitioner (IFP)", "IFS"),
        ("Infant Family Practitioner (IFS)", "IFS"),
        ("Infant Mental Health Practitioner", "IMHS"),
        ("Infant Mental Health Mentor, Research/Academic", "IMHM-RF"),
        ("Infant Family Reflective Supervisor", "IFRS"),
        ("ecfrs", "ECFRS"),
    ],
)
def test_old_levels_and_other_titles(text, code):
    assert read_category(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "", "IMHX", "Level V", "Level IV", "IV", "Specialist", "Infant Family Specialist (IMHS)", "IECMH-E(R) II",
        "IFS+ERS", "IFS IMHS", "Infant", "Level", "ECMH-E", "IMH-E(R)", "II III",
    ],
)  # fmt: skip
def test_what_could_be_two_categories_or_none_is_refused(text):
    assert read_category(text) is None


@pytest.mark.parametrize(
    ("text", "custom", "day"),
    [
        ("2024-02-29", "month_first", date(2024, 2, 29)),
        ("3/7/2020", "month_first", date(2020, 3, 7)),
        ("3/7/2020", "day_first", date(2020, 7, 3)),
        ("31/12/2027", "day_first", date(2027, 12, 31)),
        ("12/31/2027", "day_first", None),
        ("31/12/2027", "month_first", None),
        ("2023-02-29", "month_first", None),
        ("0000-01-01", "month_first", None),
        ("44927", "month_first", None),
        ("1/2/20", "month_first", None),
        ("2020-1-2", "month_first", None),
        ("٢٠٢٠-٠١-٠٢", "month_first", None),
        ("", "month_first", None),
    ],
)
def test_a_day_is_iso_or_in_the_custom_of_the_association(text, custom, day):
    assert read_day(text, custom) == day


def test_ireland_and_australia_write_the_day_first():
    roster = read(row(association="IE", date_earned="22/05/2019"), row(association="US"))

    assert roster.rows[0].awarded_on == date(2019, 5, 22)


@pytest.mark.parametrize("name", [
    "O'Brien", "Ó Briain", "Nguyễn", "Ní Dhuinn", "D’Angelo", "X", "李", "محمد", "Σοφία", "Kealiʻi", "Ng",
    "a" * 115, "Jr.", "Nguye\u0302\u0303n", "Saint-Exupéry", "van der Berg", "de la Cruz y Ortega",
])  # fmt: skip
def test_names_of_the_world_are_names(name):
    roster = read(row(last_name=name))

    assert not roster.errors
    assert roster.rows[0].name.startswith("Rosa ")


@pytest.mark.parametrize(
    "name", ["", "=1+1", "a(b)", "a\x07b", "a\u202eb", "a\u2066b", "a\u200fb", "\ue000", "\U000e0fff"]
)
def test_characters_that_no_name_has_are_refused_with_their_column(name):
    (error,) = read(row(first_name=name, last_name="" if not name else "Silva")).errors

    assert (error.kind, error.column) == ("bad_name", "First Name")


def test_one_name_is_enough():
    assert [kept.name for kept in read(row(first_name="", last_name="Sukarno")).rows] == ["Sukarno"]


@pytest.mark.parametrize("address", ["rosa@example.org", "r.o'sa+x@mail.example.co", "ñ@exämple.org"])
def test_an_address_that_mail_can_reach(address):
    assert usable_address(address)


@pytest.mark.parametrize(
    "address",
    ["", "a@@b", "not-an-address", "a b@example.org", "=a@example.org", "a@b", "a@.org", "a@b.org,c@d.org",
     "a@exa\u202emple.org", "a" * 250 + "@example.org"],
)  # fmt: skip
def test_an_address_that_it_can_not(address):
    assert not usable_address(address)


def test_a_residence_that_may_be_an_address_is_not_kept():
    assert [kept.residence for kept in read(row(residence="12 Elm Street")).rows] == ["VA"]
    assert [kept.residence for kept in read(row(residence="Rosa Street")).rows] == ["VA"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ct", "CT"),
        ("New Jersey", "NJ"),
        ("  new   JERSEY ", "NJ"),
        ("Hawai‘i", "HI"),
        ("US-CT", "CT"),
        ("us-ct", "CT"),
        ("Ireland", "IE"),
        ("ga", "GA"),
        ("GBR", "GBR"),
        ("CA-ON", "CA-ON"),
        ("IN-DL", "IN-DL"),
        ("", "VA"),
        ("Georgia", "VA"),
        ("places without an association", "VA"),
        ("US-CONN", "VA"),
    ],
)
def test_a_residence_is_a_code_or_the_name_of_one_or_else_the_association_of_the_row(text, code):
    assert [kept.residence for kept in read(row(residence=text)).rows] == [code]


def test_a_last_day_in_another_age_is_no_day():
    (error,) = read(row(valid_through="9999-12-31")).errors

    assert (error.kind, error.column) == ("bad_date", "Valid Through")


# --- the file ------------------------------------------------------------------------------------------------------


def test_columns_in_another_order_and_with_blanks_are_the_same_columns():
    turned = dict(reversed(row().items()))

    assert read_roster(file(turned, columns=tuple(turned)), NOW).rows == read(row()).rows
    assert read_roster(file(row()).replace(b"Email", b"  Email "), NOW).rows == read(row()).rows


def test_the_last_line_needs_no_end_and_empty_lines_count_as_rows_of_the_sheet():
    data = file(row()).rstrip(b"\r\n") + b"\r\n\r\n" + file(row(record_id="V-2")).split(b"\r\n")[1]

    assert [kept.number for kept in read_roster(data, NOW).rows] == [2, 4]


LINE = ",".join(GOOD.values())
HEAD = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b" \r\n\r\n", "empty"),
        (HEAD.replace("Email,", "").encode(), "missing: Email"),
        (f"{HEAD},Phone".encode(), "unknown: Phone"),
        (f"{HEAD},Email".encode(), "twice: Email"),
        (HEAD.replace("Email", "email").encode(), "missing: Email; unknown: email"),
        (b"Record ID;Association", "missing"),
        (b"," * 1_000_000, "unknown: (empty)"),
        (f"{HEAD}\r\n{LINE},more".encode(), "Row 2 has 12 columns"),
        (f"{HEAD}\r\n{LINE}\r\nVA,1".encode(), "Row 3 has 2 columns"),
        (f"{HEAD}\r\n{LINE}".encode("utf-16"), "UTF-16"),
        (f"{HEAD}\r\n{LINE}Zoë".encode("latin-1"), "Line 2 is not in UTF-8"),
        (f"{HEAD}\r\n{LINE}\0".encode(), "NUL"),
        (f'{HEAD}\r\n"{LINE}'.encode(), "no longer a CSV file"),
        (f'{HEAD}\r\n"V-1"x,{LINE}'.encode(), "no longer a CSV file"),
        (f"{HEAD}\r\n{'9' * (LONGEST_CELL + 1)}{LINE}".encode(), "cell of"),
        (f"{HEAD}\r\n{'9' * 200_000}{LINE}".encode(), "no longer a CSV file"),
        (b"PK\x03\x04 a spreadsheet \x80\x81", "not in UTF-8"),
    ],
)
def test_a_file_that_is_no_roster_is_refused_as_a_whole_in_plain_words(data, words):
    with pytest.raises(UnreadableFile) as refused:
        read_roster(data, NOW)

    assert words in refused.value.message
    assert len(refused.value.message) < 500


@given(st.binary(max_size=300))
def test_any_bytes_give_a_report_or_one_plain_error(data):
    for file_ in (data, HEAD.encode() + b"\r\n" + data):
        try:
            roster = read_roster(file_, NOW)
        except UnreadableFile:
            continue
        adds_up(roster)


cell = st.one_of(
    st.text(max_size=40),
    st.sampled_from(sorted({*GOOD.values(), *(cell for cells in WRONG.values() for cell in cells.values())})),
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # drawing waits for a processor that others use
@given(st.lists(st.fixed_dictionaries({column: st.one_of(st.just(GOOD[column]), cell) for column in COLUMNS})))
def test_any_cells_give_a_report_that_adds_up(rows):
    try:
        adds_up(read_roster(file(*rows), NOW, today=TODAY))
    except UnreadableFile:
        assert any(sign in "".join(row.values()) for row in rows for sign in "\0\ud800")


def adds_up(roster):
    report = roster.report()
    assert report["rows"] == report["endorsements"] + report["duplicates"] + report["errors"]
    assert sum(report["kinds"].values()) == report["errors"] + report["warnings"]
    assert report["people"] <= report["endorsements"]
    assert len({error.row for error in roster.errors}) == len(roster.errors)
    for kept in roster.rows:
        assert kept.category in CATEGORIES
        assert kept.awarded_on <= kept.through
