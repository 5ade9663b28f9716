"""The registry of one life, in memory: deeds load from it and save into it, and nothing is written yet."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import force_setattr

from domain.aggregate import Aggregate
from domain.association import Association
from domain.errors import Taken
from domain.event import Claims, Event, PersonalClass, Request, subject
from domain.reference import Reference, references_of
from registry.commands import Registry
from registry.settings import Settings
from registry.store import Recorded, Store
from registry.vault import CLASSES, Clock, Random, Vault, text_fields

A = TypeVar("A", bound=Aggregate)
E = TypeVar("E", bound=Event)

_KEY = 32
_Pair = tuple[str, PersonalClass]  # a person and a class


class KeyRow(NamedTuple):
    """A row of `vault.person_keys`."""

    person: str
    kind: str
    wrapped: bytes | None
    created_at: datetime
    destroyed_at: datetime | None


class Held(NamedTuple):
    """A claim and the event that took it, counted from 0; a request's body and how many events it recorded."""

    stream: str
    by: int
    body: str | None = None
    events: int | None = None


class _Stream(NamedTuple):
    """Events, their moments, and what was folded of the first so many."""

    events: list[Event]
    moments: list[datetime]
    folded: dict[int, Aggregate | None]


class Past:
    """Streams that many lives look at and none writes to: each as it was at a moment."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._claims: dict[str, tuple[datetime, str]] = {}
        self._folders: dict[str, list[tuple[datetime, str]]] = {}
        self._associations: dict[str, tuple[datetime, Association | None]] = {}

    def beside(self) -> Past:
        """One of its own, of the same streams, to which more can be added."""
        past = Past()
        past._streams = dict(self._streams)
        past._claims = dict(self._claims)
        past._folders = {folder: list(names) for folder, names in self._folders.items()}
        return past

    def add(self, memory: Memory) -> None:
        """Take over what a life has recorded."""
        for event in memory.history:
            stream = self._streams.setdefault(event.originator_id, _Stream([], [], {}))
            stream.events.append(event)
            stream.moments.append(event.recorded_at)
        for name, held in memory.claims.items():
            if held.body is not None:
                continue  # no request comes twice
            taken = memory.history[held.by].recorded_at
            self._claims[name] = (taken, held.stream)
            folder, _, last = name.rpartition("/")
            self._folders.setdefault(folder, []).append((taken, last))

    def events(self, stream: str, at: datetime) -> list[Event]:
        found = self._streams.get(stream)
        return found.events[: bisect.bisect_right(found.moments, at)] if found else []

    def find(self, kind: type[A], stream: str, at: datetime) -> A | None:
        past = self._streams.get(stream)
        if past is None:
            return None
        count = bisect.bisect_right(past.moments, at)
        if count not in past.folded:
            past.folded[count] = kind.fold(past.events[:count])
        found = past.folded[count]
        return found if isinstance(found, kind) else None

    def association(self, code: str, at: datetime) -> Association | None:
        """As `find`; most ask of the same moment again."""
        known = self._associations.get(code)
        if known is None or known[0] is not at:
            found = self.find(Association, f"{Association.kind}/{code}", at)
            self._associations[code] = known = (at, found)
        return known[1]

    def holder(self, claim: str, at: datetime) -> str | None:
        """Of what is held to this day; what was given back meanwhile is not known."""
        held = self._claims.get(claim)
        return held[1] if held and held[0] <= at else None

    def claimed(self, folder: str, at: datetime) -> list[str]:
        names = self._folders.get(folder)
        return [name for taken, name in names if taken <= at] if names else []


class Keys(Vault):
    """A vault that makes its keys in memory; `rows` are to be written all at once."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, random=self._drawn, clock=lambda: self.moment)
        self.begin(bytes)

    def _drawn(self, size: int) -> bytes:
        return self.draw(size)

    def begin(self, draw: Random) -> None:
        """Forget the life before; keys, blinds and nonces are drawn from here."""
        self.draw = draw
        self.moment = datetime.min.replace(tzinfo=UTC)
        self._made: dict[_Pair, AESGCM | None] = {}
        self.rows: dict[tuple[str, str], KeyRow] = {}
        self.destroyed: dict[tuple[str, str], datetime] = {}
        self._fingerprints: dict[tuple[str, bytes | str], str] = {}

    def seal_at(self, event: E) -> E:
        """Seal an event; a key that it is the first to need is of its moment."""
        if not (fields := text_fields(event)):
            return event
        person, made = subject(event), self._made
        for _, kind in fields:
            if (person, kind) not in made:
                self._make(person, kind, event.recorded_at)
        return self._seal(event, fields, made)

    def _make(self, person: str, kind: PersonalClass, moment: datetime) -> None:
        key = self.draw(_KEY)
        self._made[person, kind] = AESGCM(key)
        self.rows[person, kind] = KeyRow(person, kind, self._wrap(person, kind, key), moment, None)

    def fingerprint(self, purpose: str, data: bytes | str) -> str:
        """A life asks for few, again and again."""
        made = self._fingerprints.get((purpose, data))
        if made is None:
            made = self._fingerprints[purpose, data] = super().fingerprint(purpose, data)
        return made

    def open_all(self, events: Sequence[E]) -> list[E]:
        """Nothing in memory is sealed yet."""
        return list(events)

    def erase(self, person: str, kinds: Iterable[PersonalClass] = CLASSES) -> None:
        self.destroyed |= {(person, kind): self.moment for kind in kinds}

    def is_erased(self, person: str, kind: PersonalClass = "identity") -> bool:
        return (person, kind) in self.destroyed

    def finished(self) -> list[KeyRow]:
        """The rows as the vault holds them in the end."""
        for (person, kind), moment in self.destroyed.items():
            made = self.rows.get((person, kind))
            self.rows[person, kind] = KeyRow(person, kind, None, made.created_at if made else moment, moment)
        return list(self.rows.values())


class Deeds(Registry):
    """The registry's deeds on what is in memory, where nothing is sealed and every aggregate is as it stands."""

    store: Memory

    def __init__(self, store: Memory, *, clock: Clock, draw: Random, kid: Callable[[], str]) -> None:
        super().__init__(store, clock=clock, draw=draw, kid=kid)
        self._codes: dict[tuple[str, int], str] = {}

    def association(self, code: str) -> Association:
        """Asked for by every deed, and nobody's but the past's."""
        return self.store.past.association(code, self.clock()) or super().association(code)

    def rating_code(self, reference: str, version: int) -> str:
        """Made when it is asked for, and used when it is answered."""
        if (made := self._codes.get((reference, version))) is None:
            made = self._codes[reference, version] = super().rating_code(reference, version)
        return made

    def references_of(self, person: str) -> list[Reference]:
        return [self.store.get(Reference, name) for name in self.store.claimed(references_of(person))]


class Memory(Store):
    """What one life recorded, event after event, and what it sees of the past it shares with others."""

    def __init__(self, vault: Keys, past: Past, *, random: Random, clock: Clock) -> None:
        self.vault = vault
        self.past = past
        self._random = random
        self._clock = clock
        self._aggregates: dict[str, Aggregate] = {}
        self._streams: dict[str, list[tuple[int, Event]]] = {}
        self.claims: dict[str, Held] = {}
        # Whatever stands in a folder of claims.
        self._folders: dict[str, set[str]] = {}
        self.history: list[Event] = []

    def close(self) -> None:
        """Nothing is open."""

    def find(self, kind: type[A], name: str) -> A | None:
        stream = f"{kind.kind}/{name}"
        own = self._aggregates.get(stream)
        if own is None:
            return self.past.find(kind, stream, self._clock())
        own.late = None
        return own if isinstance(own, kind) else None

    def save(self, *aggregates: Aggregate, request: Request | None = None) -> Recorded:
        events: list[Event] = []
        for aggregate in aggregates:
            self._aggregates[aggregate.stream] = aggregate
            events += aggregate.pending
            aggregate.pending = []
        return self.record(events, request)

    def record(self, events: Sequence[Event], request: Request | None = None) -> Recorded:
        first = len(self.history)
        stamped = self._stamped(events, request)
        for number, event in enumerate(stamped, start=first):
            claims = event.claims()
            if claims.take or claims.release:
                self._claim(claims, event.originator_id, number)
            self._streams.setdefault(event.originator_id, []).append((number + 1, event))
        self.history += stamped
        if request and stamped:
            name = f"request/{stamped[0].by}/{request.key}"
            self._take(name, Held(stamped[0].originator_id, first, request.body, len(stamped)))
        return Recorded(list(range(first + 1, len(self.history) + 1)), stamped)

    def _stamped(self, events: Sequence[E], request: Request | None) -> list[E]:
        """Nobody else has seen these events: stamp them as they are, several times faster than copies."""
        moment = self._clock()
        for event in events:
            force_setattr(event, "recorded_at", moment)
            force_setattr(event, "salt", self._salt())
            if request:
                force_setattr(event, "request", request)
        return list(events)

    def _claim(self, claims: Claims, stream: str, number: int) -> None:
        for name in claims.release:
            if (held := self.claims.get(name)) and held.stream == stream:
                del self.claims[name]
                folder, _, last = name.rpartition("/")
                self._folders[folder].remove(last)
        for name in claims.take:
            held = self.claims.get(name)
            if held is None:
                self._take(name, Held(stream, number))
            elif held.stream != stream:
                raise Taken(f"{name.partition('/')[0]} is held by another case.", claim=name.partition("/")[0])

    def _take(self, name: str, held: Held) -> None:
        self.claims[name] = held
        folder, _, last = name.rpartition("/")
        self._folders.setdefault(folder, set()).add(last)

    def earlier(self, request: Request, by: str) -> Recorded | None:  # noqa: ARG002 - as a store is asked
        """No request comes twice in a made-up world."""
        return None

    def events(self, stream: str) -> list[tuple[int, Event]]:
        if stream in self._streams:
            return self._streams[stream]
        return list(enumerate(self.past.events(stream, self._clock()), start=1))

    def end_access(self, person: str) -> None:
        """Nobody has come in yet."""

    def position(self) -> int:
        return len(self.history)

    def streams_of(self, topic: str, field: str, value: str) -> list[str]:
        """Of this life: whoever draws from a whole association is all there is of it."""
        return sorted(
            {
                event.originator_id
                for event in self.history
                if event.topic == topic and str(getattr(event, field)) == value
            }
        )

    def holder(self, claim: str) -> str | None:
        held = self.claims.get(claim)
        return held.stream if held else self.past.holder(claim, self._clock())

    def claimed(self, folder: str) -> list[str]:
        own = self._folders.get(folder)
        return sorted(own or self.past.claimed(folder, self._clock()))
