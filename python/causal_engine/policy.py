"""Policies whose numbers can be learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, number, numbers
from ._levels import Levels
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .features import unknown

__all__ = ["LinearPolicy"]


@dataclass(frozen=True)
class Sought:
    """Those numbers of a policy that are to be found, in units of a search: ``low + span * place``."""

    places: NDArray[np.int64]       # among all of its numbers
    low: NDArray[np.float64]
    span: NDArray[np.float64]
    ends: NDArray[np.float64]       # (n, 2), of the places


class Policy(ABC):
    """A function of other variables that replaces a mechanism, whose numbers gradients reach."""

    @abstractmethod
    def _names(self) -> Sequence[str]:
        """Of the variables that it reads."""

    @abstractmethod
    def _amounts(self) -> list[Any]:
        """Its numbers that may be one a scenario or row."""

    @abstractmethod
    def _with(self, change: Callable[[Any], Any]) -> Policy:
        """The same with these changed."""

    @abstractmethod
    def _count(self, levels: Levels) -> int:
        """Of its numbers, which a gradient reaches."""

    @abstractmethod
    def _sought(self, levels: Levels) -> Sought:
        """Those to be found."""

    @abstractmethod
    def _start(self, rng: np.random.Generator, levels: Levels, is_first: bool) -> NDArray[np.float64]:
        """A place for each of those to begin at."""

    @abstractmethod
    def _found(self, values: NDArray[np.float64]) -> Policy:
        """The same with values for those; of an array (n, ...) value k is that at [k]."""


@dataclass(frozen=True, repr=False)
class LinearPolicy(Policy):
    """A policy for do(): ``intercept + sum of coefficients[name] * name``, kept within bounds. It replaces the variable's mechanism, and what
    it reads becomes a cause.

    `StructuralModel.optimize` learns its numbers: those that are given as a pair (lowest, highest) are looked for between the two.
    Gradients reach them through the mechanisms; where `within` holds a value back, they are 0.

    Parameters
    ----------
    coefficients
        By variable, real or binary (its codes 0 and 1 count): a number, an array of one a scenario or row, or, for `optimize`, a pair of bounds.
    intercept
        The same.
    within
        Bounds of the value; either may be infinite.

    Raises
    ------
    ArgumentError, InvalidValueError
        No coefficients by variable; bounds that are none.

    Examples
    --------
    >>> from causal_engine import LinearPolicy
    >>> LinearPolicy({"age": 0.1}, intercept=-3, within=(0, 10))
    LinearPolicy({'age': 0.1}, intercept=-3, within=(0, 10))
    >>> LinearPolicy({"age": (-1, 1)}, intercept=(0, 5)).bounds
    {'intercept': (0.0, 5.0), 'age': (-1.0, 1.0)}
    """

    coefficients: Mapping[str, Any]
    intercept: Any = 0.0
    within: tuple[float, float] = field(default=(-np.inf, np.inf))

    def __post_init__(self) -> None:
        if not isinstance(self.coefficients, Mapping) or not all(isinstance(name, str) for name in self.coefficients):
            raise ArgumentError(f"coefficients are {shown(self.coefficients)}, expected numbers by variable, as in {{'age': 0.1}}")
        object.__setattr__(self, "coefficients", {name: _kept(value) for name, value in self.coefficients.items()})
        object.__setattr__(self, "intercept", _kept(self.intercept))
        try:
            low, high = (number(end, "within") for end in self.within)
        except (TypeError, ValueError):
            raise ArgumentError(f"within is {shown(self.within)}, expected (lowest, highest)") from None
        if not (low <= high and low < np.inf and high > -np.inf):
            raise InvalidValueError(f"within is {low:g} and {high:g}, expected the lowest value first")

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Of the numbers that are to be found, by variable; "intercept" is that of the intercept."""
        return {name: bounds_of(f"{name} of a LinearPolicy", value) for name, value in self._named() if isinstance(value, tuple)}

    def _named(self) -> list[tuple[str, Any]]:
        if "intercept" in self.coefficients:
            raise InvalidValueError("a LinearPolicy reads a variable called 'intercept', which names its constant, expected another name")
        return [("intercept", self.intercept), *self.coefficients.items()]

    def _names(self) -> Sequence[str]:
        return list(self.coefficients)

    def _amounts(self) -> list[Any]:
        return [value for _, value in self._named() if not isinstance(value, tuple)]

    def _with(self, change: Callable[[Any], Any]) -> LinearPolicy:
        changed = {name: change(value) for name, value in self._named()}
        return LinearPolicy({name: changed[name] for name in self.coefficients}, changed["intercept"], self.within)

    def _count(self, levels: Levels) -> int:
        return len(self.coefficients) + 1

    def _sought(self, levels: Levels) -> Sought:
        ends = np.array(list(self.bounds.values())).reshape(-1, 2)
        places = np.flatnonzero([isinstance(value, tuple) for _, value in self._named()])
        return Sought(places, ends[:, 0], ends[:, 1] - ends[:, 0], np.tile((0.0, 1.0), (len(ends), 1)))

    def _start(self, rng: np.random.Generator, levels: Levels, is_first: bool) -> NDArray[np.float64]:
        return np.full(len(self.bounds), 0.5) if is_first else rng.uniform(size=len(self.bounds))

    def _found(self, values: NDArray[np.float64]) -> LinearPolicy:
        found = iter(values)
        return self._with(lambda value: plain(next(found)) if isinstance(value, tuple) else value)

    def _numbers(self, variable: str) -> NDArray[np.float64]:
        """Intercept and coefficients, (1, n), or (rows, n)."""
        for name, value in self._named():
            if isinstance(value, tuple):
                raise InvalidValueError(f"do: {name} of the policy of {variable} is {shown(value)}, bounds for optimize, expected a number")
        columns = [numbers(value, FLOAT64, f"do: {name} of the policy of {variable}") for name, value in self._named()]
        shapes = {column.shape for column in columns if column.ndim}
        if len(shapes) > 1 or any(len(shape) > 1 for shape in shapes):
            raise ShapeError(f"do: the policy of {variable} has numbers of shapes {sorted(shapes)}, expected numbers, or equally many one a row")
        return np.ascontiguousarray(np.stack(np.broadcast_arrays(*(np.atleast_1d(column) for column in columns)), 1))

    def __repr__(self) -> str:
        within = "" if self.within == (-np.inf, np.inf) else f", within={self.within}"
        return f"LinearPolicy({shown(self.coefficients)}, intercept={shown(self.intercept)}{within})"


def bounds_of(name: str, given: Any) -> tuple[float, float]:
    """Two finite numbers, the first below the second."""
    try:
        low, high = (number(end, name) for end in given)
    except (TypeError, ValueError):
        raise ArgumentError(f"bounds of {name} are {shown(given)}, expected (lowest, highest)") from None
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InvalidValueError(f"bounds of {name} are {low:g} and {high:g}, expected finite numbers, the first below the second")
    return low, high


def plain(value: Any) -> Any:
    """One number as Python's own."""
    return float(value) if np.ndim(value) == 0 else value


def check_reads(policy: Policy, variables: Sequence[str]) -> None:
    for name in policy._names():
        if name not in variables:
            raise UnknownNameError(unknown("variable", name, variables, "the graph") + f"; a {type(policy).__name__} reads it")


def _kept(value: Any) -> Any:
    """As it is now: a number, a tuple of bounds, or an array of one's own."""
    return value if np.ndim(value) == 0 or isinstance(value, tuple) else np.array(value)
