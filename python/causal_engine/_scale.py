"""Columns in the user's units, and as a network likes them: mean 0, standard deviation 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidValueError

Columns = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scale:
    """Where each column lies and how far it spreads.

    Attributes
    ----------
    mean, spread
        (columns,), in the user's units. The spread of a column that holds one number only is 1.

    Examples
    --------
    >>> import numpy as np
    >>> scale = Scale.of(np.array([[10.0, 7.0], [30.0, 7.0]]))
    >>> scale.standardized(np.array([[40.0, 8.0]]))
    array([[2., 1.]])
    >>> scale.in_units(np.array([[2.0, 1.0]]))
    array([[40.,  8.]])
    """

    mean: Columns
    spread: Columns

    @classmethod
    def of(cls, columns: Columns) -> Scale:
        """The scale of the columns of (rows, columns)."""
        # One number in all rows is told apart exactly: the computed deviation of a hundred times 0.1 is not 0 but 1e-17.
        constant = columns.min(axis=0) == columns.max(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.where(constant, columns[0], columns.mean(axis=0))
            spread = np.where(constant, 1.0, columns.std(axis=0))
        for index in np.flatnonzero(~np.isfinite(spread) | (spread == 0)):
            raise InvalidValueError(f"column {index} has a spread too large or too small for a number: give it in other units")
        return cls(mean, spread)

    @classmethod
    def none(cls, columns: int) -> Scale:
        """The scale that changes nothing."""
        return cls(np.zeros(columns), np.ones(columns))

    def standardized(self, columns: Columns) -> Columns:
        """From the user's units to the network's."""
        return (columns - self.mean) / self.spread

    def in_units(self, columns: Columns) -> Columns:
        """And back."""
        return columns * self.spread + self.mean
