"""What is done to the variables of a structural model, in the engine's hands."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import byref, c_char_p, c_size_t
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, address, any_array, mask_bytes, numbers, text
from ._bindings import Edit, Function, Handle, library
from ._changes import CLAMP, COMPUTE, LINEAR, MECHANISM, NETWORK, SET, Change
from ._functions import reads_of
from ._levels import Levels, code_of, labelled
from .errors import InvalidValueError, ShapeError, shown
from .network_policy import NetworkPolicy
from .policy import LinearPolicy

if TYPE_CHECKING:
    from .structural import StructuralModel


class Scenario:
    """Edits in the engine's hands. It keeps alive what the engine calls back, and what went wrong there."""

    def __init__(self, edits: Sequence[tuple[str, Any, Any]], variables: Sequence[str], levels: Levels, rows: int) -> None:
        self.handle = Handle(library.causal_scenario_create, library.causal_scenario_free)
        self._variables = variables
        self._levels = levels
        self._rows = rows
        self._kept: list[Any] = []
        self._sources: list[Scenario] = []      # of interchanges
        self.error: BaseException | None = None
        for variable, value, where in edits:
            self._add(variable, value, where)

    def _add(self, variable: str, value: Any, where: Any) -> None:
        edit = Edit(variable=text(variable, "variable"))
        if isinstance(value, Change):
            edit.kind = value.kind
            edit.layer, edit.unit = value.place or (0, 0)
            if value.kind == CLAMP:
                edit.lower, edit.upper = value.lower, value.upper
            elif value.kind == COMPUTE:
                self._compute(edit, "", value.function, variable, own=variable)
            elif value.source is not None:
                edit.source = value.source.handle.address
                self._sources.append(value.source)
            elif value.model is not None:
                self._take(edit, value.model, variable)
            elif value.kind == MECHANISM:
                self._compute(edit, "", value.function, variable)
                if value.amount is not None:
                    self._values(edit, value.amount, variable)
            else:
                self._values(edit, value.amount, variable)
        elif isinstance(value, LinearPolicy):
            edit.kind, (edit.lower, edit.upper) = LINEAR, value.within
            self._reads(edit, "", list(value.coefficients))
            self._keep(edit, value._numbers(variable).reshape(-1))
        elif isinstance(value, NetworkPolicy):
            self._network(edit, value, variable)
        elif callable(value):
            edit.kind = COMPUTE
            self._compute(edit, "", value, variable)
        else:
            edit.kind = SET
            self._values(edit, code_of(value, variable, self._levels), variable)
        if callable(where):
            self._compute(edit, "condition", where)
        elif where is not None:
            mask = np.ascontiguousarray(mask_bytes(where, "where"))
            if mask.shape != (self._rows,):
                raise ShapeError(f"where of shape {mask.shape}, expected ({self._rows},), one a row, or a function of variables")
            edit.rows, edit.row_count = address(mask), len(mask)
            self._kept.append(mask)
        library.causal_scenario_add(self.handle.address, byref(edit))

    def _values(self, edit: Edit, value: Any, variable: str) -> None:
        given = numbers(value, FLOAT64, f"do: {variable}")
        if given.ndim > 1 or not given.size:
            raise ShapeError(f"do: {variable} of shape {given.shape}, expected a number or one a row")
        self._keep(edit, np.ascontiguousarray(given.reshape(-1)))

    def _keep(self, edit: Edit, values: NDArray[np.float64]) -> None:
        edit.values, edit.value_count = address(values), len(values)
        self._kept.append(values)

    def _network(self, edit: Edit, policy: NetworkPolicy, variable: str) -> None:
        edit.kind, (edit.lower, edit.upper) = NETWORK, policy.within
        self._reads(edit, "", policy.reads)
        self._keep(edit, policy._learned(variable))
        widths, scales = (c_size_t * len(policy.hidden))(*policy.hidden), np.ascontiguousarray(policy._scales())
        edit.hidden, edit.hidden_count, edit.scales = ctypes.addressof(widths), len(widths), address(scales)
        edit.activation = text(policy.activation, "activation")
        self._kept += [widths, scales]

    def _take(self, edit: Edit, model: StructuralModel, variable: str) -> None:
        """The mechanism that another model has now."""
        now = model._now()
        for name in (variable, *model.graph.parents(variable)):
            if now.levels.get(name) != self._levels.get(name):
                raise InvalidValueError(f"new_mechanism: {name} has {_levels_shown(now.levels.get(name))} in the other model, "
                                        f"expected {_levels_shown(self._levels.get(name))} as here")
        edit.model = now.handle.address
        self._kept.append(now)

    def _compute(self, edit: Edit, which: str, function: Any, variable: str | None = None, own: str | None = None) -> None:
        reads = reads_of(function, self._variables, own)
        callback = Function(self._callback(function, reads, variable))
        self._kept.append(callback)
        self._reads(edit, f"{which}_" if which else "", reads)
        setattr(edit, which or "function", ctypes.cast(callback, ctypes.c_void_p))

    def _reads(self, edit: Edit, prefix: str, reads: Sequence[str]) -> None:
        array = (c_char_p * len(reads))(*(text(name, "a variable") for name in reads))
        self._kept.append(array)
        setattr(edit, f"{prefix}reads", ctypes.addressof(array))
        setattr(edit, f"{prefix}read_count", len(reads))

    def _callback(self, function: Any, reads: Sequence[str], variable: str | None) -> Any:
        """What the engine calls: it gives and takes codes where the function knows labels."""
        levels = self._levels.get(variable or "")

        def call(_: Any, arguments: Any, rows: int, columns: int, result: Any) -> int:
            try:
                given = np.ctypeslib.as_array(arguments, (rows, columns)).copy() if columns else np.empty((rows, 0))
                answer = function(*(labelled(column, self._levels.get(name)) for name, column in zip(reads, given.T)))
                if np.shape(answer) not in ((), (rows,)):
                    raise ShapeError(f"a function of {', '.join(reads) or 'nothing'} gave an answer of shape {np.shape(answer)}, "
                                     f"expected ({rows},) or one number")
                if levels is not None:
                    answer = code_of(answer, variable or "", self._levels)
                np.ctypeslib.as_array(result, (rows,))[:] = any_array(answer, "the answer of a function")
            except BaseException as error:      # it cannot pass through the engine: it is raised again behind it
                self.error = self.error or error
                return 1
            return 0

        return call

    def run(self, function: Any, *arguments: Any) -> None:
        """Calls the engine; what went wrong in a function of the scenario is raised as it was."""
        self._forget()
        try:
            function(*arguments)
        except Exception:
            error = self._failure()
            if error is not None:
                raise error from None
            raise

    def _forget(self) -> None:
        self.error = None
        for source in self._sources:
            source._forget()

    def _failure(self) -> BaseException | None:
        return self.error or next((error for source in self._sources if (error := source._failure()) is not None), None)


def _levels_shown(levels: tuple[Any, ...] | None) -> str:
    return "no levels" if levels is None else f"the levels {shown(levels)}"
