"""A graph as a picture: boxes and curves, in points."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ._graph_arcs import arc
from ._graph_layout import layout
from ._graph_shapes import FONT, HEIGHT, TIP, Box, Curve, Point, head_at, middle, port

ROW, MARGIN = 37.0, 6.0     # from box to box, around everything
_STEEPEST = 1.2             # slope of an edge where it meets a box: so it keeps away from those beside


class Picture(NamedTuple):
    """What there is to draw; x is 0 to `width`, and y goes down from `top` to `bottom`."""

    width: float
    top: float
    bottom: float
    boxes: list[Box]
    curves: list[Curve]


def picture(
    names: Sequence[str], edges: Sequence[tuple[int, int]], cut: Collection[tuple[int, int]] = (), intervened: Collection[int] = (),
    confounded: Sequence[tuple[int, int]] = (), undirected: Sequence[tuple[int, int]] = (),
    notes: Mapping[tuple[int, int], str] | None = None,
) -> Picture:
    """Lays a graph out from left to right. `cut` are those of the edges that are drawn as cut, `confounded` the pairs that share a hidden
    cause, `undirected` those with an edge of unknown direction; `notes` are written on edges."""
    count, notes = len(names), notes or {}
    drawn = [*edges, *_towards_the_right(count, edges, undirected)]
    plan = layout(count, drawn)
    labels = [f"do({label(name)})" if v in intervened else label(name) for v, name in enumerate(names)]
    y = [ROW * place for place in plan.place]
    # A column is as wide as its widest label, and the gap after it the wider the more its edges climb.
    columns = max(plan.layer) + 1
    widths, gaps = [HEIGHT] * columns, [40.0] * columns
    for v in range(count):
        widths[plan.layer[v]] = max(widths[plan.layer[v]], text_width(labels[v]) + 16)
    for route in plan.routes:
        for v, w in zip(route, route[1:]):
            gaps[plan.layer[v]] = max(gaps[plan.layer[v]], 0.45 * abs(y[v] - y[w]))
    x, left = [], MARGIN
    for width, gap in zip(widths, gaps):
        x.append(left + width / 2)
        left += width + gap
    boxes = [Box(x[plan.layer[v]], y[v], widths[plan.layer[v]], labels[v], names[v], v in intervened) for v in range(count)]
    curves = []
    for number, (edge, route) in enumerate(zip(drawn, plan.routes)):
        bends = [(x[plan.layer[v]], y[v], widths[plan.layer[v]]) for v in route[1:-1]]
        is_arc = not bends and plan.layer[edge[1]] > plan.layer[edge[0]] + 1
        curve = _curve(boxes[edge[0]], bends, boxes[edge[1]], is_arc, edge in cut, number < len(edges))
        curves.append(curve._replace(label=notes.get(edge, notes.get((edge[1], edge[0]), ""))))
    for first, second in confounded:
        curves.append(arc(boxes, first, second))
    reach = [*y, *(at for curve in curves for _, at in curve.points)]       # a curve stays between its control points
    right = max([left - gaps[-1], *(at for curve in curves for at, _ in curve.points)])
    away = MARGIN + HEIGHT / 2
    return Picture(right + MARGIN, min(reach) - away, max(reach) + away, boxes, curves)


def _towards_the_right(
    count: int, edges: Sequence[tuple[int, int]], undirected: Sequence[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Edges of unknown direction in one that makes no cycle, so that they can be laid out."""
    if not undirected:
        return []
    unmet = [0] * count
    for _, effect in edges:
        unmet[effect] += 1
    place: dict[int, int] = {}
    while len(place) < count:
        ready = [v for v in range(count) if v not in place and not unmet[v]]
        for v in ready or [v for v in range(count) if v not in place]:
            place[v] = len(place)
        for cause, effect in edges:
            unmet[effect] -= cause in ready
    return [(a, b) if place[a] < place[b] else (b, a) for a, b in undirected]


def label(name: str) -> str:
    """A name on one short line."""
    line = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(name.split()))
    return line if len(line) <= 24 else f"{line[:23]}…"


def text_width(text: str) -> float:
    """About as wide as most fonts make it."""
    return FONT * sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.62 for c in text)


def _curve(cause: Box, bends: Sequence[tuple[float, float, float]], effect: Box, is_arc: bool, is_cut: bool, has_head: bool = True) -> Curve:
    """A smooth curve through bends, each the middle of a column and how wide that is; or an arc, so that a long edge without bends
    is not hidden behind what it passes."""
    knots = [middle(cause, 1), *((x, y) for x, y, _ in bends), middle(effect, -1)]
    knots = _level(knots, bends)
    first, last = _steepness(knots[0], knots[1]), _steepness(knots[-2], knots[-1])
    if len(knots) > 2:      # the end of a parabola
        first, last = 1.5 * first, 1.5 * last
    if is_arc:
        first, last = first - 1, last + 1
    first, last = (max(-_STEEPEST, min(_STEEPEST, end)) for end in (first, last))
    head, base = head_at(port(effect, -1, last), (1 / math.hypot(1, last), last / math.hypot(1, last)))
    knots[0], knots[-1] = port(cause, 1, first), base if has_head else port(effect, -1, last)
    slopes = [first, *(_slope(*three) for three in zip(knots, knots[1:], knots[2:])), last]
    points = [knots[0]]
    for k, (a, b) in enumerate(zip(knots, knots[1:])):
        third = (b[0] - a[0]) / 3
        points += [(a[0] + third, a[1] + third * slopes[k]), (b[0] - third, b[1] - third * slopes[k + 1]), b]
    return Curve(points, head if has_head else [], is_cut)


def _level(knots: list[Point], bends: Sequence[tuple[float, float, float]]) -> list[Point]:
    """The knots, but a bend that would climb too much within its column becomes a level piece as long as the column is wide, so
    that the edge keeps away from the boxes there."""
    levelled = knots[:1]
    for before, (x, y, width), after in zip(knots, bends, knots[2:]):
        climb = max(abs(_steepness(before, (x, y))), abs(_steepness((x, y), after))) * width / 2
        levelled += [(x, y)] if climb < HEIGHT / 4 else [(x - width / 2, y), (x + width / 2, y)]
    return [*levelled, knots[-1]]


def _steepness(a: Point, b: Point) -> float:
    return (b[1] - a[1]) / (b[0] - a[0])


def _slope(a: Point, b: Point, c: Point) -> float:
    """At b, so that a cubic overshoots nowhere: level where the curve turns, else the harmonic mean of both sides."""
    before, after = _steepness(a, b), _steepness(b, c)
    return 2 * before * after / (before + after) if before * after > 0 else 0.0
