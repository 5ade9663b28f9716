"""Yearly memberships of an association: its list read and judged row by row, then recorded."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any, Final, Literal

import msgspec

from domain import access
from domain.access import Actor, Thing
from domain.association import ROWS
from domain.errors import Invalid
from domain.event import Request
from domain.person import Person, member_claim, printable_name
from registry.commands import Registry
from registry.importing import settled
from registry.roster import (
    LAST_YEAR,
    Finding,
    header_reader,
    plain,
    read_day,
    records_of,
    told_of,
    usable_address,
)

RECORD, FIRST, LAST, EMAIL, FROM, THROUGH = COLUMNS = (
    "Record ID", "First Name", "Last Name", "Email", "Member From", "Member Through",
)  # fmt: skip

ErrorKind = Literal[
    "bad_date", "through_before_from", "bad_name", "bad_email", "nothing_to_match", "conflicting_record"
]
Outcome = Literal["new", "unchanged", "unknown", "erased", "other_person"]

LONGEST_YEARS: Final = 5
"""A membership is of a year or a few: a longer one is a slip (ours)."""
_KEY: Final = "members"


class Row(msgspec.Struct, frozen=True):
    """One accepted row. `number` is the row as a spreadsheet shows it: the header is row 1."""

    number: int
    record: str
    name: str
    email: str
    from_: date
    through: date


class Members(msgspec.Struct, frozen=True):
    """A file that was read: its accepted rows in order, and what is wrong with the others."""

    association: str
    digest: str
    count: int
    duplicates: int
    rows: list[Row]
    errors: list[Finding]

    def report(self) -> dict[str, Any]:
        return {
            "association": self.association,
            "rows": self.count,
            "memberships": len(self.rows),
            "duplicates": self.duplicates,
            "errors": len(self.errors),
            "kinds": dict(sorted(Counter(finding.kind for finding in self.errors).items())),
        }


class Tally(msgspec.Struct):
    """What a run recorded. `unknown`: nobody here has this record, name and address; they are not registered (ours).

    `other_person`: the record is somebody else's here. `erased`: about somebody forgotten here.
    """

    new: int = 0
    unchanged: int = 0
    unknown: int = 0
    erased: int = 0
    other_person: int = 0
    rows: dict[str, list[int]] = {}

    def count(self, outcome: str, number: int) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome in ("unknown", "erased", "other_person"):
            self.rows.setdefault(outcome, []).append(number)


# --- the file ------------------------------------------------------------------------------------------------------


def read_members(data: bytes, association: str) -> Members:
    """Judge every row; days as the association writes them. Raises UnreadableFile."""
    count = duplicates = 0
    accepted: list[Row] = []
    errors: list[Finding] = []
    seen: set[tuple[str, ...]] = set()
    owners: dict[str, tuple[str, str]] = {}
    for number, cells in records_of(data, _header):
        count += 1
        content = tuple(cells[column] for column in COLUMNS)
        if content in seen:
            duplicates += 1
            continue
        seen.add(content)
        row = _judged(number, cells, association)
        if isinstance(row, Row) and row.record:
            owner = (row.name.casefold(), row.email.casefold())
            if owners.setdefault(row.record, owner) != owner:
                row = Finding(number, "conflicting_record", RECORD, cells[RECORD], "An earlier row has this record id "
                              "and another name or address. Leave one of them, or give each its own id.")  # fmt: skip
        if isinstance(row, Row):
            accepted.append(row)
        else:
            errors.append(row)
    return Members(association, hashlib.sha256(data).hexdigest(), count, duplicates, accepted, errors)


# As associations' systems head them.
_header: Final = header_reader("members", COLUMNS, {
    "id": RECORD, "member id": RECORD, "firstname": FIRST, "given name": FIRST, "lastname": LAST, "surname": LAST,
    "family name": LAST, "e mail": EMAIL, "email address": EMAIL, "from": FROM, "member since": FROM,
    "through": THROUGH, "valid through": THROUGH, "member until": THROUGH,
})  # fmt: skip


def _judged(number: int, cells: dict[str, str], association: str) -> Row | Finding:
    def wrong(kind: ErrorKind, column: str, advice: str) -> Finding:
        return Finding(number, kind, column, cells[column], advice)

    known = ROWS.get(association)
    custom = known.dates if known else "month_first"
    order = "day/month/year" if custom == "day_first" else "month/day/year"
    days: list[date] = []
    for column in (FROM, THROUGH):
        day = read_day(cells[column], custom)
        if day is None or day.year > LAST_YEAR:
            return wrong("bad_date", column, f"Write a day of the calendar as 2026-12-31, or {order} "
                         "with all four digits of the year.")  # fmt: skip
        days.append(day)
    if days[1] < days[0]:
        return wrong("through_before_from", THROUGH, "The last day lies before the first; correct one of the two.")
    if (days[1] - days[0]).days > LONGEST_YEARS * 366:
        return wrong("bad_date", THROUGH, f"No membership lasts longer than {LONGEST_YEARS} years; correct the day.")
    try:
        name = printable_name(f"{cells[FIRST]} {cells[LAST]}")
    except Invalid as refused:
        return wrong("bad_name", LAST if cells[LAST] else FIRST, refused.message)
    if cells[EMAIL] and not usable_address(cells[EMAIL]):
        return wrong("bad_email", EMAIL, "No mail could be sent there; write the address, or leave it empty.")
    record = plain(cells[RECORD])
    if not record and not cells[EMAIL]:
        return wrong(
            "nothing_to_match", EMAIL, "Give the record id or the address: a name alone may be several people's."
        )
    return Row(number, record, name, cells[EMAIL], days[0], days[1])


# --- into the registry ---------------------------------------------------------------------------------------------


def import_members(
    registry: Registry,
    actor: Actor,
    members: Members,
    progress: Callable[[int], None] = lambda _: None,
    *,
    dry_run: bool = False,
) -> Tally:
    """Record every accepted row of somebody known, one command each; killed and run again it goes on.

    Raises Forbidden, before anything is recorded, unless the actor may record memberships of the association.
    """
    access.check(actor, "import_members", Thing(association=members.association))
    tally = Tally()
    for done, row in enumerate(members.rows, start=1):
        tally.count(_take(registry, actor, members, row, dry_run=dry_run), row.number)
        progress(done)
    return tally


def _take(registry: Registry, actor: Actor, members: Members, row: Row, *, dry_run: bool) -> Outcome:
    store, association = registry.store, members.association
    record = store.vault.fingerprint("member", f"{association}\n{row.record}") if row.record else ""

    def judge() -> tuple[Outcome, list[Person]]:
        holder = store.holder(member_claim(association, record)) if record else None
        match = registry.match(row.name, row.email)
        named = store.holder(f"identity/{match}") if match else None
        if holder is None and named is None:
            return "unknown", []
        names = [registry.identity(found.partition("/")[2])[0] for found in (holder, named) if found]
        person = store.get(Person, names[0])
        if person.state != "known":
            return "erased", []
        if len(set(names)) > 1:
            return "other_person", []
        if any(
            (m.association, m.from_, m.through) == (association, row.from_, row.through) for m in person.memberships
        ):
            return "unchanged", []
        person.record_membership(
            association,
            row.from_,
            row.through,
            # The claim is the record's, and taken once: an identity may be merged or split later.
            record=record if holder in (None, person.stream) else "",
            on=registry.today(association),
            by=actor.by,
        )
        return "new", [person]

    # The same row of the same file is the same request.
    key = f"{_KEY}-{members.digest}-{row.number}"
    return judge()[0] if dry_run else settled(store, judge, Request(key, store.vault.fingerprint(_KEY, key)))[0]


def problems(tally: Tally) -> list[str]:
    """What was not recorded, and what to do, in words."""
    return told_of(
        tally.rows,
        {
            "unknown": "are of nobody known here: register them, or correct name and address",
            "other_person": "have a record id that is another person's here: correct one of the two",
            "erased": "are about people whose data was erased here, or who died: take them out of the file",
        },
    )
