"""The deeds on audits, as rows."""

from datetime import date

from domain.audit import Remedy
from registry.api.deeds.rows import Body, Deed


class AuditSample(Body, frozen=True):
    """`seed`: at least 16 characters of your own, or none for a random one; either way it is recorded."""

    cycle: int
    seed: str = ""


class AuditNotice(Body, frozen=True):
    answer_by: date


class AuditEvidence(Body, frozen=True):
    entries: tuple[str, ...]


class AuditRemedy(Body, frozen=True):
    remedy: Remedy
    remedy_by: date


_I = "/audits/{audit}/endorsements/{number}"

DEEDS: tuple[Deed, ...] = (
    Deed("draw_audit", "/associations/{code}/audits", "Draw a sample of an association's renewals for an audit",
         AuditSample, {"cycle": 2027}),
    Deed("send_audit_notice", f"{_I}/notices", "Tell the holder, and why it is them", AuditNotice,
         {"answer_by": "2028-03-31"}),
    Deed("submit_audit_evidence", f"{_I}/evidence", "Show what was attested, as the holder", AuditEvidence,
         {"entries": ["E4", "E7"]}),
    Deed("pass_audit", f"{_I}/passes", "The audit is passed"),
    Deed("fail_audit", f"{_I}/failures", "Something is missing: what, and by when", AuditRemedy,
         {"remedy": "training_hours", "remedy_by": "2028-06-30"}),
    Deed("leave_unremedied", f"{_I}/ends", "The day came and nothing was shown"),
    Deed("drop_from_audit", f"{_I}/drops", "Leave it out: it has ended meanwhile"),
    Deed("close_audit", "/audits/{audit}/closings", "Close it, once everybody's is decided"),
)  # fmt: skip
