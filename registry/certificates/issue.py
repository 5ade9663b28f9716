"""What a holder is given: the files of one certificate, made from events and keys alone."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from domain.association import Association, Row
from domain.category import ADD_ONS, CATEGORIES
from domain.endorsement import Endorsement
from domain.errors import NotFound, Refused
from domain.person import Person
from registry.certificates import badge, qr
from registry.certificates.achievements import ACHIEVEMENTS
from registry.certificates.badge import Badge
from registry.certificates.drawn import Drawn
from registry.certificates.kept import Kept
from registry.certificates.keys import KeyFolder
from registry.certificates.paper import Attachment, Paper, Printer
from registry.certificates.qr import Unprintable
from registry.certificates.slots import slot
from registry.log.entry import preimage
from registry.log.published import NotYetPublished, Published
from registry.log.tiles import Disk
from registry.store import Store
from registry.vault import Erased
from verifier.badge import unseal

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

_DRAWN: Final = "drawn"
_FEW: Final = 30
_AHEAD: Final = 64


class _Certificate(NamedTuple):
    """Where it was issued and the event, the endorsement as it was then; the event of its present badge and where."""

    position: int
    issued: Issued
    endorsement: Endorsement
    badge_position: int
    badge: Issued


class _Name(NamedTuple):
    """As printed; `secret`: the blind of its commitment, which ends with the person's keys."""

    text: str
    secret: bytes


class _Begun(NamedTuple):
    """What is known of a certificate before the slow parts."""

    found: _Certificate
    name: _Name
    text: str
    unsigned: dict[str, Any]

    @property
    def facts(self) -> bytes:
        return msgspec.json.encode([self.text, self.unsigned])


class _Keys(NamedTuple):
    """Kids; without a `jwt` the oldest of these keys signs."""

    kid: str
    jwt: str = ""


class Forgotten(Refused):
    """The holder's name was erased, and with it every certificate that printed it."""

    code = "erased"

    def __init__(self) -> None:
        super().__init__("The holder's data was erased. This certificate can't be made again.")


_Draw = Callable[[dict[str, Any], str], Callable[[], Drawn]]


def _draw(unsigned: dict[str, Any], text: str) -> Drawn:
    from registry.certificates import slow  # noqa: PLC0415 # its libraries take long to load, and few draw

    return slow.draw(unsigned, text)


@contextmanager
def _drawers(many: int) -> Iterator[_Draw]:
    """Draws in this process for a few, in one for each core for many: to start those takes a second."""
    cores = os.cpu_count() or 1
    if many < _FEW or cores == 1:
        yield lambda unsigned, text: partial(_draw, unsigned, text)
        return
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        yield lambda unsigned, text: pool.submit(_draw, unsigned, text).result


class Issuer:
    """Makes certificates again and again, with the same bytes as long as the log's checkpoint is the same."""

    def __init__(
        self,
        store: Store,
        keys: KeyFolder,
        published: Published,
        *,
        host: str,
        qr_host: str,
        printer: Printer,
        kept: Kept | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._published = published
        self._host = host
        self._qr_host = qr_host
        self._printer = printer
        self._kept = kept or Kept()

    @property
    def files(self) -> tuple[str, ...]:
        """What `render` makes: no JWT in a registry that has no key for it."""
        return tuple(name for name in FILES if name != JWT or self._keys.oldest("jwt"))

    def text(self, number: str, cti: str = "") -> str:
        """What the code says: of this certificate of the endorsement, or of its newest."""
        position, issued, *_ = self._issued(number, cti)
        return self._text(position, issued, self._printed_name(issued).text)

    def render(self, number: str, cti: str = "") -> dict[str, bytes]:
        """Every file by its name. Raises NotFound, Forgotten, NotYetPublished, Unprintable."""
        begun = self._begin(number, cti)
        return self._finish(begun, self._known(begun) or self._remember(begun, _draw(begun.unsigned, begun.text)))

    def render_all(self, numbers: Sequence[str]) -> Iterator[tuple[str, dict[str, bytes] | Exception]]:
        """The same of the newest certificate of each, in this order, or what it raises; all cores draw."""
        with _drawers(len(numbers)) as draw:
            waiting: deque[tuple[str, _Begun | Exception, Callable[[], Drawn]]] = deque()
            for number in numbers:
                waiting.append((number, *self._ask(number, draw)))
                if len(waiting) > _AHEAD:
                    yield self._answer(*waiting.popleft())
            while waiting:
                yield self._answer(*waiting.popleft())

    def _ask(self, number: str, draw: "_Draw") -> "tuple[_Begun | Exception, Callable[[], Drawn]]":
        try:
            begun = self._begin(number, "")
        except (Refused, Unprintable, NotYetPublished) as refused:
            return refused, lambda: Drawn(b"", b"", b"")
        known = self._known(begun)
        if known:
            return begun, lambda: known
        drawn = draw(begun.unsigned, begun.text)
        return begun, lambda: self._remember(begun, drawn())

    def _answer(
        self, number: str, begun: "_Begun | Exception", drawn: Callable[[], Drawn]
    ) -> tuple[str, dict[str, bytes] | Exception]:
        if isinstance(begun, Exception):
            return number, begun
        try:
            return number, self._finish(begun, drawn())
        except (Refused, Unprintable, NotYetPublished) as refused:
            return number, refused

    def _begin(self, number: str, cti: str) -> "_Begun":
        found = self._issued(number, cti)
        name = self._printed_name(found.issued)
        text = self._text(found.position, found.issued, name.text)
        return _Begun(found, name, text, self._unsigned(found, name.text))

    def _finish(self, begun: "_Begun", drawn: Drawn) -> dict[str, bytes]:
        position, issued, endorsement, *_ = begun.found
        text, proof = begun.text, self._proof(position)
        signer = self._keys.by_kid(self._signed_by(issued).kid)
        credential = badge.sign(begun.unsigned, signer, lambda _: drawn.rdf)
        if unseal(credential).badge.id.hex() != (begun.found.badge.badge or issued.cti):
            raise AssertionError("a badge reads back as another one")
        attachments = [
            Attachment(CREDENTIAL, credential.decode(), "application/ld+json", "The badge, signed by the registry"),
            Attachment(TEXT, text, "text/plain", "The text of the QR code, signed by the registry"),
            Attachment(PROOF, proof, "text/plain", "The proof that this certificate is in the registry's log"),
        ]
        paper = self._paper(position, issued, endorsement, begun.name.text)
        facts = msgspec.json.encode([paper, drawn.svg.decode(), attachments])
        page = self._kept.find(begun.name.secret, issued.cti, PDF, facts)
        if page is None:
            page = self._printer.print(paper, drawn.svg, attachments)
            self._kept.put(begun.name.secret, issued.cti, PDF, facts, page)
        return {
            TEXT: text.encode(),
            PROOF: proof.encode(),
            CREDENTIAL: credential,
            **self._jwt(issued, begun.unsigned),
            "qr.svg": drawn.svg,
            "qr.png": drawn.png,
            "badge.svg": badge.bake_svg(drawn.svg, credential),
            "badge.png": badge.bake_png(drawn.png, credential),
            PDF: page,
        }

    def _known(self, begun: "_Begun") -> Drawn | None:
        found = self._kept.find(begun.name.secret, begun.found.issued.cti, _DRAWN, begun.facts)
        return msgspec.msgpack.decode(found, type=Drawn) if found else None

    def _remember(self, begun: "_Begun", drawn: Drawn) -> Drawn:
        made = msgspec.msgpack.encode(drawn)
        self._kept.put(begun.name.secret, begun.found.issued.cti, _DRAWN, begun.facts, made)
        return drawn

    def unsigned(self, number: str, cti: str = "") -> dict[str, Any]:
        """The badge without its proofs."""
        found = self._issued(number, cti)
        return self._unsigned(found, self._printed_name(found.issued).text)

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

    def _printed_name(self, issued: Issued) -> "_Name":
        for _, event in self._store.events(issued.person):
            if event.originator_version == issued.person_version:
                if not isinstance(event, Person.Registered | Person.Renamed):
                    raise Forgotten
                try:
                    opening = self._store.vault.opening(event, "name")
                except Erased:
                    raise Forgotten from None
                return _Name(qr.printed(opening.value), opening.blind.encode())
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
