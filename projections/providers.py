"""The public list of providers of RSC: who opted in and holds today what a rule for providers accepts.

No table of its own: spans of `standing` and the choices in `people`, judged by the day that is asked about.
"""

from collections.abc import Collection
from datetime import date
from typing import Final

from projections.view import Query

_LISTED: Final = """
SELECT s.number, p.name, p.credentials, s.category, s.custodian AS association, p.languages, p.remote, p.folded
FROM views.people AS p JOIN views.people AS record ON record.human = p.person
JOIN views.standing AS s ON s.person = record.person
WHERE p.provides AND p.name IS NOT NULL AND s.valid_from <= %(on)s
    AND (s.valid_to IS NULL OR s.valid_to > %(on)s) AND s.standing = 'active'
    AND s.known_from <= coalesce(%(known)s::int8, 9223372036854775807)
    AND (s.known_to IS NULL OR s.known_to > coalesce(%(known)s::int8, 9223372036854775807))
    AND (%(today)s::date IS NULL OR EXISTS (SELECT FROM views.standing AS n WHERE n.number = s.number
        AND n.known_to IS NULL AND n.valid_from <= %(today)s AND (n.valid_to IS NULL OR n.valid_to > %(today)s)
        AND n.standing = 'active'))
    AND s.custodian || ' ' || s.category = ANY(%(accepted)s)
    AND (%(association)s = '' OR s.custodian = %(association)s)
    AND (%(language)s = '' OR p.languages @> ARRAY[%(language)s::text])
    AND (NOT %(remote)s OR p.remote)
    AND (p.folded, s.number) > (%(after_name)s, %(after_number)s)
ORDER BY p.folded, s.number LIMIT %(limit)s"""


def listed(
    *,
    on: date,
    known: int | None = None,
    today: date | None = None,
    accepted: Collection[str],
    association: str = "",
    language: str = "",
    remote: bool = False,
    after: tuple[str, str] | None = None,
    limit: int = 50,
) -> Query:
    """A page of the list, by name. `accepted`: association, a blank, and a category that may provide there that day.

    `known`: as believed at a position; `today`: only who is active on this day too, by what is known now.
    `remote`: only those who provide from afar. The cursor `after` is `folded` and `number` of the last row.
    """
    after_name, after_number = after or ("", "")
    return Query(
        _LISTED,
        {"on": on, "known": known, "today": today, "accepted": sorted(accepted), "association": association,
         "language": language, "remote": remote, "after_name": after_name, "after_number": after_number,
         "limit": limit},
    )  # fmt: skip
