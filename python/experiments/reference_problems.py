"""Structural models with known equations, on which learned ones are tried: u ~ N(0, 1) unless said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Equation = Callable[[list[Array], Array], Array]    # of x1, x2, ... and of the noise of this variable


@dataclass(frozen=True)
class Problem:
    """A structural model whose equations are known. Variables are x1, x2, ..., causes before effects."""

    name: str
    parents: tuple[tuple[int, ...], ...]        # numbered from 0
    equations: tuple[Equation, ...]
    treated: tuple[int, ...]                    # the variables that are set
    draw: Callable[[np.random.Generator, tuple[int, int]], Array] = field(default=lambda rng, shape: rng.normal(size=shape))

    @property
    def variables(self) -> list[str]:
        return [f"x{k + 1}" for k in range(len(self.equations))]

    @property
    def edges(self) -> list[tuple[str, str]]:
        return [(self.variables[parent], self.variables[child]) for child, parents in enumerate(self.parents) for parent in parents]

    def noise(self, rng: np.random.Generator, rows: int) -> Array:
        return self.draw(rng, (rows, len(self.equations)))

    def run(self, noise: Array, do: Mapping[int, Any] | None = None) -> Array:
        """(rows, variables), where `do` sets variables by number."""
        x: list[Array] = []
        for k, equation in enumerate(self.equations):
            x.append(np.broadcast_to(np.asarray(do[k], float), len(noise)) if do and k in do else equation(x, noise[:, k]))
        return np.column_stack(x)


def softplus(x: Any) -> Any:
    return np.logaddexp(0, x)


def _bend(a: Any, b: Any) -> Any:
    return softplus(a + 1) + softplus(0.5 + b) - 3


def _laplace(u: Array, location: Array, scale: float) -> Array:
    return location - scale * np.sign(u - 0.5) * np.log1p(-2 * np.abs(u - 0.5))


PROBLEMS = {problem.name: problem for problem in (
    Problem("triangle", ((), (0,), (0, 1)), (
        lambda x, u: u,
        lambda x, u: 2 * x[0] ** 2 + u,
        lambda x, u: 20 / (1 + np.exp(-x[1] ** 2 + x[0])) + u), (0, 1)),
    Problem("chain", ((), (0,), (1,)), (
        lambda x, u: u,
        lambda x, u: np.exp(x[0] / 2) + u / 4,
        lambda x, u: (x[1] - 5) ** 3 / 15 + u), (0, 1)),
    Problem("fork", ((), (), (0, 1), (2,)), (
        lambda x, u: u,
        lambda x, u: u,
        lambda x, u: 4 / (1 + np.exp(-x[0] - x[1])) - x[1] ** 2 + u / 2,
        lambda x, u: 20 / (1 + np.exp(x[2] ** 2 / 2 - x[2])) + u), (1, 2)),
    Problem("simpson", ((), (0,), (0, 1), (0,)), (
        lambda x, u: u,
        lambda x, u: 2 * np.tanh(2 * x[0]) + u / np.sqrt(10),
        lambda x, u: x[0] * x[1] / 2 + u / np.sqrt(2),
        lambda x, u: np.tanh(1.5 * x[0]) + np.sqrt(0.3) * u), (0, 1, 2)),
    Problem("large backdoor", ((), (0,), (0,), (1,), (2,), (3,), (4,), (5,), (6, 7)), (
        lambda x, u: softplus(1.8 * u) - 1,
        lambda x, u: 0.25 * u + 1.5 * _bend(x[0], 0),
        lambda x, u: _bend(x[0], u),
        lambda x, u: _bend(x[1], u),
        lambda x, u: _bend(x[2], u),
        lambda x, u: _bend(x[3], u),
        lambda x, u: _bend(x[4], u),
        lambda x, u: 0.3 * u + softplus(x[5] + 1) - 1,
        lambda x, u: _laplace(u, 2 - softplus((1.3 * x[6] + x[7]) / 3 + 1), 0.6)), (0, 1, 2, 4),
        draw=lambda rng, shape: rng.uniform(size=shape)),
)}


def errors(problem: Problem, rows: Array, mean: Callable[[dict[int, float]], Array], counterfactual: Callable[[Array, dict[int, float]], Array],
           rng: np.random.Generator) -> tuple[float, float]:
    """(RMSE_ATE, RMSE_CF) of a model that learned from `rows`.

    Variables are set to the quartiles of `rows`. The first is the L2 norm, over the variables that are not set, of the error of the average
    effect between two quartiles, averaged over pairs; the truth comes from 200,000 draws of noise that both share. The second is the mean
    over 2,500 new rows of the L2 norm of the error of the counterfactual.

    Parameters
    ----------
    mean
        The means of all variables under do().
    counterfactual
        What rows would have been under do().
    """
    truth_noise, new_noise = problem.noise(rng, 200_000), problem.noise(rng, 2_500)
    new = problem.run(new_noise)
    of_effects, of_counterfactuals = [], []
    for variable in problem.treated:
        others = [k for k in range(rows.shape[1]) if k != variable]
        quartiles = [{variable: float(value)} for value in np.percentile(rows[:, variable], (25, 50, 75))]
        true = [problem.run(truth_noise, do).mean(0) for do in quartiles]
        found = [mean(do) for do in quartiles]
        for a, b in combinations(range(3), 2):
            of_effects.append(np.linalg.norm(((found[b] - found[a]) - (true[b] - true[a]))[others]))
        for do in quartiles:
            of_counterfactuals.append(np.linalg.norm(counterfactual(new, do) - problem.run(new_noise, do), axis=1).mean())
    return float(np.mean(of_effects)), float(np.mean(of_counterfactuals))
