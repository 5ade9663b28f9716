"""Who held what when, and what we believed about it when: every span of days, from position to position.

`valid_from` to `valid_to` are the days it was so, `known_from` to `known_to` the positions we believed it;
both ends exclusive, NULL while open. An active span ends with its `through` day, whether or not the lapse
was recorded. Days before the award have no span. Agrees with `Endorsement.standing(on)` and `held_on(on)`.
"""

from datetime import date, timedelta
from typing import ClassVar, Final

import msgspec

from domain.category import AddOn, with_add_on
from domain.endorsement import Endorsement, day_after
from domain.event import Event
from projections.rows import Row, Rows
from projections.view import Query, View, name_of

_DAY: Final = timedelta(days=1)


class Turn(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an event made of the standing, from a day on."""

    since: date
    standing: str
    through: date
    add_on: AddOn | None
    reported: bool
    edition: str


class Custody(msgspec.Struct, frozen=True, array_like=True, gc=False):
    since: date
    association: str


class Endorsed(Row):
    """What is needed to work out the spans again when another event comes; `standing` as last recorded."""

    table: ClassVar[str] = "endorsements"
    key: ClassVar[tuple[str, ...]] = ("number",)
    found_by: ClassVar[tuple[str, ...]] = ("number",)
    indexes: ClassVar[tuple[str, ...]] = ("(through) WHERE standing = 'active'",)

    number: str
    person: str
    category: str
    awarded_on: date
    standing: str
    through: date
    add_on: AddOn | None
    add_on_until: date | None
    reported: bool
    edition: str
    turns: list[Turn]
    custody: list[Custody]


class Standing(Row):
    """One span. `category` with its add-on (`IFS+ERS`); `edition` that of the last decision, empty if imported."""

    table: ClassVar[str] = "standing"
    key: ClassVar[tuple[str, ...]] = ("number", "known_from", "valid_from")
    found_by: ClassVar[tuple[str, ...]] = ("number",)
    alive: ClassVar[str] = "known_to IS NULL"
    grouped_by: ClassVar[str] = "number"
    indexes: ClassVar[tuple[str, ...]] = ("(person)", "(custodian)")

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
            held = _begin(rows, event, event.on)
            held.edition = event.edition
            _stand(held, event.on, "active", event.through)
        case Endorsement.Imported():
            held = _begin(rows, event, event.awarded_on)
            held.reported = True
            _stand(held, event.awarded_on, "active", event.through)
            if event.standing != "active":
                _stand(held, min(event.on, day_after(event.through)), event.standing, event.through)
        case _:
            held = rows[Endorsed].change(name_of(event))
            _go_on(held, event)
    _believe(rows, held, position)


def _begin(rows: Rows, event: Endorsement.Awarded | Endorsement.Imported, awarded_on: date) -> Endorsed:
    return rows[Endorsed].put(
        Endorsed(
            number=name_of(event),
            person=event.person,
            category=event.category,
            awarded_on=awarded_on,
            standing="active",
            through=event.through,
            add_on=None,
            add_on_until=None,
            reported=False,
            edition="",
            turns=[],
            custody=[Custody(date.min, event.association)],
        )
    )


def _go_on(held: Endorsed, event: Event) -> None:  # noqa: C901 # one case for each event
    match event:
        case Endorsement.Renewed() | Endorsement.Reinstated():
            held.reported = False
            held.edition = event.edition
            _stand(held, event.on, "active", event.through)
        case Endorsement.Lapsed():
            _stand(held, event.on, "lapsed", event.through)
        case Endorsement.CustodyTransferred():
            held.custody.append(Custody(event.on, event.to))
        case Endorsement.Reported():
            held.awarded_on = event.awarded_on or held.awarded_on
            held.category = event.category or held.category
            held.reported = True
            _stand(held, event.since(held.through), event.standing, event.through)
        case Endorsement.MadeInactive():
            _stand(held, event.on, "inactive", held.through)
        case Endorsement.Reactivated():
            _stand(held, event.on, "active", event.through)
        case Endorsement.Suspended():
            _stand(held, event.on, "suspended", held.through)
        case Endorsement.SuspensionLifted():
            _stand(held, event.on, event.standing, held.through)
        case Endorsement.Removed():
            _stand(held, event.on, "removed", held.through)
        case Endorsement.Archived():
            _stand(held, event.on, "archived", held.through)
        case Endorsement.AddOnGranted():
            held.add_on = event.add_on
            held.add_on_until = event.until
            _stand(held, event.on, held.standing, held.through)


def _stand(held: Endorsed, since: date, standing: str, through: date) -> None:
    held.standing = standing
    held.through = through
    held.turns.append(Turn(since, standing, through, held.add_on, held.reported, held.edition))


def _believe(rows: Rows, held: Endorsed, position: int) -> None:
    """From this position on we believe these spans; a span that differs is written anew beside the old belief."""
    table = rows[Standing]
    new = dict.fromkeys(spans(held))
    for row in table.group(held.number):
        believed = msgspec.structs.astuple(row)[2:11]
        if believed in new:
            del new[believed]
        else:
            row.known_to = position
            table.finish(row)
    for span in new:
        table.put(Standing(held.number, held.person, *span, position))


def spans(held: Endorsed) -> list[Span]:
    """The history of days as now known: facts recorded late stand where they belong."""
    custody = held.custody if len(held.custody) == 1 else sorted(held.custody, key=_since)
    found: list[Span] = []
    before = None
    for turn, standing, begin, end in _pieces(held):
        for first, last in _cut(begin, end, held, custody):
            add_on = turn.add_on
            if add_on == "EERS" and held.add_on_until and first > held.add_on_until:
                add_on = None
            span = (
                with_add_on(held.category, add_on) if add_on else held.category,
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


def _pieces(held: Endorsed) -> list[tuple[Turn, str, date, date | None]]:
    """Each turn until the next one, an active one in two: until its last good day, and lapsed after it."""
    turns = sorted(held.turns, key=_since)
    found: list[tuple[Turn, str, date, date | None]] = []
    if held.awarded_on < turns[0].since:
        # The award was corrected to an earlier day: as the aggregate answers.
        found.append((msgspec.structs.replace(turns[0], add_on=None), "lapsed", held.awarded_on, turns[0].since))
    for i, turn in enumerate(turns):
        begin = max(turn.since, held.awarded_on)
        end = turns[i + 1].since if i + 1 < len(turns) else None
        if end is not None and end <= begin:
            continue
        if turn.standing != "active" or turn.through == date.max or (end is not None and end <= turn.through):
            found.append((turn, turn.standing, begin, end))
            continue
        over = turn.through + _DAY
        if begin < over:
            found.append((turn, "active", begin, over))
        if end is None or max(begin, over) < end:
            found.append((turn, "lapsed", max(begin, over), end))
    return found


def _cut(begin: date, end: date | None, held: Endorsed, custody: list[Custody]) -> list[tuple[date, date | None]]:
    """The piece, cut where the custodian changes or an Emerging ERS ends."""
    if len(custody) == 1 and held.add_on_until is None:
        return [(begin, end)]
    days = {turn.since for turn in custody[1:]}
    if held.add_on_until:
        days.add(held.add_on_until + _DAY)
    cuts = sorted(day for day in days if begin < day and (end is None or day < end))
    return list(zip([begin, *cuts], [*cuts, end], strict=True))


def _since(turn: Turn | Custody) -> date:
    return turn.since


VIEW: Final = View(
    "standing",
    tables=(Endorsed, Standing),
    takes=(
        Endorsement.Awarded, Endorsement.Imported, Endorsement.Reported, Endorsement.Renewed, Endorsement.Lapsed,
        Endorsement.MadeInactive, Endorsement.Reactivated, Endorsement.Reinstated, Endorsement.Suspended,
        Endorsement.SuspensionLifted, Endorsement.Removed, Endorsement.Archived, Endorsement.AddOnGranted,
        Endorsement.CustodyTransferred,
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


def past_through(on: date, after: str = "", limit: int = 1000) -> Query:
    """Numbers recorded as active whose last good day is before this one: their lapse may have to be recorded."""
    return Query(_PAST_THROUGH, {"on": on, "after": after, "limit": limit})


def position_at(at: object) -> Query:
    """The position of the last event written by a time (a datetime); 0 before the first."""
    return Query(_POSITION_AT, {"at": at})
