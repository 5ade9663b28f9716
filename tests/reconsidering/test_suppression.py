"""Small groups: what is hidden can't be computed from what is shown."""

from itertools import product

import pytest

from registry.reconsider.suppression import LEAST, Cell, Table, suppressed

NAMES = "abcd"


def tables(rows: int, top: int):
    """Every table of so many groups of at most `top` people, or none, with every number of them kept out."""
    cells = [(people, out) for people in range(top + 1) for out in range(people + 1)]
    return [dict(zip(NAMES, table, strict=False)) for table in product(cells, repeat=rows)]


def published(table, least=LEAST):
    return suppressed({name: cell for name, cell in table.items() if cell[0]}, least)


def seen_through(shown: Table, names):
    """Which numbers are to be seen: of each group, and of everybody."""
    cells = [shown.rows.get(name) or Cell(None, None) for name in names] + [shown.total]
    return tuple((cell.considered is not None, cell.kept_out is not None) for cell in cells)


def seen(table, names, mask):
    """What is seen of a table through such a mask, whether it would have been published so or not."""
    cells = [table[name] for name in names]
    cells.append((sum(cell[0] for cell in cells), sum(cell[1] for cell in cells)))
    return tuple(number if open_ else None for cell, shown in zip(cells, mask, strict=True)
                 for number, open_ in zip(cell, shown, strict=True))  # fmt: skip


@pytest.mark.parametrize(("rows", "top", "least"), [(2, 9, 3), (3, 5, 2), (2, 12, 5)])
def test_no_hidden_number_can_be_computed_from_what_is_shown(rows, top, least):
    """By brute force: whoever subtracts what is shown from the totals is left with several numbers for each cell."""
    every = tables(rows, top)
    names = NAMES[:rows]
    masks = {}
    for table in every:
        mask = seen_through(published(table, least), names)
        masks.setdefault(mask, set()).add(seen(table, names, mask))
    for mask, answers in masks.items():
        possible = {}
        for table in every:
            if (answer := seen(table, names, mask)) in answers:
                possible.setdefault(answer, []).append(table)
        for answer, found in possible.items():
            for name, (people_seen, out_seen) in zip(names, mask, strict=False):
                people = {table[name][0] for table in found}
                out = {table[name][1] for table in found}
                stay = {table[name][0] - table[name][1] for table in found}
                if people == {0}:
                    continue  # nobody is in it: there is no number to hide
                assert people_seen or len(people) > 1, (answer, name)
                assert out_seen or (len(out) > 1 and len(stay) > 1), (answer, name)


def test_nothing_under_five_is_ever_shown():
    for table in tables(2, 11):
        shown = published(table)
        for cell in [*shown.rows.values(), shown.total]:
            assert cell.considered is None or cell.considered >= LEAST
            if cell.kept_out is not None:
                assert cell.considered is not None
                assert LEAST <= cell.kept_out <= cell.considered - LEAST


def test_large_groups_are_shown_as_they_are_and_one_small_one_takes_the_next_with_it():
    large = {"a": (40, 20), "b": (30, 10), "c": (20, 8)}
    assert suppressed(large) == Table({name: Cell(*cell) for name, cell in large.items()}, Cell(90, 38))

    small = suppressed(large | {"d": (12, 2)})
    assert small.rows == {"a": Cell(40, 20), "b": Cell(30, 10), "c": Cell(20, None), "d": Cell(12, None)}
    assert small.total == Cell(102, 40)

    tiny = suppressed(large | {"d": (1, 1)})
    assert tiny.rows == {"a": Cell(40, 20), "b": Cell(30, 10)}
    assert suppressed({}) == Table({}, Cell(None, None))
