"""The deeds on applications, as rows."""

from datetime import date

from domain.application import DeferReason, Outcome, Tie
from registry.api.deeds.rows import A, Body, Deed, P


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


class Assessment(Body, frozen=True):
    reviewer: str
    met: tuple[str, ...]
    not_met: tuple[str, ...] = ()


class Consensus(Body, frozen=True):
    outcome: Outcome


class Deferral(Body, frozen=True):
    reasons: tuple[DeferReason, ...]
    may_resubmit_from: date | None = None


DEEDS: tuple[Deed, ...] = (
    Deed("start_application", f"{P}/applications", "Start an application", NewApplication,
         {"association": "VA", "category": "IFS"}),
    Deed("submit_application", f"{A}/submissions", "Submit it for review", Submission, {"signed": True}),
    Deed("withdraw_application", f"{A}/withdrawals", "Withdraw it"),
    Deed("assign_reviewer", f"{A}/reviewers", "Assign a reviewer by the number of their endorsement", Reviewer,
         {"reviewer": "IMHS-7K3MQ9T5"}),
    Deed("recuse_reviewer", f"{A}/recusals", "Recuse a reviewer who has a tie to the applicant", Recusal,
         {"reviewer": "IMHS-7K3MQ9T5", "tie": "colleague"}),
    Deed("assess_competencies", f"{A}/assessments", "Judge the competencies, as the reviewer", Assessment,
         {"reviewer": "IMHS-7K3MQ9T5", "met": ["TF-1", "TF-2"], "not_met": ["DS-2"]}),
    Deed("recommend", f"{A}/recommendations", "Recommend, as the reviewer", Recommendation,
         {"reviewer": "IMHS-7K3MQ9T5", "outcome": "approve"}),
    Deed("reach_consensus", f"{A}/consensuses", "Record what disagreeing reviewers agreed on", Consensus,
         {"outcome": "approve"}),
    Deed("approve_application", f"{A}/approvals", "Approve, award and issue the certificate"),
    Deed("defer_application", f"{A}/deferrals", "Defer, with reasons", Deferral, {"reasons": ["more_rsc"]}),
)  # fmt: skip
