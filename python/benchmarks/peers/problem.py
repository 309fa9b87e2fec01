"""What every peer gets: the same network, the same first weights, the same rows under the same interventions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

CHECKED = 5             # steps after which all have to have the same loss
LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
LARGE = 1 << 20         # numbers in the inputs of an epoch, about

Weights = list[tuple[np.ndarray, np.ndarray]]       # of each layer, (outputs, inputs) and (outputs,)


@dataclass(frozen=True)
class Problem:
    """Learn a noisy linear function of inputs of which do() set a third, in every second row. ReLU, mean squared error, Adam."""

    widths: tuple[int, ...]
    batch: int
    batches: int = 0        # an epoch; 0: as many as make a data set of ordinary size

    @classmethod
    def named(cls, name: str, batch: int, batches: int = 0) -> Problem:
        """Of a network written as "3-[16,16]-1"."""
        if not re.fullmatch(r"\d+-\[\d+(,\d+)*\]-\d+", name):
            raise ValueError(f"{name!r} is no network, expected one like 3-[16,16]-1")
        widths = tuple(map(int, re.findall(r"\d+", name)))
        if min(widths) < 1 or batch < 1 or batches < 0:
            raise ValueError(f"{name}, {batch} rows, {batches} batches: expected at least one of each")
        return cls(widths, batch, batches or max(CHECKED, min(25, LARGE // (batch * widths[0]))))

    @property
    def name(self) -> str:
        return f"{self.widths[0]}-[{','.join(map(str, self.widths[1:-1]))}]-{self.widths[-1]}"

    @property
    def rows(self) -> int:
        return self.batch * self.batches

    @property
    def parameters(self) -> int:
        return sum((i + 1) * o for i, o in zip(self.widths, self.widths[1:]))

    @property
    def operations(self) -> int:
        """Floating-point operations of a step: three products a layer, but none for the gradient of the inputs."""
        products = [i * o for i, o in zip(self.widths, self.widths[1:])]
        return 2 * self.batch * (3 * sum(products) - products[0])

    @property
    def traffic(self) -> int:
        """Bytes that a step cannot do without where nothing stays in a cache: weights and both moments read and written, the gradient
        written and read, inputs and targets read, hidden units written and read on both ways."""
        return 4 * (8 * self.parameters + self.batch * (self.widths[0] + 2 * self.widths[-1] + 4 * sum(self.widths[1:-1])))

    @cached_property
    def data(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """x, y, which inputs are set (bool), and to what."""
        random = np.random.default_rng(0)
        x, values = (random.standard_normal((self.rows, self.widths[0]), np.float32) for _ in range(2))
        mask = np.zeros(x.shape, bool)
        mask[::2, : max(1, self.widths[0] // 3)] = True
        effects = random.normal(size=(self.widths[0], self.widths[-1])) / math.sqrt(self.widths[0])
        y = np.where(mask, values, x) @ effects + 0.1 * random.normal(size=(self.rows, self.widths[-1]))
        return x, y.astype(np.float32), mask, values

    @cached_property
    def weights(self) -> Weights:
        """The first ones, distributed as torch.nn.Linear's."""
        random = np.random.default_rng(1)
        return [tuple(random.uniform(-1, 1, shape).astype(np.float32) / np.float32(math.sqrt(i)) for shape in ((o, i), (o,)))
                for i, o in zip(self.widths, self.widths[1:])]

    def batches_of(self, array: np.ndarray) -> np.ndarray:
        """(batches, batch, columns)."""
        return array.reshape(self.batches, self.batch, -1)

    def loss(self, weights: Weights) -> float:
        """Mean squared error over all rows, in double precision."""
        x, y, mask, values = self.data
        h = np.where(mask, values, x).astype(np.float64)
        for k, (weight, bias) in enumerate(weights):
            h = h @ weight.astype(np.float64).T + bias
            if k < len(weights) - 1:
                h = np.maximum(h, 0)
        return float(np.mean((h - y) ** 2))
