"""What in a page keeps people out, as axe finds it: every rule once, then those that a width or a colour changes."""

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe

WIDTHS = (320, 768, 1280)
EVERY = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast", "link-in-text-block")
RULES = {320: EVERY, 1280: (*EVERY, *(f"-{rule}" for rule in COLOURS))}
"""A wider screen shows other parts in the same colours."""


def barriers(page: Any, rules: Sequence[str] = EVERY, *, without: str = "") -> dict[str, list[str]]:
    """The rules that are broken, and where. `rules`: names, or tags of axe and `-name` of one that is left out.

    `without`: a selector of what is the same again, many times; it is taken out of the page.
    """
    if without:
        page.evaluate("same => document.querySelectorAll(same).forEach(one => one.remove())", without)
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    options = {
        "runOnly": [rule for rule in rules if rule[0] != "-"],
        "rules": {rule[1:]: {"enabled": False} for rule in rules if rule[0] == "-"},
        "resultTypes": ["violations"],
    }
    violations = page.evaluate("options => axe.run(options).then(found => found.violations)", options)
    return {broken["id"]: [node["html"] for node in broken["nodes"]] for broken in violations}


def has_no_barrier(page: Any, path: str, *, without: str = "") -> None:
    """Nothing is broken on the narrowest and on the widest screen, and on none is anything to scroll sideways."""
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.goto(path)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} wide at {width}"
    for width, rules in RULES.items():
        page.set_viewport_size({"width": width, "height": 900})
        assert barriers(page, rules, without=without) == {}, f"{path} at {width}"
