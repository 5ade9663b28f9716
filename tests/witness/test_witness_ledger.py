"""A witness remembers before it answers, never goes back, and is one, whoever asks at once."""

import signal
import sqlite3
import subprocess
import sys
import threading
from base64 import b64decode
from http import HTTPStatus

import pytest
from grounds import PATIENCE
from typer.testing import CliRunner
from witnesses import NAME, ORIGIN, TestLog, post

from registry.cli import witness as cli
from registry.witness.ledger import Ledger, Seen
from registry.witness.witness import NoWitness, Refused, Witness
from verifier.proof import cosignatures, read_checkpoint


def status_of(witness, body):
    try:
        witness.add_checkpoint(body)
    except Refused as refused:
        return refused.status
    return HTTPStatus.OK


def test_what_was_cosigned_is_remembered_by_the_next_process(folder, log):
    Witness.open(folder).add_checkpoint(log.submission(0, 5))

    assert status_of(Witness.open(folder), log.submission(0, 3)) == HTTPStatus.CONFLICT
    note = Witness.open(folder).ledger.latest(ORIGIN).note
    assert read_checkpoint(note, [log.vkey]).size == 5
    assert [one.witness for one in cosignatures(note, [Witness.open(folder).vkey])] == [NAME]


def test_it_is_killed_right_after_its_answer_and_still_knows(folder, log):
    command = [sys.executable, "-m", "registry.witness", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        assert post(address, log.submission(0, 5))[0] == 200
        process.send_signal(signal.SIGKILL)

    assert Witness.open(folder).ledger.latest(ORIGIN).size == 5


def test_beside_a_demo_it_ends_when_who_started_it_is_gone(folder):
    command = [sys.executable, "-m", "registry.witness", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.stdin.close()
        assert process.wait(timeout=PATIENCE) in (0, -signal.SIGTERM)


def test_the_ledger_itself_refuses_to_go_back_or_forget(folder, log):
    Witness.open(folder).add_checkpoint(log.submission(0, 5))

    with sqlite3.connect(folder / "witness.sqlite") as ledger:
        for statement in (
            "UPDATE latest SET size = 4",
            "UPDATE latest SET root = x'00'",
            "UPDATE latest SET origin = 'other'",
            "DELETE FROM latest",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="a witness never"):
                ledger.execute(statement)
    ledger.close()


def test_compare_and_swap_takes_only_what_follows_what_is_there(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    ledger.make(NAME, "vkey")
    old, new = Seen(0, ledger.latest(ORIGIN).root, "", 0), Seen(3, b"a" * 32, "three", 1)

    assert ledger.replace(ORIGIN, old, new)
    assert not ledger.replace(ORIGIN, old, Seen(3, b"b" * 32, "other", 2))
    assert not ledger.replace(ORIGIN, Seen(3, b"b" * 32, "", 0), Seen(4, b"c" * 32, "four", 3))
    assert ledger.latest(ORIGIN) == new


@pytest.mark.parametrize("round_", range(5))
def test_of_many_forks_of_one_size_at_once_one_is_cosigned(folder, log, round_):
    log = TestLog(origin=f"race-{round_}.example/log")
    witnesses = [Witness.open(folder) for _ in range(8)]
    witnesses[0].trust(log.vkey)
    bodies = [log.submission(0, 5, branch=branch) for branch in range(1, 9)]
    gate = threading.Barrier(8)
    answers = []

    def submit(witness, body):
        gate.wait()
        answers.append(status_of(witness, body))

    threads = [threading.Thread(target=submit, args=pair) for pair in zip(witnesses, bodies, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [HTTPStatus.OK] + [HTTPStatus.CONFLICT] * 7


def test_nothing_is_ever_overwritten(folder):
    with pytest.raises(NoWitness, match="already"):
        Witness.make(folder, NAME)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_a_name_that_no_note_may_have_is_refused(tmp_path, name):
    with pytest.raises(NoWitness, match="is no name"):
        Witness.make(tmp_path / "w", name)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("missing", ["key.pem", "witness.sqlite"])
def test_without_key_or_ledger_there_is_no_witness(folder, missing):
    (folder / missing).unlink()

    with pytest.raises(NoWitness, match=missing):
        Witness.open(folder)


def test_the_key_of_another_witness_is_noticed(folder, tmp_path):
    Witness.make(tmp_path / "other", NAME)
    (tmp_path / "other" / "key.pem").replace(folder / "key.pem")

    with pytest.raises(NoWitness, match="different witnesses"):
        Witness.open(folder)


def test_a_passphrase_closes_the_key(tmp_path, monkeypatch):
    monkeypatch.setenv("REGISTRY_WITNESS_PASSPHRASE", "correct horse")
    made = Witness.make(tmp_path / "w", NAME)
    assert Witness.open(tmp_path / "w").vkey == made.vkey
    assert b"ENCRYPTED" in (tmp_path / "w" / "key.pem").read_bytes()

    monkeypatch.setenv("REGISTRY_WITNESS_PASSPHRASE", "wrong")
    with pytest.raises(NoWitness, match="can't be opened"):
        Witness.open(tmp_path / "w")


def test_keys_and_ledger_are_for_their_owner(folder):
    assert [(folder / name).stat().st_mode & 0o777 for name in ("key.pem", "witness.sqlite")] == [0o600] * 2


class TestCommand:
    @pytest.fixture
    def run(self, tmp_path):
        return lambda *words: CliRunner().invoke(
            cli.app, [*words, "--folder", str(tmp_path / "w")] if words[-1] != "--help" else words
        )

    def test_from_nothing_to_a_witness_that_shows_its_key(self, run, log, tmp_path):
        made = run("init", NAME)
        assert made.exit_code == 0
        vkey = made.stdout.strip()
        assert b64decode(vkey.split("+", 2)[2])[:1] == b"\x04"
        assert run("show").stdout == made.stdout
        assert run("trust", log.vkey).stdout == f"Watching {ORIGIN}.\n"
        assert run("checkpoint", ORIGIN).exit_code == 1

        witness = Witness.open(tmp_path / "w")
        witness.add_checkpoint(log.submission(0, 5))
        status_of(witness, log.submission(5, 7, branch=2))
        assert "5 entries" in run("logs").stdout
        assert "REFUSED 1" in run("logs").stdout
        assert '"size": 5' in run("logs", "--json").stdout
        assert read_checkpoint(run("checkpoint", ORIGIN).stdout, [log.vkey]).size == 5
        assert log.checkpoint(7, branch=2) in run("refused", ORIGIN).stdout
        assert run("distrust", log.vkey).exit_code == 0
        assert run("distrust", log.vkey).exit_code == 1

    @pytest.mark.parametrize("words", [("show",), ("serve",), ("trust", "x"), ("init", "a b")])
    def test_what_can_t_be_is_one_line_and_exit_2(self, run, words):
        done = run(*words)

        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)

    @pytest.mark.parametrize("vkey", ["", "a+b+c", "registry.example/log+00000000+AAAA"])
    def test_a_key_that_is_none_is_refused(self, run, vkey):
        run("init", NAME)

        assert run("trust", vkey).exit_code == 2
