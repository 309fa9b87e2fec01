"""How much of a graph's order shows in numbers that have nothing to do with causes (Reisach et al. 2021, 2023)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sortability"]


class Sortability(NamedTuple):
    """How well an order by numbers that say nothing of causes agrees with the directed paths of a graph, 0 to 1; 0.5 is what chance gives.
    `discover` makes it of the graph that it finds.

    Attributes
    ----------
    variance
        Of the order by variance (varsortability). Near 1, a method that is not invariant to units can find the graph of simulated data by
        sorting, and its success there tells nothing; `discover` is invariant.
    r2
        Of the order by how well the other variables predict each (R2-sortability), which units do not change. Near 1, data may be simulated in
        a way that gives the order away.
    """

    variance: float
    r2: float


def sortability(values: NDArray[np.float64], adjacency: NDArray[np.uint8]) -> Sortability:
    """Of the rows that a graph, given as the matrix of its directed edges, was found in."""
    variances = values.var(axis=0)
    scaled = (values - values.mean(axis=0)) / np.sqrt(np.where(variances > 0, variances, 1))
    if len(scaled) > scaled.shape[1] + 1:
        precision = np.linalg.pinv(np.cov(scaled, rowvar=False, bias=True).reshape(scaled.shape[1], -1), hermitian=True)
        explained = 1 - 1 / np.maximum(np.diag(precision), 1)
    else:       # everything explains everything
        explained = np.ones(scaled.shape[1])
    return Sortability(_agreement(variances, adjacency), _agreement(explained, adjacency))


def _agreement(numbers: NDArray[np.float64], adjacency: NDArray[np.uint8]) -> float:
    """The share of the directed paths, of each length, along which the number grows; ties count half."""
    edges = adjacency != 0
    difference = numbers[None, :] - numbers[:, None]
    close = np.abs(difference) <= 1e-9 * np.maximum(np.abs(numbers).max(), 1e-300)
    grows = np.where(close, 0.5, difference > 0)
    paths, agreed, all_paths = edges.copy(), 0.0, 0
    while paths.any():
        agreed += float(grows[paths].sum())
        all_paths += int(paths.sum())
        paths = (paths.astype(np.float32) @ edges.astype(np.float32)) > 0       # in whole numbers numpy would take long
    return agreed / all_paths if all_paths else 0.5
