"""The commands: what an operator types, and what is on the screen, on disk and in the exit status."""

import base64
import csv
import io
import json
from datetime import UTC, datetime

import pytest
import typer
from rosters import DATA, file, row
from typer.testing import CliRunner

from domain.endorsement import Endorsement
from domain.errors import Invalid
from registry import database
from registry.certificates.keys import KeyFolder, announce
from registry.cli import people, roster, standing
from registry.roster import UnreadableFile

app = typer.Typer(pretty_exceptions_enable=False)
for group in (roster, people, standing):
    group.join(app)


@pytest.fixture
def type_in(settings, monkeypatch):
    """Runs a command against this test's own database."""
    monkeypatch.setenv("REGISTRY_HOME", str(settings.home))
    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGISTRY_MASTER_KEY", base64.b64encode(settings.master_key).decode())
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


@pytest.fixture
def csv_file(tmp_path):
    def csv_file(*rows, name="roster.csv"):
        path = tmp_path / name
        path.write_bytes(file(*rows))
        return path

    return csv_file


@pytest.fixture
def keys(store, settings):
    folder = KeyFolder(settings.keys, settings.master_key)
    folder.init(settings.public_host, datetime(2026, 1, 1, tzinfo=UTC), specimen=True)
    announce(store, folder, on=datetime.now(UTC).date(), by="operator")


# --- import --------------------------------------------------------------------------------------------------------


def test_a_dry_run_in_json_is_the_agreed_report_and_needs_nothing(type_in, monkeypatch, tmp_path):
    monkeypatch.delenv("REGISTRY_DATABASE_URL")
    monkeypatch.delenv("REGISTRY_MASTER_KEY")
    monkeypatch.setenv("REGISTRY_HOME", str(tmp_path / "nowhere"))

    done = type_in("import", DATA / "roster.csv", "--dry-run", "--json", "--today", "2026-11-22")

    assert done.exit_code == 0
    assert json.loads(done.stdout) == json.loads((DATA / "roster.expected.json").read_text())
    assert type_in("import", DATA / "roster.csv", "--dry-run").exit_code == 0
    assert not (tmp_path / "nowhere").exists()


def test_the_report_says_where_what_and_what_to_do(type_in, csv_file):
    path = csv_file(row(), row(record_id="V-2", category="[bold]X\u202e"), row(record_id="V-3", email="at home"))

    done = type_in("import", path)

    assert done.exit_code == 0
    for words in ("3 rows", "unknown_category", "3: Category “[bold]X<U+202E>”", "bad_email", "2 new", "old level"):
        assert words in done.stdout


def test_the_next_run_says_what_it_would_be_and_then_what_it_was(type_in, csv_file):
    type_in("import", csv_file(row()))
    later = csv_file(row(status="Lapsed"), row(record_id="V-2", category="IMHS"))

    assert "It would be: 1 new, 1 changed, 0 unchanged." in type_in("import", later, "--dry-run").stdout
    assert json.loads(type_in("import", later, "--json").stdout)["recorded"] == {
        "new": 1, "unchanged": 0, "changed": 1, "contradicted": 0, "erased": 0, "tasks": 0, "earlier": 0,
    }  # fmt: skip


def test_the_report_says_which_people_can_not_be_known_again(type_in, csv_file):
    path = csv_file(row(), row(record_id="", last_name="Roe"), row(record_id="", email="", last_name="Poe"))

    said = type_in("import", path, "--dry-run").stdout

    assert "1 rows have neither a record id nor an address" in said
    assert "2 rows have no record id: somebody among them whose data was erased here" in said


def test_errors_are_written_as_a_table_that_no_spreadsheet_runs(type_in, csv_file, tmp_path):
    path = csv_file(row(), row(record_id="V-2", first_name="=HYPERLINK(1)"), row(record_id="V-3", email="a@@b"))

    type_in("import", path, "--dry-run", "--errors", tmp_path / "errors.csv")

    (first, second) = csv.DictReader(
        io.StringIO((tmp_path / "errors.csv").read_bytes().decode("utf-8-sig"), newline="")
    )
    assert (first["Row"], first["Refused"], first["Kind"], first["Value"]) == ("3", "yes", "bad_name", "'=HYPERLINK(1)")
    assert (second["Row"], second["Refused"], second["Kind"]) == ("4", "no", "bad_email")


def test_one_association_alone(type_in, csv_file):
    path = csv_file(row(), row(record_id="C-1", association="CT", email="c@example.org"))

    report = json.loads(type_in("import", path, "--association", "ct", "--json").stdout)

    assert (report["rows"], report["recorded"]["new"]) == (1, 1)


def test_what_is_no_roster_is_refused_before_anything_is_done(type_in, tmp_path, store):
    (tmp_path / "photo.csv").write_bytes(b"\x89PNG")

    done = type_in("import", tmp_path / "photo.csv")

    assert isinstance(done.exception, UnreadableFile)
    assert store.position() == 0


@pytest.mark.parametrize("words", [("--association", "ZZ"), ("--today", "soon"), ("--errors", "/")])
def test_a_bad_option_is_exit_2(type_in, csv_file, words):
    assert type_in("import", csv_file(row()), *words).exit_code == 2
    assert type_in("import", "nowhere.csv").exit_code == 2


def test_a_database_of_ones_own_is_not_migrated_on_the_way(type_in, csv_file, monkeypatch, new_database):
    monkeypatch.setenv("REGISTRY_DATABASE_URL", new_database(empty=True))

    done = type_in("import", csv_file(row()))

    assert isinstance(done.exception, database.NotMigrated)
    assert type_in("import", csv_file(row()), "--dry-run").exit_code == 0


# --- export --------------------------------------------------------------------------------------------------------


def test_export_to_a_file_or_to_stdout(type_in, csv_file, tmp_path):
    type_in("import", csv_file(row()))

    to_file = type_in("export", "--association", "VA", "--out", tmp_path / "va.csv")
    to_stdout = type_in("export", "--association", "va")

    assert (tmp_path / "va.csv").read_bytes() == to_stdout.stdout_bytes == file(row())
    assert to_file.stderr == "1 rows.\n"
    assert type_in("export", "--association", "ZZ").exit_code == 2


# --- certificates --------------------------------------------------------------------------------------------------


def test_every_active_endorsement_gets_its_files_named_by_number(type_in, csv_file, keys, tmp_path):
    type_in("import", csv_file(row(), row(record_id="V-2", category="IMHS"), row(record_id="V-3", status="Lapsed",
            email="x@example.org")))  # fmt: skip
    folder = tmp_path / "certificates"

    done = type_in("certificates", "issue", "--association", "VA", "--out", folder)

    assert (done.exit_code, done.stderr) == (0, "")
    assert "2 certificates issued; 2 written" in done.stdout
    index = list(csv.DictReader(io.StringIO((folder / "index.csv").read_bytes().decode("utf-8-sig"), newline="")))
    assert [(told["Name"], told["Email"], told["Category"]) for told in index] == [
        ("Rosa Marchetti", "rosa@example.org", category) for category in ("IFS", "IMHS")
    ]
    columns = ("PDF", "Badge JSON", "Badge JWT", "Badge PNG", "Badge SVG", "QR PNG", "QR SVG", "QR Text", "Proof")
    names = {told[column] for told in index for column in columns}
    assert {path.name for path in folder.iterdir()} == names | {"index.csv"}
    assert all(name.startswith(("IFS-", "IMHS-")) for name in names)
    assert (folder / index[0]["PDF"]).read_bytes().startswith(b"%PDF-")
    assert (folder / index[0]["QR Text"]).read_text().startswith("https://registry.example/v1#")


def test_a_second_run_makes_only_what_is_missing_or_changed(type_in, csv_file, keys, tmp_path):
    folder = tmp_path / "certificates"
    issue = ("certificates", "issue", "--association", "VA", "--out", folder)
    rows = [row(), row(record_id="V-2", category="IMHS")]
    type_in("import", csv_file(*rows))
    type_in(*issue)
    times = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}

    assert "0 certificates issued; 0 written, 2 there already" in type_in(*issue).stdout
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == times

    next(folder.glob("IMHS-*.png")).unlink()
    assert "0 certificates issued; 1 written, 1 there already" in type_in(*issue).stdout

    type_in("import", csv_file(row(valid_through="2029-12-31"), rows[1]))
    assert "1 certificates issued; 1 written, 1 there already" in type_in(*issue).stdout


def test_without_keys_nothing_is_issued(type_in, csv_file, store, tmp_path):
    type_in("import", csv_file(row()))
    position = store.position()

    done = type_in("certificates", "issue", "--association", "VA", "--out", tmp_path / "certificates")

    assert done.exit_code != 0
    assert store.position() == position


# --- the past ------------------------------------------------------------------------------------------------------


def test_a_roster_and_a_standing_are_said_of_any_day_as_known_at_any_position(type_in, csv_file, store):
    type_in("import", csv_file(row()))
    before = store.position()
    (number,) = [line["number"] for line in numbers(store)]
    held = store.get(Endorsement, number)
    held.record(Endorsement.Suspended, reason="fraud_being_established", on=held.awarded_on, by="operator")
    store.save(held)

    def told(*words):
        done = type_in("standing", number, "--json", *words)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    on = held.awarded_on.isoformat()
    assert told("--on", on)["standing"] == "suspended"
    assert told("--on", on, "--known", before) | {"position": before} == told("--on", on, "--known", before)
    assert told("--on", on, "--known", before)["standing"] == "active"
    assert ",Active," in type_in("export", "--association", "VA", "--on", on, "--known", before).stdout
    assert ",Active," not in type_in("export", "--association", "VA", "--on", on).stdout
    hour = type_in("rsc-provider", number, "--on", on, "--known", before)
    assert hour.exit_code == 0
    for words in (("--known", before + 9), ("--known", "2001-01-01"), ("--on", "1990-01-01"), ("--on", "soon")):
        refused = type_in("standing", number, *words)
        assert refused.exit_code != 0
        assert isinstance(refused.exception, Invalid), refused.output


def numbers(store):
    return [{"number": event.number} for _, event in store.events_of_kind(Endorsement)]
