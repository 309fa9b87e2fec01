"""Which variables do() had set in which rows, as a caller says it, and as the engine takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import mask_bytes
from .errors import ArgumentError, ShapeError, UnknownNameError, shown
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
