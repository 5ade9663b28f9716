"""Rebuilds every view from a made-up history, and reads the same rows with COPY: events a second, and the ratio.

`python -m bench.rebuild [--events 200000] [--json]`, on the embedded server in a folder of its own.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median

import psycopg

from domain.application import Application
from domain.association import ROWS
from domain.endorsement import Endorsement, Source, new_number
from domain.event import Event
from domain.person import Person
from domain.policy import Attestation, Tally
from domain.portfolio import Entry
from domain.transfer import Transfer
from projections.engine import Engine
from registry import database
from registry.settings import Settings
from registry.store import EventMapper
from registry.vault import Vault

ATTESTED = Attestation(training_hours=30, rsc_hours=24, dei_hours=2, ethics=True, membership=True)
FIRST = ("Ána", "Marisol", "Siobhán", "Ngọc", "Léa", "Tāne", "Priya", "Zainab", "Ruth", "Ellen")
LAST = ("Okafor", "O’Neill", "Gómez-Ruiz", "Castañeda", "Tran", "Begay", "Lindqvist", "Miller", "Sørensen", "Kealoha")


def life(random: Random, n: int) -> Iterator[Event]:
    """One person's history, with what most have: portfolio, application, award, renewals; some move."""
    person, application = random.randbytes(16).hex(), random.randbytes(16).hex()
    number = new_number("IFS", random.randbytes)
    home = random.choice(list(ROWS))
    begun = date(2023, 1, 1) + timedelta(days=random.randrange(300))
    versions: dict[str, int] = {}
    stamp = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=n)

    def at(kind: type[Event], stream: str, days: int, **facts: object) -> Event:
        versions[stream] = versions.get(stream, 0) + 1
        return kind(
            originator_id=stream, originator_version=versions[stream], on=begun + timedelta(days=days),
            by=f"coordinator:{home}:k1", recorded_at=stamp, salt=random.randbytes(16).hex()[:22], **facts,
        )  # fmt: skip

    people, case, held = f"person/{person}", f"application/{application}", f"endorsement/{number}"

    def certificate(days: int, cti: str, replaces: str, through: date, why: str) -> Iterator[Event]:
        yield at(
            Endorsement.CertificateIssued, held, days, cti=cti, number=number, category="IFS", association=home,
            valid_from=stamp, through=through, expires_at=stamp, person=people, person_version=1, why=why,
            replaces=replaces,
        )  # fmt: skip
        yield at(Endorsement.CertificateSigned, held, days, cti=cti, kid="0123456789abcdef")

    name = f"{random.choice(FIRST)} {random.choice(LAST)} {n}"
    yield at(Person.Registered, people, 0, residence=home, name=name, credentials="LMSW",
             email=f"p{n}@example.org", match=random.randbytes(16).hex())  # fmt: skip
    ctis = [random.randbytes(16).hex() for _ in range(3)]
    if n % 4 == 0:
        through = date(2026, 12, 31)
        source = Source(file="ab" * 32, row=n, record=f"R-{n}")
        yield at(Endorsement.Imported, held, 0, number=number, person=person, category="IFS", association=home,
                 awarded_on=begun - timedelta(days=900), through=through, standing="active", source=source)  # fmt: skip
    else:
        through = date(2025, 12, 31)
        for i in range(3):
            fact = Entry(kind="training", from_=begun, through=begun, hours=11, codes=("1.2", "3.4"))
            yield at(Person.EntryRecorded, people, i, entry=f"E{i + 2}", fact=fact, title="Attachment in practice")
        yield at(Application.Started, case, 4, person=person, association=home, category="IFS")
        yield at(Application.Submitted, case, 30, edition="FS-2023", entries=("E2", "E3", "E4"), tally=Tally(33, 2),
                 person_version=4)  # fmt: skip
        for reviewer in ("IMHS-11111111", "IMHS-22222222"):
            yield at(Application.ReviewerAssigned, case, 31, reviewer=reviewer, person="ab" * 16, held="IMHS")
            yield at(Application.ReviewRecommended, case, 40, reviewer=reviewer, outcome="approve", held="IMHS")
        yield at(Application.Approved, case, 50, edition="FS-2023", number=number, person=person)
        yield at(Endorsement.Awarded, held, 50, number=number, person=person, category="IFS", association=home,
                 application=application, edition="FS-2023", through=through)  # fmt: skip
    yield from certificate(50, ctis[0], "", through, "awarded")
    yield at(Endorsement.Renewed, held, 700, cycle=2025, edition="R-2025", through=date(2028, 12, 31),
             attested=ATTESTED)  # fmt: skip
    yield from certificate(700, ctis[1], ctis[0], date(2028, 12, 31), "renewed")
    if n % 6 == 0:
        transfer = f"transfer/{random.randbytes(16).hex()}"
        to = "CT" if home != "CT" else "VA"
        numbers = (number,)
        yield at(Transfer.Requested, transfer, 800, person=person, from_=home, to=to, endorsements=numbers)
        yield at(Transfer.StandingConfirmed, transfer, 801, standings={number: "active"})
        yield at(Transfer.MembershipVerified, transfer, 802, association=to, through=date(2026, 12, 31))
        yield at(Transfer.Accepted, transfer, 803, endorsements=numbers)
        yield at(Transfer.Completed, transfer, 803, endorsements=numbers)
        yield at(Endorsement.CustodyTransferred, held, 803, from_=home, to=to, transfer=transfer.partition("/")[2])
        yield from certificate(803, ctis[2], ctis[1], date(2028, 12, 31), "transferred")


def fill(settings: Settings, vault: Vault, events: int) -> int:
    """COPY a made-up history into the store, as the superuser; how many events there are."""
    mapper, random, position = EventMapper(), Random(1), 0
    with psycopg.connect(database.address(settings)) as connection:
        (there,) = connection.execute("SELECT count(*) FROM registry.events").fetchone()
        if there:
            return there
        with connection.cursor().copy("COPY registry.events FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["text", "int8", "text", "bytea", "int8"])
            n = 0
            while position < events:
                batch = [event for n in range(n, n + 500) for event in life(random, n)]
                n += 500
                for event in vault.seal_all(batch):
                    stored = mapper.to_stored_event(event)
                    position += 1
                    copy.write_row(
                        (stored.originator_id, stored.originator_version, stored.topic, stored.state, position)
                    )
        connection.execute("ANALYZE registry.events")
    return position


def copied(connection: psycopg.Connection) -> float:
    """Seconds to read every event with COPY, row by row, and nothing else."""
    begun = time.perf_counter()
    with connection.cursor().copy(
        "COPY (SELECT * FROM registry.events ORDER BY notification_id) TO STDOUT (FORMAT binary)"
    ) as copy:
        copy.set_types(["text", "int8", "text", "bytea", "int8"])
        for _ in copy.rows():
            pass
    return time.perf_counter() - begun


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--home", type=Path, help="keep the database here")
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-rebuild-") as folder:
        Path(folder).chmod(0o755)
        settings = Settings(home=asked.home or Path(folder), master_key=bytes(32))
        database.migrate(settings)
        vault = Vault(settings)
        try:
            events = fill(settings, vault, asked.events)
            with psycopg.connect(database.url(settings, "projector"), autocommit=True) as connection:
                reads, rebuilds = [], []
                for _ in range(asked.rounds):
                    reads.append(copied(connection))
                    engine = Engine(EventMapper().load, vault.open_all)
                    rebuilds.append(engine.rebuild(connection).seconds)
                    # A vault forgets its keys after seconds; a rebuild never finds them at hand.
                    vault._keys.clear()
        finally:
            vault.close()
            if asked.home is None:
                database.stop(settings)
    read, rebuilt = median(reads), median(rebuilds)
    found = {
        "events": events,
        "rebuild_seconds": round(rebuilt, 3),
        "rebuild_events_per_second": round(events / rebuilt),
        "copy_seconds": round(read, 3),
        "copy_events_per_second": round(events / read),
        "ratio": round(rebuilt / read, 2),
    }
    print(json.dumps(found) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    if events / rebuilt < 50_000:
        print("below 50,000 events/s", file=sys.stderr)


if __name__ == "__main__":
    main()
