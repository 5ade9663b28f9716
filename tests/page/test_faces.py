"""Every verdict on every face: library, command, API, page with and without JavaScript, offline kit.

All are asked about the same made certificates and badges; `docs/verdicts.md` names these tests, one for each cell.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import segno
from faces import serving
from grounds import MASTER_KEY, PATIENCE
from made import BADGES, MADE, published_for_badges
from playwright.sync_api import Browser, Page, expect
from static_plane import Plane

import verifier.page
from registry.api import create_app
from registry.settings import Settings
from verifier import __main__ as command
from verifier import files, status
from verifier.keys import read_keys_json
from verifier.status import Statuses
from verifier.verdict import VERDICTS, Unverified
from verifier.verification import verify, verify_found

KINDS = {"not_an_endorsement": "letter"}


class Registry(NamedTuple):
    plane: Plane
    address: str


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Registry]:
    """The real server with a static plane and no database: what is checked needs none."""
    home = tmp_path_factory.mktemp("home")
    plane = Plane(home / "static")
    published_for_badges(plane)
    nowhere = "postgresql://127.0.0.1:1/none"
    with serving(create_app(Settings(home=home, master_key=MASTER_KEY, database_url=nowhere))) as address:
        yield Registry(plane, address)


@pytest.fixture
def picture(tmp_path) -> Callable[[str], Path]:
    def drawn(text: str) -> Path:
        path = tmp_path / "photo.png"
        segno.make(text, error="m").save(path, scale=4)
        return path

    return drawn


def words(verdict: str, lang: str = "en"):
    return VERDICTS[verdict].words(lang, KINDS.get(verdict, "certificate"))


@pytest.fixture
def no_reader(monkeypatch) -> None:
    """The process that reads pictures can't be started."""
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")


@pytest.mark.parametrize("verdict", MADE)
def test_the_library(verdict, served, picture, request):
    plane = served.plane
    keys = read_keys_json((plane.folder / "keys.json").read_bytes())
    text = MADE[verdict](plane)
    found: str
    try:
        if verdict == "cannot_check":
            request.getfixturevalue("no_reader")
            text = files.find(picture(text).read_bytes()).text
        result = verify(text, keys, Statuses(status.folder(plane.folder)), at=datetime.now(UTC))
        found, said = result.verdict, result.sentence()
    except Unverified as refused:
        found, said = refused.verdict, VERDICTS[refused.verdict].en.sentence

    assert found == verdict
    assert said.startswith(words(verdict).sentence)


@pytest.mark.parametrize("verdict", MADE)
def test_the_command(verdict, served, picture, capsys, request):
    text = MADE[verdict](served.plane)
    asked = ["--text", text]
    if verdict == "cannot_check":
        request.getfixturevalue("no_reader")
        asked = [str(picture(text))]

    code = command.main([*asked, "--static", str(served.plane.folder), "--json"])

    said = json.loads(capsys.readouterr().out)
    assert (said["verdict"], said["exit"], code) == (verdict, VERDICTS[verdict].exit, VERDICTS[verdict].exit)
    assert said["words"] == words(verdict)._asdict()
    assert said["kind"] == KINDS.get(verdict, "certificate")


@pytest.fixture
def without_keys(served) -> Iterator[None]:
    keys = served.plane.folder / "keys.json"
    aside = keys.rename(keys.with_name("aside"))
    yield
    aside.rename(keys)


@pytest.mark.parametrize("verdict", MADE)
def test_the_api(verdict, served, request):
    if verdict == "cannot_check":
        request.getfixturevalue("without_keys")

    answer = httpx.post(f"{served.address}/api/check", content=MADE[verdict](served.plane).encode(), timeout=PATIENCE)

    if verdict == "cannot_check":
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.json()["detail"] == words(verdict).sentence
        return
    said = answer.json()
    assert (said["verdict"], said["exit"], said["look"]) == (verdict, VERDICTS[verdict].exit, VERDICTS[verdict].look)
    assert said["words"] == {lang: words(verdict, lang)._asdict() for lang in ("en", "es")}


# --- badges ---


def forms(verdict: str, plane: Plane) -> dict[str, bytes]:
    """Those that a face is asked about: that of points, for which a process is started, of few verdicts."""
    badge = BADGES[verdict](plane)
    if verdict == "cannot_check":
        return {"png": badge.png}
    return {form: one for form, one in badge._asdict().items() if form != "png" or verdict in {"valid", "tampered"}}


@pytest.mark.parametrize("verdict", BADGES)
def test_the_library_about_badges(verdict, served, request):
    plane = served.plane
    ring, statuses = read_keys_json((plane.folder / "keys.json").read_bytes()), Statuses(status.folder(plane.folder))
    if verdict == "cannot_check":
        request.getfixturevalue("no_reader")
    found = {}
    for form, content in forms(verdict, plane).items():
        try:
            result = verify_found(files.find(content), ring, statuses, at=datetime.now(UTC))
            assert result.sentence().startswith(words(verdict).sentence)
            found[form] = result.verdict
        except Unverified as refused:
            found[form] = refused.verdict

    assert found == dict.fromkeys(found, verdict)


@pytest.mark.parametrize("verdict", BADGES)
def test_the_command_about_badges(verdict, served, tmp_path, capsys, request):
    asked = []
    for form, content in forms(verdict, served.plane).items():
        asked.append(tmp_path / f"badge.{form}")
        asked[-1].write_bytes(content)
    if verdict == "cannot_check":
        request.getfixturevalue("no_reader")

    code = command.main([*map(str, asked), "--static", str(served.plane.folder), "--json"])

    said = json.loads(capsys.readouterr().out)
    exits = VERDICTS[verdict].exit
    assert (said["exit"], code) == (exits, exits)
    for one in said.get("results", [said]):
        assert (one["verdict"], one["words"]) == (verdict, words(verdict)._asdict())


@pytest.mark.parametrize("verdict", BADGES)
def test_the_api_about_badges(verdict, served, request):
    if verdict == "cannot_check":
        request.getfixturevalue("without_keys")

    for content in forms(verdict, served.plane).values():
        answer = httpx.post(f"{served.address}/api/check", content=content, timeout=PATIENCE)
        said = answer.json()
        if verdict == "cannot_check":
            assert (answer.status_code, said["detail"]) == (503, words(verdict).sentence)
        else:
            assert (said["verdict"], said["exit"], said["look"]) == (
                verdict,
                VERDICTS[verdict].exit,
                VERDICTS[verdict].look,
            )
            assert said["words"] == {lang: words(verdict, lang)._asdict() for lang in ("en", "es")}


class Window:
    """One page, asked about one certificate after another."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def says(self, text: str, verdict: str) -> None:
        if self.page.locator("#result").is_visible():
            self.page.locator("#again").click()
        self.page.locator("#text").fill(text)
        self.page.locator("#typed button").click()
        expect(self.page.locator("#result")).to_have_attribute("data-verdict", verdict)
        expect(self.page.locator("#card")).to_have_class(VERDICTS[verdict].look)
        expect(self.page.locator("#sentence")).to_have_text(words(verdict).sentence)
        expect(self.page.locator("#verdict")).to_contain_text(words(verdict).head)
        expect(self.page.locator("#facts")).to_be_visible(
            visible=VERDICTS[verdict].exit in {0, 1} or verdict == "status_unknown"
        )


def window(browser: Browser, where: str, *, script: bool = True, lacking: str = "") -> Iterator[Page]:
    context = browser.new_context(locale="en-US", java_script_enabled=script, service_workers="block")
    if lacking:
        context.route(lacking, lambda route: route.abort())
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(where)
    yield page
    context.close()
    assert trouble == []


@pytest.fixture(scope="module")
def page(browser, served) -> Iterator[Window]:
    for opened in window(browser, f"{served.address}/v1"):
        yield Window(opened)


@pytest.fixture(scope="module")
def page_without_keys(browser, served) -> Iterator[Window]:
    for opened in window(browser, f"{served.address}/v1", lacking="**/*.json"):
        yield Window(opened)


@pytest.mark.parametrize("verdict", MADE)
def test_the_page(verdict, served, page, page_without_keys):
    (page_without_keys if verdict == "cannot_check" else page).says(MADE[verdict](served.plane), verdict)


@pytest.fixture(scope="module")
def plain_page(browser, served) -> Iterator[Page]:
    yield from window(browser, f"{served.address}/v1", script=False)


@pytest.mark.parametrize("verdict", MADE)
def test_the_page_without_scripts(verdict, served, plain_page, request):
    if verdict == "cannot_check":
        request.getfixturevalue("without_keys")
    plain_page.goto(f"{served.address}/v1")
    plain_page.locator("#server-text").fill(MADE[verdict](served.plane))
    plain_page.get_by_role("button", name="Send and check").click()

    expect(plain_page.get_by_role("heading", level=1, name=words(verdict).head)).to_be_visible()
    expect(plain_page.locator("section.verdict")).to_have_class(f"verdict {VERDICTS[verdict].look}")
    expect(plain_page.locator("section.verdict p")).to_contain_text(words(verdict).sentence)
    if KINDS.get(verdict) == "letter":
        expect(plain_page.locator("dl.summary dt")).to_contain_text(
            ["Name", "Category applied for", "Application", "Association", "Letter good through"]
        )


@pytest.mark.parametrize("verdict", BADGES)
def test_the_page_without_scripts_about_badges(verdict, served, plain_page, request):
    if verdict == "cannot_check":
        request.getfixturevalue("without_keys")
    given = forms(verdict, served.plane)
    form = "jwt" if verdict in {"revoked", "expired", "key_revoked"} else next(iter(given))
    plain_page.goto(f"{served.address}/v1")
    if form == "png":
        file = {"name": "badge.png", "mimeType": "image/png", "buffer": given[form]}
        plain_page.locator("#server-file").set_input_files(file)
    else:
        plain_page.locator("#server-text").fill(given[form].decode())
    plain_page.get_by_role("button", name="Send and check").click()

    expect(plain_page.get_by_role("heading", level=1, name=words(verdict).head)).to_be_visible()
    expect(plain_page.locator("section.verdict")).to_have_class(f"verdict {VERDICTS[verdict].look}")
    expect(plain_page.locator("section.verdict p")).to_contain_text(words(verdict).sentence)


@pytest.fixture(scope="module")
def kit(browser, served, tmp_path_factory) -> Iterator[Window]:
    """The one file, on a disk, with no server at all."""
    plane = served.plane
    file = tmp_path_factory.mktemp("kit") / "check-endorsements.html"
    file.write_bytes(plane.kit())
    for opened in window(browser, file.as_uri(), lacking="http*://**"):
        yield Window(opened)


@pytest.mark.parametrize("verdict", MADE)
def test_the_offline_kit(verdict, served, kit):
    text = MADE["unknown_key" if verdict == "cannot_check" else verdict](served.plane)

    # A copy may not know the newest key: of one that it doesn't know it says nothing.
    kit.says(text, "cannot_check" if verdict == "unknown_key" else verdict)


# What a badge is worth the page and the kit can't say, and say so, whatever it is worth.
UNREAD = {
    "json": "not badge files",
    "jwt": "not badge files",
    "svg": "no code we can read",
    "png": "no code we can read",
}
KINDS_OF_FILE = {"json": "application/json", "jwt": "text/plain", "svg": "image/svg+xml", "png": "image/png"}


@pytest.mark.parametrize("face", ["page", "kit"])
@pytest.mark.parametrize("form", UNREAD)
def test_the_page_and_the_kit_say_that_they_read_no_badges(face, form, served, request):
    window = request.getfixturevalue(face).page
    if window.locator("#result").is_visible():
        window.locator("#again").click()
    badge = BADGES["revoked"](served.plane)._asdict()[form]
    file = {"name": f"badge.{form}", "mimeType": KINDS_OF_FILE[form], "buffer": badge}
    window.locator("#file").set_input_files(file)

    expect(window.get_by_role("status")).to_contain_text(UNREAD[form])
    expect(window.locator("#result")).to_be_hidden()
    if face == "page":  # the server, which reads it, is one press away
        expect(window.get_by_role("button", name="Send and check")).to_be_visible()
        assert window.evaluate("document.getElementById('server-file').files[0].name") == f"badge.{form}"


def test_there_is_a_certificate_and_a_badge_for_every_verdict():
    assert list(MADE) == list(VERDICTS)
    assert [verdict for verdict in VERDICTS if verdict not in BADGES] == ["not_an_endorsement"]  # no letter is a badge
    assert verifier.page.page()
