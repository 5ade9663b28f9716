"""Questions to the views: what many cases say together. Nothing is decided from them."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
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
from projections import people as people_view
from projections import providers as providers_view
from projections import register as register_view
from registry.api.associations import known_rows
from registry.api.cases import full_name, today
from registry.api.house import House
from registry.api.problems import Problem
from registry.api.shown import association_shown, category_title

_POLL = 0.002
_PATIENCE = 3.0
_MOST = 200
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


async def numbers_of(house: House, person: str) -> list[str]:
    return await house.wait_for(house.registry.numbers_of, person)


async def public_endorsement(
    house: House, number: str, on: date | None, known: int | datetime | None
) -> tuple[dict[str, Any] | None, int]:
    """What everybody may see: only while it is active and listed today, whatever day is asked about.

    Unknown numbers take the same steps.
    """
    at = await position(house)
    # Somewhere the next day has begun already.
    latest = (house.clock() + timedelta(hours=14)).date()
    span = await house.readers.one(*standing.of(number, on=latest))
    now = today(house, span["custodian"] if span else "ALLIANCE")
    listed = await house.readers.one(*register_view.search(on=now, number=number, limit=1))
    if on is None and known is None:
        return (_listed(listed, now) if listed else None), at
    asked = await house.readers.one(*standing.of(number, on=on or now, known=await _position_at(house, known)))
    if listed is None or asked is None or asked["standing"] != "active":
        return None, at
    return _listed(asked | {"association": asked["custodian"], "name": listed["name"],
                           "credentials": listed["credentials"]}, on or now), at  # fmt: skip


async def _position_at(house: House, known: int | datetime | None) -> int | None:
    if isinstance(known, datetime):
        row = await house.readers.one(*standing.position_at(known))
        return row["position"] if row else 0
    return known


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
    house: House, search: Mapping[str, str], limit: int, cursor: str
) -> tuple[list[dict[str, Any]], str, int]:
    """A page of the public register, and the cursor of the next one."""
    on = today(house, search.get("association") or "ALLIANCE")
    after = cursor_read(cursor) if cursor else None
    at = await position(house)
    query = register_view.search(
        on=on,
        name=search.get("name", ""),
        number=search.get("number", ""),
        category=search.get("category", ""),
        association=search.get("association", ""),
        after=after,
        limit=limit + 1,
    )
    rows = await house.readers.rows(*query)
    rows, following = cut(rows, limit, lambda last: (last["folded"], last["number"]))
    return [_listed(row, on) for row in rows], following, at


async def rsc_providers(
    house: House, search: Mapping[str, str], limit: int, cursor: str
) -> tuple[list[dict[str, Any]], str, int]:
    """A page of the providers of RSC who let themselves be listed; each is judged again from the events."""
    on = today(house, search.get("association") or "ALLIANCE")
    at = await position(house)
    query = providers_view.listed(
        on=on,
        accepted=accepted_on(on, tuple(known_rows())),
        association=search.get("association", ""),
        language=search.get("language", ""),
        remote=search.get("remote", "") in ("true", "on"),
        after=cursor_read(cursor) if cursor else None,
        limit=limit + 1,
    )
    rows = await house.readers.rows(*query)
    rows, following = cut(rows, limit, lambda last: (last["folded"], last["number"]))
    shown = []
    for row in rows:
        judged = await house.wait_for(house.registry.rsc_provider, row["number"], today(house, row["association"]))
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


async def queue(house: House, association: str) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """What waits for an association: applications, transfers in and out, and questions to settle."""
    at, on = await position(house), today(house, association)
    open_ = await house.readers.rows(*applications.queue(association, states=_OPEN, limit=_MOST))
    moving = await house.readers.rows(*transfers.inbox(association, limit=_MOST))
    asked = await house.readers.rows(*tasks.waiting(association, limit=_MOST))
    raters = await house.readers.rows(*references.waiting(association, on, limit=_MOST))
    load = await house.readers.rows(*tasks.load(association))
    if association == "ALLIANCE":
        appeals = await house.readers.rows(*applications.appeals(_MOST))
        open_ += [row for row in appeals if row["association"] != association]
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
        "to_decide": [_waiting_transfer(row, on) for row in await _to_decide(house, association)],
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


async def _to_decide(house: House, association: str) -> Sequence[Mapping[str, Any]]:
    """The Alliance's desk: disputes, and cases without a word in 14 days, of all associations."""
    return await house.readers.rows(*transfers.desk(_MOST)) if association == ALLIANCE else []


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
