"""Checks an employer's roster: certificates against the static plane, numbers with names against the history.

What is answered is signed as a receipt (`verifier.receipt`). Nothing of a row is stored or logged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import date, datetime
from hashlib import sha256
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from domain.endorsement import Endorsement, read_number
from domain.errors import Invalid
from domain.event import Event
from domain.person import Person
from projections.view import Query
from registry.certificates.keys import KeyFolder, KeysUnusable, Signer
from registry.commands import Registry
from registry.database import NotMigrated
from registry.log.entry import COLUMNS
from registry.log.published import KEYS, NotYetPublished, Published
from registry.log.tiles import Damaged
from registry.settings import Settings
from verifier import receipt, status
from verifier.keys import KeyRing, read_keys_json
from verifier.roster import COMPARED, Certificates, Row, alone, answer, row, same_name
from verifier.status import Statuses
from verifier.verdict import Unverified, iso

_STEP: Final = 250
"""Rows between two words of progress."""

_SHOWN_OUT_OF_FORCE: Final = frozenset({"lapsed", "inactive", "emeritus", "suspended", "removed"})
"""What is told of who named both number and name (ours); what its holder took back is shown to nobody."""

_PEOPLE: Final = """
SELECT e.number, e.person, p.person AS human, p.name
FROM unnest(%(numbers)s::text[]) AS asked (number)
JOIN views.endorsements AS e ON e.number = asked.number
JOIN views.people AS record ON record.person = e.person
JOIN views.people AS p ON p.person = record.human
WHERE p.listed AND p.name IS NOT NULL"""

Progress = Callable[[int, int], None]
Connect = Callable[[], AbstractContextManager[Connection[Any]]]


def _silent(_done: int, _of: int) -> None:
    pass


class Answered(NamedTuple):
    """The signed receipt, and its rows as they are in it."""

    content: bytes
    receipt: Mapping[str, Any]


class Asked(NamedTuple):
    """A row that names a number in its own form."""

    row: Row
    number: str


class RosterChecker:
    """Answers for one registry; holds nothing between two rosters."""

    def __init__(self, settings: Settings, registry: Registry, keys: KeyFolder, connect: Connect) -> None:
        """`connect`: a connection of the reader's role, opened for the first number that is looked up."""
        self._settings = settings
        self._registry = registry
        self._keys = keys
        self._connect = connect

    def check(self, rows: Sequence[Row], at: datetime, progress: Progress = _silent) -> Answered:
        """Every row, and the receipt. Raises NotYetPublished, KeysUnusable, Damaged, Unavailable, NotMigrated."""
        ring, published = self._ring(), Published.of(self._settings.static)
        note = published.checkpoint_text()
        checkpoint = published.checkpoint()
        if note is None or checkpoint is None:
            raise NotYetPublished(1, 0)
        signer = self._signer(ring, at)
        statuses = Statuses(status.folder(self._settings.static))
        certificates = Certificates(ring, statuses, at)
        with _Register(self._registry, self._connect, at) as register:
            answers = list(_answered(rows, certificates, register, progress))
            position = register.position or checkpoint.size
        lists = [statuses.list_at(uri, ring) for uri in sorted(certificates.lists)]
        content = receipt.seal(
            answers,
            at=at,
            issuer=f"did:web:{self._settings.public_host}",
            method=f"{signer.controller}#{signer.kid}",
            checkpoint=note,
            position=position,
            lists=[
                {"uri": one.uri, "as_of": iso(one.issued_at), "sha256": sha256(one.packed).hexdigest()} for one in lists
            ],
            compared=COMPARED["en"],
            specimen=signer.specimen,
            sign=signer.sign,
        )
        try:
            read = receipt.check(content, ring)
        except Unverified as refused:
            raise Damaged(f"the receipt does not read back as it was written ({refused.why})") from refused
        return Answered(content, read.receipt)

    def read_back(self, content: bytes) -> receipt.Checked:
        """A receipt of ours, as somebody brings it again. Raises Invalid for any other, and NotYetPublished."""
        try:
            return receipt.check(content, self._ring())
        except Unverified as refused:
            raise Invalid(f"This is no receipt of this registry: {refused.why}.", field="receipt") from None

    def _ring(self) -> KeyRing:
        try:
            return read_keys_json((self._settings.static / KEYS).read_bytes())
        except OSError:
            raise NotYetPublished(1, 0) from None
        except Unverified as error:
            raise Damaged(f"the published {KEYS} is not one we wrote ({error.why})") from error

    def _signer(self, ring: KeyRing, at: datetime) -> Signer:
        good = {key.kid.hex() for key in ring if key.use == "status" and not key.withdrawn}
        if kid := self._keys.newest("status", at, good):
            return self._keys.by_kid(kid)
        raise KeysUnusable("no status key that is here is published and good; run `registry keys publish`")


def _answered(
    rows: Sequence[Row], certificates: Certificates, register: _Register, progress: Progress
) -> Iterator[dict[str, Any]]:
    """In order; a row that stands there twice has one answer."""
    before: dict[tuple[str, str], dict[str, Any]] = {}
    for start in range(0, len(rows), _STEP):
        progress(start, len(rows))
        some = rows[start : start + _STEP]
        asked: list[Asked] = []
        answers: dict[int, dict[str, Any]] = {}
        for one in some:
            if (one.text, one.name) in before:
                continue
            if said := alone(one):
                answers[one.row] = said
            elif one.is_certificate:
                answers[one.row] = certificates.check(one)
            else:
                try:
                    asked.append(Asked(one, read_number(one.text)))
                except Invalid as refused:
                    answers[one.row] = answer(one, "unreadable", why=f"Column number: {refused.message}")
        answers |= register.look_up(asked)
        for one in some:
            first = before.setdefault((one.text, one.name), answers.get(one.row, {}))
            yield first if first["row"] == one.row else first | {"row": one.row, "same_as": first["row"]}
    progress(len(rows), len(rows))


class _Register:
    """Numbers with names, as of the last event there is; connects for the first of them.

    The name is looked for in the views, the standing follows from the events. Whoever does not know the name of a
    number learns no more than of one that was never given; of both the answer takes the same way.
    """

    def __init__(self, registry: Registry, connect: Connect, at: datetime) -> None:
        self._registry = registry
        self._connect = connect
        self._at = at
        self._open = ExitStack()
        self._connection: Connection[Any] | None = None
        self._days: dict[str, date] = {}
        self.position = 0
        """The last event that counted, once somebody was looked up."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._open.__exit__(kind, error, trace)

    def look_up(self, asked: Sequence[Asked]) -> dict[int, dict[str, Any]]:
        if not asked:
            return {}
        if self._connection is None:
            self._connection = self._open.enter_context(self._connect())
            ((self.position,),) = self._rows("SELECT coalesce(max(notification_id), 0) FROM registry.events")
        known = {
            number: (person, human, name)
            for number, person, human, name in self._rows(*_people([one.number for one in asked]))
        }
        nobody = ("", "", "")
        meant = [one for one in asked if same_name(one.row.name, known.get(one.number, nobody)[2])]
        people = {person for one in meant for person in known[one.number][:2]}
        held, erased = self._endorsements([one.number for one in meant]), self._erased(people)
        answers = {one.row.row: answer(one.row, "not_found") for one in asked}
        for one in meant:
            endorsement = held.get(one.number)
            if endorsement and not erased.intersection(known[one.number][:2]):
                answers[one.row.row] = self._standing(one, endorsement)
        return answers

    def _standing(self, asked: Asked, held: Endorsement) -> dict[str, Any]:
        on = self._today(held.custodian)
        standing = held.standing(on)
        if standing != "active" and standing not in _SHOWN_OUT_OF_FORCE:
            return answer(asked.row, "not_found")
        return answer(
            asked.row,
            "in_force" if standing == "active" else "not_in_force",
            number=held.number,
            category=held.held_on(on) or held.category_on(on),
            association=held.custodian,
            through=held.through.isoformat(),
            as_of=iso(int(self._at.timestamp())),
            why="" if standing == "active" else standing,
        )

    def _today(self, association: str) -> date:
        if association not in self._days:
            self._days[association] = self._registry.today(association)
        return self._days[association]

    def _endorsements(self, numbers: Sequence[str]) -> dict[str, Endorsement]:
        streams: dict[str, list[Event]] = {}
        for stream, event in self._events("originator_id = ANY(%s)", [f"endorsement/{number}" for number in numbers]):
            streams.setdefault(stream, []).append(event)
        folded = (Endorsement.fold(events) for events in streams.values())
        return {one.number: one for one in folded if one}

    def _erased(self, people: set[str]) -> set[str]:
        streams = [f"person/{person}" for person in people]
        found = self._events("originator_id = ANY(%s) AND topic = %s", streams, Person.Erased.topic)
        return {stream.partition("/")[2] for stream, _ in found}

    def _events(self, which: str, *parameters: object) -> Iterator[tuple[str, Event]]:
        load = self._registry.store.mapper.load
        query = (
            f"SELECT {COLUMNS} FROM registry.events WHERE {which} AND notification_id <= %s"
            " ORDER BY originator_id, originator_version"
        )
        for _, stream, version, topic, state in self._rows(query, [*parameters, self.position]):
            yield stream, load(stream, version, topic, bytes(state))

    def _rows(self, query: str, parameters: Any = None) -> list[Any]:
        if self._connection is None:
            raise AssertionError("nobody is looked up without a connection")
        try:
            with self._connection.cursor(binary=True, row_factory=tuple_row) as cursor:
                return cursor.execute(query, parameters).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
            raise NotMigrated("Tables are missing. Run `registry migrate` and `registry work`.") from error


def _people(numbers: Sequence[str]) -> Query:
    return Query(_PEOPLE, {"numbers": list(numbers)})


def rows_given(given: Sequence[tuple[str, str]]) -> list[Row]:
    """Rows that come as texts and names, without a file; the first is row 1."""
    return [row(place, text, name) for place, (text, name) in enumerate(given, start=1)]
