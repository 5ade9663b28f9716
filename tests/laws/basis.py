"""What every run begins with: associations, founders, applicants, and a case of each kind half-way."""

from datetime import date

from references import give_references

from domain.access import OPERATOR
from domain.application import Application
from domain.audit import Audit
from domain.endorsement import Endorsement, Source, new_number
from domain.exam import Exam
from domain.person import Person
from domain.policy import Tally
from domain.portfolio import Entry
from domain.quality import QualityReview
from domain.transfer import Transfer
from registry.commands import Act, Registry

LONG_AGO = date(2020, 3, 2)
MEMBER = date(2020, 1, 1), date(2035, 12, 31)
BY = "operator"


def settle(registry: Registry) -> None:
    registry.admit_all(Act(OPERATOR))
    founders = [
        _founder(registry, code, category)
        for code, category in (
            ("VA", "IMHM-C"), ("VA", "IMHM-P"), ("CT", "IMHM-C"), ("CT", "IMHM-P"), ("VA", "IFS"), ("VA", "IFRS"),
        )
    ]  # fmt: skip
    for code in ("VA", "VA", "CT"):
        person = _applicant(registry, code)
        give_references(registry, person, "IFA", association=code, waiver=code == "VA")
    _building(registry, _applicant(registry, "VA"), "IFA")
    _reviewed(registry, "IFA", founders[:1] + founders[2:3])
    _reviewed(registry, "IMHM-P", [founders[1], founders[3]])
    for outcomes in (("hold", "hold"), ("defer", "defer"), ("decline", "decline"), ("approve", "defer")):
        _reviewed(registry, "IFA", founders[:1] + founders[2:3], outcomes)
    _like(registry)
    _at_the_exam(registry, founders)
    _deferred(registry, founders)
    _audited(registry, founders[0])
    _moving(registry)
    _contradicted(registry)


def _record(registry, aggregate, *facts):
    """These facts, as if deeds of today had made them."""
    today = registry.today("VA")
    for event, values in facts:
        aggregate.record(event, **({"on": today, "by": BY} | values))
    registry.store.save(aggregate)
    return aggregate.name


def _founder(registry, code, category):
    """Number, person and category of somebody of long standing."""
    person, held = Person(registry.new_id()), Endorsement(new_number(category, registry.draw))
    person.register(residence=code, name="Ada Founder", on=LONG_AGO, by=BY)
    person.record_membership(code, *MEMBER, on=LONG_AGO, by=BY)
    person.record_reviewer_training(code, on=LONG_AGO, by=BY)
    person.add(Entry("training", date(2020, 1, 1), date(2020, 2, 1), hours=60), on=LONG_AGO, by=BY)
    registry.store.save(person)
    imported = {
        "number": held.name, "person": person.name, "category": category, "association": code, "awarded_on": LONG_AGO,
        "through": date(2027, 12, 31), "standing": "active", "source": Source(file="0" * 64, row=1, record=held.name),
    }  # fmt: skip
    _record(registry, held, (Endorsement.Imported, imported))
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


def _begun(person, category):
    return (
        (Application.Started, {"person": person, "association": "VA", "category": category}),
        (Application.Registered, {"member": True}),
    )


def _judged(person, category, reviewers, outcomes=("approve", "approve"), reasons=()):
    handed_in = {"edition": "made-up", "person_version": 3, "entries": ("E3", "E4", "E5"), "tally": Tally()}
    assigned = [
        (Application.ReviewerAssigned, {"reviewer": number, "person": human, "held": held})
        for number, human, held in reviewers
    ]
    said = [
        (Application.ReviewRecommended, {"reviewer": number, "outcome": outcome, "held": held, "reasons": reasons})
        for (number, _, held), outcome in zip(reviewers, outcomes, strict=True)
    ]
    return (*_begun(person, category), (Application.Submitted, handed_in), *assigned, *said)


def _building(registry, person, category):
    _record(registry, Application(registry.new_id()), *_begun(person, category))


def _reviewed(registry, category, reviewers, outcomes=("approve", "approve")):
    person = _applicant(registry, "VA")
    _record(registry, Application(registry.new_id()), *_judged(person, category, reviewers, outcomes))


def _like(registry):
    """Two of whom an import asked whether they are one."""
    one, other = (_applicant(registry, "VA") for _ in range(2))
    person = registry.store.get(Person, one)
    person.note_likeness(other, "VA", on=registry.today("VA"), by=BY)
    registry.store.save(person)


def _at_the_exam(registry, founders):
    """One who sat it, and one whose week it is."""
    sat = (Exam.Sat, {}), *((Exam.ScorerAssigned, {"scorer": founder[1]}) for founder in (founders[0], founders[2]))
    for after in (sat, ()):
        exam = Exam(registry.new_id())
        window = {"window": registry.today("VA")}
        booked = {"candidate": f"C-{exam.name[:7]}", "multiple_choice": "IMH", "designation": "MHM-P", **window}
        _record(registry, exam, (Exam.Booked, booked), *after)
        _record(
            registry,
            Application(registry.new_id()),
            *_judged(_applicant(registry, "VA"), "IMHM-P", [founders[1], founders[3]]),
            (Application.ApprovedForExam, {"edition": "made-up", "through": date(2028, 9, 1)}),
            (Application.ExamBooked, {"exam": exam.name, **window}),
        )


def _deferred(registry, founders):
    reasons = ("more_training",)
    facts = _judged(_applicant(registry, "VA"), "IFA", [founders[0], founders[2]], ("defer", "defer"), reasons)
    case = Application(registry.new_id())
    _record(registry, case, *facts, (Application.Deferred, {"reasons": reasons}))
    item = f"{case.name}-{case.version}"
    drawn = {
        "association": "VA", "from_": date(2027, 1, 1), "through": date(2027, 12, 31), "seed": "0" * 16,
        "population": (item,), "items": (item,),
    }  # fmt: skip
    _record(registry, QualityReview(registry.new_id()), (QualityReview.SampleDrawn, drawn))


def _moving(registry):
    """A transfer at each of its turns, to Connecticut."""
    member = Transfer.MembershipVerified, {"association": "CT", "through": MEMBER[1], "source": "coordinator"}
    for category, after in (
        ("IFA", lambda number: ()),
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


def _audited(registry, founder):
    drawn = {
        "association": "VA", "cycle": 2024, "seed": "0" * 16, "share": 0.05, "population": (founder[0],), "always": (),
        "sample": (founder[0],),
    }  # fmt: skip
    _record(registry, Audit(registry.new_id()), (Audit.SampleDrawn, drawn))
