"""`registry rebuild`, `registry compare` and `registry work`: what is folded from the history."""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import psycopg
import typer
from psycopg import Connection

from projections.engine import Busy, Compared, Difference, Engine, Outdated, Rebuilt, Stopped
from registry import database, worker
from registry.settings import Settings
from registry.store import EventMapper
from registry.vault import Vault

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def rebuild(as_json: Json = False) -> None:
    """Fold every view anew from the whole history, beside the live ones, and put them in their place."""
    settings = Settings.from_environment()
    with _refusals(), _engine(settings) as (engine, connection):
        rebuilt = engine.rebuild(connection, _Progress())
    _print(as_json, {"events": rebuilt.events, "seconds": round(rebuilt.seconds, 3)}, f"Rebuilt from {_rate(rebuilt)}.")


def compare(as_json: Json = False) -> None:
    """Rebuild every view beside the live ones and name each difference. Exit 1 if there is any."""
    settings = Settings.from_environment()
    with _refusals(), _engine(settings) as (engine, connection):
        engine.prepare(connection)
        compared = engine.compare(connection, _Progress())
    found = compared.differences
    lines = [_line(difference) for difference in found]
    lines.append(f"{f'{len(found)} differences' if found else 'No difference'} in {_rate(compared)}.")
    _print(
        as_json,
        {
            "events": compared.events,
            "position": compared.position,
            "seconds": round(compared.seconds, 3),
            "differences": [difference._asdict() for difference in found],
        },
        "\n".join(lines),
    )
    raise typer.Exit(1 if found else 0)


def work() -> None:
    """Advance the views, publish the static plane, record lapses; until SIGTERM or Ctrl-C."""
    settings = Settings.from_environment()
    database.ready(settings)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    worker.to_stderr()
    with _refusals():
        worker.run(settings, stop=stop)


def join(registry: typer.Typer) -> None:
    for command in (rebuild, compare, work):
        registry.command()(command)


@contextmanager
def _engine(settings: Settings) -> Iterator[tuple[Engine, Connection[Any]]]:
    database.ready(settings)
    vault = Vault(settings)
    try:
        with worker.connect(settings, "projector") as connection:
            yield Engine(EventMapper().load, vault.open_all), connection
    finally:
        vault.close()


class _Progress:
    """A line on stderr now and then."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 1

    def __call__(self, events: int, seconds: float) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1
            print(f"{events:,} events, {events / seconds:,.0f} events/s", file=sys.stderr, flush=True)


def _rate(done: Rebuilt | Compared) -> str:
    return f"{done.events:,} events, {done.seconds:.1f} s, {done.events / max(done.seconds, 1e-9):,.0f} events/s"


def _line(found: Difference) -> str:
    key = ", ".join(f"{name} {value}" for name, value in found.key.items())
    what = f"{', '.join(found.columns)} differ" if found.columns else f"the row is {found.kind}"
    return f"{found.table} ({key}): {what}; events at {', '.join(map(str, found.events)) or 'no position'}"


def _print(as_json: bool, facts: dict[str, Any], text: str) -> None:
    print(json.dumps(facts) if as_json else text)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Stopped as stopped:
        print(f"registry: the event at {stopped}; nothing was changed", file=sys.stderr)
        raise typer.Exit(1) from None
    except (Busy, Outdated) as refused:
        print(f"registry: {refused}", file=sys.stderr)
        raise typer.Exit(2) from None
    except psycopg.OperationalError:
        print("registry: the database does not answer", file=sys.stderr)
        raise typer.Exit(2) from None
