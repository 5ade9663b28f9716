"""The associations of the Alliance: their facts as rows, and what happened to each as events (`domain.md` 10)."""

from __future__ import annotations

import functools
import re
from datetime import date, datetime
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from domain.aggregate import Aggregate
from domain.category import AUSTRALIAN_TITLES, CATEGORIES, CURRENT
from domain.errors import Invalid, NotInForce
from domain.event import Event

DateCustom = Literal["month_first", "day_first"]
Licence = Literal["guidelines", "endorsement"]
LicenceState = Literal["guidelines", "endorsement", "suspended", "ended"]
LicenceReason = Literal["fees_unpaid", "fidelity", "no_coordinator", "own_wish", "merged", "other"]
ALLIANCE = "ALLIANCE"
CODE = r"[A-Z][A-Z0-9]{1,2}(-[A-Z0-9]{1,3})?|ALLIANCE"
_MOST_REVIEWERS = 2
_LONGEST = 120

INFANT = tuple(code for code in CURRENT if code.startswith("I"))


class Former(msgspec.Struct, frozen=True):
    """A name that an association had through a day."""

    name: str
    abbreviation: str
    through: date
    source: str


class Row(msgspec.Struct, frozen=True):
    """What we know of an association when it is admitted. `reviewers`: how many judge an application.

    `formerly`: its names before, the oldest first.
    """

    code: str
    jurisdiction: str
    name: str
    abbreviation: str
    zone: str
    source: str
    reviewers: int = 2
    offers: tuple[str, ...] = CURRENT
    titles: dict[str, str] = {}
    dates: DateCustom = "month_first"
    paper: Literal["us-letter", "a4"] = "us-letter"
    formerly: tuple[Former, ...] = ()


# Former names are in domain.md 10 (AZ2, IN-CAT, TX-HIST, WA-END); the sources give no days, these are ours.
# Zones are the capital's or the association's seat (ours). Reviewers: one where a page says "at least one"
# (AZ-FAQ, IN-FAQ, RI-APP24, VA-EXAM), two where it says two (WA-FAQ, TX-REV), else two (ours).
# Infant categories only: AZ-REQ, TX-REQ, WV, HI; Australia's pages show no others (AU-CAT).
_EAST, _CENTRAL, _MOUNTAIN, _PACIFIC = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
)  # fmt: skip
ROWS: dict[str, Row] = {
    row.code: row
    for row in [
        Row("AL", "Alabama", "First 5 Alabama", "F5A", _CENTRAL, "AL"),
        Row("AK", "Alaska", "Alaska Association for Infant and Early Childhood Mental Health", "AK-AIMH",
            "America/Anchorage", "AK-APP"),
        Row("AZ", "Arizona", "Arizona Association for Infant Mental Health", "AzAIMH", "America/Phoenix", "AZ2",
            reviewers=1, offers=INFANT, formerly=(
                Former("Infant/Toddler Mental Health Coalition of Arizona", "ITMHCA", date(2024, 12, 31), "AZ2"),)),
        Row("CO", "Colorado", "Colorado Association for Infant Mental Health", "CoAIMH", _MOUNTAIN, "CO"),
        Row("CT", "Connecticut", "Connecticut Association for Infant Mental Health", "CT-AIMH", _EAST, "CT-END2"),
        Row("FL", "Florida", "Florida Association for Infant Mental Health", "FAIMH", _EAST, "FL"),
        Row("HI", "Hawaii", "Association for Infant Mental Health Hawai‘i", "AIMHHI", "Pacific/Honolulu", "HI",
            offers=INFANT),
        Row("ID", "Idaho", "Aim Early Idaho", "AEI", "America/Boise", "ID-REG"),
        Row("IN", "Indiana", "INfancy Onward", "IO", "America/Indiana/Indianapolis", "IN-CAT", reviewers=1, formerly=(
            Former("Indiana Association for Infant and Toddler Mental Health", "IAITMH", date(2020, 12, 31),
                   "IAITMH"),)),
        Row("IA", "Iowa", "Iowa Association for Infant & Early Childhood Mental Health", "IA-IECMH", _CENTRAL, "IA"),
        Row("KS", "Kansas", "Kansas Association for Infant & Early Childhood Mental Health", "KAIMH", _CENTRAL, "KS"),
        Row("MA", "Massachusetts", "Massachusetts Association for Infant Mental Health", "MassAIMH", _EAST, "MA-REG"),
        Row("MI", "Michigan", "Michigan Association for Infant Mental Health", "MI-AIMH", "America/Detroit", "MI-OVR"),
        Row("MN", "Minnesota", "Infant & Early Childhood Division of MACMH", "MACMH-IEC", _CENTRAL, "MACMH"),
        Row("NE", "Nebraska", "Nebraska Association for Infant Mental Health", "NAIMH", _CENTRAL, "NE-POL"),
        Row("NJ", "New Jersey", "New Jersey Association for Infant Mental Health", "NJ-AIMH", _EAST, "NJ"),
        Row("NM", "New Mexico", "New Mexico Association for Infant Mental Health", "NMAIMH", _MOUNTAIN, "NM-OVR"),
        Row("NY", "New York", "New York State Association for Infant Mental Health", "NYS-AIMH", _EAST, "NY-LEV"),
        Row("NC", "North Carolina", "North Carolina Infant & Early Childhood Mental Health Association", "NCIMHA",
            _EAST, "NC-CAT"),
        Row("OK", "Oklahoma", "Oklahoma Association for Infant Mental Health", "OK-AIMH", _CENTRAL, "OK-L3"),
        Row("OR", "Oregon", "Oregon Infant Mental Health Association", "ORIMHA", _PACIFIC, "OR-REF"),
        Row("PA", "Pennsylvania", "Pennsylvania Association for Infant Mental Health", "PA-AIMH", _EAST, "PA-REN3"),
        Row("RI", "Rhode Island", "Rhode Island Association for Infant Mental Health", "RIAIMH", _EAST, "RI-APP",
            reviewers=1),
        Row("SC", "South Carolina", "South Carolina Infant Mental Health Association", "SCIMHA", _EAST, "SC-REN"),
        Row("TN", "Tennessee", "Association of Infant Mental Health in Tennessee", "AIMHiTN", _CENTRAL, "TN-POL"),
        Row("TX", "Texas", "First3Years", "F3Y", _CENTRAL, "TX-HIST", offers=INFANT, formerly=(
            Former("Texas Association for Infant Mental Health", "TAIMH", date(2014, 12, 31), "TX-HIST"),)),
        Row("VA", "Virginia", "Virginia Association for Infant Mental Health", "VAIMH", _EAST, "VA-REN", reviewers=1),
        Row("WA", "Washington", "Center for Early Relational Health", "CERH", _PACIFIC, "WA-END", formerly=(
            Former("Washington Association for Infant Mental Health", "WA-AIMH", date(2024, 12, 31), "WA-END"),)),
        Row("WV", "West Virginia", "West Virginia Infant/Toddler Mental Health Association", "WVITMHA", _EAST, "WV",
            offers=INFANT),
        Row("WI", "Wisconsin", "Wisconsin Alliance for Infant Mental Health", "WI-AIMH", _CENTRAL, "ZTT-WI"),
        Row("IE", "Ireland", "Irish Association for Infant Mental Health", "I-AIMH", "Europe/Dublin", "IE",
            dates="day_first", paper="a4"),
        Row("AU", "Australia", "Australian Association for Infant Mental Health, Western Australian Branch", "AAIMH",
            "Australia/Perth", "AU-CAT", offers=INFANT, titles=AUSTRALIAN_TITLES, dates="day_first", paper="a4"),
        # The Alliance endorses directly where there is no association (ALL-INT).
        Row("ALLIANCE", "places without an association", "Alliance for the Advancement of Infant Mental Health",
            "Alliance", "America/Detroit", "ALL-INT"),
    ]
}  # fmt: skip


class Association(Aggregate):
    """A member association, or the Alliance where there is none.

    What it was admitted with holds for earlier days too.
    """

    kind: ClassVar[str] = "association"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.row = Row(name, jurisdiction="", name="", abbreviation="", zone="UTC", source="")
        self._admitted = self.row
        self.licence: LicenceState = "guidelines"
        self.coordinators: tuple[str, ...] = ()
        self.took_over_on: date | None = None
        self.last_on = date.min
        self._names: list[tuple[date, str, str]] = []
        self._licences: list[tuple[date, LicenceState]] = []
        self._reviewers: list[tuple[date, int]] = []
        self._offers: list[tuple[date, str, bool, str]] = []

    def remember(self, event: Event) -> None:
        super().remember(event)
        self.last_on = max(self.last_on, event.on)

    class Admitted(Event, frozen=True):
        topic: ClassVar[str] = "association.admitted"
        code: str
        jurisdiction: str
        name: str
        abbreviation: str
        zone: str
        source: str
        licence: Licence
        reviewers: int
        offers: tuple[str, ...]
        titles: dict[str, str] = {}
        dates: DateCustom = "month_first"
        paper: Literal["us-letter", "a4"] = "us-letter"
        formerly: tuple[Former, ...] = ()

        def apply(self, association: Association) -> None:
            association.row = association._admitted = Row(
                **{name: getattr(self, name) for name in Row.__struct_fields__}
            )
            association._license(self.on, self.licence)

    class Renamed(Event, frozen=True):
        topic: ClassVar[str] = "association.renamed"
        name: str
        abbreviation: str

        def apply(self, association: Association) -> None:
            association._names.append((self.on, self.name, self.abbreviation))
            association.row = msgspec.structs.replace(association.row, name=self.name, abbreviation=self.abbreviation)

    class CategoryOffered(Event, frozen=True):
        """`from_`: the first day, where it is a later one than `on`."""

        topic: ClassVar[str] = "association.category_offered"
        category: str
        title: str = ""
        from_: date | None = msgspec.field(name="from", default=None)

        def apply(self, association: Association) -> None:
            row = association.row
            association._offers.append((self.from_ or self.on, self.category, True, self.title))
            titles = row.titles | ({self.category: self.title} if self.title else {})
            offers = tuple(dict.fromkeys((*row.offers, self.category)))
            association.row = msgspec.structs.replace(row, offers=offers, titles=titles)

    class CategoryWithdrawn(Event, frozen=True):
        """Nobody new is endorsed in it from that day; who holds it keeps it (ours)."""

        topic: ClassVar[str] = "association.category_withdrawn"
        category: str
        from_: date | None = msgspec.field(name="from", default=None)

        def apply(self, association: Association) -> None:
            association._offers.append((self.from_ or self.on, self.category, False, ""))
            offers = tuple(code for code in association.row.offers if code != self.category)
            association.row = msgspec.structs.replace(association.row, offers=offers)

    class ReviewersChanged(Event, frozen=True):
        """How many judge an application from this day."""

        topic: ClassVar[str] = "association.reviewers_changed"
        reviewers: int

        def apply(self, association: Association) -> None:
            association._reviewers.append((self.on, self.reviewers))
            association.row = msgspec.structs.replace(association.row, reviewers=self.reviewers)

    class CoordinatorAppointed(Event, frozen=True):
        """`coordinator` is the id of the key or session that acts for it, never a name."""

        topic: ClassVar[str] = "association.coordinator_appointed"
        coordinator: str

        def apply(self, association: Association) -> None:
            association.coordinators = (*association.coordinators, self.coordinator)

    class CoordinatorStoodDown(Event, frozen=True):
        topic: ClassVar[str] = "association.coordinator_stood_down"
        coordinator: str

        def apply(self, association: Association) -> None:
            association.coordinators = tuple(c for c in association.coordinators if c != self.coordinator)

    class LicenceGranted(Event, frozen=True):
        """The licence of the Guidelines grows to the Endorsement, or one that had ended begins again."""

        topic: ClassVar[str] = "association.licence_granted"
        licence: Licence

        def apply(self, association: Association) -> None:
            association._license(self.on, self.licence)

    class LicenceSuspended(Event, frozen=True):
        """No application is taken and nothing awarded or accepted meanwhile; renewals go on (ours)."""

        topic: ClassVar[str] = "association.licence_suspended"
        reason: LicenceReason

        def apply(self, association: Association) -> None:
            association._license(self.on, "suspended")

    class LicenceResumed(Event, frozen=True):
        topic: ClassVar[str] = "association.licence_resumed"

        def apply(self, association: Association) -> None:
            association._license(self.on, "endorsement")

    class LicenceEnded(Event, frozen=True):
        """What it holds passes to the Alliance, by an event per endorsement."""

        topic: ClassVar[str] = "association.licence_ended"
        reason: LicenceReason

        def apply(self, association: Association) -> None:
            association._license(self.on, "ended")

    class PeopleTakenOver(Event, frozen=True):
        """Who lives there and is held by the Alliance on this day passes to it, by an event per endorsement."""

        topic: ClassVar[str] = "association.people_taken_over"

        def apply(self, association: Association) -> None:
            association.took_over_on = self.on

    # -- deeds ------------------------------------------------------------------------------------------------------

    def admit(self, row: Row, licence: Licence = "endorsement", *, on: date, by: str) -> None:
        self.refuse_unless("new" if self.version == 0 else "admitted", "new", can=self.can() if self.version else ())
        check_row(row)
        facts = {name: getattr(row, name) for name in Row.__struct_fields__}
        self.record(self.Admitted, licence=licence, on=on, by=by, **facts)

    def rename(self, name: str, abbreviation: str, *, on: date, by: str) -> None:
        self.refuse_before(self.last_on, on)
        check_row(msgspec.structs.replace(self.row, name=name, abbreviation=abbreviation))
        if (name, abbreviation) == (self.row.name, self.row.abbreviation):
            raise Invalid("This is its name already.", field="name")
        self.record(self.Renamed, name=name, abbreviation=abbreviation, on=on, by=by)

    def offer(self, category: str, title: str = "", *, from_: date | None = None, on: date, by: str) -> None:
        """`title`: what the association calls it, where it has a name of its own for it (AU-CAT)."""
        begins = self._turn(category, from_, on)
        if CATEGORIES[category].retired:
            raise NotInForce(f"The category {category}", on)
        if category in self.offers(begins) and self.title_on(category, begins) == title:
            raise Invalid(f"{category} is offered already.", field="category")
        self.record(
            self.CategoryOffered, category=category, title=title, from_=from_ if begins > on else None, on=on, by=by
        )

    def withdraw(self, category: str, *, from_: date | None = None, on: date, by: str) -> None:
        begins = self._turn(category, from_, on)
        if category not in self.offers(begins):
            raise Invalid(f"{category} is not offered; there is nothing to withdraw.", field="category")
        self.record(self.CategoryWithdrawn, category=category, from_=from_ if begins > on else None, on=on, by=by)

    def _turn(self, category: str, from_: date | None, on: date) -> date:
        self.refuse_before(self.last_on, on)
        if category not in CATEGORIES:
            raise Invalid(f"Give a category: {', '.join(CURRENT)}.", field="category")
        begins = from_ or on
        planned = max((since for since, code, _, _ in self._offers if code == category), default=date.min)
        if begins < max(on, planned):
            raise Invalid(f"Give {max(on, planned).isoformat()} or a later day.", field="from")
        return begins

    def change_reviewers(self, reviewers: int, *, on: date, by: str) -> None:
        """One or two judge an application (WA-FAQ, AZ-FAQ)."""
        self.refuse_before(self.last_on, on)
        if not 1 <= reviewers <= _MOST_REVIEWERS or reviewers == self.row.reviewers:
            raise Invalid(f"One or two review an application; here it is {self.row.reviewers}.", field="reviewers")
        self.record(self.ReviewersChanged, reviewers=reviewers, on=on, by=by)

    def appoint(self, coordinator: str, *, on: date, by: str) -> None:
        self.refuse_before(self.last_on, on)
        if coordinator in self.coordinators:
            raise Invalid("This coordinator is appointed already.", field="coordinator")
        self.record(self.CoordinatorAppointed, coordinator=coordinator, on=on, by=by)

    def stand_down(self, coordinator: str, *, on: date, by: str) -> None:
        self.refuse_before(self.last_on, on)
        if coordinator not in self.coordinators:
            raise Invalid("Nobody with this id coordinates here.", field="coordinator")
        self.record(self.CoordinatorStoodDown, coordinator=coordinator, on=on, by=by)

    def grant_licence(self, licence: Licence, *, on: date, by: str) -> None:
        self._must_be_licensed(on, "guidelines", "ended")
        if licence == self.licence:
            raise Invalid("It has this licence already.", field="licence")
        self.record(self.LicenceGranted, licence=licence, on=on, by=by)

    def suspend_licence(self, reason: LicenceReason, *, on: date, by: str) -> None:
        self._must_be_licensed(on, "endorsement")
        self.record(self.LicenceSuspended, reason=reason, on=on, by=by)

    def resume_licence(self, *, on: date, by: str) -> None:
        self._must_be_licensed(on, "suspended")
        self.record(self.LicenceResumed, on=on, by=by)

    def end_licence(self, reason: LicenceReason, *, on: date, by: str) -> None:
        self._must_be_licensed(on, "guidelines", "endorsement", "suspended")
        self.record(self.LicenceEnded, reason=reason, on=on, by=by)

    def take_over(self, *, on: date, by: str) -> None:
        """May be said again, for those who have come since."""
        self._must_be_licensed(on, "endorsement")
        self.record(self.PeopleTakenOver, on=on, by=by)

    def _must_be_licensed(self, on: date, *states: LicenceState) -> None:
        if self.name == ALLIANCE:
            raise Invalid("The Alliance gives the licences; it needs none.", field="code")
        self.refuse_before(self.last_on, on)
        self.refuse_unless(self.licence, *states, can=self.can())

    def can(self) -> list[str]:
        """The deeds on its licence that are possible now."""
        return {
            "guidelines": ["grant the licence", "end the licence"],
            "endorsement": ["take over its people", "suspend the licence", "end the licence"],
            "suspended": ["resume the licence", "end the licence"],
            "ended": ["grant the licence"],
        }[self.licence]

    # -- what it is on a day ----------------------------------------------------------------------------------------

    def row_on(self, on: date) -> Row:
        """Its facts as they were on a day."""
        name, abbreviation = self.name_on(on)
        return msgspec.structs.replace(
            self.row,
            name=name,
            abbreviation=abbreviation,
            offers=self.offers(on),
            titles={code: title for code in CATEGORIES if (title := self.title_on(code, on))},
            reviewers=next((n for since, n in reversed(self._reviewers) if since <= on), self._admitted.reviewers),
        )

    def name_on(self, on: date) -> tuple[str, str]:
        """Name and abbreviation on a day (`domain.md` 10: the place is stable, the name is not)."""
        for since, name, abbreviation in reversed(self._names):
            if since <= on:
                return name, abbreviation
        for former in self.row.formerly:
            if on <= former.through:
                return former.name, former.abbreviation
        return self._admitted.name, self._admitted.abbreviation

    def offers(self, on: date) -> tuple[str, ...]:
        """The categories in which it endorses people on a day."""
        turns = {category: offered for since, category, offered, _ in self._offers if since <= on}
        return tuple(code for code in CATEGORIES if turns.get(code, code in self._admitted.offers))

    def title_on(self, category: str, on: date) -> str:
        """Its own title for a category; empty where it has none."""
        title = self._admitted.titles.get(category, "")
        for since, code, offered, own in self._offers:
            if code == category and offered and since <= on:
                title = own or title
        return title

    def licence_on(self, on: date) -> LicenceState:
        return next((state for since, state in reversed(self._licences) if since <= on), self._licences[0][1])

    def endorses(self, on: date) -> bool:
        """Whether it may award and accept endorsements on a day."""
        return bool(self._licences) and self.licence_on(on) == "endorsement"

    def today(self, now: datetime) -> date:
        """The day it is at the association at a UTC instant."""
        return today(self.row, now)

    def _license(self, on: date, state: LicenceState) -> None:
        self.licence = state
        self._licences.append((on, state))


def check_row(row: Row) -> None:
    """Raise Invalid, by field, for what no association can be."""
    if not re.fullmatch(CODE, row.code):
        raise Invalid("A code is that of the place, such as VA, IE or CA-ON.", field="code")
    for field in ("jurisdiction", "name", "abbreviation"):
        text = getattr(row, field)
        if not text.strip() or len(text) > _LONGEST or not text.isprintable():
            raise Invalid(f"Give the {field}, at most {_LONGEST} characters.", field=field)
    try:
        ZoneInfo(row.zone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise Invalid("Give the time zone by its name, such as America/New_York.", field="zone") from None
    if unknown := [code for code in (*row.offers, *row.titles) if code not in CURRENT]:
        raise Invalid(f"{', '.join(unknown)} is no category that can be offered.", field="offers")
    if not 1 <= row.reviewers <= _MOST_REVIEWERS:
        raise Invalid("One or two review an application.", field="reviewers")


def today(row: Row, now: datetime) -> date:
    """The day it is in the association's time zone at a UTC instant."""
    return _day(row.zone, now)


@functools.lru_cache(maxsize=64)
def _day(zone: str, now: datetime) -> date:
    """A deed asks several times within one moment."""
    return now.astimezone(ZoneInfo(zone)).date()
