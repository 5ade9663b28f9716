"""What the events of an endorsement or a transfer come to: a small fold of the verifier's own, by docs/format.md."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from operator import attrgetter, itemgetter
from typing import Any, Final, TypeAlias

from verifier.verdict import Unverified

State: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One event as the fold reads it: `state` is its stored JSON, `on` the day it speaks of, in that JSON too."""

    position: int
    version: int
    topic: str
    state: State

    @property
    def on(self) -> date:
        return day(self.state, "on")


_BEGINS: Final = ("endorsement.awarded", "endorsement.imported")
_CORRECTED: Final = "endorsement.corrected"
_MOVED: Final = "endorsement.custody_transferred"
# What it stands as from the event's day on; a last good day in the event counts from then on.
_STANDS: Final = {
    "endorsement.awarded": "active",
    "endorsement.renewed": "active",
    "endorsement.reactivated": "active",
    "endorsement.reinstated": "active",
    "endorsement.lapsed": "lapsed",
    "endorsement.inactivity_ended": "lapsed",
    "endorsement.made_inactive": "inactive",
    "endorsement.emeritus_granted": "emeritus",
    "endorsement.suspended": "suspended",
    "endorsement.removed": "removed",
    "endorsement.archived": "archived",
    "endorsement.ended_by_death": "archived",
    "endorsement.ended_by_erasure": "erased",
}
_ADD_ONS: Final = ("endorsement.add_on_granted", "endorsement.add_on_ended", "endorsement.converted")
_EMERGING: Final = "EERS"

_REQUESTED: Final = "transfer.requested"
_WORDS: Final = {
    "transfer.standing_confirmed": "confirmed",
    "transfer.standing_disputed": "disputed",
    "transfer.left_unanswered": "unanswered",
}
_DECIDED: Final = "transfer.dispute_decided"
_ENDS: Final = {
    "transfer.completed": "completed",
    "transfer.declined": "declined",
    "transfer.cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class _Turn:
    """How it stands from a day on."""

    since: date
    standing: str
    through: date
    add_on: str
    add_on_until: date | None
    until: date | None

    def standing_on(self, on: date) -> str:
        over = self.through if self.standing == "active" else self.until if self.standing == "inactive" else None
        return "lapsed" if over and on > over else self.standing

    def add_on_on(self, on: date) -> str:
        over = self.add_on == _EMERGING and self.add_on_until and on > self.add_on_until
        return "" if over else self.add_on


_since: Final = attrgetter("since")
_since_then: Final = itemgetter(0)


@dataclass(slots=True)
class _Endorsement:
    category: str = ""
    converted_from: str = ""
    converted_on: date = date.min
    awarded_on: date = date.min
    standing: str = "active"
    through: date = date.min
    add_on: str = ""
    add_on_until: date | None = None
    inactive_until: date | None = None
    turns: list[_Turn] = field(default_factory=list)
    custody: list[tuple[date, str]] = field(default_factory=list)

    def stand(self, since: date, standing: str, through: date) -> None:
        self.standing, self.through = standing, through
        if standing not in ("inactive", "suspended"):
            self.inactive_until = None
        until = self.inactive_until if standing == "inactive" else None
        turn = _Turn(since, standing, through, self.add_on, self.add_on_until, until)
        insort(self.turns, turn, key=_since)

    def take(self, fact: Fact) -> None:
        state, on = fact.state, fact.on
        match fact.topic:
            case "endorsement.imported":
                self.stand(self.awarded_on, "active", day(state, "through"))
                if (standing := text(state, "standing")) != "active":
                    self.stand(min(on, _day_after(self.through)), standing, self.through)
            case "endorsement.reported":
                self.awarded_on = _day_or(state, "awarded_on") or self.awarded_on
                self.category = text(state, "category", "") or self.category
                self.inactive_until = None
                since = min(on, _day_after(self.through)) if text(state, "means") == "renewal" else on
                self.stand(since, text(state, "standing"), day(state, "through"))
            case "endorsement.suspension_lifted":
                self.stand(on, text(state, "standing", "active"), self.through)
            case "endorsement.custody_transferred":
                self.custody.append((on, text(state, "to")))
            case topic if topic in _ADD_ONS:
                if topic == "endorsement.converted":
                    self.converted_from, self.converted_on, self.category = self.category, on, text(state, "to")
                ended = topic == "endorsement.add_on_ended"
                self.add_on = "" if ended else text(state, "add_on")
                self.add_on_until = _day_or(state, "until") if topic == "endorsement.add_on_granted" else None
                self.stand(on, self.standing, self.through)
            case topic if topic in _STANDS:
                if topic == "endorsement.made_inactive":
                    self.inactive_until = day(state, "until")
                self.stand(on, _STANDS[topic], _day_or(state, "through") or self.through)

    def on(self, on: date) -> tuple[str, str, str, str]:
        """Category with add-on, association, standing and last good day as of a day."""
        at = bisect_right(self.turns, on, key=_since)
        turn = self.turns[at - 1] if at else None
        category = self.converted_from if self.converted_from and on < self.converted_on else self.category
        add_on = turn.add_on_on(on) if turn else ""
        return (
            f"{category}+{add_on}" if add_on else category,
            self.custody[bisect_right(self.custody, on, key=_since_then) - 1][1],
            turn.standing_on(on) if turn else "lapsed",
            (turn or self.turns[0]).through.isoformat(),
        )

    def days(self) -> list[date]:
        """The days on which any of that may change, in order, from the award on."""
        found = {self.awarded_on, self.converted_on, *(since for since, _ in self.custody)}
        for turn in self.turns:
            found.add(turn.since)
            ends = (turn.through, turn.until, turn.add_on_until)
            found.update(_day_after(end) for end in ends if end and end != date.max)
        return sorted(one for one in found if one >= self.awarded_on)


def endorsement(
    number: str, facts: Sequence[Fact], first: date | None = None, last: date | None = None
) -> dict[str, Any]:
    """The claim about one endorsement, of its events in order, whole from version 1; of these days, where given."""
    if not facts or facts[0].topic not in _BEGINS:
        raise Unverified("malformed", f"the events of {number} do not begin with its award")
    begin = facts[0].state
    told = _righted(facts)
    if not told or told[0].version != facts[0].version:
        raise Unverified("malformed", f"the award of {number} is void")
    held = _Endorsement(category=text(begin, "category"), custody=[(date.min, text(begin, "association"))])
    held.awarded_on = day(begin, "awarded_on") if told[0].topic == "endorsement.imported" else told[0].on
    for fact in told:
        held.take(fact)
    held.custody.sort(key=_since_then)
    return {
        "number": number,
        "person": text(begin, "person"),
        "awarded_on": held.awarded_on.isoformat(),
        "standing": list(_spans(held, first, last)),
        "custody": [
            {
                "position": fact.position,
                "on": fact.on.isoformat(),
                "association": text(fact.state, "to" if fact.topic == _MOVED else "association"),
                "by": text(fact.state, "by"),
                "transfer": text(fact.state, "transfer", ""),
            }
            for fact in facts
            if fact.topic in (*_BEGINS, _MOVED)
        ],
        "decisions": [
            {
                "position": fact.position,
                "on": fact.on.isoformat(),
                "topic": fact.topic,
                "edition": edition,
                "by": text(fact.state, "by"),
            }
            for fact in facts
            if (edition := text(fact.state, "edition", ""))
        ],
    }


def _spans(held: _Endorsement, first: date | None, last: date | None) -> Iterator[dict[str, Any]]:
    """Each span in which nothing changes, by its first and last day; the last one is open."""
    days = held.days()
    found: list[tuple[date, tuple[str, str, str, str]]] = []
    for begin in days:
        now = held.on(begin)
        if not found or found[-1][1] != now:
            found.append((begin, now))
    ends = [begin - timedelta(days=1) for begin, _ in found[1:]]
    for (begin, (category, association, standing, through)), end in zip(found, [*ends, None], strict=True):
        if (last and begin > last) or (first and end and end < first):
            continue
        to = last if last and (end is None or end > last) else end
        yield {
            "from": max(begin, first or begin).isoformat(),
            "to": to.isoformat() if to else None,
            "category": category,
            "association": association,
            "standing": standing,
            "through": through,
        }


def _righted(facts: Sequence[Fact]) -> list[Fact]:
    """The facts as the last correction of each has them; what is void is left out."""
    corrections = {whole_number(fact.state, "corrects"): fact.state for fact in facts if fact.topic == _CORRECTED}
    if not corrections:
        return list(facts)
    found = []
    for fact in facts:
        right = corrections.get(fact.version)
        if right is None:
            found.append(fact)
        elif not right.get("void"):
            changed = dict(fact.state)
            if right.get("day"):
                changed["on"] = right["day"]
            if right.get("through"):
                # The day that ends it; an add-on without an end has none to correct.
                names = [name for name in ("through", "until") if fact.state.get(name)]
                changed |= dict.fromkeys(names, right["through"])
            found.append(replace(fact, state=changed))
    return found


def transfer(name: str, facts: Sequence[Fact]) -> dict[str, Any]:
    """The claim about one transfer, of its events in order, whole from version 1."""
    if not facts or facts[0].topic != _REQUESTED:
        raise Unverified("malformed", f"the events of the transfer {name} do not begin with its request")
    begin = facts[0].state
    found: dict[str, Any] = {
        "transfer": name,
        "person": text(begin, "person"),
        "from": text(begin, "from"),
        "to": text(begin, "to"),
        "endorsements": texts(begin, "endorsements"),
        "requested_on": facts[0].on.isoformat(),
        "words": [],
        "state": "requested",
        "ended_on": None,
        "moved": [],
        "taken": [],
    }
    for fact in facts[1:]:
        _go_on(found, fact)
    return found


def _go_on(found: dict[str, Any], fact: Fact) -> None:
    state, on = fact.state, fact.on.isoformat()
    said = _WORDS.get(fact.topic, "")
    if fact.topic == _DECIDED:
        good = state.get("good_standing") is True
        said = "decided_good_standing" if good else "decided_not_good_standing"
        found["state"] = "confirmed" if good else "refused"
        found["ended_on"] = None if good else on
    elif said:
        found["state"] = said
    elif fact.topic in _ENDS:
        found["state"], found["ended_on"] = _ENDS[fact.topic], on
    elif fact.topic == "transfer.accepted":
        found["state"] = "accepted"
    if said:
        found["words"].append({"on": on, "said": said, "by": text(state, "by")})
    match fact.topic:
        case "transfer.completed":
            found["moved"] = texts(state, "endorsements")
        case "transfer.custody_taken":
            found["taken"] += texts(state, "endorsements")
        case "transfer.side_passed":
            found["from" if text(state, "side") == "releasing" else "to"] = text(state, "to")


# --- strict readings of a stored state ---


def day(state: State, name: str) -> date:
    found = _day_or(state, name)
    if found is None:
        raise Unverified("malformed", f"an event without a day {name}")
    return found


def _day_or(state: State, name: str) -> date | None:
    value = state.get(name)
    if value is None:
        return None
    try:
        if type(value) is str and len(value) == len("2026-06-01"):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise Unverified("malformed", f"an event whose {name} is no day")


def text(state: State, name: str, otherwise: str | None = None) -> str:
    value = state.get(name, otherwise)
    if type(value) is not str:
        raise Unverified("malformed", f"an event without a text {name}")
    return value


def texts(state: State, name: str) -> list[str]:
    value = state.get(name)
    if type(value) is not list or not all(type(one) is str for one in value):
        raise Unverified("malformed", f"an event without a list {name}")
    return value


def whole_number(state: State, name: str) -> int:
    value = state.get(name)
    if type(value) is not int:
        raise Unverified("malformed", f"an event without a number {name}")
    return value


def editions(facts: Iterable[Fact]) -> set[str]:
    """The editions that these decisions were taken under."""
    return {edition for fact in facts if (edition := text(fact.state, "edition", ""))}


def _day_after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)
