"""What an estimator is told to set, in each of the ways of telling: by layer, by feature, by arrays that follow their rows."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, mask_bytes, numbers
from ._doubts import Doubts
from ._intervention import edits_of
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .features import index_of

Interventions = Mapping[Any, tuple[Any, Any]]
"""`{layer: (do_mask, do_values)}`, or `{name of a feature: (rows, value)}`."""

Site = tuple[NDArray[np.bool_], NDArray[np.float64]]
"""Mask and values, each (1, width), for all rows, or (rows, width)."""


def sites_of(
    interventions: Interventions | None, do_mask: Any, do_values: Any, widths: Sequence[int], rows: int,
    names: Sequence[str] | None, doubts: Doubts | None = None, x: Any = None,
) -> dict[int, Site]:
    """By layer what is set there, checked, in the user's units. `doubts` are shown it, with the features x.

    Parameters
    ----------
    interventions
        `{layer: (do_mask, do_values)}`; a feature may be a key too: `{"dose": (rows, value)}`.
    do_mask, do_values
        Those of the features alone.
    widths
        Of the layers: features, hidden layers, output.
    names
        Of the features, or None.
    """
    if interventions is not None and not isinstance(interventions, Mapping):
        raise ArgumentError(f"interventions: {type(interventions).__name__}, expected {{layer: (do_mask, do_values)}}")
    told = dict(interventions or {})
    by_layer = {key: pair for key, pair in told.items() if not isinstance(key, str)}
    by_name = {column_of(key, names, widths[0]): _pair(key, pair) for key, pair in told.items() if isinstance(key, str)}
    ways = {"layer 0": by_layer[0]} if 0 in by_layer else {}
    if by_name:
        ways["names"] = set_columns(by_name, widths[0], rows)
    if do_mask is not None or do_values is not None:
        ways["do_mask and do_values"] = do_mask, do_values
    if len(ways) > 1:
        raise InvalidValueError(f"interventions: the features are set by {' and by '.join(ways)}, expected one of these")
    by_layer.update({0: way for way in ways.values()})
    edits = edits_of(by_layer, widths, rows, FLOAT64, names)
    if doubts is not None:
        doubts.see(x, [edit._replace(given_shape=()) if by_name and edit.site == 0 else edit for edit in edits])
    return {edit.site: (edit.mask.astype(bool), edit.values) for edit in edits}


def column_of(key: Any, names: Sequence[str] | None, width: int) -> int:
    """The column that a feature's name, or its number, stands for."""
    if isinstance(key, str):
        return index_of(key, names)
    try:
        column = operator.index(key)
    except TypeError:
        column = -1
    if not 0 <= column < width:
        raise UnknownNameError(f"there is no column {shown(key)}, expected a name or 0 to {width - 1}")
    return column


def set_columns(columns: Mapping[int, tuple[Any, Any]], width: int, rows: int) -> Site:
    """Mask and values (rows, width) from pairs (which rows, value) by column; each is one for all rows, or (rows,)."""
    mask, values = np.zeros((rows, width), np.bool_), np.zeros((rows, width))
    for column, (where, value) in columns.items():
        mask[:, column] = _of_rows(mask_bytes(where, f"do: rows of column {column}"), f"do: rows of column {column}", rows)
        values[:, column] = _of_rows(numbers(value, FLOAT64, f"do: column {column}"), f"do: value of column {column}", rows)
    return mask, values


def _pair(key: str, pair: Any) -> tuple[Any, Any]:
    try:
        where, value = pair
    except (TypeError, ValueError):
        raise InvalidValueError(f"intervention on {shown(key)}: expected a pair (rows, value)") from None
    if where is None or value is None:
        raise ArgumentError(f"intervention on {shown(key)}: expected a pair (rows, value), None is neither")
    return where, value


def _of_rows(array: NDArray[Any], name: str, rows: int) -> NDArray[Any]:
    if array.shape not in ((), (rows,)):
        raise ShapeError(f"{name}: shape {array.shape}, expected one for all, or ({rows},)")
    return array


def taken(sites: Mapping[int, Site], rows: NDArray[np.intp]) -> dict[int, Site]:
    """The interventions on some of the rows."""
    return {site: (_rows_of(mask, rows), _rows_of(values, rows)) for site, (mask, values) in sites.items()}


def _rows_of(array: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[Any]:
    return array if len(array) == 1 else array[rows]
