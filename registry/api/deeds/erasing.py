"""The deeds on deaths, erasures, mergers and splits of people, as rows."""

from datetime import date
from typing import Any

from domain.event import LateReason
from domain.person import Demographics
from registry.api.deeds.rows import Body, Deed, P


class Death(Body, frozen=True):
    died_on: date


class Merger(Body, frozen=True):
    """`into` is the record that goes on; the one of the address is its duplicate."""

    into: str


class Splitting(Body, frozen=True):
    """`other` was merged into the record of the address."""

    other: str


class NewDemographics(Demographics, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What somebody volunteers of themselves; all of it optional."""

    on: date | None = None
    late: LateReason | None = None


def _told(body: NewDemographics) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (Demographics(**{name: getattr(body, name) for name in Demographics.__struct_fields__}),), {}


DEEDS: tuple[Deed, ...] = (
    Deed("report_death", f"{P}/deaths", "Report that they have died", Death, {"died_on": "2026-05-20"}),
    Deed("request_erasure", f"{P}/erasures", "Ask that everything personal of them be erased"),
    Deed("confirm_erasure", f"{P}/erasure-confirmations", "Confirm an erasure that somebody else asked for"),
    Deed("cancel_erasure", f"{P}/erasure-cancellations", "Cancel an erasure before it is carried out"),
    Deed("volunteer_demographics", f"{P}/demographics", "Say what you like of yourself, for workforce totals only",
         NewDemographics, {"race_ethnicity": ["hispanic_or_latino"], "languages": ["es", "en"]}, _told),
    Deed("withdraw_demographics", f"{P}/demographics-withdrawals", "Take back what you said of yourself"),
    Deed("merge_persons", f"{P}/mergers", "Merge this record into another one of the same person", Merger,
         {"into": "ovwgs3dpob2gszlomnsq"}),
    Deed("split_persons", f"{P}/splits", "Take a merger back: they are two people", Splitting,
         {"other": "ovwgs3dpob2gszlomnsq"}),
)  # fmt: skip
