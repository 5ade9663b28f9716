"""The associations of the made-up world: since when each is there, how big it is, and six that do not exist."""

from datetime import date, timedelta
from typing import NamedTuple

from domain.association import ALLIANCE, INFANT, ROWS, Row
from domain.category import CURRENT


class Place(NamedTuple):
    """`since`: the day it is admitted. `weight`: its share of the people, in no unit. `residence`: of its people.

    `opens`: when it takes its first; `ends`: when its licence does.
    """

    row: Row
    since: date
    weight: int
    residence: str
    ends: date | None = None

    @property
    def opens(self) -> date:
        # Exams and disputes were somebody's from the first day; its own people came with its founding.
        return date(2015, 2, 1) if self.row.code == ALLIANCE else self.since + timedelta(days=70)


# Days and sizes are made up, after the few that are known: Michigan first, New Mexico 2007 (NM-OVR), Wisconsin 2009
# (ZTT-WI), Colorado and Connecticut 2010 (CO, CT-END2), the Alliance 2015 (ALL-HIST), Ireland 2018 (IE); few big ones
# and a long tail (`domain.md` 9.1).
_SINCE_AND_WEIGHT = {
    "MI": (2002, 1000), "NM": (2007, 240), "TX": (2007, 420), "OK": (2007, 130), "AZ": (2008, 290), "MN": (2008, 250),
    "KS": (2008, 170), "WI": (2009, 210), "IN": (2009, 260), "ID": (2009, 60), "CT": (2010, 280), "CO": (2010, 230),
    "WA": (2010, 220), "WV": (2010, 26), "AU": (2010, 24), "NJ": (2011, 150), "VA": (2011, 200), "IA": (2012, 90),
    "TN": (2012, 160), "AK": (2013, 34), "NC": (2013, 80), "HI": (2014, 22), "MA": (2014, 150), "PA": (2014, 130),
    "RI": (2014, 70), "NE": (2015, 50), "FL": (2015, 120), "NY": (2015, 170), "AL": (2016, 160), "OR": (2016, 100),
    "SC": (2016, 44), "IE": (2018, 20), "ALLIANCE": (2002, 16),
}  # fmt: skip

# Six members are named by no source; these stand in for them and exist nowhere else.
_EXAMPLES = {
    "X1": ("America/New_York", 2013, 85), "X2": ("America/Chicago", 2016, 40), "X3": ("America/Denver", 2018, 24),
    "X4": ("America/Los_Angeles", 2019, 14), "X5": ("America/Chicago", 2021, 9), "X6": ("America/New_York", 2023, 5),
}  # fmt: skip


ENDS = "X4"
"""Its licence ends; the Alliance takes over."""
TAKES_OVER = "X3"
"""Was a place without an association before: the Alliance's people there pass to it."""
TAKEN_OVER = date(2018, 3, 5)
CIRCLE = "X5"
"""So small that its people are lived in one memory."""
PAUSES = "X6"
"""Its licence is suspended for a month, before it has anybody."""


def _example(code: str, zone: str) -> Row:
    number = code[1:]
    return Row(
        code,
        jurisdiction=f"Example State {number}",
        name=f"Example Association {number}",
        abbreviation=f"EA{number}",
        zone=zone,
        source="made up",
        reviewers=1 + int(number) % 2,
        offers=INFANT if number in "36" else CURRENT,
    )


EXAMPLES: dict[str, Row] = {code: _example(code, zone) for code, (zone, _, _) in _EXAMPLES.items()}

PLACES: dict[str, Place] = {
    code: Place(ROWS[code], date(since, 2, 1), weight, "CA-ON" if code == "ALLIANCE" else code)
    for code, (since, weight) in _SINCE_AND_WEIGHT.items()
} | {
    code: Place(EXAMPLES[code], date(since, 2, 1), weight, code, date(2024, 6, 3) if code == ENDS else None)
    for code, (_, since, weight) in _EXAMPLES.items()
}
