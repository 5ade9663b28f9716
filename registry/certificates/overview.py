"""What is to be known of the keys: how each stands by the log, whether its private half is here, what is due."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from domain.key import KeyUse
from registry.certificates.documents import KnownKey, KnownKeys
from registry.certificates.keys import USES, KeyFolder, PublicFacts

YEAR: Final = timedelta(days=366)
"""A key is rotated yearly (credentials.md 7)."""

SOON: Final = timedelta(days=30)
"""Before that, a successor is asked for (ours)."""

State = Literal["signs", "next", "retired", "withdrawn", "not in the log", "prepared"]


class Known(msgspec.Struct):
    """One key. `here`: its private half; `certificates`: unexpired ones that it signs."""

    use: KeyUse
    kid: str
    state: State
    start: datetime = msgspec.field(name="from")
    until: datetime | None
    withdrawn: datetime | None
    here: bool
    specimen: bool
    public: str
    certificates: int | None = None


def overview(
    known: KnownKeys, folder: KeyFolder, now: datetime, certificates: Mapping[str, int] | None = None
) -> list[Known]:
    """Every key that the log or the folder knows, by use, oldest first."""
    rows = [_logged(key, folder, now) for use in USES for key in known.of(use)]
    rows += [_filed(facts, "not in the log") for facts in folder.facts() if known.get(facts.kid) is None]
    rows += [_filed(facts, "prepared") for facts in folder.prepared() if known.get(facts.kid) is None]
    for row in rows:
        row.certificates = None if certificates is None else certificates.get(row.kid, 0)
    return sorted(rows, key=lambda row: (USES.index(row.use), row.start, row.kid))


def _logged(key: KnownKey, folder: KeyFolder, now: datetime) -> Known:
    state: State
    if key.withdrawn:
        state = "withdrawn"
    elif key.ended(now):
        state = "retired"
    else:
        state = "next" if key.start > now else "signs"
    return Known(
        use=key.use, kid=key.kid, state=state, start=key.start, until=key.until, withdrawn=key.withdrawn,
        here=folder.has(key.kid), specimen=key.specimen, public=key.public,
    )  # fmt: skip


def _filed(facts: PublicFacts, state: State) -> Known:
    return Known(
        use=facts.use, kid=facts.kid, state=state, start=facts.start, until=None, withdrawn=None, here=True,
        specimen=facts.specimen, public=facts.public,
    )  # fmt: skip


def missing(rows: Sequence[Known]) -> Iterator[str]:
    """What is not there and ought to be, each with the command that mends it."""
    for use in USES:
        signing = [row for row in rows if row.use == use and row.state == "signs"]
        if not signing:
            what = " No badge is written as JWT meanwhile." if use == "jwt" else ""
            yield f"No {use} key signs: `registry keys rotate {use} --now`.{what}"
        elif not signing[-1].here:
            yield f"The private half of the {use} key {signing[-1].kid} is gone: put it back, or withdraw it as lost."
    for row in rows:
        if row.state == "not in the log":
            yield f"The log does not know the {row.use} key {row.kid}: `registry keys publish`."


def due(rows: Sequence[Known], now: datetime) -> Iterator[str]:
    """What is to be done, each with its command."""
    for row in rows:
        name = f"{row.use} key {row.kid}"
        match row.state:
            case "signs" if row.until is None and now - row.start > YEAR:
                yield f"The {name} is older than a year, without a successor: `registry keys rotate {row.use}`."
            case "signs" if row.until is None and now - row.start > YEAR - SOON:
                a_year_old = f"is a year old on {row.start + YEAR:%Y-%m-%d}"
                yield f"The {name} {a_year_old}, without a successor: `registry keys rotate {row.use}`."
            case "withdrawn" | "retired" if row.certificates and (row.state == "withdrawn" or not row.here):
                yield f"The {row.state} {name} signs {row.certificates} unexpired: `registry certificates reissue`."
            case "withdrawn" | "retired" if row.here:
                yield f"The private half of the {row.state} {name} is still here: `registry work` destroys it."
            case "prepared":
                yield f"The {name} was begun and not finished: repeat `registry keys rotate {row.use}`."
