"""Every file of the corpus is found to be what `expected.json` says: by the library and by the command."""

import json
import os
import subprocess
import sys
from functools import cache
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import make
import pytest
from typer.testing import CliRunner

from registry.__main__ import app
from registry.roster import ERROR_KINDS, UnreadableFile, read_roster
from verifier import __main__ as command
from verifier import files, roster, status
from verifier.keys import read_keys_json
from verifier.roster import ROW_VERDICTS, NotARoster
from verifier.status import Statuses
from verifier.verdict import VERDICTS, Unverified
from verifier.verification import verify_found

EXPECTED = {
    f"{folder}/{name}": verdict
    for folder, table in json.loads((make.HERE / "expected.json").read_text("utf-8")).items()
    for verdict, names in table.items()
    for name in names
}
TABLES = ("roster/", "import/")
KEPT = [name for name in make.made() if not name.startswith(("static/", *TABLES))]
LISTED = [name for name in make.made() if name.startswith(TABLES)]
DRAWN = ("png/", "jpeg/", "pdf/")
STATIC = make.HERE / "static"
ROOT = make.HERE.parent.parent
AT = make.NOW.isoformat()
MOST_MEMORY = 200 << 20
MOST_SECONDS = 20.0  # of a processor, ten times what is meant: a slow machine fails nothing, what never ends does


def stem(name):
    return name if name.startswith("lists/") else name.rpartition(".")[0]


def test_the_script_makes_the_same_bytes_again():
    made = make.made()
    there = {path.relative_to(make.HERE).as_posix() for path in make.HERE.glob("*/**/*") if path.is_file()}

    assert {name for name in there if "__pycache__" not in name} == made.keys()
    assert [name for name, content in made.items() if (make.HERE / name).read_bytes() != content] == []


def test_every_file_has_one_expected_verdict():
    table = json.loads((make.HERE / "expected.json").read_text("utf-8"))
    judged = [f"{folder}/{name}" for folder, verdicts in table.items() for names in verdicts.values() for name in names]

    assert len(judged) == len(set(judged))
    assert {stem(name) for name in [*KEPT, *LISTED]} <= set(judged)
    of_rows = {"refused"} | ROW_VERDICTS.keys(), {"refused", "taken", "nothing", *ERROR_KINDS}
    for allowed, folder in zip(of_rows, ("roster", "import"), strict=True):
        assert table.pop(folder).keys() <= allowed
    assert {verdict for verdicts in table.values() for verdict in verdicts} <= VERDICTS.keys()


@cache
def world():
    return read_keys_json((STATIC / "keys.json").read_bytes()), Statuses(status.folder(STATIC))


def found_by_the_library(name, content, find=files.find):
    """The verdict and why; anything else that is raised fails the test."""
    keys, statuses = world()
    try:
        if name.startswith("lists/"):
            of = make.badge() if name.startswith("lists/bits") else make.text().encode()
            found, statuses = files.find(of), Statuses(status.tokens([content]))
        else:
            found = find(content)
        return verify_found(found, keys, statuses, at=make.NOW, log_proof=found.log_proof).verdict, ""
    except Unverified as refused:
        return refused.verdict, refused.why


def processor_time():
    return sum(used.ru_utime + used.ru_stime for used in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


@pytest.mark.parametrize("folder", sorted({name.partition("/")[0] for name in KEPT}))
def test_the_library_agrees(folder):
    """Pictures and PDFs are read in this process here, which is quicker; the command reads them in one of their own."""
    wrong = {}
    for name in KEPT:
        if not name.startswith(f"{folder}/"):
            continue
        began = processor_time()
        found = found_by_the_library(
            name, (make.HERE / name).read_bytes(), files.look if name.startswith(DRAWN) else files.find
        )
        if found[0] != EXPECTED[stem(name)] or processor_time() - began > MOST_SECONDS:
            wrong[name] = *found, processor_time() - began
    assert wrong == {}


def test_the_command_agrees():
    """All files at once, those for lists aside, in one process of its own, whose memory they do not grow.

    Of what is drawn every sixth: each is read in one more process, and the library was asked about all.
    """
    drawn = [name for name in KEPT if name.startswith(DRAWN)]
    named = [name for name in KEPT if not name.startswith(("lists/", *DRAWN))] + drawn[::6]

    report, most = asked(named)
    _, least = asked(["qr/good.txt", "badge/good.json", "png/code.png", "pdf/code-drawn.pdf"])

    found = {result["source"]: result["verdict"] for result in report["results"]}
    assert {name: found[name] for name in named if found[name] != EXPECTED[stem(name)]} == {}
    assert most - least < MOST_MEMORY


def asked(named, *more):
    """What `verify FILES --json` says, and the most memory that it or a process it started held."""
    words = [sys.executable, "-m", "verifier", *named, "--static", str(STATIC), "--at", AT, "--json", *more]
    with subprocess.Popen(words, cwd=make.HERE, stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}) as running:
        report = json.loads(running.stdout.read())
        _, _, used = os.wait4(running.pid, 0)
        running.returncode = 0
    return report, used.ru_maxrss << 10


def test_the_command_agrees_on_lists(capsys, tmp_path):
    (tmp_path / "keys.json").write_bytes((STATIC / "keys.json").read_bytes())
    wrong = {}
    for name in KEPT:
        if name.startswith("lists/"):
            of = "badge/good.json" if name.startswith("lists/bits") else "qr/good.txt"
            words = [str(make.HERE / of), "--static", str(tmp_path), "--status", str(make.HERE / name)]
            command.main([*words, "--at", AT, "--json"])
            verdict = json.loads(capsys.readouterr().out)["verdict"]
            if verdict != EXPECTED[name]:
                wrong[name] = verdict
    assert wrong == {}


def test_what_is_large_or_inflates_is_found_soon_and_in_little_memory(tmp_path):
    """By the library each in turn, by the command one of each form; those for lists, and of 10 MB, by the library."""
    wrong, named = {}, []
    judged = {name for name in EXPECTED if not name.startswith(TABLES)} - {stem(name) for name in KEPT}
    for name, content in make.bombs():
        judged.remove(name)
        began, before = processor_time(), getrusage(RUSAGE_SELF).ru_maxrss
        found = found_by_the_library(name, content)
        seconds, grown = processor_time() - began, (getrusage(RUSAGE_SELF).ru_maxrss - before) << 10
        if found[0] != EXPECTED[name] or seconds > MOST_SECONDS or grown > MOST_MEMORY:
            wrong[name] = *found, seconds, grown
        if not name.startswith("lists/") and len(content) < 2_000_000:
            named.append(str(tmp_path / name))
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)
    assert (wrong, judged) == ({}, set())

    report, most = asked(list({name.split("/")[-2]: name for name in named}.values()))
    _, least = asked(["qr/good.txt", "badge/good.json", "png/code.png", "pdf/code-drawn.pdf"])

    found = {result["source"].removeprefix(f"{tmp_path}/"): result["verdict"] for result in report["results"]}
    assert found == {name: EXPECTED[name] for name in found}
    assert most - least < MOST_MEMORY


@pytest.mark.parametrize("name", ["png/no-code.png", "jpeg/no-code.jpg", "pdf/no-code.pdf"])
def test_a_picture_without_a_code_says_so_and_what_to_do(name, capsys):
    command.main([str(make.HERE / name), "--static", str(STATIC), "--at", AT])

    said = capsys.readouterr().out
    assert "shows no code that can be read" in said
    assert "Scan the code again, or ask the holder for the original." in said


# --- lists of people ---


def of_a_roster(content):
    """What is said of the rows of a list to be checked; they are all of one kind."""
    try:
        rows = roster.read(content)
    except NotARoster:
        return "refused"
    certificates = roster.Certificates(*world(), make.NOW)
    found = {(roster.alone(row) or certificates.check(row))["verdict"] if row.wrong or row.is_certificate else
             "not_looked_up" for row in rows}  # fmt: skip
    return "+".join(found)


def of_an_import(content):
    try:
        judged = read_roster(content, make.NOW, today=make.NOW.date())
    except UnreadableFile:
        return "refused"
    return "+".join({finding.kind for finding in judged.errors}) or ("taken" if judged.rows else "nothing")


def test_lists_of_people_are_judged_or_refused_as_a_whole():
    large = [
        *((f"roster/{name}", content) for name, content in make.large_tables(make.ROSTER, "name")),
        *((f"import/{name}", content) for name, content in make.large_tables(make.IMPORT, "Last Name")),
    ]
    wrong = {}
    for name, content in [*((stem(name), (make.HERE / name).read_bytes()) for name in LISTED), *large]:
        began = processor_time()
        found = (of_a_roster if name.startswith("roster/") else of_an_import)(content)
        if found != EXPECTED[name] or processor_time() - began > MOST_SECONDS:
            wrong[name] = found, processor_time() - began
    assert wrong == {}
    assert {name for name in EXPECTED if name.startswith(TABLES)} == {stem(name) for name in LISTED} | {
        name for name, _ in large
    }


def test_the_commands_agree_on_lists_of_people(capsys):
    wrong = {}
    for name in LISTED:
        expected = EXPECTED[stem(name)]
        if name.startswith("roster/"):
            command.main(["roster", str(make.HERE / name), "--static", str(STATIC), "--at", AT, "--json"])
            said = json.loads(capsys.readouterr().out)
            found = "+".join(said["counts"].keys() - {"rows"}) if "counts" in said else said["exit"]
            fits = found == (64 if expected == "refused" else expected)
        else:
            words = ["import", str(make.HERE / name), "--dry-run", "--json", "--today", f"{make.NOW:%Y-%m-%d}"]
            done = CliRunner().invoke(app, words)
            refused = isinstance(done.exception, UnreadableFile)
            found = "refused" if refused else "+".join(json.loads(done.stdout)["kinds"])
            fits = found == ("" if expected in {"taken", "nothing"} else expected)
        if not fits:
            wrong[name] = found, expected
    assert wrong == {}
