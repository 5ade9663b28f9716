"""Who held what when, and what we believed about it when: every span of days, from position to position.

`valid_from` to `valid_to` are the days it was so, `known_from` to `known_to` the positions we believed it;
both ends exclusive, NULL while open. An active span ends with its `through` day, whether or not the lapse
was recorded. Days before the award have no span. Agrees with `Endorsement.standing(on)` and `held_on(on)`.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import ClassVar, Final

import msgspec

from domain.category import AddOn, with_add_on
from domain.endorsement import Endorsement, day_after
from domain.event import Event
from projections.rows import Row, Rows
from projections.view import Query, View, name_of

_DAY: Final = timedelta(days=1)


class Told(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an event said of the standing from a day on; what it left open is as it was before.

    `until`: the last day of an inactivity or an add-on; `add_on`: empty when there is none any more. `goes_on`: from
    the day after the last good one of before, where that comes first.
    """

    version: int
    since: date
    standing: str | None = None
    through: date | None = None
    until: date | None = None
    add_on: str | None = None
    reported: bool | None = None
    edition: str | None = None
    awarded_on: date | None = None
    goes_on: bool = False


class Right(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was said later of what a version had told."""

    void: bool
    day: date | None
    through: date | None


class Turn(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an event made of the standing, from a day on."""

    since: date
    standing: str
    through: date
    add_on: AddOn | None
    add_on_until: date | None
    until: date | None
    reported: bool
    edition: str

    @property
    def over(self) -> date | None:
        """The last day of this standing, where it ends by itself."""
        return self.through if self.standing == "active" else self.until if self.standing == "inactive" else None


class Custody(msgspec.Struct, frozen=True, array_like=True, gc=False):
    since: date
    association: str


class Endorsed(Row):
    """What is needed to work out the spans again when another event comes; `standing` and more as last recorded."""

    table: ClassVar[str] = "endorsements"
    key: ClassVar[tuple[str, ...]] = ("number",)
    found_by: ClassVar[tuple[str, ...]] = ("number",)
    indexes: ClassVar[tuple[str, ...]] = (
        "(through) WHERE standing = 'active'",
        "(add_on_until) WHERE add_on_until IS NOT NULL",
        "(inactive_until) WHERE inactive_until IS NOT NULL",
    )

    number: str
    person: str
    category: str
    awarded_on: date
    standing: str
    through: date
    add_on: str | None
    add_on_until: date | None
    inactive_until: date | None
    told: list[Told]
    custody: list[Custody]
    converted_from: str = ""
    converted_on: date | None = None
    corrected: dict[str, Right] = {}


class Standing(Row):
    """One span. `category` with its add-on (`IFS+ERS`); `edition` that of the last decision, empty if imported."""

    table: ClassVar[str] = "standing"
    key: ClassVar[tuple[str, ...]] = ("number", "known_from", "valid_from")
    found_by: ClassVar[tuple[str, ...]] = ("number",)
    alive: ClassVar[str] = "known_to IS NULL"
    grouped_by: ClassVar[str] = "number"
    indexes: ClassVar[tuple[str, ...]] = ("(person)", "(custodian)", "(valid_from)")

    number: str
    person: str
    category: str
    custodian: str
    standing: str
    through: date
    awarded_on: date
    reported: bool
    edition: str
    valid_from: date
    valid_to: date | None
    known_from: int
    known_to: int | None = None


# category, custodian, standing, through, awarded_on, reported, edition, valid_from, valid_to
Span = tuple[str, str, str, date, date, bool, str, date, date | None]


def change(rows: Rows, event: Event, position: int) -> None:
    match event:
        case Endorsement.Awarded():
            held = _begin(rows, event)
            _tell(held, event, "active", event.through, reported=False, edition=event.edition, awarded_on=event.on)
        case Endorsement.Imported():
            held = _begin(rows, event)
            _tell(
                held, event, "active", event.through, since=event.awarded_on, reported=True, edition="",
                awarded_on=event.awarded_on,
            )  # fmt: skip
            if event.standing != "active":
                _tell(held, event, event.standing, event.through, since=min(event.on, day_after(event.through)))
        case _:
            held = rows[Endorsed].change(name_of(event))
            _go_on(held, event)
    turns = _turns(held)
    _believe(rows, held, turns, position)


def _begin(rows: Rows, event: Endorsement.Awarded | Endorsement.Imported) -> Endorsed:
    return rows[Endorsed].put(
        Endorsed(
            number=name_of(event),
            person=event.person,
            category=event.category,
            awarded_on=event.on,
            standing="active",
            through=event.through,
            add_on=None,
            add_on_until=None,
            inactive_until=None,
            told=[],
            custody=[Custody(date.min, event.association)],
        )
    )


def _go_on(held: Endorsed, event: Event) -> None:  # noqa: C901, PLR0912 # one case for each event
    match event:
        case Endorsement.Renewed() | Endorsement.Reinstated():
            _tell(held, event, "active", event.through, reported=False, edition=event.edition)
        case Endorsement.Lapsed():
            _tell(held, event, "lapsed", event.through)
        case Endorsement.InactivityEnded():
            _tell(held, event, "lapsed")
        case Endorsement.CustodyTransferred():
            held.custody.append(Custody(event.on, event.to))
        case Endorsement.Reported():
            held.category = event.category or held.category
            _tell(
                held, event, event.standing, event.through, reported=True, awarded_on=event.awarded_on,
                goes_on=event.means == "renewal",
            )  # fmt: skip
        case Endorsement.MadeInactive():
            _tell(held, event, "inactive", until=event.until)
        case Endorsement.Reactivated():
            _tell(held, event, "active", event.through)
        case Endorsement.EmeritusGranted():
            _tell(held, event, "emeritus")
        case Endorsement.Suspended():
            _tell(held, event, "suspended")
        case Endorsement.SuspensionLifted():
            _tell(held, event, event.standing)
        case Endorsement.Removed():
            _tell(held, event, "removed")
        case Endorsement.Archived() | Endorsement.EndedByDeath():
            _tell(held, event, "archived")
        case Endorsement.EndedByErasure():
            _tell(held, event, "erased")
        case Endorsement.AddOnGranted():
            _tell(held, event, until=event.until, add_on=event.add_on)
        case Endorsement.AddOnEnded():
            _tell(held, event, add_on="")
        case Endorsement.Converted():
            held.converted_from, held.converted_on, held.category = held.category, event.on, event.to
            _tell(held, event, add_on=event.add_on)
        case Endorsement.Corrected():
            right = Right(event.void, event.day, event.through)
            held.corrected = held.corrected | {str(event.corrects): right}


def _tell(
    held: Endorsed,
    event: Event,
    standing: str | None = None,
    through: date | None = None,
    *,
    since: date | None = None,
    until: date | None = None,
    add_on: str | None = None,
    reported: bool | None = None,
    edition: str | None = None,
    awarded_on: date | None = None,
    goes_on: bool = False,
) -> None:
    held.told.append(
        Told(event.originator_version, since or event.on, standing, through, until, add_on, reported, edition,
             awarded_on, goes_on)
    )  # fmt: skip


def _turns(held: Endorsed) -> list[Turn]:
    """What was told, as it was corrected, in the order of recording; leaves in `held` how it stands after the last."""
    standing, through, reported, edition = "active", held.through, False, ""
    add_on: str | None = None
    add_on_until = inactive_until = None
    turns = []
    for was in held.told:
        told = _righted(was, held.corrected.get(str(was.version))) if held.corrected else was
        if told is None:
            continue
        since = min(told.since, day_after(through)) if told.goes_on else told.since
        standing, through = told.standing or standing, told.through or through
        if told.add_on is not None:
            add_on, add_on_until = told.add_on or None, told.until
        elif told.until is not None:
            inactive_until = told.until
        if told.reported or standing not in ("inactive", "suspended"):
            inactive_until = None
        reported = reported if told.reported is None else told.reported
        edition = edition if told.edition is None else told.edition
        held.awarded_on = told.awarded_on or held.awarded_on
        until = inactive_until if standing == "inactive" else None
        turns.append(Turn(since, standing, through, _add_on(add_on), add_on_until, until, reported, edition))
    held.standing, held.through, held.inactive_until = standing, through, inactive_until
    held.add_on, held.add_on_until = add_on, add_on_until
    return turns


def _righted(told: Told, right: Right | None) -> Told | None:
    if right is None:
        return told
    if right.void:
        return None
    facts: dict[str, date] = {}
    if right.day:
        facts["since"] = right.day
        if told.awarded_on:
            facts["awarded_on"] = right.day
    if right.through:
        facts["through" if told.until is None and told.through is not None else "until"] = right.through
    return msgspec.structs.replace(told, **facts)


def _add_on(code: str | None) -> AddOn | None:
    return code if code in ("ERS", "EERS") else None  # type: ignore[return-value] # it is one of them


def _believe(rows: Rows, held: Endorsed, turns: list[Turn], position: int) -> None:
    """From this position on we believe these spans; a span that differs is written anew beside the old belief."""
    table = rows[Standing]
    new = spans(held, turns)
    for row in table.group(held.number):
        believed = msgspec.structs.astuple(row)[2:11]
        # They are few: looking through them is cheaper than to hash them.
        if believed in new:
            new.remove(believed)
        else:
            row.known_to = position
            table.finish(row)
    for span in new:
        table.put(Standing(held.number, held.person, *span, position))


def spans(held: Endorsed, turns: list[Turn]) -> list[Span]:
    """The history of days as now known: facts recorded late stand where they belong."""
    custody = held.custody if len(held.custody) == 1 else sorted(held.custody, key=_since)
    whole = len(custody) == 1 and held.converted_on is None
    found: list[Span] = []
    before = None
    for turn, standing, begin, end in _pieces(held, sorted(turns, key=_since)):
        uncut = whole and turn.add_on_until is None
        for first, last in ((begin, end),) if uncut else _cut(begin, end, held, turn, custody):
            add_on = turn.add_on
            if add_on == "EERS" and turn.add_on_until and first > turn.add_on_until:
                add_on = None
            old = held.converted_on is not None and first < held.converted_on
            category = held.converted_from if old else held.category
            span = (
                with_add_on(category, add_on) if add_on else category,
                _custodian(custody, first), standing, turn.through, held.awarded_on, turn.reported, turn.edition,
            )  # fmt: skip
            if span == before:
                first = found.pop()[7]  # noqa: PLW2901 # one span with the one before
            before = span
            found.append((*span, first, last))
    return found


def _custodian(custody: list[Custody], on: date) -> str:
    if len(custody) == 1:
        return custody[0].association
    return next(turn.association for turn in reversed(custody) if turn.since <= on)


def _pieces(held: Endorsed, turns: list[Turn]) -> list[tuple[Turn, str, date, date | None]]:
    """Each turn until the next one; what ends by itself in two: until its last day, and lapsed after it."""
    found: list[tuple[Turn, str, date, date | None]] = []
    if held.awarded_on < turns[0].since:
        # The award was corrected to an earlier day: as the aggregate answers.
        found.append((msgspec.structs.replace(turns[0], add_on=None), "lapsed", held.awarded_on, turns[0].since))
    awarded_on, ends = held.awarded_on, [*(turn.since for turn in turns[1:]), None]
    for turn, end in zip(turns, ends, strict=True):
        begin = max(awarded_on, turn.since)
        if end is not None and end <= begin:
            continue
        last = turn.over
        if last is None or last == date.max or (end is not None and end <= last):
            found.append((turn, turn.standing, begin, end))
            continue
        over = last + _DAY
        if begin < over:
            found.append((turn, turn.standing, begin, over))
        if end is None or max(begin, over) < end:
            found.append((turn, "lapsed", max(begin, over), end))
    return found


def _cut(
    begin: date, end: date | None, held: Endorsed, turn: Turn, custody: list[Custody]
) -> list[tuple[date, date | None]]:
    """The piece, cut where the custodian changes, the category is converted or an Emerging ERS ends."""
    days = {turn.since for turn in custody[1:]}
    if turn.add_on_until:
        days.add(turn.add_on_until + _DAY)
    if held.converted_on:
        days.add(held.converted_on)
    cuts = sorted(day for day in days if begin < day and (end is None or day < end))
    return list(zip([begin, *cuts], [*cuts, end], strict=True))


def _since(turn: Turn | Custody) -> date:
    return turn.since


VIEW: Final = View(
    "standing",
    tables=(Endorsed, Standing),
    takes=(
        Endorsement.Awarded, Endorsement.Imported, Endorsement.Reported, Endorsement.Renewed, Endorsement.Lapsed,
        Endorsement.MadeInactive, Endorsement.InactivityEnded, Endorsement.Reactivated, Endorsement.Reinstated,
        Endorsement.EmeritusGranted, Endorsement.Suspended, Endorsement.SuspensionLifted, Endorsement.Removed,
        Endorsement.Archived, Endorsement.EndedByDeath, Endorsement.AddOnGranted, Endorsement.AddOnEnded,
        Endorsement.Converted, Endorsement.CustodyTransferred, Endorsement.Corrected,
        Endorsement.EndedByErasure,
    ),
    change=change,
)  # fmt: skip


# -- questions -----------------------------------------------------------------------------------------------

_COLUMNS: Final = (
    "number, person, category, custodian, standing, through, awarded_on, reported, edition,"
    " valid_from, valid_to, known_from, known_to"
)
_KNOWN: Final = (
    " AND known_from <= coalesce(%(known)s::int8, 9223372036854775807)"
    " AND (known_to IS NULL OR known_to > coalesce(%(known)s::int8, 9223372036854775807))"
)
_ON: Final = " AND valid_from <= %(on)s AND (valid_to IS NULL OR valid_to > %(on)s)"

_OF = "SELECT " + _COLUMNS + " FROM views.standing WHERE number = %(number)s" + _ON + _KNOWN
_OF_PERSON = "SELECT " + _COLUMNS + " FROM views.standing WHERE person = %(person)s" + _ON + _KNOWN + " ORDER BY number"
_SPANS = "SELECT " + _COLUMNS + " FROM views.standing WHERE number = %(number)s" + _KNOWN + " ORDER BY valid_from"
_BELIEFS = (
    "SELECT " + _COLUMNS + " FROM views.standing WHERE number = %(number)s" + _ON + " ORDER BY known_from, valid_from"
)
_HELD_AT = (
    "SELECT " + _COLUMNS + " FROM views.standing WHERE custodian = %(association)s" + _ON + _KNOWN
    + " AND (%(standing)s::text IS NULL OR standing = %(standing)s)"
    " AND number > %(after)s ORDER BY number LIMIT %(limit)s"
)  # fmt: skip
_STANDING_OF = (
    "SELECT number FROM views.standing WHERE number = ANY(%(numbers)s)" + _ON + " AND known_to IS NULL"
    ' AND standing = ANY(%(standings)s) ORDER BY number COLLATE "C" LIMIT %(limit)s'
)
_FIRST_DAY = "SELECT min(valid_from) AS day FROM views.standing"
_OF_CATEGORY = (
    "SELECT number FROM views.endorsements WHERE category = %(category)s"
    " AND standing NOT IN ('removed', 'archived') AND (%(association)s = '' OR custody -> -1 ->> 1 = %(association)s)"
    ' AND number COLLATE "C" > %(after)s ORDER BY number COLLATE "C" LIMIT %(limit)s'
)
_PAST_INACTIVITY = (
    "SELECT number FROM views.endorsements WHERE standing = 'inactive' AND inactive_until < %(on)s"
    ' AND number COLLATE "C" > %(after)s ORDER BY number COLLATE "C" LIMIT %(limit)s'
)
_PAST_ADD_ON = (
    "SELECT number FROM views.endorsements WHERE add_on = 'EERS' AND add_on_until < %(on)s"
    ' AND number COLLATE "C" > %(after)s ORDER BY number COLLATE "C" LIMIT %(limit)s'
)
_PAST_THROUGH = (
    "SELECT number FROM views.endorsements WHERE standing = 'active' AND through < %(on)s"
    ' AND number COLLATE "C" > %(after)s ORDER BY number COLLATE "C" LIMIT %(limit)s'
)
# Positions have no gaps, so the last event written by a time is found by halving.
_POSITION_AT = """
WITH RECURSIVE halves (low, high) AS (
    SELECT 0::int8, (SELECT coalesce(max(notification_id), 0) FROM registry.events)
    UNION ALL
    SELECT CASE WHEN e.written <= %(at)s THEN middle ELSE low END,
        CASE WHEN e.written <= %(at)s THEN high ELSE middle - 1 END
    FROM halves, LATERAL (SELECT (low + high + 1) / 2 AS middle) AS m, LATERAL (
        SELECT (convert_from(state, 'UTF8')::json ->> 'recorded_at')::timestamptz AS written
        FROM registry.events WHERE notification_id = m.middle
    ) AS e
    WHERE low < high
)
SELECT low AS position FROM halves WHERE low = high"""


def of(number: str, *, on: date, known: int | None = None) -> Query:
    """The one span of this day, as believed at a position (None: now); no row before the award."""
    return Query(_OF, {"number": number, "on": on, "known": known})


def of_person(person: str, *, on: date, known: int | None = None) -> Query:
    """What a person holds on a day, one row for each endorsement."""
    return Query(_OF_PERSON, {"person": person, "on": on, "known": known})


def spans_of(number: str, *, known: int | None = None) -> Query:
    """Every span of an endorsement as believed at a position, in the order of days."""
    return Query(_SPANS, {"number": number, "known": known})


def beliefs_about(number: str, *, on: date) -> Query:
    """What was ever believed about this day, in the order in which we came to believe it."""
    return Query(_BELIEFS, {"number": number, "on": on})


def held_at(
    association: str,
    *,
    on: date,
    standing: str | None = None,
    known: int | None = None,
    after: str = "",
    limit: int = 100,
) -> Query:
    """What an association holds on a day, by number; the last number is the cursor `after`."""
    return Query(
        _HELD_AT,
        {"association": association, "on": on, "standing": standing, "known": known, "after": after, "limit": limit},
    )


def standing_of(numbers: Sequence[str], standings: Sequence[str], *, on: date, limit: int) -> Query:
    """Which of these stand so on a day, by number."""
    return Query(_STANDING_OF, {"numbers": list(numbers), "standings": list(standings), "on": on, "limit": limit})


def first_day() -> Query:
    """The earliest day of which anything was ever believed."""
    return Query(_FIRST_DAY, {})


def past_through(on: date, after: str = "", limit: int = 1000) -> Query:
    """Numbers recorded as active whose last good day is before this one: their lapse may have to be recorded."""
    return Query(_PAST_THROUGH, {"on": on, "after": after, "limit": limit})


def of_category(category: str, association: str = "", after: str = "", limit: int = 1000) -> Query:
    """Numbers of a category that have not ended, by number; empty `association`: of all."""
    return Query(_OF_CATEGORY, {"category": category, "association": association, "after": after, "limit": limit})


def past_inactivity(on: date, after: str = "", limit: int = 1000) -> Query:
    """Numbers recorded as inactive whose years are over."""
    return Query(_PAST_INACTIVITY, {"on": on, "after": after, "limit": limit})


def past_add_on(on: date, after: str = "", limit: int = 1000) -> Query:
    """Numbers with an Emerging ERS whose two years are over."""
    return Query(_PAST_ADD_ON, {"on": on, "after": after, "limit": limit})


def position_at(at: object) -> Query:
    """The position of the last event written by a time (a datetime); 0 before the first."""
    return Query(_POSITION_AT, {"at": at})
