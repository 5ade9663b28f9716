"""`registry certificates reissue`: after a key was withdrawn, sign anew what it signed."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from domain.errors import Invalid, NotFound
from registry import database
from registry.certificates.batch import OUTCOMES, Outcome, write_files
from registry.certificates.keys import KeyFolder
from registry.certificates.reissue import Reissue, Signature, Signatures, gone
from registry.cli.roster import bar, certificates, publish
from registry.opening import open_issuer, open_keys, open_plane, open_printer
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault

_BY = "operator"
_NOT_ALL = 1


def reissue(
    key: Annotated[
        str, typer.Option(metavar="KID", help="Only what this key signed; else all whose key was withdrawn or is gone.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Write the files of each present one to DIR/NUMBER too."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many; record and write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Sign anew every unexpired certificate whose key was withdrawn. Numbers, dates and places in the lists stay.

    Whoever shows the old paper is told to ask for the newly signed one; pages and API hand that out from now on.
    Killed and run again it goes on where it was.
    """
    settings, now = Settings.from_environment(), datetime.now(UTC)
    database.ready(settings)
    keys = open_keys(settings)
    signatures = _read(settings)
    kids = _kids(signatures, keys, key, now)
    due = signatures.by(kids, now)
    if dry_run:
        _say({"keys": sorted(kids), "due": len(due), "signed": 0}, as_json=as_json)
        return
    signed = _sign(settings, keys, signatures, due, kids, now) if due else 0
    publish(settings, open_plane(settings, keys))
    written: Counter[Outcome] = Counter()
    if out:
        written = _write(settings, keys, signatures.to_hand_out(kids, now), out)
    files: dict[str, int] = {outcome: written[outcome] for outcome in OUTCOMES} if out else {}
    _say({"keys": sorted(kids), "due": len(due), "signed": signed} | files, as_json=as_json)
    if written["unpublished"] or written["unprintable"]:
        raise typer.Exit(_NOT_ALL)


def _read(settings: Settings) -> Signatures:
    signatures = Signatures()
    with psycopg.connect(
        database.url(settings, "reader"), autocommit=True, connect_timeout=database.CONNECT_SECONDS
    ) as connection:
        signatures.advance(connection)
    return signatures


def _kids(signatures: Signatures, keys: KeyFolder, kid: str, now: datetime) -> set[str]:
    if not kid:
        return {key.kid for key in gone(signatures.keys, keys, now)}
    known = signatures.keys.get(kid)
    if known is None or known.use not in ("certificate", "jwt"):
        raise NotFound("key of certificates with this kid; `registry keys show` lists them")
    if not known.ended(now):
        raise Invalid("This key signs still: first `registry keys compromise` or `rotate`.", field="key")
    return {kid}


def _sign(
    settings: Settings,
    keys: KeyFolder,
    signatures: Signatures,
    due: Sequence[Signature],
    kids: Collection[str],
    now: datetime,
) -> int:
    with _store(settings) as store, bar("Signing", len(due)) as progress:
        return Reissue(store, keys, signatures.keys, by=_BY, now=now).sign(due, kids, progress)


def _write(settings: Settings, keys: KeyFolder, numbers: Sequence[str], out: Path) -> Counter[Outcome]:
    written: Counter[Outcome] = Counter()
    with _store(settings) as store, bar("Writing", len(numbers)) as progress:
        issuer = open_issuer(settings, store, keys, open_printer(settings))
        for _, outcome in write_files(issuer, numbers, lambda number, file: out / number / file):
            written[outcome] += 1
            progress(written.total(), len(numbers))
    return written


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    vault = Vault(settings)
    store = Store(settings, vault)
    try:
        yield store
    finally:
        store.close()
        vault.close()


def _say(said: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(said))
        return
    words = [f"{said['due']:,} unexpired certificates were due, {said['signed']:,} are signed anew"]
    words += [f"{said[outcome]:,} {outcome}" for outcome in OUTCOMES if said.get(outcome)]
    print(f"{'; '.join(words)}.")


def join(_registry: typer.Typer) -> None:
    certificates.command()(reissue)  # beside `issue`
