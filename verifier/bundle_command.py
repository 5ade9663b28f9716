"""The command `verify bundle`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from verifier import bundle, keys
from verifier.keys import KeyRing
from verifier.shell import Misused, Parser, checks_of, content_of, printable, say
from verifier.verdict import Unverified, iso

_EXAMPLES: Final = """\
examples:
  verify bundle moved.json --static ./static
      against a copy of the registry's static files: keys, witnesses, checkpoint
  verify bundle moved.json --log 'registry.example/log+1a2b3c4d+AX...' --witness 'witness.example+5e6f7a8b+BD...'
      against the keys of the log and of a witness, as you were given them
  verify bundle moved.json
      whether it is consistent in itself; that does not say who made it

What it checks, in this order: the one spelling of the file; the log's signature; that every event is in the log; that
no stream has a gap and every opened field is what was recorded; the keys; the registry's signature of the file; that
standing, custody and transfers follow from the events, by rules of its own; the rules cited; then the keys you trust,
and the witness. That no case was left out is the registry's signed word, no more.

exit codes:
  0  proved, against keys that you named
  2  altered, cut, of another log, or forged: the first thing that is wrong is said
  3  consistent in itself, but the keys are not pinned, or no witness named by --witness has countersigned
  64 the command or a file it names cannot be understood
  70 a fault of this program: it says nothing about the bundle
"""


def answer(words: Sequence[str]) -> int:
    parser = Parser(
        "verify bundle",
        "Check a bundle: events with the proof that they are in the log, and what follows from them.",
        _EXAMPLES,
    )
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="the bundle")
    add("--static", type=Path, metavar="DIR", help="a registry's static files: keys, witnesses, checkpoint")
    add("--log", action="append", default=[], metavar="VKEY", help="the key of the log (name+hash+key)")
    add("--witness", action="append", default=[], metavar="VKEY", help="the key of a witness (name+hash+key)")
    add("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args(words)
    if asked.witness and not (asked.log or asked.static):
        raise Misused("--witness needs the key of the log too: --log VKEY, or --static DIR")
    if asked.static is not None:
        asked.static = asked.static.resolve()  # as the command verify does
    pins = _pins(asked)
    # One byte more than a bundle may have: then it is refused for its size.
    content = content_of(asked.file, bundle.LARGEST + 1)
    report = _bundle_report(asked.file.name, content, pins)
    say(json.dumps(report, ensure_ascii=False, indent=2) if asked.json else _plain_bundle(report))
    return int(report["exit"])


def _pins(asked: argparse.Namespace) -> bundle.Pins:
    ring, checkpoint = KeyRing(), None
    try:
        witnesses = [*map(keys.read_witness_vkey, asked.witness)]
        if asked.static is not None:
            ring = keys.read_keys_json(content_of(asked.static / "keys.json"))
            checkpoint = content_of(asked.static / "checkpoint") if (asked.static / "checkpoint").exists() else None
        logs = dict.fromkeys([*ring.logs, *map(keys.read_vkey, asked.log)])
    except Unverified as refused:
        raise Misused(refused.why) from None
    return bundle.Pins(tuple(logs), tuple(witnesses), ring, checkpoint)


def _bundle_report(name: str, content: bytes, pins: bundle.Pins) -> dict[str, Any]:
    """All that is said of a bundle; of one that is not in order nothing in it is repeated."""
    try:
        proved = bundle.check(content, pins)
    except Unverified as refused:
        return {
            "source": name,
            "verdict": refused.verdict,
            "exit": 2,
            "sentence": bundle.sentence_of(refused),
            "why": refused.why,
            "checks": [check._asdict() for check in refused.checks],
        }
    checkpoint = proved.checkpoint
    return {
        "source": name,
        "verdict": proved.verdict,
        "exit": proved.exit,
        "sentence": proved.sentence,
        "specimen": proved.specimen,
        "checks": [check._asdict() for check in proved.checks],
        "checkpoint": {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()},
        "witnesses": [{"witness": one.witness, "at": iso(one.time)} for one in proved.cosignatures],
        "asked": proved.asked,
        "for": proved.made_for,
        "made_at": proved.made_at,
        "events": proved.events,
        "opened": [{name: one[name] for name in ("stream", "version", "field", "value")} for one in proved.opened],
        "claims": proved.claims,
        "policy": proved.policy,
    }


def _plain_bundle(report: dict[str, Any]) -> str:
    lines = [f"{report['source']}: {report['verdict']}", report["sentence"]]
    if report.get("specimen"):
        lines.insert(0, "*** SPECIMEN: made by a demo. Nothing in it is anybody's endorsement. ***")
    if "claims" in report:
        lines += ["", *_claimed(report)]
    lines += ["", "  checks:", *checks_of(report)]
    return printable(lines)


def _claimed(report: dict[str, Any]) -> Iterator[str]:
    """How each endorsement stood from day to day, who held it, and each transfer; the names that were opened."""
    asked = report["asked"]
    of = asked.get("number") or asked.get("person") or f"{asked['association']}, {asked['from']} to {asked['to']}"
    whom = " ".join(filter(None, (report["for"]["role"], report["for"]["association"])))
    yield f"  of {of}, made {report['made_at']} for {whom}, {report['events']} events"
    for one in report["opened"]:
        yield f"  {one['field']} of {one['stream']}, version {one['version']}: {one['value']}"
    for held in report["claims"]["endorsements"]:
        yield f"  {held['number']}, awarded {held['awarded_on']}, held by person {held['person']}"
        for span in held["standing"]:
            days = f"{span['from']} to {span['to'] or 'further notice'}"
            yield f"    {days}: {span['standing']}, {span['category']}, {span['association']}"
        for decision in held["decisions"]:
            yield f"    {decision['on']} {decision['topic']} under {decision['edition']}, by {decision['by']}"
    for move in report["claims"]["transfers"]:
        word = "; ".join(f"{said['said']} {said['on']} by {said['by']}" for said in move["words"]) or "no word"
        ended = f" {move['ended_on']}" if move["ended_on"] else ""
        yield f"  transfer {move['transfer']} from {move['from']} to {move['to']}, asked {move['requested_on']}"
        yield f"    {', '.join(move['endorsements'])}: {word}; {move['state']}{ended}"
