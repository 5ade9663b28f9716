"""Alerts to an employer's own address: signed, in order, again until they are taken, and never to an inner address."""

import base64
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from grounds import PATIENCE, wait_for

from registry import notify
from registry.webhooks import receiver as receivers
from registry.webhooks.receiver import Receiver, is_public, resolve
from registry.webhooks.sending import DELAYS, Delivery, send

NEVER = threading.Event()


def is_signed(secret, headers, body):
    """Standard Webhooks, checked as a receiver would, by code of its own."""
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(one == f"v1,{made}" for one in headers["webhook-signature"].split(" "))


@pytest.fixture
def watching(employer, life, receiving):
    """The employer follows an endorsement and has an address; gives its secret."""
    employer.do("follows", {"number": life.number, "name": "Marisol Okafor"})
    return employer.do("webhooks", {"url": receiving.url})["shown_once"]["webhook_secret"]


@pytest.fixture
def deliver(employer, registry):
    return lambda: send(registry, employer.id, NEVER, local=True)


def kept(registry, employer):
    return Delivery(*registry.store.delivery(employer.id))


def test_an_alert_arrives_signed_and_says_what_the_feed_says(watching, employer, life, receiving, deliver):
    life.suspend()

    assert deliver() is None

    ((headers, body),) = receiving.came
    assert len(base64.b64decode(watching.removeprefix("whsec_"))) == 32
    assert is_signed(watching, headers, body)
    assert not is_signed(watching, headers, body + b" ")
    said = json.loads(body)
    assert said["type"] == "endorsement.suspended"
    assert said["data"] == employer.feed()["alerts"][0]
    assert headers["webhook-id"] == said["data"]["id"]
    assert b"Okafor" not in body


def test_the_secret_is_shown_once_and_is_in_no_event(employer, receiving, registry):
    key = "5f0c7a52-9d0e-4b57-9c3e-6d2f0e6f7a11"
    path, body = f"/employers/{employer.id}/webhooks", {"url": receiving.url}
    first = employer.key.post(path, body, key=key)
    again = employer.key.post(path, body, key=key)

    assert first.json()["shown_once"]["webhook_secret"].startswith("whsec_")
    assert "shown_once" not in again.json()
    assert first.json()["events"] == again.json()["events"]
    secret = first.json()["shown_once"]["webhook_secret"]
    stored = registry.store._ask("SELECT convert_from(state, 'UTF8') FROM registry.events")
    assert not any(secret in state or receiving.url in state for (state,) in stored)


def test_what_was_taken_is_not_said_again_and_order_is_kept(watching, life, receiving, deliver):
    life.suspend()
    life.lift()
    deliver()
    deliver()
    life.suspend()
    deliver()

    assert [json.loads(body)["type"].partition(".")[2] for _, body in receiving.came] == [
        "suspended", "suspension_lifted", "suspended",
    ]  # fmt: skip
    assert receiving.ids == sorted(set(receiving.ids), key=lambda name: int(name.partition("-")[2]))


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_said_again_later_and_later(status, watching, life, receiving, deliver, clock, registry,
                                                         employer):  # fmt: skip
    receiving.answers = [status] * 4
    receiving.headers = {"Location": receiving.url}
    life.suspend()
    life.lift()
    delays = []
    for _ in range(4):
        following = deliver()
        assert deliver() == following, "not before it is time"
        delays.append(following - clock())
        clock.set(following)
    assert delays == list(DELAYS[:4])
    assert len(set(receiving.ids)) == 1, "the second one waits for the first"
    assert kept(registry, employer).attempts == 4

    assert deliver() is None
    assert len(set(receiving.ids)) == 2
    state = kept(registry, employer)
    assert (state.attempts, state.failing_since, state.answer) == (0, None, "204")


def test_after_three_days_it_is_disabled_and_a_letter_says_so(
    watching, life, receiving, deliver, clock, registry, employer, settings
):
    receiving.answers = [503] * 100
    life.suspend()
    begun = clock()
    while following := deliver():
        clock.set(following)

    assert clock() - begun == timedelta(days=3)
    found = registry.employer(employer.id)
    assert (found.sends, found.disabled) == (False, "unanswered")
    notify.go_round(settings, registry)
    box = notify.Outbox(settings)
    (letter,) = [one for one in map(box.read, box.letters()) if one["To"] == "hr@riverside.example.org"]
    assert letter["Subject"] == "Your alerts are no longer sent"
    receiving.answers = []
    receiving.came.clear()
    life.lift()
    assert deliver() is None
    assert receiving.came == []
    # Set again, it is sent all that waits.
    found = registry.employer(employer.id)
    found.set_webhook(receiving.url, on=registry.today("VA"), by="employer:x")
    registry.store.save(found)
    assert deliver() is None
    assert [json.loads(body)["type"] for _, body in receiving.came] == [
        "endorsement.suspended", "endorsement.suspension_lifted",
    ]  # fmt: skip


def test_an_address_that_is_gone_is_disabled_at_once(watching, life, receiving, deliver, registry, employer):
    receiving.answers = [410]
    life.suspend()

    assert deliver() is None
    assert registry.employer(employer.id).disabled == "gone"


def test_a_new_address_does_not_wait_for_the_old_ones_next_attempt(watching, life, receiving, deliver, employer):
    receiving.answers = [500]
    life.suspend()
    assert deliver() is not None
    secret = employer.do("webhooks", {"url": receiving.url})["shown_once"]["webhook_secret"]

    assert deliver() is None
    assert secret != watching
    assert is_signed(secret, *receiving.came[-1])
    assert not is_signed(watching, *receiving.came[-1])


def test_a_trial_message_has_its_place_among_the_alerts(watching, life, receiving, deliver, employer):
    life.suspend()
    employer.do("webhook-tests")
    life.lift()
    deliver()

    assert [json.loads(body)["type"] for _, body in receiving.came] == [
        "endorsement.suspended", "webhook.test", "endorsement.suspension_lifted",
    ]  # fmt: skip
    assert all(is_signed(watching, headers, body) for headers, body in receiving.came)


def test_everything_after_a_position_is_sent_again_when_asked(watching, life, receiving, deliver, employer):
    life.suspend()
    life.lift()
    deliver()
    first = employer.feed()["alerts"][0]
    before = list(receiving.came)
    employer.do("webhook-replays", {"after": first["position"]})
    deliver()
    assert [body for _, body in receiving.came] == [body for _, body in (*before, before[1])]
    employer.do("webhook-replays", {"after": 0})
    deliver()
    assert [body for _, body in receiving.came[3:]] == [body for _, body in before]


def test_an_address_begins_with_what_comes_after_it(employer, life, receiving, deliver):
    employer.do("follows", {"number": life.number, "name": "Marisol Okafor"})
    life.suspend()
    employer.do("webhooks", {"url": receiving.url})
    deliver()
    assert receiving.came == []
    life.lift()
    deliver()
    assert len(receiving.came) == 1


def test_ended_addresses_are_left_alone(watching, life, receiving, deliver, employer):
    employer.do("webhook-ends")
    life.suspend()
    assert deliver() is None
    assert receiving.came == []
    assert employer.key.get(f"/employers/{employer.id}").json()["webhook"] == {"state": "none"}


# --- which addresses are called

INNER = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2001::1", "100::1", "fec0::1", "4000::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INNER)
def test_no_inner_address_is_called(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_ones_are(address):
    assert is_public(address)


def leading_to(monkeypatch, *addresses):
    """Let every name lead to these; says which were called."""
    called = []

    def looked_up(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    def connect(to, **_):
        called.append(to)
        raise ConnectionRefusedError

    monkeypatch.setattr(receivers.socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(receivers.socket, "create_connection", connect)
    return called


def test_a_name_that_leads_inside_is_not_called(monkeypatch):
    called = leading_to(monkeypatch, "10.0.0.7")
    with Receiver("https://hr.example.org/alerts") as there:
        assert there.post(b"{}", {}).word == "not_public"
    assert called == []


def test_one_inner_address_among_several_is_enough(monkeypatch):
    called = leading_to(monkeypatch, "93.184.215.14", "169.254.169.254")
    with Receiver("https://hr.example.org/alerts") as there:
        assert there.post(b"{}", {}).word == "not_public"
    assert called == []


def test_the_very_address_that_was_looked_at_is_called(monkeypatch):
    """A name that leads elsewhere a moment later (DNS rebinding) is not asked again."""
    called = leading_to(monkeypatch, "93.184.215.14")
    with Receiver("https://hr.example.org/alerts") as there:
        assert there.post(b"{}", {}).word == "refused"
    assert called == [("93.184.215.14", 443)]


def test_this_machine_is_not_called_unless_it_is_a_trial(receiving):
    with Receiver(receiving.url) as there:
        assert there.post(b"{}", {}).word == "not_public"
    assert receiving.came == []
    assert resolve("127.0.0.1", 80, local=True) == "127.0.0.1"


def test_an_inner_address_is_refused_when_it_is_set(employer, registry):
    registry.webhooks_local = False
    for url in ("http://127.0.0.1:9/x", "https://10.0.0.7/", "https://intranet/", "http://hr.example.org/"):
        answer = employer.key.post(f"/employers/{employer.id}/webhooks", {"url": url})
        assert (answer.status_code, answer.json()["field"]) == (422, "url")
        assert url not in answer.json()["detail"]


def test_one_that_dawdles_is_given_up():
    """A byte now and then keeps a socket's own timeout from ending."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def dawdle():
            line, _ = server.accept()
            with line:
                line.recv(1000)
                for _ in range(4000):
                    try:
                        line.send(b"H")
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = threading.Thread(target=dawdle, daemon=True)
        thread.start()
        begun = time.monotonic()
        with Receiver(f"http://127.0.0.1:{server.getsockname()[1]}/", local=True, seconds=0.3) as there:
            assert there.post(b"{}", {}).word == "timeout"
        assert time.monotonic() - begun < PATIENCE, "it waited for all of it"
        thread.join(timeout=5)


# --- the worker

_WORKER = """
import sys, threading
from pathlib import Path
from registry import worker
from registry.settings import Settings
settings = Settings(home=Path(sys.argv[1]), database_url=sys.argv[2], master_key=bytes(range(32)), webhooks_local=True)
worker.run(settings, stop=threading.Event())
"""


def test_a_worker_that_was_killed_says_it_again_and_goes_on(watching, life, receiving, settings, registry, employer):
    """At least once, in order, within seconds; `webhook-id` tells what came twice."""

    def start():
        return subprocess.Popen([sys.executable, "-c", _WORKER, settings.home, settings.database_url],
                                stderr=subprocess.DEVNULL)  # fmt: skip

    def until(holds):
        wait_for(holds, "what is told")

    first = start()
    try:
        life.suspend()
        until(lambda: len(receiving.came) == 1)
        receiving.dawdle = 3.0
        life.lift()
        until(lambda: len(receiving.came) == 2)
        first.kill()  # it came, and whether it was taken was never heard
        first.wait()
        receiving.dawdle = 0.0
        life.suspend()
        first = start()
        until(lambda: len(receiving.came) == 4)
    finally:
        first.kill()
        first.wait()
    one, two, again, three = receiving.ids
    assert again == two
    assert len({one, two, three}) == 3
    positions = [json.loads(body)["data"]["position"] for _, body in receiving.came]
    assert positions == sorted(positions)


def test_nothing_personal_is_in_the_lines_of_a_failed_delivery(watching, life, receiving, deliver, caplog, employer):
    receiving.answers = [500]
    life.suspend()
    with caplog.at_level("INFO", "registry.worker"):
        deliver()

    assert employer.id in caplog.text
    for secret in (receiving.url, "127.0.0.1", "Okafor", "riverside", watching):
        assert secret not in caplog.text


def test_an_employers_own_page_of_it_says_how_it_goes(watching, life, receiving, deliver, employer, client):
    receiving.answers = [500]
    life.suspend()
    deliver()

    own = employer.key.get(f"/employers/{employer.id}").json()["webhook"]
    assert (own["state"], own["answer"], own["url"]) == ("failing", "500", receiving.url)
    others = client("operator").get(f"/employers/{employer.id}").json()["webhook"]
    assert (others["state"], others["url"]) == ("failing", None)
