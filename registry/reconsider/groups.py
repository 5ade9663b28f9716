"""Whom a rule keeps out: by sector, and by what people volunteered of themselves; totals only, small ones hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from domain.person import Person
from registry.reconsider.past import Past
from registry.reconsider.suppression import LEAST, Table, suppressed

By = Literal["sector", "race_ethnicity", "languages", "gender"]
NOT_SAID, SEVERAL = "not said", "more than one"
_OPENED: tuple[By, ...] = ("race_ethnicity", "languages", "gender")
_PAGE = 1000


def by_sector(past: Past, people: Mapping[str, bool]) -> Table:
    """`people`: by id, and whether a rule keeps them out. The sector is the one they worked in longest (ours)."""
    said: dict[str, str] = {}
    past.before = past.until + 1
    for page in _pages(past, people):
        said.update((name, _sector(past.get(Person, name))) for name in page)
    return _table(people, said)


def by_demographics(past: Past, people: Mapping[str, bool]) -> dict[str, Table]:
    """What they say of themselves today, opened here and only added up; what was taken back is not said."""
    said: dict[By, dict[str, str]] = {by: {} for by in _OPENED}
    past.before = past.until + 1
    for page in _pages(past, people):
        told = {name: event for name in page if (event := _volunteered(past, name))}
        # One's own words and everything else stay closed.
        sealed = [msgspec.structs.replace(event, own_words=None) for event in told.values()]
        for name, event in zip(told, past.vault.open_all(sealed), strict=True):
            for by in _OPENED:
                said[by][name] = _one(getattr(event, by), by)
    return {by: _table(people, said[by]) for by in _OPENED}


def _pages(past: Past, people: Mapping[str, bool]) -> Iterator[list[str]]:
    """A few at a time, their streams read at once."""
    names = list(people)
    for at in range(0, len(names), _PAGE):
        page = names[at : at + _PAGE]
        past.forget()
        past.load(f"{Person.kind}/{name}" for name in page)
        yield page


def _volunteered(past: Past, name: str) -> Person.DemographicsVolunteered | None:
    person = past.get(Person, name)
    told = (
        event
        for event in past.stream(person.stream).events
        if isinstance(event, Person.DemographicsVolunteered) and event.keyring == person.demographics
    )
    return next(told, None)


def _one(value: Any, by: By) -> str:
    """The one group of somebody, so that the groups add up to everybody."""
    if not isinstance(value, str) or not value:
        return NOT_SAID
    if by == "gender":
        return value.casefold()
    return SEVERAL if " " in value else value.replace("_", " ")


def _sector(person: Person) -> str:
    days: Counter[str] = Counter()
    for entry in person.entries.values():
        if entry.sector and entry.kind == "work":
            days[entry.sector] += (entry.through - entry.from_).days + 1
    longest = sorted(days.items(), key=lambda sector: (-sector[1], sector[0]))
    return longest[0][0].replace("_", " ") if longest else NOT_SAID


def _table(people: Mapping[str, bool], said: Mapping[str, str]) -> Table:
    groups: dict[str, tuple[int, int]] = {}
    for name, kept_out in people.items():
        group = said.get(name, NOT_SAID)
        considered, out = groups.get(group, (0, 0))
        groups[group] = considered + 1, out + kept_out
    return suppressed(groups)


def lines(tables: Mapping[str, Table]) -> Iterable[tuple[str, Sequence[tuple[str, str, str]]]]:
    """Each table for a reader: its title, and group, people and kept out of each row; hidden numbers in words."""
    for by, table in tables.items():
        rows = [(name, _shown(cell.considered), _shown(cell.kept_out)) for name, cell in table.rows.items()]
        total = ("everybody", _shown(table.total.considered), _shown(table.total.kept_out))
        yield by.replace("_", " and ") if by == "race_ethnicity" else by, [*rows, total]


def _shown(number: int | None) -> str:
    return "hidden" if number is None else str(number)


__all__ = ["LEAST", "By", "Table", "by_demographics", "by_sector", "lines"]
