"""Deeds on erasures, mergers and splits of people."""

from __future__ import annotations

from collections import defaultdict

from domain import access
from domain.access import Thing
from domain.errors import Invalid
from domain.person import Person
from registry.commands.shared import Act, Shared, once
from registry.store import Recorded

_OVER = ("archived", "removed", "erased", "died")


class Erasing(Shared):
    """Deeds on erasures, mergers and splits of people."""

    @once
    def merge_persons(self, act: Act, person: str, *, into: str) -> Recorded:
        """Two records of one human become one: `into` acts, `person` is its duplicate. Undone by `split_persons`."""
        duplicate, survivor = self._both(act, "merge_persons", person, into)
        self._merge(act, duplicate, survivor)
        return self.store.save(duplicate, survivor, request=act.request)

    @once
    def split_persons(self, act: Act, person: str, *, other: str) -> Recorded:
        """Undo a merger: `person` survived it, `other` was the duplicate. Both are as they were before."""
        duplicate, survivor = self._both(act, "split_persons", other, person)
        association = self.association(self.association_of(survivor, act.actor)).row
        on = self._begin(act, survivor, association)
        duplicate.late = act.late
        survivor.split(duplicate, on=on, by=act.actor.by)
        return self.store.save(duplicate, survivor, request=act.request)

    def _both(self, act: Act, deed: str, duplicate: str, survivor: str) -> tuple[Person, Person]:
        """Both have to be the actor's: a merger shows each association the other's record."""
        found = [self._or_forbidden(act, deed, Person, name) for name in (duplicate, survivor)]
        for one in found:
            access.check(act.actor, deed, Thing(association=self.association_of(one, act.actor)))
        return found[0], found[1]

    def _merge(self, act: Act, duplicate: Person, survivor: Person) -> None:
        """Let both remember it. Raises Invalid where they could not be one human as they stand (ours)."""
        on = self._begin(act, survivor, self.association(self.association_of(survivor, act.actor)).row)
        duplicate.late = act.late
        self._refuse_twice_held(duplicate, survivor)
        applying = [p.name for p in (duplicate, survivor) if self.store.holder(f"open_application/{p.name}")]
        if len(applying) > 1:
            raise Invalid("Both have an open application; withdraw or decide one of them first (R3).", field="into")
        survivor.merge(duplicate, on=on, by=act.actor.by)

    def _refuse_twice_held(self, duplicate: Person, survivor: Person) -> None:
        """One award under two numbers is cleared up first; an imported one may be an association's second record."""
        categories = defaultdict(list)
        for person in (duplicate, survivor):
            for endorsement in self.endorsements_of(person.name):
                if endorsement.imported is None and endorsement.state not in _OVER:
                    categories[endorsement.category].append(endorsement.number)
        for category, numbers in categories.items():
            if len(numbers) > 1:
                raise Invalid(
                    f"Both hold {category}: {' and '.join(numbers)}. Archive one of them first.", field="into"
                )
