"""Five thousand endorsed people in a published log, made in bulk, and a roster of them with forty problems."""

from collections import Counter
from datetime import UTC, date, datetime
from random import Random

import psycopg
from grounds import MASTER_KEY, MovingClock

from domain.association import ROWS, Association
from domain.endorsement import Endorsement, Source, new_number
from domain.person import Person
from projections.engine import Engine
from registry import database
from registry.certificates import qr
from registry.certificates.keys import announce
from registry.commands import Registry
from registry.opening import open_keys, open_plane
from registry.roster_check import RosterChecker
from registry.settings import Settings
from registry.store import Store
from registry.vault import Vault

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = NOON.date()
BEGAN = datetime(2024, 1, 2, 12, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, 17, tzinfo=UTC)
THROUGH = date(2028, 12, 31)
PEOPLE = 5_000
_BATCH = 2_000
_FIRST = ("Abena", "Léa", "Joaquín", "Ngọc", "Siobhán", "Marisol", "Tāne", "Zelda", "Ruth", "Ottilie")
_LAST = ("Okafor", "O’Dowd", "Quiñones", "Sørensen", "Vasquez-Lund", "Nakamura", "Van der Meer", "Zielińska")


class Held:
    """One endorsement and its holder; `issued`: where and as what its certificate is in the log."""

    def __init__(self, place, draw):
        self.person = f"p{place:05d}"
        self.number = new_number("IFS", draw)
        self.name = f"{_FIRST[place % 10]} {_LAST[place // 10 % 8]} {chr(65 + place // 80 % 26)}{place:04d}"
        self.cti = draw(16).hex()
        self.through = THROUGH
        self.issued = None


class Crowd:
    """The registry with all of them; the last ten have been out of time for months."""

    def __init__(self, home, address):
        self.clock = MovingClock(LONG_AGO)
        self.draw = Random(20260601).randbytes
        self.settings = Settings(home=home, database_url=address, master_key=MASTER_KEY)
        self.vault = Vault(self.settings, random=self.draw, clock=self.clock)
        self.store = Store(self.settings, self.vault, random=self.draw, clock=self.clock)
        self.keys = open_keys(self.settings)
        self.keys.init(self.settings.public_host, LONG_AGO, specimen=True, random=self.draw)
        self.registry = Registry(self.store, clock=self.clock, draw=self.draw, kid=self._kid)
        announce(self.store, self.keys, on=self.clock.today, by="operator")
        admitted = Association("VA")
        admitted.admit(ROWS["VA"], "endorsement", on=self.clock.today, by="operator")
        self.store.save(admitted)
        self.clock.set(NOON)
        self._versions = Counter()
        self.people = [Held(place, self.draw) for place in range(PEOPLE)]
        for held in self.people[-10:]:
            held.through = date(2025, 12, 31)
        self._award()

    def close(self):
        self.store.close()
        self.vault.close()

    def _kid(self):
        return self.keys.signer("certificate", self.clock()).kid

    def event(self, kind, stream, *, on=DAY, **facts):
        self._versions[stream] += 1
        version = self._versions[stream]
        return kind(originator_id=stream, originator_version=version, on=on, by="coordinator:VA:k1", **facts)

    def of(self, held, kind, **facts):
        return self.event(kind, f"endorsement/{held.number}", **facts)

    def _award(self):
        events = []
        for held in self.people:
            events.append(self.event(Person.Registered, f"person/{held.person}", residence="VA", name=held.name))
            events.append(
                self.of(
                    held, Endorsement.Imported, number=held.number, person=held.person, category="IFS",
                    association="VA", awarded_on=date(2019, 5, 3), through=held.through, standing="active",
                    source=Source("00" * 32, 1, held.number),
                )
            )  # fmt: skip
            events.append(self._issued(held))
        for start in range(0, len(events), _BATCH):
            self._record(events[start : start + _BATCH])

    def _issued(self, held, **facts):
        known = {
            "cti": held.cti, "number": held.number, "category": "IFS", "association": "VA", "valid_from": BEGAN,
            "through": held.through, "expires_at": datetime(held.through.year + 1, 1, 1, 4, 59, 59, tzinfo=UTC),
            "person": f"person/{held.person}", "person_version": 1, "why": "imported",
        }  # fmt: skip
        return self.of(held, Endorsement.CertificateIssued, **known | facts)

    def _record(self, events):
        by_number = {held.number: held for held in self.people}
        recorded = self.store.record(events)
        for position, event in zip(recorded.positions, events, strict=True):
            if isinstance(event, Endorsement.CertificateIssued) and not event.replaces:
                by_number[event.number].issued = position, event

    def text(self, held):
        """What the code on their paper says."""
        position, event = held.issued
        return qr.text(
            event, position, qr.printed(held.name), self.keys.signer("certificate", NOON),
            host=self.settings.public_host, qr_host=self.settings.qr_host, slot_key=self.keys.slot_key,
        )  # fmt: skip

    def becomes(self, held, kind, **facts):
        self._record([self.of(held, kind, **facts)])

    def replaced(self, held):
        """Another certificate for the same endorsement: their paper is superseded."""
        cti = self.draw(16).hex()
        self._record([self._issued(held, cti=cti, replaces=held.cti, why="corrected")])

    def befall(self):
        """To five each: removal, suspension, a new certificate. Then one chose not to be listed, one was erased."""
        removed, suspended, replaced = (self.people[start : start + 5] for start in (100, 200, 300))
        for held in removed:
            self.becomes(held, Endorsement.Removed, ground="fraud", proposed_by="other")
        for held in suspended:
            self.becomes(held, Endorsement.Suspended, reason="fraud_being_established")
        for held in replaced:
            self.replaced(held)
        unlisted, erased = self.people[400:402]
        self._record([self.event(Person.PublicationChosen, f"person/{unlisted.person}", listed=False)])
        self._record([self.event(Person.Erased, f"person/{erased.person}")])

    def publish(self):
        """The views up to date, and the static plane."""
        with psycopg.connect(database.url(self.settings, "projector"), autocommit=True) as connection:
            Engine(self.store.mapper.load, self.vault.open_all).rebuild(connection)
            open_plane(self.settings, self.keys).publish(connection, self.clock())

    def roster(self):
        """5,000 rows, texts and numbers in turn, and the forty that are wrong: the row, and the verdict it must get."""
        rows = [[held.number if at % 2 else self.text(held), held.name] for at, held in enumerate(self.people)]
        rows[400:402] = rows[502:504]  # of who is not shown; these stand there twice, and in order
        wrong = {}
        for places, verdict, change in (
            (range(100, 105, 2), "revoked", None),
            (range(101, 105, 2), "not_in_force", None),
            (range(200, 205, 2), "suspended", None),
            (range(201, 205, 2), "not_in_force", None),
            (range(300, 305, 2), "superseded", None),
            (range(4_990, 5_000, 2), "expired", None),
            (range(4_991, 5_000, 2), "not_in_force", None),
            (range(1_000, 1_004), "not_found", lambda _, name: (new_number("IFS", self.draw), name)),
            (range(1_101, 1_107, 2), "not_found", lambda text, _: (text, "Somebody Else")),
            (range(1_100, 1_106, 2), "name_differs", lambda text, _: (text, "Somebody Else")),
            (range(1_200, 1_206, 2), "tampered", lambda text, name: (text[:-17] + "0" * 17, name)),
            (range(1_300, 1_304, 2), "wrong_domain", lambda text, name: (text.replace("registry", "registr1"), name)),
            (range(1_400, 1_402), "unreadable", lambda _, name: ("IFS-0000000", name)),
        ):
            for at in places:
                rows[at] = list(change(*rows[at])) if change else rows[at]
                wrong[at + 2] = verdict  # the header is row 1
        return rows, wrong

    def checker(self):
        url = database.url(self.settings, "reader")
        return RosterChecker(self.settings, self.registry, self.keys, lambda: database.connection(url))
