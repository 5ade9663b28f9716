"""Writes docs/faults.md from what the full runs of the fault tests reported to build/faults-15.jsonl and -18.jsonl."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/faults"))

from rows import ROWS  # noqa: E402 # found by the line above

FILE = ROOT / "docs/faults.md"
REPORTS = ROOT / "build"
VERSIONS = (15, 18)
_HEAD = """# Faults

What was done to the registry on purpose, what has to come of it, and what came of it. Written by `make test-faults`,
last on {on}, on PostgreSQL {servers}; a sample of it is part of `make test`.{sample}

Each row is a test `test_fault_r<number>_...` in `tests/faults/`, which prints its seed: `REGISTRY_TEST_SEED` repeats it
as far as threads let it. Every command is noted with what it was answered: *acknowledged*, *failed* (certainly not
done) or *unknown* (a 503, a lost connection: to be sent again under its key). A checker that knows only those notes and
the table then finds every acknowledged command exactly once, no failed one, and an unknown one once or not at all;
`registry fsck` derives the log again and compares it with every checkpoint that was published meanwhile; the views are
compared with a rebuild, and every page and index is read.

"""


def read() -> list[dict[str, Any]]:
    files = [REPORTS / f"faults-{version}.jsonl" for version in VERSIONS]
    return [json.loads(line) for file in files if file.exists() for line in file.read_text().splitlines()]


def figures(line: dict[str, Any]) -> str:
    told = [
        f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name.replace('_', ' ')} {value}"
        for name, value in line["figures"].items()
    ]
    return ", ".join([*told, *([f"seed {line['seed']}"] if "seed" in line else [])])


def cell(lines: list[dict[str, Any]]) -> str:
    """What one row came to on one server."""
    told = [f"left out on that machine: {line['why']}" for line in lines if line["outcome"] == "skipped"]
    told += [f"**failed**: `{line['test']}`" for line in lines if line["outcome"] == "failed"]
    passed = [line for line in lines if line["outcome"] == "passed"]
    told += [figures(line) for line in passed if line["figures"]]
    if plain := sum(not line["figures"] for line in passed):
        told.append(f"{plain} test{'s' * (plain > 1)} passed")
    return "<br>".join(told) or "not run"


def written(lines: list[dict[str, Any]], on: date) -> str:
    found: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        found[int(line["row"][1:]), line["postgresql"]].append(line)
    ran = [version for version in VERSIONS if any(key[1] == version for key in found)]
    servers = " and ".join(sorted({str(line.get("server", line["postgresql"])) for line in lines}))
    sample = (
        ""
        if all(line["full"] for line in lines)
        else " **So far\nmost of what stands here is the sample; the whole has not been run to its end.**"
    )
    out = [
        *_HEAD.format(on=on.isoformat(), servers=servers, sample=sample).splitlines(),
        "| | fault | passes when | " + " | ".join(f"on PostgreSQL {version}" for version in ran) + " |",
        "|---|---|---|" + "---|" * len(ran),
    ]
    for number, row in ROWS.items():
        if row.why:
            continue
        cells = [cell(found[number, version]) for version in ran]
        out.append(f"| R{number} | {row.fault} | {row.passes} | " + " | ".join(cells) + " |")
    out += ["", "Left out:", ""]
    out += [f"- R{number}, {row.fault}. {row.why}" for number, row in ROWS.items() if row.why]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(read(), date.today()))  # noqa: DTZ011 # the day on this machine
    print(f"Wrote {FILE.relative_to(ROOT)}.")
