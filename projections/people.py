"""People by id, with the names that are open to those who may see them; nothing is left of an erased one."""

import re
import unicodedata
from collections.abc import Sequence
from typing import ClassVar, Final

from domain.event import Event
from domain.person import Person
from projections.rows import Row, Rows
from projections.view import Query, View, name_of

# Letters that Unicode does not take apart.
_PLAIN: Final = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
    "'": "", "’": "", "‘": "", "ʼ": "", "ʻ": "",
})  # fmt: skip


class PersonRow(Row):
    """`folded`: the name for search, words of plain letters. NULL names were erased."""

    table: ClassVar[str] = "people"
    key: ClassVar[tuple[str, ...]] = ("person",)
    found_by: ClassVar[tuple[str, ...]] = ("person",)
    collate_c: ClassVar[tuple[str, ...]] = ("folded",)
    indexes: ClassVar[tuple[str, ...]] = (
        "(folded, person)",
        "USING gin (array_to_tsvector(string_to_array(folded, ' ')))",
    )

    person: str
    name: str | None
    credentials: str | None
    folded: str | None
    residence: str
    listed: bool = True
    erased: bool = False


_WORD: Final = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """A name or a search without case, accents and signs: `O’Neill-Gómez` is `oneill gomez`."""
    plain = text.casefold().translate(_PLAIN)
    if not plain.isascii():
        apart = unicodedata.normalize("NFKD", plain)
        plain = "".join([c for c in apart if not unicodedata.combining(c)]).translate(_PLAIN)
    return " ".join(_WORD.findall(plain))


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001 # every view's shape
    people = rows[PersonRow]
    match event:
        case Person.Registered():
            row = people.put(PersonRow(name_of(event), None, None, None, event.residence))
            _name(row, event)
        case Person.Renamed():
            _name(people.change(name_of(event)), event)
        case Person.ResidenceChanged():
            people.change(name_of(event)).residence = event.residence
        case Person.PublicationChosen():
            people.change(name_of(event)).listed = event.listed
        case Person.Erased():
            row = people.change(name_of(event))
            row.name = row.credentials = row.folded = None
            row.erased = True


def _name(row: PersonRow, event: Person.Registered | Person.Renamed) -> None:
    if not row.erased:
        row.name = event.name if isinstance(event.name, str) else None
        row.credentials = event.credentials if isinstance(event.credentials, str) else None
        row.folded = folded(row.name) if row.name is not None else None


VIEW: Final = View(
    "people",
    tables=(PersonRow,),
    takes=(Person.Registered, Person.Renamed, Person.ResidenceChanged, Person.PublicationChosen, Person.Erased),
    change=change,
    opens=("name", "credentials"),
)

_COLUMNS: Final = "person, name, credentials, residence, listed, erased"
_NAMES = "SELECT " + _COLUMNS + " FROM views.people WHERE person = ANY(%(people)s)"
_FIND = (
    "SELECT " + _COLUMNS + " FROM views.people WHERE (%(residence)s::text IS NULL OR residence = %(residence)s)"
    " AND array_to_tsvector(string_to_array(folded, ' ')) @@ %(words)s::tsquery"
    " AND (folded, person) > (%(after_name)s, %(after)s) ORDER BY folded, person LIMIT %(limit)s"
)


def names(people: Sequence[str]) -> Query:
    """These people, in any order."""
    return Query(_NAMES, {"people": list(people)})


def find(name: str, *, residence: str | None = None, after: tuple[str, str] = ("", ""), limit: int = 50) -> Query:
    """People with these beginnings of words in their names, listed or not: for actors, never for the public.

    The cursor is `folded(name)` and person of the last row.
    """
    return Query(
        _FIND,
        {"words": as_words(name), "residence": residence, "after_name": after[0], "after": after[1], "limit": limit},
    )


def as_words(text: str) -> str:
    """A search text as a tsquery: every word the beginning of a word."""
    return " & ".join(f"'{word}':*" for word in folded(text).split())
