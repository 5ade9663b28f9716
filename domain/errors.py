"""Refusals: what the domain says when something may not happen, and the facts behind it."""

from collections.abc import Sequence
from datetime import date
from typing import Any


class Refused(Exception):
    """Something may not happen. `code` is stable, `message` says what to do, `facts` are plain values."""

    code = "refused"

    def __init__(self, message: str, *, field: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.facts = facts


class NotFound(Refused):
    code = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no {what} here. Check the number or the address.")


class Forbidden(Refused):
    """The actor's role does not allow this on this object."""

    code = "forbidden"


class SignInAgain(Forbidden):
    """The deed can't be undone and takes a sign-in of the last minutes."""

    code = "sign_in_again"

    def __init__(self, deed: str) -> None:
        super().__init__(
            f"To {deed.replace('_', ' ')} can't be undone: leave, come in again by a new link, and repeat it within "
            "15 minutes.",
            deed=deed,
        )


class Invalid(Refused):
    """A field's value can't be what it says."""

    code = "invalid"


class OutOfTurn(Refused):
    """The case is in a state in which this can't be done; `can`: the deeds that are possible now.

    `others`: what is possible now too, but by somebody else, said in brackets.
    """

    code = "out_of_turn"

    def __init__(
        self, stream: str, *, state: str, needs: Sequence[str], can: Sequence[str], others: Sequence[str] = ()
    ) -> None:
        now = f" Possible now: {', '.join(can).replace('_', ' ')}." if can else ""
        now += f" By others: {', '.join(others).replace('_', ' ')}." if others else ""
        super().__init__(
            f"This is {state.replace('_', ' ')}; it would need to be {' or '.join(needs).replace('_', ' ')}.{now}",
            stream=stream,
            state=state,
            needs=list(needs),
            can=list(can),
        )


class RequirementsNotMet(Refused):
    """Requirements of an edition are missing; `facts["missing"]` lists each with have, need and source.

    `references`: those that were given and do not count; `facts["references"]` says why of each.
    """

    code = "requirements_not_met"

    def __init__(self, edition: str, missing: Sequence[Any], references: Sequence[Any] = ()) -> None:
        words = "; ".join(m.words() for m in missing)
        super().__init__(
            f"Still missing under edition {edition}: {words}.",
            edition=edition,
            missing=[m.as_dict() for m in missing],
        )
        if references:
            self.facts["references"] = [judged.as_dict() for judged in references]


class NotInForce(Refused):
    """No edition, category or association is in force for this on that day."""

    code = "not_in_force"

    def __init__(self, what: str, on: date) -> None:
        super().__init__(f"{what} was not in force on {on.isoformat()}.", on=on.isoformat())


class Taken(Refused):
    """A name that only one case may hold is held by another."""

    code = "taken"


class Conflict(Refused):
    """Somebody else changed this first; look again and repeat."""

    code = "conflict"
