"""Records a roster: one command per row, each the association's word, repeatable and resumable."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from typing import Literal, NamedTuple, TypeVar

import msgspec

from domain import access
from domain.access import Actor, Thing
from domain.aggregate import Aggregate
from domain.endorsement import (
    Endorsement,
    Means,
    ReportedStanding,
    Source,
    new_number,
    read_number,
    record_claim,
)
from domain.errors import Conflict, Invalid, Taken
from domain.event import Event, Request
from domain.person import Person, at_address
from registry.commands import Registry
from registry.roster import Roster, Row
from registry.store import Recorded, Store

Outcome = Literal["new", "unchanged", "changed", "contradicted", "erased"]

What = TypeVar("What", bound=str)

_ATTEMPTS = 5
_KEY = "import"

# The standing after one of these was decided here, whatever an association reports.
_DECISIONS = (
    Endorsement.Awarded,
    Endorsement.Renewed,
    Endorsement.MadeInactive,
    Endorsement.Reactivated,
    Endorsement.Reinstated,
    Endorsement.Suspended,
    Endorsement.EmeritusGranted,
    Endorsement.Removed,
    Endorsement.Archived,
    Endorsement.EndedByDeath,
    Endorsement.Corrected,
)


class Tally(msgspec.Struct):
    """What a run recorded. `tasks`: questions for coordinators; `earlier`: rows an earlier run had recorded.

    `contradicted` rows left the registry's decision as it is; `erased` ones are about people who died or were
    forgotten here.
    """

    new: int = 0
    unchanged: int = 0
    changed: int = 0
    contradicted: int = 0
    erased: int = 0
    tasks: int = 0
    earlier: int = 0

    def count(self, outcome: Outcome, events: Sequence[Event]) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)
        self.tasks += sum(isinstance(event, Endorsement.ReportContradicted | Person.LikenessNoted) for event in events)


class Verdict(NamedTuple):
    """What a row means, and the aggregates that have something to record."""

    outcome: Outcome
    saves: tuple[Aggregate, ...] = ()


def import_roster(
    registry: Registry, actor: Actor, roster: Roster, progress: Callable[[int], None] = lambda _: None
) -> Tally:
    """Record every accepted row, in the order of the file. Killed and run again it goes on where it was.

    Raises Forbidden, before anything is recorded, unless the actor may import the rows of every association in it.
    """
    importer = Importer(registry, actor, roster)
    tally = Tally()
    for done, row in enumerate(roster.rows, start=1):
        importer.take(row, tally)
        progress(done)
    return tally


def classify(
    registry: Registry, actor: Actor, roster: Roster, progress: Callable[[int], None] = lambda _: None
) -> Tally:
    """What `import_roster` would find, recording nothing; every row of somebody unknown is new."""
    importer = Importer(registry, actor, roster)
    tally = Tally()
    for done, row in enumerate(roster.rows, start=1):
        verdict = importer.judge(row)
        tally.count(verdict.outcome, [event for aggregate in verdict.saves for event in aggregate.collect_events()])
        progress(done)
    return tally


def settled(
    store: Store, judge: Callable[[], tuple[What, Sequence[Aggregate]]], request: Request
) -> tuple[What, Recorded]:
    """What a row means, recorded; who registered or changed the same one meanwhile makes us look again."""
    for _ in range(_ATTEMPTS - 1):
        outcome, saves = judge()
        with suppress(Conflict, Taken):
            return outcome, store.save(*saves, request=request)
    outcome, saves = judge()
    return outcome, store.save(*saves, request=request)


def record_hash(store: Store, association: str, record: str) -> str:
    """What stands in the open for an association's record id; empty stays empty."""
    return store.vault.fingerprint("record", f"{association}\n{record}") if record else ""


def stream_of_record(store: Store, association: str, record: str) -> str | None:
    """The stream of the endorsement that an association's record is here."""
    return store.holder(record_claim(association, record_hash(store, association, record)))


class Importer:
    """One file on its way into the registry."""

    def __init__(self, registry: Registry, actor: Actor, roster: Roster) -> None:
        for code in sorted({row.association for row in roster.rows}):
            access.check(actor, "import_roster", Thing(association=code))
        self._registry = registry
        self._store = registry.store
        self._by = actor.by
        self._digest = roster.digest
        self._days: dict[str, date] = {}
        # Rows are taken in order, so that every row up to the last recorded one was looked at by an earlier run.
        keys = self._store.claimed(f"request/{self._by}")
        self._recorded = {int(key.removeprefix(self._prefix)) for key in keys if key.startswith(self._prefix)}
        self._reached = max(self._recorded, default=0)

    def take(self, row: Row, tally: Tally) -> None:
        request = self._request(row)
        if row.number in self._recorded and (earlier := self._store.earlier(request, self._by)):
            tally.count(_outcome(earlier.events), earlier.events)
            tally.earlier += 1
            return
        outcome, recorded = settled(self._store, lambda: self.judge(row), request)
        tally.count(outcome, recorded.events)

    def judge(self, row: Row) -> Verdict:
        """What the row means to the registry as it is now."""
        on = self._today(row.association)
        events = self._events(row)
        if events is None:
            return self._new(row, on)
        if row.number < self._reached:
            return Verdict("unchanged")
        endorsement = Endorsement.fold(events)
        if endorsement is None:
            raise LookupError(f"row {row.number}: its endorsement has no events")
        person = _Known.of(self._registry, endorsement.person, self._prefix)
        if person.erased or person.person.state == "died":
            return Verdict("erased")
        return self._seen_again(row, endorsement, events, person, on)

    # -- a record that is not here yet ------------------------------------------------------------------------------

    def _new(self, row: Row, on: date) -> Verdict:
        person = self._person(row)
        if person is None:
            person = self._register(row, on)
        elif person.state != "known":
            return Verdict("erased")
        endorsement = Endorsement(new_number(row.category, self._registry.draw))
        endorsement.record(
            Endorsement.Imported,
            number=endorsement.number,
            person=person.name,
            category=row.category,
            association=row.association,
            awarded_on=row.awarded_on,
            through=row.through,
            standing=row.standing,
            source=self._source(row),
            record=row.record,
            on=on,
            by=self._by,
        )
        return Verdict("new", (person, endorsement))

    def _person(self, row: Row) -> Person | None:
        match = self._registry.match(row.name, row.email)
        holder = self._store.holder(f"identity/{match}") if match else None
        return self._store.get(Person, self._registry.identity(_name(holder))[0]) if holder else None

    def _register(self, row: Row, on: date) -> Person:
        registry = self._registry
        person = Person(registry.new_id())
        person.register(
            residence=row.residence,
            name=row.name,
            credentials=row.credentials,
            email=row.email,
            match=registry.match(row.name, row.email),
            address_match=registry.address_match(row.email),
            on=on,
            by=self._by,
        )
        self._note_likeness(person, row, on)
        return person

    def _note_likeness(self, person: Person, row: Row, on: date) -> None:
        """One question about who has the row's address already under another name, in whichever file."""
        if other := self._alike(row):
            person.note_likeness(other, row.association, on=on, by=self._by)

    def _alike(self, row: Row) -> str:
        """The other name of the file, else the first who came with this address; an office has many people."""
        if row.like and (holder := self._store.holder(f"identity/{self._registry.match(row.like, row.email)}")):
            return _name(holder)
        if not row.email:
            return ""
        sharing: list[tuple[int, str]] = []
        for name in self._store.claimed(at_address(self._registry.address_match(row.email))):
            events = self._store.events(f"{Person.kind}/{name}")
            if not any(isinstance(event, Person.Erased) for _, event in events):
                sharing.append((events[0][0], name))
        return min(sharing, default=(0, ""))[1]

    # -- a record that is here already ------------------------------------------------------------------------------

    def _seen_again(
        self, row: Row, endorsement: Endorsement, events: Sequence[Event], person: "_Known", on: date
    ) -> Verdict:
        # Both are asked: a question about the name must not hold up a renewal.
        found = [self._report(row, endorsement, events, on), "" if person.merged else self._update(row, person, on)]
        contradiction = found[0] or found[1]
        changed = bool(endorsement.pending or person.person.pending)
        if contradiction and not _open(contradiction, events):
            endorsement.contradict_report(contradiction, self._source(row), on=on, by=self._by)
        saves = tuple(aggregate for aggregate in (person.person, endorsement) if aggregate.pending)
        return Verdict("changed" if changed else "contradicted" if contradiction else "unchanged", saves)

    def _report(self, row: Row, endorsement: Endorsement, events: Sequence[Event], on: date) -> str:
        """Record what the row says of the endorsement, or give the field in which it contradicts a decision."""
        if endorsement.custodian != row.association:
            return "association"
        told, now = _standing(row, on), endorsement.standing(on)
        # A file may still name the retired category that was converted here.
        category = endorsement.category if row.category == endorsement.converted_from else row.category
        facts = {
            "category": (endorsement.category, category),
            "awarded_on": (endorsement.awarded_on, row.awarded_on),
            "standing": (now, told),
            "through": (endorsement.through, row.through),
        }
        differing = [field for field, (ours, theirs) in facts.items() if ours != theirs]
        decided = set(facts) if endorsement.imported is None else {"standing", "through"} if _decided(events) else set()
        if against := [field for field in differing if field in decided]:
            return against[0]
        if differing:
            endorsement.report(
                _meaning(differing, endorsement, row, told, now),
                # Active through a day that is over would be a lapse still to be recorded, on a day before this word.
                told,
                row.through,
                self._source(row),
                awarded_on=row.awarded_on if "awarded_on" in differing else None,
                category=row.category if "category" in differing else "",
                on=on,
                by=self._by,
            )
        return ""

    def _update(self, row: Row, known: "_Known", on: date) -> str:
        """Record what the row says of the person, or give the field that needs a coordinator."""
        differing = known.differing(row)
        if not differing:
            return ""
        if row.like or known.told_by_this_file or not self._speaks_for(row.association, known.person):
            return differing[0]
        if against := [field for field in differing if known.decided_here(field)]:
            return against[0]
        match = self._registry.match(row.name, row.email or known.email)
        if match != known.match and match and self._store.holder(f"identity/{match}"):
            # Somebody else has this name and address already.
            return differing[0]
        person = known.person
        if "email" in differing:
            self._note_likeness(person, row, on)
            changes = {"match": match, "formerly": known.match} if match != known.match else {}
            person.record(
                Person.ContactChanged,
                email=row.email,
                address_match=self._registry.address_match(row.email),
                address_formerly=known.address_match,
                **changes,
                on=on,
                by=self._by,
            )
        if "name" in differing or "credentials" in differing:
            formerly = match if "email" in differing else known.match
            credentials = row.credentials or known.credentials
            person.rename(name=row.name, credentials=credentials, match=match, formerly=formerly, on=on, by=self._by)
        if "residence" in differing:
            person.move(row.residence, on=on, by=self._by)
        return ""

    def _speaks_for(self, association: str, person: Person) -> bool:
        """Two files that describe one person differently must not take turns: home, or the only custodian, counts."""
        home = self._registry.home_of(person.residence)
        if association == home:
            return True
        numbers = self._registry.numbers_of(person.name)
        return all(self._store.get(Endorsement, number).custodian == association for number in numbers)

    # -- what it stands on ------------------------------------------------------------------------------------------

    def _events(self, row: Row) -> list[Event] | None:
        """The events of the endorsement that this row is about, or None: by record id, number, or holder."""
        store = self._store
        if row.record:
            if holder := stream_of_record(store, row.association, row.record):
                return self._stream(holder)
            if (number := _number(row.record)) and (events := self._stream(f"{Endorsement.kind}/{number}")):
                return events
        match = self._registry.match(row.name, row.email)
        person = match and store.holder(f"identity/{match}")
        if not person:
            return None
        for number in self._registry.numbers_of(_name(person)):
            events = self._stream(f"{Endorsement.kind}/{number}")
            if _is(events, row):
                return events
        return None

    def _stream(self, stream: str) -> list[Event]:
        return [event for _, event in self._store.events(stream)]

    def _today(self, association: str) -> date:
        if association not in self._days:
            self._days[association] = self._registry.today(association)
        return self._days[association]

    def _source(self, row: Row) -> Source:
        return Source(self._digest, row.number, record_hash(self._store, row.association, row.record))

    @property
    def _prefix(self) -> str:
        return f"{_KEY}-{self._digest}-"

    def _request(self, row: Row) -> Request:
        """The same row of the same file is the same request."""
        key = f"{self._prefix}{row.number}"
        return Request(key, self._store.vault.fingerprint(_KEY, key))


class _Known:
    """A person as the registry knows them, opened, and who said so."""

    def __init__(self, person: Person, prefix: str) -> None:
        self.person = person
        self.name = self.credentials = self.email = self.match = self.address_match = ""
        self.told_by_this_file = False
        self._prefix = prefix
        self._decided: dict[str, bool] = {}

    @classmethod
    def of(cls, registry: Registry, name: str, prefix: str) -> "_Known":
        events = [event for _, event in registry.store.events(f"{Person.kind}/{name}")]
        known = cls(Person.fold(events) or Person(name), prefix)
        if not known.erased:
            for event in registry.store.vault.open_all(events):
                known._hear(event)
        return known

    @property
    def erased(self) -> bool:
        return self.person.state == "erased"

    @property
    def merged(self) -> bool:
        """What a file says of a duplicate says nothing about the human: a coordinator has settled that (ours)."""
        return self.person.state == "merged"

    def differing(self, row: Row) -> list[str]:
        """Fields in which the row says something else; an empty cell says nothing."""
        return [
            field
            for field, differs in (
                ("name", row.name != self.name),
                ("credentials", bool(row.credentials) and row.credentials != self.credentials),
                ("email", bool(row.email) and row.email.casefold() != self.email.casefold()),
                ("residence", row.residence != self.person.residence),
            )
            if differs
        ]

    def decided_here(self, field: str) -> bool:
        """Whether it was last said by somebody here, and not by a file; who left it empty said nothing."""
        said = getattr(self, field, self.person.residence)
        return bool(said) and self._decided.get(field, False)

    def _hear(self, event: Event) -> None:
        match event:
            case Person.Registered():
                self.name, self.credentials, self.email = str(event.name), str(event.credentials), str(event.email)
                self._said(event, "name", "credentials", "email", "residence")
            case Person.Renamed():
                self.name, self.credentials = str(event.name), str(event.credentials)
                self._said(event, "name", "credentials")
            case Person.ContactChanged():
                self.email = str(event.email)
                self._said(event, "email")
            case Person.ResidenceChanged():
                self._said(event, "residence")
        self.match = str(getattr(event, "match", "") or self.match)
        self.address_match = str(getattr(event, "address_match", "") or self.address_match)

    def _said(self, event: Event, *fields: str) -> None:
        key = event.request.key if event.request else ""
        self._decided.update(dict.fromkeys(fields, not key.startswith(f"{_KEY}-")))
        if not isinstance(event, Person.Registered):
            self.told_by_this_file |= key.startswith(self._prefix)


def _name(stream: str) -> str:
    return stream.partition("/")[2]


def _number(record: str) -> str:
    try:
        return read_number(record)
    except Invalid:
        return ""


def _is(events: Sequence[Event], row: Row) -> bool:
    """Whether a row of their holder is about this endorsement, which has no record id of that association."""
    endorsement = Endorsement.fold(events)
    recorded = any(
        isinstance(event, Endorsement.Imported) and event.association == row.association and event.source.record
        for event in events
    )
    return endorsement is not None and not recorded and (
        (endorsement.custodian, endorsement.awarded_on) == (row.association, row.awarded_on)
        and row.category in (endorsement.category, endorsement.converted_from)
    )  # fmt: skip


def _standing(row: Row, on: date) -> ReportedStanding:
    return "lapsed" if row.standing == "active" and on > row.through else row.standing


def _decided(events: Sequence[Event]) -> bool:
    """Whether the present standing was decided here; a suspension that was lifted leaves it as it was before."""
    lifted = False
    for event in reversed(events):
        match event:
            case Endorsement.SuspensionLifted():
                lifted = True
            case Endorsement.Suspended() if lifted:
                lifted = False
            case Endorsement.Imported() | Endorsement.Reported():
                return False
            case _ if isinstance(event, _DECISIONS):
                return True
    return False


def _meaning(differing: Sequence[str], endorsement: Endorsement, row: Row, told: ReportedStanding, now: str) -> Means:
    if "category" in differing or "awarded_on" in differing:
        return "correction"
    later = row.through > endorsement.through
    if told == now:
        return "renewal" if told == "active" and later else "correction"
    if told == "active":
        return "renewal" if later and now == "lapsed" else "reactivation"
    return "lapse" if told == "lapsed" else "inactivity"


def _open(field: str, events: Sequence[Event]) -> bool:
    """Whether this question is asked already and not settled."""
    for event in reversed(events):
        if isinstance(event, Endorsement.ReportSettled):
            return False
        if isinstance(event, Endorsement.ReportContradicted) and event.field == field:
            return True
    return False


def _outcome(events: Sequence[Event]) -> Outcome:
    """What an earlier run made of a row, from the events it recorded."""
    if any(isinstance(event, Endorsement.Imported) for event in events):
        return "new"
    return "contradicted" if all(isinstance(event, Endorsement.ReportContradicted) for event in events) else "changed"
