"""Questions about quality: the reviews of an association, a blind second look, the load of its reviewers."""

from datetime import date, timedelta
from typing import Any

from starlette.requests import Request as HttpRequest

from domain.access import Actor, Thing, check
from domain.application import Application
from domain.errors import NotFound
from domain.person import Person
from domain.quality import QualityReview
from projections import applications, past, quality, tasks
from registry.api import cases, views
from registry.api.asking import number
from registry.api.house import House
from registry.api.openapi import CURSOR, LIMIT, POSITION
from registry.api.past import BOTH, KNOWN, PRESENT, REPLAYED, when_of
from registry.api.question import Answer, Question
from registry.api.shown import category_title
from registry.api.shown import handed_in as handed_in_shown
from registry.commands.quality import thing_of_item

_YEAR = timedelta(days=365)


async def see_quality_reviews(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """The reviews of an association, newest first."""
    code, when = request.path_params["code"], when_of(request)
    cases.check_association(actor, "see_quality", code)
    at = await views.reach(house, when.known)
    cursor = request.query_params.get("cursor", "")
    on, review = views.cursor_read(cursor) if cursor else ("", "~")
    limit = number(request, "limit", 20, most=100)
    query = quality.of_association(code, before=(date.fromisoformat(on) if on else None, review), limit=limit + 1)
    if when.known is not None:
        drawn = await house.readers.rows(*quality.all_of(code, limit=views.MOST_STREAMS + 1))
        streams = [f"{QualityReview.kind}/{row['review']}" for row in drawn]
        query = past.asked_of(query, await views.folded(house, (quality.VIEW,), streams, when.known))
    rows = await house.readers.rows(*query)
    rows, following = views.cut(rows, limit, lambda last: (last["drawn_on"].isoformat(), last["review"]))
    return Answer({"quality_reviews": [_shown(row) for row in rows]}, at, cursor=following)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "review": row["review"], "association": row["association"], "from": row["from_day"], "through": row["through"],
        "drawn_on": row["drawn_on"], "state": row["state"], "population": row["population"],
        "sample": len(row["items"]), "reviewed_again": sum(bool(i and i["outcome"]) for i in row["items"].values()),
        "agreement": row["agreement"] or None,
        "findings": [{"finding": name} | found for name, found in row["findings"].items()],
        "links": {"self": f"/api/quality-reviews/{row['review']}"},
    }  # fmt: skip


async def see_quality_review(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """All of a review: the seed and the population too, so that anybody who may see it draws the sample again."""
    found, rows = await cases.load(house, QualityReview, request.path_params["review"])
    rule = check(actor, "see_quality", Thing() if found is None else thing_of_item(found))
    if found is None:
        raise NotFound("quality review")
    case = cases.Case(found, rule, rows).as_known(when_of(request).known)
    review: QualityReview = case.state
    drawn = next(event for event in case.events if isinstance(event, QualityReview.SampleDrawn))
    shown = {
        "review": review.name, "association": review.association, "from": drawn.from_, "through": drawn.through,
        "state": review.state, "seed": drawn.seed, "population": drawn.population,
        "items": [
            {"item": item, "reviewer": second.reviewer if second else None,
             "outcome": second.outcome if second else None}
            for item in review.items
            for second in [review.seconds.get(item)]
        ],
        "agreement": review.agreement,
        "findings": review.findings,
        "can": review.can(),
        "version": review.version,
    }  # fmt: skip
    return Answer(shown, case.position, review.version)


async def see_second_review(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """What was handed in for one decision, and nothing of how it was judged: the second look is blind."""
    review, rows = await cases.load(house, QualityReview, request.path_params["review"])
    item = request.path_params["item"]
    check(actor, "see_second_review", Thing() if review is None else thing_of_item(review, item))
    if review is None or item not in review.items:
        raise NotFound("item of this quality review")
    name, _, version = item.rpartition("-")
    case, decided = await cases.load(house, Application, name)
    if case is None:
        raise NotFound("application")
    _, written = await cases.load(house, Person, case.person)
    before = [event for _, event in decided if event.originator_version < int(version)]
    handed_in = handed_in_shown(before, [event for _, event in written], frozenset())
    await cases.confidential(house, actor, "see_second_review", case.stream, case.person)
    shown = {
        "review": review.name, "item": item, "category": case.category, "title": category_title(case.category),
        "edition": case.edition, "handed_in": handed_in,
    }  # fmt: skip
    return Answer(shown, rows[-1][0], review.version)


async def see_second_reviews(house: House, request: HttpRequest, actor: Actor) -> Answer:  # noqa: ARG001 # a question
    check(actor, "see_reviews", Thing(person=actor.person))
    at = await views.position(house)
    rows = await house.readers.rows(*quality.waiting_for(actor.people))
    shown = [row | {"links": {"self": f"/api/quality-reviews/{row['review']}/items/{row['item']}"}} for row in rows]
    return Answer({"second_reviews": shown}, at)


async def see_reviewer_load(house: House, request: HttpRequest, actor: Actor) -> Answer:
    """The last twelve months: who reviews how much, how fast; a number names the reviewer."""
    code, when = request.path_params["code"], when_of(request)
    check(actor, "see_reviewer_load", Thing(association=code))
    at = await views.reach(house, when.known)
    today = when.today(house, code)
    since = today - _YEAR
    query = quality.reviewer_load(code, since=since, today=today)
    if when.known is not None:
        most = views.MOST_STREAMS + 1
        asked = await house.readers.rows(*quality.reviewed(code, when.known, since=since, limit=most))
        streams = [f"{Application.kind}/{row['subject']}" for row in asked]
        seen = (applications.VIEW, tasks.VIEW)
        query = past.asked_of(query, await views.folded(house, seen, streams, when.known))
    rows = await house.readers.rows(*query)
    return Answer({"association": code, "since": since, "reviewers": rows}, at)


_REVIEW = {
    "review": "ojsxm2lfo4qgc3tefy2tkmzygy", "association": "VA", "from": "2026-01-01", "through": "2026-06-30",
    "drawn_on": "2026-07-06", "state": "open", "population": 41, "sample": 10, "reviewed_again": 10,
    "agreement": {"n": 10, "agreed": 8, "kappa": 0.58, "low": 0.09, "high": 1.0},
    "findings": [{"finding": "F1", "kind": "reasons_missing", "item": "", "resolution": None}],
    "links": {"self": "/api/quality-reviews/ojsxm2lfo4qgc3tefy2tkmzygy"},
}  # fmt: skip
_Q = "/quality-reviews/{review}"

QUESTIONS: tuple[Question, ...] = (
    Question("quality_reviews", "/associations/{code}/quality-reviews", "The quality reviews of an association",
             see_quality_reviews, "see_quality", (LIMIT, CURSOR, POSITION), {"quality_reviews": [_REVIEW]},
             takes=KNOWN),
    Question("quality_review", _Q, "A quality review, with seed and population", see_quality_review, "see_quality",
             (), {"review": "ojsxm2lfo4qgc3tefy2tkmzygy", "seed": "6d1c0f...", "items": []}, takes=KNOWN),
    Question("second_review", f"{_Q}/items/{{item}}", "What was handed in for a decision, as its second reviewer",
             see_second_review, "see_second_review", (), {"category": "IFS", "handed_in": {"entries": []}},
             takes=PRESENT),
    Question("second_reviews", "/second-reviews", "What waits for me as a second reviewer", see_second_reviews,
             "see_reviews", (POSITION,), {"second_reviews": []}, takes=REPLAYED),
    Question("reviewer_load", "/associations/{code}/reviewer-load", "Who reviews how much, and how fast",
             see_reviewer_load, "see_reviewer_load", (POSITION,),
             {"association": "VA", "since": "2025-11-22", "reviewers": [
                 {"reviewer": "IMHS-7K3MQ9T5", "open": 2, "done": 11, "median_days": 9, "oldest_days": 21}]},
             takes=BOTH),
)  # fmt: skip
