"""What an event is: its base fields, its sealed personal fields, and the table of stable topics."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin, get_type_hints

import msgspec

UNRECORDED = datetime(1, 1, 1, tzinfo=UTC)
"""`recorded_at` of an event that the store has not written yet."""

PersonalClass = Literal["identity", "contact", "demographic", "reference"]

LateReason = Literal[
    "decided_at_a_meeting", "paper_received_late", "service_unavailable", "entered_from_records", "correction"
]
"""Why a past day is recorded now. Codes, never free text: these events hold no personal data."""


class Personal(msgspec.Struct, frozen=True):
    """Marks a field that is stored sealed under its person's key of one class (design section 5)."""

    kind: PersonalClass


class Sealed(msgspec.Struct, frozen=True):
    """A personal field as it is stored: `c` opens with the person's key, `h` commits to the value.

    `h = SHA-256(blind, stream, version, field, value)`, each part length-prefixed; both base64url.
    """

    c: str
    h: str


# What a personal field holds: text before it is stored and after it is opened,
# `Sealed` as loaded, None once its key is destroyed.
Identity = Annotated[str | Sealed | None, Personal("identity")]
Contact = Annotated[str | Sealed | None, Personal("contact")]
Demographic = Annotated[str | Sealed | None, Personal("demographic")]
Rating = Annotated[str | Sealed | None, Personal("reference")]


class Request(msgspec.Struct, frozen=True):
    """The client's Idempotency-Key and an HMAC of the body it came with (design section 4)."""

    key: str
    body: str


class Claims(msgspec.Struct, frozen=True):
    """Names an event takes and gives back: each may be held by one stream at a time."""

    take: tuple[str, ...] = ()
    release: tuple[str, ...] = ()


class _Named(msgspec.Struct, frozen=True, omit_defaults=True):
    originator_id: str
    originator_version: int


class Event(_Named, frozen=True, kw_only=True, omit_defaults=True):
    """One fact. `on` is the day it speaks of, in the association's zone; `by` the actor.

    `recorded_at` (UTC), `request` and `salt` are stamped by the store when it writes.
    """

    topic: ClassVar[str] = ""

    on: date
    by: str
    late: LateReason | None = None
    recorded_at: datetime = UNRECORDED
    request: Request | None = None
    salt: str = ""

    def apply(self, aggregate: Any) -> None:
        """Change the state. Never refuses, reads no clock, asks no policy."""

    def claims(self) -> Claims:
        """The names this fact takes or gives back; of an opened event."""
        return Claims()


# Topics of old shapes -> the present topic and a function on the stored state (a plain dict).
# An event type, once stored, loads for ever: a changed shape gets a new topic (`endorsement.renewed.v2`)
# and a line here, never an edit.
UPCASTERS: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {}


def _subclasses(cls: type[Event]) -> Iterator[type[Event]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


@cache
def topics() -> dict[str, type[Event]]:
    """Every topic and its event class. Import the aggregates first (`import domain.events`)."""
    table: dict[str, type[Event]] = {}
    for sub in _subclasses(Event):
        if not sub.topic or sub.topic in table:
            raise TypeError(f"{sub.__qualname__}: a topic is missing or taken: {sub.topic!r}")
        table[sub.topic] = sub
    return table


@cache
def personal_fields(kind: type[Event]) -> dict[str, PersonalClass]:
    """The personal fields of an event class and the key class each is sealed under."""
    fields: dict[str, PersonalClass] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if get_origin(hint) is Annotated:
            fields.update((name, mark.kind) for mark in get_args(hint)[1:] if isinstance(mark, Personal))
    return fields


def subject(event: Event) -> str:
    """Whose keys seal this event's personal fields: a person's, a reference's, an employer's, or its own `keyring`."""
    if keyring := getattr(event, "keyring", ""):
        return str(keyring)
    kind, _, name = event.originator_id.partition("/")
    return name if kind in ("person", "reference", "employer") else str(getattr(event, "person", ""))
