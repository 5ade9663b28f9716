"""What stands on a paper beside its own event: the name as printed, and the association as it was."""

from typing import NamedTuple

from domain.association import Association, Row
from domain.category import ADD_ONS, CATEGORIES
from domain.errors import NotFound, Refused
from domain.person import Person
from registry.certificates import qr
from registry.store import Store
from registry.vault import Erased
from verifier.named import as_printed


class Forgotten(Refused):
    """The holder's name was erased, and with it every paper that printed it."""

    code = "erased"

    def __init__(self) -> None:
        super().__init__("The holder's data was erased. This certificate can't be made again.")


class Recorded(NamedTuple):
    """Where the name was recorded, and what opens its commitment there to a stranger."""

    position: int
    blind: str
    value: str


class Name(NamedTuple):
    """As printed; `secret`: of the holder's keys, it ends with them, and is in no proof.

    `recorded`: none where the paper had no room for the whole name, for it would tell the rest.
    """

    text: str
    secret: bytes
    recorded: Recorded | None


def name_of(store: Store, person: str, version: int) -> Name:
    """The name that this event of the person's stream gives. Raises Forgotten, Unprintable."""
    for position, event in store.events(person):
        if event.originator_version == version:
            if not isinstance(event, Person.Registered | Person.Renamed):
                raise Forgotten
            try:
                opening = store.vault.opening(event, "name")
                secret = store.vault.secret(person.partition("/")[2], "identity", "kept certificates")
            except Erased:
                raise Forgotten from None
            text = qr.printed(opening.value)
            whole = text == as_printed(opening.value)
            return Name(text, secret, Recorded(position, opening.blind, opening.value) if whole else None)
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
