"""Portfolio entries and what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Literal

import msgspec

from domain.editions import provider_rule
from domain.policy import DEGREES, Degree, Judged, ProviderRule, Tally

EntryKind = Literal["work", "internship", "education", "training", "rsc", "leadership"]
Sector = Literal[
    "early_childhood_education", "home_visiting", "child_welfare", "early_intervention",
    "behavioral_health", "health", "iecmh_consultation",
]  # fmt: skip
"""The seven sectors of the Alliance's strategic plan (SEED-PLAN)."""
Population = Literal["", "0-36 months", "3-6 years", "both"]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of evidence: `hours` in clock hours, `from_` to `through` inclusive days.

    `provider` is an endorsement number; a provider without one is named in the event's sealed field.
    """

    kind: EntryKind
    from_: date = msgspec.field(name="from")
    through: date
    hours: float = 0
    provider: str = ""
    vetted: bool = False
    sector: Sector | None = None
    degree: Degree = ""
    licence: bool = False
    dei_hours: float = 0
    rsc_provision_hours: float = 0
    peer: bool = False
    mode: Literal["", "individual", "group"] = ""
    population: Population = ""
    codes: tuple[str, ...] = ()

    def wrong(self) -> tuple[str, str] | None:
        """The first field that can't be, and what to do about it."""
        if self.through < self.from_:
            return "through", "The last day is before the first; swap or correct them."
        if self.kind in ("training", "rsc") and not self.hours > 0:
            return "hours", "Give the clock hours, more than 0."
        if self.hours < 0 or self.hours > 24 * ((self.through - self.from_).days + 1):
            return "hours", "There are not that many hours in those days."
        if self.dei_hours + self.rsc_provision_hours > self.hours and self.kind == "training":
            return "dei_hours", "The parts can't be more than the hours of the training."
        if self.kind in ("work", "internship") and self.sector is None:
            return "sector", "Say which sector the work was in."
        if self.kind == "education" and not (self.degree or self.licence):
            return "degree", "Name the degree, CDA certificate or licence."
        return None


# Which category codes (with add-on, as `IFS+ERS`) an endorsement held as active on a day; empty when none.
HeldOn = Callable[[str, date], str]


def tally(entries: Iterable[tuple[str, Entry]], held_on: HeldOn) -> Tally:
    """Add up a portfolio; an RSC hour counts iff its provider satisfied the rule on the day (R12)."""
    hours = {"training": 0.0, "dei": 0.0, "rsc_provision": 0.0, "rsc": 0.0}
    days: dict[str, set[date]] = {"work": set(), "internship": set()}
    degree: Degree = ""
    licence = False
    judged: list[Judged] = []
    for name, entry in entries:
        match entry.kind:
            case "training":
                hours["training"] += entry.hours
                hours["dei"] += entry.dei_hours
                hours["rsc_provision"] += entry.rsc_provision_hours
            case "rsc":
                verdict = judge_rsc(name, entry, held_on)
                judged.append(verdict)
                hours["rsc"] += entry.hours if verdict.counts else 0
            case "work" | "internship":
                span = (entry.through - entry.from_).days + 1
                days[entry.kind] |= {entry.from_ + timedelta(days=day) for day in range(span)}
            case "education":
                degree = max(degree, entry.degree, key=DEGREES.index)
                licence = licence or entry.licence
            case "leadership":
                pass
    return Tally(
        **hours,
        work_days=len(days["work"]),
        internship_days=len(days["internship"] - days["work"]),
        degree=degree,
        licence=licence,
        judged=tuple(judged),
    )


def judge_rsc(name: str, entry: Entry, held_on: HeldOn) -> Judged:
    """Judge the provider on the first and the last day of the hours; both must satisfy the rule of that day."""
    if entry.peer:
        return Judged(name, counts=False, why="Peer supervision does not count for an application.", source="NY-RSC")
    rule: ProviderRule | None = None
    for day in (entry.from_, entry.through):
        rule = provider_rule(day)
        if rule is None:
            return Judged(name, counts=False, why=f"No provider rule is known for {day}.", source="ours")
        if not entry.provider:
            if not (entry.vetted and rule.vetted):
                why = "The provider is not endorsed, and vetted providers do not count on that day."
                why = why if entry.vetted else "The provider is neither endorsed nor vetted."
                return Judged(name, counts=False, why=why, source=rule.source)
        elif not rule.accepts(held_on(entry.provider, day)):
            why = f"{entry.provider} was not a qualified provider of RSC on {day.isoformat()}."
            return Judged(name, counts=False, why=why, source=rule.source)
    return Judged(name, counts=True, why="The provider was qualified on the day.", source=rule.source if rule else "")
