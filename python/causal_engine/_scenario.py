"""What is done to the variables of a structural model, as a caller writes it, and as the engine takes it."""

from __future__ import annotations

import ctypes
import inspect
from collections.abc import Callable, Mapping, Sequence
from ctypes import byref, c_char_p
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, address, any_array, mask_bytes, number, numbers, text
from ._bindings import Edit, Function, Handle, library
from .errors import ArgumentError, InvalidValueError, ShapeError, shown
from .features import told

_SET, _SHIFT, _SCALE, _CLAMP, _COMPUTE = range(5)      # causal_edit_kind


@dataclass(frozen=True)
class Change:
    """A change of what a mechanism says; `shift`, `scale`, `clip` and `change` make one."""

    kind: int
    amount: Any = None
    lower: float = 0.0
    upper: float = 0.0
    function: Callable[..., Any] | None = None
    reads: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        name = {_SHIFT: "shift", _SCALE: "scale", _CLAMP: "clip", _COMPUTE: "change"}[self.kind]
        return f"{name}({self.lower:g}, {self.upper:g})" if self.kind == _CLAMP else f"{name}({brief(self.function or self.amount)})"


def shift(amount: Any) -> Change:
    """What the mechanism says, plus `amount`: a number, or one a row.

    Examples
    --------
    >>> shift(0.5)
    shift(0.5)
    """
    return Change(_SHIFT, amount)


def scale(factor: Any) -> Change:
    """What the mechanism says, times `factor`: a number, or one a row."""
    return Change(_SCALE, factor)


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
    return Change(_COMPUTE, function=function)


def brief(value: Any) -> str:
    """How a value is shown in a repr."""
    if callable(value):
        return f"{getattr(value, '__name__', type(value).__name__)}"
    return shown(value) if np.ndim(value) == 0 else f"<{len(value)} values>"


class Scenario:
    """Edits in the engine's hands. It keeps alive what the engine calls back, and what went wrong there."""

    def __init__(self, edits: Sequence[tuple[str, Any, Any]], variables: Sequence[str], rows: int, draw: Callable[[Any, int], Any]) -> None:
        self.handle = Handle(library.causal_scenario_create, library.causal_scenario_free)
        self._variables = variables
        self._rows = rows
        self._kept: list[Any] = []
        self.error: BaseException | None = None
        for place, (variable, value, where) in enumerate(edits):
            self._add(variable, draw(value, place), where)

    def _add(self, variable: str, value: Any, where: Any) -> None:
        edit = Edit(variable=text(variable, "variable"))
        if isinstance(value, Change):
            edit.kind = value.kind
            if value.kind == _CLAMP:
                edit.lower, edit.upper = value.lower, value.upper
            elif value.kind == _COMPUTE:
                self._compute(edit, "", value.function, own=variable)
            else:
                self._values(edit, value.amount, variable)
        elif callable(value):
            edit.kind = _COMPUTE
            self._compute(edit, "", value)
        else:
            edit.kind = _SET
            self._values(edit, value, variable)
        if callable(where):
            self._compute(edit, "condition", where)
        elif where is not None:
            mask = np.ascontiguousarray(mask_bytes(where, "where").reshape(-1))
            if len(mask) != self._rows:
                raise ShapeError(f"where: {len(mask)} entries, expected {self._rows}, one a row")
            edit.rows, edit.row_count = address(mask), len(mask)
            self._kept.append(mask)
        library.causal_scenario_add(self.handle.address, byref(edit))

    def _values(self, edit: Edit, value: Any, variable: str) -> None:
        values = np.ascontiguousarray(numbers(value, FLOAT64, variable).reshape(-1))
        edit.values, edit.value_count = address(values), len(values)
        self._kept.append(values)

    def _compute(self, edit: Edit, which: str, function: Any, own: str | None = None) -> None:
        reads = _reads(function, own)
        array = (c_char_p * len(reads))(*(text(name, "a variable") for name in reads))
        callback = Function(self._callback(function, len(reads)))
        self._kept += [array, callback]
        prefix = f"{which}_" if which else ""
        setattr(edit, f"{prefix}reads", ctypes.addressof(array))
        setattr(edit, f"{prefix}read_count", len(reads))
        setattr(edit, which or "function", ctypes.cast(callback, ctypes.c_void_p))

    def _callback(self, function: Any, count: int) -> Any:
        def call(_: Any, arguments: Any, rows: int, columns: int, result: Any) -> int:
            try:
                given = np.ctypeslib.as_array(arguments, (rows, columns)).copy() if columns else np.empty((rows, 0))
                answer = np.asarray(any_array(function(*given.T), "the answer of a function"), FLOAT64)
                if answer.shape not in ((), (rows,)):
                    raise ShapeError(f"a function of {count} variables gave an answer of shape {answer.shape}, expected ({rows},) or one number")
                np.ctypeslib.as_array(result, (rows,))[:] = answer
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


def _reads(function: Any, own: str | None) -> list[str]:
    """The variables that a function reads: those that its arguments are called after."""
    named = getattr(function, "reads", None)
    if named is not None:
        return [*([] if own is None else [own]), *named]
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise ArgumentError(f"{brief(function)} does not say what it reads, expected a function whose arguments are names of variables") from None
    names = [parameter.name for parameter in parameters if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]
    return names if own is None else [own, *names[1:]]


def reading(*variables: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Says which variables a function reads, where their names are no identifiers.

    Examples
    --------
    >>> policy = reading("blood pressure")(lambda pressure: pressure > 140)
    """
    def note(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: NDArray[Any]) -> Any:
            return function(*arguments)

        call.reads = variables  # type: ignore[attr-defined]
        call.__name__ = getattr(function, "__name__", "function")
        return call

    return note


def edits_in(values: Mapping[str, Any] | None, more: Mapping[str, Any], where: Any) -> list[tuple[str, Any, Any]]:
    """(variable, what is done, where) for each edit, in the order in which they were written."""
    edits = []
    for name, value in told(values, more).items():
        several = value if isinstance(value, (list, tuple)) and value and all(isinstance(one, Change) for one in value) else [value]
        edits += [(name, one, where) for one in several]
    return edits
