"""`registry nightly`: what a day's end makes due, now or as on a day; the worker does the same every hour."""

import json
from collections import Counter
from contextlib import closing
from datetime import datetime
from typing import Annotated

import typer
from psycopg.rows import scalar_row

from registry import database, worker
from registry import nightly as rules
from registry.opening import open_registry
from registry.settings import Settings
from registry.vault import now

_SOME_FAILED = 1


def nightly(
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="As if it were this day everywhere; a later one only with --dry-run."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge all, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Do what the nightly rules make due: lapses, expiries, reminders. Repeat it as often as you like.

    Whom a rule may concern is read from the views, so `registry work` has to have been at work. Exit 1 if some failed.
    """
    day = on.date() if on else None
    if day and not dry_run and day > now().date():
        raise typer.BadParameter("a day that has not come yet is only rehearsed: add --dry-run", param_hint="--on")
    settings = Settings.from_environment()
    database.ready(settings)
    registry = open_registry(settings, rehearse=dry_run)
    if day:
        registry.clock = lambda: rules.noon(day)
    named: Counter[str] = Counter()
    recorded: Counter[str] = Counter()
    failed: list[dict[str, str]] = []
    with closing(registry.store.vault), closing(registry.store), worker.connect(settings, "reader") as connection:
        with connection.cursor(row_factory=scalar_row) as cursor:
            position = cursor.execute("SELECT position FROM views.position").fetchone()
        for batch in rules.go_round(registry, connection, rehearse=dry_run):
            named[batch.rule] += batch.named
            recorded[batch.rule] += batch.recorded
            failed += [{"rule": batch.rule, **one._asdict()} for one in batch.failed]
    if as_json:
        told = {rule.name: {"named": named[rule.name], "recorded": recorded[rule.name]} for rule in rules.RULES}
        print(json.dumps({"on": day.isoformat() if day else None, "dry_run": dry_run, "position": position or 0,
                          "recorded": sum(recorded.values()), "rules": told, "failed": failed}))  # fmt: skip
    else:
        _print(named, recorded, failed, dry_run=dry_run)
    raise typer.Exit(_SOME_FAILED if failed else 0)


def _print(named: Counter[str], recorded: Counter[str], failed: list[dict[str, str]], *, dry_run: bool) -> None:
    would = "would be recorded" if dry_run else "recorded"
    for rule in rules.RULES:
        judged = f"{recorded[rule.name]} {would}" if rule.saves_only or not dry_run else "not rehearsed"
        print(f"{rule.name:<24} {named[rule.name]:>7} looked at, {judged} ({rule.source})")
    for one in failed:
        print(f"{one['rule']}: {one['subject']} failed ({one['why']}); the next round tries again")


def join(registry: typer.Typer) -> None:
    registry.command()(nightly)
