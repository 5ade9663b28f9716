"""The history file of a run: what every command was answered; and its checker, which knows that file and the table.

One JSON line an answer, written before the same thread sends its next command: `{"key", "answer", "events",
"positions"}`. `ok`: done, at these positions. `failed`: certainly not done. `unknown`: done once or not at all.
"""

import json
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Literal, NamedTuple

import psycopg

Answer = Literal["ok", "failed", "unknown"]


class History:
    """`events`: how many events the command records when it is done."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.file.touch()
        self._door = threading.Lock()
        self.counts: Counter[str] = Counter()

    def note(self, key: str, answer: Answer, events: int, positions: list[int] | None = None) -> None:
        line = json.dumps({"key": key, "answer": answer, "events": events, "positions": positions or []})
        with self._door, self.file.open("a") as file:
            file.write(line + "\n")
            self.counts[answer] += 1


class Tally(NamedTuple):
    """Commands by their last word. `found`: of the unknown ones, how many were done."""

    ok: int
    failed: int
    unknown: int
    found: int


def check(file: Path, connection: psycopg.Connection) -> Tally:
    """Raises AssertionError naming the first command whose answer is not what is stored."""
    stored: dict[str, list[int]] = defaultdict(list)
    for position, key in connection.execute(
        "SELECT notification_id, convert_from(state, 'UTF8')::jsonb -> 'request' ->> 'key' FROM registry.events"
        " ORDER BY notification_id"
    ):
        stored[key].append(position)
    told: dict[str, list[dict]] = defaultdict(list)
    for line in file.read_text().splitlines():
        told[json.loads(line)["key"]].append(json.loads(line))
    tally = Counter()
    for key, lines in told.items():
        there, answers = stored.get(key, []), [line["answer"] for line in lines]
        if "ok" in answers:
            word, good = "ok", all(line["positions"] == there for line in lines if line["answer"] == "ok")
        elif "unknown" in answers:
            word, good = "unknown", len(there) in (0, lines[0]["events"])
            tally["found"] += bool(there)
        else:
            word, good = "failed", not there
        whole = not there or (len(there) == lines[0]["events"] and there[-1] - there[0] == len(there) - 1)
        if not (good and whole):
            raise AssertionError(f"command {key} was answered {lines}, and stands at positions {there}")
        tally[word] += 1
    return Tally(tally["ok"], tally["failed"], tally["unknown"], tally["found"])
