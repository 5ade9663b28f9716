"""What people have at hand: the camera, pictures, the certificate's PDF, text, a dropped or pasted file."""

from __future__ import annotations

import base64
import io

import pytest
import segno
import typst
from PIL import Image
from playwright.sync_api import expect
from segno import consts


def code(text):
    address, digits = text.split("#")
    return segno.make([(f"{address}#", consts.MODE_BYTE), (digits, consts.MODE_NUMERIC)], error="m")


def picture(text, kind, scale=6):
    out = io.BytesIO()
    if kind == "svg":
        code(text).save(out, kind="svg", scale=scale)
        return out.getvalue()
    code(text).save(out, kind="png", scale=scale, border=4)
    if kind == "png":
        return out.getvalue()
    paper = Image.new("RGB", (1600, 2070), "white")
    paper.paste(Image.open(out).convert("RGB").rotate(7, expand=True, fillcolor="white"), (180, 700))
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=70)
    return out.getvalue()


def certificate_pdf(text, tmp_path, *, attached=True):
    (tmp_path / "qr.txt").write_text(text)
    (tmp_path / "credential.json").write_text("{}")
    attach = '#pdf.attach("qr.txt", mime-type: "text/plain", description: "The code as text")' if attached else ""
    source = tmp_path / "certificate.typ"
    source.write_text(
        f"""#set document(title: "Certificate")
        #pdf.attach("credential.json", relationship: "source", mime-type: "application/json", description: "Badge")
        {attach}
        = Certificate"""
    )
    return typst.compile(str(source), pdf_standards=["a-3b", "ua-1"])


def chosen(open_page, served, name, kind, content):
    page = open_page(f"{served.address}/v1")
    page.locator("#file").set_input_files({"name": name, "mimeType": kind, "buffer": content})
    return page


def is_valid(page):
    expect(page.locator("#result")).to_have_attribute("data-verdict", "valid")


@pytest.mark.parametrize(("kind", "mime"), [("png", "image/png"), ("jpg", "image/jpeg"), ("svg", "image/svg+xml")])
def test_a_picture_of_the_code(open_page, served, kind, mime):
    content = picture(served.plane.text(), kind)

    is_valid(chosen(open_page, served, f"photo.{kind}", mime, content))


def test_the_certificates_pdf_by_its_attachment(open_page, served, tmp_path):
    content = certificate_pdf(served.plane.text(), tmp_path)

    is_valid(chosen(open_page, served, "certificate.pdf", "application/pdf", content))


def test_a_pdf_whose_attachment_is_not_compressed(open_page, served):
    content = b"%PDF-1.7\n1 0 obj\n<</Type/EmbeddedFile>>\nstream\n" + served.plane.text().encode() + b"\nendstream\n"

    is_valid(chosen(open_page, served, "plain.pdf", "application/pdf", content))


@pytest.mark.parametrize("around", ["{}\n", "\ufeff \t{}\r\n"])
def test_a_text_file(open_page, served, around):
    is_valid(chosen(open_page, served, "qr.txt", "text/plain", around.format(served.plane.text()).encode()))


@pytest.mark.parametrize(
    ("name", "mime", "content", "said"),
    [
        ("empty.png", "image/png", b"", "no code"),
        ("broken.jpg", "image/jpeg", b"\xff\xd8\xff\xe0 not a picture", "no code"),
        ("scan.pdf", "application/pdf", b"%PDF-1.4\n%%EOF", "let the server check it"),
        ("badge.json", "application/json", b"{}", "not badge files"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(open_page, served, name, mime, content, said):
    page = chosen(open_page, served, name, mime, content)

    expect(page.get_by_role("status")).to_contain_text(said)
    expect(page.locator("#result")).to_be_hidden()


@pytest.mark.parametrize("badge", ['{"@context": []}', "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"])
def test_a_badge_as_text_or_file_goes_to_the_servers_form_and_is_never_called_unreadable(open_page, served, badge):
    page = open_page(f"{served.address}/v1")
    page.locator("#text").fill(badge)
    page.get_by_role("button", name="Check", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("Let the registry's server check it, or use the program verify")
    expect(page.locator("#server-text")).to_have_value(badge)
    expect(page.locator("#result")).to_be_hidden()
    page.locator("#file").set_input_files({"name": "b.json", "mimeType": "application/json", "buffer": badge.encode()})
    expect(page.locator("#server-text")).to_have_value("")
    assert page.evaluate("document.getElementById('server-file').files[0].name") == "b.json"


def test_a_pdf_without_the_attachment(open_page, served, tmp_path):
    content = certificate_pdf("", tmp_path, attached=False)

    page = chosen(open_page, served, "other.pdf", "application/pdf", content)

    expect(page.get_by_role("status")).to_contain_text("does not carry its code")


def test_a_picture_without_a_code(open_page, served):
    out = io.BytesIO()
    Image.effect_noise((640, 480), 60).save(out, "PNG")

    page = chosen(open_page, served, "wall.png", "image/png", out.getvalue())

    expect(page.get_by_role("status")).to_contain_text("no code")


def test_a_code_that_is_no_certificate(open_page, served):
    out = io.BytesIO()
    segno.make("WIFI:S:guest;T:WPA;P:secret;;").save(out, kind="png", scale=6)

    page = chosen(open_page, served, "wifi.png", "image/png", out.getvalue())

    expect(page.locator("#result")).to_have_attribute("data-verdict", "malformed")


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_dropped_and_a_pasted_picture(open_page, served, how):
    page = open_page(f"{served.address}/v1")

    page.evaluate(
        """([how, content]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "code.png", { type: "image/png" }));
            document.body.dispatchEvent(how === "drop"
                ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }""",
        [how, base64.b64encode(picture(served.plane.text(), "png")).decode()],
    )

    is_valid(page)


def film(text, path):
    """One frame of uncompressed video, which Chromium's pretended camera plays over and over."""
    out = io.BytesIO()
    code(text).save(out, kind="png", scale=6, border=4)
    frame = Image.new("L", (960, 720), 200)
    frame.paste(Image.open(out).convert("L"), (200, 90))
    grey = b"\x80" * (960 * 720 // 4)
    path.write_bytes(b"YUV4MPEG2 W960 H720 F10:1 Ip A1:1 C420mpeg2\nFRAME\n" + frame.tobytes() + grey + grey)


@pytest.fixture
def camera(launch, served, tmp_path):
    film(served.plane.text(), tmp_path / "code.y4m")
    pretended = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={tmp_path / 'code.y4m'}",
    ]
    started = launch(*pretended)
    yield started.new_page(locale="en-US")
    started.close()


def test_the_camera_is_used_until_a_code_is_read_and_no_longer(camera, served):
    camera.goto(f"{served.address}/v1")
    camera.get_by_role("button", name="Scan the code").click()

    is_valid(camera)
    expect(camera.locator("#camera")).to_be_hidden()
    assert camera.evaluate("document.getElementById('view').srcObject") is None


def test_the_browsers_own_detector_is_asked_first(open_page, served):
    page = open_page("about:blank")
    page.add_init_script(
        """globalThis.BarcodeDetector = class {
            static getSupportedFormats = async () => ["qr_code"];
            detect = async () => [{ rawValue: TEXT }];
        };""".replace("TEXT", f"'{served.plane.text()}'")
    )
    page.goto(f"{served.address}/v1")
    blank = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(blank, "PNG")
    page.locator("#file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": blank.getvalue()})

    is_valid(page)


def test_a_camera_that_is_refused_says_what_else_to_do(open_page, served):
    page = open_page(f"{served.address}/v1")
    page.get_by_role("button", name="Scan the code").click()

    expect(page.get_by_role("status")).to_contain_text("Choose a picture instead")
    expect(page.get_by_role("button", name="Scan the code")).to_be_visible()
