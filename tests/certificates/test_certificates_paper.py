"""The page: what it says and what it doesn't, for every name there is; found by readers, tools and screen readers."""

from datetime import date
from io import BytesIO

import pypdfium2
import pytest
import zxingcpp
from certificate_facts import HOST, NOON, NUMBER, SLOT_KEY, Story, seeded
from pypdf import PdfReader

from registry.certificates import qr
from registry.certificates.paper import Attachment, Paper, Printer, day
from registry.certificates.qr import Unprintable

NAME = "Marisol Fernández-Okafor"


@pytest.fixture(scope="module")
def printer():
    return Printer()


def text_of(name=NAME):
    return qr.text(Story().issued(), 17, name, seeded("k"), host=HOST, qr_host=HOST, slot_key=SLOT_KEY)


def paper(**facts):
    known = {
        "number": NUMBER,
        "name": NAME,
        "credential": "IMH-E",
        "category": "IFS",
        "title": "Infant Family Specialist",
        "association": "Virginia Association for Infant Mental Health",
        "awarded_on": date(2026, 6, 1),
        "through": date(2028, 12, 31),
        "issued_at": NOON,
        "address": "registry.example/v1",
    }
    return Paper(**known | facts)


def printed(printer, text=None, **facts):
    text = text or text_of()
    attached = [
        Attachment("qr.txt", text, "text/plain", "The text of the QR code"),
        Attachment("proof.tlog-proof", "c2sp.org/tlog-proof@v1\n", "text/plain", "The proof"),
    ]
    return printer.print(paper(**facts), qr.svg(qr.symbol(text)), attached)


def words(pdf):
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    return " ".join(document[0].get_textpage().get_text_range().split())


def picture(pdf, dpi):
    return pypdfium2.PdfDocument(pdf)[0].render(scale=dpi / 72).to_pil()


def reddish(page):
    return sum(
        red > green + 15 and abs(green - blue) < 12 for red, green, blue in page.convert("RGB").get_flattened_data()
    )


def test_it_says_who_what_until_when_and_where_to_ask(printer):
    said = words(printed(printer))

    for part in (
        NAME,
        "Infant Mental Health Endorsement (IMH-E®)",
        "Infant Family Specialist",
        "VIRGINIA ASSOCIATION FOR INFANT MENTAL HEALTH",
        NUMBER,
        "June 1, 2026",
        "December 31, 2028",
        "registry.example/v1",
        "AWARDED ON",
        "VALID UNTIL",
        "ENDORSEMENT NUMBER",
        "type this address yourself",
        "no license to practice",
        "no guarantee of the quality",
        "Complaints",
        "photo ID",
        "recognized by every association of the Alliance",
    ):
        assert part in said
    assert "SPECIMEN" not in said
    assert "as reported" not in said


def test_where_days_come_first_they_do_and_the_paper_is_a4(printer):
    pdf = printed(printer, dates="day_first", size="a4")

    assert "1 June 2026" in words(pdf)
    assert [round(side) for side in PdfReader(BytesIO(pdf)).pages[0].mediabox[2:]] == [842, 595]
    assert [round(side) for side in PdfReader(BytesIO(printed(printer))).pages[0].mediabox[2:]] == [792, 612]
    assert day(date(2026, 6, 1), "month_first") == "June 1, 2026"


def test_an_imported_award_is_the_word_of_the_association(printer):
    assert "as reported by First3Years" in words(printed(printer, reported_by="First3Years"))


def test_an_add_on_is_named(printer):
    assert "with Endorsed Reflective Supervisor" in words(printed(printer, add_on="Endorsed Reflective Supervisor"))


def test_a_specimen_says_so_across_the_page_and_in_words(printer):
    pdf = printed(printer, specimen=True)

    assert words(pdf).count("SPECIMEN") == 2
    assert reddish(picture(pdf, 50)) > 20 * reddish(picture(printed(printer), 50)) + 2000
    assert [found.text for found in zxingcpp.read_barcodes(picture(pdf, 150))] == [text_of()]


@pytest.mark.parametrize("dpi", [100, 150, 300])
def test_the_code_on_the_page_is_read(printer, dpi):
    (found,) = zxingcpp.read_barcodes(picture(printed(printer), dpi))

    assert found.text == text_of()


def test_another_reader_reads_the_page_too(printer, tmp_path, zbar):
    picture(printed(printer), 150).save(tmp_path / "page.png")

    assert zbar(tmp_path / "page.png") == text_of()


def test_the_text_of_the_code_and_the_proof_are_attached(printer):
    attached = PdfReader(BytesIO(printed(printer))).attachments

    assert attached["qr.txt"] == [text_of().encode()]
    assert attached["proof.tlog-proof"] == [b"c2sp.org/tlog-proof@v1\n"]


def test_it_is_tagged_named_and_says_which_standards_it_keeps(printer):
    document = PdfReader(BytesIO(printed(printer)))
    catalog = document.trailer["/Root"]
    metadata = catalog["/Metadata"].get_data().decode()

    assert catalog["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in catalog
    assert catalog["/Lang"] == "en-US"
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    for standard in ("<pdfaid:part>3<", "<pdfaid:conformance>B<", "<pdfuaid:part>1<"):
        assert standard in metadata
    assert "/JavaScript" not in str(catalog)


def test_the_metadata_name_the_endorsement_and_nobody(printer):
    document = PdfReader(BytesIO(printed(printer)))
    metadata = document.trailer["/Root"]["/Metadata"].get_data().decode() + str(document.metadata)

    assert document.metadata.title == f"Endorsement {NUMBER}"
    for part in NAME.split():
        assert part not in metadata


def test_the_same_facts_print_the_same_bytes(printer):
    again = Printer()

    assert printed(printer) == printed(printer) == printed(again)
    assert printed(printer) != printed(printer, through=date(2031, 12, 31))


@pytest.mark.parametrize(
    "name",
    [
        "#panic(1) $x$ *b* _i_ `c` <l> @r \\ // = - +",
        '"); #import "x": *; (" #read("/etc/passwd")',
        "Siobhán O’Brien-Ní Dhomhnaill",
        "Юлия Ξένη Đặng Łoś",
        "דוד בן־גוריון",
        "x" * 120,
        "Anna-Maria " * 10,
        'Quote " and \\u0041 {"a": 1}',
    ],
)
def test_a_name_is_text_whatever_is_in_it(printer, name):
    name = qr.printed(name)
    pdf = printed(printer, text=text_of(name), name=name)

    extracted = PdfReader(BytesIO(pdf)).pages[0].extract_text() + words(pdf)
    letters = set(name) - set(' …-"’־')
    assert letters <= set(extracted) | set("Đ")
    assert [found.text for found in zxingcpp.read_barcodes(picture(pdf, 150))] == [text_of(name)]


def test_a_name_from_right_to_left_reads_from_the_right(printer):
    name = "محمد بن علي"
    pdf = printed(printer, text=text_of(name), name=name)

    assert [found.text for found in zxingcpp.read_barcodes(picture(pdf, 150))] == [text_of(name)]


def test_letters_that_no_font_has_are_refused_loudly_and_not_repeated(printer):
    # Sumerian: the letters of no font of a plain system.
    with pytest.raises(Unprintable) as refused:
        printed(printer, text=text_of("𒀭𒂗𒆠"), name="𒀭𒂗𒆠")

    assert "𒀭" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert words(printed(printer))  # and the next page prints
