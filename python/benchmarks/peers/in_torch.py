"""PyTorch: eager with Adam, with its fused Adam, compiled; and this engine as the module of such a loop."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from causal_engine import CausalMLP

from .problem import LEARNING_RATE, Problem, Weights


class Written(nn.Module):
    """The network in PyTorch's own layers; do() by torch.where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.linear = nn.ModuleList(nn.Linear(*pair) for pair in zip(problem.widths, problem.widths[1:]))

    def forward(self, x: torch.Tensor, interventions: dict[int, tuple[torch.Tensor, torch.Tensor]] | None = None) -> torch.Tensor:
        if interventions is not None:
            x = torch.where(*interventions[0], x)
        for linear in self.linear[:-1]:
            x = torch.relu(linear(x))
        return self.linear[-1](x)


class Loop:
    """Eager, with Adam as it comes."""

    fused: bool | None = None

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.batches = list(zip(*(torch.from_numpy(problem.batches_of(array)) for array in problem.data)))
        self.model = self.module()
        self.loss: Callable[..., torch.Tensor] = self.error

    def module(self) -> nn.Module:
        return Written(self.problem)

    def error(self, x: torch.Tensor, y: torch.Tensor, mask: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(self.model(x, {0: (mask, values)}), y)

    def _steps(self, epochs: int, batches: int) -> float:
        with torch.no_grad():
            for mine, first in zip(self.model.parameters(), [each for layer in self.problem.weights for each in layer]):
                mine.copy_(torch.from_numpy(first))
        optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE, fused=self.fused)
        optimizer.zero_grad()
        self.loss(*self.batches[0]).backward()      # what a first pass sets up, such as a compiled one, is not counted
        start = time.perf_counter()
        for _ in range(epochs):
            for x, y, mask, values in self.batches[:batches]:
                optimizer.zero_grad()
                self.loss(x, y, mask, values).backward()
                optimizer.step()
        return (time.perf_counter() - start) / (epochs * batches)

    def train(self, epochs: int) -> float:
        return self._steps(epochs, self.problem.batches)

    def learn(self, epochs: int, batches: int) -> Weights:
        self._steps(epochs, batches)
        parameters = [each.detach().numpy().copy() for each in self.model.parameters()]
        return list(zip(parameters[::2], parameters[1::2]))

    def one_row(self) -> Callable[[], object]:
        x = torch.from_numpy(self.problem.data[0][:1])

        def predict() -> torch.Tensor:
            with torch.inference_mode():
                return self.model(x)

        return predict


class Fused(Loop):
    fused = True


class Compiled(Fused):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        torch._dynamo.reset()       # what other problems left there makes new ones general, and slow
        self.loss = torch.compile(self.error)

    def one_row(self) -> Callable[[], object]:
        self.model = torch.compile(self.model)
        return super().one_row()


class EngineInLoop(Fused):
    def module(self) -> nn.Module:
        return CausalMLP(self.problem.widths[0], self.problem.widths[1:-1], self.problem.widths[-1])


VERSION = f"PyTorch {torch.__version__}"
PEERS = {"engine-in-torch": EngineInLoop, "torch": Loop, "torch-fused": Fused, "torch-compile": Compiled}
