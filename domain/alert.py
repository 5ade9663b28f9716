"""What the public may know of a change: told to employers who were shown a certificate, never more than it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Final, Literal

import msgspec

from domain.endorsement import Endorsement, Turn, day_after
from domain.event import Event

Change = Literal[
    "awarded", "recorded", "renewed", "lapsed", "inactive", "reactivated", "emeritus", "reinstated", "suspended",
    "suspension_lifted", "removed", "withdrawn", "add_on_granted", "add_on_ended", "converted", "corrected",
    "transferred",
]  # fmt: skip
"""`withdrawn`: by the holder, or for another reason that is nobody's business: archived, died, forgotten."""
PublicStanding = Literal["active", "lapsed", "inactive", "emeritus", "suspended", "removed", "withdrawn"]

_CHANGES: Final[dict[str, Change]] = {
    Endorsement.Awarded.topic: "awarded",
    Endorsement.Imported.topic: "recorded",
    Endorsement.Renewed.topic: "renewed",
    Endorsement.Lapsed.topic: "lapsed",
    Endorsement.MadeInactive.topic: "inactive",
    Endorsement.InactivityEnded.topic: "lapsed",
    Endorsement.Reactivated.topic: "reactivated",
    Endorsement.EmeritusGranted.topic: "emeritus",
    Endorsement.Reinstated.topic: "reinstated",
    Endorsement.Suspended.topic: "suspended",
    Endorsement.SuspensionLifted.topic: "suspension_lifted",
    Endorsement.Removed.topic: "removed",
    Endorsement.Archived.topic: "withdrawn",
    Endorsement.EndedByDeath.topic: "withdrawn",
    Endorsement.EndedByErasure.topic: "withdrawn",
    Endorsement.AddOnGranted.topic: "add_on_granted",
    Endorsement.AddOnEnded.topic: "add_on_ended",
    Endorsement.Converted.topic: "converted",
    Endorsement.Corrected.topic: "corrected",
    Endorsement.CustodyTransferred.topic: "transferred",
}
_REPORTED: Final[dict[str, Change]] = {
    "renewal": "renewed", "lapse": "lapsed", "inactivity": "inactive", "reactivation": "reactivated",
    "correction": "corrected",
}  # fmt: skip
TOPICS: Final = (*_CHANGES, Endorsement.Reported.topic)
"""What may change what the public knows."""
_WITHDRAWN: Final = ("archived", "erased")
_OVER: Final = ("removed", "withdrawn")


class Known(msgspec.Struct, frozen=True):
    """How an endorsement stands for the public, since which day; `reason`: what happened last that made it so."""

    number: str
    category: str
    association: str
    standing: PublicStanding
    since: date
    through: date
    reason: Change


class Alert(msgspec.Struct, frozen=True):
    """One change, at one position of the history; `id` is the same however often it is told."""

    position: int
    change: Change
    known: Known
    on: date
    recorded_at: datetime

    @property
    def id(self) -> str:
        return f"alert-{self.position}"


def alerts(history: Iterable[tuple[int, Event]]) -> Iterator[Alert]:
    """Each change of what the public may know of one endorsement: of its whole stream, by position."""
    endorsement: Endorsement | None = None
    before: Known | None = None
    for position, event in history:
        if endorsement is None:
            endorsement = Endorsement(event.originator_id.partition("/")[2])
        endorsement.remember(event)
        change = change_of(event)
        if change is None or not endorsement.turns:
            continue
        after = _known(endorsement, change, event.on)
        if before and before.standing in _OVER and after.standing not in _OVER:
            continue  # nothing brings these back, whatever a later file reports
        if before is None or _facts(after) != _facts(before):
            before = after
            yield Alert(position, change, after, event.on, event.recorded_at)


def known(history: Iterable[tuple[int, Event]], on: date) -> Known | None:
    """How it stands on a day: past its last good day it is lapsed, whether or not that is recorded yet."""
    told = list(alerts(history))
    if not told:
        return None
    found = told[-1].known
    if found.standing == "active" and on > found.through:
        return msgspec.structs.replace(found, standing="lapsed", since=day_after(found.through), reason="lapsed")
    return found


def change_of(event: Event) -> Change | None:
    if isinstance(event, Endorsement.Reported):
        return _REPORTED[event.means]
    return _CHANGES.get(event.topic)


def _known(endorsement: Endorsement, change: Change, on: date) -> Known:
    """By its newest day, as its certificates are judged, unless it has ended."""
    turns = endorsement.turns
    turn, first = turns[-1], len(turns) - 1
    if change in _OVER:
        turn, first = msgspec.structs.replace(turn, standing=endorsement.standing_state, since=on), 0
    standing: PublicStanding = "withdrawn" if turn.standing in _WITHDRAWN else turn.standing  # type: ignore[assignment]  # the others are the same words
    while first > 0 and _goes_on(turns[first - 1], turns[first]):
        first -= 1
    return Known(
        number=endorsement.number,
        category=endorsement.held_as(turn.since),
        association=endorsement.custodian,
        standing=standing,
        since=turn.since if change in _OVER else turns[first].since,
        through=turn.through,
        reason=change,
    )


def _goes_on(before: Turn, after: Turn) -> bool:
    """Whether it stood the same before, without a day between: a renewal leaves it active since its award."""
    unbroken = before.standing != "active" or day_after(before.through) >= after.since
    return before.standing == after.standing and unbroken


def _facts(known: Known) -> tuple[object, ...]:
    return known.category, known.association, known.standing, known.since, known.through
