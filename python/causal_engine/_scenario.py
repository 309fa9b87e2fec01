"""What is done to the variables of a structural model, as a caller writes it, and as the engine takes it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from ctypes import byref, c_char_p
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, address, any_array, mask_bytes, number, numbers, text
from ._bindings import Edit, Function, Handle, library
from ._functions import reads_of
from ._levels import Levels, code_of, labelled
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .features import told, unknown

_SET, _SHIFT, _SCALE, _CLAMP, _COMPUTE = range(5)      # causal_edit_kind


@dataclass(frozen=True)
class Change:
    """A change of what a mechanism says; `shift`, `scale`, `clip` and `change` make one."""

    kind: int
    amount: Any = None
    lower: float = 0.0
    upper: float = 0.0
    function: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        name = {_SET: "setting", _SHIFT: "shift", _SCALE: "scale", _CLAMP: "clip", _COMPUTE: "change"}[self.kind]
        return f"{name}({self.lower:g}, {self.upper:g})" if self.kind == _CLAMP else f"{name}({brief(self.function or self.amount)})"


def shift(amount: Any) -> Change:
    """What the mechanism says, plus `amount`: a number, or one a row.

    Examples
    --------
    >>> shift(0.5)
    shift(0.5)
    """
    return Change(_SHIFT, _kept(amount))


def scale(factor: Any) -> Change:
    """What the mechanism says, times `factor`: a number, or one a row."""
    return Change(_SCALE, _kept(factor))


def clip(lower: float, upper: float) -> Change:
    """What the mechanism says, kept within two bounds; either may be infinite.

    Raises
    ------
    InvalidValueError
        The lower bound is above the upper one.
    """
    low, high = number(lower, "lower"), number(upper, "upper")
    if not low <= high:
        raise InvalidValueError(f"clip: lower is {low:g} and upper {high:g}, expected lower at most upper")
    return Change(_CLAMP, lower=low, upper=high)


def change(function: Callable[..., Any]) -> Change:
    """Any function of what the mechanism says, which is its first argument, and of the variables that its other arguments name.

    Examples
    --------
    >>> halved_in_the_old = change(lambda dose, age: dose / (1 + (age > 60)))
    """
    if not callable(function):
        raise ArgumentError(f"change: {shown(function)}, expected a function of what the mechanism says")
    return Change(_COMPUTE, function=function)


def setting(numbers: NDArray[np.float64]) -> Change:
    """Values to set, where these are numbers already: codes, of a categorical variable."""
    return Change(_SET, numbers)


def brief(value: Any) -> str:
    """How a value is shown in a repr."""
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    if is_distribution(value):
        return f"{getattr(getattr(value, 'dist', value), 'name', type(value).__name__)}"
    return shown(value) if np.ndim(value) == 0 else f"<{len(value)} values>"


class Scenario:
    """Edits in the engine's hands. It keeps alive what the engine calls back, and what went wrong there."""

    def __init__(self, edits: Sequence[tuple[str, Any, Any]], variables: Sequence[str], levels: Levels, rows: int) -> None:
        self.handle = Handle(library.causal_scenario_create, library.causal_scenario_free)
        self._variables = variables
        self._levels = levels
        self._rows = rows
        self._kept: list[Any] = []
        self.error: BaseException | None = None
        for variable, value, where in edits:
            self._add(variable, value, where)

    def _add(self, variable: str, value: Any, where: Any) -> None:
        edit = Edit(variable=text(variable, "variable"))
        if isinstance(value, Change):
            edit.kind = value.kind
            if value.kind == _CLAMP:
                edit.lower, edit.upper = value.lower, value.upper
            elif value.kind == _COMPUTE:
                self._compute(edit, "", value.function, variable, own=variable)
            else:
                self._values(edit, value.amount, variable)
        elif callable(value):
            edit.kind = _COMPUTE
            self._compute(edit, "", value, variable)
        else:
            edit.kind = _SET
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
        values = np.ascontiguousarray(given.reshape(-1))
        edit.values, edit.value_count = address(values), len(values)
        self._kept.append(values)

    def _compute(self, edit: Edit, which: str, function: Any, variable: str | None = None, own: str | None = None) -> None:
        reads = reads_of(function, self._variables, own)
        array = (c_char_p * len(reads))(*(text(name, "a variable") for name in reads))
        callback = Function(self._callback(function, reads, variable))
        self._kept += [array, callback]
        prefix = f"{which}_" if which else ""
        setattr(edit, f"{prefix}reads", ctypes.addressof(array))
        setattr(edit, f"{prefix}read_count", len(reads))
        setattr(edit, which or "function", ctypes.cast(callback, ctypes.c_void_p))

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
        self.error = None
        try:
            function(*arguments)
        except Exception:
            if self.error is not None:
                raise self.error from None
            raise


def edits_in(values: Mapping[str, Any] | None, more: Mapping[str, Any], where: Any, variables: Sequence[str]) -> list[tuple[str, Any, Any]]:
    """(variable, what is done, where) for each edit, in the order in which they were written.

    Names that do not exist are found here, where they were written, and not where the scenario is used.
    """
    edits: list[tuple[str, Any, Any]] = []
    for name, value in told(values, more).items():
        if name not in variables:
            raise UnknownNameError(unknown("variable", name, variables, "the graph"))
        several = value if isinstance(value, (list, tuple)) and value and all(isinstance(one, Change) for one in value) else [_kept(value)]
        edits += [(name, one, _kept(where)) for one in several]
        for one in several:
            if isinstance(one, Change):
                if one.function is not None:
                    reads_of(one.function, variables, own=name)
            elif callable(one) and not is_distribution(one):
                reads_of(one, variables)
    if callable(where):
        reads_of(where, variables)
    return edits


def _kept(value: Any) -> Any:
    """As it is now, whatever becomes of the caller's array."""
    return value.copy() if isinstance(value, (np.ndarray, list)) else value


def is_distribution(value: Any) -> bool:
    """Whether it can be drawn from, as those of scipy.stats can."""
    return hasattr(value, "rvs")
