"""With the database away or silent: 503 within five seconds, and certificates are verified all the same."""

import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from faces import Client, serving
from grounds import HANGS, PATIENCE

from registry import database
from registry.api import create_app
from registry.api.actors import Desk
from registry.certificates.issue import Issuer
from registry.certificates.paper import Printer
from registry.certificates.plane import Plane
from registry.log.published import Published
from registry.opening import open_keys, open_registry
from verifier.verdict import VERDICTS


class Wire:
    """Between the service and its server: it can be cut, or fall silent."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.silent = threading.Event()
        self.ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self.path)
                self.ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if not self.silent.is_set():
                    other.sendall(data)

    def cut(self) -> None:
        # Closing alone would leave a thread in accept.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def wire(settings):
    parts = urlsplit(settings.database_url)
    wire = Wire(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432")
    wire.url = f"postgresql://postgres@127.0.0.1:{wire.port}{parts.path}"
    yield wire
    wire.cut()


@pytest.fixture
def plane(settings, registry, life):
    """A certificate, and the plane that was published after it; at the present time, as `check` is."""
    number = life.endorsed()
    keys = open_keys(settings)
    made = Plane(settings.static, keys, host=settings.public_host, qr_host=settings.qr_host)
    with psycopg.connect(database.url(settings, "reader"), autocommit=True) as connection:
        made.publish(connection, registry.clock())
    issuer = Issuer(registry.store, keys, Published.of(settings.static), host=settings.public_host,
                    qr_host=settings.qr_host, printer=Printer())  # fmt: skip
    return number, issuer.render(number)


@pytest.fixture
def apart(settings, registry, clock, wire):
    """The service over the wire, an operator's key, and the database as it was."""
    far = replace(settings, database_url=wire.url)
    opened = open_registry(far, clock=clock)
    desk = Desk(settings, clock=clock)
    with serving(create_app(far, registry=opened, clock=clock)) as address:
        one = Client(address, desk.add("coordinator", association="VA")[1])
        yield one
        one.http.close()
    desk.close()
    opened.store.close()
    opened.store.vault.close()


def test_ready_only_when_everything_is_published(apart, settings, plane, views):
    """The lists and the checkpoint go out after the keys: between them nobody's certificate can be checked."""
    assert apart.http.get("/ready").json() == {"status": "ready", "reasons": []}
    checkpoint = settings.static / "checkpoint"
    origin, _, *rest = checkpoint.read_text().split("\n")
    for first_of_the_log in (True, False):
        checkpoint.write_text("\n".join([origin, "0", *rest])) if first_of_the_log else checkpoint.unlink()
        ready = apart.http.get("/ready")
        assert (ready.status_code, ready.json()["reasons"]) == (
            503, [{"what": "plane", "why": "Nothing is published. Is `registry work` running?"}])  # fmt: skip


ASKED = ("/api/register", "/api/endorsements/IFS-7K3MQ9TD", "/api/people/x", "/register", "/endorsements/IFS-7K3MQ9TD")


@pytest.mark.parametrize("how", ["cut", "silent"])
def test_503_soon_and_checks_go_on(apart, wire, plane, views, how):
    number, files = plane
    assert apart.get("/register").status_code == 200  # the pool holds a connection that will break
    assert apart.post("/people", {"name": "Ada", "residence": "VA"}).status_code == 201
    wire.cut() if how == "cut" else wire.silent.set()
    for path in ASKED:
        begun = time.monotonic()
        answer = apart.http.get(path)
        assert (answer.status_code, time.monotonic() - begun < HANGS) == (503, True), path
        assert int(answer.headers["Retry-After"]) > 0
    begun = time.monotonic()
    answer = apart.post("/people", {"name": "Ada Two", "residence": "VA"})
    assert (answer.status_code, time.monotonic() - begun < HANGS) == (503, True)
    assert answer.json()["code"] == "unavailable"

    assert apart.http.get("/health").json() == {"status": "ok"}
    ready = apart.http.get("/ready")
    assert (ready.status_code, ready.json()["reasons"][0]["what"]) == (503, "store")
    for name, media in (("qr.png", "image/png"), ("certificate.pdf", "application/pdf"), ("qr.txt", "text/plain")):
        checked = apart.http.post("/v1/check", files={"file": (name, files[name], media)})
        assert checked.status_code == 200
        assert '<h1 id="verdict">Valid</h1>' in checked.text, name
        assert number in checked.text
    assert apart.http.get("/keys.json").status_code == 200
    assert apart.http.get("/s/1").headers["Content-Type"] == "application/statuslist+cwt"
    assert apart.http.get("/v1/check").status_code == 200


def test_it_comes_back_by_itself(apart, wire, views):
    wire.silent.set()
    assert apart.get("/register").status_code == 503
    wire.silent.clear()
    assert apart.get("/register").status_code == 200


def test_many_waiting_do_not_stop_the_checks(apart, wire, plane, views):
    _, files = plane
    wire.silent.set()
    threads = [threading.Thread(target=lambda: apart.http.get("/api/register")) for _ in range(30)]
    for thread in threads:
        thread.start()
    checked = apart.http.post("/v1/check", data={"text": files["qr.txt"].decode()})
    assert "Valid" in checked.text
    assert any(thread.is_alive() for thread in threads)
    for thread in threads:
        thread.join()


# --- the verdicts over HTTP, and the plane's files


def check(address, content, lang="en"):
    page = httpx.post(f"{address}/v1/check?lang={lang}", data={"text": content}, timeout=PATIENCE).text
    report = httpx.post(f"{address}/api/check", content=content, timeout=PATIENCE).json()
    return page, report


def test_the_same_verdict_in_page_and_api_and_both_languages(plane, address, clock):
    _, files = plane
    text = files["qr.txt"].decode()
    page, report = check(address, text)
    assert report["verdict"] == "valid"
    assert report["certificate"]["name"] == "Marisol Okafor"
    assert report["sentences"]["en"] in page
    assert report["sentences"]["es"] in check(address, text, "es")[0]
    assert 'lang="es"' in check(address, text, "es")[0]
    assert report["specimen"] is True
    assert '<time datetime="2027-12-31">' in page  # in Virginia; in UTC it is the next year by then
    broken = text[:-3] + ("111" if text[-3:] != "111" else "222")
    _, report = check(address, broken)
    assert report["verdict"] in ("tampered", "malformed", "unknown_key")
    assert report["certificate"] is None
    assert check(address, "hello")[1]["verdict"] == "malformed"
    clock.set(datetime(2029, 1, 1, tzinfo=UTC))
    assert check(address, text)[1]["verdict"] in ("expired", "status_unknown")


def test_without_keys_nothing_is_said(address):
    page = httpx.post(f"{address}/v1/check", data={"text": "https://registry.example/v1#1"}, timeout=PATIENCE)
    # It says that it cannot check, which is neither valid nor invalid.
    assert (page.status_code, VERDICTS["cannot_check"].en.sentence in unescape(page.text)) == (503, True)
    assert httpx.post(f"{address}/api/check", content=b"x", timeout=PATIENCE).status_code == 503


def test_uploads_have_an_end(address, plane):
    huge = b"%PDF-" + b"0" * (13 << 20)
    with suppress(httpx.HTTPError):  # it may hang up while we still send
        answer = httpx.post(f"{address}/v1/check", files={"file": ("x.pdf", huge)}, timeout=PATIENCE)
        assert answer.status_code == 413
    bomb = httpx.post(f"{address}/v1/check", files={"file": ("x.pdf", b"%PDF-1.7 rubbish")}, timeout=PATIENCE)
    assert (bomb.status_code, "Not readable" in bomb.text) == (200, True)
    assert httpx.post(f"{address}/v1/check", data={"text": ""}, timeout=PATIENCE).status_code == 422


def test_the_plane_is_handed_out_as_files(address, plane, settings):
    for path, cached in (
        ("/.well-known/did.json", "max-age=60"), ("/status/did.json", "max-age=60"), ("/keys.json", "max-age=60"),
        ("/checkpoint", "max-age=60"), ("/s/1", "max-age=60"), ("/s/1.notes", "max-age=60"),
        ("/status/revocation/1", "max-age=60"), ("/status/revocation/1.jwt", "max-age=60"),
        ("/achievements/IFS", "max-age=60"), ("/achievements/IMHM-RF.html", "max-age=60"),
        ("/associations/VA", "max-age=60"), ("/associations/ALLIANCE.html", "max-age=60"),
    ):  # fmt: skip
        answer = httpx.get(address + path, timeout=PATIENCE)
        assert answer.content == (settings.static / path.lstrip("/")).read_bytes()
        assert cached in answer.headers["Cache-Control"]
        again = httpx.get(address + path, headers={"If-None-Match": answer.headers["ETag"]}, timeout=PATIENCE)
        assert again.status_code == 304
    for path, accept, media in (
        ("/status/revocation/1", "*/*", "application/vc"),
        ("/status/revocation/1", "application/vc+jwt", "application/vc+jwt"),
        ("/status/revocation/1.jwt", "*/*", "application/vc+jwt"),
        ("/achievements/IFS", "*/*", "application/ld+json"),
        ("/achievements/IFS", "text/html,*/*;q=0.8", "text/html; charset=utf-8"),
        ("/achievements/IFS.html", "*/*", "text/html; charset=utf-8"),
        ("/associations/VA", "*/*", "application/ld+json"),
        ("/associations/VA", "text/html,*/*;q=0.8", "text/html; charset=utf-8"),
    ):
        answer = httpx.get(address + path, headers={"Accept": accept}, timeout=PATIENCE)
        assert (answer.status_code, answer.headers["Content-Type"], answer.headers["Vary"]) == (200, media, "Accept")
    for path in ("/status/revocation/x", "/achievements/NONE", "/achievements/IFS.jwt", "/associations/ZZ"):
        assert httpx.get(address + path, timeout=PATIENCE).status_code == 404
    assert json.loads(httpx.get(f"{address}/keys.json", timeout=PATIENCE).content)["specimen"] is True
    tiles = sorted(path for path in (settings.static / "tile").rglob("*") if path.is_file())
    for tile in tiles:
        assert (
            httpx.get(f"{address}/{tile.relative_to(settings.static)}", timeout=PATIENCE).content == tile.read_bytes()
        )
    (settings.static / "s" / "other").write_text("not of the plane")
    for path in ("/s/../../master.key", "/tile/%2e%2e/keys.json", "/tile/../../keys/slot.json", "/s/other", "/tile/"):
        # Not httpx: it would tidy the path.
        connection = HTTPConnection(urlsplit(address).netloc)
        connection.request("GET", path)
        assert connection.getresponse().status == 404
        connection.close()


def test_a_certificate_and_its_proof_are_for_their_people(plane, life, client):
    number, files = plane
    (present,) = life.holder.get(f"/endorsements/{number}/certificates").json()["certificates"]
    for name, address_ in present["files"].items():
        answer = life.holder.http.get(address_)
        assert answer.content == files[name]
        assert "Marisol" not in answer.headers["Content-Disposition"]
    assert client("coordinator", association="TX").http.get(present["files"]["qr.txt"]).status_code == 403
    assert client().http.get(present["files"]["qr.txt"]).status_code == 401
    proof = life.holder.http.get(f"/log/{present['position']}.tlog-proof")
    assert proof.text.startswith("c2sp.org/tlog-proof@v1")
    assert client().http.get(f"/log/{present['position']}.tlog-proof").status_code == 401
