"""What pictures of graphs are made of, in points: boxes, and curves with heads."""

from __future__ import annotations

import math
from typing import NamedTuple

HEIGHT = 25.0       # of a box
FONT = 11.0
TIP = 7.5           # length of the head of an arrow

Point = tuple[float, float]


class Box(NamedTuple):
    """A variable: its middle, width, what is written on it, its whole name, and whether do() sets it."""

    x: float
    y: float
    width: float
    label: str
    name: str
    is_set: bool


class Curve(NamedTuple):
    """An edge: a start and the three points of each cubic, which end where the heads begin; the head at its end, and the one at its
    start that only a hidden common cause has; whether it is cut; what is written on it. An edge of unknown direction has no head."""

    points: list[Point]
    head: list[Point]
    is_cut: bool
    first_head: list[Point] | None = None
    label: str = ""

    @property
    def middle(self) -> Point:
        """Of its middle piece."""
        first = 3 * ((len(self.points) - 1) // 6)
        a, b, c, d = self.points[first:first + 4]
        return (a[0] + 3 * b[0] + 3 * c[0] + d[0]) / 8, (a[1] + 3 * b[1] + 3 * c[1] + d[1]) / 8


def port(box: Box, side: int, slope: float) -> Point:
    """Where an edge of this slope meets a box: on the half circle at its side, and at a right angle."""
    x, y = middle(box, side)
    length = side * math.hypot(1, slope)
    return x + HEIGHT / 2 / length, y + HEIGHT / 2 * slope / length


def middle(box: Box, side: int) -> Point:
    """Of that half circle."""
    return box.x + side * (box.width - HEIGHT) / 2, box.y


def head_at(tip: Point, along: Point) -> tuple[list[Point], Point]:
    """A head that ends at `tip`, and where its line ends: a little inside it, so that no gap shows."""
    base = (tip[0] - TIP * along[0], tip[1] - TIP * along[1])
    half = 0.4 * TIP
    head = [tip, (base[0] - half * along[1], base[1] + half * along[0]), (base[0] + half * along[1], base[1] - half * along[0])]
    return head, (base[0] + 0.5 * along[0], base[1] + 0.5 * along[1])
