"""What became of every certificate: folded from the events of the log, position by position, never from a view."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final, Literal

import msgspec
from psycopg import Connection

from domain.event import UNRECORDED
from registry.certificates import slots
from registry.certificates.slots import SLOTS, Slot
from verifier.verdict import Notice

Row = tuple[int, str, str, bytes]
"""Position, stream, topic, state."""

Standing = Literal["active", "lapsed", "inactive", "emeritus", "suspended", "removed", "archived", "erased"]

VALID, REVOKED, SUSPENDED, SUPERSEDED = range(4)

_ENDED: Final = frozenset({"removed", "archived", "erased"})
_HELD: Final = frozenset({"suspended", "inactive", "emeritus"})

# What an event makes of the standing; those of imports, liftings and corrections say it themselves, add-ons and a
# conversion leave it alone.
_STANDING_AFTER: Final[dict[str, Standing]] = {
    "endorsement.awarded": "active",
    "endorsement.renewed": "active",
    "endorsement.reactivated": "active",
    "endorsement.reinstated": "active",
    "endorsement.lapsed": "lapsed",
    "endorsement.made_inactive": "inactive",
    "endorsement.inactivity_ended": "lapsed",
    "endorsement.emeritus_granted": "emeritus",
    "endorsement.suspended": "suspended",
    "endorsement.removed": "removed",
    "endorsement.archived": "archived",
    "endorsement.ended_by_death": "archived",
}
TOPICS: Final = (
    *_STANDING_AFTER,
    "endorsement.imported",
    "endorsement.reported",
    "endorsement.suspension_lifted",
    "endorsement.add_on_granted",
    "endorsement.add_on_ended",
    "endorsement.converted",
    "endorsement.corrected",
    "endorsement.custody_transferred",
    "certificate.issued",
    "person.erased",
    "application.letter_issued",
    "application.approved",
    "application.declined",
    "application.withdrawn",
    "application.expired",
)

# The words of the notes are the verifier's. A holder who has the endorsement archived withdraws it:
# "removed" would say a sanction.
_REASON_OF_A_STANDING: Final = {"archived": "erased"}
_RENEWED: Final = "renewed"
_TRANSFERRED: Final = "transferred"
_CORRECTED: Final = "corrected"
_REASON_OF_A_NEW_CERTIFICATE: Final = {
    "renewed": _RENEWED,
    "reinstated": _RENEWED,
    "transferred": _TRANSFERRED,
}
_LAST_ZONE: Final = timezone(timedelta(hours=-12))
"""Where a day ends last."""


class _Stands(msgspec.Struct):
    standing: Standing
    since: date
    through: date


class _Fact(msgspec.Struct):
    """Of any event above, only what decides a status."""

    on: date
    person: str = ""
    association: str = ""
    category: str = ""
    to: str = ""
    standing: Standing = "active"
    means: str = ""
    awarded_on: date | None = None
    through: date | None = None
    cti: str = ""
    why: str = ""
    expires_at: datetime = UNRECORDED
    newest: _Stands | None = None
    recorded: _Stands | None = None


class _Certificate(msgspec.Struct):
    slots: list[Slot]
    category: str
    association: str
    through: date
    expires_at: datetime
    replaced_on: date | None = None
    replaced_because: str = ""


class _Case(msgspec.Struct):
    """One endorsement, as far as its certificates are concerned.

    Facts are judged by their day, as the endorsement itself judges them: `standing` and `through` are those of the
    newest day, of two facts of one day those of the later one. `recorded`: those of the fact that was recorded last.
    """

    association: str = ""
    moved_on: date = date.min
    category: str = ""
    corrected_on: date = date.min
    standing: Standing = "active"
    since: date = date.min
    through: date = date.max
    recorded: tuple[Standing, date] = ("active", date.max)
    inactive_too_long: bool = False
    certificates: dict[str, _Certificate] = {}

    def take(self, topic: str, fact: _Fact) -> None:  # noqa: C901 # one case for each topic
        standing = _STANDING_AFTER.get(topic, fact.standing)
        match topic:
            case "endorsement.awarded":
                self.association, self.category = fact.association, fact.category
                self.stand(fact.on, standing, fact.through)
            case "endorsement.imported":
                self.association, self.category = fact.association, fact.category
                self.stand(fact.awarded_on or fact.on, "active", fact.through)
                if standing != "active":
                    self.stand(self._going_on(fact.on), standing)
            case "endorsement.reported":
                if fact.category and fact.category != self.category:
                    self.category, self.corrected_on = fact.category, fact.on
                on = self._going_on(fact.on) if fact.means == "renewal" else fact.on
                self.stand(on, standing, fact.through)
            case "endorsement.add_on_granted" | "endorsement.add_on_ended":
                self.stand(fact.on, self.recorded[0])
            case "endorsement.converted":
                self.category, self.corrected_on = fact.to, fact.on
                self.stand(fact.on, self.recorded[0])
            case "endorsement.inactivity_ended":
                self.stand(fact.on, standing)
                self.inactive_too_long = True
            case "endorsement.corrected" if fact.newest and fact.recorded:
                self.recorded = fact.recorded.standing, fact.recorded.through
                if self.standing not in _ENDED:
                    self.standing, self.since = fact.newest.standing, fact.newest.since
                    self.through = fact.newest.through
            case "endorsement.custody_transferred":
                self.association, self.moved_on = fact.to, fact.on
            case _:
                self.stand(fact.on, standing, fact.through)

    def _going_on(self, on: date) -> date:
        """That day, or the one after the last good day where that comes first: what is reported late begins there."""
        _, through = self.recorded
        return through + timedelta(days=1) if through < on else on

    def stand(self, on: date, standing: Standing, through: date | None = None) -> None:
        through = through or self.recorded[1]
        self.recorded = standing, through
        if self.standing in _ENDED:
            return  # nothing brings these back, whatever a later file reports
        if standing in _ENDED or on >= self.since:
            self.standing, self.since, self.through = standing, on, through

    def replaced(self, certificate: _Certificate) -> tuple[date, str] | None:
        """Since when and why another certificate stands for this one, or has to be made for it."""
        if certificate.replaced_on:
            return certificate.replaced_on, certificate.replaced_because
        if certificate.association != self.association:
            return self.moved_on, _TRANSFERRED
        if self.category and certificate.category != self.category:
            return self.corrected_on, _CORRECTED
        return None

    def replaced_because(self, certificate: _Certificate) -> str:
        replaced = self.replaced(certificate)
        return replaced[1] if replaced else ""

    def status(self, certificate: _Certificate) -> int:
        if self.standing in _ENDED:
            return REVOKED
        if self.standing in _HELD:
            return SUSPENDED
        if self.replaced(certificate):
            return SUPERSEDED
        # A lapse by the last good day leaves the list alone, the expiry says it. One before it, or a last good day
        # that moved nearer, is a correction the certificate can't know.
        lapsed_before = self.standing == "lapsed" and self.since <= certificate.through
        return SUSPENDED if lapsed_before or self.through < certificate.through else VALID

    def notice(self, certificate: _Certificate, status: int, now: datetime) -> Notice:
        standing = "erased" if self.standing == "archived" else self.standing
        if standing == "active" and now.astimezone(_LAST_ZONE).date() > self.through:
            standing = "lapsed"  # by its day, whether or not the event is there yet
        replaced = self.replaced(certificate)
        if status == SUPERSEDED and replaced:
            on, reason = replaced
        elif self.standing in _ENDED or self.standing in _HELD:
            on, reason = self.since, _REASON_OF_A_STANDING.get(self.standing, self.standing)
        else:
            too_long = self.inactive_too_long and self.standing == "lapsed"
            on, reason = self.since, "inactive" if too_long else _CORRECTED
        return Notice(reason, on.isoformat(), standing, self.association)


class Statuses:
    """The statuses after the events up to `position`; built again from the log at every start."""

    def __init__(self, slot_key: bytes) -> None:
        self.position = 0
        self._slot_key = slot_key
        self._cases: dict[str, _Case] = {}
        self._of_person: dict[str, list[str]] = {}
        self._erased: dict[str, date] = {}
        self._statuses: dict[int, dict[int, int]] = {}
        self._certificates: dict[int, dict[int, tuple[_Case, _Certificate]]] = {}
        self._revoked: dict[int, set[int]] = {}
        self._letters: dict[str, list[Slot]] = {}
        """Of each application those that are good still."""
        self._letters_of: dict[str, list[str]] = {}
        self._stale: set[int] = set()
        self._stale_notes: set[int] = set()
        self._stale_badges: set[int] = set()
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

    def take_stale(self) -> tuple[set[int], set[int], set[int]]:
        """The lists, the notes, and the lists of badges, that are different since this was last asked."""
        stale = self._stale, self._stale_notes, self._stale_badges
        self._stale, self._stale_notes, self._stale_badges = set(), set(), set()
        return stale

    def badges_revoked(self, number: int) -> set[int]:
        """The places of a list whose badge was ever not good: who reads badges knows no way back from there.

        A badge whose certificate was renewed is left to its own end.
        """
        return self._revoked.get(number, set())

    def of_list(self, number: int) -> dict[int, int]:
        """Of a list, by index, every status but 0."""
        return self._statuses.get(number, {})

    def notes(self, number: int, now: datetime) -> dict[int, Notice]:
        """Why the unexpired certificates of a list are no longer good, and where the endorsement stands now."""
        certificates = self._certificates.get(number, {})
        notes: dict[int, Notice] = {}
        for index, status in self.of_list(number).items():
            if index not in certificates:
                continue  # a letter: that it has ended says all
            case, certificate = certificates[index]
            if certificate.expires_at >= now:
                notes[index] = case.notice(certificate, status, now)
        return notes

    def _take(self, position: int, stream: str, topic: str, fact: _Fact) -> None:
        if topic == "person.erased":
            person = stream.partition("/")[2]
            self._erased.setdefault(person, fact.on)
            for endorsement in self._of_person.get(person, ()):
                self._cases[endorsement].stand(fact.on, "erased")
                self._settle(self._cases[endorsement])
            for application in self._letters_of.get(person, ()):
                self._end_letters(application)
            return
        if stream.startswith("application/"):
            self._take_letter(position, stream, topic, fact)
            return
        case = self._cases.setdefault(stream, _Case())
        if topic == "certificate.issued":
            self._issue(case, slots.slot(position - 1, self._slot_key), fact)
        else:
            case.take(topic, fact)
            if fact.person:
                self._of_person.setdefault(fact.person, []).append(stream)
                if fact.person in self._erased:
                    case.stand(self._erased[fact.person], "erased")
        self._settle(case)

    def _take_letter(self, position: int, stream: str, topic: str, fact: _Fact) -> None:
        if topic != "application.letter_issued":
            self._end_letters(stream)
            return
        person = fact.person.removeprefix("person/")
        self._letters_of.setdefault(person, []).append(stream)
        self._letters.setdefault(stream, []).append(slots.slot(position - 1, self._slot_key))
        if person in self._erased:
            self._end_letters(stream)

    def _end_letters(self, application: str) -> None:
        """Decided, withdrawn, expired, or its applicant forgotten: none of its letters is good any more."""
        for slot in self._letters.pop(application, ()):
            self._statuses.setdefault(slot.list, {})[slot.place] = REVOKED
            self._stale.add(slot.list)

    def _issue(self, case: _Case, slot: Slot, fact: _Fact) -> None:
        case.association = case.association or fact.association
        certificate = case.certificates.get(fact.cti)
        if certificate is None:
            for older in case.certificates.values():
                if not older.replaced_on:
                    older.replaced_on = fact.on
                    older.replaced_because = _REASON_OF_A_NEW_CERTIFICATE.get(fact.why, _CORRECTED)
            certificate = case.certificates[fact.cti] = _Certificate(
                slots=[],
                category=fact.category.partition("+")[0],
                association=fact.association,
                through=fact.through or date.max,
                expires_at=fact.expires_at,
            )
        certificate.slots.append(slot)
        self._certificates.setdefault(slot.list, {})[slot.place] = case, certificate

    def _settle(self, case: _Case) -> None:
        """Write the case down on every list that names one of its certificates."""
        for certificate in case.certificates.values():
            status = case.status(certificate)
            spent = status != VALID and (status != SUPERSEDED or case.replaced_because(certificate) != _RENEWED)
            for slot in certificate.slots:
                statuses = self._statuses.setdefault(slot.list, {})
                before = statuses.pop(slot.place, VALID)
                if status != VALID:
                    statuses[slot.place] = status
                if status != before:
                    self._stale.add(slot.list)
                if spent and slot.place not in self._revoked.setdefault(slot.list, set()):
                    self._revoked[slot.list].add(slot.place)
                    self._stale_badges.add(slot.list)
                if status != VALID or before != VALID:
                    self._stale_notes.add(slot.list)


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
