"""Writes docs/api.md from the API's own tables; a test holds the file to them."""

import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from domain.access import TABLE
from registry.api.deeds import DEEDS
from registry.api.questions import QUESTIONS

FILE = Path(__file__).parents[1] / "docs" / "api.md"

HEAD = """# API

Everything is under `/api`; the OpenAPI 3.1 document with examples is at `/api/openapi.json`, a page made of it at
`/api`. This page is written by `python tools/api.py` from the same tables.

- **Who you are**: `Authorization: Bearer erk_...`. `registry actor add --role coordinator --association VA` makes a key
  and prints it once; it lasts a year at most. Without a key you are the public.
- **Once**: every POST takes an `Idempotency-Key` (a UUID of yours). Repeat it with the same body after a lost answer:
  you get the earlier answer, nothing happens twice. With another body it is refused (422).
- **What you saw**: `If-Match` takes the `ETag` of an answer; if somebody was quicker you get 412 and look again.
- **Which day**: `on` in a body is a day in the association's time zone, today when it is left out, never in the future.
  A past day takes a coordinator and `late`, the reason why it is recorded only now.
- **Where an answer stands**: `X-Registry-Position` says up to which event. A deed answers with its `position`; ask with
  `?position=` to be answered from a view that has come that far. `?on=` asks about a day, `?known=` (a position or a
  time) what was believed then.
- **Lists** come in pages: follow the `Link` with `rel="next"`.
- **Refusals** are `application/problem+json` (RFC 9457) with `type`, `title`, `detail` (what to do), the `field` where
  there is one, and what is missing, with its source. Types are explained at `/problems`.
- **Away**: 503 with `Retry-After`. Nothing is lost; repeat with the same key.

The requirements in this version are drafts, and answers that rest on them say so.
"""


def written() -> str:
    """The whole page."""
    lines = [HEAD, "## Deeds", "", "| POST | what it does | body, by example | who may |", "|---|---|---|---|"]
    for deed in DEEDS:
        body = msgspec.json.encode(deed.example).decode() if deed.example else ""
        body = f"`{body}`" if body else ""
        lines.append(f"| `/api{deed.path}` | {deed.says} | {body} | {may(deed.access)} |")
    lines += ["", "## Questions", "", "| GET | what it answers | who may |", "|---|---|---|"]
    for question in QUESTIONS:
        lines.append(f"| `/api{question.path}` | {question.says} | {may(question.rule) or 'anyone'} |")
    return "\n".join(lines) + "\n"


def may(deed: str) -> str:
    """Who may, from the access table: `coordinator (association)`."""
    return ", ".join(f"{rule.role} ({rule.scope})" for rule in TABLE if rule.deed == deed)


if __name__ == "__main__":
    FILE.write_text(written())
