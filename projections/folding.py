"""From stored events to changed rows: decodes what a view takes, opens what it wants, and lets the views fold."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

import domain.event as events_module
from domain.event import Event, personal_fields
from domain.events import TOPICS
from projections.rows import Row, Rows
from projections.stored import StoredRow
from projections.view import Change, View

# Which fields of events name rows: ids of people, cases and numbers. All ids are random, so they share one set.
_IDS = frozenset({"person", "number", "application", "transfer", "endorsements", "other"})

Load = Callable[[str, int, str, bytes], Event]
Open = Callable[[Sequence[Event]], Sequence[Event]]


class Stopped(Exception):
    """An event can't be decoded or does not fit what came before: the views stay as they are before it."""

    def __init__(self, position: int, stream: str, version: int, topic: str, why: str) -> None:
        super().__init__(f"position {position} ({stream}, version {version}, {topic}): {why}")
        self.where = (position, stream, version, topic, why)
        self.position = position
        self.stream = stream
        self.version = version
        self.topic = topic
        self.why = why


Decoded = tuple[int, Event, tuple[Change, ...]]
"""A position, the event there, and what changes with it."""


class Folder:
    """Some views, and how their events are read. `load` decodes a stored event; `open` opens personal fields."""

    def __init__(self, views: Sequence[View], load: Load, open: Open) -> None:  # noqa: A002 # the vault's own word
        self.views = tuple(views)
        self.tables = [table for view in views for table in view.tables]
        self.load = load
        self._open = open
        self._changes: dict[str, tuple[Change, ...]] = {}
        # Of events with personal fields that a view wants, those that none wants: they stay closed.
        self._opens: dict[type[Event], dict[str, None]] = {}
        self._ids: dict[type[Event], tuple[str, ...]] = {}
        self._tables_of = {view.change: _tables_of(view) for view in views}

    def only(self, views: Sequence[View]) -> "Folder":
        return Folder(views, self.load, self._open)

    def decode(self, page: Sequence[StoredRow]) -> list[Decoded]:
        """The events of a page that a view takes; of their personal fields those that a view wants, opened."""
        found: list[Decoded] = []
        sealed: list[int] = []
        load, known, opens = self.load, self._changes, self._opens
        for position, stream, version, topic, state in page:
            changes = known.get(topic)
            if changes is None:
                changes = self._learn(topic)
                if changes is None:
                    raise Stopped(position, stream, version, topic, "no such topic")
            if not changes:
                continue
            try:
                event = load(stream, version, topic, state)
            except Exception as error:  # noqa: BLE001 # whatever it is, we stop and say where
                # The kind of error only: its text may quote what stands in the event.
                raise Stopped(position, stream, version, topic, type(error).__name__) from None
            if type(event) in opens:
                sealed.append(len(found))
            found.append((position, event, changes))
        if sealed:
            closed = [msgspec.structs.replace(found[i][1], **opens[type(found[i][1])]) for i in sealed]
            for i, event in zip(sealed, self._open(closed), strict=True):
                found[i] = (found[i][0], event, found[i][2])
        return found

    def _learn(self, topic: str) -> tuple[Change, ...] | None:
        """Which views take events of this topic; None of an unknown one."""
        present = topic
        while step := events_module.UPCASTERS.get(present):
            present = step[0]
        kind = TOPICS.get(present)
        if kind is None:
            return None
        takers = [view for view in self.views if kind in view.takes]
        self._changes[topic] = tuple(view.change for view in takers)
        personal = personal_fields(kind)
        if wanted := {field for view in takers for field in view.opens if field in personal}:
            self._opens[kind] = dict.fromkeys(field for field in personal if field not in wanted)
        return self._changes[topic]

    def unwanted(self) -> list[str]:
        """The topics, old ones included, that no view here takes."""
        return sorted(topic for topic in {*TOPICS, *events_module.UPCASTERS} if self._learn(topic) == ())

    @staticmethod
    def fold(held: Rows, events: Iterable[Decoded]) -> None:
        for position, event, changes in events:
            try:
                for change in changes:
                    change(held, event, position)
            except Exception as error:
                raise Stopped(
                    position, event.originator_id, event.originator_version, event.topic, type(error).__name__
                ) from error

    def touched(self, events: Sequence[Decoded]) -> tuple[list[type[Row]], list[str]]:
        """The tables that these events may change, and the ids of the rows that they may need."""
        ids: set[str] = set()
        for _, event, _ in events:
            ids.add(event.originator_id.partition("/")[2])
            for field in self._ids_of(type(event)):
                value = getattr(event, field)
                ids.update((value,) if isinstance(value, str) else value)
        takers = {change for _, _, changes in events for change in changes}
        wanted = {table for change in takers for table in self._tables_of[change]}
        return [table for table in self.tables if table in wanted], list(ids)

    def _ids_of(self, kind: type[Event]) -> tuple[str, ...]:
        found = self._ids.get(kind)
        if found is None:
            found = self._ids[kind] = tuple(name for name in kind.__struct_fields__ if name in _IDS)
        return found


def _tables_of(view: View) -> list[type[Row]]:
    """Its own and those of the views that it looks at."""
    return [*(table for needed in view.needs for table in _tables_of(needed)), *view.tables]
