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
from .network_policy import NetworkPolicy
from .policy import Policy, Sought, bounds_of, plain

if TYPE_CHECKING:
    from .scenario import ScenarioView

__all__ = ["Optimum"]

_TRIED = 64     # places from which the search may begin
_STARTS = 3     # the best of these, from which it does
_MOST = 1_000   # numbers to be found: the search takes time with the cube of their count


@dataclass(frozen=True)
class Optimum:
    """What `ScenarioView.optimize` found.

    Attributes
    ----------
    values
        By variable, the value to set, or the policy.
    estimate
        Of the outcome there.
    constrained
        By variable, the means of those that were kept within bounds.
    """

    values: dict[str, Any]
    estimate: Estimate
    constrained: dict[str, float]


class Objective:
    """Means of variables as functions of what is set, with their gradients; everything in units of a search, 0 to 1 between bounds."""

    def __init__(self, view: ScenarioView, over: Mapping[str, Any], draws: int, seed: int) -> None:
        self._view, self._draws, self._seed = view, draws, seed
        self._levels = view._model._now().levels
        self._over = {name: given._scaled(self._levels, self._met) if isinstance(given, NetworkPolicy) else given for name, given in over.items()}
        self._check(sum(given._count(self._levels) for given in self._over.values() if isinstance(given, NetworkPolicy)))
        # What is to be found of each variable, and where it is among all numbers of the edits, those of `over` being the last.
        self._sought = {name: given._sought(self._levels) if isinstance(given, Policy) else _value(bounds_of(name, given))
                        for name, given in self._over.items()}
        counts = [given._count(self._levels) if isinstance(given, Policy) else 1 for given in self._over.values()]
        firsts = np.cumsum([0, *counts]) - sum(counts)
        self._places = np.concatenate([first + one.places for first, one in zip(firsts, self._sought.values())])
        if not len(self._places):
            raise InvalidValueError(f"over: {', '.join(over)} has no number with bounds, expected (lowest, highest) for one at least")
        self._check(len(self._places))
        self.low, self.span, self.ends = (np.concatenate(parts) for parts in zip(*(
            (one.low, one.span, one.ends) for one in self._sought.values())))

    @staticmethod
    def _check(numbers: int) -> None:
        if numbers > _MOST:
            raise InvalidValueError(f"over: {numbers} numbers are to be found, expected at most {_MOST}: a narrower network, say")

    def _met(self, name: str) -> NDArray[np.float64]:
        """The values of a variable under the scenario."""
        column = self._view._model._index(name)
        return self._view._simulated(self._draws, None, self._seed, wanted=column)[:, column]

    def values(self, place: NDArray[np.float64]) -> dict[str, Any]:
        """By variable, in its own units; for places along the first axis, arrays."""
        numbers = (self.low + self.span * np.clip(place, *self.ends.T)).T
        parts = np.split(numbers, np.cumsum([len(one.places) for one in self._sought.values()])[:-1])
        return {name: given._found(part) if isinstance(given, Policy) else plain(part[0]) for (name, given), part in zip(self._over.items(), parts)}

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
        """The best of places all over the bounds: first those within the limits, or next to them."""
        rng = np.random.default_rng(self._seed)
        places = np.array([np.concatenate([self._start(name, rng, k == 0) for name in self._over]) for k in range(_TRIED)])

        def means(name: str) -> NDArray[np.float64]:
            # Numbers that differ from row to row run as one batch; those of a network are shared by all rows.
            if any(isinstance(given, NetworkPolicy) for given in self._over.values()):
                return np.array([self.mean(place, name) for place in places])
            found: NDArray[np.float64] = self._view.do(self.values(places)).mean(name, draws=self._draws, seed=self._seed).value
            return found

        beyond = np.zeros(_TRIED)
        for name, (low, high) in limits.items():
            found = means(name)
            beyond += np.maximum(np.maximum(low - found, found - high), 0)
        best: NDArray[np.float64] = places[np.lexsort((-sign * means(outcome), beyond))[:_STARTS]]
        return best

    def _start(self, name: str, rng: np.random.Generator, is_first: bool) -> NDArray[np.float64]:
        given = self._over[name]
        if isinstance(given, Policy):
            return given._start(rng, self._levels, is_first)
        return np.full(1, 0.5) if is_first else rng.uniform(size=1)


def _value(bounds: tuple[float, float]) -> Sought:
    """One number that is set."""
    low, high = bounds
    return Sought(np.zeros(1, np.int64), np.array([low]), np.array([high - low]), np.array([[0.0, 1.0]]))


def limits_of(name: str, given: Any) -> tuple[float, float]:
    """Of the mean of a variable; either may be infinite."""
    try:
        low, high = (float(one) for one in given)
    except (TypeError, ValueError):
        raise ArgumentError(f"constraints of {name} are {shown(given)}, expected (lowest, highest), either of which may be infinite") from None
    if not low <= high:
        raise InvalidValueError(f"constraints of {name} are {low:g} and {high:g}, expected the lowest first, and numbers")
    return low, high


def optimum(
    view: ScenarioView, outcome: str, over: Mapping[str, Any], *, maximize: bool, constraints: Mapping[str, Any], draws: int, seed: int,
) -> Optimum:
    """Sequential quadratic programming (Kraft 1988; SciPy's SLSQP) from the best of several starts."""
    from scipy.optimize import minimize

    sign = 1.0 if maximize else -1.0
    objective = Objective(view, over, draws, seed)
    limits: list[dict[str, Any]] = []
    ends = {name: limits_of(name, given) for name, given in constraints.items()}
    for name, (low, high) in ends.items():
        for bound, direction in ((low, 1.0), (high, -1.0)):
            if np.isfinite(bound):
                limits.append({
                    "type": "ineq", "fun": lambda place, n=name, b=bound, d=direction: d * (objective.mean(place, n) - b),
                    "jac": lambda place, n=name, d=direction: d * objective.gradient(place, n)})
    results = [
        minimize(lambda place: -sign * objective.mean(place, outcome), start, jac=lambda place: -sign * objective.gradient(place, outcome),
                 bounds=objective.ends, constraints=limits, method="SLSQP", options={"maxiter": 100, "ftol": 1e-9})
        for start in objective.starts(outcome, sign, ends)]
    allowed = [result for result in results if all(limit["fun"](result.x) > -1e-4 for limit in limits)]
    if not allowed:
        raise InvalidValueError(f"optimize: no values were found for which {', '.join(constraints)} are within their bounds")
    best = min(allowed, key=lambda result: result.fun)
    values = objective.values(best.x)
    return Optimum(values, view.do(values).mean(outcome, draws=draws, seed=seed), {name: objective.mean(best.x, name) for name in constraints})
