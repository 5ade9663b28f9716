"""An application: one person, one category, judged under the edition of the day it is submitted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Literal

from domain.aggregate import Aggregate
from domain.association import Row
from domain.category import CATEGORIES
from domain.editions import edition_for
from domain.errors import Forbidden, Invalid, NotInForce, OutOfTurn, RequirementsNotMet
from domain.event import Claims, Event
from domain.policy import Tally

Outcome = Literal["approve", "hold", "defer"]
Kind = Literal["initial", "additional", "add_on", "reinstatement"]
DeferReason = Literal["more_training", "more_rsc", "more_experience", "competencies_not_shown", "references"]
Tie = Literal["rater", "rsc_provider", "advisor", "relative", "colleague", "self"]

MOST_REVIEWERS = 3


class Application(Aggregate):
    """From start to decision. Open ones are claimed: one per person (R3, AZ-POL)."""

    kind: ClassVar[str] = "application"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.state = "unknown"
        self.person = ""
        self.association = ""
        self.category = ""
        self.edition = ""
        self.submitted_on: date | None = None
        self.providers: frozenset[str] = frozenset()
        self.reviewers: dict[str, Outcome | None] = {}
        self.reviewing_people: dict[str, str] = {}
        self.consensus: Outcome | None = None

    class Started(Event, frozen=True):
        topic: ClassVar[str] = "application.started"
        person: str
        association: str
        category: str
        kind: Kind = "initial"

        def apply(self, application: Application) -> None:
            application.state = "building"
            application.person = self.person
            application.association = self.association
            application.category = self.category

        def claims(self) -> Claims:
            return Claims(take=(_open(self.person),))

    class Submitted(Event, frozen=True):
        """What was handed in, what it added up to, and the edition that found it enough."""

        topic: ClassVar[str] = "application.submitted"
        edition: str
        entries: tuple[str, ...]
        tally: Tally
        providers: tuple[str, ...] = ()
        code_of_ethics: str = ""
        agreement: str = ""
        draft: bool = False

        def apply(self, application: Application) -> None:
            application.state = "submitted"
            application.edition = self.edition
            application.submitted_on = self.on
            application.providers = frozenset(self.providers)
            application.reviewers = {}
            application.consensus = None

    class ReviewerAssigned(Event, frozen=True):
        """`reviewer` is the reviewer's own endorsement; `person` the human behind it."""

        topic: ClassVar[str] = "application.reviewer_assigned"
        reviewer: str
        person: str

        def apply(self, application: Application) -> None:
            application.state = "in_review"
            application.reviewers[self.reviewer] = None
            application.reviewing_people[self.reviewer] = self.person

    class ReviewerRecused(Event, frozen=True):
        topic: ClassVar[str] = "application.reviewer_recused"
        reviewer: str
        tie: Tie

        def apply(self, application: Application) -> None:
            application.reviewers.pop(self.reviewer, None)
            if not application.reviewers:
                application.state = "submitted"

    class ReviewRecommended(Event, frozen=True):
        topic: ClassVar[str] = "application.review_recommended"
        reviewer: str
        outcome: Outcome
        reasons: tuple[DeferReason, ...] = ()

        def apply(self, application: Application) -> None:
            application.reviewers[self.reviewer] = self.outcome

    class ConsensusReached(Event, frozen=True):
        """Reviewers who disagree are never averaged; the coordinator brings them together (R15)."""

        topic: ClassVar[str] = "application.consensus_reached"
        outcome: Outcome

        def apply(self, application: Application) -> None:
            application.consensus = self.outcome

    class Approved(Event, frozen=True):
        topic: ClassVar[str] = "application.approved"
        edition: str
        number: str
        person: str

        def apply(self, application: Application) -> None:
            application.state = "approved"

        def claims(self) -> Claims:
            return Claims(release=(_open(self.person),))

    class Deferred(Event, frozen=True):
        topic: ClassVar[str] = "application.deferred"
        reasons: tuple[DeferReason, ...]
        may_resubmit_from: date | None = None

        def apply(self, application: Application) -> None:
            application.state = "deferred"

    class Withdrawn(Event, frozen=True):
        topic: ClassVar[str] = "application.withdrawn"
        person: str

        def apply(self, application: Application) -> None:
            application.state = "withdrawn"

        def claims(self) -> Claims:
            return Claims(release=(_open(self.person),))

    # -- deeds ------------------------------------------------------------------------------------------------------

    def start(
        self, person: str, category: str, association: Row, *, residence: str, additional: bool, on: date, by: str
    ) -> None:
        """Apply where you live (R1); only a category the association offers, and a current one."""
        if category not in CATEGORIES or CATEGORIES[category].retired:
            raise NotInForce(f"The category {category}", on)
        if category not in association.offers:
            raise Invalid(f"{association.name} does not offer {category}; choose another category.", field="category")
        if residence != association.code:
            raise Invalid(
                f"Apply where you live: residence is {residence}, this is {association.code} (AZ-POL, NE-POL).",
                field="association",
            )
        self.record(
            self.Started,
            person=person,
            association=association.code,
            category=category,
            kind="additional" if additional else "initial",
            on=on,
            by=by,
        )

    def submit(
        self, tally: Tally, entries: Sequence[str], providers: Sequence[str], *, signed: bool, on: date, by: str
    ) -> None:
        """Judge the portfolio under the edition of the day (design section 10). Raises RequirementsNotMet."""
        self.refuse_unless(self.state, "building", "deferred", can=self.can())
        if not signed:
            raise Invalid("Sign the code of ethics and the endorsement agreement first (R4).", field="signed")
        edition = edition_for(self.category, on)
        if missing := edition.missing(tally):
            raise RequirementsNotMet(edition.name, missing)
        self.record(
            self.Submitted,
            edition=edition.name,
            entries=tuple(entries),
            tally=tally,
            providers=tuple(providers),
            code_of_ethics="signed",
            agreement="signed",
            draft=edition.draft,
            on=on,
            by=by,
        )

    def assign(self, reviewer: str, person: str, held: str, *, on: date, by: str) -> None:
        """Assign a reviewer by their endorsement; `held` is the category it is active in that day, or empty (R14)."""
        self.refuse_unless(self.state, "submitted", "in_review", can=self.can())
        if len(self.reviewers) >= MOST_REVIEWERS:
            raise OutOfTurn(self.stream, state="fully_assigned", needs=["submitted"], can=self.can())
        if reviewer in self.reviewers:
            raise Invalid("This reviewer is assigned already.", field="reviewer")
        if not held or not may_review(held.partition("+")[0], self.category):
            raise Invalid(
                f"{reviewer} may not review {self.category}: not active, or not of a category that may.",
                field="reviewer",
            )
        if person == self.person or reviewer in self.providers:
            raise Invalid(
                "A reviewer is never the applicant nor their provider of RSC (design section 10).", field="reviewer"
            )
        self.record(self.ReviewerAssigned, reviewer=reviewer, person=person, on=on, by=by)

    def recuse(self, reviewer: str, tie: Tie, *, on: date, by: str) -> None:
        self._must_be_reviewing(reviewer)
        self.record(self.ReviewerRecused, reviewer=reviewer, tie=tie, on=on, by=by)

    def recommend(
        self, reviewer: str, outcome: Outcome, reasons: Sequence[DeferReason] = (), *, on: date, by: str
    ) -> None:
        self._must_be_reviewing(reviewer)
        if self.reviewers[reviewer] is not None:
            raise OutOfTurn(self.stream, state="recommended", needs=["in_review"], can=self.can())
        if outcome != "approve" and not reasons:
            raise Invalid("Say why, so that the applicant knows what to do next.", field="reasons")
        self.record(self.ReviewRecommended, reviewer=reviewer, outcome=outcome, reasons=tuple(reasons), on=on, by=by)

    def reach_consensus(self, outcome: Outcome, *, on: date, by: str) -> None:
        self.refuse_unless(self.state, "in_review", can=self.can())
        if None in self.reviewers.values() or len(set(self.reviewers.values())) == 1:
            raise OutOfTurn(self.stream, state="without_disagreement", needs=["in_review"], can=self.can())
        self.record(self.ConsensusReached, outcome=outcome, on=on, by=by)

    def approve(self, number: str, reviewers: int, *, on: date, by: str) -> None:
        """`reviewers`: how many judgements the association's row asks for. All must agree, or a consensus (R15)."""
        self._must_be_judged("approve", reviewers)
        self.record(self.Approved, edition=self.edition, number=number, person=self.person, on=on, by=by)

    def defer(
        self, reasons: Sequence[DeferReason], may_resubmit_from: date | None, *, reviewers: int, on: date, by: str
    ) -> None:
        self._must_be_judged("defer", reviewers)
        if not reasons:
            raise Invalid("Give at least one reason.", field="reasons")
        self.record(self.Deferred, reasons=tuple(reasons), may_resubmit_from=may_resubmit_from, on=on, by=by)

    def withdraw(self, *, on: date, by: str) -> None:
        self.refuse_unless(self.state, "building", "submitted", "in_review", "deferred", can=self.can())
        self.record(self.Withdrawn, person=self.person, on=on, by=by)

    def can(self) -> list[str]:
        """The deeds possible in this state, for messages and pages."""
        return {
            "building": ["submit", "withdraw"],
            "deferred": ["submit", "withdraw"],
            "submitted": ["assign a reviewer", "withdraw"],
            "in_review": ["assign a reviewer", "recommend", "reach consensus", "approve", "defer", "withdraw"],
        }.get(self.state, [])

    @property
    def judgement(self) -> Outcome | None:
        """What the reviewers say together: their one outcome, the consensus, or nothing yet."""
        outcomes = set(self.reviewers.values())
        if self.consensus:
            return self.consensus
        return outcomes.pop() if len(outcomes) == 1 else None

    def _must_be_reviewing(self, reviewer: str) -> None:
        self.refuse_unless(self.state, "in_review", can=self.can())
        if reviewer not in self.reviewers:
            raise Forbidden("This application is not assigned to that reviewer.", field="reviewer")

    def _must_be_judged(self, outcome: Outcome, reviewers: int) -> None:
        self.refuse_unless(self.state, "in_review", can=self.can())
        given = [judged for judged in self.reviewers.values() if judged]
        if len(given) < max(reviewers, len(self.reviewers)):
            state = f"waiting_for_{max(reviewers, len(self.reviewers)) - len(given)}_more_review(s)"
            raise OutOfTurn(self.stream, state=state, needs=["reviewed"], can=["assign a reviewer", "recommend"])
        if self.judgement != outcome:
            raise OutOfTurn(
                self.stream,
                state=f"recommended_{self.judgement}" if self.judgement else "disagreed",
                needs=[f"recommended_{outcome}"],
                can=["reach consensus"] if not self.judgement else [self.judgement],
            )


_REVIEWS: dict[str, frozenset[str]] = {
    # Who may review what is a row per slot, not an order (*ours*, after WA-FAQ).
    "FA": frozenset({"FA", "FS", "FRS", "MHS", "MHM-C", "MHM-P", "MHM-RF"}),
    "FS": frozenset({"FS", "FRS", "MHS", "MHM-C", "MHM-P", "MHM-RF"}),
    "MHS": frozenset({"MHS", "MHM-C"}),
    "MHM-C": frozenset({"MHM-C"}),
    "MHM-P": frozenset({"MHM-P"}),
    "MHM-RF": frozenset({"MHM-RF"}),
}


def may_review(own: str, category: str) -> bool:
    """Whether an endorsement in category `own` may review an application for `category`."""
    return CATEGORIES[own].slot in _REVIEWS.get(CATEGORIES[category].slot, frozenset())


def _open(person: str) -> str:
    return f"open_application/{person}"
