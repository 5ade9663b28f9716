"""Deeds on associations: admit, rename, what they offer, their licence."""

from __future__ import annotations

from contextlib import suppress

from domain import access
from domain.access import Thing
from domain.association import ROWS, Association
from domain.errors import Conflict, NotFound, OutOfTurn
from registry.commands.shared import Act, Shared, once
from registry.store import Recorded


class Associations(Shared):
    """Deeds on associations: admit, rename, what they offer, their licence."""

    @once
    def admit(self, act: Act, code: str) -> Recorded:
        access.check(act.actor, "admit_association", Thing(association=code))
        if code not in ROWS:
            raise NotFound(f"association {code}")
        association = self.store.find(Association, code) or Association(code)
        association.admit(ROWS[code], on=self._day(act, ROWS[code]), by=act.actor.by)
        return self.store.save(association, request=act.request)

    def admit_all(self, act: Act) -> int:
        """Admit every association that is not yet; how many were new. May be repeated."""
        missing = [code for code in ROWS if self.store.find(Association, code) is None]
        for code in missing:
            with suppress(Conflict, OutOfTurn):  # another process may be at it too
                self.admit(act, code)
        return len(missing)
