"""The frame of a made-up world: its seed and its end, its keys, its people, and those whom others count on."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final

from domain.application import may_review
from domain.association import ALLIANCE
from domain.errors import Refused
from domain.policy import ReferenceSlot
from registry.certificates.keys import PublicFacts
from registry.world.applicant import Applicant
from registry.world.circle import MEMBERS, Circle, Leaver, NotTaken, Stranded, Supervisor
from registry.world.desk import DRAWN, Desk
from registry.world.imported import Founder, Handed, Imported, Server
from registry.world.life import Kind, Life, Opening
from registry.world.memory import Keys, Past
from registry.world.places import CIRCLE, ENDS, PLACES, TAKES_OVER

BEGIN: Final = date(2002, 1, 7)
_GENERATION: Final = 4  # years between those who step up
_DESIGNATED: Final = 300
"""From so many people on some lead in policy and research: three must judge each designation."""
_SPECIAL: Final = 6  # among the first so many, the one who applies lives another life
_CORE: Final = "MI"
_SERVING: Final = 155


class Unlawful(Exception):
    """A life wanted what the deeds refuse: a defect of the story, never of the rules."""


class World:
    """Everything the lives share. `until`: the day before which the history ends."""

    def __init__(self, people: int, seed: int, until: date, facts: list[PublicFacts]) -> None:
        self.people = people
        self.seed = seed
        self.begin = datetime.combine(BEGIN, time(15), UTC)
        self.end = datetime.combine(until, time(0), UTC)
        self.last = until - timedelta(days=1)
        self.past = Past()
        self.facts = facts
        self._kids = [(one.start, one.kid) for one in facts if one.use == "certificate"]
        self._serving: dict[tuple[str, str, int, int], list[Server]] = {}
        self._servers: dict[str, list[Server]] = {code: [] for code in PLACES}
        self.founders = list(self._founders())
        # The number of the first who came after the founders, and who they are.
        self.first = len(self.founders) + 1
        self.rest = list(self._after())

    # --- who there is

    def _founders(self) -> Iterator[Kind]:
        random = Random(f"{self.seed}/founders")
        core = 9 if self.people >= _DESIGNATED else 5
        whole = sum(place.weight for place in PLACES.values())
        for code, place in PLACES.items():
            year = place.opens.year
            size = self.people * place.weight / whole
            while date(year, 3, 1) < self.last - timedelta(days=60):
                categories = ["IMHM-C"] * max(core if code == _CORE else 0, round(size / 400))
                categories += ["IMHS", "IFS"] * round(size / 800)
                if code == _CORE and self.people >= _DESIGNATED:
                    categories += ["IMHM-P", "IMHM-RF"] * 3
                for category in categories:
                    earliest = place.opens if code == ALLIANCE else place.since
                    arrives = max(date(year, 2, 10), earliest) + timedelta(days=random.randrange(20))
                    yield Kind(Founder, code, category, arrives)
                year += _GENERATION
        if self.people >= _DESIGNATED:
            for home, year in ((TAKES_OVER, 2017), (ENDS, 2023)):
                for day in (2, 9):
                    yield Kind(Handed, home, "IFS", date(year, 11, day))
            yield Kind(Leaver, _CORE, "IFS", date(2024, 2, 12))
            yield Kind(NotTaken, _CORE, "ECFS", date(2021, 5, 3))
            for n in range(round(self.people / 300)):
                yield Kind(Supervisor, ("CT", "MI", "AZ")[n % 3], "IFRS", date(2023, 2, 6 + n % 20))

    def rank(self, number: int) -> int:
        """How many applied before whoever has this number."""
        applying, importing = self._rest()
        return (number - self.first) * applying // (applying + importing)

    def _rest(self) -> tuple[int, int]:
        """How many apply and how many come from files, of those after the founders."""
        applying = round(self.people / 3)
        circle = MEMBERS if self.examines() else 0
        return applying, max(0, self.people - applying - len(self.founders) - circle)

    def _after(self) -> Iterator[Kind]:
        """Whoever comes after the founders, by number; as many as are still missing."""
        random = Random(f"{self.seed}/people")
        codes, weights = list(PLACES), [place.weight for place in PLACES.values()]
        weights[codes.index(CIRCLE)] = 0
        applying, importing = self._rest()
        for n in range(applying + importing):
            # Spread, so that every shard has its part of both.
            applies = (n + 1) * applying // (applying + importing) > n * applying // (applying + importing)
            kind = Applicant if applies else Imported
            home = random.choices(codes, weights)[0]
            if applies and self.examines() and n < _SPECIAL:
                yield Kind(Circle, CIRCLE) if n < _SPECIAL // 2 else Kind(Stranded, ENDS, "IFS", date(2024, 5, 6))
                continue
            if home == ENDS:
                opens = PLACES[home].opens
                span = (date(2024, 1, 1) - opens).days
                yield Kind(
                    Handed, home, "IFS", max(opens, date(2023, 1, 9)) + timedelta(days=random.randrange(span) % 300)
                )
            else:
                yield Kind(kind, home)

    def open(self, keys: Keys) -> Iterator[Life]:
        """The associations and the founders, in this order; they are the past of everybody else."""
        opening = Opening(self, 0, Kind(Opening, _CORE), keys)
        opening.live(opening.story())
        self.past.add(opening.memory)
        yield opening
        for number, founder in enumerate(self.founders, start=1):
            life = founder.begin(self, number, keys)
            life.live(life.story())
            self.past.add(life.memory)
            if isinstance(life, Founder) and life.number_:
                self._servers[founder.home].append(life.serves())
            yield life

    def desks(self) -> Iterator[tuple[int, Kind]]:
        """What comes last, by number."""
        return enumerate((Kind(Desk, code) for code in DRAWN), start=self.first + len(self.rest))

    def again(self, number: int, keys: Keys) -> Life:
        """A life that was lived, once more and just the same."""
        before = number < self.first
        kind = self.founders[number - 1] if before else self.rest[number - self.first]
        life = kind.begin(self, number, keys)
        life.live(life.story())
        return life

    # --- what they share

    def kid(self, at: datetime) -> str:
        """The certificate key of a moment."""
        return self._kids[bisect.bisect_right(self._kids, (at, "~")) - 1][1]

    def server(
        self,
        life: Life,
        what: str,
        fit: Callable[[Server], bool],
        since: date,
        without: Collection[str] = (),
        among: Sequence[str] = (),
    ) -> Server | None:
        """Somebody of one's own association, else of another, who serves from a day on for four months.

        `what` names `fit`; `without`: people; `among`: associations, in this order.
        """
        for code in among or (life.home, _CORE):
            month = (code, what, since.year, since.month)
            if month not in self._serving:
                first = since.replace(day=1)
                until = first + timedelta(days=_SERVING)
                self._serving[month] = [
                    one for one in self._servers[code] if one.since <= first and until <= one.through and fit(one)
                ]
            found = self._serving[month]
            for _ in range(2 * len(without) + 1):
                if found and (one := life.choose(found)).person not in without:
                    return one
            if rest := [one for one in found if one.person not in without]:
                return life.choose(rest)
        return None

    def reviewer(self, life: Life, category: str, without: Collection[str], among: Sequence[str] = ()) -> Server | None:
        return self.server(life, category, lambda one: may_review(one.category, category), life.today, without, among)

    def scorer(self, life: Life, without: Collection[str]) -> str:
        """A person who scores exams: any mentor. Raises LookupError where there is none."""
        found = self.server(life, "exams", lambda one: one.slot.startswith("MHM"), life.today, without)
        if found is None:
            raise LookupError("nobody scores exams")
        return found.person

    def provider(self, life: Life, since: date) -> Server | None:
        """A provider of RSC under any rule: a clinical mentor."""
        return self.server(life, "RSC", lambda one: one.slot == "MHM-C", since)

    def rater(self, life: Life, slot: ReferenceSlot, without: Collection[str]) -> Server | None:
        """Somebody endorsed who fills a place among the references."""
        what = f"{slot.name} {slot.source}"
        fit = slot.endorsed_in or {"MHM-C"}
        return self.server(life, what, lambda one: one.slot in fit, life.today, without)

    def examines(self) -> bool:
        """Whether there are mentors enough to review, rate and score one another."""
        return self.people >= _DESIGNATED

    def elsewhere(self, life: Life, on: date) -> str | None:
        """Another association that is there already, the big ones more often."""
        there = {
            code: p.weight
            for code, p in PLACES.items()
            if p.opens < on and not p.ends and code not in (life.home, "ALLIANCE", CIRCLE)
        }
        return life.random.choices(list(there), list(there.values()))[0] if there else None


def lives(world: World, keys: Keys, first: int, kinds: list[Kind]) -> Iterator[Life]:
    """These lives, from a number on, each lived to its end."""
    for number, kind in enumerate(kinds, start=first):
        life = lived(kind.begin(world, number, keys))
        yield life
        life.forget()


def lived(life: Life) -> Life:
    try:
        life.live(life.story())
    except Refused as refused:
        raise Unlawful(f"life {life.number}, a {life.kind.life.__name__} on {life.today}: {refused}") from refused
    return life
