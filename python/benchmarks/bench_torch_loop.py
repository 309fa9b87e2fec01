"""Microseconds of one step of a PyTorch training loop (forward, mean squared error, backward, and an optimiser of torch.optim) with
a network of this engine as the module, beside the same network written in PyTorch with do() by torch.where.

    python bench_torch_loop.py [--seconds 1.0]

Both run in the same process on the same numbers, in short turns that follow each other, each on the threads that it takes by default.
The figures are medians of the turns; the ratio is the engine's time over PyTorch's, the median of the ratios of neighbouring
turns: below 1 the engine is faster.

"no time" is a module that computes nothing: its pass is one node of autograd with ready answers and gradients. So it takes what any engine leaves to
PyTorch and Python, and no engine behind such a node can be faster.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from causal_engine import CausalLosses, CausalMLP, get_threads

Edits = dict[int, tuple[torch.Tensor, torch.Tensor]]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Run = Callable[[int], float]

TURNS = 21


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


class Nothing(torch.autograd.Function):
    """The pass of an engine that takes no time."""

    @staticmethod
    def forward(ctx: Any, answer: torch.Tensor, x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        ctx.parameters = parameters
        return answer.clone()

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return None, None, *map(torch.zeros_like, ctx.parameters)


class NoTime(nn.Module):
    """The parameters of a network, and nothing behind them."""

    def __init__(self, written: Written, rows: int) -> None:
        super().__init__()
        self.own = nn.ParameterList(parameter.detach().clone() for parameter in written.parameters())
        self.answer = torch.randn(rows, written.linear[-1].out_features)

    def forward(self, x: torch.Tensor, edits: Edits) -> torch.Tensor:
        answer: torch.Tensor = Nothing.apply(self.answer, x, *self.own)  # type: ignore[no-untyped-call]
        return answer


def timed(step: Callable[[], None]) -> Run:
    """Runs a number of steps and returns the seconds that each took."""
    def run(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            step()
        return (time.perf_counter() - start) / count

    return run


def steps(model: nn.Module, x: torch.Tensor, y: torch.Tensor, edits: Edits, loss: Loss = F.mse_loss, **adam: bool) -> Run:
    """Whole steps of Adam."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **adam)

    def step() -> None:
        optimizer.zero_grad()
        loss(model(x, edits), y).backward()
        optimizer.step()

    return timed(step)


def passes(model: nn.Module, x: torch.Tensor, y: torch.Tensor, edits: Edits, loss: Loss = F.mse_loss) -> Run:
    """Forward, loss and backward alone: without the optimiser, which is the same for both."""
    parameters = list(model.parameters())

    def step() -> None:
        for parameter in parameters:
            parameter.grad = None
        loss(model(x, edits), y).backward()

    return timed(step)


def in_turns(ours: Run, theirs: Run, seconds: float) -> tuple[float, float, float]:
    """Microseconds of each, and their ratio."""
    counts = [max(3, int(seconds / TURNS / run(8))) for run in (ours, theirs)]
    turns = [(ours(counts[0]), theirs(counts[1])) for _ in range(TURNS)]
    mine, other = (1e6 * statistics.median(each) for each in zip(*turns))
    return mine, other, statistics.median(a / b for a, b in turns)


def edits_of(widths: list[int], rows: int, sites: list[int]) -> Edits:
    """do() on a third of the units of some sites, for half of the rows."""
    generator = torch.Generator().manual_seed(0)
    edits = {}
    for site in sites:
        mask = torch.zeros(rows, widths[site], dtype=torch.bool)
        mask[:rows // 2, :(widths[site] + 2) // 3] = True
        edits[site] = mask, torch.randn(rows, widths[site], generator=generator)
    return edits


def show(name: str, rows: int, measured: list[tuple[float, float, float]]) -> None:
    print(f"{name:34}{rows:6}" + "".join(f"{mine:10.1f}{other:10.1f}{ratio:7.2f}" for mine, other, ratio in measured), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each network and engine")
    seconds = parser.parse_args().seconds
    print(f"one step of a loop in PyTorch {torch.__version__}, float32; PyTorch on {torch.get_num_threads()} threads, the engine on "
          f"{get_threads()}; microseconds, and the engine's time over PyTorch's\n")
    print(f"{'':40}{'Adam':^27}{'Adam, fused':^27}{'no optimiser':^27}")
    print(f"{'network':34}{'rows':>6}" + f"{'engine':>10}{'PyTorch':>10}{'ratio':>7}" * 3)
    for widths, rows in (([3, 16, 16, 1], 32), ([3, 16, 16, 16, 16, 1], 32), ([64, 256, 256, 256, 8], 256)):
        name = "-".join(map(str, [widths[0], widths[1:-1], widths[-1]])).replace(" ", "")
        x, y = torch.randn(rows, widths[0]), torch.randn(rows, widths[-1])
        for what, sites in ("", []), (" do at 0", [0]), (" do at 0 and 1", [0, 1]):
            edits = edits_of(widths, rows, sites)
            written = Written(widths)
            engines: dict[str, Any] = {"": CausalMLP(widths[0], widths[1:-1], widths[-1])}
            if sites == [0]:
                engines[", in no time"] = NoTime(written, rows)
            for whose, engine in engines.items():
                show(name + what + whose, rows, [
                    in_turns(steps(engine, x, y, edits), steps(written, x, y, edits), seconds),
                    in_turns(steps(engine, x, y, edits, fused=True), steps(written, x, y, edits, fused=True), seconds),
                    in_turns(passes(engine, x, y, edits), passes(written, x, y, edits), seconds)])
    x, y = torch.randn(32, 3), torch.randn(32, 1)
    linear = nn.Linear(3, 1)

    def under(loss: Loss) -> Run:
        return timed(lambda: loss(linear(x), y).backward())

    print(f"\n{'loss of a linear layer':34}{32:6}{'engine':>10}{'PyTorch':>10}{'ratio':>7}")
    show("mean squared error", 32, [in_turns(under(CausalLosses().standard_loss), under(F.mse_loss), seconds)])


if __name__ == "__main__":
    main()
