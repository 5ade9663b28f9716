"""The associations as they are on record now, and whose endorsements have to change custody with them."""

from datetime import date
from typing import ClassVar, Final

from domain.association import Association
from domain.event import Event
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class AssociationRow(Row):
    """`took_over_on`: the day as of which its people passed to it from the Alliance."""

    table: ClassVar[str] = "associations"
    key: ClassVar[tuple[str, ...]] = ("code",)
    found_by: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    jurisdiction: str
    name: str
    abbreviation: str
    zone: str
    licence: str
    licence_since: date
    admitted_on: date
    took_over_on: date | None = None


def change(rows: Rows, event: Event, position: int) -> None:  # noqa: ARG001 # every view's shape
    code, table = name_of(event), rows[AssociationRow]
    match event:
        case Association.Admitted():
            table.put(
                AssociationRow(
                    code, event.jurisdiction, event.name, event.abbreviation, event.zone, event.licence, event.on,
                    event.on,
                )
            )  # fmt: skip
        case Association.Renamed():
            row = table.change(code)
            row.name, row.abbreviation = event.name, event.abbreviation
        case Association.LicenceGranted():
            _license(rows, code, event.licence, event.on)
        case Association.LicenceSuspended():
            _license(rows, code, "suspended", event.on)
        case Association.LicenceResumed():
            _license(rows, code, "endorsement", event.on)
        case Association.LicenceEnded():
            _license(rows, code, "ended", event.on)
        case Association.PeopleTakenOver():
            table.change(code).took_over_on = event.on


def _license(rows: Rows, code: str, licence: str, since: date) -> None:
    row = rows[AssociationRow].change(code)
    row.licence, row.licence_since = licence, since


VIEW: Final = View(
    "associations",
    tables=(AssociationRow,),
    takes=(
        Association.Admitted, Association.Renamed, Association.LicenceGranted, Association.LicenceSuspended,
        Association.LicenceResumed, Association.LicenceEnded, Association.PeopleTakenOver,
    ),
    change=change,
)  # fmt: skip

# The span that has not ended is the last one; it knows the present custodian.
_CUSTODY_DUE = (
    "SELECT s.number FROM views.standing AS s JOIN views.associations AS a"
    " ON a.code = s.custodian AND a.licence = 'ended'"
    ' WHERE s.known_to IS NULL AND s.valid_to IS NULL AND s.number COLLATE "C" > %(after)s'
    " UNION"
    " SELECT s.number FROM views.standing AS s JOIN views.people AS p ON p.person = s.person"
    " JOIN views.associations AS a ON a.code = p.residence AND a.took_over_on IS NOT NULL"
    " WHERE s.custodian = 'ALLIANCE' AND s.known_to IS NULL AND s.valid_to IS NULL"
    ' AND s.number COLLATE "C" > %(after)s'
)
_NAMED = "SELECT number FROM (" + _CUSTODY_DUE + ') AS due ORDER BY number COLLATE "C" LIMIT %(limit)s'


_OPEN_APPLICATIONS = (
    "SELECT p.application FROM views.applications AS p JOIN views.associations AS a"
    " ON a.code = p.association AND a.licence = 'ended'"
    " WHERE p.state NOT IN ('approved', 'declined', 'withdrawn', 'expired')"
    ' AND p.application COLLATE "C" > %(after)s ORDER BY p.application COLLATE "C" LIMIT %(limit)s'
)


def left_applications(on: date, after: str = "", limit: int = 100) -> Query:  # noqa: ARG001 # as nightly rules ask
    """Open applications at associations without a licence."""
    return Query(_OPEN_APPLICATIONS, {"after": after, "limit": limit})


def custody_due(on: date, after: str = "", limit: int = 100) -> Query:  # noqa: ARG001 # as nightly rules ask
    """Numbers whose custodian has no licence any more, or whose holder's association took its people over."""
    return Query(_NAMED, {"after": after, "limit": limit})
