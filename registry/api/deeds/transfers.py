"""The deeds on transfers, as rows."""

from datetime import date

from domain.transfer import DeclineReason, DisputeReason, HoldReason
from registry.api.deeds.rows import Body, Deed, P, T


class NewTransfer(Body, frozen=True):
    to: str
    endorsements: tuple[str, ...]


class Dispute(Body, frozen=True):
    reason: DisputeReason


class Decision(Body, frozen=True):
    good_standing: bool


class VerifiedMembership(Body, frozen=True):
    """`through`: the last day, on the coordinator's word; left out, the membership on record counts."""

    through: date | None = None


class Hold(Body, frozen=True):
    reason: HoldReason
    endorsements: tuple[str, ...]


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
    Deed("decide_dispute", f"{T}/decisions", "Decide a dispute or a silence of 14 days, as the Alliance", Decision,
         {"good_standing": True}),
    Deed("hold_transfer", f"{T}/holds", "Put endorsements on hold until something is settled", Hold,
         {"reason": "open_sanction", "endorsements": ["IFS-7K3MQ9TD"]}),
    Deed("release_transfer", f"{T}/releases", "Let go on what is settled"),
    Deed("verify_membership", f"{T}/memberships", "Verify membership, as the receiving association",
         VerifiedMembership, {"through": "2026-12-31"}),
    Deed("accept_transfer", f"{T}/acceptances", "Accept: custody changes, certificates are issued anew", Acceptance,
         {"refuse": {"ECFS-7K3MQ9TX": "not_resident"}}),
    Deed("decline_transfer", f"{T}/declines", "Decline, as the receiving association", Decline, {"reason": "other"}),
    Deed("take_custody", f"{T}/custody", "Take what the receiving association does not offer, as the Alliance"),
    Deed("cancel_transfer", f"{T}/cancellations", "Take the request back"),
)  # fmt: skip
