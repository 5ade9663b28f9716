"""Which employers are to be told of a change, and which have ended; asked of the history: there is no view of them."""

from datetime import date

from domain.alert import TOPICS
from projections.view import Query

# A wish of before may be taken back: too many are named then, never too few.
_TO_TELL = (
    "WITH e AS (SELECT originator_id, coalesce(max((convert_from(state, 'UTF8')::jsonb ->> 'through')::int8)"
    " FILTER (WHERE topic = 'employer.told'), 0) AS told FROM registry.events"
    " WHERE originator_id > 'employer/' AND originator_id < 'employer0' GROUP BY originator_id"
    " HAVING bool_or(topic = 'employer.follows') AND NOT bool_or(topic = 'employer.ended'))"
    ' SELECT substr(e.originator_id, 10) AS subject FROM e WHERE substr(e.originator_id, 10) COLLATE "C" > %(after)s'
    " AND EXISTS (SELECT FROM registry.events AS f"
    " CROSS JOIN LATERAL jsonb_array_elements_text(convert_from(f.state, 'UTF8')::jsonb -> 'numbers') AS n"
    " JOIN registry.events AS c ON c.originator_id = 'endorsement/' || n"
    " WHERE f.originator_id = e.originator_id AND f.topic = 'employer.follows' AND c.topic = ANY(%(topics)s)"
    " AND c.notification_id > greatest(e.told, f.notification_id))"
    ' ORDER BY substr(e.originator_id, 10) COLLATE "C" LIMIT %(limit)s'
)
_TO_FORGET = (
    "SELECT substr(originator_id, 10) AS subject FROM registry.events AS e"
    " WHERE originator_id > 'employer/' AND originator_id < 'employer0' AND topic = 'employer.ended'"
    ' AND substr(originator_id, 10) COLLATE "C" > %(after)s'
    " AND NOT EXISTS (SELECT FROM registry.events AS d WHERE d.originator_id = e.originator_id"
    " AND d.topic = 'employer.key_destroyed')"
    ' ORDER BY substr(originator_id, 10) COLLATE "C" LIMIT %(limit)s'
)


def to_tell(on: date, after: str, limit: int) -> Query:  # noqa: ARG001 # as every nightly rule asks
    """Employers that follow something which has changed since their last letter."""
    return Query(_TO_TELL, {"after": after, "limit": limit, "topics": list(TOPICS)})


def to_forget(on: date, after: str, limit: int) -> Query:  # noqa: ARG001 # as every nightly rule asks
    """Ended ones whose key is still to be destroyed."""
    return Query(_TO_FORGET, {"after": after, "limit": limit})
