"""Which judgements of an application an asker may know, and when: they are kept apart until all are given."""

from collections.abc import Collection, Sequence

from domain.access import Actor
from domain.application import Application
from domain.event import Event


def told(found: Application, rows: Sequence[tuple[int, Event]], actor: Actor) -> list[tuple[int, Event]]:
    """Those of an application's events that the asker may know of."""
    hidden, unread = kept_apart(found, actor), assessed_apart(found, actor)
    return [row for row in rows if not tells(row[1], hidden, unread)]


def assessed_apart(found: Application, actor: Actor) -> frozenset[str]:
    """The reviewers whose word on the competencies an asker may not know (ours).

    Before all have recommended nobody but the reviewer; afterwards all who judge or decide, never the applicant.
    """
    if actor.role in ("holder", "advisor"):
        return frozenset(found.reviewing_people)
    if found.all_recommended:
        return frozenset()
    return _others(found, actor)


def _others(found: Application, actor: Actor) -> frozenset[str]:
    """Whoever ever reviewed it, but for the reviewer who asks."""
    own = actor.people if actor.role == "reviewer" else ()
    return frozenset(number for number, person in found.reviewing_people.items() if person not in own)


def kept_apart(found: Application, actor: Actor) -> frozenset[str]:
    """The reviewers whose judgement an asker may not know yet, those of an earlier round and an appeal included.

    A reviewer sees no other's before all have recommended; the applicant and the advisor see none before the
    coordinator has relayed the outcome (WA-FAQ; *ours* in detail).
    """
    if actor.role == "reviewer" and found.waits_for_reviewers:
        return _others(found, actor)
    if actor.role in ("holder", "advisor") and found.state in ("submitted", "in_review"):
        return frozenset(found.reviewing_people)
    return frozenset()


def tells(event: Event, hidden: Collection[str], unread: Collection[str]) -> bool:
    """Whether an event says how a hidden one judged it, what they came to together, or an unread one's assessment."""
    match event:
        case Application.ConsensusReached():
            return bool(hidden)
        case Application.ReviewRecommended():
            return event.reviewer in hidden
        case Application.CompetenciesAssessed():
            return event.reviewer in hidden or event.reviewer in unread
    return False
