"""Which events are decisions by rule, and the deed by which each is decided again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple, get_args

from domain.access import Actor, Role
from domain.aggregate import Aggregate
from domain.application import Application
from domain.association import Row as Licensee
from domain.audit import Audit
from domain.editions import practice
from domain.endorsement import Endorsement, IssueReason
from domain.errors import OutOfTurn
from domain.event import Event
from domain.exam import Exam
from domain.person import Person
from domain.transfer import Transfer
from registry.commands import Act, Registry
from registry.commands.applications import Gathered
from registry.reconsider.past import Past
from registry.vault import now


class Again(Registry):
    """The registry's own deeds on the store of then, on the day on record; certificates follow and decide nothing."""

    def __init__(self, past: Past) -> None:
        super().__init__(past, clock=now, draw=_nothing_drawn, kid=lambda: "")
        self.past = past
        self.on = date.min
        self.gathered_last: Gathered | None = None

    def today(self, association: str) -> date:  # noqa: ARG002 # as the registry's
        return self.on

    def _day(self, act: Act, row: Licensee) -> date:  # noqa: ARG002 # as the registry's
        return self.on

    def _certify(self, endorsement: Endorsement, why: IssueReason, *, by: str, person: Person | None = None) -> None:
        pass

    def as_possible_for(self, actor: Actor, refused: OutOfTurn) -> OutOfTurn:  # noqa: ARG002 # nobody is to do it
        return refused

    def gathered(self, *args: Any, **facts: Any) -> Gathered:
        """What was handed in, and what it added up to; kept, for other rules are asked of it too."""
        self.gathered_last = super().gathered(*args, **facts)
        return self.gathered_last


def _nothing_drawn(size: int) -> bytes:
    """Numbers and ids are drawn, not decided."""
    return bytes(size)


def actor_of(by: str) -> Actor:
    """Who acted, from how the event names them."""
    role, _, rest = by.partition(":")
    held_for, _, name = rest.partition(":")
    known: Role = next((one for one in get_args(Role) if one == role), "operator")
    if known in ("coordinator", "alliance"):
        of = held_for if held_for.isupper() else ""
        return Actor(known, association=of, id=name if of else held_for)
    return Actor(known, person=held_for, id=name)


Deed = Callable[[Again, Act, Any, Any], object]


class Decision(NamedTuple):
    """One row: what such an event decided, and the deed that decides it again.

    `outcome`: what the same rules have to come to again. `matters`: what of it is another decision when it differs.
    """

    name: str
    kind: type[Aggregate]
    again: Deed
    outcome: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()


def _submit(registry: Again, act: Act, found: Application, _: Application.Submitted) -> object:
    return registry.submit_application(act, found.name, signed=True)


def _defer(registry: Again, act: Act, found: Application, event: Application.Deferred) -> object:
    return registry.defer_application(act, found.name, reasons=event.reasons, may_resubmit_from=event.may_resubmit_from)


def _decline(registry: Again, act: Act, found: Application, event: Application.Declined) -> object:
    return registry.decline_application(act, found.name, reasons=event.reasons)


def _hold(registry: Again, act: Act, found: Application, event: Application.PutOnHold) -> object:
    return registry.put_on_hold(act, found.name, reasons=event.reasons)


def _appeal(registry: Again, act: Act, found: Application, event: Application.AppealDecided) -> object:
    return registry.decide_appeal(act, found.name, verdict=event.verdict)


def _part_2(registry: Again, act: Act, found: Exam, event: Exam.Part2Scored) -> object:
    return registry.score_part_2(act, found.name, score=event.score)


def _reinstate(registry: Again, act: Act, found: Endorsement, event: Endorsement.Reinstated) -> object:
    paid = event.fee
    if paid is None:
        return registry.reinstate(act, found.number, event.attested)
    return registry.reinstate(
        act, found.number, event.attested, fee=paid.how, amount=paid.amount, currency=paid.currency,
        sponsor=paid.sponsor,
    )  # fmt: skip


def _draw(registry: Again, act: Act, found: Audit | None, event: Audit.SampleDrawn) -> object:  # noqa: ARG001 # a deed
    """The sample again from the population on record; whether that was right is seen endorsement by endorsement."""
    audit = Audit(event.originator_id.partition("/")[2])
    share = practice(event.association, event.on).audit_share
    audit.draw(
        event.association, event.cycle, event.population, event.seed, share, event.always, on=event.on, by=event.by
    )
    return registry.store.save(audit)


def _renew(registry: Again, act: Act, found: Endorsement, event: Endorsement.Renewed) -> object:
    return registry.renew(act, found.number, event.attested, late_fee=event.late_fee)


def _rest(registry: Again, act: Act, found: Endorsement, event: Endorsement.MadeInactive) -> object:
    return registry.make_inactive(act, found.number, reason=event.reason)


def _add_on(registry: Again, act: Act, found: Endorsement, event: Endorsement.AddOnGranted) -> object:
    return registry.grant_add_on(act, found.number, add_on=event.add_on)


def _part_1(registry: Again, act: Act, found: Exam, event: Exam.Part1Scored) -> object:
    return registry.score_part_1(act, found.name, wrong=event.wrong)


def _dispute(registry: Again, act: Act, found: Transfer, event: Transfer.StandingDisputed) -> object:
    return registry.dispute_standing(act, found.name, reason=event.reason)


def _decide_dispute(registry: Again, act: Act, found: Transfer, event: Transfer.DisputeDecided) -> object:
    return registry.decide_dispute(act, found.name, good_standing=event.good_standing)


def _accept(registry: Again, act: Act, found: Transfer, event: Transfer.Accepted) -> object:
    return registry.accept_transfer(act, found.name, refuse=event.refused)


def _pass(registry: Again, act: Act, found: Audit, event: Audit.Passed) -> object:
    return registry.pass_audit(act, found.name, event.number)


def _fail(registry: Again, act: Act, found: Audit, event: Audit.Failed) -> object:
    return registry.fail_audit(act, found.name, event.number, remedy=event.remedy, remedy_by=event.remedy_by)


def _leave(registry: Again, act: Act, found: Audit, event: Audit.LeftUnremedied) -> object:
    return registry.leave_unremedied(act, found.name, event.number)


def _drop(registry: Again, act: Act, found: Audit, event: Audit.Dropped) -> object:
    return registry.drop_from_audit(act, found.name, event.number)


def _of(deed: Callable[..., object]) -> Deed:
    """A deed that takes nothing but the case."""
    return lambda registry, act, found, _: deed(registry, act, found.name)


def _by_night(deed: Callable[..., object]) -> Deed:
    return lambda registry, _act, found, _: deed(registry, found.name)


DECISIONS: dict[type[Event], Decision] = {
    # Applications.
    Application.Submitted: Decision(
        "submission", Application, _submit, ("edition", "tally", "entries", "references", "not_shown"), ("edition",)
    ),
    Application.Amended: Decision("amendment", Application, _of(Again.amend_application), ("edition", "snapshot"),
                                  ("edition",)),
    Application.ApprovedForExam: Decision("approval for the exam", Application, _of(Again.approve_for_exam),
                                          ("edition", "through")),
    Application.Approved: Decision("award", Application, _of(Again.approve_application), ("edition", "person")),
    Application.PutOnHold: Decision("hold", Application, _hold, ("reasons",)),
    Application.Deferred: Decision("deferral", Application, _defer, ("reasons", "may_resubmit_from")),
    Application.Declined: Decision("decline", Application, _decline, ("reasons",)),
    Application.AppealDecided: Decision("appeal", Application, _appeal, ("verdict", "decision")),
    Application.ExamApprovalExpired: Decision("end of an exam approval", Application,
                                              _by_night(Again.expire_exam_approval)),
    Application.Expired: Decision("expiry", Application, _by_night(Again.expire_application), ("since",)),
    # Exams.
    Exam.Part1Scored: Decision("exam, part 1", Exam, _part_1, ("items", "most_wrong", "passed")),
    Exam.Part2Scored: Decision("exam, part 2", Exam, _part_2, ("pass_mark", "passed")),
    Exam.Decided: Decision("exam", Exam, _of(Again.decide_exam), ("passed", "part_1", "part_2")),
    # Endorsements. An award is decided by the approval of its application.
    Endorsement.Renewed: Decision("renewal", Endorsement, _renew, ("cycle", "edition", "through")),
    Endorsement.Lapsed: Decision("lapse", Endorsement, _by_night(Again.record_lapse), ("on", "through")),
    Endorsement.MadeInactive: Decision("inactivity", Endorsement, _rest, ("until",)),
    Endorsement.InactivityEnded: Decision("end of inactivity", Endorsement, _by_night(Again.end_inactivity),
                                          ("on", "until")),
    Endorsement.Reactivated: Decision("reactivation", Endorsement, _of(Again.reactivate), ("through",)),
    Endorsement.Reinstated: Decision("reinstatement", Endorsement, _reinstate,
                                     ("edition", "through", "audit_required", "references")),
    Endorsement.EmeritusGranted: Decision("emeritus", Endorsement, _of(Again.grant_emeritus)),
    Endorsement.AddOnGranted: Decision("add-on", Endorsement, _add_on, ("until",)),
    Endorsement.AddOnEnded: Decision("end of an add-on", Endorsement, _by_night(Again.end_add_on), ("until",)),
    Endorsement.Converted: Decision("conversion", Endorsement, _of(Again.convert), ("to", "add_on")),
    Endorsement.Removed: Decision("removal", Endorsement, _of(Again.remove), ("ground", "proposed_by")),
    # Transfers, where a rule has a say.
    Transfer.StandingConfirmed: Decision("confirmation of standing", Transfer, _of(Again.confirm_standing),
                                         ("standings",)),
    Transfer.StandingDisputed: Decision("dispute of standing", Transfer, _dispute),
    Transfer.LeftUnanswered: Decision("silence on standing", Transfer, _by_night(Again.chase_transfer)),
    Transfer.DisputeDecided: Decision("decision of a dispute", Transfer, _decide_dispute),
    Transfer.Accepted: Decision("move", Transfer, _accept, ("endorsements", "refused")),
    Transfer.CustodyTaken: Decision("custody taken", Transfer, _of(Again.take_custody), ("endorsements",)),
    # Audits.
    Audit.SampleDrawn: Decision("audit sample", Audit, _draw, ("share", "sample", "always")),
    Audit.Passed: Decision("audit", Audit, _pass),
    Audit.Failed: Decision("audit", Audit, _fail),
    Audit.LeftUnremedied: Decision("audit", Audit, _leave),
    Audit.Dropped: Decision("audit", Audit, _drop, ("standing",)),
}  # fmt: skip
"""Every event that a rule decided, alone or with somebody's judgement, and what has to come out again."""
