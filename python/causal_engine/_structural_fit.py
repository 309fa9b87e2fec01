"""Training a structural model: in slices of 50 ms, between which Python shows progress and hears Ctrl-C."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import byref, c_double, c_int, c_size_t
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _bindings
from ._arrays import address, dtype_code, size, text
from ._bindings import Handle, StructuralOptions, library, read_size, read_text
from ._formula import Formula
from ._interrupt import interrupts
from ._progress import SLICE, bar
from .errors import ArgumentError, InvalidValueError, UnknownNameError, shown
from .features import unknown
from .graph import Graph

_KINDS = ("auto", "linear", "additive", "smooth", "location_scale", "flow", "softmax", "given")


@dataclass(frozen=True)
class Mechanism:
    """How a variable comes about from its parents and from noise.

    Parameters
    ----------
    kind
        "auto", "linear", "additive", "smooth", "location_scale", "flow" or "softmax": see `StructuralModel`.
    hidden
        Widths of the hidden layers of its network; None for (64, 64), or (12,) of a smooth one.
    activation
        As in `CausalMLP`.
    pieces
        Of the spline of a flow, 2 to 64.
    formula
        Of "given", which a model makes of a function: what is known.

    Raises
    ------
    InvalidValueError
        No such kind.
    ArgumentError
        `hidden` is no tuple or list.

    Examples
    --------
    >>> Mechanism("flow", hidden=(32,), pieces=16).kind
    'flow'
    """

    kind: str = "auto"
    hidden: tuple[int, ...] | None = None
    activation: str = "gelu"
    pieces: int = 8
    formula: Any = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise InvalidValueError(f"mechanism is {shown(self.kind)}, expected one of {', '.join(_KINDS)}")
        if self.hidden is None:
            object.__setattr__(self, "hidden", (12,) if self.kind == "smooth" else (64, 64))
        if not isinstance(self.hidden, (tuple, list)):
            raise ArgumentError(f"hidden is {shown(self.hidden)}, expected the widths of hidden layers, such as (64, 64)")


def mechanism_table(mechanisms: Any, graph: Graph) -> list[Mechanism]:
    """One for each variable."""
    variables = graph.variables
    by_name: Mapping[str, Any] = mechanisms if isinstance(mechanisms, Mapping) else dict.fromkeys(variables, mechanisms)
    for name in by_name:
        if name not in variables:
            raise UnknownNameError(unknown("variable", name, variables, "the graph"))
    return [_mechanism(by_name.get(name, "auto"), name, graph) for name in variables]


def _mechanism(given: Any, name: str, graph: Graph) -> Mechanism:
    if isinstance(given, str):
        return Mechanism(given)
    if isinstance(given, Mechanism):
        return given
    if not callable(given):
        raise ArgumentError(f"mechanism of {name} is {shown(given)}, expected a kind such as 'additive', a Mechanism, or a function of its parents")
    if not graph.parents(name):
        raise InvalidValueError(f"mechanism of {name}: a function, but it has no parents")
    return Mechanism("given", formula=Formula(given, name, graph.parents(name)))


@dataclass(frozen=True)
class Fitted:
    """What was learned."""

    handle: Handle
    mechanisms: tuple[str, ...]
    levels: dict[str, tuple[Any, ...]]
    members: int
    noise_width: int
    rows: int       # it was learned from
    formulas: tuple[Formula, ...] = ()      # that the engine calls

    @classmethod
    def of(cls, handle: Handle, variables: int, levels: dict[str, tuple[Any, ...]], rows: int) -> Fitted:
        """What the engine holds, and what it does not know."""
        return cls(
            handle, tuple(read_text(library.causal_structural_model_mechanism, handle.address, k) for k in range(variables)), levels,
            read_size(library.causal_structural_model_member_count, handle.address),
            read_size(library.causal_structural_model_noise_width, handle.address), rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return _decoded, (self._encoded(), len(self.mechanisms), self.levels, self.rows)

    def _encoded(self) -> bytes:
        """The bytes of its checkpoint, without a note."""
        needed = read_size(library.causal_structural_model_encode, self.handle.address, None, None, 0)
        buffer = (ctypes.c_char * needed)()
        read_size(library.causal_structural_model_encode, self.handle.address, None, buffer, needed)
        return bytes(buffer)


def _decoded(checkpoint: bytes, variables: int, levels: dict[str, tuple[Any, ...]], rows: int) -> Fitted:
    handle = Handle(library.causal_structural_model_decode, library.causal_structural_model_free, checkpoint, len(checkpoint))
    return Fitted.of(handle, variables, levels, rows)


def fitted(
    graph: Graph, mechanisms: Sequence[Mechanism], levels: dict[str, tuple[Any, ...]], values: NDArray[np.float64], marks: Any, twins: NDArray[np.uint64] | None,
    dtype: np.dtype[Any], progress: bool, former: tuple[Fitted, NDArray[np.uint8]] | None, **options: Any,
) -> Fitted:
    """Trains to the end."""
    kept, structures = [], (_bindings.Mechanism * len(mechanisms))()
    for k, (name, choice) in enumerate(zip(graph.variables, mechanisms)):
        hidden = choice.hidden or ()
        widths = (c_size_t * len(hidden))(*(size(width, "hidden") for width in hidden))
        kept.append(widths)
        structures[k] = _bindings.Mechanism(
            levels=len(levels.get(name, ())), kind=text(choice.kind, "kind"), hidden=ctypes.addressof(widths), hidden_count=len(widths),
            activation=text(choice.activation, "activation"), pieces=size(choice.pieces, "pieces"),
            formula=None if choice.formula is None else ctypes.cast(choice.formula.callback, ctypes.c_void_p))
    if former is not None:
        options |= {"former": former[0].handle.address, "frozen": address(former[1])}
    if twins is not None:
        options["twins"] = address(twins)
    formulas = tuple(choice.formula for choice in mechanisms if choice.formula is not None)
    values = np.ascontiguousarray(values)
    trainer = Handle(
        library.causal_structural_trainer_create, library.causal_structural_trainer_free, graph._graph.handle.address, ctypes.addressof(structures),
        address(values), None if marks is None else address(marks), *values.shape, byref(StructuralOptions(dtype=dtype_code(dtype), **options)))
    finished, done = c_int(), c_double()
    with bar(progress, "StructuralModel") as drawn, interrupts() as check:
        while not finished.value:
            library.causal_structural_trainer_run(trainer.address, SLICE, byref(finished))
            check()
            if drawn is not None:
                library.causal_structural_trainer_progress(trainer.address, byref(done))
                drawn.n = round(done.value, 3)
                drawn.refresh()
    try:
        model = Handle(lambda out: library.causal_structural_trainer_model(trainer.address, out), library.causal_structural_model_free)
    finally:
        for formula in formulas:
            formula.reraise()
    trainer.close()
    return replace(Fitted.of(model, len(mechanisms), levels, len(values)), formulas=formulas)
