"""The digest of each day's readings of confidential data."""

from datetime import date

from domain import access
from domain.readings import Readings as Day
from registry.commands.shared import Shared


class Readings(Shared):
    """The digest of each day's readings of confidential data."""

    def digest_readings(self, day: str) -> bool:
        """Record the digest of a day (in UTC) that is over and has none yet; whether there was something to do."""
        if date.fromisoformat(day) >= self.clock().date() or self.store.find(Day, day):
            return False
        readings = Day(day)
        readings.digest(self.store.readings_of(date.fromisoformat(day)), on=self.clock().date(), by=access.OPERATOR.by)
        self.store.save(readings)
        return True
