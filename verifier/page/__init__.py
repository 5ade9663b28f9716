"""The static verification page: one file that checks a certificate in the reader's own browser."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from html import unescape
from importlib.resources import files
from typing import Final

SOURCES: Final = files(__name__)
_RING: Final = re.compile(r'(<script type="application/json" id="embedded">).*?(</script>)', re.DOTALL)
_POLICY: Final = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')


class NotBuilt(FileNotFoundError):
    """The page is made at set-up: make setup."""


def _built() -> str:
    page = SOURCES / "index.html"
    if not page.is_file():
        raise NotBuilt("verifier/page/index.html is not built; run: make setup")
    return page.read_text("utf-8")


def page(keys: bytes | None = None) -> bytes:
    """The page to publish; with `keys` (a keys.json) it can check signatures with no network at all."""
    built = _built()
    if keys is not None:
        ring = keys.decode().replace("<", "\\u003c")
        built = _RING.sub(lambda parts: parts[1] + ring + parts[2], built, count=1)
    return built.encode()


def kit(keys: bytes, files: Mapping[str, bytes], made: int) -> bytes:
    """The page as an offline kit: with the keys, and the lists and notes by path (`/s/1`), of that time in seconds."""
    lists = {path: b64encode(content).decode() for path, content in files.items()}
    ring = json.loads(keys) | {"kit": {"made": made, "files": lists}}
    return page(json.dumps(ring, separators=(",", ":")).encode())


def policy(published: bytes | None = None) -> str:
    """The Content-Security-Policy to serve the page with: its own, and what only a header can say.

    Give the bytes that are served where they may be older than the page built last: it names their hashes.
    """
    stated = _POLICY.search(_built() if published is None else published.decode())
    if stated is None:
        raise NotBuilt("this page states no policy; run: make setup")
    return f"{unescape(stated[1])}; frame-ancestors 'none'"
