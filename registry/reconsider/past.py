"""The store as it was just before one position; what is decided there is handed back and recorded nowhere."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
import psycopg

from domain.aggregate import Aggregate
from domain.association import Association
from domain.audit import Audit
from domain.competency import Competencies
from domain.endorsement import Endorsement
from domain.event import Event, Request
from domain.person import INTO, Person, merged_claims
from domain.reference import Reference
from domain.transfer import Transfer
from registry import database
from registry.database import Unavailable
from registry.settings import Settings
from registry.store import Recorded, Store
from registry.vault import Vault

A = TypeVar("A", bound=Aggregate)
E = TypeVar("E", bound=Event)

# Streams held in memory before those of the pages before are let go.
_MOST = 12_000
_COLUMNS = "notification_id, originator_id, originator_version, topic, state"
# Claims that are given back, so that the table does not know who held them then.
_GIVEN_BACK = {"open_audit": Audit, "open_transfer": Transfer}


class Stream(NamedTuple):
    """All that is known of one stream up to now, in order."""

    positions: list[int]
    events: list[Event]


class Correction(NamedTuple):
    """An event that says what another one of its stream should have said."""

    position: int
    version: int
    corrects: int


class Past(Store):
    """Answers every question of a store as of just before `before`.

    `corrected`: with the corrections that are known by now, and events as they should have been (see `replace`).
    `under`: the class that stands for another one.
    """

    def __init__(self, settings: Settings, vault: Vault, *, seconds: float | None = None) -> None:
        """`seconds`: how long the database may take for one answer; as long as it does when None."""
        super().__init__(settings, vault)
        self._connection = _connected(database.url(settings, "writer"), seconds)
        self.until = self.position()
        self.before = self.until + 1
        self.corrected = False
        self.under: type[Endorsement] | None = None
        self.decided: list[Event] = []
        self.touched: set[str] = set()
        self._replaced: dict[tuple[str, int], Event] = {}
        self._streams: dict[str, Stream] = {}
        self._folded: dict[tuple[str, int, bool, type | None], Aggregate] = {}
        self._claims: dict[str, list[tuple[str, int]]] = {}
        self._spans: dict[str, dict[str, list[tuple[int, int, str]]]] = {}
        self._lasting: set[str] = set()
        for kind in (Association, Competencies):
            for stream, found in self._read_kind(kind).items():
                self._streams[stream] = found
                self._lasting.add(stream)

    def close(self) -> None:
        self._connection.close()
        super().close()

    def _ask(self, question: str, *parameters: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(question.encode(), parameters, prepare=True, binary=True).fetchall()
        except psycopg.errors.QueryCanceled:
            raise
        except psycopg.OperationalError as error:
            raise Unavailable("The database did not answer.") from error

    # --- what a deed asks

    def events(self, stream: str) -> list[tuple[int, Event]]:
        """Position and event, up to then; of references the keyed hash of the rater's address is open."""
        found, count = self._then(stream)
        return [(found.positions[n], self._known(found.events[n])) for n in range(count)]

    def find(self, kind: type[A], name: str) -> A | None:
        stream = f"{kind.kind}/{name}"
        found, count = self._then(stream)
        if not count:
            return None
        folds = self.under if self.under and kind is Endorsement else None
        key = (stream, count, self.corrected, folds)
        known = self._folded.get(key)
        # What a deed has changed is folded again.
        if known is None or known.pending or known.version != found.events[count - 1].originator_version:
            known = self._fold(folds or kind, name, found, count)
            self._folded[key] = known
        return known  # type: ignore[return-value]  # of the kind that was asked for, or of the one that stands for it

    def _fold(self, kind: type[Aggregate], name: str, found: Stream, count: int) -> Aggregate:
        aggregate = kind(name)
        facts = [self._known(event) for event in found.events[:count]]
        if isinstance(aggregate, Endorsement) and self.corrected:
            later = (event for event in found.events if isinstance(event, Endorsement.Corrected))
            aggregate.corrections = {correction.corrects: correction for correction in later}
        for fact in facts:
            aggregate.remember(fact)
        if isinstance(aggregate, Person) and self.corrected:
            for event in found.events[count:]:
                if isinstance(event, Person.EntryCorrected) and event.supersedes in aggregate.entries:
                    event.apply(aggregate)
        return aggregate

    def _known(self, event: Event) -> Event:
        if not (self.corrected and self._replaced):
            return event
        return self._replaced.get((event.originator_id, event.originator_version), event)

    def _then(self, stream: str) -> tuple[Stream, int]:
        found = self._streams.get(stream)
        if found is None:
            self.load([stream])
            found = self._streams[stream]
        self.touched.add(stream)
        return found, bisect_left(found.positions, self.before)

    def opened(self, event: E) -> E:
        """Nothing more is opened than what `events` opens: names stay sealed."""
        return event

    def holder(self, claim: str) -> str | None:
        folder, _, name = claim.partition("/")
        if folder in _GIVEN_BACK:
            spans = self._spans.get(folder)
            if spans is None:
                spans = self._spans[folder] = self._spans_of(folder, _GIVEN_BACK[folder])
            held = (stream for first, last, stream in spans.get(name, ()) if first < self.before <= last)
            return next(held, None)
        found = self._ask("SELECT stream FROM registry.claims WHERE name = %s AND position < %s", claim, self.before)
        return found[0][0] if found else None

    def _spans_of(self, folder: str, kind: type[Aggregate]) -> dict[str, list[tuple[int, int, str]]]:
        """Who held each name of a folder, from which position to which, from the events themselves."""
        spans: dict[str, list[tuple[int, int, str]]] = {}
        never = self.until + 1
        for stream, found in self._read_kind(kind).items():
            for position, event in zip(found.positions, found.events, strict=True):
                claims = event.claims()
                for claim in claims.take:
                    name = claim.removeprefix(f"{folder}/")
                    spans.setdefault(name, []).append((position, never, stream))
                for claim in claims.release:
                    name = claim.removeprefix(f"{folder}/")
                    spans[name] = [
                        (first, min(last, position) if whose == stream else last, whose)
                        for first, last, whose in spans.get(name, ())
                    ]
        return spans

    def claimed(self, folder: str) -> list[str]:
        if folder.startswith(merged_claims("")):
            return self._merged(folder.removeprefix(merged_claims("")))
        if folder not in self._claims:
            self._load_claims([folder])
        return [name for name, position in self._claims[folder] if position < self.before]

    def _merged(self, person: str) -> list[str]:
        found, count = self._then(f"{Person.kind}/{person}")
        held: set[str] = set()
        for event in found.events[:count]:
            match event:
                case Person.MergedInto():
                    held.add(f"{INTO}{event.into}")
                case Person.Merged():
                    held.add(event.other)
                case Person.Split():
                    held -= {event.other, f"{INTO}{event.other}"}
        return sorted(held)

    def record(self, events: Sequence[Event], request: Request | None = None) -> Recorded:  # noqa: ARG002 # as Store's
        self.decided = list(events)
        return Recorded([], list(events))

    def replace(self, events: Mapping[tuple[str, int], Event]) -> None:
        """Events by stream and version as they should have been; they count where `corrected` is set."""
        self._replaced.update(events)

    @property
    def has_replaced(self) -> bool:
        """Whether an event counts as somebody says it should have been."""
        return bool(self._replaced)

    # --- what is read at once

    def stream(self, stream: str) -> Stream:
        """All of it that is known now, whatever the position."""
        if stream not in self._streams:
            self.load([stream])
        return self._streams[stream]

    def corrections_since(self, streams: Iterable[str]) -> list[tuple[str, Correction]]:
        """What was corrected at this position or later in facts of before, and what is replaced in them."""
        found: list[tuple[str, Correction]] = []
        for name in streams:
            known = self._streams.get(name)
            if known is None or not name.startswith((f"{Person.kind}/", f"{Endorsement.kind}/")):
                continue
            count = bisect_left(known.positions, self.before)
            for position, event in zip(known.positions[count:], known.events[count:], strict=True):
                corrects = _corrected_by(event, known.events)
                if corrects and corrects <= known.events[count - 1].originator_version:
                    found.append((name, Correction(position, event.originator_version, corrects)))
        for stream, version in self._replaced:
            if stream in streams:
                known = self._streams[stream]
                if version <= bisect_left(known.positions, self.before):
                    found.append((stream, Correction(known.positions[version - 1], version, version)))
        return found

    def load(self, streams: Iterable[str]) -> None:
        """Read these streams, as far as they are not known."""
        wanted = [stream for stream in dict.fromkeys(streams) if stream not in self._streams]
        if not wanted:
            return
        rows = self._ask(
            f"SELECT {_COLUMNS} FROM registry.events WHERE originator_id = ANY(%s) AND notification_id <= %s"
            " ORDER BY originator_id, originator_version",
            wanted,
            self.until,
        )
        self._streams.update(dict.fromkeys(wanted, Stream([], [])) | self._grouped(rows))

    def load_people(self, people: Iterable[str]) -> None:
        """Read people and what a portfolio is judged by: other records, references, endorsements, providers."""
        names = list(dict.fromkeys(people))
        self.load(f"{Person.kind}/{name}" for name in names)
        others = {
            getattr(event, "into", "") or getattr(event, "other", "")
            for name in names
            for event in self._streams[f"{Person.kind}/{name}"].events
            if isinstance(event, Person.MergedInto | Person.Merged)
        }
        names += sorted(others - set(names))
        self.load(f"{Person.kind}/{name}" for name in names)
        self._load_claims(f"{folder}/{name}" for name in names for folder in ("held", "reference_of"))
        providers = {
            event.fact.provider
            for name in names
            for event in self._streams[f"{Person.kind}/{name}"].events
            if isinstance(event, Person.EntryRecorded | Person.EntryCorrected) and event.fact.provider
        }
        wanted = [f"{Endorsement.kind}/{number}" for number in sorted(providers)]
        for name in names:
            wanted += [f"{Endorsement.kind}/{number}" for number, _ in self._claims[f"held/{name}"]]
            wanted += [f"{Reference.kind}/{each}" for each, _ in self._claims[f"reference_of/{name}"]]
        self.load(wanted)

    def forget(self) -> None:
        """Let go of what a page has left, once it is much."""
        self._folded.clear()
        if len(self._streams) > _MOST:
            self._streams = {stream: found for stream, found in self._streams.items() if stream in self._lasting}
            self._claims.clear()

    def names(
        self, kind: type[Aggregate], page: int, *, topics: Sequence[str] = (), having: str = ""
    ) -> Iterator[list[str]]:
        """The streams of a kind, page by page; only those with an event of `topics` whose bytes have the text."""
        last, end = f"{kind.kind}/", f"{kind.kind}0"
        narrow = "originator_version = 1"
        parameters: list[object] = []
        if having:
            narrow = "topic = ANY(%s) AND position(%s::bytea IN state) > 0"
            parameters = [list(topics), having.encode()]
        while True:
            rows = self._ask(
                "SELECT DISTINCT originator_id FROM registry.events WHERE originator_id > %s AND originator_id < %s"
                f" AND notification_id <= %s AND {narrow} ORDER BY originator_id LIMIT %s",
                last,
                end,
                self.until,
                *parameters,
                page,
            )
            if not rows:
                return
            last = rows[-1][0]
            yield [stream for (stream,) in rows]

    def _read_kind(self, kind: type[Aggregate]) -> dict[str, Stream]:
        rows = self._ask(
            f"SELECT {_COLUMNS} FROM registry.events WHERE originator_id > %s AND originator_id < %s"
            " AND notification_id <= %s ORDER BY originator_id, originator_version",
            f"{kind.kind}/",
            f"{kind.kind}0",
            self.until,
        )
        return self._grouped(rows)

    def _grouped(self, rows: Sequence[tuple[Any, ...]]) -> dict[str, Stream]:
        load = self.mapper.load
        found: dict[str, Stream] = {}
        events = [load(*row[1:]) for row in rows]
        asked = [n for n, event in enumerate(events) if isinstance(event, Reference.Nominated)]
        if asked:
            sealed = [msgspec.structs.replace(events[n], name=None, email=None) for n in asked]
            for n, event in zip(asked, self.vault.open_all(sealed), strict=True):
                events[n] = event
        for row, event in zip(rows, events, strict=True):
            stream = found.get(row[1])
            if stream is None:
                stream = found[row[1]] = Stream([], [])
            stream.positions.append(row[0])
            stream.events.append(event)
        return found

    def _load_claims(self, folders: Iterable[str]) -> None:
        wanted = [folder for folder in dict.fromkeys(folders) if folder not in self._claims]
        if not wanted:
            return
        # In the order of bytes "0" follows "/". A subquery for each folder, so that each is one look into the index.
        rows = self._ask(
            "SELECT folder,"
            " ARRAY(SELECT name FROM registry.claims WHERE name > (folder || '/') COLLATE \"C\""
            " AND name < (folder || '0') COLLATE \"C\" ORDER BY name),"
            " ARRAY(SELECT position FROM registry.claims WHERE name > (folder || '/') COLLATE \"C\""
            " AND name < (folder || '0') COLLATE \"C\" ORDER BY name)"
            " FROM unnest(%s::text[]) AS folder",
            wanted,
        )
        for folder, names, positions in rows:
            self._claims[folder] = [
                (name.removeprefix(f"{folder}/"), position) for name, position in zip(names, positions, strict=True)
            ]


def _connected(address: str, seconds: float | None) -> psycopg.Connection[Any]:
    """A connection of its own: it may take its time, and the server itself lets it write nothing."""
    try:
        connection = psycopg.connect(address, autocommit=True, connect_timeout=database.CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        raise Unavailable("The database does not answer.") from error
    connection.execute("SET default_transaction_read_only = on")
    # Everything here is looked up by name; of ranges of names the planner thinks too much.
    connection.execute("SET enable_seqscan = off")
    connection.execute("SET jit = off")
    if seconds is not None:
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(int(seconds * 1000))])
    return connection


def _corrected_by(event: Event, events: Sequence[Event]) -> int:
    """The version that an event corrects; 0 when it corrects nothing."""
    match event:
        case Endorsement.Corrected():
            return event.corrects
        case Person.EntryCorrected():
            recorded = (
                one.originator_version
                for one in events
                if isinstance(one, Person.EntryRecorded | Person.EntryCorrected) and one.entry == event.supersedes
            )
            return next(recorded, 0)
        case _:
            return 0
