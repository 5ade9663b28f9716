"""`registry bundle` and `verify bundle` as they are typed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from moved import NAME, NUMBER
from typer.testing import CliRunner

from registry.__main__ import app
from registry.settings import Settings
from verifier import proof
from verifier.__main__ import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def registry_says(lived, monkeypatch):
    """Runs `registry ...` on this test's registry: what it prints and how it ends."""
    monkeypatch.setattr(Settings, "from_environment", classmethod(lambda _: lived.settings))

    def run(*words):
        return CliRunner().invoke(app, [*map(str, words)])

    return run


@pytest.fixture
def said(capsys):
    def run(*words):
        exit_code = main(["bundle", *map(str, words), "--json"])
        return exit_code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def file(tmp_path, taken):
    path = tmp_path / "moved.json"
    path.write_bytes(taken)
    return path


class TestTaking:
    def test_a_file_that_is_whole_and_for_its_owner_alone(self, lived, registry_says, tmp_path):
        out = tmp_path / "moved.json"

        done = registry_says("bundle", "--number", NUMBER.lower(), "--as", "coordinator:ct", "--out", out, "--json")

        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        assert (told["opened"], told["bytes"]) == (1, out.stat().st_size)
        assert out.stat().st_mode & 0o077 == 0
        assert [path.name for path in tmp_path.glob("*moved*")] == ["moved.json"]
        assert main(["bundle", str(out), "--static", str(lived.settings.static)]) == 0
        noted = lived.reader.execute("SELECT actor, record, reason FROM service.access").fetchall()
        assert noted == [("operator", f"endorsement/{NUMBER}", "take_bundle as coordinator:CT")]

    def test_a_person_by_the_number_of_an_endorsement_and_a_period(self, lived, registry_says, tmp_path):
        assert registry_says("bundle", "--person", NUMBER, "--out", tmp_path / "p.json").exit_code == 0
        period = ("--association", "va", "--from", "2026-01-01", "--to", "2026-06-01")
        assert registry_says("bundle", *period, "--out", tmp_path / "va.json").exit_code == 0
        for name in ("p.json", "va.json"):
            assert main(["bundle", str(tmp_path / name), "--static", str(lived.settings.static)]) == 0

    def test_a_refusal_is_one_line_and_leaves_nothing(self, lived, registry_says, tmp_path):
        for words, why in (
            ([], "Say one of"),
            (["--number", NUMBER, "--person", "p"], "Say one of"),
            (["--association", "VA"], "--from DAY"),
            (["--number", NUMBER, "--from", "2026-01-01"], "go with --association"),
            (["--association", "VA", "--from", "2026-06-01", "--to", "2026-01-01"], "before"),
            (["--association", "VA", "--from", "2001-06-01", "--to", "2001-07-01"], "Nothing of VA"),
            (["--number", "IFS-12"], "no endorsement number"),
            (["--number", NUMBER, "--as", "rater:x"], "--as is"),
            (["--number", NUMBER, "--as", "coordinator:MI"], "may not take bundle"),
            (["--person", "nobody"], "no person"),
        ):
            done = registry_says("bundle", *words, "--out", tmp_path / "out.json")

            assert why in str(done.exception), words
            assert "\n" not in str(done.exception)
            assert not (tmp_path / "out.json").exists()

    def test_a_folder_that_is_not_there(self, lived, registry_says, tmp_path):
        done = registry_says("bundle", "--number", NUMBER, "--out", tmp_path / "none" / "out.json")

        assert done.exit_code == 2
        assert "can't be written" in done.stderr


class TestChecking:
    def test_3_consistent_and_not_pinned(self, said, file):
        exit_code, report = said(file)

        assert (exit_code, report["verdict"]) == (3, "not_pinned")

    def test_0_with_the_keys_of_the_log(self, said, file, pins):
        exit_code, report = said(file, "--log", pins.logs[0])

        assert (exit_code, report["verdict"]) == (0, "proved")
        assert {one["value"] for one in report["opened"]} == {NAME}
        assert report["claims"]["transfers"][0]["to"] == "CT"

    def test_2_one_byte_and_nothing_of_it_is_said(self, said, file, taken, pins):
        file.write_bytes(taken.replace("Nguyễn".encode(), b"Nguyen"))

        exit_code, report = said(file, "--log", pins.logs[0])

        assert exit_code == 2
        assert set(report) == {"source", "verdict", "exit", "sentence", "why", "checks"}
        assert "Nguyen" not in json.dumps(report)

    def test_3_a_witness_that_said_nothing(self, said, file, pins):
        key = Ed25519PrivateKey.from_private_bytes(b"w" * 32).public_key().public_bytes_raw()
        vkey = proof.witness_vkey("witness.example", key)

        assert said(file, "--log", pins.logs[0], "--witness", vkey)[1]["verdict"] == "not_witnessed"

    @pytest.mark.parametrize(
        "words",
        [["none.json"], [], ["{file}", "--log", "x"], ["{file}", "--witness", "x"], ["{file}", "--static", "no"]],
    )
    def test_64_the_command_cannot_be_understood(self, file, words, capsys):
        assert main(["bundle", *(word.format(file=file) for word in words)]) == 64
        assert capsys.readouterr().err.startswith("verify: ")

    def test_in_words_what_was_proved_or_what_failed(self, capsys, file, taken, pins):
        assert main(["bundle", str(file), "--log", pins.logs[0]]) == 0
        words = capsys.readouterr().out
        assert f"{NUMBER}, awarded 2023-03-01" in words
        assert "2026-03-02 to 2027-12-31: active, IFS, CT" in words
        assert "SPECIMEN" in words
        file.write_bytes(taken.replace(b'"to":"CT"', b'"to":"MI"'))
        assert main(["bundle", str(file)]) == 2
        assert "is not proved: " in capsys.readouterr().out

    def test_the_help_teaches(self, capsys):
        with pytest.raises(SystemExit) as ended:
            main(["bundle", "--help"])
        assert ended.value.code == 0
        assert "verify bundle moved.json --static ./static" in capsys.readouterr().out


def test_with_nothing_of_ours_but_the_verifier(tmp_path, file, static):
    """Its folder alone, its three libraries, and no way to the rest."""
    alone = tmp_path / "alone"
    shutil.copytree(ROOT / "verifier", alone / "verifier", ignore=shutil.ignore_patterns("__pycache__"))
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    code = (
        "import sys; sys.path[:0] = sys.argv[1:2]; sys.path += sys.argv[2:3]\n"
        "import builtins, importlib.abc\n"
        "class Refuse(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('domain', 'projections', 'registry', 'msgspec', 'psycopg', 'starlette'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from verifier.__main__ import main\n"
        "sys.exit(main(['bundle', *sys.argv[3:], '--json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, alone, libraries[0], file, "--static", static],
        capture_output=True, text=True, cwd=tmp_path, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "proved"
