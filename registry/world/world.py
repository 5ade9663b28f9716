"""The frame of a made-up world: its seed and its end, its keys, its people, and those whom others count on."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final, NamedTuple

from domain.application import may_review
from registry.certificates.keys import PublicFacts
from registry.world.applicant import Applicant
from registry.world.imported import Founder, Imported, Server
from registry.world.life import Life, Opening
from registry.world.memory import Keys, Past
from registry.world.places import EXAMPLES, PLACES

BEGIN: Final = date(2002, 1, 7)
_GENERATION: Final = 4  # years between those who step up
_DESIGNATED: Final = 300
"""From so many people on some lead in policy and research: three must judge each designation."""
_CORE: Final = "MI"


class Kind(NamedTuple):
    """What a number stands for: who lives that life, and where."""

    kind: type[Life]
    home: str
    category: str = ""
    arrives: date = date.min


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
        self._servers: dict[str, list[Server]] = {code: [] for code in PLACES}
        self.founders = list(self._founders())

    # --- who there is

    def _founders(self) -> Iterator[Kind]:
        random = Random(f"{self.seed}/founders")
        whole = sum(place.weight for place in PLACES.values())
        for code, place in PLACES.items():
            year = place.since.year
            size = self.people * place.weight / whole
            while date(year, 3, 1) < self.last - timedelta(days=60):
                categories = ["IMHM-C"] * max(3 if code == _CORE else 0, round(size / 150))
                categories += ["IMHS", "IFS"] * round(size / 300)
                if code == _CORE and self.people >= _DESIGNATED:
                    categories += ["IMHM-P", "IMHM-RF"] * 3
                for category in categories:
                    arrives = max(date(year, 2, 10), place.since) + timedelta(days=random.randrange(20))
                    yield Kind(Founder, code, category, arrives)
                year += _GENERATION

    def kinds(self) -> Iterator[Kind]:
        """Whoever comes after the founders, by number; as many as are still missing."""
        random = Random(f"{self.seed}/people")
        codes, weights = list(PLACES), [place.weight for place in PLACES.values()]
        applying = round(self.people / 3)
        importing = max(0, self.people - applying - len(self.founders))
        for n in range(applying + importing):
            # Spread, so that every shard has its part of both.
            applies = (n + 1) * applying // (applying + importing) > n * applying // (applying + importing)
            kind = Applicant if applies else Imported
            home = random.choices(codes, weights)[0]
            # An application is for the association of a residence, and no residence is that of an example.
            yield Kind(Imported if home in EXAMPLES else kind, home)

    def open(self, keys: Keys) -> Iterator[Life]:
        """The associations and the founders, in this order; they are the past of everybody else."""
        opening = Opening(self, 0, _CORE, keys)
        opening.live(opening.keys(), opening.admissions())
        self.past.add(opening.memory)
        yield opening
        for number, founder in enumerate(self.founders, start=1):
            life = Founder(self, number, founder.home, keys, category=founder.category, arrives=founder.arrives)
            life.live(life.story())
            if life.number_:
                self.past.add(life.memory)
                self._servers[founder.home].append(life.serves())
            yield life

    # --- what they share

    def kid(self, at: datetime) -> str:
        """The certificate key of a moment."""
        return self._kids[bisect.bisect_right(self._kids, (at, "~")) - 1][1]

    def server(
        self, life: Life, fit: Callable[[Server], bool], since: date, through: date, without: set[str]
    ) -> Server | None:
        """Somebody of one's own association, else of another, who serves all these days; `without`: people."""
        for code in (life.home, _CORE):
            found = [
                one
                for one in self._servers[code]
                if one.since <= since and through <= one.through and one.person not in without and fit(one)
            ]
            if found:
                return life.choose(found)
        return None

    def reviewer(self, life: Life, category: str, since: date, through: date, without: set[str]) -> Server | None:
        return self.server(life, lambda one: may_review(one.category, category), since, through, without)

    def has(self, slot: str) -> bool:
        """Whether there is anybody who may judge a slot."""
        return self.people >= _DESIGNATED or slot not in ("MHM-P", "MHM-RF")

    def elsewhere(self, life: Life, on: date) -> str | None:
        """Another association that is there already, the big ones more often."""
        there = {code: p.weight for code, p in PLACES.items() if p.since < on and code not in (life.home, "ALLIANCE")}
        return life.random.choices(list(there), list(there.values()))[0] if there else None

    def provider(self, life: Life, since: date, through: date) -> Server | None:
        """A provider of RSC under any rule: a clinical mentor."""
        return self.server(life, lambda one: one.slot == "MHM-C", since, through, set())


def lives(world: World, keys: Keys, first: int, kinds: list[Kind]) -> Iterator[Life]:
    """These lives, from a number on, each lived to its end."""
    for number, kind in enumerate(kinds, start=first):
        life = kind.kind(world, number, kind.home, keys)
        life.live(life.story())  # type: ignore[attr-defined]  # every kind of these has a story
        yield life
