"""The command `verify`: what it prints and how it ends."""

import io
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from papers import (
    CERTIFICATE,
    HOST,
    ISSUER,
    LISTING,
    STRANGER,
    TRANSFERRED,
    VKEY,
    did,
    event,
    keys_json,
    listed,
    log_proof,
    noted,
    preimage,
    spelled,
    text,
)

from verifier.__main__ import main

ROOT = Path(__file__).parents[2]
AT = ["--at", "2026-11-22T12:00:00Z"]
HERE = CERTIFICATE.status_index


@pytest.fixture
def static(tmp_path):
    folder = tmp_path / "static"
    (folder / "s").mkdir(parents=True)
    (folder / ".well-known").mkdir()
    (folder / "status").mkdir()
    (folder / "keys.json").write_bytes(spelled(keys_json()))
    (folder / ".well-known" / "did.json").write_bytes(spelled(did()))
    (folder / "status" / "did.json").write_bytes(spelled(did(LISTING, f"{ISSUER}:status")))
    (folder / "s" / "1").write_bytes(listed())
    return folder


@pytest.fixture
def qr_txt(tmp_path):
    path = tmp_path / "qr.txt"
    path.write_text(text() + "\n", encoding="utf-8")
    return path


@pytest.fixture
def said(capsys):
    def run(*words):
        exit_code = main([*map(str, words), *AT, "--json"])
        return exit_code, json.loads(capsys.readouterr().out)

    return run


class TestExitCodes:
    def test_0_valid(self, said, static, qr_txt):
        assert said(qr_txt, "--static", static)[0] == 0

    def test_1_authentic_but_not_good(self, said, static, qr_txt):
        (static / "s" / "1").write_bytes(listed({HERE: 1}))

        exit_code, report = said(qr_txt, "--static", static)

        assert (exit_code, report["verdict"]) == (1, "revoked")

    def test_2_a_changed_digit(self, said, static):
        changed = text()[:-1] + str((int(text()[-1]) + 1) % 10)

        exit_code, report = said("--text", changed, "--static", static)

        assert (exit_code, report["verdict"], report["certificate"]) == (2, "tampered", None)

    def test_2_no_keys_at_all(self, said, qr_txt):
        exit_code, report = said(qr_txt)

        assert (exit_code, report["verdict"], report["certificate"]) == (2, "unknown_key", None)

    def test_3_keys_but_no_list(self, said, static, qr_txt):
        exit_code, report = said(qr_txt, "--did", static / ".well-known" / "did.json")

        assert (exit_code, report["verdict"]) == (3, "status_unknown")
        assert report["why"] == "there is no list to look it up in"

    @pytest.mark.parametrize(
        "words",
        [
            [],
            ["--no-such-option"],
            ["no-such-file"],
            ["--text", "x", "--static", "no-such-folder"],
            ["--text", "x", "--did", "no-such-file"],
            ["--text", "x", "--status", "no-such-file"],
            ["--text", "x", "--proof", "no-such-file"],
            ["--text", "x", "--log", "no-vkey"],
            ["--text", "x", "--host", "https://x/"],
            ["--text", "x", "--lang", "fr"],
        ],
    )
    def test_64_the_command_cannot_be_understood(self, said, words):
        exit_code, report = said(*words)

        assert (exit_code, report["verdict"]) == (64, None)
        assert report["error"]

    @pytest.mark.parametrize("time", ["yesterday", "2026-11-22", "2026-11-22T12:00:00"])
    def test_64_a_time_without_its_zone(self, capsys, time):
        assert main(["--text", "x", "--at", time]) == 64
        assert "--at" in capsys.readouterr().err

    @pytest.mark.parametrize("page", [b"", b"{}", spelled(keys_json(keys=[{}]))])
    def test_64_key_files_that_are_none(self, said, static, qr_txt, page):
        (static / "keys.json").write_bytes(page)

        assert said(qr_txt, "--static", static)[0] == 64

    def test_64_a_file_too_large(self, said, static, qr_txt):
        with (static / "keys.json").open("wb") as file:
            file.truncate(17 << 20)

        assert said(qr_txt, "--static", static)[0] == 64

    def test_64_what_reads_pictures_is_not_installed(self, monkeypatch, capsys, tmp_path):
        (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        (tmp_path / "PIL.py").write_text("raise ImportError", encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)

        assert main([str(tmp_path / "x.png")]) == 64
        assert "endorsement-verifier[files]" in capsys.readouterr().err

    def test_70_what_nobody_foresaw(self, monkeypatch, capsys, qr_txt):
        def fails(*_, **__):
            raise ArithmeticError("with a path or a name in it")

        monkeypatch.setattr("verifier.__main__.verify_found", fails)

        assert main([str(qr_txt), "--json"]) == 70
        out, err = capsys.readouterr()
        assert (json.loads(out)["verdict"], json.loads(out)["exit"]) == (None, 70)
        assert (err.count("\n"), "ArithmeticError" in err, "path" in out + err) == (1, True, False)

    @pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z"])
    def test_64_a_time_of_no_calendar_of_ours(self, capsys, time):
        assert main(["--text", text(), "--at", time]) == 64
        assert "--at" in capsys.readouterr().err

    def test_of_several_the_worst(self, said, static, qr_txt):
        exit_code, report = said(qr_txt, "--text", "garbage", "--text", text(expires_at=1), "--static", static)

        assert (exit_code, report["verdict"]) == (2, "malformed")
        assert [one["verdict"] for one in report["results"]] == ["malformed", "expired", "valid"]


class TestSources:
    def test_a_file_whose_name_is_no_text(self, static, qr_txt):
        odd = os.fsdecode(os.fsencode(qr_txt.with_name("a")) + b"\xff.txt")
        shutil.copy(qr_txt, odd)
        words = [sys.executable, "-m", "verifier", odd, "--static", static, *AT, "--json"]

        for named, exit_code in ((words, 0), ([*words, odd + "x"], 64)):
            done = subprocess.run(named, cwd=ROOT, capture_output=True, check=False)
            assert (done.returncode, json.loads(done.stdout)["exit"]) == (exit_code, exit_code), done.stderr

    @pytest.mark.parametrize("made", [1 << 60, 1 << 63])
    def test_a_list_made_beyond_the_calendar(self, said, static, qr_txt, made):
        (static / "s" / "1").write_bytes(listed(iat=made, exp=made))

        assert said(qr_txt, "--static", static)[1]["verdict"] == "status_unknown"

    def test_did_documents_of_a_demo_say_specimen(self, said, static, qr_txt):
        (static / ".well-known" / "did.json").write_bytes(spelled(did() | {"specimen": True}))

        assert said(qr_txt, "--did", static / ".well-known" / "did.json")[1]["specimen"]

    def test_standard_input(self, monkeypatch, said, static):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{text()}\n".encode())))

        assert said("-", "--static", static)[1]["verdict"] == "valid"

    def test_an_address_in_place_of_a_file(self, said, static):
        assert said(text(), "--static", static)[1]["verdict"] == "valid"

    def test_a_list_by_its_file(self, said, static, qr_txt):
        words = ["--did", static / ".well-known" / "did.json", "--did", static / "status" / "did.json"]

        assert said(qr_txt, *words, "--status", static / "s" / "1")[1]["verdict"] == "valid"


class TestTheAddress:
    def test_is_pinned_by_host_first(self, said, static):
        assert said("--text", text(host="other.example"), "--static", static, "--host", "OTHER.example")[0] == 0
        assert said("--text", text(), "--static", static, "--host", "other.example")[1]["verdict"] == "wrong_domain"

    def test_then_by_the_static_folder(self, said, static, tmp_path):
        other = tmp_path / "other.json"
        other.write_bytes(spelled(did(STRANGER, "did:web:other.example")))
        words = ["--static", static, "--did", other]

        assert said("--text", text(host="other.example"), *words)[1]["verdict"] == "wrong_domain"

    def test_then_by_the_ids_of_the_did_documents(self, said, static):
        words = ["--did", static / ".well-known" / "did.json"]

        assert said("--text", text(host="other.example"), *words)[1]["verdict"] == "wrong_domain"
        assert said("--text", text(), *words)[1]["verdict"] == "status_unknown"

    def test_else_it_is_not_checked(self, said, static):
        report = said("--text", text(host="other.example"), "--did", static / "status" / "did.json")[1]

        assert report["verdict"] == "unknown_key"
        assert report["checks"][1]["passed"] is None


class TestTheLog:
    def test_a_proof_gives_the_position(self, said, static, qr_txt, tmp_path):
        (tmp_path / "proof").write_text(log_proof(), encoding="utf-8")

        report = said(qr_txt, "--static", static, "--proof", tmp_path / "proof")[1]

        assert (report["verdict"], report["log_position"]) == ("valid", 3)

    def test_the_key_may_be_given(self, said, static, qr_txt, tmp_path):
        (tmp_path / "proof").write_text(log_proof(), encoding="utf-8")
        words = [qr_txt, "--did", static / ".well-known" / "did.json", "--proof", tmp_path / "proof"]

        assert said(*words, "--log", VKEY)[1]["log_position"] == 3
        assert said(*words)[0] == 64

    @pytest.mark.parametrize(
        ("bad", "verdict"),
        [
            (log_proof(preimage(event(cti="f" * 32))), "tampered"),
            (log_proof(preimage(topic="endorsement.renewed")), "tampered"),
            (log_proof(preimage(position=2), index=1), "tampered"),
            (log_proof(preimage(position=2)), "tampered"),
            (log_proof(preimage(stream="endorsement/OTHER")), "tampered"),
            *(
                (log_proof(preimage(event(**{name: value}))), "tampered")
                for name, value in {
                    "number": "IFS-2026-000513",
                    "category": "IMHM-C",
                    "association": "CT",
                    "valid_from": "2026-11-02T03:14:16Z",
                    "expires_at": "never",
                    "replaces": "0" * 32,
                }.items()
            ),
            (log_proof(by=STRANGER), "unknown_key"),
            (log_proof().replace("index 2", "index 3"), "tampered"),
            (log_proof(b"not an event"), "malformed"),
            (log_proof(spelled([1, "x"])), "malformed"),
            (log_proof(spelled([3, "x", 1, "y", "e30=="])), "tampered"),
            (log_proof(spelled([3, "x", 1, "y", "WzFd"])), "malformed"),
            (log_proof(spelled([3, "x", 1, "y", "%%%"])), "malformed"),
            ("", "malformed"),
        ],
    )
    def test_a_proof_that_is_not_this_certificates_is_refused(self, said, static, qr_txt, tmp_path, bad, verdict):
        (tmp_path / "proof").write_text(bad, encoding="utf-8")

        exit_code, report = said(qr_txt, "--static", static, "--proof", tmp_path / "proof")

        assert (exit_code, report["verdict"], report["certificate"], report["log_position"]) == (2, verdict, None, None)
        assert "proof" in report["sentence"]
        assert report["checks"][-1]["check"] == "the registry's log holds it"

    def test_a_proof_is_of_one_certificate(self, said, static, qr_txt, tmp_path):
        (tmp_path / "proof").write_text(log_proof(), encoding="utf-8")

        assert said(qr_txt, qr_txt, "--static", static, "--proof", tmp_path / "proof")[0] == 64

    def test_one_attached_to_a_pdf_is_used(self, said, static, tmp_path):
        from test_verifier_files import pdf

        path = tmp_path / "certificate.pdf"
        path.write_bytes(pdf(**{"qr.txt": text().encode(), "proof.tlog-proof": log_proof().encode()}))

        assert said(path, "--static", static)[1]["log_position"] == 3
        report = said(path, "--did", static / ".well-known" / "did.json")[1]
        assert (report["log_position"], report["note"]) == (
            None,
            "a log proof is attached, but there is no log key to check it with",
        )

    def test_another_ones_attached_to_a_pdf_is_refused(self, said, static, tmp_path):
        from test_verifier_files import pdf

        other = log_proof(preimage(event(cti="f" * 32)))
        path = tmp_path / "certificate.pdf"
        path.write_bytes(pdf(**{"qr.txt": text().encode(), "proof.tlog-proof": other.encode()}))

        assert said(path, "--static", static)[1]["verdict"] == "tampered"


class TestWhatItPrints:
    def test_one_json_object_with_all_that_was_found(self, said, static, qr_txt):
        report = said(qr_txt, "--static", static)[1]

        assert report.keys() >= {"verdict", "checks", "certificate", "as_of", "log_position", "sentence"}
        assert report["certificate"]["name"] == CERTIFICATE.name
        assert report["certificate"]["expires_at"] == "2027-12-31T23:59:59Z"
        assert (report["as_of"], report["checked_at"]) == ("2026-11-22T06:00:00Z", "2026-11-22T12:00:00Z")
        assert [check["number"] for check in report["checks"]] == list(range(1, 11))

    def test_where_the_endorsement_is_now(self, said, static, qr_txt):
        (static / "s" / "1").write_bytes(listed({HERE: 3}))
        (static / "s" / "1.notes").write_bytes(noted({HERE: TRANSFERRED}))

        report = said(qr_txt, "--static", static, "--lang", "es")[1]

        assert report["notice"] == {
            "reason": "transferred",
            "on": "2026-11-20",
            "standing": "active",
            "association": "CT",
        }
        assert "transferido a CT" in report["sentence"]

    def test_plain_words(self, capsys, static, qr_txt):
        assert main([str(qr_txt), "--static", str(static), *AT]) == 0

        out = capsys.readouterr().out
        assert out.startswith(f"{qr_txt}: valid\nThis certificate is genuine")
        assert f"name         {CERTIFICATE.name}" in out
        assert "as of 2026-11-22T06:00:00Z" in out

    def test_a_specimen_says_so_first(self, capsys, static, qr_txt):
        (static / "keys.json").write_bytes(spelled(keys_json(specimen=True)))

        main([str(qr_txt), "--static", str(static), *AT])

        assert capsys.readouterr().out.startswith("*** SPECIMEN: made by a demo.")

    def test_a_name_cannot_steer_the_terminal(self, capsys, static):
        main(["--text", text(name="\x1b[31mEve\u202e"), "--static", str(static), *AT])

        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\u202e" not in out

    def test_a_time_beyond_the_calendar(self, said, static):
        report = said("--text", text(expires_at=2**64 - 1), "--static", static)[1]

        assert report["certificate"]["expires_at"] == "9999-12-31T23:59:59Z"

    def test_a_proof_that_could_not_be_checked(self, capsys, static, tmp_path):
        from test_verifier_files import pdf

        path = tmp_path / "certificate.pdf"
        path.write_bytes(pdf(**{"qr.txt": text().encode(), "proof.tlog-proof": log_proof().encode()}))
        main([str(path), "--did", str(static / ".well-known" / "did.json"), *AT])

        assert "note: a log proof is attached, but there is no log key" in capsys.readouterr().out

    @pytest.mark.parametrize("json", [[], ["--json"]])
    def test_utf8_in_any_locale_and_no_noise_when_nobody_listens(self, static, json):
        words = [sys.executable, "-m", "verifier", "--text", text(), "--static", str(static), *AT, *json]
        own = {"PYTHONIOENCODING": "ascii", "PATH": ""}

        heard = subprocess.run(words, cwd=ROOT, env=own, capture_output=True, check=False)
        reading, writing = os.pipe()
        os.close(reading)
        unheard = subprocess.run(words, cwd=ROOT, env=own, stdout=writing, stderr=subprocess.PIPE, check=False)
        os.close(writing)

        assert CERTIFICATE.name in heard.stdout.decode("utf-8")
        assert (unheard.returncode, unheard.stderr) == (0, b"")

    def test_help_teaches_by_example(self, capsys):
        with pytest.raises(SystemExit) as ended:
            main(["--help"])

        assert ended.value.code == 0
        assert "verify certificate.pdf --static ./static" in capsys.readouterr().out

    def test_the_time_is_now_unless_given(self, capsys, static):
        assert main(["--text", text(expires_at=1), "--static", str(static), "--json"]) == 1


class TestStandingAlone:
    NEEDED = ("cryptography", "cbor2", "rfc8785", "cffi", "_cffi_backend", "pycparser")

    def test_starts_without_what_reads_pictures(self):
        heavy = "{'pypdf', 'pypdfium2', 'PIL', 'zxingcpp'} & set(sys.modules)"
        script = f"import sys, verifier.__main__; print({heavy})"

        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

        assert done.stdout.strip() == "set()"

    def test_loads_nothing_slow_to_check_a_text(self, static, qr_txt):
        slow = "{'dataclasses', 'inspect', 'shutil', 'subprocess', 'urllib.request'} & set(sys.modules)"
        script = f"import sys; from verifier.__main__ import main; main(); print({slow}, file=sys.stderr)"
        words = [sys.executable, "-c", script, qr_txt, "--static", static, *AT]

        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)

        assert done.stderr.strip() == "set()"

    def test_installs_and_runs_with_its_own_needs_alone(self, static, qr_txt, tmp_path):
        source, target = tmp_path / "verifier", tmp_path / "site"
        shutil.copytree(ROOT / "verifier", source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        subprocess.run([*install, "--target", target, source], check=True, capture_output=True)
        for name in self.NEEDED:
            found = find_spec(name)
            if found is None or found.origin is None:
                continue
            origin = Path(found.origin)
            link = origin.parent if origin.name == "__init__.py" else origin
            (target / link.name).symlink_to(link)
        assert (target / "verifier" / "py.typed").exists()
        assert (target / "verifier" / "page" / "page.html").exists()

        # -I and -S: nothing else of this machine can be imported
        script = f"import sys; sys.path.append({str(target)!r}); from verifier.__main__ import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", script, qr_txt, "--static", static, *AT, "--json"],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

        assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "valid"), done.stderr
        assert HOST in done.stdout
