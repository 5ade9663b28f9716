"""A life: what happens to one person when, told as threads that wait for days and then do a deed."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from domain.access import OPERATOR, Actor
from domain.association import Association
from domain.editions import EDITIONS
from domain.event import LateReason
from domain.key import Key
from registry.commands import Act, Registry
from registry.world import names
from registry.world.memory import Keys, Memory
from registry.world.places import PLACES

if TYPE_CHECKING:
    from registry.world.world import World

T = TypeVar("T")
Thread = Iterator[date | datetime]
"""Yields the day (or the moment) at which it goes on."""

ALLIANCE = Actor("alliance", id="k1")
_COORDINATORS_STAY = 4  # years


class Over(Exception):
    """The history ends before this moment."""


class Life:
    """One person and their clock. `number` tells lives apart: all chance of a life comes from the seed and it."""

    def __init__(self, world: World, number: int, home: str, keys: Keys) -> None:
        self.world = world
        self.number = number
        self.home = home
        self.random = Random(f"{world.seed}/{number}")
        self.now = world.begin
        keys.begin(self.random.randbytes)
        self.memory = Memory(keys, world.past, random=self.random.randbytes, clock=self.clock)
        self.registry = Registry(
            self.memory, clock=self.clock, draw=self.random.randbytes, kid=lambda: world.kid(self.now)
        )
        self.person = ""
        self.first = self.choose(names.FIRST)
        self.last = self.choose(names.LAST)
        self.credentials = self.choose(names.CREDENTIALS)
        self.over = False
        self._agenda: list[tuple[datetime, int, Thread]] = []
        self._order = count()

    # --- time

    def clock(self) -> datetime:
        return self.now

    @property
    def today(self) -> date:
        """The day it is at home."""
        return self.now.astimezone(self.zone(self.home)).date()

    @staticmethod
    def zone(association: str) -> ZoneInfo:
        return ZoneInfo(PLACES[association].row.zone)

    def day(self, on: date) -> datetime:
        """Some moment of office hours of a day at home."""
        seconds = self.random.randrange(8 * 3600, 18 * 3600)
        return self._local(on, seconds)

    def night(self, on: date) -> datetime:
        """Soon after midnight, when the worker looks."""
        return self._local(on, 600 + self.random.randrange(1800))

    def _local(self, on: date, seconds: int) -> datetime:
        local = datetime.combine(on, time(0), self.zone(self.home)) + timedelta(seconds=seconds)
        return local.astimezone(UTC) + timedelta(microseconds=self.random.randrange(1_000_000))

    def later(self, least: int, most: int) -> date:
        """A day so many days from today."""
        return self.today + timedelta(days=self.random.randint(least, most))

    def between(self, first: date, last: date) -> date:
        return first + timedelta(days=self.random.randint(0, max(0, (last - first).days)))

    # --- threads

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
            self.now = max(moment, self.now + timedelta(seconds=self.random.randint(20, 900)))
            self._go_on(thread)

    def _go_on(self, thread: Thread) -> None:
        if (until := next(thread, None)) is not None:
            moment = until if isinstance(until, datetime) else self.day(until)
            heapq.heappush(self._agenda, (moment, next(self._order), thread))

    # --- chance

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def choose(self, among: Sequence[T]) -> T:
        return among[int(self.random.random() * len(among))]

    # --- who acts

    @property
    def holder(self) -> Actor:
        return Actor("holder", person=self.person, id=f"s{self.number}")

    def coordinator(self, association: str = "", second: int = 0) -> Actor:
        """Who sits at the desk of an association in these years; `second`: a colleague."""
        code = association or self.home
        term = (self.now.year - 2000) // _COORDINATORS_STAY + second
        return Actor("alliance", id=f"k{term}") if code == "ALLIANCE" else Actor("coordinator", code, id=f"k{term}")

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
        return self.registry.association(self.home).row.offers


def first_edition(slot: str) -> date:
    """The first day on which a slot can be applied for."""
    return min((e.effective for e in EDITIONS if e.slot == slot), default=date.max)


class Opening(Life):
    """Not a person: the keys as they are published and the associations as they are admitted."""

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

    def admissions(self) -> Thread:
        for code, place in sorted(PLACES.items(), key=lambda item: item[1].since):
            self.home = code
            yield place.since
            association = Association(code)
            association.admit(place.row, on=self.today, by=ALLIANCE.by)
            self.memory.save(association)
