"""An application: one person, one category or add-on, judged under the edition of the day it is submitted."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from domain.aggregate import Aggregate
from domain.association import Row
from domain.category import CATEGORIES, AddOn, with_add_on
from domain.competency import Catalogue, Coverage, MissingCompetencies
from domain.editions import attaches, edition_for
from domain.errors import Forbidden, Invalid, NotInForce, OutOfTurn, RequirementsNotMet
from domain.event import Claims, Event
from domain.policy import SUBMISSION, Edition, Missing, MissingHours, Practice, Requirement, Tally
from domain.reference import JudgedReference

Outcome = Literal["approve", "hold", "defer", "decline"]
Kind = Literal["initial", "additional", "add_on", "reinstatement"]
DeferReason = Literal["more_training", "more_rsc", "more_experience", "competencies_not_shown", "references"]
RefuseReason = Literal["not_resident", "not_a_member", "fee_not_settled", "wrong_category", "opened_twice", "other"]
Tie = Literal["rater", "rsc_provider", "advisor", "relative", "colleague", "self"]
Charge = Literal["registration", "processing"]
Settled = Literal["paid", "waived", "sponsored", "not_asked"]
Verdict = Literal["upheld", "granted"]

MOST_REVIEWERS = 3
# The last week of a month (VA-EXAM, WA-PROC) as its last seven days (ours).
EXAM_WINDOW_DAYS = 7
# Design section 10 (ours): reminders before an untouched application expires, in months without activity.
REMINDERS = (18, 23)
# On whom it waits: these expire. One that waits for the association or the Alliance never does (ours).
APPLICANTS_TURN = ("started", "building", "on_hold", "deferred")
BUILDING = ("building", "deferred")
EXAM = ("exam_approved", "exam_booked", "exam_passed")
OPEN = (*APPLICANTS_TURN, "submitted", "in_review", *EXAM)
# An exam that is booked is cancelled first; who appealed may let it be.
WITHDRAWABLE = (*(state for state in OPEN if state != "exam_booked"), "appealed")
# A letter says that the registration was accepted and nothing is decided (ours); it ends after so many days (ours).
LETTER_DAYS = 90
REGISTERED = (*(state for state in OPEN if state != "started"),)
EXPLAINED: tuple[Outcome, ...] = ("hold", "defer", "decline")


class Document(msgspec.Struct, frozen=True):
    """A version of what is signed with a submission (R4), from a day on. The names of versions are ours."""

    name: str
    effective: date
    source: str


CODES_OF_ETHICS = (
    Document("ethics-2002", date(2002, 1, 1), "CT-ECFA"),
    # The statement that no licensing board has sanctioned the signer came in 2022 (ID-REG; PA-REG a year later).
    Document("ethics-2022", date(2022, 1, 1), "ID-REG"),
)
AGREEMENTS = (
    Document("agreement-2002", date(2002, 1, 1), "CT-ECFA"),
    # The Endorsement's name lost "Culturally Sensitive" in 2025.
    Document("agreement-2025", date(2025, 1, 1), "RI-EXAM"),
)


class Fee(msgspec.Struct, frozen=True):
    """How a fee was settled: `amount` in minor units (cents) of `currency`, `sponsor` an organisation's code."""

    how: Settled
    amount: int = 0
    currency: str = ""
    sponsor: str = ""


class Snapshot(msgspec.Struct, frozen=True):
    """A portfolio by reference: its version, the entries and references that count, and what they add up to.

    `providers`: endorsement number and person of each provider of RSC.
    """

    person_version: int
    tally: Tally
    entries: tuple[str, ...] = ()
    providers: dict[str, str] = {}
    references: tuple[str, ...] = ()


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


class Letter(NamedTuple):
    """A letter of registration: its id, and the days from and to which it is good, unless the application ends."""

    cti: str
    on: date
    through: date


class Application(Aggregate):
    """From start to decision. Open ones are claimed: one per person (R3, AZ-POL)."""

    kind: ClassVar[str] = "application"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.state = "unknown"
        self.of_kind: Kind = "initial"
        self.person = ""
        self.association = ""
        self.category = ""
        self.add_on: AddOn | None = None
        self.endorsement = ""
        self.alone = True
        # Of an add-on: the endorsement and the add-on, one open application for which there may be.
        self.beside = ""
        self.edition = ""
        self.assessments: dict[str, Assessment] = {}
        self.exam = ""
        self.exam_window: date | None = None
        self.exam_through: date | None = None
        self.exams: list[ExamResult] = []
        self.fees: dict[Charge, Fee] = {}
        self.advisors: dict[str, str] = {}
        self.submitted_on: date | None = None
        self.may_resubmit_from: date | None = None
        self.last_on = date.min
        self.active_on = date.min
        self.reminded: tuple[int, ...] = ()
        self.providers: dict[str, str] = {}
        self.reviewers: dict[str, Outcome | None] = {}
        self.reviewing_people: dict[str, str] = {}
        self.recused: set[str] = set()
        self.judged_before: set[str] = set()
        self.consensus: Outcome | None = None
        self.decided_on: date | None = None
        self.decided_by = ""
        self.appealed: str = ""
        self.appealed_on: date | None = None
        self.letters: list[Letter] = []

    def remember(self, event: Event) -> None:
        super().remember(event)
        if isinstance(event, self.LetterSigned):
            return  # nothing was done for the application, on no day of its own
        self.last_on = max(self.last_on, event.on)
        if not isinstance(event, self.Reminded | self.LetterIssued):
            self.active_on = max(self.active_on, event.on)
            self.reminded = ()

    class Started(Event, frozen=True):
        """`endorsement`: the one that an add-on is for, or that is to be reinstated.

        `alone`: nothing else may be earned meanwhile (R3); an add-on is no category and stands aside (ours).
        """

        topic: ClassVar[str] = "application.started"
        person: str
        association: str
        category: str
        kind: Kind = "initial"
        add_on: AddOn | None = None
        endorsement: str = ""
        alone: bool = True

        def apply(self, application: Application) -> None:
            application.state = "started"
            application.of_kind = self.kind
            application.person = self.person
            application.association = self.association
            application.category = self.category
            application.add_on = self.add_on
            application.endorsement = self.endorsement
            application.alone = self.alone
            if self.add_on:
                application.beside = f"{self.endorsement}/{self.add_on}"

        def claims(self) -> Claims:
            beside = f"{self.endorsement}/{self.add_on}" if self.add_on else ""
            return Claims(take=_claimed(self.person, self, alone=self.alone, beside=beside))

    class FeeSettled(Event, frozen=True):
        topic: ClassVar[str] = "application.fee_settled"
        what: Charge
        fee: Fee

        def apply(self, application: Application) -> None:
            application.fees[self.what] = self.fee

    class Registered(Event, frozen=True):
        """The coordinator accepted the registration. `member`: a membership was current that day (R2)."""

        topic: ClassVar[str] = "application.registered"
        member: bool

        def apply(self, application: Application) -> None:
            application.state = "building"

    class RegistrationRefused(Event, frozen=True):
        topic: ClassVar[str] = "application.registration_refused"
        person: str
        reason: RefuseReason
        beside: str = ""

        def apply(self, application: Application) -> None:
            application.state = "refused"

        def claims(self) -> Claims:
            return _closed(self.person, self, self.beside)

    class CategoryChanged(Event, frozen=True):
        topic: ClassVar[str] = "application.category_changed"
        from_: str = msgspec.field(name="from")
        to: str

        def apply(self, application: Application) -> None:
            application.category = self.to

    class AdvisorAssigned(Event, frozen=True):
        """`advisor` is the advisor's own endorsement, `person` the human behind it (TX-REV)."""

        topic: ClassVar[str] = "application.advisor_assigned"
        advisor: str
        person: str

        def apply(self, application: Application) -> None:
            application.advisors[self.advisor] = self.person

    class Submitted(Event, frozen=True):
        """What was handed in, what it added up to, and the edition that found it enough.

        `person_version`: the portfolio as it stood then. `providers`: endorsement number and person of each
        provider of RSC, who may not review. `not_shown`: competencies of the category that no entry shows.
        `code_of_ethics`, `agreement`: the versions that were signed.
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
        references: tuple[str, ...] = ()
        not_shown: tuple[str, ...] = ()

        def apply(self, application: Application) -> None:
            application.state = "submitted"
            application.edition = self.edition
            application.submitted_on = self.on
            application.providers = self.providers
            application.exam_through = None
            application.exams = []
            application._review_anew()

    class Amended(Event, frozen=True):
        """What was asked for while on hold was added: a new snapshot, judged anew by the same reviewers."""

        topic: ClassVar[str] = "application.amended"
        edition: str
        snapshot: Snapshot

        def apply(self, application: Application) -> None:
            application.state = "in_review"
            application.providers = self.snapshot.providers
            application.reviewers = dict.fromkeys(application.reviewers)
            application.consensus = None
            application.assessments = {}

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

        Kept apart: who may see it before all have recommended is in `registry/api/cases.py`.
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

    class PutOnHold(Event, frozen=True):
        """The coordinator relays what to change (WA-FAQ)."""

        topic: ClassVar[str] = "application.put_on_hold"
        reasons: tuple[DeferReason, ...]

        def apply(self, application: Application) -> None:
            application.state = "on_hold"

    class Approved(Event, frozen=True):
        topic: ClassVar[str] = "application.approved"
        edition: str
        number: str
        person: str
        beside: str = ""

        def apply(self, application: Application) -> None:
            application.state = "approved"
            application.decided_on = self.on

        def claims(self) -> Claims:
            return _closed(self.person, self, self.beside)

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
            application.exam_window = self.window

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
            if application.state == "deferred":
                application._decided(self)

    class ExamApprovalExpired(Event, frozen=True):
        """Nothing was passed within the year; the application is deferred and may be submitted again (*ours*)."""

        topic: ClassVar[str] = "application.exam_approval_expired"

        def apply(self, application: Application) -> None:
            application.state = "deferred"
            application._decided(self)

    class Deferred(Event, frozen=True):
        topic: ClassVar[str] = "application.deferred"
        reasons: tuple[DeferReason, ...]
        may_resubmit_from: date | None = None

        def apply(self, application: Application) -> None:
            application.state = "deferred"
            application.may_resubmit_from = self.may_resubmit_from
            application._decided(self)

    class Declined(Event, frozen=True):
        """A final no, by the consensus of the reviewers (ours)."""

        topic: ClassVar[str] = "application.declined"
        person: str
        reasons: tuple[DeferReason, ...]
        beside: str = ""

        def apply(self, application: Application) -> None:
            application.state = "declined"
            application._decided(self)

        def claims(self) -> Claims:
            return _closed(self.person, self, self.beside)

    class Withdrawn(Event, frozen=True):
        topic: ClassVar[str] = "application.withdrawn"
        person: str
        beside: str = ""

        def apply(self, application: Application) -> None:
            application.state = "withdrawn"

        def claims(self) -> Claims:
            return _closed(self.person, self, self.beside)

    class LetterIssued(Event, frozen=True):
        """A signed letter that it is open: no personal data, but where the printed name stands, as of a certificate.

        It is nothing done for the application: it expires no later for it (ours). `kid` is the key that signs it,
        until a `letter_signed` names another.
        """

        topic: ClassVar[str] = "application.letter_issued"
        cti: str
        category: str
        association: str
        valid_from: datetime
        through: date
        expires_at: datetime
        person: str
        person_version: int
        kid: str

        def apply(self, application: Application) -> None:
            application.letters.append(Letter(self.cti, self.on, self.through))

    class LetterSigned(Event, frozen=True):
        """Which key signs a letter from now on, after a compromise."""

        topic: ClassVar[str] = "application.letter_signed"
        cti: str
        kid: str

    class HandedOver(Event, frozen=True):
        """The licence of its association ended while it was open: another one, the Alliance, goes on with it (ours)."""

        topic: ClassVar[str] = "application.handed_over"
        from_: str = msgspec.field(name="from")
        to: str

        def apply(self, application: Application) -> None:
            application.association = self.to

    class Reminded(Event, frozen=True):
        """`months` without activity have passed; it expires on `expires`."""

        topic: ClassVar[str] = "application.reminded"
        months: int
        expires: date

        def apply(self, application: Application) -> None:
            application.reminded = (*application.reminded, self.months)

    class Expired(Event, frozen=True):
        """`since`: the last day on which something was done."""

        topic: ClassVar[str] = "application.expired"
        person: str
        since: date
        beside: str = ""

        def apply(self, application: Application) -> None:
            application.state = "expired"

        def claims(self) -> Claims:
            return _closed(self.person, self, self.beside)

    class Appealed(Event, frozen=True):
        """To the Alliance, once (design section 10). `decision`: the state that is appealed against.

        What was declined had ended; while the appeal is open it is the person's again, beside whatever else is.
        """

        topic: ClassVar[str] = "application.appealed"
        decision: str
        person: str = ""

        def apply(self, application: Application) -> None:
            application.state = "appealed"
            application.appealed = self.decision
            application.appealed_on = self.on

        def claims(self) -> Claims:
            return Claims(take=(_beside(self.person, self),) if self.person and self.decision == "declined" else ())

    class AppealDecided(Event, frozen=True):
        """Upheld: the decision stands. Granted: it is reviewed again, by reviewers who have not judged it (ours)."""

        topic: ClassVar[str] = "application.appeal_decided"
        verdict: Verdict
        person: str
        decision: str
        alone: bool = True
        beside: str = ""

        def apply(self, application: Application) -> None:
            if self.verdict == "upheld":
                application.state = self.decision
                return
            application.state = "submitted"
            application.judged_before |= {application.reviewing_people[number] for number in application.reviewers}
            application._review_anew()

        def claims(self) -> Claims:
            reopened = self.verdict == "granted" and self.decision == "declined"
            take = _claimed(self.person, self, alone=self.alone, beside=self.beside) if reopened else ()
            return Claims(take=take, release=(_beside(self.person, self),) if self.decision == "declined" else ())

    def _review_anew(self) -> None:
        self.reviewers = {}
        self.consensus = None
        self.assessments = {}

    def _decided(self, event: Event) -> None:
        self.decided_on = event.on
        self.decided_by = event.by

    # -- registration -----------------------------------------------------------------------------------------------

    def start(
        self,
        person: str,
        category: str,
        association: Row,
        *,
        residence: str,
        held: Collection[str],
        practice: Practice | None = None,
        on: date,
        by: str,
    ) -> None:
        """Apply where you live (R1); a current category that the association offers and the person does not hold."""
        _must_offer(association, category, held, on)
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
            alone=(practice or Practice()).one_at_a_time,
            on=on,
            by=by,
        )

    def start_add_on(
        self,
        person: str,
        category: str,
        add_on: AddOn,
        association: Row,
        *,
        endorsement: str,
        standing: str,
        has: AddOn | None,
        on: date,
        by: str,
    ) -> None:
        """Apply for an add-on to an endorsement, at the association that holds it (ours; IN-ERS, AZ-REQ).

        `standing`: the endorsement's, that day; `has`: the add-on it has already.
        """
        if standing != "active":
            raise Invalid(f"{endorsement} is {standing}; an add-on needs an active endorsement.", field="add_on_to")
        if not attaches(add_on, category, on, association.code):
            raise Invalid(f"{add_on} is not attached to {category} on that day (IN-ERS).", field="add_on_to")
        if has in (add_on, "ERS"):
            raise Invalid(f"{with_add_on(category, has)} is held already.", field="add_on")
        self.record(
            self.Started,
            person=person,
            association=association.code,
            category=category,
            kind="add_on",
            add_on=add_on,
            endorsement=endorsement,
            alone=False,
            on=on,
            by=by,
        )

    def settle_fee(self, what: Charge, fee: Fee, *, asked: bool, on: date, by: str) -> None:
        """`asked`: the association has a fee for this. What was paid is recorded as it was, a discount too."""
        states = ("started",) if what == "registration" else ("building", "submitted", "in_review", "on_hold")
        self._must_be(on, *states)
        if what in self.fees:
            raise Invalid(f"The {what} fee is settled already: {self.fees[what].how.replace('_', ' ')}.", field="what")
        check_fee(fee, asked=asked)
        self.record(self.FeeSettled, what=what, fee=fee, on=on, by=by)

    def register(self, *, member: bool, fee_asked: bool, practice: Practice, on: date, by: str) -> None:
        """Accept the registration (R2): a current membership, and the fee settled where there is one."""
        self._must_be(on, "started")
        missing = _no_membership(member=member, practice=practice)
        if fee_asked and "registration" not in self.fees:
            missing.append(MissingHours("registration_fee", "the registration fee settled", 0, 1, "TX-APP, NE-APP"))
        if missing:
            raise RequirementsNotMet("registration", missing)
        self.record(self.Registered, member=member, on=on, by=by)

    def refuse_registration(self, reason: RefuseReason, *, on: date, by: str) -> None:
        self._must_be(on, "started")
        self.record(self.RegistrationRefused, person=self.person, reason=reason, beside=self.beside, on=on, by=by)

    def change_category(self, to: str, association: Row, held: Collection[str], *, on: date, by: str) -> None:
        """Another category before submission; what was paid stays paid (*ours*; IN-STEPS says only: no refund)."""
        self._must_be(on, "started", "building")
        if self.of_kind not in ("initial", "additional"):
            raise Invalid("This is for one endorsement; withdraw it and start another application.", field="to")
        if to == self.category:
            raise Invalid(f"It is for {to} already.", field="to")
        _must_offer(association, to, held, on, field="to")
        self.record(self.CategoryChanged, from_=self.category, to=to, on=on, by=by)

    def assign_advisor(self, advisor: str, person: str, held: str, *, on: date, by: str) -> None:
        """A volunteer who is endorsed (TX-REV); who advises never reviews."""
        self._must_be(on, "started", "building", "on_hold", "deferred")
        if not held:
            raise Invalid("An advisor holds an active endorsement.", field="advisor")
        if person == self.person:
            raise Invalid("Nobody advises themselves; name another endorsement.", field="advisor")
        if person in self.advisors.values():
            raise Invalid("This advisor is assigned already.", field="advisor")
        if person in self.reviewing_people.values():
            raise Invalid("Who reviews it does not advise on it; name another endorsement.", field="advisor")
        self.record(self.AdvisorAssigned, advisor=advisor, person=person, on=on, by=by)

    # -- submission -------------------------------------------------------------------------------------------------

    def edition_on(self, on: date) -> Edition:
        """The edition that a submission on this day is judged under. Raises NotInForce."""
        return edition_for(self.add_on or self.category, on, self.association)

    def submit(
        self,
        snapshot: Snapshot,
        *,
        signed: bool,
        member: bool,
        practice: Practice,
        shown: Coverage | None = None,
        refused: Sequence[JudgedReference] = (),
        on: date,
        by: str,
    ) -> None:
        """Judge portfolio and references under the edition of the day (design section 10). Raises RequirementsNotMet.

        Competencies that no entry shows are recorded, and refused only where that is practised (ours). `refused`: the
        references that do not count, each with its reason.
        """
        self._must_be(on, *BUILDING)
        if self.may_resubmit_from and on < self.may_resubmit_from:
            raise OutOfTurn(
                self.stream,
                state=f"deferred_until_{self.may_resubmit_from.isoformat()}",
                needs=["open for submission"],
                can=["withdraw_application"],
            )
        if not signed:
            raise Invalid("Sign the code of ethics and the endorsement agreement first (R4).", field="signed")
        edition = self.edition_on(on)
        missing: list[Missing | MissingHours | MissingCompetencies] = [
            *edition.missing(snapshot.tally, SUBMISSION),
            *_no_membership(member=member, practice=practice),
        ]
        if shown and shown.missing and practice.competencies_block:
            missing.append(MissingCompetencies(shown))
        if missing:
            raise RequirementsNotMet(edition.name, missing, refused)
        self.record(
            self.Submitted,
            edition=edition.name,
            person_version=snapshot.person_version,
            entries=snapshot.entries,
            tally=snapshot.tally,
            providers=snapshot.providers,
            references=snapshot.references,
            code_of_ethics=code_of_ethics(on),
            agreement=_in_force(AGREEMENTS, on),
            not_shown=shown.missing if shown else (),
            on=on,
            by=by,
        )

    def amend(self, snapshot: Snapshot, *, refused: Sequence[JudgedReference] = (), on: date, by: str) -> None:
        """Hand in what was asked for while on hold; it goes back to review, still under the day of submission."""
        self._must_be(on, "on_hold")
        edition = self.edition_on(self.submitted_on or on)
        if missing := edition.missing(snapshot.tally, SUBMISSION):
            raise RequirementsNotMet(edition.name, missing, refused)
        self.record(self.Amended, edition=edition.name, snapshot=snapshot, on=on, by=by)

    # -- review -----------------------------------------------------------------------------------------------------

    def assign(
        self,
        reviewer: str,
        person: str,
        held: str,
        *,
        trained: bool = True,
        fee_due: bool = False,
        also: Collection[str] = (),
        raters: Collection[str] = (),
        on: date,
        by: str,
    ) -> None:
        """Assign a reviewer by their endorsement; `held` is the category it is active in that day, or empty (R14).

        `also`: other records of the reviewer; `raters`: people who rated the applicant.
        """
        self._must_be(on, "submitted", "in_review")
        if fee_due and "processing" not in self.fees:
            raise OutOfTurn(
                self.stream, state="processing_fee_due", needs=["paid for"], can=["settle_fee", "withdraw_application"]
            )
        if len(self.reviewers) >= MOST_REVIEWERS:
            raise OutOfTurn(self.stream, state="fully_assigned", needs=["submitted"], can=self.can())
        ids = {person, *also}
        if ids & {self.reviewing_people[number] for number in self.reviewers}:
            raise Invalid("This reviewer is assigned already.", field="reviewer")
        if ids & self.recused:
            raise Invalid("This reviewer stepped back from this application; assign another one.", field="reviewer")
        if ids & self.judged_before:
            raise Invalid("This reviewer judged it before the appeal; assign another one.", field="reviewer")
        self._must_be_able(reviewer, held)
        if not trained:
            raise Invalid(
                f"{reviewer} is not trained as a reviewer yet; their association records the training (WA-FAQ).",
                field="reviewer",
            )
        if tie := self._tie(ids, raters):
            raise Invalid(
                f"A reviewer is never the applicant nor their rater, provider of RSC or advisor; this one is: {tie} "
                "(design section 10).",
                field="reviewer",
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
        if outcome in EXPLAINED and not reasons:
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
        if not self.disagreed:
            raise OutOfTurn(self.stream, state="without_disagreement", needs=["in_review"], can=self.can())
        self.record(self.ConsensusReached, outcome=outcome, on=on, by=by)

    def put_on_hold(self, reasons: Sequence[DeferReason], *, reviewers: int, on: date, by: str) -> None:
        self._must_be_judged("hold", reviewers, on)
        self._must_say_why(reasons)
        self.record(self.PutOnHold, reasons=tuple(reasons), on=on, by=by)

    def approve(self, number: str, reviewers: int, *, on: date, by: str) -> None:
        """`reviewers`: how many judgements the association's row asks for; they must agree, see `judgement` (R15).

        Where the edition asks for an exam, it must be passed first (R10, R11).
        """
        if exam := self.exam_asked:
            self._must_have_passed(exam, on)
        else:
            self._must_be_judged("approve", reviewers, on)
        self.record(
            self.Approved,
            edition=self.edition,
            number=number,
            person=self.person,
            beside=self.beside,
            on=on,
            by=by,
        )

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
        self._must_say_why(reasons)
        self.record(self.Deferred, reasons=tuple(reasons), may_resubmit_from=may_resubmit_from, on=on, by=by)

    def decline(self, reasons: Sequence[DeferReason], *, reviewers: int, on: date, by: str) -> None:
        """A final no (ours): all reviewers say so, or they came to it together. Two of three are not enough."""
        self._must_be_judged("decline", reviewers, on)
        if self.consensus != "decline" and set(self.reviewers.values()) != {"decline"}:
            raise OutOfTurn(
                self.stream, state="disagreed", needs=["recommended_decline_by_all"], can=["reach_consensus"]
            )
        self._must_say_why(reasons)
        self.record(self.Declined, person=self.person, reasons=tuple(reasons), beside=self.beside, on=on, by=by)

    def approve_for_exam(self, years: int, reviewers: int, *, on: date, by: str) -> None:
        """Let the applicant sit the exam for `years` calendar years, the anniversary included (R16; that day: ours)."""
        self._must_be(on, "in_review")
        if not self.exam_asked:
            raise Invalid(f"{self.category} submitted on that day asks for no exam; approve it.", field="application")
        self._must_be_judged("approve", reviewers, on)
        self.record(self.ApprovedForExam, edition=self.edition, through=years_on(on, years), on=on, by=by)

    def book_exam(self, exam: str, window: date, months: Sequence[int], *, on: date, by: str) -> None:
        """`window`: first day of a week of sittings, one of `windows` in these `months` (VA-EXAM)."""
        self._must_be(on, "exam_approved")
        through = self.exam_through or on
        if on > through:
            raise OutOfTurn(
                self.stream, state="exam_approval_expired", needs=["exam_approved"], can=["withdraw_application"]
            )
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

    def issue_letter(
        self,
        cti: str,
        zone: ZoneInfo,
        *,
        valid_from: datetime,
        person: str,
        person_version: int,
        kid: str,
        on: date,
        by: str,
    ) -> None:
        """A letter, for whoever asks the applicant, that it is open. `zone`: where its last day ends."""
        self._must_be(on, *REGISTERED)
        through = on + timedelta(days=LETTER_DAYS)
        self.record(
            self.LetterIssued,
            cti=cti,
            category=with_add_on(self.category, self.add_on),
            association=self.association,
            valid_from=valid_from,
            through=through,
            expires_at=datetime.combine(through, time(23, 59, 59), zone).astimezone(UTC),
            person=person,
            person_version=person_version,
            kid=kid,
            on=on,
            by=by,
        )

    def sign_letter(self, cti: str, kid: str, *, on: date, by: str) -> None:
        self.record(self.LetterSigned, cti=cti, kid=kid, on=on, by=by)

    # -- the end, and after it --------------------------------------------------------------------------------------

    def withdraw(self, *, on: date, by: str) -> None:
        self._must_be(on, *WITHDRAWABLE)
        self.record(self.Withdrawn, person=self.person, beside=self.beside, on=on, by=by)

    def hand_over(self, to: str, *, on: date, by: str) -> bool:
        """Whether it was open, and with another association until now."""
        if self.association == to or self.state not in (*OPEN, "appealed"):
            return False
        self.record(self.HandedOver, from_=self.association, to=to, on=max(on, self.last_on), by=by)
        return True

    def expires_on(self, months: int, active_on: date = date.min) -> date:
        """The day it expires, `months` after anything was last done for it; `active_on`: in the portfolio."""
        return _months_after(max(self.active_on, active_on, self.may_resubmit_from or date.min), months)

    def reminder_due(self, practice: Practice, active_on: date, on: date) -> int:
        """After how many months without activity to remind now; 0 when it is not due, or was done."""
        if self.state not in APPLICANTS_TURN:
            return 0
        due = [
            months
            for months in REMINDERS
            if months < practice.open_application_months and self.expires_on(months, active_on) <= on
        ]
        return due[-1] if due and due[-1] > max(self.reminded, default=0) else 0

    def remind(self, practice: Practice, active_on: date, *, on: date, by: str) -> None:
        """Say that it will expire: once after each of REMINDERS months in which nothing was done."""
        self._must_be(on, *APPLICANTS_TURN)
        months = self.reminder_due(practice, active_on, on)
        if not months:
            raise OutOfTurn(self.stream, state="not_due_for_a_reminder", needs=["untouched"], can=self.can())
        expires = self.expires_on(practice.open_application_months, active_on)
        self.record(self.Reminded, months=months, expires=expires, on=on, by=by)

    def expire(self, practice: Practice, active_on: date, *, on: date, by: str) -> None:
        """Design section 10 (ours): after `practice.open_application_months` in which nothing was done."""
        self._must_be(on, *APPLICANTS_TURN)
        expires = self.expires_on(practice.open_application_months, active_on)
        if on < expires:
            raise OutOfTurn(self.stream, state=f"open_until_{expires.isoformat()}", needs=["untouched"], can=self.can())
        self.record(
            self.Expired,
            person=self.person,
            since=max(self.active_on, active_on),
            beside=self.beside,
            on=on,
            by=by,
        )

    def appeal(self, practice: Practice, *, on: date, by: str) -> None:
        """To the Alliance, once, within the days that are practised (design section 10)."""
        self._must_be(on, "deferred", "declined")
        until = (self.decided_on or on) + timedelta(days=practice.appeal_days)
        if self.appealed:
            raise OutOfTurn(self.stream, state="appealed_already", needs=["decided for the first time"], can=self.can())
        if on > until:
            raise OutOfTurn(
                self.stream, state=f"past_appeal_since_{until.isoformat()}", needs=["decided"], can=self.can()
            )
        self.record(self.Appealed, decision=self.state, person=self.person, on=on, by=by)

    def decide_appeal(self, verdict: Verdict, *, on: date, by: str) -> None:
        self._must_be(on, "appealed")
        if by == self.decided_by:
            raise Forbidden("Who decided it does not decide the appeal; another person does.")
        self.record(
            self.AppealDecided,
            verdict=verdict,
            person=self.person,
            decision=self.appealed,
            alone=self.alone,
            beside=self.beside,
            on=on,
            by=by,
        )

    # -- what may happen --------------------------------------------------------------------------------------------

    def can(self, reviewers: int = 1) -> list[str]:  # one case for each state
        """The deeds possible now, by anybody. `reviewers`: how many judgements the association asks for."""
        match self.state:
            case "started":
                fee = [] if "registration" in self.fees else ["settle_fee"]
                found = ["accept_registration", *fee, "refuse_registration", "change_category", "assign_advisor"]
            case "building":
                found = ["submit_application", "change_category", "assign_advisor", *self._fee()]
            case "submitted":
                found = ["assign_reviewer", *self._fee()]
            case "in_review":
                found = [*self._can_judge(reviewers), *self._fee()]
            case "on_hold":
                found = ["amend_application", "assign_advisor", *self._fee()]
            case "deferred":
                found = ["submit_application", *([] if self.appealed else ["appeal"]), "assign_advisor"]
            case "declined":
                found = [] if self.appealed else ["appeal"]
            case "appealed":
                found = ["decide_appeal"]
            case _:
                found = [*_EXAM_DEEDS.get(self.state, ())]
        letter = ["issue_letter"] if self.state in REGISTERED else []
        return [*found, *letter, *(["withdraw_application"] if self.state in WITHDRAWABLE else [])]

    def _fee(self) -> list[str]:
        return [] if "processing" in self.fees else ["settle_fee"]

    def _can_judge(self, reviewers: int) -> list[str]:
        waiting = None in self.reviewers.values()
        judged = not waiting and len(self.reviewers) >= reviewers
        decide = {
            "approve": "approve_for_exam" if self.exam_asked else "approve_application",
            "hold": "put_on_hold", "defer": "defer_application",
            "decline": "decline_application", None: "reach_consensus",
        }[self.judgement]  # fmt: skip
        more = ["assign_reviewer"] if len(self.reviewers) < MOST_REVIEWERS else []
        return [
            *(["assess_competencies", "recommend"] if waiting else []),
            *([decide] if judged else []),
            *more,
            "recuse_reviewer",
        ]

    @property
    def waits_for_reviewers(self) -> bool:
        """Whether judgements are kept apart now: somebody assigned has not given theirs."""
        return self.state == "in_review" and None in self.reviewers.values()

    @property
    def disagreed(self) -> bool:
        return None not in self.reviewers.values() and len(set(self.reviewers.values())) > 1

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
        return self.edition_on(self.submitted_on).exam if self.submitted_on else None

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
        if self.state not in states:
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
            raise OutOfTurn(self.stream, state=state, needs=["reviewed"], can=self.can(reviewers))
        if self.judgement != outcome:
            raise OutOfTurn(
                self.stream,
                state=f"recommended_{self.judgement}" if self.judgement else "disagreed",
                needs=[f"recommended_{outcome}"],
                can=self.can(reviewers),
            )

    def _must_say_why(self, reasons: Sequence[DeferReason]) -> None:
        if not reasons:
            raise Invalid("Give at least one reason.", field="reasons")

    def _tie(self, ids: Collection[str], raters: Collection[str]) -> str:
        ties = {
            "the applicant": {self.person}, "a provider of RSC": self.providers.values(),
            "the advisor": self.advisors.values(), "a rater": raters,
        }  # fmt: skip
        return next((tie for tie, people in ties.items() if not set(people).isdisjoint(ids)), "")


_EXAM_DEEDS = {
    "exam_approved": ("book_exam",),
    "exam_booked": ("decide_exam", "cancel_exam"),
    "exam_passed": ("approve_application",),
}

# Who may review what is a row per slot, not an order (*ours*, after WA-FAQ).
_REVIEWS: dict[str, frozenset[str]] = {
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


def _no_membership(*, member: bool, practice: Practice) -> list[MissingHours]:
    if member or not practice.membership_needed:
        return []
    return [MissingHours("membership", "a current individual membership", 0, 1, "CT-PORT, MI-POLOLD")]


def _must_offer(association: Row, category: str, held: Collection[str], on: date, *, field: str = "category") -> None:
    if category not in CATEGORIES:
        raise Invalid("There is no category of this code; use a code such as IFS.", field=field)
    if not CATEGORIES[category].in_force(on):
        raise NotInForce(f"The category {category}", on)
    if category not in association.offers:
        raise Invalid(f"{association.name} does not offer {category}; choose another category.", field=field)
    if category in held:
        raise Invalid(f"{category} is held already; renew it instead.", field=field)


_CURRENCY = re.compile(r"[A-Z]{3}")
_ORGANISATION = re.compile(r"[A-Z][A-Z0-9-]{1,15}")


def check_fee(fee: Fee, *, asked: bool) -> None:
    """How it was settled, said in full and without a name; `asked`: there is a fee. Raises Invalid."""
    if fee.how in ("paid", "sponsored") and not (fee.amount > 0 and _CURRENCY.fullmatch(fee.currency)):
        raise Invalid("Give the amount in cents, and the currency such as USD.", field="amount")
    if fee.how in ("waived", "not_asked") and fee.amount:
        raise Invalid(
            f"Nothing is paid when a fee is {fee.how.replace('_', ' ')}; leave the amount out.", field="amount"
        )
    if fee.how == "not_asked" and asked:
        raise Invalid("There is a fee for this; say that it was paid, waived or sponsored.", field="how")
    if (fee.how == "sponsored") != bool(fee.sponsor):
        raise Invalid("Give the sponsor's code when a fee is sponsored, and only then.", field="sponsor")
    if fee.sponsor and not _ORGANISATION.fullmatch(fee.sponsor):
        raise Invalid("Name the sponsor by a code of letters and digits, such as VA or DBHDS.", field="sponsor")


def _months_after(day: date, months: int) -> date:
    """The same day so many months later; the first of the next month where that month is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return day.replace(year=year, month=month + 1)
    except ValueError:
        return date(year, month + 2, 1)


def code_of_ethics(on: date) -> str:
    """The version of the code of ethics that is signed on a day."""
    return _in_force(CODES_OF_ETHICS, on)


def _in_force(documents: Sequence[Document], on: date) -> str:
    return next((document.name for document in reversed(documents) if document.effective <= on), documents[0].name)


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


def _beside(person: str, event: Event) -> str:
    return f"open_beside/{person}/{event.originator_id.partition('/')[2]}"


def _claimed(person: str, event: Event, *, alone: bool, beside: str) -> tuple[str, ...]:
    """One at a time (R3); of those beside it each its own, and one for an add-on to an endorsement (ours)."""
    own = _open(person) if alone else _beside(person, event)
    return (own, f"open_add_on/{beside}") if beside else (own,)


def _closed(person: str, event: Event, beside: str) -> Claims:
    also = (f"open_add_on/{beside}",) if beside else ()
    return Claims(release=(_open(person), _beside(person, event), *also))


def open_applications(person: str) -> tuple[str, str]:
    """The claim of the one that is open, and the folder of those that are open beside it."""
    return _open(person), f"open_beside/{person}"
