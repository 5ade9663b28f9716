"""The deeds on references, as rows."""

from datetime import date

from domain.policy import Relationship
from domain.reference import DeclineReason, Recommendation, Score
from registry.api.deeds.rows import Body, Deed, P, R


class NewRater(Body, frozen=True):
    """`waiver`: the applicant gives up the right to see the content; it can't be changed later."""

    relationship: Relationship
    name: str
    email: str
    waiver: bool
    endorsement: str = ""
    known_since: date | None = None


class RaterVetting(Body, frozen=True):
    qualified: bool
    note: str


class NewRating(Body, frozen=True):
    """`code`: of the letter to the rater. `answers`: for each code asked 1 (not yet) to 4 (always), or `unknown`."""

    code: str
    answers: dict[str, Score]
    recommendation: Recommendation
    known_a_year: bool
    comment: str = ""


class NoRating(Body, frozen=True):
    code: str
    reason: DeclineReason


class Reasons(Body, frozen=True):
    reasons: str


_CODE = "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ"
_ANSWERS = {"TF": 3, "LR": "unknown", "SE": 3, "DS": 4, "WO": 4, "CO": 3, "TH": 3, "RF": 4}

DEEDS: tuple[Deed, ...] = (
    Deed("nominate_rater", f"{P}/references", "Nominate a rater, who gets a letter with a link", NewRater,
         {"relationship": "supervisor", "name": "Ada Rater", "email": "ada@example.org", "waiver": True}),
    Deed("request_rating", f"{R}/requests", "Send the rater a new link; the old one stops working"),
    Deed("remind_rater", f"{R}/reminders", "Remind the rater"),
    Deed("vet_rater", f"{R}/vettings", "Vet a rater who is not endorsed", RaterVetting,
         {"qualified": True, "note": "Spoke by phone; knows the Guidelines well."}),
    Deed("relay_reasons", f"{R}/reasons", "Tell the applicant the reasons", Reasons,
         {"reasons": "More about reflection, with examples."}),
    Deed("withdraw_nomination", f"{R}/withdrawals", "Take the nomination back"),
    Deed("record_rating", "/ratings", "Give a rating, by the code of the letter", NewRating,
         {"code": _CODE, "answers": _ANSWERS, "recommendation": "recommend", "known_a_year": True}),
    Deed("decline_rating", "/ratings/declined", "Decline to give a rating, by the code of the letter", NoRating,
         {"code": _CODE, "reason": "not_known_well_enough"}),
)  # fmt: skip
