"""Moves from before the registry, as one side reports them: its list read and judged row by row, then recorded."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, Literal

import msgspec

from domain import access
from domain.access import Actor, Thing
from domain.association import ROWS, Row
from domain.endorsement import Endorsement, read_number
from domain.errors import Invalid
from domain.event import Request
from registry.commands import Registry
from registry.importing import settled, stream_of_record
from registry.roster import LAST_YEAR, Finding, header_reader, plain, read_day, records_of, told_of

NUMBER, RECORD, FROM, TO, MOVED_ON = COLUMNS = ("Number", "Record ID", "Moved From", "Moved To", "Moved On")

ErrorKind = Literal[
    "bad_date", "bad_number", "unknown_association", "same_association", "not_its_own", "nothing_to_match"
]
Outcome = Literal["new", "unchanged", "unknown", "impossible"]

_KEY: Final = "moves"
_header: Final = header_reader("moves", COLUMNS, {
    "endorsement": NUMBER, "endorsement number": NUMBER, "id": RECORD, "member id": RECORD, "from": FROM, "to": TO,
    "on": MOVED_ON, "date": MOVED_ON, "date moved": MOVED_ON, "transferred on": MOVED_ON,
})  # fmt: skip


class Move(msgspec.Struct, frozen=True):
    """One accepted row. `row` as a spreadsheet shows it: the header is row 1. `number` or `record` may be empty."""

    row: int
    number: str
    record: str
    from_: str
    to: str
    moved_on: date


class Moves(msgspec.Struct, frozen=True):
    """A file that was read: its accepted rows in order, and what is wrong with the others."""

    association: str
    digest: str
    count: int
    duplicates: int
    rows: list[Move]
    errors: list[Finding]

    def report(self) -> dict[str, Any]:
        return {
            "association": self.association,
            "rows": self.count,
            "moves": len(self.rows),
            "duplicates": self.duplicates,
            "errors": len(self.errors),
            "kinds": dict(sorted(Counter(finding.kind for finding in self.errors).items())),
        }


class Tally(msgspec.Struct):
    """What a run recorded. `unknown`: no endorsement here has this number or record. `impossible`: see `why`."""

    new: int = 0
    unchanged: int = 0
    unknown: int = 0
    impossible: int = 0
    rows: dict[str, list[int]] = {}
    why: dict[int, str] = {}

    def count(self, outcome: Outcome, row: int) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome in ("unknown", "impossible"):
            self.rows.setdefault(outcome, []).append(row)


# --- the file ------------------------------------------------------------------------------------------------------


def read_moves(data: bytes, association: str, known: Mapping[str, Row] = ROWS) -> Moves:
    """Judge every row; days as the association writes them, associations by code. Raises UnreadableFile."""
    accepted: list[Move] = []
    errors: list[Finding] = []
    seen: set[tuple[str, ...]] = set()
    count = duplicates = 0
    for number, cells in records_of(data, _header):
        count += 1
        content = tuple(cells[column] for column in COLUMNS)
        if content in seen:
            duplicates += 1
            continue
        seen.add(content)
        row = _judged(number, cells, association, known)
        if isinstance(row, Move):
            accepted.append(row)
        else:
            errors.append(row)
    return Moves(association, hashlib.sha256(data).hexdigest(), count, duplicates, accepted, errors)


def _judged(row: int, cells: dict[str, str], association: str, known: Mapping[str, Row]) -> Move | Finding:
    def wrong(kind: ErrorKind, column: str, advice: str) -> Finding:
        return Finding(row, kind, column, cells[column], advice)

    number, record = cells[NUMBER], plain(cells[RECORD])
    if number:
        try:
            number = read_number(number)
        except Invalid as refused:
            return wrong("bad_number", NUMBER, refused.message)
    elif not record:
        return wrong("nothing_to_match", NUMBER, "Give the endorsement's number, or the record id of your roster.")
    sides = []
    for column in (FROM, TO):
        code = cells[column].upper()
        if code not in known:
            return wrong("unknown_association", column, "Write an association's code, such as VA.")
        sides.append(code)
    from_, to = sides
    if from_ == to:
        return wrong("same_association", TO, "A move goes from one association to another; name two.")
    if association not in sides:
        return wrong("not_its_own", FROM, f"Neither side is {association}; a move is reported by one of its two sides.")
    moved_on = read_day(cells[MOVED_ON], known[association].dates)
    if moved_on is None or moved_on.year > LAST_YEAR:
        return wrong("bad_date", MOVED_ON, "Write a day of the calendar as 2019-12-31, with all digits of the year.")
    return Move(row, number, record, from_, to, moved_on)


# --- into the registry ---------------------------------------------------------------------------------------------


def import_moves(
    registry: Registry,
    actor: Actor,
    moves: Moves,
    progress: Callable[[int], None] = lambda _: None,
    *,
    dry_run: bool = False,
) -> Tally:
    """Record every accepted row of an endorsement known here, one command each; killed and run again it goes on.

    Raises Forbidden, before anything is recorded, unless the actor may report moves for the association.
    """
    access.check(actor, "import_moves", Thing(association=moves.association))
    tally = Tally()
    for done, move in enumerate(moves.rows, start=1):
        try:
            tally.count(_take(registry, actor, moves, move, dry_run=dry_run), move.row)
        except Invalid as refused:
            tally.count("impossible", move.row)
            tally.why[move.row] = refused.message
        progress(done)
    return tally


def _take(registry: Registry, actor: Actor, moves: Moves, move: Move, *, dry_run: bool) -> Outcome:
    store, association = registry.store, moves.association
    number = move.number
    if not number:
        stream = stream_of_record(store, association, move.record)
        number = stream.partition("/")[2] if stream else ""

    def judge() -> tuple[Outcome, list[Endorsement]]:
        endorsement = store.find(Endorsement, number) if number else None
        if endorsement is None:
            return "unknown", []
        on = registry.today(association)
        if endorsement.report_move(association, move.from_, move.to, move.moved_on, on=on, by=actor.by):
            return "new", [endorsement]
        return "unchanged", []

    # The same row of the same file is the same request.
    key = f"{_KEY}-{moves.digest}-{move.row}"
    return judge()[0] if dry_run else settled(store, judge, Request(key, store.vault.fingerprint(_KEY, key)))[0]


def problems(tally: Tally) -> list[str]:
    """What was not recorded, and what to do, in words."""
    told = told_of(
        tally.rows,
        {
            "unknown": "are of no endorsement known here: correct number or record id, or import the roster first",
            "impossible": "can not be",
        },
    )
    return told + [f"Row {row}: {why}" for row, why in list(tally.why.items())[:10]]
