"""Audits as they stand: how far each has come with each number, whom it waits for, and which days have passed."""

from datetime import date
from typing import ClassVar, Final

from domain.audit import Audit
from domain.event import Event
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class AuditRow(Row):
    table: ClassVar[str] = "audits"
    key: ClassVar[tuple[str, ...]] = ("audit",)
    found_by: ClassVar[tuple[str, ...]] = ("audit",)
    indexes: ClassVar[tuple[str, ...]] = ("(association, drawn_on, audit)",)

    audit: str
    association: str
    cycle: int
    drawn_on: date
    population: int
    state: str
    last_on: date


class AuditItemRow(Row):
    """`due`: the last day for what is asked of the holder; `told`: the one of which a passed day is on record."""

    table: ClassVar[str] = "audit_items"
    key: ClassVar[tuple[str, ...]] = ("audit", "number")
    found_by: ClassVar[tuple[str, ...]] = ("audit",)
    indexes: ClassVar[tuple[str, ...]] = (
        "(association, audit, number) WHERE state IN ('drawn', 'noticed', 'submitted', 'failed')",
        "(due) WHERE state IN ('noticed', 'failed')",
        "(number)",
    )

    audit: str
    number: str
    association: str
    state: str
    since: date
    why: str | None = None
    remedy: str | None = None
    due: date | None = None
    told: date | None = None


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001 # every view's shape
    audit = name_of(event)
    if isinstance(event, Audit.SampleDrawn):
        rows[AuditRow].put(
            AuditRow(audit, event.association, event.cycle, event.on, len(event.population), "open", event.on)
        )
        for number in event.sample:
            rows[AuditItemRow].put(AuditItemRow(audit, number, event.association, "drawn", event.on))
        return
    row = rows[AuditRow].change(audit)
    row.last_on = event.on
    if isinstance(event, Audit.Closed):
        row.state = "closed"
        return
    item = rows[AuditItemRow].change((audit, getattr(event, "number", "")))
    if isinstance(event, Audit.DayPassed):
        item.told = event.day
    else:
        item.since = event.on
        _go_on(item, event)


def _go_on(item: AuditItemRow, event: Event) -> None:
    match event:
        case Audit.NoticeSent():
            item.state, item.why, item.due = "noticed", event.why, event.answer_by
        case Audit.EvidenceSubmitted():
            item.state = "submitted"
        case Audit.Failed():
            item.state, item.remedy, item.due = "failed", event.remedy, event.remedy_by
        case Audit.Passed():
            item.state = "passed"
        case Audit.LeftUnremedied():
            item.state = "unremedied"
        case Audit.Dropped():
            item.state = "dropped"


VIEW: Final = View(
    "audits",
    tables=(AuditRow, AuditItemRow),
    takes=(
        Audit.SampleDrawn, Audit.NoticeSent, Audit.EvidenceSubmitted, Audit.Passed, Audit.Failed, Audit.LeftUnremedied,
        Audit.DayPassed, Audit.Dropped, Audit.Closed,
    ),
    change=change,
)  # fmt: skip

_OF = (
    "SELECT a.audit, a.association, a.cycle, a.drawn_on, a.population, a.state, a.last_on, count(i.number) AS sample,"
    " count(i.number) FILTER (WHERE i.state IN ('passed', 'unremedied', 'dropped')) AS decided,"
    " count(i.number) FILTER (WHERE i.state IN ('drawn', 'submitted')"
    " OR (i.state IN ('noticed', 'failed') AND i.due < %(on)s)) AS ours"
    " FROM views.audits AS a JOIN views.audit_items AS i USING (audit) WHERE a.association = %(association)s"
    " AND (a.drawn_on, a.audit) < (coalesce(%(before_on)s::date, 'infinity'), %(before)s)"
    " GROUP BY a.audit, a.association, a.cycle, a.drawn_on, a.population, a.state, a.last_on"
    " ORDER BY a.drawn_on DESC, a.audit DESC LIMIT %(limit)s"
)
_ALL = "SELECT audit FROM views.audits WHERE association = %(association)s LIMIT %(limit)s"
_IN = "SELECT DISTINCT audit FROM views.audit_items WHERE number = %(number)s"
_WAITING = (
    "SELECT i.audit, i.number, e.person, i.state, i.since, i.due FROM views.audit_items AS i"
    " LEFT JOIN views.endorsements AS e USING (number) WHERE i.association = %(association)s"
    " AND (i.state IN ('drawn', 'submitted') OR (i.state IN ('noticed', 'failed') AND i.due < %(on)s))"
    " ORDER BY i.since, i.audit, i.number LIMIT %(limit)s"
)
_DAYS_PASSED = (
    'SELECT DISTINCT audit FROM (SELECT audit COLLATE "C" AS audit FROM views.audit_items'
    " WHERE state IN ('noticed', 'failed') AND due < %(on)s AND told IS DISTINCT FROM due) AS late"
    " WHERE audit > %(after)s ORDER BY audit LIMIT %(limit)s"
)


def of_association(
    association: str, on: date, *, before: tuple[date | None, str] = (None, "~"), limit: int = 20
) -> Query:
    """Newest first; the cursor is `drawn_on` and `audit` of the last row. `ours`: what waits for the association."""
    return Query(
        _OF, {"association": association, "on": on, "before_on": before[0], "before": before[1], "limit": limit}
    )


def all_of(association: str, *, limit: int) -> Query:
    """Every audit an association ever drew."""
    return Query(_ALL, {"association": association, "limit": limit})


def of_number(number: str) -> Query:
    """Every audit an endorsement was ever drawn for."""
    return Query(_IN, {"number": number})


def waiting(association: str, on: date, *, limit: int = 200) -> Query:
    """What waits for an association's coordinator: a notice, a decision, or a day of the holder's that has passed."""
    return Query(_WAITING, {"association": association, "on": on, "limit": limit})


def days_passed(on: date, after: str, limit: int) -> Query:
    """Audits in which a holder's last day is before this one, and nobody was told so yet."""
    return Query(_DAYS_PASSED, {"on": on, "after": after, "limit": limit})
