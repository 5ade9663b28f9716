"""`registry keys`: make the keys once, tell the log of them, and show what is there."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from registry import database
from registry.certificates.keys import KeyFolder, KeysExist, announce
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault, read_master_key

app = typer.Typer(no_args_is_help=True, help="The keys that sign certificates, status lists and the log.")

_BY = "operator"


@app.command()
def init(
    specimen: Annotated[
        bool, typer.Option("--specimen", help="For trials: everything made with these keys says SPECIMEN.")
    ] = False,
) -> None:
    """Make the master key, a signing key for each use and the slot key. Never overwrites."""
    settings = Settings.from_environment()
    if settings.keys.exists():
        raise KeysExist(f"{settings.keys} is there already; keys are never overwritten")
    if Vault.make_master_key(settings):
        print(f"Made {settings.master_key_file}. Keep a copy away from the backups: nothing opens without it.")
    folder = KeyFolder(settings.keys, read_master_key(settings))
    folder.init(settings.public_host, _now(), specimen=specimen)
    _print_facts(folder)
    try:
        _announce(settings)
    except (database.Unavailable, database.NotMigrated):
        print("The log does not know these keys yet. Then run `registry keys publish`.", file=sys.stderr)
        raise


@app.command()
def publish() -> None:
    """Record in the log what the public may know of each key; what is there already stays."""
    _announce(Settings.from_environment())


@app.command()
def show() -> None:
    """List the keys in REGISTRY_HOME: what each is for, since when. No secrets."""
    _print_facts(KeyFolder(Settings.from_environment().keys))


def join(registry: typer.Typer) -> None:
    registry.add_typer(app, name="keys")


def _announce(settings: Settings) -> None:
    database.ready(settings)
    vault = Vault(settings)
    store = Store(settings, vault)
    try:
        new = announce(store, KeyFolder(settings.keys), on=_now().date(), by=_BY)
    finally:
        store.close()
        vault.close()
    print(f"Recorded in the log: {', '.join(new) or 'nothing new'}.")


def _print_facts(folder: KeyFolder) -> None:
    for facts in folder.facts():
        specimen = "  SPECIMEN" if facts.specimen else ""
        print(f"{facts.use:<12} {facts.kid}  from {facts.start:%Y-%m-%dT%H:%M:%SZ}  {facts.public}{specimen}")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
