"""`verify sync` against a real file server, also one that lies, breaks off, or leads elsewhere."""

import functools
import http.server
import json
import threading
from base64 import b64encode
from contextlib import contextmanager
from hashlib import sha256

import pytest
from papers import (
    CERTIFICATE,
    HOST,
    ISSUER,
    LISTED,
    LISTING,
    LOGGING,
    NOW,
    SIGNING,
    STRANGER,
    TRANSFERRED,
    badge,
    bits,
    bits_jwt,
    did,
    jwk,
    key,
    keys_json,
    listed,
    noted,
    p256_row,
    public,
    spelled,
    text,
)

from verifier import cose, download, keys, proof, receipt, roster, sync
from verifier.__main__ import main

AT = ["--at", "2026-11-22T12:00:00Z"]
HERE = CERTIFICATE.status_index


class Log:
    """A log of so many entries, and its tiles."""

    def __init__(self, size, word=b"entry", by=LOGGING):
        leaves = [proof.leaf_hash(sha256(word + b" %d" % number).digest()) for number in range(size)]
        self.tiles = {}
        level, row = 0, leaves
        while row:
            for number in range(0, len(row), 256):
                part = row[number : number + 256]
                name = f"tile/{level}/{number // 256:03d}" + ("" if len(part) == 256 else f".p/{len(part)}")
                self.tiles[name] = b"".join(part)
            row = [proof.root(row[at : at + 256]) for at in range(0, len(row) - 255, 256)]
            level += 1
        note = f"{HOST}/log\n{size}\n{b64encode(proof.root(leaves)).decode()}\n"
        self.checkpoint = f"{note}\n{self.line(note, by)}"

    @staticmethod
    def line(note, by):
        signature = proof.key_id(f"{HOST}/log", public(by)) + by.sign(note.encode())
        return f"— {HOST}/log {b64encode(signature).decode()}\n"


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def put_log(folder, log):
    for name, content in log.tiles.items():
        put(folder, name, content)
    put(folder, "checkpoint", log.checkpoint)


def issuer_did():
    document = did()
    name = p256_row(SIGNING)["id"]
    method = {"id": name, "type": "JsonWebKey", "controller": ISSUER} | jwk(SIGNING)
    document["verificationMethod"].append(method)
    document["assertionMethod"].append(name)
    return document


@pytest.fixture
def plane(tmp_path):
    folder = tmp_path / "plane"
    put(folder, "keys.json", spelled(keys_json()))
    put(folder, ".well-known/did.json", spelled(issuer_did()))
    put(folder, "status/did.json", spelled(did(LISTING, f"{ISSUER}:status")))
    put(folder, "s/1", listed())
    put(folder, "s/1.notes", noted({HERE: TRANSFERRED}))
    put(folder, "status/revocation/1", bits())
    put(folder, "status/revocation/1.jwt", bits_jwt())
    put(folder, "v1", "<!doctype html>")
    put_log(folder, Log(300))
    return folder


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files; `faults` says what happens to a path instead, `asked` what was asked for."""

    def __init__(self, *words, faults, asked, **more):
        self.faults, self.asked = faults, asked
        super().__init__(*words, **more)

    def do_GET(self):
        self.asked.append(self.path)
        fault = self.faults.get(self.path) or self.faults.get("*")
        if fault is None or not fault(self):
            super().do_GET()

    def log_message(self, *_):
        pass


@contextmanager
def serving(folder, **faults):
    asked = []
    handler = functools.partial(Handler, directory=str(folder), faults=faults, asked=asked)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked = asked
        server.faults = faults
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            server.url = f"http://127.0.0.1:{server.server_address[1]}"
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(plane, monkeypatch):
    monkeypatch.setattr(download, "_PAUSE", 0.01)
    with serving(plane) as running:
        yield running


@pytest.fixture
def copy(tmp_path):
    return tmp_path / "copy"


@pytest.fixture
def synced(capsys, server, copy):
    def run(*words, url=None, at=AT):
        exit_code = main(["sync", url or server.url, str(copy), *map(str, words), *at, "--json"])
        report = json.loads(capsys.readouterr().out)
        assert report["exit"] == exit_code
        return exit_code, report

    return run


def seen(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestGood:
    def test_then_everything_is_checked_with_no_network(self, synced, copy, capsys, tmp_path):
        exit_code, report = synced()

        assert (exit_code, report["verdict"], report["trust"]) == (0, "synced", "first_use")
        assert (report["lists"], report["checkpoint"]["size"], report["issuer"]) == (1, 300, ISSUER)
        assert [check["number"] for check in report["checks"]] == list(range(1, 9))
        put(tmp_path, "qr.txt", text())
        put(tmp_path, "badge.json", badge())
        assert main([str(tmp_path / "qr.txt"), str(tmp_path / "badge.json"), "--static", str(copy), *AT]) == 0
        assert "first use" in str(report["checks"]).lower()
        capsys.readouterr()

    def test_the_copy_is_that_of_the_plane(self, synced, copy, plane):
        synced()

        assert seen(copy) == {
            name: content for name, content in seen(plane).items() if not name.startswith("tile/")
        } | {"v1.html": (plane / "v1").read_bytes()}

    def test_what_a_registry_may_not_have_yet(self, synced, plane, copy):
        for name in ("status/revocation/1", "status/revocation/1.jwt", "s/1.notes", "v1"):
            (plane / name).unlink()

        assert synced()[0] == 0
        assert not (copy / "v1.html").exists()

    def test_again_with_a_log_that_grew(self, synced, plane, copy):
        synced()
        for size in (301, 512, 700):
            put_log(plane, Log(size))

            exit_code, report = synced()

            assert (exit_code, report["trust"], report["checkpoint"]["size"]) == (0, "continued", size)
            assert (copy / "checkpoint").read_text("utf-8") == Log(size).checkpoint

    def test_again_with_nothing_new(self, synced):
        synced()

        assert synced()[1]["trust"] == "continued"

    def test_one_list_for_every_131072_events(self, synced, plane):
        put_log(plane, Log(131_073))
        assert synced()[0] == 3

        place = f"https://{HOST}/s/2"
        put(plane, "s/2", listed(uri=place))
        assert synced()[1]["lists"] == 2

    def test_an_empty_folder_is_taken(self, synced, copy):
        copy.mkdir()

        assert synced()[0] == 0

    def test_words_for_people(self, server, copy, capsys):
        assert main(["sync", f"{server.url}/", str(copy), *AT]) == 0
        out = capsys.readouterr().out
        assert "Compare the fingerprint" in out
        assert f"issuer       {ISSUER}" in out

    def test_help_teaches(self, capsys):
        with pytest.raises(SystemExit):
            main(["sync", "--help"])

        assert "verify sync https://registry.example ./static" in capsys.readouterr().out


class TestTrust:
    def test_by_fingerprint(self, synced):
        named = synced()[1]["fingerprint"]

        assert synced("--fingerprint", named.upper())[1]["trust"] == "pinned"
        exit_code, report = synced("--fingerprint", "0" * 64)
        assert (exit_code, report["verdict"], named in report["why"]) == (2, "unknown_key", True)

    def test_by_a_file_of_keys(self, synced, plane, tmp_path):
        put(tmp_path, "known.json", spelled(keys_json()))
        assert synced("--keys", tmp_path / "known.json")[1]["trust"] == "pinned"

        page = keys_json()
        page["keys"].append(dict(page["keys"][0]) | kid_of("another") | {"id": f"{ISSUER}#2"})
        put(plane, "keys.json", spelled(page))
        exit_code, report = synced("--keys", tmp_path / "known.json")
        assert (exit_code, "not among those named" in report["why"]) == (2, True)

        report = synced()[1]
        assert (report["trust"], report["new_keys"]) == ("continued", [kid_of("another")["kid"]])

    def test_by_the_key_of_the_log(self, synced):
        assert synced("--log", proof.vkey(f"{HOST}/log", public(LOGGING)))[0] == 0
        assert synced("--log", proof.vkey(f"{HOST}/log", public(STRANGER)))[1]["verdict"] == "unknown_key"

    def test_by_a_witness(self, synced, plane):
        witness = proof.witness_vkey("witness.example/w1", public(STRANGER))
        assert synced("--witness", witness)[0] == 3

        note = proof.signed_text(Log(300).checkpoint)
        signature = STRANGER.sign(proof.cosigned(note, LISTED))
        line = proof.cosignature_line("witness.example/w1", public(STRANGER), LISTED, signature)
        put(plane, "checkpoint", Log(300).checkpoint + line)
        report = synced("--witness", witness)[1]
        assert report["cosignatures"] == [{"witness": "witness.example/w1", "at": "2026-11-22T06:00:00Z"}]

        put(plane, "checkpoint", Log(300).checkpoint + line[:-10] + "AAAAAAA=\n")
        assert synced("--witness", witness)[0] == 2

    def test_a_key_that_is_gone_or_whose_withdrawal_is_forgotten(self, synced, plane, copy):
        page = keys_json()
        page["keys"].append(dict(page["keys"][0]) | kid_of("old") | {"id": f"{ISSUER}#0", "withdrawn": "2026-11-01"})
        put(plane, "keys.json", spelled(page))
        assert synced()[0] == 0
        before = seen(copy)

        page["keys"][-1]["withdrawn"] = None
        put(plane, "keys.json", spelled(page))
        assert "was withdrawn, and now is not" in synced()[1]["why"]

        put(plane, "keys.json", spelled(keys_json()))
        assert "is gone" in synced()[1]["why"]
        assert seen(copy) == before

    def test_a_did_document_that_says_otherwise(self, synced, plane):
        document = did(STRANGER, f"{ISSUER}:status")
        put(plane, "status/did.json", spelled(document))
        assert "two keys have the one name" in synced()[1]["why"]

        put(plane, "status/did.json", spelled(did(key("another"), "did:web:other.example:status")))
        assert "does not have" in synced()[1]["why"]


def kid_of(name):
    raw = public(key(name))
    return {"kid": cose.thumbprint(raw).hex(), "publicKeyMultibase": keys.multikey(raw)}


class TestLies:
    @pytest.fixture
    def before(self, synced, copy):
        assert synced()[0] == 0
        return seen(copy)

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("keys.json", b"{}", "prefixes"),
            ("keys.json", b"<html>", "JSON"),
            ("checkpoint", Log(300, by=STRANGER).checkpoint, "no key we know"),
            ("checkpoint", Log(299).checkpoint, "the log had 300 entries and now has 299"),
            ("checkpoint", Log(300, b"other").checkpoint, "two roots"),
            ("checkpoint", Log(300).checkpoint.replace("300", "301"), "signature of the checkpoint fails"),
            ("checkpoint", "x", "signed note"),
            ("s/1", listed(by=STRANGER), "believed"),
            ("s/1", listed(uri=f"https://{HOST}/s/2"), "a list of"),
            ("s/1", listed(iat=LISTED - 1), "before the one that is here"),
            ("s/1", b"", "believed"),
            ("s/1.notes", noted({}, iat=LISTED - 1), "before the one that is here"),
            ("status/revocation/1", bits(by=STRANGER), "believed"),
            ("status/revocation/1", bits(iat=LISTED - 1), "before the one that is here"),
            ("status/revocation/1.jwt", bits_jwt() + b"x", "believed"),
        ],
    )
    def test_are_refused_and_the_folder_is_as_it_was(self, synced, before, plane, copy, name, content, why):
        put(plane, name, content)

        exit_code, report = synced()

        assert (exit_code, seen(copy) == before) == (2, True)
        assert why in report["why"] or "cannot be used" in report["why"]

    def test_a_log_that_split(self, synced, before, plane, copy):
        put_log(plane, Log(700, b"other"))

        exit_code, report = synced()

        assert (exit_code, seen(copy) == before) == (2, True)
        assert "does not begin with what it was" in report["why"]
        assert report["checks"][-1]["check"] == "the log holds all that it held before"

    def test_a_log_of_another_name(self, synced, before, plane, copy):
        other = Log(700).checkpoint.replace(f"{HOST}/log", "other.example/log")
        put(plane, "checkpoint", other)

        assert (synced()[0], seen(copy) == before) == (2, True)

    def test_a_first_time_is_refused_too(self, synced, plane, copy):
        put(plane, "s/1", listed(by=STRANGER))

        assert synced()[0] == 2
        assert not copy.exists()

    def test_lists_that_are_too_old_are_here_but_say_nothing(self, synced):
        exit_code, report = synced(at=["--at", "2026-11-25T12:00:00Z"])

        assert (exit_code, report["verdict"]) == (3, "stale")
        assert "too old" in report["checks"][-1]["found"]


def answers(status, headers=(), body=b""):
    def fault(handler):
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return fault


def cut(handler):
    """Says more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b"x" * 100)
    return True


def endless(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 40))
    handler.end_headers()
    try:
        for _ in range(1 << 12):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass
    return True


class TestBadServers:
    @pytest.mark.parametrize(
        ("fault", "why"),
        [
            (cut, "IncompleteRead"),
            (endless, "larger"),
            (answers(404), "is this the address of a registry"),
            (answers(500), "answers 500"),
            (answers(403), "answers 403"),
            (answers(302, [("Location", "https://evil.example/keys.json")]), "another server, evil.example"),
            (answers(302, [("Location", "http://127.0.0.1:1/keys.json")]), "another server"),
            (answers(302, [("Location", "file:///etc/passwd")]), "answers 302"),
            (answers(302, [("Location", "/keys.json")]), ""),
            (answers(200, [("Content-Encoding", "gzip"), ("Content-Length", "0")]), "packed"),
            (answers(200, body=b"{}"), "without its length"),
        ],
    )
    def test_leave_the_folder_as_it_was(self, synced, server, copy, fault, why):
        assert synced()[0] == 0
        before = seen(copy)
        server.faults["/keys.json"] = fault

        exit_code, report = synced()

        assert (exit_code, report["verdict"], seen(copy) == before) == (3, None, True)
        assert why in report["why"]

    def test_may_lead_to_another_place_of_their_own(self, synced, server, plane):
        put(plane, "other.json", spelled(keys_json()))
        server.faults["/keys.json"] = answers(302, [("Location", "/other.json")])

        assert synced()[0] == 0

    def test_are_asked_again(self, synced, server):
        times = []

        def first(handler):
            times.append(1)
            return len(times) < 3 and cut(handler)

        server.faults["/s/1"] = first

        assert synced()[0] == 0

    def test_that_are_not_there(self, synced):
        assert synced(url="http://127.0.0.1:1")[0] == 3

    def test_without_the_tiles_that_show_it_holds_what_it_held(self, synced, plane, server):
        synced()
        put_log(plane, Log(700))
        server.faults.update({f"/{name}": answers(404) for name in Log(700).tiles})

        assert "can't show" in synced()[1]["why"]

    def test_a_full_tile_does_where_the_partial_one_is_gone(self, synced, plane):
        synced()
        put_log(plane, Log(700))
        partial = plane / "tile/0/002.p/188"
        put(plane, "tile/0/002", partial.read_bytes() + bytes(68 * 32))
        partial.unlink()

        assert synced()[0] == 0

    def test_what_was_fetched_is_not_fetched_again(self, synced, server, copy):
        server.faults["/status/revocation/1"] = answers(500)
        assert synced()[0] == 3
        assert not copy.exists()
        server.faults.clear()
        server.asked.clear()

        exit_code, report = synced()

        assert (exit_code, report["resumed"]) == (0, 2)
        assert "/s/1" not in server.asked

    def test_what_was_fetched_of_another_moment_is(self, synced, server, plane):
        server.faults["/status/revocation/1"] = answers(500)
        synced()
        server.faults.clear()
        put_log(plane, Log(301))

        assert synced()[1]["resumed"] == 0


def receipt_of(log):
    """What a roster check answered while the log was as large as this one."""
    return receipt.seal(
        [roster.answer(roster.Row(1, "US-1", "Ann Example"), "not_found")],
        at=NOW,
        issuer=ISSUER,
        method=next(row["id"] for row in keys_json()["keys"] if row["use"] == "status"),
        checkpoint=log.checkpoint,
        position=0,
        lists=[],
        compared="",
        specimen=False,
        sign=LISTING.sign,
    )


class TestTiles:
    """The log's hashes, with which a receipt of any size is shown to be of this log."""

    @pytest.fixture
    def with_tiles(self, synced, plane, copy):
        put_log(plane, Log(700))
        exit_code, report = synced("--tiles")
        assert (exit_code, report["checks"][-1]["passed"]) == (0, True)
        return copy

    def test_all_of_them(self, with_tiles):
        held = {name: content for name, content in seen(with_tiles).items() if name.startswith("tile/")}

        assert held == Log(700).tiles

    def test_only_if_they_are_asked_for(self, synced, copy, server):
        assert len(synced()[1]["checks"]) == 8
        assert not (copy / "tile").exists()
        assert not [name for name in server.asked if name.startswith("/tile/")]

    def test_from_then_on_only_what_is_new(self, synced, plane, with_tiles, server):
        kept = (with_tiles / "tile/0/000").stat().st_ino
        server.asked.clear()
        put_log(plane, Log(800))

        exit_code, report = synced()

        assert (exit_code, report["resumed"]) == (0, 2)
        assert {"/tile/0/002", "/tile/0/003.p/32", "/tile/1/000.p/3"} <= set(server.asked)
        assert not {"/tile/0/000", "/tile/0/001"} & set(server.asked)
        assert {name for name in seen(with_tiles) if name.startswith("tile/")} == set(Log(800).tiles)
        assert (with_tiles / "tile/0/000").stat().st_ino == kept

    def test_a_receipt_of_any_size_is_shown_to_be_of_this_log(self, with_tiles, capsys, tmp_path):
        for size, word, told in ((1, b"entry", True), (511, b"entry", True), (300, b"other", False)):
            put(tmp_path, "receipt.json", receipt_of(Log(size, word)))

            exit_code = main(["receipt", str(tmp_path / "receipt.json"), "--static", str(with_tiles), "--json"])

            checks = json.loads(capsys.readouterr().out)["checks"]
            compared = next(check for check in checks if check["check"] == "the log is the one we know")
            assert (exit_code, compared["passed"]) == (0 if told else 2, told)

    def test_one_that_is_damaged_here_is_fetched_again(self, synced, with_tiles, server):
        (with_tiles / "tile/0/001").write_bytes(bytes(8192))
        server.asked.clear()

        assert synced()[0] == 0
        assert "/tile/0/001" in server.asked
        assert (with_tiles / "tile/0/001").read_bytes() == Log(700).tiles["tile/0/001"]

    @pytest.mark.parametrize("name", ["tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"])
    def test_a_false_one_is_refused(self, synced, plane, copy, name):
        put_log(plane, Log(700))
        put(plane, name, Log(700, b"other").tiles[name])

        exit_code, report = synced("--tiles")

        assert (exit_code, report["verdict"], copy.exists()) == (2, "tampered", False)
        assert (report["checks"][-1]["number"], report["checks"][-1]["passed"]) == (9, False)
        put_log(plane, Log(700))
        assert synced("--tiles")[0] == 0

    def test_what_was_fetched_is_kept_even_when_the_log_has_grown(self, synced, plane, server):
        put_log(plane, Log(700))
        server.faults["/tile/0/001"] = answers(500)
        assert synced("--tiles")[0] == 3
        server.faults.clear()
        server.asked.clear()
        put_log(plane, Log(701))

        assert synced("--tiles")[0] == 0
        assert "/tile/0/000" not in server.asked

    def test_that_were_not_asked_for_the_second_time_are_not_half_there(self, synced, plane, server, copy):
        put_log(plane, Log(700))
        server.faults["/tile/0/001"] = answers(500)
        synced("--tiles")

        assert synced()[0] == 0
        assert not (copy / "tile").exists()

    def test_of_a_log_that_is_too_large_are_left(self, synced, copy, monkeypatch):
        monkeypatch.setattr(sync, "_MOST_ENTRIES", 299)

        report = synced("--tiles")[1]

        assert (report["exit"], report["checks"][-1]["passed"]) == (0, None)
        assert not (copy / "tile").exists()

    @pytest.mark.parametrize("size", [1, 256, 512])
    def test_of_a_log_of_any_size(self, synced, plane, copy, size):
        log = Log(size)
        put_log(plane, log)

        assert synced("--tiles")[0] == 0
        assert {name for name in seen(copy) if name.startswith("tile/")} == set(log.tiles)


class TestTheCommand:
    @pytest.mark.parametrize(
        "url",
        [
            "http://registry.example",
            "ftp://registry.example",
            "file:///etc",
            "https://",
            "https://user:secret@registry.example",
            "https://registry.example/?a=b",
            "https://registry.example/#a",
            "https://registry.example:port",
            "https://registry\n.example",
            "registry.example",
        ],
    )
    def test_64_an_address_that_is_none(self, capsys, copy, url):
        assert main(["sync", url, str(copy)]) == 64
        capsys.readouterr()

    @pytest.mark.parametrize(
        "words", [["--fingerprint", "x"], ["--keys", "no-such-file"], ["--log", "x"], ["--witness", "x"]]
    )
    def test_64_words_that_cannot_be_understood(self, synced, words):
        assert synced(*words)[0] == 64

    def test_64_a_folder_that_sync_did_not_make(self, synced, copy):
        copy.mkdir()
        put(copy, "keys.json", b"{}")

        assert synced()[0] == 64
        assert seen(copy) == {"keys.json": b"{}"}

    def test_64_a_link_that_sync_did_not_make(self, synced, copy, tmp_path):
        copy.symlink_to(tmp_path)

        assert synced()[0] == 64

    def test_64_while_another_is_at_work(self, synced, copy):
        with sync._Place(copy).alone():
            assert synced()[0] == 64

    def test_a_reader_sees_one_set_or_the_other(self, synced, plane, copy):
        synced()
        held = copy.resolve()
        old = seen(held)
        put(plane, "s/1", listed({HERE: 1}, iat=LISTED + 60))
        put_log(plane, Log(301))
        synced()

        assert seen(held) == old
        assert seen(copy.resolve()) != old
        synced()
        assert len([path for path in copy.parent.glob(".copy.sync/*") if path.name.isdecimal()]) == 2
        assert not held.exists()

    def test_progress_is_told_when_it_takes_longer_than_two_seconds(self, server, copy, capsys, monkeypatch):
        monkeypatch.setattr("verifier.sync_command._QUIET", 0)

        main(["sync", server.url, str(copy), *AT, "--json"])

        out, err = capsys.readouterr()
        assert json.loads(out)["exit"] == 0
        assert "now s/1" in err
