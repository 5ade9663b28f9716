"""The command `verify`: checks certificates with keys and lists at hand; it never uses the network."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from verifier import bundle, files, keys, receipt, roster, status
from verifier.certificate import LONGEST_TEXT, Certificate, prefix
from verifier.keys import KeyRing
from verifier.status import Statuses
from verifier.verdict import LANGUAGES, LAST_SECOND, UNFORESEEN, USAGE, VERDICTS, Unverified, iso, worst
from verifier.verification import STATUS_CHECK, Verified, refused_words, verify

_HOST: Final = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)
_LONGEST_INPUT: Final = 16 << 20

_EXAMPLES: Final = """\
examples:
  verify certificate.pdf --static ./static
      a certificate, with the keys, lists and log key of a copy of the registry's static files
  verify photo.jpg --did did.json --did status-did.json --status 1
      with the issuer's DID documents and one status list (a file served under /s/)
  verify --text 'https://registry.example/v1#1097...' --static ./static --json
      the text a phone shows for the code; the result as one JSON object
  verify qr.txt --static ./static --proof proof.tlog-proof
      also check that the registry's public log holds this certificate
  some-scanner | verify - --static ./static
  verify bundle FILE --static ./static
      a bundle: events, the proof that they are in the log, and what follows from them; see verify bundle --help
  verify receipt FILE --static ./static
      the receipt of a roster check; see verify receipt --help
  verify roster staff.csv --static ./static
      many certificates at once, each with a name; see verify roster --help

exit codes:
  0  valid
  1  authentic, but revoked, suspended, replaced, expired, not yet valid, its key was withdrawn, or it is a letter
     of registration, which is no endorsement
  2  not authentic: unreadable, altered, another issuer's, an unknown key or a wrong address
  3  not established: authentic, but its current status is not known (no list, or one that is too old), or it
     could not be checked here
  64 the command or a file it names cannot be understood
  70 a fault of this program: it says nothing about any certificate
  With several certificates it is the worst of them: 64, 2, 1, 3, 0.

Compare the name with a photo ID: the code says whom the certificate is about, not who shows it.
"""

_BUNDLE_EXAMPLES: Final = """\
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


_RECEIPT_EXAMPLES: Final = """\
examples:
  verify receipt roster-receipt.json --static ./static
  verify receipt roster-receipt.pdf --static ./static --json
      the pages carry the signed receipt; with a copy of the registry's static files

It says whether the registry answered this, when, about how many rows, and against which checkpoint of its log. It does
not say how things stand today: check the roster again for that.

exit codes:
  0  authentic
  1  authentic, but the key that signed it was withdrawn since
  2  not authentic: altered, cut, another registry's, or its checkpoint is not the log's
  3  signed by a key you named, but no key of the log was named
  64 the command or a file it names cannot be understood
  70 a fault of this program: it says nothing about the receipt
"""

_ROSTER_EXAMPLES: Final = """\
examples:
  verify roster staff.csv --static ./static
      a CSV file of two columns, number and name; the number is the text of a certificate's code

Numbers alone can't be checked without the registry: such rows are not_looked_up (exit 3). Nothing is signed here; the
registry's own roster check gives a receipt. The exit code is that of the worst row.
"""


class _Misused(Exception):
    """The command line, or a file of keys it names, can't be understood."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Misused(message)


def _arguments() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="verify",
        description="Check endorsement certificates: who signed them, and whether they are still good.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", help="text, PNG, JPEG or PDF; - reads text from standard input")
    add("--text", action="append", default=[], metavar="URL", help="the text of the code itself")
    add("--static", type=Path, metavar="DIR", help="a registry's static files: keys, prefixes, lists, notes")
    add("--did", action="append", default=[], type=Path, metavar="FILE", help="a DID document to take keys from")
    add("--status", action="append", default=[], type=Path, metavar="FILE", help="a status list, or its notes")
    add("--host", action="append", default=[], metavar="HOST", help="the host codes must lead to (host[:port])")
    add("--proof", type=Path, metavar="FILE", help="the certificate's proof of being in the log")
    add("--log", action="append", default=[], metavar="VKEY", help="the key of the log (name+hash+key)")
    add("--witness", action="append", default=[], metavar="VKEY", help="the key of a witness of the log")
    add("--at", metavar="TIME", help="check as of this time (2026-11-22T12:00:00Z); the default is now")
    add("--json", action="store_true", help="one JSON object on standard output")
    add("--lang", choices=LANGUAGES, default="en", help="language of the sentence")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _answer(words)
    except _Misused as misused:
        return _fail(words, USAGE, str(misused), "\nTry: verify --help")
    except files.MissingReader as missing:
        return _fail(words, USAGE, f"reading this file needs {missing}: pip install 'endorsement-verifier[files]'")
    except Exception as unforeseen:  # noqa: BLE001 - whoever calls this reads an exit code, not a traceback
        kind = type(unforeseen).__name__
        return _fail(words, UNFORESEEN, f"a fault of this program ({kind}); nothing is said about the certificate")


def _fail(words: Sequence[str], exit_code: int, why: str, hint: str = "") -> int:
    if "--json" in words:
        _say(json.dumps({"verdict": None, "exit": exit_code, "checks": [], "certificate": None, "error": why}))
    print(f"verify: {why}{hint}", file=sys.stderr)
    return exit_code


def _answer(words: Sequence[str]) -> int:
    if words[:1] == ["bundle"]:
        return _answer_bundle(words[1:])
    if words[:1] == ["receipt"]:
        return _answer_receipt(words[1:])
    if words[:1] == ["roster"]:
        return _answer_roster(words[1:])
    asked = _arguments().parse_args(words)
    reports = _reports(asked)
    exit_code = worst([report["exit"] for report in reports])
    if asked.json:
        _say(json.dumps(_joined(reports, exit_code), ensure_ascii=False, indent=2))
    else:
        _say("\n\n".join(_plain(report) for report in reports))
    return exit_code


def _answer_bundle(words: Sequence[str]) -> int:
    parser = _Parser(
        prog="verify bundle",
        description="Check a bundle: events with the proof that they are in the log, and what follows from them.",
        epilog=_BUNDLE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="the bundle")
    add("--static", type=Path, metavar="DIR", help="a registry's static files: keys, witnesses, checkpoint")
    add("--log", action="append", default=[], metavar="VKEY", help="the key of the log (name+hash+key)")
    add("--witness", action="append", default=[], metavar="VKEY", help="the key of a witness (name+hash+key)")
    add("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args(words)
    if asked.witness and not (asked.log or asked.static):
        raise _Misused("--witness needs the key of the log too: --log VKEY, or --static DIR")
    pins = _pins(asked)
    # One byte more than a bundle may have: then it is refused for its size.
    content = _content(asked.file, bundle.LARGEST + 1)
    report = _bundle_report(asked.file.name, content, pins)
    _say(json.dumps(report, ensure_ascii=False, indent=2) if asked.json else _plain_bundle(report))
    return int(report["exit"])


def _pins(asked: argparse.Namespace) -> bundle.Pins:
    ring, checkpoint = KeyRing(), None
    try:
        witnesses = [*map(keys.read_witness_vkey, asked.witness)]
        if asked.static is not None:
            ring = keys.read_keys_json(_content(asked.static / "keys.json"))
            checkpoint = _content(asked.static / "checkpoint") if (asked.static / "checkpoint").exists() else None
        logs = dict.fromkeys([*ring.logs, *map(keys.read_vkey, asked.log)])
    except Unverified as refused:
        raise _Misused(refused.why) from None
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
            "checks": [asdict(check) for check in refused.checks],
        }
    checkpoint = proved.checkpoint
    return {
        "source": name,
        "verdict": proved.verdict,
        "exit": proved.exit,
        "sentence": proved.sentence,
        "specimen": proved.specimen,
        "checks": [asdict(check) for check in proved.checks],
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
    lines += ["", "  checks:"]
    for check in report["checks"]:
        found = f" ({check['found']})" if check["found"] else ""
        lines.append(f"  {check['number']:>2} {_MARKS[check['passed']]} {check['check']}{found}")
    return "\n".join(map(_printable, lines))


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


def _answer_receipt(words: Sequence[str]) -> int:
    parser = _Parser(
        prog="verify receipt",
        description="Check the receipt of a roster check: whether the registry gave it, and when.",
        epilog=_RECEIPT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="the receipt, as JSON or as PDF")
    add("--static", type=Path, metavar="DIR", help="a registry's static files: keys, witnesses, checkpoint")
    add("--did", action="append", default=[], type=Path, metavar="FILE", help="a DID document to take keys from")
    add("--log", action="append", default=[], metavar="VKEY", help="the key of the log (name+hash+key)")
    add("--witness", action="append", default=[], metavar="VKEY", help="the key of a witness (name+hash+key)")
    add("--json", action="store_true", help="one JSON object on standard output")
    add("--lang", choices=LANGUAGES, default="en", help="language of the sentence")
    asked = parser.parse_args(words)
    if asked.static is None and not asked.did:
        raise _Misused("name keys you trust: --static DIR, or --did FILE and --log VKEY")
    ring = _key_ring(asked)
    published = asked.static / "checkpoint" if asked.static else None
    checkpoint = _content(published) if published and published.exists() else None
    content = _content(asked.file, files.LONGEST_FILE)
    report: dict[str, Any] = {"source": asked.file.name}
    try:
        if content.startswith(b"%PDF-"):
            content = files.attachment(content, receipt.FILE, receipt.LARGEST)
        checked = receipt.check(content, ring, checkpoint=checkpoint)
    except Unverified as refused:
        report |= {"verdict": refused.verdict, "exit": 2, "sentence": receipt.refusal(asked.lang), "why": refused.why}
        report["checks"] = [asdict(check) for check in refused.checks]
    else:
        said, found = checked.receipt, checked.checkpoint
        report |= {"verdict": checked.verdict, "exit": checked.exit, "sentence": checked.sentence(asked.lang)}
        report |= {name: said[name] for name in ("specimen", "issuer", "checked_at", "position", "counts", "lists")}
        report["signed_by"] = checked.key.id
        report["checkpoint"] = {"origin": found.origin, "size": found.size, "root": found.root.hex()} if found else None
        report["witnesses"] = [{"witness": one.witness, "at": iso(one.time)} for one in checked.cosignatures]
        report["rows"], report["checks"] = said["rows"], [asdict(check) for check in checked.checks]
    _say(json.dumps(report, ensure_ascii=False, indent=2) if asked.json else _plain_receipt(report, asked.lang))
    return int(report["exit"])


def _plain_receipt(report: dict[str, Any], lang: str) -> str:
    lines = [f"{report['source']}: {report['verdict']}", report["sentence"]]
    if report.get("specimen"):
        lines.insert(0, "*** SPECIMEN: made by a demo. Nobody holds these endorsements. ***")
    if "rows" in report:
        lines += ["", f"  signed by {report['signed_by']}, checked at {report['checked_at']}"]
        lines += _told_of_rows(report["rows"], report["counts"], lang)
    lines += ["", "  checks:"]
    for check in report["checks"]:
        found = f" ({check['found']})" if check["found"] else ""
        lines.append(f"  {check['number']:>2} {_MARKS[check['passed']]} {check['check']}{found}")
    return "\n".join(map(_printable, lines))


def _told_of_rows(rows: list[dict[str, Any]], counts: dict[str, int], lang: str) -> Iterator[str]:
    """How many there are of each verdict, and each row that is not in order."""
    for name, count in counts.items():
        if name != "rows":
            told = roster.ROW_VERDICTS[name].words(lang)
            yield f"  {count:>5} {told.head}: {told.sentence}"
    for row in rows:
        if not roster.ROW_VERDICTS[row["verdict"]].good:
            why = f" ({row['why']})" if row["why"] else ""
            yield f"  row {row['row']}: {row['name']}, {roster.shortened(row['text'])}: {row['verdict']}{why}"


def _answer_roster(words: Sequence[str]) -> int:
    parser = _Parser(
        prog="verify roster",
        description="Check many certificates at once, each with the name of who gave it.",
        epilog=_ROSTER_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="CSV: number,name")
    add("--static", type=Path, metavar="DIR", required=True, help="a registry's static files")
    add("--at", metavar="TIME", help="check as of this time (2026-11-22T12:00:00Z); the default is now")
    add("--json", action="store_true", help="one JSON object on standard output")
    add("--lang", choices=LANGUAGES, default="en", help="language of the sentences")
    asked = parser.parse_args(words)
    at = _time(asked.at)
    try:
        ring = keys.read_keys_json(_content(asked.static / "keys.json"))
        rows = roster.read(_content(asked.file, roster.LONGEST_FILE + 1))
    except Unverified as refused:
        raise _Misused(refused.why) from None
    except roster.NotARoster as refused:
        raise _Misused(str(refused)) from None
    certificates = roster.Certificates(ring, Statuses(status.folder(asked.static)), at)
    answers = [
        roster.alone(row) or (certificates.check(row) if row.is_certificate else roster.answer(row, "not_looked_up"))
        for row in rows
    ]
    counts = roster.counts(answers)
    exit_code = worst([roster.ROW_VERDICTS[answer["verdict"]].exit for answer in answers])
    report = {"source": asked.file.name, "exit": exit_code, "checked_at": iso(int(at.timestamp())), "counts": counts}
    if asked.json:
        _say(json.dumps(report | {"rows": answers}, ensure_ascii=False, indent=2))
    else:
        told = [f"{asked.file.name}: {counts['rows']} rows", *_told_of_rows(answers, counts, asked.lang)]
        _say("\n".join(map(_printable, told)))
    return exit_code


def _say(text: str) -> None:
    """Prints in UTF-8 whatever the locale: names need it, and so does JSON. A reader may stop listening."""
    out = sys.stdout.buffer
    with suppress(BrokenPipeError):
        out.write(f"{text}\n".encode(errors="replace"))  # a file's name may be no text
        out.flush()
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _joined(reports: list[dict[str, Any]], exit_code: int) -> dict[str, Any]:
    """One report as it is; several under the worst one's verdict."""
    if len(reports) == 1:
        return reports[0]
    poorest = next(report for report in reports if report["exit"] == exit_code)
    return {"verdict": poorest["verdict"], "exit": exit_code, "results": reports}


def _reports(asked: argparse.Namespace) -> list[dict[str, Any]]:
    ring = _key_ring(asked)
    statuses = _statuses(asked)
    at = _time(asked.at)
    prefixes = [prefix(_host(host)) for host in asked.host] or None
    log_proof = None
    if asked.proof is not None:
        log_proof = _content(asked.proof)
        if not ring.logs:
            raise _Misused("--proof needs the key of the log: --log VKEY, or --static DIR")
    sources = [("--text", _given(text)) for text in asked.text]
    sources += [(name, _source(name)) for name in asked.files]
    if not sources:
        raise _Misused("name a FILE, or give --text URL")
    if log_proof is not None and len(sources) > 1:
        raise _Misused("--proof is of one certificate: check one at a time")
    reports = []
    for name, find in sources:
        note = ""
        result: Verified | Unverified
        try:
            found = find()
            own_proof = log_proof if log_proof is not None else found.log_proof
            if own_proof is not None and not ring.logs:
                own_proof, note = None, "a log proof is attached, but there is no log key to check it with"
            result = verify(found.text, ring, statuses, at=at, prefixes=prefixes, log_proof=own_proof)
        except Unverified as refused:
            result = refused
        reports.append(_report(name, result, at, asked.lang, note))
    return reports


def _given(text: str) -> Callable[[], files.Found]:
    return lambda: files.Found(text)


def _source(name: str) -> Callable[[], files.Found]:
    if name.startswith("https://"):
        return _given(name)
    if name == "-":
        piped = sys.stdin.buffer.read(2 * LONGEST_TEXT)
        return lambda: files.Found(files.plain(piped))
    content = _content(Path(name), files.LONGEST_FILE)
    return lambda: files.find(content)


def _key_ring(asked: argparse.Namespace) -> KeyRing:
    """Of everything named; where there is a static folder, it alone says which addresses are good."""
    published = documents = KeyRing()
    try:
        if asked.static is not None:
            published = keys.read_keys_json(_content(asked.static / "keys.json"))
        for path in asked.did:
            documents |= keys.read_did(_content(path))
        logs = [*published.logs, *map(keys.read_vkey, asked.log)]
        return KeyRing(
            (*published, *documents),
            prefixes=published.prefixes or documents.prefixes,
            logs=logs,
            witnesses=[*published.witnesses, *map(keys.read_witness_vkey, asked.witness)],
        )
    except Unverified as refused:
        raise _Misused(refused.why) from None


def _statuses(asked: argparse.Namespace) -> Statuses:
    sources = [status.tokens(map(_content, asked.status))]
    if asked.static is not None:
        sources.append(status.folder(asked.static))
    return Statuses(*sources)


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _Misused(f"--at {text!r} is not a time like 2026-11-22T12:00:00Z") from None
    if at.tzinfo is None:
        raise _Misused(f"--at {text!r} lacks its zone: write {text}Z for UTC, or an offset")
    if not 0 <= at.timestamp() <= LAST_SECOND:
        raise _Misused(f"--at {text!r} is before 1970 or after 9999")
    return at


def _host(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise _Misused(f"--host {text!r} is not a host name, with or without a port")
    return text.lower()


def _content(path: Path, most: int = _LONGEST_INPUT) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise _Misused(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise _Misused(f"{path} is too large")
    return content


def _report(name: str, result: Verified | Unverified, at: datetime, lang: str, note: str) -> dict[str, Any]:
    """All that is said of one certificate; of one that is not authentic no claim is repeated."""
    report: dict[str, Any] = {
        "source": name,
        "kind": "certificate",
        "verdict": result.verdict,
        "exit": VERDICTS[result.verdict].exit,
        "sentence": "",
        "words": {},
        "specimen": False,
        "checked_at": iso(int(at.timestamp())),
        "as_of": None,
        "certificate": None,
        "notice": None,
        "log_position": None,
        "cosignatures": [],
        "note": note or None,
        "checks": [asdict(check) for check in result.checks],
    }
    if isinstance(result, Unverified):
        words = refused_words(result, lang)
        return report | {"sentence": words.sentence, "words": words._asdict(), "why": result.why}
    telling = next((check.found for check in result.checks if check.passed is False), None)
    return report | {
        "kind": result.kind,
        "sentence": result.sentence(lang),
        "words": result.words(lang)._asdict(),
        "specimen": result.key.specimen,
        "as_of": iso(int(result.as_of.timestamp())) if result.as_of else None,
        "certificate": _shown(result.certificate),
        "notice": asdict(result.notice) if result.notice else None,
        "log_position": result.log_position,
        "cosignatures": [{"witness": one.witness, "at": iso(one.time)} for one in result.cosignatures],
        "why": result.checks[STATUS_CHECK - 1].found if result.verdict == "status_unknown" else telling,
    }


def _shown(certificate: Certificate) -> dict[str, Any]:
    return {
        "name": certificate.name,
        "number": certificate.number,
        "category": certificate.category,
        "association": certificate.association,
        "valid_from": iso(certificate.valid_from),
        "expires_at": iso(certificate.expires_at),
        "issuer": certificate.issuer,
        "cti": certificate.cti.hex(),
        "replaces": certificate.replaces.hex() if certificate.replaces else None,
        "log_index": certificate.log_index,
        "status": {"uri": certificate.status_uri, "index": certificate.status_index},
    }


_MARKS: Final = {True: "ok  ", False: "FAIL", None: "-   "}


def _plain(report: dict[str, Any]) -> str:
    lines = [f"{report['source']}: {report['verdict']}", report["sentence"]]
    if report["specimen"]:
        lines.insert(0, "*** SPECIMEN: made by a demo. This is nobody's endorsement. ***")
    if shown := report["certificate"]:
        lines += [
            "",
            f"  name         {shown['name']}",
            f"  endorsement  {shown['number']}, {shown['category']}, {shown['association']}",
            f"  valid        {shown['valid_from']} through {shown['expires_at']}",
            f"  status       {'as of ' + report['as_of'] if report['as_of'] else 'not established'}",
        ]
    if report["note"]:
        lines += ["", f"  note: {report['note']}"]
    lines += ["", f"  checked at {report['checked_at']}:"]
    for check in report["checks"]:
        found = f" ({check['found']})" if check["found"] else ""
        lines.append(f"  {check['number']:>2} {_MARKS[check['passed']]} {check['check']}{found}")
    return "\n".join(map(_printable, lines))


def _printable(line: str) -> str:
    """What a certificate says must not steer a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


if __name__ == "__main__":
    sys.exit(main())
