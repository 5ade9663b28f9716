"""Sets pages with typst, PDF/A-3b and PDF/UA-1 in one file: one template, and words that are never markup."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast

import msgspec
import typst

from registry.certificates.qr import Unprintable

_HERE: Final = Path(__file__).parent


class Sheets:
    """Keeps its compilers: a page takes milliseconds. `fonts`: a folder with more fonts, for names of any script.

    The fonts that come with typst cover Latin, Greek, Cyrillic, Hebrew and the common letters of Arabic. A name
    with other letters is set in a font of that folder, else of the system; with none, printing is refused.
    """

    def __init__(self, template: str, fonts: Path | None = None) -> None:
        """`template`: the name of the file beside this one, and of the input that it reads."""
        self._template = template
        self._fonts = [fonts] if fonts and fonts.is_dir() else []
        more = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=self._fonts)
        self._families = more.families()
        self._lock = Lock()  # a compiler holds the inputs of one page
        self._compilers: dict[bool, typst.Compiler] = {}

    def print(self, words: Mapping[str, Any], at: datetime) -> bytes:
        """The pages, dated as of a time. The same inputs give the same bytes. Raises Unprintable."""
        inputs = msgspec.json.encode({"fonts": self._families, **words}).decode()
        with self._lock:
            for system_fonts in (False, True):
                try:
                    return self._compile(inputs, int(at.timestamp()), system_fonts=system_fonts)
                except typst.TypstError as error:
                    if "could not be displayed" not in error.message:
                        raise
        # The compiler's message quotes the name; ours must not.
        raise Unprintable("no font here has all letters of the name: put one that has into the folder of fonts")

    def _compile(self, inputs: str, timestamp: int, *, system_fonts: bool) -> bytes:
        compiler = self._compilers.get(system_fonts)
        if compiler is None:
            compiler = self._compilers[system_fonts] = typst.Compiler(
                _HERE / f"{self._template}.typ",
                root=_HERE,
                font_paths=self._fonts,
                ignore_system_fonts=not system_fonts,
            )
        pages = compiler.compile(
            format="pdf",
            sys_inputs={self._template: inputs},
            pdf_standards=["a-3b", "ua-1"],
            timestamp=timestamp,
        )
        return cast("bytes", pages)  # one file: only pictures come as a list
