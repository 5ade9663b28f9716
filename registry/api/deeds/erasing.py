"""The deeds on erasures, mergers and splits of people, as rows."""

from registry.api.deeds.rows import Body, Deed, P


class Merger(Body, frozen=True):
    """`into` is the record that goes on; the one of the address is its duplicate."""

    into: str


class Splitting(Body, frozen=True):
    """`other` was merged into the record of the address."""

    other: str


DEEDS: tuple[Deed, ...] = (
    Deed("merge_persons", f"{P}/mergers", "Merge this record into another one of the same person", Merger,
         {"into": "ovwgs3dpob2gszlomnsq"}),
    Deed("split_persons", f"{P}/splits", "Take a merger back: they are two people", Splitting,
         {"other": "ovwgs3dpob2gszlomnsq"}),
)  # fmt: skip
