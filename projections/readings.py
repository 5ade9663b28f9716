"""Which days of readings have no digest yet; asked of the history itself, for there is no view of them."""

from datetime import date

from projections.view import Query

_OPEN = (
    "SELECT day::text AS subject FROM service.access WHERE day < %(on)s AND day::text > %(after)s"
    " AND NOT EXISTS (SELECT FROM registry.events WHERE originator_id = 'readings/' || day::text)"
    " GROUP BY day ORDER BY day LIMIT %(limit)s"
)


def undigested(on: date, after: str, limit: int) -> Query:
    """Days before `on`, oldest first, as text."""
    return Query(_OPEN, {"on": on, "after": after, "limit": limit})
