"""What the commands of `verify` have in common: words on the command line, files, and plain text for a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from verifier import keys
from verifier.keys import KeyRing
from verifier.verdict import LAST_SECOND, Unverified

_LONGEST_INPUT: Final = 16 << 20
_COLUMNS: Final = 80  # where there is no terminal


class Misused(Exception):
    """The command line, or a file of keys it names, can't be understood."""


class Parser(argparse.ArgumentParser):
    def __init__(self, prog: str, description: str, examples: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=examples,
            formatter_class=_formatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise Misused(message)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """As wide as the terminal. Without a width argparse asks `shutil`, for each option, and that takes long to load."""
    try:
        columns = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size().columns
    except (ValueError, OSError):
        columns = 0
    return argparse.RawDescriptionHelpFormatter(prog, width=(columns or _COLUMNS) - 2)


def say(text: str) -> None:
    """Prints in UTF-8 whatever the locale: names need it, and so does JSON. A reader may stop listening."""
    out = sys.stdout.buffer
    with suppress(BrokenPipeError):
        out.write(f"{text}\n".encode(errors="replace"))  # a file's name may be no text
        out.flush()
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def time_of(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Misused(f"--at {text!r} is not a time like 2026-11-22T12:00:00Z") from None
    if at.tzinfo is None:
        raise Misused(f"--at {text!r} lacks its zone: write {text}Z for UTC, or an offset")
    if not 0 <= at.timestamp() <= LAST_SECOND:
        raise Misused(f"--at {text!r} is before 1970 or after 9999")
    return at


def content_of(path: Path, most: int = _LONGEST_INPUT) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise Misused(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise Misused(f"{path} is too large")
    return content


def key_ring(asked: argparse.Namespace) -> KeyRing:
    """Of everything named; where there is a static folder, it alone says which addresses are good."""
    published = documents = KeyRing()
    try:
        if asked.static is not None:
            published = keys.read_keys_json(content_of(asked.static / "keys.json"))
        for path in asked.did:
            documents |= keys.read_did(content_of(path))
        logs = [*published.logs, *published.withdrawn_logs, *map(keys.read_vkey, asked.log)]
        return KeyRing(
            (*published, *documents),
            prefixes=published.prefixes or documents.prefixes,
            logs=logs,
            witnesses=[*published.witnesses, *map(keys.read_witness_vkey, asked.witness)],
        )
    except Unverified as refused:
        raise Misused(refused.why) from None


_MARKS: Final = {True: "ok  ", False: "FAIL", None: "-   "}


def checks_of(report: dict[str, Any]) -> Iterator[str]:
    """The numbered lines of a report's checks."""
    for check in report["checks"]:
        found = f" ({check['found']})" if check["found"] else ""
        yield f"  {check['number']:>2} {_MARKS[check['passed']]} {check['check']}{found}"


def printable(lines: Iterable[str]) -> str:
    """What a certificate says must not steer a terminal."""
    return "\n".join(
        "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line) for line in lines
    )
