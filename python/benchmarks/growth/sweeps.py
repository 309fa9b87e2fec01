"""What is varied, and over which range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sweep:
    """Points along one axis, as growth.point takes them."""

    axis: str
    network: str
    points: dict[int, dict[str, Any]]


def powers(base: int, first: int, last: int) -> list[int]:
    values = [first]
    while values[-1] * base <= last:
        values.append(values[-1] * base)
    return values


def sweeps(quick: bool) -> list[Sweep]:
    width, depth, batch, rows = (512, 8, 1_000, 10_000) if quick else (4_096, 64, 100_000, 10_000_000)
    return [
        Sweep("width", "16-[w,w]-1, 256 rows a step", {w: {"widths": [16, w, w, 1], "batch": 256} for w in powers(2, 16, width)}),
        Sweep("depth", "16-[64 x d]-1, 256 rows a step",
              {d: {"widths": [16, *[64] * d, 1], "batch": 256} for d in powers(2, 1, depth)}),
        Sweep("batch", "16-[64,64]-1", {n: {"widths": [16, 64, 64, 1], "batch": n} for n in powers(10, 1, batch)}),
        Sweep("rows", "3-[16,16]-1, streamed by 1,000", {n: {"widths": [3, 16, 16, 1], "batch": 1_000, "streamed": n}
                                                        for n in powers(10, 1_000, rows)}),
        Sweep("intervened units", "64-[256,256]-8, 256 rows a step; do() at layer 1",
              {k: {"widths": [64, 256, 256, 8], "batch": 256, "site": 1, "units": k} for k in [0, *powers(4, 1, 256)]}),
    ]
