"""A real browser, and a static plane of our own making behind a plain file server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from static_plane import Plane, Served


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    return Plane(tmp_path / "static")


@pytest.fixture
def served(plane: Plane) -> Iterator[Served]:
    here = Served(plane)
    yield here
    here.server.shutdown()
    here.server.server_close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A page at an address; any script error or refusal of the policy fails the test."""
    opened: list[Any] = []
    trouble: list[str] = []

    def at(url: str, *, width: int = 768, height: int = 1024, **settings: Any) -> Page:
        usual = {"locale": "en-US", "service_workers": "block"}
        context = browser.new_context(viewport={"width": width, "height": height}, **usual | settings)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda said: trouble.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(url)
        return page

    yield at
    for context in opened:
        context.close()
    assert trouble == []
