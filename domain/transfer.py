"""A transfer: one person's endorsements move from one association to another, on the word of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, Literal

import msgspec

from domain.aggregate import Aggregate
from domain.association import ALLIANCE, Row
from domain.editions import DISPUTE_DAYS
from domain.errors import Invalid, OutOfTurn
from domain.event import Claims, Event

DisputeReason = Literal["open_sanction", "open_audit", "not_our_endorsee", "record_differs", "dues_open"]
DeclineReason = Literal[
    "category_not_offered", "not_in_good_standing", "no_membership", "not_resident", "other", "licence_ended"
]
HoldReason = Literal["open_sanction", "removal_proposed", "open_audit"]
MembershipSource = Literal["coordinator", "record"]
Side = Literal["releasing", "receiving"]

# What moves: an inactive one stays inactive to the same end (design section 10).
_MOVE = ("active", "inactive")
# What holds a move until it is settled (design section 10), as `Endorsement.moving` and the registry say it.
HOLDS: dict[str, HoldReason] = {
    "suspended": "open_sanction",
    "reported as sanctioned": "open_sanction",
    "proposed for removal": "removal_proposed",
    "in an open audit": "open_audit",
}
OPEN = ("requested", "confirmed", "disputed", "unanswered")
REMIND_AFTER_DAYS = (7, 12)
"""Days after the request on which the releasing association is reminded of the 14 (ours)."""


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
        self.membership_source: MembershipSource = "coordinator"
        self.accepted: tuple[str, ...] = ()
        self.refused: dict[str, DeclineReason] = {}
        self.taken: tuple[str, ...] = ()
        self.held: dict[str, HoldReason] = {}
        self.reminded = 0

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

    class StandingReminded(Event, frozen=True):
        """The releasing association was reminded, so many days after the request, to say its word."""

        topic: ClassVar[str] = "transfer.standing_reminded"
        association: str
        days: int

        def apply(self, transfer: Transfer) -> None:
            transfer.reminded = max(transfer.reminded, self.days)

    class LeftUnanswered(Event, frozen=True):
        """The releasing association said nothing in time: the Alliance decides (ours)."""

        topic: ClassVar[str] = "transfer.left_unanswered"
        association: str

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "unanswered"

    class Held(Event, frozen=True):
        """Something about these endorsements has to be settled before they move."""

        topic: ClassVar[str] = "transfer.held"
        reason: HoldReason
        endorsements: tuple[str, ...]

        def apply(self, transfer: Transfer) -> None:
            transfer.held = transfer.held | dict.fromkeys(self.endorsements, self.reason)

    class Released(Event, frozen=True):
        """It is settled: they go on, or stay, as they stand now."""

        topic: ClassVar[str] = "transfer.released"
        endorsements: tuple[str, ...]

        def apply(self, transfer: Transfer) -> None:
            transfer.held = {n: why for n, why in transfer.held.items() if n not in self.endorsements}

    class SidePassed(Event, frozen=True):
        """The licence of one side ended: the Alliance is that side from now on."""

        topic: ClassVar[str] = "transfer.side_passed"
        side: Side
        from_: str = msgspec.field(name="from")
        to: str

        def apply(self, transfer: Transfer) -> None:
            if self.side == "releasing":
                transfer.from_ = self.to
            else:
                transfer.to = self.to

    class DisputeDecided(Event, frozen=True):
        """The Alliance decides a dispute, or where no word came: `good_standing` or not."""

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
        source: MembershipSource = "coordinator"

        def apply(self, transfer: Transfer) -> None:
            transfer.membership_through = self.through
            transfer.membership_source = self.source

    class Accepted(Event, frozen=True):
        """`refused`: those not taken and why; each endorsement is accepted or refused alone."""

        topic: ClassVar[str] = "transfer.accepted"
        endorsements: tuple[str, ...]
        refused: dict[str, DeclineReason] = {}

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "accepted"
            transfer.accepted = self.endorsements
            transfer.refused = self.refused

    class Declined(Event, frozen=True):
        topic: ClassVar[str] = "transfer.declined"
        reason: DeclineReason
        endorsements: tuple[str, ...]

        def apply(self, transfer: Transfer) -> None:
            transfer.state = "declined"
            transfer.refused = dict.fromkeys(self.endorsements, self.reason)

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

    class CustodyTaken(Event, frozen=True):
        """The Alliance takes what the receiving association does not offer (design section 10)."""

        topic: ClassVar[str] = "transfer.custody_taken"
        endorsements: tuple[str, ...]

        def apply(self, transfer: Transfer) -> None:
            transfer.taken = (*transfer.taken, *self.endorsements)

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
        """The releasing association's word on each endorsement's standing; late, until the Alliance has decided."""
        self._must_be(on, "requested", "unanswered")
        for number in self.numbers:
            if standings.get(number) not in _MOVE:
                raise Invalid(
                    f"{number} is {standings.get(number)}; dispute the standing instead.", field="endorsements"
                )
        self.record(self.StandingConfirmed, standings={n: standings[n] for n in self.numbers}, on=on, by=by)

    def dispute_standing(self, reason: DisputeReason, *, on: date, by: str) -> None:
        """Within 14 days of the request (design section 10)."""
        self._must_be(on, "requested")
        if on > self.word_due:
            raise OutOfTurn(
                self.stream, state="past_the_14_days_for_a_dispute", needs=["requested"], can=["confirm standing"]
            )
        self.record(self.StandingDisputed, reason=reason, on=on, by=by)

    def remind(self, *, on: date, by: str) -> bool:
        """Remind the releasing association of its word, once for each of `REMIND_AFTER_DAYS`; whether it was due."""
        due = max((days for days in REMIND_AFTER_DAYS if on >= self.requested_on + timedelta(days=days)), default=0)
        if self.state != "requested" or due <= self.reminded:
            return False
        self.record(self.StandingReminded, association=self.from_, days=due, on=on, by=by)
        return True

    def leave_unanswered(self, *, on: date, by: str) -> bool:
        """Give a case without a word after 14 days to the Alliance; whether it was one."""
        if self.state != "requested" or on <= self.word_due:
            return False
        self.record(self.LeftUnanswered, association=self.from_, on=on, by=by)
        return True

    def decide_dispute(self, *, good_standing: bool, on: date, by: str) -> None:
        self._must_be(on, "disputed", "unanswered")
        self.record(self.DisputeDecided, good_standing=good_standing, endorsements=self.numbers, on=on, by=by)

    def verify_membership(self, through: date, source: MembershipSource = "coordinator", *, on: date, by: str) -> None:
        """By the coordinator's word, or as the person's membership is on record here."""
        self._must_be(on, *OPEN)
        if through < on:
            raise Invalid("This membership has ended; the holder has to renew it first.", field="through")
        self.record(self.MembershipVerified, association=self.to, through=through, source=source, on=on, by=by)

    def hold(self, found: Mapping[str, HoldReason], *, on: date, by: str) -> bool:
        """Put what is `found` (number -> why) on hold; whether any of it was new."""
        new = {n: why for n, why in found.items() if n in self.numbers and self.held.get(n) != why}
        if self.state not in OPEN or not new:
            return False
        for reason in dict.fromkeys(new.values()):
            held = tuple(number for number in self.numbers if new.get(number) == reason)
            self.record(self.Held, reason=reason, endorsements=held, on=max(on, self.last_on), by=by)
        return True

    def release(self, standings: Mapping[str, str], *, on: date, by: str) -> bool:
        """Let go on whatever nothing holds any more; whether there was any. `standings`: of each held one, that day."""
        settled = tuple(n for n in self.held if n in standings and standings[n] not in HOLDS)
        if self.state not in OPEN or not settled:
            return False
        self.record(self.Released, endorsements=settled, on=max(on, self.last_on), by=by)
        return True

    def accept(
        self,
        receiver: Row,
        now: Mapping[str, tuple[str, str]],
        refuse: Mapping[str, DeclineReason] | None = None,
        *,
        residence: str = "",
        on: date,
        by: str,
    ) -> None:
        """Accept and complete; each endorsement is taken or refused alone. `now`: category and standing of each.

        What is on hold is settled first, or refused alone. `residence`: where the holder lives, if it is known.
        """
        self._must_be(on, "confirmed")
        if self.membership_through is None or self.membership_through < on:
            raise OutOfTurn(
                self.stream, state="without_verified_membership", needs=["verified"], can=["verify membership"]
            )
        refused: dict[str, DeclineReason] = dict(refuse or {})
        if unknown := set(refused) - set(self.numbers):
            raise Invalid(f"{', '.join(sorted(unknown))} is not in this case.", field="refuse")
        for number, why in refused.items():
            self._must_fit(why, receiver, {number: now[number][0]}, residence, on, field="refuse")
        for number in self.numbers:
            category, standing = now[number]
            if number not in refused and (number in self.held or standing in HOLDS):
                why_held = self.held.get(number) or HOLDS[standing]
                raise OutOfTurn(
                    self.stream,
                    state=f"on_hold:_{number}_({why_held})",
                    needs=["settled"],
                    can=["release the hold when it is settled", "refuse this one alone", *self.can()],
                )
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

    def decline(
        self,
        reason: DeclineReason,
        receiver: Row | None = None,
        categories: Mapping[str, str] | None = None,
        *,
        residence: str = "",
        on: date,
        by: str,
    ) -> None:
        """`receiver`, `categories` by number, `residence`: what is on record, which the reason may not contradict."""
        self._must_be(on, *OPEN)
        if receiver:
            self._must_fit(reason, receiver, categories or {}, residence, on, field="reason")
        self.record(self.Declined, reason=reason, endorsements=self.numbers, on=on, by=by)

    def cancel(self, *, on: date, by: str) -> None:
        self._must_be(on, *OPEN)
        self.record(self.Cancelled, endorsements=self.numbers, on=on, by=by)

    def take_custody(self, held_by: Mapping[str, str], *, on: date, by: str) -> tuple[str, ...]:
        """The Alliance takes what was refused as not offered; which. `held_by`: the custodian of each number."""
        self._must_be(on, "completed", "declined", can=["ask the receiving association first"])
        taken = tuple(n for n in self.not_offered if held_by.get(n) == self.from_ != ALLIANCE)
        if not taken:
            raise OutOfTurn(self.stream, state="without_an_endorsement_to_take", needs=["not offered"], can=[])
        self.record(self.CustodyTaken, endorsements=taken, on=on, by=by)
        return taken

    def pass_side(self, side: Side, to: str, *, on: date, by: str) -> None:
        """When the licence of a side ends, `to` is that side of an open case (ours)."""
        self.refuse_unless(self.state, *OPEN, can=self.can())
        from_ = self.from_ if side == "releasing" else self.to
        self.record(self.SidePassed, side=side, from_=from_, to=to, on=max(on, self.last_on), by=by)

    # -- what it is -------------------------------------------------------------------------------------------------

    @property
    def word_due(self) -> date:
        """The last day for the releasing association's word."""
        return self.requested_on + timedelta(days=DISPUTE_DAYS)

    @property
    def not_offered(self) -> tuple[str, ...]:
        """What the receiving association refused because it does not offer it, and nobody has taken yet."""
        return tuple(n for n, why in self.refused.items() if why == "category_not_offered" and n not in self.taken)

    def _must_fit(
        self,
        reason: DeclineReason,
        receiver: Row,
        categories: Mapping[str, str],
        residence: str,
        on: date,
        *,
        field: str,
    ) -> None:
        """A reason that the record contradicts is no reason (ours)."""
        if reason == "category_not_offered" and categories and set(categories.values()) <= set(receiver.offers):
            raise Invalid(f"{receiver.abbreviation} offers this; give another reason.", field=field)
        if reason == "no_membership" and self.membership_through and self.membership_through >= on:
            raise Invalid("The membership is verified here; give another reason.", field=field)
        if reason == "not_resident" and residence == self.to:
            raise Invalid(f"The holder lives in {receiver.jurisdiction}; give another reason.", field=field)

    def _must_be(self, on: date, *states: str, can: Sequence[str] = ()) -> None:
        self.refuse_unless(self.state, *states, can=[*can, *self.can()])
        # Each side counts days where it is; between Hawaii and Western Australia that is one day.
        self.refuse_before(self.last_on - timedelta(days=1), on)

    def can(self) -> list[str]:
        """The deeds possible in this state."""
        open_ = ["verify membership", "decline", "cancel"]
        found = {
            "requested": ["confirm standing", "dispute standing", *open_],
            "unanswered": ["confirm standing", "decide the dispute", *open_],
            "confirmed": ["verify membership", "accept", "decline", "cancel"],
            "disputed": ["decide the dispute", *open_],
        }.get(self.state, [])
        if self.state in ("completed", "declined") and self.not_offered and self.from_ != ALLIANCE:
            return ["take custody"]
        if self.held and found:
            return ["release the hold", *(deed for deed in found if deed != "accept")]
        return found


def _done(numbers: Sequence[str]) -> Claims:
    return Claims(release=tuple(f"open_transfer/{number}" for number in numbers))
