"""PyTorch: eager with Adam, with its fused Adam, with the network and its loss compiled, with the whole step compiled; and this engine as the
module of such a loop."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from causal_engine import CausalMLP

from .problem import BETA1, BETA2, EPSILON, LEARNING_RATE, Problem, Weights


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


class CompiledStep(Loop):
    """Gradient and Adam as one compiled function on one flat vector: no loop that people have, but what PyTorch can do where one is written for it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        torch._dynamo.reset()
        self.first = [torch.from_numpy(each) for layer in problem.weights for each in layer]
        self.shapes = [each.shape for each in self.first]
        self.sizes = [each.numel() for each in self.first]
        self.step = torch.compile(self.advance)

    def parts(self, flat: torch.Tensor) -> list[torch.Tensor]:
        return [part.view(shape) for part, shape in zip(flat.split(self.sizes), self.shapes)]

    def flat_error(self, flat: torch.Tensor, x: torch.Tensor, y: torch.Tensor, mask: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        parameters = self.parts(flat)
        x = torch.where(mask, values, x)
        for weight, bias in list(zip(parameters[::2], parameters[1::2]))[:-1]:
            x = torch.relu(F.linear(x, weight, bias))
        return F.mse_loss(F.linear(x, *parameters[-2:]), y)

    def advance(self, flat: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor, count: torch.Tensor, *batch: torch.Tensor) -> None:
        gradient = torch.func.grad(self.flat_error)(flat, *batch)
        count += 1
        mean.mul_(BETA1).add_(gradient, alpha=1 - BETA1)
        variance.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        rate, root = LEARNING_RATE / (1 - BETA1 ** count), torch.sqrt(1 - BETA2 ** count)
        flat.sub_(rate * mean / (torch.sqrt(variance) / root + EPSILON))

    def _steps(self, epochs: int, batches: int) -> float:
        def begin() -> list[torch.Tensor]:
            flat = torch.cat([each.flatten() for each in self.first])
            return [flat, torch.zeros_like(flat), torch.zeros_like(flat), torch.zeros(())]

        with torch.no_grad():
            self.step(*begin(), *self.batches[0])
            state = begin()
            start = time.perf_counter()
            for _ in range(epochs):
                for batch in self.batches[:batches]:
                    self.step(*state, *batch)
            taken = time.perf_counter() - start
            for mine, part in zip(self.model.parameters(), self.parts(state[0])):
                mine.copy_(part)
        return taken / (epochs * batches)


class EngineInLoop(Fused):
    def module(self) -> nn.Module:
        return CausalMLP(self.problem.widths[0], self.problem.widths[1:-1], self.problem.widths[-1])


VERSION = f"PyTorch {torch.__version__}"
PEERS = {"engine-in-torch": EngineInLoop, "torch": Loop, "torch-fused": Fused, "torch-compile": Compiled, "torch-compile-step": CompiledStep}
