"""A training step, from the figures of bench_speed.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .judge import Goal

# Network, rows, threads (None: each with as many as serve it best); microseconds; times faster than PyTorch's best and than JAX's scan.
STEPS = [
    ("3-[16,16]-1", 32, 1, 3, 150, 3),
    ("3-[16,16]-1", 800, None, 30, 550 / 30, 80 / 30),
    ("16-[64,64]-1", 256, None, 105, 577 / 105, 130 / 105),
    ("64-[256,256,256]-8", 256, 1, 2_700, 3_700 / 2_700, 3_250 / 2_700),
    ("512-[1024,1024]-64", 1024, 2, 54_000, 60 / 54, 69 / 54),
]
PYTORCH, SCAN = ("torch", "torch-fused", "torch-compile"), ("jax-scan",)
IN_A_LOOP = 0.6


def steps(run: Path) -> list[Goal]:
    if not run.is_file():
        return [Goal("a training step", "<=", 1, None, f"there is no {run}: bench_speed.py writes it")]
    rows = json.loads(run.read_text())["rows"]
    goals = []
    for network, batch, threads, microseconds, pytorch, scan in STEPS:
        name = f"{network}, {batch} rows" + (f", threads {threads}" if threads else "")
        here = [row for row in rows if (row["network"], row["batch"]) == (network, batch) and threads in (None, row["threads"])]
        engine = best(here, ("engine",))
        goals.append(Goal(f"a step, {name}: us", "<=", microseconds, engine and engine["median_us"], of_peak(engine)))
        for who, peers, wanted in (("PyTorch's best", PYTORCH, pytorch), ("JAX's scan", SCAN, scan)):
            goals.append(times_faster(f"a step, {name}: times faster than {who}", wanted, engine, best(here, peers)))
    here = [row for row in rows if (row["network"], row["batch"], row["threads"]) == ("3-[16,16]-1", 32, 1)]
    inside, own = best(here, ("engine-in-torch",)), best(here, PYTORCH)
    goals.append(Goal("a step in a torch loop, 3-[16,16]-1, 32 rows, threads 1: share of PyTorch's best", "<=", IN_A_LOOP,
                      inside["median_us"] / own["median_us"] if inside and own else None, "" if inside and own else "not in run.json"))
    return goals


def of_peak(engine: dict[str, Any] | None) -> str:
    if engine is None:
        return "not in run.json"
    share = engine["share_of_fma_peak"]
    return f"{share:.0%} of the arithmetic peak, which alone would take {share * engine['median_us']:.3g} us" if share else ""


def best(rows: list[dict[str, Any]], peers: tuple[str, ...]) -> dict[str, Any] | None:
    """The fastest of some peers."""
    return min((row for row in rows if row["peer"] in peers), key=lambda row: row["median_us"], default=None)


def times_faster(what: str, wanted: float, engine: dict[str, Any] | None, peer: dict[str, Any] | None) -> Goal:
    if engine is None or peer is None:
        return Goal(what, ">=", round(wanted, 2), None, "not in run.json")
    on_as_many = engine["threads"] == peer["threads"] and peer["times_the_engine"]        # then from within the turns
    return Goal(what, ">=", round(wanted, 2), on_as_many or peer["median_us"] / engine["median_us"], f"{peer['peer']}, {peer['median_us']:.1f} us")
