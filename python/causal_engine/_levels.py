"""Categorical variables: the levels that they have, and whole numbers from 0 for them, which is what the engine knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ArgumentError, InvalidValueError, UnknownNameError, shown
from .features import unknown

Levels = Mapping[str, tuple[Any, ...]]      # of each categorical variable, in the order of their codes


def levels_in(columns: Mapping[str, Any], variables: Sequence[str], categorical: Any) -> dict[str, tuple[Any, ...]]:
    """The levels of each categorical variable: those that were named, with the levels or without, and columns of booleans, texts or
    categories."""
    named = categories_named(categorical)
    for name in named:
        if name not in variables:
            raise UnknownNameError(unknown("variable", name, variables, "the graph"))
    found: dict[str, tuple[Any, ...]] = {}
    for name in variables:
        dtype = getattr(columns[name], "dtype", None)
        if named.get(name) is not None:
            found[name] = tuple(named[name])
        elif type(dtype).__name__ in ("CategoricalDtype", "Enum"):      # of pandas and of polars: they know their levels and an order of them
            found[name] = tuple(dtype.categories)  # type: ignore[union-attr]
        elif name in named or _holds_labels(columns[name]):
            found[name] = _sorted({_plain(value) for value in entries(columns[name]) if not is_missing(value)}, name)
    for name, levels in found.items():
        if len(set(levels)) < max(2, len(levels)):
            raise InvalidValueError(f"{name} is categorical with the levels {shown(levels)}, expected at least two, all different")
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


def _holds_labels(column: Any) -> bool:
    kind = np.asarray(column).dtype.kind
    if kind == "O":
        return any(isinstance(value, (str, bool, np.bool_)) for value in entries(column))
    return kind in "bSTU"


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _sorted(levels: set[Any], name: str) -> tuple[Any, ...]:
    try:
        return tuple(sorted(levels))
    except TypeError:
        kinds = ", ".join(sorted({type(level).__name__ for level in levels}))
        raise InvalidValueError(
            f"{name} is categorical with levels of several kinds ({kinds}), expected one kind, or their order told by `categorical`") from None


def entries(column: Any) -> list[Any]:
    """The entries of a column as Python's own objects, where they are numbers or texts."""
    listed: list[Any] = np.asarray(column, object).tolist()
    return listed


def is_missing(value: Any) -> bool:
    """Whether an entry stands for nothing: None, NaN, or what pandas has for it."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(np.ndim(value) == 0 and value != value)


def codes_of(column: Any, name: str, levels: Sequence[Any], what: str) -> NDArray[np.float64]:
    """Codes for labels, NaN for those that are missing."""
    code = {level: float(k) for k, level in enumerate(levels)}
    codes = []
    for value in entries(column):
        try:
            codes.append(np.nan if is_missing(value) else code[value])
        except (KeyError, TypeError):       # what cannot be hashed is no level either
            raise InvalidValueError(f"{what}: {name} is {shown(value)}, expected one of {shown(tuple(levels))}") from None
    return np.array(codes, np.float64)


def code_of(value: Any, name: str, levels: Levels) -> Any:
    """What do() sets a variable to, one value or one a row, as numbers; of a real variable it is left as it is."""
    if name not in levels:
        return value
    codes = codes_of(np.atleast_1d(np.asarray(value, object)), name, levels[name], "do")
    return codes[0] if np.ndim(value) == 0 else codes


def labelled(codes: NDArray[np.float64], levels: Sequence[Any] | None) -> NDArray[Any]:
    """Labels for codes, None for NaN; the codes themselves where there are no levels."""
    if levels is None:
        return codes
    labels = np.array(levels) if len({type(level) for level in levels}) == 1 else _objects(levels)
    if np.isnan(codes).any():
        return _objects([None if np.isnan(code) else levels[int(code)] for code in codes])
    chosen: NDArray[Any] = labels[codes.astype(int)]
    return chosen


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    made = np.empty(len(values), object)
    made[:] = values
    return made
