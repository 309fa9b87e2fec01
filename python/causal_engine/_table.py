"""Rows of named variables: data frames, or matrices in the order of the variables, as doubles; and back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, any_array
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .features import unknown

Levels = Mapping[str, tuple[Any, ...]]      # of each categorical variable, in the order of their codes


def levels_in(data: Any, variables: Sequence[str], categorical: Any) -> dict[str, tuple[Any, ...]]:
    """The levels of each categorical variable: those that were named, with the levels or without, and columns of a data frame that hold
    booleans, texts or categories."""
    named = categories_named(categorical)
    for name in named:
        if name not in variables:
            raise UnknownNameError(unknown("variable", name, variables, "the graph"))
    found: dict[str, tuple[Any, ...]] = {}
    for place, name in enumerate(variables):
        column = _column(data, name, place)
        if column is None:
            continue
        dtype = str(getattr(column, "dtype", ""))
        if named.get(name) is not None:
            found[name] = tuple(named[name])
        elif dtype == "category":
            found[name] = tuple(column.cat.categories.tolist())
        elif name in named or dtype.startswith("<U") or dtype in ("bool", "boolean", "object", "str", "string"):
            values = [value for value in np.asarray(column, object).tolist() if not _is_missing(value)]
            found[name] = tuple(sorted(set(values)))
    for name, levels in found.items():
        if len(levels) < 2:
            raise InvalidValueError(f"{name} is categorical with the levels {shown(levels)}, expected at least two")
    return found


def categories_named(categorical: Any) -> dict[str, Any]:
    """The levels of the variables that were named to be categorical; None where the data tell them."""
    return dict(categorical) if isinstance(categorical, Mapping) else dict.fromkeys(_names(categorical))


def _names(categorical: Any) -> list[str]:
    if isinstance(categorical, str):
        return [categorical]
    if not isinstance(categorical, Iterable):
        raise ArgumentError(f"categorical is {shown(categorical)}, expected names of variables, or levels by name")
    return list(categorical)


def _column(data: Any, name: str, place: int) -> Any:
    if hasattr(data, "columns") and not isinstance(data, np.ndarray):
        if name not in data.columns:
            raise UnknownNameError(unknown("column", name, [str(column) for column in data.columns], "data"))
        return data[name]
    if isinstance(data, Mapping):
        if name not in data:
            raise UnknownNameError(unknown("column", name, [str(column) for column in data], "data"))
        return np.asarray(data[name])
    matrix = np.asarray(data)
    return matrix[:, place] if matrix.ndim == 2 and matrix.shape[1] > place else None


def table(data: Any, variables: Sequence[str], levels: Levels, what: str, optional: bool = False) -> NDArray[np.float64]:
    """(rows, variables) of doubles, NaN where a number is missing; categories as codes. Where columns are `optional`, one that is not there is
    missing throughout."""
    if (hasattr(data, "columns") and not isinstance(data, np.ndarray)) or isinstance(data, Mapping):
        known = [name for name in variables if name in (data.columns if hasattr(data, "columns") else data)]
        absent = [name for name in variables if name not in known]
        if absent and not (optional and known):
            raise UnknownNameError(unknown("column", absent[0], [str(name) for name in data], what))
        columns = {name: _codes(data[name], name, levels.get(name), what) for name in known}
        rows = len(next(iter(columns.values())))
        return np.column_stack([columns.get(name, np.full(rows, np.nan)) for name in variables])
    matrix = any_array(data, what)
    if matrix.ndim == 1 and len(variables) == len(matrix):
        matrix = matrix.reshape(1, -1)
    if matrix.ndim != 2 or matrix.shape[1] != len(variables):
        raise ShapeError(f"{what} of shape {matrix.shape}, expected (rows, {len(variables)}): one column each for {', '.join(variables)}")
    return np.column_stack([_codes(matrix[:, k], name, levels.get(name), what) for k, name in enumerate(variables)]) if len(matrix) \
        else np.empty((0, len(variables)))


def _codes(column: Any, name: str, levels: Sequence[Any] | None, what: str) -> NDArray[np.float64]:
    if levels is None:
        return np.asarray(any_array(column, f"{what}: {name}"), FLOAT64)
    code = {level: float(k) for k, level in enumerate(levels)}
    values = np.asarray(column, object).tolist()
    try:
        return np.array([np.nan if _is_missing(value) else code[value] for value in values])
    except KeyError as error:
        raise InvalidValueError(f"{what}: {name} is {shown(error.args[0])}, expected one of {shown(levels)}") from None


def _is_missing(value: Any) -> bool:
    return value is None or value != value or type(value).__name__ == "NAType"


def code_of(value: Any, name: str, levels: Levels) -> Any:
    """A value, or one a row, of a variable as a number."""
    if name not in levels:
        return value
    codes = _codes(np.atleast_1d(np.asarray(value, object)), name, levels[name], "do")
    return codes[0] if np.ndim(value) == 0 else codes


def in_table_of(given: Any, values: NDArray[np.float64], variables: Sequence[str], levels: Levels) -> Any:
    """An answer in the kind of table that the question was: a data frame with its index and its levels, or a matrix of codes."""
    if given is None or (hasattr(given, "columns") and not isinstance(given, np.ndarray)):
        for library in ("pandas", "polars"):
            frames = sys.modules.get(library)
            if frames is not None and (given is None or isinstance(given, frames.DataFrame)):
                columns = {name: _labelled(values[:, k], levels.get(name)) for k, name in enumerate(variables)}
                if library == "pandas":
                    return frames.DataFrame(columns, index=None if given is None else given.index)
                return frames.DataFrame(columns)
    if isinstance(given, Mapping):
        return {name: _labelled(values[:, k], levels.get(name)) for k, name in enumerate(variables)}
    return values


def _labelled(codes: NDArray[np.float64], levels: Sequence[Any] | None) -> Any:
    if levels is None or np.isnan(codes).any():
        return codes if levels is None else np.array([None if np.isnan(code) else levels[int(code)] for code in codes], object)
    return np.array(levels)[codes.astype(int)]
