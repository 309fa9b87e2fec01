"""What the data leave open in the counterfactual of a category: bounds over all couplings of its noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address
from ._bindings import library
from ._functions import reads_of
from ._changes import Change, is_distribution
from ._table import table
from .errors import InvalidValueError
from .policy import Policy

if TYPE_CHECKING:
    from .scenario import ScenarioView

__all__ = ["CategoryBounds"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class CategoryBounds:
    """What `ScenarioView.bounds` finds: for each row and level the probability that the outcome would have had that level, (rows, levels).

    Attributes
    ----------
    levels
        Of the outcome, in the order of the columns.
    low, high
        The smallest and the largest probability that any coupling of the noise gives; the mean over the members of the ensemble.
    gumbel
        What the Gumbel-max coupling gives, as `counterfactual` takes it: one number between the two, but for the error of its simulation.
    """

    levels: tuple[Any, ...]
    low: Array
    high: Array
    gumbel: Array

    def __repr__(self) -> str:
        return f"CategoryBounds(of {len(self.low)} rows, levels {', '.join(map(str, self.levels))})"


def coupled(observed: Array, new: Array, seen: NDArray[np.intp]) -> tuple[Array, Array]:
    """The smallest and the largest P(Y' = k | Y = seen) for each row and level k, where Y has the probabilities `observed` and Y' those of `new`.

    P(Y = y, Y' = k) is at most the smaller of the two probabilities and at least their sum less 1 (Frechet 1935), so that

        max(0, (observed[y] + new[k] - 1) / observed[y]) <= P(Y' = k | Y = y) <= min(1, new[k] / observed[y]),

    and some coupling reaches each (Tian and Pearl 2000, for two levels).
    """
    of_seen = np.take_along_axis(observed, seen[:, None], 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(of_seen > 0, np.maximum(0, (of_seen + new - 1) / of_seen), 0.0)
        high = np.where(of_seen > 0, np.minimum(1, new / of_seen), 1.0)
    return low, high


def largest_mean(values: Array, low: Array, high: Array) -> Array:
    """The largest sum of values times weights that add up to 1, each between its bounds, for each row: the best ones first."""
    order = np.argsort(-values, axis=1)
    ordered, free = np.take_along_axis(values, order, 1), np.take_along_axis(high - low, order, 1)
    left = 1 - low.sum(1, keepdims=True)
    before = np.cumsum(free, 1) - free
    taken = np.clip(left - before, 0, free)
    found: Array = (values * low).sum(1) + (ordered * taken).sum(1)
    return found


class _Mechanism:
    """A categorical variable whose counterfactual is asked for, on rows of which everything is known."""

    def __init__(self, view: ScenarioView, name: str, factual: Array) -> None:
        self._model, self._factual, self.name = view._model, factual, name
        self.column = self._model._index(name)
        self.count = len(self._model._now().levels[name])
        self._parents = [self._model._index(parent) for parent in self._model.graph.parents(name)]
        self.seen = factual[:, self.column].astype(np.intp)

    def _probabilities(self, values: Array, member: int) -> Array:
        found, values = np.empty((len(values), self.count)), np.ascontiguousarray(values)
        library.causal_structural_model_probabilities(
            self._model._now().handle.address, self.column, address(values), *values.shape, member, address(found), self.count)
        return found

    def bounds(self, values: Array, member: int) -> tuple[Array, Array]:
        """Where its parents have other values. In a row where they have those that were seen, it is what it was."""
        low, high = coupled(self._probabilities(self._factual, member), self._probabilities(values, member), self.seen)
        # But for a rounding, where a change of no strength computes a parent anew.
        here, there = values[:, self._parents], self._factual[:, self._parents]
        is_same = (np.abs(here - there) <= 1e-12 * np.abs(self._factual[:, self._parents]).max(0, initial=0)).all(1)
        what_was = np.eye(self.count)[self.seen]
        return np.where(is_same[:, None], what_was, low), np.where(is_same[:, None], what_was, high)


def bounds(view: ScenarioView, rows: Any, outcome: str, draws: int, seed: int) -> CategoryBounds:
    model = view._model
    now = model._now()
    factual = np.ascontiguousarray(table(rows, model.variables, now.levels, "rows"))
    between = _open_causes(view, outcome)
    if np.isnan(factual).any():
        raise InvalidValueError("bounds: a value is missing in the rows, expected all values")
    last = _Mechanism(view, outcome, factual)
    low, high = np.zeros((2, len(factual), last.count))
    for member in range(now.members):
        if not between:
            found = last.bounds(view._one_counterfactual(factual, member, seed), member)
        else:
            found = _through(view, _Mechanism(view, between[0], factual), last, factual, member, seed)
        low, high = low + found[0] / now.members, high + found[1] / now.members
    gumbel = np.zeros_like(low)
    for k in range(draws * now.members):
        codes = view._one_counterfactual(factual, k % now.members, (seed + k // now.members) % (1 << 64))[:, last.column]
        gumbel += np.eye(last.count)[codes.astype(np.intp)] / (draws * now.members)
    return CategoryBounds(now.levels[outcome], low, high, gumbel)


def _through(view: ScenarioView, first: _Mechanism, last: _Mechanism, factual: Array, member: int, seed: int) -> tuple[Array, Array]:
    """Through one category on the way: P(Y' = k) is the sum over its levels c of P(M' = c) P(Y' = k | M' = c), the two noises being independent.
    Any P(M' = .) within its bounds that adds up to 1 is that of some coupling, and so is any P(Y' = k | M' = c), for all c at once."""
    given_low, given_high = np.empty((2, first.count, len(factual), last.count))
    for level, label in enumerate(view._model._now().levels[first.name]):
        values = view.do({first.name: label})._one_counterfactual(factual, member, seed)
        given_low[level], given_high[level] = last.bounds(values, member)
    # All that decides the one between is what it is under the scenario, whatever its own value is.
    low, high = first.bounds(view._one_counterfactual(factual, member, seed), member)
    answer_low, answer_high = np.empty((2, len(factual), last.count))
    for k in range(last.count):
        answer_high[:, k] = largest_mean(given_high[:, :, k].T, low, high)
        answer_low[:, k] = -largest_mean(-given_low[:, :, k].T, low, high)
    return answer_low, answer_high


def _open_causes(view: ScenarioView, outcome: str) -> list[str]:
    """The categorical variables on which the outcome's counterfactual rests and whose own is not one value: none or one.

    Raises
    ------
    InvalidValueError
        There are more, or the bounds are not known for another reason.
    """
    model = view._model
    levels, graph = model._now().levels, model.graph
    model._index(outcome)
    if outcome not in levels:
        raise InvalidValueError(f"bounds: {outcome} is real, expected a categorical variable: the counterfactual of a real one is a number, "
                                "or rests on categorical ones before it")
    for name, value, _ in view._edits:
        if is_distribution(value.amount if isinstance(value, Change) else value) or isinstance(value, Change) and value.source is not None:
            raise InvalidValueError(f"bounds: what is done to {name} is drawn, or taken from another run, expected values, changes and policies")
    is_set = {name for name, value, where in view._edits if where is None and not isinstance(value, Change)}
    parents = {name: set() if name in is_set else set(graph.parents(name)) for name in model.variables}
    for name, read in _reads(view):
        parents[name].add(read)
    edited = {name for name, _, _ in view._edits}
    affected = _reached(edited, {name: {child for child in parents if name in parents[child]} for name in parents})
    needed = _reached({outcome}, parents) & (affected | edited)
    found = [name for name in model.variables if name in needed and name in levels and name not in is_set]
    for name in found:
        if name in edited:
            raise InvalidValueError(f"bounds: {name} is edited without being set in all rows, and {outcome} rests on it, expected it to be set, or left alone")
        if any(name in pair for pair in graph.confounded):
            raise InvalidValueError(f"bounds: {name} shares a hidden cause with another variable, expected noises that are independent")
    between = [name for name in found if name != outcome]
    if len(between) > 1:
        raise InvalidValueError(f"bounds: {outcome} rests on the counterfactuals of {len(between)} categorical variables before it "
                                f"({', '.join(between)}), expected one at most: more have no bounds in closed form")
    return between


def _reads(view: ScenarioView) -> Iterator[tuple[str, str]]:
    """What each edited variable listens to because of its edits."""
    for name, value, where in view._edits:
        functions: list[tuple[Any, str | None]] = [(where, None)] if callable(where) else []
        if isinstance(value, Policy):
            yield from ((name, read) for read in value._names())
        elif isinstance(value, Change):
            if value.model is not None:
                yield from ((name, parent) for parent in value.model.graph.parents(name))
            if value.function is not None:
                functions.append((value.function, name))
        elif callable(value):
            functions.append((value, None))
        for function, own in functions:
            yield from ((name, read) for read in reads_of(function, view._model.variables, own) if read != name)


def _reached(start: set[str], along: dict[str, set[str]]) -> set[str]:
    """Some variables and what is reached from them."""
    reached, ahead = set(start), list(start)
    while ahead:
        for name in along[ahead.pop()] - reached:
            reached.add(name)
            ahead.append(name)
    return reached
