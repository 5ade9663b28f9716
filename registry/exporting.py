"""Writes an association's roster as the import reads it, and its certificates for a mail merge."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import msgspec

from domain import access
from domain.access import Actor, Thing
from domain.endorsement import Endorsement
from domain.event import Event
from domain.person import Person
from registry.certificates.batch import Outcome, write_certificate, write_files
from registry.certificates.issue import CREDENTIAL, JWT, PDF, PROOF, TEXT, Issuer
from registry.commands import Act, Registry
from registry.roster import COLUMNS, STATUSES, place, plain, usable_address, with_guard
from registry.store import Store

_PAGE = 5000
_ENDORSEMENT = [
    kind.topic
    for kind in vars(Endorsement).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind.topic.startswith("endorsement.")
]
_PERSON = [
    kind.topic
    for kind in (
        Person.Registered,
        Person.Renamed,
        Person.ContactChanged,
        Person.ResidenceChanged,
        Person.Erased,
    )
]


class Export(msgspec.Struct, frozen=True):
    """The file, how many rows it has, and why endorsements are not in it: `erased`, or a standing no roster knows.

    `add_ons`: rows whose add-on the columns can't say.
    """

    data: bytes
    rows: int
    left_out: dict[str, int]
    add_ons: int


class _Named(msgspec.Struct):
    name: str = ""
    credentials: str = ""
    email: str = ""
    residence: str = ""
    erased: bool = False


def export_roster(
    registry: Registry, actor: Actor, association: str, *, on: date | None = None, known: int | None = None
) -> Export:
    """Everything the association holds now that a roster can say, by record id, then number.

    `on`: as it stood on a day; `known`: as known at a position. Who a person is, is always said as of now.
    """
    access.check(actor, "export_roster", Thing(association=association))
    today = on or registry.today(association)
    held = endorsements_of(registry.store, association, on=on, known=known)
    people = _people(registry.store, {endorsement.person for endorsement, _ in held})
    places = registry.rows()
    left_out: Counter[str] = Counter()
    rows: list[tuple[str, str, list[str]]] = []
    add_ons = 0
    for endorsement, record in held:
        person = people[endorsement.person]
        standing = "erased" if person.erased else endorsement.standing(today)
        if standing not in STATUSES.values():
            left_out[standing] += 1
            continue
        add_ons += endorsement.add_on_on(today) is not None
        first, _, last = person.name.partition(" ")
        cells = [
            record,
            association,
            first,
            last,
            plain(person.credentials),
            person.email if usable_address(person.email) else "",
            endorsement.category_on(today),
            endorsement.awarded_on.isoformat(),
            endorsement.through.isoformat(),
            standing.capitalize(),
            place(person.residence, association, places),
        ]
        rows.append((record, endorsement.number, cells))
    rows.sort(key=lambda row: row[:2])
    return Export(write_rows([COLUMNS, *(cells for *_, cells in rows)]), len(rows), dict(left_out), add_ons)


def write_rows(rows: Iterable[Iterable[str]]) -> bytes:
    """CSV as spreadsheets take it: UTF-8 with BOM, CRLF, and no cell that they would run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([with_guard(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def endorsements_of(
    store: Store, association: str, *, on: date | None = None, known: int | None = None
) -> list[tuple[Endorsement, str]]:
    """What the association holds now, each with its record id there: the number where it never gave it one.

    `on`, `known`: what it held on a day, as known at a position.
    """
    found: dict[str, Endorsement] = {}
    imported: list[Endorsement.Imported] = []
    moves: dict[str, list[Endorsement.CustodyTransferred]] = {}
    for event in _history(store, _ENDORSEMENT, known):
        name = event.originator_id.partition("/")[2]
        endorsement = found.get(name)
        if endorsement is None:
            endorsement = found[name] = Endorsement(name)
        endorsement.remember(event)
        if isinstance(event, Endorsement.CustodyTransferred):
            moves.setdefault(name, []).append(event)
        if isinstance(event, Endorsement.Imported) and event.association == association:
            imported.append(event)
    records = dict(_records(store, imported))

    def holds(one: Endorsement) -> bool:
        if on is None:
            return one.custodian == association
        return on >= one.awarded_on and custodian_on(one.custodian, moves.get(one.name, ()), on) == association

    return [(e, records.get(e.name) or e.number) for e in found.values() if holds(e)]


def custodian_on(last: str, moves: Sequence[Endorsement.CustodyTransferred], on: date) -> str:
    """Who held it on a day, by the moves of its custody; `last` where it never moved."""
    by_day = sorted(moves, key=lambda move: move.on)
    came = [move.to for move in by_day if move.on <= on]
    return came[-1] if came else moves[0].from_ if moves else last


def _records(store: Store, imported: Sequence[Endorsement.Imported]) -> Iterator[tuple[str, str]]:
    """The number and the association's own record id, opened; empty of an erased person."""
    for start in range(0, len(imported), _PAGE):
        for event in store.vault.open_all(imported[start : start + _PAGE]):
            yield event.number, str(event.record or "")


def _people(store: Store, wanted: set[str]) -> dict[str, _Named]:
    people = {name: _Named() for name in wanted}
    page: list[Event] = []
    for event in _history(store, _PERSON):
        if event.originator_id.partition("/")[2] in wanted:
            page.append(event)
        if len(page) == _PAGE:
            _hear(store, page, people)
            page = []
    _hear(store, page, people)
    return people


def _hear(store: Store, page: list[Event], people: dict[str, _Named]) -> None:
    for event in store.vault.open_all(page):
        person = people[event.originator_id.partition("/")[2]]
        # Of an erased person the opened fields are None.
        match event:
            case Person.Registered():
                person.name, person.credentials = str(event.name), str(event.credentials)
                person.email, person.residence = str(event.email), event.residence
            case Person.Renamed():
                person.name, person.credentials = str(event.name), str(event.credentials)
            case Person.ContactChanged():
                person.email = str(event.email)
            case Person.ResidenceChanged():
                person.residence = event.residence
            case Person.Erased():
                person.erased = True


def _history(store: Store, topics: list[str], known: int | None = None) -> Iterator[Event]:
    """The events of these topics, in the order of the history, a page at a time; `known`: up to a position."""
    last = 0
    while page := store.recorder.select_notifications(last, _PAGE, stop=known, topics=topics, inclusive_of_start=False):
        yield from map(store.mapper.to_domain_event, page)
        last = int(page[-1].id)


# --- certificates --------------------------------------------------------------------------------------------------

INDEX = "index.csv"
INDEX_COLUMNS = (
    "Number", "Name", "Email", "Category", "Valid Through",
    "PDF", "Badge JSON", "Badge JWT", "Badge PNG", "Badge SVG", "QR PNG", "QR SVG", "Proof", "QR Text",
)  # fmt: skip
SUFFIXES = {
    PDF: ".pdf", CREDENTIAL: ".json", JWT: ".jwt", "badge.png": ".badge.png", "badge.svg": ".badge.svg",
    "qr.png": ".png", "qr.svg": ".svg", PROOF: ".tlog-proof", TEXT: ".txt",
}  # fmt: skip


class Mailing(msgspec.Struct):
    """What `write_certificates` did. `unpublished`: not in the published log yet; `unprintable`: no font has the name.

    Both are numbers, to be tried again.
    """

    issued: int = 0
    written: int = 0
    kept: int = 0
    erased: int = 0
    unpublished: list[str] = []
    unprintable: list[str] = []


def issue_certificates(
    registry: Registry, actor: Actor, association: str, progress: Callable[[int, int], None]
) -> tuple[list[Endorsement], int]:
    """Issue what is due; the active endorsements, and how many certificates are new. May be repeated."""
    access.check(actor, "issue_certificates", Thing(association=association))
    today = registry.today(association)
    active = [e for e, _ in endorsements_of(registry.store, association) if e.standing(today) == "active"]
    issued = 0
    for done, endorsement in enumerate(active, start=1):
        if registry.store.get(Person, endorsement.person).state == "known":
            issued += bool(registry.issue_certificate(Act(actor), endorsement.number).events)
        progress(done, len(active))
    return sorted(active, key=lambda endorsement: endorsement.number), issued


def write_certificates(
    store: Store, issuer: Issuer, active: Sequence[Endorsement], out: Path, progress: Callable[[int, int], None]
) -> Mailing:
    """The files of the newest certificate of each, named by its number, and an index for a mail merge.

    What is there and current is kept, so that a run goes on where it was killed.
    """
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    people = _people(store, {endorsement.person for endorsement in active})
    known = {one.number: one for one in active if not people[one.person].erased}
    found: dict[str, Outcome] = {}
    index: list[Sequence[str]] = [INDEX_COLUMNS]
    for number, outcome in write_files(issuer, list(known), lambda number, file: out / _names(number)[file]):
        found[number] = outcome
        progress(len(active) - len(known) + len(found), len(active))
        if outcome in ("written", "kept"):
            endorsement = known[number]
            person, through = people[endorsement.person], endorsement.through.isoformat()
            there = [name if (out / name).is_file() else "" for name in _names(number).values()]
            index.append([number, person.name, person.email, endorsement.category, through, *there])
    write_certificate(out, {INDEX: write_rows(index)})
    counted = Counter(found.values())
    return Mailing(
        written=counted["written"],
        kept=counted["kept"],
        erased=counted["erased"] + len(active) - len(known),
        unpublished=[number for number, outcome in found.items() if outcome == "unpublished"],
        unprintable=[number for number, outcome in found.items() if outcome == "unprintable"],
    )


def _names(number: str) -> dict[str, str]:
    return {file: f"{number}{suffix}" for file, suffix in SUFFIXES.items()}
