"""What every run begins with: associations, founders, applicants, and a case of each kind half-way."""

from datetime import date, timedelta

from references import give_references

from domain.access import OPERATOR, Actor
from domain.application import Application
from domain.association import ALLIANCE, Association
from domain.audit import Audit
from domain.employer import Employer
from domain.endorsement import Endorsement, Source, new_number
from domain.exam import Exam
from domain.person import Demographics, Person
from domain.policy import Attestation, Tally
from domain.portfolio import Entry
from domain.quality import QualityReview, agreement
from domain.reference import Reference
from domain.transfer import Transfer
from registry.commands import Act, Registry
from registry.commands.references import link_of

LONG_AGO = date(2020, 3, 2)
MEMBER = date(2020, 1, 1), date(2035, 12, 31)
BY = "operator"


def settle(registry: Registry) -> None:
    registry.admit_all(Act(OPERATOR))
    founders = [
        _founder(registry, code, category)
        for code, category in (("VA", "IMHM-C"), ("VA", "IMHM-P"), ("CT", "IMHM-C"), ("CT", "IMHM-P"), ("VA", "IFRS"))
    ]
    for code, category in (("VA", "IFS"), ("VA", "IFRS"), ("CT", "IMHS")):
        _founder(registry, code, category, through=date(2027, 12, 31))
    for code in ("VA", "CT"):
        _with_references(registry, code)
    for after in ((), (_REGISTERED,), (_REGISTERED,)):
        _begun_application(registry, _with_references(registry, "VA"), "IFA", *after)
    _reviewed(registry, "IFA", founders[:1] + founders[2:3])
    _reviewed(registry, "IMHM-P", [founders[1], founders[3]])
    for outcomes in (("hold", "hold"), ("defer", "defer"), ("decline", "decline"), ("approve", "defer"), ("approve",)):
        _reviewed(registry, "IFA", founders[:1] + founders[2:3], outcomes)
    _sent_back(registry, founders)
    _like(registry)
    _told_more(registry)
    _asked(registry)
    _at_the_exam(registry, founders)
    _looked_at_again(registry, founders)
    _audited(registry)
    _moving(registry)
    _contradicted(registry)
    _not_simply_active(registry)
    _without_full_licence(registry)
    _followed(registry, founders)


def _record(registry, aggregate, *facts):
    """These facts, as if deeds of today had made them."""
    today = registry.today("VA")
    for event, values in facts:
        aggregate.record(event, **({"on": today, "by": BY} | values))
    registry.store.save(aggregate)
    return aggregate


def _ago(registry, days):
    return registry.today("VA") - timedelta(days=days)


def _founder(registry, code, category, *after, through=date(2030, 12, 31)):
    """Number, person and category of somebody of long standing; `after`: what is recorded of the endorsement then."""
    person, held = Person(registry.new_id()), Endorsement(new_number(category, registry.draw))
    person.register(residence=code, name="Ada Founder", on=LONG_AGO, by=BY)
    person.record_membership(code, *MEMBER, on=LONG_AGO, by=BY)
    person.record_reviewer_training(code, on=LONG_AGO, by=BY)
    person.add(Entry("training", date(2020, 1, 1), date(2020, 2, 1), hours=60), on=LONG_AGO, by=BY)
    registry.store.save(person)
    imported = {
        "number": held.name, "person": person.name, "category": category, "association": code, "awarded_on": LONG_AGO,
        "through": through, "standing": "active", "source": Source(file="0" * 64, row=1, record=held.name),
    }  # fmt: skip
    _record(registry, held, (Endorsement.Imported, imported), *after)
    return held.name, person.name, category


def _applicant(registry, code):
    """Somebody with a portfolio that is enough for most categories."""
    person, today = Person(registry.new_id()), registry.today(code)
    person.register(residence=code, name="Bo Applicant", on=LONG_AGO, by=BY)
    person.record_membership(code, *MEMBER, on=LONG_AGO, by=BY)
    person.add(Entry("work", date(2020, 1, 1), date(2024, 1, 1), sector="home_visiting"), on=today, by=BY)
    person.add(Entry("training", date(2024, 1, 1), date(2024, 2, 1), hours=60, dei_hours=6), on=today, by=BY)
    person.add(Entry("rsc", date(2024, 3, 1), date(2024, 6, 1), hours=20), on=today, by=BY)
    person.add(Entry("education", date(2010, 1, 1), date(2012, 1, 1), degree="master"), on=today, by=BY)
    registry.store.save(person)
    return person.name


def _with_references(registry, code):
    """An applicant whose references are enough too; the applicant may read those of Connecticut."""
    person = _applicant(registry, code)
    give_references(registry, person, "IFA", association=code, waiver=code == "VA")
    return person


_REGISTERED = Application.Registered, {"member": True}


def _begun_application(registry, person, category, *after):
    started = {"person": person, "association": "VA", "category": category}
    return _record(registry, Application(registry.new_id()), (Application.Started, started), *after)


def _judged(reviewers, outcomes, reasons=()):
    handed_in = {"edition": "made-up", "person_version": 3, "entries": ("E3", "E4", "E5"), "tally": Tally()}
    assigned = [
        (Application.ReviewerAssigned, {"reviewer": number, "person": human, "held": held})
        for number, human, held in reviewers
    ]
    said = [
        (Application.ReviewRecommended, {"reviewer": number, "outcome": outcome, "held": held, "reasons": reasons})
        for (number, _, held), outcome in zip(reviewers, outcomes, strict=False)
    ]
    return (_REGISTERED, (Application.Submitted, handed_in), *assigned, *said)


def _reviewed(registry, category, reviewers, outcomes=("approve", "approve"), *after):
    """An application that its reviewers, or the first of them, have judged."""
    person = _with_references(registry, "VA") if after else _applicant(registry, "VA")
    return _begun_application(registry, person, category, *_judged(reviewers, outcomes), *after)


def _sent_back(registry, founders):
    """On hold, deferred, appealed; approved for the exam."""
    reviewers, reasons = [founders[0], founders[2]], {"reasons": ("more_training",)}
    for outcome, *after in (
        ("hold", (Application.PutOnHold, reasons)),
        ("defer", (Application.Deferred, reasons)),
        ("defer", (Application.Deferred, reasons), (Application.Appealed, {"decision": "deferred"})),
    ):
        _reviewed(registry, "IFA", reviewers, (outcome, outcome), *after)
    approved = Application.ApprovedForExam, {"edition": "made-up", "through": date(2028, 9, 1)}
    _reviewed(registry, "IMHM-P", [founders[1], founders[3]], ("approve", "approve"), approved)


def _like(registry):
    """Two of whom an import asked whether they are one."""
    one, other = (_applicant(registry, "VA") for _ in range(2))
    person = registry.store.get(Person, one)
    person.note_likeness(other, "VA", on=registry.today("VA"), by=BY)
    registry.store.save(person)


def _told_more(registry):
    """Two who volunteered something about themselves, and two records of one human each that are merged."""
    for _ in range(2):
        person = _applicant(registry, "VA")
        registry.volunteer_demographics(Act(Actor("holder", person=person)), person, Demographics(gender="woman"))
        into = _applicant(registry, "VA")
        alliance = Actor("alliance", association=ALLIANCE, id="k1")
        registry.merge_persons(Act(alliance), _applicant(registry, "VA"), into=into)


def _asked(registry):
    """Raters who were asked some days ago and have not answered yet; one whose rating the applicant may read."""
    person = _applicant(registry, "VA")
    for letter in "abcd":
        found = Reference(registry.new_id())
        nominated = {
            "person": person, "association": "VA", "relationship": "colleague", "waiver": letter != "a",
            "name": "Rater Asked", "email": f"{letter}@example.org", "match": found.name, "on": _ago(registry, 5),
        }  # fmt: skip
        link = link_of(registry.rating_code(found.name, 2))
        asked = {"link": link, "until": _ago(registry, -85), "on": _ago(registry, 5)}
        _record(registry, found, (Reference.Nominated, nominated), (Reference.Requested, asked))


def _at_the_exam(registry, founders):
    """One who sat it, one of whom all is scored, and one whose week it is."""
    scorers = [founder[1] for founder in (founders[0], founders[2])]
    sat = (Exam.Sat, {}), *((Exam.ScorerAssigned, {"scorer": scorer}) for scorer in scorers)
    part_1 = Exam.Part1Scored, {"wrong": 3, "items": 60, "most_wrong": 12, "passed": True}
    part_2 = {"score": 90.0, "pass_mark": 80.0, "passed": True}
    scored = part_1, *((Exam.Part2Scored, {"scorer": scorer, **part_2}) for scorer in scorers)
    for after in (sat, (*sat, *scored), ()):
        exam = Exam(registry.new_id())
        window = {"window": registry.today("VA")}
        booked = {"candidate": f"C-{exam.name[:7]}", "multiple_choice": "IMH", "designation": "MHM-P", **window}
        _record(registry, exam, (Exam.Booked, booked), *after)
        _reviewed(
            registry, "IMHM-P", [founders[1], founders[3]], ("approve", "approve"),
            (Application.ApprovedForExam, {"edition": "made-up", "through": date(2028, 9, 1)}),
            (Application.ExamBooked, {"exam": exam.name, **window}),
        )  # fmt: skip


def _looked_at_again(registry, founders):
    """A quality review that was drawn, one with its second reviewer, one judged again, one with nothing left to do."""
    reviewer, person, held = founders[2]
    assigned = {"reviewer": reviewer, "person": person, "held": held}
    judged = {"reviewer": reviewer, "outcome": "defer", "held": held, "reasons": ("more_rsc",)}
    finding = {"finding": "F1", "kind": "reasons_missing"}
    for far in range(5):
        case = _reviewed(
            registry, "IFA", [founders[0]], ("defer",), (Application.Deferred, {"reasons": ("more_training",)})
        )
        item = f"{case.name}-{case.version}"
        drawn = {
            "association": "VA", "from_": date(2027, 1, 1), "through": date(2027, 12, 31), "seed": "0" * 16,
            "population": (item,), "items": (item,),
        }  # fmt: skip
        outcomes = {item: ("defer", "defer")}
        steps = (
            (QualityReview.SampleDrawn, drawn),
            (QualityReview.SecondReviewerAssigned, {"item": item, **assigned}),
            (QualityReview.SecondReviewRecorded, {"item": item, **judged}),
            (QualityReview.AgreementComputed, {"outcomes": outcomes, "agreement": agreement(list(outcomes.values()))}),
        )
        raised = [(QualityReview.FindingRaised, finding)] if far == 4 else []
        _record(registry, QualityReview(registry.new_id()), *steps[: far + 1], *raised)


def _audited(registry):
    """An audit with somebody at each of its turns, one with nothing left to do, and somebody who renewed since."""
    by, past = registry.today("VA") + timedelta(days=60), _ago(registry, 10)
    archived = Endorsement.Archived, {"on": _ago(registry, 30)}
    turns = (
        (Audit.NoticeSent, {"why": "drawn", "answer_by": by}),
        (Audit.EvidenceSubmitted, {"entries": ("E4",)}),
        (Audit.Failed, {"remedy": "training_hours", "remedy_by": past}),
    )
    open_, done = [], []
    for far in range(5):
        number, _, _ = _founder(registry, "VA", "IFA", _RENEWED, *([archived] if far == 4 else []))
        open_.append(
            (
                number,
                [(event, {"number": number, "on": _ago(registry, 40)} | facts) for event, facts in turns[: far % 4]],
            )
        )
    number, _, _ = _founder(registry, "VA", "IFA", _RENEWED)
    done = [(number, [(Audit.Passed, {"number": number})])]
    for sample in (open_, done):
        numbers = tuple(number for number, _ in sample)
        drawn = {
            "association": "VA", "cycle": 2024, "seed": "0" * 16, "share": 1.0, "population": numbers, "always": (),
            "sample": numbers, "on": _ago(registry, 50),
        }  # fmt: skip
        facts = (fact for _, facts in sample for fact in facts)
        _record(registry, Audit(registry.new_id()), (Audit.SampleDrawn, drawn), *facts)
    for code in ("VA", "CT"):
        _founder(registry, code, "IFA", _RENEWED)


_RENEWED = Endorsement.Renewed, {
    "cycle": 2024, "edition": "made-up", "through": date(2030, 12, 31), "on": date(2024, 11, 1),
    "attested": Attestation(training_hours=45, rsc_hours=36, membership=True, ethics=True, no_sanction=True),
}  # fmt: skip


def _moving(registry):
    """A transfer at each of its turns, to Connecticut."""
    member = Transfer.MembershipVerified, {"association": "CT", "through": MEMBER[1], "source": "coordinator"}
    for category, after in (
        ("IFA", lambda number: ()),
        ("IFS", lambda number: ()),
        ("IFA", lambda number: ((Transfer.StandingConfirmed, {"standings": {number: "active"}}), member)),
        ("IFS", lambda number: ((Transfer.StandingConfirmed, {"standings": {number: "active"}}), member)),
        ("IFA", lambda number: ((Transfer.Held, {"reason": "open_sanction", "endorsements": (number,)}),)),
        ("IFS", lambda number: (
            (Transfer.Declined, {"reason": "category_not_offered", "endorsements": (number,)}),)),
    ):  # fmt: skip
        number, person, _ = _founder(registry, "VA", category)
        asked = {"person": person, "from_": "VA", "to": "CT", "endorsements": (number,)}
        _record(registry, Transfer(registry.new_id()), (Transfer.Requested, asked), *after(number))


def _contradicted(registry):
    number, _, _ = _founder(registry, "VA", "IFA")
    held = registry.store.get(Endorsement, number)
    held.contradict_report("through", Source(file="1" * 64, row=1, record=number), on=registry.today("VA"), by=BY)
    registry.store.save(held)


def _not_simply_active(registry):
    """An endorsement of each standing that has a way back, and one of each step towards its removal.

    And somebody who asked to be forgotten.
    """
    long_ago, good = {"on": date(2024, 5, 1)}, date(2023, 12, 31)
    lapsed = Endorsement.Lapsed, {"through": good, "on": date(2024, 1, 1)}
    inactive = (
        Endorsement.MadeInactive,
        {"reason": "family_leave", "until": _ago(registry, -400), "on": _ago(registry, 30)},
    )
    suspended = Endorsement.Suspended, {"reason": "sanction_being_established", **long_ago}
    sanction = Endorsement.SanctionReported, {
        "source": "board_notice", "decided_on": date(2024, 4, 1), "board": "VA-LPC", **long_ago,
    }  # fmt: skip
    proposed = Endorsement.RemovalProposed, {"ground": "licensing_board_sanction", **long_ago}
    for after in (
        [lapsed],
        [lapsed],
        [inactive],
        [inactive],
        [suspended],
        [sanction],
        [sanction, proposed],
        [sanction, proposed],
    ):
        _founder(registry, "VA", "IFA", *after)
    _founder(registry, "VA", "IFS")
    leaving = registry.store.get(Person, _applicant(registry, "VA"))
    _record(registry, leaving, (Person.ErasureRequested, {"person": leaving.name, "by": f"holder:{leaving.name}"}))


def _without_full_licence(registry):
    """An association that is suspended, one with the Guidelines only; and one with two coordinators."""
    appointed = ((Association.CoordinatorAppointed, {"coordinator": key}) for key in ("k1", "k2"))
    _record(registry, registry.association("VA"), *appointed)
    _record(registry, registry.association("TX"), (Association.LicenceSuspended, {"reason": "fees_unpaid"}))
    told = {"jurisdiction": "Portugal", "name": "An Association", "abbreviation": "PT-AIMH", "zone": "Europe/Lisbon"}
    registry.admit(Act(OPERATOR), "PT", told, licence="guidelines")


def _followed(registry, founders):
    """Employers: one that follows two founders' endorsements and is told at an address, one that was just admitted.

    Both founders share what a certificate does not say.
    """
    numbers = tuple(number for number, _, _ in founders[:2])
    for number, person, _ in founders[:2]:
        registry.issue_certificate(Act(Actor("coordinator", association="VA")), number)
        until = registry.today("VA") + timedelta(days=90)
        registry.share(Act(Actor("holder", person=person)), person, number=number, until=until, details=("history",))
    admitted = Employer.Admitted, {"association": "VA", "name": "A Clinic", "email": "hr@clinic.example.org"}
    follows = Employer.Follows, {"numbers": numbers}
    told = Employer.WebhookSet, {"url": "https://hr.clinic.example.org/alerts"}
    _record(registry, Employer(registry.new_id()), admitted, follows, told)
    _record(registry, Employer(registry.new_id()), admitted)
