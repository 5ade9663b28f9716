"""What views said at a past position: their own `match` over the events of a few streams, and their own SQL over that.

The rows take the place of the tables in a question, so that it is answered of then by the words it is answered now.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from domain.event import Event
from projections import standing
from projections.rows import Row, Rows
from projections.standing import Standing
from projections.view import Query, View

_encode = msgspec.json.Encoder().encode


def folded(views: Sequence[View], events: Iterable[tuple[int, Event]]) -> Rows:
    """The rows of these views after these events, which are whole streams up to a position, in order."""
    rows = Rows([table for view in views for table in view.tables], everything=True)
    changes = {
        kind: [view.change for view in views if kind in view.takes] for view in views for kind in view.takes
    }  # fmt: skip
    for position, event in events:
        for change in changes.get(type(event), ()):
            change(rows, event, position)
    return rows


def asked_of(query: Query, rows: Rows) -> Query:
    """The same question to these rows, in place of the live tables of their names."""
    parameters, parts = dict(query.parameters), []
    sql: str = query.sql
    for table, held in rows.items():
        name = table.table
        sql, times = re.subn(rf"\bviews\.{name}\b", f"then_{name}", sql)
        if times:
            parts.append(
                f"then_{name} AS (SELECT * FROM jsonb_populate_recordset(NULL::views.{name}, %(then_{name})s::jsonb))"
            )
            parameters[f"then_{name}"] = _encode(_whole(held.changed())).decode()
    if not parts:
        return query
    return Query(f"WITH {', '.join(parts)} {sql.lstrip()}", parameters)


def _whole(rows: Sequence[Row]) -> list[dict[str, object]]:
    return [{name: getattr(row, name) for name in row.__struct_fields__} for row in rows]


def standing_on(events: Iterable[tuple[int, Event]], on: date) -> Standing | None:
    """The span of a day, after these events of one endorsement; None before the award."""
    for row in folded([standing.VIEW], events)[Standing].changed():
        if row.known_to is None and row.valid_from <= on and (row.valid_to is None or on < row.valid_to):
            return row
    return None
