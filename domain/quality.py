"""A quality review: a blind second look at a sample of an association's decisions, and what came of it.

Sources name the Alliance's duty (fidelity to the process, ALL-WHO-old, SEED-PLAN) and no procedure (`domain.md` 6):
all of this procedure is *ours*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from math import sqrt
from typing import ClassVar, Literal

import msgspec

from domain.aggregate import Aggregate
from domain.application import DeferReason, may_review
from domain.errors import Forbidden, Invalid, OutOfTurn
from domain.event import Event
from domain.sampling import sample

SecondOutcome = Literal["approve", "defer", "decline"]
FindingKind = Literal[
    "outcome_differs", "evidence_not_enough", "rule_misread", "conflict_of_interest", "reasons_missing", "slow"
]
Resolution = Literal["explained", "corrected", "reviewers_trained", "accepted"]

LEAST_SEED = 16
_Z95 = 1.959964


class Agreement(msgspec.Struct, frozen=True):
    """How far first and second outcomes agree: Cohen's kappa with its 95 % interval, None where it is undefined."""

    n: int
    agreed: int
    kappa: float | None
    low: float | None
    high: float | None


class Second(msgspec.Struct, frozen=True):
    """The second look at one decision; `outcome` is None until it is given."""

    reviewer: str
    person: str
    outcome: SecondOutcome | None = None


class QualityReview(Aggregate):
    """One association, one period. An item is a decision: its application's id and the version that decided it."""

    kind: ClassVar[str] = "quality_review"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.state = "unknown"
        self.association = ""
        self.items: tuple[str, ...] = ()
        self.seconds: dict[str, Second] = {}
        self.agreement: Agreement | None = None
        self.findings: dict[str, Resolution | None] = {}
        self.last_on = date.min

    def remember(self, event: Event) -> None:
        super().remember(event)
        self.last_on = max(self.last_on, event.on)

    class SampleDrawn(Event, frozen=True):
        """`population`: every decision of the period; `items`: those drawn from it with the seed."""

        topic: ClassVar[str] = "quality.sample_drawn"
        association: str
        from_: date = msgspec.field(name="from")
        through: date
        seed: str
        population: tuple[str, ...]
        items: tuple[str, ...]

        def apply(self, review: QualityReview) -> None:
            review.state = "open"
            review.association = self.association
            review.items = self.items

    class SecondReviewerAssigned(Event, frozen=True):
        """As `ReviewerAssigned` of an application; the first outcome stays hidden from them."""

        topic: ClassVar[str] = "quality.second_reviewer_assigned"
        item: str
        reviewer: str
        person: str
        held: str

        def apply(self, review: QualityReview) -> None:
            review.seconds[self.item] = Second(self.reviewer, self.person)

    class SecondReviewRecorded(Event, frozen=True):
        topic: ClassVar[str] = "quality.second_review_recorded"
        item: str
        reviewer: str
        outcome: SecondOutcome
        held: str
        reasons: tuple[DeferReason, ...] = ()

        def apply(self, review: QualityReview) -> None:
            if second := review.seconds.get(self.item):
                review.seconds[self.item] = msgspec.structs.replace(second, outcome=self.outcome)

    class AgreementComputed(Event, frozen=True):
        """`outcomes`: for each item the first outcome and the second, so that anybody computes it again."""

        topic: ClassVar[str] = "quality.agreement_computed"
        outcomes: dict[str, tuple[str, str]]
        agreement: Agreement

        def apply(self, review: QualityReview) -> None:
            review.agreement = self.agreement

    class FindingRaised(Event, frozen=True):
        topic: ClassVar[str] = "quality.finding_raised"
        finding: str
        kind: FindingKind
        item: str = ""

        def apply(self, review: QualityReview) -> None:
            review.findings[self.finding] = None

    class FindingResolved(Event, frozen=True):
        topic: ClassVar[str] = "quality.finding_resolved"
        finding: str
        resolution: Resolution

        def apply(self, review: QualityReview) -> None:
            review.findings[self.finding] = self.resolution

    class Closed(Event, frozen=True):
        topic: ClassVar[str] = "quality.closed"

        def apply(self, review: QualityReview) -> None:
            review.state = "closed"

    # -- deeds ------------------------------------------------------------------------------------------------------

    def draw(
        self,
        association: str,
        from_: date,
        through: date,
        *,
        population: Sequence[str],
        size: int,
        seed: str,
        on: date,
        by: str,
    ) -> None:
        """Draw `size` of the association's decisions of a period; all of them when there are fewer."""
        if through < from_:
            raise Invalid("The period ends before it begins; correct one of the days.", field="through")
        if size < 1:
            raise Invalid("Draw at least one decision.", field="size")
        if len(seed) < LEAST_SEED:
            raise Invalid(f"Give a seed of at least {LEAST_SEED} characters, or none for a random one.", field="seed")
        if not population:
            raise Invalid(f"{association} decided no application in this period; choose another one.", field="from")
        ordered = tuple(sorted(population))
        self.record(
            self.SampleDrawn,
            association=association,
            from_=from_,
            through=through,
            seed=seed,
            population=ordered,
            items=sample(seed, ordered, size),
            on=on,
            by=by,
        )

    def assign(
        self, item: str, reviewer: str, person: str, held: str, *,
        category: str, custodian: str, tied: Collection[str], on: date, by: str,
    ) -> None:  # fmt: skip
        """`tied`: the applicant, their first reviewers, raters, providers and advisor; none of them looks again.

        `custodian`: the association that holds the reviewer's endorsement; never the one that is looked at.
        """
        self._must_be_open(on)
        self._must_hold(item)
        if (second := self.seconds.get(item)) and second.outcome:
            raise OutOfTurn(self.stream, state="reviewed_again", needs=["waiting"], can=self.can())
        if not held or not may_review(held.partition("+")[0], category):
            raise Invalid(
                f"{reviewer} may not review {category}: not active that day, or not of a category that may.",
                field="reviewer",
            )
        if custodian == self.association:
            raise Invalid("The second reviewer comes from another association; name another one.", field="reviewer")
        if person in tied:
            raise Invalid("This reviewer took part in the case or has a tie to it; name another one.", field="reviewer")
        self.record(self.SecondReviewerAssigned, item=item, reviewer=reviewer, person=person, held=held, on=on, by=by)

    def review(
        self, item: str, reviewer: str, outcome: SecondOutcome, held: str, reasons: Sequence[DeferReason] = (), *,
        on: date, by: str,
    ) -> None:  # fmt: skip
        self._must_be_open(on)
        self._must_hold(item)
        second = self.seconds.get(item)
        if second is None or second.reviewer != reviewer:
            raise Forbidden("This decision is not assigned to that reviewer.", field="reviewer")
        if second.outcome:
            raise OutOfTurn(self.stream, state="reviewed_again", needs=["waiting"], can=self.can())
        if not held:
            raise Invalid(f"{reviewer} is not active; a second reviewer has to be.", field="reviewer")
        if outcome != "approve" and not reasons:
            raise Invalid("Say why; the reasons are compared with the first ones.", field="reasons")
        self.record(
            self.SecondReviewRecorded, item=item, reviewer=reviewer, outcome=outcome, held=held,
            reasons=tuple(reasons), on=on, by=by,
        )  # fmt: skip

    def compute_agreement(self, first: Mapping[str, str], *, on: date, by: str) -> None:
        """`first`: the outcome of each item as it was decided. Every item has to be reviewed again."""
        self._must_be_open(on)
        waiting = [item for item in self.items if item not in self.seconds or not self.seconds[item].outcome]
        if waiting:
            raise OutOfTurn(
                self.stream,
                state=f"waiting_for_{len(waiting)}_second_review(s)",
                needs=["reviewed_again"],
                can=["assign a second reviewer", "record a second review"],
            )
        outcomes = {item: (first[item], str(self.seconds[item].outcome)) for item in self.items}
        self.record(
            self.AgreementComputed, outcomes=outcomes, agreement=agreement(list(outcomes.values())), on=on, by=by
        )

    def raise_finding(self, kind: FindingKind, item: str = "", *, on: date, by: str) -> None:
        self._must_be_open(on)
        if item:
            self._must_hold(item)
        self.record(self.FindingRaised, finding=f"F{len(self.findings) + 1}", kind=kind, item=item, on=on, by=by)

    def resolve_finding(self, finding: str, resolution: Resolution, *, on: date, by: str) -> None:
        self._must_be_open(on)
        if finding not in self.findings:
            raise Invalid(f"There is no finding {finding} here; known are {self._known()}.", field="finding")
        if self.findings[finding]:
            raise OutOfTurn(self.stream, state=f"resolved_({self.findings[finding]})", needs=["open"], can=self.can())
        self.record(self.FindingResolved, finding=finding, resolution=resolution, on=on, by=by)

    def close(self, *, on: date, by: str) -> None:
        """Once the agreement is computed and every finding resolved."""
        self._must_be_open(on)
        unresolved = [finding for finding, resolution in self.findings.items() if resolution is None]
        if self.agreement is None or unresolved:
            state = f"with_open_findings_({', '.join(unresolved)})" if unresolved else "without_agreement_computed"
            raise OutOfTurn(self.stream, state=state, needs=["settled"], can=self.can())
        self.record(self.Closed, on=on, by=by)

    def can(self) -> list[str]:
        """The deeds possible in this state."""
        if self.state != "open":
            return []
        return [
            "assign a second reviewer", "record a second review", "compute the agreement", "raise a finding",
            "resolve a finding", "close",
        ]  # fmt: skip

    def _known(self) -> str:
        return ", ".join(self.findings) or "none"

    def _must_be_open(self, on: date) -> None:
        self.refuse_unless(self.state, "open", can=self.can())
        self.refuse_before(self.last_on, on)

    def _must_hold(self, item: str) -> None:
        if item not in self.items:
            raise Invalid("This decision is not in the sample.", field="item")


def agreement(outcomes: Sequence[tuple[str, str]]) -> Agreement:
    """Cohen's kappa of first and second outcomes, and its 95 % interval (Fleiss, Cohen and Everitt 1969).

    Undefined, and None, where chance alone would agree always: one outcome only, on both sides.
    """
    n = len(outcomes)
    cells = Counter(outcomes)
    labels = sorted({label for pair in cells for label in pair})
    p = {pair: count / n for pair, count in cells.items()}
    first = {label: sum(p.get((label, other), 0.0) for other in labels) for label in labels}
    second = {label: sum(p.get((other, label), 0.0) for other in labels) for label in labels}
    observed = sum(p.get((label, label), 0.0) for label in labels)
    chance = sum(first[label] * second[label] for label in labels)
    agreed = sum(count for (one, other), count in cells.items() if one == other)
    if not n or chance == 1.0:
        return Agreement(n, agreed, None, None, None)
    kappa = (observed - chance) / (1 - chance)
    variance = (
        sum(p.get((i, i), 0.0) * (1 - (first[i] + second[i]) * (1 - kappa)) ** 2 for i in labels)
        + (1 - kappa) ** 2 * sum(p[i, j] * (second[i] + first[j]) ** 2 for i, j in p if i != j)
        - (kappa - chance * (1 - kappa)) ** 2
    ) / ((1 - chance) ** 2 * n)
    half = _Z95 * sqrt(max(variance, 0.0))
    return Agreement(n, agreed, round(kappa, 4), round(max(kappa - half, -1.0), 4), round(min(kappa + half, 1.0), 4))
