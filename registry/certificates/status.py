"""What became of every certificate: folded from the events of the log, position by position, never from a view."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from psycopg import Connection

from domain.event import UNRECORDED
from registry.certificates import slots
from registry.certificates.slots import SLOTS, Slot
from verifier.verdict import Notice

Row = tuple[int, str, str, bytes]
"""Position, stream, topic, state."""

Standing = Literal["active", "lapsed", "inactive", "suspended", "removed", "archived", "erased"]

VALID, REVOKED, SUSPENDED, SUPERSEDED = range(4)

_ENDED: Final = frozenset({"removed", "archived", "erased"})
_HELD: Final = frozenset({"suspended", "inactive"})

# What an event makes of the standing; those of imports and liftings say it themselves.
_STANDING_AFTER: Final[dict[str, Standing]] = {
    "endorsement.awarded": "active",
    "endorsement.renewed": "active",
    "endorsement.reactivated": "active",
    "endorsement.reinstated": "active",
    "endorsement.lapsed": "lapsed",
    "endorsement.made_inactive": "inactive",
    "endorsement.suspended": "suspended",
    "endorsement.removed": "removed",
    "endorsement.archived": "archived",
}
_STANDING_STATED: Final = ("endorsement.imported", "endorsement.reported", "endorsement.suspension_lifted")
TOPICS: Final = (
    *_STANDING_AFTER,
    *_STANDING_STATED,
    "endorsement.custody_transferred",
    "certificate.issued",
    "person.erased",
)

# The words of the notes are the verifier's. A holder who has the endorsement archived withdraws it:
# "removed" would say a sanction.
_REASON_OF_A_STANDING: Final = {"archived": "erased"}
_REASON_OF_A_NEW_CERTIFICATE: Final = {
    "renewed": "renewed",
    "reinstated": "renewed",
    "transferred": "transferred",
}
_CORRECTED: Final = "corrected"


class _Fact(msgspec.Struct):
    """Of any event above, only what decides a status."""

    on: str
    person: str = ""
    association: str = ""
    to: str = ""
    standing: Standing = "active"
    cti: str = ""
    why: str = ""
    expires_at: datetime = UNRECORDED


class _Certificate(msgspec.Struct):
    slots: list[Slot]
    expires_at: datetime
    replaced_on: str = ""
    replaced_because: str = ""


class _Case(msgspec.Struct):
    """One endorsement, as far as its certificates are concerned."""

    association: str = ""
    standing: Standing = "active"
    since: str = ""
    certificates: dict[str, _Certificate] = {}

    @property
    def expires_at(self) -> datetime:
        *_, newest = self.certificates.values()
        return newest.expires_at


class Statuses:
    """The statuses after the events up to `position`; built again from the log at every start."""

    def __init__(self, slot_key: bytes) -> None:
        self.position = 0
        self._slot_key = slot_key
        self._cases: dict[str, _Case] = {}
        self._of_person: dict[str, list[str]] = {}
        self._statuses: dict[int, dict[int, int]] = {}
        self._certificates: dict[int, dict[int, tuple[_Case, _Certificate]]] = {}
        self._stale: set[int] = set()
        self._stale_notes: set[int] = set()
        self._decode = msgspec.json.Decoder(_Fact).decode

    @property
    def lists(self) -> int:
        """How many lists there are: one for every 131,072 events begun, and always one."""
        return max(self.position - 1, 0) // SLOTS + 1

    def advance(self, rows: Iterable[Row], position: int) -> None:
        """Take in the rows, all of our topics after the present position up to `position`, in order."""
        for at, stream, topic, state in rows:
            self._take(at, stream, topic, self._decode(state))
        self.position = position

    def take_stale(self) -> tuple[set[int], set[int]]:
        """The lists, and the notes, that are different since this was last asked."""
        stale = self._stale, self._stale_notes
        self._stale, self._stale_notes = set(), set()
        return stale

    def of_list(self, number: int) -> dict[int, int]:
        """Of a list, by index, every status but 0."""
        return self._statuses.get(number, {})

    def notes(self, number: int, now: datetime) -> dict[int, Notice]:
        """Why the unexpired certificates of a list are no longer good, and where the endorsement stands now."""
        certificates = self._certificates.get(number, {})
        notes: dict[int, Notice] = {}
        for index, status in self.of_list(number).items():
            case, certificate = certificates[index]
            if certificate.expires_at >= now:
                notes[index] = _notice(case, certificate, status, now)
        return notes

    def _take(self, position: int, stream: str, topic: str, fact: _Fact) -> None:
        if topic == "person.erased":
            for endorsement in self._of_person.get(stream.partition("/")[2], ()):
                _stand(self._cases[endorsement], "erased", fact.on)
                self._settle(self._cases[endorsement])
            return
        case = self._cases.setdefault(stream, _Case())
        if fact.person and topic != "certificate.issued":
            self._of_person.setdefault(fact.person, []).append(stream)
        case.association = fact.to or fact.association or case.association
        if topic == "certificate.issued":
            self._issue(case, slots.slot(position - 1, self._slot_key), fact)
        elif topic in _STANDING_STATED:
            _stand(case, fact.standing, fact.on)
        elif topic in _STANDING_AFTER:
            _stand(case, _STANDING_AFTER[topic], fact.on)
        self._settle(case)

    def _issue(self, case: _Case, slot: Slot, fact: _Fact) -> None:
        certificate = case.certificates.get(fact.cti)
        if certificate is None:
            for older in case.certificates.values():
                if not older.replaced_on:
                    older.replaced_on = fact.on
                    older.replaced_because = _REASON_OF_A_NEW_CERTIFICATE.get(fact.why, _CORRECTED)
            certificate = case.certificates[fact.cti] = _Certificate([], fact.expires_at)
        certificate.slots.append(slot)
        self._certificates.setdefault(slot.list, {})[slot.place] = case, certificate

    def _settle(self, case: _Case) -> None:
        """Write the case down on every list that names one of its certificates."""
        for certificate in case.certificates.values():
            if case.standing in _ENDED:
                status = REVOKED
            elif case.standing in _HELD:
                status = SUSPENDED
            else:
                status = SUPERSEDED if certificate.replaced_on else VALID
            for slot in certificate.slots:
                statuses = self._statuses.setdefault(slot.list, {})
                before = statuses.pop(slot.place, VALID)
                if status != VALID:
                    statuses[slot.place] = status
                if status != before:
                    self._stale.add(slot.list)
                if status != VALID or before != VALID:
                    self._stale_notes.add(slot.list)


def _stand(case: _Case, standing: Standing, on: str) -> None:
    if case.standing not in _ENDED:  # nothing brings these back, whatever a later file reports
        case.standing, case.since = standing, on


def _notice(case: _Case, certificate: _Certificate, status: int, now: datetime) -> Notice:
    standing = "erased" if case.standing == "archived" else case.standing
    if standing == "active" and case.expires_at < now:
        standing = "lapsed"  # by its day, whether or not the event is there yet
    if status == SUPERSEDED:
        return Notice(certificate.replaced_because, certificate.replaced_on, standing, case.association)
    reason = _REASON_OF_A_STANDING.get(case.standing, case.standing)
    return Notice(reason, case.since, standing, case.association)


_PAGE: Final = 5_000


def read(connection: Connection[Any], topics: Iterable[str], after: int, last: int) -> Iterator[Row]:
    """The events of these topics after one position up to another, in order."""
    wanted = list(topics)
    with connection.cursor(binary=True) as cursor:
        while True:
            cursor.execute(
                "SELECT notification_id, originator_id, topic, state FROM registry.events"
                " WHERE notification_id > %s AND notification_id <= %s AND topic = ANY(%s)"
                " ORDER BY notification_id LIMIT %s",
                (after, last, wanted, _PAGE),
            )
            rows: list[Row] = cursor.fetchall()
            yield from rows
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]
