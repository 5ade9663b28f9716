"""Finds the browser and the scanner that some tests need, and installs them where the machine lets it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCANNER = ("zbarimg",)
DEBIAN = {CHROMIUM: "chromium", SCANNER: "zbar-tools"}


def found(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def missing() -> list[str]:
    """The Debian packages of what is not here."""
    return [package for names, package in DEBIAN.items() if not found(names)]


def _as_root() -> list[str] | None:
    """How a command is run as root without a question asked, if it can be."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def install(packages: list[str]) -> None:
    root = _as_root()
    if root is None or not shutil.which("apt-get"):
        return
    quiet = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    for step in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        subprocess.run([*quiet, *step], stdout=subprocess.DEVNULL, check=False)


def main() -> int:
    packages = missing()
    if packages:
        print(f"Installing {' and '.join(packages)} for the tests that need them ...", flush=True)
        install(packages)
        packages = missing()
    if not packages:
        return 0
    what = " and ".join(packages)
    print(f"Not here, and this machine does not let us install them: {what}.", file=sys.stderr)
    print(f"Install them, on Debian with: sudo apt-get install {' '.join(packages)}", file=sys.stderr)
    if os.environ.get("CI") == "true":
        return 1
    print("The tests that need them will be skipped and listed at the end.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
