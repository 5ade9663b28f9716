"""Writes docs/verdicts.md: what each verdict says, and the test that shows it on each face."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from verifier.verdict import OF_A_PROOF, VERDICTS, Verdict, Words

ROOT: Final = Path(__file__).resolve().parent.parent
FILE: Final = ROOT / "docs" / "verdicts.md"
TESTS: Final = ROOT / "tests" / "page" / "test_faces.py"
MADE: Final = ROOT / "tests" / "page" / "made.py"

FACES: Final = {
    "library": "test_the_library",
    "command": "test_the_command",
    "API": "test_the_api",
    "page": "test_the_page",
    "page without JavaScript": "test_the_page_without_scripts",
    "offline kit": "test_the_offline_kit",
}
OF_BADGES: Final = {
    "library": "test_the_library_about_badges",
    "command": "test_the_command_about_badges",
    "API": "test_the_api_about_badges",
    "page without JavaScript": "test_the_page_without_scripts_about_badges",
}

INTRODUCTION: Final = """\
# Verdicts

Made by `python tools/verdicts.py` from `verifier/verdict.py` and `tests/page/test_faces.py`; never edited by hand.

The first row whose condition holds is the verdict, on every face. Exit 0 is good, 1 authentic but not good, 2 not
authentic, 3 not established. Only `valid` is green, and never without a fresh status list; nothing is ever called not
authentic because something could not be fetched or read on our side. When each applies: `docs/format.md`, section 5.
"""

HEAD: Final = (
    "| Verdict | Exit | Look | Big word | What it is | What it is not | What to do now |",
    "|---|--:|---|---|---|---|---|",
)

SHOWN: Final = """\
## Shown by

Each cell is a test of `tests/page/test_faces.py`, by its name; all faces are asked about the same made certificates
(`tests/page/made.py`).
"""

BADGES: Final = """\
Badges: JSON with two proofs, JWT, baked into SVG and PNG. No letter is a badge. That the page and the kit read none
and say so: `test_the_page_and_the_kit_say_that_they_read_no_badges`.
"""

APART: Final = """\
## Where faces differ

- `cannot_check`: the library and the command say it of a picture whose reader could not be started, or took more than
  it is given; the API and the page without JavaScript where no keys are published (status 503); the page where it gets
  no keys, or the browser can't check Ed25519.
- The offline kit, and the page without a connection, never say `unknown_key`: a copy may not know the newest key, so
  they say `cannot_check`. `verify` takes the keys it is given as all there are.
- The page opened with the code in its own address can't say `wrong_domain`: it shows its own host, to be compared with
  what is printed.
- The page and the kit read the code (camera, picture, PDF, text). Badge files are for `verify` and the server's form,
  and the page says so.
- Keys and lists of the kit and of the service worker count as long as the lists do (48 hours); then `status_unknown`.
"""


def tests() -> dict[str, list[str]]:
    """The verdicts that each test of a face is asked about."""
    tables = {
        ast.unparse(node.target): node.value
        for node in ast.parse(MADE.read_text("utf-8")).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)
    }
    made = {name: [ast.literal_eval(key) for key in tables[name].keys if key] for name in ("MADE", "BADGES")}
    return {
        node.name: made[name]
        for node in ast.parse(TESTS.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
        for name in made
        if any(f"parametrize('verdict', {name})" in ast.unparse(mark) for mark in node.decorator_list)
    }


def cells(faces: dict[str, str], verdicts: Iterable[str]) -> str:
    shown = tests()
    lines = [f"| Verdict | {' | '.join(faces)} |", "|---" * (len(faces) + 1) + "|"]
    for name in verdicts:
        of_faces = [f"`{test}[{name}]`" if name in shown.get(test, ()) else "" for test in faces.values()]
        lines.append(f"| `{name}` | {' | '.join(of_faces)} |")
    return "\n".join([*lines, ""])


def said(row: Verdict, words: Words, kind: str = "") -> str:
    return f"| {' | '.join([f'`{row.name}`{kind}', str(row.exit), row.look, *words])} |"


def written() -> str:
    parts = [INTRODUCTION]
    for title, lang in (("English", "en"), ("Spanish", "es")):
        rows = [said(row, row.words(lang)) for row in VERDICTS.values()]
        letters = [
            said(row, row.words(lang, "letter"), ", a letter")
            for row in VERDICTS.values()
            if row.words(lang, "letter") != row.words(lang)
        ]
        proofs = [said(VERDICTS[name], words[lang], ", a proof by itself") for name, words in OF_A_PROOF.items()]
        parts.append("\n".join([f"## In {title}", "", *HEAD, *rows, *letters, *proofs, ""]))
    of_badges = [name for name in VERDICTS if name != "not_an_endorsement"]
    parts += [SHOWN, cells(FACES, VERDICTS), BADGES, cells(OF_BADGES, of_badges), APART]
    return "\n".join(parts)


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
