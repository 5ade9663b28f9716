"""Certificates in files: text, pictures, PDFs and what is attached to them."""

import io
import tracemalloc
import zlib
from time import monotonic

import pypdf
import pytest
import segno
from grounds import HANGS
from papers import CERTIFICATE, badge, badge_jwt, log_proof, text
from PIL import Image
from segno import consts

from verifier import files
from verifier.certificate import unseal
from verifier.files import Found
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


def chunk(name, data):
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def baked(*badges, image=None, flags=b"\0\0", keyword=b"openbadgecredential"):
    """A PNG with badges in its text, right after its header."""
    picture = saved(code() if image is None else image)
    texts = [chunk(b"iTXt", keyword + b"\0" + flags + b"\0\0" + one) for one in badges]
    return b"".join([picture[:33], *texts, picture[33:]])


BLANK = Image.new("L", (300, 300), "white")
SVG = """<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0" width="9" height="9">
{}<path d="M0 0"/></svg>
"""


def svg(inside, around=SVG):
    return around.format(inside).encode()


def element(badge):
    return f"<openbadges:credential><![CDATA[{badge.decode()}]]></openbadges:credential>"


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


def refused(content, verdict="malformed"):
    with pytest.raises(Unverified) as caught:
        files.find(content)
    assert caught.value.verdict == verdict
    return caught.value.why


class TestText:
    def test_is_taken_as_it_is(self):
        assert files.find(f"{text()}\n".encode()).text == text()

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00", "é".encode(), b"x" * 5000, b"GIF89a" + bytes(range(256))])
    def test_that_is_no_text_of_ours(self, content):
        refused(content)

    @pytest.mark.parametrize("around", ["\ufeff{}", " \t\r\n{} \t\r\n", "\ufeff \n{}" + 3000 * "\n"])
    def test_may_have_white_space_around_and_one_mark_of_its_order_before(self, around):
        assert files.find(around.format(text()).encode()).text == text()

    @pytest.mark.parametrize("around", ["\ufeff\ufeff{}", "{}\x0b", "\x0c{}", "{}\x85", "{}" + 3000 * "\n" + "x"])
    def test_may_have_nothing_else_around(self, around):
        with pytest.raises(Unverified):
            unseal(files.find(around.format(text()).encode()).text)

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
        header = (8_000).to_bytes(4) + (8_000).to_bytes(4) + b"\x08\x00\x00\x00\x00"
        bomb = (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(bytes(1000)))
            + chunk(b"IEND", b"")
        )

        assert "more points" in refused(bomb)


class TestBakedPng:
    @pytest.mark.parametrize("form", [badge, badge_jwt])
    def test_holds_a_badge_and_a_code(self, form):
        assert files.find(baked(form())) == Found(text(), None, form())

    def test_may_hold_the_badge_alone(self):
        assert files.find(baked(badge(), image=BLANK)) == Found(None, None, badge())
        assert files.find(baked(badge(), image=code("https://example.org/"))) == Found(None, None, badge())

    def test_texts_of_other_names_do_not_disturb(self):
        assert files.find(baked(b"{}", keyword=b"openbadges")) == Found(text())
        assert files.find(baked(b"{}", keyword=b"openbadgecredential2")) == Found(text())

    @pytest.mark.parametrize(
        "content",
        [
            baked(badge(), badge()),
            baked(badge(), flags=b"\1\0"),
            baked(badge(), flags=b"\0\1"),
            baked(badge()).replace(b"Siobh", b"Siobn"),
            baked().replace(b"IDAT", chunk(b"iTXt", b"openbadgecredential\0\0\0")[4:-4] + b"IDAT", 1),
        ],
    )
    def test_that_is_baked_otherwise(self, content):
        assert refused(content)

    def test_a_chunk_longer_than_the_file(self):
        picture = saved(code())
        assert refused(picture[:33] + b"\xff\xff\xff\xff" + b"iTXtopenbadgecredential\0\0\0\0\0{}")

    def test_is_of_one_certificate(self):
        both = Image.new("L", (1000, 500), "white")
        both.paste(code(), (0, 0))
        both.paste(code(text(name="Another")), (500, 0))

        assert "2 certificates" in refused(baked(badge(), image=both))


def said(words):
    return f"<metadata>{words}</metadata>"


class TestSvg:
    @pytest.mark.parametrize("around", ["{}", "\n{} ", "<a xmlns='x'>more</a>{}", "<!-- -->{}"])
    def test_says_the_text_of_its_code(self, around):
        assert files.find(svg(said(around.format(text())))) == Found(text())

    def test_may_hold_a_badge_and_the_text_of_its_code(self):
        assert files.find(svg(said("others' words") + said(text()) + element(badge()))) == Found(text(), badge=badge())

    @pytest.mark.parametrize("around", ["{}", "\ufeff{}", "\n {}"])
    def test_holds_a_badge(self, around):
        assert files.find(around.format(svg(element(badge())).decode()).encode()) == Found(badge=badge())

    def test_may_hold_a_jwt(self):
        inside = f'<openbadges:credential verify="{badge_jwt().decode()}"/>'

        assert files.find(svg(inside)) == Found(badge=badge_jwt())

    def test_the_name_of_the_space_counts_not_its_prefix(self):
        other = SVG.replace("openbadges=", "ob=")

        assert files.find(svg(element(badge()).replace("openbadges:", "ob:"), other)) == Found(badge=badge())
        assert refused(svg(element(badge()), SVG.replace("/v3p0", "/v2p0")))

    @pytest.mark.parametrize(
        "content",
        [
            svg(""),
            svg(said("https://example.org/") + "<title>a drawing</title>"),
            svg(said(text()) * 2),
            svg(f"<g>{said(text())}</g>"),
            svg(f"<metadata><a>{text()}</a></metadata>"),
            svg(said(text() + "é")),
            svg(element(badge()) * 2),
            svg("<openbadges:credential><g/></openbadges:credential>"),
            svg("<g>"),
            svg("<g>" * 100 + "</g>" * 100),
            svg(f"<svg>{element(badge())}</svg>"),
            svg("&lol;"),
            svg(element(badge()), '<!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg">{}</svg>'),
            svg(
                "&a;",
                '<!DOCTYPE svg [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;">]>'
                '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>',
            ),
            svg(
                "&a;",
                '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
                '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>',
            ),
            b"<html></html>",
            b"<?xml version='1.0' encoding='nonsense'?><svg/>",
            b"<",
            svg("x" * (1 << 20)),
        ],
    )
    def test_that_is_none_of_ours(self, content):
        assert refused(content)


class TestJsonAndJwt:
    @pytest.mark.parametrize("form", [badge, badge_jwt])
    @pytest.mark.parametrize("around", [b"%s", b"\xef\xbb\xbf%s\n", b" \r\n%s\t"])
    def test_are_taken_as_they_are(self, form, around):
        assert files.find(around % form()) == Found(badge=form())


class TestLogProof:
    def test_is_known_by_its_first_line(self):
        assert files.find(log_proof().encode()) == Found(log_proof=log_proof().encode())
        assert files.find(log_proof().encode()).is_proof

    def test_too_large_is_refused(self):
        assert "larger" in refused(log_proof().encode() + b"x" * (1 << 20))


class TestPdf:
    def test_carries_its_badge(self):
        attached = {"qr.txt": text().encode(), "credential.json": badge(), "proof.tlog-proof": log_proof().encode()}

        assert files.find(pdf(**attached)) == Found(text(), log_proof().encode(), badge())

    def test_may_carry_the_badge_alone(self):
        assert files.find(pdf(**{"credential.json": badge()})) == Found(None, None, badge())
        assert files.find(pdf(code(), **{"credential.json": badge()})) == Found(text(), None, badge())

    def test_shows_a_code(self):
        found = files.find(pdf(code()))

        assert (found.text, found.log_proof) == (text(), None)

    def test_carries_its_text_and_proof(self):
        found = files.find(pdf(**{"qr.txt": text().encode(), "proof.tlog-proof": log_proof().encode()}))

        assert (found.text, found.log_proof) == (text(), log_proof().encode())

    def test_may_carry_the_proof_alone(self):
        found = files.find(pdf(code(), **{"proof.tlog-proof": log_proof().encode(), "other.json": b"{}"}))

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
        files.look(content)


def test_what_is_not_installed_is_named_by_the_other_process_too(monkeypatch, tmp_path):
    (tmp_path / "PIL.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(files.MissingReader, match="pillow"):
        files.find(saved(code()))


def nested_forms(deep, wide):
    """A small PDF whose page draws a form that draws the next one `wide` times, and so on."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
        b"<</Length 5>>stream\n/F Do\nendstream",
    ]
    for level in range(deep):
        drawn = b"/F Do " * wide
        own = b"/Resources<</XObject<</F %d 0 R>>>>" % (6 + level)
        objects.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 612 792]%s/Length %d>>stream\n%s\nendstream"
            % (own, len(drawn), drawn)
        )
    objects.append(b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 12>>stream\n0 0 9 9 re f\nendstream")
    return raw_pdf(objects)


def raw_pdf(objects):
    """As it comes: readers find the objects themselves."""
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, content) for number, content in enumerate(objects, 1))
    return b"%%PDF-1.4\n%strailer<</Root 1 0 R/Size %d>>\nstartxref\n0\n%%%%EOF" % (body, len(objects) + 1)


class TestHostileFiles:
    """They end the process that reads them, soon and in little memory, and nothing else."""

    def test_a_small_pdf_that_draws_for_minutes(self):
        began = monotonic()

        assert "more time or memory" in refused(nested_forms(8, 25), "cannot_check")
        assert monotonic() - began < files._DEADLINE + HANGS

    def test_the_clock_is_watched_as_well(self, monkeypatch):
        monkeypatch.setattr(files, "_DEADLINE", 0.5)

        assert "more time or memory" in refused(nested_forms(8, 25), "cannot_check")

    def test_attachments_that_are_not_ours_are_not_unpacked(self):
        attached = {f"{number}.bin": b"\0" * 30_000_000 for number in range(4)} | {"qr.txt": text().encode()}
        names, embedded = [], []
        for number, (name, content) in enumerate(attached.items()):
            names.append(f"({name})<</Type/Filespec/F({name})/UF({name})/EF<</F {2 + number} 0 R>>>>")
            packed = zlib.compress(content)
            head = b"<</Type/EmbeddedFile/Filter/FlateDecode/Length %d>>stream\n" % len(packed)
            embedded.append(head + packed + b"\nendstream")
        catalog = f"<</Type/Catalog/Names<</EmbeddedFiles<</Names[{''.join(names)}]>>>>>>".encode()
        small = raw_pdf([catalog, *embedded])

        tracemalloc.start()
        assert files.look(small).text == text()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 30_000_000

    def test_a_see_through_picture_of_many_points_fits_the_memory(self):
        blank = Image.new("RGBA", (4_400, 4_500), (0, 0, 0, 0))

        assert "no code" in refused(saved(blank))

    def test_a_large_photo_is_read_at_half_its_size(self):
        photo = Image.new("L", (6_000, 5_000), "white")
        photo.paste(code(scale=12), (100, 100))

        assert files.find(saved(photo, "JPEG")).text == text()
        assert "more points" in refused(saved(photo))

    @pytest.mark.parametrize("size", [(70_000, 10), (10, 70_000)])
    def test_a_picture_too_long_for_its_width(self, size):
        assert "more points" in refused(saved(Image.new("1", size)))

    @pytest.mark.parametrize("size", [(1e8, 0.01), (0.01, 1e8), (40_000, 1), (1e30, 1e-30)])
    def test_a_page_too_long_for_its_width(self, size):
        writer = pypdf.PdfWriter()
        writer.add_blank_page(*size)
        out = io.BytesIO()
        writer.write(out)

        assert refused(out.getvalue()) == "this PDF shows no code that can be read"

    def test_the_other_process_knows_no_secrets(self, monkeypatch):
        monkeypatch.setenv("REGISTRY_MASTER_KEY", "secret")
        seen = {}

        def run(words, **settings):
            seen.update(settings["env"])
            raise OSError

        monkeypatch.setattr("subprocess.run", run)

        refused(saved(code()), "cannot_check")
        assert "REGISTRY_MASTER_KEY" not in seen
