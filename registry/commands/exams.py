"""Deeds on exams and on the competencies: approve, book, score blind, decide; load a licensee's catalogue."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from domain import access
from domain.access import OPERATOR, Thing
from domain.aggregate import Aggregate
from domain.application import Application, exam_of
from domain.category import CATEGORIES
from domain.competency import Competencies, read_catalogue
from domain.editions import practice
from domain.errors import Forbidden, NotFound
from domain.exam import Exam, new_candidate
from registry.commands.references import References
from registry.commands.shared import Act, once
from registry.store import Recorded


class Exams(References):
    """Deeds on exams and on the competencies: approve, book, score blind, decide; load a licensee's catalogue."""

    @once
    def approve_for_exam(self, act: Act, application: str) -> Recorded:
        """What the reviewers' approval means where the edition asks for an exam (VA-EXAM)."""
        found, on = self._application(act, "approve_for_exam", application)
        reviewers = self.association(found.association).row_on(on).reviewers
        years = practice(found.association, on).exam_approval_years
        found.approve_for_exam(years, reviewers, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def book_exam(self, act: Act, application: str, *, window: date) -> Recorded:
        """A place in a week of sittings, under a new candidate number; the exam's stream names no applicant (R16)."""
        found, on = self._application(act, "book_exam", application)
        exam = Exam(self.new_id())
        category = CATEGORIES[found.category]
        found.book_exam(exam.name, window, practice(found.association, on).exam_months, on=on, by=act.actor.by)
        exam.book(
            new_candidate(self.draw),
            window,
            "IMH" if category.credential == "IMH-E" else "ECMH",
            category.slot,
            on=act.on or self.today("ALLIANCE"),
            by=act.actor.role,
        )
        return self.store.save(found, exam, request=act.request)

    @once
    def cancel_exam(self, act: Act, application: str) -> Recorded:
        """Give the place back before it is sat; the approval stays as long as it lasts."""
        found, on = self._application(act, "cancel_exam", application)
        exam = self.store.find(Exam, found.exam)
        found.cancel_exam(on=on, by=act.actor.by)
        if exam is None:
            raise NotFound("exam")
        exam.cancel(on=act.on or self.today("ALLIANCE"), by=act.actor.role)
        return self.store.save(found, exam, request=act.request)

    def expire_exam_approval(self, application: str) -> bool:
        """Whether it was due: judged from the events, on the day it is at the association (R16)."""
        found = self.store.get(Application, application)
        on = self.today(found.association)
        if found.state != "exam_approved" or found.exam_through is None or on <= found.exam_through:
            return False
        found.expire_exam_approval(on=on, by=OPERATOR.by)
        self.store.save(found)
        return True

    @once
    def record_sitting(self, act: Act, exam: str) -> Recorded:
        found, on = self._exam(act, "record_sitting", exam)
        found.sit(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def score_part_1(self, act: Act, exam: str, *, wrong: int) -> Recorded:
        """`wrong`: of the questions of Part 1, as the Alliance's testing service counts them."""
        found, on = self._exam(act, "score_part_1", exam)
        rules = practice("ALLIANCE", on)
        found.score_part_1(wrong, items=rules.exam_items, most_wrong=rules.exam_most_wrong, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def assign_scorer(self, act: Act, exam: str, *, scorer: str) -> Recorded:
        """`scorer` is a person's id. The registry knows whom they must not score; they don't."""
        found, on = self._exam(act, "assign_scorer", exam)
        self._known(scorer)
        found.assign(scorer, self.close_to(self._sat_for(found)), on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def recuse_scorer(self, act: Act, exam: str, *, scorer: str) -> Recorded:
        found, on = self._exam(act, "recuse_scorer", exam)
        if act.actor.role == "exam_scorer" and scorer != act.actor.person:
            raise Forbidden("This is another scorer's; give your own id.", field="scorer")
        found.recuse(scorer, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def score_part_2(self, act: Act, exam: str, *, score: float) -> Recorded:
        """The scorer's own score, in per cent; the other's is not shown to them."""
        found, on = self._exam(act, "score_part_2", exam)
        pass_mark = practice("ALLIANCE", on).exam_part_2_pass
        found.score_part_2(act.actor.person, score, pass_mark=pass_mark, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def decide_exam(self, act: Act, exam: str, *, feedback: str = "") -> Recorded:
        """Say how it went, to the application too: one decision, one transaction. The scorers are not told whose.

        `feedback`: the letter that goes out whatever the outcome (VA-EXAM); it is kept sealed with the person.
        """
        found, on = self._exam(act, "decide_exam", exam)
        application = self._sat_for(found)
        found.decide(on=on, by=act.actor.by)
        there = act.on or self.today(application.association)
        application.late = act.late
        application.decide_exam(
            part_1=bool(found.part_1),
            part_2=bool(found.part_2),
            retakes=practice(application.association, there).exam_retakes,
            on=there,
            by=act.actor.by,
        )
        letter: list[Aggregate] = []
        if feedback:
            person = self._known(application.person)
            person.late = act.late
            person.write_note(application.stream, "applicant", feedback, on=there, by=act.actor.by)
            letter.append(person)
        return self.store.save(found, application, *letter, request=act.request)

    @once
    def load_competencies(
        self,
        act: Act,
        association: str,
        *,
        labels: Mapping[str, str],
        texts: Mapping[str, str] | None = None,
        slots: Mapping[str, Collection[str]] | None = None,
    ) -> Recorded:
        """A licensee's own catalogue: a label for each code, and its own text where it wants one shown."""
        access.check(act.actor, "load_competencies", Thing(association=association))
        row = self.association(association).row
        loaded = self.store.find(Competencies, association) or Competencies(association)
        on = self._begin(act, loaded, row)
        loaded.load(read_catalogue(labels, texts or {}, slots or {}), on=on, by=act.actor.by)
        return self.store.save(loaded, request=act.request)

    def _sat_for(self, exam: Exam) -> Application:
        """Whose exam it is; never for a scorer's eyes."""
        stream = self.store.holder(exam_of(exam.name))
        if stream is None:
            raise NotFound("exam")
        return self.store.get(Application, stream.partition("/")[2])
