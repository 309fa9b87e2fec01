"""Where the variables of a graph are drawn: in layers, causes before effects, with few crossings.

An edge over several layers becomes a chain of vertices, its variables and one bend in each layer between, which have places of
their own; so it never runs through a variable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ._graph_rows import APART, LayeredGraph

_MOST_BENDS = 5000      # a graph with more is a thicket anyway, and its long edges have none


class Layout(NamedTuple):
    """Layer and place of every vertex: of the variables, then of the bends.

    Attributes
    ----------
    layer
        From 0, along the edges.
    place
        Across; two variables of a layer are at least 1 apart.
    routes
        For each edge its vertices, from cause to effect, in layers that follow each other; only these two in a graph that would
        have thousands of bends.
    """

    layer: list[int]
    place: list[float]
    routes: list[list[int]]


def layout(count: int, edges: Sequence[tuple[int, int]]) -> Layout:
    """The layout of an acyclic graph; the same for the same graph. Parts without an edge between them lie below each other, the
    largest first, and variables without any edge in rows at the end."""
    layer = _layers(count, edges)
    bends_wanted = sum(layer[effect] - layer[cause] - 1 for cause, effect in edges)
    routes: list[list[int]] = []
    for cause, effect in edges:
        between = range(layer[cause] + 1, layer[effect]) if bends_wanted <= _MOST_BENDS else range(0)
        routes.append([cause, *range(len(layer), len(layer) + len(between)), effect])
        layer.extend(between)
    place = [0.0] * len(layer)
    floor = 0.0
    for part in _parts(count, routes):
        rows = LayeredGraph(count, layer, part)
        rows.order()
        places = rows.places()
        for vertex, at in places.items():
            place[vertex] = floor + at
        floor += max(places.values()) + APART
    alone = sorted(set(range(count)).difference(*routes))
    columns = max(max(layer) + 1, math.isqrt(max(0, len(alone) - 1)) + 1)
    for k, vertex in enumerate(alone):
        layer[vertex], place[vertex] = k % columns, floor + k // columns * APART
    return Layout(layer, place, routes)


def _parts(count: int, routes: Sequence[list[int]]) -> list[list[list[int]]]:
    """The routes of each connected part, the largest part first."""
    part = list(range(count))           # each variable points towards the one that stands for its part

    def representative(v: int) -> int:
        while part[v] != v:
            part[v] = v = part[part[v]]
        return v

    for route in routes:
        part[representative(route[0])] = representative(route[-1])
    parts: dict[int, list[list[int]]] = {}
    for route in routes:
        parts.setdefault(representative(route[0]), []).append(route)
    return sorted(parts.values(), key=len, reverse=True)


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The longest path to each variable, of which those with more effects than causes are then drawn towards their effects."""
    causes: list[list[int]] = [[] for _ in range(count)]
    effects: list[list[int]] = [[] for _ in range(count)]
    for cause, effect in edges:
        causes[effect].append(cause)
        effects[cause].append(effect)
    waiting = [len(of) for of in causes]
    order = [v for v in range(count) if not waiting[v]]
    layer = [0] * count
    for v in order:                 # grows meanwhile
        for w in effects[v]:
            layer[w] = max(layer[w], layer[v] + 1)
            waiting[w] -= 1
            if not waiting[w]:
                order.append(w)
    for v in reversed(order):
        if len(effects[v]) > len(causes[v]):
            layer[v] = min(layer[w] for w in effects[v]) - 1
    return layer
