"""What is known of a graph before data are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import count
from ._graph_names import number_of
from ._graph_source import members, pairs
from .errors import ArgumentError, InvalidValueError, UnknownNameError, shown

__all__ = ["Knowledge"]

UNKNOWN = 2**64 - 1     # SIZE_MAX


@dataclass(frozen=True)
class Knowledge:
    """What is known of a graph before `discover` looks at data. Variables go by name or by number.

    Parameters
    ----------
    required
        Pairs (cause, effect): edges that are there.
    forbidden
        Pairs: edges that are not, though the opposite one may be.
    tiers
        Lists of variables, the earliest first: none is caused by one of a later tier. Of variables that are in none nothing is known.
    order
        All variables, causes before effects.
    max_parents
        Of one variable; None for any number.

    Raises
    ------
    ArgumentError, InvalidValueError
        What is no list of pairs, or a variable in two tiers. That knowledge contradicts itself, or names a variable that does not exist, is found
        out by `discover`.

    Examples
    --------
    >>> import numpy as np
    >>> from causal_engine import discover
    >>> rng = np.random.default_rng(0)
    >>> age = rng.normal(size=500)
    >>> data = {"age": age, "dose": age + rng.normal(size=500)}
    >>> discover(data, progress=False).graph
    Graph(2 variables: age - dose)
    >>> discover(data, knowledge=Knowledge(tiers=[["age"], ["dose"]]), progress=False).graph
    Graph(2 variables: age -> dose)
    """

    required: Any = ()
    forbidden: Any = ()
    tiers: Any = ()
    order: Any = None
    max_parents: int | None = None

    def __post_init__(self) -> None:
        pairs(self.required, "required")
        pairs(self.forbidden, "forbidden")
        if isinstance(self.tiers, str) or not hasattr(self.tiers, "__iter__"):
            raise ArgumentError(f"tiers is {shown(self.tiers)}, expected lists of variables")
        listed = [variable for tier in self.tiers for variable in members(tier)]
        if len(set(listed)) < len(listed):
            twice = next(variable for variable in listed if listed.count(variable) > 1)
            raise InvalidValueError(f"tiers: {shown(twice)} is there twice")

    def _arrays(self, variables: Sequence[str]) -> dict[str, Any]:
        """What the engine takes, by the name of the option."""
        width = len(variables)
        found: dict[str, Any] = {"most_parents": UNKNOWN if self.max_parents is None else count(self.max_parents, "max_parents")}
        for name in ("required", "forbidden"):
            matrix = np.zeros((width, width), np.uint8)
            for cause, effect in pairs(getattr(self, name), name):
                matrix[_number(cause, variables, name), _number(effect, variables, name)] = 1
            found[name] = matrix
        if self.tiers:
            tiers = np.full(width, UNKNOWN, np.uint64)
            for number, tier in enumerate(self.tiers):
                for variable in members(tier):
                    tiers[_number(variable, variables, "tiers")] = number
            found["tiers"] = tiers
        if self.order is not None:
            found["order"] = self._order(variables)
        return found

    def _order(self, variables: Sequence[str]) -> NDArray[np.uint64]:
        listed = members(self.order)
        if len(listed) != len(variables):
            raise InvalidValueError(f"order: {len(listed)} variables, expected all {len(variables)}")
        return np.array([_number(variable, variables, "order") for variable in listed], np.uint64)


def _number(variable: Any, variables: Sequence[str], what: str) -> int:
    try:
        return number_of(variable, variables, len(variables))
    except UnknownNameError as error:
        raise UnknownNameError(f"{what}: {error}") from None
