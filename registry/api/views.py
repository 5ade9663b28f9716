"""Questions to the views: what many cases say together. Nothing is decided from them."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from domain.application import OPEN
from domain.association import ALLIANCE, ROWS
from domain.category import ADD_ONS, CATEGORIES, with_add_on
from domain.editions import provider_rule
from domain.errors import Invalid
from projections import applications, references, standing, tasks, transfers
from projections import exams as exams_view
from projections import past as past_views
from projections import people as people_view
from projections import providers as providers_view
from projections import register as register_view
from projections.rows import Rows
from projections.view import Query, View
from registry.api import past
from registry.api.associations import known_rows
from registry.api.cases import full_name, today
from registry.api.house import House
from registry.api.past import NOW, When
from registry.api.problems import Problem
from registry.api.shown import association_shown, category_title

_POLL = 0.002
_PATIENCE = 3.0
_MOST = 200
MOST_STREAMS = 2000
"""So many cases are folded to answer of the past; more are left to the views of a replay."""
_OPEN = (*OPEN, "appealed")


async def position(house: House) -> int:
    """Up to where in the history the views have come."""
    row = await house.readers.one("SELECT position FROM views.position")
    return row["position"] if row else 0


async def lag(house: House) -> int:
    """How many events the views are behind."""
    row = await house.readers.one(
        "SELECT (SELECT coalesce(max(notification_id), 0) FROM registry.events) - position AS lag FROM views.position"
    )
    return row["lag"] if row else 0


async def wait_for_position(house: House, wanted: int) -> None:
    """Until the views have reached it; they are never asked to hurry. Raises Problem when they take too long."""
    try:
        async with asyncio.timeout(_PATIENCE):
            while await position(house) < wanted:  # noqa: ASYNC110 # another process moves it
                await asyncio.sleep(_POLL)
    except TimeoutError:
        raise Problem("behind", f"The views have not reached position {wanted} yet. Ask again.") from None


async def reach(house: House, known: int | None) -> int:
    """Up to where the views have come, which is at least this position. Raises Problem when they take too long."""
    at = await position(house)
    if known is not None and at < known:
        await wait_for_position(house, known)
        at = await position(house)
    return at


async def refuse_too_early(house: House, when: When, found: Sequence[object]) -> None:
    """Raise Invalid where nothing was found because the day is before all that is on record."""
    if when.on is not None and not found:
        row = await house.readers.one(*standing.first_day())
        if row and row["day"] and when.on < row["day"]:
            raise Invalid(f"Nothing on record is older than {row['day']}: ask about that day or later.", field="on")


async def numbers_of(house: House, person: str) -> list[str]:
    return await house.wait_for(house.registry.numbers_of, person)


async def public_endorsement(house: House, number: str, when: When) -> tuple[dict[str, Any] | None, int]:
    """What everybody may see: only while it is active and listed today, whatever is asked about (R26).

    Name and credentials are those of now. Unknown numbers take the same steps.
    """
    at = await reach(house, when.known)
    # Somewhere the next day has begun already.
    latest = (house.clock() + timedelta(hours=14)).date()
    span = await house.readers.one(*standing.of(number, on=latest))
    now = today(house, span["custodian"] if span else "ALLIANCE")
    listed = await house.readers.one(*register_view.search(on=now, number=number, limit=1))
    if not when.asked:
        return (_listed(listed, now) if listed else None), at
    on = when.today(house, span["custodian"] if span else "ALLIANCE")
    asked = await house.readers.one(*standing.of(number, on=on, known=when.known))
    if listed is None or asked is None or asked["standing"] != "active":
        return None, at
    return _listed(asked | {"association": asked["custodian"], "name": listed["name"],
                           "credentials": listed["credentials"]}, on), at  # fmt: skip


def _listed(row: Mapping[str, Any], on: date) -> dict[str, Any]:
    return {
        "number": row["number"],
        "name": full_name(row["name"], row["credentials"]),
        "category": row["category"],
        "title": category_title(row["category"], row["association"]),
        "association": association_shown(row["association"]),
        "standing": row["standing"],
        "on": on,
        "through": row["through"],
        "reported": row["reported"],
        "links": {"self": f"/api/endorsements/{row['number']}"},
    }


async def register(
    house: House, search: Mapping[str, str], limit: int, cursor: str, when: When = NOW
) -> tuple[list[dict[str, Any]], str, int]:
    """A page of the public register, and the cursor of the next one; of the past only who is active and listed now."""
    association = search.get("association") or "ALLIANCE"
    now, on = today(house, association), when.today(house, association)
    after = cursor_read(cursor) if cursor else None
    at = await reach(house, when.known)
    query = register_view.search(
        on=on,
        known=when.known,
        today=now if when.asked else None,
        name=search.get("name", ""),
        number=search.get("number", ""),
        category=search.get("category", ""),
        association=search.get("association", ""),
        after=after,
        limit=limit + 1,
    )
    rows = await house.readers.rows(*query)
    await refuse_too_early(house, when, rows)
    rows, following = cut(rows, limit, lambda last: (last["folded"], last["number"]))
    return [_listed(row, on) for row in rows], following, at


async def rsc_providers(
    house: House, search: Mapping[str, str], limit: int, cursor: str, when: When = NOW
) -> tuple[list[dict[str, Any]], str, int]:
    """A page of the providers of RSC who let themselves be listed; each is judged again from the events.

    Of the past: of those who let themselves be listed, and are active, now.
    """
    association = search.get("association") or "ALLIANCE"
    on = when.today(house, association)
    at = await reach(house, when.known)
    query = providers_view.listed(
        on=on,
        known=when.known,
        today=today(house, association) if when.asked else None,
        accepted=accepted_on(on, tuple(known_rows())),
        association=search.get("association", ""),
        language=search.get("language", ""),
        remote=search.get("remote", "") in ("true", "on"),
        after=cursor_read(cursor) if cursor else None,
        limit=limit + 1,
    )
    rows = await house.readers.rows(*query)
    await refuse_too_early(house, when, rows)
    rows, following = cut(rows, limit, lambda last: (last["folded"], last["number"]))
    shown = []
    for row in rows:
        judged = await house.wait_for(
            house.registry.rsc_provider, row["number"], when.today(house, row["association"]), known=when.known
        )
        if judged["counts"]:
            shown.append(
                {
                    "number": row["number"],
                    "name": full_name(row["name"], row["credentials"]),
                    "category": row["category"],
                    "title": category_title(row["category"], row["association"]),
                    "association": association_shown(row["association"]),
                    "languages": row["languages"],
                    "remote": row["remote"],
                    "counts_for": judged["counts_for"],
                    "links": {"self": f"/api/rsc-providers/{row['number']}"},
                }
            )
    return shown, following, at


@lru_cache(maxsize=8)
def accepted_on(on: date, codes: tuple[str, ...] = tuple(ROWS)) -> frozenset[str]:
    """Association and category, with add-on, of whoever may provide there on a day for somebody."""
    held = [with_add_on(code, add_on) for code in CATEGORIES for add_on in (None, *ADD_ONS)]
    rules = {code: provider_rule(on, code) for code in codes}
    return frozenset(
        f"{code} {category}"
        for code, rule in rules.items()
        if rule
        for category in held
        if rule.accepts(category) or rule.accepts(category, "MHM-C")
    )


def cut(
    rows: list[dict[str, Any]], limit: int, place: Callable[[dict[str, Any]], tuple[str, str]]
) -> tuple[list[dict[str, Any]], str]:
    """A page of rows read with one more than fits, and the cursor of the next one: the place of its last row."""
    if len(rows) <= limit:
        return rows, ""
    rows = rows[:limit]
    return rows, urlsafe_b64encode(msgspec.json.encode(place(rows[-1]))).rstrip(b"=").decode()


def cursor_read(cursor: str) -> tuple[str, str]:
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=tuple[str, str])
    except (ValueError, msgspec.MsgspecError):
        raise Invalid("Take the cursor from the Link of the page before.", field="cursor") from None


async def folded(house: House, seen: Sequence[View], streams: Sequence[str], known: int) -> Rows:
    """The rows of views at a position, from these whole streams. Raises Problem where they are too many."""
    if len(streams) > MOST_STREAMS:
        raise past.too_much(known)
    return past_views.folded(seen, await house.events_of(sorted(set(streams)), known))


async def _then(house: House, association: str, known: int) -> Rows:
    """Everything that may have waited for an association at a position."""
    most = MOST_STREAMS + 1
    open_ = await house.readers.rows(*applications.open_at(association, known, limit=most))
    streams = [f"application/{row['application']}" for row in open_]
    people, names = [row["person"] for row in open_], [row["application"] for row in open_]
    raters = await house.readers.rows(*references.of_applications(people, names, limit=most))
    streams += [f"reference/{row['reference']}" for row in raters]
    everywhere = association == ALLIANCE
    moving = await house.readers.rows(*transfers.open_at(None if everywhere else association, known, limit=most))
    streams += [f"transfer/{row['transfer']}" for row in moving]
    if everywhere:
        appeals = await house.readers.rows(*applications.ever_appealed(known, limit=most))
        streams += [f"application/{row['application']}" for row in appeals]
    asked = await house.readers.rows(*tasks.open_at(known, association=association, limit=most))
    streams += [f"{_SUBJECTS[row['kind']]}/{row['subject']}" for row in asked]
    return await folded(house, (applications.VIEW, references.VIEW, transfers.VIEW, tasks.VIEW), streams, known)


_SUBJECTS = {"likeness": "person", "merger": "person", "report": "endorsement", "review": "application"}


async def queue(house: House, association: str, when: When = NOW) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """What waits for an association: applications, transfers in and out, and questions to settle.

    Of the past it is folded from the events of what may have waited then.
    """
    at, on = await reach(house, when.known), when.today(house, association)
    then = None if when.known is None else await _then(house, association, when.known)

    async def ask(query: Query) -> Sequence[Mapping[str, Any]]:
        return await house.readers.rows(*(query if then is None else past_views.asked_of(query, then)))

    open_ = [*await ask(applications.queue(association, states=_OPEN, limit=_MOST))]
    moving = await ask(transfers.inbox(association, limit=_MOST))
    asked = await ask(tasks.waiting(association, limit=_MOST))
    raters = await ask(references.waiting(association, on, limit=_MOST))
    load = await ask(tasks.load(association))
    desk: Sequence[Mapping[str, Any]] = ()
    if association == ALLIANCE:
        appeals = await ask(applications.appeals(_MOST))
        open_ += [row for row in appeals if row["association"] != association]
        # Disputes, and cases without a word in 14 days, of all associations.
        desk = await ask(transfers.desk(_MOST))
    return {
        "applications": [_waiting_application(row, on) for row in open_],
        "transfers_in": [_waiting_transfer(row, on) for row in moving if row["receiving"] == association],
        "transfers_out": [_waiting_transfer(row, on) for row in moving if row["releasing"] == association],
        "references": [
            {"id": row["reference"], "person": row["person"], "state": row["waiting"], "what": row["relationship"],
             "since": row["nominated_on"], "days": max((on - row["nominated_on"]).days, 0),
             "links": {"self": f"/api/references/{row['reference']}"}}
            for row in raters
        ],
        "to_decide": [_waiting_transfer(row, on) for row in desk],
        "questions": [
            {"id": row["subject"], "kind": row["kind"],
             "person": row["subject"] if row["kind"] in ("likeness", "merger") else "",
             "state": "open", "what": row["field"] or "", "since": row["asked_on"]}
            for row in asked
            if row["kind"] != "review"
        ],
        "reviewers": [
            {"person": row["person"], "reviewer": row["reviewer"], "waiting": row["waiting"], "since": row["oldest"],
             "days": max((on - row["oldest"]).days, 0)}
            for row in load
        ],
    }, at  # fmt: skip


def _waiting_application(row: Mapping[str, Any], on: date) -> dict[str, Any]:
    """`days`: how long it has been in this state."""
    judged = [review["outcome"] for review in row["reviewers"]]
    reviews_ = f", {sum(map(bool, judged))} of {len(judged)} reviews" if judged else ""
    since = row["since"] or row["last_on"]
    return {
        "id": row["application"], "person": row["person"], "state": row["state"],
        "what": f"{with_add_on(row['category'], row['add_on'])}{reviews_}", "since": since,
        "days": max((on - since).days, 0), "links": {"self": f"/api/applications/{row['application']}"},
    }  # fmt: skip


def _waiting_transfer(row: Mapping[str, Any], on: date) -> dict[str, Any]:
    return {
        "id": row["transfer"], "person": row["person"], "state": "on_hold" if row["held"] else row["state"],
        "what": f"{row['releasing']} to {row['receiving']}, {', '.join(row['numbers'])}", "since": row["requested_on"],
        "days": max((on - row["requested_on"]).days, 0), "links": {"self": f"/api/transfers/{row['transfer']}"},
    }  # fmt: skip


async def exams(house: House, scorer: str | None) -> tuple[list[dict[str, Any]], int]:
    """Exams under way; for a scorer those that wait for their score, and nothing of the others'."""
    at = await position(house)
    rows = await house.readers.rows(*exams_view.waiting(scorer, limit=_MOST))
    return [
        {
            "id": row["exam"], "candidate": row["candidate"], "designation": row["designation"],
            "multiple_choice": row["multiple_choice"], "window": row["week"],
            "state": row["waits_for"] if scorer is None else row["state"],
            "links": {"self": f"/api/exams/{row['exam']}"},
        }
        for row in rows
    ], at  # fmt: skip


async def people(house: House, name: str, association: str) -> list[dict[str, Any]]:
    """People who live where an association is, by name, listed or not: for its own people."""
    rows = await house.readers.rows(*people_view.find(name, residence=association, limit=50))
    return [{"person": row["person"], "name": full_name(row["name"], row["credentials"])} for row in rows]


async def reviews(house: House, person: str) -> tuple[list[dict[str, Any]], int]:
    at = await position(house)
    rows = await house.readers.rows(*tasks.reviews_of(person))
    found = {row["subject"]: await house.readers.one(*applications.of(row["subject"])) for row in rows}
    return [
        {
            "id": row["subject"], "person": case["person"], "reviewer": row["reviewer"], "since": row["asked_on"],
            "what": category_title(case["category"], case["association"]),
            "links": {"self": f"/api/applications/{row['subject']}"},
        }
        for row in rows
        if (case := found[row["subject"]])
    ], at  # fmt: skip


async def applications_of(house: House, person: str) -> list[dict[str, Any]]:
    """Every application of a person, as far as the views have come."""
    on = today(house, "ALLIANCE")
    return [_waiting_application(row, on) for row in await house.readers.rows(*applications.of_person(person))]


async def advised(house: House, person: str) -> list[dict[str, Any]]:
    """The open applications that somebody advises."""
    on = today(house, "ALLIANCE")
    return [_waiting_application(row, on) for row in await house.readers.rows(*applications.advised_by(person))]
