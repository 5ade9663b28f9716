"""What fixtures and the random runs stand on: the template's name, its address, a key, a clock that is moved."""

from datetime import date, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

TEMPLATE = "registry_template"
MASTER_KEY = bytes(range(32))


def address(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


class MovingClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    @property
    def today(self) -> date:
        return self.now.date()

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)

    def set(self, now: datetime) -> None:
        self.now = now
