"""A registry under random deeds: every deed of the table, by anybody, on anything that is there, on moving days.

The machine knows each deed only by its row (address, body, example), so a new deed takes part by itself. What should
come of it stands in `model.py`, a table in plain Python that knows none of the aggregates; how it is drawn so that it
mostly fits stands in `drawing.py`.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from random import Random
from typing import Any, get_args, get_type_hints

import msgspec
from drawing import ARGUMENTS, CODES, NAMES, READY, STRANGERS, UNSET, Drawn, actor, somebody, value
from model import TURNS, Model

from domain.access import LATE_ROLES, Actor, Role
from domain.association import ALLIANCE, Association
from domain.category import CATEGORIES
from domain.endorsement import Endorsement
from domain.errors import Refused
from domain.event import LateReason, Request
from domain.events import AGGREGATES
from registry.api.asking import converted
from registry.api.deeds import Deed
from registry.commands import Act, Registry
from registry.store import Recorded

KINDS = {kind.kind: kind for kind in AGGREGATES}
TRIES = 3
_CATEGORIES = ("IFA", "IFA", "IFS", "IMHS", "IMHM-C", *CATEGORIES)


def _names(deed: Deed) -> list[str]:
    """The arguments of its address."""
    return re.findall(r"{(\w+)}", deed.path)


class Machine:
    """What is there, and how a deed is drawn and done. `random` is drawn by Hypothesis for each step.

    `history`: what is stored after a position.

    `cases`: every stream as what was recorded makes it, without asking the store again. `days`: those that events speak
    of. `aims`: deeds to be done before others. `done`: how often each deed succeeded. `states`: the cases by kind and
    state, found for one draw.
    """

    def __init__(self, registry: Registry, clock: Any, history: Callable[[int], list[Any]]) -> None:
        self.registry = registry
        self.clock = clock
        self.history = history
        self.random = Random(0)
        self.model = Model()
        self.cases: dict[str, dict[str, Any]] = defaultdict(dict)
        self.days: set[date] = set()
        self.aims: list[Deed] = []
        self.states: dict[str, dict[str, list[Any]]] = {}
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.recorded = 0
        self.requests = 0

    # --- a deed

    def do(self, deeds: Sequence[Deed]) -> bool:
        """Try some of these until one is done, and hold its outcome against the model."""
        return any(self._try(self._drawn(deeds)) for _ in range(TRIES))

    def _try(self, drawn: Drawn | None) -> bool:
        if drawn is None:
            return False
        deed = drawn.deed
        was = self._state_of_case(deed, drawn.case)
        self.requests += 1
        act = self._act(drawn.actor)
        try:
            body = converted(drawn.facts, deed.body)
            recorded = deed.do(self.registry, act, drawn.arguments, body)
        except Refused as refused:
            self.refused[f"{deed.name}: {refused}"] += 1
            # Nothing half done.
            assert self.history(self.recorded) == [], deed.name
            return False
        self.done[deed.name] += 1
        self.remember(recorded)
        if recorded.events:
            kind = TURNS[deed.name][0]
            made = next((e for e in recorded.events if e.originator_id.startswith(f"{kind}/")), None)
            case = drawn.case if drawn.case is not None and drawn.case.kind == kind else None
            case = case or self.find(kind, made.originator_id.partition("/")[2] if made else "")
            self.model.check(deed.name, was, self.state_of(case) if case else "new", late=act.late is not None)
            if self.rarely(8):
                again = deed.do(self.registry, act, drawn.arguments, body)
                assert again.positions == recorded.positions, f"{deed.name} was done twice"
        return True

    def _act(self, by: Actor) -> Act:
        """Mostly of today; sometimes of a day that is past."""
        request = Request(str(uuid.UUID(int=self.requests)), "the body")
        if by.role in LATE_ROLES and self.rarely(12):
            on = self.today() - timedelta(days=self.random.randint(1, 40))
            return Act(by, on=on, late=self.random.choice(get_args(LateReason)), request=request)
        return Act(by, request=request)

    def remember(self, recorded: Recorded) -> None:
        assert recorded.positions == list(range(self.recorded + 1, self.recorded + 1 + len(recorded.events)))
        for event in recorded.events:
            self.know(event)
        # Some deeds record a second time, such as that a key is destroyed.
        self.follow()

    def know(self, event: Any) -> None:
        kind, _, name = event.originator_id.partition("/")
        if name not in self.cases[kind]:
            self.cases[kind][name] = KINDS[kind](name)
        self.cases[kind][name].remember(event)
        for field in event.__struct_fields__:
            if type(day := getattr(event, field)) is date:
                self.days.add(day)
        self.recorded += 1

    def follow(self) -> None:
        """Take in what others recorded since, such as the rules of the night."""
        for event in self.history(self.recorded):
            self.know(event)

    def forget(self) -> None:
        """Somebody asks to be forgotten and a second person confirms it; the night a week later does it."""
        person = self.one("person")
        for deed, by in (
            (self.registry.request_erasure, Actor("holder", person=person)),
            (self.registry.confirm_erasure, Actor("alliance", association=ALLIANCE, id="k1")),
        ):
            with suppress(Refused):
                self.remember(deed(Act(by), person))

    def nothing_is_lost(self, history: Iterable[Any]) -> None:
        """Every event is there, at its place, and folds to what was seen when it was recorded."""
        folded: dict[str, Any] = {}
        for at, event in enumerate(history, 1):
            kind, _, name = event.originator_id.partition("/")
            case = folded.setdefault(event.originator_id, KINDS[kind](name))
            assert event.originator_version == case.version + 1, f"event {at} of {event.originator_id}"
            case.remember(event)
        seen = {case.stream: case for cases in self.cases.values() for case in cases.values()}
        assert folded.keys() == seen.keys()
        for stream, case in folded.items():
            now, then = _told(case), _told(seen[stream])
            assert [name for name in now if now[name] != then[name]] == [], stream

    # --- what is there

    def of(self, kind: str) -> list[Any]:
        return list(self.cases[kind].values())

    def find(self, kind: str, name: str) -> Any:
        return self.cases[kind].get(name)

    def today(self) -> date:
        return self.clock().date()

    def active(self) -> list[Any]:
        return [e for e in self.of("endorsement") if e.standing(self.today()) == "active"]

    def home_of(self, residence: str) -> str:
        found = self.find("association", residence)
        return residence if found and found.licence in ("endorsement", "suspended") else ALLIANCE

    def home(self, person: str) -> str:
        found = self.find("person", person)
        return self.home_of(found.residence if found else "")

    def reviewers(self, application: Any) -> int:
        """How many judge it."""
        return self.find("association", application.association).row.reviewers

    def state_of(self, case: Any) -> str:
        """The state as its users see it, today."""
        if isinstance(case, Endorsement):
            today = self.find("association", case.custodian).today(self.clock())
            return case.standing(today) + ("+proposed" if case.removal_proposed_by else "")
        return str(getattr(case, "licence" if isinstance(case, Association) else "state", ""))

    def _state_of_case(self, deed: Deed, case: Any) -> str:
        """Before the deed; `new` where it makes the case."""
        return self.state_of(case) if case is not None and case.kind == TURNS[deed.name][0] else "new"

    # --- drawing

    def rarely(self, one_in: int) -> bool:
        """True about once in so many times."""
        return self.random.randrange(one_in) == 0

    def category(self) -> str:
        return str(self.random.choice(_CATEGORIES))

    def one(self, kind: str) -> str:
        """One that is there, the newest most often."""
        names = list(self.cases[kind])
        if not names:
            return "a" * 26 if kind != "endorsement" else "IFS-7K3MQ9TD"
        back = self.random.randint(0, 2 * len(names) + 1) // 2
        return names[-1 - min(back, len(names) - 1)]

    def _drawn(self, deeds: Sequence[Deed]) -> Drawn | None:
        """Mostly what the model knows to be possible; often what the run aims at, or what it has not done yet."""
        if self.rarely(12):
            return self._filled(self.random.choice(deeds), None, wild=True)
        self.states = {}
        for deed in self._in_some_order(deeds):
            if cases := self._fitting(deed):
                return self._filled(deed, self.random.choice(cases), wild=self.rarely(15))
        return None

    def _in_some_order(self, deeds: Sequence[Deed]) -> list[Deed]:
        among = self.random.sample(deeds, len(deeds))
        if self.rarely(2):
            among.sort(key=lambda deed: self.done[deed.name] > 0)
        aims = self.aimed_at() if self.rarely(2) else []
        return [*self.random.sample(aims, len(aims)), *among]

    def aimed_at(self) -> list[Deed]:
        """The aims that are not reached yet."""
        return [deed for deed in self.aims if not self.done[deed.name]]

    def _fitting(self, deed: Deed) -> list[Any]:
        """The cases it may be done to now; one None where it needs none."""
        kind, turns = TURNS[deed.name]
        ready = READY.get(deed.name, lambda _, __: True)
        if "new" not in turns:
            return [c for state in turns for c in self._in_state(kind, state) if ready(self, c)]
        names = _names(deed)
        if deed.name == "admit":
            return [None] if set(STRANGERS) - self.cases["association"].keys() else []
        if not names:
            return [None]
        on = NAMES[names[0]]
        fit = [c for state in ("known", "endorsement", "admitted") for c in self._in_state(on, state) if ready(self, c)]
        return [c for c in fit if on != "association" or c.name in CODES]

    def _in_state(self, kind: str, state: str) -> list[Any]:
        if kind not in self.states:
            found = self.states[kind] = defaultdict(list)
            for case in self._likely(kind):
                found[self.state_of(case)].append(case)
        return self.states[kind].get(state, [])

    def _likely(self, kind: str) -> list[Any]:
        if kind != "association":
            return self.of(kind)
        return [a for a in self.of(kind) if a.name in (*CODES, *STRANGERS)]

    def _filled(self, deed: Deed, case: Any, *, wild: bool) -> Drawn:
        drawn = Drawn(deed, case, [], {}, Actor("public"))
        for name in _names(deed):
            drawn.arguments.append(self._argument(deed, name, case))
        if case is None and drawn.arguments and deed.name != "admit":
            wild = True
            found = self.find(NAMES.get(_names(deed)[0], ""), drawn.arguments[0])
            drawn = drawn._replace(case=found)
        drawn.facts.update(self._facts(drawn, wild=wild))
        if self.rarely(12):
            role = self.random.choice(get_args(Role))
            return drawn._replace(actor=somebody(self, role))
        return drawn._replace(actor=self.registry.acting(actor(self, drawn)))

    def _argument(self, deed: Deed, name: str, case: Any) -> str:
        kind = NAMES.get(name)
        if case is not None and kind == case.kind and name != "other":
            return str(case.name)
        if deed.name == "admit":
            left = [code for code in STRANGERS if code not in self.cases["association"]]
            return str(self.random.choice(left or STRANGERS))
        given = ARGUMENTS[name](self, deed, case) if case is not None and name in ARGUMENTS else UNSET
        if given is not UNSET:
            return str(given)
        return self.one(kind) if kind else "E1"

    def _facts(self, drawn: Drawn, *, wild: bool) -> dict[str, Any]:
        hints = get_type_hints(drawn.deed.body)
        facts: dict[str, Any] = {}
        for field in msgspec.structs.fields(drawn.deed.body):
            name = field.encode_name
            if name in ("on", "late"):
                continue
            shown = drawn.deed.example.get(name, UNSET)
            given = value(self, drawn, name, hints[field.name], shown, wild=wild)
            if given is not UNSET:
                facts[name] = given
        return facts


def _told(case: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(case).items() if name not in ("late", "pending")}
