"""Clocks that are wrong, and checks of certificates with something missing."""

import uuid
from datetime import UTC, date, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from grounds import PATIENCE
from judging import judge
from load import over_http, through_the_store

from domain.association import ROWS, today
from registry import database, nightly
from registry.api.check import Checker, NotServed
from registry.certificates.issue import Issuer
from registry.certificates.paper import Printer
from registry.log.published import Published
from registry.opening import open_keys, open_plane
from verifier.verdict import VERDICTS


@pytest.fixture
def publish(settings, clock, registry):
    """Publishes at the present time."""
    plane = open_plane(settings, open_keys(settings))

    def publish():
        with psycopg.connect(database.url(settings, "reader"), autocommit=True) as connection:
            plane.publish(connection, clock())

    return publish


@pytest.fixture
def code(settings, registry, life, publish):
    """The QR code's text of somebody endorsed through 2027 in Virginia, and the number."""
    number = life.endorsed()
    publish()
    issuer = Issuer(registry.store, open_keys(settings), Published.of(settings.static), host=settings.public_host,
                    qr_host=settings.qr_host, printer=Printer())  # fmt: skip
    return issuer.text(number).encode(), number


def test_fault_r19_days_end_in_their_own_zone(chance, sized, figures):
    """Midnights of any day, of leap days, and of the days on which clocks are changed; to the second."""
    tries = sized(1000, 10_000)
    for _ in range(tries):
        row = ROWS[chance.choice(sorted(ROWS))]
        day = chance.choice([
            date(2002, 1, 1) + timedelta(days=chance.randrange(14_000)),
            date(chance.choice([2004, 2024, 2028]), 2, 29), date(2026, 3, 8), date(2026, 11, 1), date(2026, 3, 29),
        ])  # fmt: skip
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(row.zone)).astimezone(UTC)
        assert today(row, midnight) == day, (row, midnight)
        assert today(row, midnight - timedelta(seconds=1)) == day - timedelta(days=1), (row, midnight)
    assert today(ROWS["VA"], datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC)) == date(2026, 3, 8)  # summer time began
    assert today(ROWS["VA"], datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC)) == date(2026, 11, 1)  # and ended
    figures |= {"dates": tries, "wrong": 0}


def test_fault_r19_what_has_expired_stays_expired(settings, registry, code, publish, clock, views, connect, figures):
    text, number = code
    checker = Checker(settings.static)

    def verdict():
        return checker.check(text, clock())["verdict"]

    over = datetime(2028, 1, 1, 5, 0, tzinfo=UTC)  # the year's end in Virginia
    clock.set(over - timedelta(seconds=1))
    publish()
    before = verdict()
    clock.set(over)
    at_once = verdict()
    views.catch_up()
    for batch in nightly.go_round(registry, connect("reader")):
        assert not batch.failed
    publish()
    lapsed = verdict()
    clock.move(hours=-1)
    publish()
    back_an_hour = verdict()
    clock.move(days=-365)
    back_a_year = verdict()

    assert (before, at_once) == ("valid", "expired")
    assert "valid" not in (lapsed, back_an_hour, back_a_year)
    topics = [event.topic for _, event in registry.store.events(f"endorsement/{number}")]
    assert topics.count("endorsement.lapsed") == 1
    figures |= {"an hour back": back_an_hour, "a year back": back_a_year}


def test_fault_r19_a_clock_that_jumps_and_steps_back_orders_nothing(
    settings, registry, client, answers, clock, chance, sized, figures
):
    sends = [over_http(client("coordinator", association="VA").http, answers), through_the_store(registry, answers)]
    start, back = clock(), 0
    for _ in range(sized(20, 300)):
        before = clock()
        clock.set(start + timedelta(hours=chance.choice([-1, 0, 0, 1, -24, 8766, 0.001])))
        back += clock() < before
        chance.choice(sends)(str(uuid.UUID(int=chance.getrandbits(128), version=4)))
    clock.set(start)
    tally = judge(settings, answers)
    with psycopg.connect(database.url(settings, "reader")) as reader:
        recorded = [at for (at,) in reader.execute(
            "SELECT convert_from(state, 'UTF8')::jsonb ->> 'recorded_at' FROM registry.events ORDER BY notification_id"
        )]  # fmt: skip

    assert recorded != sorted(recorded)
    assert tally.ok + tally.failed == answers.counts.total()
    figures |= {"acknowledged": tally.ok, "refused": tally.failed, "steps back": back}


DAMAGE = {
    "missing": lambda file: file.unlink(),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "empty": lambda file: file.write_bytes(b""),
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-7]),
    "half of it": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "something else": lambda file: file.write_bytes(b'{"keys": []}'),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"x"),
    "of zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)),
}


def test_fault_r21_nothing_is_valid_without_what_a_check_needs(settings, code, address, clock, chance, sized, figures):
    text, _ = code
    asked, said = 0, set()

    def verdict():
        answer = httpx.post(f"{address}/api/check", content=text, timeout=PATIENCE)
        page = httpx.post(f"{address}/v1/check", data={"text": text.decode()}, timeout=PATIENCE)
        if answer.status_code == 503:
            said_here = VERDICTS["cannot_check"].en.sentence in unescape(page.text)
            assert (page.status_code, said_here) == (503, True)
            return "503"
        assert answer.json()["sentences"]["en"] in page.text
        return answer.json()["verdict"]

    assert verdict() == "valid"
    for name in ("keys.json", "s/1"):
        file = settings.static / name
        whole = file.read_bytes()
        for damage in DAMAGE.values():
            damage(file)
            said.add(found := verdict())
            assert found in ("503", "status_unknown"), (name, damage, found)
            asked += 1
            file.rmdir() if file.is_dir() else None
            file.write_bytes(whole)
            assert verdict() == "valid"
    listed = (settings.static / "s" / "1").read_bytes()
    checker = Checker(settings.static)
    for _ in range(sized(200, 20_000)):
        spoiled = bytearray(listed)
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
        (settings.static / "s" / "1").write_bytes(bytes(spoiled))
        said.add(found := checker.check(text, clock())["verdict"])
        assert found == "status_unknown"
        asked += 1
    (settings.static / "s" / "1").write_bytes(listed)
    keys = (settings.static / "keys.json").read_bytes()
    for end in range(0, len(keys) - 1, sized(97, 1)):
        (settings.static / "keys.json").write_bytes(keys[:end])
        with pytest.raises(NotServed):
            Checker(settings.static).check(text, clock())
        asked += 1
    (settings.static / "keys.json").write_bytes(keys)
    clock.move(hours=48, seconds=1)
    assert verdict() == "status_unknown"  # the list is out of date
    figures |= {"damages": asked + 1, "shown as valid": 0, "said": ", ".join(sorted(said))}
