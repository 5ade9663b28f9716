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

from projections.engine import Busy, Compared, Difference, Engine, Outdated, Rebuilt, Step, Stopped, UnknownView
from registry import database, worker
from registry.settings import Settings
from registry.store import EventMapper
from registry.vault import Vault

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
View = Annotated[str, typer.Argument(metavar="[VIEW]", show_default=False, help="One view alone, such as standing.")]


def rebuild(view: View = "", as_json: Json = False) -> None:
    """Fold every view anew from the whole history, beside the live ones, and put them in their place; or one alone.

    Killed, it goes on from where it was when it is called again, and loses a quarter of a minute of work at most.
    """
    settings = Settings.from_environment()
    with refusals(), _engine(settings) as (engine, connection):
        rebuilt = engine.rebuild(connection, Progress("rebuild"), view=view)
    _print(
        as_json,
        {"events": rebuilt.events, "position": rebuilt.position, "seconds": round(rebuilt.seconds, 3)},
        f"Rebuilt from {_rate(rebuilt)}.",
    )


def compare(view: View = "", as_json: Json = False) -> None:
    """Rebuild every view, or one, beside the live ones and explain each difference by its events. Exit 1 if any."""
    settings = Settings.from_environment()
    with refusals(), _engine(settings) as (engine, connection):
        engine.prepare(connection)
        compared = engine.compare(connection, Progress("compare"), view=view)
    found, total = compared.differences, compared.total
    lines = [_line(difference) for difference in found]
    if total > len(found):
        lines.append(f"... and {total - len(found):,} more")
    counted = f"{total:,} difference{'s'[: total > 1]}" if total else "No difference"
    lines.append(f"{counted} in {_rate(compared)}.")
    _print(
        as_json,
        {
            "events": compared.events,
            "position": compared.position,
            "seconds": round(compared.seconds, 3),
            "total": total,
            "differences": [
                difference._asdict() | {"events": [event._asdict() for event in difference.events]}
                for difference in found
            ],
        },
        "\n".join(lines),
    )
    raise typer.Exit(1 if total else 0)


def work() -> None:
    """Advance the views, publish the static plane, record lapses; until SIGTERM or Ctrl-C."""
    settings = Settings.from_environment()
    database.ready(settings)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    worker.to_stderr()
    with refusals():
        worker.run(settings, stop=stop)


def join(registry: typer.Typer) -> None:
    for command in (rebuild, compare, work):
        registry.command()(command)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Vault, Connection[Any]]]:
    """What opens names, and a connection of the role that makes views."""
    database.ready(settings)
    vault = Vault(settings)
    try:
        with worker.connect(settings, "projector") as connection:
            yield vault, connection
    finally:
        vault.close()


@contextmanager
def _engine(settings: Settings) -> Iterator[tuple[Engine, Connection[Any]]]:
    with opened(settings) as (vault, connection):
        yield Engine(EventMapper().load, vault.open_all), connection


class Progress:
    """A line on stderr each second: how far, how fast, and how long the folding will still take."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = time.monotonic() + 1
        self._first: Step | None = None

    def __call__(self, step: Step) -> None:
        if self._first is None and step.what == "events":
            self._first = step  # where a killed one goes on
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 1
        print(f"{self._what}: {self._words(step)}", file=sys.stderr, flush=True)

    def _words(self, step: Step) -> str:
        if step.what == "tables":
            return f"table {step.done + 1} of {step.of}"
        if step.what != "events" or self._first is None:
            return "waiting until nobody reads the live views"
        rate = (step.done - self._first.done) / max(step.seconds - self._first.seconds, 1e-3)
        left = f", {(step.of - step.done) / rate:,.0f} s left" if rate else ""
        return f"{step.done:,} of {step.of:,} events, {rate:,.0f} events/s{left}"


def _rate(done: Rebuilt | Compared) -> str:
    return f"{done.events:,} events, {done.seconds:.1f} s, {done.events / max(done.seconds, 1e-9):,.0f} events/s"


def _line(found: Difference) -> str:
    key = ", ".join(f"{name} {value}" for name, value in found.key.items())
    what = f"{', '.join(found.columns)} differ" if found.columns else f"the row is {found.kind}"
    events = "; ".join(f"position {event.position}, {event.stream}, {event.topic}" for event in found.events)
    return f"{found.table} ({key}): {what}; made by {events or 'no event'}"


def _print(as_json: bool, facts: dict[str, Any], text: str) -> None:
    print(json.dumps(facts) if as_json else text)


@contextmanager
def refusals() -> Iterator[None]:
    try:
        yield
    except Stopped as stopped:
        print(f"registry: the event at {stopped}; nothing was changed", file=sys.stderr)
        raise typer.Exit(1) from None
    except (Busy, Outdated, UnknownView) as refused:
        print(f"registry: {refused}", file=sys.stderr)
        raise typer.Exit(2) from None
    except psycopg.OperationalError:
        print("registry: the database does not answer", file=sys.stderr)
        raise typer.Exit(2) from None
