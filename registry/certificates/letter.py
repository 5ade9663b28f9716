"""Letters of registration: that an application is open, signed, with a code of their own kind; never an endorsement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from domain.application import LETTER_DAYS, Application
from domain.association import Association, Row
from domain.category import ADD_ONS, CATEGORIES
from domain.errors import NotFound
from domain.person import Person
from registry.certificates import qr
from registry.certificates.issue import Forgotten
from registry.certificates.keys import KeyFolder
from registry.certificates.paper import Attachment, day
from registry.certificates.sheet import Sheets
from registry.certificates.slots import slot
from registry.store import Store
from verifier.certificate import LETTER_TYP, Certificate

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
        name = self._printed_name(issued)
        text = self._text(position, issued, application, name)
        code = qr.symbol(text)
        svg = qr.svg(code)
        words = self._words(position, issued, name, svg, [
            Attachment(TEXT, text, "text/plain", "The text of the QR code, signed by the registry"),
        ])  # fmt: skip
        return {
            PDF: self._sheets.print(words, issued.valid_from),
            TEXT: text.encode(),
            "qr.png": qr.png(code),
            "qr.svg": svg,
        }

    def _issued(self, application: str, cti: str) -> tuple[int, Issued]:
        for position, event in self._store.events(f"{Application.kind}/{application}"):
            if isinstance(event, Issued) and event.cti == cti:
                return position, event
        raise NotFound("letter")

    def _printed_name(self, issued: Issued) -> str:
        for _, event in self._store.events(issued.person):
            if event.originator_version == issued.person_version:
                opened = self._store.opened(event)
                if isinstance(opened, Person.Registered | Person.Renamed) and isinstance(opened.name, str):
                    return qr.printed(opened.name)
        raise Forgotten

    def _text(self, position: int, issued: Issued, application: str, name: str) -> str:
        at = slot(position - 1, self._keys.slot_key)
        stated = Certificate(
            issuer=f"did:web:{self._host}",
            number=application,
            name=name,
            category=issued.category,
            association=issued.association,
            valid_from=int(issued.valid_from.timestamp()),
            expires_at=int(issued.expires_at.timestamp()),
            cti=bytes.fromhex(issued.cti),
            status_uri=f"https://{self._host}/s/{at.list}",
            status_index=at.place,
            log_index=position - 1,
        )
        return qr.sealed(stated, self._keys.by_kid(issued.kid), self._qr_host, LETTER_TYP)

    def _words(
        self, position: int, issued: Issued, name: str, code: bytes, files: Sequence[Attachment]
    ) -> dict[str, Any]:
        row = self._association(issued, position)
        category, _, add_on = issued.category.partition("+")
        title = row.titles.get(category, CATEGORIES[category].title)
        beside = next((words for known, words in ADD_ONS.items() if known == add_on), add_on)
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

    def _association(self, issued: Issued, position: int) -> Row:
        """As it was when the letter was made."""
        events = self._store.events(f"{Association.kind}/{issued.association}")
        found = Association.fold(event for at, event in events if at < position)
        if found is None:
            raise NotFound("association")
        return found.row_on(issued.on)
