"""Milliseconds of a pass forward and back through a structural model, beside the same model written node by node in PyTorch.

    python bench_structural_pass.py [--rows 10000] [--hidden 16]

A pass computes all variables from noise under do(x0 = v) and takes the gradient of the mean of the last one back to v, through every mechanism
between; parameters get none. Both have the same graph (two parents a variable, drawn at random) and widths, float32 networks, the same
number of threads, and take turns; medians. The second table holds the variables and doubles the edges: time should follow the edges.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from causal_engine import Graph, Mechanism, StructuralModel, get_threads
from causal_engine._arrays import address
from causal_engine._bindings import library


def drawn(variables: int, parents: int, rng: np.random.Generator) -> list[list[int]]:
    """Parents of each variable among those before it."""
    return [sorted(rng.choice(child, min(child, parents), replace=False).tolist()) for child in range(variables)]


def engine(parents: list[list[int]], rows: int, hidden: int) -> Callable[[], None]:
    names = [f"x{k}" for k in range(len(parents))]
    graph = Graph([(names[p], names[child]) for child, given in enumerate(parents) for p in given], variables=names)
    data = np.random.default_rng(0).normal(size=(256, len(names)))
    model = StructuralModel(graph, Mechanism("additive", hidden=(hidden,), activation="relu"), seed=0).fit(data, epochs=1, progress=False)
    scenario = model.do(x0=0.5)._scenario(rows, 0)
    gradient, answer = np.zeros((rows, len(names))), np.empty(1)
    gradient[:, -1] = 1 / rows

    def run() -> None:
        library.causal_structural_model_gradient(
            model._now().handle.address, scenario.handle.address, 0, 0, 0, address(gradient), *gradient.shape, address(answer), 1)

    return run


def written(parents: list[list[int]], rows: int, hidden: int) -> Callable[[], None]:
    nets = [nn.Sequential(nn.Linear(len(given), hidden), nn.ReLU(), nn.Linear(hidden, 1)).requires_grad_(False) if given else None for given in parents]
    residuals = torch.randn(256, len(parents))

    def run() -> None:
        value = torch.tensor(0.5, requires_grad=True)
        noise = residuals[torch.randint(256, (rows, len(parents))), torch.arange(len(parents))]
        x: list[torch.Tensor] = [value.expand(rows)]
        for k, net in enumerate(nets[1:], start=1):
            x.append(noise[:, k] if net is None else net(torch.stack([x[p] for p in parents[k]], 1))[:, 0] + noise[:, k])
        x[-1].mean().backward()

    return run


def medians(runs: list[Callable[[], None]], turns: int = 15) -> list[float]:
    """Milliseconds, each in turn."""
    times: list[list[float]] = [[] for _ in runs]
    for turn in range(turns + 2):
        for k, run in enumerate(runs):
            start = time.perf_counter()
            run()
            if turn >= 2:
                times[k].append(1e3 * (time.perf_counter() - start))
    return [statistics.median(each) for each in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--hidden", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(get_threads())
    print(f"a pass over {options.rows} rows, hidden width {options.hidden}, {get_threads()} threads; milliseconds\n")
    print(f"{'variables':>10}{'edges':>8}{'engine':>10}{'PyTorch':>10}{'ratio':>8}")
    for variables, each in ((10, 2), (30, 2), (100, 2), (300, 2), (100, 4), (100, 8)):
        parents = drawn(variables, each, np.random.default_rng(variables))
        ours, theirs = medians([engine(parents, options.rows, options.hidden), written(parents, options.rows, options.hidden)])
        print(f"{variables:10}{sum(map(len, parents)):8}{ours:10.1f}{theirs:10.1f}{theirs / ours:8.1f}", flush=True)


if __name__ == "__main__":
    main()
