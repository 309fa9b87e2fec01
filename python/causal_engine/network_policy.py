"""Policies that are networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, number, numbers, size
from ._levels import Levels
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .features import unknown
from .policy import Policy, Sought, bounds_of

__all__ = ["NetworkPolicy"]

_STEEPEST = 20.0    # of a weight that is looked for: of standardised numbers a unit is a step by then


@dataclass(frozen=True, repr=False, eq=False)
class NetworkPolicy(Policy):
    """A policy for do() that is a network of other variables: ``low + (high - low) * logistic(network(reads))``. It replaces the variable's mechanism, and
    what it reads becomes a cause.

    `StructuralModel.optimize` learns its weights, from random ones or from those that are given. Gradients reach them through the mechanisms, and
    pass through what it reads. The bounds are approached smoothly, so that no value is without a gradient.

    Parameters
    ----------
    reads
        Names of variables of any kind. A category is told by an indicator of each level, of two by one of the second.
    within
        Bounds of the value, both finite.
    hidden
        Widths of the hidden layers.
    activation
        As in `CausalMLP`.
    weights
        Of each layer the weight (outputs, inputs), row by row, and the bias, one after the other; None before they are learned.
    scales
        By real variable, a mean that is taken off and a scale that it is divided by before the network reads it; variables that are not named are read
        as they are. Where neither weights nor scales are given, `optimize` takes the scales of the values that the policy meets. They are part of the
        policy, which so means the same in every model.

    Raises
    ------
    ArgumentError, InvalidValueError, UnknownNameError
        Nothing to read; bounds that are none or infinite; widths or scales that cannot be; a scale of what it does not read.

    Examples
    --------
    >>> from causal_engine import NetworkPolicy
    >>> NetworkPolicy(["age", "dose"], within=(0, 8), hidden=(8,))
    NetworkPolicy(['age', 'dose'], within=(0.0, 8.0), hidden=(8,), activation='gelu')
    """

    reads: Sequence[str]
    within: tuple[float, float]
    hidden: Sequence[int] = (16,)
    activation: str = "gelu"
    weights: Any = None
    scales: Mapping[str, tuple[float, float]] | None = None

    def __post_init__(self) -> None:
        def keep(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        if not isinstance(self.reads, (list, tuple)) or not self.reads or not all(isinstance(name, str) for name in self.reads):
            raise ArgumentError(f"reads is {shown(self.reads)}, expected names of variables, as in ['age']")
        if len(set(self.reads)) < len(self.reads):
            raise InvalidValueError(f"reads is {shown(self.reads)}, expected each variable once")
        if not isinstance(self.hidden, (list, tuple)):
            raise ArgumentError(f"hidden is {shown(self.hidden)}, expected the widths of hidden layers, such as (16,)")
        keep("reads", tuple(self.reads))
        keep("within", bounds_of("a NetworkPolicy", self.within))
        keep("hidden", tuple(size(width, "hidden") for width in self.hidden))
        if self.weights is not None:
            given = numbers(self.weights, FLOAT64, "weights of a NetworkPolicy")
            if given.ndim != 1:
                raise ShapeError(f"weights of a NetworkPolicy of shape {given.shape}, expected one number after the other")
            keep("weights", given.copy())
        if self.scales is not None:
            keep("scales", {name: _scale_of(name, pair) for name, pair in _mapping(self.scales).items()})
            for name in self.scales:
                if name not in self.reads:
                    raise UnknownNameError(unknown("variable", name, self.reads, "what the NetworkPolicy reads"))

    # ------------------------------------------------------------ what a scenario asks

    def _names(self) -> Sequence[str]:
        return self.reads

    def _amounts(self) -> list[Any]:
        return []       # shared by all rows

    def _with(self, change: Callable[[Any], Any]) -> NetworkPolicy:
        return self

    def _count(self, levels: Levels) -> int:
        widths = self._widths(levels)
        return sum((inputs + 1) * outputs for inputs, outputs in zip(widths, widths[1:]))

    def _widths(self, levels: Levels) -> list[int]:
        codes = [len(levels[name]) if len(levels.get(name, ())) > 2 else 1 for name in self.reads]
        return [sum(codes), *self.hidden, 1]

    def _learned(self, variable: str) -> NDArray[np.float64]:
        if self.weights is None:
            raise InvalidValueError(f"do: the network policy of {variable} has learned nothing yet, expected weights, or optimize before")
        return self.weights     # type: ignore[no-any-return]

    def _scales(self) -> NDArray[np.float64]:
        """A mean and a scale for each variable that it reads."""
        return np.array([(self.scales or {}).get(name, (0.0, 1.0)) for name in self.reads])

    # ------------------------------------------------------------ what the search for the best one asks

    def _scaled(self, levels: Levels, met: Callable[[str], NDArray[np.float64]]) -> NetworkPolicy:
        """With the scales of values that it meets, where it has none and nothing was learned without."""
        if self.scales is not None or self.weights is not None:
            return self
        values = {name: met(name) for name in self.reads if len(levels.get(name, ())) <= 2}
        return replace(self, scales={name: (float(seen.mean()), float(seen.std()) or 1.0) for name, seen in values.items()})

    def _sought(self, levels: Levels) -> Sought:
        count = self._count(levels)
        if self.weights is not None and len(self.weights) != count:
            raise ShapeError(f"over: a NetworkPolicy has {len(self.weights)} weights, expected {count} for the widths "
                             f"{', '.join(map(str, self._widths(levels)))}")
        return Sought(np.arange(count), np.zeros(count), np.ones(count), np.tile((-_STEEPEST, _STEEPEST), (count, 1)))

    def _start(self, rng: np.random.Generator, levels: Levels, is_first: bool) -> NDArray[np.float64]:
        """Those that are given, or as torch.nn.Linear draws them."""
        if is_first and self.weights is not None:
            given: NDArray[np.float64] = np.clip(self.weights, -_STEEPEST, _STEEPEST)
            return given
        widths = self._widths(levels)
        return np.concatenate([rng.uniform(-1, 1, (inputs + 1) * outputs) / np.sqrt(inputs) for inputs, outputs in zip(widths, widths[1:])])

    def _found(self, values: NDArray[np.float64]) -> NetworkPolicy:
        return replace(self, weights=values)

    def __repr__(self) -> str:
        known = "" if self.weights is None else f", weights=<{len(self.weights)} numbers>"
        scales = "" if self.scales is None else f", scales={shown(self.scales)}"
        return f"NetworkPolicy({shown(list(self.reads))}, within={self.within}, hidden={self.hidden}, activation={self.activation!r}{known}{scales})"


def _mapping(scales: Any) -> Mapping[str, Any]:
    if not isinstance(scales, Mapping):
        raise ArgumentError(f"scales are {shown(scales)}, expected (mean, scale) by variable")
    return scales


def _scale_of(name: str, given: Any) -> tuple[float, float]:
    try:
        mean, scale = (number(one, "scales") for one in given)
    except (TypeError, ValueError):
        raise ArgumentError(f"scales of {shown(name)} are {shown(given)}, expected (mean, scale)") from None
    if not (np.isfinite(mean) and np.isfinite(scale) and scale > 0):
        raise InvalidValueError(f"scales of {shown(name)} are {mean:g} and {scale:g}, expected finite numbers, the scale above 0")
    return mean, scale
