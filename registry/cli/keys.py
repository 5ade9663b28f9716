"""`registry keys`: make the keys once, tell the log of them, and show what is there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from registry import database
from registry.certificates.keys import KeyFolder, KeysExist, KeysUnusable, announce
from registry.settings import BadSetting, Settings
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
    with _refusals():
        settings = Settings.from_environment()
        if settings.keys.exists():
            raise KeysExist(f"{settings.keys} is there already; keys are never overwritten")
        if Vault.make_master_key(settings):
            print(f"Made {settings.master_key_file}. Keep a copy away from the backups: nothing opens without it.")
        folder = KeyFolder(settings.keys, read_master_key(settings))
        folder.init(settings.public_host, _now(), specimen=specimen)
        _print_facts(folder)
    _announce("The keys are made, but the log does not know them")


@app.command()
def publish() -> None:
    """Record in the log what the public may know of each key; what is there already stays."""
    _announce("Nothing was recorded")


@app.command()
def show() -> None:
    """List the keys in REGISTRY_HOME: what each is for, since when. No secrets."""
    with _refusals():
        _print_facts(KeyFolder(Settings.from_environment().keys))


def _announce(otherwise: str) -> None:
    with _refusals():
        settings = Settings.from_environment()
        try:
            database.ready(settings)
        except (database.Unavailable, database.NotMigrated) as refused:
            _stop(f"{otherwise}: {refused}\nThen run `registry keys publish`.")
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


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (BadSetting, KeysExist, KeysUnusable) as refused:
        _stop(str(refused))


def _stop(why: str) -> None:
    print(why, file=sys.stderr)
    raise typer.Exit(1)
