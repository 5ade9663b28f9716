"""From a code's text to the verdict's heading on the verify page, in Chromium, from a plain file server on loopback.

`python -m bench.page [--rounds 15] [--json]`. Each time in a window of its own, with nothing kept: `verdict` from
handing the text to the loaded page, its list still to be fetched; `opened` from opening the address of the code, as a
phone's camera does.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.home import tell

TESTS = Path(__file__).parents[1] / "tests"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_SEEN = """
new Promise((seen) => {
  const [result, heading] = [document.getElementById("result"), document.getElementById("verdict")];
  const look = () => !result.hidden && heading.textContent && seen(performance.now());
  new MutationObserver(look).observe(result, {attributes: true, childList: true, subtree: true});
  look();
})"""
HANDED = f"async (code) => {{ const begun = performance.now(); location.hash = code; return await {_SEEN} - begun; }}"
OPENED = f"async () => await {_SEEN}"


def verdicts(browser: Browser, address: str, text: str, found: dict[str, list[float]]) -> None:
    """One more of each, in milliseconds."""
    code = text.partition("#")[2]
    for name, fragment in (("verdict", ""), ("opened", f"#{code}")):
        context = browser.new_context(locale="en-US", service_workers="block")
        page = context.new_page()
        if name == "verdict":
            page.goto(f"{address}/v1{fragment}", wait_until="networkidle")  # its keys are there too
            found[name].append(page.evaluate(HANDED, code))
        else:
            page.goto(f"{address}/v1{fragment}", wait_until="commit")
            page.wait_for_selector("#result", state="attached")
            found[name].append(page.evaluate(OPENED))
        assert page.locator("#verdict").inner_text().startswith("Valid")
        context.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    sys.path.insert(0, str(TESTS / "page"))
    import static_plane  # noqa: PLC0415 - the plane of the tests

    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        options.error("there is no Chromium: make browser")
    found: dict[str, list[float]] = {"verdict": [], "opened": []}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        served = static_plane.Served(static_plane.Plane(Path(folder) / "static"))
        browser = playwright.chromium.launch(
            executable_path=program, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        verdicts(browser, served.address, served.plane.text(), {"verdict": [], "opened": []})
        for _ in range(asked.rounds):
            verdicts(browser, served.address, served.plane.text(), found)
        browser.close()
        served.server.shutdown()
        served.server.server_close()
    result = {f"{name}_ms": round(statistics.median(times), 1) for name, times in found.items()}
    spread = {name: [round(one(times), 1) for one in (min, max)] for name, times in found.items()}
    tell(result | {"spread_ms": spread}, asked)


if __name__ == "__main__":
    main()
