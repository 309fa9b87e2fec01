"""The best values to set: argmax over v of E[outcome | do(x = v)]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, number
from ._bindings import library
from .errors import ArgumentError, InvalidValueError, shown
from .estimate import Estimate

if TYPE_CHECKING:
    from .scenario import ScenarioView

__all__ = ["Optimum"]

_TRIED = 64     # places from which the search may begin
_STARTS = 3     # the best of these, from which it does


@dataclass(frozen=True)
class Optimum:
    """What `ScenarioView.optimize` found.

    Attributes
    ----------
    values
        By variable, the value to set.
    estimate
        Of the outcome there.
    constrained
        By variable, the means of those that were kept within bounds.
    """

    values: dict[str, float]
    estimate: Estimate
    constrained: dict[str, float]


class Objective:
    """Means of variables as functions of what is set, with their gradients; everything in units of the bounds, 0 to 1."""

    def __init__(self, view: ScenarioView, bounds: Mapping[str, Any], draws: int, seed: int) -> None:
        self._view, self._draws, self._seed = view, draws, seed
        self.names = list(bounds)
        pairs = [_bounds(name, bounds[name]) for name in self.names]
        self.low = np.array([low for low, _ in pairs])
        self.span = np.array([high for _, high in pairs]) - self.low

    def values(self, place: NDArray[np.float64]) -> dict[str, float]:
        """By variable, in its own units."""
        return dict(zip(self.names, (self.low + self.span * np.clip(place, 0, 1)).tolist()))

    def mean(self, place: NDArray[np.float64], outcome: str) -> float:
        return float(self._view.do(self.values(place)).mean(outcome, draws=self._draws, seed=self._seed).value)

    def gradient(self, place: NDArray[np.float64], outcome: str) -> NDArray[np.float64]:
        view, model = self._view.do(self.values(place)), self._view._model
        now = model._now()
        incoming = np.zeros((self._draws, len(model.variables)))
        incoming[:, model._index(outcome)] = 1 / self._draws
        count = view._value_count()
        total = np.zeros(count)
        for member in range(now.members):
            found = np.empty(count)
            scenario = view._scenario(self._draws, self._seed, self._draws)
            scenario.run(
                library.causal_structural_model_gradient, now.handle.address, scenario.handle.address, member,
                (self._seed + member) % (1 << 64), self._draws, address(incoming), *incoming.shape, address(found), count)
            total += found
        # What was to be found is set last.
        gradient: NDArray[np.float64] = total[count - len(self.names):] / now.members * self.span
        return gradient

    def starts(self, outcome: str, sign: float) -> NDArray[np.float64]:
        """The best of places all over the bounds, which run as one batch."""
        rng = np.random.default_rng(self._seed)
        places = np.vstack([np.full((1, len(self.names)), 0.5), rng.uniform(size=(_TRIED - 1, len(self.names)))])
        batch = {name: column for name, column in zip(self.names, (self.low + self.span * places).T)}
        means = sign * self._view.do(batch).mean(outcome, draws=self._draws, seed=self._seed).value
        best: NDArray[np.float64] = places[np.argsort(-means)[:_STARTS]]
        return best


def _bounds(name: str, given: Any) -> tuple[float, float]:
    try:
        low, high = (number(end, name) for end in given)
    except (TypeError, ValueError):
        raise ArgumentError(f"bounds of {name} are {shown(given)}, expected (lowest, highest)") from None
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InvalidValueError(f"bounds of {name} are {low:g} and {high:g}, expected finite numbers, the first below the second")
    return low, high


def optimum(
    view: ScenarioView, outcome: str, bounds: Mapping[str, Any], *, maximize: bool, constraints: Mapping[str, Any], draws: int, seed: int,
) -> Optimum:
    """Sequential quadratic programming (Kraft 1988; SciPy's SLSQP) from the best of several starts."""
    from scipy.optimize import minimize

    if not isinstance(bounds, Mapping) or not bounds:
        raise ArgumentError(f"over is {shown(bounds)}, expected bounds by variable, as in {{'dose': (0, 10)}}")
    sign = 1.0 if maximize else -1.0
    objective = Objective(view, bounds, draws, seed)
    limits: list[dict[str, Any]] = []
    for name, given in constraints.items():
        low, high = (float(end) for end in given)
        for bound, direction in ((low, 1.0), (high, -1.0)):
            if np.isfinite(bound):
                limits.append({
                    "type": "ineq", "fun": lambda place, n=name, b=bound, d=direction: d * (objective.mean(place, n) - b),
                    "jac": lambda place, n=name, d=direction: d * objective.gradient(place, n)})
    results = [
        minimize(lambda place: -sign * objective.mean(place, outcome), start, jac=lambda place: -sign * objective.gradient(place, outcome),
                 bounds=[(0, 1)] * len(start), constraints=limits, method="SLSQP", options={"maxiter": 100, "ftol": 1e-9})
        for start in objective.starts(outcome, sign)]
    allowed = [result for result in results if all(limit["fun"](result.x) > -1e-4 for limit in limits)]
    if not allowed:
        raise InvalidValueError(f"optimize: no values were found for which {', '.join(constraints)} are within their bounds")
    best = min(allowed, key=lambda result: result.fun)
    values = objective.values(best.x)
    return Optimum(values, view.do(values).mean(outcome, draws=draws, seed=seed), {name: objective.mean(best.x, name) for name in constraints})
