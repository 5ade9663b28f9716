"""Letters of registration: that an application is open, signed, with a code of their own kind; never an endorsement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from domain.application import LETTER_DAYS, Application
from domain.errors import NotFound
from registry.certificates import qr
from registry.certificates.keys import KeyFolder
from registry.certificates.paper import Attachment, day
from registry.certificates.printed import association_of, name_of, title_of
from registry.certificates.sheet import Sheets
from registry.store import Store

TEMPLATE: Final = "letter"
PDF: Final = "letter.pdf"
TEXT: Final = "qr.txt"
FILES: Final = (PDF, TEXT, "qr.png", "qr.svg")

Issued = Application.LetterIssued


class Letters:
    """Makes letters again and again from events and keys, with the same bytes."""

    def __init__(self, store: Store, keys: KeyFolder, sheets: Sheets, *, host: str, qr_host: str) -> None:
        """`sheets` of `TEMPLATE`."""
        self._store = store
        self._keys = keys
        self._sheets = sheets
        self._host = host
        self._qr_host = qr_host

    def render(self, application: str, cti: str) -> dict[str, bytes]:
        """Every file by its name. Raises NotFound, Forgotten, KeysUnusable, Unprintable."""
        position, issued = self._issued(application, cti)
        name = name_of(self._store, issued.person, issued.person_version).text
        signer = self._keys.by_kid(issued.kid)
        text = qr.text(
            issued, position, name, signer, host=self._host, qr_host=self._qr_host, slot_key=self._keys.slot_key
        )
        code = qr.symbol(text)
        svg = qr.svg(code)
        words = self._words(position, issued, name, svg, [
            Attachment(TEXT, text, "text/plain", "The text of the QR code, signed by the registry"),
        ])  # fmt: skip
        return {
            PDF: self._sheets.print(words, issued.valid_from),
            TEXT: text.encode(),
            "qr.png": qr.png(code),
            "qr.svg": qr.with_text(svg, text, "QR code of a letter. Código QR de una carta."),
        }

    def _issued(self, application: str, cti: str) -> tuple[int, Issued]:
        """Where it was issued, and the event, with the key that signs the letter now."""
        found: tuple[int, Issued] | None = None
        for position, event in self._store.events(f"{Application.kind}/{application}"):
            if isinstance(event, Issued) and event.cti == cti:
                found = position, event
            elif found and isinstance(event, Application.LetterSigned) and event.cti == cti:
                found = found[0], msgspec.structs.replace(found[1], kid=event.kid)
        if found is None:
            raise NotFound("letter")
        return found

    def _words(
        self, position: int, issued: Issued, name: str, code: bytes, files: Sequence[Attachment]
    ) -> dict[str, Any]:
        row = association_of(self._store, issued.association, position).row_on(issued.on)
        title, beside = title_of(issued.category, row)
        specimen = self._keys.by_kid(issued.kid).specimen
        through = day(issued.through, row.dates)
        return {
            "document": "Letter of registration",
            "size": row.paper,
            "specimen": "SPECIMEN: made with test keys. Nobody has applied for anything." if specimen else "",
            "association": row.name,
            "on": day(issued.on, row.dates),
            "name": name,
            "title": title,
            "add-on": f"with {beside}" if beside else "",
            "code": issued.category,
            "says": [
                (
                    "The registration was accepted and the application was open on the day of this letter. "
                    "Nothing has been decided: it may be approved, deferred, declined or withdrawn."
                ),
                (
                    f"The letter ends on {through}, {LETTER_DAYS} days after its day, and before that as soon as the "
                    "application does. Scan the code, or type the address yourself, to see whether it is still good; "
                    "the answer is never that somebody is endorsed."
                ),
            ],
            "address": f"{self._qr_host}/v1",
            "qr": code.decode(),
            "qr-words": f"QR code with the signed text of this letter; it opens {self._qr_host}/v1",
            "files": msgspec.to_builtins(files),
        }
