"""What in a page keeps people out, as axe finds it: every rule once, then those that a width or a colour changes."""

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe

WIDTHS = (320, 768, 1280)
EVERY = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SIZES = ("target-size", "scrollable-region-focusable")
COLOURS = ("color-contrast", "link-in-text-block")


def barriers(page: Any, rules: Sequence[str] = EVERY, *, without: str = "") -> dict[str, list[str]]:
    """The rules that are broken, and where. `without`: a selector of what is the same again, many times."""
    found = Axe().run(
        page,
        context={"exclude": [without]} if without else None,
        options={"runOnly": list(rules), "resultTypes": ["violations"]},
    )
    return {broken["id"]: [node["html"] for node in broken["nodes"]] for broken in found.response["violations"]}


def has_no_barrier(page: Any, path: str, *, colours_only: bool = False, without: str = "") -> None:
    """Nothing is broken on the narrowest and on the widest screen, and on none is anything to scroll sideways."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path)
        rules = EVERY if width in (WIDTHS[0], WIDTHS[-1]) else SIZES
        if colours_only:
            rules = COLOURS if width == WIDTHS[-1] else ()
        if rules:
            assert barriers(page, rules, without=without) == {}, f"{path} at {width}"
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} wide at {width}"
