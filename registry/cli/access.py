"""`registry access`: who may do what, as the table decides it."""

import json
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from domain.access import SCOPES, rows_of

_PIPE_WIDTH = 160


def access(
    role: Annotated[str, typer.Option(help="Only what this role may do, such as coordinator.")] = "",
    deed: Annotated[str, typer.Option(help="Only who may do this, such as remove.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Print who may do what. What has no row here is refused to everybody."""
    rows = rows_of(role, deed)
    if as_json:
        print(json.dumps({"rows": msgspec.to_builtins(rows, order="deterministic")}))
        return
    table = Table("Deed or question", "Role", "On", "Sees", "Needs", "Basis", box=None, pad_edge=False)
    before = ""
    for rule in rows:
        needs = [words for needed, words in ((rule.second, "a second person"), (rule.fresh, "a new sign-in")) if needed]
        shown = "" if rule.deed == before else rule.deed
        table.add_row(shown, rule.role, SCOPES[rule.scope], ", ".join(sorted(rule.sees)), ", ".join(needs), rule.basis)
        before = rule.deed
    console = Console()
    (console if console.is_terminal else Console(width=_PIPE_WIDTH)).print(table)


def join(app: typer.Typer) -> None:
    app.command()(access)
