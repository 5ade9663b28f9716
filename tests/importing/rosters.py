"""Small rosters for tests: one good row, and what is changed in it."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path

from registry.roster import COLUMNS, Roster, read_roster

DATA = Path(__file__).parent / "data"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)

GOOD = {
    "Record ID": "V-1",
    "Association": "VA",
    "First Name": "Rosa",
    "Last Name": "Marchetti",
    "Credentials": "LMSW",
    "Email": "rosa@example.org",
    "Category": "IFS",
    "Date Earned": "2020-05-01",
    "Valid Through": "2027-12-31",
    "Status": "Active",
    "Residence": "VA",
}


def row(**cells: str) -> dict[str, str]:
    """The good row with other cells: `row(last_name="Silva")`."""
    named = {column.casefold().replace(" ", "_"): column for column in COLUMNS}
    return GOOD | {named[name]: cell for name, cell in cells.items()}


def file(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def read(*rows: dict[str, str], **options) -> Roster:
    return read_roster(file(*rows), NOW, **({"today": TODAY} | options))
