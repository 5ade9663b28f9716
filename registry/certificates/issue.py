"""What a holder is given: the files of one certificate, made from events and keys alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from domain.association import Association, Row
from domain.category import ADD_ONS, CATEGORIES
from domain.endorsement import Endorsement
from domain.errors import NotFound, Refused
from domain.person import Person
from registry.certificates import qr
from registry.certificates.keys import KeyFolder
from registry.certificates.paper import Attachment, Paper, Printer
from registry.log.entry import preimage
from registry.log.published import Published
from registry.log.tiles import Disk
from registry.store import Store

Issued = Endorsement.CertificateIssued

PDF: Final = "certificate.pdf"
PROOF: Final = "proof.tlog-proof"
TEXT: Final = "qr.txt"


class Forgotten(Refused):
    """The holder's name was erased, and with it every certificate that printed it."""

    code = "erased"

    def __init__(self) -> None:
        super().__init__("The holder's data was erased. This certificate can't be made again.")


class Issuer:
    """Makes certificates again and again, with the same bytes as long as the log's checkpoint is the same."""

    def __init__(
        self, store: Store, keys: KeyFolder, published: Published, *, host: str, qr_host: str, printer: Printer
    ) -> None:
        self._store = store
        self._keys = keys
        self._published = published
        self._host = host
        self._qr_host = qr_host
        self._printer = printer

    def text(self, number: str, cti: str = "") -> str:
        """What the code says: of this certificate of the endorsement, or of its newest."""
        position, issued, _ = self._issued(number, cti)
        return self._text(position, issued, self._printed_name(issued))

    def render(self, number: str, cti: str = "") -> dict[str, bytes]:
        """Every file by its name. Raises NotFound, Forgotten, NotYetPublished, Unprintable."""
        position, issued, endorsement = self._issued(number, cti)
        name = self._printed_name(issued)
        text = self._text(position, issued, name)
        proof = self._proof(position)
        code = qr.symbol(text)
        attachments = [
            Attachment(TEXT, text, "text/plain", "The text of the QR code, signed by the registry"),
            Attachment(PROOF, proof, "text/plain", "The proof that this certificate is in the registry's log"),
        ]
        svg = qr.svg(code)
        paper = self._paper(position, issued, endorsement, name)
        return {
            TEXT: text.encode(),
            PROOF: proof.encode(),
            "qr.svg": svg,
            "qr.png": qr.png(code),
            PDF: self._printer.print(paper, svg, attachments),
        }

    def _issued(self, number: str, cti: str) -> tuple[int, Issued, Endorsement]:
        """Where it was issued, the event, and the endorsement as it was then."""
        endorsement = Endorsement(number)
        events = self._store.events(endorsement.stream)
        # The first of its cti: one issued again under it is a new badge for the same paper.
        first: dict[str, tuple[int, Issued]] = {}
        for position, event in events:
            if isinstance(event, Issued):
                first.setdefault(event.cti, (position, event))
        if not first or (cti and cti not in first):
            raise NotFound("certificate")
        at, issued = first[cti or next(reversed(first))]
        for position, event in events:
            if position <= at:
                endorsement.remember(event)
        return at, issued, endorsement

    def _printed_name(self, issued: Issued) -> str:
        for _, event in self._store.events(issued.person):
            if event.originator_version == issued.person_version:
                opened = self._store.opened(event)
                if isinstance(opened, Person.Registered | Person.Renamed) and isinstance(opened.name, str):
                    return qr.printed(opened.name)
                raise Forgotten
        raise NotFound("name")

    def _text(self, position: int, issued: Issued, name: str) -> str:
        return qr.text(
            issued,
            position,
            name,
            self._keys.by_kid(self._kid(issued)),
            host=self._host,
            qr_host=self._qr_host,
            slot_key=self._keys.slot_key,
        )

    def _kid(self, issued: Issued) -> str:
        """The key that the newest `certificate.signed` names: after a compromise another one is appended."""
        for _, event in reversed(self._store.events(issued.originator_id)):
            if isinstance(event, Endorsement.CertificateSigned) and event.cti == issued.cti:
                return event.kid
        return self._keys.signer("certificate", issued.valid_from).kid

    def _proof(self, position: int) -> str:
        (stored,) = self._store.recorder.select_notifications(position, 1)
        event = preimage(position, str(stored.originator_id), stored.originator_version, stored.topic, stored.state)
        return self._published.prove(position - 1, event)

    def _paper(self, position: int, issued: Issued, endorsement: Endorsement, name: str) -> Paper:
        row = self._association(issued, issued.association, position)
        code, _, add_on = issued.category.partition("+")
        category = CATEGORIES[code]
        return Paper(
            number=issued.number,
            name=name,
            credential=category.credential,
            category=issued.category,
            title=row.titles.get(code, category.title),
            add_on=next((title for known, title in ADD_ONS.items() if known == add_on), add_on),
            association=row.name,
            awarded_on=endorsement.awarded_on,
            reported_by=self._reporter(issued, position),
            through=issued.through,
            issued_at=issued.valid_from,
            address=f"{self._qr_host}/v1",
            dates=row.dates,
            size=row.paper,
            specimen=self._keys.by_kid(self._kid(issued)).specimen,
        )

    def _association(self, issued: Issued, code: str, position: int) -> Row:
        """As it was when the certificate was issued: its name on that paper does not change."""
        events = self._store.events(f"association/{code}")
        association = Association.fold(event for at, event in events if at < position)
        if association is None:
            raise NotFound("association")
        return association.row_on(issued.on)

    def _reporter(self, issued: Issued, position: int) -> str:
        """The association whose word the day of the award is; empty for an award decided here."""
        for _, event in self._store.events(issued.originator_id):
            if isinstance(event, Endorsement.Imported):
                return self._association(issued, event.association, position).name
        return ""


def write_certificate(directory: Path, files: Mapping[str, bytes], disk: Disk | None = None) -> None:
    """Put the files of a certificate into a folder for its owner's eyes; the page last, so that it is there when
    all is. Each appears whole; called again after a crash, it goes on.
    """
    disk = disk or Disk()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in sorted(files, key=lambda name: (name == PDF, name)):
        path = directory / name
        if path.is_file() and path.read_bytes() == files[name]:
            continue
        aside = directory / f".{name}.new"
        disk.write(aside, files[name])
        disk.rename(aside, path)
    disk.sync(directory)
