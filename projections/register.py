"""The public register: active endorsements of people who let their name be shown, searched by name and more.

No table of its own: spans of `standing` and names of `people`, judged by the day that is asked about.
"""

from datetime import date
from typing import Final

from projections.people import as_words
from projections.view import Query

_SEARCH: Final = """
SELECT s.number, p.name, p.credentials, s.category, s.custodian AS association, s.standing, s.through,
    s.awarded_on, s.reported, p.folded
FROM views.standing AS s JOIN views.people AS record ON record.person = s.person
JOIN views.people AS p ON p.person = record.human
WHERE s.valid_from <= %(on)s AND (s.valid_to IS NULL OR s.valid_to > %(on)s)
    AND s.standing = 'active' AND p.listed AND p.name IS NOT NULL"""
_NOW: Final = " AND s.known_to IS NULL"
_KNOWN: Final = " AND s.known_from <= %(known)s AND (s.known_to IS NULL OR s.known_to > %(known)s)"
_STILL: Final = """ AND EXISTS (SELECT FROM views.standing AS n WHERE n.number = s.number AND n.known_to IS NULL
    AND n.valid_from <= %(today)s AND (n.valid_to IS NULL OR n.valid_to > %(today)s) AND n.standing = 'active')"""
_BY_NAME: Final = " AND array_to_tsvector(string_to_array(p.folded, ' ')) @@ %(words)s::tsquery"
_BY_NUMBER: Final = " AND s.number = %(number)s"
_BY_CATEGORY: Final = " AND split_part(s.category, '+', 1) = %(category)s"
_BY_ASSOCIATION: Final = " AND s.custodian = %(association)s"
_AFTER: Final = " AND (p.folded, s.number) > (%(after_name)s, %(after_number)s)"
_PAGE: Final = " ORDER BY p.folded, s.number LIMIT %(limit)s"


def search(
    *,
    on: date,
    known: int | None = None,
    today: date | None = None,
    name: str = "",
    number: str = "",
    category: str = "",
    association: str = "",
    after: tuple[str, str] | None = None,
    limit: int = 50,
) -> Query:
    """A page of the register on a day, by name. `number` and `category` in their own forms.

    `known`: as believed at a position. `today`: only what is active on this day too, by what is known now. Whose name
    is shown is as they chose last. The cursor `after` is `folded` and `number` of the last row.
    """
    words = as_words(name)
    sql = (
        _SEARCH
        + (_NOW if known is None else _KNOWN)
        + (_STILL if today else "")
        + (_BY_NAME if words else "")
        + (_BY_NUMBER if number else "")
        + (_BY_CATEGORY if category else "")
        + (_BY_ASSOCIATION if association else "")
        + (_AFTER if after else "")
        + _PAGE
    )
    after_name, after_number = after or ("", "")
    return Query(
        sql,
        {
            "on": on,
            "known": known,
            "today": today,
            "words": words,
            "number": number,
            "category": category,
            "association": association,
            "after_name": after_name,
            "after_number": after_number,
            "limit": limit,
        },
    )
