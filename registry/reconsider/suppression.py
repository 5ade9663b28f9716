"""A table of small groups from which nobody can be told: cells under five are hidden, and what would give them away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec

LEAST = 5


class Cell(msgspec.Struct, frozen=True):
    """How many people there were, and how many of them a rule keeps out; None: hidden."""

    considered: int | None
    kept_out: int | None


class Table(msgspec.Struct, frozen=True):
    """Each person in one group. Groups too small to name are in none of the rows; `total` has everybody."""

    rows: dict[str, Cell]
    total: Cell


def suppressed(groups: Mapping[str, tuple[int, int]], least: int = LEAST) -> Table:
    """`groups`: of each one how many people there were and how many are kept out.

    A cell is hidden when it is under `least`, and so is a number of kept out when that of the others is (each gives
    the other away). Then the next smallest ones are hidden too, until two or more are, and what they add up to, which
    the totals tell, is no small number either.
    """
    names = sorted(groups)
    considered = {name: groups[name][0] for name in names}
    out = {name: groups[name][1] for name in names}
    stay = {name: considered[name] - out[name] for name in names}
    unnamed = _hidden(names, [considered], least, lambda name: considered[name])
    uncounted = _hidden(names, [out, stay], least, lambda name: min(out[name], stay[name]), unnamed)
    people, kept = sum(considered.values()), sum(out.values())
    return Table(
        {
            name: Cell(considered[name], None if name in uncounted else out[name])
            for name in names
            if name not in unnamed
        },
        Cell(
            None if people < least else people,
            None if kept < least or people - kept < least else kept,
        ),
    )


def _hidden(
    names: Collection[str],
    columns: Collection[Mapping[str, int]],
    least: int,
    size: Callable[[str], int],
    already: Collection[str] = (),
) -> set[str]:
    """The rows to hide: small ones, and the next smallest until what is hidden is no small number in any column."""
    hidden = {name for name in names if name in already or any(column[name] < least for column in columns)}
    if not hidden:
        return hidden
    left = sorted((name for name in names if name not in hidden), key=lambda name: (size(name), name))
    for name in left:
        if len(hidden) > 1 and all(sum(column[one] for one in hidden) >= least for column in columns):
            break
        hidden.add(name)
    return hidden
