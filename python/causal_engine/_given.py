"""Conditioning on what some rows tell, where that needs no inference: a variable that is told together with its causes says nothing of the
noise of others, so that it can be set to the value that it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._changes import Change, setting
from .errors import InvalidValueError
from .graph import Graph

Edits = Sequence[tuple[str, Any, Any]]


def edits_given(known: NDArray[np.float64], edits: Edits, graph: Graph) -> list[tuple[str, Any, Any]]:
    """What to do beside `edits` so that variables have the values of `known`, (rows, variables), NaN where they are not told."""
    edited = {name for name, _, _ in edits}
    told = {name: ~np.isnan(known[:, k]) for k, name in enumerate(graph.variables)}
    made: list[tuple[str, Any, Any]] = []
    for k, name in enumerate(graph.variables):
        if not told[name].any():
            continue
        if name in edited:
            where = told[name] & ~_replaced(name, edits, len(known))
        else:
            where = told[name]
            _check(name, told, edited, graph)
        if where.any():
            made.append((name, setting(known[:, k]), None if where.all() else where))
    return made


def _check(name: str, told: dict[str, NDArray[np.bool_]], edited: set[str], graph: Graph) -> None:
    for parent in graph.parents(name):
        if parent not in edited and (told[name] & ~told[parent]).any():
            raise InvalidValueError(f"given: {name} is told, but not its cause {parent}, expected a variable's causes with it")
    for changed in sorted(edited):
        if name in graph.descendants(changed):
            raise InvalidValueError(f"given: {name} is told, but it is an effect of {changed}, which do() changes")
    if any(name in pair for pair in graph.confounded):
        raise InvalidValueError(f"given: {name} is told, which says something of its hidden common cause with another variable")


def _replaced(name: str, edits: Edits, rows: int) -> NDArray[np.bool_]:
    """In which rows the value that a variable was told to have gives way to that of do()."""
    replaced = np.zeros(rows, np.bool_)
    for edited, value, where in edits:
        if edited == name:
            # Where do() changes what the mechanism says, the noise behind the value that was told would be needed.
            if isinstance(value, Change) or callable(where):
                raise InvalidValueError(f"given: {name} is told, and do() changes it without setting it in rows that are known beforehand, "
                                        f"expected rows that do not tell {name}, or a counterfactual")
            replaced |= True if where is None else np.asarray(where, np.bool_)
    return replaced
