"""`registry import`, `registry export` and `registry certificates`: an association's people, in and out."""

import json
import socket
import sys
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any, Literal

import msgspec
import psycopg
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from domain.access import OPERATOR
from domain.association import ROWS
from registry import database
from registry.certificates.plane import Plane
from registry.cli import past
from registry.commands import Act, Registry
from registry.exporting import Mailing, export_roster, issue_certificates, write_certificates, write_rows
from registry.importing import Tally, classify, import_roster
from registry.log.publish import Overtaken
from registry.members import Members, import_members, read_members
from registry.members import Tally as MemberTally
from registry.members import problems as member_problems
from registry.moves import Moves, import_moves, read_moves
from registry.moves import Tally as MoveTally
from registry.moves import problems as move_problems
from registry.opening import open_issuer, open_keys, open_plane, open_printer, open_registry
from registry.roster import LARGEST_FILE, WARNING_KINDS, Finding, Roster, read_roster, shown
from registry.settings import Settings
from registry.vault import Vault

_EXAMPLES = 3
_PATIENCE = 30
_NOT_ALL = 1

Code = Annotated[str, typer.Option("--association", metavar="CODE", help="Such as VA.", parser=str.upper)]


def must_be_known(code: str, known: Container[str]) -> None:
    if code and code not in known:
        raise typer.BadParameter(
            "nobody has this code; `registry association list` shows them.", param_hint="--association"
        )


def join(app: typer.Typer) -> None:
    app.command("import")(import_)
    app.command()(export)
    app.add_typer(certificates, name="certificates")


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False, readable=True, help="The roster.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only judge the rows; needs no database.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Judge award dates on this day. Default: today at each association."),
    ] = None,
    association: Annotated[
        str, typer.Option(metavar="CODE", help="Only the rows of this association.", parser=str.upper)
    ] = "",
    errors: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", dir_okay=False, help="Write every refused row and warning here.")
    ] = None,
    kind: Annotated[
        Literal["roster", "members", "moves"],
        typer.Option(
            help="A roster of endorsements; the yearly memberships of --association; or moves from before the "
            "registry, as --association reports them (Number or Record ID, Moved From, Moved To, Moved On)."
        ),
    ] = "roster",
) -> None:
    """Import an association's export. A refused row has one reason and what to do; the others are recorded.

    Run it again as often as you like, with the same file or a later one: nothing is recorded twice.
    """
    now = datetime.now(UTC)
    with file.open("rb") as opened:
        data = opened.read(LARGEST_FILE + 1)
    if kind != "roster":
        _import_list(kind, data, association, dry_run=dry_run, as_json=as_json, errors=errors)
        return
    judged = partial(read_roster, data, now, today=today.date() if today else None, only=association)
    roster = judged()
    settings = Settings.from_environment() if not dry_run or not as_json else None
    tally: Tally | None = None
    with ExitStack() as at_end:
        with_registry = settings is not None and (not dry_run or _is_there(settings))
        registry = at_end.enter_context(_registry(settings)) if settings and with_registry else None
        known = ROWS | registry.rows() if registry else ROWS
        if len(known) > len(ROWS):  # some were admitted that no table names
            roster = judged(known=known)
        must_be_known(association, known)
        if errors:
            _write_errors(errors, [*roster.errors, *roster.warnings])
        report = roster.report()
        if registry:
            record = classify if dry_run else import_roster
            with bar("Comparing" if dry_run else "Recording", len(roster.rows)) as progress:
                tally = record(registry, OPERATOR, roster, progress)
    if tally and not dry_run:
        report["recorded"] = {name: getattr(tally, name) for name in Tally.__struct_fields__}
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        _print(roster, report, tally, dry_run=dry_run)


def _import_list(
    kind: Literal["members", "moves"],
    data: bytes,
    association: str,
    *,
    dry_run: bool,
    as_json: bool,
    errors: Path | None,
) -> None:
    """What one association says of people or endorsements that are known here."""
    if not association:
        raise typer.BadParameter(f"say whose {kind} these are", param_hint="--association")
    settings = Settings.from_environment()
    tally: MemberTally | MoveTally | None = None
    read: Members | Moves
    with ExitStack() as at_end:
        registry = at_end.enter_context(_registry(settings)) if not dry_run or _is_there(settings) else None
        known = ROWS | registry.rows() if registry else ROWS
        must_be_known(association, known)
        read = read_members(data, association) if kind == "members" else read_moves(data, association, known)
        if errors:
            _write_errors(errors, read.errors)
        if registry:
            with bar("Comparing" if dry_run else "Recording", len(read.rows)) as step:
                if isinstance(read, Members):
                    tally = import_members(registry, OPERATOR, read, step, dry_run=dry_run)
                else:
                    tally = import_moves(registry, OPERATOR, read, step, dry_run=dry_run)
    report = read.report()
    if tally:
        report["would_record" if dry_run else "recorded"] = msgspec.to_builtins(tally)
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return
    console = Console()
    console.print(
        f"{report['rows']} rows: [b]{len(read.rows)}[/b] {'memberships' if kind == 'members' else 'moves'}, "
        f"{report['duplicates']} rows twice, {report['errors']} refused.",
        highlight=False,
    )
    if read.errors:
        console.print(_table("Refused", read.errors))
    if tally:
        more = member_problems(tally) if isinstance(tally, MemberTally) else move_problems(tally)
        words = " ".join([f"{tally.new} new, {tally.unchanged} unchanged.", *more])
        console.print(f"It would be: {words}" if dry_run else words, highlight=False)
    if dry_run:
        console.print("Nothing was recorded (--dry-run).", highlight=False)


def export(
    association: Code,
    out: Annotated[Path | None, typer.Option(metavar="FILE.csv", dir_okay=False, help="Default: stdout.")] = None,
    on: past.On = "",
    known: past.Known = "",
) -> None:
    """Write an association's roster, in the columns that `registry import` reads; of any day, as known at any time."""
    settings = Settings.from_environment()
    database.ready(settings)
    day, position = past.day(on), past.position(settings, known)
    with _registry(settings) as registry:
        must_be_known(association, registry.associations())
        made = export_roster(registry, OPERATOR, association, on=day, known=position)
    if out:
        out.write_bytes(made.data)
    else:
        sys.stdout.buffer.write(made.data)
    left_out = [f"{count} {standing}" for standing, count in sorted(made.left_out.items())]
    _say(f"{made.rows} rows" + (f"; left out: {', '.join(left_out)}" if left_out else "") + ".")
    if made.add_ons:
        _say(f"{made.add_ons} of them have an add-on (ERS), for which a roster has no column.")


certificates = typer.Typer(no_args_is_help=True, help="Certificates for a whole association.")


@certificates.callback()
def _group() -> None:
    pass


@certificates.command()
def issue(
    association: Code,
    out: Annotated[Path, typer.Option(metavar="DIR", file_okay=False, help="The folder of the files and index.csv.")],
) -> None:
    """Issue a certificate for every active endorsement that needs one, and write PDF, QR and proof of all.

    The files are named by number. Killed and run again it goes on where it was.
    """
    settings = Settings.from_environment()
    with _registry(settings) as registry:
        must_be_known(association, registry.associations())
        keys = open_keys(settings)
        registry.kid()  # says at once that there are no keys
        with bar("Issuing") as progress:
            active, issued = issue_certificates(registry, OPERATOR, association, progress)
        publish(settings, open_plane(settings, keys))
        issuer = open_issuer(settings, registry.store, keys, open_printer(settings))
        with bar("Writing") as progress:
            mailing = write_certificates(registry.store, issuer, active, out, progress)
    mailing.issued = issued
    _say_mailing(mailing, out)
    if mailing.unpublished or mailing.unprintable:
        raise typer.Exit(_NOT_ALL)


# --- what they share -----------------------------------------------------------------------------------------------


@contextmanager
def _registry(settings: Settings) -> Iterator[Registry]:
    """Open, with its tables and every association. A database of one's own is migrated by its owner."""
    if settings.embedded and not settings.keys.exists() and Vault.make_master_key(settings):
        _say(f"Made {settings.master_key_file}. Keep a copy away from the backups: nothing opens without it.")
    registry = open_registry(settings)
    try:
        database.ready(settings)
        registry.admit_all(Act(OPERATOR))
        yield registry
    finally:
        registry.store.close()
        registry.store.vault.close()


def _is_there(settings: Settings) -> bool:
    """Whether there is a database to compare with, without starting or changing one."""
    if settings.embedded:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(settings.home / "postgres" / "data" / ".s.PGSQL.5432"))
            except OSError:
                return False
    with suppress(database.Unavailable, psycopg.Error):
        return database.is_migrated(settings)
    return False


def publish(settings: Settings, plane: Plane) -> None:
    """The proof of a certificate is under a checkpoint; the worker, if it runs, may be publishing right now."""
    deadline = monotonic() + _PATIENCE
    with psycopg.connect(
        database.url(settings, "reader"), autocommit=True, connect_timeout=database.CONNECT_SECONDS
    ) as connection:
        while True:
            try:
                plane.publish(connection, datetime.now(UTC))
            except Overtaken:
                if monotonic() > deadline:
                    return
                sleep(0.5)
            else:
                return


def _say(text: str) -> None:
    print(text, file=sys.stderr)


class _Bar:
    """A bar on stderr for what takes longer than two seconds."""

    def __init__(self, name: str, of: int) -> None:
        self._name = name
        self._of = of
        self._from = monotonic() + 2
        self._progress: Progress | None = None

    def __call__(self, done: int, of: int | None = None) -> None:
        if self._progress is None and monotonic() >= self._from:
            self._progress = Progress(console=Console(stderr=True))
            self._task = self._progress.add_task(self._name, total=of or self._of)
            self._progress.start()
        if self._progress:
            self._progress.update(self._task, completed=done)

    def stop(self) -> None:
        if self._progress:
            self._progress.stop()


@contextmanager
def bar(name: str, of: int = 0) -> Iterator[_Bar]:
    made = _Bar(name, of)
    try:
        yield made
    finally:
        made.stop()


# --- the report ----------------------------------------------------------------------------------------------------


def _write_errors(path: Path, findings: Sequence[Finding]) -> None:
    found = sorted(findings, key=lambda finding: finding.row)
    rows: list[Sequence[str]] = [("Row", "Refused", "Kind", "Column", "Value", "What to do")]
    rows += [
        (str(f.row), "no" if f.kind in WARNING_KINDS else "yes", f.kind, f.column, shown(f.value), f.advice)
        for f in found
    ]
    path.write_bytes(write_rows(rows))


def _print(roster: Roster, report: dict[str, Any], tally: Tally | None, *, dry_run: bool) -> None:
    console = Console()
    console.print(
        f"{report['rows']} rows, judged on {report['today']}: [b]{report['endorsements']}[/b] endorsements of "
        f"{report['people']} people, {report['duplicates']} rows twice, {report['errors']} refused, "
        f"{report['warnings']} warnings.",
        highlight=False,
    )
    for title, findings in (("Refused", roster.errors), ("Taken, with a warning", roster.warnings)):
        if findings:
            console.print(_table(title, findings))
    if tally:
        console.print(_words(tally, dry_run=dry_run), highlight=False)
    elif dry_run:
        console.print("Nothing was recorded (--dry-run).", highlight=False)
    if unmarked := sum(not row.record and not row.email for row in roster.rows):
        console.print(
            f"{unmarked} rows have neither a record id nor an address: a later file can't be matched with them.",
            highlight=False,
        )
    if unrecorded := sum(not row.record for row in roster.rows):
        console.print(
            f"{unrecorded} rows have no record id: somebody among them whose data was erased here is not known again "
            "and would be registered anew. Take such people out of the file.",
            highlight=False,
        )


def _table(title: str, findings: Sequence[Finding]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    table.add_column("Kind", no_wrap=True)
    table.add_column("Rows", justify="right")
    table.add_column("First of them")
    table.add_column("What to do")
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    for kind, those in sorted(kinds.items()):
        first = [f"{f.row}: {f.column} “{escape(shown(f.value))}”" for f in those[:_EXAMPLES]]
        advice = dict.fromkeys(escape(f.advice) for f in those[:_EXAMPLES])
        table.add_row(kind, str(len(those)), "\n".join(first), "\n".join(advice))
    return table


def _words(tally: Tally, *, dry_run: bool) -> str:
    words = f"{tally.new} new, {tally.changed} changed, {tally.unchanged} unchanged."
    if tally.contradicted:
        words += f" {tally.contradicted} contradict what was decided here: nothing was changed, a coordinator is asked."
    if tally.tasks:
        words += f" {tally.tasks} questions for coordinators."
    if tally.erased:
        words += f" {tally.erased} are about people whose data was erased here: take them out of the file."
    if tally.earlier:
        words += f" {tally.earlier} of these rows were recorded by an earlier run of this file."
    return f"It would be: {words} Nothing was recorded (--dry-run)." if dry_run else words


def _say_mailing(mailing: Mailing, out: Path) -> None:
    print(f"{mailing.issued} certificates issued; {mailing.written} written, {mailing.kept} there already: {out}")
    if mailing.erased:
        _say(f"{mailing.erased} left out: the holder's data was erased.")
    if mailing.unpublished:
        _say(
            f"{len(mailing.unpublished)} are not under a published checkpoint yet, and a certificate carries that "
            "proof. Let `registry work` publish, then run this again."
        )
    if mailing.unprintable:
        _say(
            f"{len(mailing.unprintable)} names can't be printed with the fonts here; put one that has their letters "
            f"into REGISTRY_HOME/fonts and run this again: {', '.join(mailing.unprintable)}"
        )
