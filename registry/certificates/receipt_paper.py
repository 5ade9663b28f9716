"""A roster check's receipt as pages, with the signed receipt attached."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from registry.certificates.qr import Unprintable
from registry.certificates.sheet import Sheets
from verifier.receipt import FILE, MEDIA
from verifier.roster import ROW_VERDICTS, shortened

TEMPLATE: Final = "receipt"

_PLAIN_LETTERS: Final = 0x590
"""Latin, Greek and Cyrillic come before: the template's own font has them."""

_SAYS: Final = (
    (
        "It says how things stood at that moment. It does not say how they stand today, nor who showed a certificate: "
        "compare the name with a photo ID."
    ),
    (
        "This paper proves nothing by itself. The signed receipt is attached to it as receipt.json; anybody checks it, "
        "also without a network, with: verify receipt FILE --static DIR"
    ),
)


def print_receipt(sheets: Sheets, content: bytes, receipt: Mapping[str, Any]) -> bytes:
    """The pages of a receipt that was read back; `sheets` of `TEMPLATE`. The same receipt gives the same bytes.

    A name that no font here has is left to the attached receipt.
    """
    at = datetime.fromisoformat(receipt["checked_at"])
    try:
        return sheets.print(_words(content, receipt, str), at)
    except Unprintable:
        return sheets.print(_words(content, receipt, _plain), at)


def _plain(text: str) -> str:
    return text if all(ord(letter) < _PLAIN_LETTERS or letter in "’‘“”–…" for letter in text) else "(see receipt.json)"


def _words(content: bytes, receipt: Mapping[str, Any], shown: Any) -> dict[str, Any]:
    rows = receipt["rows"]
    good = [_line(row, shown) for row in rows if ROW_VERDICTS[row["verdict"]].good]
    problems = [_line(row, shown) for row in rows if not ROW_VERDICTS[row["verdict"]].good]
    found = [(count, name) for name, count in receipt["counts"].items() if name != "rows"]
    time = f"{datetime.fromisoformat(receipt['checked_at']):%Y-%m-%d %H:%M:%S} UTC"
    return {
        "document": f"Receipt of a roster check, {time}",
        "size": "us-letter",
        "specimen": "SPECIMEN: made with test keys. Nobody holds these endorsements." if receipt["specimen"] else "",
        "title": "Receipt of a roster check",
        "summary": f"{len(rows):,} rows checked by {receipt['issuer'].removeprefix('did:web:')} at {time}: "
        f"{len(good):,} in order, {len(problems):,} to look at.",
        "says": [*_SAYS, receipt["compared"]],
        "counts": [[f"{count:,}", f"{_head(name)}: {ROW_VERDICTS[name].en.sentence}"] for count, name in found],
        "problems": problems,
        "good": good,
        "checkpoint": receipt["checkpoint"],
        "lists": [
            f"Numbers were looked up in the history up to position {receipt['position']}.",
            *(f"{one['uri']}, as of {one['as_of']}, SHA-256 {one['sha256']}" for one in receipt["lists"]),
        ],
        "footer": f"Roster check of {time}. Not an endorsement, and no statement about today.",
        "file": {
            "name": FILE,
            "text": content.decode(),
            "type": MEDIA,
            "description": "The signed receipt: what was checked, what was found, when and against what",
        },
    }


def _line(row: Mapping[str, Any], shown: Any) -> list[str]:
    about = ", ".join(filter(None, (row["number"], row["category"], row["association"])))
    through = f"through {row['through']}" if row["through"] else ""
    more = "; ".join(filter(None, (row["why"], about, through, row["same_as"] and f"as row {row['same_as']}")))
    return [str(row["row"]), shown(shortened(row["text"])), shown(row["name"]), _head(row["verdict"]), shown(more)]


def _head(verdict: str) -> str:
    return ROW_VERDICTS[verdict].en.head
