"""A small aggregate for the tests of the store."""

from datetime import date
from typing import ClassVar

from domain.aggregate import Aggregate
from domain.event import Claims, Contact, Event, Identity

ON = date(2026, 6, 1)


class Case(Aggregate):
    """A case of one person: open cases are claimed, one per person."""

    kind: ClassVar[str] = "case"

    class Opened(Event, frozen=True):
        topic: ClassVar[str] = "test.case_opened"
        person: str

        def apply(self, case):
            case.person = self.person

        def claims(self):
            return Claims(take=(f"open_case/{self.person}",))

    class Counted(Event, frozen=True):
        topic: ClassVar[str] = "test.case_counted"
        hours: int = 0

        def apply(self, case):
            case.hours += self.hours

    class Closed(Event, frozen=True):
        topic: ClassVar[str] = "test.case_closed"
        person: str

        def claims(self):
            return Claims(release=(f"open_case/{self.person}",))

    def __init__(self, name):
        super().__init__(name)
        self.person = ""
        self.hours = 0

    def open(self, person, by="amy"):
        self.record(Case.Opened, on=ON, by=by, person=person)
        return self

    def count(self, hours=1, by="amy"):
        self.record(Case.Counted, on=ON, by=by, hours=hours)
        return self

    def close(self, by="amy"):
        self.record(Case.Closed, on=ON, by=by, person=self.person)
        return self


class Named(Event, frozen=True):
    topic: ClassVar[str] = "test.person_named"
    name: Identity
    email: Contact = ""


def named(name="Ana Núñez", email="ana@example.org", person="p1", version=1):
    return Named(originator_id=f"person/{person}", originator_version=version, on=ON, by="amy", name=name, email=email)
