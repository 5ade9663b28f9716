"""A signing key as the public may know it: what it is for, since when, and what ended it."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal

import msgspec

from domain.aggregate import Aggregate
from domain.errors import Invalid
from domain.event import Event

KeyUse = Literal["certificate", "status", "log", "jwt"]
"""A `jwt` key is of P-256 and signs ES256; the others are of Ed25519."""

WithdrawalReason = Literal["compromised", "lost"]


class Key(Aggregate):
    """One key; its stream is named by its kid."""

    kind: ClassVar[str] = "key"
    state: Literal["new", "published", "retired", "withdrawn"] = "new"
    use: KeyUse
    public: str
    controller: str
    specimen: bool
    start: datetime
    until: datetime | None = None
    withdrawn: datetime | None = None

    class Published(Event, frozen=True):
        """`public` in Multibase, as did documents write it; `start`: the first second it signs."""

        topic: ClassVar[str] = "key.published"
        kid: str
        use: KeyUse
        public: str
        controller: str
        start: datetime = msgspec.field(name="from")
        specimen: bool = False

        def apply(self, key: Key) -> None:
            key.state = "published"
            key.use = self.use
            key.public = self.public
            key.controller = self.controller
            key.start = self.start
            key.specimen = self.specimen

    class Retired(Event, frozen=True):
        """Signs no more from `until` on; what it signed stays good."""

        topic: ClassVar[str] = "key.retired"
        until: datetime

        def apply(self, key: Key) -> None:
            key.state = "retired"
            key.until = self.until

    class Withdrawn(Event, frozen=True):
        """Nothing it signed is believed any more, whenever that was; `since` says when it was no longer ours alone."""

        topic: ClassVar[str] = "key.withdrawn"
        since: datetime
        reason: WithdrawalReason

        def apply(self, key: Key) -> None:
            key.state = "withdrawn"
            key.withdrawn = self.since

    def publish(
        self, use: KeyUse, public: str, controller: str, *, start: datetime, specimen: bool, on: date, by: str
    ) -> None:
        self.refuse_unless(self.state, "new")
        self.record(
            self.Published,
            kid=self.name,
            use=use,
            public=public,
            controller=controller,
            start=start,
            specimen=specimen,
            on=on,
            by=by,
        )

    def retire(self, *, until: datetime, on: date, by: str) -> None:
        """`until` may come nearer afterwards, never move away: who read it first relies on it."""
        self.refuse_unless(self.state, "published", "retired")
        if until < self.start:
            raise Invalid("A key can't retire before it was first used.", field="until")
        if self.until and until >= self.until:
            raise Invalid(f"It retires at {self.until.isoformat()} already; name an earlier time.", field="until")
        self.record(self.Retired, until=until, on=on, by=by)

    def withdraw(self, reason: WithdrawalReason, *, since: datetime, on: date, by: str) -> None:
        """Once more with an earlier `since`, where that was found out later: less is believed, never more."""
        self.refuse_unless(self.state, "published", "retired", "withdrawn")
        if self.withdrawn and since >= self.withdrawn:
            raise Invalid(f"It is withdrawn since {self.withdrawn.isoformat()}; name an earlier time.", field="since")
        self.record(self.Withdrawn, since=since, reason=reason, on=on, by=by)
