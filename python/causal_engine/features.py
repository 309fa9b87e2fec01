"""Features by name: columns of data frames, and do() without a mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import mask_bytes, numbers
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown, warn

if TYPE_CHECKING:
    from ._intervention import Interventions
    from ._network import Network
    from .model import CausalModel


def checked_names(names: Any, count: int, what: str) -> tuple[str, ...] | None:
    """`count` names, all different; None where there are none."""
    if names is None:
        return None
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ArgumentError(f"{what} is {shown(names)}, expected a list of {count} names")
    given = tuple(str(name) for name in names)
    if len(given) != count:
        raise ShapeError(f"{what}: {len(given)} names, expected {count}")
    repeated = {name for name in given if given.count(name) > 1} if len(set(given)) < count else ()
    if repeated:
        raise InvalidValueError(f"{what}: {shown(sorted(repeated)[0])} is there twice, expected different names")
    return given


def names_in(data: Any) -> tuple[str, ...] | None:
    """The names of a data frame's columns; None where the data has none."""
    columns = getattr(data, "columns", None)
    if columns is None and getattr(data, "name", None) is not None and hasattr(data, "to_frame"):
        columns = [data.name]           # a series
    if columns is None or isinstance(data, np.ndarray):
        return None
    names = tuple(columns)
    return names if all(isinstance(name, str) for name in names) else None


def in_order(data: Any, names: Sequence[str] | None, what: str = "x") -> Any:
    """A data frame's columns, or a series' entries, in the order of the features, whatever order they have; anything else as it
    is."""
    if names is None or isinstance(data, np.ndarray):
        return data
    given = names_in(data) if not hasattr(data, "to_frame") else _labels(data)
    if given is None or given == tuple(names):
        return data
    for name in names:
        if name not in given:
            raise UnknownNameError(unknown("column", name, given, what))
    return data[list(names)]


def _labels(series: Any) -> tuple[str, ...] | None:
    """What the entries of a series are called; None where they are numbered."""
    labels = tuple(getattr(series, "index", ()))
    return labels if labels and all(isinstance(label, str) for label in labels) else None


def index_of(name: Any, names: Sequence[str] | None, what: str = "feature", where: str = "the model") -> int:
    """Which feature, or whatever else has these names, a name stands for."""
    if names is None:
        raise UnknownNameError(f"no feature is named {shown(name)}: neither the model nor x names its features")
    if name not in names:
        raise UnknownNameError(unknown(what, name, names, where))
    return names.index(name)


def unknown(what: str, name: Any, names: Sequence[str], where: str) -> str:
    """Says that a name does not exist, with those near to it."""
    import difflib      # for an error only

    near = difflib.get_close_matches(str(name), names, n=3) or list(names)[:8]
    return f"no {what} of {where} is named {shown(name)}; near it: {', '.join(map(shown, near))}"


def told(values: Mapping[Any, Any] | None, more: Mapping[str, Any]) -> dict[Any, Any]:
    """What do() is told to set: values in a mapping and by keyword together, one at least."""
    if values is not None and not isinstance(values, Mapping):
        raise ArgumentError(f"do: {type(values).__name__}, expected values by feature, as in do(x2=0.5)")
    both = {**(values or {}), **more}
    if not both:
        raise ArgumentError("do: nothing is set, expected values by feature, as in do(x2=0.5)")
    return both


class IntervenedModel:
    """A model under do(): call it with x. `CausalUnit.do` and `CausalMLP.do` make it.

    Attributes
    ----------
    model
        The model, which stays as it is.
    interventions
        `{0: (do_mask, do_values)}`, as the model takes them; None where only the columns of x will tell which features are meant.
    """

    def __init__(self, model: CausalModel, values: Mapping[str, Any] | None, more: Mapping[str, Any], where: Any) -> None:
        self.model = model
        self._set = told(values, more)
        self._where = where
        names = model.feature_names
        self.interventions: Interventions | None = None if names is None else self._by_layer(names)

    def __call__(self, x: Any) -> Any:
        """y (rows, outputs) for x (rows, features), or (outputs,) for (features,), of the kind of array that x is."""
        index: Any = getattr(x, "index", None)
        rows: Any = getattr(self._where, "index", None)
        if hasattr(index, "equals") and hasattr(rows, "equals") and not index.equals(rows):
            raise ShapeError("do: `where` has another index than x, expected the same rows in the same order")
        return self.model._call(x, self.interventions or self._by_layer(names_in(x)))

    def _by_layer(self, names: Sequence[str] | None) -> Interventions:
        mask, values = _mask_and_values(self.model.network, names, self._set)
        if self._where is not None:
            where = mask_bytes(self._where, "do: where")
            if where.ndim != 1:
                raise ShapeError(f"do: where of shape {where.shape}, expected (rows,)")
            mask = (where != 0)[:, None] & mask
        _warn_of_nan(mask, values, names)
        return {0: (mask, values)}

    predict = __call__

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={shown(value)}" for name, value in self._set.items())
        return f"{self.model!r}.do({values}{'' if self._where is None else ', where=...'})"


def _mask_and_values(
    network: Network, names: Sequence[str] | None, given: Mapping[str, Any],
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    if names is not None and len(names) != network.inputs:
        raise ShapeError(f"x has {len(names)} columns, expected {network.inputs}")
    columns = {index_of(name, names): numbers(value, network.dtype, f"do: {name}") for name, value in given.items()}
    for name, column in zip(given, columns.values()):
        if column.ndim > 1:
            raise ShapeError(f"do: {name} of shape {column.shape}, expected a number or (rows,)")
    rows = {len(column) for column in columns.values() if column.ndim}
    if len(rows) > 1:
        raise ShapeError(f"do: values for {' and '.join(map(str, sorted(rows)))} rows, expected equally many")
    mask = np.zeros(network.inputs, np.bool_)
    values = np.zeros((rows.pop(), network.inputs) if rows else network.inputs, network.dtype)
    for index, column in columns.items():
        mask[index] = True
        values[..., index] = column
    return mask, values


def _warn_of_nan(mask: NDArray[np.bool_], values: NDArray[Any], names: Sequence[str] | None) -> None:
    """A row in which a value is set that was never given: the answer there is NaN, as is right, and seldom what was meant."""
    missing = np.isnan(values)
    if not missing.any() or (mask.ndim == values.ndim == 2 and mask.shape != values.shape):     # shapes that the model will refuse
        return
    rows, columns = np.nonzero(np.atleast_2d(mask & missing))
    if len(rows):
        where = "" if values.ndim == 1 else f" in {len(set(rows))} of the rows in which it is set, row {rows[0]} first"
        warn(f"do: {names[columns[0]] if names else columns[0]} is NaN{where}: so is the answer")
