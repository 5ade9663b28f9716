"""`registry keys`: make the keys once, let one follow another, withdraw one that was stolen, show what is there."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Annotated, get_args

import msgspec
import psycopg
import typer

from domain.errors import Invalid
from domain.key import KeyUse
from registry import database
from registry.certificates.agent import AgentServer
from registry.certificates.documents import log_origin
from registry.certificates.keys import USES, KeyFolder, KeysExist, KeysUnusable, announce
from registry.certificates.overview import Known, due, missing, overview
from registry.certificates.reissue import Signatures
from registry.certificates.succession import AHEAD, Done, Succession
from registry.cli.roster import publish as put_out
from registry.log.publish import RolledBack
from registry.log.tiles import Damaged
from registry.opening import open_keys, open_plane
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault, read_master_key
from verifier.keys import read_multikey
from verifier.proof import vkey

app = typer.Typer(no_args_is_help=True, help="The keys that sign certificates, status lists and the log.")

_BY = "operator"

Use = Annotated[str, typer.Argument(metavar="USE", help=" | ".join(USES))]
Kid = Annotated[str, typer.Argument(metavar="KID", help="16 hex digits; `registry keys show` lists them.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


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
    folder = open_keys(settings)
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
def rotate(
    use: Use,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Its first use, UTC; 7 days from now by default, or later.")
    ] = "",
    at_once: Annotated[
        bool, typer.Option("--now", help="In an emergency: it signs at once, before anybody has seen it published.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the next key of a use. It is published now and signs from its first day on; the present one retires then.

    The first key of a use signs at once.
    """
    settings, wanted = Settings.from_environment(), _use(use)
    if start and at_once:
        raise Invalid("Give --from or --now, not both.", field="from")
    now = _now()
    begins = None if at_once else _time(start, "from") if start else now + AHEAD
    with _succession(settings) as succession:
        done = succession.rotate(wanted, start=begins, now=now)
    if at_once:
        if done.start:  # never in the second of the one before it; the next command may rely on it
            sleep(max(0.0, (done.start - datetime.now(UTC)).total_seconds()))
        print(
            "AT ONCE: this key signs before anybody could see it published. Offline kits and caches call what it signs"
            " an unknown key until they are renewed.",
            file=sys.stderr,
        )
    _tell(settings, done, as_json=as_json)


@app.command()
def retire(kid: Kid, as_json: Json = False) -> None:
    """End a key now that another one signs. What it signed stays good; its private half is destroyed."""
    settings = Settings.from_environment()
    with _succession(settings) as succession:
        done = succession.retire(kid, now=_now())
    _tell(settings, done, as_json=as_json)


@app.command()
def compromise(
    kid: Kid,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="When it was no longer ours alone, UTC. Rather too early.")
    ],
    lost: Annotated[bool, typer.Option("--lost", help="Nobody stole it; nobody has it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the kid again.")] = False,
    as_json: Json = False,
) -> None:
    """Withdraw a key: nothing that it signed is believed, but for what a witness saw before that time.

    Its private half is destroyed and another key takes its place at once. This can't be undone.
    """
    settings = Settings.from_environment()
    time = _time(since, "since")
    if not yes and typer.prompt("This can't be undone. Type the kid again", err=True).strip() != kid:
        raise Invalid("This is another kid. Nothing was done.", field="kid")
    with _succession(settings) as succession:
        done = succession.withdraw(kid, "lost" if lost else "compromised", since=time, now=_now())
    _tell(settings, done, as_json=as_json)


@app.command()
def agent(
    path: Annotated[
        Path, typer.Option("--socket", metavar="PATH", help="Where it listens; only its owner may come in.")
    ],
) -> None:
    """Hold keys in a process of its own, that may run as another user; its REGISTRY_HOME is where it keeps them.

    The registry is told by REGISTRY_SIGNER=agent:PATH. The agent signs nothing but what has the shape of ours.
    """
    settings = Settings.from_environment()
    Vault.make_master_key(settings)
    settings.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    with AgentServer(path, KeyFolder(settings.keys, read_master_key(settings))) as server:
        print(f"Listening at {path}.", flush=True)
        try:
            server.serve_forever()
        finally:
            path.unlink(missing_ok=True)


@app.command()
def show(as_json: Json = False) -> None:
    """List every key, in the log and in REGISTRY_HOME: how it stands, what is missing, what is due. No secrets."""
    settings, now = Settings.from_environment(), _now()
    folder = KeyFolder(settings.keys)
    signatures = read_signatures(settings)
    if signatures is None:
        print("The log can't be read; this is what is in the folder.", file=sys.stderr)
    rows = rows_of(folder, signatures, now)
    lacking = [*missing(rows)] if signatures and rows else []
    open_ = [*due(rows, now)] if signatures else []
    if as_json:
        print(json.dumps({"keys": msgspec.to_builtins(rows), "missing": lacking, "due": open_}))
        return
    for row in rows:
        print(_line(row, known=signatures is not None))
    for line in (*lacking, *open_):
        print(line)


def rows_of(folder: KeyFolder, signatures: Signatures | None, now: datetime) -> list[Known]:
    """Without the log, what the folder knows."""
    read = signatures or Signatures()
    return overview(read.keys, folder, now, read.counts(now) if signatures else None)


def read_signatures(settings: Settings) -> Signatures | None:
    """What the log says of the keys and of who signs what; None where it can't be asked."""
    signatures = Signatures()
    try:
        database.ready(settings)
        with psycopg.connect(
            database.url(settings, "reader"), autocommit=True, connect_timeout=database.CONNECT_SECONDS
        ) as connection:
            signatures.advance(connection)
    except (database.Unavailable, database.NotMigrated, psycopg.OperationalError):
        return None
    return signatures


def join(registry: typer.Typer) -> None:
    registry.add_typer(app, name="keys")


@contextmanager
def _succession(settings: Settings) -> Iterator[Succession]:
    with _store(settings) as store:
        yield Succession(store, open_keys(settings), host=settings.public_host, by=_BY)


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    database.ready(settings)
    vault = Vault(settings)
    store = Store(settings, vault)
    try:
        yield store
    finally:
        store.close()
        vault.close()


def _announce(settings: Settings) -> None:
    with _store(settings) as store:
        new = announce(store, KeyFolder(settings.keys), on=_now().date(), by=_BY)
    print(f"Recorded in the log: {', '.join(new) or 'nothing new'}.")


def _tell(settings: Settings, done: Done, *, as_json: bool) -> None:
    """Put the plane right, so that nobody waits for the worker, and say what was done and what is to be done now."""
    keys = open_keys(settings)
    try:
        put_out(settings, open_plane(settings, keys))
    except (KeysUnusable, RolledBack, Damaged) as error:
        print(f"It is in the log, and not published yet: {error}", file=sys.stderr)
    rows = {row.kid: row for row in rows_of(keys, read_signatures(settings), _now())}
    next_steps = [*_next_steps(settings, done, rows)]
    if as_json:
        print(json.dumps({**msgspec.to_builtins(done), "next": next_steps}))
        return
    for line in _said(done, rows):
        print(line)
    for line in next_steps:
        print(line)


def _said(done: Done, rows: dict[str, Known]) -> Iterator[str]:
    for kid in done.completed:
        yield f"The {rows[kid].use} key {kid} was in the log and is taken up now; it was left over by a killed run."
    if done.made and done.start:
        yield f"Made the {rows[done.made].use} key {done.made}: in the log, published, signs from {_iso(done.start)}."
    for kid, until in done.retired.items():
        yield (
            f"The {rows[kid].use} key {kid} retires at {_iso(until)}: what it signed stays good; then the worker"
            " destroys its private half. Copies in backups have to age out."
        )
    if done.withdrawn:
        yield f"Withdrew the {rows[done.withdrawn].use} key {done.withdrawn}."
    for kid in done.destroyed:
        yield f"Destroyed the private half of {kid}. What is public of it stays published. Destroy copies in backups."
    if not (done.made or done.retired or done.withdrawn or done.destroyed or done.completed):
        yield "Nothing to do: this was done before."


def _next_steps(settings: Settings, done: Done, rows: dict[str, Known]) -> Iterator[str]:
    made = rows.get(done.made)
    if made and made.use == "log":
        line = vkey(log_origin(settings.public_host), read_multikey(made.public))
        yield f"Tell every witness before {_iso(made.start)}: `registry witness trust {line}`."
    withdrawn = rows.get(done.withdrawn)
    if withdrawn is None:
        return
    if withdrawn.use == "log":
        line = vkey(log_origin(settings.public_host), read_multikey(withdrawn.public))
        yield f"Tell every witness: `registry witness distrust {line}`."
    if withdrawn.use in ("certificate", "jwt"):
        yield f"Sign its {withdrawn.certificates or 0} unexpired certificates anew: `registry certificates reissue`."


def _line(row: Known, *, known: bool) -> str:
    words = [f"{row.use:<12}{row.kid}", f"{row.state:<10}" if known else "", f"from {_iso(row.start)}"]
    words += [f"until {_iso(row.until)}"] if row.until else []
    words += [f"withdrawn since {_iso(row.withdrawn)}"] if row.withdrawn else []
    words += [row.public]
    words += [f"signs {row.certificates} certificates"] if row.certificates else []
    words += [] if row.here else ["not here"]
    words += ["SPECIMEN"] if row.specimen else []
    return "  ".join(filter(None, words))


def _print_facts(folder: KeyFolder) -> None:
    for facts in folder.facts():
        specimen = "  SPECIMEN" if facts.specimen else ""
        print(f"{facts.use:<12} {facts.kid}  from {_iso(facts.start)}  {facts.public}{specimen}")


def _use(text: str) -> KeyUse:
    for use in get_args(KeyUse):
        if use == text:
            found: KeyUse = use
            return found
    raise Invalid(f"One of {', '.join(USES)}.", field="use")


def _time(text: str, field: str) -> datetime:
    """A day, or a time to the second; UTC unless it says its zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("Give a time like 2026-11-22T15:00:00Z, or a day.", field=field) from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _iso(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
