"""What a holder is given: the files of one certificate, made from events and keys alone."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from domain.association import Association
from domain.category import CATEGORIES
from domain.endorsement import Endorsement
from domain.errors import NotFound, Refused
from domain.key import Key
from registry.certificates import badge, qr
from registry.certificates.achievements import ACHIEVEMENTS
from registry.certificates.badge import Badge
from registry.certificates.drawn import Drawn
from registry.certificates.kept import Kept
from registry.certificates.keys import KeyFolder
from registry.certificates.paper import Attachment, Paper, Printer
from registry.certificates.printed import Name, association_of, name_of, title_of
from registry.certificates.qr import Unprintable
from registry.certificates.slots import slot
from registry.log.entry import preimage
from registry.log.published import Naming, NotYetPublished, Published
from registry.store import Store
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


class _Keys(NamedTuple):
    """Kids; a certificate without a `jwt` has none."""

    kid: str
    jwt: str = ""


class _Certificate(NamedTuple):
    """Where it was issued and the event, the endorsement as it was then; the event of its present badge and where.

    `reported_by`: the association whose word the day of the award is; empty for an award decided here.
    """

    position: int
    issued: Issued
    endorsement: Endorsement
    badge_position: int
    badge: Issued
    keys: _Keys
    reported_by: str


class _Begun(NamedTuple):
    """What is known of a certificate before the slow parts. `associations`: those that it names, as they were."""

    found: _Certificate
    name: Name
    associations: Mapping[str, Association]
    text: str
    unsigned: dict[str, Any]

    @property
    def facts(self) -> bytes:
        return msgspec.json.encode([self.text, self.unsigned])

    @property
    def secret(self) -> tuple[bytes, str]:
        """Under which what is made of it is kept."""
        return self.name.secret, self.found.issued.cti


_Start = Callable[..., Callable[[], Any]]
"""Has something made, here or elsewhere: takes a function and what to give it; what comes back waits for the result."""

_Making = Iterator[dict[str, bytes]]
"""One certificate: gives nothing at each point where others may go on meanwhile, and at last its files."""

_Step = tuple[str, _Making, dict[str, bytes] | Exception]


def _draw(unsigned: dict[str, Any], text: str) -> Drawn:
    from registry.certificates import slow  # noqa: PLC0415 # its libraries take long to load, and few draw

    return slow.draw(unsigned, text)


@contextmanager
def _workers(many: int) -> Iterator[_Start]:
    """This process for a few, one for each core for many: to start those takes a second."""
    cores = os.cpu_count() or 1
    if many < _FEW or cores == 1:
        yield partial
        return
    # Not forked: this process has threads and connections of its own.
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        yield lambda make, *given: pool.submit(make, *given).result


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
        found = self._issued(number, cti)
        return self._text(found, self._name(found))

    def render(self, number: str, cti: str = "") -> dict[str, bytes]:
        """Every file by its name. Raises NotFound, Forgotten, NotYetPublished, Unprintable."""
        *_, files = self._make(number, cti, partial)
        return files

    def render_all(self, numbers: Sequence[str]) -> Iterator[tuple[str, dict[str, bytes] | Exception]]:
        """The same of the newest certificate of each, in this order, or what it raises; all cores draw and print."""
        with _workers(len(numbers)) as start:
            made: Iterable[_Step] = ((number, self._make(number, "", start), {}) for number in numbers)
            for number, making, last in _ahead(_ahead(made)):
                yield number, _went_on(making, last)

    def is_written(self, number: str, path: Callable[[str], Path]) -> bool:
        """Whether every file of the newest certificate is there and current; `path` says where each would be.

        The paper by its text, the badge by what it says, the JWT by its key too; the page, which is written last, by
        its age. Raises what `render` raises.
        """
        begun = self._begin(number, "")
        stated = {TEXT: begun.text.encode(), **self._jwt(begun.found, begun.unsigned)}
        try:
            if any(path(name).read_bytes() != content for name, content in stated.items()):
                return False
            credential = msgspec.json.decode(path(CREDENTIAL).read_bytes(), type=dict[str, Any])
            made = {name: path(name).stat().st_mtime_ns for name in self.files}
        except (OSError, msgspec.DecodeError):
            return False
        proofs = credential.pop("proof", None)
        return bool(proofs) and credential == begun.unsigned and made[PDF] >= max(made[TEXT], made[CREDENTIAL])

    def _make(self, number: str, cti: str, start: _Start) -> _Making:
        begun = self._begin(number, cti)
        drawn = self._drawn(begun, start)
        yield {}
        pictures = drawn()
        proof = self._proof(begun.found.position, begun.name)
        credential = self._credential(begun, pictures)
        attachments = [
            Attachment(CREDENTIAL, credential.decode(), "application/ld+json", "The badge, signed by the registry"),
            Attachment(TEXT, begun.text, "text/plain", "The text of the QR code, signed by the registry"),
            Attachment(PROOF, proof, "text/plain", "The proof that this certificate is in the registry's log"),
        ]
        page = self._page(begun, pictures.svg, attachments, start)
        yield {}
        yield {
            TEXT: begun.text.encode(),
            PROOF: proof.encode(),
            CREDENTIAL: credential,
            **self._jwt(begun.found, begun.unsigned),
            "qr.svg": qr.with_text(pictures.svg, begun.text, "QR code of a certificate. Código QR de un certificado."),
            "qr.png": pictures.png,
            "badge.svg": badge.bake_svg(pictures.svg, credential),
            "badge.png": badge.bake_png(pictures.png, credential),
            PDF: page(),
        }

    def _begin(self, number: str, cti: str) -> "_Begun":
        found = self._issued(number, cti)
        name, associations = self._name(found), self._associations(found)
        unsigned = self._unsigned(found, name, associations)
        return _Begun(found, name, associations, self._text(found, name), unsigned)

    def _drawn(self, begun: _Begun, start: _Start) -> Callable[[], Drawn]:
        known = self._kept.find(*begun.secret, _DRAWN, begun.facts)
        if known:
            return partial(msgspec.msgpack.decode, known, type=Drawn)
        made = start(_draw, begun.unsigned, begun.text)

        def kept() -> Drawn:
            drawn: Drawn = made()
            self._kept.put(*begun.secret, _DRAWN, begun.facts, msgspec.msgpack.encode(drawn))
            return drawn

        return kept

    def _page(
        self, begun: _Begun, code: bytes, attachments: Sequence[Attachment], start: _Start
    ) -> Callable[[], bytes]:
        paper = self._paper(begun)
        facts = msgspec.json.encode([paper, code.decode(), attachments])
        known = self._kept.find(*begun.secret, PDF, facts)
        if known:
            return lambda: known
        made = start(self._printer.print, paper, code, attachments)

        def kept() -> bytes:
            page: bytes = made()
            self._kept.put(*begun.secret, PDF, facts, page)
            return page

        return kept

    def _credential(self, begun: _Begun, drawn: Drawn) -> bytes:
        found = begun.found
        credential = badge.sign(begun.unsigned, self._keys.by_kid(found.keys.kid), lambda _: drawn.rdf)
        if unseal(credential).badge.id.hex() != (found.badge.badge or found.issued.cti):
            raise AssertionError("a badge reads back as another one")
        return credential

    def unsigned(self, number: str, cti: str = "") -> dict[str, Any]:
        """The badge without its proofs."""
        found = self._issued(number, cti)
        return self._unsigned(found, self._name(found), self._associations(found))

    def _unsigned(self, found: _Certificate, name: Name, associations: Mapping[str, Association]) -> dict[str, Any]:
        issued, at = found.badge, slot(found.badge_position - 1, self._keys.slot_key)
        row = associations[issued.association].row_on(issued.on)
        category = CATEGORIES[issued.category.partition("+")[0]]
        title, add_on = title_of(issued.category, row)
        beside = f" with {add_on}" if add_on else ""
        unsigned = badge.document(
            Badge(
                badge=bytes.fromhex(issued.badge or issued.cti),
                cti=bytes.fromhex(issued.cti),
                number=issued.number,
                name=name.text,
                category=issued.category,
                title=title + beside,
                achievement=category.title + beside,
                description=ACHIEVEMENTS[category.code].description["en"],
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

    def _jwt(self, found: _Certificate, unsigned: Mapping[str, Any]) -> dict[str, bytes]:
        return {JWT: badge.jwt(unsigned, self._keys.by_kid(found.keys.jwt))} if found.keys.jwt else {}

    def _issued(self, number: str, cti: str) -> _Certificate:
        endorsement = Endorsement(number)
        events = self._store.events(endorsement.stream)
        # The first of its cti is the paper; one issued again under it is a new badge for the same paper.
        first: dict[str, tuple[int, Issued]] = {}
        newest: dict[str, tuple[int, Issued]] = {}
        signed: dict[str, _Keys] = {}
        reported_by = ""
        for position, event in events:
            match event:
                case Issued():
                    first.setdefault(event.cti, (position, event))
                    newest[event.cti] = position, event
                case Endorsement.CertificateSigned():
                    # After a compromise another one is appended.
                    signed[event.cti] = _Keys(event.kid, event.jwt)
                case Endorsement.Imported():
                    reported_by = reported_by or event.association
        if not first or (cti and cti not in first):
            raise NotFound("certificate")
        at, issued = first[cti or next(reversed(first))]
        for position, event in events:
            if position <= at:
                endorsement.remember(event)
        keys = signed.get(issued.cti) or _Keys(self._keys.signer("certificate", issued.valid_from).kid)
        if not keys.jwt:
            keys = keys._replace(jwt=self._first_for_jwts())
        return _Certificate(at, issued, endorsement, *newest[issued.cti], keys, reported_by)

    def _first_for_jwts(self) -> str:
        """The kid of the log's first key for JWTs; empty in a registry that has none of its own."""
        if not self._keys.oldest("jwt"):
            return ""
        published = (event for _, event in self._store.events_of_kind(Key) if isinstance(event, Key.Published))
        return min(((key.start, key.kid) for key in published if key.use == "jwt"), default=("", ""))[1]

    def _name(self, found: _Certificate) -> Name:
        return name_of(self._store, found.issued.person, found.issued.person_version)

    def _associations(self, found: _Certificate) -> dict[str, Association]:
        """Those that its papers name, by code."""
        codes = {found.issued.association, found.badge.association, found.reported_by} - {""}
        return {code: association_of(self._store, code, found.position) for code in codes}

    def _text(self, found: _Certificate, name: Name) -> str:
        return qr.text(
            found.issued,
            found.position,
            name.text,
            self._keys.by_kid(found.keys.kid),
            host=self._host,
            qr_host=self._qr_host,
            slot_key=self._keys.slot_key,
        )

    def proof(self, number: str, cti: str = "") -> str:
        """That the log holds its issue, and that the name on it is the one recorded."""
        found = self._issued(number, cti)
        return self._proof(found.position, self._name(found))

    def _proof(self, position: int, name: Name) -> str:
        recorded = name.recorded
        naming = recorded and Naming(
            recorded.position, self._preimage(recorded.position), recorded.blind, recorded.value
        )
        return self._published.prove(position - 1, self._preimage(position), naming)

    def _preimage(self, position: int) -> bytes:
        (stored,) = self._store.recorder.select_notifications(position, 1)
        return preimage(position, str(stored.originator_id), stored.originator_version, stored.topic, stored.state)

    def _paper(self, begun: _Begun) -> Paper:
        found, issued = begun.found, begun.found.issued
        row, by = begun.associations[issued.association].row_on(issued.on), begun.associations.get(found.reported_by)
        title, add_on = title_of(issued.category, row)
        return Paper(
            number=issued.number,
            name=begun.name.text,
            credential=CATEGORIES[issued.category.partition("+")[0]].credential,
            category=issued.category,
            title=title,
            add_on=add_on,
            association=row.name,
            awarded_on=found.endorsement.awarded_on,
            reported_by=by.row_on(issued.on).name if by else "",
            through=issued.through,
            issued_at=issued.valid_from,
            address=f"{self._qr_host}/v1",
            dates=row.dates,
            size=row.paper,
            specimen=self._keys.by_kid(found.keys.kid).specimen,
        )


def _ahead(steps: Iterable[_Step]) -> Iterator[_Step]:
    """Each one step further, and so many begun before the first is waited for."""
    waiting: deque[_Step] = deque()
    for number, making, last in steps:
        waiting.append((number, making, _went_on(making, last)))
        if len(waiting) > _AHEAD:
            yield waiting.popleft()
    yield from waiting


def _went_on(making: _Making, last: dict[str, bytes] | Exception) -> dict[str, bytes] | Exception:
    if isinstance(last, Exception):
        return last
    try:
        return next(making)
    except (Refused, Unprintable, NotYetPublished) as refused:
        return refused
