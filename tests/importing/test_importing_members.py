"""A list of members: every row recorded once, of people who are known, or said to be wrong with what to do."""

import base64
import json

import pytest
import typer
from rosters import row
from typer.testing import CliRunner

from domain.access import OPERATOR, Actor
from domain.errors import Forbidden
from domain.person import Person
from registry.cli import roster
from registry.members import import_members, read_members
from registry.roster import UnreadableFile

HEAD = "Record ID,First Name,Last Name,Email,Member From,Member Through"
ROSA = "M-1,Rosa,Marchetti,rosa@example.org,2026-01-01,2026-12-31"
VA = Actor("coordinator", association="VA", id="k1")
app = typer.Typer(pretty_exceptions_enable=False)
roster.join(app)


def listed(*rows, head=HEAD):
    return "\n".join([head, *rows, ""]).encode()


@pytest.fixture
def members(registry):
    def take(*rows, association="VA", actor=OPERATOR, **options):
        return import_members(registry, actor, read_members(listed(*rows), association), **options)

    return take


@pytest.fixture
def rosa(registry, take):
    """Registered by a roster."""
    take(row())
    match = registry.match("Rosa Marchetti", "rosa@example.org")
    name = registry.store.holder(f"identity/{match}").partition("/")[2]
    return lambda: registry.store.get(Person, name)


def numbers(tally):
    return {k: v for k, v in (("new", tally.new), ("unchanged", tally.unchanged), *tally.rows.items()) if v}


def test_a_row_of_somebody_known_is_recorded_once(registry, members, rosa):
    assert numbers(members(ROSA)) == {"new": 1}
    position = registry.store.position()
    # The same file, another file with the same row, and the year as the association writes it.
    for again in ([ROSA], [ROSA, ROSA], [ROSA.replace("2026-01-01,2026-12-31", "01/01/2026,12/31/2026")]):
        assert numbers(members(*again)) == {"unchanged": 1}
    assert registry.store.position() == position
    assert [(m.association, m.from_.year, m.through.month) for m in rosa().memberships] == [("VA", 2026, 12)]


def test_the_next_year_is_another_membership_of_the_same_record_under_another_name_even(members, rosa):
    members(ROSA)
    assert numbers(members("M-1,Rosa,Silva,,2027-01-01,2027-12-31")) == {"new": 1}
    assert len(rosa().memberships) == 2


def test_nobody_unknown_is_registered_and_a_record_is_one_person(registry, members, rosa, take):
    take(row(record_id="V-2", first_name="Ben", last_name="Ode", email="ben@example.org"))
    members(ROSA)
    position = registry.store.position()
    found = members(
        "M-2,Nadie,Known,nadie@example.org,2026-01-01,2026-12-31",
        "M-1,Ben,Ode,ben@example.org,2026-01-01,2026-12-31",
    )
    assert numbers(found) == {"unknown": [2], "other_person": [3]}
    assert registry.store.position() == position


def test_what_is_wrong_with_a_row_is_said_once_with_what_to_do():
    found = read_members(
        listed(
            ROSA,
            "M-2,Rosa,M,r@example.org,2026-02-30,2026-12-31",
            "M-3,Rosa,M,r@example.org,2026-12-31,2026-01-01",
            "M-4,,,r@example.org,2026-01-01,2026-12-31",
            "M-5,Rosa,M,at home,2026-01-01,2026-12-31",
            ",Rosa,M,,2026-01-01,2026-12-31",
            "M-1,Ben,Ode,,2026-01-01,2026-12-31",
            "M-6,Rosa,M,,2026-01-01,2099-12-31",
        ),
        "VA",
    )
    assert [(f.row, f.kind) for f in found.errors] == [
        (3, "bad_date"), (4, "through_before_from"), (5, "bad_name"), (6, "bad_email"), (7, "nothing_to_match"),
        (8, "conflicting_record"), (9, "bad_date"),
    ]  # fmt: skip
    assert all(finding.advice.endswith(".") for finding in found.errors)
    assert (found.count, len(found.rows)) == (8, 1)


@pytest.mark.parametrize(
    "head",
    ["member_id,FIRST NAME,Surname,E-mail,From,Member until", "ID,first-name,lastname,email,Member Since,through"],
)
def test_columns_go_by_any_usual_heading_and_in_any_order(head):
    assert read_members(listed(ROSA, head=head), "VA").rows[0].record == "M-1"
    turned = ",".join(reversed(HEAD.split(",")))
    assert read_members(listed(",".join(reversed(ROSA.split(","))), head=turned), "VA").rows[0].record == "M-1"


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (b"", "empty"),
        (listed(ROSA).decode().encode("utf-16"), "UTF-8"),
        (listed(ROSA.replace("Rosa", "Rosá")).decode().encode("latin-1"), "UTF-8"),
        (listed(ROSA, head="Record ID,First Name"), "missing"),
        (listed("M-1,Rosa"), "Row 2 has 2 columns"),
        (listed('M-1,"Rosa'), "no longer a CSV"),
    ],
)
def test_a_file_that_can_t_be_read_says_why(data, advice):
    with pytest.raises(UnreadableFile, match=advice):
        read_members(data, "VA")


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_read():
    data = b"\xef\xbb\xbf" + listed(ROSA.replace("Rosa", "Rosá")).replace(b"\n", b"\r\n")
    assert read_members(data, "VA").rows[0].name == "Rosá Marchetti"


def test_a_dry_run_says_the_same_and_records_nothing(registry, members, rosa):
    position = registry.store.position()
    assert numbers(members(ROSA, dry_run=True)) == {"new": 1}
    assert registry.store.position() == position
    assert rosa().memberships == []


def test_killed_half_way_it_goes_on_where_it_was(members, rosa):
    rows = [ROSA, "M-1,Rosa,Marchetti,rosa@example.org,2027-01-01,2027-12-31"]

    def killed(done):
        raise KeyboardInterrupt if done == 1 else AssertionError

    with pytest.raises(KeyboardInterrupt):
        members(*rows, progress=killed)
    assert len(rosa().memberships) == 1
    assert numbers(members(*rows)) == {"new": 1, "unchanged": 1}


def test_only_the_association_itself_may(registry, members, rosa):
    with pytest.raises(Forbidden):
        members(ROSA, association="CT", actor=VA)
    assert numbers(members(ROSA, actor=VA)) == {"new": 1}


def test_whoever_died_or_was_forgotten_is_left_out(registry, members, rosa, clock):
    died = rosa()
    died.report_death(clock.today, on=clock.today, by="operator")
    registry.store.save(died)
    assert numbers(members(ROSA)) == {"erased": [2]}


def test_the_command_counts_and_names_rows(settings, monkeypatch, tmp_path, rosa):
    monkeypatch.setenv("REGISTRY_HOME", str(settings.home))
    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGISTRY_MASTER_KEY", base64.b64encode(settings.master_key).decode())
    path = tmp_path / "members.csv"
    path.write_bytes(listed(ROSA, "M-9,Nadie,Known,nadie@example.org,2026-01-01,2026-12-31"))
    words = ["import", str(path), "--kind", "members", "--association", "VA"]
    run = CliRunner()
    dry = json.loads(run.invoke(app, [*words, "--dry-run", "--json"]).stdout)
    assert (dry["memberships"], dry["would_record"]["new"], dry["would_record"]["rows"]) == (2, 1, {"unknown": [3]})
    said = run.invoke(app, words, env={"COLUMNS": "200"}).stdout
    assert "1 new, 0 unchanged." in said
    assert "register them" in said
    assert run.invoke(app, words[:-2]).exit_code == 2
