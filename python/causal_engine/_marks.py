"""Which variables do() had set in which rows, and which rows are twins, as a caller says it, and as the engine takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import any_array, mask_bytes
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .features import unknown


def marks_in(interventions: Any, variables: Sequence[str], rows: int) -> NDArray[np.uint8] | None:
    """Bytes of (rows, variables), not 0 where do() set the variable; None where nothing was set."""
    if interventions is None:
        return None
    if isinstance(interventions, Mapping) or hasattr(interventions, "columns"):
        marks = np.zeros((rows, len(variables)), np.uint8)
        for name in interventions if isinstance(interventions, Mapping) else interventions.columns:
            if name not in variables:
                raise UnknownNameError(unknown("variable", name, variables, "interventions"))
            column = mask_bytes(np.asarray(interventions[name]), f"interventions: {name}")
            if column.shape not in ((), (rows,)):
                raise ShapeError(f"interventions: {name} of shape {column.shape}, expected ({rows},)")
            marks[:, list(variables).index(name)] = column
        return marks
    if not hasattr(interventions, "__len__"):
        raise ArgumentError(f"interventions is {shown(interventions)}, expected booleans by name, or (rows, variables) of them")
    given = mask_bytes(interventions, "interventions")
    if given.shape != (rows, len(variables)):
        raise ShapeError(f"interventions of shape {given.shape}, expected ({rows}, {len(variables)})")
    return np.ascontiguousarray(given)


def twins_in(twins: Any, rows: int) -> NDArray[np.uint64] | None:
    """By row the number of the row of which it is the counterfactual, the largest of all numbers where it is none; None where no row is one."""
    if twins is None:
        return None
    given = any_array(twins, "twins")
    if given.shape != (rows,):
        raise ShapeError(f"twins of shape {given.shape}, expected ({rows},): by row the number of another, or -1")
    wrong = np.flatnonzero(~((given == np.floor(given)) & (given >= -1) & (given < rows)))
    if wrong.size:
        raise InvalidValueError(f"twins: {shown(given[wrong[0]].item())} in row {wrong[0]}, expected the number of a row, 0 to {rows - 1}, or -1")
    return given.astype(np.int64).view(np.uint64) if (given >= 0).any() else None
