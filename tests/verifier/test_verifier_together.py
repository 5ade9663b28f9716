"""A log proof by itself, several files at once, and the folder of one certificate."""

import json

import pytest
from papers import (
    CERTIFICATE,
    NOW,
    STRANGER,
    VKEY,
    badge,
    bits,
    did,
    document,
    event,
    key,
    keys_json,
    laid_out,
    listed,
    log_proof,
    preimage,
    public,
    ring,
    seconds,
    spelled,
    text,
    urn,
)

from registry.api.check import Checker
from verifier import keys, proof
from verifier.__main__ import main
from verifier.keys import KeyRing
from verifier.logged import PROOF_CHECKS, Entry, verify_proof
from verifier.verdict import NOT_ONE, PROOF_REFUSED, VERDICTS, Unverified

AT = "2026-11-22T12:00:00Z"
WITNESS = "witness.example/w1"
OTHER = {"number": "IFS-2026-000777", "cti": bytes(16)}
ISSUED = {"cti": "00" * 16, "number": "IFS-2026-000777"}


def cosigned(text, at="2026-11-21T00:00:00Z"):
    by, time = key("witness"), seconds(at)
    note = proof.signed_text(text[text.index("\n\n") + 2 :])
    return text + proof.cosignature_line(WITNESS, public(by), time, by.sign(proof.cosigned(note, time)))


@pytest.fixture
def static(tmp_path):
    files = {"keys.json": spelled(keys_json()), "s/1": listed(), "status/revocation/1": bits()}
    return laid_out(tmp_path / "static", files)


@pytest.fixture
def folder(tmp_path):
    """Writes files into a folder; gives its path."""

    def write(**files):
        where = tmp_path / "certificate"
        where.mkdir(exist_ok=True)
        for name, content in files.items():
            (where / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return where

    return write


@pytest.fixture
def said(capsys, static):
    def run(*words, keys=True):
        exit_code = main([*map(str, words), *(["--static", str(static)] if keys else []), "--at", AT, "--json"])
        report = json.loads(capsys.readouterr().out)
        assert report["exit"] == exit_code
        return report

    return run


def verdicts(report):
    return [one["verdict"] for one in report.get("results", [report])]


class TestAProofByItself:
    def test_says_what_is_in_the_log_and_that_it_is_no_certificate(self):
        witnesses = [proof.witness_vkey(WITNESS, public(key("witness")))]
        known = KeyRing(ring(), logs=[VKEY], witnesses=witnesses)

        found = verify_proof(cosigned(log_proof()), known)

        assert (found.verdict, found.exit, found.kind) == ("not_an_endorsement", 1, "proof")
        assert found.entry == Entry("certificate.issued", f"endorsement/{CERTIFICATE.number}", 3, "2026-11-02")
        assert [one.witness for one in found.cosignatures] == [WITNESS]
        assert [check.check for check in found.checks] == list(PROOF_CHECKS)
        assert "not a certificate" in found.sentence()
        assert "no es un certificado" in found.sentence("es")

    def test_is_never_good_whatever_the_event(self):
        told = preimage({"on": "soon"}, topic="key.published")

        found = verify_proof(log_proof(told), ring())

        assert (found.exit, found.entry.topic, found.entry.on) == (1, "key.published", "")

    @pytest.mark.parametrize(
        ("bad", "verdict"),
        [
            (log_proof(by=STRANGER), "unknown_key"),
            (log_proof().replace("index 2", "index 1"), "tampered"),
            (log_proof(preimage(position=2), index=2), "tampered"),
            (log_proof(b"not an event"), "malformed"),
            ("c2sp.org/tlog-proof@v1\n", "malformed"),
        ],
    )
    def test_that_does_not_hold_is_refused_in_words_of_its_own(self, bad, verdict):
        with pytest.raises(Unverified) as refused:
            verify_proof(bad, ring())

        assert (refused.value.verdict, refused.value.kind) == (verdict, "proof")
        assert refused.value.checks[-1].passed is False

    def test_cannot_be_checked_without_a_key_of_the_log(self):
        with pytest.raises(Unverified) as refused:
            verify_proof(log_proof(), ring(logs=()))

        assert refused.value.verdict == "cannot_check"

    def test_of_a_withdrawn_key_of_the_log_counts_where_a_witness_saw_it_before(self):
        page = keys_json()
        page["keys"][2]["withdrawn"] = "2026-11-21T00:00:00Z"
        withdrawn = keys.read_keys_json(spelled(page))
        known = withdrawn | KeyRing(witnesses=[proof.witness_vkey(WITNESS, public(key("witness")))])

        assert verify_proof(log_proof(), known).verdict == "key_revoked"
        assert verify_proof(cosigned(log_proof()), known).verdict == "key_revoked"
        assert verify_proof(cosigned(log_proof(), "2026-11-20T00:00:00Z"), known).verdict == "not_an_endorsement"

    def test_is_told_by_the_command(self, said, folder, capsys, static):
        where = folder(proof=log_proof()) / "proof"

        report = said(where)

        assert (report["kind"], report["verdict"], report["certificate"]) == ("proof", "not_an_endorsement", None)
        assert report["entry"] == {
            "topic": "certificate.issued", "stream": f"endorsement/{CERTIFICATE.number}", "position": 3,
            "on": "2026-11-02",
        }  # fmt: skip
        assert main([str(where), "--static", str(static), "--at", AT]) == 1
        assert "certificate.issued of 2026-11-02" in capsys.readouterr().out
        assert said(where, "--log", VKEY, keys=False)["verdict"] == "not_an_endorsement"
        assert said(where, keys=False)["verdict"] == "cannot_check"

    @pytest.mark.parametrize("lang", ["en", "es"])
    def test_is_told_by_the_server(self, static, lang):
        report = Checker(static).check(log_proof().encode(), NOW)

        assert (report["kind"], report["exit"], report["look"]) == ("proof", 1, "unsure")
        assert report["words"][lang] == VERDICTS["not_an_endorsement"].words(lang, "proof")._asdict()
        assert report["entry"]["position"] == report["log_position"] == 3


class TestSeveralFiles:
    def test_a_proof_is_checked_with_the_certificate_it_is_of(self, said, folder):
        where = folder(a=log_proof(), b=text(), c=text(**OTHER), d=badge())

        report = said(*(where / name for name in "abcd"))

        assert report["exit"] == 0
        assert [one["log_position"] for one in report["results"]] == [3, 3, None, 3]

    def test_a_proof_of_none_of_them_is_refused_with_them(self, said, folder):
        where = folder(a=log_proof(preimage(event(**ISSUED))), b=text())

        report = said(where / "a", where / "b")

        assert verdicts(report) == ["tampered", "valid"]
        assert report["results"][0]["words"] == PROOF_REFUSED["en"]._asdict()

    def test_a_proof_of_the_id_with_other_facts_refuses_both(self, said, folder):
        where = folder(a=log_proof(preimage(event(category="IMHM-C"))), b=text())

        assert verdicts(said(where / "b", where / "a")) == ["tampered", "tampered"]

    def test_beside_what_is_not_authentic_it_stands_alone(self, said, folder):
        where = folder(a=log_proof(), b=text(by=STRANGER))

        assert verdicts(said(where / "a", where / "b")) == ["not_an_endorsement", "unknown_key"]

    def test_without_a_key_of_the_log_it_says_nothing(self, said, folder, static):
        where = folder(a=log_proof(), b=text())

        (static / "did.json").write_bytes(spelled(did()))
        report = said(where / "a", where / "b", "--did", static / "did.json", keys=False)

        assert verdicts(report) == ["cannot_check", "status_unknown"]


class TestAFolder:
    def test_of_one_certificate_is_good(self, said, folder):
        again = badge(document() | {"id": urn(bytes(range(16, 32)))})
        where = folder(a=text(), b=badge(), c=log_proof(), d=again, **{".hidden": b"no"})

        report = said(where)

        assert (report["exit"], verdicts(report)) == (0, ["valid"] * 4)

    @pytest.mark.parametrize("other", [OTHER, {"name": "Somebody Else"}, {"cti": bytes(16)}])
    def test_of_two_says_which_two_files_disagree(self, said, folder, other, capsys, static):
        where = folder(a=text(), b=text(**other), c=badge())

        report = said(where)

        assert (report["exit"], verdicts(report)) == (2, ["valid"] * 3 + ["malformed"])
        told = report["results"][-1]
        assert told["source"] == str(where)
        assert told["words"] == NOT_ONE["en"]._asdict()
        assert f"{where / 'a'} is of" in told["why"]
        assert f"{where / 'b'} of" in told["why"]
        assert main([str(where), "--static", str(static), "--at", AT]) == 2
        assert f"{where / 'b'} of" in capsys.readouterr().out

    def test_is_as_good_as_its_worst_file(self, said, folder):
        where = folder(a=text(), b=text(by=STRANGER), c="a note")

        assert sorted(verdicts(said(where))) == ["malformed", "unknown_key", "valid"]

    def test_that_is_none_is_refused(self, said, folder):
        assert said(folder())["exit"] == 64
        assert said(folder(**{f"f{n}": "x" for n in range(65)}))["exit"] == 64
