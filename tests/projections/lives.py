"""Generated histories: every topic a view takes, late facts, moves, erasures; whole facts, never random text."""

from datetime import date, timedelta

import msgspec
from hypothesis import strategies as st

from domain.application import Application, Fee, Snapshot
from domain.association import ROWS, Association
from domain.endorsement import Endorsement, Source
from domain.event import Event
from domain.exam import Exam
from domain.key import Key
from domain.person import Person
from domain.policy import Attestation, Reinstatement, Tally
from domain.portfolio import Entry
from domain.transfer import Transfer

SOURCE = Source(file="ab" * 32, row=7, record="")
ATTESTED = Attestation(training_hours=30, rsc_hours=24)
AGAIN = Reinstatement(training_hours=15)
FIRST = date(2020, 1, 1)

days = st.integers(0, 2200).map(lambda n: FIRST + timedelta(days=n))
codes = st.sampled_from(["VA", "CT", "MI"])
categories = st.sampled_from(["IFA", "IFS", "IMHS"])


def _facts(draw, kind, **fixed):  # noqa: C901, PLR0912 # one case for each kind
    """An event of an endorsement's stream after its first."""
    on = draw(days)
    match kind:
        case "renewed":
            facts = Endorsement.Renewed, {"cycle": 2023, "edition": "R-2022", "attested": ATTESTED}
        case "reinstated":
            facts = Endorsement.Reinstated, {"edition": "R-2022", "attested": AGAIN, "audit_required": True}
        case "reported":
            more = {"awarded_on": draw(days)} if draw(st.booleans()) else {}
            more |= {"category": draw(categories)} if draw(st.booleans()) else {}
            standing = draw(st.sampled_from(["active", "lapsed", "inactive"]))
            facts = (
                Endorsement.Reported,
                {
                    "means": draw(st.sampled_from(["correction", "renewal"])),
                    "standing": standing,
                    "source": SOURCE,
                    **more,
                },
            )
        case "lapsed":
            facts = Endorsement.Lapsed, {}
        case "reactivated":
            facts = Endorsement.Reactivated, {}
        case "made_inactive":
            return Endorsement.MadeInactive, {"on": on, "reason": "move", "until": on + timedelta(days=730)}
        case "suspended":
            return Endorsement.Suspended, {"on": on, "reason": "fraud_being_established"}
        case "lifted":
            standing = draw(st.sampled_from(["active", "lapsed", "inactive"]))
            return Endorsement.SuspensionLifted, {"on": on, "standing": standing}
        case "removed":
            return Endorsement.Removed, {"on": on, "ground": "fraud", "proposed_by": "alliance:k9"}
        case "archived":
            return Endorsement.Archived, {"on": on}
        case "died":
            return Endorsement.EndedByDeath, {"on": on}
        case "emeritus":
            return Endorsement.EmeritusGranted, {"on": on}
        case "inactivity_ended":
            return Endorsement.InactivityEnded, {"on": on, "until": on - timedelta(days=1)}
        case "add_on_ended":
            return Endorsement.AddOnEnded, {"on": on, "add_on": "EERS", "until": on - timedelta(days=1)}
        case "converted":
            return Endorsement.Converted, {"on": on, "from_": "IFRS", "to": draw(categories), "add_on": "ERS"}
        case "sanctioned":
            return Endorsement.SanctionReported, {"on": on, "source": "fraud_finding", "decided_on": on}
        case "add_on":
            add_on = draw(st.sampled_from(["ERS", "EERS"]))
            until = on + timedelta(days=draw(st.integers(0, 800))) if add_on == "EERS" else None
            return Endorsement.AddOnGranted, {"on": on, "add_on": add_on, "until": until}
        case "moved":
            return Endorsement.CustodyTransferred, {"on": on, "from_": "VA", "to": draw(codes), "transfer": "t1"}
        case "contradicted":
            return Endorsement.ReportContradicted, {
                "on": on,
                "field": draw(st.sampled_from(["through", "standing"])),
                "association": "VA",
                "source": SOURCE,
            }
        case "settled":
            return Endorsement.ReportSettled, {"on": on, "association": "VA"}
        case "issued":
            cti = draw(st.sampled_from(["aa" * 16, "bb" * 16, "cc" * 16]))
            replaces = draw(st.sampled_from(["", "aa" * 16, "bb" * 16]))
            return Endorsement.CertificateIssued, {
                "on": on, "cti": cti, "category": "IFS", "association": "VA", "person_version": 1, "why": "renewed",
                "valid_from": "2024-01-01T00:00:00Z", "through": on, "expires_at": "2025-01-01T00:00:00Z",
                "replaces": replaces, **fixed,
            }  # fmt: skip
        case "signed":
            return Endorsement.CertificateSigned, {"on": on, "cti": "aa" * 16, "kid": "01" * 8}
    return facts[0], {"on": on, "through": draw(days), **facts[1]}


STANDING = (
    "renewed", "reinstated", "reported", "lapsed", "reactivated", "made_inactive", "suspended", "lifted", "removed",
    "archived", "add_on", "moved", "died", "emeritus", "inactivity_ended", "add_on_ended", "converted", "sanctioned",
    "corrected",
)  # fmt: skip
OTHERS = ("contradicted", "settled", "issued", "signed")


def event(kind: type[Event], stream: str, version: int, **facts) -> Event:
    known = {
        name: getattr(value, "isoformat", lambda v=value: v)() for name, value in facts.items() if value is not None
    }
    names = {field.name: field.encode_name for field in msgspec.structs.fields(kind)}
    plain = {names[name]: msgspec.to_builtins(value) for name, value in known.items()}
    return msgspec.convert({"originator_id": stream, "originator_version": version, "by": "a:1", **plain}, kind)


@st.composite
def endorsement_events(draw, number="IFS-7K3MQ9TD", person="p1", kinds=STANDING, most=8):
    stream = f"endorsement/{number}"
    base = {"number": number, "person": person, "category": draw(categories), "association": draw(codes)}
    if draw(st.booleans()):
        first = event(
            Endorsement.Awarded,
            stream,
            1,
            on=draw(days),
            application="a1",
            edition="FS-2023",
            through=draw(days),
            **base,
        )
    else:
        standing = draw(st.sampled_from(["active", "lapsed", "inactive"]))
        first = event(
            Endorsement.Imported, stream, 1, on=draw(days), awarded_on=draw(days), through=draw(days),
            standing=standing, source=SOURCE, **base,
        )  # fmt: skip
    events = [first]
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=most)):
        cls, facts = _corrected(draw, events) if kind == "corrected" else _facts(
            draw, kind, number=number, person=f"person/{person}")  # fmt: skip
        events.append(event(cls, stream, len(events) + 1, **facts))
    return events


def _corrected(draw, events):
    """A correction of one of these facts that may be corrected, and what it comes to."""
    may = [fact for fact in events if isinstance(fact, tuple(Endorsement._corrigible()))] or events[:1]
    fact = draw(st.sampled_from(may))
    right = {"void": True} if fact is not events[0] and draw(st.booleans()) else {
        "day": draw(st.none() | days), "through": draw(st.none() | days)}  # fmt: skip
    if isinstance(fact, Endorsement.Imported):
        right = {}
    asked = {"corrects": fact.originator_version, "reason": "wrong_day", **right}
    after = Endorsement.fold(events)._if_corrected(asked, FIRST, "a:1")
    newest, recorded = after.outcome
    return Endorsement.Corrected, {"on": draw(days), "newest": newest, "recorded": recorded, **asked}


@st.composite
def person_events(draw, person, other):
    stream = f"person/{person}"
    events = [event(Person.Registered, stream, 1, on=FIRST, residence="VA", name=f"Ána {person}", credentials="LMSW",
                    email="a@example.org", match=f"m{person}")]  # fmt: skip
    kinds = st.sampled_from(["renamed", "moved", "hidden", "shown", "entry", "likeness", "settled", "erased"])
    for kind in draw(st.lists(kinds, max_size=4)):
        cls, facts = {
            "renamed": (Person.Renamed, {"name": "Zoë O’Neill", "match": f"n{person}", "formerly": f"m{person}"}),
            "moved": (Person.ResidenceChanged, {"residence": "CT"}),
            "hidden": (Person.PublicationChosen, {"listed": False}),
            "shown": (Person.PublicationChosen, {"listed": True}),
            "entry": (
                Person.EntryRecorded,
                {"entry": "E1", "fact": Entry(kind="training", from_=FIRST, through=FIRST, hours=2), "title": "Talk"},
            ),
            "likeness": (Person.LikenessNoted, {"other": other, "association": "VA"}),
            "settled": (Person.LikenessSettled, {"other": other, "same": False}),
            "erased": (Person.Erased, {}),
        }[kind]
        events.append(event(cls, stream, len(events) + 1, on=draw(days), **facts))
        if kind == "erased":
            break
    return events


@st.composite
def application_events(draw, application, person, number):
    stream = f"application/{application}"
    facts = [(Application.Started, {"person": person, "association": "VA", "category": "IFS"})]
    snapshot = Snapshot(1, Tally(), ("E1",))
    once = [
        (Application.FeeSettled, {"what": "registration", "fee": Fee("waived")}),
        (Application.Registered, {"member": True}),
        (Application.CategoryChanged, {"from_": "IFS", "to": "IFA"}),
        (Application.AdvisorAssigned, {"advisor": "IMHS-9", "person": "r9"}),
        (Application.Submitted, {"edition": "FS-2023", "entries": ("E1",), "tally": Tally(), "person_version": 1}),
        (Application.Amended, {"edition": "FS-2023", "snapshot": snapshot}),
        (Application.ReviewerAssigned, {"reviewer": "IMHS-1", "person": "r1", "held": "IMHS"}),
        (Application.ReviewerAssigned, {"reviewer": "IMHS-2", "person": "r2", "held": "IMHS"}),
        (Application.ReviewerRecused, {"reviewer": "IMHS-2", "tie": "colleague"}),
        (Application.ReviewRecommended, {"reviewer": "IMHS-1", "outcome": "approve", "held": "IMHS"}),
        (Application.ConsensusReached, {"outcome": "approve"}),
        (Application.PutOnHold, {"reasons": ("more_rsc",)}),
        (Application.ApprovedForExam, {"edition": "MHS-2023", "through": FIRST}),
        (Application.ExamDecided, {"exam": "x1", "passed": False, "part_1": True, "part_2": False}),
        (Application.Deferred, {"reasons": ("more_rsc",), "may_resubmit_from": FIRST}),
        (Application.Reminded, {"months": 18, "expires": FIRST}),
        (Application.Appealed, {"decision": "deferred"}),
        (Application.AppealDecided, {"verdict": "granted", "person": person, "decision": "deferred"}),
        (Application.AppealDecided, {"verdict": "upheld", "person": person, "decision": "deferred"}),
    ]
    last = [
        (Application.Withdrawn, {"person": person}),
        (Application.RegistrationRefused, {"person": person, "reason": "not_a_member"}),
        (Application.Declined, {"person": person, "reasons": ("references",)}),
        (Application.Expired, {"person": person, "since": FIRST}),
        (Application.Approved, {"edition": "FS-2023", "number": number, "person": person}),
    ]
    assigned = False
    for cls, more in draw(st.lists(st.sampled_from(once), max_size=9)):
        if cls is Application.ReviewRecommended and not assigned:
            continue  # nobody judges what was not given to them
        anew = cls is Application.Submitted or more.get("verdict") == "granted"
        assigned = not anew and (assigned or more.get("reviewer") == "IMHS-1")
        facts.append((cls, more))
    facts += draw(st.sampled_from([[], *([fact] for fact in last)]))
    return [event(cls, stream, i, on=draw(days), **more) for i, (cls, more) in enumerate(facts, start=1)]


@st.composite
def exam_events(draw, exam):
    booked = {"candidate": f"C-{exam}", "window": FIRST, "multiple_choice": "IMH", "designation": "MHM-C"}
    more = [
        (Exam.Sat, {}),
        (Exam.Part1Scored, {"wrong": 3, "items": 60, "most_wrong": 12, "passed": True}),
        (Exam.ScorerAssigned, {"scorer": "s1"}),
        (Exam.ScorerAssigned, {"scorer": "s2"}),
        (Exam.ScorerRecused, {"scorer": "s2"}),
        (Exam.Part2Scored, {"scorer": "s1", "score": 81.0, "pass_mark": 80.0, "passed": True}),
        (Exam.Decided, {"passed": False, "part_1": True, "part_2": False}),
        (Exam.Cancelled, {}),
    ]
    facts = [(Exam.Booked, booked), *draw(st.lists(st.sampled_from(more), max_size=6))]
    return [event(cls, f"exam/{exam}", i, on=draw(days), **known) for i, (cls, known) in enumerate(facts, start=1)]


@st.composite
def transfer_events(draw, transfer, person, number):
    numbers = (number,)
    stream = f"transfer/{transfer}"
    facts = [(Transfer.Requested, {"person": person, "from_": "VA", "to": "CT", "endorsements": numbers})]
    more = [
        (Transfer.StandingConfirmed, {"standings": {number: "active"}}),
        (Transfer.StandingDisputed, {"reason": "dues_open"}),
        (Transfer.DisputeDecided, {"good_standing": True, "endorsements": numbers}),
        (Transfer.MembershipVerified, {"association": "CT", "through": FIRST}),
        (Transfer.Accepted, {"endorsements": numbers, "refused": {}}),
        (Transfer.Declined, {"reason": "other", "endorsements": numbers}),
        (Transfer.Completed, {"endorsements": numbers}),
        (Transfer.Cancelled, {"endorsements": numbers}),
    ]
    facts += draw(st.lists(st.sampled_from(more), max_size=5))
    return [event(cls, stream, i, on=draw(days), **known) for i, (cls, known) in enumerate(facts, start=1)]


@st.composite
def histories(draw, tag=""):
    """Several streams, one after another or interleaved; a stream's own order stays. `tag`: for ids of its own."""
    row = ROWS["VA"]
    streams = [
        [event(Association.Admitted, f"association/VA{tag}", 1, on=FIRST, licence="endorsement",
               **{name: getattr(row, name) for name in row.__struct_fields__})],
        [event(Key.Published, f"key/01{tag}", 1, on=FIRST, kid="0101", use="log", public="z6Mk", controller="did:web:x",
               start="2024-01-01T00:00:00Z")],
    ]  # fmt: skip
    for n in range(1, draw(st.integers(1, 3)) + 1):
        number = f"IFS-{tag}-{n}"
        streams.append(draw(person_events(f"p{tag}-{n}", f"p{tag}-2")))
        streams.append(draw(application_events(f"a{tag}-{n}", f"p{tag}-{n}", number)))
        streams.append(draw(endorsement_events(number, f"p{tag}-{n}", STANDING + OTHERS)))
        streams.append(draw(exam_events(f"x{tag}-{n}")))
        streams.append(draw(transfer_events(f"t{tag}-{n}", f"p{tag}-{n}", number)))
    order = draw(st.permutations([i for i, stream in enumerate(streams) for _ in stream]))
    left = [iter(stream) for stream in streams]
    return [next(left[i]) for i in order]
