"""Milliseconds of a pass forward and back through a structural model, beside the same model written node by node in PyTorch.

    python bench_structural_pass.py [--rows 10000] [--hidden 16]

Two kinds of pass. In training, every mechanism predicts its variable from its parents in all rows, the gradients of the squared errors go back to the
parameters, and Adam takes a step (PyTorch's is the fused one; what the engine's `fit` does once is shared out among 100 steps). Under do(), all
variables are computed from noise with x0 set, one after the other, and the gradient of the mean of the last one goes back to the value that x0
was set to, through every mechanism between; parameters get none.

Both have the same graph (parents drawn at random) and widths, float32 networks, the same number of threads, and take turns; medians. The last
lines hold the variables and double the edges: time should follow the edges.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from causal_engine import Graph, Mechanism, StructuralModel, get_threads
from causal_engine._arrays import address
from causal_engine._bindings import library

Array = NDArray[np.float64]
STEPS = {"engine": 100, "PyTorch": 10}      # that a training takes at a time


def drawn(variables: int, parents: int, rng: np.random.Generator) -> list[list[int]]:
    """Parents of each variable among those before it."""
    return [sorted(rng.choice(child, min(child, parents), replace=False).tolist()) for child in range(variables)]


def described(parents: list[list[int]]) -> tuple[Graph, list[str]]:
    names = [f"x{k}" for k in range(len(parents))]
    return Graph([(names[p], names[child]) for child, given in enumerate(parents) for p in given], variables=names), names


def mechanism(hidden: int) -> Mechanism:
    return Mechanism("additive", hidden=(hidden,), activation="relu")


def networks(parents: list[list[int]], hidden: int) -> list[nn.Module | None]:
    return [nn.Sequential(nn.Linear(len(given), hidden), nn.ReLU(), nn.Linear(hidden, 1)) if given else None for given in parents]


def engine_training(parents: list[list[int]], data: Array, hidden: int) -> Callable[[], None]:
    graph, _ = described(parents)

    def run() -> None:
        model = StructuralModel(graph, mechanism(hidden), seed=0)
        model.fit(data, epochs=STEPS["engine"], batch_size=len(data), validation_fraction=0, progress=False)

    return run


def torch_training(parents: list[list[int]], data: Array, hidden: int) -> Callable[[], None]:
    nets = networks(parents, hidden)
    optimizer = torch.optim.Adam([p for net in nets if net for p in net.parameters()], lr=0.01, fused=True)
    x = torch.tensor(data, dtype=torch.float32)

    def run() -> None:
        for _ in range(STEPS["PyTorch"]):
            optimizer.zero_grad()
            loss = sum((net(x[:, parents[k]])[:, 0] - x[:, k]).square().mean() for k, net in enumerate(nets) if net)
            torch.autograd.backward(loss)
            optimizer.step()

    return run


def engine_under_do(parents: list[list[int]], rows: int, hidden: int) -> Callable[[], None]:
    graph, names = described(parents)
    data = np.random.default_rng(0).normal(size=(256, len(names)))
    model = StructuralModel(graph, mechanism(hidden), seed=0).fit(data, epochs=1, progress=False)
    scenario = model.do(x0=0.5)._scenario(rows, 0)
    gradient, answer = np.zeros((rows, len(names))), np.empty(1)
    gradient[:, -1] = 1 / rows

    def run() -> None:
        library.causal_structural_model_gradient(
            model._now().handle.address, scenario.handle.address, 0, 0, 0, address(gradient), *gradient.shape, address(answer), 1)

    return run


def torch_under_do(parents: list[list[int]], rows: int, hidden: int) -> Callable[[], None]:
    nets = [net and net.requires_grad_(False) for net in networks(parents, hidden)]
    residuals = torch.randn(256, len(parents))

    def run() -> None:
        value = torch.tensor(0.5, requires_grad=True)
        noise = residuals[torch.randint(256, (rows, len(parents))), torch.arange(len(parents))]
        x: list[torch.Tensor] = [value.expand(rows)]
        for k, net in enumerate(nets[1:], start=1):
            x.append(noise[:, k] if net is None else net(torch.stack([x[p] for p in parents[k]], 1))[:, 0] + noise[:, k])
        torch.autograd.backward(x[-1].mean())

    return run


def medians(runs: list[Callable[[], None]], turns: int) -> list[float]:
    """Milliseconds, each in turn."""
    times: list[list[float]] = [[] for _ in runs]
    for turn in range(turns + 1):
        for k, run in enumerate(runs):
            start = time.perf_counter()
            run()
            if turn >= 1:
                times[k].append(1e3 * (time.perf_counter() - start))
    return [statistics.median(each) for each in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--hidden", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(get_threads())
    print(f"a pass over {options.rows} rows, hidden width {options.hidden}, {get_threads()} threads; milliseconds\n")
    print(f"{'':>18}{'training':^30}{'under do()':^30}")
    print(f"{'variables':>10}{'edges':>8}" + 2 * f"{'engine':>10}{'PyTorch':>10}{'ratio':>10}")
    for variables, each in ((10, 2), (30, 2), (100, 2), (300, 2), (100, 4), (100, 8)):
        parents = drawn(variables, each, np.random.default_rng(variables))
        data = np.random.default_rng(0).normal(size=(options.rows, variables))
        training = medians([engine_training(parents, data, options.hidden), torch_training(parents, data, options.hidden)], turns=5)
        under_do = medians([engine_under_do(parents, options.rows, options.hidden), torch_under_do(parents, options.rows, options.hidden)], turns=15)
        pairs = [[milliseconds / steps for milliseconds, steps in zip(training, STEPS.values())], under_do]
        print(f"{variables:10}{sum(map(len, parents)):8}" + "".join(f"{ours:10.1f}{theirs:10.1f}{theirs / ours:10.1f}" for ours, theirs in pairs), flush=True)


if __name__ == "__main__":
    main()
