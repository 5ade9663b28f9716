"""`registry reconsider`: every decision again, by its own rules and by others; nothing is recorded."""

import csv
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.access import OPERATOR
from domain.errors import Invalid
from registry import database
from registry.reconsider.groups import lines
from registry.reconsider.listing import HEADER, rows
from registry.reconsider.reconsideration import Asked, Found, Report, reconsider
from registry.reconsider.rules import VALUES, Rules, named, read_rules
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault

_QUIET_SECONDS = 2
_SHOWN = 50
_EPILOGUE = (
    'A rules file is JSON or TOML: {"rsc_hours": 60} changes what is asked wherever it is asked; '
    '{"MHS": {"rsc_hours": 60}} for one category or add-on, also where it was not asked; '
    '{"renewal": {"training_hours": 20}} a year at renewal; {"reinstatement": {"training_hours": 20}}; '
    '"edition" names the edition to start from. '
    f"Values: {', '.join(VALUES)}, internship_days, degree (any, cda, bachelor, master). "
    'A file for --correct: {"stream": "person/...", "version": 7, "fields": {"fact": {"hours": 20}}}, '
    "or several of them in a list under corrections."
)


def reconsidered(
    edition: Annotated[
        str, typer.Option(help="Other rules: an edition by name such as MHS-2025, `today`, or a day.")
    ] = "",
    rules: Annotated[Path | None, typer.Option(help="Other rules: a file with changed values, see below.")] = None,
    correct: Annotated[
        Path | None, typer.Option(help="A file that says how an event should have been, see below.")
    ] = None,
    association: Annotated[str, typer.Option(help="Only what this association decided, such as VA.")] = "",
    since: Annotated[str, typer.Option(help="Only decisions of this day and later, such as 2024-01-01.")] = "",
    demographics: Annotated[
        bool,
        typer.Option(
            "--demographics", help="Totals by what people volunteered of themselves, too; that it was read is recorded."
        ),
    ] = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the list to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Decide everything again: as it was decided, which must agree; under other rules; with what was corrected.

    Exit 1 if a decision does not agree with its own rules. Nothing is recorded.
    """
    if edition and rules:
        raise Invalid("Give --edition or --rules, not both; a rules file may name an edition.", field="edition")
    today = datetime.now(UTC).date()
    other: Rules | None = (
        named(edition, today) if edition else read_rules(_read(rules, "rules"), today) if rules else None
    )
    if demographics and other is None:
        raise Invalid("Totals by group need other rules: give --edition or --rules.", field="demographics")
    settings = Settings.from_environment()
    database.ready(settings)
    vault = Vault(settings)
    try:
        if demographics:
            _note(settings, vault)
        asked = Asked(association=association, since=_day(since), rules=other, demographics=demographics)
        text = _read(correct, "correct") if correct else ""
        report = reconsider(settings, vault, asked, correct=text, progress=_Progress())
    finally:
        vault.close()
    if csv_file:
        with csv_file.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(rows(report))
    if as_json:
        print(json.dumps(report.as_dict()))
    else:
        _print(report)
    raise typer.Exit(1 if report.findings else 0)


def _print(report: Report) -> None:
    print(f"{report.considered:,} decisions up to position {report.position}, {report.seconds:.1f} s.")
    print(", ".join(f"{name}: {count}" for name, count in sorted(report.decisions.items())))
    print(f"Left out, as they are an association's own word: {report.imported:,} imported facts.")
    _list("do not agree with their own rules", report.findings)
    if report.rules:
        print(f"\nUnder {report.rules}: {report.concerned:,} decisions are concerned.")
        _list("would be refused", report.changed)
        for by, counted in report.counts.items():
            if counted and by != "requirement":
                print(f"\nBy {by}: refused of all")
                print(
                    "\n".join(f"  {key}: {line.changed} of {line.considered}" for key, line in sorted(counted.items()))
                )
        for title, table in lines(report.groups):
            print(f"\nBy {title}: kept out of all people; small numbers, and what would tell them, are hidden")
            print("\n".join(f"  {group}: {out} of {people}" for group, people, out in table))
    if report.corrected:
        _list("would have come out otherwise, with what was corrected since", report.corrected)


def _list(title: str, found: list[Found]) -> None:
    print(f"\n{len(found) or 'None'} {title}{':' if found else '.'}")
    for one in found[:_SHOWN]:
        print(f"  {one.words()}")
    if len(found) > _SHOWN:
        print(f"  and {len(found) - _SHOWN:,} more; --csv writes all of them")


def _note(settings: Settings, vault: Vault) -> None:
    """That what people said of themselves was read, before it is."""
    store = Store(settings, vault)
    try:
        store.note_reading(OPERATOR.by, "demographics", "reconsider")
    finally:
        store.close()


def _read(file: Path | None, field: str) -> str:
    try:
        return file.read_text(encoding="utf-8") if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} can't be read: {type(error).__name__}. Give a text file.", field=field) from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("Give --since as a day such as 2024-01-01.", field="since") from None


class _Progress:
    """A line on stderr now and then, once it takes longer."""

    def __init__(self) -> None:
        self._next = float(_QUIET_SECONDS)

    def __call__(self, decisions: int, seconds: float) -> None:
        if seconds >= self._next:
            self._next = seconds + _QUIET_SECONDS
            print(f"{decisions:,} decisions, {decisions / seconds:,.0f} a second", file=sys.stderr, flush=True)


def join(registry: typer.Typer) -> None:
    registry.command(name="reconsider", epilog=_EPILOGUE)(reconsidered)
