"""`known`, as it is asked everywhere: a position of the history, a time, or a day."""

from datetime import UTC, date, datetime, time

from domain.errors import Invalid

_POSITION_DIGITS = 18  # of a bigint


def read_known(text: str, now: datetime) -> int | datetime:
    """A position, a time (UTC where it does not say), or a day to its end in UTC, today as far as it has come.

    Raises Invalid for what is none of them, or still to come.
    """
    if text.isdecimal() and len(text) <= _POSITION_DIGITS:
        return int(text)
    try:
        if len(text) == len("2026-06-30"):
            day = date.fromisoformat(text)
            return now if day == now.astimezone(UTC).date() else _past(text, datetime.combine(day, time.max, UTC), now)
        at = datetime.fromisoformat(text.replace(" ", "+"))  # a plus in an address
    except ValueError:
        raise Invalid("Give a position like 4711, a time like 2026-06-30T12:00:00Z, or a day.", field="known") from None
    try:
        return _past(text, at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC), now)
    except OverflowError:
        raise Invalid("Give a time of this registry's life.", field="known") from None


def _past(text: str, at: datetime, now: datetime) -> datetime:
    if at > now:
        raise Invalid(f"{text} is in the future: nothing is known of then.", field="known")
    return at
