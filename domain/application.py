"""An application: one person, one category, judged under the edition of the day it is submitted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, Literal, NamedTuple

import msgspec

from domain.aggregate import Aggregate
from domain.association import Row
from domain.category import CATEGORIES
from domain.competency import Catalogue, Coverage, MissingCompetencies
from domain.editions import edition_for
from domain.errors import Forbidden, Invalid, NotInForce, OutOfTurn, RequirementsNotMet
from domain.event import Claims, Event
from domain.policy import Missing, Requirement, Tally

Outcome = Literal["approve", "defer"]
Kind = Literal["initial", "additional", "add_on", "reinstatement"]
DeferReason = Literal["more_training", "more_rsc", "more_experience", "competencies_not_shown", "references"]
Tie = Literal["rater", "rsc_provider", "advisor", "relative", "colleague", "self"]

MOST_REVIEWERS = 3
# The last week of a month (VA-EXAM, WA-PROC) as its last seven days (ours).
EXAM_WINDOW_DAYS = 7


class Assessment(NamedTuple):
    """Which competencies one reviewer found shown, and which not, by their codes; the others were left open."""

    met: tuple[str, ...]
    not_met: tuple[str, ...]


class ExamResult(NamedTuple):
    """One exam as the application remembers it: whether it and each part was passed, never by whose score."""

    exam: str
    passed: bool
    part_1: bool
    part_2: bool


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
        self.assessments: dict[str, Assessment] = {}
        self.exam = ""
        self.exam_through: date | None = None
        self.exams: list[ExamResult] = []

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
        provider of RSC, who may not review. `not_shown`: competencies of the category that no entry shows.
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
        not_shown: tuple[str, ...] = ()

        def apply(self, application: Application) -> None:
            application.state = "submitted"
            application.edition = self.edition
            application.submitted_on = self.on
            application.providers = self.providers
            application.reviewers = {}
            application.consensus = None
            application.assessments = {}
            application.exam_through = None
            application.exams = []

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

    class CompetenciesAssessed(Event, frozen=True):
        """One reviewer's judgement of each competency, under the catalogue of that day; a later one replaces it.

        Kept apart: who may see it before all have recommended is in `registry/api/apart.py`.
        """

        topic: ClassVar[str] = "application.competencies_assessed"
        reviewer: str
        met: tuple[str, ...]
        not_met: tuple[str, ...] = ()
        catalogue: str = ""

        def apply(self, application: Application) -> None:
            application.assessments[self.reviewer] = Assessment(self.met, self.not_met)

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

    class ApprovedForExam(Event, frozen=True):
        """The reviewers' word lets the applicant sit the exam, to `through` inclusive (R16, VA-EXAM)."""

        topic: ClassVar[str] = "application.approved_for_exam"
        edition: str
        through: date

        def apply(self, application: Application) -> None:
            application.state = "exam_approved"
            application.exam_through = self.through

    class ExamBooked(Event, frozen=True):
        """`exam` names the stream `exam/<id>`, which knows a candidate number and no applicant (R16)."""

        topic: ClassVar[str] = "application.exam_booked"
        exam: str
        window: date

        def apply(self, application: Application) -> None:
            application.state = "exam_booked"
            application.exam = self.exam

        def claims(self) -> Claims:
            return Claims(take=(exam_of(self.exam),))

    class ExamCancelled(Event, frozen=True):
        topic: ClassVar[str] = "application.exam_cancelled"
        exam: str

        def apply(self, application: Application) -> None:
            application.state = "exam_approved"
            application.exam = ""

    class ExamDecided(Event, frozen=True):
        """How the exam went. Not passed: `may_sit_again` under the same approval, else the application is deferred."""

        topic: ClassVar[str] = "application.exam_decided"
        exam: str
        passed: bool
        part_1: bool
        part_2: bool
        may_sit_again: bool = False

        def apply(self, application: Application) -> None:
            application.exam = ""
            application.exams.append(ExamResult(self.exam, self.passed, self.part_1, self.part_2))
            application.state = "exam_approved" if self.may_sit_again else "deferred"
            if self.passed:
                application.state = "exam_passed"

    class ExamApprovalExpired(Event, frozen=True):
        """Nothing was passed within the year; the application is deferred and may be submitted again (*ours*)."""

        topic: ClassVar[str] = "application.exam_approval_expired"

        def apply(self, application: Application) -> None:
            application.state = "deferred"

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

    class HandedOver(Event, frozen=True):
        """The licence of its association ended while it was open: another one, the Alliance, goes on with it (ours)."""

        topic: ClassVar[str] = "application.handed_over"
        from_: str = msgspec.field(name="from")
        to: str

        def apply(self, application: Application) -> None:
            application.association = self.to

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
        if category not in CATEGORIES or not CATEGORIES[category].in_force(on):
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
        shown: Coverage | None = None,
        block: bool = False,
        on: date,
        by: str,
    ) -> None:
        """Judge the portfolio under the edition of the day (design section 10). Raises RequirementsNotMet.

        Competencies that no entry shows are recorded, and refused only where `block` says so (ours).
        """
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
        edition = edition_for(self.category, on, self.association)
        missing: list[Missing | MissingCompetencies] = [*edition.missing(tally)]
        if shown and shown.missing and block:
            missing.append(MissingCompetencies(shown))
        if missing:
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
            not_shown=shown.missing if shown else (),
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

    def assess(
        self,
        reviewer: str,
        met: Sequence[str],
        not_met: Sequence[str],
        catalogue: Catalogue,
        *,
        on: date,
        by: str,
    ) -> None:
        """Judge the competencies of the category by code (TX-REV, OK-REV); what is in neither list is left open."""
        self._must_be_reviewing(reviewer, on)
        asked = {area.code for area in catalogue.areas_for(CATEGORIES[self.category].slot)}
        for field, codes in (("met", met), ("not_met", not_met)):
            if strange := sorted(set(codes) - asked):
                raise Invalid(
                    f"{self.category} has no competency {', '.join(strange)}; the catalogue {catalogue.name} has "
                    f"{', '.join(sorted(asked))}.",
                    field=field,
                )
        if both := sorted(set(met) & set(not_met)):
            raise Invalid(f"Say of {', '.join(both)} either that it is met or that it is not.", field="not_met")
        if not (met or not_met):
            raise Invalid("Name at least one competency that is met or not met.", field="met")
        self.record(
            self.CompetenciesAssessed,
            reviewer=reviewer,
            met=tuple(sorted(set(met))),
            not_met=tuple(sorted(set(not_met))),
            catalogue=catalogue.name,
            on=on,
            by=by,
        )

    def reach_consensus(self, outcome: Outcome, *, on: date, by: str) -> None:
        self._must_be(on, "in_review")
        if None in self.reviewers.values() or len(set(self.reviewers.values())) == 1:
            raise OutOfTurn(self.stream, state="without_disagreement", needs=["in_review"], can=self.can())
        self.record(self.ConsensusReached, outcome=outcome, on=on, by=by)

    def approve(self, number: str, reviewers: int, *, on: date, by: str) -> None:
        """`reviewers`: how many judgements the association's row asks for; they must agree, see `judgement` (R15).

        Where the edition asks for an exam, it must be passed first (R10, R11).
        """
        if exam := self.exam_asked:
            self._must_have_passed(exam, on)
        else:
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

    def approve_for_exam(self, years: int, reviewers: int, *, on: date, by: str) -> None:
        """Let the applicant sit the exam for `years` calendar years, the anniversary included (R16; that day: ours)."""
        if not self.exam_asked:
            raise Invalid(f"{self.category} submitted on that day asks for no exam; approve it.", field="application")
        self._must_be_judged("approve", reviewers, on)
        self.record(self.ApprovedForExam, edition=self.edition, through=years_on(on, years), on=on, by=by)

    def book_exam(self, exam: str, window: date, months: Sequence[int], *, on: date, by: str) -> None:
        """`window`: first day of a week of sittings, one of `windows` in these `months` (VA-EXAM)."""
        self._must_be(on, "exam_approved")
        through = self.exam_through or on
        if on > through:
            raise OutOfTurn(self.stream, state="exam_approval_expired", needs=["exam_approved"], can=["withdraw"])
        offered = windows(on, through, months)
        if window not in offered:
            days = ", ".join(day.isoformat() for day in offered) or "none is left"
            raise Invalid(f"Exams are sat in weeks that begin on certain days; choose one: {days}.", field="window")
        self.record(self.ExamBooked, exam=exam, window=window, on=on, by=by)

    def cancel_exam(self, *, on: date, by: str) -> None:
        self._must_be(on, "exam_booked")
        self.record(self.ExamCancelled, exam=self.exam, on=on, by=by)

    def decide_exam(self, *, part_1: bool, part_2: bool, retakes: int, on: date, by: str) -> None:
        """Both parts must be passed (AK-EXAM). `retakes`: how often one may sit again within the approval (*ours*)."""
        self._must_be(on, "exam_booked")
        passed = part_1 and part_2
        again = not passed and len(self.exams) < retakes and on < (self.exam_through or on)
        self.record(
            self.ExamDecided,
            exam=self.exam,
            passed=passed,
            part_1=part_1,
            part_2=part_2,
            may_sit_again=again,
            on=on,
            by=by,
        )

    def expire_exam_approval(self, *, on: date, by: str) -> None:
        """After the last day of the approval, when no exam is booked (R16)."""
        self._must_be(on, "exam_approved")
        if self.exam_through is None or on <= self.exam_through:
            raise OutOfTurn(self.stream, state="exam_approved", needs=["exam_approval_expired"], can=self.can())
        self.record(self.ExamApprovalExpired, on=on, by=by)

    def withdraw(self, *, on: date, by: str) -> None:
        self._must_be(on, "building", "submitted", "in_review", "deferred", "exam_approved", "exam_passed")
        self.record(self.Withdrawn, person=self.person, on=on, by=by)

    def hand_over(self, to: str, *, on: date, by: str) -> bool:
        """Whether it was open, and with another association until now."""
        if self.association == to or not self.can():
            return False
        self.record(self.HandedOver, from_=self.association, to=to, on=max(on, self.last_on), by=by)
        return True

    def can(self) -> list[str]:
        """The deeds possible in this state, for messages and pages."""
        return {
            "building": ["submit", "withdraw"],
            "deferred": ["submit", "withdraw"],
            "submitted": ["assign a reviewer", "withdraw"],
            "in_review": [
                "assign a reviewer",
                "recommend",
                "reach consensus",
                "approve for the exam" if self.exam_asked else "approve",
                "defer",
                "withdraw",
            ],
            "exam_approved": ["book the exam", "withdraw"],
            "exam_booked": ["decide the exam", "cancel the exam"],
            "exam_passed": ["approve", "withdraw"],
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

    @property
    def exam_asked(self) -> Requirement | None:
        """The row that asks for an exam, of the edition in force on the day of submission (R10, R11)."""
        return edition_for(self.category, self.submitted_on, self.association).exam if self.submitted_on else None

    @property
    def all_recommended(self) -> bool:
        """Whether every assigned reviewer has recommended, so that their judgements may be laid side by side."""
        return bool(self.reviewers) and None not in self.reviewers.values()

    def _must_have_passed(self, exam: Requirement, on: date) -> None:
        if self.state != "exam_passed":
            needs = [f"exam_passed, as {self.edition} asks ({exam.source})"]
            raise OutOfTurn(self.stream, state=self.state, needs=needs, can=self.can())
        self.refuse_before(self.last_on, on)

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


def exam_of(exam: str) -> str:
    """The claim by which the registry finds whose exam it is; those who score it never see it."""
    return f"exam_of/{exam}"


def windows(on: date, through: date, months: Sequence[int]) -> list[date]:
    """First days of the weeks in which exams are sat: the last seven days of these months, wholly in the span."""
    found = []
    for year in range(on.year, through.year + 1):
        for month in months:
            last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
            first = last - timedelta(days=EXAM_WINDOW_DAYS - 1)
            if on <= first and last <= through:
                found.append(first)
    return found


def years_on(day: date, years: int) -> date:
    """The same day some years later; 28 February for the 29th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _open(person: str) -> str:
    return f"open_application/{person}"
