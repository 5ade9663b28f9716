"""The deeds on transfers, as rows."""

from datetime import date

from domain.transfer import DeclineReason, DisputeReason
from registry.api.deeds.rows import Body, Deed, P, T


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


DEEDS: tuple[Deed, ...] = (
    Deed("request_transfer", f"{P}/transfers", "Ask to move endorsements to another association", NewTransfer,
         {"to": "CT", "endorsements": ["IFS-7K3MQ9TD"]}),
    Deed("confirm_standing", f"{T}/confirmations", "Confirm the standing, as the releasing association"),
    Deed("dispute_standing", f"{T}/disputes", "Dispute the standing, as the releasing association", Dispute,
         {"reason": "open_audit"}),
    Deed("decide_dispute", f"{T}/decisions", "Decide a dispute, as the Alliance", Decision, {"good_standing": True}),
    Deed("verify_membership", f"{T}/memberships", "Verify membership, as the receiving association",
         VerifiedMembership, {"through": "2026-12-31"}),
    Deed("accept_transfer", f"{T}/acceptances", "Accept: custody changes, certificates are issued anew", Acceptance,
         {"refuse": {"ECFS-7K3MQ9TX": "not_resident"}}),
    Deed("decline_transfer", f"{T}/declines", "Decline, as the receiving association", Decline, {"reason": "other"}),
    Deed("cancel_transfer", f"{T}/cancellations", "Take the request back"),
)  # fmt: skip
