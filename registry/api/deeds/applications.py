"""The deeds on applications, as rows."""

from datetime import date

from domain.application import Charge, DeferReason, Outcome, RefuseReason, Settled, Tie, Verdict
from domain.category import AddOn
from registry.api.deeds.rows import A, Body, Deed, P


class NewApplication(Body, frozen=True):
    """For a category at the association of residence; or for an add-on to an endorsement."""

    association: str = ""
    category: str = ""
    add_on: AddOn | None = None
    add_on_to: str = ""


class FeeSettled(Body, frozen=True):
    """`amount` in minor units (cents); `sponsor` an organisation's code."""

    what: Charge
    how: Settled
    amount: int = 0
    currency: str = ""
    sponsor: str = ""


class Registration(Body, frozen=True):
    """What is not on record yet: how the fee was settled, and the days of the membership."""

    fee: Settled | None = None
    amount: int = 0
    currency: str = ""
    sponsor: str = ""
    member_from: date | None = None
    member_through: date | None = None


class RefusedRegistration(Body, frozen=True):
    reason: RefuseReason


class OtherCategory(Body, frozen=True):
    to: str


class Advisor(Body, frozen=True):
    advisor: str


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


class ReviewReasons(Body, frozen=True):
    reasons: tuple[DeferReason, ...]


class AppealDecision(Body, frozen=True):
    verdict: Verdict


class Deferral(Body, frozen=True):
    reasons: tuple[DeferReason, ...]
    may_resubmit_from: date | None = None


DEEDS: tuple[Deed, ...] = (
    Deed("start_application", f"{P}/applications", "Start an application", NewApplication,
         {"association": "VA", "category": "IFS"}),
    Deed("accept_registration", f"{A}/registrations", "Accept the registration", Registration,
         {"fee": "paid", "amount": 2500, "currency": "USD", "member_through": "2026-12-31"}),
    Deed("refuse_registration", f"{A}/refusals", "Refuse the registration", RefusedRegistration,
         {"reason": "not_a_member"}),
    Deed("settle_fee", f"{A}/fees", "Record how a fee was settled", FeeSettled,
         {"what": "processing", "how": "sponsored", "amount": 10000, "currency": "USD", "sponsor": "DBHDS"}),
    Deed("change_category", f"{A}/categories", "Change the category before submission", OtherCategory, {"to": "IFA"}),
    Deed("assign_advisor", f"{A}/advisors", "Assign an advisor by the number of their endorsement", Advisor,
         {"advisor": "IMHM-C-7K3MQ9TJ"}),
    Deed("submit_application", f"{A}/submissions", "Submit it for review", Submission, {"signed": True}),
    Deed("amend_application", f"{A}/amendments", "Hand in what was asked for, as the portfolio is now"),
    Deed("issue_letter", f"{A}/letters", "Make a signed letter that it is open: no endorsement, good for 90 days"),
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
    Deed("put_on_hold", f"{A}/holds", "Put it on hold, and say what to change", ReviewReasons,
         {"reasons": ["more_training"]}),
    Deed("defer_application", f"{A}/deferrals", "Defer, with reasons", Deferral, {"reasons": ["more_rsc"]}),
    Deed("decline_application", f"{A}/declines", "Decline it for good, as the reviewers agreed", ReviewReasons,
         {"reasons": ["competencies_not_shown"]}),
    Deed("appeal", f"{A}/appeals", "Appeal to the Alliance"),
    Deed("decide_appeal", f"{A}/appeal-decisions", "Decide the appeal", AppealDecision, {"verdict": "granted"}),
)  # fmt: skip
