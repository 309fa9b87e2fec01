"""numpy: the step by hand, with parameters, gradients and moments each in one flat array, so that Adam is a few operations on them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from .problem import BETA1, BETA2, EPSILON, LEARNING_RATE, Problem, Weights


class Numpy:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.batches = list(zip(*map(problem.batches_of, problem.data)))
        self.flat, self.gradient, self.first, self.second = np.zeros((4, problem.parameters), np.float32)
        self.layers, self.gradients = self._views(self.flat), self._views(self.gradient)

    def _views(self, flat: np.ndarray) -> Weights:
        views, place = [], 0
        for i, o in zip(self.problem.widths, self.problem.widths[1:]):
            views.append((flat[place : place + i * o].reshape(o, i), flat[place + i * o : place + i * o + o]))
            place += i * o + o
        return views

    def _begin(self) -> None:
        self.first[:], self.second[:], self.count = 0, 0, 0
        for mine, given in zip(self.layers, self.problem.weights):
            for view, first in zip(mine, given):
                view[...] = first

    def _step(self, x: np.ndarray, y: np.ndarray, mask: np.ndarray, values: np.ndarray) -> None:
        hidden = [np.where(mask, values, x)]
        for weight, bias in self.layers[:-1]:
            h = hidden[-1] @ weight.T
            h += bias
            hidden.append(np.maximum(h, 0, out=h))
        weight, bias = self.layers[-1]
        d = hidden[-1] @ weight.T + bias - y
        d *= 2 / d.size
        for k in reversed(range(len(self.layers))):
            np.matmul(d.T, hidden[k], out=self.gradients[k][0])
            np.sum(d, 0, out=self.gradients[k][1])
            if k > 0:
                d = d @ self.layers[k][0]
                d *= hidden[k] > 0
        self.count += 1
        g, m, v = self.gradient, self.first, self.second
        m *= BETA1
        m += (1 - BETA1) * g
        v *= BETA2
        v += (1 - BETA2) * g * g
        scale = np.sqrt(v)
        scale *= 1 / math.sqrt(1 - BETA2 ** self.count)
        scale += EPSILON
        self.flat -= LEARNING_RATE / (1 - BETA1 ** self.count) * m / scale

    def _steps(self, epochs: int, batches: int) -> float:
        self._begin()
        start = time.perf_counter()
        for _ in range(epochs):
            for batch in self.batches[:batches]:
                self._step(*batch)
        return (time.perf_counter() - start) / (epochs * batches)

    def train(self, epochs: int) -> float:
        return self._steps(epochs, self.problem.batches)

    def learn(self, epochs: int, batches: int) -> Weights:
        self._steps(epochs, batches)
        return self.layers

    def one_row(self) -> Callable[[], object]:
        self._begin()
        x = self.problem.data[0][:1]

        def predict() -> np.ndarray:
            h = x
            for weight, bias in self.layers[:-1]:
                h = np.maximum(h @ weight.T + bias, 0)
            weight, bias = self.layers[-1]
            return h @ weight.T + bias

        return predict


VERSION = f"numpy {np.__version__}"
PEERS = {"numpy": Numpy}
