"""Microseconds of one step of a PyTorch training loop (forward, mean squared error, backward, and Adam of torch.optim) with a
network of this engine as the module, beside the same network written in PyTorch with do() by torch.where.

    python bench_torch_loop.py [--seconds 1.0]

Both run in the same process on the same numbers, in turns; the figure is the best of the turns.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from bench_training import best
from torch import nn

from causal_engine import CausalMLP

Edits = dict[int, tuple[torch.Tensor, torch.Tensor]]


class Written(nn.Module):
    """The network in PyTorch's own layers."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.linear = nn.ModuleList(nn.Linear(*pair) for pair in zip(widths, widths[1:]))

    def forward(self, x: torch.Tensor, edits: Edits) -> torch.Tensor:
        for k, linear in enumerate(self.linear):
            if k in edits:
                x = torch.where(edits[k][0], edits[k][1], x)
            x = linear(x)
            if k < len(self.linear) - 1:
                x = torch.relu(x)
        return x


def steps(model: nn.Module, x: torch.Tensor, y: torch.Tensor, edits: Edits) -> Callable[[int], float]:
    """Runs a number of steps and returns the seconds that they took."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def run(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            optimizer.zero_grad()
            F.mse_loss(model(x, edits), y).backward()
            optimizer.step()
        return time.perf_counter() - start

    return run


def passes(model: nn.Module, x: torch.Tensor, y: torch.Tensor, edits: Edits) -> Callable[[int], float]:
    """Forward, loss and backward alone: without the optimiser, which is the same for both."""
    def run(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            for parameter in parameters:
                parameter.grad = None
            F.mse_loss(model(x, edits), y).backward()
        return time.perf_counter() - start

    parameters = list(model.parameters())
    return run


def cases() -> list[tuple[str, list[int], int, Edits]]:
    """A name, widths, rows, and what is set."""
    found: list[tuple[str, list[int], int, Edits]] = []
    for widths, rows in (([3, 16, 16, 1], 32), ([3, 16, 16, 16, 16, 1], 32), ([64, 256, 256, 256, 8], 256)):
        name = "-".join(map(str, [widths[0], widths[1:-1], widths[-1]])).replace(" ", "")
        generator = torch.Generator().manual_seed(0)

        def edit(width: int) -> tuple[Any, Any]:
            return torch.rand(rows, width, generator=generator) < 0.3, torch.randn(rows, width, generator=generator)

        found.append((name, widths, rows, {}))
        found.append((f"{name} do at 0 and 1", widths, rows, {0: edit(widths[0]), 1: edit(widths[1])}))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each network and engine")
    options = parser.parse_args()
    print(f"one step of a loop in PyTorch {torch.__version__}, float32, Adam of torch.optim; microseconds\n")
    print(f"{'':42}{'whole step':^28}{'forward, loss, backward':^28}")
    print(f"{'network':36}{'rows':>6}{'engine':>10}{'PyTorch':>10}{'ratio':>8}{'engine':>10}{'PyTorch':>10}{'ratio':>8}")
    for name, widths, rows, edits in cases():
        x, y = torch.randn(rows, widths[0]), torch.randn(rows, widths[-1])
        line = f"{name:36}{rows:6}"
        for measured in steps, passes:
            ours = measured(CausalMLP(widths[0], widths[1:-1], widths[-1]), x, y, edits)
            engine, theirs = (1e6 * (least or 0) for least in best([ours, measured(Written(widths), x, y, edits)], options.seconds))
            line += f"{engine:10.1f}{theirs:10.1f}{theirs / engine:8.2f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
