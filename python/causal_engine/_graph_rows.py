"""The order and the places of vertices within the layers of a graph."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

APART, BENDS_APART = 1.0, 0.45      # least distances of two variables and of two bends

_TRIES = 6              # orders to start from; fewer where there are many vertices, which take their time
_SWEEPS = 8             # there and back, from each


class LayeredGraph:
    """The vertices on some routes in their layers, and their neighbours in the layer before and after. Vertices from `count` on are
    bends."""

    def __init__(self, count: int, layer: Sequence[int], routes: Sequence[list[int]]) -> None:
        self.count = count
        vertices = sorted({vertex for route in routes for vertex in route})
        rows: dict[int, list[int]] = {}
        for vertex in vertices:
            rows.setdefault(layer[vertex], []).append(vertex)
        self.rows = [rows[row] for row in sorted(rows)]
        self.before: dict[int, list[int]] = {vertex: [] for vertex in vertices}
        self.after: dict[int, list[int]] = {vertex: [] for vertex in vertices}
        for route in routes:
            for v, w in zip(route, route[1:]):
                if layer[w] == layer[v] + 1:
                    self.after[v].append(w)
                    self.before[w].append(v)
        self.rank: dict[int, int] = {}

    # ------------------------------------------------------------ the order within layers

    def order(self) -> None:
        """Orders the rows by sweeps of barycentres, from several beginnings; the one with the fewest crossings is kept."""
        given = [list(row) for row in self.rows]
        fewest, best = float("inf"), given
        for attempt in range(max(1, min(_TRIES, 3000 // len(self.before)))):
            # Beginnings that differ, and are the same every time: every row turned around, or by some steps.
            self.rows = [(row[::-1] if attempt % 2 else row)[attempt // 2 * k % len(row):] + (
                row[::-1] if attempt % 2 else row)[:attempt // 2 * k % len(row)] for k, row in enumerate(given)]
            self._rank_all()
            for sweep in range(_SWEEPS):
                self._sweep(sweep % 2 == 0)
                self._exchange()
                crossings = self.crossings()
                if crossings < fewest:
                    fewest, best = crossings, [list(row) for row in self.rows]
            if not fewest:
                break
        self.rows = best
        self._rank_all()

    def _rank_all(self) -> None:
        for row in self.rows:
            self._rank(row)

    def _rank(self, row: list[int]) -> None:
        for rank, vertex in enumerate(row):
            self.rank[vertex] = rank

    def _sweep(self, forward: bool) -> None:
        towards = self.before if forward else self.after
        for row in self.rows if forward else reversed(self.rows):
            rank = self.rank
            centre = {v: sum(rank[w] for w in towards[v]) / len(towards[v]) if towards[v] else rank[v] for v in row}
            row.sort(key=centre.__getitem__)
            self._rank(row)

    def _exchange(self) -> None:
        """Swaps neighbours in a row wherever that saves crossings."""
        improved = True
        while improved:
            improved = False
            for row in self.rows:
                for k in range(len(row) - 1):
                    v, w = row[k], row[k + 1]
                    if self._between(v, w) > self._between(w, v):
                        row[k], row[k + 1] = w, v
                        self.rank[v], self.rank[w] = k + 1, k
                        improved = True

    def _between(self, v: int, w: int) -> int:
        """Crossings of the edges of v with those of w if v stands before w."""
        return sum(self.rank[a] > self.rank[b] for of in (self.before, self.after) for a in of[v] for b in of[w])

    def crossings(self) -> int:
        total = 0
        for row in self.rows:
            passed: list[int] = []
            for v in row:
                ends = sorted(self.rank[w] for w in self.after[v])
                total += sum(len(passed) - bisect_right(passed, end) for end in ends)
                for end in ends:
                    insort(passed, end)
        return total

    # ------------------------------------------------------------ places across

    def places(self) -> dict[int, float]:
        """Places that keep the order and the distances, and make edges short: sweeps, of which each gives a row the best places
        for those of its neighbours. Long edges pull hardest where they have bends, which makes them straight."""
        place: dict[int, float] = {}
        offsets = [self._offsets(row) for row in self.rows]
        for row, offset in zip(self.rows, offsets):
            for v, at in zip(row, offset):
                place[v] = at - offset[-1] / 2
        for sweep in range(24):
            for k in range(len(self.rows)) if sweep % 2 == 0 else reversed(range(len(self.rows))):
                self._settle(self.rows[k], offsets[k], place)
        lowest = min(place.values())
        return {vertex: at - lowest for vertex, at in place.items()}

    def _offsets(self, row: list[int]) -> list[float]:
        """The least distances of the vertices of a row from its first."""
        offsets = [0.0]
        for v, w in zip(row, row[1:]):
            bends = (v >= self.count) + (w >= self.count)
            offsets.append(offsets[-1] + (APART, (APART + BENDS_APART) / 2, BENDS_APART)[bends])
        return offsets

    def _settle(self, row: list[int], offsets: list[float], place: dict[int, float]) -> None:
        # Without their offsets the places have to ascend, and the best ascending places are found by pooling: where two want to
        # pass each other they take their mean.
        pools: list[tuple[float, float, int]] = []     # place, weight, members
        for v, offset in zip(row, offsets):
            pulls = [(8.0 if v >= self.count and w >= self.count else 2.0 if v >= self.count or w >= self.count else 1.0, place[w])
                     for of in (self.before, self.after) for w in of[v]]
            weight = sum(pull for pull, _ in pulls) or 0.01
            at = sum(pull * to for pull, to in pulls) / weight if pulls else place[v]
            at, members = at - offset, 1
            while pools and pools[-1][0] > at:
                other, other_weight, others = pools.pop()
                at = (at * weight + other * other_weight) / (weight + other_weight)
                weight, members = weight + other_weight, members + others
            pools.append((at, weight, members))
        settled = [at for at, _, members in pools for _ in range(members)]
        for v, at, offset in zip(row, settled, offsets):
            place[v] = at + offset
