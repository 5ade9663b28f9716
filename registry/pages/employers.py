"""The pages of employers: what they follow, how it stands, and how they are told."""

import uuid
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from domain.access import Actor, Thing, allowed, check
from domain.employer import Employer
from domain.errors import Invalid
from registry.api import employers
from registry.api.deeds import BY_NAME
from registry.api.house import House
from registry.commands.employers import thing_of_employer
from registry.pages import forms
from registry.pages.forms import Typed
from registry.pages.render import page

_AT_ONCE: Final = 50


async def see_employers(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    own = actor.association if actor.role == "coordinator" else ""
    check(actor, "see_employer", Thing(association=own))
    answer = await employers.see_employers(house, request, actor)
    admit = BY_NAME["admit_employer"]
    form = None
    if allowed(actor, admit.access, Thing(association=own)):
        form = forms.make(actor, admit, {}, typed=typed)
        if own:
            form = form._replace(fields=[field for field in form.fields if field.name != "association"])
    return page(
        house.settings, request, "employers.html", rows=answer.value["employers"], form=form,
        status=422 if typed else 200,
    )  # fmt: skip


async def employer(house: House, request: HttpRequest, actor: Actor, typed: Typed | None = None) -> Response:
    found, rule, _ = await employers.employer_of(house, actor, request.path_params["employer"])
    thing = thing_of_employer(found)
    shown = await employers.employer_shown(house, found, rule)
    watched: dict[str, Any] | None = None
    if allowed(actor, "see_followed", thing):
        watched = await _watched(house, request, found)
    return page(
        house.settings, request, "employer.html", shown=shown, watched=watched, changes=CHANGES,
        forms=forms.for_employer(actor, thing, found, typed), status=422 if typed else 200,
    )  # fmt: skip


async def _watched(house: House, request: HttpRequest, found: Employer) -> dict[str, Any]:
    asked, wrong, following = request.query_params.get("standing", ""), "", ""
    rows: list[dict[str, Any]] = []
    try:
        rows, following = await employers.followed(
            house, found, asked, request.query_params.get("cursor", ""), _AT_ONCE
        )
    except Invalid as refused:
        wrong = refused.message
    query = {name: value for name, value in (("standing", asked), ("cursor", following)) if value}
    told = await employers.newest(house, found)
    return {
        "rows": rows, "asked": asked, "wrong": wrong, "standings": employers.STANDINGS,
        "following": urlencode(query) if following else "",
        "once": {row["number"]: str(uuid.uuid4()) for row in rows},
        "told": [(alert, employers.association_name(alert.known.association)) for alert in told],
        "paged": "cursor" in request.query_params,
    }  # fmt: skip


CHANGES: Final[dict[str, str]] = {
    "awarded": "Awarded", "recorded": "Recorded", "renewed": "Renewed", "lapsed": "Lapsed", "inactive": "Made inactive",
    "reactivated": "Active again", "emeritus": "Emeritus", "reinstated": "Reinstated", "suspended": "Suspended",
    "suspension_lifted": "Suspension lifted", "removed": "Removed", "withdrawn": "Withdrawn by the holder",
    "add_on_granted": "Add-on granted", "add_on_ended": "Add-on ended",
    "converted": "Converted from a retired category", "corrected": "Corrected",
    "transferred": "Moved to another association",
}  # fmt: skip
"""What happened, for a reader."""
