"""The fixtures of both faces, and a real browser with a session."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from faces import address, client, desk, life, registry, views
from grounds import PATIENCE
from playwright.sync_api import Page

__all__ = ["address", "client", "desk", "life", "registry", "views"]


@pytest.fixture
def visit(browser, address, desk) -> Iterator[Callable[..., Page]]:
    """A page of a new visitor: `visit()` the public, `visit("coordinator", association="VA")` by a link.

    Any script error or refusal of the policy fails the test.
    """
    opened: list[Any] = []
    trouble: list[str] = []

    def come(role: str = "", *, script: bool = True, width: int = 1024, **whose: str) -> Page:
        context = browser.new_context(
            base_url=address, java_script_enabled=script, locale="en-US", viewport={"width": width, "height": 900}
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda said: trouble.append(said.text) if "Content Security" in said.text else None)
        if role:
            page.goto(desk.make_entry(role, **whose))
            page.get_by_role("button", name="Come in").click()
            page.wait_for_load_state()
        return page

    yield come
    for context in opened:
        context.close()
    assert trouble == []
