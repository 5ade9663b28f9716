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
WHERE p.provides AND p.name IS NOT NULL AND s.known_to IS NULL AND s.valid_from <= %(on)s
    AND (s.valid_to IS NULL OR s.valid_to > %(on)s) AND s.standing = 'active'
    AND s.custodian || ' ' || s.category = ANY(%(accepted)s)
    AND (%(association)s = '' OR s.custodian = %(association)s)
    AND (%(language)s = '' OR p.languages @> ARRAY[%(language)s::text])
    AND (NOT %(remote)s OR p.remote)
    AND (p.folded, s.number) > (%(after_name)s, %(after_number)s)
ORDER BY p.folded, s.number LIMIT %(limit)s"""


def listed(
    *,
    on: date,
    accepted: Collection[str],
    association: str = "",
    language: str = "",
    remote: bool = False,
    after: tuple[str, str] | None = None,
    limit: int = 50,
) -> Query:
    """A page of the list, by name. `accepted`: association, a blank, and a category that may provide there that day.

    `remote`: only those who provide from afar. The cursor `after` is `folded` and `number` of the last row.
    """
    after_name, after_number = after or ("", "")
    return Query(
        _LISTED,
        {"on": on, "accepted": sorted(accepted), "association": association, "language": language, "remote": remote,
         "after_name": after_name, "after_number": after_number, "limit": limit},
    )  # fmt: skip
