import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from crowd import NOON

from domain.endorsement import new_number
from domain.errors import Invalid
from registry import database, roster_check
from registry.certificates.keys import KeyFolder
from registry.certificates.receipt_paper import TEMPLATE, print_receipt
from registry.certificates.sheet import Sheets
from registry.log.published import NotYetPublished
from registry.roster_check import rows_given
from registry.vault import read_master_key
from verifier import roster
from verifier.receipt import check
from verifier.verdict import Unverified

HERE = Path(__file__).resolve().parents[2]


def as_csv(rows):
    written = io.StringIO()
    csv.writer(written).writerows([["number", "name"], *rows])
    return written.getvalue().encode()


def asked(crowd, *rows):
    return crowd.checker().check(rows_given(rows), crowd.clock()).receipt["rows"]


@pytest.fixture(scope="module")
def planted(published):
    """The receipt of 5,000 rows with forty problems, what must be in it, and how long this process worked for it."""
    rows, wrong = published.roster()
    assert (len(rows), len(wrong)) == (5_000, 40)
    begun = time.process_time()
    answered = published.checker().check(roster.read(as_csv(rows)), published.clock())
    return answered, wrong, time.process_time() - begun


def test_of_five_thousand_rows_exactly_the_forty_problems_are_reported(planted):
    answered, wrong, _ = planted

    found = {
        row["row"]: row["verdict"] for row in answered.receipt["rows"] if row["verdict"] not in ("valid", "in_force")
    }

    assert found == wrong
    assert answered.receipt["counts"]["rows"] == 5_000
    assert len(set(wrong.values())) >= 8


def test_five_thousand_rows_take_less_than_ten_seconds_of_a_processor(planted):
    assert planted[2] < 10  # on the clock: bench/roster.py


def test_a_receipt_is_verified_elsewhere_with_the_verifier_and_a_copy_of_the_plane_alone(planted, published, tmp_path):
    answered, wrong, _ = planted
    shutil.copytree(HERE / "verifier", tmp_path / "verifier", ignore=shutil.ignore_patterns("__pycache__", "page"))
    shutil.copytree(published.settings.static, tmp_path / "static")
    (tmp_path / "receipt.json").write_bytes(answered.content)
    (tmp_path / "receipt.pdf").write_bytes(print_receipt(Sheets(TEMPLATE), answered.content, answered.receipt))

    for name in ("receipt.json", "receipt.pdf"):
        done = subprocess.run(
            [sys.executable, "-m", "verifier", "receipt", name, "--static", "static", "--json"],
            cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
        )  # fmt: skip
        said = json.loads(done.stdout)
        assert (done.returncode, said["verdict"]) == (0, "authentic")
        assert said["checked_at"] == "2026-06-01T12:00:00Z"
        assert sum(row["verdict"] not in ("valid", "in_force") for row in said["rows"]) == len(wrong)


def test_a_changed_word_of_a_receipt_is_found(planted, published):
    content, ring = planted[0].content, published.checker()._ring()

    for before, after in (
        (b'"not_found"', b'"in_force"'),
        (b"Somebody Else", b"Somebody Good"),
        (b"T12:00", b"T13:00"),
    ):
        assert before in content
        with pytest.raises(Unverified) as refused:
            check(content.replace(before, after), ring)
        assert refused.value.verdict in ("tampered", "malformed")
        assert refused.value.checks[-1].passed is False


def test_counts_that_are_not_those_of_the_rows_are_found_even_if_signed(published):
    from verifier import integrity

    content = published.checker().check(rows_given([("IFS-0", "A B")]), NOON).content
    value = json.loads(content)
    method = value.pop("proof")["verificationMethod"]
    value["counts"]["unreadable"] = 2
    signer = published.keys.signer("status", NOON)
    value["proof"] = integrity.prove(value, method, int(NOON.timestamp()), signer.sign)

    with pytest.raises(Unverified, match="counts"):
        check(integrity.canonical(value), published.checker()._ring())


def test_a_receipt_signed_by_another_use_of_a_key_is_refused(published):
    from verifier import integrity

    value = json.loads(published.checker().check(rows_given([("IFS-0", "A B")]), NOON).content)
    del value["proof"]
    signer = published.keys.signer("certificate", NOON)
    value["proof"] = integrity.prove(value, f"{signer.controller}#{signer.kid}", int(NOON.timestamp()), signer.sign)

    with pytest.raises(Unverified) as refused:
        check(integrity.canonical(value), published.checker()._ring())
    assert refused.value.verdict == "unknown_key"


def test_a_receipt_is_signed_by_the_newest_key_that_is_published(published, tmp_path):
    keys = KeyFolder(shutil.copytree(published.keys.folder, tmp_path / "keys"), read_master_key(published.settings))
    newer = keys.add("status", published.settings.public_host, NOON - timedelta(hours=1), specimen=True)
    checker = roster_check.RosterChecker(published.settings, published.registry, keys, published.checker()._connect)

    answered = checker.check(rows_given([("IFS-0", "A B")]), NOON)

    method = json.loads(answered.content)["proof"]["verificationMethod"]
    assert not method.endswith(newer.kid)
    assert method.endswith(published.keys.signer("status", NOON).kid)
    assert checker.read_back(answered.content).verdict == "authentic"


def test_a_receipt_is_brought_again_only_if_it_is_ours(published, planted):
    assert published.checker().read_back(planted[0].content).verdict == "authentic"
    with pytest.raises(Invalid, match="no receipt of this registry"):
        published.checker().read_back(b"{}")


def test_an_unknown_number_and_an_unmatched_name_get_the_same_answer(published):
    held = published.people[10]

    other_name, unknown, alone = asked(
        published, (held.number, "Somebody Else"), ("IFS-0000007X", "Somebody Else"), (held.number, "A")
    )

    for said in (other_name, alone):
        assert (said["verdict"], said["number"], said["category"], said["why"]) == ("not_found", "", "", "")
    assert unknown["verdict"] in ("not_found", "unreadable")


def work_for(crowd, rows, monkeypatch):
    """What is asked of the database, with numbers as `#`, and how many names are compared."""
    done = []

    class Telling(psycopg.Cursor):
        def execute(self, query, params=None, **more):
            done.append((query, re.sub(r"IFS-\w+", "#", str(params))))
            return super().execute(query, params, **more)

    @contextmanager
    def connected():
        with database.connection(database.url(crowd.settings, "reader")) as connection:
            connection.cursor_factory = Telling
            yield connection

    def compared(given, known):
        done.append("names compared")
        return roster.same_name(given, known)

    monkeypatch.setattr(roster_check, "same_name", compared)
    checker = roster_check.RosterChecker(crowd.settings, crowd.registry, crowd.keys, connected)
    answers = checker.check(rows_given(rows), NOON).receipt["rows"]
    return {answer["verdict"] for answer in answers}, done


@pytest.mark.parametrize("count", [1, 20])
def test_an_unknown_number_and_an_unmatched_name_are_the_same_work(published, monkeypatch, count):
    """Nobody can tell the one from the other by how long it takes; times themselves depend on the machine."""
    people = published.people[10 : 10 + count]
    unknown = [(new_number("IFS", published.draw), "Somebody Else") for _ in people]

    said, work = work_for(published, unknown, monkeypatch)

    assert said == {"not_found"}
    assert work.count("names compared") == count
    assert len(work) == count + 4
    assert work_for(published, [(one.number, "Somebody Else") for one in people], monkeypatch) == (said, work)
    assert work_for(published, [(one.number, one.name) for one in people], monkeypatch)[1] != work


def test_r26_who_does_not_want_to_be_listed_or_was_erased_is_not_found(published):
    unlisted, erased = published.people[400:402]

    assert [row["verdict"] for row in asked(published, *((one.number, one.name) for one in (unlisted, erased)))] == [
        "not_found", "not_found",
    ]  # fmt: skip
    assert asked(published, (published.text(unlisted), unlisted.name))[0]["verdict"] == "valid"
    assert asked(published, (published.text(erased), erased.name))[0]["verdict"] == "revoked"


def test_a_number_in_force_tells_what_the_register_tells_and_no_more(published):
    held = published.people[11]

    (said,) = asked(published, (held.number.lower().replace("-", " - "), held.name.upper()))

    assert {name: said[name] for name in ("verdict", "number", "category", "association", "through", "as_of")} == {
        "verdict": "in_force", "number": held.number, "category": "IFS", "association": "VA", "through": "2028-12-31",
        "as_of": "2026-06-01T12:00:00Z",
    }  # fmt: skip


def test_of_somebody_elses_certificate_the_name_is_not_told(published):
    held = published.people[12]

    (said,) = asked(published, (published.text(held), "Somebody Else"))

    assert said["verdict"] == "name_differs"
    assert held.name not in json.dumps(said)


def test_a_row_that_stands_there_twice_has_one_answer(published):
    held = published.people[13]

    rows = asked(published, (held.number, held.name), ("IFS-0", "A B"), (held.number, held.name))

    assert [(row["row"], row["same_as"], row["verdict"]) for row in rows] == [
        (1, 0, "in_force"), (2, 0, "unreadable"), (3, 1, "in_force"),
    ]  # fmt: skip


def test_texts_alone_are_checked_without_a_database(published):
    from registry.roster_check import RosterChecker

    def away():
        pytest.fail("no number is looked up")

    held = published.people[14]
    checker = RosterChecker(published.settings, published.registry, published.keys, away)

    receipt = checker.check(rows_given([(published.text(held), held.name)]), NOON).receipt

    assert receipt["counts"] == {"rows": 1, "valid": 1}
    (listed,) = receipt["lists"]
    assert listed["uri"] == "https://registry.example/s/1"


def test_before_the_first_publication_nothing_is_said(published, tmp_path):
    from dataclasses import replace

    from registry.roster_check import RosterChecker

    checker = RosterChecker(replace(published.settings, home=tmp_path), published.registry, published.keys, None)

    with pytest.raises(NotYetPublished):
        checker.check(rows_given([("IFS-0", "A B")]), NOON)


def test_the_pages_say_what_they_do_not_say_and_carry_the_receipt(published):
    from pypdf import PdfReader

    held = published.people[15]
    answered = published.checker().check(rows_given([(held.number, held.name), ("IFS-0", "王 芳")]), NOON)

    pdf = print_receipt(Sheets(TEMPLATE), answered.content, answered.receipt)

    reader = PdfReader(io.BytesIO(pdf))
    text = " ".join(page.extract_text() for page in reader.pages)
    assert reader.attachments["receipt.json"] == [answered.content]
    assert "does not say how they stand today" in " ".join(text.split())
    assert held.number in text
    assert print_receipt(Sheets(TEMPLATE), answered.content, answered.receipt) == pdf
