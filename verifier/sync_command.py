"""The command `verify sync`: the only one that uses the network."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from verifier import keys, sync
from verifier.download import Unreached, origin
from verifier.shell import Misused, Parser, checks_of, content_of, printable, say, time_of
from verifier.verdict import Unverified, iso

_EXAMPLES: Final = """\
examples:
  verify sync https://registry.example ./static
      keys, DID documents, checkpoint, status lists, notes and the page of a registry, into ./static; then
  verify certificate.pdf --static ./static
      works with no network, for as long as the lists are good: two days. Run sync once a day
  verify sync https://registry.example ./static --fingerprint 5f0c...
      only if these are the keys of which somebody you trust read you the fingerprint; sync prints it
  verify sync https://registry.example ./static --keys keys.json --witness 'witness.example+5e6f7a8b+BD...'
      only if there are no other keys than in that file, and this witness has countersigned the log's checkpoint
  verify sync https://registry.example ./static --tiles
      also the hashes of the log, 32 bytes an entry, with which verify receipt shows that the log still holds all that
      it held when a receipt was given. The first time this is a file for every 256 entries, for a large log minutes;
      from then on the folder gets the new ones with every sync

The first time nothing but the connection (TLS) says that these are the registry's keys: compare the fingerprint over
another way. From then on a log that forgets, goes back or splits is refused, and so are lost keys, keys whose
withdrawal is forgotten, and lists older than those that are here. New keys are told.

The folder is a link to the newest set, beside it is what sync needs: a reader sees the old set or the new one, never a
mixture. What was fetched before an interruption is not fetched again.

exit codes:
  0  the folder holds what the registry publishes now, and the lists are fresh
  2  refused: altered, forged, rolled back, or other keys than those that were trusted; the folder is as it was
  3  not established: the registry could not be reached whole, and the folder is as it was; or its lists are too old
  64 the command or a file it names cannot be understood
  70 a fault of this program
"""

_SENTENCES: Final = {
    0: "The folder holds what the registry publishes now.",
    2: "What this server hands out contradicts what was trusted, or itself. The folder is as it was.",
    3: "The registry could not be read whole. The folder is as it was: try again.",
}
_STALE: Final = "The folder holds what the registry publishes, but its status lists are too old to say anything."
_FIRST: Final = (
    "First use: nothing but the connection says that these are the registry's keys. Compare the fingerprint with "
    "somebody you trust, and name it with --fingerprint."
)
_QUIET: Final = 2.0  # seconds before progress is told, and between two lines of it half of that


def answer(words: Sequence[str]) -> int:
    parser = Parser("verify sync", "Download what a registry publishes, so that checks need no network.", _EXAMPLES)
    add = parser.add_argument
    add("url", metavar="URL", help="the registry: https://HOST (http only for this machine)")
    add("directory", metavar="DIR", type=Path, help="where to; made by the first sync")
    add("--keys", type=Path, metavar="FILE", help="a keys.json that you trust: no other keys are taken")
    add("--fingerprint", metavar="HEX", help="the fingerprint of the keys, as somebody you trust told you")
    add("--log", action="append", default=[], metavar="VKEY", help="the key of the log (name+hash+key)")
    add("--witness", action="append", default=[], metavar="VKEY", help="a witness that must have countersigned")
    add("--tiles", action="store_true", help="copy the hashes of the log too, for receipts; once is enough")
    add("--at", metavar="TIME", help="judge the lists as of this time; the default is now")
    add("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args(words)
    at = time_of(asked.at)
    report: dict[str, Any] = {
        "url": asked.url,
        "directory": str(asked.directory),
        "checked_at": iso(int(at.timestamp())),
    }
    try:
        origin(asked.url)
    except Unreached as refused:
        raise Misused(str(refused)) from None
    try:
        pins, tell = _pins(asked), _Progress()
        report |= _told(sync.sync(asked.url, asked.directory, pins, at=at, tell=tell, with_tiles=asked.tiles))
    except sync.InUse as refused:
        raise Misused(str(refused)) from None
    except OSError as refused:
        raise Misused(f"{asked.directory} cannot be written: {refused.strerror}") from None
    except Unverified as refused:
        report |= _failed(2, refused.why, refused.verdict) | {"checks": [check._asdict() for check in refused.checks]}
    except Unreached as refused:
        report |= _failed(3, str(refused))
    say(json.dumps(report, ensure_ascii=False, indent=2) if asked.json else _plain(report))
    return int(report["exit"])


def _pins(asked: Any) -> sync.Pins:
    fingerprint = asked.fingerprint and asked.fingerprint.replace(" ", "").lower()
    if fingerprint is not None and not re.fullmatch("[0-9a-f]{64}", fingerprint):
        raise Misused("--fingerprint is 64 hex digits")
    try:
        ring = keys.read_keys_json(content_of(asked.keys)) if asked.keys is not None else None
        logs, witnesses = map(keys.read_vkey, asked.log), map(keys.read_witness_vkey, asked.witness)
        return sync.Pins(ring, fingerprint, tuple(logs), tuple(witnesses))
    except Unverified as refused:
        raise Misused(refused.why) from None


def _told(synced: sync.Synced) -> dict[str, Any]:
    checkpoint = synced.checkpoint
    return {
        "verdict": "synced" if synced.fresh else "stale",
        "exit": 0 if synced.fresh else 3,
        "sentence": _SENTENCES[0] if synced.fresh else _STALE,
        "why": None,
        "specimen": synced.specimen,
        "issuer": synced.issuer,
        "trust": synced.trust,
        "fingerprint": synced.fingerprint,
        "new_keys": synced.new_keys,
        "checkpoint": {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()},
        "cosignatures": [{"witness": one.witness, "at": iso(one.time)} for one in synced.cosignatures],
        "as_of": iso(synced.as_of),
        "good_until": iso(synced.good_until),
        "lists": synced.lists,
        "files": synced.files,
        "resumed": synced.resumed,
        "bytes": synced.size,
        "checks": [check._asdict() for check in synced.checks],
    }


def _failed(exit_code: int, why: str, verdict: str | None = None) -> dict[str, Any]:
    return {"verdict": verdict, "exit": exit_code, "sentence": _SENTENCES[exit_code], "why": why, "checks": []}


class _Progress:
    """Lines on standard error, once it takes longer than a blink."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _QUIET

    def __call__(self, name: str, files: int, size: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _QUIET / 2
            sys.stderr.write(f"verify sync: {files} files, {size / 1e6:.1f} MB; now {name}\n")
            sys.stderr.flush()


def _plain(report: dict[str, Any]) -> str:
    lines = [f"{report['directory']}: {report['verdict'] or 'not reached'}", report["sentence"]]
    if report["why"]:
        lines.append(report["why"])
    if report.get("specimen"):
        lines.insert(0, "*** SPECIMEN: made by a demo. Nobody holds these endorsements. ***")
    if "trust" in report:
        checkpoint = report["checkpoint"]
        lines += [_FIRST] if report["trust"] == "first_use" else []
        lines += [
            "",
            f"  issuer       {report['issuer']}",
            f"  fingerprint  {report['fingerprint']}",
            f"  log          {checkpoint['origin']}, {checkpoint['size']} entries",
            f"  status       as of {report['as_of']}, good until {report['good_until']}",
            f"  files        {report['files']}, {report['bytes']} bytes, {report['resumed']} from an earlier run",
        ]
    if report["checks"]:
        lines += ["", "  checks:", *checks_of(report)]
    return printable(lines)
