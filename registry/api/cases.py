"""Cases as an asker may see them: loaded, judged by the access table, noted where they are confidential."""

from collections.abc import Awaitable, Collection, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

import msgspec

from domain import access
from domain.access import Actor, Rule, Thing
from domain.aggregate import Aggregate
from domain.application import APPLICANTS_TURN, Application
from domain.association import today as today_at
from domain.category import ADD_ONS, AddOn, with_add_on
from domain.editions import edition_for, practice
from domain.endorsement import Endorsement, read_number
from domain.errors import Forbidden, Invalid, NotFound, NotInForce
from domain.event import Event, Sealed
from domain.exam import Exam
from domain.judgements import assessed_apart, kept_apart, told
from domain.person import Person
from domain.policy import SUBMISSION
from domain.reference import Reference
from domain.transfer import Transfer
from projections import history as history_view
from registry.api.associations import known_rows
from registry.api.house import House
from registry.api.shown import coverage_shown, notes_shown, person_names, reference_shown
from registry.api.shown import handed_in as handed_in_shown
from registry.commands import thing_of
from registry.commands.applications import is_member
from registry.commands.shared import in_motion

A = TypeVar("A", bound=Aggregate)
Row = tuple[int, Event]


class Case(NamedTuple):
    """What was read: the state, the row of access that allows it, and the events it was folded from (sealed).

    `hidden`: the reviewers whose judgement is not in those events, nor to be shown of the state.
    """

    state: Any
    rule: Rule
    rows: Sequence[Row]
    hidden: frozenset[str] = frozenset()

    @property
    def position(self) -> int:
        return self.rows[-1][0]

    def as_known(self, known: int | None) -> "Case":
        """What was read, up to a position; who may read it is decided by what is on record now.

        Raises Invalid where nothing of it was recorded yet.
        """
        if known is None:
            return self
        rows = until(self.rows, known)
        state = type(self.state).fold(event for _, event in rows)
        if state is None:
            raise Invalid(
                f"Nothing of this was recorded by position {known}; the first of it is at {self.rows[0][0]}.",
                field="known",
            )
        return self._replace(state=state, rows=rows)

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.rows]

    def must_tell(self, position: int) -> None:
        """Raise NotFound for an event of the case that is kept from the asker."""
        if position not in dict(self.rows):
            raise NotFound("event")


async def load(house: House, kind: type[A], name: str) -> tuple[A | None, list[Row]]:
    rows = await house.events(f"{kind.kind}/{name}")
    return kind.fold(event for _, event in rows), rows


def until(rows: Sequence[Row], known: int | None) -> Sequence[Row]:
    """What of a stream was known at a position; None: all."""
    return rows if known is None else [row for row in rows if row[0] <= known]


async def endorsement(
    house: House, actor: Actor, number: str, *, deed: str = "see_endorsement", known: int | None = None
) -> Case:
    """`known`: as it was known at a position. Raises Forbidden, NotFound, Invalid."""
    found, rows = await load(house, Endorsement, read_number(number))
    thing = Thing() if found is None else thing_of(found)
    rule = access.allowed(actor, deed, thing)
    if found and rule is None and actor.association:
        rule = access.allowed(actor, deed, await house.wait_for(in_motion, house.store, found, thing))
    if rule is None:
        rule = access.check(actor, deed, Thing())
    if found is None:
        raise NotFound("endorsement")
    await across(house, actor, deed, found)
    return Case(found, rule, rows).as_known(known)


async def whole_history(house: House, found: Case, known: int | None = None) -> Case:
    """With the events of the application and the transfers of this endorsement, as far as the views have come.

    `known`: as `found` is known.
    """
    query = history_view.positions(found.state.name, known=known)
    known_so_far = [row["position"] for row in await house.readers.rows(*query)]
    rows = dict([*await house.events_at(known_so_far), *found.rows])
    if found.rule.role == "holder":
        rows = {at: event for at, event in rows.items() if not isinstance(event, Application.CompetenciesAssessed)}
    return found._replace(rows=sorted(rows.items()))


async def application(house: House, actor: Actor, name: str, *, known: int | None = None) -> Case:
    """As far as the asker may know the judgements, which are kept apart until all are given; of then as of now.

    See `kept_apart` for what reviewers recommended, `assessed_apart` for their word on each competency. Everything
    that shows an application, its history or a proof of it goes through here.
    """
    found = await _case(house, actor, Application, name, "see_application")
    now: Application = found.state
    hidden, unread = kept_apart(now, actor), assessed_apart(now, actor)
    found = found.as_known(known)
    state: Application = found.state
    rows = told(now, found.rows, actor)
    state.assessments = {number: word for number, word in state.assessments.items() if number not in unread}
    return found._replace(rows=rows, hidden=hidden)


async def letters(house: House, actor: Actor, name: str) -> Case:
    """An application, for who may have its letters of registration."""
    return await _case(house, actor, Application, name, "see_letter")


async def exam(house: House, actor: Actor, name: str, *, deed: str = "see_exam", known: int | None = None) -> Case:
    return (await _case(house, actor, Exam, name, deed)).as_known(known)


async def handed_in(house: House, found: Case, known: int | None = None) -> Any:
    """The portfolio that an application was submitted with."""
    if found.state.submitted_on is None:
        return None
    _, rows = await load(house, Person, found.state.person)
    opened = await house.opened([event for _, event in until(rows, known)])
    return handed_in_shown(found.events, opened, found.rule.sees)


async def reference(house: House, actor: Actor, name: str, *, known: int | None = None) -> tuple[Case, dict[str, Any]]:
    """A reference, opened, and as this asker may see it now; whoever else sees its content is noted."""
    found, rows = await load(house, Reference, name)
    thing = Thing() if found is None else await house.wait_for(_reviewed, house, found.person, found.association)
    rule = access.check(actor, "see_reference", thing)
    if found is None:
        raise NotFound(Reference.kind)
    case = Case(found, rule, rows).as_known(known)
    opened = await house.opened(case.events)
    own = bool(actor.person) and actor.person == found.person and actor.role == "holder"
    on = today(house, found.association)
    told = not found.waiver and practice(found.association, on).ratings_shown == "content"
    content = "reference" in rule.sees or (own and told)
    if content:
        await confidential(house, actor, "see_reference", found.stream, found.person)
    shown = reference_shown(case.state, opened, own=own, content=content, names="identity" in rule.sees)
    return case._replace(rows=_opened(case, opened)), shown


def _opened(case: Case, events: Sequence[Event]) -> list[Row]:
    return [(row[0], event) for row, event in zip(case.rows, events, strict=True)]


async def references(house: House, actor: Actor, person_: str, *, known: int | None = None) -> list[Reference]:
    """Those a person nominated, newest first, for whoever may see that they exist; nothing of them is opened."""
    found, _ = await load(house, Person, person_)
    association = await association_of(house, found, actor) if found else ""
    thing = await house.wait_for(_reviewed, house, person_, association) if found else Thing()
    access.check(actor, "see_reference", thing)
    names_ = await house.wait_for(house.registry.references_named, person_)
    streams = [(await load(house, Reference, name))[1] for name in names_]
    loaded = [Reference.fold(event for _, event in until(rows, known)) for rows in streams]
    return sorted((one for one in loaded if one), key=lambda one: (one.nominated_on, one.name), reverse=True)


def _reviewed(house: House, person_: str, association: str) -> Thing:
    """A reference is its applicant's and association's, and of those who review the applicant now."""
    stream = house.store.holder(f"open_application/{person_}")
    reviewers = thing_of(house.store.get(Application, stream.partition("/")[2])).reviewers if stream else frozenset()
    return Thing(person=person_, association=association, reviewers=reviewers)


async def transfer(house: House, actor: Actor, name: str, *, known: int | None = None) -> Case:
    return (await _case(house, actor, Transfer, name, "see_transfer")).as_known(known)


async def _case(
    house: House, actor: Actor, kind: type[Application] | type[Exam] | type[Transfer], name: str, deed: str
) -> Case:
    found, rows = await load(house, kind, name)
    rule = access.check(actor, deed, Thing() if found is None else thing_of(found))
    if found is None:
        raise NotFound(kind.kind)
    if not isinstance(found, Exam):  # which is nobody's but the Alliance's
        await across(house, actor, deed, found)
    return Case(found, rule, rows)


async def person(house: House, actor: Actor, name: str, *, deed: str = "see_person", known: int | None = None) -> Case:
    """The events are opened as far as they are the asker's to see; that somebody else looked is noted.

    Of the past too only what is not taken back by now is opened.
    """
    found, rows = await load(house, Person, name)
    whose = Thing() if found is None else Thing(person=name, association=await association_of(house, found, actor))
    rule = access.check(actor, deed, whose)
    if found is None:
        raise NotFound("person")
    case = Case(found, rule, rows).as_known(known)
    case.state.demographics = found.demographics
    opened = await house.opened(case.events)
    if rule.scope == "own":
        opened = [_without_staff_notes(event) for event in opened]
    await confidential(house, actor, deed, f"person/{name}", name)
    return case._replace(rows=_opened(case, opened))


def _without_staff_notes(event: Event) -> Event:
    """That there is a note stays; what it says is not for the person."""
    if isinstance(event, Person.NoteWritten) and event.audience == "staff":
        return msgspec.structs.replace(event, note=Sealed("", ""))
    return event


async def notes(house: House, found: Case, known: int | None = None) -> list[dict[str, Any]]:
    """The notes about a case, oldest first, as far as they are for the asker."""
    shown = []
    for record in await house.wait_for(house.registry.identity, found.state.person):
        written = until(await house.events(f"person/{record}"), known)
        rows = [row for row in written if isinstance(row[1], Person.NoteWritten)]
        about = [event for _, event in rows if getattr(event, "about", "") == found.state.stream]
        shown += notes_shown(await house.opened(about), staff=found.rule.scope != "own")
    return sorted(shown, key=lambda note: note["recorded_at"])


async def association_of(house: House, found: Person, actor: Actor) -> str:
    return await house.wait_for(house.registry.association_of, found, actor)


async def across(house: House, actor: Actor, deed: str, found: Application | Endorsement | Transfer) -> None:
    """Note what the Alliance reads of an association's cases, whatever stands in them (R30)."""
    if actor.role == "alliance" and "ALLIANCE" not in (thing_of(found).association, thing_of(found).releasing):
        await confidential(house, actor, deed, found.stream, found.person)


async def confidential(house: House, actor: Actor, deed: str, record: str, person: str) -> None:
    """Note who looked; nobody is noted for looking at their own."""
    if person not in actor.people:
        await house.note_access(actor, record, deed)


async def names(house: House, people: Collection[str]) -> dict[str, str]:
    """The present name of each person, with credentials; empty when erased."""
    streams = [f"person/{name}" for name in set(people) if name]
    if not streams:
        return {}
    rows = await house.readers.rows(
        "SELECT DISTINCT ON (originator_id) originator_id, originator_version, topic, state FROM registry.events"
        " WHERE originator_id = ANY(%s) AND topic IN ('person.registered', 'person.renamed')"
        " ORDER BY originator_id, originator_version DESC",
        [streams],
    )
    events = [
        house.store.mapper.load(row["originator_id"], row["originator_version"], row["topic"], bytes(row["state"]))
        for row in rows
    ]
    found = {}
    for event in await house.opened(events):
        ((name, credentials),) = person_names([event]).values()
        found[event.originator_id.partition("/")[2]] = full_name(name, credentials)
    return found


def full_name(name: str | None, credentials: str | None) -> str:
    return ", ".join(part for part in (name, credentials) if part)


async def missing_for(house: House, found: Application, on: date) -> dict[str, Any] | None:
    """What is missing before an application can be handed in, or handed in again; None while that is not its turn.

    On hold it stays under the edition of the day it was submitted.
    """
    if found.state not in APPLICANTS_TURN:
        return None
    applicant, _ = await load(house, Person, found.person)
    if applicant is None:
        return None
    submitted_on = found.submitted_on if found.state == "on_hold" else None
    try:
        shown = await house.wait_for(
            _missing, house, applicant, found.category, found.association, on, found.add_on, found.endorsement,
            submitted_on,
        )  # fmt: skip
    except NotInForce:
        return None  # it can't be handed in any more
    if practice(found.association, on).membership_needed and found.state != "on_hold":
        whole = await house.wait_for(house.registry.whole, applicant)
        member = float(is_member(whole, found.association, on))
        membership = {
            "what": "membership", "requirement": "membership", "words": "a current individual membership",
            "source": "CT-PORT, MI-POLOLD",
            "need": 1, "have": member, "met": bool(member),
        }  # fmt: skip
        shown["requirements"].append(membership)
        if not member:
            shown["missing"].append({**membership, "missing": 1})
    return shown


async def missing(house: House, found: Person, wanted: str, on: date) -> dict[str, Any]:
    """What is missing before this person could submit, under the edition of the day; `wanted`: or an add-on's code."""
    add_on = next((one for one in ADD_ONS if one == wanted), None)
    category = "" if add_on else wanted
    return await house.wait_for(
        _missing, house, found, category, house.registry.home_of(found.residence), on, add_on, "", None
    )


def _missing(
    house: House,
    found: Person,
    category: str,
    association: str,
    on: date,
    add_on: AddOn | None,
    add_on_to: str,
    submitted_on: date | None,
) -> dict[str, Any]:
    edition = edition_for(add_on or category, submitted_on or on, association)
    handed_in, references, adds = house.registry.gathered(
        found, category, association, on, add_on=add_on, add_on_to=add_on_to, submitted_on=submitted_on
    )
    return {
        "category": with_add_on(category, add_on) if category else add_on,
        "on": on,
        "edition": edition.name,
        "requirements": [
            {
                "what": requirement.what,
                "words": requirement.words(),
                "source": requirement.source,
                "need": requirement.amount or 1,
                "have": requirement.have(adds),
                "met": requirement.missing(adds) is None,
            }
            for requirement in edition.requirements
            if requirement.what in SUBMISSION
        ],
        "after_the_review": [
            {"what": exam.what, "words": exam.words(), "source": exam.source} for exam in [edition.exam] if exam
        ],
        "judged": [
            {"entry": judged.entry, "counts": judged.counts, "why": judged.why, "source": judged.source}
            for judged in handed_in.tally.judged
        ],
        "references": [judged.as_dict() for judged in references.judged],
        "missing": [gap.as_dict() for gap in edition.missing(adds, SUBMISSION)],
    }


async def covered(house: House, found: Person, category: str, on: date) -> dict[str, Any]:
    """Which competencies of a category this person's portfolio shows."""
    return await house.wait_for(_covered, house, found, category, on)


def _covered(house: House, found: Person, category: str, on: date) -> dict[str, Any]:
    home = house.registry.home_of(found.residence)
    catalogue = house.registry.catalogue(home)
    return {
        "category": category,
        "on": on,
        "blocks": practice(home, on).competencies_block,
        **coverage_shown(house.registry.covered(found, category, on), catalogue),
    }


def check_association(actor: Actor, deed: str, code: str) -> None:
    """Whether somebody may ask this of an association. Raises Forbidden, and NotFound only for who may ask of any."""
    known = code in known_rows()
    access.check(actor, deed, Thing(association=code) if known else Thing())
    if not known:
        raise NotFound("association")


def today(house: House, association: str) -> date:
    return today_at(known_rows().get(association, known_rows()["ALLIANCE"]), house.clock())


async def case_or_none(case: Awaitable[Case]) -> Case | None:
    """The case, or None where it is not there or not theirs: for whoever then sees what the public sees."""
    try:
        return await case
    except (Forbidden, NotFound):
        return None
