"""A person who moved from Virginia to Connecticut, in a published log; and how a bundle of it is taken and checked."""

from datetime import UTC, date, datetime

import pytest
from faces import Views, registry

from domain.access import OPERATOR, Actor
from domain.application import Application
from domain.endorsement import Endorsement, Stands
from domain.policy import Attestation, Tally
from domain.transfer import Transfer
from registry import bundle
from registry.certificates.plane import Plane
from registry.commands import Act
from registry.log.published import Published
from registry.opening import open_keys
from verifier import keys
from verifier.bundle import Pins

__all__ = ["registry"]

ACT = Act(OPERATOR)
NUMBER = "IFS-7K3MQ9TD"
NAME, ADDRESS = "Siobhán Nguyễn-O’Brien", "siobhan@example.org"
VA, CT = Actor("coordinator", association="VA", id="k1"), Actor("coordinator", association="CT", id="k2")
ALLIANCE = Actor("alliance", association="ALLIANCE", id="k3")
HOURS = Attestation(training_hours=30, rsc_hours=24)


class Life:
    """What happened, and the bundles of it."""

    def __init__(self, settings, registry, views, reader) -> None:
        self.settings, self.registry, self.views, self.reader = settings, registry, views, reader
        self.keys = open_keys(settings)
        self.plane = Plane(settings.static, self.keys, host=settings.public_host, qr_host=settings.public_host)
        self.person = self.register(NAME, ADDRESS)
        self.award(NUMBER, self.person)
        self.move(NUMBER, self.person, "t1")

    def register(self, name, email):
        made = self.registry.register_person(ACT, name=name, residence="VA", email=email)
        return made.events[0].originator_id.partition("/")[2]

    def record(self, stream, *facts, after=0):
        kinds = [
            kind(originator_id=stream, originator_version=version, by="coordinator:VA:k1", **more)
            for version, (kind, more) in enumerate(facts, start=after + 1)
        ]
        return self.registry.store.record(kinds)

    def award(self, number, person):
        on = date(2023, 3, 1)
        self.record(
            f"application/a-{number}",
            (Application.Started, {"on": on, "person": person, "association": "VA", "category": "IFS"}),
            (
                Application.Submitted,
                {"on": on, "edition": "FS-2023", "entries": (), "tally": Tally(training=33), "person_version": 1},
            ),
            (Application.ReviewerAssigned, {"on": on, "reviewer": "IMHS-1", "person": "r1", "held": "IMHS"}),
            (Application.ReviewRecommended, {"on": on, "reviewer": "IMHS-1", "outcome": "approve", "held": "IMHS"}),
            (Application.Approved, {"on": on, "edition": "FS-2023", "number": number, "person": person}),
        )
        through, inactive = date(2024, 12, 31), {"reason": "move", "until": date(2027, 5, 31)}
        ended = Stands("active", date(2025, 6, 1), date(2027, 12, 31))
        self.record(
            f"endorsement/{number}",
            (
                Endorsement.Awarded,
                {
                    "on": on, "number": number, "person": person, "category": "IFS", "association": "VA",
                    "application": f"a-{number}", "edition": "FS-2023", "through": through,
                },
            ),
            (Endorsement.AddOnGranted, {"on": date(2023, 5, 1), "add_on": "EERS", "until": date(2025, 5, 1)}),
            (
                Endorsement.Renewed,
                {
                    "on": date(2024, 10, 15), "cycle": 2024, "edition": "renewal-2023", "through": date(2027, 12, 31),
                    "attested": HOURS,
                },
            ),
            (Endorsement.MadeInactive, {"on": date(2025, 5, 31), **inactive}),
            (Endorsement.Reactivated, {"on": date(2025, 8, 1), "through": date(2027, 12, 31)}),
            (
                Endorsement.Corrected,
                {"on": date(2025, 9, 1), "corrects": 5, "reason": "wrong_day", "newest": ended, "recorded": ended,
                 "day": date(2025, 6, 1)},
            ),
        )  # fmt: skip

    def move(self, number, person, name):
        sides, numbers = {"from_": "VA", "to": "CT"}, (number,)
        self.record(
            f"transfer/{name}",
            (Transfer.Requested, {"on": date(2026, 2, 2), "person": person, **sides, "endorsements": numbers}),
            (Transfer.StandingConfirmed, {"on": date(2026, 2, 9), "standings": {number: "active"}}),
            (
                Transfer.MembershipVerified,
                {"on": date(2026, 2, 20), "association": "CT", "through": date(2026, 12, 31)},
            ),
            (Transfer.Accepted, {"on": date(2026, 3, 2), "endorsements": numbers}),
            (Transfer.Completed, {"on": date(2026, 3, 2), "endorsements": numbers}),
        )  # fmt: skip
        moved = {"on": date(2026, 3, 2), "from_": "VA", "to": "CT", "transfer": name}
        self.record(f"endorsement/{number}", (Endorsement.CustodyTransferred, moved), after=6)

    def publish(self):
        self.views.catch_up()
        self.plane.publish(self.reader, datetime(2026, 6, 1, 12, tzinfo=UTC))
        return Published.of(self.settings.static)

    def take(self, actor=OPERATOR, *, most=10_000, search=False, **asked):
        asked = bundle.Asked(**(asked or {"number": NUMBER}))
        return bundle.take(
            self.registry, self.keys, Published.of(self.settings.static), self.reader, actor, asked, most=most,
            search=search,
        )  # fmt: skip

    def pins(self, **more):
        ring = keys.read_keys_json((self.settings.static / "keys.json").read_bytes())
        return Pins(logs=ring.logs, ring=ring, checkpoint=(self.settings.static / "checkpoint").read_bytes(), **more)


@pytest.fixture
def lived(settings, registry, store, vault, connect):
    life = Life(settings, registry, Views(store, vault, connect("projector")), connect("reader"))
    life.publish()
    return life


class Sample:
    """One bundle for the Alliance, and what its static plane pins: bytes, so that many tests can share them."""

    content: bytes = b""
    pins: Pins
    keys_json: bytes


@pytest.fixture
def sample(request):
    if not Sample.content:
        life = request.getfixturevalue("lived")
        Sample.content, Sample.pins = life.take(ALLIANCE).content, life.pins()
        Sample.keys_json = (life.settings.static / "keys.json").read_bytes()
    return Sample


@pytest.fixture
def taken(sample):
    return sample.content


@pytest.fixture
def pins(sample):
    return sample.pins


@pytest.fixture
def static(tmp_path, sample):
    """Of a static plane what a bundle is checked with."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "checkpoint").write_bytes(sample.pins.checkpoint)
    (folder / "keys.json").write_bytes(sample.keys_json)
    return folder
