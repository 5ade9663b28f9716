"""Writes docs/rules.md: each rule R1 to R30, the rows that carry it, their sources and the tests named for it."""

import hashlib
import json
import re
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from domain.editions import EDITIONS, PRACTICES, PROVIDERS, REFERENCES, REINSTATEMENTS, RENEWALS, all_rows
from domain.policy import Edition, Parameter, ProviderRule, ReferenceRule, ReinstatementEdition, RenewalEdition

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "rules.md"
FROZEN = ROOT / "tests" / "vectors" / "editions.json"
_EXAM_ENDS = date(2025, 1, 1)
HEAD = """# Rules

Every rule of the Endorsement that the registry keeps, in our words: where it comes from, the rows of
`domain/editions.py` that carry it with the day they begin, and the tests named for it (`pytest -k r19` runs those of
one). Sources are the keys of our list of sources; *ours* marks a decision of this project that the Alliance may change.
A rule without rows is code. This page is written by `python tools/rules.py`; `registry rules` prints what counts on a
day.
"""


class Rule(NamedTuple):
    says: str
    source: str
    rows: Iterable[Any] = ()


def _editions(*slots: str) -> list[Edition]:
    return [edition for edition in EDITIONS if edition.slot in slots]


def _practice(rule: str) -> list[Parameter]:
    return [row for row in PRACTICES if row.rule == rule]


RULES: dict[int, Rule] = {
    1: Rule("Apply where you live; where there is no association, at the Alliance.", "AZ-POL, NE-POL, ALL-INT"),
    2: Rule("A current membership of one's own at registration and at submission.", "CT-PORT, MI-POLOLD",
            _practice("R2")),
    3: Rule("One open application for a person; two categories are not earned at once.", "AZ-POL", _practice("R3")),
    4: Rule("Submission takes all sections, both signatures, and three references that count (ERS: two).",
            "MI-FAQ, IN-ERS", REFERENCES),
    5: Rule("A reference counts with at most five unknown answers, for a year; one is the current supervisor's.",
            "MI-REF, PA-REF, CT-ECFA", [*_practice("R5"), *REFERENCES]),
    6: Rule("A rater who is not endorsed fills a qualified place only when vetted.", "CT-ECFA, MN",
            [r for r in REFERENCES if any(place.qualified for place in r.slots)]),
    7: Rule("Family Associate: a degree, a CDA certificate or two years' work; 30 hours of training.",
            "CT-ECFA, IN-CAT", _editions("FA")),
    8: Rule("Family Specialist: two years' paid work, 30 hours of training, 24 of RSC; no degree.", "CT-IFS",
            _editions("FS")),
    9: Rule("Mental Health Specialist from 2025: two years (at most one as intern), Master's or licence, 33 hours, 50 "
            "of RSC, no exam.", "CT-UPD25, IN-CAT", [e for e in _editions("MHS") if e.effective >= _EXAM_ENDS]),
    10: Rule("Mental Health Specialist submitted before 2025: the exam.", "MI-EXAM, CT-UPD25",
             [e for e in _editions("MHS") if e.effective < _EXAM_ENDS]),
    11: Rule("Mentors: clinical 48 hours (30, 15 about RSC, 3 DEI) and 50 of RSC, 25 about RSC given; Policy and "
             "Research/Faculty 33 (30 and 3); all the exam.", "CT-CHG, IN-IMHM", _editions("MHM-C", "MHM-P", "MHM-RF")),
    12: Rule("An hour of RSC counts if its provider met the rule of that day; peers never count for an application.",
             "MI-2010, AZ-REQ, NY-RSC", PROVIDERS),
    13: Rule("From 2025 clinical Mentors and holders of ERS or Emerging ERS provide; who is vetted only to 2025.",
             "AZ-POL, TX-REN2, IN-ERS", [*(p for p in PROVIDERS if p.effective >= _EXAM_ENDS), *_practice("R13")]),
    14: Rule("A reviewer is endorsed, active, trained, of a category that may, and has no tie to the applicant.",
             "WA-FAQ, AZ-FAQ, ours"),
    15: Rule("Two reviewers have to agree; who disagree are brought together, never averaged.", "TX-REV",
             _practice("R15")),
    16: Rule("The exam: at most 12 of 60 wrong; approval to sit is good for a year; scorers are blind.",
             "ALL-EXAM, VA-EXAM", _practice("R16")),
    17: Rule("An award keeps its issuer, day and edition; its category changes only by conversion.", "AZ-REQ, ours"),
    18: Rule("Renewals are due on 31 December of 2024, 2027, 2030 and so on, from 1 October; yearly before.",
             "NE-POL, TX-REN2", RENEWALS),
    19: Rule("A renewal attests membership, ethics, no sanction, and hours for each whole year, with each "
             "association's parts.", "NE-POL, TX-REN2, RI-REN2", RENEWALS),
    20: Rule("The same hours serve several categories; each is attested.", "MI-REN", _practice("R20")),
    21: Rule("Not renewed by the end of the last good day, where the association is: lapsed.", "NE-POL, ours"),
    22: Rule("Reinstatement: hours, RSC, ethics, membership and an audit; before 2024 new references.",
             "NE-POL, TN-POL", REINSTATEMENTS),
    23: Rule("Inactive for at most two years at once.", "IAITMH", _practice("R23")),
    24: Rule("Emerging ERS ends after two years unless ERS is granted.", "IN-ERS", _editions("EERS")),
    25: Rule("A transfer needs good standing, membership there and a category that is offered; number, award, due day "
             "and history stay.", "OR-END, ours"),
    26: Rule("The public register shows active endorsements only, and of them little.", "TN-EASY, ID-REG, ours"),
    27: Rule("Who waived it never sees a reference; else the reasons are relayed.", "MI-REF, OR-REF, WA-FAQ",
             _practice("R27")),
    28: Rule("An audit's sample can be drawn again: seed and population come first.", "ours", _practice("R28")),
    29: Rule("Nothing is overwritten: a correction is a new event that names the old one.", "ours"),
    30: Rule("A coordinator acts in the own association only; the Alliance's reading elsewhere is recorded.", "ours"),
}  # fmt: skip


def tests() -> dict[int, list[str]]:
    """The tests named for each rule: `test_r9_r10_...` is of both."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, rules in re.findall(r"^(?:async )?def (test_((?:[rR]\d+_)+)\w+)\(", path.read_text(), re.MULTILINE):
            for number in re.findall(r"\d+", rules):
                found.setdefault(int(number), []).append(name)
    return found


def written() -> str:
    """The whole page."""
    named = tests()
    lines = [HEAD]
    for number, rule in RULES.items():
        lines += [f"## R{number}", "", rule.says, "", f"Source: {rule.source}"]
        if rows := list(rule.rows):
            lines += ["", "| row | from | day | says | source |", "|---|---|---|---|---|"]
            lines += [" | ".join(["|", *_cells(number, row), "|"]).replace("| |", "|").strip() for row in rows]
        lines += ["", "Tests: " + (", ".join(f"`{name}`" for name in sorted(named.get(number, []))) or "none yet"), ""]
    return "\n".join(lines)


def _cells(number: int, row: Any) -> list[str]:
    said, source = "", getattr(row, "source", "")
    match row:
        case Edition():
            said = "; ".join(r.words() for r in row.requirements)
            source = ", ".join(dict.fromkeys(k for r in row.requirements for k in r.source.split(", ")))
        case RenewalEdition() if number == 18:  # noqa: PLR2004 # R18
            grace = f", grace to {row.grace[0]:02}-{row.grace[1]:02}" if row.grace else ""
            said, source = f"{row.model}, due {row.due[0]:02}-{row.due[1]:02}{grace}", row.due_source
        case RenewalEdition():
            said = "; ".join(f"{h.a_year:g} {h.words()} a year" for h in row.hours)
            source = ", ".join(dict.fromkeys(k for h in row.hours for k in h.source.split(", ")))
        case ReferenceRule():
            said = "; ".join(place.words for place in row.slots)
        case ProviderRule():
            vetted = "and vetted ones" if row.vetted else ""
            said = f"{', '.join((*row.slots, *row.add_ons))} {vetted}"
        case ReinstatementEdition():
            said = f"{row.training:g} hours, {row.references} references, {', '.join(row.statements)}"
        case Parameter():
            where = f"-{row.association}" if row.association else ""
            value = row.value.isoformat() if isinstance(row.value, date) else row.value
            return [f"{row.field}{where}", str(row.effective), row.day, str(value), row.source]
    return [row.name, str(row.effective), getattr(row, "day", "ours"), said, source]


def freeze() -> None:
    """Keep the hash of each new row; one that is kept is never replaced."""
    kept: dict[str, str] = json.loads(FROZEN.read_text()) if FROZEN.exists() else {}
    new = {n: hashlib.sha256(msgspec.json.encode(r, order="sorted")).hexdigest() for n, r in all_rows().items()}
    FROZEN.write_text(json.dumps(new | kept, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    FILE.write_text(written())
    if "--freeze" in sys.argv:
        freeze()
