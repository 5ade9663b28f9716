"""fsck finds every change to a signed history, names the event, and says nothing of an untouched one (R16)."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from histories import INSERT, ORIGIN, LogKey, publish, state, write_keys
from typer.testing import CliRunner
from witnesses import listening

from domain.event import topics
from domain.key import Key
from registry.cli import log as cli
from registry.log import fsck
from registry.log.fsck import examine
from registry.log.publish import Publisher
from registry.witness.witness import Witness
from verifier.proof import check_proof, cosignature_line, cosigned, read_checkpoint, read_proof, signed_text


@pytest.fixture
def signed(events, publisher, static, key):
    """310 events, 300 of them signed."""
    publish(publisher, events.grow(300).connection)
    write_keys(static, key)
    return events.grow(10)


@pytest.fixture
def found(signed, static):
    def examined(**options):
        report = examine(signed.connection, static, **options)
        assert not report.sound
        return report.findings

    return examined


def named(finding):
    return finding.position, finding.stream, finding.version


def the_event(event):
    return event[:3]


class TestNothingIsWrong:
    @pytest.mark.parametrize("size", [0, 1, 7, 255, 256, 257, 512, 520])
    def test_an_untouched_history_is_sound(self, events, publisher, static, key, size):
        publish(publisher, events.grow(size).connection)
        write_keys(static, key)

        report = examine(events.connection, static)

        assert (report.findings, report.more_findings, report.not_checked) == ([], 0, [])
        assert (report.events, report.checkpoint["size"]) == (size, size)

    def test_a_history_that_grows_is_sound_at_every_one_of_thirty_steps(self, events, publisher, static, key):
        for step in (1, 100, 155, 1, 43, 212, *range(71, 95)):
            publish(publisher, events.grow(step % 13 if step < 90 else step).connection)
            write_keys(static, key)
            report = examine(events.connection, static)
            assert (report.findings, report.not_checked) == ([], [])

    def test_what_is_not_yet_signed_is_said(self, signed, static):
        report = examine(signed.connection, static)

        assert report.sound
        assert report.not_checked == ["10 events are not yet under a checkpoint: only their structure was checked"]

    def test_before_any_publication_it_says_what_it_could_not_check(self, events, static):
        report = examine(events.grow(5).connection, static)

        assert report.sound
        assert report.checkpoint is None
        assert "no checkpoint is published" in report.not_checked[0]

    def test_tiles_without_a_checkpoint_are_no_beginning(self, signed, static):
        (static / "checkpoint").unlink()

        report = examine(signed.connection, static)
        assert [(finding.file, finding.what) for finding in report.findings] == [
            ("checkpoint", "it is missing, but tiles are published: it was taken away")
        ]

    def test_tiles_of_a_publisher_that_was_killed_before_the_checkpoint_do_not_matter(self, signed, publisher, static):
        publisher.advance(signed.grow(300).connection)

        assert examine(signed.connection, static).sound

    def test_the_former_key_may_have_signed(self, signed, static, key):
        write_keys(static, LogKey(2), others=[key])

        assert examine(signed.connection, static).sound


class TestEvents:
    """What was done to the database by one who may do everything there."""

    @pytest.mark.parametrize("position", [1, 2, 150, 256, 257, 299, 300])
    def test_an_edited_event(self, signed, found, position):
        event = signed.event(position)
        signed.tamper(
            "UPDATE registry.events SET state = set_byte(state, 10, get_byte(state, 10) # 1)"
            " WHERE notification_id = %s",
            position,
        )

        assert named(found()[0]) == the_event(event)

    @pytest.mark.parametrize(
        "change",
        [
            "topic = 'person.married'",
            "originator_id = 'person/other'",
            "originator_version = 9000",
            "state = state || ' '::bytea",
        ],
    )
    def test_one_edited_column(self, signed, found, change):
        signed.tamper(f"UPDATE registry.events SET {change} WHERE notification_id = 151")

        assert named(found()[0]) == the_event(signed.event(151))

    @pytest.mark.parametrize("position", [1, 2, 3, 150, 256, 257])
    def test_a_deleted_event_is_named_by_the_hole_in_its_stream(self, signed, found, position):
        event = signed.event(position)
        signed.tamper("DELETE FROM registry.events WHERE notification_id = %s", position)

        assert named(found()[0]) == the_event(event)
        assert len(found()) == 1

    def test_a_deleted_event_that_was_the_newest_of_its_stream_is_a_hole_in_the_positions(self, signed, found):
        position = 249  # the last of endorsement/IFS-0024
        stream, version = signed.event(position)[1:3]
        newest = "SELECT max(originator_version) FROM registry.events WHERE originator_id = %s"
        assert signed.connection.execute(newest, [stream]).fetchone() == (version,)
        signed.tamper("DELETE FROM registry.events WHERE notification_id = %s", position)

        (finding,) = found()
        assert named(finding) == (position, None, None)
        assert finding.what.startswith("the newest event of a stream is missing")

    def test_several_deleted_events_in_a_row(self, signed, found):
        events = [signed.event(position) for position in (100, 101, 102)]
        signed.tamper("DELETE FROM registry.events WHERE notification_id BETWEEN 100 AND 102")

        assert {named(finding)[1:] for finding in found()} >= {event[1:3] for event in events if event[0] != 102}
        assert found()[0].position == 100

    def test_the_deleted_head(self, signed, found):
        head = [signed.event(position)[1:3] for position in range(1, 6)]
        signed.tamper("DELETE FROM registry.events WHERE notification_id <= 5")

        assert {named(finding) for finding in found()} == {(1, *event) for event in head}

    def test_the_deleted_tail(self, signed, found):
        last = signed.event(297)
        signed.tamper("DELETE FROM registry.events WHERE notification_id > 297")

        (finding,) = found()
        assert finding.position == 298
        assert f"positions 298 to 300 are missing at the end, after {last[1]} version {last[2]}" in finding.what

    def test_everything_deleted(self, signed, found):
        signed.tamper("TRUNCATE registry.events")

        assert "positions 1 to 300 are missing at the end" in found()[0].what

    def test_a_deleted_event_whose_place_the_later_ones_took(self, signed, found):
        signed.tamper("DELETE FROM registry.events WHERE notification_id = 150")
        next_one = signed.event(151)
        renumber(signed, "notification_id - 1", "notification_id > 150")

        assert named(found()[0]) == (150, *next_one[1:3])

    def test_an_event_inserted_between_others(self, signed, found):
        renumber(signed, "notification_id + 1", "notification_id >= 150")
        insert(signed, "person/new", 1, 150)

        assert named(found()[0]) == (150, "person/new", 1)

    def test_an_event_inserted_beside_another(self, signed, found):
        signed.tamper("DROP INDEX registry.events_notification_id_idx")
        for stream in ("aaa/new", "zzz/new"):
            insert(signed, stream, 1, 150)
            assert named(found()[0]) == (150, stream, 1)
            signed.tamper("DELETE FROM registry.events WHERE originator_id = %s", stream)

    def test_an_event_inserted_at_the_end_leaves_a_hole_or_repeats_a_version(self, signed, found):
        insert(signed, "person/new", 1, 312)
        assert found()[0].position == 311
        insert(signed, "person/new", 2, 311)
        assert (312, "person/new", 1) in map(named, found())

    def test_two_swapped_states(self, signed, found):
        one, other = signed.event(100), signed.event(200)
        for event, swapped in ((one, other), (other, one)):
            signed.tamper("UPDATE registry.events SET state = %s WHERE notification_id = %s", swapped[4], event[0])

        assert [named(finding) for finding in found()] == [the_event(one), the_event(other)]

    def test_two_swapped_positions(self, signed, found):
        one, other = signed.event(100), signed.event(101)
        renumber(signed, "201 - notification_id", "notification_id IN (100, 101)")

        assert [named(finding)[:2] for finding in found()[:2]] == [(100, other[1]), (101, one[1])]

    def test_renumbered_versions_of_a_stream(self, signed, found):
        stream = signed.event(1)[1]
        signed.tamper(
            "UPDATE registry.events SET originator_version = originator_version + 1000 WHERE originator_id = %s",
            stream,
        )

        assert named(found()[0]) == (1, stream, 1001)

    def test_an_event_moved_to_the_end(self, signed, found):
        event = signed.event(150)
        renumber(signed, "311", "notification_id = 150")

        assert named(found()[0])[0] == 150
        assert (311, *event[1:3]) in [named(finding) for finding in found()]

    def test_empty_columns_and_numbers_below_one(self, signed, found):
        signed.tamper("ALTER TABLE registry.events DROP CONSTRAINT events_notification_id_check")
        insert(signed, "person/new", 1, 0)

        assert named(found()[0]) == (0, "person/new", 1)

    @pytest.mark.parametrize(
        "bad",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            state(1)[:-1],
            state(1) + b"}",
            state(1).replace(b"salt1", b"\xff"),
            b"\xef\xbb\xbf" + state(1),
            state(1).replace(b'2026-06-01"', b'2026-06-31"'),
            state(1).replace(b"12:00:00Z", b"12:00:00"),
            state(1).replace(b'"va-coordinator"', b'""'),
            state(1).replace(b'"by"', b'"By"'),
            state(1).replace(b'"salt"', b'"request":{"key":""},"salt"'),
        ],
    )
    def test_an_unsigned_event_whose_state_is_no_event_of_ours(self, signed, found, bad):
        signed.tamper("UPDATE registry.events SET state = %s WHERE notification_id = 305", bad)

        (finding,) = found()
        assert named(finding) == the_event(signed.event(305))
        assert finding.what.startswith("the state ")

    @pytest.mark.parametrize(
        "change", ["topic = 'domain.endorsement:Endorsement'", "topic = ''", "originator_id = 'x'"]
    )
    def test_an_unsigned_event_with_a_name_that_is_not_ours(self, signed, found, change):
        signed.tamper(f"UPDATE registry.events SET {change} WHERE notification_id = 310")

        assert named(found()[0]) == the_event(signed.event(310))

    def test_very_many_findings_are_counted(self, signed, static):
        signed.tamper("UPDATE registry.events SET topic = 'other.topic'")

        report = examine(signed.connection, static)
        assert (len(report.findings), report.more_findings) == (20, 280)
        assert named(report.findings[0]) == the_event(signed.event(1))

    def test_the_checkpoint_kept_elsewhere_finds_a_history_that_was_signed_again(self, signed, static, key, found):
        kept = (static / "checkpoint").read_text()
        signed.tamper("UPDATE registry.events SET state = %s WHERE notification_id = 2", state("other"))
        shutil.rmtree(static)
        publish(Publisher(static, ORIGIN, key), signed.connection)
        write_keys(static, key)

        assert examine(signed.connection, static).sound
        assert "kept elsewhere" in found(kept=[kept])[0].what

    def test_a_kept_checkpoint_of_the_same_history_is_under_it(self, signed, static, publisher):
        kept = (static / "checkpoint").read_text()
        publish(publisher, signed.connection)

        assert examine(signed.connection, static, kept=[kept]).sound


class TestFiles:
    """What was done to the published files."""

    @pytest.mark.parametrize(
        "name",
        ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"],
    )
    @pytest.mark.parametrize("at", [0, 20, -1])
    def test_a_changed_tile_or_bundle_is_named_and_no_event_is_blamed(self, found, static, name, at):
        data = bytearray((static / name).read_bytes())
        data[at] ^= 1
        (static / name).write_bytes(data)

        assert {finding.stream for finding in found()} == {None}
        assert {finding.file for finding in found()} & {name, "tile/entries"}

    @pytest.mark.parametrize("name", ["tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/44"])
    def test_a_missing_or_torn_file(self, found, static, name):
        data = (static / name).read_bytes()
        (static / name).write_bytes(data[:-1])
        assert found()[0].file == name
        (static / name).unlink()
        assert found()[0].file == name

    @pytest.mark.parametrize(
        ("old", "new"),
        [("\n300\n", "\n299\n"), ("registry.example/log\n", "other.example/log\n"), ("—", "-"), ("\n", "")],
    )
    def test_a_changed_checkpoint(self, found, static, old, new):
        text = (static / "checkpoint").read_text()
        (static / "checkpoint").write_text(text.replace(old, new, 1))

        assert found()[0].file == "checkpoint"

    def test_a_checkpoint_of_another_key(self, signed, static, key, found):
        write_keys(static, LogKey(2))
        assert [finding.what for finding in found()] == ["no key of this log signed the checkpoint"]

        publisher = Publisher(static, ORIGIN, key)
        assert examine(signed.connection, static, vkeys=[publisher.vkey]).sound

    def test_a_withdrawn_key_signs_nothing(self, static, key, found):
        write_keys(static, LogKey(2), others=[key], withdrawn="2026-06-01T00:00:00Z")

        assert found()[0].file == "checkpoint"

    @pytest.mark.parametrize("keys", [None, b"", b"[]", b"{}", b'{"log": {"vkey": "a"}, "keys": []}'])
    def test_missing_keys_do_not_pass_for_a_good_signature(self, static, found, keys):
        (static / "keys.json").unlink()
        if keys is not None:
            (static / "keys.json").write_bytes(keys)

        assert {finding.file for finding in found()} == {"keys.json", "checkpoint"}

    def test_cosignatures_are_checked_by_the_witnesses_keys(self, signed, static, tmp_path):
        witness = Witness.make(tmp_path / "witness", "witness.example/w")
        note = (static / "checkpoint").read_text()
        public = Ed25519PrivateKey.generate()
        line = cosignature_line(
            "witness.example/w", witness._public, 7, witness._key.sign(cosigned(signed_text(note), 7))
        )
        other = cosignature_line("witness.example/w", witness._public, 7, public.sign(b"other"))

        def report(text):
            (static / "checkpoint").write_text(text)
            return examine(signed.connection, static, witnesses=[witness.vkey])

        unsigned = "10 events are not yet under a checkpoint: only their structure was checked"
        missing = "the witness witness.example/w has not cosigned the checkpoint"
        assert (report(note).sound, report(note).not_checked) == (True, [missing, unsigned])
        assert (report(note + line).sound, report(note + line).not_checked) == (True, [unsigned])
        assert report(note + line).checkpoint["witnesses"] == ("witness.example/w",)
        assert [one.what for one in report(note + other).findings] == [
            "the cosignature of the witness witness.example/w fails"
        ]

    def test_events_and_files_changed_together_still_do_not_lead_to_the_signed_root(
        self, signed, static, key, tmp_path, found
    ):
        signed.tamper("UPDATE registry.events SET state = %s WHERE notification_id = 2", state("other"))
        signed.tamper("DELETE FROM registry.events WHERE notification_id > 300")
        publish(Publisher(tmp_path / "forged", ORIGIN, key), signed.connection)
        shutil.rmtree(static / "tile")
        shutil.copytree(tmp_path / "forged" / "tile", static / "tile")

        whats = [finding.what for finding in found()]
        assert "the first 300 events do not lead to the root that was signed" in whats
        assert "the published entries do not lead to the root that was signed" in whats


@pytest.mark.usefixtures("signed")
class TestCommand:
    @pytest.fixture
    def run(self, settings, monkeypatch):
        monkeypatch.setenv("REGISTRY_HOME", str(settings.home))
        monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
        app = cli.typer.Typer()
        app.command()(cli.fsck)
        app.add_typer(cli.app, name="log")
        return lambda *args: CliRunner().invoke(app, args)

    def test_a_sound_history_ends_with_0_and_one_json_object(self, run):
        done = run("fsck", "--json")

        assert done.exit_code == 0
        assert json.loads(done.stdout)["sound"] is True
        assert done.stdout.count("\n") == 1
        assert "Sound." in run("fsck").stdout

    def test_a_finding_ends_with_1_and_names_stream_version_and_position(self, signed, run):
        signed.tamper("UPDATE registry.events SET topic = 'other.topic' WHERE notification_id = 151")
        _, stream, version, *_ = signed.event(151)

        done = run("fsck", "--json")
        finding = json.loads(done.stdout)["findings"][0]
        assert done.exit_code == 1
        assert (finding["stream"], finding["version"], finding["position"]) == (stream, version, 151)
        assert f"FOUND {stream} version {version}, position 151: " in run("fsck").stdout

    @pytest.mark.parametrize(
        "args", [["--wrong"], ["--checkpoint", "/missing"], ["--vkey", "none"], ["--vkey", "a+b+c"]]
    )
    def test_bad_usage_ends_with_2(self, run, args):
        done = run("fsck", *args)

        assert done.exit_code == 2
        assert done.stderr
        assert not done.stdout

    def test_prove_writes_a_proof_file_and_checkpoint_prints_what_is_published(self, signed, run, publisher, tmp_path):
        done = run("log", "prove", "42", "--out", str(tmp_path / "one.tlog-proof"))

        assert done.exit_code == 0
        proof = read_proof((tmp_path / "one.tlog-proof").read_bytes())
        assert check_proof(proof, [publisher.vkey]).size == 300
        assert proof.extra == signed.preimage(42)
        shown = run("log", "checkpoint")
        assert read_checkpoint(shown.stdout, [publisher.vkey]).size == 300

    def test_witnesses_are_asked_whether_they_have_seen_this(self, signed, run, publisher, tmp_path, monkeypatch):
        assert run("log", "witnesses").exit_code == 2
        witness = Witness.make(tmp_path / "witness", "witness.example/w")
        witness.trust(publisher.vkey)
        with listening(witness) as address:
            monkeypatch.setenv("REGISTRY_WITNESSES", f"{witness.vkey} {address}")
            done = run("log", "witnesses")
            assert done.exit_code == 0
            assert done.stdout == "the witness witness.example/w has seen these 300 events, and no others.\n"
            shutil.copytree(publisher._static, tmp_path / "kept")
            publish(publisher, signed.connection)
            assert run("log", "witnesses").exit_code == 0
            shutil.rmtree(publisher._static)
            shutil.copytree(tmp_path / "kept", publisher._static)
            done = run("log", "witnesses")
            assert (done.exit_code, done.stdout) == (
                1, "the witness witness.example/w has seen 310 events, here are 300.\n",
            )  # fmt: skip
        assert run("log", "witnesses").exit_code == 1

    def test_what_is_not_published_has_no_proof_and_no_checkpoint(self, run, static, tmp_path):
        done = run("log", "prove", "301", "--out", str(tmp_path / "one"))
        assert (done.exit_code, (tmp_path / "one").exists()) == (1, False)
        shutil.rmtree(static)
        assert run("log", "prove", "1", "--out", str(tmp_path / "one")).exit_code == 1
        assert run("log", "checkpoint").exit_code == 1

    def test_what_takes_longer_than_two_seconds_says_how_far_it_is(self, monkeypatch, capsys):
        seconds = iter([100.0, 101.0, 102.0, 102.0, 102.5, 103.5, 103.5])
        monkeypatch.setattr(cli.time, "monotonic", lambda: next(seconds))

        progress = cli._Progress("fsck")
        for done in (1_000, 2_000, 3_000, 4_000):
            progress(done, 9_000)

        assert capsys.readouterr() == ("", "fsck: 2,000 of 9,000 events\nfsck: 4,000 of 9,000 events\n")

    def test_fsck_uses_nothing_of_the_code_it_checks(self):
        code = "import sys, registry.log.fsck; print([m for m in sys.modules if m.split('.')[0] in OURS])".replace(
            "OURS", "('registry', 'domain', 'verifier', 'projections')"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)

        assert json.loads(done.stdout.replace("'", '"')) == [
            "registry",
            "registry.log",
            "registry.log.fsck_keys",
            "registry.log.fsck_lists",
            "registry.log.fsck_badges",
            "registry.log.fsck",
        ]


def insert(events, stream, version, position):
    events.tamper(
        f"INSERT INTO registry.events ({INSERT}) VALUES (%s, %s, 'person.moved', %s, %s)",
        stream,
        version,
        state(position),
        position,
    )


def renumber(events, expression, which):
    """Give new positions; the unique index allows it in two steps."""
    events.tamper(f"UPDATE registry.events SET notification_id = 1000000 + {expression} WHERE {which}")
    events.tamper(
        "UPDATE registry.events SET notification_id = notification_id - 1000000 WHERE notification_id > 900000"
    )


class TestRealEvents:
    def test_what_the_store_writes_is_sound_and_the_reader_role_is_enough(
        self, store, connect, clock, publisher, static, key
    ):
        for use in ("certificate", "status", "log"):
            published = Key.Published(
                originator_id=f"key/{use}",
                originator_version=1,
                on=clock.today,
                by="operator",
                kid=use,
                use=use,
                public="z6Mk",
                controller="did:web:registry.example",
                start=clock.now,
            )
            store.record([published])
        publish(publisher, connect("reader"))
        write_keys(static, key)

        report = examine(connect("reader"), static)
        assert (report.sound, report.events, report.not_checked) == (True, 3, [])

    def test_every_topic_we_have_is_a_name_fsck_takes(self):
        import domain.events  # noqa: F401 - fills the table

        names = [topic for topic, kind in topics().items() if kind.__module__.startswith("domain.")]
        assert "certificate.issued" in names
        assert [name for name in names if not fsck._TOPIC.fullmatch(name)] == []
