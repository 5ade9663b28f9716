"""What may come of each deed: a table in plain Python, written from the rules and not from the aggregates.

A row: the kind of case whose state the deed turns, and for each state in which it may succeed the states it may lead
to, separated by blanks. `new` is the state of what is not there yet. What stands in no row may not succeed.
"""

from __future__ import annotations

_STAYS = "stays"
_OPEN = (
    "started", "building", "submitted", "in_review", "on_hold", "deferred", "exam_approved", "exam_booked",
    "exam_passed",
)  # fmt: skip
_MOVING = ("requested", "confirmed", "disputed", "unanswered")


def _from(*states: str, to: str = _STAYS) -> dict[str, str]:
    return {state: state if to == _STAYS else to for state in states}


def _endorsement(*states: str, to: str = _STAYS) -> dict[str, str]:
    """With a proposal to remove it, which most deeds leave as it is."""
    plain = _from(*states, to=to)
    proposed = {f"{state}+proposed": " ".join(f"{after}+proposed" for after in plain[state].split()) for state in plain}
    return plain | proposed


_ANY = ("active", "lapsed", "inactive", "emeritus", "suspended", "removed", "archived")
_ALIVE = ("active", "lapsed", "inactive", "emeritus", "suspended")
_ENDS = ("active", "lapsed", "inactive", "emeritus", "suspended", "removed", "archived", "erased")

TURNS: dict[str, tuple[str, dict[str, str]]] = {
    # Associations: what counts is their licence.
    "admit": ("association", {"new": "guidelines endorsement"}),
    **dict.fromkeys(
        ("rename_association", "offer_category", "withdraw_category", "change_reviewers", "appoint_coordinator",
         "stand_down_coordinator"),
        ("association", _from("endorsement", "guidelines", "suspended", "ended")),
    ),
    "grant_licence": ("association", {"guidelines": "endorsement", "ended": "guidelines endorsement"}),
    "suspend_licence": ("association", {"endorsement": "suspended"}),
    "resume_licence": ("association", {"suspended": "endorsement"}),
    "end_licence": ("association", _from("endorsement", "guidelines", "suspended", to="ended")),
    "take_over_people": ("association", _from("endorsement")),
    "load_competencies": ("association", _from("endorsement", "guidelines", "suspended", "ended")),
    "draw_audit": ("audit", {"new": "open"}),
    "draw_quality_sample": ("quality_review", {"new": "open"}),
    # People.
    "register_person": ("person", {"new": "known"}),
    **dict.fromkeys(
        ("rename_person", "move_person", "choose_publication", "record_membership", "record_entry", "withdraw_entry",
         "vet_provider", "record_reviewer_training", "write_note", "end_membership",
         "verify_membership_elsewhere", "volunteer_demographics", "withdraw_demographics", "choose_provider_listing",
         "share", "end_share"),
        ("person", _from("known")),
    ),
    **dict.fromkeys(("request_erasure", "confirm_erasure", "cancel_erasure"), ("person", _from("known", "died"))),
    "report_death": ("person", {"known": "died"}),
    # To say that they are one merges them.
    "settle_likeness": ("person", {**_from("merged", "died", "erased"), "known": "known merged"}),
    "merge_persons": ("person", {"known": "known merged"}),
    "split_persons": ("person", {"known": "known", "merged": "known"}),
    # References.
    "nominate_rater": ("reference", {"new": "nominated requested"}),
    "request_rating": ("reference", _from("nominated", "requested", to="requested")),
    "remind_rater": ("reference", _from("requested")),
    "vet_rater": ("reference", _from("nominated", "requested", "rated")),
    "relay_reasons": ("reference", _from("rated", "rejected")),
    "withdraw_nomination": ("reference", _from("nominated", "requested", to="withdrawn")),
    "record_rating": ("reference", {"requested": "rated rejected"}),
    "decline_rating": ("reference", {"requested": "declined"}),
    # Applications.
    "start_application": ("application", {"new": "started"}),
    "accept_registration": ("application", {"started": "building"}),
    "refuse_registration": ("application", {"started": "refused"}),
    "settle_fee": ("application", _from("started", "building", "submitted", "in_review", "on_hold")),
    "change_category": ("application", _from("started", "building")),
    "assign_advisor": ("application", _from("started", "building", "deferred", "on_hold")),
    "submit_application": ("application", _from("building", "deferred", to="submitted")),
    "amend_application": ("application", {"on_hold": "in_review submitted"}),
    "withdraw_application": ("application", _from(*sorted({*_OPEN, "appealed"} - {"exam_booked"}), to="withdrawn")),
    "issue_letter": ("application", _from(*sorted(set(_OPEN) - {"started"}))),
    "assign_reviewer": ("application", _from("submitted", "in_review", to="in_review")),
    "recuse_reviewer": ("application", {"in_review": "in_review submitted"}),
    "assess_competencies": ("application", _from("in_review")),
    "recommend": ("application", _from("in_review")),
    "reach_consensus": ("application", _from("in_review")),
    "approve_application": ("application", _from("in_review", "exam_passed", to="approved")),
    "put_on_hold": ("application", {"in_review": "on_hold"}),
    "defer_application": ("application", {"in_review": "deferred"}),
    "decline_application": ("application", {"in_review": "declined"}),
    "appeal": ("application", _from("deferred", "declined", to="appealed")),
    "decide_appeal": ("application", {"appealed": "deferred declined submitted"}),
    "approve_for_exam": ("application", {"in_review": "exam_approved"}),
    "book_exam": ("application", {"exam_approved": "exam_booked"}),
    "cancel_exam": ("application", {"exam_booked": "exam_approved"}),
    # Exams.
    "record_sitting": ("exam", {"booked": "sat"}),
    "assign_scorer": ("exam", _from("booked", "sat")),
    "recuse_scorer": ("exam", _from("booked", "sat")),
    "score_part_1": ("exam", _from("sat")),
    "score_part_2": ("exam", _from("sat")),
    "decide_exam": ("exam", {"sat": "passed failed"}),
    # Endorsements.
    "renew": ("endorsement", _endorsement("active")),
    "make_inactive": ("endorsement", _endorsement("active", to="inactive")),
    "reactivate": ("endorsement", _endorsement("inactive", to="active")),
    "reinstate": ("endorsement", _endorsement("lapsed", "inactive", to="active")),
    "suspend": ("endorsement", _endorsement("active", "inactive", "lapsed", "emeritus", to="suspended")),
    "lift_suspension": ("endorsement", _endorsement("suspended", to="active inactive lapsed emeritus")),
    "grant_emeritus": ("endorsement", _endorsement("active", "inactive", to="emeritus")),
    "report_sanction": ("endorsement", _endorsement(*_ALIVE)),
    "settle_sanction": ("endorsement", _endorsement(*_ALIVE)),
    "propose_removal": ("endorsement", {state: f"{state}+proposed" for state in _ALIVE}),
    "withdraw_removal_proposal": ("endorsement", {f"{state}+proposed": state for state in _ALIVE}),
    "remove": ("endorsement", {f"{state}+proposed": "removed removed+proposed" for state in _ALIVE}),
    "archive": ("endorsement", _endorsement("active", "inactive", "lapsed", "emeritus", to="archived")),
    "grant_add_on": ("endorsement", _endorsement("active")),
    "convert": ("endorsement", _endorsement("active", "inactive", "lapsed", "suspended")),
    # What was recorded wrongly of one that has ended is corrected too; it has ended all the same.
    "correct": (
        "endorsement",
        _endorsement(*_ALIVE, to="active lapsed inactive emeritus suspended")
        | _endorsement("removed", "archived", "erased"),
    ),
    "settle_report": ("endorsement", _endorsement(*_ANY)),
    "issue_certificate": ("endorsement", _endorsement("active")),
    # Audits.
    **dict.fromkeys(
        ("send_audit_notice", "submit_audit_evidence", "pass_audit", "fail_audit", "leave_unremedied",
         "drop_from_audit"),
        ("audit", _from("open")),
    ),
    "close_audit": ("audit", {"open": "closed"}),
    # Transfers.
    "request_transfer": ("transfer", {"new": "requested"}),
    "confirm_standing": ("transfer", _from("requested", "unanswered", to="confirmed")),
    "dispute_standing": ("transfer", {"requested": "disputed"}),
    "decide_dispute": ("transfer", _from("disputed", "unanswered", to="confirmed refused")),
    "hold_transfer": ("transfer", _from(*_MOVING)),
    "release_transfer": ("transfer", _from(*_MOVING)),
    "verify_membership": ("transfer", _from(*_MOVING)),
    "accept_transfer": ("transfer", {"confirmed": "completed"}),
    "decline_transfer": ("transfer", _from(*_MOVING, to="declined")),
    "take_custody": ("transfer", _from("completed", "declined")),
    "cancel_transfer": ("transfer", _from(*_MOVING, to="cancelled")),
    # Quality reviews.
    **dict.fromkeys(
        ("assign_second_reviewer", "record_second_review", "compute_agreement", "raise_finding", "resolve_finding"),
        ("quality_review", _from("open")),
    ),
    "close_quality_review": ("quality_review", {"open": "closed"}),
    # Employers.
    "admit_employer": ("employer", {"new": "admitted"}),
    "end_employer": ("employer", {"admitted": "ended"}),
    **dict.fromkeys(
        ("change_employer_contact", "follow", "unfollow", "choose_mails", "set_webhook", "end_webhook",
         "test_webhook", "replay_webhook"),
        ("employer", _from("admitted")),
    ),
}  # fmt: skip


class Model:
    """Holds what was seen against the table."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str, str]] = set()

    def check(self, deed: str, was: str, now: str, *, late: bool = False) -> None:
        """Raises AssertionError for an outcome that the table does not know. `now`: of the same case, afterwards.

        What was done to an endorsement on a past day may be over by now.
        """
        kind, turns = TURNS[deed]
        was = "new" if "new" in turns else was
        self.seen.add((deed, was, now))
        able = turns.get(was, "").split()
        if late and was == "lapsed":
            able += turns.get("active", "").split()  # it was good on that day
        able += [state.replace("active", "lapsed") for state in able if late and state.startswith("active")]
        assert now in able, f"{deed}: {kind} went from {was} to {now}"
