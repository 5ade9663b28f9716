"""Writes the files of many certificates into folders; killed and run again it goes on where it was."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, get_args

from domain.errors import Refused
from registry.certificates.issue import PDF, Issuer
from registry.certificates.printed import Forgotten
from registry.certificates.qr import Unprintable
from registry.log.published import NotYetPublished
from registry.log.tiles import Disk

Outcome = Literal["written", "kept", "erased", "unpublished", "unprintable"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)

_REFUSED: Final[Mapping[type[Exception], Outcome]] = {
    Forgotten: "erased",
    NotYetPublished: "unpublished",
    Unprintable: "unprintable",
}


def write_files(
    issuer: Issuer, numbers: Sequence[str], path: Callable[[str, str], Path]
) -> Iterator[tuple[str, Outcome]]:
    """The files of the newest certificate of each of these, and what became of each, in this order.

    `path`: where a file of a number goes; all of one number go to one folder.
    """
    current = {number for number in numbers if _is_written(issuer, number, path)}
    rendered = issuer.render_all([number for number in numbers if number not in current])
    for number in numbers:
        if number in current:
            yield number, "kept"
            continue
        _, files = next(rendered)
        if isinstance(files, Exception):
            if type(files) not in _REFUSED:
                raise files
            yield number, _REFUSED[type(files)]
            continue
        write_certificate(path(number, PDF).parent, {path(number, file).name: made for file, made in files.items()})
        yield number, "written"


def _is_written(issuer: Issuer, number: str, path: Callable[[str, str], Path]) -> bool:
    try:
        return issuer.is_written(number, lambda file: path(number, file))
    except (Refused, Unprintable, NotYetPublished):
        return False  # which of them it is, making it says


def write_certificate(directory: Path, files: Mapping[str, bytes], disk: Disk | None = None) -> None:
    """Put the files of a certificate into a folder for its owner's eyes; the page last, so that it is there when
    all is. Each appears whole; called again after a crash, it goes on.
    """
    disk = disk or Disk()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    changed = False
    for name in sorted(files, key=lambda name: (_is_page(name), name)):
        path = directory / name
        same = path.is_file() and path.read_bytes() == files[name]
        # The page again with every other file: it is never older than they are.
        if same and not (changed and _is_page(name)):
            continue
        changed = True
        aside = directory / f".{name}.new"
        disk.write(aside, files[name])
        disk.rename(aside, path)
    disk.sync(directory)


def _is_page(name: str) -> bool:
    return name.endswith(Path(PDF).suffix)
