"""Out and in again: the same facts give the same bytes in every registry, and no cell is ever run."""

import csv
import io
from datetime import date
from random import Random

import pytest
from rosters import DATA, NOW, TODAY, file, row

from domain.access import OPERATOR, Actor
from domain.endorsement import Endorsement
from domain.errors import Forbidden
from domain.person import Person
from registry.commands import Act, Registry
from registry.exporting import export_roster, write_rows
from registry.importing import import_roster, stream_of_record
from registry.roster import COLUMNS, read_roster
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault

VA = Actor("coordinator", association="VA", id="k1")


@pytest.fixture
def elsewhere(new_database, tmp_path, clock):
    """Another registry, with another master key."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    settings = Settings(home=home, database_url=new_database(), master_key=bytes(range(32, 64)))
    vault = Vault(settings, clock=clock)
    store = Store(settings, vault, clock=clock)
    registry = Registry(store, clock=clock, draw=Random(8).randbytes, kid=lambda: "1" * 16)
    registry.admit_all(Act(OPERATOR))
    yield registry
    store.close()
    vault.close()


def out(registry, association="VA"):
    return export_roster(registry, OPERATOR, association)


def rows(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def into(registry, data):
    roster = read_roster(data, registry.clock(), today=TODAY)
    return roster, import_roster(registry, OPERATOR, roster)


def test_what_one_registry_exports_another_exports_again_byte_for_byte(registry, elsewhere):
    into(registry, (DATA / "roster.csv").read_bytes())
    for association in ("VA", "CT", "IE", "AU"):
        made = out(registry, association).data

        roster, tally = into(elsewhere, made)

        assert (roster.errors, len(roster.rows)) == ([], tally.new)
        assert out(elsewhere, association).data == made


def test_an_export_is_nothing_new_to_the_registry_it_came_from(registry, take):
    take(row(), row(record_id="V-2", category="IMHS", status="Inactive"), row(record_id="", email="", last_name="Roe"))

    _, tally = into(registry, out(registry).data)

    assert (tally.unchanged, tally.new, tally.changed) == (3, 0, 0)


def test_it_is_written_as_the_import_reads_it_by_record_id(take, registry):
    take(
        row(record_id="V-2", email="x@example.org", category="Level III", last_name="Roe"), row(date_earned="5/1/2020")
    )

    data = out(registry).data

    assert data == file(row(), row(record_id="V-2", email="x@example.org", category="IMHS", last_name="Roe"))
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == data.count(b"\n") == 3


def test_what_was_awarded_here_goes_by_its_number_and_so_does_what_moved_in(take, registry, history, elsewhere):
    take(row(association="CT"))
    moved = registry.store.get(Endorsement, stream_of_record(registry.store, "CT", "V-1").partition("/")[2])
    history(
        Endorsement.CustodyTransferred(
            originator_id=moved.stream, originator_version=2, on=TODAY, by=VA.by, from_="CT", to="VA", transfer="t1"
        ),
        Endorsement.Awarded(
            originator_id="endorsement/IMHS-0000000X",
            originator_version=1,
            number="IMHS-0000000X",
            person=moved.person,
            category="IMHS",
            association="VA",
            application="a1",
            edition="2025",
            through=date(2027, 12, 31),
            on=date(2026, 3, 1),
            by=VA.by,
        ),
    )
    made = out(registry).data

    assert [told["Record ID"] for told in rows(made)] == sorted([moved.number, "IMHS-0000000X"])
    into(elsewhere, made)
    assert out(elsewhere).data == made
    assert out(registry, "CT").rows == 0


def test_no_cell_is_a_formula_and_it_reads_back_as_it_was(take, registry, elsewhere):
    take(
        row(record_id="=1+1", credentials="+A, LPC", first_name="-Rosa"), row(record_id="@x", email="", credentials="-")
    )
    made = out(registry).data

    told = rows(made)
    assert [told[0][column] for column in ("Record ID", "Credentials", "First Name")] == ["'=1+1", "'+A, LPC", "'-Rosa"]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for line in told for cell in line.values())
    into(elsewhere, made)
    assert out(elsewhere).data == made
    assert stream_of_record(elsewhere.store, "VA", "=1+1")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_every_sign_that_a_spreadsheet_runs_is_guarded(sign):
    (line,) = csv.reader(io.StringIO(write_rows([[f"{sign}1"]]).decode("utf-8-sig"), newline=""))

    assert line == [f"'{sign}1"]


def test_names_of_the_world_come_back_as_they_are(take, registry, elsewhere):
    names = ["O'Brien", "Ó Briain", "Nguyễn", "Ní Dhuinn", "D’Angelo", "X", "a" * 115, "محمد", "de la Cruz"]
    take(*(row(record_id=f"V-{n}", email=f"{n}@example.org", last_name=name) for n, name in enumerate(names)))
    made = out(registry).data

    assert [told["Last Name"] for told in rows(made)] == names
    into(elsewhere, made)
    assert out(elsewhere).data == made


def test_what_a_roster_can_not_say_is_left_out_and_counted(take, registry, history):
    take(
        row(),
        row(record_id="V-2", email="x@example.org", last_name="Roe"),
        row(record_id="V-3", email="y@example.org", last_name="Poe"),
        row(record_id="V-4", email="z@example.org", last_name="Moe"),
    )

    def held(record):
        return registry.store.get(Endorsement, stream_of_record(registry.store, "VA", record).partition("/")[2])

    history(
        Endorsement.Suspended(
            originator_id=held("V-2").stream, originator_version=2, on=TODAY, by=VA.by, reason="fraud_being_established"
        ),
        Person.Erased(originator_id=f"person/{held('V-3').person}", originator_version=2, on=TODAY, by="operator"),
        Endorsement.AddOnGranted(
            originator_id=held("V-4").stream, originator_version=2, on=TODAY, by=VA.by, add_on="ERS"
        ),
    )
    registry.store.vault.erase(held("V-3").person)

    made = out(registry)

    assert [told["Record ID"] for told in rows(made.data)] == ["V-1", "V-4"]
    assert (made.rows, made.left_out, made.add_ons) == (2, {"suspended": 1, "erased": 1}, 1)


def test_an_association_with_nobody_exports_the_header(registry):
    assert out(registry, "HI").data == write_rows([COLUMNS])


def test_a_coordinator_exports_their_own(take, registry):
    take(row())

    assert export_roster(registry, VA, "VA").rows == 1
    with pytest.raises(Forbidden):
        export_roster(registry, VA, "CT")
    assert NOW.date() == TODAY
