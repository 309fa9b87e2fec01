"""What is done to the variables of a structural model, as a caller writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import number, seed
from ._functions import reads_of
from .errors import ArgumentError, InvalidValueError, UnknownNameError, shown
from .features import told, unknown
from .policy import Policy, check_reads

if TYPE_CHECKING:
    from .structural import StructuralModel

SET, SHIFT, SCALE, CLAMP, COMPUTE, MECHANISM, LINEAR, UNIT, INTERCHANGE, INTERCHANGE_UNIT, NETWORK = range(11)      # causal_edit_kind


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
        return self.kind in (SET, SHIFT, SCALE, UNIT)

    def __repr__(self) -> str:
        if self.kind == UNIT:
            return brief(self.amount)
        if self.source is not None:
            return f"interchange({self.source!r})"
        name = {SET: "setting", SHIFT: "shift", SCALE: "scale", CLAMP: "clip", COMPUTE: "change", MECHANISM: "new_mechanism"}[self.kind]
        if self.kind == MECHANISM:
            noise = "" if self.amount is None else f", noise={brief(self.amount)}"
            return f"{name}({brief(self.function) if self.function else repr(self.model)}{noise})"
        return f"{name}({self.lower:g}, {self.upper:g})" if self.kind == CLAMP else f"{name}({brief(self.function or self.amount)})"


def shift(amount: Any) -> Change:
    """What the mechanism says, plus `amount`: a number, or one a row.

    Examples
    --------
    >>> shift(0.5)
    shift(0.5)
    """
    return Change(SHIFT, _kept(amount))


def scale(factor: Any) -> Change:
    """What the mechanism says, times `factor`: a number, or one a row."""
    return Change(SCALE, _kept(factor))


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
    return Change(CLAMP, lower=low, upper=high)


def change(function: Callable[..., Any]) -> Change:
    """Any function of what the mechanism says, which is its first argument, and of the variables that its other arguments name.

    Examples
    --------
    >>> halved_in_the_old = change(lambda dose, age: dose / (1 + (age > 60)))
    """
    if not callable(function):
        raise ArgumentError(f"change: {shown(function)}, expected a function of what the mechanism says")
    return Change(COMPUTE, function=function)


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
        return Change(MECHANISM, model=source)
    return Change(MECHANISM, noise, function=source)


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
    return Change(INTERCHANGE, source=source)


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
            if value.kind != INTERCHANGE:
                raise ArgumentError(f"units: {value!r} at {shown(key)}, expected numbers or interchange(...)")
            edits.append((name, replace(value, kind=INTERCHANGE_UNIT, place=(layer, unit)), None))
        else:
            edits.append((name, Change(UNIT, _kept(value), place=(layer, unit)), None))
    return edits


def setting(numbers: NDArray[np.float64]) -> Change:
    """Values to set, where these are numbers already: codes, of a categorical variable."""
    return Change(SET, numbers)


def brief(value: Any) -> str:
    """How a value is shown in a repr."""
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    if is_distribution(value):
        return f"{getattr(getattr(value, 'dist', value), 'name', type(value).__name__)}"
    return shown(value) if np.ndim(value) == 0 else f"<{len(value)} values>"


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
                    reads_of(one.function, variables, own=name if one.kind == COMPUTE else None)
                if one.model is not None:
                    _check_source(one.model, name, variables)
            elif isinstance(one, Policy):
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


def _kept(value: Any) -> Any:
    """As it is now, whatever becomes of the caller's array."""
    return value.copy() if isinstance(value, (np.ndarray, list)) else value


def is_distribution(value: Any) -> bool:
    """Whether it can be drawn from, as those of scipy.stats can."""
    return hasattr(value, "rvs")
