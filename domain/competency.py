"""The competencies as codes and short labels of our own, what each category asks for, and which a portfolio shows.

The Guidelines' text is MI-AIMH's (AZ-REQ, CT-ECFA), so none of it stands here: a licensee loads its own catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, ClassVar

import msgspec

from domain.aggregate import Aggregate
from domain.category import Slot
from domain.errors import Invalid
from domain.event import Event

DOMAINS: dict[str, str] = {
    # Eight of everybody (ALL-COMP, MACMH); the last two of mentors (domain.md 2.8, GK).
    "TF": "Theoretical foundations",
    "LR": "Law, regulation and agency policy",
    "SE": "Systems expertise",
    "DS": "Direct service skills",
    "WO": "Working with others",
    "CO": "Communicating",
    "TH": "Thinking",
    "RF": "Reflection",
    "LA": "Leadership and administration",
    "RE": "Research and evaluation",
}
BY_REFERENCE = frozenset({"RF", "WO", "TH"})
"""Ratings are the main evidence for these (ALL-REQ): no entry has to show them."""

_ALL: tuple[Slot, ...] = ("FA", "FS", "FRS", "MHS", "MHM-C", "MHM-P", "MHM-RF")
_MENTORS: tuple[Slot, ...] = ("MHM-C", "MHM-P", "MHM-RF")
_CLINICAL: tuple[Slot, ...] = ("MHS", "MHM-C", "MHM-P", "MHM-RF")
_TREATS: tuple[Slot, ...] = ("MHS", "MHM-C")
_SUPERVISES: tuple[Slot, ...] = ("FRS", "MHM-C")


class Area(msgspec.Struct, frozen=True):
    """One knowledge or skill area. `slots`: which categories ask for it; `text`: the licensee's own words, if any."""

    code: str
    label: str
    slots: tuple[Slot, ...] = _ALL
    source: str = ""
    text: str = ""

    @property
    def domain(self) -> str:
        return self.code.partition("-")[0]


class Catalogue(msgspec.Struct, frozen=True):
    """The areas in force somewhere; `name` says whose and which (`VA-2`)."""

    name: str
    areas: tuple[Area, ...]

    def areas_for(self, slot: str) -> list[Area]:
        return [area for area in self.areas if slot in area.slots]

    def check(self, codes: Iterable[str]) -> None:
        """Raise Invalid, naming the codes that no area has and those there are."""
        known = {area.code for area in self.areas}
        if strange := sorted(set(codes) - known):
            raise Invalid(
                f"No competency has the code {', '.join(strange)}; the catalogue {self.name} has "
                f"{', '.join(area.code for area in self.areas)}.",
                field="codes",
            )


class Coverage(msgspec.Struct, frozen=True):
    """Which competencies of a category a portfolio shows, by code.

    `by_reference`: no entry shows them, and none has to, since references do (ALL-REQ).
    """

    catalogue: str
    covered: tuple[str, ...]
    missing: tuple[str, ...]
    by_reference: tuple[str, ...]


class MissingCompetencies(msgspec.Struct, frozen=True):
    """The competencies that no entry shows, in the shape of a missing requirement."""

    shown: Coverage
    source: str = "CT-IFS"

    def words(self) -> str:
        return f"entries that show the competencies {', '.join(self.shown.missing)}"

    def as_dict(self) -> dict[str, Any]:
        have = len(self.shown.covered)
        missing = len(self.shown.missing)
        return {
            "requirement": "competencies",
            "have": have,
            "need": have + missing,
            "missing": missing,
            "source": self.source,
            "words": self.words(),
        }


def coverage(entries: Iterable[Collection[str]], slot: str, catalogue: Catalogue) -> Coverage:
    """`entries`: the codes of each entry that counts."""
    shown = {code for codes in entries for code in codes}
    asked = catalogue.areas_for(slot)
    open_ = [area for area in asked if area.code not in shown]
    return Coverage(
        catalogue=catalogue.name,
        covered=tuple(area.code for area in asked if area.code in shown),
        missing=tuple(area.code for area in open_ if area.domain not in BY_REFERENCE),
        by_reference=tuple(area.code for area in open_ if area.domain in BY_REFERENCE),
    )


class Agreement(msgspec.Struct, frozen=True):
    """How many reviewers found one competency met, how many not; the others left it open."""

    code: str
    met: int
    not_met: int


def agreement(judged: Iterable[tuple[Collection[str], Collection[str]]]) -> list[Agreement]:
    """Of each reviewer the codes met and not met; every code that anybody judged, in order of code."""
    met: dict[str, int] = {}
    not_met: dict[str, int] = {}
    for yes, no in judged:
        for code in yes:
            met[code] = met.get(code, 0) + 1
        for code in no:
            not_met[code] = not_met.get(code, 0) + 1
    codes = sorted({*met, *not_met}, key=_order)
    return [Agreement(code, met.get(code, 0), not_met.get(code, 0)) for code in codes]


def _order(code: str) -> tuple[int, int, str]:
    domain, _, rest = code.partition("-")
    return (
        list(DOMAINS).index(domain) if domain in DOMAINS else len(DOMAINS),
        int(rest) if rest.isdecimal() else 0,
        code,
    )


def _areas(domain: str, *rows: tuple[str, str] | tuple[str, str, tuple[Slot, ...]]) -> Iterable[Area]:
    for number, (label, source, *slots) in enumerate(rows, start=1):
        yield Area(f"{domain}-{number}", label, slots[0] if slots else _ALL, source)


# Codes and labels are ours; they never change their meaning. GK: general knowledge, not confirmed by a source.
# Which category asks for which area is confirmed for MHS (OR-MHS) and mentors (OR-MENT); for the others it is GK.
OURS = Catalogue(
    "ours-1",
    (
        *_areas(
            "TF",
            ("Pregnancy and early parenthood", "OR-MHS"),
            ("How infants and very young children develop and behave", "OR-MHS"),
            ("Practice centred on the child and the family", "OR-MHS"),
            ("Therapeutic practice focused on relationships", "OR-MHS"),
            ("Relationships and dynamics in families", "OR-MHS"),
            ("Attachment, separation, trauma, grief and loss", "OR-MHS"),
            ("Theories of change: psychotherapeutic and behavioural", "OR-MHS", _CLINICAL),
            ("Disorders of infancy and early childhood", "OR-MHS", _CLINICAL),
            ("Mental and behavioural disorders in adults", "OR-MHS", _CLINICAL),
            ("Cultural humility, diversity, equity and inclusion", "ALL-EXAM"),
            ("How adults learn", "OR-MENT", _MENTORS),
            ("Statistics", "OR-MENT", _MENTORS),
        ),
        *_areas("LR", ("Ethical practice", "GK"), ("Law and regulation", "GK"), ("Policy of agencies", "GK")),
        *_areas("SE", ("How services are organised and delivered", "GK"), ("Resources of the community", "GK")),
        *_areas(
            "DS",
            ("Observing and listening", "GK"),
            ("Screening and assessment", "ALL-EXAM"),
            ("Responding with empathy", "GK"),
            ("Advocacy", "GK"),
            ("Skills for daily life", "GK"),
            ("Safety", "GK"),
            ("Therapies and practices based on relationships", "ALL-EXAM", _TREATS),
            ("Reflective supervision and consultation", "ALL-EXAM", _SUPERVISES),
        ),
        *_areas(
            "WO",
            ("Building and keeping relationships", "GK"),
            ("Supporting others", "GK"),
            ("Collaborating", "GK"),
            ("Resolving conflict", "GK"),
            ("Empathy and compassion", "GK"),
        ),
        *_areas("CO", ("Listening", "GK"), ("Speaking", "GK"), ("Writing", "GK")),
        *_areas(
            "TH",
            ("Analysing information", "GK"),
            ("Solving problems", "GK"),
            ("Exercising judgement", "GK"),
            ("Keeping perspective", "GK"),
            ("Planning and organising", "GK"),
        ),
        *_areas(
            "RF",
            ("Contemplation", "GK"),
            ("Awareness of oneself", "GK"),
            ("Curiosity", "GK"),
            ("Personal and professional development", "GK"),
            ("Emotional response", "GK"),
            ("Parallel process", "GK"),
        ),
        *_areas("LA", ("Leading and administering", "GK", _MENTORS)),
        *_areas("RE", ("Research and evaluation", "OR-MENT", _MENTORS)),
    ),
)

_CODE = re.compile(r"[A-Z]{2}-[1-9][0-9]{0,2}")
_LONGEST_LABEL, _LONGEST_TEXT, _MOST = 120, 2000, 400


def read_catalogue(
    labels: Mapping[str, str], texts: Mapping[str, str], slots: Mapping[str, Collection[str]]
) -> tuple[Area, ...]:
    """A licensee's areas by code. One that ours has too keeps its categories unless told. Raises Invalid."""
    if not labels or len(labels) > _MOST:
        raise Invalid(f"Give from 1 to {_MOST} competencies, each as a code with its label.", field="labels")
    ours = {area.code: area for area in OURS.areas}
    areas = []
    for code, label in labels.items():
        if not _CODE.fullmatch(code) or code.partition("-")[0] not in DOMAINS:
            raise Invalid(
                f"{code!r} is no code: give a domain ({', '.join(DOMAINS)}) and a number, such as TF-1.", field="labels"
            )
        clean = " ".join(label.split())
        if not 0 < len(clean) <= _LONGEST_LABEL:
            raise Invalid(f"Give {code} a label of at most {_LONGEST_LABEL} letters.", field="labels")
        wanted = slots.get(code) or (ours[code].slots if code in ours else _ALL)
        if strange := sorted(set(wanted) - set(_ALL)):
            raise Invalid(f"{code} is for {', '.join(strange)}; the slots are {', '.join(_ALL)}.", field="slots")
        text = texts.get(code, "")
        if len(text) > _LONGEST_TEXT:
            raise Invalid(f"The text of {code} is longer than {_LONGEST_TEXT} letters; shorten it.", field="texts")
        areas.append(Area(code, clean, tuple(slot for slot in _ALL if slot in wanted), "licensee", text))
    for field, given in (("texts", texts), ("slots", slots)):
        if strange := sorted(set(given) - set(labels)):
            raise Invalid(f"{', '.join(strange)} has no label; give it one or leave it out.", field=field)
    return tuple(sorted(areas, key=lambda area: _order(area.code)))


class Competencies(Aggregate):
    """The catalogues that one licensee loaded, one after the other; the stream's name is its association's code."""

    kind: ClassVar[str] = "competencies"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.catalogue: Catalogue | None = None
        self.last_on = date.min

    class Loaded(Event, frozen=True):
        """From this day on these areas are in force there; what was tagged or judged before keeps its codes."""

        topic: ClassVar[str] = "competencies.loaded"
        name: str
        areas: tuple[Area, ...]

        def apply(self, competencies: Competencies) -> None:
            competencies.catalogue = Catalogue(self.name, self.areas)
            competencies.last_on = self.on

    def load(self, areas: tuple[Area, ...], *, on: date, by: str) -> None:
        self.refuse_before(self.last_on, on)
        self.record(self.Loaded, name=f"{self.name}-{self.version + 1}", areas=areas, on=on, by=by)
