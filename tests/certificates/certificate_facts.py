"""Facts of one family specialist of Virginia and what can become of her endorsement; test keys from seeds."""

from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.association import ROWS, Association
from domain.endorsement import Endorsement, Source
from domain.person import Person
from domain.policy import Attestation
from registry.certificates.keys import FileSigner

HOST = "registry.example"
NUMBER = "IFS-7K3MQ9TD"
SLOT_KEY = sha256(b"endorsement-registry-test-vector:slots").digest()
DAY = date(2026, 6, 1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ATTESTED = Attestation(training_hours=33)


def seeded(label, use="certificate", host=HOST, *, specimen=False):
    from registry.certificates.keys import controller

    private = Ed25519PrivateKey.from_private_bytes(sha256(label.encode()).digest())
    return FileSigner(private, use, controller(use, host), specimen=specimen)


def cti(n):
    return f"{n:032x}"


class Story:
    """Events of streams that count their versions; `at` is the position the next one would get alone."""

    def __init__(self, number=NUMBER, person="p1", association="VA"):
        self.number = number
        self.person = person
        self.association = association
        self._versions = {}

    def event(self, kind, stream, *, on=DAY, by="va-coordinator", **facts):
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        return kind(originator_id=stream, originator_version=version, on=on, by=by, **facts)

    def of_endorsement(self, kind, **facts):
        return self.event(kind, f"endorsement/{self.number}", **facts)

    def admitted(self, code=None, **facts):
        row = ROWS[code or self.association]
        known = {name: getattr(row, name) for name in row.__struct_fields__}
        return self.event(Association.Admitted, f"association/{row.code}", licence="endorsement", **known | facts)

    def registered(self, name="Marisol Fernández-Okafor", **facts):
        return self.event(Person.Registered, f"person/{self.person}", residence="VA", name=name, **facts)

    def renamed(self, name):
        return self.event(Person.Renamed, f"person/{self.person}", name=name)

    def erased(self, on=DAY):
        return self.event(Person.Erased, f"person/{self.person}", on=on)

    def awarded(self, category="IFS", **facts):
        return self.of_endorsement(
            Endorsement.Awarded,
            number=self.number,
            person=self.person,
            category=category,
            association=self.association,
            application="a1",
            edition="2025-01",
            through=date(2028, 12, 31),
            **facts,
        )

    def imported(self, standing="active", through=date(2028, 12, 31), **facts):
        return self.of_endorsement(
            Endorsement.Imported,
            number=self.number,
            person=self.person,
            category="IFS",
            association=self.association,
            awarded_on=date(2019, 5, 3),
            through=through,
            standing=standing,
            source=Source("00" * 32, 1, "r1"),
            **facts,
        )

    def issued(self, n=1, replaces=0, why="awarded", through=date(2028, 12, 31), **facts):
        known = {
            "cti": cti(n),
            "number": self.number,
            "category": "IFS",
            "association": self.association,
            "valid_from": NOON,
            "through": through,
            "expires_at": datetime(through.year + 1, 1, 1, 4, 59, 59, tzinfo=UTC),
            "person": f"person/{self.person}",
            "person_version": 1,
            "why": why,
            "replaces": cti(replaces) if replaces else "",
        }
        return self.of_endorsement(Endorsement.CertificateIssued, **known | facts)

    def signed(self, kid, n=1):
        return self.of_endorsement(Endorsement.CertificateSigned, cti=cti(n), kid=kid)

    def renewed(self, through=date(2031, 12, 31), **facts):
        return self.of_endorsement(
            Endorsement.Renewed, cycle=2028, edition="2025-01", through=through, attested=ATTESTED, **facts
        )

    def lapsed(self, on=date(2029, 1, 1), **facts):
        return self.of_endorsement(Endorsement.Lapsed, through=date(2028, 12, 31), on=on, **facts)

    def made_inactive(self, **facts):
        return self.of_endorsement(Endorsement.MadeInactive, reason="illness", until=date(2028, 6, 1), **facts)

    def reactivated(self, **facts):
        return self.of_endorsement(Endorsement.Reactivated, through=date(2028, 12, 31), **facts)

    def reinstated(self, **facts):
        return self.of_endorsement(
            Endorsement.Reinstated,
            edition="2025-01",
            through=date(2031, 12, 31),
            attested=ATTESTED,
            audit_required=True,
            **facts,
        )

    def suspended(self, **facts):
        return self.of_endorsement(Endorsement.Suspended, reason="fraud_being_established", **facts)

    def lifted(self, standing="active", **facts):
        return self.of_endorsement(Endorsement.SuspensionLifted, standing=standing, **facts)

    def add_on(self, **facts):
        return self.of_endorsement(Endorsement.AddOnGranted, add_on="ERS", **facts)

    def removed(self, **facts):
        return self.of_endorsement(Endorsement.Removed, ground="fraud", proposed_by="other", **facts)

    def archived(self, **facts):
        return self.of_endorsement(Endorsement.Archived, **facts)

    def died(self, **facts):
        return self.of_endorsement(Endorsement.EndedByDeath, **facts)

    def emeritus(self, **facts):
        return self.of_endorsement(Endorsement.EmeritusGranted, **facts)

    def inactivity_ended(self, **facts):
        return self.of_endorsement(Endorsement.InactivityEnded, until=date(2026, 5, 31), **facts)

    def add_on_ended(self, **facts):
        return self.of_endorsement(Endorsement.AddOnEnded, add_on="EERS", until=date(2026, 5, 31), **facts)

    def converted(self, **facts):
        return self.of_endorsement(Endorsement.Converted, from_="IFRS", to="IFS", add_on="ERS", **facts)

    def corrected(self, events, corrects, **facts):
        """A correction of the fact of this version among these events, with what it comes to."""
        known = {"corrects": corrects, "reason": "wrong_record", **facts}
        on = known.pop("on", DAY)
        endorsement = Endorsement.fold(event for event in events if event.originator_id == f"endorsement/{self.number}")
        newest, recorded = endorsement._if_corrected(known, on, "va-coordinator").outcome
        return self.of_endorsement(Endorsement.Corrected, newest=newest, recorded=recorded, on=on, **known)

    def reported(self, standing, means="correction", through=date(2028, 12, 31), **facts):
        return self.of_endorsement(
            Endorsement.Reported,
            means=means,
            standing=standing,
            through=through,
            source=Source("00" * 32, 1, "r1"),
            **facts,
        )

    def transferred(self, to="CT", **facts):
        moved = self.of_endorsement(
            Endorsement.CustodyTransferred, from_=self.association, to=to, transfer="t1", **facts
        )
        self.association = to
        return moved


def rows(*events, start=1):
    """As the log would hold them, only with nothing before."""
    from registry.store import EventMapper

    mapper, numbers = EventMapper(), count(start)
    stored = [mapper.to_stored_event(event) for event in events]
    return [(next(numbers), str(one.originator_id), one.topic, one.state) for one in stored]
