"""A life: what happens to one person when, told as threads that wait for days and then do a deed."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from domain.access import OPERATOR, Actor
from domain.association import INFANT, Row, today
from domain.competency import OURS
from domain.editions import EDITIONS
from domain.event import LateReason
from domain.key import Key
from registry.commands import Act
from registry.world import names
from registry.world.memory import Deeds, Keys, Memory
from registry.world.places import PAUSES, PLACES, TAKEN_OVER, TAKES_OVER

if TYPE_CHECKING:
    from registry.world.world import World

T = TypeVar("T")
Thread = Iterator[date | datetime]
"""Yields the day (or the moment) at which it goes on."""

ALLIANCE = Actor("alliance", id="k1")
_HALF_AN_HOUR = 1_800_000_000  # in microseconds, as the others
_TEN_PAST, _EIGHT, _TEN_HOURS = _HALF_AN_HOUR // 3, 16 * _HALF_AN_HOUR, 20 * _HALF_AN_HOUR
EARLY_CHILDHOOD = date(2017, 1, 1)
"""Since when there are early-childhood categories, about (`domain.md` 0.1)."""
_COORDINATORS_STAY = 4  # years


class Kind(NamedTuple):
    """What a number stands for: who lives that life, and where; as what and since when, unless chance says."""

    life: type[Life]
    home: str
    category: str = ""
    arrives: date | None = None

    def begin(self, world: World, number: int, keys: Keys) -> Life:
        return self.life(world, number, self, keys)


class Life:
    """One person and their clock. `number` tells lives apart: all chance of a life comes from the seed and it."""

    people = 1
    """Whose life it is."""

    def __init__(self, world: World, number: int, kind: Kind, keys: Keys) -> None:
        self.world = world
        self.number = number
        self.kind = kind
        self.home = kind.home
        self.random = Random(f"{world.seed}/{number}")
        self.now = world.begin
        self.made_keys = keys
        keys.begin(self.random.randbytes)
        self.memory = Memory(keys, world.past, random=self.random.randbytes, clock=self.clock)
        self.registry = Deeds(
            self.memory, clock=self.clock, draw=self.random.randbytes, kid=lambda: world.kid(self.now)
        )
        self.person = ""
        self.first = self.choose(names.FIRST)
        self.last = self.choose(names.LAST)
        self.credentials = self.choose(names.CREDENTIALS)
        self.over = False
        self._today: tuple[datetime, str, date] = (self.now, "", date.min)
        self._agenda: list[tuple[datetime, int, Thread]] = []
        self._order = count()

    # --- time

    def clock(self) -> datetime:
        return self.now

    @property
    def today(self) -> date:
        """The day it is at home."""
        now, home, day = self._today
        if now is not self.now or home != self.home:
            day = today(PLACES[self.home].row, self.now)
            self._today = (self.now, self.home, day)
        return day

    def day(self, on: date) -> datetime:
        """Some moment of office hours of a day at home."""
        return self._local(on, _EIGHT, _TEN_HOURS)

    def night(self, on: date) -> datetime:
        """Soon after midnight, when the worker looks."""
        return self._local(on, _TEN_PAST, _HALF_AN_HOUR)

    def _local(self, on: date, first: int, span: int) -> datetime:
        return _midnight(PLACES[self.home].row.zone, on) + timedelta(microseconds=first + self.below(span))

    def later(self, least: int, most: int) -> date:
        """A day so many days from today."""
        return self.today + timedelta(days=self.many(least, most))

    def between(self, first: date, last: date) -> date:
        return first + timedelta(days=self.below(max(0, (last - first).days) + 1))

    # --- threads

    def story(self) -> Thread:
        """The whole of it."""
        raise NotImplementedError

    def start(self, thread: Thread) -> None:
        """Let a thread run until it waits."""
        self._go_on(thread)

    def live(self, *threads: Thread) -> None:
        """Run these, and what they start, until all have ended or the history has."""
        for thread in threads:
            self.start(thread)
        while self._agenda and not self.over:
            moment, _, thread = heapq.heappop(self._agenda)
            if moment >= self.world.end:
                return
            self.now = max(moment, self.now + timedelta(seconds=self.many(20, 900)))
            self.made_keys.moment = self.now
            self._go_on(thread)

    def _go_on(self, thread: Thread) -> None:
        if (until := next(thread, None)) is not None:
            moment = until if isinstance(until, datetime) else self.day(until)
            heapq.heappush(self._agenda, (moment, next(self._order), thread))

    def forget(self) -> None:
        """When all is taken over: a life is full of circles, and the collector is slow."""
        self.__dict__.clear()

    # --- chance

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def choose(self, among: Sequence[T]) -> T:
        return among[int(self.random.random() * len(among))]

    def below(self, number: int) -> int:
        """From 0 on; much faster than `randrange`, and even enough for stories."""
        return int(self.random.random() * number)

    def many(self, least: int, most: int) -> int:
        return least + int(self.random.random() * (most - least + 1))

    # --- who acts

    @property
    def holder(self) -> Actor:
        return Actor("holder", person=self.person, id=f"s{self.number}")

    def coordinator(self, association: str = "", second: int = 0) -> Actor:
        """Who sits at the desk of an association in these years; `second`: a colleague."""
        code = association or self.home
        term = (self.now.year - 2000) // _COORDINATORS_STAY + second
        return Actor("alliance" if code == "ALLIANCE" else "coordinator", code, id=f"k{term}")

    def act(self, actor: Actor, on: date | None = None, late: LateReason | None = None) -> Act:
        """`on`: a past day, and why it is recorded only now."""
        return Act(actor, on=on, late=late)

    # --- the person

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def email(self) -> str:
        return f"p{self.number}@example.org"

    def register(self) -> None:
        recorded = self.registry.register_person(
            self.act(self.coordinator()),
            name=self.name,
            residence=PLACES[self.home].residence,
            credentials=self.credentials,
            email=self.email,
        )
        self.person = recorded.events[0].originator_id.partition("/")[2]

    @property
    def recorded(self) -> int:
        """How many events there are."""
        return len(self.memory.history)

    def offers(self) -> tuple[str, ...]:
        return self.registry.association(self.home).offers(self.today)


@functools.lru_cache(maxsize=100_000)
def _midnight(zone: str, on: date) -> datetime:
    return datetime.combine(on, time(0), ZoneInfo(zone)).astimezone(UTC)


def first_edition(slot: str) -> date:
    """The first day on which a slot can be applied for."""
    return min((e.effective for e in EDITIONS if e.slot == slot), default=date.max)


class Opening(Life):
    """Not a person: the keys as they are published and the associations as they are admitted."""

    people = 0

    def story(self) -> Thread:
        self.start(self.keys())
        yield from self.associations()

    def keys(self) -> Thread:
        """A certificate key retires when the next one takes over."""
        present: Key | None = None
        for facts in self.world.facts:
            yield facts.start
            key = Key(facts.kid)
            key.publish(
                facts.use, facts.public, facts.controller, start=facts.start, specimen=facts.specimen,
                on=self.today, by=OPERATOR.by,
            )  # fmt: skip
            self.memory.save(key)
            if facts.use == "certificate":
                if present:
                    present.retire(until=facts.start, on=self.today, by=OPERATOR.by)
                    self.memory.save(present)
                present = key

    def associations(self) -> Thread:
        """Admitted one after the other; what happens to each is a thread of its own."""
        for code, place in sorted(PLACES.items(), key=lambda item: item[1].since):
            self.home = code
            yield place.since
            self.admit(code)
            self.start(self.names(code))
            self.start(self.categories(code))
            self.start(self.desk(code))
            self.start(self.licence(code))

    def admit(self, code: str) -> None:
        """Under its first name and, before there were others, with the infant categories."""
        row = PLACES[code].row
        facts = {name: getattr(row, name) for name in Row.__struct_fields__ if name not in ("code", "formerly")}
        if row.formerly and row.formerly[0].through >= self.today:
            facts |= {"name": row.formerly[0].name, "abbreviation": row.formerly[0].abbreviation}
        if self.today < EARLY_CHILDHOOD:
            facts["offers"] = tuple(category for category in row.offers if category in INFANT)
        self.registry.admit(self.act(OPERATOR), code, facts)

    def names(self, code: str) -> Thread:
        for former in PLACES[code].row.formerly:
            if former.through >= self.today:
                yield former.through + timedelta(days=1)
                row = PLACES[code].row
                self.registry.rename_association(self.act(OPERATOR), code, name=row.name, abbreviation=row.abbreviation)

    def categories(self, code: str) -> Thread:
        """Early-childhood categories from 2017 on, in Virginia from 2023 (VA-STUDY); one is given up again."""
        early = [category for category in PLACES[code].row.offers if category not in INFANT]
        if early and self.today < EARLY_CHILDHOOD:
            yield EARLY_CHILDHOOD if code != "VA" else date(2023, 1, 9)
            for category in early:
                self.registry.offer_category(self.act(ALLIANCE), code, category=category)
        if code == PAUSES:
            yield date(2025, 5, 12)
            self.registry.withdraw_category(self.act(ALLIANCE), code, category="IMHM-RF")

    def desk(self, code: str) -> Thread:
        """Coordinators come and go."""
        if code == "ALLIANCE":
            return
        while True:
            present = self.coordinator(code).id
            self.registry.appoint_coordinator(self.act(OPERATOR), code, coordinator=present)
            if PLACES[code].weight < 200 and code != PAUSES:
                return
            yield date(self.today.year + _COORDINATORS_STAY - self.today.year % _COORDINATORS_STAY, 1, 6)
            self.registry.stand_down_coordinator(self.act(OPERATOR), code, coordinator=present)

    def licence(self, code: str) -> Thread:
        act = self.act(ALLIANCE)
        if code == PAUSES:
            yield self.later(10, 10)
            self.registry.suspend_licence(act, code, reason="no_coordinator")
            yield self.later(30, 30)
            self.registry.resume_licence(act, code)
            yield self.later(200, 200)
            self.registry.change_reviewers(act, code, reviewers=2)
        elif code == TAKES_OVER:
            yield TAKEN_OVER
            self.registry.take_over_people(act, code)
        elif ends := PLACES[code].ends:
            yield ends
            self.registry.end_licence(act, code, reason="fidelity")
            yield self.later(300, 300)
            self.registry.grant_licence(act, code, licence="guidelines")
        elif code == "MI":
            yield date(2019, 9, 2)
            labels = {area.code: area.label for area in OURS.areas}
            slots = {area.code: area.slots for area in OURS.areas}
            self.registry.load_competencies(self.act(self.coordinator("MI")), code, labels=labels, slots=slots)
