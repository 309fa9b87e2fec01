"""Mechanisms that are known and not learned: formulas and pretrained networks, functions of a variable's parents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, any_array
from ._bindings import Function
from ._functions import reads_of
from .errors import InvalidValueError, ShapeError, shown


class Formula:
    """A function of a variable's parents as the engine calls it. It must live as long as a model that has it."""

    def __init__(self, function: Callable[..., Any], name: str, parents: Sequence[str]) -> None:
        names = getattr(function, "feature_names", None)
        self._is_model = names is not None or hasattr(function, "network")
        self._reads = list(names or parents) if self._is_model else reads_of(function, parents)
        if sorted(self._reads) != sorted(parents):
            raise InvalidValueError(f"mechanism of {name} reads {shown(self._reads)}, expected the parents {shown(list(parents))}")
        self._function, self._name = function, name
        self._columns = [list(parents).index(read) for read in self._reads]
        self.error: BaseException | None = None
        self.callback = Function(self._call)

    def _call(self, _: Any, arguments: Any, rows: int, columns: int, result: Any) -> int:
        try:
            parents = np.ctypeslib.as_array(arguments, (rows, columns))[:, self._columns].copy()
            np.ctypeslib.as_array(result, (rows,))[:] = self._values(parents)
        except BaseException as error:      # it cannot pass through the engine: it is raised again behind it
            self.error = self.error or error
            return 1
        return 0

    def _values(self, parents: NDArray[np.float64]) -> NDArray[np.float64]:
        answer = self._function(parents) if self._is_model else self._function(*parents.T)
        values = np.asarray(any_array(answer, f"mechanism of {self._name}"), FLOAT64)
        if values.shape == (len(parents), 1):
            values = values[:, 0]
        if values.shape not in ((), (len(parents),)):
            raise ShapeError(f"mechanism of {self._name} gives an array of shape {values.shape}, expected ({len(parents)},)")
        return values

    def reraise(self) -> None:
        """Raises what went wrong in the function, as it was."""
        error, self.error = self.error, None
        if error is not None:
            raise error from None
