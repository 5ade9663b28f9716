"""The commands `verify receipt` and `verify roster`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from verifier import files, keys, receipt, roster, status
from verifier.shell import Misused, Parser, checks_of, content_of, key_ring, printable, say, time_of
from verifier.status import Statuses
from verifier.tiles import Read
from verifier.verdict import LANGUAGES, Unverified, iso, worst

_RECEIPT_EXAMPLES: Final = """\
examples:
  verify receipt roster-receipt.json --static ./static
  verify receipt roster-receipt.pdf --static ./static --json
      the pages carry the signed receipt; with a copy of the registry's static files. One made by verify sync --tiles
      shows that the log still holds what it held then

It says whether the registry answered this, when, about how many rows, and against which checkpoint of its log. It does
not say how things stand today: check the roster again for that.

exit codes:
  0  authentic
  1  authentic, but the key that signed it was withdrawn since
  2  not authentic: altered, cut, another registry's, or its checkpoint is not the log's
  3  signed by a key you named, but no key of the log was named
  64 the command or a file it names cannot be understood
  70 a fault of this program: it says nothing about the receipt
"""

_ROSTER_EXAMPLES: Final = """\
examples:
  verify roster staff.csv --static ./static
      a CSV file of two columns, number and name; the number is the text of a certificate's code

Numbers alone can't be checked without the registry: such rows are not_looked_up (exit 3). Nothing is signed here; the
registry's own roster check gives a receipt. The exit code is that of the worst row.
"""


def answer_receipt(words: Sequence[str]) -> int:
    parser = Parser(
        "verify receipt",
        "Check the receipt of a roster check: whether the registry gave it, and when.",
        _RECEIPT_EXAMPLES,
    )
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="the receipt, as JSON or as PDF")
    add("--static", type=Path, metavar="DIR", help="a registry's static files: keys, witnesses, checkpoint")
    add("--did", action="append", default=[], type=Path, metavar="FILE", help="a DID document to take keys from")
    add("--log", action="append", default=[], metavar="VKEY", help="the key of the log (name+hash+key)")
    add("--witness", action="append", default=[], metavar="VKEY", help="the key of a witness (name+hash+key)")
    add("--json", action="store_true", help="one JSON object on standard output")
    add("--lang", choices=LANGUAGES, default="en", help="language of the sentence")
    asked = parser.parse_args(words)
    if asked.static is None and not asked.did:
        raise Misused("name keys you trust: --static DIR, or --did FILE and --log VKEY")
    ring = key_ring(asked)
    published = asked.static / "checkpoint" if asked.static else None
    checkpoint = content_of(published) if published and published.exists() else None
    content = content_of(asked.file, files.LONGEST_FILE)
    report: dict[str, Any] = {"source": asked.file.name}
    try:
        if content.startswith(b"%PDF-"):
            content = files.attachment(content, receipt.FILE, receipt.LARGEST)
        checked = receipt.check(content, ring, checkpoint=checkpoint, read_tile=_tiles(asked.static))
    except Unverified as refused:
        report |= {"verdict": refused.verdict, "exit": 2, "sentence": receipt.refusal(asked.lang), "why": refused.why}
        report["checks"] = [check._asdict() for check in refused.checks]
    else:
        said, found = checked.receipt, checked.checkpoint
        report |= {"verdict": checked.verdict, "exit": checked.exit, "sentence": checked.sentence(asked.lang)}
        report |= {name: said[name] for name in ("specimen", "issuer", "checked_at", "position", "counts", "lists")}
        report["signed_by"] = checked.key.id
        report["checkpoint"] = {"origin": found.origin, "size": found.size, "root": found.root.hex()} if found else None
        report["witnesses"] = [{"witness": one.witness, "at": iso(one.time)} for one in checked.cosignatures]
        report["rows"], report["checks"] = said["rows"], [check._asdict() for check in checked.checks]
    say(json.dumps(report, ensure_ascii=False, indent=2) if asked.json else _plain_receipt(report, asked.lang))
    return int(report["exit"])


def _tiles(static: Path | None) -> Read | None:
    """Of a static plane; a copy has them by `verify sync --tiles`."""
    if static is None or not (static / "tile").is_dir():
        return None

    def read(names: Sequence[str], least: int) -> bytes:
        for name in names:
            path = static / name
            if path.is_file() and len(content := content_of(path)) >= least:
                return content
        raise FileNotFoundError(names[-1])

    return read


def _plain_receipt(report: dict[str, Any], lang: str) -> str:
    lines = [f"{report['source']}: {report['verdict']}", report["sentence"]]
    if report.get("specimen"):
        lines.insert(0, "*** SPECIMEN: made by a demo. Nobody holds these endorsements. ***")
    if "rows" in report:
        lines += ["", f"  signed by {report['signed_by']}, checked at {report['checked_at']}"]
        lines += _told_of_rows(report["rows"], report["counts"], lang)
    lines += ["", "  checks:", *checks_of(report)]
    return printable(lines)


def _told_of_rows(rows: list[dict[str, Any]], counts: dict[str, int], lang: str) -> Iterator[str]:
    """How many there are of each verdict, and each row that is not in order."""
    for name, count in counts.items():
        if name != "rows":
            told = roster.ROW_VERDICTS[name].words(lang)
            yield f"  {count:>5} {told.head}: {told.sentence}"
    for row in rows:
        if not roster.ROW_VERDICTS[row["verdict"]].good:
            why = f" ({row['why']})" if row["why"] else ""
            yield f"  row {row['row']}: {row['name']}, {roster.shortened(row['text'])}: {row['verdict']}{why}"


def answer_roster(words: Sequence[str]) -> int:
    parser = Parser(
        "verify roster",
        "Check many certificates at once, each with the name of who gave it.",
        _ROSTER_EXAMPLES,
    )
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="CSV: number,name")
    add("--static", type=Path, metavar="DIR", required=True, help="a registry's static files")
    add("--at", metavar="TIME", help="check as of this time (2026-11-22T12:00:00Z); the default is now")
    add("--json", action="store_true", help="one JSON object on standard output")
    add("--lang", choices=LANGUAGES, default="en", help="language of the sentences")
    asked = parser.parse_args(words)
    at = time_of(asked.at)
    try:
        ring = keys.read_keys_json(content_of(asked.static / "keys.json"))
        rows = roster.read(content_of(asked.file, roster.LONGEST_FILE + 1))
    except Unverified as refused:
        raise Misused(refused.why) from None
    except roster.NotARoster as refused:
        raise Misused(str(refused)) from None
    certificates = roster.Certificates(ring, Statuses(status.folder(asked.static)), at)
    answers = [
        roster.alone(row) or (certificates.check(row) if row.is_certificate else roster.answer(row, "not_looked_up"))
        for row in rows
    ]
    counts = roster.counts(answers)
    exit_code = worst([roster.ROW_VERDICTS[answer["verdict"]].exit for answer in answers])
    report = {"source": asked.file.name, "exit": exit_code, "checked_at": iso(int(at.timestamp())), "counts": counts}
    if asked.json:
        say(json.dumps(report | {"rows": answers}, ensure_ascii=False, indent=2))
    else:
        told = [f"{asked.file.name}: {counts['rows']} rows", *_told_of_rows(answers, counts, asked.lang)]
        say(printable(told))
    return exit_code
