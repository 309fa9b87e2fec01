"""Variables of graphs by name and by number."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from .errors import ArgumentError, UnknownNameError, shown
from .features import index_of

_MOST_TOLD = 12     # edges


def number_of(variable: Any, names: Sequence[str] | None, count: int) -> int:
    """The number of a variable, which may be given by its number or, where there are names, by name."""
    if isinstance(variable, str) and names is not None:
        return index_of(variable, names, "variable", "the graph")
    try:
        index = operator.index(variable)
    except TypeError:
        or_name = " or a name" if names else ""
        raise ArgumentError(f"variable is {shown(variable)}, expected a whole number{or_name}") from None
    if not 0 <= index < count:
        raise UnknownNameError(f"there is no variable {shown(index)}, expected 0 to {count - 1}")
    return index


def summary(names: Sequence[str], edges: Sequence[tuple[int, int]], confounded: Sequence[tuple[int, int]] = (),
            undirected: Sequence[tuple[int, int]] = ()) -> str:
    """A graph on one line."""
    from ._graph_picture import label

    labels = [label(name) for name in names]
    told = [f"{labels[first]} {mark} {labels[second]}" for mark, pairs in (("->", edges), ("<->", confounded), ("-", undirected))
            for first, second in pairs]
    more = ", ..." if len(told) > _MOST_TOLD else ""
    return f"{len(names)} variable{'s' if len(names) > 1 else ''}{': ' if told else ''}{', '.join(told[:_MOST_TOLD])}{more}"
