"""The service worker: after the first visit the page works without a connection, and no longer than its lists do."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from static_plane import REVOKED, STRANGER

AT_WORK = """() => navigator.serviceWorker.controller ? true : new Promise((at_work) => {
    navigator.serviceWorker.oncontrollerchange = () => at_work(true);
})"""


@pytest.fixture
def visited(open_page, served):
    """A page that was open once, its worker at work, and then the registry cannot be reached."""

    def again(code):
        page = open_page(f"{served.address}/v1", service_workers="allow")
        page.evaluate(AT_WORK)
        served.server.shutdown()
        served.server.server_close()
        page.goto(f"{served.address}/v1{code}")
        return page

    return again


def digits(text):
    return "#" + text.split("#")[1]


def test_without_a_connection_a_certificate_is_checked_as_of_the_list_that_was_kept(visited, served):
    page = visited(digits(served.plane.text()))

    expect(page.locator("#result")).to_have_attribute("data-verdict", "valid")
    expect(page.locator("#when")).to_contain_text("Status list of ")
    expect(page.locator("#when")).to_contain_text("Keys: kept on this device from an earlier visit.")
    page.locator("#again").click()
    page.locator("#text").fill(served.plane.text(status_index=REVOKED))
    page.locator("#typed button").click()
    expect(page.locator("#result")).to_have_attribute("data-verdict", "revoked")


def test_every_list_is_kept_though_none_was_used_and_nothing_of_any_certificate(visited, served):
    page = visited(digits(served.plane.text()))

    kept = page.evaluate("caches.open('v1').then((kept) => kept.keys()).then((all) => all.map(({ url }) => url))")
    paths = sorted(url.removeprefix(served.address) for url in kept)
    assert paths == ["/keys.json", "/s/1", "/s/1.notes", "/v1", "/v1-kept-at"]


def test_a_kept_list_past_its_time_says_nothing(visited, served):
    served.plane.list({REVOKED: 1}, age=49 * 3600)
    page = visited(digits(served.plane.text(status_index=REVOKED)))

    expect(page.locator("#result")).to_have_attribute("data-verdict", "status_unknown")


def test_kept_keys_may_lack_the_newest(visited, served):
    page = visited(digits(served.plane.text(by=STRANGER)))

    expect(page.locator("#result")).to_have_attribute("data-verdict", "cannot_check")


def test_with_a_connection_the_newest_list_counts(open_page, served):
    page = open_page(f"{served.address}/v1", service_workers="allow")
    page.evaluate(AT_WORK)
    served.plane.list({10: 1})

    page.goto(f"{served.address}/v1?lang=es{digits(served.plane.text())}")

    expect(page.locator("#result")).to_have_attribute("data-verdict", "revoked")
    expect(page.get_by_role("heading", name="Revocado")).to_be_visible()


def test_what_is_no_file_of_the_page_is_left_alone(open_page, served):
    page = open_page(f"{served.address}/v1", service_workers="allow")
    page.evaluate(AT_WORK)
    served.seen.clear()

    assert page.evaluate("fetch('/v1/check', { method: 'POST', body: 'x' }).then(({ status }) => status)") == 501
    assert {line.split()[1] for line in served.seen if "HTTP" in line} == {"/v1/check"}
