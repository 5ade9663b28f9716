"""How a story is told: facts are given, people do their deeds on their days, and then everybody looks."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from psycopg.rows import dict_row
from references import give_references

from domain.access import OPERATOR, PUBLIC, Actor
from domain.aggregate import Aggregate
from domain.application import Application
from domain.endorsement import Endorsement, Source, new_number
from domain.errors import Refused
from domain.person import Person
from domain.policy import Attestation, Reinstatement
from domain.portfolio import Entry
from domain.quality import QualityReview
from domain.reference import ASKED, Counted, Reference, counted
from projections import applications, register, standing, tasks, transfers
from projections.engine import Engine
from registry.certificates import slots
from registry.certificates.status import TOPICS, Statuses, read
from registry.commands import Act, Registry
from registry.nightly import go_round

STATUS = ("valid", "revoked", "suspended", "superseded")


def day(text: str) -> date:
    return date.fromisoformat(text)


@contextmanager
def refused(*words: str) -> Iterator[Any]:
    """What is tried here is refused, in these words (its sources and editions among them)."""
    with pytest.raises(Refused) as caught:
        yield caught
    said = caught.value.message
    for gap in caught.value.facts.get("missing", ()):
        said += f" [{gap['source']}]"
    for word in words:
        assert word in said, said


class Voice:
    """Somebody at the counter: every deed of the registry by its own name, done as them.

    A deed that begins a case answers its id or number, any other one the topics it recorded. `on` and `late` record a
    past day.
    """

    def __init__(self, story: "Story", actor: Actor) -> None:
        self.story = story
        self.actor = actor

    def __getattr__(self, deed: str) -> Any:
        method = getattr(self.story.registry, deed)

        def do(*args: Any, **facts: Any) -> Any:
            act = Act(self.actor, on=facts.pop("on", None), late=facts.pop("late", None))
            recorded = method(act, *self.before(method), *args, **facts)
            begun = [
                event.originator_id.partition("/")[2] for event in recorded.events if event.originator_version == 1
            ]
            return begun[0] if begun else [event.topic for event in recorded.events]

        return do

    def before(self, method: Any) -> tuple[str, ...]:
        """What need not be said: nothing."""
        return ()


class Human(Voice):
    """A person, as a holder unless they review: their id goes without saying."""

    def __init__(self, story: "Story", person: str, number: str = "") -> None:
        super().__init__(story, Actor("holder", person=person, id="h1"))
        self.id = person
        self.number = number

    def before(self, method: Any) -> tuple[str, ...]:
        return (self.id,) if list(inspect.signature(method).parameters)[1:2] == ["person"] else ()

    def has_done(self, *entries: Entry) -> list[str]:
        """Puts these into the portfolio; their names there."""
        before = set(self.story.store.get(Person, self.id).entries)
        for entry in entries:
            self.record_entry(entry)
        return [name for name in self.story.store.get(Person, self.id).entries if name not in before]

    def applies(self, category: str, *, at: str) -> str:
        """Starts, and the association accepts: a member for the year, and no fee that is known stays open."""
        application = self.start_application(association=at, category=category)
        self.story.accepted(application, at)
        return application

    def submits(self, application: str) -> list[str]:
        return self.submit_application(application, signed=True)

    def as_reviewer(self) -> Voice:
        return Voice(self.story, Actor("reviewer", person=self.id, id="r1"))

    def judges(self, application: str, outcome: str, *reasons: str) -> list[str]:
        return self.as_reviewer().recommend(application, reviewer=self.number, outcome=outcome, reasons=reasons)

    def renews(self, number: str = "", *, late_fee: str | None = None, **hours: float) -> list[str]:
        """Attests these hours, with all three statements."""
        attested = {f"{what}_hours": count for what, count in hours.items()}
        said = Attestation(**attested, membership=True, ethics=True, no_sanction=True)
        return self.renew(number or self.number, said, late_fee=late_fee)


class Story:
    """A small world on a real database: the Alliance with its associations, a clock, and the eyes of everybody."""

    def __init__(self, registry: Registry, clock: Any, engine: Engine, projector: Any, reader: Any, keys: Any) -> None:
        self.registry = registry
        self.store = registry.store
        self.clock = clock
        self.engine, self.projector, self.reader, self.keys = engine, projector, reader, keys
        self.engine.prepare(projector)

    # -- what is given

    def it_is(self, when: str, zone: str = "America/New_York") -> None:
        """A day (noon there) or a minute; time only goes on."""
        at = datetime.fromisoformat(when)
        at = datetime.combine(at, time(12)) if len(when) == len("2024-12-31") else at
        at = at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        assert at >= self.clock.now, "time only goes on"
        self.clock.set(at)

    def given(self, *aggregates: Aggregate) -> None:
        """Facts as they are, in one transaction."""
        self.store.save(*aggregates)

    def somebody(self, name: str, lives: str, email: str = "", member_of: str = "") -> Human:
        """Registered today; `member_of` an association for good, and then trained as a reviewer."""
        person = Person(self.registry.new_id())
        person.register(
            residence=lives, name=name, credentials="", email=email, match=self.registry.match(name, email),
            address_match=self.registry.address_match(email), on=self.registry.today(self.registry.home_of(lives)),
            by="operator",
        )  # fmt: skip
        if member_of:
            today = self.registry.today(member_of)
            person.record_membership(member_of, today, date(2049, 12, 31), on=today, by="operator")
            person.record_reviewer_training(member_of, on=today, by="operator")
        self.given(person)
        return Human(self, person.name)

    def endorsed(
        self, name: str, category: str, at: str, since: str, through: str = "2027-12-31", *, lives: str = "",
        certified: bool = False, email: str = "",
    ) -> Human:  # fmt: skip
        """Somebody of long standing, as their association's record tells; trained as a reviewer."""
        human = self.somebody(name, lives or at, email, member_of=at)
        human.number = new_number(category, self.registry.draw)
        self.holds(human, human.number, at, since, through)
        if certified:
            self.coordinator(at).issue_certificate(human.number)
        return human

    def holds(self, human: Human, number: str, at: str, since: str, through: str = "2027-12-31") -> str:
        held = Endorsement(number)
        held.record(
            Endorsement.Imported, number=number, person=human.id, category=number.rpartition("-")[0], association=at,
            awarded_on=day(since), through=day(through), standing="active",
            source=Source(file="0" * 64, row=1, record=number), on=self.registry.today(at), by="operator",
        )  # fmt: skip
        self.given(held)
        return number

    def new_number(self, category: str) -> str:
        return new_number(category, self.registry.draw)

    def accepted(self, application: str, at: str) -> None:
        today = self.registry.today(at)
        found = self.store.get(Application, application)
        asked = self.registry._fee(found, "registration", today)
        self.coordinator(at).accept_registration(
            application, fee="waived" if asked else "not_asked", member_through=date(today.year + 1, 12, 31)
        )
        asked = self.registry._fee(found, "processing", today)
        if asked:
            self.coordinator(at).settle_fee(application, what="processing", how="waived")

    def rated(self, human: Human, category: str, association: str = "VA") -> list[str]:
        """A rating for every place that the category's rule names, given today."""
        return give_references(self.registry, human.id, category, association=association)

    def rates(self, reference: str, unknown: int = 0) -> None:
        """The rater follows the link of the mail and answers, so many lines with "not enough information"."""
        version = self.store.get(Reference, reference).link_version
        answers = {code: "unknown" if n < unknown else 3 for n, code in enumerate(ASKED)}
        self.registry.record_rating(
            Act(PUBLIC), code=self.registry.rating_code(reference, version), answers=answers,
            recommendation="recommend", known_a_year=True,
        )  # fmt: skip

    # -- who acts

    def coordinator(self, association: str, key: str = "k1") -> Voice:
        return Voice(self, Actor("coordinator", association=association, id=f"{association.lower()}{key}"))

    def alliance(self, key: str = "a1") -> Voice:
        return Voice(self, Actor("alliance", association="ALLIANCE", id=key))

    def operator(self) -> Voice:
        return Voice(self, OPERATOR)

    def scorer(self, human: Human) -> Voice:
        return Voice(self, Actor("exam_scorer", person=human.id, id="s1"))

    def judged(self, application: str, at: str, reviewers: Sequence[Human], outcome: str, *reasons: str) -> None:
        """Each is assigned and says the same."""
        for reviewer in reviewers:
            self.coordinator(at).assign_reviewer(application, reviewer=reviewer.number)
            reviewer.judges(application, outcome, *reasons)

    def night(self) -> dict[str, int]:
        """The worker's round of nightly rules: how much each recorded. Nothing may fail."""
        self._look()
        done: dict[str, int] = {}
        for batch in go_round(self.registry, self.reader):
            assert not batch.failed, batch
            if batch.recorded:
                done[batch.rule] = done.get(batch.rule, 0) + batch.recorded
        return done

    # -- what is seen

    def compared(self) -> list[Any]:
        """Where the views differ from views built anew: nowhere."""
        self._look()
        return list(self.engine.compare(self.projector).differences)

    def _look(self) -> None:
        self.engine.catch_up(self.projector)

    def rows(self, query: Any) -> list[dict[str, Any]]:
        self._look()
        with self.reader.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(*query).fetchall()

    def today(self, association: str) -> date:
        return self.registry.today(association)

    def standing(self, number: str, on: str = "") -> str:
        """As the view and the events say, which must be the same: `active`, `lapsed`, ..."""
        endorsement = self.store.get(Endorsement, number)
        asked = day(on) if on else self.today(endorsement.custodian)
        rows = self.rows(standing.of(number, on=asked))
        seen = rows[0]["standing"] if rows else "lapsed"
        assert seen == endorsement.standing(asked)
        return seen

    def endorsement(self, number: str) -> Endorsement:
        return self.store.get(Endorsement, number)

    def listed(self, name: str, at: str = "VA") -> list[tuple[str, str]]:
        """The public register's rows for a name, today at an association: category and association."""
        rows = self.rows(register.search(on=self.today(at), name=name))
        return [(row["category"], row["association"]) for row in rows]

    def application(self, application: str) -> dict[str, Any]:
        return self.rows(applications.of(application))[0]

    def submission(self, application: str) -> Application.Submitted:
        """The last one."""
        events = [event for _, event in self.store.events(f"application/{application}")]
        return [event for event in events if isinstance(event, Application.Submitted)][-1]

    def exam_of(self, application: str) -> str:
        return self.store.get(Application, application).exam

    def quality(self, review: str) -> QualityReview:
        return self.store.get(QualityReview, review)

    def counted(self, human: Human, category: str, association: str) -> Counted:
        return counted(self.registry.references_of(human.id), category, association, self.today(association))

    def waiting_at(self, association: str) -> list[str]:
        """Applications in the association's queue, the longest untouched first."""
        return [row["application"] for row in self.rows(applications.queue(association))]

    def transfers_at(self, association: str) -> list[str]:
        """Open transfers in an association's inbox, whichever side it is on."""
        return [row["transfer"] for row in self.rows(transfers.inbox(association))]

    def desk_of_the_alliance(self) -> list[str]:
        """Transfers on which the Alliance has to decide."""
        return sorted(row["transfer"] for row in self.rows(transfers.desk()))

    def tasks_at(self, association: str) -> list[tuple[str, str]]:
        return [(row["kind"], row["subject"]) for row in self.rows(tasks.waiting(association))]

    def reviews_of(self, human: Human) -> list[str]:
        return [row["subject"] for row in self.rows(tasks.reviews_of(human.id))]

    def history(self, kind: str, name: str) -> list[str]:
        return [event.topic.partition(".")[2] for _, event in self.store.events(f"{kind}/{name}")]

    def papers(self, number: str) -> list[tuple[str, str, str]]:
        """Category, association and last good day of each certificate, the first one first."""
        return [
            (paper.category, paper.association, paper.through.isoformat())
            for paper in self.endorsement(number).certificates
        ]

    def paper(self, number: str, which: int = -1) -> str:
        """What somebody who scans one of the certificates is told (the first: 0, the newest: -1)."""
        issued = [
            (position, event)
            for position, event in self.store.events(f"endorsement/{number}")
            if isinstance(event, Endorsement.CertificateIssued)
        ]
        position, event = issued[which]
        statuses, last = Statuses(self.keys.slot_key), self.store.position()
        statuses.advance(read(self.reader, TOPICS, 0, last), last)
        slot = slots.slot(position - 1, self.keys.slot_key)
        status = STATUS[statuses.of_list(slot.list).get(slot.place, 0)]
        if event.expires_at < self.clock():
            return "expired"
        notice = statuses.notes(slot.list, self.clock()).get(slot.place)
        return f"{status}: {notice.reason}, now {notice.standing} at {notice.association}" if notice else status


# -- what somebody has done


def work(from_: str, through: str, sector: str = "home_visiting") -> Entry:
    return Entry(kind="work", from_=day(from_), through=day(through), sector=sector)


def training(hours: float, on: str, *, dei: float = 0, provision: float = 0) -> Entry:
    first = day(on)
    return Entry(
        kind="training", from_=first, through=date(first.year, first.month, 28), hours=hours, dei_hours=dei,
        rsc_provision_hours=provision,
    )  # fmt: skip


def rsc(hours: float, from_: str, through: str, provider: str, *, about_given: bool = False) -> Entry:
    return Entry(
        kind="rsc", from_=day(from_), through=day(through), hours=hours, provider=provider, mode="individual",
        about_given=about_given,
    )  # fmt: skip


def masters(on: str = "2018-05-12") -> Entry:
    return Entry(kind="education", from_=day(on), through=day(on), degree="master")


def led(from_: str, through: str) -> Entry:
    return Entry(kind="leadership", from_=day(from_), through=day(through))


def gave_rsc(from_: str, through: str) -> Entry:
    return Entry(kind="rsc_given", from_=day(from_), through=day(through))


__all__ = [
    "Human", "Reinstatement", "Story", "Voice", "day", "gave_rsc", "led", "masters", "refused", "rsc", "training",
    "work",
]  # fmt: skip
