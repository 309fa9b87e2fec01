"""A thousand small networks that differ in their seeds: what one call could save beside a thousand calls."""

from __future__ import annotations

import time

from causal_engine import CausalMLP

from peers.problem import LEARNING_RATE, Problem

from .judge import Goal

MODELS, EPOCHS = 1000, 4


def one_by_one(models: int) -> float:
    """Seconds that so many models take, each trained by a call of its own."""
    problem = Problem.named("3-[16,16]-1", 32, 25)
    x, y, mask, values = problem.data
    start = time.perf_counter()
    for seed in range(models):
        model = CausalMLP(3, [16, 16], 1, seed=seed)
        model.fit(x, y, {0: (mask, values)}, epochs=EPOCHS, batch_size=problem.batch, lr=LEARNING_RATE, progress=False)
    return time.perf_counter() - start


def many_models(quick: bool) -> list[Goal]:
    models = MODELS // 10 if quick else MODELS
    one_by_one(3)
    seconds = one_by_one(models)
    return [Goal(f"{models:,} models 3-[16,16]-1 trained as one call: share of {models:,} calls", "<=", 0.5, None,
                 f"Python has no such call (C has causal_trainer_run_all); {models:,} calls of {EPOCHS * 25} steps take {seconds:.2f} s")]
