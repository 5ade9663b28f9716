"""Makes the files of many certificates at once, on every core; killed and run again it goes on where it was."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Literal, get_args

from registry.certificates.issue import PDF, TEXT, Forgotten, Issuer, write_certificate
from registry.certificates.qr import Unprintable
from registry.log.published import NotYetPublished
from registry.opening import open_issuer, open_keys, open_printer
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault

Outcome = Literal["written", "kept", "erased", "unpublished", "unprintable"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)

_FEW: Final = 8
"""Below this one process is faster than two: each has to start."""
_CHUNK: Final = 4


def write_files(
    settings: Settings, wanted: Sequence[tuple[str, str]], out: Path, progress: Callable[[int, int], None]
) -> dict[str, Outcome]:
    """The files of these certificates (number, cti), each number in a folder of its own; what became of each."""
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    found: dict[str, Outcome] = {}
    for done, (number, outcome) in enumerate(_made(settings, wanted, out), start=1):
        found[number] = outcome
        progress(done, len(wanted))
    return found


def _made(settings: Settings, wanted: Sequence[tuple[str, str]], out: Path) -> Iterator[tuple[str, Outcome]]:
    if len(wanted) < _FEW:
        maker = _Maker(settings, out)
        yield from map(maker.make, wanted)
        maker.close()
        return
    # Not forked: this process has threads and connections of its own.
    with ProcessPoolExecutor(
        min(os.cpu_count() or 1, len(wanted)), get_context("spawn"), initializer=_begin, initargs=(settings, out)
    ) as pool:
        yield from pool.map(_make, wanted, chunksize=_CHUNK)


class _Maker:
    def __init__(self, settings: Settings, out: Path) -> None:
        self._out = out
        self._store = Store(settings, Vault(settings))
        self._issuer: Issuer = open_issuer(settings, self._store, open_keys(settings), open_printer(settings))

    def make(self, wanted: tuple[str, str]) -> tuple[str, Outcome]:
        number, cti = wanted
        try:
            return number, self._make(number, cti)
        except Forgotten:
            return number, "erased"
        except NotYetPublished:
            return number, "unpublished"
        except Unprintable:
            return number, "unprintable"

    def _make(self, number: str, cti: str) -> Outcome:
        folder = self._out / number
        try:
            # The text says by which key, and the page is written last: if it is not the older one, all is there.
            same = (folder / TEXT).read_text(encoding="utf-8") == self._issuer.text(number, cti)
            if same and (folder / PDF).stat().st_mtime_ns >= (folder / TEXT).stat().st_mtime_ns:
                return "kept"
        except (OSError, UnicodeDecodeError):
            pass
        write_certificate(folder, self._issuer.render(number, cti))
        return "written"

    def close(self) -> None:
        self._store.close()
        self._store.vault.close()


_maker: _Maker | None = None


def _begin(settings: Settings, out: Path) -> None:
    """Of each process: its own connection, printer and keys."""
    global _maker  # noqa: PLW0603 - one for each process of the pool
    _maker = _Maker(settings, out)


def _make(wanted: tuple[str, str]) -> tuple[str, Outcome]:
    assert _maker  # noqa: S101 - the pool begins with it
    return _maker.make(wanted)
