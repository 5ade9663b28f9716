"""`registry witness`: cosigns the checkpoints of a log, best on a machine of somebody else."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from registry.settings import Settings
from registry.witness.witness import NoWitness, Witness

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "A witness remembers the newest checkpoint it saw of a log and cosigns another one only if that holds all that"
        " the one before held (C2SP tlog-witness). A history that was rolled back or forked finds no cosignature.\n\n"
        "It belongs to somebody else, on a machine of theirs; it needs no database server, no key and no data of the"
        " registry:\n\n"
        "1. `registry witness init witness.example.org/w1` makes its key and its ledger, prints its verifier key.\n\n"
        "2. `registry witness trust VKEY` with the log's key, as the registry's /keys.json has it under `log`.\n\n"
        "3. `registry witness serve`, behind a proxy that speaks TLS.\n\n"
        "The registry then names it in REGISTRY_WITNESSES: `VKEY https://witness.example.org`.\n\n"
        "Never restore a ledger from a backup and never copy it: a witness that forgets can be deceived. If it is lost,"
        " make a new witness with a new name."
    ),
)

Folder = Annotated[
    Path | None, typer.Option(help="Where key and ledger are; REGISTRY_HOME/witness if not given.", show_default=False)
]
Origin = Annotated[str, typer.Argument(help="The log's name, such as registry.example/log.")]
Vkey = Annotated[str, typer.Argument(metavar="VKEY", help="The log's verifier key: name+hash+key.")]


@app.command()
def init(
    name: Annotated[str, typer.Argument(help="Its name for good, such as witness.example.org/w1.")],
    folder: Folder = None,
) -> None:
    """Make a witness: its key and an empty ledger. Prints its verifier key. Never overwrites.

    REGISTRY_WITNESS_PASSPHRASE, if set, encrypts the key's file; without it, the file is readable by its owner only.
    """
    with _refusals():
        where = _folder(folder)
        witness = Witness.make(where, name)
    print(witness.vkey)
    print(f"Made in {where}. Next: registry witness trust VKEY, with the log's key.", file=sys.stderr)


@app.command()
def trust(vkey: Vkey, folder: Folder = None) -> None:
    """Cosign for the log with this key. A log that changes its key needs both for a while."""
    with _refusals():
        print(f"Watching {Witness.open(_folder(folder)).trust(vkey)}.")


@app.command()
def distrust(vkey: Vkey, folder: Folder = None) -> None:
    """Believe nothing this key signs any more; what was seen of its log stays."""
    with _refusals():
        done = Witness.open(_folder(folder)).ledger.distrust(vkey)
    print("Done." if done else "That key was not trusted.")
    raise typer.Exit(0 if done else 1)


@app.command()
def show(folder: Folder = None) -> None:
    """Print the verifier key of this witness."""
    with _refusals():
        print(Witness.open(_folder(folder)).vkey)


@app.command()
def logs(
    folder: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """The logs it watches: how far each was cosigned, when, and how many checkpoints contradicted that."""
    with _refusals():
        known = Witness.open(_folder(folder)).ledger.logs()
    if as_json:
        print(
            json.dumps(
                {
                    "logs": [
                        {
                            "origin": log.origin,
                            "size": log.seen.size,
                            "at": _instant(log.seen.at),
                            "refused": log.refused,
                            "vkeys": log.vkeys,
                        }
                        for log in known
                    ]
                }
            )
        )
        return
    for log in known:
        seen = f"{log.seen.size:,} entries, {_instant(log.seen.at)}" if log.seen.at else "nothing yet"
        refused = f"; REFUSED {log.refused}: `registry witness refused {log.origin}`" if log.refused else ""
        print(f"{log.origin}: {seen}{refused}{'' if log.vkeys else '; no key of it is trusted'}")


@app.command()
def checkpoint(origin: Origin, folder: Folder = None) -> None:
    """Print the newest checkpoint cosigned for a log, for `registry fsck --checkpoint FILE`."""
    with _refusals():
        seen = Witness.open(_folder(folder)).ledger.latest(origin)
    if not seen.at:
        print(f"Nothing was cosigned for {origin}.", file=sys.stderr)
        raise typer.Exit(1)
    print(seen.note, end="")


@app.command()
def refused(origin: Origin, folder: Folder = None) -> None:
    """Print the checkpoints of a log that contradicted what was cosigned: evidence, signed by the log itself."""
    with _refusals():
        kept = Witness.open(_folder(folder)).ledger.refused(origin)
    print("\n".join(f"{_instant(at)}: {why}\n{note}" for at, why, note in kept), end="")


@app.command()
def serve(
    folder: Folder = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8010,
) -> None:
    """Answer POST /add-checkpoint until stopped. One line of JSON for each on stderr, without who asked."""
    from registry.witness import server  # noqa: PLC0415 # slow to import, and only here

    with _refusals():
        witness = Witness.open(_folder(folder))
    server.to_stderr()
    server.serve(
        witness, host=host, port=port, started=lambda address: typer.echo(f"{witness.name} on {address}", err=True)
    )


def _folder(given: Path | None) -> Path:
    return given or Settings.from_environment().home / "witness"


def _instant(at: int) -> str | None:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (NoWitness, OSError) as refused:
        print(f"registry: {refused}", file=sys.stderr)
        raise typer.Exit(2) from None


def join(registry: typer.Typer) -> None:
    registry.add_typer(app, name="witness")
