"""Reciprocity: who moved from which association to which, on whose word, under which rules; folded from events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise
from statistics import median
from typing import Any, Final, NamedTuple

import msgspec

from domain.category import with_add_on
from domain.editions import edition_for
from domain.endorsement import Endorsement, reported_moves
from domain.errors import Invalid, NotFound, NotInForce
from domain.event import Event
from domain.transfer import OPEN, Transfer
from registry.store import Store

YEAR: Final = timedelta(days=365)
"""A lapse within so many days of a move is told with it."""
AGES: Final = (14, 30, 90)
"""Open cases are counted up to so many days of age, and above the last (ours; 14 days are the time for a word)."""
EVER: Final = 1 << 62

Recorded = tuple[int, Event]


class Move(msgspec.Struct, frozen=True):
    """One endorsement that came to another custodian. `position`: of the event that says so; its proof is `/log/...`.

    `why` is `transfer` or what passed custody without one; `days` from request to completion. `word`: how the standing
    was settled, `word_by` by whom, `accepted_by` who took it. `edition`: of its award or last renewal, none for a
    reported one; `edition_there`: what counts for it from then on. `lapsed_on`: within a year of the move.
    """

    number: str
    category: str
    from_: str = msgspec.field(name="from")
    to: str
    moved_on: date
    position: int
    by: str
    why: str
    reported: bool
    edition: str | None
    edition_there: str | None
    transfer: str | None = None
    requested_on: date | None = None
    days: int | None = None
    word: str | None = None
    word_by: str | None = None
    accepted_by: str | None = None
    membership_through: date | None = None
    membership_source: str | None = None
    lapsed_on: date | None = None


class Dispute(msgspec.Struct, frozen=True):
    """A standing that was disputed, or left without a word, and what came of it: `outcome` is `open` until decided."""

    transfer: str
    from_: str = msgspec.field(name="from")
    to: str
    on: date
    reason: str
    outcome: str
    decided_on: date | None


class Ended(msgspec.Struct, frozen=True):
    """A case that ended without a move: declined, refused or cancelled."""

    transfer: str
    from_: str = msgspec.field(name="from")
    to: str
    on: date
    state: str
    reason: str | None


class Open(msgspec.Struct, frozen=True):
    """A case under way on the day of the report."""

    transfer: str
    from_: str = msgspec.field(name="from")
    to: str
    requested_on: date
    state: str
    days: int
    held: list[str]


class Reported(msgspec.Struct, frozen=True):
    """A move from before the registry, by one side's word or both. `finding`: none where both say the same."""

    number: str
    from_: str = msgspec.field(name="from")
    to: str
    said_by_releasing: date | None
    said_by_receiving: date | None
    finding: str | None


class Report(msgspec.Struct, frozen=True):
    """The reciprocity of one association in a period, as known at a position; the days are inclusive."""

    association: str
    from_: date = msgspec.field(name="from")
    through: date
    on: date
    position: int
    came: list[Move]
    left: list[Move]
    disputes: list[Dispute]
    ended: list[Ended]
    open: list[Open]
    open_by_age: dict[str, int]
    days: dict[str, float | int | None]
    reported: list[Reported]


class _Case(NamedTuple):
    transfer: Transfer
    events: list[Recorded]


# --- what there is -------------------------------------------------------------------------------------------------


def _cases(rows: Iterable[Recorded], known: int) -> dict[str, _Case]:
    """Every transfer as it was known at a position, by name; `rows` one stream after the other."""
    found: dict[str, _Case] = {}
    for stream, several in groupby(rows, lambda row: row[1].originator_id):
        events = [row for row in several if row[0] <= known]
        transfer = Transfer.fold(event for _, event in events)
        if transfer:
            found[stream.partition("/")[2]] = _Case(transfer, events)
    return found


def _custody(store: Store, known: int) -> list[tuple[int, Endorsement.CustodyTransferred]]:
    return [
        (position, event)
        for position, event in store.events_on("endorsement.custody_transferred")
        if position <= known and isinstance(event, Endorsement.CustodyTransferred)
    ]


def _endorsements(store: Store, numbers: Sequence[str], known: int) -> dict[str, Endorsement]:
    rows = store.events_of([f"{Endorsement.kind}/{number}" for number in numbers])
    found: dict[str, Endorsement] = {}
    for stream, several in groupby(rows, lambda row: row[1].originator_id):
        endorsement = Endorsement.fold(event for position, event in several if position <= known)
        if endorsement:
            found[stream.partition("/")[2]] = endorsement
    return found


def _moved_on(endorsement: Endorsement, event: Endorsement.CustodyTransferred) -> date | None:
    """The day of a move, as it was corrected; None for one that never was."""
    correction = endorsement.corrections.get(event.originator_version)
    if correction is None:
        return event.on
    return None if correction.void else correction.day or event.on


def period(from_: str, through: str, today: date) -> tuple[date, date]:
    """First and last day; a year up to today by default. Raises Invalid."""
    days = []
    for field, given in (("from", from_), ("through", through)):
        try:
            days.append(date.fromisoformat(given) if given else None)
        except ValueError:
            raise Invalid("Give a day like 2019-01-01.", field=field) from None
    end = days[1] or today
    begin = days[0] or end - YEAR
    if begin > end:
        raise Invalid(f"The period begins on {begin} and ends on {end}: turn the two round.", field="from")
    return begin, end


# --- the report ----------------------------------------------------------------------------------------------------


def report(store: Store, association: str, from_: date, through: date, *, on: date, known: int = EVER) -> Report:
    """`on`: the day on which open cases are counted; `known`: the last position that counts."""
    last = min(known, store.position())
    cases = _cases(store.events_of_kind(Transfer), last)
    custody = [row for row in _custody(store, last) if association in (row[1].from_, row[1].to)]
    numbers = sorted({event.originator_id.partition("/")[2] for _, event in custody})
    endorsements = _endorsements(store, numbers, last)
    moves = []
    for position, event in custody:
        endorsement = endorsements[event.originator_id.partition("/")[2]]
        day = _moved_on(endorsement, event)
        if day and from_ <= day <= through:
            moves.append(_move(position, event, day, endorsement, cases.get(event.transfer), on))
    moves.sort(key=lambda move: (move.moved_on, move.position))
    ours = [case for case in cases.values() if association in (case.transfer.from_, case.transfer.to)]
    days = [move.days for move in moves if move.days is not None]
    waiting = sorted((_open(case.transfer, on) for case in ours if case.transfer.state in OPEN), key=_oldest)
    return Report(
        association=association,
        from_=from_,
        through=through,
        on=on,
        position=last,
        came=[move for move in moves if move.to == association],
        left=[move for move in moves if move.from_ == association],
        disputes=[dispute for case in ours for dispute in _disputes(case) if from_ <= dispute.on <= through],
        ended=[ended for case in ours if (ended := _ended(case)) and from_ <= ended.on <= through],
        open=waiting,
        open_by_age=_by_age(waiting),
        days={
            "median": median(days) if days else None,
            "most": max(days, default=None),
            "least": min(days, default=None),
        },
        reported=_reported(store, association, from_, through, last),
    )


def _oldest(case: Open) -> tuple[date, str]:
    return case.requested_on, case.transfer


def _move(
    position: int,
    event: Endorsement.CustodyTransferred,
    day: date,
    endorsement: Endorsement,
    case: _Case | None,
    today: date,
) -> Move:
    held = with_add_on(endorsement.category, endorsement.add_on_on(day))
    there: str | None
    try:
        there = edition_for(endorsement.category, day, event.to).name
    except NotInForce:
        there = None
    facts = _word(case) if case else {}
    return Move(
        number=endorsement.number,
        category=held,
        from_=event.from_,
        to=event.to,
        moved_on=day,
        position=position,
        by=event.by,
        why=event.why,
        reported=endorsement.reported,
        edition=_edition(endorsement, event.originator_version),
        edition_there=there,
        transfer=case.transfer.name if case else None,
        requested_on=case.transfer.requested_on if case else None,
        days=(day - case.transfer.requested_on).days if case else None,
        membership_through=case.transfer.membership_through if case else None,
        membership_source=case.transfer.membership_source if case and case.transfer.membership_through else None,
        lapsed_on=_lapse(endorsement, day, min(day + YEAR, today)),
        **facts,
    )


def _edition(endorsement: Endorsement, before: int) -> str | None:
    """The edition of the award or the last renewal before an event of the stream; none of an import."""
    named = [
        event.edition
        for event in endorsement.facts
        if event.originator_version < before
        and isinstance(event, Endorsement.Awarded | Endorsement.Renewed | Endorsement.Reinstated)
    ]
    return named[-1] if named else None


def _word(case: _Case) -> dict[str, str | None]:
    """On whose word it moved: how the standing was settled and by whom, and who accepted."""
    word = word_by = accepted_by = None
    disputed = ""
    for _, event in case.events:
        match event:
            case Transfer.StandingConfirmed():
                word, word_by = "confirmed", event.by
            case Transfer.StandingDisputed():
                disputed = "disputed"
            case Transfer.LeftUnanswered():
                disputed = "unanswered"
            case Transfer.DisputeDecided():
                word, word_by = f"{disputed}, then decided", event.by
            case Transfer.Accepted():
                accepted_by = event.by
    return {"word": word, "word_by": word_by, "accepted_by": accepted_by}


def _lapse(endorsement: Endorsement, after: date, last: date) -> date | None:
    """The first day after a move on which it had lapsed, up to a last one."""
    one = timedelta(days=1)
    ends = (end + one for turn in endorsement.turns for end in (turn.through, turn.until) if end and end < date.max)
    days = sorted({*ends, *(turn.since for turn in endorsement.turns)})
    return next((day for day in days if after < day <= last and endorsement.standing(day) == "lapsed"), None)


def _disputes(case: _Case) -> list[Dispute]:
    found: list[Dispute] = []
    asked: tuple[date, str] | None = None
    for _, event in case.events:
        match event:
            case Transfer.StandingDisputed():
                asked = event.on, event.reason
            case Transfer.LeftUnanswered():
                asked = event.on, "no_word_in_time"
            case Transfer.DisputeDecided() if asked:
                found.append(_dispute(case, asked, "good_standing" if event.good_standing else "refused", event.on))
                asked = None
            case Transfer.StandingConfirmed() if asked:
                found.append(_dispute(case, asked, "confirmed_after_all", event.on))
                asked = None
            case Transfer.Cancelled() if asked:
                found.append(_dispute(case, asked, "cancelled", event.on))
                asked = None
    return [*found, _dispute(case, asked, "open", None)] if asked else found


def _dispute(case: _Case, asked: tuple[date, str], outcome: str, decided_on: date | None) -> Dispute:
    transfer = case.transfer
    return Dispute(transfer.name, transfer.from_, transfer.to, *asked, outcome, decided_on)


def _ended(case: _Case) -> Ended | None:
    transfer = case.transfer
    if transfer.state not in ("declined", "refused", "cancelled"):
        return None
    last = next(
        event
        for _, event in reversed(case.events)
        if isinstance(event, Transfer.Declined | Transfer.DisputeDecided | Transfer.Cancelled)
    )
    reason = last.reason if isinstance(last, Transfer.Declined) else None
    return Ended(transfer.name, transfer.from_, transfer.to, last.on, transfer.state, reason)


def _open(transfer: Transfer, on: date) -> Open:
    return Open(
        transfer.name,
        transfer.from_,
        transfer.to,
        transfer.requested_on,
        transfer.state,
        (on - transfer.requested_on).days,
        sorted(set(transfer.held.values())),
    )


def _by_age(waiting: Iterable[Open]) -> dict[str, int]:
    first = (f"up to {AGES[0]} days", *(f"{low + 1} to {high} days" for low, high in pairwise(AGES)))
    names = (*first, f"more than {AGES[-1]} days")
    counted = Counter(sum(case.days > age for age in AGES) for case in waiting)
    return {name: counted[n] for n, name in enumerate(names)}


# --- moves from before the registry --------------------------------------------------------------------------------


def _reported(store: Store, association: str, from_: date, through: date, known: int) -> list[Reported]:
    """What the sides say, matched: a move of the one with the nearest of the other, between the same two places."""
    numbers = sorted({claim.partition("/")[0] for claim in store.claimed(reported_moves(association))})
    found: list[Reported] = []
    for number, endorsement in _endorsements(store, numbers, known).items():
        said: dict[tuple[str, str], dict[str, list[date]]] = {}
        for move in endorsement.moves_reported:
            if association in (move.from_, move.to):
                said.setdefault((move.from_, move.to), {}).setdefault(move.association, []).append(move.moved_on)
        for (releasing, receiving), by in said.items():
            for left, came in _matched(by.get(releasing, []), by.get(receiving, [])):
                if from_ <= (left or came or from_) <= through or from_ <= (came or left or from_) <= through:
                    found.append(Reported(number, releasing, receiving, left, came, _finding(left, came)))
    return sorted(found, key=lambda one: (one.said_by_releasing or one.said_by_receiving or from_, one.number))


def _matched(left: Sequence[date], came: Sequence[date]) -> list[tuple[date | None, date | None]]:
    """Days of one side with days of the other, the nearest two first; what is left over stands alone."""
    one, other = sorted(left), sorted(came)
    pairs: list[tuple[date | None, date | None]] = []
    for _, a, b in sorted((abs((a - b).days), a, b) for a in one for b in other):
        if a in one and b in other:
            one.remove(a)
            other.remove(b)
            pairs.append((a, b))
    return [*pairs, *((a, None) for a in one), *((None, b) for b in other)]


def _finding(left: date | None, came: date | None) -> str | None:
    if left is None:
        return "only_receiving_side"
    if came is None:
        return "only_releasing_side"
    return None if left == came else "days_differ"


# --- all associations ----------------------------------------------------------------------------------------------


class Matrix(msgspec.Struct, frozen=True):
    """How many endorsements came from where to where in a period, as known at a position; days inclusive."""

    from_: date = msgspec.field(name="from")
    through: date
    position: int
    moves: dict[str, dict[str, int]]

    def total(self) -> int:
        return sum(sum(row.values()) for row in self.moves.values())


def matrix(store: Store, from_: date, through: date, *, known: int = EVER) -> Matrix:
    """By releasing, then receiving association; only where there is any."""
    last = min(known, store.position())
    rows = _custody(store, last)
    endorsements = _endorsements(store, sorted({event.originator_id.partition("/")[2] for _, event in rows}), last)
    counted: dict[str, dict[str, int]] = {}
    for _, event in rows:
        day = _moved_on(endorsements[event.originator_id.partition("/")[2]], event)
        if day and from_ <= day <= through:
            row = counted.setdefault(event.from_, {})
            row[event.to] = row.get(event.to, 0) + 1
    return Matrix(from_, through, last, {code: dict(sorted(row.items())) for code, row in sorted(counted.items())})


# --- as a table ----------------------------------------------------------------------------------------------------

COLUMNS: Final = (
    "direction", "number", "category", "from", "to", "moved_on", "requested_on", "days", "why", "word", "word_by",
    "accepted_by", "membership_through", "membership_source", "edition", "edition_there", "reported", "lapsed_on",
    "transfer", "position",
)  # fmt: skip


def table(found: Report) -> list[Sequence[str]]:
    """Who came and who left, a row each, the names of the columns first; and the moves that were only reported."""
    rows: list[Sequence[str]] = [COLUMNS]
    for direction, moves in (("came", found.came), ("left", found.left)):
        rows += [_cells({"direction": direction} | msgspec.to_builtins(move)) for move in moves]
    for one in found.reported:
        came = one.to == found.association
        moved_on = one.said_by_receiving if came else one.said_by_releasing
        facts = {
            "direction": "came" if came else "left", "number": one.number, "from": one.from_, "to": one.to,
            "moved_on": str(moved_on or one.said_by_releasing or one.said_by_receiving), "why": "reported",
            "word": one.finding or "both sides agree",
        }  # fmt: skip
        rows.append(_cells(facts))
    return rows


def _cells(facts: Mapping[str, Any]) -> list[str]:
    return ["" if (value := facts.get(column)) is None else str(value) for column in COLUMNS]


# --- one case ------------------------------------------------------------------------------------------------------


def story(store: Store, transfer: str, *, known: int = EVER) -> list[Recorded]:
    """Every event of a case in the order of the history: its own, and the changes of custody that it made."""
    case = [row for row in store.events(f"{Transfer.kind}/{transfer}") if row[0] <= known]
    folded = Transfer.fold(event for _, event in case)
    if folded is None:
        raise NotFound("transfer")
    streams = [f"{Endorsement.kind}/{number}" for number in folded.numbers]
    moved = [
        (position, event)
        for position, event in store.events_of(streams)
        if position <= known and isinstance(event, Endorsement.CustodyTransferred) and event.transfer == transfer
    ]
    return sorted([*case, *moved], key=_position)


def _position(row: Recorded) -> int:
    return row[0]
