"""Checkpoints of structural models, and the note in which they keep what only Python knows: labels and options, as JSON."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from ctypes import byref, c_int
from typing import Any, NamedTuple

import numpy as np

from ._arrays import FLOAT32, FLOAT64, path_bytes, size, text
from ._arrays import seed as checked_seed
from ._bindings import Handle, library, read_size, read_text
from ._graph import NumberedGraph
from ._structural_fit import Fitted, Mechanism
from .errors import ArgumentError, CausalError, CheckpointError, InvalidValueError, UnknownNameError, shown
from .features import unknown
from .graph import Graph

_KIND = "StructuralModel"

Categorical = Mapping[str, Sequence[Any] | None]     # levels by variable, None where the data tell them


class Options(NamedTuple):
    """What a model was made with, beside its graph and its dtype."""

    mechanisms: list[Mechanism]
    categorical: Categorical
    seed: int


class Loaded(NamedTuple):
    """What a checkpoint holds."""

    graph: Graph
    dtype: np.dtype[Any]
    options: Options
    fitted: Fitted


def save(fitted: Fitted, options: Options, path: str | os.PathLike[str]) -> None:
    library.causal_structural_model_save(fitted.handle.address, path_bytes(path), text(_note(fitted, options), "note"))


def load(path: str | os.PathLike[str]) -> Loaded:
    handle = Handle(library.causal_structural_model_load, library.causal_structural_model_free, path_bytes(path))
    graph = Graph._numbered(NumberedGraph.held(lambda out: library.causal_structural_model_graph(handle.address, out)))
    code = c_int()
    library.causal_structural_model_dtype(handle.address, byref(code))
    counts = {name: read_size(library.causal_structural_model_levels, handle.address, v) for v, name in enumerate(graph.variables)}
    note = _Note(_entries(read_text(library.causal_structural_model_note, handle.address)), graph.variables)
    try:
        levels = note.levels({name: count for name, count in counts.items() if count})
        fitted = Fitted.of(handle, len(counts), levels, note.rows())
        options = Options(note.mechanisms(fitted.mechanisms), note.categorical(levels), checked_seed(note.entries.get("seed", 0)))
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{os.fspath(path)}: its note is not one of this package ({error})") from error
    return Loaded(graph, FLOAT64 if code.value else FLOAT32, options, fitted)


# ---------------------------------------------------------------- the note, as it is written

def _note(fitted: Fitted, options: Options) -> str:
    return json.dumps({
        "class": _KIND, "seed": options.seed, "rows": fitted.rows,
        "mechanisms": [[choice.kind, [int(width) for width in choice.hidden or ()], choice.activation, int(choice.pieces)] for choice in options.mechanisms],
        "levels": {name: [_plain(level, name) for level in levels] for name, levels in fitted.levels.items()},
        "categorical": {name: None if levels is None else [_plain(level, name) for level in levels] for name, levels in options.categorical.items()},
    }, allow_nan=False)


def _plain(level: Any, name: str) -> Any:
    """A level that JSON holds as it is."""
    value = level.item() if isinstance(level, np.generic) else level
    if type(value) not in (str, int, float, bool) or (type(value) is float and not math.isfinite(value)):
        raise InvalidValueError(
            f"the level {shown(level)} of {name} is {type(level).__name__}, expected texts, finite numbers or booleans: others cannot be saved")
    return value


# ---------------------------------------------------------------- and as it is read, from anyone

def _entries(note: str) -> dict[str, Any]:
    """What `_note` wrote; nothing where another language saved the model."""
    try:
        entries = json.loads(note) if note else {}
    except (ValueError, RecursionError):
        entries = {}
    return entries if isinstance(entries, dict) and entries.get("class") == _KIND else {}


class _Note:
    """Its entries, checked. Whatever is missing is what a model of another language has."""

    def __init__(self, entries: dict[str, Any], variables: Sequence[str]) -> None:
        self.entries = entries
        self._variables = variables

    def rows(self) -> int:
        return checked_seed(self.entries.get("rows", 0), "rows")

    def levels(self, counts: Mapping[str, int]) -> dict[str, tuple[Any, ...]]:
        """The labels of as many levels as each categorical variable has."""
        found = self._by_name("levels", {name: list(range(count)) for name, count in counts.items()}, _levels)
        if {name: len(levels) for name, levels in found.items()} != counts:
            raise InvalidValueError(f"levels are not {shown(dict(counts))}, as the model has them")
        return {name: found[name] for name in counts}

    def categorical(self, levels: Mapping[str, tuple[Any, ...]]) -> Categorical:
        return self._by_name("categorical", levels, lambda given, name: None if given is None else _levels(given, name))

    def mechanisms(self, kinds: Sequence[str]) -> list[Mechanism]:
        given = self.entries.get("mechanisms")
        if given is None:
            return [Mechanism(kind) for kind in kinds]
        if not isinstance(given, list) or len(given) != len(kinds):
            raise ArgumentError(f"mechanisms is {shown(given)}, expected one for each variable")
        return [_mechanism(one) for one in given]

    def _by_name(self, entry: str, default: Any, read: Callable[[Any, str], Any]) -> dict[str, Any]:
        given = self.entries.get(entry, default)
        if not isinstance(given, Mapping):
            raise ArgumentError(f"{entry} is {shown(given)}, expected lists by variable")
        for name in given:
            if name not in self._variables:
                raise UnknownNameError(unknown("variable", name, self._variables, entry))
        return {name: read(value, name) for name, value in given.items()}


def _levels(given: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(given, (list, tuple)):
        raise ArgumentError(f"levels of {name} are {shown(given)}, expected a list")
    levels = tuple(_plain(level, name) for level in given)
    if len(set(levels)) != len(levels):
        raise InvalidValueError(f"levels of {name} are {shown(levels)}, expected different ones")
    return levels


def _mechanism(given: Any) -> Mechanism:
    try:
        kind, hidden, activation, pieces = given
        text(kind, "kind"), text(activation, "activation")
        return Mechanism(kind, tuple(size(width, "hidden") for width in hidden), activation, size(pieces, "pieces"))
    except CausalError:
        raise
    except (TypeError, ValueError):
        raise ArgumentError(f"a mechanism is {shown(given)}, expected kind, hidden, activation and pieces") from None
