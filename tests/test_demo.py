"""What a newcomer does after `make demo`: the README's and the issue's commands, on what the demo really made."""

import json
import os
import subprocess
import sys
import venv
from datetime import date
from pathlib import Path

import psutil
import psycopg
import pypdfium2
import pytest
import zxingcpp
from grounds import PATIENCE
from independent import below
from strangers import FILES, ask

from registry import database
from registry.settings import Settings

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[1]


def run(*command, home, check=True, **more):
    done = subprocess.run(
        [str(part) for part in command],
        env=os.environ | {"REGISTRY_HOME": str(home)} | more,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def verify(*arguments):
    done = subprocess.run(
        [BIN / "verify", *map(str, arguments), "--json"], capture_output=True, text=True, timeout=PATIENCE
    )
    return json.loads(done.stdout), done.returncode


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("demo") / "var"
    yield home
    database.stop(Settings(home=home))


@pytest.fixture(scope="module")
def made(home):
    done = run(BIN / "registry", "demo", "--no-serve", "--json", home=home)
    return {
        name: value if name in ("number", "files") else Path(value) for name, value in json.loads(done.stdout).items()
    }


def test_it_prints_one_json_object_and_leaves_the_files(made):
    assert set(made) == {"number", "certificates", "superseded", "static", "home", "files"}
    assert set(made["files"]) == {
        "certificate.pdf", "credential.json", "credential.jwt", "badge.png", "badge.svg",
        "qr.png", "qr.svg", "qr.txt", "proof.tlog-proof",
    }  # fmt: skip
    for folder in (made["certificates"], made["superseded"]):
        assert {path.name for path in folder.iterdir()} == set(made["files"])


def test_the_new_certificate_is_valid_and_the_old_one_superseded_by_connecticut(made):
    new, exit_new = verify(made["certificates"] / "qr.png", "--static", made["static"])
    assert (new["verdict"], exit_new) == ("valid", 0)
    assert new["certificate"]["number"] == made["number"]
    old, exit_old = verify(made["superseded"] / "qr.png", "--static", made["static"])
    assert (old["verdict"], exit_old) == ("superseded", 1)
    assert "Connecticut" in old["sentence"] or "CT" in old["sentence"]


def test_every_file_of_the_new_certificate_agrees(made):
    together, exit_code = verify(made["certificates"], "--static", made["static"])
    assert exit_code == 0
    assert [one["verdict"] for one in together["results"]] == ["valid"] * len(made["files"])
    alone, exit_alone = verify(made["certificates"] / "proof.tlog-proof", "--static", made["static"])
    assert (alone["kind"], alone["entry"]["topic"], exit_alone) == ("proof", "certificate.issued", 1)
    mixed, exit_mixed = verify(made["certificates"], made["superseded"], "--static", made["static"])
    assert {one["verdict"] for one in mixed["results"]} == {"valid", "superseded"}
    assert exit_mixed == 1


def test_the_roster_to_try_is_answered_with_a_receipt_that_verifies(made, home, tmp_path):
    receipt = tmp_path / "receipt.json"
    run(BIN / "registry", "rebuild", home=home)
    asked = ("roster-check", home / "roster.csv", "--receipt", receipt, "--json")
    checked = run(BIN / "registry", *asked, home=home, check=False)
    assert checked.returncode == 1, checked.stderr
    assert [row["verdict"] for row in json.loads(checked.stdout)["rows"]] == [
        "valid", "in_force", "superseded", "not_found", "tampered", "unreadable",
    ]  # fmt: skip
    proved = run(BIN / "verify", "receipt", receipt, "--static", made["static"], "--json", home=home)
    assert json.loads(proved.stdout)["witnesses"]
    offline = run(BIN / "verify", "roster", home / "roster.csv", "--static", made["static"], home=home, check=False)
    assert offline.returncode == 2
    assert "Not looked up" in offline.stdout


def test_the_paper_agrees_and_proves_its_position(made):
    paper, exit_code = verify(made["certificates"] / "certificate.pdf", "--static", made["static"])
    assert (paper["verdict"], exit_code) == ("valid", 0)
    assert paper["log_position"] > 1


def test_a_witness_of_its_own_cosigned_the_log_and_is_gone_when_the_demo_is(made, home):
    paper, _ = verify(made["certificates"] / "certificate.pdf", "--static", made["static"])
    (cosigned,) = paper["cosignatures"]
    assert cosigned["witness"] == "witness.example/demo"
    assert (made["static"] / "witnesses").read_text().startswith("witness.example/demo+")
    assert run(BIN / "registry", "witness", "show", home=home).stdout == (made["static"] / "witnesses").read_text()
    assert not [line for process in psutil.process_iter() if str(home / "witness") in (line := _command_line(process))]


def _command_line(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_strangers_agree(made):
    folders = {"new": made["certificates"], "old": made["superseded"]}
    said = ask(
        made["static"],
        [(who, folder / file) for folder in folders.values() for who, files in FILES.items() for file in files],
    )

    accepted = {name: {who for (who, file), one in said.items() if one["accepts"] and file.parent == folder}
                for name, folder in folders.items()}  # fmt: skip
    assert accepted["new"] == FILES.keys()
    # These read no list of badges; tests/interop says so of each.
    assert accepted["old"] == {"jose", "python-cwt", "scitt-cose", "scitt-cose-log"}


def test_the_proof_of_another_certificate_is_refused(made):
    other = made["superseded"] / "proof.tlog-proof"
    refused, exit_code = verify(made["certificates"] / "qr.txt", "--static", made["static"], "--proof", other)
    assert exit_code == 2
    assert refused["verdict"] != "valid"


def test_without_a_list_the_status_is_unknown_and_without_keys_the_key(made):
    text = made["certificates"] / "qr.txt"
    keys_only, exit_code = verify(text, "--did", made["static"] / ".well-known" / "did.json")
    assert (keys_only["verdict"], exit_code) == ("status_unknown", 3)
    nothing, exit_code = verify(text)
    assert (nothing["verdict"], exit_code) == ("unknown_key", 2)


def test_a_changed_digit_is_not_believed(made, tmp_path):
    text = (made["certificates"] / "qr.txt").read_text().strip()
    changed = tmp_path / "qr.txt"
    changed.write_text(text[:-40] + str((int(text[-40]) + 1) % 10) + text[-39:])
    answer, exit_code = verify(changed, "--static", made["static"])
    assert exit_code == 2
    assert answer["verdict"] in ("tampered", "malformed")


def test_its_code_is_read_from_a_150_dpi_rendering_by_us_and_by_zbar(made, tmp_path, zbar):
    page = pypdfium2.PdfDocument(made["certificates"] / "certificate.pdf")[0].render(scale=150 / 72).to_pil()
    picture = tmp_path / "page.png"
    page.save(picture)
    text = (made["certificates"] / "qr.txt").read_text().strip()
    assert [found.text for found in zxingcpp.read_barcodes(page)] == [text]
    answer, exit_code = verify(picture, "--static", made["static"])
    assert (answer["verdict"], exit_code) == ("valid", 0)
    assert zbar(picture) == text


def test_the_life_is_on_past_days_and_the_certificate_good_now(made, home):
    with psycopg.connect(database.url(Settings(home=home), "reader")) as connection:
        rows = connection.execute(
            "SELECT topic, convert_from(state, 'UTF8')::json FROM registry.events WHERE originator_id = %s"
            " ORDER BY originator_version",
            [f"endorsement/{made['number']}"],
        ).fetchall()
    days = {topic: date.fromisoformat(state["on"]) for topic, state in rows}
    assert days["endorsement.awarded"] < days["endorsement.renewed"] < days["endorsement.custody_transferred"]
    assert days["endorsement.custody_transferred"] < date.today()
    assert (days["endorsement.renewed"].month, days["endorsement.renewed"].day) == (10, 15)


def test_one_changed_byte_is_found_named_and_gone_when_undone(made, home):
    assert run(BIN / "registry", "fsck", home=home).returncode == 0
    settings = Settings(home=home)
    where = "originator_id = %s AND originator_version = 2"
    stream = f"endorsement/{made['number']}"
    with psycopg.connect(database.address(settings), autocommit=True) as superuser:
        (state,) = superuser.execute(f"SELECT state FROM registry.events WHERE {where}", [stream]).fetchone()
        at = state.index(b'"number":"') + len(b'"number":"')
        changed = state[:at] + bytes([state[at] ^ 1]) + state[at + 1 :]
        for value in (changed, state):
            superuser.execute("ALTER TABLE registry.events DISABLE TRIGGER ALL")
            superuser.execute(f"UPDATE registry.events SET state = %s WHERE {where}", [value, stream])
            superuser.execute("ALTER TABLE registry.events ENABLE ALWAYS TRIGGER immutable")
            found = run(BIN / "registry", "fsck", home=home, check=False)
            if value is changed:
                assert found.returncode == 1
                assert f"{stream}" in found.stdout
                assert "2" in found.stdout
    assert found.returncode == 0


def test_the_services_role_changes_nothing(made, home):
    with psycopg.connect(database.url(Settings(home=home), "writer"), autocommit=True) as writer:
        for statement in (
            "UPDATE registry.events SET topic = 'x'",
            "DELETE FROM registry.events",
            "TRUNCATE registry.events",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.execute(statement)


def test_views_are_rebuilt_and_compared(made, home):
    rebuilt = json.loads(run(BIN / "registry", "rebuild", "--json", home=home).stdout.splitlines()[-1])
    assert rebuilt["events"] > 300
    run(BIN / "registry", "compare", home=home)


def test_with_60_hours_of_rsc_a_script_over_the_events_finds_the_same_people(made, home, tmp_path):
    (tmp_path / "rules.json").write_text('{"rsc_hours": 60}')
    done = run(BIN / "registry", "reconsider", "--rules", tmp_path / "rules.json", "--json", home=home)
    found = json.loads(done.stdout)
    with psycopg.connect(database.url(Settings(home=home), "reader")) as connection:
        awards, submissions = below(connection, 60)
    changed = found["changed"]
    listed = {one["number"]: one["refusal"]["missing"][0]["have"] for one in changed if one["decision"] == "award"}
    assert listed == awards
    assert made["number"] in awards
    others = {(one["stream"], one["version"]) for one in changed if one["decision"] != "award"}
    assert others == submissions
    assert len(submissions) == 3
    assert found["findings"] == []
    assert found["decisions"] > len(changed)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An empty environment of somebody else's: Python, our `verifier/`, its three libraries, nothing more."""
    environment = tmp_path_factory.mktemp("stranger") / "venv"
    venv.create(environment, symlinks=True, with_pip=False)
    (packages,) = environment.glob("lib/*/site-packages")
    (ours,) = [Path(path) for path in sys.path if path.endswith("site-packages")]
    for name in ("cryptography", "cffi", "_cffi_backend", "pycparser", "cbor2", "_cbor2", "rfc8785"):
        for found in ours.glob(f"{name}*"):
            if not found.name.endswith(".dist-info"):
                (packages / found.name).symlink_to(found)
    (packages / "verifier").symlink_to(ROOT / "verifier")

    def run(*words):
        done = subprocess.run(
            [environment / "bin" / "python", "-I", "-m", "verifier", *map(str, words), "--json"],
            capture_output=True, text=True, timeout=PATIENCE, cwd=environment,
        )  # fmt: skip
        return json.loads(done.stdout), done.returncode

    assert subprocess.run(
        [environment / "bin" / "python", "-I", "-c", "import registry"], capture_output=True
    ).returncode
    return run


def test_the_moved_persons_bundle_is_proved_by_a_stranger_and_one_byte_shows(made, home, stranger, tmp_path):
    file = tmp_path / "moved.json"
    taken = run(BIN / "registry", "bundle", "--number", made["number"], "--as", "alliance", "--out", file, "--json",
                home=home)  # fmt: skip
    assert json.loads(taken.stdout)["opened"] >= 1

    proved, exit_code = stranger("bundle", file, "--static", made["static"])
    assert (proved["verdict"], exit_code) == ("proved", 0)
    assert proved["specimen"]
    (held,) = proved["claims"]["endorsements"]
    assert [one["association"] for one in held["custody"]] == ["VA", "CT"]
    assert proved["claims"]["transfers"][0]["words"][0]["said"] == "confirmed"

    alone, exit_code = stranger("bundle", file)
    assert (alone["verdict"], exit_code) == ("not_pinned", 3)

    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    changed, exit_code = stranger("bundle", file, "--static", made["static"])
    assert exit_code == 2
    assert changed["why"] in changed["sentence"]
    assert "claims" not in changed


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path):
    (tmp_path / "keys").mkdir()
    refused = run(BIN / "registry", "demo", "--no-serve", home=tmp_path, check=False)
    assert refused.returncode == 2
    assert "has keys already" in refused.stderr


def test_run_again_it_uses_what_it_made_also_after_a_key_was_compromised(made, home):
    keys = json.loads((made["static"] / "keys.json").read_bytes())["keys"]
    (kid,) = [key["kid"] for key in keys if key["use"] == "certificate"]
    run(BIN / "registry", "keys", "compromise", kid, "--since", "2026-01-01T00:00:00Z", "--yes", home=home)
    run(BIN / "registry", "certificates", "reissue", home=home)

    again = run(BIN / "registry", "demo", "--no-serve", "--json", home=home)

    assert json.loads(again.stdout)["number"] == made["number"]
    (line,) = [line for line in again.stderr.splitlines() if kid in line]
    assert line.startswith(f"The files in {home / 'certificates'}")
    assert verify(made["certificates"], "--static", made["static"])[1] == 0
    assert verify(made["superseded"] / "qr.png", "--static", made["static"])[0]["verdict"] == "superseded"
