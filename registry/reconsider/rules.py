"""The rules to reconsider under: an edition by name, those of a day, or an edition with other values."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple, get_args

from msgspec.structs import replace

from domain.category import AddOn, Slot
from domain.editions import (
    EDITIONS,
    REINSTATEMENTS,
    RENEWALS,
    edition_for,
    reinstatement_edition,
    renewal_edition,
)
from domain.errors import Invalid
from domain.policy import (
    Edition,
    Hours,
    ReinstatementEdition,
    RenewalEdition,
    Requirement,
    What,
)
from verifier import strictjson


class _Value(NamedTuple):
    """A value that a rules file may set: of which requirement, in which unit, how much at most."""

    what: What
    unit: str
    most: float


VALUES: dict[str, _Value] = {
    "training_hours": _Value("training", "clock hours", 10_000),
    "dei_hours": _Value("dei", "clock hours", 10_000),
    "rsc_provision_hours": _Value("rsc_provision", "clock hours", 10_000),
    "rsc_hours": _Value("rsc", "clock hours", 10_000),
    "rsc_about_given_hours": _Value("rsc_about_given", "clock hours", 10_000),
    "rsc_given_days": _Value("rsc_given", "days", 36_600),
    "work_days": _Value("work", "days", 36_600),
    "leadership_days": _Value("leadership", "days", 36_600),
    "references": _Value("references", "how many", 20),
}
"""What the requirements of a category may be changed to."""
RENEWAL_VALUES = ("training_hours", "rsc_hours", "rsc_provision_hours", "dei_hours")
SLOTS: tuple[str, ...] = (*get_args(Slot), *get_args(AddOn))
DEGREE_LEVELS = ("any", "cda", "bachelor", "master")
LONGEST_FILE = 64 << 10
_ROWS: dict[str, Edition | RenewalEdition | ReinstatementEdition] = {
    row.name: row for table in (EDITIONS, RENEWALS, REINSTATEMENTS) for row in table
}
EDITION_NAMES = tuple(_ROWS)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Rules:
    """Under which row a decision is looked at again; None where these rules say nothing of it.

    `own` is always the row that it was decided under.
    """

    name = ""

    def edition(self, code: str, own: Edition, association: str) -> Edition | None:  # noqa: ARG002 # see Rules
        """`code`: of the category or add-on."""
        return None

    def renewal(self, own: RenewalEdition, association: str) -> RenewalEdition | None:  # noqa: ARG002 # see Rules
        return None

    def reinstatement(
        self,
        own: ReinstatementEdition,  # noqa: ARG002 # see Rules
        association: str,  # noqa: ARG002 # see Rules
    ) -> ReinstatementEdition | None:
        return None


class Named(Rules):
    """One row by its name, for every decision of its category (or add-on), of renewal, or of reinstatement."""

    def __init__(self, row: Edition | RenewalEdition | ReinstatementEdition) -> None:
        self.name = row.name
        self._row = row

    def edition(self, code: str, own: Edition, association: str) -> Edition | None:  # noqa: ARG002 # see Rules
        row = self._row
        return row if isinstance(row, Edition) and row.slot == own.slot else None

    def renewal(self, own: RenewalEdition, association: str) -> RenewalEdition | None:  # noqa: ARG002 # see Rules
        return self._row if isinstance(self._row, RenewalEdition) else None

    def reinstatement(
        self,
        own: ReinstatementEdition,  # noqa: ARG002 # see Rules
        association: str,  # noqa: ARG002 # see Rules
    ) -> ReinstatementEdition | None:
        return self._row if isinstance(self._row, ReinstatementEdition) else None


class OfDay(Rules):
    """The rows in force on one day, of each association its own."""

    def __init__(self, day: date) -> None:
        self.name = f"as in force on {day.isoformat()}"
        self._day = day

    def edition(self, code: str, own: Edition, association: str) -> Edition:  # noqa: ARG002 # see Rules
        """Raises NotInForce for a category that is no more."""
        return edition_for(code, self._day, association)

    def renewal(self, own: RenewalEdition, association: str) -> RenewalEdition:  # noqa: ARG002 # see Rules
        return renewal_edition(self._day, association)

    def reinstatement(
        self,
        own: ReinstatementEdition,  # noqa: ARG002 # see Rules
        association: str,
    ) -> ReinstatementEdition | None:
        return reinstatement_edition(self._day, association)


class Changed(Rules):
    """Each decision's own row with other values; of those of one slot alone, where the values are given for it.

    A value given for all slots changes what is asked; one given for a slot is asked there, whether it was or not.
    """

    def __init__(self, values: Mapping[str, Any], base: Rules | None = None) -> None:
        """`values` as a file has them. Raises Invalid, which names the field."""
        self._base = base
        self._all = {name: value for name, value in values.items() if name not in (*SLOTS, "renewal", "reinstatement")}
        self._of_slot = {slot: _of_slot(values[slot], slot) for slot in SLOTS if slot in values}
        self._renewal = _of_slot(values.get("renewal", {}), "renewal")
        self._reinstatement = _of_slot(values.get("reinstatement", {}), "reinstatement")
        _check(self._all, (*VALUES, "internship_days", "degree"), "")
        for slot, given in self._of_slot.items():
            _check(given, (*VALUES, "internship_days", "degree"), f"{slot}.")
        _check(self._renewal, RENEWAL_VALUES, "renewal.")
        _check(self._reinstatement, ("training_hours", "references"), "reinstatement.")
        if not (self._all or self._of_slot or self._renewal or self._reinstatement):
            raise Invalid(
                f'Say what is to change, such as {{"rsc_hours": 60}}; known are {", ".join(_known(""))}.', field="rules"
            )
        self.name = ", ".join(self._words())
        if base:
            self.name = f"{base.name} with {self.name}"

    def _words(self) -> Iterator[str]:
        groups = [("", self._all), *self._of_slot.items(), ("renewal", self._renewal)]
        for group, given in [*groups, ("reinstatement", self._reinstatement)]:
            for name, value in given.items():
                yield f"{group} {name}={value if isinstance(value, str) else f'{value:g}'}".lstrip()

    def edition(self, code: str, own: Edition, association: str) -> Edition | None:
        based = (self._base.edition(code, own, association) or own) if self._base else own
        given = self._all | self._of_slot.get(based.slot, {})
        kept = tuple(changed for row in based.requirements if (changed := _changed(row, given)))
        asked = {one.what for requirement in kept for one in (requirement, *requirement.any_of)}
        added = tuple(
            Requirement(VALUES[name].what, amount=float(value), source="this reconsideration")
            for name, value in self._of_slot.get(based.slot, {}).items()
            if name in VALUES and value and VALUES[name].what not in asked
        )
        asks = (*kept, *added)
        if asks == based.requirements:
            return based if self._base and based is not own else None
        return replace(based, name=f"{based.name}, changed", requirements=asks)

    def renewal(self, own: RenewalEdition, association: str) -> RenewalEdition | None:
        based = (self._base.renewal(own, association) or own) if self._base else own
        if not self._renewal:
            return based if self._base and based is not own else None
        kept = tuple(replace(hours, a_year=float(self._renewal.get(hours.what, hours.a_year))) for hours in based.hours)
        asked = {hours.what for hours in kept}
        added = tuple(
            Hours(what, float(self._renewal[what]), "this reconsideration")  # type: ignore[arg-type]  # one of them
            for what in RENEWAL_VALUES
            if what in self._renewal and what not in asked
        )
        return replace(based, name=f"{based.name}, changed", hours=(*kept, *added))

    def reinstatement(self, own: ReinstatementEdition, association: str) -> ReinstatementEdition | None:
        based = (self._base.reinstatement(own, association) or own) if self._base else own
        if not self._reinstatement:
            return based if self._base and based is not own else None
        return replace(
            based,
            name=f"{based.name}, changed",
            training=float(self._reinstatement.get("training_hours", based.training)),
            references=int(self._reinstatement.get("references", based.references)),
        )


def _changed(row: Requirement, given: Mapping[str, Any]) -> Requirement | None:
    """A requirement with the value given for it; None where nothing is asked any more."""
    if row.what == "any_of":
        options = tuple(_changed(option, given) for option in row.any_of)
        return replace(row, any_of=tuple(filter(None, options))) if all(options) else None
    if row.what == "degree" and "degree" in given:
        return replace(row, level=given["degree"])
    value = next((value for name, value in given.items() if name in VALUES and VALUES[name].what == row.what), None)
    if value is not None:
        row = replace(row, amount=float(value))
    if row.internship and "internship_days" in given:
        row = replace(row, internship=int(given["internship_days"]))
    return None if value == 0 else row


def named(edition: str, today: date) -> Rules:
    """An edition by name, `today`, or a day such as 2026-01-01. Raises Invalid."""
    if edition == "today":
        return OfDay(today)
    if _DAY.fullmatch(edition):
        try:
            return OfDay(date.fromisoformat(edition))
        except ValueError:
            raise Invalid("There is no such day; give one like 2026-01-01.", field="edition") from None
    if edition not in _ROWS:
        known = ", ".join(EDITION_NAMES)
        raise Invalid(f"There is no edition {edition}; use `today`, a day, or one of {known}.", field="edition")
    return Named(_ROWS[edition])


def read_rules(text: str, today: date) -> Rules:
    """A rules file, JSON or TOML. Raises Invalid, which names the field and what it takes."""
    values = read_object(text, "rules")
    base = values.pop("edition", None)
    if base is not None and not isinstance(base, str):
        raise Invalid("Name the edition to start from, such as FS-2023.", field="edition")
    based = named(base, today) if base else None
    return Changed(values, based) if values or based is None else based


def read_object(text: str, what: str) -> dict[str, Any]:
    """One JSON object or TOML document. Raises Invalid."""
    if len(text) > LONGEST_FILE:
        raise Invalid(f"A file of {what} has at most {LONGEST_FILE >> 10} KiB.", field=what)
    try:
        value = strictjson.loads(text.encode()) if text.lstrip().startswith(("{", "[")) else tomllib.loads(text)
    except (strictjson.NotStrict, tomllib.TOMLDecodeError) as error:
        raise Invalid(f'This is neither JSON nor TOML ({error}); write it like {{"rsc_hours": 60}}.', field=what) from (
            None
        )
    if not isinstance(value, dict):
        raise Invalid(f"Give one object with names and values: {json.dumps({'rsc_hours': 60})}.", field=what)
    return value


def _known(where: str) -> tuple[str, ...]:
    names = (*VALUES, "internship_days", "degree")
    return names if where else (*names, *SLOTS, "renewal", "reinstatement", "edition")


def _of_slot(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Invalid(f'Give the values for {where} as an object, such as {{"rsc_hours": 60}}.', field=where)
    return given


def _check(given: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name, value in given.items():
        field = f"{where}{name}"
        if name not in known:
            others = known if where else _known("")
            raise Invalid(f"There is no value {field}; known are {', '.join(others)}.", field=field)
        if name == "degree":
            if value not in DEGREE_LEVELS:
                raise Invalid(f"Give {field} as one of {', '.join(DEGREE_LEVELS)}.", field=field)
            continue
        unit, most = (VALUES[name].unit, VALUES[name].most) if name in VALUES else ("days", 36_600)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise Invalid(f"Give {field} as a number ({unit}) from 0 to {most:g}.", field=field)
