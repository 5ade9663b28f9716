"""The people of one small association, in one memory: its audits and quality reviews draw from all that it did."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from domain.access import Actor
from domain.application import Application
from domain.endorsement import CONVERTED_FROM, Endorsement
from domain.portfolio import Entry
from domain.quality import QualityReview
from registry.importing import Importer, Tally
from registry.roster import Roster, Row
from registry.world import names
from registry.world.applicant import Applicant
from registry.world.imported import Imported, attestation, good_through, keep_membership, late_fee
from registry.world.life import Thread
from registry.world.places import ENDS, PLACES, TAKES_OVER

_DAY = timedelta(days=1)
MEMBERS = 6
_ROOM = 40


class Circle(Applicant):
    """An applicant where nobody else applies, beside a few whose awards came in the association's only file."""

    people = 1 + MEMBERS

    @property
    def room(self) -> int:
        """Nothing of this becomes too long."""
        return _ROOM

    def story(self) -> Thread:
        self.bent, self.turning = "", []
        yield date(2021, 6, 7)
        self.members = list(self.take_file())
        yield self.later(5, 30)
        self.register()
        self.join(self.today)
        yield self.later(3, 60)
        self.start(self.reviewed_again())
        for fate in ("passes", "unremedied", "dropped"):
            yield from self.year(fate)

    def take_file(self) -> Iterator[str]:
        """The numbers of those in the file."""
        rows = [
            Row(
                number=n + 2, record=f"{self.home}-{n}", association=self.home, email=f"m{n}.{self.email}",
                name=f"{self.choose(names.FIRST)} {self.choose(names.LAST)}", credentials="", category="IFS",
                awarded_on=self.today - self.many(1, 100) * _DAY, through=good_through(self.today, self.home),
                standing="active", residence=self.home,
            )
            for n in range(MEMBERS)
        ]  # fmt: skip
        digest = hashlib.sha256(f"{self.world.seed}/{self.home}/circle".encode()).hexdigest()
        importer = Importer(
            self.registry, self.coordinator(), Roster(digest, self.today, MEMBERS, 0, rows=rows, errors=[], warnings=[])
        )
        for row in rows:
            importer.take(row, Tally())
            yield self.memory.history[-1].originator_id.partition("/")[2]

    # --- audits

    def year(self, fate: str) -> Iterator[date | datetime]:
        """All renew, and an audit is drawn among them; what becomes of who was drawn."""
        kept = [one for number in self.members if (one := self.memory.get(Endorsement, number)).state == "active"]
        yield self.night(kept[0].through - 80 * _DAY)
        for endorsement in kept:
            yield self.later(1, 5)
            keep_membership(self, endorsement)
            holder = Actor("holder", person=endorsement.person, id="m1")
            self.registry.remind_of_renewal(endorsement.number)
            self.registry.renew(
                self.act(holder), endorsement.number, attestation(self), late_fee=late_fee(endorsement, self.today)
            )
        yield self.later(100, 130)
        drawn = self.registry.draw_audit(self.act(self.coordinator()), self.home, cycle=kept[0].renewed_for or 0)
        audit = drawn.events[0].originator_id.partition("/")[2]
        for number in drawn.events[0].sample:  # type: ignore[attr-defined]  # of Audit.SampleDrawn
            yield from self.audited(audit, self.memory.get(Endorsement, number), fate)
        self.registry.close_audit(self.act(self.coordinator()), audit)

    def audited(self, audit: str, endorsement: Endorsement, fate: str) -> Iterator[date | datetime]:
        desk, number = self.act(self.coordinator()), endorsement.number
        holder = self.act(Actor("holder", person=endorsement.person, id="m1"))
        self.registry.send_audit_notice(desk, audit, number, answer_by=self.today + 30 * _DAY)
        if fate == "passes":
            yield self.later(3, 20)
            day = self.today - 90 * _DAY
            entry = Entry("training", day, day, hours=20, codes=("TF-1",))
            added = self.registry.record_entry(holder, endorsement.person, entry, title=self.choose(names.TRAININGS))
            self.registry.submit_audit_evidence(
                holder, audit, number, entries=[f"E{added.events[0].originator_version}"]
            )
            yield self.later(3, 20)
            self.registry.pass_audit(desk, audit, number)
        elif fate == "dropped":
            yield self.later(3, 20)
            self.registry.archive(holder, number)
            yield self.later(1, 5)
            self.registry.drop_from_audit(desk, audit, number)
        else:
            yield self.night(self.today + 32 * _DAY)
            self.registry.note_audit_days(audit)
            self.registry.fail_audit(desk, audit, number, remedy="training_hours", remedy_by=self.today + 20 * _DAY)
            yield self.night(self.today + 22 * _DAY)
            self.registry.note_audit_days(audit)
            self.registry.leave_unremedied(desk, audit, number)

    # --- a quality review

    def reviewed_again(self) -> Thread:
        """Every decision of the association in a year, judged again by reviewers from elsewhere."""
        since = self.today
        yield from self.apply_once()
        if not self.numbers:
            return
        yield self.later(20, 60)
        alliance = self.act(self.coordinator("ALLIANCE"))
        drawn = self.registry.draw_quality_sample(alliance, self.home, from_=since, through=self.today, size=3)
        review = self.memory.get(QualityReview, drawn.events[0].originator_id.partition("/")[2])
        for item in review.items:
            case = self.memory.get(Application, item.rpartition("-")[0])
            if (second := self.world.reviewer(self, case.category, self.registry.close_to(case))) is None:
                return
            self.registry.assign_second_reviewer(alliance, review.name, item, reviewer=second.number)
            yield self.later(3, 20)
            self.registry.record_second_review(
                self.act(Actor("reviewer", person=second.person, id="s1")), review.name, item,
                reviewer=second.number, outcome="approve",
            )  # fmt: skip
        self.registry.compute_agreement(alliance, review.name)
        raised = self.registry.raise_finding(alliance, review.name, kind="slow")
        yield self.later(10, 40)
        finding = raised.events[0].finding  # type: ignore[attr-defined]  # of QualityReview.FindingRaised
        self.registry.resolve_finding(alliance, review.name, finding, resolution="explained")
        self.registry.close_quality_review(alliance, review.name)


class Stranded(Applicant):
    """In the middle of an application when the licence of their association ends: it goes on at the Alliance."""

    def story(self) -> Thread:
        yield self.begins()
        self.register()
        self.join(self.today)
        started = self.registry.start_application(
            self.act(self.holder), self.person, association=self.home, category=self.kind.category
        )
        name = started.events[0].originator_id.partition("/")[2]
        yield self.later(1, 3)
        self.accept(name, self.kind.category)
        self.start(self.trained())
        yield self.night(self.ends + 2 * _DAY)
        self.registry.hand_over_application(name)
        yield self.later(20, 60)
        self.registry.withdraw_application(self.act(self.holder), name)

    def trained(self) -> Iterator[date]:
        for _ in range(12):
            self.add(next(self.trainings(8)))
            yield self.later(1, 2)

    @property
    def ends(self) -> date:
        ends = PLACES[self.home].ends
        if ends is None:
            raise ValueError(f"{self.home} does not end")
        return ends


class Supervisor(Imported):
    """A reflective supervisor of the old kind, who becomes a specialist with ERS in 2024 (AZ-REQ, IN-ERS)."""

    def story(self) -> Thread:
        yield self.arrives
        self.report("active", good_through(self.today, self.home))
        yield self.between(date(2023, 10, 2), date(2023, 12, 1))
        self.report("active", date(2026, 12, 31))
        yield self.between(CONVERTED_FROM, CONVERTED_FROM + 200 * _DAY)
        self.registry.convert(self.act(self.coordinator()), self.number_)


class NotTaken(Imported):
    """Moves to where the category is not offered; the Alliance takes them (design section 10)."""

    def story(self) -> Thread:
        yield self.arrives
        self.report("active", good_through(self.today, self.home))
        yield self.later(30, 60)
        self.registry.move_person(self.act(self.holder), self.person, residence=TAKES_OVER)
        asked = self.registry.request_transfer(
            self.act(self.holder), self.person, to=TAKES_OVER, endorsements=[self.number_]
        )
        case = asked.events[0].originator_id.partition("/")[2]
        yield self.later(1, 9)
        self.registry.confirm_standing(self.act(self.coordinator()), case)
        yield self.later(1, 9)
        self.registry.decline_transfer(self.act(self.coordinator(TAKES_OVER)), case, reason="category_not_offered")
        yield self.later(1, 9)
        self.registry.take_custody(self.act(self.coordinator("ALLIANCE")), case)


class Leaver(Imported):
    """Asks to move to an association whose licence ends before it has taken them: the Alliance stands in."""

    def story(self) -> Thread:
        yield self.arrives
        self.report("active", good_through(self.today, self.home))
        yield date(2024, 5, 22)
        self.registry.move_person(self.act(self.holder), self.person, residence=ENDS)
        asked = self.registry.request_transfer(self.act(self.holder), self.person, to=ENDS, endorsements=[self.number_])
        yield self.night(date(2024, 6, 5))
        self.registry.weigh_transfer(asked.events[0].originator_id.partition("/")[2])
