"""People whose awards came in an association's files: two thirds of the world, with short histories here."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from domain.association import ALLIANCE
from domain.category import CATEGORIES
from domain.editions import next_due, renewal_window
from domain.endorsement import Endorsement, LateFee, ReportedStanding
from domain.person import Person
from domain.policy import Attestation
from registry.commands.applications import is_member
from registry.importing import Importer, Tally
from registry.roster import Roster, Row
from registry.world.life import EARLY_CHILDHOOD, Kind, Life, Thread
from registry.world.memory import Keys
from registry.world.places import PLACES, TAKEN_OVER, TAKES_OVER

if TYPE_CHECKING:
    from registry.world.world import World

FIRST_CYCLE = 2024
"""The year from which renewals come every third year, nearly everywhere (NE-POL, TX-REN2)."""
MOST = 6
"""Events of an imported person."""

_WEIGHTS = {"FA": 20, "FS": 48, "MHS": 22, "MHM-C": 8, "MHM-P": 1, "MHM-RF": 1}


def draw_category(life: Life, offers: tuple[str, ...], on: date) -> str:
    early = on >= EARLY_CHILDHOOD and "ECFA" in offers and life.chance(0.27)
    slot = life.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    return next(
        category.code
        for category in CATEGORIES.values()
        if category.slot == slot and (category.credential == "ECMH-E") == early
    )


def good_through(on: date, association: str) -> date:
    """The last good day an association's own file gives: the end of the term that a day is in."""
    return renewal_window(on, association)[1]


def reported_through(through: date, association: str, terms: int) -> date:
    """The end of a later term; a later file may be some years later, but not past the first cycle."""
    for _ in range(terms):
        through = next_due(through, association)
        if through.year >= FIRST_CYCLE:
            break
    return through


def window_open(endorsement: Endorsement, on: date) -> bool:
    """Whether a day is in a window of renewal; an edition that changes may close one early."""
    opens, last = renewal_window(on, endorsement.custodian)
    return opens <= on <= last and endorsement.through < next_due(last, endorsement.custodian)


def attestation(life: Life) -> Attestation:
    """More than any rule asks of anybody."""
    return Attestation(
        training_hours=45 + life.many(0, 30), rsc_hours=36 + life.many(0, 12), rsc_provision_hours=15, dei_hours=3,
        membership=True, ethics=True, no_sanction=True,
    )  # fmt: skip


def late_fee(endorsement: Endorsement, on: date) -> LateFee | None:
    return "paid" if endorsement.late_fee(on) else None


def keep_membership(life: Life, endorsement: Endorsement) -> None:
    """Where none is on record with the custodian, it records one of this year: renewing takes one (R19)."""
    custodian, on = endorsement.custodian, life.today
    if not is_member(life.memory.get(Person, endorsement.person), custodian, on):
        life.registry.record_membership(
            life.act(life.coordinator(custodian)), endorsement.person, association=custodian,
            from_=date(on.year, 1, 1), through=date(on.year, 12, 31),
        )  # fmt: skip


class Imported(Life):
    """From a file: perhaps a certificate, a later file's word, a renewal, and often the end."""

    def __init__(self, world: World, number: int, kind: Kind, keys: Keys) -> None:
        super().__init__(world, number, kind, keys)
        self.arrives = kind.arrives or self.draw_arrival()
        self.category = kind.category or draw_category(self, PLACES[self.home].row.offers, self.arrives)
        self.number_ = ""
        self.residence = PLACES[self.home].residence
        self.address = self.email

    def draw_arrival(self) -> date:
        """More and more each year: a quarter of all by 2016, half by 2021 (`domain.md` 9.1)."""
        since = PLACES[self.home].opens
        span = max(30, (self.world.last - since).days - 90)
        return since + timedelta(days=int(span * self.random.random() ** 0.45))

    @property
    def endorsement(self) -> Endorsement:
        return self.memory.get(Endorsement, self.number_)

    @property
    def room(self) -> int:
        """How many events there may still be, the last of them a lapse."""
        return MOST - 1 - self.recorded

    def story(self) -> Thread:
        yield self.arrives
        if self.chance(0.02) and (office := self.world.server(self, "office", lambda _: True, self.today)):
            self.address = office.email
        fate = self.random.random()
        through = good_through(self.today, self.home)
        standing: ReportedStanding = "lapsed" if fate < 0.03 else "inactive" if fate < 0.05 else "active"
        self.report(standing, self.today - timedelta(days=1) if standing == "lapsed" else through)
        self.answer_likeness()
        if standing == "active" and (through >= self.world.last or self.chance(0.3)):
            yield min(self.later(2, 40), through)
            self.certificate()
        while self.endorsement.state == "active" and (through := self.endorsement.through) < self.world.last:
            yield from self.year_end(through)
        if self.recorded < 3:
            yield self.later(5, 40)
            self.settle()

    def answer_likeness(self) -> None:
        """Two names at one address, an office's: they are two people."""
        for other in list(self.memory.get(Person, self.person).likenesses):
            self.registry.settle_likeness(self.act(self.coordinator()), self.person, other, same=False)

    def year_end(self, through: date) -> Thread:
        """What happens before the last good day: a renewal, a later file's word, or nothing and then a lapse."""
        fate = self.random.random()
        window = renewal_window(through, self.home)
        if self.today >= through:
            fate = 1.0
        if fate < 0.5 and through == window[1] and self.room >= 3 + (next_due(through, self.home) < self.world.last):
            yield self.between(window[0], through)
            if window_open(self.endorsement, self.today):
                self.renew()
            else:
                self.report("active", self.further(through))
        elif fate < 0.85 and self.room >= 1:
            yield self.between(max(self.today, through - timedelta(days=80)), through)
            if self.room >= 2 and self.chance(0.05):
                self.address = f"new.{self.address}"
            self.report("active", self.further(through))
        elif fate < 0.88 and self.room >= 1:
            yield self.between(self.today, through)
            self.leave()
        else:
            yield self.night_after(through)
            self.registry.record_lapse(self.number_)

    def night_after(self, day: date) -> datetime:
        return self.night(day + timedelta(days=1))

    def further(self, through: date) -> date:
        return reported_through(through, self.home, self.many(1, 6))

    def leave(self) -> None:
        """Archived by the holder, or made inactive."""
        if self.chance(0.5):
            self.registry.archive(self.act(self.holder), self.number_)
        else:
            self.registry.make_inactive(self.act(self.coordinator()), self.number_, reason="job_change")

    def settle(self) -> None:
        """Something at least happened to everybody."""
        if self.endorsement.standing(self.today) == "active" and self.chance(0.5):
            self.certificate()
        else:
            self.registry.choose_publication(self.act(self.holder), self.person, listed=False)

    # --- deeds

    def report(self, standing: ReportedStanding, through: date) -> None:
        """A row of the association's file of this year."""
        if not self.number_:
            self.awarded = self.between(max(PLACES[self.home].since, self.today - timedelta(days=900)), self.today)
        row = Row(
            number=self.number + 2,
            record=f"{self.home}-{self.number:05d}",
            association=self.home,
            name=self.name,
            credentials=self.credentials,
            email=self.address,
            category=self.category,
            awarded_on=self.awarded,
            through=max(through, self.awarded),
            standing=standing,
            residence=self.residence,
        )
        digest = hashlib.sha256(f"{self.world.seed}/{self.home}/{self.today.year}".encode()).hexdigest()
        roster = Roster(digest, self.today, count=1, duplicates=0, rows=[row], errors=[], warnings=[])
        Importer(self.registry, self.coordinator(), roster).take(row, Tally())
        if not self.number_:
            registered, imported = self.memory.history[0], self.memory.history[-1]
            self.person = registered.originator_id.partition("/")[2]
            self.number_ = imported.originator_id.partition("/")[2]

    def certificate(self) -> None:
        self.registry.issue_certificate(self.act(self.coordinator()), self.number_)

    def renew(self) -> None:
        keep_membership(self, self.endorsement)
        fee = late_fee(self.endorsement, self.today)
        self.registry.renew(self.act(self.holder), self.number_, attestation(self), late_fee=fee)


class Handed(Imported):
    """One whose endorsement passes to or from the Alliance with a licence."""

    def story(self) -> Thread:
        passes = (PLACES[self.home].ends or TAKEN_OVER) + timedelta(days=2)
        if self.home == TAKES_OVER:
            self.home = ALLIANCE  # until then
        yield self.arrives
        self.report("active", date(passes.year, 12, 31))
        yield self.night(passes)
        self.registry.settle_custody_of(self.number_)
        self.home = self.endorsement.custodian
        yield self.night_after(self.endorsement.through)
        self.registry.record_lapse(self.number_)


class Server(msgspec.Struct, frozen=True):
    """An endorsed person others can count on, from a day through a day: as a reviewer, rater, provider of RSC."""

    number: str
    person: str
    name: str
    email: str
    category: str
    association: str
    since: date
    through: date

    @property
    def slot(self) -> str:
        return CATEGORIES[self.category].slot


class Founder(Imported):
    """One who serves some years: reviews, provides RSC, rates; then steps back and lapses."""

    def story(self) -> Thread:
        yield self.arrives
        self.report("active", good_through(self.today, self.home))
        self.registry.record_reviewer_training(self.act(self.coordinator()), self.person)
        enough = date(self.arrives.year + 5, 1, 1)
        while (through := self.endorsement.through) < self.world.last:
            if self.room and through < enough:
                yield self.between(max(self.today, through - timedelta(days=60)), through)
                self.report("active", self.further(through))
            else:
                yield self.night_after(through)
                self.registry.record_lapse(self.number_)
                return
        if self.recorded < 3:
            yield self.later(2, 20)
            self.certificate()

    def further(self, through: date) -> date:
        return reported_through(through, self.home, 3)

    def serves(self) -> Server:
        since, through = self.arrives + timedelta(days=1), self.endorsement.through
        return Server(self.number_, self.person, self.name, self.email, self.category, self.home, since, through)
