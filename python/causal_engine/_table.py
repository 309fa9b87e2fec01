"""Rows of named variables: data frames, dicts, or matrices in the order of the variables, as doubles; and back."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, any_array, in_kind_of
from ._levels import Levels, codes_of, entries, is_missing, labelled
from .errors import ShapeError, UnknownNameError
from .features import unknown


def columns_in(data: Any, variables: Sequence[str], what: str, optional: bool = False) -> dict[str, Any]:
    """The column of each variable; where they are `optional` some may not be there. What is no variable is left out, but a dict has no
    business to name what it does not mean where any of the variables would do."""
    if _is_frame(data) or isinstance(data, Mapping):
        given = list(data.columns if _is_frame(data) else data)
        known = [name for name in variables if name in given]
        strange = [name for name in given if name not in variables]
        if optional and strange and (not known or isinstance(data, Mapping)):
            raise UnknownNameError(unknown("variable", strange[0], variables, "the graph"))
        if not optional or not known:
            for name in variables:
                if name not in known:
                    raise UnknownNameError(unknown("column", name, list(map(str, given)), what))
        return {name: data[name] for name in known}
    if _is_named_row(data):
        return columns_in({str(name): data[name] for name in data.index}, variables, what, optional)
    matrix = any_array(data, what)
    if matrix.shape == (len(variables),):
        matrix = matrix.reshape(1, -1)
    if matrix.ndim != 2 or matrix.shape[1] != len(variables):
        raise ShapeError(f"{what} of shape {matrix.shape}, expected (rows, {len(variables)}): one column each for {', '.join(variables)}")
    return {name: matrix[:, k] for k, name in enumerate(variables)}


def _is_frame(data: Any) -> bool:
    return hasattr(data, "columns") and not isinstance(data, np.ndarray)


def _is_named_row(data: Any) -> bool:
    """Whether it is a series, whose entries are called after variables."""
    return hasattr(data, "to_frame") and len(getattr(data, "index", ())) > 0 and all(isinstance(name, str) for name in data.index)


def table(data: Any, variables: Sequence[str], levels: Levels, what: str, optional: bool = False) -> NDArray[np.float64]:
    """(rows, variables) of doubles, NaN where a number is missing; categories as codes. One number in a dict holds for all rows. Where columns
    are `optional`, one that is not there is missing throughout."""
    columns = columns_in(data, variables, what, optional)
    numbers = {name: _numbers(column, name, levels.get(name), what) for name, column in columns.items()}
    lengths = {name: len(column) for name, column in numbers.items() if column.ndim}
    rows = next(iter(lengths.values()), 1)
    for name, length in lengths.items():
        if length != rows:
            raise ShapeError(f"{what}: {name} has {length} rows, expected {rows}, as many as {next(iter(lengths))} has")
    made = np.full((rows, len(variables)), np.nan)
    for k, name in enumerate(variables):
        if name in numbers:
            made[:, k] = numbers[name]
    return made


def _numbers(column: Any, name: str, levels: Sequence[Any] | None, what: str) -> NDArray[np.float64]:
    if np.ndim(column) > 1:
        raise ShapeError(f"{what}: {name} of shape {np.shape(column)}, expected one column of that name")
    if levels is not None:
        codes = codes_of(np.atleast_1d(np.asarray(column, object)), name, levels, what)
        return codes if np.ndim(column) else codes[0]       # type: ignore[no-any-return]
    if np.ndim(column) == 0 and is_missing(column):
        return np.array(np.nan)
    if getattr(column, "dtype", None) == object or isinstance(column, (list, tuple)):
        column = [np.nan if is_missing(value) else value for value in entries(column)]
    return np.asarray(any_array(column, f"{what}: {name}"), FLOAT64)


def in_table_of(given: Any, values: NDArray[np.float64], variables: Sequence[str], levels: Levels) -> Any:
    """An answer in the kind of table that the question was, with the labels of those categorical variables of which `levels` are told: a
    data frame with its index, a dict, a matrix; where there was no question, a data frame of pandas or polars if in use, else a dict."""
    columns = {name: labelled(values[:, k], levels.get(name)) for k, name in enumerate(variables)}
    for library in ("pandas", "polars"):
        frames = sys.modules.get(library)
        if frames is None:
            continue
        if given is None or isinstance(given, frames.DataFrame):
            if library == "polars":
                return frames.DataFrame(columns)
            made = frames.DataFrame(columns, index=None if given is None else given.index)
            for name in levels:
                if given is not None and name in given and isinstance(given[name].dtype, frames.CategoricalDtype):
                    made[name] = made[name].astype(given[name].dtype)
            return made
        if isinstance(given, frames.Series) and _is_named_row(given):
            return frames.Series({name: column[0] for name, column in columns.items()}, name=given.name)
    if given is None or isinstance(given, Mapping):
        return columns
    return in_kind_of(given, np.column_stack([np.asarray(column, FLOAT64) for column in columns.values()]), None)
