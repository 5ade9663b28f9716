"""What a file holds of a certificate: the text of its code, the badge, and the log proof, attached or by itself.

The libraries that read pictures and PDFs come with the extra `files`. They run in a process of their own with
little memory and little time, so a hostile file ends that process and nothing else.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from verifier.certificate import BLANKS, LONGEST_TEXT, PATH
from verifier.verdict import Unverified

LONGEST_FILE: Final = 32 << 20
_LONGEST_ATTACHMENT: Final = 1 << 20
_MOST_PIXELS: Final = 20_000_000
_MOST_IN_PHOTO: Final = 4 * _MOST_PIXELS  # a JPEG this large is read at half its size
_LONGEST_SIDE: Final = 16_384
_MOST_PAGES: Final = 8
_POINTS: Final = 72  # of a PDF, in one inch
_RESOLUTIONS: Final = (150, 300)
_QR: Final = "qr.txt"
_PROOF: Final = "proof.tlog-proof"
_BADGE: Final = "credential.json"
_PROOFS: Final = b"c2sp.org/tlog-proof@"
_BOM: Final = b"\xef\xbb\xbf"
_JWT: Final = re.compile(rb"ey[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

_BAKED: Final = b"openbadgecredential\0"  # Open Badges 3.0, 5.3.1: the keyword of the iTXt chunk
_UNCOMPRESSED: Final = b"\0\0"  # flag and method
_LONGEST_SVG: Final = 1 << 20
_DEEPEST: Final = 32
_SVG: Final = "http://www.w3.org/2000/svg svg"
_METADATA: Final = "http://www.w3.org/2000/svg metadata"
_BAKED_SVG: Final = "https://purl.imsglobal.org/ob/v3p0 credential"

_MOST_MEMORY: Final = 512 << 20  # of addresses, the libraries' own among them
_MOST_DATA: Final = 224 << 20
_MOST_CPU: Final = 5  # seconds; a certificate takes less than one
_DEADLINE: Final = 15.0  # seconds on the clock, for a busy machine
_BOOT: Final = "import sys; sys.path[:] = sys.argv[1:]; from verifier import files; files.answer()"
_BOOT_ATTACHMENT: Final = (
    "import sys; sys.path[:] = sys.argv[3:]; from verifier import files; "
    "files.answer_attachment(sys.argv[1], int(sys.argv[2]))"
)
_KEPT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")  # what a process needs to start, no secrets


class MissingReader(Exception):
    """A picture or PDF was given, and what reads it is not installed."""


class Found(NamedTuple):
    """The text of the code, the badge as JSON or JWT, and the proof file that came with them, or is all there is."""

    text: str | None = None
    log_proof: bytes | None = None
    badge: bytes | None = None

    @property
    def is_proof(self) -> bool:
        """A proof file by itself."""
        return self.text is None and self.badge is None


def find(content: bytes) -> Found:
    """Reads text, JSON, JWT, SVG, PNG, JPEG, PDF and log proofs, told apart by their first bytes."""
    if len(content) > LONGEST_FILE:
        raise Unverified("malformed", "a file larger than any certificate")
    if content.startswith(_DRAWN):
        return _find_apart(content)
    stripped = content.removeprefix(_BOM).strip(BLANKS.encode())
    if stripped.startswith(b"<"):
        return _in_svg(stripped)
    if stripped.startswith(b"{") or _JWT.fullmatch(stripped):
        return Found(badge=stripped)
    if stripped.startswith(_PROOFS):
        if len(content) > _LONGEST_ATTACHMENT:
            raise Unverified("malformed", "a log proof larger than any of ours")
        return Found(log_proof=content)
    return Found(plain(content))


_PDF: Final = b"%PDF-"
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_DRAWN: Final = (_PDF, *_PICTURES)


def _find_apart(content: bytes) -> Found:
    """What another process of ours finds in a picture or PDF."""
    told = _apart(_BOOT, [], content)
    proof, badge = (b64decode(told[name]) if told[name] is not None else None for name in ("proof", "badge"))
    return Found(told["text"], proof, badge)


def _apart(boot: str, asked: list[str], content: bytes) -> dict[str, Any]:
    """What another process of ours answers; `boot` is what it runs, with `asked` as its first arguments."""
    import subprocess  # noqa: PLC0415 - takes long to load, and a text needs no other process

    here = str(Path(__file__).resolve().parent.parent)
    try:
        done = subprocess.run(  # noqa: S603 - this same program, and no word of the file on its command line
            [sys.executable, "-I", "-B", "-c", boot, *asked, here, *sys.path],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            timeout=_DEADLINE,
            check=True,
        )
        told: dict[str, Any] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        raise Unverified("cannot_check", "a file that takes more time or memory than we have for one") from None
    if missing := told.get("missing"):
        raise MissingReader(missing)
    if why := told.get("why"):
        raise Unverified("malformed", why)
    return told


def attachment(content: bytes, name: str, most: int) -> bytes:
    """The one file of this name that a PDF carries, read in a process apart. Raises Unverified, MissingReader."""
    if len(content) > LONGEST_FILE:
        raise Unverified("malformed", "a file larger than any of ours")
    held = _apart(_BOOT_ATTACHMENT, [name, str(most)], content)["attached"]
    if held is None:
        raise Unverified("malformed", f"a PDF that does not carry {name}, or carries it twice")
    return b64decode(held)


def answer_attachment(name: str, most: int) -> None:
    """The other process: a PDF on standard input, the attachment as JSON on standard output."""
    _confine()
    found: dict[str, str | None]
    try:
        held = _attachments(sys.stdin.buffer.read(LONGEST_FILE), (name,), most).get(name)
        found = {"attached": b64encode(held).decode() if held is not None else None}
    except Unverified as refused:
        found = {"why": refused.why}
    except MissingReader as missing:
        found = {"missing": str(missing)}
    sys.stdout.write(json.dumps(found))


def answer() -> None:
    """The other process: a file on standard input, what it holds as JSON on standard output."""
    _confine()
    found: dict[str, str | None]
    try:
        held = look(sys.stdin.buffer.read(LONGEST_FILE))
        proof, badge = (b64encode(part).decode() if part is not None else None for part in (held.log_proof, held.badge))
        found = {"text": held.text, "proof": proof, "badge": badge}
    except Unverified as refused:
        found = {"why": refused.why}
    except MissingReader as missing:
        found = {"missing": str(missing)}
    sys.stdout.write(json.dumps(found))


def _confine() -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows, where the deadline alone holds
    except ImportError:
        return
    limits = {
        resource.RLIMIT_AS: _MOST_MEMORY,
        resource.RLIMIT_DATA: _MOST_DATA,
        resource.RLIMIT_CPU: _MOST_CPU,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        try:
            resource.setrlimit(limit, (most, most))
        except (OSError, ValueError):  # a system may have no such limit, or a lower one already
            continue


def look(content: bytes) -> Found:
    """Reads a picture or PDF in this process: only for files that are trusted."""
    if content.startswith(_PDF):
        return _in_pdf(content)
    baked = _baked(content)
    return Found(_the_one(_codes([_picture(content)]), "this picture", needed=baked is None), badge=baked)


def plain(content: bytes) -> str:
    """The text of a code, as a file or a pipe holds it."""
    text = content.removeprefix(_BOM).strip(BLANKS.encode())
    if not text.isascii() or len(text) > LONGEST_TEXT:
        raise Unverified("malformed", "a file that holds neither a certificate's address nor a picture of it")
    return text.decode()


def _baked(content: bytes) -> bytes | None:
    """The badge in the text of a PNG, which Open Badges calls baked."""
    found = []
    at = len(_PICTURES[0])
    while content.startswith(_PICTURES[0]) and at < len(content):
        size, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        start, at = at + 8, at + 12 + size
        if kind == b"iTXt" and content.startswith(_BAKED, start):
            body = content[start + len(_BAKED) : at - 4]
            parts = body[2:].split(b"\0", 2)  # a language, a translated keyword, the text
            whole = zlib.crc32(content[start - 4 : at - 4]) == int.from_bytes(content[at - 4 : at])
            if body[:2] != _UNCOMPRESSED or len(parts) != 3 or not whole:  # noqa: PLR2004 - as the line before says
                raise Unverified("malformed", "a baked badge that cannot be read")
            found.append(parts[2])
    if len(found) > 1:
        raise Unverified("malformed", "a picture with more than one badge in it")
    return found[0] if found else None


def _in_svg(content: bytes) -> Found:
    """The badge in an SVG, and the text of its code. What is drawn is not looked at: that takes a picture of points."""
    if len(content) > _LONGEST_SVG:
        raise Unverified("malformed", "a drawing larger than any of ours")
    drawing = _Drawing(content)
    texts = [text for text in drawing.texts if PATH in text]  # what other programs say of a drawing does not disturb
    if len(drawing.badges) > 1 or len(texts) > 1:
        raise Unverified("malformed", "a drawing with more than one badge or code in it: check one at a time")
    if not drawing.badges and not texts:
        raise Unverified("malformed", "a drawing that says neither a badge nor its code: give the PNG, or a photo")
    text = plain(texts[0].encode()) if texts else None
    return Found(text, badge=drawing.badges[0] if drawing.badges else None)


class _Drawing:
    """Badges and metadata of an SVG. Document types, and with them all entities, are refused: we write none."""

    def __init__(self, content: bytes) -> None:
        from xml.parsers import expat  # noqa: PLC0415 - rarely needed; no entity is ever expanded, as said above

        self.badges: list[bytes] = []
        self.texts: list[str] = []
        self._inside: list[str] | None = None
        self._said: list[str] | None = None
        self._depth = 0
        parser = expat.ParserCreate("utf-8", " ")  # whatever it says of its encoding
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, ValueError):
            raise Unverified("malformed", "a drawing that cannot be read") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if (self._depth == 0) != (name == _SVG) or self._depth > _DEEPEST or self._inside is not None:
            raise Unverified("malformed", "not a drawing, or not one of ours")
        if name == _METADATA and self._depth == 1:
            self._said = []
        self._depth += 1
        if name == _BAKED_SVG:
            self._inside = [attributes["verify"]] if "verify" in attributes else []

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == _BAKED_SVG and self._inside is not None:
            self.badges.append("".join(self._inside).strip(BLANKS).encode())
            self._inside = None
        elif self._depth == 1 and self._said is not None:
            self.texts.append("".join(self._said).strip(BLANKS))
            self._said = None

    def _text(self, text: str) -> None:
        if self._inside is not None:
            self._inside.append(text)
        elif self._said is not None and self._depth == 2:  # noqa: PLR2004 - in the metadata itself
            self._said.append(text)

    def _refuse(self, *_: Any) -> int:
        raise Unverified("malformed", "a drawing with a document type")


def _in_pdf(content: bytes) -> Found:
    attached = _attachments(content)
    badge, proof = attached.get(_BADGE), attached.get(_PROOF)
    if _QR in attached:
        return Found(plain(attached[_QR]), proof, badge)
    return Found(_the_one(_codes(_pages(content)), "this PDF", needed=badge is None), proof, badge)


def _attachments(
    content: bytes, names: Sequence[str] = (_QR, _PROOF, _BADGE), most: int = _LONGEST_ATTACHMENT
) -> dict[str, bytes]:
    """Those of these names; none where the PDF is too odd to say."""
    try:
        from pypdf import PdfReader  # noqa: PLC0415 - heavy, and rarely needed
    except ImportError:
        raise MissingReader("pypdf") from None
    import io  # noqa: PLC0415 - as pypdf
    import logging  # noqa: PLC0415 - as pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        held = PdfReader(io.BytesIO(content)).attachments
        attached = {name: held[name] for name in names if name in held}
    except Exception:  # noqa: BLE001 - a hostile PDF makes the library fail in many ways; then it is looked at
        return {}
    if any(len(versions) > 1 or len(versions[0]) > most for versions in attached.values()):
        raise Unverified("malformed", "an attachment that is twice there, or too large")
    return {name: versions[0] for name, versions in attached.items()}


def _pages(content: bytes) -> Iterator[Any]:
    """The first pages as grey pictures, each coarse and then fine."""
    try:
        import pypdfium2  # noqa: PLC0415 - heavy, and rarely needed
    except ImportError:
        raise MissingReader("pypdfium2") from None
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError:
        raise Unverified("malformed", "a PDF that cannot be opened") from None
    try:
        for number in range(min(len(document), _MOST_PAGES)):
            try:
                page = document[number]
                width, height = page.get_size()
                for resolution in _RESOLUTIONS:
                    scale = resolution / _POINTS
                    if not _within_reach(width * scale, height * scale):
                        break
                    bitmap = page.render(scale=scale, grayscale=True)
                    yield _grey(bytes(bitmap.buffer), bitmap.stride, bitmap.height)
            except pypdfium2.PdfiumError:
                continue
    finally:
        document.close()


def _picture(content: bytes) -> Any:
    try:
        from PIL import Image  # noqa: PLC0415 - heavy, and rarely needed
    except ImportError:
        raise MissingReader("pillow") from None
    import io  # noqa: PLC0415 - as pillow
    import warnings  # noqa: PLC0415 - as pillow

    try:
        with warnings.catch_warnings(action="ignore"):
            picture: Image.Image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
            if _MOST_PIXELS < picture.width * picture.height <= _MOST_IN_PHOTO:
                picture.draft("L", (picture.width // 2, picture.height // 2))
            fits = _within_reach(*picture.size)
            if fits and picture.has_transparency_data:  # what is see-through is paper
                layer = picture.convert("LA")
                picture = Image.new("L", layer.size, "white")
                picture.paste(layer.getchannel("L"), mask=layer.getchannel("A"))
            grey = picture.convert("L") if fits else None
    except Exception:  # noqa: BLE001 - a hostile picture makes the library fail in many ways
        raise Unverified("malformed", "a picture that cannot be opened") from None
    if grey is None:
        raise Unverified("malformed", "a picture with more points than we look at")
    return _grey(grey.tobytes(), grey.width, grey.height)


def _within_reach(width: float, height: float) -> bool:
    """Points are whole: a side of almost nothing is one point, however long the other."""
    if not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE):
        return False
    return math.ceil(width) * math.ceil(height) <= _MOST_PIXELS


def _grey(points: bytes, stride: int, height: int) -> Any:
    return memoryview(points).cast("B", (height, stride))


def _codes(pictures: Iterable[Any]) -> Iterator[set[str]]:
    """The texts of the QR codes in each picture."""
    try:
        import zxingcpp  # noqa: PLC0415 - heavy, and rarely needed
    except ImportError:
        raise MissingReader("zxing-cpp") from None
    wanted = zxingcpp.barcode_formats_from_str("QRCode")
    for picture in pictures:
        try:
            codes = zxingcpp.read_barcodes(picture, formats=wanted)
        except (ValueError, RuntimeError):
            raise Unverified("malformed", "a picture of a shape that cannot be looked at") from None
        yield {code.text for code in codes if code.valid}


def _the_one(found: Iterator[set[str]], where: str, *, needed: bool) -> str | None:
    """The certificate's code; other codes do not disturb. Without one, None where none is needed.

    All is looked at, every page twice: of two certificates one must not be taken for the file's only one.
    """
    ours: set[str] = set()
    others: set[str] = set()
    for texts in found:
        ours |= {text for text in texts if PATH in text}
        others |= texts
    if len(ours) > 1:
        raise Unverified("malformed", f"{where} shows {len(ours)} certificates: check one at a time")
    if ours:
        return ours.pop()
    if not needed:
        return None
    if others:
        raise Unverified("malformed", f"the code on {where} is not a certificate's")
    raise Unverified("malformed", f"{where} shows no code that can be read")
