"""Certificates in files: text, pictures, PDFs and what is attached to them."""

import io
import zlib

import pypdf
import pytest
import segno
from papers import CERTIFICATE, log_proof, text
from PIL import Image
from segno import consts

from verifier import files
from verifier.certificate import unseal
from verifier.verdict import Unverified


def code(words=None, mode="L", scale=4):
    address, mark, digits = (words or text()).partition("#")
    segments = [(address + mark, consts.MODE_BYTE)]
    segments += [(digits, consts.MODE_NUMERIC)] if digits else []
    symbol = segno.make(segments, error="m", micro=False)
    drawn = io.BytesIO()
    symbol.save(drawn, kind="png", scale=scale)
    return Image.open(drawn).convert(mode)


def saved(image, kind="PNG"):
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def pdf(image=None, **attached):
    """A page of letter size with the picture on it and files attached."""
    sheet = Image.new("L", (1275, 1650), "white")
    if image is not None:
        sheet.paste(image, (200, 300))
    out = io.BytesIO()
    sheet.save(out, "PDF", resolution=150)
    if not attached:
        return out.getvalue()
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(out.getvalue()))
    for name, content in attached.items():
        for one in content if isinstance(content, list) else [content]:
            writer.add_attachment(name, one)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def refused(content):
    with pytest.raises(Unverified) as caught:
        files.find(content)
    assert caught.value.verdict == "malformed"
    return caught.value.why


class TestText:
    def test_is_taken_as_it_is(self):
        assert files.find(f"{text()}\n".encode()).text == text()

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00", "é".encode(), b"x" * 5000, b"GIF89a" + bytes(range(256))])
    def test_that_is_no_text_of_ours(self, content):
        refused(content)

    def test_larger_than_any_certificate(self):
        assert "larger" in refused(b"x" * (files.LONGEST_FILE + 1))


class TestPictures:
    @pytest.mark.parametrize(
        ("kind", "mode"), [("PNG", "1"), ("PNG", "P"), ("PNG", "RGB"), ("JPEG", "L"), ("JPEG", "RGB"), ("JPEG", "CMYK")]
    )
    def test_show_a_code(self, kind, mode):
        assert unseal(files.find(saved(code(mode=mode), kind)).text).certificate == CERTIFICATE

    @pytest.mark.parametrize("angle", [90, 180, 7])
    def test_may_be_turned(self, angle):
        turned = code().rotate(angle, expand=True, fillcolor="white")

        assert files.find(saved(turned)).text == text()

    def test_may_be_see_through(self):
        layer = Image.new("RGBA", code().size, (0, 0, 0, 0))
        layer.paste((0, 0, 0, 255), mask=code().point(lambda grey: 255 - grey))

        assert files.find(saved(layer)).text == text()

    def test_without_a_code_say_so(self):
        assert refused(saved(Image.new("L", (300, 300), "white"))) == "this picture shows no code that can be read"

    def test_with_another_code_say_so(self):
        assert refused(saved(code("https://example.org/"))) == "the code on this picture is not a certificate's"

    def test_with_two_certificates_say_so(self):
        both = Image.new("L", (1000, 500), "white")
        both.paste(code(), (0, 0))
        both.paste(code(text(name="Another")), (500, 0))

        assert "2 certificates" in refused(saved(both))

    def test_another_code_beside_it_does_not_disturb(self):
        both = Image.new("L", (1000, 500), "white")
        both.paste(code(), (0, 0))
        both.paste(code("https://example.org/"), (500, 0))

        assert files.find(saved(both)).text == text()

    def test_cut_short(self):
        assert refused(saved(code())[:200]) == "a picture that cannot be opened"
        assert refused(b"\xff\xd8\xff") == "a picture that cannot be opened"

    def test_with_too_many_points_are_not_unpacked(self):
        def chunk(name, data):
            body = name + data
            return len(data).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)

        header = (8_000).to_bytes(4) + (8_000).to_bytes(4) + b"\x08\x00\x00\x00\x00"
        bomb = (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(bytes(1000)))
            + chunk(b"IEND", b"")
        )

        assert "more points" in refused(bomb)


class TestPdf:
    def test_shows_a_code(self):
        found = files.find(pdf(code()))

        assert (found.text, found.log_proof) == (text(), None)

    def test_carries_its_text_and_proof(self):
        found = files.find(pdf(**{"qr.txt": text().encode(), "proof.tlog-proof": log_proof().encode()}))

        assert (found.text, found.log_proof) == (text(), log_proof().encode())

    def test_may_carry_the_proof_alone(self):
        found = files.find(pdf(code(), **{"proof.tlog-proof": log_proof().encode(), "credential.json": b"{}"}))

        assert (found.text, found.log_proof) == (text(), log_proof().encode())

    def test_without_a_code_says_so(self):
        assert refused(pdf()) == "this PDF shows no code that can be read"

    def test_with_the_text_twice_is_refused(self):
        assert "twice" in refused(pdf(**{"qr.txt": [text().encode(), b"other"]}))

    def test_with_an_attachment_too_large_is_refused(self):
        assert "too large" in refused(pdf(**{"proof.tlog-proof": b"x" * (1 << 20) + b"x"}))

    @pytest.mark.parametrize("content", [b"%PDF-1.7", b"%PDF-1.7\n" + b"1 0 obj\n" * 1000, pdf(code())[:600]])
    def test_that_cannot_be_opened(self, content):
        assert refused(content)

    def test_with_a_page_as_large_as_a_house_is_not_drawn(self):
        writer = pypdf.PdfWriter()
        writer.add_blank_page(1_000_000, 1_000_000)
        out = io.BytesIO()
        writer.write(out)

        assert "no code" in refused(out.getvalue())


@pytest.mark.parametrize(
    ("module", "content"), [("PIL", saved(code())), ("zxingcpp", saved(code())), ("pypdf", pdf()), ("pypdfium2", pdf())]
)
def test_what_is_not_installed_is_named(monkeypatch, module, content):
    import sys

    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(files.MissingReader):
        files.find(content)
