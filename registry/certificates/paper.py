"""The certificate as a page: PDF/A-3b and PDF/UA-1 in one file, the code's text and the proof attached."""

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from domain.association import DateCustom
from registry.certificates.sheet import Sheets

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_CREDENTIALS: Final = {
    "IMH-E": "Infant Mental Health Endorsement (IMH-E®)",
    "ECMH-E": "Early Childhood Mental Health Endorsement (ECMH-E®)",
}


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a page says; `reported_by` is empty where the award was decided in this registry."""

    number: str
    name: str
    credential: Literal["IMH-E", "ECMH-E"]
    category: str
    title: str
    add_on: str = ""
    association: str
    awarded_on: date
    reported_by: str = ""
    through: date
    issued_at: datetime
    address: str
    dates: DateCustom = "month_first"
    size: Literal["us-letter", "a4"] = "us-letter"
    specimen: bool = False


class Attachment(msgspec.Struct, frozen=True):
    name: str
    text: str
    type: str
    description: str


def day(on: date, custom: DateCustom) -> str:
    month = _MONTHS[on.month - 1]
    return f"{month} {on.day}, {on.year}" if custom == "month_first" else f"{on.day} {month} {on.year}"


class Printer:
    """Prints certificates; `fonts` as `Sheets` takes them."""

    def __init__(self, fonts: Path | None = None) -> None:
        self._fonts = fonts
        self._sheets = Sheets("certificate", fonts)

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process it has compilers of its own, kept there."""
        return _printer, (self._fonts,)

    def print(self, paper: Paper, code: bytes, attachments: Sequence[Attachment] = ()) -> bytes:
        """The page; `code` is the SVG of the QR code. The same inputs give the same bytes. Raises Unprintable."""
        return self._sheets.print(_words(paper, code, attachments), paper.issued_at)


@cache
def _printer(fonts: Path | None) -> Printer:
    return Printer(fonts)


def _words(paper: Paper, code: bytes, attachments: Sequence[Attachment]) -> dict[str, Any]:
    return {
        # Readers show this as the title of the window; the name is on the page and nowhere else.
        "document": f"Endorsement {paper.number}",
        "size": paper.size,
        "region": "us" if paper.size == "us-letter" else "ie",
        "specimen": paper.specimen,
        "specimen-words": "SPECIMEN: made with test keys. Nobody holds this endorsement.",
        "association": paper.association,
        "endorsement": _CREDENTIALS[paper.credential],
        "name": paper.name,
        "rtl": _right_to_left(paper.name),
        "title": paper.title,
        "add-on": f"with {paper.add_on}" if paper.add_on else "",
        "code": paper.category,
        "number": paper.number,
        "awarded": day(paper.awarded_on, paper.dates),
        "reported": f"as reported by {paper.reported_by}" if paper.reported_by else "",
        "until": day(paper.through, paper.dates),
        "address": paper.address,
        "qr": code.decode(),
        "qr-words": f"QR code with the signed text of endorsement {paper.number}; it opens {paper.address}",
        "files": msgspec.to_builtins(attachments),
    }


def _right_to_left(text: str) -> bool:
    """By its first letter with a direction (Unicode Bidirectional Algorithm, P2)."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((found for found in directions if found in {"L", "R", "AL"}), "L") != "L"
