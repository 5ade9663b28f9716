"""Every deed as one row: its address, its body and the one method of the Registry that does it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from domain.access import Thing
from domain.application import DeferReason, Outcome, Tie
from domain.category import AddOn
from domain.endorsement import InactiveReason, RemovalGround, SuspendReason
from domain.errors import Invalid
from domain.event import LateReason
from domain.policy import Attestation, Reinstatement
from domain.portfolio import Entry
from domain.transfer import DeclineReason, DisputeReason
from registry.commands import Act, Registry
from registry.store import Recorded


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What every body may say: `on`, a past day the deed speaks of, and `late`, why it is recorded only now."""

    on: date | None = None
    late: LateReason | None = None


class NewPerson(Body, frozen=True):
    name: str
    residence: str
    credentials: str = ""
    email: str = ""


class NewName(Body, frozen=True):
    name: str
    credentials: str = ""


class Move(Body, frozen=True):
    residence: str


class Publication(Body, frozen=True):
    listed: bool


class NewMembership(Body, frozen=True):
    association: str
    from_: date = msgspec.field(name="from")
    through: date


class NewEntry(Entry, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A portfolio entry; `title` and `provider_name` are kept sealed, `supersedes` names the entry it corrects."""

    title: str = ""
    provider_name: str = ""
    supersedes: str = ""
    on: date | None = None
    late: LateReason | None = None


class Vetting(Body, frozen=True):
    qualified: bool


class Settlement(Body, frozen=True):
    same: bool


class NewApplication(Body, frozen=True):
    association: str
    category: str


class Submission(Body, frozen=True):
    signed: bool


class Reviewer(Body, frozen=True):
    reviewer: str


class Recusal(Body, frozen=True):
    reviewer: str
    tie: Tie


class Recommendation(Body, frozen=True):
    reviewer: str
    outcome: Outcome
    reasons: tuple[DeferReason, ...] = ()


class Consensus(Body, frozen=True):
    outcome: Outcome


class Deferral(Body, frozen=True):
    reasons: tuple[DeferReason, ...]
    may_resubmit_from: date | None = None


class Renewal(Attestation, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a holder attests."""

    on: date | None = None
    late: LateReason | None = None


class Reinstating(Reinstatement, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a lapsed holder attests."""

    on: date | None = None
    late: LateReason | None = None


class Inactivity(Body, frozen=True):
    reason: InactiveReason


class Suspension(Body, frozen=True):
    reason: SuspendReason


class Removal(Body, frozen=True):
    ground: RemovalGround


class NewAddOn(Body, frozen=True):
    add_on: AddOn


class NewTransfer(Body, frozen=True):
    to: str
    endorsements: tuple[str, ...]


class Dispute(Body, frozen=True):
    reason: DisputeReason


class Decision(Body, frozen=True):
    good_standing: bool


class VerifiedMembership(Body, frozen=True):
    through: date


class Acceptance(Body, frozen=True):
    """`refuse`: endorsements of the case that are not taken, each with its reason."""

    refuse: dict[str, DeclineReason] = {}


class Decline(Body, frozen=True):
    reason: DeclineReason


Facts = Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]]


def _as_named(body: Body) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The body's fields are the method's facts, by the same names."""
    return (), {name: getattr(body, name) for name in body.__struct_fields__ if name not in ("on", "late")}


def _attested(body: Renewal) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (Attestation(**{name: getattr(body, name) for name in Attestation.__struct_fields__}),), {}


def _reinstating(body: Reinstating) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (Reinstatement(**{name: getattr(body, name) for name in Reinstatement.__struct_fields__}),), {}


def _entry(body: NewEntry) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if body.vetted:
        raise Invalid("A provider is vetted by a coordinator, in a step of its own; leave this out.", field="vetted")
    fact = Entry(**{name: getattr(body, name) for name in Entry.__struct_fields__})
    return (fact,), {"title": body.title, "provider_name": body.provider_name, "supersedes": body.supersedes}


class Deed(NamedTuple):
    """`name` is the method of Registry; the names in braces in `path` are its arguments, in order."""

    name: str
    path: str
    says: str
    body: type[Any] = Body
    example: dict[str, Any] = {}
    facts: Facts = _as_named
    rule: str = ""

    @property
    def access(self) -> str:
        """The row of the access table."""
        return self.rule or self.name

    @property
    def case(self) -> str:
        """What kind of thing it is done to: `people`, `endorsements`, ..."""
        return self.path.split("/")[1]

    def do(self, registry: Registry, act: Act, arguments: Sequence[str], body: Any) -> Recorded:
        positional, named = self.facts(body)
        recorded: Recorded = getattr(registry, self.name)(act, *arguments, *positional, **named)
        return recorded


_ATTESTED = {"training_hours": 45, "rsc_hours": 36, "membership": True, "ethics": True, "no_sanction": True}
_TRAINING = {"kind": "training", "from": "2026-03-02", "through": "2026-03-03", "hours": 12, "title": "Circle of care"}

_P, _A, _E, _T = "/people/{person}", "/applications/{application}", "/endorsements/{number}", "/transfers/{transfer}"

DEEDS: tuple[Deed, ...] = (
    Deed("admit", "/associations/{code}/admissions", "Admit an association", rule="admit_association"),
    Deed("register_person", "/people", "Register a person", NewPerson,
         {"name": "Marisol Fernández-Okafor", "residence": "VA", "credentials": "LMSW", "email": "m@example.org"}),
    Deed("rename_person", f"{_P}/names", "Record a new name or new credentials", NewName,
         {"name": "Marisol Okafor", "credentials": "LCSW"}),
    Deed("move_person", f"{_P}/residences", "Record where the person lives now", Move, {"residence": "CT"}),
    Deed("choose_publication", f"{_P}/publications", "Choose whether the public register shows the name", Publication,
         {"listed": False}),
    Deed("record_membership", f"{_P}/memberships", "Record a membership of an association", NewMembership,
         {"association": "VA", "from": "2026-01-01", "through": "2026-12-31"}),
    Deed("record_entry", f"{_P}/entries", "Record or correct a portfolio entry", NewEntry, _TRAINING, _entry),
    Deed("withdraw_entry", f"{_P}/entries/{{entry}}/withdrawals", "Take this entry back"),
    Deed("vet_provider", f"{_P}/entries/{{entry}}/vettings", "Vet a provider of RSC who is not endorsed", Vetting,
         {"qualified": True}),
    Deed("settle_likeness", f"{_P}/likenesses/{{other}}/settlements", "Say whether two records are one person",
         Settlement, {"same": False}),
    Deed("start_application", f"{_P}/applications", "Start an application", NewApplication,
         {"association": "VA", "category": "IFS"}),
    Deed("submit_application", f"{_A}/submissions", "Submit it for review", Submission, {"signed": True}),
    Deed("withdraw_application", f"{_A}/withdrawals", "Withdraw it"),
    Deed("assign_reviewer", f"{_A}/reviewers", "Assign a reviewer by the number of their endorsement", Reviewer,
         {"reviewer": "IMHS-7K3MQ9T5"}),
    Deed("recuse_reviewer", f"{_A}/recusals", "Recuse a reviewer who has a tie to the applicant", Recusal,
         {"reviewer": "IMHS-7K3MQ9T5", "tie": "colleague"}),
    Deed("recommend", f"{_A}/recommendations", "Recommend, as the reviewer", Recommendation,
         {"reviewer": "IMHS-7K3MQ9T5", "outcome": "approve"}),
    Deed("reach_consensus", f"{_A}/consensuses", "Record what disagreeing reviewers agreed on", Consensus,
         {"outcome": "approve"}),
    Deed("approve_application", f"{_A}/approvals", "Approve, award and issue the certificate"),
    Deed("defer_application", f"{_A}/deferrals", "Defer, with reasons", Deferral, {"reasons": ["more_rsc"]}),
    Deed("renew", f"{_E}/renewals", "Renew by attestation", Renewal, _ATTESTED, _attested),
    Deed("make_inactive", f"{_E}/inactivities", "Make it inactive, for two years at most", Inactivity,
         {"reason": "family_leave"}),
    Deed("reactivate", f"{_E}/reactivations", "Make an inactive one active again"),
    Deed("reinstate", f"{_E}/reinstatements", "Reinstate a lapsed one by attestation", Reinstating,
         {"training_hours": 15, "rsc_provider": "IMHM-C-7K3MQ9TJ", "membership": True, "ethics": True, "audit": True},
         _reinstating),
    Deed("suspend", f"{_E}/suspensions", "Suspend it while a finding is being established", Suspension,
         {"reason": "sanction_being_established"}),
    Deed("lift_suspension", f"{_E}/liftings", "Lift its suspension"),
    Deed("propose_removal", f"{_E}/proposals", "Propose its removal; a second person confirms", Removal,
         {"ground": "licensing_board_sanction"}),
    Deed("withdraw_removal_proposal", f"{_E}/proposal-withdrawals", "Take the proposal to remove it back"),
    Deed("remove", f"{_E}/removals", "Confirm the removal that somebody else proposed"),
    Deed("archive", f"{_E}/archivals", "Take it off the register for good, as its holder"),
    Deed("grant_add_on", f"{_E}/add-ons", "Grant ERS or Emerging ERS", NewAddOn, {"add_on": "ERS"}),
    Deed("settle_report", f"{_E}/settlements", "Settle an import that contradicted a decision made here"),
    Deed("issue_certificate", f"{_E}/certificates", "Issue a certificate where one is due", rule="issue_certificates"),
    Deed("request_transfer", f"{_P}/transfers", "Ask to move endorsements to another association", NewTransfer,
         {"to": "CT", "endorsements": ["IFS-7K3MQ9TD"]}),
    Deed("confirm_standing", f"{_T}/confirmations", "Confirm the standing, as the releasing association"),
    Deed("dispute_standing", f"{_T}/disputes", "Dispute the standing, as the releasing association", Dispute,
         {"reason": "open_audit"}),
    Deed("decide_dispute", f"{_T}/decisions", "Decide a dispute, as the Alliance", Decision, {"good_standing": True}),
    Deed("verify_membership", f"{_T}/memberships", "Verify membership, as the receiving association",
         VerifiedMembership, {"through": "2026-12-31"}),
    Deed("accept_transfer", f"{_T}/acceptances", "Accept: custody changes, certificates are issued anew", Acceptance,
         {"refuse": {"ECFS-7K3MQ9TX": "not_resident"}}),
    Deed("decline_transfer", f"{_T}/declines", "Decline, as the receiving association", Decline, {"reason": "other"}),
    Deed("cancel_transfer", f"{_T}/cancellations", "Take the request back"),
)  # fmt: skip

BY_NAME = {deed.name: deed for deed in DEEDS}

NOBODYS = Thing()
