"""Every certificate issued, at its position in the log, and which one took its place."""

from datetime import date, datetime
from typing import ClassVar, Final

from domain.endorsement import Endorsement
from domain.event import Event
from projections.rows import Row, Rows
from projections.view import Query, View, name_of


class CertificateRow(Row):
    """`position` is that of `certificate.issued` (leaf index + 1); `kid` signs; `superseded_by` a cti."""

    table: ClassVar[str] = "certificates"
    key: ClassVar[tuple[str, ...]] = ("position",)
    found_by: ClassVar[tuple[str, ...]] = ("number",)
    grouped_by: ClassVar[str] = "number"
    indexes: ClassVar[tuple[str, ...]] = ("(cti)", "(number)")

    position: int
    cti: str
    number: str
    version: int
    category: str
    association: str
    person: str
    person_version: int
    valid_from: datetime
    through: date
    expires_at: datetime
    issued_on: date
    why: str
    replaces: str | None
    kid: str | None = None
    superseded_by: str | None = None


def change(rows: Rows, event: Event, position: int) -> None:
    table = rows[CertificateRow]
    match event:
        case Endorsement.CertificateIssued() if not event.badge:
            for row in table.group(event.number):
                if row.cti == event.replaces != event.cti:
                    table.change(row.position).superseded_by = event.cti
            table.put(
                CertificateRow(
                    position=position,
                    cti=event.cti,
                    number=event.number,
                    version=event.originator_version,
                    category=event.category,
                    association=event.association,
                    person=event.person.partition("/")[2],
                    person_version=event.person_version,
                    valid_from=event.valid_from,
                    through=event.through,
                    expires_at=event.expires_at,
                    issued_on=event.on,
                    why=event.why,
                    replaces=event.replaces or None,
                )
            )
        case Endorsement.CertificateSigned():
            for row in table.group(name_of(event)):
                if row.cti == event.cti:
                    table.change(row.position).kid = event.kid


VIEW: Final = View(
    "certificates",
    tables=(CertificateRow,),
    takes=(Endorsement.CertificateIssued, Endorsement.CertificateSigned),
    change=change,
)

_COLUMNS: Final = (
    "position, cti, number, version, category, association, person, person_version, valid_from, through, expires_at,"
    " issued_on, why, replaces, kid, superseded_by"
)
_OF_NUMBER = "SELECT " + _COLUMNS + " FROM views.certificates WHERE number = %(number)s ORDER BY position DESC"
_ONE = "SELECT " + _COLUMNS + " FROM views.certificates WHERE cti = %(cti)s ORDER BY position DESC"


def of_number(number: str) -> Query:
    """All of an endorsement, the present one first."""
    return Query(_OF_NUMBER, {"number": number})


def of(cti: str) -> Query:
    """The certificate with this id, the latest issue first."""
    return Query(_ONE, {"cti": cti})
