"""What the page promises: private, small, one file, readable by all, on paper and without scripts."""

from __future__ import annotations

import json
import re

import pytest
from barriers import COLOURS, RULES, barriers
from playwright.sync_api import expect
from static_plane import REVOKED, SUPERSEDED

import verifier.page
from verifier.certificate import LETTER_TYP

KIT = "Save this page with today's lists, to check without a connection"
STATES = {
    "start": None,
    "valid": {},
    "longest": {"name": "W" * 120, "category": "IMHM-RF+EERS", "association": "AU", "number": "IMHM-RF-7K3MQ9TD"},
    "expired": {"expires_at": 1767243599},
    "superseded": {"status_index": SUPERSEDED},
    "revoked": {"status_index": REVOKED},
    "letter": {"typ": LETTER_TYP},
    "unknown": {"status_index": 2**20},
}


@pytest.fixture
def state(open_page, served):
    def at(name, lang="en", **settings):
        changes = STATES[name]
        code = "" if changes is None else "#" + served.plane.text(**changes).split("#")[1]
        page = open_page(f"{served.address}/v1?lang={lang}{code}", **settings)
        expect(page.locator("#start" if changes is None else "#result")).to_be_visible()
        return page

    return at


@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing_at_any_width_in_light_dark_and_both_languages(state, name):
    page = state(name, lang="es" if name in {"longest", "superseded"} else "en")
    for folded in page.locator("details:visible").all():
        folded.evaluate("(element) => { element.open = true; }")
    for width, scheme, rules in (
        (320, "light", RULES[320]), (320, "dark", COLOURS), (1280, "light", RULES[1280])):  # fmt: skip
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert barriers(page, rules) == {}, f"{scheme} at {width}"


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("enlarged", ["100%", "200%"])
def test_nothing_is_cut_or_scrolls_sideways_at_320_pixels(state, name, enlarged):
    page = state(name, lang="es", width=320)
    page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", enlarged)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_everything_is_reached_by_keyboard_and_the_focus_is_seen(state):
    page = state("start")
    walked = []
    for _ in range(7):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => {
                const [element, box] = [document.activeElement, document.activeElement.getBoundingClientRect()];
                const outlined = element.closest("label.big") ?? element;
                return [element.id || element.textContent, getComputedStyle(outlined).outlineStyle,
                        box.top >= 0 && box.bottom <= innerHeight, Math.min(box.width, box.height)];
            }"""
        )
        walked.append(focus[0])
        assert focus[1] in {"solid", "auto"}, f"{focus[0]}: the focus is not seen"
        assert focus[2], f"{focus[0]}: the focus is out of sight"
        assert focus[3] >= 24, f"{focus[0]}: too small a target"
    assert walked == ["language", "scan", "file", "text", "Check", "Let the registry's server check it", KIT]


def test_a_check_by_keyboard_ends_at_the_verdict_and_goes_back_to_the_start(state, served):
    page = state("start")
    page.locator("#text").focus()
    page.keyboard.insert_text(served.plane.text())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Valid")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Scan the code")).to_be_focused()
    expect(page.locator("#text")).to_have_value("")


def test_the_code_never_reaches_the_server_and_leaves_the_address_bar(open_page, served):
    asked = []
    page = open_page("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    text = served.plane.text(status_index=SUPERSEDED)
    page.goto(f"{served.address}/v1#{text.split('#')[1]}")
    expect(page.locator("#result")).to_be_visible()

    assert "#" not in page.evaluate("location.href")
    assert not re.search(r"\d{17}", "".join(served.seen))
    assert all(url.startswith(served.address) for url in asked if not url.startswith("data:"))
    assert sorted(served.seen) == [f"GET {path} HTTP/1.1" for path in ("/keys.json", "/s/1", "/s/1.notes", "/v1")]
    page.reload()
    expect(page.locator("#start")).to_be_visible()
    expect(page.locator("#result")).to_be_hidden()


def test_a_second_code_opened_in_the_same_window_is_checked(open_page, served):
    page = open_page(f"{served.address}/v1#{served.plane.text().split('#')[1]}")
    expect(page.get_by_role("heading", name="Valid")).to_be_visible()

    page.evaluate("(code) => { location.hash = code; }", served.plane.text(status_index=REVOKED).split("#")[1])

    expect(page.get_by_role("heading", name="Revoked")).to_be_visible()
    assert "#" not in page.evaluate("location.href")


def test_nothing_is_kept_on_the_device(state):
    page = state("valid")

    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_it_is_one_small_file_that_names_no_other_host():
    page = verifier.page.page()

    assert len(page) <= 60_000
    shell = page.partition(b'<script type="text/plain"')[0]
    assert set(re.findall(rb"(?:src|href|action)=[\"']?([^\"' >]+)", shell)) == {b"data:,", b"/v1/check", b"/kit.html"}
    assert b"default-src 'none'" in page
    assert b"unsafe" not in page.partition(b"<style>")[0]


def test_the_policy_to_serve_it_with_is_its_own_and_forbids_frames():
    policy = verifier.page.policy()

    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'")


def test_keys_in_the_page_cannot_end_their_script():
    page = verifier.page.page(json.dumps({"keys": "</script><script>alert(1)</script>"}).encode())

    assert b"<script>alert(1)" not in page


def test_without_scripts_the_server_is_asked_by_a_plain_form(open_page, served):
    page = open_page(f"{served.address}/v1", java_script_enabled=False)

    form = page.locator("form[action='/v1/check']")
    expect(form).to_be_visible()
    expect(page.locator("#start")).to_be_hidden()
    assert form.get_attribute("method") == "post"
    assert form.get_attribute("enctype") == "multipart/form-data"
    for name in ("text", "file"):
        expect(form.locator(f"[name={name}]")).to_be_visible()
    expect(page.get_by_text("This browser can't check by itself")).to_be_visible()


def test_with_scripts_the_same_form_is_a_click_away(state):
    page = state("start")
    expect(page.locator("form[action='/v1/check']")).to_be_hidden()

    page.get_by_text("Let the registry's server check it").click()

    expect(page.locator("form[action='/v1/check']")).to_be_visible()


def test_on_paper_there_is_the_result_and_nothing_to_press(state):
    page = state("superseded")
    page.emulate_media(media="print")

    expect(page.get_by_role("heading", name="Replaced")).to_be_visible()
    expect(page.locator("#facts")).to_be_visible()
    expect(page.locator("#host")).to_be_visible()
    for control in ("#again", "#print", "#language", "#server"):
        expect(page.locator(control)).to_be_hidden()


def test_both_languages_say_the_same_things():
    source = json.loads((verifier.page.SOURCES / "words.json").read_text("utf-8"))

    assert source["en"].keys() == source["es"].keys()
    for name, english in source["en"].items():
        assert sorted(re.findall(r"\{\d\}", english)) == sorted(re.findall(r"\{\d\}", source["es"][name])), name
