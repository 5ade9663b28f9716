"""What is slow is made once, kept sealed, and gone with the person's keys; many are drawn on all cores."""

import pytest
from certificate_facts import HOST, NOON, NUMBER, Story, cti

from domain.errors import NotFound
from registry.certificates import issue
from registry.certificates.issue import Issuer
from registry.certificates.kept import Kept
from registry.certificates.paper import Printer
from registry.certificates.printed import Forgotten
from registry.log.published import Published
from verifier.keys import read_keys_json

SECRET = b"a blind"


def test_what_was_made_of_these_facts_is_found_and_of_others_not(tmp_path):
    kept = Kept(tmp_path / "kept")
    assert kept.find(SECRET, cti(1), "page", b"facts") is None

    kept.put(SECRET, cti(1), "page", b"facts", b"made")

    assert kept.find(SECRET, cti(1), "page", b"facts") == b"made"
    for other in (
        (b"another", cti(1), "page", b"facts"),
        (SECRET, cti(2), "page", b"facts"),
        (SECRET, cti(1), "drawn", b"facts"),
        (SECRET, cti(1), "page", b"other facts"),
    ):
        assert kept.find(*other) is None
    kept.put(SECRET, cti(1), "page", b"other facts", b"made again")
    assert kept.find(SECRET, cti(1), "page", b"facts") is None
    assert len([path for path in (tmp_path / "kept").rglob("*") if path.is_file()]) == 1


def test_what_was_damaged_is_made_again_and_a_folder_that_can_not_be_written_costs_nothing(tmp_path):
    kept = Kept(tmp_path / "kept")
    kept.put(SECRET, cti(1), "page", b"facts", b"made")
    (file,) = (path for path in (tmp_path / "kept").rglob("*") if path.is_file())
    for damage in (b"", b"short", file.read_bytes()[:-1] + b"\0", bytes(100)):
        file.write_bytes(damage)
        assert kept.find(SECRET, cti(1), "page", b"facts") is None

    (tmp_path / "file").write_bytes(b"")
    nowhere = Kept(tmp_path / "file")
    nowhere.put(SECRET, cti(1), "page", b"facts", b"made")
    assert nowhere.find(SECRET, cti(1), "page", b"facts") is None
    assert Kept().find(SECRET, cti(1), "page", b"facts") is None


@pytest.fixture
def story(keys, history):
    story = Story()
    history(story.admitted(), story.registered(), story.awarded(), story.issued())
    return story


@pytest.fixture
def issuer(store, keys, static, story, plane, database_connection, tmp_path):
    plane.publish(database_connection, NOON)
    ring = read_keys_json((static / "keys.json").read_bytes())
    published = Published(static, ring.logs)
    return Issuer(
        store, keys, published, host=HOST, qr_host=HOST, printer=Printer(), kept=Kept(tmp_path / "kept")
    )  # fmt: skip


def test_the_second_time_nothing_is_drawn_and_the_bytes_are_the_same(issuer, monkeypatch, tmp_path):
    first = issuer.render(NUMBER)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file())
    monkeypatch.setattr(issue, "_draw", None)
    monkeypatch.setattr(issuer._printer, "print", None)

    assert issuer.render(NUMBER) == first
    assert b"Marisol" not in kept
    assert NUMBER.encode() not in kept


def test_after_the_keys_of_the_person_nothing_that_was_kept_opens(issuer, vault, story, tmp_path):
    issuer.render(NUMBER)
    assert list((tmp_path / "kept").rglob("*"))

    vault.erase(story.person)

    with pytest.raises(Forgotten):
        issuer.render(NUMBER)


def test_many_are_drawn_by_other_processes_and_are_the_same(issuer, monkeypatch):
    alone = issuer.render(NUMBER)
    issuer._kept = Kept()
    monkeypatch.setattr(issue, "_FEW", 2)

    asked = [NUMBER, "IFS-00000000", NUMBER]
    numbers, made = zip(*issuer.render_all(asked), strict=True)

    assert list(numbers) == asked
    assert made[0] == made[2] == alone
    assert isinstance(made[1], NotFound)
