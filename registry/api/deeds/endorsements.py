"""The deeds on endorsements, as rows."""

from datetime import date
from typing import Any

from domain.application import Settled
from domain.category import AddOn
from domain.endorsement import (
    CorrectionReason,
    InactiveReason,
    LateFee,
    RemovalGround,
    SanctionOutcome,
    SanctionSource,
    SuspendReason,
)
from domain.event import LateReason
from domain.policy import Attestation, Reinstatement
from registry.api.deeds.rows import Body, Deed, E


class Renewal(Attestation, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a holder attests. `late_fee`: how it was settled, in the days of grace where one is asked."""

    late_fee: LateFee | None = None
    on: date | None = None
    late: LateReason | None = None


class Reinstating(Reinstatement, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a lapsed holder attests, and how the fee was settled: `amount` in minor units (cents)."""

    fee: Settled | None = None
    amount: int = 0
    currency: str = ""
    sponsor: str = ""
    on: date | None = None
    late: LateReason | None = None


class Inactivity(Body, frozen=True):
    reason: InactiveReason


class Suspension(Body, frozen=True):
    reason: SuspendReason


class Sanction(Body, frozen=True):
    """`board`: the code of the licensing board; none for a finding of fraud."""

    source: SanctionSource
    decided_on: date
    board: str = ""


class SettledSanction(Body, frozen=True):
    outcome: SanctionOutcome


class Correction(Body, frozen=True):
    """`corrects`: the version of the fact; it never was (`void`), was of another `day`, or good `through` another."""

    corrects: int
    reason: CorrectionReason
    void: bool = False
    day: date | None = None
    through: date | None = None


class Removal(Body, frozen=True):
    ground: RemovalGround


class NewAddOn(Body, frozen=True):
    add_on: AddOn


def _attested(body: Renewal) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (Attestation(**{name: getattr(body, name) for name in Attestation.__struct_fields__}),), {
        "late_fee": body.late_fee
    }


def _reinstating(body: Reinstating) -> tuple[tuple[Any, ...], dict[str, Any]]:
    attested = Reinstatement(**{name: getattr(body, name) for name in Reinstatement.__struct_fields__})
    return (attested,), {name: getattr(body, name) for name in ("fee", "amount", "currency", "sponsor")}


_ATTESTED = {"training_hours": 45, "rsc_hours": 36, "membership": True, "ethics": True, "no_sanction": True}

DEEDS: tuple[Deed, ...] = (
    Deed("renew", f"{E}/renewals", "Renew by attestation", Renewal, _ATTESTED, _attested),
    Deed("make_inactive", f"{E}/inactivities", "Make it inactive, for two years at most", Inactivity,
         {"reason": "family_leave"}),
    Deed("reactivate", f"{E}/reactivations", "Make an inactive one active again"),
    Deed("reinstate", f"{E}/reinstatements", "Reinstate a lapsed one by attestation", Reinstating,
         {"training_hours": 15, "rsc_provider": "IMHM-C-7K3MQ9TJ", "membership": True, "ethics": True, "audit": True},
         _reinstating),
    Deed("suspend", f"{E}/suspensions", "Suspend it while a finding is being established", Suspension,
         {"reason": "sanction_being_established"}),
    Deed("lift_suspension", f"{E}/liftings", "Lift its suspension"),
    Deed("grant_emeritus", f"{E}/honours", "Grant emeritus status, on request of the holder"),
    Deed("report_sanction", f"{E}/sanctions", "Document what a removal may rest on", Sanction,
         {"source": "board_notice", "decided_on": "2026-05-04", "board": "VA-LPC"}),
    Deed("settle_sanction", f"{E}/sanction-settlements", "Settle a reported sanction without removal", SettledSanction,
         {"outcome": "unfounded"}),
    Deed("propose_removal", f"{E}/proposals", "Propose its removal; a second person confirms", Removal,
         {"ground": "licensing_board_sanction"}),
    Deed("withdraw_removal_proposal", f"{E}/proposal-withdrawals", "Take the proposal to remove it back"),
    Deed("remove", f"{E}/removals", "Confirm the removal that somebody else proposed"),
    Deed("archive", f"{E}/archivals", "Take it off the register for good, as its holder"),
    Deed("grant_add_on", f"{E}/add-ons", "Grant ERS or Emerging ERS", NewAddOn, {"add_on": "ERS"}),
    Deed("convert", f"{E}/conversions", "Convert a retired category into its successor with ERS"),
    Deed("correct", f"{E}/corrections", "Correct what was recorded wrongly; the old record stays", Correction,
         {"corrects": 3, "reason": "wrong_day", "through": "2027-12-31"}),
    Deed("settle_report", f"{E}/settlements", "Settle an import that contradicted a decision made here"),
    Deed("issue_certificate", f"{E}/certificates", "Issue a certificate where one is due", rule="issue_certificates"),
)  # fmt: skip
