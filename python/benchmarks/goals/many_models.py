"""A thousand small networks that differ in their seeds, or in the rows they learn from too: trained as one call, beside a call for each."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

import numpy as np

from causal_engine import CausalMLP, fit_all, get_threads

from peers.problem import LEARNING_RATE, Problem

from .judge import Goal

MODELS, EPOCHS, TURNS = 1000, 4, 7
WANTED = 0.5            # of the time, on two cores
PROBLEM = Problem.named("3-[16,16]-1", 32, 25)
HOW = {"epochs": EPOCHS, "batch_size": PROBLEM.batch, "lr": LEARNING_RATE, "progress": False}

Models = list[CausalMLP]
Way = Callable[[Models, np.ndarray], object]


def seeds_alone(models: Models, _: np.ndarray) -> None:
    x, y, mask, values = PROBLEM.data
    for model in models:
        model.fit(x, y, {0: (mask, values)}, **HOW)


def seeds_together(models: Models, _: np.ndarray) -> None:
    x, y, mask, values = PROBLEM.data
    fit_all(models, x, y, {0: (mask, values)}, **HOW)


def bootstrap_alone(models: Models, rows: np.ndarray) -> None:
    x, y, mask, values = PROBLEM.data
    for model, mine in zip(models, rows):
        model.fit(x[mine], y[mine], {0: (mask[mine], values[mine])}, **HOW)


def bootstrap_together(models: Models, rows: np.ndarray) -> None:
    x, y, mask, values = PROBLEM.data
    fit_all(models, x, y, {0: (mask, values)}, rows=rows, **HOW)


def seconds(way: Way, rows: np.ndarray) -> tuple[float, Models]:
    """What the calls take, and the models that they trained, which were made before; so is what is due to the collector of garbage then."""
    models = [CausalMLP(3, [16, 16], 1, seed=seed) for seed in range(len(rows))]
    gc.collect()
    start = time.perf_counter()
    way(models, rows)
    return time.perf_counter() - start, models


def goal(name: str, alone: Way, together: Way, models: int, turns: int) -> Goal:
    rows = np.random.default_rng(0).integers(PROBLEM.rows, size=(models, PROBLEM.rows))
    times: dict[Way, list[float]] = {alone: [], together: []}
    for _ in range(turns):
        found = {}
        for way, taken in times.items():
            took, found[way] = seconds(way, rows)
            taken.append(took)
        for one, other in zip(found[alone], found[together]):
            if not all(map(np.array_equal, one.parameters(), other.parameters())):
                raise RuntimeError(f"{name}: a model that was trained with the others has other weights than one that was trained alone")
    one_by_one, as_one = (statistics.median(taken) for taken in times.values())
    remark = f"{1e3 * as_one:.0f}, {1e3 * one_by_one:.0f} ms, medians of {turns} turns of {EPOCHS * PROBLEM.batches} steps, threads {get_threads()}"
    return Goal(f"{models:,} models 3-[16,16]-1, {name}, as one call: share of {models:,} calls", "<=", WANTED, as_one / one_by_one, remark)


def many_models(quick: bool) -> list[Goal]:
    models, turns = (MODELS // 10, 3) if quick else (MODELS, TURNS)
    ways: dict[str, tuple[Way, Way]] = {"seeds": (seeds_alone, seeds_together), "bootstrap": (bootstrap_alone, bootstrap_together)}
    for way in (way for pair in ways.values() for way in pair):
        seconds(way, np.zeros((3, PROBLEM.rows), np.intp))      # a first time
    return [goal(name, alone, together, models, turns) for name, (alone, together) in ways.items()]
