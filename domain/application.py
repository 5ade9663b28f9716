"""An application: one person, one category, judged under the edition of the day it is submitted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import ClassVar, Literal

from domain.aggregate import Aggregate
from domain.association import Row
from domain.category import CATEGORIES
from domain.editions import edition_for
from domain.errors import Forbidden, Invalid, NotInForce, OutOfTurn, RequirementsNotMet
from domain.event import Claims, Event
from domain.policy import Tally

Outcome = Literal["approve", "defer"]
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
        self.may_resubmit_from: date | None = None
        self.last_on = date.min
        self.providers: dict[str, str] = {}
        self.reviewers: dict[str, Outcome | None] = {}
        self.reviewing_people: dict[str, str] = {}
        self.recused: set[str] = set()
        self.consensus: Outcome | None = None

    def remember(self, event: Event) -> None:
        super().remember(event)
        self.last_on = max(self.last_on, event.on)

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
        """What was handed in, what it added up to, and the edition that found it enough.

        `person_version`: the portfolio as it stood then. `providers`: endorsement number and person of each
        provider of RSC, who may not review.
        """

        topic: ClassVar[str] = "application.submitted"
        edition: str
        person_version: int
        entries: tuple[str, ...]
        tally: Tally
        providers: dict[str, str] = {}
        code_of_ethics: str = ""
        agreement: str = ""
        draft: bool = False

        def apply(self, application: Application) -> None:
            application.state = "submitted"
            application.edition = self.edition
            application.submitted_on = self.on
            application.providers = self.providers
            application.reviewers = {}
            application.consensus = None

    class ReviewerAssigned(Event, frozen=True):
        """`reviewer` is the reviewer's own endorsement, active in `held` that day; `person` the human behind it."""

        topic: ClassVar[str] = "application.reviewer_assigned"
        reviewer: str
        person: str
        held: str

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
            application.recused.add(application.reviewing_people.get(self.reviewer, ""))
            application.consensus = None
            if not application.reviewers:
                application.state = "submitted"

    class ReviewRecommended(Event, frozen=True):
        topic: ClassVar[str] = "application.review_recommended"
        reviewer: str
        outcome: Outcome
        held: str
        reasons: tuple[DeferReason, ...] = ()

        def apply(self, application: Application) -> None:
            application.reviewers[self.reviewer] = self.outcome
            application.consensus = None

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
            application.may_resubmit_from = self.may_resubmit_from

    class Withdrawn(Event, frozen=True):
        topic: ClassVar[str] = "application.withdrawn"
        person: str

        def apply(self, application: Application) -> None:
            application.state = "withdrawn"

        def claims(self) -> Claims:
            return Claims(release=(_open(self.person),))

    # -- deeds ------------------------------------------------------------------------------------------------------

    def start(
        self,
        person: str,
        category: str,
        association: Row,
        *,
        residence: str,
        held: Collection[str],
        on: date,
        by: str,
    ) -> None:
        """Apply where you live (R1); a current category that the association offers and the person does not hold."""
        if category not in CATEGORIES or CATEGORIES[category].retired:
            raise NotInForce(f"The category {category}", on)
        if category not in association.offers:
            raise Invalid(f"{association.name} does not offer {category}; choose another category.", field="category")
        if category in held:
            raise Invalid(f"{category} is held already; renew it instead.", field="category")
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
            kind="additional" if held else "initial",
            on=on,
            by=by,
        )

    def submit(
        self,
        tally: Tally,
        entries: Sequence[str],
        providers: Mapping[str, str],
        *,
        person_version: int,
        signed: bool,
        on: date,
        by: str,
    ) -> None:
        """Judge the portfolio under the edition of the day (design section 10). Raises RequirementsNotMet."""
        self._must_be(on, "building", "deferred")
        if self.may_resubmit_from and on < self.may_resubmit_from:
            raise OutOfTurn(
                self.stream,
                state=f"deferred_until_{self.may_resubmit_from.isoformat()}",
                needs=["open for submission"],
                can=["withdraw"],
            )
        if not signed:
            raise Invalid("Sign the code of ethics and the endorsement agreement first (R4).", field="signed")
        edition = edition_for(self.category, on)
        if missing := edition.missing(tally):
            raise RequirementsNotMet(edition.name, missing)
        self.record(
            self.Submitted,
            edition=edition.name,
            person_version=person_version,
            entries=tuple(entries),
            tally=tally,
            providers=dict(providers),
            code_of_ethics="signed",
            agreement="signed",
            draft=edition.draft,
            on=on,
            by=by,
        )

    def assign(self, reviewer: str, person: str, held: str, *, on: date, by: str) -> None:
        """Assign a reviewer by their endorsement; `held` is the category it is active in that day, or empty (R14)."""
        self._must_be(on, "submitted", "in_review")
        if len(self.reviewers) >= MOST_REVIEWERS:
            raise OutOfTurn(self.stream, state="fully_assigned", needs=["submitted"], can=self.can())
        if person in {self.reviewing_people[number] for number in self.reviewers}:
            raise Invalid("This reviewer is assigned already.", field="reviewer")
        if person in self.recused:
            raise Invalid("This reviewer stepped back from this application; assign another one.", field="reviewer")
        self._must_be_able(reviewer, held)
        if person == self.person or person in self.providers.values():
            raise Invalid(
                "A reviewer is never the applicant nor their provider of RSC (design section 10).", field="reviewer"
            )
        self.record(self.ReviewerAssigned, reviewer=reviewer, person=person, held=held, on=on, by=by)

    def recuse(self, reviewer: str, tie: Tie, *, on: date, by: str) -> None:
        self._must_be_reviewing(reviewer, on)
        self.record(self.ReviewerRecused, reviewer=reviewer, tie=tie, on=on, by=by)

    def recommend(
        self, reviewer: str, outcome: Outcome, held: str, reasons: Sequence[DeferReason] = (), *, on: date, by: str
    ) -> None:
        """`held`: what the reviewer's own endorsement is active in that day; it has to be, also now (R14)."""
        self._must_be_reviewing(reviewer, on)
        if self.reviewers[reviewer] is not None:
            raise OutOfTurn(self.stream, state="recommended", needs=["in_review"], can=self.can())
        self._must_be_able(reviewer, held)
        if outcome != "approve" and not reasons:
            raise Invalid("Say why, so that the applicant knows what to do next.", field="reasons")
        self.record(
            self.ReviewRecommended,
            reviewer=reviewer,
            outcome=outcome,
            held=held,
            reasons=tuple(reasons),
            on=on,
            by=by,
        )

    def reach_consensus(self, outcome: Outcome, *, on: date, by: str) -> None:
        self._must_be(on, "in_review")
        if None in self.reviewers.values() or len(set(self.reviewers.values())) == 1:
            raise OutOfTurn(self.stream, state="without_disagreement", needs=["in_review"], can=self.can())
        self.record(self.ConsensusReached, outcome=outcome, on=on, by=by)

    def approve(self, number: str, reviewers: int, *, on: date, by: str) -> None:
        """`reviewers`: how many judgements the association's row asks for; they must agree, see `judgement` (R15)."""
        self._must_be_judged("approve", reviewers, on)
        self.record(self.Approved, edition=self.edition, number=number, person=self.person, on=on, by=by)

    def defer(
        self,
        reasons: Sequence[DeferReason],
        may_resubmit_from: date | None,
        *,
        reviewers: int,
        on: date,
        by: str,
    ) -> None:
        self._must_be_judged("defer", reviewers, on)
        if not reasons:
            raise Invalid("Give at least one reason.", field="reasons")
        self.record(self.Deferred, reasons=tuple(reasons), may_resubmit_from=may_resubmit_from, on=on, by=by)

    def withdraw(self, *, on: date, by: str) -> None:
        self._must_be(on, "building", "submitted", "in_review", "deferred")
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
        """What the reviewers say together: the consensus, else what all say, else what two of three say (design 10)."""
        if self.consensus:
            return self.consensus
        given = [outcome for outcome in self.reviewers.values() if outcome]
        for outcome in set(given):
            if given.count(outcome) == len(given) or (len(given) == MOST_REVIEWERS and given.count(outcome) > 1):
                return outcome
        return None

    def _must_be(self, on: date, *states: str) -> None:
        self.refuse_unless(self.state, *states, can=self.can())
        self.refuse_before(self.last_on, on)

    def _must_be_able(self, reviewer: str, held: str) -> None:
        if not held or not may_review(held.partition("+")[0], self.category):
            raise Invalid(
                f"{reviewer} may not review {self.category}: not active that day, or not of a category that may.",
                field="reviewer",
            )

    def _must_be_reviewing(self, reviewer: str, on: date) -> None:
        self._must_be(on, "in_review")
        if reviewer not in self.reviewers:
            raise Forbidden("This application is not assigned to that reviewer.", field="reviewer")

    def _must_be_judged(self, outcome: Outcome, reviewers: int, on: date) -> None:
        self._must_be(on, "in_review")
        given = [judged for judged in self.reviewers.values() if judged]
        if len(given) < max(reviewers, len(self.reviewers)):
            state = f"waiting_for_{max(reviewers, len(self.reviewers)) - len(given)}_more_review(s)"
            raise OutOfTurn(self.stream, state=state, needs=["reviewed"], can=["assign a reviewer", "recommend"])
        if self.judgement != outcome:
            raise OutOfTurn(
                self.stream,
                state=f"recommended_{self.judgement}" if self.judgement else "disagreed",
                needs=[f"recommended_{outcome}"],
                can=[self.judgement] if self.judgement else ["reach consensus", "assign a third reviewer"],
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
