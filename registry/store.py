"""The event store: aggregates in, facts out, each at one position of one history."""

import os
import time
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

import msgspec
import psycopg
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import EventStore, Mapper, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from msgspec.structs import force_setattr
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from domain import event as events_module
from domain.aggregate import Aggregate
from domain.errors import Conflict, NotFound, Refused, Taken
from domain.event import Event, Request
from registry import database
from registry.database import Pool, Unanswered, Unavailable
from registry.settings import Settings
from registry.together import Together
from registry.vault import Clock, Random, Vault, now

__all__ = ["KeyReused", "Recorded", "Rehearsal", "Store", "Unavailable"]

A = TypeVar("A", bound=Aggregate)
E = TypeVar("E", bound=Event)

SALT = 16
APPEND_LOCK = 71630001
_PAGE = 5000
# As many facts as a refusal tells.
_TOLD = 20
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_NO_IDS = b'{"originator_id":"","originator_version":0,'
# What fails within this many seconds was a connection that had ended, not a silent server.
_AT_ONCE = 0.5


class KeyReused(Conflict):
    """The Idempotency-Key came before with another body."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request. Take a new one.", field="Idempotency-Key")


class Recorded(NamedTuple):
    """What a command recorded: the events as stored (sealed), each with its position.

    `secret`: what it made and nothing keeps, to be shown this once; empty when the request was repeated.
    """

    positions: list[int]
    events: list[Event]
    repeated: bool = False
    secret: str = ""

    def telling(self, secret: str) -> "Recorded":
        """As this, with a secret it made, unless these are the events of an earlier request."""
        return self if self.repeated else self._replace(secret=secret)

    @property
    def position(self) -> int:
        """The last position, to wait for; 0 when nothing was recorded."""
        return self.positions[-1] if self.positions else 0


class EventMapper(Mapper[str]):
    """Events as the bytes that are stored, hashed and published: UTF-8 JSON without the two id columns."""

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._decoders: dict[str, Callable[[bytes], Event]] = {}

    def __reduce__(self) -> tuple[type["EventMapper"], tuple[()]]:
        """Another process makes its own: decoders do not travel."""
        return EventMapper, ()

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        event = domain_event
        if not isinstance(event, Event):
            raise TypeError(f"{type(event).__qualname__} is no event of ours")
        stream, version = event.originator_id, event.originator_version
        # The ids are the first two fields, so that the rest of the bytes is the state.
        state = b"{" + self._encode(event)[len(self._ids(stream, version)) + 1 :]
        return StoredEvent(stream, version, event.topic, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        return self.load(
            str(stored_event.originator_id), stored_event.originator_version, stored_event.topic, stored_event.state
        )

    def load(self, stream: str, version: int, topic: str, state: bytes) -> Event:
        decode = self._decoders.get(topic) or self._decoder(topic)
        event = decode(_NO_IDS + state[1:])
        # It is nobody's yet: cheaper than to write the ids as JSON and read them again.
        force_setattr(event, "originator_id", stream)
        force_setattr(event, "originator_version", version)
        return event

    def _ids(self, stream: str, version: int) -> bytes:
        return b'{"originator_id":%b,"originator_version":%d' % (self._encode(stream), version)

    def _decoder(self, topic: str) -> Callable[[bytes], Event]:
        present, steps = topic, []
        while step := events_module.UPCASTERS.get(present):
            present, upcast = step
            steps.append(upcast)
        if present not in events_module.topics():
            # Classes may have been imported since the table was made.
            events_module.topics.cache_clear()
        kind = events_module.topics().get(present)
        if kind is None:
            raise LookupError(f"no event has the topic {present!r}")
        typed = msgspec.json.Decoder(kind)
        decode: Callable[[bytes], Event] = typed.decode
        if steps:
            untyped = msgspec.json.Decoder(dict[str, Any])

            def decode(data: bytes) -> Event:
                facts = untyped.decode(data)
                for upcast in steps:
                    facts = upcast(facts)
                return msgspec.convert(facts, kind)

        self._decoders[topic] = decode
        return decode


class _Datastore(PostgresDatastore):
    """The library's datastore on our pool and our tables."""

    def __init__(self, pool: Pool) -> None:
        super().__init__("", "", "", "", "", schema="registry", originator_id_type="text")
        self._ours = pool

    def register_type_adapters(self) -> None:
        """Nothing to do: `append` takes no composite type, and starting needs no connection."""

    @contextmanager
    def get_connection(self) -> Iterator[Connection[DictRow]]:
        with self._ours.connection() as connection:
            connection.row_factory = dict_row
            try:
                yield connection
            finally:
                connection.row_factory = psycopg.rows.tuple_row


_APPEND = """
SELECT first_position, event_count, repeated, NULL, NULL
FROM registry.append(
    %b::text[], %b::bigint[], %b::text[], %b::bytea[], %b::integer[], %b::text[], %b::boolean[], %b, %b, %b
)
"""
_APPEND_EACH = """
SELECT first_position, event_count, repeated, refused, about
FROM registry.append_each(
    %b::integer[], %b::integer[], %b::text[], %b::bigint[], %b::text[], %b::bytea[],
    %b::integer[], %b::text[], %b::boolean[], %b::text[], %b::text[], %b::text[]
)
"""


class Appended(NamedTuple):
    """Where it stands: first position, how many events, and whether an earlier request had done it."""

    first: int
    events: int
    repeated: bool


class _Command(NamedTuple):
    """What one command appends. Each claim: number of its event, name, taken (or released)."""

    stored: Sequence[StoredEvent]
    claims: Sequence[tuple[int, str, bool]]
    actor: str
    request: str
    body: str


class Recorder(PostgresApplicationRecorder):
    """The library's recorder; appends by one call of `registry.append`, and never twice.

    The library repeats a failed append ten times. After a lost answer that turns a success into a conflict.
    Commands of several threads that meet share a commit; each is done or refused as if it were alone.
    """

    def __init__(self, pool: Pool) -> None:
        super().__init__(_Datastore(pool), events_table_name="events")
        self._pool = pool
        self._together = Together(self._append_each)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        first, count, _repeated = self.append(stored_events)
        return range(first, first + count)

    def append(
        self,
        stored: Sequence[StoredEvent],
        claims: Sequence[tuple[int, str, bool]] = (),
        *,
        actor: str = "",
        request: Request | None = None,
    ) -> Appended:
        """Raises Conflict, Taken, KeyReused; Unanswered when it is not known whether it was done."""
        key, body = (request.key, request.body) if request else ("", "")
        return self._together.do(_Command(stored, claims, actor, key, body))

    def _append_each(self, commands: Sequence[_Command]) -> Sequence[Appended | Exception]:
        try:
            return self._in_one_commit(commands)
        except psycopg.DatabaseError:
            if len(commands) == 1:
                raise
        # One of them is nothing the database can take, and kept the others from being recorded.
        return [self._alone(command) for command in commands]

    def _alone(self, command: _Command) -> Appended | Exception:
        try:
            (answer,) = self._in_one_commit([command])
        except (psycopg.DatabaseError, Unavailable) as error:
            return error
        return answer

    def _in_one_commit(self, commands: Sequence[_Command]) -> Sequence[Appended | Exception]:
        stored = [event for command in commands for event in command.stored]
        before = accumulate((len(command.stored) for command in commands), initial=0)
        claims = [
            (already + number, name, take)
            for already, command in zip(before, commands, strict=False)
            for number, name, take in command.claims
        ]
        columns = [
            [event.originator_id for event in stored],
            [event.originator_version for event in stored],
            [event.topic for event in stored],
            [event.state for event in stored],
            [number for number, _, _ in claims],
            [name for _, name, _ in claims],
            [take for _, _, take in claims],
        ]
        if len(commands) == 1:
            (one,) = commands
            statement, parameters = _APPEND, [*columns, one.actor, one.request, one.body]
        else:
            statement, parameters = (
                _APPEND_EACH,
                [
                    [len(command.stored) for command in commands],
                    [len(command.claims) for command in commands],
                    *columns,
                    [command.actor for command in commands],
                    [command.request for command in commands],
                    [command.body for command in commands],
                ],
            )
        try:
            with self._pool.connection() as connection:
                rows = connection.execute(statement, parameters, prepare=True, binary=True).fetchall()
        except psycopg.DatabaseError as error:
            refused = _refused(error.sqlstate, error.diag.message_primary)
            if refused is None or len(commands) > 1:
                raise
            return [refused]
        return [_refused(refused, about) or Appended(*where) for *where, refused, about in rows]


def _refused(sqlstate: str | None, about: str | None) -> Refused | None:
    """What `registry.append` says by raising this."""
    match sqlstate:
        case "ER001":
            return KeyReused()
        case "ER002":
            return _taken(about or "")
        case "ER004" | "23505":  # unique_violation
            return _changed()
    return None


def _changed() -> Conflict:
    return Conflict("Somebody else changed this first. Look again and repeat.")


def _in_words(topic: str) -> str:
    return topic.partition(".")[2].replace("_", " ")


def _taken(kind: str) -> Taken:
    return Taken(f"This {kind.replace('_', ' ')} is held by another case.", claim=kind)


class Store:
    """Loads aggregates, and records what they decided."""

    def __init__(self, settings: Settings, vault: Vault, *, random: Random = os.urandom, clock: Clock = now) -> None:
        self._settings = settings
        self.vault = vault
        self._random = random
        self._clock = clock
        self._pool = Pool(lambda: database.url(settings, "writer"))
        self.mapper = EventMapper()
        self.recorder = Recorder(self._pool)
        self.event_store: EventStore[str] = EventStore(self.mapper, self.recorder)

    def close(self) -> None:
        self._pool.close()

    # --- aggregates

    def get(self, kind: type[A], name: str) -> A:
        found = self.find(kind, name)
        if found is None:
            raise NotFound(kind.kind)
        return found

    def find(self, kind: type[A], name: str) -> A | None:
        return kind.fold(event for _, event in self.events(f"{kind.kind}/{name}"))

    def save(self, *aggregates: Aggregate, request: Request | None = None) -> Recorded:
        """Record what these aggregates decided, all or nothing.

        After a refusal load them again: their new events are used up.
        """
        events = [event for aggregate in aggregates for event in aggregate.collect_events()]
        try:
            return self.record(events, request)
        except KeyReused:
            raise
        except Conflict:
            seen: dict[str, int] = {}
            for event in events:
                seen.setdefault(event.originator_id, event.originator_version - 1)
            raise self.changed_since(seen) from None

    def changed_since(self, known: Mapping[str, int], /, **facts: Any) -> Conflict:
        """The conflict that says what happened in these streams after the versions that were known."""
        changed: list[dict[str, Any]] = [
            {"stream": stream, "version": event.originator_version, "topic": event.topic, "on": event.on.isoformat()}
            for stream, version in known.items()
            for _, event in self._select(
                "originator_id = %s AND originator_version > %s ORDER BY originator_version", stream, version
            )
        ]
        words = ", ".join(f"{_in_words(fact['topic'])} ({fact['on']})" for fact in changed[:_TOLD])
        since = f" Since then: {words}{', and more' if len(changed) > _TOLD else ''}." if words else ""
        return Conflict(
            f"Somebody else changed this first.{since} Look again and repeat.", changed=changed[:_TOLD], **facts
        )

    def record(self, events: Sequence[Event], request: Request | None = None) -> Recorded:
        """Record plain events in this order, all or nothing."""
        if not events:
            return Recorded([], [])
        sealed = self.vault.seal_all(self._stamped(events, request))
        stored = [self.mapper.to_stored_event(event) for event in sealed]
        actor = events[0].by
        try:
            first, count, repeated = self.recorder.append(stored, _claims(events), actor=actor, request=request)
        except Unanswered as lost:
            # It may have been recorded all the same; then this is the answer.
            try:
                found = self._after_a_lost_answer(request, actor) if request else None
            except Unavailable as away:
                raise lost from away  # nobody can say: it is not known to have failed
            if found is None:
                raise
            return found._replace(repeated=found.events[0].salt != sealed[0].salt)
        if repeated:
            earlier = self._between(first, first + count - 1)
            return Recorded([position for position, _ in earlier], [event for _, event in earlier], repeated=True)
        return Recorded(list(range(first, first + count)), sealed)

    def _stamped(self, events: Sequence[E], request: Request | None) -> list[E]:
        moment = self._clock()
        return [
            msgspec.structs.replace(event, recorded_at=moment, salt=self._salt(), request=request) for event in events
        ]

    def _salt(self) -> str:
        return b2a_base64(self._random(SALT), newline=False).translate(_URL_SAFE)[:-2].decode()  # of 16 bytes: two "="

    # --- requests that came before

    def earlier(self, request: Request, by: str) -> Recorded | None:
        """What this request recorded when it came before. Raises KeyReused if its body was another."""
        with self._pool.connection() as connection:
            return self._earlier(connection, request, by)

    def _earlier(self, connection: database.Connection, request: Request, by: str) -> Recorded | None:
        rows = connection.execute(
            "SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state, c.body"
            " FROM registry.claims AS c JOIN registry.events AS e"
            " ON e.notification_id BETWEEN c.position AND c.position + c.events - 1"
            " WHERE c.name = %s ORDER BY e.notification_id",
            [_request_claim(request, by)],
            binary=True,
        ).fetchall()
        if not rows:
            return None
        if rows[0][5] != request.body:
            raise KeyReused
        return Recorded([row[0] for row in rows], [self.mapper.load(*row[1:5]) for row in rows], repeated=True)

    def _after_a_lost_answer(self, request: Request, by: str) -> Recorded | None:
        with (
            database.connection(database.url(self._settings, "writer")) as connection,
            connection.transaction(),
        ):
            # If the lost append still runs, this waits for its end.
            connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", [APPEND_LOCK])
            return self._earlier(connection, request, by)

    # --- reading

    def events(self, stream: str) -> list[tuple[int, Event]]:
        """Position and event of a stream, in order, still sealed."""
        return self._select("originator_id = %s ORDER BY originator_version", stream)

    def events_of_kind(self, kind: type[Aggregate]) -> list[tuple[int, Event]]:
        """As `events`, of all streams of a kind, one stream after the other: for kinds that have few."""
        # In the order of bytes "0" follows "/".
        return self._select(
            "originator_id > %s AND originator_id < %s ORDER BY originator_id, originator_version",
            f"{kind.kind}/",
            f"{kind.kind}0",
        )

    def events_of(self, streams: Sequence[str]) -> list[tuple[int, Event]]:
        """As `events`, of these streams, one after the other in the order of their names."""
        return self._select("originator_id = ANY(%s) ORDER BY originator_id, originator_version", list(streams))

    def changed(
        self, streams: Sequence[str], topics: Sequence[str], after: int, limit: int, *, newest: bool = False
    ) -> list[tuple[int, str]]:
        """Position and stream of events of these topics in these streams after a position: the first, or the newest."""
        order = "DESC" if newest else "ASC"
        rows = self._ask(
            "SELECT notification_id, originator_id FROM registry.events WHERE originator_id = ANY(%s)"
            f" AND topic = ANY(%s) AND notification_id > %s ORDER BY notification_id {order} LIMIT %s",
            list(streams),
            list(topics),
            after,
            limit,
        )
        return [(position, stream) for position, stream in rows]

    def changed_between(self, topics: Sequence[str], after: int, last: int) -> list[tuple[int, str]]:
        """Position and stream of the events of these topics after a position up to another, in order."""
        rows = self._ask(
            "SELECT notification_id, originator_id FROM registry.events WHERE notification_id > %s"
            " AND notification_id <= %s AND topic = ANY(%s) ORDER BY notification_id",
            after,
            last,
            list(topics),
        )
        return [(position, stream) for position, stream in rows]

    def events_on(self, topic: str) -> list[tuple[int, Event]]:
        """All events of a topic, in order of position; reads the whole history unless an index knows the topic."""
        # Not a parameter: an index over one topic serves only a statement that names it.
        return self._select(f"topic = '{_plain(topic)}' ORDER BY notification_id")

    def at(self, position: int) -> tuple[int, Event]:
        for found in self._between(position, position):
            return found
        raise NotFound("event")

    def _between(self, first: int, last: int) -> list[tuple[int, Event]]:
        return self._select("notification_id BETWEEN %s AND %s ORDER BY notification_id", first, last)

    def _select(self, which: str, *parameters: object) -> list[tuple[int, Event]]:
        rows = self._ask(_SELECT + which, *parameters)
        return [(position, self.mapper.load(*row)) for position, *row in rows]

    def _ask(self, question: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Asked again, once, when the connection turns out to have ended while it was idle: reading may be repeated."""
        begun = time.monotonic()
        try:
            return self._ask_once(question, parameters)
        except Unanswered:
            if time.monotonic() - begun > _AT_ONCE:
                raise  # the server is silent; the request has no time for more
            return self._ask_once(question, parameters)

    def _ask_once(self, question: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._pool.connection() as connection:
            return connection.execute(question, parameters, prepare=True, binary=True).fetchall()

    def position(self) -> int:
        """The last position; 0 of an empty history."""
        ((last,),) = self._ask("SELECT coalesce(max(notification_id), 0) FROM registry.events")
        return int(last)

    def holder(self, claim: str) -> str | None:
        """The stream that holds this name now."""
        found = self._ask("SELECT stream FROM registry.claims WHERE name = %s", claim)
        return found[0][0] if found else None

    def claimed(self, folder: str) -> list[str]:
        """The names that begin with this and a slash, without both, in order: `held/<person>` gives numbers."""
        # In the order of bytes "0" follows "/".
        found = self._ask(
            "SELECT name FROM registry.claims WHERE name > %s AND name < %s ORDER BY name", f"{folder}/", f"{folder}0"
        )
        return [name.removeprefix(f"{folder}/") for (name,) in found]

    def streams_of(self, topic: str, field: str, value: str) -> list[str]:
        """The streams with an event of this topic whose plain field has this value, in order; reads the whole history.

        For deeds that are rare and must miss nothing, such as drawing a sample.
        """
        found = self._ask(
            "SELECT DISTINCT originator_id FROM registry.events WHERE topic = %s"
            " AND convert_from(state, 'UTF8')::jsonb ->> %s = %s ORDER BY originator_id",
            topic,
            field,
            value,
        )
        return [stream for (stream,) in found]

    def readings_of(self, day: date) -> list[tuple[str, str, str]]:
        """Actor, record and reason of each reading of confidential data on a day (UTC)."""
        rows = self._ask("SELECT actor, record, reason FROM service.access WHERE day = %s", day)
        return [(actor, record, reason) for actor, record, reason in rows]

    def note_reading(self, actor: str, record: str, reason: str) -> None:
        """Once for each actor, record and day (UTC): before confidential data is read, outside the log."""
        with self._pool.connection() as connection:
            connection.execute(
                "INSERT INTO service.access (actor, record, day, reason) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                [actor, record, self._clock().date(), reason],
            )

    def end_access(self, person: str) -> None:
        """Nobody comes in as this person any more: their keys, links and sessions end."""
        with self._pool.connection() as connection:
            connection.execute(
                "UPDATE service.api_keys SET withdrawn_at = %s WHERE person = %s AND withdrawn_at IS NULL",
                [self._clock(), person],
            )
            connection.execute("UPDATE service.entries SET used_at = %s WHERE person = %s AND used_at IS NULL",
                               [self._clock(), person])  # fmt: skip
            connection.execute("DELETE FROM service.sessions WHERE person = %s", [person])

    # --- how far employers were told, and how often shared links were opened: outside the log

    def delivery(self, employer: str) -> tuple[Any, ...] | None:
        """cursor, handled, attempts, failing_since, next_at, answer, delivered_at."""
        rows = self._ask(
            "SELECT cursor, handled, attempts, failing_since, next_at, answer, delivered_at"
            " FROM service.deliveries WHERE employer = %s",
            employer,
        )
        return rows[0] if rows else None

    def note_delivery(self, employer: str, *state: object) -> None:
        """The columns that `delivery` gives."""
        with self._pool.connection() as connection:
            connection.execute(
                "INSERT INTO service.deliveries (employer, cursor, handled, attempts, failing_since, next_at, answer,"
                " delivered_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (employer) DO UPDATE SET"
                " cursor = excluded.cursor, handled = excluded.handled, attempts = excluded.attempts,"
                " failing_since = excluded.failing_since, next_at = excluded.next_at, answer = excluded.answer,"
                " delivered_at = excluded.delivered_at",
                [employer, *state],
            )

    def forget_deliveries(self, employer: str) -> None:
        with self._pool.connection() as connection:
            connection.execute("DELETE FROM service.deliveries WHERE employer = %s", [employer])

    def note_opening(self, link: str) -> None:
        """Once more today (UTC); nothing of who opened it."""
        with self._pool.connection() as connection:
            connection.execute(
                "INSERT INTO service.openings AS o (link, day, times) VALUES (%s, %s, 1)"
                " ON CONFLICT (link, day) DO UPDATE SET times = o.times + 1",
                [link, self._clock().date()],
            )

    def openings(self, links: Sequence[str]) -> list[tuple[str, date, int]]:
        """Link, day and how often, newest first."""
        rows = self._ask(
            "SELECT link, day, times FROM service.openings WHERE link = ANY(%s) ORDER BY day DESC, link", list(links)
        )
        return [(link, day, times) for link, day, times in rows]

    def opened(self, event: E) -> E:
        """The event with its personal fields as text, None where the key is destroyed."""
        return self.vault.open(event)

    # --- derived state

    def rebuild_claims(self) -> int:
        """Compute the claims from the events again, while appends wait; gives how many there are.

        Needs the owner's role. Raises Conflict if two streams hold one name.
        """
        with (
            psycopg.connect(database.url(self._settings, "owner"), connect_timeout=10) as connection,
            connection.cursor(binary=True) as cursor,
        ):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [APPEND_LOCK])
            held = _fold_claims(self._opened_pages(cursor))
            cursor.execute("DELETE FROM registry.claims")
            with cursor.copy("COPY registry.claims (name, stream, position, body, events) FROM STDIN") as copy:
                for name, claim in held.items():
                    copy.write_row((name, *claim))
        return len(held)

    def _opened_pages(self, cursor: psycopg.Cursor[Any]) -> Iterator[tuple[int, Event]]:
        last = 0
        while True:
            cursor.execute(_SELECT + "notification_id > %s ORDER BY notification_id LIMIT %s", [last, _PAGE])
            rows = cursor.fetchall()
            if not rows:
                return
            last = rows[-1][0]
            events = [self.mapper.load(*row[1:]) for row in rows]
            yield from zip((row[0] for row in rows), self.vault.open_all(events), strict=True)


class Rehearsal(Store):
    """A store that reads and writes nothing: for a dry run, in which everything else is judged as it would be."""

    def record(self, events: Sequence[Event], request: Request | None = None) -> Recorded:  # noqa: ARG002 # as Store's
        return Recorded([], list(events))


def _plain(topic: str) -> str:
    if topic not in events_module.topics():
        raise LookupError(f"no event has the topic {topic!r}")
    return topic


_SELECT = """
SELECT notification_id, originator_id, originator_version, topic, state FROM registry.events WHERE """


def _request_claim(request: Request, by: str) -> str:
    return f"request/{by}/{request.key}"


def _claims(events: Iterable[Event]) -> list[tuple[int, str, bool]]:
    """Number of the event (from 1), name, taken: in the order in which they are to happen."""
    found: list[tuple[int, str, bool]] = []
    for number, event in enumerate(events, start=1):
        claims = event.claims()
        found += [(number, name, False) for name in claims.release]
        found += [(number, name, True) for name in claims.take]
    return found


class _Held(NamedTuple):
    stream: str
    position: int
    body: str | None = None
    events: int | None = None


def _fold_claims(history: Iterable[tuple[int, Event]]) -> dict[str, _Held]:
    held: dict[str, _Held] = {}
    request: tuple[Request, datetime] | None = None
    name = ""
    for position, event in history:
        for _, claim, take in _claims([event]):
            if take:
                holder = held.setdefault(claim, _Held(event.originator_id, position))
                if holder.stream != event.originator_id:
                    raise _taken(claim.partition("/")[0])
            elif claim in held and held[claim].stream == event.originator_id:
                del held[claim]
        # The events of one request follow each other and were written in one moment.
        if event.request is None:
            request = None
        elif request == (event.request, event.recorded_at):
            held[name] = held[name]._replace(events=(held[name].events or 0) + 1)
        else:
            request = (event.request, event.recorded_at)
            name = _request_claim(event.request, event.by)
            held[name] = _Held(event.originator_id, position, event.request.body, 1)
    return held
