"""This engine: `fit`, where the whole loop runs in it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

import causal_engine
from causal_engine import CausalMLP

from .problem import LEARNING_RATE, Problem, Weights


class Engine:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model = CausalMLP(problem.widths[0], problem.widths[1:-1], problem.widths[-1], seed=0)

    def _fit(self, epochs: int, batches: int) -> float:
        start = time.perf_counter()
        x, y, mask, values = (array[: batches * self.problem.batch] for array in self.problem.data)
        self.model.fit(x, y, {0: (mask, values)}, epochs=epochs, batch_size=self.problem.batch, lr=LEARNING_RATE, shuffle=False, progress=False)
        return time.perf_counter() - start

    def _begin(self) -> None:
        for mine, first in zip(self.model.parameters(), [each for layer in self.problem.weights for each in layer]):
            mine[...] = first

    def train(self, epochs: int) -> float:
        """Seconds of a step: what a whole fit takes, over its steps. Looking at the data, once a fit, is counted with them."""
        self._begin()
        return self._fit(epochs, self.problem.batches) / (epochs * self.problem.batches)

    def learn(self, epochs: int, batches: int) -> Weights:
        self._begin()
        self._fit(epochs, batches)
        parameters = [np.array(each) for each in self.model.parameters()]
        return list(zip(parameters[::2], parameters[1::2]))

    def one_row(self) -> Callable[[], object]:
        x = self.problem.data[0][:1]
        return lambda: self.model(x)


VERSION = f"causal-engine {causal_engine.__version__}"
PEERS = {"engine": Engine}
