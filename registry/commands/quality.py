"""Deeds on quality reviews: draw, judge again, raise and resolve findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from domain import access
from domain.access import Thing
from domain.application import Application, DeferReason
from domain.endorsement import Endorsement, read_number
from domain.errors import Invalid, NotFound
from domain.event import Event
from domain.quality import FindingKind, QualityReview, Resolution, SecondOutcome
from registry.commands.references import References
from registry.commands.shared import Act, once
from registry.store import Recorded

# Where an exam is asked, what the reviewers said is the approval for it, and the award after it no second judgement.
_OUTCOMES: dict[type, str] = {
    Application.Approved: "approve",
    Application.ApprovedForExam: "approve",
    Application.Deferred: "defer",
    Application.Declined: "decline",
}


DECIDED = frozenset(_OUTCOMES)
"""The events that are an association's decision on an application."""


class Quality(References):
    """Deeds on quality reviews: draw, judge again, raise and resolve findings."""

    @once
    def draw_quality_sample(
        self, act: Act, association: str, *, from_: date, through: date, size: int, seed: str = ""
    ) -> Recorded:
        """Draw from every decision of the association whose day lies in the period, found in the history itself."""
        access.check(act.actor, "draw_quality_sample", Thing(association=association))
        row = self.association(association).row
        review = QualityReview(self.new_id())
        on = self._begin(act, review, row)
        review.draw(
            association,
            from_,
            through,
            population=[item for item, day in self.decided_by(association) if from_ <= day <= through],
            size=size,
            seed=seed or self.draw(16).hex(),
            on=on,
            by=act.actor.by,
        )
        return self.store.save(review, request=act.request)

    @once
    def assign_second_reviewer(self, act: Act, review: str, item: str, *, reviewer: str) -> Recorded:
        """`reviewer` is the number of an endorsement that another association holds."""
        found, on = self._review(act, "assign_second_reviewer", review)
        own = self.store.get(Endorsement, read_number(reviewer))
        case = self._case_of(item)
        found.assign(
            item,
            own.number,
            own.person,
            own.held_on(on),
            category=case.category,
            custodian=own.custodian,
            tied=self.close_to(case),
            on=on,
            by=act.actor.by,
        )
        return self.store.save(found, request=act.request)

    @once
    def record_second_review(
        self, act: Act, review: str, item: str, *, reviewer: str, outcome: SecondOutcome,
        reasons: Sequence[DeferReason] = (),
    ) -> Recorded:  # fmt: skip
        found, on = self._review(act, "record_second_review", review, item)
        number = read_number(reviewer)
        second = found.seconds.get(item)
        if act.actor.role == "reviewer" and (second is None or second.person not in act.actor.people):
            raise Invalid("This is another reviewer's; name your own endorsement.", field="reviewer")
        found.review(item, number, outcome, self.held_on(number, on), reasons, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def compute_agreement(self, act: Act, review: str) -> Recorded:
        """Compare with the first outcomes, as the applications' own events tell them."""
        found, on = self._review(act, "compute_agreement", review)
        first = {item: self._outcome(item) for item in found.items}
        found.compute_agreement(first, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def raise_finding(self, act: Act, review: str, *, kind: FindingKind, item: str = "") -> Recorded:
        found, on = self._review(act, "raise_finding", review)
        found.raise_finding(kind, item, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def resolve_finding(self, act: Act, review: str, finding: str, *, resolution: Resolution) -> Recorded:
        found, on = self._review(act, "resolve_finding", review)
        found.resolve_finding(finding, resolution, on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    @once
    def close_quality_review(self, act: Act, review: str) -> Recorded:
        found, on = self._review(act, "close_quality_review", review)
        found.close(on=on, by=act.actor.by)
        return self.store.save(found, request=act.request)

    def _review(self, act: Act, deed: str, name: str, item: str = "") -> tuple[QualityReview, date]:
        review = self._or_forbidden(act, deed, QualityReview, name)
        access.check(act.actor, deed, thing_of_item(review, item))
        return review, self._begin(act, review, self.association(review.association).row)

    def decided_by(self, association: str) -> list[tuple[str, date]]:
        """Every decision of an association, as item and day; of a case handed over, those it made itself."""
        streams = self.store.streams_of("application.started", "association", association)
        streams += self.store.streams_of("application.handed_over", "to", association)
        return [
            (f"{stream.partition('/')[2]}-{event.originator_version}", event.on)
            for stream in dict.fromkeys(streams)
            for event in decisions([event for _, event in self.store.events(stream)], association)
        ]

    def _outcome(self, item: str) -> str:
        name, _, version = item.rpartition("-")
        for _, event in self.store.events(f"application/{name}"):
            if event.originator_version == int(version):
                return _OUTCOMES[type(event)]
        raise NotFound("decision")

    def _case_of(self, item: str) -> Application:
        return self.store.get(Application, item.rpartition("-")[0])


def decisions(history: Iterable[Event], association: str) -> list[Event]:
    """What an association decided on an application on its reviewers' word."""
    found: list[Event] = []
    holder, examined = "", False
    for event in history:
        match event:
            case Application.Started():
                holder = event.association
            case Application.HandedOver():
                holder = event.to
            case Application.Submitted():
                examined = False
            case Application.ApprovedForExam():
                examined = True
        awarded = examined and isinstance(event, Application.Approved)
        if type(event) in _OUTCOMES and holder == association and not awarded:
            found.append(event)
    return found


def thing_of_item(review: QualityReview, item: str = "") -> Thing:
    """What a quality review, or one item of it, is to the access table."""
    second = review.seconds.get(item)
    return Thing(association=review.association, reviewers=frozenset({second.person} if second else ()))
