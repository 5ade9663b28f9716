"""A transfer: one person's endorsements move from one association to another, on the word of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, Literal

import msgspec

from domain.aggregate import Aggregate
from domain.association import Row
from domain.editions import DISPUTE_DAYS
from domain.errors import Invalid, OutOfTurn
from domain.event import Claims, Event

DisputeReason = Literal["open_sanction", "open_audit", "not_our_endorsee", "record_differs", "dues_open"]
DeclineReason = Literal["category_not_offered", "not_in_good_standing", "no_membership", "not_resident", "other"]


# What moves: an inactive one stays inactive to the same end (design section 10).
_MOVE = ("active", "inactive")


class Transfer(Aggregate):
    """Two-sided: the releasing association confirms or disputes, the receiving one accepts or declines."""

    kind: ClassVar[str] = "transfer"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.state = "unknown"
        self.person = ""
        self.from_ = ""
        self.to = ""
        self.numbers: tuple[str, ...] = ()
        self.requested_on = date.min
        self.last_on = date.min
        self.membership_through: date | None = None
        self.accepted: tuple[str, ...] = ()

    def remember(self, event: Event) -> None:
        super().remember(event)
        self.last_on = max(self.last_on, event.on)

    class Requested(Event, frozen=True):
        topic: ClassVar[str] = "transfer.requested"
        person: str
        from_: str = msgspec.field(name="from")
        to: str
        endorsements: tuple[str, ...]

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "requested"
            transfer.person = self.person
            transfer.from_ = self.from_
            transfer.to = self.to
            transfer.numbers = self.endorsements
            transfer.requested_on = self.on

        def claims(self) -> Claims:
            return Claims(take=tuple(f"open_transfer/{number}" for number in self.endorsements))

    class StandingConfirmed(Event, frozen=True):
        topic: ClassVar[str] = "transfer.standing_confirmed"
        standings: dict[str, str]

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "confirmed"

    class StandingDisputed(Event, frozen=True):
        topic: ClassVar[str] = "transfer.standing_disputed"
        reason: DisputeReason

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "disputed"

    class DisputeDecided(Event, frozen=True):
        """The Alliance decides a dispute: `good_standing` or not."""

        topic: ClassVar[str] = "transfer.dispute_decided"
        good_standing: bool
        endorsements: tuple[str, ...]

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "confirmed" if self.good_standing else "refused"

        def claims(self) -> Claims:
            return Claims() if self.good_standing else _done(self.endorsements)

    class MembershipVerified(Event, frozen=True):
        topic: ClassVar[str] = "transfer.membership_verified"
        association: str
        through: date

        def apply(self, transfer: Transfer) -> None:
            transfer.membership_through = self.through

    class Accepted(Event, frozen=True):
        """`refused`: those not taken and why; each endorsement is accepted or refused alone."""

        topic: ClassVar[str] = "transfer.accepted"
        endorsements: tuple[str, ...]
        refused: dict[str, DeclineReason] = {}

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "accepted"
            transfer.accepted = self.endorsements

    class Declined(Event, frozen=True):
        topic: ClassVar[str] = "transfer.declined"
        reason: DeclineReason
        endorsements: tuple[str, ...]

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "declined"

        def claims(self) -> Claims:
            return _done(self.endorsements)

    class Completed(Event, frozen=True):
        """Custody of `endorsements` changes with this day; `refused` ones stay where they are."""

        topic: ClassVar[str] = "transfer.completed"
        endorsements: tuple[str, ...]
        refused: tuple[str, ...] = ()

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "completed"

        def claims(self) -> Claims:
            return _done(self.endorsements + self.refused)

    class Cancelled(Event, frozen=True):
        topic: ClassVar[str] = "transfer.cancelled"
        endorsements: tuple[str, ...]

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "cancelled"

        def claims(self) -> Claims:
            return _done(self.endorsements)

    # -- deeds ------------------------------------------------------------------------------------------------------

    def request(
        self, person: str, from_: str, to: str, standings: Mapping[str, tuple[str, str]], *, on: date, by: str
    ) -> None:
        """`standings`: for each number its custodian and its standing that day. Only active or inactive ones move."""
        if not standings:
            raise Invalid("Name at least one endorsement to move.", field="endorsements")
        if from_ == to:
            raise Invalid("This is the association that holds it already; name another one.", field="to")
        for number, (custodian, standing) in standings.items():
            if custodian != from_:
                raise Invalid(f"{number} is held by {custodian}, not by {from_}.", field="endorsements")
            if standing not in _MOVE:
                raise Invalid(f"{number} is {standing}; only an active or inactive one moves.", field="endorsements")
        self.record(self.Requested, person=person, from_=from_, to=to, endorsements=tuple(standings), on=on, by=by)

    def confirm_standing(self, standings: Mapping[str, str], *, on: date, by: str) -> None:
        """The releasing association's word on each endorsement's standing."""
        self._must_be(on, "requested")
        for number in self.numbers:
            if standings.get(number) not in _MOVE:
                raise Invalid(
                    f"{number} is {standings.get(number)}; dispute the standing instead.", field="endorsements"
                )
        self.record(self.StandingConfirmed, standings={n: standings[n] for n in self.numbers}, on=on, by=by)

    def dispute_standing(self, reason: DisputeReason, *, on: date, by: str) -> None:
        """Within 14 days of the request (design section 10)."""
        self._must_be(on, "requested")
        if on > self.requested_on + timedelta(days=DISPUTE_DAYS):
            raise OutOfTurn(
                self.stream, state="past_the_14_days_for_a_dispute", needs=["requested"], can=["confirm standing"]
            )
        self.record(self.StandingDisputed, reason=reason, on=on, by=by)

    def decide_dispute(self, *, good_standing: bool, on: date, by: str) -> None:
        self._must_be(on, "disputed")
        self.record(self.DisputeDecided, good_standing=good_standing, endorsements=self.numbers, on=on, by=by)

    def verify_membership(self, through: date, *, on: date, by: str) -> None:
        self._must_be(on, "requested", "confirmed", "disputed")
        if through < on:
            raise Invalid("This membership has ended; the holder has to renew it first.", field="through")
        self.record(self.MembershipVerified, association=self.to, through=through, on=on, by=by)

    def accept(
        self,
        receiver: Row,
        now: Mapping[str, tuple[str, str]],
        refuse: Mapping[str, DeclineReason] | None = None,
        *,
        on: date,
        by: str,
    ) -> None:
        """Accept and complete; each endorsement is taken or refused alone. `now`: category and standing of each."""
        self._must_be(on, "confirmed")
        if self.membership_through is None or self.membership_through < on:
            raise OutOfTurn(
                self.stream, state="without_verified_membership", needs=["verified"], can=["verify membership"]
            )
        refused: dict[str, DeclineReason] = dict(refuse or {})
        if unknown := set(refused) - set(self.numbers):
            raise Invalid(f"{', '.join(sorted(unknown))} is not in this case.", field="refuse")
        for number in self.numbers:
            category, standing = now[number]
            if category not in receiver.offers:
                refused.setdefault(number, "category_not_offered")
            if standing not in _MOVE:
                refused.setdefault(number, "not_in_good_standing")
        taken = tuple(number for number in self.numbers if number not in refused)
        if not taken:
            raise Invalid(
                f"{receiver.name} can take none of these: {', '.join(f'{n} ({why})' for n, why in refused.items())}. "
                "Decline the case, or ask the Alliance to take custody.",
                field="endorsements",
            )
        self.record(self.Accepted, endorsements=taken, refused=refused, on=on, by=by)
        self.record(self.Completed, endorsements=taken, refused=tuple(refused), on=on, by=by)

    def decline(self, reason: DeclineReason, *, on: date, by: str) -> None:
        self._must_be(on, "requested", "confirmed", "disputed")
        self.record(self.Declined, reason=reason, endorsements=self.numbers, on=on, by=by)

    def cancel(self, *, on: date, by: str) -> None:
        self._must_be(on, "requested", "confirmed", "disputed")
        self.record(self.Cancelled, endorsements=self.numbers, on=on, by=by)

    def _must_be(self, on: date, *states: str) -> None:
        self.refuse_unless(self.state, *states, can=self.can())
        # Each side counts days where it is; between Hawaii and Western Australia that is one day.
        self.refuse_before(self.last_on - timedelta(days=1), on)

    def can(self) -> list[str]:
        """The deeds possible in this state."""
        return {
            "requested": ["confirm standing", "dispute standing", "verify membership", "decline", "cancel"],
            "confirmed": ["verify membership", "accept", "decline", "cancel"],
            "disputed": ["decide the dispute", "verify membership", "decline", "cancel"],
        }.get(self.state, [])


def _done(numbers: Sequence[str]) -> Claims:
    return Claims(release=tuple(f"open_transfer/{number}" for number in numbers))
