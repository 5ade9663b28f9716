"""`registry fsck` and `registry log`: is this the history that was signed, and the proof of one event."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import psycopg
import typer

from registry import database
from registry.log import fsck as examination
from registry.log.fsck import Finding, Report
from registry.log.published import NotYetPublished, Published
from registry.log.tiles import Damaged
from registry.log.witnesses import Contradicted, Witnesses
from registry.settings import BadSetting, Settings
from verifier.verdict import Unverified

app = typer.Typer(no_args_is_help=True, help="The published log.")

_BAD_USAGE = 2
_GAP = "\n\n"


def fsck(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint that was kept elsewhere; the history must begin with it.")
    ] = None,
    vkey: Annotated[
        list[str] | None, typer.Option(help="The log's verifier key as you know it, instead of keys.json.")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="The key of a witness as you know it, instead of keys.json.")
    ] = None,
) -> None:
    """Derive the whole history again and compare it with what was signed. Exit 1 if anything is wrong."""
    with _refusals():
        settings = Settings.from_environment()
        kept = [_text(path) for path in checkpoint or ()]
        # Not the connection of a request: this one may take its time.
        with psycopg.connect(
            database.url(settings, "reader"), autocommit=True, connect_timeout=database.CONNECT_SECONDS
        ) as connection:
            report = examination.examine(
                connection,
                settings.static,
                vkeys=vkey or (),
                witnesses=witness or (),
                kept=kept,
                progress=_Progress("fsck"),
            )
    print(json.dumps(_as_json(report)) if as_json else _as_text(report))
    raise typer.Exit(0 if report.sound else 1)


@app.command()
def prove(
    position: Annotated[int, typer.Argument(min=1, help="The event's position, from 1.")],
    out: Annotated[Path, typer.Option(help="Where the proof file goes (NAME.tlog-proof).")],
) -> None:
    """Write the proof that the event at a position is in the published log."""
    with _refusals():
        settings = Settings.from_environment()
        published = Published.of(settings.static)
        with database.connect(database.url(settings, "reader")) as connection:
            proof = published.prove_position(connection, position)
        out.write_text(proof, encoding="utf-8")
    print(f"Wrote {out}.")


@app.command()
def checkpoint() -> None:
    """Print the published checkpoint."""
    with _refusals():
        published = Published.of(Settings.from_environment().static)
        published.checkpoint()
        text = published.checkpoint_text()
    if text is None:
        print("No checkpoint is published yet. `registry work` publishes.", file=sys.stderr)
        raise typer.Exit(1)
    print(text, end="")


@app.command()
def witnesses() -> None:
    """Ask each witness of REGISTRY_WITNESSES whether what is published is what it has seen. Exit 1 if one contradicts.

    Publishes nothing. After a restore, before `registry work`.
    """
    with _refusals():
        settings = Settings.from_environment()
        published = Published.of(settings.static)
        checkpoint, text = published.checkpoint(), published.checkpoint_text()
        if not settings.witnesses or checkpoint is None or text is None:
            _stop("There is no witness in REGISTRY_WITNESSES, or no checkpoint to ask for.", _BAD_USAGE)
        own = f"{text.rpartition(_GAP)[0]}{_GAP}{text.rpartition(_GAP)[2].splitlines(keepends=True)[0]}"
        agreed, size = True, checkpoint.size
        for address in settings.witnesses:
            try:
                answers = Witnesses([address]).cosign(
                    own, size, lambda old: published.consistency(old, size), previous=size, published=text
                )
            except Contradicted as contradicted:
                print(f"{contradicted}.")
                agreed = False
            else:
                said = answers.silent.get(address.name, f"has seen these {size:,} events, and no others")
                print(f"the witness {address.name} {said}.")
                agreed &= bool(answers.lines)
    raise typer.Exit(0 if agreed else 1)


class _Progress:
    """A line on stderr now and then, for what takes longer than two seconds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next = time.monotonic() + 2

    def __call__(self, done: int, of: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1
            print(f"{self._name}: {done:,} of {of:,} events", file=sys.stderr)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (BadSetting, database.Unavailable, database.NotMigrated) as refused:
        _stop(str(refused), _BAD_USAGE)
    except psycopg.errors.UndefinedTable:
        _stop("The database has no events table. Run `registry migrate`.", _BAD_USAGE)
    except psycopg.OperationalError:
        _stop("The database does not answer.", _BAD_USAGE)
    except (OSError, UnicodeDecodeError) as error:
        _stop(f"A file can't be read or written: {error}", _BAD_USAGE)
    except ValueError as error:
        _stop(f"{error}", _BAD_USAGE)
    except NotYetPublished as refused:
        _stop(f"Nothing to prove yet: {refused}.", 1)
    except (Damaged, Unverified) as refused:
        _stop(f"{refused}. Run `registry fsck`.", 1)


def _stop(why: str, code: int) -> NoReturn:
    print(why, file=sys.stderr)
    raise typer.Exit(code)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "sound": report.sound,
        "events": report.events,
        "checkpoint": report.checkpoint,
        "findings": [asdict(finding) for finding in report.findings],
        "more_findings": report.more_findings,
        "not_checked": report.not_checked,
    }


def _as_text(report: Report) -> str:
    lines = [f"{report.events:,} events"]
    if report.checkpoint:
        lines[0] += f", {report.checkpoint['size']:,} of them under the checkpoint of {report.checkpoint['origin']}"
        if witnesses := report.checkpoint["witnesses"]:
            lines[0] += f", cosigned by {', '.join(witnesses)}"
    lines += [f"FOUND {_finding(finding)}" for finding in report.findings]
    if report.more_findings:
        lines.append(f"and {report.more_findings:,} more.")
    lines += [f"Not checked: {what}." for what in report.not_checked]
    lines.append("Sound." if report.sound else "This is not the history that was signed, or not all of it.")
    return "\n".join(lines)


def _finding(finding: Finding) -> str:
    where = [
        finding.file,
        finding.stream and f"{finding.stream} version {finding.version}",
        finding.position and f"position {finding.position}",
    ]
    return f"{', '.join(one for one in where if one) or 'the log'}: {finding.what}"


def join(registry: typer.Typer) -> None:
    registry.command()(fsck)
    registry.add_typer(app, name="log")
