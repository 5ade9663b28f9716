"""Keys: made once, sealed at rest, known to the log."""

import json
import stat
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from certificate_facts import HOST, NOON
from typer.testing import CliRunner

from domain.errors import Invalid, OutOfTurn
from domain.key import Key
from registry.__main__ import app as registry_app
from registry.certificates.keys import KeyFolder, KeysExist, KeysUnusable, announce, trusted
from registry.cli.keys import app
from registry.database import NotMigrated, Unavailable
from verifier import cose
from verifier.verdict import Unverified

MASTER = bytes(range(32))
DAY = date(2026, 6, 1)


@pytest.fixture
def folder(tmp_path, randomness):
    keys = KeyFolder(tmp_path / "home" / "keys", MASTER)
    keys.init(HOST, NOON, specimen=True, random=randomness)
    return keys


def test_there_is_one_key_for_each_use_and_one_for_the_slots(folder):
    again = KeyFolder(folder.folder, MASTER)

    assert {facts.use for facts in again.facts()} == {"certificate", "status", "log", "jwt"}
    assert len({again.signer(use, NOON).public for use in ("certificate", "status", "log", "jwt")}) == 4
    assert len(again.slot_key) == 32
    assert again.signer("status", NOON).controller == "did:web:registry.example:status"
    assert again.signer("certificate", NOON).controller == "did:web:registry.example"


def test_a_kid_is_the_beginning_of_the_cose_thumbprint(folder):
    signer = folder.signer("log", NOON)

    assert signer.kid == cose.thumbprint(signer.public).hex()


def test_no_file_holds_a_private_key_in_the_clear_and_only_the_owner_reads_it(folder):
    secrets = [folder.slot_key, *(private_bytes(folder.by_kid(facts.kid)) for facts in folder.facts())]
    files = list(folder.folder.iterdir())
    text = b"".join(file.read_bytes() for file in files)

    from base64 import b64encode

    for secret in secrets:
        assert secret not in text
        assert secret.hex().encode() not in text
        assert b64encode(secret)[:40] not in text
    assert len(files) == 5
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700


def test_keys_are_never_overwritten(folder):
    before = {file: file.read_bytes() for file in folder.folder.iterdir()}

    with pytest.raises(KeysExist):
        folder.init(HOST, NOON, specimen=False)

    assert {file: file.read_bytes() for file in folder.folder.iterdir()} == before


def test_keys_that_could_not_all_be_made_are_not_there(tmp_path):
    keys = KeyFolder(tmp_path / "keys", MASTER)
    left = iter(range(5))

    def random(size):
        if next(left, None) is None:
            raise OSError("no more randomness")
        return bytes(range(size))

    with pytest.raises(OSError, match="randomness"):
        keys.init(HOST, NOON, specimen=False, random=random)

    assert not keys.folder.exists()


def test_another_master_key_opens_nothing(folder):
    stranger = KeyFolder(folder.folder, bytes(32))

    with pytest.raises(KeysUnusable):
        stranger.signer("log", NOON)
    with pytest.raises(KeysUnusable):
        _ = stranger.slot_key


def test_a_key_file_can_not_be_given_another_use(folder):
    status = next(folder.folder.glob("status-*"))
    status.write_bytes(status.read_bytes().replace(b'"use":"status"', b'"use":"certificate"'))

    with pytest.raises(KeysUnusable):
        KeyFolder(folder.folder, MASTER).by_kid(status.stem.partition("-")[2])


def test_the_jwt_key_signs_es256_the_same_each_time(folder):
    signer = folder.signer("jwt", NOON)
    again = KeyFolder(folder.folder, MASTER).signer("jwt", NOON)

    assert signer.sign(b"message") == again.sign(b"message")
    assert len(signer.sign(b"message")) == 64
    key = trusted(signer, "jwt")
    key.holds(signer.sign(b"message"), b"message")
    assert key.kid.hex() == signer.kid
    with pytest.raises(Unverified):
        trusted(signer, "certificate")


def test_a_registry_from_before_goes_on_without_a_jwt_key(folder):
    next(folder.folder.glob("jwt-*")).unlink()

    assert folder.newest("jwt", NOON) == folder.oldest("jwt") == ""
    assert folder.signer("certificate", NOON)
    with pytest.raises(KeysUnusable, match="no jwt key"):
        folder.signer("jwt", NOON)


def test_a_key_that_p256_has_not_is_drawn_again(tmp_path):
    drawn = iter([b"\0" * 32, b"\xff" * 32])
    keys = KeyFolder(tmp_path, MASTER)

    signer = keys.add("jwt", HOST, NOON, specimen=True, random=lambda size: next(drawn, bytes(range(1, size + 1))))

    assert private_bytes(signer) == bytes(range(1, 33))


def private_bytes(signer):
    private = signer._private
    return private.private_numbers().private_value.to_bytes(32) if signer.use == "jwt" else private.private_bytes_raw()


def test_the_youngest_key_that_has_begun_signs(folder, randomness):
    old = folder.signer("certificate", NOON)
    new = folder.add("certificate", HOST, NOON + timedelta(days=30), specimen=True, random=randomness)

    assert folder.signer("certificate", NOON + timedelta(days=29)).kid == old.kid
    assert folder.signer("certificate", NOON + timedelta(days=30)).kid == new.kid
    assert folder.by_kid(old.kid).public == old.public


def test_no_key_is_said_plainly(tmp_path):
    with pytest.raises(KeysUnusable, match="registry keys init"):
        KeyFolder(tmp_path / "keys", MASTER).signer("log", NOON)


def test_the_log_is_told_of_every_key_once(folder, store):
    kids = announce(store, folder, on=DAY, by="operator")

    assert sorted(kids) == sorted(facts.kid for facts in folder.facts())
    assert announce(store, folder, on=DAY, by="operator") == []
    key = store.get(Key, folder.signer("log", NOON).kid)
    assert (key.use, key.specimen, key.start, key.state) == ("log", True, NOON, "published")
    assert store.position() == 4


def test_what_is_published_of_a_key():
    key = published()

    (event,) = key.collect_events()
    assert msgspec.json.decode(msgspec.json.encode(event)) == {
        "originator_id": "key/740fd0d29f891387",
        "originator_version": 1,
        "kid": "740fd0d29f891387",
        "use": "certificate",
        "public": "z6Mk",
        "controller": "did:web:registry.example",
        "from": "2026-06-01T12:00:00Z",
        "on": "2026-06-01",
        "by": "operator",
    }


def test_a_retired_key_may_still_be_withdrawn_and_then_only_since_earlier():
    key = published()
    key.retire(until=datetime(2027, 6, 1, tzinfo=UTC), on=DAY, by="operator")
    key.withdraw("compromised", since=datetime(2027, 1, 1, tzinfo=UTC), on=DAY, by="operator")

    assert (key.state, key.until, key.withdrawn) == (
        "withdrawn",
        datetime(2027, 6, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )
    key.withdraw("compromised", since=NOON, on=DAY, by="operator")
    assert key.withdrawn == NOON
    with pytest.raises(Invalid, match="earlier"):
        key.withdraw("compromised", since=datetime(2027, 1, 1, tzinfo=UTC), on=DAY, by="operator")
    for deed in (
        lambda: key.retire(until=NOON, on=DAY, by="operator"),
        lambda: key.publish("log", "z6Mk", "did", start=NOON, specimen=False, on=DAY, by="operator"),
    ):
        with pytest.raises(OutOfTurn):
            deed()


def test_the_end_of_a_key_may_come_nearer_and_never_move_away():
    key = published()
    key.retire(until=datetime(2027, 6, 1, tzinfo=UTC), on=DAY, by="operator")
    key.retire(until=datetime(2027, 5, 1, tzinfo=UTC), on=DAY, by="operator")

    with pytest.raises(Invalid, match="earlier"):
        key.retire(until=datetime(2027, 6, 1, tzinfo=UTC), on=DAY, by="operator")


def test_a_key_can_not_retire_before_its_first_use():
    with pytest.raises(Invalid):
        published().retire(until=NOON - timedelta(seconds=1), on=DAY, by="operator")


def published():
    key = Key("740fd0d29f891387")
    key.publish("certificate", "z6Mk", "did:web:registry.example", start=NOON, specimen=False, on=DAY, by="operator")
    return key


# --- the command ---


@pytest.fixture
def run(settings, monkeypatch):
    monkeypatch.setenv("REGISTRY_HOME", str(settings.home))
    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    monkeypatch.delenv("REGISTRY_MASTER_KEY", raising=False)
    return lambda *words, **more: CliRunner().invoke(app, words, **more)


def test_keys_init_makes_the_keys_once_and_tells_the_log(run, settings, store):
    made = run("init", "--specimen")

    assert made.exit_code == 0, made.output
    assert stat.S_IMODE(settings.master_key_file.stat().st_mode) == 0o600
    assert made.output.count("SPECIMEN") == 4
    assert store.position() == 4
    assert isinstance(run("init").exception, KeysExist)
    assert "nothing new" in run("publish").output
    shown = run("show").output
    assert all(event.kid in shown for position in (1, 2, 3, 4) for event in [store.at(position)[1]])


def test_keys_made_before_the_database_is_there_are_told_later(run, settings, store, monkeypatch):
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://nobody@/none?host=/nowhere")
    made = run("init")
    assert isinstance(made.exception, Unavailable | NotMigrated)
    assert "registry keys publish" in made.output

    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    assert run("publish").exit_code == 0
    assert store.position() == 4


def test_no_key_to_show_is_no_failure(run):
    assert run("show").exit_code == 0


def test_keys_are_rotated_shown_and_withdrawn_by_command(run, settings, store):
    """What a command prints is what the operator does next; the plane follows without a worker."""
    run("init", "--specimen")
    kid = {facts.use: facts.kid for facts in KeyFolder(settings.keys).facts()}
    shown = json.loads(run("show", "--json").stdout)
    assert (shown["missing"], shown["due"]) == ([], [])
    assert {row["state"] for row in shown["keys"]} == {"signs"}

    told = run("rotate", "log").stdout
    assert "registry witness trust registry.example/log+" in told
    following = [row for row in json.loads(run("show", "--json").stdout)["keys"] if row["state"] == "next"]
    assert [row["use"] for row in following] == ["log"]
    assert following[0]["kid"] in (settings.static / "keys.json").read_text()

    assert isinstance(run("compromise", kid["status"], "--since", "2026-06-01", input="no\n").exception, Invalid)
    assert "distrust" in run("compromise", kid["log"], "--since", "2026-06-01", input=f"{kid['log']}\n").stdout
    states = {row["kid"]: (row["state"], row["here"]) for row in json.loads(run("show", "--json").stdout)["keys"]}
    assert states[kid["log"]] == ("withdrawn", False)
    assert CliRunner().invoke(registry_app, ["doctor"]).output == "Nothing is missing, nothing is due.\n"

    for words in (
        ("rotate", "log", "--now", "--from", "2030-01-01"),
        ("rotate", "all"),
        ("rotate", "jwt", "--from", "x"),
    ):
        assert isinstance(run(*words).exception, Invalid)
    assert "AT ONCE" in run("rotate", "certificate", "--now").output
    (settings.keys / f"certificate-{kid['certificate']}.json").unlink()
    KeyFolder(settings.keys).destroy(kid["jwt"])
    assert run("retire", kid["certificate"]).exit_code == 0
    assert "gone" in CliRunner().invoke(registry_app, ["doctor"]).output
