"""Arcs between variables that share a hidden cause: they take no part in the layout, and find their way around what it placed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ._graph_shapes import HEIGHT, Box, Curve, Point, head_at, middle, port

_AWAY = 3.0                                         # from a box that an arc passes
_BENDS = (0.7, -0.7, 1.1, -1.1, 1.6, -1.6, 2.4, -2.4, 4, -4, 7, -7)     # slopes at the ends, the flattest first
_LOOPS = (25, 40, 60, 90, 140)


def arc(boxes: Sequence[Box], first: int, second: int) -> Curve:
    """The flattest arc, with a head at both ends, that meets no other box, or as few as can be."""
    left, right = sorted((boxes[first], boxes[second]), key=lambda box: (box.x, box.y))
    others = [box for v, box in enumerate(boxes) if v not in (first, second)]
    return min(_arcs(left, right), key=lambda curve: _met(curve, others))      # the first of equals


def _arcs(left: Box, right: Box) -> Iterator[Curve]:
    if left.x < right.x:
        (x, y), (to_x, to_y) = middle(left, 1), middle(right, -1)
        straight = (to_y - y) / (to_x - x)
        for bend in _BENDS:
            out, back = straight + bend, straight - bend
            start, end = port(left, 1, out), port(right, -1, back)
            third = (end[0] - start[0]) / 3
            yield _curve(start, (third, third * out), end, (-third, -third * back))
    else:       # one above the other
        for loop in _LOOPS:
            for side in (1, -1) if loop < left.x - left.width / 2 else (1,):       # a picture begins at 0
                yield _curve(port(left, side, 0.5 * side), (loop * side, loop / 2),
                             port(right, side, -0.5 * side), (loop * side, -loop / 2))


def _curve(start: Point, out: Point, end: Point, back: Point) -> Curve:
    """The cubic whose control points lie by `out` beyond its start and by `back` beyond its end."""
    first_head, first = head_at(start, _against(out))
    head, last = head_at(end, _against(back))
    return Curve([first, (start[0] + out[0], start[1] + out[1]), (end[0] + back[0], end[1] + back[1]), last], head, False, first_head)


def _against(way: Point) -> Point:
    length = math.hypot(*way)
    return -way[0] / length, -way[1] / length


def _met(curve: Curve, boxes: Sequence[Box]) -> int:
    """How many of some points of the curve lie in or near a box."""
    a, b, c, d = curve.points
    met = 0
    for k in range(1, 24):
        t = k / 24
        weights = ((1 - t)**3, 3 * (1 - t)**2 * t, 3 * (1 - t) * t**2, t**3)
        x, y = (sum(weight * point[axis] for weight, point in zip(weights, (a, b, c, d))) for axis in (0, 1))
        met += any(math.hypot(max(abs(x - box.x) - (box.width - HEIGHT) / 2, 0), y - box.y) < HEIGHT / 2 + _AWAY for box in boxes)
    return met
