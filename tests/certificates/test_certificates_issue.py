"""A certificate from its events to its files, checked as an employer would."""

import json
import stat
from base64 import urlsafe_b64decode
from datetime import timedelta
from io import BytesIO

import pypdfium2
import pytest
import zxingcpp
from certificate_facts import DAY, HOST, NOON, NUMBER, Story, cti
from PIL import Image
from pypdf import PdfReader

from domain.association import Association
from domain.errors import NotFound
from registry.certificates.batch import write_certificate
from registry.certificates.issue import Issuer
from registry.certificates.paper import Printer
from registry.certificates.printed import Forgotten
from registry.log.published import NotYetPublished, Published
from registry.log.tiles import Disk
from verifier import status
from verifier.files import Found, find
from verifier.keys import read_keys_json
from verifier.verification import prove, verify, verify_found

FILES = {
    "certificate.pdf", "credential.json", "credential.jwt", "badge.png", "badge.svg",
    "qr.png", "qr.svg", "qr.txt", "proof.tlog-proof",
}  # fmt: skip


@pytest.fixture(scope="module")
def printer():
    return Printer()


@pytest.fixture
def story(keys, history):
    story = Story()
    history(story.admitted(), story.registered())
    return story


@pytest.fixture
def publish(plane, database_connection):
    return lambda: plane.publish(database_connection, NOON)


@pytest.fixture
def issuer(store, keys, static, story, history, publish, printer):
    history(story.awarded(), story.issued(), story.signed(keys.signer("certificate", NOON).kid))
    publish()
    return made(store, keys, static, printer)


def made(store, keys, static, printer):
    ring = read_keys_json((static / "keys.json").read_bytes())
    return Issuer(store, keys, Published(static, ring.logs), host=HOST, qr_host=HOST, printer=printer)


def verdict(text, static, **more):
    ring = read_keys_json((static / "keys.json").read_bytes())
    return verify(text, ring, status.Statuses(status.folder(static)), at=NOON, **more)


def found_ring(static):
    return read_keys_json((static / "keys.json").read_bytes())


def words(pdf):
    return " ".join(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range().split())


def test_the_files_verify_with_the_static_plane_alone(issuer, static):
    files = issuer.render(NUMBER)

    found = verdict(files["qr.txt"].decode(), static, log_proof=files["proof.tlog-proof"])

    assert set(files) == FILES
    assert found.verdict == "valid"
    assert found.log_position == 8
    assert "not bound" not in found.checks[5].found
    assert prove(found.certificate, files["proof.tlog-proof"], found_ring(static)).named
    assert found.certificate.log_index == 7
    assert (found.certificate.name, found.certificate.association) == ("Marisol Fernández-Okafor", "VA")


def test_picture_drawing_and_page_carry_one_text(issuer):
    files = issuer.render(NUMBER)
    text = files["qr.txt"].decode()

    page = pypdfium2.PdfDocument(files["certificate.pdf"])[0].render(scale=150 / 72).to_pil()
    for picture in (Image.open(BytesIO(files["qr.png"])), page):
        assert [found.text for found in zxingcpp.read_barcodes(picture)] == [text]
    assert find(files["qr.svg"]) == Found(text)
    assert find(files["proof.tlog-proof"]).is_proof
    attached = PdfReader(BytesIO(files["certificate.pdf"])).attachments
    assert attached["qr.txt"] == [files["qr.txt"]]
    assert attached["proof.tlog-proof"] == [files["proof.tlog-proof"]]


def test_made_again_they_are_the_same_bytes(issuer, store, keys, static):
    assert issuer.render(NUMBER) == made(store, keys, static, Printer()).render(NUMBER)


def test_specimen_keys_make_specimen_papers(issuer):
    assert "SPECIMEN" in words(issuer.render(NUMBER)["certificate.pdf"])


def test_a_certificate_is_not_made_before_the_log_shows_it(store, keys, static, story, history, publish, printer):
    publish()
    history(story.awarded(), story.issued(), story.signed(keys.signer("certificate", NOON).kid))

    with pytest.raises(NotYetPublished):
        made(store, keys, static, printer).render(NUMBER)
    publish()
    assert set(made(store, keys, static, printer).render(NUMBER)) == FILES


def test_the_newest_is_made_unless_another_is_named(issuer, story, history, publish, keys, static):
    first = issuer.text(NUMBER)
    kid = keys.signer("certificate", NOON).kid
    history(story.renamed("Marisol Okafor"), story.issued(2, replaces=1, why="renamed", person_version=2))
    history(story.signed(kid, 2))
    publish()

    old, new = issuer.text(NUMBER, cti(1)), issuer.text(NUMBER)

    assert old == first
    assert verdict(old, static).verdict == "superseded"
    found = verdict(new, static)
    assert (found.verdict, found.certificate.name) == ("valid", "Marisol Okafor")
    assert found.certificate.replaces.hex() == cti(1)
    assert verdict(old, static).certificate.name == "Marisol Fernández-Okafor"


def test_the_paper_says_what_was_so_when_it_was_issued(issuer, story, history, publish):
    before = issuer.render(NUMBER)["certificate.pdf"]
    history(
        story.event(Association.Renamed, "association/VA", name="Virginia Infant Society", abbreviation="VIS"),
        story.transferred("CT"),
    )

    assert words(issuer.render(NUMBER)["certificate.pdf"]) == words(before)


def test_an_imported_award_says_whose_word_it_is(store, keys, static, history, publish, printer):
    story = Story(association="AU")
    history(story.admitted(), story.registered(), story.imported(), story.issued(why="imported"))
    publish()

    said = words(made(store, keys, static, printer).render(NUMBER)["certificate.pdf"])

    assert "as reported by Australian Association for Infant Mental Health" in said
    assert "3 May 2019" in said
    assert "Infant Family Practitioner" in said


def test_an_add_on_is_on_the_paper_and_in_the_code(store, keys, static, story, history, publish, printer):
    history(story.awarded(), story.issued(category="IFS+EERS"))
    publish()
    files = made(store, keys, static, printer).render(NUMBER)

    assert "with Emerging Endorsed Reflective Supervisor" in words(files["certificate.pdf"])
    assert verdict(files["qr.txt"].decode(), static).certificate.category == "IFS+EERS"


def test_signed_again_with_another_key_only_key_and_signature_differ(
    issuer, store, keys, story, history, publish, randomness, static
):
    from registry.certificates.keys import announce

    before = verdict(issuer.text(NUMBER), static)
    new = keys.add("certificate", HOST, NOON, specimen=True, random=randomness)
    announce(store, keys, on=DAY, by="operator")
    history(story.signed(new.kid))
    publish()

    after = verdict(issuer.text(NUMBER), static)

    assert after.key.kid.hex() == new.kid != before.key.kid.hex()
    assert after.certificate == before.certificate


def test_an_erased_holder_gets_no_certificate(issuer, vault, story, history):
    history(story.erased())
    vault.erase("p1")

    with pytest.raises(Forgotten):
        issuer.proof(NUMBER)
    with pytest.raises(Forgotten) as refused:
        issuer.render(NUMBER)
    assert "Marisol" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(FILES - {"proof.tlog-proof"}))
def test_every_file_is_valid_alone_and_suspended_after_a_suspension(issuer, static, history, story, publish, name):
    found = find(issuer.render(NUMBER)[name])

    def verdict_of():
        ring = read_keys_json((static / "keys.json").read_bytes())
        return verify_found(found, ring, status.Statuses(status.folder(static)), at=NOON).verdict

    assert verdict_of() == "valid"
    history(story.suspended())
    publish()
    assert verdict_of() == "suspended"


def test_where_the_event_names_no_key_for_the_jwt_it_is_the_first_one_of_the_log(issuer, keys, randomness):
    first = keys.oldest("jwt")
    keys.add("jwt", HOST, NOON - timedelta(days=1), specimen=True, random=randomness)  # which the log does not know

    head = issuer.render(NUMBER)["credential.jwt"].partition(b".")[0]

    assert json.loads(urlsafe_b64decode(head + b"=="))["kid"] == f"did:web:{HOST}#{first}"


def test_a_registry_without_a_key_for_jwts_gives_the_other_files(issuer, keys):
    next(keys.folder.glob("jwt-*")).unlink()

    assert set(issuer.render(NUMBER)) == FILES - {"credential.jwt"} == set(issuer.files)


def test_what_is_not_there_is_not_found(issuer):
    for number, wanted in (("IFS-00000000", ""), (NUMBER, cti(9))):
        with pytest.raises(NotFound):
            issuer.render(number, wanted)


def test_no_personal_data_is_in_the_event_of_a_certificate(issuer, store):
    (stored,) = store.recorder.select_notifications(8, 1)

    assert set(json.loads(stored.state)) == {
        "association", "by", "category", "cti", "expires_at", "number", "on", "person", "person_version",
        "recorded_at", "salt", "through", "valid_from", "why",
    }  # fmt: skip


# --- the folder of a certificate ---


class Broken(Disk):
    def __init__(self, left):
        self.left = left

    def write(self, path, data):
        self._count()
        super().write(path, data)

    def rename(self, old, new):
        self._count()
        super().rename(old, new)

    def _count(self):
        self.left -= 1
        if self.left < 0:
            raise OSError("killed")


def test_the_folder_is_for_its_owner_and_the_page_comes_last(tmp_path):
    files = {name: name.encode() for name in FILES}

    for steps in range(10):
        folder = tmp_path / str(steps)
        with pytest.raises(OSError, match="killed"):
            write_certificate(folder, files, Broken(steps))
        whole = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}
        assert whole.items() <= files.items()
        assert "certificate.pdf" not in whole

        write_certificate(folder, files)
        assert {path.name for path in folder.iterdir()} == FILES
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_written_again_nothing_is_touched(tmp_path):
    files = {name: name.encode() for name in FILES}
    write_certificate(tmp_path / "c", files)

    write_certificate(tmp_path / "c", files, Broken(0))
