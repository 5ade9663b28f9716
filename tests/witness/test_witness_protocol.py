"""C2SP tlog-witness, `add-checkpoint`, clause by clause, over HTTP."""

import json
import logging
import time
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from witnesses import NAME, ORIGIN, TestLog, post

from registry.witness.server import LONGEST
from verifier.proof import Cosignature, cosignatures


def test_the_answer_is_a_cosignature_line_over_the_note_as_tlog_cosignature_writes_it(address, witness, log):
    status, media, line = post(address, log.submission(0, 5))

    assert (status, media) == (200, "text/plain; charset=utf-8")
    dash, name, encoded = line.removesuffix("\n").split(" ")
    raw = b64decode(encoded)
    assert (dash, name, len(raw)) == ("—", NAME, 4 + 8 + 64)
    _, key_id, key = witness.vkey.split("+", 2)
    assert raw[:4].hex() == key_id
    assert b64decode(key)[:1] == b"\x04"
    assert int.from_bytes(raw[4:12]) == 1780315200
    message = f"cosignature/v1\ntime 1780315200\n{log.note(5)}".encode()
    Ed25519PublicKey.from_public_bytes(b64decode(key)[1:]).verify(raw[12:], message)
    assert cosignatures(log.checkpoint(5) + line, [witness.vkey]) == (Cosignature(NAME, 1780315200),)


@pytest.mark.parametrize("sizes", [(1, 2, 3), (4, 8), (0, 0, 7, 7, 300), (5, 256, 257)])
def test_a_log_that_grows_is_cosigned_at_every_size(address, log, sizes):
    old = 0
    for size in sizes:
        assert post(address, log.submission(old, size))[0] == 200
        old = size


def test_an_old_size_that_is_not_the_latest_conflicts_and_the_latest_is_told(address, log):
    assert post(address, log.submission(0, 7))[0] == 200

    for old in (0, 3, 8):
        assert post(address, log.submission(old, 9)) == (409, "text/x.tlog.size", "7\n")
    assert post(address, log.submission(7, 9))[0] == 200
    assert post(address, log.submission(7, 9)) == (409, "text/x.tlog.size", "9\n")


def test_two_roots_of_one_size_conflict(address, witness, log):
    post(address, log.submission(0, 7))

    assert post(address, log.submission(7, 7, branch=3))[0] == 409
    assert post(address, log.submission(7, 7))[0] == 200
    assert post(address, log.submission(3, 7, branch=2))[0] == 409
    assert [why for _, why, _ in witness.ledger.refused(ORIGIN)] == ["two roots for one size"] * 2


def test_another_history_is_unprocessable_and_kept_as_evidence(address, witness, log):
    post(address, log.submission(0, 7))
    forked = log.submission(7, 9, branch=3)

    assert post(address, forked)[0] == 422
    assert [note for _, _, note in witness.ledger.refused(ORIGIN)] == [log.checkpoint(9, branch=3)]
    assert post(address, log.submission(7, 9))[0] == 200


def test_a_proof_that_is_wrong_short_or_long_is_unprocessable(address, log):
    post(address, log.submission(0, 6))
    good = log.submission(6, 9).decode()
    head, _, note = good.partition("\n\n")
    lines = head.split("\n")

    for changed in (lines[:-1], [*lines, lines[-1]], [lines[0], *lines[:0:-1]]):
        assert post(address, "\n".join(changed) + "\n\n" + note)[0] == 422
    assert post(address, good)[0] == 200


def test_a_proof_from_nothing_must_be_empty(address, log):
    hashes = log.prove(3, 6)
    text = "\n".join(["old 0", *(b64encode(one).decode() for one in hashes), "", log.checkpoint(6)])

    assert post(address, text)[0] == 422


def test_an_unknown_log_is_not_found(address):
    assert post(address, TestLog(origin="other.example/log").submission(0, 5))[0] == 404


def test_a_signature_of_no_trusted_key_is_forbidden(address, log):
    assert post(address, TestLog(seed=2).submission(0, 5))[0] == 403
    tampered = log.submission(0, 5).decode().replace("\n5\n", "\n6\n")
    assert post(address, tampered)[0] == 403


def test_signatures_of_unknown_keys_beside_the_logs_are_ignored(address, log):
    text = log.submission(0, 5).decode() + f"— other.example {b64encode(bytes(70)).decode()}\n"

    assert post(address, text)[0] == 200


def test_a_log_may_have_two_keys_and_a_distrusted_one_counts_no_more(address, witness, log):
    new = TestLog(seed=2)
    witness.trust(new.vkey)

    assert post(address, log.submission(0, 5))[0] == 200
    assert post(address, new.submission(5, 6))[0] == 200
    assert witness.ledger.distrust(log.vkey)
    assert post(address, log.submission(6, 7))[0] == 403
    assert post(address, new.submission(6, 7))[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        ("old 2", "old 02"),
        ("old 2", "old -1"),
        ("old 2", "old"),
        ("old 2", "Old 2"),
        ("old 2", "old 2 "),
        ("old 2", "old 2\r"),
        ("old 2", "old 99999999999999999999"),
        ("old 2\n", "old 2\nAAAA\n"),
        ("old 2\n", "old 2\n" + ("A" * 43 + "=\n") * 64),
        ("old 2\n", "old 3000000000\n"),
        ("\n\n", "\n"),
        ("—", "-"),
        (ORIGIN, ORIGIN + "\n\n"),
    ],
)
def test_what_is_no_submission_is_a_bad_request(address, log, change):
    post(address, log.submission(0, 2))

    assert post(address, log.submission(2, 5).decode().replace(*change, 1).encode())[0] == 400


@pytest.mark.parametrize("body", [b"", b"\xff", b"old 0", b"old 0\n\n", b"old 0\n\n\n"])
def test_rubbish_is_a_bad_request_or_of_no_log(address, body):
    assert post(address, body)[0] in (400, 404)


def test_other_paths_methods_and_sizes(address, log):
    assert post(address, b"", path="/")[0] == 404
    assert post(address, None, method="GET")[0] == 405
    assert post(address, b"a" * (LONGEST + 1))[0] == 413
    assert post(address, None, path="/health", method="GET")[::2] == (200, "ok\n")


def test_a_monitor_gets_the_latest_checkpoint_with_its_cosignature(address, witness, log):
    path = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    assert post(address, None, path=path, method="GET")[0] == 404
    post(address, log.submission(0, 5))

    status, media, note = post(address, None, path=path, method="GET")
    assert (status, media) == (200, "text/plain; charset=utf-8")
    assert note.startswith(log.checkpoint(5))
    assert [one.witness for one in cosignatures(note, [witness.vkey])] == [NAME]
    assert post(address, None, path=f"/{'0' * 64}/checkpoint", method="GET")[0] == 404
    assert post(address, b"", path=path)[0] == 405


def test_the_access_log_says_which_log_and_not_who(address, log, caplog):
    caplog.set_level(logging.INFO, "registry.witness")
    post(address, log.submission(0, 5))
    post(address, b"rubbish")

    while len(caplog.messages) < 2:  # the line is written after the answer
        time.sleep(0.01)
    first, second = (json.loads(message) for message in caplog.messages)
    assert first.keys() == {"at", "origin", "size", "status", "seconds"}
    assert (first["origin"], first["size"], first["status"]) == (ORIGIN, 5, 200)
    assert (second["origin"], second["size"], second["status"]) == ("-", None, 400)
    assert "127.0.0.1" not in caplog.text


def test_a_ledger_that_is_gone_is_no_beginning(address, log, folder):
    post(address, log.submission(0, 5))
    (folder / "witness.sqlite").rename(folder / "away")

    assert post(address, log.submission(0, 4))[0] == 503
    assert not (folder / "witness.sqlite").exists()
    (folder / "away").rename(folder / "witness.sqlite")
    assert post(address, log.submission(0, 4))[0] == 409
