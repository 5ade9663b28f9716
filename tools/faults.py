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
last on {on}, on PostgreSQL {servers}; a sample of it is part of `make test`.

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
    if line["outcome"] == "skipped":
        return f"left out on that machine: {line['why']}"
    told = [f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name.replace('_', ' ')} {value}"
            for name, value in line["figures"].items()]  # fmt: skip
    seed = f"; seed {line['seed']}" if "seed" in line else ""
    failed = "**failed**; " if line["outcome"] == "failed" else ""
    return f"{failed}{', '.join(told) or line['test'].partition('_r')[2].partition('_')[2].replace('_', ' ')}{seed}"


def written(lines: list[dict[str, Any]], on: date) -> str:
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for line in lines:
        found[int(line["row"][1:]), line["postgresql"]].append(figures(line))
    ran = [version for version in VERSIONS if any(key[1] == version for key in found)]
    servers = " and ".join(sorted({str(line.get("server", line["postgresql"])) for line in lines}))
    out = [
        *_HEAD.format(on=on.isoformat(), servers=servers).splitlines(),
        "| | fault | passes when | " + " | ".join(f"on PostgreSQL {version}" for version in ran) + " |",
        "|---|---|---|" + "---|" * len(ran),
    ]
    for number, row in ROWS.items():
        if row.why:
            continue
        cells = ["<br>".join(found[number, version]) or "not run" for version in ran]
        out.append(f"| R{number} | {row.fault} | {row.passes} | " + " | ".join(cells) + " |")
    out += ["", "Left out:", ""]
    out += [f"- R{number}, {row.fault}. {row.why}" for number, row in ROWS.items() if row.why]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(read(), date.today()))  # noqa: DTZ011 # the day on this machine
    print(f"Wrote {FILE.relative_to(ROOT)}.")
