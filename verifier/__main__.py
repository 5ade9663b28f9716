"""The command `verify`: checks certificates with keys and lists at hand. Only `verify sync` uses the network."""

from __future__ import annotations

import argparse
import gc
import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from verifier import files, status, together
from verifier.certificate import Badge, Certificate, prefix
from verifier.files import Found
from verifier.keys import KeyRing
from verifier.shell import Misused, Parser, checks_of, content_of, key_ring, printable, say, time_of
from verifier.status import Statuses
from verifier.together import Paper
from verifier.verdict import LANGUAGES, NOT_ONE, UNFORESEEN, USAGE, VERDICTS, Unverified, iso, worst
from verifier.verification import STATUS_CHECK, Verified, refused_words, verify_found

if TYPE_CHECKING:
    from verifier.logged import Logged

_MOST_IN_FOLDER: Final = 64
_HOST: Final = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)

_EXAMPLES: Final = """\
examples:
  verify sync https://registry.example ./static
      once a day, where there is a network: keys, lists and checkpoint of the registry; see verify sync --help
  verify certificate.pdf --static ./static
      a certificate, with the keys, lists and log key of that copy; this and all that follows needs no network
  verify certificate.pdf badge.png badge.svg credential.json credential.jwt photo.jpg --static ./static
      several at a time, told apart by what is in them, not by their names
  verify IFS-7K3MQ9TD --static ./static
      a folder as the registry gives it: every file in it, and whether all are of one certificate
  verify photo.jpg --did did.json --did status-did.json --status 1
      with the issuer's DID documents and one status list (a file served under /s/ or /status/revocation/)
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

what is read:
  text   the address and digits of the code on a certificate
  PNG    its code, and the badge baked into it; JPEG: its code, also in a photo of the paper
  PDF    the attached qr.txt, credential.json and proof.tlog-proof, else the code on its pages
  JSON   a badge (Open Badges 3.0), by its proof eddsa-jcs-2022; SVG: the badge baked into it
  JWT    a badge, by its signature ES256
  SVG also: the text of its code, as its metadata say it; what is drawn is not looked at
  log proof: with the certificate it is of; by itself what it proves, and that it is no certificate
Where a file holds a code and a badge, both must be good, and of one certificate.

exit codes:
  0  valid
  1  authentic, but revoked, suspended, replaced, expired, not yet valid, its key was withdrawn, or it is a letter
     of registration or a log proof by itself, which are no endorsement
  2  not authentic: unreadable, altered, another issuer's, an unknown key or a wrong address
  3  not established: authentic, but its current status is not known (no list, or one that is too old), or it
     could not be checked here
  64 the command or a file it names cannot be understood
  70 a fault of this program: it says nothing about any certificate
  With several certificates it is the worst of them: 64, 2, 1, 3, 0.

Compare the name with a photo ID: the code says whom the certificate is about, not who shows it.
"""


def _arguments() -> argparse.ArgumentParser:
    parser = Parser(
        "verify", "Check endorsement certificates: who signed them, and whether they are still good.", _EXAMPLES
    )
    add = parser.add_argument
    words = "text, JSON, JWT, PNG, JPEG, SVG, PDF or a log proof; the folder of one certificate; - reads standard input"
    add("files", nargs="*", metavar="FILE", help=words)
    add("--text", action="append", default=[], metavar="URL", help="the text of the code itself, or a JWT")
    add("--static", type=Path, metavar="DIR", help="a registry's static files: keys, prefixes, lists, notes")
    add("--did", action="append", default=[], type=Path, metavar="FILE", help="a DID document to take keys from")
    add("--status", action="append", default=[], type=Path, metavar="FILE", help="a status list, or its notes")
    host = "the host codes must lead to and badges be issued by (host[:port])"
    add("--host", action="append", default=[], metavar="HOST", help=host)
    add("--proof", type=Path, metavar="FILE", help="the certificate's proof of being in the log")
    add("--log", action="append", default=[], metavar="VKEY", help="the key of the log (name+hash+key)")
    add("--witness", action="append", default=[], metavar="VKEY", help="the key of a witness of the log")
    add("--at", metavar="TIME", help="check as of this time (2026-11-22T12:00:00Z); the default is now")
    add("--json", action="store_true", help="one JSON object on standard output")
    add("--lang", choices=LANGUAGES, default="en", help="language of the sentence")
    return parser


def command() -> NoReturn:
    """`main` as a process of its own. All there is stays until its end: to look through it for garbage takes long."""
    exit_code = main()
    gc.freeze()
    sys.exit(exit_code)


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _answer(words)
    except Misused as misused:
        return _fail(words, USAGE, str(misused), "\nTry: verify --help")
    except files.MissingReader as missing:
        return _fail(words, USAGE, f"reading this file needs {missing}: pip install 'endorsement-verifier[files]'")
    except Exception as unforeseen:  # noqa: BLE001 - whoever calls this reads an exit code, not a traceback
        kind = type(unforeseen).__name__
        return _fail(words, UNFORESEEN, f"a fault of this program ({kind}); nothing is said about the certificate")


def _fail(words: Sequence[str], exit_code: int, why: str, hint: str = "") -> int:
    if "--json" in words:
        say(json.dumps({"verdict": None, "exit": exit_code, "checks": [], "certificate": None, "error": why}))
    print(f"verify: {why}{hint}", file=sys.stderr)
    return exit_code


def _answer(words: Sequence[str]) -> int:
    if words[:1] == ["bundle"]:
        from verifier import bundle_command  # noqa: PLC0415 - a certificate is checked without it

        return bundle_command.answer(words[1:])
    if words[:1] == ["sync"]:
        from verifier import sync_command  # noqa: PLC0415 - the same, and it alone could use the network

        return sync_command.answer(words[1:])
    if words[:1] in (["receipt"], ["roster"]):
        from verifier import roster_command  # noqa: PLC0415 - the same

        answer = roster_command.answer_receipt if words[0] == "receipt" else roster_command.answer_roster
        return answer(words[1:])
    asked = _arguments().parse_args(words)
    if asked.static is not None:
        asked.static = asked.static.resolve()  # all is read from one set, also while a newer one is put in its place
    reports = _reports(asked)
    exit_code = worst([report["exit"] for report in reports])
    if asked.json:
        say(json.dumps(_joined(reports, exit_code), ensure_ascii=False, indent=2))
    else:
        say("\n\n".join(_plain(report) for report in reports))
    return exit_code


def _joined(reports: list[dict[str, Any]], exit_code: int) -> dict[str, Any]:
    """One report as it is; several under the worst one's verdict."""
    if len(reports) == 1:
        return reports[0]
    poorest = next(report for report in reports if report["exit"] == exit_code)
    return {"verdict": poorest["verdict"], "exit": exit_code, "results": reports}


def _reports(asked: argparse.Namespace) -> list[dict[str, Any]]:
    ring = key_ring(asked)
    statuses = _statuses(asked)
    at = time_of(asked.at)
    prefixes = [prefix(_host(host)) for host in asked.host] or None
    log_proof = None
    if asked.proof is not None:
        log_proof = content_of(asked.proof)
        if not ring.logs:
            raise Misused("--proof needs the key of the log: --log VKEY, or --static DIR")
    papers = [Paper("--text", _held(text.encode(errors="replace"))) for text in asked.text]
    papers += [paper for name in asked.files for paper in _papers(name)]
    if not papers:
        raise Misused("name a FILE or a FOLDER, or give --text URL")
    if log_proof is not None and len(papers) > 1:
        raise Misused("--proof is of one certificate: check one at a time")

    def verified(found: Found, own_proof: bytes | None) -> Verified:
        used = log_proof if log_proof is not None else own_proof
        return verify_found(found, ring, statuses, at=at, prefixes=prefixes, log_proof=used if ring.logs else None)

    answers = together.check(papers, verified, partial(_alone, ring), logs=bool(ring.logs))
    reports = [
        _report(paper.name, result, at, asked.lang, _UNUSED if not ring.logs and _carries_proof(paper) else "")
        for paper, result in answers
    ]
    for folder, why in together.not_one(answers).items():
        words = NOT_ONE[asked.lang]
        report = _report(folder, Unverified("malformed", why), at, asked.lang, why)
        reports.append(report | {"words": words._asdict(), "sentence": words.sentence})
    return reports


_UNUSED: Final = "a log proof is attached, but there is no log key to check it with"


def _carries_proof(paper: Paper) -> bool:
    return isinstance(paper.held, Found) and paper.held.log_proof is not None and not paper.held.is_proof


def _alone(ring: KeyRing, log_proof: bytes) -> Logged:
    from verifier import logged  # noqa: PLC0415 - a certificate is checked without it

    return logged.verify_proof(log_proof, ring)


def _held(content: bytes) -> Found | Unverified:
    try:
        return files.find(content)
    except Unverified as refused:
        return refused


def _papers(name: str) -> Iterator[Paper]:
    """What a word of the command line names: a text, standard input, a file, or the files of a folder."""
    if name.startswith("https://"):
        yield Paper(name, _held(name.encode(errors="replace")))
    elif name == "-":
        yield Paper(name, _held(sys.stdin.buffer.read(files.LONGEST_FILE + 1)))
    elif Path(name).is_dir():
        inside = sorted(path for path in Path(name).iterdir() if path.is_file() and not path.name.startswith("."))
        if not inside:
            raise Misused(f"{name} is a folder without files")
        if len(inside) > _MOST_IN_FOLDER:
            raise Misused(f"{name} has {len(inside)} files: a folder is that of one certificate; name the files")
        for path in inside:
            yield Paper(str(path), _held(content_of(path, files.LONGEST_FILE)), name)
    else:
        yield Paper(name, _held(content_of(Path(name), files.LONGEST_FILE)))


def _statuses(asked: argparse.Namespace) -> Statuses:
    sources = [status.tokens(map(content_of, asked.status))]
    if asked.static is not None:
        sources.append(status.folder(asked.static))
    return Statuses(*sources)


def _host(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise Misused(f"--host {text!r} is not a host name, with or without a port")
    return text.lower()


def _report(name: str, result: Verified | Logged | Unverified, at: datetime, lang: str, note: str) -> dict[str, Any]:
    """All that is said of one certificate; of one that is not authentic no claim is repeated."""
    report: dict[str, Any] = {
        "source": name,
        "kind": result.kind,
        "verdict": result.verdict,
        "exit": VERDICTS[result.verdict].exit,
        "sentence": "",
        "words": {},
        "specimen": False,
        "checked_at": iso(int(at.timestamp())),
        "as_of": None,
        "certificate": None,
        "notice": None,
        "entry": None,
        "log_position": None,
        "cosignatures": [],
        "note": note or None,
        "checks": [check._asdict() for check in result.checks],
    }
    if isinstance(result, Unverified):
        words = refused_words(result, lang)
        return report | {"sentence": words.sentence, "words": words._asdict(), "why": result.why}
    telling = next((check.found for check in result.checks if check.passed is False), None)
    report |= {
        "sentence": result.sentence(lang),
        "words": result.words(lang)._asdict(),
        "cosignatures": [{"witness": one.witness, "at": iso(one.time)} for one in result.cosignatures],
        "why": telling,
    }
    if not isinstance(result, Verified):
        entry, specimen = result.entry._asdict(), result.specimen
        return report | {"entry": entry, "log_position": result.entry.position, "specimen": specimen}
    return report | {
        "specimen": result.key.specimen,
        "as_of": iso(int(result.as_of.timestamp())) if result.as_of else None,
        "certificate": _shown(result.certificate),
        "notice": result.notice._asdict() if result.notice else None,
        "log_position": result.log_position,
        "why": result.checks[STATUS_CHECK - 1].found if result.verdict == "status_unknown" else telling,
    }


def _shown(certificate: Certificate | Badge) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": certificate.name,
        "number": certificate.number,
        "category": certificate.category,
        "association": certificate.association,
        "valid_from": iso(certificate.valid_from),
        "expires_at": iso(certificate.expires_at),
        "issuer": certificate.issuer,
    }
    if isinstance(certificate, Badge):
        uri, index = certificate.bits_uri, certificate.status_index
        return shown | {"badge": certificate.id.hex(), "status": {"uri": uri, "index": index} if uri else None}
    return shown | {
        "cti": certificate.cti.hex(),
        "replaces": certificate.replaces.hex() if certificate.replaces else None,
        "log_index": certificate.log_index,
        "status": {"uri": certificate.status_uri, "index": certificate.status_index},
    }


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
    if entry := report["entry"]:
        day = f" of {entry['on']}" if entry["on"] else ""
        lines += ["", f"  entry        {entry['topic']}{day}", f"  of           {entry['stream']}"]
        lines += [f"  in the log   at position {entry['position']}"]
    if report["note"]:
        lines += ["", f"  note: {report['note']}"]
    if report.get("why") and not report["checks"]:  # it was not even read
        lines += ["", f"  why: {report['why']}"]
    lines += ["", f"  checked at {report['checked_at']}:"]
    lines += checks_of(report)
    return printable(lines)


if __name__ == "__main__":
    command()
