"""The bad-input corpus, fed to the page's own checker in a browser: as text, as file, as status list.

Of the text of a code it says exactly what `tests/corpus/expected.json` says. Of files it says that, or in words that it
reads no such file; where it looks at less than the program does, and so finds a good code in what has two or in what
has a bad badge as well, or does not find the code, `tests/corpus/page.json` says so. All are fed to one page.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from pathlib import Path

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
sys.path.insert(0, str(CORPUS))

import make  # noqa: E402 - as the next

import verifier.page  # noqa: E402

TEXTS = ("qr", "names", "dates", "cbor")
UNREAD = {  # what is said of a folder's files that the page does not read, by the type browsers say that they have
    "qr": ("text/plain", "not_a_file"),
    "badge": ("application/json", "not_a_file"),
    "jwt": ("", "not_a_file"),
    "svg": ("image/svg+xml", "no_code"),
    "png": ("image/png", "no_code"),
    "jpeg": ("image/jpeg", "no_code"),
    "pdf": ("application/pdf", "no_pdf_code"),
}
LONGEST = 2_000_000
SOME_SVG = 5  # every fifth: to the page they are pictures, none with a code in it
WORDS = {
    said: name for name, said in json.loads((verifier.page.SOURCES / "words.json").read_text("utf-8"))["en"].items()
}
BUSY = ["", *(said for said, name in WORDS.items() if name in {"checking", "reading"})]
FEED = """async ([fed, busy, good, now]) => {
    const $ = (id) => document.getElementById(id);
    const [said, fetched] = [[], globalThis.fetch];
    let list;
    globalThis.fetch = (path, ...more) =>
        list && path === "/s/1" ? Promise.resolve(new Response(list)) : fetched(path, ...more);
    for (const [name, how, type, packed] of fed) {
        const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
        if (!$("result").hidden) $("again").click();
        delete $("result").dataset.verdict;
        $("progress").textContent = "";
        list = how === "list" && bytes;
        const began = performance.now();
        Date.now = () => now + (how === "file" && performance.now() - began); // who looks for a code minds the time
        if (how === "file") {
            const data = new DataTransfer();
            data.items.add(new File([bytes], name, { type }));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        } else {
            $("text").value = list ? good : new TextDecoder().decode(bytes);
            $("typed").dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
        }
        const answer = () => {
            const words = $("progress").textContent;
            return $("result").dataset.verdict ?? (busy.includes(words) ? null : words);
        };
        while (answer() === null && performance.now() - began < 20000) await new Promise((next) => setTimeout(next));
        said.push(answer());
    }
    return said;
}"""


def judged(name):
    """By file, the verdict: names there have no ending, but of lists and of what is made when the tests run."""
    table = json.loads((CORPUS / name).read_text("utf-8"))
    return {
        f"{folder}/{one}": said
        for folder, verdicts in table.items()
        for said, names in verdicts.items()
        for one in names
    }


def to_feed():
    """Each with its name without ending, how it is fed, its type and what the page should say of it."""
    expected, of_the_page = judged("expected.json"), judged("page.json")
    kept = sorted(path for path in CORPUS.glob("*/*") if path.parent.name not in {"static", "__pycache__"})
    files = [(f"{path.parent.name}/{path.name}", path.read_bytes()) for path in kept]
    svgs = 0
    for full, content in [*files, *make.bombs()]:
        folder = full.partition("/")[0]
        name = full if full in expected else full.rpartition(".")[0]
        verdict = expected[name]
        svgs += folder == "svg"
        if len(content) > LONGEST or (folder == "svg" and svgs % SOME_SVG):
            continue
        if folder == "lists":
            yield name, "list", "", content, "status_unknown" if name.startswith("lists/bits") else verdict
        if folder in TEXTS:
            yield name, "text", "", content, verdict
        if folder in UNREAD:
            kind, unread = UNREAD[folder]
            said = verdict if verdict != "malformed" else {unread, "malformed"}
            said = of_the_page.get(name, unread if folder in {"badge", "jwt", "svg"} else said)
            yield name, "file", kind, content, said


def test_the_page_agrees(open_page, served):
    for name, content in make.static().items():
        served.plane.write(name.removeprefix("static/"), content)
    page = open_page(f"{served.address}/v1")
    fed = list(to_feed())
    assert {how for _, how, *_ in fed} == {"text", "file", "list"}

    given = [(name, how, kind, b64encode(content).decode()) for name, how, kind, content, _ in fed]
    said = page.evaluate(FEED, [given, BUSY, make.text(), make.AT * 1_000])

    wrong = {}
    for (name, how, _, _, expected), words in zip(fed, said, strict=True):
        found = WORDS.get(words, words)
        if found not in (expected if isinstance(expected, set) else {expected}):
            wrong[name, how] = found, expected
    assert wrong == {}
