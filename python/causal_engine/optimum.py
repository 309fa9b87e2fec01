"""The best values to set: argmax over v of E[outcome | do(x = v)]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address
from ._bindings import library
from .errors import ArgumentError, InvalidValueError, shown
from .estimate import Estimate
from .policy import LinearPolicy, bounds_of

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
        By variable, the value to set, or the `LinearPolicy`.
    estimate
        Of the outcome there.
    constrained
        By variable, the means of those that were kept within bounds.
    """

    values: dict[str, Any]
    estimate: Estimate
    constrained: dict[str, float]


class Objective:
    """Means of variables as functions of what is set, with their gradients; everything in units of the bounds, 0 to 1."""

    def __init__(self, view: ScenarioView, over: Mapping[str, Any], draws: int, seed: int) -> None:
        self._view, self._draws, self._seed, self._over = view, draws, seed, over
        # Of each number that is to be found: its variable, which number of a policy it is, and its bounds.
        found = [(name, number, pair) for name, given in over.items() for number, pair in (
            given.bounds.items() if isinstance(given, LinearPolicy) else [(None, bounds_of(name, given))])]
        if not found:
            raise InvalidValueError(f"over: {', '.join(over)} has no number with bounds, expected (lowest, highest) for one at least")
        self._numbers = [(name, number) for name, number, _ in found]
        self.low = np.array([low for _, _, (low, _) in found])
        self.span = np.array([high for _, _, (_, high) in found]) - self.low
        # Their places among all numbers of the edits, those that are to be found being set last.
        every = [(name, number) for name, given in over.items() for number in (
            [number for number, _ in given._named()] if isinstance(given, LinearPolicy) else [None])]
        self._places = [every.index(one) - len(every) for one in self._numbers]

    def values(self, place: NDArray[np.float64]) -> dict[str, Any]:
        """By variable, in its own units; for places along the first axis, arrays."""
        numbers = dict(zip(self._numbers, (self.low + self.span * np.clip(place, 0, 1)).T))
        plain = {one: float(value) if np.ndim(value) == 0 else value for one, value in numbers.items()}

        def told(name: str, given: Any) -> Any:
            if isinstance(given, LinearPolicy):
                return given._with(lambda number, value: plain.get((name, number), value))
            return plain[name, None]

        return {name: told(name, given) for name, given in self._over.items()}

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
        gradient: NDArray[np.float64] = total[self._places] / now.members * self.span
        return gradient

    def starts(self, outcome: str, sign: float, limits: Mapping[str, tuple[float, float]]) -> NDArray[np.float64]:
        """The best of places all over the bounds, which run as one batch: first those within the limits, or next to them."""
        rng = np.random.default_rng(self._seed)
        places = np.vstack([np.full((1, len(self.low)), 0.5), rng.uniform(size=(_TRIED - 1, len(self.low)))])
        batch = self._view.do(self.values(places))

        def means(name: str) -> NDArray[np.float64]:
            found: NDArray[np.float64] = batch.mean(name, draws=self._draws, seed=self._seed).value
            return found

        beyond = np.zeros(_TRIED)
        for name, (low, high) in limits.items():
            found = means(name)
            beyond += np.maximum(np.maximum(low - found, found - high), 0)
        best: NDArray[np.float64] = places[np.lexsort((-sign * means(outcome), beyond))[:_STARTS]]
        return best


def optimum(
    view: ScenarioView, outcome: str, over: Mapping[str, Any], *, maximize: bool, constraints: Mapping[str, Any], draws: int, seed: int,
) -> Optimum:
    """Sequential quadratic programming (Kraft 1988; SciPy's SLSQP) from the best of several starts."""
    from scipy.optimize import minimize

    if not isinstance(over, Mapping) or not over:
        raise ArgumentError(f"over is {shown(over)}, expected bounds by variable, as in {{'dose': (0, 10)}}")
    sign = 1.0 if maximize else -1.0
    objective = Objective(view, over, draws, seed)
    limits: list[dict[str, Any]] = []
    ends = {name: (float(given[0]), float(given[1])) for name, given in constraints.items()}
    for name, (low, high) in ends.items():
        for bound, direction in ((low, 1.0), (high, -1.0)):
            if np.isfinite(bound):
                limits.append({
                    "type": "ineq", "fun": lambda place, n=name, b=bound, d=direction: d * (objective.mean(place, n) - b),
                    "jac": lambda place, n=name, d=direction: d * objective.gradient(place, n)})
    results = [
        minimize(lambda place: -sign * objective.mean(place, outcome), start, jac=lambda place: -sign * objective.gradient(place, outcome),
                 bounds=[(0, 1)] * len(start), constraints=limits, method="SLSQP", options={"maxiter": 100, "ftol": 1e-9})
        for start in objective.starts(outcome, sign, ends)]
    allowed = [result for result in results if all(limit["fun"](result.x) > -1e-4 for limit in limits)]
    if not allowed:
        raise InvalidValueError(f"optimize: no values were found for which {', '.join(constraints)} are within their bounds")
    best = min(allowed, key=lambda result: result.fun)
    values = objective.values(best.x)
    return Optimum(values, view.do(values).mean(outcome, draws=draws, seed=seed), {name: objective.mean(best.x, name) for name in constraints})
