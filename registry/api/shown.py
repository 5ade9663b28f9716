"""What an asker is shown: events and cases as plain values, personal fields only as far as a row of access says."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import msgspec

from domain.access import DEEDS, Actor, allowed
from domain.application import Application
from domain.category import ADD_ONS, CATEGORIES, with_add_on
from domain.competency import Catalogue, Coverage, agreement
from domain.endorsement import Endorsement
from domain.event import Event, PersonalClass, personal_fields
from domain.exam import Exam
from domain.person import Person
from domain.reference import ASKED, Reference, shown_answers
from domain.transfer import Transfer
from registry.api.associations import known_rows
from registry.commands.shared import thing_of

# Of use to the store alone: salts, requests, keyed hashes of who somebody is, and whether a rater is known to us.
_INNER = ("originator_id", "originator_version", "salt", "request", "match", "formerly", "address_match",
          "address_formerly", "link", "rater", "confirmed")  # fmt: skip
_FACTS = ("on", "by", "recorded_at", "late")

_ADD_ONS: Mapping[str, str] = {str(code): title for code, title in ADD_ONS.items()}

CASES = {"person": "people", "application": "applications", "endorsement": "endorsements", "transfer": "transfers",
         "association": "associations", "key": "keys", "reference": "references", "exam": "exams", "audit": "audits",
         "quality_review": "quality-reviews", "employer": "employers"}  # fmt: skip


def event_shown(position: int, event: Event, sees: Collection[PersonalClass] = ()) -> dict[str, Any]:
    """An opened event. A field of a class that the asker may not see is only named, in `withheld`."""
    facts = msgspec.to_builtins(event)
    withheld = []
    erased = []
    for name, kind in personal_fields(type(event)).items():
        if name in _INNER or not facts.get(name, ""):
            if getattr(event, name) is None and name not in _INNER:
                erased.append(name)
            facts.pop(name, None)
        elif kind not in sees or not isinstance(facts[name], str):
            withheld.append(name)
            facts.pop(name)
    shown = {
        "position": position,
        "stream": event.originator_id,
        "version": event.originator_version,
        "topic": event.topic,
        "on": event.on,
        "by": event.by,
        "recorded_at": event.recorded_at,
        "late": event.late,
        "facts": {name: value for name, value in facts.items() if name not in (*_INNER, *_FACTS)},
    }
    if withheld:
        shown["withheld"] = withheld
    if erased:
        shown["erased"] = erased
    return shown


def links(events: Collection[Event]) -> dict[str, str]:
    """Where the cases that were touched can be read."""
    found = {}
    for event in events:
        kind, _, name = event.originator_id.partition("/")
        if kind in CASES:
            found[kind] = f"/api/{CASES[kind]}/{name}"
    return found


def category_title(held: str, association: str = "") -> str:
    """`IFS+ERS` in words, as the association names it."""
    code, _, add_on = held.partition("+")
    titles: Mapping[str, str] = known_rows()[association].titles if association in known_rows() else {}
    title = titles.get(code) or (CATEGORIES[code].title if code in CATEGORIES else code)
    return f"{title}, {_ADD_ONS.get(add_on, add_on)}" if add_on else title


def shown_once(deed: str, secret: str, host: str) -> dict[str, str]:
    """What a deed made that nothing keeps, under the name of what it is for."""
    return {"link": f"https://{host}/shared/{secret}"} if deed == "share" else {"webhook_secret": secret}


def association_shown(code: str) -> dict[str, str]:
    row = known_rows().get(code)
    return {"code": code, "name": row.name if row else code}


def person_names(events: Collection[Event]) -> dict[int, tuple[str | None, str | None]]:
    """Name and credentials by the version of the (opened) event that gave them; None when erased."""
    return {
        event.originator_version: (_text(event.name), _text(event.credentials))
        for event in events
        if isinstance(event, Person.Registered | Person.Renamed)
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def endorsement_shown(endorsement: Endorsement, on: date) -> dict[str, Any]:
    standing = endorsement.standing(on)
    held = endorsement.held_as(on)
    return {
        "number": endorsement.number,
        "category": held,
        "title": category_title(held, endorsement.custodian),
        "association": association_shown(endorsement.custodian),
        "standing": standing,
        "on": on,
        "awarded_on": endorsement.awarded_on,
        "through": endorsement.through,
        "reported": endorsement.reported,
        "contradicted": endorsement.contradicted,
        "edition": endorsement.edition or None,
        "audit_due": endorsement.audit_due,
        "inactive_until": endorsement.inactive_until,
        "sanction_reported": bool(endorsement.sanction),
        "removal_proposed": bool(endorsement.removal_proposed_by),
        "person": endorsement.person,
        "certificate": endorsement.certificate.cti if endorsement.certificate else None,
        "version": endorsement.version,
        "can": endorsement.can(on),
        "links": {
            "self": f"/api/endorsements/{endorsement.number}",
            "history": f"/api/endorsements/{endorsement.number}/history",
            "certificates": f"/api/endorsements/{endorsement.number}/certificates",
            "person": f"/api/people/{endorsement.person}",
        },
    }


def application_shown(
    application: Application, actor: Actor, hidden: Collection[str] = (), reviewers: int = 1
) -> dict[str, Any]:
    """`hidden`: the reviewers whose judgement the actor may not know; `reviewers`: how many are asked for."""
    thing = thing_of(application)
    return {
        "application": application.name,
        "state": application.state,
        "person": application.person,
        "association": association_shown(application.association),
        "kind": application.of_kind,
        "category": with_add_on(application.category, application.add_on),
        "title": category_title(with_add_on(application.category, application.add_on), application.association),
        "endorsement": application.endorsement or None,
        "fees": {what: msgspec.to_builtins(fee) for what, fee in application.fees.items()},
        "advisors": list(application.advisors),
        "edition": application.edition or None,
        "submitted_on": application.submitted_on,
        "decided_on": application.decided_on,
        "may_resubmit_from": application.may_resubmit_from,
        "appealed_on": application.appealed_on,
        "reviewers": [
            {"reviewer": number, "outcome": None if number in hidden else outcome}
            for number, outcome in application.reviewers.items()
        ],
        "consensus": None if hidden else application.consensus,
        "judgement": None if hidden else application.judgement,
        "competencies": [
            {"reviewer": number, "met": found.met, "not_met": found.not_met}
            for number, found in application.assessments.items()
        ],
        "agreement": msgspec.to_builtins(agreement(application.assessments.values()))
        if application.all_recommended
        else [],
        "exam": _exam_of(application),
        "version": application.version,
        "can": [deed for deed in application.can(reviewers) if deed not in DEEDS or allowed(actor, deed, thing)],
        "links": {
            "self": f"/api/applications/{application.name}",
            "history": f"/api/applications/{application.name}/history",
            "person": f"/api/people/{application.person}",
        },
    }


def _exam_of(application: Application) -> dict[str, Any] | None:
    """How far the exam is, for whoever sees the application; None where the edition asks for none."""
    asked = application.exam_asked
    if asked is None:
        return None
    return {
        "asked_by": asked.source,
        "approved_through": application.exam_through,
        "booked": application.exam or None,
        "window": application.exam_window if application.exam else None,
        "results": [
            {"exam": sat.exam, "passed": sat.passed, "part_1": sat.part_1, "part_2": sat.part_2}
            for sat in application.exams
        ],
    }


def exam_shown(exam: Exam, scorer: str = "") -> dict[str, Any]:
    """For `scorer` nothing that could tell whose it is, or what the other scorers found (R16); for others all of it."""
    shown = {
        "exam": exam.name,
        "candidate": exam.candidate,
        "multiple_choice": exam.multiple_choice,
        "designation": exam.designation,
        "window": exam.window,
        "sat_on": exam.sat_on,
        "version": exam.version,
        "links": {"self": f"/api/exams/{exam.name}"},
    }
    if scorer:
        score = exam.scorers.get(scorer)
        open_ = exam.state == "sat" and score is None
        return shown | {
            "state": exam.state if exam.state in ("booked", "sat", "cancelled") else "decided",
            "score": score,
            "can": ["score part 2", "recuse yourself"] if open_ else [],
        }
    return shown | {
        "state": exam.state,
        "waits_for": exam.waits_for,
        "wrong": exam.wrong,
        "part_1": exam.part_1,
        "part_2": exam.part_2,
        "scorers": [
            {"scorer": person, "score": score, "passed": exam.passes.get(person)}
            for person, score in exam.scorers.items()
        ],
        "can": exam.can(),
    }


def coverage_shown(coverage: Coverage, catalogue: Catalogue) -> dict[str, Any]:
    """Codes with their labels."""
    labels = {area.code: area.label for area in catalogue.areas}

    def named(codes: Collection[str]) -> list[dict[str, str]]:
        return [{"code": code, "label": labels.get(code, code)} for code in codes]

    return {
        "catalogue": coverage.catalogue,
        "covered": named(coverage.covered),
        "missing": named(coverage.missing),
        "by_reference": named(coverage.by_reference),
    }


def handed_in(rows: Collection[Event], applicant: Collection[Event], sees: Collection[PersonalClass]) -> Any:
    """What was handed in last, for whoever has to judge it. `rows`: the application's; `applicant`: opened."""
    handed = [event for event in rows if isinstance(event, Application.Submitted | Application.Amended)]
    if not handed:
        return None
    last = handed[-1].snapshot if isinstance(handed[-1], Application.Amended) else handed[-1]
    entries = []
    for event in applicant:
        if isinstance(event, Person.EntryRecorded | Person.EntryCorrected) and event.entry in last.entries:
            told = {"title": event.title, "provider_name": event.provider_name} if "identity" in sees else {}
            entries.append(
                {"entry": event.entry, **msgspec.to_builtins(event.fact), **{k: v for k, v in told.items() if v}}
            )
    return {"entries": entries, "references": list(last.references), "tally": msgspec.to_builtins(last.tally)}


def _demographics(person: Person, events: Collection[Event]) -> dict[str, Any] | None:
    """What they said of themselves last, unless it was taken back."""
    for event in events:
        if isinstance(event, Person.DemographicsVolunteered) and event.keyring == person.demographics:
            return {name: value for name in personal_fields(type(event)) if (value := _text(getattr(event, name)))}
    return None


def notes_shown(events: Collection[Event], *, staff: bool) -> list[dict[str, Any]]:
    """Opened notes; without `staff` only those for the applicant too."""
    return [
        {"about": event.about, "audience": event.audience, "note": _text(event.note), "on": event.on, "by": event.by,
         "recorded_at": event.recorded_at}
        for event in events
        if isinstance(event, Person.NoteWritten) and (staff or event.audience == "applicant")
    ]  # fmt: skip


def transfer_shown(transfer: Transfer) -> dict[str, Any]:
    return {
        "transfer": transfer.name,
        "state": transfer.state,
        "person": transfer.person,
        "from": association_shown(transfer.from_),
        "to": association_shown(transfer.to),
        "endorsements": list(transfer.numbers),
        "accepted": list(transfer.accepted),
        "requested_on": transfer.requested_on,
        "refused": dict(transfer.refused),
        "taken": list(transfer.taken),
        "held": dict(transfer.held),
        "word_due": transfer.word_due if transfer.state == "requested" else None,
        "membership_through": transfer.membership_through,
        "version": transfer.version,
        "can": transfer.can(),
        "links": {
            "self": f"/api/transfers/{transfer.name}",
            "history": f"/api/transfers/{transfer.name}/history",
            "endorsements": [f"/api/endorsements/{number}" for number in transfer.numbers],
        },
    }


def person_shown(person: Person, events: Collection[Event], sees: Collection[PersonalClass]) -> dict[str, Any]:
    """`events` are opened."""
    named: dict[str, Any] = {}
    for event in events:
        for name, kind in personal_fields(type(event)).items():
            if name in ("name", "credentials", "email") and kind in sees:
                named[name] = _text(getattr(event, name))
    titles = {
        event.entry: {"title": _text(event.title), "provider_name": _text(event.provider_name)}
        for event in events
        if isinstance(event, Person.EntryRecorded | Person.EntryCorrected) and "identity" in sees
    }
    return {
        "person": person.name,
        "state": person.state,
        **named,
        "residence": person.residence,
        "listed": person.listed,
        "memberships": [msgspec.to_builtins(membership) for membership in person.memberships],
        "entries": [
            {"entry": name, **msgspec.to_builtins(entry), **{k: v for k, v in titles.get(name, {}).items() if v}}
            for name, entry in person.entries.items()
        ],
        "likenesses": [
            {"other": other, "association": asked.association, "same": asked.same}
            for other, asked in person.likenesses.items()
        ],
        "notes": [
            note
            for note in notes_shown(events, staff=True)
            if note["note"] is not None or note["audience"] == "applicant"
        ],
        "erasure": {"state": person.erasure, "due": None if person.erasure_due == date.max else person.erasure_due}
        if person.erasure
        else None,
        "provider_listing": msgspec.to_builtins(person.listing),
        "demographics": _demographics(person, events) if "demographic" in sees else None,
        "died_on": person.died_on,
        "merged": sorted(person.merged),
        "merged_into": person.merged_into or None,
        "version": person.version,
        "links": {
            "self": f"/api/people/{person.name}",
            "history": f"/api/people/{person.name}/history",
            "endorsements": f"/api/people/{person.name}/endorsements",
            "missing": f"/api/people/{person.name}/missing",
        },
    }


def reference_shown(
    reference: Reference, events: Collection[Event], *, own: bool, content: bool, names: bool
) -> dict[str, Any]:
    """`events` are opened. `own`: the applicant asks; `content`: may see the rating itself; `names`: whose it is.

    The applicant sees state and reasons relayed, and never what tells of a waived rating (R27).
    """
    shown: dict[str, Any] = {
        "reference": reference.name,
        "state": reference.state,
        "reason": reference.reason or None,
        "person": reference.person,
        "application": reference.application or None,
        "association": association_shown(reference.association),
        "relationship": reference.relationship,
        "waiver": reference.waiver,
        "endorsement": reference.endorsement or None,
        "vetted": reference.vetted,
        "nominated_on": reference.nominated_on,
        "link_until": reference.link_until if reference.state == "requested" else None,
        "reminded_on": list(reference.reminded_on),
        "completed_on": reference.completed_on,
        "good_through": reference.good_through,
        "version": reference.version,
        "can": reference.can(),
        "links": {"self": f"/api/references/{reference.name}", "person": f"/api/people/{reference.person}"},
    }
    for event in events:
        if isinstance(event, Reference.Nominated) and (own or names):
            shown |= {"name": _text(event.name), "email": _text(event.email), "known_since": event.known_since}
        elif isinstance(event, Reference.Rated) and content:
            shown |= {
                "answers": shown_answers(event.answers),
                "asked": dict(ASKED),
                "comment": _text(event.comment),
                "unknown": event.unknown,
                "recommendation": event.recommendation,
                "known_a_year": event.known_a_year,
            }
        elif isinstance(event, Reference.Vetted) and names and not own:
            shown["note"] = _text(event.note)
        elif isinstance(event, Reference.ReasonsRelayed) and (names or own):
            shown["reasons"] = _text(event.reasons)
    return shown
