"""The certificate as a page: PDF/A-3b and PDF/UA-1 in one file, the code's text and the proof attached."""

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal, cast

import msgspec
import typst

from domain.association import DateCustom
from registry.certificates.qr import Unprintable

_TEMPLATE: Final = Path(__file__).with_name("certificate.typ")
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
    """Keeps its compilers: a page takes milliseconds. `fonts`: a folder with more fonts, for names of any script.

    The fonts that come with typst cover Latin, Greek, Cyrillic, Hebrew and the common letters of Arabic. A name
    with other letters is set in a font of that folder, else of the system; with none, printing is refused.
    """

    def __init__(self, fonts: Path | None = None) -> None:
        self._fonts = [fonts] if fonts and fonts.is_dir() else []
        more = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=self._fonts)
        self._families = more.families()
        self._lock = Lock()  # a compiler holds the inputs of one page
        self._compilers: dict[bool, typst.Compiler] = {}

    def print(self, paper: Paper, code: bytes, attachments: Sequence[Attachment] = ()) -> bytes:
        """The page; `code` is the SVG of the QR code. The same inputs give the same bytes."""
        words = msgspec.json.encode({"fonts": self._families, **_words(paper, code, attachments)}).decode()
        with self._lock:
            for system_fonts in (False, True):
                try:
                    return self._compile(words, int(paper.issued_at.timestamp()), system_fonts=system_fonts)
                except typst.TypstError as error:
                    if "could not be displayed" not in error.message:
                        raise
        # The compiler's message quotes the name; ours must not.
        raise Unprintable("no font here has all letters of the name: put one that has into the folder of fonts")

    def _compile(self, words: str, timestamp: int, *, system_fonts: bool) -> bytes:
        compiler = self._compilers.get(system_fonts)
        if compiler is None:
            compiler = self._compilers[system_fonts] = typst.Compiler(
                _TEMPLATE, root=_TEMPLATE.parent, font_paths=self._fonts, ignore_system_fonts=not system_fonts
            )
        page = compiler.compile(
            format="pdf",
            sys_inputs={"certificate": words},
            pdf_standards=["a-3b", "ua-1"],
            timestamp=timestamp,
        )
        return cast("bytes", page)  # one file: only pictures come as a list


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
