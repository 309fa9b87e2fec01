"""A number with what is known of its error."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate"]


@dataclass(frozen=True, repr=False)
class Estimate:
    """What a structural model estimates: one number, or an array of them for as many scenarios or rows. `StructuralModel.effect` and
    `ScenarioView.mean` make it.

    Attributes
    ----------
    value
        The mean over the members of the ensemble.
    interval
        (low, high) at `level`, from the spread of the members (a normal distribution) and the error of the simulation. With
        ``fit(members=..., bootstrap=True)`` it covers what few rows leave open; without, only where training ended and what was drawn.
    level
        Of the interval.
    members
        What each member says, along the first axis.
    error
        The standard error of the simulation, which more `draws` make smaller.
    """

    value: Any
    interval: tuple[Any, Any]
    level: float
    members: NDArray[Any]
    error: Any

    @classmethod
    def of(cls, means: NDArray[Any], errors: NDArray[Any], level: float) -> Estimate:
        """From the `means` of each member, (members, ...), and the standard `errors` of these, with an interval at `level`."""
        count = len(means)
        value, error = means.mean(0), np.sqrt((errors ** 2).sum(0)) / count
        # Members were simulated apart: what that adds to their spread is not theirs.
        spread = np.maximum(means.var(0, ddof=1) - (errors ** 2).mean(0), 0) if count > 1 else 0.0
        half = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(spread + error ** 2)
        return cls(_plain(value), (_plain(value - half), _plain(value + half)), level, means, _plain(error))

    def __float__(self) -> float:
        return float(np.asarray(self.value).item())

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else repr(self)

    def __repr__(self) -> str:
        if np.ndim(self.value):
            return f"Estimate(of {np.size(self.value)} values)"
        low, high = self.interval
        return f"Estimate({self.value:.4g}, {self.level:.0%} interval {low:.4g} to {high:.4g}, {len(self.members)} members)"


def _plain(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else value
