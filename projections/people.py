"""People by id, with the names that are open to those who may see them; nothing is left of an erased one."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
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
    """`folded`: the name for search, words of plain letters. NULL names were erased.

    `human`: the record that acts for this one, itself unless it was merged. `erase_on`: when they are to be forgotten;
    `destroy`: keys are still to be destroyed; `told`: there are demographics.
    """

    table: ClassVar[str] = "people"
    key: ClassVar[tuple[str, ...]] = ("person",)
    found_by: ClassVar[tuple[str, ...]] = ("person",)
    collate_c: ClassVar[tuple[str, ...]] = ("folded",)
    indexes: ClassVar[tuple[str, ...]] = (
        "(folded, person)",
        "USING gin (array_to_tsvector(string_to_array(folded, ' ')))",
        "(human)",
        "(erase_on) WHERE erase_on IS NOT NULL OR destroy",
        "(person) WHERE provides",
    )

    person: str
    name: str | None
    credentials: str | None
    folded: str | None
    residence: str
    listed: bool = True
    erased: bool = False
    human: str = ""
    erase_on: date | None = None
    destroy: bool = False
    told: bool = False
    provides: bool = False
    languages: list[str] = []
    remote: bool = False


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
    if isinstance(event, Person.Registered):
        row = people.put(PersonRow(name_of(event), None, None, None, event.residence, human=name_of(event)))
        _name(row, event)
    else:
        row = people.change(name_of(event))
        _go_on(row, event)
        _forget(row, event)


def _go_on(row: PersonRow, event: Event) -> None:
    match event:
        case Person.Renamed():
            _name(row, event)
        case Person.ResidenceChanged():
            row.residence = event.residence
        case Person.PublicationChosen():
            row.listed = event.listed
        case Person.MergedInto():
            row.human = event.into
        case Person.Split() if row.human == event.other:
            row.human = row.person
        case Person.ProviderListingChosen():
            row.provides, row.remote = event.listing.listed, event.listing.remote
            row.languages = list(event.listing.languages)
        case Person.Died():
            row.provides = False


def _forget(row: PersonRow, event: Event) -> None:
    match event:
        case Person.DemographicsVolunteered():
            row.destroy = row.destroy or row.told
            row.told = True
        case Person.DemographicsWithdrawn():
            row.destroy, row.told = True, False
        case Person.ErasureConfirmed():
            row.erase_on = event.due
        case Person.ErasureCancelled():
            row.erase_on = None
        case Person.Erased():
            row.name = row.credentials = row.folded = row.erase_on = None
            row.erased = row.destroy = True
            row.provides = row.told = False
        case Person.KeysDestroyed():
            row.destroy = False


def _name(row: PersonRow, event: Person.Registered | Person.Renamed) -> None:
    if not row.erased:
        row.name = event.name if isinstance(event.name, str) else None
        row.credentials = event.credentials if isinstance(event.credentials, str) else None
        row.folded = folded(row.name) if row.name is not None else None


VIEW: Final = View(
    "people",
    tables=(PersonRow,),
    takes=(
        Person.Registered, Person.Renamed, Person.ResidenceChanged, Person.PublicationChosen, Person.Erased,
        Person.MergedInto, Person.Split, Person.ErasureConfirmed, Person.ErasureCancelled, Person.KeysDestroyed,
        Person.DemographicsVolunteered, Person.DemographicsWithdrawn, Person.ProviderListingChosen, Person.Died,
    ),
    change=change,
    opens=("name", "credentials"),
)  # fmt: skip

_COLUMNS: Final = "person, name, credentials, residence, listed, erased, human"
_FORGET: Final = (
    'SELECT person FROM views.people WHERE (erase_on <= %(on)s OR destroy) AND person COLLATE "C" > %(after)s'
    ' ORDER BY person COLLATE "C" LIMIT %(limit)s'
)
_NAMES = "SELECT " + _COLUMNS + " FROM views.people WHERE person = ANY(%(people)s)"
_FIND = (
    "SELECT " + _COLUMNS + " FROM views.people WHERE (%(residence)s::text IS NULL OR residence = %(residence)s)"
    " AND array_to_tsvector(string_to_array(folded, ' ')) @@ %(words)s::tsquery"
    " AND (folded, person) > (%(after_name)s, %(after)s) ORDER BY folded, person LIMIT %(limit)s"
)


def names(people: Sequence[str]) -> Query:
    """These people, in any order."""
    return Query(_NAMES, {"people": list(people)})


def to_forget(on: date, after: str = "", limit: int = 100) -> Query:
    """Whose erasure is due by this day, or whose keys are still to be destroyed."""
    return Query(_FORGET, {"on": on, "after": after, "limit": limit})


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
