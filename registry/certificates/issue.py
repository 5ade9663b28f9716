"""What a holder is given: the files of one certificate, made from events and keys alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.association import Association, Row
from domain.category import ADD_ONS, CATEGORIES
from domain.endorsement import Endorsement
from domain.errors import NotFound, Refused
from domain.person import Person
from registry.certificates import badge, qr
from registry.certificates.achievements import ACHIEVEMENTS
from registry.certificates.badge import Badge
from registry.certificates.keys import KeyFolder
from registry.certificates.paper import Attachment, Paper, Printer
from registry.certificates.slots import slot
from registry.log.entry import preimage
from registry.log.published import Published
from registry.log.tiles import Disk
from registry.store import Store

Issued = Endorsement.CertificateIssued

PDF: Final = "certificate.pdf"
PROOF: Final = "proof.tlog-proof"
TEXT: Final = "qr.txt"
CREDENTIAL: Final = "credential.json"
JWT: Final = "credential.jwt"
"""Only where there is a key for it."""
FILES: Final = {
    PDF: "to print or to send: the certificate, with its proofs inside",
    "badge.png": "a picture for badge backpacks and for pages on the web: the code, with the badge inside",
    "badge.svg": "the same picture for any size",
    CREDENTIAL: "the badge itself (Open Badges 3.0), for wallets and for software that checks it",
    JWT: "the badge as one signed line, for software that reads JWTs",
    "qr.png": "the code alone, to paste into a letter or a signature",
    "qr.svg": "the code alone, for any size",
    TEXT: "what the code says, to check it without a camera",
    PROOF: "that the certificate is in the registry's public log, for auditors",
}
"""What a holder may download, and what each is for."""


class _Certificate(NamedTuple):
    """Where it was issued and the event, the endorsement as it was then; the event of its present badge and where."""

    position: int
    issued: Issued
    endorsement: Endorsement
    badge_position: int
    badge: Issued


class _Keys(NamedTuple):
    """Kids; without a `jwt` the oldest of these keys signs."""

    kid: str
    jwt: str = ""


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

    @property
    def files(self) -> tuple[str, ...]:
        """What `render` makes: no JWT in a registry that has no key for it."""
        return tuple(name for name in FILES if name != JWT or self._keys.oldest("jwt"))

    def text(self, number: str, cti: str = "") -> str:
        """What the code says: of this certificate of the endorsement, or of its newest."""
        position, issued, *_ = self._issued(number, cti)
        return self._text(position, issued, self._printed_name(issued))

    def render(self, number: str, cti: str = "") -> dict[str, bytes]:
        """Every file by its name. Raises NotFound, Forgotten, NotYetPublished, Unprintable."""
        found = self._issued(number, cti)
        position, issued, endorsement, *_ = found
        name = self._printed_name(issued)
        text = self._text(position, issued, name)
        proof = self._proof(position)
        unsigned = self._unsigned(found, name)
        credential = self._signed(issued, unsigned)
        code = qr.symbol(text)
        attachments = [
            Attachment(CREDENTIAL, credential.decode(), "application/ld+json", "The badge, signed by the registry"),
            Attachment(TEXT, text, "text/plain", "The text of the QR code, signed by the registry"),
            Attachment(PROOF, proof, "text/plain", "The proof that this certificate is in the registry's log"),
        ]
        svg, png = qr.svg(code), qr.png(code)
        paper = self._paper(position, issued, endorsement, name)
        return {
            TEXT: text.encode(),
            PROOF: proof.encode(),
            CREDENTIAL: credential,
            **self._jwt(issued, unsigned),
            "qr.svg": svg,
            "qr.png": png,
            "badge.svg": badge.bake_svg(svg, credential),
            "badge.png": badge.bake_png(png, credential),
            PDF: self._printer.print(paper, svg, attachments),
        }

    def unsigned(self, number: str, cti: str = "") -> dict[str, Any]:
        """The badge without its proofs."""
        found = self._issued(number, cti)
        return self._unsigned(found, self._printed_name(found.issued))

    def _unsigned(self, found: _Certificate, name: str) -> dict[str, Any]:
        issued, at = found.badge, slot(found.badge_position - 1, self._keys.slot_key)
        row = self._association(issued, issued.association, found.position)
        code, _, add_on = issued.category.partition("+")
        extra = next((f" with {title}" for known, title in ADD_ONS.items() if known == add_on), "")
        achievement = ACHIEVEMENTS[code]
        unsigned = badge.document(
            Badge(
                badge=bytes.fromhex(issued.badge or issued.cti),
                cti=bytes.fromhex(issued.cti),
                number=issued.number,
                name=name,
                category=issued.category,
                title=row.titles.get(code, CATEGORIES[code].title) + extra,
                achievement=CATEGORIES[code].title + extra,
                description=achievement.description["en"],
                association=issued.association,
                association_name=row.name,
                valid_from=issued.valid_from,
                expires_at=issued.expires_at,
                status_list=at.list,
                status_index=at.place,
            ),
            self._host,
        )
        badge.check(unsigned)
        return unsigned

    def _signed(self, issued: Issued, unsigned: Mapping[str, Any]) -> bytes:
        from registry.certificates import rdf  # noqa: PLC0415 # its library takes long to load, and few issue badges

        return badge.sign(unsigned, self._keys.by_kid(self._signed_by(issued).kid), rdf.digest)

    def _jwt(self, issued: Issued, unsigned: Mapping[str, Any]) -> dict[str, bytes]:
        kid = self._signed_by(issued).jwt or self._keys.oldest("jwt")
        return {JWT: badge.jwt(unsigned, self._keys.by_kid(kid))} if kid else {}

    def _issued(self, number: str, cti: str) -> _Certificate:
        endorsement = Endorsement(number)
        events = self._store.events(endorsement.stream)
        # The first of its cti is the paper; one issued again under it is a new badge for the same paper.
        first: dict[str, tuple[int, Issued]] = {}
        newest: dict[str, tuple[int, Issued]] = {}
        for position, event in events:
            if isinstance(event, Issued):
                first.setdefault(event.cti, (position, event))
                newest[event.cti] = position, event
        if not first or (cti and cti not in first):
            raise NotFound("certificate")
        at, issued = first[cti or next(reversed(first))]
        for position, event in events:
            if position <= at:
                endorsement.remember(event)
        return _Certificate(at, issued, endorsement, *newest[issued.cti])

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
            self._keys.by_kid(self._signed_by(issued).kid),
            host=self._host,
            qr_host=self._qr_host,
            slot_key=self._keys.slot_key,
        )

    def _signed_by(self, issued: Issued) -> _Keys:
        """The keys that the newest `certificate.signed` names: after a compromise another one is appended."""
        for _, event in reversed(self._store.events(issued.originator_id)):
            if isinstance(event, Endorsement.CertificateSigned) and event.cti == issued.cti:
                return _Keys(event.kid, event.jwt)
        return _Keys(self._keys.signer("certificate", issued.valid_from).kid)

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
            specimen=self._keys.by_kid(self._signed_by(issued).kid).specimen,
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
