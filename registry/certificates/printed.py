"""What stands on a paper beside its own event: the name as printed, and the association as it was."""

from typing import NamedTuple

from domain.association import Association, Row
from domain.category import ADD_ONS, CATEGORIES
from domain.errors import NotFound, Refused
from domain.person import Person
from registry.certificates import qr
from registry.store import Store
from registry.vault import Erased


class Forgotten(Refused):
    """The holder's name was erased, and with it every paper that printed it."""

    code = "erased"

    def __init__(self) -> None:
        super().__init__("The holder's data was erased. This certificate can't be made again.")


class Name(NamedTuple):
    """As printed; `secret`: the blind of its commitment, which ends with the person's keys."""

    text: str
    secret: bytes


def name_of(store: Store, person: str, version: int) -> Name:
    """The name that this event of the person's stream gives. Raises Forgotten, Unprintable."""
    for _, event in store.events(person):
        if event.originator_version == version:
            if not isinstance(event, Person.Registered | Person.Renamed):
                raise Forgotten
            try:
                opening = store.vault.opening(event, "name")
            except Erased:
                raise Forgotten from None
            return Name(qr.printed(opening.value), opening.blind.encode())
    raise NotFound("name")


def association_of(store: Store, code: str, position: int) -> Association:
    """As it was when a paper was issued at this position: its name on that paper does not change."""
    found = Association.fold(event for at, event in store.events(f"{Association.kind}/{code}") if at < position)
    if found is None:
        raise NotFound("association")
    return found


def title_of(category: str, row: Row) -> tuple[str, str]:
    """What the association calls the category, and the title of its add-on; empty without one."""
    code, _, add_on = category.partition("+")
    beside = next((title for known, title in ADD_ONS.items() if known == add_on), add_on)
    return row.titles.get(code, CATEGORIES[code].title), beside
