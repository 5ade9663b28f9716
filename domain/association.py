"""The associations of the Alliance: their facts as rows, and what happened to each as events (`domain.md` 10)."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

import msgspec

from domain.aggregate import Aggregate
from domain.category import AUSTRALIAN_TITLES, CURRENT
from domain.event import Event

DateCustom = Literal["month_first", "day_first"]
Licence = Literal["guidelines", "endorsement"]

INFANT = tuple(code for code in CURRENT if code.startswith("I"))


class Row(msgspec.Struct, frozen=True):
    """What we know of an association when it is admitted. `reviewers`: how many judge an application."""

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
            reviewers=1, offers=INFANT),
        Row("CO", "Colorado", "Colorado Association for Infant Mental Health", "CoAIMH", _MOUNTAIN, "CO"),
        Row("CT", "Connecticut", "Connecticut Association for Infant Mental Health", "CT-AIMH", _EAST, "CT-END2"),
        Row("FL", "Florida", "Florida Association for Infant Mental Health", "FAIMH", _EAST, "FL"),
        Row("HI", "Hawaii", "Association for Infant Mental Health Hawai‘i", "AIMHHI", "Pacific/Honolulu", "HI",
            offers=INFANT),
        Row("ID", "Idaho", "Aim Early Idaho", "AEI", "America/Boise", "ID-REG"),
        Row("IN", "Indiana", "INfancy Onward", "IO", "America/Indiana/Indianapolis", "IN-CAT", reviewers=1),
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
        Row("TX", "Texas", "First3Years", "F3Y", _CENTRAL, "TX-HIST", offers=INFANT),
        Row("VA", "Virginia", "Virginia Association for Infant Mental Health", "VAIMH", _EAST, "VA-REN", reviewers=1),
        Row("WA", "Washington", "Center for Early Relational Health", "CERH", _PACIFIC, "WA-END"),
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
    """A member association, or the Alliance where there is none."""

    kind: ClassVar[str] = "association"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.row = Row(name, jurisdiction="", name="", abbreviation="", zone="UTC", source="")
        self.licence: Licence = "guidelines"

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

        def apply(self, association: Association) -> None:
            association.row = Row(**{name: getattr(self, name) for name in Row.__struct_fields__})
            association.licence = self.licence

    class Renamed(Event, frozen=True):
        topic: ClassVar[str] = "association.renamed"
        name: str
        abbreviation: str

        def apply(self, association: Association) -> None:
            association.row = msgspec.structs.replace(association.row, name=self.name, abbreviation=self.abbreviation)

    class CategoryOffered(Event, frozen=True):
        topic: ClassVar[str] = "association.category_offered"
        category: str
        title: str = ""

        def apply(self, association: Association) -> None:
            row = association.row
            titles = row.titles | ({self.category: self.title} if self.title else {})
            association.row = msgspec.structs.replace(row, offers=(*row.offers, self.category), titles=titles)

    class CategoryWithdrawn(Event, frozen=True):
        topic: ClassVar[str] = "association.category_withdrawn"
        category: str

        def apply(self, association: Association) -> None:
            offers = tuple(code for code in association.row.offers if code != self.category)
            association.row = msgspec.structs.replace(association.row, offers=offers)

    def admit(self, row: Row, *, on: date, by: str) -> None:
        self.refuse_unless("new" if self.version == 0 else "admitted", "new")
        facts = {name: getattr(row, name) for name in Row.__struct_fields__}
        self.record(self.Admitted, licence="endorsement", on=on, by=by, **facts)

    def today(self, now: datetime) -> date:
        """The day it is at the association at a UTC instant."""
        return today(self.row, now)


def today(row: Row, now: datetime) -> date:
    """The day it is in the association's time zone at a UTC instant."""
    return now.astimezone(ZoneInfo(row.zone)).date()
