"""`registry world`: a made-up history of the whole Endorsement, the same for the same seed."""

import json
import sys
import time
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from registry.settings import Settings


def world(
    people: Annotated[int, typer.Option(min=60, help="How many people; 60,000 make about a million events.")],
    seed: Annotated[int, typer.Option(help="The same seed, the same history.")],
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day before which the history ends; today when left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Write a made-up history from 2002 on into an empty registry: 38 associations, six of them made up too.

    Everything random comes from the seed, the keys included: never use what it makes for real people.
    """
    from registry.world.writing import NotEmpty, write_world  # noqa: PLC0415 - `--help` need not wait for it

    last = until.date() if until else datetime.now(UTC).date()
    begun = time.monotonic()
    try:
        written = write_world(
            Settings.from_environment(), people=people, seed=seed, until=_checked(last), told=_Progress(begun)
        )
    except NotEmpty as refused:
        print(f"registry: {refused}", file=sys.stderr)
        raise typer.Exit(2) from None
    seconds = time.monotonic() - begun
    facts = {
        "people": written.people,
        "seed": seed,
        "until": last.isoformat(),
        "events": written.events,
        "seconds": round(seconds, 3),
        "root": written.root,
    }
    if as_json:
        print(json.dumps(facts))
    else:
        rate = written.events / seconds
        print(f"{written.people:,} people, {written.events:,} events, {seconds:.1f} s, {rate:,.0f} events/s")
        print(f"Root {written.root}.")
        print("Now `registry rebuild`, then `registry serve`.")


def _checked(until: date) -> date:
    from registry.world.world import BEGIN  # noqa: PLC0415

    earliest = date(BEGIN.year + 5, 1, 1)
    if not earliest <= until <= datetime.now(UTC).date():
        raise typer.BadParameter(f"a day from {earliest} to today", param_hint="--until")
    return until


class _Progress:
    """A line on stderr each second: what is done, how fast, and how long it will still take, living or writing."""

    def __init__(self, begun: float) -> None:
        self._begun = begun
        self._next = begun + 1
        self._what = 0
        self._since = begun

    def __call__(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if of != self._what:
            self._what, self._since = of, now
        if now >= self._next and done:
            self._next = now + 1
            left = (now - self._since) / done * (of - done)
            print(f"world: {what}, {done / of:.0%}, {left:.0f} s left", file=sys.stderr, flush=True)


def join(registry: typer.Typer) -> None:
    registry.command()(world)
