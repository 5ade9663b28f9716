"""`registry reciprocity`: who moved from which association to which, on whose word, under which rules."""

import json
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from domain.errors import Invalid
from registry import database, reciprocity
from registry.cli import past
from registry.cli.roster import must_be_known
from registry.exporting import write_rows
from registry.log.published import NotYetPublished, Published
from registry.opening import open_registry
from registry.pages.words import HAPPENED
from registry.reciprocity import Matrix, Move, Report
from registry.settings import Settings
from registry.store import Store

_PIPE_WIDTH = 160


def command(
    association: Annotated[
        str,
        typer.Argument(
            metavar="[CODE]", help="An association, such as VA; left out: the matrix of all.", parser=str.upper
        ),
    ] = "",
    from_: Annotated[
        str,
        typer.Option("--from", metavar="DAY", help="First day of the period, such as 2019-01-01. Default: a year ago."),
    ] = "",
    through: Annotated[str, typer.Option(metavar="DAY", help="Last day of the period. Default: today.")] = "",
    known: past.Known = "",
    case: Annotated[
        str, typer.Option(metavar="TRANSFER", help="The story of one case instead: every event, actor and proof.")
    ] = "",
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", dir_okay=False, help="Write who came and who left as a table.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Print who came to an association and who left it in a period: on whose word, how long it took, under which
    rules; disputes and their outcome, cases under way by age, and moves from before the registry as reported.

    `registry reciprocity CT --from 2019-01-01 --csv ct.csv` writes the table; `registry import --kind moves` brings in
    what an association knows of moves from before.
    """
    settings = Settings.from_environment()
    database.ready(settings)
    registry = open_registry(settings)
    with closing(registry.store.vault), closing(registry.store):
        up_to = past.position(settings, known) or reciprocity.EVER
        if case:
            _tell(_story(registry.store, settings, case, up_to), as_json=as_json)
            return
        must_be_known(association, registry.associations())
        today = registry.today(association or "ALLIANCE")
        begin, end = reciprocity.period(from_, through, today)
        if association:
            found = reciprocity.report(registry.store, association, begin, end, on=today, known=up_to)
            if csv:
                csv.write_bytes(write_rows(reciprocity.table(found)))
            print(msgspec.json.encode(found).decode()) if as_json else _print_report(found)
        else:
            if csv:
                raise Invalid("Name an association for a table; the matrix is --json.", field="csv")
            matrix = reciprocity.matrix(registry.store, begin, end, known=up_to)
            print(msgspec.json.encode(matrix).decode()) if as_json else _print_matrix(matrix)


def _story(store: Store, settings: Settings, transfer: str, known: int) -> list[dict[str, object]]:
    """What happened, by whom, and the proof of each (C2SP tlog-proof); none for what is not published yet."""
    published = Published.of(settings.static)
    told: list[dict[str, object]] = []
    with database.connection(database.url(settings, "reader")) as connection:
        for position, event in reciprocity.story(store, transfer, known=known):
            try:
                proof = published.prove_position(connection, position)
            except NotYetPublished:
                proof = None
            told.append(
                {"position": position, "stream": event.originator_id, "version": event.originator_version,
                 "topic": event.topic, "on": event.on.isoformat(), "by": event.by,
                 "recorded_at": event.recorded_at.astimezone(UTC).isoformat(), "proof": proof}
            )  # fmt: skip
    return told


def _tell(told: Sequence[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"events": told}))
        return
    shown = Table("Position", "On", "What", "By", "Recorded", "Proof", box=None, pad_edge=False)
    for one in told:
        recorded = datetime.fromisoformat(str(one["recorded_at"]))
        shown.add_row(
            str(one["position"]), str(one["on"]), HAPPENED.get(str(one["topic"]), str(one["topic"])), str(one["by"]),
            f"{recorded:%Y-%m-%d %H:%M:%SZ}", "in the published log" if one["proof"] else "not published yet",
        )  # fmt: skip
    _console().print(shown)


def _print_report(found: Report) -> None:
    console = _console()
    console.print(
        f"[b]{found.association}[/b], {found.from_} to {found.through}, as known at position {found.position}: "
        f"{len(found.came)} came, {len(found.left)} left.",
        highlight=False,
    )
    for title, moves in (("Came", found.came), ("Left", found.left)):
        if moves:
            console.print(_moves(title, moves))
    if found.days["median"] is not None:
        days = found.days
        console.print(
            f"From request to completion: {days['least']} to {days['most']} days, {days['median']:g} in the middle.",
            highlight=False,
        )
    _lines("Disputes", [f"{d.on} {d.transfer} {d.from_} to {d.to}: {_plain(d.reason)}; {_plain(d.outcome)}"
                        f"{f' on {d.decided_on}' if d.decided_on else ''}" for d in found.disputes])  # fmt: skip
    _lines("Ended without a move", [f"{e.on} {e.transfer} {e.from_} to {e.to}: {e.state}"
                                    f"{f', {_plain(e.reason)}' if e.reason else ''}" for e in found.ended])  # fmt: skip
    _lines("Under way", [f"{o.requested_on} {o.transfer} {o.from_} to {o.to}: {o.state}, {o.days} days"
                         for o in found.open])  # fmt: skip
    _lines("Reported, from before the registry (not proved)",
           [f"{r.number} {r.from_} to {r.to}: {r.said_by_releasing or 'no word'} / {r.said_by_receiving or 'no word'}"
            f"{f'  FINDING: {_plain(r.finding)}' if r.finding else ''}" for r in found.reported])  # fmt: skip


def _moves(title: str, moves: Sequence[Move]) -> Table:
    shown = Table(
        "Number", "Category", "From", "To", "Moved on", "Days", "Word", "Rules", "Rules there", "Lapsed",
        title=title, title_justify="left", box=None, pad_edge=False,
    )  # fmt: skip
    for move in moves:
        days = "" if move.days is None else str(move.days)
        shown.add_row(
            move.number, move.category, move.from_, move.to, str(move.moved_on), days, _plain(move.word or move.why),
            move.edition or "reported", move.edition_there or "", str(move.lapsed_on or ""),
        )  # fmt: skip
    return shown


def _print_matrix(matrix: Matrix) -> None:
    console = _console()
    console.print(
        f"{matrix.total()} moves, {matrix.from_} to {matrix.through}, as known at position {matrix.position}.",
        highlight=False,
    )
    if not matrix.moves:
        return
    receiving = sorted({code for row in matrix.moves.values() for code in row})
    shown = Table("From \\ to", *receiving, "All", box=None, pad_edge=False)
    for code, row in matrix.moves.items():
        shown.add_row(code, *(str(row.get(other, "")) for other in receiving), str(sum(row.values())))
    console.print(shown)


def _lines(title: str, lines: Sequence[str]) -> None:
    if lines:
        print(f"\n{title}")
        for line in lines:
            print(f"  {line}")


def _plain(code: str) -> str:
    return code.replace("_", " ")


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def join(app: typer.Typer) -> None:
    app.command("reciprocity")(command)
