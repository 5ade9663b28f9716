"""What a file holds of a certificate: the text of its code, and the log proof attached to a PDF.

The libraries that read pictures and PDFs come with the extra `files`; they are imported when needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from verifier.certificate import LONGEST_TEXT, PATH
from verifier.verdict import Unverified

LONGEST_FILE: Final = 32 << 20
_LONGEST_ATTACHMENT: Final = 1 << 20
_MOST_PIXELS: Final = 60_000_000
_MOST_PAGES: Final = 8
_POINTS: Final = 72  # of a PDF, in one inch
_RESOLUTIONS: Final = (150, 300)
_QR: Final = "qr.txt"
_PROOF: Final = "proof.tlog-proof"


class MissingReader(Exception):
    """A picture or PDF was given, and what reads it is not installed."""


@dataclass(frozen=True, slots=True)
class Found:
    """The text of the code, and the proof file that came with it."""

    text: str
    log_proof: bytes | None = None


def find(content: bytes) -> Found:
    """Reads text, PNG, JPEG and PDF, told apart by their first bytes."""
    if len(content) > LONGEST_FILE:
        raise Unverified("malformed", "a file larger than any certificate")
    if content.startswith(b"%PDF-"):
        return _in_pdf(content)
    if content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        return Found(_the_one(_codes([_picture(content)]), "this picture"))
    return Found(plain(content))


def plain(content: bytes) -> str:
    """The text of a code, as a file or a pipe holds it."""
    text = content[: LONGEST_TEXT + 1].strip()
    if not text.isascii() or len(text) > LONGEST_TEXT:
        raise Unverified("malformed", "a file that holds neither a certificate's address nor a picture of it")
    return text.decode()


def _in_pdf(content: bytes) -> Found:
    attached = _attachments(content)
    if _QR in attached:
        return Found(plain(attached[_QR]), attached.get(_PROOF))
    return Found(_the_one(_codes(_pages(content)), "this PDF"), attached.get(_PROOF))


def _attachments(content: bytes) -> dict[str, bytes]:
    """Those of our names; none where the PDF is too odd to say."""
    try:
        from pypdf import PdfReader  # noqa: PLC0415 - heavy, and rarely needed
    except ImportError:
        raise MissingReader("pypdf") from None
    import io  # noqa: PLC0415 - as pypdf
    import logging  # noqa: PLC0415 - as pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        attached = {
            name: versions
            for name, versions in PdfReader(io.BytesIO(content)).attachments.items()
            if name in {_QR, _PROOF}
        }
    except Exception:  # noqa: BLE001 - a hostile PDF makes the library fail in many ways; then it is looked at
        return {}
    if any(len(versions) > 1 or len(versions[0]) > _LONGEST_ATTACHMENT for versions in attached.values()):
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
                    if width * height * scale * scale > _MOST_PIXELS:
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
            opened = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
            size = opened.width * opened.height
            picture: Image.Image = opened if size <= _MOST_PIXELS else Image.new("L", (1, 1))
            if picture.has_transparency_data:  # what is see-through is paper
                layer = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
            grey = picture.convert("L")
    except Exception:  # noqa: BLE001 - a hostile picture makes the library fail in many ways
        raise Unverified("malformed", "a picture that cannot be opened") from None
    if size > _MOST_PIXELS:
        raise Unverified("malformed", "a picture with more points than we look at")
    return _grey(grey.tobytes(), grey.width, grey.height)


def _grey(points: bytes, stride: int, height: int) -> Any:
    return memoryview(points).cast("B", (height, stride))


def _codes(pictures: Iterable[Any]) -> Iterator[set[str]]:
    """The texts of the QR codes in each picture."""
    try:
        import zxingcpp  # noqa: PLC0415 - heavy, and rarely needed
    except ImportError:
        raise MissingReader("zxing-cpp") from None
    for picture in pictures:
        yield {
            code.text
            for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.barcode_formats_from_str("QRCode"))
            if code.valid
        }


def _the_one(found: Iterator[set[str]], where: str) -> str:
    """The certificate's code; other codes on the page do not disturb."""
    others: set[str] = set()
    for texts in found:
        ours = {text for text in texts if PATH in text}
        if len(ours) > 1:
            raise Unverified("malformed", f"{where} shows {len(ours)} certificates: check one at a time")
        if ours:
            return ours.pop()
        others |= texts
    if others:
        raise Unverified("malformed", f"the code on {where} is not a certificate's")
    raise Unverified("malformed", f"{where} shows no code that can be read")
