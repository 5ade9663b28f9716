"""The rules in force on a day, for a category at an association, in words, each line with its source."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

import msgspec

from domain.association import ROWS
from domain.category import ADD_ONS, CATEGORIES, CURRENT, SLOT_TITLES
from domain.editions import (
    FEES,
    edition_for,
    fee,
    practice_rows,
    provider_rule,
    reference_rule,
    reinstatement_edition,
    renewal_term,
)
from domain.errors import Invalid
from domain.policy import STATEMENT_WORDS, Fee, Parameter, RenewalEdition

CODES = (*CATEGORIES, *ADD_ONS)


class Line(msgspec.Struct, frozen=True):
    words: str
    source: str


class Section(msgspec.Struct, frozen=True):
    """One row in force: its name, since when, where that day comes from, and what it says. `row` empty: of several."""

    title: str
    row: str
    effective: date | None
    day: str
    lines: tuple[Line, ...]
    note: str = ""


def in_force(category: str, on: date, association: str = "", known: Collection[str] = ROWS) -> list[Section]:
    """Everything that counts on a day, one section for each row. No category: the current ones; no association: all.

    `known` are the codes of the associations there are. Raises Invalid for a code that does not exist, NotInForce for
    a category that was not there.
    """
    if category and category not in CODES:
        raise Invalid(f"No category has this code; use one of {', '.join(CODES)}.", field="category")
    if association and association not in known:
        raise Invalid(f"No association has this code; use one of {', '.join(known)}.", field="association")
    asked = [category] if category else [c for c in CURRENT if CATEGORIES[c].in_force(on)]
    slots = list(dict.fromkeys(CATEGORIES[code].slot if code in CATEGORIES else code for code in asked))
    found = [section for slot in slots for section in _requirements(asked, slot, on, association)]
    found += [_renewal(on, association, slots), _providers(on, association), _reinstatement(on, association)]
    return [*found, _fees(on, association, slots), _parameters(on, association)]


_NO_EXAM = {"FA": "CT-ECFA", "FS": "MI-IFSOLD, WA-GLANCE", "FRS": "ours", "MHS": "CT-UPD25", "ERS": "IN-ERS",
            "EERS": "IN-ERS"}  # fmt: skip


def _requirements(asked: list[str], slot: str, on: date, association: str) -> Iterator[Section]:
    code = next(c for c in asked if c == slot or (c in CATEGORIES and CATEGORIES[c].slot == slot))
    edition = edition_for(code, on, association)
    lines = [Line(f"{r.words()}", r.source) for r in edition.requirements]
    if not edition.exam:
        lines.append(Line("no exam", _NO_EXAM[slot]))
    yield Section(
        f"Requirements: {SLOT_TITLES[slot]}", edition.name, edition.effective, edition.day, tuple(lines), edition.note
    )
    if rule := reference_rule(code, on, association):
        places = tuple(Line(place.words, place.source) for place in rule.slots)
        yield Section(f"References: {SLOT_TITLES[slot]}", rule.name, rule.effective, "ours", places)


def _renewal(on: date, association: str, slots: list[str]) -> Section:
    term = renewal_term(on, association)
    edition = term.edition
    lines = [
        Line("every year" if edition.model == "yearly" else "every three years: 2024, 2027, 2030", edition.source),
        Line(f"the window opens on {term.opens}", edition.due_source if edition.model == "cycle" else "ours"),
        Line(f"due on {term.due}, last good day {term.through}", edition.due_source),
        Line(_FIRST[edition.first_renewal], edition.first_source),
        *_hours(edition, slots),
        Line("a current membership, the code of ethics signed again, no sanction by a licensing board", edition.source),
    ]
    return Section("Renewal", edition.name, edition.effective, edition.day, tuple(lines), edition.note)


_FIRST = {
    "next_cycle": "a new award is good to the end of its cycle; the hours are those of the whole years",
    "cycle_after_submission": "submitted in a cycle year: first renewed in the next one",
    "year_after_award": "a new award is first renewed at the end of the next year",
}


def _hours(edition: RenewalEdition, slots: list[str]) -> Iterator[Line]:
    for hours in edition.hours:
        theirs = [SLOT_TITLES[slot] for slot in hours.slots if slot in slots]
        if hours.slots and not (theirs or hours.ers):
            continue
        # Of one category alone nothing is said of whom: it is asked of it, unless only of who holds ERS besides.
        whom = [*theirs, *(["holders of ERS"] if hours.ers else [])] if len(slots) > 1 or not theirs else []
        asked = f", asked of {'; '.join(whom)}" if hours.slots and whom else ""
        later = f", once held for {hours.after_years} years" if hours.after_years else ""
        most = f", at most {hours.a_year * edition.cap_years:g}" if edition.model == "cycle" else ""
        words = hours.words().replace("hours", "hour") if hours.a_year == 1 else hours.words()
        yield Line(f"{hours.a_year:g} {words} a year{most}{asked}{later}", hours.source)


def _providers(on: date, association: str) -> Section:
    rule = provider_rule(on, association)
    if rule is None:
        return Section("Providers of RSC", "", None, "ours", (Line("no rule is known for this day", "ours"),))
    who = [SLOT_TITLES[slot] for slot in rule.slots] + [SLOT_TITLES[add_on] for add_on in rule.add_ons]
    lines = [Line(f"qualified is who is active as {'; '.join(who)}", rule.source)]
    if rule.mentors:
        mentors = ", ".join(SLOT_TITLES[slot] for slot in rule.mentors)
        lines.append(Line(f"for an applicant as clinical Mentor only {mentors}", rule.source))
    lines.append(Line(f"a provider who is vetted but not endorsed {'counts' if rule.vetted else 'does not count'}",
                      rule.source))  # fmt: skip
    return Section("Providers of RSC", rule.name, rule.effective, rule.day, tuple(lines), rule.note)


def _reinstatement(on: date, association: str) -> Section:
    edition = reinstatement_edition(on, association)
    if edition is None:
        return Section("Reinstatement", "", None, "ours", (Line("no rule is known for this day", "ours"),))
    parts = [
        (edition.training, f"{edition.training:g} hours of training in the last 12 months"),
        (edition.rsc_slots, "a provider of RSC for who receives it"),
        (edition.references, f"{edition.references} new references"),
        *((True, STATEMENT_WORDS[statement]) for statement in edition.statements),
        (True, f"the {edition.fee} fee"),
        (True, "part of the next audit" if edition.audit else "no audit follows"),
    ]
    lines = tuple(Line(words, edition.source) for asked, words in parts if asked)
    return Section("Reinstatement", edition.name, edition.effective, edition.day, lines, edition.note)


def _fees(on: date, association: str, slots: list[str]) -> Section:
    kinds = list(dict.fromkeys(row.what for row in FEES))
    rows = list(dict.fromkeys(row for kind in kinds for slot in slots if (row := fee(association, kind, on, slot))))
    lines = [Line(f"{_charged(row)}: {row.currency} {row.amount}", row.source) for row in rows]
    return Section("Fees", "", None, "ours", tuple(lines), "A fee that is not here is not known.")


def _charged(row: Fee) -> str:
    return row.what.replace("_", " ") + (f", {SLOT_TITLES[row.slot]}" if row.slot else "")


def _parameters(on: date, association: str) -> Section:
    lines = tuple(Line(_said(row), row.source) for row in practice_rows(association, on))
    return Section("Practice", "", None, "ours", lines)


def _said(row: Parameter) -> str:
    value: Any = row.value
    match row.field:
        case "exam_months":
            words = ", ".join(month_name[month] for month in value)
        case "audit_share":
            words = f"{value:.0%}"
        case _ if isinstance(value, bool):
            words = "yes" if value else "no"
        case _:
            words = str(value).replace("_", " ")
    return f"{_PRACTICE[row.field]}: {words}{f' ({row.rule})' if row.rule else ''}"


_PRACTICE = {
    "one_at_a_time": "only one category is earned at a time",
    "membership_needed": "a current membership is needed",
    "reference_valid_days": "days for which a reference counts",
    "reference_most_unknown": "unknown answers in a reference that counts, at most",
    "ratings_shown": "what an applicant who did not waive it sees of a rating",
    "all_reviewers_agree": "an approval takes every reviewer",
    "exam_most_wrong": "wrong answers in Part 1 of the exam, at most",
    "exam_items": "questions in Part 1 of the exam",
    "exam_part_2_pass": "per cent to pass Part 2 of the exam",
    "exam_approval_years": "years for which an approval to sit the exam is good",
    "exam_retakes": "times an exam may be sat again",
    "exam_months": "months in whose last week the exam is sat",
    "competencies_block": "competencies that no entry shows stop a submission",
    "hours_shared": "the same hours renew several categories",
    "inactive_years": "years of inactivity, at most",
    "emeritus_offered": "emeritus status is granted",
    "open_application_months": "months after which an untouched application expires",
    "appeal_days": "days in which to appeal",
    "audit_share": "share of the renewals that is audited",
    "vetted_providers_until": "last day on which a provider of RSC who is vetted but not endorsed counts",
}


def as_dict(category: str, on: date, association: str = "", known: Collection[str] = ROWS) -> dict[str, Any]:
    """The same as plain values: what is asked, and each section with its lines."""
    sections: list[dict[str, Any]] = msgspec.to_builtins(in_force(category, on, association, known))
    return {"category": category or None, "association": association or None, "on": on.isoformat(), "rules": sections}
