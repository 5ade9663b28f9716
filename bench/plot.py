"""Draws cost against size, both axes logarithmic, as a plain SVG."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

WIDE, HIGH, EDGE, KEY = 860, 460, 70, 250
COLOURS = ("#1b6ca8", "#b3541e", "#3a7d44", "#7b3fa0", "#a8323e", "#4d4d4d", "#8a6d00")
DASHES = ("", "6 3", "2 3")


class Line(NamedTuple):
    """`points`: events, and what it cost in `unit`."""

    name: str
    unit: str
    points: Sequence[tuple[float, float]]


def drawn(lines: Sequence[Line]) -> str:
    across = [x for line in lines for x, _ in line.points]
    up = [y for line in lines for _, y in line.points if y > 0]
    left, right = floor(log10(min(across))), ceil(log10(max(across)))
    low, high = floor(log10(min(up))), ceil(log10(max(up)))

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            EDGE + (log10(x) - left) / (right - left) * (WIDE - EDGE - KEY),
            HIGH - EDGE - (log10(y) - low) / (high - low) * (HIGH - 2 * EDGE),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" role="img" font-size="13">',
        '<title>Cost against size</title><rect width="100%" height="100%" fill="#fff"/>',
    ]
    for power in range(left, right + 1):
        x, _ = place(10**power, 10**low)
        parts.append(f'<path d="M{x:.1f} {EDGE}V{HIGH - EDGE}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{HIGH - EDGE + 18}" text-anchor="middle">{10**power:,} events</text>')
    for power in range(low, high + 1):
        _, y = place(10**left, 10**power)
        parts.append(f'<path d="M{EDGE} {y:.1f}H{WIDE - KEY}" stroke="#ddd"/>')
        parts.append(f'<text x="{EDGE - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for n, line in enumerate(lines):
        colour, dash = COLOURS[n % len(COLOURS)], DASHES[n % len(DASHES)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line.points if point[1] > 0))
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        y = EDGE + 22 * n
        parts.append(
            f'<path d="M{WIDE - KEY + 14} {y}h24" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        parts.append(f'<text x="{WIDE - KEY + 44}" y="{y + 4}">{escape(f"{line.name}, {line.unit}")}</text>')
    return "\n".join([*parts, "</svg>", ""])
