"""`registry roster-check`: an employer's roster, answered at the desk; the receipt goes to a file."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from registry import database
from registry.certificates.receipt_paper import TEMPLATE, print_receipt
from registry.certificates.sheet import Sheets
from registry.cli.roster import bar
from registry.log.published import NotYetPublished
from registry.opening import open_keys, open_registry
from registry.roster_check import RosterChecker
from registry.settings import Settings
from registry.vault import now
from verifier.roster import LONGEST_FILE, ROW_VERDICTS, NotARoster, read, shortened

_SOME_TO_LOOK_AT = 1
_BAD_USAGE = 2


def roster_check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False, readable=True, help="number,name")
    ],
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write the signed receipt here: .json or .pdf")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The receipt itself, as one JSON object on stdout.")] = False,
) -> None:
    """Check a roster of up to 5,000 rows: endorsement numbers or texts of codes, each with a name.

    Exit 1 if a row is to be looked at. `verify receipt` checks the receipt later, also without us.
    """
    if receipt and receipt.suffix not in (".json", ".pdf"):
        raise typer.BadParameter("name a file that ends in .json or .pdf", param_hint="--receipt")
    with file.open("rb") as opened:
        content = opened.read(LONGEST_FILE + 1)
    try:
        rows = read(content)
    except NotARoster as refused:
        _stop(f"{file.name}: {refused}")
    settings = Settings.from_environment()
    database.ready(settings)
    registry = open_registry(settings)
    with closing(registry.store.vault), closing(registry.store), bar("Checking") as progress:
        url = database.url(settings, "reader")
        checker = RosterChecker(settings, registry, open_keys(settings), lambda: database.connection(url))
        try:
            answered = checker.check(rows, now(), progress)
        except NotYetPublished:
            _stop("Nothing is published yet; `registry work` publishes.")
    if receipt and receipt.suffix == ".pdf":
        sheets = Sheets(TEMPLATE, settings.home / "fonts")
        receipt.write_bytes(print_receipt(sheets, answered.content, answered.receipt))
    elif receipt:
        receipt.write_bytes(answered.content)
    problems = [row for row in answered.receipt["rows"] if not ROW_VERDICTS[row["verdict"]].good]
    if as_json:
        print(json.dumps(answered.receipt, ensure_ascii=False))
    else:
        for name, count in answered.receipt["counts"].items():
            print(f"{count:>6,} {'rows' if name == 'rows' else ROW_VERDICTS[name].en.head}")
        for row in problems:
            why = f" ({row['why']})" if row["why"] else ""
            head = ROW_VERDICTS[row["verdict"]].en.head
            print(f"row {row['row']}: {row['name']}, {shortened(row['text'])}: {head}{why}")
    raise typer.Exit(_SOME_TO_LOOK_AT if problems else 0)


def _stop(why: str) -> None:
    print(f"registry: {why}", file=sys.stderr)
    raise typer.Exit(_BAD_USAGE)


def join(app: typer.Typer) -> None:
    app.command("roster-check")(roster_check)
