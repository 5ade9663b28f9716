"""Takes a bundle: events of a case, a person, or an association's period, with the proof that they are in the log.

The events come from the history itself. Where to look for them the views say, if they have come that far; else the
whole history is looked through. What is written is read back by the verifier before anybody gets it. The format is in
docs/format.md, section 7.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from domain import access
from domain.access import Actor, Thing
from domain.application import Application
from domain.association import Association
from domain.editions import all_rows
from domain.endorsement import Endorsement, day_after, read_number
from domain.errors import Invalid, NotFound, Refused
from domain.event import Event, personal_fields
from domain.judgements import told
from domain.person import Person
from domain.transfer import Transfer
from registry.certificates.documents import KnownKeys
from registry.certificates.keys import KeyFolder, Signer
from registry.commands import Registry, thing_of
from registry.commands.shared import in_motion
from registry.log import tree
from registry.log.entry import COLUMNS
from registry.log.published import KEYS, NotYetPublished, Published
from registry.log.tiles import Damaged
from verifier import bundle as verifier
from verifier.keys import read_keys_json
from verifier.verdict import Unverified

DEED: Final = "take_bundle"
MEDIA: Final = verifier.MEDIA

_PAGE: Final = 2_000
_EVER: Final = (1 << 63) - 1
_READ, _PROVED, _ALL = 60, 75, 100  # per cent of the work, roughly
_NAMED: Final = ("name", "credentials")
_REACHED: Final = ("email", "title", "provider_name")
"""What is opened of the bundle of one person besides; a note, a demographic and a reference never are (ours)."""

_NAMINGS: Final = (
    "person.registered",
    "person.renamed",
    "person.merged_into",
    "person.merged",
    "person.died",
    "person.erased",
)
_Begins = Endorsement.Awarded | Endorsement.Imported
_MOVES: Final = ("endorsement.custody_transferred", "application.handed_over")


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a bundle is of: a number, a person, or an association from a day to a day, both included."""

    number: str = ""
    person: str = ""
    association: str = ""
    first: date | None = msgspec.field(name="from", default=None)
    last: date | None = msgspec.field(name="to", default=None)

    @property
    def record(self) -> str:
        """The stream it is about, by which a look into it is noted."""
        if self.number:
            return f"endorsement/{self.number}"
        return f"person/{self.person}" if self.person else f"association/{self.association}"


class Behind(Refused):
    """The views that say where to look have not come as far as the checkpoint."""

    code = "behind"


class Bundle(NamedTuple):
    """`opened`: how many fields were opened, so that it can be noted who got to see them."""

    content: bytes
    events: int
    opened: int
    size: int


class _Stored(NamedTuple):
    position: int
    stream: str
    version: int
    topic: str
    state: bytes
    event: Event


Progress = Callable[[int, int], None]


def _silent(_done: int, _of: int) -> None:
    pass


def take(
    registry: Registry,
    keys: KeyFolder,
    published: Published,
    connection: Connection[Any],
    actor: Actor,
    asked: Asked,
    *,
    most: int = verifier.MOST_EVENTS,
    search: bool = True,
    progress: Progress = _silent,
) -> Bundle:
    """As the actor may see it, under the checkpoint that is published now. `connection`: of the reader's role.

    `search`: look through the whole history where the views have not come that far, instead of raising Behind.

    Raises Invalid, NotFound, Forbidden, Behind; NotYetPublished, KeysUnusable, Damaged.
    """
    if asked.number:
        asked = msgspec.structs.replace(asked, number=read_number(asked.number))
    taking = _Taking(registry, connection, actor, most, progress)
    taking.refuse_strangers(asked)
    note, checkpoint = published.checkpoint_text(), published.checkpoint()
    if note is None or checkpoint is None or not checkpoint.size:
        raise NotYetPublished(1, 0)
    events = taking.of(asked, checkpoint.size, search=search)
    known = KnownKeys()
    known.advance((row.position, row.stream, row.topic, row.state) for row in events if row.stream.startswith("key/"))
    signer = known.signer(keys, "status", registry.clock())
    openings = taking.openings(events)
    indices = [row.position - 1 for row in events]
    proof = tree.inclusions(checkpoint.size, indices, published.tiles.nodes(checkpoint.size))
    progress(_PROVED, _ALL)
    host = checkpoint.origin.removesuffix("/log")
    value: dict[str, Any] = {
        "asked": msgspec.to_builtins(asked),
        "checkpoint": note,
        "claims": _claims(events, asked),
        "events": [[row.position, row.stream, row.version, row.topic, _b64(row.state)] for row in events],
        "for": {"association": actor.association, "role": actor.role},
        "format": verifier.FORMAT,
        "keys": {
            "did": [json.loads(known.did("certificate", host)), json.loads(known.did("status", host))],
            "log": list(published.vkeys),
            "witnesses": list(read_keys_json((published.static / KEYS).read_bytes()).witnesses),
        },
        "made_at": registry.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "openings": openings,
        "policy": _policy(events),
        "proof": _b64(b"".join(proof)),
    }
    content = _sealed(value, signer, published)
    progress(_ALL, _ALL)
    return Bundle(content, len(events), len(openings), checkpoint.size)


def _sealed(value: dict[str, Any], signer: Signer, published: Published) -> bytes:
    """Signed, and read back as anybody will read it."""
    unsigned = verifier.encode(value).encode()
    value["signature"] = {"kid": signer.kid, "value": _b64(signer.sign(verifier.signed_bytes(unsigned)))}
    content = unsigned[:-1] + f',"signature":{verifier.encode(value["signature"])}}}'.encode()
    if len(content) > verifier.LARGEST:
        raise _too_much()
    try:
        verifier.check(content, verifier.Pins(logs=published.vkeys))
    except Unverified as refused:
        raise Damaged(f"the bundle does not prove what it says ({refused.why})") from refused
    return content


def _too_much() -> Invalid:
    return Invalid("This is more than one bundle may hold. Take a shorter period.", field="to")


# --- which events ---


class _Taking:
    def __init__(
        self,
        registry: Registry,
        connection: Connection[Any],
        actor: Actor,
        most: int,
        progress: Progress,
    ) -> None:
        self._registry = registry
        self._store = registry.store
        self._connection = connection
        self._actor = actor
        self._size = 0
        self._most = most
        self._progress = progress
        self._found: _Found | None = None
        self._opens: frozenset[str] = frozenset()
        self._sees: frozenset[str] = frozenset()

    def refuse_strangers(self, asked: Asked) -> None:
        """Judge the asker before anything else, and what they may see in it. Raises Forbidden, NotFound."""
        if asked.number:
            held = self._store.find(Endorsement, asked.number)
            rule = self._rule(held) or access.check(self._actor, DEED, Thing())
            if held is None:
                raise NotFound("endorsement")
        elif asked.person:
            found = self._store.find(Person, asked.person)
            whose = Thing()
            if found:
                whose = Thing(person=asked.person, association=self._registry.association_of(found, self._actor))
            rule = access.check(self._actor, DEED, whose)
            if found is None:
                raise NotFound("person")
        else:
            known = self._store.find(Association, asked.association)
            rule = access.check(self._actor, DEED, Thing(association=asked.association) if known else Thing())
            if known is None:
                raise NotFound("association")
        self._opens = frozenset((*_NAMED, *_REACHED) if asked.person else _NAMED)
        self._sees = frozenset(rule.sees)

    def of(self, asked: Asked, size: int, *, search: bool) -> list[_Stored]:
        """By position, each once, with the events of every key of the registry; as of a checkpoint of this size."""
        self._size = size
        if (at := self._views()) < size:
            if not search:
                raise Behind(f"The views stand at {at} and the checkpoint at {size}. Ask again in a moment.")
            self._found = _Found()
            for row in self._read("topic = ANY(%s)", list(_TELLING)):
                self._found.take(row.event)
        if asked.number:
            found = list(self._of_number(asked.number))
        elif asked.person:
            found = list(self._of_person(asked.person))
        else:
            found = list(self._of_association(asked))
        if not found:
            raise NotFound("published event of this")
        found += self._between("key/", "key0")
        if len(found) > self._most:
            raise _too_much()
        return sorted({row.position: row for row in found}.values())

    def _views(self) -> int:
        """How far the views have come; 0 where there are none."""
        try:
            row = self._connection.execute("SELECT position FROM views.position").fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return 0
        return int(row[0]) if row else 0

    def _of_number(self, number: str) -> Iterator[_Stored]:
        rows = list(self._streams(self._case(number)))
        yield from rows
        people = {row.event.person for row in rows if isinstance(row.event, _Begins)}
        yield from self._namings({record for person in people for record in self._registry.identity(person)})
        yield from self._audits([number])

    def _of_person(self, name: str) -> Iterator[_Stored]:
        records = self._registry.identity(name)
        cases = {stream for record in records for stream in self._case(record)}
        numbers = self._registry.numbers_of(name)
        cases |= {stream for number in numbers for stream in self._case(number)}
        may = [stream for stream in sorted(cases) if self._may_see(stream)]
        yield from self._streams([*may, *(f"person/{record}" for record in records)])
        yield from self._audits([number for number in numbers if f"endorsement/{number}" in may])

    def _may_see(self, stream: str) -> bool:
        kind, _, name = stream.partition("/")
        match kind:
            case "endorsement":
                return self._rule(self._store.find(Endorsement, name)) is not None
            case "application":
                case = self._store.find(Application, name)
                return case is not None and access.allowed(self._actor, "see_application", thing_of(case)) is not None
            case "transfer":
                move = self._store.find(Transfer, name)
                return move is not None and access.allowed(self._actor, "see_transfer", thing_of(move)) is not None
        return False  # whole records of people are named where they are meant

    def _rule(self, found: Endorsement | None) -> access.Rule | None:
        if found is None:
            return None
        thing = thing_of(found)
        rule = access.allowed(self._actor, DEED, thing)
        if rule is None and self._actor.association:
            rule = access.allowed(self._actor, DEED, in_motion(self._store, found, thing))
        return rule

    def _of_association(self, asked: Asked) -> Iterator[_Stored]:
        """Of its cases with something in the period, all that happened until they went elsewhere."""
        code, first, last = asked.association, asked.first, asked.last
        if first is None or last is None:
            raise Invalid("Say the first and the last day of the period.", field="from" if first is None else "to")
        if last < first:
            raise Invalid(f"{last} is before {first}; the last day can't be before the first.", field="to")
        found: list[_Stored] = []
        people: set[str] = set()
        numbers: list[str] = []
        for rows in self._by_stream(self._cases_of(code)):
            part = _part(rows, code, first, last)
            if not part:
                continue
            found += part
            people.add(getattr(part[0].event, "person", ""))
            if part[0].stream.startswith("endorsement/"):
                numbers.append(part[0].stream.partition("/")[2])
            if len(found) > self._most:
                raise _too_much()
        if not found:
            raise Invalid(f"Nothing of {code} is on record from {first} to {last}.", field="from")
        yield from found
        yield from self._streams([f"association/{code}"])
        yield from self._namings(people - {""})
        yield from self._audits(numbers)

    def _cases_of(self, code: str) -> list[str]:
        """The cases that were ever this association's, or have it as a side."""
        if self._found:
            return sorted(self._found.of_association.get(code, ()))
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(
                "SELECT DISTINCT 'endorsement/' || number FROM views.standing WHERE custodian = %(code)s"
                " UNION SELECT 'application/' || application FROM views.applications WHERE association = %(code)s"
                " UNION SELECT 'transfer/' || transfer FROM views.transfers"
                " WHERE releasing = %(code)s OR receiving = %(code)s",
                {"code": code},
            )
            return sorted(stream for (stream,) in cursor)

    def _by_stream(self, streams: Sequence[str]) -> Iterator[list[_Stored]]:
        for start in range(0, len(streams), _PAGE):
            self._progress(_READ * start // len(streams), _ALL)
            grouped: dict[str, list[_Stored]] = {}
            for row in self._streams(streams[start : start + _PAGE]):
                grouped.setdefault(row.stream, []).append(row)
            yield from grouped.values()

    def _case(self, case: str) -> list[str]:
        """The streams of a case, as the case index gives them; the events decide what is in them."""
        if self._found:
            return sorted(self._found.of_case.get(case, ()))
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(
                'SELECT stream FROM views.case_streams WHERE "case" = %s AND since <= %s', (case, self._size)
            )
            return [stream for (stream,) in cursor if not stream.startswith("person/")]

    def _namings(self, people: Iterable[str]) -> Iterator[_Stored]:
        streams = sorted(f"person/{name}" for name in people)
        for start in range(0, len(streams), _PAGE):
            for row in self._read("originator_id = ANY(%s)", streams[start : start + _PAGE]):
                if row.topic in _NAMINGS:
                    yield row

    def _audits(self, numbers: Collection[str]) -> Iterator[_Stored]:
        """What an audit says of these numbers alone, for whoever may see that audit; never who else was drawn."""
        wanted = set(numbers)
        seen: dict[str, bool] = {}
        for row in self._between("audit/", "audit0"):
            if row.topic == "audit.sample_drawn":
                whose = Thing(association=getattr(row.event, "association", ""))
                seen[row.stream] = access.allowed(self._actor, "see_audit", whose) is not None
            elif seen.get(row.stream) and getattr(row.event, "number", "") in wanted:
                yield row

    def _streams(self, streams: Sequence[str]) -> Iterator[_Stored]:
        """Whole, but for what an application keeps from the asker."""
        rows = list(self._read("originator_id = ANY(%s)", list(streams), until=_EVER))
        grouped: dict[str, list[_Stored]] = {}
        for row in rows:
            if row.stream.startswith("application/"):
                grouped.setdefault(row.stream, []).append(row)
        hidden: set[int] = set()
        for of_it in grouped.values():
            # What may be told is judged by how it stands now, not as of the checkpoint.
            state = Application.fold(row.event for row in of_it)
            if state is not None:
                shown = {at for at, _ in told(state, [(row.position, row.event) for row in of_it], self._actor)}
                hidden |= {row.position for row in of_it} - shown
        yield from (row for row in rows if row.position <= self._size and row.position not in hidden)

    def _between(self, begin: str, end: str) -> list[_Stored]:
        # In the order of bytes "0" follows "/".
        return list(self._read("originator_id > %s AND originator_id < %s", begin, end))

    def _read(self, which: str, *parameters: object, until: int | None = None) -> Iterator[_Stored]:
        with self._connection.cursor(binary=True, row_factory=tuple_row) as cursor:
            cursor.execute(
                f"SELECT {COLUMNS} FROM registry.events WHERE {which} AND notification_id <= %s"
                " ORDER BY notification_id",
                [*parameters, self._size if until is None else until],
            )
            for position, stream, version, topic, state in cursor:
                event = self._store.mapper.load(stream, version, topic, state)
                yield _Stored(position, stream, version, topic, state, event)

    # --- what is opened

    def openings(self, events: Sequence[_Stored]) -> list[dict[str, Any]]:
        """Of the fields that a bundle opens, those of the classes this asker may see; none that was erased."""
        asked = [
            (row.event, name)
            for row in events
            if row.stream.startswith("person/")
            for name, kind in personal_fields(type(row.event)).items()
            if name in self._opens and kind in self._sees
        ]
        found = []
        for start in range(0, len(asked), _PAGE):
            page = asked[start : start + _PAGE]
            for (event, name), opening in zip(page, self._store.vault.openings(page), strict=True):
                if opening is not None:
                    found.append(
                        {
                            "blind": opening.blind,
                            "field": name,
                            "stream": event.originator_id,
                            "value": opening.value,
                            "version": event.originator_version,
                        }
                    )
        return sorted(found, key=lambda one: (one["stream"], one["version"], one["field"]))


class _Found:
    """Where to look, by the events themselves: as the views `history`, `standing`, `applications`, `transfers` say."""

    def __init__(self) -> None:
        self.of_case: dict[str, set[str]] = {}
        self.of_association: dict[str, set[str]] = {}

    def take(self, event: Event) -> None:
        cases: tuple[str, ...] = ()
        associations: tuple[str, ...] = ()
        match event:
            case Application.Started():
                cases, associations = (event.person,), (event.association,)
            case Application.Approved():
                cases = (event.number,)
            case Endorsement.Awarded() | Endorsement.Imported():
                cases, associations = (event.number, event.person), (event.association,)
            case Transfer.Requested():
                cases, associations = (event.person, *event.endorsements), (event.from_, event.to)
            case Endorsement.CustodyTransferred() | Application.HandedOver() | Transfer.SidePassed():
                associations = (event.to,)
        for case in cases:
            self.of_case.setdefault(case, set()).add(event.originator_id)
        for code in associations:
            self.of_association.setdefault(code, set()).add(event.originator_id)


_TELLING: Final = (
    Application.Started.topic, Application.Approved.topic, Application.HandedOver.topic, Endorsement.Awarded.topic,
    Endorsement.Imported.topic, Endorsement.CustodyTransferred.topic, Transfer.Requested.topic,
    Transfer.SidePassed.topic,
)  # fmt: skip


def _part(rows: Sequence[_Stored], code: str, first: date, last: date) -> Sequence[_Stored]:
    """Of one case what concerns an association: all until it moved away for good; none if nothing is of the period."""
    if rows[0].stream.startswith("transfer/"):
        return rows if any(first <= row.event.on <= last for row in rows) else ()
    where, end, touched = "", 0, False
    for count, row in enumerate(rows, start=1):
        before = where
        where = getattr(row.event, "to", "") if row.topic in _MOVES else where or getattr(row.event, "association", "")
        if code in (before, where):
            end = count
            touched = touched or first <= row.event.on <= last
    return rows[: len(rows) if where == code else end] if touched else ()


# --- what is claimed ---


def _claims(events: Sequence[_Stored], asked: Asked) -> dict[str, Any]:
    """As our own aggregates have it; the verifier derives the same by a fold of its own."""
    streams: dict[str, list[_Stored]] = {}
    for row in events:
        streams.setdefault(row.stream, []).append(row)
    return {
        "endorsements": [
            _endorsement_claim(rows, asked) for stream, rows in sorted(streams.items()) if _is(stream, Endorsement)
        ],
        "transfers": [_transfer_claim(rows) for stream, rows in sorted(streams.items()) if _is(stream, Transfer)],
    }


def _is(stream: str, kind: type[Endorsement | Transfer]) -> bool:
    return stream.startswith(f"{kind.kind}/")


def _endorsement_claim(rows: Sequence[_Stored], asked: Asked) -> dict[str, Any]:
    state = Endorsement.fold(row.event for row in rows)
    if state is None:
        raise NotFound("endorsement")
    return {
        "number": state.number,
        "person": state.person,
        "awarded_on": state.awarded_on.isoformat(),
        "standing": list(_spans(state, asked.first, asked.last)),
        "custody": [
            {
                "position": row.position,
                "on": row.event.on.isoformat(),
                "association": _holder(row.event),
                "by": row.event.by,
                "transfer": getattr(row.event, "transfer", ""),
            }
            for row in rows
            if _holder(row.event)
        ],
        "decisions": [
            {
                "position": row.position,
                "on": row.event.on.isoformat(),
                "topic": row.topic,
                "edition": edition,
                "by": row.event.by,
            }
            for row in rows
            if (edition := getattr(row.event, "edition", ""))
        ],
    }


def _holder(event: Event) -> str:
    """The association that holds it from this event on."""
    match event:
        case Endorsement.Awarded() | Endorsement.Imported():
            return event.association
        case Endorsement.CustodyTransferred():
            return event.to
    return ""


def _spans(state: Endorsement, first: date | None, last: date | None) -> Iterator[dict[str, Any]]:
    moves = [
        (event.on, event.to) if isinstance(event, Endorsement.CustodyTransferred) else (date.min, _holder(event))
        for event in state.facts
        if _holder(event)
    ]
    moves.sort(key=lambda move: move[0])
    days = {*state.changes(), *(on for on, _ in moves)}
    found: list[tuple[date, tuple[str, str, str, str]]] = []
    for day in sorted(day for day in days if state.awarded_on <= day < date.max):
        turns = [turn for turn in state.turns if turn.since <= day] or state.turns[:1]
        custodian = [to for on, to in moves if on <= day][-1]
        standing: str = state.standing(day)
        now = state.held_as(day), custodian, standing, turns[-1].through.isoformat()
        if not found or found[-1][1] != now:
            found.append((day, now))
    begins = [begin for begin, _ in found]
    for (begin, now), following in zip(found, [*begins[1:], None], strict=True):
        # Exclusive ends, as the aggregate counts; a bundle says the last day.
        if (last and begin > last) or (first and following and following <= first):
            continue
        ends = [day for day in (following, day_after(last) if last else None) if day]
        yield {
            "from": max(begin, first or begin).isoformat(),
            "to": (min(ends) - timedelta(days=1)).isoformat() if ends else None,
            **dict(zip(("category", "association", "standing", "through"), now, strict=True)),
        }


def _transfer_claim(rows: Sequence[_Stored]) -> dict[str, Any]:
    state = Transfer.fold(row.event for row in rows)
    if state is None:
        raise NotFound("transfer")
    words: list[dict[str, str]] = []
    ended: date | None = None
    moved: tuple[str, ...] = ()
    for event in (row.event for row in rows):
        match event:
            case Transfer.StandingConfirmed():
                words.append(_word(event, "confirmed"))
            case Transfer.StandingDisputed():
                words.append(_word(event, "disputed"))
            case Transfer.LeftUnanswered():
                words.append(_word(event, "unanswered"))
            case Transfer.DisputeDecided():
                words.append(_word(event, f"decided_{'' if event.good_standing else 'not_'}good_standing"))
                ended = None if event.good_standing else event.on
            case Transfer.Completed():
                moved, ended = event.endorsements, event.on
            case Transfer.Declined() | Transfer.Cancelled():
                ended = event.on
    return {
        "transfer": state.name,
        "person": state.person,
        "from": state.from_,
        "to": state.to,
        "endorsements": list(state.numbers),
        "requested_on": state.requested_on.isoformat(),
        "words": words,
        "state": state.state,
        "ended_on": ended.isoformat() if ended else None,
        "moved": list(moved),
        "taken": list(state.taken),
    }


def _word(event: Event, said: str) -> dict[str, str]:
    return {"on": event.on.isoformat(), "said": said, "by": event.by}


# --- the rules cited ---


def _policy(events: Sequence[_Stored]) -> list[dict[str, Any]]:
    """Each edition that a decision in it was taken under, as it stands in our tables, with its source."""
    rows = all_rows()
    cited = {
        edition
        for row in events
        if row.stream.startswith(("endorsement/", "application/")) and (edition := getattr(row.event, "edition", ""))
    }
    found = []
    for name in sorted(cited):
        row = _plain(msgspec.to_builtins(rows[name], order="deterministic")) if name in rows else None
        found.append({"name": name, "row": row, "sources": sorted(set(_sources(row)))})
    return found


def _sources(row: Any) -> Iterator[str]:
    """The keys of the sources that a row and its parts name."""
    if isinstance(row, dict):
        for name, value in row.items():
            if name in ("source", "due_source", "first_source", "day") and isinstance(value, str):
                yield value
            else:
                yield from _sources(value)
    elif isinstance(row, list):
        for value in row:
            yield from _sources(value)


def _plain(value: Any) -> Any:
    """With numbers that are not whole as text: a bundle knows no others."""
    match value:
        case bool() | int() | str() | None:
            return value
        case float():
            return int(value) if value.is_integer() else f"{value:g}"
        case dict():
            return {str(name): _plain(one) for name, one in value.items()}
        case _:
            return [_plain(one) for one in value]


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
