"""How a deed is drawn so that it mostly fits: which case, who acts, what they say. The other draws are wild.

What stands here only makes success likelier. What may come of a deed stands in `model.py`; a deed without a row here is
drawn from its example alone.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec

from domain import access
from domain.access import Actor, Role, Rule, Thing
from domain.application import may_review, windows
from domain.association import ALLIANCE, Association
from domain.audit import Audit
from domain.category import CURRENT
from domain.employer import Employer
from domain.endorsement import Endorsement
from domain.person import Person
from domain.quality import QualityReview
from domain.transfer import OPEN
from registry.api.deeds import Deed
from registry.commands.employers import thing_of_employer
from registry.commands.quality import thing_of_item
from registry.commands.shared import thing_of

if TYPE_CHECKING:
    from machine import Machine

CODES = ("VA", "CT", "TX", "IE", "ALLIANCE")
STRANGERS = ("NZ", "ZA", "SG", "PT")
"""Places that the registry may know nothing of yet."""
# The name of an argument or a field, and the kind of thing it names.
NAMES = {
    "person": "person", "other": "person", "into": "person",
    "number": "endorsement", "reviewer": "endorsement", "provider": "endorsement", "rsc_provider": "endorsement",
    "advisor": "endorsement", "rater": "endorsement", "endorsement": "endorsement", "add_on_to": "endorsement",
    "scorer": "person", "code": "association", "application": "application", "transfer": "transfer", "exam": "exam",
    "review": "quality_review", "reference": "reference", "audit": "audit", "employer": "employer",
}  # fmt: skip
_CODED = frozenset({"to", "association", "residence", "custodian"})
_AHEAD = frozenset({"through", "member_through", "answer_by", "remedy_by", "may_resubmit_from"})
_BEFORE = frozenset({"decided_on", "known_since", "died_on", "from", "member_from", "day"})
_WORDS = ("Ada Okafor", "Marisol Fernández", "Síle Ní Bhriain", "Bo Li")
_BY_TYPE: dict[Any, tuple[Any, ...]] = {
    bool: (True, True, True, True, False),
    int: tuple(range(61)),
    float: tuple(map(float, range(101))),
}
UNSET = msgspec.UNSET


class Drawn(NamedTuple):
    """A deed to be tried: on which case (None: none is there yet), by whom, with what."""

    deed: Deed
    case: Any
    arguments: list[str]
    facts: dict[str, Any]
    actor: Actor


# --- who fits ---------------------------------------------------------------------------------------------------------


def _held(m: Machine, person: Any) -> list[Any]:
    """What somebody holds as active or inactive, and is not moving yet."""
    moving = {number for transfer in m.of("transfer") if transfer.state in OPEN for number in transfer.numbers}
    theirs = [e for e in m.of("endorsement") if e.person == person.name and e.number not in moving]
    return [e for e in theirs if m.state_of(e) in ("active", "inactive")]


def _all_stand(m: Machine, transfer: Any) -> bool:
    return all(m.state_of(m.find("endorsement", number)) in ("active", "inactive") for number in transfer.numbers)


def _may_take(m: Machine, transfer: Any) -> bool:
    """Whether the receiving association may accept it."""
    to = m.find("association", transfer.to)
    offered = all(m.find("endorsement", n).category in to.offers(m.today()) for n in transfer.numbers)
    member = transfer.membership_through and transfer.membership_through >= m.today()
    return bool(member and offered and not transfer.held and to.licence == "endorsement" and _all_stand(m, transfer))


def _not_offered(m: Machine, association: Any) -> list[str]:
    return [code for code in CURRENT if code not in association.offers(m.today())]


def _given(m: Machine, person: str) -> int:
    """How many ratings were given for somebody."""
    return sum(r.person == person and r.state == "rated" for r in m.of("reference"))


def _busy(m: Machine, person: Any) -> bool:
    return any(a.person == person.name and a.state not in _OVER for a in m.of("application"))


_OVER = ("refused", "approved", "declined", "withdrawn", "expired")


def _waiting(m: Machine, application: Any) -> list[str]:
    """Who is still to recommend, and may."""
    waiting = [m.find("endorsement", number) for number, said in application.reviewers.items() if said is None]
    return [e.number for e in waiting if e in m.active() and may_review(e.category, application.category)]


def _judged(outcome: str) -> Callable[[Machine, Any], bool]:
    return lambda m, a: a.all_recommended and a.judgement == outcome and len(a.reviewers) >= m.reviewers(a)


def _items(audit: Any, *states: str) -> list[str]:
    return [number for number, state in audit.items.items() if state in states]


def _awaiting(m: Machine, deed: str, audit: Any) -> list[str]:
    """The numbers of an audit to which a deed may be done."""
    found = _items(audit, *_AUDITED[deed])
    if deed == "drop_from_audit":
        return [number for number in found if m.state_of(m.find("endorsement", number)) in _ENDED]
    if deed == "leave_unremedied":
        return [number for number in found if m.today() > audit.remedy_by.get(number, date.max)]
    return found


_ENDED = ("lapsed", "emeritus", "removed", "archived")


def _auditable(m: Machine, association: str) -> list[Any]:
    """What was renewed and is in no audit yet."""
    busy = {number for audit in m.of("audit") for number in _items(audit, "drawn", "noticed", "submitted", "failed")}
    return [e for e in m.active() if e.renewed_for and e.custodian == association and e.number not in busy]


_AUDITED = {
    "send_audit_notice": ("drawn",),
    "submit_audit_evidence": ("noticed", "submitted", "failed"),
    "pass_audit": ("submitted", "failed"),
    "fail_audit": ("noticed", "submitted"),
    "leave_unremedied": ("failed", "submitted"),
    "drop_from_audit": ("drawn", "noticed", "submitted", "failed"),
}
"""How far an audit has come with the number of the address."""


def _open_items(review: Any, *, assigned: bool) -> list[str]:
    seconds = review.seconds
    return [i for i in review.items if (seconds[i].outcome is None if i in seconds else False) == assigned
            and not (i in seconds and seconds[i].outcome)]  # fmt: skip


READY: Mapping[str, Callable[[Machine, Any], bool]] = {
    "stand_down_coordinator": lambda _, a: bool(a.coordinators),
    **dict.fromkeys(("grant_licence", "suspend_licence", "resume_licence", "end_licence", "take_over_people"),
                    lambda _, a: a.name != ALLIANCE),
    "offer_category": lambda m, a: bool(_not_offered(m, a)),
    "draw_audit": lambda m, a: bool(_auditable(m, a.name)),
    "draw_quality_sample": lambda m, a: any(c.association == a.name and c.decided_on for c in m.of("application")),
    "withdraw_entry": lambda _, p: bool(p.entries),
    "share": lambda m, p: bool(_numbers(m, p)),
    "end_share": lambda _, p: bool(_open_shares(p)),
    "follow": lambda m, _: bool(_certified(m)),
    "unfollow": lambda _, e: bool(e.follows),
    **dict.fromkeys(("end_webhook", "test_webhook", "replay_webhook"), lambda _, e: e.webhook > 0),
    "vet_provider": lambda _, p: bool(_unvetted(p)),
    "end_membership": lambda _, p: bool(p.memberships),
    "settle_likeness": lambda _, p: bool(p.likenesses),
    "split_persons": lambda _, p: bool(p.merged),
    "merge_persons": lambda _, p: not p.erasure and not p.merged,
    "request_erasure": lambda _, p: not p.erasure,
    "confirm_erasure": lambda _, p: p.erasure == "requested",
    "cancel_erasure": lambda _, p: bool(p.erasure),
    "withdraw_demographics": lambda _, p: bool(p.demographics),
    "record_reviewer_training": lambda _, p: p.trained_on is None,
    "start_application": lambda m, p: not _busy(m, p),
    "request_transfer": lambda m, p: bool(_held(m, p)),
    "remind_rater": lambda m, r: m.today() not in (r.requested_on, *r.reminded_on) and m.today() <= r.link_until,
    "record_rating": lambda m, r: m.today() <= r.link_until,
    "decline_rating": lambda m, r: m.today() <= r.link_until,
    "relay_reasons": lambda _, r: not r.waiver,
    "settle_fee": lambda _, a: len(a.fees) < 1 + (a.state != "started"),
    "submit_application": lambda m, a: a.category == "IFA" and _given(m, a.person) >= _ENOUGH,
    "amend_application": lambda m, a: a.category == "IFA" and _given(m, a.person) >= _ENOUGH,
    "recommend": lambda m, a: bool(_waiting(m, a)),
    "book_exam": lambda m, a: bool(windows(m.today(), a.exam_through or m.today(), (3, 9))),
    "recuse_reviewer": lambda _, a: bool(a.reviewers),
    "reach_consensus": lambda _, a: a.disagreed,
    "approve_application": lambda m, a: a.state == "exam_passed" or (_judged("approve")(m, a) and not a.exam_asked),
    "approve_for_exam": lambda m, a: _judged("approve")(m, a) and bool(a.exam_asked),
    "put_on_hold": _judged("hold"),
    "defer_application": _judged("defer"),
    "decline_application": _judged("decline"),
    "appeal": lambda m, a: bool(not a.appealed and a.decided_on and m.today() <= a.decided_on + timedelta(days=60)),
    "cancel_exam": lambda m, a: m.find("exam", a.exam).state == "booked",
    "renew": lambda m, e: m.today().month >= _WINDOW and e.through.year == m.today().year,
    "reactivate": lambda m, e: m.today() <= min(e.through, e.inactive_until or date.max),
    "correct": lambda _, e: bool(_corrigible(e)),
    "record_sitting": lambda m, x: x.window <= m.today() <= x.window + timedelta(days=4),
    "assign_scorer": lambda _, x: len(x.scorers) < 2 or x.disagreed,
    "recuse_scorer": lambda _, x: None in x.scorers.values(),
    "score_part_1": lambda _, x: x.part_1 is None,
    "score_part_2": lambda _, x: None in x.scorers.values(),
    "decide_exam": lambda _, x: x.part_1 is not None and x.part_2 is not None,
    "settle_sanction": lambda _, e: bool(e.sanction) and not e.removal_proposed_by,
    "propose_removal": lambda _, e: bool(e.sanction),
    "grant_add_on": lambda _, e: e.add_on is None and e.category in ("IFS", "ECFS"),
    "convert": lambda _, e: e.category in ("IFRS", "ECFRS"),
    "settle_report": lambda _, e: e.contradicted,
    **{deed: (lambda m, a, deed=deed: bool(_awaiting(m, deed, a))) for deed in _AUDITED},
    "close_audit": lambda _, a: not _items(a, "drawn", "noticed", "submitted", "failed"),
    "confirm_standing": _all_stand,
    "dispute_standing": lambda m, t: m.today() <= t.word_due,
    "accept_transfer": _may_take,
    "release_transfer": lambda m, t: bool(t.held) and _all_stand(m, t),
    "take_custody": lambda _, t: bool(t.not_offered),
    "assign_second_reviewer": lambda _, q: bool(_open_items(q, assigned=False)),
    "record_second_review": lambda _, q: bool(_open_items(q, assigned=True)),
    "compute_agreement": lambda _, q: all(i in q.seconds and q.seconds[i].outcome for i in q.items),
    "resolve_finding": lambda _, q: None in q.findings.values(),
    "close_quality_review": lambda _, q: q.agreement is not None and None not in q.findings.values(),
}  # fmt: skip
"""What has to be so besides the state, for a deed to be worth trying on a case."""
_ENOUGH, _WINDOW = 3, 10
"""References for an IFA; the month in which renewals begin."""


def _corrigible(endorsement: Any) -> list[int]:
    """The versions of facts whose last day may be corrected."""
    kinds = (Endorsement.Awarded, Endorsement.Renewed, Endorsement.MadeInactive, Endorsement.Reactivated)
    return [fact.originator_version for fact in endorsement.facts if isinstance(fact, kinds)]


def _unvetted(person: Any) -> list[str]:
    return [name for name, entry in person.entries.items() if entry.kind == "rsc" and not entry.provider]


# --- what fits --------------------------------------------------------------------------------------------------------


def _one(m: Machine, found: Any) -> Any:
    found = list(found)
    return m.random.choice(found) if found else UNSET


def _reviewer(m: Machine, drawn: Drawn) -> Any:
    case = drawn.case
    match drawn.deed.name:
        case "assign_reviewer":
            near = {case.person, *case.reviewing_people.values(), *case.advisors.values(), *case.providers.values()}
            slots = [e for e in m.active() if e.person not in near]
            fit = [e for e in slots if may_review(e.category, case.category)]
            return _one(m, [e.number for e in fit or slots])
        case "assign_second_reviewer":
            first = m.find("application", drawn.arguments[-1].rpartition("-")[0])
            near = {first.person, *first.reviewing_people.values()} if first else set()
            return _one(m, [e.number for e in m.active() if e.custodian != case.association and e.person not in near])
        case "record_second_review":
            second = case.seconds.get(drawn.arguments[-1])
            return second.reviewer if second else UNSET
        case "recommend":
            return _one(m, _waiting(m, case) or case.reviewers)
        case _:
            return _one(m, case.reviewers)


def _outcome(m: Machine, drawn: Drawn) -> Any:
    """Mostly what the others said, so that there is something to decide."""
    said = [outcome for outcome in getattr(drawn.case, "reviewers", {}).values() if outcome]
    return said[0] if said and not m.rarely(3) else UNSET


def _advisor(m: Machine, drawn: Drawn) -> Any:
    case = drawn.case
    near = {case.person, *case.reviewing_people.values(), *case.advisors.values()}
    return _one(m, [e.number for e in m.active() if e.person not in near])


def _scorer(m: Machine, drawn: Drawn) -> Any:
    exam = drawn.case
    if drawn.deed.name == "recuse_scorer":
        return _one(m, [person for person, score in exam.scorers.items() if score is None])
    sat = {a.person for a in m.of("application") if a.exam == exam.name}
    sat |= {p for a in m.of("application") if a.exam == exam.name for p in a.reviewing_people.values()}
    known = [p.name for p in m.of("person") if p.state == "known"]
    return _one(m, [p for p in known if p not in sat and p not in exam.scorers and p not in exam.recused])


def _endorsements(m: Machine, drawn: Drawn) -> Any:
    if drawn.deed.name == "hold_transfer":
        return [_one(m, drawn.case.numbers)]
    first, *others = held = _held(m, m.find("person", drawn.arguments[0])) or [None]
    if first is None:
        return []
    return (
        [e.number for e in held if e is first or (e.custodian == first.custodian and not m.rarely(2))]
        if others
        else [first.number]
    )


def _to(m: Machine, drawn: Drawn) -> Any:
    if drawn.deed.name == "change_category":
        return m.category()
    held = _held(m, m.find("person", drawn.arguments[0]))
    from_ = held[0].custodian if held else ""
    return _one(m, [code for code in CODES if code != from_ and m.find("association", code).licence == "endorsement"])


def _numbers(m: Machine, person: Any) -> list[str]:
    return [e.number for e in m.of("endorsement") if person is not None and e.person == person.name]


def _open_shares(person: Any) -> list[str]:
    return [name for name, share in person.shares.items() if not share.ended]


def _certified(m: Machine) -> list[Any]:
    return [e for e in m.of("endorsement") if e.certificate and m.find("person", e.person).state == "known"]


def _wishes(m: Machine, _: Drawn) -> Any:
    """One of which a certificate was issued, with the name that was printed."""
    number = _one(m, [e.number for e in _certified(m)])
    if number is UNSET:
        return UNSET
    stream = m.find("endorsement", number).stream
    newest = [event for _, event in m.registry.store.events(stream) if isinstance(event, Endorsement.CertificateIssued)]
    named = next(
        event
        for _, event in m.registry.store.events(newest[-1].person)
        if event.originator_version == newest[-1].person_version
    )
    return [{"number": number, "name": m.registry.store.opened(named).name}]


def _corrects(m: Machine, drawn: Drawn) -> Any:
    return _one(m, _corrigible(drawn.case))


def _code(m: Machine, drawn: Drawn) -> Any:
    """The letter to the rater has it; the registry can always write that letter again."""
    return m.registry.rating_code(drawn.case.name, drawn.case.link_version)


def _window(m: Machine, drawn: Drawn) -> Any:
    found = windows(m.today(), drawn.case.exam_through or m.today(), (3, 9))
    return _one(m, [day.isoformat() for day in found])


def _cycle(m: Machine, drawn: Drawn) -> Any:
    return _one(m, {e.renewed_for: 0 for e in _auditable(m, drawn.case.name)} if drawn.case else ())


_GROUNDS = {"fraud_finding": "fraud"}


def _day(low: int, high: int) -> Callable[[Machine, Drawn], Any]:
    return lambda m, _: (m.today() + timedelta(days=m.random.randint(low, high))).isoformat()


FIELDS: Mapping[str, Callable[[Machine, Drawn], Any]] = {
    **dict.fromkeys(_AHEAD, _day(1, 300)),
    **dict.fromkeys(_BEFORE, _day(-200, 0)),
    "draw_quality_sample.from": _day(-400, -300),
    "draw_quality_sample.through": _day(0, 0),
    "record_entry.from": _day(-200, -100),
    "record_entry.through": _day(-99, 0),
    "offer_category.from": _day(0, 30),
    "withdraw_category.from": _day(0, 30),
    "end_membership.through": _day(-10, 10),
    "end_membership.association": lambda m, d: _one(m, [x.association for x in d.case.memberships]),
    "reviewer": _reviewer,
    "outcome": _outcome,
    "advisor": _advisor,
    "scorer": _scorer,
    "endorsements": _endorsements,
    "request_transfer.to": _to,
    "change_category.to": _to,
    "corrects": _corrects,
    "record_rating.code": _code,
    "decline_rating.code": _code,
    "settle_fee.what": lambda _, d: "registration" if d.case.state == "started" else "processing",
    "window": _window,
    "cycle": _cycle,
    "category": lambda m, _: m.category(),
    "email": lambda m, _: f"{m.random.choice('abcdefgh')}{m.random.randint(0, 9)}@example.org",
    **dict.fromkeys(("name", "title", "note"), lambda m, _: m.random.choice(_WORDS)),
    "rename_association.name": lambda m, _: f"Association {m.recorded}",
    "accept_transfer.refuse": lambda _, __: {},
    "admit.licence": lambda m, _: m.random.choice(["endorsement", "guidelines"]),
    "offer_category.category": lambda m, d: _one(m, _not_offered(m, d.case)),
    "rsc_provider": lambda m, _: _one(m, [e.number for e in m.active()]),
    "record_entry.kind": lambda m, _: m.random.choice(["training", "training", "rsc"]),
    "admit.name": lambda _, __: "An Association",
    "entries": lambda m, d: list(m.find("person", m.find("endorsement", d.arguments[-1]).person).entries)[:3],
    "into": lambda m, d: _one(m, [p.name for p in m.of("person") if p.state == "known" and p.name != d.arguments[0]
                                  and not p.erasure]),
    "split_persons.other": lambda m, d: _one(m, sorted(d.case.merged)),
    "start_application.association": lambda m, d: m.home(d.arguments[0]),
    "stand_down_coordinator.coordinator": lambda m, d: _one(m, sorted(d.case.coordinators)),
    "propose_removal.ground": lambda _, d: _GROUNDS.get(d.case.sanction, "licensing_board_sanction"),
    "change_reviewers.reviewers": lambda _, d: 3 - d.case.row.reviewers,
    "grant_licence.licence": lambda _, d: "endorsement",
    "score_part_1.wrong": lambda m, _: m.random.randint(0, 15),
    "score_part_2.score": lambda m, _: float(m.random.randint(70, 100)),
    "decline_transfer.reason": lambda m, _: m.random.choice(["other", "category_not_offered"]),
    "resolve_finding.resolution": lambda _, __: UNSET,
    "item": lambda m, d: _one(m, ["", *d.case.items]),
    "follow.endorsements": _wishes,
    "unfollow.numbers": lambda _, d: list(d.case.follows)[:2],
    "share.number": lambda m, d: _one(m, _numbers(m, d.case)),
    "share.until": _day(0, 90),
}  # fmt: skip
"""What a field of a body takes; UNSET leaves it to the example. `DEED.FIELD` goes before `FIELD`."""

ARGUMENTS: Mapping[str, Callable[[Machine, Deed, Any], Any]] = {
    "entry": lambda m, d, p: _one(m, _unvetted(p) if d.name == "vet_provider" else p.entries),
    "other": lambda m, _, p: _one(m, p.likenesses),
    "share": lambda m, _, p: _one(m, _open_shares(p)),
    "number": lambda m, d, a: _one(m, _awaiting(m, d.name, a)) if d.name in _AUDITED else UNSET,
    "item": lambda m, d, q: _one(m, _open_items(q, assigned=d.name == "record_second_review")),
    "finding": lambda m, _, q: _one(m, [name for name, resolution in q.findings.items() if resolution is None]),
}
"""What an argument of an address takes, besides the case itself."""


def value(m: Machine, drawn: Drawn, name: str, hint: Any, shown: Any, *, wild: bool) -> Any:
    """A value for a field of the body; UNSET leaves it out."""
    if not wild:
        fitting = FIELDS.get(f"{drawn.deed.name}.{name}") or FIELDS.get(name)
        given = fitting(m, drawn) if fitting and (shown is not UNSET or name in _NEEDED) else UNSET
        if given is not UNSET:
            return given
    if hint is str and name in NAMES and NAMES[name] != "association":
        return UNSET if shown is UNSET and not m.rarely(4) else m.one(NAMES[name])
    if name in _CODED:
        return m.random.choice(("VA", "VA", *CODES))
    if shown is UNSET and not m.rarely(6):
        return UNSET
    if shown is not UNSET and (isinstance(shown, dict) or not m.rarely(4)):
        return (m.today() + timedelta(days=m.random.randint(-200, 300))).isoformat() if hint is date else shown
    return _of_type(m, drawn, name, hint, shown)


_NEEDED = frozenset({"scorer", "item", "day", "licence", "endorsements"})
"""Fields that are drawn although no example shows them."""


def _of_type(m: Machine, drawn: Drawn, name: str, hint: Any, shown: Any) -> Any:
    if get_origin(hint) in (types.UnionType, Union):
        (arm, *_) = (arm for arm in get_args(hint) if arm is not type(None))
        return UNSET if m.random.random() < 0.5 else value(m, drawn, name, arm, shown, wild=True)
    if hint is date:
        return (m.today() + timedelta(days=m.random.randint(-200, 300))).isoformat()
    if get_origin(hint) is tuple and get_origin(get_args(hint)[0]) is Literal:
        return m.random.sample(get_args(get_args(hint)[0]), k=m.random.randint(1, 2))
    if get_origin(hint) is Literal:
        return m.random.choice(get_args(hint))
    if hint in _BY_TYPE:
        return m.random.choice(_BY_TYPE[hint])
    return UNSET if isinstance(shown, dict) else shown


# --- who may ----------------------------------------------------------------------------------------------------------


def actor(m: Machine, drawn: Drawn) -> Actor:
    """One of those whom a row of the access table allows it, where there is one."""
    thing = _thing(m, drawn)
    rows = access.rows_of(deed=drawn.deed.access)
    able = [found for rule in rows if (found := _by(m, rule, thing, drawn)) is not None]
    key = m.random.choice(("k1", "k2"))
    if not able:
        return msgspec.structs.replace(somebody(m, rows[0].role, thing.association or "VA"), id=key)
    found = m.random.choice(able)
    return msgspec.structs.replace(found, id=key) if not found.person else found


def somebody(m: Machine, role: Role, association: str = "VA") -> Actor:
    """Of a role, as the desk lets them in: for an association or for a person, never for both."""
    if role in ("coordinator", "alliance"):
        return Actor(role, association=association if role == "coordinator" else ALLIANCE)
    return Actor(role) if role == "operator" else Actor(role, person=m.one("person"))


def _thing(m: Machine, drawn: Drawn) -> Thing:
    """What it is done to, as far as access goes."""
    case, facts = drawn.case, drawn.facts
    if "person" in drawn.deed.path:
        case = m.find("person", drawn.arguments[0]) or case
    given = facts.get("association", "")
    if isinstance(case, Person):
        return Thing(person=case.name, association=given or m.home(case.name))
    if isinstance(case, Association):
        return Thing(association=case.name)
    if isinstance(case, Audit):
        held = m.find("endorsement", drawn.arguments[-1])
        return Thing(person=held.person if held else "", association=case.association)
    if isinstance(case, QualityReview):
        return thing_of_item(case, drawn.arguments[-1])
    if isinstance(case, Employer):
        return thing_of_employer(case)
    if case is None:
        code = drawn.arguments[0] if drawn.arguments else facts.get("residence", "")
        return Thing(association=m.home_of(code))
    return thing_of(case)


def _by(m: Machine, rule: Rule, thing: Thing, drawn: Drawn) -> Actor | None:
    match rule.scope:
        case "own":
            return Actor(rule.role, person=thing.person) if thing.person else None
        case "assigned":
            own = m.find("endorsement", drawn.facts.get("reviewer", ""))
            people = sorted(thing.advisors if rule.role == "advisor" else thing.reviewers)
            if rule.role == "exam_scorer":
                people = [p for p, score in drawn.case.scorers.items() if score is None]
            person = own.person if own else drawn.facts.get("scorer") or _one(m, people)
            return Actor(rule.role, person=person) if person is not UNSET else None
        case "all":
            return Actor(rule.role, association=ALLIANCE if rule.role == "alliance" else "")
        case "direct":
            return Actor(rule.role, association=ALLIANCE) if thing.association == ALLIANCE else None
    sides = {"releasing": thing.releasing, "receiving": thing.receiving, "association": thing.association}
    code = sides[rule.scope]
    return Actor(rule.role, association=code) if code and (code == ALLIANCE) == (rule.role == "alliance") else None
