"""What is done to the variables of a structural model, as a caller writes it, and as the engine takes it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from ctypes import byref, c_char_p
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT64, address, any_array, mask_bytes, number, numbers, seed, text
from ._bindings import Edit, Function, Handle, library
from ._functions import reads_of
from ._levels import Levels, code_of, labelled
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .features import told, unknown
from .policy import LinearPolicy, check_reads

if TYPE_CHECKING:
    from .structural import StructuralModel

_SET, _SHIFT, _SCALE, _CLAMP, _COMPUTE, _MECHANISM, _LINEAR, _UNIT, _INTERCHANGE, _INTERCHANGE_UNIT = range(10)      # causal_edit_kind


@dataclass(frozen=True)
class Change:
    """A change of what a mechanism says, or another mechanism; `shift`, `scale`, `clip`, `change`, `new_mechanism` and `interchange` make one."""

    kind: int
    amount: Any = None
    lower: float = 0.0
    upper: float = 0.0
    function: Callable[..., Any] | None = None
    model: StructuralModel | None = None
    source: Any = None                      # a ScenarioView, or what became of it in the engine
    place: tuple[int, int] | None = None    # hidden layer and unit

    @property
    def has_gradient(self) -> bool:
        """Whether a gradient reaches `amount`."""
        return self.kind in (_SET, _SHIFT, _SCALE, _UNIT)

    def __repr__(self) -> str:
        if self.kind == _UNIT:
            return brief(self.amount)
        if self.source is not None:
            return f"interchange({self.source!r})"
        name = {_SET: "setting", _SHIFT: "shift", _SCALE: "scale", _CLAMP: "clip", _COMPUTE: "change", _MECHANISM: "new_mechanism"}[self.kind]
        if self.kind == _MECHANISM:
            noise = "" if self.amount is None else f", noise={brief(self.amount)}"
            return f"{name}({brief(self.function) if self.function else repr(self.model)}{noise})"
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


def new_mechanism(source: Any, noise: Any = None) -> Change:
    """Another mechanism with noise instead of a variable's own.

    Parameters
    ----------
    source
        Another `StructuralModel`, whose mechanism of the variable of the same name it is: that variable's parents there become causes here. Or a
        function of variables, which its arguments name: to what it gives comes noise.
    noise
        With a function: a distribution to draw it from (anything with an ``rvs``), independent of all else; None for the noise that the variable
        has, which its own mechanism must add ("linear" or "additive").

    Notes
    -----
    A counterfactual keeps the noise that was abducted, as far as the new mechanism takes the same. That of a flow or of a categorical variable
    has the same law in all models, and stays what it is. Noise that was learned, the residuals of the other mechanisms, is
    taken over by its rank: what was the nine-tenths quantile given the parents is so again, the coupling that monotone noise stands for.
    Samples have the other model's distribution given the parents. Noise from a distribution is new: what was abducted says
    nothing of it, and a counterfactual integrates over it. Categorical variables with causes in one of the two models only are refused.

    Raises
    ------
    ArgumentError
        `source` is neither; noise for the mechanism of a model, which brings its own; noise that cannot be drawn from.

    Examples
    --------
    >>> from causal_engine import new_mechanism
    >>> new_mechanism(lambda age: age / 20)
    new_mechanism(<lambda>)
    """
    from .structural import StructuralModel

    if not isinstance(source, StructuralModel) and not callable(source):
        raise ArgumentError(f"new_mechanism: {shown(source)}, expected a StructuralModel or a function of variables")
    if noise is not None and not is_distribution(noise):
        raise ArgumentError(f"new_mechanism: noise is {shown(noise)}, expected a distribution to draw from, such as scipy.stats.norm(0, 1)")
    if isinstance(source, StructuralModel):
        if noise is not None:
            raise ArgumentError("new_mechanism: noise beside a StructuralModel, whose mechanism brings its own")
        return Change(_MECHANISM, model=source)
    return Change(_MECHANISM, noise, function=source)


def interchange(source: Any) -> Change:
    """The value that a variable, or a hidden unit, has in another run, with the same rows and the same noise.

    Parameters
    ----------
    source
        The other run: the same model under do(), or the model itself, for no intervention. Gradients take what comes from there for given.

    Raises
    ------
    ArgumentError
        `source` is neither.

    Examples
    --------
    What x does to y past m, which stays what it is without x, the natural direct effect:

    >>> from causal_engine import StructuralModel, interchange
    >>> model = StructuralModel([("x", "m"), ("m", "y"), ("x", "y")])
    >>> model.do(x=1, m=interchange(model.do(x=0)))
    StructuralModel(3 variables: x -> m, x -> y, m -> y).do(x=1).do(m=interchange(StructuralModel(3 variables: x -> m, x -> y, m -> y).do(x=0)))
    """
    from .scenario import ScenarioView
    from .structural import StructuralModel

    if isinstance(source, StructuralModel):
        source = ScenarioView(source, ())
    if not isinstance(source, ScenarioView):
        raise ArgumentError(f"interchange: {shown(source)}, expected a model, or a model under do()")
    return Change(_INTERCHANGE, source=source)


def unit_edits(units: Any, variables: Sequence[str]) -> list[tuple[str, Any, Any]]:
    """(variable, what is done to a hidden unit, where) for each."""
    if not isinstance(units, Mapping) or not units:
        raise ArgumentError(f"units is {shown(units)}, expected values by (variable, hidden layer, unit)")
    edits: list[tuple[str, Any, Any]] = []
    for key, value in units.items():
        if not isinstance(key, tuple) or len(key) != 3:
            raise ArgumentError(f"units: {shown(key)}, expected (variable, hidden layer, unit), such as ('dose', 0, 3)")
        name, *place = key
        if name not in variables:
            raise UnknownNameError(unknown("variable", name, variables, "the graph"))
        layer, unit = (seed(number, what) for number, what in zip(place, ("hidden layer", "unit")))
        if isinstance(value, Change):
            if value.kind != _INTERCHANGE:
                raise ArgumentError(f"units: {value!r} at {shown(key)}, expected numbers or interchange(...)")
            edits.append((name, replace(value, kind=_INTERCHANGE_UNIT, place=(layer, unit)), None))
        else:
            edits.append((name, Change(_UNIT, _kept(value), place=(layer, unit)), None))
    return edits


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
        self._sources: list[Scenario] = []      # of interchanges
        self.error: BaseException | None = None
        for variable, value, where in edits:
            self._add(variable, value, where)

    def _add(self, variable: str, value: Any, where: Any) -> None:
        edit = Edit(variable=text(variable, "variable"))
        if isinstance(value, Change):
            edit.kind = value.kind
            edit.layer, edit.unit = value.place or (0, 0)
            if value.kind == _CLAMP:
                edit.lower, edit.upper = value.lower, value.upper
            elif value.kind == _COMPUTE:
                self._compute(edit, "", value.function, variable, own=variable)
            elif value.source is not None:
                edit.source = value.source.handle.address
                self._sources.append(value.source)
            elif value.model is not None:
                self._take(edit, value.model, variable)
            elif value.kind == _MECHANISM:
                self._compute(edit, "", value.function, variable)
                if value.amount is not None:
                    self._values(edit, value.amount, variable)
            else:
                self._values(edit, value.amount, variable)
        elif isinstance(value, LinearPolicy):
            edit.kind, (edit.lower, edit.upper) = _LINEAR, value.within
            self._reads(edit, "", list(value.coefficients))
            self._keep(edit, value._numbers(variable).reshape(-1))
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
        self._keep(edit, np.ascontiguousarray(given.reshape(-1)))

    def _keep(self, edit: Edit, values: NDArray[np.float64]) -> None:
        edit.values, edit.value_count = address(values), len(values)
        self._kept.append(values)

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
                    reads_of(one.function, variables, own=name if one.kind == _COMPUTE else None)
                if one.model is not None:
                    _check_source(one.model, name, variables)
            elif isinstance(one, LinearPolicy):
                check_reads(one, variables)
            elif callable(one) and not is_distribution(one):
                reads_of(one, variables)
    if callable(where):
        reads_of(where, variables)
    return edits


def _check_source(model: StructuralModel, name: str, variables: Sequence[str]) -> None:
    """That another model has the variable, and this one its parents."""
    model._index(name)
    for parent in model.graph.parents(name):
        if parent not in variables:
            raise UnknownNameError(unknown("variable", parent, variables, "the graph") + f"; it is a cause of {name} in the model of its new mechanism")


def _levels_shown(levels: tuple[Any, ...] | None) -> str:
    return "no levels" if levels is None else f"the levels {shown(levels)}"


def _kept(value: Any) -> Any:
    """As it is now, whatever becomes of the caller's array."""
    return value.copy() if isinstance(value, (np.ndarray, list)) else value


def is_distribution(value: Any) -> bool:
    """Whether it can be drawn from, as those of scipy.stats can."""
    return hasattr(value, "rvs")
