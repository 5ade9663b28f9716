"""`python -m projections.other LINE`: the other process of a build, which ends when the first one does."""

import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection as Line
from typing import Never

import psycopg

from domain.event import Event
from projections import building, comparing
from projections.building import Step
from projections.filling import without_collecting
from projections.folding import Folder, Stopped


def main() -> None:
    # Ctrl-C reaches both processes; this one ends with the first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line: Line = Line(int(sys.argv[1]))
    address, load, job, what = line.recv()

    def told(step: Step) -> None:
        if line.poll():
            raise SystemExit(1)  # the other end is closed
        if step.what == "events":
            line.send(("position", step.done))

    try:
        with psycopg.connect(address, autocommit=True) as connection, without_collecting():
            folder = Folder(job.views, load, _open_nothing)
            answer = (building.fill if what == "fill" else comparing.differ)(connection, folder, job, told)
        line.send(("done", answer))
    except Stopped as stopped:
        line.send(("stopped", stopped.where))
    except Exception as error:  # noqa: BLE001 # the first process says it
        # The kind only: its text may quote a row.
        line.send(("failed", type(error).__name__))


def _open_nothing(events: Sequence[Event]) -> Never:
    raise RuntimeError(f"{len(events)} events were to be opened in a process without keys")


if __name__ == "__main__":
    main()
