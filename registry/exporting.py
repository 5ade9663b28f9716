"""Writes an association's roster as the import reads it: the same facts give the same bytes everywhere."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from domain import access
from domain.access import Actor, Thing
from domain.endorsement import Endorsement
from domain.event import Event
from domain.person import Person
from registry.commands import Registry
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


def export_roster(registry: Registry, actor: Actor, association: str) -> Export:
    """Everything the association holds now that a roster can say, by record id, then number."""
    access.check(actor, "export_roster", Thing(association=association))
    today = registry.today(association)
    held = endorsements_of(registry.store, association)
    people = _people(registry.store, {endorsement.person for endorsement, _ in held})
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
            endorsement.category,
            endorsement.awarded_on.isoformat(),
            endorsement.through.isoformat(),
            standing.capitalize(),
            place(person.residence, association),
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


def endorsements_of(store: Store, association: str) -> list[tuple[Endorsement, str]]:
    """What the association holds now, each with its record id there: the number where it never gave it one."""
    found: dict[str, Endorsement] = {}
    records: dict[str, str] = {}
    for event in _history(store, _ENDORSEMENT):
        name = event.originator_id.partition("/")[2]
        endorsement = found.get(name)
        if endorsement is None:
            endorsement = found[name] = Endorsement(name)
        endorsement.remember(event)
        if isinstance(event, Endorsement.Imported) and event.association == association:
            records[name] = event.source.record
    return [(e, records.get(e.name) or e.number) for e in found.values() if e.custodian == association]


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


def _history(store: Store, topics: list[str]) -> Iterator[Event]:
    """The events of these topics, in the order of the history, a page at a time."""
    last = 0
    while page := store.recorder.select_notifications(last, _PAGE, topics=topics, inclusive_of_start=False):
        yield from map(store.mapper.to_domain_event, page)
        last = int(page[-1].id)
