"""Portfolio entries and what they add up to."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from datetime import date, timedelta
from typing import Literal

import msgspec

from domain.category import CATEGORIES
from domain.editions import INTERNSHIP_SOURCE, INTERNSHIP_SUPERVISORS, provider_rule, provider_rules
from domain.policy import DEGREES, Degree, Judged, ProviderRule, Reason, Tally

EntryKind = Literal["work", "internship", "education", "training", "rsc", "leadership", "rsc_given", "specialised"]
Sector = Literal[
    "early_childhood_education", "home_visiting", "child_welfare", "early_intervention",
    "behavioral_health", "health", "iecmh_consultation",
]  # fmt: skip
"""The seven sectors of the Alliance's strategic plan (SEED-PLAN)."""
Population = Literal["", "0-36 months", "3-6 years", "both"]


_CODE = re.compile(r"[A-Z][A-Z0-9]{0,7}([.-][A-Z0-9]{1,4}){0,3}")
_LONGEST = 366 * 60


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of evidence: `hours` in clock hours, `from_` to `through` inclusive days.

    `provider` is an endorsement number; a provider without one is named in the event's sealed field. `about_given`:
    RSC received about the RSC that the person gives to others (`rsc_given` is the time of giving it).
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
    about_given: bool = False

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
        if any(not _CODE.fullmatch(code) for code in self.codes):
            return "codes", "Competencies are given by their codes, such as TF-3; leave other words out."
        if (self.through - self.from_).days > _LONGEST:
            return "from", "That is more than 60 years; correct one of the days."
        if self.kind == "education" and not (self.degree or self.licence):
            return "degree", "Name the degree, CDA certificate or licence."
        return None


# Which category codes (with add-on, as `IFS+ERS`) an endorsement held as active on a day; empty when none.
HeldOn = Callable[[str, date], str]
# The days on which that may change for an endorsement; every day where it is not known.
Changes = Callable[[str], Iterable[date]]


class Judging(msgspec.Struct, frozen=True):
    """By whose rules evidence is judged, and what providers held.

    `association`: of the applicant's residence; `slot`: what is applied for, where that matters; `own`: the
    applicant's endorsements, since nobody is their own provider.
    """

    held_on: HeldOn
    own: Collection[str] = ()
    association: str = ""
    slot: str = ""
    changes: Changes | None = None

    def days(self, entry: Entry) -> Iterable[date]:
        """The first day of every span of an entry in which neither the rule nor what the provider held changes."""
        if self.changes is None and entry.provider:
            return (entry.from_ + timedelta(days=n) for n in range((entry.through - entry.from_).days + 1))
        days = {rule.effective for rule in provider_rules(self.association)} | {entry.from_}
        if self.changes and entry.provider:
            days.update(self.changes(entry.provider))
        return sorted(day for day in days if entry.from_ <= day <= entry.through)


def tally(
    entries: Iterable[tuple[str, Entry]],
    held_on: HeldOn,
    own: Collection[str] = (),
    *,
    association: str = "",
    slot: str = "",
    changes: Changes | None = None,
) -> Tally:
    """Add up a portfolio; an RSC hour counts iff its provider satisfied the rule on the day (R12), see Judging.

    Hours are summed in hundredths.
    """
    judging = Judging(held_on, own, association, slot, changes)
    hours = {"training": 0.0, "dei": 0.0, "rsc_provision": 0.0, "rsc": 0.0, "rsc_about_given": 0.0}
    spans: dict[str, list[Entry]] = {"work": [], "internship": [], "leadership": [], "rsc_given": []}
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
                judged.append(judge(name, entry, judging))
                counts = entry.hours if judged[-1].counts else 0
                hours["rsc"] += counts
                hours["rsc_about_given"] += counts * entry.about_given
            case "internship":
                judged.append(judge(name, entry, judging))
                if judged[-1].counts:
                    spans["internship"].append(entry)
            case "education":
                degree = max(degree, entry.degree, key=DEGREES.index)
                licence = licence or entry.licence
            case "work" | "leadership" | "rsc_given":
                spans[entry.kind].append(entry)
            case "specialised":
                pass  # shows competencies; no requirement of the sources counts its days
    worked = _days(spans["work"])
    return Tally(
        training=round(hours["training"], 2),
        dei=round(hours["dei"], 2),
        rsc_provision=round(hours["rsc_provision"], 2),
        rsc=round(hours["rsc"], 2),
        rsc_about_given=round(hours["rsc_about_given"], 2),
        work_days=worked,
        internship_days=_days([*spans["work"], *spans["internship"]]) - worked,
        leadership_days=_days(spans["leadership"]),
        rsc_given_days=_days(spans["rsc_given"]),
        degree=degree,
        licence=licence,
        judged=tuple(judged),
    )


def judge(name: str, entry: Entry, judging: Judging) -> Judged:
    """Judge the provider of RSC, or the supervisor of an internship, on every day of the entry."""
    if entry.peer:
        return Judged(name, counts=False, reason="peer", source="NY-RSC")
    if entry.provider in judging.own:
        return Judged(name, counts=False, reason="own", source="ours", provider=entry.provider)
    source = ""
    for day in judging.days(entry):
        held = judging.held_on(entry.provider, day) if entry.provider else ""
        if entry.kind == "internship":
            reason, source = _supervises(entry, held)
        else:
            reason, source = _provides(entry, provider_rule(day, judging.association), held, judging.slot)
        if reason != "qualified":
            return Judged(name, counts=False, reason=reason, source=source, provider=entry.provider, day=day)
    return Judged(name, counts=True, reason="qualified", source=source, provider=entry.provider)


def _provides(entry: Entry, rule: ProviderRule | None, held: str, slot: str) -> tuple[Reason, str]:
    if rule is None:
        return "no_rule", "ours"
    if not entry.provider:
        if not entry.vetted:
            return "not_vetted", rule.source
        return ("qualified" if rule.vetted else "not_endorsed"), rule.source
    return ("qualified" if rule.accepts(held, slot) else "not_qualified"), rule.source


def _supervises(entry: Entry, held: str) -> tuple[Reason, str]:
    if not entry.provider:
        return "not_endorsed", INTERNSHIP_SOURCE
    category = held.partition("+")[0]
    good = bool(held) and CATEGORIES[category].slot in INTERNSHIP_SUPERVISORS
    return ("qualified" if good else "not_qualified"), INTERNSHIP_SOURCE


def _days(entries: Iterable[Entry]) -> int:
    """How many days the entries cover together, each counted once."""
    total, last = 0, date.min
    for entry in sorted(entries, key=lambda entry: entry.from_):
        if entry.through > last:
            total += (entry.through - max(entry.from_, last + timedelta(days=1))).days + 1
            last = entry.through
    return total
