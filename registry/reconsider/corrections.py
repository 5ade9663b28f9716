"""An event as somebody says it should have been: read from a file, checked, and held in memory only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.errors import Invalid
from domain.event import Event, personal_fields
from registry.reconsider.rules import read_object
from registry.store import Store

_FIXED = frozenset({"by", "late", "recorded_at", "request", "salt", "originator_id", "originator_version"})
_EXAMPLE = '{"stream": "person/...", "version": 7, "fields": {"fact": {"hours": 20}}}'


class _Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stream: str
    version: int
    fields: dict[str, Any]


def read_corrections(text: str, store: Store) -> dict[tuple[str, int], Event]:
    """One correction, or a list of them under `corrections`. Raises Invalid, which names the field."""
    given = read_object(text, "correct")
    listed = given["corrections"] if set(given) == {"corrections"} else [given]
    if not isinstance(listed, list) or not listed:
        raise Invalid(f"Give one correction, or a list under `corrections`, such as {_EXAMPLE}.", field="corrections")
    found: dict[tuple[str, int], Event] = {}
    for one in listed:
        try:
            correction = msgspec.convert(one, _Correction)
        except msgspec.ValidationError:
            raise Invalid(
                f"A correction has stream, version and fields, such as {_EXAMPLE}.", field="correct"
            ) from None
        found[correction.stream, correction.version] = _righted(correction, store)
    return found


def _righted(correction: _Correction, store: Store) -> Event:
    events = {event.originator_version: event for _, event in store.events(correction.stream)}
    event = events.get(correction.version)
    if event is None:
        last = f"its last version is {max(events)}" if events else "there is no such stream"
        raise Invalid(f"{correction.stream} has no version {correction.version}; {last}.", field="version")
    kind, sealed = type(event), personal_fields(type(event))
    known = {field.encode_name for field in msgspec.structs.fields(kind)} - _FIXED - sealed.keys()
    if not correction.fields:
        raise Invalid(f"Say what is to change; {event.topic} has {', '.join(sorted(known))}.", field="fields")
    for name in correction.fields:
        if name in sealed:
            raise Invalid(f"{name} is sealed, and nothing is decided on it; leave it out.", field=f"fields.{name}")
        if name not in known:
            raise Invalid(
                f"{event.topic} has no field {name}; it has {', '.join(sorted(known))}.", field=f"fields.{name}"
            )
    stored = msgspec.json.decode(msgspec.json.encode(event))
    merged = _merged(stored, correction.fields)
    try:
        righted = msgspec.json.decode(msgspec.json.encode(merged), type=kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"This can't be in {event.topic}: {error}.", field="fields") from None
    # What is not known deeper inside is dropped in silence by the decoder: it is refused here.
    _must_hold(msgspec.json.decode(msgspec.json.encode(righted)), correction.fields, "fields")
    return righted


def _merged(old: Any, new: Any) -> Any:
    """Objects field by field, all else as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {name: _merged(old.get(name), value) for name, value in new.items()}
    return new


def _must_hold(kept: Any, given: Mapping[str, Any], where: str) -> None:
    for name, value in given.items():
        at = f"{where}.{name}"
        if isinstance(value, dict) and isinstance(kept.get(name), dict):
            _must_hold(kept[name], value, at)
        elif name not in kept and value not in (None, 0, "", False, [], {}):
            raise Invalid(f"There is no field {at}; leave it out.", field=at)
